"""What every summarizer shares, feed-forward or recurrent: how it is scored, trained and asked for the next word."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.mechanisms.recurrent import right_padded_lengths
from course_utils.models.translation import EMBEDDING_STD, TargetLoss, checked_lookup

ROWS_AT_ONCE = 256
"""Target words whose vocabulary scores are in memory together while training."""


class Reading(NamedTuple):
    """What a summarizer knows when it has read along a headline, one entry per headline word.

    Attributes:
        features: `(batch, target_length, feature_size)`, what the scores of the next word are computed from.
        attention_weights: `(batch, target_length, source_length)`, zero on padding, or None without attention.
        gate: `(batch, target_length, 1)`, log-odds of generating rather than copying, or None without a copy option.
    """

    features: Tensor
    attention_weights: Tensor | None
    gate: Tensor | None = None


class Summarizer(nn.Module):
    """Source words in, headline words out, over one vocabulary.

    A system defines `start`, `read` and `step_features`; what is here turns their features into probabilities.

    Args:
        vocabulary_size: number of word ids, the same for sources and headlines.
        feature_size: of what the output layer reads.
        dropout: probability of dropping an entry of an embedding or of the features while training.

    Raises:
        ValueError: if a size is below 1.
    """

    def __init__(self, vocabulary_size: int, feature_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        check_sizes(vocabulary_size=vocabulary_size, feature_size=feature_size)
        self.vocabulary_size = vocabulary_size
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(feature_size, vocabulary_size)

    def start(self, source: Tensor, source_mask: Tensor) -> tuple:
        """Read the source: memory and first state, tensors or tuples of them, batch first.

        Args:
            source: `(batch, source_length)` ids, right-padded.
            source_mask: the same shape, True = real token.

        Raises:
            IndexError: if an id is not in the vocabulary.
            TypeError, ValueError: if the mask is not boolean, has an empty row, or padding before a word.
        """
        raise NotImplementedError

    def read(self, target_input: Tensor, state, memory) -> Reading:
        """Read along known headline words `(batch, target_length)`, the begin symbol first."""
        raise NotImplementedError

    def step_features(self, previous_words: Tensor, state, memory) -> tuple[Reading, object]:
        """Read one word `(batch,)`: a `Reading` with target_length 1, and the new state."""
        raise NotImplementedError

    def log_probabilities(self, reading: Reading, memory) -> Tensor:
        """Turn a reading into log-probabilities `(batch, target_length, vocabulary_size)`, nats."""
        return torch.log_softmax(self.output(self.dropout(reading.features)), dim=-1)

    def forward(self, batch) -> tuple[Tensor, Tensor | None]:
        """Score a batch with the true previous words as input (teacher forcing).

        Args:
            batch: a `Batch`.

        Returns:
            Log-probabilities `(batch, target_length, vocabulary_size)` in nats, and attention weights
            `(batch, target_length, source_length)` or None. Where `target_mask` is False they mean nothing.
        """
        memory, state = self.start(batch.source, batch.source_mask)
        reading = self.read(batch.target_input, state, memory)
        return self.log_probabilities(reading, memory), reading.attention_weights

    def step(self, previous_words: Tensor, state, memory) -> tuple[Tensor, object, Tensor | None]:
        """Take one decoding step; see `mechanisms.search`.

        Args:
            previous_words: `(batch,)` ids.
            state, memory: from `start` or the last `step`.

        Returns:
            Log-probabilities `(batch, vocabulary_size)` in nats, the new state, and attention weights
            `(batch, source_length)` or None.
        """
        reading, state = self.step_features(previous_words, state, memory)
        weights = None if reading.attention_weights is None else reading.attention_weights[:, 0]
        return self.log_probabilities(reading, memory)[:, 0], state, weights

    def loss(self, batch, label_smoothing: float = 0.0) -> TargetLoss:
        """Cross-entropy of the true next words, nats per real target token; exp of it is the perplexity.

        The output layer is the widest by far: it sees real tokens and no padding, a few hundred at a time.

        Args:
            batch: a `Batch`.
            label_smoothing: share of the probability that is asked for evenly of the whole vocabulary.
        """
        memory, state = self.start(batch.source, batch.source_mask)
        features = self.read(batch.target_input, state, memory).features[batch.target_mask]  # (real tokens, …)
        words = batch.target_output[batch.target_mask]
        total = sum(
            nn.functional.cross_entropy(
                self.output(self.dropout(part)), known, label_smoothing=label_smoothing, reduction="sum"
            )
            for part, known in zip(features.split(ROWS_AT_ONCE), words.split(ROWS_AT_ONCE), strict=True)
        )
        return TargetLoss(total / len(words), len(words))

    def embed(self, embedding: nn.Embedding, ids: Tensor, name: str) -> Tensor:
        """Look up ids and drop entries: `(batch, …)` to `(batch, …, size)`."""
        return self.dropout(checked_lookup(embedding, ids, name))


def word_embedding(vocabulary_size: int, size: int) -> nn.Embedding:
    """A table of small random vectors."""
    embedding = nn.Embedding(vocabulary_size, size)
    nn.init.normal_(embedding.weight, std=EMBEDDING_STD)
    return embedding


def check_source(source: Tensor, source_mask: Tensor) -> None:
    """Refuse a mask that does not fit its source, that hides a whole row, or whose padding is not at the right.

    Args:
        source: `(batch, source_length)` ids.
        source_mask: the same shape, booleans, True = real token.

    Raises:
        TypeError: if the mask is not boolean.
        ValueError: if the shapes differ, a row is empty, or a real token follows padding.
    """
    if source_mask.dtype != torch.bool:
        raise TypeError(f"source_mask has dtype {source_mask.dtype}; expected torch.bool with True = real token.")
    if source.dim() != 2 or source.shape != source_mask.shape:
        raise ValueError(
            f"source has shape {tuple(source.shape)} and source_mask {tuple(source_mask.shape)}; expected both "
            "(batch, source_length). Add a batch dimension of 1 for a single text."
        )
    right_padded_lengths(source_mask)


def check_sizes(**sizes: int) -> None:
    """Refuse sizes below 1, by name.

    Raises:
        ValueError: if one is.
    """
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}; expected at least 1.")
