"""Lesson 2: the maxout layer before the output vocabulary."""

import torch
from torch import Tensor, nn

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, differentiable, dtypes, sizes

FEATURES = torch.tensor([[1.0, 5.0, 2.0, 0.0, 7.0, 6.0], [-3.0, -1.5, -4.0, -9.0, 0.5, -2.0]])
LARGE = torch.tensor([[1e30, 2e30, -3.1e38, -3e38, -60_000.0, -70_000.0, 5e6, 4e6, -1e8, 5.0, 7.0, -1e9]])


def maxout(features: Tensor) -> Tensor:
    """Keep the larger of each two neighbours: t_i = max(t~_2i, t~_2i+1) (Bahdanau et al. 2014, appendix A.2.2)."""
    return features.unflatten(-1, (-1, 2)).amax(dim=-1)


def sample(generator: torch.Generator, batch=3, size=4) -> tuple[Tensor]:
    """Make features; the first number of each row is zero."""
    features = torch.randn(batch, 2 * size, generator=generator)
    features[:, 0] = 0.0
    return (features,)


def _random(*shape):
    return (torch.randn(shape, generator=torch.Generator().manual_seed(1)),)


def _starting_at(number):  # the search for the maximum
    return _of_pairs(lambda pairs: pairs.amax(-1).clamp(min=number))


_of_pairs = changing(lambda x: x.unflatten(-1, (-1, 2)))  # of the pairs, (…, size, 2)
HALVES = "You paired entry i with entry i + size, that is two halves; pair neighbours: 0 with 1, 2 with 3."
OVERLAP = "The windows overlap: each number belongs to one pair only, so the result is half as long."
FURTHER = "You kept the number further from zero; the larger one has its sign: -1 is larger than -3."
SQUEEZED = "A squeeze dropped a dimension of size 1: keep all dimensions, and halve the last."
PLACE = "You kept one place of each pair; keep the larger number."
ONE = "You took one maximum of the whole vector; take one per pair."
CUT = "Numbers are cut: the maximum of each pair needs no limits."
START = "The larger of two very negative numbers is very negative: compare them with each other, not with a constant."

EXERCISE = Exercise(
    Task("02.maxout", "Keep the larger of two neighbours", 1, 5, "(…, size)"),
    maxout,
    sample,
    cases=[
        Case("Entry i of the result is the larger of entries 2i and 2i + 1.", (FEATURES,)),
        Case("A single vector works, too: it has one dimension.", _random(8)),
        Case("Three dimensions work, too: pairs lie in the last.", _random(4, 2, 4)),
        Case("Six dimensions work, too, and some may have size 1.", _random(2, 1, 3, 1, 2, 4)),
        Case("Numbers may be of any size: nothing is cut.", (LARGE,)),
    ],
    demands=[sizes(batch=1, size=1), sizes(size=200), dtypes(torch.float64), differentiable("features")],
    mistakes=[
        Mistake(HALVES, lambda x: torch.maximum(*x.chunk(2, dim=-1)), "Which two numbers compete for the first place?"),
        Mistake("You kept the smaller of each pair.", _of_pairs(lambda pairs: pairs.amin(-1))),
        Mistake("You took the mean of each pair; keep the larger.", _of_pairs(lambda pairs: pairs.mean(-1))),
        Mistake("You added each pair up; keep the larger.", _of_pairs(lambda pairs: pairs.sum(-1))),
        *[Mistake(PLACE, lambda x, place=place: x[..., place::2]) for place in (0, 1)],
        *[Mistake(ONE, lambda x, keep=keep: x.amax(-1, keepdim=keep)) for keep in (False, True)],
        Mistake("You returned the places of the maxima, not the maxima.", _of_pairs(lambda pairs: pairs.argmax(-1))),
        Mistake("max(dim=-1) also returns places: return its .values.", _of_pairs(lambda pairs: pairs.max(-1))),
        Mistake(OVERLAP, lambda x: torch.maximum(x[..., :-1], x[..., 1:]), "How many pairs do six numbers make?"),
        Mistake("The larger of two negative numbers is negative: no ReLU, no start at 0.", _starting_at(0.0)),
        Mistake("Compare with the signs: -1 is larger than -3.", _of_pairs(lambda pairs: pairs.abs().amax(-1))),
        Mistake(FURTHER, _of_pairs(lambda p: p.gather(-1, p.abs().argmax(-1, keepdim=True)).squeeze(-1))),
        Mistake("Keep one of each pair, in order, not the largest.", lambda x: x.topk(x.shape[-1] // 2).values),
        Mistake("You paired rows; pair neighbours in a row.", lambda x: x.reshape(2, -1, x.shape[-1]).amax(0)),
        Mistake("No smooth maximum: take the larger number itself.", _of_pairs(lambda pairs: pairs.logsumexp(-1))),
        Mistake(
            "Your code needs exactly two dimensions: count from the end, x[..., 2 * i] or dim=-1.",
            lambda x: torch.stack([x[:, 2 * i : 2 * i + 2].amax(1) for i in range(x.shape[1] // 2)], dim=1),
        ),
        Mistake(SQUEEZED, lambda x: maxout(x).squeeze()),
        *[Mistake(SQUEEZED, lambda x, place=place: maxout(x).squeeze(place)) for place in (0, -1)],
        *[Mistake(START, _starting_at(number)) for number in (-10.0, -1e4, -1e9, -1e30)],
        *[Mistake(CUT, lambda x, ends=ends: maxout(x).clamp(*ends)) for ends in [(-10, 10), (None, 100)]],
    ],
    right=[
        lambda x: torch.maximum(x[..., ::2], x[..., 1::2]),
        lambda x: torch.stack([x[..., i : i + 2].amax(-1) for i in range(0, x.shape[-1], 2)], dim=-1),
        lambda x: nn.functional.max_pool1d(x.reshape(1, -1, x.shape[-1]), 2).reshape(*x.shape[:-1], -1),
        lambda x: x.unfold(-1, 2, 2).max(dim=-1).values,
        lambda x: x.unflatten(-1, (-1, 2)).sort(dim=-1).values[..., 1],
    ],
)
