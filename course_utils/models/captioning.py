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

import torch
from torch import Generator, Tensor

from course_utils.mechanisms.attention import AdditiveAttention, AttentionMemory
from course_utils.models.caption_decoder import AttentionDecoder, Choice
from course_utils.models.captioner import Captioner, CaptionLoss, FlatCaptioner, MeanCaptioner
from course_utils.models.glimpses import reinforce_losses
from course_utils.models.word_model import check_choice

MOST_STEPS = 128
"""Steps of a caption that have an expectation of their own; those that follow share the last one."""
_LEAST = 1e-30  # stands in for a probability of zero where its logarithm is taken


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
