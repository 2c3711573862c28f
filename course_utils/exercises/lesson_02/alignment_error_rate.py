"""Lesson 2: evaluate one sentence's links against gold ones."""

from functools import partial
from operator import itemgetter
from typing import NamedTuple

import numpy
import torch

from course_utils import metrics
from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing

Links = set[tuple[int, int]]
GOLD = {(0, 0), (1, 1), (2, 2)}
POSSIBLE = GOLD | {(2, 1), (3, 3)}
FAR = {(1, 12), (0, 300), (12, 1), (12, 21), (300, 12)}, {(2, 2), (11, 2), (9, 12), (12, 1), (300, 12)}, {(12, 21)}
exact = partial(Case, tolerance=5e-8)


def alignment_error_rate(proposed: Links, sure: Links, possible: Links) -> float:
    """Evaluate one sentence: AER = 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|) (Och and Ney 2003, section 2)."""
    return metrics.alignment_error_rate([(proposed, sure, possible)])


def sample(generator: torch.Generator, target=5, source=4) -> tuple[Links, Links, Links]:
    """Make three sets of links, of which `possible` does not list every sure one."""
    chosen = torch.rand(3, target, source, generator=generator) < 0.4
    chosen[0, -1, 0] = True  # one proposed link at least
    return tuple({(i, j) for i, j in table.nonzero().tolist()} for table in chosen)


class Counts(NamedTuple):
    """The sizes of A, S, P (S included), A ∩ S and A ∩ P."""

    A: int
    S: int
    P: int
    AS: int
    AP: int


def _with_links(change):
    return lambda *parts: alignment_error_rate(*({change(link) for link in links} for links in parts))


def _by_numpy(proposed, sure, possible):
    links = sorted(proposed | sure | possible)
    a, s, p = (numpy.array([link in part for link in links]) for part in (proposed, sure, possible | sure))
    return 1 - ((a & s).sum() + (a & p).sum()) / (a.sum() + s.sum())


_by_counts = changing(lambda a, s, p: Counts(len(a), len(s), len(p | s), len(a & s), len(a & (p | s))))
ROLES = "Which links must be found, which may be?"
ERROR = "It is an error rate, so 0 is perfect: subtract the agreement from one."
UNITE = "The sure links are possible, too, even where `possible` leaves them out: unite the two sets."
EXCHANGED = "`sure` and `possible` are exchanged: sure links must be found, possible ones may be."
TWICE = "A sure link that was found counts twice, in |A ∩ S| and in |A ∩ P|: add both."
MEAN = "Add the counts up before you divide; you averaged precision and recall."
JACCARD = "This is the Jaccard distance of A and S: possible links are missing, and the divisor is |A| + |S|."
WHOLE = "Yours is a whole number: a rate is a fraction."
ROUNDED = "Return the rate as it is: you rounded it."
SIDES = "A link is a pair (target, source): both have to agree, in this order."
EMPTY = "An empty set needs no case of its own: the equation holds for it, too."
MISSED = "This is 1 − precision: sure links that were missed must count as well."
SURE_ONLY = "This is 1 − precision on the sure links; a possible link is no error either."
PROPOSED = "This is 1 − recall: wrong links that were proposed must count as well."
NOBODY = "This is 1 − recall on the possible links; nobody has to find those."

EXERCISE = Exercise(
    Task("02.alignment-error-rate", "Evaluate links against the gold ones", 2, 8),
    alignment_error_rate,
    sample,
    cases=[
        exact("The rate is 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|).", ({(0, 0), (1, 1), (2, 1), (4, 3)}, GOLD, POSSIBLE)),
        Case("The rate is 0 where exactly the gold links are proposed.", (GOLD, GOLD, GOLD)),
        Case("The rate is 1 where no proposed link is right.", ({(0, 2), (1, 0)}, GOLD, GOLD)),
        Case("A possible link that is not proposed is no error.", (GOLD, GOLD, GOLD | {(0, 1), (1, 0), (3, 0)})),
        Case("A sure link is possible, too, listed or not.", ({(0, 0), (1, 1), (2, 0)}, GOLD, {(2, 0), (2, 1)})),
        Case("With nothing proposed all sure links are missing.", (set(), GOLD, set())),
        Case("There may be no sure links.", ({(0, 0), (1, 1), (2, 0)}, set(), {(0, 0), (1, 1), (1, 2)})),
        Case("`possible` may be empty: then the sure links alone count.", ({(0, 0), (1, 1), (2, 4)}, GOLD, set())),
        Case("The order of a pair matters, (target, source).", ({(0, 1), (3, 2)}, {(1, 0), (3, 2)}, {(2, 3)})),
        Case("Without any gold link whatever is proposed is wrong.", ({(0, 0)}, set(), set())),
        Case("A word may have several links, and a sentence may be long.", FAR),
        exact("There may be many links.", dict(target=30, source=25)),
    ],
    mistakes=[
        Mistake(ERROR, lambda *links: 1 - alignment_error_rate(*links), ask="What should a perfect alignment get?"),
        Mistake(UNITE, lambda a, s, p: 1 - (len(a & s) + len(a & p)) / (len(a) + len(s))),
        Mistake(EXCHANGED, lambda a, s, p: alignment_error_rate(a, p, s), ask=ROLES),
        Mistake("`proposed` and `sure` are exchanged.", lambda a, s, p: alignment_error_rate(s, a, p)),
        Mistake(MISSED, _by_counts(lambda n: 1 - n.AP / n.A), ROLES),
        Mistake(SURE_ONLY, _by_counts(lambda n: 1 - n.AS / n.A), ROLES),
        Mistake(PROPOSED, _by_counts(lambda n: 1 - n.AS / n.S), ROLES),
        Mistake(NOBODY, _by_counts(lambda n: 1 - n.AP / n.P), ROLES),
        Mistake(MEAN, _by_counts(lambda n: 1 - (n.AP / n.A + n.AS / n.S) / 2), ROLES),
        Mistake(MEAN, _by_counts(lambda n: 1 - 2 / (n.A / n.AP + n.S / n.AS) if n.AP and n.AS else 1.0), ROLES),
        Mistake("The second term is |A ∩ P|: you used S twice.", _by_counts(lambda n: 1 - 2 * n.AS / (n.A + n.S))),
        Mistake("The first term is |A ∩ S|: you used P twice.", _by_counts(lambda n: 1 - 2 * n.AP / (n.A + n.S))),
        Mistake("Divide by |A| + |S|, not |A| + |P|.", _by_counts(lambda n: 1 - (n.AS + n.AP) / (n.A + n.P)), ROLES),
        Mistake("Divide by |A| + |S|, not |S| + |P|.", _by_counts(lambda n: 1 - (n.AS + n.AP) / (n.S + n.P)), ROLES),
        Mistake("Divide by |A| + |S|, not |A ∪ S|.", _by_counts(lambda n: 1 - (n.AS + n.AP) / (n.A + n.S - n.AS))),
        *[Mistake(TWICE, _by_counts(lambda n, k=k: 1 - n[k] / (n.A + n.S)), ROLES) for k in (3, 4)],
        Mistake(JACCARD, _by_counts(lambda n: 1 - n.AS / (n.A + n.S - n.AS))),
        Mistake(WHOLE, _by_counts(lambda n: 1 - (n.AS + n.AP) // (n.A + n.S))),
        Mistake("Return a share from 0 to 1, not per cent.", lambda *links: 100 * alignment_error_rate(*links)),
        *[Mistake(ROUNDED if d else WHOLE, lambda *x, d=d: round(alignment_error_rate(*x), d)) for d in range(7)],
        *[Mistake(SIDES, _with_links(change)) for change in (itemgetter(0), itemgetter(1), frozenset)],
        *[
            Mistake(EMPTY, lambda *links, e=empty, r=rate: alignment_error_rate(*links) if links[e] else r)
            for empty, rate in [(0, 0.0), (1, 0.0), (1, 1.0), (2, 0.0), (2, 1.0)]
        ],
    ],
    right=[
        lambda p, s, P: 1 - sum(2 if link in s else 1 if link in P else 0 for link in p) / (len(p) + len(s)),
        _by_numpy,
        lambda a, s, p: (len(a - s - p) + len(s - a)) / (len(a) + len(s)),
        lambda a, s, p: torch.tensor(1.0) - (len(a.intersection(s)) + len(a.intersection(p.union(s)))) / len([*a, *s]),
    ],
)
