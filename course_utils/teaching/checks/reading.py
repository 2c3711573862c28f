"""The exercises of lesson 3 on reading a row of digits one by one; `lesson_03.py` lists them."""

import torch
from torch import Tensor

from course_utils.teaching.checks.slips import expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_tensor

END, NOTHING = 10, -1


def reading_targets(labels: Tensor, boxes: Tensor) -> Tensor:
    """Write the digits of each picture from left to right, then `END`, then `NOTHING`."""
    missing = labels == NOTHING
    left = boxes[..., 0].double().masked_fill(missing, float("inf"))
    in_order = labels.gather(1, left.argsort(dim=1, stable=True))
    targets = torch.nn.functional.pad(in_order, (0, 1), value=NOTHING)
    return targets.scatter(1, (~missing).sum(dim=1, keepdim=True), END)


def stop_at_end(answers: Tensor) -> Tensor:
    """Blank out each row from its first `END` on."""
    ended = (answers == END).cumsum(dim=1) > 0
    return answers.masked_fill(ended, NOTHING)


ordering = Exercise("03.reading-targets", "Write what is to be read, from left to right", 2, 12, reading_targets)
stopping = Exercise("03.stop-at-end", "Stop at the end", 2, 8, stop_at_end)
EXERCISES = [ordering, stopping]


def row(*digits: tuple[int, tuple[int, int, int, int]], most: int, first_missing: int = 0) -> tuple[Tensor, Tensor]:
    """Lay out one picture's (label, box) pairs; `first_missing` empty places come before them, the others after."""
    empty = (NOTHING, (NOTHING,) * 4)
    places = [empty] * first_missing + list(digits)
    places += [empty] * (most - len(places))
    return torch.tensor([label for label, _ in places]), torch.tensor([box for _, box in places])


def batch(*rows: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Stack pictures: labels `(batch, most)` and boxes `(batch, most, 4)`."""
    return torch.stack([labels for labels, _ in rows]), torch.stack([boxes for _, boxes in rows])


def expect_rows(actual: object, expected: Tensor, names: str, hint: str) -> None:
    """Insist on integer rows; a wrong one gets the hint, what was expected and what came."""
    actual = expect_tensor(actual, tuple(expected.shape), names)
    expect(not actual.is_floating_point(), "Return integers: digits and END are classes. Did a float creep in?")
    for right, given in zip(expected.tolist(), actual.tolist(), strict=True):
        expect(right == given, f"{hint} Expected {right}, got {given}.")


def expect_targets(answer, pictures: tuple[Tensor, Tensor], hint: str, *slips: tuple[str, object]) -> None:
    """Insist on the right targets of a batch; slips are (hint, result)."""
    result = answer(*[tensor.clone() for tensor in pictures])
    recognise(result, *slips)
    most = pictures[0].shape[1]
    if isinstance(result, Tensor) and tuple(result.shape) == tuple(pictures[0].shape):
        expect(False, f"There is no room for END: {most} digits at most make {most + 1} targets.")
    expect_rows(result, reading_targets(*pictures), "(batch, most_digits + 1)", hint)


def with_end(digits: list[list[int]], fill: int = NOTHING, end: int = END, width: int = 4) -> Tensor:
    """Write rows of digits with `end` and `fill` behind them, all of the same width."""
    return torch.tensor([(row + [end] + [fill] * width)[:width] for row in digits])


@ordering.behaviour("reads from left to right and puts END behind the last digit")
def _(answer):
    boxes = (20, 1, 60, 20), (35, 5, 45, 30), (30, 9, 40, 12), (4, 3, 15, 12)
    pictures = batch(row(*zip((5, 8, 2, 6), boxes, strict=True), most=4))
    right = [6, 5, 2, 8]
    up = "You sorted by y: a row is read from left to right, by x0, the first number of each box."
    slips = [
        ("The digits are in the order they were given: sort them by x0.", [5, 8, 2, 6, END]),
        ("This is from right to left: the smallest x0 comes first.", [8, 2, 5, 6, END]),
        (up, [5, 6, 8, 2, END]),
        ("You sorted by the right side of the boxes, x1; the left side x0 counts.", [6, 2, 8, 5, END]),
        ("You sorted by value: the boxes' x0 decides, not the digit.", [2, 5, 6, 8, END]),
        (
            "You put the digits where argsort says they come from: place k takes the digit number order[k], "
            "so gather the labels in that order.",
            [8, 6, 2, 5, END],
        ),
        ("END is missing behind the last digit.", [*right, NOTHING]),
        ("END is missing, and there is no room for END: four digits make five targets.", right),
        ("END is 10; 0 is a digit.", [*right, 0]),
        ("END comes after the last digit, not in its place.", [6, 5, 2, END, NOTHING]),
        ("END comes after the last digit, not before the first.", [END, *right]),
        ("You returned places, not digits: take the labels in that order.", [3, 0, 2, 1, END]),
        ("You returned x0 itself: take the labels in its order.", [4, 20, 30, 35, END]),
    ]
    hint = "The digits come in the order of x0, then END."
    expect_targets(answer, pictures, hint, *[(slip, torch.tensor([result])) for slip, result in slips])


@ordering.behaviour("fills the rest of a short row with NOTHING, one END for each picture")
def _(answer):
    pictures = batch(
        row((3, (30, 0, 40, 9)), (8, (2, 0, 9, 9)), most=3),
        row((6, (12, 3, 20, 9)), most=3),
        row((1, (9, 0, 12, 9)), (4, (14, 0, 20, 9)), (9, (0, 0, 6, 9)), most=3),
    )
    right = [[8, 3], [6], [9, 1, 4]]
    last = torch.tensor([[8, 3, NOTHING, END], [6, NOTHING, NOTHING, END], [9, 1, 4, END]])
    hint = "Each row is its digits, one END, then NOTHING."
    order = "Every picture has its own order; you took that of the first."
    expect_targets(
        answer,
        pictures,
        hint,
        ("END stands in each empty place: one END, and NOTHING (-1) behind it.", with_end(right, fill=END)),
        ("Behind END comes NOTHING, which is -1; 0 is a digit.", with_end(right, fill=0)),
        ("END follows the last digit of each row; yours always stands in the last place.", last),
        ("END is missing in the short rows.", torch.tensor([[8, 3, -1, -1], [6, -1, -1, -1], [9, 1, 4, 10]])),
        (
            "The empty places have x0 = -1, so they came first: give them a larger x0 than any digit before you sort.",
            torch.tensor([[-1, 8, 3, 10], [-1, -1, 6, 10], [9, 1, 4, 10]]),
        ),
        (
            "The empty places have x0 = -1, so they came first: give them a larger x0 than any digit before you sort.",
            torch.tensor([[-1, 8, 10, -1], [-1, 10, 6, -1], [9, 1, 4, 10]]),
        ),
        (order, with_end([[8, 3], [6], [4, 1, 9]])),
        (order, torch.tensor([[8, 3, 10, -1], [-1, 10, -1, -1], [4, 1, 9, 10]])),
    )


@ordering.behaviour("takes 0 for a digit, and an empty place for none, wherever it stands")
def _(answer):
    zeros = batch(row((0, (5, 0, 9, 9)), (0, (0, 0, 3, 9)), most=2), row((0, (7, 2, 9, 9)), most=2))
    digit = "0 is a digit: only NOTHING (-1) marks an empty place, so test labels != -1."
    expect_targets(
        answer,
        zeros,
        "Wrong where all digits are 0.",
        (digit, torch.tensor([[END, NOTHING, NOTHING]] * 2)),
        (digit, torch.tensor([[END, 0, NOTHING], [END, NOTHING, NOTHING]])),
    )
    early = batch(
        row((4, (8, 0, 10, 9)), (2, (1, 0, 5, 9)), most=4, first_missing=1),
        row((7, (6, 0, 10, 9)), most=4, first_missing=3),
    )
    expect_targets(answer, early, "Here empty places stand before the digits: they come last all the same.")


@ordering.behaviour("works for wide pictures, empty ones and full ones")
def _(answer):
    wide = batch(row((6, (5200, 0, 5230, 9)), (1, (1500, 0, 1530, 9)), most=3), row((9, (80000, 0, 80020, 9)), most=3))
    expect_targets(
        answer, wide, "Here x0 is larger than the number you gave the empty places: use infinity, or count the digits."
    )
    empty = batch(row(most=2), row((5, (3, 0, 9, 9)), (8, (1, 0, 2, 9)), most=2))
    expect_targets(answer, empty, "A picture without digits has END at once; a full one has it in the last place.")
    expect_targets(answer, batch(row((3, (4, 4, 8, 8)), most=1)), "Wrong for one picture with one digit.")
    places = torch.rand(5, 6).argsort(dim=1) * 7
    labels = torch.randint(10, (5, 6))
    many = labels, torch.stack([places, places, places + 5, places + 9], dim=-1)
    expect_targets(answer, many, "Wrong for five pictures with six digits each.")


@ordering.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, *batch(row((2, (20, 9, 28, 20)), (5, (3, 1, 9, 30)), most=3)))


def expect_stopped(answer, answers: list[list[int]], hint: str, *slips: tuple[str, object]) -> None:
    """Insist on what is left of the answers; slips are (hint, rows)."""
    given = torch.tensor(answers)
    result = answer(given.clone())
    hint_list = "Return a tensor of the same shape as the answers: blank out with NOTHING, do not shorten."
    expect(not isinstance(result, list | tuple), hint_list)
    if isinstance(result, Tensor):
        expect(result.shape == given.shape, f"Your result has shape {tuple(result.shape)}. {hint_list}")
    recognise(result, *[(slip, torch.tensor(rows)) for slip, rows in slips])
    expect_rows(result, stop_at_end(given), "(batch, steps)", hint)


@stopping.behaviour("keeps the digits before END and blanks out the rest")
def _(answer):
    expect_stopped(
        answer,
        [[4, 0, 6, 10, 7], [3, 1, 10, 5, 5]],
        "From END on every place is NOTHING.",
        ("Only END itself was blanked out: what comes after it must go, too.", [[4, 0, 6, -1, 7], [3, 1, -1, 5, 5]]),
        ("END is no digit: it becomes NOTHING as well.", [[4, 0, 6, 10, -1], [3, 1, 10, -1, -1]]),
        ("Nothing was cut: stop at END.", [[4, 0, 6, 10, 7], [3, 1, 10, 5, 5]]),
        ("You kept what follows END; keep what comes before it.", [[-1, -1, -1, -1, 7], [-1, -1, -1, 5, 5]]),
        ("You cut one digit too many: the one before END stays.", [[4, 0, -1, -1, -1], [3, -1, -1, -1, -1]]),
        ("Blank out with NOTHING, which is -1; 0 is a digit.", [[4, 0, 6, 0, 0], [3, 1, 0, 0, 0]]),
        ("Blank out with NOTHING (-1), not with END.", [[4, 0, 6, 10, 10], [3, 1, 10, 10, 10]]),
        ("Each row has its own END: you cut all of them at the earliest.", [[4, 0, -1, -1, -1], [3, 1, -1, -1, -1]]),
        ("Each row has its own END: you cut all of them at the first row's.", [[4, 0, 6, -1, -1], [3, 1, 10, -1, -1]]),
        ("0 is a digit: keep it.", [[4, -1, -1, -1, -1], [3, 1, -1, -1, -1]]),
    )


@stopping.behaviour("stops at the first END of several")
def _(answer):
    again = "A second END switches reading on again: count the ENDs so far, any number above zero is the end."
    expect_stopped(
        answer,
        [[10, 2, 10, 6], [1, 10, 10, 9], [8, 10, 3, 10]],
        "The first END counts, whatever comes later.",
        ("You stopped at the last END: the first one counts.", [[-1, 2, -1, -1], [1, -1, -1, -1], [8, -1, 3, -1]]),
        ("You stopped at the last END: the first one counts.", [[10, 2, -1, -1], [1, 10, -1, -1], [8, 10, 3, -1]]),
        (
            "A row that begins with END is empty; you left it as it was.",
            [[10, 2, 10, 6], [1, -1, -1, -1], [8, -1, -1, -1]],
        ),
        (again, [[-1, -1, -1, 6], [1, -1, -1, 9], [8, -1, -1, -1]]),
        (again, [[-1, -1, 10, 6], [1, -1, 10, 9], [8, -1, -1, 10]]),
    )


@stopping.behaviour("keeps a row whole that has no END")
def _(answer):
    expect_stopped(
        answer,
        [[4, 9, 0, 6], [10, 9, 0, 1], [0, 0, 10, 2]],
        "A row without END stays as it is, and one that begins with END is empty.",
        (
            "A row without END came out empty: argmax over no True is 0, the first place.",
            [[-1, -1, -1, -1], [-1, -1, -1, -1], [0, 0, -1, -1]],
        ),
        ("A row without END lost its last digit.", [[4, 9, 0, -1], [-1, -1, -1, -1], [0, 0, -1, -1]]),
        ("9 is a digit; only END, which is 10, stops.", [[4, -1, -1, -1], [-1, -1, -1, -1], [0, 0, -1, -1]]),
        ("0 is a digit; only END, which is 10, stops.", [[4, 9, -1, -1], [-1, -1, -1, -1], [-1, -1, -1, -1]]),
        ("A row that begins with END is empty; you left it as it was.", [[4, 9, 0, 6], [10, 9, 0, 1], [0, 0, -1, -1]]),
    )


@stopping.behaviour("works for any number of rows and steps")
def _(answer):
    for rows, steps in [(1, 1), (1, 6), (6, 1), (5, 5), (8, 12)]:
        answers = torch.randint(11, (rows, steps)).tolist()
        expect_stopped(answer, answers, f"Wrong for {rows} row(s) of {steps} answer(s).")
    expect_stopped(answer, [[10]], "A single END leaves nothing.")


@stopping.behaviour("leaves the answers as they were")
def _(answer):
    expect_untouched(answer, torch.tensor([[4, 10, 3], [10, 2, 1]]))


@ordering.own_data
def _(generator):
    labels = torch.randint(0, 10, (4, 3), generator=generator)
    labels[0, 2] = labels[2, 1:] = NOTHING
    left = torch.stack([torch.randperm(40, generator=generator)[:3] for _ in range(4)])
    top = torch.randint(0, 40, (4, 3), generator=generator)
    boxes = torch.stack([left, top, left + 12, top + 12], dim=-1)
    return labels, boxes.masked_fill((labels == NOTHING).unsqueeze(-1), -1)


@stopping.own_data
def _(generator):
    answers = torch.randint(0, 10, (4, 6), generator=generator)
    columns = torch.randint(0, 6, (3,), generator=generator)
    answers[torch.arange(3), columns] = END
    return (answers,)
