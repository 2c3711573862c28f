"""Noun phrases: determiner, number, adjectives before and after the noun, in agreement; "les trois petites maisons
rouges" is "the three small red houses".
"""

from functools import cache
from random import Random

from course_utils.data.phrases import lexicon
from course_utils.data.phrases.lexicon import NOUNS, POSSESSIVES, Adjective, Noun, elides
from course_utils.data.phrases.numbers import cardinal
from course_utils.data.phrases.units import Unit, word_for_word

# Lists to draw from: an entry stands as often as it should come up.
SINGULAR_DETERMINERS = ("indefinite",) * 8 + ("definite",) * 7 + ("possessive",) * 5 + ("this",) * 3 + ("each",)
PLURAL_DETERMINERS = (
    ("number",) * 9 + ("indefinite",) * 4 + ("definite",) * 6 + ("possessive",) * 4 + ("this",) * 3 + ("several",)
)
_ADJECTIVES_BEFORE = (0,) * 5 + (1,) * 4 + (2,)
_ADJECTIVES_AFTER = (0,) * 4 + (1,) * 4 + (2,) * 2
_AFTER_KINDS = (("origin",), ("colour",), ("colour",), ("quality",), ("quality",), ("quality",))
_AFTER_PAIRS = (("origin", "colour"), ("colour", "quality"), ("origin", "quality"))
_ROUND_NUMBERS = (21, 31, 41, 51, 61, 71, 80, 81, 81, 81, 91, 100, 200, 300, 1000, 2000, 80_000)


def draw_number(random: Random) -> int:
    """A number for counting things, from 2: mostly small, sometimes one of those with a spelling of its own."""
    draw = random.random()
    if draw < 0.45:
        return 2 + int(random.random() * 9)
    if draw < 0.80:
        return 11 + int(random.random() * 89)
    if draw < 0.88:
        return _ROUND_NUMBERS[int(random.random() * len(_ROUND_NUMBERS))]
    if draw < 0.96:
        return 101 + int(random.random() * 899)
    return 1001 + int(random.random() * 8999)


@cache
def _adjectives_for(sort: str, place: str) -> tuple[Adjective, ...]:
    adjectives = lexicon.BEFORE_NOUN.values() if place == "before" else lexicon.AFTER_NOUN[place]
    return tuple(adjective for adjective in adjectives if sort in adjective.sorts)


@cache
def _pairs_for(sort: str) -> tuple[tuple[Adjective, ...], ...]:
    pairs = (tuple(lexicon.BEFORE_NOUN[word] for word in pair) for pair in lexicon.PAIRS_BEFORE_NOUN)
    return tuple(pair for pair in pairs if all(sort in adjective.sorts for adjective in pair))


def determiner(kind: str, noun: Noun, plural: bool, next_word: str, english_next: str, after_adjective: bool) -> Unit:
    """The article, demonstrative or possessive that agrees with the noun and with the word that follows it."""
    vowel = elides(next_word)
    if kind == "definite":
        return word_for_word("les" if plural else "l'" if vowel else "la" if noun.feminine else "le", "the")
    if kind == "indefinite" and plural:
        return word_for_word("de" if after_adjective else "des", "some")
    if kind == "indefinite":
        return word_for_word("une" if noun.feminine else "un", lexicon.indefinite_article(english_next))
    if kind == "this":
        french = "ces" if plural else "cette" if noun.feminine else "cet" if vowel else "ce"
        return word_for_word(french, "these" if plural else "this")
    if kind in ("each", "several"):
        return word_for_word("chaque" if kind == "each" else "plusieurs", kind)
    masculine, feminine, plural_form, english = POSSESSIVES[int(kind)]
    return word_for_word(plural_form if plural else feminine if noun.feminine and not vowel else masculine, english)


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
        before, after: adjectives before and after the noun, in French order.

    Returns:
        ``(units, english_order)``: the units in French order, and the indices of the units in English order.
    """
    next_word = noun_word = noun.plural if plural else noun.singular
    words: list[Unit] = []
    for adjective in reversed(before):
        next_word = adjective.form(noun.feminine, plural, next_word)
        words.insert(0, word_for_word(next_word, adjective.english))
    words.append(word_for_word(noun_word, noun.english_plural if plural else noun.english))
    words += [word_for_word(adjective.form(noun.feminine, plural), adjective.english) for adjective in after]

    # English puts every adjective before the noun, by rank.
    places = [*range(len(before)), *range(len(before) + 1, len(words))]
    ranks = [adjective.rank for adjective in (*before, *after)]
    order = [place for _, place in sorted(zip(ranks, places, strict=True))] + [len(before)]

    front: list[Unit] = []
    if kind != "number":
        front.append(determiner(kind, noun, plural, next_word, words[order[0]].target[0], bool(before)))
    if number is not None:
        front.append(cardinal(number, noun.feminine))
    return (*front, *words), (*range(len(front)), *(place + len(front) for place in order))


def draw_noun_phrase(random: Random, room: int) -> tuple[tuple[Unit, ...], tuple[int, ...]] | None:
    """Draw a noun phrase; see :func:`noun_phrase` for what it returns.

    What does not fit into ``room`` French tokens is left out, adjectives first; None if too much is left.
    """

    def pick(choices):
        return choices[int(random.random() * len(choices))]

    noun = pick(NOUNS)
    plural = random.random() < 0.5
    kind = pick(PLURAL_DETERMINERS if plural else SINGULAR_DETERMINERS)
    number = None
    counted = plural and kind in ("definite", "possessive", "this")
    if kind == "number" or (counted and random.random() < 0.4):
        number = draw_number(random)
    if kind == "possessive":
        kind = str(int(random.random() * len(POSSESSIVES))) if noun.owned else "definite"

    before: tuple[Adjective, ...] = ()
    if count := pick(_ADJECTIVES_BEFORE):
        before = (pick(_adjectives_for(noun.sort, "before")),) if count == 1 else pick(_pairs_for(noun.sort))
    after = []
    if count := pick(_ADJECTIVES_AFTER):
        groups = pick(_AFTER_KINDS if count == 1 else _AFTER_PAIRS)
        after = [pick(choices) for group in groups if (choices := _adjectives_for(noun.sort, group))]

    number_length = 0 if number is None else len(cardinal(number, noun.feminine).source)
    room -= (kind != "number") + number_length + 1
    if room < 0 and kind != "number" and number is not None:
        number, room = None, room + number_length
    if room < 0:
        return None
    del after[room:]
    return noun_phrase(noun, plural, kind, number, before[: room - len(after)], tuple(after))
