"""Lesson 6: the phoneme error rate, all edits over all phonemes said."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import chain, groupby, zip_longest

import torch

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, sizes

PHONEMES = ("AA", "AA1", "AA0", "S", "SH", "HH", "sh", "T")
COMPARISONS = 40  # allowed for each cell of the tables


def edits(h: Sequence[str], r: Sequence[str], substitution=1, insertion=1, deletion=1, edge=1) -> int:
    """Return the smallest number of edits from a reference r to a hypothesis h; other costs make mistakes."""
    before, row = [], [j * deletion * edge for j in range(len(r) + 1)]
    for i, written in enumerate(h, 1):
        before, row = row, [i * insertion * edge]
        for j, said in enumerate(r, 1):
            different = 0 if written == said else substitution
            row.append(min(before[j] + insertion, row[-1] + deletion, before[j - 1] + different))
    return row[-1]


def phoneme_error_rate(hypotheses: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> float:
    """Share of wrong phonemes over all utterances: (substitutions + deletions + insertions) / reference phonemes.

    Takes the phonemes written and those said, at least one in all, for each utterance. May exceed 1. Source: the metric
    of Chorowski et al. 2015, arXiv 1506.07503, section 5; the distance is Levenshtein's.
    """
    return sum(map(edits, hypotheses, references)) / sum(map(len, references))


def sample(generator: torch.Generator, utterances=6, length=7) -> tuple[list, list]:
    """Make utterances of two phonemes to `length`, and hypotheses with edits of all kinds."""
    dice = random.Random(int(torch.randint(2**31, (), generator=generator)))
    references = [dice.choices(PHONEMES, k=dice.randint(2, length)) for _ in range(utterances)]
    hypotheses = [[dice.choice((said, said, *PHONEMES)) for said in r if dice.random() < 0.8] for r in references]
    return hypotheses, references


def _pairs(text):
    """Read arguments: "B IY|B IY / UW|T UW", hypothesis and reference of each utterance."""
    utterances = [[side.split() for side in pair.split("|")] for pair in text.split("/")]
    return [h for h, _ in utterances], [r for _, r in utterances]


def _counted(answer, *sides):
    """Observe the rate, and stop an answer without a table before it takes hours."""
    left = 400 + COMPARISONS * sum(len(h) * len(r) for h, r in zip(*sides, strict=True))

    class Counted(str):
        __hash__ = str.__hash__

        def __eq__(self, other):
            nonlocal left
            left -= 1
            if left < 0:
                raise RuntimeError("the same phonemes are compared again and again")
            return str.__eq__(self, other)

        def __ne__(self, other):
            return not self == other

    return answer(*[[list(map(Counted, utterance)) for utterance in side] for side in sides])


def _count(errors: Callable) -> Callable:
    """Make an answer of other errors(hypothesis, reference)."""
    return lambda H, R: sum(map(errors, H, R)) / sum(map(len, R))


def _through(change: Callable) -> Callable:
    return _count(lambda h, r: edits(change(h), change(r)))


def _without_table(h, r):
    if not h or not r or h[-1] == r[-1]:
        return len(h) + len(r) if not h or not r else _without_table(h[:-1], r[:-1])
    return 1 + min(_without_table(h[:-1], r), _without_table(h, r[:-1]), _without_table(h[:-1], r[:-1]))


@cache
def _by_memory(h, r):
    if not h or not r:
        return len(h) + len(r)
    return min(_by_memory(h[1:], r) + 1, _by_memory(h, r[1:]) + 1, _by_memory(h[1:], r[1:]) + (h[0] != r[0]))


# of to_one(edits, lengths of hypotheses, lengths of references)
_reduce = changing(lambda H, R: tuple(torch.tensor(list(x)) for x in (map(edits, H, R), map(len, H), map(len, R))))
SHIFTED = "After a missing or surplus phoneme the rest is not wrong, it is only shifted: fill the table of distances."
FREE = "Every {} is one edit, and costs nothing with you. Lengths alone, or a common subsequence, miss it."
ONE_EDIT = "A substitution is one edit, not a deletion and an insertion."
ORDER = "Order counts, and how often a phoneme comes: you compared which phonemes there are."
WHOLE = "Phonemes are the items of the lists: compare them whole, not by their letters."
AS_THEY_ARE = "Compare phonemes as they are: case and stress digits matter."
AVERAGED = "You averaged rates or added them up. Add up edits and lengths over all utterances first, and divide once."
DIVIDE = "Divide by the number of phonemes said, those of all references."
CUT = "Do not cut the rate off: there may be more edits than phonemes said."
JOINED = "Compare utterances one by one: joined, a phoneme may match one of another utterance."
EMPTY = "An empty side is not skipped: the other side's phonemes are missing or surplus."
TABLE = "The time doubles with every further phoneme: keep the distances of the beginnings in a table."
LEFT_OUT = "One phoneme is left out at the beginning. How many mistakes did the model make?"
EVIDENCE = "Which of two utterances holds more evidence, one of two phonemes or one of twenty?"
THOUSAND = "What is the rate of somebody who writes AH a thousand times?"
HALF_RIGHT = "Is AE half right where AA was said?"
SMALLEST = "A T S K Y|T S K Y K / N UH Z D|N Z UH D / IH T|S T AA P IH T / M AH M AH|AH M AH M / L IY F AH|F IY L"
WHOLE_NAMES = "DH AE SH AA|DH AH S HH IY Z / AA1 t SH N,|AA0 T S N"
LONG_AND_SHORT = "Y EH S P L IY Z|Y EH / T UW|S T UW / S P IY CH|S P IY CH / G UH D M AO N IH|G UH D M AO R N IH NG"

EXERCISE = Exercise(
    Task("06.phoneme-error-rate", "Compute the phoneme error rate", 2, 15),
    phoneme_error_rate,
    sample,
    cases=[
        Case("The rate is the edits of all utterances over all phonemes said.", _pairs("B IY|B IY / UW|T UW")),
        Case("A wrong phoneme is one edit.", _pairs("K AA T S IY|K AE T S IY")),
        Case("A missing phoneme is one edit, at the beginning too.", _pairs("AE T S IY|K AE T S IY")),
        Case("A surplus phoneme is one edit, also if it repeats another.", _pairs("K AE AE T S IY|K AE T S IY")),
        Case("Where nothing is wrong the rate is 0.", _pairs("K AE T|K AE T / S|S")),
        Case("The distance is the smallest number of edits, here 2, 2, 4, 2 and 3.", _pairs(SMALLEST)),
        Case("Phonemes are compared whole and as they are: case and digits matter, too.", _pairs(WHOLE_NAMES)),
        Case("Long and short utterances are added up before the division.", _pairs(LONG_AND_SHORT)),
        Case("Where one side is empty, all of the other is missing or surplus.", _pairs("|K AE T / HH| / | / B|B")),
        Case("Utterances may be tuples.", ([("K", "AE"), ()], [("AE", "K"), ("T",)])),
        Case("The rate may exceed 1.", _pairs("AH AH AH AH AH AH AH AH AH|B IY")),
        Case("Long utterances count to the end, and in good time.", dict(utterances=3, length=45), _counted, seed=3),
    ],
    demands=[sizes(utterances=60)],
    mistakes=[
        Mistake(SHIFTED, _count(lambda h, r: sum(a != b for a, b in zip_longest(h, r))), ask=LEFT_OUT),
        Mistake(SHIFTED, _count(lambda h, r: sum(a != b for a, b in zip_longest(h[::-1], r[::-1])))),
        Mistake(SHIFTED, _count(lambda h, r: sum(a != b for a, b in zip(h, r, strict=False)))),
        Mistake(ONE_EDIT, _count(partial(edits, substitution=2)), ask="How many edits turn K AE T into K AA T?"),
        *[Mistake(FREE.format(k), _count(partial(edits, **{k: 0}))) for k in ("substitution", "insertion", "deletion")],
        Mistake("Against nothing, i phonemes are i edits, not 0.", _count(partial(edits, edge=0))),
        Mistake(AVERAGED, _reduce(lambda e, h, r: (e / r.clamp(min=1)).mean()), ask=EVIDENCE),
        Mistake(AVERAGED, _reduce(lambda e, h, r: (e / r.clamp(min=1)).sum())),
        Mistake(DIVIDE, _reduce(lambda e, h, r: e.sum() / h.sum().clamp(min=1)), ask=THOUSAND),
        Mistake(DIVIDE, _reduce(lambda e, h, r: e.sum() / torch.max(h, r).sum())),
        Mistake(DIVIDE, _reduce(lambda e, h, r: e.sum() / (r * (e > 0)).sum().clamp(min=1))),
        Mistake(DIVIDE, _reduce(lambda e, h, r: e.sum())),
        *[Mistake(WHOLE, _through(joint.join), ask=HALF_RIGHT) for joint in ("", " ")],
        Mistake(WHOLE, lambda H, R: phoneme_error_rate(list(map("".join, H)), list(map("".join, R)))),
        Mistake(AS_THEY_ARE, _through(lambda u: [p.lower() for p in u])),
        Mistake(AS_THEY_ARE, _through(lambda u: [p.rstrip("012") for p in u])),
        Mistake("Repeats count: do not merge them.", _through(lambda u: [p for p, _ in groupby(u)])),
        Mistake(ORDER, _count(lambda h, r: max(len(h), len(r)) - (Counter(h) & Counter(r)).total())),
        Mistake(ORDER, _count(lambda h, r: len(set(h) ^ set(r)))),
        Mistake(JOINED, lambda H, R: edits(list(chain(*H)), list(chain(*R))) / sum(map(len, R))),
        *[Mistake("All utterances count, not one.", _reduce(lambda e, h, r, k=k: e[k] / r[k])) for k in (0, -1)],
        Mistake(EMPTY, _count(lambda h, r: edits(h, r) if h else 0)),
        Mistake(EMPTY, _count(lambda h, r: edits(h, r) if r else 0)),
        Mistake(CUT, lambda H, R: min(1, phoneme_error_rate(H, R))),
        Mistake(CUT, _reduce(lambda e, h, r: torch.min(e, r).sum() / r.sum())),
        Mistake("The rate is a share, not in percent.", lambda H, R: 100 * phoneme_error_rate(H, R)),
        Mistake("This is 1 minus the rate: return the share that is wrong.", lambda H, R: 1 - phoneme_error_rate(H, R)),
        Mistake("Long utterances count to the end.", _through(lambda utterance: utterance[:10])),
        Mistake(TABLE, _count(_without_table), ask="How often is the distance of the same two beginnings computed?"),
    ],
    right=[
        _count(lambda h, r: _by_memory(tuple(h), tuple(r))),
        lambda H, R: torch.tensor([sum(map(edits, R, H)) / len(list(chain(*R)))]),
    ],
)
