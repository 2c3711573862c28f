"""Recurrent encoders, and a decoder whose attention can be plugged in (lesson 2) or left out (lesson 1)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from .attention import AttentionMemory


class EncodedSource(NamedTuple):
    """What a GRU encoder computed of a source batch.

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
    encoded the same alone and beside longer ones. (`pack_padded_sequence` around a bidirectional `nn.GRU` gives the
    same outputs; on a CPU its gradient takes time quadratic in the length.)

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
    """A stack of LSTMs over the embedded source, of which only the last states count.

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
    """Count the real tokens (True) of each row of a mask `(batch, length)`: `(batch,)` integers.

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

    `[a b c pad]` becomes `[c b a pad]`.

    Args:
        sequences: `(batch, length)` ids or `(batch, length, size)` vectors.
        mask: `(batch, length)` booleans, True = real token.
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


class GRUDecoder(nn.Module):
    """A GRU that reads the previous word and a context at every step.

    s_i = GRU(s_{i-1}, [y_{i-1}; c_i])

    Without attention c_i is one fixed vector, and the whole target is one call of `nn.GRU`. With attention c_i depends
    on s_{i-1}, which forces a loop.

    The reset gate multiplies the recurrent product, as in `nn.GRU`; the papers multiply the state before it.

    Source: Cho et al. 2014, arXiv 1406.1078, section 2.2 (fixed); Bahdanau et al. 2015, arXiv 1409.0473,
    appendix A.1.1 (attention).

    Args:
        input_size: size of one embedded target word.
        hidden_size: size of the decoder state.
        context_size: size of the context.
        attention: a module with `prepare` and `forward` as in `AdditiveAttention`; None = fixed vector.
    """

    def __init__(
        self, input_size: int, hidden_size: int, context_size: int, attention: nn.Module | None = None
    ) -> None:
        super().__init__()
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

        state, steps = initial_state, []
        for embedded_word in embedded_targets.unbind(dim=1):
            state, *read = self.step(embedded_word, state, memory)
            steps.append((state, *read))
        return DecoderOutputs(*(torch.stack(part, dim=1) for part in zip(*steps, strict=True)))

    def step(
        self, embedded_word: Tensor, state: Tensor, memory: Tensor | AttentionMemory
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Take one step.

        Args:
            embedded_word: `(batch, input_size)`, y_{i-1}.
            state: `(batch, hidden_size)`, s_{i-1}.
            memory: as in `forward`.

        Returns:
            state `(batch, hidden_size)`, context `(batch, context_size)`, and attention weights
            `(batch, source_length)` or None.
        """
        context, attention_weights = (memory, None) if self.attention is None else self.attention(state, memory)
        inputs = torch.cat([embedded_word, context], dim=-1).unsqueeze(1)
        _, state = self.recurrence(inputs, state.unsqueeze(0).contiguous())
        return state.squeeze(0), context, attention_weights


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
