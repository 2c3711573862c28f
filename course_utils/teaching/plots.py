"""Figures in one house style: the finding as title, both axes named, colours that survive grey print.

Every function returns the figure's axes and attaches an alternative text, which notebooks and the site
read aloud (`describe`). Nothing here computes a result.
"""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy
import seaborn
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator, StrMethodFormatter
from numpy.typing import ArrayLike

ATTENTION_COLOURS = "Blues"
"""Sequential: white = no attention, dark = all of it; monotone in grey too."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GOLD_COLOUR = "#d55e00"  # vermilion of the Okabe-Ito palette: visible on blue for every kind of colour vision

SYSTEM_STYLES = {
    "attention": ("C0", "o"), "content": ("C0", "o"), "RAM": ("C0", "o"),
    "fixed vector": ("C1", "s"), "one vector": ("C1", "s"), "GRU": ("C1", "s"), "conditional": ("C1", "s"),
    "equal weights": ("C2", "v"), "shuffled references": ("0.45", "X"),
    "32 numbers": ("C1", "v"), "64 numbers": ("C1", "^"), "128 numbers": ("C1", "s"), "256 numbers": ("C1", "D"),
    "word-by-word": ("C2", "^"), "location": ("C2", "^"), "window": ("C2", "^"),
    "LSTMs": ("C4", "D"), "convolution": ("C4", "D"),
    "dictionary": ("0.45", "X"), "diagonal guess": ("0.45", "X"), "most frequent word": ("0.45", "X"),
    "always the middle": ("0.45", "X"), "anywhere": ("0.45", "P"), "nothing": ("0.45", "X"),
}  # fmt: skip
"""Colour and marker of a curve by the beginning of its name, so that a system looks the same in every figure: blue =
attention by content or by glimpses, green = another attention, orange = all in one vector, grey = nothing learned."""

_LINES = ("-", "--", ":", "-.")


def house_style() -> None:
    """Set fonts, sizes and the colour-blind-safe palette; call once in a lesson's settings cell."""
    seaborn.set_theme(context="notebook", style="whitegrid", palette="colorblind")
    plt.rcParams.update(
        {
            "figure.figsize": (8, 4.2),
            "figure.dpi": 90,
            "axes.titlesize": 12,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 11,
            "legend.frameon": False,
            "svg.hashsalt": "where-to-look",
        }
    )


def curve_styles(names: Sequence[str]) -> list[dict[str, str]]:
    """Choose colour, marker and line of the curves of one figure.

    A system of `SYSTEM_STYLES` has its own colour; of several curves of one system the last is solid. The others take
    the colours that are left.

    Returns:
        For each of the names, all different, the keywords of `Axes.plot`.
    """
    known = [next((s for start, s in SYSTEM_STYLES.items() if name.startswith(start)), None) for name in names]
    taken = {style for found in known if found for style in found}
    colours = [f"C{number}" for number in (0, 1, 2, 4, 5, 8, 9) if f"C{number}" not in taken]  # C3 is gold's
    markers = [marker for marker in MARKERS if marker not in taken]
    free = iter(zip(colours * len(names), markers * len(names), strict=False))
    chosen = [style or next(free) for style in known]
    styles = []
    for number, (colour, marker) in enumerate(chosen):
        later = sum(colour == other for other, _ in chosen[number + 1 :])
        styles.append({"color": colour, "marker": marker, "linestyle": _LINES[later % len(_LINES)]})
    return styles


def describe(axes: Axes, text: str) -> Axes:
    """Attach an alternative text to a figure; `show` writes it into the notebook."""
    axes.figure.set_label(" ".join(text.split()))
    return axes


def show(axes: Axes) -> None:
    """Display a figure with its alternative text as an HTML image, and close it.

    It is a PNG inside an `<img alt="…">`, so that a screen reader finds the words and the file needs nothing else.
    """
    import base64
    import html
    import io

    from IPython.display import HTML

    figure = axes.figure
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    image = base64.b64encode(buffer.getvalue()).decode()
    alternative = html.escape(figure.get_label() or axes.get_title(loc="left"), quote=True)
    display(HTML(f'<img src="data:image/png;base64,{image}" alt="{alternative}" style="max-width:100%">'))


def plot_by_length(
    curves: Mapping[str, Mapping[tuple[int, int], float]],
    *,
    title: str,
    ylabel: str,
    xlabel: str = "source words",
    ylim: tuple[float, float] | None = None,
    intervals: Mapping[str, Mapping[tuple[int, int], tuple[float, float]]] | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw one curve per system over buckets of lengths.

    Args:
        curves: for each name, the value of each (shortest, longest) bucket.
        title: the finding.
        ylabel: the measure with its unit.
        xlabel: what is bucketed.
        ylim: limits of the vertical axis.
        intervals: for each name, (low, high) of each bucket, drawn as a band.
        axes: where to draw; a new figure if None.
    """
    axes = axes or plt.subplots()[1]
    buckets = list(dict.fromkeys(bucket for curve in curves.values() for bucket in curve))
    for (name, curve), style in zip(curves.items(), curve_styles(list(curves)), strict=True):
        places = [buckets.index(bucket) for bucket in curve]
        (line,) = axes.plot(places, list(curve.values()), label=name, **style)
        if intervals and name in intervals:
            low, high = zip(*(intervals[name][bucket] for bucket in curve), strict=True)
            axes.fill_between(places, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.set_xticks(range(len(buckets)), [f"{low}–{high}" for low, high in buckets])
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if ylim:
        axes.set_ylim(*ylim)
    axes.legend()
    parts = [f"{name}: " + ", ".join(f"{value:.3g}" for value in curve.values()) for name, curve in curves.items()]
    spans = ", ".join(f"{low} to {high}" for low, high in buckets)
    return describe(axes, f"{title}. {ylabel} for {xlabel} {spans}. " + "; ".join(parts) + ".")


def plot_lines(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    log_y: bool = False,
    log_x: bool = False,
    axes: Axes | None = None,
) -> Axes:
    """Draw curves given as (x values, y values), marked by colour and by shape.

    Args:
        curves: for each name, its x and y values.
        title: the finding.
        xlabel, ylabel: what is drawn, with units.
        log_y, log_x: logarithmic axes.
        axes: where to draw; a new figure if None.
    """
    axes = axes or plt.subplots()[1]
    for (name, (x, y)), style in zip(curves.items(), curve_styles(list(curves)), strict=True):
        axes.plot(x, y, markevery=max(1, len(x) // 12), label=name, **style)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if log_y:
        axes.set_yscale("log")
        _plain_numbers(axes.yaxis, [value for _, y in curves.values() for value in y])
    if log_x:
        axes.set_xscale("log")
        _plain_numbers(axes.xaxis, [value for x, _ in curves.values() for value in x], most=8)
    elif all(float(value).is_integer() for x, _ in curves.values() for value in x):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # no half steps, no half glimpses
    if len(curves) > 1:
        axes.legend()
    ends = "; ".join(f"{name} goes from {y[0]:.3g} to {y[-1]:.3g}" for name, (_, y) in curves.items())
    return describe(axes, f"{title}. {ylabel} over {xlabel}: {ends}.")


def _plain_numbers(axis: Axis, values: Sequence[float], most: int = 0) -> None:
    """Label a logarithmic axis 20, 50, 100 and not 2 × 10¹, unless its values are too far apart for that.

    If there are at most `most` different values, each has its tick.
    """
    positive = sorted({float(value) for value in values if value > 0})
    if not positive or positive[0] < 1e-3 or positive[-1] > 1e6:
        return
    steps = (1, 2, 5) if positive[-1] / positive[0] < 1000 else (1,)
    axis.set_major_locator(FixedLocator(positive) if len(positive) <= most else LogLocator(subs=steps))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def plot_bars(
    values: Mapping[str, float],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    hatched: Sequence[str] = (),
    groups: tuple[str, str] = ("", ""),
    reference: tuple[str, float] | None = None,
) -> Axes:
    """Draw a bar for each name, in the order of `values`, the first on top.

    Args:
        values: what each bar shows, 0 or more; at least one.
        title: the finding.
        xlabel: what the values are, with their unit.
        ylabel: what the names are.
        hatched: names of the second group, hatched and in another colour.
        groups: what the legend calls the other names and the hatched ones.
        reference: a name and a value to compare with, drawn as a line.

    Raises:
        ValueError: if there is nothing to draw.
    """
    if not values:
        raise ValueError("values is empty; expected at least one name with its value.")
    names = list(values)
    _, axes = plt.subplots(figsize=(8, 1.0 + 0.26 * len(names)), layout="constrained")
    for group, hatch, colour in zip(groups, ("", "///"), ("C0", "C1"), strict=True):
        rows = [row for row, name in enumerate(names) if (name in hatched) == bool(hatch)]
        if rows:
            widths = [values[names[row]] for row in rows]
            axes.barh(rows, widths, color=colour, hatch=hatch, edgecolor="white", label=group or None)
    for row, value in enumerate(values.values()):
        axes.text(value, row, f" {value:.0f}", va="center", fontsize=9)
    if reference is not None:
        axes.axvline(
            reference[1], color="0.3", linestyle="--", linewidth=1, label=f"{reference[0]}, {reference[1]:.0f}"
        )
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set(xlabel=xlabel, ylabel=ylabel, xlim=(0, 1.08 * max(values.values()) + 1))
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.set_title(title)
    if axes.get_legend_handles_labels()[1]:  # below, as bars may be long
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.7 / len(names) - 0.08), ncols=3, fontsize=9, frameon=False)
    said = ", ".join(
        f"{name}{f' ({groups[1]})' if name in hatched else ''} {value:.1f}" for name, value in values.items()
    )
    return describe(axes, f"{title}. {xlabel}: {said}.")


def plot_heatmap(
    values: ArrayLike,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    colour_label: str,
    xticks: Sequence[str] | None = None,
    yticks: Sequence[str] | None = None,
    limits: tuple[float, float] | None = (0.0, 1.0),
    axes: Axes | None = None,
) -> Axes:
    """Draw a matrix as colours, with a labelled colour bar.

    Args:
        values: `(rows, columns)`; NaN stays blank.
        title: the finding.
        xlabel, ylabel: what columns and rows are.
        colour_label: what the colour is, with its unit.
        xticks, yticks: names of columns and rows.
        limits: values of the lightest and darkest colour; None = smallest and largest.
        axes: where to draw; a new figure if None.
    """
    values = numpy.asarray(values, dtype=float)
    heading = title
    columns, rows = xticks or range(values.shape[1]), yticks or range(values.shape[0])
    longest = max((len(str(name)) for name in columns), default=0)
    if axes is None:
        below = 0.07 * longest if longest > 3 else 0  # words stand on end
        size = (min(12, 2.6 + 0.42 * values.shape[1]), min(12, 1.5 + 0.3 * values.shape[0] + below))
        axes = plt.subplots(figsize=size, layout="constrained")[1]
        heading = fill(title, max(30, round(10 * (size[0] - 1))))  # from the matrix to the right edge
    low, high = limits or (numpy.nanmin(values), numpy.nanmax(values))
    image = axes.imshow(values, cmap=ATTENTION_COLOURS, vmin=low, vmax=high, aspect="auto", interpolation="nearest")
    axes.figure.colorbar(image, ax=axes, label=colour_label, pad=0.02)
    axes.grid(False)
    axes.set_xticks(
        range(values.shape[1]), columns, rotation=60 if longest > 3 else 0, ha="right" if longest > 3 else "center"
    )
    axes.set_yticks(range(values.shape[0]), rows)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=heading)
    return describe(axes, f"{title}. {colour_label} for each {ylabel} (rows) and {xlabel} (columns).")


def plot_alignment(
    attention_weights: ArrayLike,
    source_words: Sequence[str],
    target_words: Sequence[str],
    gold: Iterable[tuple[int, int]] = (),
    *,
    title: str,
    axes: Axes | None = None,
) -> Axes:
    """Draw where each target word attends, and frame the gold alignment.

    Args:
        attention_weights: `(target_length, source_length)`.
        source_words: one per column.
        target_words: one per row (the end symbol too if its row is there).
        gold: (target index, source index) links to frame.
        title: the finding.
        axes: where to draw; a new figure if None.

    Raises:
        ValueError: if the words do not fit the weights.
    """
    weights = numpy.asarray(attention_weights, dtype=float)
    if weights.shape != (len(target_words), len(source_words)):
        raise ValueError(
            f"attention_weights has shape {weights.shape}; expected ({len(target_words)}, {len(source_words)}), "
            "one row per target word and one column per source word."
        )
    gold, own_figure = list(gold), axes is None
    axes = plot_heatmap(
        weights, title=title, xlabel="source words", ylabel="target words", colour_label="attention weight",
        xticks=list(source_words), yticks=list(target_words), axes=axes,
    )  # fmt: skip
    for target, source in gold:
        frame = {"fill": False, "edgecolor": GOLD_COLOUR, "linewidth": 2, "clip_on": False}  # whole at the edge, too
        axes.add_patch(Rectangle((source - 0.5, target - 0.5), 1, 1, **frame))
    if gold:
        axes.plot(
            [], [], "s", markerfacecolor="none", markeredgecolor=GOLD_COLOUR, markeredgewidth=2, label="gold alignment"
        )
        if own_figure:  # below the words, however long they are
            axes.figure.legend(loc="outside lower left", fontsize=9)
        else:
            axes.legend(loc="upper left", bbox_to_anchor=(0, -0.28), fontsize=9)
    said = "; ".join(
        f"{word} attends most to {source_words[int(row.argmax())]} ({row.max():.2f})"
        for word, row in zip(target_words, weights, strict=True)
    )
    return describe(axes, f"{title}. Alignment heatmap: {said}.")
