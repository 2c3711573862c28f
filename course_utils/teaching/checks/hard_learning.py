"""The exercise of lesson 4 on learning from looks that were drawn by chance; `lesson_04.py` lists it."""

import math

import torch
from torch import Tensor

from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close


def hard_loss(
    log_probabilities: Tensor,
    entropies: Tensor,
    target_mask: Tensor,
    reward: Tensor,
    baseline: float,
    reward_weight: float,
    entropy_weight: float,
) -> tuple[Tensor, float]:
    """Turn the chance looks of a batch into a loss, and carry the moving-average baseline on.

    Source: Xu et al. 2015, arXiv 1502.03044, section 4.1: the terms of the learning rule that hold the sampled looks.

    Args:
        log_probabilities: `(batch, steps)`, of the cells drawn.
        entropies: `(batch, steps)`, of the weights they were drawn from.
        target_mask: `(batch, steps)` booleans, True = real token.
        reward: `(batch,)`, log-probability of each caption; held fixed.
        baseline: the mean reward so far.
        reward_weight: λ_r.
        entropy_weight: λ_e.

    Returns:
        loss: a scalar, the mean over the batch.
        baseline: 0.9 times the old one plus 0.1 times the mean reward.
    """
    real = target_mask.to(log_probabilities)
    advantage = (reward.detach() - baseline).unsqueeze(1)  # (batch, 1)
    gain = reward_weight * advantage * log_probabilities + entropy_weight * entropies
    return -(gain * real).sum(dim=1).mean(), 0.9 * baseline + 0.1 * reward.mean().item()


learning = Exercise("04.hard-loss", "Learn from a look by chance", 3, 20, hard_loss)
EXERCISES = [learning]


def loss_of(answer, inputs: tuple) -> tuple[Tensor, float]:
    """Call the answer, and insist on a scalar loss and a baseline that is a plain number."""
    result = answer(*[value.clone() if isinstance(value, Tensor) else value for value in inputs])
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "Return two things, the loss and the new baseline: `return loss, baseline`.")
    loss, baseline = result
    turned = isinstance(loss, float) and isinstance(baseline, Tensor)
    expect(not turned, "Return the loss first, as a tensor, and then the baseline, as a float.")
    if isinstance(baseline, Tensor):
        expect(baseline.dim() == 0, "The baseline is one number for all pictures: take the mean of the rewards.")
        carried = (
            "The baseline is carried from batch to batch: make it a float, with .item(), or the graph grows for ever."
        )
        expect(not baseline.requires_grad, carried)
        baseline = float(baseline)
    expect(isinstance(baseline, float | int), f"The baseline is a {type(baseline).__name__}; return a float.")
    return loss, float(baseline)


def example(batch: int = 3, steps: int = 4, full: bool = False) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw log-probabilities, entropies, mask and reward."""
    lengths = torch.full((batch, 1), steps) if full else 1 + torch.arange(batch).unsqueeze(1) % steps
    mask = torch.arange(steps) < lengths
    return -torch.rand(batch, steps) * 2, torch.rand(batch, steps) + 0.5, mask, -torch.rand(batch) * 6 - 1


@learning.behaviour("weighs each look by reward minus baseline")
def _(answer):
    logs, entropies, mask, _ = example(full=True)
    reward = torch.tensor([-1.2, -4.1, -2.9])  # one above the baseline, two below
    baseline, weight = -2.5, 0.7
    loss, _ = loss_of(answer, (logs, entropies, mask, reward, baseline, weight, 0.0))
    advantage = (reward - baseline).unsqueeze(1)

    def by(factor, logs=logs):
        return -weight * (factor * logs).sum(1).mean()

    right = by(advantage)
    new = 0.9 * baseline + 0.1 * reward.mean().item()
    each = reward.unsqueeze(1)
    sums = "Sum over the steps; you took the mean over them."
    plain = "The advantage is used as it is: no standard deviation, no absolute value, no square."
    own = "Every caption has its own reward:"
    product = weight * advantage * logs
    recognise(
        loss,
        ("The sign is turned: a loss falls, so minus is needed for the reward to rise.", -right),
        ("The baseline is missing: weigh by reward minus baseline.", by(each)),
        ("The baseline was added: subtract it from the reward.", by(each + baseline)),
        ("The baseline was moved before it was used: this batch is compared with the old one.", by(each - new)),
        ("The baseline is a running mean, not that of this batch: use the one given.", by(each - reward.mean())),
        ("The weight of the reward term, λ_r, is missing.", right / weight),
        ("λ_r counts once; it is there twice.", right * weight),
        (
            "λ_r weighs the whole advantage: (reward − baseline) in brackets.",
            -(weight * each * logs - baseline * logs).sum(1).mean(),
        ),
        (
            "λ_r weighs the whole advantage: (reward − baseline) in brackets.",
            -((weight * each - baseline) * logs).sum(1).mean(),
        ),
        (
            "Multiply in brackets: (reward − baseline) · log-probability.",
            -weight * (each - baseline * logs).sum(1).mean(),
        ),
        (sums, -product.mean()),
        ("Take the mean over the batch; you summed over it.", -product.sum()),
        ("Sum over the steps, mean over the batch; yours are swapped.", -product.mean(1).sum()),
        ("Return one number: take the mean over the batch, too.", -product.sum(1)),
        ("Return one number: sum over the steps and take the mean over the batch.", -product),
        ("Weigh the log-probabilities, not the probabilities.", by(advantage, logs.exp())),
        ("These are log-probabilities already: no second logarithm.", by(advantage, logs.abs().log())),
        ("The reward is a log-probability: take it as it is, no exp.", by(each.exp() - baseline)),
        (f"{own} you took their mean.", by(reward.mean() - baseline)),
        (f"{own} you took the first.", by(reward[0] - baseline)),
        (plain, by(advantage.abs())),
        (plain, by(advantage**2)),
        (plain, by((advantage - advantage.mean()) / advantage.std())),
        (plain, by(advantage.relu())),
        ("The reward itself is another term of the loss, the captions' own: leave it out here.", right - reward.mean()),
        ("Only the last step counts for you: sum over all of them.", -product[:, -1].mean()),
    )
    expect_close(
        loss, right, "With λ_e = 0 expected − mean over the batch of λ_r (R − b) Σ_t log p(s_t).", "(), one number"
    )


@learning.behaviour("rewards looks that stay open, by their entropy")
def _(answer):
    logs, entropies, mask, reward = example(full=True)
    baseline, weight, open_weight = -3.0, 0.6, 0.25
    loss, _ = loss_of(answer, (logs, entropies, mask, reward, baseline, weight, open_weight))
    advantage = (reward - baseline).unsqueeze(1)
    policy = -(weight * advantage * logs).sum(1).mean()
    entropy = entropies.sum(1).mean()
    recognise(
        loss,
        ("The entropy is missing: subtract λ_e Σ_t H_t.", policy),
        ("The sign of the entropy is turned: more of it should make the loss smaller.", policy + open_weight * entropy),
        ("The sign of both terms is turned: a loss falls, so minus is needed.", -policy + open_weight * entropy),
        ("The sign of the reward term is turned: minus, for the reward to rise.", -policy - open_weight * entropy),
        ("The weight of the entropy, λ_e, is missing.", policy - entropy),
        ("λ_r weighs the reward term alone: the entropy has λ_e.", policy - weight * open_weight * entropy),
        ("λ_r and λ_e are swapped.", policy * open_weight / weight - weight * entropy),
        ("The entropy has λ_e, not λ_r.", policy - weight * entropy),
        (
            "The entropy is summed over the steps, like the log-probabilities; you took the mean.",
            policy - open_weight * entropies.mean(),
        ),
        ("The entropy is averaged over the batch; you summed over it.", policy - open_weight * entropies.sum()),
        ("The entropy is not weighed by the advantage.", policy - open_weight * (advantage * entropies).sum(1).mean()),
        (
            "The entropy is not weighed by the advantage.",
            policy - weight * open_weight * (advantage * entropies).sum(1).mean(),
        ),
        (
            "The entropies are given: do not compute them from the log-probability drawn.",
            policy + open_weight * logs.sum(1).mean(),
        ),
        (
            "The entropies are given: do not compute them from the log-probability drawn.",
            policy + open_weight * (logs.exp() * logs).sum(1).mean(),
        ),
        (
            "The baseline was moved before it was used: this batch is compared with the old one.",
            -(weight * (advantage + 0.1 * baseline - 0.1 * reward.mean()) * logs).sum(1).mean() - open_weight * entropy,
        ),
        (
            "The baseline is missing: weigh by reward minus baseline.",
            -(weight * reward.unsqueeze(1) * logs).sum(1).mean() - open_weight * entropy,
        ),
        ("Every look adds its entropy; multiply nothing else in.", policy * (1 - open_weight * entropy)),
    )
    hint = "Expected − mean over the batch of Σ_t [λ_r (R − b) log p(s_t) + λ_e H_t]."
    expect_close(loss, policy - open_weight * entropy, hint, "(), one number")


@learning.behaviour("does not count padding")
def _(answer):
    logs, entropies, mask, reward = example(4, 5)
    given = (reward, -2.0, 0.8, 0.3)
    loss, _ = loss_of(answer, (logs, entropies, mask, *given))
    real, advantage = mask.float(), (reward + 2.0).unsqueeze(1)
    everything = torch.ones_like(real)

    def of(for_logs, for_entropies=None, divide=1.0):
        second = for_logs if for_entropies is None else for_entropies
        each = 0.8 * advantage * logs * for_logs + 0.3 * entropies * second
        return -(each.sum(1) / divide).mean()

    counts = real.sum(1)
    recognise(
        loss,
        ("Padding was counted: multiply both terms by the mask.", of(everything)),
        ("The mask is upside down: True marks a real token.", of(1 - real)),
        ("Padding was counted in the entropies: mask them, too.", of(real, everything)),
        ("Padding was counted in the log-probabilities: mask them, too.", of(everything, real)),
        ("Sum over the real steps; you took their mean.", of(real, divide=counts)),
        ("Divide by the number of captions, not of tokens.", of(real) * 4 / counts.sum()),
        ("Divide by the number of captions, not of tokens or places.", of(real) / 5),
        (
            "Only captions without padding count for you: mask steps, not captions.",
            of(real * mask.all(1, keepdim=True)),
        ),
        ("You took the length of the first caption for all.", of(real[:1].expand_as(real))),
        ("You took the length of the last caption for all.", of(real[-1:].expand_as(real))),
    )
    right, _ = hard_loss(logs, entropies, mask, *given)
    expect_close(loss, right, "A step whose mask is False adds nothing to either term.", "(), one number")


@learning.behaviour("gives every look of a caption that caption's reward")
def _(answer):
    logs, entropies, mask, reward = example(4, 4)  # equal sizes: every broadcast works
    loss, _ = loss_of(answer, (logs, entropies, mask, reward, -3.5, 1.0, 0.1))
    real, term = mask.float(), -0.1 * (entropies * mask).sum(1).mean()
    axis = "The reward met the steps: give it a second axis, (batch, 1), so that it repeats over the steps."
    recognise(
        loss,
        (axis, -((reward + 3.5) * logs * real).sum(1).mean() + term),
        (
            "Every caption has its own reward: you took their mean.",
            -((reward.mean() + 3.5) * logs * real).sum(1).mean() + term,
        ),
        (
            "Every caption has its own reward: you took the first.",
            -((reward[0] + 3.5) * logs * real).sum(1).mean() + term,
        ),
        (
            "Mask and log-probabilities have the same axes: do not transpose.",
            -((reward + 3.5)[:, None] * logs * real.T).sum(1).mean() - 0.1 * (entropies * real.T).sum(1).mean(),
        ),
    )
    right, _ = hard_loss(logs, entropies, mask, reward, -3.5, 1.0, 0.1)
    expect_close(loss, right, "Wrong where the rewards differ from caption to caption.", "(), one number")


@learning.behaviour("moves the baseline a tenth of the way to the mean reward")
def _(answer):
    logs, entropies, mask, _ = example(4, 3)
    reward, baseline = torch.tensor([-3.0, -7.5, -1.0, -4.5]), -1.5
    _, moved = loss_of(answer, (logs, entropies, mask, reward, baseline, 0.7, 0.2))
    mean, kept = reward.mean().item(), 0.9 * baseline
    right = kept + 0.1 * mean
    recognise(
        moved,
        (
            "The two weights are swapped: keep 0.9 of the old baseline, and take 0.1 of the mean reward.",
            0.1 * baseline + 0.9 * mean,
        ),
        ("The baseline did not move: return 0.9 b + 0.1 mean reward.", baseline),
        ("This forgets the old baseline: keep 0.9 of it.", mean),
        ("This forgets the old baseline: keep 0.9 of it.", 0.1 * mean),
        ("The mean reward moves the baseline; you took the sum.", kept + 0.1 * float(reward.sum())),
        ("The mean reward moves the baseline; you took the first one.", kept + 0.1 * float(reward[0])),
        ("The mean reward moves the baseline; you took the last one.", kept + 0.1 * float(reward[-1])),
        ("The mean reward moves the baseline; you took the best one.", kept + 0.1 * float(reward.max())),
        ("Keep 0.9 of the old baseline, not all of it.", baseline + 0.1 * mean),
        ("Add 0.1 of the mean reward, not all of it.", kept + mean),
        ("Add the reward; you subtracted it.", kept - 0.1 * mean),
        ("Add a tenth of the reward, not of the advantage, to 0.9 b.", kept + 0.1 * (mean - baseline)),
        ("λ_r weighs the loss, not the baseline.", kept + 0.07 * mean),
        ("The baseline is halfway now: keep 0.9 of the old one.", (baseline + mean) / 2),
        ("Keep 0.9, not 0.99, of the old baseline.", 0.99 * baseline + 0.01 * mean),
    )
    hint = f"Expected 0.9 · ({baseline}) + 0.1 · ({mean}), the mean reward, which is {right:.4g}; got {moved:.4g}."
    expect(math.isclose(moved, right, abs_tol=1e-5), hint)
    for start in (-5.0, 0.0, 2.0):
        inputs = (*example(5, 2), start, 0.5, 0.2)
        right = 0.9 * start + 0.1 * inputs[3].mean().item()
        hint = f"From the baseline {start} the mean reward {inputs[3].mean().item():.3f} leads to {right:.4f}."
        expect(math.isclose(loss_of(answer, inputs)[1], right, abs_tol=1e-5), hint)


@learning.behaviour("sends the gradient into log-probabilities and entropies, not into the reward")
def _(answer):
    logs, entropies, mask, reward = example(3, 3)
    names = {"log_probabilities": logs, "entropies": entropies}

    def loss(function):
        return lambda logs, entropies: function(logs, entropies, mask.clone(), reward.clone(), -2.0, 0.5, 0.2)[0]

    expect_gradients(loss(answer), loss(hard_loss), **names)
    leaves = [logs.requires_grad_(), entropies.requires_grad_(), reward.requires_grad_()]
    result = answer(leaves[0] * 1, leaves[1] * 1, mask.clone(), leaves[2] * 1, -2.0, 0.5, 0.2)
    carried = (
        "The new baseline carries a gradient: make it a float with .item(), or the graph grows from batch to batch."
    )
    expect(not (isinstance(result[1], Tensor) and result[1].requires_grad), carried)
    (gradient,) = torch.autograd.grad(result[0], leaves[2], allow_unused=True)
    leak = (
        "A gradient leaks into the reward: the captions' own loss trains them. "
        "The advantage is held fixed here: (reward - baseline).detach()."
    )
    expect(gradient is None or not bool(gradient.any()), leak)


@learning.behaviour("works for other sizes, weights and rewards")
def _(answer):
    for batch, steps, baseline, weight, open_weight in [
        (1, 1, 0.0, 1.0, 0.0),
        (1, 5, -1.5, 0.3, 0.01),
        (6, 1, 2.0, 0.0, 1.0),
        (5, 7, -8.0, 2.0, 0.5),
    ]:
        inputs = (*example(batch, steps), baseline, weight, open_weight)
        loss, _ = loss_of(answer, inputs)
        hint = f"Wrong for {batch} caption(s) of {steps} step(s), b = {baseline}, λ_r = {weight}, λ_e = {open_weight}."
        expect_close(loss, hard_loss(*inputs)[0], hint, "(), one number")


@learning.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, *example(2, 3), -2.0, 0.5, 0.2)


@learning.own_data
def _(generator):
    log_probabilities, entropies = torch.rand(2, 5, 4, generator=generator)
    mask = torch.arange(4) < torch.randint(1, 5, (5, 1), generator=generator)
    reward = -6 * torch.rand(5, generator=generator)
    baseline, *weights = torch.rand(3, generator=generator).tolist()
    return -2 * log_probabilities, entropies, mask, reward, -5 * baseline, *weights
