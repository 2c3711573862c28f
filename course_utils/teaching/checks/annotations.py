"""The exercise of lesson 4 on the cells that a captioner looks at; `lesson_04.py` lists it."""

import torch
from torch import Tensor

from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close


def middles(length: int) -> Tensor:
    """Divide the way from -1 to 1 into `length` cells and return their middles."""
    return (2 * torch.arange(length) + 1) / length - 1


def cells_with_coordinates(feature_map: Tensor) -> Tensor:
    """List the cells of each map row by row, each with its middle (x, y) behind its numbers.

    Source: the annotations are those of Xu et al. 2015, arXiv 1502.03044, section 3.1.1; the coordinates are ours.

    Args:
        feature_map: `(batch, channels, rows, columns)`.

    Returns:
        `(batch, rows * columns, channels + 2)`; x and y from -1 to 1, y points down.
    """
    batch, _, rows, columns = feature_map.shape
    y, x = torch.meshgrid(middles(rows), middles(columns), indexing="ij")
    places = torch.stack([x, y]).to(feature_map).expand(batch, -1, -1, -1)
    return torch.cat([feature_map, places], dim=1).flatten(2).transpose(1, 2)


listing = Exercise("04.cells-with-coordinates", "List the cells and say where each is", 2, 10, cells_with_coordinates)
EXERCISES = [listing]

CELLS = "(batch, rows * columns, channels + 2)"


def expect_layout(result: object, feature_map: Tensor) -> Tensor:
    """Insist on the shape, with a hint for every other order of the same axes."""
    batch, channels, rows, columns = feature_map.shape
    cells, size = rows * columns, channels + 2
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    expect(isinstance(result, Tensor), f"Return a torch tensor; yours is a {type(result).__name__}.")
    hints = {
        (batch, size, cells): "The cells come second, their numbers last: transpose(1, 2) after flattening.",
        (batch, size, rows, columns): "Rows and columns are still two axes: flatten them, and put the numbers last.",
        (batch, rows, columns, size): "Rows and columns are still two axes: flatten them into one.",
        (batch, cells, channels): "The coordinates are missing: append x and y to each cell.",
        (batch, cells, 2): "These are the coordinates alone: append them to the numbers of the map.",
        (batch, cells, channels + 1): "One coordinate is missing: append both x and y.",
        (batch, channels, cells + 2): "You appended along the cells: the coordinates are two more channels.",
        (cells, size): "The batch is gone: each picture keeps its own cells.",
        (batch * cells, size): "The batch was flattened into the cells: keep it as the first axis.",
    }
    shape = tuple(result.shape)
    right = (batch, cells, size)
    fallback = f"The result has shape {shape}; expected {right}, that is {CELLS}."
    expect(shape == right, hints.get(shape, fallback))
    return result


@listing.behaviour("lists the cells row by row, the numbers of each side by side")
def _(answer):
    feature_map = torch.randn(2, 5, 3, 4)
    result = expect_layout(answer(feature_map.clone()), feature_map)
    batch, channels, rows, columns = feature_map.shape
    cells = rows * columns
    numbers = feature_map.flatten(2).transpose(1, 2)  # (batch, cells, channels)
    scrambled = "Reshaping mixes cells and channels: flatten rows and columns first, then transpose(1, 2)."
    recognise(result[..., 2:], ("The coordinates come behind the channels, not before them.", numbers))
    whole = cells_with_coordinates(feature_map).transpose(1, 2)
    recognise(result, (scrambled, whole.reshape(batch, cells, channels + 2)))
    recognise(
        result[..., :channels],
        (
            "The cells are listed column by column: the second one lies to the right of the first, in the same row.",
            feature_map.transpose(2, 3).flatten(2).transpose(1, 2),
        ),
        (scrambled, feature_map.reshape(batch, cells, channels)),
        (scrambled, feature_map.transpose(1, 2).reshape(batch, cells, channels)),
        (scrambled, feature_map.movedim(1, 2).reshape(batch, cells, channels)),
        ("The rows are listed from bottom to top: row 0 is the upper one.", feature_map.flip(2).flatten(2).mT),
        ("Each row is listed from right to left: column 0 is the left one.", feature_map.flip(3).flatten(2).mT),
        ("The channels are in another order: keep them as they are.", numbers.flip(2)),
        ("All pictures have the cells of the first one.", numbers[:1].expand_as(numbers)),
    )
    hint = "The first numbers of cell k are feature_map[:, :, k // columns, k % columns]."
    expect_close(result[..., :channels], numbers, hint, CELLS)


def place(x: Tensor, y: Tensor) -> Tensor:
    """List (x, y) of all cells, row by row: `(cells, 2)`."""
    return torch.stack([x.repeat(len(y)), y.repeat_interleave(len(x))], dim=1)


@listing.behaviour("appends the middle of each cell, x and then y")
def _(answer):
    rows, columns = 3, 4
    feature_map = torch.randn(2, 2, rows, columns)
    result = expect_layout(answer(feature_map.clone()), feature_map)[0, :, 2:]
    x, y, c, r = middles(columns), middles(rows), torch.arange(4.0), torch.arange(3.0)
    swapped = "x and y are swapped: x, which grows along the columns, comes first."
    ends = "linspace(-1, 1, n) puts the outer cells on the picture's edge: the middle of the first of n is at 1/n - 1."
    per_axis = "Divide x by the number of columns and y by the number of rows."
    scale = "Coordinates go from -1 to 1 across the picture:"
    slips = [
        (swapped, place(x, y).flip(1)),
        ("y points down: the upper row has the y nearest to -1.", place(x, -y)),
        ("x points right: the left column has the x nearest to -1.", place(-x, y)),
        (ends, place(torch.linspace(-1, 1, columns), torch.linspace(-1, 1, rows))),
        ("This is the corner of each cell, its upper left one: go half a cell on.", place(x - 1 / 4, y - 1 / 3)),
        ("This is the corner of each cell, its lower right one: go half a cell back.", place(x + 1 / 4, y + 1 / 3)),
        (f"{scale} yours go from 0 to 1. Double them and subtract one.", place((x + 1) / 2, (y + 1) / 2)),
        (f"{scale} yours go from 0 to 1, corner by corner.", place(c / 4, r / 3)),
        (f"{scale} yours go from 0 to 1, edge to edge.", place(c / 3, r / 2)),
        (f"{scale} yours go from -0.5 to 0.5. Double them.", place(x / 2, y / 2)),
        (f"{scale} yours go from 0 to 2. Subtract one.", place(x + 1, y + 1)),
        (f"{scale} yours count cells.", place(c, r)),
        (f"{scale} yours count cells.", place(c + 0.5, r + 0.5)),
        (f"{scale} yours count cells.", place(c + 1, r + 1)),
        (per_axis, place((2 * c + 1) / 3 - 1, (2 * r + 1) / 4 - 1)),
        (per_axis, place((2 * c + 1) / 4 - 1, (2 * r + 1) / 4 - 1)),
        (per_axis, place((2 * c + 1) / 3 - 1, (2 * r + 1) / 3 - 1)),
        (per_axis, place((2 * c + 1) / 12 - 1, (2 * r + 1) / 12 - 1)),
    ]
    by_column = "The places are listed column by column, and the cells row by row: use one order for both."
    down = torch.stack([x.repeat_interleave(rows), y.repeat(columns)], dim=1)
    recognise(result, *slips, (by_column, down), (by_column, down.flip(1)))
    hint = "Column c of n has x = (2c + 1)/n - 1, row r of m has y = (2r + 1)/m - 1, counted from 0."
    expect_close(result, place(x, y), hint, "(cells, 2)")


@listing.behaviour("works for other sizes, and for a single row, column or cell")
def _(answer):
    for shape in [(3, 4, 4, 4), (1, 3, 2, 7), (2, 1, 5, 1), (4, 2, 1, 3), (1, 1, 1, 1)]:
        feature_map = torch.randn(shape)
        result = expect_layout(answer(feature_map.clone()), feature_map)
        right = cells_with_coordinates(feature_map)
        if 1 in shape[2:]:
            hint = "A single row or column has its middle at 0; linspace(-1, 1, 1) gives -1."
            lengths = shape[3], shape[2]
            ends = [torch.linspace(-1, 1, n) for n in lengths]
            single = [torch.linspace(-1, 1, n) if n == 1 else middles(n) for n in lengths]
            recognise(result[0, :, shape[1] :], (hint, place(*ends)), (hint, place(*single)))
        hint = f"Wrong for a map of shape {shape}: do sizes come from the map, and does every picture get the places?"
        expect_close(result, right, hint, CELLS)


@listing.behaviour("keeps the map's precision")
def _(answer):
    for dtype in (torch.float64, torch.float32):
        feature_map = torch.randn(2, 2, 2, 3, dtype=dtype)
        result = expect_layout(answer(feature_map.clone()), feature_map)
        hint = f"A map of {dtype} came back as {result.dtype}: make the places as the map is, .to(feature_map)."
        expect(result.dtype == dtype, hint)


@listing.behaviour("lets the gradient reach the map")
def _(answer):
    expect_gradients(answer, cells_with_coordinates, feature_map=torch.randn(2, 3, 2, 3))


@listing.behaviour("leaves the map as it was")
def _(answer):
    expect_untouched(answer, torch.randn(2, 3, 2, 2))


@listing.own_data
def _(generator):
    rows, columns = torch.randint(2, 7, (2,), generator=generator).tolist()
    return (torch.randn(3, 2, rows, columns, generator=generator),)
