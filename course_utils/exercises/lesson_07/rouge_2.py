"""Lesson 7: score a headline by the bigrams that it shares with its reference."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from operator import eq
from random import Random

import torch

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, in_two_calls


def rouge_2(hypothesis: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the pairs of neighbouring words that two headlines share, from 0, also if there is no pair, to 1.

    Source: Lin 2004, "ROUGE: a package for automatic evaluation of summaries", section 2, with precision beside recall.
    """
    ours, theirs = Counter(pairwise(hypothesis)), Counter(pairwise(reference))
    shared = (ours & theirs).total()
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0


def sample(generator: torch.Generator) -> tuple[list[str], list[str]]:
    """Make two headlines of few words, so that pairs repeat."""
    random = Random(int(torch.randint(2**31, (), generator=generator)))
    words = ["a", "a", "a", "red", "red", "Red", "big", "dog", "dog", "dogs", ","]
    return tuple(random.choices(words, k=random.randint(9, 20)) for _ in range(2))


def _each(answer: Callable, hypotheses: Sequence, references: Sequence) -> list:
    return [answer(*pair) for pair in zip(hypotheses, references, strict=True)]


def _tried(says: str, *pairs: str) -> Case:
    """Make a case of "hypothesis | reference", one or several."""
    sides = [tuple(side.split() for side in pair.split("|")) for pair in pairs]
    return Case(says, tuple(zip(*sides, strict=True)), _each) if pairs[1:] else Case(says, sides[0])


@in_two_calls
def _shares(
    hypothesis,
    reference,
    finish: Callable = lambda s, h, r: 2 * s / (h + r),
    units: Callable = lambda words: [*pairwise(words)],
    match: Callable = lambda a, b: (Counter(a) & Counter(b)).total(),
    stop: bool = True,
):
    """Make an answer of finish(shared, number in the hypothesis, in the reference); with `stop`, 0 if S is."""
    ours, theirs = units(hypothesis), units(reference)
    shared = match(ours, theirs)
    return finish(shared, len(ours), len(theirs)) if shared or not stop else 0.0


def _changed(change: Callable) -> Callable:
    return lambda hypothesis, reference: rouge_2(change(hypothesis), change(reference))


BOTH = "Count a shared pair as often as BOTH headlines have it: the smaller of its two counts."
OFTEN = "It stands there five times and here once. How many of the five are right?"
TWICE = "How would you raise this score by saying one pair again and again?"
LONGER = "Which of the two rises if the headline gets longer and longer?"
WHOLE = "Compare pairs of whole words: join nothing, and do not search in a joined text."
AS_IT_IS = "Compare the words as they are: do not change their case or endings, and drop none."
ZERO = "Here a number that you divide by is zero: return 0 before you divide."
PARTS = "car pet shop | carpet shop", "ab c d | a bc d", "a red | panda reds", "red a | red and"
NO_PAIR = "| two dogs", "two dogs |", "dogs | two dogs", "|", "dogs | dogs", "a b | b a"
LONG = "a b c d e f g h " * 9 + "so " * 40 + "the end | " + "h g a b " * 12 + "so " * 30 + "a b c the end"
EMPTY = "What is the score of a headline that says nothing?"

EXERCISE = Exercise(
    Task("07.rouge-2", "Score a headline by its bigrams", 2, 12),
    rouge_2,
    sample,
    cases=[
        _tried("The score is 2 S / (H + R).", "red dog sees red dog | big red dog and a red dog"),
        _tried("The hypothesis may be longer …", "big dog sees a red cat at home | dog sees a cat"),
        Case("… or shorter, and a tuple.", (("two", "dogs", "turn"), ("two", "dogs", "turn", "red", "at", "home"))),
        _tried(
            "A pair counts as often as both headlines have it.",
            "the red the red the red | red car and the red dog",
            "so so so so | so so and so so so",
        ),
        _tried("The order within a pair counts.", "sees dog a big cat | a big dog sees cat a"),
        _tried("Words are compared whole.", *PARTS),
        _tried("Case, plural and punctuation matter.", "The dog sees a cat , at sea . | the dog sees a cats at sea. ."),
        _tried("The score is 0 if no pair is shared, also where there is no pair.", *NO_PAIR),
        _tried("Headlines may be long, and repeat themselves.", LONG),
    ],
    mistakes=[
        Mistake("Sets forget how often a pair comes.", _shares(units=lambda words: {*pairwise(words)}), ask=TWICE),
        Mistake("What both have twice is shared twice.", _shares(match=lambda a, b: len({*a} & {*b})), ask=TWICE),
        Mistake(BOTH, _shares(match=lambda a, b: sum(pair in b for pair in a)), ask=OFTEN),
        Mistake(BOTH, _shares(match=lambda a, b: sum(pair in a for pair in b)), ask=OFTEN),
        Mistake("This is precision: F1 needs recall, too.", _shares(lambda s, h, r: s / h), ask=LONGER),
        Mistake("This is recall: F1 needs precision, too.", _shares(lambda s, h, r: s / r), ask=LONGER),
        Mistake("F1 is 2 P Q / (P + Q), not the plain mean.", _shares(lambda s, h, r: (s / h + s / r) / 2), ask=LONGER),
        Mistake("F1 is 2 P Q / (P + Q), not the product.", _shares(lambda s, h, r: s * s / h / r)),
        Mistake("F1 is 2 P Q / (P + Q): the 2 is missing.", _shares(lambda s, h, r: s / (h + r))),
        Mistake("Return a number from 0 to 1, not percent.", _shares(lambda s, h, r: 200 * s / (h + r))),
        Mistake("This is the number of shared pairs: divide it.", _shares(lambda s, h, r: s)),
        Mistake("These are single words, ROUGE-1: count pairs of neighbours.", _shares(units=list)),
        Mistake("Divide by the numbers of pairs, not of words.", _shares(lambda s, h, r: 2 * s / (h + r + 2))),
        Mistake("F1 is 2 S / (H + R), not S / (H + R − S).", _shares(lambda s, h, r: s / (h + r - s))),
        Mistake("The order in a pair counts.", _shares(units=lambda words: [*map(frozenset, pairwise(words))])),
        Mistake("A pair is two NEIGHBOURS: none is between.", _shares(units=lambda words: [*combinations(words, 2)])),
        Mistake("Compare pairs wherever they stand.", _shares(match=lambda a, b: sum(map(eq, a, b)))),
        Mistake("Pairs are of words, not of letters.", _changed("".join)),
        Mistake(WHOLE, _shares(units=lambda words: [a + b for a, b in pairwise(words)])),
        Mistake(WHOLE, lambda h, r: 2 * sum(f"{a} {b}" in " ".join(r) for a, b in pairwise(h)) / (len(h) + len(r) - 2)),
        Mistake(AS_IT_IS, _changed(lambda words: [word.lower() for word in words])),
        Mistake(AS_IT_IS, _changed(lambda words: [word.rstrip("s") for word in words])),
        Mistake(AS_IT_IS, _changed(lambda words: [word for word in words if word.isalnum()])),
        Mistake("All words count, however long the headline.", _changed(lambda words: words[:10])),
        Mistake("Two equal headlines of one word share no pair.", lambda h, r: 1.0 if h == r else rouge_2(h, r)),
        Mistake(ZERO, _shares(stop=False), ask=EMPTY),
        Mistake(ZERO, _shares(lambda s, h, r: 2 * (s / h) * (s / r) / (s / h + s / r), stop=False), ask=EMPTY),
    ],
    right=[
        _shares(match=lambda a, b: sum(min(a.count(p), b.count(p)) for p in {*a})),
        _shares(lambda s, h, r: 2 / (h / s + r / s)),
    ],
)
