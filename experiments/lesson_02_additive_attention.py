"""Lesson 2: what additive attention gains over the fixed vector, and whether its weights agree with gold alignments."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from course_utils.checkpoints import CheckpointError, load_checkpoint
from course_utils.data.phrases.parallel import ParallelData, load_parallel, phrase_data
from course_utils.models.translation import TranslationModel
from course_utils.training import History
from experiments import translation
from experiments.experiment import Experiment
from experiments.lesson_01_bottleneck import FIXED, REAL_FIXED
from experiments.translation import (
    Recipe,
    build_model,
    named_metrics,
    score,
    score_alignment,
    score_by_length,
    token_loss,
)

ATTENTION = Recipe(
    "rnn-search",
    hidden_size=96,
    options=(("attention_size", 32),),
    steps=610,
    learning_rate=8e-3,
    batch_size=64,
    maximum_tokens=800,
    curriculum=(8, 16, 30),
)
REAL_ATTENTION = replace(REAL_FIXED, system="rnn-search")

CHECKPOINT_DATA = {"train_count": 100_000, "test_count": 100, "short_share": 0.7}
"""The phrases that checkpoints are trained on; see `phrase_data`."""


class AdditiveAttentionExperiment(Experiment):
    """The fixed vector against attention, greedy search against beam search."""

    lesson = "02"
    tolerances = dict.fromkeys(("exact", "aer", "mass_on_gold"), 0.021)  # a hundred phrases of each length
    checkpoints = {
        "02-additive-attention": replace(
            ATTENTION, hidden_size=128, options=(("attention_size", 64),), dropout=0.2, steps=6000, learning_rate=3e-3
        ),
        "02-fixed-vector": replace(FIXED, hidden_size=256, steps=4000, learning_rate=2e-3, maximum_tokens=800),
    }

    def recipes(self, source: str) -> dict[str, dict[str, Recipe]]:
        """One part: both systems, which are compared."""
        self.check_source(source)
        fixed, attention = (FIXED, ATTENTION) if source == "default" else (REAL_FIXED, REAL_ATTENTION)
        return {"main": {"fixed": fixed, "attention": attention}}

    def measure(self, part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
        """Train and evaluate the fixed vector and attention.

        Returns:
            See `named_metrics`; also `attention-beam/bleu/all` and, of phrases, the alignment error rate of attention
            and of the diagonal guess, and the attention mass on gold words.

        Raises:
            RealDataError: with source "real", if the sentences cannot be had.
        """
        data = load_parallel(source)
        metrics: dict[str, float] = {}
        for name, recipe in self.recipes(source)[part].items():
            model, history = translation.fit(recipe.shortened(0.02) if fast else recipe, data, seed, progress=not fast)
            metrics |= {f"{name}/seconds": history.seconds, **named_metrics(name, model, data)}
        metrics["attention-beam/bleu/all"] = score(model, data, data.examples, beam_size=5).bleu
        if source == "default":
            alignment = score_alignment(model, data, data.examples)
            metrics |= {
                "attention/aer": alignment.error_rate,
                "diagonal/aer": alignment.diagonal_error_rate,
                "attention/mass": alignment.mass_on_gold,
            }
        return metrics

    def live_trainings(self, count: int | None = None) -> dict[str, tuple[Recipe, ParallelData]]:
        """Attention, on phrases of one batch size and order."""
        recipe = replace(ATTENTION, maximum_tokens=None, curriculum=())
        return {recipe.system: (recipe, phrase_data(200 if count is None else count, 2))}

    def checkpoint_data(self, name: str) -> ParallelData:
        """More phrases than claims are measured with, a larger share of them long."""
        return phrase_data(**CHECKPOINT_DATA)

    def fit(
        self, recipe: Recipe, data: ParallelData, seed: int = 0, **options: Any
    ) -> tuple[TranslationModel, History]:
        """Train a recipe on phrases, validated every 500 steps."""
        return translation.fit(recipe, data, seed, **{**options, "validate_every": 500})

    def watch(self, model: TranslationModel, data: ParallelData) -> float:
        """Mean loss of the first validation phrases."""
        return token_loss(model, data.validation[:500])

    def card_entries(self, name: str, model: TranslationModel, data: ParallelData) -> dict[str, Any]:
        """The words of both languages, and how the phrases were made."""
        return {**_words(data), "data": CHECKPOINT_DATA}

    def checkpoint_metrics(self, name: str, model: TranslationModel, most: int | None = None) -> dict[str, float]:
        """BLEU and the share of exact translations by length; with attention, AER and the mass on gold words."""
        data, metrics = _test_phrases(), {}
        test = {bucket: examples[:most] for bucket, examples in data.test.items()}
        data = replace(data, test=test)
        for (low, high), result in score_by_length(model, data).items():
            metrics |= {f"bleu/{low}-{high}": result.bleu, f"exact/{low}-{high}": result.exact}
        if getattr(model.decoder, "attention", None) is not None:
            alignment = score_alignment(model, data, data.examples)
            metrics |= {"aer": alignment.error_rate, "mass_on_gold": alignment.mass_on_gold}
        return {key: round(value, 4) for key, value in metrics.items()}

    def build(self, name: str, card: Mapping[str, Any], data: ParallelData | None = None) -> TranslationModel:
        """Make the untrained model of a checkpoint from its card.

        Args:
            name: of the checkpoint.
            card: its card.
            data: whose words it is to translate; phrases if None.

        Raises:
            CheckpointError: if it was trained on other words.
        """
        data = data or _test_phrases()
        if any(card[side] != words for side, words in _words(data).items()):
            raise CheckpointError(
                f"{name} was trained on other words than this corpus has (phrases change with the versions of Babel "
                f"and num2words, or SOURCE is not 'default'); train it again with: {card['command']}"
            )
        return build_model(recipe_of(card), data)


EXPERIMENT = AdditiveAttentionExperiment()


@cache
def _test_phrases() -> ParallelData:
    """The test phrases of every corpus, with its vocabulary; few to train on."""
    return phrase_data(**{**CHECKPOINT_DATA, "train_count": 15_000})


def _words(data: ParallelData) -> dict[str, list[str]]:
    """The words of both languages without the symbols for padding, begin, end and unknown words."""
    sides = {"source_words": data.source_vocabulary, "target_words": data.target_vocabulary}
    return {side: list(vocabulary.words[4:]) for side, vocabulary in sides.items()}


def load_trained(name: str, data: ParallelData) -> tuple[TranslationModel, dict]:
    """Load a checkpoint, with its card, for a corpus whose vocabulary is the checkpoint's.

    Raises:
        CheckpointError: see `load_checkpoint`; also if the vocabularies differ.
    """
    return load_checkpoint(name, lambda card: EXPERIMENT.build(name, card, data))


def recipe_of(card: Mapping[str, Any]) -> Recipe:
    """The recipe that a card records."""
    recorded = card["recipe"]
    options, curriculum = tuple(recorded["options"].items()), tuple(recorded["curriculum"])
    return Recipe(**{**recorded, "options": options, "curriculum": curriculum})
