"""Attention: score every source position, turn the scores into weights, average the values.

Read this file first. Everything the course calls attention has the same two steps:

    memory = attention.prepare(encoder_outputs, source_mask)    # once per source sentence
    context, attention_weights = attention(query, memory)       # once per decoder step

The weights of one query are a probability distribution over the real source positions. A padded
position gets exactly zero, so adding padding to a batch never changes a result.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


def check_mask(source_mask: Tensor, encoder_outputs: Tensor) -> None:
    """Refuse a mask that does not fit the encoder outputs or that hides a whole sequence.

    Args:
        source_mask: `(batch, source_length)` booleans, True = real token.
        encoder_outputs: `(batch, source_length, size)`.

    Raises:
        TypeError: if the mask is not boolean (a 0/1 float mask is easily used upside down).
        ValueError: if the shapes differ or a row has no real token (its softmax would be NaN).
    """
    if source_mask.dtype != torch.bool:
        raise TypeError(f"source_mask has dtype {source_mask.dtype}; expected torch.bool with True = real token.")
    if source_mask.shape != encoder_outputs.shape[:2]:
        raise ValueError(
            f"source_mask has shape {tuple(source_mask.shape)}; expected {tuple(encoder_outputs.shape[:2])}, "
            "the (batch, source_length) of encoder_outputs."
        )
    empty = (~source_mask.any(dim=1)).nonzero().flatten().tolist()
    if empty:
        raise ValueError(
            f"source_mask hides every token of row(s) {empty}; expected at least one True in each row. "
            "Remove empty sequences from the batch."
        )


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last dimension that gives masked positions exactly zero.

    Minus infinity, not a large negative number, stands in for the hidden scores: its exponential is exactly zero at
    any precision and for any size of the other scores.

    Args:
        scores: `(..., source_length)`, any real numbers.
        mask: booleans that broadcast to `scores`, True = real position. Each row needs one True
            (`check_mask` sees to that once per batch); a row without gives NaN.

    Returns:
        Weights of the shape of `scores`; each row sums to one.
    """
    return torch.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1)


class AttentionMemory(NamedTuple):
    """What attention needs of a source batch, computed once and used at every decoder step.

    Attributes:
        values: `(batch, source_length, value_size)`, what is averaged.
        keys: `(batch, source_length, attention_size)`, what a query is compared with.
        mask: `(batch, source_length)` booleans, True = real token.
    """

    values: Tensor
    keys: Tensor
    mask: Tensor


class AdditiveAttention(nn.Module):
    """A small feed-forward network scores each pair of decoder state and encoder output.

    e_ij = v · tanh(W s_{i-1} + U h_j),  a_i = softmax over real j of e_ij,  c_i = Σ_j a_ij h_j

    U h_j is the same for every decoder step i, so `prepare` computes it once per source sentence.

    Source: Bahdanau, Cho and Bengio 2015, arXiv 1409.0473, section 3.1 and appendix A.1.2.

    Args:
        query_size: size of the decoder state s_{i-1}.
        value_size: size of one encoder output h_j.
        attention_size: size of the hidden layer that compares the two.
    """

    def __init__(self, query_size: int, value_size: int, attention_size: int) -> None:
        super().__init__()
        self.query_projection = nn.Linear(query_size, attention_size)  # W, with the one bias of the sum
        self.key_projection = nn.Linear(value_size, attention_size, bias=False)  # U
        self.score = nn.Linear(attention_size, 1, bias=False)  # v; a bias would cancel in the softmax
        # With smaller first weights all scores start almost equal, and the alignment is learned later.
        for layer in (self.query_projection, self.key_projection, self.score):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="tanh")

    def prepare(self, encoder_outputs: Tensor, source_mask: Tensor) -> AttentionMemory:
        """Project the encoder outputs to keys, once per source batch.

        Args:
            encoder_outputs: `(batch, source_length, value_size)`.
            source_mask: `(batch, source_length)` booleans, True = real token.

        Raises:
            TypeError, ValueError: see `check_mask`.
        """
        check_mask(source_mask, encoder_outputs)
        return AttentionMemory(encoder_outputs, self.key_projection(encoder_outputs), source_mask)

    def forward(self, query: Tensor, memory: AttentionMemory) -> tuple[Tensor, Tensor]:
        """Attend to the source once, for one decoder step.

        Args:
            query: `(batch, query_size)`, the decoder state s_{i-1}.
            memory: what `prepare` returned.

        Returns:
            context: `(batch, value_size)`, the weighted average of the values.
            attention_weights: `(batch, source_length)`, exactly zero on padding, each row sums to one.
        """
        scores = self.compare(self.query_projection(query), memory.keys)
        attention_weights = masked_softmax(scores, memory.mask)
        context = torch.bmm(attention_weights.unsqueeze(1), memory.values).squeeze(1)
        return context, attention_weights

    def compare(self, query: Tensor, keys: Tensor) -> Tensor:
        """Score keys `(batch, source_length, attention_size)` by a query `(batch, attention_size)`.

        Returns:
            `(batch, source_length)`.
        """
        hidden = (query.unsqueeze(1) + keys).tanh_()  # in place: the sum is not needed
        return self.score(hidden).squeeze(-1)


class DotProductAttention(AdditiveAttention):
    """The same projections, compared by a dot product: e_ij = (W s_{i-1}) · (U h_j), over √attention_size if scaled.

    Source: Luong et al. 2015, arXiv 1508.04025, section 3.1; scaled: Vaswani et al. 2017, arXiv 1706.03762, 3.2.

    Args:
        query_size, value_size, attention_size: see `AdditiveAttention`.
        scaled: divide by √attention_size, the standard deviation of a dot product of random entries.
    """

    def __init__(self, query_size: int, value_size: int, attention_size: int, *, scaled: bool) -> None:
        super().__init__(query_size, value_size, attention_size)
        del self.score
        self.scale = attention_size**-0.5 if scaled else 1.0

    def compare(self, query: Tensor, keys: Tensor) -> Tensor:
        """Score keys by a query; see `AdditiveAttention.compare`."""
        return self.scale * torch.bmm(keys, query.unsqueeze(-1)).squeeze(-1)
