"""The map of the seven lessons: which idea leads to which."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_utils.teaching.plots import GOLD_COLOUR, describe

PAPER, INK, LINE = "#eaf2fa", "#16222e", "#08519c"


@dataclass(frozen=True)
class Stop:
    """A lesson on the map.

    Attributes:
        number: of the lesson.
        name: in a word or two.
        idea: what it adds.
        box: (left, bottom, width, height).
    """

    number: int
    name: str
    idea: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Way:
    """An idea that one lesson takes from another.

    Attributes:
        start, end: numbers of the lessons.
        idea: what is taken along, and to where.
    """

    start: int
    end: int
    idea: str


STOPS = (
    Stop(1, "Bottleneck", "a sentence\nin one vector", (0.0, 10.0, 2.75, 1.35)),
    Stop(2, "Attention", "before every word,\na look at all words", (0.0, 0.0, 2.75, 8.5)),
    Stop(3, "Glimpses", "one place at a time,\ndrawn by chance", (6.4, 7.15, 3.6, 1.35)),
    Stop(4, "Captions", "a look for every word,\nsoft or hard", (6.4, 5.05, 3.6, 1.35)),
    Stop(5, "Entailment", "a look for every word\nthat is read", (6.4, 3.35, 3.6, 1.35)),
    Stop(6, "Speech", "looks that know\nwhere the last one was", (6.4, 1.67, 3.6, 1.35)),
    Stop(7, "Summaries", "looks without recurrence,\nand with it", (6.4, 0.0, 3.6, 1.35)),
)
WAYS = (
    Way(1, 2, "the vector is full:\nkeep one for each word"),
    Way(2, 3, "pictures: can one look\nwithout seeing everything?"),
    Way(3, 4, "reward, where no\ngradient leads"),
    Way(2, 4, "pictures: the same scores,\nover cells"),
    Way(2, 5, "comparing: every word\nthat is read asks"),
    Way(2, 6, "very long inputs:\ndo not lose the place"),
    Way(2, 7, "shortening: is the\nrecurrence needed?"),
)


def plot_course_map(axes: Axes | None = None) -> Axes:
    """Draw the map; its alternative text says every box and every arrow.

    Args:
        axes: where to draw; a new figure if None.
    """
    axes = axes or plt.subplots(figsize=(7.4, 7.2), layout="constrained")[1]
    boxes = {stop.number: stop.box for stop in STOPS}
    for stop in STOPS:
        _draw_stop(axes, stop)
    for way in WAYS:
        _draw_way(axes, boxes[way.start], boxes[way.end], way.idea)
    axes.set(xlim=(-0.1, 10.1), ylim=(-0.1, 11.4))
    axes.set_axis_off()
    lessons = "; ".join(f"{stop.number} {stop.name}: {_one_line(stop.idea)}" for stop in STOPS)
    ways = "; ".join(f"from {way.start} to {way.end}: {_one_line(way.idea)}" for way in WAYS)
    return describe(axes, f"Map of the seven lessons. {lessons}. What leads from one to the next: {ways}.")


def _one_line(text: str) -> str:
    return text.replace("\n", " ")


def _draw_stop(axes: Axes, stop: Stop) -> None:
    left, bottom, width, height = stop.box
    style = "round,pad=0,rounding_size=0.14"
    axes.add_patch(
        FancyBboxPatch((left, bottom), width, height, boxstyle=style, facecolor=PAPER, edgecolor=LINE, linewidth=1.6)
    )
    x, y, lines = left + width / 2, bottom + height / 2, stop.idea.count("\n") + 1
    axes.text(x, y + 0.17 * lines, f"{stop.number} · {stop.name}", ha="center", va="center", fontsize=12.5,
              fontweight="bold", color=INK)  # fmt: skip
    axes.text(x, y - 0.25, stop.idea, ha="center", va="center", fontsize=10.5, color=INK, linespacing=1.15)


def _draw_way(axes: Axes, start: tuple[float, ...], end: tuple[float, ...], idea: str) -> None:
    """Draw an arrow with its words: down where the boxes stand above each other, to the right elsewhere."""
    down = start[0] == end[0]
    if down:
        x = start[0] + start[2] / 2
        tail, head, place = (x, start[1]), (x, end[1] + end[3]), (x + 0.15, (start[1] + end[1] + end[3]) / 2)
    else:
        y = end[1] + end[3] / 2
        tail, head, place = (start[0] + start[2], y), (end[0], y), ((start[0] + start[2] + end[0]) / 2, y + 0.08)
    shape = {
        "arrowstyle": "-|>",
        "color": GOLD_COLOUR,
        "linewidth": 2,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 16,
    }
    axes.annotate("", head, tail, arrowprops=shape)
    axes.text(*place, idea, ha="left" if down else "center", va="center" if down else "bottom", fontsize=10.5,
              style="italic", color=INK, linespacing=1.15)  # fmt: skip
