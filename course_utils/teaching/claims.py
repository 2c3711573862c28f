"""The claims of a lesson as one figure: the difference, its interval, the verdict, and the paper's value beside it."""

from collections.abc import Mapping, Sequence
from textwrap import fill, shorten

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from course_utils.teaching.plots import describe

VERDICT_COLOURS = {"holds": "#029e73", "contradicted": "#d55e00", "inconclusive": "0.45", "void": "0.7"}
SOURCE_NAMES = {"default": "synthetic data", "real": "real data"}


def plot_claims(entries: Sequence[Mapping], *, title: str = "") -> Axes:
    """Draw one row per claim; to the right of the zero line the claim's side.

    Every row has a scale of its own, because units differ: its bar is the 95 % interval of the difference.

    Args:
        entries: claims of a result file, as `experiments.claims` writes them, each also with its `source`.
        title: the finding; counts of the verdicts if empty.

    Raises:
        ValueError: if there is no entry.
    """
    if not entries:
        raise ValueError("entries is empty; expected the claims of at least one stored result.")
    verdicts = [entry["verdict"] for entry in entries]
    counts = ", ".join(f"{word} {verdicts.count(word)}" for word in VERDICT_COLOURS if word in verdicts)
    title = title or f"{len(entries)} comparisons: {counts}"
    axes = plt.subplots(figsize=(11, 0.9 + 0.72 * len(entries)), layout="constrained")[1]
    said = []
    for row, entry in enumerate(entries):
        sign = 1 if entry["direction"] == "higher" else -1
        mean, interval = entry["difference"]["mean"], entry["difference"]["ci95"] or [entry["difference"]["mean"]] * 2
        widest = max(abs(mean), *map(abs, interval)) or 1.0
        low, high = sorted(sign * end / widest for end in interval)
        colour = VERDICT_COLOURS[entry["verdict"]]
        axes.plot([low, high], [row, row], color=colour, lw=5, alpha=0.45, solid_capstyle="butt")
        axes.plot(sign * mean / widest, row, "o", color=colour, ms=7)
        source = SOURCE_NAMES.get(entry["source"], entry["source"])
        claim = f"{fill(entry['claim'], 46)}\n{shorten(entry['metric'], 52, placeholder=' …')} · {source}"
        axes.text(-1.15, row, claim, ha="right", va="center", fontsize=8.5)
        values = [sum(entry[side]["values"]) / len(entry[side]["values"]) for side in ("baseline", "ours")]
        measured = f"{entry['baseline']['name']} {values[0]:.3g}, {entry['ours']['name']} {values[1]:.3g}"
        paper = shorten(entry["paper_results"], 60, placeholder=" …")
        axes.text(1.15, row, f"{entry['verdict']}", va="center", fontsize=9.5, color=colour, weight="bold")
        axes.text(1.95, row, f"{mean:+.3g}: {measured}\npaper: {paper}", va="center", fontsize=8.5)
        said.append(
            f"{entry['claim']} ({source}): {entry['verdict']}, difference {mean:+.3g}; {measured}; paper: {paper}"
        )
    axes.axvline(0, color="0.3", lw=1)
    axes.set(xlim=(-1.1, 1.1), ylim=(len(entries) - 0.4, -0.6), yticks=[], xticks=[], title=title)
    axes.set_xlabel(
        "← against the claim     no difference     for the claim →\n(each row has its own scale)", fontsize=9
    )
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(False)
    return describe(axes, f"{title}. " + ". ".join(said) + ".")
