"""The registry of lessons, found from their sources; nothing else lists lessons.

    [lesson.number for lesson in find_lessons()]     # ["00", "01", ...]
    [lesson.number for lesson in find_lessons() if lesson.has_experiment]

A lesson is a file `NN_name.py` in `lessons/`. Its exercises are the folder `course_utils/exercises/lesson_NN`, its
experiment is the file `experiments/lesson_NN_….py`.
"""

import importlib.util
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from course_utils.paths import data_folder

_HEADING = re.compile(r"^# # (.+)$", flags=re.MULTILINE)  # Markdown in a comment


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
        source: the file that its notebooks are built from.
    """

    source: Path

    @property
    def stem(self) -> str:
        """Name of the source and of both notebooks, without ending: "02_additive_attention"."""
        return self.source.stem

    @property
    def number(self) -> str:
        """Its two digits: "02"."""
        return self.stem[:2]

    @cached_property
    def title(self) -> str:
        """The first heading, in Markdown; the stem if there is none."""
        heading = _HEADING.search(self.source.read_text(encoding="utf-8"))
        return heading[1].strip() if heading else self.stem

    @property
    def has_exercises(self) -> bool:
        """Whether the package has exercises of this lesson."""
        return Path(__file__).with_name("exercises").joinpath(f"lesson_{self.number}", "__init__.py").is_file()

    @property
    def has_experiment(self) -> bool:
        """Whether experiments measure claims of this lesson; nothing of them is imported."""
        found = importlib.util.find_spec("experiments")
        folders = found.submodule_search_locations or () if found else ()
        return any(any(Path(folder).glob(f"lesson_{self.number}_*.py")) for folder in folders)


def find_lessons(folder: Path | None = None) -> tuple[Lesson, ...]:
    """Find every lesson, in order.

    Args:
        folder: where the sources are; the course's own if None.

    Raises:
        FileNotFoundError: if the course's own are missing.
    """
    return tuple(map(Lesson, sorted((folder or data_folder("lessons")).glob("[0-9][0-9]_*.py"))))
