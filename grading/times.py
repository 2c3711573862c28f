"""How long a class takes to grade: `python -m grading.times --write`.

Practice classes of several sizes are graded by the instructors' own commands, two submissions at a time.
data/results/grading.json stores the times; docs/instructors.md says what they are and what a class of 500 would take.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from course_utils.files import write_whole
from course_utils.paths import data_folder
from course_utils.regions import with_region
from experiments.claims import write_json
from tools.project import ROOT, Project

STORED = data_folder("results") / "grading.json"
PAGE = ROOT / "docs" / "instructors.md"
BEGIN, END = "<!-- times: begin (written by `python -m grading.times --write`) -->", "<!-- times: end -->"
CLASS, SECONDS = 30, 300
"""Every lesson is tried with so many submissions, which may take so many seconds."""
LONGEST, SIZES = "02", (10, 30, 100, 500)
"""One lesson is tried with classes of these sizes."""


def grade_class(lesson: str, students: int, folder: Path) -> dict:
    """Release, let so many invented students hand in, collect, and time the grading.

    Returns:
        `students`, and `seconds` of wall time of the command `autograde` from start to end.
    """
    grading = [sys.executable, "-m", "grading", "--course", str(folder / "class")]

    def run(*words: str) -> str:
        done = subprocess.run([*grading, *words], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    upload = str(folder / "upload.zip")
    run("release", lesson, "--no-trial")
    run("practice", lesson, "--students", str(students), "--to", upload)
    run("collect", upload)
    started = time.perf_counter()
    said = run("autograde", "--jobs", "2")
    seconds = time.perf_counter() - started
    graded = int(re.search(r"(\d+) graded", said)[1])
    if graded != students:
        raise RuntimeError(f"{graded} of {students} submissions were graded:\n{said}")
    return {"students": students, "seconds": round(seconds, 1)}


def measure(lessons: Sequence[str]) -> dict:
    """Grade a class of `CLASS` in every lesson, and classes of all `SIZES` in one.

    Args:
        lessons: two digits each.
    """
    runs: dict[str, list[dict]] = {}
    for lesson in lessons:
        runs[lesson] = []
        for students in SIZES if lesson == LONGEST else (CLASS,):
            with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
                runs[lesson].append(grade_class(lesson, students, Path(folder)))
            print(f"lesson {lesson}: {runs[lesson][-1]}", flush=True)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return {"command": "python -m grading.times --write", "machine": machine, "lessons": runs}


def seconds_each(smaller: Mapping, larger: Mapping) -> float:
    """Seconds for each submission that the larger class has more."""
    return (larger["seconds"] - smaller["seconds"]) / (larger["students"] - smaller["students"])


def in_class(runs: Sequence[Mapping]) -> float:
    """Seconds that a class of `CLASS` took."""
    return next(run["seconds"] for run in runs if run["students"] == CLASS)


def passage(found: Mapping) -> str:
    """What the page says."""
    runs = found["lessons"]
    slowest = max(runs, key=lambda lesson: in_class(runs[lesson]))
    first, last = runs[LONGEST][0], runs[LONGEST][-1]
    start = first["seconds"] - seconds_each(first, last) * first["students"]
    steps = [seconds_each(*two) for two in pairwise(runs[LONGEST])]
    lines = ["| submissions of lesson 2 | seconds | so each takes |", "|---|---|---|"]
    lines += [
        f"| {run['students']} | {run['seconds']:.0f} | {run['seconds'] / run['students']:.1f} s |"
        for run in runs[LONGEST]
    ]
    told = (
        f"Measured on {found['machine']}, with two submissions at a time; a third each is right, wrong and untouched. "
        f"{CLASS} submissions of a lesson take {in_class(runs[slowest]):.0f} s at the most (lesson {int(slowest)})."
    )
    after = (
        f"About {start:.0f} s are the start: the sandbox imports the course once. From one class to the next larger "
        f"one each further submission takes {min(steps):.2f} to {max(steps):.2f} s. An answer that runs into its limit "
        "adds that limit."
    )
    return "\n\n".join([told, "\n".join(lines), after])


def with_times(text: str, found: Mapping) -> str:
    """The page with today's times.

    Raises:
        ValueError: if it has no place for them.
    """
    return with_region(text, BEGIN, END, passage(found), PAGE.name)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(prog="python -m grading.times", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="store the times and bring docs/instructors.md up to date")
    options = parser.parse_args(arguments)
    (ROOT / "build").mkdir(exist_ok=True)
    found = measure([source.stem[:2] for source in Project().lesson_sources()])
    print(passage(found))
    if options.write:
        write_json(STORED, found)
        write_whole(PAGE, with_times(PAGE.read_text(encoding="utf-8"), found).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
