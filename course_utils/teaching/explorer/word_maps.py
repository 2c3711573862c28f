"""Words over an image: which cells of its map a word attends to."""

from collections.abc import Mapping, Sequence

import numpy
from numpy.typing import ArrayLike

from course_utils.teaching.explorer.checked import as_array, as_boxes, as_image, as_weights, as_words
from course_utils.teaching.explorer.media import image_address, map_address
from course_utils.teaching.explorer.page import Explorer, Target, assemble, box_style, choices, live, number, quoted


def mass_in_boxes(weights: numpy.ndarray, boxes: numpy.ndarray, width: int, height: int) -> float:
    """Return how much of a map `(rows, columns)` lies in boxes; a cell counts by the share of it that they cover."""
    rows, columns = weights.shape
    fine = 8  # each cell is evaluated in 8 x 8 points
    y = (numpy.arange(rows * fine) + 0.5) / (rows * fine) * height
    x = (numpy.arange(columns * fine) + 0.5) / (columns * fine) * width
    inside = numpy.zeros((rows * fine, columns * fine), dtype=bool)
    for x0, y0, x1, y1 in boxes:
        inside |= ((y >= y0) & (y < y1))[:, None] & ((x >= x0) & (x < x1))
    return float((weights * inside.reshape(rows, fine, columns, fine).mean((1, 3))).sum())


def explore_word_maps(
    image: ArrayLike,
    words: Sequence[str],
    maps: ArrayLike,
    gold: Mapping[int, Sequence[Sequence[float]]] | None = None,
    *,
    title: str,
    gates: ArrayLike | None = None,
) -> Explorer:
    """Let the reader choose a word of a caption and see the image bright where it attends.

    The most attended cell of a word keeps the image's brightness, as in `maps.lit_image`; the numbers are weights.

    Args:
        image: `(height, width)` or `(channels, height, width)`, 0 to 1.
        words: of the caption; the end symbol may be among them.
        maps: `(words, rows, columns)`, the attention weights of each word over the cells; all NaN = masked.
        gold: word index → boxes of what the word names (x0, y0, x1, y1 in pixels); shown when switched on.
        title: the finding.
        gates: `(words,)`, how much of the image each word let through, 0 to 1.

    Raises:
        ValueError: if words, maps and boxes do not fit each other, or the HTML is too large.
    """
    words, pixels = as_words(words, "words"), as_image(image)
    weights = as_weights(maps, (len(words), None, None), ("one map per word", "rows", "columns"), "maps")
    height, width = pixels.shape[:2]
    gold = {int(word): as_boxes(boxes, f"gold[{word}]") for word, boxes in (gold or {}).items()}
    outside = [word for word in gold if not 0 <= word < len(words)]
    if outside:
        raise ValueError(f"gold has boxes for word {outside[0]}; expected indices from 0 to {len(words) - 1}.")
    let_through = None if gates is None else as_array(gates, "gates")
    if let_through is not None and let_through.shape != (len(words),):
        raise ValueError(f"gates has shape {let_through.shape}; expected ({len(words)},), one number per word.")
    targets, frames = [], []
    for index, (word, weight) in enumerate(zip(words, weights, strict=True)):
        boxes = gold.get(index, ())
        frames += [
            f'<b class="box" style="--g:var(--k{index},0);{box_style(box, width, height)}"></b>' for box in boxes
        ]
        if numpy.isnan(weight).any():
            targets.append(Target.without_weights(word))
            continue
        peak = max(float(weight.max()), 1e-12)
        row, column = (int(place) for place in numpy.unravel_index(weight.argmax(), weight.shape))
        part = _part_of((row + 0.5) / weight.shape[0], (column + 0.5) / weight.shape[1])
        says = f"{quoted(word)} looks most at the {part} (row {row + 1}, column {column + 1}): {weight.max():.2f}"
        if let_through is not None:
            says += f"; its gate lets {let_through[index]:.2f} through"
        truth = ""
        if len(boxes):
            mass = mass_in_boxes(weight, boxes, width, height)
            covered = mass_in_boxes(numpy.full_like(weight, 1 / weight.size), boxes, width, height)
            truth = f"Truth: {mass:.2f} of the attention lies in the box, which covers {covered:.2f} of the picture."
        elif gold:
            truth = "Truth: this word names nothing in the picture."
        relative = (weight / peak).ravel()
        lit = {f"s{cell}": number(value) for cell, value in enumerate(relative) if value >= 0.005}
        scale = max(1, 64 // max(weight.shape))
        markup = f'<img src="{map_address(weight / peak, scale)}" alt="" title="{peak:.2f} at most" width="64">'
        targets.append(Target(word, says + ".", truth, lit, markup))
    rows, columns = weights.shape[1:]
    cells = "".join(f'<i class="s" style="--w:var(--s{cell},0)"></i>' for cell in range(rows * columns))
    drawn = f'<img src="{image_address(pixels)}" alt="The picture that the words look at.">'
    stage = (
        f'<div class="columns"><div class="canvas" style="aspect-ratio:{width}/{height}">{drawn}'
        f'<div class="cells" style="grid-template-columns:repeat({columns},1fr)">{cells}</div>{"".join(frames)}</div>'
        + live(
            f'<p class="row-name">what was written, word by word</p>{choices(targets, "words of the caption")}',
            "beside",
        )
        + "</div>"
    )
    return assemble(
        "image", title=title, stage=stage, targets=targets, columns=("word", "where it looked"),
        hint="Point at a word, or press Tab and then the arrow keys: the picture is bright where that word looked.",
        scale=f'bright: the most attended of {rows} × {columns} cells <i class="ramp grey"></i> dark: no attention',
        gold_name="show the gold boxes" if any(len(boxes) for boxes in gold.values()) else "",
        advice="Show fewer words, a smaller picture or a coarser map.",
    )  # fmt: skip


def _part_of(down: float, across: float) -> str:
    """Name a place in an image; both numbers go from 0 to 1."""
    vertical, horizontal = ("top", "", "bottom")[int(down * 3)], ("left", "", "right")[int(across * 3)]
    return f"{vertical} {horizontal}".strip() or "middle"
