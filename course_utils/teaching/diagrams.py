"""Diagrams of the mechanisms, in the symbols of the text: boxes are vectors or layers, arrows say what reads what."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_utils.teaching.plots import describe

COLOURS = {
    "word": ("#ffffff", "0.45"),  # fill, edge
    "layer": ("#e8e8e8", "0.35"),
    "value": ("#d3e6f5", "#0173b2"),
    "query": ("#d5efe3", "#029e73"),
    "weight": ("#fbe3c8", "#b8650a"),
}
"""Kinds of boxes: words; layers with weights of their own; what is read; what asks; scores and weights."""


def attention_decoder(words: tuple[str, ...] = ("les", "voitures", "rouges"), written: str = "red") -> Axes:
    """Draw one decoder step with attention: query, keys, values, weights, context, new state, next word.

    Args:
        words: of the source, three to five.
        written: the word that this step writes.
    """
    axes = _canvas(11, 6.3)
    places = [1.3 + 1.9 * number for number in range(len(words))]
    middle = sum(places) / len(places)
    for number, (x, word) in enumerate(zip(places, words, strict=True), start=1):
        _box(axes, x, 0.5, word, "word")
        _arrow(axes, (x, 0.8), (x, 1.15))
        _box(axes, x, 2.35, f"$h_{number}$", "value")
        _arrow(axes, (x, 1.75), (x, 2.05))
        _arrow(axes, (x, 2.75), (x, 3.2))
        _arrow(axes, (x, 3.8), (x, 4.3), f"$e_{{i{number}}}$", side=0.3)
        _arrow(axes, (x, 4.9), (x, 5.35), rf"$\alpha_{{i{number}}}$", side=0.3)
    width = places[-1] - places[0] + 1.3
    _box(axes, middle, 1.45, "encoder: a GRU in each direction", "layer", width=width)
    _box(axes, middle, 3.5, r"score: $e_{ij} = v^\top \tanh(W s_{i-1} + U h_j)$", "weight", width=width)
    _box(axes, middle, 4.6, "softmax: the weights sum to 1", "layer", width=width)
    _box(axes, middle, 5.65, r"$c_i = \sum_j \alpha_{ij} h_j$", "value", width=width)
    left = places[0] - 1.0
    frame = (places[0] - 0.68, 2.35 - 0.4), places[-1] - places[0] + 1.36, 0.8
    axes.add_patch(
        FancyBboxPatch(*frame, boxstyle="round,pad=0,rounding_size=0.2", fc="none", ec="#0173b2", lw=1.2, ls="--")
    )
    axes.plot([places[0] - 0.68, left, left], [2.35, 2.35, 5.65], color="#0173b2", lw=1.4)
    axes.annotate("", (middle - width / 2, 5.65), (left, 5.65), arrowprops=_arrow_style("#0173b2"))
    axes.text(left - 0.12, 4.0, "values", rotation=90, ha="right", va="center", color="#0173b2", fontsize=11)
    axes.text(places[-1] + 0.15, 2.98, "keys", color="#0173b2", fontsize=11, va="center")
    step = places[-1] + 3.4
    _box(axes, step, 2.35, "$s_{i-1}$", "query")
    _arrow(axes, (step - 0.55, 2.5), (middle + width / 2, 3.45), colour="#029e73")
    axes.text(step - 1.35, 2.62, "query", color="#029e73", fontsize=11, ha="center", va="center")
    _box(axes, step, 4.6, "GRU", "layer", width=1.3)
    _arrow(axes, (step, 2.65), (step, 4.3))
    _arrow(axes, (middle + width / 2, 5.6), (step - 0.65, 4.75))
    _box(axes, step + 1.6, 3.3, "$y_{i-1}$", "word", width=0.95)
    _arrow(axes, (step + 1.45, 3.6), (step + 0.55, 4.3))
    _arrow(axes, (middle + width / 2, 5.72), (step + 1.6, 5.72))
    axes.text(step, 5.9, "$c_i$", ha="center", va="center", fontsize=12)
    axes.plot([step + 2.08, step + 3.0, step + 3.0], [3.3, 3.3, 5.1], color="0.3", lw=1.4)
    _arrow(axes, (step + 3.0, 5.05), (step + 2.65, 5.35))
    _box(axes, step + 2.2, 4.6, "$s_i$", "query", width=0.9)
    _arrow(axes, (step + 0.65, 4.6), (step + 1.75, 4.6))
    _box(axes, step + 2.2, 5.65, "readout", "layer", width=1.2)
    _arrow(axes, (step + 2.2, 4.9), (step + 2.2, 5.35))
    _arrow(axes, (step + 2.8, 5.65), (step + 3.35, 5.65))
    axes.text(step + 3.45, 5.65, f"$y_i$: {written}", va="center", fontsize=12)
    return describe(
        axes,
        "Diagram of one decoder step with attention. Below, the source words "
        f"{', '.join(words)} enter a bidirectional GRU, which gives one annotation h for each. The last decoder state, "
        "s of i minus 1, is the query; with each annotation, the keys, it gives a score e. A softmax turns the scores "
        "into weights alpha that sum to one. The context c is the average of the annotations, the values, by these "
        "weights. A GRU reads the context, the previous word y and the last state, and gives the state s of i, from "
        f"which, with the context and the previous word, the readout writes the next word, {written}.",
    )


def _canvas(width: float, height: float) -> Axes:
    axes = plt.subplots(figsize=(width, height * 0.72), layout="constrained")[1]
    axes.set(xlim=(-0.2, width + 1.1), ylim=(0, height))
    axes.axis("off")
    return axes


def _box(axes: Axes, x: float, y: float, text: str, kind: str, width: float = 1.1, height: float = 0.6) -> None:
    fill, edge = COLOURS[kind]
    corner = (x - width / 2, y - height / 2)
    shape = FancyBboxPatch(corner, width, height, boxstyle="round,pad=0,rounding_size=0.12", fc=fill, ec=edge, lw=1.4)
    axes.add_patch(shape)
    axes.text(x, y, text, ha="center", va="center", fontsize=12)


def _arrow_style(colour: str = "0.3") -> dict:
    return {"arrowstyle": "-|>", "color": colour, "lw": 1.4, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 13}


def _arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    text: str = "",
    side: float = 0.0,
    colour: str = "0.3",
) -> None:
    axes.annotate("", end, start, arrowprops=_arrow_style(colour))
    if text:
        axes.text((start[0] + end[0]) / 2 + side, (start[1] + end[1]) / 2, text, ha="center", va="center", fontsize=12)
