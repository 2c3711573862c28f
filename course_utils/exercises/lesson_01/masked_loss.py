"""Lesson 1: average the loss over real words."""

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, extremes, padding, sizes

cross_entropy = nn.functional.cross_entropy


def masked_loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Average the cross-entropy over the real words of a batch, in nats.

    Takes logits `(batch, length, vocabulary)`, in padding anything, NaN too; ids of the right words `(batch, length)`;
    and a mask of that shape, True = real word, anywhere.
    """
    return cross_entropy(logits[mask], targets[mask])


def sample(generator: torch.Generator, batch=3, length=4, vocabulary=5) -> tuple[Tensor, Tensor, Tensor]:
    """Make arguments; the first row is full, the last one has one real word; the last and the first id are words."""
    logits = 2 * torch.randn(batch, length, vocabulary, generator=generator)
    targets = torch.randint(0, vocabulary, (batch, length), generator=generator)
    targets[0, 0], targets[0, -1] = 0, vocabulary - 1
    return logits, targets, torch.arange(length) < torch.linspace(length, 1, batch).round().unsqueeze(1)


def _chosen(scores, targets):
    return scores.gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def _losses(logits, targets):
    return -_chosen(logits.log_softmax(-1), targets)


def _kept(logits, targets, mask):
    return _losses(logits, targets).masked_fill(~mask, 0)


def _of_probability(combine):
    return lambda logits, targets, mask: combine(_chosen(logits.softmax(-1), targets)[mask])


def small(first: int) -> tuple[Tensor, Tensor, Tensor]:
    """Make two padded sentences of one word and two; the first word's id is given."""
    logits = [[[1.0, -1.0, 0.5], [5.0, 0.0, 0.0], [0.0, 3.0, 0.0]], [[0.0, 0.0, 0.0], [2.0, 0.0, 1.0], [1.0, 4.0, 0.0]]]
    return torch.tensor(logits), torch.tensor([[first, 0, 2], [2, 1, 0]]), torch.tensor([[1], [2]]) > torch.arange(3)


LARGE = torch.tensor([[[300.0, -300.0, 0.0], [0.0, 200.0, 100.5]]])
ALL = torch.ones(1, 2, dtype=torch.bool)
EQUAL = torch.zeros(1, 2, 8), torch.tensor([[1, 7]]), ALL
LOG = "A probability may round to 0: let log_softmax or cross_entropy do softmax and logarithm together."
OVERFLOW = "exp overflows: let log_softmax or cross_entropy do softmax and logarithm together."
ZERO = "The id 0 was taken for padding (ignore_index=0?). It may be a word: the mask alone says what is padding."
AXIS = "The softmax runs over the wrong dimension: take the last one, the vocabulary."
MEANS = "This is the mean of the sentences' means: add up all real positions first, then divide once."
COUNT = "Padding is left out of the sum but not of the count: divide by mask.sum()."
SENTENCES = "You divided by the number of sentences: divide by that of the real positions, mask.sum()."
MULTIPLIED = "NaN does not go away by multiplying by 0 or by subtracting it: select the real positions, logits[mask]."
UPSIDE_DOWN = "This is the loss of the padding: True in the mask marks a real word."
SILENT = "Equal logits do not remove padding: each such position costs ln(vocabulary). Leave its loss out."
POSITIONS = "You averaged other positions than the mask marks: each row has its own, and True may stand anywhere."
ID_OR_MASK = "What says that a position is real: the id or the mask?"
WEIGHT = "Two words and two hundred: should both sentences weigh the same?"

OTHERS = lambda m: m[0], lambda m: m.any(0), lambda m: m.cumprod(1) > 0, lambda m: m.sort(1).values.flip(1)
EXERCISE = Exercise(
    Task("01.masked-loss", "Average the loss over real words", 2, 8, "one number"),
    masked_loss,
    sample,
    cases=[
        Case("With equal logits for 8 words, each position costs ln 8.", EQUAL),
        Case("The loss is the mean of −ln p(right word) over all real positions together.", small(1)),
        Case("True may stand anywhere.", (*small(1)[:2], torch.tensor([[False, True, False], [True, False, True]]))),
        Case("Batch, length and vocabulary may be equal.", dict(batch=3, length=3, vocabulary=3)),
        Case("Batch, length and vocabulary may all differ.", {}),
        Case("The id 0 may be a word, and padding may hold any id.", small(0)),
        Case("The vocabulary may be large.", dict(batch=2, length=3, vocabulary=40_000)),
        Case("Sentences may be long.", dict(batch=1, length=2051)),
        Case("Logits may be large: nothing overflows, and nothing is cut.", (LARGE, torch.tensor([[1, 2]]), ALL)),
    ],
    demands=[extremes(logits="mask"), padding(logits="mask"), sizes(batch=1, length=1), differentiable("logits")],
    mistakes=[
        Mistake("The mask is not used: padding is counted.", lambda x, y, m: _losses(x, y).mean(), ID_OR_MASK),
        Mistake(COUNT, lambda x, y, m: _kept(x, y, m).mean(), "How many words does your mean count?"),
        Mistake(MEANS, lambda x, y, m: (_kept(x, y, m).sum(1) / m.sum(1)).mean(), WEIGHT),
        Mistake(SENTENCES, lambda x, y, m: _kept(x, y, m).sum() / len(m), WEIGHT),
        Mistake("This is the sum: divide by the number of real positions.", lambda x, y, m: _kept(x, y, m).sum()),
        Mistake("This is the loss of each position: average them.", _kept),
        Mistake(MULTIPLIED, lambda x, y, m: (_losses(x, y) * m).sum() / m.sum()),
        *[Mistake(UPSIDE_DOWN, lambda x, y, m, n=n: _kept(x, y, ~m).sum() / (~m).sum().clamp(min=n)) for n in (0, 1)],
        Mistake("The minus sign is missing.", lambda x, y, m: -masked_loss(x, y, m)),
        Mistake("The logarithm is missing: you averaged probabilities.", _of_probability(lambda p: p.mean())),
        Mistake("The loss is −ln p: you averaged −p.", _of_probability(lambda p: -p.mean())),
        Mistake("The loss is −ln p: you averaged 1 − p.", _of_probability(lambda p: 1 - p.mean())),
        Mistake("Average the logarithms, not the probabilities.", _of_probability(lambda p: -p.mean().log())),
        Mistake("The softmax is missing: a logit is no log-probability.", lambda x, y, m: -_chosen(x, y)[m].mean()),
        Mistake("cross_entropy takes logits: no softmax first.", lambda x, y, m: masked_loss(x.softmax(-1), y, m)),
        Mistake("This is in bits: use the natural logarithm.", _of_probability(lambda p: -p.log2().mean())),
        Mistake("This is the perplexity: leave out the exponential.", lambda x, y, m: masked_loss(x, y, m).exp()),
        Mistake(ZERO, lambda x, y, m: cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=0), ID_OR_MASK),
        Mistake(ZERO, lambda x, y, m: cross_entropy(x[m], y[m], ignore_index=0), ID_OR_MASK),
        Mistake(ZERO, lambda x, y, m: masked_loss(x, y, y != 0), ID_OR_MASK),
        Mistake(SILENT, lambda x, y, m: _losses(x.masked_fill(~m[..., None], 0), y).mean()),
        *[Mistake(AXIS, lambda x, y, m, d=d: -_chosen(x.log_softmax(d), y)[m].mean()) for d in (0, 1)],
        Mistake("Give cross_entropy a row per word: logits[mask], targets[mask].", lambda x, y, m: cross_entropy(x, y)),
        Mistake("Take the right word, not the likeliest.", lambda x, y, m: -x.log_softmax(-1).amax(-1)[m].mean()),
        Mistake(OVERFLOW, lambda x, y, m: -_chosen(x.exp() / x.exp().sum(-1, keepdim=True), y)[m].log().mean()),
        *[Mistake(LOG, _of_probability(lambda p, e=e: -(p + e).log().mean())) for e in (0, 1e-8, 1e-9, 1e-12)],
        *[Mistake(LOG, _of_probability(lambda p, e=e: -p.clamp(min=e).log().mean())) for e in (1e-8, 1e-12)],
        *[Mistake(POSITIONS, lambda x, y, m, use=use: masked_loss(x, y, use(m).expand_as(m))) for use in OTHERS],
        Mistake("Label smoothing was not asked for.", lambda x, y, m: cross_entropy(x[m], y[m], label_smoothing=0.1)),
        Mistake("Logits are cut: the loss needs no limits.", lambda x, y, m: masked_loss(x.clamp(-10, 10), y, m)),
    ],
    right=[
        lambda x, y, m: sum(x[i].logsumexp(0) - x[i][y[i]] for i in zip(*m.nonzero().T, strict=True)) / m.sum(),
        lambda x, y, m: _kept(x, y, m).sum() / m.sum(),
        lambda x, y, m: cross_entropy(x.flatten(0, 1), y.masked_fill(~m, -100).flatten()),
        lambda x, y, m: -(nn.functional.one_hot(y[m], x.shape[-1]) * x[m].log_softmax(-1)).sum() / m.sum(),
        lambda x, y, m: -torch.distributions.Categorical(logits=x[m]).log_prob(y[m]).mean(),
    ],
)
