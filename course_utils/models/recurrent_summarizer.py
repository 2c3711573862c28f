"""The recurrent successor of ABS (RAS): a convolution over words and positions, that a recurrent decoder attends to.

Source: Chopra, Auli and Rush 2016, "Abstractive Sentence Summarization with Attentive Recurrent Neural Networks",
NAACL, section 3. `CopyingSummarizer` adds an option that came later.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.mechanisms.attention import AdditiveAttention, AttentionMemory, check_mask, masked_softmax
from course_utils.models.abs_encoders import check_reach
from course_utils.models.summarizer import Summarizer, check_source
from course_utils.models.summary_cells import ElmanCell, LSTMCell, State
from course_utils.models.word_model import (
    ROWS_AT_ONCE,
    Reading,
    TargetLoss,
    check_choice,
    check_sizes,
    word_embedding,
)

CELLS = {"elman": ElmanCell, "lstm": LSTMCell}
LEAST = 1e-30
"""Stands for a copying probability of zero where its logarithm is needed."""


class DotAttention(nn.Module):
    """Score by dot product: e_tj = z_j · h_{t-1}. It has no weights, so h and z must have the same size."""

    def prepare(self, encoder_outputs: Tensor, source_mask: Tensor) -> AttentionMemory:
        """Take z `(batch, source_length, hidden_size)` as keys and values; `source_mask` True = real token."""
        check_mask(source_mask, encoder_outputs)
        return AttentionMemory(encoder_outputs, encoder_outputs, source_mask)

    def forward(self, query: Tensor, memory: AttentionMemory) -> tuple[Tensor, Tensor]:
        """Attend once, from h `(batch, hidden_size)`; see `AdditiveAttention.forward`."""
        weights = masked_softmax(torch.bmm(memory.keys, query.unsqueeze(2)).squeeze(2), memory.mask)
        return torch.bmm(weights.unsqueeze(1), memory.values).squeeze(1), weights


class SummaryMemory(NamedTuple):
    """What the decoder may attend to.

    Attributes:
        attention: keys and mask, and the word vectors x as values.
        source: `(batch, source_length)` ids, for copying.
    """

    attention: AttentionMemory
    source: Tensor


class RecurrentSummarizer(Summarizer):
    """A recurrent decoder scores every source word in its surroundings, and reads the words themselves.

    a_j = x_j + l_j,  z_j = Σ_{k=-Q}^{Q} B_k a_{j+k},  c_t = Σ_j α_tj x_j with α_t from h_{t-1} and z,
    h_t = cell(y_{t-1}, h_{t-1}, c_t),  p(y_t) = softmax(W_4 h_t + W_5 c_t)

    The paper does not say what h_0 is; here it is a projection of the mean z_j, so that the first weights depend on the
    source. Vectors of positions begin at zero: a position that no training text reached says nothing, and those after
    `positions` share the last vector. Beyond its ends a text is zero.

    Args:
        vocabulary_size: number of word ids.
        cell: "elman" or "lstm".
        attention: "dot" (the paper's) or "additive".
        embedding_size: of words x, y and positions l.
        hidden_size: of h, and of z.
        attention_size: of the layer that compares, for "additive"; `hidden_size` if None.
        reach: Q, words to each side that the convolution covers.
        positions: that have vectors of their own.
        dropout: see `Summarizer`.

    Raises:
        ValueError: if there is no such cell or attention, or a size is below 1.
    """

    def __init__(
        self,
        vocabulary_size: int,
        cell: str = "lstm",
        attention: str = "additive",
        embedding_size: int = 128,
        hidden_size: int = 128,
        attention_size: int | None = None,
        reach: int = 2,
        positions: int = 200,
        dropout: float = 0.0,
    ) -> None:
        check_choice(cell, CELLS, "cell")
        check_choice(attention, ("dot", "additive"), "attention")
        check_sizes(embedding_size=embedding_size, hidden_size=hidden_size, positions=positions)
        check_reach(reach)
        super().__init__(vocabulary_size, hidden_size + embedding_size, dropout)  # output is [W_4, W_5] side by side
        self.source_embedding = word_embedding(vocabulary_size, embedding_size)  # x
        self.target_embedding = word_embedding(vocabulary_size, embedding_size)  # y
        self.position_embedding = nn.Embedding(positions, embedding_size)  # l
        nn.init.zeros_(self.position_embedding.weight)
        self.convolution = nn.Conv1d(embedding_size, hidden_size, 2 * reach + 1, padding=reach)  # B
        nn.init.kaiming_uniform_(self.convolution.weight, nonlinearity="tanh")  # as in AdditiveAttention
        additive = (hidden_size, hidden_size, attention_size or hidden_size)
        self.attention = DotAttention() if attention == "dot" else AdditiveAttention(*additive)
        self.initial = nn.Linear(hidden_size, hidden_size)
        self.cell = CELLS[cell](embedding_size, hidden_size, embedding_size)

    def start(self, source: Tensor, source_mask: Tensor) -> tuple[SummaryMemory, State]:
        """Read the source; see `WordModel.start`."""
        check_source(source, source_mask)
        real = source_mask.unsqueeze(-1)
        words = self.embed(self.source_embedding, source, "source")
        places = torch.arange(source.shape[1], device=source.device)
        full = words + self.position_embedding(places.clamp(max=self.position_embedding.num_embeddings - 1))
        surroundings = self.convolution(full.masked_fill(~real, 0.0).transpose(1, 2)).transpose(1, 2)
        mean = surroundings.masked_fill(~real, 0.0).sum(dim=1) / real.sum(dim=1)
        attended = self.attention.prepare(surroundings, source_mask)._replace(values=words)
        return SummaryMemory(attended, source), self.cell.first_state(self.initial(mean))

    def read_on(self, words: Tensor, state: State, memory: SummaryMemory) -> tuple[Reading, State]:
        """Read known words; see `WordModel.read_on`."""
        embedded = self.embed(self.target_embedding, words, "target")
        hidden, contexts, all_weights = [], [], []
        for word_gates in self.cell.word(embedded).unbind(dim=1):
            context, weights = self.attention(state[0], memory.attention)
            state = self.cell(word_gates, context, state)
            hidden.append(state[0])
            contexts.append(context)
            all_weights.append(weights)
        features = torch.cat([torch.stack(hidden, dim=1), torch.stack(contexts, dim=1)], dim=-1)
        return self._reading(features, embedded, torch.stack(all_weights, dim=1)), state

    def _reading(self, features: Tensor, embedded: Tensor, weights: Tensor) -> Reading:
        return Reading(features, weights)


class CopyingSummarizer(RecurrentSummarizer):
    """RAS that may copy: a gate decides between a word of the vocabulary and the source word that is attended to.

    g_t = σ(w · [h_t; c_t; y_{t-1}] + b),  p(y_t = v) = g_t p_vocabulary(v) + (1 − g_t) Σ_{j: x_j = v} α_tj

    This is no part of either paper. It is the pointer-generator of later work, without its coverage and its extended
    vocabulary. Source words that the vocabulary lacks share the id of the unknown word, and what is copied from them is
    the unknown word's; `fill_unknown_words` then puts the word itself in.

    Source: See, Liu and Manning 2017, arXiv 1704.04368, equations 8 and 9; the idea: Vinyals et al. 2015, arXiv
    1506.03134 (pointer networks), and Gu et al. 2016, arXiv 1603.06393 (copying).

    Args: as `RecurrentSummarizer`.
    """

    def __init__(self, vocabulary_size: int, **options) -> None:
        super().__init__(vocabulary_size, **options)
        embedding_size = self.target_embedding.embedding_dim
        self.gate = nn.Linear(self.output.in_features + embedding_size, 1)

    def _reading(self, features: Tensor, embedded: Tensor, weights: Tensor) -> Reading:
        return Reading(features, weights, self.gate(torch.cat([features, embedded], dim=-1)))

    def log_probabilities(self, reading: Reading, memory: SummaryMemory) -> Tensor:
        """Mix generating and copying; see `WordModel.log_probabilities`."""
        generated = super().log_probabilities(reading, memory)
        ids = memory.source.unsqueeze(1).expand_as(reading.attention_weights)
        # A word has the weights of all its places together; padding has a weight of zero.
        copied = torch.zeros_like(generated).scatter_add(-1, ids, reading.attention_weights)
        return _mix(generated, copied, reading.gate)

    def loss(self, batch, label_smoothing: float = 0.0) -> TargetLoss:
        """As `WordModel.loss`, of the mixed probabilities.

        Without smoothing only the gold words are mixed, not the whole vocabulary.
        """
        memory, state = self.start(batch.source, batch.source_mask)
        reading, mask = self.read(batch.target_input, state, memory), batch.target_mask
        words = batch.target_output[mask]
        if label_smoothing:
            log_probabilities = self.log_probabilities(reading, memory)[mask]
            mean = nn.functional.cross_entropy(log_probabilities, words, label_smoothing=label_smoothing)
            return TargetLoss(mean, len(words))
        generated = -torch.cat(
            [
                nn.functional.cross_entropy(self.output(self.dropout(part)), known, reduction="none")
                for part, known in zip(
                    reading.features[mask].split(ROWS_AT_ONCE), words.split(ROWS_AT_ONCE), strict=True
                )
            ]
        )
        said = memory.source.unsqueeze(1) == batch.target_output.unsqueeze(2)  # (batch, target_length, source_length)
        copied = (reading.attention_weights * said).sum(dim=2)[mask]
        return TargetLoss(-_mix(generated, copied, reading.gate.squeeze(2)[mask]).mean(), len(words))


def _mix(generated: Tensor, copied: Tensor, gate: Tensor) -> Tensor:
    """log(g p + (1 − g) q), of log p, q and the log-odds of g.

    A copying probability of zero gets a finite logarithm: minus infinity would spoil the gradients of the others.
    """
    log_copied = copied.clamp_min(LEAST).log()
    return torch.logaddexp(nn.functional.logsigmoid(gate) + generated, nn.functional.logsigmoid(-gate) + log_copied)
