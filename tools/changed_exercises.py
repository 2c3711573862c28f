"""Which exercises changed since a version: `python -m tools.changed_exercises v0.2.0`. CHANGELOG.md lists them.

Whoever teaches with the older version sees from it whether answers, points or grades would differ.
"""

import argparse
import json
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.project import ROOT

PARTS = {"": "exercise", "-check": "visible test", "-hidden": "hidden tests"}


def parts_of_notebook(lesson: str, text: str) -> dict[str, dict[str, str]]:
    """For each exercise of an instructor's notebook its parts: the cell's source, and what it is worth."""
    found: dict[str, dict[str, str]] = {}
    for cell in json.loads(text)["cells"]:
        if grading := cell["metadata"].get("nbgrader"):
            name, suffix = re.fullmatch(r"(.*?)(-check|-hidden|)", grading["grade_id"]).groups()
            source = f"{grading.get('points')} {''.join(cell['source'])}"
            found.setdefault(f"{lesson}.{name}", {})[PARTS[suffix]] = source
    return found


def exercises(names: Iterable[str], read: Callable[[str], str]) -> dict[str, dict[str, str]]:
    """All exercises of a checkout: their cells, and the modules of the package that check them.

    Args:
        names: the paths of the checkout's files.
        read: gives the text behind a path.
    """
    found: dict[str, dict[str, str]] = {}
    for name in sorted(names, reverse=True):  # notebooks first
        if name.startswith("notebooks/instructor/") and name.endswith(".ipynb"):
            found |= parts_of_notebook(Path(name).name[:2], read(name))
        elif name.startswith("course_utils/exercises/lesson_") and name.endswith(".py"):
            text = read(name)
            for exercise in found:
                if f'"{exercise}"' in text:
                    found[exercise]["check"] = text
    return dict(sorted(found.items()))


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


def compare(old: dict[str, dict[str, str]], new: dict[str, dict[str, str]]) -> list[str]:
    """One line for each exercise that was added, removed or changed."""
    lines = [f"- added: `{name}`" for name in new if name not in old]
    lines += [f"- removed: `{name}`" for name in old if name not in new]
    for name in new:
        if name in old:
            parts = [part for part in (*PARTS.values(), "check") if old[name].get(part) != new[name].get(part)]
            lines += [f"- changed: `{name}` ({', '.join(parts)})"] if parts else []
    return lines


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.changed_exercises", description=__doc__.partition("\n")[0])
    parser.add_argument("since", help="a tag or another name of a commit")
    since = parser.parse_args(arguments).since
    listing = git(root, "ls-tree", "-r", "--name-only", since).splitlines()
    old = exercises(listing, lambda name: git(root, "show", f"{since}:{name}"))
    paths = [path for top in ("notebooks", "course_utils") for path in (root / top).rglob("*")]
    here = [path.relative_to(root).as_posix() for path in paths]
    new = exercises(here, lambda name: (root / name).read_text(encoding="utf-8"))
    print("\n".join(compare(old, new)) or f"No exercise changed since {since}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
