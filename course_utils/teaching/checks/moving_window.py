"""The exercise of lesson 6 on a window that moves along with the last look; `lesson_06.py` lists it."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from course_utils.mechanisms.attention import masked_softmax
from course_utils.mechanisms.location import window_mask
from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor

WEIGHTS = "(batch, frames)"


def windowed_weights(scores: Tensor, previous_weights: Tensor, frame_mask: Tensor, window: int) -> Tensor:
    """Share out the weights near the median of the previous ones only.

    The median is the first frame at which the summed weights reach one half.

    Source: Chorowski et al. 2015, arXiv 1506.07503, section 2.3.

    Args:
        scores: `(batch, frames)`, any real numbers.
        previous_weights: `(batch, frames)`, each row sums to one, zero on padding.
        frame_mask: `(batch, frames)` booleans, True = real frame.
        window: frames to either side of the median that may be looked at.

    Returns:
        `(batch, frames)`, exactly zero outside the window and on padding; each row sums to one.
    """
    return masked_softmax(scores, frame_mask & window_mask(previous_weights, window))


windowing = Exercise("06.window", "Look near the last look only", 2, 15, windowed_weights)
EXERCISES = [windowing]


def near(middles: Tensor, frames: int, window: float) -> Tensor:
    """Mark the frames at most `window` away from middles `(batch,)`: `(batch, frames)`."""
    return (torch.arange(frames) - middles.unsqueeze(1)).abs() <= window


def medians(previous: Tensor) -> Tensor:
    """Return the first frame at which the summed weights reach one half: `(batch,)`."""
    return (previous.cumsum(1) >= 0.5 - 1e-6).float().argmax(1)


def windowed(answer: Callable, scores: Tensor, previous: Tensor, mask: Tensor, window: int) -> Tensor:
    """Let the answer weigh the frames, and insist on the shape."""
    result = answer(scores.clone(), previous.clone(), mask.clone(), window)
    if isinstance(result, Tensor):
        expect(result.dtype != torch.bool, "This is the window: take the softmax of the scores that it leaves.")
        cut = tuple(result.shape) == (len(scores), 2 * window + 1) and result.shape != scores.shape
        expect(not cut, "You cut the window out: keep all frames, those outside have the weight zero.")
    return expect_tensor(result, tuple(scores.shape), WEIGHTS)


@windowing.behaviour("puts the window around the median of the previous weights")
def _(answer):
    # Lopsided weights: mean, median and peak differ. The median is unmistakable: no sum comes near one half.
    previous = torch.tensor([
        [0.02, 0.3, 0.08, 0.2, 0.05, 0.02, 0.03, 0.05, 0.05, 0.2],  # peak 1, median 3
        [0.0, 0.2, 0.1, 0.03, 0.05, 0.04, 0.03, 0.15, 0.02, 0.38],  # peak 9, median 7
        [0.45, 0.02, 0.2, 0.01, 0.01, 0.01, 0.02, 0.03, 0.05, 0.2],  # peak 0, median 2
        [0.12, 0.1, 0.02, 0.03, 0.02, 0.25, 0.02, 0.02, 0.32, 0.1],  # peak 8, median 5
    ])  # fmt: skip
    scores, mask, window = torch.randn(4, 10), torch.ones(4, 10, dtype=torch.bool), 1
    weights = windowed(answer, scores, previous, mask, window)
    middles = medians(previous)
    mean = (previous * torch.arange(10)).sum(1)
    value = previous.median(1, keepdim=True).values

    def of(open_frames):
        return masked_softmax(scores, open_frames)

    median = "The median is the first frame at which the summed weights reach one half."
    by_mean = f"The window stands around the mean frame, which a few far weights pull away. {median}"
    by_peak = f"The window stands around the highest weight. {median}"
    by_value = f"The window needs a frame, and this is the median among the values of the weights. {median}"
    off = "The window is off by one: count the frames whose sum is still below one half, that is the median's number."
    away = "The window reaches to either side of the median."
    inclusive = "A frame exactly `window` away may be looked at: test distance <= window."
    over_batch = "The softmax runs over the batch: it should run over the frames, dim=1."
    recognise(
        weights,
        ("The window is not used, all frames get weight: both have to hold, a real frame and (&) in the window.",
         scores.softmax(1)),
        ("The window is upside down: inside is what may be looked at.", of(~near(middles, 10, 1))),
        (by_mean, of(near(mean, 10, 1))),
        (by_mean, of(near(mean.round(), 10, 1))),
        (by_mean, of(near(mean.long(), 10, 1))),
        (by_peak, of(near(previous.argmax(1), 10, 1))),
        (by_value, of(near(previous.median(1).indices, 10, 1))),
        (by_value, of((previous - value).abs() <= 1)),
        ("The window stands around the best of the new scores: the previous weights say where it is.",
         of(near(scores.argmax(1), 10, 1))),
        ("The window stands still at the first frame: it belongs around the frame, not the value, at which the summed "
         "previous weights reach one half.", of(near(torch.zeros(4), 10, 1))),
        ("The window stands in the middle of the frames: it moves along with the previous weights.",
         of(near(torch.full((4,), 5.0), 10, 1))),
        ("The window stands in the middle of the frames: it moves along with the previous weights.",
         of(near(torch.full((4,), 4.5), 10, 1))),
        (off, of(near(middles + 1, 10, 1))),
        (off, of(near(middles - 1, 10, 1))),
        (f"{away} Yours looks ahead only.", of(near(middles + 0.5, 10, 0.5))),
        (f"{away} Yours looks back only.", of(near(middles - 0.5, 10, 0.5))),
        (f"{away} Yours has no end.", of(torch.arange(10) >= middles[:, None])),
        (f"{away} Yours has no end.", of(torch.arange(10) >= middles[:, None] - 1)),
        (f"{away} Yours has no beginning.", of(torch.arange(10) <= middles[:, None])),
        (f"{away} Yours has no beginning.", of(torch.arange(10) <= middles[:, None] + 1)),
        (inclusive, of(near(middles, 10, 0))),
        ("The window is too wide: `window` frames to either side.", of(near(middles, 10, 2))),
        ("The rows do not sum to one: hide the scores before the softmax, not the weights after it.",
         scores.softmax(1) * near(middles, 10, 1)),
        ("A score of 0 is not hidden: outside the window it must be minus infinity.",
         (scores * near(middles, 10, 1)).softmax(1)),
        ("All frames in the window weigh the same with you: take the softmax of their scores.",
         near(middles, 10, 1) / near(middles, 10, 1).sum(1, keepdim=True)),
        ("These are the scores: take the softmax of those in the window.",
         scores.masked_fill(~near(middles, 10, 1), float("-inf"))),
        ("These are the scores: take the softmax of those in the window.", scores * near(middles, 10, 1)),
        ("This is the median of the scores' softmax: the previous weights say where the window is.",
         of(near(medians(scores.softmax(1)), 10, 1))),
        ("These are the previous weights in the window: they say where to look, the new scores say what to take.",
         previous * near(middles, 10, 1) / (previous * near(middles, 10, 1)).sum(1, keepdim=True)),
        ("Do not multiply by the previous weights: they say where the window is, and no more.",
         (scores * previous).masked_fill(~near(middles, 10, 1), float("-inf")).softmax(1)),
        (over_batch, scores.masked_fill(~near(middles, 10, 1), -1e9).softmax(0)),
        ("Use the plain scores: this is smoothing.", of_sigmoids(scores, near(middles, 10, 1))),
        ("All utterances have the window of the first: each has its own median.", of(near(middles[:1], 10, 1))),
        ("All utterances have one median: add the weights up along the frames, dim=1.",
         of(near(medians(previous.mean(0, keepdim=True)), 10, 1))),
    )  # fmt: skip
    column_wise = scores.masked_fill(~near(middles, 10, 1), float("-inf")).softmax(0).nan_to_num()
    recognise(weights.nan_to_num(), (over_batch, column_wise))
    expect(
        not bool(weights.isnan().any()),
        "Some weights are NaN: a row has no frame left. Is the window empty, or a mask upside down?",
    )
    hint = f"Expected weights at the median and one frame to either side, and zero elsewhere. {median}"
    expect(bool(((weights != 0) == near(middles, 10, 1)).all()), hint)
    expect_close(weights, of(near(middles, 10, 1)), "In the window the weights are the softmax of the scores.", WEIGHTS)


def of_sigmoids(scores: Tensor, mask: Tensor) -> Tensor:
    """Share out one by sigmoids among the frames of a mask."""
    return masked_softmax(functional.logsigmoid(scores), mask)


@windowing.behaviour("takes the first frame at which the sum reaches one half, also if it is exactly one half")
def _(answer):
    previous = torch.tensor([[0.25, 0.25, 0.25, 0.25, 0.0], [0.0, 0.5, 0.0, 0.0, 0.5], [1.0, 0.0, 0.0, 0.0, 0.0],
                             [0.0, 0.0, 0.0, 0.0, 1.0], [0.125, 0.25, 0.125, 0.0, 0.5]])  # fmt: skip
    scores, mask = torch.randn(5, 5), torch.ones(5, 5, dtype=torch.bool)
    weights = windowed(answer, scores, previous, mask, 0)
    middles = torch.tensor([1, 1, 0, 4, 2])
    beyond = "The sum reaches one half exactly: that frame is the median, not the one after it (below half: sum < 0.5)."
    later = masked_softmax(scores, near(torch.tensor([2, 4, 0, 4, 4]), 5, 0))
    after = masked_softmax(scores, near(torch.tensor([2, 2, 0, 4, 3]), 5, 0))
    recognise(weights, (beyond, later), (beyond, after))
    hint = "With a window of 0 all weight lies on the median, the first frame at which the summed weights reach 0.5."
    expect(not bool(weights.isnan().any()), f"A window of 0 leaves a row without a frame. {hint}")
    expect_close(weights, functional.one_hot(middles, 5).float(), hint, WEIGHTS)


@windowing.behaviour("lets window frames in on either side, and no more at the ends")
def _(answer):
    frames, window = 12, 3
    middles = torch.tensor([6, 1, 10, 3])
    previous = functional.one_hot(middles, frames).float()
    scores, mask = torch.randn(4, frames), torch.ones(4, frames, dtype=torch.bool)
    weights = windowed(answer, scores, previous, mask, window)
    inside = near(middles, frames, 3)
    expect(not bool(weights.isnan().any()), "Some weights are NaN: a window over the end keeps the frames it has.")

    def of(open_frames):
        return masked_softmax(scores, open_frames)

    round_trip = (torch.arange(frames) - middles[:, None] + 3) % frames <= 6
    inner = near(middles.clamp(3, frames - 4), frames, 3)
    recognise(
        weights,
        ("A frame exactly `window` away may be looked at: test distance <= window.", of(near(middles, frames, 2))),
        ("`window` frames to either side of the median; you let half as many in.", of(near(middles, frames, 1))),
        ("`window` frames to either side of the median; you let half as many in.", of(near(middles, frames, 1.5))),
        ("The window is too wide: `window` frames to either side.", of(near(middles, frames, 6))),
        ("The window is too wide: `window` frames to either side.", of(near(middles, frames, 4))),
        ("The last frame in the window is missing: a slice a:b ends before b.", of(near(middles - 0.5, frames, 2.5))),
        ("The first frame in the window is missing.", of(near(middles + 0.5, frames, 2.5))),
        ("The window goes round: at the end of the utterance it is cut off, at the beginning too.", of(round_trip)),
        ("At the ends the window is cut off, it is not pushed inwards.", of(inner)),
        (
            "Nothing is left near the beginning: median - window may be below zero, and a slice that begins with a "
            "negative number counts from the end. Take max(0, …).",
            of(inside) * (middles >= 3).unsqueeze(1),
        ),
    )
    expect(bool(((weights != 0) == inside).all()), "Frames from median - window to median + window may be looked at.")
    expect_close(weights, of(inside), "In the window the weights are the softmax of the scores.", WEIGHTS)


@windowing.behaviour("keeps padding out, also where it lies in the window")
def _(answer):
    frames, window = 8, 2
    lengths = torch.tensor([4, 8, 2, 6])
    mask = torch.arange(frames) < lengths[:, None]
    previous = functional.one_hot(torch.tensor([3, 5, 0, 5]), frames).float()
    scores = torch.randn(4, frames)
    weights = windowed(answer, scores, previous, mask, window)
    inside = near(torch.tensor([3, 5, 0, 5]), frames, 2)
    right = masked_softmax(scores, mask & inside)
    one_of = "Both have to hold: a real frame and in the window. And (&), not or."
    upside_down = "The frame mask is upside down: True marks a real frame."
    recognise(
        weights,
        ("Padding in the window gets weight: use the frame mask as well.", masked_softmax(scores, inside)),
        ("The window is not used: only padding is shut out.", masked_softmax(scores, mask)),
        (one_of, masked_softmax(scores, inside | mask)),
        (upside_down, masked_softmax(scores, inside & ~mask)),
        (upside_down, masked_softmax(scores, inside & (~mask | mask.all(1, keepdim=True)))),
        (upside_down, masked_softmax(scores, inside) * ~mask),
        ("The rows do not sum to one: hide padding before the softmax, not after it.",
         masked_softmax(scores, inside) * mask),
        ("The rows do not sum to one: hide what is outside the window before the softmax.",
         masked_softmax(scores, mask) * inside),
        ("A score of 0 is not hidden: padding needs minus infinity.", masked_softmax(scores * mask, inside)),
        ("All utterances have the mask of the first one.", masked_softmax(scores, inside & mask[:1])),
    )  # fmt: skip
    nan = f"Some weights are NaN: a row has no frame left. {upside_down}"
    expect(not bool(weights.isnan().any()), nan)
    small = "Padding, or what lies outside the window, gets a little weight: minus infinity gives exactly zero."
    expect(bool((weights[~(mask & inside)] == 0).all()), small)
    expect_close(
        weights, right, "The real frames in the window share out one, by the softmax of their scores.", WEIGHTS
    )


@windowing.behaviour("lets no score outside be so high, or inside so low, that it matters")
def _(answer):
    scores = torch.tensor([[2000.0, 1.0, 3.0, 2.0, 900.0], [-1e6, -1e6 - 2, 0.0, 50.0, 1e6]])
    previous = torch.tensor([[0.0, 0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]])
    mask = torch.tensor([[True] * 5, [True] * 4 + [False]])
    weights = windowed(answer, scores, previous, mask, 1)
    late = (
        "Very high scores outside the window leave nothing for those inside: "
        "hide them with minus infinity before the softmax, do not divide afterwards."
    )
    expect(not bool(weights.isnan().any()), late)
    expect_close(weights, windowed_weights(scores, previous, mask, 1), late, WEIGHTS)


@windowing.behaviour("works for other sizes, also for a window wider than the utterance")
def _(answer):
    for batch, frames, window in [(1, 1, 0), (1, 9, 2), (5, 5, 1), (3, 4, 50), (2, 60, 7)]:
        mask = torch.arange(frames) < 1 + (torch.arange(batch).unsqueeze(1) * 3 + 2) % frames
        previous = masked_softmax(2 * torch.randn(batch, frames), mask)
        scores = torch.randn(batch, frames)
        hint = f"Wrong for {batch} utterance(s) of {frames} frame(s) and a window of {window}. Is a size typed in?"
        right = windowed_weights(scores, previous, mask, window)
        expect_close(windowed(answer, scores, previous, mask, window), right, hint, WEIGHTS)
    scores, previous = torch.randn(2, 6).double(), torch.randn(2, 6).double().softmax(1)
    expect_double_precision(lambda: answer(scores, previous, torch.ones(2, 6, dtype=torch.bool), 1))


@windowing.behaviour("lets the gradient reach the scores")
def _(answer):
    previous = functional.one_hot(torch.tensor([2, 0]), 6).float()
    mask = torch.tensor([[True] * 6, [True] * 3 + [False] * 3])
    expect_gradients(
        lambda scores: answer(scores, previous.clone(), mask.clone(), 1),
        lambda scores: windowed_weights(scores, previous, mask, 1),
        scores=torch.randn(2, 6),
    )


@windowing.behaviour("leaves its inputs as they were")
def _(answer):
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    expect_untouched(answer, torch.randn(2, 4), masked_softmax(torch.randn(2, 4), mask), mask, 1)


@windowing.own_data
def _(generator):
    mask = torch.arange(9) < torch.randint(3, 10, (4, 1), generator=generator)
    counts = torch.randint(9, (4, 9), generator=generator) * mask
    counts[:, 0] += (counts.sum(1) + 1) % 2  # shares of an odd number: no sum is one half, which rounding could miss
    window = int(torch.randint(1, 4, (), generator=generator))
    return torch.randn(4, 9, generator=generator), counts / counts.sum(1, keepdim=True), mask, window
