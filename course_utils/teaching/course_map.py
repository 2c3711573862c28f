"""The map of the lessons: which idea leads to which. It is narrow, so that a telephone shows its words large."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_utils.lessons import Lesson, find_lessons
from course_utils.teaching.plots import GOLD_COLOUR, describe

PAPER, INK, LINE = "#eaf2fa", "#16222e", "#08519c"


@dataclass(frozen=True)
class Stop:
    """A lesson on the map: its title up to the colon and after, and its box (left, bottom, width, height), inches."""

    number: int
    name: str
    idea: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Way:
    """An idea that lesson `end` takes from lesson `start`."""

    start: int
    end: int
    idea: str


WIDTH, BOX, GAP, LINE_HEIGHT = 4.3, 0.62, 0.12, 0.26  # inches: map, height of a box, between boxes without and per line
RAIL, BRANCH = 0.3, 0.75  # where the way from lesson 2 to all others goes down, and where their boxes begin
TRUNK = 2  # lessons whose boxes are as wide as the map; the others branch off
WAYS = (
    Way(1, 2, "the vector is full: keep one for each word"),
    Way(2, 3, "pictures: can one look\nwithout seeing everything?"),
    Way(3, 4, "reward, where no gradient leads"),
    Way(2, 4, "pictures: the same scores, over cells"),
    Way(2, 5, "comparing: every word that is read asks"),
    Way(2, 6, "very long inputs: do not lose the place"),
    Way(2, 7, "shortening: is the recurrence needed?"),
)


def place_stops(lessons: Sequence[Lesson]) -> tuple[Stop, ...]:
    """Place a box for every lesson but lesson 0, one under another, with room for the words of the ways to it.

    Args:
        lessons: with titles like "2 · Additive attention: let the decoder look back".
    """
    stops: list[Stop] = []
    bottom = 0.0
    for lesson in reversed([lesson for lesson in lessons if int(lesson.number) > 0]):
        number, left = int(lesson.number), 0.0 if int(lesson.number) <= TRUNK else BRANCH
        name, _, idea = lesson.title.rpartition(" · ")[2].partition(": ")
        stops.insert(0, Stop(number, name, idea, (left, bottom, WIDTH - left, BOX)))
        lines = sum(way.idea.count("\n") + 1 for way in WAYS if way.end == number)
        bottom += BOX + GAP + LINE_HEIGHT * max(1, lines)
    return tuple(stops)


def plot_course_map(axes: Axes | None = None) -> Axes:
    """Draw the map, in a new figure if `axes` is None; its alternative text names every box and every arrow."""
    stops = place_stops(find_lessons())
    height = stops[0].box[1] + BOX
    axes = axes or plt.subplots(figsize=(WIDTH, height), layout="constrained")[1]
    boxes = {stop.number: stop.box for stop in stops}
    for stop in stops:
        _draw_stop(axes, stop)
    for way in WAYS:
        _draw_way(axes, boxes[way.start], boxes[way.end], way.idea)
    axes.set(xlim=(-0.03, WIDTH + 0.03), ylim=(-0.03, height + 0.03))
    axes.set_axis_off()
    lessons = "; ".join(f"{stop.number} {stop.name}: {_one_line(stop.idea)}" for stop in stops)
    ways = "; ".join(f"from {way.start} to {way.end}: {_one_line(way.idea)}" for way in WAYS)
    return describe(axes, f"Map of the lessons. {lessons}. What leads from one to the next: {ways}.")


def _one_line(text: str) -> str:
    return text.replace("\n", " ")


def _draw_stop(axes: Axes, stop: Stop) -> None:
    left, bottom, width, height = stop.box
    style = "round,pad=0,rounding_size=0.08"
    colours = {"facecolor": PAPER, "edgecolor": LINE, "linewidth": 1.6}
    axes.add_patch(FancyBboxPatch((left, bottom), width, height, boxstyle=style, **colours))
    x, y = left + width / 2, bottom + height / 2
    name = f"{stop.number} · {stop.name}"
    axes.text(x, y + 0.13, name, ha="center", va="center", fontsize=12.5, fontweight="bold", color=INK)
    axes.text(x, y - 0.14, stop.idea, ha="center", va="center", fontsize=10.5, color=INK)


def _draw_way(axes: Axes, start: tuple[float, ...], end: tuple[float, ...], idea: str) -> None:
    """Draw an arrow with its words: straight down between boxes of one width, else down the rail and to the right."""
    words = {"fontsize": 10.5, "style": "italic", "color": INK, "linespacing": 1.15}
    top = end[1] + end[3]
    if start[0] == 0 == end[0]:  # from the first box to the second
        tail, head = (RAIL, start[1]), (RAIL, top)
        axes.text(RAIL + 0.15, (start[1] + top) / 2, idea, ha="left", va="center", **words)
    elif start[0] == end[0]:  # from one branch to the next
        tail, head = (WIDTH - 0.15, start[1]), (WIDTH - 0.15, top)
        axes.text(WIDTH - 0.3, start[1] - 0.05, idea, ha="right", va="top", **words)
    else:
        middle = end[1] + end[3] / 2
        tail, head = (RAIL, middle), (end[0], middle)
        axes.plot((RAIL, RAIL), (start[1], middle), color=GOLD_COLOUR, linewidth=2, solid_capstyle="projecting")
        axes.text(end[0], top + 0.05, idea, ha="left", va="bottom", **words)
    shape = {"arrowstyle": "-|>", "color": GOLD_COLOUR, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", head, tail, arrowprops={**shape, "mutation_scale": 16})
