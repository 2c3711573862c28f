"""Figures of speech: what is drawn where, in seconds, and what the alternative text says."""

import matplotlib.pyplot as plt
import numpy
import pytest

from course_utils.datasets.speech_phonemes import Phoneme
from course_utils.teaching.sounds import plot_spectrogram, plot_time_alignment

PHONEMES = (Phoneme("K", 40.0, 120.0), Phoneme("AE", 120.0, 300.0), Phoneme("T", 300.0, 400.0))


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_a_spectrogram_has_a_line_at_every_boundary_and_seconds_below():
    axes = plot_spectrogram(numpy.random.default_rng(0).normal(size=(48, 40)), PHONEMES, title="A cat")
    assert [line.get_xdata()[0] for line in axes.lines] == pytest.approx([0.04, 0.12, 0.3, 0.4])
    assert axes.get_xlim() == pytest.approx((0, 0.48)) and [text.get_text() for text in axes.texts] == ["K", "AE", "T"]
    text = axes.figure.get_label()
    assert text.startswith("A cat. Spectrogram of 0.5 seconds.") and "AE from 0.12 s" in text


def test_frames_stand_where_phonemes_sound():
    weights = numpy.zeros((4, 12))
    weights[[0, 1, 2, 3], [1, 5, 8, 11]] = 1.0
    axes = plot_time_alignment(weights, ["K", "AE", "T", "(end)"], 12, title="On time", phonemes=PHONEMES)
    frames = [(frame.get_x(), frame.get_y(), frame.get_width()) for frame in axes.patches]
    assert numpy.allclose(frames, [(0.04, 0, 0.08), (0.12, 1, 0.18), (0.3, 2, 0.1)])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["K", "AE", "T", "(end)"]
    assert "AE at 0.22 s" in axes.figure.get_label()
    with pytest.raises(ValueError, match=r"shape \(4, 12\); expected \(3, 12\)"):
        plot_time_alignment(weights, ["K", "AE", "T"], 12, title="")
