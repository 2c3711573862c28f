"""Lesson 6: attend only within a window around the median of the previous attention weights."""

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.exercises import zeros
from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable, dtypes, extremes, sizes
from course_utils.mechanisms.attention import masked_softmax
from course_utils.mechanisms.location import smooth_weights, window_mask


def windowed_weights(scores: Tensor, previous_weights: Tensor, frame_mask: Tensor, window: int) -> Tensor:
    """Normalise the scores within a window around the median of the previous weights, where their sum reaches one half.

    Takes scores and previous weights `(batch, frames)`, a mask of that shape, True = real frame, and how many frames to
    either side may get weight. Returns weights, exactly zero elsewhere and on padding; each row sums to one. Source:
    Chorowski et al. 2015, arXiv 1506.07503, section 2.3.
    """
    return masked_softmax(scores, frame_mask & window_mask(previous_weights, window))


def sample(generator: torch.Generator, batch=4, frames=9, window=2) -> tuple[Tensor, Tensor, Tensor, int]:
    """Make arguments; weights are shares of an odd number, so that no sum is one half, which rounding could miss."""
    mask = torch.arange(frames) < torch.linspace(frames, 1, batch).round().unsqueeze(1)
    counts = torch.randint(9, (batch, frames), generator=generator) * mask
    counts[:, 0] += (counts.sum(1) + 1) % 2
    return 3 * torch.randn(batch, frames, generator=generator), counts / counts.sum(1, keepdim=True), mask, window


def _given(previous, window, scores=None, lengths=None):
    """Make arguments of previous weights; without scores these are random, without lengths all frames are real."""
    previous = torch.as_tensor(previous)
    scores = torch.tensor(scores) if scores else torch.randn(previous.shape, generator=torch.Generator().manual_seed(1))
    ends = torch.tensor(lengths or [previous.shape[1]] * len(previous)).unsqueeze(1)
    return scores, previous, torch.arange(previous.shape[1]) < ends, window


def medians(a: Tensor) -> Tensor:
    """Return the first frame at which the summed weights reach one half: `(batch, 1)`."""
    return (a.cumsum(1) < 0.5 - 1e-6).sum(1, keepdim=True)


def _around(middle: Callable) -> Callable:
    """Make an answer whose window is around middle(previous weights), `(batch, 1)`."""
    return lambda e, a, m, n: masked_softmax(e, m & ((torch.arange(e.shape[1]) - middle(a)).abs() <= n))


def _opened(test: Callable) -> Callable:
    """Make an answer that opens the frames of test(frame minus median, window)."""
    return lambda e, a, m, n: masked_softmax(e, m & test(torch.arange(e.shape[1]) - medians(a), n))


def _ending(finish: Callable) -> Callable:
    """Make an answer of finish(scores, window, mask)."""
    return lambda e, a, m, n: finish(e, window_mask(a, n), m)


def _by_search(e, a, m, n):
    middle = torch.searchsorted(a.cumsum(1), torch.full_like(a[:, :1], 0.5 - 1e-6))
    frames = torch.arange(e.shape[1]).expand_as(e)
    return torch.where((frames >= middle - n) & (frames <= middle + n) & m, e, -torch.inf).log_softmax(-1).exp()


MEDIAN = "The window is around another frame: the median is the first at which the summed weights reach one half."
MEAN = "The window is around the mean frame, which far weights move: take the median."
EXACTLY = "Where the sum is exactly one half, that frame is the median: count the frames with a sum < 0.5."
SIDES = "The window reaches `window` frames to either side of the median, both ends included: distance <= window."
ROUND = "At the ends of the utterance the window is cut off; yours goes round."
BOTH = "Both have to hold: a real frame (True in the mask) and (&) in the window."
SUMS = "The rows do not sum to one: hide the scores before the softmax, not the weights after it."
DIVIDED = "Do not divide afterwards: high scores outside leave nothing to those inside. Hide before the softmax."
ZERO = "A score of 0 is not hidden, its exponential is 1: hide by minus infinity."
INFINITE = "A finite number does not hide from every score: put minus infinity, float('-inf'), in its place."
SOFTMAX = "In the window the weights are the softmax of the scores over the frames, dim=1, and of nothing else."
TENTHS = "Nine tenths of the weight are at frame 1, one tenth at 90. Where was the attention?"
FRAME_3 = "All weight is on frame 3. Where is the median?"
MISSING = "Add the weights up. What is missing, and who should have it?"
ZEROS = "Outside the window and on padding in it weights are exactly zero."
PADDED = _given(torch.eye(8)[[3, 5, 0, 5]], 2, None, [4, 8, 2, 6])
HAND = _given([[0.14, 0.2, 0.22, 0.0, 0.04, 0.1, 0.0, 0.3]], 1, [[1.0, 2.0, 1.0, 0.0, 3.0, 9.0, 1.0, 2.0]])
EXACT = [[0.25, 0.25, 0.25, 0.25], [0.0, 0.5, 0.0, 0.5], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
OUTSIDE = [[2e3, 1.0, 3.0, 2.0], [-300.0, -302.0, 50.0, 1e6], [-1e30, -5e29, 1e30, 0.0], [1e30, 0.0, 1e30, -1e30]]
BOUNDS = (0, 1), (-1, 0), (-1e9, 1), (-1, 1e9), (-2, 2), (-0.5, 0.5)  # times the window

EXERCISE = Exercise(
    Task("06.window", "Attend within a window", 2, 15, "(batch, frames)"),
    windowed_weights,
    sample,
    cases=[
        Case("The median is frame 2, and around it the scores decide.", HAND),
        Case("The median is the first frame at which the sum is one half or more.", _given(EXACT, 0)),
        Case("Both ends belong to the window, and the utterance cuts it off.", _given(torch.eye(12)[[6, 1, 10, 3]], 3)),
        Case(ZEROS, PADDED, zeros.exactly_zero(windowed_weights), note=zeros.EXACTLY),
        Case("Scores outside the window do not matter, up to ±1e30.", _given(torch.eye(4)[[2, 0, 0, 3]], 1, OUTSIDE)),
        Case("Batch and frames may be equal.", dict(batch=5, frames=5, window=1)),
        Case("The median may be far back.", lambda: _given(torch.eye(300)[[299, 280]], 30)),
    ],
    demands=[extremes(scores="frame_mask"), sizes(batch=1, window=50), dtypes(torch.float64), differentiable("scores")],
    mistakes=[
        Mistake(MEAN, _around(lambda a: (a * torch.arange(a.shape[1])).sum(1, True)), ask=TENTHS),
        Mistake(MEAN, _around(lambda a: (a * torch.arange(a.shape[1])).sum(1, True).round())),
        Mistake(MEAN, _around(lambda a: (a * torch.arange(a.shape[1])).sum(1, True).floor())),
        Mistake("This is around the largest weight: take the median.", _around(lambda a: a.argmax(1, keepdim=True))),
        Mistake(EXACTLY, _around(lambda a: (a.cumsum(1) <= 0.5).sum(1, True)), ask=FRAME_3),
        Mistake(EXACTLY, _around(lambda a: (a.cumsum(1) > 0.5).float().argmax(1, keepdim=True))),
        *[Mistake(MEDIAN, _around(lambda a, off=off: medians(a) + off)) for off in (1, -1)],
        Mistake(MEDIAN, _around(lambda a: torch.zeros(len(a), 1))),
        Mistake(MEDIAN, _around(lambda a: torch.full((len(a), 1), a.shape[1] // 2))),
        Mistake(SIDES, _opened(lambda d, n: d.abs() < n), ask="With a window of 1, how many frames may get weight?"),
        *[Mistake(SIDES, _opened(lambda d, n, b=b, c=c: (d >= b * n) & (d <= c * n))) for b, c in BOUNDS],
        Mistake(SIDES, _opened(lambda d, n: (d >= -n) & (d < n))),
        Mistake(SIDES, _opened(lambda d, n: (d > -n) & (d <= n))),
        Mistake(SIDES, lambda e, a, m, n: windowed_weights(e, a, m, n + 1)),
        Mistake(SIDES, lambda e, a, m, n: windowed_weights(e, a, m, 1)),
        Mistake("Inside the window is what may get weight.", _opened(lambda d, n: d.abs() > n)),
        Mistake(ROUND, _opened(lambda d, n: (d + n) % d.shape[1] <= 2 * n)),
        Mistake(SUMS, _ending(lambda e, i, m: masked_softmax(e, m) * i), ask=MISSING),
        Mistake(SUMS, _ending(lambda e, i, m: masked_softmax(e, i) * m)),
        Mistake(DIVIDED, _ending(lambda e, i, m: (p := masked_softmax(e, m) * i) / p.sum(1, keepdim=True))),
        Mistake(ZERO, _ending(lambda e, i, m: (e * i * m).softmax(1))),
        Mistake(ZERO, _ending(lambda e, i, m: masked_softmax(e * i, m))),
        *[Mistake(INFINITE, _ending(lambda e, i, m, x=x: e.where(i & m, x).softmax(1))) for x in (-1e9, -1e4, -15)],
        Mistake(INFINITE, _ending(lambda e, i, m: (e - 1e9 * ~(i & m)).softmax(1))),
        Mistake(BOTH, _ending(lambda e, i, m: masked_softmax(e, m))),
        Mistake(BOTH, _ending(lambda e, i, m: masked_softmax(e, i))),
        Mistake(BOTH, _ending(lambda e, i, m: masked_softmax(e, i | m))),
        Mistake(BOTH, _ending(lambda e, i, m: masked_softmax(e, i & ~m))),
        Mistake(SOFTMAX, _ending(lambda e, i, m: e.where(i & m, -torch.inf))),
        Mistake(SOFTMAX, _ending(lambda e, i, m: (i & m) / (i & m).sum(1, keepdim=True))),
        Mistake(SOFTMAX, _ending(lambda e, i, m: smooth_weights(e, i & m))),
        Mistake(SOFTMAX, _ending(lambda e, i, m: e.where(i & m, -1e9).softmax(0))),
        Mistake("Each utterance has its own median and mask.", _around(lambda a: medians(a)[:1])),
        Mistake("Scores are cut: a softmax needs no limits.", lambda e, *o: windowed_weights(e.clamp(-10, 10), *o)),
        Mistake("float64 became float32: keep the type that came in.", lambda e, *o: windowed_weights(e.float(), *o)),
    ],
    right=[_by_search, _ending(lambda e, i, m: (h := e + (i & m).log()).sub(h.logsumexp(1, keepdim=True)).exp())],
)
