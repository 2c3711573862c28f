"""Lesson 4: hard attention, one cell sampled by its weight."""

from functools import partial

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, sizes

SHARES, QUARTERS = torch.tensor([0.2, 0.5, 0.0, 0.3]), torch.full((4,), 0.25)


def sample_cell(attention_weights: Tensor, annotations: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Sample one cell per image from its weights; return its annotation and the log-probability.

    Takes weights (batch, cells), each row summing to one, annotations (batch, cells, size), and the only source of
    random numbers. Returns the context (batch, size), from which no gradient leads to the weights, and log p(s)
    (batch,), in nats, from which one does. Source: Xu et al. 2015, arXiv 1502.03044, section 4.1, equations 8 and 9.
    """
    cell = _draw(attention_weights, generator)
    return _at(annotations, cell), _at(attention_weights, cell).log()


def _draw(weights, generator):
    return torch.multinomial(weights, 1, generator=generator).squeeze(1)


def _at(values, cell):
    return values[torch.arange(len(cell)), cell]


def sample(generator: torch.Generator, batch=6, cells=7, size=3, possible=0) -> tuple[Tensor, Tensor, torch.Generator]:
    """Make arguments with which every right answer returns the same: cells that can be sampled are alike."""
    number = torch.full((batch, 1), possible) if possible else 2 ** torch.randint(0, 3, (batch, 1), generator=generator)
    able = torch.rand(batch, cells, generator=generator).argsort(dim=1) < number
    shared, others = (torch.randn(batch, n, size, generator=generator) for n in (1, cells))
    seeded = torch.Generator().manual_seed(generator.initial_seed())
    return able / able.sum(1, keepdim=True), torch.where(able.unsqueeze(2), shared, others), seeded


def _numbered(*rows: Tensor, images: int = 2000):
    """Make many images that have these rows of weights in turn; an annotation is the numbers of image and cell."""
    weights = torch.stack(rows).repeat(images // len(rows), 1)
    grid = torch.meshgrid(*[torch.arange(1.0, size + 1) for size in weights.shape], indexing="ij")
    return lambda: (weights.clone(), torch.stack(grid, dim=2), torch.Generator().manual_seed(3))


def _sampled(answer, weights, annotations, generator) -> tuple[Tensor, Tensor]:
    """Call an answer; return the cell of its image that each context is, the number of cells for none, and log p."""
    context, log_probability = answer(weights.clone(), annotations.clone(), generator)
    if context.shape != annotations[:, 0].shape:
        return torch.full(annotations.shape[:1], annotations.shape[1]), log_probability
    match = (annotations - context.unsqueeze(1)).abs().amax(dim=2) < 1e-3
    return torch.where(match.any(dim=1), match.float().argmax(dim=1), match.shape[1]), log_probability


def _shares(answer, weights, *rest):
    """Observe how often cells come back, in steps of 5 %, or exactly where that is seldom."""
    cells = torch.cat([_sampled(answer, weights, *rest)[0] for _ in range(8)])
    shares = torch.stack([cells[first::2].bincount(minlength=5) / len(cells[first::2]) for first in (0, 1)])
    stepped = torch.where(shares < 0.025, shares, (20 * shares).round() / 20)
    return {"shares of cells 0 to 3, and of none, in images 0, 2, 4, … and in the others": stepped}


def _told(answer, weights, *rest):
    """Observe the mean log-probability that is told for each cell, 0 for a cell that never comes back."""
    cells, log_probability = _sampled(answer, weights, *rest)
    sums = torch.zeros(weights.shape[1] + 1).index_add(0, cells, log_probability.detach().float())
    counts = torch.bincount(cells, minlength=len(sums)).clamp(1)
    return {"mean log-probability told for each cell": (sums / counts)[:-1]}


def _correlation(first: Tensor, second: Tensor, same: bool = False) -> float:
    """Correlate two series of cells, shifted and turned round in every way; 0 if chance explains the largest."""
    one, two = (torch.fft.fft(cells.double() - cells.double().mean()) for cells in (first, second))
    both = torch.stack([torch.fft.ifft(one * two.conj()), torch.fft.ifft(one * two)]).real.abs()
    both[0, 0] *= not same
    largest = float(both.max() / (first.double().var() * len(first)).clamp(min=1e-9))
    return round(largest, 1) if largest > 0.2 else 0.0


def _independence(answer, *arguments):
    """Observe whether cells depend on each other, on the generator, and on anything else."""
    first, second = (_sampled(answer, *arguments)[0] for _ in range(2))
    torch.manual_seed(6)
    again, _ = _sampled(answer, *arguments[:2], torch.Generator().manual_seed(3))
    return {
        "the same cells from the same seed": torch.equal(first, again),
        "correlation between images": _correlation(first, first, same=True),
        "correlation with the next call": _correlation(first, second),
    }


def _gradients(answer, weights, annotations, generator):
    """Observe log p, and gradients by annotations and by scores before the softmax, sorted: any cell will do."""
    scores, leaf = weights.log().requires_grad_(), annotations.clone().requires_grad_()
    context, told = answer(scores.softmax(1), leaf * 1, generator)
    observed = {"log_probability": told}
    sources = {"log_probability by the scores": (told, scores), "context by the annotations": (context, leaf)}
    for name, (value, source) in (sources | {"context by the scores": (context, scores)}).items():
        found = value.requires_grad and torch.autograd.grad(value.sum(), source, None, True, allow_unused=True)[0]
        observed[f"gradient of {name}"] = (found if isinstance(found, Tensor) else 0 * source).sort(1).values
    return observed


def _in_parts(weights, annotations, generator, *, choose=_draw, read=None, tell=lambda a, c: _at(a, c).log()):
    """Do what the reference does; each part can be another."""
    cell = choose(weights, generator)
    return read(weights, annotations, cell) if read else _at(annotations, cell), tell(weights, cell)


def _mistake(hint, ask="", **parts):
    return Mistake(hint, partial(_in_parts, **parts), ask)


def _by_gumbel(weights, annotations, generator):
    noise = -(-torch.rand(weights.shape, generator=generator).clamp(1e-12).log()).log()
    one = torch.nn.functional.one_hot((weights.detach().log() + noise).argmax(1), weights.shape[1]).to(weights)
    return torch.einsum("bc,bcs->bs", one, annotations), (weights * one).sum(1).log()


ARGMAX = "This is always the cell with the largest weight: sample one, for example with torch.multinomial."
AGAIN = "The weights are probabilities already: no second softmax, and no logits=weights."
UNUSED = "The generator is not used: pass generator=generator on, so that a run can be repeated."
FIXED = "Every call samples the same cells: neither seed the generator nor make one of your own."
SHARED = "All images share one draw: sample one cell for each."
FIRST = "Each image has its own weights: these are the first one's."
NATURAL = "Use the natural logarithm, torch.log."
PAIRS = "annotations[:, cell] takes every cell from every image: pair them, [torch.arange(batch), cell]."
OTHER = "This is the logarithm of another cell's weight: take the weight of the cell whose annotation you return."
CHOICE = "A gradient leads from the context to the weights, but sampling has none: take the annotation itself."
SEEN = "Can a cell with weight 0.1 ever be sampled, and what is returned then?"
NEVER = "The weights are (0, 1): how often should cell 0 come?"
TWICE = "Run it twice: what should be the same, and what not?"
GOOD = "How does the model learn that this draw was good?"
NOTE = "The log-probability has a gradient for the weights, the context for the sampled annotation alone."
TWO, THREE = _numbered(QUARTERS, QUARTERS, images=2), _numbered(SHARES[[0, 1, 3]])

EXERCISE = Exercise(
    Task("04.hard-sample", "Sample one cell", 2, 15, "(batch, size); (batch,)"),
    sample_cell,
    sample,
    cases=[
        Case("Of four cells alike the annotation and log 0.25 come back.", dict(batch=2, cells=4, size=2, possible=4)),
        Case("Each cell is sampled as often as its weight says.", _numbered(SHARES, SHARES.flip(0)), _shares),
        Case("The log-probability belongs to the cell whose annotation came back.", THREE, _told),
        Case("Each image and each call samples anew, by the generator alone.", THREE, _independence),
        Case("Each of many cells can be sampled.", _numbered(torch.tensor([0.2] + 40 * [0.02])), _told),
        Case("Each image has weights of its own, some of them 0 or 1.", {}),
        Case("Weights may be small.", dict(cells=3000, possible=3000)),
        Case("Scores get their gradient through the log-probability alone.", TWO, _gradients, note=NOTE),
    ],
    demands=[sizes(batch=1, cells=1, size=1)],
    mistakes=[
        _mistake(ARGMAX, SEEN, choose=lambda a, g: a.argmax(1)),
        _mistake("All cells come equally often: use the weights.", choose=lambda a, g: _draw(torch.ones_like(a), g)),
        _mistake(AGAIN, NEVER, choose=lambda a, g: _draw(a.softmax(1), g)),
        _mistake("You sampled by 1 − weight: the improbable cells.", choose=lambda a, g: _draw(1 - a + 1e-9, g)),
        _mistake(
            SHARED, choose=lambda a, g: (a.cumsum(1) < torch.rand(1, generator=g)).sum(1).clamp(max=a.shape[1] - 1)
        ),
        _mistake(SHARED, choose=lambda a, g: _draw(a[:1], g).expand(len(a))),
        _mistake(FIRST, choose=lambda a, g: torch.multinomial(a[0], len(a), replacement=True, generator=g)),
        _mistake(UNUSED, TWICE, choose=lambda a, g: _draw(a, None)),
        _mistake(FIXED, TWICE, choose=lambda a, g: _draw(a, torch.Generator().manual_seed(0))),
        _mistake(FIXED, TWICE, choose=lambda a, g: _draw(a, g.manual_seed(0))),
        _mistake(OTHER, read=lambda a, h, c: _at(h, (c + 1) % h.shape[1])),
        _mistake("This is soft attention: sample one cell.", SEEN, read=lambda a, h, c: (a[..., None] * h).sum(1)),
        _mistake(
            "Return the annotation as it is, unweighted.", SEEN, read=lambda a, h, c: _at(a, c)[:, None] * _at(h, c)
        ),
        _mistake("This is a cell of the first image: each image has its own.", read=lambda a, h, c: h[0, c]),
        _mistake(PAIRS, read=lambda a, h, c: h[:, c]),
        _mistake("You returned the number of the cell: return its annotation.", read=lambda a, h, c: c),
        _mistake(CHOICE, GOOD, read=lambda a, h, c: _at(h, c) + ((a - a.detach())[..., None] * h).sum(1)),
        _mistake("This is the probability: return its logarithm.", tell=_at),
        _mistake("The sign is turned: a log-probability is below zero.", tell=lambda a, c: -_at(a, c).log()),
        *[_mistake(NATURAL, tell=lambda a, c, log=log: log(_at(a, c))) for log in (torch.log2, torch.log10)],
        _mistake(OTHER, tell=lambda a, c: a.amax(1).log()),
        _mistake(OTHER, tell=lambda a, c: _at(a, c - 1).log()),
        _mistake(FIRST, tell=lambda a, c: a[0, c].log()),
        _mistake(AGAIN, NEVER, tell=lambda a, c: _at(a.log_softmax(1), c)),
        _mistake("This is the entropy: take log a_s of the one cell.", tell=lambda a, c: torch.special.entr(a).sum(1)),
        _mistake("The logarithm is multiplied by its weight.", tell=lambda a, c: _at(a, c) * _at(a, c).log()),
        _mistake("These are the logarithms of all weights: return one.", tell=lambda a, c: a.log()),
        _mistake("Return one log-probability for each image: no sum.", tell=lambda a, c: _at(a, c).log().sum()),
        Mistake("Sample once: both belong to one cell.", lambda *a: (sample_cell(*a)[0], sample_cell(*a)[1]), TWICE),
        Mistake("Swapped: return first the context, then the log-probability.", lambda *a: sample_cell(*a)[::-1]),
    ],
    right=[_by_gumbel, partial(_in_parts, tell=lambda a, c: torch.distributions.Categorical(a).log_prob(c))],
)
