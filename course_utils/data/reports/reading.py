"""Headlines judged by the facts: is it English that headlines are made of, is it true, does it say what matters?

`judge_headline` reads any headline, also one that a model wrote, and compares what it states with the story: a headline
can be true and still beside the point, or well made and wrong.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache, singledispatch
from itertools import pairwise
from typing import NamedTuple

from course_utils.data.reports.events import Story, groups_after, majority, net_changes
from course_utils.data.reports.phrases import HEADLINE_SIDES
from course_utils.data.reports.reports import Report
from course_utils.data.scenes.layouts import PLACES, direction
from course_utils.data.words_of_things import COLOURS, KINDS, NUMBERS, PLACE_PHRASES, SIZES, noun, plural, verb

_NUMBER_OF = {word: number for number, word in NUMBERS.items()}
_PLACE_OF = {" ".join(phrase): place for place, phrase in PLACE_PHRASES.items()}
_LINE_OF = {" ".join(side): line for line, side in HEADLINE_SIDES.items()}


class Thing(NamedTuple):
    """A group as a headline names it; what it does not say is None, such as the number of a plural."""

    kind: str
    number: int | None
    size: str | None = None
    colour: str | None = None


class Statement(NamedTuple):
    """What a headline states: the kind of news, the groups that it names in order, and further values.

    The values are for "move" and "count" before and after; for "colour" and "size" the new one and the place; for
    "most" the aspect and its value; for "order" the direction; for "swap" there are none.
    """

    news: str
    things: tuple[Thing, ...]
    values: tuple[str | int, ...] = ()


class Judgement(NamedTuple):
    """What in a headline is not understood or not true, and which words it must mention and does not."""

    problems: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def true(self) -> bool:
        """Whether it is understood and everything that it states is so."""
        return not self.problems

    @property
    def complete(self) -> bool:
        """Whether it is true and states all that matters."""
        return not self.problems and not self.missing


def judge_headline(report: Report, words: Sequence[str]) -> Judgement:
    """Compare a headline with the facts of a report.

    Args:
        report: with its story.
        words: the headline, without begin and end symbols.

    Raises:
        TypeError: if `words` is a string.
    """
    if isinstance(words, str):
        raise TypeError(f"words is the string {words!r}; expected a sequence of words. Split it first.")
    try:
        problems = problems_of(report.story, tuple(words))
    except ValueError as error:
        problems = [str(error)]
    must, said = Counter(report.must_mention), Counter(words)
    return Judgement(tuple(problems), tuple((must - said).elements()))


@singledispatch
def problems_of(story: Story, words: tuple[str, ...]) -> list[str]:
    """What a headline states that is not so; each kind of story has its own way to tell.

    Raises:
        ValueError: if the headline is not understood.
    """
    statement = read_headline(words)
    places = [[i for i, group in enumerate(story.groups) if group.kind == thing.kind] for thing in statement.things]
    if absent := [thing.kind for thing, found in zip(statement.things, places, strict=True) if not found]:
        return [f"there is no {kind} in the report" for kind in absent]
    groups = [found[0] for found in places]
    if len(set(groups)) < len(groups):
        return ["a group is named twice"]
    problems = []
    for thing, group in zip(statement.things, groups, strict=True):
        problems += _described(story, thing, group)
    return problems + _JUDGES[statement.news](story, statement, groups)


# Reading: headlines are a regular language


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


@cache
def _thing_pattern() -> re.Pattern:
    nouns = {noun(kind, count): None for kind in KINDS for count in (1, 2)}
    parts = {"count": list(_NUMBER_OF)[1:], "size": SIZES, "colour": COLOURS}
    return re.compile(
        "".join(f"(?:(?P<{name}>{_any(of)}) )?" for name, of in parts.items()) + f"(?P<noun>{_any(nouns)})"
    )


_VALUE, _AT, _NUMBER = _any([*COLOURS, *SIZES]), _any(_PLACE_OF), _any(_NUMBER_OF)
_SIDE, _PLACE = _any(_LINE_OF), _any(sorted(PLACES, key=len, reverse=True))
_FORMS = [
    (news, re.compile(form))
    for news, form in (
        ("most", rf"most say (?P<thing>.+?) (?P<verb>is|are) (?:(?P<value>{_VALUE})|(?P<at>{_AT}))"),
        ("most", rf"most say (?P<thing>.+?) (?P<verb>is|are) (?P<side>{_SIDE}) (?P<other>.+)"),
        ("most", r"most say there are (?P<thing>.+)"),
        ("swap", r"(?P<thing>.+?) and (?P<other>.+) swap places"),
        ("move", rf"(?P<thing>.+?) (?P<verb>moves|move) from (?P<before>{_PLACE}) to (?P<after>{_PLACE})"),
        ("count", rf"(?P<thing>.+?) (?P<way>increase|decrease) from (?P<before>{_NUMBER}) to (?P<after>{_NUMBER})"),
        ("turn", rf"(?P<thing>.+?) (?P<verb>turns|turn) (?P<value>{_VALUE}) (?P<at>{_AT})"),
        ("order", rf"(?P<thing>.+?) (?P<side>{_SIDE}) (?P<other>.+?) (?P=side) (?P<last>.+)"),
    )
]


def read_headline(words: Sequence[str]) -> Statement:
    """Read a headline of a `Report` back: exactly the sentences that `phrases.headline_words` makes.

    Raises:
        ValueError: if it is not understood.
    """
    for news, form in _FORMS:
        match = form.fullmatch(" ".join(words))
        if match and (statement := _statement(news, match.groupdict())):
            return statement
    raise ValueError(
        f"{' '.join(words)!r} is not understood; expected a headline like 'small dog turns big at the top'."
    )


def _statement(news: str, said: dict[str, str | None]) -> Statement | None:
    """What the parts of a headline state; None if a name, an agreement or a number is wrong."""
    things = tuple(_thing(said[name]) for name in ("thing", "other", "last") if name in said)
    if None in things or any((thing.number is None) != (news == "count") for thing in things):
        return None
    count = things[0].number
    if "verb" in said and (said["verb"] in ("is", "moves", "turns")) != (count == 1):
        return None
    value, at = said.get("value"), _PLACE_OF.get(said.get("at"))
    aspect = "colour" if value in COLOURS else "size"
    if news == "most":
        if "side" in said:
            return Statement(news, things, ("direction", _LINE_OF[said["side"]]))
        if "verb" in said:
            return Statement(news, things, (aspect, value) if value else ("place", at))
        return Statement(news, (things[0]._replace(number=None),), ("count", count)) if count > 1 else None
    if news == "turn":
        return Statement(aspect, things, (value, at))
    if news == "order":
        return Statement(news, things, (_LINE_OF[said["side"]],))
    if news == "count":
        before, after = (_NUMBER_OF[said[end]] for end in ("before", "after"))
        fits = before != after and (after > before) == (said["way"] == "increase")
        return Statement(news, things, (before, after)) if fits else None
    return Statement(news, things, (said["before"], said["after"]) if news == "move" else ())


def _thing(text: str) -> Thing | None:
    """ "dog", "two small dogs", "red cars"; None if it is nothing of the kind."""
    found = _thing_pattern().fullmatch(text)
    kind = next((kind for kind in KINDS if found and found["noun"] in (kind, plural(kind))), None)
    if kind is None or (found["noun"] == kind and found["count"]):
        return None
    count = 1 if found["noun"] == kind else _NUMBER_OF.get(found["count"])
    return Thing(kind, count, found["size"], found["colour"])


# Judging


def _described(story: Story, thing: Thing, group: int) -> list[str]:
    """What is wrong with number, size and colour: each must be that of the beginning or the end."""
    ends = story.groups[group], groups_after(story.groups, story.steps)[group]
    disputed = {claim.aspect for claim in story.claims if claim.group == group}
    told = {"count": thing.number, "size": thing.size, "colour": thing.colour}
    return [
        f"the {noun(thing.kind, ends[0].count)} {verb(ends[0].count)} not said to be {said}"
        for aspect, said in told.items()
        if said is not None and (aspect in disputed or all(getattr(end, aspect) != said for end in ends))
    ]


def _judge_change(story: Story, statement: Statement, groups: list[int]) -> list[str]:
    """ "move", "count", "colour" and "size": the change must be the difference between beginning and end."""
    group, thing = groups[0], statement.things[0]
    aspect = "place" if statement.news == "move" else statement.news
    change = next((c for c in net_changes(story) if (c.group, c.aspect) == (group, aspect)), None)
    if change is None:
        return [f"the {aspect} of the {noun(thing.kind, story.groups[group].count)} is the same in the end"]
    if aspect in ("place", "count"):
        told = (change.before, change.after)
        return [] if statement.values == told else [f"it changes from {told[0]} to {told[1]}"]
    value, place = statement.values
    problems = [] if value == change.after else [f"it turns {change.after}, not {value}"]
    before = getattr(thing, aspect)
    problems += [f"it was {change.before}, not {before}"] if before not in (None, change.before) else []
    at = groups_after(story.groups, story.steps)[group].place
    return problems + ([] if place == at else [f"its place is {at}, not {place}"])


def _judge_swap(story: Story, statement: Statement, groups: list[int]) -> list[str]:
    ends = {c.group: (c.before, c.after) for c in net_changes(story) if c.aspect == "place"}
    first, second = (ends.get(group) for group in groups)
    return [] if first and second and first == second[::-1] else ["they do not end in each other's place"]


def _judge_most(story: Story, statement: Statement, groups: list[int]) -> list[str]:
    if not story.claims:
        return ["nobody is at odds about anything"]
    claim = story.claims[majority(story)]
    held = (claim.aspect, claim.value, claim.group, *([] if claim.other is None else [claim.other]))
    return [] if (*statement.values, *groups) == held else ["most do not say so"]


def _judge_order(story: Story, statement: Statement, groups: list[int]) -> list[str]:
    if any(claim.aspect in ("direction", "place") for claim in story.claims):
        return ["the report does not say where they all are"]
    places = [groups_after(story.groups, story.steps)[group].place for group in groups]
    stands = all(direction(near, far) == statement.values[0] for near, far in pairwise(places))
    return [] if stands else ["they do not stand in this order"]


_JUDGES: dict[str, Callable[[Story, Statement, list[int]], list[str]]] = {
    **dict.fromkeys(("move", "count", "colour", "size"), _judge_change),
    "swap": _judge_swap, "most": _judge_most, "order": _judge_order,
}  # fmt: skip
