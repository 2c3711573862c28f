"""How long a lesson takes, section by section: words to read, cells to run and look at, exercises to solve."""

import re

from course_utils.exercises import find_exercise
from tools.project import Project

WORDS_PER_MINUTE = 90  # of a text with formulas and figures, predictions made on the way
MINUTES_PER_CELL = 1  # to run it and to look at what it prints or draws
ROLES = re.compile(r'(exercise|check|hidden)="([\w-]+)"')


def section_minutes(project: Project, lesson: str) -> dict[str, int]:
    """Minutes for each section (## …) of the lesson with this number."""
    (source,) = project.lesson_sources([lesson])
    parts = re.split(r"^# ## (.*)$", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: _minutes(lesson, body) for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def _minutes(lesson: str, section: str) -> int:
    minutes = 0.0
    text, *cells = re.split(r"^# %%", section, flags=re.MULTILINE)
    for cell in [f" [markdown]\n{text}", *cells]:
        head, _, body = cell.partition("\n")
        role = ROLES.search(head)
        if "[markdown]" in head:
            minutes += len(re.findall(r"\w+", body)) / WORDS_PER_MINUTE
        elif role is None:
            minutes += MINUTES_PER_CELL
        elif role[1] == "exercise":
            minutes += find_exercise(f"{lesson}.{role[2]}").minutes
    return max(1, round(minutes))


def study_minutes(project: Project) -> dict[str, int]:
    """Minutes to read, predict and solve, by the lesson's number ("02")."""
    lessons = [source.stem[:2] for source in project.lesson_sources()]
    return {lesson: sum(section_minutes(project, lesson).values()) for lesson in lessons}


def in_hours(minutes: int) -> str:
    """Minutes as people say them: "1 hour", "2½ hours"."""
    halves = max(1, round(minutes / 30))
    number = f"{halves // 2 or ''}{'½' if halves % 2 else ''}"
    return f"{number} hour{'s' if halves > 2 else ''}"
