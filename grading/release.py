"""Make an assignment of a lesson: choose exercises, let nbgrader cut out solutions and hidden tests, keep the tests."""

import ast
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import ClearSolutions

from grading.course import Course, GradingError, digest, max_score, write
from tools.lesson_source import build_instructor
from tools.project import ROOT, Project


def release(course: Course, source: Path, exercises: list[str], due: datetime | None, variants: bool) -> dict:
    """Release one lesson.

    Args:
        course: the class.
        source: the lesson's percent script.
        exercises: those that count ("01.gru-step"); none: all. The others stay as practice.
        due: with its time zone; None: no date.
        variants: give each student of the roster their own data.

    Returns:
        The assignment, as stored in CLASS/assignments.

    Raises:
        GradingError: an unknown exercise, no roster, or nbgrader refused.
    """
    name, lesson = source.stem, source.stem.partition("_")[0]
    students = course.roster()
    if variants and not students:
        raise GradingError(f"--variants needs the students' ids in {course.roster_file} (a column id).")
    notebook = build_instructor(source, Project())
    _keep_exercises(notebook, lesson, exercises, course)
    write(course.root / "source" / name / f"{name}.ipynb", nbformat.writes(notebook))
    write(course.root / "nbgrader_config.py", (ROOT / "nbgrader_config.py").read_text(encoding="utf-8"))
    with Gradebook(course.gradebook_address) as gradebook:
        gradebook.update_or_create_assignment(name, duedate=_in_utc(due))
        for student in students:
            names = {"first_name": student.first_name, "last_name": student.last_name, "email": student.email}
            gradebook.update_or_create_student(student.id, **names)
    answer = NbGraderAPI(config=course.config()).generate_assignment(name, force=True)
    if not answer["success"]:
        words = answer.get("error") or answer.get("log") or ""
        raise GradingError(f"nbgrader could not release {name}: {words.strip()[-800:]}")
    released = nbformat.read(course.root / "release" / name / f"{name}.ipynb", as_version=4)
    assignment = _describe(name, lesson, notebook, released)
    assignment |= {"due": due.isoformat() if due else None, "variants": variants}
    write(course.root / "assignments" / f"{name}.json", json.dumps(assignment, indent=1, ensure_ascii=False))
    for student in students if variants else []:
        own = nbformat.from_dict(released)
        place = next(i for i, cell in enumerate(own.cells) if "settings" in cell.metadata.get("tags", [])) + 1
        own.cells.insert(place, _seed_cell(course.seed(student.id, name)))
        own.metadata["where_to_look"] = {"student": student.id}
        write(course.root / "release" / student.id / name / f"{name}.ipynb", nbformat.writes(own))
    return assignment


def _in_utc(due: datetime | None) -> datetime | None:
    """nbgrader keeps times in UTC, without saying so."""
    return due.astimezone(UTC).replace(tzinfo=None) if due else None


def _seed_cell(seed: int) -> NotebookNode:
    lines = [
        "# Your own data: `check` tries your answers on them, too.",
        "from course_utils.exercises import use_variant",
        "",
        f"use_variant({seed})",
    ]
    return nbformat.v4.new_code_cell("\n".join(lines), id="own-data", metadata={"deletable": False, "editable": False})


def _keep_exercises(notebook: NotebookNode, lesson: str, wanted: list[str], course: Course) -> None:
    """Take the grading off exercises that do not count; their stubs and checks stay."""
    known = [c.metadata.nbgrader.grade_id for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution")]
    chosen = [exercise.removeprefix(f"{lesson}.") for exercise in wanted]
    for exercise in chosen:
        if exercise not in known:
            names = ", ".join(f"{lesson}.{name}" for name in known) or "none"
            raise GradingError(f"Lesson {lesson} has no exercise {exercise!r}. It has: {names}.")
    if not known:
        raise GradingError(f"Lesson {lesson} has no exercises, so there is nothing to grade.")
    if not chosen:
        return
    clear, cells = ClearSolutions(config=course.config()), []
    for cell in notebook.cells:
        grading = cell.metadata.get("nbgrader")
        if grading is not None and _exercise_of(cell) not in chosen:
            if grading.grade_id.endswith("-hidden"):
                continue
            if grading.solution:
                clear._replace_solution_region(cell, "python")
            del cell.metadata["nbgrader"]
        cells.append(cell)
    notebook.cells = cells


def _exercise_of(cell: NotebookNode) -> str:
    name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    return name.removesuffix("-check").removesuffix("-hidden")


def _describe(name: str, lesson: str, notebook: NotebookNode, released: NotebookNode) -> dict:
    """What grading needs to know, without nbgrader: the settings, the plain cells, the exercises with their tests."""
    shown = {cell.metadata.nbgrader.grade_id: cell.source for cell in released.cells if "nbgrader" in cell.metadata}
    exercises: dict[str, dict] = {}
    plain, settings = [], ""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or "bootstrap" in tags:
            continue
        if "settings" in tags:
            settings = cell.source
        elif "nbgrader" not in cell.metadata:
            plain.append(cell.source)
            continue
        else:
            grading = cell.metadata.nbgrader
            exercise = exercises.setdefault(_exercise_of(cell), {"tests": []})
            if grading.solution:
                kinds, body = (ast.FunctionDef, ast.ClassDef), ast.parse(cell.source).body
                names = [node.name for node in body if isinstance(node, kinds)]
                exercise |= {"names": names, "stub": shown[grading.grade_id]}
            else:
                test = {"id": grading.grade_id, "points": float(grading.points), "source": cell.source}
                hidden = grading.grade_id.endswith("-hidden")
                exercise["tests"].append({**test, "shown": shown[grading.grade_id], "hidden": hidden})
    core = {"name": name, "lesson": name, "number": lesson}
    core |= {"settings": settings, "plain": plain, "exercises": exercises}
    return core | {"digest": digest(core)}


def on_trial(assignment: dict, course: Course, grade: Callable[[dict, str], dict]) -> None:
    """Grade the course's own answers and the untouched release: all points and none.

    Args:
        grade: `grading.run.grade` with a sandbox.

    Raises:
        GradingError: either gets other points; then a cell that the tests need is missing.
    """
    for folder, expected in (("source", max_score(assignment)), ("release", 0.0)):
        path = course.root / folder / assignment["name"] / f"{assignment['name']}.ipynb"
        result = grade(assignment, path.read_text(encoding="utf-8"))
        if abs(result["score"] - expected) > 1e-6:
            words = "; ".join(f"{test['id']}: {test['message']}" for test in result["tests"] if test["message"])
            raise GradingError(
                f"On trial, the {folder} notebook of {assignment['name']} got {result['score']:g} points and should "
                f"get {expected:g}. {words}"
            )
