"""Lesson 7: attend to single words, and average their neighbourhoods."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize as unit

from course_utils.exercises.demands import differentiable, dtypes, padding, sizes
from course_utils.exercises.engine import Case, Demand, Exercise, Mistake, Task
from course_utils.exercises.writing import in_two_calls
from course_utils.mechanisms.attention import masked_softmax

# Query (log 2, 0): the scores are 0, log 2 and log 4.
QUERY, WORDS = torch.tensor([[0.6931472, 0.0]]), torch.tensor([[[0.0, 3.0], [1.0, 6.0], [2.0, 9.0], [3.0, 1.0]]])


def _smoothed(vectors: Tensor, window: int) -> Tensor:
    """Average each vector with those of `window` words to each side; beyond the ends a text is zero."""
    return nn.functional.avg_pool1d(vectors.mT, 2 * window + 1, stride=1, padding=window).mT


def attentive_window(query: Tensor, word_vectors: Tensor, source_mask: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Attend to single words, and average their neighbourhoods by the attention weights.

    Takes a query P ỹ'_c `(batch, hidden_size)`; word vectors `(batch, source_length, hidden_size)`, in padding
    anything; a mask `(batch, source_length)`, True = real word; and the words to each side of a neighbourhood. Returns
    the average `(batch, hidden_size)` and the weights `(batch, source_length)`, exactly zero on padding; each row sums
    to one. Source: Rush et al. 2015, arXiv 1509.00685, section 3.2, "Attention-Based Encoder".
    """
    keys = _zeroed(word_vectors, source_mask)
    weights = masked_softmax(_dot(query, keys), source_mask)
    return torch.einsum("bj,bjh->bh", weights, _smoothed(keys, window)), weights


def sample(generator: torch.Generator, batch=4, length=7, hidden=3, window=2) -> tuple[Tensor, Tensor, Tensor, int]:
    """Make arguments; the first text is full and one of its words is zero, the last one has one word."""
    query = torch.randn(batch, hidden, generator=generator)
    vectors = torch.randn(batch, length, hidden, generator=generator) + 1
    vectors[0, length // 2] = 0.0
    return query, vectors, torch.arange(length) < torch.linspace(length, 1, batch).round().unsqueeze(1), window


def _large(real: float, hidden: float) -> Case:
    """Make a case whose scores are near `real` at real words, and `hidden` at padding."""
    _, vectors, mask, window = sample(torch.Generator().manual_seed(3))
    vectors[..., 0] = torch.where(mask, real / 1e30 + vectors[..., 0] / 100, hidden / 1e30)
    says = f"Scores may be large: here real ones are near {real:.0e}, and padding holds {hidden:.0e}."
    return Case(says, (torch.tensor([1e30, 0.0, 0.0]).repeat(4, 1), vectors, mask, window))


def _dot(query: Tensor, vectors: Tensor) -> Tensor:
    return torch.einsum("bh,bjh->bj", query, vectors)


def _weights(query: Tensor, vectors: Tensor, mask: Tensor) -> Tensor:
    return masked_softmax(_dot(query, vectors), mask)


def _zeroed(vectors: Tensor, mask: Tensor) -> Tensor:
    return vectors.masked_fill(~mask.unsqueeze(2), 0.0)


@in_two_calls
def _mix(
    query, vectors, mask, window, values: Callable = _smoothed, clean: Callable = _zeroed, weigh: Callable = _weights
):
    """Make an answer with other values(word vectors after `clean`, window) or other weigh(query, vectors, mask)."""
    weights = weigh(query, vectors, mask)
    return torch.einsum("bj,bjh->bh", weights, values(clean(vectors, mask), window)), weights


def _scored(change: Callable) -> Callable:
    return _mix(weigh=lambda q, x, m: masked_softmax(change(q, x), m))


def _span(sides: Callable, mode: str = "constant") -> Callable:
    """Make an answer with other windows: sides(window) says how far back, how far ahead, and by what to divide."""

    def values(vectors, window):
        back, ahead, divisor = sides(window)
        padded = nn.functional.pad(vectors.mT, (back, ahead), mode=mode)
        return padded.unfold(2, back + ahead + 1, 1).sum(-1).mT / divisor

    return _mix(values)


def _by_smoothed_weights(query, vectors, mask, window):
    words = torch.where(mask.unsqueeze(-1), vectors, torch.zeros_like(vectors))
    weights = (words @ query.unsqueeze(2)).squeeze(2).masked_fill(~mask, -torch.inf).softmax(1)
    return torch.bmm(_smoothed(weights.unsqueeze(2), window).transpose(1, 2), words).squeeze(1), weights


MOVES = "You attend to 'moves': what do you want to know?"
NEIGHBOUR = "Which real word has padding for a neighbour?"
BEYOND = "By how many words is the sum of the first word's window divided?"
ZERO = "What is the exponential of zero?"
SLICE = "A slice a:b ends before b: the last word of the window is missing."
INFINITE = "A finite number does not hide padding from every score: use minus infinity, float('-inf')."
IN_PLACE_OF = "Adding makes NaN here: put minus infinity in place of hidden scores by masked_fill, do not add it."
OUTSIDE = "Beyond its ends the text is zero: repeat nothing, and do not go round."
LEAK = "Padding leaks into the windows of the last words: set its vectors to zero first."
KEYS = "Scores come from single words; you smoothed them before."
TIMES = "Padding holds NaN or infinity, and zero times those is NaN: use masked_fill or torch.where."
COUNTS = "Near the ends, too, divide by 2 · window + 1: what lies beyond is zero and counts."
EXP = "exp is zero or infinite for such scores: take torch.softmax."
SIDES = "Take `window` words to EACH side."
DIVIDE = "Divide the sum of the window by 2 · window + 1."
FINITE = (-1e2, -1e4, -1e9, -1e20)

EXERCISE = Exercise(
    Task(
        "07.attentive-window",
        "Attend to words, average their neighbours",
        3,
        20,
        "(batch, hidden_size); (batch, source_length)",
    ),
    attentive_window,
    sample,
    cases=[
        Case("Single words are scored, neighbourhoods are averaged.", (QUERY, WORDS[:, :3], torch.ones(1, 3) > 0, 1)),
        Case("Padding has no weight, and is zero in every window.", (QUERY, WORDS, torch.arange(4)[None] < 3, 1)),
        Case("Each text has its own query."),
        Case("Batch, length and size may be equal.", dict(batch=4, length=4, hidden=4)),
        Case("A window of 0 averages nothing.", dict(window=0)),
        Case("A window may be wider than the text.", dict(window=12)),
    ],
    demands=[
        Demand(
            "scores may be as large as ±1e30", lambda _: [_large(-1e30, 1e30), _large(-1e30, 0.0), _large(1e30, 1e30)]
        ),
        padding(word_vectors="source_mask"),
        sizes(batch=1, length=1, hidden=1),
        sizes(length=60, window=20),
        dtypes(torch.float64),
        differentiable("query", "word_vectors"),
    ],
    mistakes=[
        Mistake("The words alone are averaged: take their neighbourhoods.", _mix(lambda x, Q: x), ask=MOVES),
        Mistake(KEYS, lambda q, x, m, Q: attentive_window(q, _smoothed(_zeroed(x, m), Q), m, 0), ask=MOVES),
        Mistake(LEAK, _mix(clean=lambda x, m: x), ask=NEIGHBOUR),
        *[Mistake(DIVIDE, _span(lambda Q, n=n: (Q, Q, max(n * Q, 1))), ask=BEYOND) for n in (0, 1, 2)],
        Mistake(COUNTS, _mix(lambda x, Q: _smoothed(x, Q) / _smoothed(torch.ones_like(x), Q)), ask=BEYOND),
        *[Mistake(OUTSIDE, _span(lambda Q: (Q, Q, 2 * Q + 1), how), ask=BEYOND) for how in ("replicate", "circular")],
        *[Mistake(SIDES, _span(lambda Q, n=n: (n * Q, (2 - n) * Q, 2 * Q + 1))) for n in (2, 0)],  # back, ahead only
        Mistake(SIDES, _span(lambda Q: (Q // 2, Q // 2, Q // 2 * 2 + 1))),
        Mistake(SLICE, _span(lambda Q: (Q, max(Q - 1, 0), 2 * Q + 1))),
        Mistake(SLICE, _span(lambda Q: (Q, max(Q - 1, 0), max(2 * Q, 1)))),
        Mistake("The word itself belongs to its window.", _mix(lambda x, Q: _smoothed(x, Q) - x / (2 * Q + 1))),
        Mistake("The words are smoothed twice.", _mix(lambda x, Q: _smoothed(_smoothed(x, Q), Q))),
        Mistake("Do not limit the window.", _mix(lambda x, Q: _smoothed(x, min(Q, 5)))),
        Mistake("These are the scores: take a softmax.", _mix(weigh=lambda q, x, m: _dot(q, _zeroed(x, m)))),
        Mistake("The softmax runs over the batch: take dim=1.", _mix(weigh=lambda q, x, m: _dot(q, x).softmax(0) * m)),
        Mistake("Do not divide by the root of the size here.", _scored(lambda q, x: _dot(q, x) / q.shape[1] ** 0.5)),
        Mistake("A high score means a high weight: drop the minus.", _scored(lambda q, x: -_dot(q, x))),
        Mistake("Take the dot product, not the cosine.", _scored(lambda q, x: _dot(unit(q, dim=1), unit(x, dim=2)))),
        Mistake("A sigmoid does not sum to one: take a softmax.", _mix(weigh=lambda q, x, m: _dot(q, x).sigmoid() * m)),
        Mistake("All words weigh the same: use the query.", _scored(lambda q, x: 0 * _dot(q, x))),
        Mistake("All texts have the first one's query.", _scored(lambda q, x: _dot(q[:1].expand_as(q), x))),
        Mistake("Do not limit the scores.", _scored(lambda q, x: _dot(q, x).clamp(-20, 20))),
        Mistake("Use the mask: here padding gets weight.", _mix(weigh=lambda q, x, m: _dot(q, x).softmax(1)), ask=ZERO),
        Mistake("A score of 0 is not hidden.", _mix(weigh=lambda q, x, m: _dot(q, _zeroed(x, m)).softmax(1)), ask=ZERO),
        Mistake("Hide padding BEFORE the softmax.", _mix(weigh=lambda q, x, m: _dot(q, x).softmax(1) * m), ask=ZERO),
        Mistake("The mask is upside down: True is a real word.", _mix(weigh=lambda q, x, m: _weights(q, x, ~m))),
        Mistake(EXP, _mix(weigh=lambda q, x, m: (e := _dot(q, _zeroed(x, m)).exp() * m) / e.sum(1, keepdim=True))),
        Mistake(IN_PLACE_OF, _mix(weigh=lambda q, x, m: (_dot(q, x) + ~m * -torch.inf).softmax(1))),
        Mistake(IN_PLACE_OF, _mix(weigh=lambda q, x, m: (_dot(q, x) + m.log()).softmax(1))),
        *[Mistake(INFINITE, _mix(weigh=lambda q, x, m, n=n: _dot(q, x).masked_fill(~m, n).softmax(1))) for n in FINITE],
        Mistake(TIMES, _mix(clean=lambda x, m: x * m.unsqueeze(2))),
        Mistake("The results are swapped: `encoded` comes first.", lambda *given: attentive_window(*given)[::-1]),
        Mistake("Return two tensors: `return encoded, weights`.", lambda *given: attentive_window(*given)[0]),
    ],
    right=[_by_smoothed_weights, _span(lambda Q: (Q, Q, 2 * Q + 1))],
)
