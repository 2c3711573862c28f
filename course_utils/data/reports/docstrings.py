"""Docstrings of the course's own dependencies: a real set for summarization that needs no download.

Wherever the course runs its dependencies are installed, and their authors wrote summary lines above descriptions.
`harvest` reads the sources as syntax trees and imports none of them; `docstring_cleaning` says what is kept and why.
What was found stays on disk, in a file whose name holds the versions of all libraries; nothing of it is in the course.

    python -m course_utils.data.reports.docstrings        # prints what was found, dropped and kept
"""

import ast
import gc
import hashlib
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from course_utils.data import normalise, text
from course_utils.data.cache import cache_folder, cached
from course_utils.data.reports import docstring_cleaning as cleaning

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


class NoDocstringsError(RuntimeError):
    """Too few docstrings are installed."""


class DocstringPair(NamedTuple):
    """Words of a summary line and of each sentence of its description, and the library (of `LIBRARIES`) that has them.

    `where` is the file and the name in it, such as "numpy/lib/_type_check_impl.py: real". The split is "train",
    "validation" or "test"; near-duplicates are all in one.
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
        lines += [f"{-self.dropped.get(rule, 0):6} {rule}: {why}" for rule, why in cleaning.RULES.items()]
        splits = dict(Counter(pair.split for pair in self.pairs))
        return "\n".join([*lines, f"{len(self.pairs):6} left, in {self.groups} groups of near-duplicates: {splits}"])


def installed_versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Version of each library that is installed; no library is imported."""
    versions = {}
    for library in libraries:
        with suppress(PackageNotFoundError):
            versions[library] = distribution(library).version
    return versions


def source_files(library: str) -> dict[str, Path]:
    """The Python sources of an installed library, without its tests and what it took over from others.

    Returns:
        Name of a file inside the library's folder → where it is.

    Raises:
        importlib.metadata.PackageNotFoundError: if the library is not installed.
    """
    files = [file for file in distribution(library).files or () if file.suffix == ".py"]
    paths = {file.as_posix(): Path(file.locate()) for file in files if not _LEFT_OUT & set(file.parts)}
    return dict(sorted(paths.items(), key=lambda entry: entry[1]))


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


def harvest(libraries: Sequence[str] = LIBRARIES) -> Harvest:
    """Read, clean, group and split the docstrings of installed libraries; those not installed are left out.

    Raises:
        NoDocstringsError: if fewer than `FEWEST_PAIRS` are left.
    """
    start, versions = time.perf_counter(), installed_versions(libraries)
    found, dropped, kept = Counter(dict.fromkeys(versions, 0)), Counter(), []
    collecting = gc.isenabled()
    gc.disable()  # searching syntax trees for circles, which they do not have, takes two thirds of the time
    try:
        for library, where, docstring in _read_all(versions):
            found[library] += 1
            cleaned = cleaning.clean_docstring(docstring)
            if isinstance(cleaned, str):
                dropped[cleaned] += 1
            else:
                kept.append((library, where, cleaned))
    finally:
        if collecting:
            gc.enable()
    without = cleaning.remove_stock_phrases([pair for *_, pair in kept])
    left = [(*place, pair) for (*place, _), pair in zip(kept, without, strict=True) if pair is not None]
    firsts = {id(pair) for pair in cleaning.drop_duplicates([pair for *_, pair in left])}
    unique = [entry for entry in left if id(entry[2]) in firsts]
    dropped += Counter({"stock phrases": len(without) - len(left), "duplicate": len(left) - len(unique)})
    if len(unique) < FEWEST_PAIRS:
        raise NoDocstringsError(
            f"{len(unique)} docstrings are left of {dict(found)}; expected at least {FEWEST_PAIRS}. Are the course's "
            "dependencies installed with their sources? Otherwise keep SOURCE = 'default'."
        )
    groups = cleaning.group_duplicates([pair for *_, pair in unique])
    pairs = tuple(
        DocstringPair(library, where, *pair, cleaning.split_of_group(unique[group][2].summary))
        for (library, where, pair), group in zip(unique, groups, strict=True)
    )
    seconds = time.perf_counter() - start
    return Harvest(pairs, dict(found), dict(dropped), len(set(groups)), versions, seconds)


def _read_all(libraries: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Library, place and text of every docstring; a file that cannot be read has none."""
    for library in libraries:
        for file, path in source_files(library).items():
            source = b""
            with suppress(OSError):
                source = path.read_bytes()
            if b'"""' in source or b"'''" in source:  # no docstring of two paragraphs without
                for name, docstring in docstrings_in(source):
                    yield library, f"{file}: {name}" if name else file, docstring


def docstring_path(libraries: Sequence[str] = LIBRARIES) -> Path:
    """Where the harvest of these libraries is kept.

    The name changes with the versions of the libraries and of Python and with the sources that clean.
    """
    digest = hashlib.blake2b(digest_size=8)
    for file in (__file__, cleaning.__file__, text.__file__, normalise.__file__):
        digest.update(Path(file).read_bytes().replace(b"\r\n", b"\n"))
    versions = installed_versions(libraries)
    digest.update(json.dumps([sys.version_info[:2], [(name, versions.get(name)) for name in libraries]]).encode())
    return cache_folder() / f"docstrings-{digest.hexdigest()}.json"


def load_docstrings(libraries: Sequence[str] = LIBRARIES) -> Harvest:
    """The harvest of these libraries from the cache, or a new one, which takes about half a minute.

    Raises:
        NoDocstringsError: see `harvest`.
    """
    return cached(
        docstring_path(libraries),
        lambda: harvest(libraries),
        pack=lambda found: json.dumps(vars(found)).encode(),
        unpack=_unpack,
        what="docstrings",
        largest_bytes=LARGEST_CACHE_BYTES,
    )


def _unpack(content: memoryview) -> Harvest:
    facts = json.loads(bytes(content))
    pairs = (
        DocstringPair(*place, tuple(words), tuple(map(tuple, sentences)), split)
        for *place, words, sentences, split in facts.pop("pairs")
    )
    return Harvest(pairs=tuple(pairs), **facts)


if __name__ == "__main__":
    result = load_docstrings()
    print(result.table)
    print(f"read in {result.seconds:.0f} s, kept at {docstring_path()}")
