"""The committed notebooks are what their lessons make, and the build keeps its promises."""

import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
import pytest
from nbconvert import ScriptExporter

from tools import build_notebooks, execution, run_lessons
from tools.build_notebooks import SIZE_LIMIT, build, check, first_difference, main, to_text
from tools.lesson_source import LessonError, build_instructor
from tools.project import ROOT, Project

PROJECT = Project()
SOURCES = PROJECT.lesson_sources()
LESSONS = [source.stem for source in SOURCES]
NOTEBOOKS = sorted([*PROJECT.learner_notebooks.glob("*.ipynb"), *PROJECT.instructor_notebooks.glob("*.ipynb")])
by_lesson = pytest.mark.parametrize("source", SOURCES, ids=LESSONS)
by_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT / "notebooks")))

# -------------------------------------------------------------------- the committed notebooks


@by_lesson
def test_committed_notebooks_match_their_lesson(source):
    complaints = [line for line in check([source], PROJECT) if source.stem in line]
    assert not complaints, f"{complaints}; run `make notebooks` and commit the result"


def test_no_notebook_is_left_without_a_lesson():
    assert build_notebooks.orphans(PROJECT) == []


@by_lesson
def test_two_builds_are_byte_identical(source):
    first, second = ([to_text(built.notebook) for built in build(source, PROJECT)] for _ in range(2))
    assert first == second


@by_notebook
def test_committed_notebook_is_fit_to_read(path):
    notebook = nbformat.read(path, as_version=4)
    assert path.stat().st_size <= SIZE_LIMIT
    assert execution.machine_paths(notebook) == []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code), "it holds cells without a run; use `make notebooks`"
    for cell in code:
        errors = [output.evalue for output in cell.outputs if output.output_type == "error"]
        assert not errors or "raises-exception" in cell.metadata.get("tags", []), f"cell {cell.id}: {errors}"
    assert path.read_text(encoding="utf-8") == to_text(notebook), "it was written by something else than the build"


@by_lesson
def test_lesson_keeps_the_conventions(source):
    cells = build_instructor(source, PROJECT).cells
    code = [cell for cell in cells if cell.cell_type == "code" and cell.id != "bootstrap"]
    for cell in code:
        lines = [line for line in cell.source.splitlines() if not line.startswith(("import ", "from "))]
        most = 40 if "(WordModel):" in cell.source else 30  # the lesson's model
        assert len(lines) <= most, f"cell {cell.id} has {len(lines)} lines without imports; expected at most {most}"
    tags = [tag for cell in code for tag in cell.metadata.get("tags", [])]
    assert tags.count("settings") == tags.count("parameters") == tags.count("closing-table") == 1
    tests = [cell for cell in code if cell.metadata.get("nbgrader", {}).get("grade")]
    ratio = (len(cells) - len(code) - 1) / max(1, len(code) - len(tests))
    if not 1 <= ratio <= 2:
        warnings.warn(f"{source.stem}: {ratio:.2f} text cells to a code cell, tests aside; aim at 1 to 2", stacklevel=1)


@by_lesson
def test_every_exercise_has_its_visible_and_hidden_test(source):
    marked = [cell.metadata.nbgrader for cell in build_instructor(source, PROJECT).cells if "nbgrader" in cell.metadata]
    names = [item.grade_id for item in marked]
    exercises = [item.grade_id for item in marked if item.solution]
    assert names == [name for exercise in exercises for name in (exercise, f"{exercise}-check", f"{exercise}-hidden")]


@by_lesson
def test_learners_see_neither_solutions_nor_hidden_tests(source):
    instructor, learner = (built.notebook for built in build(source, PROJECT))
    shown = "\n".join(cell.source for cell in learner.cells)
    assert "BEGIN SOLUTION" not in shown and "HIDDEN TESTS" not in shown
    for cell, stub in zip(instructor.cells, learner.cells, strict=True):
        for secret in re.findall(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)\s*### END", cell.source, re.DOTALL):
            assert secret.strip() and secret.strip() not in stub.source, f"cell {cell.id} still shows its secret"


# ------------------------------------------------------------ the build itself, on a tiny lesson


@pytest.fixture
def tiny(tmp_path) -> Project:
    """A checkout that holds nothing but one small lesson."""
    shutil.copytree(ROOT / "tests" / "fixtures" / "lessons", tmp_path / "lessons")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return Project(tmp_path)


def edit(project: Project, old: str, new: str, name: str = "lessons/99_tiny.py") -> None:
    path = project.root / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def read(project: Project, name: str = "notebooks/99_tiny.ipynb") -> nbformat.NotebookNode:
    return nbformat.read(project.root / name, as_version=4)


def cell_of(notebook, name: str) -> nbformat.NotebookNode:
    [found] = [cell for cell in notebook.cells if cell.id == name]
    return found


def test_build_runs_both_notebooks_and_keeps_outputs(tiny, capsys):
    assert main([], tiny) == 0
    learner, instructor = read(tiny), read(tiny, "notebooks/instructor/99_tiny.ipynb")
    assert cell_of(learner, "mean-check").outputs[0].text == "This exercise is not written yet.\n"
    assert cell_of(instructor, "mean-check").outputs[0].text == "Right.\n"
    assert [cell.outputs[0].text for cell in learner.cells if "steps" in cell.source] == ["20 steps\n"]
    assert [cell.outputs[0].text for cell in instructor.cells if "steps" in cell.source] == ["2 steps\n"]
    assert "execution" not in str([cell.metadata for cell in learner.cells])
    assert main(["--check"], tiny) == 0

    before = (tiny.root / "notebooks/99_tiny.ipynb").read_bytes()
    capsys.readouterr()
    assert main([], tiny) == 0
    assert capsys.readouterr().out.count("unchanged, outputs kept") == 2
    assert (tiny.root / "notebooks/99_tiny.ipynb").read_bytes() == before

    edit(tiny, "divided by its length", "divided by how many there are")
    assert main(["--check"], tiny) == 1 and main([], tiny) == 0 and main(["--check"], tiny) == 0
    assert capsys.readouterr().out.count("only text changed, outputs kept") == 2
    outputs = [[cell.get("outputs") for cell in notebook.cells] for notebook in (read(tiny), nbformat.reads(before, 4))]
    assert outputs[0] == outputs[1]
    edit(tiny, "divided by how many there are", "divided by its length")
    assert main([], tiny) == 0 and (tiny.root / "notebooks/99_tiny.ipynb").read_bytes() == before
    capsys.readouterr()

    edit(tiny, "6 * 7", "6 * 8")
    assert main(["--check"], tiny) == 1
    assert "notebooks/99_tiny.ipynb: cell 7 ('print(6 * 8)')" in capsys.readouterr().out
    assert main(["--no-execute"], tiny) == 0
    assert not any(cell.get("outputs") for cell in read(tiny).cells)

    report = run_lessons.run_lesson(tiny.root / "notebooks/99_tiny.ipynb", fast=True)
    assert not report.error and report.closing_table == "claim | verdict" and report.memory.endswith("GB")
    assert not build_notebooks.is_executed(tiny.root / "notebooks/99_tiny.ipynb")
    report = run_lessons.run_lesson(tiny.root / "notebooks/99_tiny.ipynb", fast=False, keep=True)
    assert build_notebooks.is_executed(tiny.root / "notebooks/99_tiny.ipynb") and main(["--check"], tiny) == 0
    kept = (tiny.root / "notebooks/99_tiny.ipynb").read_bytes()
    assert main(["--force"], tiny) == 0 and (tiny.root / "notebooks/99_tiny.ipynb").read_bytes() == kept


def test_hand_edits_are_noticed(tiny, capsys):
    assert main(["--no-execute"], tiny) == 0
    edit(tiny, "divided by its length", "divided by two", "notebooks/99_tiny.ipynb")
    assert main(["--check"], tiny) == 1
    assert "cell 3 ('The mean of a list" in capsys.readouterr().out
    (tiny.root / "notebooks/98_gone.ipynb").write_text(to_text(nbformat.v4.new_notebook()))
    (tiny.root / "notebooks/instructor/99_tiny.ipynb").unlink()
    complaints = check(tiny.lesson_sources(), tiny)
    assert "notebooks/98_gone.ipynb: no lesson makes this notebook" in complaints
    assert "notebooks/instructor/99_tiny.ipynb: the file is missing" in complaints


def test_failed_lesson_leaves_the_committed_notebook_alone(tiny, capsys):
    assert main(["--no-execute"], tiny) == 0
    before = (tiny.root / "notebooks/99_tiny.ipynb").read_bytes()
    edit(tiny, "print(6 * 7)", 'raise ValueError("broken on purpose")')
    assert main([], tiny) == 1
    assert "broken on purpose" in capsys.readouterr().out
    assert (tiny.root / "notebooks/99_tiny.ipynb").read_bytes() == before


def test_badges_and_bootstrap_come_from_address_and_version_in_pyproject(tiny):
    address = tiny.repository
    [source] = tiny.lesson_sources()
    assert address not in source.read_text(encoding="utf-8")
    edit(tiny, address, "https://github.com/somebody/elsewhere", "pyproject.toml")
    edit(tiny, tiny.tag.removeprefix("v"), "7.8.9", "pyproject.toml")
    for built in build(source, tiny):
        title, bootstrap = built.notebook.cells[:2]
        slug = address.removeprefix("https://github.com/")
        assert slug not in title.source + bootstrap.source
        assert "colab.research.google.com/github/somebody/elsewhere/blob/v7.8.9/notebooks/99_tiny.ipynb" in title.source
        assert "mybinder.org/v2/gh/somebody/elsewhere/v7.8.9?" in title.source
        assert '"https://github.com/somebody/elsewhere@v7.8.9"' in bootstrap.source


def test_lessons_never_write_the_address():
    for source in SOURCES:
        assert PROJECT.repository not in source.read_text(encoding="utf-8"), source.name


def test_other_tools_find_what_they_need(tiny):
    """nbconvert the ending of a script, papermill the cell to put values below, strict nbval what varies."""
    learner = build(tiny.lesson_sources()[0], tiny)[1].notebook
    script, resources = ScriptExporter().from_notebook_node(learner)
    assert resources["output_extension"] == ".py" and compile(script, "99_tiny.py", "exec")
    tags = {cell.source.partition("\n")[0]: cell.metadata.get("tags", []) for cell in learner.cells}
    assert [line for line, names in tags.items() if "parameters" in names and "settings" in names] == ["import os"]
    varies = [names for names in tags.values() if "nbval-ignore-output" in names]
    assert [names[0] for names in varies] == ["bootstrap", "settings", "closing-table"]


def test_lesson_0_says_which_of_its_outputs_are_of_one_machine():
    """Strict nbval compares all others: no version, time or size of a machine may be among them."""
    notebook = nbformat.read(PROJECT.learner_notebooks / "00_start_here.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and "nbval-ignore-output" not in cell.metadata.get("tags", []):
            text = " ".join(output.get("text", "") for output in cell.outputs)
            assert not re.search(r"\d ms\b|\d s\b|\d min |\d GB|thread|torch \d|Python \d", text), cell.id


def test_short_hand_becomes_nbgrader_metadata(tiny):
    [source] = tiny.lesson_sources()
    instructor, learner = (built.notebook for built in build(source, tiny))
    exercise, visible, hidden = (cell_of(learner, name) for name in ("mean", "mean-check", "mean-hidden"))
    assert exercise.metadata.nbgrader.solution and not exercise.metadata.nbgrader.grade
    assert exercise.metadata.get("editable", True)
    for cell, points in ((visible, 2), (hidden, 3)):
        grading = cell.metadata.nbgrader
        assert grading.grade and grading.locked and grading.points == points and grading.schema_version == 3
        assert cell.metadata.editable is False
    assert hidden.source == "# More tests run here when this notebook is graded."
    assert "assert mean([5]) == 5" in cell_of(instructor, "mean-hidden").source
    assert any(cell.metadata.get("tags") == ["nbval-check-output"] for cell in learner.cells)
    assert len({cell.id for cell in learner.cells}) == len(learner.cells)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('exercise="mean"', 'exercise="99.mean"', "small letters, digits and hyphens"),
        ('check="mean" points=2', 'check="mean"', "points=2"),
        ('check="mean"', 'check="mean" hidden="mean"', "a cell has one role"),
        ('exercise="mean" points=0', 'exercise="mean" points=5', "an exercise cell has none"),
        ('tags=["exact"]', 'tag="exact"', "unknown key 'tag'"),
        ("# # A tiny lesson", "# A tiny lesson", "starts with the lesson's title"),
        ("    ### BEGIN SOLUTION\n", "    ### BEGIN\n", "between ### BEGIN SOLUTION"),
        ("### BEGIN HIDDEN TESTS\n", "", "between ### BEGIN HIDDEN TESTS"),
        ("def mean(values):", "if values := [1]:", "must stand inside a function"),
        ('check="mean"', 'hidden="mean"', "between ### BEGIN HIDDEN TESTS"),
    ],
)
def test_broken_conventions_are_named(tiny, old, new, message):
    edit(tiny, old, new)
    with pytest.raises(LessonError, match=re.escape(message)):
        build(tiny.lesson_sources()[0], tiny)


def test_unknown_lessons_are_answered_with_the_known_ones(tiny):
    with pytest.raises(SystemExit, match="No lesson is called '07'. The lessons are: 99_tiny"):
        main(["07"], tiny)


def test_outputs_lose_this_machines_paths_and_foreign_ones_are_found():
    here = f"{ROOT}/course_utils/x.py and {Path.home()}/notes"
    output = nbformat.v4.new_output("stream", name="stdout", text=f"{here}\n 10%|#\r100%|##\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])
    execution.clean_outputs(notebook)
    assert notebook.cells[0].outputs[0].text == "where-to-look/course_utils/x.py and ~/notes\n100%|##\n"
    assert execution.machine_paths(notebook) == []
    notebook.cells[0].outputs[0].text = "saved to /home/somebody/model.pt"
    assert execution.machine_paths(notebook) == ["cell 0: /home/somebody/model.pt"]


def test_first_difference_sees_a_changed_number_of_cells(tiny):
    built = build(tiny.lesson_sources()[0], tiny)[1]
    path = tiny.root / "shorter.ipynb"
    path.write_text(to_text(built.notebook))
    built.notebook.cells.pop()
    assert first_difference(built.notebook, path) == "it has 12 cells, its source makes 11"


def test_nbgrader_itself_releases_the_same_notebook(tiny):
    """The learner's notebook is what `nbgrader generate_assignment` makes of the instructor's."""
    assert main(["--no-execute"], tiny) == 0
    shutil.copy(ROOT / "nbgrader_config.py", tiny.root)
    (tiny.root / "source" / "tiny").mkdir(parents=True)
    shutil.copy(tiny.instructor_notebooks / "99_tiny.ipynb", tiny.root / "source" / "tiny")
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "--create", "tiny"]
    # nbgrader calls alembic by name: as in an activated environment, its folder is on the PATH.
    scripts = dict(os.environ, PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    answer = subprocess.run(command, cwd=tiny.root, env=scripts, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    assert first_difference(read(tiny), tiny.root / "release" / "tiny" / "99_tiny.ipynb") is None
