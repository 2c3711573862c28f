"""Captions of a scene: several wordings, each true and complete, with the gold boxes of what its words name.

A caption says of every group how many, how large, of which colour (if painted) and what it is, and says enough about
places or directions that only one arrangement fits. Who reads along always knows which group comes next: captions that
do not begin by saying where they look begin with the first group in reading order. `scene_reading` reads captions back,
in any order; neither uses the other's wordings, only the words of `scene_words`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise, permutations
from random import Random

from course_utils.datasets.scene_kinds import COLOURS, KINDS
from course_utils.datasets.scene_layouts import PLACES, arrangements, direction
from course_utils.datasets.scene_words import (
    PLACE_PHRASES,
    RELATION_PHRASES,
    SIZES,
    SWEEPS,
    noun_phrase,
    verb,
)
from course_utils.datasets.scenes import Box, Scene

REFERENCES = 5
"""Captions in a reference set."""


@dataclass(frozen=True)
class Caption:
    """One tokenised description.

    Attributes:
        words: lower-case words; commas and colons are words.
        nouns: `(word index, group index)` of each word that names objects.
        phrases: `(word index, group index)` of each word that belongs to the phrase of such a noun, the noun included.
    """

    words: tuple[str, ...]
    nouns: tuple[tuple[int, int], ...]
    phrases: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """The caption as one line of text."""
        return " ".join(self.words).replace(" ,", ",").replace(" :", ":")

    def boxes(self, scene: Scene) -> dict[int, tuple[Box, ...]]:
        """Word index → gold boxes, in pixels, of the objects that the word names; nouns only."""
        return {word: scene.groups[group].boxes for word, group in self.nouns}


_Words = list[tuple[str, int | None, bool]]  # word, the group it speaks of, whether it is the noun


def make_captions(scene: Scene, count: int = REFERENCES) -> list[Caption]:
    """Write different captions of a scene; the same scene always gets the same ones, whatever `count` is.

    Args:
        scene: what to describe.
        count: how many, 1 to 8.

    Raises:
        ValueError: if `count` is out of range.
    """
    if not isinstance(count, int) or not 1 <= count <= 8:
        raise ValueError(f"count={count!r}: expected a whole number from 1 to 8; every scene has at least 8 wordings.")
    captions: dict[tuple[str, ...], Caption] = {}
    for caption in _wordings(scene):
        captions.setdefault(caption.words, caption)
        if len(captions) == count:
            break
    return list(captions.values())


def _wordings(scene: Scene) -> Iterator[Caption]:
    """Captions without end, template after template in random order, some twice."""
    random = Random(f"captions {scene.key}")
    templates = list(_TEMPLATES)
    random.shuffle(templates)
    while True:
        for template in templates:
            words = template(scene, random)
            if words:
                yield Caption(
                    tuple(word for word, _, _ in words),
                    tuple((index, group) for index, (_, group, is_noun) in enumerate(words) if is_noun),
                    tuple((index, group) for index, (_, group, _) in enumerate(words) if group is not None),
                )


def _say(*words: str) -> _Words:
    return [(word, None, False) for word in words]


def _name(scene: Scene, index: int, *, again: bool = False) -> _Words:
    """The phrase for a group: in full, or "the dogs" where it was described before."""
    group = scene.groups[index]
    attributes = (None, None) if again else (group.size, group.colour)
    words = noun_phrase(group.kind, group.count, *attributes, definite=again)
    return [(word, index, place == len(words) - 1) for place, word in enumerate(words)]


def _is(scene: Scene, index: int) -> _Words:
    return _say(verb(scene.groups[index].count))


def _place(scene: Scene, index: int) -> _Words:
    return _say(*PLACE_PHRASES[scene.groups[index].place])


def _direction(scene: Scene, first: int, second: int, random: Random) -> _Words:
    """How the first group lies from the second."""
    phrases = RELATION_PHRASES[direction(scene.places[first], scene.places[second])]
    return _say(*phrases[int(random.random() * len(phrases))])


def _join(parts: list[_Words]) -> _Words:
    """ "a and b", "a , b and c"."""
    words = list(parts[0])
    for part in parts[1:-1]:
        words += [*_say(","), *part]
    return words if len(parts) == 1 else [*words, *_say("and"), *parts[-1]]


def _join_clauses(clauses: list[_Words]) -> _Words:
    """ "a , and b", "a , b , and c": with a comma before "and", since clauses may hold an "and" of their own."""
    words = list(clauses[0])
    for number, clause in enumerate(clauses[1:], 2):
        words += [*_say(","), *(_say("and") if number == len(clauses) else []), *clause]
    return words


def _shuffled(scene: Scene, random: Random) -> list[int]:
    order = list(range(len(scene.groups)))
    random.shuffle(order)
    return order


def _in_reading_order(scene: Scene) -> list[int]:
    """The groups from top to bottom, and within a row from left to right."""
    return sorted(range(len(scene.groups)), key=lambda index: PLACES[scene.places[index]][::-1])


def _listed(scene: Scene, random: Random) -> _Words:
    """ "we see two small dogs on the left and a big red car on the right"."""
    order = _in_reading_order(scene)
    leads = ([], [*_say("there"), *_is(scene, order[0])], _say("we", "see"), _say("the", "picture", "shows"))
    lead = leads[int(random.random() * len(leads))]
    return [*lead, *_join([[*_name(scene, index), *_place(scene, index)] for index in order])]


def _fronted(scene: Scene, random: Random) -> _Words:
    """ "on the left there are two small dogs , and on the right there is a big red car"."""
    style = int(random.random() * 3)
    clauses = []
    for index in _shuffled(scene, random):
        middle = _say("we", "see") if style == 0 else [*_say(*["there"][: style - 1]), *_is(scene, index)]
        clauses.append([*_place(scene, index), *middle, *_name(scene, index)])
    return _join_clauses(clauses)


def _swept(scene: Scene, random: Random) -> _Words:
    """ "from left to right we see a big cat , two small dogs and three apples", for groups in a line."""
    fitting = [(sweep, order) for sweep, towards in SWEEPS.items() if (order := _line(scene.places, towards))]
    if not fitting:
        return []
    sweep, order = fitting[int(random.random() * len(fitting))]
    lead = _say(":") if random.random() < 0.5 else _say("we", "see")
    return [*_say(*sweep), *lead, *_join([_name(scene, index) for index in order])]


@cache
def _line(places: tuple[str, ...], towards: str) -> tuple[int, ...] | None:
    """The groups in order if each lies in the direction `towards` from all that follow it."""
    axis = 0 if towards in ("left", "right") else 1
    order = sorted(range(len(places)), key=lambda i: PLACES[places[i]][axis], reverse=towards in ("right", "below"))
    return tuple(order) if all(direction(places[a], places[b]) == towards for a, b in combinations(order, 2)) else None


@cache
def _fits_one(places: tuple[str, ...], links: tuple[tuple[int, int], ...]) -> bool:
    """Whether the directions between linked groups leave no other arrangement."""
    facts = [(a, b, direction(places[a], places[b])) for a, b in links]
    fitting = [
        other
        for other in arrangements(len(places))
        if all(direction(other[a], other[b]) == towards for a, b, towards in facts)
    ]
    return len(fitting) == 1


def _chained(scene: Scene, random: Random) -> _Words:
    """ "a big cat is above two small dogs , which are to the left of three small apples"."""
    orders = permutations(_in_reading_order(scene))
    order = next((order for order in orders if _fits_one(scene.places, tuple(pairwise(order)))), None)
    if order is None:
        return []
    words = _name(scene, order[0])
    for place, (first, second) in enumerate(pairwise(order)):
        words += [*(_say(",", "which") if place else []), *_is(scene, first)]
        words += [*_direction(scene, first, second, random), *_name(scene, second)]
    return words


def _inverted(scene: Scene, random: Random) -> _Words:
    """ "above two small dogs is a big cat", for two groups."""
    if len(scene.groups) != 2:
        return []
    first, second = _shuffled(scene, random)
    start = [*_direction(scene, first, second, random), *_name(scene, second)]
    return [*start, *(_say("there") if random.random() < 0.5 else []), *_is(scene, first), *_name(scene, first)]


def _hub(scene: Scene, random: Random) -> _Words:
    """ "a big cat is above two small dogs and a big drum , and the dogs are to the left of the drum"."""
    if len(scene.groups) != 3:
        return []
    places = scene.places
    for one, first, second in permutations(_in_reading_order(scene)):
        links = ((one, first), (one, second), (first, second))
        together = direction(places[one], places[first]) == direction(places[one], places[second])
        if together and _fits_one(places, links):
            pair = _join([_name(scene, first), _name(scene, second)])
            if random.random() < 0.5:
                main = [*_name(scene, one), *_is(scene, one), *_direction(scene, one, first, random), *pair]
            else:
                main = [*pair, *_say("are"), *_direction(scene, first, one, random), *_name(scene, one)]
            detail = [*_name(scene, first, again=True), *_is(scene, first)]
            detail += [*_direction(scene, first, second, random), *_name(scene, second, again=True)]
            return _join_clauses([main, detail])
    return []


def _rows(scene: Scene, random: Random) -> _Words:
    """ "a cat is to the left of two dogs , a car is to the left of a hat , and the cat is above the car", for four."""
    if len(scene.groups) != 4:
        return []
    places = scene.places
    for a, b, c, d in permutations(_in_reading_order(scene)):
        parallel = direction(places[a], places[b]) == direction(places[c], places[d])
        if parallel and _fits_one(places, ((a, b), (c, d), (a, c))):
            clauses = [
                [*_name(scene, x), *_is(scene, x), *_direction(scene, x, y, random), *_name(scene, y)]
                for x, y in ((a, b), (c, d))
            ]
            last = [*_name(scene, a, again=True), *_is(scene, a), *_direction(scene, a, c, random)]
            return _join_clauses([*clauses, [*last, *_name(scene, c, again=True)]])
    return []


def _between(scene: Scene, random: Random) -> _Words:
    """ "two small dogs are between a big cat on the left and a big drum on the right", for three in a line."""
    if "middle" not in scene.places:
        return []
    middle = scene.places.index("middle")
    first, last = (index for index in _shuffled(scene, random) if index != middle)
    ends = _join([[*_name(scene, index), *_place(scene, index)] for index in (first, last)])
    return [*_name(scene, middle), *_is(scene, middle), *_say("between"), *ends]


_TEMPLATES: tuple[Callable[[Scene, Random], _Words], ...] = (
    _listed, _fronted, _swept, _chained, _inverted, _hub, _rows, _between,
)  # fmt: skip


def caption_words() -> list[str]:
    """All words that captions can have, in alphabetical order."""
    words = {*SIZES, *COLOURS, "a", "two", "three", "the", "and", "which", "between", ",", ":", "is", "are"}
    words |= {word for kind in KINDS.values() for word in (kind.name, kind.plural)}
    for phrases in (PLACE_PHRASES.values(), SWEEPS, *RELATION_PHRASES.values()):
        words |= {word for phrase in phrases for word in phrase}
    return sorted(words | {"there", "we", "see", "picture", "shows"})
