"""The three systems: their papers' equations word by word, padding and order, loss, learning, errors."""

import pytest
import torch
from tiny_models import SYSTEM_NAMES, VOCABULARY_SIZE, random_batch, random_pairs, tiny_model, widen

from course_utils.data.batching import make_pair_batch
from course_utils.data.text import END
from course_utils.models.translation import build_translation_model

LENGTHS = [3, 7, 1, 5]
everywhere = pytest.mark.parametrize("system", SYSTEM_NAMES)


def affine(layer, x):
    return layer.weight @ x if layer.bias is None else layer.weight @ x + layer.bias


def gru(layer, x, h):
    """nn.GRU's equations; the papers call (1 - update) what it calls update, and reset the state before the product."""
    a = layer.weight_ih_l0 @ x + layer.bias_ih_l0
    b = layer.weight_hh_l0 @ h + layer.bias_hh_l0
    n = len(h)
    reset, update = torch.sigmoid(a[:n] + b[:n]), torch.sigmoid(a[n : 2 * n] + b[n : 2 * n])
    return (1 - update) * torch.tanh(a[2 * n :] + reset * b[2 * n :]) + update * h


def read(layer, words):
    states, h = [], torch.zeros(layer.hidden_size, dtype=torch.float64)
    for word in words:
        h = gru(layer, word, h)
        states.append(h)
    return states


def maxout(readout, *parts):
    doubled = affine(readout.hidden, torch.cat(parts))
    halved = [max(doubled[k], doubled[k + 1]) for k in range(0, len(doubled), 2)]
    return affine(readout.output, torch.stack(halved))


def cho_2014(model, source, target):
    x, y = model.source_embedding.weight[source], model.target_embedding.weight[target]
    c = torch.tanh(affine(model.summary, read(model.encoder.forward_reader, x)[-1]))
    s, logits = torch.tanh(affine(model.initial, c)), []
    for word in y:
        s = gru(model.decoder.recurrence, torch.cat([word, c]), s)
        logits.append(maxout(model.readout, s, word, c))
    return torch.stack(logits).log_softmax(dim=-1), None


def bahdanau_2015(model, source, target):
    x, y = model.source_embedding.weight[source], model.target_embedding.weight[target]
    forward = read(model.encoder.forward_reader, x)
    backward = read(model.encoder.backward_reader, x.flip(0))[::-1]
    h = [torch.cat(both) for both in zip(forward, backward, strict=True)]
    attention = model.decoder.attention
    s, logits, weights = torch.tanh(affine(model.initial, backward[0])), [], []
    for word in y:
        energies = [
            affine(
                attention.score,
                torch.tanh(affine(attention.query_projection, s) + affine(attention.key_projection, h_j)),
            )
            for h_j in h
        ]
        total = sum(energy.exp() for energy in energies)
        a = [energy.exp() / total for energy in energies]
        c = sum(a_j * h_j for a_j, h_j in zip(a, h, strict=True))
        s = gru(model.decoder.recurrence, torch.cat([word, c]), s)
        logits.append(maxout(model.readout, s, word, c))
        weights.append(torch.cat(a))
    return torch.stack(logits).log_softmax(dim=-1), torch.stack(weights)


def lstm(layer, level, x, h, c):
    a = getattr(layer, f"weight_ih_l{level}") @ x + getattr(layer, f"bias_ih_l{level}")
    a = a + getattr(layer, f"weight_hh_l{level}") @ h + getattr(layer, f"bias_hh_l{level}")
    enter, forget, candidate, output = a.chunk(4)
    c = torch.sigmoid(forget) * c + torch.sigmoid(enter) * torch.tanh(candidate)
    return torch.sigmoid(output) * torch.tanh(c), c


def sutskever_2014(model, source, target):
    x, y = model.source_embedding.weight[source], model.target_embedding.weight[target]
    layers = model.decoder.num_layers
    state = [(torch.zeros(5, dtype=torch.float64),) * 2 for _ in range(layers)]

    def advance(layer, word):
        for level in range(layers):
            state[level] = lstm(layer, level, word, *state[level])
            word = state[level][0]
        return word

    for word in x.flip(0) if model.reverse_source else x:
        advance(model.encoder.reader, word)
    logits = torch.stack([affine(model.readout[1], advance(model.decoder, word)) for word in y])
    return logits.log_softmax(dim=-1), None


PAPERS = {"rnn-encoder-decoder": cho_2014, "sequence-to-sequence": sutskever_2014, "rnn-search": bahdanau_2015}


def assert_agrees_with_paper(model, system, batch):
    logits, weights = model(batch)
    for row in range(len(batch.source)):
        source_mask, target_mask = batch.source_mask[row], batch.target_mask[row]
        expected, expected_weights = PAPERS[system](
            model, batch.source[row, source_mask], batch.target_input[row, target_mask]
        )
        assert torch.allclose(logits[row, target_mask], expected)
        if expected_weights is None:
            assert weights is None
        else:
            assert torch.allclose(weights[row, target_mask][:, source_mask], expected_weights)
            assert (weights[row][:, ~source_mask] == 0).all()


@everywhere
def test_agrees_with_the_equations_of_the_paper(system):
    assert_agrees_with_paper(tiny_model(system, sharpness=2.0), system, random_batch(LENGTHS))


def test_agrees_without_reversal():
    model = tiny_model("sequence-to-sequence", layers=3, reverse_source=False)
    assert_agrees_with_paper(model, "sequence-to-sequence", random_batch(LENGTHS))


@everywhere
def test_loss_is_the_mean_over_real_words_of_the_paper_s_cross_entropy(system):
    model, batch = tiny_model(system), random_batch(LENGTHS)
    total, count = 0.0, 0
    for source, target in random_pairs(LENGTHS):
        logits, _ = PAPERS[system](model, torch.tensor(source), torch.tensor([2, *target]))
        for row, word in zip(logits, [*target, END], strict=True):
            total, count = total - row[word].item(), count + 1
    loss = model.loss(batch)
    assert loss.tokens == count == int(batch.target_mask.sum())
    assert loss.mean.item() == pytest.approx(total / count)


@everywhere
def test_loss_of_a_batch_is_that_of_its_sentences_weighted_by_words(system):
    model, pairs = tiny_model(system), random_pairs(LENGTHS)
    alone = [model.loss(make_pair_batch([pair])) for pair in pairs]
    weighted = sum(loss.mean.item() * loss.tokens for loss in alone) / sum(loss.tokens for loss in alone)
    assert model.loss(make_pair_batch(pairs)).mean.item() == pytest.approx(weighted)


@everywhere
def test_padding_and_order_change_nothing(system):
    model, batch = tiny_model(system, sharpness=2.0), random_batch(LENGTHS)
    logits, weights = model(batch)
    target_length, source_length = batch.target_input.shape[1], batch.source.shape[1]
    wide = widen(batch, source_columns=4, target_columns=3, filler=9)
    wide_logits, wide_weights = model(wide)
    real = batch.target_mask
    assert torch.allclose(wide_logits[:, :target_length][real], logits[real], atol=1e-12)
    assert model.loss(wide).mean.item() == pytest.approx(model.loss(batch).mean.item(), rel=1e-12)
    order = torch.tensor([2, 0, 3, 1])
    moved = batch[order]
    moved_logits, moved_weights = model(moved)
    assert torch.allclose(moved_logits, logits[order], atol=1e-12)
    assert model.loss(moved).mean.item() == pytest.approx(model.loss(batch).mean.item(), rel=1e-12)
    if weights is not None:
        assert torch.allclose(wide_weights[:, :target_length, :source_length][real], weights[real], atol=1e-12)
        assert torch.allclose(moved_weights, weights[order], atol=1e-12)


@everywhere
def test_padding_changes_no_gradient(system):
    model, batch = tiny_model(system), random_batch(LENGTHS)
    gradients = []
    for same in (batch, widen(batch, source_columns=4, target_columns=3, filler=9)):
        model.zero_grad()
        model.loss(same).mean.backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    for plain, padded in zip(*gradients, strict=True):
        assert torch.allclose(plain, padded, atol=1e-12)


@everywhere
def test_teacher_forcing_equals_step_by_step(system):
    model, batch = tiny_model(system, sharpness=2.0), random_batch(LENGTHS)
    logits, weights = model(batch)
    memory, state = model.start(batch.source, batch.source_mask)
    for i in range(batch.target_input.shape[1]):
        log_probabilities, state, row = model.step(batch.target_input[:, i], state, memory)
        assert torch.allclose(log_probabilities, logits[:, i])
        assert row is None if weights is None else torch.allclose(row, weights[:, i])


@everywhere
def test_a_word_is_predicted_without_seeing_it(system):
    model, batch = tiny_model(system), random_batch([4])
    logits, _ = model(batch)
    changed = batch.target_input.clone()
    changed[0, 2] = (changed[0, 2] + 1) % VOCABULARY_SIZE
    later, _ = model(batch.replace(target_input=changed))
    assert torch.equal(logits[:, :2], later[:, :2]) and not torch.allclose(logits[:, 2], later[:, 2])


@everywhere
@pytest.mark.parametrize("lengths", [[1], [6], [1, 1, 1], [2, 5]])
@pytest.mark.parametrize("source_words, target_words, embedding_size, hidden_size", [(5, 5, 1, 1), (9, 30, 4, 3)])
def test_documented_shapes(system, lengths, source_words, target_words, embedding_size, hidden_size):
    model = tiny_model(
        system,
        source_vocabulary_size=source_words,
        target_vocabulary_size=target_words,
        embedding_size=embedding_size,
        hidden_size=hidden_size,
    )
    pairs = [([4] * length, [4] * (length + 20)) for length in lengths]  # a vocabulary of one word, long targets
    batch = make_pair_batch(pairs)
    logits, weights = model(batch)
    assert logits.shape == (len(lengths), max(lengths) + 21, target_words)
    assert weights is None or weights.shape == (len(lengths), max(lengths) + 21, max(lengths))
    assert model.loss(batch).mean.shape == () and model.loss(batch).tokens == sum(lengths) + 21 * len(lengths)
    memory, state = model.start(batch.source, batch.source_mask)
    log_probabilities, next_state, row = model.step(batch.target_input[:, 0], state, memory)
    assert log_probabilities.shape == (len(lengths), target_words)
    assert torch.allclose(log_probabilities.exp().sum(dim=-1), torch.ones(len(lengths), dtype=torch.float64))
    assert row is None or row.shape == (len(lengths), max(lengths))
    for before, after in (
        zip([state], [next_state], strict=True) if torch.is_tensor(state) else zip(state, next_state, strict=True)
    ):
        assert before.shape == after.shape and before.shape[0] == len(lengths)


@everywhere
def test_every_parameter_learns(system):
    model = tiny_model(system)
    model.loss(random_batch(LENGTHS)).mean.backward()
    assert all((parameter.grad != 0).any() for parameter in model.parameters())


def test_label_smoothing_mixes_in_a_uniform_target():
    model, batch = tiny_model("rnn-search"), random_batch(LENGTHS)
    logits, _ = model(batch)
    log_probabilities = logits[batch.target_mask]
    uniform = -log_probabilities.mean(dim=-1).mean()
    expected = 0.9 * model.loss(batch).mean + 0.1 * uniform
    assert model.loss(batch, label_smoothing=0.1).mean.item() == pytest.approx(expected.item())


def test_dropout_acts_while_training_only():
    model, batch = tiny_model("rnn-search", dropout=0.5), random_batch(LENGTHS)
    assert model.loss(batch).mean == model.loss(batch).mean
    model.train()
    assert model.loss(batch).mean != model.loss(batch).mean


@everywhere
def test_errors_say_what_was_expected_and_what_to_do(system):
    model, batch = tiny_model(system), random_batch(LENGTHS)
    source, target = batch.source.clone(), batch.target_input.clone()
    source[0, 0], target[1, 1] = VOCABULARY_SIZE, -1
    with pytest.raises(IndexError, match=r"source holds the ids \[13\]; expected 0 to 12. Was it encoded with another"):
        model.loss(batch.replace(source=source))
    with pytest.raises(IndexError, match=r"target holds the ids \[-1\]; expected 0 to 12"):
        model.loss(batch.replace(target_input=target))
    hidden = batch.source_mask.clone()
    hidden[2] = False
    with pytest.raises(ValueError, match="row without a real token.*Remove empty sequences"):
        model.loss(batch.replace(source_mask=hidden))
    with pytest.raises(ValueError, match="real token after padding; expected all padding at the right end"):
        model.loss(batch.replace(source=batch.source.flip(1), source_mask=batch.source_mask.flip(1)))


def test_an_unknown_system_is_refused():
    with pytest.raises(ValueError, match="system is 'transformer'; expected one of rnn-encoder-decoder"):
        build_translation_model("transformer", source_vocabulary_size=5, target_vocabulary_size=5)
