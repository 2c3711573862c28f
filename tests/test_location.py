"""Location-aware attention: against loops, padding, what it can tell apart, smoothing, the moving window."""

import pytest
import torch

from course_utils.mechanisms.location import LocationAwareAttention, smooth_weights, window_mask

torch.set_num_threads(1)


def make(seed=0, **options):
    torch.manual_seed(seed)
    attention = LocationAwareAttention(3, 4, 5, **{"filters": 2, "width": 3, **options}).double()
    outputs = torch.randn(2, 6, 4, dtype=torch.float64)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    query = torch.randn(2, 3, dtype=torch.float64)
    previous = torch.softmax(torch.randn(2, 6, dtype=torch.float64), dim=1).masked_fill(~mask, 0)
    return attention, outputs, mask, query, previous / previous.sum(dim=1, keepdim=True)


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("filters", [0, 2])
def test_scores_against_the_equations_in_a_loop(smooth, filters):
    attention, outputs, mask, query, previous = make(smooth=smooth, filters=filters)
    context, weights = attention(query, attention.prepare(outputs, mask), previous)
    W, b = attention.query_projection.weight, attention.query_projection.bias
    V, w = attention.key_projection.weight, attention.score.weight[0]
    bias = attention.score.bias if smooth else 0.0
    for row, length in enumerate([6, 4]):
        terms = []
        for j in range(length):
            inside = W @ query[row] + V @ outputs[row, j] + b
            for k in range(filters):
                around = [previous[row, j + d] if 0 <= j + d < 6 else 0.0 for d in (-1, 0, 1)]
                feature = sum(a * c for a, c in zip(around, attention.filters.weight[k, 0], strict=True))
                inside = inside + attention.location_projection.weight[:, k] * feature
            score = w @ torch.tanh(inside) + bias
            terms.append(torch.sigmoid(score) if smooth else torch.exp(score))
        expected = torch.stack([term.reshape(()) for term in terms])
        expected = expected / expected.sum()
        assert torch.allclose(weights[row, :length], expected)
        assert not weights[row, length:].any()
        assert torch.allclose(context[row], expected @ outputs[row, :length])


def test_two_positions_that_sound_alike_are_told_apart_by_location_only():
    for filters in (0, 2):
        attention, outputs, mask, query, _ = make(filters=filters)
        outputs = outputs[:1, :1].expand(1, 6, 4)
        memory = attention.prepare(outputs, mask[:1])
        _, weights = attention(query[:1], memory, attention.first_weights(memory))
        assert torch.allclose(weights, weights.mean()) == (filters == 0)


def test_the_first_weights_are_all_on_the_first_position():
    attention, outputs, mask, _, _ = make()
    assert attention.first_weights(attention.prepare(outputs, mask)).tolist() == [[1.0] + [0.0] * 5] * 2


def test_padding_changes_nothing_and_every_weight_gets_a_gradient():
    attention, outputs, mask, query, previous = make(smooth=True)
    context, weights = attention(query, attention.prepare(outputs, mask), previous)
    alone = attention(query[1:], attention.prepare(outputs[1:, :4], mask[1:, :4]), previous[1:, :4])
    assert torch.allclose(alone[0], context[1:]) and torch.allclose(alone[1], weights[1:, :4])
    context.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in attention.parameters())


def test_smoothing_spreads_the_weights_and_survives_any_scores():
    scores = torch.tensor([[8.0, 6.0, 5.0, -1.0]])
    mask = torch.tensor([[True, True, True, False]])
    weights = smooth_weights(scores, mask)
    sigmoids = torch.sigmoid(scores[:, :3])
    assert torch.allclose(weights[:, :3], sigmoids / sigmoids.sum()) and weights[0, 3] == 0
    assert weights.max() < torch.softmax(scores, dim=1).max() / 2
    low = smooth_weights(torch.full((1, 4), -1e4), mask)
    assert torch.allclose(low, torch.tensor([[1 / 3, 1 / 3, 1 / 3, 0.0]]))


def test_the_window_follows_the_median():
    weights = torch.tensor([[0.2, 0.2, 0.2, 0.2, 0.2], [1.0, 0, 0, 0, 0], [0.0, 0, 0, 0, 0.999], [0.5, 0, 0, 0, 0.5]])
    marks = window_mask(weights, 1)
    assert [row.nonzero().flatten().tolist() for row in marks] == [[1, 2, 3], [0, 1], [3, 4], [0, 1]]
    assert window_mask(weights, 0).sum(dim=1).tolist() == [1, 1, 1, 1]


def test_a_window_hides_what_is_far():
    attention, outputs, mask, query, _ = make(window=1)
    memory = attention.prepare(outputs, mask)
    _, weights = attention(query, memory, attention.first_weights(memory))
    assert (weights[:, :2] > 0).all() and not weights[:, 2:].any()


@pytest.mark.parametrize("wrong", [{"width": 4}, {"filters": -1}, {"window": -2}])
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match="expected no negative number and an odd width"):
        LocationAwareAttention(3, 4, 5, **wrong)
