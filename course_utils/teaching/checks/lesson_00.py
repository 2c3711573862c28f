"""The trial exercise of `00_start_here`."""

import torch
from torch import Tensor

from course_utils.teaching.exercises import Exercise, expect, expect_close


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Average the real entries of each row."""
    return (values * mask).sum(dim=1) / mask.sum(dim=1)


exercise = Exercise("00.masked-mean", "Average the real entries", difficulty=1, minutes=3, reference=masked_mean)
EXERCISES = [exercise]

VALUES = torch.tensor([[1.0, 2.0, 3.0, 50.0], [4.0, 60.0, 70.0, 80.0]])
MASK = torch.tensor([[True, True, True, False], [True, False, False, False]])


@exercise.behaviour("returns one number per row")
def _(answer):
    full = torch.ones(2, 3, dtype=torch.bool)
    values = torch.tensor([[1.0, 2.0, 6.0], [2.0, 2.0, 2.0]])
    expect_close(answer(values, full), torch.tensor([3.0, 2.0]), "Average over dimension 1, not 0.", "(rows,)")


@exercise.behaviour("leaves padding out of the sum")
def _(answer):
    louder = VALUES.masked_fill(~MASK, 1000.0)
    hint = "Padding changed your result: multiply by the mask (True = real entry) before you sum."
    expect(torch.equal(answer(VALUES.clone(), MASK.clone()), answer(louder, MASK.clone())), hint)


@exercise.behaviour("divides by the number of real entries")
def _(answer):
    hint = "Divide by how many entries are real, mask.sum(dim=1), not by the length of the row."
    expect_close(answer(VALUES.clone(), MASK.clone()), torch.tensor([2.0, 4.0]), hint, "(rows,)")


@exercise.own_data
def _(generator):
    mask = torch.rand(4, 6, generator=generator) < 0.6
    mask[:, 0] = True  # each row has a real entry
    return torch.randn(4, 6, generator=generator), mask
