"""Lesson 2: what additive attention gains over one vector, and whether its weights agree with gold alignments."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from course_utils.checkpoints import CheckpointError, load_checkpoint
from course_utils.data.phrases.parallel import (
    SHORT_LENGTH,
    ParallelData,
    load_parallel,
    phrase_data,
)
from course_utils.metrics import alignment_error_rate, diagonal_alignment
from course_utils.models.translation import TranslationModel
from course_utils.training import History
from experiments import translation
from experiments.experiment import Experiment
from experiments.gates import parallel_gates
from experiments.lesson_01_bottleneck import FIXED as SUMMARY
from experiments.lesson_01_bottleneck import REAL_FIXED
from experiments.translation import Recipe, build_model, named_metrics, score, score_alignment, score_by_length

ATTENTION = Recipe(
    "rnn-search", (("attention_size", 32),), hidden_size=96, steps=610, learning_rate=8e-3, batch_size=64,
    maximum_tokens=800, curriculum=(8, 16, 30),
)  # fmt: skip
FIXED = replace(ATTENTION, options=(*ATTENTION.options, ("one_vector", True)))
REAL_ATTENTION = replace(REAL_FIXED, system="rnn-search")
LONG = {"steps": 2000, "learning_rate": 5e-3}
"""The pair that trains for longer, fixed before its results were seen: three times the steps at a lower rate."""
FLAT = 0.95
"""Quality is called flat if the longest bucket keeps this share of the shortest one's BLEU."""

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
        "02-fixed-vector": replace(SUMMARY, hidden_size=256, steps=4000, learning_rate=2e-3, maximum_tokens=800),
        "02-one-vector": replace(
            ATTENTION,
            hidden_size=128,
            options=(("attention_size", 64), ("one_vector", True)),
            dropout=0.2,
            steps=6000,
            learning_rate=3e-3,
        ),
    }

    def recipes(self, source: str) -> dict[str, dict[str, Recipe]]:
        """One vector against attention; of phrases also equal weights, other scores, and a pair that trains longer."""
        self.check_source(source)
        if source != "default":
            return {"main": {"fixed": REAL_FIXED, "attention": REAL_ATTENTION}}
        equal, dot, scaled = (
            replace(ATTENTION, options=(*ATTENTION.options, ("score", name))) for name in ("equal", "dot", "scaled-dot")
        )
        return {
            "main": {"fixed": FIXED, "attention": ATTENTION, "equal": equal},
            "scores": {"dot": dot, "scaled-dot": scaled},
            "long": {"fixed-long": replace(FIXED, **LONG), "attention-long": replace(ATTENTION, **LONG)},
        }

    def measure(self, part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
        """Train and evaluate the systems of a part.

        Returns:
            See `named_metrics` and `alignment_metrics`; also `attention-beam/bleu/all`, `flat/ratio`, and in part
            "main" of phrases the alignment error rates of the diagonal and of IBM model 1.
        """
        data = load_parallel(source)
        metrics: dict[str, float] = {"flat/ratio": FLAT} if part == "long" else {}
        for name, recipe in self.recipes(source)[part].items():
            model, history = translation.fit(recipe.shortened(0.02) if fast else recipe, data, seed, progress=not fast)
            metrics |= {f"{name}/seconds": history.seconds, **named_metrics(name, model, data)}
            if name == "attention":
                metrics["attention-beam/bleu/all"] = score(model, data, data.examples, beam_size=5).bleu
            if source == "default" and not model.one_vector:
                metrics |= alignment_metrics(name, model, data)
        if part == "main" and source == "default":
            metrics |= {f"{name}/aer": rate for name, rate in baseline_alignments(data, 300 if fast else 3000).items()}
        return metrics

    def gates(self, source: str) -> dict[str, float]:
        """See `parallel_gates`."""
        return parallel_gates(load_parallel(source))

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
        return translation.token_loss(model, data.validation[:500])

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
        if not model.one_vector:
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


def alignment_metrics(name: str, model: TranslationModel, data: ParallelData) -> dict[str, float]:
    """The alignment error rate of attention, `<name>/aer`, and its mass on gold words, `<name>/mass`."""
    alignment = score_alignment(model, data, data.examples)
    return {f"{name}/aer": alignment.error_rate, f"{name}/mass": alignment.mass_on_gold}


def baseline_alignments(data: ParallelData, count: int) -> dict[str, float]:
    """The alignment error rates of the diagonal, and of IBM model 1 on `count` short pairs."""
    proposed = {
        "diagonal": [diagonal_alignment(len(one.target), len(one.source)) for one in data.examples],
        "ibm1": ibm_alignments(data, count, SHORT_LENGTH),
    }
    return {
        name: alignment_error_rate((a, one.sure, one.possible) for a, one in zip(links, data.examples, strict=True))
        for name, links in proposed.items()
    }


def ibm_alignments(data: ParallelData, count: int, longest: int) -> list[set[tuple[int, int]]]:
    """Align the test pairs by IBM model 1, after five rounds over `count` pairs of at most `longest` source words.

    Source: Brown et al. 1993, "The mathematics of statistical machine translation", model 1; by nltk.
    """
    from nltk.translate import AlignedSent, IBMModel1

    pairs = [pair for pair in data.train if len(pair[0]) <= longest][:count]
    counts = IBMModel1([AlignedSent(data.vocabulary.decode(t), data.source_vocabulary.decode(s)) for s, t in pairs], 5)
    test = [AlignedSent(list(one.target), list(one.source)) for one in data.examples]
    counts.align_all(test)
    return [{(i, j) for i, j in pair.alignment if j is not None} for pair in test]


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
