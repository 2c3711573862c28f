"""A ninth lesson is found everywhere: its files are added to a copy of the checkout, and nothing else is edited."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.project import ROOT

pytestmark = pytest.mark.slow
ADDED = Path(__file__).parent / "fixtures" / "ninth_lesson"
CODE = ("benchmarks", "course_utils", "docs", "experiments", "grading", "lessons", "tools")
COMMANDS = (
    "experiments checkpoint 08",
    "experiments run 08 --seeds 3",
    "experiments report --write",
    "tools.exercises --write",
    "tools.build_notebooks 08",
    "tools.gallery",
    "grading --course class release 08 --no-trial",
)
LOOK = """
import json
from pathlib import Path

from benchmarks.operations import live_trainings
from course_utils.lessons import find_lessons
from course_utils.teaching.course_map import plot_course_map
from tools import cards, reproducibility
from tools.gallery import figures
from tools.project import Project
from tools.refresh.artefacts import Finder
from tools.site import lessons
from tools.site.build import Site

project, (*_, lesson) = Project(), find_lessons()
site = Site(project, Path("build/site"))
print(json.dumps({
    "lesson": [lesson.number, lesson.stem, lesson.title, lesson.has_exercises, lesson.has_experiment],
    "site": [site._groups()["Lessons"], lessons.lesson_cards(project, None, {}), sorted(site.pages.values())],
    "gallery": [figure.path for figure in figures(project)],
    "cards": [cards.names(), cards.recipe_of("08-toy")["steps"], cards.differences("08-toy")["nats"],
              cards.tolerance("08-toy", "nats")],
    "benchmarks": [[number, system] for number, system, *_ in live_trainings()],
    "reproducibility": reproducibility.LESSONS,
    "map": plot_course_map().figure.get_label(),
    "artefacts": sorted(Finder(project).found),
}))
"""


def link(source: str, target: str) -> None:
    """Stand for a copy of what is large: nothing writes into these files."""
    os.symlink(source, target)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the checkout with lesson 08, its notebooks built, its claims measured."""
    root = tmp_path_factory.mktemp("ninth") / "course"
    for folder in CODE:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "_generated"))
    shutil.copytree(ROOT / "data", root / "data", copy_function=link)
    shutil.copytree(ROOT / "notebooks", root / "notebooks", copy_function=link)
    for path in [path for path in ROOT.iterdir() if path.suffix in (".md", ".toml", ".py")]:
        shutil.copy(path, root)
    shutil.copytree(ADDED, root, dirs_exist_ok=True)
    for command in COMMANDS:
        run(root, "-m", *command.split())
    return root


def run(root: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(root / "cache")}
    done = subprocess.run([sys.executable, *words], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def found(checkout) -> dict:
    return json.loads(run(checkout, "-c", LOOK).splitlines()[-1])


def test_four_files_are_enough():
    files = sorted(path.relative_to(ADDED).as_posix() for path in ADDED.rglob("*") if path.is_file())
    assert [name for name in files if "__init__" not in name and "__pycache__" not in name] == [
        "course_utils/exercises/lesson_08/mean.py",
        "experiments/claims/08.yaml",
        "experiments/lesson_08_toy.py",
        "lessons/08_toy.py",
    ]


def test_it_is_in_the_registry(found):
    assert found["lesson"] == ["08", "08_toy", "8 · Toy: a lesson that tests add", True, True]


def test_its_notebooks_are_built_and_executed(checkout):
    for folder in ("notebooks", "notebooks/instructor"):
        cells = json.loads((checkout / folder / "08_toy.ipynb").read_text(encoding="utf-8"))["cells"]
        assert all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")


def test_it_is_a_page_of_the_site(found):
    menu, listed, pages = found["site"]
    assert "notebooks/08_toy" in menu and "notebooks/08_toy.ipynb" in pages
    assert "[8 · Toy: a lesson that tests add](notebooks/08_toy.ipynb)" in listed
    assert "Is a new lesson found without being listed?" in listed
    assert "8 Toy: a lesson that tests add" in found["map"]


def test_it_is_in_the_gallery_and_in_the_readme(checkout, found):
    assert "docs/images/gallery/08-1.png" in found["gallery"] and (checkout / "docs/images/gallery/08-1.png").exists()
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    assert '<a href="notebooks/08_toy.ipynb">8 · Toy' in readme
    assert "| 8 | [Toy](notebooks/08_toy.ipynb) | take the mean | ½ hour |" in readme
    assert "| 8 toy | 1 of 1 hold |" in readme


def test_its_claims_are_on_the_page(checkout):
    page = (checkout / "docs" / "claims.md").read_text(encoding="utf-8")
    assert "## Lesson 8 toy, " in page and "A toy learns more in more steps" in page


def test_its_checkpoint_has_a_card_that_is_tested(found):
    names, steps, (said, now), allowed = found["cards"]
    assert "08-toy" in names and steps == 20 and abs(said - now) <= allowed


def test_it_is_counted_timed_repeated_and_kept_fresh(found):
    assert ["08", "toy"] in found["benchmarks"] and "08" in found["reproducibility"]
    assert {"checkpoints/08-toy", "results/08-default", "notebooks/08_toy", "gallery/08-1"} <= set(found["artefacts"])


def test_it_can_be_assigned(checkout):
    assignment = json.loads((checkout / "class" / "assignments" / "08_toy.json").read_text(encoding="utf-8"))
    assert list(assignment["exercises"]) == ["mean"]
