"""The exercise of lesson 7 on the feed-forward language model of headlines; `lesson_07.py` lists it."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor

SCORES = "(batch, vocabulary)"


def next_word(words: Tensor, encoded: Tensor, E: Tensor, U: Tensor, b: Tensor, V: Tensor, W: Tensor) -> Tensor:
    """Score the next headline word by the last C words and what was read.

    Source: Rush et al. 2015, arXiv 1509.00685, section 3.1.

    Args:
        words: `(batch, C)` ids of the last C headline words, the last one last.
        encoded: `(batch, read_size)`, from the encoder.
        E: `(vocabulary, embedding_size)`, a row per word.
        U: `(hidden_size, C * embedding_size)`; b: `(hidden_size,)`.
        V: `(vocabulary, hidden_size)`; W: `(vocabulary, read_size)`.

    Returns:
        `(batch, vocabulary)` log-probabilities, nats.
    """
    hidden = torch.tanh(E[words].flatten(1) @ U.T + b)
    return torch.log_softmax(hidden @ V.T + encoded @ W.T, dim=1)


writing = Exercise("07.next-word", "Score the next word without recurrence", 2, 12, next_word)
EXERCISES = [writing]


def drawn(
    batch: int,
    count: int,
    vocabulary: int,
    embedding: int,
    hidden: int,
    read: int,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, ...]:
    """Draw the arguments."""
    randn = partial(torch.randn, generator=generator)
    return (
        torch.randint(vocabulary, (batch, count), generator=generator), randn(batch, read),
        randn(vocabulary, embedding), randn(hidden, count * embedding) / 2, randn(hidden),
        randn(vocabulary, hidden), randn(vocabulary, read),
    )  # fmt: skip


def scored(answer: Callable, given: tuple[Tensor, ...]) -> Tensor:
    """Let the answer score, and insist on the shape."""
    return expect_tensor(answer(*[one.clone() for one in given]), (len(given[0]), len(given[2])), SCORES)


@writing.behaviour("computes log softmax(V tanh(U [E y; …; E y] + b) + W encoded)")
def _(answer):
    given = words, encoded, E, U, b, V, W = drawn(3, 4, 9, 4, 5, 5)
    result = scored(answer, given)
    joined = E[words].flatten(1)
    hidden = torch.tanh(joined @ U.T + b)
    logits = hidden @ V.T + encoded @ W.T
    wrong_order = "The vectors of the last C words stand one after the other, oldest first: [E y_1; …; E y_C]."

    def slip(h, read=encoded @ W.T):
        return (h @ V.T + read).log_softmax(1)

    recognise(
        result,
        ("These are probabilities: take their logarithm, best by log_softmax.", logits.softmax(1)),
        ("These are scores: log_softmax makes log-probabilities of them.", logits),
        ("The softmax runs over the vocabulary, dim=1, not over the batch.", logits.log_softmax(0)),
        ("These are negative log-probabilities: do not change the sign.", -logits.log_softmax(1)),
        (f"{wrong_order} Yours run the other way.", slip(torch.tanh(E[words.flip(1)].flatten(1) @ U.T + b))),
        (f"{wrong_order} You put the numbers of all words side by side first.",
         slip(torch.tanh(E[words].transpose(1, 2).flatten(1) @ U.T + b))),
        ("The tanh is missing around U [E y; …] + b.", slip(joined @ U.T + b)),
        ("The bias b is missing.", slip(torch.tanh(joined @ U.T))),
        ("b belongs inside the tanh.", slip(torch.tanh(joined @ U.T) + b)),
        ("Here h is a tanh, not a ReLU.", slip(torch.relu(joined @ U.T + b))),
        ("Here h is a tanh, not a sigmoid.", slip(torch.sigmoid(joined @ U.T + b))),
        ("What was read is missing: add W encoded to the scores.", slip(hidden, 0)),
        ("Only what was read is there: add V h.", (encoded @ W.T).log_softmax(1)),
        ("What was read has a matrix of its own, W; you used V.", slip(hidden, encoded @ V.T)),
        ("V and W are swapped: V is for h, W for what was read.", (hidden @ W.T + encoded @ V.T).log_softmax(1)),
        ("What was read does not pass through the tanh: it is added to the scores.",
         slip(torch.tanh(joined @ U.T + b + encoded), 0)),
        ("The two scores are added, not multiplied.", (hidden @ V.T * (encoded @ W.T)).log_softmax(1)),
        ("No tanh around the scores.", torch.tanh(logits).log_softmax(1)),
        ("Take the tanh of the whole U [E y; …] + b, not of the vectors.", slip(torch.tanh(joined) @ U.T + b)),
    )  # fmt: skip
    expect(not bool(result.isnan().any()), "The result holds NaN.")
    expect_close(result, logits.log_softmax(1), "Expected log softmax(V h + W encoded), h = tanh(U ỹ + b).", SCORES)


@writing.behaviour("bears high scores")
def _(answer):
    given = list(drawn(2, 2, 6, 3, 4, 3))
    given[6] = given[6] * 400
    hint = "High scores give infinities: log of softmax overflows where log_softmax does not."
    result = scored(answer, tuple(given))
    expect(bool(result.isfinite().all()), hint)
    expect_close(result, next_word(*given), hint, SCORES, tolerance=1e-3)


@writing.behaviour("works for other sizes")
def _(answer):
    for sizes in [(1, 1, 1, 1, 1, 1), (4, 5, 7, 2, 3, 6), (2, 2, 2, 2, 2, 2), (6, 3, 30, 5, 8, 4)]:
        given = drawn(*sizes)
        hint = f"Wrong for {sizes[0]} headline(s), {sizes[1]} word(s) before and {sizes[2]} words. Is a size typed in?"
        expect_close(scored(answer, given), next_word(*given), hint, SCORES)
    given = drawn(2, 3, 5, 2, 3, 2)
    expect_double_precision(lambda: answer(given[0], *[one.double() for one in given[1:]]))


@writing.behaviour("lets the gradient reach every weight")
def _(answer):
    words, *rest = drawn(3, 2, 5, 3, 4, 2)
    names = ("encoded", "E", "U", "b", "V", "W")
    expect_gradients(
        lambda *given: answer(words.clone(), *given),
        lambda *given: next_word(words, *given),
        **dict(zip(names, rest, strict=True)),
    )


@writing.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, *drawn(2, 2, 4, 3, 3, 2))


@writing.own_data
def _(generator):
    return drawn(3, 4, 9, 3, 5, 2, generator)
