"""What the experiments of lesson 3 share: canvases, how a model with glimpses is trained, and where it glimpses."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from course_utils.data.batching import Batch
from course_utils.data.canvases.canvases import CanvasSettings, draw_canvases
from course_utils.mechanisms.vision import location_to_pixels, share_of_pixels_seen
from course_utils.models.drawing import DRAW
from course_utils.models.glimpses import ConvClassifier, RecurrentAttentionModel, WindowClassifier
from course_utils.models.reading import DeepRecurrentAttentionModel
from course_utils.training import History
from experiments.evaluate import mean_loss
from experiments.recipes import PlainRecipe, train_recipe

SYSTEMS: dict[str, Callable[..., nn.Module]] = {
    "ram": lambda height, width, **options: RecurrentAttentionModel(**options),
    "window": lambda height, width, **options: WindowClassifier(**options),
    "conv": ConvClassifier,
    "dram": DeepRecurrentAttentionModel,
    "draw": DRAW,
}
"""Models by name; each is made for canvases of a height and width."""

_BATCHES_PER_EPOCH = 100
_TEST_SEED = 20_141_024  # of the canvases that everything is tested on; training seeds are 0, 1, 2, …
_SHARE_OF_FALL = 0.7  # of the steps, after which the policy's σ stays at its last value


@dataclass(frozen=True)
class Recipe(PlainRecipe):
    """A recipe for a system of `SYSTEMS`.

    Attributes:
        canvas: what it is trained for; tests use the same without augmentation.
        stages: easier canvases to begin with: until which share of the steps, and what is different.
        stds: the policy's σ at the first step and at its smallest; between, it falls by the same factor each
            step. None for models without a policy. A wide policy tries far places, a narrow one aims.
    """

    learning_rate: float = 2e-3
    batch_size: int = 128
    canvas: CanvasSettings = CanvasSettings(60, 60)
    stages: tuple[tuple[float, tuple[tuple[str, object], ...]], ...] = ()
    stds: tuple[float, float] | None = None

    def configuration(self) -> dict:
        """The recipe as plain values, for cards and results."""
        stages = [[until, dict(changes)] for until, changes in self.stages]
        return {**super().configuration(), "stages": stages}

    def canvas_at(self, progress: float) -> CanvasSettings:
        """What canvases look like when a share `progress` of the steps is done."""
        for until, changes in self.stages:
            if progress < until:
                return replace(self.canvas, **dict(changes))
        return self.canvas

    def std_at(self, progress: float) -> float:
        """The policy's σ when a share `progress` of the steps is done."""
        first, last = self.stds
        return first * (last / first) ** min(1.0, progress / _SHARE_OF_FALL)


def build_model(recipe: Recipe) -> nn.Module:
    """Make the recipe's model, untrained, with the policy's smallest σ."""
    model = SYSTEMS[recipe.system](recipe.canvas.height, recipe.canvas.width, **dict(recipe.options))
    if recipe.stds:
        model.std = recipe.stds[1]
    return model


def fit(
    recipe: Recipe, split: Batch, seed: int = 0, *, layouts: Tensor | None = None, **options
) -> tuple[nn.Module, History]:
    """Train a recipe on canvases that are drawn anew for every batch; see `Experiment.fit`.

    `split` has the digits to draw with; for `layouts` see `canvases.draw_canvases`.
    """

    def batches(model: nn.Module, epoch: int) -> Iterator[Batch]:
        generator = Generator().manual_seed(1_000_003 * seed + epoch)
        for number in range(_BATCHES_PER_EPOCH):
            done = (epoch * _BATCHES_PER_EPOCH + number) / recipe.steps
            if recipe.stds:
                model.std = recipe.std_at(done)
            yield draw_canvases(split, recipe.canvas_at(done), recipe.batch_size, generator, layouts)

    return train_recipe(recipe, seed, lambda: build_model(recipe), lambda model: partial(batches, model), **options)


def draw_tests(
    split: Batch, canvas: CanvasSettings, count: int = 2000, layouts: Tensor | None = None, batch_size: int = 250
) -> list[Batch]:
    """Draw the canvases that models are tested on: always the same ones, without augmentation."""
    generator, plain = Generator().manual_seed(_TEST_SEED), replace(canvas, augmentation=None)
    sizes = [min(batch_size, count - start) for start in range(0, count, batch_size)]
    return [draw_canvases(split, plain, size, generator, layouts) for size in sizes]


class GlimpseScore(NamedTuple):
    """The places of glimpses against the gold boxes; a list has one entry per glimpse.

    Attributes:
        hits: share of canvases on which the middle of that glimpse lies in the digit's box, 0 to 1.
        chance: the same for places sampled uniformly from the canvas.
        centre: the same for a glimpse that stays in the middle of the canvas.
        pixels_seen: mean share of the canvas's pixels that lie in the sharpest patch of any glimpse so far.
    """

    hits: list[float]
    chance: float
    centre: float
    pixels_seen: list[float]


@torch.no_grad()
def score_glimpses(model: nn.Module, batches: Sequence[Batch]) -> GlimpseScore:
    """Evaluate the places of a model's glimpses on canvases with one digit each.

    The middle of a window that reaches beyond the canvas may lie outside; then it misses.
    """
    hits, seen, chance, centre, count = [], [], 0.0, 0.0, 0
    for batch in batches:
        trace = model.trace(batch.images)
        height, width = batch.images.shape[-2:]
        gold = batch.boxes[:, :1].float()  # (batch, 1, 4)
        boxes = trace.boxes[:, :, 0].float()  # (batch, glimpses, 4), the sharpest patch
        hits.append(is_inside((boxes[..., :2] + boxes[..., 2:]) / 2, gold).float())
        seen.append(
            torch.stack([share_of_pixels_seen(boxes[:, :t], height, width) for t in range(1, boxes.shape[1] + 1)], 1)
        )
        sides = gold[:, 0, 2:] - gold[:, 0, :2]
        chance += float((sides.prod(dim=-1) / (height * width)).sum())
        middle = location_to_pixels(torch.zeros(1, 1, 2), height, width)
        centre += float(is_inside(middle, gold).sum())
        count += len(boxes)
    means = [torch.cat(values).mean(dim=0).tolist() for values in (hits, seen)]
    return GlimpseScore(means[0], chance / count, centre / count, means[1])


def is_inside(points: Tensor, boxes: Tensor) -> Tensor:
    """Say for points `(…, 2)`, (x, y), whether they lie in boxes `(…, 4)`, (left, top, right, bottom), in pixels."""
    return ((points >= boxes[..., :2]) & (points < boxes[..., 2:])).all(dim=-1)


def bound_in_nats(model: DRAW, batches: Sequence[Batch], samples: int = 1) -> float:
    """Return DRAW's bound on −log p, nats per image, averaged over images and `samples` runs."""
    generator = Generator().manual_seed(_TEST_SEED)
    return mean_loss(model, [*batches] * samples, lambda batch: model.loss(batch, generator))
