"""What the checks of several exercises share: recognise the usual slips, and test what every answer must do."""

import math
from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor

from course_utils.teaching.exercises import expect


def same(first: object, second: object) -> bool:
    """Say whether two results agree: numbers within rounding, lists and dictionaries by entry, the rest exactly."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return first.shape == second.shape and torch.allclose(first.float(), second.float(), atol=1e-5, rtol=1e-4)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=1e-4, abs_tol=1e-5)
    return type(first) is type(second) and first == second


def recognise(actual: object, *slips: tuple[str, object]) -> None:
    """Raise the hint of the slip that gives this very result.

    Args:
        actual: what the learner's function returned.
        slips: (hint, the result of that slip).
    """
    for hint, result in slips:
        expect(not same(actual, result), hint)


def expect_untouched(answer: Callable, *arguments: object) -> None:
    """Insist that the answer leaves its arguments as they were."""
    given = deepcopy(arguments)
    answer(*given)
    expect(
        same(arguments, given),
        "Your function changed one of its inputs in place: compute a new value (no +=, no x[...] =).",
    )


def expect_gradients(answer: Callable, reference: Callable, **arguments: Tensor) -> None:
    """Insist that the gradient by each argument is that of the reference.

    Args:
        answer: the learner's function.
        reference: the course's own.
        arguments: by name, in the order of the functions' parameters; given by position.
    """

    def gradients(function: Callable) -> tuple[Tensor | None, ...]:
        leaves = [argument.clone().requires_grad_() for argument in arguments.values()]
        result = function(*[leaf * 1 for leaf in leaves])  # a leaf itself could not be changed in place
        expect(isinstance(result, Tensor), "Return a torch tensor: only those carry a gradient.")
        expect(
            result.requires_grad,
            "No gradient flows back through your result, so the model could not learn. "
            "Do not use .detach(), .data, .item(), .tolist(), numpy, torch.no_grad or torch.tensor(...) on the way.",
        )
        place = torch.arange(1.0, result.numel() + 1).reshape(result.shape)  # tells the entries apart
        return torch.autograd.grad((result * place).sum(), leaves, allow_unused=True)

    for name, ours, theirs in zip(arguments, gradients(reference), gradients(answer), strict=True):
        expect(theirs is not None, f"No gradient reaches {name}: use it, and do not detach it.")
        expect(not bool(theirs.isnan().any()), f"The gradient of {name} is NaN, although the result is a number.")
        wrong = f"The gradient of {name} is wrong. If your result is right, a part of the way to it is detached."
        expect(same(ours, theirs), wrong)
