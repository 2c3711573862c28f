"""Figures of attention over an image: one small copy of it for each word, in colour where the word attends.

Like `plots`: every function returns axes whose figure carries an alternative text, for `plots.show`.
"""

from collections.abc import Mapping, Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from course_utils.teaching.images import draw_box, draw_image, set_title
from course_utils.teaching.plots import GOLD_COLOUR, describe

DIMMEST = 0.7
"""Brightness of a cell that got no attention, as a share of the image's own; it is grey, too."""


def lit_image(image: ArrayLike, weights: ArrayLike) -> numpy.ndarray:
    """Take colour and light from an image where its attention is low; the most attended cell keeps both.

    Args:
        image: `(channels, height, width)`, values from 0 to 1.
        weights: `(rows, columns)`, at least 0; rows and columns divide height and width.

    Returns:
        `(channels, height, width)`.

    Raises:
        ValueError: if the map does not fit the image.
    """
    image, weights = numpy.asarray(image, dtype=float), numpy.asarray(weights, dtype=float)
    height, width = image.shape[-2:]
    if weights.ndim != 2 or height % weights.shape[0] or width % weights.shape[1]:
        raise ValueError(
            f"weights has shape {weights.shape}; expected (rows, columns) that divide the image's {height} x {width}."
        )
    cells = numpy.ones((height // weights.shape[0], width // weights.shape[1]))
    light = numpy.kron(weights / max(weights.max(), 1e-12), cells)
    return image * light + DIMMEST * image.mean(axis=0) * (1 - light)


def plot_word_maps(
    image: ArrayLike,
    words: Sequence[str],
    maps: ArrayLike,
    *,
    title: str,
    gold: Mapping[int, Sequence[Sequence[float]]] | None = None,
    gates: ArrayLike | None = None,
    columns: int = 4,
) -> Axes:
    """Draw where each word of a caption attends.

    Args:
        image: `(channels, height, width)`, values from 0 to 1.
        words: of the caption; the end symbol may be among them.
        maps: `(words, rows, columns)`, the attention weights of each word over the cells.
        title: the finding.
        gold: word index → boxes of what the word names, in pixels.
        gates: `(words,)`, how much of the image each word let through, 0 to 1.
        columns: copies of the image in a row, the image itself first.

    Raises:
        ValueError: if there are not as many maps as words.
    """
    maps, gold = numpy.asarray(maps, dtype=float), gold or {}
    if len(maps) != len(words):
        raise ValueError(f"got {len(maps)} maps for {len(words)} words; expected one for each.")
    rows = -(-(len(words) + 1) // columns)
    gated = gates is not None
    key = ["in colour: where the word attends"]
    key += ["orange frame: what it names"] * bool(gold) + ["below: how much of that its gate lets in"] * gated
    size = (1.5 * columns, (2.0 if gated else 1.8) * rows + 0.7)
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for axes in grid.flat[len(words) + 1 :]:
        axes.set_axis_off()
    draw_image(grid[0, 0], image)
    grid[0, 0].set_title("the image", fontsize=12, loc="center", fontweight="normal")
    for number, (axes, word) in enumerate(zip(grid.flat[1:], words, strict=False)):
        draw_image(axes, lit_image(image, maps[number]))
        for box in gold.get(number, ()):
            draw_box(axes, box, GOLD_COLOUR, 2)
        axes.set_title(word, fontsize=12, loc="center", fontweight="bold" if number in gold else "normal")
        if gated:
            axes.set_xlabel(f"{100 * float(gates[number]):.0f} % let in", fontsize=10)
    set_title(figure, title)
    figure.supxlabel(fill("; ".join(key), round(13 * size[0])), x=0.01, ha="left", fontsize=10)
    said = []
    for number, (word, weights) in enumerate(zip(words, maps, strict=True)):
        row, column = numpy.unravel_index(weights.argmax(), weights.shape)
        let_in = f", {100 * float(gates[number]):.0f} % let in" if gated else ""
        said.append(f"{word}: row {row + 1}, column {column + 1}{let_in}")
    told = f"most attended cell of each word in a map of {maps.shape[1]} by {maps.shape[2]}"
    told += ", and how much of it the word's gate lets in" * gated
    return describe(
        grid[0, 0],
        f"{title}. The image, and a copy for each word, in colour where it attends; {told}: {'; '.join(said)}.",
    )
