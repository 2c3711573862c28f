"""The exercise of lesson 5 on one look at the premise, from the last hypothesis word; `lesson_05.py` lists it."""

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.mechanisms.attention import masked_softmax
from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor


def last_state_attention(
    premise_outputs: Tensor, premise_mask: Tensor, last: Tensor, W_y: Tensor, W_h: Tensor, w: Tensor
) -> tuple[Tensor, Tensor]:
    """Look at the premise once, from the last state of the hypothesis.

    M = tanh(W_y Y + W_h h_N ⊗ e),  α = softmax over the real premise words of w · M,  r = Σ_j α_j y_j

    Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.3, equations 6 to 8.

    Args:
        premise_outputs: `(batch, premise_length, size)`, Y.
        premise_mask: `(batch, premise_length)` booleans, True = real word.
        last: `(batch, size)`, h_N.
        W_y, W_h: `(size, size)`.
        w: `(size,)`.

    Returns:
        context: `(batch, size)`, r.
        attention_weights: `(batch, premise_length)`, exactly zero on padding; each row sums to one.
    """
    compared = torch.tanh(premise_outputs @ W_y.T + (last @ W_h.T).unsqueeze(1))  # (batch, premise_length, size)
    attention_weights = masked_softmax(compared @ w, premise_mask)
    return averaged(attention_weights, premise_outputs), attention_weights


looking = Exercise("05.last-state-attention", "Look at the premise once", 2, 10, last_state_attention)
EXERCISES = [looking]

CONTEXT, WEIGHTS = "(batch, size)", "(batch, premise_length)"


def averaged(weights: Tensor, outputs: Tensor) -> Tensor:
    """Average `(batch, length, size)` by weights `(batch, length)`."""
    return torch.einsum("bp,bps->bs", weights, outputs)


def expect_look(result: object, batch: int, length: int, size: int, name: str = "context") -> tuple[Tensor, Tensor]:
    """Insist on what was found and on the weights, in this order; `name` is what the lesson calls the first."""
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, f"Return two tensors: `return {name}, attention_weights`.")
    found, weights = result
    if isinstance(found, Tensor) and isinstance(weights, Tensor) and len({batch, length, size}) == 3:
        shape, weights_shape = tuple(found.shape), tuple(weights.shape)
        turned = shape == (batch, length) and weights_shape == (batch, size)
        expect(not turned, f"The two results are swapped: the {name} comes first, then the weights.")
        kept = shape in {(batch, 1, size), (batch, size, 1)} or weights_shape in {
            (batch, length, 1),
            (batch, 1, length),
        }
        expect(not kept, "An axis of size 1 is left over: squeeze it away.")
        expect(shape != (batch, length, size), f"The premise words in the {name} are still apart: add them up, dim=1.")
        inner = weights_shape == (batch, length, size)
        expect(not inner, "Multiply by w and add up over the size: each premise word has one weight.")
        summed = shape == (batch, length)
        expect(not summed, "You added up the numbers of each premise output: add up the words, dimension 1.")
        merged = shape in {(length, size), (size,)}
        expect(not merged, f"You added up the batch: each pair keeps its own {name}. Add up the words, dimension 1.")
    return expect_tensor(found, (batch, size), CONTEXT), expect_tensor(weights, (batch, length), WEIGHTS)


def expect_shared_out(weights: Tensor, mask: Tensor, scores: Tensor) -> None:
    """Insist on weights that share out one among the real premise words, with hints for the usual slips."""
    plain, right = scores.softmax(1), masked_softmax(scores, mask)
    upside_down = "The mask is upside down: True marks a real word, so hide where it is False (~mask)."
    recognise(
        weights,
        ("The premise mask is not used: padding gets weight.", plain),
        ("The rows do not sum to one: hide the scores before the softmax, not the weights after it.", plain * mask),
        ("A score of 0 is not hidden: padding needs minus infinity before the softmax.", (scores * mask).softmax(1)),
        (upside_down, masked_softmax(scores, ~mask | mask.all(1, keepdim=True))),
        (upside_down, plain * ~mask),
        ("All premises have the mask of the first one.", masked_softmax(scores, mask[:1])),
        (
            "Only the words that are real in every premise count for you: each row has its own mask.",
            masked_softmax(scores, mask.all(0, keepdim=True)),
        ),
    )
    expect(not bool(weights.isnan().any()), f"Some weights are NaN. {upside_down}")
    little = "Padding gets a little weight: hide it with minus infinity, then its weight is exactly zero."
    expect(bool((weights[~mask] == 0).all()), little)
    shared = (
        "The real weights of each row must sum to one: hide the scores before the softmax, not the weights after it."
    )
    expect_close(weights.sum(1), torch.ones(len(weights)), shared, "(batch,)")
    expect_close(weights, right, "The real words have the wrong weights: take the softmax of their scores.", WEIGHTS)


def example(batch: int, length: int, size: int, full: bool = False) -> tuple[Tensor, ...]:
    """Draw premise outputs, a mask, a last state and the three parameters."""
    lengths = torch.full((batch, 1), length) if full else 1 + (torch.arange(batch).unsqueeze(1) * 2 + 1) % length
    inputs = torch.randn(batch, length, size), torch.arange(length) < lengths, torch.randn(batch, size)
    return *inputs, 0.6 * torch.randn(size, size), 0.6 * torch.randn(size, size), 2 * torch.randn(size)


def looked(answer: Callable, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Let the answer look, and insist on context and weights."""
    return expect_look(answer(*[tensor.clone() for tensor in inputs]), *inputs[0].shape)


@looking.behaviour("scores each premise word by w · tanh(W_y y + W_h h)")
def _(answer):
    inputs = example(1, 5, 4, full=True)  # one pair and square matrices, so that only the equation counts
    outputs, _, last, W_y, W_h, w = inputs
    _, weights = looked(answer, inputs)
    y, h = outputs @ W_y.T, (last @ W_h.T).unsqueeze(1)
    scores = (y + h).tanh() @ w
    right = scores.softmax(1)
    outside = "W_h h_N changes no weight: it is missing, or outside the one tanh. Add it to W_y y before the tanh."
    dot = "This is dot-product attention. Here W_y y and W_h h are added; tanh and w follow."
    squash = "The paper squashes with tanh, not with a sigmoid or a ReLU."
    transposed = "A matrix is transposed: W y is outputs @ W.T, where each row of outputs is a y."
    from_scores = [
        ("The tanh is missing. Without it h adds the same to all scores, and the softmax forgets it.", (y + h) @ w),
        ("The tanh comes too late: apply it to W_y y + W_h h, before the product with w.", ((y + h) @ w).tanh()),
        (outside, (y.tanh() + h.tanh()) @ w),
        (squash, (y + h).sigmoid() @ w),
        (squash, (y + h).relu() @ w),
        (
            "The matrices are swapped: W_y goes with the premise, W_h with the last state.",
            (outputs @ W_h.T + (last @ W_y.T).unsqueeze(1)).tanh() @ w,
        ),
        (
            "One matrix is used twice: W_y for the premise, W_h for the last state.",
            (y + (last @ W_y.T)[:, None]).tanh() @ w,
        ),
        ("One matrix is used twice: W_y for the premise, W_h for the last state.", (outputs @ W_h.T + h).tanh() @ w),
        (transposed, (outputs @ W_y + h).tanh() @ w),
        (transposed, (y + (last @ W_h).unsqueeze(1)).tanh() @ w),
        (transposed, (outputs @ W_y + (last @ W_h).unsqueeze(1)).tanh() @ w),
        ("Multiply by w before you add up.", (y + h).tanh().sum(2)),
        ("Add up w times M; you took the mean.", scores / 4),
        ("These scores are not scaled: drop the square root of the size.", scores / 2),
        (outside, y.tanh() @ w),
        ("All premise words have the same weight: W_y Y is missing in M.", (h.tanh() @ w).expand_as(scores)),
        ("W_h h_N is added, not multiplied.", (y * h).tanh() @ w),
        ("W_h h_N is added, not subtracted.", (y - h).tanh() @ w),
        (dot, (y * h).sum(2)),
        (dot, (outputs * last.unsqueeze(1)).sum(2)),
        ("The matrix is missing: W_h h_N, not h_N.", (y + last.unsqueeze(1)).tanh() @ w),
        ("The matrix is missing: W_y y, not y.", (outputs + h).tanh() @ w),
        ("A high score means a high weight; yours is the other way round.", -scores),
        ("The softmax is there twice.", right),
    ]
    recognise(
        weights,
        ("The softmax is missing: these are the scores.", scores),
        ("This is a sigmoid of each score: the words compete, so take a softmax.", scores.sigmoid()),
        ("Divide the exponentials by their sum: take a softmax.", scores.exp()),
        ("These are the logarithms of the weights: softmax, not log_softmax.", right.log()),
        ("The softmax runs over the batch, and one pair is all there is: over the words, dim=1.", torch.ones(1, 5)),
        *((hint, wrong.softmax(1)) for hint, wrong in from_scores),
        (
            "Only the best word has a weight: a softmax lets all of them in.",
            torch.nn.functional.one_hot(scores.argmax(1), 5).float(),
        ),
    )
    expect_close(weights, right, "Expected the softmax over the premise of w · tanh(W_y y + W_h h_N).", WEIGHTS)


@looking.behaviour("gives padding exactly zero and shares out one among the real words")
def _(answer):
    inputs = example(3, 5, 4)
    outputs, mask, last, W_y, W_h, w = inputs
    _, weights = looked(answer, inputs)
    expect_shared_out(weights, mask, (outputs @ W_y.T + (last @ W_h.T).unsqueeze(1)).tanh() @ w)


@looking.behaviour("averages the premise outputs by these weights")
def _(answer):
    inputs = example(2, 5, 3)
    outputs, mask, last, W_y, W_h, w = inputs
    context, _ = looked(answer, inputs)
    right, weights = last_state_attention(*inputs)
    compared = (outputs @ W_y.T + (last @ W_h.T).unsqueeze(1)).tanh()
    real = mask.unsqueeze(2)
    averaged_wrong = "Average the premise outputs Y themselves, not"
    recognise(
        context,
        (f"{averaged_wrong} W_y Y.", averaged(weights, outputs @ W_y.T)),
        (f"{averaged_wrong} M: M is for the scores alone.", averaged(weights, compared)),
        ("The weights sum to one already: add up, no mean.", right / 5),
        ("The weights sum to one already: add up, no mean.", right / mask.sum(1, keepdim=True)),
        ("The weights are not used: this is the plain mean of the premise.", outputs.mean(1)),
        ("The weights are not used: this is the plain mean of the premise.", (outputs * real).sum(1) / real.sum(1)),
        ("The weights are not used: this is the plain sum of the premise.", outputs.sum(1)),
        ("You averaged with the scores: use their softmax.", averaged(compared @ w, outputs)),
        (
            "The average still holds padding: mask the scores, and average with the masked weights.",
            averaged((compared @ w).softmax(1), outputs),
        ),
        ("This is the output of the best word: average over all of them.", outputs[[0, 1], weights.argmax(1)]),
        ("The context is what was found in the premise: do not add the last state yet.", right + last),
        ("The context is the sum itself: no tanh.", right.tanh()),
        ("This is the last state of the hypothesis: average the premise outputs.", last),
    )
    expect_close(context, right, "Expected Σ_j α_j y_j, the sum over the premise words, dimension 1.", CONTEXT)


@looking.behaviour("compares each pair's last state with its own premise")
def _(answer):
    inputs = example(4, 4, 4)  # every broadcast works
    outputs, mask, last, W_y, W_h, w = inputs
    context, weights = looked(answer, inputs)
    right, right_weights = last_state_attention(*inputs)
    y, h = outputs @ W_y.T, last @ W_h.T
    scores = (y + h.unsqueeze(1)).tanh() @ w
    axis = "W_h h_N met the wrong axis: make it (batch, 1, size), so that it repeats over the premise words."
    hidden = scores.masked_fill(~mask, float("-inf"))
    met = "The weights met the wrong axis: make them (batch, premise_length, 1), so that each word has its own."
    recognise(
        (context, weights),
        ("The two results are swapped: the context comes first, then the weights.", (right_weights, right)),
    )
    recognise(
        weights,
        (axis, masked_softmax((y + h).tanh() @ w, mask)),
        ("The softmax runs over the batch: it should run over the premise words, dim=1.", hidden.softmax(0)),
        (
            "The softmax runs over the batch: it should run over the premise words, dim=1.",
            hidden.softmax(0).nan_to_num(),
        ),
        (
            "The softmax runs over everything at once: each pair has its own, dim=1.",
            hidden.flatten().softmax(0).view(4, 4),
        ),
        ("Every premise was compared with the first hypothesis.", masked_softmax((y + h[0]).tanh() @ w, mask)),
        (
            "Every hypothesis was compared with the first premise.",
            masked_softmax((y[:1] + h.unsqueeze(1)).tanh() @ w, mask),
        ),
        ("The mask is transposed: it is (batch, premise_length), as the scores are.", masked_softmax(scores, mask.T)),
        (
            "You added up the words of M, not its numbers: the product with w is over the last axis.",
            masked_softmax(torch.einsum("bps,p->bs", (y + h.unsqueeze(1)).tanh(), w), mask),
        ),
    )
    batch_softmax = "The softmax runs over the batch: it should run over the premise words, dim=1."
    expect(not bool(weights.isnan().any()), f"Some weights are NaN: is the mask upside down? Or: {batch_softmax}")
    recognise(
        context,
        (met, (right_weights * outputs).sum(1)),
        (met, (right_weights.unsqueeze(1) * outputs).sum(1)),
        (met, (right_weights.unsqueeze(1) * outputs).sum(2)),
        (
            "You added up the numbers of each output: add up the words, dimension 1.",
            (right_weights.unsqueeze(2) * outputs).sum(2),
        ),
        ("You added up the batch: add up the words, dimension 1.", (right_weights.unsqueeze(2) * outputs).sum(0)),
        ("You averaged the first premise every time.", right_weights @ outputs[0]),
    )
    expect_close(weights, right_weights, "Each pair has its own weights: the softmax runs over dim=1.", WEIGHTS)
    expect_close(context, right, "Each pair has its own premise, last state and weights.", CONTEXT)


@looking.behaviour("works for other sizes and for scores of any height")
def _(answer):
    for batch, length, size, height in [(1, 1, 1, 1), (1, 7, 3, 1), (5, 2, 6, 1), (2, 40, 4, 1), (3, 5, 4, 500)]:
        inputs = example(batch, length, size)
        inputs = (*inputs[:-1], inputs[-1] * height)
        context, weights = looked(answer, inputs)
        nan = bool(weights.isnan().any() or context.isnan().any())
        expect(not nan, "High scores give NaN: exp overflows. torch.softmax shifts the scores first.")
        right, right_weights = last_state_attention(*inputs)
        where = f"for {batch} pair(s), premises up to {length} word(s) and size {size}"
        expect(bool((weights[~inputs[1]] == 0).all()), f"Padding gets weight {where}: hide it with minus infinity.")
        expect_close(weights, right_weights, f"The weights are wrong {where}.", WEIGHTS)
        expect_close(context, right, f"The context is wrong {where}.", CONTEXT)


@looking.behaviour("keeps the precision of its inputs")
def _(answer):
    double = [tensor if tensor.dtype == torch.bool else tensor.double() for tensor in example(2, 4, 3)]
    for part in (0, 1):
        expect_double_precision(lambda: answer(*double), lambda result, part=part: result[part])


@looking.behaviour("lets a gradient reach premise, last state and all three parameters")
def _(answer):
    outputs, mask, last, W_y, W_h, w = example(2, 4, 3)
    named = {"premise_outputs": outputs, "last": last, "W_y": W_y, "W_h": W_h, "w": w}
    for part in (0, 1):
        expect_gradients(
            lambda outputs, *rest, part=part: answer(outputs, mask.clone(), *rest)[part],
            lambda outputs, *rest, part=part: last_state_attention(outputs, mask, *rest)[part],
            **named,
        )


@looking.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, *example(2, 4, 3))


@looking.own_data
def _(generator):
    outputs, last = torch.randn(3, 6, 4, generator=generator), torch.randn(3, 4, generator=generator)
    mask = torch.arange(6) < torch.randint(1, 7, (3, 1), generator=generator)
    W_y, W_h, w = torch.randn(9, 4, generator=generator).split([4, 4, 1])
    return outputs, mask, last, W_y, W_h, 2 * w[0]
