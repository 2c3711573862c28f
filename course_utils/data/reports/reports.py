"""Reports and their headlines: the default data of the lesson on summarization.

A report has three to eight sentences about groups of things and what happens to them, with repetition, detail and
distraction; the headline states what matters, and for each of its words it is known which source words support it.

Counting words does not tell the headline: "the dog is above the fox" has the words of "the fox is above the dog", what
was taken back is said as often as what stays, and of five witnesses only two may have said aloud what most hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

from course_utils.data.reports.events import NEWS, Story, sample_story
from course_utils.data.reports.headlines import headline_words, problems_of
from course_utils.data.reports.wording import Words, Writer, text_of
from course_utils.data.words_of_things import pick, split_of

SPLITS = ("train", "validation", "test")
SENTENCES = (3, 8)  # fewest and most sentences, unless others are asked for
SHORTEST, LONGEST = 30, 80  # words with full stops; reports of more sentences may have ten words for each
_PATIENCE = 6  # wordings tried for one story


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A source and its headline; the whole of what is known of a real pair.

    `support` is the gold alignment, for each headline word the positions of the source words that say it; empty for
    words that state nothing such as "from", and no sets at all where nobody knows.
    """

    source: tuple[str, ...]  # words
    headline: tuple[str, ...]  # words
    support: tuple[frozenset[int], ...] = ()
    sentence_spans: tuple[tuple[int, int], ...] = ()  # of the source: start, and end after the full stop (outside)
    reference: str = ""  # the headline as text, what ROUGE compares with

    @property
    def lead(self) -> tuple[str, ...]:
        """The first sentence without its full stop: the baseline to beat."""
        start, end = self.sentence_spans[0] if self.sentence_spans else (0, len(self.source))
        return self.source[start : end - (self.source[end - 1] == ".")]


@dataclass(frozen=True, kw_only=True)
class Report(Summary):
    """A synthetic report with its facts: what happens and what the news is."""

    story: Any

    @property
    def must_mention(self) -> tuple[str, ...]:
        """The headline words that state something, in order; no headline is complete without them."""
        return tuple(word for word, found in zip(self.headline, self.support, strict=True) if found)

    def problems_of(self, words: Sequence[str]) -> list[str]:
        """What a headline states that is not so, see `headlines.problems_of`."""
        return problems_of(self.story, words)


def write_report(story: Story, seed: str | int = 0, sentences: tuple[int, int] = SENTENCES) -> Report | None:
    """Word a story, mostly alike if only kinds differ; None if no wording of the right length is found."""
    random = Random(f"wording {seed}")
    shortest, longest = min(SHORTEST, 10 * sentences[1]), max(LONGEST, 10 * sentences[1])
    for _ in range(_PATIENCE):
        count = pick(random, range(sentences[0], sentences[1] + 1))
        written = Writer(story, random).sentences(count, longest)
        if len(written) == count and shortest <= sum(map(len, written)) <= longest:
            return assemble(Report, story, headline_words(story), written)
    return None


def make_reports(
    count: int, *, split: str = "train", seed: int = 0, sentences: tuple[int, int] = SENTENCES
) -> list[Report]:
    """Make reports of a split; each kind of news comes up equally often before the split takes its share.

    The same arguments give the same reports, and a smaller `count` the beginning of the same list. No headline, and so
    none of the facts that matter, is in two splits, for any seeds. `sentences` are fewest and most, within 3 and 20;
    `(9, 12)` makes a test of longer reports. A `ValueError` if an argument is out of range.
    """
    check_size(count, split, SPLITS)
    if len(sentences) != 2 or not 3 <= sentences[0] <= sentences[1] <= 20:
        raise ValueError(f"sentences={sentences!r}: expected (fewest, most) within 3 and 20; change them.")
    random = Random(f"reports {split} {seed} {sorted(NEWS)} {sentences}")
    reports: list[Report] = []
    sampled = 0
    while len(reports) < count:
        sampled += 1
        story = sample_story(random, pick(random, sorted(NEWS)))
        if split_of(text_of(headline_words(story)).split()) == split:
            report = write_report(story, f"{split} {seed} {sampled}", sentences)
            reports += [report] if report else []
    return reports


def check_size(count: int, split: str, splits: Sequence[str]) -> None:
    """Raise a ValueError for a number of reports or a split that cannot be."""
    if not isinstance(count, int) or count < 1 or split not in splits:
        raise ValueError(f"count={count!r}, split={split!r}: expected 1 or more, and one of {splits}; change them.")


def spans_of(sentences: Sequence[Sequence]) -> tuple[tuple[int, int], ...]:
    """`(start, end)` of each sentence in their words in a row; end is outside."""
    ends = list(accumulate(map(len, sentences)))
    return tuple(zip([0, *ends], ends, strict=False))


def assemble(kind: type[Report], story: Any, headline: Words, sentences: Sequence[Words]) -> Report:
    """Make a report of worded sentences; a headline word is supported by the source words that share a mark with it."""
    source = [word for sentence in sentences for word in sentence]
    says: dict = {}
    for position, word in enumerate(source):
        for mark in word.marks:
            says.setdefault(mark, set()).add(position)
    said, written = (tuple(word.text for word in words) for words in (source, headline))
    support = tuple(frozenset(p for mark in word.marks for p in says.get(mark, ())) for word in headline)
    words = {"source": said, "headline": written, "reference": text_of(headline)}
    return kind(**words, support=support, sentence_spans=spans_of(sentences), story=story)
