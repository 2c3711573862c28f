"""The exercise of lesson 6 on features of where the last look was; `lesson_06.py` lists it."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor


def location_features(previous_weights: Tensor, filters: Tensor) -> Tensor:
    """Let every filter read the previous weights around every frame.

    f_jk = Σ_d F_k[d] a_{j + d - middle}, with weights of zero outside the utterance; a filter's left number meets the
    left neighbour.

    Source: Chorowski et al. 2015, arXiv 1506.07503, section 2.1, f_i = F * a_{i-1}.

    Args:
        previous_weights: `(batch, frames)`, a_{i-1}, each row sums to one; zero on padding.
        filters: `(filters, width)`, the width odd.

    Returns:
        `(batch, frames, filters)`.
    """
    padding = filters.shape[1] // 2
    return functional.conv1d(previous_weights.unsqueeze(1), filters.unsqueeze(1), padding=padding).transpose(1, 2)


featuring = Exercise("06.location-features", "Read the previous weights around each frame", 1, 10, location_features)
EXERCISES = [featuring]

FEATURES = "(batch, frames, filters)"


def slid(previous: Tensor, filters: Tensor, left: int, right: int, dilation: int = 1) -> Tensor:
    """Slide the filters over weights with so many zeros at either end: `(batch, frames, filters)`."""
    padded = functional.pad(previous.unsqueeze(1), (left, right))
    return functional.conv1d(padded, filters.unsqueeze(1), dilation=dilation).transpose(1, 2)


def edged(previous: Tensor, filters: Tensor, mode: str) -> Tensor:
    """Slide the filters over weights that go on at either end as a padding mode of torch says."""
    half = filters.shape[1] // 2
    return slid(functional.pad(previous.unsqueeze(1), (half, half), mode=mode).squeeze(1), filters, 0, 0)


def draw(batch: int, frames: int, filters: int, width: int) -> tuple[Tensor, Tensor]:
    """Draw weights and filters."""
    return (2 * torch.randn(batch, frames)).softmax(dim=1), torch.randn(filters, width)


def expect_features(result: object, batch: int, frames: int, filters: int, width: int) -> Tensor:
    """Insist on the shape; the sizes must tell the usual wrong ones apart."""
    shape = tuple(result.shape) if isinstance(result, Tensor) else ()
    turned = "The filters stand before the frames: conv1d returns (batch, filters, frames), so transpose(1, 2)."
    expect(frames == filters or shape != (batch, filters, frames), turned)
    lost, gained = {frames - width + 1, frames - width // 2}, {frames + width - 1, frames + width // 2}
    if width > 1 and len(shape) == 3 and shape[0] == batch and frames not in shape[1:]:
        few = "There are fewer frames than before: put width // 2 zeros at either end."
        expect(not lost & set(shape[1:]), few)
        expect(not gained & set(shape[1:]), "There are more frames than before: width // 2 zeros at either end.")
        expect(
            not {frames - 1, frames + 1} & set(shape[1:]),
            "One frame too many or too few: width // 2 zeros at either end.",
        )
    one = "Only one number per frame is left: every filter has its own."
    expect(shape != (batch, frames) and (filters == 1 or shape != (batch, frames, 1)), one)
    expect(filters == 1 or shape != (batch, 1, frames), one)
    expect(shape != (batch, filters), "The frames are gone: each frame has features of its own, do not add them up.")
    expect(shape not in {(frames, filters), (filters, frames)}, "The batch is gone: each utterance has its own.")
    expect(len(shape) != 4, "An axis of size 1 is left over: conv1d takes (batch, 1, frames) and (filters, 1, width).")
    return expect_tensor(result, (batch, frames, filters), FEATURES)


def read(answer: Callable, previous: Tensor, filters: Tensor) -> Tensor:
    """Let the answer read, and insist on the shape."""
    return expect_features(answer(previous.clone(), filters.clone()), *previous.shape, *filters.shape)


@featuring.behaviour("gives as many numbers for each frame as there are filters")
def _(answer):
    read(answer, *draw(2, 11, 4, 5))


@featuring.behaviour("reads from left to right around each frame")
def _(answer):
    previous, filters = draw(1, 9, 3, 5)
    features = read(answer, previous, filters)
    right = location_features(previous, filters)
    late = "Your filters reach back only: the middle number, filters[:, width // 2], belongs to the frame itself."
    early = "Your filters reach ahead only: the middle number, filters[:, width // 2], belongs to the frame itself."
    shifted = "Everything is one frame off: put equally many zeros at either end, width // 2."
    ends = "Outside the utterance the weights are zero: no"
    plain = "A convolution adds up the products, and nothing follows:"
    middle = (
        "Only the middle of each filter meets the weights: "
        "slide the filters over the frames, the last axis of (batch, 1, frames)."
    )
    hard = functional.one_hot(previous.argmax(1), 9).float()
    windows = functional.pad(previous, (2, 2)).unfold(1, 5, 1).unsqueeze(2) * filters  # (1, frames, filters, width)
    recognise(
        features,
        (
            "The filters are flipped: the left number meets the left neighbour, as conv1d does it.",
            location_features(previous, filters.flip(1)),
        ),
        (
            "Transpose the last two axes of what conv1d returns: reshape or view does not swap them.",
            right.transpose(1, 2).reshape(1, 9, 3),
        ),
        ("The frames run backwards.", right.flip(1)),
        ("The filters stand in the wrong order.", right.flip(2)),
        (late, slid(previous, filters, 4, 0)),
        (early, slid(previous, filters, 0, 4)),
        (shifted, slid(previous, filters, 3, 1)),
        (shifted, slid(previous, filters, 1, 3)),
        (f"{ends} going round (circular).", edged(previous, filters, "circular")),
        (f"{ends} repeating of the last frame (replicate).", edged(previous, filters, "replicate")),
        (f"{ends} mirror (reflect).", edged(previous, filters, "reflect")),
        (f"{plain} you took the mean.", right / 5),
        (f"{plain} you took the largest product.", windows.amax(3)),
        (f"{plain} no tanh, that comes with the score.", right.tanh()),
        (f"{plain} no ReLU.", right.relu()),
        (f"{plain} no sigmoid.", right.sigmoid()),
        (f"{plain} no absolute value.", right.abs()),
        (f"{plain} no softmax.", right.softmax(1)),
        (f"{plain} no softmax.", right.softmax(2)),
        ("Every filter counts: you used the first one for all.", right[..., :1].expand(1, 9, 3)),
        ("Use the filters as they are: no softmax over them.", location_features(previous, filters.softmax(1))),
        (
            "Use the filters as they are: do not divide by their sum or size.",
            location_features(previous, filters / filters.sum(1, keepdim=True)),
        ),
        (
            "Use the filters as they are: do not divide by their sum or size.",
            location_features(previous, filters / filters.norm(dim=1, keepdim=True)),
        ),
        (
            "Read the weights of the last look, not their sum up to each frame (no cumsum).",
            location_features(previous.cumsum(1), filters),
        ),
        ("Read all of the weights, not only where the largest one is.", location_features(hard, filters)),
        ("Read the weights themselves, not their logarithms.", location_features(previous.log(), filters)),
        ("The weights sum to one already: no second softmax.", location_features(previous.softmax(1), filters)),
        ("Neighbouring numbers of a filter meet neighbouring frames: no dilation.", slid(previous, filters, 4, 4, 2)),
        (middle, previous[..., None] * filters[:, 2]),
        ("Return the features alone: do not multiply by the weights.", right * previous[..., None]),
        ("Return the features alone: do not add the weights.", right + previous[..., None]),
    )
    hint = "Expected the sum of filters[k, d] times the weight of frame j + d - width // 2, zero outside."
    expect_close(features, right, hint, FEATURES)


@featuring.behaviour("reads each utterance by itself")
def _(answer):
    previous, filters = draw(5, 5, 5, 3)  # equal sizes: a wrong axis goes unnoticed by the shapes
    features = read(answer, previous, filters)
    right = location_features(previous, filters)
    numbers = right.transpose(1, 2)  # as conv1d returns them
    over_batch = "You slid the filters over the batch: slide them over the frames, the last axis of (batch, 1, frames)."
    joined = "One utterance runs into the next: flattened into a row, they are neighbours. Keep the batch axis."
    columns = location_features(previous.T, filters)  # (frames, batch, filters)
    own = numbers.diagonal().T.unsqueeze(2).expand(5, 5, 5)  # filter b on utterance b only
    recognise(
        features,
        ("The filters stand before the frames: conv1d returns (batch, filters, frames), so transpose(1, 2).", numbers),
        (over_batch, columns),
        (over_batch, columns.transpose(0, 1)),
        (over_batch, columns.transpose(1, 2)),
        (over_batch, columns.permute(1, 2, 0)),
        (joined, location_features(previous.reshape(1, -1), filters).reshape(5, 5, 5)),
        ("All utterances have the features of the first.", right[:1].expand(5, 5, 5)),
        ("You mixed the utterances: each has its own previous weights.", right.mean(0).expand(5, 5, 5)),
        ("You mixed the utterances: each has its own previous weights.", right.sum(0).expand(5, 5, 5)),
        ("The batch and the frames are swapped.", right.transpose(0, 1)),
        ("Every utterance met the filter of its own number: every filter reads every utterance.", own),
    )
    expect_close(features, right, "Each utterance is read by every filter, and by itself.", FEATURES)


@featuring.behaviour("finds a filter that says 'one frame after the last look'")
def _(answer):
    previous = torch.tensor([[0.0, 0.75, 0.25, 0.0], [1.0, 0.0, 0.0, 0.0]])
    after = torch.tensor([[1.0, 0.0, 0.0]])  # each frame sees what its left neighbour had
    features = read(answer, previous, after)
    moved = torch.tensor([[0.0, 0.0, 0.75, 0.25], [0.0, 1.0, 0.0, 0.0]]).unsqueeze(2)
    hint = "The filter (1, 0, 0) looks at the left neighbour: it moves the weights one frame to the right."
    expect_close(features, moved, hint, FEATURES)


@featuring.behaviour("works for other sizes, also for a filter wider than the utterance")
def _(answer):
    for batch, frames, filters, width in [(1, 1, 1, 1), (1, 6, 2, 1), (2, 3, 4, 9), (4, 10, 1, 7), (2, 20, 3, 15)]:
        previous, bank = draw(batch, frames, filters, width)
        features = expect_tensor(answer(previous.clone(), bank.clone()), (batch, frames, filters), FEATURES)
        hint = f"Wrong for {batch} utterance(s) of {frames} frame(s) and {filters} filter(s) of width {width}."
        expect_close(features, location_features(previous, bank), f"{hint} Is a size typed in?", FEATURES)
    previous, bank = (tensor.double() for tensor in draw(2, 5, 2, 3))
    expect_double_precision(lambda: answer(previous, bank))


@featuring.behaviour("lets a gradient reach the weights and the filters")
def _(answer):
    previous, filters = draw(2, 6, 3, 5)
    expect_gradients(answer, location_features, previous_weights=previous, filters=filters)


@featuring.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, *draw(2, 6, 3, 5))


@featuring.own_data
def _(generator):
    width = 1 + 2 * int(torch.randint(4, (), generator=generator))
    previous = (2 * torch.randn(3, 9, generator=generator)).softmax(dim=1)
    return previous, torch.randn(4, width, generator=generator)
