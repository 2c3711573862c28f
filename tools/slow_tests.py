"""The slowest tests and why each may take its time: `python -m tools.slow_tests build/tests.xml --write`.

The report is what `make test OPTIONS=--junitxml=build/tests.xml` leaves; the table goes into CONTRIBUTING.md.
"""

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from course_utils.regions import with_region
from tools.project import ROOT

SHOWN = 20
BEGIN, END = "<!-- slow tests: begin (written by `python -m tools.slow_tests`) -->", "<!-- slow tests: end -->"
REASONS = {
    "notebooks.": "a cell that trains or evaluates: notebooks run whole, as a learner runs them",
    "notebooks.instructor.": "the same with every exercise solved and few training steps",
    "grading.tests.": "starts the sandbox and grades real submissions of real lessons",
    "tests.test_adding_an_exercise": "builds notebooks of a lesson with a new exercise",
    "tests.test_bench": "makes every system that a lesson trains live; imports run in fresh interpreters",
    "tests.test_bootstrap": "sets up a fresh environment, as the first cell does in Colab",
    "tests.test_cards": "evaluates every checkpoint anew, as its card says",
    "tests.test_claims": "repeats the first steps of every training behind a stored result",
    "tests.test_data_worlds": "makes every synthetic world, and each again in another process",
    "tests.test_documented_commands": "starts a fresh Python for each command that a page names",
    "tests.test_environment": "starts JupyterLab, and Binder's own tool",
    "tests.test_exercises": "tries every mistake and every right answer of every exercise",
    "tests.test_gallery": "makes the images of the gallery from all notebooks",
    "tests.test_lesson_0": "trains a lesson's models for a few steps beside an independent implementation",
    "tests.test_notebooks": "builds every notebook again and compares it with the committed one",
    "tests.test_offline": "stages and installs wheels in a fresh environment",
    "tests.test_operations": "counts a training step of every system that a lesson trains live",
    "tests.test_process_group": "trains in several processes that find each other",
    "tests.test_project_files": "runs mypy and ruff over the whole repository",
    "tests.test_real": "reads every real set in its published format, damaged copies included",
    "tests.test_recordings": "decodes recorded speech",
    "tests.test_refresh": "computes the fingerprints of all artefacts",
    "tests.test_reproducibility": "repeats a training several times and compares bytes",
    "tests.test_site": "builds the whole site once, with warnings as errors",
    "tests.test_sounds": "synthesizes speech",
    "tests.test_spoken": "synthesizes speech",
    "tests.test_sweep": "starts a pool of processes and a small cluster",
    "tests.test_": "trains small models for a few steps",
}
"""Beginning of a test's address → why it takes long; the longest beginning counts."""


def slowest(report: Path, count: int = SHOWN) -> list[tuple[float, str, str]]:
    """Seconds, address and reason of the slowest tests of a JUnit report, slowest first.

    Raises:
        ValueError: a test has no reason, or the report is missing or no report.
    """
    try:
        cases = ElementTree.parse(report).iter("testcase")
        found = [(float(case.get("time", 0)), f"{case.get('classname')}.{case.get('name')}") for case in cases]
    except (OSError, ElementTree.ParseError) as error:
        said = f"{report} is no report of a test run: {error}"
        raise ValueError(f"{said}. Run: make test OPTIONS=--junitxml={report}") from None
    rows = []
    for seconds, name in sorted(found, reverse=True)[:count]:
        known = [beginning for beginning in REASONS if name.startswith(beginning)]
        if not known:
            raise ValueError(f"{name} takes {seconds:.0f} s, and tools/slow_tests.py has no reason for it.")
        rows.append((seconds, name, REASONS[max(known, key=len)]))
    return rows


def table(rows: list[tuple[float, str, str]]) -> str:
    lines = [f"| {seconds:.0f} s | `{name.replace('|', '/')}` | {reason} |" for seconds, name, reason in rows]
    return "\n".join(["| setup and call | test | why it takes long |", "|---|---|---|", *lines])


def main(arguments: list[str] | None = None, page: Path = ROOT / "CONTRIBUTING.md") -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.slow_tests", description=__doc__.partition("\n")[0])
    parser.add_argument("report", type=Path, help="what --junitxml wrote")
    parser.add_argument("--write", action="store_true", help="put the table into CONTRIBUTING.md")
    options = parser.parse_args(arguments)
    try:
        found = table(slowest(options.report))
    except ValueError as error:
        parser.error(str(error))
    print(found)
    if options.write:
        page.write_text(with_region(page.read_text(encoding="utf-8"), BEGIN, END, found, page.name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
