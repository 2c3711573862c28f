"""What the experiments of lesson 7 share: how a summarizer is trained, how it writes, how headlines are evaluated."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.data.reports.data import LONGEST_HEADLINE, LONGEST_SOURCE, SummaryData, load_summaries
from course_utils.data.reports.reports import Report, Summary
from course_utils.metrics import Rouge, rouge
from course_utils.models.extractive import ExtractiveSummarizer, ExtractiveWeights, Tuning, tune_weights
from course_utils.models.summarization import build_summarizer, fill_unknown_words
from course_utils.models.summarizer import Summarizer
from course_utils.training import History
from experiments.evaluate import mean_loss, percentages, search, teacher_forced_attention
from experiments.recipes import PlainRecipe, train_recipe
from experiments.summary_baselines import (
    Baseline,
    best_lead_length,
    lead_baseline,
    mean_headline_length,
    oracle_sentence,
    telling_sentence_baseline,
)
from experiments.summary_scores import judge_all, origins_of, score_support

BEAM = 5
"""Partial headlines kept per source where metrics are measured."""
TUNING_PAIRS = 100
"""Validation pairs that extractive weights are tuned on."""


@dataclass(frozen=True)
class Recipe(PlainRecipe):
    """A recipe for a summarizer; `fresh`: sample new reports all the time, not the data's own pairs again and again."""

    fresh: bool = False


@lru_cache(maxsize=3)
def texts_of(source: str = "default", **options) -> SummaryData:
    """Load or make the pairs of a source, once for all models that need them; see `load_summaries`."""
    return load_summaries(source, **options)


def build(recipe: Recipe, vocabulary_size: int) -> Summarizer:
    """Make the recipe's model for a vocabulary, untrained."""
    return build_summarizer(recipe.system, vocabulary_size, **dict(recipe.options))


def fit(recipe: Recipe, data: SummaryData, seed: int = 0, **options) -> tuple[Summarizer, History]:
    """Train a recipe on pairs; see `Experiment.fit`. With `validate`, the best validation decides the weights."""
    batches = (data.fresh_batches if recipe.fresh else data.batches)(recipe.batch_size, seed)
    return train_recipe(recipe, seed, lambda: build(recipe, len(data.vocabulary)), lambda model: batches, **options)


def word_loss(model: Summarizer, data: SummaryData, pairs: Sequence[Summary], batch_size: int = 128) -> float:
    """Mean cross-entropy of the true headlines, nats per word; the end symbol is a word, padding is none."""
    return mean_loss(model, data.ordered_batches(pairs, batch_size))


def perplexity(model: Summarizer, data: SummaryData, pairs: Sequence[Summary]) -> float:
    """exp of `word_loss`: not below 1."""
    return math.exp(word_loss(model, data, pairs))


def summary_of(text: str, data: SummaryData) -> Summary:
    """Make a pair without a headline of a text that somebody typed; words beyond `LONGEST_SOURCE` are cut off.

    Raises:
        ValueError: if the text has no word.
    """
    words = tuple(data.tokenize(text))[:LONGEST_SOURCE]
    if not words:
        raise ValueError(f"text is {text!r}; expected at least one word. Type something to sum up.")
    return Summary(source=words, headline=())


class Headline(NamedTuple):
    """What a model wrote for a source.

    Attributes:
        words: of the headline, unknown ones filled in from the source where the model has attention.
        attention_weights: `(target_length, source_length)`, the row of the end symbol last if it was reached; None
            without attention.
    """

    words: tuple[str, ...]
    attention_weights: Tensor | None


def write_headlines(
    model: torch.nn.Module, data: SummaryData, pairs: Sequence[Summary], beam_size: int = 1, batch_size: int = 50
) -> list[Headline]:
    """Let a model, a trained summarizer or an `ExtractiveSummarizer` around one, write headlines for the sources."""
    vocabulary = data.vocabulary
    batches = data.ordered_batches(pairs, batch_size)
    found = search(model, ((b.source, b.source_mask, LONGEST_HEADLINE + 1) for b in batches), beam_size)
    written = []
    for pair, hypothesis in zip(pairs, found, strict=True):
        words, weights = vocabulary.decode(hypothesis.tokens), hypothesis.attention_weights
        if weights is not None:
            weights = weights[:, : len(pair.source)].cpu()
            words = fill_unknown_words(words, weights, pair.source, [word in vocabulary for word in pair.source])
        written.append(Headline(tuple(words), weights))
    return written


def rouge_of(data: SummaryData, headlines: Sequence[Sequence[str]], pairs: Sequence[Summary]) -> Rouge:
    """ROUGE of headlines, as words, against those of pairs, in %."""
    return rouge([data.detokenize(words) for words in headlines], [pair.reference for pair in pairs])


def baselines_of(data: SummaryData) -> dict[str, Baseline]:
    """What can be said without a model, and the best that any sentence could do.

    Returns:
        `lead` (the first sentence), `lead, cut` (its first words, as many as a headline has on average), `lead, tuned`
        (as many as are best on validation pairs), `telling sentence` and `oracle sentence`, which sees the reference
        and says how far copying a whole sentence could get.
    """
    return {
        "lead": lead_baseline(),
        "lead, cut": lead_baseline(mean_headline_length(data.train)),
        "lead, tuned": lead_baseline(best_lead_length(data.validation, data.detokenize)),
        "telling sentence": telling_sentence_baseline(data.train),
        "oracle sentence": oracle_sentence(data.detokenize),
    }


def tune_extractive(
    model: Summarizer,
    data: SummaryData,
    seed: int = 0,
    *,
    count: int = TUNING_PAIRS,
    beam_size: int = BEAM,
    rounds: int = 2,
) -> Tuning:
    """Tune the extractive features' weights for ROUGE-1 of the first `count` validation pairs; see `tune_weights`."""
    pairs = data.validation[:count]

    def evaluate(weights: ExtractiveWeights) -> float:
        return rouge_with(ExtractiveSummarizer(model, weights), data, pairs, beam_size).one

    return tune_weights(evaluate, seed=seed, rounds=rounds)


def rouge_with(model: torch.nn.Module, data: SummaryData, pairs: Sequence[Summary], beam_size: int = BEAM) -> Rouge:
    """ROUGE of what a model writes, in %."""
    return rouge_of(data, [headline.words for headline in write_headlines(model, data, pairs, beam_size)], pairs)


def summary_metrics(
    model: torch.nn.Module, data: SummaryData, most: int | None = None, beam_size: int = BEAM
) -> dict[str, float]:
    """Evaluate a summarizer, or an `ExtractiveSummarizer` around one, on `most` pairs of each test (None = all).

    Returns:
        Of the test "test" see `headline_metrics`, and `greedy/rouge-1` in %. For summarizers `perplexity`, and that of
        other tests `perplexity/<test>`; with attention and support also `support`, `support/chance`, `support/near`,
        `support/near/chance` and `support/peak`, in % (see `SupportScore`).
    """
    pairs = data.test["test"][:most]
    written = write_headlines(model, data, pairs, beam_size)
    metrics = headline_metrics(data, [headline.words for headline in written], pairs)
    metrics["greedy/rouge-1"] = rouge_with(model, data, pairs, 1).one
    if not isinstance(model, Summarizer):
        return metrics
    for test, chosen in data.test.items():
        metrics["perplexity" if test == "test" else f"perplexity/{test}"] = perplexity(model, data, chosen[:most])
    if written[0].attention_weights is not None and any(pair.support for pair in pairs):
        score = score_support(teacher_forced_attention(model, data, pairs), pairs)
        shares = {"support": score.mass, "support/chance": score.mass_chance, "support/peak": score.peak}
        shares |= {"support/near": score.near, "support/near/chance": score.near_chance}
        metrics |= percentages(shares)
    return metrics


def headline_metrics(
    data: SummaryData, headlines: Sequence[Sequence[str]], pairs: Sequence[Summary]
) -> dict[str, float]:
    """Evaluate headlines, whoever wrote them.

    Returns:
        In %: `rouge-1`, `rouge-2`, `rouge-L`; `copied`, `new`, `invented` and `runs` (see `WordOrigins`), if any
        headline has a word; of reports also `exact`, `true` and `complete` (see `Verdicts`).
    """
    metrics = dict(zip(("rouge-1", "rouge-2", "rouge-L"), rouge_of(data, headlines, pairs), strict=True))
    if any(headlines):
        metrics |= percentages(origins_of(headlines, pairs)._asdict())
    if all(isinstance(pair, Report) for pair in pairs):
        metrics |= percentages(judge_all(headlines, pairs)._asdict())
    return metrics
