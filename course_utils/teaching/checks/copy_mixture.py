"""The exercise of lesson 7 on choosing between writing a word and copying one; `lesson_07.py` lists it."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor

PROBABILITIES = "(batch, vocabulary)"


def copy_mixture(generated: Tensor, attention_weights: Tensor, source: Tensor, gate: Tensor) -> Tensor:
    """Mix the probabilities of writing a word and of copying it.

    Source: See, Liu and Manning 2017, arXiv 1704.04368, equation 9.

    Args:
        generated: `(batch, vocabulary)` probabilities; each row sums to one.
        attention_weights: `(batch, source_length)`; each row sums to one, zero on padding.
        source: `(batch, source_length)` ids.
        gate: `(batch,)` probability of writing rather than copying.

    Returns:
        `(batch, vocabulary)` probabilities; each row sums to one.
    """
    copied = torch.zeros_like(generated).scatter_add(1, source, attention_weights)
    return gate.unsqueeze(1) * generated + (1 - gate.unsqueeze(1)) * copied


mixing = Exercise("07.copy-mixture", "Write a word or copy one", 2, 12, copy_mixture)
EXERCISES = [mixing]


def drawn(
    batch: int, vocabulary: int, length: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw the arguments."""
    randn, rand, randint = (partial(make, generator=generator) for make in (torch.randn, torch.rand, torch.randint))
    generated, weights = randn(batch, vocabulary).softmax(1), randn(batch, length).softmax(1)
    return generated, weights, randint(vocabulary, (batch, length)), rand(batch)


def mixed(answer: Callable, given: tuple[Tensor, ...]) -> Tensor:
    """Let the answer mix, and insist on the shape."""
    return expect_tensor(answer(*[one.clone() for one in given]), tuple(given[0].shape), PROBABILITIES)


@mixing.behaviour("adds up both ways to a word, weighed by the gate")
def _(answer):
    generated, weights, _, gate = drawn(3, 6, 4)
    source = torch.tensor([[2, 5, 0, 3], [1, 4, 2, 0], [5, 0, 1, 2]])  # no word twice
    result = mixed(answer, (generated, weights, source, gate))
    copied = torch.zeros(3, 6).scatter_add(1, source, weights)
    g = gate[:, None]
    first_places = torch.cat([weights, torch.zeros(3, 2)], dim=1)
    shared = torch.zeros(3, 6).scatter_add(1, source[:1].expand(3, 4), weights)
    recognise(
        result,
        ("The gate is the other way round: it is the probability of WRITING.", (1 - g) * generated + g * copied),
        ("The gate is not used: weigh the two by g and 1 − g.", generated + copied),
        ("The gate is not used: weigh the two by g and 1 − g.", (generated + copied) / 2),
        ("Copying has the share 1 − g; you gave it all its weight.", g * generated + copied),
        ("Writing has the share g; you gave it all its weight.", generated + (1 - g) * copied),
        ("Both have the share g; copying has 1 − g.", g * (generated + copied)),
        ("Only writing is there: add what is copied.", g * generated),
        ("Only writing is there: add what is copied.", generated),
        ("Only copying is there: add what is written.", copied),
        ("Only copying is there: add what is written.", (1 - g) * copied),
        ("Weights belong to the WORDS of the source, not to the first ids: add them at source[b, j].",
         g * generated + (1 - g) * first_places),
        ("Every text has words of its own; you used those of the first for all.", g * generated + (1 - g) * shared),
        ("The two are added, not multiplied.", generated**g * copied ** (1 - g)),
        ("No softmax: both are probabilities already.", (g * generated + (1 - g) * copied).softmax(1)),
        ("The gate is a probability already: no sigmoid.",
         g.sigmoid() * generated + (1 - g.sigmoid()) * copied),
        ("Return probabilities, not their logarithms.", (g * generated + (1 - g) * copied).log()),
        ("Each text has a gate of its own; you used one for all.",
         g.mean() * generated + (1 - g.mean()) * copied),
        ("Take the sum of both ways, not the likelier one.", torch.maximum(g * generated, (1 - g) * copied)),
    )  # fmt: skip
    hint = "Expected g · generated + (1 − g) · copied, with copied[b, source[b, j]] = attention_weights[b, j]."
    expect_close(result, g * generated + (1 - g) * copied, hint, PROBABILITIES)


@mixing.behaviour("adds up the weights of all places of a word")
def _(answer):
    generated, weights, _, gate = drawn(3, 5, 6)
    source = torch.tensor([[2, 2, 2, 4, 4, 0], [1, 3, 1, 3, 1, 3], [0, 0, 0, 0, 0, 0]])
    result = mixed(answer, (generated, weights, source, gate))
    g = gate[:, None]
    at = torch.nn.functional.one_hot(source, 5) * weights[..., None]  # (batch, source_length, vocabulary)
    latest = torch.zeros(3, 5)
    for j in range(6):
        latest[range(3), source[:, j]] = weights[:, j]
    earliest = torch.zeros(3, 5)
    for j in reversed(range(6)):
        earliest[range(3), source[:, j]] = weights[:, j]
    counts = torch.nn.functional.one_hot(source, 5).sum(1)
    again = "A word that comes several times has the weights of all its places TOGETHER:"
    recognise(
        result,
        (f"{again} assigning keeps one of them, scatter_add adds.", g * generated + (1 - g) * latest),
        (f"{again} assigning keeps one of them, scatter_add adds.", g * generated + (1 - g) * earliest),
        (f"{again} not the largest.", g * generated + (1 - g) * at.amax(1)),
        (f"{again} not their mean.", g * generated + (1 - g) * at.sum(1) / counts.clamp(min=1)),
        (f"{again} the weights count, not how often the word comes.", g * generated + (1 - g) * counts / 6),
        ("The rows are divided by their sum afterwards: probabilities lost on the way do not come back.",
         (g * generated + (1 - g) * latest) / (g * generated + (1 - g) * latest).sum(1, keepdim=True)),
    )  # fmt: skip
    expect_close(result, copy_mixture(generated, weights, source, gate), f"{again} add them.", PROBABILITIES)
    expect_close(result.sum(1), torch.ones(3), "The probabilities of a row must sum to one.", "(batch,)")


@mixing.behaviour("gives padding nothing, although it has an id")
def _(answer):
    generated = torch.tensor([[0.0, 0.5, 0.5, 0.0]])
    weights = torch.tensor([[0.25, 0.75, 0.0, 0.0]])
    result = mixed(answer, (generated, weights, torch.tensor([[3, 2, 0, 0]]), torch.tensor([0.5])))
    hint = "Padding has the id 0 and the weight 0, so id 0 gets nothing: go by the weights."
    expect_close(result, torch.tensor([[0.0, 0.25, 0.625, 0.125]]), hint, PROBABILITIES)
    for gate, right in ((1.0, generated), (0.0, torch.tensor([[0.0, 0.0, 0.75, 0.25]]))):
        only = mixed(answer, (generated, weights, torch.tensor([[3, 2, 0, 0]]), torch.tensor([gate])))
        expect_close(only, right, f"With a gate of {gate:.0f} only one of the two ways is left.", PROBABILITIES)


@mixing.behaviour("works for other sizes")
def _(answer):
    for batch, vocabulary, length in [(1, 1, 1), (1, 9, 3), (4, 4, 4), (5, 2, 8), (2, 50, 7)]:
        given = drawn(batch, vocabulary, length)
        hint = f"Wrong for {batch} text(s) of {length} word(s) and {vocabulary} words in all. Is a size typed in?"
        expect_close(mixed(answer, given), copy_mixture(*given), hint, PROBABILITIES)
    generated, weights, source, gate = drawn(2, 5, 3)
    expect_double_precision(lambda: answer(generated.double(), weights.double(), source, gate.double()))


@mixing.behaviour("lets the gradient reach writing, looking and the gate")
def _(answer):
    generated, weights, _, gate = drawn(2, 5, 4)
    source = torch.tensor([[1, 1, 3, 0], [4, 2, 2, 2]])
    expect_gradients(
        lambda p, a, g: answer(p, a, source.clone(), g),
        lambda p, a, g: copy_mixture(p, a, source, g),
        generated=generated,
        attention_weights=weights,
        gate=gate,
    )


@mixing.behaviour("leaves its inputs as they were")
def _(answer):
    given = drawn(2, 5, 4)
    expect_untouched(answer, *given)
    expect(bool((mixed(answer, given) >= 0).all()), "A probability is below zero.")


@mixing.own_data
def _(generator):
    return drawn(3, 6, 9, generator)
