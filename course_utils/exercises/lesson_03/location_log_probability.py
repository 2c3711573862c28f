"""Lesson 3: the log probability of a sampled location."""

import math

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, differentiable, sizes
from course_utils.mechanisms.vision import location_log_probability


def log_density(location: Tensor, mean: Tensor, std: float) -> Tensor:
    """Log density of each location under a Gaussian with the standard deviation `spread`, in nats."""
    return location_log_probability(location, mean, std)


def sample(generator: torch.Generator, batch=3) -> tuple[Tensor, Tensor, float]:
    """Make locations and means; in a batch, the last location is its mean."""
    location, mean = (2 * torch.rand(batch, 2, generator=generator) - 1 for _ in range(2))
    if batch > 1:
        location[-1] = mean[-1]
    return location, mean, float(0.1 + torch.rand((), generator=generator))


def _terms(near, i, j):
    """Make an answer of near · (−|l − μ|² / 2σ²) − i log σ − j log 2π."""
    return lambda x, m, s: -near * (x - m).square().sum(-1) / (2 * s**2) - i * math.log(s) - j * math.log(2 * math.pi)


def _at(part):
    return lambda location, mean, s: log_density(mean, mean, s) - part(location - mean, s)


_each = changing(lambda location, mean, s: torch.distributions.Normal(mean, s).log_prob(location))
_then = changing(log_density)
MEAN = torch.tensor([[0.1, -0.3], [0.1, 0.4], [0.9, -1.0]])
LOCATION = torch.tensor([[0.3, -0.2], [-0.5, 0.9], [1.2, -1.0]])
BOTH = "There are two coordinates, and the normaliser counts for each of them: 2 log σ + log 2π in all."
SIGMA = "`spread` is σ, the standard deviation: square it below the distance, and take 2 log σ."
MANY = "How many coordinates has a location?"
NATURAL = "Use the natural logarithm, math.log or torch.log."
ONE = "Return one number for each image: sum over the coordinates alone, dim=-1."
CUT = "Nothing is cut: a location far away is as improbable as the formula says."

EXERCISE = Exercise(
    Task("03.location-log-probability", "Score a sampled location", 1, 8, "(batch,)"),
    log_density,
    sample,
    cases=[
        Case("It is the logarithm of a Gaussian's density.", (LOCATION, MEAN, 0.3)),
        Case("Two images and two coordinates: each image has its own number.", (LOCATION[:2], MEAN[:2], 2.5)),
        Case("At the mean of a narrow Gaussian it is above zero.", (MEAN, MEAN, 0.001)),
        Case(
            "Far away the density is 0 as a float, its logarithm still a number.", (1e4 * LOCATION, -1e4 * MEAN, 0.02)
        ),
    ],
    demands=[sizes(batch=1), sizes(batch=300), differentiable("mean")],
    mistakes=[
        Mistake("The normaliser is missing: subtract 2 log σ + log 2π.", _terms(1, 0, 0)),
        Mistake("The term with σ is missing: subtract 2 log σ.", _terms(1, 0, 1)),
        Mistake("The term with 2π is missing: subtract log 2π.", _terms(1, 2, 0)),
        *[Mistake(BOTH, _terms(1, i, j), MANY) for i, j in ((1, 0.5), (1, 1), (2, 0.5))],
        Mistake("The normaliser counts twice: it is 2 log σ + log 2π.", _terms(1, 4, 2)),
        Mistake("Subtract 2 log σ; you added it.", _terms(1, -2, 1)),
        Mistake("Subtract log 2π; you added it.", _terms(1, 2, -1)),
        Mistake("Divide the squared distance by 2σ², not by σ².", _terms(2, 2, 1)),
        Mistake("/ 2 * σ² multiplies by σ²: divide by (2 * σ²).", _at(lambda d, s: (d**2).sum(-1) / 2 * s**2)),
        *[Mistake(SIGMA, lambda x, m, s, power=power: log_density(x, m, s**power)) for power in (0.5, 2)],
        Mistake(SIGMA, lambda x, m, s: log_density(x, m, s**0.5) - math.log(s)),
        Mistake("log σ² is 2 log σ already: it counts once.", _terms(1, 4, 1)),
        Mistake("The distance is squared: |l − μ|².", _at(lambda d, s: d.norm(dim=-1) / (2 * s**2))),
        Mistake("Square the differences before you add them up.", _at(lambda d, s: d.sum(-1) ** 2 / (2 * s**2))),
        Mistake("The squared distance has a minus sign: far is less probable.", _terms(-1, 2, 1)),
        Mistake("Return the log probability, not minus it.", _then(torch.neg)),
        Mistake("This is the density: return its logarithm.", _then(torch.exp)),
        *[Mistake(NATURAL, _then(lambda x, base=base: x / math.log(base))) for base in (2, 10)],
        Mistake("Write the logarithm out: the density becomes 0, and log 0 is −∞.", _then(lambda x: x.exp().log())),
        Mistake("Add both coordinates up; you took their mean.", _each(lambda logs: logs.mean(-1))),
        Mistake("The two coordinates are still apart: add up the last dimension.", _each(lambda logs: logs)),
        *[Mistake(ONE, _each(reduce)) for reduce in (torch.sum, lambda logs: logs.sum(-1).mean())],
        Mistake("You added up the batch: sum over the coordinates, dim=-1.", _each(lambda logs: logs.sum(0))),
        Mistake("A dimension of size 1 is left over: no keepdim.", _each(lambda logs: logs.sum(-1, keepdim=True))),
        Mistake("A batch of one stays a batch: no squeeze().", _then(lambda x: x.squeeze())),
        Mistake("Every location has its own mean.", lambda x, m, s: log_density(x, m[:1].expand_as(m), s)),
        *[Mistake(CUT, _then(lambda x, least=least: x.clamp(min=least))) for least in (-100, -1e4)],
        Mistake("A log density may be above zero.", _then(lambda x: x.clamp(max=0))),
    ],
    right=[
        lambda x, m, s: sum(-(((x - m)[:, i] / s) ** 2) / 2 - math.log(s * math.sqrt(2 * math.pi)) for i in (0, 1)),
        lambda x, m, s: -nn.functional.gaussian_nll_loss(m, x, 0 * m + s**2, True, 1e-12, reduction="none").sum(dim=1),
        _each(lambda logs: logs.sum(dim=1)),
        lambda x, m, s: torch.distributions.MultivariateNormal(m, s**2 * torch.eye(2)).log_prob(x),
    ],
)
