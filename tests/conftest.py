"""What several test modules share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.project import Project


@pytest.fixture(scope="session")
def site() -> Path:
    """The site's pages, built from this checkout with warnings as errors."""
    from tools.site.build import Site

    pytest.importorskip("sphinx_book_theme", reason='the extra "docs" is missing: pip install -e ".[docs]"')
    # Where several processes share the tests, each has its own: none is rebuilt while another one reads it.
    process = os.environ.get("PYTEST_XDIST_WORKER", "")
    built = Site(Project(), Project().root / "build" / f"site{process}")
    assert built.make(quiet=True) == 0, "Sphinx's warnings stand above; `make site` repeats them"
    return built.html


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """`staged("fsdd")` uses the real data of the staged folder, and skips the test where a set is not there."""
    folder = Path(os.environ.get("WHERE_TO_LOOK_DATA") or Path(__file__).resolve().parents[2] / "shared" / "datasets")

    def use(*names: str) -> Path:
        if missing := [name for name in names if not (folder / name).is_dir()]:
            pytest.skip(f"no staged {', '.join(missing)}; set WHERE_TO_LOOK_DATA to a folder that has it")
        monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(folder))
        return folder

    return use
