"""Every plausible wrong answer gets the hint it needs, every right one passes, whatever its style.

The answers of lesson NN stand in `tests/exercises/lesson_NN.py`:

    WRONG = {exercise_id: [(what is wrong, function, "words that a hint must hold"), …]}
    RIGHT = {exercise_id: [function, …]}

`python tests/test_exercises.py` prints how many of each every exercise rejects and accepts.
"""

import importlib
import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from course_utils.teaching import checks
from course_utils.teaching.exercises import check, checked, find_exercise

FOLDER = Path(__file__).parent / "exercises"
LESSONS = sorted(path.stem.removeprefix("lesson_") for path in FOLDER.glob("lesson_*.py"))
FEWEST_WRONG, FEWEST_RIGHT = 8, 3


@cache
def answers(lesson: str) -> ModuleType:
    path = FOLDER / f"lesson_{lesson}.py"
    spec = importlib.util.spec_from_file_location(f"answers_{lesson}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declared(lesson: str) -> list[str]:
    module = importlib.import_module(f"{checks.__name__}.lesson_{lesson}")
    return [exercise.exercise_id for exercise in module.EXERCISES]


def hints(exercise_id: str, answer) -> list[str]:
    return [finding.hint for finding in find_exercise(exercise_id).examine(answer) if finding.hint is not None]


EVERY_EXERCISE = [exercise_id for lesson in LESSONS for exercise_id in declared(lesson)]
WRONG_ANSWERS = [
    pytest.param(exercise_id, function, fragment, id=f"{exercise_id}: {name}")
    for lesson in LESSONS
    for exercise_id, given in answers(lesson).WRONG.items()
    for name, function, fragment in given
]
RIGHT_ANSWERS = [
    pytest.param(exercise_id, function, id=f"{exercise_id}: {function.__name__}")
    for lesson in LESSONS
    for exercise_id, given in answers(lesson).RIGHT.items()
    for function in given
]


@pytest.mark.parametrize(("exercise_id", "function", "fragment"), WRONG_ANSWERS)
def test_wrong_answer_is_rejected_with_its_hint(exercise_id, function, fragment):
    found = hints(exercise_id, function)
    assert found, "no behaviour rejected it"
    assert any(fragment.lower() in hint.lower() for hint in found), f"{fragment!r} in none of {found}"


@pytest.mark.parametrize(("exercise_id", "function"), RIGHT_ANSWERS)
def test_right_answer_is_accepted(exercise_id, function):
    assert hints(exercise_id, function) == []


@pytest.mark.parametrize("exercise_id", EVERY_EXERCISE)
def test_reference_is_accepted(exercise_id):
    assert hints(exercise_id, find_exercise(exercise_id).reference) == []


@pytest.mark.parametrize(("exercise_id", "function"), RIGHT_ANSWERS)
def test_right_answer_is_accepted_on_data_of_ones_own(exercise_id, function):
    findings = [item for seed in (1, 77, 4_000_000_000) for item in find_exercise(exercise_id).examine(function, seed)]
    assert [item for item in findings if item.hint is not None] == []


def test_copied_numbers_fail_on_data_of_ones_own():
    """An answer that looks up what it saw passes every behaviour, and fails on other data."""
    exercise = find_exercise("00.masked-mean")
    table = {}

    def copied(values, mask):
        return table[str(values), str(mask)].clone()

    def watched(values, mask):
        table[str(values), str(mask)] = exercise.reference(values, mask)
        return table[str(values), str(mask)]

    exercise.examine(watched)
    assert all(finding.hint is None for finding in exercise.examine(copied))
    assert exercise.examine(copied, variant=5)[-1].hint is not None
    exercise.examine(watched, variant=5)
    assert exercise.examine(copied, variant=5)[-1].hint is None, "the same seed has to give the same data"
    assert exercise.examine(copied, variant=6)[-1].hint is not None


@pytest.mark.parametrize("exercise_id", EVERY_EXERCISE)
def test_exercise_has_enough_answers(exercise_id):
    given = answers(exercise_id.split(".")[0])
    wrong = {name for name, _, _ in given.WRONG[exercise_id]}
    assert len(wrong) == len(given.WRONG[exercise_id]) >= FEWEST_WRONG
    assert len(given.RIGHT[exercise_id]) >= FEWEST_RIGHT


@pytest.mark.parametrize("exercise_id", EVERY_EXERCISE)
def test_empty_answer_is_met_with_a_friendly_line(exercise_id, capsys):
    def stub(*arguments):
        raise NotImplementedError

    assert check(exercise_id, stub) is False
    assert "not attempted yet" in capsys.readouterr().out
    assert checked(exercise_id, stub) is find_exercise(exercise_id).reference


def test_every_lesson_with_exercises_has_answers():
    modules = Path(checks.__file__).parent.glob("lesson_*.py")
    assert sorted(path.stem.removeprefix("lesson_") for path in modules) == LESSONS


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_holds_every_exercise_once(lesson):
    (source,) = (Path(__file__).parents[1] / "lessons").glob(f"{lesson}_*.py")
    text = source.read_text(encoding="utf-8")
    for kind in ("exercise", "check", "hidden"):
        named = re.findall(rf'^# %% {kind}="([\w-]+)"', text, flags=re.MULTILINE)
        assert sorted(f"{lesson}.{name}" for name in named) == sorted(declared(lesson)), f"{kind} cells"


def table() -> str:
    """Write how many answers each exercise rejects and accepts, with the sums at the end."""
    rows, sums = [], [0, 0, 0, 0]
    for exercise_id in EVERY_EXERCISE:
        lesson = exercise_id.split(".")[0]
        wrong, right = answers(lesson).WRONG[exercise_id], answers(lesson).RIGHT[exercise_id]
        rejected = sum(
            any(fragment.lower() in hint.lower() for hint in hints(exercise_id, function))
            for _, function, fragment in wrong
        )
        accepted = sum(not hints(exercise_id, function) for function in right)
        counts = (rejected, len(wrong), accepted, len(right))
        sums = [total + count for total, count in zip(sums, counts, strict=True)]
        rows.append((lesson, exercise_id.split(".")[1], counts))
    rows.append(("all", f"{len(rows)} exercises", tuple(sums)))
    lines = [f"| {'lesson':6} | {'exercise':24} | wrong rejected | right accepted |", "|---|---|---|---|"]
    for lesson, name, (rejected, wrong, accepted, right) in rows:
        lines.append(f"| {lesson:6} | {name:24} | {f'{rejected} of {wrong}':14} | {f'{accepted} of {right}':14} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
