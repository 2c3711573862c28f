"""The references of lesson 6's exercises compute what the course's models and marks compute."""

import pytest
import torch

from course_utils.data.speech.data import STEP_MS, gold_overlap
from course_utils.data.speech.phonemes import Phoneme
from course_utils.exercises.lesson_06 import (
    listening_in_time,
    location_features,
    location_score,
    phoneme_error_rate,
    smoothing,
)
from course_utils.exercises.lesson_06 import window as moving_window
from course_utils.mechanisms.location import LocationAwareAttention, smooth_weights, window_mask


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def listen(**options):
    """Make an attention with what it needs for one step."""
    attention = LocationAwareAttention(3, 4, 5, filters=2, width=5, **options)
    outputs, query = torch.randn(3, 7, 4), torch.randn(3, 3)
    mask = torch.arange(7) < torch.tensor([[7], [3], [5]])
    previous = torch.softmax(2 * torch.randn(3, 7).masked_fill(~mask, float("-inf")), dim=1)
    return attention, outputs, query, mask, previous


def parameters(attention):
    """W, V, U, b and w of an attention."""
    return (
        attention.query_projection.weight,
        attention.key_projection.weight,
        attention.location_projection.weight,
        attention.query_projection.bias,
        attention.score.weight[0],
    )


def test_features_and_score_are_those_of_the_attention():
    attention, outputs, query, mask, previous = listen()
    _, weights = attention(query, attention.prepare(outputs, mask), previous)
    features = location_features.location_features(previous, attention.filters.weight[:, 0])
    found = location_score.location_score(query, outputs, features, mask, *parameters(attention))
    torch.testing.assert_close(found, weights)
    without = location_score.location_score(query, outputs, 0 * features, mask, *parameters(attention))
    assert not torch.allclose(without, weights, atol=1e-3)


@pytest.mark.parametrize("window", [0, 1, 3])
def test_the_window_is_that_of_the_attention(window):
    attention, outputs, query, mask, previous = listen(window=window)
    _, weights = attention(query, attention.prepare(outputs, mask), previous)
    features = location_features.location_features(previous, attention.filters.weight[:, 0])
    W, V, U, b, w = parameters(attention)
    scores = torch.tanh((query @ W.T).unsqueeze(1) + outputs @ V.T + features @ U.T + b) @ w
    torch.testing.assert_close(moving_window.windowed_weights(scores, previous, mask, window), weights)
    assert torch.equal(weights > 0, mask & window_mask(previous, window))


def test_the_medians_of_the_check_are_those_of_the_window():
    previous = torch.softmax(2 * torch.randn(40, 9), dim=1)
    around = (torch.arange(9) - moving_window.medians(previous)).abs() <= 2
    assert torch.equal(around, window_mask(previous, 2))


def test_smoothing_is_that_of_the_course():
    scores, mask = torch.randn(2, 4), torch.tensor([[True] * 4, [True, True, False, False]])
    torch.testing.assert_close(smoothing.EXERCISE.reference(scores, mask), smooth_weights(scores, mask))
    gates = scores.sigmoid() * mask
    torch.testing.assert_close(smooth_weights(scores, mask), gates / gates.sum(dim=1, keepdim=True))


def fewest_edits(hypothesis, reference):
    """Try every way; slow, and surely right."""
    if not hypothesis or not reference:
        return len(hypothesis) + len(reference)
    return min(
        fewest_edits(hypothesis[1:], reference) + 1,
        fewest_edits(hypothesis, reference[1:]) + 1,
        fewest_edits(hypothesis[1:], reference[1:]) + (hypothesis[0] != reference[0]),
    )


def test_the_distance_is_the_fewest_edits_of_all_ways():
    for said, written in [(5, 5), (5, 3), (2, 6), (0, 4), (4, 0)]:
        for _ in range(4):
            hypothesis, reference = (torch.randint(3, (length,)).tolist() for length in (written, said))
            assert phoneme_error_rate.edits(hypothesis, reference) == fewest_edits(hypothesis, reference)


def test_swaps_and_dearer_substitutions_are_what_the_hints_take_them_for():
    assert phoneme_error_rate.edits("NUZD", "NZUD") == 2
    assert phoneme_error_rate.edits("KAT", "KET", substitution=2) == 2 > phoneme_error_rate.edits("KAT", "KET")


def test_the_error_rate_weighs_utterances_by_their_length():
    long, short = list("ABCDEFGHI"), ["A"]
    assert phoneme_error_rate.phoneme_error_rate([long, ["B"]], [long, short]) == pytest.approx(1 / 10)


def test_attention_wholly_inside_their_phonemes_have_no_error():
    phonemes = [Phoneme("K", 30, 170), Phoneme("AE", 170, 300), Phoneme("T", 340, 470)]
    inside = gold_overlap(phonemes, steps=12)
    weights = (inside == 1) * torch.rand(3, 12)
    weights = weights / weights.sum(dim=1, keepdim=True)
    assert (weights * inside).sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    spans = torch.tensor([[phoneme.start_ms, phoneme.end_ms] for phoneme in phonemes])
    assert listening_in_time.listening_in_time(weights, spans, STEP_MS) == (0, 0)
    error, backward = listening_in_time.listening_in_time(weights.flip(0), spans, STEP_MS)
    assert error > 100 and backward == 1
