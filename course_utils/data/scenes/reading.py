"""Reading captions of scenes: what a caption states, and whether that is the whole truth about a scene.

A caption is read in two steps. Its phrases become letters, each with its meaning: `S` and `P` for the noun phrase of
one thing and of several, `@` for a place, `>` for a relation, `~` for "from left to right" and the like, and one for
each of `_LETTERS`. So "a big dog is on the left" becomes `Si@`. Then the letters are divided into clauses, each of
which has one of the forms of `_CLAUSES`, joined by commas and "and".

A noun phrase is written in full ("two small red cars") or, if described elsewhere, with "the" ("the cars"). English has
to be right: "a apple", "two dog" and "the dogs is" cannot be read. Where two readings are possible, the one that joins
more groups with "and" is taken.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise, product
from typing import Any, NamedTuple

from course_utils.data.scenes.layouts import LAYOUTS, arrangements, direction, is_between
from course_utils.data.scenes.scenes import Group, Scene
from course_utils.data.words_of_things import (
    COLOURS,
    KINDS,
    NUMBERS,
    PLACE_PHRASES,
    RELATION_PHRASES,
    SIZES,
    SWEEPS,
    noun,
    noun_phrase,
)


class Mention(NamedTuple):
    """A noun phrase: what it says of a group; None where it says nothing, or no more than "several" of the count."""

    kind: str
    count: int | None
    size: str | None
    colour: str | None
    definite: bool


Fact = tuple[str, ...]
"""`(kind, place)`; `(kind, direction, other kind)`; `(kind, "between", one end, other end)`."""


def fact_holds(fact: Fact, places: dict[str, str]) -> bool:
    """Whether a fact is true when the kinds stand at these places."""
    kind, what, *others = fact
    if len({kind, *others}) != 1 + len(others):
        return False  # nothing stands beside itself
    if not others:
        return places[kind] == what
    if len(others) == 1:
        return direction(places[kind], places[others[0]]) == what
    return is_between(places[kind], *(places[other] for other in others))


class Statement(NamedTuple):
    """What a caption says: its noun phrases, in order, and where they are."""

    mentions: tuple[Mention, ...]
    facts: tuple[Fact, ...]


# Phrases and clauses

_LETTERS = {",": ",", ":": ":", "and": "&", "is": "i", "are": "a", "which": "w", "between": "b", "there": "t",
            "we see": "s", "the picture shows": "p"}  # fmt: skip
_ROW = "[SP](?:,[SP])*&[SP]"
_WHERE = f"(?:@|>(?:{_ROW}|[SP]))"
_CLAUSES = tuple(
    re.compile(form)
    for form in (
        f"~[:s]{_ROW}",  # from left to right : a big dog and two small cats
        f"{_WHERE}(?:s|t?i(?=S)|t?a(?=P))[SP]",  # on the left there is a big dog; above a big dog are two small cats
        # a big dog is on the left; a big dog is above two small cats , which are to the left of a small hat
        f"(?:Si|(?:P|{_ROW})a){_WHERE}(?:,w(?:(?<=S,w)i|(?<=P,w)a){_WHERE})*",
        "(?:Si|Pa)b[SP]@?&[SP]@?",  # a big dog is between two small cats on the left and a small hat
        f"(?:ti(?=S)|ta(?=P)|s|p)?[SP]{_WHERE}?",  # we see a big dog on the left
    )
)
_JOINERS = (",&", ",", "&")
_LONGEST_PHRASE = 6  # words


@cache
def _phrases() -> dict[tuple[str, ...], tuple[str, Any]]:
    """Every phrase that can be read: its letter, and what it means."""
    table: dict[tuple[str, ...], tuple[str, Any]] = {tuple(words.split()): (x, None) for words, x in _LETTERS.items()}
    table |= {words: ("@", place) for place, words in PLACE_PHRASES.items()}
    table |= {words: (">", towards) for towards, phrases in RELATION_PHRASES.items() for words in phrases}
    table |= {words: ("~", towards) for words, towards in SWEEPS.items()}
    for kind in KINDS.values():
        colours = (None, *COLOURS) if kind.painted else (None,)
        for count, definite, size, colour in product(NUMBERS, (False, True), (None, *SIZES), colours):
            words = noun_phrase(kind.name, count, size, colour, definite=definite)
            said = None if definite and count > 1 else count
            table[words] = ("S" if count == 1 else "P", Mention(kind.name, said, size, colour, definite))
    return table


def read_caption(words: Sequence[str]) -> Statement | None:
    """Read a tokenised caption; None if it is no caption of the form above.

    Raises:
        TypeError: if `words` is a string.
    """
    if isinstance(words, str):
        raise TypeError(f"words is the string {words!r}; expected a sequence of words. Split it first.")
    return _read(tuple(words))


@lru_cache(maxsize=4096)
def _read(words: tuple[str, ...]) -> Statement | None:
    letters, meanings, start = "", [], 0
    while start < len(words):
        ends = range(min(start + _LONGEST_PHRASE, len(words)), start, -1)  # no phrase begins like a longer one
        end = next((end for end in ends if words[start:end] in _phrases()), None)
        if end is None:
            return None
        letter, meaning = _phrases()[words[start:end]]
        letters, meanings, start = letters + letter, [*meanings, meaning], end
    readings: dict[int, Statement | None] = {}
    for start in reversed(range(len(letters))):  # so that no rest of a caption is read twice
        readings[start] = _first_reading(letters, meanings, start, readings)
    return readings.get(0)


def _first_reading(letters: str, meanings: list, start: int, readings: dict[int, Statement | None]) -> Statement | None:
    """Everything from `start` on: the first form that fits, as long as the rest can be read."""
    for form in _CLAUSES:
        if not form.match(letters, start):
            continue
        for end in range(len(letters), start, -1):
            if not form.fullmatch(letters, start, end):
                continue
            rest = Statement((), ()) if end == len(letters) else None
            for joiner in _JOINERS:
                if rest is None and letters.startswith(joiner, end):
                    rest = readings.get(end + len(joiner))
            if rest is not None:
                clause = _clause(letters[start:end], meanings[start:end])
                return Statement(clause.mentions + rest.mentions, clause.facts + rest.facts)
    return None


def _clause(letters: str, meanings: list) -> Statement:
    """What the letters of one clause say."""
    mentions = [meaning for letter, meaning in zip(letters, meanings, strict=True) if letter in "SP"]
    kinds = [mention.kind for mention in mentions]
    facts: list[Fact] = []
    if letters[0] == "~":
        facts += [(first, meanings[0], second) for first, second in pairwise(kinds)]
    if "b" in letters:
        facts.append((kinds[0], "between", *kinds[1:]))
    for position, letter in enumerate(letters):
        if letter not in "@>":
            continue
        subjects = [mention.kind for mention in meanings[:position] if isinstance(mention, Mention)]
        if position == 0:  # "on the left is a dog"
            subjects = kinds[-1:]
        elif "w" in letters[:position] or "b" in letters:  # ", which are on the left"; "a dog on the left"
            subjects = subjects[-1:]
        if letter == "@":
            facts += [(kind, meanings[position]) for kind in subjects]
        else:
            row = re.match("[SP,&]*", letters[position + 1 :]).end()
            others = [mention.kind for mention in meanings[position + 1 : position + 1 + row] if mention]
            facts += [(kind, meanings[position], other) for kind in subjects for other in others]
    return Statement(tuple(mentions), tuple(facts))


# The judge

_SORTS = {
    "it cannot be read": "words", "it speaks of several": "count", "it speaks of a": "object",
    "it describes the": "object", "it says count": "count", "it says size": "size", "it says colour": "colour",
    "it is not true that": "place", "it does not say where": "place", "it leaves open": "place",
}  # fmt: skip


def caption_problems(scene: Scene | Sequence[Group], words: Sequence[str]) -> list[str]:
    """Say what keeps a caption from being a true and complete description of a scene.

    It has to describe every group once, with number, size, colour (if painted) and kind; nothing it says may be false;
    and every group has to be placed, in such a way that only this arrangement of the scene's groups fits.

    Returns:
        Sentences; empty for an exact caption.

    Raises:
        TypeError: if `words` is a string.
    """
    groups = {group.kind: group for group in (scene.groups if isinstance(scene, Scene) else scene)}
    statement = read_caption(words)
    if statement is None:
        return ["it cannot be read as a caption"]
    problems = [problem for mention in statement.mentions for problem in _mention_problems(groups, mention)]
    described = [mention.kind for mention in statement.mentions if not mention.definite]
    for kind in groups:
        if (times := described.count(kind)) != 1:
            problems.append(f"it describes the {noun(kind, groups[kind].count)} {times} times, not once")
    if problems:  # facts about groups that are not there are neither true nor false
        return problems
    places = {kind: group.place for kind, group in groups.items()}
    for fact in statement.facts:
        if not fact_holds(fact, places):
            told = f"{fact[0]} is between others" if fact[1] == "between" else " ".join(fact)
            problems.append(f"it is not true that the {told}")
    placed = {kind for fact in statement.facts for kind in (fact[0], *fact[2:])}
    problems += [f"it does not say where the {kind} is" for kind in groups if kind not in placed]
    if not problems and _arrangements_fitting(tuple(groups), statement.facts) != 1:
        problems.append("it leaves open how the groups are arranged")
    return problems


def sort_of_problem(problem: str) -> str:
    """What a sentence of `caption_problems` is about: "words", "object", "count", "size", "colour" or "place".

    Raises:
        ValueError: if it is not such a sentence.
    """
    for beginning, sort in _SORTS.items():
        if problem.startswith(beginning):
            return sort
    raise ValueError(f"problem is {problem!r}; expected a sentence of caption_problems.")


def is_exact(scene: Scene | Sequence[Group], words: Sequence[str]) -> bool:
    """Whether a caption is a true and complete description of a scene; see `caption_problems`."""
    return not caption_problems(scene, words)


def _mention_problems(groups: dict[str, Group], mention: Mention) -> list[str]:
    group = groups.get(mention.kind)
    if group is None:
        return [f"it speaks of a {mention.kind}, which the scene does not have"]
    problems = []
    if mention.count is None and group.count == 1:
        problems.append(f"it speaks of several {mention.kind} objects, but there is one")
    for attribute in ("count", "size", "colour"):
        said, true = getattr(mention, attribute), getattr(group, attribute)
        untold = said is None and (mention.definite or true is None)
        if said != true and not untold:
            problems.append(
                f"it says {attribute} {said!r} of the {noun(group.kind, group.count)}, but that is {true!r}"
            )
    return problems


@lru_cache(maxsize=4096)
def _arrangements_fitting(kinds: tuple[str, ...], facts: tuple[Fact, ...]) -> int:
    """How many arrangements of these groups agree with all facts."""
    if len(kinds) not in LAYOUTS:
        return 0
    ways = (dict(zip(kinds, places, strict=True)) for places in arrangements(len(kinds)))
    return sum(all(fact_holds(fact, places) for fact in facts) for places in ways)
