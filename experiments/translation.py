"""What lessons 1 and 2 share: training a translation model, evaluating it by length and against gold alignments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
from experiments.evaluate import TextScore, by_length, mean_loss, named, search, teacher_forced_attention
from experiments.recipes import PlainRecipe, train_recipe


@dataclass(frozen=True)
class Recipe(PlainRecipe):
    """A recipe for `TranslationModel`; see there, `training.train` and `ParallelData.batches` for the attributes."""

    learning_rate: float = 5e-3
    batch_size: int = 128
    embedding_size: int = 96
    hidden_size: int = 128
    dropout: float = 0.0
    label_smoothing: float = 0.0
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
    """Train a recipe from scratch; see `Experiment.fit`."""
    order = {"maximum_tokens": recipe.maximum_tokens, "curriculum": recipe.curriculum}
    batches = data.batches(recipe.batch_size, seed, **order)
    options = {"label_smoothing": recipe.label_smoothing, **options}
    return train_recipe(recipe, seed, lambda: build_model(recipe, data), lambda model: batches, **options)


def token_loss(model: TranslationModel, pairs: Sequence[tuple[list[int], list[int]]], batch_size: int = 64) -> float:
    """Mean cross-entropy of encoded pairs in nats per target token; its exponential is the perplexity."""
    batches = by_length([source for source, _ in pairs], batch_size)
    return mean_loss(model, (make_pair_batch([pairs[index] for index in chosen]) for chosen in batches))


def translate(
    model: TranslationModel,
    data: ParallelData,
    sources: Sequence[Sequence[str]],
    beam_size: int = 1,
    batch_size: int = 64,
) -> list[Hypothesis]:
    """Translate tokenised sentences; those of similar length together, the result in the order of `sources`."""
    batches = by_length(sources, batch_size)

    def encoded() -> Iterator[tuple]:
        for chosen in batches:
            words = [sources[index] for index in chosen]
            yield *pad_sequences(list(map(data.source_vocabulary.encode, words))), [2 * len(w) + 10 for w in words]

    found = dict(zip(sum(batches, []), search(model, encoded(), beam_size), strict=True))
    return [found[index] for index in range(len(sources))]


def score(
    model: TranslationModel, data: ParallelData, examples: Sequence[AlignedPair], beam_size: int = 1
) -> TextScore:
    """Translate examples and compare with their references; `exact` counts those that are equal."""
    hypotheses = translate(model, data, [example.source for example in examples], beam_size)
    texts = [data.detokenize(data.target_vocabulary.decode(h.tokens)) for h in hypotheses]
    references = [example.reference for example in examples]
    return TextScore(bleu(texts, references), exact_match(texts, references), len(examples))


def score_by_length(
    model: TranslationModel, data: ParallelData, beam_size: int = 1
) -> dict[tuple[int, int], TextScore]:
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


def score_alignment(model: TranslationModel, data: ParallelData, examples: Sequence[AlignedPair]) -> AlignmentScore:
    """Evaluate the attention of a model along references against the gold alignments of examples."""
    pairs = list(zip(teacher_forced_attention(model, data, examples), examples, strict=True))
    guesses = [(diagonal_alignment(len(e.target), len(e.source)), e.sure, e.possible) for e in examples]
    return AlignmentScore(
        alignment_error_rate((hard_alignment(w), e.sure, e.possible) for w, e in pairs),
        alignment_error_rate(guesses),
        sum(attention_mass_on_gold(w, e.possible) for w, e in pairs) / len(pairs),
    )


def named_metrics(name: str, model: TranslationModel, data: ParallelData, beam_size: int = 1) -> dict[str, float]:
    """Evaluate a model and name its metrics `<name>/…`, as the claims refer to them.

    Returns:
        `nats` on validation; `bleu/…` and `exact/…` for each bucket, for `shortest` and `longest`; `bleu/all`;
        `bleu/ratio`, longest over shortest.
    """
    by_bucket = score_by_length(model, data, beam_size)
    metrics = {"nats": token_loss(model, data.validation)}
    ends = {"shortest": next(iter(by_bucket.values())), "longest": list(by_bucket.values())[-1]}
    for label, result in {**{f"{low}-{high}": r for (low, high), r in by_bucket.items()}, **ends}.items():
        metrics |= {f"bleu/{label}": result.bleu, f"exact/{label}": result.exact}
    metrics["bleu/ratio"] = ends["longest"].bleu / max(ends["shortest"].bleu, 1e-9)
    metrics["bleu/all"] = score(model, data, data.examples, beam_size).bleu
    return named(name, metrics)
