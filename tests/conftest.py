"""What several test modules share."""

import os
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
