"""Lesson 4: learn from sampled cells, by reward, baseline and entropy."""

from functools import partial

import torch

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, padding, sizes

LOGS = torch.tensor([[-1.0, -2.0, -0.5], [-0.25, -3.0, -4.0]])
ENTROPIES = torch.tensor([[1.0, 0.5, 0.25], [0.5, 2.0, 3.0]])
REWARD = torch.tensor([-3.0, -6.0])
PADDED = torch.tensor([[True, True, True], [True, False, False]])
FULL = LOGS, ENTROPIES, PADDED | True, REWARD


def hard_loss(log_probabilities, entropies, target_mask, reward, baseline, reward_weight, entropy_weight):
    """Turn the sampled cells of a batch into a loss, and move the baseline.

    L = − mean over captions of Σ_t [λ_r (R − b) log p(s_t) + λ_e H_t],  b ← 0.9 b + 0.1 mean R

    Takes log-probabilities and entropies, (batch, steps), in nats; the target mask (batch, steps), True at real words;
    rewards (batch,), held fixed; b, λ_r and λ_e. Returns the loss, shape (), and the new baseline, a float. Source: Xu
    et al. 2015, arXiv 1502.03044, section 4.1, equations 11 and 12.
    """
    gain = reward_weight * (reward.detach() - baseline).unsqueeze(1) * log_probabilities + entropy_weight * entropies
    return -_by_caption(gain, target_mask), _moved(reward, baseline)


def _by_caption(gain, mask):
    return gain.masked_fill(~mask, 0.0).sum(dim=1).mean()


def _moved(reward, baseline):
    return 0.9 * baseline + 0.1 * reward.mean().item()


def sample(generator: torch.Generator, batch=3, steps=4) -> tuple:
    """Make arguments; the first caption is full, the last one has one word. Some log-probabilities are zero."""
    logs = -2 * torch.randn(batch, steps, generator=generator).relu()
    entropies, reward = torch.rand(batch, steps, generator=generator), -6 * torch.rand(batch, generator=generator)
    mask = torch.arange(steps) < torch.linspace(steps, 1, batch).round().unsqueeze(1)
    return logs, entropies, mask, reward, *torch.tensor([-2.5, 0.75, 0.3]).tolist()


def _on_reward(answer, logs, entropies, mask, reward, *numbers):
    """Observe what the loss and the new baseline do to the reward that they are computed from."""
    leaf = reward.clone().requires_grad_()
    loss, baseline = answer(logs.clone().requires_grad_() * 1, entropies, mask, leaf * 1, *numbers)
    gradient = getattr(loss, "requires_grad", False) and torch.autograd.grad(loss, leaf, allow_unused=True)[0]
    reached = isinstance(gradient, torch.Tensor) and bool(gradient.any())
    carries = getattr(baseline, "requires_grad", False)
    return {"returned": (loss, baseline), "reward has a gradient": reached, "baseline has a gradient": carries}


def _in_parts(p, h, m, reward, b, r, e, *, ahead=lambda r, b: r - b, gain=None, reduce=_by_caption, move=_moved):
    """Do what the reference does; the advantage, the gain of a step, sum and mean, and the baseline can be others."""
    advantage = ahead(reward[:, None], b)
    return -reduce(gain(p, h, advantage, r, e) if gain else r * advantage * p + e * h, m), move(reward, b)


def _mistake(hint, ask="", **parts):
    return Mistake(hint, lambda p, h, m, reward, *rest: _in_parts(p, h, m, reward.detach(), *rest, **parts), ask)


def _by_loops(logs, entropies, mask, reward, baseline, weight, open_weight):
    total = 0.0
    for b, t in mask.nonzero().tolist():
        total = total - weight * (reward[b].item() - baseline) * logs[b, t] - open_weight * entropies[b, t]
    return total / len(logs), baseline * 0.9 + sum(reward.tolist()) / len(logs) * 0.1


def _by_selecting(logs, entropies, mask, reward, baseline, weight, open_weight):
    fixed = (reward.detach() - baseline).unsqueeze(1).expand_as(logs)
    loss = weight * (fixed[mask] * -logs[mask]).sum() - open_weight * entropies[mask].sum()
    return [loss.div(mask.shape[0]), baseline + 0.1 * (reward.detach().mean() - baseline)]


OWN = "Every caption has its own reward: not their mean, not the first."
PLAIN = "The advantage counts as it is, R − b: no absolute value, standard deviation or limit."
OLD = "The baseline was moved before it was used: this batch is compared with the old one."
ENTROPY = "The entropies are given, and weighed by λ_e alone."
COUNTED = "Padding was counted: mask both terms."
NAN = "0 times NaN is NaN: put 0 in place of padded steps (torch.where or masked_fill), do not multiply."
FIXED = "A gradient reaches the reward: the advantage is a fixed number here, (reward - baseline).detach()."
FLOAT = "The new baseline carries a gradient, and the graph grows from batch to batch: make it a float, with .item()."
TENTH = "The new baseline is 0.9 of the old one plus 0.1 of the mean reward."
BETTER = "The caption was better than usual: should the sampled cell become more probable?"
ONE = "What would a batch of one caption learn from that?"
LENGTHS = "Two words and ten: should each sampled cell of both count the same?"
LEARNS = "Through which term does the decoder learn its words?"

EXERCISE = Exercise(
    Task("04.hard-loss", "Learn from the sampled cells", 3, 20, "(), one number; a float"),
    hard_loss,
    sample,
    cases=[
        Case("If λ_e = 0, L = − mean λ_r (R − b) Σ log p; b moves a tenth of the way.", (*FULL, -5.0, 0.5, 0.0)),
        Case("The entropies are rewarded, too.", (*FULL, -5.0, 0.5, 0.2)),
        Case("Padded steps count in neither term.", (LOGS, ENTROPIES, PADDED, REWARD, -5.0, 0.5, 0.2)),
        Case("Each caption has its own reward; batch and steps may be equal.", dict(batch=4, steps=4)),
        Case("The baseline may be 0, and a reward above it.", (LOGS, ENTROPIES, PADDED, REWARD + 5, 0.0, 1.0, 0.1)),
        Case("Nothing is cut.", (60 * LOGS, 20 * ENTROPIES, PADDED, 90 * REWARD, -90.0, 0.01, 2.5)),
        Case("No gradient reaches the reward, and the new baseline is a plain number.", observe=_on_reward, note=FIXED),
    ],
    demands=[
        padding(log_probabilities="target_mask", entropies="target_mask"),
        sizes(batch=1, steps=1),
        sizes(steps=80),
        differentiable("log_probabilities", "entropies"),
    ],
    mistakes=[
        _mistake(
            "A loss is minimised: both terms have a minus.", BETTER, gain=lambda p, h, d, r, e: -r * d * p - e * h
        ),
        _mistake(
            "The reward term has a minus: −λ_r (R − b) log p.", BETTER, gain=lambda p, h, d, r, e: e * h - r * d * p
        ),
        _mistake("More entropy makes the loss smaller: minus.", BETTER, gain=lambda p, h, d, r, e: r * d * p - e * h),
        _mistake("The baseline is missing: the advantage is R − b.", ahead=lambda r, b: r),
        _mistake("The baseline was added: subtract it.", ahead=lambda r, b: r + b),
        _mistake("The baseline is the one given, not this batch's mean.", ONE, ahead=lambda r, b: r - r.mean()),
        Mistake(OLD, lambda *a: (hard_loss(*a[:4], _moved(*a[3:5]), *a[5:])[0], _moved(*a[3:5])), ONE),
        *[_mistake(OWN, ahead=lambda r, b, f=f: f(r) - b) for f in (torch.mean, lambda r: r[0])],
        _mistake(PLAIN, ahead=lambda r, b: (r - b).abs()),
        _mistake(PLAIN, ahead=lambda r, b: (r - r.mean()) / (r - b).std(correction=0)),
        _mistake(PLAIN, ahead=lambda r, b: (r - b).clamp(-10, 10)),
        _mistake("The reward met the steps: make it (batch, 1).", ahead=lambda r, b: r.squeeze(1) - b),
        _mistake("λ_r is missing: it weighs the reward term.", gain=lambda p, h, d, r, e: d * p + e * h),
        _mistake("The entropy is missing: add λ_e H_t in the brackets.", gain=lambda p, h, d, r, e: r * d * p),
        _mistake("λ_e is missing: it weighs the entropy.", gain=lambda p, h, d, r, e: r * d * p + h),
        _mistake("λ_r and λ_e are swapped.", gain=lambda p, h, d, r, e: e * d * p + r * h),
        _mistake(ENTROPY, gain=lambda p, h, d, r, e: r * (d * p + e * h)),
        _mistake(ENTROPY, gain=lambda p, h, d, r, e: d * (r * p + e * h)),
        _mistake(ENTROPY, gain=lambda p, h, d, r, e: r * d * p - e * p.exp() * p),
        _mistake("Weigh log-probabilities, not probabilities.", gain=lambda p, h, d, r, e: r * d * p.exp() + e * h),
        _mistake(COUNTED, reduce=lambda g, m: g.sum(1).mean()),
        Mistake(COUNTED, lambda p, h, m, *rest: hard_loss(p * m, h, m | True, *rest)),
        Mistake(COUNTED, lambda p, h, m, *rest: hard_loss(p, h * m, m | True, *rest)),
        _mistake("The mask is upside down: True marks a real word.", reduce=lambda g, m: _by_caption(g, ~m)),
        _mistake(NAN, reduce=lambda g, m: (g * m).sum(1).mean()),
        _mistake("Sum over the steps; you took the mean.", LENGTHS, reduce=lambda g, m: _by_caption(g, m) / m.shape[1]),
        _mistake("Sum over the real steps, no mean.", LENGTHS, reduce=lambda g, m: _by_caption(g / m.sum(1, True), m)),
        _mistake("Take the mean over the captions, not the sum.", reduce=lambda g, m: _by_caption(g, m) * len(m)),
        _mistake("Sum over steps, mean over captions.", reduce=lambda g, m: _by_caption(g, m) * len(m) / m.shape[1]),
        _mistake(
            "Divide by captions, not by words.", LENGTHS, reduce=lambda g, m: _by_caption(g, m) * len(m) / m.sum()
        ),
        Mistake(FIXED, _in_parts, LEARNS),
        Mistake(FLOAT, partial(_in_parts, move=lambda r, b: 0.9 * b + 0.1 * r.mean()), LEARNS),
        _mistake("The baseline did not move.", move=lambda r, b: b),
        _mistake(TENTH, move=lambda r, b: 0.1 * b + 0.9 * r.mean().item()),
        _mistake(TENTH, move=lambda r, b: b + 0.1 * r.mean().item()),
        _mistake(TENTH, move=lambda r, b: 0.9 * b + 0.1 * (r.mean().item() - b)),
        _mistake("This forgets the old baseline: keep 0.9 of it.", move=lambda r, b: r.mean().item()),
        _mistake("Take the rewards' mean, not their sum.", move=lambda r, b: 0.9 * b + 0.1 * r.sum().item()),
        _mistake("The baseline is one number for all: take the mean.", move=lambda r, b: 0.9 * b + 0.1 * r),
        Mistake("Swapped: return the loss first, then the baseline.", lambda *a: hard_loss(*a)[::-1]),
    ],
    right=[_by_loops, _by_selecting],
)
