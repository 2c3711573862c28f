"""From a lesson's percent script to its instructor and learner notebooks. Nothing is executed here.

CONTRIBUTING.md describes the short-hand that a lesson uses (exercise=, check=, hidden=, points=, tags=).
"""

import ast
import hashlib
import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config, PyFileConfigLoader

from tools.exercise_texts import expand_exercises
from tools.generated_cells import BOOTSTRAP_METADATA, badge_row, bootstrap_source
from tools.project import ROOT, Project

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py"},  # nbconvert --to script needs the extension
}
# The order in which nbgrader's own generate_assignment applies them.
TO_LEARNER = [
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
]
ROLES = ("exercise", "check", "hidden")
TAG_NAMES = {
    "exact": ["nbval-check-output"],
    "varies": ["nbval-ignore-output"],
    "settings": ["settings", "parameters", "nbval-ignore-output"],  # papermill's values go below the cell "parameters"
    "closing-table": ["closing-table", "nbval-ignore-output"],
}
"""Tags of a lesson, and what they are in its notebooks; others stay as they are."""
HIDDEN_NOTE = "# More tests run here when this notebook is graded."


class LessonError(Exception):
    """A lesson's source breaks one of the conventions in CONTRIBUTING.md."""


def build_instructor(source: Path, project: Project) -> NotebookNode:
    """The complete notebook: solutions, hidden tests, nbgrader metadata; no outputs."""
    script = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    cells = []
    for number, cell in enumerate(script.cells):
        try:
            cells.append(_expand(cell))
        except LessonError as error:
            first_line = cell.source.strip().partition("\n")[0]
            raise LessonError(f"{source.name}, cell {number} ({first_line!r}): {error}") from None
    expand_exercises(source.stem[:2], cells)
    _add_generated_cells(source, cells, project)
    _name_cells(cells)
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=NOTEBOOK_METADATA)
    notebook.nbformat_minor = 5
    nbformat.validate(notebook)
    return notebook


def build_learner(instructor: NotebookNode) -> NotebookNode:
    """What learners open: nbgrader's own steps cut out solutions and hidden tests and lock the tests."""
    notebook = nbformat.from_dict(instructor)
    resources: dict = {}
    config = _nbgrader_config()
    for preprocessor in TO_LEARNER:
        notebook, resources = preprocessor(config=config).preprocess(notebook, resources)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution"):
            _require_harmless_stub(cell)
    return notebook


def _expand(cell: NotebookNode) -> NotebookNode:
    """One cell of the script with its short-hand turned into nbgrader and nbval metadata."""
    given = {key: value for key, value in cell.metadata.items() if not key.startswith("lines_to_")}  # jupytext's own
    metadata: dict = {}
    tags = [name for tag in given.pop("tags", []) for name in TAG_NAMES.get(tag, [tag])]
    if tags:
        metadata["tags"] = tags
    roles = [role for role in ROLES if role in given]
    if len(roles) > 1:
        raise LessonError(f"it is {' and '.join(roles)} at once; a cell has one role")
    if cell.cell_type == "code" and roles:
        metadata["nbgrader"] = _grading(roles[0], given.pop(roles[0]), given.pop("points", None), cell)
    if given:
        raise LessonError(f"it has the unknown key {sorted(given)[0]!r}; known are {', '.join(ROLES)}, points, tags")
    if cell.cell_type == "code":
        return nbformat.v4.new_code_cell(cell.source, metadata=metadata)
    if cell.cell_type == "markdown":
        return nbformat.v4.new_markdown_cell(cell.source, metadata=metadata)
    raise LessonError(f"cells of type {cell.cell_type!r} are not used here; write code or [markdown]")


def _grading(role: str, exercise: str, points: float | None, cell: NotebookNode) -> dict:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", str(exercise)):
        raise LessonError(f"{role}={exercise!r}: an exercise is named in small letters, digits and hyphens, no dot")
    is_exercise = role == "exercise"
    if is_exercise and "BEGIN SOLUTION" not in cell.source:
        raise LessonError("an exercise holds its answer between ### BEGIN SOLUTION and ### END SOLUTION")
    if is_exercise and points:
        raise LessonError("points belong to the check and hidden cells; an exercise cell has none, or 0")
    if role == "hidden":
        if "BEGIN HIDDEN TESTS" not in cell.source:
            raise LessonError("hidden tests stand between ### BEGIN HIDDEN TESTS and ### END HIDDEN TESTS")
        if cell.source.lstrip().startswith("### BEGIN HIDDEN TESTS"):
            cell.source = f"{HIDDEN_NOTE}\n{cell.source}"
    grading = {
        "schema_version": 3,
        "grade_id": exercise if is_exercise else f"{exercise}-{role}",
        "grade": not is_exercise,
        "solution": is_exercise,
        "locked": not is_exercise,
        "task": False,
    }
    if not is_exercise:
        if points is None:
            raise LessonError(f"a {role} cell says what it is worth: points=2")
        grading["points"] = points
    return grading


def _add_generated_cells(source: Path, cells: list[NotebookNode], project: Project) -> None:
    """Put the badge row under the title and the bootstrap cell after it."""
    first = cells[0] if cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        raise LessonError(f"{source.name}: the first cell is markdown and starts with the lesson's title, '# …'")
    title, _, rest = first.source.partition("\n")
    first.source = f"{title}\n\n{badge_row(project, source.stem)}\n\n{rest.strip()}".rstrip()
    first.id = "title"
    bootstrap = nbformat.v4.new_code_cell(bootstrap_source(project), metadata=BOOTSTRAP_METADATA)
    bootstrap.id = "bootstrap"
    cells.insert(1, bootstrap)


def _name_cells(cells: list[NotebookNode]) -> None:
    """Give every cell an id that a rebuild repeats: its grade id, or a digest of its source."""
    taken: set[str] = set()
    for cell in cells:
        if cell.id in ("title", "bootstrap"):
            name = cell.id
        elif "nbgrader" in cell.metadata:
            name = cell.metadata.nbgrader.grade_id
            if name in taken:
                raise LessonError(f"two cells have the role and name of {name!r}")
        else:
            name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        copies, unique = 1, name
        while unique in taken:
            copies += 1
            unique = f"{name}-{copies}"
        taken.add(unique)
        cell.id = unique


def _nbgrader_config() -> Config:
    """The settings that nbgrader itself reads, so that its release and ours have the same stubs."""
    return PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()


def _require_harmless_stub(cell: NotebookNode) -> None:
    """A stub may raise when it is called, never when its cell is run."""
    name = cell.metadata.nbgrader.grade_id
    try:
        waiting: list[ast.AST] = list(ast.parse(cell.source).body)
    except SyntaxError as error:
        raise LessonError(f"exercise {name!r}: the learner's stub is no valid Python: {error}") from None
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Raise):
            raise LessonError(f"exercise {name!r}: BEGIN SOLUTION must stand inside a function, so that the stub runs")
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
