"""Translation units: a few French words, their English, and the links between them.

Everything the phrase generator says is put together from units, and the links are put together with the words.
Nothing is aligned afterwards. The convention, after Och & Ney (2003), "A systematic comparison of various statistical
alignment models", https://aclanthology.org/J03-1002, section 4:

- *sure*: one English word translates one French word by itself (``house`` and ``maison``);
- *possible*: every sure link, and also
  - several French words that make one English word (``quatre -vingt -dix`` → ``ninety``),
  - words that share their meaning out differently (``soixante -quatorze`` → ``seventy -four``),
  - an English helper word, linked to the French word that calls for it (``one`` in ``one hundred`` ← ``cent``),
  - a French word that stays silent, linked to the English word it goes with (``et`` in ``vingt et un``).

A target word has at most one sure link, so one link per target word can reach an alignment error rate of zero.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from course_utils.data.phrases.tokens import tokenize_english, tokenize_french

Links = tuple[tuple[int, int], ...]
LONGEST_SOURCE, LONGEST_TARGET = 200, 400
"""How long the two sides of a unit may grow; no French token makes more than two English ones on average."""
# One tuple for each possible place: thousands of phrases share them instead of holding millions of their own.
_GRID = [[(row, column) for column in range(LONGEST_SOURCE)] for row in range(LONGEST_TARGET)]


class Unit(NamedTuple):
    """French tokens, their English tokens, and the links ``(target index, source index)`` counted from 0.

    ``possible`` contains ``sure``.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    sure: Links
    possible: Links


Helper = tuple[tuple[str, ...], tuple[tuple[int, int], ...]]
"""English words that belong to no unit of their own, and the (unit, token in that unit) pairs that call for them."""


@cache
def word_for_word(french: str, english: str) -> Unit:
    """Each French token is translated by the English token at the same place; all links are sure.

    Raises:
        ValueError: if the two sides have different numbers of tokens.
    """
    source, target = tuple(tokenize_french(french)), tuple(tokenize_english(english))
    if len(source) != len(target):
        raise ValueError(
            f"french={french!r} has {len(source)} tokens and english={english!r} has {len(target)}: expected as many "
            "on both sides; use jointly() for a translation that is not word for word."
        )
    links = tuple((index, index) for index in range(len(source)))
    return Unit(source, target, links, links)


def jointly(french: str, english: str) -> Unit:
    """The French tokens make the English tokens together: all links are possible, none is sure."""
    source, target = tuple(tokenize_french(french)), tuple(tokenize_english(english))
    return Unit(source, target, (), tuple((i, j) for i in range(len(target)) for j in range(len(source))))


def with_silent(unit: Unit, *, before: str = "", after: str = "") -> Unit:
    """Add French words that English leaves out; each gets a possible link to the nearest English word."""
    first, last = tuple(tokenize_french(before)), tuple(tokenize_french(after))
    shift, end = len(first), len(first) + len(unit.source)
    silent = [(0, j) for j in range(shift)] + [(len(unit.target) - 1, end + j) for j in range(len(last))]
    possible = (*_moved(unit.possible, 0, shift), *silent)
    return Unit(first + unit.source + last, unit.target, _moved(unit.sure, 0, shift), possible)


def with_helper(unit: Unit, before: str) -> Unit:
    """Put English words in front that French does not say; each gets a possible link to the first French word."""
    words = tuple(tokenize_english(before))
    possible = (*((i, 0) for i in range(len(words))), *_moved(unit.possible, len(words), 0))
    return Unit(unit.source, words + unit.target, _moved(unit.sure, len(words), 0), possible)


def _moved(links: Links, rows: int, columns: int) -> Links:
    return tuple([_GRID[i + rows][j + columns] for i, j in links])


def compose(units: Sequence[Unit], english: Sequence[int | Helper] | None = None) -> Unit:
    """Join units in French order; ``english`` says in which order their translations stand.

    Args:
        units: the parts, in French order.
        english: for each part of the English side either the index of a unit, or a :data:`Helper`; by default
            the order of the French.
    """
    starts: list[int] = []
    source: list[str] = []
    for unit in units:
        starts.append(len(source))
        source += unit.source
    target: list[str] = []
    sure: list[tuple[int, int]] = []
    possible: list[tuple[int, int]] = []
    for part in range(len(units)) if english is None else english:
        row = len(target)
        if isinstance(part, int):
            unit, column = units[part], starts[part]
            target += unit.target
            sure += _moved(unit.sure, row, column)
            possible += _moved(unit.possible, row, column)
        else:
            words, causes = part
            target += words
            possible += [_GRID[row + i][starts[u] + j] for i in range(len(words)) for u, j in causes]
    return Unit(tuple(source), tuple(target), tuple(sure), tuple(possible))
