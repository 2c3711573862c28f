"""The English of captions, and whether a caption is the whole truth about a scene.

Phrases become letters, each with its meaning: `S` and `P` for the noun phrase of one thing and of several, `@` for a
place, `>` for a direction, `~` for "from left to right" and the like, and those of `_LETTERS`. So "a big dog is on the
left" becomes `Si@`. Clauses have one of the forms of `_CLAUSES`, joined by commas and "and": what `captions` writes and
much that a model may write instead. English has to be right: "a apple", "two dog" and "the dogs is" cannot be read.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise, product
from typing import Any, NamedTuple

from course_utils.data import words_of_things as things
from course_utils.data.scenes.layouts import Fact, arrangements, fact_holds
from course_utils.data.scenes.scenes import Group, Scene


class Mention(NamedTuple):
    """A noun phrase: what it says of a group; None where it says nothing."""

    kind: str
    count: int | None  # of "the dogs" None, too
    size: str | None
    colour: str | None
    definite: bool  # "the dogs" are described elsewhere


class Statement(NamedTuple):
    """What a caption says: its noun phrases, in order, and where they are; facts name groups by their kinds."""

    mentions: tuple[Mention, ...] = ()
    facts: tuple[Fact, ...] = ()


_LETTERS = {",": ",", ":": ":", "and": "&", "is": "i", "are": "a", "which": "w", "between": "b", "there": "t",
            "we see": "s", "the picture shows": "p"}  # fmt: skip
_ROW = "[SP](?:,[SP])*&[SP]"
_WHERE = f"(?:@|>(?:{_ROW}|[SP]))"
_CLAUSES = tuple(map(re.compile, (
    f"~[:s]{_ROW}",  # from left to right : a big dog and two small cats
    f"{_WHERE}(?:s|t?i(?=S)|t?a(?=P))[SP]",  # on the left there is a big dog; above a big dog are two small cats
    # a big dog is on the left; a big dog is above two small cats , which are to the left of a small hat
    f"(?:Si|(?:P|{_ROW})a){_WHERE}(?:,w(?:(?<=S,w)i|(?<=P,w)a){_WHERE})*",
    "(?:Si|Pa)b[SP]@?&[SP]@?",  # a big dog is between two small cats on the left and a small hat
    f"(?:ti(?=S)|ta(?=P)|s|p)?[SP]{_WHERE}?",  # we see a big dog on the left
)))  # fmt: skip
_JOINERS = (",&", ",", "&")


@cache
def phrases() -> dict[tuple[str, ...], tuple[str, Any]]:
    """Every phrase of captions: its letter, and what it means."""
    table: dict[tuple[str, ...], tuple[str, Any]] = {tuple(words.split()): (x, None) for words, x in _LETTERS.items()}
    table |= {words: ("@", place) for place, words in things.PLACE_PHRASES.items()}
    table |= {words: (">", towards) for towards, wordings in things.RELATION_PHRASES.items() for words in wordings}
    table |= {words: ("~", towards) for words, towards in things.SWEEPS.items()}
    for kind in things.KINDS.values():
        colours = (None, *things.COLOURS) if kind.painted else (None,)
        for count, definite, size, colour in product(things.NUMBERS, (False, True), (None, *things.SIZES), colours):
            words = things.noun_phrase(kind.name, count, size, colour, definite=definite)
            said = None if definite and count > 1 else count
            table[words] = ("S" if count == 1 else "P", Mention(kind.name, said, size, colour, definite))
    return table


def read_caption(words: Sequence[str]) -> Statement | None:
    """Read a tokenised caption; None if it cannot be read. Of several readings the first and longest forms are taken.

    Raises:
        TypeError: if `words` is a string.
    """
    if isinstance(words, str):
        raise TypeError(f"words is the string {words!r}; expected a sequence of words. Split it first.")
    letters, meanings, left = "", [], tuple(words)
    while left:  # no phrase begins like a longer one
        end = next((end for end in range(min(6, len(left)), 0, -1) if left[:end] in phrases()), None)
        if end is None:
            return None
        letter, meaning = phrases()[left[:end]]
        letters, meanings, left = letters + letter, [*meanings, meaning], left[end:]
    # What a clause that begins somewhere says, with all that follows; and what follows a clause that ends there.
    readings, rests = {}, {len(letters): Statement()}
    for start in reversed(range(len(letters))):
        for joiner in reversed(_JOINERS):
            if letters.startswith(joiner, start) and start + len(joiner) in readings:
                rests[start] = readings[start + len(joiner)]
        for form, end in product(_CLAUSES, sorted(rests, reverse=True)):
            if end > start and form.fullmatch(letters, start, end):
                mentions, facts = _read_clause(letters[start:end], meanings[start:end])
                readings[start] = Statement(mentions + rests[end].mentions, facts + rests[end].facts)
                break
    return readings.get(0)


def _read_clause(letters: str, meanings: list) -> Statement:
    mentions = tuple(meaning for meaning in meanings if isinstance(meaning, Mention))
    kinds = [mention.kind for mention in mentions]
    facts: list[Fact] = []
    if letters[0] == "~":
        facts += [(first, meanings[0], second) for first, second in pairwise(kinds)]
    if "b" in letters:
        facts.append((kinds[0], "between", *kinds[1:]))
    for place in re.finditer("@|>([SP,&]*)", letters):
        before, after = (sum(map(letters[:end].count, "SP")) for end in place.span())
        subjects = kinds[:before]
        if before == 0:  # "on the left is a dog"
            subjects = kinds[-1:]
        elif set("wb") & set(letters[: place.start()]):  # ", which are on the left"; "a dog on the left"
            subjects = subjects[-1:]
        others = [(kind,) for kind in kinds[before:after]] if place[1] else [()]
        facts += [(kind, meanings[place.start()], *other) for kind in subjects for other in others]
    return Statement(mentions, tuple(facts))


def caption_problems(scene: Scene, words: Sequence[str]) -> list[str]:
    """Say in sentences what keeps a caption from being a true and complete description of a scene; empty = exact.

    It has to describe every group once, with number, size, colour (if painted) and kind; nothing it says may be false;
    and every group has to be placed, in such a way that only this arrangement of the scene's groups fits.
    """
    groups = {group.kind: group for group in scene.groups}
    statement = read_caption(words)
    if statement is None:
        return ["it cannot be read as a caption"]
    problems = [problem for mention in statement.mentions for problem in _mention_problems(groups, mention)]
    described = [mention.kind for mention in statement.mentions if not mention.definite]
    for kind in groups:
        if (times := described.count(kind)) != 1:
            problems.append(f"it describes the {things.noun(kind, groups[kind].count)} {times} times, not once")
    if problems:  # facts about groups that are not there are neither true nor false
        return problems
    places = {kind: group.place for kind, group in groups.items()}
    for fact in statement.facts:
        if not fact_holds(fact, places):
            told = f"{fact[0]} is between others" if fact[1] == "between" else " ".join(fact)
            problems.append(f"it is not true that the {told}")
    placed = {kind for fact in statement.facts for kind in (fact[0], *fact[2:])}
    problems += [f"it does not say where the {kind} is" for kind in groups if kind not in placed]
    if not problems and arrangements(tuple(groups), statement.facts) != 1:
        problems.append("it leaves open how the groups are arranged")
    return problems


def _mention_problems(groups: dict[str, Group], mention: Mention) -> list[str]:
    group = groups.get(mention.kind)
    if group is None:
        return [f"it speaks of a {mention.kind}, which the scene does not have"]
    problems = []
    if mention.count is None and group.count == 1:
        problems.append(f"it speaks of several {mention.kind} objects, but there is one")
    name = things.noun(group.kind, group.count)
    for attribute in ("count", "size", "colour"):
        said, true = getattr(mention, attribute), getattr(group, attribute)
        if said != true and not (said is None and mention.definite):
            problems.append(f"it says {attribute} {said!r} of the {name}, but that is {true!r}")
    return problems


_SORTS = {"it cannot be read": "words", "it speaks of several": "count", "it speaks of a": "object",
          "it describes the": "object", **{f"it says {name}": name for name in ("count", "size", "colour")},
          **dict.fromkeys(("it is not true that", "it does not say where", "it leaves open"), "place")}  # fmt: skip


def sort_of_problem(problem: str) -> str:
    """What a sentence of `caption_problems` is about: "words", "object", "count", "size", "colour" or "place"."""
    for beginning, sort in _SORTS.items():
        if problem.startswith(beginning):
            return sort
    raise ValueError(f"problem is {problem!r}; expected a sentence of caption_problems.")
