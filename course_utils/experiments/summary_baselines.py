"""What can be said without reading: the beginning of the source, or its sentence with the most telling words.

The lead is the baseline of every paper on headlines, and in news a strong one, because journalists put first what
matters. These are printed beside every result of the lesson on summarization.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from course_utils.datasets.reports import Summary

Baseline = Callable[[Summary], tuple[str, ...]]
"""Source → headline words."""


def lead_baseline(words: int | None = None) -> Baseline:
    """The first sentence, or its beginning.

    Args:
        words: most words; None = the whole sentence.
    """
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
