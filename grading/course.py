"""The folder of one class, in nbgrader's layout, and how files are written into it.

CLASS/source/ASSIGNMENT/…          the instructor's notebook: solutions and hidden tests
CLASS/release/ASSIGNMENT/…         what students get
CLASS/release/STUDENT/ASSIGNMENT/… the same with the student's own data seed (release --variants)
CLASS/submitted/STUDENT/ASSIGNMENT/…, autograded/…, feedback/…, gradebook.db
CLASS/assignments/ASSIGNMENT.json  what autograde needs: cells, tests, points
CLASS/results/ASSIGNMENT/STUDENT.json  one result each; gradebook and feedback are made from them
"""

import csv
import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from traitlets.config import Config, PyFileConfigLoader

from tools.project import ROOT


class GradingError(Exception):
    """Something the instructor has to know; the message says what to do."""


@dataclass(frozen=True)
class Student:
    """One line of the roster."""

    id: str
    last_name: str = ""
    first_name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Course:
    """The folder of one class."""

    root: Path

    @property
    def gradebook_address(self) -> str:
        return f"sqlite:///{(self.root / 'gradebook.db').resolve()}"

    @property
    def roster_file(self) -> Path:
        return self.root / "students.csv"

    def config(self) -> Config:
        """nbgrader's settings: those of the project's nbgrader_config.py, in this folder."""
        config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
        config.CourseDirectory.root = str(self.root.resolve())
        config.CourseDirectory.db_url = self.gradebook_address
        return config

    def assignments(self) -> list[str]:
        """The names of what was released, in order."""
        return sorted(path.stem for path in (self.root / "assignments").glob("*.json"))

    def assignment(self, name: str) -> dict:
        """What was released under a name (or its beginning, such as "01").

        Raises:
            GradingError: nothing or more than one was.
        """
        found = [known for known in self.assignments() if known == name] or [
            known for known in self.assignments() if known.startswith(name)
        ]
        if len(found) != 1:
            known = ", ".join(self.assignments()) or "nothing yet"
            raise GradingError(f"{name!r} is not one of the released assignments ({known}). Run `release` first.")
        return json.loads((self.root / "assignments" / f"{found[0]}.json").read_text(encoding="utf-8"))

    def chosen(self, names: list[str]) -> list[dict]:
        """The named assignments, or all of them."""
        names = names or self.assignments()
        if not names:
            raise GradingError(f"{self.root} holds no released assignment. Run `release` first.")
        return [self.assignment(name) for name in names]

    def roster(self) -> list[Student]:
        """The students of students.csv; none if there is no such file.

        Raises:
            GradingError: the file has no column "id".
        """
        if not self.roster_file.is_file():
            return []
        with self.roster_file.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if "id" not in (reader.fieldnames or ()):
                raise GradingError(
                    f"{self.roster_file} has the columns {reader.fieldnames}; expected id and, if you like, "
                    "last_name, first_name, email."
                )
            fields = ("last_name", "first_name", "email")
            rows = [(row, safe_name(row["id"] or "")) for row in reader]
        return [Student(name, *((row.get(key) or "").strip() for key in fields)) for row, name in rows if name]

    def submitted(self, assignment: str) -> list[str]:
        """Who handed something in, sorted."""
        return sorted(path.parent.name for path in (self.root / "submitted").glob(f"*/{assignment}") if path.is_dir())

    def submission(self, student: str, assignment: dict) -> Path:
        """Where a student's notebook lies, or would lie."""
        return self.root / "submitted" / student / assignment["name"] / f"{assignment['lesson']}.ipynb"

    def result_file(self, student: str, assignment: str) -> Path:
        return self.root / "results" / assignment / f"{student}.json"

    def result(self, student: str, assignment: str) -> dict | None:
        """A student's result; None if there is none, or none that can be read."""
        try:
            return json.loads(self.result_file(student, assignment).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def seed(self, student: str, assignment: str) -> int:
        """The seed of a student's own data: from the class's secret, so nobody can guess another's."""
        path = self.root / "secret"
        if not path.exists():
            write(path, secrets.token_hex(32))
            path.chmod(0o600)
        key = path.read_text(encoding="utf-8").encode()
        digest = hmac.new(key, f"{assignment}/{student}".encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:6], "big")


def write(path: Path, content: str | bytes) -> None:
    """Write a file so that it is there complete or not at all, whenever the machine stops."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def safe_name(text: str) -> str:
    """A student's id as the name of a folder: composed Unicode, nothing that leads to another folder."""
    text = unicodedata.normalize("NFC", text).strip()
    text = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', "_", text).strip(". ")
    return text[:80]


def digest(value: object) -> str:
    """A digest of bytes, or of anything that JSON can hold."""
    data = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def max_score(assignment: dict) -> float:
    """Points of all tests together."""
    return sum(test["points"] for exercise in assignment["exercises"].values() for test in exercise["tests"])
