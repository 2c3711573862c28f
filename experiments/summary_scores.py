"""Metrics of headlines besides ROUGE: where words come from, whether they are true, what each word attends to."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.data.reports.headlines import judge_headline
from course_utils.data.reports.reports import Report, Summary

NEAR = 2
"""Words to each side that still count as near a supporting word: as far as the smoothing of ABS reaches."""


class WordOrigins(NamedTuple):
    """Where the words of headlines come from, as shares from 0 to 1.

    Attributes:
        copied: of words that stand in the source.
        new: of words that do not.
        invented: of words that stand neither in the source nor in the reference.
        runs: of pairs of neighbouring words that stand so in the source.
    """

    copied: float
    new: float
    invented: float
    runs: float


def origins_of(headlines: Sequence[Sequence[str]], pairs: Sequence[Summary]) -> WordOrigins:
    """Count copied and new words over all headlines.

    Raises:
        ValueError: if the numbers differ or no headline has a word.
    """
    if len(headlines) != len(pairs) or not any(headlines):
        raise ValueError(f"got {len(headlines)} headlines for {len(pairs)} pairs; expected one each, with some words.")
    copied = invented = words = runs = neighbours = 0
    for headline, pair in zip(headlines, pairs, strict=True):
        source, reference = set(pair.source), set(pair.headline)
        follow = set(zip(pair.source, pair.source[1:], strict=False))
        copied += sum(word in source for word in headline)
        invented += sum(word not in source and word not in reference for word in headline)
        runs += sum(both in follow for both in zip(headline, headline[1:], strict=False))
        words, neighbours = words + len(headline), neighbours + max(0, len(headline) - 1)
    return WordOrigins(copied / words, 1 - copied / words, invented / words, runs / neighbours if neighbours else 0.0)


class Verdicts(NamedTuple):
    """Whether headlines of reports agree with the facts, as shares from 0 to 1.

    Attributes:
        exact: the reference, word by word.
        true: understood, and everything that they state is so.
        complete: true, and they state all that matters.
    """

    exact: float
    true: float
    complete: float


def judge_all(headlines: Sequence[Sequence[str]], reports: Sequence[Report]) -> Verdicts:
    """Judge headlines by the facts; see `headlines.judge_headline`."""
    found = [judge_headline(report, words) for words, report in zip(headlines, reports, strict=True)]
    exact = sum(tuple(words) == report.headline for words, report in zip(headlines, reports, strict=True))
    return Verdicts(*(n / len(found) for n in (exact, sum(f.true for f in found), sum(f.complete for f in found))))


class SupportScore(NamedTuple):
    """Whether headline words attend to the source words that support them; shares from 0 to 1.

    Attributes:
        mass: mean share of the attention on supporting words.
        mass_chance: the same for uniform attention.
        near: mean share of the attention within `NEAR` words of a supporting one.
        near_chance: the same for uniform attention.
        peak: share of words whose most attended source word supports them; `mass_chance` of a uniform guess.
        words: how many were evaluated.
    """

    mass: float
    mass_chance: float
    near: float
    near_chance: float
    peak: float
    words: int


def score_support(attention_weights: Sequence[Tensor], pairs: Sequence[Summary]) -> SupportScore:
    """Evaluate attention `(headline words, source words)` of each pair against the words that support it.

    Words without support, such as "from", are left out.

    Raises:
        ValueError: if a map has another shape than its pair, or no word has support.
    """
    sums, words = torch.zeros(5, dtype=torch.float64), 0
    for weights, pair in zip(attention_weights, pairs, strict=True):
        if weights.shape != (len(pair.headline), len(pair.source)):
            raise ValueError(
                f"a map has shape {tuple(weights.shape)}; expected ({len(pair.headline)} headline words, "
                f"{len(pair.source)} source words)."
            )
        for row, gold in zip(weights.double(), pair.support, strict=False):
            if not gold:
                continue
            inside = torch.zeros(len(row), dtype=torch.double)
            inside[sorted(gold)] = 1
            around = torch.nn.functional.max_pool1d(inside[None], 2 * NEAR + 1, 1, NEAR)[0]
            peak = inside[row.argmax()]
            sums += torch.stack([row @ inside, inside.mean(), row @ around, around.mean(), peak])
            words += 1
    if not words:
        raise ValueError("pairs have no headline word with support; expected reports.")
    return SupportScore(*(sums / words).tolist(), words)
