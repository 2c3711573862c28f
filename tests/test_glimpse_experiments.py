"""Lesson 3's experiments: recipes, how glimpses are evaluated, parts of a measurement, checkpoints, figures."""

import json
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy
import pytest
import torch

from course_utils import checkpoints
from course_utils.data.canvases.canvases import CanvasSettings
from course_utils.data.canvases.digits import load_digit_images
from course_utils.models.classifiers import GlimpseTrace
from course_utils.teaching import images
from experiments import lesson_03_glimpses as lesson_03
from experiments import runner
from experiments.claims import Claim
from experiments.experiment import Experiment
from experiments.glimpses import Recipe, bound_in_nats, build_model, draw_tests, fit, score_glimpses

torch.set_num_threads(1)

CANVAS = CanvasSettings(32, 36, fragments=2)
TINY = Recipe(
    "ram", (("glimpses", 2), ("size", 4), ("hidden_size", 8), ("glimpse_size", 8)), 10, batch_size=4, canvas=CANVAS,
    stages=((0.2, (("fragments", 0),)), (0.5, (("fragments", 1),))), stds=(0.4, 0.1),
)  # fmt: skip


@pytest.fixture(scope="module")
def digits():
    return load_digit_images()


# Recipes


def test_stages_begin_easier_and_end_with_the_canvas_itself():
    fragments = [TINY.canvas_at(share).fragments for share in (0.0, 0.19, 0.2, 0.49, 0.5, 1.0)]
    assert fragments == [0, 0, 1, 1, 2, 2]
    assert TINY.canvas_at(0.0) == replace(CANVAS, fragments=0)


def test_the_standard_deviation_falls_by_the_same_factor_each_step_and_then_stays():
    assert TINY.std_at(0.0) == pytest.approx(0.4) and TINY.std_at(0.35) == pytest.approx(0.2)
    assert TINY.std_at(0.7) == pytest.approx(0.1) == TINY.std_at(1.0)
    assert build_model(TINY).std == 0.1


def test_training_goes_through_the_stages(digits, monkeypatch):
    from experiments import glimpses

    drawn, seen = glimpses.draw_canvases, []

    def spy(split, settings, count, generator, layouts=None):
        seen.append(settings.fragments)
        return drawn(split, settings, count, generator, layouts)

    monkeypatch.setattr(glimpses, "draw_canvases", spy)
    model, history = fit(TINY, digits.train, progress=False)
    assert seen[:10] == [0] * 2 + [1] * 3 + [2] * 5 and len(history.losses) == 10
    assert model.std == pytest.approx(TINY.std_at(0.9), rel=0.01)


def test_a_recipe_becomes_json_and_says_everything():
    written = json.loads(json.dumps(TINY.configuration()))
    assert written["options"]["glimpses"] == 2 and written["canvas"]["fragments"] == 2
    assert written["stages"] == [[0.2, {"fragments": 0}], [0.5, {"fragments": 1}]] and written["stds"] == [0.4, 0.1]


# Tests of models


def test_everything_is_tested_on_the_same_canvases_without_augmentation(digits):
    from course_utils.data.canvases.parts import MILD

    first = draw_tests(digits.test, replace(CANVAS, augmentation=MILD), 7, batch_size=4)
    again = draw_tests(digits.test, CANVAS, 7, batch_size=4)
    assert [len(batch.images) for batch in first] == [4, 3]
    assert all(torch.equal(a.images, b.images) for a, b in zip(first, again, strict=True))


class GlimpsesThere:
    """A stand-in that glimpses at the middle of the gold box first, then at the upper left corner."""

    def __init__(self, batches):
        self.boxes = {id(batch.images): batch.boxes for batch in batches}

    def trace(self, images):
        gold = self.boxes[id(images)][:, 0].float()
        middle = (gold[:, :2] + gold[:, 2:]) / 2
        around = torch.cat([middle - 3, middle + 3], dim=1)
        corner = torch.tensor([-3.0, -3.0, 3.0, 3.0]).expand_as(around)
        boxes = torch.stack([around, corner], dim=1).unsqueeze(2)
        return GlimpseTrace(torch.zeros(len(images), 2, 1, 10), boxes=boxes)


def test_glimpses_are_evaluated_against_the_boxes_beside_chance(digits):
    batches = draw_tests(digits.test, CanvasSettings(60, 60), 300, batch_size=100)
    score = score_glimpses(GlimpsesThere(batches), batches)
    corners = torch.cat([batch.boxes[:, 0] for batch in batches])
    at_corner = ((corners[:, 0] <= 0) & (corners[:, 1] <= 0)).float().mean()
    assert score.hits == pytest.approx([1.0, float(at_corner)])
    sides = (corners[:, 2:] - corners[:, :2]).float()
    assert score.chance == pytest.approx(float((sides.prod(dim=1) / 3600).mean()))
    middle = ((corners[:, :2] <= 30) & (corners[:, 2:] > 30)).all(dim=1).float().mean()
    assert score.centre == pytest.approx(float(middle))
    assert score.pixels_seen[0] == pytest.approx(36 / 3600, rel=0.2)  # whole squares, some beyond the border
    assert score.pixels_seen[1] <= score.pixels_seen[0] + 9 / 3600 + 1e-6


def test_the_bound_is_the_mean_over_images_whatever_the_batches(digits):
    torch.manual_seed(0)
    canvas = CanvasSettings(28, 28, moved=False, binary=True)
    recipe = Recipe("draw", (("steps", 2), ("hidden_size", 8)), canvas=canvas)
    model = build_model(recipe)
    whole = draw_tests(digits.test, recipe.canvas, 60, batch_size=60)
    halves = [whole[0][:45], whole[0][45:]]
    assert bound_in_nats(model, halves, samples=4) == pytest.approx(bound_in_nats(model, whole, samples=4), rel=0.01)


# Parts of a measurement


class TwoParts(Experiment):
    """Its metrics come in two parts."""

    lesson = "99"

    def __init__(self, steps=(1, 2)):
        self.claims = (Claim("99.x", "arXiv:0", "b beats a", "points", "higher", ("a", "a"), ("b", "b"), "1 → 2"),)
        self.steps, self.measured = steps, []

    def recipes(self, source):
        return {part: {part: replace(TINY, steps=steps)} for part, steps in zip("ab", self.steps, strict=True)}

    def measure(self, part, source, seed, fast):
        if not fast:  # the test cases stored with a result are those of a fast run
            self.measured.append((part, seed))
        return {part: seed + (10.0 + seed if part == "b" else 0.0)}


def test_parts_are_measured_one_by_one_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "results_path", lambda lesson, source: tmp_path / "result.json")
    monkeypatch.setattr(runner, "find_experiment", lambda lesson: first)
    first = TwoParts()
    assert runner.run("99", seeds=2, parts=["b"], work_folder=tmp_path / "runs") is None
    assert first.measured == [("b", 0), ("b", 1)] and not (tmp_path / "result.json").exists()
    path = runner.run("99", seeds=2, work_folder=tmp_path / "runs")
    assert first.measured == [("b", 0), ("b", 1), ("a", 0), ("a", 1)]
    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["claims"][0]["ours"]["values"] == [10.0, 12.0]
    assert result["claims"][0]["baseline"]["values"] == [0.0, 1.0]
    first = TwoParts(steps=(1, 3))  # what changed is measured anew, and nothing else
    runner.run("99", seeds=2, work_folder=tmp_path / "runs")
    assert first.measured == [("b", 0), ("b", 1)]
    with pytest.raises(ValueError, match=r"unknown parts \['c'\]; expected some of a, b"):
        runner.run("99", parts=["c"], work_folder=tmp_path / "runs")


def test_real_canvases_are_not_augmented():
    for named in lesson_03.EXPERIMENT.recipes("real").values():
        assert all(recipe.canvas.augmentation is None for recipe in named.values())


def test_a_checkpoint_is_trained_evaluated_and_loaded_again(tmp_path, monkeypatch):
    experiment, small = lesson_03.EXPERIMENT, lesson_03.with_options(lesson_03.RAM, hidden_size=8, glimpse_size=8)
    monkeypatch.setattr(checkpoints, "data_folder", lambda kind: tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(experiment, "checkpoints", {"03-ram": replace(small, steps=4, batch_size=4)})
    experiment.train("03-ram")
    model, card = experiment.load("03-ram")
    assert card["data"]["source"] == "default" and card["recipe"]["options"]["hidden_size"] == 8
    assert card["metrics"] == pytest.approx(experiment.checkpoint_metrics("03-ram", model), abs=1e-3)
    assert set(card["metrics"]) == {"error", "hits", "hits/centre", "seen"}


# Figures


@pytest.fixture
def closed_figures():
    yield
    plt.close("all")


def test_figures_of_images_have_words(closed_figures):
    image = numpy.random.default_rng(0).random((1, 12, 16))
    boxes = numpy.array([[[2, 2, 6, 6], [0, 0, 8, 8]], [[8, 3, 12, 7], [6, 1, 14, 9]]])
    patches = numpy.zeros((2, 2, 1, 4, 4))
    small = numpy.zeros((2, 3, 1, 8, 8))
    says = {"gold": [[1, 1, 5, 5], [-1] * 4], "captions": ["says 1", "says 2"]}
    named = ["a digit: 3", "a digit: 8"]
    every = [
        images.plot_images([image, image[0]], title="Two", captions=named, boxes=[[[1, 1, 3, 3]], []]),
        images.plot_glimpses(image, boxes, patches, title="Looks", **says),
        images.plot_glimpses(image, boxes[:, :1], patches[:, :1], title="One scale"),
        images.plot_drawing(small, title="Drawn", boxes=numpy.ones((2, 3, 4))),
        images.plot_drawing(small, title="Again", targets=small[:, 0]),
    ]
    for axes in every:
        words = axes.figure.get_label()
        assert len(words) > 20 and words.startswith(axes.figure.get_suptitle())
    assert "1 at (4, 4), 2 at (10, 5)" in every[1].figure.get_label()
    assert "gold box from (1, 1) to (5, 5)" in every[1].figure.get_label() and "says 2" in every[1].figure.get_label()
