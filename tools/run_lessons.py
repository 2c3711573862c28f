"""Execute the learners' notebooks and report on each: `make lessons`. The committed files stay as they are.

Only `--keep` changes them: a notebook that was built without outputs (`make notebooks OPTIONS=--no-execute`) gets those
of this run, so that a lesson is executed once and not twice where its time is to be known as well.
"""

import argparse
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from benchmarks import page as speed_page
from course_utils.paths import data_folder
from course_utils.teaching.run_times import COMMAND
from experiments.claims import write_json
from tools.build_notebooks import is_executed, write_clean
from tools.execution import Run, execute
from tools.lesson_source import LessonError
from tools.project import Project

# Asked of the kernel in a last cell that exists in the copy only.
PEAK_MEMORY = """\
import pathlib, re, resource, sys
status = pathlib.Path("/proc/self/status")
if status.exists():
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]) / 1e6
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9
print(f"{peak:.1f} GB")"""


@dataclass
class Report:
    """What one execution of a lesson showed."""

    lesson: str
    run: Run
    title: str = ""
    slowest: tuple[float, int, str] = (0.0, 0, "")  # seconds, number, first line of the slowest cell
    memory: str = ""
    closing_table: str = ""
    error: str = ""


def run_lesson(path: Path, fast: bool, keep: bool = False) -> Report:
    """Execute a copy of the notebook in a temporary folder.

    Args:
        path: the learner's notebook.
        fast: with few training steps.
        keep: give the notebook the outputs if it has none.
    """
    report = Report(path.stem, Run())
    if not path.exists():
        report.error = "Its notebook is not built yet: run `make notebooks`."
        return report
    with tempfile.TemporaryDirectory() as folder:
        notebook = nbformat.read(shutil.copy(path, folder), as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(PEAK_MEMORY))
        try:
            report.run = execute(notebook, Path(folder), fast)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            report.error = str(error)
            return report
    report.memory = _text(notebook.cells.pop()).strip()
    number, seconds = max(report.run.cell_seconds.items(), key=lambda item: item[1])
    report.slowest = (seconds, number, _headline(notebook.cells[number]))
    lines = (line for cell in notebook.cells for line in cell.source.splitlines())
    report.title = next(line.removeprefix("# ") for line in lines if line.startswith("# "))
    tables = [cell for cell in notebook.cells if "closing-table" in cell.metadata.get("tags", [])]
    report.closing_table = "\n".join(_text(cell) for cell in tables).strip()
    if keep and not is_executed(path):
        try:
            write_clean(notebook, path)
        except LessonError as error:
            report.error = str(error)
    return report


def _headline(cell: NotebookNode) -> str:
    """The first line of a cell that says something."""
    lines = [line.strip() for line in cell.source.splitlines()]
    return next((line for line in lines if line and not line.startswith(("import ", "from "))), "")[:70]


def _text(cell: NotebookNode) -> str:
    """What a cell shows, as plain text."""
    shown = [(output.get("text"), output.get("data", {})) for output in cell.get("outputs", [])]
    parts = (text or data.get("text/markdown") or data.get("text/plain", "") for text, data in shown)
    return "\n".join(part.rstrip() for part in parts)


def show(report: Report) -> None:
    print(f"\n── {report.lesson} " + "─" * max(0, 90 - len(report.lesson)))
    if report.error:
        print(f"FAILED\n{report.error}")
        return
    seconds, number, line = report.slowest
    print(f"{report.run.seconds:.0f} s in all · peak memory {report.memory}")
    print(f"slowest: cell {number}, {seconds:.1f} s: {line}")
    print(report.closing_table or "(no cell is tagged closing-table)")


def record(reports: Iterable[Report], all_names: Sequence[str]) -> None:
    """Store the times in data/results/run_times.json; the site and docs/speed.md show them.

    Args:
        reports: of lessons that were run now; those of the others stay.
        all_names: every lesson of the course, in order.

    Raises:
        ValueError: if a lesson has not been run here with the same versions, now or before.
    """
    path = data_folder("results") / "run_times.json"
    machine = {"machine": f"{os.cpu_count()} cores, {platform.machine()}, no GPU"}
    machine |= {"python": platform.python_version(), "torch": metadata.version("torch")}
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if {key: stored.get(key) for key in machine} != machine:
        stored = {}
    entries = {entry["name"]: entry for entry in stored.get("lessons", [])}
    steps = stored.get("training_step_seconds")
    for report in reports:
        entries[report.lesson] = {
            "name": report.lesson,
            "title": report.title,
            "seconds": round(report.run.seconds, 1),
            "slowest": {"seconds": round(report.slowest[0], 1), "source": report.slowest[2]},
            "memory": report.memory,
        }
        if step := re.search(r"one training step +(\d+) ms", report.closing_table):
            steps = int(step[1]) / 1000
    if missing := [name for name in all_names if name not in entries]:
        missed = f"no time of {', '.join(missing)} with these versions on such a machine"
        raise ValueError(f"{missed}; run all: `{COMMAND}`.")
    found = {"command": COMMAND, **machine, "training_step_seconds": steps}
    write_json(path, {**found, "lessons": [entries[name] for name in all_names]})
    speed_page.write()


def main(arguments: list[str] | None = None, project: Project | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.run_lessons", description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", help='which lessons, by name or its beginning ("02"); default: all')
    parser.add_argument("--fast", action="store_true", help="fewer training steps (WHERE_TO_LOOK_FAST=1)")
    parser.add_argument("--record", action="store_true", help="store the times for the site's page")
    parser.add_argument("--keep", action="store_true", help="give notebooks without outputs those of this run")
    options, project = parser.parse_args(arguments), project or Project()
    for name in ("keep", "record"):
        if options.fast and getattr(options, name):
            parser.error(f"--{name} is for lessons at full length")
    reports = []
    for source in project.lesson_sources(options.lessons):
        print(f"running {source.stem} …", flush=True)
        reports.append(run_lesson(project.learner_notebooks / f"{source.stem}.ipynb", options.fast, options.keep))
        show(reports[-1])
    failed = [report.lesson for report in reports if report.error]
    total = sum(report.run.seconds for report in reports)
    print(f"\n{len(reports) - len(failed)} of {len(reports)} lessons ran, {total:.0f} s in all.")
    if failed:
        print(f"Failed: {', '.join(failed)}")
    elif options.record:
        try:
            record(reports, [source.stem for source in project.lesson_sources()])
        except ValueError as error:
            print(f"The times are not stored: {error}")
            return 1
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
