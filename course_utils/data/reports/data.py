"""Sources and headlines in the shape that models train on: reports, docstrings and real texts in the same class.

data = load_summaries("default")                       # reports with supporting words, no download
data = load_summaries("real")                          # Debian's synopses from a staged folder, or news from the hub
for batch in data.batches(64, seed=0)(epoch=0): ...
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from course_utils.data.batching import LessonData
from course_utils.data.normalise import normalise
from course_utils.data.own import load_own, own_vocabulary
from course_utils.data.real import is_staged, load_real
from course_utils.data.real_sets import REAL_SOURCES
from course_utils.data.reports.docstrings import LIBRARIES, load_docstrings
from course_utils.data.reports.named_reports import NAMED_SPLITS, make_named_reports
from course_utils.data.reports.reports import SPLITS, Summary, make_reports, spans_of
from course_utils.data.reports.wording import report_words
from course_utils.data.text import Vocabulary, join_words, tokenize_sentence

LONGER = (9, 12)  # sentences of the test "longer reports"
LONGEST_SOURCE, LONGEST_HEADLINE = 80, 25  # words of real texts; training pairs with longer headlines are left out
REAL_SETS = ("debian_synopsis", "cnn_dailymail", "xsum")  # the second is fetched where none is staged
_MADE = "made by the course from its own word lists"


@dataclass
class SummaryData(LessonData):
    """Pairs of source and headline; except for "default" the vocabulary has only the more frequent training words."""

    detokenize: Callable[[Sequence[str]], str] = " ".join  # headline words to text
    tokenize: Callable[[str], list[str]] = partial(tokenize_sentence, language="en")  # a typed text to source words

    def encode(self, examples: Sequence[Summary]) -> list[tuple]:
        """Turn pairs into ids: of the source, and of the headline without begin and end symbols."""
        return [(self.vocabulary.encode(pair.source), self.vocabulary.encode(pair.headline)) for pair in examples]


def load_summaries(source: str = "default", **options: Any) -> SummaryData:
    """Load "default", "named", "docstrings" or "real" pairs, or one's own by their path, see `own.load_own`.

    The options are those of `report_data`, `named_data`, `docstring_data` and `real_data`. A `ValueError` for another
    name, or if there is nothing at that path that can be used.
    """
    loaders = {"default": report_data, "named": named_data, "docstrings": docstring_data, "real": real_data}
    if source in loaders:
        return loaders[source](**options)
    splits = load_own(source, "summaries", summary_of_text, tuple(loaders))
    vocabulary = own_vocabulary(source, (words for pair in splits["train"] for words in (pair.source, pair.headline)))
    train, validation, test = splits.values()
    return SummaryData(str(source), vocabulary, train, validation, {"test": test}, "your own", detokenize=join_words)


def report_data(train_count: int = 30_000, test_count: int = 500, *, seed: int = 0) -> SummaryData:
    """Make reports about groups of things; the same ones in every call."""
    make = partial(make_reports, seed=seed)
    tests = {"test": make(test_count, split="test")}
    tests["longer reports"] = make(test_count, split="test", sentences=LONGER)
    validation, vocabulary = make(test_count, split="validation"), Vocabulary(report_words())
    return SummaryData("default", vocabulary, make(train_count), validation, tests, _MADE, draw=make_reports)


def named_data(
    train_count: int = 20_000, test_count: int = 500, *, seed: int = 0, minimum_count: int = 20
) -> SummaryData:
    """Make reports whose names and numbers training never saw; the same ones in every call.

    Words of the training split rarer than `minimum_count` are unknown: of names and numbers all but the well-known.
    """
    train = make_named_reports(train_count, seed=seed)
    tests = {split: make_named_reports(test_count, split=split, seed=seed) for split in NAMED_SPLITS[1:]}
    words, validation = _vocabulary(train, minimum_count), tests.pop("validation")
    return SummaryData("named", words, train, validation, tests, _MADE, draw=make_named_reports)


def docstring_data(
    train_count: int | None = None, *, libraries: Sequence[str] = LIBRARIES, minimum_count: int = 3
) -> SummaryData:
    """Load the docstrings of the installed libraries (a `NoDocstringsError` if few are): description to summary line.

    With `train_count` only so many training pairs, of all libraries; rarer words than `minimum_count` are unknown.
    """
    found = load_docstrings(libraries)
    pairs = list(found.pairs)
    Random(0).shuffle(pairs)  # so that the first so many are of all libraries
    splits: dict[str, list[Summary]] = {split: [] for split in SPLITS}
    for pair in pairs:
        splits[pair.split].append(_summary(pair.sentences, pair.summary, join_words(pair.summary)))
    splits["train"] = splits["train"][:train_count]
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    return _texts("docstrings", splits, minimum_count, f"their authors: {versions}")


def real_data(
    name: str | None = None, train_count: int | None = 30_000, test_count: int = 1000, minimum_count: int = 3
) -> SummaryData:
    """Load real texts with the summaries of their authors, lower-cased and split into words.

    Read are the first rows of each split of a set (of `REAL_SETS`; None: the first that is staged); `train_count` may
    be None for all. Rarer training words than `minimum_count` are unknown. A `RealDataError` as of `real.load_real`.
    """
    name = name or next(filter(is_staged, REAL_SETS), REAL_SETS[1])
    splits = {split: _rows(name, split, train_count if split == "train" else test_count) for split in SPLITS}
    return _texts(name, splits, minimum_count, f"{REAL_SOURCES[name].credit}; {REAL_SOURCES[name].licence}")


def _rows(name: str, split: str, count: int | None) -> list[Summary]:
    """The first rows of a real set, those with an empty side left out."""
    columns = tuple(REAL_SOURCES[name].columns)
    found = load_real(name, split, columns)
    sides = zip(*(found[column][:count] for column in columns), strict=True)
    rows = [[" ".join((text or "").split()) for text in row] for row in sides]
    return [summary_of_text(*row) for row in rows if all(row)]


def summary_of_text(text: str, summary: str) -> Summary:
    """The first `LONGEST_SOURCE` words of a text, in sentences, with its summary."""
    sentences: list[list[str]] = [[]]
    for word in tokenize_sentence(text, "en")[:LONGEST_SOURCE]:
        if sentences[-1] and sentences[-1][-1] in (".", "!", "?"):
            sentences.append([])
        sentences[-1].append(word)
    return _summary(sentences, tokenize_sentence(summary, "en"), normalise(summary).lower())


def _summary(sentences: Sequence[Sequence[str]], headline: Sequence[str], reference: str) -> Summary:
    source = tuple(word for sentence in sentences for word in sentence)
    return Summary(source=source, headline=tuple(headline), sentence_spans=spans_of(sentences), reference=reference)


def _texts(name: str, splits: dict[str, list[Summary]], minimum_count: int, credit: str) -> SummaryData:
    train = [pair for pair in splits["train"] if len(pair.headline) <= LONGEST_HEADLINE]
    vocabulary, tests = _vocabulary(train, minimum_count), {"test": splits["test"]}
    return SummaryData(name, vocabulary, train, splits["validation"], tests, credit, detokenize=join_words)


def _vocabulary(pairs: Iterable[Summary], minimum_count: int) -> Vocabulary:
    return Vocabulary.from_sentences((words for pair in pairs for words in (pair.source, pair.headline)), minimum_count)
