"""Does the premise entail the hypothesis? A ladder of models, each rung with one thing more than the one below.

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
"""Name → from which hypothesis words it looks at the premise (None = two readers that share nothing), and two-way."""


class EntailmentTrace(NamedTuple):
    """What a model said about a batch of pairs.

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
    """An LSTM over right-padded sentences that keeps the output at every word and the state after the last real one.

    Args:
        input_size: size of an embedded word.
        hidden_size: of the state.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        with torch.no_grad():  # PyTorch's beginning would leave a word's mark on the state too faint to be looked for
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
    """Make a linear layer without bias whose outputs begin about two and a half times as spread as its inputs.

    PyTorch's own beginning is four times narrower. Three such layers and a young LSTM give scores that differ by a
    hundredth; a softmax over them looks everywhere alike, and no gradient then tells one premise word from another.
    """
    layer = nn.Linear(in_size, out_size, bias=False)
    nn.init.normal_(layer.weight, std=2.4 / in_size**0.5)
    return layer


class LastStateAttention(nn.Module):
    """Look at the premise once, from the last state of the hypothesis.

    M = tanh(W_y Y + W_h h_N ⊗ e),  α = softmax(w · M),  r = Σ_j α_j y_j,  h* = tanh(W_p r + W_x h_N)

    Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.3, equations 6 to 9.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.keys = wide_linear(hidden_size, hidden_size)  # W_y
        self.query = wide_linear(hidden_size, hidden_size)  # W_h
        self.score = wide_linear(hidden_size, 1)  # w
        self.from_context = wide_linear(hidden_size, hidden_size)  # W_p
        self.from_state = wide_linear(hidden_size, hidden_size)  # W_x

    def forward(
        self, premise: Tensor, premise_mask: Tensor, hypothesis: Tensor, hypothesis_mask: Tensor, last: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compare.

        Args:
            premise: `(batch, premise_length, hidden_size)`, the outputs Y.
            premise_mask: `(batch, premise_length)`, True = real word.
            hypothesis, hypothesis_mask: outputs and mask of the hypothesis; only `last` is used here.
            last: `(batch, hidden_size)`, h_N.

        Returns:
            h* `(batch, hidden_size)` and weights `(batch, 1, premise_length)`.
        """
        scores = self.score(torch.tanh(self.keys(premise) + self.query(last).unsqueeze(1))).squeeze(-1)
        weights = masked_softmax(scores, premise_mask)
        context = (weights.unsqueeze(1) @ premise).squeeze(1)
        return torch.tanh(self.from_context(context) + self.from_state(last)), weights.unsqueeze(1)


class WordByWordAttention(nn.Module):
    """Look at the premise from every hypothesis word, and carry along what has been found.

    M_t = tanh(W_y Y + (W_h h_t + W_r r_{t-1}) ⊗ e),  α_t = softmax(w · M_t)
    r_t = Σ_j α_tj y_j + tanh(W_t r_{t-1}),           h* = tanh(W_p r_N + W_x h_N)

    Because r_{t-1} is in the query and in the sum, the model can decide later words by what earlier ones matched.

    Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.4, equations 11 to 14.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.keys = wide_linear(hidden_size, hidden_size)  # W_y
        self.query = wide_linear(hidden_size, hidden_size)  # W_h
        self.query_from_found = nn.Linear(hidden_size, hidden_size, bias=False)  # W_r
        self.score = wide_linear(hidden_size, 1)  # w
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
            hypothesis_mask: `(batch, hypothesis_length)`, True = real word; at padding nothing is carried on.
            last: `(batch, hidden_size)`, h_N.

        Returns:
            h* `(batch, hidden_size)` and weights `(batch, hypothesis_length, premise_length)`.
        """
        keys, queries = self.keys(premise), self.query(hypothesis)  # once, outside the loop
        found, weights = torch.zeros_like(last), []
        for t in range(hypothesis.shape[1]):
            query = (queries[:, t] + self.query_from_found(found)).unsqueeze(1)
            alpha = masked_softmax(self.score(torch.tanh(keys + query)).squeeze(-1), premise_mask)
            fresh = (alpha.unsqueeze(1) @ premise).squeeze(1) + torch.tanh(self.carry(found))
            found = torch.where(hypothesis_mask[:, t : t + 1], fresh, found)
            weights.append(alpha)
        return torch.tanh(self.from_context(found) + self.from_state(last)), torch.stack(weights, dim=1)


COMPARISONS = {"last": LastStateAttention, "every": WordByWordAttention}


class EntailmentModel(nn.Module):
    """One rung of the ladder; all rungs have the same embeddings and the same sizes.

    Source: Rocktäschel et al. 2016, arXiv 1509.06664. Here the words' vectors are learned with the rest; the paper
    takes them from word2vec. A two-way model reads both directions with one set of weights, as in section 2.5.

    Args:
        system: a name in `SYSTEMS`.
        vocabulary_size: entries of the shared vocabulary.
        embedding_size: of a word's vector.
        hidden_size: of every LSTM and comparison.
        dropout: probability of dropping a number of a word's vector, and of what the answer is read from.

    Raises:
        ValueError: if there is no such system.
    """

    def __init__(
        self, system: str, vocabulary_size: int, embedding_size: int = 64, hidden_size: int = 64, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if system not in SYSTEMS:
            raise ValueError(f"system is {system!r}; expected one of {', '.join(SYSTEMS)}.")
        attends_from, self.two_way = SYSTEMS[system]
        self.system, self.conditional = system, attends_from is not None
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.dropout = nn.Dropout(dropout)
        self.premise_reader = Reader(embedding_size, hidden_size)
        self.hypothesis_reader = Reader(embedding_size, hidden_size)
        self.comparison = COMPARISONS[attends_from](hidden_size) if attends_from in COMPARISONS else None
        self.output = nn.Linear(hidden_size * (2 if self.two_way or not self.conditional else 1), CLASSES)

    def trace(self, batch) -> EntailmentTrace:
        """Judge a batch of `InferenceData`, and tell where the model looked."""
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
        """Cross-entropy of the label, nats per pair, and how many labels are right."""
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
