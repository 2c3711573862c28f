"""Entailment pairs: premises of several clauses, hypotheses of one or two, a label, and gold alignments.

A hypothesis belongs to one split, by a hash of its words: none of a test occurs in training, with any premise. "unseen
pairs" is a test whose deciding nouns ("fox" there, "mammal" here) never met in another split's pair.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from course_utils.data.inference.alignment import gold_of
from course_utils.data.inference.difficulty import FULL, Difficulty
from course_utils.data.inference.logic import LABELS, Fact, Knowledge
from course_utils.data.inference.sampling import Sampler
from course_utils.data.inference.wording import JOINERS, Clause, read_clauses, words_in

SPLITS = ("train", "validation", "test", "unseen pairs")


@dataclass(frozen=True)
class InferencePair:
    """One premise and hypothesis with everything that is known about them; of real pairs their words and label.

    Attributes:
        premise, hypothesis: words.
        label: one of `logic.LABELS`.
        premise_facts, hypothesis_facts: the fact of each clause.
        clause_spans: `(start, end)` of each clause's words in the premise, its joiner included; end is outside.
        phenomena: what the pair turns on, of `alignment.PHENOMENON_NAMES`.
        alignment: for each hypothesis word the positions of the premise words that it is aligned with.
        clause_alignment: for each hypothesis word the clauses that its fact is aligned with; none for joiners.
    """

    premise: tuple[str, ...]
    hypothesis: tuple[str, ...]
    label: str
    premise_facts: tuple[Fact, ...]
    hypothesis_facts: tuple[Fact, ...]
    clause_spans: tuple[tuple[int, int], ...]
    phenomena: tuple[str, ...]
    alignment: tuple[frozenset[int], ...]
    clause_alignment: tuple[frozenset[int], ...]

    @property
    def clauses(self) -> int:
        """Number of clauses of the premise."""
        return len(self.premise_facts)

    @property
    def facts(self) -> int:
        """Number of facts of the hypothesis; 0 for real pairs, whose facts nobody knows."""
        return len(self.hypothesis_facts)

    @property
    def fact_clauses(self) -> tuple[frozenset[int], ...]:
        """For each fact of the hypothesis the clauses of the premise that it is aligned with, counted from 0."""
        starts = [0, *(place + 1 for place, word in enumerate(self.hypothesis) if word in JOINERS)]
        return tuple(self.clause_alignment[start] for start in starts[: self.facts])

    @property
    def text(self) -> str:
        """Both as one line, for reading."""
        return f"{' '.join(self.premise)} → {' '.join(self.hypothesis)} ({self.label})".replace(" ,", ",")


def split_of(hypothesis: Sequence[str]) -> str:
    """The split that a hypothesis belongs to: by a hash of its words 80 % "train", 10 % "validation", 10 % "test"."""
    digest = hashlib.blake2b(" ".join(hypothesis).encode(), digest_size=8).digest()
    return SPLITS[max(0, int.from_bytes(digest, "big") % 10 - 7)]


def read_pair(premise: str, hypothesis: str) -> InferencePair:
    """Read a pair that somebody typed, label it and align it; a `ValueError` says what cannot be and what to write."""
    return _pair(read_clauses(premise), read_clauses(hypothesis))


def make_pairs(
    count: int, split: str = "train", *, seed: int = 0, difficulty: Difficulty = FULL
) -> list[InferencePair]:
    """Make pairs of one of `SPLITS`; of each three in a row, counted from the start, each has another label.

    The same arguments give the same pairs, and a smaller `count` the beginning of the same list. A pair may come up
    twice: to refuse it would be to refuse entailment, of which there are fewest premises, most often.

    Raises:
        ValueError: if an argument is out of range, the difficulty has no unseen pairs, or no premise is found.
    """
    unseen = split == "unseen pairs"
    if count < 1 or split not in SPLITS:
        raise ValueError(f"count={count!r}, split={split!r}: expected 1 or more, and one of {SPLITS}.")
    if unseen and not (difficulty.unseen_below and {"colours", "sizes", "numbers"} & set(difficulty.phenomena)):
        raise ValueError("this difficulty has no unseen pairs; give it more kinds, and colours, sizes or numbers.")
    random = Random(f"inference {split} {seed} {difficulty}")
    sampler = Sampler(random, difficulty, unseen)
    pairs: list[InferencePair] = []
    labels: list[str] = []
    while len(pairs) < count:
        clauses = sampler.choose(range(difficulty.clauses[0], difficulty.clauses[1] + 1))
        hypothesis = sampler.hypothesis(clauses)
        if split_of(words_in(hypothesis)) == ("test" if unseen else split):
            labels = labels or random.sample(LABELS, len(LABELS))
            pairs.append(_pair(sampler.premise(clauses, hypothesis, labels.pop()), hypothesis))
    return pairs


def make_pairs_by_facts(
    count: int, *, facts: Sequence[int] = (1, 2), clauses: Sequence[int] = (1, 2, 3, 4), **options
) -> dict[tuple[int, int], list[InferencePair]]:
    """Make `count` pairs of each number of facts with each number of clauses, to table the accuracy by both.

    The other options are those of `make_pairs`; a `count` that is a multiple of three has the labels in equal number.

    Returns:
        (facts, clauses) → pairs; without those of two facts and one clause, which cannot be.
    """
    difficulty = options.pop("difficulty", FULL)
    cells = [(number, length) for number in facts for length in clauses if number <= length]
    if not cells:
        raise ValueError(f"facts={facts!r}, clauses={clauses!r}: expected a number of clauses not below one of facts.")
    worlds = {cell: difficulty.with_clauses(cell[1], facts=(cell[0], cell[0])) for cell in cells}
    return {cell: make_pairs(count, difficulty=world, **options) for cell, world in worlds.items()}


def _pair(premise: Sequence[Clause], hypothesis: Sequence[Clause]) -> InferencePair:
    premise_facts, hypothesis_facts = (tuple(clause.fact for clause in clauses) for clauses in (premise, hypothesis))
    knowledge = Knowledge(premise_facts)
    ends = list(accumulate(len(clause.words) for clause in premise))
    return InferencePair(
        words_in(premise),
        words_in(hypothesis),
        knowledge.judge(*hypothesis_facts),
        premise_facts,
        hypothesis_facts,
        tuple(zip([0, *ends[:-1]], ends, strict=True)),
        *gold_of(premise, hypothesis, knowledge),
    )
