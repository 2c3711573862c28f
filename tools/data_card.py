"""The table of real data in `data/README.md`, made from `course_utils.data.real_sets`.

python -m tools.data_card          # writes it
"""

import sys
from pathlib import Path

from course_utils.data.real_sets import REAL_SOURCES, RealSource
from course_utils.regions import with_region
from tools.project import Project

BEGIN = "<!-- The table is made by `python -m tools.data_card`. -->"
END = "<!-- end of the table -->"
_HEAD = ("name", "lessons", "call", "from", "columns", "rows (train / validation / test)", "size", "licence", "credit")


def table() -> str:
    """The table, a row for each set."""
    rows = [_HEAD, ["---"] * len(_HEAD), *map(_row, REAL_SOURCES.values())]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _row(source: RealSource) -> list[str]:
    lessons, columns = ", ".join(map(str, source.lessons)), ", ".join(f"`{column}`" for column in source.columns)
    call = 'load_digit_images("real")' if source.torchvision else f'load_real("{source.name}", "{source.splits[0]}")'
    told = [source.rows, source.size, source.licence, source.credit]
    return [f"`{source.name}`", lessons, f"`{call}`", _place(source), columns, *told]


def _place(source: RealSource) -> str:
    if source.hub:
        revision = f"revision `{source.hub.revision[:7]}`" if source.hub.revision else "revision **not pinned**"
        return f"hub: `{source.hub.id}`, `{source.hub.files}`, {revision}"
    if source.address:
        return f"public files under `{source.address}`, sha256 pinned"
    if source.torchvision:
        return f"`torchvision.datasets.{source.torchvision}`"
    return "staged folder only"


def updated(text: str) -> str:
    """Put the table of today between its two marks.

    Raises:
        ValueError: if the marks are not there.
    """
    return with_region(text, BEGIN, END, table(), "data/README.md")


def card_path(root: Path | None = None) -> Path:
    """Where the data card is."""
    return (root or Project().root) / "data" / "README.md"


if __name__ == "__main__":
    path = card_path()
    old = path.read_text(encoding="utf-8")
    path.write_text(updated(old), encoding="utf-8")
    sys.stdout.write(f"{path}: {'unchanged' if updated(old) == old else 'written'}\n")
