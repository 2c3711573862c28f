"""Attention that depends on its previous weights: location-aware scores, smoothing, and a window that moves along.

    attention = LocationAwareAttention(query_size, value_size, attention_size, filters=8, width=9)
    memory = attention.prepare(encoder_outputs, source_mask)
    weights = attention.first_weights(memory)                    # before the first word: all on the first position
    context, weights = attention(query, memory, weights)         # one decoder step

Additive attention compares a decoder state with the *content* of each position: two positions that sound alike get
the same score, wherever they are. Here the scores also depend on the previous step's weights.
"""

import torch
from torch import Tensor, nn

from .attention import AttentionMemory, check_mask, masked_softmax


class LocationAwareAttention(nn.Module):
    """Score each position by its content and by the previous weights around it.

    f_i = F * a_{i-1},  e_ij = w · tanh(W s_{i-1} + V h_j + U f_ij + b),  a_i = normalise_j e_ij

    F * is a convolution over positions, so a filter can score a position a little after the previous one. With
    `filters=0` there is no f and this is content-based attention.

    Source: Chorowski et al. 2015, arXiv 1506.07503, sections 2.1 and 2.2.

    Args:
        query_size: size of the decoder state s_{i-1}.
        value_size: size of one encoder output h_j.
        attention_size: size of the hidden layer that compares.
        filters: number of convolution filters, 0 = none.
        width: of a filter, in positions; odd, so that it has a middle.
        smooth: normalise by `smooth_weights` instead of a softmax.
        window: while decoding, attend only this many positions to either side of the median of the previous weights
            (see `window_mask`); None = everywhere. May be changed after training.

    Raises:
        ValueError: if `width` is even or a number is negative.
    """

    def __init__(
        self,
        query_size: int,
        value_size: int,
        attention_size: int,
        filters: int = 8,
        width: int = 9,
        smooth: bool = False,
        window: int | None = None,
    ) -> None:
        super().__init__()
        if width < 1 or width % 2 == 0 or filters < 0 or (window is not None and window < 0):
            raise ValueError(
                f"filters is {filters}, width {width}, window {window}; expected no negative number and an odd width."
            )
        self.smooth, self.window = smooth, window
        self.query_projection = nn.Linear(query_size, attention_size)  # W, with the bias b
        self.key_projection = nn.Linear(value_size, attention_size, bias=False)  # V
        self.score = nn.Linear(attention_size, 1, bias=smooth)  # w; a bias cancels in a softmax, not in a sigmoid
        self.filters = nn.Conv1d(1, filters, width, padding=width // 2, bias=False) if filters else None  # F
        self.location_projection = nn.Linear(filters, attention_size, bias=False) if filters else None  # U
        for layer in (self.query_projection, self.key_projection, self.score):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="tanh")

    def prepare(self, encoder_outputs: Tensor, source_mask: Tensor) -> AttentionMemory:
        """Project the encoder outputs to keys, once per source batch.

        Args:
            encoder_outputs: `(batch, source_length, value_size)`.
            source_mask: `(batch, source_length)` booleans, True = real position.

        Raises:
            TypeError, ValueError: see `attention.check_mask`.
        """
        check_mask(source_mask, encoder_outputs)
        return AttentionMemory(encoder_outputs, self.key_projection(encoder_outputs), source_mask)

    @staticmethod
    def first_weights(memory: AttentionMemory) -> Tensor:
        """Return what stands in for the weights before the first step: all on the first position."""
        weights = torch.zeros_like(memory.keys[..., 0])
        weights[:, 0] = 1.0
        return weights

    def forward(self, query: Tensor, memory: AttentionMemory, previous_weights: Tensor) -> tuple[Tensor, Tensor]:
        """Attend to the source once, for one decoder step.

        Args:
            query: `(batch, query_size)`, the decoder state s_{i-1}.
            memory: what `prepare` returned.
            previous_weights: `(batch, source_length)`, a_{i-1}; `first_weights` at the first step.

        Returns:
            context: `(batch, value_size)`, the weighted average of the values.
            attention_weights: `(batch, source_length)`, exactly zero on padding, each row sums to one.
        """
        hidden = self.query_projection(query).unsqueeze(1) + memory.keys
        if self.filters is not None:
            hidden = hidden + self.location_part(previous_weights)
        scores = self.score(torch.tanh(hidden)).squeeze(-1)
        mask = memory.mask
        if self.window is not None:
            mask = mask & window_mask(previous_weights, self.window)
        attention_weights = (smooth_weights if self.smooth else masked_softmax)(scores, mask)
        context = torch.bmm(attention_weights.unsqueeze(1), memory.values).squeeze(1)
        return context, attention_weights

    def location_part(self, previous_weights: Tensor) -> Tensor:
        """U f: what the filters found around each position, `(batch, source_length, attention_size)`.

        Filters and projection are two matrices in a row. Multiplied with each other first, they are one small matrix
        that meets the weights around each position, which is several times faster than a convolution and a projection.
        """
        if self.filters is None or self.location_projection is None:
            raise ValueError("filters is 0; expected at least one filter where the location is asked for.")
        width = self.filters.kernel_size[0]
        padded = nn.functional.pad(previous_weights, (width // 2, width // 2))
        around = padded.unfold(1, width, 1)  # (batch, source_length, width)
        return around @ (self.location_projection.weight @ self.filters.weight.squeeze(1)).T


def smooth_weights(scores: Tensor, mask: Tensor) -> Tensor:
    """Normalise with a sigmoid in place of the exponential: a_j = σ(e_j) / Σ_k σ(e_k).

    A sigmoid grows no further than one, so no position can take nearly everything: several share the weight.

    Source: Chorowski et al. 2015, arXiv 1506.07503, section 2.3 ("smoothing").

    Args:
        scores: `(..., source_length)`, any real numbers.
        mask: booleans that broadcast to `scores`, True = real position. Each row needs one True.

    Returns:
        Weights of the shape of `scores`, exactly zero where masked; each row sums to one. As a softmax of log σ(e), so
        that a row of very low scores does not divide zero by zero.
    """
    return masked_softmax(nn.functional.logsigmoid(scores), mask)


def window_mask(previous_weights: Tensor, window: int) -> Tensor:
    """Select the positions at most `window` away from the median of the previous weights.

    The median is the first position at which the summed weights reach one half.

    Source: Chorowski et al. 2015, arXiv 1506.07503, section 2.3 ("windowing").

    Args:
        previous_weights: `(batch, source_length)`, each row sums to one.
        window: positions to either side.

    Returns:
        `(batch, source_length)` booleans, True = may be attended to; at least one in each row.
    """
    # the tolerance keeps a median at the last position from being lost when a row sums to a little less than one
    below_half = (previous_weights.cumsum(dim=1) < 0.5 - 1e-6).sum(dim=1, keepdim=True)
    median = below_half.clamp(max=previous_weights.shape[1] - 1)
    positions = torch.arange(previous_weights.shape[1], device=previous_weights.device)
    return (positions - median).abs() <= window
