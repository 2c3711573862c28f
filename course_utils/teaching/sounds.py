"""Figures of speech: a spectrogram, and below it where each phoneme looked, with the times when it truly sounds.

Like `plots`: every function returns axes whose figure carries an alternative text, for `plots.show`.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_utils.datasets.speech_features import FRAME_MS, STEP_MS
from course_utils.datasets.speech_phonemes import Phoneme
from course_utils.teaching.plots import GOLD_COLOUR, describe

_MOST_LABELS = 45
"""With more phonemes than this their symbols would overlap, and are left out."""


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

    Raises:
        ValueError: if the weights do not fit.
    """
    weights = numpy.asarray(attention_weights, dtype=float)
    if weights.shape != (len(written), steps):
        raise ValueError(f"attention_weights has shape {weights.shape}; expected ({len(written)}, {steps}).")
    if axes is None:
        _, axes = plt.subplots(figsize=(10, min(8.0, 1.2 + 0.16 * len(written))), layout="constrained")
    seconds = steps * STEP_MS / 1000
    extent = (0, seconds, len(written), 0)
    image = axes.imshow(weights, aspect="auto", cmap="Blues", vmin=0, vmax=1, extent=extent, interpolation="nearest")
    for row, phoneme in enumerate(phonemes):
        start, end = phoneme.start_ms / 1000, phoneme.end_ms / 1000
        axes.add_patch(Rectangle((start, row), end - start, 1, fill=False, edgecolor=GOLD_COLOUR, linewidth=1.2))
    if len(written) <= _MOST_LABELS:
        axes.set_yticks(numpy.arange(len(written)) + 0.5, written, fontsize=7)
    axes.set(
        xlabel="seconds" + ("; orange: when the phoneme sounds" if phonemes else ""), ylabel="written, from the top"
    )
    axes.set_title(title)
    axes.grid(False)
    axes.figure.colorbar(image, ax=axes, label="attention weight")
    peaks = (weights.argmax(axis=1) + 0.5) * STEP_MS / 1000
    looks = ", ".join(f"{s} at {t:.2f} s" for s, t in zip(written[:_MOST_LABELS], peaks, strict=False))
    return describe(axes, f"{title}. Where each phoneme looked most: {looks}.")
