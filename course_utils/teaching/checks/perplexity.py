"""The exercise of lesson 7 on how surely a model writes; `lesson_07.py` lists it."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.teaching.checks.figures import expect_figure, number_of
from course_utils.teaching.checks.slips import expect_untouched
from course_utils.teaching.exercises import Exercise, expect


def perplexity(log_probabilities: Tensor, target: Tensor, target_mask: Tensor) -> float:
    """Tell among how many equally likely words a model would choose as unsurely.

    Args:
        log_probabilities: `(batch, target_length, vocabulary)`, nats.
        target: `(batch, target_length)` ids of the true words.
        target_mask: the same shape, True = real word.

    Returns:
        exp of the mean negative log-probability of the true words, over all real words of the batch; at least 1.
    """
    true = log_probabilities.gather(2, target.unsqueeze(2)).squeeze(2)
    return math.exp(-float(true[target_mask].double().mean()))


surprise = Exercise("07.perplexity", "Measure how surely a model writes", 1, 8, perplexity)
EXERCISES = [surprise]


def measured(answer: Callable, log_probabilities: Tensor, target: Tensor, mask: Tensor) -> float:
    """Let the answer measure, and insist on one number."""
    result = answer(log_probabilities.clone(), target.clone(), mask.clone())
    if isinstance(result, Tensor) and result.numel() > 1:
        expect(
            False, f"Perplexity is one number for the whole batch; yours is a tensor of shape {tuple(result.shape)}."
        )
    return number_of(result, "Perplexity")


@surprise.behaviour("is the number of words among which a model is undecided")
def _(answer):
    words = 7
    even = torch.full((2, 3, words), -math.log(words))
    found = measured(answer, even, torch.randint(words, (2, 3)), torch.ones(2, 3, dtype=torch.bool))
    expect_figure(
        found, words, "A model that finds 7 words equally likely has perplexity 7.",
        ("This is the mean negative log-probability: perplexity is exp of it.", math.log(words)),
        ("The sign is missing: perplexity is exp of MINUS the mean log-probability.", 1 / words),
        ("Logarithms here are natural ones, so take exp, not a power of 2.", 2 ** math.log(words)),
        ("Take the mean over the words before exp, not the sum.", float(words**6)),
        ("Take the mean over all words; you added over the words of a headline.", float(words**3)),
    )  # fmt: skip
    sure = torch.full((1, 2, 4), -50.0)
    sure[0, 0, 1] = sure[0, 1, 3] = 0.0
    found = measured(answer, sure, torch.tensor([[1, 3]]), torch.ones(1, 2, dtype=torch.bool))
    expect_figure(found, 1.0, "A model that is sure, and right, has perplexity 1.")


@surprise.behaviour("takes the probability of the true word, and the mean of logarithms")
def _(answer):
    table = torch.randn(3, 4, 6).mul(2).log_softmax(2)
    target, mask = torch.randint(6, (3, 4)), torch.ones(3, 4, dtype=torch.bool)
    true = table.gather(2, target[..., None])[..., 0].double()
    p = true.exp()
    expect_figure(
        measured(answer, table, target, mask), math.exp(-true.mean()), "Expected exp(−mean log p of the true words).",
        ("You took the most probable word; the TRUE word counts, however unlikely.",
         table.amax(2).double().mean().neg().exp()),
        ("Average the logarithms, not the probabilities.", 1 / p.mean()),
        ("Average the logarithms and then take exp once; you averaged the perplexities of words.", (1 / p).mean()),
        ("Average over all words and take exp once; you averaged the headlines' perplexities.",
         true.mean(1).neg().exp().mean()),
        ("This is the entropy of the model's guesses: the true word's probability counts.",
         (-(table.exp() * table).sum(2).double().mean()).exp()),
        ("You averaged over the whole vocabulary: gather the true words first.", table.double().mean().neg().exp()),
        ("This is the mean negative log-probability: perplexity is exp of it.", -true.mean()),
        ("The logarithm is taken twice: the table has log-probabilities already.", (-true.neg().log().mean()).exp()),
    )  # fmt: skip


@surprise.behaviour("counts real words only, each as much as any other")
def _(answer):
    table = torch.randn(4, 5, 6).mul(2).log_softmax(2)
    target = torch.randint(6, (4, 5))
    mask = torch.arange(5) < torch.tensor([[5], [2], [1], [4]])
    target[~mask] = 0
    true = table.gather(2, target[..., None])[..., 0].double()
    kept = true * mask
    means = kept.sum(1) / mask.sum(1)
    expect_figure(
        measured(answer, table, target, mask), math.exp(-true[mask].mean()), "Expected the mean over real words only.",
        ("Padding is counted as words: use the mask.", true.mean().neg().exp()),
        ("Divide by the number of real words, not by that of all places.", kept.mean().neg().exp()),
        ("The mask is upside down: True marks a real word.", true[~mask].mean().neg().exp()),
        ("Each word counts the same: you averaged the headlines' means, so short headlines weigh more.",
         means.mean().neg().exp()),
        ("Average over all words and take exp once; you averaged the headlines' perplexities.",
         means.neg().exp().mean()),
        ("Divide by the number of words, not by that of headlines.", (kept.sum() / 4).neg().exp()),
        ("The padding symbol 0 may be a true word, too: go by the mask, not by the id.",
         true[target != 0].mean().neg().exp()),
    )  # fmt: skip


@surprise.behaviour("goes by the mask, whatever the ids are")
def _(answer):
    table = torch.randn(2, 3, 4).log_softmax(2)
    target = torch.tensor([[0, 2, 1], [3, 0, 0]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    hint = "A true word may have the id 0, and padding another: go by the mask, not by the id."
    expect_figure(measured(answer, table, target, mask), perplexity(table, target, mask), hint)
    wild = table.clone()
    wild[1, 2] = float("-inf")
    hint = (
        "A probability of zero at a place of padding must not matter: pick the real words, do not multiply by the mask."
    )
    expect_figure(measured(answer, wild, target, mask), perplexity(table, target, mask), hint)


@surprise.behaviour("leaves its inputs as they were")
def _(answer):
    table = torch.randn(2, 3, 4).log_softmax(2)
    expect_untouched(answer, table, torch.randint(4, (2, 3)), torch.arange(3) < torch.tensor([[3], [1]]))


@surprise.own_data
def _(generator):
    table = (2 * torch.randn(4, 5, 6, generator=generator)).log_softmax(dim=2)
    mask = torch.arange(5) < torch.randint(1, 6, (4, 1), generator=generator)
    return table, torch.randint(6, (4, 5), generator=generator), mask
