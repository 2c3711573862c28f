"""BLEU, ROUGE, alignment against the truth, intervals: worked by hand or by another library."""

import math

import numpy
import pytest
from scipy import stats

from course_utils.metrics import (
    alignment_counts,
    alignment_error_rate,
    attention_mass_on_gold,
    bleu,
    diagonal_alignment,
    exact_match,
    hard_alignment,
    mean_interval,
    paired_interval,
    rouge,
    rouge_each,
)


def test_bleu():
    sentences = ["a cat sits on the mat .", "two dogs run across a field ."]
    assert bleu(sentences, sentences) == pytest.approx(100)
    assert bleu(["x y z w v u"], ["a b c d e f"]) < 5
    assert bleu(["A CAT SITS ON THE MAT ."], sentences[:1]) < 50
    assert bleu(["A CAT SITS ON THE MAT ."], sentences[:1], lowercase=True) == pytest.approx(100)
    # One word of five is wrong in the middle: precisions 4/5, 2/4, then smoothed 0 of 3 and 0 of 2.
    expected = 100 * math.exp((math.log(4 / 5) + math.log(2 / 4) + math.log(0.5 / 3) + math.log(0.25 / 2)) / 4)
    assert bleu(["a b x d e"], ["a b c d e"]) == pytest.approx(expected)


def test_rouge():
    # The output shares two of four words with three of the reference, and one pair with its two; "dog sat" is in order.
    (score,) = rouge_each(["big dog sat down"], ["A dog sat."])
    assert score == pytest.approx((200 * 2 / 7, 200 * 1 / 5, 200 * 2 / 7))
    turned = rouge(["sat dog"], ["dog sat"])
    assert turned == pytest.approx((100, 0, 50))
    assert rouge(["the cat", "sat dog"], ["the cat", "dog sat"]) == pytest.approx((100, 50, 75))
    assert rouge([""], ["the cat"]) == (0, 0, 0) == rouge(["the cat"], ["..."])
    assert rouge(["dog dog dog"], ["dog"]).one == pytest.approx(50), "a word counts as often as the reference has it"


def test_exact_match():
    assert exact_match(["a", "b", "c", "d"], ["a", "b", "x", "d"]) == 0.75
    assert exact_match([[1, 2]], [[1, 2]]) == 1


@pytest.mark.parametrize("metric", [bleu, rouge, rouge_each, exact_match, paired_interval])
@pytest.mark.parametrize("first, second", [([], []), (["a"], []), (["a"], ["a", "b"])])
def test_lists_that_do_not_match_are_refused(metric, first, second):
    with pytest.raises(ValueError, match=r"got \d and \d entries; expected two lists of the same length, not empty"):
        metric(first, second)


def test_alignment_error_rate_by_hand():
    sure, possible = {(0, 0), (1, 2)}, {(0, 0), (1, 2), (2, 1), (2, 2)}
    proposed = {(0, 0), (1, 1), (2, 1)}  # one sure, one more possible, one wrong
    assert alignment_counts(proposed, sure, possible) == (3, 2, 1, 2)
    assert alignment_error_rate([(proposed, sure, possible)]) == pytest.approx(1 - (1 + 2) / (3 + 2))
    # Counts add up over sentences; the rate is not a mean of rates.
    second = ({(0, 0)}, {(0, 0)}, set())
    assert alignment_error_rate([(proposed, sure, possible), second]) == pytest.approx(1 - (2 + 3) / (4 + 3))


def test_alignment_error_rate_at_its_ends():
    links = {(0, 0), (1, 1)}
    assert alignment_error_rate([(links, links, links)]) == 0
    assert alignment_error_rate([(links, links, set())]) == 0  # a sure link is possible, listed or not
    assert alignment_error_rate([({(0, 1)}, links, links)]) == 1
    assert alignment_error_rate([(set(), links, links)]) == 1
    assert alignment_error_rate([({(0, 0), (0, 1)}, {(0, 0)}, {(0, 0), (0, 1)})]) == 0  # possible links cost nothing
    for nothing in ([], [(set(), set(), {(0, 0)})]):
        with pytest.raises(ValueError, match="no proposed and no sure link; expected at least one aligned sentence"):
            alignment_error_rate(nothing)


def test_hard_alignment():
    assert hard_alignment([[0.1, 0.6, 0.3], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1], [0.2, 0.2, 0.6]]) == {
        (0, 1), (1, 1), (2, 0), (3, 2)
    }  # fmt: skip
    for wrong in ([0.1, 0.9], [[], []]):
        with pytest.raises(ValueError, match=r"expected \(target_length, source_length\)"):
            hard_alignment(wrong)


@pytest.mark.parametrize(
    "target_length, source_length, sources",
    [(3, 3, [0, 1, 2]), (2, 4, [1, 3]), (4, 2, [0, 0, 1, 1]), (1, 5, [2]), (5, 1, [0] * 5), (0, 3, [])],
)
def test_diagonal_alignment(target_length, source_length, sources):
    assert diagonal_alignment(target_length, source_length) == set(enumerate(sources))


def test_mass_on_gold():
    weights = [[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.0, 0.0, 1.0]]
    assert attention_mass_on_gold(weights, {(0, 0), (1, 1), (1, 2)}) == pytest.approx((0.7 + 0.7) / 2)
    assert attention_mass_on_gold(weights, [(2, 2)]) == 1 and attention_mass_on_gold(weights, [(2, 0)]) == 0
    with pytest.raises(ValueError, match="possible holds no link; expected at least one target word"):
        attention_mass_on_gold(weights, [])


def test_intervals_agree_with_scipy():
    baseline, ours = [0.61, 0.55, 0.70, 0.58, 0.66], [0.72, 0.69, 0.71, 0.80, 0.77]
    interval = paired_interval(baseline, ours)
    expected = stats.ttest_rel(ours, baseline).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.mean == pytest.approx(numpy.mean(ours) - numpy.mean(baseline)) and interval.mean > 0
    low, high = stats.t.interval(0.95, 4, loc=numpy.mean(ours), scale=stats.sem(ours))
    assert mean_interval(ours) == pytest.approx((numpy.mean(ours), low, high))
    assert str(mean_interval([1.0, 1.0])) == "1 [1, 1]"


def test_one_value_leaves_everything_open():
    assert mean_interval([2.0]) == (2.0, -math.inf, math.inf)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf]])
def test_intervals_refuse_what_is_not_finite(values):
    with pytest.raises(ValueError, match="values is .*expected at least one finite number"):
        mean_interval(values)
