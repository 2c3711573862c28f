"""Fragments of phrases: noun phrases, countries, dates, clock times, amounts of money and numbers.

Each French fragment has one English rendering, so the translation of a whole phrase is a function of its French.
"""

import math
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache, partial
from random import Random

from babel import Locale

from course_utils.data.phrases import lexicon
from course_utils.data.phrases.aligned import AlignedPair, compose, jointly, with_helper, with_silent
from course_utils.data.phrases.aligned import word_for_word as _word
from course_utils.data.phrases.lexicon import Modifier, Noun, elides
from course_utils.data.phrases.numbers import YEARS, cardinal, day_of_month, draw_number, year_name
from course_utils.data.words_of_things import pick

_FRENCH, _ENGLISH = Locale("fr"), Locale("en")

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
    words, table = (lexicon.PAIRS_BEFORE_NOUN, "before") if place == "pair" else (lexicon.MODIFIERS[place], place)
    groups = [[lexicon.MODIFIERS[table][word] for word in group.split()] for group in words]
    return [group for group in groups if all(sort in adjective.sorts for adjective in group)]


def noun_phrase(
    noun: Noun, plural: bool, determiner: str | None, number: int | None = None,
    before: Sequence[Modifier] = (), after: Sequence[Modifier] = (),
) -> AlignedPair:  # fmt: skip
    """Build one noun phrase: "les trois petites maisons rouges" is "the three small red houses".

    `determiner` is a key of `lexicon.MODIFIERS["determiner"]`, or None; `number`, from 2, stands only in the plural;
    the adjectives `before` and `after` the noun are in French order.
    """
    next_word = noun.plural if plural else noun.singular
    words = [_word(next_word, noun.english_plural if plural else noun.english)]
    for adjective in reversed(before):
        next_word = adjective.form(noun.feminine, plural, next_word)
        words.insert(0, _word(next_word, adjective.english[plural]))
    words += [_word(adjective.form(noun.feminine, plural), adjective.english[plural]) for adjective in after]
    # English puts every adjective before the noun, by rank.
    ranks = [*(adjective.rank for adjective in before), math.inf, *(adjective.rank for adjective in after)]
    order = sorted(range(len(words)), key=ranks.__getitem__)
    front = [] if number is None else [cardinal(number, noun.feminine)]
    if determiner:
        modifier = lexicon.MODIFIERS["determiner"][determiner]
        french, english = modifier.form(noun.feminine, plural, next_word), modifier.english[plural]
        following = words[order[0]].target[0]
        vowel = following.startswith((*"aeiou", "heir", "honest")) and not following.startswith(("uni", "useful"))
        english = "an" if english == "a" and vowel else english
        front.insert(0, _word("de" if french == "des" and before else french, english))
    return compose([*front, *words], [*range(len(front)), *(len(front) + place for place in order)])


def draw_noun_phrase(random: Random, room: int) -> AlignedPair | None:
    """Sample a noun phrase. What does not fit into `room` French words is left out; None if too much is left."""
    noun = pick(random, lexicon.NOUNS)
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


def country_name(code: str) -> AlignedPair:
    """The names of a country in CLDR, without article, for an ISO 3166 code of the lexicon."""
    joint = jointly(_FRENCH.territories[code], _ENGLISH.territories[code])
    places = lexicon.NAME_ORDER.get(code, " ".join(map(str, range(len(joint.source))))).split()
    links = [(int(place.strip("()")), column) for column, place in enumerate(places)]
    if len(places) != len(joint.source) or {row for row, _ in links} != set(range(len(joint.target))):
        return joint  # another version of CLDR has another name: say only what is certain
    sure = frozenset(link for link, place in zip(links, places, strict=True) if "(" not in place)
    return joint._replace(sure=sure, possible=frozenset(links))


_BEFORE_COUNTRIES = {"f": "en de la", "m": "au du le", "plural": "aux des les", "bare": "à de"}
_BEFORE_VOWELS = {"f": "en d' l'", "m": "en d' l'"}


@cache
def country_fragments() -> dict[str, list[AlignedPair]]:
    """Every country as "place" ("en france", "au portugal"), "origin" ("de france") and "country" ("la france")."""
    fragments: dict[str, list[AlignedPair]] = {"place": [], "origin": [], "country": []}
    for gender, code in ((gender, code) for gender, codes in lexicon.COUNTRIES.items() for code in codes.split()):
        name = country_name(code)
        forms = _BEFORE_COUNTRIES | (_BEFORE_VOWELS if elides(name.source[0]) else {})
        place, origin, *article = forms[gender].split()
        prepositions, named = [_word(place, "in"), _word(origin, "from")], name
        with_article = with_silent(name, before=" ".join(article))
        if code in lexicon.WITH_ENGLISH_ARTICLE:
            with_article = compose([_word(*article, "the"), name])
            if gender == "f":
                named = with_helper(name, "the")
            else:
                prepositions = [_with_article(preposition) for preposition in prepositions]
        fragments["country"].append(with_article)
        for kind, preposition in zip(("place", "origin"), prepositions, strict=True):
            fragments[kind].append(compose([preposition, named]))
    return fragments


def _with_article(preposition: AlignedPair) -> AlignedPair:
    """ "aux", "du": the sure link is the preposition's, the article is a helper."""
    return compose([preposition], [0, (("the",), [(0, 0)])])


_WEEKDAYS = [_word(_FRENCH.days["format"]["wide"][i], _ENGLISH.days["format"]["wide"][i]) for i in range(7)]
_MONTHS = [_word(_FRENCH.months["format"]["wide"][i], _ENGLISH.months["format"]["wide"][i]) for i in range(1, 13)]
_FIRST_YEAR_WITH_WEEKDAY = 1600  # the Gregorian calendar is in use


def _draw_year(random: Random) -> int:
    share = random.random()
    if share < 0.12:  # nineteen hundred, nineteen oh five
        return 100 * pick(random, range(11, 20)) + pick(random, range(10))
    return pick(random, range(1900, 2100) if share < 0.5 else YEARS)


def _draw_date(random: Random, room: int) -> AlignedPair:
    """ "lundi prochain", "en mars", "le deux mars", "le lundi deux mars" (on monday the second of march), and years."""
    share = random.random()
    if share < 0.15:
        weekday = pick(random, _WEEKDAYS)
        which = _word("prochain", "next") if random.random() < 0.5 else _word("dernier", "last")
        return compose([weekday, which], [1, 0])
    if share < 0.22:
        return compose([_word("en", "in"), year_name(_draw_year(random))])
    month = pick(random, range(1, 13))
    year = _draw_year(random) if random.random() < 0.3 else None
    end = [_MONTHS[month - 1], *([year_name(year)] if year else [])]
    if share < 0.35:
        return compose([_word("en", "in"), *end])
    day = 1 if random.random() < 0.1 else pick(random, range(1, monthrange(2000, month)[1] + 1))
    if year and (month, day) == (2, 29):
        day = 28
    weekday = pick(random, range(7)) if share < 0.75 else None
    if year and weekday is not None:
        weekday = date(year, month, day).weekday() if year >= _FIRST_YEAR_WITH_WEEKDAY else None
    front = [with_helper(_word("le", "the"), "on"), day_of_month(day)]
    if weekday is not None:
        front = [_word("le", "on"), _WEEKDAYS[weekday], with_helper(day_of_month(day), "the")]
    return compose([*front, with_helper(end[0], "of"), *end[1:]])


_PARTS_OF_DAY = {
    "": [],
    "du matin": [_with_article(_word("du", "in")), _word("matin", "morning")],
    "de l'après-midi": [_word("de", "in"), _word("l'", "the"), jointly("après-midi", "afternoon")],
    "du soir": [_with_article(_word("du", "in")), _word("soir", "evening")],
}
_FRACTIONS = {
    15: with_helper(_word("quart", "quarter"), "a"),
    30: _word("demie", "half"),
    -15: _word("le quart", "a quarter")._replace(sure=frozenset({(1, 1)})),
}


def spoken_time(hour: int, minutes: int, part: str = "") -> AlignedPair:
    """A time from midnight, hour 0, to noon, 12: "à trois heures et quart" → "at a quarter past three".

    `minutes` are -25 to 30 in steps of five, negative before the hour; `part` of the day is a key of `_PARTS_OF_DAY`.
    """
    at, end = _word("à", "at"), _PARTS_OF_DAY[part]
    if hour % 12:
        number, heures = cardinal(hour, feminine=True), "heure" if hour == 1 else "heures"
        full, short = compose([number, _word(heures, "o'clock")]), with_silent(number, after=heures)
    else:
        full = short = _word("midi", "noon") if hour else _word("minuit", "midnight")
    if not minutes:
        return compose([at, full, *end])
    if minutes > 0 and minutes not in _FRACTIONS:  # no French word says "past": hour and minutes side by side do
        past = (("past",), [(1, len(short.source) - 1), (2, 0)])
        return compose([compose([at, short, cardinal(minutes)], [0, 2, past, 1]), *end])
    joiner = _word("et", "past") if minutes > 0 else _word("moins", "to")
    said = _FRACTIONS.get(minutes) or cardinal(-minutes)
    if minutes == 30 and not hour % 12:
        said = _word("demi", "half")
    return compose([compose([at, short, joiner, said], [0, 3, 2, 1]), *end])


def station_time(hour: int, minutes: int) -> AlignedPair:
    """A time from 13 to 23 hours: "à quinze heures trente" → "at three thirty in the afternoon"."""
    number = cardinal(hour, feminine=True)
    named = [(1, word) for word in range(len(number.source))]
    part = (("in", "the", "afternoon" if hour < 18 else "evening"), named)
    pairs, twelve = [_word("à", "at"), number, _word("heures", "o'clock")], cardinal(hour - 12).target
    if not minutes:
        return compose(pairs, [0, (twelve, named), 2, part])
    said = cardinal(minutes, True) if minutes > 9 else with_helper(cardinal(minutes, True), "oh")
    return compose([*pairs, said], [0, (twelve, [*named, (2, 0)]), 3, part])


@cache
def _clock_times() -> dict[str, list[AlignedPair]]:
    steps = (0, 0, 5, 10, 15, 15, 20, 25, 30, 30, -5, -10, -15, -15, -20, -25)
    spoken = []
    for hour in range(1, 12):
        parts = ["", "", "du matin", *["de l'après-midi"] * (hour <= 5), *["du soir"] * (hour >= 5)]
        spoken += [spoken_time(hour, minutes, part) for minutes in steps for part in parts]
    return {
        "noon": [spoken_time(hour, minutes) for hour in (0, 12) for minutes in (0, 0, 0, *steps)],
        "spoken": spoken,
        "station": [station_time(hour, minutes) for hour in range(13, 24) for minutes in range(0, 60, 5)],
    }


@cache
def _fitting(kind: str, room: int) -> list[AlignedPair]:
    table = (country_fragments() | _clock_times())[kind]
    return [pair for pair in table if len(pair.source) <= room and len(pair.source) != room - 1]


def _draw_listed(kind: str, random: Random, room: int) -> AlignedPair | None:
    return pick(random, choices) if (choices := _fitting(kind, room)) else None


def _draw_time(random: Random, room: int) -> AlignedPair | None:
    share = random.random()
    return _draw_listed("noon" if share < 0.2 else "spoken" if share < 0.75 else "station", random, room)


def _draw_money(random: Random, room: int) -> AlignedPair:
    """ "vingt et une livres", "un euro et dix centimes", "deux millions d'euros" (the "d'" is silent)."""
    french, english = pick(random, (("euro", "euro"), ("euro", "euro"), ("dollar", "dollar"), ("livre", "pound")))
    share = random.random()
    if share < 0.12:
        count = 1 if share < 0.04 else draw_number(random) % 1000 or 2
        noun = with_silent(_word(f"{french}s", f"{english}s"), before="d'" if elides(french) else "de")
        return compose([cardinal(count), _word("million" + "s" * (count > 1), "million"), noun])
    count = int(share < 0.16) if share < 0.22 else draw_number(random)
    # French counts zero in the singular, English in the plural.
    pairs = [cardinal(count, french == "livre"), _word(french + "s" * (count > 1), english + "s" * (count != 1))]
    if french == "euro" and random.random() < 0.3 and count:
        cents = 1 if random.random() < 0.1 else pick(random, range(1, 100))
        noun = _word("centime", "cent") if cents == 1 else _word("centimes", "cents")
        pairs += [_word("et", "and"), cardinal(cents), noun]
    return compose(pairs)


def _draw_number(random: Random, room: int) -> AlignedPair:
    share = random.random()
    if share < 0.1:
        return cardinal(int(share * 20))  # zéro and un
    return cardinal(draw_number(random) if share < 0.8 else pick(random, range(10_000, 1_000_000)))


DRAW: dict[str, Callable[[Random, int], AlignedPair | None]] = {
    "thing": draw_noun_phrase, "date": _draw_date, "time": _draw_time, "money": _draw_money, "number": _draw_number,
    **{kind: partial(_draw_listed, kind) for kind in ("country", "place", "origin")},
}  # fmt: skip
"""By kind of fragment a function of the random generator and of how many French words there is room for; it may return
None, or a fragment that is too long."""
