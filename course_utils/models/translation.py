"""The three translation models of lessons 1 and 2.

| system                | encoder               | what the decoder gets                        |
| `RNNEncoderDecoder`   | GRU                   | one summary vector, read at every step       |
| `SequenceToSequence`  | deep LSTM, source reversed | the encoder's last states as its first  |
| `RNNsearch`           | bidirectional GRU     | a new weighted average at every step         |

All three train with `loss(batch)` and decode with `start` and `step` (see `mechanisms.search`).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.mechanisms.attention import AdditiveAttention, AttentionMemory
from course_utils.mechanisms.recurrent import GRUDecoder, GRUEncoder, LSTMEncoder, MaxoutReadout, reverse_real_tokens

EMBEDDING_STD = 0.2
"""Standard deviation of a new embedding's entries; nn.Embedding's own, 1, takes many more steps to unlearn."""


class TargetLoss(NamedTuple):
    """A loss over the real target tokens of a batch.

    Attributes:
        mean: scalar, nats per real target token (the end symbol counts); label smoothing included if asked for.
        tokens: number of real target tokens.
    """

    mean: Tensor
    tokens: int


class TranslationModel(nn.Module):
    """What the three systems share: embeddings, readout, loss.

    Args:
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids.
        embedding_size: size of a word embedding, and of the maxout layer of the readout.
        hidden_size: size of one recurrent state.
        dropout: probability of dropping an entry of an embedding, an annotation or the readout while training.
    """

    def __init__(
        self,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        embedding_size: int = 128,
        hidden_size: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.source_embedding = nn.Embedding(source_vocabulary_size, embedding_size)
        self.target_embedding = nn.Embedding(target_vocabulary_size, embedding_size)
        for embedding in (self.source_embedding, self.target_embedding):
            nn.init.normal_(embedding.weight, std=EMBEDDING_STD)
        self.dropout = nn.Dropout(dropout)

    def start(self, source: Tensor, source_mask: Tensor) -> tuple:
        """Encode a source batch: memory and first decoder state, batch first."""
        raise NotImplementedError

    def features(self, target_input: Tensor, state, memory) -> tuple[Tensor, Tensor | None]:
        """Run the decoder along known words.

        Returns:
            What the readout reads, `(batch, target_length, size)`, and the attention weights
            `(batch, target_length, source_length)` or None.
        """
        raise NotImplementedError

    def step(self, previous_words: Tensor, state, memory) -> tuple[Tensor, object, Tensor | None]:
        """Take one decoding step.

        Args:
            previous_words: `(batch,)` ids.
            state, memory: from `start` or the last `step`.

        Returns:
            Log-probabilities `(batch, target_vocabulary_size)` in nats, the new state, attention weights or None.
        """
        raise NotImplementedError

    def embed_source(self, source: Tensor) -> Tensor:
        """Look up source words: `(batch, source_length)` to `(batch, source_length, embedding_size)`."""
        return self.dropout(checked_lookup(self.source_embedding, source, "source"))

    def embed_target(self, target: Tensor) -> Tensor:
        """Look up target words: `(batch, …)` to `(batch, …, embedding_size)`."""
        return self.dropout(checked_lookup(self.target_embedding, target, "target"))

    def forward(self, batch) -> tuple[Tensor, Tensor | None]:
        """Score a batch with the true previous words as input (teacher forcing).

        Args:
            batch: a `Batch`.

        Returns:
            Logits `(batch, target_length, target_vocabulary_size)` and attention weights or None.
        """
        memory, state = self.start(batch.source, batch.source_mask)
        features, attention_weights = self.features(batch.target_input, state, memory)
        return self.readout(features), attention_weights

    def loss(self, batch, label_smoothing: float = 0.0) -> TargetLoss:
        """Cross-entropy of the true next words, over real tokens only.

        The readout is by far the widest layer, so it sees the real tokens and no padding, a few hundred at a
        time: the logits of a whole batch would fill tens of megabytes, and fresh memory is slow.
        """
        memory, state = self.start(batch.source, batch.source_mask)
        features, _ = self.features(batch.target_input, state, memory)
        features, targets = features[batch.target_mask], batch.target_output[batch.target_mask]  # (real tokens, …)
        total = sum(
            nn.functional.cross_entropy(self.readout(part), words, label_smoothing=label_smoothing, reduction="sum")
            for part, words in zip(features.split(256), targets.split(256), strict=True)
        )
        return TargetLoss(total / len(targets), len(targets))


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


class RNNEncoderDecoder(TranslationModel):
    """A GRU encoder, one summary vector, a GRU decoder that reads it at every step.

    c = tanh(V h_T),  s_0 = tanh(V' c),  s_i = GRU(s_{i-1}, [y_{i-1}; c]),  y_i from (s_i, y_{i-1}, c)

    Source: Cho et al. 2014, arXiv 1406.1078, section 2.2 and appendix A.
    """

    def __init__(
        self,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        embedding_size: int = 128,
        hidden_size: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(source_vocabulary_size, target_vocabulary_size, embedding_size, hidden_size, dropout)
        self.encoder = GRUEncoder(embedding_size, hidden_size)
        self.summary = nn.Linear(hidden_size, hidden_size)
        self.initial = nn.Linear(hidden_size, hidden_size)
        self.decoder = GRUDecoder(embedding_size, hidden_size, hidden_size)
        self.readout = MaxoutReadout(
            2 * hidden_size + embedding_size, embedding_size, target_vocabulary_size, dropout
        )  # fmt: skip

    def start(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Squeeze each source sentence into one vector.

        Returns:
            The summary c `(batch, hidden_size)`, which is all the decoder gets, and s_0 of the same shape.
        """
        encoded = self.encoder(self.embed_source(source), source_mask)
        summary = torch.tanh(self.summary(encoded.forward_last))
        return summary, torch.tanh(self.initial(summary))

    def features(self, target_input: Tensor, state: Tensor, memory) -> tuple[Tensor, Tensor | None]:
        """Run the decoder along known words; see `TranslationModel.features`."""
        embedded = self.embed_target(target_input)
        outputs = self.decoder(embedded, state, memory)
        return torch.cat([outputs.states, embedded, outputs.contexts], dim=-1), outputs.attention_weights

    def step(self, previous_words: Tensor, state: Tensor, memory) -> tuple[Tensor, Tensor, Tensor | None]:
        """Take one decoding step; see `TranslationModel.step`."""
        embedded = self.embed_target(previous_words)
        state, context, attention_weights = self.decoder.step(embedded, state, memory)
        logits = self.readout(torch.cat([state, embedded, context], dim=-1))
        return torch.log_softmax(logits, dim=-1), state, attention_weights


class RNNsearch(RNNEncoderDecoder):
    """The same decoder with additive attention over a bidirectional GRU's outputs.

    h_j = [forward_j; backward_j],  s_0 = tanh(W_s · backward_1),  c_i = Σ_j a_ij h_j in place of c

    Source: Bahdanau et al. 2015, arXiv 1409.0473, section 3 and appendix A.

    Args:
        attention_size: size of the layer that compares a state with an annotation; `hidden_size` if None.
        (the others: see `TranslationModel`)
    """

    def __init__(
        self,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        embedding_size: int = 128,
        hidden_size: int = 256,
        dropout: float = 0.0,
        attention_size: int | None = None,
    ) -> None:
        TranslationModel.__init__(
            self, source_vocabulary_size, target_vocabulary_size, embedding_size, hidden_size, dropout
        )
        self.encoder = GRUEncoder(embedding_size, hidden_size, bidirectional=True)
        annotation_size = self.encoder.output_size
        self.initial = nn.Linear(hidden_size, hidden_size)
        attention = AdditiveAttention(hidden_size, annotation_size, attention_size or hidden_size)
        self.decoder = GRUDecoder(embedding_size, hidden_size, annotation_size, attention)
        self.readout = MaxoutReadout(
            hidden_size + embedding_size + annotation_size, embedding_size, target_vocabulary_size, dropout
        )

    def start(self, source: Tensor, source_mask: Tensor) -> tuple[AttentionMemory, Tensor]:
        """Keep one annotation per source word.

        Returns:
            The attention's memory, and s_0 `(batch, hidden_size)`.
        """
        encoded = self.encoder(self.embed_source(source), source_mask)
        memory = self.decoder.attention.prepare(self.dropout(encoded.outputs), source_mask)
        return memory, torch.tanh(self.initial(encoded.backward_first))


class SequenceToSequence(TranslationModel):
    """A deep LSTM reads the reversed source; its last states start a deep LSTM decoder.

    Nothing of the source is read after the first step: all of it must survive in the states.

    Source: Sutskever et al. 2014, arXiv 1409.3215 (four layers there).

    Args:
        layers: stacked LSTM layers of encoder and decoder.
        reverse_source: read the source from its last word to its first.
        (the others: see `TranslationModel`)
    """

    def __init__(
        self,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        embedding_size: int = 128,
        hidden_size: int = 256,
        dropout: float = 0.0,
        layers: int = 2,
        reverse_source: bool = True,
    ) -> None:
        super().__init__(source_vocabulary_size, target_vocabulary_size, embedding_size, hidden_size, dropout)
        self.reverse_source = reverse_source
        self.encoder = LSTMEncoder(embedding_size, hidden_size, layers, dropout)
        self.decoder = nn.LSTM(
            embedding_size, hidden_size, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0
        )
        self.readout = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden_size, target_vocabulary_size))

    def start(self, source: Tensor, source_mask: Tensor) -> tuple[None, tuple[Tensor, Tensor]]:
        """Read the source.

        Returns:
            No memory, and the state: hidden and cell, each `(batch, layers, hidden_size)`.
        """
        if self.reverse_source:
            source = reverse_real_tokens(source, source_mask)
        return None, self.encoder(self.embed_source(source), source_mask)

    def features(self, target_input: Tensor, state, memory: None) -> tuple[Tensor, None]:
        """Run the decoder along known words; see `TranslationModel.features`."""
        outputs, _ = self._run(self.embed_target(target_input), state)
        return outputs, None

    def step(self, previous_words: Tensor, state, memory: None) -> tuple[Tensor, tuple[Tensor, Tensor], None]:
        """Take one decoding step; see `TranslationModel.step`."""
        outputs, state = self._run(self.embed_target(previous_words).unsqueeze(1), state)
        return torch.log_softmax(self.readout(outputs[:, 0]), dim=-1), state, None

    def _run(self, embedded: Tensor, state: tuple[Tensor, Tensor]):
        # nn.LSTM wants (layers, batch, hidden); the course keeps every state batch first.
        outputs, (hidden, cell) = self.decoder(embedded, tuple(part.transpose(0, 1).contiguous() for part in state))
        return outputs, (hidden.transpose(0, 1), cell.transpose(0, 1))


SYSTEMS = {
    "rnn-encoder-decoder": RNNEncoderDecoder,
    "sequence-to-sequence": SequenceToSequence,
    "rnn-search": RNNsearch,
}


def build_translation_model(system: str, **sizes) -> TranslationModel:
    """Make one of the three systems by name, as the checkpoint cards and the experiments do.

    Raises:
        ValueError: if the name is unknown.
    """
    if system not in SYSTEMS:
        raise ValueError(f"system is {system!r}; expected one of {', '.join(SYSTEMS)}.")
    return SYSTEMS[system](**sizes)
