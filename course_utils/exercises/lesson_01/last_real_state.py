"""Lesson 1: pick the state after the last real word."""

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, sizes


def last_real_state(outputs: Tensor, mask: Tensor) -> Tensor:
    """Pick each sentence's state after its last real word, `(batch, size)`.

    Takes outputs `(batch, length, size)`, finite on padding, too, and a mask `(batch, length)`, True = real word;
    padding is at the right end, and no row is empty.
    """
    return outputs[torch.arange(len(outputs)), mask.sum(dim=1) - 1]


def sample(generator: torch.Generator, batch=4, length=5, size=3) -> tuple[Tensor, Tensor]:
    """Make outputs and a mask; the first row is full, the last one has one real word, whose state is zero."""
    outputs = torch.randn(batch, length, size, generator=generator)
    lengths = torch.linspace(length, 1, batch).round()
    outputs[1:, 0] *= torch.arange(batch - 1).flip(0)[:, None]
    return outputs, torch.arange(length) < lengths.unsqueeze(1)


def _numbered(length: int, *lengths: int, size: int = 2) -> tuple[Tensor, Tensor]:
    """Make outputs whose entries tell sentence, position and unit: 0.5 + 100 · sentence + 10 · position + unit."""
    batch = len(lengths)
    sentence, position, unit = torch.meshgrid(*(torch.arange(float(n)) for n in (batch, length, size)), indexing="ij")
    return 100 * sentence + 10 * position + unit + 0.5, (torch.arange(length) < torch.tensor(lengths).unsqueeze(1))


def _zero_state() -> tuple[Tensor, Tensor]:
    outputs, mask = _numbered(4, 4, 2, 1)
    outputs[0, 3] = outputs[1, 1] = 0.0
    return outputs - 3e4 * (outputs != 0), mask  # the others are negative, so a maximum with zero is noticed


def _at(position):
    """Make an answer that takes position(n, length), n being the number of real words."""
    return lambda outputs, mask: outputs[torch.arange(len(mask)), position(mask.sum(1), mask.shape[1])]


def _real_sum(outputs: Tensor, mask: Tensor) -> Tensor:
    return outputs.masked_fill(~mask[..., None], 0).sum(1)


OFF = "Off by one: after n real words the state is at position n − 1, since positions count from 0."
PAIRS = "outputs[:, positions] takes all positions of every sentence: index the sentences by torch.arange(batch)."
MAXIMUM = "You took the largest entries over the positions: take all entries from one position."
ZEROS = "You decided by the entries what is padding: count the True entries of the mask."
ALONE = "A sentence in a batch of one may have padding, too: treat it like the others."
ROW_END = "What has the GRU read when it reaches the end of a short row?"

EXERCISE = Exercise(
    Task("01.last-real-state", "Pick the state after the last real word", 1, 5, "(batch, size)"),
    last_real_state,
    sample,
    cases=[
        Case("Each sentence's state is taken before its padding begins.", lambda: _numbered(4, 4, 2, 1)),
        Case("In a full row it is the last state.", lambda: _numbered(3, 3, 3, 3, size=3)),
        Case("The longest sentence may have padding, too.", lambda: _numbered(5, 2, 4)),
        Case("A batch of one may have padding.", lambda: _numbered(4, 2)),
        Case("A real state may be zero or negative: the mask alone says what is real.", _zero_state),
    ],
    demands=[sizes(size=1), sizes(length=1), sizes(length=2051), differentiable("outputs")],
    mistakes=[
        Mistake("This is the state at the end of the row, after the padding.", lambda h, m: h[:, -1], ROW_END),
        Mistake(OFF, _at(lambda n, _: n), ROW_END),
        Mistake(OFF, _at(lambda n, length: n.clamp(max=length - 1)), ROW_END),
        Mistake("This is the last real state but one: the last one is at position n − 1.", _at(lambda n, _: n - 2)),
        Mistake("You counted the padding: True marks a real word.", _at(lambda n, length: length - n - 1), ROW_END),
        Mistake("All sentences got the position of the longest.", lambda h, m: h[:, m.sum(1).max() - 1]),
        Mistake("All sentences got the position of the shortest.", lambda h, m: h[:, m.sum(1).min() - 1]),
        Mistake("All sentences got the position of the first one.", lambda h, m: h[:, m[0].sum() - 1]),
        Mistake(PAIRS, lambda h, m: h[:, m.sum(1) - 1]),
        Mistake("You took the first state, which has read one word.", lambda h, m: h[:, 0]),
        Mistake("You took the last sentence of the batch: take the last word of each.", lambda h, m: h[-1]),
        Mistake("You averaged the real states: take the last.", lambda h, m: _real_sum(h, m) / m.sum(1)[:, None]),
        Mistake("You averaged all states, padding too: take the last real one.", lambda h, m: h.mean(1)),
        Mistake("You added the real states up: take the last one.", _real_sum),
        Mistake(MAXIMUM, lambda h, m: h.amax(1)),
        *[Mistake(MAXIMUM, lambda h, m, x=x: h.masked_fill(~m[..., None], x).amax(1)) for x in (-torch.inf, 0)],
        Mistake(ZEROS, lambda h, m: h[torch.arange(len(m)), h.any(-1).sum(1) - 1]),
        Mistake("The result has two dimensions, (batch, size).", lambda h, m: last_real_state(h, m).unsqueeze(1)),
        Mistake("For a batch of one the result is (1, size), too.", lambda h, m: last_real_state(h, m).squeeze()),
        Mistake(ALONE, lambda h, m: h[:, -1] if len(m) == 1 else last_real_state(h, m)),
        Mistake("The length does not fit into 8 bits.", _at(lambda n, _: n.to(torch.uint8).long() - 1)),
    ],
    right=[
        lambda o, m: o.gather(1, (m.sum(dim=1) - 1).view(-1, 1, 1).expand(-1, 1, o.shape[2])).squeeze(1),
        lambda h, m: torch.stack([rows[real][-1] for rows, real in zip(h, m, strict=True)]),
        lambda h, m: (h * nn.functional.one_hot(m.sum(1) - 1, m.shape[1])[..., None]).sum(1),
        lambda h, m: h[m & ~nn.functional.pad(m, (0, 1))[:, 1:]],
        lambda h, m: h[m][m.sum(1).cumsum(0) - 1],
    ],
)
