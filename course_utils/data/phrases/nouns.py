"""Noun phrases: "les trois petites maisons rouges" is "the three small red houses"."""

from collections.abc import Sequence
from functools import cache
from random import Random

from course_utils.data.phrases.aligned import AlignedPair, compose, word_for_word
from course_utils.data.phrases.lexicon import MODIFIERS, NOUNS, PAIRS_BEFORE_NOUN, Modifier, Noun
from course_utils.data.phrases.numbers import cardinal, draw_number, pick

# An entry stands as often as it should come up. "possessive" and "number" stand for one of several, and for none.
_SINGULAR_DETERMINERS = ("un",) * 8 + ("le",) * 7 + ("possessive",) * 5 + ("ce",) * 3 + ("chaque",)
_PLURAL_DETERMINERS = ("number",) * 9 + ("un",) * 4 + ("le",) * 6 + ("possessive",) * 4 + ("ce",) * 3 + ("plusieurs",)
_POSSESSIVES = ("mon", "notre", "leur")
_PLACES_BEFORE = (None,) * 5 + ("before",) * 4 + ("pair",)
_ONE_AFTER = (("origin",), ("colour",), ("colour",), ("quality",), ("quality",), ("quality",))
_TWO_AFTER = (("origin", "colour"), ("colour", "quality"), ("origin", "quality"))
_PLACES_AFTER = ((),) * 4 + (_ONE_AFTER,) * 4 + (_TWO_AFTER,) * 2


@cache
def adjectives_for(sort: str, place: str) -> list[list[Modifier]]:
    """The adjectives, or for the place "pair" the pairs of them, that make sense with a sort of noun."""
    words = PAIRS_BEFORE_NOUN if place == "pair" else MODIFIERS[place]
    groups = [[MODIFIERS["before" if place == "pair" else place][word] for word in group.split()] for group in words]
    return [group for group in groups if all(sort in adjective.sorts for adjective in group)]


def noun_phrase(
    noun: Noun,
    plural: bool,
    determiner: str | None,
    number: int | None = None,
    before: Sequence[Modifier] = (),
    after: Sequence[Modifier] = (),
) -> AlignedPair:
    """Build one noun phrase.

    `determiner` is a key of `MODIFIERS["determiner"]`, or None; `number`, from 2, stands only in the plural; the
    adjectives `before` and `after` the noun are in French order.
    """
    next_word = noun.plural if plural else noun.singular
    words = [word_for_word(next_word, noun.english_plural if plural else noun.english)]
    for adjective in reversed(before):
        next_word = adjective.form(noun.feminine, plural, next_word)
        words.insert(0, word_for_word(next_word, adjective.english[plural]))
    words += [word_for_word(adjective.form(noun.feminine, plural), adjective.english[plural]) for adjective in after]

    # English puts every adjective before the noun, by rank.
    places = [*range(len(before)), *range(len(before) + 1, len(words))]
    ranks = [adjective.rank for adjective in (*before, *after)]
    order = [place for _, place in sorted(zip(ranks, places, strict=True))] + [len(before)]

    front = [] if number is None else [cardinal(number, noun.feminine)]
    if determiner:
        modifier = MODIFIERS["determiner"][determiner]
        french, english = modifier.form(noun.feminine, plural, next_word), modifier.english[plural]
        if english == "a" and _takes_an(words[order[0]].target[0]):
            english = "an"
        front.insert(0, word_for_word("de" if french == "des" and before else french, english))
    return compose([*front, *words], [*range(len(front)), *(len(front) + place for place in order)])


def _takes_an(english: str) -> bool:
    return english.startswith((*"aeiou", "heir", "honest")) and not english.startswith(("uni", "useful"))


def draw_noun_phrase(random: Random, room: int) -> AlignedPair | None:
    """Draw a noun phrase. What does not fit into `room` French words is left out; None if too much is left."""
    noun = pick(random, NOUNS)
    plural = random.random() < 0.5
    determiner = pick(random, _PLURAL_DETERMINERS if plural else _SINGULAR_DETERMINERS)
    number = None
    if determiner == "number" or (plural and determiner in ("le", "possessive", "ce") and random.random() < 0.4):
        number = draw_number(random)
    if determiner == "possessive":
        determiner = pick(random, _POSSESSIVES) if noun.owned else "le"
    place = pick(random, _PLACES_BEFORE)
    before = pick(random, adjectives_for(noun.sort, place)) if place else []
    places = pick(random, _PLACES_AFTER)
    choices = [adjectives_for(noun.sort, place) for place in (pick(random, places) if places else ())]
    after = [adjective for groups in choices if groups for adjective in pick(random, groups)]

    determiner = None if determiner == "number" else determiner
    length = 0 if number is None else len(cardinal(number, noun.feminine).source)
    if determiner and room < length + 2:
        number, length = None, 0
    room -= bool(determiner) + length + 1
    if room < 0:
        return None
    del after[room:]
    return noun_phrase(noun, plural, determiner, number, before[: room - len(after)], after)
