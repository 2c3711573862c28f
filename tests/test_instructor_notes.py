"""Every lesson has notes for instructors; what they take from the exercises is held by test_exercises.py."""

import re
from pathlib import Path

import pytest

from tools.project import Project
from tools.study_time import in_hours, study_minutes

ROOT = Path(__file__).parents[1]
NOTES = ROOT / "docs" / "instructor_notes"
PARTS = ("Goals", "Prerequisites", "Minutes", "Common mistakes", "Questions to discuss", "Open question")
WRITTEN = sorted(path.stem for path in NOTES.glob("*.md"))


def part(text: str, name: str) -> str:
    return re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)[1]


def rows(table: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")][2:]


@pytest.mark.parametrize("lesson", sorted(path.stem[:2] for path in (ROOT / "lessons").glob("[0-9]*.py")))
def test_every_lesson_has_notes(lesson):
    assert lesson in WRITTEN, f"write docs/instructor_notes/{lesson}.md; the others show how"


@pytest.mark.parametrize("lesson", WRITTEN)
def test_notes_have_every_part(lesson):
    text = (NOTES / f"{lesson}.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == list(PARTS)
    assert part(text, "Questions to discuss").count("**") >= 6, "three questions with answers"
    assert [cells[0] for cells in rows(part(text, "Open question"))] == ["0", "1", "2", "3"]


def test_what_learners_are_told_of_the_time_is_what_the_notes_add_up_to():
    minutes = study_minutes(Project())
    assert list(minutes) == WRITTEN
    first = (ROOT / "lessons" / "00_start_here.py").read_text(encoding="utf-8")
    assert "takes two to three hours" in first
    allowed = {"2 hours", "2½ hours", "3 hours"}
    assert {in_hours(taken) for lesson, taken in minutes.items() if lesson != "00"} <= allowed


@pytest.mark.parametrize("minutes, said", [(20, "½ hour"), (58, "1 hour"), (110, "2 hours"), (143, "2½ hours")])
def test_minutes_are_said_in_half_hours(minutes, said):
    assert in_hours(minutes) == said
