"""A training that is killed goes on where it was, to the very model that it would have been."""

import random

import numpy
import pytest
import torch
from tiny_models import random_pairs, tiny_model

from course_utils.data.batching import batches_by_length
from course_utils.training import seed_everything, train
from course_utils.training_checkpoints import (
    TrainingCheckpointError,
    load_training_checkpoint,
    restore_rng_state,
    save_training_checkpoint,
)

PAIRS = random_pairs([3, 5, 2, 7, 4, 1, 6, 3] * 3)


class Killed(Exception):
    """Stands in for a power cut: nothing in the training loop handles it."""


def run(resume=None, kill_after=None, **changes):
    """Train a model with dropout for 11 steps in epochs of three batches, validated every fourth step."""
    seed_everything(5)
    model, given = tiny_model("rnn-search", seed=0, dropout=0.3), 0

    def batches(epoch):
        nonlocal given
        for batch in batches_by_length(PAIRS, 8, seed=epoch):
            if given == kill_after:
                raise Killed
            given += 1
            yield batch

    options = {"steps": 11, "progress": False, "resume": resume, "resume_seconds": -1.0, **changes}
    history = train(model, batches, validate=lambda model: score(), validate_every=4, **options)
    return model, history


def score():
    """Chance takes part in the validation, so the sources of chance must have been kept."""
    return random.random() + float(numpy.random.rand()) + float(torch.rand(()))


@pytest.mark.parametrize("kill_after", [1, 3, 5, 6, 9, 10])
def test_killed_and_taken_up_again_is_the_same_training(tmp_path, kill_after):
    resume = tmp_path / "folder" / "training.ckpt"
    whole, whole_history = run()
    with pytest.raises(Killed):
        run(resume, kill_after)
    assert resume.is_file() and not list(tmp_path.rglob(".*"))
    model, history = run(resume)
    assert history.losses == whole_history.losses and history.gradient_norms == whole_history.gradient_norms
    assert history.validations == whole_history.validations and history.stopped == "steps"
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name]), name
    assert not resume.exists(), "a finished training leaves no training checkpoint"


def test_killed_twice(tmp_path):
    resume = tmp_path / "training.ckpt"
    for kill_after in (2, 5):  # the second counts batches from its own beginning, two of them drawn again
        with pytest.raises(Killed):
            run(resume, kill_after)
    assert run(resume)[1].losses == run()[1].losses


def test_another_training_is_not_mixed_in(tmp_path):
    resume = tmp_path / "training.ckpt"
    with pytest.raises(Killed):
        run(resume, 4)
    before = resume.read_bytes()
    with pytest.raises(TrainingCheckpointError, match=r"waits another training .* move the file elsewhere"):
        run(resume, learning_rate=1e-3)
    assert resume.read_bytes() == before


@pytest.mark.parametrize("damage", [b"", b"no file of ours", None])
def test_a_damaged_file_is_said_aloud(tmp_path, damage):
    resume = tmp_path / "training.ckpt"
    save_training_checkpoint(resume, {"a": 1}, {"model": {"w": torch.ones(3)}})
    content = resume.read_bytes()
    resume.write_bytes(content[: len(content) // 2] if damage is None else damage)
    with pytest.raises(
        TrainingCheckpointError, match="no training checkpoint that can be read here .*move it elsewhere"
    ):
        load_training_checkpoint(resume, {"a": 1})


def test_chance_goes_on_where_it_was(tmp_path):
    resume = tmp_path / "training.ckpt"
    seed_everything(3)
    numpy.random.normal()  # leaves a second number waiting inside NumPy's generator
    save_training_checkpoint(resume, {}, {"rest": [1, 2.5, "x"]})
    expected = score(), float(numpy.random.normal())
    seed_everything(4)
    content = load_training_checkpoint(resume, {})
    assert content["rest"] == [1, 2.5, "x"]
    restore_rng_state(content)
    assert (score(), float(numpy.random.normal())) == expected
    assert load_training_checkpoint(tmp_path / "nothing", {}) is None
