"""Grade what was collected: several submissions at a time, each result on disk first, then in nbgrader's gradebook."""

import ast
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import CheckCellMetadata, OverwriteCells, SaveAutoGrades

from grading.course import Course, GradingError, digest, write
from grading.restore import Unreadable, bound, grade_id, read
from grading.run import grade
from grading.sandbox import BASE_MODULES, Limits, Sandbox


def sandbox_for(assignments: list[dict], bubblewrap: str | None = None) -> Sandbox:
    """A sandbox that has imported what these lessons import."""
    modules = ["matplotlib.pyplot", *BASE_MODULES]
    for assignment in assignments:
        modules += [f"course_utils.exercises.lesson_{assignment['number']}", *_imported(assignment["settings"])]
    return Sandbox(modules, bubblewrap)


def _imported(source: str) -> list[str]:
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return names + [node.module for node in nodes if isinstance(node, ast.ImportFrom)]


@contextmanager
def only_one(course: Course) -> Iterator[None]:
    """Keep a second grading of the same class out; a lock left by a killed one does not count."""
    path = course.root / ".grading"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        owner = path.read_text(encoding="ascii").strip()
        if owner.isdigit() and _is_running(int(owner)):
            raise GradingError(f"Process {owner} is grading this class already. Wait for it, or end it.") from None
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()


def autograde(
    course: Course,
    assignment: dict,
    sandbox: Sandbox,
    limits: Limits,
    jobs: int,
    again: bool,
    report: Callable[[str, dict, bool], None],
) -> None:
    """Grade every submission of an assignment that has no result for this very file yet.

    Args:
        report: called as each is ready, with the student, the result, and whether it was there before.
    """
    students = course.submitted(assignment["name"])
    if not students:
        raise GradingError(f"Nobody has handed in {assignment['name']}. Run `collect` first.")
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting = {pool.submit(_grade_one, course, assignment, sandbox, limits, s, again): s for s in students}
        try:
            for done in as_completed(waiting):
                result, stored = done.result()
                _record(course, assignment, waiting[done], result)
                report(waiting[done], result, stored)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _grade_one(course: Course, assignment: dict, sandbox: Sandbox, limits: Limits, student: str, again: bool):
    """One result, from the disk or from the sandbox; on the disk when this returns."""
    path = course.submission(student, assignment)
    content = path.read_bytes() if path.is_file() else b""
    seed = course.seed(student, assignment["name"]) if assignment["variants"] else None
    state = digest([digest(content), assignment["digest"], seed, asdict(limits)])
    old = course.result(student, assignment["name"])
    if old and old["state"] == state and not again:
        return old, True
    try:
        result = grade(sandbox, limits, assignment, content, seed)
    except Exception as error:  # one submission must not stop the others
        raise GradingError(f"{student}: the grading itself failed: {type(error).__name__}: {error}") from error
    result |= {"student": student, "assignment": assignment["name"], "state": state, "sandbox": sandbox.contained}
    write(course.result_file(student, assignment["name"]), json.dumps(result, indent=1, ensure_ascii=False))
    return result, False


def _record(course: Course, assignment: dict, student: str, result: dict) -> None:
    """Put a result into nbgrader's gradebook, and the graded notebook where nbgrader's formgrader looks for it."""
    name = assignment["name"]
    stamp = course.submission(student, assignment).with_name("timestamp.txt")
    time = datetime.strptime(stamp.read_text().strip(), "%Y-%m-%d %H:%M:%S UTC") if stamp.is_file() else None
    with Gradebook(course.gradebook_address) as gradebook:
        gradebook.update_or_create_student(student)
        gradebook.update_or_create_submission(name, student, timestamp=time)
    notebook = _graded_notebook(course, assignment, student, result)
    about = {"db_url": course.gradebook_address, "student": student, "assignment": name}
    resources = {"nbgrader": about | {"notebook": assignment["lesson"]}}
    for preprocessor in (OverwriteCells, CheckCellMetadata, SaveAutoGrades):
        notebook, resources = preprocessor(config=course.config()).preprocess(notebook, resources)
    write(course.root / "autograded" / student / name / f"{assignment['lesson']}.ipynb", nbformat.writes(notebook))


def _graded_notebook(course: Course, assignment: dict, student: str, result: dict) -> NotebookNode:
    """The submission with the released tests and their results, as nbgrader would have it after running it."""
    source = nbformat.read(course.root / "source" / assignment["name"] / f"{assignment['lesson']}.ipynb", as_version=4)
    tests = {test["id"]: test for test in result["tests"]}
    official = {grade_id(cell): cell for cell in source.cells if grade_id(cell)}

    def released(name: str, text: str) -> NotebookNode:
        return nbformat.v4.new_code_cell(text, metadata={"nbgrader": official[name].metadata.nbgrader})

    try:
        notebook = read(course.submission(student, assignment).read_bytes())
    except (Unreadable, OSError):
        notebook = nbformat.v4.new_notebook(metadata=source.metadata)
    cells, answered = [], set()
    for cell in notebook.cells:
        name = grade_id(cell)
        if name in tests:
            continue
        exercise, defined = assignment["exercises"].get(name), bound(cell.source)
        if exercise and name not in answered and (not defined or set(exercise["names"]) & defined):
            answered.add(name)
            cells.append(released(name, cell.source))
        elif cell.cell_type == "code":
            cells.append(nbformat.v4.new_code_cell(cell.source))
        else:
            cells.append(nbformat.v4.new_markdown_cell(cell.source))
    missing = [name for name in assignment["exercises"] if name not in answered]
    cells += [released(name, "# This cell is missing in the submission.") for name in missing]
    for name, test in tests.items():
        cell = released(name, official[name].source)
        told = "\n".join([f"{'✗' if hint else '✓'} {said} {hint or ''}".rstrip() for said, hint in test["cases"]])
        text = "\n".join(part for part in (told, test["message"]) if part)
        if text:
            cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=text))
        points = {"text/plain": repr(test["points"])}
        cell.outputs.append(nbformat.v4.new_output("execute_result", data=points, execution_count=1))
        cells.append(cell)
    graded = nbformat.v4.new_notebook(cells=cells, metadata=source.metadata)
    graded.nbformat_minor = 5
    for number, cell in enumerate(graded.cells):
        cell.id = f"cell-{number}"
    return graded
