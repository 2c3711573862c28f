"""Lesson 2: average the values of each sentence by its attention weights."""

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, differentiable, dtypes, sizes
from course_utils.mechanisms import attention

WEIGHTS = torch.tensor([[0.5, 0.25, 0.25], [0.0, 0.1, 0.9]])
SMALL = torch.tensor([[1.0, 65534.0, 1.0], [1.0, 1.0, 65534.0]]) / 65536
VALUES = torch.tensor([[[4.0, 0.0], [0.0, 8.0], [4.0, 4.0]], [[50.0, 1.0], [10.0, -10.0], [0.0, 20.0]]])


def context(attention_weights: Tensor, values: Tensor) -> Tensor:
    """Average the values of each sentence by its weights: c = Σ_j a_j h_j."""
    return (attention_weights.unsqueeze(-1) * values).sum(dim=1)


def sample(generator: torch.Generator, batch=3, length=5, size=4) -> tuple[Tensor, Tensor]:
    """Make weights, in float64 too of the sum one, and values; the last sentence has one real position."""
    lengths = torch.linspace(length, 1, batch).round()
    scores = 1.5 * torch.randn(batch, length, generator=generator)
    values = torch.randn(batch, length, size, generator=generator)
    values[:, 0, 0] = 0.0
    weights = attention.masked_softmax(scores, torch.arange(length) < lengths.unsqueeze(1))
    weights = torch.round(weights * 4096) / 4096
    weights[:, 0] += 1 - weights.sum(dim=1)
    return weights, values


_of_products = changing(lambda a, h: a.unsqueeze(-1) * h)  # of the products, (batch, source_length, value_size)
DIVIDE = "The weights sum to one already: what is left to divide by?"
SOFTMAX = "The weights are a softmax already: a second one makes them nearly uniform."
UNUSED = "The weights are not used: this is the plain {} of the values."
PAIRS = "`weights @ values` pairs all rows with all sentences: write (weights.unsqueeze(1) @ values).squeeze(1)."
AXIS = "The weights met the entries of a vector, not the positions: give them a last axis, weights.unsqueeze(-1)."
SQUEEZED = "A squeeze dropped a dimension that has to stay: name the one that is left over, squeeze(1)."

EXERCISE = Exercise(
    Task("02.context", "Average the values by their weights", 1, 5, "(batch, value_size)"),
    context,
    sample,
    cases=[
        Case("The context is the sum of the values, each times its weight.", (WEIGHTS, VALUES)),
        # Equal sizes: every broadcast works, and only the values tell.
        Case("Each sentence averages its own values by its own weights.", dict(batch=3, length=3, size=3)),
        Case("A weight of one picks its value.", (torch.eye(3)[[2, 0]], VALUES)),
        Case("Values may be large: nothing is cut.", (WEIGHTS, 1e10 * VALUES)),
        Case("A small weight counts: its value may be large.", (SMALL, 1e10 * VALUES)),
    ],
    demands=[
        sizes(batch=1),
        sizes(batch=1, length=1, size=1),
        sizes(length=300),
        dtypes(torch.float64),
        differentiable("attention_weights", "values", normalised=("attention_weights",)),
    ],
    mistakes=[
        Mistake("Add the products: do not divide by the length.", _of_products(lambda p: p.mean(1)), DIVIDE),
        Mistake(UNUSED.format("mean"), lambda a, h: h.mean(1), "Where do the weights come in?"),
        Mistake(UNUSED.format("sum"), lambda a, h: h.sum(1)),
        Mistake(SOFTMAX, lambda a, h: context(a.softmax(1), h), "What is the softmax of weights that sum to one?"),
        Mistake(AXIS, lambda a, h: (a.unsqueeze(1) * h).sum(1)),
        Mistake(AXIS, lambda a, h: (a * h).sum(1)),
        Mistake(PAIRS, lambda a, h: a @ h),
        Mistake("The products are not added up yet: sum over the source axis, dimension 1.", _of_products(lambda p: p)),
        Mistake("Sum over the source axis, 1, not over the entries, 2.", _of_products(lambda p: p.sum(-1))),
        Mistake("Sum over the source axis, 1, not over the batch, 0.", _of_products(lambda p: p.sum(0))),
        Mistake("A dimension of size 1 is left over: squeeze(1), or sum without keepdim.", lambda a, h: a[:, None] @ h),
        *[Mistake(SQUEEZED, lambda a, h, last=last: context(a, h).squeeze(last)) for last in (0, -1)],
        Mistake(SQUEEZED, lambda a, h: context(a, h).squeeze()),
        Mistake("You took one value: average all.", lambda a, h: h[torch.arange(len(h)), a.argmax(1)]),
        Mistake("You took the largest product; add the products.", _of_products(lambda p: p.amax(1))),
        Mistake("All sentences used the values of the first.", lambda a, h: a @ h[0]),
        Mistake("All sentences used the weights of the first.", lambda a, h: context(a[:1], h)),
        Mistake("The values were averaged over the batch: keep the sentences apart.", lambda a, h: a @ h.mean(0)),
        Mistake("The last position is missing: every position counts.", lambda a, h: context(a[:, :-1], h[:, :-1])),
        Mistake("float64 became float32: torch.tensor(list) and .float() do that.", lambda a, h: context(a, h).float()),
        Mistake("Values are cut: an average needs no limits.", lambda a, h: context(a, h.clamp(-10, 10))),
    ],
    right=[
        lambda weights, values: torch.stack(
            [sum(a[j] * h[j] for j in range(len(a))) for a, h in zip(weights, values, strict=True)]
        ),
        lambda a, h: torch.einsum("bj,bjd->bd", a, h),
        lambda a, h: torch.bmm(a.unsqueeze(1), h).squeeze(1),
        lambda a, h: (h.transpose(1, 2) @ a.unsqueeze(2))[..., 0],
        lambda a, h: sum(a[:, j, None] * h[:, j] for j in range(h.shape[1])),
    ],
)
