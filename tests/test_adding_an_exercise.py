"""A new exercise touches two files, the lesson and the exercise's module; everything else is derived from them."""

import re
import shutil
import sys
from pathlib import Path

import pytest

import course_utils.exercises as package
from course_utils.exercises import check, find_exercise, registry
from course_utils.exercises.revealing import help_from, solution_of
from tools import exercises as tables
from tools.build_notebooks import build
from tools.project import ROOT, Project
from tools.study_time import section_minutes

FIXTURES = Path(__file__).parent / "fixtures"
CELLS = '''
# %% [markdown]
# ## Spread
#
# ### Exercise span
#
# The span is the largest value minus the smallest. It follows [[mean]].

# %% exercise="span"
def span(values):
    """Return the largest value minus the smallest."""
    ### BEGIN SOLUTION
    largest = values.amax()
    return largest - values.amin()
    ### END SOLUTION

# %% check="span" points=2
check("99.span", span)

# %% hidden="span" points=1
### BEGIN HIDDEN TESTS
assert span(torch.tensor([1.0, 5.0])) == 4
### END HIDDEN TESTS
'''
MODULE = '''
import torch

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, differentiable


def span(values):
    """Subtract the smallest value from the largest."""
    return values.amax() - values.amin()


EXERCISE = Exercise(
    Task("99.span", "Measure the span", 2, 4),
    span,
    lambda generator, length=5: (torch.randn(length, generator=generator),),
    cases=[Case("Negative values count, too.", (torch.tensor([-2.0, 1.0, 3.5]),))],
    demands=[differentiable("values")],
    mistakes=[Mistake("You forgot the smallest value: subtract it.", lambda v: v.amax(), ask="And below zero?")],
    right=[lambda values: values.sort().values[-1] - values.sort().values[0]],
)
'''


def forget_exercises():
    for cached in (registry.lessons, registry.modules_of, registry.exercises_of):
        cached.cache_clear()
    for name in [name for name in sys.modules if "lesson_99" in name]:
        del sys.modules[name]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A course of one tiny lesson, to which the two files of a new exercise are added."""
    shutil.copytree(FIXTURES / "lessons", tmp_path / "lessons")
    shutil.copytree(FIXTURES / "exercises", tmp_path / "exercises")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "README.md").write_text(f"# Course\n\n{tables.BEGIN}\n{tables.END}\n")
    notes = tmp_path / "docs" / "instructor_notes"
    notes.mkdir(parents=True)
    (notes / "99.md").write_text("# Notes\n\n## Minutes\n\n## Common mistakes\n\n## Questions to discuss\n\nWhy?\n")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / "exercises")])
    monkeypatch.setattr("course_utils.exercises.revealing.data_folder", lambda name: tmp_path / name)
    lesson = tmp_path / "lessons" / "99_tiny.py"
    lesson.write_text(lesson.read_text() + CELLS)
    (tmp_path / "exercises" / "lesson_99" / "span.py").write_text(MODULE)
    forget_exercises()
    yield Project(tmp_path)
    forget_exercises()


def test_two_files_are_enough(project, capsys):
    lesson, module = CELLS.count("\n"), MODULE.count("\n")
    assert lesson < 30 and module < 30, "and short ones"
    assert "99" in registry.lessons() and set(registry.exercises_of("99")) == {"99.mean", "99.span"}
    exercise = find_exercise("99.span")
    assert check("99.span", exercise.reference) and not check("99.span", exercise.mistakes[0].make)
    assert "You forgot the smallest value" in capsys.readouterr().out
    assert help_from(exercise)[0] == ("the next step", "largest = values.amax()")
    assert solution_of("99.span").startswith("def span")


def test_the_notebook_says_what_the_exercise_says(project):
    instructor, learner = (built.notebook for built in build(*project.lesson_sources(), project))
    text = next(cell.source for cell in learner.cells if "### Exercise" in cell.source)
    assert "### Exercise 2 · Measure the span\n\n●●○ about 4 minutes\n" in text
    assert "It follows exercise 1." in text
    assert "*Also checked:* stays differentiable in `values`; leaves its arguments as they are." in text
    assert "amax" not in next(cell.source for cell in learner.cells if cell.id == "span")
    assert "amax" in next(cell.source for cell in instructor.cells if cell.id == "span")


def test_pages_and_minutes_follow(project):
    assert section_minutes(project, "99") == {"Spread": 4}
    files = tables.made(project)
    page, notes = files[project.root / tables.PAGE], files[project.root / tables.NOTES / "99.md"]
    assert "| 99.span | Measure the span | ●●○ | 4 | 3 | 3 | 1 of 1 | 1 of 1 |" in page
    assert "| 99.span | You forgot the smallest value: subtract it. | And below zero? |" in notes
    assert "| Spread | 4 |" in notes and notes.endswith("## Questions to discuss\n\nWhy?\n")
    readme = "| 99 | [A tiny lesson](notebooks/99_tiny.ipynb) | take the mean; measure the span | ½ hour |"
    assert readme in files[project.root / "README.md"]
    assert tables.main(["99"], project) == 0


def test_an_exercise_or_a_module_that_is_not_there_is_named(project):
    (source,) = project.lesson_sources()
    text = source.read_text()
    source.write_text(re.sub(r"\[\[mean\]\]", "[[median]]", text))
    with pytest.raises(KeyError, match="median"):
        build(source, project)
    source.write_text(text)
    (project.root / "exercises" / "lesson_99" / "span.py").unlink()
    forget_exercises()
    with pytest.raises(KeyError, match="99.span.*expected one of 99.mean"):
        build(source, project)
