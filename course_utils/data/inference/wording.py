"""The English of premises and hypotheses: facts to words, each word with the part it plays, and words back to facts.

"anna paints two big red dogs", "two big red dogs are painted by anna", "anna does not paint dogs", "anna paints no
dogs", "every child paints animals", "anna paints to the left of ben". Reading accepts exactly what writing makes.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from course_utils.data.inference.logic import QUANTIFIERS, THING, Fact, Lies, Paints, Things
from course_utils.data.words_of_things import CLASSES, COLOURS, KINDS, RELATION_PHRASES, SIZES, article, plural

CHILDREN = ("anna", "ben", "carl", "dora", "emil", "fay", "gus", "hana", "ivo", "jana", "karim", "lea")
"""Names; none is a word with another meaning here."""

JOINERS = ("and", ",", "while")
"""What stands between two clauses."""

QUANTIFIED = {
    "every": (("every", "child"), ("all", "children")),
    "some": (("some", "child"),),
    "no": (("no", "child"),),
}
"""Quantifier → its wordings."""

NUMBER_WORDS = {
    (1, 1): (("a",), ("one",)), (2, 2): (("two",),), (3, 3): (("three",),),
    (1, 3): (("at", "least", "one"),), (2, 3): (("at", "least", "two"),), (1, 2): (("at", "most", "two"),),
}  # fmt: skip
"""Fewest and most → wordings; "a" is written "an" where the next word asks for it."""


class Word(NamedTuple):
    """A word and the part it plays in its clause.

    Attributes:
        text: the word.
        role: "child", "other child" (the second of a relation), "noun", "number", "size", "colour", "direction",
            "not", or "" for words that name nothing.
    """

    text: str
    role: str = ""


class Style(NamedTuple):
    """How a fact is worded.

    Attributes:
        passive: "dogs are painted by anna"; facts that have no passive ignore it.
        variant: 0 or 1, picks among equal wordings such as "a" and "one".
    """

    passive: bool = False
    variant: int = 0


def write_fact(fact: Fact, style: Style = Style()) -> list[Word]:  # noqa: B008
    """Word one fact.

    Raises:
        ValueError: if a part has no word.
    """
    if isinstance(fact, Lies):
        verb = [Word("does"), Word("not", "not"), Word("paint")] if fact.negated else [Word("paints")]
        phrases = RELATION_PHRASES.get(fact.direction)
        if phrases is None:
            raise ValueError(f"direction={fact.direction!r}: expected one of {tuple(RELATION_PHRASES)}.")
        phrase = [Word(word, "direction" if word in _DIRECTION_OF else "") for word in _pick(phrases, style)]
        return [Word(fact.first, "child"), *verb, *phrase, Word(fact.second, "other child")]
    things = _things(fact.what, style)
    who = _who(fact.who, style)
    if fact.negated and (fact.what.number is not None or not (style.passive or style.variant)):
        return [*who, Word("does"), Word("not", "not"), Word("paint"), *things]
    if fact.negated:
        things = [Word("no", "not"), *things]
    if style.passive:
        single = fact.what.number is not None and _singular(fact.what.number)
        return [*things, Word("is" if single else "are"), Word("painted"), Word("by"), *who]
    return [*who, Word("paint" if who[0].text == "all" else "paints"), *things]


def write_facts(
    facts: Sequence[Fact], styles: Sequence[Style], joiners: Sequence[str] | None = None
) -> list[list[Word]]:
    """Word several facts, one clause each; every clause but the first begins with its joiner.

    Args:
        facts: at least one.
        styles: one for each fact.
        joiners: of `JOINERS`, one for each fact but the first; None = always "and".
    """
    joiners = ["and"] * (len(facts) - 1) if joiners is None else joiners
    clauses = [write_fact(fact, style) for fact, style in zip(facts, styles, strict=True)]
    return [clauses[0], *([Word(joiner), *clause] for joiner, clause in zip(joiners, clauses[1:], strict=True))]


def read_clauses(words: Sequence[str]) -> list[tuple[Fact, list[Word]]]:
    """Read clauses back: what `write_facts` words, in capitals or not, full stops left out.

    Returns:
        Each clause's fact and words; all clauses but the first begin with their joiner.

    Raises:
        ValueError: names the clause that is not understood, and why.
        TypeError: if `words` is a string.
    """
    if isinstance(words, str):
        raise TypeError(f"words is the string {words!r}; expected a sequence of words. Split it first.")
    clauses: list[list[str]] = [[]]
    joiners: list[list[Word]] = [[]]
    for word in (word.lower() for word in words if word != "."):
        if word in JOINERS:
            clauses.append([])
            joiners.append([Word(word)])
        else:
            clauses[-1].append(word)
    read = [_read_clause(tuple(clause)) for clause in clauses]
    return [(fact, [*joiner, *clause]) for (fact, clause), joiner in zip(read, joiners, strict=True)]


def words_of(kinds: Sequence[str] | None = None) -> list[str]:
    """All words that premises and hypotheses can have, in alphabetical order.

    Args:
        kinds: restrict nouns to these kinds and their classes; None = all.
    """
    nouns = [THING, *(KINDS if kinds is None else kinds), *CLASSES]
    words = {*CHILDREN, *JOINERS, *COLOURS, *SIZES, *nouns, *(noun_plural(noun) for noun in nouns)}
    words |= {"an", "is", "are", "does", "not", "no", "paint", "paints", "painted", "by"}
    phrases = [*NUMBER_WORDS.values(), *QUANTIFIED.values(), *(RELATION_PHRASES[way] for way in _DIRECTION_OF.values())]
    return sorted(words | {word for wordings in phrases for wording in wordings for word in wording})


def noun_plural(noun: str) -> str:
    """Plural of a kind, a class or "thing"."""
    return "things" if noun == THING else plural(noun)


_DIRECTION_OF = {"left": "left", "right": "right", "above": "above", "below": "below", "under": "below"}


def _pick(wordings: Sequence[tuple[str, ...]], style: Style) -> tuple[str, ...]:
    return wordings[style.variant % len(wordings)]


def _singular(number: tuple[int, int]) -> bool:
    return number in ((1, 1), (1, 3))  # "one dog", "at least one dog"


def _who(who: str, style: Style) -> list[Word]:
    return [Word(word, "child") for word in (_pick(QUANTIFIED[who], style) if who in QUANTIFIERS else (who,))]


def _things(what: Things, style: Style) -> list[Word]:
    single = what.number is not None and _singular(what.number)
    words = [Word(what.size, "size")] if what.size else []
    if what.colour:
        words.append(Word(what.colour, "colour"))
    words.append(Word(what.noun if single else noun_plural(what.noun), "noun"))
    if what.number is None:
        return words
    number = _pick(NUMBER_WORDS[what.number], style)
    if number == ("a",):
        number = (article(words[0].text),)
    return [*(Word(word, "number") for word in number), *words]


@cache
def _singulars() -> dict[str, tuple[str, bool, bool]]:
    """Noun as written → its singular, whether this can be one thing, and whether it can be several ("aircraft")."""
    nouns: dict[str, tuple[str, bool, bool]] = {}
    for noun in (THING, *KINDS, *CLASSES):
        nouns[noun] = (noun, True, noun_plural(noun) == noun)
        nouns.setdefault(noun_plural(noun), (noun, False, True))
    return nouns


def _read_clause(words: tuple[str, ...]) -> tuple[Fact, list[Word]]:
    if not words:
        raise ValueError("a clause is empty; expected something before and after each joiner such as 'and'.")
    fact = _read_passive(words) or _read_active(words)
    if fact is not None:
        # What was read has to be what we would have written: this catches "a owl" and all other slips.
        for style in (Style(passive, variant) for passive in (False, True) for variant in (0, 1)):
            written = write_fact(fact, style)
            if tuple(word.text for word in written) == words:
                return fact, written
    known = set(words_of())
    strange = [word for word in words if word not in known]
    why = f"the words {strange} are unknown" if strange else "the grammar has no such clause"
    raise ValueError(f"{' '.join(words)!r} is not understood: {why}. Write like 'anna paints two red dogs'.")


def _read_passive(words: tuple[str, ...]) -> Fact | None:
    for verb in ("is", "are"):
        if (verb, "painted", "by") in zip(words, words[1:], words[2:], strict=False):
            place = words.index(verb)
            return _paints(_read_who(words[place + 3 :]), words[:place], False)
    return None


def _read_active(words: tuple[str, ...]) -> Fact | None:
    place = next((index for index, word in enumerate(words) if word in ("paint", "paints")), None)
    if place is None:
        return None
    who, rest = words[:place], words[place + 1 :]
    negated = who[1:] == ("does", "not")
    who = who[:1] if negated else who
    for phrases in (RELATION_PHRASES[way] for way in ("left", "right", "above", "below")):
        for phrase in phrases:
            if rest[:-1] == phrase and len(who) == 1 and {who[0], rest[-1]} <= set(CHILDREN) and who[0] != rest[-1]:
                return Lies(who[0], rest[-1], next(_DIRECTION_OF[w] for w in phrase if w in _DIRECTION_OF), negated)
    return _paints(_read_who(who), rest, negated)


def _read_who(words: tuple[str, ...]) -> str | None:
    if len(words) == 1 and words[0] in CHILDREN:
        return words[0]
    return next((who for who, wordings in QUANTIFIED.items() if words in wordings), None)


def _paints(who: str | None, words: tuple[str, ...], negated: bool) -> Paints | None:
    if words[:1] == ("no",):
        negated, words = True, words[1:]
    number = None
    for candidate, wordings in NUMBER_WORDS.items():
        for wording in (*wordings, *((("an",),) if candidate == (1, 1) else ())):
            if words[: len(wording)] == wording:
                number, words = candidate, words[len(wording) :]
                break
        if number is not None:
            break
    size, words = (words[0], words[1:]) if words and words[0] in SIZES else (None, words)
    colour, words = (words[0], words[1:]) if words and words[0] in COLOURS else (None, words)
    noun = _singulars().get(words[0]) if len(words) == 1 else None
    single = number is not None and _singular(number)
    if who is None or noun is None or not noun[1 if single else 2] or (negated and who in QUANTIFIERS):
        return None
    return Paints(who, Things(noun[0], number, size, colour), negated)
