"""The exercises of lesson 1, the bottleneck.

Most checks compare a wrong result with what the usual slips give, so that the hint can name the slip.
"""

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from course_utils.mechanisms.recurrent import reverse_real_tokens
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise, same
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor

Three = Sequence[Tensor]


def gru_step(inputs: Tensor, state: Tensor, W: Three, U: Three) -> Tensor:
    """Take one step of a GRU without biases; gates in the order reset, update, candidate, as in `nn.GRU`."""
    W_r, W_z, W_n = W
    U_r, U_z, U_n = U
    reset = torch.sigmoid(inputs @ W_r.T + state @ U_r.T)
    update = torch.sigmoid(inputs @ W_z.T + state @ U_z.T)
    candidate = torch.tanh(inputs @ W_n.T + reset * (state @ U_n.T))
    return update * state + (1 - update) * candidate


def last_real_state(outputs: Tensor, mask: Tensor) -> Tensor:
    """Pick each sentence's state after its last real token."""
    lengths = mask.sum(dim=1)
    return outputs[torch.arange(len(outputs)), lengths - 1]


def masked_loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Average the cross-entropy over real tokens, in nats."""
    return nn.functional.cross_entropy(logits[mask], targets[mask])


def clip_gradients(gradients: Sequence[Tensor], maximum_norm: float) -> list[Tensor]:
    """Scale all gradients by one factor where their common norm is too large."""
    norm = torch.sqrt(sum(gradient.square().sum() for gradient in gradients))
    factor = min(1.0, maximum_norm / max(float(norm), 1e-12))
    return [gradient * factor for gradient in gradients]


def exact_by_length(
    lengths: Sequence[int], correct: Sequence[bool], buckets: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], float]:
    """Share of correct sentences in each bucket of lengths that is not empty."""
    shares = {}
    for low, high in buckets:
        inside = [flag for length, flag in zip(lengths, correct, strict=True) if low <= length <= high]
        if inside:
            shares[low, high] = sum(inside) / len(inside)
    return shares


stepping = Exercise("01.gru-step", "Take one step of a GRU", 2, 10, gru_step)
reversing = Exercise("01.reverse-source", "Reverse the words, not the padding", 2, 8, reverse_real_tokens)
picking = Exercise("01.last-real-state", "Pick the state after the last real word", 1, 5, last_real_state)
scoring = Exercise("01.masked-loss", "Average the loss over real words", 2, 8, masked_loss)
clipping = Exercise("01.clip-gradients", "Shorten a gradient that is too long", 2, 8, clip_gradients)
bucketing = Exercise("01.length-buckets", "Share of exact sentences by length", 1, 6, exact_by_length)
EXERCISES = [stepping, picking, scoring, bucketing, reversing, clipping]


# 01.gru-step


def gru_arguments(batch: int, input_size: int, hidden_size: int) -> tuple[Tensor, Tensor, list[Tensor], list[Tensor]]:
    """Draw a random question for `gru_step`, with gates far from one half."""
    inputs, state = torch.randn(batch, input_size), torch.randn(batch, hidden_size)
    W = [torch.randn(hidden_size, input_size) for _ in range(3)]
    return inputs, state, W, [torch.randn(hidden_size, hidden_size) for _ in range(3)]


@stepping.behaviour("returns one new state per sentence")
def _(answer):
    arguments = gru_arguments(3, 5, 4)
    result = expect_tensor(answer(*copy.deepcopy(arguments)), (3, 4), "(batch, hidden_size)")
    expect(not same(result, arguments[1]), "You returned the old state unchanged.")


@stepping.behaviour("follows the three equations")
def _(answer):
    # All sizes are equal, so that a swapped or transposed matrix goes unnoticed by the shapes.
    inputs, state, W, U = gru_arguments(2, 4, 4)
    by_input, by_state = [inputs @ w.T for w in W], [state @ u.T for u in U]
    sums = [a + b for a, b in zip(by_input, by_state, strict=True)]
    reset, update = torch.sigmoid(sums[0]), torch.sigmoid(sums[1])
    candidate = torch.tanh(by_input[2] + reset * by_state[2])
    paper_candidate = torch.tanh(by_input[2] + (reset * state) @ U[2].T)

    def mix(candidate: Tensor, gate: Tensor = update) -> Tensor:
        return gate * state + (1 - gate) * candidate

    swapped = [[matrices[1], matrices[0], matrices[2]] for matrices in (W, U)]
    hint = "Compare your three equations with the ones above, sign by sign."
    result = answer(inputs.clone(), state.clone(), copy.deepcopy(W), copy.deepcopy(U))
    recognise(
        result,
        ("The update gate is upside down: where it is 1 the old state stays.", mix(candidate, 1 - update)),
        (
            "Reset and update are swapped: the matrices come in the order reset, update, candidate.",
            gru_step(inputs, state, *swapped),
        ),
        (
            "The reset gate multiplies the product U_n h, not the state before the product. "
            "(The paper does the latter; PyTorch and this course do the former.)",
            mix(paper_candidate),
        ),
        ("The reset gate is not used: it multiplies U_n h inside the candidate.", mix(sums[2].tanh())),
        (
            "The reset gate multiplies U_n h alone, not the part that comes from the input.",
            mix(torch.tanh(reset * sums[2])),
        ),
        (
            "The gates need a sigmoid, which lies between 0 and 1; you took a tanh.",
            mix(torch.tanh(by_input[2] + sums[0].tanh() * by_state[2]), sums[1].tanh()),
        ),
        (
            "The gates need a sigmoid for each entry by itself; a softmax makes the entries share out one.",
            mix(torch.tanh(by_input[2] + sums[0].softmax(-1) * by_state[2]), sums[1].softmax(-1)),
        ),
        (
            "The candidate needs a tanh, which lies between −1 and 1; you took a sigmoid.",
            mix(torch.sigmoid(by_input[2] + reset * by_state[2])),
        ),
        ("The tanh of the candidate is missing.", mix(by_input[2] + reset * by_state[2])),
        ("You returned the candidate alone: mix it with the old state by the update gate.", candidate),
        ("The old state is lost: add update * state.", (1 - update) * candidate),
        ("The two shares must sum to one: the candidate's is 1 − update.", update * state + candidate),
        (
            "The candidate took the update gate where it needs the reset gate.",
            mix(torch.tanh(by_input[2] + update * by_state[2])),
        ),
        (
            "The gates do not see the state: add state @ U.T to both.",
            mix(torch.tanh(by_input[2] + by_input[0].sigmoid() * by_state[2]), by_input[1].sigmoid()),
        ),
        (
            "The gates do not see the input: add inputs @ W.T to both.",
            mix(torch.tanh(by_input[2] + by_state[0].sigmoid() * by_state[2]), by_state[1].sigmoid()),
        ),
        ("The candidate does not see the input: add inputs @ W_n.T.", mix(torch.tanh(reset * by_state[2]))),
        (
            "A matrix is transposed: it has one row per hidden unit, so W x is inputs @ W.T, and U h likewise.",
            gru_step(inputs, state, [w.T for w in W], [u.T for u in U]),
        ),
        ("The U matrices are transposed: U h is state @ U.T.", gru_step(inputs, state, W, [u.T for u in U])),
        ("The W matrices are transposed: W x is inputs @ W.T.", gru_step(inputs, state, [w.T for w in W], U)),
        ("W and U are swapped: W goes with the input, U with the state.", gru_step(inputs, state, U, W)),
    )
    expect_close(result, gru_step(inputs, state, W, U), hint, "(batch, hidden_size)")


@stepping.behaviour("gives each sentence its own step")
def _(answer):
    inputs, state, W, U = gru_arguments(4, 4, 4)
    result = answer(inputs.clone(), state.clone(), copy.deepcopy(W), copy.deepcopy(U))
    mixed = "Sentences are mixed: nothing here may be summed or averaged over the batch, dimension 0."
    recognise(
        result,
        ("Every sentence was updated with the first one's input.", gru_step(inputs[:1].expand(4, 4), state, W, U)),
        ("Every sentence was updated from the first one's state.", gru_step(inputs, state[:1].expand(4, 4), W, U)),
    )
    expect_close(result, gru_step(inputs, state, W, U), mixed, "(batch, hidden_size)")


@stepping.behaviour("lets a gradient reach input, state and matrices")
def _(answer):
    inputs, state, W, U = gru_arguments(2, 3, 4)
    names = ["inputs", "state", *(f"W_{gate}" for gate in "rzn"), *(f"U_{gate}" for gate in "rzn")]
    expect_gradients(
        lambda x, h, *matrices: answer(x, h, matrices[:3], matrices[3:]),
        lambda x, h, *matrices: gru_step(x, h, matrices[:3], matrices[3:]),
        **dict(zip(names, (inputs, state, *W, *U), strict=True)),
    )


@stepping.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, *gru_arguments(2, 4, 4))


# 01.reverse-source

SOURCE = torch.tensor([[11, 12, 13, 14, 15], [21, 22, 23, 0, 0], [31, 0, 0, 0, 0]])
SOURCE_MASK = SOURCE > 0


@reversing.behaviour("turns a full row round")
def _(answer):
    full = torch.tensor([[4, 5, 6, 7], [8, 9, 4, 4], [6, 6, 9, 5]])
    result = answer(full.clone(), torch.ones_like(full, dtype=torch.bool))
    expect(not isinstance(result, list), "Return a tensor of ids, not a list.")
    recognise(
        result,
        ("Nothing was reversed: the first word must come last.", full),
        ("You turned the batch round, dimension 0; turn the words round, dimension 1.", full.flip(0)),
        ("You turned batch and words round; leave the rows in their order.", full.flip(0, 1)),
        ("You sorted the ids; the words must keep their order, read from the end.", full.sort(1, descending=True)[0]),
        ("Off by one: the last position of a row of n words is n − 1.", full.flip(1).roll(1, 1)),
        ("Off by one: start with the last word, not with the last but one.", full.flip(1).roll(-1, 1)),
    )
    expect_close(result, full.flip(1), "Each row must be read from its last word to its first.", "(batch, length)")


@reversing.behaviour("leaves padding at the right end")
def _(answer):
    result = answer(SOURCE.clone(), SOURCE_MASK.clone())
    padding_first = SOURCE.flip(1)
    expected = reverse_real_tokens(SOURCE, SOURCE_MASK)
    first_length = SOURCE.clone()
    first_length[:, :5] = SOURCE[:, :5].flip(1)
    off = torch.where(SOURCE_MASK, expected.roll(-1, 1), SOURCE)
    recognise(
        result,
        ("The padding was reversed as well and stands in front: reverse only the real words.", padding_first),
        ("Nothing was reversed in the padded rows.", torch.cat([SOURCE[:1].flip(1), SOURCE[1:]])),
        ("Off by one: the last of n real words stands at position n − 1.", off),
    )
    result = expect_tensor(result, (3, 5), "(batch, length), padding included")
    expect(
        bool((result[~SOURCE_MASK] == 0).all()),
        "A real word landed on a padded position, or the padding moved: True in the mask marks a real word.",
    )
    hint = "Each row has a length of its own, mask.sum(dim=1): reverse that many words and leave the rest."
    expect_close(result, expected, hint, "(batch, length)")


@reversing.behaviour("goes by the mask, not by the ids")
def _(answer):
    ids = torch.tensor([[5, 0, 7, 9, 9], [0, 6, 9, 9, 9], [3, 0, 0, 8, 0]])  # 0 is a word here; padding is a 9
    mask = torch.tensor([[True, True, True, False, False], [True, True, False, False, False], [True] * 5])
    result = answer(ids.clone(), mask.clone())
    expected = reverse_real_tokens(ids, mask)
    by_id = reverse_real_tokens(ids, (ids != 0).sum(dim=1, keepdim=True) > torch.arange(5))
    recognise(
        result,
        ("You took the id 0 for padding. The mask alone says what is padding.", by_id),
        ("You filled the padding with zeros: leave in it what stood there.", expected * mask),
    )
    hint = "Ids must not matter: an id of 0 can be a word here and another id can be padding; the mask decides."
    expect_close(result, expected, hint, "(batch, length)")


@reversing.behaviour("gives ids back, and the same ones when applied twice")
def _(answer):
    result = answer(SOURCE.clone(), SOURCE_MASK.clone())
    expect_tensor(result, (3, 5), "(batch, length)")
    expect(
        not result.is_floating_point(),
        "Ids are whole numbers; yours became floating point, and no embedding takes that.",
    )
    twice = answer(result.clone(), SOURCE_MASK.clone())
    expect_close(twice, SOURCE, "Reversing twice must give the sentence back.", "(batch, length)")


@reversing.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, SOURCE, SOURCE_MASK)


# 01.last-real-state

STATE_MASK = torch.tensor([[True, True, True, True], [True, True, False, False], [True, False, False, False]])


def numbered_states(batch: int = 3, length: int = 4, size: int = 2) -> Tensor:
    """Make outputs whose every entry tells sentence, position and unit: 100 · sentence + 10 · position + unit."""
    sentence, position, unit = torch.meshgrid(*(torch.arange(float(n)) for n in (batch, length, size)), indexing="ij")
    return 100 * (sentence + 1) + 10 * position + unit


@picking.behaviour("takes the last state of a full sentence")
def _(answer):
    outputs = numbered_states()
    result = answer(outputs.clone(), torch.ones(3, 4, dtype=torch.bool))
    recognise(
        result,
        ("You took the last sentence of the batch; take the last position of each sentence.", outputs[-1]),
        ("You took the first state, which has read one word.", outputs[:, 0]),
        ("Off by one: the last of n positions is n − 1.", outputs[:, -2]),
        ("You averaged the states; take the last one.", outputs.mean(dim=1)),
        ("You added the states up; take the last one.", outputs.sum(dim=1)),
        ("The result has a leftover dimension of size 1.", outputs[:, -1:]),
    )
    expect_close(result, outputs[:, -1], "Without padding this is outputs[:, -1].", "(batch, size)")


@picking.behaviour("takes the state before the padding begins")
def _(answer):
    outputs = numbered_states()
    result = answer(outputs.clone(), STATE_MASK.clone())
    lengths = STATE_MASK.sum(dim=1)
    rows = torch.arange(3)
    recognise(
        result,
        ("This is the state at the end of the row, after the padding.", outputs[:, -1]),
        ("All sentences got the position of the longest.", outputs[:, lengths.max() - 1]),
        ("All sentences got the position of the shortest.", outputs[:, lengths.min() - 1]),
        ("Off by one: after n real words the state stands at position n − 1.", outputs[rows, lengths.clamp(max=3)]),
        ("Off by one: you took the last state but one.", outputs[rows, lengths - 2]),
        ("You counted the padding: True in the mask marks a real word.", outputs[rows, (~STATE_MASK).sum(dim=1) - 1]),
        ("You took the first state of each sentence.", outputs[:, 0]),
        (
            "You averaged over the real states; take the last one.",
            torch.stack([row[real].mean(dim=0) for row, real in zip(outputs, STATE_MASK, strict=True)]),
        ),
        ("You took the largest entries of all positions; take one position.", outputs.amax(dim=1)),
    )
    hint = "Sentence i needs outputs[i, lengths[i] − 1], where lengths counts the True entries of its mask."
    expect(
        not (isinstance(result, Tensor) and result.dim() == 3),
        "outputs[:, positions] takes all positions of every sentence: index the sentences too, by torch.arange(batch).",
    )
    expect_close(result, outputs[rows, lengths - 1], hint, "(batch, size)")


@picking.behaviour("does not look at what stands in the padding")
def _(answer):
    outputs = torch.randn(3, 4, 4) - 3  # negative, so that a maximum with zero is noticed
    outputs[0, 3] = 0.0  # a real state that is zero
    loud = outputs.masked_fill(~STATE_MASK[..., None], 1e4)
    hint = "Padding changed your result, or a state of zeros was taken for padding: go by the mask alone."
    expect_close(answer(loud.clone(), STATE_MASK.clone()), last_real_state(outputs, STATE_MASK), hint, "(batch, size)")


@picking.behaviour("works for one sentence and for states of one number")
def _(answer):
    for batch, length, size in ((1, 5, 3), (2, 1, 4), (3, 3, 1), (1, 1, 1)):
        outputs = torch.randn(batch, length, size)
        mask = torch.arange(length) < torch.arange(length, length - batch, -1).clamp(min=1)[:, None]
        hint = f"Wrong for outputs of shape {(batch, length, size)}: beware of squeeze() and of fixed sizes."
        expect(getattr(answer(outputs.clone(), mask.clone()), "shape", None) == (batch, size), hint)
        expect_close(answer(outputs.clone(), mask.clone()), last_real_state(outputs, mask), hint, "(batch, size)")


@picking.behaviour("lets the gradient reach the states, and leaves its inputs as they were")
def _(answer):
    outputs = torch.randn(3, 4, 2)
    expect_untouched(answer, outputs, STATE_MASK)
    expect_gradients(lambda o: answer(o, STATE_MASK.clone()), lambda o: last_real_state(o, STATE_MASK), outputs=outputs)


# 01.masked-loss

LOSS_MASK = torch.tensor([[True, True, True, True], [True, False, False, False], [True, True, False, False]])


def loss_arguments() -> tuple[Tensor, Tensor, Tensor]:
    """Draw a random question for `masked_loss`: three sentences of 4, 1 and 2 words, five words in the vocabulary."""
    return 2 * torch.randn(3, 4, 5), torch.randint(0, 5, (3, 4)), LOSS_MASK


def as_number(result: object) -> Tensor:
    """Insist on a tensor with one number."""
    expect(
        not isinstance(result, float | int),
        "Return a torch tensor: a plain number carries no gradient (no .item(), no float(...)).",
    )
    return expect_tensor(result, (), "one number for the whole batch")


@scoring.behaviour("knows what a model costs that guesses evenly")
def _(answer):
    size = 8
    mask = torch.ones(2, 3, dtype=torch.bool)
    result = as_number(answer(torch.zeros(2, 3, size), torch.zeros_like(mask, dtype=torch.long), mask))
    even = math.log(size)
    recognise(
        result,
        ("The minus sign is missing: a loss is minus the log-probability of the right word.", torch.tensor(-even)),
        ("Count in nats, with the natural logarithm; yours counts in bits.", torch.tensor(math.log2(size))),
        ("The logarithm is missing: you averaged the probabilities themselves.", torch.tensor(1 / size)),
        ("The logarithm is missing: the loss is −log p, not 1 − p or −p.", torch.tensor(-1 / size)),
        ("The softmax is missing: a logit is no log-probability; take log_softmax.", torch.tensor(0.0)),
        ("Take the mean over the tokens, not their sum.", torch.tensor(6 * even)),
        ("The softmax runs over the wrong axis: take the last, the vocabulary.", torch.tensor(math.log(3))),
        ("The softmax runs over the batch: take the last axis, the vocabulary.", torch.tensor(math.log(2))),
    )
    hint = "With equal logits for 8 words each token costs log 8 nats, about 2.08."
    expect_close(result, torch.tensor(even), hint, "one number")


@scoring.behaviour("averages over real tokens")
def _(answer):
    logits, targets, mask = loss_arguments()
    result = as_number(answer(logits.clone(), targets.clone(), mask.clone()))
    tokens = -logits.log_softmax(dim=-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)  # (batch, length)
    kept, right = tokens * mask, (-tokens).exp()[mask]  # losses of real tokens, probabilities of their right words
    silenced = (logits * mask[..., None]).log_softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    recognise(
        result,
        ("Padding is counted: nothing of your result depends on the mask.", tokens.mean()),
        ("Padded tokens are left out of the sum but not of the count: divide by mask.sum().", kept.mean()),
        ("You divided by the number of sentences; divide by the number of real tokens.", kept.sum() / 3),
        (
            "This is the mean of the sentences' means: a word of a short sentence counts more there. "
            "Add up all tokens first, then divide once.",
            (kept.sum(1) / mask.sum(1)).mean(),
        ),
        ("This is the sum over the real tokens; divide by their number.", kept.sum()),
        ("You averaged over the padding: True in the mask marks a real token.", tokens[~mask].mean()),
        ("Average the logarithms: you took the logarithm of the average probability.", -right.mean().log()),
        (
            "The logarithm of the softmax is missing: you averaged the logits of the right words.",
            -logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)[mask].mean(),
        ),
        (
            "Setting the padding's logits to zero does not silence it: it then costs log(vocabulary). "
            "Leave its loss out.",
            -silenced.mean(),
        ),
        ("The minus sign is missing.", -tokens[mask].mean()),
        ("The logarithm is missing: you averaged the probabilities.", right.mean()),
        (
            "The largest logit is not the right word's: pick the one at targets.",
            -logits.log_softmax(-1).amax(-1)[mask].mean(),
        ),
        ("Count in nats, with the natural logarithm; yours counts in bits.", tokens[mask].mean() / math.log(2)),
    )
    hint = "Add up −log p of the right words where the mask is True, and divide by the number of these tokens."
    expect_close(result, tokens[mask].mean(), hint, "one number")


@scoring.behaviour("goes by the mask, not by the ids")
def _(answer):
    logits, targets, mask = loss_arguments()
    targets = torch.tensor([[0, 1, 0, 2], [3, 4, 0, 1], [0, 0, 4, 4]])  # 0 is a word here like any other
    expected = masked_loss(logits, targets, mask)
    hint = "You took the id 0 for padding (ignore_index=0?). Here 0 can be a word; the mask alone says what is padding."
    expect_close(as_number(answer(logits.clone(), targets.clone(), mask.clone())), expected, hint, "one number")


@scoring.behaviour("survives large logits")
def _(answer):
    logits = torch.tensor([[[300.0, -300.0, 0.0], [0.0, 200.0, 100.0]]])
    result = answer(logits.clone(), torch.tensor([[1, 2]]), torch.ones(1, 2, dtype=torch.bool))
    hint = "Large logits overflow or give log 0: let log_softmax or cross_entropy do softmax and logarithm together."
    result = as_number(result)
    expect(bool(result.isfinite()), hint)
    expect_close(result, torch.tensor(350.0), hint, "one number", tolerance=1e-2)


@scoring.behaviour("sends a gradient to the logits of real tokens, and leaves its inputs as they were")
def _(answer):
    logits, targets, mask = loss_arguments()
    expect_untouched(answer, logits, targets, mask)
    expect_gradients(
        lambda x: answer(x, targets.clone(), mask.clone()), lambda x: masked_loss(x, targets, mask), logits=logits
    )


# 01.clip-gradients


def clipped(answer: Callable, gradients: list[Tensor], maximum_norm: float) -> list[Tensor]:
    """Run a clipping function and insist on as many tensors of the same shapes."""
    result = answer([gradient.clone() for gradient in gradients], maximum_norm)
    expect(result is not None, "Your function returned None. Return the list of scaled gradients.")
    expect(
        isinstance(result, list | tuple) and len(result) == len(gradients),
        f"Return a list with one tensor per gradient, {len(gradients)} here.",
    )
    for place, (scaled, gradient) in enumerate(zip(result, gradients, strict=True)):
        expect_tensor(scaled, tuple(gradient.shape), f"that of gradient {place}")
        hint = "The result is not finite: gradients of zeros have norm 0, and nothing divides by 0."
        expect(bool(scaled.isfinite().all()), hint)
    return list(result)


def long_gradients() -> list[Tensor]:
    """Three tensors of norms 3, 12 and 4; together 13."""
    return [torch.tensor([-3.0]), torch.tensor([[8.0, -8.0], [0.0, 4.0]]), torch.tensor([0.0, 4.0])]


@clipping.behaviour("brings a long gradient to the largest allowed norm")
def _(answer):
    gradients = long_gradients()
    result = clipped(answer, gradients, 2.6)

    def over(norm: float) -> list[Tensor]:
        return [gradient * 2.6 / norm for gradient in gradients]

    recognise(
        result,
        ("Nothing was scaled, although the norm of all gradients together is above the limit.", gradients),
        (
            "You clipped each tensor by its own norm, which bends the direction: take one norm over all, one factor.",
            [gradient * min(1.0, 2.6 / float(gradient.norm())) for gradient in gradients],
        ),
        (
            "You cut single entries. That bends the direction: multiply all of them by one factor.",
            [gradient.clamp(-2.6, 2.6) for gradient in gradients],
        ),
        ("You added up the norms of the tensors; add up their squares instead.", over(3 + 12 + 4)),
        ("The square root is missing: the norm is the root of the sum of squares.", over(169)),
        ("You added up the absolute values; the norm is the root of the sum of squares.", over(27)),
        ("You took the largest entry for the norm; the norm is the root of the sum of squares.", over(8)),
        ("The result has norm 1: multiply by maximum_norm too.", over(13 * 2.6)),
        ("You multiplied by the norm where you should divide.", [gradient * 13 / 2.6 for gradient in gradients]),
        ("You divided by the norm of the first tensor alone.", over(3)),
        ("You divided by the norm of the last tensor alone.", over(4)),
        ("You took the largest norm of a single tensor; all entries of all tensors belong to one norm.", over(12)),
        ("You averaged the squares; the norm adds them up, a sum, no mean.", over((169 / 7) ** 0.5)),
    )
    hint = "All entries of all tensors make one norm (here 13); multiply everything by maximum_norm / norm."
    expect(same(result, over(13)), hint)


@clipping.behaviour("leaves a short gradient alone")
def _(answer):
    for scale, limit in ((1.0, 13.0), (0.5, 13.0), (1e-3, 1.0)):
        gradients = [gradient * scale for gradient in long_gradients()]
        result = clipped(answer, gradients, limit)
        hint = (
            "You lengthened a short gradient: clip only if the norm is above maximum_norm "
            f"(here it is {13 * scale:g}, and the limit is {limit:g})."
        )
        longer = float(torch.cat([r.flatten() for r in result]).norm()) > 13 * scale * 1.001
        expect(not longer, hint)
        expect(same(result, gradients), "A gradient that is short enough must come back unchanged.")


@clipping.behaviour("keeps the direction, for any number of tensors")
def _(answer):
    for shapes in (((5,),), ((2, 3), (4,), (2, 2, 2)), ((1,), (1,), (1,), (1,))):
        gradients = [3 * torch.randn(shape) for shape in shapes]
        result = clipped(answer, gradients, 0.25)
        flat, expected = torch.cat([r.flatten() for r in result]), torch.cat([g.flatten() for g in gradients])
        straight = abs(float(nn.functional.cosine_similarity(flat, expected, dim=0)) - 1) < 1e-4
        expect(straight, "The direction has changed: multiply every tensor by the same positive factor.")
        expect(abs(float(flat.norm()) - 0.25) < 1e-4, "The norm of the result must be the limit; here it is not.")


@clipping.behaviour("gives zeros back as zeros")
def _(answer):
    gradients = [torch.zeros(2, 2), torch.zeros(3)]
    expect(same(clipped(answer, gradients, 1.0), gradients), "Gradients of zeros must come back as zeros.")


@clipping.behaviour("returns new tensors and leaves its inputs as they were")
def _(answer):
    for limit in (0.5, 100.0):
        gradients = [torch.ones(2, 2), torch.ones(3)]
        expect_untouched(answer, gradients, limit)
        result = answer(gradients, limit)
        shared = {g.data_ptr() for g in gradients} & {r.data_ptr() for r in result}
        hint = "The result shares memory with the input: return new tensors also below the limit (gradient.clone())."
        expect(not shared, hint)


# 01.length-buckets

BUCKETS = [(2, 8), (9, 16), (17, 24)]


def shares(answer: Callable, lengths: list[int], correct: list[bool], buckets: list) -> dict:
    """Run a bucketing function and insist on a dictionary with the buckets as keys."""
    result = answer(list(lengths), list(correct), list(buckets))
    expect(isinstance(result, dict), f"Return a dictionary {{(low, high): share}}; yours is a {type(result).__name__}.")
    strange = [key for key in result if key not in buckets]
    expect(not strange, f"The keys are the buckets as they were given, (low, high); yours has {strange[:2]}.")
    return {key: float(value) for key, value in result.items()}


def expect_shares(result: dict, expected: dict, hint: str) -> None:
    """Insist on the right keys and, within rounding, the right shares."""
    right = result.keys() == expected.keys() and all(abs(result[key] - value) < 1e-6 for key, value in expected.items())
    expect(right, f"{hint} Expected {expected}, got {result}.")


@bucketing.behaviour("counts the exact ones among those of a bucket")
def _(answer):
    lengths = [3, 20, 12, 5, 21, 10, 7, 22, 14, 4, 18]
    correct = [True, False, True, True, False, False, False, True, False, True, False]
    inside = {
        (low, high): [flag for length, flag in zip(lengths, correct, strict=True) if low <= length <= high]
        for low, high in BUCKETS
    }
    expected = {b: sum(f) / len(f) for b, f in inside.items()}
    result = shares(answer, lengths, correct, BUCKETS)
    running, seen, cumulative = 0, 0, {}
    for bucket, flags in inside.items():
        running, seen = running + sum(flags), seen + len(flags)
        cumulative[bucket] = running / seen
    recognise(
        result,
        ("Divide by the number of sentences in the bucket.", {b: float(sum(f)) for b, f in inside.items()}),
        (
            "You divided by the number of all sentences; divide by those in the bucket.",
            {b: sum(f) / len(lengths) for b, f in inside.items()},
        ),
        (
            "You divided by the number of all exact sentences; divide by the sentences in the bucket.",
            {b: sum(f) / sum(correct) for b, f in inside.items()},
        ),
        (
            "This is the share of wrong sentences; count where correct is True.",
            {b: 1 - share for b, share in expected.items()},
        ),
        ("These are percentages; return shares between 0 and 1.", {b: 100 * share for b, share in expected.items()}),
        (
            "Whole-number division cuts the fraction off: use / and not //.",
            {b: float(sum(f) // len(f)) for b, f in inside.items()},
        ),
        ("Start the counts afresh for each bucket: yours run on from one to the next.", cumulative),
        (
            "A bucket keeps only its last sentence in your code: collect all of them.",
            {b: float(f[-1]) for b, f in inside.items()},
        ),
        (
            "These are the shares of sentences in each bucket; look at correct too.",
            {b: len(f) / len(lengths) for b, f in inside.items()},
        ),
    )
    expect_shares(result, expected, "Count the exact ones and divide by all in the bucket.")


@bucketing.behaviour("counts both ends of a bucket in")
def _(answer):
    lengths, correct = [2, 5, 8, 9, 12, 16, 17], [True, False, False, True, False, False, True]
    result = shares(answer, lengths, correct, BUCKETS[:2])
    recognise(
        result,
        (
            "The upper end belongs to the bucket too: low <= length <= high (range(low, high) stops before high).",
            {
                (2, 8): 1 / 2,
                (9, 16): 1 / 2,
            },
        ),
        ("The lower end belongs to the bucket too: low <= length <= high.", {(2, 8): 0.0, (9, 16): 0.0}),
        ("A length beyond the last bucket belongs to none; you counted it.", {(2, 8): 1 / 3, (9, 16): 1 / 2}),
    )
    hint = "Both ends belong to a bucket: low <= length <= high."
    expect_shares(result, {(2, 8): 1 / 3, (9, 16): 1 / 3}, hint)


@bucketing.behaviour("leaves out a bucket without sentences")
def _(answer):
    try:
        result = shares(answer, [3, 4, 20], [False, False, True], BUCKETS)
    except ZeroDivisionError:
        result = None
    expect(result is not None, "An empty bucket makes you divide by zero: leave it out of the dictionary.")
    empty = result.get((9, 16))
    hint = "An empty bucket says nothing, and 0 would look like a failure of the model: leave it out of the dictionary."
    expect(empty is None or math.isnan(empty), hint)
    expect(empty is None, "Leave an empty bucket out of the dictionary altogether; yours holds NaN for it.")
    hint = "A bucket where all are wrong is not empty: its share is 0."
    expect_shares(result, {(2, 8): 0.0, (17, 24): 1.0}, hint)


@bucketing.behaviour("takes lengths in any order, and buckets that overlap")
def _(answer):
    lengths, correct = [30, 2, 17, 8, 2, 40], [True, True, False, True, False, False]
    result = shares(answer, lengths, correct, [(17, 60), (2, 60), (2, 8), (8, 8)])
    expected = {(17, 60): 1 / 3, (2, 60): 1 / 2, (2, 8): 2 / 3, (8, 8): 1.0}
    hint = "A sentence counts in every bucket that its length lies in; do not sort, and do not stop at the first."
    expect_shares(result, expected, hint)


@bucketing.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, [9, 3, 12, 4], [True, False, True, True], [(2, 8), (9, 16)])


def own_mask(generator: torch.Generator, batch: int, length: int) -> Tensor:
    """Make right-padded rows of random lengths, `(batch, length)`, True = real word."""
    lengths = torch.randint(1, length + 1, (batch, 1), generator=generator)
    return torch.arange(length) < lengths


@stepping.own_data
def _(generator):
    shapes = [(3, 5), (3, 4), *[(4, 5)] * 3, *[(4, 4)] * 3]
    inputs, state, *matrices = [torch.randn(shape, generator=generator) for shape in shapes]
    return inputs, state, matrices[:3], matrices[3:]


@reversing.own_data
def _(generator):
    return torch.randint(4, 90, (4, 7), generator=generator), own_mask(generator, 4, 7)


@picking.own_data
def _(generator):
    return torch.randn(4, 6, 3, generator=generator), own_mask(generator, 4, 6)


@scoring.own_data
def _(generator):
    logits = torch.randn(4, 6, 9, generator=generator)
    return logits, torch.randint(0, 9, (4, 6), generator=generator), own_mask(generator, 4, 6)


@clipping.own_data
def _(generator):
    gradients = [torch.randn(shape, generator=generator) for shape in ((3, 2), (5,), (1, 4))]
    return gradients, float(0.5 + 6 * torch.rand((), generator=generator))


@bucketing.own_data
def _(generator):
    lengths = torch.randint(1, 40, (30,), generator=generator).tolist()
    correct = (torch.rand(30, generator=generator) < 0.6).tolist()
    return lengths, correct, [(2, 8), (9, 16), (17, 38), (50, 60)]
