"""Lesson 2: write a sentence by taking the best word at every step."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing

MOST_CALLS = 400  # of one model, so that no loop runs forever


def greedy(step: Callable, begin: int, end: int, first_state: object, max_length: int) -> list[int]:
    """Take the most probable word until the end symbol, or for `max_length` calls of step."""
    words, word, state = [], begin, first_state
    for _ in range(max_length):
        log_probabilities, state = step(word, state)
        word = int(log_probabilities.argmax())
        if word == end:
            break
        words.append(word)
    return words


class Model:
    """A `step` that counts its calls; its best words are barely better than others, so that sampling is noticed."""

    def __init__(self, *script) -> None:
        self.words, self.begin, self.first_state, self.vocabulary = script
        self.calls = 0

    def __repr__(self) -> str:
        return f"a model; given its last word and state, its best words are {', '.join(map(str, self.words))}"

    def __call__(self, previous_word: int, state: int | Tensor) -> tuple[Tensor, int | Tensor]:
        """Prefer the script's next word, if word and state come from the last call; else another one."""
        if self.calls == MOST_CALLS:
            raise RuntimeError(f"step was called {MOST_CALLS} times, and again")
        self.calls += 1
        place, previous = int(torch.as_tensor(state - self.first_state).max()), int(previous_word)
        rightly = place in range(len(self.words)) and previous == (self.begin, *self.words)[place]
        scores = -torch.linspace(0, 0.5, self.vocabulary)
        scores[self.words[place] if rightly else (previous + 2 * place + 1) % 8] = 2e-5
        return scores.log_softmax(dim=-1), state + 1


def given(*words: int, begin=1, end=5, first_state=0, max_length=12, vocabulary=8) -> tuple:
    """Make arguments: a model that writes these words."""
    return Model(words, begin, first_state, vocabulary), begin, end, first_state, max_length


def sample(generator: torch.Generator, length=9, max_length=7, vocabulary=11) -> tuple:
    """Make a model of random words with a tensor for its state; some sentences end, some are cut."""
    end = vocabulary - 1
    words = torch.randint(0, end, (length,), generator=generator).tolist()
    words[int(torch.randint(1, length, (), generator=generator))] = end
    return given(*words, begin=4, end=end, first_state=torch.ones(1), max_length=max_length, vocabulary=vocabulary)


def counting(answer: Callable, step: Model, *others: object) -> dict:
    """Observe the sentence and the number of calls."""
    return {"returned": answer(step, *others), "calls of step": str(step.calls)}


def seeing(change: Callable) -> Callable:
    """Make an answer that changes what a step returns: change(log probabilities, begin)."""
    return lambda step, begin, *a: greedy(lambda *x: (change((y := step(*x))[0], begin), y[1]), begin, *a)


def fed(change: Callable) -> Callable:
    """Make an answer that calls step with other arguments: change(word, state, begin, first_state)."""
    return lambda step, b, end, s, n: greedy(lambda word, state: step(*change(word, state, b, s)), b, end, s, n)


def _with_end(*a):
    return [*greedy(*a), a[2]][: a[4]]


def _recursively(step, begin, end, first_state, max_length):
    row, state = step(begin, first_state)
    word = row.topk(1).indices[0]
    rest = max_length > 1 and word != end and _recursively(step, word, end, state, max_length - 1)
    return [word, *(rest or [])] if word != end else []


# that changes the finished list: change(words, begin)
writing = changing(lambda step, begin, *others: (greedy(step, begin, *others), begin))
# that calls step to the limit and then changes the list: change(words, end)
endless = changing(lambda step, begin, end, state, limit: (greedy(step, begin, -1, state, limit), end))
REPEATED = given(0, *[1] * 12, *[0] * 12, 1, 5, max_length=30)
WIDE = given(70_001, 33_333, 257, 255, 256, 70_002, end=70_002, vocabulary=70_100)
CALLS = "Call step once for each word, and no more after `end` or after max_length calls."
TWO = "What does step two know of step one?"
counted = partial(Case, observe=counting, note=CALLS)
BEST = "That is not the most probable word: take the argmax of the log probabilities as they are."
STOP = "Stop at the first `end`: nothing after it belongs to the sentence."
BEGIN = "Only the first `begin` is left out: inside a sentence its id is a word like any other."

EXERCISE = Exercise(
    Task("02.greedy", "Decode a sentence greedily", 2, 12),
    greedy,
    sample,
    cases=[
        counted("The best word of each step is written, up to the first `end`.", given(3, 0, 4, 3, 2, 5, 6)),
        counted("A sentence that begins with `end` is empty.", given(5, 2, 5)),
        counted("The first call gets `begin` and `first_state`.", given(2, 7, 4, 4, 0, begin=6, end=0, first_state=7)),
        counted("Without an `end`, step is called max_length times.", given(4, 2, 6, 3, 2, 4, 2, max_length=4)),
        counted("With max_length 1 there is one word.", given(4, 2, 6, max_length=1)),
        counted("The last call may give `end`.", given(2, 3, 5, 4, max_length=3)),
        counted("Even the ids 0 and `begin` are words, time and again.", REPEATED),
        counted("A sentence may be long.", given(*[2, 3, 4] * 90, 5, max_length=300)),
        counted("A state may be a tensor.", given(3, 0, 4, 5, first_state=torch.tensor([0.0, 2.0, 0.0]))),
        counted("Ids may be large, and probabilities small.", WIDE, tolerance=1e-9),
    ],
    mistakes=[
        Mistake("`end` is not a word: leave the loop before you append it.", _with_end, "What would a reader see?"),
        Mistake("`begin` is not a word of the sentence: start with an empty list.", writing(lambda ws, b: [b, *ws])),
        Mistake("Neither `begin` nor `end` is a word of the sentence.", lambda s, b, *a: [b, *_with_end(s, b, *a)]),
        Mistake("Give the new state to the next call of step.", fed(lambda word, _, b, s: (word, s)), ask=TWO),
        Mistake("Only the first call gets `begin`, others the last word.", fed(lambda w, state, b, s: (b, state)), TWO),
        Mistake("The first call got `end`: it gets `begin`.", lambda s, _, end, *a: greedy(s, end, end, *a)),
        Mistake("The first call gets `first_state`, not 0.", lambda s, b, e, state, n: greedy(s, b, e, state * 0, n)),
        Mistake(STOP, endless(lambda words, end: words)),
        Mistake(STOP, endless(lambda words, end: [word for word in words if word != end])),
        Mistake("Leave the loop at `end`, not at the limit.", endless(lambda ws, end: ws[: [*ws, end].index(end)])),
        Mistake("You called step once too often: max_length calls at most.", lambda *a: greedy(*a[:4], a[4] + 1)),
        Mistake("One call is missing: max_length calls are allowed.", lambda *a: greedy(*a[:4], a[4] - 1)),
        Mistake("The loop needs a limit: at most max_length calls of step.", lambda *a: greedy(*a[:4], 10**9)),
        *[Mistake(f"You stop at {n} words.", lambda *a, n=n: greedy(*a[:4], min(a[4], n))) for n in (10, 50, 100, 250)],
        Mistake("You took the least probable word: argmax, not argmin.", seeing(lambda row, _: -row)),
        Mistake(BEST, seeing(lambda row, _: row.index_fill(0, row.argmax(), -torch.inf))),
        Mistake(
            "You sampled; take the best: argmax.", seeing(lambda p, _: p - torch.empty_like(p).exponential_().log())
        ),
        Mistake("You stopped at the word 0: the end symbol is the id `end`.", lambda s, b, _, *a: greedy(s, b, 0, *a)),
        Mistake("You stopped at `begin`: the end symbol is the id `end`.", lambda s, b, _, *a: greedy(s, b, b, *a)),
        Mistake("The id 0 is a word like any other.", writing(lambda words, _: [word for word in words if word])),
        Mistake("The first word is lost: it comes from the first call.", writing(lambda words, _: words[1:])),
        Mistake("A word that comes again is written again.", writing(lambda words, _: list(dict.fromkeys(words)))),
        Mistake(BEGIN, writing(lambda words, begin: [word for word in words if word != begin])),
        Mistake(BEGIN, seeing(lambda row, begin: row.index_fill(0, torch.tensor(begin), -torch.inf))),
    ],
    right=[_recursively, lambda *a: [int(word) for word in greedy(*a)]],
)
