"""Lesson 2: score every source position by a small network."""

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, differentiable, dtypes, sizes


def additive_score(query: Tensor, keys: Tensor, v: Tensor) -> Tensor:
    """Score every source position: e_j = v · tanh(q + k_j), with q = W s and k_j = U h_j."""
    return torch.tanh(query.unsqueeze(1) + keys) @ v


def sample(generator: torch.Generator, batch=3, length=4, hidden=6) -> tuple[Tensor, ...]:
    """Make arguments: by default no two sizes are equal, so that a turned matrix is noticed."""
    shapes = [(batch, hidden), (batch, length, hidden), (hidden,)]
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


def _large() -> tuple[Tensor, ...]:
    query, keys, _ = sample(torch.Generator().manual_seed(0))
    return 60 * query, 60 * keys, 1e20 * 2 ** torch.arange(6.0)  # no sum of these is near zero


def _by_loops(query, keys, v):
    return torch.stack([torch.stack([v.dot(torch.tanh(q + k)) for k in ks]) for q, ks in zip(query, keys, strict=True)])


_with_sum = changing(lambda q, k, v: (q.unsqueeze(1), k, v))
DOT = "This is dot-product attention. Here query and keys are added, and tanh and v follow."
SQUASH = "The paper squashes with tanh, not with a sigmoid or a ReLU."
AXIS = "The query met the wrong axis: make it (batch, 1, attention_size), so that it repeats over positions."
LINEAR = "The tanh is missing. Without it the query adds the same to every score, and nothing depends on it."
SCALED = "Additive scores are not scaled: drop the square root of the size."
SCALE = "Why do dot products need a scale, and why does v not?"
SHAPES = "Write the shape after each step. Where does source_length come in?"
SOFTMAX = "The scores sum to one: return the plain scores. The softmax comes in the next exercise."

EXERCISE = Exercise(
    Task("02.additive-score", "Score every source position", 2, 8, "(batch, source_length)"),
    additive_score,
    sample,
    cases=[
        # Equal sizes: a query on the wrong axis goes unnoticed by the shapes, and the values tell.
        Case("One sentence's scores are v · tanh(q + k).", dict(batch=1, length=2, hidden=2)),
        Case("Each sentence's query meets its own keys.", dict(batch=3, length=3, hidden=2)),
        Case("Batch, length and size may be equal.", dict(batch=3, length=3, hidden=3)),
        Case("Batch, length and size may all differ.", {}),
        Case("Sums and scores may be large: tanh is then 1 or -1, and nothing is cut.", _large),
    ],
    demands=[
        sizes(batch=1, length=1),
        sizes(length=300, hidden=100),
        dtypes(torch.float64),
        differentiable("query", "keys", "v"),
    ],
    mistakes=[
        Mistake(LINEAR, _with_sum(lambda q, k, v: (q + k) @ v), "Which part of this is not linear?"),
        Mistake("The tanh comes too late: it comes before v.", _with_sum(lambda q, k, v: ((q + k) @ v).tanh())),
        Mistake("Apply one tanh to the sum, not one to each.", _with_sum(lambda q, k, v: (q.tanh() + k.tanh()) @ v)),
        Mistake(SQUASH, _with_sum(lambda q, k, v: (q + k).sigmoid() @ v)),
        Mistake(SQUASH, _with_sum(lambda q, k, v: (q + k).relu() @ v)),
        Mistake("Multiply the units by v, then add them up.", _with_sum(lambda q, k, v: (q + k).tanh().sum(-1))),
        Mistake("Add up v times the units: no mean.", _with_sum(lambda q, k, v: ((q + k).tanh() * v).mean(-1))),
        Mistake(SCALED, lambda q, k, v: additive_score(q, k, v) / len(v) ** 0.5, SCALE),
        Mistake("The query is missing: add it before the tanh.", _with_sum(lambda q, k, v: k.tanh() @ v)),
        Mistake("You multiplied query and keys; add them.", _with_sum(lambda q, k, v: (q * k).tanh() @ v)),
        Mistake(DOT, _with_sum(lambda q, k, v: (q * k).sum(-1))),
        Mistake(DOT, _with_sum(lambda q, k, v: (q * k) @ v)),
        Mistake("Add the keys to the query, do not subtract them.", _with_sum(lambda q, k, v: (q - k).tanh() @ v)),
        Mistake("Add the query to the keys, do not subtract it.", _with_sum(lambda q, k, v: (k - q).tanh() @ v)),
        Mistake(SOFTMAX, lambda *inputs: additive_score(*inputs).softmax(-1), "Scores or weights: what was asked for?"),
        Mistake(AXIS, lambda q, k, v: torch.tanh(q + k) @ v, SHAPES),
        Mistake("All have the first sentence's query.", lambda q, k, v: torch.tanh(q[0] + k) @ v),
        Mistake("All have the first sentence's keys.", _with_sum(lambda q, k, v: (q + k[0]).tanh() @ v)),
        Mistake("You averaged the queries.", lambda q, k, v: torch.tanh(q.mean(0) + k) @ v),
        Mistake("Positions come second: the shape is (batch, source_length).", lambda *a: additive_score(*a).T),
    ],
    right=[
        _by_loops,
        _with_sum(lambda q, k, v: torch.einsum("bja,a->bj", torch.tanh(q + k), v)),
        _with_sum(lambda q, k, v: nn.functional.linear((q + k).tanh(), v.unsqueeze(0)).squeeze(-1)),
        _with_sum(lambda q, k, v: (torch.tanh(q + k) * v).sum(-1)),
    ],
)
