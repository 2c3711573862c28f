"""Tools for checks: recognise a slip by what it computes, and notice spoilt inputs and cut gradients.

A check works out what the usual slips would give and compares: a wrong result that equals one of them gets the
hint that names that slip.
"""

import copy
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from course_utils.teaching.exercises import expect

IN_PLACE = "Your function changed one of its inputs in place: compute a new value instead (no +=, no x[...] = …, no sort())."
CUT = (
    "No gradient flows back through your result, so the model could not learn. "
    "Do not use .detach(), .data, .item(), .tolist(), numpy, torch.no_grad or torch.tensor(...) on the way."
)


def same(first: object, second: object, tolerance: float = 1e-5) -> bool:
    """Say whether two results agree: tensors within rounding, lists entry by entry, other things exactly.

    Args:
        first, second: what is compared.
        tolerance: largest absolute difference of two tensors.
    """
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return first.shape == second.shape and torch.allclose(first.double(), second.double(), atol=tolerance, rtol=1e-4)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(same(a, b, tolerance) for a, b in zip(first, second, strict=True))
    return type(first) is type(second) and first == second


def recognise(actual: object, slips: Mapping[str, object]) -> None:
    """Raise the hint whose slip gives this very result.

    Args:
        actual: what the learner's function returned.
        slips: for each hint, the result of the slip that it names.
    """
    for hint, result in slips.items():
        expect(not same(actual, result), hint)


def expect_untouched(answer: Callable, *arguments: object) -> None:
    """Insist that a call leaves its arguments as they were."""
    given = copy.deepcopy(arguments)
    answer(*given)
    expect(same(arguments, given), IN_PLACE)


def expect_gradients(answer: Callable, reference: Callable, arguments: Mapping[str, Tensor]) -> None:
    """Insist that the result's gradient by each argument is that of the reference.

    Args:
        answer: the learner's function of these arguments, in this order.
        reference: the course's.
        arguments: float tensors by the name that a hint should give them.
    """

    def gradients(function: Callable) -> Sequence[Tensor | None]:
        leaves = [argument.clone().requires_grad_() for argument in arguments.values()]
        result = function(*[leaf * 1 for leaf in leaves])  # leaves themselves refuse a change in place
        expect(isinstance(result, Tensor), "Return a torch tensor: only those carry a gradient.")
        expect(result.requires_grad, CUT)
        weighting = torch.arange(1.0, result.numel() + 1).reshape(result.shape)  # tells the entries apart
        return torch.autograd.grad((result * weighting).sum(), leaves, allow_unused=True)

    for name, ours, theirs in zip(arguments, gradients(reference), gradients(answer), strict=True):
        expect(theirs is not None, f"No gradient reaches {name}, so it could not learn. Is it used, and never detached?")
        expect(not bool(theirs.isnan().any()), f"The gradient of {name} is NaN, although the result is a number.")
        expect(same(ours, theirs), f"The gradient that reaches {name} is wrong: is a part of the way detached?")
