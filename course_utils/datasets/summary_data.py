"""Sources and headlines in the shape that models train on: reports, docstrings and real texts in the same class.

data = load_summaries("default")                       # reports with supporting words, no download
data = load_summaries("docstrings")                    # the installed libraries' own; read once, then from the cache
data = load_summaries("real")                          # Debian's synopses from a staged folder, or news from the hub
for batch in data.batches(64, seed=0)(epoch=0): ...
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from course_utils.datasets.docstrings import LIBRARIES, DocstringPair, load_docstrings
from course_utils.datasets.report_wording import report_words
from course_utils.datasets.reports import SENTENCES, Summary, make_reports
from course_utils.datasets.sources import REAL_SOURCES, SPLITS
from course_utils.datasets.synopses import load_synopses, staged_name
from course_utils.datasets.text import (
    PairBatch,
    Vocabulary,
    batches_by_length,
    join_words,
    make_pair_batch,
    tokenize_sentence,
)

LONGER = (9, 12)
"""Sentences of the test "longer reports"."""
LONGEST_SOURCE = 80
"""Words of a real text that are read; the others are cut off, as the paper reads the first sentence only."""
LONGEST_HEADLINE = 25
"""Real training pairs with a longer headline are left out; of tests none is."""
_ENDS = (".", "!", "?")


@dataclass
class SummaryData:
    """What the summarization experiments need.

    Attributes:
        name: "default", "docstrings" or the real set's name.
        vocabulary: of sources and headlines together; of real ones, the words of the training split that come up
            often enough, the others are `<unk>`.
        train: pairs to learn from.
        validation: pairs never trained on.
        test: pairs by test: "test", and for reports "longer reports" too.
        tokenize: turns a text someone typed into source words.
        detokenize: turns headline words into text.
        credit: where the pairs come from.
        options: how reports were made, for `fresh_batches`; None for real ones.
    """

    name: str
    vocabulary: Vocabulary
    train: list[Summary]
    validation: list[Summary]
    test: dict[str, list[Summary]]
    tokenize: Callable[[str], list[str]]
    detokenize: Callable[[Sequence[str]], str]
    credit: str
    options: dict | None = field(default=None, repr=False)

    @property
    def examples(self) -> list[Summary]:
        """All test pairs."""
        return [pair for pairs in self.test.values() for pair in pairs]

    def encode(self, pairs: Sequence[Summary]) -> list[tuple[list[int], list[int]]]:
        """Turn pairs into ids: of the source, and of the headline without begin and end symbols."""
        return [(self.vocabulary.encode(pair.source), self.vocabulary.encode(pair.headline)) for pair in pairs]

    def batches(
        self, batch_size: int, seed: int, maximum_tokens: int | None = None
    ) -> Callable[[int], Iterator[PairBatch]]:
        """Make the function that gives `training.train` the batches of each epoch: all training pairs, shuffled.

        Args:
            batch_size, maximum_tokens: see `text.batches_by_length`.
            seed: decides the order of every epoch.
        """
        pairs = self.encode(self.train)
        return lambda epoch: batches_by_length(
            pairs, batch_size, seed=1000 * seed + epoch, maximum_tokens=maximum_tokens
        )

    def fresh_batches(self, batch_size: int, seed: int, count: int = 2000) -> Callable[[int], Iterator[PairBatch]]:
        """Like `batches`, but every epoch has new training reports, drawn as it begins and not kept.

        Args:
            batch_size, seed: see `batches`.
            count: reports of an epoch.

        Raises:
            ValueError: for real data, which cannot be drawn anew.
        """
        if self.options is None:
            raise ValueError(f"{self.name} has no fresh pairs; expected made reports. Use batches().")

        def epoch_batches(epoch: int) -> Iterator[PairBatch]:
            drawn = make_reports(count, seed=1_000_000 * (seed + 1) + epoch, **self.options)
            return batches_by_length(self.encode(drawn), batch_size, seed=1000 * seed + epoch)

        return epoch_batches

    def ordered_batches(self, pairs: Sequence[Summary], batch_size: int = 256) -> Iterator[PairBatch]:
        """Batches of pairs in their own order, for scoring."""
        encoded = self.encode(pairs)
        for start in range(0, len(encoded), batch_size):
            yield make_pair_batch(encoded[start : start + batch_size])


def load_summaries(source: str = "default", **options) -> SummaryData:
    """Load pairs by the name that a lesson's settings cell uses.

    Args:
        source: "default", "docstrings" or "real".
        options: passed to `report_data`, `docstring_data` or `synopsis_data`.

    Raises:
        ValueError: for another name.
    """
    loaders = {"default": report_data, "docstrings": docstring_data, "real": synopsis_data}
    if source not in loaders:
        raise ValueError(f"source is {source!r}; expected one of {tuple(loaders)}; choose one of them.")
    return loaders[source](**options)


def report_data(
    train_count: int = 30_000,
    test_count: int = 500,
    *,
    seed: int = 0,
    sentences: tuple[int, int] = SENTENCES,
    longer: tuple[int, int] = LONGER,
) -> SummaryData:
    """Make reports about scenes; the same ones in every call.

    Args:
        train_count: training reports.
        test_count: reports of each test, and for validation.
        seed: of all reports.
        sentences: fewest and most.
        longer: the same of the test "longer reports".
    """
    options = {"sentences": sentences}
    return SummaryData(
        name="default",
        vocabulary=Vocabulary(report_words()),
        train=make_reports(train_count, seed=seed, **options),
        validation=make_reports(test_count, split="validation", seed=seed, **options),
        test={
            "test": make_reports(test_count, split="test", seed=seed, **options),
            "longer reports": make_reports(test_count, split="test", seed=seed, sentences=longer),
        },
        tokenize=lambda text: tokenize_sentence(text, "en"),
        detokenize=" ".join,
        credit="made by the course from its own word lists",
        options=options,
    )


def docstring_data(
    train_count: int | None = None,
    *,
    libraries: Sequence[str] = LIBRARIES,
    minimum_count: int = 3,
    cached: bool = True,
) -> SummaryData:
    """Load the docstrings of the installed libraries: description to summary line.

    Args:
        train_count: use only the first so many training pairs, which are of all libraries; None = all.
        libraries: to read.
        minimum_count: rarer words of the training split are unknown.
        cached: see `docstrings.load_docstrings`.

    Raises:
        NoDocstringsError: if too few are installed.
    """
    found = load_docstrings(libraries, cached=cached)
    pairs = list(found.pairs)
    Random(0).shuffle(pairs)  # so that the first so many are of all libraries
    train, validation, test = ([_from_docstring(pair) for pair in pairs if pair.split == split] for split in SPLITS)
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    return _real_data("docstrings", train[:train_count], validation, test, minimum_count, f"their authors: {versions}")


def synopsis_data(
    name: str | None = None, train_count: int | None = 30_000, test_count: int = 1000, minimum_count: int = 3
) -> SummaryData:
    """Load real texts with their summaries, lower-cased and split into words.

    Args:
        name: of `synopses.SYNOPSIS_SETS`, or None for the one at hand.
        train_count: use only the first so many training pairs; None = all.
        test_count: most pairs for validation and for the test.
        minimum_count: rarer words of the training split are unknown.

    Raises:
        RealDataError: see `sources.load_real`.
    """
    name = name or staged_name()
    counts = (train_count, test_count, test_count)
    rows = [load_synopses(name, split, count) for split, count in zip(SPLITS, counts, strict=True)]
    train, validation, test = ([_from_text(*row) for row in split] for split in rows)
    source = REAL_SOURCES[name]
    return _real_data(name, train, validation, test, minimum_count, f"{source.credit}; {source.licence}")


def _real_data(
    name: str, train: list[Summary], validation: list[Summary], test: list[Summary], minimum_count: int, credit: str
) -> SummaryData:
    train = [pair for pair in train if len(pair.headline) <= LONGEST_HEADLINE]
    sides = (words for pair in train for words in (pair.source, pair.headline))
    return SummaryData(
        name=name,
        vocabulary=Vocabulary.from_sentences(sides, minimum_count),
        train=train,
        validation=validation,
        test={"test": test},
        tokenize=lambda text: tokenize_sentence(text, "en"),
        detokenize=join_words,
        credit=credit,
    )


def _from_docstring(pair: DocstringPair) -> Summary:
    return _summary(pair.sentences, pair.summary, join_words(pair.summary))


def _from_text(text: str, summary: str) -> Summary:
    words = tokenize_sentence(text, "en")[:LONGEST_SOURCE]
    ends = [index for index, word in enumerate(words, 1) if word in _ENDS and index < len(words)]
    starts = [0, *ends]
    sentences = [words[start:end] for start, end in zip(starts, [*ends, len(words)], strict=True)]
    return _summary(sentences, tokenize_sentence(summary, "en"), summary.lower())


def _summary(sentences: Sequence[Sequence[str]], headline: Sequence[str], reference: str) -> Summary:
    spans, start = [], 0
    for sentence in sentences:
        spans.append((start, start + len(sentence)))
        start += len(sentence)
    source = tuple(word for sentence in sentences for word in sentence)
    return Summary(source=source, headline=tuple(headline), sentence_spans=tuple(spans), reference=reference)
