"""Compare what two functions returned, on plain copies made here: nothing that a result defines itself has a say.

A number may come as a Python number, a numpy one, or a tensor of one entry; a pair as a tuple, a list, or a tensor.
Everything else has to be of the expected kind.
"""

import math
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy
import torch
from torch import Tensor, nn

NONE = "Your function returned None. Does every path end in a return statement?"
DIFFER = "The values differ."
ABSENT, NOTHING = "none", "nothing"  # stand for a gradient that does not exist, for no change of an argument


def plain(value: Any) -> Any:
    """Copy a result into plain Python and detached tensors; what is neither becomes the name of its class in <>."""
    kind = type(value)
    if kind in (Tensor, nn.Parameter):
        return value.detach().clone()
    base: Any
    for base in (list, tuple, set, frozenset):  # asked of the base: a subclass has no say
        if isinstance(value, base):
            return (set if base is frozenset else base)(plain(item) for item in base.__iter__(value))
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in dict.items(value)}
    if kind is numpy.ndarray and value.dtype.kind in "biuf":
        return value.copy()
    if kind in (str, bool, int, float, type(None)):
        return value
    if kind is Fraction:
        return float(value)
    if kind.__module__ == "numpy" and isinstance(value, numpy.number | numpy.bool_):
        return value.item()
    return f"<{kind.__name__}>"


def same(first: object, second: object, tolerance: float = 1e-5) -> bool:
    """Say whether a plain result is as a plain reference's: numbers within rounding, the rest exactly."""
    return difference(first, second, tolerance=tolerance) is None


def difference(actual: object, expected: object, shape: str = "", tolerance: float = 1e-5) -> str | None:
    """Say in a sentence what is different, or None.

    Args:
        actual: the learner's result, from `plain`.
        expected: the reference's, from `plain`.
        shape: the expected dimensions in words, "(batch, source_length)".
        tolerance: largest absolute difference; the relative one is ten times as large.
    """
    if actual is None and expected is not None:
        return NONE
    if isinstance(expected, Tensor):
        return _tensors(actual, expected, shape, tolerance)
    if isinstance(expected, bool | Real):
        return _numbers(actual, expected, tolerance)
    if isinstance(expected, tuple | list):
        return _sequences(actual, expected, shape, tolerance)
    if isinstance(expected, dict):
        return _dictionaries(actual, expected, tolerance)
    if isinstance(expected, str) and expected == ABSENT and isinstance(actual, Tensor):
        return "There is one, and there should be none."
    if type(actual) is not type(expected):
        return f"Return a {type(expected).__name__}; yours is a {kind_of(actual)}."
    return None if actual == expected else DIFFER


def kind_of(value: object) -> str:
    """The class of a plain result in words."""
    if isinstance(value, str) and value.startswith("<"):
        return value.strip("<>")
    if isinstance(value, Tensor):
        return f"tensor of shape {tuple(value.shape)}"
    return {"ndarray": "numpy array", "NoneType": "None"}.get(type(value).__name__, type(value).__name__)


def _tensors(actual: object, expected: Tensor, shape: str, tolerance: float) -> str | None:
    if expected.dim() == 0 and not (isinstance(actual, Tensor) and actual.dim() == 0):  # a number, in any form
        return _numbers(actual, expected.item(), tolerance)
    if not isinstance(actual, Tensor):
        absent = isinstance(actual, str) and actual == ABSENT
        return "It is cut off." if absent else f"Return a torch tensor; yours is a {kind_of(actual)}."
    if actual.shape != expected.shape:
        words = f", that is {shape}" if shape else ""
        return f"The result has shape {tuple(actual.shape)}; expected {tuple(expected.shape)}{words}."
    if actual.is_complex() or (actual.is_floating_point() and not expected.is_floating_point()):
        return f"The result holds {actual.dtype} numbers; expected {expected.dtype}."
    if (actual.dtype == torch.bool) != (expected.dtype == torch.bool):
        return f"The result holds {actual.dtype} entries; expected {expected.dtype}."
    if not expected.is_floating_point():  # whole numbers are compared exactly, however large
        return None if torch.equal(actual.long(), expected.long()) else DIFFER
    actual, expected = actual.double(), expected.double()
    if bool((actual.isnan() & ~expected.isnan()).any()):
        return "The result holds NaN, not a number."
    near = torch.isclose(actual, expected, atol=tolerance, rtol=10 * tolerance, equal_nan=True)
    return None if bool(near.all()) else DIFFER


def _numbers(actual: object, expected: float | Real, tolerance: float) -> str | None:
    if isinstance(actual, str) and actual == ABSENT:
        return "It is cut off."
    if isinstance(actual, Tensor | numpy.ndarray):
        if actual.ndim > 1 or math.prod(actual.shape) != 1:
            return f"Return one number; yours has shape {tuple(actual.shape)}."
        actual = actual.item()
    if not isinstance(actual, bool | Real):
        return f"Return one number; yours is a {kind_of(actual)}."
    if math.isnan(actual) and not math.isnan(expected):
        return "The result is NaN, not a number."
    near = actual == expected or math.isclose(actual, expected, rel_tol=10 * tolerance, abs_tol=tolerance)
    return None if near or (math.isnan(actual) and math.isnan(expected)) else DIFFER


def _sequences(actual: object, expected: tuple | list, shape: str, tolerance: float) -> str | None:
    if isinstance(expected, tuple) and isinstance(actual, Tensor | numpy.ndarray) and len(expected) in actual.shape[:1]:
        actual = tuple(actual)  # several results in one tensor, one per row
    if not isinstance(actual, tuple | list):
        return f"Return a {type(expected).__name__} of {len(expected)}; yours is a {kind_of(actual)}."
    if len(actual) != len(expected):
        return f"The result has {len(actual)} entries; expected {len(expected)}."
    shapes = shape.split("; ") if len(expected) == len(shape.split("; ")) > 1 else [shape] * len(expected)
    for place, (ours, theirs) in enumerate(zip(actual, expected, strict=True)):
        found = difference(ours, theirs, shapes[place], tolerance)
        if found:
            return found if found == DIFFER else f"Entry {place}: {found}"
    return None


def _dictionaries(actual: object, expected: dict, tolerance: float) -> str | None:
    if not isinstance(actual, dict):
        return f"Return a dictionary; yours is a {kind_of(actual)}."
    if actual.keys() != expected.keys():
        return f"The keys are {list(actual)[:6]}; expected {list(expected)[:6]}."
    found = [(key, difference(actual[key], expected[key], "", tolerance)) for key in expected]
    plain_words = (DIFFER, NONE)
    named = (text if text in plain_words or key == "returned" else f"{key}: {text}" for key, text in found if text)
    return next(named, None)


def first_difference(actual: object, expected: object, tolerance: float, at: str = "") -> str | None:
    """Say where two plain results of one form differ first, with all digits: "at [0, 3]: 0.285715, expected …"."""
    if isinstance(actual, Tensor) and isinstance(expected, Tensor) and actual.shape == expected.shape:
        for index, (ours, theirs) in enumerate(
            zip(actual.flatten().tolist(), expected.flatten().tolist(), strict=True)
        ):
            if _numbers(ours, theirs, tolerance if isinstance(theirs, float) else 0.0):
                place = [int(k) for k in torch.unravel_index(torch.tensor(index), expected.shape)]
                return f"at {at}{place}: {ours!r}, expected {theirs!r}"
        return None
    if isinstance(actual, tuple | list) and isinstance(expected, tuple | list) and len(actual) == len(expected):
        found = [
            first_difference(a, e, tolerance, f"{at}[{k}]")
            for k, (a, e) in enumerate(zip(actual, expected, strict=True))
        ]
        return next(filter(None, found), None)
    same_kind = isinstance(actual, Real) and isinstance(expected, Real)
    return f"at {at or 'the result'}: {actual!r}, expected {expected!r}" if same_kind and actual != expected else None
