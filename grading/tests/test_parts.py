"""Collecting odd file names, restoring tests, choosing what is run; and every lesson can be an assignment."""

import json
import os
import shutil
import zipfile

import nbformat
import pytest

from grading.__main__ import main
from grading.collect import collect
from grading.course import Course, GradingError, Student, safe_name
from grading.export import _harmless
from grading.restore import Unreadable, bound, plan, read, used
from tools.exercises import lessons_with_exercises
from tools.project import Project

ROSTER = [
    Student("u1", "Groß", "Žofie", "zofie.gross@example.org"),
    Student("u2", "Lee", "Ann", "ann@example.org"),
    Student("u3", "Lee", "Bo", "bo@example.org"),
]
ASSIGNMENT = {
    "name": "00_start_here",
    "lesson": "00_start_here",
    "settings": "import torch\nfrom course import check",
    "plain": ["words = [1, 2]", "print(words)"],
    "exercises": {
        "mean": {
            "names": ["mean"],
            "stub": "def mean(x):\n    raise NotImplementedError",
            "tests": [
                {"id": "mean-check", "points": 1.0, "source": "check(mean)", "shown": "check(mean)", "hidden": False},
                {"id": "mean-hidden", "points": 1.0, "source": "assert mean(3)", "shown": "# More\n", "hidden": True},
            ],
        }
    },
}


def notebook(*cells: tuple[str, str]) -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook()
    for name, source in cells:
        metadata = {"nbgrader": {"grade_id": name}} if name else {}
        made.cells.append(nbformat.v4.new_code_cell(source, metadata=metadata))
    return made


MEAN = ("mean", "def mean(x):\n    return x")
CHECK, HIDDEN = ("mean-check", "check(mean)"), ("mean-hidden", "# More\n")


def sources(made) -> list[str]:
    return [step.source for step in made.steps[1:]]


def test_only_what_the_tests_need_is_run():
    made = plan(
        notebook(
            ("", "words = [1, 2]"),
            ("", "import os; os._exit(1)"),
            ("", "def half(x):\n    return x / len(words)"),
            ("mean", "def mean(x):\n    words_here = half(x)\n    return words_here"),
            CHECK,
            HIDDEN,
            ("", "while True: pass"),
        ),
        ASSIGNMENT,
    )
    assert made.notes == []
    run = sources(made)
    assert run[0] == "words = [1, 2]" and run[1].startswith("def half") and run[2].startswith("def mean")
    assert run[3:] == ["check(mean)", "assert mean(3)"]


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        ([MEAN, HIDDEN], "mean-check was deleted"),
        ([MEAN, ("mean-check", "print('all right')"), HIDDEN], "mean-check was edited"),
        ([MEAN, CHECK, CHECK, HIDDEN], "stands there 2 times"),
        ([CHECK, HIDDEN], "found nowhere"),
        ([("", MEAN[1]), CHECK, HIDDEN], "found in another cell"),
        ([MEAN, MEAN, CHECK, HIDDEN], "answered in 2 cells"),
    ],
)
def test_the_released_tests_run_once_and_a_note_says_what_was_done(cells, note):
    made = plan(notebook(*cells), ASSIGNMENT)
    assert note in " ".join(made.notes)
    assert sources(made)[-2:] == ["check(mean)", "assert mean(3)"]
    assert sources(made).count("check(mean)") == 1


def test_an_answer_that_reaches_for_the_courses_own_is_for_a_person_to_see():
    reach = "from course_utils.exercises import find_exercise\nmean = find_exercise('00.mean').reference"
    assert plan(notebook(("mean", reach), CHECK, HIDDEN), ASSIGNMENT).look


NO_NOTEBOOKS = [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b'{"cells": 3}', b'{"cells": [], "metadata": {}}']


@pytest.mark.parametrize("text", NO_NOTEBOOKS)
def test_what_is_no_notebook_is_said_to_be_none(text):
    with pytest.raises(Unreadable, match="Your (file|notebook)"):
        read(text)


def test_names_that_a_cell_binds_and_takes():
    cell = "import a.b\nfrom c import d as e\nx, y = 1, 2\ndef f(z):\n    g = z\n%matplotlib inline"
    assert bound(cell) == {"a", "e", "x", "y", "f"}
    assert used("def f(z):\n    g = z + outer\n    return g\nprint(f)") == {"outer", "print", "f"}
    assert bound("def broken(") == used("def broken(") == set()


@pytest.fixture
def course(tmp_path):
    class WithRoster(Course):
        def roster(self):
            return ROSTER

    return WithRoster(tmp_path / "class")


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("Žofie Groß_4711_assignsubmission_file_/00_start_here.ipynb", "u1"),
        ("Z\u030cofie Groß_4711_assignsubmission_file_/x.ipynb", "u1"),  # decomposed, as macOS writes it
        ("leebo_late_1234_98765_00_start_here-2.ipynb", "u3"),
        ("ann@example.org/00_start_here (1).ipynb", "u2"),
        ("u2_00_start_here.ipynb", "u2"),
        ("homework u3 final.ipynb", "u3"),
        ("bo/00_start_here.ipynb.txt", "u3"),
        ("Lee/00_start_here.ipynb", None),  # there are two of this name
        ("nobody/00_start_here.ipynb", None),
    ],
)
def test_whose_a_file_is(course, tmp_path, path, student):
    file = tmp_path / "upload" / path
    file.parent.mkdir(parents=True)
    file.write_text("whatever it holds")
    found = collect(course, tmp_path / "upload", ASSIGNMENT, [])
    assert course.submitted("00_start_here") == ([student] if student else [])
    assert len(found.unplaced) == (student is None)
    stored = list((course.root / "unplaced").glob("*")) if student is None else [course.submission(student, ASSIGNMENT)]
    assert stored[0].read_text() == "whatever it holds"
    assert found.missing == [item.id for item in ROSTER if item.id != student]


def test_the_latest_of_several_counts_and_the_earlier_is_stored(course, tmp_path):
    for number, name in enumerate(("u1.ipynb", "u1 (1).ipynb")):
        path = tmp_path / "upload" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"version {number}")
        os.utime(path, (1e9 + number, 1e9 + number))
    found = collect(course, tmp_path / "upload", ASSIGNMENT, [])
    assert course.submission("u1", ASSIGNMENT).read_text() == "version 1"
    assert len(found.superseded) == 1
    assert [path.read_text() for path in (course.root / "earlier").rglob("*.ipynb")] == ["version 0"]


def test_links_and_paths_that_lead_out_are_not_followed(course, tmp_path):
    (tmp_path / "private.ipynb").write_text("private")
    (tmp_path / "upload").mkdir()
    (tmp_path / "upload" / "u1.ipynb").symlink_to(tmp_path / "private.ipynb")
    found = collect(course, tmp_path / "upload", ASSIGNMENT, [])
    assert "links are not followed" in found.unplaced[0] and course.submitted("00_start_here") == []
    with zipfile.ZipFile(tmp_path / "upload.zip", "w") as archive:
        archive.writestr("../../../u2/../../00_start_here.ipynb", "from outside")
    before = set(tmp_path.parent.iterdir())
    collect(course, tmp_path / "upload.zip", ASSIGNMENT, [])
    assert set(tmp_path.parent.iterdir()) == before


def test_a_file_of_another_lesson_waits_for_its_turn(course, tmp_path):
    other = ASSIGNMENT | {"name": "01_other", "exercises": {"gru": {}}}
    (tmp_path / "upload").mkdir()
    (tmp_path / "upload" / "u1_00_start_here.ipynb").write_text(nbformat.writes(notebook(("gru", "x = 1"))))
    assert collect(course, tmp_path / "upload", ASSIGNMENT, [other]).placed == []
    assert len(collect(course, tmp_path / "upload", other, [ASSIGNMENT]).placed) == 1


def test_what_is_no_folder_is_said_to_be_none(course, tmp_path):
    with pytest.raises(GradingError, match="neither a folder nor a zip"):
        collect(course, tmp_path / "nothing", ASSIGNMENT, [])


def test_names_stay_inside_their_folder_and_are_no_formulas():
    assert safe_name("../../etc/passwd") == "_.._etc_passwd" and safe_name("..") == ""
    assert safe_name("Z\u030cofie") == "Žofie"
    assert _harmless("=cmd()") == "'=cmd()" and _harmless(-3) == -3 and _harmless("Ann") == "Ann"


@pytest.mark.timeout(1500)
@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_every_lesson_can_be_released_and_gives_its_own_answers_all_points(tmp_path, capsys):
    """`release` grades the course's answers and the stubs; it fails unless they get all points and none."""
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "students.csv").write_text("id,first_name\nu1,Žofie\nu2,Ann\n", encoding="utf-8")
    lessons = lessons_with_exercises(Project())
    assert main(["--course", str(folder), "release", *lessons, "--variants"]) == 0, capsys.readouterr().err
    course = Course(folder)
    assert [course.assignment(name)["number"] for name in course.assignments()] == lessons
    for name in course.assignments():
        texts = [(folder / "release" / student / name / f"{name}.ipynb").read_text() for student in ("u1", "u2")]
        seeds = [str(course.seed(student, name)) for student in ("u1", "u2")]
        assert seeds[0] in texts[0] and seeds[1] in texts[1] and seeds[0] not in texts[1]
        for text in texts:
            assert "BEGIN HIDDEN" not in text and "BEGIN SOLUTION" not in text


def test_a_choice_of_exercises_leaves_the_others_as_practice(tmp_path):
    folder = tmp_path / "class"
    arguments = ["--course", str(folder), "release", "01", "--exercises", "01.gru-step", "--no-trial"]
    assert main(arguments) == 0
    (name,) = Course(folder).assignments()
    assert list(Course(folder).assignment(name)["exercises"]) == ["gru-step"]
    text = (folder / "release" / name / f"{name}.ipynb").read_text()
    cells = json.loads(text)["cells"]
    graded = {cell["metadata"]["nbgrader"]["grade_id"] for cell in cells if "nbgrader" in cell["metadata"]}
    assert graded == {"gru-step", "gru-step-check", "gru-step-hidden"}
    assert "BEGIN SOLUTION" not in text and 'check(\\"01.masked-loss\\"' in text
    assert main([*arguments[:4], "--exercises", "01.nothing", "--no-trial"]) == 1


def test_a_roster_without_ids_is_refused(tmp_path):
    (tmp_path / "students.csv").write_text("name\nAnn\n")
    with pytest.raises(GradingError, match="expected id"):
        Course(tmp_path).roster()
