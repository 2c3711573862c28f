"""Entailment pairs: the default data of the lesson on reasoning word by word.

A premise of several clauses says who paints what in a picture; a hypothesis says one or two things about it; the label
says whether they follow, are excluded, or stay open. `logic` states the semantics and computes the label, `wording` has
the English, `alignment` the gold links.

- `hypotheses` draws the hypothesis first, from a distribution that knows no label; then comes the label, all three in
  turn in random order; then `premises` looks for a premise. So no hypothesis hints at its label.
- A hypothesis belongs to one split, by a hash of its words: none of a test occurs in training, with any premise.
- "unseen pairs" is a test whose deciding nouns ("fox" there, "mammal" here) never met in another split's pair.
- `make_pairs` mixes numbers of facts and of clauses; `make_pairs_by_facts` has as many pairs of each combination.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from course_utils.data.inference.alignment import align, phenomena_of
from course_utils.data.inference.difficulty import FULL, Difficulty
from course_utils.data.inference.hypotheses import draw_hypothesis
from course_utils.data.inference.logic import LABELS, Fact, Knowledge
from course_utils.data.inference.premises import draw_premise
from course_utils.data.inference.wording import JOINERS, Style, Word, read_clauses, write_facts
from course_utils.data.normalise import normalise

SPLITS = ("train", "validation", "test", "unseen pairs")
MOST_PAIRS = 200_000
"""Most pairs of one call."""
_PATIENCE = 2000  # premises tried for one hypothesis


@dataclass(frozen=True)
class InferencePair:
    """One premise and hypothesis with everything that is known about them.

    Attributes:
        premise, hypothesis: words.
        label: one of `logic.LABELS`.
        premise_facts: the fact of each clause.
        hypothesis_facts: one or two.
        clause_spans: `(start, end)` of each clause's words in the premise, its joiner included; end is outside.
        phenomena: of `alignment.PHENOMENON_NAMES`.
        alignment: for each hypothesis word the positions of the premise words that it rests on; empty for words
            that name nothing or have no partner.
        clause_alignment: for each hypothesis word the clauses that its fact rests on; empty for joiners.
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
        """For each fact of the hypothesis the clauses of the premise that it rests on, counted from 0."""
        starts = [0, *(place + 1 for place, word in enumerate(self.hypothesis) if word in JOINERS)]
        return tuple(self.clause_alignment[start] for start, _ in zip(starts, self.hypothesis_facts, strict=False))

    @property
    def text(self) -> str:
        """Both as one line, for reading."""
        return f"{' '.join(self.premise)} → {' '.join(self.hypothesis)} ({self.label})".replace(" ,", ",")


def split_of(hypothesis: Sequence[str]) -> str:
    """The split that a hypothesis belongs to: by a hash of its words 80 % "train", 10 % "validation", 10 % "test"."""
    digest = hashlib.blake2b(" ".join(hypothesis).encode(), digest_size=8).digest()
    return SPLITS[max(0, int.from_bytes(digest, "big") % 10 - 7)]


def read_pair(premise: str, hypothesis: str) -> InferencePair:
    """Read a pair that somebody typed, label it and align it.

    Args:
        premise: clauses joined by "and", "," or "while".
        hypothesis: one or two facts joined by "and".

    Raises:
        ValueError: if a clause is not understood, the premise contradicts itself, or the hypothesis names a child that
            the premise does not; the message says what to write.
    """
    texts = (normalise(text).replace(",", " , ").replace(".", " . ") for text in (premise, hypothesis))
    return _pair(*(read_clauses(text.split()) for text in texts))


def make_pairs(
    count: int, *, split: str = "train", seed: int = 0, difficulty: Difficulty = FULL
) -> list[InferencePair]:
    """Make pairs with balanced labels.

    The same arguments give the same pairs, and a smaller `count` the beginning of the same list. Of each three pairs
    in a row, counted from the start, each has another label. A pair may come up twice, mostly one of a single clause:
    to refuse it would be to refuse entailment, of which there are fewest premises, most often.

    Args:
        count: how many pairs.
        split: one of `SPLITS`.
        seed: any whole number.
        difficulty: what they are made of; with `replace(difficulty, clauses=(7, 7))` a test of longer premises.

    Raises:
        ValueError: if an argument is out of range, the difficulty has no unseen pairs, or no premise is found, as for
            premise lengths that its clauses cannot have.
    """
    _check_arguments(count, split, difficulty)
    random = Random(f"inference {split} {seed} {difficulty}")
    unseen = split == "unseen pairs"
    pairs: list[InferencePair] = []
    labels: list[str] = []
    while len(pairs) < count:
        clauses = difficulty.clauses[0] + int(random.random() * (difficulty.clauses[1] - difficulty.clauses[0] + 1))
        facts = draw_hypothesis(random, difficulty, clauses, unseen=unseen)
        hypothesis = _write(random, difficulty, facts, ("and",))
        if split_of(_words(hypothesis)) != ("test" if unseen else split):
            continue
        labels = labels or random.sample(LABELS, len(LABELS))
        label = labels.pop()
        for _ in range(_PATIENCE):
            premise_facts = draw_premise(random, difficulty, clauses, facts, label, unseen=unseen)
            if premise_facts is None:
                continue
            premise = _write(random, difficulty, premise_facts, JOINERS)
            if difficulty.words[0] <= len(_words(premise)) <= difficulty.words[1]:
                break
        else:
            raise ValueError(
                f"no premise of {clauses} clauses and {difficulty.words} words was found that makes "
                f"{' '.join(_words(hypothesis))!r} a case of {label}; widen words, "
                "clauses or kinds of the difficulty."
            )
        pairs.append(_pair(premise, hypothesis))
    return pairs


def make_pairs_by_facts(
    count: int,
    *,
    facts: Sequence[int] = (1, 2),
    clauses: Sequence[int] = (1, 2, 3, 4),
    split: str = "train",
    seed: int = 0,
    difficulty: Difficulty = FULL,
) -> dict[tuple[int, int], list[InferencePair]]:
    """Make pairs of each number of facts with each number of clauses, to table the accuracy by both.

    Each list is what `make_pairs` gives for these numbers, so its labels are balanced by themselves.

    Args:
        count: pairs of each combination; a multiple of three for labels in equal number.
        facts: numbers of facts of the hypothesis, 1 and 2.
        clauses: numbers of clauses of the premise.
        split, seed: as for `make_pairs`.
        difficulty: everything but the two numbers; premises of many clauses may have more words, 20 for each clause.

    Returns:
        (facts, clauses) → pairs; without those of two facts and one clause, which cannot be.

    Raises:
        ValueError: as `make_pairs`, and if nothing is left to be made.
    """
    cells = [(number, length) for number in facts for length in clauses if number <= length]
    if not cells:
        raise ValueError(f"facts={facts!r}, clauses={clauses!r}: expected a number of clauses not below one of facts.")
    most = {length: max(difficulty.words[1], 20 * length) for length in clauses}
    return {
        (number, length): make_pairs(
            count,
            split=split,
            seed=seed,
            difficulty=replace(
                difficulty, facts=(number,) * 2, clauses=(length,) * 2, words=(difficulty.words[0], most[length])
            ),
        )
        for number, length in cells
    }


_Clauses = list[tuple[Fact, list[Word]]]


def _write(random: Random, difficulty: Difficulty, facts: Sequence[Fact], joiners: Sequence[str]) -> _Clauses:
    passive = 0.35 if difficulty.has("passive") else 0.0
    styles = [Style(random.random() < passive, int(random.random() * 2)) for _ in facts]
    between = [joiners[int(random.random() * len(joiners))] for _ in facts[1:]]
    return list(zip(facts, write_facts(facts, styles, between), strict=True))


def _words(clauses: _Clauses) -> tuple[str, ...]:
    return tuple([word.text for _, words in clauses for word in words])


def _pair(premise: _Clauses, hypothesis: _Clauses) -> InferencePair:
    premise_facts, hypothesis_facts = (tuple(fact for fact, _ in clauses) for clauses in (premise, hypothesis))
    knowledge = Knowledge(premise_facts)
    alignment = align(premise, hypothesis, knowledge)
    spans, start = [], 0
    for _, clause in premise:
        spans.append((start, start + len(clause)))
        start += len(clause)
    return InferencePair(
        _words(premise),
        _words(hypothesis),
        knowledge.judge_all(hypothesis_facts),
        premise_facts,
        hypothesis_facts,
        tuple(spans),
        phenomena_of(premise, hypothesis, knowledge),
        alignment.words,
        alignment.clauses,
    )


def _check_arguments(count: int, split: str, difficulty: Difficulty) -> None:
    if not isinstance(count, int) or not 1 <= count <= MOST_PAIRS:
        raise ValueError(f"count={count!r}: expected a whole number from 1 to {MOST_PAIRS}; use another seed for more.")
    if split not in SPLITS:
        raise ValueError(f"split={split!r}: expected one of {SPLITS}; choose one of them.")
    says_more = any(difficulty.has(name) for name in ("colours", "sizes", "numbers"))
    if split == "unseen pairs" and not (difficulty.unseen_below and says_more):
        raise ValueError(
            "this difficulty has no unseen pairs; expected kinds with some of `unseen_below`, and colours, sizes or "
            "numbers among its phenomena."
        )
