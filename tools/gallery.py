"""The README's gallery: the figures that matter most, taken from the executed notebooks: `python -m tools.gallery`.

A cell of a lesson with the tag "gallery" gives its first figure. Nothing is plotted here, so what the README shows is
what the lesson shows; the words under an image are the figure's own title.
"""

import argparse
import base64
import html
import io
import re
import sys
from dataclasses import dataclass
from functools import cache

import nbformat

from course_utils.regions import with_region
from tools.project import Project

WIDTH = 640  # pixels; the README shows a third of a page
PER_LESSON = 3
BEGIN, END = "<!-- gallery: begin (written by `python -m tools.gallery`) -->", "<!-- gallery: end -->"
_FIGURE = re.compile(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]*)"')


@dataclass(frozen=True)
class Figure:
    """One image: the notebook it is in, its number there from 1, alternative text, and the PNG."""

    notebook: str
    number: int
    alternative: str
    png: bytes

    @property
    def path(self) -> str:
        """Where it lies in the repository."""
        return f"docs/images/gallery/{self.notebook[:2]}-{self.number}.png"

    @property
    def title(self) -> str:
        """The finding: the first sentence of the alternative text."""
        return self.alternative.split(". ", 1)[0].rstrip(".")


def figures(project: Project) -> list[Figure]:
    """Take the figures of all tagged cells, small.

    Raises:
        ValueError: a lesson has no notebook yet or more than three tagged cells, or such a cell shows no figure.
    """
    found = []
    for lesson in project.listed_lessons:
        path = project.learner_notebook(lesson)
        cells = nbformat.read(path, as_version=4).cells
        tagged = [cell for cell in cells if "gallery" in cell.metadata.get("tags", [])]
        if len(tagged) > PER_LESSON:
            raise ValueError(f"{path.name} has {len(tagged)} cells tagged gallery; expected at most {PER_LESSON}.")
        for number, cell in enumerate(tagged, start=1):
            shown = "".join(str(output.get("data", {}).get("text/html", "")) for output in cell.outputs)
            image = _FIGURE.search(shown)
            if image is None:
                raise ValueError(f"{path.name}: cell {cell.id} has the tag gallery and no figure; build the notebook.")
            png = _small(base64.b64decode(image[1]))
            found.append(Figure(path.stem, number, html.unescape(image[2]).replace("\n", " "), png))
    return found


@cache
def _small(png: bytes) -> bytes:
    import numpy
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.thumbnail((WIDTH, WIDTH))
    pixels = numpy.asarray(image).reshape(-1, 3)
    _, one_of_each = numpy.unique(pixels >> 3, axis=0, return_index=True)
    every = Image.fromarray(pixels[one_of_each][None])  # each colour once: thin frames count as much as the ground
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for of in (image, every) for part in of.quantize(64).getpalette()[: 3 * 64]])
    small = io.BytesIO()
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(small, format="PNG", optimize=True)
    return small.getvalue()


def table(shown: list[Figure], project: Project) -> str:
    """Write the gallery as a table of HTML, a row for each lesson, with the lesson's title above it."""
    lines = ["<table>"]
    for lesson in project.listed_lessons:
        row = [figure for figure in shown if figure.notebook == lesson.stem]
        if not row:
            continue
        title = f'<a href="notebooks/{lesson.stem}.ipynb">{html.escape(lesson.title)}</a>'
        lines += [f'<tr><th colspan="{PER_LESSON}">{title}</th></tr>', "<tr>"]
        lines += [
            f'<td width="33%" valign="top"><img src="{figure.path}" alt="{html.escape(figure.alternative)}">'
            f"<br><sub>{html.escape(figure.title)}</sub></td>"
            for figure in row
        ]
        lines.append("</tr>")
    return "\n".join([*lines, "</table>"])


def with_gallery(readme: str, gallery: str) -> str:
    """The README with this gallery in place of the one it has.

    Raises:
        ValueError: the README has no place for it.
    """
    return with_region(readme, BEGIN, END, gallery)


def stale(project: Project) -> list[str]:
    """What the committed gallery lacks or has too much, one line each."""
    shown = figures(project)
    folder = project.root / "docs" / "images" / "gallery"
    wanted = {project.root / figure.path: figure.png for figure in shown}
    found = [f"{path.name} is not what its notebook shows" for path in wanted if not path.exists()]
    found += [f"{path.name} is in no notebook" for path in sorted(folder.glob("*.png")) if path not in wanted]
    readme = (project.root / "README.md").read_text(encoding="utf-8")
    if with_gallery(readme, table(shown, project)) != readme:
        found.append("README.md has another gallery")
    return found


def write(project: Project) -> None:
    """Write the images and the README's table; images of cells that are no longer tagged go."""
    shown, readme = figures(project), project.root / "README.md"
    text = with_gallery(readme.read_text(encoding="utf-8"), table(shown, project))
    folder = project.root / "docs" / "images" / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.png"):
        path.unlink()
    for figure in shown:
        (project.root / figure.path).write_bytes(figure.png)
    readme.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Write the gallery, or check it."""
    parser = argparse.ArgumentParser(prog="python -m tools.gallery", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the gallery is stale")
    options = parser.parse_args(arguments)
    if options.check:
        found = stale(Project())
        print("\n".join(found) or "The gallery shows what the notebooks show.")
        return int(bool(found))
    write(Project())
    print(f"{len(figures(Project()))} figures in docs/images/gallery")
    return 0


if __name__ == "__main__":
    sys.exit(main())
