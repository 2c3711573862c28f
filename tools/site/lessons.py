"""What the site says of the lessons: their pages, made from the committed notebooks, and their list."""

import html
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_utils.teaching.run_times import RunTimes, in_words
from tools.gallery import Figure, figures
from tools.generated_cells import badge_row, launch_addresses
from tools.project import Project
from tools.study_time import in_hours, study_minutes

_WIDGET_WITHOUT_KERNEL = re.compile(r"^(?:interactive|[HV]?Box|GridBox|Tab|Accordion|Output)\(")
_QUESTION = re.compile(r"\*\*The question of this lesson:\*\*\s*(.+)")


@dataclass(frozen=True)
class LessonPage:
    """A learner's notebook, as far as lists need it.

    Attributes:
        path: of the notebook.
        title: its first heading, in Markdown.
        question: what it asks, in Markdown; "" if it asks nothing.
    """

    path: Path
    title: str
    question: str

    @property
    def page(self) -> str:
        """Its page on the site, without ending."""
        return f"notebooks/{self.path.stem}"


def lesson_pages(project: Project) -> list[LessonPage]:
    """The page of every lesson, in order.

    Raises:
        ValueError: if a lesson's notebook has not been built.
    """
    found = []
    for lesson in project.listed_lessons:
        path = project.learner_notebook(lesson)
        texts = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
        question = _QUESTION.search("\n".join(texts))
        found.append(LessonPage(path, lesson.title, question[1] if question else ""))
    return found


def launch_links(project: Project, stem: str) -> str:
    """Markdown for starting a notebook elsewhere, in words: images of badges would be fetched from outside."""
    colab, binder = launch_addresses(project, stem)
    return f"Run it: [in Colab]({colab}) · [in Binder]({binder}) · on your machine with `make lab`"


def site_notebook(path: Path, project: Project) -> NotebookNode:
    """Prepare a notebook for reading: without the set-up cell and without what needs a running kernel.

    Args:
        path: of the committed notebook.
        project: for the addresses.
    """
    notebook = nbformat.read(path, as_version=4)
    badges = badge_row(project, path.stem)
    notebook.cells = [cell for cell in notebook.cells if "bootstrap" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(badges, launch_links(project, path.stem))
        else:
            cell.outputs = [output for output in cell.outputs if not _is_dead(output)]
            cell.metadata = {}
    return notebook


def _is_dead(output: NotebookNode) -> bool:
    """Whether an output is a box or a bar of a kernel that no longer runs."""
    data = output.get("data", {})
    text = data.get("text/plain", "")
    return list(data) == ["text/plain"] and bool(_WIDGET_WITHOUT_KERNEL.match(text) or "0%|" in text)


def card_images(project: Project) -> dict[str, Figure]:
    """The first figure that each lesson gives to the gallery, by the notebook's name."""
    return {figure.notebook: figure for figure in reversed(figures(project))}


def lesson_cards(project: Project, times: RunTimes | None, images: dict[str, Figure]) -> str:
    """HTML and Markdown for the list of lessons: a figure, the title, the question, the time.

    Args:
        project: whose lessons.
        times: how long they run, if that is known.
        images: the figure of each lesson, which lies in `_generated/NAME.png`.
    """
    seconds = {lesson.name: lesson.seconds for lesson in times.lessons} if times else {}
    minutes = study_minutes(project)
    parts = []
    for lesson in lesson_pages(project):
        stem = lesson.path.stem
        lines = [f"## [{lesson.title}]({lesson.page}.ipynb)", ""]
        if stem in images:
            words = html.escape(images[stem].alternative)
            lines += [f'<img class="card" src="_generated/{stem}.png" alt="{words}">', ""]
        if lesson.question:
            lines += [lesson.question[0].upper() + lesson.question[1:], ""]
        takes = [f"about {in_hours(minutes[stem[:2]])} to work through"] if stem[:2] in minutes else []
        takes += [f"about {in_words(seconds[stem])} to run from top to bottom"] if stem in seconds else []
        time = f"{', '.join(takes).capitalize()}. " if takes else ""
        lines += [time + launch_links(project, stem).replace("Run it", "Open it"), ""]
        parts.append("\n".join(lines))
    return "\n".join(parts)


def further_reading(project: Project) -> str:
    """Markdown: what each lesson recommends in its section "Further reading"."""
    parts = []
    for lesson in lesson_pages(project):
        for cell in nbformat.read(lesson.path, as_version=4).cells:
            if cell.cell_type == "markdown" and cell.source.startswith("## Further reading"):
                listed = cell.source.partition("\n")[2].strip()
                parts.append(f"### {lesson.title}\n\n{listed}\n")
    return "\n".join(parts)
