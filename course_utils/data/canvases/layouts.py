"""Rows of digits that stand as on SVHN's photographs of house numbers: where, and how digits are stretched to fit."""

import math
from operator import itemgetter

import torch
from torch import Generator, Tensor

from course_utils.data.canvases.parts import NO_DIGIT
from course_utils.data.real import is_staged, load_real
from course_utils.data.real_sets import SPLITS

_LOOSEST, _TIGHTEST = 1.6, 1.15  # the canvas is this much larger than the number, at most and at least


def load_layouts(split: str = "train", longest: int = 3) -> Tensor:
    """Load where the digits of real house numbers are: SVHN's boxes, from `svhn_layouts` where staged, else `svhn`.

    Photographs with more than `longest` digits are left out. The last tenth of the training photographs is the
    validation split.

    Returns:
        `(count, longest, 4)` floats: the box of every digit from left to right, in the photograph's pixels; -1 where a
        number has fewer digits.

    Raises:
        ValueError: if `split` is none of "train", "validation" and "test".
        RealDataError: see `real.load_real`.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(SPLITS)}.")
    name = "svhn_layouts" if is_staged("svhn_layouts") else "svhn"
    photographs = load_real(name, "test" if split == "test" else "train", columns=["digits"])["digits"][:]
    numbers = [sorted(digits["bbox"], key=itemgetter(0)) for digits in photographs]  # x, y, width, height of each
    missing = [[NO_DIGIT, NO_DIGIT, 0, 0]]
    padded = [boxes + missing * (longest - len(boxes)) for boxes in numbers if 1 <= len(boxes) <= longest]
    layouts = torch.tensor(padded, dtype=torch.float32).view(-1, longest, 4)
    layouts[..., 2:] += layouts[..., :2]
    end = len(layouts) * 9 // 10
    return {"train": layouts[:end], "validation": layouts[end:], "test": layouts}[split]


def pick_layouts(layouts: Tensor, most: int, count: int, generator: Generator) -> Tensor:
    """Sample rows of boxes, padded to `most` digits: `(count, most, 4)`. A ValueError says that none fits."""
    if layouts.dim() != 3 or layouts.shape[-1] != 4 or layouts.shape[1] > most:
        raise ValueError(
            f"layouts has shape {tuple(layouts.shape)}; expected (layouts, up to most_digits = {most}, 4). "
            "Load it with load_layouts(split, longest=most_digits)."
        )
    rows = layouts[torch.randint(len(layouts), (count,), generator=generator)]
    return torch.nn.functional.pad(rows, (0, 0, 0, most - rows.shape[1]), value=NO_DIGIT)


def fill_layouts(
    images: Tensor, digits: Tensor, ink: Tensor, rows: Tensor, present: Tensor, generator: Generator
) -> Tensor:
    """Crop layouts around their numbers, scale the crops to empty canvases, and stretch digits to their boxes.

    The canvases are `(count, height, width)`, the digits `(count, most, size, size)` with the ink `(count, most, 4)`,
    the layouts `(count, most, 4)` in their photographs' pixels. Where `present` `(count, most)` is False, nothing is
    drawn. Returns the boxes on the canvases, `(count, most, 4)` integers.
    """
    boxes = _crop(rows, present, images.shape[1:], generator)
    for k in range(digits.shape[1]):
        torch.maximum(images, _stretch(digits[:, k], ink[:, k], boxes[:, k], images.shape[1:]), out=images)
    return boxes


def _crop(rows: Tensor, present: Tensor, shape: torch.Size, generator: Generator) -> Tensor:
    """Crop each layout with some room around its number, and scale it to (height, width): integers, two apart."""
    absent = ~present.unsqueeze(-1)
    low = rows[..., :2].masked_fill(absent, math.inf).amin(dim=1)  # (count, 2): left, top of the number
    high = rows[..., 2:].masked_fill(absent, -math.inf).amax(dim=1)
    uniform = torch.rand(2, len(rows), 2, generator=generator)
    size = torch.tensor(shape).flip(0)  # width, height
    factor = _TIGHTEST + (_LOOSEST - _TIGHTEST) * uniform[0, :, :1]
    room = ((high - low) * factor / size).amax(dim=1, keepdim=True) * size  # of the canvas's shape: no distortion
    origin = low - (room - (high - low)) * uniform[1]
    starts = ((rows[..., :2] - origin.unsqueeze(1)) / room.unsqueeze(1) * size).floor()
    ends = ((rows[..., 2:] - origin.unsqueeze(1)) / room.unsqueeze(1) * size).ceil()
    starts = torch.minimum(starts.clamp(min=0), (size - 2).to(starts))
    ends = torch.maximum(torch.minimum(ends, size.to(ends)), starts + 2)
    return torch.cat([starts, ends], dim=-1).long()


def _stretch(digits: Tensor, ink: Tensor, boxes: Tensor, shape: torch.Size) -> Tensor:
    """Stretch the ink of images to boxes on empty canvases, by two matrix products, one for rows and one for columns,
    whose weights interpolate linearly when the ink grows and average when it shrinks."""

    def weights(side: int) -> Tensor:  # 0 = columns, 1 = rows; (count, pixels of the canvas, size)
        ink_start, ink_end, start, end = (
            edge.view(-1, 1, 1) for edge in (ink[:, side], ink[:, side + 2], boxes[:, side], boxes[:, side + 2])
        )
        start, end = start.clamp(min=0), torch.maximum(end, start + 1)  # absent digits: any box will do
        ratio = (ink_end - ink_start) / (end - start)
        pixels = torch.arange(shape[1 - side]).view(1, -1, 1) + 0.5
        source = ink_start + (pixels - start) * ratio
        distance = (source - (torch.arange(digits.shape[-1]) + 0.5)).abs()
        hats = (1 - distance / ratio.clamp(min=1)).clamp(min=0)
        return hats / hats.sum(dim=-1, keepdim=True).clamp(min=1e-6) * ((pixels > start) & (pixels < end))

    return weights(1) @ digits @ weights(0).transpose(1, 2)
