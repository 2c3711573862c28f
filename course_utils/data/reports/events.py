"""What a report is about: a scene, what happens in it, what witnesses say of it, and which of this is the news.

A story begins with the groups of a scene. Steps change them, some for good and some only to be taken back; witnesses
differ about one thing; or groups stand in a line. There is exactly one piece of news, so that the facts decide it:

- "move", "colour", "size", "count": the one thing that differs between the beginning and the end;
- "swap": two groups that end where the other one began, the only difference;
- "most": nothing differs, and of two claims one is held by more witnesses at the end;
- "order": nothing differs and nobody is at odds; three groups stand in a line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

from course_utils.data.scenes.layouts import PLACES
from course_utils.data.scenes.scenes import Group, draw_facts, scene_key
from course_utils.data.words_of_things import COLOURS, LARGEST_COUNT, SIZES

NEWS = ("move", "swap", "colour", "size", "count", "most", "order")
"""Kinds of news."""
CHANGING = {"move": "place", "swap": "place", "colour": "colour", "size": "size", "count": "count"}
"""Kind of news → the aspect of a group that changes; the other two kinds change nothing."""
CHILDREN = ("anna", "ben", "carl", "dora", "emil", "fay", "gus", "hana", "ivo", "jana", "karim", "lea")
"""Who bears witness, hopes and likes."""
LINES = {"above": ("top", "middle", "bottom"), "left": ("left", "middle", "right")}
"""Direction in which each group of a line lies from the next → places of the line."""
MOST_UNDONE = 2
"""Most pairs of steps that cancel each other."""
ALIKE = 0.65
"""Share of scenes whose groups all have the same number."""


@dataclass(frozen=True)
class Step:
    """One thing that happens: an aspect of a group gets another value.

    The aspect is "place", "colour", "size" or "count" (which changes by one); groups are named by their index.
    """

    group: int
    aspect: str
    value: str | int


@dataclass(frozen=True)
class Change:
    """What differs between beginning and end; named as in `Step`."""

    group: int
    aspect: str
    before: str | int
    after: str | int


@dataclass(frozen=True)
class Claim:
    """One of the two things that witnesses may hold.

    Besides the aspects of a `Step` there is "direction": that `group` lies "above" or "left" (the value) of `other`.
    """

    aspect: str
    group: int
    value: str | int
    other: int | None = None


@dataclass(frozen=True)
class Vote:
    """What a witness (of `CHILDREN`) says; the last vote of each counts.

    Either a claim, by its index, is said outright, or the opinion that `partner` has at that moment is taken (or
    opposed, unless `agrees`).
    """

    speaker: str
    claim: int | None = None
    partner: str | None = None
    agrees: bool = True


@dataclass(frozen=True)
class Story:
    """The facts of a report.

    Attributes:
        news: of `NEWS`.
        groups: two to four, as they are at the beginning, without objects.
        steps: what happens, in order.
        claims: the two that witnesses differ about, or none.
        votes: what witnesses say, in order.
        line, ranks: for "order" the direction from each group to the next, "above" or "left", and their indices.
    """

    news: str
    groups: tuple[Group, ...]
    steps: tuple[Step, ...] = ()
    claims: tuple[Claim, ...] = ()
    votes: tuple[Vote, ...] = ()
    line: str | None = None
    ranks: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """The facts that matter, as one line: the scene at the beginning, and the news."""
        kinds = [group.kind for group in self.groups]
        facts = [f"{kinds[c.group]} {c.aspect} {c.before} {c.after}" for c in net_changes(self)]
        if self.news == "most":
            claim = self.claims[majority(self)]
            facts.append(f"{kinds[claim.group]} {claim.aspect} {claim.value}")
        if self.news == "order":
            facts.append(f"{self.line} {' '.join(kinds[rank] for rank in self.ranks)}")
        return f"{scene_key(self.groups)} || {self.news} || {' | '.join(sorted(facts))}"


def groups_after(groups: Sequence[Group], steps: Iterable[Step]) -> tuple[Group, ...]:
    """The groups once the steps have happened."""
    after = list(groups)
    for step in steps:
        after[step.group] = replace(after[step.group], **{step.aspect: step.value})
    return tuple(after)


def net_changes(story: Story) -> tuple[Change, ...]:
    """What differs between beginning and end, in the order of the first step towards each."""
    last = {(step.group, step.aspect): step.value for step in story.steps}
    changes = [Change(g, aspect, getattr(story.groups[g], aspect), value) for (g, aspect), value in last.items()]
    return tuple(change for change in changes if change.before != change.after)


def standing_votes(votes: Iterable[Vote]) -> dict[str, int]:
    """What each witness holds at the end: name → index of the claim.

    Raises:
        ValueError: if a vote refers to a witness who has not spoken yet.
    """
    held: dict[str, int] = {}
    for vote in votes:
        if vote.partner is None:
            held[vote.speaker] = vote.claim
        elif vote.partner not in held:
            raise ValueError(f"{vote.speaker} refers to {vote.partner!r}, who has said nothing; expected {list(held)}.")
        else:
            held[vote.speaker] = held[vote.partner] if vote.agrees else 1 - held[vote.partner]
    return held


def majority(story: Story) -> int:
    """Index of the claim that more witnesses hold at the end.

    Raises:
        ValueError: if there is none.
    """
    held = list(standing_votes(story.votes).values())
    if 2 * sum(held) == len(held):
        raise ValueError(f"the votes {held} have no majority; expected more for one claim than for the other.")
    return int(2 * sum(held) > len(held))


def pick(random: Random, options: Sequence):
    """Sample one; which random numbers follow does not depend on the options."""
    return options[below(random, len(options))]


def below(random: Random, count: int) -> int:
    """Sample a whole number from 0 to `count` − 1; asks for one random number, whatever the count."""
    return int(random.random() * count)


def draw_story(random: Random, news: str) -> Story:
    """Sample the facts of a report.

    Args:
        random: state of the generator.
        news: of `NEWS`.

    Raises:
        ValueError: if there is no such news.
    """
    if news not in NEWS:
        raise ValueError(f"news={news!r}: expected one of {NEWS}; choose one of them.")
    if news == "most":
        return _draw_opinions(random)
    if news == "order":
        return _draw_line(random)
    fitting: list[int] = []
    while not fitting:
        groups = _draw_groups(random, 2 + below(random, 3))
        fitting = [index for index, group in enumerate(groups) if news != "colour" or group.colour]
    group = pick(random, fitting)
    if news == "swap":
        other = pick(random, [index for index in range(len(groups)) if index != group])
        steps = [Step(group, "place", groups[other].place), Step(other, "place", groups[group].place)]
    else:
        steps = _path(random, groups, group, CHANGING[news])
    return Story(news, groups, _with_undone(random, groups, steps, CHANGING[news]))


def _draw_groups(random: Random, count: int) -> tuple[Group, ...]:
    """Groups that often have the same number, so that "moves" or "move" does not give away which of them moves."""
    groups = draw_facts(random, count)
    alike = random.random() < ALIKE
    return tuple(replace(group, count=groups[0].count) for group in groups) if alike else groups


def _values(groups: Sequence[Group], group: int, aspect: str) -> list:
    """The values that an aspect could take next; for a place those where nobody stands."""
    now = getattr(groups[group], aspect)
    if aspect == "count":
        return [count for count in (now - 1, now + 1) if 1 <= count <= LARGEST_COUNT]
    taken = {other.place for other in groups} if aspect == "place" else {now}
    return [value for value in {"place": PLACES, "colour": COLOURS, "size": SIZES}[aspect] if value not in taken]


def _path(random: Random, groups: Sequence[Group], group: int, aspect: str) -> list[Step]:
    """One or two steps to another value."""
    steps = [Step(group, aspect, pick(random, _values(groups, group, aspect)))]
    if random.random() >= 0.65:
        values = _values(groups_after(groups, steps), group, aspect)
        further = [value for value in values if value != getattr(groups[group], aspect)]
        steps += [Step(group, aspect, pick(random, further))] if further else []
    return steps


def _with_undone(
    random: Random, groups: Sequence[Group], steps: list[Step], aspect: str | None, closed: str = ""
) -> tuple[Step, ...]:
    """Mix in pairs of steps that cancel each other, mostly of the aspect that matters, never of the closed one."""
    taken = {(step.group, step.aspect) for step in steps}
    places = {step.value for step in steps if step.aspect == "place"}
    for _ in range(min(below(random, MOST_UNDONE + 1.3), MOST_UNDONE)):
        whole = [(index, name) for index in range(len(groups)) for name in ("place", "colour", "size", "count")]
        free = [
            (index, name)
            for index, name in whole
            if name != closed and (index, name) not in taken and (name != "colour" or groups[index].colour)
        ]
        if not free:
            break
        like = [entry for entry in free if entry[1] == aspect]
        group, name = pick(random, like if like and random.random() < 0.7 else free)
        values = [value for value in _values(groups, group, name) if name != "place" or value not in places]
        if values:
            there = Step(group, name, pick(random, values))
            places |= {there.value} if name == "place" else set()
            taken.add((group, name))
            steps = _merge(random, steps, [there, Step(group, name, getattr(groups[group], name))])
    return tuple(steps)


def _merge(random: Random, first: Sequence[Step], second: Sequence[Step]) -> list[Step]:
    """Both in their own order, mixed."""
    merged, first, second = [], list(first), list(second)
    while first and second:
        merged.append((first if random.random() < len(first) / (len(first) + len(second)) else second).pop(0))
    return merged + first + second


def _draw_line(random: Random) -> Story:
    """Three groups in a line."""
    line = pick(random, tuple(LINES))
    placed, ranks = list(_draw_groups(random, 3)), [0, 1, 2]
    for last in (2, 1):
        other = below(random, last + 1)
        ranks[last], ranks[other] = ranks[other], ranks[last]
    for rank, place in zip(ranks, LINES[line], strict=True):
        placed[rank] = replace(placed[rank], place=place)
    steps = _with_undone(random, placed, [], None, closed="place")[:2]
    return Story("order", tuple(placed), steps, line=line, ranks=tuple(ranks))


def _draw_opinions(random: Random) -> Story:
    """Two claims about a scene, and witnesses who differ."""
    groups = _draw_groups(random, 2 + below(random, 2))
    group = below(random, len(groups))
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
        first = below(random, 2)
        claims = (Claim(aspect, group, values[first]), Claim(aspect, group, values[1 - first]))
    steps = _with_undone(random, groups, [], None, closed="place" if aspect == "direction" else aspect)[:2]
    return Story("most", groups, steps, claims, _draw_votes(random))


def _draw_votes(random: Random) -> tuple[Vote, ...]:
    """Three to five witnesses, both claims said outright at least once, one perhaps thinks again; no tie."""
    while True:
        names = list(CHILDREN)
        speakers = [names.pop(below(random, len(names))) for _ in range(3 + below(random, 3))]
        first = below(random, 2)
        votes = [Vote(speakers[0], claim=first), Vote(speakers[1], claim=1 - first)]
        votes += [_draw_vote(random, speakers[number], speakers[:number]) for number in range(2, len(speakers))]
        if random.random() < 0.3:  # somebody thinks again
            speaker, before = pick(random, speakers[:-1]), standing_votes(votes)
            votes.append(_draw_vote(random, speaker, [name for name in speakers if name != speaker]))
            if standing_votes(votes)[speaker] == before[speaker]:
                continue
        held = standing_votes(votes).values()
        if 2 * sum(held) != len(held):
            return tuple(votes)


def _draw_vote(random: Random, speaker: str, others: Sequence[str]) -> Vote:
    how = random.random()
    if how < 0.3:
        return Vote(speaker, claim=below(random, 2))
    return Vote(speaker, partner=pick(random, others), agrees=how < 0.75)
