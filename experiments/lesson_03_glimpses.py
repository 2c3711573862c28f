"""Lesson 3: what glimpses gain over the whole image, what a learned place is worth, and where the glimpses are."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import nn

from course_utils.data.batching import Batch
from course_utils.data.canvases.canvases import CanvasSettings
from course_utils.data.canvases.digits import DigitImages, load_digit_images
from course_utils.data.canvases.layouts import load_layouts
from course_utils.data.canvases.parts import MILD
from course_utils.models.drawing import DRAW as DrawingModel
from course_utils.models.glimpses import error_by_glimpses, error_rate, multiply_adds, policy_gradients
from course_utils.models.reading import DeepRecurrentAttentionModel, reading_error
from course_utils.training import History
from experiments import glimpses
from experiments.experiment import Experiment
from experiments.gates import independent_pixels_nats, majority_error
from experiments.glimpses import Recipe, bound_in_nats, build_model, draw_tests, score_glimpses

CLUTTERED = CanvasSettings(60, 60, fragments=4, augmentation=MILD)
EASY = CanvasSettings(60, 60, augmentation=MILD)
ROWS = CanvasSettings(40, 64, fewest_digits=1, most_digits=2, augmentation=MILD)
LONGER_ROWS = CanvasSettings(40, 100, fewest_digits=1, most_digits=3, augmentation=MILD)
STILL = CanvasSettings(28, 28, moved=False, binary=True, augmentation=MILD)


def clutter(*stages: tuple[float, int]) -> tuple:
    """Stages of a recipe that begin with fewer fragments: until which share of the steps, how many."""
    return tuple((until, (("fragments", fragments),)) for until, fragments in stages)


RAM = Recipe(
    "ram", (("glimpses", 8),), 3_000, 2e-3, canvas=CLUTTERED, stages=clutter((0.1, 0), (0.2, 1), (0.3, 2), (0.4, 3)),
    stds=(0.4, 0.08),
)  # fmt: skip
WINDOW = Recipe(  # at twice the learning rate its window sometimes closes for good
    "window", (("glimpses", 8), ("hidden_size", 128), ("keep_inside", True)), 3_000, 1e-3, canvas=CLUTTERED,
    stages=clutter((0.06, 0), (0.12, 2)),
)  # fmt: skip
CONV = Recipe("conv", (), 3_000, 1e-3, canvas=CLUTTERED)
_DRAM = (("most_digits", 2), ("glimpses_per_digit", 3), ("scales", 3), ("hidden_size", 192))
DRAM = Recipe("dram", _DRAM, 4_000, batch_size=64, canvas=ROWS, stds=(0.3, 0.1))
_PAIR = (("glimpses", 9), ("digits", 2), ("classes", 11))
PAIR_RAM = Recipe("ram", _PAIR, 4_000, batch_size=64, canvas=ROWS, stds=(0.4, 0.1))
DRAW = Recipe("draw", (), 4_000, batch_size=64, canvas=STILL)  # with windows it learns slowly: 1,000 steps tell little
"""The recipes that claims are measured with on the default source; with MNIST, nothing is augmented."""

_FEW = (("glimpses", 4), ("hidden_size", 128))
LIVE = {
    "ram": replace(RAM, canvas=EASY, options=_FEW, steps=1200, stages=()),
    "window": replace(
        WINDOW, canvas=EASY, options=(*_FEW, ("keep_inside", True)), steps=900, learning_rate=2e-3, stages=(),
        batch_size=64,
    ),
    "conv": replace(CONV, canvas=EASY, steps=700, batch_size=64),
    "draw": replace(DRAW, steps=250),
}  # fmt: skip
"""What the lesson trains while it is read."""


def with_options(recipe: Recipe, **options: object) -> Recipe:
    """The recipe with some of its options changed."""
    return replace(recipe, options=tuple({**dict(recipe.options), **options}.items()))


def for_source(recipe: Recipe, source: str) -> Recipe:
    """MNIST has images enough: nothing is augmented there."""
    return recipe if source == "default" else replace(recipe, canvas=replace(recipe.canvas, augmentation=None))


@lru_cache(maxsize=2)
def images_of(source: str) -> DigitImages:
    """Load the digits of a source once."""
    return load_digit_images(source)


def row_layouts(part: str, source: str, split: str) -> torch.Tensor | None:
    """Where the digits of a row stand: as in photographs of house numbers with the real source."""
    return load_layouts(split, longest=2) if part == "rows" and source == "real" else None


def gradient_variances(model: nn.Module, batch: Batch, count: int) -> tuple[float, float]:
    """Variance of the policy's gradient over `count` runs on one batch, summed over weights: without, with baseline."""
    variances = []
    for use_baseline in (False, True):
        torch.manual_seed(0)  # the same glimpses for both
        variances.append(float(policy_gradients(model, batch, count, use_baseline).var(dim=0).sum()))
    return variances[0], variances[1]


def classifier_metrics(name: str, model: nn.Module, tests: list[Batch], fast: bool) -> dict[str, float]:
    """Error after each glimpse, in per cent, and multiply-adds; for models with glimpses also where they are."""
    errors = error_by_glimpses(model, tests)
    metrics = {f"{name}/error": 100 * errors[-1], f"{name}/multiply-adds": multiply_adds(model, tests[0].images)}
    if name == "conv":
        return metrics
    places = score_glimpses(model, tests)
    for glimpse, (error, hits, seen) in enumerate(zip(errors, places.hits, places.pixels_seen, strict=True), start=1):
        metrics |= {f"{name}/error/{glimpse}": 100 * error, f"{name}/hits/{glimpse}": 100 * hits}
        metrics |= {f"{name}/seen/{glimpse}": 100 * seen}
    metrics |= {f"{name}/hits": 100 * places.hits[-1]}
    metrics |= {"centre/hits": 100 * places.centre, "chance/hits": 100 * places.chance}
    if name == "ram":
        metrics["ram/error-8-samples"] = 100 * error_rate(model, tests, samples=8)
        without, with_baseline = gradient_variances(model, tests[0], 4 if fast else 60)
        metrics |= {"ram/variance-without": 1.0, "ram/variance-with": with_baseline / without}
    return metrics


class CheckpointData(NamedTuple):
    """What a checkpoint is trained on, the canvases that it is validated on, and the credit of the digits."""

    digits: Batch
    validation: list[Batch]
    credit: str


_LONG_RAM = replace(RAM, steps=36_000, learning_rate=1.5e-3, stages=clutter((0.03, 0), (0.06, 1), (0.09, 2), (0.12, 3)))
# A window that has grown narrow on lone digits is lost when clutter comes: so it comes early, and steps are small.
_LONG_WINDOW = replace(
    with_options(WINDOW, hidden_size=256), steps=24_000, learning_rate=7e-4, stages=clutter((0.02, 0), (0.04, 2))
)


class GlimpseExperiment(Experiment):
    """Glimpses, windows and convolutions on cluttered canvases, rows of digits, and drawing.

    The checkpoints are the same systems, trained longer; on the default source but for those named after MNIST.
    """

    lesson = "03"
    unit = "of canvases wrong, or nats"
    tolerances = dict.fromkeys(("error", "hits", "seen"), 0.015) | {"nats": 0.5}  # of a drawing, about a hundred nats
    checkpoints = {
        "03-ram": _LONG_RAM,
        "03-window": _LONG_WINDOW,
        "03-conv": replace(CONV, steps=36_000),
        "03-dram": replace(DRAM, steps=14_000),
        "03-draw": DRAW,
        "03-draw-plain": with_options(DRAW, attention=False),
        "03-ram-mnist": for_source(_LONG_RAM, "real"),
        "03-window-mnist": for_source(_LONG_WINDOW, "real"),
    }

    def recipes(self, source: str) -> dict[str, dict[str, Recipe]]:
        """One part per classifier, one for rows of digits, one for drawing."""
        self.check_source(source)
        parts = {
            "ram": {"ram": RAM},
            "ram-4": {"ram-4": with_options(RAM, glimpses=4)},
            "ram-plain": {"ram-plain": with_options(RAM, alone_weight=0)},
            "window": {"window": WINDOW},
            "conv": {"conv": CONV},
            "rows": {"dram": DRAM, "pair-ram": PAIR_RAM},
            "drawing": {"draw": DRAW, "draw-plain": with_options(DRAW, attention=False)},
        }
        return {part: {name: for_source(r, source) for name, r in named.items()} for part, named in parts.items()}

    def measure(self, part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
        """Errors, and shares of glimpses, in per cent; the bound in nats."""
        images, models, metrics = images_of(source), {}, {}
        for name, recipe in (recipes := self.recipes(source)[part]).items():
            recipe = recipe.shortened(0.002) if fast else recipe
            layouts = row_layouts(part, source, "train")
            models[name], history = glimpses.fit(recipe, images.train, seed, layouts=layouts, progress=not fast)
            metrics[f"{name}/seconds"] = history.seconds
        canvas = next(iter(recipes.values())).canvas
        tests = draw_tests(images.test, canvas, 250 if fast else 2000, row_layouts(part, source, "test"))
        if part == "rows":  # share of rows that are not read exactly
            metrics["dram/error"] = 100 * reading_error(models["dram"], tests)
            return metrics | {"pair-ram/error": 100 * error_rate(models["pair-ram"], tests)}
        if part == "drawing":
            samples = 1 if fast else 4
            return metrics | {f"{name}/nats": bound_in_nats(model, tests, samples) for name, model in models.items()}
        return metrics | classifier_metrics(part, models[part], tests, fast)

    def gates(self, source: str) -> dict[str, float]:
        """Errors of the most frequent answer, in per cent, and nats of drawings whose pixels are independent."""
        images, metrics = images_of(source), {}
        for name, canvas, part in (("majority/error", CLUTTERED, ""), ("majority/rows", ROWS, "rows")):
            tests = draw_tests(images.test, canvas, layouts=row_layouts(part, source, "test"))
            metrics[name] = majority_error([tuple(row) for batch in tests for row in batch.labels.tolist()])
        drawn = (torch.cat([b.images for b in draw_tests(split, STILL)]) for split in (images.train, images.test))
        return {**metrics, "independent pixels/nats": independent_pixels_nats(*drawn)}

    def live_trainings(self, count: int | None = None) -> dict[str, tuple[Recipe, CheckpointData]]:
        """`LIVE`; fragments of clutter come from another digit, so there are two digits or more."""
        images = images_of("default")
        data = CheckpointData(images.train[:count], [], images.credit)
        return {name: (replace(recipe, stages=()), data) for name, recipe in LIVE.items()}

    def source_of(self, name: str) -> str:
        """MNIST for those named after it."""
        return "real" if name.endswith("-mnist") else "default"

    def checkpoint_data(self, name: str) -> CheckpointData:
        """The digits to draw canvases with; those of validation are drawn once."""
        images = images_of(self.source_of(name))
        validation = draw_tests(images.validation, self.checkpoints[name].canvas, 1000)
        return CheckpointData(images.train, validation, images.credit)

    def fit(self, recipe: Recipe, data: CheckpointData, seed: int = 0, **options: Any) -> tuple[nn.Module, History]:
        """Train on canvases that are drawn anew; see `glimpses.fit`."""
        return glimpses.fit(recipe, data.digits, seed, **options)

    def build(self, name: str, card: Mapping[str, Any]) -> nn.Module:
        """The model of the checkpoint's recipe."""
        return build_model(self.checkpoints[name])

    def watch(self, model: nn.Module, data: CheckpointData) -> float:
        """Share of errors on validation canvases, 0 to 1, or nats."""
        return _error_or_nats(model, data.validation)

    def checkpoint_metrics(self, name: str, model: nn.Module, most: int | None = None) -> dict[str, float]:
        """Errors and shares from 0 to 1, or nats."""
        tests = draw_tests(images_of(self.source_of(name)).test, self.checkpoints[name].canvas, most or 2000)
        if isinstance(model, DrawingModel):
            return {"nats": round(_error_or_nats(model, tests), 2)}
        metrics = {"error": _error_or_nats(model, tests)}
        if self.checkpoints[name].system in ("ram", "window"):
            places = score_glimpses(model, tests)
            metrics |= {"hits": places.hits[-1], "hits/centre": places.centre, "seen": places.pixels_seen[-1]}
        return {key: round(value, 4) for key, value in metrics.items()}


def _error_or_nats(model: nn.Module, batches: list[Batch]) -> float:
    """What is to be lowered: share of errors, 0 to 1, or nats."""
    torch.manual_seed(0)  # of the glimpses
    if isinstance(model, DrawingModel):
        return bound_in_nats(model, batches)
    return (reading_error if isinstance(model, DeepRecurrentAttentionModel) else error_rate)(model, batches)


EXPERIMENT = GlimpseExperiment()
load_trained = EXPERIMENT.load
