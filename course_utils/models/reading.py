"""DRAM: reads a row of digits from left to right, some glimpses for each, and ends when there are no more."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from course_utils.mechanisms.vision import Retina, check_channels
from course_utils.models.classifiers import GlimpseLoss, share_wrong
from course_utils.models.glimpses import mean_of_runs, reinforce_losses, take_glimpse

END = 10
"""The class "no more digits"; 0 to 9 are the digits."""
NOTHING = -1
"""Fills labels behind the last digit."""


class ReadingTrace(NamedTuple):
    """What the model read and answered: `steps` answers, each after `glimpses_per_digit` glimpses.

    Attributes:
        logits: `(batch, steps, 11)`.
        patches, boxes, locations, log_probabilities, baselines, features: as in `GlimpseTrace`, with `(batch, steps,
            glimpses_per_digit, …)` in place of `(batch, glimpses, …)`.
    """

    logits: Tensor
    patches: Tensor
    boxes: Tensor
    locations: Tensor
    log_probabilities: Tensor
    baselines: Tensor
    features: Tensor


class ContextNetwork(nn.Module):
    """Encodes the whole image, small and blurred, so that the policy knows where to begin.

    Args:
        height, width, channels: of the image.
        output_size: of the encoding.
        factor: the image is averaged over squares of this many pixels.
    """

    def __init__(self, height: int, width: int, channels: int, output_size: int, factor: int = 4) -> None:
        super().__init__()
        self.factor = factor
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()
        )
        self.output = nn.Linear(16 * (height // factor) * (width // factor), output_size)

    def forward(self, images: Tensor) -> Tensor:
        """Map `(batch, channels, height, width)` to `(batch, output_size)`, each from -1 to 1."""
        small = nn.functional.avg_pool2d(images, self.factor)
        return torch.tanh(self.output(self.convolutions(small).flatten(1)))


class DeepRecurrentAttentionModel(nn.Module):
    """DRAM: a two-layer recurrent core; the lower layer classifies, the upper one decides where the next glimpse is.

    g_n = relu(W_ρ ρ(x, l_n)) ⊙ relu(W_l l_n)           what times where
    r1_n = LSTM(r1_{n-1}, g_n)                           classification layer; r1_0 = 0
    r2_n = LSTM(r2_{n-1}, r1_n)                          emission layer; r2_0 = context(x)
    l_n ~ N(tanh(W_m r2_{n-1}), σ² I)
    y_s from r1 after every `glimpses_per_digit` glimpses, until it is `END`

    The context reaches only the emission layer: the answers must come from glimpses. While training, one more answer
    than there are digits counts, and that one must be `END`. The reward of an answer is its probability of the right
    class. A glimpse is credited with its own answer and all later ones, and with the probability of the digit that is
    being read in an answer from this glimpse alone, through a layer of its own; a learned baseline is subtracted.

    Source: Ba, Mnih and Kavukcuoglu 2015, arXiv 1412.7755, sections 3 and 4. The convolutions of its glimpse network
    are one linear layer here, rewards are summed from a glimpse on instead of from the beginning, a reward is a
    probability instead of 1 or 0, and glimpses do not answer alone (`alone_weight=0`).

    Args:
        height, width, channels: of the image.
        most_digits: longest row it is trained on.
        glimpses_per_digit: before each answer.
        size, scales: of the retina.
        hidden_size: of either layer.
        std: σ of the policy in units of the image's half width and height.
        policy_weight: of the REINFORCE term beside the cross-entropy.
        alone_weight: of the cross-entropy of the answers from each glimpse alone; with 0 there are none.
        context_factor: the context network reads the image averaged over squares of this many pixels.
    """

    def __init__(
        self,
        height: int,
        width: int,
        channels: int = 1,
        most_digits: int = 3,
        glimpses_per_digit: int = 3,
        size: int = 12,
        scales: int = 2,
        hidden_size: int = 128,
        std: float = 0.1,
        policy_weight: float = 0.3,
        alone_weight: float = 0.5,
        context_factor: int = 4,
    ) -> None:
        super().__init__()
        self.most_digits, self.glimpses_per_digit, self.hidden_size = most_digits, glimpses_per_digit, hidden_size
        self.std, self.policy_weight, self.alone_weight, self.channels = std, policy_weight, alone_weight, channels
        self.retina = Retina(size, scales)
        self.context = ContextNetwork(height, width, channels, hidden_size, context_factor)
        self.what = nn.Linear(scales * channels * size * size, hidden_size)
        self.where = nn.Linear(2, hidden_size)
        nn.init.ones_(self.where.bias)  # else half of the products begin at zero, and nothing passes there
        self.classification = nn.LSTMCell(hidden_size, hidden_size)
        self.emission = nn.LSTMCell(hidden_size, hidden_size)
        self.policy = nn.Linear(hidden_size, 2)
        nn.init.zeros_(self.policy.bias)
        self.baseline = nn.Linear(hidden_size, 1)
        self.output = nn.Linear(hidden_size, END + 1)
        self.alone = nn.Linear(hidden_size, END) if alone_weight else None  # no glimpse alone shows that it is over

    def glimpse(self, patches: Tensor, location: Tensor) -> Tensor:
        """Multiply what `(batch, scales, channels, size, size)` by where `(batch, 2)`: `(batch, hidden_size)`."""
        return torch.relu(self.what(patches.flatten(1))) * torch.relu(self.where(location))

    def trace(
        self,
        images: Tensor,
        sample: bool = True,
        generator: Generator | None = None,
        steps: int | None = None,
        stop: bool = False,
    ) -> ReadingTrace:
        """Read, and answer after every `glimpses_per_digit` glimpses.

        Args:
            images: `(batch, channels, height, width)`.
            sample: sample locations; False = always take the policy's mean.
            generator: random generator; None = torch's global one.
            steps: most answers; None = `most_digits` + 1.
            stop: stop as soon as every row has had its `END`.
        """
        check_channels(images, self.channels)
        framed = self.retina.prepare(images)
        lower = lower_cell = upper_cell = images.new_zeros(len(images), self.hidden_size)
        upper = self.context(images)
        ended = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        answers, entries = [], []
        for _ in range(self.most_digits + 1 if steps is None else steps):
            glimpses = []
            for _ in range(self.glimpses_per_digit):
                glimpses.append(take_glimpse(self, images, framed, upper, sample, generator))
                lower, lower_cell = self.classification(glimpses[-1][-1], (lower, lower_cell))
                upper, upper_cell = self.emission(lower, (upper, upper_cell))
            answers.append(self.output(lower))
            entries.append([torch.stack(part, dim=1) for part in zip(*glimpses, strict=True)])
            ended |= answers[-1].argmax(dim=-1) == END
            if stop and bool(ended.all()):
                break
        return ReadingTrace(
            torch.stack(answers, dim=1), *(torch.stack(part, dim=1) for part in zip(*entries, strict=True))
        )

    def loss(self, batch, use_baseline: bool = True, generator: Generator | None = None) -> GlimpseLoss:
        """Cross-entropy of digits and end (nats per answer), plus REINFORCE, plus the error of the baseline.

        Args:
            batch: of canvases, with `images` and `labels` of at most `most_digits` digits.
            use_baseline: False = weigh log-probabilities with the bare reward.
            generator: random generator; None = torch's global one.
        """
        targets = reading_targets(batch.labels, self.most_digits)
        trace = self.trace(batch.images, generator=generator)
        counted = targets != NOTHING  # (batch, steps)
        log_probabilities = torch.log_softmax(trace.logits, dim=-1)
        true = log_probabilities.gather(2, targets.clamp(min=0).unsqueeze(2)).squeeze(2)  # (batch, steps)
        classification = -true[counted].mean()
        rewards = true.detach().exp() * counted
        returns = rewards.flip(1).cumsum(dim=1).flip(1)  # of this answer and all later ones
        returns = returns.unsqueeze(2).expand(-1, -1, self.glimpses_per_digit)
        alone = 0.0
        if self.alone is not None:
            is_digit = counted & (targets != END)
            wanted = targets.masked_fill(~is_digit, 0).view(*targets.shape, 1, 1).expand(*returns.shape, 1)
            said = torch.log_softmax(self.alone(trace.features), dim=-1).gather(3, wanted).squeeze(3)
            alone, returns = -said[is_digit].mean(), returns + said.detach().exp() * is_digit.unsqueeze(2)
        policy, baseline = reinforce_losses(
            trace.log_probabilities.flatten(1),
            returns.flatten(1),
            trace.baselines.flatten(1),
            use_baseline,
            counted.unsqueeze(2).expand_as(returns).flatten(1),
        )
        mean = classification + self.alone_weight * alone + self.policy_weight * policy + baseline
        accuracy = ((trace.logits.argmax(dim=-1) == targets) | ~counted).all(dim=1).to(trace.logits).mean()
        return GlimpseLoss(mean, classification.detach(), accuracy, policy, baseline.detach())

    @torch.no_grad()
    def read(self, images: Tensor, samples: int = 1, sample: bool = True, generator: Generator | None = None) -> Tensor:
        """Read each row until the model answers `END`, or for at most `most_digits` + 1 answers.

        Args:
            images: `(batch, channels, height, width)`.
            samples: independent runs whose probabilities are averaged, answer by answer.
            sample: sample locations; False = always take the policy's mean.
            generator: random generator; None = torch's global one.

        Returns:
            `(batch, steps)` digits, `NOTHING` from the end on; `steps` is the longest reading, at least 1.
        """
        stop = samples == 1  # several runs may stop at different answers; they are averaged over all steps
        answers = mean_of_runs(
            samples, lambda: torch.softmax(self.trace(images, sample, generator, stop=stop).logits, dim=-1)
        ).argmax(dim=-1)
        ended = (answers == END).int().cumsum(dim=1) > 0
        return answers.masked_fill(ended, NOTHING)


def reading_targets(labels: Tensor, most_digits: int) -> Tensor:
    """Put `END` after the last digit of every row.

    Args:
        labels: `(batch, digits)`, `NOTHING` after the last digit.
        most_digits: columns of the result, less one.

    Returns:
        `(batch, most_digits + 1)`: digits, then `END`, then `NOTHING`.

    Raises:
        ValueError: if there are more columns than `most_digits`, or a digit follows `NOTHING`.
    """
    if labels.dim() != 2 or labels.shape[1] > most_digits:
        raise ValueError(
            f"labels has shape {tuple(labels.shape)}; expected (batch, up to {most_digits} digits). "
            "Build the model with a larger most_digits."
        )
    if bool(((labels[:, 1:] >= 0) & (labels[:, :-1] < 0)).any()):
        raise ValueError("labels has a digit after a missing one; expected the digits first, from left to right.")
    targets = nn.functional.pad(labels, (0, most_digits + 1 - labels.shape[1]), value=NOTHING)
    return targets.scatter(1, (labels >= 0).sum(dim=1, keepdim=True), END)


def reading_error(model: DeepRecurrentAttentionModel, batches: Iterable, samples: int = 1) -> float:
    """Return the share of rows, 0 to 1, that are not read exactly, length included."""

    def wrong(batch) -> Tensor:
        answers, labels = (
            nn.functional.pad(rows, (0, model.most_digits + 1 - rows.shape[1]), value=NOTHING)
            for rows in (model.read(batch.images, samples), batch.labels)
        )
        return (answers != labels).any(dim=1)

    return float(share_wrong(model, batches, wrong))
