"""What entailment pairs are made of: kinds, clauses, facts and phenomena to switch on, and which nouns never meet.

`EASY` is a world that a small model learns in a minute, `WIDE` adds every phenomenon, `FULL` has everything; any other
is one `Difficulty` away.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

from course_utils.data.inference.logic import THING, Fact, Paints
from course_utils.data.inference.wording import CHILDREN
from course_utils.data.words_of_things import CLASSES, KINDS, hypernyms, is_a

PHENOMENA = ("colours", "sizes", "numbers", "negation", "relations", "chains", "quantifiers", "passive")
"""What can be switched on besides kinds and their hypernyms, which are always there."""

FEW_KINDS = ("dog", "fox", "pig", "owl", "parrot", "flamingo", "car", "bicycle", "tractor")
"""Kinds for a small world: mammals and birds, which are animals, and vehicles."""


@dataclass(frozen=True)
class Difficulty:
    """How hard the pairs are.

    Attributes:
        clauses: fewest and most clauses of a premise.
        facts: fewest and most facts of a hypothesis, within 1 and 2.
        kinds: the kinds in use, of `KINDS`; the classes above them come with them.
        phenomena: of `PHENOMENA`.
        words: fewest and most premise words.
        children: how many names of `CHILDREN` are in use.
        temptation: share of the clauses that do not matter which are made to hold words of the hypothesis.

    Raises:
        ValueError: if one of them is out of range.
    """

    clauses: tuple[int, int] = (1, 6)
    facts: tuple[int, int] = (1, 2)
    kinds: tuple[str, ...] = tuple(KINDS)
    phenomena: tuple[str, ...] = PHENOMENA
    words: tuple[int, int] = (3, 60)
    children: int = len(CHILDREN)
    temptation: float = 0.65

    def __post_init__(self) -> None:
        if not 4 <= self.children <= len(CHILDREN):
            raise ValueError(f"children={self.children!r}: expected 4 to {len(CHILDREN)}; change it.")
        if not 0 <= self.temptation <= 1:
            raise ValueError(f"temptation={self.temptation!r}: expected a share from 0 to 1; change it.")
        most = self.children - 2  # so that a premise never runs out of names
        if not 1 <= self.clauses[0] <= self.clauses[1] <= most:
            raise ValueError(f"clauses={self.clauses!r}: expected (fewest, most) within 1 and {most}; change them.")
        if not 1 <= self.facts[0] <= self.facts[1] <= 2 or self.facts[0] > self.clauses[0]:
            raise ValueError(
                f"facts={self.facts!r}: expected (fewest, most) within 1 and 2, the fewest not above the fewest "
                f"clauses, {self.clauses[0]}; change them."
            )
        if strange := [name for name in self.phenomena if name not in PHENOMENA]:
            raise ValueError(f"phenomena holds {strange}; expected some of {PHENOMENA}.")
        if "chains" in self.phenomena and "relations" not in self.phenomena:
            raise ValueError("phenomena holds 'chains' without 'relations', which they are made of; add 'relations'.")
        if (strange := [kind for kind in self.kinds if kind not in KINDS]) or len(set(self.kinds)) < 4:
            raise ValueError(f"kinds={self.kinds!r}: expected at least 4 different keys of `KINDS`; not {strange}.")
        if not 1 <= self.words[0] <= self.words[1]:
            raise ValueError(f"words={self.words!r}: expected (fewest, most) from 1; change them.")

    @property
    def names(self) -> tuple[str, ...]:
        """The children's names in use."""
        return CHILDREN[: self.children]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes above the kinds in use."""
        above = {name for kind in self.kinds for name in hypernyms(kind)}
        return tuple(name for name in CLASSES if name in above)

    @cached_property
    def nouns(self) -> tuple[str, ...]:
        """Kinds and classes."""
        return (*self.kinds, *self.classes)

    @cached_property
    def relatives(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
        """Noun → the nouns below it, above it ("thing" included), apart from it, and apart but of one class with it."""
        table = {}
        for noun in (*self.nouns, THING):
            below = tuple(n for n in self.nouns if n != noun and (noun == THING or is_a(n, noun)))
            above = () if noun == THING else (*hypernyms(noun), THING)
            apart = tuple(n for n in self.nouns if n != noun and n not in below and n not in above)
            near = tuple(n for n in apart if above[:1] == hypernyms(n)[:1])
            table[noun] = below, above, apart, near
        return table

    @cached_property
    def unseen_with(self) -> dict[str, frozenset[str]]:
        """Noun of a hypothesis → the nouns of premises that it meets only in the test of unseen pairs."""
        return {h: frozenset(p for p in self.nouns if is_unseen_pair(p, h)) for h in (*self.nouns, THING)}

    @cached_property
    def unseen_below(self) -> dict[str, tuple[str, ...]]:
        """Class → the kinds in use below it that it meets only in the test of unseen pairs; only classes with some."""
        table = {h: tuple(p for p in self.kinds if is_a(p, h) and is_unseen_pair(p, h)) for h in self.classes}
        return {h: kinds for h, kinds in table.items() if kinds}

    def has(self, phenomenon: str) -> bool:
        """Whether a phenomenon is switched on."""
        return phenomenon in self.phenomena


EASY = Difficulty((1, 4), (1, 2), FEW_KINDS, ("colours",), children=8, temptation=0.4)
"""What a small model learns in a minute: who paints what in which colour."""
WIDE = replace(EASY, phenomena=PHENOMENA)
"""The same small world with every phenomenon; takes a small model some minutes."""
FULL = Difficulty((1, 6))
"""Everything."""


@cache
def is_unseen_pair(premise_noun: str, hypothesis_noun: str) -> bool:
    """Whether a noun of a premise meets a noun of a hypothesis only in the test of unseen pairs.

    Of every class with three kinds or more, every third kind below it ("fox" in a premise, "mammal" in a hypothesis;
    the fox still meets "animal", and other animals meet "mammal"); and an eighth of the nouns that exclude each other.
    """
    if THING in (premise_noun, hypothesis_noun) or is_a(hypothesis_noun, premise_noun):
        return False
    if is_a(premise_noun, hypothesis_noun):
        members = [kind for kind in KINDS if is_a(kind, hypothesis_noun)]
        # Classes at the top leave out other kinds than those below them: no kind is new to all its classes.
        left_out = 1 if hypernyms(hypothesis_noun) else 2
        return len(members) >= 3 and premise_noun in members and members.index(premise_noun) % 3 == left_out
    digest = hashlib.blake2b(f"{premise_noun} {hypothesis_noun}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % 8 == 0


def nouns_of(facts: Sequence[Fact]) -> set[str]:
    """The nouns that facts name, "thing" left out."""
    return {fact.what.noun for fact in facts if isinstance(fact, Paints)} - {THING}


def has_unseen_pair(premise: Sequence[Fact], hypothesis: Sequence[Fact]) -> bool:
    """Whether a noun of the premise and a noun of the hypothesis are an unseen pair, in whatever clauses."""
    claimed = nouns_of(hypothesis)
    return any(is_unseen_pair(known, claim) for known in nouns_of(premise) for claim in claimed)
