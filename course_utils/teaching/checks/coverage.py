"""The exercise of lesson 4 on looking at everything once, the doubly stochastic penalty; `lesson_04.py` lists it."""

import torch
from torch import Tensor

from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close


def coverage_penalty(attention_weights: Tensor, target_mask: Tensor, strength: float) -> Tensor:
    """Punish captions that look at a cell more or less than once altogether.

    λ Σ_i (1 − Σ_t a_ti)², the mean over the batch; t runs over the real tokens.

    Source: Xu et al. 2015, arXiv 1502.03044, equation 14.

    Args:
        attention_weights: `(batch, steps, cells)`.
        target_mask: `(batch, steps)` booleans, True = real token.
        strength: λ.

    Returns:
        A scalar.
    """
    looked = (attention_weights * target_mask.unsqueeze(2)).sum(dim=1)  # (batch, cells)
    return strength * (1 - looked).square().sum(dim=1).mean()


covering = Exercise("04.doubly-stochastic", "Ask for a look at everything", 2, 10, coverage_penalty)
EXERCISES = [covering]


def expect_number(result: object, right: Tensor, hint: str, *slips: tuple[str, Tensor]) -> None:
    """Insist on one number; slips are (hint, result)."""
    if isinstance(result, float | int):
        expect(False, "Return a torch tensor, not a Python number: only a tensor carries a gradient.")
    recognise(result, *slips)
    expect_close(result, right, hint, "(), one number")


@covering.behaviour("adds up the looks at each cell, and squares what they lack to one")
def _(answer):
    rows = [[0.7, 0.1, 0.1, 0.05, 0.05], [0.6, 0.2, 0.1, 0.05, 0.05], [0.1, 0.5, 0.1, 0.1, 0.2]]
    weights, strength = torch.tensor([rows]), 0.3
    result = answer(weights.clone(), torch.ones(1, 3, dtype=torch.bool), strength)
    looked = weights.sum(dim=1)  # (batch, cells)
    lack = 1 - looked
    right = strength * lack.square().sum()
    cells = "You added the weights over the cells, which is always one: add them over the steps, dimension 1."
    over_cells = 1 - weights.sum(dim=2)
    sums = "Sum over the cells; you took the mean over them."
    expect_number(
        result,
        right,
        "Expected λ Σ_i (1 − Σ_t a_ti)²: over the steps inside, over the cells outside.",
        (cells, strength * over_cells.square().sum()),
        (cells, torch.zeros(1)),
        ("The square is missing: looks too many and too few cancel out.", strength * lack.sum()),
        ("Square the difference; you took its absolute value.", strength * lack.abs().sum()),
        ("Square each cell's difference before you add them up.", strength * lack.sum().square()),
        ("Take the square as it is, without a root.", strength * lack.square().sum().sqrt()),
        ("The strength λ is missing.", lack.square().sum()),
        ("λ stands outside the square.", (strength * lack).square().sum()),
        ("λ stands outside the square.", (1 - strength * looked).square().sum()),
        ("Multiply by λ; you divided by it.", lack.square().sum() / strength),
        (sums, strength * lack.square().mean()),
        (sums, right / 5),
        ("Sum over the steps; you took the mean over them.", strength * (1 - weights.mean(dim=1)).square().sum()),
        (
            "Add over the steps first, inside the square: Σ_t a_ti is one number for each cell.",
            strength * (1 - weights).square().sum(),
        ),
        ("Compare with one: the square is of 1 − Σ_t a_ti, not of Σ_t a_ti.", strength * looked.square().sum()),
        ("The penalty is added to a loss: it is above zero.", -right),
        ("Return one number: sum over the cells.", strength * lack.square()),
        ("Return one number: sum over the cells.", strength * lack.square()[0]),
        ("Only the largest gap counts for you: sum over all cells.", strength * lack.square().max()),
        (
            "A cell may also get too much: do not cut the differences off at zero.",
            strength * lack.relu().square().sum(),
        ),
        (
            "Looks are wanted at each cell once, whatever the number of words: compare with 1.",
            strength * (3 / 5 - looked).square().sum(),
        ),
        ("There is an axis of size 1 left over: return one number, shape ().", right.view(1)),
        ("There is an axis of size 1 left over: return one number, shape ().", right.view(1, 1)),
    )


@covering.behaviour("does not count padding")
def _(answer):
    weights = (torch.randn(2, 4, 5) * 2).softmax(dim=2)
    mask = torch.tensor([[True, True, True, True], [True, True, False, False]])
    result = answer(weights.clone(), mask.clone(), 1.0)

    def penalty(looked):
        return (1 - looked).square().sum(dim=1).mean()

    real = mask.float().unsqueeze(2)
    looked = (weights * real).sum(1)
    counted = "Padding was counted: zero the weights of masked steps before you add over the steps."
    expect_number(
        result,
        penalty(looked),
        "A step whose mask is False adds nothing to any cell.",
        (counted, penalty(weights.sum(1))),
        ("The mask is upside down: True marks a real token.", penalty((weights * (1 - real)).sum(1))),
        ("Sum over the real steps; you took their mean.", penalty(looked / real.sum(1))),
        ("Do not stretch short captions to the full length.", penalty(looked / real.mean(1))),
        ("Sum over the cells, mean over the captions; yours are swapped.", (1 - looked).square().mean(1).sum()),
        ("The caption with padding is left out: mask steps, not pictures.", penalty(looked[:1])),
        ("The caption with padding is left out: mask steps, not pictures.", penalty(looked[:1]) / 2),
        ("You took the shortest caption for all.", penalty(weights[:, :2].sum(1))),
        (
            "The mask comes too late: mask the weights themselves, before the sum over the steps.",
            ((1 - weights) * real).sum(1).square().sum(1).mean(),
        ),
        ("Divide by the number of captions, not of tokens.", (1 - looked).square().sum() / real.sum()),
        (
            "Minus infinity belongs on scores before a softmax; these are weights, give the masked ones zero.",
            torch.tensor(float("inf")),
        ),
    )


@covering.behaviour("takes the mean over the captions, each with its own mask")
def _(answer):
    weights = (torch.randn(4, 4, 4) * 2).softmax(dim=2)  # equal sizes: every broadcast works
    lengths = torch.tensor([2, 4, 3, 1])
    mask = torch.arange(4) < lengths[:, None]
    result = answer(weights.clone(), mask.clone(), 2.0)

    def of(looked):
        return 2 * (1 - looked).square()

    def masked(shape):
        return of((weights * shape).sum(1)).sum(1).mean()

    real = mask.float()
    looked = (weights * real.unsqueeze(2)).sum(1)
    axis = "The mask met the cells: make it (batch, steps, 1), so that it masks the steps."
    expect_number(
        result,
        of(looked).sum(1).mean(),
        "Sum over the cells, mean over the captions.",
        ("Take the mean over the captions; you summed over them.", of(looked).sum()),
        ("Sum over the cells; you took the mean over them as well.", of(looked).mean()),
        ("Return one number: take the mean over the captions.", of(looked).sum(1)),
        ("You kept the cells and averaged the batch: sum over the cells.", of(looked).mean(0)),
        ("Each caption counts by itself: square before the mean over the batch.", of(looked.mean(0)).sum()),
        (
            "You added the weights over the batch: add them over the steps, dimension 1.",
            of((weights * real.unsqueeze(2)).sum(0)).sum(1).mean(),
        ),
        (
            "You added the weights over the batch: add them over the steps, dimension 1.",
            of((weights * real.unsqueeze(2)).sum(0)).mean(),
        ),
        (
            "You added the weights over the cells, which is always one: add them over the steps, dimension 1.",
            of((weights * real.unsqueeze(2)).sum(2)).sum(1).mean(),
        ),
        (axis, masked(real)),
        (axis, masked(real.unsqueeze(1))),
        ("All captions have the mask of the first.", masked(real[:1].unsqueeze(2))),
        ("Divide by the number of captions, not of tokens.", of(looked).sum() / real.sum()),
    )


@covering.behaviour("is zero if each cell gets one look in all, and works for other sizes")
def _(answer):
    even = torch.full((2, 4, 4), 0.25)
    nothing = answer(even.clone(), torch.ones(2, 4, dtype=torch.bool), 1.0)
    hint = "Four words, four cells and a quarter for each: every cell gets one in all, and the penalty is 0."
    expect_number(nothing, torch.tensor(0.0), hint)
    for batch, steps, cells, strength in [(1, 1, 1, 1.0), (3, 6, 2, 0.5), (2, 2, 9, 2.0), (5, 8, 16, 0.0)]:
        weights = torch.rand(batch, steps, cells).softmax(dim=2)
        mask = torch.arange(steps) < torch.randint(1, steps + 1, (batch, 1))
        hint = f"Wrong for {batch} caption(s) of {steps} step(s) over {cells} cell(s) with λ = {strength}."
        result = answer(weights.clone(), mask.clone(), strength)
        expect_number(result, coverage_penalty(weights, mask, strength), hint)


@covering.behaviour("lets the gradient reach the weights of real steps only")
def _(answer):
    mask = torch.tensor([[True, True, False], [True, False, False]])
    expect_gradients(
        lambda weights: answer(weights, mask.clone(), 0.7),
        lambda weights: coverage_penalty(weights, mask, 0.7),
        weights=torch.randn(2, 3, 4).softmax(dim=2),
    )


@covering.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, torch.randn(2, 3, 4).softmax(dim=2), torch.tensor([[True] * 3, [True, False, False]]), 1.0)


@covering.own_data
def _(generator):
    weights = (2 * torch.randn(4, 6, 5, generator=generator)).softmax(dim=2)
    mask = torch.arange(6) < torch.randint(1, 7, (4, 1), generator=generator)
    return weights, mask, float(0.1 + torch.rand((), generator=generator))
