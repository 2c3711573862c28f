"""What lessons call: `check` tries an answer and prints what it found, `checked` hands on what the lesson uses.

Neither stops a notebook: only under nbgrader (autograding or validating) does a wrong answer raise, so that it costs
its points.
"""

import inspect
import os
import sys
from collections.abc import Callable

from course_utils.exercises.engine import NOT_JUDGED, Exercise
from course_utils.exercises.registry import find_exercise

_variant: int | None = None  # see use_variant
last_answers: dict[str, str] = {}  # the source of the answer that was last checked, for `reveal`


def is_graded_run() -> bool:
    """Say whether nbgrader is running this notebook (autograding or validating)."""
    return os.environ.get("NBGRADER_EXECUTION") in ("autograde", "validate")


def use_variant(seed: int | None) -> None:
    """From here on `check` also tries answers on data made from this seed; None ends that."""
    global _variant
    _variant = seed


def check(exercise_id: str, answer: Callable) -> bool:
    """Try an answer, print what is right and the first thing that is not, and say whether all of it is right.

    Args:
        exercise_id: "NN.short-name".
        answer: the learner's function.

    Returns:
        True if every case is right.

    Raises:
        AssertionError: under nbgrader only, if something is not right.
        KeyError: if there is no such exercise.
    """
    exercise = find_exercise(exercise_id)
    _remember(exercise, answer)
    try:
        findings = exercise.examine(answer, _variant)
    except NotImplementedError:
        print(f"◻ {exercise_id} · {exercise.title}: not attempted yet (about {exercise.minutes} min).")
        if is_graded_run():
            raise AssertionError(f"{exercise_id} was not attempted.") from None
        return False
    right = sum(finding.hint is None for finding in findings)
    print(f"{exercise_id} · {exercise.title}: {right} of {len(findings)} cases are right.")
    waiting = 0
    for finding in findings:
        if finding.hint is None:
            print(f"  ✓ {finding.case}")
        elif finding.hint == NOT_JUDGED:
            waiting += 1
        else:
            print(f"  ✗ {finding.case}\n    " + finding.hint.replace("\n", "\n    "))
    if waiting:
        print(_grey(f"  ◌ {waiting} more: {NOT_JUDGED}"))
    passed = right == len(findings)
    if not passed and is_graded_run():
        raise AssertionError("\n".join(f.hint for f in findings if f.hint and f.hint != NOT_JUDGED))
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
    print(f"{exercise_id}: going on with {'your' if passed else 'the course’s'} version.")
    return answer if passed else exercise.reference


def _remember(exercise: Exercise, answer: Callable) -> None:
    try:
        last_answers[exercise.exercise_id] = inspect.getsource(answer)
    except (OSError, TypeError):  # no source: typed into an interpreter, or not a function
        last_answers.pop(exercise.exercise_id, None)


def _grey(text: str) -> str:
    """Grey in a notebook, plain elsewhere."""
    return f"\033[90m{text}\033[0m" if "ipykernel" in sys.modules else text
