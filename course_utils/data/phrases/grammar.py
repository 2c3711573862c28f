"""Fragments of phrases: noun phrases, countries, dates, clock times, amounts of money and numbers.

Each French fragment has one English rendering, so the translation of a whole phrase is a function of its French.
"""

from calendar import monthrange
from collections.abc import Callable
from datetime import date
from functools import cache, partial
from random import Random

from babel import Locale

from course_utils.data.phrases.aligned import AlignedPair, compose, jointly, with_helper, with_silent
from course_utils.data.phrases.aligned import word_for_word as _word
from course_utils.data.phrases.lexicon import COUNTRIES, NAME_ORDER, WITH_ENGLISH_ARTICLE, elides
from course_utils.data.phrases.nouns import draw_noun_phrase
from course_utils.data.phrases.numbers import YEARS, cardinal, day_of_month, draw_number, pick, year_name

_FRENCH, _ENGLISH = Locale("fr"), Locale("en")


def country_name(code: str) -> AlignedPair:
    """The names of a country in CLDR, without article, for an ISO 3166 code of the lexicon."""
    joint = jointly(_FRENCH.territories[code], _ENGLISH.territories[code])
    places = NAME_ORDER[code].split() if code in NAME_ORDER else [str(place) for place in range(len(joint.source))]
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
    for gender, code in ((gender, code) for gender, codes in COUNTRIES.items() for code in codes.split()):
        name = country_name(code)
        forms = _BEFORE_COUNTRIES | (_BEFORE_VOWELS if elides(name.source[0]) else {})
        place, origin, *article = forms[gender].split()
        prepositions, named = [_word(place, "in"), _word(origin, "from")], name
        with_article = with_silent(name, before=" ".join(article))
        if code in WITH_ENGLISH_ARTICLE:
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
    if minutes > 0 and minutes not in _FRACTIONS:
        # No French word says "past": the hour and the minutes side by side do.
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
"""By kind of fragment a function of the random generator and of how many French words there is room for.

It may return None, or a fragment that is too long.
"""
