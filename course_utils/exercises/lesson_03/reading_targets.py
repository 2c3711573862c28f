"""Lesson 3: what is to be read, from left to right."""

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, in_two_calls, sizes
from course_utils.models import reading
from course_utils.models.reading import END, NOTHING


def reading_targets(labels: Tensor, boxes: Tensor) -> Tensor:
    """Write the digits of each image from left to right, then `END` (10) once, then `NOTHING` (-1).

    Takes labels `(batch, most_digits)`, 0 to 9, or -1 for an empty place, which may stand anywhere, and boxes `(batch,
    most_digits, 4)`, x0, y0, x1, y1 in pixels, of which x0 decides. Returns `(batch, most_digits + 1)` integers.
    """
    return reading.reading_targets(labels.gather(1, _order(labels, boxes)), labels.shape[1])


def _order(labels: Tensor, boxes: Tensor, empty: float = torch.inf) -> Tensor:
    """Say which place comes first, second, …; `empty` is where empty places are put."""
    return boxes[..., 0].double().masked_fill(labels == NOTHING, empty).argsort(dim=1, stable=True)


def sample(generator: torch.Generator, batch=4, digits=3) -> tuple[Tensor, Tensor]:
    """Make labels and boxes; the first row is full, the last one of several is empty."""
    labels = torch.randint(0, 10, (batch, digits), generator=generator)
    count = torch.linspace(digits, 0, batch).round().unsqueeze(1)
    empty = torch.rand(batch, digits, generator=generator).argsort(1) >= count
    left = torch.rand(batch, 10 * digits, generator=generator).argsort(1)[:, :digits]
    top, width, height = torch.randint(8, 40, (3, batch, digits), generator=generator)
    boxes = torch.stack([left, top, left + width, top + height], dim=-1)
    return labels.masked_fill(empty, NOTHING), boxes.masked_fill(empty.unsqueeze(-1), NOTHING)


def _images(*rows: str) -> tuple[Tensor, Tensor]:
    """Lay out images: "3@30 8@2 -" has the digit 3 at x0 = 30, the digit 8 at x0 = 2 and an empty place."""
    places = [[place.replace("-", "-1@-1").split("@") for place in row.split()] for row in rows]
    labels, left = torch.tensor([[[int(number) for number in place] for place in row] for row in places]).unbind(-1)
    boxes = torch.stack([left, 30 - 2 * (left % 7), left + 8 + 5 * left % 11, 40 + left % 5], dim=-1)
    return labels, boxes.masked_fill((left < 0).unsqueeze(-1), NOTHING)


@in_two_calls
def _written(labels: Tensor, boxes: Tensor, finish=lambda d, most: [*d, END], key=lambda digit, box: box[0]):
    """Make an answer that sorts (digit, box) by a key, and then writes each row of at most `most` digits."""
    most, rows = labels.shape[1], []
    for row in zip(labels.tolist(), boxes.tolist(), strict=True):
        real = [(digit, box) for digit, box in zip(*row, strict=True) if digit != NOTHING]
        digits = [digit for digit, _ in sorted(real, key=lambda pair: key(*pair))]
        rows.append([*finish(digits, most), *[NOTHING] * (most + 1)][: most + 1])
    return torch.tensor(rows)


@in_two_calls
def _ended(labels: Tensor, boxes: Tensor, in_order, is_digit=lambda labels: labels >= 0):
    """Make an answer that puts END behind as many of in_order(labels, boxes) as there are digits."""
    targets = nn.functional.pad(in_order(labels, boxes), (0, 1), value=NOTHING)
    return targets.scatter(1, is_digit(labels).sum(1, keepdim=True), END)


def _gathered(empty: float):
    return lambda labels, boxes: labels.gather(1, _order(labels, boxes, empty))


def _counted(labels: Tensor, boxes: Tensor) -> Tensor:
    far = torch.arange(labels.shape[1]) >= (labels >= 0).sum(1, keepdim=True)
    return _ended(lambda labels, _: labels.gather(1, _order(far.int().neg(), boxes)))(labels, boxes)


def _by_an_extra_digit(labels, boxes):
    limit = int(boxes.max()) + 1
    left = nn.functional.pad(torch.where(labels < 0, limit + 1, boxes[..., 0]), (0, 1), value=limit)
    return nn.functional.pad(labels, (0, 1), value=END).gather(1, left.argsort(dim=1))


def _by_ranks(labels, boxes):
    digits, left = labels.numpy(), boxes[..., 0].numpy()
    real = digits >= 0
    rank = ((left[:, None] < left[..., None]) & real[:, None]).sum(2)
    targets = torch.full((len(digits), digits.shape[1] + 1), NOTHING).numpy()
    targets[real.nonzero()[0], rank[real]] = digits[real]
    targets[range(len(digits)), real.sum(1)] = END
    return torch.from_numpy(targets)


FOUR = torch.tensor([[[20, 1, 60, 20], [35, 5, 45, 30], [30, 9, 40, 12], [4, 3, 15, 12]]])
ONE_DIGIT = "What does an image with one digit look like?"
EMPTY_FIRST = "Empty places have x0 = -1, so they came first: give them a larger x0 than any digit before you sort."
INFINITE = "Here x0 is larger than the number you gave to empty places: use infinity, or count the digits."
GATHER = "argsort says which place comes k-th: gather the labels in that order, do not scatter them."
LAST = "END follows the last digit of each row; yours always stands in the last place."
ZERO = "0 is a digit: only -1 stands for an empty place, so test labels != -1."
BORDER = "A digit may be at x0 = 0: only -1 stands for an empty place."

EXERCISE = Exercise(
    Task("03.reading-targets", "Write what is to be read, from left to right", 2, 12, "(batch, most_digits + 1)"),
    reading_targets,
    sample,
    cases=[
        Case("The digits come in the order of x0, then END.", (torch.tensor([[5, 8, 2, 6]]), FOUR)),
        Case("END follows the last digit of each row, and -1 fills up.", _images("3@30 8@2 -", "1@9 4@14 7@4")),
        Case("0 is a digit, x0 may be 0, and a digit may come twice.", _images("3@11 3@5 0@0", "0@7 - -")),
        Case("An empty place may stand anywhere.", _images("- 4@8 2@1", "- - 7@6")),
        Case("An image without digits is just END.", _images("- -", "5@3 8@1")),
        Case("x0 is compared as a number.", _images("1@100 2@20 3@9 4@300")),
        Case("Images may be any width.", _images("6@40002 1@40001 5@70 8@3000000 -")),
    ],
    demands=[sizes(batch=1, digits=1), sizes(digits=25)],
    mistakes=[
        Mistake("The digits are in the order they were given: sort them by x0.", _ended(lambda labels, boxes: labels)),
        Mistake("This is from right to left: the smallest x0 comes first.", _written(key=lambda digit, box: -box[0])),
        Mistake("You sorted by y: x0, the first number of each box, decides.", _written(key=lambda digit, box: box[1])),
        Mistake("You sorted by x1, the right side: the left side decides.", _written(key=lambda digit, box: box[2])),
        Mistake("You sorted by the middle of the box: x0 decides.", _written(key=lambda digit, box: box[0] + box[2])),
        Mistake("You sorted by value: x0 decides, not the digit.", _written(key=lambda digit, box: digit)),
        Mistake("You compared x0 as text: compare numbers.", _written(key=lambda digit, box: str(box[0]))),
        Mistake(GATHER, _ended(lambda labels, boxes: labels.scatter(1, _order(labels, boxes), labels))),
        Mistake("You returned places, not digits: take the labels in that order.", _ended(_order)),
        Mistake("END is missing behind the last digit.", _written(lambda d, most: d), ask=ONE_DIGIT),
        Mistake("END is missing in full rows: it comes last there.", _written(lambda d, most: [*d, END][:most])),
        Mistake("The result has one place more than the labels: END's.", lambda *a: reading_targets(*a)[:, :-1]),
        Mistake("END is missing where there is no digit.", _written(lambda d, most: d and [*d, END])),
        Mistake("END is 10; 0 is a digit.", _written(lambda d, most: [*d, 0])),
        Mistake("END comes after the last digit, not before the first.", _written(lambda d, most: [END, *d])),
        Mistake("END comes after the last digit, not in its place.", _written(lambda d, most: [*d[:-1], END])),
        Mistake("Write END once, and -1 behind it.", _written(lambda d, most: [*d, *[END] * (most + 1)])),
        Mistake("Behind END comes -1; 0 is a digit.", _written(lambda d, most: [*d, END, *[0] * most])),
        Mistake(LAST, _written(lambda d, most: [*d, *[NOTHING] * (most - len(d)), END]), ask=ONE_DIGIT),
        Mistake(EMPTY_FIRST, _ended(_gathered(-1.0)), ask=ONE_DIGIT),
        Mistake(EMPTY_FIRST, lambda *inputs: nn.functional.pad(_gathered(-1.0)(*inputs), (0, 1), value=END)),
        *[Mistake(INFINITE, _ended(_gathered(far))) for far in (10, 100, 1000, 9999, 1e5, 1e6)],
        Mistake("Every image has its own order; you took the first's.", _ended(lambda a, b: a[:, _order(a, b)[0]])),
        Mistake(ZERO, _ended(_gathered(torch.inf), lambda labels: labels > 0)),
        Mistake(ZERO, lambda labels, boxes: reading_targets(labels.where(labels != 0, NOTHING), boxes)),
        Mistake("A digit may come twice: keep both.", _written(lambda d, most: [*dict.fromkeys(d), END])),
        Mistake(BORDER, lambda labels, boxes: reading_targets(labels.where(boxes[..., 0] > 0, NOTHING), boxes)),
        Mistake("Here empty places stand before digits: test each label; do not count from the front.", _counted),
    ],
    right=[_by_an_extra_digit, _by_ranks, _written()],
)
