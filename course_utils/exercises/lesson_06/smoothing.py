"""Lesson 6: normalise scores with a sigmoid in place of the exponential."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import hardsigmoid, logsigmoid, softplus

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, dtypes, extremes, sizes
from course_utils.exercises.zeros import EXACTLY, exactly_zero
from course_utils.mechanisms.attention import masked_softmax
from course_utils.mechanisms.location import smooth_weights

SCORES = torch.tensor([[2.0, -1.0, 0.5, 3.0], [0.0, 4.0, -0.5, -3.0], [-2.0, 1.0, 0.0, 0.5]])
VERY_LOW = torch.tensor([[-200.0, -201.0, -203.0, 5.0], [-99.0, -98.0, -97.0, -95.0]])
MASK = torch.tensor([[True, True, True, False], [True, True, True, True], [True, False, False, False]])


def sample(generator: torch.Generator, batch=4, frames=6) -> tuple[Tensor, Tensor]:
    """Make scores, those of one row far below zero, and a mask with a full row and a row with one real frame."""
    height = 2 - 30 * (torch.arange(batch).unsqueeze(1) == 1)
    lengths = torch.linspace(frames, 1, batch).round().unsqueeze(1)
    return 3 * torch.randn(batch, frames, generator=generator) + height, torch.arange(frames) < lengths


def _share(gates):
    return gates / gates.sum(1, keepdim=True)


def _gating(gates: Callable) -> Callable:
    """Make an answer that shares out other gates(scores), padding left out."""
    return lambda e, m: _share(gates(e) * m)


def _divided(divisor: Callable) -> Callable:
    """Make an answer that divides the sigmoids by divisor(real sigmoids, mask)."""
    return lambda e, m: e.sigmoid() * m / divisor(e.sigmoid() * m, m)


WHOLE = "The sum runs over the real frames of one utterance, dim=1."
PADDING = "Padding gets exactly zero, and the real frames share out one."
SUM = "Divide the sigmoids by their sum."
TWICE = "Divide the sigmoids by their sum; a softmax of them takes exponentials again."
LOGS = "Take the softmax of torch.nn.functional.logsigmoid(scores): that is the same quotient."
LOW = f"Where all scores are very low, every sigmoid is zero, and so is their sum. {LOGS}"
OTHER = "This is another function that rises: the paper takes σ(x) = 1 / (1 + exp(−x))."
SUMS = "Padding must be out of the sum, too: hide it before you divide, not after."
HALF = "A score of 0 is not hidden, its sigmoid is a half: give padding the weight zero before the division."
INFINITE = "A finite number does not hide padding from every score: use minus infinity, float('-inf')."
ONE = "Do the weights sum to one? And is the largest still nearly everything?"
CUT = "Scores or sigmoids are cut or rounded: very low ones must still differ."

EXERCISE = Exercise(
    Task("06.smoothing", "Normalise scores with sigmoids", 2, 8, "(batch, frames)"),
    smooth_weights,
    sample,
    cases=[
        Case("With nothing masked each weight is σ(e) over the sum of the row.", (SCORES, torch.ones_like(MASK))),
        Case(PADDING, (SCORES, MASK), exactly_zero(smooth_weights), note=EXACTLY),
        Case("Scores far above zero weigh about the same.", (torch.tensor([[500.0, 30.0, 20.0, 9.0]]), MASK[:1])),
        Case("Scores far below zero have sigmoids that differ, and share out one.", (VERY_LOW, MASK[:2])),
        Case("Batch and frames may be equal.", dict(batch=3, frames=3)),
    ],
    demands=[extremes(scores="mask"), sizes(batch=1, frames=300), dtypes(torch.float64), differentiable("scores")],
    mistakes=[
        Mistake("This is a softmax: put a sigmoid in place of the exponential.", masked_softmax),
        Mistake(f"The sigmoids do not sum to one. {SUM}", lambda e, m: e.sigmoid() * m, ask=ONE),
        Mistake(TWICE, lambda e, m: masked_softmax(e.sigmoid(), m)),
        Mistake("No softmax before the sigmoid.", lambda e, m: masked_softmax(e, m).sigmoid() * m),
        Mistake(LOW, _gating(torch.sigmoid), ask="What is σ(−200) in this precision? And log σ(−200)?"),
        Mistake(LOW, lambda e, m: masked_softmax(e.sigmoid().log(), m)),
        Mistake(f"{LOW} A small number there is no help.", _divided(lambda g, m: g.sum(1, keepdim=True) + 1e-8)),
        Mistake("The mask is not used: padding gets weight.", lambda e, m: _share(e.sigmoid())),
        Mistake(SUMS, lambda e, m: _share(e.sigmoid()) * m),
        Mistake(HALF, lambda e, m: _share((e * m).sigmoid()), ask="What is σ(0)?"),
        Mistake(HALF, lambda e, m: _share(e.masked_fill(~m, 0).sigmoid()) * m),
        *[Mistake(INFINITE, lambda e, m, x=x: logsigmoid(e).where(m, x).softmax(1)) for x in (-1e9, -1e4, -1e3)],
        Mistake("The mask is upside down: True marks a real frame.", lambda e, m: _share(e.sigmoid()) * ~m),
        Mistake(f"You divided by the sum over the batch. {WHOLE}", _divided(lambda g, m: g.sum(0))),
        Mistake(f"You divided by the sum over everything. {WHOLE}", _divided(lambda g, m: g.sum())),
        Mistake(f"{SUM} Not by the number of frames.", _divided(lambda g, m: m.sum(1, keepdim=True))),
        Mistake(f"{SUM} Not by the largest.", _divided(lambda g, m: g.amax(1, keepdim=True))),
        Mistake("A high score means a high weight.", _gating(lambda e: (-e).sigmoid())),
        *[Mistake(OTHER, _gating(rises)) for rises in (torch.tanh, torch.relu, softplus, hardsigmoid)],
        Mistake("Logarithms need a softmax: log σ alone is no weight.", lambda e, m: logsigmoid(e)),
        Mistake("Logarithms need a softmax, not a division by their sum.", _gating(logsigmoid)),
        Mistake("These are the logarithms of the weights.", lambda e, m: smooth_weights(e, m).log()),
        Mistake("All utterances have the mask of the first.", lambda e, m: _share(e.sigmoid() * m[0])),
        Mistake(CUT, lambda e, m: smooth_weights(e.clamp(min=-80), m)),
        Mistake(CUT, lambda e, m: smooth_weights(e.clamp(-10, 10), m)),
        Mistake(f"exp(x) overflows for high scores. {LOGS}", lambda e, m: masked_softmax(e - (1 + e.exp()).log(), m)),
        Mistake("float64 became float32: keep the type that came in.", lambda e, m: smooth_weights(e.float(), m)),
    ],
    right=[
        lambda e, m: torch.where(m, -softplus(-e), -torch.inf).softmax(-1),
        lambda e, m: (e - softplus(e)).masked_fill(~m, torch.finfo(e.dtype).min).log_softmax(1).exp(),
        lambda e, m: (h := logsigmoid(e) + m.log()).sub(h.logsumexp(1, keepdim=True)).exp(),
    ],
)
