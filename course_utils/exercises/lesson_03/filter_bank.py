"""Lesson 3: one bank of Gaussian filters, half of DRAW's window."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, differentiable, dtypes, sizes
from course_utils.mechanisms.vision import GaussianWindow, WindowParameters


def filter_bank(center: Tensor, stride: Tensor, variance: Tensor, size: int, length: int) -> Tensor:
    """Compute one bank of Gaussian filters `(batch, size, length)` for each window; each row sums to one.

    Takes centres, strides and variances `(batch,)`, in pixels, pixels and square pixels, the first pixel at 1; the
    number of filters, at least 2, and of pixels. Source: Gregor et al. 2015, arXiv 1502.04623, equations 25 to 28.
    """
    parameters = WindowParameters(center, center, stride, variance, torch.ones_like(center))
    return GaussianWindow(size).filters(parameters, 1, length)[1]


def sample(generator: torch.Generator, batch=3, size=4, length=7) -> tuple:
    """Make windows; of several, the last one lies far outside the image."""
    center, stride, variance = torch.rand(3, batch, generator=generator)
    center = 1 + (length - 1) * center
    center[1:][-1:] = -60.0
    return center, 0.4 + stride, 0.3 + 2 * variance, size, length


def _exponents(center: Tensor, stride: Tensor, variance: Tensor, size: int, length: int) -> Tensor:
    """Compute −(a − μ_i)² / (2σ²), before anything is normalised."""
    middles = center[:, None] + stride[:, None] * (torch.arange(size) - (size - 1) / 2)
    return -((torch.arange(1, length + 1) - middles[..., None]) ** 2) / (2 * variance[:, None, None])


def _changed(change):
    return lambda c, d, v, size, length: filter_bank(*change(c, d, v), size, length)


def _moved(filters):
    return lambda c, d, v, size, length: filter_bank(c + filters(size) * d, d, v, size, length)


def _quotient(small, shift=lambda e: e):
    return _finished(lambda e: (b := shift(e).exp()) / (b.sum(2, keepdim=True) + small))


def _by_loops(center, stride, variance, size, length):
    banks = []
    for c, d, v in zip(center, stride, variance, strict=True):
        middles = [c + (i - size / 2 - 0.5) * d for i in range(1, size + 1)]
        rows = [torch.stack([-((a - m) ** 2) / (2 * v) for a in range(1, length + 1)]).softmax(0) for m in middles]
        banks.append(torch.stack(rows))
    return torch.stack(banks)


_finished = changing(_exponents)
NAN = "Far outside, all exponentials are zero, and 0/0 is NaN: take torch.softmax of the exponents."
MIDDLE = "Where does the middle of four filters lie?"
WHITE = "What should one filter do with an image that is white throughout?"
HALF = "The grid is half a stride off its centre: i − N/2 − 0.5, with i = 1 … N, is symmetrical about zero."
WHOLE = "The grid is a whole stride off its centre: i runs from 1 to N in i − N/2 − 0.5."
BEGINS = "The grid begins at the centre: the centre is its middle. Subtract N/2 + 0.5 from i."
PIXEL = "Pixels count from 1 here: a = 1 … length, so that centre 1 is the middle of the first pixel."
AREA = "The factor 1/√(2πσ²) makes the area one, but not the sum over pixels: divide by the sum instead."
SQUARE = "Square the distance: exp(−|a − μ| / …) is no Gaussian."
BORDER = "Leave the centre outside the image; you moved it to the border."
AXIS = "You normalised over {}: each filter, each row, sums to one over the pixels, dimension 2."
SQUARED = "variance is σ² already: divide by 2 · variance, without another square or root."
FIRST = "All windows of the batch have the first one's {}: each has its own."

EXERCISE = Exercise(
    Task("03.filter-bank", "Spread a row of Gaussian filters", 3, 20, "(batch, size, length)"),
    filter_bank,
    sample,
    cases=[
        Case(
            "Two filters stand half a stride left and right of the centre, and each sums to one.",
            (*torch.tensor([[2.2], [2.0], [0.8]]), 2, 3),
        ),
        Case(
            "Of three filters the second stands at the centre, and each window has its own numbers.",
            (*torch.tensor([[1.4, 2.0, 3.0], [1.0, 0.7, 2.0], [0.4, 1.0, 2.5]]), 3, 3),  # equal sizes
        ),
        Case(
            "A filter far outside the image sums to one, too.",
            (*torch.tensor([[-400.0, 900.0, 3.0], [1.0, 2.0, 1.5], [400.0, 1.0, 0.8]]), 4, 5),
            tolerance=1e-4,
        ),
        Case(
            "Filters may be very narrow and close together, or very wide.",
            (*torch.tensor([[2.5, 3.0], [1e-4, 600.0], [1e-4, 1e4]]), 2, 5),
            tolerance=1e-3,
        ),
        Case("There may be hundreds of pixels.", dict(size=12, length=300), tolerance=5e-3),
    ],
    demands=[sizes(batch=1), differentiable("center", "stride", "variance"), dtypes(torch.float64)],
    mistakes=[
        *[Mistake(HALF, _moved(lambda n, by=by: by), ask=MIDDLE) for by in (0.5, -0.5)],
        *[Mistake(WHOLE, _moved(lambda n, by=by: by), ask=MIDDLE) for by in (-1, 1)],  # i from 0; i − N/2 + 0.5
        Mistake("For an odd N, N // 2 is not N/2: the grid is half a stride off.", _moved(lambda n: n % 2 / 2)),
        *[Mistake(BEGINS, _moved(lambda n, i=i: (n + i) / 2), ask=MIDDLE) for i in (1, -1)],
        *[Mistake(PIXEL, _changed(lambda c, d, v, by=by: (c + by, d, v))) for by in (1, 0.5)],
        Mistake("The sum of each filter is not one yet: divide by the sum.", _finished(lambda e: e.exp()), ask=WHITE),
        Mistake(AXIS.format("the filters"), _finished(lambda e: e.softmax(1)), ask=WHITE),
        Mistake(AXIS.format("the batch"), _finished(lambda e: e.softmax(0))),
        Mistake(AXIS.format("the whole bank"), _finished(lambda e: e.flatten(1).softmax(1).view_as(e)), ask=WHITE),
        Mistake(AXIS.format("everything at once"), _finished(lambda e: e.flatten().softmax(0).view_as(e))),
        Mistake(NAN, _quotient(0.0), ask="What is the sum that you divide by?"),
        Mistake(f"{NAN} A small number in the quotient, or nan_to_num, only hides it.", _quotient(1e-8)),
        Mistake("Subtract each filter's own largest exponent, not that of all.", _quotient(0.0, lambda e: e - e.max())),
        Mistake(AREA, lambda c, d, v, *n: _exponents(c, d, v, *n).exp() / (2 * torch.pi * v[:, None, None]).sqrt()),
        Mistake("Divide by the sum, not by the largest entry.", _finished(lambda e: (e - e.amax(2, True)).exp())),
        Mistake("Divide by the sum, not by the norm of the row.", _finished(lambda e: normalize(e.exp(), dim=2))),
        Mistake("You returned the exponents: a softmax takes exp and divides by the sum.", _exponents),
        Mistake("You returned logarithms: take softmax, not log_softmax.", _finished(lambda e: e.log_softmax(2))),
        Mistake("The minus is missing: a filter is largest at its middle.", _finished(lambda e: (-e).softmax(2))),
        Mistake("Exponents are cut: a softmax needs no limits.", _finished(lambda e: e.clamp(min=-80).softmax(2))),
        Mistake("The stride is not used: multiply i − N/2 − 0.5 by it.", _changed(lambda c, d, v: (c, d**0, v))),
        Mistake("Multiply by the stride; you divided by it.", _changed(lambda c, d, v: (c, 1 / d, v))),
        Mistake("The filters are in the wrong order: the first is the leftmost.", _changed(lambda c, d, v: (c, -d, v))),
        Mistake("The centre is not used.", _changed(lambda c, d, v: (0 * c, d, v))),
        *[Mistake(SQUARED, _changed(lambda c, d, v, power=power: (c, d, v**power))) for power in (2, 0.5)],
        Mistake("The factor ½ is missing: divide by 2 · variance.", _changed(lambda c, d, v: (c, d, v / 2))),
        Mistake("Put 2 * variance in brackets: / 2 * variance multiplies.", _changed(lambda c, d, v: (c, d, 1 / v))),
        Mistake("The variance is not used.", _changed(lambda c, d, v: (c, d, torch.ones_like(v)))),
        Mistake(SQUARE, lambda c, d, v, *n: (-(-_exponents(c, d, v, *n) / v[:, None, None] / 2).sqrt()).softmax(2)),
        Mistake(FIRST.format("centre"), _changed(lambda c, d, v: (c[:1].expand_as(c), d, v))),
        Mistake(FIRST.format("stride"), _changed(lambda c, d, v: (c, d[:1].expand_as(d), v))),
        Mistake(FIRST.format("variance"), _changed(lambda c, d, v: (c, d, v[:1].expand_as(v)))),
        Mistake(BORDER, lambda c, d, v, size, length: filter_bank(c.clamp(1, length), d, v, size, length)),
    ],
    right=[
        _by_loops,
        _finished(lambda e: (e - e.logsumexp(-1, keepdim=True)).exp()),
        _quotient(0.0, lambda e: e - e.amax(2, keepdim=True)),
    ],
)
