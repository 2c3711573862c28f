"""Reading captions of scenes: what a caption states, and whether that is the whole truth about a scene.

The grammar::

    caption  : clause { ("," | "and" | ", and") clause }
    clause   : sweep (":" | "we see") groups                     from left to right : a big dog and two small cats
             | place ("there is" | "is" | "we see" ...) group            on the left is a big dog
             | relation groups ("is" | "there is" ...) group             above a big dog are two small cats
             | groups "is" (where | "between" ends) [", which is" relation groups ...]
             | ["we see" | "there is" | "the picture shows"] group [where]
    where    : place | relation groups
    groups   : group { "," group } ["and" group]

A group is a noun phrase: in full ("two small red cars") or, described elsewhere, with "the" ("the cars"). English has
to be right: "a apple", "two dog" and "the dogs is" cannot be read. Where two readings are possible, the one that joins
more groups with "and" is taken first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from course_utils.datasets.scene_kinds import COLOURS, KINDS
from course_utils.datasets.scene_layouts import LAYOUTS, arrangements, direction, is_between
from course_utils.datasets.scene_words import (
    LEADS,
    NUMBERS,
    PLACE_PHRASES,
    RELATION_PHRASES,
    SIZES,
    SWEEPS,
    noun_phrase,
    verb,
)
from course_utils.datasets.scenes import Group, Scene


class Mention(NamedTuple):
    """A noun phrase: what it says of a group; None where it says nothing, or no more than "several" of the count."""

    kind: str
    count: int | None
    size: str | None
    colour: str | None
    definite: bool


class At(NamedTuple):
    """A group stands at a place of the picture."""

    kind: str
    place: str

    def holds(self, places: dict[str, str]) -> bool:
        """Whether this is so when the kinds stand at these places."""
        return places[self.kind] == self.place


class Towards(NamedTuple):
    """A group lies in a direction from another."""

    kind: str
    direction: str
    other: str

    def holds(self, places: dict[str, str]) -> bool:
        """Whether this is so when the kinds stand at these places."""
        return self.kind != self.other and direction(places[self.kind], places[self.other]) == self.direction


class Between(NamedTuple):
    """A group stands in a line between two others."""

    kind: str
    first: str
    last: str

    def holds(self, places: dict[str, str]) -> bool:
        """Whether this is so when the kinds stand at these places."""
        return len(set(self)) == 3 and is_between(*(places[kind] for kind in self))


Fact = At | Towards | Between


@dataclass(frozen=True)
class Statement:
    """What a caption, or a part of one, says.

    Attributes:
        mentions: its noun phrases, in order.
        facts: what it says about where they are.
    """

    mentions: tuple[Mention, ...] = ()
    facts: tuple[Fact, ...] = ()

    def __add__(self, other: "Statement") -> "Statement":
        return Statement(self.mentions + other.mentions, self.facts + other.facts)


def read_caption(words: Sequence[str]) -> Statement | None:
    """Read a tokenised caption; None if it is no caption of the grammar above.

    Raises:
        TypeError: if `words` is a string.
    """
    if isinstance(words, str):
        raise TypeError(f"words is the string {words!r}; expected a sequence of words. Split it first.")
    return _read(tuple(words))


@lru_cache(maxsize=4096)
def _read(words: tuple[str, ...]) -> Statement | None:
    return _Reader(words).read(0)


_SORTS = {
    "it cannot be read": "words",
    "it speaks of several": "count",
    "it speaks of a": "object",
    "it describes the": "object",
    "it says count": "count",
    "it says size": "size",
    "it says colour": "colour",
    "it is not true that": "place",
    "it does not say where": "place",
    "it leaves open": "place",
}


def caption_problems(scene: Scene | Sequence[Group], words: Sequence[str]) -> list[str]:
    """Say what keeps a caption from being a true and complete description of a scene.

    It has to describe every group once, with number, size, colour (if painted) and kind; nothing it says may be false;
    and every group has to be placed, in such a way that only this arrangement of the scene's groups fits.

    Args:
        scene: the truth.
        words: tokenised caption, without begin and end symbols.

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
            problems.append(f"it describes the {noun_of(groups[kind])} {times} times, not once")
    if problems:  # facts about groups that are not there have no truth
        return problems
    places = {kind: group.place for kind, group in groups.items()}
    problems += [f"it is not true that the {_tell(fact)}" for fact in statement.facts if not fact.holds(places)]
    problems += [f"it does not say where the {kind} is" for kind in groups if not _is_placed(kind, statement.facts)]
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


def noun_of(group: Group) -> str:
    """The noun for a group, singular or plural."""
    return noun_phrase(group.kind, group.count)[-1]


def _tell(fact: Fact) -> str:
    return " ".join(str(part) for part in fact) if not isinstance(fact, Between) else f"{fact[0]} is between others"


def _mention_problems(groups: dict[str, Group], mention: Mention) -> list[str]:
    group = groups.get(mention.kind)
    if group is None:
        return [f"it speaks of a {mention.kind}, which the scene does not have"]
    problems = []
    if mention.count is None and group.count == 1:
        problems.append(f"it speaks of several {mention.kind} objects, but there is one")
    for attribute in ("count", "size", "colour"):
        said, truth = getattr(mention, attribute), getattr(group, attribute)
        untold = said is None and (mention.definite or truth is None)
        if said != truth and not untold:
            problems.append(f"it says {attribute} {said!r} of the {noun_of(group)}, but that is {truth!r}")
    return problems


def _is_placed(kind: str, facts: Sequence[Fact]) -> bool:
    return any(kind in (fact[:1] if isinstance(fact, At) else fact) for fact in facts)


@lru_cache(maxsize=4096)
def _arrangements_fitting(kinds: tuple[str, ...], facts: tuple[Fact, ...]) -> int:
    """How many arrangements of these groups agree with all facts."""
    if len(kinds) not in LAYOUTS:
        return 0
    ways = (dict(zip(kinds, places, strict=True)) for places in arrangements(len(kinds)))
    return sum(all(fact.holds(places) for fact in facts) for places in ways)


@cache
def _phrases() -> dict[tuple[str, ...], Mention]:
    """Every noun phrase that can be read."""
    table = {}
    for name, kind in KINDS.items():
        for count in NUMBERS:
            for definite in (False, True):
                for size in (None, *SIZES):
                    for colour in (None, *COLOURS) if kind.painted else (None,):
                        words = noun_phrase(name, count, size, colour, definite=definite)
                        said = None if definite and count > 1 else count
                        table[words] = Mention(name, said, size, colour, definite)
    return table


_LONGEST_PHRASE = 4
_Step = tuple[int, Statement]


class _Reader:
    """Recursive descent with backtracking; no rest of the caption is read twice."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words
        self.rests: dict[int, Statement | None] = {}

    def read(self, start: int) -> Statement | None:
        """The first reading of everything from `start` on."""
        if start not in self.rests:
            self.rests[start] = None  # a clause is never empty, so this is not met again
            self.rests[start] = next(self._readings(start), None)
        return self.rests[start]

    def _readings(self, start: int) -> Iterator[Statement]:
        for end, statement in self.clause(start):
            if end == len(self.words):
                yield statement
            for joiner in ((",", "and"), (",",), ("and",)):
                if (after := self.match(end, joiner)) and (rest := self.read(after)):
                    yield statement + rest

    def match(self, start: int, words: Sequence[str]) -> int | None:
        """The position after `words` if they stand at `start`; never 0 for words that are not empty."""
        end = start + len(words)
        return end if self.words[start:end] == tuple(words) else None

    def group(self, start: int) -> tuple[int, Mention] | None:
        """A noun phrase."""
        for end in range(start + 2, min(start + _LONGEST_PHRASE, len(self.words)) + 1):
            if mention := _phrases().get(self.words[start:end]):
                return end, mention
        return None

    def groups(self, start: int) -> list[tuple[int, tuple[Mention, ...]]]:
        """Noun phrases in a row, longest list first; several need an "and" before the last."""
        found = self.group(start)
        if not found:
            return []
        lists, mentions = [(found[0], found[1:])], found[1:]
        end = found[0]
        while True:
            if (after := self.match(end, ("and",))) and (last := self.group(after)):
                lists.append((last[0], (*mentions, last[1])))
            if not ((after := self.match(end, (",",))) and (following := self.group(after))):
                return lists[::-1]
            end, mentions = following[0], (*mentions, following[1])

    def place(self, start: int) -> Iterator[tuple[int, str]]:
        """A place of the picture."""
        for place, words in PLACE_PHRASES.items():
            if end := self.match(start, words):
                yield end, place

    def relation(self, start: int) -> Iterator[tuple[int, str]]:
        """A direction; "above and to the left of" is tried before "above"."""
        for towards, wordings in sorted(RELATION_PHRASES.items(), key=lambda item: -len(item[1][0])):
            for words in wordings:
                if end := self.match(start, words):
                    yield end, towards

    def where(self, start: int, subjects: tuple[Mention, ...]) -> Iterator[_Step]:
        """A place, or a relation to other groups."""
        for end, place in self.place(start):
            yield end, Statement((), tuple(At(subject.kind, place) for subject in subjects))
        for middle, towards in self.relation(start):
            for end, others in self.groups(middle):
                facts = tuple(Towards(one.kind, towards, other.kind) for one in subjects for other in others)
                yield end, Statement(others, facts)

    def clause(self, start: int) -> Iterator[_Step]:
        """One clause, in every way that it can be read."""
        yield from self.swept(start)
        yield from self.fronted(start)
        for end, subjects in self.groups(start):
            if after := self.match(end, (_verb(subjects),)):
                yield from self.predicate(after, subjects)
        yield from self.listed(start)

    def swept(self, start: int) -> Iterator[_Step]:
        """ "from left to right : ..."."""
        for sweep, towards in SWEEPS.items():
            for lead in ((":",), ("we", "see")):
                if middle := self.match(start, (*sweep, *lead)):
                    for end, mentions in self.groups(middle):
                        if len(mentions) > 1:
                            kinds = [mention.kind for mention in mentions]
                            pairs = zip(kinds, kinds[1:], strict=False)
                            yield end, Statement(mentions, tuple(Towards(a, towards, b) for a, b in pairs))

    def fronted(self, start: int) -> Iterator[_Step]:
        """ "on the left there is ...", "above a big dog are ..."."""
        nothing = Mention("", 1, None, None, False)
        for middle, stated in self.where(start, (nothing,)):
            for lead in (("there", "is"), ("there", "are"), ("is",), ("are",), ("we", "see")):
                if (after := self.match(middle, lead)) and (found := self.group(after)):
                    end, mention = found
                    if lead[-1] in ("see", _verb((mention,))):
                        facts = tuple(fact._replace(kind=mention.kind) for fact in stated.facts)
                        yield end, Statement((*stated.mentions, mention), facts)

    def predicate(self, start: int, subjects: tuple[Mention, ...]) -> Iterator[_Step]:
        """What follows "is" or "are"."""
        for end, stated in self.where(start, subjects):
            statement = Statement(subjects) + stated
            yield from self.chained(end, statement)
            yield end, statement
        if (after := self.match(start, ("between",))) and len(subjects) == 1:
            yield from self.between(after, subjects[0])

    def chained(self, start: int, statement: Statement) -> Iterator[_Step]:
        """ ", which is above ..." after a statement whose last noun phrase is meant."""
        last = statement.mentions[-1:]
        if (after := self.match(start, (",", "which", _verb(last)))) and isinstance(statement.facts[-1], Towards):
            for end, stated in self.where(after, last):
                yield from self.chained(end, statement + stated)
                yield end, statement + stated

    def between(self, start: int, subject: Mention) -> Iterator[_Step]:
        """ "between ... and ...", each end with its place if that is said."""
        if not (first := self.group(start)):
            return
        for middle, place in (*self.place(first[0]), (first[0], None)):
            if (after := self.match(middle, ("and",))) and (last := self.group(after)):
                for end, other_place in (*self.place(last[0]), (last[0], None)):
                    ends = ((first[1], place), (last[1], other_place))
                    said = tuple(At(mention.kind, where) for mention, where in ends if where)
                    fact = Between(subject.kind, first[1].kind, last[1].kind)
                    yield end, Statement((subject, first[1], last[1]), (fact, *said))

    def listed(self, start: int) -> Iterator[_Step]:
        """ "we see two small dogs on the left"."""
        for lead in LEADS:
            after = self.match(start, lead)
            if after is not None and (found := self.group(after)):
                end, mention = found
                if lead and lead[0] == "there" and lead[1] != _verb((mention,)):
                    continue
                for position, stated in self.where(end, (mention,)):
                    yield position, Statement((mention,)) + stated
                yield end, Statement((mention,))


def _verb(subjects: Sequence[Mention]) -> str:
    return verb(1 if len(subjects) == 1 and subjects[0].count == 1 else 2)
