"""Docstrings of the course's own dependencies: a real set for summarization that needs no download.

Their authors wrote summary lines above descriptions (PEP 257): the headline, and the source. `harvest` reads the files
as syntax trees and imports none of them. What was found is cached; nothing of it is in the course.

    python -m course_utils.data.reports.docstrings        # prints what was found and dropped, and what is left
"""

import ast
import gc
import json
import re
import sys
import warnings
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from itertools import accumulate, chain, combinations, takewhile
from pathlib import Path
from typing import NamedTuple

from course_utils.data import normalise, text
from course_utils.data.cache import cache_folder, cached, fingerprint
from course_utils.data.text import tokenize_sentence
from course_utils.data.words_of_things import hashed

LIBRARIES = (
    "fonttools", "fsspec", "huggingface-hub", "ipython", "joblib", "matplotlib", "networkx", "numpy", "pandas",
    "pillow", "scikit-learn", "scipy", "seaborn", "sympy", "torch",
)  # fmt: skip
FEWEST_PAIRS = 1000  # fewer than this cannot be trained on, so that the harvest is refused
LARGEST_CACHE_BYTES = 50 * 10**6  # when the folder holds more, the files that were used longest ago are removed
_LEFT_OUT = {"tests", "test", "testing", "_vendor", "vendored", "externals", "extern"}  # not theirs, or not for readers
SUMMARY_WORDS, DESCRIPTION_WORDS = (3, 15), (12, 80)  # fewest, most; longer descriptions are cut after a sentence
LEAST_PROSE = 0.75  # least share of a side's words and marks that are made of letters, or are a comma or full stop
STOCK_PHRASE = 15  # descriptions in which a sentence may stand before it counts as a stock phrase
# Near-duplicates share a sentence of at least so many words, or more than half of one's runs of so many words.
SHARED_WORDS, RUN = 8, 6
_COMMON_RUN = 40  # runs in more descriptions than this are idiom and prove nothing

RULES = {
    "no description": "nothing but sections, code or lists follows the first paragraph: there is no source",
    "no summary line": "the first paragraph has two sentences or ends in a colon or comma: it is no headline",
    "summary length": f"fewer than {SUMMARY_WORDS[0]} words say too little, more than {SUMMARY_WORDS[1]} are no line",
    "description length": f"fewer than {DESCRIPTION_WORDS[0]} words have nothing to shorten, or no sentence ends",
    "not prose": "formulas, signatures or tables, which words alone cannot summarize",
    "copy": "the description holds the summary word for word, so that copying would be learned",
    "stock phrases": f"too little is left once sentences that stand in over {STOCK_PHRASE} descriptions are cut out",
    "duplicate": "the same summary and description, apart from case, digits and punctuation, came before",
}
"""Rule → why it drops a docstring; in the order in which they are tried."""


class NoDocstringsError(RuntimeError):
    """Too few docstrings are installed."""


class DocstringPair(NamedTuple):
    """Words of a summary, without its full stop, and of each sentence of its description; all in lower case.

    Once harvested it has a library, a place in it such as "numpy/lib/_type_check_impl.py: real", and a split.
    """

    summary: tuple[str, ...]
    sentences: tuple[tuple[str, ...], ...]
    library: str = ""
    where: str = ""
    split: str = ""

    @property
    def description(self) -> tuple[str, ...]:
        """The words of all sentences."""
        return tuple(chain(*self.sentences))


class Harvest(NamedTuple):
    """What was found and what became of it."""

    pairs: tuple[DocstringPair, ...]  # what is left, by libraries and files; near-duplicates are all in one split
    found: dict[str, int]  # docstrings of each library
    dropped: dict[str, int]  # by each rule of `RULES`
    groups: int  # of near-duplicates, single pairs included
    versions: dict[str, str]  # of each library that is installed

    @property
    def table(self) -> str:
        """The cleaning as text: what was found, what each rule dropped and why, what is left."""
        lines = [f"{sum(self.found.values()):6} docstrings found in {len(self.found)} libraries"]
        lines += [f"{-self.dropped.get(rule, 0):6} {rule}: {why}" for rule, why in RULES.items()]
        splits = dict(Counter(pair.split for pair in self.pairs))
        return "\n".join([*lines, f"{len(self.pairs):6} left, in {self.groups} groups of near-duplicates: {splits}"])


_ENDS_TEXT = re.compile(
    r"\A[^\S\n]*(?i:args|arguments|parameters|params|returns?|raises?|yields?|examples?|notes?|see also|references|"
    r"attributes|methods|warnings?|warns|other parameters|keyword arguments|kwargs|usage|todo|inputs?|outputs?|"
    r"explanation|shape)[^\S\n]*:{0,2}[^\S\n]*$"  # the heading of a section
    r"|\A.*\n[^\S\n]*([=\-~^\"'*`#+])\1{2,}[^\S\n]*$"  # or any heading that is underlined
    r"|^\s*(?:>>> |:(?:param|return|rtype|raises?|type)\b|@param)",
    re.MULTILINE,
)
_NOT_TEXT = re.compile(r"\s+|(:\w+[^:]*:\s)|\.\. |>>>|\.\.\. |[-*+] |\d+[.)] |\(\d+\)|@|\||\+-|#|\$|%|In \[")
_MARKUP = (
    (re.compile(r"`([^`<]+?)\s*<[^`>]*>`__?"), r"\1"),  # `text <address>`_
    (re.compile(r":[\w:+-]+:`[~!]?(?:[^`<]*\.)?([^`<.]+)(?:\s*<[^`>]*>)?`"), r"\1"),  # :class:`~package.Name`
    (re.compile(r"``([^`]*)``|`([^`]*)`_{0,2}"), r"\1\2"),
    (re.compile(r"\*\*(\S[^*]*)\*\*|(?<![\w*])\*(\w[^*]*)\*(?![\w*])"), r"\1\2"),
    (re.compile(r"\s*\[[\w, -]+\]_"), ""),  # [1]_
    (re.compile(r"\s*\(?\b(?:https?|ftp)://\S+"), ""),
    (re.compile(r"\|(\w+)\|"), r"\1"),
)


def clean_docstring(text: str) -> DocstringPair | str:
    """Make a pair of a docstring, its indentation removed, or name the rule of `RULES` that drops it.

    Cut away are sections (parameters, returns, …) and all that follows them, code, lists, tables, directives and markup
    (reStructuredText, Markdown); what is left is the running text under the summary.
    """
    first, *others = re.split(r"\n[ \t]*\n", re.sub(r"\r\n?", "\n", text).strip())
    paragraphs = _running_text(others)
    if not paragraphs:
        return "no description"
    line = _plain(" ".join(first.split()))
    if re.search(r"[.!?]\s+[A-Z]", line) or line.endswith((":", ",", "...")):
        return "no summary line"
    summary = _words(line.rstrip(". "))
    if not SUMMARY_WORDS[0] <= len(summary) <= SUMMARY_WORDS[1]:
        return "summary length"
    sentences = [_words(sentence) for paragraph in paragraphs for sentence in _sentences(paragraph)]
    lengths = list(accumulate(map(len, sentences)))
    pair = DocstringPair(summary, tuple(sentences[: bisect(lengths, DESCRIPTION_WORDS[1])]))
    if len(pair.description) < DESCRIPTION_WORDS[0]:
        return "description length"
    if min(_prose(summary), _prose(pair.description)) < LEAST_PROSE:
        return "not prose"
    return "copy" if f" {' '.join(summary)} " in f" {' '.join(pair.description)} " else pair


def _running_text(paragraphs: Iterable[str]) -> list[str]:
    """The paragraphs of prose up to the first section; code, lists, tables and directives left out."""
    prose = takewhile(lambda paragraph: not _ENDS_TEXT.search(paragraph), paragraphs)
    lines = [paragraph.split("\n") for paragraph in prose]
    return [" ".join(line.strip() for line in some) for some in lines if not _NOT_TEXT.match(some[0])]


def _plain(text: str) -> str:
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return text


def _sentences(paragraph: str) -> list[str]:
    """Whole sentences; a line that introduces code with a colon goes with the code."""
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z\"'(])", _plain(paragraph))
    return [sentence for sentence in sentences if sentence.rstrip().endswith((".", "!", "?", ".)"))]


def _words(text: str) -> tuple[str, ...]:
    return tuple(tokenize_sentence(text, "en"))


def _prose(words: Sequence[str]) -> float:
    return sum(bool(re.fullmatch(r"[a-z]+(?:['-][a-z]+)*|[.,]", word)) for word in words) / len(words)


def remove_stock_phrases(pairs: Sequence[DocstringPair]) -> list[DocstringPair]:
    """Cut out sentences that stand in more than `STOCK_PHRASE` descriptions, such as "read more in the user guide"."""
    counts = Counter(sentence for pair in pairs for sentence in set(pair.sentences))
    rest = [pair._replace(sentences=tuple(s for s in pair.sentences if counts[s] <= STOCK_PHRASE)) for pair in pairs]
    return [pair for pair in rest if len(pair.description) >= DESCRIPTION_WORDS[0]]


def normalised(words: Iterable[str]) -> str:
    """The text without case, punctuation and the values of numbers: equal for near-duplicates."""
    text = re.sub(r"\d+", "0", " ".join(words).casefold())
    return " ".join(re.findall(r"[^\W_]+", text))


def drop_duplicates(pairs: Iterable[DocstringPair]) -> list[DocstringPair]:
    """Keep the first of pairs that are equal once normalised."""
    first: dict[tuple[str, str], DocstringPair] = {}
    for pair in pairs:
        first.setdefault((normalised(pair.summary), normalised(pair.description)), pair)
    return list(first.values())


def group_duplicates(pairs: Sequence[DocstringPair]) -> list[int]:
    """For each pair the index of the first one in its group; a group must stay on one side of a split.

    Together are pairs with the same normalised summary, with near-duplicates of a description, and all these connect.
    """
    from scipy.cluster.hierarchy import DisjointSet

    groups, seen = DisjointSet(range(len(pairs))), {}
    for index, pair in enumerate(pairs):
        texts = [normalised(sentence) for sentence in pair.sentences]
        for key in (f"summary: {normalised(pair.summary)}", *(t for t in texts if len(t.split()) >= SHARED_WORDS)):
            groups.merge(index, seen.setdefault(key, index))
    for first, second in _overlapping([runs_of(pair.description) for pair in pairs]):
        groups.merge(first, second)
    first_of = {index: min(group) for group in groups.subsets() for index in group}
    return [first_of[index] for index in range(len(pairs))]


def runs_of(words: Sequence[str]) -> set[str]:
    """All runs of `RUN` words of a text, normalised; the whole text if it is shorter."""
    text = normalised(words).split()
    return {" ".join(text[start : start + RUN]) for start in range(max(1, len(text) - RUN + 1))}


def _overlapping(runs: Sequence[set[str]]) -> list[tuple[int, int]]:
    """Pairs of texts that share more than half of the shorter one's runs."""
    holders: dict[str, list[int]] = {}
    for index, own in enumerate(runs):
        for run in own:
            holders.setdefault(run, []).append(index)
    shared = Counter(chain(*(combinations(found, 2) for found in holders.values() if len(found) <= _COMMON_RUN)))
    return [(a, b) for (a, b), count in shared.items() if 2 * count > min(len(runs[a]), len(runs[b]))]


def split_of_group(summary: Sequence[str]) -> str:
    """The split of a group, by a hash of the summary of its first pair: 90 % "train", 5 % each of the others."""
    percent = hashed(normalised(summary)) % 100
    return "train" if percent < 90 else "validation" if percent < 95 else "test"


def installed_versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Version of each library that is installed; no library is imported."""
    versions = {}
    for library in libraries:
        with suppress(PackageNotFoundError):
            versions[library] = distribution(library).version
    return versions


def docstrings_in(source: bytes) -> list[tuple[str, str]]:
    """Name and text of all docstrings of a source file, "" for the module; none if it is no Python of this version."""
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
    """Read, clean, group and split docstrings; a `NoDocstringsError` if fewer than `FEWEST_PAIRS` are left."""
    versions = installed_versions(libraries)
    found, dropped, pairs = Counter(dict.fromkeys(versions, 0)), Counter(), []
    gc.disable()  # searching syntax trees for circles, which they do not have, takes two thirds of the time
    try:
        for library, where, docstring in _read_all(versions):
            found[library] += 1
            pair = clean_docstring(docstring)
            if isinstance(pair, str):
                dropped[pair] += 1
            else:
                pairs.append(pair._replace(library=library, where=where))
    finally:
        gc.enable()
    for rule, kept in (("stock phrases", remove_stock_phrases), ("duplicate", drop_duplicates)):
        before, pairs = len(pairs), kept(pairs)
        dropped[rule] = before - len(pairs)
    if len(pairs) < FEWEST_PAIRS:
        raise NoDocstringsError(
            f"{len(pairs)} docstrings are left of {dict(found)}; expected at least {FEWEST_PAIRS}. Are the course's "
            "dependencies installed with their sources? Otherwise keep SOURCE = 'default'."
        )
    groups = group_duplicates(pairs)
    splits = [split_of_group(pairs[group].summary) for group in groups]
    pairs = tuple(pair._replace(split=split) for pair, split in zip(pairs, splits, strict=True))
    return Harvest(pairs, dict(found), dict(dropped), len(set(groups)), versions)


def _read_all(libraries: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Library, place and text of every docstring of the sources, without tests and what they took over from others."""
    for library in libraries:
        files = [file for file in distribution(library).files or () if file.suffix == ".py"]
        for file in sorted((file for file in files if not _LEFT_OUT & set(file.parts)), key=lambda file: file.locate()):
            source = b""
            with suppress(OSError):
                source = Path(file.locate()).read_bytes()
            if b'"""' in source or b"'''" in source:  # no docstring of two paragraphs without
                for name, docstring in docstrings_in(source):
                    yield library, ": ".join(filter(None, (file.as_posix(), name))), docstring


def docstring_path(libraries: Sequence[str] = LIBRARIES) -> Path:
    """Where the harvest of these libraries is cached; changes with their versions, Python's and the code."""
    code = [Path(file) for file in (__file__, text.__file__, normalise.__file__)]
    made_from = f"{sys.version_info[:2]} {libraries} {installed_versions(libraries)}"
    return cache_folder() / f"docstrings-{fingerprint(*code, made_from)}.json"


def load_docstrings(libraries: Sequence[str] = LIBRARIES) -> Harvest:
    """The `harvest` of these libraries from the cache, or a new one, which takes about half a minute."""
    path, pack = docstring_path(libraries), lambda found: json.dumps(found).encode()
    limit = {"what": "docstrings", "largest_bytes": LARGEST_CACHE_BYTES}
    return cached(path, lambda: harvest(libraries), pack=pack, unpack=_unpack, **limit)


def _unpack(content: memoryview) -> Harvest:
    pairs, *facts = json.loads(bytes(content))
    made = (DocstringPair(tuple(words), tuple(map(tuple, sentences)), *rest) for words, sentences, *rest in pairs)
    return Harvest(tuple(made), *facts)


if __name__ == "__main__":
    print(load_docstrings().table)
    print(f"cached at {docstring_path()}")
