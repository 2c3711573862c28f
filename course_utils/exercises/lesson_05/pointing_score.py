"""Lesson 5: score attention weights against the gold alignment."""

from collections.abc import Sequence
from functools import partial
from statistics import fmean

import numpy
import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, sizes


def pointing_score(maps: Sequence[Tensor], alignments: Sequence[Sequence[set[int]]]) -> tuple[float, float]:
    """Count how often a hypothesis word's largest weight lies on a premise word it is aligned with, and by chance.

    Takes for each pair weights `(hypothesis_length, premise_length)`, of whose largest the first counts, and a set of
    premise positions, from 0, for each hypothesis word. Returns the share of hits among the aligned words of all pairs,
    and the mean share of the premise that their sets are.
    """
    return _scored(maps, alignments)


def _scored(maps, alignments, peak=torch.argmax, hit=lambda p, G, row, i: p in G, luck=None, keep=len, over=fmean):
    """The two rates; a mistake replaces a part of it."""
    hits, chances = [], []
    for weights, alignment in zip(maps, alignments, strict=True):
        for i, (row, G) in enumerate(zip(weights, alignment, strict=False)):
            if keep(G):
                hits.append(float(hit(int(peak(row)), G, row, i)))
                chances.append(float(luck(G, row, weights) if luck else len(G) / len(row)))
    return over(hits), over(chances)


def _sample(generator: torch.Generator, pairs=9, words=5, premise=8, square=False, most=3) -> tuple[list, list]:
    """Make maps and alignments: a third of the words without gold, one whole pair of four, too; some words hit."""

    def whole(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=generator))

    maps, alignments = [], []
    for pair in range(pairs):
        length = whole(max(premise - 3, 1), premise)
        rows = length if square else whole(max(words - 2, 1), words)
        weights = torch.randn(rows, length, generator=generator)
        counts = [0 if pair % 4 == 2 else whole(1, most) * (whole(0, 2) > 0) for _ in range(rows)]
        counts[0] = counts[0] if pair else 1
        golds = [set(torch.randperm(length, generator=generator)[:count].tolist()) for count in counts]
        for row, gold in zip(weights, golds, strict=True):
            if gold and whole(0, 1):
                row[max(gold)] += 2
        maps.append(weights.softmax(1))
        alignments.append(golds)
    return maps, alignments


HAND = torch.tensor([[0.1, 0.6, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.2, 0.1, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]])
MORE = torch.tensor([[0.5, 0.1, 0.3, 0.1], [0.4, 0.1, 0.2, 0.3]])
ONE_PAIR = ([torch.cat([HAND, MORE])], [[{1, 2}, {0}, {3}, set(), {2}, {0, 3}]])
TIES = torch.tensor([[0.1, 0.4, 0.1, 0.4], [0.25, 0.25, 0.25, 0.25], [0.4, 0.1, 0.4, 0.1]])
CLOSE = torch.tensor([[0.2499, 0.2501, 0.25, 0.25], [0.33331, 0.33332, 0.33337, 0.0]])


def _each_pair(maps, golds) -> list[tuple[float, float]]:
    return [_scored([m], [g]) for m, g in zip(maps, golds, strict=True) if any(map(len, g))]


def _by_masks(maps, alignments):
    hits, chances = [], []
    for weights, alignment in zip(maps, alignments, strict=True):
        gold = torch.zeros(weights.shape, dtype=torch.bool)
        for i, positions in enumerate(alignment):
            gold[i, list(positions)] = True
        hits.append(gold.gather(1, weights.argmax(1, keepdim=True))[gold.any(1), 0])
        chances.append(gold[gold.any(1)].float().mean(1))
    return torch.stack([torch.cat(hits).float().mean(), torch.cat(chances).mean()])


def _by_numpy(maps, alignments):
    pairs = zip(maps, alignments, strict=True)
    words = [(row, G) for weights, golds in pairs for row, G in zip(weights.numpy(), golds, strict=True) if G]
    return numpy.mean([(row.argmax() in G, len(G) / row.size) for row, G in words], axis=0).tolist()


DOGS = "Where should *animals* attend if there are two dogs?"
HITS = [  # (position of the largest weight, gold, row, hypothesis word) -> hit
    ("Premise positions count from 0, as argmax does.", lambda p, G, row, i: p + 1 in G),
    ("A word next to the gold one is a miss.", lambda p, G, row, i: bool(G & {p - 1, p, p + 1})),
    ("You tested the word's own position: take the largest weight of its row.", lambda p, G, row, i: i in G),
    ("This is the weight on the gold words: take the largest weight alone.", lambda p, G, row, i: row[list(G)].sum()),
    ("Of equally large weights only the first counts.", lambda p, G, row, i: row[list(G)].max() == row.max()),
    ("Any gold word counts; you tested one of them only.", lambda p, G, row, i: p == min(G), DOGS),
    ("One gold word is enough: there is only one largest weight.", lambda p, G, row, i: {p} == G, DOGS),
    ("Only the largest weight points.", lambda p, G, row, i: bool({*row.topk(min(2, len(row))).indices.tolist()} & G)),
    ("A word counts once, however many gold words it has.", lambda p, G, row, i: (p in G) / len(G)),
]
SHARE = "Chance is the number of the word's gold words, divided by the length of its premise."
NO_GOLD = "Words without gold are neither hits nor misses: leave them out of both rates."
PAINTS = "What would be a hit for *paints*?"
ALONE = "Leave out the words without gold, not the rest of their pair with them."
PAIRS = "Every word counts alike: you took the mean of each pair, and then the mean of those."
SHORT = "Should a word of a short pair count more than one of a long pair?"
RATES = [  # (maps, alignments) -> the two rates
    ("The results are swapped: the hit rate comes first, then the chance.", lambda m, g: _scored(m, g)[::-1]),
    ("Rows are hypothesis words: take each row's largest weight.", lambda m, g: _scored([w.T for w in m], g)),
    ("Of equally large weights the first counts.", partial(_scored, peak=lambda row: row.argsort(stable=True)[-1])),
    ("Weights are rounded: compare them as they are.", partial(_scored, peak=lambda row: (100 * row).round().argmax())),
    (SHARE, partial(_scored, luck=lambda G, row, weights: 1 / len(row))),
    (SHARE, partial(_scored, luck=lambda G, row, weights: len(G) / len(weights))),
    ("Chance knows nothing of the weights.", partial(_scored, luck=lambda G, row, weights: row[list(G)].sum())),
    (NO_GOLD, partial(_scored, keep=lambda G: True), PAINTS),
    (NO_GOLD, lambda m, g: (_scored(m, g, keep=lambda G: True)[0], _scored(m, g)[1])),
    ("The set {0} is not empty: test its length, not what is in it.", partial(_scored, keep=any)),
    (ALONE, lambda m, g: _scored(m, [gold if all(map(len, gold)) else [()] * len(gold) for gold in g]), PAINTS),
    (ALONE, lambda m, g: _scored(m, [gold[: [*map(bool, gold), False].index(False)] for gold in g])),
    (PAIRS, lambda m, g: tuple(map(fmean, zip(*_each_pair(m, g), strict=True))), SHORT),
    ("Only the last pair counts: take the words of all pairs together.", lambda m, g: _each_pair(m, g)[-1]),
    ("These are sums: divide by the number of aligned words.", partial(_scored, over=sum)),
    ("This is the share of misses: return the share of hits.", lambda m, g: (1 - _scored(m, g)[0], _scored(m, g)[1])),
    ("The rates are from 0 to 1, not in percent.", lambda m, g: tuple(100 * rate for rate in _scored(m, g))),
    ("The second result is the hit rate again.", lambda m, g: (_scored(m, g)[0],) * 2),
]
EXERCISE = Exercise(
    Task("05.pointing-score", "Score attention against the gold alignment", 2, 12, "two numbers"),
    pointing_score,
    _sample,
    cases=[
        Case(
            "One pair: of five words with gold three hit; chance is the mean of 2/4, 1/4, 1/4, 1/4 and 2/4.", ONE_PAIR
        ),
        Case("Words with gold count alike, whatever pair they are in; pairs without any count in neither rate.", {}),
        Case("Rows are hypothesis words, also where a map is square.", dict(square=True)),
        Case("Where weights are equally large, the first counts.", ([TIES], [[{3}, {3}, {0}]])),
        Case("Position 0 is a position like any other.", ([HAND[2:], MORE], [[{0}, {0}], [{0}, set()]])),
        Case("Weights may differ by little: nothing is rounded.", ([CLOSE], [[{1}, {2}]])),
    ],
    demands=[sizes(pairs=1, words=1, premise=1, most=1), sizes(pairs=40), sizes(premise=300, words=40, most=9)],
    mistakes=[
        *[Mistake(hint, partial(_scored, hit=hit), *ask) for hint, hit, *ask in HITS],
        *[Mistake(hint, rates, *ask) for hint, rates, *ask in RATES],
    ],
    right=[_by_masks, _by_numpy],
)
