"""Lesson 3: cut patches of doubling width around a location."""

import math
from functools import partial

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, sizes
from course_utils.mechanisms.vision import Retina


def retina_patches(image: Tensor, x: float, y: float, size: int, scales: int) -> Tensor:
    """Take one glimpse at one image with the course's retina (Mnih et al. 2014, section 3.1)."""
    return Retina(size, scales)(image.unsqueeze(0), torch.tensor([[x, y]], dtype=torch.float64))[0]


def sample(generator: torch.Generator, channels=3, height=18, width=26, size=4, scales=2) -> tuple:
    """Make an image of any numbers, some of them zero, and a location that may be near the border."""
    image = 3 * torch.randn(channels, height, width, generator=generator)
    x, y = (1.9 * torch.rand(2, generator=generator) - 0.95).tolist()
    return image * (image.abs() > 1), x, y, size, scales


def _pixels(unit: float, length: int) -> int:
    return round((unit + 1) / 2 * length)


def _glimpse(image, x, y, size, scales, place=_pixels, begin=None, outside=None, width=int.__lshift__, pool=None):
    """Take a glimpse whose last arguments say what is different from a right one.

    Args: place(x or y, length) -> middle; begin(middle, side, length, size) -> first index;
    outside(indices, length) -> indices, instead of zeros; width(size, k) -> side; pool(square, size) -> patch.
    """
    patches = []
    for k in range(scales):
        square, side = image, width(size, k)
        for dim, unit in ((1, y), (2, x)):
            length = image.shape[dim]
            middle = place(unit, length)
            indices = (begin(middle, side, length, size) if begin else middle - side // 2) + torch.arange(side)
            square = square.index_select(dim, outside(indices, length) if outside else indices.clamp(0, length - 1))
            inside = (indices >= 0) & (indices < length) | (outside is not None)
            square = square * inside.reshape(-1, *[1] * (2 - dim))
        patches.append((pool or nn.functional.adaptive_avg_pool2d)(square, size))
    return torch.stack(patches)


def _other(**how) -> partial:
    return partial(_glimpse, **how)


def _each(change):
    """Make an answer that shrinks by change(blocks (channels, size, size, pixels of a block))."""

    def pool(square, size):
        return change(square.unflatten(2, (size, -1)).unflatten(1, (size, -1)).transpose(2, 3).flatten(3))

    return _other(pool=pool)


def _resized(mode):
    return _other(pool=lambda square, size: nn.functional.interpolate(square[None], (size, size), mode=mode)[0])


def _turned(image, x, y, *others):
    ratio = image.shape[1] / image.shape[2]
    return _glimpse(image, (x + 1) * ratio - 1, (y + 1) / ratio - 1, *others)


def _shifted(columns, rows):
    return lambda i, x, y, *a: _glimpse(i, x + 2 * columns / i.shape[2], y + 2 * rows / i.shape[1], *a)


def _without_margin(image, x, y, size, scales):
    column, row = _pixels(x, image.shape[2]), _pixels(y, image.shape[1])
    cuts = [image[:, row - h : row + h, column - h : column + h] for h in [(size << k) // 2 for k in range(scales)]]
    return torch.stack([nn.functional.avg_pool2d(cut, 2**k) for k, cut in enumerate(cuts)])


_then = changing(retina_patches)
IMAGE = torch.arange(1.0, 25).reshape(1, 4, 6)
MIDDLE = "x = 0 is the middle of the image, not its left border: add one to x and y first."
OFF = "The square lies a pixel away: it holds the rows from row − size/2 up to, but without, row + size/2."
CORNER = "The location is the middle of the square, not its {} corner."
BLOCK = "You kept one pixel of each block: take the mean of all of them, or thin strokes get lost."
FIRST = "The first patch covers size pixels each way; yours covers twice that."
MARGIN = "Here the square extends beyond the image: put a margin of zeros around it first (nn.functional.pad)."
GROWS, WHITE = "Which index moves when x grows?", "Put one white pixel at the middle: where is it in your patch?"
COLOURS = "Keep the channels apart: you took their mean."

EXERCISE = Exercise(
    Task("03.retina", "Cut out a glimpse", 2, 15, "(scales, channels, size, size)"),
    retina_patches,
    sample,
    cases=[
        Case("The location is the middle of the square: here column 4, row 1.", (IMAGE, 0.3, -0.4, 2, 1)),
        Case("Column and row are rounded to the nearest number, here down, to 3 and 2.", (IMAGE, 0.1, 0.2, 2, 1)),
        Case("Here they are rounded up, to 2 and 3.", (IMAGE, -0.4, 0.3, 2, 1)),
        Case("Patch k covers size · 2^k pixels each way, averaged to size x size.", (IMAGE, 0.0, 0.0, 2, 2)),
        Case("Outside the image it is 0: here three quarters, at the upper left corner.", (IMAGE, -1.0, -1.0, 2, 2)),
        Case("At the lower right corner, too.", lambda: (sample(torch.Generator(), 1, 60, 300)[0], 1.0, 1.0, 4, 2)),
        Case("An entry that is partly outside is a mean over zeros, too.", (IMAGE + 2, 0.7, -0.6, 2, 2)),
        Case("Wide squares, inside the image.", lambda: (sample(torch.Generator())[0], 0.23, -0.1, 4, 3)),
        Case("Several channels stay apart.", {}),
        Case("Channels, scales and size may be equal.", dict(channels=2, size=2, height=12, width=12)),
    ],
    demands=[
        sizes(channels=2, height=30, width=7, size=6, scales=1),
        sizes(channels=1, size=2, scales=5),
        sizes(channels=1, height=9, width=7, size=32),
        sizes(channels=1, height=60, width=300, size=12, scales=3),
    ],
    mistakes=[
        Mistake("x and y are swapped: y is the row, it comes first.", lambda i, x, y, *a: _glimpse(i, y, x, *a), GROWS),
        Mistake("y points down: y = −1 is the first row.", lambda i, x, y, *a: _glimpse(i, x, -y, *a)),
        Mistake("Height and width are swapped: x spans the width, y the height.", _turned),
        Mistake(CORNER.format("upper left"), _other(begin=lambda middle, side, length, size: middle), ask=WHITE),
        Mistake(CORNER.format("upper left"), _other(begin=lambda m, side, n, size: m - side // 2 + size // 2)),
        Mistake(CORNER.format("lower right"), _other(begin=lambda middle, side, length, size: middle - side)),
        Mistake("Scale by the width: 1 is the outer border.", _other(place=lambda u, n: _pixels(u, n - 1))),
        Mistake("Round to the nearest number, not down.", _other(place=lambda u, n: int((u + 1) / 2 * n))),
        Mistake("Round to the nearest number, not up.", _other(place=lambda u, n: math.ceil((u + 1) / 2 * n))),
        Mistake("Halve x + 1 before you multiply by the width.", _other(place=lambda u, n: round((u + 1) * n))),
        *[Mistake(MIDDLE, _other(place=lambda u, n, scale=scale: round(u * scale * n))) for scale in (0.5, 1)],
        *[Mistake(OFF, _shifted(i, j)) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j],
        Mistake("The patch is transposed: rows come before columns.", _then(lambda patches: patches.transpose(-1, -2))),
        Mistake("The patch is upside down: its first row is the upper one.", _then(lambda patches: patches.flip(-2))),
        Mistake("The patch is mirrored: its first column is the left one.", _then(lambda patches: patches.flip(-1))),
        Mistake("Average every square down to size x size before you stack.", _other(pool=lambda square, _: square)),
        Mistake("You kept the largest pixel of each block: take the mean.", _each(lambda blocks: blocks.amax(-1))),
        Mistake("You added the pixels of each block up: take the mean.", _each(lambda blocks: blocks.sum(-1))),
        *[Mistake(BLOCK, keep) for keep in (_each(lambda blocks: blocks[..., 0]), _resized("nearest-exact"))],
        Mistake("Bilinear interpolation uses four pixels of a block; the mean uses all.", _resized("bilinear")),
        Mistake("Widths double: 1, 2, 4 times size. Yours are 1, 2, 3.", _other(width=lambda size, k: size * (k + 1))),
        Mistake("Widths double: 1, 2, 4 times size. Yours are 1, 4, 16.", _other(width=lambda size, k: size * 4**k)),
        Mistake(FIRST, _other(width=lambda size, k: size * 2 ** (k + 1))),
        Mistake("Patch k covers size · 2^k pixels each way; yours covers size.", _other(width=lambda size, _: size)),
        Mistake("All squares have the same middle, not corner.", _other(begin=lambda m, s, n, size: m - size // 2)),
        Mistake("The sharpest patch comes first, the widest last.", _then(lambda patches: patches.flip(0))),
        Mistake(
            "Scales come before channels: stack along dimension 0.", _then(lambda patches: patches.transpose(0, 1))
        ),
        Mistake(MARGIN, _without_margin, ask="What should a glimpse beyond the border show?"),
        Mistake("Do not move the square inside.", _other(begin=lambda m, s, n, _: max(0, min(m - s // 2, n - s)))),
        Mistake("Outside is 0; you repeat the border.", _other(outside=lambda i, n: i.clamp(0, n - 1))),
        Mistake("Outside is 0; the image wraps around to its other side.", _other(outside=lambda i, n: i % n)),
        Mistake("Outside is 0, no mirror.", _other(outside=lambda i, n: n - 1 - (i % (2 * n - 2) - n + 1).abs())),
        Mistake(
            "Zeros of the margin count in the mean: divide by all pixels.",
            lambda i, *n: (retina_patches(i, *n) / retina_patches(torch.ones_like(i), *n)).nan_to_num(),
        ),
        Mistake("All patches are 0: nothing was written into them.", _then(torch.zeros_like)),
        Mistake(COLOURS, _then(lambda patches: patches.mean(1, keepdim=True))),
        Mistake("Keep the channels apart: you took the first one only.", _then(lambda patches: patches[:, :1])),
    ],
    right=[
        lambda i, *a: torch.from_numpy(_glimpse(torch.tensor(i.numpy()), *a).numpy()),
        _each(lambda b: b.mean(-1)),
        _resized("area"),
    ],
)
