"""What follows from a description of a picture: facts, and the reasoner that labels them.

The children whom the premise names have painted the picture, nobody else. Each painted one group of like things (one
kind, one to three of them, a size, a colour; "dogs" is one dog or more) and lies, with it, further left or right and up
or down than any other. What the premise does not say may be anything, independently of everything else. Kinds exclude
each other, and every class has further kinds that no word names: a tree need not be a palm. Entailment: true in every
picture that the premise allows. Contradiction: true in none. Neutral: else.

Of each child the sets of kinds, numbers, sizes and colours that are still possible are kept. Nothing ties the sets or
the children together, so comparing sets decides every label exactly. A "not" leaves such sets only where it denies one
thing ("no dogs", "nothing red"): a premise may deny no more than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from course_utils.data.words_of_things import CLASSES, COLOURS, KINDS, LARGEST_COUNT, OPPOSITE, SIZES, is_a

LABELS = ("entailment", "neutral", "contradiction")
"""In the order of SNLI's label numbers; "a and b" has the later one of the labels of a and b, "a or b" the earlier."""
ENTAILMENT, NEUTRAL, CONTRADICTION = LABELS
OPPOSITE_LABEL = dict(zip(LABELS, reversed(LABELS), strict=True))

THING = "thing"  # the class above all others
QUANTIFIERS = ("every", "some", "no")
DIRECTIONS = ("left", "right", "above", "below")
NUMBER_RANGES = ((1, 1), (2, 2), (3, 3), (1, LARGEST_COUNT), (2, LARGEST_COUNT), (1, 2))
"""Fewest and most of what a number phrase allows: one, two, three, at least one, at least two, at most two."""

_NOUNS = (*KINDS, *CLASSES)
ASPECTS = {
    "noun": {noun: frozenset(kind for kind in _NOUNS if is_a(kind, noun)) for noun in _NOUNS}
    | {THING: frozenset((*_NOUNS, THING))},  # a class stands for its kinds that have no name of their own
    "number": {ends: frozenset(range(ends[0], ends[1] + 1)) for ends in NUMBER_RANGES}
    | {None: frozenset(range(1, LARGEST_COUNT + 1))},
    "size": {size: frozenset((size,)) for size in SIZES} | {None: frozenset(SIZES)},
    "colour": {colour: frozenset((colour,)) for colour in COLOURS} | {None: frozenset(COLOURS)},
}
"""What can be said of a group: aspect → value → what is then possible; None = not said."""
Possible = tuple[frozenset, ...]  # of each aspect


@dataclass(frozen=True)
class Things:
    """A description of a group: of each of `ASPECTS` a value; None and `THING` say nothing."""

    noun: str = THING
    number: tuple[int, int] | None = None
    size: str | None = None
    colour: str | None = None

    @property
    def said(self) -> set[str]:
        """The aspects that it speaks of."""
        return {aspect for aspect in ASPECTS if getattr(self, aspect) not in (None, THING)}

    @property
    def narrowed(self) -> set[str]:
        """The aspects of which it excludes something; "at least one" excludes nothing."""
        return {name for name, some, every in zip(ASPECTS, possible(self), EVERYTHING, strict=True) if some != every}


@dataclass(frozen=True)
class Paints:
    """A child, or one of `QUANTIFIERS`, paints something; negated: the child does not."""

    who: str
    what: Things
    negated: bool = False

    def __str__(self) -> str:
        from course_utils.data.inference.wording import write_fact  # which needs this module

        return repr(write_fact(self))

    def __post_init__(self) -> None:
        if self.negated and self.who in QUANTIFIERS:
            raise ValueError(f"{self}: only a named child can be negated; say 'no child' for 'some child … not'.")

    @property
    def children(self) -> set[str]:
        """The children named."""
        return {self.who} - {*QUANTIFIERS}


@dataclass(frozen=True)
class Lies:
    """One child paints to the "left" or "right" of, "above" or "below" a second one; negated: it does not."""

    first: str
    second: str
    direction: str
    negated: bool = False
    who: ClassVar = ""  # a relation says nothing of a group
    what: ClassVar = Things()

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS or self.first == self.second:
            raise ValueError(f"{self}: expected a direction of {DIRECTIONS} and two different children.")

    @property
    def children(self) -> set[str]:
        """The children named."""
        return {self.first, self.second}

    @property
    def order(self) -> tuple[str, str, str]:
        """Axis ("left" or "above"), and the child that comes first on it before the one that comes later."""
        direction = OPPOSITE[self.direction] if self.negated else self.direction
        order = direction, self.first, self.second
        return order if direction in ("left", "above") else (OPPOSITE[direction], self.second, self.first)


Fact = Paints | Lies


@cache
def possible(what: Things) -> Possible:
    """What fits a description; a `ValueError` if it has other values than `ASPECTS`."""
    try:
        return tuple(values[getattr(what, aspect)] for aspect, values in ASPECTS.items())
    except KeyError as error:
        raise ValueError(f"{what} says {error}, which is none of the values of `ASPECTS`.") from None


EVERYTHING = possible(Things())


@cache
def allowed_by(fact: Paints) -> Possible:
    """What a clause of a premise leaves possible for the group of each child that it speaks of.

    A `ValueError` if it says "some" or denies more than one aspect.
    """
    sets, denied = possible(fact.what), fact.negated or fact.who == "no"
    if fact.who == "some" or denied and len(fact.what.narrowed) != 1:
        raise ValueError(
            f"{fact}: a premise cannot say 'some child', and may deny one aspect only (no dogs, or no red things)."
        )
    return tuple(every - some or every for every, some in zip(EVERYTHING, sets, strict=True)) if denied else sets


def compare(known: Possible, claimed: Possible) -> str:
    """Label of the claim that a group is among `claimed`, if all that is known is that it is among `known`."""
    if any(here.isdisjoint(there) for here, there in zip(known, claimed, strict=True)):
        return CONTRADICTION
    return ENTAILMENT if all(here <= there for here, there in zip(known, claimed, strict=True)) else NEUTRAL


def are_independent(facts: Sequence[Fact]) -> bool:
    """Whether the labels of facts decide that of all together: at most one on each group and on each axis."""
    groups = [fact.who for fact in facts if isinstance(fact, Paints)]
    axes = [fact.order[0] for fact in facts if isinstance(fact, Lies)]
    crowded = len(groups) > 1 and any(who in QUANTIFIERS for who in groups)
    return not crowded and len(set(groups)) == len(groups) and len(set(axes)) == len(axes)


class Knowledge:
    """What a premise, the fact of each clause, says of the picture.

    A `ValueError` if no picture fits, no child is named, or a fact is of a form that a premise cannot have.
    """

    def __init__(self, premise: Sequence[Fact]) -> None:
        self.premise = premise
        self.groups: dict[str, Possible] = {child: EVERYTHING for fact in premise for child in fact.children}
        self.orders = {index: fact.order for index, fact in enumerate(premise) if isinstance(fact, Lies)}
        if not self.groups:
            raise ValueError("the premise names no child; expected at least one name, such as anna.")
        for fact in premise:
            for child in (fact.children or self.groups) if isinstance(fact, Paints) else ():
                self.groups[child] = tuple(map(frozenset.intersection, self.groups[child], allowed_by(fact)))
        torn = {child for child, sets in self.groups.items() if not all(sets)}
        torn |= {earlier for axis, earlier, later in self.orders.values() if self._chain(axis, later, earlier)}
        if torn:
            raise ValueError(f"the premise contradicts itself about {', '.join(sorted(torn))}.")

    def judge(self, *facts: Fact) -> str:
        """Label of a fact, or of several together; a `ValueError` unless they `are_independent`."""
        if not facts or not are_independent(facts):
            raise ValueError(f"facts={facts}: expected a fact, and at most one for each child's group and each axis.")
        return max((self.decide(fact)[0] for fact in facts), key=LABELS.index)

    def decide(self, fact: Fact) -> tuple[str, list[int]]:
        """Label of one fact, and the clauses that one has to read to find it.

        These are the clauses about the child named, or about the children who settle it (for "some child paints dogs"
        the one who paints dogs, or all where nobody does); of a relation those that relate the two on its axis, or the
        chain from one to the other, or those on the other axis. A `ValueError` if the premise does not name a child.
        """
        if missing := fact.children - self.groups.keys():
            raise ValueError(f"{sorted(missing)} are no children of this picture; it has {sorted(self.groups)}.")
        if isinstance(fact, Lies):
            return self._decide_order(fact)
        claimed = possible(fact.what)
        labels = {child: compare(self.groups[child], claimed) for child in fact.children or self.groups}
        label = (max if fact.who == "every" else min)(labels.values(), key=LABELS.index)
        clauses = [
            index
            for index, known in enumerate(self.premise)
            if labels.get(known.who) == label or known.who in QUANTIFIERS and known.what.said & fact.what.said
        ]
        return OPPOSITE_LABEL[label] if fact.negated or fact.who == "no" else label, clauses

    def _decide_order(self, fact: Lies) -> tuple[str, list[int]]:
        axis, earlier, later = fact.order
        agreeing, denying = self._chain(axis, earlier, later), self._chain(axis, later, earlier)
        # Any partial order extends to a total one both ways round, so an order that does not follow stays open.
        label = ENTAILMENT if agreeing else CONTRADICTION if denying else NEUTRAL
        direct = [index for index in self.orders if self.premise[index].children == fact.children]
        same_axis = [index for index in direct if self.orders[index][0] == axis]
        return label, same_axis or agreeing or denying or direct

    def _chain(self, axis: str, earlier: str, later: str) -> list[int]:
        """The fewest clauses that lead from one child to another on an axis; none if they do not."""
        paths: list[tuple[str, list[int]]] = [(earlier, [])]
        for child, path in paths:  # shortest first; the list grows while it is read
            if child == later:
                return path
            onward = (index for index, (way, first, _) in self.orders.items() if (way, first) == (axis, child))
            paths += [(self.orders[index][2], [*path, index]) for index in onward if index not in path]
        return []
