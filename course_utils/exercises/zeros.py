"""Observe whether weights are exactly zero where the text promises it: a comparison within rounding cannot tell."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

EXACTLY = "Small is not zero: hide scores by minus infinity before you normalise, and change no weight after it."


def exactly_zero(reference: Callable) -> Callable:
    """Make an observer of a result, and of the largest of those weights, its last part, that the reference hides."""

    def observe(answer: Callable, *arguments: object) -> dict:
        hidden = _weights(reference(*arguments)) == 0
        result = answer(*arguments)
        weights, largest = _weights(result), "unknown"
        if type(weights) is Tensor and weights.shape == hidden.shape:
            top = float(weights.detach()[hidden].double().abs().amax())
            largest = "zero" if top == 0 else f"up to {top:.3g}"
        return {"returned": result, "hidden weights": largest}

    return observe


def _weights(result: object) -> Any:
    return result[-1] if isinstance(result, tuple | list) and result else result
