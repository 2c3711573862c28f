"""How good is it, and how sure are we? BLEU, ROUGE, alignment against gold, intervals over seeds."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy
from numpy.typing import ArrayLike

Links = Iterable[tuple[int, int]]
"""Word alignment as (target index, source index) pairs, both counted from 0."""


def bleu(hypotheses: Sequence[str], references: Sequence[str], *, lowercase: bool = False) -> float:
    """Corpus BLEU by sacrebleu, 0 … 100, of detokenised outputs with one reference each.

    Raises:
        ValueError: if the lists are empty or of different lengths.
    """
    _check_pairs(hypotheses, references)
    import sacrebleu

    return sacrebleu.corpus_bleu(list(hypotheses), [list(references)], lowercase=lowercase).score


class Rouge(NamedTuple):
    """F1 of ROUGE, 0 … 100 each.

    Attributes:
        one: of words.
        two: of pairs of neighbouring words.
        longest: ROUGE-L, of the longest common subsequence.
    """

    one: float
    two: float
    longest: float


def rouge_each(hypotheses: Sequence[str], references: Sequence[str]) -> list[Rouge]:
    """ROUGE-1, -2 and -L of each output by rouge-score, one reference each, without stemming.

    Only letters a to z and digits count, in lower case: any other character ends a word. An empty output has 0
    everywhere.

    Source: Lin 2004, "ROUGE: a package for automatic evaluation of summaries".

    Raises:
        ValueError: if the lists are empty or of different lengths.
    """
    _check_pairs(hypotheses, references)
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    scores = [scorer.score(reference, text) for text, reference in zip(hypotheses, references, strict=True)]
    return [Rouge(*(100 * float(score[name].fmeasure) for name in ("rouge1", "rouge2", "rougeL"))) for score in scores]


def rouge(hypotheses: Sequence[str], references: Sequence[str]) -> Rouge:
    """Mean of `rouge_each` over all outputs."""
    each = rouge_each(hypotheses, references)
    return Rouge(*(sum(column) / len(each) for column in zip(*each, strict=True)))


def exact_match(hypotheses: Sequence, references: Sequence) -> float:
    """Share of outputs that equal their reference, 0 … 1.

    Raises:
        ValueError: if the lists are empty or of different lengths.
    """
    _check_pairs(hypotheses, references)
    return sum(h == r for h, r in zip(hypotheses, references, strict=True)) / len(references)


def hard_alignment(attention_weights: ArrayLike) -> set[tuple[int, int]]:
    """Link each target word to the source word it attends to most.

    Args:
        attention_weights: `(target_length, source_length)`, one row per target word (cut off the row of the
            end symbol first).
    """
    weights = numpy.asarray(attention_weights)
    if weights.ndim != 2 or weights.shape[1] == 0:
        raise ValueError(f"attention_weights has shape {weights.shape}; expected (target_length, source_length).")
    return set(enumerate(weights.argmax(axis=1).tolist()))


def diagonal_alignment(target_length: int, source_length: int) -> set[tuple[int, int]]:
    """Link each target word to the source word at the same relative position: the guess to beat."""
    return {(i, min(source_length - 1, int((i + 0.5) * source_length / target_length))) for i in range(target_length)}


class AlignmentCounts(NamedTuple):
    """Counts that add up over sentences; see `alignment_error_rate`."""

    proposed: int
    sure: int
    proposed_and_sure: int
    proposed_and_possible: int


def alignment_counts(proposed: Links, sure: Links, possible: Links) -> AlignmentCounts:
    """Count the agreement of one sentence's proposed links with the gold ones."""
    proposed, sure = set(proposed), set(sure)
    possible = set(possible) | sure
    return AlignmentCounts(len(proposed), len(sure), len(proposed & sure), len(proposed & possible))


def alignment_error_rate(sentences: Iterable[tuple[Links, Links, Links]]) -> float:
    """AER over a corpus, 0 (all right) … 1.

    `AER = 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|)`, with A proposed, S sure and P possible links, S within P.

    Source: Och and Ney 2003, "A systematic comparison of various statistical alignment models", section 2.

    Args:
        sentences: (proposed, sure, possible) links of each sentence.

    Raises:
        ValueError: if there is neither a proposed nor a sure link.
    """
    counts = [alignment_counts(*sentence) for sentence in sentences]
    proposed, sure, in_sure, in_possible = (sum(column) for column in zip(*counts, strict=True)) if counts else (0,) * 4
    if proposed + sure == 0:
        raise ValueError("sentences holds no proposed and no sure link; expected at least one aligned sentence.")
    return 1 - (in_sure + in_possible) / (proposed + sure)


def attention_mass_on_gold(attention_weights: ArrayLike, possible: Links) -> float:
    """Mean share of a target word's attention that lies on its possible source words, 0 … 1.

    Args:
        attention_weights: `(target_length, source_length)`; each row sums to one.
        possible: gold (target index, source index) links; words without a link do not count.

    Raises:
        ValueError: if no target word has a gold link.
    """
    weights = numpy.asarray(attention_weights)
    gold = numpy.zeros(weights.shape, dtype=bool)
    for target, source in possible:
        gold[target, source] = True
    linked = gold.any(axis=1)
    if not linked.any():
        raise ValueError("possible holds no link; expected at least one target word with a gold source word.")
    return float((weights * gold).sum(axis=1)[linked].mean())


class Interval(NamedTuple):
    """A mean with its 95 % confidence interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}]"


def mean_interval(values: Sequence[float]) -> Interval:
    """Mean of independent values with Student's 95 % interval.

    Args:
        values: one per seed; a single one gives an infinite interval.

    Raises:
        ValueError: if there is no value or one is not finite.
    """
    array = numpy.asarray(values, dtype=float)
    if array.size == 0 or not numpy.isfinite(array).all():
        raise ValueError(f"values is {list(values)}; expected at least one finite number.")
    if array.size == 1:
        return Interval(float(array[0]), -math.inf, math.inf)
    from scipy import stats

    half = float(stats.t.ppf(0.975, array.size - 1) * array.std(ddof=1) / math.sqrt(array.size))
    return Interval(float(array.mean()), float(array.mean()) - half, float(array.mean()) + half)


def paired_interval(baseline: Sequence[float], ours: Sequence[float]) -> Interval:
    """Interval of the mean difference ours − baseline, paired by seed.

    Raises:
        ValueError: if the lists are empty, of different lengths, or hold a value that is not finite.
    """
    _check_pairs(ours, baseline)
    return mean_interval([b - a for a, b in zip(baseline, ours, strict=True)])


def _check_pairs(first: Sequence, second: Sequence) -> None:
    if len(first) != len(second) or not first:
        raise ValueError(
            f"got {len(first)} and {len(second)} entries; expected two lists of the same length, not empty."
        )
