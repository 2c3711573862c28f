"""The exercises of lesson 3 on learning where to look by chance and reward; `lesson_03.py` lists them."""

import math

import torch
from torch import Tensor

from course_utils.mechanisms.vision import location_log_probability
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise, same
from course_utils.teaching.exercises import Exercise, expect, expect_close


def policy_loss(log_probabilities: Tensor, reward: Tensor, baselines: Tensor) -> Tensor:
    """Weigh each glimpse's log-probability by its advantage, which is held fixed."""
    advantages = (reward.unsqueeze(1) - baselines).detach()  # (batch, glimpses)
    return -(log_probabilities * advantages).sum(dim=1).mean()


scoring = Exercise("03.location-log-probability", "Score a location under a Gaussian", 1, 8, location_log_probability)
rewarding = Exercise("03.reinforce", "Learn from a reward", 3, 15, policy_loss)
EXERCISES = [scoring, rewarding]


@scoring.behaviour("is the logarithm of a round Gaussian's density")
def _(answer):
    location = torch.tensor([[0.3, -0.2], [-0.5, 0.9], [1.2, -1.0]])
    mean, spread = torch.tensor([[0.1, -0.3], [0.1, 0.4], [0.9, -1.0]]), 0.3
    result = answer(location.clone(), mean.clone(), spread)
    distance, log_spread, constant = (location - mean).square().sum(dim=1), math.log(spread), math.log(2 * math.pi)
    near = -distance / (2 * spread**2)
    each = torch.distributions.Normal(mean, spread).log_prob(location)  # of every coordinate
    right = each.sum(dim=1)
    both = "There are two coordinates: the normaliser counts for each of them, 2 log σ + log 2π in all."
    sigma = "spread is σ, the standard deviation: square it below the distance, and take 2 log σ."
    recognise(
        result,
        ("The normaliser is missing: subtract 2 log σ + log 2π.", near),
        ("The term with σ is missing: subtract 2 log σ.", near - constant),
        ("The term with 2π is missing: subtract log 2π.", near - 2 * log_spread),
        (both, near - log_spread - constant / 2),
        (both, near - log_spread - constant),
        (both, near - 2 * log_spread - constant / 2),
        ("The normaliser is there twice: it is 2 log σ + log 2π.", near - 4 * log_spread - 2 * constant),
        (
            "The normaliser is subtracted: − 2 log σ, which is above zero where σ is below one.",
            near + 2 * log_spread - constant,
        ),
        ("The normaliser is subtracted: − log 2π.", near - 2 * log_spread + constant),
        ("The factor ½ is missing: divide the squared distance by 2σ².", 2 * near - 2 * log_spread - constant),
        ("Divide by 2σ² in brackets: / 2 * σ² multiplies.", near * spread**4 - 2 * log_spread - constant),
        (sigma, near * spread - log_spread - constant),
        (sigma, near * spread - 2 * log_spread - constant),
        (sigma, near / spread**2 - 4 * log_spread - constant),
        ("log σ² is 2 log σ already: it counts once, not once per coordinate.", near - 4 * log_spread - constant),
        ("The distance is squared: |l − μ|².", -distance.sqrt() / (2 * spread**2) - 2 * log_spread - constant),
        ("Far away is less probable: the squared distance has a minus sign.", -near - 2 * log_spread - constant),
        ("The sign of the whole is turned: return the log-probability, not a loss.", -right),
        ("This is the density itself: return its logarithm.", right.exp()),
        ("Use the natural logarithm, math.log or torch.log.", right / math.log(2)),
        ("Use the natural logarithm, math.log or torch.log.", right / math.log(10)),
        ("Add the two coordinates up; you took their mean.", each.mean(dim=1)),
        ("The two coordinates are still apart: add up the last dimension.", each),
        ("Return one number for each picture: sum over the coordinates alone, dim=-1.", each.sum()),
        ("Return one number for each picture: sum over the coordinates alone, dim=-1.", right.mean()),
        ("You added up the batch, dimension 0: sum over the coordinates, dim=-1.", each.sum(dim=0)),
        ("There is a dimension of size 1 left over: sum without keepdim.", right.unsqueeze(1)),
    )
    hint = "Expected − |l − μ|²/(2σ²) − 2 log σ − log 2π, where |l − μ|² sums the squares of both differences."
    expect_close(result, right, hint, "(batch,)")


@scoring.behaviour("is a density: over all places it adds up to one")
def _(answer):
    steps = torch.linspace(-1.2, 1.2, 25)
    location = torch.cartesian_prod(steps, steps)  # (625, 2), every 0.1
    for spread in (0.15, 0.2):
        total = float(answer(location.clone(), torch.zeros(625, 2), spread).exp().sum()) * 0.1**2
        hint = f"With σ = {spread} the densities of all places add up to {total:.3f}, not to 1: look at the normaliser."
        expect(abs(total - 1) < 1e-3, hint)


@scoring.behaviour("keeps the pictures apart")
def _(answer):
    for batch in (1, 2, 5):
        location, mean = torch.randn(batch, 2), torch.randn(batch, 2)
        result = answer(location.clone(), mean.clone(), 0.7)
        by_batch = torch.distributions.Normal(mean, 0.7).log_prob(location).sum(dim=0)
        axis = "You added up the batch, dimension 0: sum over the coordinates, dim=-1."
        recognise(result, *[(axis, by_batch)] * (batch == 2))
        hint = f"Wrong for a batch of {batch}: each picture has its own location and mean."
        expect_close(result, location_log_probability(location, mean, 0.7), hint, "(batch,)")


@scoring.behaviour("stays a number for a location far away")
def _(answer):
    location, mean = torch.tensor([[1.0, 1.0], [3.0, -2.0]]), torch.tensor([[-1.0, -1.0], [0.0, 0.0]])
    result = answer(location.clone(), mean.clone(), 0.05)
    hint = "Far away the density is too small for a float, and its logarithm is −inf: write the logarithm out by hand."
    expect(not (isinstance(result, Tensor) and bool(result.isinf().any())), hint)
    expect_close(result, location_log_probability(location, mean, 0.05), "Wrong for σ = 0.05.", "(batch,)")


@scoring.behaviour("lets the gradient reach the mean")
def _(answer):
    location = torch.randn(3, 2)
    expect_gradients(
        lambda mean: answer(location.clone(), mean, 0.4),
        lambda mean: location_log_probability(location, mean, 0.4),
        mean=torch.randn(3, 2),
    )


@scoring.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, torch.randn(2, 2), torch.randn(2, 2), 0.3)


@rewarding.behaviour("weighs each glimpse by reward minus baseline")
def _(answer):
    log_probabilities = torch.tensor([[-0.5, 0.25, -2.0], [1.0, -1.5, -0.75]])
    reward, baselines = torch.tensor([1.0, 0.0]), torch.tensor([[0.25, 0.5, 0.75], [0.125, 0.5, 0.375]])
    result = answer(log_probabilities.clone(), reward.clone(), baselines.clone())
    advantages = reward.unsqueeze(1) - baselines
    products = log_probabilities * advantages
    right = -products.sum(dim=1).mean()

    def weighed_by(weights):
        return -(log_probabilities * weights).sum(dim=1).mean()

    own = "Every picture has its own reward:"
    sign = "The advantage keeps its sign: below the baseline is bad news."
    plain = "The advantages are used as they are: no mean and no standard deviation."
    square = "Do not square the advantage here: the baseline's own error is another loss."
    bare = "The baseline is missing: weigh by reward minus baseline."
    recognise(
        result,
        ("The sign is turned: a loss falls, so minus is needed for the reward to rise.", -right),
        ("The baseline is subtracted from the reward, not the reward from the baseline.", -right),
        (bare, weighed_by(reward.unsqueeze(1))),
        (
            "The baseline was added: subtract it from the reward.",
            weighed_by(reward.unsqueeze(1) + baselines),
        ),
        (f"{own} you took the first.", weighed_by(reward[0] - baselines)),
        (f"{own} you took their mean.", weighed_by(reward.mean() - baselines)),
        ("Sum over the glimpses; you took the mean over them as well.", -products.mean()),
        ("Take the mean over the batch; you summed over it.", -products.sum()),
        ("Mean and sum are swapped: sum over the glimpses, mean over the batch.", -products.mean(dim=1).sum()),
        ("Return one number: take the mean over the batch, too.", -products.sum(dim=1)),
        ("Return one number: sum over the glimpses and take the mean over the batch.", -products),
        ("You summed over the batch and kept the glimpses.", -products.mean(dim=0)),
        (
            "Weigh the log-probabilities, not the probabilities: the gradient of log π is what REINFORCE needs.",
            -(log_probabilities.exp() * advantages).sum(dim=1).mean(),
        ),
        (
            "Each glimpse has its own baseline: multiply before you sum over the glimpses.",
            -(log_probabilities.sum(dim=1) * advantages.mean(dim=1)).mean(),
        ),
        (
            "Each glimpse has its own baseline: multiply before you sum over the glimpses.",
            -(log_probabilities.sum(dim=1) * advantages.sum(dim=1)).mean(),
        ),
        ("Every glimpse counts; you took the last one only.", -products[:, -1].mean()),
        (sign, weighed_by(advantages.abs())),
        (sign, weighed_by(advantages.relu())),
        (square, weighed_by(advantages**2)),
        (plain, weighed_by((advantages - advantages.mean()) / advantages.std())),
        (plain, weighed_by(advantages - advantages.mean())),
        ("The baseline's own error is another loss: leave it out.", right + advantages.square().mean()),
        ("The baseline's own error is another loss: leave it out.", right + advantages.square().sum(dim=1).mean()),
    )
    hint = "Expected − mean over the batch of Σ_t log π(l_t) · (R − b_t)."
    expect_close(result, right, hint, "(), one number")


@rewarding.behaviour("gives every glimpse of a picture that picture's reward")
def _(answer):
    log_probabilities, baselines = torch.randn(3, 3), torch.rand(3, 3)  # equal sizes: every broadcast works
    reward = torch.tensor([1.0, 0.0, 0.5])
    result = answer(log_probabilities.clone(), reward.clone(), baselines.clone())

    def loss(reward, baselines):
        return policy_loss(log_probabilities, reward, baselines)

    each = baselines.mean(dim=1, keepdim=True)
    axis = "The reward met the glimpses: give it a second axis, (batch, 1), so that it repeats over the glimpses."
    recognise(
        result,
        (axis, -(log_probabilities * (reward - baselines)).sum(dim=1).mean()),
        ("Every picture has its own reward: you took their mean.", loss(reward.mean().expand(3), baselines)),
        ("Every picture has its own reward: you took the first.", loss(reward[:1].expand(3), baselines)),
        ("Each glimpse has its own baseline: you took their mean.", loss(reward, each.expand(3, 3))),
        ("Baselines and log-probabilities have the same axes: do not transpose.", loss(reward, baselines.T)),
    )
    hint = "Wrong where reward and baselines differ from picture to picture."
    expect_close(result, loss(reward, baselines), hint, "(), one number")


@rewarding.behaviour("works for other sizes and for rewards of any kind")
def _(answer):
    for batch, glimpses in [(1, 1), (1, 4), (5, 1), (4, 6)]:
        inputs = torch.randn(batch, glimpses), torch.randn(batch) * 3, torch.randn(batch, glimpses)
        hint = f"Wrong for {batch} picture(s) with {glimpses} glimpse(s) and the reward {float(inputs[1][0]):.1f}."
        expect_close(answer(*[i.clone() for i in inputs]), policy_loss(*inputs), hint, "(), one number")


@rewarding.behaviour("moves the log-probabilities towards what was rewarded")
def _(answer):
    reward, baselines = torch.tensor([1.0, 0.0]), torch.full((2, 3), 0.5)
    expect_gradients(
        lambda log_probabilities: answer(log_probabilities, reward.clone(), baselines.clone()),
        lambda log_probabilities: policy_loss(log_probabilities, reward, baselines),
        log_probabilities=torch.randn(2, 3),
    )


@rewarding.behaviour("sends no gradient into reward and baseline")
def _(answer):
    log_probabilities = torch.randn(2, 3, requires_grad=True)
    reward, baselines = torch.rand(2, requires_grad=True), torch.rand(2, 3, requires_grad=True)
    result = answer(log_probabilities * 1, reward * 1, baselines * 1)
    expect(isinstance(result, Tensor) and result.requires_grad, "Your result carries no gradient at all.")
    for name, leaf in (("baselines", baselines), ("reward", reward)):
        (gradient,) = torch.autograd.grad(result, leaf, allow_unused=True, retain_graph=True)
        hint = (
            f"A gradient leaks into {name}: the model could lower this loss by a worse guess. "
            "The advantage is held fixed: (reward − baseline).detach()."
        )
        expect(gradient is None or same(gradient, torch.zeros_like(leaf)), hint)


@rewarding.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, torch.randn(2, 3), torch.rand(2), torch.rand(2, 3))


@scoring.own_data
def _(generator):
    location, mean = torch.rand(2, 4, 2, generator=generator).mul(2).sub(1)
    return location, mean, float(0.1 + torch.rand((), generator=generator))


@rewarding.own_data
def _(generator):
    log_probabilities, baselines = torch.randn(2, 4, 3, generator=generator)
    return log_probabilities, torch.randint(0, 2, (4,), generator=generator).float(), baselines
