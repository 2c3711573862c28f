"""Lesson 7: a feed-forward language model of headlines."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, dtypes, sizes


def next_word(words: Tensor, encoded: Tensor, E: Tensor, U: Tensor, b: Tensor, V: Tensor, W: Tensor) -> Tensor:
    """Score the next headline word by the last C words and the encoder's vector.

    Takes ids `(batch, C)`, the last word last, the vector `(batch, read_size)`, E `(vocabulary, embedding_size)`, U
    `(hidden_size, C * embedding_size)`, b `(hidden_size,)`, V `(vocabulary, hidden_size)` and W `(vocabulary,
    read_size)`. Returns log-probabilities `(batch, vocabulary)`, in nats. Source: Rush et al. 2015, arXiv 1509.00685,
    section 3.1.
    """
    return torch.log_softmax(torch.tanh(E[words].flatten(1) @ U.T + b) @ V.T + encoded @ W.T, dim=1)


def sample(
    generator: torch.Generator, batch=3, context_words=4, vocabulary=9, embedding=2, hidden=5, read=6, scale=1.0
) -> tuple[Tensor, ...]:
    """Make arguments; V and W are multiplied by `scale`, and the ids 0 and vocabulary − 1 occur."""
    randn = partial(torch.randn, generator=generator)
    words = torch.randint(vocabulary, (batch, context_words), generator=generator)
    words[0, 0], words[-1, -1] = 0, vocabulary - 1
    width = context_words * embedding
    first = randn(vocabulary, embedding), randn(hidden, width) / width**0.5, randn(hidden)
    return words, randn(batch, read), *first, scale * randn(vocabulary, hidden), scale * randn(vocabulary, read)


def _made(
    join: Callable = lambda e: e.flatten(1),
    hidden: Callable = lambda x, U, b: (x @ U.T + b).tanh(),
    scores: Callable = lambda h, e, V, W: h @ V.T + e @ W.T,
    finish: Callable = lambda z: z.log_softmax(1),
) -> Callable:
    return lambda words, encoded, E, U, b, V, W: finish(scores(hidden(join(E[words]), U, b), encoded, V, W))


def _by_einsum(words, encoded, E, U, b, V, W):
    parts = U.view(len(U), words.shape[1], E.shape[1])
    hidden = torch.tanh(torch.einsum("bcd,hcd->bh", nn.functional.embedding(words, E), parts) + b)
    return torch.cat([hidden, encoded], 1).matmul(torch.cat([V, W], 1).T).log_softmax(-1)


COLUMNS = "Which columns of U belong to the last word?"
NOTHING = "What is a matrix times a matrix, if nothing stands between?"
TWO = "The language model prefers 'dog', the text has no dog. What should happen to the two scores?"
WORD_BY_WORD = "Join the vectors word by word: E[words] is (batch, C, embedding_size); flatten its last two dimensions."
LOG = "Take log_softmax: the logarithm of a softmax is minus infinity where the softmax rounds to zero."
INSIDE = "`encoded` does not pass through the tanh: add W encoded to the scores."
LIMITS = "Do not limit the scores."

EXERCISE = Exercise(
    Task("07.next-word", "Score the next word without recurrence", 2, 12, "(batch, vocabulary)"),
    next_word,
    sample,
    cases=[
        # Equal sizes: swapped matrices go unnoticed by the shapes, and the values tell.
        Case(
            "One headline: log softmax of V tanh(U [E y; …] + b) + W encoded.",
            dict(batch=1, context_words=2, vocabulary=3, embedding=1, hidden=2, read=2),
        ),
        Case("Sizes may be equal.", dict(batch=4, context_words=4, vocabulary=4, embedding=4, hidden=4, read=4)),
        Case("Sizes may all differ."),
        Case("Scores may be in the hundreds: nothing is infinite, nothing is cut.", dict(scale=100.0), tolerance=1e-3),
        Case("The vocabulary may be large.", dict(batch=2, vocabulary=70_000, embedding=3)),
    ],
    demands=[
        sizes(batch=1, context_words=1, embedding=1),
        sizes(context_words=30),
        dtypes(torch.float64),
        differentiable("encoded", "E", "U", "b", "V", "W"),
    ],
    mistakes=[
        Mistake("These are probabilities: take log_softmax.", _made(finish=lambda z: z.softmax(1))),
        Mistake("These are scores: log_softmax makes log-probabilities of them.", _made(finish=lambda z: z)),
        Mistake("The softmax runs over the batch: take dim=1.", _made(finish=lambda z: z.log_softmax(0))),
        Mistake("These are NEGATIVE log-probabilities: drop the minus.", _made(finish=lambda z: -z.log_softmax(1))),
        Mistake(LOG, _made(finish=lambda z: z.softmax(1).log()), ask="What is exp(−800) in float32?"),
        Mistake(LOG, _made(finish=lambda z: (z.softmax(1) + 1e-9).log()), ask="What is exp(−800) in float32?"),
        Mistake("exp overflows: log_softmax does not.", _made(finish=lambda z: z - z.exp().sum(1, keepdim=True).log())),
        Mistake("No tanh around the scores.", _made(finish=lambda z: z.tanh().log_softmax(1)), ask=NOTHING),
        Mistake(LIMITS, _made(finish=lambda z: z.clamp(-20, 20).log_softmax(1))),
        Mistake(LIMITS, _made(finish=lambda z: z.log_softmax(1).clamp(min=-100))),
        Mistake("Join the words oldest first, not in reverse.", _made(join=lambda e: e.flip(1).flatten(1)), COLUMNS),
        Mistake(WORD_BY_WORD, _made(join=lambda e: e.transpose(1, 2).flatten(1)), ask=COLUMNS),
        Mistake("Concatenate all C vectors: U takes C * embedding_size.", _made(join=lambda e: e.mean(1))),
        Mistake("The tanh around U [E y; …] + b is missing.", _made(hidden=lambda x, U, b: x @ U.T + b), ask=NOTHING),
        Mistake("The bias b is missing.", _made(hidden=lambda x, U, b: (x @ U.T).tanh())),
        Mistake("b belongs inside the tanh.", _made(hidden=lambda x, U, b: (x @ U.T).tanh() + b), ask=NOTHING),
        Mistake("Here h is a tanh, not a ReLU.", _made(hidden=lambda x, U, b: (x @ U.T + b).relu())),
        Mistake("Here h is a tanh, not a sigmoid.", _made(hidden=lambda x, U, b: (x @ U.T + b).sigmoid())),
        Mistake("The tanh is around U [E y; …] + b.", _made(hidden=lambda x, U, b: x.tanh() @ U.T + b)),
        Mistake("The vectors are rows: write x @ U.T, not U @ x.", _made(hidden=lambda x, U, b: (U @ x + b).tanh())),
        Mistake("The encoder's vector is missing: add W encoded.", _made(scores=lambda h, e, V, W: h @ V.T), ask=TWO),
        Mistake("Only the encoder's vector is there: add V h.", _made(scores=lambda h, e, V, W: e @ W.T), ask=TWO),
        Mistake("Add the two scores; you multiplied.", _made(scores=lambda h, e, V, W: h @ V.T * (e @ W.T)), ask=TWO),
        Mistake("`encoded` has a matrix of its own, W.", _made(scores=lambda h, e, V, W: (h + e) @ V.T), ask=TWO),
        Mistake("V and W are swapped: V goes with h.", _made(scores=lambda h, e, V, W: h @ W.T + e @ V.T), ask=TWO),
        Mistake(INSIDE, lambda y, e, E, U, b, V, W: ((E[y].flatten(1) @ U.T + b + e).tanh() @ V.T).log_softmax(1)),
    ],
    right=[_by_einsum, _made(finish=lambda z: z - z.logsumexp(1, True))],
)
