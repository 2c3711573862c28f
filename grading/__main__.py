"""Grade a class: release, collect, autograde, feedback, export. docs/instructors.md goes through it."""

import argparse
import logging
import os
import sys
import time
import warnings
from datetime import datetime
from functools import partial
from pathlib import Path

from grading.autograde import autograde, only_one, sandbox_for
from grading.collect import collect
from grading.course import Course, GradingError, max_score
from grading.export import export
from grading.feedback import write_feedback
from grading.practice import practice_upload
from grading.release import on_trial, release
from grading.run import grade
from grading.sandbox import Limits
from tools.project import Project


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m grading", description=__doc__)
    parser.add_argument("--course", type=Path, default=Path("class"), help="the class's folder (default: class)")
    parser.add_argument("--no-bubblewrap", action="store_true", help="do without the sandbox, with a warning")
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("release", help="make assignments of lessons")
    command.add_argument("lessons", nargs="+", help='by name or its beginning ("02")')
    command.add_argument("--exercises", nargs="+", default=[], help='those that count ("02.context"); default: all')
    command.add_argument("--due", type=_date, help='"2027-01-31 18:00", in this machine\'s time zone')
    command.add_argument("--variants", action="store_true", help="each student of students.csv gets their own data")
    command.add_argument("--no-trial", action="store_true", help="do not grade the course's own answers first")

    command = commands.add_parser("practice", help="make the upload of a class of three, to try the other commands")
    command.add_argument("assignment")
    command.add_argument("--students", type=int, default=3, help="more of them, to see how long a class takes")
    command.add_argument("--to", type=Path, default=Path("upload.zip"))

    command = commands.add_parser("collect", help="bring in a folder or a learning platform's zip")
    command.add_argument("source", type=Path)
    command.add_argument("--assignment", help="which; needed if several were released")

    command = commands.add_parser("autograde", help="grade what was collected")
    command.add_argument("assignments", nargs="*", help="default: all")
    command.add_argument("--jobs", type=int, default=2, help="submissions at a time (default: %(default)s)")
    command.add_argument("--again", action="store_true", help="grade anew what has a result")
    usual = Limits()
    command.add_argument("--cell-seconds", type=float, default=usual.cell_seconds)
    command.add_argument("--total-seconds", type=float, default=usual.total_seconds)
    command.add_argument("--memory-megabytes", type=int, default=usual.memory_megabytes)

    command = commands.add_parser("feedback", help="write an HTML page for each student")
    command.add_argument("assignments", nargs="*", help="default: all")

    command = commands.add_parser("export", help="write the grades as CSV")
    command.add_argument("assignments", nargs="*", help="default: all")
    command.add_argument("--to", type=Path, default=Path("grades.csv"))
    return parser.parse_args(arguments)


def _date(text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is no date; write it like "2027-01-31 18:00"') from None
    return date if date.tzinfo else date.astimezone()


def do_release(course: Course, options: argparse.Namespace) -> None:
    made = []
    for source in Project().lesson_sources(options.lessons):
        number = source.stem.partition("_")[0]
        wanted = [name for name in options.exercises if "." not in name or name.startswith(f"{number}.")]
        if options.exercises and not wanted:
            raise GradingError(f"--exercises names none of lesson {number}: {' '.join(options.exercises)}.")
        made.append(release(course, source, wanted, options.due, options.variants))
    if not options.no_trial:
        with sandbox_for(made, "" if options.no_bubblewrap else None) as sandbox:
            for assignment in made:
                on_trial(assignment, course, partial(grade, sandbox, Limits()))
    for assignment in made:
        folder = course.root / "release" / ("STUDENT" if options.variants else "") / assignment["name"]
        due = f", due {assignment['due']}" if assignment["due"] else ""
        tried = "" if options.no_trial else "; on trial the course's answers got all of them, the stubs none"
        points = f"{max_score(assignment):g} points"
        print(f"{assignment['name']}: {', '.join(assignment['exercises'])}; {points}{due}{tried}.")
        print(f"  Give your students {folder / (assignment['lesson'] + '.ipynb')}")


def do_practice(course: Course, options: argparse.Namespace) -> None:
    if options.students < 1:
        raise GradingError(f"--students is {options.students}; expected at least 1.")
    names = practice_upload(course, course.assignment(options.assignment), options.to, options.students)
    who = ", ".join(names) if len(names) < 10 else f"{len(names)} students"
    print(f"{options.to}: as if {who} had handed something in")


def do_collect(course: Course, options: argparse.Namespace) -> None:
    chosen = course.chosen([options.assignment] if options.assignment else [])
    if len(chosen) > 1:
        raise GradingError(f"Say which: --assignment {' or '.join(item['name'] for item in chosen)}.")
    others = [item for item in course.chosen([]) if item["name"] != chosen[0]["name"]]
    collected = collect(course, options.source, chosen[0], others)
    for title, lines in vars(collected).items():
        print(f"{title}: {len(lines)}")
        for line in lines:
            print(f"  {line}")
    if collected.unplaced:
        print(f"Look at what was not placed; copies are in {course.root / 'unplaced'}.")


def do_autograde(course: Course, options: argparse.Namespace) -> None:
    chosen = course.chosen(options.assignments)
    limits = Limits(options.cell_seconds, options.total_seconds, options.memory_megabytes)
    graded, begin = 0, time.monotonic()

    def report(student: str, result: dict, stored: bool) -> None:
        nonlocal graded
        graded += not stored
        use = "was graded before" if stored else f"{result['seconds']:5.1f} s {result['megabytes']:5d} MB"
        said = result["unreadable"] or next(iter(result["notes"]), "")
        print(f"{student:24} {result['score']:6g} of {result['max_score']:g}  {use}  {said[:90]}", flush=True)

    with only_one(course), sandbox_for(chosen, "" if options.no_bubblewrap else None) as sandbox:
        ready = time.monotonic() - begin
        print(sandbox.warning or "Sandbox: bubblewrap; no network, nothing writable but an own folder.", flush=True)
        for assignment in chosen:
            print(f"── {assignment['name']}")
            autograde(course, assignment, sandbox, limits, options.jobs, options.again, report)
    took = time.monotonic() - begin
    print(f"{graded} graded in {took:.0f} s, {options.jobs} at a time; {ready:.0f} s of it to start.")
    if graded:
        each = (took - ready) / graded
        print(f"{each:.1f} s each, so 500 would take about {(ready + 500 * each) / 60:.0f} min on this machine.")


def do_feedback(course: Course, options: argparse.Namespace) -> None:
    for assignment in course.chosen(options.assignments):
        pages = write_feedback(course, assignment)
        print(f"{assignment['name']}: {len(pages)} pages in {course.root / 'feedback'}")


def do_export(course: Course, options: argparse.Namespace) -> None:
    lines = export(course, course.chosen(options.assignments), options.to)
    print(f"{lines} lines in {options.to}")


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    # nbgrader starts a program that was installed beside this Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    warnings.filterwarnings("ignore", module="nbgrader")  # its database layer warns about its own use of it
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    course = Course(options.course)
    commands = {"release": do_release, "collect": do_collect, "autograde": do_autograde}
    commands |= {"feedback": do_feedback, "export": do_export, "practice": do_practice}
    try:
        commands[options.command](course, options)
    except (GradingError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
