"""From whatever was handed in to what is run: a student's own cells that the tests need, and the tests as released.

Test cells of a submission are never run. They are recognised by name or by source, dropped, and replaced by the
released ones; a note says so if they were edited, doubled or deleted.
"""

import builtins
import symtable
from dataclasses import dataclass, field

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode


class Unreadable(Exception):
    """No notebook can be made of a file; the message is for the student."""


@dataclass
class Step:
    """A cell to run, or a test of an exercise.

    `cell` is its number in the submission; None for what the course adds.
    """

    kind: str  # "settings", "cell", "check" or "hidden"
    source: str
    exercise: str = ""
    test: dict | None = None
    cell: int | None = None


@dataclass
class Plan:
    """What is run, in order, and what the student should know about the cells."""

    steps: list[Step]
    notes: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)  # exercise -> the student's code
    look: list[str] = field(default_factory=list)  # for the instructor


OWN_ANSWERS = ("exercises.lesson_", "find_exercise", ".reference", "_getframe", "gc.get_")


def read(text: str | bytes) -> NotebookNode:
    """Parse a submission.

    Raises:
        Unreadable: it is no notebook.
    """
    advice = "Hand in the file NAME.ipynb that you worked in; open it in JupyterLab first to see that it is whole."
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        notebook = nbformat.reads(text, as_version=4)
        cells = [cell for cell in notebook.cells if isinstance(cell.get("source"), str)]
    except Exception as error:  # a broken file can break the reader in any way
        kind = "it is not JSON" if "JSON" in type(error).__name__ + str(error) else "its structure is broken"
        if isinstance(error, UnicodeDecodeError):
            kind = "it is not text in UTF-8"
        raise Unreadable(f"Your file could not be read as a notebook: {kind}. {advice}") from None
    if not cells:
        raise Unreadable(f"Your notebook has no cells. {advice}")
    for cell in cells:
        if not isinstance(cell.get("metadata"), dict):
            cell["metadata"] = NotebookNode()
        if not isinstance(cell.metadata.get("nbgrader", {}), dict):
            del cell.metadata["nbgrader"]
    notebook.cells = cells
    return notebook


def grade_id(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def plan(notebook: NotebookNode, assignment: dict) -> Plan:
    """Say what is to be run for a submission."""
    exercises, tests = assignment["exercises"], {}
    for exercise in exercises.values():
        tests |= {test["id"]: test for test in exercise["tests"]}
    made = Plan([])
    own = _own_cells(notebook, tests, made)
    released = [(number, source) for number, source in own if source in assignment["plain"]]
    changed = [(number, source) for number, source in own if source not in assignment["plain"]]
    ids = {grade_id(notebook.cells[number]): number for number, _ in changed if grade_id(notebook.cells[number])}
    wanted: dict[int, str] = {}
    places: dict[str, int] = {}
    for name, exercise in exercises.items():
        answers = [number for number, source in changed if set(exercise["names"]) & bound(source)]
        if not answers and name in ids:  # it cannot be parsed, or its function was renamed
            answers = [ids[name]]
        elif name not in ids:
            made.notes.append(
                f"The cell of exercise {name} was deleted or lost its name. "
                + ("Its function was found in another cell." if answers else "Its function was found nowhere.")
            )
        sources = dict(changed)
        wanted |= {number: sources[number] for number in answers}
        places[name] = max(answers, default=len(notebook.cells))
        if answers:
            made.answers[name] = "\n\n".join(sources[number] for number in answers)
            if len(answers) > 1:
                made.notes.append(f"Exercise {name} is answered in {len(answers)} cells; the last one counts.")
    wanted = _with_what_they_need(wanted, changed, released, bound(assignment["settings"]))
    made.steps = [Step("settings", assignment["settings"])]
    for number in [*range(len(notebook.cells)), len(notebook.cells)]:
        if number in wanted:
            made.steps.append(Step("cell", wanted[number], cell=number))
        for name, exercise in exercises.items():
            if places[name] == number:
                made.steps += [
                    Step("hidden" if test["hidden"] else "check", test["source"], name, test)
                    for test in exercise["tests"]
                ]
    for source in wanted.values():
        made.look += [f"an answer mentions {word}" for word in OWN_ANSWERS if word in source]
    return made


def _own_cells(notebook: NotebookNode, tests: dict[str, dict], made: Plan) -> list[tuple[int, str]]:
    """The code cells that are no test cells, with a note on each test cell that is not as it was released."""
    own, seen = [], dict.fromkeys(tests, 0)
    for number, cell in enumerate(notebook.cells):
        name = grade_id(cell)
        if name not in tests:  # without its name, for instance after a platform took all names off
            same = [other for other, test in tests.items() if cell.source.strip() == test["shown"].strip()]
            name = next((other for other in same if not seen[other]), same[0] if same else "")
        if name in tests:
            seen[name] += 1
            if cell.source.strip() not in (tests[name]["shown"].strip(), tests[name]["source"].strip()):
                made.notes.append(f"The test cell {name} was edited; it was put back as it was released.")
        elif cell.cell_type == "code" and "bootstrap" not in cell.metadata.get("tags", []):
            own.append((number, cell.source))
    for name, count in seen.items():
        if count > 1:
            made.notes.append(f"The test cell {name} stands there {count} times; it counts once.")
        if count == 0:
            made.notes.append(f"The test cell {name} was deleted; it was put back.")
    return own


def _with_what_they_need(wanted: dict[int, str], changed: list, released: list, given: set[str]) -> dict[int, str]:
    """Add the cells that define names which wanted cells use: the student's own, else the nearest of the lesson's."""
    wanted = dict(wanted)
    waiting = list(wanted)
    while waiting:
        number = waiting.pop()
        for name in used(wanted[number]) - set(vars(builtins)):
            found = [(n, source) for n, source in changed if name in bound(source) or "import *" in source]
            if not found and name not in given:
                found = [(n, source) for n, source in released if n < number and name in bound(source)][-1:]
            for n, source in found:
                if n not in wanted:
                    wanted[n] = source
                    waiting.append(n)
    return wanted


def _table(source: str) -> symtable.SymbolTable | None:
    try:
        return symtable.symtable(TransformerManager().transform_cell(source), "cell", "exec")
    except (SyntaxError, ValueError):
        return None


def bound(source: str) -> set[str]:
    """Names that a cell defines at its top level; none if it cannot be parsed."""
    table = _table(source)
    symbols = table.get_symbols() if table else []
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def used(source: str) -> set[str]:
    """Names that a cell, or a function in it, takes from the notebook."""
    table = _table(source)
    waiting, names = [table] if table else [], set()
    while waiting:
        scope = waiting.pop()
        top = scope.get_type() == "module"
        names |= {s.get_name() for s in scope.get_symbols() if s.is_referenced() and (top or s.is_global())}
        waiting += scope.get_children()
    return names
