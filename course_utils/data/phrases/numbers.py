"""Numbers in words, aligned: cardinals, days of the month and years, and which ones the phrases count with.

The words below one hundred come from num2words; hundreds and thousands are composed here, in the traditional spelling:
"vingt" and "cent" take an s when they are multiplied and end the number ("quatre-vingts", "deux cents"), and not
before another number or "mille"; hyphens stand only below one hundred and never beside "et".
"""

from functools import cache
from random import Random

from num2words import num2words

from course_utils.data.phrases.aligned import AlignedPair, compose, jointly, tokenize_phrase, with_helper, word_for_word
from course_utils.data.words_of_things import pick

YEARS = range(1100, 2100)
_SPECIAL = (21, 31, 41, 51, 61, 71, 80, 81, 81, 81, 91, 100, 200, 300, 1000, 2000, 80_000)
_COUNTS = (
    (0.45, range(2, 11)), (0.80, range(11, 100)), (0.88, _SPECIAL), (0.96, range(101, 1000)), (1, range(1001, 10_000)),
)  # fmt: skip


def draw_number(random: Random) -> int:
    """A number for counting things, from 2: mostly small, sometimes one of those with a spelling of its own."""
    share = random.random()
    return pick(random, next(numbers for bound, numbers in _COUNTS if share < bound))


def _align_below_hundred(number: int, source: tuple[str, ...], english: str) -> AlignedPair:
    target = tokenize_phrase(english, "en")
    *tens, last = [place for place, word in enumerate(source) if word != "et"]
    end = len(target) - 1
    possible = {(0, place) for place in tens} | {(end, last)}
    sure = {(end, last)} if end or not tens else set()
    if end and len(tens) == 1:  # vingt -deux, but not quatre -vingt -deux
        sure.add((0, tens[0]))
    if end and number // 10 in (7, 9) and number % 10 <= 6:  # soixante -quatorze: the last word has the missing ten
        sure, possible = set(), possible | {(0, last)}
    if "et" in source:
        possible.add((1, source.index("et")))
    return AlignedPair(source, target, frozenset(sure), frozenset(possible))


@cache
def cardinal(number: int, feminine: bool = False, exact: bool = True) -> AlignedPair:
    """A number from 0 to 999,999 in words, else a ValueError: "deux cent trois" with "two hundred and three".

    A final "un" agrees with a `feminine` noun; before "mille", where "vingt" and "cent" lose their s, `exact` is False.
    """
    if not 0 <= number < 1_000_000:
        raise ValueError(f"number={number!r}: expected 0 to 999999; choose a smaller number.")
    if number < 100:
        *source, last = tokenize_phrase(num2words(number, lang="fr"), "fr")
        last += "e" if feminine and last in ("un", "-un") else ""
        last = last if exact else last.replace("vingts", "vingt")
        return _align_below_hundred(number, (*source, last), num2words(number, lang="en"))
    thousands, hundreds, rest = number // 1000, number // 100 % 10, number % 100
    cents = "cents" if exact and not rest else "cent"
    parts: list[AlignedPair] = []
    for count, one, many, english in ((thousands, "mille", "mille", "thousand"), (hundreds, "cent", cents, "hundred")):
        if count == 1:
            parts.append(with_helper(word_for_word(one, english), "one"))
        elif count:
            parts += [cardinal(count, exact=False), word_for_word(many, english)]
    if not rest:
        return compose(parts)
    last = len(parts)  # English says "and" before what is left below one hundred
    and_ = (("and",), [(last - 1, 0), (last, 0)])
    return compose([*parts, cardinal(rest, feminine, exact)], [*range(last), and_, last])


@cache
def day_of_month(day: int) -> AlignedPair:
    """A day from 1 to 31: "premier" for the first, else a French cardinal; always an English ordinal."""
    if day == 1:
        return word_for_word("premier", "first")
    return _align_below_hundred(day, cardinal(day).source, num2words(day, lang="en", to="ordinal"))


@cache
def year_name(year: int) -> AlignedPair:
    """A year from 1100 to 2099, else a ValueError: a French cardinal; "nineteen hundred" or "nineteen oh five"."""
    if year not in YEARS:
        raise ValueError(f"year={year!r}: expected {YEARS.start} to {YEARS.stop - 1}; choose a year in that range.")
    if 2000 <= year < 2010:
        return cardinal(year)  # two thousand and five
    century, rest = divmod(year, 100)
    words, english = cardinal(100 * century).source, cardinal(century).target[0]
    if century == 20 or rest:
        second = cardinal(rest) if rest > 9 else with_helper(cardinal(rest), "oh")
        return compose([jointly(" ".join(words).replace("cents", "cent"), english), second])
    name = compose([jointly(" ".join(words[:-1]), english), word_for_word(words[-1], "hundred")])
    return name if century > 11 else name._replace(possible=name.possible | {(0, 1)})  # "eleven" needs "cent" as well
