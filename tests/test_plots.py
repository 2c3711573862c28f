"""Figures: named axes, a finding as title, words for those who cannot see them."""

import re

import matplotlib.pyplot as plt
import numpy
import pytest
from matplotlib.colors import to_hex

from course_utils.teaching import diagrams, plots
from course_utils.teaching.claims import plot_claims

CURVES = {"fixed": {(2, 8): 90.0, (9, 16): 40.0}, "attention": {(2, 8): 95.0, (9, 16): 94.0}}


@pytest.fixture(autouse=True)
def close_figures():
    plots.house_style()
    yield
    plt.close("all")


def every_figure():
    return {
        "length": plots.plot_by_length(CURVES, title="Attention stays", ylabel="BLEU"),
        "lines": plots.plot_lines({"a": ([1, 2], [3.0, 4.0])}, title="It grows", xlabel="words", ylabel="ms"),
        "bars": plots.plot_bars(
            {"negation": 90.0, "chain": 50.0},
            title="Chains are hard",
            xlabel="accuracy, %",
            ylabel="pairs that turn on",
            hatched=["chain"],
            groups=("learned", "not learned"),
            reference=("chance", 33.3),
        ),
        "alignment": plots.plot_alignment(
            numpy.eye(2), ["les", "chats"], ["the", "cats"], {(0, 0)}, title="Both look right"
        ),
    }


def test_every_figure_names_its_axes_and_has_words_for_it():
    for name, axes in every_figure().items():
        assert axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left"), name
        assert len(axes.figure.get_label()) > 30, name


def test_bars_say_their_values_and_which_are_hatched():
    axes = every_figure()["bars"]
    assert "accuracy, %: negation 90.0, chain (not learned) 50.0" in axes.figure.get_label()
    assert axes.get_legend_handles_labels()[1] == ["chance, 33", "learned", "not learned"]
    with pytest.raises(ValueError, match="at least one name"):
        plots.plot_bars({}, title="Nothing", xlabel="%", ylabel="names")


def test_logarithmic_axes_say_plain_numbers():
    axes = plots.plot_lines(
        {"a": ([10, 20, 40, 80], [31.0, 50.0, 90.0, 380.0])}, title="It grows", xlabel="words", ylabel="ms",
        log_x=True, log_y=True,
    )  # fmt: skip
    axes.figure.canvas.draw()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "20", "40", "80"]
    low, high = axes.get_ylim()
    seen = [
        label.get_text() for place, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
        if low <= place <= high
    ]  # fmt: skip
    assert seen == ["50", "100", "200"]


def test_numbers_that_are_far_apart_stay_powers_of_ten():
    axes = plots.plot_lines({"a": ([1, 2], [1e-8, 1.0])}, title="It shrinks", xlabel="words", ylabel="x", log_y=True)
    axes.figure.canvas.draw()
    assert any("10^" in label.get_text() for label in axes.get_yticklabels())


def test_what_the_frames_mean_stands_clear_of_the_words():
    words = ["les", "anticonstitutionnellement", "rouges"]
    axes = plots.plot_alignment(numpy.eye(3), words, ["a", "b", "c"], {(0, 0)}, title="All look right")
    axes.figure.canvas.draw()
    legend = axes.figure.legends[0].get_window_extent()
    assert legend.y0 >= 0 and all(legend.y1 <= label.get_window_extent().y0 for label in axes.get_xticklabels())


def test_an_alignment_figure_says_where_each_word_looked():
    text = every_figure()["alignment"].figure.get_label()
    assert "the attends most to les (1.00)" in text and "cats attends most to chats" in text


def test_shown_figures_carry_their_words(monkeypatch):
    shown = []
    monkeypatch.setattr(plots, "display", shown.append)
    axes = plots.plot_by_length({"a<b": CURVES["fixed"]}, title='"Quoted" & <odd>', ylabel="BLEU")
    plots.show(axes)
    (html,) = shown
    assert re.search(r'alt="[^"]*&quot;Quoted&quot; &amp; &lt;odd&gt;', html.data)
    assert not plt.get_fignums(), "the figure must be closed"


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (2,)])
def test_words_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match="one row per target word"):
        plots.plot_alignment(numpy.zeros(shape), ["les", "chats"], ["the", "cats"], title="No")


def test_intervals_become_bands():
    intervals = {"fixed": {(2, 8): (85.0, 95.0), (9, 16): (30.0, 50.0)}}
    axes = plots.plot_by_length(CURVES, title="With bands", ylabel="BLEU", intervals=intervals)
    assert len(axes.collections) == 1


def test_a_system_has_its_colour_whatever_stands_beside_it():
    def colours(*names):
        return dict(zip(names, (style["color"] for style in plots.curve_styles(names)), strict=True))

    two, other = colours("fixed vector", "attention"), colours("attention", "diagonal guess")
    assert two["attention"] == other["attention"] and len({*two.values(), *other.values()}) == 3
    assert colours("dictionary", "fixed vector")["fixed vector"] == two["fixed vector"]
    assert colours("something new", "attention", "another")["attention"] == two["attention"]


def test_curves_of_one_figure_can_be_told_apart_in_grey():
    names = ["32 numbers", "64 numbers", "128 numbers", "something new", *"abcdefgh"]
    styles = plots.curve_styles(names)
    assert len({tuple(sorted(style.items())) for style in styles}) == len(names)
    assert [style["linestyle"] for style in styles[:3]] == [":", "--", "-"], "the last of one colour is solid"
    assert plots.GOLD_COLOUR not in {to_hex(style["color"]) for style in styles}, "that colour is gold's"


def test_a_diagram_shows_the_words_and_says_what_reads_what():
    axes = diagrams.attention_decoder(("un", "chat", "noir", "dort"), "black")
    written = [text.get_text() for text in axes.texts]
    assert {"un", "chat", "noir", "dort", "query", "keys", "values", "$y_i$: black"} <= set(written)
    assert all(word in axes.figure.get_label() for word in ("un, chat, noir, dort", "query", "weights", "black"))


CLAIM = {
    "claim": "Ours is better", "metric": "BLEU", "source": "real", "direction": "higher", "verdict": "holds",
    "baseline": {"name": "old", "values": [1.0, 2.0]}, "ours": {"name": "new", "values": [3.0, 4.0]},
    "difference": {"mean": 2.0, "ci95": [1.0, 3.0]}, "paper_results": "1 → 2",
}  # fmt: skip


def test_claims_lie_on_their_side_of_zero_whatever_the_direction():
    lower = {**CLAIM, "direction": "lower", "difference": {"mean": -2.0, "ci95": [-3.0, -1.0]}, "verdict": "holds"}
    against = {**CLAIM, "verdict": "contradicted", "difference": {"mean": -2.0, "ci95": [-3.0, -1.0]}}
    axes = plot_claims([CLAIM, lower, against])
    middles = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
    assert middles[0] == middles[1] > 0 > middles[2]
    label = axes.figure.get_label()
    assert "holds 2, contradicted 1" in label and "old 1.5, new 3.5; paper: 1 → 2" in label and "real data" in label
    with pytest.raises(ValueError, match="entries is empty; expected the claims"):
        plot_claims([])
