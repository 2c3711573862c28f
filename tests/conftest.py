"""What several test modules share."""

from pathlib import Path

import pytest

from tools.project import Project


@pytest.fixture(scope="session")
def site() -> Path:
    """The site's pages, built from this checkout with warnings as errors."""
    from tools.site.build import Site

    pytest.importorskip("sphinx_book_theme", reason='the extra "docs" is missing: pip install -e ".[docs]"')
    built = Site(Project(), Project().root / "build" / "site")
    assert built.make(quiet=True) == 0, "Sphinx's warnings stand above; `make site` repeats them"
    return built.html
