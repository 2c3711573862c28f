"""Lesson 6: compare the time that each phoneme attends to with the time at which it sounds."""

from collections.abc import Callable

import numpy
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, sizes

HALVES = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])  # 10, 25 and 15 ms for frames of 10 ms
SPANS = torch.tensor([[12.0, 20.0], [20.0, 30.0], [30.0, 40.0]])


def listening_in_time(attention_weights: Tensor, spans: Tensor, frame_ms: float) -> tuple[float, float]:
    """Measure how far expected times lie from the phonemes, and how often they go back.

    Takes weights `(phonemes, frames)`, each row summing to one; spans `(phonemes, 2)`, begin and end in ms; and how
    long a frame lasts: frame j is from `j * frame_ms` to `(j + 1) * frame_ms`. Returns the mean distance of the
    expected time from the span, 0 inside of it, in ms, and the share of moves to the next phoneme whose expected time
    is earlier.
    """
    times = _times(attention_weights, frame_ms)
    return _outside(times, spans).mean().item(), _share_back(times)


def _times(weights, frame_ms):
    return (weights * ((torch.arange(weights.shape[1]) + 0.5) * frame_ms)).sum(1)


def _outside(times, spans):
    return torch.maximum(spans[..., 0] - times, times - spans[..., 1]).clamp(min=0)


def _share_back(times):
    return (times[1:] < times[:-1]).float().mean().item() if len(times) > 1 else 0.0


def sample(generator: torch.Generator, phonemes=11, frames=16, frame_ms=None) -> tuple[Tensor, Tensor, float]:
    """Make weights that are eighths, so that expected times are exact, whatever way they are computed."""
    forward = torch.arange(phonemes).unsqueeze(1) * max(1, frames // phonemes)
    attended = (forward + torch.randint(9, (phonemes, 8), generator=generator)).clamp(max=frames - 1)
    frame_ms = frame_ms or 10.0 * int(torch.randint(1, 5, (), generator=generator))
    edges = (0.3 + torch.rand(phonemes + 1, generator=generator)).cumsum(0)
    spans = torch.stack([edges[:-1], edges[1:]], dim=1) / edges[-1] * frames * frame_ms
    return one_hot(attended, frames).float().mean(dim=1), spans, frame_ms


def _timed(times: Callable) -> Callable:
    """Make an answer with other times(weights, frame_ms)."""
    return lambda a, spans, ms: (_outside(times(a, ms), spans).mean().item(), _share_back(times(a, ms)))


def _erring(error: Callable) -> Callable:
    """Make an answer with another error(times, begins, ends)."""
    return lambda a, spans, ms: (float(error(_times(a, ms), *spans.T)), _share_back(_times(a, ms)))


def _averaging(reduce: Callable) -> Callable:
    return _erring(lambda t, b, e: reduce(_outside(t, torch.stack([b, e], 1))))


def _going(back: Callable, without: float = 0.0) -> Callable:
    """Make an answer with another share of moves back(times), and one for a single phoneme."""
    return lambda a, s, ms: (_outside(t := _times(a, ms), s).mean(), back(t) if len(t) > 1 else without)


def _of_frames(a, spans, ms):
    each = _outside((torch.arange(a.shape[1]) + 0.5) * ms, spans[:, None])
    return (a * each).sum(1).mean(), _share_back(_times(a, ms))


def _by_numpy(a, spans, ms):
    times = a.double().numpy() @ (ms / 2 + ms * numpy.arange(a.shape[1]))
    error, steps = numpy.abs(times - numpy.clip(times, *spans.double().T.numpy())).mean(), numpy.diff(times)
    return torch.tensor([error, (steps < 0).mean() if steps.size else 0.0])


def _by_clamping(a, spans, ms):
    times = a @ torch.arange(a.shape[1]).float() * ms + ms / 2
    return [(times - times.clamp(*spans.T)).abs().mean(), (times.diff() < 0).sum() / max(1, len(times) - 1)]


MIDDLE = "A frame stands for its middle, (j + 0.5) · frame_ms, not for its beginning or end."
UNITS = "Spans are in ms, frames are counted: multiply by frame_ms, whatever it is."
RESULT = "The error is a mean distance in ms: not in frames or s, not squared, not cut off."
WEIGHTS = "The expected time is the mean of the frames' middles under all the weights as they are."
ROUNDED = "The expected time may lie between two frames: do not round it."
NEARER = "Inside the span nothing is wrong, and outside only the distance to the nearer end counts."
CLAMP = "Inside the span the distance is 0, not below: clamp(min=0)."
BOTH = "Too early and too late both count, and do not cancel out: take distances."
MEAN = "Take the mean over all phonemes, those with a distance of 0 included."
EARLIER = "Count the moves to an earlier time, and divide by all moves."
NEIGHBOURS = "Compare each expected time with that of the phoneme just before."
WHICH = "All attention is on frame 0 of 40 ms. Which time is that, 0 ms or 20 ms?"
SIDES = "Attention lies half on each side of the phoneme. Is it on time?"
HOW_GOOD = "Two phonemes, one attended to 50 ms early, one 50 ms late: how good are they?"
STONES, EQUAL = "How many steps are there between four stones?", "Two equal times: is that a move back?"
MIXED = torch.eye(10)[[2, 0, 3, 8, 5]], torch.tensor([[85, 130], [45, 95], [10, 25], [300, 345], [290, 333.0]]), 40.0
TO_AND_FRO = torch.eye(14)[[5, 3, 4, 4, 9, 6, 7, 12, 12]], torch.arange(18.0).view(9, 2) * 30, 40.0
A_LITTLE_BACK = torch.tensor([[0.25, 0.75, 0.0], [0.5, 0.5, 0.0]]), SPANS[:2], 40

EXERCISE = Exercise(
    Task("06.listening-in-time", "Compare attention with the time of each phoneme", 3, 15),
    listening_in_time,
    sample,
    cases=[
        Case("The errors are 2, 0 and 15 ms, and one of two moves goes back.", (HALVES, SPANS, 10.0)),
        Case("Early and late, near and far: the mean is over all phonemes.", MIXED),
        Case("A move back is a move to an earlier time than just before; standing still is none.", TO_AND_FRO),
        Case("A move back may be shorter than a frame.", A_LITTLE_BACK),
        Case("One phoneme has no move: the share is 0.", (HALVES[:1], SPANS[:1] + 100, 10)),
        Case("A frame may last a fraction of a ms, and spans may have gaps.", (HALVES, 3 * SPANS, 2.25)),
        Case("Distances may be large.", (HALVES, SPANS + 70_000, 10.0)),
    ],
    demands=[sizes(phonemes=2, frames=1), sizes(phonemes=6, frames=6), sizes(phonemes=150, frames=400, frame_ms=12.5)],
    mistakes=[
        *[Mistake(MIDDLE, _timed(lambda a, ms, k=k: _times(a, ms) + k * ms), ask=WHICH) for k in (-0.5, 0.5)],
        *[Mistake(UNITS, _timed(lambda a, ms, typed=typed: _times(a, typed))) for typed in (1, 10, 40)],
        Mistake(UNITS, _timed(lambda a, ms: _times(a, int(ms)))),
        Mistake(WEIGHTS, _timed(lambda a, ms: (a.argmax(1) + 0.5) * ms), ask=SIDES),
        Mistake(WEIGHTS, _timed(lambda a, ms: _times(torch.ones_like(a) / a.shape[1], ms))),
        Mistake(WEIGHTS, _timed(lambda a, ms: _times(a.softmax(1), ms))),
        Mistake("First the expected time, then its distance; you averaged the distances of the frames.", _of_frames),
        Mistake(ROUNDED, _timed(lambda a, ms: ((_times(a, 1) - 0.5).round() + 0.5) * ms)),
        Mistake(ROUNDED, _timed(lambda a, ms: (_times(a, 1).floor() + 0.5) * ms)),
        *[Mistake(NEARER, _erring(lambda t, b, e, k=k: (t - b - k * (e - b)).abs().mean())) for k in (0.5, 0, 1)],
        Mistake(NEARER, _erring(lambda t, b, e: torch.maximum((t - b).abs(), (t - e).abs()).mean())),
        Mistake(NEARER, _erring(lambda t, b, e: torch.minimum((t - b).abs(), (t - e).abs()).mean())),
        Mistake(CLAMP, _erring(lambda t, b, e: torch.maximum(b - t, t - e).mean())),
        Mistake(BOTH, _erring(lambda t, b, e: (t - t.clamp(b, e)).mean()), ask=HOW_GOOD),
        Mistake(BOTH, _erring(lambda t, b, e: (t - e).clamp(min=0).mean())),
        Mistake(BOTH, _erring(lambda t, b, e: (b - t).clamp(min=0).mean())),
        *[Mistake(MEAN, _averaging(f)) for f in (torch.sum, torch.max, torch.median, lambda d: d[0], lambda d: d[-1])],
        Mistake(MEAN, _averaging(lambda d: d.sum() / (d > 0).sum().clamp(min=1))),
        *[Mistake(RESULT, _averaging(f)) for f in (lambda d: d.mean() / 1000, lambda d: d.clamp(max=100).mean())],
        *[Mistake(RESULT, _averaging(f)) for f in (lambda d: (d**2).mean(), lambda d: (d**2).mean().sqrt())],
        Mistake(RESULT, lambda a, s, ms: (listening_in_time(a, s, ms)[0] / ms, listening_in_time(a, s, ms)[1])),
        Mistake("Between n phonemes are n − 1 moves.", _going(lambda t: (t[1:] < t[:-1]).sum() / len(t)), ask=STONES),
        Mistake("Standing still is no move back.", _going(lambda t: (t[1:] <= t[:-1]).float().mean()), ask=EQUAL),
        Mistake(EARLIER, _going(lambda t: (t[1:] > t[:-1]).float().mean())),
        Mistake(EARLIER, _going(lambda t: (t[1:] < t[:-1]).sum())),
        Mistake(EARLIER, _going(lambda t: (t[1:] < t[:-1]).any())),
        Mistake(EARLIER, _going(lambda t: (t[:-1] - t[1:]).clamp(min=0).mean())),
        Mistake(EARLIER, _going(lambda t: 0.0)),
        Mistake("The share is from 0 to 1, not in percent.", _going(lambda t: 100 * _share_back(t))),
        Mistake(NEIGHBOURS, _going(lambda t: (t[1:] < t.cummax(0).values[:-1]).float().mean())),
        Mistake(NEIGHBOURS, _going(lambda t: (t[1:] < t[0]).float().mean())),
        Mistake(NEIGHBOURS, lambda a, s, ms: (listening_in_time(a, s, ms)[0], _share_back(a.argmax(1)))),
        Mistake("One phoneme has no move, and the mean of nothing is NaN: return 0.0.", _going(_share_back, torch.nan)),
        Mistake("The error comes first, then the share of moves back.", lambda *a: listening_in_time(*a)[::-1]),
    ],
    right=[_by_numpy, _by_clamping],
)
