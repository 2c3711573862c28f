"""Images of digits, and what is done to a batch of them: changed, boxed, laid on canvases.

A box is x0, y0, x1, y1 in pixels from the upper left corner of the canvas, x1 and y1 exclusive: `image[y0:y1, x0:x1]`
is the digit. Inside lie all pixels of the digit that are brighter than `INK`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample

INK = 0.1
"""A pixel of a digit's image brighter than this counts as ink."""
NO_DIGIT = -1
"""Fills labels and boxes where a canvas has fewer digits than others."""


@dataclass(frozen=True)
class Augmentation:
    """How much a digit's image may be changed before it is laid out; every change is sampled uniformly."""

    rotation: float = 10.0  # degrees to either side
    scale: float = 0.1  # share by which a digit grows or shrinks, 0.1 = 0.9 to 1.1 times
    shear: float = 0.15  # horizontal slant to either side, as a share of the height
    shift: float = 0.0  # pixels to every side; matters only where digits are not moved anyway


MILD = Augmentation()
"""What scikit-learn's 1,261 training images need so that a model does not learn them by heart."""


def augment(images: Tensor, amount: Augmentation, generator: Generator) -> Tensor:
    """Rotate, scale, slant and shift each image `(count, size, size)` in its own way; what comes from outside is dark.

    (torchvision's `RandomAffine` changes all images of a batch alike, and takes no generator.)
    """
    count, size, _ = images.shape
    angle, scale, shear, right, down = (2 * torch.rand(5, count, generator=generator) - 1).unbind()
    angle = angle * math.radians(amount.rotation)
    scale = 1 / (1 + scale * amount.scale)  # affine_grid asks where a pixel comes from: the inverse
    cosine, sine, slant = angle.cos() * scale, angle.sin() * scale, shear * amount.shear
    shift_x, shift_y = right * amount.shift * 2 / size, down * amount.shift * 2 / size
    rows = (cosine, -sine + slant * cosine, shift_x), (sine, cosine + slant * sine, shift_y)
    maps = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=1)  # (count, 2, 3)
    grid = affine_grid(maps, [count, 1, size, size], align_corners=False)
    return grid_sample(images.unsqueeze(1), grid, align_corners=False).squeeze(1)


def ink_boxes(images: Tensor) -> Tensor:
    """The smallest box around the ink of each image `(count, height, width)`, all of it where there is no ink:
    `(count, 4)` integers."""
    lines = [(images > INK).any(dim=side).int() for side in (1, 2)]  # columns, then rows with ink
    first = [has_ink.argmax(dim=1) for has_ink in lines]
    last = [has_ink.shape[1] - has_ink.flip(1).argmax(dim=1) for has_ink in lines]
    return torch.stack(first + last, dim=1)


def paste(canvas: Tensor, patches: Tensor, corners: Tensor) -> None:
    """Lay a patch `(count, size, size)` on every canvas `(count, height, width)`, in place, its upper left corner at
    `(count, 2)` x, y; parts beyond the canvas are dropped, and where two overlap the brighter one shows."""
    (_, height, width), steps = canvas.shape, torch.arange(patches.shape[-1])
    columns, rows = corners[:, :1] + steps, corners[:, 1:] + steps  # (count, size) each
    inside = ((rows >= 0) & (rows < height)).unsqueeze(2) & ((columns >= 0) & (columns < width)).unsqueeze(1)
    places = rows.clamp(0, height - 1).unsqueeze(2) * width + columns.clamp(0, width - 1).unsqueeze(1)
    canvas.view(len(canvas), -1).scatter_reduce_(1, places.flatten(1), (patches * inside).flatten(1), "amax")
