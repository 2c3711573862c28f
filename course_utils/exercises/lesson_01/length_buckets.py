"""Lesson 1: the share of exact sentences by length."""

import math
from collections.abc import Sequence

import numpy
import torch

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, in_two_calls

Bucket = tuple[int, int]
T, F = True, False
BUCKETS = [(2, 8), (9, 16), (17, 24)]
SHARES = [3, 20, 12, 5, 21, 10, 7, 22], [T, F, T, T, F, F, F, T], BUCKETS
ENDS = [2, 5, 8, 9, 12, 16, 17, 1], [T, F, F, T, F, F, T, T], BUCKETS[:2]
REPEATED = [5, 6, 5, 6, 5, 7, 7, 120, 300, 120], [T, F, F, F, F, F, F, T, F, T], [(2, 8), (101, 400)]
OVERLAPPING = [30, 2, 17, 8, 2, 40], [T, T, F, T, F, F], [(17, 60), (2, 60), (2, 8), (8, 8)]


def exact_by_length(lengths: Sequence[int], correct: Sequence[bool], buckets: Sequence[Bucket]) -> dict[Bucket, float]:
    """Compute the share of correct sentences, 0 to 1, in each bucket of lengths that is not empty.

    Takes the sentences' lengths, whether each is correct, and buckets `(low, high)`, both ends included.
    """
    shares = {}
    for low, high in buckets:
        inside = [flag for length, flag in zip(lengths, correct, strict=True) if low <= length <= high]
        if inside:
            shares[low, high] = sum(inside) / len(inside)
    return shares


def sample(generator: torch.Generator, sentences=30, longest=40) -> tuple[list, list, list]:
    """Make sentences of up to some length, and buckets, one of them without sentences and one that overlaps."""
    lengths = torch.randint(1, longest + 1, (sentences,), generator=generator).tolist()
    correct = (torch.rand(sentences, generator=generator) < 0.6).tolist()
    empty, overlapping = (longest + 10, longest + 20), (5, longest)
    return lengths, correct, [(2, 8), (9, 16), (17, longest - 1), empty, overlapping]


def _flags_in(lengths, correct, buckets, belongs=lambda low, n, high: low <= n <= high):
    pairs = list(zip(lengths, correct, strict=True))
    return {(low, high): [flag for n, flag in pairs if belongs(low, n, high)] for low, high in buckets}


def _share_where(belongs):
    return lambda *arguments: {b: sum(f) / len(f) for b, f in _flags_in(*arguments, belongs).items() if f}


@in_two_calls
def _with_share(lengths, correct, buckets, share, *empty):
    """Make an answer of share(flags in the bucket, all flags); `empty` may hold the share of an empty bucket."""
    found = _flags_in(lengths, correct, buckets).items()
    return {bucket: share(flags, correct) if flags else empty[0] for bucket, flags in found if flags or empty}


def _beyond_the_last(lengths, correct, buckets):
    top = max((high for _, high in buckets), default=0)
    return _share_where(lambda low, n, high: low <= n and (n <= high or high == top))(lengths, correct, buckets)


def _running(lengths, correct, buckets):
    shares, seen = {}, []
    for bucket, flags in _flags_in(lengths, correct, buckets).items():
        seen += flags
        shares |= {bucket: sum(seen) / len(seen)} if flags else {}
    return shares


def _first_match(lengths, correct, buckets):
    taken = [[b for b in buckets if b[0] <= n <= b[1]][:1] for n in lengths]
    flags = {b: [flag for first, flag in zip(taken, correct, strict=True) if first == [b]] for b in buckets}
    return {b: sum(f) / len(f) for b, f in flags.items() if f}


def _by_numpy(lengths, correct, buckets):
    lengths, correct = numpy.array(lengths), numpy.array(correct)
    chosen = {(low, high): (lengths >= low) & (lengths <= high) for low, high in buckets}
    return {bucket: correct[rows].mean() for bucket, rows in chosen.items() if rows.any()}


EMPTY = "An empty bucket says nothing, and a value would look like a result: leave it out of the dictionary."
DIVIDES = "An empty bucket makes you divide by zero: leave it out of the dictionary."
UPPER = "The upper end belongs to the bucket, too: low <= length <= high (a range stops before its end)."
OF_ALL = "Divide by the number of sentences in the bucket, not by that of all {}sentences."
PAIRS = "You sorted the lengths alone: each must stay with its entry of `correct`."
ALL_WRONG = "A bucket where all are wrong is not empty: its share is 0."
FRACTION = "Yours is 0 unless all are right: a share is a fraction, use / and not // or int."
TEXT = "The keys are the buckets as they were given, (low, high), not text."
READER = "What would a reader of the curve think of a 0 here?"
ZERO_OR_ONE = "Yours is 0 or 1: a share lies anywhere between."
SIXTEEN = "In which bucket is a sentence of exactly 16 words?"

EXERCISE = Exercise(
    Task("01.length-buckets", "Share of exact sentences by length", 1, 6),
    exact_by_length,
    sample,
    cases=[
        Case("A bucket's share is the number of its correct sentences divided by that of all its sentences.", SHARES),
        Case("Both ends belong to a bucket.", ENDS),
        Case("An empty bucket is left out; one where all are wrong has the share 0.", ([3, 4, 20], [F, F, T], BUCKETS)),
        Case("A sentence counts in every bucket that its length lies in, in any order.", OVERLAPPING),
        Case("Without sentences the dictionary is empty.", ([], [], BUCKETS)),
        Case("Without buckets the dictionary is empty.", ([3, 4], [T, F], [])),
        Case("One sentence is enough.", ([5], [T], BUCKETS)),
        Case("Sentences of the same length and outcome all count, and lengths above 100, too.", REPEATED),
        Case("There may be many sentences, and long ones.", dict(sentences=2500, longest=3000)),
    ],
    mistakes=[
        *[Mistake(EMPTY, _with_share(lambda f, _: sum(f) / len(f), value), READER) for value in (0.0, math.nan, None)],
        Mistake(DIVIDES, lambda *a: {b: sum(f) / len(f) for b, f in _flags_in(*a).items()}, READER),
        Mistake(UPPER, _share_where(lambda low, n, high: low <= n < high), SIXTEEN),
        Mistake("The lower end counts, too: low <= length <= high.", _share_where(lambda a, n, b: a < n <= b), SIXTEEN),
        Mistake("Both ends belong to the bucket.", _share_where(lambda low, n, high: low < n < high), SIXTEEN),
        Mistake("The upper end is not used: low <= length <= high.", _share_where(lambda low, n, high: low <= n)),
        Mistake("A length beyond the last bucket belongs to none.", _beyond_the_last),
        Mistake("The lower end is not used: low <= length <= high.", _share_where(lambda low, n, high: n <= high)),
        Mistake("A sentence counts in every bucket that it fits, not only in the first.", _first_match, SIXTEEN),
        Mistake("These are counts: divide by the number of sentences in the bucket.", _with_share(lambda f, _: sum(f))),
        Mistake(OF_ALL.format(""), _with_share(lambda f, every: sum(f) / len(every))),
        Mistake(OF_ALL.format("correct "), _with_share(lambda f, every: sum(f) / max(1, sum(every)))),
        Mistake("`correct` is not used: count the correct ones.", _with_share(lambda f, every: len(f) / len(every))),
        Mistake("This is the share of wrong sentences.", _with_share(lambda f, _: f.count(False) / len(f))),
        Mistake("Return shares between 0 and 1, not percentages.", _with_share(lambda f, _: 100 * sum(f) / len(f))),
        Mistake(FRACTION, _with_share(lambda f, _: sum(f) // len(f))),
        Mistake(ZERO_OR_ONE, _with_share(lambda f, _: round(sum(f) / len(f)))),
        Mistake(ZERO_OR_ONE, _with_share(lambda f, _: any(f))),
        *[Mistake("Do not round.", _with_share(lambda f, _, d=d: round(sum(f) / len(f), d))) for d in (1, 2, 3, 4)],
        Mistake("Start the counts anew for each bucket: yours run on from one to the next.", _running),
        Mistake("Only the last sentence of a bucket counts: collect all.", _with_share(lambda f, _: float(f[-1]))),
        Mistake(ALL_WRONG, lambda *a: {b: share for b, share in exact_by_length(*a).items() if share}),
        Mistake(PAIRS, lambda lengths, correct, buckets: exact_by_length(sorted(lengths), correct, buckets)),
        Mistake(TEXT, lambda *a: {f"{low}–{high}": share for (low, high), share in exact_by_length(*a).items()}),
    ],
    right=[_by_numpy, _with_share(lambda f, _: torch.tensor(f, dtype=torch.float64).mean())],
)
