"""Lesson 0: average the real entries of each row."""

import numpy
import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, padding, sizes

VALUES = torch.tensor([[4.0, 60.0, 70.0, 80.0], [1.0, 2.0, 3.0, 50.0]])  # the first row is not the longest
MASK = torch.tensor([[True, False, False, False], [True, True, True, False]])
SQUARE = torch.tensor([[1.5, 2.0, 6.0], [2.0, 2.5, 9.0], [-4.0, 7.0, 8.0]])
SQUARE_MASK = torch.tensor([[True, True, True], [True, True, False], [True, False, False]])
HOLES = torch.tensor([[False, True, True], [True, False, True], [False, False, True]])


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Average the real entries of each row, `(rows,)`.

    Takes values `(rows, length)`, in padding anything, NaN too; and a mask of the same shape, True = real entry, at
    least one in each row.
    """
    return torch.where(mask, values, 0).sum(dim=1) / mask.sum(dim=1)


def sample(generator: torch.Generator, rows=4, length=6) -> tuple[Tensor, Tensor]:
    """Make values with a real zero, and a mask: the first row is full, the last one has one real entry."""
    values = 5 * torch.randn(rows, length, generator=generator)
    values[0, 0] = 0.0
    mask = torch.rand(rows, length, generator=generator) < 0.6
    mask[:, 0] = mask[0] = True
    mask[-1] = torch.arange(length) == length // 2
    return values, mask


def _real_sum(values, mask):
    return torch.where(mask, values, 0).sum(1)


def _row_by_row(average):
    return lambda values, mask: torch.stack([average(row, real) for row, real in zip(values, mask, strict=True)])


COUNT = "Divide by the number of real entries, mask.sum(dim=1), not by the length of the row."
MULTIPLIED = "NaN does not go away by multiplying by 0 or by subtracting it: replace padding by 0, as torch.where does."
ZEROS = "A real entry may be zero: count the True entries of the mask, not the values that are not zero."
FIRST = "You took the beginning of each row. Real entries may be anywhere: select them by the mask."
SAME = "All rows were averaged over the same positions: each row has its own mask."
WHOLE = "Divide by / and keep the fraction: a mean need not be a whole number."
TYPED = "The result is always that of the first case: compute it from `values` and `mask`."
THOUSAND = "What happens to your result if I write 1000 into the padding?"
PRINT = "Print the mask beside the sentence: which word is True?"
REAL = "How many entries are real in the second row?"
DIMENSION = "Which dimension goes away, and what is left?"

EXERCISE = Exercise(
    Task("00.masked-mean", "Average the real entries", 1, 3, "(rows,)"),
    masked_mean,
    sample,
    cases=[
        Case("Padding counts neither in the sum nor in the number of entries.", (VALUES, MASK)),
        Case("With nothing masked it is the plain mean of each row.", (SQUARE, torch.ones_like(SQUARE_MASK))),
        Case("Every row has its own number of real entries.", (SQUARE, SQUARE_MASK)),
        Case("Real entries may stand anywhere: the mask says where.", (SQUARE, HOLES)),
        Case("A real entry may be zero, and it counts.", (torch.tensor([[0.0, 3.0, 0.0], [0.0, 5.0, 9.0]]), HOLES[:2])),
        Case("Equal entries count each time.", (torch.tensor([[2.0, 2.0, 5.5]]), torch.ones(1, 3, dtype=torch.bool))),
        Case("Entries may be large: nothing is cut.", (-1e20 * SQUARE, HOLES)),
    ],
    demands=[padding(values="mask"), sizes(rows=1), sizes(length=1), sizes(length=2051)],
    mistakes=[
        Mistake("Equal entries count each time they come.", _row_by_row(lambda row, real: row[real].unique().mean())),
        Mistake("The mask is not used: padding is averaged too.", lambda v, m: v.mean(1), THOUSAND),
        Mistake("Padding is still in the sum: mask it there, too.", lambda v, m: v.sum(1) / m.sum(1), THOUSAND),
        Mistake(COUNT, lambda v, m: _real_sum(v, m) / m.shape[1], REAL),
        Mistake(MULTIPLIED, lambda v, m: (v * m).sum(1) / m.sum(1), "What is 0 times infinity?"),
        Mistake("This is the sum: divide it by the number of real entries, mask.sum(dim=1).", _real_sum, REAL),
        Mistake("The mask is upside down: True marks a real entry.", lambda v, m: masked_mean(v, ~m), PRINT),
        Mistake("Average along the rows, dimension 1, not dimension 0.", lambda v, m: masked_mean(v.T, m.T), DIMENSION),
        Mistake("This is one mean for all rows: give each its own.", lambda v, m: v[m].mean(), DIMENSION),
        Mistake("The result has one dimension, (rows,).", lambda v, m: masked_mean(v, m).unsqueeze(1), DIMENSION),
        Mistake("One row alone has a result of shape (1,), too.", lambda v, m: masked_mean(v, m).squeeze()),
        Mistake("mask.sum() counts all rows together: add dim=1.", lambda v, m: _real_sum(v, m) / m.sum(), REAL),
        Mistake("Divide by the number of real entries n, not by n − 1.", lambda v, m: _real_sum(v, m) / (m.sum(1) - 1)),
        *[Mistake(SAME, lambda v, m, n=n: v[:, : int(n(m.sum(1)))].mean(1)) for n in (lambda n: n[0], torch.amax)],
        *[Mistake(SAME, lambda v, m, use=use: v[:, use(m)].mean(1)) for use in (lambda m: m[0], lambda m: m.any(0))],
        Mistake(FIRST, _row_by_row(lambda row, real: row[: int(real.sum())].mean())),
        Mistake(FIRST, _row_by_row(lambda row, real: row[real.cumprod(0) > 0].sum() / real.cumprod(0).sum().clamp(1))),
        Mistake("This is the largest real entry: take the mean.", _row_by_row(lambda row, real: row[real].amax())),
        Mistake("This is the median: take the mean.", _row_by_row(lambda row, real: row[real].median())),
        Mistake(ZEROS, lambda v, m: _real_sum(v, m) / _real_sum(v != 0, m).clamp(min=1)),
        *[Mistake(WHOLE, lambda v, m, cut=cut: cut(masked_mean(v, m))) for cut in (torch.floor, torch.round)],
        Mistake(TYPED, lambda v, m: masked_mean(VALUES, MASK), "Would it work on a batch that I choose?"),
        Mistake("The count does not fit into 8 bits.", lambda v, m: _real_sum(v, m) / m.sum(1).to(torch.uint8)),
    ],
    right=[
        _row_by_row(lambda row, real: row[real].mean()),
        lambda v, m: v.masked_fill(~m, torch.nan).nanmean(dim=1),
        lambda v, m: torch.einsum("ij->i", v.masked_fill(~m, 0)) / m.count_nonzero(dim=1),
        lambda v, m: torch.from_numpy(numpy.mean(v.numpy(), axis=1, where=m.numpy())),
    ],
)
