"""Fragments of phrases beside noun phrases: countries, dates, clock times, amounts of money and numbers.

A fragment is ``(units, english_order)``: the units in French order, and the order in which English says them (None
for the same order); the links travel inside the units. Each French fragment has one English rendering, so the
translation of a whole phrase is a function of its French.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from random import Random

from babel import Locale

from course_utils.datasets.phrase_lexicon import COUNTRIES, NAME_ORDER, WITH_ENGLISH_ARTICLE, elides
from course_utils.datasets.phrase_nouns import draw_noun_phrase, draw_number
from course_utils.datasets.phrase_numbers import YEARS, cardinal, day_of_month, millions, year_name
from course_utils.datasets.phrase_units import (
    Unit,
    compose,
    jointly,
    with_helper,
    with_silent,
    word_for_word,
)

Fragment = tuple[tuple[Unit, ...], tuple[int, ...] | None]
Draw = Callable[[Random, int], Fragment | None]

_FRENCH, _ENGLISH = Locale("fr"), Locale("en")
_word = cache(word_for_word)


def _one(unit: Unit) -> Fragment:
    return (unit,), None


class _Table:
    """Ready-made fragments of one unit, to draw from those that fit."""

    def __init__(self, units: Sequence[Unit]):
        longest = max(len(unit.source) for unit in units)
        self._fitting = [
            [_one(unit) for unit in units if len(unit.source) <= room and len(unit.source) != room - 1]
            for room in range(longest + 3)
        ]

    def draw(self, random: Random, room: int) -> Fragment | None:
        fitting = self._fitting[min(room, len(self._fitting) - 1)]
        return fitting[int(random.random() * len(fitting))] if fitting else None


# Countries -----------------------------------------------------------------------------------------------------------


@cache
def country_name(code: str) -> Unit:
    """The names of a country in CLDR, without article, for an ISO 3166 code of the lexicon."""
    french, english = _FRENCH.territories[code], _ENGLISH.territories[code]
    joint = jointly(french, english)
    places = NAME_ORDER.get(code, " ".join(map(str, range(len(joint.source))))).split()
    links = [(int(place.strip("()")), column) for column, place in enumerate(places)]
    if len(places) != len(joint.source) or {row for row, _ in links} != set(range(len(joint.target))):
        return joint  # another version of CLDR has another name: say only what is certain
    sure = tuple(link for link, place in zip(links, places, strict=True) if "(" not in place)
    return joint._replace(sure=sure, possible=tuple(links))


@cache
def country_fragments() -> dict[str, tuple[Unit, ...]]:
    """Every country by kind of fragment.

    Returns:
        ``"place"``: "en france", "au portugal", "aux pays-bas", "à cuba" → "in …";
        ``"origin"``: "de france", "d'italie", "du portugal", "des pays-bas" → "from …";
        ``"country"``: "la france", "l'italie", "cuba" → the name.
    """
    fragments: dict[str, list[Unit]] = {"place": [], "origin": [], "country": []}
    for gender, codes in COUNTRIES.items():
        for code in codes.split():
            name = country_name(code)
            vowel = elides(name.source[0])
            de = "d'" if vowel else "de"
            article = {"f": "la", "m": "le", "m_vowel": "l'", "plural": "les", "bare": ""}[gender]
            if vowel and gender == "f":
                article = "l'"
            place = {"f": "en", "m": "au", "m_vowel": "en", "plural": "aux", "bare": "à"}[gender]
            origin = {"f": de, "m": "du", "m_vowel": "d'", "plural": "des", "bare": de}[gender]
            english_article = code in WITH_ENGLISH_ARTICLE
            for kind, french, english in (("place", place, "in"), ("origin", origin, "from")):
                if not english_article:
                    units = [_word(french, english), name]
                elif gender in ("m", "plural"):  # the French word is a preposition and an article in one
                    units = [_with_article(_word(french, english)), name]
                else:
                    units = [_word(french, english), with_helper(name, "the")]
                fragments[kind].append(compose(units))
            if english_article:
                fragments["country"].append(compose([_word(article, "the"), name]))
            else:
                fragments["country"].append(with_silent(name, before=article))
    return {kind: tuple(units) for kind, units in fragments.items()}


def _with_article(preposition: Unit) -> Unit:
    """ "aux", "du": the sure link is the preposition's, the article is a helper."""
    return preposition._replace(target=(*preposition.target, "the"), possible=(*preposition.possible, (1, 0)))


# Dates ---------------------------------------------------------------------------------------------------------------

WEEKDAYS = tuple(_word(_FRENCH.days["format"]["wide"][i], _ENGLISH.days["format"]["wide"][i]) for i in range(7))
MONTHS = tuple(_word(_FRENCH.months["format"]["wide"][i], _ENGLISH.months["format"]["wide"][i]) for i in range(1, 13))
DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
FIRST_YEAR_WITH_WEEKDAY = 1600  # the Gregorian calendar is in use
_of_month = tuple(with_helper(month, "of") for month in MONTHS)


@cache
def _the_day(day: int) -> Unit:
    return with_helper(day_of_month(day), "the")


def calendar_date(month: int, day: int, weekday: int | None = None, year: int | None = None) -> Fragment:
    """ "le lundi deux mars" → "on monday the second of march"; without weekday "on the second of march".

    Args:
        month: 1 to 12.
        day: 1 to 31.
        weekday: 0 for Monday to 6 for Sunday, or None.
        year: 1100 to 2099, or None.
    """
    if weekday is None:
        units = [with_helper(_word("le", "the"), "on"), day_of_month(day)]
    else:
        units = [_word("le", "on"), WEEKDAYS[weekday], _the_day(day)]
    units.append(_of_month[month - 1])
    if year is not None:
        units.append(year_name(year))
    return tuple(units), None


def _draw_year(random: Random) -> int:
    draw = random.random()
    if draw < 0.12:  # nineteen hundred, nineteen oh five
        return 100 * (11 + int(random.random() * 9)) + int(random.random() * 10)
    if draw < 0.5:
        return 1900 + int(random.random() * 200)
    return YEARS.start + int(random.random() * len(YEARS))


def _draw_date(random: Random, room: int) -> Fragment:
    draw = random.random()
    if draw < 0.15:
        weekday = WEEKDAYS[int(random.random() * 7)]
        which = _word("prochain", "next") if random.random() < 0.5 else _word("dernier", "last")
        return (weekday, which), (1, 0)
    if draw < 0.22:
        return (_word("en", "in"), year_name(_draw_year(random))), None
    month = 1 + int(random.random() * 12)
    year = _draw_year(random) if random.random() < 0.3 else None
    if draw < 0.35:
        units = (_word("en", "in"), MONTHS[month - 1])
        return (units if year is None else (*units, year_name(year))), None
    day = 1 if random.random() < 0.1 else 1 + int(random.random() * DAYS_IN_MONTH[month - 1])
    if year is not None and (month, day) == (2, 29):
        day = 28
    weekday = None
    if draw < 0.75:
        weekday = int(random.random() * 7)
        if year is not None:
            weekday = date(year, month, day).weekday() if year >= FIRST_YEAR_WITH_WEEKDAY else None
    return calendar_date(month, day, weekday, year)


# Clock times ---------------------------------------------------------------------------------------------------------

PARTS_OF_DAY = {"du matin": "morning", "de l'après-midi": "afternoon", "du soir": "evening"}


def _part_of_day(french: str) -> Unit:
    english = PARTS_OF_DAY[french]
    if french != "de l'après-midi":
        return compose([_with_article(_word("du", "in")), _word(french.split()[1], english)])
    return compose([_word("de", "in"), _word("l'", "the"), jointly("après-midi", english)])


def _hour_parts(hour: int) -> tuple[list[Unit], Unit]:
    """French units of a full hour up to noon, and the unit that stands for it where "o'clock" is not said."""
    if hour in (0, 12):
        name = _word("midi", "noon") if hour else _word("minuit", "midnight")
        return [name], name
    number = cardinal(hour, feminine=True)
    heures = "heure" if hour == 1 else "heures"
    return [number, _word(heures, "o'clock")], with_silent(number, after=heures)


def spoken_time(hour: int, minutes: int, part: str = "") -> Unit:
    """A time on the twelve-hour clock, with the minutes counted past or to the hour.

    Args:
        hour: 0 for midnight, 12 for noon, else 1 to 11.
        minutes: -25 to 30 in steps of five; negative before the hour.
        part: a key of :data:`PARTS_OF_DAY`, or "".

    Returns:
        "à trois heures et quart" → "at a quarter past three" and the like.
    """
    at = _word("à", "at")
    full, silent = _hour_parts(hour)
    end = [_part_of_day(part)] if part else []
    if not minutes:
        return compose([at, *full, *end])
    if minutes == 15:
        said, english = [_word("et", "past"), with_helper(_word("quart", "quarter"), "a")], [0, 3, 2, 1]
    elif minutes == 30:
        demi = "demi" if hour in (0, 12) else "demie"
        said, english = [_word("et", "past"), _word(demi, "half")], [0, 3, 2, 1]
    elif minutes == -15:
        said = [_word("moins", "to"), with_silent(with_helper(_word("quart", "quarter"), "a"), before="le")]
        said[1] = said[1]._replace(possible=((0, 0), (1, 1)))  # "a" ← "le", "quarter" ← "quart"
        english = [0, 3, 2, 1]
    elif minutes < 0:
        said, english = [_word("moins", "to"), cardinal(-minutes)], [0, 3, 2, 1]
    else:  # no French word says "past": the hour and the minutes side by side do
        hour_end = len(silent.source) - 1
        said, english = [cardinal(minutes)], [0, 2, (("past",), ((1, hour_end), (2, 0))), 1]
    if end:
        english.append(2 + len(said))
    return compose([at, silent, *said, *end], english)


def station_time(hour: int, minutes: int) -> Unit:
    """A time on the 24-hour clock: "à quinze heures trente" → "at three thirty in the afternoon".

    Args:
        hour: 13 to 23.
        minutes: 0 to 59.
    """
    number = cardinal(hour, feminine=True)
    named = [(1, token) for token in range(len(number.source))]
    part = ("in", "the", "afternoon" if hour < 18 else "evening")
    units = [_word("à", "at"), number, _word("heures", "o'clock")]
    english = [0, (cardinal(hour - 12).target, tuple(named)), 2, (part, tuple(named))]
    if minutes:
        units.append(cardinal(minutes, feminine=True) if minutes > 9 else with_helper(cardinal(minutes, True), "oh"))
        english[1:3] = [(cardinal(hour - 12).target, (*named, (2, 0))), 3]
    return compose(units, english)


@cache
def clock_times() -> dict[str, tuple[Unit, ...]]:
    """All clock times by manner: "noon" (and midnight), "spoken", "station"."""
    steps = (0, 0, 5, 10, 15, 15, 20, 25, 30, 30, -5, -10, -15, -15, -20, -25)
    spoken = []
    for hour in range(1, 12):
        parts = ["", "", "du matin"]
        if hour <= 5:
            parts.append("de l'après-midi")
        if hour >= 5:
            parts.append("du soir")
        spoken += [spoken_time(hour, minutes, part) for minutes in steps for part in parts]
    return {
        "noon": tuple(spoken_time(hour, minutes) for hour in (0, 12) for minutes in (0, 0, 0, *steps)),
        "spoken": tuple(spoken),
        "station": tuple(station_time(hour, minutes) for hour in range(13, 24) for minutes in range(0, 60, 5)),
    }


_TIMES = {manner: _Table(units) for manner, units in clock_times().items()}


def _draw_time(random: Random, room: int) -> Fragment | None:
    draw = random.random()
    return _TIMES["noon" if draw < 0.2 else "spoken" if draw < 0.75 else "station"].draw(random, room)


# Money and numbers ---------------------------------------------------------------------------------------------------

CURRENCIES = {
    "euro": (False, "euro", "euros", "euro", "euros"),
    "dollar": (False, "dollar", "dollars", "dollar", "dollars"),
    "livre": (True, "livre", "livres", "pound", "pounds"),
}
"""Gender (True: feminine), French singular and plural, English singular and plural."""


def amount(currency: str, count: int, cents: int = 0) -> Fragment:
    """An amount of money: "vingt et une livres" → "twenty-one pounds".

    French counts zero in the singular, English in the plural. ``cents`` (1 to 99) are for euros only.
    """
    feminine, singular, plural, english, english_plural = CURRENCIES[currency]
    noun = _word(singular if count < 2 else plural, english if count == 1 else english_plural)
    units = [cardinal(count, feminine), noun]
    if cents:
        units += [_word("et", "and"), cardinal(cents)]
        units.append(_word("centime", "cent") if cents == 1 else _word("centimes", "cents"))
    return tuple(units), None


def amount_in_millions(currency: str, count: int) -> Fragment:
    """ "deux millions d'euros" → "two million euros"; the "d'" is silent."""
    _, _, plural, _, english_plural = CURRENCIES[currency]
    de = "d'" if elides(plural) else "de"
    return (millions(count), with_silent(_word(plural, english_plural), before=de)), None


def _draw_money(random: Random, room: int) -> Fragment:
    names = ("euro", "euro", "dollar", "livre")
    currency = names[int(random.random() * 4)]
    draw = random.random()
    if draw < 0.12:
        return amount_in_millions(currency, 1 if draw < 0.04 else draw_number(random) % 1000 or 2)
    count = int(draw < 0.16) if draw < 0.22 else draw_number(random)
    if currency == "euro" and random.random() < 0.3 and count:
        return amount(currency, count, 1 if random.random() < 0.1 else 1 + int(random.random() * 99))
    return amount(currency, count)


def _draw_number(random: Random, room: int) -> Fragment:
    draw = random.random()
    if draw < 0.1:
        return _one(cardinal(int(draw * 20)))  # zéro and un
    if draw < 0.8:
        return _one(cardinal(draw_number(random)))
    return _one(cardinal(10_000 + int(random.random() * 990_000)))


DRAW: dict[str, Draw] = {
    "thing": draw_noun_phrase,
    "country": _Table(country_fragments()["country"]).draw,
    "place": _Table(country_fragments()["place"]).draw,
    "origin": _Table(country_fragments()["origin"]).draw,
    "date": _draw_date,
    "time": _draw_time,
    "money": _draw_money,
    "number": _draw_number,
}
"""One function for each kind of fragment.

Each takes the random generator and how many French tokens there is room for. It may return None if what it drew does
not fit, but the caller must check the length in any case.
"""
