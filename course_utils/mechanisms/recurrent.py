"""Recurrent encoders, and a decoder whose attention can be plugged in or left out.

`GRUEncoder` and `LSTMEncoder` read the source; `GRUDecoder` writes the target. With `attention=None` the decoder
reads one fixed vector at every step (lesson 1); with an attention it reads a new context at every step
(lesson 2). That is the whole difference between the two models of the course's first two lessons.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from .attention import AttentionMemory


class EncodedSource(NamedTuple):
    """What a GRU encoder knows of a source batch.

    Attributes:
        outputs: `(batch, source_length, directions * hidden_size)`, the annotations h_j; zero on padding.
        forward_last: `(batch, hidden_size)`, the forward state after the last real token.
        backward_first: `(batch, hidden_size)`, the backward state after the first token; None if one-directional.
    """

    outputs: Tensor
    forward_last: Tensor
    backward_first: Tensor | None


class GRUEncoder(nn.Module):
    """A GRU over the embedded source, in one direction or both.

    The backward GRU reads each sentence from its own last real token, never from padding, so a sentence is
    encoded the same alone and beside longer ones. (`pack_padded_sequence` around a bidirectional `nn.GRU`
    gives the same numbers; on a CPU its gradient takes time quadratic in the length.)

    Source: Cho et al. 2014, arXiv 1406.1078 (one direction); Bahdanau et al. 2015, arXiv 1409.0473,
    section 3.2 (both).

    Args:
        input_size: size of one embedded token.
        hidden_size: size of the state of one direction.
        bidirectional: also read the source from its end.
    """

    def __init__(self, input_size: int, hidden_size: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.forward_reader = nn.GRU(input_size, hidden_size, batch_first=True)
        self.backward_reader = nn.GRU(input_size, hidden_size, batch_first=True) if bidirectional else None
        self.output_size = hidden_size * (2 if bidirectional else 1)

    def forward(self, embedded_source: Tensor, source_mask: Tensor) -> EncodedSource:
        """Read a right-padded source batch.

        Args:
            embedded_source: `(batch, source_length, input_size)`.
            source_mask: `(batch, source_length)` booleans, True = real token.

        Raises:
            ValueError: if a row is empty or its padding is not at the right end.
        """
        lengths = right_padded_lengths(source_mask)
        padding = ~source_mask.unsqueeze(-1)
        outputs, _ = self.forward_reader(embedded_source)
        outputs = outputs.masked_fill(padding, 0.0)
        forward_last = outputs[torch.arange(len(lengths), device=lengths.device), lengths - 1]
        if self.backward_reader is None:
            return EncodedSource(outputs, forward_last, None)
        backward, _ = self.backward_reader(reverse_real_tokens(embedded_source, source_mask))
        backward = reverse_real_tokens(backward, source_mask).masked_fill(padding, 0.0)
        return EncodedSource(torch.cat([outputs, backward], dim=-1), forward_last, backward[:, 0])


class LSTMEncoder(nn.Module):
    """A stack of LSTMs over the embedded source; only its last states are kept.

    The input is packed, so that the last state of each sentence is the one after its last real token.

    Source: Sutskever et al. 2014, arXiv 1409.3215, section 2.

    Args:
        input_size: size of one embedded token.
        hidden_size: size of the state of one layer.
        layers: stacked layers, at least 1.
        dropout: probability of dropping an output between two layers while training.
    """

    def __init__(self, input_size: int, hidden_size: int, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        between = dropout if layers > 1 else 0.0
        self.reader = nn.LSTM(input_size, hidden_size, layers, batch_first=True, dropout=between)

    def forward(self, embedded_source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Read a right-padded source batch.

        Args:
            embedded_source: `(batch, source_length, input_size)`.
            source_mask: `(batch, source_length)` booleans, True = real token.

        Returns:
            Hidden and cell state after the last real token, each `(batch, layers, hidden_size)`.

        Raises:
            ValueError: if a row is empty or its padding is not at the right end.
        """
        lengths = right_padded_lengths(source_mask)
        packed = pack_padded_sequence(embedded_source, lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, (hidden, cell) = self.reader(packed)
        return hidden.transpose(0, 1), cell.transpose(0, 1)


def right_padded_lengths(mask: Tensor) -> Tensor:
    """Count the real tokens of each row, and refuse a mask that is empty or not right-padded.

    Args:
        mask: `(batch, length)` booleans, True = real token.

    Returns:
        `(batch,)` integers.

    Raises:
        ValueError: if a row has no real token, or a real token follows padding.
    """
    lengths = mask.sum(dim=1)
    if mask.shape[0] == 0 or int(lengths.min()) < 1:
        raise ValueError(
            f"source_mask of shape {tuple(mask.shape)} has a row without a real token or no row at all; "
            "expected at least one True in each row. Remove empty sequences from the batch."
        )
    if bool((mask[:, 1:] & ~mask[:, :-1]).any()):
        raise ValueError("source_mask has a real token after padding; expected all padding at the right end of a row.")
    return lengths


def reverse_real_tokens(sequences: Tensor, mask: Tensor) -> Tensor:
    """Reverse each right-padded row, leaving its padding where it is.

    Source: Sutskever, Vinyals and Le 2014, arXiv 1409.3215, section 3.3.

    Args:
        sequences: `(batch, length)` ids or `(batch, length, size)` vectors.
        mask: `(batch, length)` booleans, True = real token.

    Returns:
        The same shape: `[a b c pad]` becomes `[c b a pad]`.
    """
    positions = torch.arange(mask.shape[1], device=mask.device)
    from_the_end = mask.sum(dim=1, keepdim=True) - 1 - positions
    order = torch.where(mask, from_the_end, positions)  # (batch, length)
    rows = torch.arange(mask.shape[0], device=mask.device).unsqueeze(1)
    return sequences[rows, order]


class DecoderOutputs(NamedTuple):
    """Everything a decoder computed along a target that it was given (teacher forcing).

    Attributes:
        states: `(batch, target_length, hidden_size)`, the decoder states s_1 … s_T.
        contexts: `(batch, target_length, context_size)`, what each step read of the source.
        attention_weights: `(batch, target_length, source_length)`, or None without attention.
    """

    states: Tensor
    contexts: Tensor
    attention_weights: Tensor | None


class _SharedGradient(torch.autograd.Function):
    """Give the annotations' part of the gates its gradient in one product, instead of adding up one per step.

    Step i adds Σ_j a_ij g_j to the gates of its word, so δ_i, the gradient of those gates, is that of the sum too, and
    g_j gets Σ_i a_ij δ_i. Here word_gates pass through unchanged; when all δ_i have come back, g gets its share.
    """

    @staticmethod
    def forward(ctx, word_gates: Tensor, source_gates: Tensor, weights: list[Tensor]) -> Tensor:
        """Pass `word_gates` on; the loop averages detached `source_gates` and appends each step's weights."""
        ctx.weights = weights
        return word_gates.view_as(word_gates)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        """Hand out δ `(batch, target_length, 3 * hidden_size)` and the gradient of `source_gates`."""
        attention_weights = torch.stack(ctx.weights, dim=2)  # (batch, source_length, target_length)
        return gradient, torch.bmm(attention_weights, gradient), None


class GRUDecoder(nn.Module):
    """A GRU that reads the previous word and a context at every step.

    s_i = GRU(s_{i-1}, [y_{i-1}; c_i])

    Without attention c_i is one fixed vector, and since nothing in a step then depends on attention the
    whole target is one call of `nn.GRU`. With attention c_i depends on s_{i-1}, which forces a loop; the part
    of the GRU's input that comes from the words is still computed for all steps at once, before it.

    The reset gate multiplies the recurrent product, as in `nn.GRU`; the papers multiply the state before it.

    Source: Cho et al. 2014, arXiv 1406.1078, section 2.2 (fixed); Bahdanau et al. 2015, arXiv 1409.0473,
    appendix A.1.1 (attention).

    Args:
        input_size: size of one embedded target word.
        hidden_size: size of the decoder state.
        context_size: size of the context.
        attention: a module with `prepare` and `forward` as in `AdditiveAttention`, whose context is an average of
            `memory.values`; None = fixed vector.
    """

    def __init__(
        self, input_size: int, hidden_size: int, context_size: int, attention: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.context_size = input_size, hidden_size, context_size
        self.attention = attention
        self.recurrence = nn.GRU(input_size + context_size, hidden_size, batch_first=True)

    def forward(
        self, embedded_targets: Tensor, initial_state: Tensor, memory: Tensor | AttentionMemory
    ) -> DecoderOutputs:
        """Run along known target words.

        Args:
            embedded_targets: `(batch, target_length, input_size)`, the words y_0 … y_{T-1} that precede
                the predicted ones.
            initial_state: `(batch, hidden_size)`, s_0.
            memory: the fixed context `(batch, context_size)`, or what the attention's `prepare` returned.
        """
        if self.attention is None:
            contexts = memory.unsqueeze(1).expand(-1, embedded_targets.shape[1], -1)
            states, _ = self.recurrence(torch.cat([embedded_targets, contexts], dim=-1), initial_state.unsqueeze(0))
            return DecoderOutputs(states, contexts, None)

        word_weight, context_weight = self._split_input_weight()
        # (batch, target_length, 3 * hidden_size)
        word_gates = nn.functional.linear(embedded_targets, word_weight, self.recurrence.bias_ih_l0)
        # Averaging is linear, W (Σ_j a_j h_j) = Σ_j a_j (W h_j): W meets each annotation once instead of each context.
        source_gates = nn.functional.linear(memory.values, context_weight)
        state, states, weights = initial_state, [], []
        word_gates = _SharedGradient.apply(word_gates, source_gates, weights)
        gate_memory = memory._replace(values=source_gates.detach())
        for word_gate in word_gates.unbind(dim=1):
            source_gate, attention_weights = self.attention(state, gate_memory)
            state = self._update(word_gate + source_gate, state)
            states.append(state)
            weights.append(attention_weights)
        attention_weights = torch.stack(weights, dim=1)
        contexts = torch.bmm(attention_weights, memory.values)  # all steps at once; the loop needed only their gates
        return DecoderOutputs(torch.stack(states, dim=1), contexts, attention_weights)

    def step(
        self, embedded_word: Tensor, state: Tensor, memory: Tensor | AttentionMemory
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Take one step, for decoding; the same numbers as one step of `forward`.

        Args:
            embedded_word: `(batch, input_size)`, y_{i-1}.
            state: `(batch, hidden_size)`, s_{i-1}.
            memory: as in `forward`.

        Returns:
            state `(batch, hidden_size)`, context `(batch, context_size)`, and attention weights
            `(batch, source_length)` or None.
        """
        context, attention_weights = (memory, None) if self.attention is None else self.attention(state, memory)
        word_weight, context_weight = self._split_input_weight()
        word_gate = nn.functional.linear(embedded_word, word_weight, self.recurrence.bias_ih_l0)
        state = self._update(word_gate + nn.functional.linear(context, context_weight), state)
        return state, context, attention_weights

    def _split_input_weight(self) -> tuple[Tensor, Tensor]:
        """Cut the GRU's input weight into the part for the word and the part for the context.

        Once per call, not per step: each cut in the graph costs a gradient of the whole weight's size.
        """
        return self.recurrence.weight_ih_l0.split([self.input_size, self.context_size], dim=1)

    def _update(self, input_gates: Tensor, state: Tensor) -> Tensor:
        """Apply the GRU's equations, given W [y; c] + b of its three gates."""
        state_gates = nn.functional.linear(state, self.recurrence.weight_hh_l0, self.recurrence.bias_hh_l0)
        input_reset_update, input_candidate = input_gates.split([2 * self.hidden_size, self.hidden_size], dim=-1)
        state_reset_update, state_candidate = state_gates.split([2 * self.hidden_size, self.hidden_size], dim=-1)
        reset, update = torch.sigmoid(input_reset_update + state_reset_update).chunk(2, dim=-1)
        candidate = torch.tanh(input_candidate + reset * state_candidate)
        return torch.lerp(candidate, state, update)  # update = 1 keeps the old state


class MaxoutReadout(nn.Module):
    """Deep output: one maxout layer between the decoder and the vocabulary.

    t_i = max over pairs of (U s_i + V y_{i-1} + C c_i),  logits = W_o t_i

    Source: Bahdanau et al. 2015, arXiv 1409.0473, equation 4 and appendix A.2.2. The appendix feeds it
    s_{i-1}, equation 4 writes s_i; this is s_i, as in Cho et al. 2014.

    Args:
        input_size: size of the concatenated [s_i; y_{i-1}; c_i].
        readout_size: size of t_i, half of what enters the maximum.
        vocabulary_size: number of target words.
        dropout: probability of dropping an entry of t_i while training.
    """

    def __init__(self, input_size: int, readout_size: int, vocabulary_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden = nn.Linear(input_size, 2 * readout_size)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(readout_size, vocabulary_size)

    def forward(self, features: Tensor) -> Tensor:
        """Map `(..., input_size)` to logits `(..., vocabulary_size)`."""
        pairs = self.hidden(features).unflatten(-1, (-1, 2))  # (..., readout_size, 2)
        return self.output(self.dropout(torch.maximum(pairs[..., 0], pairs[..., 1])))
