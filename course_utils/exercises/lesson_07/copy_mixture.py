"""Lesson 7: write a word or copy one."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, differentiable, dtypes, sizes


def copy_mixture(generated: Tensor, attention_weights: Tensor, source: Tensor, gate: Tensor) -> Tensor:
    """Mix the probabilities of writing a word and of copying it, `(batch, vocabulary)`.

    Takes probabilities `(batch, vocabulary)`, attention weights and ids `(batch, source_length)`, the weights zero on
    padding, and the probability of writing `(batch,)`. All rows sum to one. Source: See, Liu and Manning 2017, arXiv
    1704.04368, equation 9.
    """
    return _mixed(gate, generated, _copies(generated, attention_weights, source))


def _copies(generated: Tensor, weights: Tensor, source: Tensor) -> Tensor:
    return torch.zeros_like(generated).scatter_add(1, source, weights)


def _mixed(gate: Tensor, generated: Tensor, copied: Tensor) -> Tensor:
    return gate.unsqueeze(1) * generated + (1 - gate.unsqueeze(1)) * copied


def sample(generator: torch.Generator, batch=3, vocabulary=6, length=5) -> tuple[Tensor, ...]:
    """Make probabilities, ids and gates; the last text of several is one word and padding."""
    scores = [3 * torch.randn(batch, size, generator=generator) for size in (vocabulary, length)]
    source = torch.randint(vocabulary, (batch, length), generator=generator)
    scores[1][1:][-1:, 1:] = -torch.inf
    source[1:][-1:, 1:] = 0
    return *(one.softmax(1) for one in scores), source, torch.rand(batch, generator=generator)


def _copying(copy):
    return lambda p, a, source, g: _mixed(g, p, copy(p, a, source))


def _counts(p, a, source):
    return _copies(p, torch.ones_like(a), source)


def _places(p: Tensor, a: Tensor, source: Tensor) -> Tensor:
    return one_hot(source, p.shape[1]) * a.unsqueeze(2)


def _assigned(p, a, source):
    copied = torch.zeros_like(p)
    for j in range(source.shape[1]):
        copied = copied.scatter(1, source[:, j : j + 1], a[:, j : j + 1])
    return copied


def _by_index_put(p, a, source, g):
    rows = torch.arange(len(source))[:, None].expand_as(source)
    return (p * g[:, None]).index_put((rows, source), a * (1 - g)[:, None], accumulate=True)


_mixing = changing(lambda p, a, source, g: (g[:, None], p, _copies(p, a, source)))
WRITTEN = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.125, 0.0, 0.375, 0.5]])
WEIGHTS = torch.tensor([[0.1, 0.6, 0.3], [0.7, 0.1, 0.2]])
WORDS = torch.tensor([[3, 0, 2], [1, 3, 0]])
GATE = torch.tensor([0.25, 0.6])
PADDED = torch.tensor([[0.4, 0.6, 0.0], [1.0, 0.0, 0.0]]), torch.tensor([[3, 2, 0], [1, 0, 0]])
TOGETHER = "A word that comes several times has the weights of all its places TOGETHER: {}."
SUMS = "Do the probabilities still sum to one?"
PLACE = "Which word stands at place 0, and what is its id?"
LEFT = "What is left if g is one?"
UNUSED = "The gate is not used: weight the two by g and 1 − g."
AT = "Weights belong to the WORDS of the source, not to the first ids: add them at source[b, j]."
GATES = "Each text has its own gate: {}."

EXERCISE = Exercise(
    Task("07.copy-mixture", "Write a word or copy one", 2, 12, "(batch, vocabulary)"),
    copy_mixture,
    sample,
    cases=[
        Case("Both ways to a word are added up, weighted by g and 1 − g.", (WRITTEN, WEIGHTS, WORDS, GATE)),
        Case("All places of a word count together.", (WRITTEN, WEIGHTS, WORDS[:, [0, 0, 1]], GATE)),
        Case("A gate of 0 or 1 leaves one of the two.", (WRITTEN, WEIGHTS, WORDS, torch.tensor([0.0, 1.0]))),
        Case("Padding, id 0 with the weight 0, adds nothing.", (WRITTEN, *PADDED, GATE)),
        Case("Batch, vocabulary and source may be equal.", dict(batch=4, vocabulary=4, length=4)),
    ],
    demands=[
        sizes(batch=1, vocabulary=1, length=1),
        sizes(vocabulary=300, length=80),
        differentiable("generated", "attention_weights", "gate", normalised=("generated", "attention_weights")),
        dtypes(torch.float64),
    ],
    mistakes=[
        Mistake("The gate is the probability of WRITING.", _mixing(lambda g, p, c: (1 - g) * p + g * c), ask=LEFT),
        Mistake(TOGETHER.format("assigning does not add"), _copying(_assigned), ask=SUMS),
        Mistake(TOGETHER.format("not the largest"), _copying(lambda p, a, s: _places(p, a, s).amax(1)), ask=SUMS),
        Mistake(TOGETHER.format("not the mean"), _copying(lambda *x: _copies(*x) / _counts(*x).clamp(min=1)), SUMS),
        Mistake("Add up weights, do not count places.", _copying(lambda p, a, s: _counts(p, a, s) / s.shape[1])),
        *[Mistake(UNUSED, _mixing(lambda g, p, c, n=n: (p + c) / n), ask=LEFT) for n in (1, 2)],
        Mistake("Copying has the share 1 − g, not all its weight.", _mixing(lambda g, p, c: g * p + c), ask=LEFT),
        Mistake("Writing has the share g, not all its weight.", _mixing(lambda g, p, c: p + (1 - g) * c)),
        Mistake("Both have the share g; copying has 1 − g.", _mixing(lambda g, p, c: g * (p + c))),
        *[Mistake("Add what is copied, too.", _mixing(write)) for write in (lambda g, p, c: g * p, lambda g, p, c: p)],
        *[Mistake("Add what is written, too.", _mixing(lambda g, p, c, k=k: (1 - k * g) * c)) for k in (0, 1)],
        Mistake(AT, _copying(lambda p, a, s: torch.cat([a, torch.zeros_like(p)], 1)[:, : p.shape[1]]), ask=PLACE),
        Mistake("Each text has its own words.", _copying(lambda p, a, s: _copies(p, a, s[:1].expand_as(s))), ask=PLACE),
        Mistake("0 is a word; padding has weight 0 anyway.", _copying(lambda p, a, s: _copies(p, a * (s > 0), s))),
        Mistake(GATES.format("you used the mean for all"), _mixing(lambda g, p, c: g.mean() * p + (1 - g.mean()) * c)),
        Mistake(GATES.format("you used the first for all"), _mixing(lambda g, p, c: g[0] * p + (1 - g[0]) * c)),
        Mistake(GATES.format("make it (batch, 1)"), _mixing(lambda g, p, c: g[:, 0] * p + (1 - g[:, 0]) * c)),
        Mistake("The two are added, not multiplied.", _mixing(lambda g, p, c: p**g * c ** (1 - g))),
        Mistake("Take the sum, not the larger one.", _mixing(lambda g, p, c: torch.maximum(g * p, (1 - g) * c))),
        Mistake("No softmax: both are probabilities.", _mixing(lambda g, p, c: (g * p + (1 - g) * c).softmax(1))),
        Mistake("The gate is a probability already: no sigmoid.", lambda *x: copy_mixture(*x[:3], x[3].sigmoid())),
        Mistake("Return probabilities, not logarithms.", lambda *inputs: copy_mixture(*inputs).log()),
        Mistake("The gate may be 0 or 1: do not cut it.", lambda *x: copy_mixture(*x[:3], x[3].clamp(0.01, 0.99))),
    ],
    right=[_by_index_put, lambda p, a, source, g: torch.lerp(_places(p, a, source).sum(1), p, g[:, None])],
)
