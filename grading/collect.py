"""Bring submissions from a folder, or from a learning platform's zip, into CLASS/submitted.

Whose a file is comes from its folder's or its own name, freed from what platforms and browsers add, and compared with
the roster if there is one. What the file is called does not decide which lesson it is: its cells do. Nothing is dropped
silently: a file that cannot be placed is copied to CLASS/unplaced and reported.
"""

import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from grading.course import Course, GradingError, Student, digest, safe_name, write

LARGEST = 50_000_000  # bytes of one file; a larger one is no notebook of this course
KINDS = (".ipynb", ".json", ".txt", ".py", ".ipynb.txt")
IGNORED = re.compile(r"(^|/)(__MACOSX|\.ipynb_checkpoints|\.[^/]*)(/|$)|(^|/)timestamp\.txt$")
# What platforms and browsers add to names: Moodle, Canvas, downloads, copies.
ADDED = [
    r"_\d+_assignsubmission_(file|onlinetext)_?$",
    r"_(late_)?\d{3,}_\d{3,}",
    r"_late(?=_|$)",
    r"\s*\(\d+\)$",
    r"[\s_-]*(copy|kopie|copie|copia)\s*\d*$",
    r"-\d{1,2}$",
    r"\.ipynb$",
]


@dataclass(frozen=True)
class Found:
    """One file that was handed in."""

    path: str  # within the folder or archive, with /
    content: bytes
    time: datetime


@dataclass
class Collected:
    """What became of the files."""

    placed: list[str] = field(default_factory=list)  # "student: file"
    superseded: list[str] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)  # "file: why"
    missing: list[str] = field(default_factory=list)  # students of the roster without a file


def collect(course: Course, source: Path, assignment: dict, others: list[dict]) -> Collected:
    """Place the files of one assignment.

    Args:
        course: the class.
        source: a folder or a zip archive.
        assignment: what they are submissions of.
        others: other released assignments, whose notebooks are left for their own turn.

    Raises:
        GradingError: there is no such folder or archive, or nothing in it.
    """
    collected, roster = Collected(), course.roster()
    latest: dict[str, Found] = {}
    files = sorted(_files(source, collected), key=lambda found: (found.time, found.path))
    if not files and not collected.unplaced:
        raise GradingError(f"{source} holds no files with the endings {', '.join(KINDS)}.")
    several = len({PurePosixPath(found.path).parts[0] for found in files if "/" in found.path}) > 1
    for found in files:
        other = _lesson(found, [assignment, *others])
        if other and other != assignment["name"]:
            continue
        student = _student(found, assignment, roster, several)
        if student is None:
            write(course.root / "unplaced" / (digest(found.path.encode())[:8] + "-" + _file_name(found)), found.content)
            collected.unplaced.append(f"{found.path}: no student of the roster has this name")
            continue
        if student in latest:
            old = latest[student]
            collected.superseded.append(f"{student}: {old.path} (a later one is {found.path})")
            write(course.root / "earlier" / student / (digest(old.content)[:8] + "-" + _file_name(old)), old.content)
        latest[student] = found
    for student, found in sorted(latest.items()):
        write(course.submission(student, assignment), found.content)
        stamp = found.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        write(course.submission(student, assignment).with_name("timestamp.txt"), stamp)
        collected.placed.append(f"{student}: {found.path}")
    handed_in = set(course.submitted(assignment["name"]))
    collected.missing = [student.id for student in roster if student.id not in handed_in]
    return collected


def _files(source: Path, collected: Collected) -> Iterator[Found]:
    """Every file that could be a submission; links and oversized files are reported instead."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source).as_posix()
            if IGNORED.search(name) or path.suffix.lower() not in KINDS or not (path.is_file() or path.is_symlink()):
                continue
            if path.is_symlink() or not path.resolve().is_relative_to(source.resolve()):
                collected.unplaced.append(f"{name}: it is a link, and links are not followed")
            elif path.stat().st_size > LARGEST:
                collected.unplaced.append(f"{name}: it has more than {LARGEST / 1e6:.0f} MB")
            else:
                yield Found(name, path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime, UTC))
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for entry in archive.infolist():
                parts = entry.filename.replace("\\", "/").split("/")
                name = "/".join(part for part in parts if part not in ("", ".", ".."))
                if entry.is_dir() or IGNORED.search(name) or PurePosixPath(name).suffix.lower() not in KINDS:
                    continue
                if entry.file_size > LARGEST:
                    collected.unplaced.append(f"{name}: it has more than {LARGEST / 1e6:.0f} MB")
                    continue
                try:
                    content = archive.read(entry)
                except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
                    collected.unplaced.append(f"{name}: it cannot be unpacked ({error})")
                    continue
                yield Found(name, content, datetime(*entry.date_time).astimezone())
    else:
        raise GradingError(f"{source} is neither a folder nor a zip archive.")


def _file_name(found: Found) -> str:
    return safe_name(PurePosixPath(found.path).name) or "file"


def _lesson(found: Found, assignments: list[dict]) -> str | None:
    """The assignment whose exercises a notebook holds; without any, the one its name mentions."""
    try:
        cells = json.loads(found.content)["cells"]
        ids = {cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") for cell in cells}
    except Exception:  # whatever it is, its name is left
        ids = set()
    for assignment in assignments:
        if ids & set(assignment["exercises"]):
            return assignment["name"]
    for assignment in assignments:
        if assignment["name"] in found.path:
            return assignment["name"]
    return None


def _student(found: Found, assignment: dict, roster: list[Student], several: bool) -> str | None:
    """Whose a file is."""
    path = PurePosixPath(found.path)
    stem = re.sub(r"(\.ipynb|\.json|\.txt|\.py)+$", "", path.name, flags=re.IGNORECASE)
    folders = [part for part in path.parts[:-1] if part not in (assignment["name"], "submitted", "..", "/")]
    names = folders[:: 1 if several else -1] + [stem.replace(assignment["name"], "")]
    names = [cleaned for cleaned in map(_cleaned, names) if cleaned]
    if roster:
        known = _known_names(roster)
        for name in names:
            if _key(name) in known:
                return known[_key(name)]
        for name in names:  # "anna_homework": a student's id among the words
            words = {known[_key(word)] for word in re.split(r"[\s_,]+", name) if _key(word) in known}
            if len(words) == 1:
                return words.pop()
        written = _written_inside(found)
        return written if written in {student.id for student in roster} else None
    if _written_inside(found):
        return _written_inside(found)
    return safe_name(names[0]) if names and safe_name(names[0]) else None


def _written_inside(found: Found) -> str | None:
    """The student for whom a copy with its own data was released."""
    try:
        name = json.loads(found.content)["metadata"]["where_to_look"]["student"]
        return safe_name(name) or None
    except Exception:  # not JSON, or JSON of another kind
        return None


def _cleaned(name: str) -> str:
    name, before = unicodedata.normalize("NFC", name), None
    while name != before:
        before = name
        for pattern in ADDED:
            name = re.sub(pattern, "", name, flags=re.IGNORECASE)
        name = name.strip(" _-.,")
    return name


def _key(name: str) -> str:
    return re.sub(r"[\s_.,-]+", "", unicodedata.normalize("NFC", name)).casefold()


def _known_names(roster: list[Student]) -> dict[str, str]:
    """Every way to write a student that means one student only."""
    ways: dict[str, set[str]] = {}
    for student in roster:
        first, last = student.first_name, student.last_name
        both = [f"{first}{last}", f"{last}{first}"] if first and last else []
        for way in [*both, student.email, student.email.partition("@")[0]]:
            ways.setdefault(_key(way), set()).add(student.id)
    known = {way: students.copy().pop() for way, students in ways.items() if way and len(students) == 1}
    return known | {_key(student.id): student.id for student in roster}
