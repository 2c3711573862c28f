"""The exercise of lesson 5 on carrying what was found through a padded hypothesis; `lesson_05.py` lists it."""

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor

Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(hypothesis output `(batch, size)`, found `(batch, size)`) → (found, attention_weights)."""


def carry_through(step: Step, hypothesis_outputs: Tensor, hypothesis_mask: Tensor, W_p: Tensor, W_x: Tensor) -> Tensor:
    """Take a step at every real hypothesis word, then join what was found with the last state.

    r_0 = 0,  r_t = step(h_t, r_{t-1}) at real words and r_{t-1} at padding,  h* = tanh(W_p r_N + W_x h_N)

    Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.4, equation 14.

    Args:
        step: (hypothesis output, found), both `(batch, size)`, → (found, attention_weights), for the whole batch.
        hypothesis_outputs: `(batch, hypothesis_length, size)`, h_1 … h_N.
        hypothesis_mask: `(batch, hypothesis_length)` booleans, True = real word; padding stands at the right end.
        W_p, W_x: `(size, size)`.

    Returns:
        `(batch, size)`, h*.
    """
    found = torch.zeros_like(hypothesis_outputs[:, 0])
    for t in range(hypothesis_outputs.shape[1]):
        fresh, _ = step(hypothesis_outputs[:, t], found)
        found = torch.where(hypothesis_mask[:, t, None], fresh, found)
    last = hypothesis_outputs[torch.arange(len(found)), hypothesis_mask.sum(dim=1) - 1]
    return torch.tanh(found @ W_p.T + last @ W_x.T)


carrying = Exercise("05.carry-through", "Stand still at padding, then decide", 3, 15, carry_through)
EXERCISES = [carrying]

RESULT = "(batch, size)"


def make_step(batch: int, size: int, generator: torch.Generator | None = None) -> Step:
    """Make a step that depends on both arguments, in this order, and on the row."""
    A, B, premise = (torch.randn(rows, size, generator=generator) for rows in (size, size, batch))

    def step(hypothesis_output: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
        for name, given in (("hypothesis output", hypothesis_output), ("found", found)):
            shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
            expect(shape == (batch, size), f"step got a {name} of {shape}; expected ({batch}, {size}), (batch, size).")
        fresh = torch.tanh(hypothesis_output @ A.to(found) + found @ B.to(found)) + premise.to(found)
        return fresh, (fresh @ A.to(found)[:, :1]).repeat(1, size + 1).softmax(dim=1)

    return step


def example(batch: int, length: int, size: int, full: bool = False) -> tuple:
    """Draw a step, hypothesis outputs, a mask and the two matrices."""
    lengths = torch.full((batch, 1), length) if full else 1 + (torch.arange(batch).unsqueeze(1) * 2 + 3) % length
    outputs, mask = torch.randn(batch, length, size), torch.arange(length) < lengths
    return make_step(batch, size), outputs, mask, torch.randn(size, size) / 2, torch.randn(size, size) / 2


def carried(step: Step, outputs: Tensor, start: Tensor | None = None) -> Tensor:
    """What was found after each step, padding or not: `(batch, hypothesis_length, size)`."""
    found, all_found = torch.zeros_like(outputs[:, 0]) if start is None else start, []
    for output in outputs.unbind(1):
        found, _ = step(output, found)
        all_found.append(found)
    return torch.stack(all_found, dim=1)


def result_of(answer: Callable, inputs: tuple) -> Tensor:
    """Let the answer carry through, and insist on one vector for each pair."""
    step, outputs, *rest = inputs
    batch, length, size = outputs.shape
    result = answer(step, outputs.clone(), *[tensor.clone() for tensor in rest])
    expect(not isinstance(result, tuple | list), "Return h* alone, one tensor of (batch, size).")
    if isinstance(result, Tensor):
        every = tuple(result.shape) == (batch, length, size)
        expect(not every, "Return h* of the last word alone, (batch, size); you returned one for each word.")
        expect(tuple(result.shape) != (size,), "The batch is gone: each pair has its own h*.")
    return expect_tensor(result, (batch, size), RESULT)


@carrying.behaviour("takes one step per word from r = 0, each with what the one before has found")
def _(answer):
    inputs = example(3, 4, 5, full=True)
    step, outputs, mask, W_p, W_x = inputs
    result = result_of(answer, inputs)
    every = carried(step, outputs)
    last = outputs[:, -1] @ W_x.T

    def ended(found):
        return (found @ W_p.T + last).tanh()

    right = ended(every[:, -1])
    alone = torch.stack([step(output, torch.zeros_like(output))[0] for output in outputs.unbind(1)], dim=1)
    swapped = carried(lambda output, found: step(found, output), outputs)
    added = torch.zeros_like(last)
    for output in outputs.unbind(1):
        added = added + step(output, added)[0]
    apart = "What a word found is lost: hand it on to the next step."
    whole = "Use what the last step found; it knows of the others."
    recognise(
        result,
        (apart, ended(alone[:, -1])),
        (apart, ended(alone.sum(1))),
        (apart, ended(alone.mean(1))),
        (whole, ended(every.sum(1))),
        (whole, ended(every.mean(1))),
        (whole, ended(every.amax(1))),
        ("The step adds to r itself: replace r by what it returns, do not add.", ended(added)),
        ("The last word is missing: one step for each word.", ended(every[:, -2])),
        ("The first word is missing: one step for each word.", ended(carried(step, outputs[:, 1:])[:, -1])),
        ("Only the first step was taken.", ended(every[:, 0])),
        ("The last word was taken twice.", ended(step(outputs[:, -1], every[:, -1])[0])),
        ("The words were read from right to left.", ended(carried(step, outputs.flip(1))[:, -1])),
        ("The arguments of step are swapped: step(hypothesis_output, found).", ended(swapped[:, -1])),
        ("Start with r = 0; you started with ones.", ended(carried(step, outputs, torch.ones_like(last))[:, -1])),
        ("Start with r = 0; you started with the first word.", ended(carried(step, outputs, outputs[:, 0])[:, -1])),
        (
            "Start with r = 0; you started with the first word.",
            ended(carried(step, outputs[:, 1:], outputs[:, 0])[:, -1]),
        ),
        ("Start with r = 0; you started with the last word.", ended(carried(step, outputs, outputs[:, -1])[:, -1])),
        ("No step was taken: this is r = 0 and the last word alone.", last.tanh()),
    )
    parts = "With r_N and h_N in hand, h* = tanh(W_p r_N + W_x h_N)."
    expect_joined(result, every[:, -1], outputs[:, -1], W_p, W_x)
    expect_close(result, right, parts, RESULT)


def expect_joined(result: Tensor, found: Tensor, last: Tensor, W_p: Tensor, W_x: Tensor) -> None:
    """Recognise the slips of h* = tanh(W_p r_N + W_x h_N)."""
    p, x = found @ W_p.T, last @ W_x.T
    transposed = "is transposed: W r is r @ W.T, where each row of r is one vector."
    recognise(
        result,
        ("The tanh is missing: h* = tanh(W_p r_N + W_x h_N).", p + x),
        ("One tanh for the sum, not one for each part.", p.tanh() + x.tanh()),
        ("One tanh for the sum W_p r_N + W_x h_N, once.", (p.tanh() + x).tanh()),
        ("The matrices are swapped: W_p goes with r_N, W_x with h_N.", (found @ W_x.T + last @ W_p.T).tanh()),
        (f"W_p {transposed}", (found @ W_p + x).tanh()),
        (f"W_x {transposed}", (p + last @ W_x).tanh()),
        (f"Each of the two matrices {transposed}", (found @ W_p + last @ W_x).tanh()),
        ("The last word is missing: add W_x h_N.", p.tanh()),
        ("What was found is missing: add W_p r_N.", x.tanh()),
        ("The matrices are missing: W_p r_N + W_x h_N.", (found + last).tanh()),
        ("The two parts are added, not multiplied.", (p * x).tanh()),
        ("The two parts are added; you subtracted.", (p - x).tanh()),
        ("The paper squashes with tanh, not with a sigmoid or a ReLU.", (p + x).sigmoid()),
        ("The paper squashes with tanh, not with a sigmoid or a ReLU.", (p + x).relu()),
        ("This is r_N: h* = tanh(W_p r_N + W_x h_N) is left to do.", found),
    )


@carrying.behaviour("leaves r as it is where the hypothesis is padded")
def _(answer):
    inputs = example(3, 6, 4)
    step, outputs, mask, W_p, W_x = inputs
    result = result_of(answer, inputs)
    lengths, rows = mask.sum(1), torch.arange(3)
    last = outputs[rows, lengths - 1]
    every = carried(step, outputs)

    def ended(found, last=last):
        return (found @ W_p.T + last @ W_x.T).tanh()

    def frozen(keep):
        found = torch.zeros_like(last)
        for t in range(6):
            found = keep(t, step(outputs[:, t], found)[0], found)
        return found

    def by(real):
        return frozen(lambda t, fresh, found: torch.where(real[:, t, None], fresh, found))

    right = by(mask)
    padded = "Padded steps changed r: keep the old r where the mask is False."
    cleared = "Padded steps cleared r: where the mask is False the old r stays, it does not become 0."
    before = "Zeros are words, too: mask what step returns, not what it is given."
    recognise(
        result,
        (padded, ended(every[:, -1])),
        (padded, ended(every[:, -1], outputs[:, -1])),
        (cleared, ended(frozen(lambda t, fresh, found: fresh * mask[:, t, None]))),
        (cleared, ended(frozen(lambda t, fresh, found: fresh * mask[:, t, None]), outputs[:, -1])),
        (
            "Real steps add up: where the mask is True the new r replaces the old one.",
            ended(frozen(lambda t, fresh, found: found + fresh * mask[:, t, None])),
        ),
        (before, ended(carried(step, outputs * mask.unsqueeze(2))[:, -1])),
        (before, ended(carried(step, outputs * mask.unsqueeze(2))[:, -1], (outputs * mask.unsqueeze(2))[:, -1])),
        ("The mask is upside down: True marks a real word, and r moves there.", ended(by(~mask))),
        ("The mask is upside down: True marks a real word, and r moves there.", ended(by(~mask), outputs[:, -1])),
        ("The loop stopped where the shortest hypothesis ends: the others go on.", ended(every[:, lengths.min() - 1])),
        ("The loop stopped where the first hypothesis ends: each has its own end.", ended(every[:, lengths[0] - 1])),
        ("All hypotheses have the mask of the first one.", ended(by(mask[:1].expand(3, 6)))),
        ("r stopped one word too early.", ended(by(mask.roll(-1, 1) & mask))),
        ("r stopped one word too early.", ended(by(torch.arange(6) < lengths[:, None] - 1))),
        ("r went on for one word of padding.", ended(by(torch.arange(6) <= lengths[:, None]))),
        (
            "h_N is the output at the last real word of each row; you took the last column, padding or not.",
            ended(right, outputs[:, -1]),
        ),
        (
            "h_N is one word too early: of n words the last has the index n − 1.",
            ended(right, outputs[rows, lengths - 2]),
        ),
        (
            "h_N is one position too late: of n words the last has the index n − 1.",
            ended(right, outputs[rows, lengths.clamp(max=5)]),
        ),
        ("h_N is the last real output; you took the first.", ended(right, outputs[:, 0])),
        (
            "h_N is the last real output; you took the mean.",
            ended(right, (outputs * mask.unsqueeze(2)).sum(1) / lengths[:, None]),
        ),
        ("h_N is the last real output; you took the mean.", ended(right, outputs.mean(1))),
        ("h_N is the last real output; you took the sum.", ended(right, (outputs * mask.unsqueeze(2)).sum(1))),
        (
            "h_N multiplied by the mask is no state of a real word: pick it by length.",
            ended(right, outputs[:, -1] * mask[:, -1:]),
        ),
        ("h_N is that of the first pair's length for all.", ended(right, outputs[:, lengths[0] - 1])),
    )
    hint = "Padding must not change anything: r stays as it is there, and h_N is the output at the last real word."
    expect_close(result, ended(right), hint, RESULT)


@carrying.behaviour("keeps the pairs of a batch apart")
def _(answer):
    inputs = example(4, 4, 4)  # batch, length and size are equal: every broadcast works
    step, outputs, mask, W_p, W_x = inputs
    result = result_of(answer, inputs)
    lengths, rows = mask.sum(1), torch.arange(4)
    last = outputs[rows, lengths - 1]

    def walked(real, outputs=outputs):
        found = torch.zeros_like(last)
        for t in range(4):
            found = torch.where(real(t), step(outputs[:, t], found)[0], found)
        return found

    def ended(found, last=last):
        return (found @ W_p.T + last @ W_x.T).tanh()

    right = walked(lambda t: mask[:, t, None])
    axis = "The mask met the wrong axis: make it (batch, 1), so that it covers the whole r of a pair."
    row = "mask[t] is a row, the whole mask of pair t: take the column mask[:, t], the word t of all pairs."
    word_row = "hypothesis_outputs[t] is pair t: take [:, t], the word t of all pairs."
    recognise(
        result,
        (axis, ended(walked(lambda t: mask[:, t]))),
        (row, ended(walked(lambda t: mask[t, :, None]))),
        (row, ended(walked(lambda t: mask[t]))),
        (word_row, ended(walked(lambda t: mask[:, t, None], outputs.transpose(0, 1)))),
        (
            "h_N was picked from the batch instead of from the words: outputs[row, length − 1].",
            ended(right, outputs[lengths - 1, rows]),
        ),
        ("h_N is that of the first pair.", ended(right, last[:1])),
        ("r_N is that of the first pair.", ended(right[:1], last)),
    )
    expect_close(result, ended(right), "Each pair has its own mask, its own r and its own last word.", RESULT)


@carrying.behaviour("works for other sizes, also for one pair and for one word")
def _(answer):
    for batch, length, size in [(1, 1, 1), (1, 5, 3), (4, 1, 2), (2, 12, 6), (6, 3, 1)]:
        inputs = example(batch, length, size)
        where = f"Wrong for {batch} pair(s) with up to {length} word(s) and size {size}."
        expect_close(result_of(answer, inputs), carry_through(*inputs), where, RESULT)


@carrying.behaviour("does not care what stands in padding")
def _(answer):
    step, outputs, mask, W_p, W_x = example(3, 5, 4)
    loud = torch.where(mask.unsqueeze(2), outputs, torch.full_like(outputs, 1e6))
    quiet = outputs * mask.unsqueeze(2)
    right = carry_through(step, quiet, mask, W_p, W_x)
    hint = "The result depends on what stands in padding: keep r there, and take h_N at the last real word."
    for given in (loud, quiet):
        expect_close(result_of(answer, (step, given, mask, W_p, W_x)), right, hint, RESULT)


@carrying.behaviour("keeps the precision of its inputs")
def _(answer):
    step, outputs, mask, W_p, W_x = example(2, 3, 4)
    expect_double_precision(lambda: answer(step, outputs.double(), mask, W_p.double(), W_x.double()))


@carrying.behaviour("lets a gradient reach every real word through all steps, and no padding")
def _(answer):
    step, outputs, mask, W_p, W_x = example(2, 4, 3)
    expect_gradients(
        lambda outputs, *rest: answer(step, outputs, mask.clone(), *rest),
        lambda outputs, *rest: carry_through(step, outputs, mask, *rest),
        hypothesis_outputs=outputs,
        W_p=W_p,
        W_x=W_x,
    )


@carrying.behaviour("leaves its inputs as they were")
def _(answer):
    step, *rest = example(2, 4, 3)
    expect_untouched(lambda *given: answer(step, *given), *rest)


@carrying.own_data
def _(generator):
    mask = torch.arange(6) < torch.randint(1, 7, (4, 1), generator=generator)
    W_p, W_x = torch.randn(2, 3, 3, generator=generator) / 2
    return make_step(4, 3, generator), torch.randn(4, 6, 3, generator=generator), mask, W_p, W_x
