"""The ladder of entailment models: equations against loops, padding, gradients, what each rung can and cannot do."""

import pytest
import torch

from course_utils.data.batching import Batch
from course_utils.models.entailment import SYSTEMS, EntailmentModel, LastStateAttention, Reader, WordByWordAttention
from course_utils.training import seed_everything, train

torch.set_num_threads(1)


def make_batch(lengths=((5, 3), (2, 4), (7, 1)), seed=0, words=20):
    """Random words, right-padded with zeros, random labels."""
    generator = torch.Generator().manual_seed(seed)
    longest = [max(pair[side] for pair in lengths) for side in (0, 1)]
    parts = {}
    for side, name in enumerate(("premise", "hypothesis")):
        mask = torch.arange(longest[side]) < torch.tensor([pair[side] for pair in lengths]).unsqueeze(1)
        ids = torch.randint(1, words, mask.shape, generator=generator) * mask
        parts |= {name: ids, f"{name}_mask": mask}
    return Batch(**parts, label=torch.randint(3, (len(lengths),), generator=generator))


def make_model(system, **sizes):
    seed_everything(1)
    return EntailmentModel(system, 20, **{"embedding_size": 6, "hidden_size": 8, **sizes}).eval()


@pytest.mark.parametrize("system", SYSTEMS)
def test_documented_shapes(system):
    trace = make_model(system).trace(make_batch())
    assert trace.logits.shape == (3, 3)
    if "word-by-word" in system:
        assert trace.attention_weights.shape == (3, 4, 7)
    elif "attention" in system:
        assert trace.attention_weights.shape == (3, 1, 7)
    else:
        assert trace.attention_weights is None


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_pair_alone_and_in_a_batch_is_judged_alike(system):
    lengths = ((5, 3), (2, 4), (7, 1))
    model, batch = make_model(system), make_batch(lengths)
    together = model.trace(batch)
    for row, (premise, hypothesis) in enumerate(lengths):
        cut = batch[row : row + 1]
        cut = cut.replace(
            premise=cut.premise[:, :premise], premise_mask=cut.premise_mask[:, :premise],
            hypothesis=cut.hypothesis[:, :hypothesis], hypothesis_mask=cut.hypothesis_mask[:, :hypothesis],
        )  # fmt: skip
        alone = model.trace(cut)
        assert torch.allclose(alone.logits[0], together.logits[row], atol=1e-6)
        if alone.attention_weights is not None:
            rows = alone.attention_weights.shape[1]
            assert torch.allclose(
                alone.attention_weights[0], together.attention_weights[row, :rows, :premise], atol=1e-6
            )


@pytest.mark.parametrize("system", [name for name in SYSTEMS if SYSTEMS[name][0] in ("last", "every")])
def test_weights_are_a_distribution_over_real_premise_words(system):
    batch = make_batch()
    weights = make_model(system).trace(batch).attention_weights
    real = weights[~weights.isnan().any(dim=2)]
    assert torch.allclose(real.sum(dim=1), torch.ones(len(real)))
    hidden = ~batch.premise_mask.unsqueeze(1).expand_as(weights) & ~weights.isnan()
    assert hidden.any() and (weights[hidden] == 0).all()
    if "word-by-word" in system:
        assert weights.isnan().any(dim=2).equal(~batch.hypothesis_mask)


def states(seed=0):
    torch.manual_seed(seed)
    premise, hypothesis = torch.randn(2, 5, 4, dtype=torch.float64), torch.randn(2, 3, 4, dtype=torch.float64)
    premise_mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    hypothesis_mask = torch.tensor([[True] * 3, [True] * 2 + [False]])
    last = torch.stack([hypothesis[0, 2], hypothesis[1, 1]])
    return premise, premise_mask, hypothesis, hypothesis_mask, last


def test_word_by_word_attention_against_the_equations_in_a_loop():
    premise, premise_mask, hypothesis, hypothesis_mask, last = states()
    layer = WordByWordAttention(4).double()
    pair, weights = layer(premise, premise_mask, hypothesis, hypothesis_mask, last)
    names = ("keys", "query", "query_from_found", "score", "carry", "from_context", "from_state")
    W_y, W_h, W_r, w, W_t, W_p, W_x = (getattr(layer, name).weight.detach() for name in names)
    for b, (length, words) in enumerate([(5, 3), (3, 2)]):
        Y, r = premise[b, :length], torch.zeros(4, dtype=torch.float64)
        for t in range(words):
            M = [torch.tanh(W_y @ y + W_h @ hypothesis[b, t] + W_r @ r) for y in Y]
            exponentials = torch.stack([torch.exp(w[0] @ m) for m in M])
            alpha = exponentials / exponentials.sum()
            r = sum(a * y for a, y in zip(alpha, Y, strict=True)) + torch.tanh(W_t @ r)
            assert torch.allclose(weights[b, t, :length], alpha)
        assert torch.allclose(pair[b], torch.tanh(W_p @ r + W_x @ last[b]))


def test_last_state_attention_against_the_equations_in_a_loop():
    premise, premise_mask, hypothesis, hypothesis_mask, last = states(1)
    layer = LastStateAttention(4).double()
    pair, weights = layer(premise, premise_mask, hypothesis, hypothesis_mask, last)
    W_y, W_h, w, W_p, W_x = (
        getattr(layer, name).weight.detach() for name in ("keys", "query", "score", "from_context", "from_state")
    )
    for b, length in enumerate([5, 3]):
        Y = premise[b, :length]
        exponentials = torch.stack([torch.exp(w[0] @ torch.tanh(W_y @ y + W_h @ last[b])) for y in Y])
        alpha = exponentials / exponentials.sum()
        r = sum(a * y for a, y in zip(alpha, Y, strict=True))
        assert torch.allclose(weights[b, 0, :length], alpha)
        assert torch.allclose(pair[b], torch.tanh(W_p @ r + W_x @ last[b]))


def test_the_reader_keeps_the_state_after_the_last_real_word():
    torch.manual_seed(0)
    reader, embedded = Reader(3, 4), torch.randn(2, 5, 3)
    mask = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    cell = torch.randn(2, 4)
    outputs, last, last_cell = reader(embedded, mask, cell)
    for b, length in enumerate([5, 2]):
        start = torch.zeros(1, 1, 4), cell[b].view(1, 1, 4)
        expected, (hidden, end) = reader.lstm(embedded[b : b + 1, :length], start)
        assert torch.allclose(outputs[b, :length], expected[0]) and not outputs[b, length:].any()
        assert torch.allclose(last[b], hidden[0, 0]) and torch.allclose(last_cell[b], end[0, 0])
    with pytest.raises(ValueError, match="expected|right"):
        reader(embedded, ~mask)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_weight_gets_a_gradient_and_training_lowers_the_loss(system):
    model, batch = make_model(system), make_batch(((5, 3), (2, 4), (7, 2), (3, 3)))
    model.loss(batch).mean.backward()
    without = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert without == []
    before = model.loss(batch).mean.item()
    train(model, lambda epoch: [batch], steps=30, learning_rate=2e-2, progress=False)
    after = model.loss(batch)
    assert after.mean.item() < 0.5 * before and after.accuracy == 1


def test_the_rungs_differ_in_what_reaches_the_hypothesis():
    """Change the first premise word: only a conditional reader's outputs over the hypothesis notice."""
    batch = make_batch()
    other = batch.replace(premise=batch.premise.clone())
    other.premise[:, 0] = (other.premise[:, 0] + 1) % 20
    for system in ("independent", "conditional"):
        model, seen = make_model(system), []
        handle = model.hypothesis_reader.register_forward_hook(lambda *call, seen=seen: seen.append(call[2][1]))
        model(batch), model(other)
        handle.remove()
        assert torch.equal(*seen) == (system == "independent")


def test_two_way_models_read_both_directions_with_one_set_of_weights():
    batch = make_batch()
    turned = batch.replace(
        premise=batch.hypothesis, premise_mask=batch.hypothesis_mask,
        hypothesis=batch.premise, hypothesis_mask=batch.premise_mask,
    )  # fmt: skip
    model = make_model("two-way-word-by-word")
    with torch.no_grad():  # an answer that adds both directions treats them alike
        half = model.output.weight[:, :8].clone()
        model.output.weight[:, 8:] = half
    assert torch.allclose(model(batch), model(turned), atol=1e-6)
    one_way = make_model("word-by-word")
    count = {name: weight.numel() for name, weight in one_way.named_parameters()}
    assert {n: w.numel() for n, w in model.named_parameters() if n != "output.weight"} == {
        n: c for n, c in count.items() if n != "output.weight"
    }


def test_an_unknown_system_is_refused():
    with pytest.raises(ValueError, match="system is 'tree'; expected one of independent"):
        EntailmentModel("tree", 20)
