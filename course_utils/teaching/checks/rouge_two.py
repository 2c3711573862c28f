"""The exercise of lesson 7 on marking headlines by their pairs of words; `lesson_07.py` lists it."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from random import Random

import torch

from course_utils.teaching.checks.figures import expect_figure, number_of
from course_utils.teaching.checks.slips import expect_untouched
from course_utils.teaching.exercises import Exercise


def pairs_of(words: Sequence[str]) -> Counter:
    """Count the pairs of neighbouring words."""
    return Counter(pairwise(words))


def rouge_2(hypothesis: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the pairs of neighbouring words that two headlines share.

    Source: Lin 2004, "ROUGE: a package for automatic evaluation of summaries", section 2, with precision beside recall.

    Args:
        hypothesis, reference: words; may be empty.

    Returns:
        0 … 1; 0 if one of them has no pair.
    """
    ours, theirs = pairs_of(hypothesis), pairs_of(reference)
    shared = (ours & theirs).total()
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0


marking = Exercise("07.rouge-2", "Mark a headline by its pairs of words", 2, 12, rouge_2)
EXERCISES = [marking]


def marked(answer: Callable, hypothesis: str, reference: str) -> float:
    """Let the answer mark headlines written with spaces, and insist on a number."""
    return number_of(answer(hypothesis.split(), reference.split()), "ROUGE-2")


def slips_of(hypothesis: str, reference: str) -> list[tuple[str, float]]:
    """What the usual slips make of two headlines."""
    h, r = hypothesis.split(), reference.split()
    ours, theirs = pairs_of(h), pairs_of(r)
    shared, total = (ours & theirs).total(), ours.total() + theirs.total()
    right = 2 * shared / total
    precision, recall = shared / ours.total(), shared / theirs.total()
    one = (Counter(h) & Counter(r)).total()
    either = len(set(ours) & set(theirs))
    unordered = [Counter(frozenset(pair) for pair in counts.elements()) for counts in (ours, theirs)]
    skipping = [Counter(combinations(words, 2)) for words in (h, r)]
    in_ours = sum(count for pair, count in ours.items() if pair in theirs)
    in_theirs = sum(count for pair, count in theirs.items() if pair in ours)
    return [
        ("A pair that comes twice counts twice: sets forget how often.", 2 * either / (len(ours) + len(theirs))),
        ("This is precision, the share of the hypothesis' pairs: F1 needs recall as well.", precision),
        ("This is recall, the share of the reference's pairs: F1 needs precision as well.", recall),
        ("F1 is the harmonic mean 2 P R / (P + R), not the plain mean.", (precision + recall) / 2),
        ("F1 is the harmonic mean 2 P R / (P + R), not the product.", precision * recall),
        ("F1 is 2 P R / (P + R): the 2 is missing.", right / 2),
        ("Return a share from 0 to 1, not percent.", 100 * right),
        ("These are single words, ROUGE-1: count pairs of neighbours.", 2 * one / (len(h) + len(r))),
        ("Divide by the numbers of pairs, one less than words.", 2 * shared / (len(h) + len(r))),
        ("Count a shared pair as often as BOTH have it, the smaller number.", 2 * in_ours / total),
        ("Count a shared pair as often as BOTH have it, the smaller number.", 2 * in_theirs / total),
        ("Count a shared pair as often as BOTH have it, the smaller number.", 2 * max(in_ours, in_theirs) / total),
        ("A pair that both have twice is shared twice.", 2 * either / total),
        ("The order within a pair counts: 'dog sees' is not 'sees dog'.",
         2 * (unordered[0] & unordered[1]).total() / total),
        ("A pair is two NEIGHBOURS: no word stands between them.",
         2 * (skipping[0] & skipping[1]).total() / (skipping[0].total() + skipping[1].total())),
        ("This is the number of shared pairs over that of all different ones; F1 is 2 · shared / (both numbers).",
         shared / max(1, (ours | theirs).total())),
        ("This is the number of shared pairs: make shares of it.", float(shared)),
        ("Pairs are compared wherever they stand, not place by place.",
         2 * sum(a == b for a, b in zip(pairwise(h), pairwise(r), strict=False)) / total),
    ]  # fmt: skip


@marking.behaviour("gives 1 for the reference itself and 0 for other words")
def _(answer):
    said = "two dogs turn red"
    slips = [(hint, figure) for hint, figure in slips_of(said, said) if figure != 1.0]
    expect_figure(marked(answer, said, said), 1.0, "A headline that equals its reference shares all its pairs.", *slips)
    expect_figure(marked(answer, "a cat sleeps here", said), 0.0, "These two share no pair.")


def expect_marks(answer, pairs, hint: str = "") -> None:
    """Expect the true F1 for every pair of a hypothesis and a reference."""
    for hypothesis, reference in pairs:
        expect_figure(
            marked(answer, hypothesis, reference),
            rouge_2(hypothesis.split(), reference.split()),
            f"Hypothesis '{hypothesis}', reference '{reference}'{hint}.",
            *slips_of(hypothesis, reference),
        )


@marking.behaviour("is the harmonic mean of both shares of shared pairs")
def _(answer):
    pairs = [
        ("big dog sees a red cat at home", "dog sees a cat"),
        ("two dogs turn", "two dogs turn red at the top left"),
        ("the small cat moves from left to right", "the cat moves from right to left"),
    ]
    expect_marks(answer, pairs, ": F1 = 2 P R / (P + R)")


@marking.behaviour("counts a pair as often as both have it")
def _(answer):
    pairs = [
        ("the red the red the red car", "the red car and the red dog"),
        ("the red car and the red dog", "the red the red the red the red car"),
        ("so so so so", "so so and so so so"),
        ("a b a b a b c", "b a b a c"),
    ]
    expect_marks(answer, pairs)


@marking.behaviour("compares pairs of whole words in their order")
def _(answer):
    joined = marked(answer, "car pet shop", "carpet shop")
    expect_figure(joined, 0.0, "'car' and 'pet' are two words: compare pairs of words, not of letters or joined texts.")
    glued = marked(answer, "ab c d", "a bc d")
    expect_figure(glued, 0.0, "('ab', 'c') and ('a', 'bc') are different pairs: do not join the two words of a pair.")
    expect_figure(
        marked(answer, "sees dog big cat", "cat big dog sees"), 0.0, "No pair is the same in both.",
        *slips_of("sees dog big cat", "cat big dog sees"),
    )  # fmt: skip


@marking.behaviour("gives 0 where a side has no pair")
def _(answer):
    for hypothesis, reference in [
        ("", "two dogs"),
        ("dogs", "two dogs"),
        ("two dogs", "dogs"),
        ("", ""),
        ("dogs", "dogs"),
    ]:
        hint = f"Hypothesis '{hypothesis}', reference '{reference}': without a pair the result is 0."
        expect_figure(marked(answer, hypothesis, reference), 0.0, hint)


@marking.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, ["two", "dogs", "turn", "red"], ["dogs", "turn", "red"])


@marking.own_data
def _(generator):
    random = Random(int(torch.randint(2**31, (), generator=generator)))
    hypothesis, reference = (random.choices(("a", "red", "big", "dog"), k=random.randint(6, 15)) for _ in range(2))
    return hypothesis, reference
