"""The exercise of lesson 7 on looking at words and reading their surroundings; `lesson_07.py` lists it."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d, normalize, one_hot, pad

from course_utils.mechanisms.attention import masked_softmax
from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor

WEIGHTS, ENCODED = "(batch, source_length)", "(batch, hidden_size)"


def smoothed(vectors: Tensor, window: int) -> Tensor:
    """Average each vector with those of `window` words to each side; beyond the ends a text is zero."""
    return avg_pool1d(vectors.transpose(1, 2), 2 * window + 1, stride=1, padding=window).transpose(1, 2)


def attentive_window(query: Tensor, word_vectors: Tensor, source_mask: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Look at single words, and read what stands around them.

    Source: Rush et al. 2015, arXiv 1509.00685, section 3.2, "Attention-Based Encoder"; query is P ỹ'_c.

    Args:
        query: `(batch, hidden_size)`, made of the last headline words.
        word_vectors: `(batch, source_length, hidden_size)`; those of padding are anything.
        source_mask: `(batch, source_length)` booleans, True = real word.
        window: words to each side that a value is averaged over.

    Returns:
        encoded: `(batch, hidden_size)`.
        attention_weights: `(batch, source_length)`, exactly zero on padding; each row sums to one.
    """
    keys = word_vectors.masked_fill(~source_mask.unsqueeze(-1), 0.0)
    weights = masked_softmax(torch.einsum("bh,bjh->bj", query, keys), source_mask)
    return torch.einsum("bj,bjh->bh", weights, smoothed(keys, window)), weights


looking = Exercise("07.attentive-window", "Look at words, read around them", 3, 20, attentive_window)
EXERCISES = [looking]


def looked(answer: Callable, query: Tensor, vectors: Tensor, mask: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Let the answer look, and insist on two tensors of the right shapes."""
    result = answer(query.clone(), vectors.clone(), mask.clone(), window)
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "Return two tensors, the vector that was read and the weights: `return encoded, weights`.")
    encoded, weights = result
    if isinstance(encoded, Tensor) and isinstance(weights, Tensor) and encoded.shape != weights.shape:
        swapped = encoded.shape == mask.shape and weights.shape == query.shape
        expect(not swapped, "The results are swapped: what was read comes first, then the weights.")
    expect_tensor(weights, tuple(mask.shape), WEIGHTS)
    return expect_tensor(encoded, tuple(query.shape), ENCODED), weights


def every(batch: int, length: int) -> Tensor:
    """Make a mask of real words only."""
    return torch.ones(batch, length, dtype=torch.bool)


@looking.behaviour("looks where a single word fits the query")
def _(answer):
    query, vectors = torch.randn(3, 4), torch.randn(3, 7, 4)
    _, weights = looked(answer, query, vectors, every(3, 7), 1)
    scores = torch.einsum("bh,bjh->bj", query, vectors)
    recognise(
        weights,
        ("These are the scores: a softmax over the source words makes weights of them.", scores),
        ("The softmax runs over the source words, dim=1, not over the batch.", scores.softmax(0)),
        ("Here the scores are plain dot products: do not divide by the root of the size.",
         (scores / math.sqrt(4)).softmax(1)),
        ("A good fit means a high weight; yours is the other way round.", (-scores).softmax(1)),
        ("Scores come from single words; you smoothed the words before you compared.",
         torch.einsum("bh,bjh->bj", query, smoothed(vectors, 1)).softmax(1)),
        ("Return the weights as the softmax gives them, before smoothing.",
         smoothed(scores.softmax(1)[..., None], 1)[..., 0]),
        ("The dot product is not a cosine: do not divide by the lengths.",
         torch.einsum("bh,bjh->bj", normalize(query, dim=1), normalize(vectors, dim=2)).softmax(1)),
        ("A sigmoid does not share out one among the words: take a softmax.", scores.sigmoid()),
        ("This is the best word alone: take a softmax.", one_hot(scores.argmax(1), 7).float()),
        ("All words weigh the same: use the query.", torch.full((3, 7), 1 / 7)),
        ("Each text has a query of its own; yours all have the first one's.",
         torch.einsum("h,bjh->bj", query[0], vectors).softmax(1)),
    )  # fmt: skip
    expect_close(weights, scores.softmax(1), "Expected the softmax over j of query · word_vectors_j.", WEIGHTS)


@looking.behaviour("reads the words around, an even mean of 2 · window + 1")
def _(answer):
    window, length = 2, 8
    vectors = torch.randn(4, length, 3)
    query = 60 * normalize(vectors[range(4), [0, 3, 7, 5]], dim=1)  # nearly all weight lies near the ends and inside
    encoded, weights = looked(answer, query, vectors, every(4, length), window)
    right, true_weights = attentive_window(query, vectors, every(4, length), window)
    p = true_weights.unsqueeze(-1)

    def wider(left, right, width, mode="constant"):
        padded = pad(vectors.transpose(1, 2), (left, right), mode=mode)
        return (p * padded.unfold(2, width, 1).sum(-1).transpose(1, 2)).sum(1)

    counts = smoothed(torch.ones(4, length, 1), window) * 5
    recognise(
        encoded,
        ("You read the words alone: average each with `window` words to each side first.", (p * vectors).sum(1)),
        ("Divide the sum of the window by 2 · window + 1.", 5 * right),
        ("Divide by 2 · window + 1; you divided by `window`, as the paper writes.", 2.5 * right),
        ("Divide by 2 · window + 1: you divided by 2 · window.", 1.25 * right),
        ("Near the ends, too, divide by 2 · window + 1: what lies beyond is zero and counts.",
         (p * smoothed(vectors, window) * 5 / counts).sum(1)),
        ("Beyond its ends the text is zero: it does not go round.", wider(2, 2, 5, "circular") / 5),
        ("Beyond its ends the text is zero: do not repeat the last word.", wider(2, 2, 5, "replicate") / 5),
        ("The window reaches back only: it has as many words after the one in the middle.", wider(4, 0, 5) / 5),
        ("The window reaches ahead only: it has as many words before the one in the middle.", wider(0, 4, 5) / 5),
        ("The window is too narrow: `window` words to EACH side, and the word itself.", wider(1, 1, 3) / 3),
        ("A slice a:b ends before b: the last word of the window is missing.", wider(2, 1, 4) / 4),
        ("A slice a:b ends before b: the last word of the window is missing.", wider(2, 1, 4) / 5),
        ("The word itself belongs to its window, too.", (wider(2, 2, 5) - (p * vectors).sum(1)) / 4),
        ("The window is smoothed twice.", (p * smoothed(smoothed(vectors, window), window)).sum(1)),
        ("Weigh the smoothed words by attention: this is their plain mean.", smoothed(vectors, window).mean(1)),
        ("You added the query: what was read is the weighted mean alone.", right + query),
    )  # fmt: skip
    hint = "Expected Σ_j p_j x̄_j, x̄_j the mean of the words from j − window to j + window."
    expect_close(encoded, right, hint, ENCODED)


@looking.behaviour("shuts padding out of the weights and of the windows")
def _(answer):
    mask = torch.arange(6) < torch.tensor([[4], [6], [1], [5]])
    query, vectors = torch.randn(4, 3), torch.randn(4, 6, 3) + 2.0
    encoded, weights = looked(answer, query, vectors, mask, 1)
    right, true_weights = attentive_window(query, vectors, mask, 1)
    scores = torch.einsum("bh,bjh->bj", query, vectors)
    zeroed = vectors * mask.unsqueeze(-1)
    recognise(
        weights,
        ("The mask is not used: padding gets weight.", scores.softmax(1)),
        ("Words of zeros still have the score 0, which is not hidden: padding needs minus infinity.",
         torch.einsum("bh,bjh->bj", query, zeroed).softmax(1)),
        ("A score of 0 is not hidden: padding needs minus infinity.", (scores * mask).softmax(1)),
        ("The rows do not sum to one: hide padding before the softmax, not after it.", scores.softmax(1) * mask),
    )  # fmt: skip
    upside_down = "Is the mask upside down? True marks a real word."
    expect(not bool(weights.isnan().any()), f"Some weights are NaN. {upside_down}")
    expect(bool((weights[~mask] == 0).all()), f"Padding gets weight: it must be exactly zero. {upside_down}")
    expect_close(weights, true_weights, "The real words have the wrong weights.", WEIGHTS)
    leaked = torch.einsum("bj,bjh->bh", true_weights, smoothed(vectors, 1))
    recognise(
        encoded,
        (
            "Padding leaks into the windows at the end of a text: its vectors are not zero. Set them to zero first.",
            leaked,
        ),
    )
    expect_close(encoded, right, "What is read at the end of a shorter text is wrong: padding counts as zero.", ENCODED)


@looking.behaviour("works for other sizes, also for a window of 0")
def _(answer):
    for batch, length, size, window in [(1, 1, 1, 0), (2, 9, 5, 0), (5, 3, 2, 3), (3, 3, 3, 1), (1, 30, 4, 6)]:
        mask = torch.arange(length) < 1 + (torch.arange(batch).unsqueeze(1) * 3 + 1) % length
        query, vectors = torch.randn(batch, size), torch.randn(batch, length, size)
        encoded, weights = looked(answer, query, vectors, mask, window)
        right, true_weights = attentive_window(query, vectors, mask, window)
        hint = f"Wrong for {batch} text(s) of {length} word(s) and a window of {window}. Is a size typed in?"
        expect_close(weights, true_weights, hint, WEIGHTS)
        expect_close(encoded, right, hint, ENCODED)
    given = torch.randn(2, 3).double(), torch.randn(2, 4, 3).double(), every(2, 4), 1
    expect_double_precision(lambda: answer(*given), lambda result: result[0])


@looking.behaviour("lets the gradient reach the query and the words")
def _(answer):
    mask = torch.arange(5) < torch.tensor([[5], [3]])

    def reading(function):
        return lambda query, vectors: function(query, vectors, mask.clone(), 1)[0]

    expect_gradients(
        reading(answer), reading(attentive_window), query=torch.randn(2, 3), word_vectors=torch.randn(2, 5, 3)
    )


@looking.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, torch.randn(2, 3), torch.randn(2, 4, 3), torch.arange(4) < torch.tensor([[4], [2]]), 1)


@looking.own_data
def _(generator):
    query, vectors = torch.randn(4, 3, generator=generator), torch.randn(4, 7, 3, generator=generator)
    mask = torch.arange(7) < torch.randint(1, 8, (4, 1), generator=generator)
    return query, vectors, mask, int(torch.randint(4, (), generator=generator))
