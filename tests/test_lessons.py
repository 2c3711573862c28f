"""The registry of lessons: found in order, with title, exercises and experiment; nothing of them is imported."""

import subprocess
import sys

import pytest

from course_utils.lessons import find_lessons
from tools.project import Project


def test_lessons_are_found_in_order_and_other_files_are_not(tmp_path):
    for name, text in (
        ("10_later.py", "# %% [markdown]\n# Words.\n#\n# # 10 · Later: an *idea*\n#\n# ## Part\n"),
        ("09_plain.py", "x = 1\n"),
        ("notes.py", ""),
        ("9_odd.py", ""),
        ("09_plain.md", "# No source"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    first, second = find_lessons(tmp_path)
    assert (first.number, first.stem, first.title) == ("09", "09_plain", "09_plain")
    assert (second.number, second.title) == ("10", "10 · Later: an *idea*")
    assert not second.has_exercises and not second.has_experiment
    assert find_lessons(tmp_path / "none") == ()


def test_the_numbers_have_no_gap():
    lessons = find_lessons()
    assert [lesson.number for lesson in lessons] == [f"{number:02}" for number in range(len(lessons))]
    assert all(lesson.has_exercises for lesson in lessons)
    assert [lesson.number for lesson in lessons if not lesson.has_experiment] == ["00"]
    assert all(lesson.title.startswith(f"{int(lesson.number)} · ") for lesson in lessons[1:])


def test_a_project_elsewhere_has_its_own_lessons(tmp_path):
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "05_other.py").write_text("")
    project = Project(tmp_path)
    assert [source.name for source in project.lesson_sources(["05"])] == ["05_other.py"]
    with pytest.raises(SystemExit, match="No lesson is called '06'. The lessons are: 05_other"):
        project.lesson_sources(["06"])
    with pytest.raises(ValueError, match="lesson 05 has no 05_other.ipynb; build it: make notebooks LESSONS=05"):
        project.learner_notebook(project.listed_lessons[0])


def test_asking_imports_neither_experiments_nor_torch():
    code = (
        "import sys; from course_utils.lessons import find_lessons; "
        "[(one.title, one.has_exercises, one.has_experiment) for one in find_lessons()]; "
        "sys.exit(bool({'experiments', 'torch', 'course_utils.exercises'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
