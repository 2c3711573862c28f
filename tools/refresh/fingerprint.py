"""Which of the repository's code something is made from, found without running it, and a hash of each piece.

A module is hashed by its syntax tree without docstrings, annotations, and imports that only annotations need, so prose
and type hints make nothing stale. `ast.dump` does not write it, because its text depends on the version of Python.
"""

import ast
import hashlib
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

PACKAGES = ("course_utils", "experiments", "benchmarks", "tools", "lessons")


def digest(content: str | bytes) -> str:
    """The hash of a text or of bytes, 64 hexadecimal digits."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


@cache
def source_hash(source: str) -> str:
    """The hash of what a source computes."""
    return digest(written(plain(source)))


def written(node: object) -> str:
    """A syntax tree as text, the same in every version of Python: what is empty is left out."""
    if isinstance(node, list):
        return f"[{','.join(map(written, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [item for item in ast.iter_fields(node) if item[0] not in ("ctx", "kind", "type_comment")]
    said = [f"{name}={written(value)}" for name, value in fields if value is not None and value != []]
    return f"{type(node).__name__}({','.join(said)})"


class _WithoutProse(ast.NodeTransformer):
    def visit(self, node):
        value = getattr(node, "value", None)
        if isinstance(node, ast.Expr) and isinstance(getattr(value, "value", None), str):
            return None
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            return None
        if isinstance(node, ast.Assign) and getattr(getattr(value, "func", None), "id", "") == "Exercise":
            return None  # cases and mistakes, which are tests
        if isinstance(node, ast.AnnAssign):
            node = ast.Assign([node.target], value) if value else ast.Expr(node.target)
        for hint in ("annotation", "returns"):
            if hasattr(node, hint):
                setattr(node, hint, None)
        return self.generic_visit(node)


@cache
def plain(source: str) -> ast.Module:
    """Parse a source and leave out what changes nothing that it computes."""
    tree = _WithoutProse().visit(ast.parse(source))
    nodes = list(ast.walk(tree))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    used |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # __all__
    for node in nodes:
        if isinstance(getattr(node, "body", None), list):
            node.body = [kept for statement in node.body if (kept := _imports_used(statement, used))]
    return tree


def _imports_used(statement: ast.stmt, used: set[str]) -> ast.stmt | None:
    if not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return statement
    names = [name for name in statement.names if (name.asname or name.name.partition(".")[0]) in used]
    return type(statement)(**{**vars(statement), "names": names}) if names else None


class Code:
    """The code of a checkout in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = cache(lambda module: self.path(module).read_text(encoding="utf-8"))
        self.hash = cache(lambda module: digest(source_hash(self.source(module)) + self._beside(module)))
        self.imported = cache(lambda module: self.imports_of(plain(self.source(module)), module))

    def path(self, module: str) -> Path | None:
        """The file of a module; None if it is not the repository's own."""
        place = self.root.joinpath(*module.split("."))
        paths = (place / "__init__.py", place.with_name(f"{place.name}.py"))
        return next((path for path in paths if path.is_file() and module.split(".")[0] in PACKAGES), None)

    def _beside(self, module: str) -> str:
        """The hashes of files that a module names and that lie beside it."""
        strings = {str(node.value) for node in ast.walk(plain(self.source(module))) if isinstance(node, ast.Constant)}
        paths = [self.path(module).with_name(name) for name in sorted(strings) if re.fullmatch(r"[\w-]+\.[a-z]+", name)]
        return "".join(digest(path.read_bytes()) for path in paths if path.is_file())

    def imports_of(self, tree: ast.AST, module: str = "") -> set[str]:
        """The repository's own modules that a piece of code imports, inside functions too."""
        names: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                around = [*module.split(".")[: -node.level], ""] if node.level else []
                names |= {f"{'.'.join(around)}{node.module}.{name.name}" for name in node.names}
        return {loaded for name in names for loaded in self._loaded(name)}

    def _loaded(self, name: str) -> set[str]:
        """What importing a dotted name loads: packages around it too, and where a package gets it when asked."""
        parts = name.split(".")
        found = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
        package = self.path(".".join(parts[:-1]))
        if package and package.name == "__init__.py":
            lazy = re.search(rf"^    from ([\w.]+) import .*\b{parts[-1]}\b", package.read_text(encoding="utf-8"), re.M)
            found |= {lazy[1]} if lazy else set()
        return {module for module in found if self.path(module)}

    def closure(self, modules: Iterable[str], without: Iterable[str] = ()) -> dict[str, str]:
        """The hashes of modules and of all that they import but those `without`."""
        waiting, found = list(modules), {}
        while waiting:
            module = waiting.pop()
            if module not in found and module not in without:
                found[module] = self.hash(module)
                waiting += self.imported(module)
        return found

    def part(self, module: str, begin: Iterable[str], known: Callable[[str], bool]) -> ast.Module:
        """The statements of a module that the functions and methods `begin` need, as far as it has them.

        `known` says of a name that it counts otherwise, such as a recipe by its values.
        """
        body, waiting = [], list(begin)
        for statement in plain(self.source(module)).body:
            body.append(statement)
            if any(getattr(member, "name", "") == "measure" for member in getattr(statement, "body", [])):
                body[-1:] = [ast.ClassDef(statement.name, statement.bases, [], [], []), *statement.body]
                waiting.append(statement.name)
        reached, kept = set(), []
        while waiting:
            if (name := waiting.pop()) not in reached and not known(name):
                reached.add(name)
                new = [statement for statement in body if name in _bound(statement) and statement not in kept]
                kept += new
                nodes = [node for statement in new for node in ast.walk(statement)]
                waiting += [getattr(node, "id", getattr(node, "attr", "")) for node in nodes]
        kept += [used for statement in body if not _bound(statement) and (used := _imports_used(statement, reached))]
        return ast.Module(sorted(kept, key=written), [])


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a definition or an assignment binds."""
    targets = [node for target in getattr(statement, "targets", []) for node in ast.walk(target)]
    return {node.id for node in targets if isinstance(node, ast.Name)} | {getattr(statement, "name", "")} - {""}
