"""Digits on larger canvases: moved, cluttered, in rows, with the box of every digit; drawn by the batch.

Pictures are laid out by tensor operations, a whole batch at a time. Everything that is random comes from the one
generator that is passed in, so a seed gives the same canvases on every machine with the same version of torch.

Boxes are those of `parts`; digits anywhere on a canvas, not in a row, are those of `scattered`.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from course_utils.data.canvases.parts import (
    INK as INK,
)
from course_utils.data.canvases.parts import (
    MILD as MILD,
)
from course_utils.data.canvases.parts import (
    NO_DIGIT as NO_DIGIT,
)
from course_utils.data.canvases.parts import (
    Augmentation as Augmentation,
)
from course_utils.data.canvases.parts import (
    CanvasBatch as CanvasBatch,
)
from course_utils.data.canvases.parts import (
    DigitSplit as DigitSplit,
)
from course_utils.data.canvases.parts import (
    augment as augment,
)
from course_utils.data.canvases.parts import (
    ink_boxes as ink_boxes,
)
from course_utils.data.canvases.parts import (
    paste,
)
from course_utils.data.canvases.scattered import ScatteredSettings, draw_scattered

_ANY_INK_FROM = 4  # crops for clutter are taken inside 4 … 24 of a 28-pixel picture, where MNIST has its ink
_JITTER = 3  # digits of a row stand up to this many pixels above or below each other
_LOOSEST, _TIGHTEST = 1.6, 1.15  # house numbers: the canvas is this much larger than the number, at most and at least


@dataclass(frozen=True)
class CanvasSettings:
    """What a canvas looks like.

    Attributes:
        height, width: pixels.
        fewest_digits, most_digits: a row has any number between them, all equally likely.
        fragments: pieces of other digits of the same split that are strewn over the canvas.
        fragment_size: height and width of a piece, pixels.
        moved: True = the row is anywhere on the canvas; False = one digit stays in the middle.
        largest_gap: most pixels between the boxes of neighbours in a row.
        augmentation: how digits are changed; None = not at all.
        binary: True = each pixel is drawn as 0 or 1, with its brightness as the probability of 1.
    """

    height: int = 60
    width: int = 60
    fewest_digits: int = 1
    most_digits: int = 1
    fragments: int = 0
    fragment_size: int = 8
    moved: bool = True
    largest_gap: int = 4
    augmentation: Augmentation | None = None
    binary: bool = False

    def check(self, image_size: int) -> None:
        """Refuse settings that cannot be drawn with pictures of `image_size` pixels.

        Raises:
            ValueError: if digits or fragments do not fit or a count makes no sense.
        """
        if not 1 <= self.fewest_digits <= self.most_digits:
            raise ValueError(
                f"fewest_digits is {self.fewest_digits} and most_digits {self.most_digits}; "
                "expected 1 <= fewest_digits <= most_digits."
            )
        needed = self.most_digits * image_size + (self.most_digits - 1) * self.largest_gap
        if self.width < needed or self.height < image_size:
            raise ValueError(
                f"a canvas of height {self.height} and width {self.width} is too small for {self.most_digits} digit(s):"
                f" expected at least {image_size} by {needed} pixels. Enlarge it or lower most_digits."
            )
        if self.fragments < 0 or not 1 <= self.fragment_size <= image_size - 2 * _ANY_INK_FROM:
            raise ValueError(
                f"fragments is {self.fragments} and fragment_size {self.fragment_size}; expected no negative number "
                f"of fragments and a size from 1 to {image_size - 2 * _ANY_INK_FROM} pixels."
            )
        if not self.moved and self.most_digits > 1:
            raise ValueError(
                f"moved is False with most_digits {self.most_digits}; only a single digit can stay in the middle. "
                "Use moved=True for rows."
            )


def draw_canvases(
    split: DigitSplit,
    settings: CanvasSettings | ScatteredSettings,
    count: int,
    generator: Generator,
    layouts: Tensor | None = None,
) -> CanvasBatch:
    """Draw canvases with digits of one split.

    Args:
        split: the only pictures that digits and clutter are taken from.
        settings: what a canvas looks like; its type says whether digits stand in a row or anywhere.
        count: number of canvases.
        generator: on the CPU; the only source of chance.
        layouts: `(layouts, most_digits, 4)` boxes of real rows of digits (see `digits.load_layouts`): each canvas
            then shows one of them, cropped at random around the number and resized, with every digit stretched to
            its box. They replace `fewest_digits`, `largest_gap` and `moved`.

    Raises:
        ValueError: if the settings cannot be drawn, or there are fewer than two pictures, or `layouts` has too
            many digits or is given with digits that stand anywhere.
    """
    size = split.images.shape[-1]
    settings.check(size)
    if len(split.images) < 2 or count < 1:
        raise ValueError(f"count is {count} and the split has {len(split.images)} pictures; expected 1 and 2 or more.")
    if isinstance(settings, ScatteredSettings):
        if layouts is not None:
            raise ValueError("layouts are rows, and ScatteredSettings places digits anywhere. Use CanvasSettings.")
        return draw_scattered(split, settings, count, generator)
    most = settings.most_digits
    chosen = torch.randint(len(split.images), (count, most), generator=generator)
    if layouts is None:
        numbers = torch.randint(settings.fewest_digits, most + 1, (count, 1), generator=generator)
        present = torch.arange(most) < numbers  # (count, most)
    else:
        rows = _pick_layouts(layouts, most, count, generator)
        present = rows[..., 2] > rows[..., 0]  # a real box may begin at −1, beside its photograph
    digits = split.images[chosen]  # (count, most, size, size)
    if settings.augmentation is not None:
        digits = augment(digits.flatten(0, 1), settings.augmentation, generator).view(digits.shape)
    ink = ink_boxes(digits.flatten(0, 1)).view(count, most, 4)
    canvas = torch.zeros(count, settings.height * settings.width)
    if layouts is None:
        corners = _place_rows(ink, present, size, settings, generator)
        boxes = ink + corners.repeat(1, 1, 2)
        for k in range(most):
            paste(canvas, digits[:, k] * present[:, k, None, None], corners[:, k], settings.width)
    else:
        boxes = _crop_layouts(rows, present, settings, generator)
        for k in range(most):
            stretched = _stretch(digits[:, k], ink[:, k], boxes[:, k], settings.height, settings.width)
            canvas = torch.maximum(canvas, (stretched * present[:, k, None, None]).flatten(1))
    for _ in range(settings.fragments):
        paste(canvas, *_cut_fragments(split.images, chosen[:, 0], settings, generator), settings.width)
    images = canvas.view(count, 1, settings.height, settings.width)
    if settings.binary:
        images = torch.bernoulli(images, generator=generator)
    labels = split.labels[chosen].masked_fill(~present, NO_DIGIT)
    return CanvasBatch(images, labels, boxes.masked_fill(~present.unsqueeze(-1), NO_DIGIT))


def canvas_batches(
    split: DigitSplit,
    settings: CanvasSettings | ScatteredSettings,
    batch_size: int,
    seed: int,
    batches_per_epoch: int = 100,
    layouts: Tensor | None = None,
) -> Callable[[int], Iterator[CanvasBatch]]:
    """Make the function that gives `training.train` the batches of each epoch; every canvas is drawn anew.

    Args:
        split, settings, layouts: see `draw_canvases`.
        batch_size: canvases in a batch.
        seed: decides all of them.
        batches_per_epoch: batches in one epoch.
    """

    def epoch_batches(epoch: int) -> Iterator[CanvasBatch]:
        generator = Generator().manual_seed(1_000_003 * seed + epoch)
        for _ in range(batches_per_epoch):
            yield draw_canvases(split, settings, batch_size, generator, layouts)

    return epoch_batches


def _place_rows(ink: Tensor, present: Tensor, size: int, settings: CanvasSettings, generator: Generator) -> Tensor:
    """Choose the upper left corner (x, y) of every picture, `(count, most, 2)`, so that all ink is on the canvas."""
    count, most, _ = ink.shape
    chance = torch.rand(count, 2 + 2 * most, generator=generator)
    if not settings.moved:
        middle = torch.tensor([(settings.width - size) // 2, (settings.height - size) // 2])
        return middle.expand(count, most, 2)
    widths = (ink[..., 2] - ink[..., 0]) * present
    gaps = (chance[:, 2 : 2 + most] * (settings.largest_gap + 1)).long() * present
    gaps[:, 0] = 0
    left_sides = (widths + gaps).cumsum(dim=1) - widths  # from the left end of the row
    spare = settings.width - (widths + gaps).sum(dim=1, keepdim=True)
    left_sides = left_sides + (chance[:, :1] * (spare + 1)).long()
    heights = ink[..., 3] - ink[..., 1]
    tallest = (heights * present).amax(dim=1, keepdim=True)
    top = (chance[:, 1:2] * (settings.height - tallest + 1)).long()
    jitter = (chance[:, 2 + most :] * (2 * _JITTER + 1)).long() - _JITTER if most > 1 else 0
    tops = torch.minimum((top + jitter).clamp(min=0), settings.height - heights)
    return torch.stack([left_sides - ink[..., 0], tops - ink[..., 1]], dim=-1)


def _cut_fragments(
    images: Tensor, not_these: Tensor, settings: CanvasSettings, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Cut one square out of another picture for each canvas, and choose where it goes."""
    count, size, piece = len(not_these), images.shape[-1], settings.fragment_size
    others = (not_these + torch.randint(1, len(images), (count,), generator=generator)) % len(images)
    origins = torch.randint(_ANY_INK_FROM, size - _ANY_INK_FROM - piece + 1, (count, 2), generator=generator)
    steps = torch.arange(piece)
    rows, columns = origins[:, 1:] + steps, origins[:, :1] + steps
    patches = images[others[:, None, None], rows[:, :, None], columns[:, None, :]]
    reach = torch.tensor([settings.width - piece + 1, settings.height - piece + 1])
    return patches, (torch.rand(count, 2, generator=generator) * reach).long()


def _pick_layouts(layouts: Tensor, most: int, count: int, generator: Generator) -> Tensor:
    """Draw rows of boxes, padded to `most` digits: `(count, most, 4)`."""
    if layouts.dim() != 3 or layouts.shape[-1] != 4 or layouts.shape[1] > most:
        raise ValueError(
            f"layouts has shape {tuple(layouts.shape)}; expected (layouts, up to most_digits = {most}, 4). "
            "Load it with load_layouts(split, longest=most_digits)."
        )
    rows = layouts[torch.randint(len(layouts), (count,), generator=generator)]
    return torch.nn.functional.pad(rows, (0, 0, 0, most - rows.shape[1]), value=NO_DIGIT)


def _crop_layouts(rows: Tensor, present: Tensor, settings: CanvasSettings, generator: Generator) -> Tensor:
    """Crop each layout around its number, with some room, and scale the crop to the canvas: integer boxes."""
    absent = ~present.unsqueeze(-1)
    low = rows[..., :2].masked_fill(absent, math.inf).amin(dim=1)  # (count, 2): left, top of the number
    high = rows[..., 2:].masked_fill(absent, -math.inf).amax(dim=1)
    chance = torch.rand(2, len(rows), 2, generator=generator)
    size = torch.tensor([settings.width, settings.height])
    factor = _TIGHTEST + (_LOOSEST - _TIGHTEST) * chance[0, :, :1]
    room = ((high - low) * factor / size).amax(dim=1, keepdim=True) * size  # of the canvas's shape: no distortion
    origin = low - (room - (high - low)) * chance[1]
    starts = ((rows[..., :2] - origin.unsqueeze(1)) / room.unsqueeze(1) * size).floor()
    ends = ((rows[..., 2:] - origin.unsqueeze(1)) / room.unsqueeze(1) * size).ceil()
    starts = torch.minimum(starts.clamp(min=0), (size - 2).to(starts))  # a digit has at least two pixels each way
    ends = torch.maximum(torch.minimum(ends, size.to(ends)), starts + 2)
    return torch.cat([starts, ends], dim=-1).long()


def _stretch(digits: Tensor, ink: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    """Stretch the ink of each picture to its box on an empty canvas: `(count, height, width)`.

    Two matrix products, one for rows and one for columns, whose weights interpolate linearly when the ink grows and
    average when it shrinks.
    """

    def weights(ink_start: Tensor, ink_end: Tensor, start: Tensor, end: Tensor, length: int) -> Tensor:
        start, end = start.clamp(min=0), torch.maximum(end, start + 1)  # absent digits: any box will do
        ratio = ((ink_end - ink_start) / (end - start)).view(-1, 1, 1)
        pixels = torch.arange(length).view(1, -1, 1) + 0.5
        source = ink_start.view(-1, 1, 1) + (pixels - start.view(-1, 1, 1)) * ratio  # (count, length, 1)
        distance = (source - (torch.arange(digits.shape[-1]) + 0.5)).abs()  # (count, length, size)
        hats = (1 - distance / ratio.clamp(min=1)).clamp(min=0)
        inside = (pixels > start.view(-1, 1, 1)) & (pixels < end.view(-1, 1, 1))
        return hats / hats.sum(dim=-1, keepdim=True).clamp(min=1e-6) * inside

    columns = weights(ink[:, 0], ink[:, 2], boxes[:, 0], boxes[:, 2], width)
    rows = weights(ink[:, 1], ink[:, 3], boxes[:, 1], boxes[:, 3], height)
    return rows @ digits @ columns.transpose(1, 2)
