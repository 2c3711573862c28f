"""Run a notebook from top to bottom and make its outputs fit to be committed."""

import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from nbclient import NotebookClient
from nbformat import NotebookNode

from tools.project import ROOT

CELL_TIMEOUT_SECONDS = 300
IMAGES = ("image/png", "image/jpeg")
DATA_ADDRESS = re.compile(r"(data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+)")  # an image inside HTML
# Paths of any machine; those of this one are replaced before this is asked.
FOREIGN_PATH = re.compile(r"(?:/home/|/Users/|/root/|/tmp/|/private/var/|[A-Z]:\\+Users\\)[^\s\"'<>]*")


@dataclass
class Run:
    """How one execution went: seconds in all and of each code cell, by cell number."""

    seconds: float = 0.0
    cell_seconds: dict[int, float] = field(default_factory=dict)


def execute(notebook: NotebookNode, folder: Path, fast: bool) -> Run:
    """Execute `notebook` in place, with `folder` as its working directory.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed that is not tagged `raises-exception`.
    """
    environment = {key: value for key, value in os.environ.items() if key != "WHERE_TO_LOOK_FAST"}
    if fast:
        environment["WHERE_TO_LOOK_FAST"] = "1"
    run, started = Run(), {}

    def on_start(cell: NotebookNode, cell_index: int) -> None:
        started[cell_index] = time.perf_counter()

    def on_end(cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
        run.cell_seconds[cell_index] = time.perf_counter() - started[cell_index]

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors only
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        on_cell_execute=on_start,
        on_cell_executed=on_end,
    )
    begin = time.perf_counter()
    client.execute(env=environment)
    run.seconds = time.perf_counter() - begin
    return run


def clean_outputs(notebook: NotebookNode) -> None:
    """Remove from the outputs what belongs to this machine or this run and not to the lesson."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            if "data" in output:  # a widget without its live kernel shows nothing; its plain text does
                output.data.pop("application/vnd.jupyter.widget-view+json", None)
            if "text" in output:  # a progress bar rewrites its line: what stood there in the end stays
                output.text = re.sub(r"[^\n]*\r(?!\n)", "", output.text)
        cell.outputs = [_without_machine_paths(output) for output in cell.outputs if output.get("data", True)]


def machine_paths(notebook: NotebookNode) -> list[str]:
    """Every path of somebody's machine that the outputs still hold, as "cell 7: …"."""
    patterns = [*_own_paths(), FOREIGN_PATH]
    return [
        f"cell {number}: {leak}"
        for number, cell in enumerate(notebook.cells)
        for text in map(_without_images, _texts(cell.get("outputs", [])))
        for pattern in patterns
        for leak in pattern.findall(text)
    ]


def _own_paths() -> dict[re.Pattern, str]:
    """Patterns for this machine's folders, longest first, each with the name that stands in for it."""
    names = {
        os.environ.get("WHERE_TO_LOOK_DATA", ""): "$WHERE_TO_LOOK_DATA",
        tempfile.gettempdir(): "tmp",
        sys.prefix: "python",
        sys.base_prefix: "python",
        str(ROOT.parent): "..",
        str(ROOT): "where-to-look",
        str(Path.home()): "~",
    }
    longest_first = sorted((path for path in names if len(path) > 3 and path != "/usr"), key=len, reverse=True)
    return {re.compile(rf"(?<![\w.]){re.escape(path)}(?![\w-])"): names[path] for path in longest_first}


def _without_machine_paths(value, key: str = ""):
    """Copy an output with this machine's folders replaced; images are left alone."""
    if isinstance(value, str) and key not in IMAGES:
        pieces = DATA_ADDRESS.split(value)  # every second piece is an image
        for pattern, name in _own_paths().items():
            pieces[::2] = [pattern.sub(name, piece) for piece in pieces[::2]]
        value = "".join(pieces)
    elif isinstance(value, list):
        value = [_without_machine_paths(item, key) for item in value]
    elif isinstance(value, dict):
        value = type(value)({name: _without_machine_paths(item, name) for name, item in value.items()})
    return value


def _without_images(text: str) -> str:
    return DATA_ADDRESS.sub("", text)


def _texts(value, key: str = "") -> list[str]:
    """Every piece of text in an output; images are left out."""
    if isinstance(value, str):
        return [] if key in IMAGES else [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item, key)]
    if isinstance(value, dict):
        return [text for name, item in value.items() for text in _texts(item, name)]
    return []
