"""The exercise of lesson 5 on where a hypothesis word looks, and what it rests on; `lesson_05.py` lists it."""

import math
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial

import torch
from torch import Tensor

from course_utils.teaching.checks.pointing import expect_rate
from course_utils.teaching.checks.slips import expect_untouched
from course_utils.teaching.exercises import Exercise, expect

Gold = Sequence[AbstractSet[int]]
"""For each hypothesis word the positions of the premise words that it rests on; empty where there are none."""


def pointing_score(maps: Sequence[Tensor], alignments: Sequence[Gold]) -> tuple[float, float]:
    """Count how often a hypothesis word's largest weight lies on a premise word it rests on, and how often by chance.

    Args:
        maps: for each pair `(hypothesis_length, premise_length)` weights; the first of several largest ones counts.
        alignments: for each pair one set of premise positions, from 0, per hypothesis word.

    Returns:
        hit_rate: share of the aligned words, of all pairs together, whose largest weight lies in their set.
        chance: size of the set over the premise's length, the mean over the same words.
    """
    hits, chances = [], []
    for weights, alignment in zip(maps, alignments, strict=True):
        for peak, gold in zip(weights.argmax(dim=1).tolist(), alignment, strict=True):
            if gold:
                hits.append(peak in gold)
                chances.append(len(gold) / weights.shape[1])
    return sum(hits) / len(hits), sum(chances) / len(chances)


pointing = Exercise("05.pointing-score", "Mark where a word looked", 2, 12, pointing_score)
EXERCISES = [pointing]


def two_numbers(result: object, first: str, second: str) -> tuple[float, float]:
    """Insist on two numbers; `first` and `second` say in the hints what they are."""
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, f"Return two numbers, the {first} and the {second}, with a comma between them.")
    for value, name in zip(result, (first, second), strict=True):
        single = value.numel() == 1 if isinstance(value, Tensor) else hasattr(value, "__float__")
        expect(single, f"The {name} is no single number: take the mean.")
        nan = math.isnan(float(value))
        expect(not nan, f"The {name} is NaN: it is a share of the words that have gold, of all pairs together.")
    return float(result[0]), float(result[1])


def pointed(answer: Callable, maps: Sequence[Tensor], alignments: Sequence[Gold]) -> tuple[float, float]:
    """Let the answer mark copies of the maps."""
    try:
        result = answer([weights.clone() for weights in maps], [list(gold) for gold in alignments])
    except ZeroDivisionError:
        expect(False, "Your code divided by zero: divide once at the end, by the number of aligned words of all pairs.")
    return two_numbers(result, "hit rate", "chance")


def draw(
    pairs: int,
    fewest: int = 1,
    most: int = 1,
    none: float = 0.0,
    square: bool = False,
    generator: torch.Generator | None = None,
) -> tuple[list, list]:
    """Draw maps and alignments of several sizes; a share `none` of the words rests on nothing."""
    maps, alignments = [], []
    randint, rand, randn, randperm = (
        partial(function, generator=generator) for function in (torch.randint, torch.rand, torch.randn, torch.randperm)
    )
    for _ in range(pairs):
        words, length = int(randint(3, 8, ())), int(randint(5, 11, ()))
        words = length if square else words
        maps.append((2 * randn(words, length)).softmax(dim=1))
        counts = randint(fewest, most + 1, (words,)) * (rand(words) >= none)
        alignments.append([frozenset(randperm(length)[:count].tolist()) for count in counts.tolist()])
        looks = rand(words) < 0.35  # a model that is better than chance
        for word, gold in enumerate(alignments[-1]):
            if gold and looks[word]:
                maps[-1][word, min(gold)] += 1
    return maps, alignments


def share(maps: Sequence[Tensor], alignments: Sequence[Gold], mark: Callable, keep: Callable = bool) -> float:
    """Mean of mark(row of weights, gold, word) over the words of all pairs that are kept."""
    marks = [
        float(mark(row, gold, word))
        for weights, alignment in zip(maps, alignments, strict=True)
        for word, (row, gold) in enumerate(zip(weights.tolist(), alignment, strict=True))
        if keep(gold)
    ]
    return sum(marks) / len(marks) if marks else 0.0


def per_pair(maps: Sequence[Tensor], alignments: Sequence[Gold], mark: Callable) -> list[float]:
    """The same for each pair that has an aligned word."""
    return [share([m], [a], mark) for m, a in zip(maps, alignments, strict=True) if any(a)]


def peak(row: list[float]) -> int:
    """Return the position of the largest weight, the first of several."""
    return row.index(max(row))


def hit(row: list[float], gold: AbstractSet[int], word: int) -> bool:
    """Say whether the largest weight lies on a gold word."""
    return peak(row) in gold


def on_gold(row: list[float], gold: AbstractSet[int]) -> float:
    """Return the weight on the gold words together."""
    return sum(row[position] for position in gold)


def luck(row: Sequence, gold: AbstractSet[int], word: int) -> float:
    """Return the share of premise words that are gold."""
    return len(gold) / len(row)


@pointing.behaviour("sees whether the largest weight of a word lies on its premise word")
def _(answer):
    maps, alignments = draw(23, square=True)  # square maps: no shape tells rows from columns
    rate, chance = pointed(answer, maps, alignments)
    right, right_chance = share(maps, alignments, hit), share(maps, alignments, luck)
    turned = [weights.T for weights in maps]
    swapped = math.isclose(rate, right_chance, abs_tol=1e-5) and math.isclose(chance, right, abs_tol=1e-5)
    expect(not swapped, "The results are swapped: the hit rate comes first, then the chance.")
    count = sum(len(alignment) for alignment in alignments)
    mass = "This is the weight on the gold words: the score looks at the largest weight alone."
    slips = [
        (
            "The rows of a map are hypothesis words: take the largest weight of each row, dim=1.",
            share(turned, alignments, hit),
        ),
        (
            "This is the smallest weight: take the largest.",
            share(maps, alignments, lambda row, gold, word: row.index(min(row)) in gold),
        ),
        (
            "Premise positions count from 0, as argmax does.",
            share(maps, alignments, lambda row, gold, word: peak(row) + 1 in gold),
        ),
        (
            "Premise positions count from 0, as argmax does.",
            share(maps, alignments, lambda row, gold, word: peak(row) - 1 in gold),
        ),
        (
            "A word next to the gold one is a miss.",
            share(maps, alignments, lambda row, gold, word: min(abs(peak(row) - g) for g in gold) <= 1),
        ),
        (
            "You tested the word's own place: the largest weight of its row is what counts.",
            share(maps, alignments, lambda row, gold, word: word in gold),
        ),
        (mass, share(maps, alignments, lambda row, gold, word: on_gold(row, gold))),
        (
            "A gold weight above one half, or above the even share, is not the largest one.",
            share(maps, alignments, lambda row, gold, word: on_gold(row, gold) > 0.5),
        ),
        (
            "A gold weight above one half, or above the even share, is not the largest one.",
            share(maps, alignments, lambda row, gold, word: max(row[g] for g in gold) > 1 / len(row)),
        ),
        ("This is the share of misses: return the share of hits.", 1 - right),
        ("This is the number of hits: divide by the number of aligned words.", right * count),
        ("The rate is from 0 to 1, not in percent.", 100 * right),
        (
            "Every pair was marked by the gold words of the first.",
            share([m[: len(alignments[0])] for m in maps], [alignments[0][: len(m)] for m in maps], hit),
        ),
    ]
    expect_rate(rate, right, "Wrong hit rate where each word rests on one premise word.", *slips)


@pointing.behaviour("is content with any of several gold words")
def _(answer):
    maps, alignments = draw(23, fewest=2, most=4)
    rate, _ = pointed(answer, maps, alignments)

    def of(mark):
        return share(maps, alignments, mark)

    links = sum(len(gold) for alignment in alignments for gold in alignment)
    words = sum(len(alignment) for alignment in alignments)
    right = of(hit)

    def top(row, gold, word):
        return set(sorted(range(len(row)), key=row.__getitem__)[-len(gold) :])

    first = "Any gold word counts; you looked at one of them only."
    every = "One gold word is enough: the largest weight can lie on one only."
    slips = [
        (first, of(lambda row, gold, word: peak(row) == min(gold))),
        (first, of(lambda row, gold, word: peak(row) == max(gold))),
        (first, of(lambda row, gold, word: peak(row) == next(iter(gold)))),
        (every, of(lambda row, gold, word: {peak(row)} == set(gold))),
        (every, of(lambda row, gold, word: top(row, gold, word) == set(gold))),
        (
            "Only the largest weight points; you looked at as many as there are gold words.",
            of(lambda row, gold, word: bool(top(row, gold, word) & set(gold))),
        ),
        (
            "Only the largest weight points; you looked at as many as there are gold words.",
            of(lambda row, gold, word: len(top(row, gold, word) & set(gold)) / len(gold)),
        ),
        (
            "The gold words stay apart: a word between them is a miss.",
            of(lambda row, gold, word: min(gold) <= peak(row) <= max(gold)),
        ),
        ("A word counts once: divide by the number of aligned words, not of links.", right * words / links),
        (
            "A word counts once: divide by the number of aligned words, not of links.",
            of(lambda row, gold, word: hit(row, gold, word) / len(gold)),
        ),
        (
            "A word counts once, however many gold words it has.",
            sum(
                len(g) * hit(row, g, 0)
                for m, a in zip(maps, alignments, strict=True)
                for row, g in zip(m.tolist(), a, strict=True)
            )
            / words,
        ),
        (
            "A word counts once, however many gold words it has.",
            sum(
                len(g) * hit(row, g, 0)
                for m, a in zip(maps, alignments, strict=True)
                for row, g in zip(m.tolist(), a, strict=True)
            )
            / links,
        ),
        (
            "This is the weight on the gold words: the score looks at the largest weight alone.",
            of(lambda row, gold, word: on_gold(row, gold)),
        ),
        (
            "Divide by the aligned words, not by the words of the premise.",
            right * words / sum(m.shape[1] for m in maps),
        ),
    ]
    expect_rate(rate, right, "Wrong hit rate where a word rests on several premise words.", *slips)


@pointing.behaviour("tells the chance: the share of premise words that are gold")
def _(answer):
    maps, alignments = draw(25, most=4)
    rate, chance = pointed(answer, maps, alignments)

    def of(mark):
        return share(maps, alignments, mark)

    right = of(luck)
    one = "One premise word is not the chance: count all the gold words of the hypothesis word."
    hypothesis_length = [
        len(gold) / weights.shape[0] for weights, alignment in zip(maps, alignments, strict=True) for gold in alignment
    ]
    union = [
        len(set().union(*alignment)) / weights.shape[1] for weights, alignment in zip(maps, alignments, strict=True)
    ]
    words = sum(len(alignment) for alignment in alignments)
    gold_words = sum(len(gold) for alignment in alignments for gold in alignment)
    slips = [
        (one, of(lambda row, gold, word: 1 / len(row))),
        (
            "This is the number of gold words: divide by the length of the premise.",
            of(lambda row, gold, word: len(gold)),
        ),
        (
            "Divide by the length of the premise, not of the hypothesis.",
            sum(hypothesis_length) / len(hypothesis_length),
        ),
        ("Each hypothesis word has its own gold words; you took those of the whole pair.", sum(union) / len(union)),
        ("The chance is not that of a coin: count gold words.", 0.5),
        ("This is the share of premise words that are not gold.", 1 - right),
        ("Chance is from 0 to 1, not in percent.", 100 * right),
        (
            "This is the weight on the gold words: chance knows nothing of the map.",
            of(lambda row, gold, word: on_gold(row, gold)),
        ),
        ("This is the hit rate again.", share(maps, alignments, hit)),
        (
            "Every word has its own chance: take the mean of the shares, each by the length of its own premise.",
            gold_words / words / (sum(m.shape[1] for m in maps) / len(maps)),
        ),
        (
            "Every word has its own chance: take the mean of the shares, each by the length of its own premise.",
            gold_words / sum(m.numel() for m in maps),
        ),
        (
            "Premises differ in length: divide by the length of the word's own premise.",
            of(lambda row, gold, word: len(gold) / max(m.shape[1] for m in maps)),
        ),
        (
            "This is the chance of the last word, or of the last pair: take the mean over all words.",
            luck(maps[-1][-1], alignments[-1][-1], 0),
        ),
        (
            "This is the chance of the last word, or of the last pair: take the mean over all words.",
            share(maps[-1:], alignments[-1:], luck),
        ),
        (
            "This is the chance of the first word, or of the first pair: take the mean over all words.",
            luck(maps[0][0], alignments[0][0], 0),
        ),
        (
            "This is the chance of the first word, or of the first pair: take the mean over all words.",
            share(maps[:1], alignments[:1], luck),
        ),
    ]
    expect_rate(chance, right, "Wrong chance.", *slips)


@pointing.behaviour("leaves out words that rest on nothing")
def _(answer):
    whole_pairs, others = draw(7, most=3), draw(17, most=3, none=0.5)
    maps, alignments = (first + second for first, second in zip(whole_pairs, others, strict=True))
    rate, chance = pointed(answer, maps, alignments)
    right, right_chance = share(maps, alignments, hit), share(maps, alignments, luck)
    aligned = share(maps, alignments, lambda row, gold, word: bool(gold), keep=lambda gold: True)
    whole = [all(alignment) for alignment in alignments]
    slips = [
        (
            "Words without gold counted as misses: leave them out, and divide by the number of those left.",
            right * aligned,
        ),
        ("Words without gold counted as hits: leave them out.", right * aligned + 1 - aligned),
        (
            "A pair with a word without gold was left out whole: leave out the word alone.",
            share(
                [m for m, w in zip(maps, whole, strict=True) if w],
                [a for a, w in zip(alignments, whole, strict=True) if w],
                hit,
            ),
        ),
        (
            "The rest of a pair was left out from its first word without gold on: use continue, not break.",
            share(
                maps,
                [
                    list(a[: next((i for i, g in enumerate(a) if not g), len(a))])
                    + [frozenset()] * (len(a) - next((i for i, g in enumerate(a) if not g), len(a)))
                    for a in alignments
                ],
                hit,
            ),
        ),
    ]
    expect_rate(rate, right, "A word such as 'paints' rests on nothing, and is neither hit nor miss.", *slips)
    expect_rate(
        chance,
        right_chance,
        "The chance is averaged over the same words as the hits.",
        ("Words without gold counted in the chance: average it over the words that have some.", right_chance * aligned),
        ("Words without gold counted in the chance as certain hits.", right_chance * aligned + 1 - aligned),
    )


@pointing.behaviour("lets every aligned word of all pairs count alike")
def _(answer):
    maps, alignments = draw(19, most=3, none=0.6)
    alignments[3] = [frozenset()] * len(alignments[3])  # a pair without any aligned word
    rate, chance = pointed(answer, maps, alignments)
    by_pair = "Every word counts alike: you took the mean of each pair, and then the mean of those."
    zero = "A pair without aligned words counts in nothing; you counted it as a pair of misses."
    for actual, mark, name in ((rate, hit, "hit rate"), (chance, luck, "chance")):
        each = per_pair(maps, alignments, mark)
        expect_rate(
            actual,
            share(maps, alignments, mark),
            f"Wrong {name} where pairs have different numbers of aligned words, one of them none.",
            (by_pair, sum(each) / len(each)),
            (zero, sum(each) / len(maps)),
            ("Only the last pair counts for you: take all pairs together.", each[-1]),
            ("Only the first pair counts for you: take all pairs together.", each[0]),
            ("This is the sum over the pairs: take the mean over the words of all pairs.", sum(each)),
        )


@pointing.behaviour("takes the first of several largest weights")
def _(answer):
    maps = [
        torch.tensor([[0.1, 0.4, 0.1, 0.4], [0.25] * 4, [0.4, 0.1, 0.4, 0.1]]),
        torch.tensor([[0.3, 0.3, 0.3, 0.1]]),
    ]
    alignments = [[{3}, {3}, {0}], [{1}]]
    rate, _ = pointed(answer, maps, alignments)
    expect_rate(
        rate,
        1 / 4,
        "Where weights are equally large, the first one counts, as with argmax.",
        ("The last of several equally large weights was taken: the first one counts, as with argmax.", 2 / 4),
        ("Equally large weights: a hit by any of them is too generous, the first one counts.", 1.0),
        ("Equally large weights: the first one counts, you gave each its share.", (1 / 2 + 1 / 4 + 1 / 2 + 1 / 3) / 4),
        ("Equally large weights: a row with several largest weights is no miss, the first one counts.", 0.0),
    )


@pointing.behaviour("works for one pair, one word and weights of any precision")
def _(answer):
    for pairs, square in [(1, False), (2, True), (30, False)]:
        maps, alignments = draw(pairs, most=3, none=0.2, square=square)
        alignments[0][0] = frozenset({0})
        right, right_chance = pointing_score(maps, alignments)
        rate, chance = pointed(answer, [weights.double() for weights in maps], alignments)
        expect_rate(rate, right, f"Wrong hit rate for {pairs} pair(s).")
        expect_rate(chance, right_chance, f"Wrong chance for {pairs} pair(s).")
    rate, chance = pointed(answer, [torch.ones(1, 1)], [[{0}]])
    expect_rate(rate, 1.0, "One word on one word is a hit.")
    expect_rate(chance, 1.0, "With one premise word, and that one gold, the chance is 1.")


@pointing.behaviour("leaves its inputs as they were")
def _(answer):
    maps, alignments = draw(3, most=2, none=0.3)
    alignments[0][0] = frozenset({1})
    expect_untouched(answer, maps, [[set(gold) for gold in alignment] for alignment in alignments])


@pointing.own_data
def _(generator):
    return draw(9, most=3, none=0.3, generator=generator)
