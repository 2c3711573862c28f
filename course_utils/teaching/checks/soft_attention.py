"""The exercise of lesson 4 on soft attention over cells and its gate; `lesson_04.py` lists it."""

import torch
from torch import Tensor

from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor


def soft_context(scores: Tensor, annotations: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
    """Average the annotations by the softmax of their scores, and let the gate through as much of it as it says.

    z = β Σ_i a_i h_i,  a = softmax over the cells of the scores

    Source: Xu et al. 2015, arXiv 1502.03044, equations 4 to 6 and section 4.2.1.

    Args:
        scores: `(batch, cells)`.
        annotations: `(batch, cells, size)`.
        gate: `(batch,)` from 0 to 1.

    Returns:
        context: `(batch, size)`.
        attention_weights: `(batch, cells)`, without the gate; each row sums to one.
    """
    attention_weights = scores.softmax(dim=1)
    context = gate.unsqueeze(1) * torch.einsum("bc,bcs->bs", attention_weights, annotations)
    return context, attention_weights


mixing = Exercise("04.soft-context", "Average the cells and gate the result", 1, 8, soft_context)
EXERCISES = [mixing]

CONTEXT, WEIGHTS = "(batch, size)", "(batch, cells)"


def expect_pair(result: object, batch: int, cells: int, size: int) -> tuple[Tensor, Tensor]:
    """Insist on a context and weights, in this order."""
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "Return two tensors, context and attention_weights: `return context, attention_weights`.")
    context, weights = result
    if cells != size and isinstance(context, Tensor) and isinstance(weights, Tensor):
        turned = tuple(context.shape) == (batch, cells) and tuple(weights.shape) == (batch, size)
        expect(not turned, "The two results are swapped: the context comes first, then the weights.")
        kept = tuple(context.shape) in {(batch, 1, size), (batch, size, 1)}
        expect(not kept, "The context has an axis of size 1 left over: squeeze it away.")
        apart = tuple(context.shape) == (batch, cells, size)
        expect(not apart, "The cells of the context are still apart: add them up, dimension 1.")
        summed = tuple(context.shape) == (batch, cells)
        expect(not summed, "You added up the numbers of each annotation: add up the cells, dimension 1.")
        merged = tuple(context.shape) in {(cells, size), (size,)}
        expect(not merged, "You added up the batch: each picture keeps its own context. Add up the cells, dimension 1.")
    return expect_tensor(context, (batch, size), CONTEXT), expect_tensor(weights, (batch, cells), WEIGHTS)


@mixing.behaviour("turns the scores of a picture into weights that sum to one")
def _(answer):
    scores, annotations = torch.randn(3, 4), torch.randn(3, 4, 2)
    gate = torch.tensor([0.25, 0.5, 0.8])
    context, weights = expect_pair(answer(scores.clone(), annotations.clone(), gate.clone()), 3, 4, 2)
    right, each = scores.softmax(1), gate[:, None]
    gated = "The gate belongs to the context alone: return the weights as they are, so that each row sums to one."
    early = "The gate comes after the average: it must not change the scores."
    recognise(
        weights,
        ("The softmax runs over the batch: it should run over the cells, dim=1.", scores.softmax(0)),
        (
            "The softmax runs over everything at once: each picture has its own, dim=1.",
            scores.flatten().softmax(0).view(3, 4),
        ),
        (gated, right * each),
        (early, (scores * each).softmax(1)),
        (early, (scores + each).sigmoid()),
        ("The softmax is missing: these are the scores.", scores),
        ("This is a sigmoid of each score: the cells compete, so take a softmax.", scores.sigmoid()),
        ("Divide the exponentials by their sum: take a softmax.", scores.exp()),
        ("Scores may be below zero: take a softmax, do not divide by their sum.", scores / scores.sum(1, keepdim=True)),
        ("These are the logarithms of the weights: softmax, not log_softmax.", right.log()),
        ("A high score means a high weight; yours is the other way round.", (-scores).softmax(1)),
        ("The softmax is there twice.", right.softmax(1)),
        (
            "This is hard attention: only the best cell counts. A softmax lets all of them in.",
            torch.nn.functional.one_hot(scores.argmax(1), 4).float(),
        ),
        ("All cells have the same weight: use the scores.", torch.full((3, 4), 0.25)),
    )
    expect_close(weights, right, "The weights are the softmax of the scores over the cells, dim=1.", WEIGHTS)


@mixing.behaviour("adds the annotations up by their weights, and gates the sum")
def _(answer):
    scores, annotations = torch.randn(2, 5), torch.randn(2, 5, 3)
    gate = torch.tensor([0.3, 0.9])
    context, _ = expect_pair(answer(scores.clone(), annotations.clone(), gate.clone()), 2, 5, 3)
    each = gate[:, None]

    def average(weights):
        return torch.einsum("bc,bcs->bs", weights, annotations)

    weights = scores.softmax(1)
    plain = average(weights)
    recognise(
        context,
        ("The gate is missing: multiply the average by β.", plain),
        ("The gate is a number from 0 to 1 already: no sigmoid.", each.sigmoid() * plain),
        ("Multiply by the gate; you added it.", plain + each),
        ("Multiply by the gate; you divided by it.", plain / each),
        ("β lets through, 1 − β holds back: multiply by β.", (1 - each) * plain),
        ("The gate counts once; it is there twice.", each**2 * plain),
        ("The gate comes after the average: it must not change the scores.", average((scores * each).softmax(1))),
        ("The weights add up to one already: sum over the cells, no mean.", each * plain / 5),
        ("The weights are not used: this is the plain mean.", each * annotations.mean(1)),
        ("The weights are not used: this is the plain sum.", each * annotations.sum(1)),
        ("You averaged with the scores: use their softmax.", each * average(scores)),
        ("The softmax of your context runs over the batch.", each * average(scores.softmax(0))),
        (
            "This is the annotation of the best cell: average over all of them.",
            each * annotations[[0, 1], scores.argmax(1)],
        ),
        ("Both pictures have the gate of the first.", gate[0] * plain),
        ("All pictures have the same gate, the mean.", gate.mean() * plain),
        ("The context is the sum itself: no tanh.", (each * plain).tanh()),
    )
    expect_close(context, each * plain, "Expected β Σ_i a_i h_i, the sum over the cells, dimension 1.", CONTEXT)


@mixing.behaviour("gives each picture its own weights, annotations and gate")
def _(answer):
    scores, annotations, gate = torch.randn(4, 4), torch.randn(4, 4, 4), torch.rand(4)  # every broadcast works
    context, weights = expect_pair(answer(scores.clone(), annotations.clone(), gate.clone()), 4, 4, 4)
    right = scores.softmax(1)
    plain, each = torch.einsum("bc,bcs->bs", right, annotations), gate[:, None]
    axis = "The weights met the wrong axis: make them (batch, cells, 1), so that each annotation has its own."
    recognise(
        (context, weights),
        ("The two results are swapped: the context comes first, then the weights.", (right, each * plain)),
    )
    recognise(
        context,
        ("The gate met the wrong axis: make it (batch, 1), so that each picture has its own.", gate * plain),
        (axis, each * (right * annotations).sum(1)),
        (axis, each * (right.unsqueeze(1) * annotations).sum(1)),
        (axis, each * (right.unsqueeze(1) * annotations).sum(2)),
        (
            "You added up the numbers of each annotation: add up the cells, dimension 1.",
            each * (right.unsqueeze(2) * annotations).sum(2),
        ),
        ("You added up the batch: add up the cells, dimension 1.", each * (right.unsqueeze(2) * annotations).sum(0)),
        ("You read the annotations of the first picture every time.", each * (right @ annotations[0])),
        ("All pictures have the gate of the first.", gate[0] * plain),
    )
    expect_close(context, each * plain, "Each picture has its own weights, annotations and gate.", CONTEXT)
    expect_close(weights, right, "The softmax runs over the cells of one picture, dim=1.", WEIGHTS)


@mixing.behaviour("says nothing when the gate is shut, and still knows where it looked")
def _(answer):
    scores, annotations = torch.randn(2, 3), torch.randn(2, 3, 5)
    gate = torch.tensor([0.0, 1.0])
    context, weights = expect_pair(answer(scores.clone(), annotations.clone(), gate.clone()), 2, 3, 5)
    expect(not bool(weights.isnan().any()), "With β = 0 the weights are NaN: do not divide by the gate or by its sum.")
    shut = "With β = 0 the weights still sum to one: the gate belongs to the context."
    expect_close(weights.sum(1), torch.ones(2), shut, "(batch,)")
    right, _ = soft_context(scores, annotations, gate)
    expect_close(context, right, "With β = 0 the context is zero, with β = 1 the whole average.", CONTEXT)


@mixing.behaviour("works for other sizes and for scores of any height")
def _(answer):
    for batch, cells, size, height in [(1, 1, 1, 1), (1, 6, 2, 3), (5, 2, 3, 1), (2, 64, 7, 2), (2, 4, 3, 1000)]:
        inputs = torch.randn(batch, cells) * height, torch.randn(batch, cells, size), torch.rand(batch)
        result = answer(*[tensor.clone() for tensor in inputs])
        where = f"for {batch} picture(s) with {cells} cell(s) of {size} number(s)"
        context, weights = expect_pair(result, batch, cells, size)
        nan = bool(weights.isnan().any() or context.isnan().any())
        expect(not nan, "High scores give NaN: exp overflows. torch.softmax shifts the scores first.")
        right, right_weights = soft_context(*inputs)
        expect_close(weights, right_weights, f"The weights are wrong {where}.", WEIGHTS)
        expect_close(context, right, f"The context is wrong {where}.", CONTEXT)


@mixing.behaviour("lets a gradient reach scores, annotations and gate")
def _(answer):
    inputs = {"scores": torch.randn(2, 3), "annotations": torch.randn(2, 3, 4), "gate": torch.rand(2)}
    expect_gradients(lambda *given: answer(*given)[0], lambda *given: soft_context(*given)[0], **inputs)
    annotations, gate = inputs["annotations"], inputs["gate"]
    expect_gradients(
        lambda scores: answer(scores, annotations.clone(), gate.clone())[1],
        lambda scores: soft_context(scores, annotations, gate)[1],
        scores=inputs["scores"],
    )


@mixing.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, torch.randn(2, 3), torch.randn(2, 3, 4), torch.rand(2))


@mixing.own_data
def _(generator):
    scores, gate = torch.randn(3, 5, generator=generator), torch.rand(3, generator=generator)
    return scores, torch.randn(3, 5, 4, generator=generator), gate
