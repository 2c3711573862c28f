"""JupyterLab in a real browser opens a learner's notebook and runs it from top to bottom, as a learner would.

nbval runs every notebook at full size and compares outputs. What it cannot see is the lab itself: whether widgets,
explorers and images appear. Two notebooks show all of these, so two are the default; WHERE_TO_LOOK_LAB=all takes
every one, WHERE_TO_LOOK_LAB=03 some. Kernels have WHERE_TO_LOOK_FAST=1: few training steps.
"""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from browser import keep_screenshot, needs_browser, open_browser

from tools.project import ROOT, Project

pytestmark = [needs_browser, pytest.mark.slow, pytest.mark.timeout(900)]
QUICK = ("00", "02")
WANTED = os.environ.get("WHERE_TO_LOOK_LAB", "").split() or QUICK
NOTEBOOKS = [
    path
    for path in sorted(Project().learner_notebooks.glob("[0-9]*.ipynb"))
    if WANTED == ["all"] or path.stem.startswith(tuple(WANTED))
]
RUN_ALL = """async () => {
    const panel = jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    return await jupyterapp.commands.execute('notebook:run-all-cells');
}"""
IS_IDLE = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
CELLS = "() => jupyterapp.shell.currentWidget.content.model.toJSON().cells"
SCROLL = """async (index) => {
    const notebook = jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, 'center');
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of the lab that `make lab` starts, but in a folder with copies of the notebooks."""
    pytest.importorskip("jupyterlab", reason='the extra "lab" is missing: pip install -e ".[lab]"')
    folder = tmp_path_factory.mktemp("lab")
    for path in NOTEBOOKS:
        shutil.copy(path, folder)
    configuration = tmp_path_factory.mktemp("configuration")
    command = [sys.executable, "-m", "tools.lab", "--no-browser", f"--ServerApp.root_dir={folder}"]
    command += ["--ServerApp.port=18950", "--ServerApp.port_retries=50", "--LabApp.expose_app_in_browser=True"]
    command += ["--LabApp.default_url=/lab"]
    environment = {**os.environ, "WHERE_TO_LOOK_FAST": "1", "JUPYTER_CONFIG_DIR": str(configuration)}
    with (configuration / "log").open("w+") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield address_of(server, configuration / "log")
        finally:
            server.terminate()
            server.wait(30)


def address_of(server: subprocess.Popen, log) -> str:
    """The server's address with its token, once it is up."""
    deadline = time.monotonic() + 120
    while server.poll() is None and time.monotonic() < deadline:
        found = re.search(r"http://(?:127\.0\.0\.1|localhost):\d+/lab\?token=\w+", log.read_text())
        if found:
            return found[0]
        time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def page(lab):
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        yield page


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_opening_a_lesson_asks_nothing_and_changes_nothing(lab, page, path):
    page.goto(lab.replace("/lab?", f"/lab/tree/{path.name}?reset&"))
    page.wait_for_function(IS_IDLE)
    page.wait_for_timeout(1500)  # what pops up has done so by then
    assert not page.evaluate("() => jupyterapp.shell.currentWidget.content.model.dirty")
    assert page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts() == []
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_learner_runs_all_cells(lab, page, path):
    page.goto(lab.replace("/lab?", f"/lab/tree/{path.name}?reset&"))
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.content?.model?.cells?.length > 5")
    page.evaluate(RUN_ALL)
    cells = page.evaluate(CELLS)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    wrong = [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"]
    assert wrong == []
    assert all(cell["execution_count"] for cell in code if "".join(cell["source"]).strip()), "a cell did not run"
    seen = {"image": 0, "explorer": 0, "box": 0}
    for kind, selector in (("image", "img[alt]"), ("explorer", ".wtl.js"), ("box", ".jupyter-widgets")):
        for index in [index for index, cell in enumerate(cells) if kind in shown_by(cell)][:2]:
            page.evaluate(SCROLL, index)
            page.locator(f".jp-Cell[data-windowed-list-index='{index}'] {selector}").first.wait_for()
            seen[kind] += 1
            keep_screenshot(page, f"lab-{path.stem[:2]}-{kind}")
    assert seen["image"], "every notebook shows an image"
    if path.stem.startswith("02"):
        assert seen["explorer"] and seen["box"]
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")


def shown_by(cell: dict) -> set[str]:
    """Which of image, explorer and box a cell's outputs hold."""
    kinds = set()
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        text = "".join(data.get("text/html", ""))
        kinds |= {"image"} if text.startswith("<img ") else set()
        kinds |= {"explorer"} if 'class="wtl ' in text else set()
        boxed = "application/vnd.jupyter.widget-view+json" in data and "Box(" in "".join(data.get("text/plain", ""))
        kinds |= {"box"} if boxed else set()
    return kinds
