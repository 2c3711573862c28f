"""What a report is about: groups of things, what happens to them, what witnesses say, and which of this is the news.

There is exactly one piece of news, so that the facts decide it:

- "move", "colour", "size", "count": the one thing that differs between the beginning and the end;
- "swap": two groups that end where the other one began, the only difference;
- "most": nothing differs, and of two claims one is held by more witnesses at the end;
- "order": nothing differs and nobody is at odds; three groups stand in a line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from course_utils.data.words_of_things import COLOURS, KINDS, NUMBERS, PLACE_PHRASES, SIZES, pick, sample_groups, take

CHANGING = {"move": "place", "swap": "place", "colour": "colour", "size": "size", "count": "count"}
"""Kind of news → the aspect of a group that changes; the other two kinds change nothing."""
NEWS = (*CHANGING, "most", "order")
VALUES = {"place": tuple(PLACE_PHRASES), "colour": tuple(COLOURS), "size": SIZES, "count": tuple(NUMBERS)}
"""Aspect of a group → its values."""
CHILDREN = ("anna", "ben", "carl", "dora", "emil", "fay", "gus", "hana", "ivo", "jana", "karim", "lea")
LINES = {"above": ("top", "middle", "bottom"), "left": ("left", "middle", "right")}
"""Direction in which each group of a line lies from the next → places of the line."""
MOST_UNDONE = 2  # most pairs of steps that cancel each other
ALIKE = (
    0.65  # share of stories whose groups all have the same number, so that "moves" does not tell which of them moves
)
_BLOCKS = [list(KINDS)[block::8] for block in range(8)]  # kinds of one block do not meet


class Group(NamedTuple):
    """Like things that stand together; no two groups of a story have the same kind, or begin in the same place."""

    kind: str
    count: int
    size: str
    colour: str | None  # None for kinds that are not painted
    place: str


class Step(NamedTuple):
    """A group (by its index) gets another value of an aspect; a count changes by one."""

    group: int
    aspect: str
    value: str | int


class Claim(NamedTuple):
    """One of the two things that witnesses may hold; "direction": `group` lies "above" or "left" (value) of `other`."""

    aspect: str
    group: int
    value: str | int
    other: int | None = None


class Vote(NamedTuple):
    """What a witness says, the last vote of each counts: a claim (its index), or the same as a partner, or not."""

    speaker: str
    claim: int | None = None
    partner: str | None = None
    agrees: bool = True


@dataclass(frozen=True)
class Story:
    """The facts of a report."""

    news: str  # of `NEWS`
    groups: tuple[Group, ...]  # two to four, as they are at the beginning
    steps: tuple[Step, ...] = ()  # what happens, in order
    claims: tuple[Claim, ...] = ()  # the two that witnesses differ about, or none
    votes: tuple[Vote, ...] = ()  # what witnesses say, in order
    line: str | None = None  # for "order": the direction from each group to the next, "above" or "left"
    ranks: tuple[int, ...] = ()  # for "order": the indices of the groups

    @property
    def end(self) -> tuple[Group, ...]:
        """The groups once all steps have happened."""
        return groups_after(self.groups, self.steps)


def groups_after(groups: Sequence[Group], steps: Iterable[Step]) -> tuple[Group, ...]:
    """The groups once the steps have happened."""
    after = list(groups)
    for group, aspect, value in steps:
        after[group] = after[group]._replace(**{aspect: value})
    return tuple(after)


def net_changes(story: Story) -> dict[tuple[int, str], tuple[str | int, str | int]]:
    """What differs in the end: group and aspect → value before and after, in the order of the first step towards it."""
    last = {(group, aspect): value for group, aspect, value in story.steps}
    ends = {(group, aspect): (getattr(story.groups[group], aspect), value) for (group, aspect), value in last.items()}
    return {what: (before, after) for what, (before, after) in ends.items() if before != after}


def standing_votes(votes: Iterable[Vote]) -> dict[str, int]:
    """What each witness holds at the end: name → index of the claim."""
    held: dict[str, int] = {}
    for speaker, claim, partner, agrees in votes:
        held[speaker] = claim if partner is None else held[partner] if agrees else 1 - held[partner]
    return held


def majority(story: Story) -> int:
    """Index of the claim that more witnesses hold at the end."""
    held = standing_votes(story.votes).values()
    return int(2 * sum(held) > len(held))


def sample_story(random: Random, news: str) -> Story:
    """Sample the facts of a report; `news` is of `NEWS`."""
    if news in ("most", "order"):
        return (_sample_opinions if news == "most" else _sample_line)(random)
    fitting: list[int] = []
    while not fitting:
        groups = _sample_groups(random, 2 + pick(random, range(3)))
        fitting = [index for index, group in enumerate(groups) if news != "colour" or group.colour]
    group, aspect = pick(random, fitting), CHANGING[news]
    if news == "swap":
        other = pick(random, [index for index in range(len(groups)) if index != group])
        steps = [Step(group, "place", groups[other].place), Step(other, "place", groups[group].place)]
    else:
        steps = [Step(group, aspect, pick(random, _values(groups, group, aspect)))]
        if random.random() >= 0.65:
            values = _values(groups_after(groups, steps), group, aspect)
            further = [value for value in values if value != getattr(groups[group], aspect)]
            steps += [Step(group, aspect, pick(random, further))] if further else []
    return Story(news, groups, _with_undone(random, groups, steps, aspect))


def _sample_groups(random: Random, count: int) -> tuple[Group, ...]:
    kinds = [pick(random, block) for block in take(random, _BLOCKS, count)]
    groups = [Group(*facts) for facts in sample_groups(random, kinds)]
    alike = random.random() < ALIKE
    return tuple(group._replace(count=groups[0].count) if alike else group for group in groups)


def _values(groups: Sequence[Group], group: int, aspect: str) -> list:
    """The values that an aspect could take next; for a place those where nobody stands."""
    now = getattr(groups[group], aspect)
    taken = {other.place for other in groups} if aspect == "place" else {now}
    return [value for value in VALUES[aspect] if value not in taken and (aspect != "count" or abs(value - now) == 1)]


def _with_undone(
    random: Random, groups: Sequence[Group], steps: list[Step], aspect: str = "", closed: str = ""
) -> tuple[Step, ...]:
    """Mix in pairs of steps that cancel each other, mostly of the aspect that matters, never of the closed one."""
    for _ in range(min(int(random.random() * (MOST_UNDONE + 1.3)), MOST_UNDONE)):
        taken = {(step.group, step.aspect) for step in steps}
        places = {step.value for step in steps if step.aspect == "place"}
        free = [(index, name) for index, group in enumerate(groups) for name in VALUES if getattr(group, name)]
        free = [what for what in free if what[1] != closed and what not in taken]
        if not free:
            break
        like = [entry for entry in free if entry[1] == aspect]
        group, name = pick(random, like if like and random.random() < 0.7 else free)
        if values := [value for value in _values(groups, group, name) if value not in places]:
            there = Step(group, name, pick(random, values))
            steps = _merge(random, steps, [there, Step(group, name, getattr(groups[group], name))])
    return tuple(steps)


def _merge(random: Random, first: Sequence[Step], second: Sequence[Step]) -> list[Step]:
    """Both in their own order, mixed."""
    merged, first, second = [], list(first), list(second)
    while first and second:
        merged.append((first if random.random() < len(first) / (len(first) + len(second)) else second).pop(0))
    return merged + first + second


def _sample_line(random: Random) -> Story:
    """Three groups in a line."""
    line, groups, ranks = pick(random, tuple(LINES)), list(_sample_groups(random, 3)), [0, 1, 2]
    for last in (2, 1):
        other = pick(random, range(last + 1))
        ranks[last], ranks[other] = ranks[other], ranks[last]
    for rank, place in zip(ranks, LINES[line], strict=True):
        groups[rank] = groups[rank]._replace(place=place)
    steps = _with_undone(random, groups, [], closed="place")[:2]
    return Story("order", tuple(groups), steps, line=line, ranks=tuple(ranks))


def _sample_opinions(random: Random) -> Story:
    """Two claims about the groups, and witnesses who differ."""
    groups = _sample_groups(random, 2 + pick(random, range(2)))
    group = pick(random, range(len(groups)))
    painted, several = bool(groups[group].colour), groups[group].count > 1
    aspect = pick(random, ["direction", "direction", "place", *["colour"] * 2 * painted, "size", *["count"] * several])
    if aspect == "direction":
        line = pick(random, tuple(LINES))
        other = pick(random, [index for index in range(len(groups)) if index != group])
        claims = (Claim("direction", group, line, other), Claim("direction", other, line, group))
    elif aspect == "count":
        claims = (Claim("count", group, 2), Claim("count", group, 3))
    else:
        values = [getattr(groups[group], aspect), pick(random, _values(groups, group, aspect))]
        first = pick(random, range(2))
        claims = (Claim(aspect, group, values[first]), Claim(aspect, group, values[1 - first]))
    steps = _with_undone(random, groups, [], closed="place" if aspect == "direction" else aspect)[:2]
    return Story("most", groups, steps, claims, _sample_votes(random))


def _sample_votes(random: Random) -> tuple[Vote, ...]:
    """Three to five witnesses, both claims said outright at least once, one perhaps thinks again; no tie."""
    while True:
        speakers = take(random, CHILDREN, 3 + pick(random, range(3)))
        first = pick(random, range(2))
        votes = [Vote(speakers[0], claim=first), Vote(speakers[1], claim=1 - first)]
        votes += [_sample_vote(random, speakers[number], speakers[:number]) for number in range(2, len(speakers))]
        if random.random() < 0.3:  # somebody thinks again
            speaker, before = pick(random, speakers[:-1]), standing_votes(votes)
            votes.append(_sample_vote(random, speaker, [name for name in speakers if name != speaker]))
            if standing_votes(votes)[speaker] == before[speaker]:
                continue
        held = standing_votes(votes).values()
        if 2 * sum(held) != len(held):
            return tuple(votes)


def _sample_vote(random: Random, speaker: str, others: Sequence[str]) -> Vote:
    how = random.random()
    if how < 0.3:
        return Vote(speaker, claim=pick(random, range(2)))
    return Vote(speaker, partner=pick(random, others), agrees=how < 0.75)
