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

from course_utils.data.phrases.lexicon import COUNTRIES, NAME_ORDER, WITH_ENGLISH_ARTICLE, elides
from course_utils.data.phrases.nouns import draw_noun_phrase, draw_number
from course_utils.data.phrases.numbers import YEARS, cardinal, day_of_month, millions, year_name
from course_utils.data.phrases.units import Unit, compose, jointly, with_helper, with_silent
from course_utils.data.phrases.units import word_for_word as _word

Fragment = tuple[tuple[Unit, ...], tuple[int, ...] | None]
Draw = Callable[[Random, int], Fragment | None]

_FRENCH, _ENGLISH = Locale("fr"), Locale("en")


def _from_table(units: Sequence[Unit]) -> Draw:
    """A function that draws one of the units that fit."""
    longest = max(len(unit.source) for unit in units)
    fitting = [
        [((unit,), None) for unit in units if len(unit.source) <= room and len(unit.source) != room - 1]
        for room in range(longest + 3)
    ]

    def draw(random: Random, room: int) -> Fragment | None:
        choices = fitting[min(room, longest + 2)]
        return choices[int(random.random() * len(choices))] if choices else None

    return draw


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


_BEFORE_COUNTRIES = {  # gender: "in", "from" and the article; "d'" and "l'" are for names that begin with a vowel
    "f": ("en", "de", "la"), "m": ("au", "du", "le"), "m_vowel": ("en", "d'", "l'"), "plural": ("aux", "des", "les"),
    "bare": ("à", "de", ""),
}  # fmt: skip


@cache
def country_fragments() -> dict[str, tuple[Unit, ...]]:
    """Every country by kind of fragment.

    Returns:
        ``"place"``: "en france", "au portugal", "aux pays-bas", "à cuba" → "in …";
        ``"origin"``: "de france", "d'italie", "du portugal", "des pays-bas" → "from …";
        ``"country"``: "la france", "l'italie", "cuba" → the name.
    """
    fragments: dict[str, list[Unit]] = {"place": [], "origin": [], "country": []}
    for gender, code in ((gender, code) for gender, codes in COUNTRIES.items() for code in codes.split()):
        name = country_name(code)
        place, origin, article = _BEFORE_COUNTRIES[gender]
        if elides(name.source[0]):
            origin, article = {"de": "d'"}.get(origin, origin), {"la": "l'"}.get(article, article)
        english_article = code in WITH_ENGLISH_ARTICLE
        for kind, french, english in (("place", place, "in"), ("origin", origin, "from")):
            preposition, named = _word(french, english), name
            if english_article and gender in ("m", "plural"):  # "aux" is a preposition and an article in one
                preposition = _with_article(preposition)
            elif english_article:
                named = with_helper(name, "the")
            fragments[kind].append(compose([preposition, named]))
        the = compose([_word(article, "the"), name]) if english_article else with_silent(name, before=article)
        fragments["country"].append(the)
    return {kind: tuple(units) for kind, units in fragments.items()}


def _with_article(preposition: Unit) -> Unit:
    """ "aux", "du": the sure link is the preposition's, the article is a helper."""
    return preposition._replace(target=(*preposition.target, "the"), possible=(*preposition.possible, (1, 0)))


# Dates ---------------------------------------------------------------------------------------------------------------

WEEKDAYS = tuple(_word(_FRENCH.days["format"]["wide"][i], _ENGLISH.days["format"]["wide"][i]) for i in range(7))
MONTHS = tuple(_word(_FRENCH.months["format"]["wide"][i], _ENGLISH.months["format"]["wide"][i]) for i in range(1, 13))
DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
FIRST_YEAR_WITH_WEEKDAY = 1600  # the Gregorian calendar is in use
_OF_MONTH = tuple(with_helper(month, "of") for month in MONTHS)


def calendar_date(month: int, day: int, weekday: int | None = None, year: int | None = None) -> Fragment:
    """ "le lundi deux mars" → "on monday the second of march"; without weekday "on the second of march".

    The weekday counts from 0 for Monday to 6 for Sunday; the year is 1100 to 2099.
    """
    front = (with_helper(_word("le", "the"), "on"), day_of_month(day))
    if weekday is not None:
        front = (_word("le", "on"), WEEKDAYS[weekday], with_helper(day_of_month(day), "the"))
    return (*front, _OF_MONTH[month - 1], *([] if year is None else [year_name(year)])), None


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
        return (_word("en", "in"), MONTHS[month - 1], *([] if year is None else [year_name(year)])), None
    day = 1 if random.random() < 0.1 else 1 + int(random.random() * DAYS_IN_MONTH[month - 1])
    if year is not None and (month, day) == (2, 29):
        day = 28
    weekday = int(random.random() * 7) if draw < 0.75 else None
    if weekday is not None and year is not None:
        weekday = date(year, month, day).weekday() if year >= FIRST_YEAR_WITH_WEEKDAY else None
    return calendar_date(month, day, weekday, year)


# Clock times ---------------------------------------------------------------------------------------------------------

PARTS_OF_DAY = {
    "du matin": compose([_with_article(_word("du", "in")), _word("matin", "morning")]),
    "de l'après-midi": compose([_word("de", "in"), _word("l'", "the"), jointly("après-midi", "afternoon")]),
    "du soir": compose([_with_article(_word("du", "in")), _word("soir", "evening")]),
}


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
    at, end = _word("à", "at"), [PARTS_OF_DAY[part]] if part else []
    full, silent = _hour_parts(hour)
    if not minutes:
        return compose([at, *full, *end])
    said, english = [_word("et" if minutes > 0 else "moins", "past" if minutes > 0 else "to")], [0, 3, 2, 1]
    if minutes == 15:
        said.append(with_helper(_word("quart", "quarter"), "a"))
    elif minutes == 30:
        said.append(_word("demi" if hour in (0, 12) else "demie", "half"))
    elif minutes == -15:
        said.append(_word("le quart", "a quarter")._replace(sure=((1, 1),)))
    elif minutes < 0:
        said.append(cardinal(-minutes))
    else:  # no French word says "past": the hour and the minutes side by side do
        said, english = [cardinal(minutes)], [0, 2, (("past",), ((1, len(silent.source) - 1), (2, 0))), 1]
    if end:
        english.append(2 + len(said))
    return compose([at, silent, *said, *end], english)


def station_time(hour: int, minutes: int) -> Unit:
    """A time from 13 to 23 hours: "à quinze heures trente" → "at three thirty in the afternoon"."""
    number = cardinal(hour, feminine=True)
    named = tuple((1, token) for token in range(len(number.source)))
    part = (("in", "the", "afternoon" if hour < 18 else "evening"), named)
    units, twelve = [_word("à", "at"), number, _word("heures", "o'clock")], cardinal(hour - 12).target
    if not minutes:
        return compose(units, [0, (twelve, named), 2, part])
    said = cardinal(minutes, True) if minutes > 9 else with_helper(cardinal(minutes, True), "oh")
    return compose([*units, said], [0, (twelve, (*named, (2, 0))), 3, part])


@cache
def clock_times() -> dict[str, tuple[Unit, ...]]:
    """All clock times by manner: "noon" (and midnight), "spoken", "station"."""
    steps = (0, 0, 5, 10, 15, 15, 20, 25, 30, 30, -5, -10, -15, -15, -20, -25)
    spoken = []
    for hour in range(1, 12):
        parts = ["", "", "du matin", *["de l'après-midi"] * (hour <= 5), *["du soir"] * (hour >= 5)]
        spoken += [spoken_time(hour, minutes, part) for minutes in steps for part in parts]
    return {
        "noon": tuple(spoken_time(hour, minutes) for hour in (0, 12) for minutes in (0, 0, 0, *steps)),
        "spoken": tuple(spoken),
        "station": tuple(station_time(hour, minutes) for hour in range(13, 24) for minutes in range(0, 60, 5)),
    }


_TIMES = {manner: _from_table(units) for manner, units in clock_times().items()}


def _draw_time(random: Random, room: int) -> Fragment | None:
    draw = random.random()
    return _TIMES["noon" if draw < 0.2 else "spoken" if draw < 0.75 else "station"](random, room)


# Money and numbers ---------------------------------------------------------------------------------------------------

CURRENCIES = {"euro": (False, "euro"), "dollar": (False, "dollar"), "livre": (True, "pound")}
"""French name → whether it is feminine, and the English name."""


def amount(currency: str, count: int, cents: int = 0) -> Fragment:
    """An amount of money: "vingt et une livres" → "twenty-one pounds".

    French counts zero in the singular, English in the plural. ``cents`` (1 to 99) are for euros only.
    """
    feminine, english = CURRENCIES[currency]
    noun = _word(currency + "s" * (count > 1), english + "s" * (count != 1))
    if not cents:
        return (cardinal(count, feminine), noun), None
    centimes = _word("centime", "cent") if cents == 1 else _word("centimes", "cents")
    return (cardinal(count, feminine), noun, _word("et", "and"), cardinal(cents), centimes), None


def amount_in_millions(currency: str, count: int) -> Fragment:
    """ "deux millions d'euros" → "two million euros"; the "d'" is silent."""
    noun = _word(f"{currency}s", f"{CURRENCIES[currency][1]}s")
    return (millions(count), with_silent(noun, before="d'" if elides(currency) else "de")), None


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
        number = int(draw * 20)  # zéro and un
    else:
        number = draw_number(random) if draw < 0.8 else 10_000 + int(random.random() * 990_000)
    return (cardinal(number),), None


DRAW: dict[str, Draw] = {
    "thing": draw_noun_phrase,
    "country": _from_table(country_fragments()["country"]),
    "place": _from_table(country_fragments()["place"]),
    "origin": _from_table(country_fragments()["origin"]),
    "date": _draw_date,
    "time": _draw_time,
    "money": _draw_money,
    "number": _draw_number,
}
"""A function for each kind of fragment, of the random generator and how many French tokens there is room for.

It may return None if what it drew does not fit, but the caller must check the length in any case.
"""
