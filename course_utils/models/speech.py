"""A listener and a speller: bidirectional GRUs encode an utterance, a GRU with attention writes its phonemes.

| system     | scores                                    | normalised by      |
| `content`  | decoder state and encoder outputs         | softmax            |
| `location` | the same, and the previous weights        | softmax            |
| `smooth`   | as `location`                             | sigmoids           |

Source: Chorowski et al. 2015, arXiv 1506.07503, section 2.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.mechanisms.attention import AttentionMemory
from course_utils.mechanisms.location import LocationAwareAttention
from course_utils.mechanisms.recurrent import GRUEncoder
from course_utils.models.word_model import Reading, TargetLoss, WordModel, check_choice

SYSTEMS = {
    "content": {"filters": 0},
    "location": {"filters": 8},
    "smooth": {"filters": 8, "smooth": True},
}
"""What is different between the systems: options of `LocationAwareAttention`."""


class SpellerState(NamedTuple):
    """What the speller carries from step to step.

    Attributes:
        state: `(batch, hidden_size)`, s_{i-1}.
        context: `(batch, value_size)`, c_{i-1}.
        weights: `(batch, source_length)`, a_{i-1}.
    """

    state: Tensor
    context: Tensor
    weights: Tensor


class SpeechModel(WordModel):
    """Listen, then spell.

    h = bidirectional GRUs over the features, each layer over the one below
    s_i = GRU(s_{i-1}, [y_{i-1}; c_{i-1}]),  (c_i, a_i) = attention(s_i, h, a_{i-1}),  y_i from tanh(W [s_i; c_i])

    The paper numbers s one step earlier: it attends and writes with a state, and then updates it by what it wrote.
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
        dropout: probability of dropping an entry between the listener's layers and before the output.
        end_symbol: its id in the vocabulary.

    Attributes:
        attention: its `window` may be set for decoding, see `LocationAwareAttention`.
        end_within: while decoding, the end symbol is held back until the largest weight is at most this many steps
            from the utterance's end; None = never held back.

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
        check_choice(system, SYSTEMS)
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
        """Encode a batch of utterances.

        Args:
            features: `(batch, steps, feature_size)`, right-padded.
            feature_mask: `(batch, steps)` booleans, True = real step.

        Raises:
            ValueError: if a row is empty or its padding is not at the right end.
        """
        outputs = features
        for layer in self.listener:
            outputs = self.dropout(layer(outputs, feature_mask).outputs)
        return self.attention.prepare(outputs, feature_mask)

    def start(self, features: Tensor, feature_mask: Tensor) -> tuple[AttentionMemory, SpellerState]:
        """Encode the utterances: the attention's memory, and a first state of zeros; see `listen`."""
        memory = self.listen(features, feature_mask)
        batch, _, value_size = memory.values.shape
        state = memory.values.new_zeros(batch, self.recurrence.hidden_size)
        return memory, SpellerState(state, state.new_zeros(batch, value_size), self.attention.first_weights(memory))

    def read_on(self, words: Tensor, state: SpellerState, memory: AttentionMemory) -> tuple[Reading, SpellerState]:
        """Read known phonemes; see `WordModel.read_on`."""
        steps = []
        for word in self.embedding(words).unbind(dim=1):
            hidden = self.recurrence(torch.cat([word, state.context], dim=1), state.state)
            state = SpellerState(hidden, *self.attention(hidden, memory, state.weights))
            steps.append(state)
        states, contexts, weights = (torch.stack(part, dim=1) for part in zip(*steps, strict=True))
        return Reading(torch.cat([states, contexts], dim=2), weights), state

    def scores(self, features: Tensor) -> Tensor:
        """Map [s; c] `(…, 3 * hidden_size)` to logits `(…, vocabulary_size)`."""
        return self.output(self.dropout(torch.tanh(self.readout(features))))

    def log_probabilities(self, reading: Reading, memory: AttentionMemory) -> Tensor:
        """Log-probabilities in nats, the end symbol held back as `end_within` says."""
        logits = self.scores(reading.features)
        if self.end_within is not None:
            ends = memory.mask.sum(dim=1, keepdim=True) - 1 - reading.attention_weights.argmax(dim=2)
            logits = logits.clone()
            logits[..., self.end_symbol].masked_fill_(ends > self.end_within, float("-inf"))
        return torch.log_softmax(logits, dim=-1)

    def forward(self, batch) -> tuple[Tensor, Tensor]:
        """Spell a `SpeechBatch` along its gold phonemes; see `WordModel.forward`."""
        memory, state = self.start(batch.features, batch.feature_mask)
        reading = self.read(batch.target_input, state, memory)
        return self.log_probabilities(reading, memory), reading.attention_weights

    def loss(self, batch, label_smoothing: float = 0.0) -> TargetLoss:
        """Cross-entropy over real phonemes and end symbols, nats each."""
        memory, state = self.start(batch.features, batch.feature_mask)
        logits = self.scores(self.read(batch.target_input, state, memory).features)
        words = batch.target_output[batch.target_mask]
        mean = nn.functional.cross_entropy(logits[batch.target_mask], words, label_smoothing=label_smoothing)
        return TargetLoss(mean, len(words))
