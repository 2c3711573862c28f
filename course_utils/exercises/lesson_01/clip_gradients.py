"""Lesson 1: scale all gradients by one factor where their common norm is too large."""

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, dtypes

SHAPES = (3, 2), (5,), (), (1, 4, 2), (1,)


def _norm(gradients):
    return float(sum(gradient.square().sum() for gradient in gradients)) ** 0.5


def clip_gradients(gradients: list[Tensor], maximum_norm: float) -> list[Tensor]:
    """Scale all gradients by one factor, so that their common norm is at most the limit (Pascanu et al. 2013)."""
    norm = _norm(gradients)
    factor = maximum_norm / norm if norm > maximum_norm else 1.0
    return [gradient * factor for gradient in gradients]


def _long(scale=1.0):  # tensors of norms 3, 12 and 4; together 13
    return [scale * torch.tensor(entries) for entries in ([-3.0], [[8.0, -8.0], [0.0, 4.0]], [0.0, 4.0])]


def sample(generator: torch.Generator, tensors=3, share=None, scale=1.0) -> tuple[list[Tensor], float]:
    """Make gradients, and a limit: their norm times this share, or times 0.2 to 1.2."""
    share = share or 0.2 + float(torch.rand((), generator=generator))
    gradients = [scale * torch.randn(SHAPES[i % len(SHAPES)], generator=generator) for i in range(tensors)]
    gradients[0][0] = 0.0
    return gradients, share * _norm(gradients)


def _scaled(factor):  # of the norm g and the limit m
    return lambda gradients, m: [gradient * factor(_norm(gradients), m) for gradient in gradients]


def _flat(gradients):
    return torch.cat([gradient.flatten() for gradient in gradients])


def _with_norm(measure):
    return lambda gradients, m: [g * min(1.0, m / max(float(measure(gradients)), 1e-12)) for g in gradients]


def _memory(answer, gradients, maximum_norm) -> dict:
    """Observe how many of the returned tensors are the given ones, or views of them."""
    given = {gradient.untyped_storage().data_ptr() for gradient in gradients}
    result = answer(gradients, maximum_norm)
    tensors = [item for item in result if isinstance(item, Tensor)] if isinstance(result, list | tuple) else []
    shared = sum(tensor.untyped_storage().data_ptr() in given for tensor in tensors)
    return {"returned": result, "shared tensors": shared}


def _by_library(gradients, maximum_norm):
    parameters = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    nn.utils.clip_grad_norm_(parameters, maximum_norm)
    return [parameter.grad for parameter in parameters]


def _by_concatenation(gradients, maximum_norm):
    norm = torch.linalg.vector_norm(_flat(gradients))
    return [gradient * torch.clamp(maximum_norm / (norm + 1e-6), max=1.0) for gradient in gradients]


def _by_numpy(gradients, maximum_norm):
    norm = sum((gradient.numpy().astype(float) ** 2).sum() for gradient in gradients) ** 0.5
    factor = min(1.0, maximum_norm / norm) if norm else 1.0
    return tuple(torch.tensor(gradient.numpy() * factor, dtype=gradient.dtype) for gradient in gradients)


DIRECTION = "Do two gradients still point the same way together?"
IN_PLACE = "You changed the gradients that you were given: compute gradient * factor, no *= and no .mul_()."
NEW = "What you were given came back: return new tensors always, also of the same values, gradient.clone()."
EACH = "You clipped each tensor by its own norm, which changes the direction: take one norm over all, one factor."
ENTRIES = "You cut single entries, which changes the direction: multiply all of them by one factor."
LENGTHENED = "You lengthened a short gradient: clip only if the norm is above maximum_norm."
ZEROS = "Gradients of zeros have the norm 0: nothing may be divided by it."
ROOT = "The norm is the root of the sum of all squares: you {}."
ONE = "All entries of all tensors belong to one norm: you took the {}."
UPSIDE_DOWN = "The comparison is upside down: scale where g > maximum_norm."
BELOW_ONE = "A norm below 1 may be above the limit: compare it with maximum_norm."

KEPT = (lambda g, m: g <= m), (lambda g, m: g == m), (lambda g, m: g == 0), (lambda g, m: g in (0, m))
EXERCISE = Exercise(
    Task("01.clip-gradients", "Clip a gradient that is too long", 2, 8),
    clip_gradients,
    sample,
    cases=[
        Case(
            "Above the limit every tensor is multiplied by maximum_norm / g, g being the norm of all.", (_long(), 2.6)
        ),
        Case("At the limit gradients keep their values, in new tensors.", (_long(), 13), observe=_memory),
        Case("Below the limit gradients keep their values.", (_long(0.5), 6.75)),
        Case("Gradients of zeros come back as new zeros.", ([torch.zeros(2, 2), torch.zeros(3)], 1.0), observe=_memory),
        Case("A tensor without dimensions is a tensor, too.", ([torch.tensor(3.0), torch.tensor([4.0])], 1.0)),
        Case("The limit may be small.", (_long(0.01), 0.026)),
        Case("Gradients may be far above the limit.", (_long(1e6), 1_000)),
        Case("One tensor works.", dict(tensors=1, share=0.3)),
        Case("Many tensors of many shapes work.", dict(tensors=60, share=0.3)),
        Case("The tensors are new ones above the limit.", dict(share=0.5), observe=_memory),
        Case("The tensors are new ones below the limit, too.", dict(share=2.0), observe=_memory),
    ],
    demands=[dtypes(torch.float64, share=0.3, scale=1e5)],
    mistakes=[
        Mistake(EACH, lambda gradients, limit: [clip_gradients([g], limit)[0] for g in gradients], ask=DIRECTION),
        Mistake(ENTRIES, lambda gradients, limit: [g.clamp(-limit, limit) for g in gradients], ask=DIRECTION),
        Mistake(LENGTHENED, _scaled(lambda g, m: m / max(g, 1e-12)), ask="What should become of a short gradient?"),
        Mistake(ZEROS, lambda gs, m: [g / torch.tensor(_norm(gs)) * min(_norm(gs), m) for g in gs]),
        Mistake(ROOT.format("added up the norms of the tensors"), _with_norm(lambda gs: sum(g.norm() for g in gs))),
        Mistake(ROOT.format("left the root out"), _with_norm(lambda gs: _norm(gs) ** 2)),
        Mistake(ROOT.format("added up absolute values"), _with_norm(lambda gs: sum(g.abs().sum() for g in gs))),
        Mistake(ROOT.format("took the largest entry"), _with_norm(lambda gs: max(g.abs().max() for g in gs))),
        Mistake(ROOT.format("took a mean of squares"), _with_norm(lambda gs: _flat(gs).square().mean() ** 0.5)),
        Mistake(ONE.format("largest norm of a single tensor"), _with_norm(lambda gs: max(g.norm() for g in gs))),
        Mistake(ONE.format("norm of the first tensor"), _with_norm(lambda gs: gs[0].norm())),
        Mistake(ONE.format("norm of the last tensor"), _with_norm(lambda gs: gs[-1].norm())),
        Mistake("Nothing was scaled, although the norm of all is above the limit.", _scaled(lambda g, m: 1.0)),
        Mistake(UPSIDE_DOWN, _scaled(lambda g, m: m / max(g, 1e-12) if g < m else 1.0)),
        Mistake("The result has norm 1: multiply by maximum_norm, too.", _scaled(lambda g, m: 1 / g if g > m else 1)),
        Mistake("The factor is upside down: maximum_norm / g.", _scaled(lambda g, m: g / m if g > m else 1)),
        Mistake(BELOW_ONE, _scaled(lambda g, m: min(1.0, m / max(g, 1.0)))),
        Mistake("Return one tensor for each gradient, in its shape.", lambda gs, m: clip_gradients([_flat(gs)], m)),
        *[Mistake(NEW, lambda gs, m, kept=kept: gs if kept(_norm(gs), m) else clip_gradients(gs, m)) for kept in KEPT],
        Mistake(NEW, lambda gs, m: [new if new.any() else g for g, new in zip(gs, clip_gradients(gs, m), strict=True)]),
        Mistake(IN_PLACE, lambda gs, m: [g.copy_(new) for g, new in zip(gs, clip_gradients(gs, m), strict=True)]),
    ],
    right=[_by_library, _by_concatenation, _by_numpy, _scaled(lambda g, m: min(1.0, m / max(g, 1e-12)))],
)
