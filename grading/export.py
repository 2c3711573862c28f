"""Grades as CSV, one line per student and assignment, from nbgrader's gradebook."""

import csv
import io
from pathlib import Path

from grading.course import Course, Student, max_score, write
from grading.feedback import Standing

COLUMNS = [
    "student_id", "last_name", "first_name", "email", "assignment", "due", "handed_in_utc", "minutes_late",
    "score", "max_score", "percent", "seconds", "megabytes", "notes", "look_at",
]  # fmt: skip


def export(course: Course, assignments: list[dict], path: Path) -> int:
    """Write the CSV; students of the roster who handed nothing in are in it with 0 points.

    Returns:
        The number of lines.
    """
    people = {student.id: student for student in course.roster()}
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    lines = [
        _line(course, assignment, people.get(student, Student(student)))
        for assignment in assignments
        for student in sorted({*people, *course.submitted(assignment["name"])})
    ]
    writer.writerows({key: _harmless(value) for key, value in line.items()} for line in lines)
    write(path, text.getvalue().encode("utf-8-sig"))  # with the mark by which spreadsheets know UTF-8
    return len(lines)


def _line(course: Course, assignment: dict, person: Student) -> dict:
    student = person.id
    result = course.result(student, assignment["name"])
    standing = Standing.of(course, assignment["name"], student)
    most = max_score(assignment)
    notes = "nothing handed in"
    if result is not None:
        notes = " | ".join(filter(None, [result["unreadable"], *result["notes"]]))
    elif student in course.submitted(assignment["name"]):
        notes = "not graded yet"
    score = round(standing.score, 4)
    return {
        "student_id": student,
        "last_name": person.last_name,
        "first_name": person.first_name,
        "email": person.email,
        "assignment": assignment["name"],
        "due": assignment["due"] or "",
        "handed_in_utc": standing.submitted or "",
        "minutes_late": round(standing.late.total_seconds() / 60),
        "score": f"{score:g}",
        "max_score": f"{most:g}",
        "percent": round(100 * score / most, 1) if most else "",
        "seconds": result["seconds"] if result else "",
        "megabytes": result["megabytes"] if result else "",
        "notes": notes,
        "look_at": " | ".join(result["look"]) if result else "",
    }


def _harmless(value: object) -> object:
    """A student's text must not become a formula in the instructor's spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
