"""Where the exercises are: every module of `course_utils/exercises/lesson_NN/` is looked into, nothing is listed."""

import importlib
import pkgutil
from functools import cache

from course_utils import exercises as package
from course_utils.exercises.engine import Exercise


@cache
def lessons() -> list[str]:
    """The numbers of the lessons with exercises."""
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return sorted(name.removeprefix("lesson_") for name in names if name.startswith("lesson_"))


@cache
def modules_of(lesson: str) -> list[str]:
    """The names of the modules that hold a lesson's exercises; none for a lesson without."""
    if lesson not in lessons():
        return []
    folder = importlib.import_module(f"{package.__name__}.lesson_{lesson}")
    return [module.name for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}.")]


@cache
def exercises_of(lesson: str) -> dict[str, Exercise]:
    """A lesson's exercises by id."""
    modules = [importlib.import_module(name) for name in modules_of(lesson)]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Exercise)]
    return {exercise.exercise_id: exercise for exercise in found if exercise.exercise_id.startswith(f"{lesson}.")}


def find_exercise(exercise_id: str) -> Exercise:
    """Look an exercise up by its id, "NN.short-name".

    Raises:
        KeyError: if there is no such exercise; names those of the lesson.
    """
    lesson = exercise_id.split(".")[0]
    known = exercises_of(lesson)
    if not known:
        raise KeyError(f"exercise_id is {exercise_id!r}; lesson {lesson!r} has no exercises.")
    if exercise_id not in known:
        raise KeyError(f"exercise_id is {exercise_id!r}; expected one of {', '.join(known)}.")
    return known[exercise_id]
