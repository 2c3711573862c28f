"""What canvases are made of: digits' pictures and how they are changed, boxed and laid on a canvas, by the batch.

A box is x0, y0, x1, y1 in pixels, counted from the upper left corner of the canvas; x1 and y1 are exclusive, so
`image[y0:y1, x0:x1]` is the digit. Inside lie all pixels of the digit that are brighter than `INK`.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

INK = 0.1
"""A pixel of a digit's picture brighter than this counts as ink."""
NO_DIGIT = -1
"""Fills labels and boxes where a canvas has fewer digits than others."""


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
        labels: `(batch, most_digits)` integers 0 to 9 in reading order, `NO_DIGIT` after the last one.
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


def paste(canvas: Tensor, patches: Tensor, corners: Tensor, width: int) -> None:
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
