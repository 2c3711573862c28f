"""The two parts of a notebook that no lesson writes: the badge row and the bootstrap cell.

Both come from the repository address in pyproject.toml, so a fork changes one line and rebuilds. They name the
version's tag: a class under way keeps its course when a newer one is published.
"""

from urllib.parse import urlsplit

from tools.project import Project

COLAB_IMAGE = "https://colab.research.google.com/assets/colab-badge.svg"
BINDER_IMAGE = "https://mybinder.org/badge_logo.svg"

# Runs before the package exists, so it may use nothing but the standard library.
BOOTSTRAP = """\
# @title Set-up: run this cell first
# It fetches the course's own small package where that is missing (Colab), and never installs torch or numpy.
import importlib, importlib.util, os, subprocess, sys

if importlib.util.find_spec("course_utils") is None:
    address = os.environ.get("WHERE_TO_LOOK_REPOSITORY", "{repository}@{tag}")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-color", "--no-deps", f"git+{{address}}"]
    answer = subprocess.run(pip, capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError(
            f"The course's package could not be installed from {{address}}.\\n{{answer.stderr[-600:]}}\\n"
            "Check that this machine reaches the internet, then run this cell again. "
            "To work without internet, set the course up beforehand with `make lab`."
        )
    importlib.invalidate_caches()

importlib.import_module("course_utils.teaching.bootstrap").prepare()"""
# Folded away in JupyterLab and in Colab; its output shows.
BOOTSTRAP_METADATA = {
    "cellView": "form",
    "jupyter": {"source_hidden": True},
    "tags": ["bootstrap", "nbval-ignore-output"],
}


def launch_addresses(project: Project, lesson: str) -> tuple[str, str]:
    """Where the learner's notebook opens in Colab and in Binder."""
    repository, tag = project.repository, project.tag
    parts = urlsplit(repository)
    if parts.hostname != "github.com" or parts.path.count("/") != 2:
        raise SystemExit(
            f"pyproject.toml, [project.urls] Repository is {repository!r}. Colab and Binder badges need an "
            "address of the form https://github.com/OWNER/NAME."
        )
    slug = parts.path.strip("/")
    notebook = f"notebooks/{lesson}.ipynb"
    colab = f"https://colab.research.google.com/github/{slug}/blob/{tag}/{notebook}"
    binder = f"https://mybinder.org/v2/gh/{slug}/{tag}?urlpath=lab/tree/{notebook}"
    return colab, binder


def badge_row(project: Project, lesson: str) -> str:
    """Markdown for the Colab and Binder badges; both open the learner's notebook."""
    colab, binder = launch_addresses(project, lesson)
    return f"[![Open in Colab]({COLAB_IMAGE})]({colab}) [![Open in Binder]({BINDER_IMAGE})]({binder})"


def bootstrap_source(project: Project) -> str:
    return BOOTSTRAP.format(repository=project.repository, tag=project.tag)
