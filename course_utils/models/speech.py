"""A listener and a speller: a bidirectional GRU hears an utterance, a GRU with attention writes its phonemes.

| system     | scores                                    | normalised by      |
| `content`  | decoder state and what was heard          | softmax            |
| `location` | the same, and where the last look was     | softmax            |
| `smooth`   | as `location`                             | sigmoids (spreads) |

Source: Chorowski et al. 2015, arXiv 1506.07503, section 2.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.mechanisms.attention import AttentionMemory
from course_utils.mechanisms.location import LocationAwareAttention
from course_utils.mechanisms.recurrent import GRUEncoder

SYSTEMS = {
    "content": {"filters": 0},
    "location": {"filters": 8},
    "smooth": {"filters": 8, "smooth": True},
}
"""What is different between the systems: options of `LocationAwareAttention`."""


class SpeechLoss(NamedTuple):
    """A loss over a batch of utterances.

    Attributes:
        mean: scalar, cross-entropy, nats per phoneme (end symbol included, padding not).
        tokens: number of phonemes and end symbols that were counted.
    """

    mean: Tensor
    tokens: int


class SpellerState(NamedTuple):
    """What the speller carries from step to step.

    Attributes:
        state: `(batch, hidden_size)`, s_{i-1}.
        context: `(batch, value_size)`, what it heard at the last look.
        weights: `(batch, source_length)`, where that look was.
    """

    state: Tensor
    context: Tensor
    weights: Tensor


class SpeechModel(nn.Module):
    """Listen, then spell.

    h = bidirectional GRUs over the features, each layer over the one below
    s_i = GRU(s_{i-1}, [y_{i-1}; c_{i-1}]),  (c_i, a_i) = attention(s_i, h, a_{i-1}),  y_i from tanh(W [s_i; c_i])

    The paper numbers s one step earlier: it looks and writes with a state, and then updates it by what it wrote.
    That is the same chain.

    Args:
        system: a name in `SYSTEMS`.
        vocabulary_size: phonemes and special symbols.
        feature_size: of one input step.
        hidden_size: of every GRU, in each direction.
        embedding_size: of a phoneme's vector.
        attention_size: of the layer that compares.
        layers: of the listener.
        width: of the location filters, in input steps (odd).
        dropout: probability of dropping a number between listener's layers and before the output.
        end_symbol: its id in the vocabulary.

    Attributes:
        attention: its `window` may be set for decoding, see `LocationAwareAttention`.
        end_within: while decoding, the end symbol is held back until the look is at most this many steps from the
            utterance's end; None = never held back.

    Raises:
        ValueError: if there is no such system.
    """

    def __init__(
        self,
        system: str,
        vocabulary_size: int,
        feature_size: int = 160,
        hidden_size: int = 128,
        embedding_size: int = 32,
        attention_size: int = 64,
        layers: int = 2,
        width: int = 9,
        dropout: float = 0.0,
        end_symbol: int = 3,
    ) -> None:
        super().__init__()
        if system not in SYSTEMS:
            raise ValueError(f"system is {system!r}; expected one of {', '.join(SYSTEMS)}.")
        self.system, self.end_symbol, self.end_within = system, end_symbol, None
        sizes = [feature_size, *[2 * hidden_size] * (layers - 1)]
        self.listener = nn.ModuleList(GRUEncoder(size, hidden_size, bidirectional=True) for size in sizes)
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.attention = LocationAwareAttention(
            hidden_size, 2 * hidden_size, attention_size, width=width, **SYSTEMS[system]
        )
        self.recurrence = nn.GRUCell(embedding_size + 2 * hidden_size, hidden_size)
        self.readout = nn.Linear(3 * hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, vocabulary_size)
        self.dropout = nn.Dropout(dropout)

    def listen(self, features: Tensor, feature_mask: Tensor) -> AttentionMemory:
        """Hear a batch of utterances.

        Args:
            features: `(batch, steps, feature_size)`, right-padded.
            feature_mask: `(batch, steps)` booleans, True = real step.

        Raises:
            ValueError: if a row is empty or its padding is not at the right end.
        """
        heard = features
        for layer in self.listener:
            heard = self.dropout(layer(heard, feature_mask).outputs)
        return self.attention.prepare(heard, feature_mask)

    def forward(self, batch) -> tuple[Tensor, Tensor]:
        """Spell a `SpeechBatch` along its true phonemes.

        Returns:
            Logits `(batch, target_length, vocabulary_size)` and attention weights `(batch, target_length, steps)`.
        """
        memory = self.listen(batch.features, batch.feature_mask)
        spelled, looks = self._first(memory), []
        states, contexts = [], []
        for word in self.embedding(batch.target_input).unbind(dim=1):
            spelled = self._advance(word, spelled, memory)
            states.append(spelled.state)
            contexts.append(spelled.context)
            looks.append(spelled.weights)
        features = torch.cat([torch.stack(states, dim=1), torch.stack(contexts, dim=1)], dim=2)
        return self._read_out(features), torch.stack(looks, dim=1)

    def loss(self, batch, label_smoothing: float = 0.0) -> SpeechLoss:
        """Cross-entropy over real phonemes and end symbols."""
        logits, _ = self(batch)
        mean = nn.functional.cross_entropy(
            logits[batch.target_mask], batch.target_output[batch.target_mask], label_smoothing=label_smoothing
        )
        return SpeechLoss(mean, int(batch.target_mask.sum()))

    def start(self, features: Tensor, feature_mask: Tensor) -> tuple[AttentionMemory, SpellerState]:
        """Hear the utterances and get ready to spell; see `mechanisms.search`."""
        memory = self.listen(features, feature_mask)
        return memory, self._first(memory)

    def step(
        self, previous_words: Tensor, state: SpellerState, memory: AttentionMemory
    ) -> tuple[Tensor, SpellerState, Tensor]:
        """Write one phoneme; see `mechanisms.search`.

        Args:
            previous_words: `(batch,)` ids of y_{i-1}.
            state: after y_{i-2}.
            memory: what `start` returned.

        Returns:
            Log probabilities `(batch, vocabulary_size)`, the new state, and its weights `(batch, steps)`.
        """
        state = self._advance(self.embedding(previous_words), state, memory)
        logits = self._read_out(torch.cat([state.state, state.context], dim=1))
        if self.end_within is not None:
            ends = memory.mask.sum(dim=1) - 1 - state.weights.argmax(dim=1)  # steps between the look and the end
            logits = logits.clone()
            logits[ends > self.end_within, self.end_symbol] = float("-inf")
        return torch.log_softmax(logits, dim=1), state, state.weights

    def _first(self, memory: AttentionMemory) -> SpellerState:
        blank = memory.values.new_zeros
        batch = len(memory.values)
        state, context = blank(batch, self.recurrence.hidden_size), blank(batch, memory.values.shape[2])
        return SpellerState(state, context, self.attention.first_weights(memory))

    def _advance(self, word: Tensor, before: SpellerState, memory: AttentionMemory) -> SpellerState:
        state = self.recurrence(torch.cat([word, before.context], dim=1), before.state)
        return SpellerState(state, *self.attention(state, memory, before.weights))

    def _read_out(self, features: Tensor) -> Tensor:
        return self.output(self.dropout(torch.tanh(self.readout(features))))
