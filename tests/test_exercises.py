"""Every plausible wrong answer gets the hint it needs, every right one passes, whatever its style.

The answers of lesson NN stand in `tests/exercises/lesson_NN.py`:

    WRONG = {exercise_id: [(what is wrong, function, "words that a hint must hold"), …]}
    RIGHT = {exercise_id: [function, …]}

`python -m tools.exercises` prints how many of each every exercise rejects and accepts.
"""

import re
from pathlib import Path

import pytest

from course_utils.teaching import checks
from course_utils.teaching.exercises import check, checked, find_exercise
from tools.exercises import answers, declared, hints, lessons, written

LESSONS = lessons()
FEWEST_WRONG, FEWEST_RIGHT = 8, 3

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


def test_table_in_the_docs_is_that_of_todays_answers():
    today = {name: (len(answers(name[:2]).WRONG[name]), len(answers(name[:2]).RIGHT[name])) for name in EVERY_EXERCISE}
    assert written() == today, "run python -m tools.exercises --write and commit docs/exercise_table.md"
