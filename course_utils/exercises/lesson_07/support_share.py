"""Lesson 7: the attention on the source words that support a headline word."""

from collections.abc import Callable, Sequence
from itertools import chain

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, in_two_calls, sizes

WEIGHTS = torch.tensor([[0.1, 0.6, 0.2, 0.1], [0.7, 0.1, 0.1, 0.1], [0.0, 0.3, 0.15, 0.55], [0.4, 0.3, 0.3, 0.0]])
SUPPORT, ENDS = [{1, 2}, set(), {2}, {0, 1}], (frozenset({0}), frozenset({299}), frozenset({0, 299}))


def support_share(attention_weights: Tensor, support: Sequence[set[int]]) -> tuple[float, float]:
    """Return how much attention lies on supporting words, and how much uniform attention would.

    Takes weights `(headline_length, source_length)`, whose rows sum to one, and for each headline word the positions of
    the source words that support it. Returns two means, from 0 to 1, over the headline words with a set that is not
    empty.
    """
    rows = [(row, sorted(places)) for row, places in zip(attention_weights, support, strict=True) if places]
    mass = sum(float(row[places].sum()) for row, places in rows) / len(rows)
    return mass, sum(len(places) for _, places in rows) / len(rows) / attention_weights.shape[1]


def sample(generator: torch.Generator, headline_length=7, source_length=9) -> tuple[Tensor, list[set[int]]]:
    """Make weights and supports of all sizes; one in the middle is empty, the last is not."""
    counts = torch.randint(min(6, source_length + 1), (headline_length,), generator=generator).tolist()
    counts[headline_length // 2], counts[-1] = 0, max(1, counts[-1])
    places = [torch.randperm(source_length, generator=generator).tolist() for _ in counts]
    weights = torch.randn(headline_length, source_length, generator=generator).mul(2).softmax(1)
    return weights, [set(order[:count]) for order, count in zip(places, counts, strict=True)]


@in_two_calls
def _counted(
    weights,
    support,
    inside: Callable = lambda row, places: row[places].sum(),
    uniform: Callable = lambda places, length: len(places) / length,
    keep: Callable = bool,
    divide: Callable = lambda total, words: total / words,
):
    """Make an answer that averages inside(row, places) and uniform(places, source length) over the words it keeps."""
    rows = [(row, sorted(places)) for row, places in zip(weights, support, strict=True) if keep(places)]
    mass = divide(sum(float(inside(row, places)) for row, places in rows), len(rows))
    return mass, divide(sum(uniform(places, weights.shape[1]) for _, places in rows), len(rows))


def _divided(number: Callable) -> Callable:
    return _changed(lambda m, c, w, s: (m * sum(map(bool, s)) / number(w, s), c))


def _rows_shifted(weights, support):
    kept = [*filter(None, support)]
    return support_share(weights[: len(kept)], kept)[0], support_share(weights, support)[1]


def _stopped(weights, support):
    words = next((i for i, places in enumerate(support) if not places), len(support)) or len(support)
    return support_share(weights[:words], support[:words])


def _by_mask(weights, support):
    inside = torch.zeros_like(weights)
    for row, places in zip(inside, support, strict=True):
        row[list(places)] = 1
    stated = inside.any(dim=1)
    return torch.stack([(weights * inside).sum(1)[stated].mean(), inside[stated].mean()])


_changed = changing(lambda weights, support: (*support_share(weights, support), weights, support))
SEVERAL = "'three' is supported by 'another' and by 'arrives'. Half of the attention on each: how good is that?"
FROM = "What should 'from' attend to?"
EVERYTHING = "Everything supports a word. What is the mass of uniform attention?"
LEFT_OUT = "A headline word without support is left out"
LIMIT = "Count all supporting words and all headline words: do not limit their number."

EXERCISE = Exercise(
    Task("07.support-share", "Measure the attention on supporting words", 2, 12),
    support_share,
    sample,
    cases=[
        Case("Mass and chance are means over the words that have support.", (WEIGHTS, SUPPORT)),
        Case("Uniform attention has exactly the mass of chance.", (torch.full((3, 4), 0.25), [{0}, {1, 2, 3}, {0, 3}])),
        Case("Several headline words may lack support, also the first.", (WEIGHTS, [set(), {0, 3}, set(), set()])),
        Case("If all source words are support, mass and chance are 1.", (WEIGHTS, [set(range(4))] * 4)),
        Case(
            "The first and the last of 300 source words count like any other.",
            lambda: (sample(torch.Generator(), 3, 300)[0], ENDS),
        ),
        Case("Supports may have different sizes."),
    ],
    demands=[sizes(headline_length=1, source_length=1), sizes(headline_length=80, source_length=400)],
    mistakes=[
        Mistake("Take the mean over headline words, not the sum.", _counted(divide=lambda total, _: total)),
        Mistake("Add ALL supporting words; you took the largest.", _counted(lambda row, p: row[p].max()), ask=SEVERAL),
        Mistake("Add ALL supporting words; you took the first.", _counted(lambda row, p: row[p[0]]), ask=SEVERAL),
        Mistake("Add the supporting words; you took their mean.", _counted(lambda row, p: row[p].mean()), ask=SEVERAL),
        Mistake("You divided by the number of supporting words.", _divided(lambda w, s: sum(map(len, s)))),
        Mistake("This is the attention OUTSIDE the support.", _counted(lambda row, p: 1 - row[p].sum())),
        Mistake("Add weights; you counted the hits of the largest.", _counted(lambda row, p: int(row.argmax()) in p)),
        Mistake("Return numbers from 0 to 1, not percent.", _changed(lambda m, c, w, s: (100 * m, 100 * c))),
        Mistake("Positions are counted from 0.", _counted(lambda row, p: row[[place - 1 for place in p]].sum())),
        Mistake("Divide by the number of HEADLINE words.", _divided(lambda w, s: w.shape[1])),
        Mistake(f"{LEFT_OUT} of the number that you divide by.", _divided(lambda w, s: len(w)), ask=FROM),
        Mistake(f"{LEFT_OUT}: not a miss.", _counted(keep=lambda _: True), ask=FROM),
        Mistake(f"{LEFT_OUT}: not a hit.", _counted(lambda r, p: r[p].sum() if p else 1, keep=lambda _: True), FROM),
        Mistake(f"{LEFT_OUT}, and the words after it keep their own rows.", _rows_shifted, ask=FROM),
        Mistake(f"{LEFT_OUT}: you stopped at the first of them.", _stopped, ask=FROM),
        Mistake("Each word has its own support; you used one.", lambda w, s: support_share(w, [s[0] or s[1]] * len(s))),
        Mistake("Chance is the mean of |S| / M, not 1 / M.", _counted(uniform=lambda p, M: 1 / M), ask=EVERYTHING),
        Mistake("Chance is for uniform weights, whatever yours are.", _changed(lambda m, c, w, s: (m, m))),
        Mistake("Chance divides by the SOURCE words.", _changed(lambda m, c, w, s: (m, c * w.shape[1] / len(w)))),
        Mistake("Divide chance by the number of source words.", _counted(uniform=lambda p, M: len(p))),
        Mistake("This chance is that OUTSIDE the support.", _counted(uniform=lambda p, M: 1 - len(p) / M)),
        Mistake("Count each support.", _changed(lambda m, c, w, s: (m, len({*chain(*s)}) / w.shape[1])), EVERYTHING),
        Mistake("The results are swapped: mass first, then chance.", _changed(lambda m, c, w, s: (c, m))),
        Mistake(LIMIT, lambda w, s: support_share(w, [{*sorted(places)[:3]} for places in s])),
        Mistake(LIMIT, lambda w, s: support_share(w[:20], s[:20])),
    ],
    right=[_by_mask, lambda weights, support: _counted()(weights.numpy(), support)],
)
