"""Lesson 2: turn scores into weights that are exactly zero on padding."""

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, dtypes, extremes, sizes
from course_utils.exercises.zeros import EXACTLY, exactly_zero
from course_utils.mechanisms import attention

SCORES = torch.tensor([[0.5, 2.0, -1.0, 3.0], [1.0, 0.0, 5.0, 4.0], [-2.0, 1.0, 0.0, 0.5]])
MASK = torch.tensor([[True, True, True, False], [True, True, False, False], [True, True, True, True]])


def masked_softmax(scores: Tensor, source_mask: Tensor) -> Tensor:
    """Turn scores into weights; True in the mask marks a real position."""
    return attention.masked_softmax(scores, source_mask)


def sample(generator: torch.Generator, batch=4, length=6) -> tuple[Tensor, Tensor]:
    """Make scores and a mask; the first row is full, the last one has one real token."""
    scores = 3 * torch.randn(batch, length, generator=generator)
    return scores, torch.arange(length) < torch.linspace(length, 1, batch).round().unsqueeze(1)


def _hidden(scores, mask, number=-torch.inf):
    return scores.masked_fill(~mask, number)


def _hiding_by(number):
    return lambda scores, mask: _hidden(scores, mask, number).softmax(-1)


def _shared_out(positive):
    return positive / positive.sum(-1, keepdim=True)


BATCH = "The softmax runs over the batch: take the last dimension, the source positions."
NULL = "A score of 0 is not hidden, its exponential is 1: padding needs minus infinity."
OVERFLOW = "exp overflows or is zero throughout: let torch.softmax take it, with hidden scores minus infinity."
BESIDE = "Padding took part in the exponentials, where it overflows or turns real ones to zero: hide the scores first."
ZERO = "Padding gets exactly zero, and the real positions share out one."
FAR_BELOW = torch.tensor([[-1e5, -1e5, 0.0, 7.0], [-300.0, -302.0, -301.0, -1.0], [-300.0, -302.0, -301.0, -230.0]])
EQUAL = torch.tensor([[-1e30, -1e30, 0.0], [1e30, 1e30, 2e30]])
INFINITE = "A finite number does not hide padding from every score: use minus infinity, float('-inf')."
SUMS = "The rows do not sum to one: hide the scores before the softmax, not the weights after it."

EXERCISE = Exercise(
    Task("02.masked-softmax", "Turn scores into weights", 2, 8, "(batch, source_length)"),
    masked_softmax,
    sample,
    cases=[
        Case("With nothing masked each row is the softmax of its scores.", (SCORES, torch.ones_like(MASK))),
        Case(ZERO, (SCORES, MASK), exactly_zero(masked_softmax), note=EXACTLY),
        Case("True may stand anywhere in a row.", (SCORES, MASK[:, [0, 3, 1, 2]])),
        Case("Real scores may be far below those of padding.", (FAR_BELOW, MASK[[1, 0, 0]]), tolerance=1e-3),
        Case("Equal scores have equal weights, however large they are.", (EQUAL, MASK[1:2, :3].expand(2, 3))),
        Case("Large scores do not overflow.", (torch.tensor([[1000.0, 998.0, 2000.0]]), MASK[:1, 1:])),
    ],
    demands=[
        extremes(scores="source_mask"),
        sizes(batch=1, length=1),
        sizes(length=300),
        dtypes(torch.float64),
        differentiable("scores"),
    ],
    mistakes=[
        Mistake("The mask is not used: padding gets weight.", lambda x, m: x.softmax(-1)),
        Mistake("The mask is upside down: True marks a real position.", lambda x, m: _hidden(x, ~m).softmax(-1)),
        Mistake(BATCH, lambda x, m: _hidden(x, m).softmax(0), "Which numbers have to sum to one?"),
        Mistake("Each row must sum to one.", lambda x, m: _hidden(x, m).ravel().softmax(0).view_as(x)),
        Mistake(SUMS, lambda x, m: x.softmax(-1) * m),
        Mistake("Hide the scores before the softmax, not the weights.", lambda x, m: _hidden(x.softmax(-1), m)),
        Mistake(NULL, lambda x, m: (x * m).softmax(-1), "What is exp(0)?"),
        Mistake("You returned the logarithms.", lambda x, m: masked_softmax(x, m).log()),
        Mistake("All rows were hidden by the first one's mask.", lambda x, m: masked_softmax(x, m[:1])),
        Mistake("You divided the scores: take their exponentials first.", lambda x, m: _shared_out(x * m)),
        Mistake(OVERFLOW, lambda x, m: _shared_out(x.exp() * m)),
        Mistake(BESIDE, lambda x, m: _shared_out(x.softmax(-1) * m)),
        Mistake(BESIDE, lambda x, m: (w := x.softmax(-1) * m) / (w.sum(-1, keepdim=True) + 1e-9)),
        Mistake(BESIDE, lambda x, m: _shared_out((x - _hidden(x, m).amax(-1, keepdim=True)).exp() * m)),
        Mistake(BESIDE, lambda x, m: _shared_out(_hidden((x - _hidden(x, m).amax(-1, keepdim=True)).exp(), m, 0))),
        Mistake("True may stand anywhere.", lambda x, m: masked_softmax(x, m.sort(descending=True)[0])),
        *[Mistake(INFINITE, _hiding_by(-(10.0**k)), "And if scores are near −20,000?") for k in (1, 2, 3, 4, 6, 9, 20)],
        Mistake(INFINITE, lambda x, m: (x - 1e9 * ~m).softmax(-1)),
        Mistake(INFINITE, lambda x, m: _hidden(x, m, x.min().item() - 1e4).softmax(-1)),
        Mistake("Scores are cut: a softmax needs no limits.", lambda x, m: masked_softmax(x.clamp(-10, 10), m)),
    ],
    right=[
        lambda x, m: (x + m.log()).softmax(-1),
        lambda x, m: torch.where(m, x, torch.tensor(-torch.inf, dtype=x.dtype)).softmax(-1),
        lambda x, m: _hidden(x, m).log_softmax(-1).exp(),
        lambda x, m: _shared_out((_hidden(x, m) - _hidden(x, m).amax(-1, keepdim=True)).exp()),
        lambda s, M: torch.stack(
            [row.new_zeros(len(row)).masked_scatter(m, row[m].softmax(0)) for row, m in zip(s, M, strict=True)]
        ),
    ],
)
