"""Entailment pairs: premises of several clauses, hypotheses of one or two, a label, and gold alignments.

A hypothesis belongs to one split, by a hash of its words: none of a test occurs in training, with any premise. "unseen
pairs" is a test whose deciding nouns ("fox" there, "mammal" here) never met in another split's pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from course_utils.data.inference.alignment import gold_of
from course_utils.data.inference.difficulty import FULL, Difficulty
from course_utils.data.inference.logic import LABELS, Fact, Knowledge, are_independent
from course_utils.data.inference.sampling import Sampler
from course_utils.data.inference.wording import JOINERS, Clause, read_clauses, words_in
from course_utils.data.words_of_things import split_of

SPLITS = ("train", "validation", "test", "unseen pairs")


@dataclass(frozen=True)
class InferencePair:
    """One premise and hypothesis with everything that is known about them; of real pairs their words and label."""

    premise: tuple[str, ...]  # words
    hypothesis: tuple[str, ...]  # words
    label: str  # of `logic.LABELS`
    premise_facts: tuple[Fact, ...]  # of each clause
    hypothesis_facts: tuple[Fact, ...]  # of each clause
    clause_spans: tuple[tuple[int, int], ...]  # start and end (outside) of clauses in the premise, with their joiners
    phenomena: tuple[str, ...]  # what the pair turns on, of `alignment.PHENOMENON_NAMES`
    alignment: tuple[frozenset[int], ...]  # for each hypothesis word the premise words that it is aligned with
    clause_alignment: tuple[frozenset[int], ...]  # for each the clauses that its fact is aligned with; none for joiners

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


def read_pair(premise: str, hypothesis: str) -> InferencePair:
    """Read a pair that somebody typed, label it and align it; a `ValueError` says what cannot be and what to write."""
    said, claimed = read_clauses(premise), read_clauses(hypothesis)
    if not are_independent([clause.fact for clause in claimed]):
        raise ValueError(
            f"the hypothesis {hypothesis!r} has two clauses about the same child, or about the same direction, such as "
            "a repeated one; expected one clause about each. Leave out all but one, or judge them one by one."
        )
    return _pair(said, claimed)


def make_pairs(
    count: int, split: str = "train", *, seed: int = 0, difficulty: Difficulty = FULL
) -> list[InferencePair]:
    """Make pairs of one of `SPLITS`; of each three in a row, counted from the start, each has another label.

    The same arguments give the same pairs, and a smaller `count` the beginning of the same list. A pair may come up
    twice: to refuse it would be to refuse entailment, of which there are fewest premises, most often. A `ValueError` if
    an argument is out of range, the difficulty has no unseen pairs, or no premise is found.
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
    """(facts, clauses) → `count` pairs of them, without two facts and one clause, which cannot be.

    The other options are those of `make_pairs`; a `count` that is a multiple of three has the labels in equal number.
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
    spans, facts = tuple(zip([0, *ends[:-1]], ends, strict=True)), (premise_facts, hypothesis_facts)
    words, label = (words_in(premise), words_in(hypothesis)), knowledge.judge(*hypothesis_facts)
    return InferencePair(*words, label, *facts, spans, *gold_of(premise, hypothesis, knowledge))
