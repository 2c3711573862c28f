"""The exercises of lesson 3, glimpses: the retina here, windows, policies and reading in the modules of these names."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_utils.mechanisms.vision import Retina
from course_utils.teaching.checks import policies, reading, windows
from course_utils.teaching.checks.slips import expect_untouched, recognise, same
from course_utils.teaching.exercises import Exercise, Mistake, expect, expect_close, expect_tensor


def retina(image: Tensor, x: float, y: float, size: int, scales: int) -> Tensor:
    """Look at one location of one picture with the course's retina."""
    return Retina(size, scales)(image.unsqueeze(0), torch.tensor([[x, y]], dtype=torch.float64))[0]


looking = Exercise("03.retina", "Look at a part of a picture", 2, 15, retina)
EXERCISES = [looking, *policies.EXERCISES, *reading.EXERCISES, *windows.EXERCISES]

NAMES = "(scales, channels, size, size)"


def square(image: Tensor, column: int, row: int, width: int, mode: str = "constant") -> Tensor:
    """Cut the square of `width` pixels around the corner (column, row); `mode` says what is outside the picture."""
    margin = 64 if mode == "constant" else 6  # a mirrored margin has to be narrower than the picture
    top, left = row + margin - width // 2, column + margin - width // 2
    framed = nn.functional.pad(image, (margin,) * 4, mode=mode)
    return framed[:, top : top + width, left : left + width]


def blocks(image: Tensor, size: int) -> Tensor:
    """Divide a picture into size x size blocks: `(channels, size, size, pixels of a block)`."""
    return image.unflatten(-1, (size, -1)).unflatten(-3, (size, -1)).transpose(-2, -3).flatten(-2)


def patches(image: Tensor, corners: list, size: int, mode: str = "constant") -> Tensor:
    """Look around one corner (column, row) for each scale, in the right way."""
    cuts = [square(image, *corner, size << k, mode) for k, corner in enumerate(corners)]
    return torch.stack([blocks(cut, size).mean(dim=-1) for cut in cuts])


def attempt(answer: Callable, hint: str, *arguments: object) -> object:
    """Call the answer; an error of shapes or indices becomes a `Mistake` with the hint that fits this behaviour."""
    try:
        return answer(*arguments)
    except NotImplementedError:
        raise
    except (RuntimeError, IndexError, ValueError) as error:
        raise Mistake(f"{hint} (Your code raised {type(error).__name__}: {error})") from error


@looking.behaviour("cuts the square whose middle is the location")
def _(answer):
    image = torch.rand(1, 16, 24)

    def at(column, row):
        return patches(image, [(round(column), round(row))], 4)

    middle = "x = 0 is the middle of the picture, not its left side: add one to x and y first."
    one = "The square lies a pixel away: it holds the rows from row - size/2 up to, but without, row + size/2."
    results = []
    for x, y in [(0.5, -0.5), (0.25, 0.5), (-0.5, -0.25)]:  # some slips show at one of them only
        column, row = (x + 1) * 12, (y + 1) * 8
        right = at(column, row)
        slips = [
            (
                "x and y are swapped: x tells the column, and y the row, which is the first of the two axes.",
                at((y + 1) * 12, (x + 1) * 8),
            ),
            ("y points down: y = -1 is the top row, as in the tensor. Do not turn it round.", at(column, (1 - y) * 8)),
            ("Height and width are swapped: x spans the width, y the height.", at((x + 1) * 8, (y + 1) * 12)),
            (
                "The location is the middle of the square, not its upper left corner: begin size/2 before it.",
                at(column + 2, row + 2),
            ),
            ("The location is the middle of the square, not its lower right corner.", at(column - 2, row - 2)),
            (
                "A pixel too far to the left. Did you scale by width - 1? -1 and 1 are the outer corners of the "
                "picture, not the middles of its outer pixels: column = (x + 1)/2 · width.",
                at(column - 1, row),
            ),
            *[(one, at(column + i, row + j)) for i, j in [(-1, -1), (1, 1), (1, 0), (0, -1), (0, 1)]],
            (
                "A location runs from -1 to 1, two units wide: halve x + 1 before you multiply by the width.",
                at((x + 1) * 24, (y + 1) * 16),
            ),
            (middle, at(x * 12, y * 8)),
            (middle, at(x * 24, y * 16)),
            (
                "The first patch covers size · 2^0 = size pixels; yours covers twice that.",
                blocks(square(image, int(column), int(row), 8), 4).mean(dim=-1).unsqueeze(0),
            ),
            ("The patch is transposed: rows come before columns.", right.transpose(-1, -2)),
            ("The patch stands on its head: its first row is the upper one.", right.flip(-2)),
            ("The patch is mirrored: its first column is the left one.", right.flip(-1)),
        ]
        result = answer(image.clone(), x, y, 4, 1)
        recognise(result, *[(hint, slip) for hint, slip in slips if bool(slip.any()) and not same(slip, right)])
        results.append((result, right))
    hint = "Wrong pixels. Column (x + 1)/2 · width and row (y + 1)/2 · height are the middle of the square."
    for result, right in results:
        expect_close(result, right, hint, NAMES)


@looking.behaviour("takes the nearest corner between pixels")
def _(answer):
    image = torch.rand(1, 10, 10)
    for x, y, column, row in [(0.14, 0.04, 6, 5), (-0.16, -0.04, 4, 5)]:
        result = answer(image.clone(), x, y, 4, 1)
        exact = [(x + 1) * 5, (y + 1) * 5]
        down, up = [int(value) for value in exact], [int(value) + 1 for value in exact]
        place = f"({exact[0]:.1f}, {exact[1]:.1f}) pixels is nearest to the corner ({column}, {row})"
        recognise(
            result,
            (f"You always round down: {place}.", patches(image, [down], 4)),
            (f"You always round up: {place}.", patches(image, [up], 4)),
        )
        hint = f"{place}. Round once, before you subtract size/2."
        expect_close(result, patches(image, [(column, row)], 4), hint, NAMES)


@looking.behaviour("sees twice as far with each patch, and averages it down to the same size")
def _(answer):
    image, size, corner = torch.rand(1, 20, 24), 4, (15, 10)  # x = 0.25, y = 0; all three squares are inside
    stack = "Each wider square has more pixels: average it down to size x size before you stack the patches."
    result = attempt(answer, stack, image.clone(), 0.25, 0.0, size, 3)
    expect(not isinstance(result, list | tuple), "Return one tensor: torch.stack puts the list of patches together.")
    right = patches(image, [corner] * 3, size)
    cuts = [square(image, *corner, size << k) for k in range(3)]
    divided = [blocks(cut, size) for cut in cuts]

    def interpolated(mode):
        return torch.stack([nn.functional.interpolate(cut[None], (size, size), mode=mode)[0] for cut in cuts])

    def widths(*factors):
        return torch.stack([blocks(square(image, *corner, size * f), size).mean(-1) for f in factors])

    not_middle = "All squares have the location in their middle; yours share their upper left corner."
    near = "You kept one pixel of each block: take the mean of all of them, or thin strokes get lost."
    recognise(
        result,
        ("You kept the brightest pixel of each block: take the mean.", torch.stack([b.amax(-1) for b in divided])),
        ("You added the pixels of each block up: take the mean.", torch.stack([b.sum(-1) for b in divided])),
        (near, torch.stack([b[..., 0] for b in divided])),
        (near, interpolated("nearest-exact")),
        (
            "Bilinear interpolation looks at the four middle pixels of each block only; the mean looks at all of them.",
            interpolated("bilinear"),
        ),
        ("The sharp patch comes first, the widest last.", right.flip(0)),
        ("Every patch covers the same square: patch k covers one of size · 2^k pixels.", widths(1, 1, 1)),
        ("The widths double, size · 2^k: 1, 2, 4. Yours grow by one size each: 1, 2, 3.", widths(1, 2, 3)),
        ("The widths double, size · 2^k; yours grow fourfold.", widths(1, 4, 16)),
        ("The first patch covers size · 2^0 = size pixels; yours covers twice that.", widths(2, 4, 8)),
        ("Scales come before channels: stack along dimension 0.", right.transpose(0, 1)),
        (not_middle, patches(image, [(15, 10), (17, 12), (21, 16)], size)),
        (
            "The square is as wide as it should be, but the patch shows its middle only: average it down.",
            right[:1].repeat(3, 1, 1, 1),
        ),
    )
    expect_tensor(result, (3, 1, 4, 4), NAMES)
    for k in range(3):
        hint = f"Patch {k} is wrong: it covers {size << k} x {size << k} pixels, each entry the mean of {4**k} of them."
        expect_close(result[k], right[k], hint, "(channels, size, size)")


@looking.behaviour("is dark outside the picture")
def _(answer):
    image, size = torch.rand(1, 8, 10) + 0.5, 4
    pad = "Here the square sticks out of the picture: put a margin of zeros around it first (nn.functional.pad)."
    for x, y, column, row in [(-1.0, -1.0, 0, 0), (1.0, 1.0, 10, 8), (0.8, -0.75, 9, 1)]:
        result = attempt(answer, pad, image.clone(), x, y, size, 2)
        corners, right = [(column, row)] * 2, patches(image, [(column, row)] * 2, size)
        halves = [size // 2, size]
        moved = [(min(max(column, half), 10 - half), min(max(row, half), 8 - half)) for half in halves]
        real = patches(torch.ones_like(image), corners, size)  # share of each entry that is inside
        cut_through = bool(((real > 0) & (real < 1)).any())
        recognise(
            result,
            (
                "You moved the square back into the picture; it stays, and what is outside is 0.",
                patches(image, moved, 4),
            ),
            ("Outside you repeat the border's pixels: the margin is 0.", patches(image, corners, size, "replicate")),
            ("Outside you mirror the picture: the margin is 0.", patches(image, corners, size, "reflect")),
            ("The picture wraps around to its other side: the margin is 0.", patches(image, corners, size, "circular")),
            *[("Zeros of the margin count in the mean, too: divide by all pixels.", (right / real).nan_to_num())]
            * cut_through,
        )
        if isinstance(result, Tensor):
            expect(tuple(result.shape) == (2, 1, 4, 4), f"The result has shape {tuple(result.shape)}. {pad}")
        hint = f"Wrong at ({x:g}, {y:g}), the corner ({column}, {row}): pixels outside are 0, the others stay."
        expect_close(result, right, hint, NAMES)


@looking.behaviour("works for any size, any number of scales and colours")
def _(answer):
    for shape, size, scales, x, y, corner in [
        ((3, 9, 17), 2, 2, 0.3, -0.6, (11, 2)),
        ((2, 30, 7), 6, 1, -0.4, 0.88, (2, 28)),
        ((3, 16, 12), 2, 4, -0.7, 0.1, (2, 9)),
    ]:
        image = torch.rand(shape)
        where = f"for {scales} patch(es) of {size} x {size} pixels from a picture of shape {shape}"
        result = attempt(answer, f"Your function fails {where}.", image.clone(), x, y, size, scales)
        right = patches(image, [corner] * scales, size)
        recognise(
            result,
            ("Scales come before channels: stack along dimension 0.", right.transpose(0, 1)),
            ("Keep the colours apart: you took their mean.", right.mean(dim=1, keepdim=True)),
            ("Keep the colours apart: you took their mean.", right.mean(dim=1)),
            ("Keep the colours apart: you took the first one only.", right[:, :1]),
            ("Keep the colours apart: you took the first one only.", right[:, 0]),
        )
        expect_close(result, right, f"Wrong {where}.", NAMES)


@looking.behaviour("leaves the picture as it was")
def _(answer):
    expect_untouched(answer, torch.rand(1, 8, 8), 0.5, -0.25, 4, 2)


@looking.own_data
def _(generator):
    x, y = (1.4 * torch.rand(2, generator=generator) - 0.7).tolist()
    return torch.rand(1, 24, 24, generator=generator), x, y, 4, 2
