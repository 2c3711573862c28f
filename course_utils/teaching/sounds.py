"""Figures of speech: a spectrogram, and below it where each phoneme looked, with the times when it truly sounds;
the path of the looks through long speech; the errors of each speaker.

Like `plots`: every function returns axes whose figure carries an alternative text, for `plots.show`.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from course_utils.data.speech.features import FRAME_MS, STEP_MS
from course_utils.data.speech.phonemes import Phoneme
from course_utils.teaching.plots import GOLD_COLOUR, curve_styles, describe, plot_bars

_MOST_LABELS = 45  # with more phonemes than this their symbols would overlap, and are left out


def plot_spectrogram(features: ArrayLike, phonemes: Sequence[Phoneme], *, title: str, axes: Axes | None = None) -> Axes:
    """Draw log-mel features over time, with lines at the boundaries of phonemes and their symbols above.

    Args:
        features: `(frames, mels)`, a frame every 10 ms.
        phonemes: with their times in ms.
        title: the finding.
        axes: where to draw; a new figure if None.
    """
    features = numpy.asarray(features, dtype=float)
    seconds = len(features) * FRAME_MS / 1000
    if axes is None:
        _, axes = plt.subplots(figsize=(10, 2.6), layout="constrained")
    axes.imshow(
        features.T, origin="lower", aspect="auto", cmap="gray_r", extent=(0, seconds, 0, features.shape[1]),
        interpolation="nearest",
    )  # fmt: skip
    for phoneme in phonemes:
        axes.axvline(phoneme.start_ms / 1000, color=GOLD_COLOUR, linewidth=0.8)
        if len(phonemes) <= _MOST_LABELS:
            middle = (phoneme.start_ms + phoneme.end_ms) / 2000
            axes.text(middle, features.shape[1] * 1.02, phoneme.symbol, ha="center", va="bottom", fontsize=8)
    if phonemes:
        axes.axvline(phonemes[-1].end_ms / 1000, color=GOLD_COLOUR, linewidth=0.8)
    axes.set_title(title, pad=16)
    axes.set(xlabel="seconds", ylabel="mel band", xlim=(0, seconds))
    axes.grid(False)
    said = ", ".join(f"{p.symbol} from {p.start_ms / 1000:.2f} s" for p in phonemes[:_MOST_LABELS])
    return describe(axes, f"{title}. Spectrogram of {seconds:.1f} seconds. Phonemes: {said}.")


def plot_time_alignment(
    attention_weights: ArrayLike,
    written: Sequence[str],
    steps: int,
    *,
    title: str,
    phonemes: Sequence[Phoneme] = (),
    axes: Axes | None = None,
) -> Axes:
    """Draw where in time each written phoneme looked, and frame when the true ones sound.

    Args:
        attention_weights: `(written, steps)`.
        written: one symbol per row (the end symbol too if its row is there).
        steps: of the utterance, 40 ms each.
        title: the finding.
        phonemes: the true ones, framed row by row; only where they were written too (teacher forcing), else empty.
        axes: where to draw; a new figure if None.

    A `ValueError` if the weights do not fit.
    """
    if axes is None:
        _, axes = plt.subplots(figsize=(10, min(8.0, 1.2 + 0.16 * len(written))), layout="constrained")
    image, looks = _draw_attention(axes, attention_weights, written, steps, phonemes)
    axes.set_title(title)
    axes.figure.colorbar(image, ax=axes, label="attention weight")
    return describe(axes, f"{title}. Where each phoneme looked most: {looks}.")


def plot_listening(
    features: ArrayLike,
    attention_weights: ArrayLike,
    written: Sequence[str],
    *,
    title: str,
    phonemes: Sequence[Phoneme] = (),
) -> Axes:
    """Draw a spectrogram, and below it, over the same seconds, where each written phoneme looked.

    Args:
        features: `(frames, mels)`, a frame every 10 ms.
        attention_weights, written, phonemes: see `plot_time_alignment`; the lines of `phonemes` are in both.
        title: the finding.

    A `ValueError` if the weights do not fit.
    """
    steps = -(-len(features) * FRAME_MS // STEP_MS)
    height = min(8.0, 1.0 + 0.18 * len(written))
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(10, 2.4 + height), height_ratios=(2.4, height), sharex=True, layout="constrained"
    )
    image, looks = _draw_attention(below, attention_weights, written, steps, phonemes)
    plot_spectrogram(features, phonemes, title=title, axes=above)
    above.set(xlabel="", xlim=(0, steps * STEP_MS / 1000))
    figure.colorbar(image, ax=[above, below], label="attention weight", shrink=0.6, anchor=(0.0, 0.0))
    said = ", ".join(f"{p.symbol} from {p.start_ms / 1000:.2f} s" for p in phonemes[:_MOST_LABELS])
    truth = f" Phonemes: {said}." if phonemes else ""
    return describe(below, f"{title}. Spectrogram, and where each phoneme looked most: {looks}.{truth}")


def _draw_attention(
    axes: Axes, attention_weights: ArrayLike, written: Sequence[str], steps: int, phonemes: Sequence[Phoneme]
) -> tuple[AxesImage, str]:
    """Draw weights over seconds with the truth framed; returns the image, and the looks in words."""
    weights = numpy.asarray(attention_weights, dtype=float)
    if weights.shape != (len(written), steps):
        raise ValueError(f"attention_weights has shape {weights.shape}; expected ({len(written)}, {steps}).")
    extent = (0, steps * STEP_MS / 1000, len(written), 0)
    image = axes.imshow(weights, aspect="auto", cmap="Blues", vmin=0, vmax=1, extent=extent, interpolation="nearest")
    for row, phoneme in enumerate(phonemes):
        start, end = phoneme.start_ms / 1000, phoneme.end_ms / 1000
        axes.add_patch(Rectangle((start, row), end - start, 1, fill=False, edgecolor=GOLD_COLOUR, linewidth=1.2))
    if len(written) <= _MOST_LABELS:
        axes.set_yticks(numpy.arange(len(written)) + 0.5, written, fontsize=7)
    axes.set(
        xlabel="seconds" + ("; orange: when the phoneme sounds" if phonemes else ""), ylabel="written, from the top"
    )
    axes.grid(False)
    peaks = (weights.argmax(axis=1) + 0.5) * STEP_MS / 1000
    return image, ", ".join(f"{s} at {t:.2f} s" for s, t in zip(written[:_MOST_LABELS], peaks, strict=False))


def plot_paths(
    paths: Mapping[str, ArrayLike],
    phonemes: Sequence[Phoneme],
    *,
    title: str,
    joins: Sequence[float] = (),
    axes: Axes | None = None,
) -> Axes:
    """Draw when each model looked, one written phoneme after the other, beside when the phonemes sound.

    Who looks forward goes down to the right; a jump to the left is a look back. A path that is more than half as long
    again as what was said is cut off at the lower edge.

    Args:
        paths: for each model `(written,)` seconds, where each look was, in the order of writing.
        phonemes: what was said, with times in ms: drawn as the path of somebody who writes all of it, in time.
        title: the finding.
        joins: seconds at which one utterance ends and the next begins.
        axes: where to draw; a new figure if None.
    """
    axes = axes or plt.subplots(figsize=(8, 4.2), layout="constrained")[1]
    middles = [(phoneme.start_ms + phoneme.end_ms) / 2000 for phoneme in phonemes]
    axes.plot(middles, range(1, len(middles) + 1), color=GOLD_COLOUR, linewidth=5, alpha=0.45, label="truth")
    for (name, seconds), style in zip(paths.items(), curve_styles(list(paths)), strict=True):
        seconds = numpy.asarray(seconds, dtype=float)
        every = max(1, len(seconds) // 12)
        axes.plot(
            seconds, range(1, len(seconds) + 1), markevery=every, markersize=4, linewidth=1.2, label=name, **style
        )
    for number, seconds in enumerate(joins):
        axes.axvline(seconds, color="0.5", linewidth=0.8, linestyle="--", label="" if number else "next utterance")
    longest = max([len(middles), *(len(path) for path in paths.values())])
    axes.set_ylim(min(longest, 1.5 * len(middles)) + 1.5, 0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="seconds", ylabel="phonemes written")
    axes.set_title(title)
    axes.legend(fontsize=9)
    back = {name: int((numpy.diff(numpy.asarray(path, dtype=float)) < 0).sum()) for name, path in paths.items()}
    said = "; ".join(f"{name} writes {len(paths[name])} and looks back {count} times" for name, count in back.items())
    return describe(axes, f"{title}. Looks over time, {len(middles)} phonemes were said: {said}.")


def plot_speakers(
    errors: Mapping[str, float], *, title: str, unseen: Sequence[str] = (), mean: float | None = None
) -> Axes:
    """Draw the error rate of each speaker as a bar, the best on top.

    Args:
        errors: percent, by speaker.
        title: the finding.
        unseen: speakers that were in no training: hatched, and named so.
        mean: drawn as a line, percent.
    """
    return plot_bars(
        dict(sorted(errors.items(), key=lambda item: item[1])),
        title=title,
        xlabel="phoneme error rate, %",
        ylabel="speaker",
        hatched=unseen,
        groups=("in training", "in no training"),
        reference=None if mean is None else ("mean", mean),
    )
