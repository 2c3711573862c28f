"""Figures of images: canvases with boxes, the path of glimpses with what was read, a drawing step by step.

Like `plots`: every function returns axes whose figure carries an alternative text, for `plots.show`. Images are
`(height, width)` or `(channels, height, width)` with values from 0 to 1; boxes are x0, y0, x1, y1 in pixels from the
upper left corner.
"""

from collections.abc import Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_utils.teaching.plots import GOLD_COLOUR, describe

GLIMPSE_COLOUR = "#56b4e9"  # sky blue of the Okabe-Ito palette: visible on dark ground, apart from the gold frames


def draw_image(axes: Axes, image: ArrayLike, *, light_ground: bool = False) -> None:
    """Draw one image without ticks, pixel by pixel; `light_ground` prints grey images dark on light."""
    image = numpy.asarray(image, dtype=float)
    if image.ndim == 3:
        image = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    height, width = image.shape[:2]
    colours = "gray_r" if light_ground else "gray"
    axes.imshow(image.clip(0, 1), cmap=colours, vmin=0, vmax=1, extent=(0, width, height, 0), interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)


def draw_box(axes: Axes, box: Sequence[float], colour: str, width: float = 1.5, style: str = "-") -> None:
    """Frame a box."""
    x0, y0, x1, y1 = (float(value) for value in box)
    frame = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=colour, linewidth=width, linestyle=style)
    axes.add_patch(frame)


def set_title(figure: Figure, title: str) -> None:
    """Write the title of a figure of several images, in as many lines as its width asks for."""
    figure.suptitle(fill(title, round(10 * figure.get_figwidth())), x=0.01, ha="left", fontsize=12, fontweight="bold")


def plot_images(
    images: Sequence[ArrayLike],
    *,
    title: str,
    captions: Sequence[str] = (),
    boxes: Sequence[Sequence[Sequence[float]]] = (),
    columns: int = 6,
    light_ground: bool = False,
    inches: float = 1.75,
) -> Axes:
    """Draw several images side by side.

    Args:
        images: any number of them.
        title: the finding.
        captions: written under each, in as many lines as they need.
        boxes: the gold boxes of each; boxes with a negative corner are left out.
        columns: images in a row.
        light_ground: dark ink on light ground.
        inches: width of an image and its margin.
    """
    rows = -(-len(images) // columns)
    folded = [fill(caption, round(12 * inches)) for caption in captions]
    most_lines = max((caption.count("\n") + 1 for caption in folded), default=1)
    size = (inches * columns, (inches + 0.1 + 0.17 * most_lines) * rows + 0.4)
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for number, axes in enumerate(grid.flat):
        if number >= len(images):
            axes.set_axis_off()
            continue
        draw_image(axes, images[number], light_ground=light_ground)
        for box in boxes[number] if boxes else ():
            if float(box[0]) >= 0:
                draw_box(axes, box, GOLD_COLOUR)
        if captions:
            axes.set_xlabel(folded[number], fontsize=10)
    set_title(figure, title)
    said = "; ".join(captions) if captions else f"{len(images)} images"
    return describe(grid[0, 0], f"{title}. {said}.")


def plot_glimpses(
    image: ArrayLike,
    boxes: ArrayLike,
    patches: ArrayLike,
    *,
    title: str,
    gold: Sequence[Sequence[float]] = (),
    captions: Sequence[str] = (),
) -> Axes:
    """Draw the glimpses of a model: where, in what order, and what it read there.

    Args:
        image: the whole.
        boxes: `(glimpses, scales, 4)`, the patches' places, sharpest first.
        patches: `(glimpses, scales, channels, size, size)`.
        title: the finding.
        gold: boxes of the digits.
        captions: written under each glimpse, e.g. the answer after it.
    """
    boxes, patches = numpy.asarray(boxes, dtype=float), numpy.asarray(patches, dtype=float)
    glimpses, scales = boxes.shape[:2]
    figure = plt.figure(figsize=(3.4 + 1.15 * glimpses, max(3.2, 1.15 * scales + 0.8)), layout="constrained")
    left, right = figure.add_gridspec(1, 2, width_ratios=(3.4, 1.15 * glimpses))
    axes = figure.add_subplot(left)
    draw_image(axes, image)
    for box in gold:
        if float(box[0]) >= 0:
            draw_box(axes, box, GOLD_COLOUR, 2)
    middles = (boxes[:, 0, :2] + boxes[:, 0, 2:]) / 2
    axes.plot(*middles.T, color=GLIMPSE_COLOUR, linewidth=1)
    for number, (box, (x, y)) in enumerate(zip(boxes[:, 0], middles, strict=True), start=1):
        draw_box(axes, box, GLIMPSE_COLOUR, 1)
        axes.text(x, y, str(number), color="white", fontsize=9, ha="center", va="center", weight="bold",
                  bbox={"boxstyle": "circle,pad=0.15", "facecolor": "#0b3c5d", "edgecolor": "none"})  # fmt: skip
    height, width = numpy.asarray(image).shape[-2:]
    axes.set(xlim=(0, width), ylim=(height, 0))
    blue = "blue: the sharpest patches" if scales > 1 else "blue: what was read"
    axes.set_xlabel(f"orange: the digits; {blue}" if len(gold) else blue, fontsize=10)
    grid = right.subgridspec(scales, glimpses).subplots(squeeze=False)
    for (scale, glimpse), small in numpy.ndenumerate(grid):
        draw_image(small, patches[glimpse, scale])
        if scale == 0:
            small.set_title(f"glimpse {glimpse + 1}", fontsize=10)
        if scale == scales - 1 and captions:
            small.set_xlabel(captions[glimpse], fontsize=10)
        if glimpse == 0 and scales > 1:
            small.set_ylabel("sharp" if scale == 0 else f"{1 << scale}× as wide", fontsize=10)
    set_title(figure, title)
    path = ", ".join(f"{number} at ({x:.0f}, {y:.0f})" for number, (x, y) in enumerate(middles, start=1))
    there = "; ".join(f"gold box from ({b[0]:.0f}, {b[1]:.0f}) to ({b[2]:.0f}, {b[3]:.0f})" for b in gold if b[0] >= 0)
    said = f" Under the glimpses: {', '.join(captions)}." if captions else ""
    return describe(axes, f"{title}. Glimpses in pixels from the upper left: {path}. {there}.{said}")


def plot_drawing(
    canvases: ArrayLike, *, title: str, boxes: ArrayLike | None = None, targets: ArrayLike | None = None
) -> Axes:
    """Draw canvases step by step, one drawing per row, with the window that was written to.

    Args:
        canvases: `(drawings, steps, channels, height, width)`.
        title: the finding.
        boxes: `(drawings, steps, 4)`, the window of each step.
        targets: `(drawings, channels, height, width)`, what was to be drawn, in a column before the steps.
    """
    canvases = numpy.asarray(canvases, dtype=float)
    drawings, steps = canvases.shape[:2]
    first = int(targets is not None)
    size = (0.95 * (steps + first), 1.0 * drawings + 0.8)
    figure, grid = plt.subplots(drawings, steps + first, figsize=size, squeeze=False, layout="constrained")
    for row in range(drawings):
        if targets is not None:
            draw_image(grid[row, 0], numpy.asarray(targets)[row], light_ground=True)
        for step in range(steps):
            axes = grid[row, step + first]
            draw_image(axes, canvases[row, step], light_ground=True)
            if boxes is not None:
                draw_box(axes, numpy.asarray(boxes)[row, step], GOLD_COLOUR)
                axes.set(xlim=(0, canvases.shape[-1]), ylim=(canvases.shape[-2], 0))
    for step in range(steps):
        grid[0, step + first].set_title(str(step + 1), fontsize=10)
    if targets is not None:
        grid[0, 0].set_title("to draw", fontsize=10)
    set_title(figure, title)
    if boxes is not None:
        figure.supxlabel("orange: the window that is written to", x=0.01, ha="left", fontsize=10)
    windows = ", with the window that is written to" if boxes is not None else ""
    return describe(grid[0, 0], f"{title}. {drawings} drawings (rows) after each of {steps} steps (columns){windows}.")
