"""Lesson 5: attend to the premise once, from the last state of the hypothesis, and again from every word of it."""

import torch
from torch import Tensor

from course_utils.exercises.engine import Case, Exercise, Mistake, Task
from course_utils.exercises.writing import changing, differentiable, dtypes, in_two_calls, sizes
from course_utils.exercises.zeros import EXACTLY, exactly_zero
from course_utils.mechanisms.attention import masked_softmax


def last_state_attention(
    premise_outputs: Tensor, premise_mask: Tensor, last: Tensor, W_y: Tensor, W_h: Tensor, w: Tensor
) -> tuple[Tensor, Tensor]:
    """Attend to the premise once, from the last state h_N of the hypothesis.

    M = tanh(W_y Y + (W_h h_N) ⊗ e),  α = softmax(w · M),  r = Σ_j α_j y_j

    Takes the outputs Y `(batch, premise_length, size)`, a mask `(batch, premise_length)`, True = real word, h_N
    `(batch, size)`, matrices `(size, size)` and w `(size,)`. Returns r `(batch, size)` and α `(batch, premise_length)`,
    exactly zero on padding; each row sums to one. Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.3,
    equations 6 to 8.
    """
    return attend(premise_outputs, premise_outputs @ W_y.T, premise_mask, last @ W_h.T, w)


def word_by_word_step(premise_outputs, premise_keys, premise_mask, hypothesis_output, found, W_h, W_r, W_t, w):
    """Attend to the premise from one hypothesis word, knowing what earlier words have found.

    M_t = tanh(W_y Y + (W_h h_t + W_r r_{t-1}) ⊗ e),  α_t = softmax(w · M_t),  r_t = Σ_j α_tj y_j + tanh(W_t r_{t-1})

    Takes what `last_state_attention` takes, the keys W_y Y beside Y, and h_t and r_{t-1} `(batch, size)`. Returns r_t
    and α_t, of the same shapes. Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.4, equations 11 to 13.
    """
    query = hypothesis_output @ W_h.T + found @ W_r.T
    fresh, attention_weights = attend(premise_outputs, premise_keys, premise_mask, query, w)
    return fresh + torch.tanh(found @ W_t.T), attention_weights


def average(a: Tensor, Y: Tensor) -> Tensor:
    """Sum the outputs, each times its weight."""
    return (a.unsqueeze(2) * Y).sum(1)


def attend(Y, k, m, q, w, score=lambda k, q, w: (k + q).tanh() @ w, weigh=masked_softmax, mean=average):
    """Attend to outputs Y with keys k, mask m and one query q for each row; a mistake replaces a part of it."""
    weights = weigh(score(k, q.unsqueeze(1), w), m)
    return mean(weights, Y), weights


def real_words(batch: int, length: int, lengths: tuple[int, ...] = ()) -> Tensor:
    """Make a mask: by default the last row is full and the one before has one real word: rows are not sorted."""
    chosen = torch.tensor(lengths) if lengths else torch.linspace(length, 1, batch).round().roll(-1)
    return torch.arange(length) < chosen.unsqueeze(1)


def _step_sample(generator: torch.Generator, batch=3, length=5, size=4, lengths=(), seen=1.0, scale=1.0) -> tuple:
    """Make arguments: `seen` is a factor of `found`; `scale` is one of outputs and `found` that matrices undo."""
    Y, keys = torch.randn(2, batch, length, size, generator=generator)
    h, r = torch.randn(2, batch, size, generator=generator)
    W_h, W_r, W_t = torch.randn(3, size, size, generator=generator)
    w, mask = 2 * torch.randn(size, generator=generator), real_words(batch, length, lengths)
    return scale * Y, keys, mask, h, seen * scale * r, W_h, W_r / scale, W_t / scale, w


def _step_large(*keys: list[float]) -> tuple[Tensor, ...]:
    """Make arguments with scores of 1e30 and 2e30; the last word is padding."""
    mask, Y, W = torch.arange(len(keys)).unsqueeze(0) < len(keys) - 1, torch.tensor([keys]) / 8, 8 * torch.eye(2)
    return Y, 8 * Y, mask, torch.zeros(1, 2), torch.zeros(1, 2), W, W.clone(), W.clone(), torch.tensor([1e30, 1e30])


def _for_once(Y, keys, mask, h, r, W_h, W_r, W_t, w):
    return Y, mask, h, W_t, W_h, w


@in_two_calls
def _step(Y, k, m, h, r, W_h, W_r, W_t, w, update=lambda z, r, T: z + (r @ T).tanh(), **parts):
    """Make an answer to the second exercise with a part replaced."""
    fresh, weights = attend(Y, k, m, h @ W_h.T + r @ W_r.T, w, **parts)
    return update(fresh, r, W_t.T), weights


def _once_by_columns(Y, mask, last, W_y, W_h, w):
    M = torch.tanh(torch.einsum("ik,bjk->bij", W_y, Y) + torch.einsum("ik,bk->bi", W_h, last)[..., None])
    weights = (torch.einsum("i,bij->bj", w, M) + mask.to(M).log()).log_softmax(-1).exp()
    return [torch.einsum("bji,bj->bi", Y, weights), weights]


def _step_by_loops(Y, keys, mask, h, r, W_h, W_r, W_t, w):
    found, rows = [], []
    for b, real in enumerate(mask):
        scores = torch.stack([torch.tanh(key + W_h @ h[b] + W_r @ r[b]).dot(w) for key in keys[b, real]])
        rows.append(torch.zeros_like(keys[b, :, 0]).masked_scatter(real, scores.softmax(0)))
        found.append(scores.softmax(0) @ Y[b, real] + torch.tanh(W_t @ r[b]))
    return torch.stack(found), torch.stack(rows)


def _step_by_joined_matrices(Y, keys, mask, h, r, W_h, W_r, W_t, w):
    query = torch.cat([h, r], 1) @ torch.cat([W_h, W_r], 1).T
    weights = torch.where(mask, torch.tanh(keys + query[:, None]) @ w, -torch.inf).softmax(-1)
    return torch.baddbmm(torch.tanh(r @ W_t.T)[:, None], weights[:, None], Y).squeeze(1), weights


once, step = last_state_attention, word_by_word_step
OWN = "Padding gets exactly zero; each pair has its own premise and query."
SAME = "Which word gains if the same number is added to every score?"
LEFT_OUT = "Does pair 2 change if pair 1 is left out?"
SILENT = "The query changes no weight: it is missing, or outside the one tanh. Add it to the keys before the tanh."
SQUASH = "The paper squashes with tanh, not with a sigmoid or a ReLU."
INFINITE = "A finite number does not hide padding from every score: use minus infinity, float('-inf')."
PLAIN = "The weights are not used: this is the plain mean of the premise."
TURNED = "A matrix is transposed: W x is x @ W.T, where each row of x is one vector."
NO_MATRIX = "A matrix is missing: look at the formula of M."
PARTS = [  # of both exercises: the part of `attend` that is replaced, and what to ask
    ("The tanh is missing: so the query adds the same to all scores.", dict(score=lambda k, q, w: (k + q) @ w), SAME),
    (SILENT, dict(score=lambda k, q, w: k.tanh() @ w), SAME),
    ("The tanh comes too late: apply it before the product with w.", dict(score=lambda k, q, w: ((k + q) @ w).tanh())),
    (SQUASH, dict(score=lambda k, q, w: (k + q).sigmoid() @ w)),
    ("Multiply by w before you add up over the size.", dict(score=lambda k, q, w: (k + q).tanh().sum(2))),
    ("These scores are not scaled.", dict(score=lambda k, q, w: (k + q).tanh() @ w / len(w) ** 0.5)),
    ("This is dot-product attention: add keys and query.", dict(score=lambda k, q, w: (k * q).sum(2))),
    ("The query needs (batch, 1, size), to repeat over words.", dict(score=lambda k, q, w: (k + q[:, 0]).tanh() @ w)),
    ("All pairs share the first pair's query.", dict(score=lambda k, q, w: (k + q[:1]).tanh() @ w)),
    ("The premise mask is not used: padding gets weight.", dict(weigh=lambda e, m: e.softmax(1))),
    ("The mask is upside down: True marks a real word.", dict(weigh=lambda e, m: masked_softmax(e, ~m))),
    ("Rows do not sum to one: hide scores, before the softmax.", dict(weigh=lambda e, m: e.softmax(1) * m)),
    ("Padding needs -inf, not 0.", dict(weigh=lambda e, m: (e * m).softmax(1)), "What is the exponential of zero?"),
    ("The softmax runs over words, dim=1.", dict(weigh=lambda e, m: masked_softmax(e.T, m.T).T), LEFT_OUT),
    ("The softmax is missing: these are the scores.", dict(weigh=lambda e, m: e * m)),
    ("A high score means a high weight, not a low one.", dict(weigh=lambda e, m: masked_softmax(-e, m))),
    ("exp overflows: use torch.softmax.", dict(weigh=lambda e, m: (x := e.exp() * m) / x.sum(1, keepdim=True))),
    *[(INFINITE, dict(weigh=lambda e, m, x=x: e.masked_fill(~m, -x).softmax(1))) for x in (10, 1e3, 1e4, 1e9, 1e20)],
    (INFINITE, dict(weigh=lambda e, m: (e - 1e9 * ~m).softmax(1))),
    ("Scores are cut: a softmax needs no limits.", dict(weigh=lambda e, m: masked_softmax(e.clamp(-10, 10), m))),
    ("The weights sum to one already: add up, no mean.", dict(mean=lambda a, Y: average(a, Y) / Y.shape[1])),
    (PLAIN, dict(mean=lambda a, Y: Y.mean(1))),
    (PLAIN, dict(mean=lambda a, Y: average((a > 0) / (a > 0).sum(1, keepdim=True), Y))),
    ("This is the best word: average over all of them.", dict(mean=lambda a, Y: Y[torch.arange(len(Y)), a.argmax(1)])),
    ("Each word has its weight: (batch, length, 1).", dict(mean=lambda a, Y: (a.unsqueeze(1) * Y).sum(1))),
]
ONCE_MATRICES = [  # A, B: W_y, W_h -> what is taken for them
    ("W_y and W_h are swapped.", lambda A, B: (B, A)),
    ("W_y is used twice: W_h goes with the last state.", lambda A, B: (A, A)),
    (TURNED, lambda A, B: (A.T, B)),
    (TURNED, lambda A, B: (A, B.T)),
    (TURNED, lambda A, B: (A.T, B.T)),
    (NO_MATRIX, lambda A, B: (A, torch.eye(len(A)).to(A))),
    (NO_MATRIX, lambda A, B: (torch.eye(len(A)).to(A), B)),
]
NEXT_WORD = "*Red* found its clause. How does *dogs*, the next word, know of it?"
PLACES = "Each matrix has its place: W_h h_t and W_r r_{t-1} in the query, W_t r_{t-1} in the update."
STEP_MATRICES = [  # H, R, T: W_h, W_r, W_t -> what is taken for them
    ("Add W_r r_{t-1} to the query, inside the one tanh.", lambda H, R, T: (H, 0 * R, T), NEXT_WORD),
    ("Add W_h h_t to the query, inside the one tanh.", lambda H, R, T: (0 * H, R, T)),
    ("What was found before is forgotten: add tanh(W_t r_{t-1}).", lambda H, R, T: (H, R, 0 * T), NEXT_WORD),
    (PLACES, lambda H, R, T: (R, H, T)),
    (PLACES, lambda H, R, T: (H, T, T)),
    (TURNED, lambda H, R, T: (H.T, R, T)),
    (TURNED, lambda H, R, T: (H, R.T, T)),
    (TURNED, lambda H, R, T: (H, R, T.T)),
    (NO_MATRIX, lambda H, R, T: (H, torch.eye(len(R)).to(R), T)),
    (NO_MATRIX, lambda H, R, T: (torch.eye(len(R)).to(R), R, T)),
    ("W_t is missing in the update.", lambda H, R, T: (H, R, torch.eye(len(R)).to(R))),
]
GROWS = "Which of the two terms could grow from word to word?"
UPDATES = [  # z: Σ α y, r: r_{t-1}, T: W_t transposed -> r_t
    ("What this word found is missing: add Σ α y.", lambda z, r, T: (r @ T).tanh()),
    ("The tanh of the update is missing.", lambda z, r, T: z + r @ T, GROWS),
    ("W_t and its tanh are missing in the update.", lambda z, r, T: z + r),
    ("The tanh is for W_t r_{t-1} alone: Σ α y is added outside.", lambda z, r, T: (z + r @ T).tanh(), GROWS),
    ("What is carried on is r_{t-1}; you took what this word found.", lambda z, r, T: z + (z @ T).tanh()),
    (SQUASH, lambda z, r, T: z + (r @ T).sigmoid()),
]
WHICH = "Which of the two should be handed on?"
OTHERS = [  # (all arguments) -> both results
    ("The keys are W_y Y already: compare premise_keys.", lambda Y, k, *rest: step(Y, Y, *rest), WHICH),
    ("Average the outputs Y, not the keys W_y Y.", lambda Y, k, *rest: step(k, k, *rest), WHICH),
    ("One tanh in all.", lambda Y, k, m, h, r, H, R, *x: step(Y, k + (r @ R.T).tanh()[:, None], m, h, r, H, 0 * R, *x)),
    ("Swapped: r_t comes first, then the weights.", lambda *given: step(*given)[::-1]),
]
SIZES = [
    Case("Batch, length and size may be equal.", dict(batch=4, length=4, size=4)),
    Case("A single pair may have padding.", dict(batch=1, lengths=(2,))),
]
DEMANDS = [sizes(batch=1, length=1, size=1), sizes(length=60), dtypes(torch.float64)]


def _cases(one_pair: str, answer, of=lambda *given: given) -> list[Case]:
    one, other, low, top = [-20.0, 0.0], [0.0, -20.0], [-20.0, -20.0], [20.0, 20.0]  # tanh of these is exactly ±1 or 0
    return [
        Case(one_pair, dict(batch=1, length=3, size=2)),
        Case(OWN, observe=exactly_zero(answer), note=EXACTLY),
        *SIZES,
        Case("Real scores are −1e30 and −2e30, and padding has 2e30.", lambda: of(*_step_large(one, other, low, top))),
        Case(
            "Real scores are −1e30 and −2e30, and padding has 0.", lambda: of(*_step_large(one, other, low, [0.0, 0.0]))
        ),
        Case("Real scores are 1e30 and 2e30, as in padding.", lambda: of(*_step_large(top, [0.0, 20.0], top, top))),
        Case("Vectors may be large: nothing is cut.", dict(scale=1e4)),
    ]


# to the first exercise of one to the second: nothing was found before
_once = changing(lambda Y, m, h, A, B, w: (Y, Y @ A.T, m, h, 0 * h, B, 0 * B, 0 * B, w))
LAST_STATE = Exercise(
    Task("05.last-state-attention", "Attend to the premise once", 2, 10, "(batch, size); (batch, premise_length)"),
    last_state_attention,
    lambda generator, **sizes: _for_once(*_step_sample(generator, **sizes)),
    cases=_cases("One pair: the weights are softmax(w · tanh(W_y y + W_h h)), and r is Σ α y.", once, _for_once),
    demands=[*DEMANDS, differentiable("premise_outputs", "last", "W_y", "W_h", "w")],
    mistakes=[
        *[Mistake(hint, _once(_step(**part)), *ask) for hint, part, *ask in PARTS],
        *[Mistake(hint, lambda Y, m, h, A, B, w, f=f: once(Y, m, h, *f(A, B), w)) for hint, f in ONCE_MATRICES],
        Mistake("Average the outputs Y, not W_y Y.", _once(lambda Y, k, *rest: step(k, k, *rest))),
        Mistake("Swapped: r comes first, then the weights.", lambda *given: once(*given)[::-1]),
    ],
    right=[_once_by_columns, _once(_step_by_loops), _once(_step_by_joined_matrices)],
)

ONE_PAIR = "One pair: the weights are softmax(w · tanh(keys + W_h h + W_r r)), and r_t = Σ α y + tanh(W_t r)."
LEARNED = ["premise_outputs", "premise_keys", "hypothesis_output", "found", "W_h", "W_r", "W_t", "w"]
WORD_BY_WORD = Exercise(
    Task(
        "05.word-by-word-step",
        "Attend again at every word, and remember",
        2,
        15,
        "(batch, size); (batch, premise_length)",
    ),
    word_by_word_step,
    _step_sample,
    cases=[*_cases(ONE_PAIR, step), Case("At the first word r is zero.", dict(seen=0.0))],
    demands=[*DEMANDS, differentiable(*LEARNED)],
    mistakes=[
        *[Mistake(hint, _step(**part), *ask) for hint, part, *ask in PARTS],
        *[Mistake(hint, lambda *x, f=f: step(*x[:5], *f(*x[5:8]), x[8]), *ask) for hint, f, *ask in STEP_MATRICES],
        *[Mistake(hint, _step(update), *ask) for hint, update, *ask in UPDATES],
        *[Mistake(hint, by, *ask) for hint, by, *ask in OTHERS],
    ],
    right=[_step_by_loops, _step_by_joined_matrices],
)
