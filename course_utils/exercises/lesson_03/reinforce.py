"""Lesson 3: learn from a reward."""

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, differentiable, sizes


def policy_loss(log_probabilities: Tensor, reward: Tensor, baselines: Tensor) -> Tensor:
    """Weigh each glimpse's log probability by its advantage, which is held fixed (Williams 1992)."""
    advantages = (reward.unsqueeze(1) - baselines).detach()  # (batch, glimpses)
    return -(log_probabilities * advantages).sum(dim=1).mean()


def sample(generator: torch.Generator, batch=4, glimpses=3) -> tuple[Tensor, Tensor, Tensor]:
    """Make log probabilities and rewards, some of them zero, and baselines."""
    log_probabilities, baselines = (2 * torch.randn(batch, glimpses, generator=generator) for _ in range(2))
    reward = 3 * torch.randn(batch, generator=generator)
    return log_probabilities * (log_probabilities > -2), reward * (reward.abs() > 1), baselines


def _weighed(weights: Callable) -> Callable:
    return lambda logs, reward, b: -(logs * weights(reward.unsqueeze(1), b).detach()).sum(dim=1).mean()


def _plus(error: Callable) -> Callable:
    return lambda logs, r, b: policy_loss(logs, r, b) + error((r.unsqueeze(1) - b).square())


def fixed(answer: Callable, logs: Tensor, reward: Tensor, baselines: Tensor) -> dict:
    """Observe the gradients that reach reward and baselines; none is the same as zero."""
    leaves = {"reward": reward.requires_grad_(), "baselines": baselines.requires_grad_()}
    result = answer(logs.requires_grad_() * 1, reward * 1, baselines * 1)
    found = [torch.zeros_like(leaf) for leaf in leaves.values()]
    if isinstance(result, Tensor) and result.requires_grad:
        found = torch.autograd.grad(result.sum(), list(leaves.values()), materialize_grads=True, allow_unused=True)
    return {"returned": result, **{f"gradient of {name}": g for name, g in zip(leaves, found, strict=True)}}


def _by_loops(logs, reward, baselines):
    pairs = [(b, t) for b in range(len(logs)) for t in range(logs.shape[1])]
    return -sum(logs[b, t] * (reward[b].item() - baselines[b, t].item()) for b, t in pairs) / len(logs)


def _by_einsum(logs, reward, baselines):
    advantages = torch.from_numpy(reward.detach().numpy()[:, None] - baselines.detach().numpy())
    return torch.einsum("bt,bt->", logs, advantages) / -len(logs)


_reduced = changing(lambda logs, reward, baselines: -logs * (reward.unsqueeze(1) - baselines).detach())
LOGS, REWARD = torch.tensor([[-0.5, 0.25, -2.0], [1.0, -1.5, -0.75]]), torch.tensor([0.75, -0.5])
BASELINES = torch.tensor([[0.25, 0.5, 0.75], [0.125, 0.5, 0.375]])
UP = "The reward is better than expected: up or down?"
OWN = "Every image has its own reward: you took {}."
BEFORE = "Each glimpse has its own baseline: multiply before you sum over the glimpses."
SIGN = "The advantage keeps its sign: below the baseline is bad news."
PLAIN = "Advantages are used as they are: no mean and no standard deviation."
ERROR = "The baseline's own error is another loss: leave it out."
LEAK = "The advantage is held fixed, (reward − baseline).detach(): else the loss could fall by a worse guess."
CUT = "Rewards and advantages may be any numbers: nothing is cut."

EXERCISE = Exercise(
    Task("03.reinforce", "Learn from a reward", 3, 15, "(), one number"),
    policy_loss,
    sample,
    cases=[
        Case("Each glimpse's log probability is weighed by the reward minus its baseline.", (LOGS, REWARD, BASELINES)),
        Case("All glimpses at an image have that image's reward.", dict(batch=3, glimpses=3)),  # equal sizes
        Case("No gradient reaches reward and baselines.", dict(batch=5, glimpses=2), observe=fixed, note=LEAK),
        Case("Rewards may be large.", (LOGS, torch.tensor([500.0, -2000.0]), BASELINES)),
        Case("Log probabilities may be far from zero.", (400 * LOGS, REWARD, BASELINES)),
    ],
    demands=[sizes(batch=1, glimpses=1), sizes(batch=40, glimpses=60), differentiable("log_probabilities")],
    mistakes=[
        Mistake("The sign is turned: a loss falls, a reward rises.", _reduced(lambda x: -x.sum(1).mean()), ask=UP),
        Mistake("The baseline is missing: weigh by reward minus baseline.", _weighed(lambda reward, b: reward)),
        Mistake("The baseline was added: subtract it from the reward.", _weighed(lambda reward, b: reward + b)),
        Mistake("The reward is missing: weigh by reward minus baseline.", _weighed(lambda reward, b: -b)),
        Mistake("Sum over the glimpses; you took the mean over them as well.", _reduced(torch.mean)),
        Mistake("Take the mean over the batch; you summed over it.", _reduced(torch.sum)),
        Mistake("Sum over the glimpses, mean over the batch, not vice versa.", _reduced(lambda x: x.mean(1).sum())),
        Mistake("Return one number: take the mean over the batch, too.", _reduced(lambda x: x.sum(dim=1))),
        Mistake("Return one number: sum over the glimpses, mean over the batch.", _reduced(lambda x: x)),
        Mistake("Return one number: sum over the glimpses, too.", _reduced(lambda x: x.mean(dim=0))),
        Mistake("Every glimpse counts; you took the last one only.", _reduced(lambda x: x[:, -1].mean())),
        Mistake("Weigh the log probabilities, not the probabilities.", lambda logs, *a: policy_loss(logs.exp(), *a)),
        Mistake(BEFORE, lambda logs, r, b: policy_loss(logs.sum(1, keepdim=True), r, b.mean(1, keepdim=True))),
        Mistake(BEFORE, lambda logs, r, b: -(logs.sum(1) * (r[:, None] - b).detach().sum(1)).mean()),
        Mistake("The reward met the glimpses: unsqueeze(1) it.", lambda p, r, b: -(p * (r - b).detach()).sum(1).mean()),
        Mistake(OWN.format("the first"), _weighed(lambda reward, b: reward[0] - b)),
        Mistake(OWN.format("their mean"), _weighed(lambda reward, b: reward.mean() - b)),
        Mistake("Each glimpse has its own baseline: you took the first.", _weighed(lambda r, b: r - b[:, :1])),
        *[Mistake(SIGN, _weighed(lambda reward, b, size=size: size(reward - b))) for size in (torch.abs, torch.relu)],
        Mistake("The advantage is not squared; the baseline's loss is.", _weighed(lambda r, b: (r - b) ** 2)),
        Mistake(PLAIN, _weighed(lambda r, b: r - b - (r - b).mean())),
        Mistake(PLAIN, _weighed(lambda r, b: (r - b - (r - b).mean()) / (r - b).std(correction=b.numel() > 1))),
        *[Mistake(ERROR, _plus(mean)) for mean in (torch.mean, lambda squares: squares.sum(dim=1).mean())],
        Mistake(LEAK, lambda p, r, b: -(p * (r[:, None] - b)).sum(1).mean(), ask="Who should learn from this loss?"),
        Mistake(LEAK, lambda logs, r, b: -(logs * (r[:, None].detach() - b)).sum(dim=1).mean()),
        Mistake(CUT, _weighed(lambda r, b: (r - b).clamp(-1, 1))),
        *[Mistake(CUT, _weighed(lambda r, b, ends=ends: r.clamp(*ends) - b)) for ends in ((0, 1), (-10, 10))],
        Mistake("A reward is any number, not only 0 or 1.", _weighed(lambda r, b: (r > 0.5).float() - b)),
        Mistake("Log probabilities are not cut.", lambda logs, *a: policy_loss(logs.clamp(-20, 20), *a)),
        Mistake("A loss may be below zero.", lambda *a: policy_loss(*a).abs()),
        Mistake("log π is what learns: do not detach it.", lambda *a: policy_loss(*a).detach()),
    ],
    right=[_by_loops, _by_einsum, lambda logs, r, b: ((b.data - r.data.unsqueeze(-1)) * logs).mean() * logs.shape[1]],
)
