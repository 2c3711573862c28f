"""How long the lessons take: measured on one machine, and what that says about another.

`make lessons OPTIONS=--record` measures; lesson 0 and the site read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from course_utils.paths import result_path

COMMAND = "make lessons OPTIONS=--record"


@dataclass(frozen=True)
class LessonTime:
    """One lesson's run: the notebook's name without ending, the seconds of all cells, the seconds and the first line of
    the slowest cell, and the kernel's peak memory in words."""

    name: str
    title: str
    seconds: float
    slowest_seconds: float
    slowest_line: str
    memory: str


@dataclass(frozen=True)
class RunTimes:
    """One measurement of all lessons in order; `step_seconds` is one training step of lesson 0 on that machine."""

    machine: str
    python: str
    torch: str
    step_seconds: float
    lessons: tuple[LessonTime, ...]

    @property
    def seconds(self) -> float:
        """Time of the whole course."""
        return sum(lesson.seconds for lesson in self.lessons)

    def scaled(self, step_seconds: float) -> dict[str, float]:
        """Guess the seconds of each lesson on another machine, where the same training step takes `step_seconds`."""
        return {lesson.name: lesson.seconds * step_seconds / self.step_seconds for lesson in self.lessons}


def load_run_times(path: Path | None = None) -> RunTimes | None:
    """Read the times from `data/results/run_times.json` or another path; None if nobody has measured them yet.

    Raises:
        ValueError: if the file is damaged or has no times; says how to make it again.
    """
    path = path or result_path("run_times.json")
    if not path.exists():
        return None
    try:
        return _run_times(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path.name} is damaged ({type(error).__name__}: {error}); make it again with: {COMMAND}"
        ) from error


def _run_times(content: Mapping) -> RunTimes:
    lessons = [
        LessonTime(item["name"], item["title"], float(item["seconds"]), float(slowest["seconds"]), slowest["source"],
                   item["memory"])
        for item in content["lessons"] for slowest in [item["slowest"]]
    ]  # fmt: skip
    step = float(content["training_step_seconds"])
    if not lessons or step <= 0:
        raise ValueError(f"it has {len(lessons)} lessons and a training step of {step} s")
    return RunTimes(content["machine"], content["python"], content["torch"], step, tuple(lessons))


def in_words(seconds: float) -> str:
    """A time in words: "20 s", "3 min"."""
    return f"{seconds:.0f} s" if seconds < 59.5 else f"{seconds / 60:.0f} min"
