"""The exercise of lesson 4 on where a word looked, and where the thing is; `lesson_04.py` lists it."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.teaching.checks.slips import expect_untouched
from course_utils.teaching.exercises import Exercise, expect

MISSING = -1


def cell_middles(rows: int, columns: int, height: float, width: float) -> tuple[Tensor, Tensor]:
    """Return x and y in pixels of every cell's middle, row by row: two of `(cells,)`."""
    y, x = torch.meshgrid(
        (torch.arange(rows) + 0.5) * height / rows, (torch.arange(columns) + 0.5) * width / columns, indexing="ij"
    )
    return x.flatten(), y.flatten()


def cells_inside(boxes: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Say which cells' middles lie in which box: `(words, boxes, cells)`; a missing box holds none."""
    left, top, right, bottom = boxes.unsqueeze(-1).unbind(dim=2)
    return (x >= left) & (x < right) & (y >= top) & (y < bottom)


def pointing_game(maps: Tensor, boxes: Tensor, rows: int, columns: int, height: int, width: int) -> tuple[float, float]:
    """Count how often the highest cell of a word's map lies in one of its boxes, and how often chance would.

    Args:
        maps: `(words, rows * columns)` weights, row by row; the first of several highest cells counts.
        boxes: `(words, most_boxes, 4)`, x0, y0, x1, y1 in pixels, x1 and y1 outside; -1 where there is no box.
        rows, columns: of the map.
        height, width: of the picture in pixels.

    Returns:
        hit_rate: share of the words with a box whose peak's middle lies in a box.
        chance: share of the cells whose middle lies in a box, the mean over the same words.
    """
    inside = cells_inside(boxes, *cell_middles(rows, columns, height, width)).any(dim=1)  # (words, cells)
    marked = (boxes != MISSING).any(dim=2).any(dim=1)  # (words,)
    hit = inside.gather(1, maps.argmax(dim=1, keepdim=True)).squeeze(1)
    return float(hit[marked].float().mean()), float(inside[marked].float().mean())


game = Exercise("04.pointing-game", "Mark where a word looked", 2, 20, pointing_game)
EXERCISES = [game]


def played(answer: Callable, maps: Tensor, boxes: Tensor, *sizes: int) -> tuple[float, float]:
    """Let the answer play, and insist on two numbers."""
    result = answer(maps.clone(), boxes.clone(), *sizes)
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "Return two numbers, the hit rate and the chance: `return hit_rate, chance`.")
    for value, name in zip(result, ("hit rate", "chance"), strict=True):
        single = value.numel() == 1 if isinstance(value, Tensor) else isinstance(value, float | int)
        expect(single, f"The {name} is no single number: take the mean over the words that have a box.")
    hits, chance = map(float, result)
    nan = "is NaN: did you divide by the number of words or boxes that are not there?"
    expect(not math.isnan(hits), f"The hit rate {nan}")
    expect(not math.isnan(chance), f"The chance {nan}")
    return hits, chance


def expect_rate(actual: float, right: float, hint: str, *slips: tuple[str, float]) -> None:
    """Insist on a rate; slips are (hint, rate), those that give the right rate here are skipped."""
    for slip, rate in slips:
        if not math.isclose(rate, right, abs_tol=1e-5):
            expect(not math.isclose(actual, rate, abs_tol=1e-5), slip)
    expect(math.isclose(actual, right, abs_tol=1e-5), f"{hint} Expected {right:.4f}, got {actual:.4f}.")


def draw_boxes(words: int, most: int, height: int, width: int, missing: float = 0.0) -> Tensor:
    """Draw boxes of whole pixels, each from a third to two thirds of the picture wide and high."""
    w = torch.randint(width // 3, 2 * width // 3, (words, most))
    h = torch.randint(height // 3, 2 * height // 3, (words, most))
    x, y = (torch.rand(words, most) * (width - w)).long(), (torch.rand(words, most) * (height - h)).long()
    boxes = torch.stack([x, y, x + w, y + h], dim=-1)
    boxes[torch.rand(words, most) < missing] = MISSING
    return boxes


def rates(peaks: Tensor, boxes: Tensor, x: Tensor, y: Tensor) -> float:
    """Share of words whose peak lies in a box, if cells have the middles x and y."""
    return float(cells_inside(boxes, x, y).any(dim=1).gather(1, peaks[:, None]).float().mean())


@game.behaviour("says whether the middle of the highest cell lies in the box")
def _(answer):
    rows, columns, height, width = 4, 6, 60, 72  # a cell is 15 pixels high, 12 wide
    maps, boxes = torch.rand(1201, 24), draw_boxes(1201, 1, height, width)
    hits, chance = played(answer, maps, boxes, rows, columns, height, width)
    x, y = cell_middles(rows, columns, height, width)
    peaks, cells = maps.argmax(1), torch.arange(24)
    right = rates(peaks, boxes, x, y)
    by_column_x, by_column_y = (cells // rows + 0.5) * 12, (cells % rows + 0.5) * 15
    corner = "This takes a corner of the cell: its middle is half a cell further right and down."
    wrong_grid = "Cell k stands in row k // columns and column k % columns."
    size = "Width and columns go together, and height and rows: a cell is width / columns pixels wide."
    x0, y0, x1, y1 = boxes.unbind(-1)
    at_x, at_y = x[peaks][:, None], y[peaks][:, None]
    near = (((x0 + x1) / 2 - at_x).abs() < 6) & (((y0 + y1) / 2 - at_y).abs() < 7.5)
    one_of = (x[peaks][:, None] >= x0) & (at_x < x1) | ((at_y >= y0) & (at_y < y1))
    inside = cells_inside(boxes, x, y).any(1)
    slips = [
        ("x and y are swapped: a box is x0, y0, x1, y1, and x grows along the columns.", rates(peaks, boxes, y, x)),
        (
            "x and y are swapped: a box is x0, y0, x1, y1, and x grows along the columns.",
            rates(peaks, boxes[..., [1, 0, 3, 2]], x, y),
        ),
        ("The map is listed row by row; you read it column by column.", rates(peaks, boxes, by_column_x, by_column_y)),
        (corner, rates(peaks, boxes, x - 6, y - 7.5)),
        (corner, rates(peaks, boxes, x + 6, y + 7.5)),
        ("y points down: row 0 is the upper one.", rates(peaks, boxes, x, height - y)),
        ("This is the lowest cell of the map: take the highest.", rates(maps.argmin(1), boxes, x, y)),
        (wrong_grid, rates(peaks, boxes, (cells % rows + 0.5) * 12, (cells // rows + 0.5) * 15)),
        (wrong_grid, rates(peaks, boxes, (cells % columns + 0.5) * 12, (cells // rows + 0.5) * 15)),
        (
            size,
            rates(peaks, boxes, (cells % columns + 0.5) * height / columns, (cells // columns + 0.5) * width / rows),
        ),
        (
            size,
            rates(peaks, boxes, (cells % columns + 0.5) * width / rows, (cells // columns + 0.5) * height / columns),
        ),
        (size, rates(peaks, boxes, (cells % columns + 0.5) * 12, (cells // columns + 0.5) * 12)),
        (size, rates(peaks, boxes, (cells % columns + 0.5) * 15, (cells // columns + 0.5) * 15)),
        (
            "A box is x0, y0, x1, y1: the last two are its other corner, not its width and height.",
            rates(peaks, torch.cat([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], -1), x, y),
        ),
        (
            "The box is in pixels: turn the cell's place into pixels first.",
            rates(peaks, boxes, cells % columns + 0.5, cells // columns + 0.5),
        ),
        (
            "The box is in pixels: turn the cell's place into pixels first.",
            rates(peaks, boxes, cells % columns, cells // columns),
        ),
        (
            "The box is in pixels: turn the cell's place into pixels first.",
            rates(peaks, boxes, 2 * x / width - 1, 2 * y / height - 1),
        ),
        (
            "The box's own middle need not lie in the cell: the cell's middle has to lie in the box.",
            float(near.float().mean()),
        ),
        ("Both x and y have to lie in the box: and, not or.", float(one_of.float().mean())),
        (
            "This is the weight inside the box: the pointing game looks at the peak alone.",
            float((maps * inside).sum(1).mean()),
        ),
        (
            "This is the weight inside the box: the pointing game looks at the peak alone.",
            float(((maps * inside).sum(1) / maps.sum(1)).mean()),
        ),
        ("This is the share of misses: return the share of hits.", 1 - right),
        ("This is the number of hits: divide by the number of words.", right * 1201),
        ("The rate is from 0 to 1, not in percent.", 100 * right),
    ]
    swapped = math.isclose(chance, right, abs_tol=1e-5) and math.isclose(hits, inside.float().mean(), abs_tol=1e-5)
    expect(not swapped, "The results are swapped: the hit rate comes first, then the chance.")
    expect_rate(hits, right, "Wrong hit rate for one box per word.", *slips)


@game.behaviour("counts the left and upper edge as inside, the right and lower one as outside")
def _(answer):
    # A map of 2 x 2 on 8 x 8 pixels: the middles are at 2 and 6.
    maps = torch.eye(4)  # peaks at (2, 2), (6, 2), (2, 6), (6, 6)
    begins = torch.tensor([[[2, 2, 5, 5]], [[6, 2, 8, 5]], [[2, 6, 5, 8]], [[6, 6, 8, 8]]])
    hits, _ = played(answer, maps, begins, 2, 2, 8, 8)
    hint = "A middle exactly at x0 or y0 is inside: test x0 <= x and y0 <= y."
    expect(math.isclose(hits, 1.0, abs_tol=1e-5), hint)
    ends = torch.tensor([[[0, 0, 2, 3]], [[4, 0, 8, 2]], [[0, 5, 2, 8]], [[3, 4, 7, 6]]])
    hits, chance = played(answer, maps, ends, 2, 2, 8, 8)
    hint = (
        "A middle exactly at x1 or y1 is outside: pixel x1 is the first one behind the box, so test x < x1 and y < y1."
    )
    expect(math.isclose(hits, 0.0, abs_tol=1e-5), hint)
    expect(math.isclose(chance, 0.0, abs_tol=1e-5), f"For the chance: {hint}")


@game.behaviour("is content with any of several boxes")
def _(answer):
    rows, columns, height, width = 5, 4, 50, 48
    maps, boxes = torch.rand(601, 20), draw_boxes(601, 3, height, width, missing=0.4)
    boxes[:, 1] = torch.where(
        (boxes == MISSING).all(-1).all(-1, keepdim=True), draw_boxes(601, 1, height, width)[:, 0], boxes[:, 1]
    )
    hits, _ = played(answer, maps, boxes, rows, columns, height, width)
    x, y = cell_middles(rows, columns, height, width)
    peaks, real = maps.argmax(1), (boxes != MISSING).any(2)
    inside = cells_inside(boxes, x, y).gather(2, peaks[:, None, None].expand(-1, 3, 1))[..., 0]  # (words, boxes)
    right = float(inside.any(1).float().mean())
    low = boxes.masked_fill(~real[..., None], 999).amin(1, keepdim=True)[..., :2]
    hull = torch.cat([low, boxes.amax(1, keepdim=True)[..., 2:]], -1)
    careless = torch.cat([boxes.amin(1, keepdim=True)[..., :2], boxes.amax(1, keepdim=True)[..., 2:]], -1)
    around = "The boxes stay apart: what lies between them is outside, do not draw one box around all."
    first = boxes[torch.arange(601), real.float().argmax(1)][:, None]
    every = "One box is enough: any, not all."
    slips = [
        ("Each box counts: you tested the first one only.", rates(peaks, boxes[:, :1], x, y)),
        ("Each box counts: you tested the first one only.", float(inside[:, 0][real[:, 0]].float().mean())),
        ("Each box counts: you tested the first one only.", rates(peaks, first, x, y)),
        ("Each box counts: you tested the last one only.", rates(peaks, boxes[:, -1:], x, y)),
        ("Each box counts: you tested the last one only.", float(inside[:, -1][real[:, -1]].float().mean())),
        (every, float((inside | ~real).all(1).float().mean())),
        (every, float(inside.all(1).float().mean())),
        (around, rates(peaks, hull, x, y)),
        (around, rates(peaks, careless, x, y)),
        ("A word counts once, however many boxes it has: it is hit or not.", float(inside[real].float().mean())),
        ("A word counts once, however many boxes it has: it is hit or not.", float(inside.float().mean())),
        ("A word in two boxes is one hit, not two.", float(inside.sum(1).float().mean())),
        ("A missing box (-1) is no hit.", float((inside | ~real).any(1).float().mean())),
        (
            "A word counts from its first box on: -1 may stand before a box, and the word has one all the same.",
            float(inside.any(1)[real[:, 0]].float().mean()),
        ),
        (
            "A word counts if it has any box; you counted only those with every place filled.",
            float(inside.any(1)[real.all(1)].float().mean()),
        ),
    ]
    expect_rate(hits, right, "Wrong where a word has several boxes, and -1 in empty places.", *slips)


@game.behaviour("leaves out words without a box")
def _(answer):
    rows, columns, height, width = 3, 3, 33, 39
    maps, boxes = torch.rand(397, 9), draw_boxes(397, 2, height, width, missing=0.6)
    hits, chance = played(answer, maps, boxes, rows, columns, height, width)
    x, y = cell_middles(rows, columns, height, width)
    marked = (boxes != MISSING).any(2).any(1)
    right, right_chance = pointing_game(maps, boxes, rows, columns, height, width)
    share = float(marked.float().mean())
    inside = cells_inside(boxes, x, y).any(1).float().mean(1)
    expect_rate(
        hits,
        right,
        "A word such as 'the' has no box, and is neither hit nor miss.",
        (
            "Words without a box counted as misses: leave them out, and divide by the number of those left.",
            right * share,
        ),
        ("Words without a box counted as hits: leave them out.", right * share + 1 - share),
        (
            "Words with one box are words with a box: leave out only those without any.",
            float(
                cells_inside(boxes, x, y)
                .any(1)
                .gather(1, maps.argmax(1, keepdim=True))[:, 0][(boxes != MISSING).any(2).all(1)]
                .float()
                .mean()
            ),
        ),
        (
            "Divide by the number of words that have a box, not by that of the boxes.",
            right * int(marked.sum()) / int((boxes != MISSING).any(2).sum()),
        ),
    )
    expect_rate(
        chance,
        right_chance,
        "The chance is averaged over the same words as the hits.",
        ("Words without a box counted in the chance: average it over the words that have one.", float(inside.mean())),
        ("Words without a box counted in the chance, as if all cells were inside.", right_chance * share + 1 - share),
    )


@game.behaviour("tells the chance: the share of cells whose middle lies in a box")
def _(answer):
    rows, columns, height, width = 6, 5, 66, 45
    maps, boxes = torch.rand(101, 30), draw_boxes(101, 3, height, width)
    _, chance = played(answer, maps, boxes, rows, columns, height, width)
    x, y = cell_middles(rows, columns, height, width)
    each = cells_inside(boxes, x, y)  # (words, boxes, cells)
    inside = each.any(1)
    right = float(inside.float().mean())
    area = ((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])).float() / (height * width)
    twice = "Boxes overlap here: a cell in two of them counts once."
    by_cells = "Count cells whose middle lies in a box, not pixels: a peak can only be at a cell."
    pixels = cells_inside(boxes, *cell_middles(height, width, height, width)).any(1).float().mean()
    x0, y0, x1, y1 = boxes[..., None].unbind(2)
    touched = ((x + 4.5 > x0) & (x - 4.5 < x1) & (y + 5.5 > y0) & (y - 5.5 < y1)).any(1)
    cells = torch.arange(30)
    corners = cells_inside(boxes, cells % columns * 9.0, cells // columns * 11.0).any(1)
    weight = (maps * inside).sum(1)
    slips = [
        (twice, float(each.float().sum(1).mean())),
        (twice, float(each.float().sum(1).clamp(max=30).mean())),
        (by_cells, float(area.sum(1).mean())),
        (by_cells, float(area.sum(1).clamp(max=1).mean())),
        (by_cells, float(area.mean())),
        (by_cells, float(area[:, 0].mean())),
        (by_cells, float(pixels)),
        ("Each box counts: you looked at the first one only.", float(each[:, 0].float().mean())),
        (
            "A cell is inside if it is in any of the word's boxes: take the union, not the mean over the boxes.",
            float(each.float().mean()),
        ),
        ("A cell is inside if it is in any of the word's boxes: any, not all.", float(each.all(1).float().mean())),
        ("One cell is not the chance: count all cells whose middle lies in a box.", 1 / 30),
        ("This is the number of cells: divide by rows · columns.", float(inside.sum(1).float().mean())),
        ("This is the first word's chance: take the mean over the words.", float(inside[0].float().mean())),
        (
            "A cell that is merely touched does not count: its middle has to lie in the box.",
            float(touched.float().mean()),
        ),
        ("This takes the corner of each cell: its middle has to lie in the box.", float(corners.float().mean())),
        ("This is the weight inside the boxes: chance knows nothing of the map.", float(weight.mean())),
        ("This is the weight inside the boxes: chance knows nothing of the map.", float((weight / maps.sum(1)).mean())),
        ("This is the share of cells outside.", 1 - right),
        ("Chance is from 0 to 1, not in percent.", 100 * right),
        ("The chance is not that of a coin: count cells.", 0.5),
        (
            "The map is listed row by row; you read it column by column.",
            float(cells_inside(boxes, (cells // rows + 0.5) * 9, (cells % rows + 0.5) * 11).any(1).float().mean()),
        ),
        (
            "x and y are swapped: a box is x0, y0, x1, y1, and x grows along the columns.",
            float(cells_inside(boxes, y, x).any(1).float().mean()),
        ),
        ("This is the hit rate again.", pointing_game(maps, boxes, rows, columns, height, width)[0]),
    ]
    expect_rate(chance, right, "Wrong chance.", *slips)


@game.behaviour("takes the first of several highest cells")
def _(answer):
    # The middles are at 2 and 6. The boxes hold the last of the highest cells, the last, the first, a middle one.
    maps = torch.tensor([[0.1, 0.4, 0.1, 0.4], [0.25] * 4, [0.4, 0.1, 0.4, 0.1], [0.3, 0.3, 0.3, 0.1]])
    boxes = torch.tensor([[[4, 4, 8, 8]], [[4, 4, 8, 8]], [[0, 0, 4, 4]], [[4, 0, 8, 4]]])
    hits, _ = played(answer, maps, boxes, 2, 2, 8, 8)
    expect_rate(
        hits,
        1 / 4,
        "Where cells are equally high, the first one counts, as with argmax.",
        ("The last of several equally high cells was taken: the first one counts, as with argmax.", 2 / 4),
        ("Equally high cells: a hit by any of them is too generous, the first one counts.", 1.0),
        ("Equally high cells: the first one counts, you gave each its share.", (1 / 2 + 1 / 4 + 1 / 2 + 1 / 3) / 4),
        ("Equally high cells: a map with several highest cells is no miss, the first one counts.", 0.0),
    )


@game.behaviour("works for other sizes, also where cells are no whole number of pixels")
def _(answer):
    for words, most, rows, columns, height, width in [
        (1, 1, 1, 1, 9, 9),
        (40, 2, 8, 8, 64, 64),
        (40, 4, 7, 7, 64, 100),
        (50, 1, 2, 9, 31, 50),
        (30, 2, 5, 1, 47, 20),
    ]:
        maps, boxes = torch.randn(words, rows * columns), draw_boxes(words, most, height, width, missing=0.3)
        boxes[0, 0] = torch.tensor([0, 0, width // 2 + 1, height // 2 + 1])
        hits, chance = played(answer, maps, boxes, rows, columns, height, width)
        right, right_chance = pointing_game(maps, boxes, rows, columns, height, width)
        where = f"for {words} word(s), {rows} x {columns} cells and {height} x {width} pixels."
        expect_rate(hits, right, f"Wrong hit rate {where} A cell is width / columns wide, rounded nowhere.")
        expect_rate(chance, right_chance, f"Wrong chance {where} A cell is width / columns wide, rounded nowhere.")


@game.behaviour("leaves its inputs as they were")
def _(answer):
    boxes = draw_boxes(8, 2, 20, 20, missing=0.5)
    boxes[0], boxes[1] = torch.tensor([2, 2, 9, 9]), MISSING
    expect_untouched(answer, torch.rand(8, 4), boxes, 2, 2, 20, 20)


@game.own_data
def _(generator):
    # A cell is 7 x 5 pixels, its middle at half a pixel: it lies on no edge of a box, whatever way it is computed.
    middle = torch.randint(8, 20, (30, 2, 2), generator=generator)
    half = torch.randint(2, 9, (30, 2, 2), generator=generator)
    missing = torch.rand(30, 2, generator=generator) < 0.4
    missing[0] = False  # one word has a box for certain
    boxes = torch.cat([middle - half, middle + half], dim=2).masked_fill(missing.unsqueeze(2), MISSING)
    return torch.rand(30, 24, generator=generator), boxes, 4, 6, 28, 30
