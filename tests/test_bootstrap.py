"""The first cell of a notebook, as Colab runs it: the notebook alone, torch and numpy there, the course not."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from course_utils.teaching import bootstrap
from tools.generated_cells import bootstrap_source
from tools.project import ROOT, Project

pytestmark = pytest.mark.slow

# What Colab lacks, as far as the course needs it; the rest of this environment stands in for Colab's own.
ABSENT = ("where-to-look", "num2words", "docopt", "sacrebleu", "portalocker")

RUN_NOTEBOOK = """
import sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        print(output.get("text", ""), end="")
"""
IMPORT_ALL = """
import importlib, json, pkgutil, course_utils
from course_utils.paths import data_folder
names = [item.name for item in pkgutil.walk_packages(course_utils.__path__, "course_utils.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(json.dumps([course_utils.__file__, str(data_folder("results"))]))
"""


class Machine:
    """A virtual environment in which this one's packages appear as links, less those in ABSENT."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        self.python = folder / "venv" / "bin" / "python"
        ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
        self.packages = Path(subprocess.check_output([self.python, "-c", ask], text=True).strip())
        left_out = {Path(file).parts[0] for name in ABSENT for file in metadata.files(name) or []}
        for item in Path(sysconfig.get_path("purelib")).iterdir():
            if item.name not in left_out and not item.name.startswith("where_to_look"):
                (self.packages / item.name).symlink_to(item)
        self.before = self.contents()
        self.workplace = folder / "alone"
        self.workplace.mkdir()
        outside = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "WHERE_TO_LOOK"))}
        self.environment = outside | {"WHERE_TO_LOOK_FAST": "1"}

    def contents(self) -> dict[str, str]:
        """Each package and where it comes from: a link's target, or "installed here"."""
        return {
            item.name: str(item.readlink()) if item.is_symlink() else "installed here"
            for item in self.packages.iterdir()
            if item.name != "__pycache__"
        }

    def run(self, code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.python, "-c", code, *arguments],
            cwd=self.workplace,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=500,
        )


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Machine:
    if not (Path(sysconfig.get_path("purelib")) / "pip").exists():
        pytest.skip("this environment has no pip, and the bootstrap cell needs one")
    return Machine(tmp_path_factory.mktemp("colab"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> None:
    """Skip where packages cannot be fetched."""
    folder = tmp_path_factory.mktemp("probe")
    options = ["--no-deps", "--retries=0", "--timeout=20", f"--dest={folder}"]
    answer = subprocess.run([sys.executable, "-m", "pip", "download", "-q", *options, "num2words"], capture_output=True)
    if answer.returncode:
        pytest.skip("the package registry cannot be reached from here, so nothing can be installed")


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> str:
    """A git repository of the working tree as it is now, committed or not."""
    copy = tmp_path_factory.mktemp("repository")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True)
    if names.returncode:
        pytest.skip("this is no git checkout, so there is no repository to install from")
    for name in filter(None, names.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / "data" / "results" / "travels-along.json").write_text("{}")
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "working tree"]):
        subprocess.run(["git", *arguments], cwd=copy, check=True)
    return f"file://{copy}"


def test_failing_download_is_explained(machine):
    """Runs before anything is installed: the address leads nowhere."""
    source = bootstrap_source(Project())
    answer = machine.run(source, WHERE_TO_LOOK_REPOSITORY=f"file://{machine.workplace}/nowhere")
    assert answer.returncode != 0
    assert "could not be installed from file://" in answer.stderr and "run this cell again" in answer.stderr
    assert machine.contents() == machine.before


def test_notebook_alone_gets_the_course_and_nothing_large(machine, registry, repository):
    notebook = shutil.copy(ROOT / "notebooks" / "00_start_here.ipynb", machine.workplace)
    answer = machine.run(RUN_NOTEBOOK, Path(notebook).name, WHERE_TO_LOOK_REPOSITORY=repository)
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert answer.stdout.startswith("Where to Look ")
    installed_line = answer.stdout.splitlines()[0]
    assert "Installed: " in installed_line and "num2words" in installed_line and "sacrebleu" in installed_line

    after = machine.contents()
    assert {name: after.get(name) for name in machine.before} == machine.before, "a package of the machine was touched"
    added = {name.partition("-")[0].lower() for name in set(after) - set(machine.before) if name.endswith(".dist-info")}
    assert added <= {name.replace("-", "_") for name in ABSENT}
    assert "where_to_look" in added and "numpy" not in added and "torch" not in added

    again = machine.run(bootstrap_source(Project()), WHERE_TO_LOOK_REPOSITORY="file:///nowhere")
    assert again.returncode == 0 and "Installed:" not in again.stdout
    assert machine.contents() == after

    everything = machine.run(IMPORT_ALL)
    assert everything.returncode == 0, everything.stderr[-3000:]
    package, results = json.loads(everything.stdout.splitlines()[-1])
    assert Path(package).is_relative_to(machine.packages)
    assert Path(results) == machine.packages / "course_utils" / "_data" / "results"
    assert (Path(results) / "travels-along.json").is_file()


# ------------------------------------------------------------------ prepare() by itself


@pytest.fixture
def pretend(monkeypatch):
    """Pretend that some versions are installed (None = missing) and record what pip is asked for."""

    def set_up(requirements: dict[str, list[str]], versions: dict[str, str | None]) -> list[str]:
        asked: list[str] = []

        def install(items: list[Requirement]) -> None:
            asked.extend(str(item) for item in items)
            versions.update({item.name: "1.0" for item in items})

        monkeypatch.setattr(bootstrap.metadata, "requires", lambda name: requirements.get(name))
        monkeypatch.setattr(bootstrap, "_version", lambda name: versions.get(name, "9"))
        monkeypatch.setattr(bootstrap, "_pip_install", install)
        return asked

    return set_up


def test_requirements_of_missing_packages_follow_and_nothing_else(pretend, capsys):
    needs = {
        "where-to-look": ["torch>=2.10", "small>=1", "present>=1", 'lab-only>=1; extra == "lab"'],
        "small": ["numpy>=1", "smaller", 'unneeded; python_version < "3"'],
    }
    asked = pretend(needs, {"small": None, "smaller": None, "lab-only": None})
    bootstrap.prepare()
    assert asked == ["small>=1", "smaller"]
    assert "Installed: small, smaller." in capsys.readouterr().out


@pytest.mark.parametrize("name", ["torch", "numpy", "scipy", "torchvision", "scikit_learn"])
def test_large_packages_are_asked_for_and_never_installed(name, pretend):
    asked = pretend({"where-to-look": [f"{name}>=1"]}, {name: None})
    with pytest.raises(RuntimeError, match=f"needs {name}, .* pip install {name}"):
        bootstrap.prepare()
    assert asked == []


def test_a_large_package_needed_by_a_small_one_is_not_installed_either(pretend):
    asked = pretend({"where-to-look": ["small"], "small": ["scipy"]}, {"small": None, "scipy": None})
    with pytest.raises(RuntimeError, match="needs scipy"):
        bootstrap.prepare()
    assert asked == ["small"]


def test_versions_outside_the_range_are_named_and_left(pretend, capsys):
    asked = pretend({"where-to-look": ["torch>=99"]}, {"torch": "2.9"})
    bootstrap.prepare()
    assert asked == [] and "torch 2.9 (tested: >=99)" in capsys.readouterr().out


def test_failing_pip_is_explained(monkeypatch):
    failure = subprocess.CompletedProcess([], 1, stdout="", stderr="no route to host")
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *arguments, **options: failure)
    with pytest.raises(RuntimeError, match="no route to host(.|\n)*run this cell again(.|\n)*pip install small>=1"):
        bootstrap._pip_install([Requirement("small>=1")])


def test_a_plain_folder_is_accepted(monkeypatch, capsys):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(bootstrap.metadata, "requires", missing)
    bootstrap.prepare()
    assert "plain folder" in capsys.readouterr().out
