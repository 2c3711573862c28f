"""The exercise of lesson 6 on when each phoneme was listened to; `lesson_06.py` lists it."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.teaching.checks.figures import close, expect_figure, number_of
from course_utils.teaching.checks.slips import expect_untouched
from course_utils.teaching.exercises import Exercise, expect


def expected_times(attention_weights: Tensor, frame_ms: float) -> Tensor:
    """Average the middles of the frames by their weights: `(phonemes,)`, in ms."""
    return attention_weights @ ((torch.arange(attention_weights.shape[1]) + 0.5) * frame_ms).to(attention_weights)


def distances(times: Tensor, spans: Tensor) -> Tensor:
    """How far times lie outside their spans, 0 inside: `(phonemes,)`, in ms."""
    return torch.maximum(spans[:, 0] - times, times - spans[:, 1]).clamp(min=0)


def listening_in_time(attention_weights: Tensor, spans: Tensor, frame_ms: float) -> tuple[float, float]:
    """Tell how far listening was from the phonemes, and how often it went back.

    Args:
        attention_weights: `(phonemes, frames)`, each row sums to one.
        spans: `(phonemes, 2)`, begin and end of each phoneme in ms.
        frame_ms: how long a frame lasts; frame j is from `j * frame_ms` to `(j + 1) * frame_ms`.

    Returns:
        error_ms: mean distance of the expected time from the phoneme's span, 0 inside of it.
        backward: share of the moves from one phoneme to the next whose expected time is earlier; 0 without a move.
    """
    times = expected_times(attention_weights, frame_ms)
    back = (times[1:] < times[:-1]).float()
    return float(distances(times, spans).mean()), float(back.mean()) if len(back) else 0.0


timing = Exercise("06.listening-in-time", "Mark when each phoneme was heard", 3, 15, listening_in_time)
EXERCISES = [timing]


def marked(answer: Callable, weights: Tensor, spans: Tensor, frame_ms: float) -> tuple[float, float]:
    """Let the answer mark, and insist on two numbers."""
    result = answer(weights.clone(), spans.clone(), frame_ms)
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    if isinstance(result, Tensor) and result.shape == (2,):
        result = result.tolist()
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "Return two numbers, the error in ms and the share of moves back: `return error_ms, backward`.")
    return number_of(result[0], "The error"), number_of(result[1], "The share of moves back")


def draw(phonemes: int, frames: int, frame_ms: float) -> tuple[Tensor, Tensor]:
    """Draw weights with up to two humps that wander forward, and spans in a row that do not quite fit them."""
    places = torch.arange(frames) + 0.5
    middles = (torch.arange(phonemes) + torch.rand(phonemes) * 2) * frames / (phonemes + 1)
    others = torch.rand(phonemes) * frames
    main = (-((places - middles[:, None]) ** 2) / 2).softmax(1)
    second = (-((places - others[:, None]) ** 2) / 2).softmax(1)
    share = 0.4 * torch.rand(phonemes, 1)
    edges = torch.rand(phonemes + 1).add(0.3).cumsum(0)
    edges = edges / edges[-1] * frames * frame_ms
    return (1 - share) * main + share * second, torch.stack([edges[:-1], edges[1:]], dim=1)


def peaks(frames_of: list[int], frames: int) -> Tensor:
    """Weights that lie on one frame for each phoneme."""
    return torch.nn.functional.one_hot(torch.tensor(frames_of), frames).float()


@timing.behaviour("measures in ms from the middle of a frame to the phoneme's span")
def _(answer):
    # One frame for each phoneme: their middles are at 100, 20, 140, 340, 220, 380 ms, outside by 0, 25, 115, 0, 70, 60.
    weights = peaks([2, 0, 3, 8, 5, 9], 10)
    spans = torch.tensor([[85, 130], [45, 95], [10, 25], [300, 345], [290, 333], [260, 320.0]])
    error, backward = marked(answer, weights, spans, 40.0)
    times = expected_times(weights, 40.0)
    gaps = distances(times, spans)
    right = float(gaps.mean())
    start, end = spans.unbind(1)
    middle = (start + end) / 2
    corner = "A frame stands for its middle, (j + 0.5) · frame_ms: you took its"
    units = "Spans are in ms, frames are counted: multiply the frame by frame_ms."
    whole = "Inside the span nothing is wrong, and outside only the way to the nearer end counts: you measured to the"
    one_side = "Too early and too late both count: you measured only what is too"
    mean = "Take the mean over the phonemes; you took"
    swapped = close(backward, right) and close(error, 2 / 5)
    expect(not swapped, "The results are swapped: the error comes first, then the share of moves back.")
    signed = torch.where(times < start, times - start, torch.where(times > end, times - end, 0.0))
    outside = gaps[gaps > 0]
    expect_figure(
        error,
        right,
        "Expected the mean distance from the expected time to the phoneme's span, in ms.",
        (f"{corner} beginning.", distances(times - 20, spans).mean()),
        (f"{corner} end.", distances(times + 20, spans).mean()),
        (units, distances(times / 40, spans).mean()),
        (units, distances(times / 40 - 0.5, spans).mean()),
        ("The unit is ms, not s.", right / 1000),
        ("The unit is ms, not frames.", right / 40),
        ("A frame lasts frame_ms, here 40 ms; you counted 10 ms.", distances(times / 4, spans).mean()),
        ("The weights of a row sum to one already: no division by their number.",
         distances(times / 10, spans).mean()),
        ("The weights are not used: take the time expected under them.",
         distances(torch.full((6,), 200.0), spans).mean()),
        ("The weights sum to one already: no second softmax.",
         distances(expected_times(weights.softmax(1), 40.0), spans).mean()),
        (f"{whole} middle.", (times - middle).abs().mean()),
        (f"{whole} beginning.", (times - start).abs().mean()),
        (f"{whole} end.", (times - end).abs().mean()),
        (f"{whole} nearer end from inside as well.",
         torch.minimum((times - start).abs(), (times - end).abs()).mean()),
        (f"{whole} farther end.", torch.maximum((times - start).abs(), (times - end).abs()).mean()),
        (f"{whole} ends, both.", ((times - start).abs() + (times - end).abs()).mean()),
        (f"{whole} farther end.",
         torch.where(gaps > 0, torch.maximum((times - start).abs(), (times - end).abs()), 0.0).mean()),
        (f"{whole} middle.", torch.where(gaps > 0, (times - middle).abs(), 0.0).mean()),
        ("Inside the span the distance is 0, not below: clamp(min=0).",
         torch.maximum(start - times, times - end).mean()),
        ("A way in either direction counts: take distances, so that early and late do not cancel out.", signed.mean()),
        ("A way in either direction counts: take distances, so that early and late do not cancel out.",
         -signed.mean()),
        ("A way in either direction counts: take distances, so that early and late do not cancel out.",
         signed.mean().abs()),
        (f"{one_side} late.", (times - end).clamp(min=0).mean()),
        (f"{one_side} early.", (start - times).clamp(min=0).mean()),
        (f"{mean} their sum.", gaps.sum()),
        (f"{mean} the largest.", gaps.max()),
        (f"{mean} the median.", gaps.median()),
        (f"{mean} the mean of those outside only: those inside count with 0.", outside.mean()),
        ("Measure in ms; you squared.", gaps.square().mean()),
        ("Measure in ms; you took the root of the mean square.", gaps.square().mean().sqrt()),
        ("This is the share of phonemes missed: measure how far, in ms.", (gaps > 0).float().mean()),
        ("This is the share of phonemes hit: measure how far, in ms.", (gaps == 0).float().mean()),
        ("All phonemes count: this is the first.", gaps[0]),
        ("All phonemes count: this is the last.", gaps[-1]),
        ("Do not divide by the length of the phoneme: ms are wanted.", (gaps / (end - start)).mean()),
        ("The spans come as begin and end, not as begin and length.",
         torch.maximum(start - times, times - end - start).clamp(min=0).mean()),
        ("Each phoneme has its own span: you took the nearest one of all.",
         torch.maximum(start - times[:, None], times[:, None] - end).clamp(min=0).amin(1).mean()),
        ("Each phoneme has its own span: you compared every time with every span.",
         torch.maximum(start - times[:, None], times[:, None] - end).clamp(min=0).mean()),
    )  # fmt: skip


@timing.behaviour("takes the time expected under all the weights, not the highest frame's")
def _(answer):
    weights, spans = draw(9, 30, 20.0)
    error, _ = marked(answer, weights, spans, 20.0)
    times = expected_times(weights, 20.0)
    right = float(distances(times, spans).mean())
    places = (torch.arange(30) + 0.5) * 20
    peak = places[weights.argmax(1)]
    median = places[(weights.cumsum(1) < 0.5).sum(1)]
    every = torch.maximum(spans[:, :1] - places, places - spans[:, 1:]).clamp(min=0)  # (phonemes, frames)
    inside = ((places >= spans[:, :1]) & (places < spans[:, 1:])).float()
    last = "The weights of a row sum to one already: no division by their number."
    expected = "The expected time is Σ_j a_j (j + 0.5) · frame_ms."
    rounded = "The expected time may lie between two frames: do not round it."
    corner = f"A frame stands for its middle. {expected}"
    expect_figure(
        error,
        right,
        f"Wrong where a phoneme's weights are spread. {expected}",
        (f"This is the highest frame alone, and the rest of the weights counts, too. {expected}",
         distances(peak, spans).mean()),
        (f"This is the highest frame alone, and the rest of the weights counts, too. {expected}",
         distances(peak - 10, spans).mean()),
        (f"This is the median of the weights. {expected}", distances(median, spans).mean()),
        ("First the expected time, then its distance from the span; you averaged the distances of the frames.",
         (weights * every).sum(1).mean()),
        ("This is the weight outside the spans: measure a time, in ms.", 1 - (weights * inside).sum(1).mean()),
        ("This is the weight inside the spans: measure a time, in ms.", (weights * inside).sum(1).mean()),
        (last, distances(times / 30, spans).mean()),
        (f"The weights are not used. {expected}", distances(places.mean().expand(9), spans).mean()),
        (rounded, distances(((times / 20 - 0.5).round() + 0.5) * 20, spans).mean()),
        (rounded, distances(((times / 20).floor() + 0.5) * 20, spans).mean()),
        (corner, distances(times - 10, spans).mean()),
        (corner, distances(times + 10, spans).mean()),
        ("The weights sum to one already: no second softmax.",
         distances(expected_times(weights.softmax(1), 20.0), spans).mean()),
        ("Weigh by the weights, not by their squares.",
         distances(expected_times(weights**2 / (weights**2).sum(1, keepdim=True), 20.0), spans).mean()),
    )  # fmt: skip


@timing.behaviour("counts how often the next phoneme is listened to earlier")
def _(answer):
    order = [5, 3, 4, 4, 9, 6, 7, 8, 7, 12, 12, 6]
    weights = peaks(order, 14)
    spans = torch.stack([torch.arange(12.0) * 35, torch.arange(1.0, 13.0) * 35], dim=1)
    _, backward = marked(answer, weights, spans, 40.0)
    moves = list(zip(order, order[1:], strict=False))
    back = sum(after < before for before, after in moves)
    still = sum(after == before for before, after in moves)
    below = sum(now < max(order[:k]) for k, now in enumerate(order) if k)
    pairs = [(i, j) for j in range(12) for i in range(j)]
    crossed = sum(order[j] < order[i] for i, j in pairs)
    steps = [after - before for before, after in moves]
    apart = [spans[i, 1] < (order[i - 1] + 0.5) * 40 for i in range(1, 12)]
    expect_figure(
        backward,
        back / 11,
        "Expected the share of moves from one phoneme to the next whose expected time is earlier.",
        ("Between n phonemes are n − 1 moves: divide by that.", back / 12),
        ("Standing still is no move back: count only times that are truly earlier (<).", (back + still) / 11),
        ("Standing still is no move back, and n phonemes have n − 1 moves.", (back + still) / 12),
        ("This is the share of moves ahead: count those back.", (11 - back - still) / 11),
        ("This is the share of moves ahead: count those back.", (11 - back) / 11),
        ("This is the number of moves back: divide by the number of moves.", back),
        ("The share is from 0 to 1, not in percent.", 100 * back / 11),
        ("Compare with the phoneme just before, not with the latest time so far.", below / 11),
        ("Compare with the phoneme just before, not with the first.", sum(now < order[0] for now in order) / 11),
        ("Compare neighbours only, not all pairs of phonemes.", crossed / 66),
        ("Compare neighbours only, not all pairs of phonemes.", crossed / 11),
        ("Count moves back, whatever their length; you measured how far.", -sum(s for s in steps if s < 0) / 11),
        ("Count moves back, whatever their length; you measured how far.", -40 * sum(s for s in steps if s < 0) / 11),
        ("Say how often, not whether at all.", 1.0),
        ("Say how often, not whether at all.", 0.0),
        ("This is the share of moves that change anything: count only those back.", (11 - still) / 11),
        ("Compare expected times, not the times with the spans.", sum(map(float, apart)) / 11),
        ("Jumps ahead are no mistake here: count moves back only.", sum(s > 1 for s in steps) / 11),
        ("Between n phonemes are n − 1 moves: divide by that.", back / 10),
    )
    slight = torch.tensor([[0.0, 0.6, 0.4, 0.0], [0.1, 0.5, 0.4, 0.0], [0.4, 0.0, 0.1, 0.5], [0.0, 0.9, 0.05, 0.05]])
    _, backward = marked(answer, slight, spans[:4], 40.0)
    peaked = (
        "These weights move back by less than a frame, and the highest frame does not show it: compare expected times."
    )
    times = expected_times(slight, 40.0)
    right = float((times[1:] < times[:-1]).float().mean())
    highest = slight.argmax(1)
    by_peak = float((highest[1:] < highest[:-1]).float().mean())
    expect_figure(backward, right, f"{peaked} A smaller step back is a step back, too.", (peaked, by_peak))


@timing.behaviour("finds no move back where there is one phoneme")
def _(answer):
    try:
        error, backward = marked(answer, torch.tensor([[0.25, 0.75, 0.0]]), torch.tensor([[0.0, 20.0]]), 20.0)
    except ZeroDivisionError:
        expect(False, "One phoneme has no move, and you divide by their number: return 0.0 for the share.")
    expect_figure(error, 5.0, "The expected time is 25 ms, and the phoneme ends at 20 ms.")
    expect_figure(backward, 0.0, "One phoneme has no move: the share of moves back is 0.")


@timing.behaviour("works for other sizes and frames of other lengths")
def _(answer):
    for phonemes, frames, frame_ms in [(2, 3, 10), (6, 6, 40.0), (3, 50, 12.5), (40, 25, 40), (12, 12, 1.0)]:
        weights, spans = draw(phonemes, frames, frame_ms)
        right = listening_in_time(weights, spans, frame_ms)
        error, backward = marked(answer, weights, spans, frame_ms)
        where = f"for {phonemes} phoneme(s) over {frames} frame(s) of {frame_ms} ms. Is a size typed in?"
        expect(math.isclose(error, right[0], rel_tol=1e-3, abs_tol=1e-3), f"Wrong error {where}")
        expect_figure(backward, right[1], f"Wrong share of moves back {where}")


@timing.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, *draw(4, 9, 10.0), 10.0)


@timing.own_data
def _(generator):
    # Weights are eighths, so the expected times are exact, whatever way they are computed, and so is standing still.
    looks = torch.arange(12).unsqueeze(1) + torch.randint(5, (12, 8), generator=generator)
    weights = torch.nn.functional.one_hot(looks, 16).float().mean(dim=1)
    edges = (0.3 + torch.rand(13, generator=generator)).cumsum(0)
    frame_ms = 10.0 * int(torch.randint(1, 5, (), generator=generator))
    spans = torch.stack([edges[:-1], edges[1:]], dim=1) / edges[-1] * 16 * frame_ms
    return weights, spans, frame_ms
