"""The exercise of lesson 4 on hard attention, a look at one cell drawn by chance; `lesson_04.py` lists it."""

import math

import torch
from torch import Tensor

from course_utils.teaching.checks.slips import expect_untouched, recognise, same
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor


def sample_cell(attention_weights: Tensor, annotations: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw one cell per picture and return its annotation and the log-probability of the draw.

    Source: Xu et al. 2015, arXiv 1502.03044, section 4.1, equations 8 and 9.

    Args:
        attention_weights: `(batch, cells)`; each row sums to one.
        annotations: `(batch, cells, size)`.
        generator: where the chance comes from.

    Returns:
        context: `(batch, size)`; no gradient leads from it to the weights.
        log_probability: `(batch,)` in nats, with a gradient for the weights.
    """
    cell = torch.multinomial(attention_weights, 1, generator=generator)  # (batch, 1)
    context = annotations.take_along_dim(cell.unsqueeze(2), dim=1).squeeze(1)
    return context, attention_weights.gather(1, cell).log().squeeze(1)


drawing = Exercise("04.hard-sample", "Look at one cell, drawn by chance", 2, 15, sample_cell)
EXERCISES = [drawing]

CONTEXT, LOG_PROBABILITY = "(batch, size)", "(batch,)"


def seeded(seed: int = 0) -> torch.Generator:
    """Make a generator."""
    return torch.Generator().manual_seed(seed)


def draw(answer, weights: Tensor, annotations: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Let the answer draw, and insist on two tensors of the right shapes."""
    (batch, cells), size = weights.shape, annotations.shape[-1]
    result = answer(weights, annotations, generator)
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "Return two tensors, context and log_probability: `return context, log_probability`.")
    context, log_probability = result
    expect(isinstance(context, Tensor), f"The context is a {type(context).__name__}; return a torch tensor.")
    shape = tuple(context.shape)
    if shape != (batch, size):
        turned = shape == (batch,) and tuple(getattr(log_probability, "shape", ())) == (batch, size)
        expect(not turned, "The two results are swapped: the context comes first, then the log-probability.")
        expect(context.is_floating_point(), "You returned the number of the cell: look its annotation up.")
        left = shape == (batch, 1, size)
        expect(not left, "The context has an axis of size 1 left over: squeeze it away.")
        whole = shape in {(batch, batch, size), (1, batch, size)}
        expect(not whole, "annotations[:, cell] takes every cell from every picture: pair them, [arange(batch), cell].")
    expect_tensor(context, (batch, size), CONTEXT)
    if isinstance(log_probability, Tensor) and tuple(log_probability.shape) != (batch,):
        left = tuple(log_probability.shape) == (batch, 1)
        expect(not left, "The log-probability has an axis of size 1 left over: squeeze it away.")
        every = tuple(log_probability.shape) == (batch, cells)
        expect(not every, "These are the logarithms of all weights: return that of the cell drawn.")
        one = log_probability.dim() == 0
        expect(not one, "Return one log-probability for each picture: no sum and no mean over the batch.")
    return context, expect_tensor(log_probability, (batch,), LOG_PROBABILITY)


def cells_of(context: Tensor, annotations: Tensor) -> Tensor | None:
    """Find out which cell of its picture each context is: `(batch,)`, or None if one of them is no cell at all."""
    match = torch.isclose(annotations, context.unsqueeze(1), atol=1e-6).all(dim=2)
    return match.float().argmax(dim=1) if bool(match.any(dim=1).all()) else None


def expect_cells(context: Tensor, annotations: Tensor, hint: str) -> Tensor:
    """Insist that each context is a cell of its own picture; returns which one."""
    cells = cells_of(context, annotations)
    expect(cells is not None, hint)
    return cells


@drawing.behaviour("returns the annotation of one cell of the same picture")
def _(answer):
    for batch, cells, size in [(6, 5, 3), (4, 4, 4)]:
        weights, annotations = torch.randn(batch, cells).softmax(1), torch.randn(batch, cells, size)
        context, _ = draw(answer, weights.clone(), annotations.clone(), seeded())
        every = annotations.flatten(0, 1)
        near = torch.isclose(every, context.unsqueeze(1), atol=1e-6).all(dim=2)  # (batch, batch * cells)
        scaled = annotations * weights.unsqueeze(2)
        recognise(
            context,
            (
                "This is soft attention, the average of all cells: draw one of them.",
                torch.einsum("bc,bcs->bs", weights, annotations),
            ),
        )
        times = "The annotation is multiplied by its weight: hard attention hands it on as it is."
        expect(cells_of(context, scaled) is None, times)
        own = cells_of(context, annotations) is not None
        other = (
            "This is a cell of another picture: each picture looks at one of its own, annotations[arange(batch), cell]."
        )
        expect(own or not bool(near.any(dim=1).all()), other)
        expect(own, "This is no cell of the picture: return annotations[b, cell[b]] for each picture b.")


@drawing.behaviour("draws each cell as often as its weight says")
def _(answer):
    share = torch.tensor([0.45, 0.0, 0.3, 0.05, 0.2])
    batch = 3000
    weights = share.repeat(batch, 1)
    weights[1::2] = share.flip(0)  # every other picture prefers other cells
    annotations = torch.randn(batch, 5, 2)
    context, _ = draw(answer, weights.clone(), annotations.clone(), seeded(3))
    cells = expect_cells(context, annotations, "This is no cell of the picture: return annotations[b, cell[b]].")
    expect(
        not torch.equal(cells, weights.argmax(1)),
        "This is always the most probable cell: draw by chance, for example with torch.multinomial.",
    )
    once = "All pictures got the same draw: each picture draws for itself."
    expect(int(cells[::2].unique().numel()) > 1 and int(cells[1::2].unique().numel()) > 1, once)
    often = torch.bincount(cells[::2], minlength=5) / (batch // 2)
    second = torch.bincount(cells[1::2], minlength=5) / (batch // 2)
    first = "All pictures were drawn from the weights of the first: each picture has its own."
    expect(not _near(second, share), first)
    slips = [
        ("Every cell comes equally often: draw by the weights.", torch.full((5,), 0.2)),
        ("The weights are probabilities already: no second softmax (and no logits=weights).", share.softmax(0)),
        ("You drew by the squared weights.", share.square() / share.square().sum()),
        ("You drew the cells that are not probable: by 1 − weight.", (1 - share) / 4),
    ]
    for hint, expected in slips:
        expect(not _near(often, expected), hint)
    seen = ", ".join(f"{value:.2f}" for value in often.tolist())
    wanted = ", ".join(f"{value:.2f}" for value in share.tolist())
    hint = f"Of 1500 draws with the weights ({wanted}) your cells have the shares ({seen})."
    expect(_near(often, share) and _near(second, share.flip(0)), hint)


def _near(often: Tensor, expected: Tensor) -> bool:
    """Say whether shares of 1500 draws agree within what chance allows (more than three standard deviations)."""
    return bool((often - expected).abs().max() < 0.045)


@drawing.behaviour("draws anew for each picture and each call, with the generator alone")
def _(answer):
    weights, annotations = torch.full((64, 4), 0.25), torch.randn(64, 4, 3)

    def drawn(generator):
        context, _ = draw(answer, weights.clone(), annotations.clone(), generator)
        return expect_cells(context, annotations, "This is no cell of the picture: return annotations[b, cell[b]].")

    generator = seeded(1)
    before = generator.get_state()
    torch.manual_seed(5)
    first = drawn(generator)
    moved = not torch.equal(generator.get_state(), before)
    second = drawn(generator)
    expect(int(first.unique().numel()) > 1, "All pictures got the same draw: each picture draws for itself.")
    torch.manual_seed(6)
    again = drawn(seeded(1))
    unused = "The generator is not used: pass generator=generator to what draws, so that a run can be repeated."
    expect(torch.equal(first, again), unused)
    fixed = "Every call draws the same cells: do not seed the generator, and do not make one of your own."
    expect(not torch.equal(first, second), fixed)
    expect(moved, unused)


@drawing.behaviour("tells the log-probability of the very cell it drew")
def _(answer):
    weights, annotations = (torch.randn(12, 5) * 1.5).softmax(1), torch.randn(12, 5, 3)
    context, log_probability = draw(answer, weights.clone(), annotations.clone(), seeded(2))
    cells = expect_cells(context, annotations, "This is no cell of the picture: return annotations[b, cell[b]].")
    chosen = weights[torch.arange(12), cells]
    right = chosen.log()
    wrong = "This is the logarithm of another cell's weight: take the weight of the cell drawn."
    recognise(
        log_probability,
        ("This is the probability: return its logarithm.", chosen),
        ("The sign is turned: a log-probability is below zero.", -right),
        ("Use the natural logarithm, torch.log.", right / math.log(2)),
        ("Use the natural logarithm, torch.log.", right / math.log(10)),
        ("This is the logarithm of the largest weight: take the weight of the cell drawn.", weights.amax(1).log()),
        (
            "The weights are probabilities already: no second softmax before the logarithm.",
            weights.log_softmax(1)[torch.arange(12), cells],
        ),
        ("Each picture has its own weights: you took the first one's.", weights[0, cells].log()),
        (
            "This is the entropy of the weights: take the logarithm of the one weight drawn.",
            -(weights * weights.log()).sum(1),
        ),
        (
            "This is a weighted mean of logarithms: take the logarithm of the one weight drawn.",
            (weights * weights.log()).sum(1),
        ),
        ("This is 1 plus the weight: torch.log, not log1p.", chosen.log1p()),
        ("The logarithm is multiplied by its weight: return it as it is.", chosen * right),
        *[(wrong, weights[:, cell].log()) for cell in range(5)],
        *[(wrong, weights[torch.arange(12), (cells + by) % 5].log()) for by in (1, 4)],
        *[(wrong, weights.sort(1, descending=True).values[torch.arange(12), cells].log())],
    )
    hint = "Expected log a_i of the cell i whose annotation you return. Did you draw twice?"
    expect_close(log_probability, right, hint, LOG_PROBABILITY)


@drawing.behaviour("sends a gradient through the log-probability, and none through the choice")
def _(answer):
    weights = torch.randn(5, 4).softmax(1).requires_grad_()
    annotations = torch.randn(5, 4, 3, requires_grad=True)
    context, log_probability = draw(answer, weights * 1, annotations * 1, seeded(4))
    cells = expect_cells(context, annotations, "This is no cell of the picture: return annotations[b, cell[b]].")
    chosen = torch.nn.functional.one_hot(cells, 4).float()
    cut = "The log-probability carries no gradient: take it from the weights themselves, without .detach() or no_grad."
    expect(log_probability.requires_grad, cut)
    gradient, _ = torch.autograd.grad(
        log_probability.sum(), (weights, annotations), allow_unused=True, retain_graph=True
    )
    expect(gradient is not None, cut)
    wrong = "The gradient of the log-probability is 1/a_i at the cell drawn and zero elsewhere; yours is another one."
    expect(same(gradient, chosen / weights.detach()), wrong)
    held = "The context carries no gradient for the annotation drawn: the encoder learns through it, do not detach it."
    expect(context.requires_grad, held)
    place = torch.arange(1.0, 16).view(5, 3)
    through, reached = torch.autograd.grad((context * place).sum(), (weights, annotations), allow_unused=True)
    choice = "A gradient leads from the context to the weights, but a choice has none: take the annotation itself."
    expect(through is None or not bool(through.any()), choice)
    expect(reached is not None, held)
    only = "The annotation drawn gets the gradient of the context, and no other annotation does."
    expect(same(reached, chosen.unsqueeze(2) * place.unsqueeze(1)), only)


@drawing.behaviour("works for other sizes and for weights that leave no choice")
def _(answer):
    for batch, cells, size in [(1, 1, 1), (1, 7, 2), (3, 1, 4), (2, 64, 5), (8, 3, 1)]:
        weights, annotations = torch.randn(batch, cells).softmax(1), torch.randn(batch, cells, size)
        where = f"for {batch} picture(s) with {cells} cell(s) of {size} number(s)"
        context, log_probability = draw(answer, weights.clone(), annotations.clone(), seeded())
        drawn = expect_cells(context, annotations, f"This is no cell of the picture {where}.")
        right = weights.gather(1, drawn[:, None]).log()[:, 0]
        expect_close(log_probability, right, f"The log-probability is wrong {where}.", LOG_PROBABILITY)
    only = torch.tensor([2, 0, 3])
    weights, annotations = torch.nn.functional.one_hot(only, 4).float(), torch.randn(3, 4, 2)
    context, log_probability = draw(answer, weights.clone(), annotations.clone(), seeded())
    hint = "Where one cell has the weight 1 and the others 0, it is drawn every time."
    expect_close(context, annotations[torch.arange(3), only], hint, CONTEXT)
    expect_close(log_probability, torch.zeros(3), "A certain choice has the log-probability 0.", LOG_PROBABILITY)


@drawing.behaviour("leaves weights and annotations as they were")
def _(answer):
    expect_untouched(lambda *given: answer(*given, seeded()), torch.randn(3, 4).softmax(1), torch.randn(3, 4, 2))


@drawing.own_data
def _(generator):
    # From one seed two correct ways of drawing (torch.multinomial, the inverse of the cumulated weights) may draw two
    # cells. So all cells of a picture that can be drawn have one weight and one annotation: chance changes nothing.
    number = 2 ** torch.randint(0, 3, (6, 1), generator=generator)  # of the cells that can be drawn: 1, 2 or 4
    drawable = torch.rand(6, 7, generator=generator).argsort(dim=1) < number
    shared, others = torch.randn(6, 1, 3, generator=generator), torch.randn(6, 7, 3, generator=generator)
    annotations = torch.where(drawable.unsqueeze(2), shared, others)
    return drawable / number, annotations, torch.Generator().manual_seed(generator.initial_seed())
