"""The reference: a page for each public module of the package, by autodoc, and a list of them."""

import ast
from pathlib import Path

from tools.project import Project

FLOORS = {
    "course_utils": "The ground: training, metrics, checkpoints",
    "course_utils.mechanisms": "Mechanisms: attention, recurrence, search, glimpses of images",
    "course_utils.models": "Models: one family for each lesson",
    "course_utils.data": "Data: synthetic worlds, and real sets",
    "course_utils.exercises": "Exercises: how an answer is tried",
    "course_utils.teaching": "Teaching: figures, explorers",
    "experiments": "Beside the package, for contributors: experiments",
}
HIDDEN = ("course_utils.exercises.lesson_", "experiments.__main__")
"""The checks hold the exercises' answers."""
SECTIONS = ("Args:", "Attributes:", "Raises:", "Returns:", "Yields:")
BEGINNING = """# Reference

Every public part of the package `course_utils`, and of the experiments beside it, from the docstrings. Lower floors
come first: a module imports from its own floor and from those below.
"""


def modules(project: Project) -> dict[str, Path]:
    """The file of each module that is documented, by its name."""
    found = {}
    roots = (project.root / "course_utils", project.root / "experiments")
    for path in sorted(path for root in roots for path in root.rglob("*.py")):
        name = ".".join(path.relative_to(project.root).with_suffix("").parts).removesuffix(".__init__")
        if not name.startswith(HIDDEN):
            found[name] = path
    return found


def first_paragraph(path: Path) -> str:
    """The first paragraph of a module's docstring, on one line."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def floor_of(name: str) -> str:
    """The floor of the package that a module belongs to."""
    return max((floor for floor in FLOORS if name == floor or name.startswith(floor + ".")), key=len)


def reference_pages(project: Project) -> dict[str, str]:
    """Text of each page of the reference, by its file below `reference/`."""
    listed = modules(project)
    lines = [BEGINNING]
    for floor, title in FLOORS.items():
        inside = [name for name in listed if floor_of(name) == floor]
        rows = [f"| [{_short(name)}]({name}.rst) | {_cell(first_paragraph(listed[name]))} |" for name in inside]
        lines += ["", f"## {title}", "", "| module | what it is |", "|---|---|", *rows]
        lines += ["", "```{toctree}", ":hidden:", "", *inside, "```"]
    return {"index.md": "\n".join(lines) + "\n", **{f"{name}.rst": _page(name) for name in listed}}


def skip_member(app, what, name, member, skip, options) -> bool | None:
    """Leave out paths of the building machine, and fields of named tuples, of which Python says but a number."""
    numbered = (getattr(member, "__doc__", "") or "").startswith("Alias for field number")
    return True if numbered or isinstance(member, Path) else None


def mark_code(app, what, name, obj, options, lines: list[str]) -> None:
    """Mark indented lines of a docstring as code, in place, but not those under a section's name, such as "Args:"."""
    marked, section, code = [], False, False
    for number, line in enumerate(lines):
        if line and not line.startswith(" "):
            section, code = line.rstrip() in SECTIONS, line.rstrip().endswith("::")
        elif line.strip() and not section and not code and number and not lines[number - 1].strip():
            marked += [".. code-block:: text", ""]
            code = True
        marked.append(line)
    lines[:] = marked


def _short(name: str) -> str:
    return name.removeprefix("course_utils.")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _page(name: str) -> str:
    title = _short(name)
    return f"{title}\n{'=' * len(title)}\n\n.. automodule:: {name}\n   :members:\n   :show-inheritance:\n"
