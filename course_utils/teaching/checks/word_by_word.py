"""The exercise of lesson 5 on one step of word-by-word attention; `lesson_05.py` lists it."""

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.mechanisms.attention import masked_softmax
from course_utils.teaching.checks.last_state import CONTEXT, WEIGHTS, averaged, expect_look, expect_shared_out
from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close


def word_by_word_step(
    premise_outputs: Tensor,
    premise_keys: Tensor,
    premise_mask: Tensor,
    hypothesis_output: Tensor,
    found: Tensor,
    W_h: Tensor,
    W_r: Tensor,
    W_t: Tensor,
    w: Tensor,
) -> tuple[Tensor, Tensor]:
    """Look at the premise from one hypothesis word, knowing what earlier words have found.

    M_t = tanh(W_y Y + (W_h h_t + W_r r_{t-1}) ⊗ e),  α_t = softmax(w · M_t),  r_t = Σ_j α_tj y_j + tanh(W_t r_{t-1})

    Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.4, equations 11 to 13.

    Args:
        premise_outputs: `(batch, premise_length, size)`, Y.
        premise_keys: the same shape, W_y Y: it is the same at every step.
        premise_mask: `(batch, premise_length)` booleans, True = real word.
        hypothesis_output: `(batch, size)`, h_t.
        found: `(batch, size)`, r_{t-1}.
        W_h, W_r, W_t: `(size, size)`.
        w: `(size,)`.

    Returns:
        found: `(batch, size)`, r_t.
        attention_weights: `(batch, premise_length)`, exactly zero on padding; each row sums to one.
    """
    query = hypothesis_output @ W_h.T + found @ W_r.T  # (batch, size)
    attention_weights = masked_softmax(torch.tanh(premise_keys + query.unsqueeze(1)) @ w, premise_mask)
    return averaged(attention_weights, premise_outputs) + torch.tanh(found @ W_t.T), attention_weights


stepping = Exercise("05.word-by-word-step", "Look again at every word, and remember", 2, 15, word_by_word_step)
EXERCISES = [stepping]

NAMES = ("premise_outputs", "premise_keys", "premise_mask", "hypothesis_output", "found", "W_h", "W_r", "W_t", "w")


def example(batch: int, length: int, size: int, full: bool = False) -> tuple[Tensor, ...]:
    """Draw the nine inputs, in the order of the parameters."""
    lengths = torch.full((batch, 1), length) if full else 1 + (torch.arange(batch).unsqueeze(1) * 2 + 1) % length
    states = torch.randn(batch, length, size), torch.randn(batch, length, size), torch.arange(length) < lengths
    matrices = [0.6 * torch.randn(size, size) for _ in range(3)]
    return *states, torch.randn(batch, size), torch.randn(batch, size), *matrices, 2 * torch.randn(size)


def stepped(answer: Callable, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Let the answer take a step, and insist on what was found and on the weights."""
    return expect_look(answer(*[tensor.clone() for tensor in inputs]), *inputs[0].shape, name="found")


@stepping.behaviour("asks with the hypothesis word and with what was found before")
def _(answer):
    inputs = example(1, 5, 4, full=True)  # one pair and square matrices, so that only the equation counts
    outputs, keys, _, h, r, W_h, W_r, W_t, w = inputs
    _, weights = stepped(answer, inputs)
    word, memory = (h @ W_h.T).unsqueeze(1), (r @ W_r.T).unsqueeze(1)
    scores = (keys + word + memory).tanh() @ w
    right = scores.softmax(1)
    silent = (
        "changes no weight: it is missing in the query, or outside the one tanh. Add it to the keys before the tanh."
    )
    squash = "The paper squashes with tanh, not with a sigmoid or a ReLU."
    swapped = "The matrices are swapped: W_h goes with the hypothesis word, W_r with what was found."
    one_tanh = "One tanh for the sum W_y Y + W_h h_t + W_r r, not one for each part."
    transposed = "is transposed: W x is x @ W.T, where each row of x is one vector."
    from_scores = [
        (f"What was found {silent}", (keys + word).tanh() @ w),
        (f"The hypothesis word {silent}", (keys + memory).tanh() @ w),
        (
            "All premise words have the same weight: the keys are missing in M.",
            ((word + memory).tanh() @ w).expand_as(scores),
        ),
        (
            "The keys are W_y Y already; you used the outputs Y, or projected once more.",
            (outputs + word + memory).tanh() @ w,
        ),
        (
            "The tanh is missing. Without it the query adds the same to all scores, and the softmax forgets it.",
            (keys + word + memory) @ w,
        ),
        ("The tanh comes too late: apply it before the product with w.", ((keys + word + memory) @ w).tanh()),
        (f"The whole query {silent}", keys.tanh() @ w),
        (one_tanh, (keys + word + memory.tanh()).tanh() @ w),
        (one_tanh, (keys + (word + memory).tanh()).tanh() @ w),
        (squash, (keys + word + memory).sigmoid() @ w),
        (squash, (keys + word + memory).relu() @ w),
        (swapped, (keys + (h @ W_r.T + r @ W_h.T).unsqueeze(1)).tanh() @ w),
        ("W_t is for the update: in the query r_{t-1} goes with W_r.", (keys + word + (r @ W_t.T)[:, None]).tanh() @ w),
        (
            "W_t is for the update: in the query r_{t-1} goes with W_r.",
            (keys + word + (r @ W_t.T).tanh()[:, None]).tanh() @ w,
        ),
        ("W_h is for the hypothesis word: r_{t-1} goes with W_r.", (keys + word + (r @ W_h.T)[:, None]).tanh() @ w),
        ("W_r is for what was found: h_t goes with W_h.", (keys + (h @ W_r.T)[:, None] + memory).tanh() @ w),
        (f"W_h {transposed}", (keys + (h @ W_h).unsqueeze(1) + memory).tanh() @ w),
        (f"W_r {transposed}", (keys + word + (r @ W_r).unsqueeze(1)).tanh() @ w),
        (f"Each of the two matrices {transposed}", (keys + (h @ W_h + r @ W_r).unsqueeze(1)).tanh() @ w),
        ("A matrix is missing: W_r r_{t-1}, not r_{t-1}.", (keys + word + r.unsqueeze(1)).tanh() @ w),
        ("A matrix is missing: W_h h_t, not h_t.", (keys + h.unsqueeze(1) + memory).tanh() @ w),
        ("W_h h_t and W_r r_{t-1} are added, not multiplied.", (keys + word * memory).tanh() @ w),
        ("The query is added to the keys, not multiplied.", (keys * (word + memory)).tanh() @ w),
        ("What was found is added to the query, not subtracted.", (keys + word - memory).tanh() @ w),
        (
            "This is dot-product attention: here keys and query are added; tanh and w follow.",
            (keys * (word + memory)).sum(2),
        ),
        ("Multiply by w before you add up.", (keys + word + memory).tanh().sum(2)),
        ("These scores are not scaled: no division by the size or its root.", scores / 2),
        ("These scores are not scaled: no division by the size or its root.", scores / 4),
        ("A high score means a high weight; yours is the other way round.", -scores),
        ("The softmax is there twice.", right),
    ]
    recognise(
        weights,
        ("The softmax is missing: these are the scores.", scores),
        ("This is a sigmoid of each score: the words compete, so take a softmax.", scores.sigmoid()),
        ("Divide the exponentials by their sum: take a softmax.", scores.exp()),
        ("These are the logarithms of the weights: softmax, not log_softmax.", right.log()),
        ("The softmax runs over the batch: it should run over the premise words, dim=1.", torch.ones(1, 5)),
        *((hint, wrong.softmax(1)) for hint, wrong in from_scores),
    )
    hint = "Expected the softmax over the premise of w · tanh(W_y Y + W_h h_t + W_r r_{t-1})."
    expect_close(weights, right, hint, WEIGHTS)


@stepping.behaviour("remembers: r_t = Σ α y + tanh(W_t r_{t-1})")
def _(answer):
    inputs = example(2, 5, 3)
    outputs, keys, mask, h, r, W_h, W_r, W_t, w = inputs
    found, _ = stepped(answer, inputs)
    right, weights = word_by_word_step(*inputs)
    fresh, kept = averaged(weights, outputs), (r @ W_t.T).tanh()
    averaged_wrong = "Average the premise outputs Y, not"
    inside = "The tanh is for W_t r_{t-1} alone: Σ α y is added outside."
    old = "What is carried on is r_{t-1}, what earlier words found:"
    recognise(
        found,
        ("What earlier words found is forgotten: add tanh(W_t r_{t-1}).", fresh),
        ("What this word found is missing: add Σ α y.", kept),
        ("The tanh is missing: Σ α y + tanh(W_t r_{t-1}).", fresh + r @ W_t.T),
        ("W_t is missing: Σ α y + tanh(W_t r_{t-1}).", fresh + r.tanh()),
        ("W_t and its tanh are missing: Σ α y + tanh(W_t r_{t-1}).", fresh + r),
        (inside, (fresh + r @ W_t.T).tanh()),
        (inside, (fresh + kept).tanh()),
        (inside, fresh.tanh() + kept),
        (inside, ((fresh + r) @ W_t.T).tanh()),
        ("W_t is transposed: W_t r is r @ W_t.T, where each row of r is one vector.", fresh + (r @ W_t).tanh()),
        ("W_r is for the query: the update has W_t.", fresh + (r @ W_r.T).tanh()),
        ("W_h is for the query: the update has W_t.", fresh + (r @ W_h.T).tanh()),
        (f"{old} you took the hypothesis word h_t.", fresh + (h @ W_t.T).tanh()),
        (f"{old} you took what this word found.", fresh + (fresh @ W_t.T).tanh()),
        (f"{old} you squashed what this word found, too.", fresh + ((fresh + r) @ W_t.T).tanh()),
        ("The two parts are added, not multiplied.", fresh * kept),
        ("The two parts are added; you subtracted.", fresh - kept),
        ("The two parts are added; you took their mean.", (fresh + kept) / 2),
        ("The paper squashes with tanh, not with a sigmoid or a ReLU.", fresh + (r @ W_t.T).sigmoid()),
        ("The paper squashes with tanh, not with a sigmoid or a ReLU.", fresh + (r @ W_t.T).relu()),
        (f"{averaged_wrong} their keys W_y Y.", averaged(weights, keys) + kept),
        (f"{averaged_wrong} M.", averaged(weights, (keys + (h @ W_h.T + r @ W_r.T)[:, None]).tanh()) + kept),
        ("The weights sum to one already: add up, no mean.", fresh / 5 + kept),
        ("The weights are not used: this is the plain mean of the premise.", outputs.mean(1) + kept),
        ("The weights are not used: this is the plain sum of the premise.", outputs.sum(1) + kept),
        (
            "The average still holds padding: mask the scores, and average with the masked weights.",
            averaged(((keys + (h @ W_h.T + r @ W_r.T)[:, None]).tanh() @ w).softmax(1), outputs) + kept,
        ),
        ("This is the output of the best word: average over all of them.", outputs[[0, 1], weights.argmax(1)] + kept),
        ("h_t does not enter the sum: it belongs to the query.", right + h),
        ("Nothing moved: this is r_{t-1}.", r),
    )
    expect_close(found, right, "Expected r_t = Σ_j α_j y_j + tanh(W_t r_{t-1}).", CONTEXT)


@stepping.behaviour("gives padding exactly zero and shares out one among the real words")
def _(answer):
    inputs = example(3, 5, 4)
    _, keys, mask, h, r, W_h, W_r, _, w = inputs
    _, weights = stepped(answer, inputs)
    expect_shared_out(weights, mask, (keys + (h @ W_h.T + r @ W_r.T).unsqueeze(1)).tanh() @ w)


@stepping.behaviour("keeps the pairs of a batch apart")
def _(answer):
    inputs = example(4, 4, 4)  # every broadcast works
    outputs, keys, mask, h, r, W_h, W_r, W_t, w = inputs
    found, weights = stepped(answer, inputs)
    right, right_weights = word_by_word_step(*inputs)
    word, memory = h @ W_h.T, r @ W_r.T
    scores = (keys + (word + memory).unsqueeze(1)).tanh() @ w
    hidden, kept = scores.masked_fill(~mask, float("-inf")), (r @ W_t.T).tanh()
    axis = "The query met the wrong axis: make it (batch, 1, size), so that it repeats over the premise words."
    batch_softmax = "The softmax runs over the batch: it should run over the premise words, dim=1."
    met = "The weights met the wrong axis: make them (batch, premise_length, 1), so that each word has its own."
    recognise(
        (found, weights),
        ("The two results are swapped: what was found comes first, then the weights.", (right_weights, right)),
    )
    recognise(
        weights,
        (axis, masked_softmax((keys + word + memory).tanh() @ w, mask)),
        (axis, masked_softmax((keys + word.unsqueeze(1) + memory).tanh() @ w, mask)),
        (axis, masked_softmax((keys + word + memory.unsqueeze(1)).tanh() @ w, mask)),
        (batch_softmax, hidden.softmax(0)),
        (batch_softmax, hidden.softmax(0).nan_to_num()),
        ("The softmax runs over everything at once: each pair has its own.", hidden.flatten().softmax(0).view(4, 4)),
        (
            "All pairs asked with what the first one found.",
            masked_softmax((keys + (word + memory[0])[:, None]).tanh() @ w, mask),
        ),
        (
            "All pairs asked with the word of the first one.",
            masked_softmax((keys + (word[0] + memory)[:, None]).tanh() @ w, mask),
        ),
        ("The mask is transposed: it is (batch, premise_length), as the scores are.", masked_softmax(scores, mask.T)),
    )
    expect(not bool(weights.isnan().any()), f"Some weights are NaN: is the mask upside down? Or: {batch_softmax}")
    recognise(
        found,
        (met, (right_weights * outputs).sum(1) + kept),
        (met, (right_weights.unsqueeze(1) * outputs).sum(1) + kept),
        (met, (right_weights.unsqueeze(1) * outputs).sum(2) + kept),
        (
            "You added up the numbers of each output: add up the words, dimension 1.",
            (right_weights.unsqueeze(2) * outputs).sum(2) + kept,
        ),
        (
            "You added up the batch: add up the words, dimension 1.",
            (right_weights.unsqueeze(2) * outputs).sum(0) + kept,
        ),
        ("You averaged the first premise every time.", right_weights @ outputs[0] + kept),
        ("All pairs carry on what the first one found.", averaged(right_weights, outputs) + kept[:1]),
    )
    expect_close(weights, right_weights, "Each pair has its own weights: the softmax runs over dim=1.", WEIGHTS)
    expect_close(found, right, "Each pair carries on what it has found itself.", CONTEXT)


@stepping.behaviour("works at the first word, for other sizes and for scores of any height")
def _(answer):
    for batch, length, size, height in [(1, 1, 1, 1), (1, 6, 3, 1), (5, 2, 7, 1), (2, 30, 4, 1), (3, 5, 4, 500)]:
        inputs = list(example(batch, length, size))
        inputs[4] = inputs[4] * (batch != 5)  # nothing found yet
        inputs[8] = inputs[8] * height
        found, weights = stepped(answer, tuple(inputs))
        nan = bool(weights.isnan().any() or found.isnan().any())
        expect(
            not nan, "High scores, or r = 0, give NaN: does exp overflow, or is something divided by the length of r?"
        )
        right, right_weights = word_by_word_step(*inputs)
        first = " at the first word, where nothing was found yet" if batch == 5 else ""
        where = f"for {batch} pair(s), premises up to {length} word(s) and size {size}{first}"
        expect(bool((weights[~inputs[2]] == 0).all()), f"Padding gets weight {where}: hide it with minus infinity.")
        expect_close(weights, right_weights, f"The weights are wrong {where}.", WEIGHTS)
        expect_close(found, right, f"What was found is wrong {where}.", CONTEXT)


@stepping.behaviour("keeps the precision of its inputs")
def _(answer):
    double = [tensor if tensor.dtype == torch.bool else tensor.double() for tensor in example(2, 4, 3)]
    for part in (0, 1):
        expect_double_precision(lambda: answer(*double), lambda result, part=part: result[part])


@stepping.behaviour("lets a gradient reach everything, also what was found before")
def _(answer):
    inputs = dict(zip(NAMES, example(2, 4, 3), strict=True))
    mask = inputs.pop("premise_mask")
    for part in (0, 1):
        # The weights do not depend on what is averaged or carried on: there these two are held fixed.
        fixed = {} if part == 0 else {name: inputs[name] for name in ("premise_outputs", "W_t")}
        named = {name: value for name, value in inputs.items() if name not in fixed}

        def by(function, *given, part=part, fixed=fixed, named=named):
            values = {**fixed, **dict(zip(named, given, strict=True)), "premise_mask": mask}
            return function(*[values[name].clone() if name in fixed else values[name] for name in NAMES])[part]

        expect_gradients(
            lambda *given, by=by: by(answer, *given), lambda *given, by=by: by(word_by_word_step, *given), **named
        )


@stepping.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, *example(2, 4, 3))


@stepping.own_data
def _(generator):
    outputs, keys = torch.randn(2, 3, 6, 4, generator=generator)
    mask = torch.arange(6) < torch.randint(1, 7, (3, 1), generator=generator)
    hypothesis_output, found = torch.randn(2, 3, 4, generator=generator)
    W_h, W_r, W_t, w = torch.randn(13, 4, generator=generator).split([4, 4, 4, 1])
    return outputs, keys, mask, hypothesis_output, found, W_h, W_r, W_t, 2 * w[0]
