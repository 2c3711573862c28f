"""Hypotheses, drawn before there is a premise or a label: nothing about them can hint at the label.

Every hypothesis made here has premises of all three labels, so none has to be given up for one of them.
"""

from collections.abc import Sequence
from random import Random

from course_utils.data.inference.difficulty import Difficulty, has_unseen_pair
from course_utils.data.inference.logic import (
    DIRECTIONS,
    NUMBER_RANGES,
    QUANTIFIERS,
    THING,
    Fact,
    Lies,
    Paints,
    Things,
    are_independent,
)
from course_utils.data.words_of_things import COLOURS, SIZES

_FORMS = {"paints": 60, "negation": 12, "relations": 16, "quantifiers": 12}


def draw_hypothesis(random: Random, difficulty: Difficulty, clauses: int, *, unseen: bool = False) -> tuple[Fact, ...]:
    """Draw a hypothesis, knowing nothing of a premise but its number of clauses.

    Args:
        random: source of chance.
        difficulty: what there is to draw.
        clauses: clauses that the premise will have; a hypothesis never has more facts.
        unseen: the first fact has a class of `Difficulty.unseen_below` and says at least one thing more.
    """
    fewest, most = difficulty.facts
    count = fewest + int(random.random() * (min(most, clauses) - fewest + 1))
    while True:
        names = random.sample(difficulty.names, 4)
        first = (
            _draw_unseen_claim(random, difficulty, names[0]) if unseen else _draw_fact(random, difficulty, names[:2])
        )
        if count == 1:
            return (first,)
        facts = (first, _draw_fact(random, difficulty, names[2:]))
        # Two children to be related and a word about "every child" take three clauses; and an unseen pair inside the
        # hypothesis would leave no premise that entails it and keeps the two apart.
        mixed = any(isinstance(fact, Lies) for fact in facts) and any(not fact.children for fact in facts)
        if clauses >= 2 + mixed and are_independent(facts) and not has_unseen_pair(facts, facts):
            return facts if random.random() < 0.5 else facts[::-1]


def _draw_fact(random: Random, difficulty: Difficulty, names: Sequence[str]) -> Fact:
    forms = [form for form in _FORMS if form == "paints" or difficulty.has(form)]
    form = random.choices(forms, [_FORMS[form] for form in forms])[0]
    if form == "relations":
        negated = difficulty.has("negation") and random.random() < 0.2
        return Lies(names[0], names[1], choose(random, DIRECTIONS), negated)
    if form == "quantifiers":
        return Paints(choose(random, QUANTIFIERS), draw_claim(random, difficulty))
    negated = form == "negation"
    return Paints(names[0], draw_claim(random, difficulty, plain=negated), negated)


def draw_claim(random: Random, difficulty: Difficulty, *, plain: bool = False) -> Things:
    """Things that a hypothesis speaks of: they say at least one thing that can fail to be so."""
    while True:
        draw = random.random()
        noun = choose(random, difficulty.kinds if draw < 0.55 else difficulty.classes) if draw < 0.92 else THING
        number = None if plain else _maybe(random, difficulty, "numbers", NUMBER_RANGES, 0.4)
        size = _maybe(random, difficulty, "sizes", SIZES, 0.35)
        colour = _maybe(random, difficulty, "colours", tuple(COLOURS), 0.5)
        claim = Things(noun, number, size, colour)
        if claim.narrowed:
            return claim


def _draw_unseen_claim(random: Random, difficulty: Difficulty, name: str) -> Paints:
    classes = tuple(difficulty.unseen_below)
    while True:
        claim = draw_claim(random, difficulty)
        if set(claim.narrowed) - {"noun"}:
            return Paints(name, Things(choose(random, classes), claim.number, claim.size, claim.colour))


def _maybe(random: Random, difficulty: Difficulty, phenomenon: str, options: Sequence, share: float):
    return choose(random, options) if difficulty.has(phenomenon) and random.random() < share else None


def choose(random: Random, options: Sequence):
    """One of several options, all equally likely; quicker than `Random.choice`."""
    return options[int(random.random() * len(options))]
