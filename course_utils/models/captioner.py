"""What the models that describe an image share, and the two without attention: the mean of the cells, and one layer."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.models.caption_decoder import AttentionDecoder, Choice, DecoderTrace, State
from course_utils.models.image_cells import CellEncoder
from course_utils.models.word_model import checked_lookup, word_embedding


class CaptionLoss(NamedTuple):
    """A loss over the real words of a batch.

    Attributes:
        mean: scalar to minimise.
        tokens: number of real target tokens (the end symbol counts).
        cross_entropy: scalar, nats per real target token.
        penalty: scalar, Σ_i (1 − Σ_t a_ti)² of an image, averaged over images; None without attention.
        entropy: scalar, nats, of the attention weights of a step; None unless cells are sampled.
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
        height, width: of the images, pixels.
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
        self.embedding = word_embedding(vocabulary_size, embedding_size)
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
        """Encode images: memory and first state, batch first.

        Args:
            source: `(batch, 3, height, width)` uint8, or flattened to two dimensions as searches want it.
            source_mask: ignored: an image has no padding.
        """
        cells = self.dropout(self.encoder(source))
        hidden, cell = torch.tanh(self.initial(cells.mean(dim=1))).chunk(2, dim=-1)
        return self.remember(cells), (hidden, cell)

    def trace(self, images: Tensor, target_input: Tensor, choose: Choice | None = None) -> tuple[Tensor, DecoderTrace]:
        """Run along known words without the output layer.

        Args:
            images: see `start`.
            target_input: `(batch, target_length)` ids, begin symbol first.
            choose: see `AttentionDecoder.forward`.

        Returns:
            What the output layer reads, `(batch, target_length, embedding_size)`, and what the decoder computed.
        """
        memory, state = self.start(images)
        embedded = checked_lookup(self.embedding, target_input, "target_input")
        trace = self.decoder(embedded, state, memory, choose)
        return self._features(embedded, trace), trace

    def forward(self, batch) -> tuple[Tensor, DecoderTrace]:
        """Score a batch of captioned images with the gold previous words as input.

        Returns:
            Logits `(batch, target_length, vocabulary_size)` and the trace of the decoder.
        """
        features, trace = self.trace(batch.images, batch.target_input, self.chooser())
        return self.output(features), trace

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
        state, trace = self.decoder.step(embedded, state, memory, self.chooser())
        log_probabilities = torch.log_softmax(self.output(self._features(embedded.unsqueeze(1), trace)), dim=-1)
        weights = trace.attention_weights
        return log_probabilities[:, 0], state, None if weights is None else weights[:, 0]

    def loss(self, batch) -> CaptionLoss:
        """Cross-entropy of the gold next words, over real words only."""
        features, _ = self.trace(batch.images, batch.target_input)
        cross_entropy = -self.log_probabilities(features, batch).mean()
        return CaptionLoss(cross_entropy, int(batch.target_mask.sum()), cross_entropy)

    def log_probabilities(self, features: Tensor, batch) -> Tensor:
        """Log-probabilities of the gold next words in nats, `(real tokens,)`, caption after caption."""
        logits, words = self.output(features[batch.target_mask]), batch.target_output[batch.target_mask]
        return -nn.functional.cross_entropy(logits, words, reduction="none")

    def _features(self, embedded: Tensor, trace: DecoderTrace) -> Tensor:
        """L_o's input for words `(batch, target_length, embedding_size)`."""
        return self.dropout(embedded + self.from_state(trace.states) + self.from_context(trace.contexts))


class MeanCaptioner(Captioner):
    """No attention: every step reads the mean of the cells."""

    def remember(self, cells: Tensor) -> Tensor:
        """The mean, `(batch, size)`."""
        return cells.mean(dim=1)


class FlatCaptioner(Captioner):
    """No attention: every step reads one vector in which each cell has its own weights, z = norm(W [a_1; …; a_L]).

    The norm is that of layers (it keeps z small while W, with thousands of inputs, learns fast).
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
