"""Figures of speech: what is drawn where, in seconds, and what the alternative text says."""

import matplotlib.pyplot as plt
import numpy
import pytest

from course_utils.data.speech.phonemes import Phoneme
from course_utils.teaching.sounds import (
    plot_listening,
    plot_paths,
    plot_speakers,
    plot_spectrogram,
    plot_time_alignment,
)

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


def test_sound_and_attention_share_their_seconds():
    weights = numpy.eye(4, 13)
    axes = plot_listening(numpy.zeros((49, 40)), weights, ["K", "AE", "T", "(end)"], title="Both", phonemes=PHONEMES)
    above, below = axes.figure.axes[:2]
    assert axes is below and above.get_xlim() == below.get_xlim() == pytest.approx((0, 0.52))
    assert len(above.lines) == 4 and len(below.patches) == 3 and below.get_xlabel().startswith("seconds")
    text = axes.figure.get_label()
    assert text.startswith("Both. Spectrogram") and "AE at 0.06 s" in text and "T from 0.30 s" in text


def test_a_path_goes_down_and_its_steps_back_are_told():
    axes = plot_paths(
        {"content": [0.1, 0.3, 0.1, 0.2], "location": [0.1, 0.2, 0.35]}, PHONEMES, title="Lost", joins=[0.4]
    )
    truth, content, location, join = axes.lines
    assert truth.get_xdata() == pytest.approx([0.08, 0.21, 0.35]) and list(truth.get_ydata()) == [1, 2, 3]
    assert list(content.get_ydata()) == [1, 2, 3, 4] and location.get_xdata() == pytest.approx([0.1, 0.2, 0.35])
    assert join.get_xdata()[0] == 0.4 and join.get_label() == "next utterance"
    bottom, top = axes.get_ylim()
    assert bottom > 4 and top == 0
    text = axes.figure.get_label()
    assert "content writes 4 and looks back 1 times" in text and "location writes 3 and looks back 0 times" in text
    cut = plot_paths({"endless": numpy.zeros(100)}, PHONEMES, title="On and on")
    assert len(cut.lines) == 2 and cut.get_ylim()[0] == 6


def test_speakers_stand_in_order_and_those_that_were_not_trained_on_are_marked():
    axes = plot_speakers({"b": 70.0, "a": 2.0, "c": 9.5}, title="A mean hides one", unseen=["b"], mean=27.2)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "c", "b"]
    assert [(bar.get_width(), bar.get_hatch()) for bar in axes.patches] == [(2.0, ""), (9.5, ""), (70.0, "///")]
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"in training", "in no training", "mean, 27"}
    assert axes.figure.get_label().endswith("phoneme error rate, %: a 2.0, c 9.5, b (in no training) 70.0.")
