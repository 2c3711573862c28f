"""Headlines judged by the facts: is it English that headlines are made of, is it true, does it say what matters?

`judge_headline` reads any headline, also one that a model made, and compares what it states with the story: a headline
can be true and still beside the point, or well made and wrong.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from course_utils.datasets.report_events import Story, groups_after, majority, net_changes
from course_utils.datasets.report_phrases import HEADLINE_SIDES
from course_utils.datasets.reports import Report
from course_utils.datasets.scene_kinds import COLOURS, KINDS
from course_utils.datasets.scene_layouts import PLACES, direction
from course_utils.datasets.scene_words import NUMBERS, PLACE_PHRASES, SIZES, noun, verb
from course_utils.datasets.scenes import Group

_NUMBER_OF = {word: number for number, word in NUMBERS.items()}
_PLACE_OF = {phrase: place for place, phrase in PLACE_PHRASES.items()}
Words = tuple[str, ...]


@dataclass(frozen=True)
class Thing:
    """A group as a headline names it.

    Attributes:
        kind: of `scene_kinds.KINDS`.
        count: 1 to 3; None for a plural without a number.
        size, colour: None where not said.
    """

    kind: str
    count: int | None
    size: str | None = None
    colour: str | None = None


@dataclass(frozen=True)
class Statement:
    """What a headline states.

    Attributes:
        news: of `report_events.NEWS`.
        things: the groups it names, in order.
        values: for "move" and "count" before and after; for "colour" and "size" the new value and the place; for
            "most" the aspect and the value; for "order" the direction; for "swap" none.
    """

    news: str
    things: tuple[Thing, ...]
    values: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """How a headline stands to the facts.

    Attributes:
        problems: what is not understood or not true; empty for a true headline.
        missing: words that it must mention and does not.
    """

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
    left = Counter(words if not isinstance(words, str) else ())
    missing = []
    for word in report.must_mention:
        left[word] -= 1
        if left[word] < 0:
            missing.append(word)
    try:
        problems = _problems(report.story, read_headline(words))
    except ValueError as error:
        problems = [str(error)]
    return Judgement(tuple(problems), tuple(missing))


def read_headline(words: Sequence[str]) -> Statement:
    """Read a headline back: exactly the sentences that `report_headlines.headline_words` makes.

    Raises:
        ValueError: if it is not understood.
        TypeError: if `words` is a string.
    """
    if isinstance(words, str):
        raise TypeError(f"words is the string {words!r}; expected a sequence of words. Split it first.")
    words = tuple(words)
    for read in (_read_most, _read_swap, _read_move, _read_count, _read_turn, _read_order):
        statement = read(words)
        if statement is not None:
            return statement
    raise ValueError(
        f"{' '.join(words)!r} is not understood; expected a headline like 'small dog turns big at the top'."
    )


# Reading


@cache
def _nouns() -> dict[str, tuple[str, bool]]:
    """Noun as written → its kind, and whether it is a plural."""
    return {noun(kind, count): (kind, count > 1) for kind in KINDS for count in (1, 2)}


def _thing(words: Words) -> Thing | None:
    """ "dog", "two small dogs", "red cars"; None if it is nothing of the kind."""
    number = _NUMBER_OF.get(words[0]) if words else None
    words = words[1:] if number else words
    size, words = (words[0], words[1:]) if words and words[0] in SIZES else (None, words)
    colour, words = (words[0], words[1:]) if words and words[0] in COLOURS else (None, words)
    if len(words) != 1 or words[0] not in _nouns() or number == 1:
        return None
    kind, plural = _nouns()[words[0]]
    if not plural and number:
        return None
    return Thing(kind, number if plural else 1, size, colour)


def _split(words: Words, *marks: str) -> tuple[Words, Words, str] | None:
    """What stands before and after the only one of some words."""
    found = [index for index, word in enumerate(words) if word in marks]
    return (words[: found[0]], words[found[0] + 1 :], words[found[0]]) if len(found) == 1 else None


def _agrees(thing: Thing | None, said: str, single: str) -> bool:
    """Whether a thing is there, has its number, and the verb agrees with it."""
    return thing is not None and thing.count is not None and (said == single) == (thing.count == 1)


def _read_most(words: Words) -> Statement | None:
    if words[:2] != ("most", "say"):
        return None
    if words[2:4] == ("there", "are"):
        thing = _thing(words[4:])
        if thing is None or thing.count in (None, 1):
            return None
        return Statement("most", (Thing(thing.kind, None, thing.size, thing.colour),), ("count", thing.count))
    parts = _split(words[2:], "is", "are")
    if parts is None or not _agrees(thing := _thing(parts[0]), parts[2], "is"):
        return None
    what = parts[1]
    for aspect, values in (("colour", COLOURS), ("size", SIZES)):
        if len(what) == 1 and what[0] in values:
            return Statement("most", (thing,), (aspect, what[0]))
    if what in _PLACE_OF:
        return Statement("most", (thing,), ("place", _PLACE_OF[what]))
    for line, side in HEADLINE_SIDES.items():
        other = _thing(what[len(side) :])
        if what[: len(side)] == side and other is not None and other.count is not None:
            return Statement("most", (thing, other), ("direction", line))
    return None


def _read_swap(words: Words) -> Statement | None:
    parts = _split(words[:-2], "and")
    if words[-2:] != ("swap", "places") or parts is None:
        return None
    things = _thing(parts[0]), _thing(parts[1])
    counted = all(thing is not None and thing.count is not None for thing in things)
    return Statement("swap", things) if counted else None


def _read_move(words: Words) -> Statement | None:
    parts = _split(words, "moves", "move")
    if parts is None or not _agrees(thing := _thing(parts[0]), parts[2], "moves") or parts[1][:1] != ("from",):
        return None
    ends = _split(parts[1][1:], "to")
    places = tuple(" ".join(end) for end in ends[:2]) if ends else ()
    return Statement("move", (thing,), places) if places and set(places) <= set(PLACES) else None


def _read_count(words: Words) -> Statement | None:
    parts = _split(words, "increase", "decrease")
    thing = _thing(parts[0]) if parts else None
    if thing is None or thing.count is not None or len(parts[1]) != 4 or parts[1][::2] != ("from", "to"):
        return None
    numbers = tuple(_NUMBER_OF.get(word) for word in parts[1][1::2])
    if None in numbers or numbers[0] == numbers[1] or (numbers[1] > numbers[0]) != (parts[2] == "increase"):
        return None
    return Statement("count", (thing,), numbers)


def _read_turn(words: Words) -> Statement | None:
    parts = _split(words, "turns", "turn")
    if parts is None or not _agrees(thing := _thing(parts[0]), parts[2], "turns") or not parts[1]:
        return None
    value, place = parts[1][0], parts[1][1:]
    aspect = "colour" if value in COLOURS else "size" if value in SIZES else None
    return Statement(aspect, (thing,), (value, _PLACE_OF[place])) if aspect and place in _PLACE_OF else None


def _read_order(words: Words) -> Statement | None:
    for line, side in HEADLINE_SIDES.items():
        parts: list[Words] = [()]
        for index, word in enumerate(words):
            if word == side[0]:
                parts.append(())
            elif index == 0 or word not in side[1:] or words[index - 1] != side[0]:
                parts[-1] += (word,)
        things = tuple(_thing(part) for part in parts)
        if len(things) == 3 and all(thing is not None and thing.count is not None for thing in things):
            return Statement("order", things, (line,)) if words.count(side[-1]) == 2 else None
    return None


# Judging


def _problems(story: Story, statement: Statement) -> list[str]:
    places = [[i for i, group in enumerate(story.groups) if group.kind == thing.kind] for thing in statement.things]
    if absent := [thing.kind for thing, found in zip(statement.things, places, strict=True) if not found]:
        return [f"there is no {kind} in the report" for kind in absent]
    groups = [found[0] for found in places]
    if len(set(groups)) < len(groups):
        return ["a group is named twice"]
    described = [
        problem
        for thing, group in zip(statement.things, groups, strict=True)
        for problem in _described(story, thing, group)
    ]
    return described + _JUDGES[statement.news](story, statement, groups)


def _disputed(story: Story, group: int, aspect: str) -> bool:
    return any((claim.group, claim.aspect) == (group, aspect) for claim in story.claims)


def _described(story: Story, thing: Thing, group: int) -> list[str]:
    """What is wrong with number, size and colour: each must be that of the beginning or the end."""
    ends: tuple[Group, Group] = (story.groups[group], groups_after(story.groups, story.steps)[group])
    problems = []
    for aspect in ("count", "size", "colour"):
        said = getattr(thing, aspect)
        if said is not None and (_disputed(story, group, aspect) or all(getattr(e, aspect) != said for e in ends)):
            problems.append(f"the {noun(thing.kind, ends[0].count)} {verb(ends[0].count)} not said to be {said}")
    return problems


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
    line = statement.values[0]
    places = [groups_after(story.groups, story.steps)[group].place for group in groups]
    wrong = [1 for near, far in zip(places, places[1:], strict=False) if direction(near, far) != line]
    return ["they do not stand in this order"] if wrong else []


_JUDGES: dict[str, Callable[[Story, Statement, list[int]], list[str]]] = {
    **dict.fromkeys(("move", "count", "colour", "size"), _judge_change),
    "swap": _judge_swap, "most": _judge_most, "order": _judge_order,
}  # fmt: skip
