"""What entailment pairs are made of: kinds, clauses, facts and phenomena to switch on, and which nouns never meet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

from course_utils.data.inference.logic import THING, Fact
from course_utils.data.inference.wording import CHILDREN
from course_utils.data.words_of_things import CLASSES, KINDS, hashed, hypernyms, is_a

PHENOMENA = ("colours", "sizes", "numbers", "negation", "relations", "chains", "quantifiers", "passive")
"""What can be switched on besides kinds and their hypernyms, which are always there."""


@dataclass(frozen=True)
class Difficulty:
    """How hard the pairs are; a `ValueError` if something is out of range."""

    clauses: tuple[int, int] = (1, 6)  # fewest and most of a premise
    facts: tuple[int, int] = (1, 2)  # fewest and most of a hypothesis, within 1 and 2
    kinds: tuple[str, ...] = tuple(KINDS)  # in use, of `KINDS`; the classes above them come with them
    phenomena: tuple[str, ...] = PHENOMENA
    words: tuple[int, int] = (3, 60)  # fewest and most of a premise
    children: int = len(CHILDREN)  # how many names are in use
    temptation: float = 0.65  # share of the clauses that do not matter which hold words of the hypothesis

    def __post_init__(self) -> None:
        kinds, phenomena, most = set(self.kinds), set(self.phenomena), self.children - 2  # a premise needs more names
        facts = 1 <= self.facts[0] <= self.facts[1] <= 2 and self.facts[0] <= self.clauses[0]
        chained = "chains" not in phenomena or "relations" in phenomena
        for name, right, expected in (
            ("children", 4 <= self.children <= len(CHILDREN), f"4 to {len(CHILDREN)}"),
            ("temptation", 0 <= self.temptation <= 1, "a share from 0 to 1"),
            ("clauses", 1 <= self.clauses[0] <= self.clauses[1] <= most, f"(fewest, most) within 1 and {most}"),
            ("facts", facts, "(fewest, most) within 1 and 2, the fewest not above the fewest clauses"),
            ("phenomena", chained and phenomena <= set(PHENOMENA), f"some of {PHENOMENA}, chains with relations"),
            ("kinds", len(kinds) >= 4 and kinds <= KINDS.keys(), "at least 4 different keys of `KINDS`"),
            ("words", 1 <= self.words[0] <= self.words[1], "(fewest, most) from 1"),
        ):
            if not right:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected {expected}; change it.")

    @property
    def names(self) -> tuple[str, ...]:
        """The children's names in use."""
        return CHILDREN[: self.children]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes above the kinds in use."""
        return tuple(name for name in CLASSES if any(is_a(kind, name) for kind in self.kinds))

    @cached_property
    def nouns(self) -> tuple[str, ...]:
        """Kinds and classes."""
        return (*self.kinds, *self.classes)

    @cached_property
    def relatives(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """Noun → the nouns below it, above it ("thing" included), apart from it, and apart but of one class with it."""
        table = {}
        for noun in self.nouns:
            below, above = tuple(n for n in self.nouns if n != noun and is_a(n, noun)), (*hypernyms(noun), THING)
            apart = tuple(n for n in self.nouns if n not in (noun, *below, *above))
            table[noun] = below, above, apart, tuple(n for n in apart if above[:1] == hypernyms(n)[:1])
        return table | {THING: (self.nouns, (), (), ())}

    @cached_property
    def unseen_with(self) -> dict[str, frozenset[str]]:
        """Noun of a hypothesis → the nouns of premises that it meets only in the test of unseen pairs."""
        return {h: frozenset(p for p in self.nouns if is_unseen_pair(p, h)) for h in (*self.nouns, THING)}

    @cached_property
    def unseen_below(self) -> dict[str, tuple[str, ...]]:
        """Class → the kinds in use below it that it meets only in the test of unseen pairs; only classes with some."""
        table = {h: tuple(p for p in self.kinds if is_a(p, h) and p in self.unseen_with[h]) for h in self.classes}
        return {h: kinds for h, kinds in table.items() if kinds}

    def with_clauses(self, count: int, **changes) -> "Difficulty":
        """The same with premises of so many clauses, of at most 20 words each, and with other changes."""
        return replace(self, clauses=(count, count), words=(self.words[0], max(self.words[1], 20 * count)), **changes)


FEW_KINDS = ("dog", "fox", "pig", "owl", "parrot", "flamingo", "car", "bicycle", "tractor")
# What a small model learns in a minute: who paints which animals and vehicles in which colour; and every phenomenon
EASY = Difficulty((1, 4), (1, 2), FEW_KINDS, ("colours",), children=8, temptation=0.4)
WIDE = replace(EASY, phenomena=PHENOMENA)
FULL = Difficulty()  # everything


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
        return len(members) >= 3 and premise_noun in members[1 if hypernyms(hypothesis_noun) else 2 :: 3]
    return hashed(f"{premise_noun} {hypothesis_noun}") % 8 == 0


def has_unseen_pair(premise: Sequence[Fact], hypothesis: Sequence[Fact]) -> bool:
    """Whether a noun of the premise and a noun of the hypothesis are an unseen pair, in whatever clauses."""
    return any(is_unseen_pair(known.what.noun, claim.what.noun) for known in premise for claim in hypothesis)
