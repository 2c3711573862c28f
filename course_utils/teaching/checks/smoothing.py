"""The exercise of lesson 6 on weights that spread over several frames; `lesson_06.py` lists it."""

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.mechanisms.attention import masked_softmax
from course_utils.mechanisms.location import smooth_weights
from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor

smoothing = Exercise("06.smoothing", "Spread the weights by sigmoids", 2, 8, smooth_weights)
EXERCISES = [smoothing]

WEIGHTS = "(batch, frames)"


def smoothed(answer: Callable, scores: Tensor, mask: Tensor) -> Tensor:
    """Let the answer weigh the frames, and insist on the shape."""
    result = answer(scores.clone(), mask.clone())
    if isinstance(result, Tensor) and result.shape == scores[mask].shape:
        expect(False, "The rows are gone: hide the padding and keep the shape, do not pick the real frames out.")
    if isinstance(result, Tensor) and tuple(result.shape) in {(len(scores),), (len(scores), 1)}:
        expect(scores.shape[1] == 1, "This is the sum of each row: divide the sigmoids by it.")
    return expect_tensor(result, tuple(scores.shape), WEIGHTS)


@smoothing.behaviour("divides the sigmoid of each score by their sum")
def _(answer):
    scores = torch.tensor([[2.0, -1.0, 0.5, 3.0, -2.5], [0.0, 1.5, -0.5, -3.0, 4.0]])
    weights = smoothed(answer, scores, torch.ones(2, 5, dtype=torch.bool))
    gates = scores.sigmoid()
    right = gates / gates.sum(1, keepdim=True)
    spread = "This is a softmax: put a sigmoid in place of the exponential, and divide by the sum."
    twice = "Divide the sigmoids by their sum; a softmax after them takes exponentials again."
    both = "The sigmoid stands in place of the exponential: no softmax before it."
    whole = "The sum runs over the frames of one utterance, dim=1."
    other = "This is another function that rises: the paper takes σ(x) = 1 / (1 + exp(−x))."
    recognise(
        weights,
        (spread, scores.softmax(1)),
        ("The sigmoids do not sum to one: divide them by their sum.", gates),
        (twice, gates.softmax(1)),
        (twice, right.softmax(1)),
        (both, scores.softmax(1).sigmoid() / scores.softmax(1).sigmoid().sum(1, keepdim=True)),
        (both, scores.softmax(1).sigmoid()),
        (f"You divided by the sum over the batch. {whole}", gates / gates.sum(0)),
        (f"You divided by the sum over everything. {whole}", gates / gates.sum()),
        ("Divide by the sum of the sigmoids, not by the number of frames.", gates / 5),
        ("Divide by the sum of the sigmoids, not by the mean.", gates / gates.mean(1, keepdim=True)),
        ("Divide by the sum of the sigmoids, not by the largest.", gates / gates.amax(1, keepdim=True)),
        ("Divide by the sum of the sigmoids, not by their length.", gates / gates.norm(dim=1, keepdim=True)),
        ("Divide by the sum of the sigmoids, not of the scores.", gates / scores.sum(1, keepdim=True)),
        ("Divide by the sum of the sigmoids, not of the exponentials.", gates / scores.exp().sum(1, keepdim=True)),
        ("The sigmoid takes the place of every exponential, above the fraction bar too.",
         scores.exp() / gates.sum(1, keepdim=True)),
        ("A high score means a high weight; yours is the other way round.",
         (1 - gates) / (1 - gates).sum(1, keepdim=True)),
        ("A high score means a high weight; yours is the other way round.", (-scores).softmax(1)),
        ("These are the logarithms of the weights.", right.log()),
        ("Logarithms need a softmax: log σ alone is no weight.", torch.nn.functional.logsigmoid(scores)),
        ("Logarithms need a softmax: divided by their sum they are upside down.",
         torch.nn.functional.logsigmoid(scores) / torch.nn.functional.logsigmoid(scores).sum(1, keepdim=True)),
        ("The sigmoids are used as they are, not squared.", gates**2 / (gates**2).sum(1, keepdim=True)),
        ("The sigmoid is there twice.", gates.sigmoid() / gates.sigmoid().sum(1, keepdim=True)),
        (other, scores.tanh() / scores.tanh().sum(1, keepdim=True)),
        (other, (scores.tanh() + 1) / (scores.tanh() + 1).sum(1, keepdim=True)),
        (other, scores.relu() / scores.relu().sum(1, keepdim=True)),
        (other, torch.nn.functional.softplus(scores) / torch.nn.functional.softplus(scores).sum(1, keepdim=True)),
        (other, torch.nn.functional.hardsigmoid(scores) / torch.nn.functional.hardsigmoid(scores).sum(1, keepdim=True)),
        ("A softmax at another temperature is not smoothing: take sigmoids.", (scores / 2).softmax(1)),
        ("The frames all weigh the same: use the scores.", torch.full((2, 5), 0.2)),
        ("This is the best frame alone.", torch.nn.functional.one_hot(scores.argmax(1), 5).float()),
    )  # fmt: skip
    hidden = "Nothing is masked here, yet something is hidden: True marks a real frame. Is the mask upside down?"
    expect(not bool(weights.isnan().any()) and bool((weights != 0).all()), hidden)
    expect_close(weights, right, "Expected σ(e_j) divided by the sum of all σ(e_k) of the row.", WEIGHTS)


@smoothing.behaviour("gives padding exactly zero and shares out one among the real frames")
def _(answer):
    scores = torch.randn(4, 6)
    mask = torch.arange(6) < torch.tensor([[4], [6], [1], [5]])
    weights = smoothed(answer, scores, mask)
    gates = scores.sigmoid()
    plain = gates / gates.sum(1, keepdim=True)

    def shared(parts):
        return parts / parts.sum(1, keepdim=True)

    half = "A score of 0 is not hidden, its sigmoid is a half: give padding a weight of zero before the division."
    upside_down = "The mask is upside down: True marks a real frame."
    recognise(
        weights,
        ("The mask is not used: padding gets weight.", plain),
        ("The rows do not sum to one: hide the padding before you divide by the sum, not after it.", plain * mask),
        (half, shared((scores * mask).sigmoid())),
        (half, shared(scores.masked_fill(~mask, 0).sigmoid()) * mask),
        (upside_down, shared(gates * ~mask)),
        (upside_down, plain * ~mask),
        (upside_down, shared(gates * (~mask | mask.all(1, keepdim=True)))),
        ("All utterances have the mask of the first one.", shared(gates * mask[0])),
        ("Each row has its own mask; you keep only frames that are real in all.", shared(gates * mask.all(0))),
        ("Padding must be out of the sum, too: hide it there as well.", gates / gates.sum(1, keepdim=True) * mask),
        ("Hide the padding and then divide; you added the mask.", shared(gates + mask)),
        ("The real frames all weigh the same: use the scores.", shared(mask.float())),
        ("This is a masked softmax: put a sigmoid in place of the exponential.", masked_softmax(scores, mask)),
        ("Divide by the sum of the sigmoids, not by the number of real frames.", gates * mask / mask.sum(1, True)),
    )
    expect(not bool(weights.isnan().any()), f"Some weights are NaN. {upside_down}")
    small = (
        "Padding gets a little weight: it must be exactly zero, so hide it by minus infinity or by a product with 0."
    )
    expect(bool((weights[~mask] == 0).all()), small)
    expect_close(weights.sum(1), torch.ones(4), "The real weights of each row must sum to one.", "(batch,)")
    expect_close(weights, smooth_weights(scores, mask), "The real frames have the wrong weights.", WEIGHTS)


@smoothing.behaviour("lets no frame take nearly everything, however high its score")
def _(answer):
    scores = torch.tensor([[500.0, 30.0, 20.0, 40.0], [8.0, 1000.0, 12.0, 9.0]])
    mask = torch.tensor([[True, True, True, False], [True, True, True, True]])
    weights = smoothed(answer, scores, mask)
    overflow = "High scores give NaN: exp(x) / (1 + exp(x)) overflows. torch.sigmoid does not."
    expect(not bool(weights.isnan().any()), overflow)
    greedy = "One frame takes nearly everything: a sigmoid grows no further than one, so high scores weigh alike."
    expect(weights.max() < 0.5, greedy)
    expect_close(weights, smooth_weights(scores, mask), "Scores far above zero all weigh about the same.", WEIGHTS)


@smoothing.behaviour("still shares out one where all scores are very low")
def _(answer):
    scores = torch.tensor(
        [[-200.0, -201.0, -203.0, 5.0], [-500.0, -500.0, -500.0, -500.0], [-99.0, -98.0, -1.0, -97.0]]
    )
    mask = torch.tensor([[True, True, True, False], [True, True, False, False], [True, True, False, True]])
    weights = smoothed(answer, scores, mask)
    right = smooth_weights(scores, mask)
    logarithm = "Take a softmax of torch.nn.functional.logsigmoid(scores): that is the same quotient."
    zero = f"Very low scores give NaN: every sigmoid is zero, and so is their sum. {logarithm}"
    expect(not bool(weights.isnan().any()), zero)
    missing = f"Very low scores leave a row that does not sum to one: their sigmoids are zero. {logarithm}"
    expect_close(weights.sum(1), torch.ones(3), f"{missing} A small number in the denominator is no help.", "(batch,)")
    even = mask / mask.sum(1, keepdim=True)
    recognise(weights, (f"Very low scores all weigh the same with you: do not round them. {logarithm}", even))
    expect_close(weights, right, f"Very low scores get the wrong weights. {logarithm}", WEIGHTS)


@smoothing.behaviour("works for other sizes")
def _(answer):
    for batch, frames, height in [(1, 1, 1), (1, 9, 2), (6, 2, 1), (3, 3, 1), (2, 40, 4)]:
        scores = torch.randn(batch, frames) * height
        mask = torch.arange(frames) < 1 + (torch.arange(batch).unsqueeze(1) * 3 + 1) % frames
        hint = f"Wrong for {batch} utterance(s) of {frames} frame(s). Is a size typed in?"
        expect_close(smoothed(answer, scores, mask), smooth_weights(scores, mask), hint, WEIGHTS)
    scores, mask = torch.randn(2, 4, dtype=torch.float64), torch.tensor([[True] * 4, [True, True, False, False]])
    expect_double_precision(lambda: answer(scores, mask))


@smoothing.behaviour("lets the gradient reach the scores")
def _(answer):
    mask = torch.tensor([[True, True, True, False], [True, True, False, False], [True] * 4])
    expect_gradients(
        lambda scores: answer(scores, mask.clone()),
        lambda scores: smooth_weights(scores, mask),
        scores=torch.randn(3, 4),
    )


@smoothing.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, torch.randn(2, 3), torch.tensor([[True] * 3, [True, False, False]]))


@smoothing.own_data
def _(generator):
    height = 2 - 300 * (torch.arange(4).unsqueeze(1) == 3)  # a row so low that its sigmoids are zero
    mask = torch.arange(6) < torch.randint(1, 7, (4, 1), generator=generator)
    return 3 * torch.randn(4, 6, generator=generator) + height, mask
