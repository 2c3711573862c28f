"""Lesson 4: score attention maps with the pointing game, beside the chance level."""

from functools import partial

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, sizes

NONE = [-1, -1, -1, -1]
MAPS = torch.tensor([[0.1, 0.0, 0.7, 0.2, 0.0, 0.0], [0.2, 0.0, 0.1, 0.4, 0.3, 0.0], [0.1, 0.5, 0.0, 0.3, 0.05, 0.05]])
GOLD = torch.tensor([[[40, 0, 60, 20]], [[0, 0, 20, 12]], [[21, 0, 60, 20]]])
EQUAL = [0.25, 0.25, 0.25, 0.25]
TIED = torch.tensor([[0.1, 0.4, 0.1, 0.4], EQUAL, [0.4, 0.1, 0.4, 0.1], EQUAL, [0.3, 0.3001, 0.3, 0.0]])
BOXES = torch.tensor([[[0, 0, 4, 4]], [[4, 0, 8, 4]], [[0, 4, 4, 8]], [[4, 4, 8, 8]]])  # one around each of 2 × 2 cells


def cell_middles(rows: int, columns: int, height: float, width: float, part=0.5) -> tuple[Tensor, Tensor]:
    """Return x and y in pixels of every cell's middle, row by row: two of (cells,)."""
    cell = torch.arange(rows * columns)
    return (cell % columns + part) * width / columns, (cell // columns + part) * height / rows


def _within(boxes, x, y):
    """Say which middles lie in which box: (words, boxes, cells); an empty place holds none."""
    x0, y0, x1, y1 = boxes.unsqueeze(-1).unbind(dim=2)
    return (x >= x0) & (x < x1) & (y >= y0) & (y < y1)


def _has_box(boxes):
    return (boxes != -1).any(dim=2).any(dim=1)


def pointing_game(maps: Tensor, boxes: Tensor, rows: int, columns: int, height: int, width: int) -> tuple[float, float]:
    """Count how often the highest cell of a word's map lies in one of its boxes, and how often a random cell would.

    Takes maps (words, rows * columns), row by row, the first of several highest cells counting; boxes (words,
    most_boxes, 4), x0, y0, x1, y1 in pixels, x1 and y1 outside, or -1 for none; and the sizes of map and image. Returns
    the hit rate and the chance level; words without a box are left out of both. Source: Zhang et al. 2016, arXiv
    1608.00507.
    """
    return _in_parts(maps, boxes, rows, columns, height, width)


def _in_parts(maps, boxes, *sizes, at=cell_middles, test=_within, hit=None, chance=None, keep=_has_box, change=None):
    """Compute the results; each part can be another for a mistake."""
    each, kept = test(change(boxes) if change else boxes, *at(*sizes)), keep(boxes)  # (words, boxes, cells), (words,)
    hits = hit(maps, each.any(1)) if hit else each.any(1)[range(len(maps)), maps.argmax(1)]
    level = chance(each[kept].float(), boxes[kept], sizes) if chance else each[kept].any(1).float().mean()
    return float(hits[kept].float().mean()), float(level)


def sample(generator, words=30, most=3, rows=4, columns=6, height=27, width=31) -> tuple:
    """Make maps and boxes. Odd heights and widths: no middle lies on an edge, however it is rounded."""
    maps = torch.rand(words, rows * columns, generator=generator)
    low, size = torch.rand(words, most, 4, generator=generator).split(2, dim=2)
    low, size = ((part * torch.tensor([width, height]) * 0.65).long() for part in (low, size))
    missing = torch.rand(words, most, generator=generator) < 0.4
    missing[0, 0] = False
    boxes = torch.cat([low, low + size + 1], dim=2).masked_fill(missing.unsqueeze(2), -1)
    return maps, boxes, rows, columns, height, width


def _small(peaks: list[int], *boxes: list[list[int]]) -> tuple:
    """Make maps of 2 × 2 cells on 8 × 8 pixels, with their peaks at (2, 2), (6, 2), (2, 6) or (6, 6)."""
    return torch.eye(4)[peaks], torch.tensor(boxes), 2, 2, 8, 8


def _mistake(hint, ask="", **parts):
    return Mistake(hint, partial(_in_parts, **parts), ask)


def _results(hint, combine, ask=""):
    """Make a mistake of combine(hit rate, chance level, share of the words that have a box)."""
    return Mistake(hint, lambda m, b, *s: combine(*pointing_game(m, b, *s), float(_has_box(b).float().mean())), ask)


def _per_box(maps, boxes, *sizes):
    each = _within(boxes, *cell_middles(*sizes)).transpose(1, 2)[torch.arange(len(maps)), maps.argmax(1)]
    return float(each[boxes[..., 2] > 0].float().mean()), pointing_game(maps, boxes, *sizes)[1]


def _by_loops(maps, boxes, rows, columns, height, width):
    middles = [((c + 0.5) * width / columns, (r + 0.5) * height / rows) for r in range(rows) for c in range(columns)]
    found = []
    for weights, gold in zip(maps.tolist(), boxes.tolist(), strict=True):
        inside = [any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in gold) for x, y in middles]
        if any(box != NONE for box in gold):
            found.append((inside[weights.index(max(weights))], sum(inside) / len(inside)))
    return [sum(numbers) / len(found) for numbers in zip(*found, strict=True)]


def _by_numpy(maps, boxes, rows, columns, height, width):
    kept = (boxes.numpy()[..., 2] != -1).any(1)
    maps, boxes = maps.numpy()[kept], boxes.numpy()[kept][..., None]
    x, y = (places.numpy() for places in cell_middles(rows, columns, height, width))
    inside = ((x >= boxes[:, :, 0]) & (x < boxes[:, :, 2]) & (y >= boxes[:, :, 1]) & (y < boxes[:, :, 3])).any(1)
    return [inside[range(len(maps)), maps.argmax(1)].mean(), inside.mean()]


LEFT = _small([0, 1, 2, 3], [[2, 1, 4, 5]], [[5, 2, 8, 5]], [[2, 6, 5, 8]], [[6, 5, 8, 8]])
RIGHT = _small([0, 1, 2, 3], [[0, 0, 2, 3]], [[4, 0, 8, 2]], [[0, 5, 2, 8]], [[3, 4, 7, 6]])
PAIRS = _small([1, 3, 0], [[0, 0, 3, 8], [1, 0, 8, 5]], [[0, 4, 3, 8], [4, 0, 8, 4]], [[0, 0, 8, 8], [0, 0, 8, 3]])
EMPTY = _small([0, 1, 2], [NONE, [0, 0, 3, 3]], [NONE, NONE], [[4, 0, 8, 8], NONE])
COLUMNS = "Maps are listed row by row: cell k stands in row k // columns and column k % columns."
CORNER = "This takes a corner of the cell: its middle is half a cell further in."
PIXELS = "Boxes are in pixels: turn the cell's middle into pixels, too."
SIZES = "Width goes with columns, height with rows: a cell is width / columns wide, rounded nowhere."
TIES = "Of several equally high cells the first one counts, alone."
EDGE_IN = "A middle exactly at x0 or y0 is inside: test x0 <= x and y0 <= y."
EDGE_OUT = "x1 and y1 are the first pixel behind the box: test x < x1 and y < y1."
BOTH = "Both x and y have to lie in the box: and, not or."
ENDS = "The last two numbers of a box are its other corner, not its width and height."
FIRST = "Each box counts: you tested one of them only."
HAS = "A word has a box if any of its places is filled, be it the first or not."
MISSED = "Words without a box counted: leave them out of the hits and of the chance level."
CELLS = "Count cells whose middle lies in a box, not pixels: a peak can only be at a cell."
WHERE = "Where in the image is the middle of cell (0, 0)?"
THE = "What would be a hit for *the*?"
POINTS = "At which points of the image can a peak lie?"

EXERCISE = Exercise(
    Task("04.pointing-game", "Score maps with the pointing game", 2, 20, "a number; a number"),
    pointing_game,
    sample,
    cases=[
        Case("With one box each: the share of hits, and the mean share of cells inside.", (MAPS, GOLD, 2, 3, 20, 60)),
        Case("A middle on the left or upper edge of a box is inside.", LEFT),
        Case("A middle on the right or lower edge of a box is outside.", RIGHT),
        Case("A word may have several boxes, which may overlap; what lies between them is outside.", PAIRS),
        Case("Words without a box are left out of both; an empty place may stand before a box.", EMPTY),
        Case("The highest cell counts, of equal ones the first.", (TIED, BOXES[[3, 3, 2, 0, 1]], 2, 2, 8, 8)),
        Case("Many words, each with up to six boxes.", dict(words=400, most=6, rows=5, columns=5)),
        Case("Images may be large.", dict(words=9, most=1, rows=7, columns=9, height=41, width=40_001)),
        Case("Maps may be large.", dict(words=8, rows=30, columns=40, height=481, width=641)),
    ],
    demands=[sizes(words=1, most=1, rows=1, columns=1), sizes(words=40, rows=5, columns=1)],
    mistakes=[
        _mistake("x and y are swapped: x grows along the columns.", test=lambda b, x, y: _within(b, y, x)),
        _mistake(COLUMNS, WHERE, at=lambda r, c, h, w: cell_middles(c, r, w, h)[::-1]),
        _mistake(COLUMNS, WHERE, at=lambda r, c, h, w: cell_middles(c, r, h * c / r, w * r / c)),
        _mistake(CORNER, WHERE, at=lambda *sizes: cell_middles(*sizes, part=0)),
        _mistake(CORNER, WHERE, at=lambda *sizes: cell_middles(*sizes, part=1)),
        _mistake("y points down: row 0 is the upper one.", WHERE, test=lambda b, x, y: _within(b, x, y.flip(0))),
        _mistake(SIZES, at=lambda r, c, h, w: cell_middles(r, c, w, h)),
        _mistake(SIZES, at=lambda r, c, h, w: cell_middles(r, c, w * r / c, w)),
        _mistake(SIZES, at=lambda r, c, h, w: cell_middles(r, c, h // r * r, w // c * c)),
        _mistake(PIXELS, at=lambda r, c, h, w: cell_middles(r, c, r, c)),
        _mistake(PIXELS, at=lambda r, c, h, w: [places - 1 for places in cell_middles(r, c, 2, 2)]),
        _mistake(
            "This is the lowest cell: take the highest.", hit=lambda m, inside: inside[range(len(m)), m.argmin(1)]
        ),
        _mistake(TIES, hit=lambda m, inside: inside.flip(1)[range(len(m)), m.flip(1).argmax(1)]),
        _mistake(TIES, hit=lambda m, inside: (inside & (m == m.amax(1, keepdim=True))).any(1)),
        _mistake(EDGE_OUT, test=lambda b, x, y: _within(b + torch.tensor([0, 0, 1e-3, 1e-3]), x, y)),
        _mistake(EDGE_IN, test=lambda b, x, y: _within(b + torch.tensor([1e-3, 1e-3, 0, 0]), x, y)),
        _mistake(BOTH, test=lambda b, x, y: _within(b, x, b[..., 1:2]) | _within(b, b[..., :1], y)),
        _mistake(ENDS, change=lambda b: b + b.roll(2, 2) * torch.tensor([0, 0, 1, 1])),
        _mistake("This is the weight inside: take the highest cell.", hit=lambda m, inside: (m * inside).sum(1)),
        _mistake(FIRST, change=lambda b: b[:, :1]),
        _mistake(FIRST, change=lambda b: b[:, -1:]),
        _mistake("One box is enough: any, not all.", test=lambda b, x, y: _within(b, x, y).all(1, True)),
        Mistake("A word counts once, however many boxes it has.", _per_box),
        _mistake(HAS, keep=lambda b: (b != -1).all(2).all(1)),
        _mistake(HAS, keep=lambda b: b[:, 0, 2] != -1),
        _mistake("0 is a coordinate; an empty place has -1.", keep=lambda b: (b > 0).all(2).any(1)),
        _mistake(MISSED, THE, keep=lambda b: b[:, 0, 0] > -2),
        _results(MISSED, lambda hits, chance, share: (hits * share, chance), THE),
        _results(MISSED, lambda hits, chance, share: (hits, chance * share), THE),
        _mistake("A cell in two boxes counts once.", POINTS, chance=lambda inside, *_: inside.sum(1).mean()),
        _mistake(CELLS, POINTS, chance=lambda _, b, s: (b[..., 2:] - b[..., :2]).prod(2).sum() / len(b) / s[2] / s[3]),
        _mistake("The chance level counts all cells inside.", POINTS, chance=lambda inside, *_: 1 / inside.shape[2]),
        _mistake("The chance level is not that of a coin: count cells.", POINTS, chance=lambda inside, *_: 0.5),
        _mistake(
            "This counts cells: divide by rows · columns.", chance=lambda inside, *_: inside.amax(1).sum(1).mean()
        ),
        _mistake(FIRST, chance=lambda inside, *_: inside[:, 0].mean()),
        _results("This is the share of misses.", lambda hits, chance, share: (1 - hits, chance)),
        _results("Rates go from 0 to 1, not to 100.", lambda hits, chance, share: (100 * hits, chance)),
        _results("Swapped: the hit rate comes first.", lambda hits, chance, share: (chance, hits)),
    ],
    right=[_by_loops, _by_numpy],
)
