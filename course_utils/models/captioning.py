"""Models that describe an image in words: what the decoder reads of the image is all that differs.

| system      | what the decoder reads at every step                                        | learns attention by     |
| "none-mean" | one vector: the mean of the cells                                           | –                       |
| "none-flat" | one vector: a linear layer over all cells, with weights of its own for each | –                       |
| "soft"      | a new weighted average of the cells, gated                                  | its gradient            |
| "hard"      | one cell that it samples, gated                                             | REINFORCE               |

All train with `loss(batch)` on a batch (images, target_input, target_output, target_mask) and decode with
`start` and `step` (see `mechanisms.search`, which wants two-dimensional sources: give it `images.flatten(1)`).

Source: Xu et al. 2015, arXiv 1502.03044. There the cells come from a network that had been trained to name photographs;
here all of a model is trained from scratch, and the vectors are the controlled comparison that the paper does not have.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from course_utils.mechanisms.attention import AdditiveAttention, AttentionMemory
from course_utils.models.caption_decoder import AttentionDecoder, Choice, DecoderTrace, State
from course_utils.models.glimpses import reinforce_losses
from course_utils.models.image_cells import CellEncoder
from course_utils.models.word_model import check_choice, checked_lookup, word_embedding

MOST_STEPS = 128
"""Steps of a caption that have an expectation of their own; those that follow share the last one."""
_LEAST = 1e-30  # stands in for a probability of zero where its logarithm is taken


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


class SoftCaptioner(Captioner):
    """Soft attention: every step reads a weighted average of the cells, times a gate.

    loss = (Σ −log p(y_t) + λ Σ_i (1 − Σ_t α_ti)²) / real words, sums over the captions of a batch

    The second term is the doubly stochastic penalty: each cell should be attended to about as much as any other.

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
        features, trace = self.trace(batch.images, batch.target_input)
        log_probabilities = self.log_probabilities(features, batch)
        penalty = coverage_penalty(trace.attention_weights, batch.target_mask)
        cross_entropy, tokens = -log_probabilities.mean(), len(log_probabilities)
        mean = cross_entropy
        if self.penalty_weight:
            mean = mean + self.penalty_weight * penalty.sum() / tokens
        return CaptionLoss(mean, tokens, cross_entropy.detach(), penalty.detach().mean())


def coverage_penalty(attention_weights: Tensor, target_mask: Tensor) -> Tensor:
    """How unevenly the cells were attended to: Σ_i (1 − Σ_t α_ti)², t over real words only.

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
    attended = (attention_weights * target_mask.unsqueeze(-1)).sum(dim=1)  # (batch, cells)
    return (1 - attended).square().sum(dim=1)


class HardCaptioner(SoftCaptioner):
    """Hard attention: s_t ~ α_t, and ẑ_t is β_t times the cell a_{s_t} alone.

    gradient of the captions' part = ∂ log p(y | s) + λ_r Σ_t (R_t − b_t) ∂ log α_t,s_t + λ_e Σ_t ∂ H[α_t]
    R_t = Σ_{u ≥ t} γ^{u−t} log p(y_u | s),   b_t ← 0.9 b_t + 0.1 · mean of R_t

    A cell cannot be differentiated through, so α learns by REINFORCE. Neither R_t nor b_t carries a gradient. With
    λ_r = 1 and γ = 1 that is, on average, the gradient of E[log p(y | s)], a lower bound of log p(y). As in the
    paper, a share of images is read with α_t itself in place of a sampled cell, and teaches α by its gradient.

    Source: Xu et al. 2015, arXiv 1502.03044, section 4.1, equations 8 to 12. There R_t is the log-probability of the
    whole caption for each t, and b one number. What was said before t does not depend on s_t, and words far behind it
    hardly do: leaving both out (γ < 1) lowers the variance. The gate, which the paper has in its section on soft
    attention, is in the authors' program here too.

    Args:
        policy_weight: λ_r.
        entropy_weight: λ_e, for nats per step.
        discount: γ, 0 to 1: how much of the later words is credited to a cell.
        expected_share: probability that an image is read with α_t itself while training.
        (the others: see `SoftCaptioner`)

    Attributes:
        samples_when_testing: sample cells when captions are written, instead of taking the most probable ones.
        moving_baseline: `(MOST_STEPS,)`, b_t, nats.
        generator: random generator; None = torch's global one.
    """

    def __init__(
        self,
        *arguments,
        policy_weight: float = 1.0,
        entropy_weight: float = 0.01,
        discount: float = 0.0,
        expected_share: float = 0.5,
        **options,
    ) -> None:
        super().__init__(*arguments, **options)
        self.policy_weight, self.entropy_weight = policy_weight, entropy_weight
        self.discount, self.expected_share = discount, expected_share
        self.samples_when_testing = False
        self.generator: Generator | None = None
        self.register_buffer("moving_baseline", torch.zeros(MOST_STEPS))
        self.register_buffer("baseline_updates", torch.zeros(()))

    def chooser(self) -> Choice:
        """The most probable cell, or a sampled one."""
        return self.sample if self.samples_when_testing else most_probable

    def sample(self, attention_weights: Tensor, step: int) -> Tensor:
        """Sample a cell for each row of `(batch, cells)`: ones and zeros of that shape, without gradient."""
        cells = torch.multinomial(attention_weights.detach(), 1, generator=self.generator)
        return torch.zeros_like(attention_weights).scatter_(1, cells, 1.0)

    def loss(self, batch, cells: Tensor | None = None) -> CaptionLoss:
        """Cross-entropy over real words along sampled cells, the REINFORCE term, the entropy, the penalty.

        Args:
            batch: of captioned images.
            cells: `(batch, target_length)` cells to take instead of sampling them; None = sample.
        """
        expected = torch.rand(len(batch.images), 1, generator=self.generator).to(self.moving_baseline.device)
        expected = (expected < self.expected_share) & (cells is None)  # (batch, 1)

        def choose(attention_weights: Tensor, step: int) -> Tensor:
            if cells is not None:
                return torch.zeros_like(attention_weights).scatter_(1, cells[:, step : step + 1], 1.0)
            return torch.where(expected, attention_weights, self.sample(attention_weights, step))

        features, trace = self.trace(batch.images, batch.target_input, choose)
        log_probabilities = self.log_probabilities(features, batch)
        tokens, mask = len(log_probabilities), batch.target_mask
        taken = mask & ~expected
        rewards = log_probabilities.new_zeros(mask.shape).masked_scatter(mask, log_probabilities.detach())
        returns = discounted_sums(rewards, self.discount)
        logarithms = trace.attention_weights.clamp_min(_LEAST).log()
        chosen = (trace.chosen.detach() * logarithms).sum(dim=-1)  # (batch, target_length)
        baselines = self._baselines(mask.shape[1]).expand_as(returns)
        policy, _ = reinforce_losses(chosen, returns, baselines, mask=taken)
        policy = policy * len(mask) / tokens  # of a caption, so far
        entropy = -(trace.attention_weights * logarithms).sum(dim=-1)[mask].mean()
        penalty = coverage_penalty(trace.attention_weights, mask)
        cross_entropy = -log_probabilities.mean()
        mean = cross_entropy + self.policy_weight * policy - self.entropy_weight * entropy
        if self.penalty_weight:
            mean = mean + self.penalty_weight * penalty.sum() / tokens
        if self.training:
            self._update_baselines(returns, taken)
        return CaptionLoss(mean, tokens, cross_entropy.detach(), penalty.detach().mean(), entropy.detach(), policy)

    def _baselines(self, steps: int) -> Tensor:
        """b_1 … b_T, without the pull towards zero that a moving average has in its first steps."""
        numbers = torch.arange(steps, device=self.moving_baseline.device).clamp(max=MOST_STEPS - 1)
        return self.moving_baseline[numbers] if self.baseline_updates else torch.zeros(steps, device=numbers.device)

    @torch.no_grad()
    def _update_baselines(self, returns: Tensor, taken: Tensor) -> None:
        """Move each b_t towards the mean of R_t over the rows that sampled a cell; the first time, all the way."""
        steps = min(returns.shape[1], MOST_STEPS)
        counts = taken[:, :steps].sum(dim=0)
        means = (returns * taken)[:, :steps].sum(dim=0) / counts.clamp(min=1)
        if not bool(counts.sum()):
            return
        overall = (returns * taken).sum() / taken.sum()
        if not self.baseline_updates:
            self.moving_baseline.fill_(overall)
        old = self.moving_baseline[:steps]
        self.moving_baseline[:steps] = torch.where(counts > 0, 0.9 * old + 0.1 * means, old)
        self.baseline_updates += 1


def most_probable(attention_weights: Tensor, step: int) -> Tensor:
    """Ones at the most probable cell of each row of `(batch, cells)`, zeros elsewhere."""
    return torch.zeros_like(attention_weights).scatter_(1, attention_weights.argmax(dim=1, keepdim=True), 1.0)


def discounted_sums(rewards: Tensor, discount: float) -> Tensor:
    """R_t = r_t + discount · R_{t+1} along the rows of `(batch, steps)`; 0 gives the rewards, 1 what follows them.

    Raises:
        ValueError: if `discount` is not from 0 to 1.
    """
    if not 0 <= discount <= 1:
        raise ValueError(f"discount is {discount}; expected 0 to 1.")
    sums, following = [], torch.zeros_like(rewards[:, 0])
    for reward in rewards.unbind(dim=1)[::-1]:
        following = reward + discount * following
        sums.append(following)
    return torch.stack(sums[::-1], dim=1)


SYSTEMS: dict[str, type[Captioner]] = {
    "none-mean": MeanCaptioner,
    "none-flat": FlatCaptioner,
    "soft": SoftCaptioner,
    "hard": HardCaptioner,
}


def build_captioner(system: str, vocabulary_size: int, **options) -> Captioner:
    """Make a system by name, untrained; raises a ValueError if the name is unknown."""
    check_choice(system, SYSTEMS)
    return SYSTEMS[system](vocabulary_size, **options)
