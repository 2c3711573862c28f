"""Where groups can stand: nine places, the layouts that combine them, directions, and the objects inside a region.

Lengths are shares of the image's edge, x to the right and y downwards, so that a scene looks alike at any size.
"""

from functools import cache
from itertools import permutations
from random import Random

PLACES = {
    "top left": (0, 0), "top": (1, 0), "top right": (2, 0), "left": (0, 1), "middle": (1, 1), "right": (2, 1),
    "bottom left": (0, 2), "bottom": (1, 2), "bottom right": (2, 2),
}  # fmt: skip
"""Place → its column and row."""

LAYOUTS = {
    2: (("left", "right"), ("top", "bottom"), ("top left", "bottom right"), ("top right", "bottom left")),
    3: (
        ("left", "middle", "right"), ("top", "middle", "bottom"),
        ("top", "bottom left", "bottom right"), ("top left", "top right", "bottom"),
        ("left", "top right", "bottom right"), ("top left", "right", "bottom left"),
        ("top left", "top right", "bottom left"), ("top left", "top right", "bottom right"),
        ("top left", "bottom left", "bottom right"), ("top right", "bottom left", "bottom right"),
    ),
    4: (("top left", "top right", "bottom left", "bottom right"),),
}  # fmt: skip
"""Number of groups → the combinations of places in which they can stand."""

_LARGEST_SHIFT = 0.06  # of a group from the middle of its region; more could turn "left of" into a diagonal


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


def is_between(middle: str, first: str, last: str) -> bool:
    """Whether a place lies in a straight line between two others."""
    ends = zip(PLACES[first], PLACES[middle], PLACES[last], strict=True)
    return middle != first and all(start + end == 2 * centre for start, centre, end in ends)


@cache
def arrangements(groups: int) -> tuple[tuple[str, ...], ...]:
    """Every way in which 2 to 4 groups can stand: the place of each, for all layouts and orders."""
    return tuple(order for layout in LAYOUTS[groups] for order in permutations(layout))


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


def spread(
    random: Random, area: tuple[float, float, float, float], count: int, length: float
) -> list[tuple[float, float]]:
    """Sample centres `(x, y)` for the 1 to 3 objects of a group, near the middle of their region.

    They stand in a row, a column or a triangle; neighbours overlap by about a fifth of their `length` at most.
    """
    left, top, right, bottom = area
    width, height = right - left, bottom - top
    wide, tall = width > 1.2 * height, height > 1.2 * width
    step = length * (0.84 + 0.22 * random.random())
    if count == 1:
        offsets = [(0.0, 0.0)]
    elif wide or tall or count == 2:
        lean = (random.random() - 0.5) * length * 0.5
        straight = [(step * (i - (count - 1) / 2), lean * (i - (count - 1) / 2)) for i in range(count)]
        upright = tall or (not wide and random.random() < 0.5)
        offsets = [(y, x) for x, y in straight] if upright else straight
    else:
        side = 1 if random.random() < 0.5 else -1
        offsets = [(-step / 2, side * step * 0.42), (step / 2, side * step * 0.42), (0.0, -side * step * 0.42)]
    centre = []
    for axis, (low, high) in enumerate(((left, right), (top, bottom))):
        reach = max([abs(offset[axis]) for offset in offsets]) + length / 2
        slack = max(0.0, min(_LARGEST_SHIFT, (high - low) / 2 - reach))
        centre.append((low + high) / 2 + (2 * random.random() - 1) * slack)
    shake = 0.1 * length
    x0, y0 = centre[0] - shake / 2, centre[1] - shake / 2
    return [(x0 + x + random.random() * shake, y0 + y + random.random() * shake) for x, y in offsets]
