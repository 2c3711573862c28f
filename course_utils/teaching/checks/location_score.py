"""The exercise of lesson 6 on scores that know where the last look was; `lesson_06.py` lists it."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from course_utils.mechanisms.attention import masked_softmax
from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise, same
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor

NAMES = ("state", "encoder_outputs", "features", "frame_mask", "W", "V", "U", "b", "w")
WEIGHTS = "(batch, frames)"


def location_score(
    state: Tensor,
    encoder_outputs: Tensor,
    features: Tensor,
    frame_mask: Tensor,
    W: Tensor,
    V: Tensor,
    U: Tensor,
    b: Tensor,
    w: Tensor,
) -> Tensor:
    """Weigh each frame by what it holds and by where the last look was.

    e_j = w · tanh(W s + V h_j + U f_j + b),  a = softmax over the real frames of e

    Source: Chorowski et al. 2015, arXiv 1506.07503, section 2.1.

    Args:
        state: `(batch, state_size)`, s_{i-1}.
        encoder_outputs: `(batch, frames, value_size)`, h.
        features: `(batch, frames, filters)`, f.
        frame_mask: `(batch, frames)` booleans, True = real frame.
        W: `(attention_size, state_size)`.
        V: `(attention_size, value_size)`.
        U: `(attention_size, filters)`.
        b, w: `(attention_size,)`.

    Returns:
        Weights `(batch, frames)`, exactly zero on padding; each row sums to one.
    """
    hidden = (state @ W.T).unsqueeze(1) + encoder_outputs @ V.T + features @ U.T + b
    return masked_softmax(torch.tanh(hidden) @ w, frame_mask)


scoring = Exercise("06.location-score", "Score by content and by location", 2, 12, location_score)
EXERCISES = [scoring]


def example(
    batch: int,
    frames: int,
    sizes: tuple[int, int, int, int],
    full: bool = False,
    generator: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """Draw inputs by name; sizes are those of state, encoder output, features and hidden layer."""
    state, value, filters, hidden = sizes
    randn = partial(torch.randn, generator=generator)
    lengths = torch.full((batch, 1), frames) if full else 1 + (torch.arange(batch).unsqueeze(1) * 2 + 1) % frames
    return {
        "state": randn(batch, state),
        "encoder_outputs": randn(batch, frames, value),
        "features": randn(batch, frames, filters),
        "frame_mask": torch.arange(frames) < lengths,
        "W": 0.6 * randn(hidden, state),
        "V": 0.6 * randn(hidden, value),
        "U": 0.6 * randn(hidden, filters),
        "b": randn(hidden),
        "w": 2 * randn(hidden),
    }


def weighed(answer: Callable, inputs: dict[str, Tensor]) -> Tensor:
    """Let the answer weigh the frames, and insist on the shape."""
    result = answer(*[tensor.clone() for tensor in inputs.values()])
    batch, frames = inputs["frame_mask"].shape
    expect(not isinstance(result, tuple | list), "Return one tensor: the weights.")
    if isinstance(result, Tensor):
        shape = tuple(result.shape)
        kept = shape in {(batch, frames, 1), (batch, 1, frames)}
        expect(not kept, "An axis of size 1 is left over: squeeze it away.")
        apart = "The hidden layer is still there: multiply by w and add up, `@ w`."
        expect(shape != (batch, frames, len(inputs["w"])), apart)
        context = shape == (batch, inputs["encoder_outputs"].shape[2]) and shape != (batch, frames)
        expect(not context, "This is a context: return the weights, one per frame.")
        expect(shape != (frames,), "The batch is gone: each utterance has its own weights.")
        expect(shape != (batch,), "The frames are gone: return one weight per frame.")
    return expect_tensor(result, (batch, frames), WEIGHTS)


@scoring.behaviour("weighs each frame by w · tanh(W s + V h + U f + b)")
def _(answer):
    inputs = example(1, 6, (4, 4, 4, 4), full=True)  # one utterance and square matrices: only the equation counts
    weights = weighed(answer, inputs)
    state, outputs, features, _, W, V, U, b, w = inputs.values()
    s, h, f = (state @ W.T).unsqueeze(1), outputs @ V.T, features @ U.T
    total = s + h + f + b
    scores = total.tanh() @ w
    squash = "The paper squashes with tanh, not with a sigmoid or a ReLU."
    missing = "is missing, or outside the tanh, where it adds the same to all scores and the softmax forgets it."
    one = "Take one tanh of the whole sum, not one of each part."
    wrong = "A matrix meets the wrong vector: W goes with the state, V with the encoder outputs, U with the features."
    product = "The parts are added; you multiplied some of them."
    transposed = "A matrix is transposed: W s is state @ W.T, where each row of state is an s; V h and U f likewise."
    slips = [
        ("The features are missing: add U f before the tanh.", (s + h + b).tanh() @ w),
        ("The features run backwards: f_j belongs to frame j.", (s + h + f.flip(1) + b).tanh() @ w),
        ("The features belong inside the tanh: add U f before it.", (s + h + b).tanh() @ w + f.sum(2)),
        ("The features belong inside the tanh: add U f before it.", (s + h + b).tanh() @ w + f @ w),
        ("U is missing: multiply the features by it.", (s + h + features + b).tanh() @ w),
        ("U is missing: add it up with the features as a product.", (s + h + features.sum(2, True) + b).tanh() @ w),
        (f"W s {missing}", (h + f + b).tanh() @ w),
        ("V h is missing: without the encoder outputs nothing is heard.", (s + f + b).tanh() @ w),
        (f"The bias b {missing}", (s + h + f).tanh() @ w),
        ("The bias is added; you took it away.", (s + h + f - b).tanh() @ w),
        ("The tanh is missing. Without it W s and b add the same to all scores, and the softmax forgets them.",
         total @ w),
        ("The tanh comes too late: apply it before the product with w.", (total @ w).tanh()),
        (one, (s.tanh() + h.tanh() + f.tanh() + b.tanh()) @ w),
        (one, ((s + h + b).tanh() + f.tanh()) @ w),
        (one, ((s + h).tanh() + (f + b).tanh()) @ w),
        (squash, total.sigmoid() @ w),
        (squash, total.relu() @ w),
        ("Multiply the hidden layer by w before you add it up.", total.tanh().sum(2)),
        ("Multiply the hidden layer by w before you add it up.", total.tanh().mean(2)),
        ("Add up w times the hidden layer; you took the mean.", scores / 4),
        ("These scores are not scaled: drop the square root of the size.", scores / 2),
        ("A high score means a high weight; yours is the other way round.", -scores),
        (product, (s * h + f + b).tanh() @ w),
        (product, (s + h * f + b).tanh() @ w),
        (product, ((s + h) * f + b).tanh() @ w),
        (product, (s * h * f + b).tanh() @ w),
        (wrong, ((outputs @ W.T) + (state @ V.T).unsqueeze(1) + f + b).tanh() @ w),
        (wrong, (s + outputs @ U.T + features @ V.T + b).tanh() @ w),
        (wrong, ((state @ U.T).unsqueeze(1) + h + features @ W.T + b).tanh() @ w),
        (wrong, (s + h + f + w).tanh() @ b),
        (transposed, ((state @ W).unsqueeze(1) + outputs @ V + features @ U + b).tanh() @ w),
        (transposed, ((state @ W).unsqueeze(1) + h + f + b).tanh() @ w),
        (transposed, (s + outputs @ V + f + b).tanh() @ w),
        (transposed, (s + h + features @ U + b).tanh() @ w),
    ]  # fmt: skip
    right = scores.softmax(1)
    hidden = "Nothing is masked here, yet the weights are NaN: True marks a real frame. Is the mask upside down?"
    expect(not bool(weights.isnan().any()), hidden)
    recognise(
        weights,
        ("All weights are one: the softmax runs over the batch, it should run over the frames, dim=1.",
         torch.ones(1, 6)),
        ("The softmax is missing: these are the scores.", scores),
        ("This is a sigmoid of each score: the frames compete, so take a softmax.", scores.sigmoid()),
        ("This is smoothing, the next exercise: here a softmax turns scores into weights.",
         scores.sigmoid() / scores.sigmoid().sum(1, True)),
        ("These are the logarithms of the weights: softmax, not log_softmax.", right.log()),
        ("Divide the exponentials by their sum: take a softmax.", scores.exp()),
        ("The softmax is there twice.", right.softmax(1)),
        ("This is the best frame alone: a softmax lets all of them in.",
         torch.nn.functional.one_hot(scores.argmax(1), 6).float()),
        *[(hint, wrong_scores) for hint, wrong_scores in slips],
        *[(hint, wrong_scores.softmax(1)) for hint, wrong_scores in slips],
    )  # fmt: skip
    hint = "Expected the softmax over the frames of w · tanh(W s + V h + U f + b)."
    expect_close(weights, right, hint, WEIGHTS)


@scoring.behaviour("tells frames apart that sound alike, by the features")
def _(answer):
    inputs = example(1, 5, (3, 4, 2, 6), full=True)
    inputs["encoder_outputs"] = inputs["encoder_outputs"][:, :1].expand(1, 5, 4).clone()
    weights = weighed(answer, inputs)
    alike = same(weights, weights[:, :1].expand(1, 5))
    expect(not alike, "All frames sound alike here, and yours weigh the same: add U f before the tanh.")
    swapped = location_score(**{**inputs, "features": inputs["features"].flip(1)})
    recognise(weights, ("The features run backwards: f_j belongs to frame j.", swapped))
    expect_close(weights, location_score(**inputs), "Each frame has features of its own, f_j.", WEIGHTS)


@scoring.behaviour("compares each utterance with its own state")
def _(answer):
    inputs = example(4, 4, (4, 4, 4, 4), full=True)  # every broadcast works
    weights = weighed(answer, inputs)
    state, outputs, features, _, W, V, U, b, w = inputs.values()
    s, h, f = state @ W.T, outputs @ V.T, features @ U.T

    def by(hidden):
        return (hidden.tanh() @ w).softmax(1)

    right = (s.unsqueeze(1) + h + f + b).tanh() @ w
    axis = "W s met the wrong axis: give it one for the frames, (batch, 1, attention_size), as unsqueeze(1) does."
    recognise(
        weights,
        (axis, by(s + h + f + b)),
        (axis, by(s.unsqueeze(2) + h + f + b)),
        ("All utterances were compared with the first state.", by(s[0] + h + f + b)),
        ("The states were mixed: each utterance has its own.", by(s.mean(0) + h + f + b)),
        ("All utterances have the encoder outputs of the first.", by(s.unsqueeze(1) + h[0] + f + b)),
        ("All utterances have the features of the first.", by(s.unsqueeze(1) + h + f[0] + b)),
        ("The features met the wrong axes: they are (batch, frames, filters).", by(
            s.unsqueeze(1) + h + features.transpose(1, 2) @ U.T + b)),
        ("The features met the wrong axes: they are (batch, frames, filters).", by(
            s.unsqueeze(1) + h + f.transpose(0, 1) + b)),
        ("The bias met the wrong axis: b belongs to the hidden layer, the last one.", by(
            s.unsqueeze(1) + h + f + b[:, None])),
        ("The softmax runs over the batch: it should run over the frames, dim=1.", right.softmax(0)),
        ("The softmax runs over everything at once: each utterance has its own, dim=1.",
         right.flatten().softmax(0).view(4, 4)),
    )  # fmt: skip
    expect_close(weights, right.softmax(1), "Each utterance has its own state, outputs and features.", WEIGHTS)


@scoring.behaviour("gives padding exactly zero")
def _(answer):
    inputs = example(4, 5, (3, 4, 2, 6))
    mask = inputs["frame_mask"]
    weights = weighed(answer, inputs)
    hidden = (inputs["state"] @ inputs["W"].T).unsqueeze(1) + inputs["encoder_outputs"] @ inputs["V"].T
    scores = (hidden + inputs["features"] @ inputs["U"].T + inputs["b"]).tanh() @ inputs["w"]
    plain = scores.softmax(1)
    upside_down = "The mask is upside down: True marks a real frame, so hide where it is False (~frame_mask)."
    recognise(
        weights,
        ("The mask is not used: padding gets weight.", plain),
        ("The rows do not sum to one: hide the scores before the softmax, not the weights after it.", plain * mask),
        ("A score of 0 is not hidden: padding needs minus infinity before the softmax.", (scores * mask).softmax(1)),
        (upside_down, masked_softmax(scores, ~mask | mask.all(1, keepdim=True))),
        (upside_down, plain * ~mask),
        ("All utterances have the mask of the first one.", masked_softmax(scores, mask[:1])),
        ("Each row has its own mask; you keep only frames that are real in all.",
         masked_softmax(scores, mask.all(0, keepdim=True))),
        ("Hide the padding before the softmax: zero encoder outputs or features still have a score.",
         masked_inside(inputs, mask)),
    )  # fmt: skip
    expect(not bool(weights.isnan().any()), f"Some weights are NaN. {upside_down}")
    small = "Padding gets a little weight: hide it with minus infinity, then its weight is exactly zero."
    expect(bool((weights[~mask] == 0).all()), small)
    expect_close(weights.sum(1), torch.ones(4), "The real weights of each row must sum to one.", "(batch,)")
    expect_close(weights, masked_softmax(scores, mask), "The real frames have the wrong weights.", WEIGHTS)


def masked_inside(inputs: dict[str, Tensor], mask: Tensor) -> Tensor:
    """Weights of an answer that zeroes what padding holds and hides no score."""
    each, everywhere = mask.unsqueeze(2), torch.ones_like(mask)
    zeroed = {name: inputs[name] * each for name in ("encoder_outputs", "features")}
    return location_score(**{**inputs, **zeroed, "frame_mask": everywhere})


@scoring.behaviour("works for other sizes and for scores of any height")
def _(answer):
    for batch, frames, sizes, height in [
        (1, 1, (1, 1, 1, 1), 1),
        (1, 7, (3, 2, 4, 5), 1),
        (3, 6, (2, 5, 1, 3), 1),
        (2, 40, (5, 3, 8, 7), 300),
    ]:
        inputs = example(batch, frames, sizes)
        inputs["w"] = inputs["w"] * height
        weights = weighed(answer, inputs)
        where = f"for {batch} utterance(s) of {frames} frame(s)"
        nan = f"High scores give NaN {where}: exp overflows. torch.softmax shifts the scores first."
        expect(not bool(weights.isnan().any()), nan)
        little = f"Some scores are very low {where}, and your padding beats them or gets some weight: minus infinity."
        expect(bool((weights[~inputs["frame_mask"]] == 0).all()), little)
        expect_close(weights, location_score(**inputs), f"Wrong {where}. Is a size typed in?", WEIGHTS, 1e-3)
    inputs = example(2, 5, (3, 4, 2, 6))
    double = [value if value.dtype == torch.bool else value.double() for value in inputs.values()]
    expect_double_precision(lambda: answer(*double))


@scoring.behaviour("lets a gradient reach the state, the outputs, the features and all parameters")
def _(answer):
    inputs = example(2, 5, (3, 4, 2, 6))
    mask = inputs.pop("frame_mask")

    def masked(function):
        return lambda *given: function(*given[:3], mask.clone(), *given[3:])

    expect_gradients(masked(answer), masked(location_score), **inputs)


@scoring.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, *example(2, 5, (4, 4, 4, 4)).values())


@scoring.own_data
def _(generator):
    inputs = example(3, 6, (4, 5, 2, 3), generator=generator)
    inputs["frame_mask"] = torch.arange(6) < torch.randint(1, 7, (3, 1), generator=generator)
    return tuple(inputs.values())
