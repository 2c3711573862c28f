"""What lessons 1 and 2 share: training a translation model, evaluating it by length and against gold alignments."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from course_utils.data.batching import make_pair_batch, pad_sequences
from course_utils.data.phrases.aligned import AlignedPair
from course_utils.data.phrases.parallel import ParallelData
from course_utils.mechanisms.search import Hypothesis
from course_utils.metrics import (
    alignment_error_rate,
    attention_mass_on_gold,
    bleu,
    diagonal_alignment,
    exact_match,
    hard_alignment,
)
from course_utils.models.translation import TranslationModel, build_translation_model
from course_utils.training import History
from experiments.evaluate import mean_loss, padded_off, search
from experiments.recipes import PlainRecipe, train_recipe


@dataclass(frozen=True)
class Recipe(PlainRecipe):
    """Everything that decides a trained model besides data and seed.

    Attributes:
        system: a name in `models.translation.SYSTEMS`.
        embedding_size, hidden_size, dropout: see `TranslationModel`.
        options: further arguments of the system, e.g. `(("reverse_source", False),)`.
        steps, learning_rate, label_smoothing: see `training.train`.
        batch_size, maximum_tokens, curriculum: see `ParallelData.batches`.
    """

    system: str
    embedding_size: int = 96
    hidden_size: int = 128
    dropout: float = 0.0
    options: tuple[tuple[str, object], ...] = ()
    steps: int = 600
    learning_rate: float = 5e-3
    label_smoothing: float = 0.0
    batch_size: int = 128
    maximum_tokens: int | None = 500
    curriculum: tuple[int, ...] = ()


def build_model(recipe: Recipe, data: ParallelData) -> TranslationModel:
    """Make the recipe's model for a corpus, untrained."""
    return build_translation_model(
        recipe.system,
        source_vocabulary_size=len(data.source_vocabulary),
        target_vocabulary_size=len(data.target_vocabulary),
        embedding_size=recipe.embedding_size,
        hidden_size=recipe.hidden_size,
        dropout=recipe.dropout,
        **dict(recipe.options),
    )


def fit(recipe: Recipe, data: ParallelData, seed: int = 0, **options) -> tuple[TranslationModel, History]:
    """Train a recipe from scratch.

    Args:
        recipe: what to train and how.
        data: the corpus.
        seed: initial weights and order of the batches.
        options: further arguments of `training.train`.
    """
    order = {"maximum_tokens": recipe.maximum_tokens, "curriculum": recipe.curriculum}
    batches = data.batches(recipe.batch_size, seed, **order)
    options = {"label_smoothing": recipe.label_smoothing, **options}
    return train_recipe(recipe, seed, lambda: build_model(recipe, data), lambda model: batches, **options)


def token_loss(model: TranslationModel, pairs: Sequence[tuple[list[int], list[int]]], batch_size: int = 64) -> float:
    """Mean cross-entropy in nats per target token; its exponential is the perplexity."""
    ordered = sorted(pairs, key=lambda pair: len(pair[0]))
    parts = (ordered[start : start + batch_size] for start in range(0, len(ordered), batch_size))
    return mean_loss(model, map(make_pair_batch, parts))


def translate(
    model: TranslationModel,
    data: ParallelData,
    sources: Sequence[Sequence[str]],
    *,
    beam_size: int = 1,
    batch_size: int = 64,
) -> list[Hypothesis]:
    """Translate tokenised sentences; `beam_size=1` is greedy.

    Sentences of similar length are decoded together; the result has the order of `sources`.
    """
    device = next(model.parameters()).device
    order = sorted(range(len(sources)), key=lambda index: len(sources[index]))
    results: list[Hypothesis | None] = [None] * len(sources)
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        source, mask = pad_sequences([data.source_vocabulary.encode(sources[index]) for index in chosen])
        limits = [2 * len(sources[index]) + 10 for index in chosen]
        found = search(model, source.to(device), mask.to(device), limits, beam_size)
        for index, hypothesis in zip(chosen, found, strict=True):
            results[index] = hypothesis
    return results


class Score(NamedTuple):
    """How well a set of examples was translated.

    Attributes:
        bleu: corpus BLEU, 0 … 100.
        exact: share of translations equal to the reference, 0 … 1.
        sentences: number of examples.
    """

    bleu: float
    exact: float
    sentences: int


def score(model: TranslationModel, data: ParallelData, examples: Sequence[AlignedPair], beam_size: int = 1) -> Score:
    """Translate examples and compare with their references."""
    hypotheses = translate(model, data, [example.source for example in examples], beam_size=beam_size)
    texts = [data.detokenize(data.target_vocabulary.decode(h.tokens)) for h in hypotheses]
    references = [example.reference for example in examples]
    return Score(bleu(texts, references), exact_match(texts, references), len(examples))


def score_by_length(model: TranslationModel, data: ParallelData, beam_size: int = 1) -> dict[tuple[int, int], Score]:
    """Score each bucket of source lengths of the test set."""
    return {bucket: score(model, data, examples, beam_size) for bucket, examples in data.test.items() if examples}


class AlignmentScore(NamedTuple):
    """How well attention agrees with the gold alignment.

    Attributes:
        error_rate: AER of the most attended source word per target word, 0 … 1.
        diagonal_error_rate: AER of the diagonal guess on the same examples.
        mass_on_gold: mean share of attention on the gold source words, 0 … 1.
    """

    error_rate: float
    diagonal_error_rate: float
    mass_on_gold: float


@torch.no_grad()
def reference_attention(
    model: TranslationModel, data: ParallelData, examples: Sequence[AlignedPair]
) -> list[torch.Tensor]:
    """Attention along the reference translations, so that it can be compared with their gold alignment.

    Returns:
        For each example `(target_length, source_length)`; the row of the end symbol is cut off.
    """
    device = next(model.parameters()).device
    weights = []
    for start in range(0, len(examples), 32):
        chosen = examples[start : start + 32]
        batch = make_pair_batch(data.encode(chosen)).to(device)
        _, attention = model(batch)
        weights += padded_off(attention, [len(e.target) for e in chosen], [len(e.source) for e in chosen])
    return weights


def score_alignment(model: TranslationModel, data: ParallelData, examples: Sequence[AlignedPair]) -> AlignmentScore:
    """Evaluate the attention of a model against the gold alignments of examples."""
    weights = reference_attention(model, data, examples)
    pairs = list(zip(weights, examples, strict=True))
    guess = [diagonal_alignment(len(e.target), len(e.source)) for e in examples]
    return AlignmentScore(
        alignment_error_rate((hard_alignment(w), e.sure, e.possible) for w, e in pairs),
        alignment_error_rate((g, e.sure, e.possible) for g, e in zip(guess, examples, strict=True)),
        sum(attention_mass_on_gold(w, e.possible) for w, e in pairs) / len(pairs),
    )


def named_metrics(name: str, model: TranslationModel, data: ParallelData, beam_size: int = 1) -> dict[str, float]:
    """Evaluate a model and name its metrics `<name>/…`, as the claims refer to them.

    Returns:
        `nats` on validation; `bleu/…` and `exact/…` for each bucket, for `shortest` and `longest`; `bleu/all`;
        `bleu/ratio`, longest over shortest.
    """
    by_length = score_by_length(model, data, beam_size)
    metrics = {f"{name}/nats": token_loss(model, data.validation)}
    ends = {"shortest": next(iter(by_length.values())), "longest": list(by_length.values())[-1]}
    for label, result in {**{f"{low}-{high}": r for (low, high), r in by_length.items()}, **ends}.items():
        metrics[f"{name}/bleu/{label}"] = result.bleu
        metrics[f"{name}/exact/{label}"] = result.exact
    metrics[f"{name}/bleu/ratio"] = ends["longest"].bleu / max(ends["shortest"].bleu, 1e-9)
    metrics[f"{name}/bleu/all"] = score(model, data, data.examples, beam_size).bleu
    return metrics
