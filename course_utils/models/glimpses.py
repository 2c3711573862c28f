"""Two ways to classify the digit on a cluttered canvas from parts of it.

| model                     | what it reads                                  | how it learns where to attend |
| `RecurrentAttentionModel` | a few retina glimpses at sampled places        | REINFORCE with a baseline     |
| `WindowClassifier`        | as many patches through a movable Gaussian window | back-propagation           |
| `ConvClassifier`          | the whole image (see `classifiers`)            | not at all                    |
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from course_utils.mechanisms.vision import GaussianWindow, Retina, check_channels, location_log_probability
from course_utils.models.classifiers import (
    ConvClassifier,
    DigitClassifier,
    GlimpseLoss,
    GlimpseTrace,
    error_by_glimpses,
    error_rate,
    multiply_adds,
)

__all__ = ["ConvClassifier", "DigitClassifier", "GlimpseLoss", "GlimpseTrace", "RecurrentAttentionModel"]
__all__ += ["WindowClassifier", "error_by_glimpses", "error_rate", "multiply_adds", "policy_gradients"]


class RecurrentAttentionModel(DigitClassifier):
    """RAM: a recurrent network that reads an image only through glimpses at places that it samples itself.

    g_t = relu(W_1 relu(W_ρ ρ(x, l_t)) + W_2 relu(W_l l_t))     what and where, mixed
    h_t = relu(W_h h_{t-1} + W_g g_t)                            the core
    l_t ~ N(tanh(W_m h_{t-1}), σ² I)                             the policy; h_0 = 0, so the first mean is a bias
    R_t = mean of q_t and of the average of p_t … p_T

    p_t is the probability of the right digit in the answer after glimpse t, and q_t that in an answer from g_t alone,
    through a layer of its own. Answers learn by cross-entropy through core and glimpse network. A location cannot be
    differentiated through, so the policy learns by REINFORCE, ∇ = E[Σ_t ∇ log π(l_t) (R_t − b_t)], where b_t is a
    linear guess of R_t from h_{t-1}. Neither R_t − b_t nor l_t carries a gradient.

    Source: Mnih et al. 2014, arXiv 1406.6247, sections 3 and 4. There only the last answer counts, no glimpse
    answers by itself, R is 1 when the answer is right and 0 when not, and the policy's gradient stops at W_m:
    `answer_early=False, alone_weight=0, policy_reaches_core=False` gives that, with p_T for R. It learns the same,
    but needs many times the canvases: its reward comes late, and is the same for good and for useless glimpses.

    Args:
        glimpses: their number.
        size, scales: of the retina.
        channels: of the image.
        hidden_size: of the core.
        glimpse_size: of "what" and of "where".
        std: σ of the policy in units of the image's half width.
        policy_weight: of the REINFORCE term beside the cross-entropy.
        alone_weight: of the cross-entropy of the answers from each glimpse alone; with 0 there are none, and no q_t.
        policy_reaches_core: let that term's gradient also shape the core; in the paper it shapes W_m alone.
        digits, classes, answer_early: see `DigitClassifier`.
    """

    def __init__(
        self,
        glimpses: int = 6,
        size: int = 12,
        scales: int = 3,
        channels: int = 1,
        hidden_size: int = 256,
        glimpse_size: int = 128,
        std: float = 0.15,
        policy_weight: float = 0.1,
        alone_weight: float = 0.5,
        policy_reaches_core: bool = True,
        digits: int = 1,
        classes: int = 10,
        answer_early: bool = True,
    ) -> None:
        super().__init__(digits, classes, answer_early)
        self.glimpses, self.std, self.hidden_size = glimpses, std, hidden_size
        self.policy_weight, self.alone_weight = policy_weight, alone_weight
        self.policy_reaches_core, self.channels = policy_reaches_core, channels
        self.retina = Retina(size, scales)
        self.what = nn.Linear(scales * channels * size * size, glimpse_size)
        self.where = nn.Linear(2, glimpse_size)
        self.mix = nn.Linear(2 * glimpse_size, hidden_size)
        self.from_glimpse = nn.Linear(hidden_size, hidden_size)
        self.from_state = nn.Linear(hidden_size, hidden_size, bias=False)
        nn.init.eye_(self.from_state.weight)  # a new model neither blows up nor forgets the first glimpse
        self.policy = nn.Linear(hidden_size, 2)
        nn.init.zeros_(self.policy.bias)
        nn.init.normal_(self.policy.weight, std=0.01)  # a new model attends to the middle, give or take σ
        self.baseline = nn.Linear(hidden_size, 1)
        self.output = nn.Linear(hidden_size, digits * classes)
        self.alone = nn.Linear(hidden_size, digits * classes) if alone_weight else None

    def glimpse(self, patches: Tensor, location: Tensor) -> Tensor:
        """Mix what `(batch, scales, channels, size, size)` with where `(batch, 2)`: `(batch, hidden_size)`."""
        what, where = torch.relu(self.what(patches.flatten(1))), torch.relu(self.where(location))
        return torch.relu(self.mix(torch.cat([what, where], dim=1)))

    def trace(
        self, images: Tensor, sample: bool = True, generator: Generator | None = None, glimpses: int | None = None
    ) -> GlimpseTrace:
        """Read each image in glimpses.

        Args:
            images: `(batch, channels, height, width)`.
            sample: sample locations; False = always take the policy's mean.
            generator: random generator; None = torch's global one.
            glimpses: their number; None = as built.
        """
        check_channels(images, self.channels)
        framed = self.retina.prepare(images)
        state = images.new_zeros(len(images), self.hidden_size)
        steps = []
        for _ in range(self.glimpses if glimpses is None else glimpses):
            aims_from = state if self.policy_reaches_core else state.detach()
            entries = take_glimpse(self, images, framed, aims_from, sample, generator)
            state = torch.relu(self.from_state(state) + self.from_glimpse(entries[-1]))
            steps.append((state, *entries))
        states, *entries = (torch.stack(part, dim=1) for part in zip(*steps, strict=True))
        return GlimpseTrace(self._answer(states), *entries)

    def loss(self, batch, use_baseline: bool = True, generator: Generator | None = None) -> GlimpseLoss:
        """Cross-entropies, plus the REINFORCE term, plus the squared error of the baseline.

        Args:
            batch: of canvases, with `images` and `labels`.
            use_baseline: False = weigh log-probabilities with the bare reward.
            generator: random generator; None = torch's global one.
        """
        trace = self.trace(batch.images, generator=generator)
        classification, accuracy, rewards = self._score(trace, batch.labels)
        returns = average_future_reward(rewards.expand_as(trace.baselines))
        alone = 0.0
        if self.alone is not None:
            answers = self.alone(trace.features).unflatten(-1, (self.digits, self.classes))
            true = self._true_log_probabilities(answers, batch.labels)
            alone, returns = -true.mean(), (returns + true.detach().exp().mean(dim=-1)) / 2
        policy, baseline = reinforce_losses(trace.log_probabilities, returns, trace.baselines, use_baseline)
        mean = classification + self.alone_weight * alone + self.policy_weight * policy + baseline
        return GlimpseLoss(mean, classification.detach(), accuracy, policy, baseline.detach())

    def probabilities(
        self, images: Tensor, samples: int = 1, sample: bool = True, generator: Generator | None = None
    ) -> Tensor:
        """Average the answers of several independent runs: `(batch, glimpses, digits, classes)`.

        More samples read more of the image and cost more, so an error must be reported with its number of samples.
        """
        return mean_of_runs(samples, lambda: torch.softmax(self.trace(images, sample, generator).answers, dim=-1))


def take_glimpse(
    model: nn.Module, images: Tensor, framed: Tensor, state: Tensor, sample: bool, generator: Generator | None
) -> tuple[Tensor, ...]:
    """Let the policy of RAM or DRAM choose a location, and read there.

    Args:
        model: has `policy`, `baseline`, `std`, `retina` and `glimpse`.
        images, framed: as given, and as `retina.prepare` returned them.
        state: `(batch, hidden_size)`, what the policy decides from.
        sample, generator: see `RecurrentAttentionModel.trace`.

    Returns:
        Patches, boxes, locations, log-probabilities, baselines and features of one glimpse, as in `GlimpseTrace`.
    """
    mean = torch.tanh(model.policy(state))
    location = sample_location(mean, model.std, sample, generator)
    inside = location.clamp(-1, 1)
    patches, boxes = model.retina.glimpse(framed, inside), model.retina.boxes(inside, *images.shape[-2:])
    log_probability = location_log_probability(location, mean, model.std)
    expected = model.baseline(state.detach()).squeeze(-1)
    return patches, boxes, location, log_probability, expected, model.glimpse(patches, inside)


def mean_of_runs(samples: int, run: Callable[[], Tensor]) -> Tensor:
    """Average the probabilities of several independent runs; raises a ValueError if `samples` is below 1."""
    if samples < 1:
        raise ValueError(f"samples is {samples}; expected at least 1.")
    return torch.stack([run() for _ in range(samples)]).mean(dim=0)


def average_future_reward(rewards: Tensor) -> Tensor:
    """Average each entry with all later ones of its row: `(batch, glimpses)` to the same shape."""
    sums = rewards.flip(1).cumsum(dim=1).flip(1)
    return sums / torch.arange(rewards.shape[1], 0, -1, device=rewards.device)


def sample_location(mean: Tensor, std: float, sample: bool = True, generator: Generator | None = None) -> Tensor:
    """Sample locations around `mean` `(batch, 2)`; they carry no gradient. Without `sample` the mean itself."""
    mean = mean.detach()
    if not sample:
        return mean
    noise = torch.randn(mean.shape, dtype=mean.dtype, generator=generator, device=generator and generator.device)
    return mean + std * noise.to(mean.device)


def reinforce_losses(
    log_probabilities: Tensor, returns: Tensor, baselines: Tensor, use_baseline: bool = True, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the loss whose gradient is minus the REINFORCE estimate, and the squared error of the baseline.

    policy = −1/B Σ_b Σ_t log π(l_t) · (R_t − b_t),   with R_t − b_t held fixed

    Source: Williams 1992; Mnih et al. 2014, arXiv 1406.6247, equation 3 and the one below it.

    Args:
        log_probabilities: `(batch, glimpses)`, nats.
        returns: `(batch, glimpses)`, the reward that counts for each glimpse.
        baselines: `(batch, glimpses)`, guesses of it; they learn from their own error only.
        use_baseline: False = b_t is 0 in the policy's term.
        mask: `(batch, glimpses)` booleans, True = this glimpse was taken; None = all.
    """
    returns = returns.detach()
    advantages = returns - baselines.detach() if use_baseline else returns
    errors = (baselines - returns).square()
    mask = torch.ones_like(returns) if mask is None else mask.to(returns)
    policy = -(log_probabilities * advantages * mask).sum(dim=1).mean()
    return policy, (errors * mask).sum() / mask.sum()


class WindowClassifier(DigitClassifier):
    """An LSTM that reads the image through a Gaussian window which it moves itself, by plain back-propagation.

    window_t = parameters(W h_{t-1}),  r_t = read(x, window_t),  h_t = LSTM(h_{t-1}, r_t),  an answer from each h_t

    The window begins as wide as the image.

    Source: Gregor et al. 2015, arXiv 1502.04623, sections 3.2 and 4.1 (cluttered MNIST).

    Args:
        glimpses: their number.
        size: filters of the window in each direction.
        channels: of the image.
        hidden_size: of the LSTM.
        keep_inside: bound the window's middle to the image by a tanh, which the paper does not. A window that has
            left the image reads nothing that could call it back.
        digits, classes, answer_early: see `DigitClassifier`.
    """

    def __init__(
        self,
        glimpses: int = 6,
        size: int = 12,
        channels: int = 1,
        hidden_size: int = 256,
        digits: int = 1,
        classes: int = 10,
        answer_early: bool = True,
        keep_inside: bool = False,
    ) -> None:
        super().__init__(digits, classes, answer_early)
        self.glimpses, self.hidden_size, self.keep_inside = glimpses, hidden_size, keep_inside
        self.window, self.channels = GaussianWindow(size), channels
        self.aim = window_head(hidden_size)
        self.core = nn.LSTMCell(channels * size * size, hidden_size)
        self.output = nn.Linear(hidden_size, digits * classes)

    def trace(self, images: Tensor, glimpses: int | None = None) -> GlimpseTrace:
        """Read each image `(batch, channels, height, width)`; `glimpses` None = as often as built."""
        check_channels(images, self.channels)
        state = cell = images.new_zeros(len(images), self.hidden_size)
        states, patches, boxes = [], [], []
        for _ in range(self.glimpses if glimpses is None else glimpses):
            raw = self.aim(state)
            if self.keep_inside:
                raw = torch.cat([torch.tanh(raw[:, :2]), raw[:, 2:]], dim=1)
            parameters = self.window.parameters(raw, *images.shape[-2:])
            patch = self.window.read(images, parameters)
            state, cell = self.core(patch.flatten(1), (state, cell))
            states.append(state)
            patches.append(patch)
            boxes.append(self.window.boxes(parameters))
        patches, boxes = torch.stack(patches, dim=1).unsqueeze(2), torch.stack(boxes, dim=1).unsqueeze(2)
        return GlimpseTrace(self._answer(torch.stack(states, dim=1)), patches, boxes.detach())


def window_head(hidden_size: int) -> nn.Linear:
    """Make the layer that emits a window's five parameters; a new one covers the image with soft filters."""
    head = nn.Linear(hidden_size, 5)
    nn.init.normal_(head.weight, std=0.01)
    with torch.no_grad():
        head.bias.copy_(torch.tensor([0.0, 0.0, 1.5, 0.0, 0.0]))  # σ of 2 pixels: no gaps between filters
    return head


def policy_gradients(model: RecurrentAttentionModel, batch, count: int, use_baseline: bool = True) -> Tensor:
    """Estimate the policy's gradient several times on one batch, to measure their variance.

    Args:
        count: independent estimates, each from one run over the batch.
        use_baseline: see `RecurrentAttentionModel.loss`.

    Returns:
        `(count, parameters)`, the gradient of the policy's term for the policy's weights and bias.
    """
    parameters = list(model.policy.parameters())
    estimates = []
    for _ in range(count):
        gradients = torch.autograd.grad(model.loss(batch, use_baseline).policy, parameters)
        estimates.append(torch.cat([gradient.flatten() for gradient in gradients]))
    return torch.stack(estimates)
