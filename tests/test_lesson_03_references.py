"""The references of lesson 3's exercises compute what the course's models compute."""

import pytest
import torch

from course_utils.data.batching import Batch
from course_utils.data.canvases.canvases import CanvasSettings, draw_canvases
from course_utils.data.canvases.parts import NO_DIGIT
from course_utils.exercises.registry import find_exercise
from course_utils.mechanisms.vision import GaussianWindow
from course_utils.models.glimpses import reinforce_losses
from course_utils.models.reading import END, NOTHING, DeepRecurrentAttentionModel, reading_targets


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def reference(name):
    return find_exercise(f"03.{name}").reference


def test_reinforce_is_the_policy_loss_of_the_models():
    log_probabilities = torch.randn(4, 3, requires_grad=True)
    reward, baselines = torch.rand(4), torch.rand(4, 3)
    ours = reference("reinforce")(log_probabilities, reward, baselines)
    theirs, _ = reinforce_losses(log_probabilities, reward.unsqueeze(1).expand(4, 3), baselines)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*(torch.autograd.grad(loss, log_probabilities)[0] for loss in (ours, theirs)))


@pytest.mark.parametrize(("height", "width"), [(6, 6), (5, 9)])
def test_two_filter_banks_and_a_read_are_the_window(height, width):
    window, images = GaussianWindow(4), torch.rand(3, 2, height, width)
    parameters = window.parameters(0.3 * torch.randn(3, 5), height, width)
    bank = reference("filter-bank")
    rows = bank(parameters.center_y, parameters.stride, parameters.variance, 4, height)
    columns = bank(parameters.center_x, parameters.stride, parameters.variance, 4, width)
    ours = reference("window-read")(images, rows, columns, parameters.intensity)
    torch.testing.assert_close(ours, window.read(images, parameters))


def test_the_classes_are_those_of_data_and_model():
    assert (END, NOTHING) == (10, -1)  # as the exercises' texts say
    assert NO_DIGIT == NOTHING


def test_targets_of_shuffled_digits_are_those_of_the_model():
    split = Batch(images=torch.rand(20, 28, 28), labels=torch.randint(10, (20,)))
    settings = CanvasSettings(height=40, width=100, fewest_digits=1, most_digits=3)
    batch = draw_canvases(split, settings, 16, torch.Generator().manual_seed(0))
    shuffle = torch.rand(16, 3).argsort(dim=1)
    labels = batch.labels.gather(1, shuffle)
    boxes = batch.boxes.gather(1, shuffle.unsqueeze(-1).expand(-1, -1, 4))
    assert not torch.equal(labels, batch.labels)
    assert torch.equal(reference("reading-targets")(labels, boxes), reading_targets(batch.labels, 3))


def test_stopping_is_how_the_model_reads():
    model = DeepRecurrentAttentionModel(12, 12, most_digits=5, glimpses_per_digit=1, size=4, scales=1, hidden_size=8)
    images = torch.rand(64, 1, 12, 12)
    with torch.no_grad():
        model.what.weight *= 20  # different pictures get different answers
        model.output.weight *= 10
        answers = model.trace(images, sample=False).logits.argmax(dim=-1)
    assert (answers == END).any() and (answers != END).any(dim=1).any()
    expected = reference("stop-at-end")(answers)
    read = model.read(images, sample=False)
    assert torch.equal(read, expected[:, : read.shape[1]])
    assert (expected[:, read.shape[1] :] == NOTHING).all()
