"""Where things lie in a checkout, and the course's one address."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from course_utils.lessons import Lesson, find_lessons

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Project:
    """A checkout of the course. Tests point it at a temporary folder."""

    root: Path = ROOT

    @property
    def lessons(self) -> Path:
        return self.root / "lessons"

    @property
    def learner_notebooks(self) -> Path:
        return self.root / "notebooks"

    def learner_notebook(self, lesson: Lesson) -> Path:
        """The learner's notebook of a lesson.

        Raises:
            ValueError: if it has not been built.
        """
        path = self.learner_notebooks / f"{lesson.stem}.ipynb"
        if not path.is_file():
            build = f"make notebooks LESSONS={lesson.number}"
            raise ValueError(f"lesson {lesson.number} has no {path.name}; build it: {build}")
        return path

    @property
    def instructor_notebooks(self) -> Path:
        return self.root / "notebooks" / "instructor"

    @property
    def repository(self) -> str:
        """The address in pyproject.toml: the only place where it is written."""
        address = self._described["urls"]["Repository"]
        return address.removesuffix("/").removesuffix(".git")

    @property
    def tag(self) -> str:
        """The git tag of the version in pyproject.toml, which badges and Colab's install lead to."""
        return f"v{self._described['version']}"

    @property
    def _described(self) -> dict:
        with (self.root / "pyproject.toml").open("rb") as file:
            return tomllib.load(file)["project"]

    @property
    def listed_lessons(self) -> tuple[Lesson, ...]:
        """The lessons of this checkout, in order."""
        return find_lessons(self.lessons)

    def lesson_sources(self, names: list[str] | None = None) -> list[Path]:
        """The lessons' sources in order; `names` picks some by file name or by its beginning ("02")."""
        sources = [lesson.source for lesson in self.listed_lessons]
        if not names:
            return sources
        chosen = []
        for name in names:
            stem = Path(name).stem
            found = [source for source in sources if source.stem.startswith(stem)]
            if not found:
                known = ", ".join(source.stem for source in sources) or "none"
                raise SystemExit(f"No lesson is called {name!r}. The lessons are: {known}.")
            chosen += [source for source in found if source not in chosen]
        return chosen
