"""The English of premises and hypotheses, both ways: facts to words, and words back to facts.

"anna paints two big red dogs", "two big red dogs are painted by anna", "anna does not paint dogs", "every child paints
animals", "anna paints to the left of ben". The grammar is written once, in `write_fact`; reading tries what it writes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations, product
from typing import NamedTuple

from course_utils.data.inference.logic import DIRECTIONS, QUANTIFIERS, THING, Fact, Lies, Paints, Things
from course_utils.data.normalise import normalise
from course_utils.data.words_of_things import CLASSES, COLOURS, KINDS, RELATION_PHRASES, SIZES, article, plural

CHILDREN = ("anna", "ben", "carl", "dora", "emil", "fay", "gus", "hana", "ivo", "jana", "karim", "lea")
JOINERS = ("and", ",", "while")  # what stands between two clauses
WHO = {"every": ("every child", "all children"), "some": ("some child",), "no": ("no child",)}
"""Quantifier → its wordings."""
NUMBER_WORDS = {
    None: ("",), (1, 1): ("a", "one"), (2, 2): ("two",), (3, 3): ("three",),
    (1, 3): ("at least one",), (2, 3): ("at least two",), (1, 2): ("at most two",),
}  # fmt: skip
"""Fewest and most → wordings; "a" is written "an" where the next word asks for it."""

PLURALS = {noun: plural(noun) for noun in (*KINDS, *CLASSES)} | {THING: "things"}


def _words(*phrases: Iterable[str]) -> list[str]:
    return " ".join(phrase for wordings in phrases for phrase in wordings).split()


PARTS = {
    **dict.fromkeys(_words(*WHO.values()), "child"),
    **{name: name for name in CHILDREN},
    **dict.fromkeys(_words(*NUMBER_WORDS.values(), ["an"]), "number"),
    **dict.fromkeys(SIZES, "size"),
    **dict.fromkeys(COLOURS, "colour"),
    **{word: "noun" for noun in (*KINDS, *CLASSES) for word in (noun, PLURALS[noun])},
    **dict.fromkeys(("left", "right", "above", "below", "under"), "direction"),
    **dict.fromkeys(("not", "no"), "not"),  # but "no child" is about a child
}
"""Word → the part of a fact that it states; a name is a part of its own."""
OTHER_WORDS = ["thing", "things", "is", "are", "does", "paint", "paints", "painted", "by", "to", "the", "of"]
"""Words that state nothing."""


class Clause(NamedTuple):
    """A fact and its words; of all clauses but the first these begin with a joiner."""

    fact: Fact
    words: tuple[str, ...]


def words_in(clauses: Iterable[Clause]) -> tuple[str, ...]:
    """All words of some clauses."""
    return tuple(word for clause in clauses for word in clause.words)


def write_fact(fact: Fact, passive: bool = False, variant: int = 0) -> str:
    """Word one fact; `variant` 0 or 1 picks among equal wordings such as "a" and "one"; some have no passive."""
    if isinstance(fact, Lies):
        phrase = " ".join(_pick(RELATION_PHRASES[fact.direction], variant))
        return f"{fact.first} {'does not paint' if fact.negated else 'paints'} {phrase} {fact.second}"
    who, things = _pick(WHO.get(fact.who, (fact.who,)), variant), _things(fact.what, variant)
    if fact.negated and (fact.what.number or not (passive or variant)):
        return f"{who} does not paint {things}"
    if fact.negated:
        things = f"no {things}"
    if passive:
        return f"{things} {'is' if _is_one(fact.what) else 'are'} painted by {who}"
    return f"{who} {'paint' if who == 'all children' else 'paints'} {things}"


def _things(what: Things, variant: int) -> str:
    noun = what.noun if _is_one(what) else PLURALS[what.noun]
    words = [word for word in (what.size, what.colour, noun) if word]
    number = _pick(NUMBER_WORDS[what.number], variant)
    return " ".join([article(words[0]) if number == "a" else number, *words]).strip()


def _pick(wordings: Sequence, variant: int):
    return wordings[variant % len(wordings)]


def _is_one(what: Things) -> bool:
    return what.number in ((1, 1), (1, 3))  # "one dog", "at least one dog"


def read_clauses(text: str) -> list[Clause]:
    """Read clauses, in capitals or not; a `ValueError` names the one not understood, and why.

    Marks at the end of a sentence, quotation marks and brackets are left out; a semicolon is a comma.
    """
    clauses: list[list[str]] = [[]]
    for word in re.sub("[;,]", " , ", re.sub(r'[.!?:…"«»()]', " ", normalise(text).lower())).split():
        if word in JOINERS:
            clauses.append([])
        clauses[-1].append(word)
    return [Clause(_read_fact(words[number > 0 :]), tuple(words)) for number, words in enumerate(clauses)]


def _read_fact(words: Sequence[str]) -> Fact:
    if not words:
        raise ValueError("a clause is empty; expected something before and after each joiner such as 'and'.")
    text = " ".join(words)
    for fact, passive, variant in product(_facts_with(words), (False, True), (0, 1)):
        if write_fact(fact, passive, variant) == text:
            return fact
    strange = [word for word in words if word not in words_of()]
    why = f"the words {strange} are unknown" if strange else "the grammar has no such clause"
    raise ValueError(f"{text!r} is not understood: {why}. Write like 'anna paints two red dogs'.")


def _facts_with(words: Sequence[str]) -> Iterator[Fact]:
    """All facts that could be worded with these words in some order."""
    names = [name for name in CHILDREN if name in words]
    size, colour = (next((word for word in words if word in values), None) for values in (SIZES, COLOURS))
    noun = next((noun for noun, many in PLURALS.items() if noun in words or many in words), None)
    if noun:
        for number in NUMBER_WORDS:
            what = Things(noun, number, size, colour)
            yield from (Paints(who, what) for who in (*names, *QUANTIFIERS))
            yield from (Paints(who, what, negated=True) for who in names)
    for (first, second), direction, negated in product(permutations(names, 2), DIRECTIONS, (False, True)):
        yield Lies(first, second, direction, negated)


def words_of(kinds: Iterable[str] = KINDS) -> list[str]:
    """All words that premises and hypotheses about some kinds can have, in alphabetical order."""
    unused = {word for kind in KINDS.keys() - kinds for word in (kind, PLURALS[kind])}
    return sorted({*PARTS, *OTHER_WORDS, *JOINERS} - unused)
