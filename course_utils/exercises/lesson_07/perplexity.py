"""Lesson 7: the perplexity of a language model."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, padding, sizes

# The reference words have the probabilities 1/8, 1/2 and 1/4.
PROBABILITIES = torch.tensor([[[0.125, 0.75, 0.125], [0.5, 0.25, 0.25]], [[0.25, 0.5, 0.25], [0.9, 0.05, 0.05]]])
IMPROBABLE = torch.tensor([0.0, -700.0]).repeat(1, 20, 1)
TARGET, MASK = torch.tensor([[2, 0], [2, 0]]), torch.tensor([[True, True], [True, False]])


def perplexity(log_probabilities: Tensor, target: Tensor, target_mask: Tensor) -> float:
    """Return exp of the mean negative log-probability of the reference's words: at least 1.

    Takes log-probabilities `(batch, target_length, vocabulary)` in nats, ids `(batch, target_length)`, and a mask of
    that shape, True = real word.
    """
    return math.exp(-float(log_probabilities.gather(2, target.unsqueeze(2)).squeeze(2)[target_mask].double().mean()))


def sample(generator: torch.Generator, batch=4, length=5, vocabulary=6) -> tuple[Tensor, Tensor, Tensor]:
    """Make arguments; the first row is full, the last has one real word, and the ids 0 and vocabulary − 1 are real."""
    table = (2 * torch.randn(batch, length, vocabulary, generator=generator)).log_softmax(dim=2)
    target = torch.randint(vocabulary, (batch, length), generator=generator)
    target[0, 0], target[-1, 0] = 0, vocabulary - 1
    return table, target, torch.arange(length) < torch.linspace(length, 1, batch).round().unsqueeze(1)


def _exp_minus(mean: Callable) -> Callable:
    return _of_target(lambda true, mask: mean(true, mask).neg().exp())


def _of_words(finish: Callable) -> Callable:
    return _of_target(lambda true, mask: finish(true[mask]))


def _means(true: Tensor, mask: Tensor) -> Tensor:
    return true.masked_fill(~mask, 0.0).sum(1) / mask.sum(1)


_of_target = changing(lambda p, y, m: (p.gather(2, y.unsqueeze(2)).squeeze(2), m))
ONE_MEAN = "Should a word of a short headline count more than one of a long one?"
ZERO_TIMES = "What is zero times infinity?"
SURE = "A model is certain of the wrong word: should that raise or lower its perplexity?"
CERTAIN = "Which of the two knows for certain what is padding?"
ONCE = "Take exp once, at the end: average logarithms, not perplexities."
TIMES = "Padding holds NaN or infinity: pick the real words, do not multiply by the mask."
LIMITS = "Do not limit the log-probabilities."
ENTROPY = "This is the entropy of the model's distribution: the reference word's probability counts."

EXERCISE = Exercise(
    Task("07.perplexity", "Compute the perplexity of a model", 1, 8),
    perplexity,
    sample,
    cases=[
        Case("Perplexity is exp of the mean negative log-probability.", (PROBABILITIES.log(), TARGET, MASK)),
        Case(
            "A model that finds 7 words equally likely has perplexity 7.",
            (torch.full((2, 2, 7), 1 / 7).log(), 3 * TARGET, MASK),
        ),
        Case("All real words of the batch count the same, also those with the id 0."),
        Case("Words may be improbable: nothing is cut.", (IMPROBABLE, torch.eye(20).long()[:1], torch.ones(1, 20) > 0)),
        Case("The vocabulary may be large.", dict(batch=2, length=3, vocabulary=70_000)),
    ],
    demands=[padding(log_probabilities="target_mask"), sizes(batch=1, length=1), sizes(length=200)],
    mistakes=[
        Mistake("This is the mean negative log-probability: take exp of it.", _of_words(lambda t: -t.mean())),
        Mistake("The minus is missing: it is exp of MINUS the mean.", _of_words(lambda t: t.mean().exp())),
        Mistake("The logarithms are natural ones: take exp, not a power of 2.", _of_words(lambda t: 2 ** -t.mean())),
        Mistake("Take the mean over the words before exp, not the sum.", _of_words(lambda t: t.sum().neg().exp())),
        Mistake("Padding is counted: use the mask.", _exp_minus(lambda t, m: t.mean()), ask=ZERO_TIMES),
        Mistake("Divide by the number of REAL words.", _exp_minus(lambda t, m: t.where(m, 0).mean()), ask=ZERO_TIMES),
        Mistake("Divide by the number of words, not of headlines.", _exp_minus(lambda t, m: t[m].sum() / len(t))),
        Mistake("The mask is upside down: True marks a real word.", _exp_minus(lambda t, m: t[~m].mean())),
        Mistake("Each WORD counts the same, not each headline.", _exp_minus(lambda *x: _means(*x).mean()), ONE_MEAN),
        Mistake(ONCE, _of_target(lambda *x: _means(*x).neg().exp().mean()), ask=ONE_MEAN),
        Mistake(ONCE, _of_words(lambda t: t.neg().exp().mean()), ask=ONE_MEAN),
        Mistake("Average the logarithms, not the probabilities.", _of_words(lambda t: 1 / t.exp().mean())),
        Mistake("Take the reference word, not the likeliest.", lambda p, y, m: p.amax(2)[m].neg().mean().exp(), SURE),
        Mistake(ENTROPY, lambda p, y, m: p.exp().mul(-p).sum(2)[m].mean().exp(), ask=SURE),
        Mistake("Gather the target words; you averaged over all words.", lambda p, y, m: p[m].mean().neg().exp()),
        Mistake("These are logarithms: take no second one.", _of_words(lambda t: 1 / t.neg().log().mean().exp())),
        Mistake("Go by the mask: a word may have the id 0.", lambda p, y, m: perplexity(p, y, y != 0), ask=CERTAIN),
        Mistake(TIMES, _exp_minus(lambda t, m: (t * m).sum() / m.sum()), ask=ZERO_TIMES),
        Mistake(LIMITS, _of_words(lambda t: t.clamp(min=-20).mean().neg().exp())),
        Mistake(LIMITS, _of_words(lambda t: (t.exp() + 1e-9).log().mean().neg().exp())),
        Mistake("Do not limit the perplexity.", _of_words(lambda t: t.mean().neg().exp().clamp(max=1000))),
    ],
    right=[
        _exp_minus(lambda t, m: torch.where(m, t, 0.0).sum() / m.sum()),
        lambda p, y, m: nn.functional.cross_entropy(p[m], y[m]).exp().unsqueeze(0),
    ],
)
