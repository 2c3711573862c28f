"""A real browser for tests: Chromium, driven by playwright. A test module that imports this is skipped without them.

Needs the packages of the extra "test" and Chromium (on Debian: `apt-get install chromium`).
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="the package playwright is missing: pip install playwright"
)
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: apt-get install chromium")
SCREENSHOTS = Path(__file__).parents[1] / "build" / "screenshots"


@contextmanager
def open_browser() -> Iterator:
    """Chromium without a window, for as long as the block runs."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address of a folder, served for as long as the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def keep_screenshot(page, name: str, **options) -> None:
    """Keep what is seen under build/screenshots, for whoever wants to look after a run."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", **options)


def luminance(colour: str) -> float:
    """Relative luminance of a CSS colour, as WCAG defines it."""
    channels = [float(value) / 255 for value in re.findall(r"[\d.]+", colour)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """How well two colours can be told apart, 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def axe_findings(page, excluded: tuple[str, ...] = ()) -> list[tuple[str, str, list[str]]]:
    """What axe-core finds on a page: impact, rule, and the beginning of each node's HTML.

    Args:
        page: open.
        excluded: selectors of parts that are not looked at.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    context = {"exclude": [[selector] for selector in excluded]} if excluded else None
    options = {"resultTypes": ["violations"], "preload": False}  # style sheets of others are not fetched once more
    findings = axe.Axe().run(page, context=context, options=options).response
    assert len(findings["passes"]) > 10, "axe did not look at the page"
    return [
        (found["impact"], found["id"], [node["html"][:120] for node in found["nodes"]])
        for found in findings["violations"]
    ]
