"""The three translation models of lessons 1 and 2.

| system                | encoder               | what the decoder gets                        |
| `RNNEncoderDecoder`   | GRU                   | one summary vector, read at every step       |
| `SequenceToSequence`  | deep LSTM, source reversed | the encoder's last states as its first  |
| `RNNsearch`           | bidirectional GRU     | a new weighted average at every step         |

All three train with `loss(batch)` and decode with `start` and `step` (see `mechanisms.search`).
"""

from functools import partial

import torch
from torch import Tensor, nn

from course_utils.mechanisms.attention import AdditiveAttention, AttentionMemory, DotProductAttention
from course_utils.mechanisms.recurrent import GRUDecoder, GRUEncoder, LSTMEncoder, MaxoutReadout, reverse_real_tokens
from course_utils.models.word_model import EMBEDDING_STD, Reading, WordModel, check_choice

SCORES = {
    "additive": AdditiveAttention,
    "equal": AdditiveAttention,
    "dot": partial(DotProductAttention, scaled=False),
    "scaled-dot": partial(DotProductAttention, scaled=True),
}
"""How `RNNsearch` compares a state with an annotation; "equal" does not: an ablation."""


class TranslationModel(WordModel):
    """What the three systems share: two embeddings and a readout; `build` makes the rest.

    Args:
        source_vocabulary_size: number of source ids.
        target_vocabulary_size: number of target ids.
        embedding_size: size of a word embedding, and of the maxout layer of the readout.
        hidden_size: size of one recurrent state.
        dropout: probability of dropping an entry of an embedding, an annotation or the readout while training.
        options: of the system, see its `build`.
    """

    readout: nn.Module
    one_vector = True
    """The decoder gets one vector of the source, not one per word."""

    def __init__(
        self,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        embedding_size: int = 128,
        hidden_size: int = 256,
        dropout: float = 0.0,
        **options,
    ) -> None:
        super().__init__()
        self.source_embedding = nn.Embedding(source_vocabulary_size, embedding_size)
        self.target_embedding = nn.Embedding(target_vocabulary_size, embedding_size)
        for embedding in (self.source_embedding, self.target_embedding):
            nn.init.normal_(embedding.weight, std=EMBEDDING_STD)
        self.dropout = nn.Dropout(dropout)
        self.build(target_vocabulary_size, embedding_size, hidden_size, dropout, **options)

    def build(self, words: int, embedding_size: int, hidden_size: int, dropout: float) -> None:
        """Make encoder, decoder and readout; `words` is the size of the target vocabulary."""
        raise NotImplementedError

    def embed_source(self, source: Tensor) -> Tensor:
        """Look up source words: `(batch, source_length)` to `(batch, source_length, embedding_size)`."""
        return self.embed(self.source_embedding, source, "source")

    def embed_target(self, target: Tensor) -> Tensor:
        """Look up target words: `(batch, …)` to `(batch, …, embedding_size)`."""
        return self.embed(self.target_embedding, target, "target")

    def scores(self, features: Tensor) -> Tensor:
        """Map features `(…, feature_size)` to logits `(…, target_vocabulary_size)`."""
        return self.readout(features)


class RNNEncoderDecoder(TranslationModel):
    """A GRU encoder, one summary vector, a GRU decoder that reads it at every step.

    c = tanh(V h_T),  s_0 = tanh(V' c),  s_i = GRU(s_{i-1}, [y_{i-1}; c]),  y_i from (s_i, y_{i-1}, c)

    Source: Cho et al. 2014, arXiv 1406.1078, section 2.2 and appendix A.
    """

    def build(self, words: int, embedding_size: int, hidden_size: int, dropout: float) -> None:
        """Make encoder, decoder and readout."""
        self.encoder = GRUEncoder(embedding_size, hidden_size)
        self.summary = nn.Linear(hidden_size, hidden_size)
        self.initial = nn.Linear(hidden_size, hidden_size)
        self.decoder = GRUDecoder(embedding_size, hidden_size, hidden_size)
        self.readout = MaxoutReadout(2 * hidden_size + embedding_size, embedding_size, words, dropout)

    def start(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Squeeze each source sentence into one vector.

        Returns:
            The summary c `(batch, hidden_size)`, which is all the decoder gets, and s_0 of the same shape.
        """
        encoded = self.encoder(self.embed_source(source), source_mask)
        summary = torch.tanh(self.summary(encoded.forward_last))
        return summary, torch.tanh(self.initial(summary))

    def read(self, target_input: Tensor, state: Tensor, memory) -> Reading:
        """Read along known words; see `WordModel.read`."""
        embedded = self.embed_target(target_input)
        outputs = self.decoder(embedded, state, memory)
        return Reading(torch.cat([outputs.states, embedded, outputs.contexts], dim=-1), outputs.attention_weights)

    def step_features(self, previous_words: Tensor, state: Tensor, memory) -> tuple[Reading, Tensor]:
        """Read one word; see `WordModel.step_features`."""
        embedded = self.embed_target(previous_words)
        state, context, weights = self.decoder.step(embedded, state, memory)
        features = torch.cat([state, embedded, context], dim=-1).unsqueeze(1)
        return Reading(features, None if weights is None else weights.unsqueeze(1)), state


class RNNsearch(RNNEncoderDecoder):
    """The same decoder with additive attention over a bidirectional GRU's outputs.

    h_j = [forward_j; backward_j],  s_0 = tanh(W_s · backward_1),  c_i = Σ_j a_ij h_j in place of c

    Source: Bahdanau et al. 2015, arXiv 1409.0473, section 3 and appendix A.
    """

    def build(
        self,
        words: int,
        embedding_size: int,
        hidden_size: int,
        dropout: float,
        attention_size: int | None = None,
        score: str = "additive",
        one_vector: bool = False,
    ) -> None:
        """Make the parts, and the variants that lesson 2 compares.

        Args:
            words, embedding_size, hidden_size, dropout: see `TranslationModel`.
            attention_size: of the layer that compares; `hidden_size` if None.
            score: a key of `SCORES`.
            one_vector: attend to one vector, the last states of both encoders, in place of the annotations: the
                baseline without attention, which differs in nothing else.
        """
        check_choice(score, SCORES, "score")
        self.one_vector = one_vector
        self.encoder = GRUEncoder(embedding_size, hidden_size, bidirectional=True)
        size = self.encoder.output_size  # of an annotation
        self.initial = nn.Linear(hidden_size, hidden_size)
        attention = SCORES[score](hidden_size, size, attention_size or hidden_size)
        if score == "equal":  # v = 0 for good: all weights are equal
            nn.init.zeros_(attention.score.weight).requires_grad_(False)
        self.decoder = GRUDecoder(embedding_size, hidden_size, size, attention)
        self.readout = MaxoutReadout(hidden_size + embedding_size + size, embedding_size, words, dropout)

    def start(self, source: Tensor, source_mask: Tensor) -> tuple[AttentionMemory, Tensor]:
        """Encode one annotation per source word: the attention's memory, and s_0 `(batch, hidden_size)`."""
        encoded = self.encoder(self.embed_source(source), source_mask)
        annotations = encoded.outputs
        if self.one_vector:
            annotations = torch.cat([encoded.forward_last, encoded.backward_first], dim=-1).unsqueeze(1)
            source_mask = source_mask[:, :1]
        memory = self.decoder.attention.prepare(self.dropout(annotations), source_mask)
        return memory, torch.tanh(self.initial(encoded.backward_first))


class SequenceToSequence(TranslationModel):
    """A deep LSTM reads the reversed source; its last states start a deep LSTM decoder.

    Nothing of the source is read after the first step: all of it must survive in the states.

    Source: Sutskever et al. 2014, arXiv 1409.3215 (four layers there).
    """

    def build(
        self,
        words: int,
        embedding_size: int,
        hidden_size: int,
        dropout: float,
        layers: int = 2,
        reverse_source: bool = True,
    ) -> None:
        """Make `layers` stacked LSTMs each; `reverse_source` = read the source from its last word to its first."""
        self.reverse_source = reverse_source
        self.encoder = LSTMEncoder(embedding_size, hidden_size, layers, dropout)
        between = dropout if layers > 1 else 0.0
        self.decoder = nn.LSTM(embedding_size, hidden_size, layers, batch_first=True, dropout=between)
        self.readout = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden_size, words))

    def start(self, source: Tensor, source_mask: Tensor) -> tuple[None, tuple[Tensor, Tensor]]:
        """Read the source: no memory, and the state, hidden and cell, each `(batch, layers, hidden_size)`."""
        if self.reverse_source:
            source = reverse_real_tokens(source, source_mask)
        return None, self.encoder(self.embed_source(source), source_mask)

    def read_on(self, words: Tensor, state, memory: None) -> tuple[Reading, tuple[Tensor, Tensor]]:
        """Read known words; see `WordModel.read_on`."""
        # nn.LSTM wants (layers, batch, hidden); the states of the course are batch first.
        first = tuple(part.transpose(0, 1).contiguous() for part in state)
        outputs, (hidden, cell) = self.decoder(self.embed_target(words), first)
        return Reading(outputs), (hidden.transpose(0, 1), cell.transpose(0, 1))


SYSTEMS = {
    "rnn-encoder-decoder": RNNEncoderDecoder,
    "sequence-to-sequence": SequenceToSequence,
    "rnn-search": RNNsearch,
}


def build_translation_model(system: str, **sizes) -> TranslationModel:
    """Make one of the three systems by name; raises a ValueError if the name is unknown."""
    check_choice(system, SYSTEMS)
    return SYSTEMS[system](**sizes)
