"""Lesson 3: what is read ends at the first END."""

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, in_two_calls, sizes
from course_utils.models.reading import END, NOTHING


def stop_at_end(answers: Tensor) -> Tensor:
    """Blank out each row, `(batch, steps)` integers from 0 to 10, from its first `END` (10) on with `NOTHING` (-1)."""
    return answers.masked_fill(_ends(answers) > 0, NOTHING)


def _ends(answers: Tensor) -> Tensor:
    return (answers == END).cumsum(dim=1)


def sample(generator: torch.Generator, batch=4, steps=6) -> tuple[Tensor]:
    """Make answers; each row but the first, if there are several, has an END somewhere."""
    answers = torch.randint(0, 10, (batch, steps), generator=generator)
    places = torch.randint(0, steps, (batch, 2), generator=generator)
    places[:-1][:1] = steps
    return (answers.masked_fill((torch.arange(steps) == places.unsqueeze(2)).any(1), END),)


def _said(*rows: list[int]) -> tuple[Tensor]:
    return (torch.tensor(rows),)


def _hidden(where, fill: int = NOTHING):
    return lambda answers: answers.masked_fill(where(answers), fill)


@in_two_calls
def _cut(answers: Tensor, find):
    """Make an answer that cuts each row, a list, at find(row); None: not at all."""
    kept = [row if place is None else row[:place] for row, place in [(row, find(row)) for row in answers.tolist()]]
    return torch.tensor([row + [NOTHING] * (answers.shape[1] - len(row)) for row in kept])


def _first(row: list[int]) -> int | None:
    return row.index(END) if END in row else None


def _by_first_place(answers):
    is_end = answers == END
    place = torch.where(is_end.any(1), is_end.int().argmax(1), answers.shape[1])
    return torch.where(torch.arange(answers.shape[1]) < place[:, None], answers, NOTHING)


AGAIN = "A later END switches reading on again: count the ENDs so far; any number above zero is the end."
EMPTY = "A row without END came out empty: argmax over no True is 0, the first place."
LAST = "You stopped at the last END: the first one counts."
WITHOUT = "And a row without an END?"
OWN = "Each row has its own END: you cut all of them at {}."
SHORT = "Keep the shape, and return a tensor: fill up with -1, do not shorten."
DIGIT = "{} is a digit; only END, which is 10, stops."

EXERCISE = Exercise(
    Task("03.stop-at-end", "Stop at the end", 2, 8, "(batch, steps)"),
    stop_at_end,
    sample,
    cases=[
        Case("Digits before END stay, and from END on every place is -1.", _said([4, 0, 6, 10, 7], [3, 10, 5, 5, 1])),
        Case("The first of several ENDs counts.", _said([10, 2, 10, 6], [1, 10, 10, 9], [8, 10, 3, 10])),
        Case("A row without END stays as it is.", _said([4, 9, 0, 6], [10, 9, 0, 1], [0, 0, 10, 2])),
        Case("END may come last.", _said([9, 0, 10], [7, 7, 7], [1, 10, 2])),
        Case("END may come any number of times.", _said([END] * 600, [4, END, 7] * 200)),
    ],
    demands=[sizes(steps=1), sizes(batch=1, steps=40)],
    mistakes=[
        Mistake("Only END itself is blanked out: what comes after it must go, too.", _hidden(lambda a: a == END)),
        Mistake("END is no digit: it becomes -1 as well.", _hidden(lambda a: _ends(a) > (a == END).int())),
        Mistake("Nothing was cut: stop at END.", lambda answers: answers.clone()),
        Mistake("You kept what FOLLOWS END: keep what is before.", _hidden(lambda a: (_ends(a) == 0) | (a == END))),
        Mistake(
            "You cut the digit before END, too.", _cut(lambda row: max(_first(row) - 1, 0) if END in row else None)
        ),
        Mistake("Blank out with -1; 0 is a digit.", _hidden(lambda a: _ends(a) > 0, 0)),
        Mistake("Blank out with -1, not with END.", _hidden(lambda a: _ends(a) > 0, END)),
        Mistake(LAST, _cut(lambda row: len(row) - 1 - row[::-1].index(END) if END in row else None), ask=WITHOUT),
        Mistake("You stopped at the second END: the first one counts.", _hidden(lambda a: _ends(a) > 1), ask=WITHOUT),
        *[Mistake(AGAIN, _hidden(where)) for where in (lambda a: _ends(a) == 1, lambda a: _ends(a) % 2 == 1)],
        Mistake(AGAIN, _hidden(lambda a: (a == END).to(torch.uint8).cumsum(1, dtype=torch.uint8) > 0)),
        Mistake(EMPTY, _hidden(lambda a: torch.arange(a.shape[1]) >= (a == END).int().argmax(1, True)), ask=WITHOUT),
        Mistake("A row that begins with END is empty; you left it as it was.", _cut(lambda row: _first(row) or None)),
        Mistake("A row without END lost its last digit.", _cut(lambda row: _first([*row[:-1], END]))),
        Mistake(OWN.format("the earliest"), _hidden(lambda a: (a == END).any(0).cumsum(0) > 0)),
        Mistake(OWN.format("the first row's"), _hidden(lambda a: _ends(a)[0] > 0)),
        Mistake("You went down the batch: steps are dimension 1.", _hidden(lambda a: (a == END).cumsum(0) > 0)),
        Mistake(DIGIT.format(9), _hidden(lambda a: (a >= 9).cumsum(1) > 0)),
        Mistake(DIGIT.format(0), _hidden(lambda a: (a % 10 == 0).cumsum(1) > 0)),
        Mistake(SHORT, lambda a: (kept := stop_at_end(a))[:, : int((kept >= 0).sum(1).max())]),
        Mistake(SHORT, lambda a: [row[: _first(row)] for row in a.tolist()]),
    ],
    right=[
        _by_first_place,
        _cut(_first),
        lambda answers: torch.from_numpy(stop_at_end(answers).numpy()),
        lambda answers: (answers + 1) * (answers != END).long().cumprod(dim=1) - 1,
    ],
)
