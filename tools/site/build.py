"""Prepare the site's pages in build/site/source and let Sphinx make HTML of them."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from course_utils.teaching.course_map import plot_course_map
from course_utils.teaching.plots import house_style
from course_utils.teaching.run_times import load_run_times
from tools.project import Project
from tools.site import landing, lessons, reference, words
from tools.site.links import site_links

FROM_ELSEWHERE = {"data/README.md": "data.md", "CONTRIBUTING.md": "contributing.md"}
"""Files of the repository outside docs/ that are pages, too."""
GROUPS = {
    "Lessons": ["lessons"],
    "What came out": ["claims", "speed", "reproducibility", "run_times"],
    "To look up": ["glossary", "reading", "data", "own_data"],
    "Teaching with it": ["instructors", "instructor_notes/index", "exercises"],
    "Building on it": ["contributing", "full_scale", "reference/index"],
}
"""The order of the pages; a page that is not there is left out, one that is not named here goes to the last group."""
MATHJAX_PACKAGE = "sphinx-mathjax-offline"
MATHJAX_PARTS = ("tex-chtml.js", "input/tex", "output/chtml", "a11y", "sre", "ui")


class Site:
    """The site of a checkout, built below `folder`."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.source, self.html, self.doctrees = folder / "source", folder / "html", folder / "doctrees"
        self.docs = project.root / "docs"
        self.pages = self._pages()
        self.written: set[Path] = set()

    def _pages(self) -> dict[Path, str]:
        """The page's file for each file of the repository that has one."""
        root, docs = self.project.root, self.docs
        pages = {path: path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
        pages |= {path: path.relative_to(docs).as_posix() for path in (docs / "images").rglob("*.png")}
        pages |= {root / path: page for path, page in FROM_ELSEWHERE.items()}
        pages |= {path: f"reference/{name}.rst" for name, path in reference.modules(self.project).items()}
        pages |= {lesson.path: f"{lesson.page}.ipynb" for lesson in lessons.lesson_pages(self.project)}
        return pages | {docs / "instructor_notes": "instructor_notes/index.md", root / "notebooks": "lessons.md"}

    def prepare(self) -> None:
        """Write every page that Sphinx reads, and remove what an earlier run left.

        Raises:
            DeadLinkError: if a link of a page leads nowhere.
        """
        for path, page in self.pages.items():
            if path.suffix == ".md" and path.is_file():
                self._write(page, self._linked(path.read_text(encoding="utf-8"), path, page))
            elif path.suffix == ".png":
                self._write(page, path.read_bytes())
            elif path.suffix == ".ipynb":
                self._write(page, self._notebook(path, page))
        for name, text in reference.reference_pages(self.project).items():
            self._write(f"reference/{name}", text)
        self._write("instructor_notes/index.md", self._notes())
        for name, content in self._generated().items():
            self._write(f"_generated/{name}", content)
        for path in sorted(self.source.rglob("*"), reverse=True):
            if path.is_file() and path not in self.written:
                path.unlink()

    def _linked(self, text: str, path: Path, page: str) -> str:
        name = page.rpartition(".")[0]
        return site_links(text, path, name, self.pages, self.project.root, self.project.repository)

    def _notebook(self, path: Path, page: str) -> str:
        notebook = lessons.site_notebook(path, self.project)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = self._linked(cell.source, path, page)
        return nbformat.writes(notebook)

    def _notes(self) -> str:
        notes = sorted(path.stem for path in (self.docs / "instructor_notes").glob("*.md"))
        head = ["# Notes for each lesson", "", "Goals, minutes, common mistakes, questions and a rubric.", ""]
        return "\n".join([*head, "```{toctree}", ":maxdepth: 1", "", *notes, "```", ""])

    def _generated(self) -> dict[str, str | bytes]:
        """What pages of docs/ include."""
        times, images = load_run_times(), lessons.card_images(self.project)
        return {
            **{f"{name}.png": figure.png for name, figure in images.items()},
            "explorer.html": landing.landing_explorer().html,
            "begin.md": landing.ways_to_begin(self.project),
            "claims.md": landing.claims_in_a_sentence(),
            "lessons.md": lessons.lesson_cards(self.project, times, images),
            "map.md": self._map(),
            "glossary.md": words.glossary(),
            "run_times.md": words.run_times(times),
            "further_reading.md": lessons.further_reading(self.project),
            "contents.md": words.contents(self._groups()),
        }

    def _map(self) -> str:
        house_style()
        axes = plot_course_map()
        path = self.source / "_generated" / "map.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        axes.figure.savefig(path, dpi=200, bbox_inches="tight", metadata={"Software": None})
        self.written.add(path)
        return f"```{{image}} _generated/map.png\n:alt: {axes.figure.get_label()}\n:width: 440px\n```"

    def _groups(self) -> dict[str, list[str]]:
        pages = {page.removesuffix(".md") for page in self.pages.values() if page.endswith(".md")} | {"reference/index"}
        groups = {name: [page for page in listed if page in pages] for name, listed in GROUPS.items()}
        groups["Lessons"] += [lesson.page for lesson in lessons.lesson_pages(self.project)]
        named = {page for listed in groups.values() for page in listed} | {"index"}
        others = sorted(page for page in pages - named if not page.startswith("instructor_notes/"))
        groups["Building on it"] += others
        return groups

    def _write(self, page: str, content: str | bytes) -> None:
        path = self.source / page
        self.written.add(path)
        data = content.encode() if isinstance(content, str) else content
        if not path.exists() or path.read_bytes() != data:  # Sphinx reads again what is newer
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def make(self, *, fresh: bool = False, quiet: bool = False) -> int:
        """Prepare the pages and call Sphinx, with warnings as errors; returns its exit status.

        Args:
            fresh: read every page again, also those that did not change.
            quiet: print warnings and errors only.
        """
        self.prepare()
        if self.html.exists():
            shutil.rmtree(self.html)
        command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--builder=html", "--jobs=auto"]
        command += [f"--conf-dir={self.docs}", f"--doctree-dir={self.doctrees}"]
        command += ["--fresh-env"] * fresh + ["--quiet"] * quiet
        status = subprocess.call([*command, self.source, self.html], cwd=self.project.root)
        if status == 0:
            copy_mathjax(self.html / "_static" / "mathjax")
        else:  # pages that were read are not read again, and their warnings would be heard once only
            shutil.rmtree(self.doctrees, ignore_errors=True)
        return status


def copy_mathjax(folder: Path) -> None:
    """Copy what pages with formulas need of MathJax.

    Raises:
        SystemExit: if the package that brings it is not installed.
    """
    found = importlib.util.find_spec(MATHJAX_PACKAGE)
    if found is None or found.origin is None:
        raise SystemExit(f"The package {MATHJAX_PACKAGE} is missing; install it: pip install {MATHJAX_PACKAGE}")
    brought = Path(found.origin).parent / "static" / "mathjax"
    for part in MATHJAX_PARTS:
        source, target = brought / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)
