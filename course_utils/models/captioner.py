"""What all captioning models share, and those that learn by their gradient alone: two vectors and soft attention."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.mechanisms.attention import AdditiveAttention, AttentionMemory
from course_utils.models.caption_decoder import AttentionDecoder, Choice, DecoderTrace, State
from course_utils.models.image_cells import CellEncoder
from course_utils.models.translation import EMBEDDING_STD, checked_lookup


class CaptionLoss(NamedTuple):
    """A loss over the real words of a batch.

    Attributes:
        mean: scalar to minimise.
        tokens: number of real target tokens (the end symbol counts).
        cross_entropy: scalar, nats per real target token.
        penalty: scalar, Σ_i (1 − Σ_t a_ti)² of a picture, averaged over pictures; None without attention.
        entropy: scalar, nats, of the attention weights of a step; None unless cells are drawn.
        policy: scalar, its gradient is the REINFORCE estimate; the value itself means nothing. None like `entropy`.
    """

    mean: Tensor
    tokens: int
    cross_entropy: Tensor
    penalty: Tensor | None = None
    entropy: Tensor | None = None
    policy: Tensor | None = None


class Captioner(nn.Module):
    """What all systems share: cells, embeddings, first state, deep output, loss.

    h_0 = tanh(W_h ā),  c_0 = tanh(W_c ā),  ā the mean of the cells
    p(y_t) = softmax(L_o (E y_{t-1} + L_h h_t + L_z ẑ_t))

    Source: Xu et al. 2015, arXiv 1502.03044, sections 3.1.1 and 3.1.2, equation 7. The authors' program has a tanh
    around the sum; without it, as in the paper, words for objects are learned in a fraction of the steps.

    Args:
        vocabulary_size: number of word ids.
        height, width: of the pictures, pixels.
        widths, patch: see `CellEncoder`.
        embedding_size: of a word.
        hidden_size: of h and c.
        dropout: probability of dropping an entry of a cell or of the output's input while training.
    """

    def __init__(
        self,
        vocabulary_size: int,
        height: int = 64,
        width: int = 64,
        widths: Sequence[int] = (64, 128, 128),
        patch: int = 4,
        embedding_size: int = 96,
        hidden_size: int = 192,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = CellEncoder(height, width, widths, patch)
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        nn.init.normal_(self.embedding.weight, std=EMBEDDING_STD)
        self.initial = nn.Linear(self.encoder.output_size, 2 * hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.decoder = self.build_decoder(embedding_size, hidden_size)
        self.from_state = nn.Linear(hidden_size, embedding_size)
        self.from_context = nn.Linear(self.encoder.output_size, embedding_size, bias=False)
        nn.init.kaiming_uniform_(self.from_context.weight, nonlinearity="tanh")
        self.output = nn.Linear(embedding_size, vocabulary_size)

    def build_decoder(self, embedding_size: int, hidden_size: int) -> AttentionDecoder:
        """Make the decoder; a system with more layers makes them here too."""
        return AttentionDecoder(embedding_size, hidden_size, self.encoder.output_size)

    def remember(self, cells: Tensor):
        """Turn the cells `(batch, cells, size)` into what the decoder reads at every step."""
        raise NotImplementedError

    def start(self, source: Tensor, source_mask: Tensor | None = None) -> tuple[object, State]:
        """Encode pictures: memory and first state, batch first.

        Args:
            source: `(batch, 3, height, width)` uint8, or flattened to two dimensions as searches want it.
            source_mask: not looked at: a picture has no padding.
        """
        cells = self.dropout(self.encoder(source))
        hidden, cell = torch.tanh(self.initial(cells.mean(dim=1))).chunk(2, dim=-1)
        return self.remember(cells), (hidden, cell)

    def look(self, images: Tensor, target_input: Tensor, choose: Choice | None = None) -> tuple[Tensor, DecoderTrace]:
        """Run along known words without the output layer.

        Args:
            pictures: see `start`.
            target_input: `(batch, target_length)` ids, begin symbol first.
            choose: see `LookingDecoder.forward`.

        Returns:
            What the output layer reads, `(batch, target_length, embedding_size)`, and the looks.
        """
        memory, state = self.start(images)
        embedded = checked_lookup(self.embedding, target_input, "target_input")
        looks = self.decoder(embedded, state, memory, choose)
        return self._features(embedded, looks), looks

    def forward(self, batch) -> tuple[Tensor, DecoderTrace]:
        """Score a batch of captioned images with the true previous words as input.

        Returns:
            Logits `(batch, target_length, vocabulary_size)` and the looks.
        """
        features, looks = self.look(batch.images, batch.target_input, self.chooser())
        return self.output(features), looks

    def chooser(self) -> Choice | None:
        """How cells are chosen when captions are written; None = no choice."""
        return None

    def step(self, previous_words: Tensor, state: State, memory) -> tuple[Tensor, State, Tensor | None]:
        """Take one decoding step.

        Args:
            previous_words: `(batch,)` ids.
            state, memory: from `start` or the last `step`.

        Returns:
            Log-probabilities `(batch, vocabulary_size)` in nats, the new state, attention weights `(batch, cells)` or
            None.
        """
        embedded = checked_lookup(self.embedding, previous_words, "previous_words")
        state, looks = self.decoder.step(embedded, state, memory, self.chooser())
        log_probabilities = torch.log_softmax(self.output(self._features(embedded.unsqueeze(1), looks)), dim=-1)
        weights = looks.attention_weights
        return log_probabilities[:, 0], state, None if weights is None else weights[:, 0]

    def loss(self, batch) -> CaptionLoss:
        """Cross-entropy of the true next words, over real words only."""
        features, _ = self.look(batch.images, batch.target_input)
        cross_entropy = -self.log_probabilities(features, batch).mean()
        return CaptionLoss(cross_entropy, int(batch.target_mask.sum()), cross_entropy)

    def log_probabilities(self, features: Tensor, batch) -> Tensor:
        """Log-probabilities of the true next words in nats, `(real tokens,)`, caption after caption."""
        logits, words = self.output(features[batch.target_mask]), batch.target_output[batch.target_mask]
        return -nn.functional.cross_entropy(logits, words, reduction="none")

    def _features(self, embedded: Tensor, looks: DecoderTrace) -> Tensor:
        """L_o's input for words `(batch, target_length, embedding_size)`."""
        return self.dropout(embedded + self.from_state(looks.states) + self.from_context(looks.contexts))


class MeanCaptioner(Captioner):
    """No attention: every step reads the mean of the cells."""

    def remember(self, cells: Tensor) -> Tensor:
        """The mean, `(batch, size)`."""
        return cells.mean(dim=1)


class FlatCaptioner(Captioner):
    """No attention: every step reads one vector in which each cell has its own weights, z = norm(W [a_1; …; a_L]).

    The norm is that of layers (it keeps z's numbers small while W, with thousands of inputs, learns fast).
    """

    def build_decoder(self, embedding_size: int, hidden_size: int) -> AttentionDecoder:
        """Make the layer over all cells, and the decoder."""
        size = self.encoder.output_size
        self.squeeze = nn.Linear(self.encoder.cells * size, size)
        self.scale = nn.LayerNorm(size)
        return super().build_decoder(embedding_size, hidden_size)

    def remember(self, cells: Tensor) -> Tensor:
        """The vector z, `(batch, size)`."""
        return self.scale(self.squeeze(cells.flatten(1)))


class SoftCaptioner(Captioner):
    """Soft attention: every step reads a weighted average of the cells, times a gate.

    loss = (Σ −log p(y_t) + λ Σ_i (1 − Σ_t α_ti)²) / real words, sums over the captions of a batch

    The second term is the doubly stochastic penalty: each cell should be looked at about as much as any other.

    Source: Xu et al. 2015, arXiv 1502.03044, section 4.2 and equation 14.

    Args:
        attention_size: size of the layer that compares h with a cell.
        penalty_weight: λ.
        (the others: see `Captioner`)
    """

    def __init__(self, *arguments, attention_size: int = 64, penalty_weight: float = 0.0, **options) -> None:
        self._attention_size = attention_size
        super().__init__(*arguments, **options)
        self.penalty_weight = penalty_weight

    def start_from(self, soft: "SoftCaptioner") -> "SoftCaptioner":
        """Take over the weights of a trained soft model; returns itself.

        Raises:
            RuntimeError: if the sizes differ.
        """
        own = {name: tensor for name, tensor in self.state_dict().items() if name not in soft.state_dict()}
        self.load_state_dict({**own, **soft.state_dict()})
        return self

    def build_decoder(self, embedding_size: int, hidden_size: int) -> AttentionDecoder:
        """Make the attention and the decoder."""
        size = self.encoder.output_size
        attention = AdditiveAttention(hidden_size, size, self._attention_size)
        return AttentionDecoder(embedding_size, hidden_size, size, attention)

    def remember(self, cells: Tensor) -> AttentionMemory:
        """The cells and, projected once, their keys; all of them are real."""
        return self.decoder.attention.prepare(cells, torch.ones(cells.shape[:2], dtype=torch.bool, device=cells.device))

    def loss(self, batch) -> CaptionLoss:
        """Cross-entropy over real words, and the penalty."""
        features, looks = self.look(batch.images, batch.target_input)
        log_probabilities = self.log_probabilities(features, batch)
        penalty = coverage_penalty(looks.attention_weights, batch.target_mask)
        cross_entropy, tokens = -log_probabilities.mean(), len(log_probabilities)
        mean = cross_entropy
        if self.penalty_weight:
            mean = mean + self.penalty_weight * penalty.sum() / tokens
        return CaptionLoss(mean, tokens, cross_entropy.detach(), penalty.detach().mean())


def coverage_penalty(attention_weights: Tensor, target_mask: Tensor) -> Tensor:
    """How unevenly the cells were looked at: Σ_i (1 − Σ_t α_ti)², t over real words only.

    Source: Xu et al. 2015, arXiv 1502.03044, equation 14.

    Args:
        attention_weights: `(batch, target_length, cells)`.
        target_mask: `(batch, target_length)` booleans, True = real token.

    Returns:
        `(batch,)`, at least (cells − words)² / cells.

    Raises:
        ValueError: if the shapes differ.
    """
    if attention_weights.shape[:2] != target_mask.shape:
        raise ValueError(
            f"attention_weights has shape {tuple(attention_weights.shape)} and target_mask {tuple(target_mask.shape)}; "
            "expected the same batch and target_length."
        )
    looked = (attention_weights * target_mask.unsqueeze(-1)).sum(dim=1)  # (batch, cells)
    return (1 - looked).square().sum(dim=1)
