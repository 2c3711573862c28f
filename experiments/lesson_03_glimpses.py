"""Lesson 3: what glimpses gain over the whole picture, what a learned place is worth, and where models look."""

from dataclasses import replace
from functools import lru_cache, partial

import torch

from course_utils.checkpoints import load_checkpoint, round_to_bytes, save_checkpoint
from course_utils.data.batching import Batch
from course_utils.data.canvases.canvases import CanvasSettings
from course_utils.data.canvases.digits import DigitImages, load_digit_images
from course_utils.data.canvases.layouts import load_layouts
from course_utils.data.canvases.parts import MILD
from course_utils.models.drawing import DRAW as DrawingModel
from course_utils.models.glimpses import (
    RecurrentAttentionModel,
    WindowClassifier,
    error_by_glimpses,
    error_rate,
    multiply_adds,
    policy_gradients,
)
from course_utils.models.reading import DeepRecurrentAttentionModel, reading_error
from experiments.claims import Claim
from experiments.glimpses import Recipe, bound_in_nats, build_model, draw_tests, fit, score_looks
from experiments.recipes import long_run, training_card

CLUTTERED = CanvasSettings(60, 60, fragments=4, augmentation=MILD)
EASY = CanvasSettings(60, 60, augmentation=MILD)
ROWS = CanvasSettings(40, 64, fewest_digits=1, most_digits=2, augmentation=MILD)
LONGER_ROWS = CanvasSettings(40, 100, fewest_digits=1, most_digits=3, augmentation=MILD)
STILL = CanvasSettings(28, 28, moved=False, binary=True, augmentation=MILD)


def clutter(*stages: tuple[float, int]) -> tuple:
    """Stages of a recipe that begin with fewer fragments: until which share of the steps, how many."""
    return tuple((until, (("fragments", fragments),)) for until, fragments in stages)


RAM = Recipe(
    "ram",
    CLUTTERED,
    options=(("glimpses", 8),),
    steps=3_000,
    learning_rate=2e-3,
    stages=clutter((0.1, 0), (0.2, 1), (0.3, 2), (0.4, 3)),
    spreads=(0.4, 0.08),
)
WINDOW = Recipe(
    "window",
    CLUTTERED,
    options=(("glimpses", 8), ("hidden_size", 128), ("keep_inside", True)),
    steps=3_000,
    learning_rate=1e-3,  # at twice the rate its window sometimes closes for good
    stages=clutter((0.06, 0), (0.12, 2)),
)
CONV = Recipe("conv", CLUTTERED, steps=3_000, learning_rate=1e-3)
DRAM = Recipe(
    "dram",
    ROWS,
    options=(("most_digits", 2), ("glimpses_per_digit", 3), ("scales", 3), ("hidden_size", 192)),
    steps=4_000,
    batch_size=64,
    spreads=(0.3, 0.1),
)
PAIR_RAM = Recipe(
    "ram",
    ROWS,
    options=(("glimpses", 9), ("digits", 2), ("classes", 11)),
    steps=4_000,
    batch_size=64,
    spreads=(0.4, 0.1),
)
DRAW = Recipe("draw", STILL, steps=4_000, batch_size=64)  # with windows it learns slowly: 1,000 steps tell little
"""The recipes that claims are measured with on the default source; with MNIST, nothing is augmented."""

_FEW = (("glimpses", 4), ("hidden_size", 128))
LIVE = {
    "ram": replace(RAM, canvas=EASY, options=_FEW, steps=1200, stages=()),
    "window": replace(
        WINDOW,
        canvas=EASY,
        options=(*_FEW, ("keep_inside", True)),
        steps=900,
        learning_rate=2e-3,
        stages=(),
        batch_size=64,
    ),
    "conv": replace(CONV, canvas=EASY, steps=700, batch_size=64),
    "draw": replace(DRAW, steps=250),
}
"""What the lesson trains while it is read."""

CLAIMS = [
    Claim(
        "03.beats-conv",
        "arXiv:1406.6247",
        "On cluttered 60×60 canvases, eight glimpses beat a small convolutional net that sees everything",
        "error, %",
        "lower",
        ("convolutions", "conv/error"),
        ("RAM, 8 glimpses", "ram/error"),
        "8.09 and 4.04 %",
    ),
    Claim(
        "03.more-glimpses",
        "arXiv:1406.6247",
        "More glimpses beat fewer",
        "error on cluttered 60×60, %",
        "lower",
        ("RAM, 4 glimpses", "ram-4/error"),
        ("RAM, 8 glimpses", "ram/error"),
        "4.96 and 4.04 %",
    ),
    Claim(
        "03.window-beats-ram",
        "arXiv:1502.04623",
        "A window that learns by its gradient beats places learned by reward, for equal glimpses",
        "error on cluttered 60×60, %",
        "lower",
        ("RAM without asking glimpses alone", "ram-plain/error"),
        ("window, 8 glimpses", "window/error"),
        "8.11 and 3.36 % (100×100, 8 glimpses)",
    ),
    Claim(
        "03.looks-at-the-digit",
        "arXiv:1406.6247",
        "The last glimpse is on the digit",
        "share of last glimpses inside the gold box, %",
        "higher",
        ("middle of the canvas", "centre/hits"),
        ("RAM, 8 glimpses", "ram/hits"),
        "pictures only",
    ),
    Claim(
        "03.baseline-variance",
        "arXiv:1406.6247",
        "A learned baseline lowers the variance of the policy's gradient",
        "variance, share of that without baseline",
        "lower",
        ("no baseline", "ram/variance-without"),
        ("baseline", "ram/variance-with"),
        "stated, not measured",
    ),
    Claim(
        "03.one-after-another",
        "arXiv:1412.7755",
        "Reading digit by digit beats naming the whole row at once, for equal glimpses",
        "rows of 1 or 2 digits not read exactly, %",
        "lower",
        ("RAM, all at once", "pair-ram/error"),
        ("DRAM", "dram/error"),
        "no such comparison; pairs about 5 % for DRAM",
    ),
    Claim(
        "03.draws-better",
        "arXiv:1502.04623",
        "Drawing through windows gives a better bound than drawing everywhere",
        "bound on −log p, nats per digit",
        "lower",
        ("no attention", "draw-plain/nats"),
        ("attention", "draw/nats"),
        "≤ 87.40 and ≤ 80.97 nats",
    ),
]


def with_options(recipe: Recipe, **options: object) -> Recipe:
    """The recipe with some of its options changed."""
    return replace(recipe, options=tuple({**dict(recipe.options), **options}.items()))


def for_source(recipe: Recipe, source: str) -> Recipe:
    """MNIST has pictures enough: nothing is augmented there."""
    return recipe if source == "default" else replace(recipe, canvas=replace(recipe.canvas, augmentation=None))


def recipes(source: str) -> dict[str, dict[str, Recipe]]:
    """The recipes of every part of the measurement."""
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


def settings(source: str, fast: bool) -> dict:
    """Everything that decides the figures, part by part."""
    return {part: {n: r.configuration() for n, r in named.items()} for part, named in recipes(source).items()}


@lru_cache(maxsize=2)
def images_of(source: str) -> DigitImages:
    """Load the digits of a source once."""
    return load_digit_images(source)


def train_part(part: str, source: str, seed: int, fast: bool) -> tuple[dict[str, torch.nn.Module], dict[str, float]]:
    """Train the models of one part; return them and how many seconds each took."""
    models, figures = {}, {}
    for name, recipe in recipes(source)[part].items():
        recipe = recipe.shortened(0.002) if fast else recipe
        models[name], history = fit(
            recipe, images_of(source).train, seed, layouts=row_layouts(part, source, "train"), progress=not fast
        )
        figures[f"{name}/seconds"] = history.seconds
    return models, figures


def row_layouts(part: str, source: str, split: str) -> torch.Tensor | None:
    """Where the digits of a row stand: as in photographs of house numbers with the real source."""
    return load_layouts(split, longest=2) if part == "rows" and source == "real" else None


def tests_of(part: str, source: str, fast: bool = False) -> list[Batch]:
    """The canvases on which a part is tested."""
    canvas = next(iter(recipes(source)[part].values())).canvas
    count = 250 if fast else 2000
    return draw_tests(images_of(source).test, canvas, count, row_layouts(part, source, "test"))


def measure_classifier(part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
    """Error after each glimpse, in per cent, and what it costs; for those that look, also where."""
    models, figures = train_part(part, source, seed, fast)
    model, tests = models[part], tests_of(part, source, fast)
    errors = error_by_glimpses(model, tests)
    figures |= {f"{part}/error": 100 * errors[-1], f"{part}/multiply-adds": multiply_adds(model, tests[0].images)}
    if part == "conv":
        return figures
    looks = score_looks(model, tests)
    for glimpse, (error, hits, seen) in enumerate(zip(errors, looks.hits, looks.pixels_seen, strict=True), start=1):
        figures |= {f"{part}/error/{glimpse}": 100 * error, f"{part}/hits/{glimpse}": 100 * hits}
        figures |= {f"{part}/seen/{glimpse}": 100 * seen}
    figures |= {f"{part}/hits": 100 * looks.hits[-1]}
    figures |= {"centre/hits": 100 * looks.centre, "chance/hits": 100 * looks.chance}
    if part == "ram":
        figures["ram/error-8-samples"] = 100 * error_rate(model, tests, samples=8)
        without, with_baseline = gradient_variances(model, tests[0], 4 if fast else 60)
        figures |= {"ram/variance-without": 1.0, "ram/variance-with": with_baseline / without}
    return figures


def gradient_variances(model: torch.nn.Module, batch: Batch, count: int) -> tuple[float, float]:
    """Variance of the policy's gradient over `count` runs on one batch, summed over weights: without, with baseline."""
    variances = []
    for use_baseline in (False, True):
        torch.manual_seed(0)  # the same glimpses for both
        variances.append(float(policy_gradients(model, batch, count, use_baseline).var(dim=0).sum()))
    return variances[0], variances[1]


def measure_rows(source: str, seed: int, fast: bool) -> dict[str, float]:
    """Share of rows that are not read exactly, in per cent."""
    models, figures = train_part("rows", source, seed, fast)
    tests = tests_of("rows", source, fast)
    figures["dram/error"] = 100 * reading_error(models["dram"], tests)
    figures["pair-ram/error"] = 100 * error_rate(models["pair-ram"], tests)
    return figures


def measure_drawing(source: str, seed: int, fast: bool) -> dict[str, float]:
    """The bound with and without attention."""
    models, figures = train_part("drawing", source, seed, fast)
    tests = tests_of("drawing", source, fast)
    return figures | {
        f"{name}/nats": bound_in_nats(model, tests, samples=1 if fast else 4) for name, model in models.items()
    }


PARTS = {
    **{part: partial(measure_classifier, part) for part in ("ram", "ram-4", "ram-plain", "window", "conv")},
    "rows": measure_rows,
    "drawing": measure_drawing,
}

LONG_TRAINING = {
    "03-ram": replace(
        RAM, steps=36_000, learning_rate=1.5e-3, stages=clutter((0.03, 0), (0.06, 1), (0.09, 2), (0.12, 3))
    ),
    # A window that has grown narrow on lone digits is lost when clutter comes: so it comes early, and steps are small.
    "03-window": replace(
        with_options(WINDOW, hidden_size=256), steps=24_000, learning_rate=7e-4, stages=clutter((0.02, 0), (0.04, 2))
    ),
    "03-conv": replace(CONV, steps=36_000),
    "03-dram": replace(DRAM, steps=14_000),
    "03-draw": DRAW,
    "03-draw-plain": with_options(DRAW, attention=False),
}
LONG_TRAINING |= {
    "03-ram-mnist": for_source(LONG_TRAINING["03-ram"], "real"),
    "03-window-mnist": for_source(LONG_TRAINING["03-window"], "real"),
}
"""The checkpoints: the same systems, trained longer with seed 0; on the default source but for those named after
MNIST."""


def _source_of(name: str) -> str:
    return "real" if name.endswith("-mnist") else "default"


def train_checkpoint(name: str) -> None:
    """Train one of `LONG_TRAINING` and store it with its card.

    Raises:
        RealDataError: for those of MNIST, if that cannot be had.
    """
    recipe, images = LONG_TRAINING[name], images_of(_source_of(name))
    batches = draw_tests(images.validation, recipe.canvas, 1000)
    model, history = fit(
        recipe,
        images.train,
        **long_run(name, recipe, lambda model: main_figure(model, batches), "wrong, or nats"),
    )
    round_to_bytes(model)
    made_from = {"source": _source_of(name), "credit": images.credit}
    card = training_card(name, recipe, history, made_from, checkpoint_metrics(name, model))
    save_checkpoint(name, model, card, in_bytes=True)


CHECKPOINTS = dict.fromkeys(LONG_TRAINING, train_checkpoint)


def main_figure(model: torch.nn.Module, batches: list[Batch]) -> float:
    """The figure that a model is judged by, lower is better: share of errors, or nats."""
    torch.manual_seed(0)  # of the glimpses
    if isinstance(model, DrawingModel):
        return bound_in_nats(model, batches)
    return (
        reading_error(model, batches) if isinstance(model, DeepRecurrentAttentionModel) else error_rate(model, batches)
    )


def checkpoint_metrics(name: str, model: torch.nn.Module, count: int = 2000) -> dict[str, float]:
    """The figures on a checkpoint's card: errors and shares from 0 to 1, or nats."""
    tests = draw_tests(images_of(_source_of(name)).test, LONG_TRAINING[name].canvas, count)
    if isinstance(model, DrawingModel):
        return {"nats": round(main_figure(model, tests), 2)}
    metrics = {"error": main_figure(model, tests)}
    if isinstance(model, (RecurrentAttentionModel, WindowClassifier)):
        looks = score_looks(model, tests)
        metrics |= {"hits": looks.hits[-1], "hits/centre": looks.centre, "seen": looks.pixels_seen[-1]}
    return {key: round(value, 4) for key, value in metrics.items()}


def load_trained(name: str) -> tuple[torch.nn.Module, dict]:
    """Load a checkpoint and its card.

    Raises:
        CheckpointError: see `load_checkpoint`.
    """
    return load_checkpoint(name, lambda card: build_model(LONG_TRAINING[name]))
