"""How every exercise stands up to wrong and right answers: `python -m tools.exercises`.

The answers of lesson NN stand in tests/exercises/lesson_NN.py. Each is tried; the table says how many wrong ones are
rejected with the hint they need and how many right ones are accepted. `--write` keeps the table in docs/.
"""

import argparse
import importlib
import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from tools.project import ROOT

FOLDER = ROOT / "tests" / "exercises"
DOCUMENT = ROOT / "docs" / "exercise_table.md"
INTRODUCTION = """# Exercises and the answers they were tried with

A wrong answer counts as rejected only if a hint names its mistake. `python -m tools.exercises --write` makes this page.
"""


def lessons() -> list[str]:
    """The numbers of the lessons with exercises."""
    return sorted(path.stem.removeprefix("lesson_") for path in FOLDER.glob("lesson_*.py"))


@cache
def answers(lesson: str) -> ModuleType:
    """The module with a lesson's WRONG and RIGHT answers."""
    path = FOLDER / f"lesson_{lesson}.py"
    spec = importlib.util.spec_from_file_location(f"answers_{lesson}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declared(lesson: str) -> list[str]:
    """The ids of a lesson's exercises."""
    module = importlib.import_module(f"course_utils.teaching.checks.lesson_{lesson}")
    return [exercise.exercise_id for exercise in module.EXERCISES]


def hints(exercise_id: str, answer) -> list[str]:
    """What the check says to an answer; nothing if it is right."""
    from course_utils.teaching.exercises import find_exercise

    return [finding.hint for finding in find_exercise(exercise_id).examine(answer) if finding.hint is not None]


def count(exercise_id: str) -> tuple[int, int, int, int]:
    """Wrong answers rejected and in all, right answers accepted and in all."""
    lesson = exercise_id.split(".")[0]
    wrong, right = answers(lesson).WRONG[exercise_id], answers(lesson).RIGHT[exercise_id]
    rejected = sum(
        any(fragment.lower() in hint.lower() for hint in hints(exercise_id, function))
        for _, function, fragment in wrong
    )
    accepted = sum(not hints(exercise_id, function) for function in right)
    return rejected, len(wrong), accepted, len(right)


def table(exercise_ids: list[str]) -> str:
    """One line for each exercise and one for all together, as Markdown."""
    rows = [(exercise_id, count(exercise_id)) for exercise_id in exercise_ids]
    sums = tuple(map(sum, zip(*(counts for _, counts in rows), strict=True)))
    rows.append((f"all.{len(rows)} exercises", sums))
    lines = [f"| {'lesson':6} | {'exercise':26} | wrong rejected | right accepted |", "|---|---|---|---|"]
    for exercise_id, (rejected, wrong, accepted, right) in rows:
        lesson, _, name = exercise_id.partition(".")
        lines.append(f"| {lesson:6} | {name:26} | {f'{rejected} of {wrong}':14} | {f'{accepted} of {right}':14} |")
    return "\n".join(lines)


def written(document: Path = DOCUMENT) -> dict[str, tuple[int, int]]:
    """What the page says: for each exercise how many wrong and how many right answers it was tried with."""
    text = document.read_text(encoding="utf-8")
    lines = re.findall(r"^\| (\d\d) +\| ([\w-]+) +\| \d+ of (\d+) +\| \d+ of (\d+)", text, flags=re.MULTILINE)
    return {f"{lesson}.{name}": (int(wrong), int(right)) for lesson, name, wrong, right in lines}


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and write it to the docs if asked."""
    parser = argparse.ArgumentParser(prog="python -m tools.exercises", description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", help='which lessons ("02"); default: all')
    parser.add_argument("--write", action="store_true", help=f"keep it in {DOCUMENT.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    if options.write and options.lessons:
        parser.error("--write is for the table of all lessons")
    chosen = [item for lesson in options.lessons or lessons() for item in declared(lesson)]
    text = table(chosen)
    print(text)
    if options.write:
        DOCUMENT.write_text(f"{INTRODUCTION}\n{text}\n", encoding="utf-8")
    return int(any(found != wanted for found, wanted in re.findall(r"(\d+) of (\d+)", text)))


if __name__ == "__main__":
    sys.exit(main())
