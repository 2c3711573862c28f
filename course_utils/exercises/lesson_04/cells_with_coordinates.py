"""Lesson 4: list the cells of a feature map, each with its place in the image."""

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, dtypes, sizes

MAP = torch.tensor([[[[1.5, 2.0, 0.0], [4.0, 5.0, 6.0]], [[10.0, 20.0, 30.0], [40.0, 50.5, 60.0]]]])


def cells_with_coordinates(feature_map: Tensor) -> Tensor:
    """List the cells of (batch, channels, rows, columns) row by row, each with its middle (x, y) behind its numbers.

    x and y go from -1 to 1 across the image; y points down. Returns (batch, rows * columns, channels + 2). Source: the
    annotations are those of Xu et al. 2015, arXiv 1502.03044, section 3.1.1; the coordinates are ours.
    """
    return _by_rows(feature_map, _places(feature_map))


def _centres(length: int, start=0.5) -> Tensor:
    return 2 * (torch.arange(length) + start) / length - 1


def _places(feature_map: Tensor, axis=_centres) -> Tensor:
    rows, columns = feature_map.shape[2:]
    both = torch.stack([axis(columns).expand(rows, columns), axis(rows).expand(columns, rows).T])
    return both.to(feature_map).expand(len(feature_map), -1, -1, -1)


def _by_rows(*grids: Tensor) -> Tensor:
    return torch.cat(grids, dim=1).flatten(2).transpose(1, 2)


def sample(generator: torch.Generator, batch=2, channels=3, rows=4, columns=5) -> tuple[Tensor]:
    """Make a feature map: by default no two sizes are equal, and some numbers are zero."""
    values = 3 * torch.randn(batch, channels, rows, columns, generator=generator)
    return (torch.where(values.abs() < 1, 0.0, values),)


def _axis(hint, *axes):
    return [Mistake(hint, lambda f, axis=axis: _by_rows(f, _places(f, axis)), MIDDLE) for axis in axes]


def _layout(hint, combine, ask=""):
    return Mistake(hint, lambda f: combine(f, _places(f)), ask)


def _by_affine_grid(feature_map):
    theta = torch.eye(2, 3).to(feature_map).expand(len(feature_map), 2, 3)
    grid = nn.functional.affine_grid(theta, feature_map.shape, align_corners=False)
    return torch.cat([feature_map.permute(0, 2, 3, 1), grid], dim=-1).flatten(1, 2)


def _by_index(feature_map):
    rows, columns = feature_map.shape[2:]
    cell = torch.arange(rows * columns)
    xy = torch.stack([(cell % columns + 0.5) / columns, (cell // columns + 0.5) / rows], 1).mul(2).sub(1)
    return torch.cat((feature_map.flatten(2).mT, xy.type_as(feature_map).repeat(len(feature_map), 1, 1)), dim=2)


ORDER = "Go row by row with numbers and coordinates alike: the second cell lies to the right of the first."
MIXED = "Reshaping mixes cells and channels: flatten rows and columns, then exchange the axes, transpose(1, 2)."
ENDS = "linspace(-1, 1, n) puts the outer cells on the edge: the middle of the first of n cells is at 1/n - 1."
CORNER = "This is a corner of each cell: its middle is half a cell further in."
SCALE = "Coordinates go from -1 to 1 across the image: double the middle, (c + 0.5) / columns, and subtract one."
PER_AXIS = "Divide x by the number of columns and y by the number of rows."
WHERE = "Cell number 1: is it right of cell 0, or under it?"
MIDDLE = "How far is the middle of the first cell from the image's edge?"
MIXING = "Fill channel 0 with zeros and channel 1 with ones: what should every row of the list be?"

EXERCISE = Exercise(
    Task(
        "04.cells-with-coordinates",
        "List the cells and say where each is",
        2,
        10,
        "(batch, rows * columns, channels + 2)",
    ),
    cells_with_coordinates,
    sample,
    cases=[
        Case("Cells are listed row by row: the numbers of each, then its x, then its y.", (MAP,)),
        Case("Each map keeps its own cells; all sizes may be equal.", dict(batch=3, channels=3, rows=3, columns=3)),
        Case("A single row has its middle at 0.", dict(rows=1)),
        Case("A single column has its middle at 0.", dict(columns=1)),
        Case("Maps and their numbers may be large.", lambda: (1e30 * sample(torch.Generator(), 2, 3, 41, 70)[0],)),
    ],
    demands=[
        sizes(batch=1, rows=1, columns=1),
        # The middles of 2 and of 4 cells are exact in every type, in whichever they were computed.
        dtypes(torch.float64, torch.float16, torch.bfloat16, rows=2, columns=4),
        differentiable("feature_map"),
    ],
    mistakes=[
        _layout(ORDER, lambda f, xy: _by_rows(f.mT, xy.mT), WHERE),
        _layout(ORDER, lambda f, xy: torch.cat([_by_rows(f.mT), _by_rows(xy)], 2), WHERE),
        _layout(ORDER, lambda f, xy: torch.cat([_by_rows(f), _by_rows(xy.mT)], 2), WHERE),
        _layout("x and y are swapped: x grows along the columns.", lambda f, xy: _by_rows(f, xy.flip(1)), WHERE),
        _layout(MIXED, lambda f, xy: torch.cat([f, xy], 1).reshape(len(f), -1, f.shape[1] + 2), MIXING),
        _layout(MIXED, lambda f, xy: torch.cat([f.reshape(len(f), -1, f.shape[1]), _by_rows(xy)], 2), MIXING),
        *_axis(ENDS, lambda n: torch.linspace(-1, 1, n)),
        *_axis(CORNER, lambda n: _centres(n, 0), lambda n: _centres(n, 1)),
        *_axis(SCALE, lambda n: _centres(n, 0) / 2 + 0.5, lambda n: torch.linspace(0, 1, n)),
        *_axis(SCALE, lambda n: _centres(n) / 2 + 0.5, lambda n: _centres(n) / 2, lambda n: _centres(n) + 1),
        *_axis(SCALE, lambda n: torch.arange(n), lambda n: torch.arange(n) + 0.5),
        Mistake(PER_AXIS, lambda f: _by_rows(f, _places(f, lambda n: (_centres(n) + 1) * n * n / f[0, 0].numel() - 1))),
        Mistake(PER_AXIS, lambda f: _by_rows(f, _places(f, lambda n: (_centres(n) + 1) * n / f.shape[3] - 1))),
        *_axis("A single row or column has its middle at 0, not at -1.", lambda n: _centres(n) - int(n == 1)),
        _layout("y points down: the upper row has y near -1.", lambda f, xy: _by_rows(f, xy[:, :1], -xy[:, 1:])),
        _layout("The coordinates come behind the numbers of the map.", lambda f, xy: _by_rows(xy, f)),
        _layout("The coordinates are missing: append x and y to each cell.", lambda f, xy: _by_rows(f)),
        _layout("The cells come second: transpose(1, 2) after you flatten.", lambda f, xy: _by_rows(f, xy).mT),
        _layout("All maps have the cells of the first one.", lambda f, xy: _by_rows(f[:1].expand_as(f), xy)),
        _layout("Numbers are cut: hand them on as they are.", lambda f, xy: _by_rows(f.clamp(-10, 10), xy)),
    ],
    right=[_by_affine_grid, _by_index],
)
