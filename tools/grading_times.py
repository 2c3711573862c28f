"""How long a class takes to grade: `python -m tools.grading_times --write`.

Practice classes of several sizes are graded by the instructors' own commands, two submissions at a time.
data/results/grading.json keeps the times; docs/instructors.md says what they are and what a class of 500 would take.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from course_utils.experiments.claims import write_json
from course_utils.files import write_whole
from course_utils.paths import data_folder
from tools.project import ROOT

KEPT = data_folder("results") / "grading.json"
PAGE = ROOT / "docs" / "instructors.md"
BEGIN, END = "<!-- times: begin (written by `python -m tools.grading_times --write`) -->", "<!-- times: end -->"
CLASSES = {"00": (10, 60), "02": (10, 30)}
"""Lesson → sizes of the classes. Lesson 0 has one exercise; lesson 2 is as long as a lesson is."""
SECONDS, CLASS, MANY = 300, 30, 500
"""At most so many seconds for a class of so many; and a class that nobody waits for here."""


def grade_class(lesson: str, students: int, folder: Path) -> dict:
    """Release, let so many invented students hand in, collect, and time the grading.

    Returns:
        `students`, `seconds` of wall time and of the processor, both of the command `autograde` from start to end.
    """
    grading = [sys.executable, "-m", "tools.grading", "--course", str(folder / "class")]

    def run(*words: str) -> str:
        done = subprocess.run([*grading, *words], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    upload = str(folder / "upload.zip")
    run("release", lesson, "--no-trial")
    run("practice", lesson, "--students", str(students), "--to", upload)
    run("collect", upload)
    before, wall = os.times(), time.perf_counter()
    said = run("autograde", "--jobs", "2")
    seconds, after = time.perf_counter() - wall, os.times()
    graded = int(re.search(r"(\d+) graded", said)[1])
    if graded != students:
        raise RuntimeError(f"{graded} of {students} submissions were graded:\n{said}")
    busy = after.children_user - before.children_user + after.children_system - before.children_system
    return {"students": students, "seconds": round(seconds, 1), "processor_seconds": round(busy, 1)}


def measure() -> dict:
    """Grade every class of `CLASSES`."""
    lessons = {}
    for lesson, sizes in CLASSES.items():
        lessons[lesson] = []
        for students in sizes:
            with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
                lessons[lesson].append(grade_class(lesson, students, Path(folder)))
            print(f"lesson {lesson}: {lessons[lesson][-1]}", flush=True)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return {"command": "python -m tools.grading_times --write", "machine": machine, "lessons": lessons}


def line_through(runs: list[Mapping]) -> tuple[float, float]:
    """Seconds to start and seconds for each further submission, from the smallest and the largest class."""
    first, last = runs[0], runs[-1]
    each = (last["seconds"] - first["seconds"]) / (last["students"] - first["students"])
    return first["seconds"] - each * first["students"], each


def passage(found: Mapping) -> str:
    """What the page says."""
    rows = ["| lesson | submissions | minutes | each further one | so 500 take about |", "|---|---|---|---|---|"]
    for lesson, runs in found["lessons"].items():
        start, each = line_through(runs)
        largest, many = runs[-1], (start + MANY * each) / 60
        minutes = f"{largest['seconds'] / 60:.1f}"
        rows.append(f"| {int(lesson)} | {largest['students']} | {minutes} | {each:.1f} s | {many:.0f} minutes |")
    told = f"Measured on {found['machine']}, two submissions at a time; a third each is right, wrong and untouched."
    after = (
        "The rest is the start: the sandbox imports the course once. Time grows in a straight line with the class, and "
        "falls with `--jobs` as long as there are cores. An answer that runs into its limit adds that limit."
    )
    return "\n\n".join([told, "\n".join(rows), after])


def with_times(text: str, found: Mapping) -> str:
    """The page with today's times.

    Raises:
        ValueError: if it has no place for them.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{PAGE.name} has no place for the times; expected one line {BEGIN!r} and one {END!r}.")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{passage(found)}\n\n{END}{rest.partition(END)[2]}"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m tools.grading_times", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="keep the times and bring docs/instructors.md up to date")
    options = parser.parse_args(arguments)
    (ROOT / "build").mkdir(exist_ok=True)
    found = measure()
    print(passage(found))
    if options.write:
        write_json(KEPT, found)
        write_whole(PAGE, with_times(PAGE.read_text(encoding="utf-8"), found).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
