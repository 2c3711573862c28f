"""Docstrings of the course's own dependencies: a real set for summarization that needs no download.

Wherever the course runs its dependencies are installed, and their authors wrote summary lines above descriptions.
`harvest` reads the sources as syntax trees and imports none of them; `docstring_cleaning` says what is kept and why.
What was found stays on disk, in a file whose name holds the versions of all libraries; nothing of it is in the course.

    python -m course_utils.datasets.docstrings        # prints what was found, dropped and kept
"""

import ast
import gc
import hashlib
import json
import os
import sys
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from course_utils.datasets.docstring_cleaning import (
    RULES,
    Cleaned,
    clean_docstring,
    drop_duplicates,
    group_duplicates,
    remove_stock_phrases,
    split_of_group,
)
from course_utils.datasets.kept_files import keep_file
from course_utils.datasets.scene_cache import cache_folder

LIBRARIES = (
    "fonttools", "fsspec", "huggingface-hub", "ipython", "joblib", "matplotlib", "networkx", "numpy", "pandas",
    "pillow", "scikit-learn", "scipy", "seaborn", "sympy", "torch",
)  # fmt: skip
"""Libraries that are installed with the course because it, or what it uses, depends on them."""

FEWEST_PAIRS = 1000
"""Fewer than this cannot be trained on, so that the harvest is refused."""

LARGEST_CACHE_BYTES = 50 * 10**6
"""When the folder holds more docstrings, the files that were used longest ago are removed."""

_LEFT_OUT = {"tests", "test", "testing", "_vendor", "vendored", "externals", "extern"}  # not theirs, or not for readers
_SOURCES = ("docstring_cleaning", "docstrings", "text")


class NoDocstringsError(RuntimeError):
    """Too few docstrings are installed."""


@dataclass(frozen=True)
class DocstringPair:
    """A summary line with its description.

    Attributes:
        library: of `LIBRARIES`.
        where: the file and the name in it, such as "numpy/lib/_type_check_impl.py: real".
        summary: words of the summary line.
        sentences: words of each sentence of the description.
        split: "train", "validation" or "test"; near-duplicates are all in one.
    """

    library: str
    where: str
    summary: tuple[str, ...]
    sentences: tuple[tuple[str, ...], ...]
    split: str


@dataclass(frozen=True)
class Harvest:
    """What was found and what became of it.

    Attributes:
        pairs: what is kept, in the order of libraries and files.
        found: docstrings of each library.
        dropped: how many each rule of `docstring_cleaning.RULES` dropped.
        groups: number of groups of near-duplicates, single pairs included.
        versions: of each library; those that are not installed are missing.
        seconds: how long the harvest took; of one from the cache, when it was made.
    """

    pairs: tuple[DocstringPair, ...]
    found: dict[str, int]
    dropped: dict[str, int]
    groups: int
    versions: dict[str, str]
    seconds: float = field(compare=False)

    @property
    def table(self) -> str:
        """The cleaning as text: what was found, what each rule dropped and why, what is left."""
        lines = [f"{sum(self.found.values()):6} docstrings found in {len(self.found)} libraries"]
        lines += [f"{-self.dropped.get(rule, 0):6} {rule}: {why}" for rule, why in RULES.items()]
        splits = Counter(pair.split for pair in self.pairs)
        lines += [f"{len(self.pairs):6} left, in {self.groups} groups of near-duplicates: {dict(splits)}"]
        return "\n".join(lines)


def installed_versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Version of each library that is installed; no library is imported."""
    versions = {}
    for library in libraries:
        with suppress(PackageNotFoundError):
            versions[library] = distribution(library).version
    return versions


def source_files(library: str) -> list[Path]:
    """The Python sources of an installed library, without its tests and what it took over from others.

    Raises:
        importlib.metadata.PackageNotFoundError: if it is not installed.
    """
    files = [file for file in distribution(library).files or () if file.suffix == ".py"]
    return sorted(Path(file.locate()) for file in files if not _LEFT_OUT & set(file.parts))


def docstrings_in(source: bytes) -> list[tuple[str, str]]:
    """All docstrings of a source file, by its syntax tree; nothing is run.

    Returns:
        `(name, docstring)` of the module (its name is empty), of classes and of functions; none if the source is not
        Python of this version.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's strings
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found = ((getattr(node, "name", ""), ast.get_docstring(node)) for node in _documented(tree))
    return [(name, text) for name, text in found if text]


def _documented(node: ast.AST) -> Iterator[ast.AST]:
    """Module, classes and functions; looks into statements that hold others, not into expressions."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node
    for name in ("body", "orelse", "finalbody", "handlers"):
        for child in getattr(node, name, ()):
            yield from _documented(child)


def harvest(libraries: Sequence[str] = LIBRARIES, processes: int = 1) -> Harvest:
    """Read, clean, group and split the docstrings of installed libraries.

    Args:
        libraries: names of distributions; those that are not installed are left out.
        processes: that read files side by side.

    Raises:
        NoDocstringsError: if fewer than `FEWEST_PAIRS` are left.
    """
    start = time.perf_counter()
    versions = installed_versions(libraries)
    files = [(library, path) for library in versions for path in source_files(library)]
    roots = {library: Path(distribution(library).locate_file("")) for library in versions}
    found, dropped = Counter(dict.fromkeys(versions, 0)), Counter()
    kept: list[tuple[str, str, Cleaned]] = []
    for (library, path), cleaned in zip(files, _read_all([path for _, path in files], processes), strict=True):
        found[library] += len(cleaned)
        for name, result in cleaned:
            if isinstance(result, str):
                dropped[result] += 1
            else:
                place = (
                    path.relative_to(roots[library]).as_posix() if path.is_relative_to(roots[library]) else path.name
                )
                kept.append((library, f"{place}: {name}" if name else place, result))
    pairs, groups = _finish(kept, dropped)
    if len(pairs) < FEWEST_PAIRS:
        raise NoDocstringsError(
            f"{len(pairs)} docstrings are left of {dict(found)}; expected at least {FEWEST_PAIRS}. Are the course's "
            "dependencies installed with their sources? Otherwise keep SOURCE = 'default'."
        )
    return Harvest(pairs, dict(found), dict(dropped), groups, versions, time.perf_counter() - start)


def _finish(kept: list[tuple[str, str, Cleaned]], dropped: Counter) -> tuple[tuple[DocstringPair, ...], int]:
    """What needs all pairs at once: stock phrases, duplicates, groups and splits."""
    without = remove_stock_phrases([pair for _, _, pair in kept])
    dropped["stock phrases"] += sum(pair is None for pair in without)
    left = [(library, where, pair) for (library, where, _), pair in zip(kept, without, strict=True) if pair is not None]
    firsts = {id(pair) for pair in drop_duplicates([pair for _, _, pair in left])}
    dropped["duplicate"] += len(left) - len(firsts)
    left = [entry for entry in left if id(entry[2]) in firsts]
    groups = group_duplicates([pair for _, _, pair in left])
    splits = [split_of_group(left[group][2].summary) for group in groups]
    pairs = [DocstringPair(*entry[:2], *entry[2], split) for entry, split in zip(left, splits, strict=True)]
    return tuple(pairs), len(set(groups))


def _read_all(paths: Sequence[Path], processes: int) -> list[list[tuple[str, Cleaned | str]]]:
    if processes < 2:
        return _read_some(paths)
    from joblib import Parallel, delayed

    portions = [paths[start : start + 100] for start in range(0, len(paths), 100)]
    read = Parallel(n_jobs=processes)(delayed(_read_some)(portion) for portion in portions)
    return [cleaned for portion in read for cleaned in portion]


def _read_some(paths: Sequence[Path]) -> list[list[tuple[str, Cleaned | str]]]:
    """The cleaned docstrings of each file; a file that cannot be read has none."""
    read = []
    with _no_collecting():
        for path in paths:
            source = b""
            with suppress(OSError):
                source = path.read_bytes()
            quoted = b'"""' in source or b"'''" in source  # no docstring of two paragraphs without
            read.append([(name, clean_docstring(text)) for name, text in (docstrings_in(source) if quoted else ())])
    return read


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Without the search for circles, which finds none in syntax trees and takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


# The cache


def harvest_fingerprint(libraries: Sequence[str] = LIBRARIES) -> str:
    """16 hex digits that change with the versions of the libraries and of Python and with the sources that clean."""
    digest = hashlib.blake2b(digest_size=8)
    for name in _SOURCES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes().replace(b"\r\n", b"\n"))
    versions = installed_versions(libraries)
    digest.update(json.dumps([sys.version_info[:2], [(name, versions.get(name)) for name in libraries]]).encode())
    return digest.hexdigest()


def docstring_path(libraries: Sequence[str] = LIBRARIES) -> Path:
    """Where the harvest of these libraries is kept."""
    return cache_folder() / f"docstrings-{harvest_fingerprint(libraries)}.json"


def load_docstrings(libraries: Sequence[str] = LIBRARIES, *, cached: bool = True, processes: int = 1) -> Harvest:
    """The harvest from disk, or a new one, which takes about a minute.

    A cache that cannot be used (no room, no right to write) is warned about and costs only time.

    Args:
        libraries, processes: see `harvest`.
        cached: read and write the folder `scene_cache.cache_folder()`.

    Raises:
        NoDocstringsError: see `harvest`.
    """
    path = docstring_path(libraries)
    if cached and (found := _read(path)) is not None:
        return found
    fresh = harvest(libraries, processes)
    if cached:
        _write(path, fresh)
    return fresh


def _read(path: Path) -> Harvest | None:
    """The harvest in a file; None if there is none, or it was damaged and has been removed."""
    if not path.is_file():
        return None
    try:
        checksum, _, content = path.read_text("utf-8").partition("\n")
        if checksum == _checksum(content):
            os.utime(path)  # used just now
            facts = json.loads(content)
            pairs = tuple(
                DocstringPair(library, where, tuple(summary), tuple(map(tuple, sentences)), split)
                for library, where, summary, sentences, split in facts.pop("pairs")
            )
            return Harvest(pairs=pairs, **facts)
        reason = "its checksum is wrong"
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0]
    warnings.warn(f"{path} was damaged ({reason}); it is removed and the docstrings are read anew.", stacklevel=3)
    with suppress(OSError):  # in use elsewhere, or not ours: writing replaces it or warns
        path.unlink()
    return None


def _write(path: Path, fresh: Harvest) -> None:
    facts = {name: getattr(fresh, name) for name in ("found", "dropped", "groups", "versions", "seconds")}
    content = json.dumps(facts | {"pairs": [list(asdict(pair).values()) for pair in fresh.pairs]})
    keep_file(
        path,
        f"{_checksum(content)}\n{content}".encode(),
        what="docstrings",
        again="read",
        largest_bytes=LARGEST_CACHE_BYTES,
    )


def _checksum(content: str) -> str:
    return f"{zlib.crc32(content.encode()):08x}"


if __name__ == "__main__":
    result = load_docstrings()
    print(result.table)
    print(f"read in {result.seconds:.0f} s, kept at {docstring_path()}")
