"""What exercises share that return single figures: insist on a number, and recognise the usual slips in it."""

import math

from torch import Tensor

from course_utils.teaching.exercises import expect


def number_of(value: object, name: str) -> float:
    """Insist on one finite number.

    Args:
        value: what the learner's function returned.
        name: what it should be, for the hint, e.g. "The error rate".
    """
    expect(value is not None, "Your function returned None. Does every path end in a return statement?")
    expect(not isinstance(value, tuple | list), f"{name} is one number; yours is a {type(value).__name__}.")
    if isinstance(value, Tensor):
        expect(value.numel() == 1, f"{name} is one number; yours is a tensor of shape {tuple(value.shape)}.")
        value = value.item()
    try:
        number = float(value)
    except (TypeError, ValueError):
        expect(False, f"{name} is one number; yours is a {type(value).__name__}.")
    expect(math.isfinite(number), f"{name} is {number}: is there a division by zero?")
    return number


def close(first: float, second: float) -> bool:
    """Say whether two figures agree, rounding of single precision aside."""
    return math.isclose(first, second, rel_tol=1e-5, abs_tol=1e-5)


def expect_figure(actual: float, right: float, hint: str, *slips: tuple[str, float]) -> None:
    """Insist on a figure.

    Args:
        actual: what the learner's function returned.
        right: the right figure.
        hint: what the mistake may be, if it is none of the slips.
        slips: (hint, the figure of that slip); one that gives the right figure here is skipped.
    """
    for slip, figure in slips:
        if not close(float(figure), right):
            expect(not close(actual, float(figure)), slip)
    expect(close(actual, right), f"{hint} Expected {right:.4f}, got {actual:.4f}.")
