"""Encoders and the decoder: padding, order, the papers' recurrences, step against forward, gradients."""

import math

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.mechanisms.attention import AdditiveAttention
from course_utils.mechanisms.recurrent import (
    GRUDecoder,
    GRUEncoder,
    LSTMEncoder,
    MaxoutReadout,
    reverse_real_tokens,
)

LENGTHS = torch.tensor([4, 1, 6, 3])


def doubles(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def make_source(seed=0, lengths=LENGTHS, input_size=3):
    torch.manual_seed(seed)
    return doubles(len(lengths), int(lengths.max()), input_size), torch.arange(int(lengths.max())) < lengths[:, None]


def gru_step(gru, x, h):
    """One step of a GRU in nn.GRU's convention: reset, update, candidate; update = 1 keeps the old state."""
    size = len(h)
    from_input = (gru.weight_ih_l0 @ x + gru.bias_ih_l0).tolist()
    from_state = (gru.weight_hh_l0 @ h + gru.bias_hh_l0).tolist()
    new = []
    for i in range(size):
        reset = 1 / (1 + math.exp(-from_input[i] - from_state[i]))
        update = 1 / (1 + math.exp(-from_input[size + i] - from_state[size + i]))
        candidate = math.tanh(from_input[2 * size + i] + reset * from_state[2 * size + i])
        new.append((1 - update) * candidate + update * float(h[i]))
    return torch.tensor(new, dtype=torch.float64)


def test_reversal_leaves_padding_in_place():
    ids = torch.tensor([[1, 2, 3, 0], [4, 0, 0, 0], [5, 6, 7, 8]])
    mask = ids != 0
    assert reverse_real_tokens(ids, mask).tolist() == [[3, 2, 1, 0], [4, 0, 0, 0], [8, 7, 6, 5]]
    vectors = doubles(3, 4, 2)
    assert torch.equal(reverse_real_tokens(reverse_real_tokens(vectors, mask), mask), vectors)


def test_bidirectional_encoder_equals_a_packed_bidirectional_gru():
    source, mask = make_source()
    encoder = GRUEncoder(3, 5, bidirectional=True).double()
    reference = nn.GRU(3, 5, batch_first=True, bidirectional=True).double()
    weights = dict(encoder.forward_reader.named_parameters())
    weights |= {f"{name}_reverse": weight for name, weight in encoder.backward_reader.named_parameters()}
    reference.load_state_dict(weights)
    packed, last = reference(pack_padded_sequence(source, LENGTHS, batch_first=True, enforce_sorted=False))
    outputs, _ = pad_packed_sequence(packed, batch_first=True)
    encoded = encoder(source, mask)
    assert torch.allclose(encoded.outputs, outputs, atol=1e-12)
    assert torch.allclose(encoded.forward_last, last[0], atol=1e-12)
    assert torch.allclose(encoded.backward_first, last[1], atol=1e-12)


ENCODERS = {
    "gru": lambda: GRUEncoder(3, 5),
    "bidirectional gru": lambda: GRUEncoder(3, 5, bidirectional=True),
    "lstm": lambda: LSTMEncoder(3, 5, layers=2),
}


@pytest.mark.parametrize("kind", ENCODERS)
def test_padding_and_order_do_not_change_what_is_encoded(kind):
    source, mask = make_source()
    encoder = ENCODERS[kind]().double().eval()
    plain = [part for part in encoder(source, mask) if part is not None]
    wide = torch.cat([source.masked_fill(~mask.unsqueeze(-1), 1e3), torch.full((4, 3, 3), -1e3)], dim=1)
    wide_mask = torch.cat([mask, torch.zeros(4, 3, dtype=torch.bool)], dim=1)
    padded = [part for part in encoder(wide, wide_mask) if part is not None]
    if kind != "lstm":
        assert (padded[0][~wide_mask] == 0).all()
        padded[0] = padded[0][:, :6]
    order = torch.tensor([2, 0, 3, 1])
    moved = [part for part in encoder(source[order], mask[order]) if part is not None]
    for expected, with_padding, reordered in zip(plain, padded, moved, strict=True):
        assert torch.allclose(with_padding, expected, atol=1e-12)
        assert torch.allclose(reordered, expected[order], atol=1e-12)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = encoder(source[row : row + 1, :length], mask[row : row + 1, :length])
        last = alone[0][0, -1] if kind == "lstm" else alone.forward_last[0]
        assert torch.allclose(last, plain[0][row, -1] if kind == "lstm" else plain[1][row], atol=1e-12)


@pytest.mark.parametrize(
    "batch, length, input_size, hidden_size", [(1, 1, 1, 1), (1, 5, 3, 2), (4, 1, 2, 3), (3, 6, 2, 4)]
)
def test_documented_shapes_of_encoders(batch, length, input_size, hidden_size):
    source, mask = make_source(lengths=torch.full((batch,), length), input_size=input_size)
    for directions in (1, 2):
        encoder = GRUEncoder(input_size, hidden_size, bidirectional=directions == 2).double()
        encoded = encoder(source, mask)
        assert (
            encoded.outputs.shape == (batch, length, directions * hidden_size) == (batch, length, encoder.output_size)
        )
        assert encoded.forward_last.shape == (batch, hidden_size)
        assert directions == 1 or encoded.backward_first.shape == (batch, hidden_size)
    for state in LSTMEncoder(input_size, hidden_size, layers=3).double()(source, mask):
        assert state.shape == (batch, 3, hidden_size)


def make_decoder(with_attention, batch=3, source_length=4, target_length=5):
    torch.manual_seed(1)
    attention = AdditiveAttention(4, 2, 2) if with_attention else None
    decoder = GRUDecoder(3, 4, 2, attention).double()
    if with_attention:
        lengths = torch.arange(batch) % source_length + 1
        memory = attention.prepare(doubles(batch, source_length, 2), torch.arange(source_length) < lengths[:, None])
    else:
        memory = doubles(batch, 2)
    return decoder, doubles(batch, target_length, 3), doubles(batch, 4), memory


@pytest.mark.parametrize("with_attention", [False, True])
def test_forward_equals_step_by_step(with_attention):
    decoder, words, state, memory = make_decoder(with_attention)
    outputs = decoder(words, state, memory)
    assert outputs.states.shape == (3, 5, 4) and outputs.contexts.shape == (3, 5, 2)
    assert outputs.attention_weights is None if not with_attention else outputs.attention_weights.shape == (3, 5, 4)
    for i in range(words.shape[1]):
        state, context, weights = decoder.step(words[:, i], state, memory)
        assert torch.allclose(state, outputs.states[:, i], atol=1e-12)
        assert torch.allclose(context, outputs.contexts[:, i], atol=1e-12)
        assert weights is None if not with_attention else torch.allclose(weights, outputs.attention_weights[:, i])


@pytest.mark.parametrize("with_attention", [False, True])
def test_decoder_agrees_with_a_loop_over_words(with_attention):
    decoder, words, state, memory = make_decoder(with_attention)
    outputs = decoder(words, state, memory)
    for b in range(len(words)):
        s = state[b]
        for i in range(words.shape[1]):
            c = (
                memory[b]
                if not with_attention
                else decoder.attention(s[None], type(memory)(*(m[b : b + 1] for m in memory)))[0][0]
            )
            s = gru_step(decoder.recurrence, torch.cat([words[b, i], c]), s)
            assert torch.allclose(outputs.states[b, i], s) and torch.allclose(outputs.contexts[b, i], c)


class PrepareAndDecode(nn.Module):
    """A decoder that makes its attention's memory itself, so that gradients go all the way."""

    def __init__(self, decoder, mask):
        super().__init__()
        self.decoder, self.mask = decoder, mask

    def forward(self, words, state, values):
        memory = values if self.mask is None else self.decoder.attention.prepare(values, self.mask)
        return tuple(part for part in self.decoder(words, state, memory) if part is not None)


@pytest.mark.parametrize("with_attention", [False, True])
def test_gradient_against_finite_differences(with_attention):
    decoder, words, state, memory = make_decoder(with_attention, batch=2, source_length=2, target_length=2)
    model = PrepareAndDecode(decoder, memory.mask if with_attention else None)
    names, parameters = zip(*model.named_parameters(), strict=True)

    def decode(words, state, values, *parameters):
        return torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), (words, state, values))

    values = memory.values if with_attention else memory
    inputs = [part.requires_grad_() for part in (words, state, values)]
    assert torch.autograd.gradcheck(decode, (*inputs, *parameters))


def test_maxout_takes_the_larger_of_each_pair():
    torch.manual_seed(2)
    readout = MaxoutReadout(3, 4, 5).double()
    features = doubles(2, 3, 3)
    logits = readout(features)
    assert logits.shape == (2, 3, 5)
    for b in range(2):
        for i in range(3):
            doubled = readout.hidden.weight @ features[b, i] + readout.hidden.bias
            halved = torch.stack([max(doubled[2 * k], doubled[2 * k + 1]) for k in range(4)])
            assert torch.allclose(logits[b, i], readout.output.weight @ halved + readout.output.bias)


BAD_MASKS = {
    "left padding": ([[False, True, True]], r"real token after padding; expected all padding at the right end"),
    "hole": ([[True, False, True]], r"real token after padding"),
    "empty row": ([[True, True, True], [False, False, False]], r"row without a real token.*Remove empty sequences"),
    "no row": ([], r"no row at all; expected at least one True in each row"),
}


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("rows, message", BAD_MASKS.values(), ids=BAD_MASKS)
def test_masks_that_are_refused(kind, rows, message):
    mask = torch.tensor(rows, dtype=torch.bool).reshape(-1, 3)
    with pytest.raises(ValueError, match=message):
        ENCODERS[kind]()(torch.zeros(len(mask), 3, 3), mask)
