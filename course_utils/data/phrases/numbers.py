"""Numbers in words, aligned: cardinals, days of the month and years, in French and English.

The words below one hundred come from num2words; hundreds, thousands and millions are composed here, in the
traditional spelling: "vingt" and "cent" take an s when they are multiplied and end the number ("quatre-vingts",
"deux cents"), and not before another number or "mille"; hyphens stand only below one hundred and never beside "et".
"""

from functools import cache

from num2words import num2words

from course_utils.data.phrases.tokens import tokenize_english, tokenize_french
from course_utils.data.phrases.units import Unit, compose, jointly, with_helper, word_for_word

LARGEST_CARDINAL = 999_999
YEARS = range(1100, 2100)


def _align_below_hundred(number: int, source: list[str], target: list[str]) -> Unit:
    tens, units = divmod(number, 10)
    end = len(source) - 1
    sure: list[tuple[int, int]] = []
    possible: list[tuple[int, int]] = []
    if tens in (7, 9) and units:  # counted on from sixty or eighty: soixante -quatorze, quatre -vingt -dix -sept
        ten = end if units <= 6 else end - 1  # the token that holds the missing ten
        possible += [(0, j) for j in (*range(1 if tens == 7 else 2), ten)]
        (possible if units <= 6 else sure).append((1, end))
    elif len(target) == 2:  # a round ten, as many tokens as it has, and a unit: vingt et un, quatre -vingt -un
        rest = end - (source[-2] == "et")
        (sure if rest == 1 else possible).extend((0, j) for j in range(rest))
        sure.append((1, end))
    else:  # one token: trente; or dix -sept, soixante -dix, quatre -vingts
        (possible if end else sure).extend((0, j) for j in range(len(source)))
    if "et" in source:
        possible.append((1, source.index("et")))
    return Unit(tuple(source), tuple(target), tuple(sure), tuple(sorted({*sure, *possible})))


@cache
def below_hundred(number: int, feminine: bool = False, exact: bool = True) -> Unit:
    """A number from 0 to 99; ``exact`` is False where another number word follows ("quatre-vingt mille")."""
    source = tokenize_french(num2words(number, lang="fr"))
    if feminine and source[-1] in ("un", "-un"):
        source[-1] += "e"
    if not exact and source[-1] == "-vingts":
        source[-1] = "-vingt"
    return _align_below_hundred(number, source, tokenize_english(num2words(number, lang="en")))


def _below_thousand(number: int, feminine: bool, exact: bool) -> list[Unit]:
    hundreds, rest = divmod(number, 100)
    units = []
    if hundreds == 1:
        units.append(with_helper(word_for_word("cent", "hundred"), "one"))
    elif hundreds:
        units += [below_hundred(hundreds), word_for_word("cents" if exact and not rest else "cent", "hundred")]
    if rest or not hundreds:
        units.append(below_hundred(rest, feminine, exact))
    return units


@cache
def cardinal(number: int, feminine: bool = False, exact: bool = True) -> Unit:
    """A number from 0 to 999,999 in words: "deux cent trois" with "two hundred and three".

    Args:
        number: the number.
        feminine: whether a final "un" agrees with a feminine noun ("vingt et une maisons").
        exact: False before "mille", where "vingt" and "cent" lose their s.

    Raises:
        ValueError: if the number is out of range.
    """
    if not 0 <= number <= LARGEST_CARDINAL:
        raise ValueError(f"number={number!r}: expected 0 to {LARGEST_CARDINAL}; choose a smaller number.")
    thousands, rest = divmod(number, 1000)
    units = []
    if thousands == 1:
        units.append(with_helper(word_for_word("mille", "thousand"), "one"))
    elif thousands:
        units += [cardinal(thousands, exact=False), word_for_word("mille", "thousand")]
    if rest or not thousands:
        units += _below_thousand(rest, feminine, exact)
    english: list = list(range(len(units)))
    if number > 100 and number % 100:  # English says "and" before what is left below one hundred
        last = len(units) - 1
        english.insert(last, (("and",), ((last - 1, 0), (last, 0))))
    return compose(units, english)


@cache
def day_of_month(day: int) -> Unit:
    """A day from 1 to 31: "premier" for the first, else a French cardinal; always an English ordinal."""
    if day == 1:
        return word_for_word("premier", "first")
    target = tokenize_english(num2words(day, lang="en", to="ordinal"))
    return _align_below_hundred(day, list(below_hundred(day).source), target)


@cache
def year_name(year: int) -> Unit:
    """A year from 1100 to 2099: a cardinal in French, two pairs of digits in English.

    "nineteen hundred", "nineteen oh five", "nineteen ninety-eight", "two thousand and five", "twenty ten".

    Raises:
        ValueError: if the year is out of range.
    """
    if year not in YEARS:
        raise ValueError(f"year={year!r}: expected {YEARS.start} to {YEARS.stop - 1}; choose a year in that range.")
    century, rest = divmod(year, 100)
    if 2000 <= year < 2010:
        return cardinal(year)
    words = below_hundred(century).target[0]
    if century == 20:
        return compose([jointly("deux mille", words), below_hundred(rest)])
    thousand = " ".join(["mille", *(below_hundred(century - 10).source if century > 11 else ())])
    if rest:
        second = below_hundred(rest) if rest >= 10 else with_helper(below_hundred(rest), "oh")
        return compose([jointly(f"{thousand} cent", words), second])
    if century > 11:
        return compose([jointly(thousand, words), word_for_word("cents", "hundred")])
    first = compose([jointly(thousand, words), word_for_word("cent", "hundred")])
    return first._replace(possible=(*first.possible, (0, 1)))  # "eleven" needs "cent" as well


@cache
def millions(count: int) -> Unit:
    """One to 999 million, as a French noun: "un million", "deux cents millions" (with the s)."""
    return compose([cardinal(count), word_for_word("million" if count == 1 else "millions", "million")])
