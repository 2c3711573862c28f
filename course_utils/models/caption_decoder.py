"""The decoder of captions: an LSTM that reads the previous word and a context from the image at every step."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.mechanisms.attention import AdditiveAttention, AttentionMemory

State = tuple[Tensor, Tensor]
"""The LSTM's h and c, each `(batch, hidden_size)`."""
Choice = Callable[[Tensor, int], Tensor]
"""Turns a step's attention weights `(batch, cells)` and its number into what the cells are averaged with."""


class DecoderTrace(NamedTuple):
    """What a decoder computed along captions that it was given (teacher forcing).

    Attributes:
        states: `(batch, target_length, hidden_size)`, h_1 … h_T.
        contexts: `(batch, target_length, context_size)`, ẑ_t: what each step read of the image, gate included.
        attention_weights: `(batch, target_length, cells)`, a_t; None without attention.
        gates: `(batch, target_length)`, β_t from 0 to 1; None without attention.
        chosen: `(batch, target_length, cells)`, what the cells were averaged with: a_t, or one cell; None likewise.
    """

    states: Tensor
    contexts: Tensor
    attention_weights: Tensor | None = None
    gates: Tensor | None = None
    chosen: Tensor | None = None


class AttentionDecoder(nn.Module):
    """An LSTM that reads the previous word and a context from the image at every step.

    e_ti = attention(a_i, h_{t-1}),  α_t = softmax(e_t),  β_t = σ(w · h_{t-1} + b),  ẑ_t = β_t Σ_i α_ti a_i
    h_t, c_t = LSTM([E y_{t-1}; ẑ_t], h_{t-1}, c_{t-1})

    Without attention ẑ is one fixed vector and all steps are one call of `nn.LSTM`.

    Source: Xu et al. 2015, arXiv 1502.03044, section 3.1.2, equations 1 to 6, and section 4.2.1 (β).

    Args:
        input_size: size of an embedded word.
        hidden_size: of h and c.
        context_size: of ẑ.
        attention: scores h against the cells; None = fixed vector.
    """

    def __init__(
        self, input_size: int, hidden_size: int, context_size: int, attention: AdditiveAttention | None = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.context_size = input_size, hidden_size, context_size
        self.attention = attention
        self.gate = None if attention is None else nn.Linear(hidden_size, 1)
        self.recurrence = nn.LSTM(input_size + context_size, hidden_size, batch_first=True)
        with torch.no_grad():
            # A new LSTM weighs the image as much as its own state, and its forget gate starts open.
            nn.init.kaiming_uniform_(self.recurrence.weight_ih_l0[:, input_size:], nonlinearity="tanh")
            self.recurrence.bias_ih_l0[hidden_size : 2 * hidden_size] = 1.0
            if self.gate is not None:
                self.gate.bias.fill_(1.0)

    def forward(
        self, embedded: Tensor, state: State, memory: Tensor | AttentionMemory, choose: Choice | None = None
    ) -> DecoderTrace:
        """Run along known words.

        Args:
            embedded: `(batch, target_length, input_size)`, the words before the predicted ones.
            state: h_0 and c_0.
            memory: the fixed vector `(batch, context_size)`, or what the attention's `prepare` returned.
            choose: makes of α_t what the cells are averaged with; None = α_t itself.
        """
        if self.attention is None:
            contexts = memory.unsqueeze(1).expand(-1, embedded.shape[1], -1)
            first = tuple(part.unsqueeze(0) for part in state)
            states, _ = self.recurrence(torch.cat([embedded, contexts], dim=-1), first)
            return DecoderTrace(states, contexts)
        words, weight = self._prepare(embedded)
        steps = []
        for number, word in enumerate(words.unbind(dim=1)):
            pick = choose and (lambda weights, number=number: choose(weights, number))
            state, *seen = self._step(word, weight, state, memory, pick)
            steps.append((state[0], *seen))
        return DecoderTrace(*(torch.stack(part, dim=1) for part in zip(*steps, strict=True)))

    def step(
        self, embedded: Tensor, state: State, memory: Tensor | AttentionMemory, choose: Choice | None = None
    ) -> tuple[State, DecoderTrace]:
        """Take one step, for decoding: `embedded` is `(batch, input_size)`; the trace has a target_length of 1."""
        if self.attention is None:
            context = memory.unsqueeze(1)
            first = tuple(part.unsqueeze(0) for part in state)
            states, last = self.recurrence(torch.cat([embedded.unsqueeze(1), context], dim=-1), first)
            return tuple(part.squeeze(0) for part in last), DecoderTrace(states, context)
        word, weight = self._prepare(embedded)
        pick = choose and (lambda weights: choose(weights, 0))
        state, *seen = self._step(word, weight, state, memory, pick)
        return state, DecoderTrace(*(part.unsqueeze(1) for part in (state[0], *seen)))

    def _prepare(self, embedded: Tensor) -> tuple[Tensor, Tensor]:
        """The words' part of the LSTM's gates, and the weight of the rest, [context; h], in one piece."""
        word_weight, context_weight = self.recurrence.weight_ih_l0.split([self.input_size, self.context_size], dim=1)
        words = nn.functional.linear(embedded, word_weight, self.recurrence.bias_ih_l0 + self.recurrence.bias_hh_l0)
        return words, torch.cat([context_weight, self.recurrence.weight_hh_l0], dim=1)

    def _step(self, word: Tensor, weight: Tensor, state: State, memory: AttentionMemory, pick) -> tuple:
        """Return the new state, ẑ, α, β `(batch,)` and what the cells were averaged with."""
        hidden, cell = state
        context, attention_weights = self.attention(hidden, memory)
        chosen = attention_weights
        if pick is not None:
            chosen = pick(attention_weights)
            context = torch.bmm(chosen.unsqueeze(1), memory.values).squeeze(1)
        gate = torch.sigmoid(self.gate(hidden))  # (batch, 1)
        context = gate * context
        gates = word + nn.functional.linear(torch.cat([context, hidden], dim=-1), weight)
        write, forget, candidate, show = gates.chunk(4, dim=-1)  # the order of nn.LSTM
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(write) * torch.tanh(candidate)
        hidden = torch.sigmoid(show) * torch.tanh(cell)
        return (hidden, cell), context, attention_weights, gate.squeeze(-1), chosen
