"""Additive attention: a distribution over real positions, the paper's equation, its gradient, its errors."""

import pytest
import torch

from course_utils.mechanisms.attention import AdditiveAttention, AttentionMemory, masked_softmax

LENGTHS = torch.tensor([4, 1, 6, 3])


def make_case(lengths=LENGTHS, query_size=3, value_size=5, attention_size=4, seed=0):
    torch.manual_seed(seed)
    attention = AdditiveAttention(query_size, value_size, attention_size).double()
    values = torch.randn(len(lengths), int(lengths.max()), value_size, dtype=torch.float64)
    query = torch.randn(len(lengths), query_size, dtype=torch.float64)
    return attention, query, values, torch.arange(int(lengths.max())) < lengths[:, None]


def test_weights_are_a_distribution_over_real_positions():
    attention, query, values, mask = make_case()
    _, weights = attention(query, attention.prepare(values, mask))
    assert torch.allclose(weights.sum(dim=1), torch.ones(4, dtype=torch.float64))
    assert (weights[~mask] == 0).all()  # exactly, not nearly
    assert (weights[mask] > 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_masked_scores_weigh_exactly_zero_at_every_precision(dtype):
    scores = torch.tensor([[-3e4, -2e4, 6e4], [1.0, 2.0, 6e4]], dtype=dtype)
    mask = torch.tensor([[True, True, False], [True, False, False]])
    weights = masked_softmax(scores, mask)
    assert weights[0, 2] == 0 and (weights[1] == torch.tensor([1, 0, 0])).all()
    assert weights.sum(dim=1).tolist() == [1, 1]


@pytest.mark.parametrize("huge", [1e3, -1e3, 1e30, -1e30])
def test_padding_with_huge_values_changes_nothing(huge):
    attention, query, values, mask = make_case()
    context, weights = attention(query, attention.prepare(values, mask))
    values = torch.cat([values.masked_fill(~mask.unsqueeze(-1), huge), torch.full((4, 3, 5), huge)], dim=1)
    wide_mask = torch.cat([mask, torch.zeros(4, 3, dtype=torch.bool)], dim=1)
    wide_context, wide_weights = attention(query, attention.prepare(values, wide_mask))
    assert torch.allclose(wide_context, context, rtol=1e-12, atol=0)
    assert torch.allclose(wide_weights[:, :6], weights, rtol=1e-12, atol=0)
    assert (wide_weights[~wide_mask] == 0).all()


def test_reordering_the_batch_reorders_the_results():
    attention, query, values, mask = make_case()
    context, weights = attention(query, attention.prepare(values, mask))
    order = torch.tensor([2, 0, 3, 1])
    moved_context, moved_weights = attention(query[order], attention.prepare(values[order], mask[order]))
    assert torch.allclose(moved_context, context[order]) and torch.allclose(moved_weights, weights[order])


def test_agrees_with_the_equations_of_the_paper():
    attention, query, values, mask = make_case()
    context, weights = attention(query, attention.prepare(values, mask))
    W, bias = attention.query_projection.weight, attention.query_projection.bias
    U, v = attention.key_projection.weight, attention.score.weight[0]
    for b, length in enumerate(LENGTHS.tolist()):
        h = values[b, :length]
        powers = [torch.exp(v @ torch.tanh(W @ query[b] + bias + U @ h_j)) for h_j in h]
        expected = torch.stack([power / sum(powers) for power in powers])
        assert torch.allclose(weights[b, :length], expected)
        assert torch.allclose(context[b], sum(a * h_j for a, h_j in zip(expected, h, strict=True)))


@pytest.mark.parametrize(
    "batch, source_length, query_size, value_size, attention_size", [(1, 1, 1, 1, 1), (1, 7, 2, 3, 4), (5, 2, 4, 3, 2)]
)
def test_documented_shapes(batch, source_length, query_size, value_size, attention_size):
    attention, query, values, mask = make_case(
        torch.full((batch,), source_length), query_size, value_size, attention_size
    )
    memory = attention.prepare(values, mask)
    assert isinstance(memory, AttentionMemory)
    assert memory.values.shape == (batch, source_length, value_size)
    assert memory.keys.shape == (batch, source_length, attention_size)
    context, weights = attention(query, memory)
    assert context.shape == (batch, value_size) and weights.shape == (batch, source_length)


def test_gradient_against_finite_differences():
    attention, query, values, mask = make_case(torch.tensor([3, 1]))
    parameters = dict(attention.named_parameters())

    def attend(query, keys, values, *weights):
        memory = AttentionMemory(values, keys, mask)
        return torch.func.functional_call(attention, dict(zip(parameters, weights, strict=True)), (query, memory))

    inputs = [part.detach().requires_grad_() for part in (query, attention.prepare(values, mask).keys, values)]
    weights = [weight for name, weight in parameters.items() if not name.startswith("key")]
    parameters = {name: weight for name, weight in parameters.items() if not name.startswith("key")}
    assert torch.autograd.gradcheck(attend, (*inputs, *weights))
    context, alpha = attention(query[1:], AttentionMemory(*(part[1:] for part in attention.prepare(values, mask))))
    assert alpha.tolist() == [[1.0, 0, 0]] and torch.allclose(context, values[1:, 0]), "one position gets all"


def test_no_gradient_reaches_padding():
    attention, query, values, mask = make_case()
    context, _ = attention(query, attention.prepare(values.requires_grad_(), mask))
    context.square().sum().backward()
    assert (values.grad[~mask] == 0).all() and (values.grad[mask] != 0).any(dim=-1).all()
    assert all(parameter.grad.isfinite().all() for parameter in attention.parameters())


def test_errors_say_what_was_expected_and_what_to_do():
    attention, _, values, mask = make_case()
    with pytest.raises(TypeError, match=r"dtype torch.float32; expected torch.bool with True = real token"):
        attention.prepare(values, mask.float())
    with pytest.raises(ValueError, match=r"shape \(4, 5\); expected \(4, 6\), the \(batch, source_length\)"):
        attention.prepare(values, mask[:, :5])
    mask[[1, 3]] = False
    with pytest.raises(ValueError, match=r"every token of row\(s\) \[1, 3\]; expected at least one True.*Remove empty"):
        attention.prepare(values, mask)
