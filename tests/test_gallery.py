"""The README's gallery shows what the notebooks show."""

import base64
import io
import shutil

import nbformat
import numpy
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from course_utils.teaching import plots
from tools import gallery
from tools.project import ROOT, Project


def test_the_committed_gallery_is_what_the_notebooks_show():
    assert gallery.stale(Project()) == [], "run `python -m tools.gallery` and commit the result"


def test_every_lesson_shows_three_figures_with_words():
    shown = gallery.figures(Project())
    lessons = [lesson.stem for lesson in Project().listed_lessons if lesson.number > "00"]
    assert {name: sum(figure.notebook == name for figure in shown) for name in lessons} == dict.fromkeys(lessons, 3)
    for figure in shown:
        assert len(figure.alternative) > len(figure.title) > 10, "an alternative text says more than the title"
        assert Image.open(io.BytesIO(figure.png)).width <= gallery.WIDTH and len(figure.png) < 80_000


@pytest.fixture
def tiny(tmp_path):
    """A checkout with one notebook of one tagged figure, and a README with a place for it."""
    png = io.BytesIO()
    Image.new("RGB", (900, 300), "orange").save(png, format="PNG")
    encoded = base64.b64encode(png.getvalue()).decode()
    image = f'<img src="data:image/png;base64,{encoded}" alt="Up by 2.5 &amp; 3. a to b">'
    code = nbformat.v4.new_code_cell("show()", metadata={"tags": ["gallery"]})
    code.outputs = [nbformat.v4.new_output("display_data", {"text/html": image})]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 9 · Tiny"), code])
    for folder in ("lessons", "notebooks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "lessons" / "09_tiny.py").write_text("# %% [markdown]\n# # 9 · Tiny\n")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "README.md").write_text(f"before\n{gallery.BEGIN}\nold\n{gallery.END}\nafter\n")
    nbformat.write(notebook, tmp_path / "notebooks" / "09_tiny.ipynb")
    return Project(tmp_path)


def test_a_figure_is_taken_with_its_words_and_what_is_old_goes(tiny):
    (figure,) = gallery.figures(tiny)
    assert figure.title == "Up by 2.5 & 3" and figure.alternative == "Up by 2.5 & 3. a to b"
    old = tiny.root / "docs/images/gallery/08-1.png"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"")
    assert len(gallery.stale(tiny)) == 3
    gallery.write(tiny)
    assert gallery.stale(tiny) == [] and not old.exists() and Image.open(tiny.root / figure.path).width == 640
    readme = (tiny.root / "README.md").read_text()
    assert readme.startswith("before") and readme.endswith("after\n") and "9 · Tiny" in readme and "&amp; 3" in readme


def test_thin_frames_keep_their_colour():
    weights = numpy.random.default_rng(0).random((8, 17)) ** 4
    axes = plots.plot_alignment(weights, list("abcdefghijklmnopq"), list("abcdefgh"), {(0, 0), (5, 13)}, title="Two")
    png = io.BytesIO()
    axes.figure.savefig(png, format="png", dpi=90)
    plots.plt.close(axes.figure)
    small = numpy.asarray(Image.open(io.BytesIO(gallery._small(png.getvalue()))).convert("RGB")).reshape(-1, 3)
    gold = 255 * numpy.array(to_rgb(plots.GOLD_COLOUR))
    assert numpy.abs(small - gold).max(axis=1).min() < 25


def test_a_tag_without_a_figure_and_a_lesson_without_a_notebook_are_said(tiny):
    path = tiny.root / "notebooks" / "09_tiny.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = []
    nbformat.write(notebook, path)
    with pytest.raises(ValueError, match="no figure; build the notebook"):
        gallery.figures(tiny)
    (tiny.root / "lessons" / "08_unbuilt.py").write_text("# %% [markdown]\n# # 8 · Unbuilt\n")
    with pytest.raises(ValueError, match="lesson 08 has no 08_unbuilt.ipynb; build it: make notebooks LESSONS=08"):
        gallery.figures(tiny)
