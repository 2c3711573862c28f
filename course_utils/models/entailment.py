"""Does the premise entail the hypothesis? An ablation of models, each with one thing more than the one before.

| system           | the hypothesis is read…                  | and compares with the premise…                    |
| `independent`    | by itself                                | as one vector with one vector, at the very end    |
| `conditional`    | by an LSTM that starts where the premise ended | through that one start state                |
| `attention`      | likewise                                 | once, from its last word: additive attention      |
| `word-by-word`   | likewise                                 | at every word, and remembers what it has compared |
| `two-way-…`      | as above, in both directions             | and the premise likewise with the hypothesis      |

Source: Rocktäschel et al. 2016, arXiv 1509.06664, sections 2.2 to 2.5.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.mechanisms.attention import masked_softmax
from course_utils.mechanisms.recurrent import right_padded_lengths
from course_utils.models.word_model import check_choice

CLASSES = 3
"""Entailment, neutral, contradiction."""

SYSTEMS = {
    "independent": (None, False),
    "conditional": ("none", False),
    "attention": ("last", False),
    "word-by-word": ("every", False),
    "two-way-conditional": ("none", True),
    "two-way-attention": ("last", True),
    "two-way-word-by-word": ("every", True),
}
"""Name → which hypothesis words attend to the premise (None = two readers that share nothing), and two-way."""


class EntailmentTrace(NamedTuple):
    """What a model computed for a batch of pairs.

    Attributes:
        logits: `(batch, 3)`.
        attention_weights: from hypothesis words (rows) to premise words (columns), zero on padded columns and NaN in
            padded rows: `(batch, hypothesis_length, premise_length)` for `word-by-word`, `(batch, 1, premise_length)`
            for `attention`, None for the others. Of a two-way model, the direction that reads the hypothesis.
    """

    logits: Tensor
    attention_weights: Tensor | None


class EntailmentLoss(NamedTuple):
    """A loss over a batch of pairs.

    Attributes:
        mean: scalar, cross-entropy, nats per pair.
        accuracy: scalar, share of pairs with the right label.
    """

    mean: Tensor
    accuracy: Tensor


class Reader(nn.Module):
    """An LSTM over right-padded sentences: the output at every word, and the state after the last real one.

    Args:
        input_size: size of an embedded word.
        hidden_size: of the state.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        with torch.no_grad():  # with PyTorch's own weights a word changes the state too little to be found in it
            self.lstm.weight_ih_l0.mul_(2)

    def forward(self, embedded: Tensor, mask: Tensor, cell: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Read.

        Args:
            embedded: `(batch, length, input_size)`.
            mask: `(batch, length)` booleans, True = real word; padding stands at the right end.
            cell: `(batch, hidden_size)` cell state to start from; the output state starts at zero. None = zero.

        Returns:
            Outputs `(batch, length, hidden_size)`, zero on padding; the last real output and the last cell state,
            both `(batch, hidden_size)`.

        Raises:
            ValueError: if a row is empty or its padding is not at the right end.
        """
        lengths = right_padded_lengths(mask)
        packed = pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
        start = None if cell is None else (torch.zeros_like(cell).unsqueeze(0), cell.unsqueeze(0))
        outputs, (last, last_cell) = self.lstm(packed, start)
        outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=embedded.shape[1])
        return outputs, last[0], last_cell[0]


def wide_linear(in_size: int, out_size: int) -> nn.Linear:
    """Make a linear layer without bias whose outputs have about two and a half times the deviation of its inputs.

    PyTorch's own weights are four times smaller. Three such layers and a young LSTM give scores that differ by a
    hundredth; a softmax over them is uniform, and no gradient then distinguishes one premise word from another.
    """
    layer = nn.Linear(in_size, out_size, bias=False)
    nn.init.normal_(layer.weight, std=2.4 / in_size**0.5)
    return layer


class LastStateAttention(nn.Module):
    """Attends to the premise once, from the last state of the hypothesis.

    M = tanh(W_y Y + W_h h_N ⊗ e),  α = softmax(w · M),  r = Σ_j α_j y_j,  h* = tanh(W_p r + W_x h_N)

    Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.3, equations 6 to 9.
    """

    remembers = False

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.keys = wide_linear(hidden_size, hidden_size)  # W_y
        self.query = wide_linear(hidden_size, hidden_size)  # W_h
        if self.remembers:
            self.query_from_found = nn.Linear(hidden_size, hidden_size, bias=False)  # W_r
        self.score = wide_linear(hidden_size, 1)  # w
        if self.remembers:
            self.carry = nn.Linear(hidden_size, hidden_size, bias=False)  # W_t
        self.from_context = wide_linear(hidden_size, hidden_size)  # W_p
        self.from_state = wide_linear(hidden_size, hidden_size)  # W_x

    def forward(
        self, premise: Tensor, premise_mask: Tensor, hypothesis: Tensor, hypothesis_mask: Tensor, last: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compare.

        Args:
            premise: `(batch, premise_length, hidden_size)`, the outputs Y.
            premise_mask: `(batch, premise_length)`, True = real word.
            hypothesis: `(batch, hypothesis_length, hidden_size)`, the outputs h_1 … h_N.
            hypothesis_mask: `(batch, hypothesis_length)`, True = real word.
            last: `(batch, hidden_size)`, h_N; all that `LastStateAttention` uses of the hypothesis.

        Returns:
            h* `(batch, hidden_size)` and weights `(batch, 1 or hypothesis_length, premise_length)`.
        """
        context, weights = self._attend(self.keys(premise), self.query(last), premise, premise_mask)
        return torch.tanh(self.from_context(context) + self.from_state(last)), weights.unsqueeze(1)

    def _attend(self, keys: Tensor, query: Tensor, premise: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return r `(batch, hidden_size)` and α `(batch, premise_length)` of one query `(batch, hidden_size)`."""
        weights = masked_softmax(self.score(torch.tanh(keys + query.unsqueeze(1))).squeeze(-1), mask)
        return (weights.unsqueeze(1) @ premise).squeeze(1), weights


class WordByWordAttention(LastStateAttention):
    """Attends to the premise from every hypothesis word, and carries along what has been found.

    M_t = tanh(W_y Y + (W_h h_t + W_r r_{t-1}) ⊗ e),  α_t = softmax(w · M_t)
    r_t = Σ_j α_tj y_j + tanh(W_t r_{t-1}),           h* = tanh(W_p r_N + W_x h_N)

    Because r_{t-1} is in the query and in the sum, the model can decide later words by what earlier ones matched.

    Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.4, equations 11 to 14.
    """

    remembers = True

    def forward(
        self, premise: Tensor, premise_mask: Tensor, hypothesis: Tensor, hypothesis_mask: Tensor, last: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compare; see `LastStateAttention.forward`. At padding nothing is carried on."""
        keys, queries = self.keys(premise), self.query(hypothesis)  # once, outside the loop
        found, weights = torch.zeros_like(last), []
        for t in range(hypothesis.shape[1]):
            query = queries[:, t] + self.query_from_found(found)
            context, alpha = self._attend(keys, query, premise, premise_mask)
            found = torch.where(hypothesis_mask[:, t : t + 1], context + torch.tanh(self.carry(found)), found)
            weights.append(alpha)
        return torch.tanh(self.from_context(found) + self.from_state(last)), torch.stack(weights, dim=1)


COMPARISONS = {"last": LastStateAttention, "every": WordByWordAttention}


class EntailmentModel(nn.Module):
    """One step of the ablation; all systems have the same embeddings and the same sizes.

    Source: Rocktäschel et al. 2016, arXiv 1509.06664. Here the words' vectors are learned with the rest; the paper
    takes them from word2vec. A two-way model reads both directions with one set of weights, as in section 2.5.

    Args:
        system: a name in `SYSTEMS`.
        vocabulary_size: entries of the shared vocabulary.
        embedding_size: of a word's vector.
        hidden_size: of every LSTM and comparison.
        dropout: probability of dropping an entry of a word's vector, and of the output layer's input.

    Raises:
        ValueError: if there is no such system.
    """

    def __init__(
        self, system: str, vocabulary_size: int, embedding_size: int = 64, hidden_size: int = 64, dropout: float = 0.0
    ) -> None:
        super().__init__()
        check_choice(system, SYSTEMS)
        attends_from, self.two_way = SYSTEMS[system]
        self.system, self.conditional = system, attends_from is not None
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.dropout = nn.Dropout(dropout)
        self.premise_reader = Reader(embedding_size, hidden_size)
        self.hypothesis_reader = Reader(embedding_size, hidden_size)
        self.comparison = COMPARISONS[attends_from](hidden_size) if attends_from in COMPARISONS else None
        self.output = nn.Linear(hidden_size * (2 if self.two_way or not self.conditional else 1), CLASSES)

    def trace(self, batch) -> EntailmentTrace:
        """Classify a batch of `InferenceData`, and return the attention weights, too."""
        first = self.dropout(self.embedding(batch.premise)), batch.premise_mask
        second = self.dropout(self.embedding(batch.hypothesis)), batch.hypothesis_mask
        pair, weights = self._compare(*first, *second)
        if self.two_way:
            pair = torch.cat([pair, self._compare(*second, *first)[0]], dim=1)
        if weights is not None and weights.shape[1] > 1:
            weights = weights.masked_fill(~batch.hypothesis_mask.unsqueeze(2), float("nan"))
        return EntailmentTrace(self.output(self.dropout(pair)), weights)

    def forward(self, batch) -> Tensor:
        """Return logits `(batch, 3)`."""
        return self.trace(batch).logits

    def loss(self, batch, label_smoothing: float = 0.0) -> EntailmentLoss:
        """Cross-entropy of the label, and the accuracy."""
        logits = self(batch)
        mean = nn.functional.cross_entropy(logits, batch.label, label_smoothing=label_smoothing)
        return EntailmentLoss(mean, (logits.argmax(dim=1) == batch.label).to(logits).mean())

    def _compare(self, first: Tensor, first_mask: Tensor, second: Tensor, second_mask: Tensor):
        """Read the first sentence, then the second; return the vector of the pair, and the weights if there are any."""
        outputs, last_of_first, cell = self.premise_reader(first, first_mask)
        start = cell if self.conditional else None
        second_outputs, last, _ = self.hypothesis_reader(second, second_mask, start)
        if not self.conditional:
            return torch.cat([last_of_first, last], dim=1), None
        if self.comparison is None:
            return last, None
        return self.comparison(outputs, first_mask, second_outputs, second_mask, last)
