"""The exercises of lesson 2, additive attention; those on decoding and on alignments are in `decoding.py`.

Most checks compare a wrong result with what the usual slips give, so that the hint can name the slip.
"""

import torch
from torch import Tensor

from course_utils.mechanisms.attention import masked_softmax
from course_utils.teaching.checks import decoding
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise, same
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor


def additive_score(query: Tensor, encoder_outputs: Tensor, W: Tensor, U: Tensor, v: Tensor) -> Tensor:
    """Score every source position: e_ij = v · tanh(W s + U h_j)."""
    return torch.tanh((query @ W.T).unsqueeze(1) + encoder_outputs @ U.T) @ v


def context(attention_weights: Tensor, values: Tensor) -> Tensor:
    """Average the values of each sentence by its weights."""
    return (attention_weights.unsqueeze(-1) * values).sum(dim=1)


def maxout(features: Tensor) -> Tensor:
    """Keep the larger of each two neighbours."""
    return features.unflatten(-1, (-1, 2)).amax(dim=-1)


scoring = Exercise("02.additive-score", "Score every source position", 2, 10, additive_score)
weighting = Exercise("02.masked-softmax", "Turn scores into weights", 2, 8, masked_softmax)
averaging = Exercise("02.context", "Average the values by their weights", 1, 5, context)
readout = Exercise("02.maxout", "Keep the larger of two neighbours", 1, 5, maxout)
EXERCISES = [scoring, weighting, averaging, readout, *decoding.EXERCISES]


@scoring.behaviour("gives one score per source position")
def _(answer):
    query, encoder_outputs = torch.randn(2, 4), torch.randn(2, 3, 5)
    W, U, v = torch.randn(6, 4), torch.randn(6, 5), torch.randn(6)
    scores = expect_tensor(answer(query, encoder_outputs, W, U, v), (2, 3), "(batch, source_length)")
    hint = "Your scores sum to one: leave the softmax to the next exercise and return the plain scores."
    expect(not same(scores.sum(dim=1), torch.ones(2)), hint)


@scoring.behaviour("computes v · tanh(W s + U h)")
def _(answer):
    # All sizes are equal, so that a swapped or transposed matrix goes unnoticed by the shapes; one sentence,
    # so that only the equation counts.
    query, encoder_outputs = torch.randn(1, 4), torch.randn(1, 3, 4)
    W, U, v = torch.randn(4, 4), torch.randn(4, 4), torch.randn(4)
    s, h = (query @ W.T).unsqueeze(1), encoder_outputs @ U.T
    hidden = (s + h).tanh()
    scores = answer(query.clone(), encoder_outputs.clone(), W.clone(), U.clone(), v.clone())
    recognise(
        scores,
        (
            "The tanh is missing. Without it the query adds the same to every score, and nothing depends on it.",
            (s + h) @ v,
        ),
        ("The tanh comes too late: apply it to W s + U h, before the product with v.", ((s + h) @ v).tanh()),
        ("Apply one tanh to the sum W s + U h, not one to each part.", (s.tanh() + h.tanh()) @ v),
        ("The paper squashes with tanh, not with a sigmoid or a ReLU.", (s + h).sigmoid() @ v),
        ("The paper squashes with tanh, not with a sigmoid or a ReLU.", (s + h).relu() @ v),
        ("W and U are swapped: W goes with s, U with h.", additive_score(query, encoder_outputs, U, W, v)),
        ("Multiply the hidden units by v before you add them up.", hidden.sum(dim=-1)),
        ("Add up v times the hidden units; you took their mean.", (hidden * v).mean(dim=-1)),
        ("Additive scores are not scaled: drop the square root of the size.", hidden @ v / 2),
        ("The query is missing: add W s before the tanh.", h.tanh() @ v),
        ("You multiplied W s by U h; additive attention adds them.", (s * h).tanh() @ v),
        ("This is dot-product attention. Here W s and U h are added, and tanh and v follow.", (s * h).sum(dim=-1)),
        (
            "This is dot-product attention. Here W s and U h are added, and tanh and v follow.",
            (query[:, None] * encoder_outputs).sum(dim=-1),
        ),
    )
    transposed = "W s has the entries Σ W[k, i] s[i], that is query @ W.T; U h likewise. Is a matrix transposed?"
    expect_close(scores, hidden @ v, transposed, "(batch, source_length)")


@scoring.behaviour("compares each sentence's query with its own positions")
def _(answer):
    query, encoder_outputs = torch.randn(3, 2), torch.randn(3, 3, 4)  # batch and source length are equal
    W, U, v = torch.randn(5, 2), torch.randn(5, 4), torch.randn(5)
    scores = answer(query.clone(), encoder_outputs.clone(), W.clone(), U.clone(), v.clone())
    s, h = query @ W.T, encoder_outputs @ U.T
    hint = (
        "W s met the wrong axis: give it a source axis, (batch, 1, attention_size), so that it repeats over positions."
    )
    recognise(
        scores,
        (hint, (s + h).tanh() @ v),
        ("Every sentence was scored with the first sentence's query.", (s[0] + h).tanh() @ v),
        ("Every sentence was scored with the first sentence's encoder outputs.", (s[:, None] + h[0]).tanh() @ v),
        ("Keep the queries apart: you mixed them over the batch.", (s.mean(dim=0) + h).tanh() @ v),
    )
    expect_close(scores, additive_score(query, encoder_outputs, W, U, v), hint, "(batch, source_length)")


@scoring.behaviour("lets a gradient reach all five inputs")
def _(answer):
    sizes = {"query": (2, 4), "encoder_outputs": (2, 3, 5), "W": (6, 4), "U": (6, 5), "v": (6,)}
    expect_gradients(answer, additive_score, **{name: torch.randn(size) for name, size in sizes.items()})


@scoring.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, *[torch.randn(size) for size in [(2, 4), (2, 3, 4), (4, 4), (4, 4), (4,)]])


SCORES = torch.tensor([[0.5, 2.0, -1.0, 3.0], [1.0, 0.0, 5.0, 4.0], [-2.0, 1.0, 0.0, 0.5]])
MASK = torch.tensor([[True, True, True, False], [True, True, False, False], [True, True, True, True]])


@weighting.behaviour("is a softmax over the source positions")
def _(answer):
    weights = answer(SCORES.clone(), torch.ones_like(MASK))
    recognise(
        weights,
        ("The softmax runs over the batch: take the last dimension, the source positions.", SCORES.softmax(dim=0)),
        (
            "The softmax runs over all sentences at once: each row must sum to one.",
            SCORES.flatten().softmax(0).view(3, 4),
        ),
        ("You returned the logarithms of the weights.", SCORES.log_softmax(dim=-1)),
    )
    hint = "Nothing is masked here, yet you hid everything: True marks a real position. The mask is upside down."
    expect(not (isinstance(weights, Tensor) and bool(weights.isnan().all())), hint)
    hint = "With nothing masked the result is the plain softmax of each row."
    expect_close(weights, SCORES.softmax(dim=-1), hint, "(batch, source_length)")


@weighting.behaviour("gives padding exactly zero and shares out one among the real positions")
def _(answer):
    weights, plain = answer(SCORES.clone(), MASK.clone()), SCORES.softmax(dim=-1)
    upside_down = "The mask is upside down: True marks a real position, so hide where it is False (~mask)."
    recognise(
        weights,
        ("The mask is not used: padding gets weight.", plain),
        ("The rows do not sum to one: hide the scores before the softmax, not the weights after it.", plain * MASK),
        (
            "A score of 0 is not hidden, its exponential is 1: padding needs minus infinity.",
            (SCORES * MASK).softmax(-1),
        ),
    )
    weights = expect_tensor(weights, (3, 4), "(batch, source_length)")
    expect(not bool(weights.isnan().any()) and bool((weights[0, :3] > 0).all()), upside_down)
    small = "Padding gets a little weight. Each row needs its own mask, and a negative number is not minus infinity."
    expect(bool((weights[~MASK] == 0).all()), small)
    expect_close(weights.sum(dim=1), torch.ones(3), "The real weights of each row must sum to one.", "(batch,)")
    hint = "The real positions have the wrong weights: take the softmax of their scores alone."
    expect_close(weights, masked_softmax(SCORES, MASK), hint, "(batch, source_length)")


@weighting.behaviour("works for scores of any size")
def _(answer):
    scores = torch.tensor([[-1e5, -1e5, 0.0, 7.0], [1000.0, 998.0, 999.0, 2000.0]])
    mask = torch.tensor([[True, True, False, False], [True, True, True, False]])
    weights = expect_tensor(answer(scores.clone(), mask.clone()), (2, 4), "(batch, source_length)")
    overflow = (
        "Large scores give NaN: exp overflows, or all of it is zero. Let torch.softmax do it, with hidden scores -inf."
    )
    expect(not bool(weights.isnan().any()), overflow)
    hint = "Here the real scores are -100000, and your padding beats them: hide it with minus infinity, float('-inf')."
    expect_close(weights, masked_softmax(scores, mask), hint, "(batch, source_length)")


@weighting.behaviour("lets the gradient reach the scores")
def _(answer):
    expect_gradients(lambda scores: answer(scores, MASK.clone()), lambda s: masked_softmax(s, MASK), scores=SCORES)


@weighting.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, SCORES, MASK)


@averaging.behaviour("adds up the values, each times its weight")
def _(answer):
    weights = torch.tensor([[0.5, 0.25, 0.25], [0.0, 0.1, 0.9]])
    values = torch.tensor([[[4.0, 0.0], [0.0, 8.0], [4.0, 4.0]], [[50.0, 1.0], [10.0, -10.0], [0.0, 20.0]]])
    products = weights.unsqueeze(-1) * values
    result = answer(weights.clone(), values.clone())
    recognise(
        result,
        ("The weights share out one already: add the products, do not divide by the length.", products.mean(dim=1)),
        ("The weights are not used: this is the plain mean of the values.", values.mean(dim=1)),
        ("The weights are not used: this is the plain sum of the values.", values.sum(dim=1)),
        ("You took the value with the largest weight; average all of them.", values[[0, 1], weights.argmax(dim=1)]),
        ("You took the largest product; add the products.", products.amax(dim=1)),
        (
            "The weights come out of a softmax: a second one makes them nearly even.",
            context(weights.softmax(1), values),
        ),
        ("The products are not added up yet: sum over the source axis, dimension 1.", products),
        ("You summed over the sizes of a vector; sum over the source axis, dimension 1.", products.sum(dim=-1)),
        (
            "There is a dimension of size 1 left over: squeeze(1), or sum without keepdim.",
            products.sum(1, keepdim=True),
        ),
    )
    hint = "Multiply each value by its own weight and sum over the source axis, dimension 1."
    expect_close(result, products.sum(dim=1), hint, "(batch, value_size)")


@averaging.behaviour("keeps the sentences apart")
def _(answer):
    weights, values = torch.randn(3, 3).softmax(-1), torch.randn(3, 3, 3)  # equal sizes: every broadcast works
    products = weights.unsqueeze(-1) * values
    result = answer(weights.clone(), values.clone())
    axis = "The weights met the entries of a vector, not the positions: give them a last axis, weights.unsqueeze(-1)."
    recognise(
        result,
        ("All sentences used the values of the first.", weights @ values[0]),
        ("All sentences used the weights of the first.", weights[0] @ values),
        ("The values were mixed over the batch.", weights @ values.mean(dim=0)),
        ("You summed over the batch, dimension 0; sum over the source axis, dimension 1.", products.sum(dim=0)),
        ("You summed over the sizes of a vector; sum over the source axis, dimension 1.", products.sum(dim=2)),
        (axis, (weights.unsqueeze(1) * values).sum(dim=1)),
        (axis, (weights * values).sum(dim=1)),
    )
    hint = "Each sentence must average its own values with its own weights, position by position."
    expect_close(result, context(weights, values), hint, "(batch, value_size)")


@averaging.behaviour("works for a batch of one sentence")
def _(answer):
    weights, values = torch.randn(1, 4).softmax(-1), torch.randn(1, 4, 1)
    result = answer(weights.clone(), values.clone())
    hint = "The batch dimension is gone: squeeze() drops every dimension of size 1, so name the one: squeeze(1)."
    expect(not (isinstance(result, Tensor) and result.dim() < 2), hint)
    expect_close(result, context(weights, values), "Wrong for one sentence alone.", "(batch, value_size)")


@averaging.behaviour("lets a gradient reach weights and values")
def _(answer):
    weights, values = torch.randn(2, 3).softmax(-1), torch.randn(2, 3, 4)
    expect_gradients(answer, context, attention_weights=weights, values=values)


@averaging.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, torch.randn(2, 3).softmax(-1), torch.randn(2, 3, 3))


@readout.behaviour("keeps the larger of each two neighbours")
def _(answer):
    features = torch.tensor([[1.0, 5.0, 2.0, 0.0, 7.0, 6.0], [-3.0, -1.0, -4.0, -9.0, 0.5, -2.0]])
    pairs = features.view(2, 3, 2)
    halves = "You paired entry i with entry i + size, that is two halves; pair neighbours: 0 with 1, 2 with 3."
    result = answer(features.clone())
    recognise(
        result,
        (halves, torch.maximum(*features.chunk(2, dim=-1))),
        ("You kept the smaller of each pair.", pairs.amin(dim=-1)),
        ("You took the mean of each pair; keep the larger.", pairs.mean(dim=-1)),
        ("You added each pair up; keep the larger.", pairs.sum(dim=-1)),
        ("You kept one place of each pair; keep the larger number.", pairs[..., 0]),
        ("You kept one place of each pair; keep the larger number.", pairs[..., 1]),
        ("You took one maximum of the whole vector; take one per pair.", features.amax(dim=-1)),
        ("You took one maximum of the whole vector; take one per pair.", features.amax(dim=-1, keepdim=True)),
        ("You returned the places of the maxima, not the maxima.", pairs.argmax(dim=-1)),
        ("Compare the numbers with their signs: -1 is larger than -3.", pairs.abs().amax(dim=-1)),
        ("The larger of two negative numbers is negative; yours is 0. There is no ReLU here.", pairs.amax(-1).relu()),
        ("You kept the largest entries wherever they stood; keep one of each pair, in order.", features.topk(3).values),
    )
    expect_close(result, maxout(features), "Entry i of the result is the larger of entries 2i and 2i + 1.", "(…, size)")


@readout.behaviour("works on the last dimension of any shape")
def _(answer):
    for shape in [(8,), (2, 8), (3, 2, 4), (2, 1, 3, 2)]:
        features = torch.randn(shape)
        hint = f"Wrong for an input of shape {shape}: pair within the last dimension and leave the others alone."
        expect_close(answer(features.clone()), maxout(features), hint, "(…, size)")


@readout.behaviour("sends the gradient to the larger of each pair")
def _(answer):
    expect_gradients(answer, maxout, features=torch.randn(2, 6))


@readout.behaviour("leaves its input as it was")
def _(answer):
    expect_untouched(answer, torch.randn(2, 6))


@scoring.own_data
def _(generator):
    shapes = (3, 4), (3, 5, 6), (7, 4), (7, 6), (7,)
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


@weighting.own_data
def _(generator):
    lengths = torch.randint(1, 7, (4, 1), generator=generator)
    return 3 * torch.randn(4, 6, generator=generator), torch.arange(6) < lengths


@averaging.own_data
def _(generator):
    weights = torch.softmax(torch.randn(3, 5, generator=generator), dim=1)
    return weights, torch.randn(3, 5, 4, generator=generator)


@readout.own_data
def _(generator):
    return (torch.randn(3, 8, generator=generator),)
