"""Lesson 2: score every source position by a small network."""

import torch
from torch import Tensor, nn

from course_utils.exercises.demands import differentiable, dtypes, sizes
from course_utils.exercises.engine import Case, Exercise, Mistake


def additive_score(query: Tensor, encoder_outputs: Tensor, W: Tensor, U: Tensor, v: Tensor) -> Tensor:
    """Score every source position: e_ij = v · tanh(W s + U h_j)."""
    return torch.tanh((query @ W.T).unsqueeze(1) + encoder_outputs @ U.T) @ v


def sample(generator: torch.Generator, batch=3, length=4, query=2, value=5, hidden=6) -> tuple[Tensor, ...]:
    """Make arguments: by default no two sizes are equal, so that a turned matrix is noticed."""
    shapes = [(batch, query), (batch, length, value), (hidden, query), (hidden, value), (hidden,)]
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


def _large() -> tuple[Tensor, ...]:
    s, h, W, U, v = sample(torch.Generator().manual_seed(0))
    return 60 * s, 60 * h, W, U, 1e20 * 2 ** torch.arange(6.0)  # no sum of these is near zero


def _with_sum(combine):
    """Make an answer of combine(W s as (batch, 1, hidden), U h, v)."""
    return lambda s, h, W, U, v: combine((s @ W.T).unsqueeze(1), h @ U.T, v)


def _by_loops(query, encoder_outputs, W, U, v):
    pairs = zip(query, encoder_outputs, strict=True)
    return torch.stack([torch.stack([v.dot(torch.tanh(W @ s + U @ h)) for h in hs]) for s, hs in pairs])


def _by_concatenation(query, encoder_outputs, W, U, v):
    both = torch.cat([query.unsqueeze(1).expand(-1, encoder_outputs.shape[1], -1), encoder_outputs], dim=-1)
    return (torch.tanh(both @ torch.cat([W, U], dim=1).T) * v).sum(-1)


DOT = "This is dot-product attention. Here W s and U h are added, and tanh and v follow."
SQUASH = "The paper squashes with tanh, not with a sigmoid or a ReLU."
AXIS = "W s met the wrong axis: give it a source axis, (batch, 1, attention_size), so that it repeats over positions."
LINEAR = "The tanh is missing. Without it the query adds the same to every score, and nothing depends on it."
SCALED = "Additive scores are not scaled: drop the square root of the size."
SCALE = "Why do dot products need a scale, and why does v not?"
SHAPES = "Write the shape after each step. Where does source_length come in?"
SOFTMAX = "The scores sum to one: return the plain scores. The softmax comes in the next exercise."
ROWS = "The queries are the rows of `query`, (batch, query_size): W s for all of them is query @ W.T."

EXERCISE = Exercise(
    "02.additive-score",
    "Score every source position",
    difficulty=2,
    minutes=10,
    reference=additive_score,
    returns="(batch, source_length)",
    sample=sample,
    cases=[
        # Equal sizes: a swapped or transposed matrix goes unnoticed by the shapes, and the values tell.
        Case("One sentence's scores are v · tanh(W s + U h).", dict(batch=1, length=2, query=2, value=2, hidden=2)),
        Case("Each sentence's query meets its own positions.", dict(batch=3, length=3, query=2, value=2, hidden=3)),
        Case("Batch, length and sizes may be equal.", dict(batch=3, length=3, query=3, value=3, hidden=3)),
        Case("Batch, length and sizes may all differ.", {}),
        Case("Sums and scores may be large: tanh is then 1 or -1, and nothing is cut.", _large),
    ],
    demands=[
        sizes(batch=1, length=1, value=1),
        sizes(length=300, hidden=100),
        dtypes(torch.float64),
        differentiable("query", "encoder_outputs", "W", "U", "v"),
    ],
    mistakes=[
        Mistake(LINEAR, _with_sum(lambda s, h, v: (s + h) @ v), "Which part of this is not linear?"),
        Mistake("The tanh comes too late: it comes before v.", _with_sum(lambda s, h, v: ((s + h) @ v).tanh())),
        Mistake("Apply one tanh to the sum, not one to each.", _with_sum(lambda s, h, v: (s.tanh() + h.tanh()) @ v)),
        Mistake(SQUASH, _with_sum(lambda s, h, v: (s + h).sigmoid() @ v)),
        Mistake(SQUASH, _with_sum(lambda s, h, v: (s + h).relu() @ v)),
        Mistake("W and U are swapped: W goes with s, U with h.", lambda s, h, W, U, v: additive_score(s, h, U, W, v)),
        Mistake("Multiply the units by v, then add them up.", _with_sum(lambda s, h, v: (s + h).tanh().sum(-1))),
        Mistake("Add up v times the units: no mean.", _with_sum(lambda s, h, v: ((s + h).tanh() * v).mean(-1))),
        Mistake(SCALED, lambda s, h, W, U, v: additive_score(s, h, W, U, v) / len(v) ** 0.5, SCALE),
        Mistake("The query is missing: add W s before the tanh.", _with_sum(lambda s, h, v: h.tanh() @ v)),
        Mistake("You multiplied W s by U h; add them.", _with_sum(lambda s, h, v: (s * h).tanh() @ v)),
        Mistake(DOT, _with_sum(lambda s, h, v: (s * h).sum(-1))),
        Mistake(DOT, lambda s, h, W, U, v: (s[:, None] * h).sum(-1)),
        Mistake(SOFTMAX, lambda *inputs: additive_score(*inputs).softmax(-1), "Scores or weights: what was asked for?"),
        Mistake("W needs the transpose: W s is query @ W.T.", lambda s, h, W, U, v: additive_score(s, h, W.T, U, v)),
        Mistake("U needs the transpose: U h is h @ U.T.", lambda s, h, W, U, v: additive_score(s, h, W, U.T, v)),
        Mistake("W and U need the transpose: W.T, U.T.", lambda s, h, W, U, v: additive_score(s, h, W.T, U.T, v)),
        Mistake(ROWS, lambda s, h, W, U, v: v @ torch.tanh(W @ s + U @ h)),
        Mistake(ROWS, lambda s, h, W, U, v: torch.tanh(W @ s + h @ U.T) @ v),
        Mistake(AXIS, lambda s, h, W, U, v: torch.tanh(s @ W.T + h @ U.T) @ v, SHAPES),
        Mistake("All have the first sentence's query.", lambda s, h, W, U, v: torch.tanh(s[0] @ W.T + h @ U.T) @ v),
        Mistake("All have the first sentence's encoder outputs.", _with_sum(lambda s, h, v: (s + h[0]).tanh() @ v)),
        Mistake("You averaged the queries.", lambda s, h, W, U, v: torch.tanh(s.mean(0) @ W.T + h @ U.T) @ v),
        Mistake("Positions come second: the shape is (batch, source_length).", lambda *a: additive_score(*a).T),
    ],
    right=[
        _by_loops,
        _by_concatenation,
        _with_sum(lambda s, h, v: torch.einsum("bja,a->bj", torch.tanh(s + h), v)),
        _with_sum(lambda s, h, v: nn.functional.linear((s + h).tanh(), v.unsqueeze(0)).squeeze(-1)),
    ],
)
