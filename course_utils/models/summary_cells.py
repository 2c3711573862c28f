"""Two recurrent steps written as their equations, with the part of the words computed for all steps beforehand."""

import torch
from torch import Tensor, nn

State = tuple[Tensor, ...]
"""The visible state h `(batch, hidden_size)` first, then what else a cell remembers."""


class ElmanCell(nn.Module):
    """h_t = σ(W_1 y_{t-1} + W_2 h_{t-1} + W_3 c_t), σ the logistic function.

    Source: Chopra, Auli and Rush 2016, "Abstractive Sentence Summarization with Attentive Recurrent Neural Networks",
    section 3.2.1.

    The slope of σ is at most 1/4, so the first weights are four times as large as for a unit of slope 1; with smaller
    ones h hardly moves from 1/2, and learning takes long to begin.

    Args:
        input_size: size of an embedded word y.
        hidden_size: size of h.
        context_size: size of c.
    """

    gates = 1

    def __init__(self, input_size: int, hidden_size: int, context_size: int) -> None:
        super().__init__()
        self.word = nn.Linear(input_size, self.gates * hidden_size)  # W_1, with the one bias of the sum
        self.recurrent = nn.Linear(hidden_size, self.gates * hidden_size, bias=False)  # W_2
        self.context = nn.Linear(context_size, self.gates * hidden_size, bias=False)  # W_3
        self.reset_weights()

    def reset_weights(self) -> None:
        """Sample the first weights."""
        for layer in (self.word, self.recurrent, self.context):
            nn.init.xavier_uniform_(layer.weight, gain=4.0)

    def first_state(self, summary: Tensor) -> State:
        """Make h_0 of any vectors `(batch, hidden_size)`, within the range of h."""
        return (torch.sigmoid(summary),)

    def forward(self, word_gates: Tensor, context: Tensor, state: State) -> State:
        """Take one step.

        Args:
            word_gates: `self.word(y)`, `(batch, gates * hidden_size)`.
            context: `(batch, context_size)`.
            state: from the last step or `first_state`.
        """
        return (torch.sigmoid(word_gates + self.recurrent(state[0]) + self.context(context)),)


class LSTMCell(ElmanCell):
    """i, f, o = σ(…), g = tanh(…), m_t = f ∘ m_{t-1} + i ∘ g, h_t = o ∘ tanh(m_t), each … as in `ElmanCell`.

    Source: Chopra et al. 2016, section 3.2.1.
    """

    gates = 4

    def reset_weights(self) -> None:
        """Leave the first weights as `nn.Linear` samples them."""

    def first_state(self, summary: Tensor) -> State:
        """Make h_0 of any vectors `(batch, hidden_size)`; the memory m_0 is zero."""
        return torch.tanh(summary), torch.zeros_like(summary)

    def forward(self, word_gates: Tensor, context: Tensor, state: State) -> State:
        """Take one step; see `ElmanCell.forward`."""
        hidden, remembered = state
        gates = (word_gates + self.recurrent(hidden) + self.context(context)).chunk(4, dim=-1)
        enter, forget, out = (torch.sigmoid(gate) for gate in gates[:3])
        remembered = forget * remembered + enter * torch.tanh(gates[3])
        return out * torch.tanh(remembered), remembered
