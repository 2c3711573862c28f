"""Lesson 4: soft attention over cells, and its gate."""

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, sizes

SCORES = torch.tensor([[1.0, 2.0, 1.0], [3.0, 1.0, 4.0]]).log()  # weights of quarters and of eighths
ANNOTATIONS = [[[4.0, 0, 1, -2], [0, 2, 3, 1], [2, -1, 0, 6]], [[8, 1, 0, -4], [0, 0, 2, 8], [-1, 3, 5, 0]]]
SMALL = SCORES, torch.tensor(ANNOTATIONS), torch.tensor([0.5, 0.2])
LARGE = torch.tensor([[1000.0, 900.0, 0.0], [1e30, 2e30, -1e30], [-1e30, -900.0, -1000.0]])
MILLIONS, OPEN = torch.tensor([[1e6], [-3e6], [5e6]]).repeat(3, 1, 1), torch.tensor([0.5, 1.0, 0.25])


def soft_context(scores: Tensor, annotations: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
    """Average the annotations by the softmax of their scores, and gate the average: z = β Σ_i a_i h_i.

    Takes scores (batch, cells), annotations (batch, cells, size) and the gate (batch,), from 0 to 1. Returns the
    context (batch, size), gated, and the attention weights (batch, cells), not gated: each row sums to one. Source: Xu
    et al. 2015, arXiv 1502.03044, equations 4 to 6 and section 4.2.1.
    """
    attention_weights = scores.softmax(dim=1)
    return gate.unsqueeze(1) * _average(attention_weights, annotations), attention_weights


def _average(weights, annotations):
    return (weights.unsqueeze(2) * annotations).sum(dim=1)


def sample(generator: torch.Generator, batch=3, cells=5, size=4) -> tuple[Tensor, Tensor, Tensor]:
    """Make scores, annotations and gates; the first gate is open, the last one shut."""
    scores = 2 * torch.randn(batch, cells, generator=generator)
    return scores, 3 * torch.randn(batch, cells, size, generator=generator), torch.linspace(1, 0, batch)


def _weights(hint, weigh, ask=""):
    return Mistake(hint, lambda s, h, g: (g[:, None] * _average(weigh(s), h), weigh(s)), ask)


def _context(hint, combine):
    return Mistake(hint, lambda s, h, g: (combine(s.softmax(1), h, g[:, None]), s.softmax(1)))


def _gated(hint, combine):
    return _context(hint, lambda a, h, g: combine(g, _average(a, h)))


def _by_loops(scores, annotations, gate):
    weights = torch.stack([(e - e.max()).exp() / (e - e.max()).exp().sum() for e in scores])
    images = zip(gate, weights, annotations, strict=True)
    return torch.stack([g * sum(a[i] * h[i] for i in range(len(a))) for g, a, h in images]), weights


EARLY = "The gate belongs to the context alone, and comes after the average: the weights do not change with it."
HARD = "This is hard attention, the best cell alone: a softmax gives weight to all cells."
COMPETE = "The cells compete: take a softmax over them, whose weights sum to one."
PLAIN = "The weights are not used: multiply each annotation by its weight, and add these up."
NAN = "With β = 0 the weights are NaN: do not divide by a sum that has the gate in it."
CELL_AXIS = "The weights met the wrong axis: make them (batch, cells, 1)."
SHUT = "With β = 0, what did the model attend to?"
SUM = "Which numbers have to sum to one?"

EXERCISE = Exercise(
    Task("04.soft-context", "Average the cells and gate the result", 1, 8, "(batch, size); (batch, cells)"),
    soft_context,
    sample,
    cases=[
        Case("The context is β times the average of the annotations; the weights are not gated.", SMALL),
        Case("Each image has its own scores, annotations and gate.", dict(batch=4, cells=4, size=4)),
        Case("All sizes may differ. An open gate is 1, a shut one 0.", {}),
        Case("Scores may be as large as ±1e30, and annotations are not cut.", (LARGE, MILLIONS, OPEN)),
    ],
    demands=[sizes(batch=1, cells=1, size=1), sizes(cells=300), differentiable("scores", "annotations", "gate")],
    mistakes=[
        Mistake(EARLY, lambda s, h, g: (soft_context(s, h, g)[0], s.softmax(1) * g[:, None]), SHUT),
        Mistake(EARLY, lambda s, h, g: soft_context(s * g[:, None], h, g), SHUT),
        Mistake(EARLY, lambda s, h, g: (soft_context(s, h, g * g)[0], s.softmax(1) * g[:, None]), SHUT),
        Mistake(NAN, lambda s, h, g: (soft_context(s, h, g)[0], s.softmax(1) * g[:, None] / g[:, None])),
        _gated("The gate is missing: multiply the average by β.", lambda g, z: z),
        _gated("The gate counts once; here it counts twice.", lambda g, z: g * g * z),
        _gated("The gate is from 0 to 1 already: no sigmoid.", lambda g, z: g.sigmoid() * z),
        _gated("Multiply the average by the gate; you added it.", lambda g, z: g + z),
        _gated("Multiply the average by the gate; you divided by it.", lambda g, z: z / g),
        _gated("β lets through; 1 − β holds back.", lambda g, z: (1 - g) * z),
        _gated("The context is the gated average itself: no tanh.", lambda g, z: (g * z).tanh()),
        *[_gated("Each image has its own gate.", lambda g, z, f=f: f(g) * z) for f in (lambda g: g[0], torch.mean)],
        _gated("The gate met the wrong axis: make it (batch, 1).", lambda g, z: g.squeeze(1) * z),
        _weights("The softmax runs over the batch: it runs over the cells, dim=1.", lambda s: s.softmax(0), SUM),
        _weights("Each image has its own softmax, dim=1.", lambda s: s.flatten().softmax(0).view_as(s)),
        _weights("The softmax is missing: these are the scores.", lambda s: s),
        _weights(COMPETE, lambda s: s.sigmoid(), SUM),
        _weights(COMPETE, lambda s: s.exp()),
        _weights("Divide the exponentials by their sum, not the scores.", lambda s: s / s.sum(1, keepdim=True)),
        _weights("exp overflows: use torch.softmax.", lambda s: s.exp() / s.exp().sum(1, keepdim=True)),
        _weights("These are the logarithms of the weights.", lambda s: s.log_softmax(1)),
        _weights("A high score gives a high weight, not a low one.", lambda s: (-s).softmax(1)),
        _weights("The softmax is there twice.", lambda s: s.softmax(1).softmax(1)),
        _weights("All cells have the same weight: use the scores.", lambda s: torch.zeros_like(s).softmax(1)),
        _weights("Scores are cut: a softmax needs no limits.", lambda s: s.clamp(-10, 10).softmax(1)),
        _weights(HARD, lambda s: nn.functional.one_hot(s.argmax(1), s.shape[1]).float()),
        _context(HARD, lambda a, h, g: g * h[torch.arange(len(h)), a.argmax(1)]),
        _context("The weights sum to one: add up, no mean.", lambda a, h, g: g * (a[..., None] * h).mean(1)),
        _context(PLAIN, lambda a, h, g: g * h.mean(1)),
        _context(PLAIN, lambda a, h, g: g * h.sum(1)),
        _context("Add up the cells, dim=1, not each annotation.", lambda a, h, g: g * (a[..., None] * h).sum(2)),
        _context("You added up the batch; add up the cells, dim=1.", lambda a, h, g: (a[..., None] * h).sum(0)),
        _context(CELL_AXIS, lambda a, h, g: g * (a[:, None] * h).sum(1)),
        _context("All images have the annotations of the first.", lambda a, h, g: g * (a @ h[0])),
        Mistake(PLAIN, lambda s, h, g: (g[:, None] * _average(s, h), s.softmax(1))),
        Mistake("Swapped: return first the context, then the weights.", lambda *inputs: soft_context(*inputs)[::-1]),
    ],
    right=[
        _by_loops,
        lambda s, h, g: (torch.einsum("b,bc,bcs->bs", g, s.log_softmax(1).exp(), h), s.log_softmax(1).exp()),
        lambda s, h, g: [torch.bmm(s.softmax(-1)[:, None], h)[:, 0] * g.view(-1, 1), s.softmax(-1)],
    ],
)
