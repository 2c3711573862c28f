"""The exercise of lesson 7 on marking looks against the words that a headline rests on; `lesson_07.py` lists it."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course_utils.teaching.checks.figures import close, expect_figure, number_of
from course_utils.teaching.checks.slips import expect_untouched
from course_utils.teaching.exercises import Exercise, expect

Support = Sequence[frozenset[int]]


def support_share(attention_weights: Tensor, support: Support) -> tuple[float, float]:
    """Tell how much attention lies on supporting words, and how much of an even look would.

    Args:
        attention_weights: `(headline_length, source_length)`; each row sums to one.
        support: for each headline word the source places that it rests on; an empty set is not counted.

    Returns:
        mass: mean attention on supporting words, over the headline words that have some; chance: the same for weights
        spread evenly. Both from 0 to 1.
    """
    rows = [(row, sorted(places)) for row, places in zip(attention_weights, support, strict=True) if places]
    mass = sum(float(row[places].sum()) for row, places in rows) / len(rows)
    return mass, sum(len(places) for _, places in rows) / len(rows) / attention_weights.shape[1]


marking = Exercise("07.support-share", "Mark where each headline word looked", 2, 12, support_share)
EXERCISES = [marking]


def marked(answer: Callable, weights: Tensor, support: Support) -> tuple[float, float]:
    """Let the answer mark, and insist on two numbers."""
    result = answer(weights.clone(), list(support))
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    if isinstance(result, Tensor) and result.shape == (2,):
        result = result.tolist()
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "Return two numbers, the attention inside the support and chance: `return mass, chance`.")
    return number_of(result[0], "The mass"), number_of(result[1], "Chance")


def random_case(
    words: int, length: int, sizes: Sequence[int], generator: torch.Generator | None = None
) -> tuple[Tensor, list[frozenset[int]]]:
    """Draw weights, and a support of these sizes."""
    weights = (2 * torch.randn(words, length, generator=generator)).softmax(1)
    places = [torch.randperm(length, generator=generator).tolist() for _ in sizes]
    return weights, [frozenset(drawn[:size]) for drawn, size in zip(places, sizes, strict=True)]


@marking.behaviour("adds up the weights on supporting words, and takes the mean")
def _(answer):
    weights, support = random_case(4, 9, [1, 3, 2, 1])
    mass, chance = marked(answer, weights, support)
    inside = [[float(row[place]) for place in sorted(places)] for row, places in zip(weights, support, strict=True)]
    right = sum(map(sum, inside)) / 4
    expect(not (close(chance, right) and close(mass, 7 / 4 / 9)), "The results are swapped: mass first, then chance.")
    best = [int(row.argmax()) in places for row, places in zip(weights, support, strict=True)]
    expect_figure(
        mass, right, "Expected the weights on supporting words, added up for each headline word, on average.",
        ("Take the mean over the headline words: you added them up.", 4 * right),
        ("Add the weights on ALL supporting words; you took the largest.", sum(map(max, inside)) / 4),
        ("Add the weights on ALL supporting words; you took the first place.", sum(row[0] for row in inside) / 4),
        ("Add the weights on supporting words; you took their mean.", sum(sum(row) / len(row) for row in inside) / 4),
        ("Each headline word counts the same: you averaged over all supporting places.",
         sum(map(sum, inside)) / sum(map(len, inside))),
        ("This is the attention OUTSIDE the support.", 1 - right),
        ("How much lies inside counts, not whether the largest weight does.", sum(best) / 4),
        ("Return shares from 0 to 1, not percent.", 100 * right),
        ("Divide by the number of headline words, not by that of source words.", 4 * right / 9),
        ("Places are counted from 0, as in Python.",
         sum(float(row[place - 1]) for row, places in zip(weights, support, strict=True) for place in places) / 4),
        ("Every headline word has a support of its own; yours have the first one's.",
         sum(float(row[place]) for row in weights for place in support[0]) / 4),
    )  # fmt: skip


@marking.behaviour("tells what an even look would have")
def _(answer):
    weights, support = random_case(4, 8, [1, 3, 2, 2])
    mass, chance = marked(answer, weights, support)
    even = marked(answer, torch.full((4, 8), 1 / 8), support)
    expect_figure(
        chance, 2 / 8, "An even look has, on average, as much inside as the support has of the source words.",
        ("More than one word may be right: chance is the mean of |support| / source words.", 1 / 8),
        ("Chance does not depend on the weights: it is that of an even look.", mass),
        ("Divide by the number of SOURCE words.", 2 / 4),
        ("Take the mean over the headline words: you added them up.", 1.0),
        ("This is the mean number of supporting words: divide by the number of source words.", 2.0),
        ("Return shares from 0 to 1, not percent.", 25.0),
        ("This is the share outside: count what is inside.", 6 / 8),
        ("Count the words of each support; you joined them all.", len(frozenset().union(*support)) / 8),
    )  # fmt: skip
    expect_figure(even[0], even[1], "An even map has exactly the mass of chance.")


@marking.behaviour("leaves out words that rest on nothing")
def _(answer):
    weights, support = random_case(5, 6, [2, 0, 3, 0, 1])
    mass, chance = marked(answer, weights, support)
    inside = [float(row[sorted(places)].sum()) for row, places in zip(weights, support, strict=True)]
    out = "A headline word without support, such as 'from', is left out:"
    expect_figure(
        mass, sum(inside) / 3, f"{out} it is neither added nor counted.",
        (f"{out} you counted it as a miss.", sum(inside) / 5),
        (f"{out} you counted it as a hit.", (sum(inside) + 2) / 5),
        (f"{out} you took the whole row.", (sum(inside) + 2) / 3),
        (f"{out} you stopped at the first of them.", inside[0]),
        (f"{out} yet the words after it keep their own rows.",
         sum(float(weights[i, sorted(p)].sum()) for i, p in enumerate([p for p in support if p])) / 3),
    )  # fmt: skip
    slips = [(f"{out} for chance as well.", 2 * 3 / 5 / 6), (f"{out} for chance as well.", (6 + 12) / 5 / 6)]
    expect_figure(chance, 2 / 6, f"{out} for chance as well.", *slips)


@marking.behaviour("works for other sizes")
def _(answer):
    for words, length, sizes in [(1, 1, [1]), (2, 9, [9, 1]), (3, 3, [0, 3, 0]), (7, 40, [1, 2, 3, 0, 5, 6, 7])]:
        weights, support = random_case(words, length, sizes)
        hint = f"Wrong for {words} headline word(s) and {length} source word(s). Is a size typed in?"
        for mine, right in zip(marked(answer, weights, support), support_share(weights, support), strict=True):
            expect_figure(mine, right, hint)


@marking.behaviour("leaves its inputs as they were")
def _(answer):
    weights, support = random_case(3, 4, [1, 0, 2])
    given = weights.clone(), list(support)
    answer(*given)
    untouched = torch.equal(given[0], weights) and given[1] == support
    expect(untouched, "Your function changed one of its inputs in place: compute a new value.")
    expect_untouched(lambda table: answer(table, support), weights)


@marking.own_data
def _(generator):
    length = int(torch.randint(5, 12, (), generator=generator))
    sizes = torch.randint(4, (7,), generator=generator).tolist()
    return random_case(8, length, [*sizes, 1], generator)  # one word has support for certain
