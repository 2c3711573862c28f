"""Captions of a scene: several wordings, each true and complete.

A caption says of every group how many, how large, of which colour (if painted) and what it is, and enough about places
or directions that only one arrangement fits. `reading` has the phrases and the forms of clauses, and reads them back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, cycle, pairwise, permutations
from random import Random

from course_utils.data.scenes.layouts import PLACES, arrangements, direction
from course_utils.data.scenes.reading import phrases
from course_utils.data.scenes.scenes import Scene
from course_utils.data.words_of_things import PLACE_PHRASES, RELATION_PHRASES, SWEEPS, noun_phrase, pick, verb


@dataclass(frozen=True)
class Caption:
    """One tokenised description; groups are those of its scene, by number."""

    words: tuple[str, ...]  # lower-case words; commas and colons are words
    nouns: tuple[tuple[int, int], ...] = ()  # (word index, group) of each word that names objects


def caption_words() -> list[str]:
    """All words that captions can have, in alphabetical order."""
    return sorted({word for phrase in phrases() for word in phrase} - {"an"})  # a size comes first: "a small owl"


def make_captions(scene: Scene, count: int = 5) -> list[Caption]:
    """Write 1 to 8 different captions of a scene; the same scene always gets the same ones, whatever `count` is.

    Raises:
        ValueError: if `count` is out of range.
    """
    if not 1 <= count <= 8:
        raise ValueError(f"count={count!r}: expected a whole number from 1 to 8; every scene has at least 8 wordings.")
    random = Random(f"captions {scene.key}")
    templates = _templates(random, scene.places)
    random.shuffle(templates)
    captions: dict[tuple[str, ...], Caption] = {}
    for template in cycle(templates):
        texts, order = template()
        if order:
            caption = _caption(random, scene, pick(random, texts) if len(texts) > 1 else texts[0], order)
            captions.setdefault(caption.words, caption)
        if len(captions) == count:
            return list(captions.values())


def _caption(random: Random, scene: Scene, text: str, order: Sequence[int]) -> Caption:
    """Put words in the place of signs: `0` is the noun phrase of the first group in the order, `=0` its verb, `@0` its
    place, `>01` its direction from the second, `a|b` one of two words."""
    words, nouns = [], {}
    for sign in text.split():
        kind, numbers = sign[0], [order[int(digit)] for digit in sign if digit.isdigit()]
        groups = [scene.groups[number] for number in numbers]
        if kind == "=":
            words.append(verb(groups[0].count))
        elif kind == "@":
            words += PLACE_PHRASES[groups[0].place]
        elif kind == ">":
            words += pick(random, RELATION_PHRASES[direction(*(group.place for group in groups))])
        elif not groups:
            words += (pick(random, sign.split("|")) if "|" in sign else sign).split()
        else:  # in full where the group comes first, later "the dogs"
            again = numbers[0] in nouns.values()
            attributes = (None, None) if again else (groups[0].size, groups[0].colour)
            words += noun_phrase(groups[0].kind, groups[0].count, *attributes, definite=again)
            nouns[len(words) - 1] = numbers[0]
    return Caption(tuple(words), tuple(nouns.items()))


def _templates(random: Random, places: tuple[str, ...]) -> list[Callable[[], tuple[Sequence[str], Sequence[int]]]]:
    """Functions that give texts for `_caption`, of which one is chosen, and an order; none if they do not suit."""
    each = range(len(places))

    def shuffled() -> list[int]:
        order = list(each)
        random.shuffle(order)
        return order

    def fronted() -> tuple[Sequence[str], Sequence[int]]:
        clause = pick(random, ("@{0} we see {0}", "@{0} ={0} {0}", "@{0} there ={0} {0}"))
        return [_join([clause.format(index) for index in each], ", and")], shuffled()

    def swept() -> tuple[Sequence[str], Sequence[int]]:
        fitting = [(words, order) for words, towards in SWEEPS.items() if (order := _line(places, towards))]
        sweep, order = pick(random, fitting) if fitting else ((), ())
        return [" ".join([*sweep, lead, _join([str(index) for index in each])]) for lead in (":", "we see")], order

    listed = _join([f"{index} @{index}" for index in each])
    leads = ("", "there =0", "we see", "the picture shows")
    return [
        # we see two small dogs on the left and a big red car on the right
        lambda: ([f"{lead} {listed}" for lead in leads], _in_reading_order(places)),
        # on the left there are two small dogs , and on the right there is a big red car
        fronted,
        # from left to right we see a big cat , two small dogs and three apples
        swept,
        # a big cat is above two small dogs , which are to the left of three small apples
        lambda: (
            [f"0 {' , which '.join(f'={a} >{a}{b} {b}' for a, b in pairwise(each))}"],
            _order(places, *pairwise(each), parallel=False),
        ),
        # above two small dogs is a big cat
        lambda: ([">01 1 there| =0 0"], shuffled() if len(places) == 2 else ()),
        # a big cat is above two small dogs and a big drum , and the dogs are to the left of the drum
        lambda: (
            ["0 =0 >01 1 and 2 , and 1 =1 >12 2", "1 and 2 are >10 0 , and 1 =1 >12 2"],
            _order(places, (0, 1), (0, 2), (1, 2)),
        ),
        # a cat is to the left of a dog , a car is to the left of a hat , and the cat is above the car
        lambda: (["0 =0 >01 1 , 2 =2 >23 3 , and 0 =0 >02 2"], _order(places, (0, 1), (2, 3), (0, 2))),
        # two small dogs are between a big cat on the left and a big drum on the right
        lambda: (
            ["0 =0 between 1 @1 and 2 @2"],
            sorted(shuffled(), key=lambda index: places[index] != "middle") if "middle" in places else (),
        ),
    ]


def _join(parts: Sequence[str], last: str = "and") -> str:
    """ "a and b", "a , b and c"; clauses, which may hold an "and" of their own, with ", and" before the last."""
    return f"{' , '.join(parts[:-1])} {last} {parts[-1]}"


def _in_reading_order(places: tuple[str, ...]) -> list[int]:
    """The groups from top to bottom, and within a row from left to right."""
    return sorted(range(len(places)), key=lambda index: PLACES[places[index]][::-1])


@cache
def _line(places: tuple[str, ...], towards: str) -> tuple[int, ...]:
    """The groups in order if each lies in the direction `towards` from all that follow it; else none."""
    for order in permutations(range(len(places))):
        if all(direction(places[a], places[b]) == towards for a, b in combinations(order, 2)):
            return order
    return ()


@cache
def _order(places: tuple[str, ...], *links: tuple[int, int], parallel: bool = True) -> tuple[int, ...]:
    """The first order of the groups in which the directions of these links leave no other arrangement; else none.

    Links are pairs of positions in the order; `parallel`: the first two have to have the same direction.
    """
    if max(map(max, links)) + 1 != len(places):
        return ()
    for order in permutations(_in_reading_order(places)):
        facts = [(a, direction(places[order[a]], places[order[b]]), b) for a, b in links]
        if arrangements(range(len(places)), facts) == 1 and not (parallel and facts[0][1] != facts[1][1]):
            return order
    return ()
