"""What every model shares that reads words and writes words: how it is scored, trained and asked for the next word."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

EMBEDDING_STD = 0.2
"""Standard deviation of a new embedding's entries; nn.Embedding's own, 1, takes many more steps to unlearn."""
ROWS_AT_ONCE = 256
"""Target words whose vocabulary scores are in memory together while training."""


class TargetLoss(NamedTuple):
    """A loss over the real target tokens of a batch.

    Attributes:
        mean: scalar, nats per real target token (the end symbol counts); label smoothing included if asked for.
        tokens: number of real target tokens.
    """

    mean: Tensor
    tokens: int


class Reading(NamedTuple):
    """What a model knows when it has read known target words, one entry per word.

    Attributes:
        features: `(batch, target_length, feature_size)`, what the scores of the next word are computed from.
        attention_weights: `(batch, target_length, source_length)`, zero on padding, or None without attention.
        gate: `(batch, target_length, 1)`, log-odds of generating rather than copying, or None without a copy option.
    """

    features: Tensor
    attention_weights: Tensor | None = None
    gate: Tensor | None = None


class WordModel(nn.Module):
    """A system defines `start`, `read_on` and `scores`; the rest turns features into probabilities."""

    dropout: nn.Dropout

    def start(self, source: Tensor, source_mask: Tensor) -> tuple:
        """Read the source: memory and first state, tensors or tuples of them, batch first.

        Args:
            source: `(batch, source_length)` ids, right-padded.
            source_mask: the same shape, True = real token.

        Raises:
            IndexError: if an id is not in the vocabulary.
            ValueError: if the mask has an empty row, or padding before a word.
        """
        raise NotImplementedError

    def read_on(self, words: Tensor, state, memory) -> tuple[Reading, Any]:
        """Read known target words `(batch, target_length)` and return the state after the last one, too."""
        raise NotImplementedError

    def read(self, target_input: Tensor, state, memory) -> Reading:
        """Read a whole target `(batch, target_length)`, the begin symbol first."""
        return self.read_on(target_input, state, memory)[0]

    def step_features(self, previous_words: Tensor, state, memory) -> tuple[Reading, Any]:
        """Read one word `(batch,)`: a `Reading` with target_length 1, and the new state."""
        return self.read_on(previous_words.unsqueeze(1), state, memory)

    def scores(self, features: Tensor) -> Tensor:
        """Map features `(…, feature_size)` to logits `(…, vocabulary_size)`."""
        raise NotImplementedError

    def log_probabilities(self, reading: Reading, memory) -> Tensor:
        """Turn a reading into log-probabilities `(batch, target_length, vocabulary_size)`, nats."""
        return torch.log_softmax(self.scores(reading.features), dim=-1)

    def forward(self, batch) -> tuple[Tensor, Tensor | None]:
        """Score a `Batch` with the gold previous words as input (teacher forcing).

        Returns:
            Log-probabilities `(batch, target_length, vocabulary_size)` in nats, and attention weights
            `(batch, target_length, source_length)` or None. Where `target_mask` is False they mean nothing.
        """
        memory, state = self.start(batch.source, batch.source_mask)
        reading = self.read(batch.target_input, state, memory)
        return self.log_probabilities(reading, memory), reading.attention_weights

    def step(self, previous_words: Tensor, state, memory) -> tuple[Tensor, Any, Tensor | None]:
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
        """Cross-entropy of the gold next words, nats per real target token; exp of it is the perplexity.

        The output layer is by far the widest, so it gets the real tokens and no padding, a few hundred at a time: the
        logits of a whole batch would fill tens of megabytes, and fresh memory is slow.

        Args:
            batch: a `Batch`.
            label_smoothing: share of the probability that is spread evenly over the whole vocabulary.
        """
        memory, state = self.start(batch.source, batch.source_mask)
        features = self.read(batch.target_input, state, memory).features[batch.target_mask]  # (real tokens, …)
        words = batch.target_output[batch.target_mask]
        total: Any = sum(
            nn.functional.cross_entropy(self.scores(part), known, label_smoothing=label_smoothing, reduction="sum")
            for part, known in zip(features.split(ROWS_AT_ONCE), words.split(ROWS_AT_ONCE), strict=True)
        )
        return TargetLoss(total / len(words), len(words))

    def embed(self, embedding: nn.Embedding, ids: Tensor, name: str) -> Tensor:
        """Look up ids and drop entries: `(batch, …)` to `(batch, …, size)`; `name` is for the error."""
        return self.dropout(checked_lookup(embedding, ids, name))


def word_embedding(vocabulary_size: int, size: int) -> nn.Embedding:
    """A table of small random vectors."""
    embedding = nn.Embedding(vocabulary_size, size)
    nn.init.normal_(embedding.weight, std=EMBEDDING_STD)
    return embedding


def checked_lookup(embedding: nn.Embedding, ids: Tensor, name: str) -> Tensor:
    """Embed ids, with an error that names the ids if some are out of range.

    Raises:
        IndexError: if an id is negative or not below the vocabulary's size.
    """
    try:
        return embedding(ids)
    except IndexError:
        outside = ids[(ids < 0) | (ids >= embedding.num_embeddings)].unique().tolist()
        raise IndexError(
            f"{name} holds the ids {outside[:5]}; expected 0 to {embedding.num_embeddings - 1}. "
            "Was it encoded with another vocabulary?"
        ) from None


def check_choice(value: str, choices: Iterable[str], name: str = "system") -> None:
    """Raise a ValueError unless `value` is one of the names."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(choices)}.")


def check_sizes(**sizes: int) -> None:
    """Raise a ValueError if a size is below 1."""
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}; expected at least 1.")
