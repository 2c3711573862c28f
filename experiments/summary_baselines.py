"""Baselines without a model: the beginning of the source, or one of its sentences.

The lead is the baseline of every paper on headlines, and in news a strong one, because journalists put first what
matters. These are printed beside every result of the lesson on summarization.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from course_utils.data.reports.data import LONGEST_HEADLINE
from course_utils.data.reports.reports import Summary
from course_utils.metrics import rouge, rouge_each

Baseline = Callable[[Summary], tuple[str, ...]]
"""Source → headline words."""
Writer = Callable[[Sequence[str]], str]
"""Words → text, as `SummaryData.detokenize`."""


def _sentences(pair: Summary) -> list[tuple[str, ...]]:
    """The sentences of a source, without their full stops."""
    spans = pair.sentence_spans or ((0, len(pair.source)),)
    return [pair.source[start : end - (pair.source[end - 1] == ".")] for start, end in spans]


def lead_baseline(words: int | None = None) -> Baseline:
    """The first sentence, or so many of its words."""
    return lambda pair: pair.lead[:words]


def telling_sentence_baseline(pairs: Sequence[Summary], words: int | None = None) -> Baseline:
    """The sentence whose words are the rarest elsewhere and the most frequent here: a mean of tf · idf.

    Args:
        pairs: training pairs, whose sources say how rare a word is.
        words: most words; None = the whole sentence.
    """
    holders = Counter(word for pair in pairs for word in set(pair.source))

    def choose(pair: Summary) -> tuple[str, ...]:
        counts = Counter(pair.source)
        weight = {word: n * math.log((1 + len(pairs)) / (1 + holders[word])) for word, n in counts.items()}
        spans = pair.sentence_spans or ((0, len(pair.source)),)
        start, end = max(
            spans, key=lambda span: sum(weight[w] for w in pair.source[slice(*span)]) / (span[1] - span[0])
        )
        return pair.source[start : end - (pair.source[end - 1] == ".")][:words]

    return choose


def mean_headline_length(pairs: Sequence[Summary]) -> int:
    """Words of a headline on average, rounded: what a baseline may say without knowing the reference."""
    return round(sum(len(pair.headline) for pair in pairs) / len(pairs))


def best_lead_length(pairs: Sequence[Summary], detokenize: Writer, longest: int = LONGEST_HEADLINE) -> int:
    """How many first words have the highest mean ROUGE-1 on the first 500 validation pairs: the strongest lead."""
    references = [pair.reference for pair in pairs[:500]]

    def score(words: int) -> float:
        return rouge([detokenize(pair.lead[:words]) for pair in pairs[:500]], references).one

    return max(range(1, longest + 1), key=score)


def oracle_sentence(detokenize: Writer) -> Baseline:
    """The sentence with the highest ROUGE-1, of several the highest ROUGE-L: it sees the reference."""

    def choose(pair: Summary) -> tuple[str, ...]:
        sentences = _sentences(pair)
        scores = rouge_each([detokenize(words) for words in sentences], [pair.reference] * len(sentences))
        best = max(range(len(sentences)), key=lambda place: (scores[place].one, scores[place].longest))
        return sentences[best]

    return choose
