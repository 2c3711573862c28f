"""Lesson 5: carry what was found through a padded hypothesis."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from course_utils.exercises.lesson_05.attention import DEMANDS, SIZES, TURNED, real_words
from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable


def carry_through(
    step: Callable, hypothesis_outputs: Tensor, hypothesis_mask: Tensor, W_p: Tensor, W_x: Tensor
) -> Tensor:
    """Take a step at every real hypothesis word, then join what was found with the last state, `(batch, size)`.

    r_0 = 0,  r_t = step(h_t, r_{t-1}) at real words and r_{t-1} at padding,  h* = tanh(W_p r_N + W_x h_N)

    Takes step: (h_t, r_{t-1}), `(batch, size)`, → (r_t, α_t); outputs `(batch, hypothesis_length, size)`; a mask
    `(batch, hypothesis_length)`, True = real word, with padding at the right end; and matrices `(size, size)`. Source:
    Rocktäschel et al. 2016, arXiv 1509.06664, section 2.4, equation 14.
    """
    found = torch.zeros_like(hypothesis_outputs[:, 0])
    for t in range(hypothesis_outputs.shape[1]):
        fresh, _ = step(hypothesis_outputs[:, t], found)
        found = torch.where(hypothesis_mask[:, t, None], fresh, found)
    return torch.tanh(found @ W_p.T + _last_real(hypothesis_outputs, hypothesis_mask) @ W_x.T)


def _last_real(outputs: Tensor, mask: Tensor) -> Tensor:
    return outputs[torch.arange(len(outputs)), mask.sum(dim=1) - 1]


def _make_step(batch: int, size: int, generator: torch.Generator, grows: bool) -> Callable:
    """Make a step that depends on both arguments and on the row; it may squash what it finds, or let it grow."""
    A, B, premise = (torch.randn(rows, size, generator=generator) for rows in (size, size, batch))

    def step(hypothesis_output: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
        for given in (hypothesis_output, found):
            if given.shape != (batch, size) or given.dtype != hypothesis_output.dtype:
                kind = f"{given.dtype} of shape {tuple(given.shape)}"
                raise ValueError(f"step got {kind}; expected {hypothesis_output.dtype} of shape {(batch, size)}")
        fresh = hypothesis_output @ A.to(found) + 0.9 * found.roll(1, 1)
        if not grows:
            fresh = torch.tanh(hypothesis_output @ A.to(found) + found @ B.to(found)) + premise.to(found)
        return fresh, (fresh @ A.to(found)[:, :1]).repeat(1, size + 1).softmax(dim=1)

    return step


def _sample(generator: torch.Generator, batch=3, length=6, size=4, lengths=(), grows=False) -> tuple:
    """Make arguments; if `grows`, what is found gets large, and W_p is small."""
    step = _make_step(batch, size, generator, grows)
    outputs = torch.randn(batch, length, size, generator=generator) * (100 if grows else 1)
    W_p, W_x = torch.randn(2, size, size, generator=generator) / (100 if grows else 2)
    return step, outputs, real_words(batch, length, lengths), W_p, W_x


def _by_hand() -> tuple:
    def step(hypothesis_output: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
        return hypothesis_output + found / 2, torch.ones(1, 3) / 3

    words = torch.tensor([[[1.0], [2.0], [4.0]]])
    return step, words, torch.tensor([[True, True, False]]), torch.tensor([[0.2]]), torch.tensor([[0.1]])


def _walk(step, H, m, r=None, keep=lambda new, old, m, t: torch.where(m[:, t, None], new, old)) -> Tensor:
    """What was found after each step, (batch, hypothesis_length, size), where keep(...) says what is carried on."""
    every = [torch.zeros_like(H[:, 0]) if r is None else r]
    for t, h in enumerate(H.unbind(1)):
        every.append(keep(step(h, every[-1])[0], every[-1], m, t))
    return torch.stack(every[1:], 1)


def _answer(find=_walk, last=_last_real, join=lambda r, h, P, X: torch.tanh(r @ P.T + h @ X.T)):
    """Make an answer: r_N is the last of find(step, H, m), h_N is last(H, m) and h* is join(r_N, h_N, W_p, W_x)."""
    return lambda step, H, m, P, X: join(find(step, H, m)[:, -1], last(H, m), P, X)


def _pick_by_end(step, outputs, mask, W_p, W_x):
    every = _walk(step, outputs, mask, keep=lambda new, old, m, t: new)  # also over padding
    return torch.tanh(_last_real(torch.cat([every, outputs], 2), mask) @ torch.cat([W_p, W_x], 1).T)


def _by_rows(step, outputs, mask, W_p, W_x):
    found = [torch.zeros_like(row[0]) for row in outputs]
    for t in range(int(mask.sum(1).max())):
        fresh, _ = step(outputs[:, t], torch.stack(found))
        found = [new if real else old for new, old, real in zip(fresh, found, mask[:, t], strict=True)]
    last = [row[real][-1] for row, real in zip(outputs, mask, strict=True)]
    return torch.stack([torch.tanh(W_p @ r + W_x @ h) for r, h in zip(found, last, strict=True)])


PADDED = "Padded steps changed r: keep the old r where the mask is False."
IS_R = "What is step(0, r)? Is it r?"
COLUMN = "The word t of all pairs is the column mask[:, t]; as (batch, 1) it covers the whole r of a pair."
WHOSE = "Which part of the mask belongs to word t of all pairs?"
STILL = "Which rows still have a word to read?"
KEEPS = [  # (new, old, mask, t) -> what is carried on
    (PADDED, lambda new, old, m, t: new, IS_R),
    ("Padded steps cleared r: there the old r stays, not 0.", lambda new, old, m, t: new * m[:, t, None], IS_R),
    ("New and old are added: the new r replaces the old one.", lambda new, old, m, t: old + new * m[:, t, None]),
    ("The mask is upside down: r moves where it is True.", lambda new, old, m, t: old.where(m[:, t, None], new)),
    ("You stopped early: longer hypotheses go on.", lambda new, old, m, t: new if m[:, : t + 1].all() else old, STILL),
    ("Each row has its own end; you took the first row's for all.", lambda new, old, m, t: new if m[0, t] else old),
    (COLUMN, lambda new, old, m, t: new.where(m[:, t], old), WHOSE),
    (COLUMN, lambda new, old, m, t: new.where(m[t, :, None], old)),
    ("What is found is cut.", lambda new, old, m, t: new.where(m[:, t, None], old).clamp(-10, 10)),
]
FINDS = [  # (step, outputs, mask) -> what was found; the last of it is r_N
    ("Zeros are words, too: mask what step returns.", lambda s, H, m: _walk(s, H * m[..., None], m | True)),
    ("What a word found is lost: hand it on.", lambda s, H, m: _walk(lambda h, r: s(h, 0 * r), H, m)),
    ("r is cut off between two steps: no detach.", lambda s, H, m: _walk(lambda h, r: s(h, r.detach()), H, m)),
    ("Take the last r, not their sum.", lambda s, H, m: (_walk(s, H, m) * m[..., None]).sum(1, keepdim=True)),
    ("The last word is missing: one step for each word.", lambda s, H, m: _walk(s, H, m)[:, :-1]),
    ("The first word is missing: one step for each.", lambda s, H, m: _walk(s, H[:, 1:], m[:, 1:])),
    ("The arguments of step are swapped.", lambda s, H, m: _walk(lambda h, r: s(r, h), H, m)),
    ("Start with r = 0; you started with something else.", lambda s, H, m: _walk(s, H, m, torch.ones_like(H[:, 0]))),
    ("Start with zeros of the outputs' type.", lambda s, H, m: _walk(s, H, m, torch.zeros(len(H), H.shape[2]))),
    ("Words run along dimension 1: take [:, t].", lambda s, H, m: _walk(s, H.transpose(0, 1), m)),
]
JOINS = [  # (r_N, h_N, W_p, W_x) -> h*
    ("The tanh is missing: h* = tanh(W_p r_N + W_x h_N).", lambda r, h, P, X: r @ P.T + h @ X.T),
    ("One tanh for the sum, not one for each part.", lambda r, h, P, X: (r @ P.T).tanh() + (h @ X.T).tanh()),
    ("The matrices are swapped: W_p goes with r_N, W_x with h_N.", lambda r, h, P, X: (r @ X.T + h @ P.T).tanh()),
    (TURNED, lambda r, h, P, X: (r @ P + h @ X.T).tanh()),
    (TURNED, lambda r, h, P, X: (r @ P.T + h @ X).tanh()),
    ("The last word is missing: add W_x h_N.", lambda r, h, P, X: (r @ P.T).tanh()),
    ("What was found is missing: add W_p r_N.", lambda r, h, P, X: (h @ X.T).tanh()),
    ("This is r_N: h* = tanh(W_p r_N + W_x h_N) is left to do.", lambda r, h, P, X: r),
]
ENDS = [  # (outputs, mask) -> h_N
    ("You took the last column, padding or not.", lambda H, m: H[:, -1], "Where does the hypothesis of row 2 end?"),
    ("Of n words the last has the index n − 1, not n − 2.", lambda H, m: H[torch.arange(len(H)), m.sum(1) - 2]),
    ("Of n words the last is n − 1.", lambda H, m: H[torch.arange(len(H)), m.sum(1).clamp(max=H.shape[1] - 1)]),
    ("h_N is the output at the last real word, not at the first.", lambda H, m: H[:, 0]),
    ("h_N is the output at the last real word, not a sum.", lambda H, m: (H * m[..., None]).sum(1)),
    ("h_N was picked from the batch: take [row, n − 1].", lambda H, m: H[m.sum(1) - 1, torch.arange(len(H))]),
]

EXERCISE = Exercise(
    Task("05.carry-through", "Skip padding, then decide", 3, 15, "(batch, size)"),
    carry_through,
    _sample,
    cases=[
        Case("step(h, r) = h + r/2, the words are 1 and 2: r is 2.5, h_N is 2, and h* is tanh(0.7).", _by_hand),
        Case("One step for each word from r = 0, then h* = tanh(W_p r_N + W_x h_N).", dict(batch=1, length=4, size=2)),
        Case("Where a hypothesis is padded its r stays as it is; h_N is its last real word.", {}),
        *SIZES,
        Case("What is found may be large: nothing is cut.", dict(grows=True)),
    ],
    demands=[*DEMANDS, differentiable("hypothesis_outputs", "W_p", "W_x")],
    mistakes=[
        *[Mistake(hint, _answer(partial(_walk, keep=keep)), *ask) for hint, keep, *ask in KEEPS],
        *[Mistake(hint, _answer(find), *ask) for hint, find, *ask in FINDS],
        *[Mistake(hint, _answer(join=join), *ask) for hint, join, *ask in JOINS],
        *[Mistake(hint, _answer(last=last), *ask) for hint, last, *ask in ENDS],
        Mistake(PADDED, _answer(lambda s, H, m: _walk(s, H, m | True), lambda H, m: H[:, -1])),
    ],
    right=[_pick_by_end, _by_rows],
)
