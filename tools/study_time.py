"""How long people take for a lesson: what the instructor notes give its sections, added up."""

import re

from tools.project import Project

_MINUTES = re.compile(r"^## Minutes\n(.*?)(?=^## |\Z)", flags=re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| .+ \| (\d+) \|$", flags=re.MULTILINE)


def study_minutes(project: Project) -> dict[str, int]:
    """Minutes to read, predict and solve, by the lesson's number ("02"); lessons without notes are left out."""
    found = {}
    for path in sorted((project.root / "docs" / "instructor_notes").glob("[0-9]*.md")):
        minutes = _MINUTES.search(path.read_text(encoding="utf-8"))
        if minutes:
            found[path.stem] = sum(int(row) for row in _ROW.findall(minutes[1]))
    return found


def in_hours(minutes: int) -> str:
    """Minutes as people say them: "1 hour", "2½ hours"."""
    halves = max(1, round(minutes / 30))
    number = f"{halves // 2 or ''}{'½' if halves % 2 else ''}"
    return f"{number} hour{'s' if halves > 2 else ''}"
