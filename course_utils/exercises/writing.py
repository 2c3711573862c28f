"""What a module that holds an exercise imports: `engine.py` shows how one is written."""

from collections.abc import Callable
from functools import partial
from typing import Any

from course_utils.exercises.demands import differentiable, dtypes, extremes, padding, sizes, wide_ids
from course_utils.exercises.engine import Case, Exercise, Mistake, Task

__all__ = ["Case", "Exercise", "Mistake", "Task", "changing", "differentiable", "dtypes", "extremes", "padding"]
__all__ += ["in_two_calls", "sizes", "wide_ids"]


def changing(first: Callable, last: Callable | None = None) -> Callable[[Callable], Callable]:
    """Make a maker of answers that differ in one step: `changing(first, last)(change)` is last(change(first(inputs))).

    A tuple that a step returns becomes the arguments of the next one.
    """

    def answer(change: Callable, *inputs: object) -> Any:
        result = first(*inputs)
        for step in filter(None, (change, last)):
            result = step(*result) if type(result) is tuple else step(result)
        return result

    return lambda change: partial(answer, change)


def in_two_calls(answer: Callable) -> Callable:
    """Take what varies first, the inputs later: `f(*parts)(*inputs)` is what the function of both was written for."""
    return lambda *parts, **named: lambda *inputs: answer(*inputs, *parts, **named)
