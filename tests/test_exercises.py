"""Every mistake of an exercise's list is rejected with its own hint, every right answer passes, whatever its style.

Mistakes and styles stand in the exercises themselves (`course_utils/exercises/lesson_NN/`); `python -m tools.exercises`
prints the counts. What follows after them holds for every exercise, whatever it asks.
"""

import inspect
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from course_utils.exercises import check, checked, find_exercise
from course_utils.exercises.engine import OWN_DATA
from course_utils.exercises.registry import exercises_of, lessons
from tools.exercises import exercise_ids, lessons_with_exercises, made
from tools.project import Project

FEWEST_MISTAKES, FEWEST_STYLES = 8, 2
LONGEST_MODULE, MOST_LINES, MOST_LINES_EACH = 350, 6000, 132  # of one module, of all exercises, of one on average
LARGE_SEED = 4_000_000_000
PROJECT = Project()

EXERCISES = {name: exercise for lesson in lessons() for name, exercise in exercises_of(lesson).items()}
by_exercise = pytest.mark.parametrize("name", EXERCISES)


def all_of(kind):
    """A parameter for each mistake or style of every exercise."""
    listed = [(name, number, EXERCISES[name], one) for name in EXERCISES for number, one in enumerate(kind(name))]
    return [pytest.param(exercise, one, id=f"{name}-{number}") for name, number, exercise, one in listed]


MISTAKES = all_of(lambda name: EXERCISES[name].mistakes)
STYLES = all_of(lambda name: [EXERCISES[name].reference, *EXERCISES[name].right])


def wrong(exercise, answer, variant=None):
    return [finding for finding in exercise.examine(answer, variant) if finding.hint is not None]


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_mistake_is_rejected_with_its_own_hint(exercise, mistake):
    found = wrong(exercise, mistake.make)
    assert found, "no case rejects it"
    assert mistake.hint in found[0].hint, f"{found[0].case}\n{found[0].hint}"
    # A typing error in the list itself must not pass for the mistake: it gives a result or breaks as a learner's would.
    errors = [exercise._run(mistake.make, case).error for case in exercise.all_cases()]
    assert not any(isinstance(error, NameError | AttributeError | SyntaxError) for error in errors)
    assert None in errors or all(isinstance(error, RuntimeError | IndexError) for error in errors)


@pytest.mark.parametrize(("exercise", "style"), STYLES)
def test_right_answer_passes(exercise, style):
    assert [wrong(exercise, style, seed) for seed in (1, 77, LARGE_SEED)] == [[], [], []]


@by_exercise
def test_exercise_has_mistakes_and_styles(name):
    exercise = EXERCISES[name]
    assert len(exercise.mistakes) >= FEWEST_MISTAKES and len(exercise.right) >= FEWEST_STYLES
    assert any(mistake.ask for mistake in exercise.mistakes), "say what an instructor may ask about one of them"
    says = [case.says for case in exercise.all_cases()]
    assert len(set(says)) == len(says), "two cases say the same"


@by_exercise
def test_a_result_is_compared_as_a_plain_copy_and_none_earns_nothing(name):
    """What a result defines itself, such as its own equality, has no say."""

    class Equal:
        def __eq__(self, other):
            return True

        __hash__ = None

    class Agreeing(Tensor):
        @classmethod
        def __torch_function__(cls, function, types, arguments=(), options=None):
            return True

    exercise = EXERCISES[name]
    assert len(wrong(exercise, lambda *arguments: None)) == len(exercise.all_cases())
    assert wrong(exercise, lambda *arguments: Equal())
    assert wrong(exercise, lambda *arguments: torch.zeros(2).as_subclass(Agreeing))


@by_exercise
def test_changed_arguments_cost_a_case(name):
    exercise, changed = EXERCISES[name], []

    def change(*arguments):
        result = exercise.reference(*arguments)
        changed.extend(filter(None, map(_spoil, arguments)))
        return result

    assert wrong(exercise, change) or not changed, "an argument was changed, and no case noticed"


def _spoil(argument):
    """Change an argument as a careless answer may; says whether there was anything to change."""
    if isinstance(argument, nn.Module):
        return bool(list(argument.requires_grad_(False).parameters()))
    if isinstance(argument, Tensor) and argument.numel() and not argument.requires_grad:
        return bool((argument.zero_() if bool(argument.any()) else argument.fill_(1)).numel())
    if isinstance(argument, list) and argument and isinstance(argument[0], Tensor):
        return _spoil(argument[0])
    if isinstance(argument, list | set | dict) and argument:
        argument.clear()
        return True
    return False


@by_exercise
def test_detached_answer_is_rejected_where_gradients_are_demanded(name):
    exercise = EXERCISES[name]
    demanded = [demand for demand in exercise.demands if "differentiable" in demand.statement]

    def detached(*arguments):
        result = exercise.reference(*arguments)
        if isinstance(result, Tensor):
            return result.detach()
        return tuple(item.detach() if isinstance(item, Tensor) else item for item in result)

    assert not demanded or "gradient" in wrong(exercise, detached)[0].case.lower()


@by_exercise
def test_results_that_were_typed_in_fail_on_other_data(name):
    """The same seed gives the same data of a learner's own, another seed gives others."""
    exercise = EXERCISES[name]

    def own(answer, seed):
        case = exercise.all_cases(seed)[-1]
        assert case.says == OWN_DATA
        return str(exercise._run(answer, case).value)

    results = []
    right = own(lambda *a: results.append(exercise.reference(*a)) or results[-1], 5)
    typed = [*results, *results]
    assert [own(lambda *a: typed.pop(0), seed) for seed in (5, 6)] == [right, right]
    assert own(exercise.reference, 6) != right


def test_copied_numbers_fail_on_data_of_ones_own():
    """An answer that looks up what it saw passes every case, and fails on other data."""
    exercise, table = find_exercise("00.masked-mean"), {}
    exercise.examine(lambda *a: table.setdefault(str(a), exercise.reference(*a)).clone())
    assert wrong(exercise, lambda *a: table[str(a)].clone()) == []
    assert wrong(exercise, lambda *a: table[str(a)].clone(), variant=5)[-1].case == OWN_DATA


@by_exercise
def test_empty_answer_is_met_with_a_friendly_line(name, capsys):
    def stub(*arguments):
        raise NotImplementedError("This exercise is not written yet.")

    assert check(name, stub) is False
    assert "not attempted yet" in capsys.readouterr().out
    assert checked(name, stub) is EXERCISES[name].reference


@pytest.mark.parametrize("lesson", lessons())
def test_lesson_holds_every_exercise_once(lesson):
    (source,) = PROJECT.lesson_sources([lesson])
    text = source.read_text(encoding="utf-8")
    for kind in ("exercise", "check", "hidden"):
        names = re.findall(rf'^# %% {kind}="([\w-]+)"', text, flags=re.MULTILINE)
        assert sorted(f"{lesson}.{name}" for name in names) == sorted(exercises_of(lesson)), f"{kind} cells"
    for name in exercise_ids(PROJECT, lesson):
        stub = re.search(rf'^# %% exercise="{name[3:]}"\ndef \w+\(([^)]*)\)', text, flags=re.MULTILINE)
        assert stub[1].split(", ") == EXERCISES[name].parameters, "messages name the learner's arguments"


def test_every_lesson_is_found():
    assert lessons() == lessons_with_exercises(PROJECT)
    assert lessons() == [lesson.number for lesson in PROJECT.listed_lessons if lesson.has_exercises]


def test_pages_say_what_the_exercises_say():
    stale = [path.name for path, text in made(PROJECT).items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run python -m tools.exercises --write and commit the result"


def test_modules_are_small():
    folder = Path(inspect.getsourcefile(find_exercise)).parent
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in folder.rglob("*.py")}
    assert max(lines.values()) <= LONGEST_MODULE
    written = sum(count for path, count in lines.items() if path.parent != folder)
    assert written <= min(MOST_LINES, MOST_LINES_EACH * len(EXERCISES))
