"""Where groups can stand: nine places, directions, and the objects inside a region.

Lengths are shares of the image's edge, x to the right and y downwards, so that a scene looks alike at any size.
"""

from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from itertools import permutations
from random import Random

from course_utils.data.words_of_things import LAYOUTS, PLACE_PHRASES

PLACES = {place: (number % 3, number // 3) for number, place in enumerate(PLACE_PHRASES)}
"""Place → its column and row."""

_LARGEST_SHIFT = 0.06  # of a group from the middle of its region; more could turn "left of" into a diagonal

Fact = tuple[Hashable, ...]
"""`(group, place)`; `(group, direction, other group)`; `(group, "between", one end, other end)`."""


def direction(first: str, second: str) -> str:
    """Where `first` lies, seen from `second`: one of eight words, for every pair of places exactly one.

    The longer of the two distances decides; where both are equal the direction is a diagonal such as "above left".

    Raises:
        ValueError: if both are the same.
    """
    across, down = (a - b for a, b in zip(PLACES[first], PLACES[second], strict=True))
    if not across and not down:
        raise ValueError(f"both places are {first!r}; expected two different places.")
    vertical, horizontal = "above" if down < 0 else "below", "left" if across < 0 else "right"
    if abs(across) == abs(down):
        return f"{vertical} {horizontal}"
    return horizontal if abs(across) > abs(down) else vertical


def fact_holds(fact: Fact, places: Mapping[Hashable, str]) -> bool:
    """Whether a fact is true when the groups stand at these places; nothing stands beside itself."""
    group, what, *others = fact
    if len({group, *others}) <= len(others):
        return False
    if what == "between":
        middle, first, last = (PLACES[places[name]] for name in (group, *others))
        return all(start + end == 2 * centre for centre, start, end in zip(middle, first, last, strict=True))
    return what == (direction(places[group], places[others[0]]) if others else places[group])


def arrangements(groups: Sequence[Hashable], facts: Sequence[Fact]) -> int:
    """In how many ways groups can stand so that all facts hold; 0 unless there are 2 to 4."""
    ways = (way for layout in LAYOUTS.get(len(groups), ()) for way in permutations(layout))
    arranged = (dict(zip(groups, way, strict=True)) for way in ways)
    return sum(all(fact_holds(fact, places) for fact in facts) for places in arranged)


@cache
def region(place: str, layout: tuple[str, ...]) -> tuple[float, float, float, float]:
    """The part of the image that a group has for itself: left, top, right, bottom as shares of the edge."""
    parts = 3 if "middle" in layout else 2
    column, row = PLACES[place]
    if " " in place:  # a corner: its quarter
        return column / 4, row / 4, column / 4 + 0.5, row / 4 + 0.5
    lines = {"left": 1, "right": 1, "top": 0, "bottom": 0}
    across = lines[place] if place in lines else int({"left", "right"} <= set(layout))
    start = (column if across else row) / 2 * (1 - 1 / parts)
    return (start, 0.0, start + 1 / parts, 1.0) if across else (0.0, start, 1.0, start + 1 / parts)


def spread(random: Random, area: tuple[float, ...], count: int, length: float) -> list[tuple[float, float]]:
    """Sample centres `(x, y)` for the 1 to 3 objects of a group, near the middle of their region.

    They stand in a row, a column or a triangle; neighbours overlap by about a fifth of their `length` at most.
    """
    width, height = area[2] - area[0], area[3] - area[1]
    wide, tall = width > 1.2 * height, height > 1.2 * width
    step = length * (0.84 + 0.22 * random.random())
    if count == 1:
        offsets = [(0.0, 0.0)]
    elif wide or tall or count == 2:
        lean = (random.random() - 0.5) * length * 0.5
        offsets = [(step * (i - (count - 1) / 2), lean * (i - (count - 1) / 2)) for i in range(count)]
        if tall or (not wide and random.random() < 0.5):
            offsets = [(y, x) for x, y in offsets]
    else:
        side = 1 if random.random() < 0.5 else -1
        offsets = [(-step / 2, side * step * 0.42), (step / 2, side * step * 0.42), (0.0, -side * step * 0.42)]
    shake, centre = 0.1 * length, []
    for low, high, along in zip(area[:2], area[2:], zip(*offsets, strict=True), strict=True):
        slack = max(0.0, min(_LARGEST_SHIFT, (high - low) / 2 - (max(map(abs, along)) + length / 2)))
        centre.append((low + high) / 2 + (2 * random.random() - 1) * slack - shake / 2)
    return [(centre[0] + x + random.random() * shake, centre[1] + y + random.random() * shake) for x, y in offsets]
