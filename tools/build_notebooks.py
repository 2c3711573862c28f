"""Build the notebooks from the lessons: `make notebooks`, or `python -m tools.build_notebooks --help`.

lessons/NAME.py  →  notebooks/instructor/NAME.ipynb  →  notebooks/NAME.ipynb

Outputs are kept while a notebook's code is unchanged, whatever happens to its text; otherwise it is executed anew.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools.execution import clean_outputs, execute, machine_paths
from tools.lesson_source import NOTEBOOK_METADATA, LessonError, build_instructor, build_learner
from tools.project import Project

SIZE_LIMIT = 2_000_000  # bytes of one notebook: above it code hosts stop rendering


@dataclass
class Built:
    """One notebook as its source describes it, and where it is committed."""

    path: Path
    notebook: NotebookNode
    fast: bool  # the instructor's is executed with fewer steps


def build(source: Path, project: Project) -> list[Built]:
    """The instructor's and the learner's notebook of one lesson, without outputs."""
    instructor = build_instructor(source, project)
    name = f"{source.stem}.ipynb"
    return [
        Built(project.instructor_notebooks / name, instructor, fast=True),
        Built(project.learner_notebooks / name, build_learner(instructor), fast=False),
    ]


def to_text(notebook: NotebookNode) -> str:
    """The file's text: sorted keys, one space of indentation, a newline at the end."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def first_difference(built: NotebookNode, path: Path) -> str | None:
    """Where the committed notebook departs from its source, outputs and execution counts aside."""
    if not path.exists():
        return "the file is missing"
    committed = nbformat.read(path, as_version=4)
    if committed.metadata != built.metadata:
        return "the notebook's metadata differ"
    if (committed.nbformat, committed.nbformat_minor) != (built.nbformat, built.nbformat_minor):
        return "the format's version differs"
    for number, (old, new) in enumerate(zip(committed.cells, built.cells, strict=False)):
        for part in ("cell_type", "source", "id", "metadata"):
            if old.get(part) != new.get(part):
                first_line = new.source.partition("\n")[0][:60]
                return f"cell {number} ({first_line!r}): its {part} differs"
    if len(committed.cells) != len(built.cells):
        return f"it has {len(committed.cells)} cells, its source makes {len(built.cells)}"
    return None


def is_executed(path: Path) -> bool:
    cells = nbformat.read(path, as_version=4).cells
    return all(cell.execution_count is not None for cell in cells if cell.cell_type == "code")


def code_of(notebook: NotebookNode) -> list[str]:
    """What a run computes: the code of all cells but the set-up, which a new version changes."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code" and cell.id != "bootstrap"]


def take_outputs(built: Built) -> bool:
    """Give a notebook the outputs of the committed one if that ran the same code; returns whether it did."""
    if not built.path.exists() or not is_executed(built.path):
        return False
    committed = nbformat.read(built.path, as_version=4)
    if code_of(committed) != code_of(built.notebook):
        return False
    cells = (cell for cell in committed.cells if cell.cell_type == "code")
    for cell in built.notebook.cells:
        if cell.cell_type == "code":
            ran = next(cells)
            cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    return True


def orphans(project: Project) -> list[Path]:
    """Committed notebooks that no lesson makes."""
    stems = {source.stem for source in project.lesson_sources()}
    folders = (project.learner_notebooks, project.instructor_notebooks)
    return [path for folder in folders for path in sorted(folder.glob("*.ipynb")) if path.stem not in stems]


def check(sources: list[Path], project: Project) -> list[str]:
    """One line for each notebook that is not what its lesson makes."""
    complaints = [f"{path.relative_to(project.root)}: no lesson makes this notebook" for path in orphans(project)]
    for source in sources:
        for built in build(source, project):
            difference = first_difference(built.notebook, built.path)
            if difference:
                complaints.append(f"{built.path.relative_to(project.root)}: {difference}")
    return complaints


def rebuild(built: Built, project: Project, run: bool, force: bool) -> str:
    """Write one notebook and say in a word what was done."""
    if not force and first_difference(built.notebook, built.path) is None and (is_executed(built.path) or not run):
        return "unchanged, outputs kept"
    built.path.parent.mkdir(parents=True, exist_ok=True)
    word = "written without outputs"
    if not force and take_outputs(built):
        word = "only text changed, outputs kept"
    elif run:
        word = f"executed in {execute(built.notebook, built.path.parent, built.fast).seconds:.0f} s"
    write_clean(built.notebook, built.path)
    return word


def write_clean(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook, with what belongs to this machine or run removed from its outputs.

    Raises:
        LessonError: if an output holds a path of this machine, or it would be too large.
    """
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    clean_outputs(notebook)
    leaks = machine_paths(notebook)
    if leaks:
        raise LessonError("an output holds a path of this machine: " + "; ".join(leaks[:5]))
    text = to_text(notebook)
    if len(text.encode()) > SIZE_LIMIT:
        size = len(text.encode()) / 1e6
        raise LessonError(f"it would take {size:.1f} MB of at most {SIZE_LIMIT / 1e6:.0f} MB: make its outputs smaller")
    path.write_text(text, encoding="utf-8")


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.build_notebooks", description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", help='which lessons, by name or its beginning ("02"); default: all')
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a committed notebook has drifted")
    parser.add_argument("--no-execute", action="store_true", help="write changed notebooks without outputs")
    parser.add_argument("--force", action="store_true", help="execute anew although nothing changed")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None, project: Project | None = None) -> int:
    options, project = parse_arguments(arguments), project or Project()
    sources = project.lesson_sources(options.lessons)
    try:
        if options.check:
            complaints = check(sources, project)
            for complaint in complaints:
                print(complaint)
            print("Run `make notebooks` and commit the result." if complaints else "The notebooks match their lessons.")
            return int(bool(complaints))
        plan = [built for source in sources for built in build(source, project)]
    except LessonError as error:
        print(error, file=sys.stderr)
        return 1
    failed = False
    for built in plan:
        name = built.path.relative_to(project.root)
        print(f"{name} … ", end="", flush=True)
        try:
            print(rebuild(built, project, run=not options.no_execute, force=options.force))
        except (LessonError, CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failed = True
            print(f"FAILED, not written\n{error}")
    for path in orphans(project):
        print(f"{path.relative_to(project.root)}: no lesson makes this notebook; delete it if its lesson is gone")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
