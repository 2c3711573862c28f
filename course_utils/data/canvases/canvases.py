"""Digits on larger canvases: moved, cluttered or in rows, with the box of every digit; made by the batch.

batch = draw_canvases(digits.train, CanvasSettings(60, 60, fragments=4), 64, generator)
batch.images, batch.labels, batch.boxes

Canvases are laid out by tensor operations, a whole batch at a time. All that is random comes from the generator that
is passed in, so a seed gives the same canvases on every machine with the same version of torch.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from course_utils.data.batching import Batch
from course_utils.data.canvases.layouts import fill_layouts, pick_layouts
from course_utils.data.canvases.parts import NO_DIGIT, Augmentation, augment, ink_boxes, paste

_ANY_INK_FROM = 4  # fragments are cut from inside 4 … 24 of a 28-pixel image, where MNIST has its ink
_JITTER = 3  # digits of a row stand up to this many pixels above or below each other


@dataclass(frozen=True)
class CanvasSettings:
    """What a canvas with a row of digits looks like; lengths are in pixels."""

    height: int = 60
    width: int = 60
    fewest_digits: int = 1  # a row has any number from the fewest to the most, all equally likely
    most_digits: int = 1
    fragments: int = 0  # pieces of other digits of the same split that are strewn over the canvas
    fragment_size: int = 8  # height and width of a piece
    moved: bool = True  # the row is anywhere on the canvas; False = one digit stays in the middle
    largest_gap: int = 4  # between the boxes of neighbours in a row
    augmentation: Augmentation | None = None  # how digits are changed; None = not at all
    binary: bool = False  # each pixel is sampled as 0 or 1, with its brightness as the probability of 1

    def check(self, image_size: int) -> None:
        """Raise a ValueError if digits or fragments of `image_size` pixels do not fit or a count makes no sense."""
        fewest, most, largest = self.fewest_digits, self.most_digits, image_size - 2 * _ANY_INK_FROM
        width = most * image_size + (most - 1) * self.largest_gap
        if not 1 <= fewest <= most:
            raise ValueError(f"fewest_digits is {fewest} and most_digits {most}; expected 1 <= fewest <= most.")
        if self.height < image_size or self.width < width:
            small = f"a canvas of height {self.height} and width {self.width} is too small for {most} digit(s)"
            raise ValueError(f"{small}: use at least {image_size} by {width}.")
        if self.fragments < 0 or not 1 <= self.fragment_size <= largest:
            sizes = f"fragments is {self.fragments} and fragment_size {self.fragment_size}"
            raise ValueError(f"{sizes}; expected 0 or more fragments of 1 to {largest} pixels.")
        if not self.moved and most > 1:
            raise ValueError(f"moved is False with most_digits {most}; expected one digit. Use moved=True for rows.")


def draw_canvases(
    split: Batch, settings: CanvasSettings, count: int, generator: Generator, layouts: Tensor | None = None
) -> Batch:
    """Draw canvases with digits of one split.

    Args:
        split: `images` `(digits, size, size)` and `labels`, all that digits and fragments are taken from.
        settings: what a canvas looks like.
        count: number of canvases.
        generator: on the CPU; the only source of randomness.
        layouts: `(layouts, most_digits, 4)` boxes of real rows of digits, see `layouts.load_layouts`. Each canvas
            then shows one of them, cropped at random around the number and resized, with every digit stretched to
            its box, whatever `fewest_digits`, `largest_gap` and `moved` are.

    Returns:
        `images` `(count, 1, height, width)` floats, 0 = dark ground, 1 = full ink; `labels` `(count, most_digits)`
        integers 0 to 9 in reading order and `boxes` `(count, most_digits, 4)` integers, both `NO_DIGIT` after the last.

    Raises:
        ValueError: if the settings cannot be drawn, there are fewer than two images, or `layouts` does not fit.
    """
    size, most = split.images.shape[-1], settings.most_digits
    settings.check(size)
    if len(split) < 2 or count < 1:
        raise ValueError(f"count is {count} and the split has {len(split)} images; expected 1 and 2 or more.")
    chosen = torch.randint(len(split), (count, most), generator=generator)
    if layouts is None:
        numbers = torch.randint(settings.fewest_digits, most + 1, (count, 1), generator=generator)
        present = torch.arange(most) < numbers  # (count, most)
    else:
        rows = pick_layouts(layouts, most, count, generator)
        present = rows[..., 2] > rows[..., 0]  # a real box may begin at −1, beside its photograph
    digits = split.images[chosen].flatten(0, 1)
    if settings.augmentation is not None:
        digits = augment(digits, settings.augmentation, generator)
    ink = ink_boxes(digits).view(count, most, 4)
    digits = digits.view(count, most, size, size) * present[..., None, None]
    images = torch.zeros(count, settings.height, settings.width)
    if layouts is None:
        corners = _place_row(ink, present, size, settings, generator)
        boxes = ink + corners.repeat(1, 1, 2)
        for k in range(most):
            paste(images, digits[:, k], corners[:, k])
    else:
        boxes = fill_layouts(images, digits, ink, rows, present, generator)
    _add_fragments(images, split.images, chosen[:, 0], settings, generator)
    images = torch.bernoulli(images, generator=generator) if settings.binary else images
    labels = split.labels[chosen].masked_fill(~present, NO_DIGIT)
    boxes = boxes.masked_fill(~present.unsqueeze(-1), NO_DIGIT)
    return Batch(images=images.unsqueeze(1), labels=labels, boxes=boxes)


def _place_row(ink: Tensor, present: Tensor, size: int, settings: CanvasSettings, generator: Generator) -> Tensor:
    """Choose the upper left corner (x, y) of every image, `(count, most, 2)`, so that all ink is on the canvas."""
    count, most, _ = ink.shape
    uniform = torch.rand(count, 2 + 2 * most, generator=generator)
    if not settings.moved:
        middle = torch.tensor([(settings.width - size) // 2, (settings.height - size) // 2])
        return middle.expand(count, most, 2)
    widths = (ink[..., 2] - ink[..., 0]) * present
    gaps = (uniform[:, 2 : 2 + most] * (settings.largest_gap + 1)).long() * present
    gaps[:, 0] = 0
    left_sides = (widths + gaps).cumsum(dim=1) - widths  # from the left end of the row
    spare = settings.width - (widths + gaps).sum(dim=1, keepdim=True)
    left_sides = left_sides + (uniform[:, :1] * (spare + 1)).long()
    heights = ink[..., 3] - ink[..., 1]
    tallest = (heights * present).amax(dim=1, keepdim=True)
    top = (uniform[:, 1:2] * (settings.height - tallest + 1)).long()
    jitter = (uniform[:, 2 + most :] * (2 * _JITTER + 1)).long() - _JITTER if most > 1 else 0
    tops = torch.minimum((top + jitter).clamp(min=0), settings.height - heights)
    return torch.stack([left_sides - ink[..., 0], tops - ink[..., 1]], dim=-1)


def _add_fragments(
    canvases: Tensor, images: Tensor, not_these: Tensor, settings: CanvasSettings, generator: Generator
) -> None:
    """Paste the fragments, each a square cut out of another image than the first digit's."""
    count, size, piece = len(canvases), images.shape[-1], settings.fragment_size
    steps = torch.arange(piece)
    reach = torch.tensor([settings.width - piece + 1, settings.height - piece + 1])
    for _ in range(settings.fragments):
        others = (not_these + torch.randint(1, len(images), (count,), generator=generator)) % len(images)
        origins = torch.randint(_ANY_INK_FROM, size - _ANY_INK_FROM - piece + 1, (count, 2), generator=generator)
        rows, columns = origins[:, 1:] + steps, origins[:, :1] + steps
        patches = images[others[:, None, None], rows[:, :, None], columns[:, None, :]]
        paste(canvases, patches, (torch.rand(count, 2, generator=generator) * reach).long())
