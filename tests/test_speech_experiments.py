"""The experiments of lesson 6: errors and attention are evaluated, long speech is joined, claims find their metrics."""

import numpy
import pytest
import torch

from course_utils.data.speech.cached import small_set
from course_utils.data.speech.data import SpokenData
from course_utils.data.speech.features import MELS, STEP_MS
from course_utils.data.speech.phonemes import PHONEMES, Phoneme
from course_utils.data.speech.utterances import SpokenUtterance, Utterance
from course_utils.data.text import Vocabulary
from course_utils.mechanisms.search import Hypothesis
from experiments import lesson_06_speech as lesson_06
from experiments import speech as experiments
from experiments.speech import (
    COPIES,
    Recipe,
    error_by_speaker,
    error_rate,
    fit,
    joined,
    phoneme_error_rate,
    recognize,
    score_attention,
    teacher_forced_attention,
)

EXPERIMENT = lesson_06.EXPERIMENT
NOTHING = Hypothesis([], 0.0, None, True)
SMALL = (("hidden_size", 8), ("embedding_size", 4), ("attention_size", 6), ("layers", 1))


@pytest.fixture(scope="module")
def data():
    """The prepared set: no synthesizer is needed."""
    tests = {split: small_set(split)[:6] for split in ("test", "unseen phrases", "unseen speakers")}
    return SpokenData("default", Vocabulary(PHONEMES), small_set("train")[:24], small_set("validation")[:4], tests, "")


def small(system, **changes):
    return Recipe(system, options=SMALL, **{"steps": 2, "batch_size": 8, **changes})


def edits(a, b):
    """The slow definition of edit distance."""
    if not a or not b:
        return len(a) + len(b)
    return min(edits(a[1:], b[1:]) + (a[0] != b[0]), edits(a[1:], b) + 1, edits(a, b[1:]) + 1)


def test_errors_are_summed_before_they_are_divided():
    written, spoken = ["kat", "", "bedroom"], ["kaet", "no", "bad"]
    expected = sum(edits(a, b) for a, b in zip(written, spoken, strict=True)) / sum(map(len, spoken))
    assert phoneme_error_rate(written, spoken) == pytest.approx(expected)
    assert phoneme_error_rate([("t", "ch")], [("tch",)]) == 2  # symbols, not letters
    with pytest.raises(ValueError, match="as many of both"):
        phoneme_error_rate(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="something to be said"):
        phoneme_error_rate([""], [""])


def tone(count, spans):
    """An utterance of `count` steps with phonemes at given steps."""
    phonemes = tuple(Phoneme(PHONEMES[i], a * STEP_MS, b * STEP_MS) for i, (a, b) in enumerate(spans))
    return SpokenUtterance(Utterance(("x",), "en-us"), numpy.zeros((4 * count, MELS), numpy.float16), phonemes)


def test_attention_inside_each_phoneme_is_perfect():
    one = tone(12, [(0, 4), (4, 6), (6, 12)])
    weights = torch.zeros(3, 12)
    weights[0, 0:4], weights[1, 4:6], weights[2, 6:12] = 1 / 4, 1 / 2, 1 / 6
    score = score_attention([weights], [one])
    assert (score.mass, score.peak, score.near, score.forward) == pytest.approx((1, 1, 1, 1))
    assert score.mass_uniform == pytest.approx(12 / 12 / 3) and score.phonemes == 3
    # mean times are 2, 5 and 9 steps, their middles 3.5 and 7; the boundaries lie at 4 and 6
    assert score.boundary_ms == pytest.approx((0.5 + 1) / 2 * STEP_MS)
    assert score.boundary_ms_uniform == pytest.approx((0 + 2) / 2 * STEP_MS)


def test_attention_beside_the_phoneme_and_backwards_is_distinguished():
    one = tone(12, [(0, 4), (4, 6), (6, 12)])
    weights = torch.zeros(3, 12)
    weights[0, 4] = weights[1, 8] = weights[2, 5] = 1  # one step behind, three behind, one before
    score = score_attention([weights], [one])
    assert (score.mass, score.peak) == (0, 0) and score.near == pytest.approx(2 / 3) and score.forward == 0.5
    with pytest.raises(ValueError, match="2 rows for 3 phonemes"):
        score_attention([weights[:2]], [one])


def test_joined_utterances_are_repeats_or_neighbours(data):
    spoken = data.test["test"][:3]
    twice, two = joined(spoken, 2, repeat=True), joined(spoken, 2, repeat=False)
    assert [one.symbols for one in twice] == [one.symbols * 2 for one in spoken]
    assert [one.symbols for one in two] == [spoken[i].symbols + spoken[(i + 1) % 3].symbols for i in range(3)]
    assert len(twice[0].features) == 2 * len(spoken[0].features)


@pytest.mark.parametrize("system", ["content", "location", "smooth"])
def test_attention_has_a_row_for_each_phoneme_and_sums_to_one(data, system):
    model, _ = fit(small(system), data, progress=False)
    spoken = data.test["test"]
    for weights, one in zip(teacher_forced_attention(model, data, spoken), spoken, strict=True):
        assert len(weights) == len(one.phonemes)
        assert torch.allclose(weights.sum(dim=1), torch.ones(len(weights)), atol=1e-5)


def test_decoding_settings_hold_for_one_call_only(data):
    model, _ = fit(small("location"), data, progress=False)
    spoken = data.test["test"][:2]
    found = recognize(model, data, spoken, window=2, end_within=1)
    assert (model.attention.window, model.end_within) == (None, None)
    for hypothesis in found:
        assert ((hypothesis.attention_weights > 0).sum(dim=1) <= 5).all()
    assert recognize(model, data, spoken, beam_size=2)[0].tokens is not None
    rates = error_by_speaker(model, data, data.test["unseen speakers"])
    assert sum(count for _, count in rates.values()) == 6
    assert error_rate(model, data, data.test["unseen speakers"]) >= 0


def test_a_checkpoint_says_how_it_does_on_every_speaker(data, monkeypatch, tmp_path):
    monkeypatch.setattr("course_utils.checkpoints.data_folder", lambda name: tmp_path)
    monkeypatch.setattr("experiments.recipes.training_checkpoint_path", lambda name: tmp_path / name)
    monkeypatch.setattr(lesson_06, "utterances_of", lambda *_: data)
    monkeypatch.setattr(experiments, "recognize", lambda model, data, spoken, *_, **__: [NOTHING] * len(spoken))
    monkeypatch.setitem(EXPERIMENT.checkpoints, "06-smooth", small("smooth"))
    EXPERIMENT.train("06-smooth")
    model, card = EXPERIMENT.load("06-smooth")
    assert card["metrics"] == pytest.approx(EXPERIMENT.checkpoint_metrics("06-smooth", model), abs=1e-3)
    assert {f"plain/{copies}" for copies in COPIES} <= card["metrics"].keys()
    assert {*card["speakers"]} >= {one.utterance.speaker for one in data.test["unseen speakers"]}
    assert all(rate == 100 and count > 0 for rate, count in card["speakers"].values())  # nothing was written
