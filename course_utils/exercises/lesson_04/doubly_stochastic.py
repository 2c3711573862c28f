"""Lesson 4: the doubly stochastic penalty, which asks for attention to every cell."""

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, padding, sizes

WEIGHTS = torch.tensor([[[0.7, 0.2, 0.1], [0.6, 0.1, 0.3]], [[0.2, 0.1, 0.7], [0.0, 0.5, 0.5]]])
REAL = torch.ones(2, 2, dtype=torch.bool)


def coverage_penalty(attention_weights: Tensor, target_mask: Tensor, strength: float) -> Tensor:
    """Punish captions that attend to a cell more or less than once altogether: λ Σ_i (1 − Σ_t a_ti)².

    Takes attention weights (batch, steps, cells), the target mask (batch, steps), True at real words, and λ. Returns
    the mean over the batch, shape (); t runs over real words only. Source: Xu et al. 2015, arXiv 1502.03044, equation
    14.
    """
    return strength * (1 - _covered(attention_weights, target_mask)).square().sum(dim=1).mean()


def _covered(weights: Tensor, mask: Tensor, axis=1) -> Tensor:
    return weights.masked_fill(~mask.unsqueeze(2), 0.0).sum(dim=axis)


def sample(generator: torch.Generator, batch=3, steps=4, cells=5) -> tuple[Tensor, Tensor, float]:
    """Make weights, some of them zero, and a mask: the first caption is full, the last one has one word."""
    scores = 2 * torch.randn(batch, steps, cells, generator=generator)
    zero = (scores < -1.5) & (torch.arange(cells) > 0)
    mask = torch.arange(steps) < torch.linspace(steps, 1, batch).round().unsqueeze(1)
    return scores.masked_fill(zero, -torch.inf).softmax(2), mask, float(0.2 + torch.rand((), generator=generator))


def _gaps(hint, reduce, ask=""):
    return Mistake(hint, lambda a, m, s: reduce(1 - _covered(a, m), s), ask)


def _cover(hint, add_up, ask=""):
    return Mistake(hint, lambda a, m, s: s * (1 - add_up(a, m)).square().sum(1).mean(), ask)


def _by_loops(weights, mask, strength):
    cells = [cell for a, real in zip(weights, mask, strict=True) for cell in a[real].sum(0)]
    return sum(strength * (1 - cell) ** 2 for cell in cells) / len(weights)


def _by_mse(weights, mask, strength):
    once = torch.where(mask[..., None], weights, torch.zeros_like(weights)).sum(-2)
    return nn.functional.mse_loss(once, torch.ones_like(once)) * strength * weights.shape[2]


OVER_CELLS = "The weights over the cells sum to one by themselves: add over the steps, dimension 1."
OVER_STEPS = "Sum over the steps; you took the mean over them."
STEPS_FIRST = "Add up a cell's weights over the steps first, inside the square."
LATE = "The mask comes too late: padding adds its 1 − a to the sum. Mask the weights themselves."
AXIS = "The mask met the cells: make it (batch, steps, 1), so that it masks the steps."
CUT = "A cell may also get too much, and its gap is never cut: the square counts both ways."
NAN = "0 times NaN is NaN: put 0 in place of padded weights (torch.where or masked_fill), do not multiply."
FIXED = "Which sum does the softmax not fix?"
LACK = "Two words give a cell a half each: what does it lack?"
AFTER = "What does a short caption attend to after its end?"

EXERCISE = Exercise(
    Task("04.doubly-stochastic", "Ask for attention to every cell", 2, 10, "(), one number"),
    coverage_penalty,
    sample,
    cases=[
        Case("It is the sum over the cells of λ times the square of what each lacks to one.", (WEIGHTS, REAL, 0.6)),
        Case("Padded steps attend to nothing.", (WEIGHTS, torch.tensor([[True, False], [True, True]]), 2.0)),
        Case("It is zero if each cell's weights sum to one.", (torch.full((1, 4, 4), 0.25), torch.ones(1, 4) > 0, 3.0)),
        Case("Batch, steps and cells may be equal.", dict(batch=4, steps=4, cells=4)),
        Case("λ and a cell's sum may be large.", (torch.eye(3)[:1].repeat(2, 90, 1), torch.ones(2, 90) > 0, 1e3)),
    ],
    demands=[
        padding(attention_weights="target_mask"),
        sizes(batch=1, steps=1, cells=1),
        sizes(steps=70, cells=30),
        differentiable("attention_weights", normalised=("attention_weights",)),
    ],
    mistakes=[
        _cover(OVER_CELLS, lambda a, m: (a * m[..., None]).sum(2), FIXED),
        _cover("Add over the steps, dimension 1, not over the batch.", lambda a, m: _covered(a, m, 0), FIXED),
        _cover("Padding was counted: zero the weights of masked steps before the sum.", lambda a, m: a.sum(1), AFTER),
        _cover("The mask is upside down: True marks a real word.", lambda a, m: _covered(a, ~m)),
        Mistake(LATE, lambda a, m, s: s * _covered(1 - a, m).square().sum(1).mean(), AFTER),
        _cover("All captions have the mask of the first.", lambda a, m: _covered(a, m[:1])),
        _cover(NAN, lambda a, m: (a * m[..., None]).sum(1)),
        _cover("Padded weights are 0, not -inf.", lambda a, m: a.masked_fill(~m[..., None], -torch.inf).sum(1)),
        _cover(AXIS, lambda a, m: (a * m[:, None]).sum(1)),
        _cover(AXIS, lambda a, m: (a * m).sum(1)),
        _cover(OVER_STEPS, lambda a, m: _covered(a, m) / m.shape[1]),
        _cover(OVER_STEPS, lambda a, m: _covered(a, m) / m.sum(1, True)),
        _cover("Compare with 1, not words per cell.", lambda a, m: _covered(a, m) - m.sum(1, True) / a.shape[2] + 1),
        _cover("Compare with one: the square is of 1 − Σ_t a_ti.", lambda a, m: _covered(a, m) + 1),
        Mistake(STEPS_FIRST, lambda a, m, s: s * _covered((1 - a).square(), m).sum(1).mean(), LACK),
        _gaps("The square is missing: too much and too little cancel out.", lambda d, s: s * d.sum(1).mean()),
        _gaps("Square the difference; you took its absolute value.", lambda d, s: s * d.abs().sum(1).mean()),
        _gaps("Square each cell's gap before you add them up.", lambda d, s: s * d.sum(1).square().mean(), LACK),
        _gaps("Leave the square as it is, without a root.", lambda d, s: s * d.norm(dim=1).mean()),
        _gaps("λ is missing: multiply by strength.", lambda d, s: d.square().sum(1).mean()),
        _gaps("λ stands outside the square.", lambda d, s: (s * d).square().sum(1).mean()),
        _gaps("Multiply by λ; you divided by it.", lambda d, s: d.square().sum(1).mean() / s),
        _gaps("Sum over the cells; you took the mean over them.", lambda d, s: s * d.square().mean()),
        _gaps("Take the mean over the captions; you summed over them.", lambda d, s: s * d.square().sum()),
        _gaps("Sum over cells, mean over captions: yours are swapped.", lambda d, s: s * d.square().mean(1).sum()),
        _gaps("Square before the mean over the batch.", lambda d, s: s * d.mean(0).square().sum()),
        _gaps("A penalty is added to a loss: it is above zero.", lambda d, s: -s * d.square().sum(1).mean()),
        _gaps(CUT, lambda d, s: s * d.relu().square().sum(1).mean()),
        _gaps(CUT, lambda d, s: s * d.clamp(-1, 1).square().sum(1).mean()),
        Mistake("Divide by captions, not by words.", lambda a, m, s: coverage_penalty(a, m, s) * len(m) / m.sum()),
    ],
    right=[_by_loops, _by_mse],
)
