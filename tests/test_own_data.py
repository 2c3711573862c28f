"""Exercises on data of a learner's own: the same for one seed, others for another, and copied results fail on them."""

from importlib import import_module
from pathlib import Path

import pytest

from course_utils.teaching import checks
from course_utils.teaching.exercises import Exercise


def exercises() -> list[Exercise]:
    """Every exercise, those of lessons that are still to come, too."""
    names = [path.stem for path in Path(checks.__file__).parent.glob("*lesson_*.py")]
    found = {e.exercise_id: e for name in names for e in import_module(f"{checks.__name__}.{name}").EXERCISES}
    return [found[name] for name in sorted(found)]


OWN = {exercise.exercise_id: exercise for exercise in exercises() if exercise.own_arguments}


@pytest.mark.parametrize("lesson", ["04", "05", "06", "07"])
def test_all_exercises_of_these_lessons_have_own_data(lesson):
    of_lesson = [exercise for exercise in exercises() if exercise.exercise_id.startswith(lesson)]
    assert of_lesson
    assert [exercise.exercise_id for exercise in of_lesson if exercise.own_arguments is None] == []


@pytest.mark.parametrize("name", OWN)
def test_results_that_were_typed_in_fit_their_own_seed_only(name):
    reference, own_arguments = OWN[name].reference, OWN[name].own_arguments
    on_own_data = Exercise("00.own", "", 1, 1, reference, [], own_arguments)  # no behaviour besides
    results = []

    def watched(*arguments):
        results.append(reference(*arguments))
        return results[-1]

    def hint(seed):
        typed_in = iter(results)
        (finding,) = on_own_data.examine(lambda *arguments: next(typed_in), variant=seed)
        return finding.hint

    (finding,) = on_own_data.examine(watched, variant=5)
    assert finding.hint is None
    assert hint(5) is None, "the same seed has to give the same data"
    for seed in (6, 77, 4_000_000_000):
        assert "data made for you alone" in str(hint(seed))
