"""What follows from a description of a picture: facts, what they leave open, and the reasoner that labels a pair.

The semantics, all of it:

- **The picture.** The children whom the premise names have painted it; there are no others. Each child painted one
  group of like things (one kind, one number from one to three, one size, one colour; paint makes purple dogs) and lies,
  with that group, further left or right and further up or down than every other child: two strict orders.
- **Open world.** The premise is true but need not say everything. What it leaves open may be anything, independently
  of everything else: "anna paints dogs" says nothing about colour, size or number ("dogs" is one dog or more).
- **Numbers.** "two dogs" means exactly two; "at least", "at most" mean what they say.
- **Kinds.** A dog is a mammal is an animal is a thing (`words_of_things`). Kinds exclude each other, so that a child
  who paints dogs does not paint cars: since a child has one group only, every other group is denied. Every class has
  further kinds that no word names: a tree need not be a palm, though palms are the only trees in the table.
- **Every, some, no** speak of the children of this picture. There is at least one child, so "every" implies "some".
- **Labels.** Entailment: true in every picture that the premise allows. Contradiction: true in none. Neutral: else.

What the premise says of a child is kept as four sets (the kinds, numbers, sizes and colours still possible), and
because nothing ties the four or the children together, comparing sets decides every label exactly. A "not" splits
into such sets only where it denies one thing ("no dogs", "nothing red"), so a premise may deny no more than that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from course_utils.data.words_of_things import CLASSES, COLOURS, KINDS, LARGEST_COUNT, OPPOSITE, SIZES, is_a

LABELS = ("entailment", "neutral", "contradiction")
"""In the order of SNLI's label numbers."""
ENTAILMENT, NEUTRAL, CONTRADICTION = LABELS
OPPOSITE_LABEL = {ENTAILMENT: CONTRADICTION, NEUTRAL: NEUTRAL, CONTRADICTION: ENTAILMENT}

THING = "thing"
"""The class above all others."""
QUANTIFIERS = ("every", "some", "no")
DIRECTIONS = ("left", "right", "above", "below")
NUMBER_RANGES = ((1, 1), (2, 2), (3, 3), (1, 3), (2, 3), (1, 2))
"""Fewest and most of what a number phrase allows: one, two, three, at least one, at least two, at most two."""

ASPECTS = ("noun", "number", "size", "colour")
"""The four things that can be said of a group, in the order of the sets that the reasoner keeps."""
Possible = tuple[frozenset, frozenset, frozenset, frozenset]
"""Kinds, numbers, sizes and colours that are possible."""

_EVERYTHING: Possible = (
    frozenset((*KINDS, *CLASSES, THING)),  # a class stands for its kinds that have no name of their own
    frozenset(range(1, LARGEST_COUNT + 1)), frozenset(SIZES), frozenset(COLOURS),
)  # fmt: skip


@dataclass(frozen=True)
class Things:
    """A description of a group; None = not said.

    Attributes:
        noun: a kind, a class or `THING`, singular.
        number: one of `NUMBER_RANGES`.
        size: "small" or "big".
        colour: a key of `COLOURS`.
    """

    noun: str = THING
    number: tuple[int, int] | None = None
    size: str | None = None
    colour: str | None = None

    @property
    def said(self) -> tuple[str, ...]:
        """The aspects that it speaks of; "thing" says nothing about the kind."""
        values = (self.noun if self.noun != THING else None, self.number, self.size, self.colour)
        return tuple(aspect for aspect, value in zip(ASPECTS, values, strict=True) if value is not None)

    @property
    def narrowed(self) -> tuple[str, ...]:
        """The aspects of which it excludes something; "at least one" excludes nothing."""
        return tuple(aspect for aspect in self.said if aspect != "number" or self.number != (1, LARGEST_COUNT))


@dataclass(frozen=True)
class Paints:
    """Somebody paints something.

    Attributes:
        who: a child's name or one of `QUANTIFIERS`.
        what: the things.
        negated: the child does not paint them; only with a name.
    """

    who: str
    what: Things
    negated: bool = False

    @property
    def children(self) -> frozenset[str]:
        """The children named."""
        return frozenset() if self.who in QUANTIFIERS else frozenset((self.who,))


@dataclass(frozen=True)
class Lies:
    """One child paints somewhere, seen from another.

    Attributes:
        first, second: children's names.
        direction: where the first is: "left", "right", "above" or "below" the second.
        negated: it is not so.
    """

    first: str
    second: str
    direction: str
    negated: bool = False

    @property
    def children(self) -> frozenset[str]:
        """The children named."""
        return frozenset((self.first, self.second))

    @property
    def order(self) -> tuple[str, str, str]:
        """Axis ("left" or "above"), and the child that comes first on it before the one that comes later."""
        direction = OPPOSITE[self.direction] if self.negated else self.direction
        if direction in ("left", "above"):
            return direction, self.first, self.second
        return OPPOSITE[direction], self.second, self.first


Fact = Paints | Lies


@cache
def _kinds_below(noun: str) -> frozenset[str]:
    """The noun, and all kinds and classes that it is true of."""
    return _EVERYTHING[0] if noun == THING else frozenset(kind for kind in (*KINDS, *CLASSES) if is_a(kind, noun))


@cache
def possible(what: Things) -> Possible:
    """The kinds, numbers, sizes and colours that fit a description.

    Raises:
        ValueError: if it has a noun, number, size or colour that pictures do not have.
    """
    kinds, numbers, sizes, colours = _EVERYTHING
    if what.noun not in kinds:
        raise ValueError(f"noun={what.noun!r}: expected a kind or class of `words_of_things`, or 'thing'.")
    kinds = _kinds_below(what.noun)
    if what.number is not None:
        if what.number not in NUMBER_RANGES:
            raise ValueError(f"number={what.number!r}: expected one of {NUMBER_RANGES} or None.")
        numbers = frozenset(range(what.number[0], what.number[1] + 1))
    if what.size is not None:
        sizes = sizes & {what.size}
    if what.colour is not None:
        colours = colours & {what.colour}
    if not sizes or not colours:
        raise ValueError(f"size={what.size!r}, colour={what.colour!r}: expected one of {SIZES}, {tuple(COLOURS)}.")
    return kinds, numbers, sizes, colours


def compare(known: Possible, claimed: Possible) -> str:
    """Label of the claim that a group is among `claimed`, if all that is known is that it is among `known`."""
    if any(here.isdisjoint(there) for here, there in zip(known, claimed, strict=True)):
        return CONTRADICTION
    if all(here <= there for here, there in zip(known, claimed, strict=True)):
        return ENTAILMENT
    return NEUTRAL


def conjunction(labels: Iterable[str]) -> str:
    """Label of "a and b", given the labels of claims that do not depend on each other."""
    labels = set(labels)
    return CONTRADICTION if CONTRADICTION in labels else NEUTRAL if NEUTRAL in labels else ENTAILMENT


@cache
def allowed_by(fact: Paints) -> Possible:
    """What a clause of a premise leaves possible for the group of each child that it speaks of.

    Raises:
        ValueError: if it says "some", negates another quantifier, or denies more than one aspect.
    """
    _check(fact)
    sets = possible(fact.what)
    if fact.who == "some":
        raise ValueError(f"{fact}: a premise cannot say 'some child', which leaves open whom it means.")
    if not fact.negated and fact.who != "no":
        return sets
    restricted = [some != every for every, some in zip(_EVERYTHING, sets, strict=True)]
    if sum(restricted) != 1:
        raise ValueError(f"{fact}: a premise may deny one aspect only; this denies {sum(restricted)} together.")
    return tuple(
        every - some if denied else every for every, some, denied in zip(_EVERYTHING, sets, restricted, strict=True)
    )


class Knowledge:
    """What a premise says of the picture, ready to be asked.

    Args:
        premise: facts; every "some" is refused, and so is a denial of more than one aspect (see the module).

    Attributes:
        groups: child → what is possible for its group, children in the order in which the premise names them.
        before: for the axes "left" and "above" the pairs of children whose order follows, transitively.

    Raises:
        ValueError: if no picture fits, no child is named, or a fact is of a form that a premise cannot have.
    """

    def __init__(self, premise: Sequence[Fact]) -> None:
        names = (name for fact in premise for name in ([fact.who] if isinstance(fact, Paints) else _pair(fact)))
        self.groups: dict[str, Possible] = {name: _EVERYTHING for name in names if name not in QUANTIFIERS}
        if not self.groups:
            raise ValueError(f"the premise {list(premise)} names no child; expected at least one name.")
        self.before: dict[str, set[tuple[str, str]]] = {"left": set(), "above": set()}
        for fact in premise:
            if isinstance(fact, Lies):
                axis, earlier, later = fact.order
                self._order(axis, earlier, later)
            else:
                for child in self.groups if fact.who in QUANTIFIERS else (fact.who,):
                    self._narrow(child, fact)

    def _narrow(self, child: str, fact: Paints) -> None:
        new = allowed_by(fact)
        old = self.groups[child]
        narrowed = new if old is _EVERYTHING else tuple(map(frozenset.intersection, old, new))
        if not all(narrowed):
            raise ValueError(
                f"the premise contradicts itself about {child}: {fact} leaves nothing that {child} paints."
            )
        self.groups[child] = narrowed

    def _order(self, axis: str, earlier: str, later: str) -> None:
        order = self.before[axis]
        if (later, earlier) in order:
            raise ValueError(
                f"the premise contradicts itself: {earlier} cannot come before {later} on the {axis} axis."
            )
        sources = {earlier} | {a for a, b in order if b == earlier}
        targets = {later} | {b for a, b in order if a == later}
        order.update((a, b) for a in sources for b in targets)

    def judge_group(self, child: str, what: Things) -> str:
        """Label of "child paints what".

        Raises:
            ValueError: if the premise does not name the child.
        """
        if child not in self.groups:
            raise ValueError(f"{child!r} is no child of this picture; the premise names {sorted(self.groups)}.")
        return compare(self.groups[child], possible(what))

    def judge(self, fact: Fact) -> str:
        """Label of one fact.

        Raises:
            ValueError: if it names a child that the premise does not, or negates a quantifier.
        """
        if isinstance(fact, Lies):
            if missing := fact.children - set(self.groups):
                raise ValueError(f"{sorted(missing)} are no children of this picture; it has {sorted(self.groups)}.")
            _pair(fact)
            axis, earlier, later = fact.order
            if (earlier, later) in self.before[axis]:
                return ENTAILMENT
            # Any partial order extends to a total one both ways round, so an order that does not follow stays open.
            return CONTRADICTION if (later, earlier) in self.before[axis] else NEUTRAL
        _check(fact)
        if fact.who not in QUANTIFIERS:
            label = self.judge_group(fact.who, fact.what)
            return OPPOSITE_LABEL[label] if fact.negated else label
        labels = {self.judge_group(child, fact.what) for child in self.groups}
        if fact.who == "every":
            return conjunction(labels)
        # Groups are independent: if nobody must paint such things and somebody may, both are possible.
        some = ENTAILMENT if ENTAILMENT in labels else NEUTRAL if NEUTRAL in labels else CONTRADICTION
        return some if fact.who == "some" else OPPOSITE_LABEL[some]

    def judge_all(self, facts: Sequence[Fact]) -> str:
        """Label of "a and b and …".

        Raises:
            ValueError: if there is no fact, two of them speak of the same child's group (or "every child" and another
                group), or two of the order on one axis: their labels would not decide that of both together.
        """
        _check_independent(facts)
        return conjunction(self.judge(fact) for fact in facts)

    def deciding_children(self, fact: Fact) -> tuple[str, ...]:
        """The children whom one must look at to label a fact.

        Those named; of a quantifier those that settle it: the one who paints dogs for "some child paints dogs", all
        children where nobody does, those of whom it is open where it is open.
        """
        if fact.children:
            return tuple(child for child in self.groups if child in fact.children)
        labels = {child: self.judge_group(child, fact.what) for child in self.groups}
        looked_for = CONTRADICTION if fact.who == "every" else ENTAILMENT
        for label in (looked_for, NEUTRAL):
            if label in labels.values():
                return tuple(child for child in labels if labels[child] == label)
        return tuple(labels)


def are_independent(facts: Sequence[Fact]) -> bool:
    """Whether the labels of facts decide that of all together: at most one on each group and on each axis."""
    groups = [fact.who for fact in facts if isinstance(fact, Paints)]
    axes = [fact.order[0] for fact in facts if isinstance(fact, Lies)]
    crowded = len(groups) > 1 and any(who in QUANTIFIERS for who in groups)
    return not crowded and len(set(groups)) == len(groups) and len(set(axes)) == len(axes)


def _check_independent(facts: Sequence[Fact]) -> None:
    if not facts or not are_independent(facts):
        raise ValueError(
            f"the hypothesis {list(facts)} has no fact or facts that depend on each other; expected at most one for "
            "each child's group and for each axis."
        )


def _check(fact: Paints) -> None:
    if fact.negated and fact.who in QUANTIFIERS:
        raise ValueError(f"{fact}: only a named child can be negated; say 'no child' in place of 'some child … not'.")


def _pair(fact: Lies) -> tuple[str, str]:
    if fact.direction not in DIRECTIONS or fact.first == fact.second:
        raise ValueError(f"{fact}: expected a direction of {DIRECTIONS} and two different children.")
    return fact.first, fact.second
