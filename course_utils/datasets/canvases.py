"""Digits on larger canvases: moved, cluttered, in rows, with the box of every digit; drawn by the batch.

Pictures are laid out by tensor operations, a whole batch at a time. Everything that is random comes from the one
generator that is passed in, so a seed gives the same canvases on every machine with the same version of torch.

A box is x0, y0, x1, y1 in pixels, counted from the upper left corner of the canvas; x1 and y1 are exclusive, so
`image[y0:y1, x0:x1]` is the digit. Inside lie all pixels of the digit that are brighter than `INK`.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

INK = 0.1
"""A pixel of a digit's picture brighter than this counts as ink."""
NO_DIGIT = -1
"""Fills labels and boxes where a canvas has fewer digits than others."""
_ANY_INK_FROM = 4  # crops for clutter are taken inside 4 … 24 of a 28-pixel picture, where MNIST has its ink
_JITTER = 3  # digits of a row stand up to this many pixels above or below each other
_LOOSEST, _TIGHTEST = 1.6, 1.15  # house numbers: the canvas is this much larger than the number, at most and at least


class DigitSplit(NamedTuple):
    """The pictures of one split.

    Attributes:
        images: `(count, size, size)` floats, 0 = dark ground, 1 = full ink.
        labels: `(count,)` integers, 0 to 9.
    """

    images: Tensor
    labels: Tensor


class CanvasBatch(NamedTuple):
    """Canvases and what is on them.

    Attributes:
        images: `(batch, 1, height, width)` floats, 0 = dark ground, 1 = full ink.
        labels: `(batch, most_digits)` integers 0 to 9 from left to right, `NO_DIGIT` after the last one.
        boxes: `(batch, most_digits, 4)` integers, pixels, `NO_DIGIT` after the last one.
    """

    images: Tensor
    labels: Tensor
    boxes: Tensor

    def to(self, device: torch.device | str) -> "CanvasBatch":
        """Return the batch on another device."""
        return CanvasBatch(*(tensor.to(device) for tensor in self))


@dataclass(frozen=True)
class Augmentation:
    """How much a digit's picture may be changed before it is laid out; every change is drawn uniformly.

    Attributes:
        rotation: degrees to either side.
        scale: share by which a digit grows or shrinks, 0.1 = 0.9 to 1.1 times.
        shear: horizontal slant to either side, as a share of the height.
        shift: pixels to every side; matters only where digits are not moved anyway.
    """

    rotation: float = 10.0
    scale: float = 0.1
    shear: float = 0.15
    shift: float = 0.0


MILD = Augmentation()
"""What scikit-learn's 1,250 training pictures need so that a model does not learn them by heart."""


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
    split: DigitSplit, settings: CanvasSettings, count: int, generator: Generator, layouts: Tensor | None = None
) -> CanvasBatch:
    """Draw canvases with digits of one split.

    Args:
        split: the only pictures that digits and clutter are taken from.
        settings: what a canvas looks like.
        count: number of canvases.
        generator: on the CPU; the only source of chance.
        layouts: `(layouts, most_digits, 4)` boxes of real rows of digits (see `digits.load_layouts`): each canvas
            then shows one of them, cropped at random around the number and resized, with every digit stretched to
            its box. They replace `fewest_digits`, `largest_gap` and `moved`.

    Raises:
        ValueError: if the settings cannot be drawn, or there are fewer than two pictures, or `layouts` has too
            many digits.
    """
    size = split.images.shape[-1]
    settings.check(size)
    if len(split.images) < 2 or count < 1:
        raise ValueError(f"count is {count} and the split has {len(split.images)} pictures; expected 1 and 2 or more.")
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
            _paste(canvas, digits[:, k] * present[:, k, None, None], corners[:, k], settings.width)
    else:
        boxes = _crop_layouts(rows, present, settings, generator)
        for k in range(most):
            stretched = _stretch(digits[:, k], ink[:, k], boxes[:, k], settings.height, settings.width)
            canvas = torch.maximum(canvas, (stretched * present[:, k, None, None]).flatten(1))
    for _ in range(settings.fragments):
        _paste(canvas, *_cut_fragments(split.images, chosen[:, 0], settings, generator), settings.width)
    images = canvas.view(count, 1, settings.height, settings.width)
    if settings.binary:
        images = torch.bernoulli(images, generator=generator)
    labels = split.labels[chosen].masked_fill(~present, NO_DIGIT)
    return CanvasBatch(images, labels, boxes.masked_fill(~present.unsqueeze(-1), NO_DIGIT))


def canvas_batches(
    split: DigitSplit,
    settings: CanvasSettings,
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


def augment(images: Tensor, amount: Augmentation, generator: Generator) -> Tensor:
    """Rotate, scale, slant and shift each picture a little, each in its own way.

    Args:
        images: `(count, size, size)` floats.
        amount: how much at most.
        generator: the source of chance.

    Returns:
        The same shape; what comes from outside a picture is dark.
    """
    count, size, _ = images.shape
    angle, scale, shear, right, down = (2 * torch.rand(5, count, generator=generator) - 1).unbind()
    angle = angle * math.radians(amount.rotation)
    scale = 1 / (1 + scale * amount.scale)  # affine_grid asks where a pixel comes from: the inverse
    cosine, sine, slant = angle.cos() * scale, angle.sin() * scale, shear * amount.shear
    shift_x, shift_y = right * amount.shift * 2 / size, down * amount.shift * 2 / size
    rows = (cosine, -sine + slant * cosine, shift_x), (sine, cosine + slant * sine, shift_y)
    maps = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=1)  # (count, 2, 3)
    grid = torch.nn.functional.affine_grid(maps, [count, 1, size, size], align_corners=False)
    return torch.nn.functional.grid_sample(images.unsqueeze(1), grid, align_corners=False).squeeze(1)


def ink_boxes(images: Tensor) -> Tensor:
    """Find the smallest box around the ink of each picture.

    Args:
        images: `(count, height, width)` floats.

    Returns:
        `(count, 4)` integers x0, y0, x1, y1; the whole picture where there is no ink.
    """
    ink = images > INK
    sides = []
    for has_ink in (ink.any(dim=1), ink.any(dim=2)):  # columns, then rows
        first = has_ink.int().argmax(dim=1)
        last = has_ink.shape[1] - has_ink.flip(1).int().argmax(dim=1)
        sides.append((first, last))
    (x0, x1), (y0, y1) = sides
    return torch.stack([x0, y0, x1, y1], dim=1)


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


def _paste(canvas: Tensor, patches: Tensor, corners: Tensor, width: int) -> None:
    """Lay one patch on every canvas, in place; where two overlap the brighter one shows.

    Args:
        canvas: `(count, height * width)`.
        patches: `(count, size, size)`.
        corners: `(count, 2)` x, y of the upper left corner; parts beyond the canvas are dropped.
        width: of the canvas.
    """
    height, steps = canvas.shape[1] // width, torch.arange(patches.shape[-1])
    columns, rows = corners[:, :1] + steps, corners[:, 1:] + steps  # (count, size) each
    inside = ((rows >= 0) & (rows < height)).unsqueeze(2) & ((columns >= 0) & (columns < width)).unsqueeze(1)
    places = rows.clamp(0, height - 1).unsqueeze(2) * width + columns.clamp(0, width - 1).unsqueeze(1)
    canvas.scatter_reduce_(1, places.flatten(1), (patches * inside).flatten(1), "amax")


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
