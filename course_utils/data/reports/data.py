"""Sources and headlines in the shape that models train on: reports, docstrings and real texts in the same class.

data = load_summaries("default")                       # reports with supporting words, no download
data = load_summaries("named")                         # reports whose names and numbers training never saw
data = load_summaries("docstrings")                    # the installed libraries' own; read once, then from the cache
data = load_summaries("real")                          # Debian's synopses from a staged folder, or news from the hub
for batch in data.batches(64, seed=0)(epoch=0): ...
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

from course_utils.data.batching import Batch, batches_by_length, make_pair_batch
from course_utils.data.normalise import normalise
from course_utils.data.real import REAL_SOURCES
from course_utils.data.reports.docstrings import LIBRARIES, load_docstrings
from course_utils.data.reports.named_reports import NAMED_SPLITS, make_named_reports
from course_utils.data.reports.reports import SENTENCES, SPLITS, Summary, make_reports, spans_of
from course_utils.data.reports.synopses import load_synopses, staged_name
from course_utils.data.reports.wording import report_words
from course_utils.data.text import Vocabulary, join_words, tokenize_sentence

LONGER = (9, 12)
"""Sentences of the test "longer reports"."""
LONGEST_SOURCE, LONGEST_HEADLINE = 80, 25
"""Words of a real text that are read; real training pairs with longer headlines than that are left out."""


@dataclass
class SummaryData:
    """What the summarization experiments need.

    Attributes:
        name: "default", "named", "docstrings" or the real set's name.
        vocabulary: of sources and headlines together; except for "default" the words of the training split that come
            up often enough, the others are `<unk>`.
        train, validation: pairs to learn from, and pairs never trained on.
        test: pairs by test: "test", for reports "longer reports" too, for named ones "known names".
        credit: where the pairs come from.
        detokenize: turns headline words into text.
        tokenize: turns a text someone typed into source words.
        draw: so many new training pairs for a seed, for `fresh_batches`; None for real ones.
    """

    name: str
    vocabulary: Vocabulary
    train: list[Summary]
    validation: list[Summary]
    test: dict[str, list[Summary]]
    credit: str
    detokenize: Callable[[Sequence[str]], str] = " ".join
    tokenize: Callable[[str], list[str]] = partial(tokenize_sentence, language="en")
    draw: Callable[..., list[Summary]] | None = field(default=None, repr=False)

    @property
    def examples(self) -> list[Summary]:
        """All test pairs."""
        return [pair for pairs in self.test.values() for pair in pairs]

    def encode(self, pairs: Sequence[Summary]) -> list[tuple[list[int], list[int]]]:
        """Turn pairs into ids: of the source, and of the headline without begin and end symbols."""
        return [(self.vocabulary.encode(pair.source), self.vocabulary.encode(pair.headline)) for pair in pairs]

    def batches(
        self, batch_size: int, seed: int, maximum_tokens: int | None = None
    ) -> Callable[[int], Iterator[Batch]]:
        """Make the function that gives `training.train` the batches of each epoch: all training pairs, shuffled.

        `seed` decides the order of every epoch; the other arguments are those of `text.batches_by_length`.
        """
        pairs = self.encode(self.train)
        options = {"batch_size": batch_size, "maximum_tokens": maximum_tokens}
        return lambda epoch: batches_by_length(pairs, seed=1000 * seed + epoch, **options)

    def fresh_batches(self, batch_size: int, seed: int, count: int = 2000) -> Callable[[int], Iterator[Batch]]:
        """Like `batches`, but every epoch has `count` new training reports, drawn as it begins and not kept.

        Raises:
            ValueError: for real data, which cannot be drawn anew.
        """
        if self.draw is None:
            raise ValueError(f"{self.name} has no fresh pairs; expected synthetic reports. Use batches().")

        def epoch_batches(epoch: int) -> Iterator[Batch]:
            pairs = self.encode(self.draw(count, seed=1_000_000 * (seed + 1) + epoch))
            return batches_by_length(pairs, batch_size, seed=1000 * seed + epoch)

        return epoch_batches

    def ordered_batches(self, pairs: Sequence[Summary], batch_size: int = 256) -> Iterator[Batch]:
        """Batches of pairs in their own order, for scoring."""
        encoded = self.encode(pairs)
        for start in range(0, len(encoded), batch_size):
            yield make_pair_batch(encoded[start : start + batch_size])


def load_summaries(source: str = "default", **options) -> SummaryData:
    """Load pairs by the name that a lesson's settings cell uses.

    Args:
        source: "default", "named", "docstrings" or "real".
        options: passed to `report_data`, `named_data`, `docstring_data` or `synopsis_data`.

    Raises:
        ValueError: for another name.
    """
    loaders = {"default": report_data, "named": named_data, "docstrings": docstring_data, "real": synopsis_data}
    if source not in loaders:
        raise ValueError(f"source is {source!r}; expected one of {tuple(loaders)}; choose one of them.")
    return loaders[source](**options)


def report_data(
    train_count: int = 30_000, test_count: int = 500, *, seed: int = 0, sentences: tuple[int, int] = SENTENCES
) -> SummaryData:
    """Make reports about scenes; the same ones in every call.

    Args:
        train_count: training reports.
        test_count: reports of each test, and for validation.
        seed: of all reports.
        sentences: fewest and most; the test "longer reports" has `LONGER`.
    """
    draw = partial(make_reports, sentences=sentences)
    return SummaryData(
        name="default",
        vocabulary=Vocabulary(report_words()),
        train=draw(train_count, seed=seed),
        validation=draw(test_count, split="validation", seed=seed),
        test={
            "test": draw(test_count, split="test", seed=seed),
            "longer reports": make_reports(test_count, split="test", seed=seed, sentences=LONGER),
        },
        credit="made by the course from its own word lists",
        draw=draw,
    )


def named_data(
    train_count: int = 20_000, test_count: int = 500, *, seed: int = 0, minimum_count: int = 20
) -> SummaryData:
    """Make reports whose names and numbers training never saw; the same ones in every call.

    Args:
        train_count, test_count, seed: see `report_data`.
        minimum_count: rarer words of the training split are unknown: of names and numbers all but the well-known.
    """
    train, *others = (
        make_named_reports(train_count if split == "train" else test_count, split=split, seed=seed)
        for split in NAMED_SPLITS
    )
    return SummaryData(
        name="named",
        vocabulary=_vocabulary(train, minimum_count),
        train=train,
        validation=others[0],
        test=dict(zip(NAMED_SPLITS[2:], others[1:], strict=True)),
        credit="made by the course from its own word lists",
        draw=make_named_reports,
    )


def docstring_data(
    train_count: int | None = None,
    *,
    libraries: Sequence[str] = LIBRARIES,
    minimum_count: int = 3,
) -> SummaryData:
    """Load the docstrings of the installed libraries: description to summary line.

    Args:
        train_count: use only the first so many training pairs, which are of all libraries; None = all.
        libraries: to read.
        minimum_count: rarer words of the training split are unknown.

    Raises:
        NoDocstringsError: if too few are installed.
    """
    found = load_docstrings(libraries)
    pairs = list(found.pairs)
    Random(0).shuffle(pairs)  # so that the first so many are of all libraries
    splits = [
        [_summary(p.sentences, p.summary, join_words(p.summary)) for p in pairs if p.split == split] for split in SPLITS
    ]
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    return _real_data("docstrings", splits[0][:train_count], *splits[1:], minimum_count, f"their authors: {versions}")


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
        RealDataError: see `real.load_real`.
    """
    name = name or staged_name()
    counts = dict.fromkeys(SPLITS, test_count) | {"train": train_count}
    splits = [[_from_text(*row) for row in load_synopses(name, split, count)] for split, count in counts.items()]
    source = REAL_SOURCES[name]
    return _real_data(name, *splits, minimum_count, f"{source.credit}; {source.licence}")


def _real_data(
    name: str, train: list[Summary], validation: list[Summary], test: list[Summary], minimum_count: int, credit: str
) -> SummaryData:
    train = [pair for pair in train if len(pair.headline) <= LONGEST_HEADLINE]
    return SummaryData(name, _vocabulary(train, minimum_count), train, validation, {"test": test}, credit, join_words)


def _vocabulary(pairs: Sequence[Summary], minimum_count: int) -> Vocabulary:
    return Vocabulary.from_sentences((words for pair in pairs for words in (pair.source, pair.headline)), minimum_count)


def _from_text(text: str, summary: str) -> Summary:
    sentences: list[list[str]] = [[]]
    for word in tokenize_sentence(text, "en")[:LONGEST_SOURCE]:
        if sentences[-1] and sentences[-1][-1] in (".", "!", "?"):
            sentences.append([])
        sentences[-1].append(word)
    return _summary(sentences, tokenize_sentence(summary, "en"), normalise(summary).lower())


def _summary(sentences: Sequence[Sequence[str]], headline: Sequence[str], reference: str) -> Summary:
    source = tuple(word for sentence in sentences for word in sentence)
    return Summary(source=source, headline=tuple(headline), sentence_spans=spans_of(sentences), reference=reference)
