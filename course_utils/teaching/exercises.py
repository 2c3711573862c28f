"""Exercises whose checks answer with a hint.

A lesson asks for a function and hands it to `check`. The check tries one behaviour after another and says
for each whether it is right and, if not, what the mistake probably is. It never stops a notebook: only
under nbgrader (autograding or validating) does a wrong answer raise, so that it costs its points.

The exercises of lesson NN are declared in `course_utils/teaching/checks/lesson_NN.py`::

    exercise = Exercise("02.context", "Average the values", difficulty=1, minutes=5, reference=context)

    @exercise.behaviour("weights each value by its own weight")
    def _(answer):
        expect_close(answer(weights, values), expected, "Multiply along the source axis (dimension 1).")

An exercise can also be asked on data of a learner's own, so that copied numbers do not help::

    @exercise.own_data
    def _(generator):
        return torch.rand(3, 5, generator=generator), torch.randn(3, 5, 2, generator=generator)

A cell with `use_variant(seed)`, or an instructor's grading, turns this on; the reference says what is right.
"""

import importlib
import os
import traceback
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from math import isclose

import torch
from torch import Tensor

OWN_DRAWS = 3  # calls that are compared on a learner's own data
_variant: int | None = None  # see use_variant


class Mistake(AssertionError):
    """A behaviour that is not right yet; its message is the hint for the learner."""


@dataclass(frozen=True)
class Finding:
    """What became of one behaviour: `hint` is None if it is right."""

    behaviour: str
    hint: str | None


@dataclass
class Exercise:
    """One question, its reference answer and the behaviours that a right answer shows.

    Attributes:
        exercise_id: "NN.short-name", NN being the lesson.
        title: what the learner writes, in a few words.
        difficulty: 1 (a line or two) to 3 (think first).
        minutes: how long a learner should expect to take.
        reference: the course's own answer; lessons go on with it until the learner's passes.
        behaviours: (name, test) pairs; a test raises `Mistake` with a hint.
        own_arguments: makes the arguments of one call from a generator; None: no data of a learner's own.
    """

    exercise_id: str
    title: str
    difficulty: int
    minutes: int
    reference: Callable
    behaviours: list[tuple[str, Callable[[Callable], None]]] = field(default_factory=list)
    own_arguments: Callable[[torch.Generator], tuple] | None = None

    def behaviour(self, name: str) -> Callable:
        """Declare a behaviour; decorates its test, which gets the learner's answer."""

        def declare(test: Callable[[Callable], None]) -> Callable[[Callable], None]:
            self.behaviours.append((name, test))
            return test

        return declare

    def own_data(self, make: Callable[[torch.Generator], tuple]) -> Callable[[torch.Generator], tuple]:
        """Declare how data of a learner's own are made; decorates a function from a generator to arguments."""
        self.own_arguments = make
        return make

    def examine(self, answer: Callable, variant: int | None = None) -> list[Finding]:
        """Try every behaviour on an answer, whatever the answer does.

        Args:
            answer: the learner's function.
            variant: the seed of the learner's own data, tried after the behaviours; None: no such data.

        Raises:
            NotImplementedError: if the answer is still the stub.
        """
        behaviours = list(self.behaviours)
        if variant is not None and self.own_arguments is not None:
            behaviours.append(("is right on your own data, too", partial(self._try_own_data, variant=variant)))
        return [Finding(name, self._try(test, answer)) for name, test in behaviours]

    def _try_own_data(self, answer: Callable, variant: int) -> None:
        hint = (
            "On data made for you alone your result differs from the course's. Compute from the arguments: "
            "numbers that were typed in or copied fit only the data they came from."
        )
        generator = torch.Generator().manual_seed(variant)
        for _ in range(OWN_DRAWS):
            arguments = self.own_arguments(generator)
            expected = self.reference(*deepcopy(arguments))
            expect(_same(answer(*deepcopy(arguments)), expected), hint)

    @staticmethod
    def _try(test: Callable, answer: Callable) -> str | None:
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                test(answer)
        except Mistake as mistake:
            return str(mistake)
        except NotImplementedError:
            raise
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            name = getattr(getattr(answer, "__code__", None), "co_filename", None)
            line = next((f" (line {f.lineno} of your cell)" for f in reversed(frames) if f.filename == name), "")
            if isinstance(error, MemoryError) or "allocate memory" in str(error):
                return f"Your code asked for more memory than it can have{line}. Which size is larger than you meant?"
            return f"Your code raised {type(error).__name__}: {error}{line}. Print the shapes just before that line."
        return None


def find_exercise(exercise_id: str) -> Exercise:
    """Look an exercise up by its id.

    Raises:
        KeyError: if there is no such exercise; names those of the lesson.
    """
    lesson = exercise_id.split(".")[0]
    try:
        module = importlib.import_module(f"course_utils.teaching.checks.lesson_{lesson}")
    except ModuleNotFoundError as error:
        raise KeyError(f"exercise_id is {exercise_id!r}; lesson {lesson!r} has no exercises.") from error
    known = {exercise.exercise_id: exercise for exercise in module.EXERCISES}
    if exercise_id not in known:
        raise KeyError(f"exercise_id is {exercise_id!r}; expected one of {', '.join(known)}.")
    return known[exercise_id]


def is_graded_run() -> bool:
    """Say whether nbgrader is running this notebook (autograding or validating)."""
    return os.environ.get("NBGRADER_EXECUTION") in ("autograde", "validate")


def use_variant(seed: int | None) -> None:
    """From here on `check` also tries answers on data made from this seed; None ends that."""
    global _variant
    _variant = seed


def check(exercise_id: str, answer: Callable) -> bool:
    """Try an answer, print what is right and what is not, and say whether all of it is right.

    Args:
        exercise_id: "NN.short-name".
        answer: the learner's function.

    Returns:
        True if every behaviour is right.

    Raises:
        AssertionError: under nbgrader only, if something is not right.
        KeyError: if there is no such exercise.
    """
    exercise = find_exercise(exercise_id)
    try:
        findings = exercise.examine(answer, _variant)
    except NotImplementedError:
        print(f"◻ {exercise_id} · {exercise.title}: not attempted yet (about {exercise.minutes} min).")
        if is_graded_run():
            raise AssertionError(f"{exercise_id} was not attempted.") from None
        return False
    right = sum(finding.hint is None for finding in findings)
    print(f"{exercise_id} · {exercise.title}: {right} of {len(findings)} behaviours are right.")
    for finding in findings:
        print(f"  ✓ {finding.behaviour}" if finding.hint is None else f"  ✗ {finding.behaviour}\n    {finding.hint}")
    passed = right == len(findings)
    if not passed and is_graded_run():
        raise AssertionError("; ".join(finding.hint for finding in findings if finding.hint))
    return passed


def checked(exercise_id: str, answer: Callable) -> Callable:
    """Return the learner's answer if it is right, else the course's own, and say which.

    Later cells use what this returns, so a lesson runs to its end whatever was answered.
    """
    exercise = find_exercise(exercise_id)
    try:
        passed = all(finding.hint is None for finding in exercise.examine(answer))
    except NotImplementedError:
        passed = False
    print(f"{exercise_id}: going on with {'your' if passed else 'the course' + chr(8217) + 's'} version.")
    return answer if passed else exercise.reference


def _same(actual: object, expected: object) -> bool:
    """Compare what two functions returned: tensors, numbers, and lists, tuples, dictionaries of them."""
    if isinstance(expected, Tensor):
        if not isinstance(actual, Tensor) or actual.shape != expected.shape:
            return False
        return torch.allclose(actual.to(expected.dtype), expected, atol=1e-4, rtol=1e-3, equal_nan=True)
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and actual.keys() == expected.keys()
            and all(_same(actual[key], expected[key]) for key in expected)
        )
    if isinstance(expected, (list, tuple)):
        actual = actual.tolist() if isinstance(actual, Tensor) else actual  # several numbers may come as a tensor
        if not isinstance(actual, (list, tuple)) or len(actual) != len(expected):
            return False
        return all(_same(a, e) for a, e in zip(actual, expected, strict=True))
    if isinstance(expected, float):
        return isclose(float(actual), expected, rel_tol=1e-3, abs_tol=1e-4)
    return bool(actual == expected)


def expect(condition: bool, hint: str) -> None:
    """Raise `Mistake` with the hint unless the condition holds."""
    if not condition:
        raise Mistake(hint)


def expect_tensor(value: object, shape: tuple[int, ...], names: str) -> Tensor:
    """Insist on a tensor of a shape, with a hint that names the dimensions.

    Args:
        value: what the learner's function returned.
        shape: the expected sizes.
        names: the dimensions in words, e.g. "(batch, source_length)".
    """
    expect(value is not None, "Your function returned None. Does every path end in a return statement?")
    expect(isinstance(value, Tensor), f"Return a torch tensor; yours is a {type(value).__name__}.")
    expect(
        tuple(value.shape) == shape,
        f"The result has shape {tuple(value.shape)}; expected {shape}, that is {names}.",
    )
    return value


def expect_close(actual: object, expected: Tensor, hint: str, names: str = "", tolerance: float = 1e-5) -> None:
    """Insist on a tensor's shape and values; a wrong value gets `hint`.

    Args:
        actual: what the learner's function returned.
        expected: the right tensor.
        hint: what the mistake probably is.
        names: the dimensions in words, for the hint on a wrong shape.
        tolerance: largest absolute difference.
    """
    actual = expect_tensor(actual, tuple(expected.shape), names or "one entry per expected one")
    expect(not bool(actual.isnan().any()), "The result holds NaN: an infinity minus itself, or zero divided by zero.")
    expect(torch.allclose(actual.to(expected.dtype), expected, atol=tolerance, rtol=1e-4), hint)
