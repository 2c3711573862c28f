"""Lesson 6: score frames by content and by location, and turn the scores into weights."""

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, dtypes, sizes
from course_utils.exercises.zeros import EXACTLY, exactly_zero
from course_utils.mechanisms.attention import masked_softmax
from course_utils.mechanisms.location import smooth_weights


def location_score(state, encoder_outputs, features, frame_mask, W, V, U, b, w) -> Tensor:
    """Compute attention weights from content and location: e_j = w · tanh(W s + V h_j + U f_j + b), α = softmax(e).

    Takes s `(batch, state_size)`, h `(batch, frames, value_size)`, f `(batch, frames, filters)`, a mask `(batch,
    frames)`, True = real frame, matrices `(attention_size, …)`, b and w `(attention_size,)`. Returns α `(batch,
    frames)`, exactly zero on padding; each row sums to one. Source: Chorowski et al. 2015, arXiv 1506.07503, section
    2.1.
    """
    hidden = (state @ W.T).unsqueeze(1) + encoder_outputs @ V.T + features @ U.T + b
    return masked_softmax(torch.tanh(hidden) @ w, frame_mask)


def sample(generator: torch.Generator, batch=3, frames=5, state=2, value=4, filters=6, hidden=7) -> tuple[Tensor, ...]:
    """Make arguments of different sizes; the first row of the mask is full, the last has one real frame."""
    shapes = [(batch, state), (batch, frames, value), (batch, frames, filters)]
    shapes += [(hidden, state), (hidden, value), (hidden, filters), (hidden,), (hidden,)]
    s, h, f, *parameters = (torch.randn(shape, generator=generator) for shape in shapes)
    return s, h, f, (torch.arange(frames) < torch.linspace(frames, 1, batch).round().unsqueeze(1)), *parameters


def _tiny(*h, f=(0.0, 0.0, 0.0), w=2e30):
    """Make arguments with scores of w · tanh(h + 2 f + 0.75); two frames are real."""
    heard, features = torch.tensor(h).unsqueeze(2), torch.tensor([f] * len(h)).unsqueeze(2)
    mask = torch.tensor([[True, True, False]] * len(h))
    s, W, V, U, b = torch.tensor([1.0, 0.5, 1.0, 2.0, 0.25]).view(5, 1, 1)
    return s.repeat(len(h), 1), heard, features, mask, W, V, U, b[0], torch.tensor([w])


def _equation(scores: Callable, weigh: Callable = masked_softmax) -> Callable:
    """Make an answer of weigh(scores(W s as (batch, 1, hidden), V h, U f, b, w), mask)."""
    return lambda s, h, f, m, W, V, U, b, w: weigh(scores((s @ W.T).unsqueeze(1), h @ V.T, f @ U.T, b, w), m)


def _ending(weigh: Callable) -> Callable:
    """Make an answer of weigh(scores, mask)."""
    return _equation(lambda s, h, f, b, w: (s + h + f + b).tanh() @ w, weigh)


def _given(letters: str, change: Callable) -> Callable:
    """Make an answer that changes some of its arguments shfmWVUbw first, each by itself."""
    return lambda *a: location_score(*[change(x) if n in letters else x for n, x in zip("shfmWVUbw", a, strict=True)])


def _by_loops(s, h, f, m, W, V, U, b, w):
    rows = []
    for i in range(len(s)):
        real = [w.dot(torch.tanh(W @ s[i] + V @ h[i, j] + U @ f[i, j] + b)) for j in range(len(m[i])) if m[i, j]]
        rows.append(w.new_zeros(len(m[i])).masked_scatter(m[i], torch.stack(real).softmax(0)))
    return torch.stack(rows)


U_INSIDE = "U f is missing, or outside the tanh, where it cannot act together with the rest: add it before the tanh."
OUTSIDE = "W s or b is missing, or outside the tanh, where it adds the same to all scores and the softmax forgets it."
ONE_TANH = "Take one tanh of the whole sum, before the product with w, and not one of each part."
SQUASH = "The paper squashes with tanh, not with a sigmoid or a ReLU."
TIMES_W = "Multiply the hidden units by w and add them up: no plain sum, no mean, no scale."
PAIRS = "A parameter meets the wrong part: W goes with the state, V with the encoder outputs, U with the features."
TURNED = "A matrix is transposed: W s is state @ W.T, where each row of state is an s; V h and U f likewise."
AXIS = "W s met the wrong axis: give it one for the frames, (batch, 1, attention_size), as unsqueeze(1) does."
APART = "Keep the utterances apart: each has its own state, encoder outputs, features and mask."
SUMS = "The rows do not sum to one: hide the scores before the softmax, not the weights after it."
INFINITE = "A finite number does not hide padding from every score: put minus infinity, float('-inf'), in its place."
ZERO = "A score of 0 is not hidden, its exponential is 1: padding needs minus infinity."
OVERFLOW = "exp overflows, or is zero throughout: let torch.softmax take it."
SOFTMAX = "The frames of an utterance compete: take a softmax of the scores over the frames, dim=1."
ORDERS = (5, 4, 6), (4, 6, 5), (6, 5, 4)  # of W, V and U
VAST = [-50.0, -1.5, 0.0], [-1.5, -50.0, 50.0], [50.0, -50.0, 50.0], [0.0, 50.0, -50.0]
WEIGHTS = "The weights are the softmax of w · tanh(W s + V h + U f + b), exactly zero on padding, whatever the sizes."
ALIKE = "Two frames sound alike. What could distinguish them?"
GAINS = "Which frame gains if the same number is added to all scores?"
HIDE = "Hide the scores of padding: encoder outputs and features of zero still have a score."

EXERCISE = Exercise(
    Task("06.location-score", "Score by content and by location", 2, 12, "(batch, frames)"),
    location_score,
    sample,
    cases=[
        Case("Two frames sound the same: the location decides.", _tiny([0.2, 0.2, 5.0], f=[0.0, 0.4, 0.0], w=3.0)),
        Case("Each utterance has its own state, frames, mask.", dict(batch=2, frames=2, value=2, filters=2, hidden=2)),
        Case(WEIGHTS, observe=exactly_zero(location_score), note=EXACTLY),
        Case("Scores may be as large as ±2e30, on padding, too.", _tiny(*VAST)),
    ],
    demands=[
        sizes(batch=1, frames=80),
        dtypes(torch.float64),
        differentiable("state", "encoder_outputs", "features", "W", "V", "U", "b", "w"),
    ],
    mistakes=[
        Mistake(U_INSIDE, _equation(lambda s, h, f, b, w: (s + h + b).tanh() @ w), ask=ALIKE),
        Mistake(U_INSIDE, _equation(lambda s, h, f, b, w: (s + h + b).tanh() @ w + f @ w), ask=GAINS),
        Mistake(OUTSIDE, _equation(lambda s, h, f, b, w: (h + f + b).tanh() @ w)),
        Mistake(OUTSIDE, _equation(lambda s, h, f, b, w: (s + h + f).tanh() @ w)),
        Mistake("V h is missing: nothing is heard.", _equation(lambda s, h, f, b, w: (s + f + b).tanh() @ w)),
        Mistake("The bias is added; you took it away.", _equation(lambda s, h, f, b, w: (s + h + f - b).tanh() @ w)),
        Mistake("The tanh is missing.", _equation(lambda s, h, f, b, w: (s + h + f + b) @ w)),
        Mistake(ONE_TANH, _equation(lambda s, h, f, b, w: ((s + h + f + b) @ w).tanh())),
        Mistake(ONE_TANH, _equation(lambda s, h, f, b, w: ((s + h + b).tanh() + f.tanh()) @ w)),
        Mistake(ONE_TANH, _equation(lambda s, h, f, b, w: (s.tanh() + h.tanh() + f.tanh() + b.tanh()) @ w)),
        Mistake(SQUASH, _equation(lambda s, h, f, b, w: (s + h + f + b).sigmoid() @ w)),
        Mistake(SQUASH, _equation(lambda s, h, f, b, w: (s + h + f + b).relu() @ w)),
        Mistake(TIMES_W, _equation(lambda s, h, f, b, w: (s + h + f + b).tanh().sum(2))),
        Mistake(TIMES_W, _equation(lambda s, h, f, b, w: (s + h + f + b).tanh() @ w / len(w) ** 0.5)),
        Mistake(TIMES_W, _equation(lambda s, h, f, b, w: ((s + h + f + b).tanh() * w).mean(2))),
        Mistake("Add the parts; you multiplied some.", _equation(lambda s, h, f, b, w: (s * h + f + b).tanh() @ w)),
        *[Mistake(PAIRS, lambda *a, o=o: location_score(*a[:4], *[a[k] for k in o], *a[7:])) for o in ORDERS],
        Mistake("b and w are swapped.", lambda *a: location_score(*a[:7], a[8], a[7])),
        *[Mistake(TURNED, _given(letters, lambda x: x.T)) for letters in ("WVU", "W", "V", "U")],
        Mistake(AXIS, _equation(lambda s, h, f, b, w: (s.squeeze(1) + h + f + b).tanh() @ w)),
        Mistake(AXIS, _equation(lambda s, h, f, b, w: (s.mT + h + f + b).tanh() @ w)),
        Mistake("f_j belongs to frame j: the features are (batch, frames, filters).", _given("f", lambda f: f.mT)),
        *[Mistake(APART, _given(letter, lambda x: x[:1].expand_as(x))) for letter in "shfm"],
        Mistake("The mask is not used: padding gets weight.", _ending(lambda e, m: e.softmax(1))),
        Mistake("The mask is upside down: True marks a real frame.", _ending(lambda e, m: masked_softmax(e, ~m))),
        Mistake(SUMS, _ending(lambda e, m: e.softmax(1) * m)),
        Mistake(ZERO, _ending(lambda e, m: (e * m).softmax(1)), ask="What is the exponential of zero?"),
        *[Mistake(INFINITE, _ending(lambda e, m, x=x: e.where(m, x).softmax(1))) for x in (-1e9, -1e4, -1e2, -10)],
        Mistake(INFINITE, _ending(lambda e, m: (e - 1e9 * ~m).softmax(1))),
        Mistake(HIDE, lambda s, h, f, m, *p: location_score(s, h * m[..., None], f * m[..., None], m | True, *p)),
        Mistake(SOFTMAX, _ending(lambda e, m: e)),
        Mistake(SOFTMAX, _ending(lambda e, m: e.sigmoid() * m)),
        Mistake(SOFTMAX, _ending(lambda e, m: e.where(m, -1e9).softmax(0))),
        Mistake(SOFTMAX, _ending(lambda e, m: masked_softmax(e.flatten(), m.flatten()).view_as(e))),
        Mistake("This is smoothing, the next exercise: take a softmax.", _ending(smooth_weights)),
        Mistake(OVERFLOW, _ending(lambda e, m: (p := e.exp() * m) / p.sum(1, keepdim=True))),
        Mistake("Do not cut scores off or round them.", _ending(lambda e, m: masked_softmax(e.clamp(-9, 9), m))),
        Mistake("float64 became float32: keep the type that came in.", _given("shfWVUbw", torch.Tensor.float)),
    ],
    right=[_by_loops, _ending(lambda e, m: (h := e + m.log()).sub(h.logsumexp(1, keepdim=True)).exp())],
)
