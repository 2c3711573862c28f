"""Captions of a scene: several wordings, each true and complete, with the gold boxes of what its words name.

A caption says of every group how many, how large, of which colour (if painted) and what it is, and says enough about
places or directions that only one arrangement fits. Who reads along always knows which group comes next: captions that
do not begin by saying where they look begin with the first group in reading order. `reading` reads captions back, in
any order; neither uses the other's wordings, only the words of `words`.
"""

from dataclasses import dataclass
from functools import cache
from itertools import combinations, cycle, pairwise, permutations
from random import Random

from course_utils.data.scenes.layouts import PLACES, arrangements, direction
from course_utils.data.scenes.scenes import Box, Scene
from course_utils.data.words_of_things import (
    COLOURS,
    KINDS,
    PLACE_PHRASES,
    RELATION_PHRASES,
    SIZES,
    SWEEPS,
    noun_phrase,
    verb,
)

REFERENCES = 5
"""Captions in a reference set."""


@dataclass(frozen=True)
class Caption:
    """One tokenised description."""

    words: tuple[str, ...]  # lower-case words; commas and colons are words
    nouns: tuple[tuple[int, int], ...]  # (word index, group index) of each word that names objects
    phrases: tuple[tuple[int, int], ...]  # the same of each word of the phrase of such a noun, the noun included

    def boxes(self, scene: Scene) -> dict[int, tuple[Box, ...]]:
        """Word index → gold boxes, in pixels, of the objects that the word names; nouns only."""
        return {word: scene.groups[group].boxes for word, group in self.nouns}


def make_captions(scene: Scene, count: int = REFERENCES) -> list[Caption]:
    """Write 1 to 8 different captions of a scene; the same scene always gets the same ones, whatever `count` is.

    Raises:
        ValueError: if `count` is out of range.
    """
    if not isinstance(count, int) or not 1 <= count <= 8:
        raise ValueError(f"count={count!r}: expected a whole number from 1 to 8; every scene has at least 8 wordings.")
    writer = _Writer(scene, Random(f"captions {scene.key}"))
    templates = [writer.listed, writer.fronted, writer.swept, writer.chained, writer.inverted, writer.hub, writer.rows,
                 writer.between]  # fmt: skip
    writer.random.shuffle(templates)
    captions: dict[tuple[str, ...], Caption] = {}
    for template in cycle(templates):
        if pieces := template():
            caption = _caption(scene, pieces)
            captions.setdefault(caption.words, caption)
        if len(captions) == count:
            return list(captions.values())


_Pieces = list[str | int]  # words, or the number of a group: i describes it in full, ~i names it again ("the dogs")


def _caption(scene: Scene, pieces: _Pieces) -> Caption:
    words, nouns, phrases = [], [], []
    for piece in pieces:
        if isinstance(piece, str):
            words += piece.split()
            continue
        index = max(piece, ~piece)
        group = scene.groups[index]
        attributes = (group.size, group.colour) if piece == index else (None, None)
        phrase = noun_phrase(group.kind, group.count, *attributes, definite=piece != index)
        phrases += [(len(words) + place, index) for place in range(len(phrase))]
        words += phrase
        nouns.append((len(words) - 1, index))
    return Caption(tuple(words), tuple(nouns), tuple(phrases))


def _join(parts: list[_Pieces], last: str = "and") -> _Pieces:
    """ "a and b", "a , b and c"; clauses, which may hold an "and" of their own, with ", and" before the last."""
    pieces = list(parts[0])
    for number, part in enumerate(parts[1:], 2):
        pieces += [last if number == len(parts) else ",", *part]
    return pieces


def _in_reading_order(places: tuple[str, ...]) -> list[int]:
    """The groups from top to bottom, and within a row from left to right."""
    return sorted(range(len(places)), key=lambda index: PLACES[places[index]][::-1])


@cache
def _line(places: tuple[str, ...], towards: str) -> tuple[int, ...] | None:
    """The groups in order if each lies in the direction `towards` from all that follow it."""
    axis = 0 if towards in ("left", "right") else 1
    order = sorted(range(len(places)), key=lambda i: PLACES[places[i]][axis], reverse=towards in ("right", "below"))
    return tuple(order) if all(direction(places[a], places[b]) == towards for a, b in combinations(order, 2)) else None


@cache
def _order(places: tuple[str, ...], links: tuple[tuple[int, int], ...], parallel: bool) -> tuple[int, ...] | None:
    """The first order of the groups in which the directions of these links leave no other arrangement.

    Links are pairs of positions in the order; `parallel`: the first two have to have the same direction.
    """
    for order in permutations(_in_reading_order(places)):
        facts = [(order[a], order[b], direction(places[order[a]], places[order[b]])) for a, b in links]
        ways = arrangements(len(places))
        fitting = sum(all(direction(way[a], way[b]) == towards for a, b, towards in facts) for way in ways)
        if fitting == 1 and not (parallel and facts[0][2] != facts[1][2]):
            return order
    return None


class _Writer:
    """The templates; each gives the pieces of a caption, none if it does not suit the scene."""

    def __init__(self, scene: Scene, random: Random) -> None:
        self.random, self.places, self.count = random, scene.places, len(scene.groups)
        self.verbs = [verb(group.count) for group in scene.groups]
        self.wheres = [" ".join(PLACE_PHRASES[place]) for place in scene.places]

    def direction(self, first: int, second: int) -> str:
        """How the first group lies from the second."""
        return " ".join(self.choose(RELATION_PHRASES[direction(self.places[first], self.places[second])]))

    def related(self, first: int, second: int, *, again: bool = False) -> _Pieces:
        """ "two small dogs are above a big cat", or "the dogs are above the cat"."""
        towards = self.direction(first, second)
        return [~first if again else first, self.verbs[first], towards, ~second if again else second]

    def choose(self, options: list | tuple):
        return options[int(self.random.random() * len(options))]

    def shuffled(self) -> list[int]:
        order = list(range(self.count))
        self.random.shuffle(order)
        return order

    def listed(self) -> _Pieces:
        """ "we see two small dogs on the left and a big red car on the right"."""
        order = _in_reading_order(self.places)
        lead = self.choose(("", f"there {self.verbs[order[0]]}", "we see", "the picture shows"))
        return [lead, *_join([[index, self.wheres[index]] for index in order])]

    def fronted(self) -> _Pieces:
        """ "on the left there are two small dogs , and on the right there is a big red car"."""
        lead = self.choose(("we see", "", "there"))
        clauses = [
            [self.wheres[index], lead, "" if lead == "we see" else self.verbs[index], index]
            for index in self.shuffled()
        ]
        return _join(clauses, ", and")

    def swept(self) -> _Pieces:
        """ "from left to right we see a big cat , two small dogs and three apples", for groups in a line."""
        fitting = [(words, order) for words, towards in SWEEPS.items() if (order := _line(self.places, towards))]
        if not fitting:
            return []
        sweep, order = self.choose(fitting)
        return [*sweep, self.choose((":", "we see")), *_join([[index] for index in order])]

    def chained(self) -> _Pieces:
        """ "a big cat is above two small dogs , which are to the left of three small apples"."""
        order = _order(self.places, tuple(pairwise(range(self.count))), False) or ()
        pieces = list(order[:1])
        for first, second in pairwise(order):
            lead = "" if first == order[0] else ", which"
            pieces += [lead, self.verbs[first], self.direction(first, second), second]
        return pieces

    def inverted(self) -> _Pieces:
        """ "above two small dogs is a big cat", for two groups."""
        if self.count != 2:
            return []
        first, second = self.shuffled()
        return [self.direction(first, second), second, self.choose(("there", "")), self.verbs[first], first]

    def hub(self) -> _Pieces:
        """ "a big cat is above two small dogs and a big drum , and the dogs are to the left of the drum"."""
        if self.count != 3 or not (order := _order(self.places, ((0, 1), (0, 2), (1, 2)), True)):
            return []
        one, first, second = order
        if self.choose((True, False)):
            main = [*self.related(one, first), "and", second]
        else:
            main = [first, "and", second, "are", self.direction(first, one), one]
        return _join([main, self.related(first, second, again=True)], ", and")

    def rows(self) -> _Pieces:
        """ "a cat is to the left of a dog , a car is to the left of a hat , and the cat is above the car", for four."""
        if self.count != 4 or not (order := _order(self.places, ((0, 1), (2, 3), (0, 2)), True)):
            return []
        a, b, c, d = order
        return _join([self.related(a, b), self.related(c, d), self.related(a, c, again=True)], ", and")

    def between(self) -> _Pieces:
        """ "two small dogs are between a big cat on the left and a big drum on the right", for three in a line."""
        if "middle" not in self.places:
            return []
        middle = self.places.index("middle")
        ends = [[index, self.wheres[index]] for index in self.shuffled() if index != middle]
        return [middle, self.verbs[middle], "between", *_join(ends)]


def caption_words() -> list[str]:
    """All words that captions can have, in alphabetical order."""
    words = {*SIZES, *COLOURS, "a", "two", "three", "the", "and", "which", "between", ",", ":", "is", "are", "there"}
    words |= {"we", "see", "picture", "shows"}
    words |= {word for kind in KINDS.values() for word in (kind.name, kind.plural)}
    for phrases in (PLACE_PHRASES.values(), SWEEPS, *RELATION_PHRASES.values()):
        words |= {word for phrase in phrases for word in phrase}
    return sorted(words)
