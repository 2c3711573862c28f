"""Noun phrases: determiner, number, adjectives before and after the noun, in agreement; "les trois petites maisons
rouges" is "the three small red houses".
"""

from functools import cache
from random import Random

from course_utils.datasets.phrase_lexicon import (
    AFTER_NOUN,
    BEFORE_NOUN,
    NOUNS,
    PAIRS_BEFORE_NOUN,
    POSSESSIVES,
    Adjective,
    Noun,
    elides,
    indefinite_article,
)
from course_utils.datasets.phrase_numbers import cardinal
from course_utils.datasets.phrase_units import Unit, word_for_word

_word = cache(word_for_word)

# Lists to draw from: an entry stands as often as it should come up.
SINGULAR_DETERMINERS = ("indefinite",) * 8 + ("definite",) * 7 + ("possessive",) * 5 + ("this",) * 3 + ("each",)
PLURAL_DETERMINERS = (
    ("number",) * 9 + ("indefinite",) * 4 + ("definite",) * 6 + ("possessive",) * 4 + ("this",) * 3 + ("several",)
)
COUNTED = frozenset({"definite", "possessive", "this"})
_ADJECTIVES_BEFORE = (0,) * 5 + (1,) * 4 + (2,)
_ADJECTIVES_AFTER = (0,) * 4 + (1,) * 4 + (2,) * 2
_AFTER_KINDS = (("origin",), ("colour",), ("colour",), ("quality",), ("quality",), ("quality",))
_AFTER_PAIRS = (("origin", "colour"), ("colour", "quality"), ("origin", "quality"))
_ROUND_NUMBERS = (21, 31, 41, 51, 61, 71, 80, 81, 81, 81, 91, 100, 200, 300, 1000, 2000, 80_000)


def draw_number(random: Random, smallest: int = 2) -> int:
    """A number for counting things: mostly small, sometimes one of those with a spelling of its own."""
    draw = random.random()
    if draw < 0.45:
        return smallest + int(random.random() * (11 - smallest))
    if draw < 0.80:
        return 11 + int(random.random() * 89)
    if draw < 0.88:
        return _ROUND_NUMBERS[int(random.random() * len(_ROUND_NUMBERS))]
    if draw < 0.96:
        return 101 + int(random.random() * 899)
    return 1001 + int(random.random() * 8999)


_ALL_NUMBERS = frozenset({*range(2, 10_000), *_ROUND_NUMBERS})  # all that draw_number can draw


@cache
def _adjectives_for(sort: str, place: str) -> tuple[Adjective, ...]:
    adjectives = BEFORE_NOUN.values() if place == "before" else AFTER_NOUN[place]
    return tuple(adjective for adjective in adjectives if sort in adjective.sorts)


@cache
def _pairs_for(sort: str) -> tuple[tuple[Adjective, Adjective], ...]:
    pairs = [(BEFORE_NOUN[first], BEFORE_NOUN[second]) for first, second in PAIRS_BEFORE_NOUN]
    return tuple(pair for pair in pairs if sort in pair[0].sorts and sort in pair[1].sorts)


def determiner(kind: str, noun: Noun, plural: bool, next_word: str, english_next: str, after_adjective: bool) -> Unit:
    """The article, demonstrative or possessive that agrees with the noun and with the word that follows it."""
    vowel = elides(next_word)
    if kind == "definite":
        french = "les" if plural else "l'" if vowel else "la" if noun.feminine else "le"
        return _word(french, "the")
    if kind == "indefinite":
        if plural:
            return _word("de" if after_adjective else "des", "some")
        return _word("une" if noun.feminine else "un", indefinite_article(english_next))
    if kind == "this":
        french = "ces" if plural else "cette" if noun.feminine else "cet" if vowel else "ce"
        return _word(french, "these" if plural else "this")
    if kind == "each":
        return _word("chaque", "each")
    if kind == "several":
        return _word("plusieurs", "several")
    masculine, feminine, plural_form, english = POSSESSIVES[int(kind)]
    return _word(plural_form if plural else feminine if noun.feminine and not vowel else masculine, english)


def noun_phrase(
    noun: Noun,
    plural: bool,
    kind: str,
    number: int | None = None,
    before: tuple[Adjective, ...] = (),
    after: tuple[Adjective, ...] = (),
) -> tuple[tuple[Unit, ...], tuple[int, ...]]:
    """Build one noun phrase.

    Args:
        noun: the noun.
        plural: whether it stands in the plural.
        kind: "indefinite", "definite", "this", "each", "several", "number" (no determiner but the number) or the
            index of a possessive as text.
        number: how many, from 2, or None; only in the plural.
        before: adjectives before the noun, in French order.
        after: adjectives after the noun, in French order.

    Returns:
        ``(units, english_order)``: the units in French order, and the indices of the units in English order.
    """
    noun_word = noun.plural if plural else noun.singular
    words: list[Unit] = []
    next_word = noun_word
    for adjective in reversed(before):
        next_word = adjective.form(noun.feminine, plural, next_word)
        words.insert(0, _word(next_word, adjective.english))
    words.append(_word(noun_word, noun.english_plural if plural else noun.english))
    words += [_word(adjective.form(noun.feminine, plural), adjective.english) for adjective in after]

    # English puts every adjective before the noun, by rank.
    places = [*range(len(before)), *range(len(before) + 1, len(words))]
    ranks = [adjective.rank for adjective in (*before, *after)]
    order = [place for _, place in sorted(zip(ranks, places, strict=True))] + [len(before)]
    english_next = words[order[0]].target[0]

    front: list[Unit] = []
    if kind != "number":
        front.append(determiner(kind, noun, plural, next_word, english_next, bool(before)))
    if number is not None:
        front.append(cardinal(number, noun.feminine))
    shift = len(front)
    return (*front, *words), (*range(shift), *(place + shift for place in order))


def count_noun_phrases() -> int:
    """How many noun phrases with at least two tokens :func:`draw_noun_phrase` can draw."""
    numbers = len(_ALL_NUMBERS)
    total = 0
    for noun in NOUNS:
        before = 1 + len(_adjectives_for(noun.sort, "before")) + len(_pairs_for(noun.sort))
        groups = {group: len(_adjectives_for(noun.sort, group)) for group in AFTER_NOUN}
        after = 1 + sum(groups.values()) + sum(groups[first] * groups[second] for first, second in _AFTER_PAIRS)
        possessives = len(POSSESSIVES) if noun.owned else 0
        singular = 4 + possessives  # un, le, ce, chaque
        counted = 2 + possessives  # les, ces
        plural = 2 + counted * (1 + numbers) + numbers  # des, plusieurs
        total += (singular + plural) * before * after
    return total


def draw_noun_phrase(random: Random, room: int) -> tuple[tuple[Unit, ...], tuple[int, ...]] | None:
    """Draw a noun phrase; see :func:`noun_phrase` for what it returns.

    What does not fit into ``room`` French tokens is left out, adjectives first; None if too much is left.
    """
    draw = random.random
    noun = NOUNS[int(draw() * len(NOUNS))]
    plural = draw() < 0.5
    kinds = PLURAL_DETERMINERS if plural else SINGULAR_DETERMINERS
    kind = kinds[int(draw() * len(kinds))]
    number = None
    if kind == "number" or (plural and kind in COUNTED and draw() < 0.4):
        number = draw_number(random)
    if kind == "possessive":
        kind = str(int(draw() * len(POSSESSIVES))) if noun.owned else "definite"

    before: tuple[Adjective, ...] = ()
    count = _ADJECTIVES_BEFORE[int(draw() * len(_ADJECTIVES_BEFORE))]
    if count == 1:
        choices = _adjectives_for(noun.sort, "before")
        before = (choices[int(draw() * len(choices))],)
    elif count == 2:
        pairs = _pairs_for(noun.sort)
        before = pairs[int(draw() * len(pairs))]

    count = _ADJECTIVES_AFTER[int(draw() * len(_ADJECTIVES_AFTER))]
    after = []
    if count:
        groups = _AFTER_KINDS if count == 1 else _AFTER_PAIRS
        for group in groups[int(draw() * len(groups))]:
            choices = _adjectives_for(noun.sort, group)
            if choices:
                after.append(choices[int(draw() * len(choices))])
    number_length = 0 if number is None else len(cardinal(number, noun.feminine).source)
    room -= (kind != "number") + number_length + 1
    if room < 0 and kind != "number" and number is not None:
        number, room = None, room + number_length
    if room < 0:
        return None
    del after[room:]
    before = before[: room - len(after)]
    return noun_phrase(noun, plural, kind, number, before, tuple(after))
