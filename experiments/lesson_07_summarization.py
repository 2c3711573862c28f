"""Lesson 7: what each encoder gains, whether a model beats the lead, and what extractive features add."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from course_utils.checkpoints import check_vocabulary, load_card
from course_utils.data.reports.data import SummaryData
from course_utils.data.reports.docstrings import NoDocstringsError
from course_utils.data.reports.wording import report_words
from course_utils.data.text import SPECIAL_WORDS, Vocabulary
from course_utils.models.extractive import ExtractiveSummarizer, ExtractiveWeights
from course_utils.models.summarizer import Summarizer
from experiments.evaluate import named
from experiments.experiment import Experiment
from experiments.summarization import (
    Recipe,
    baselines_of,
    build,
    fit,
    headline_metrics,
    summary_metrics,
    texts_of,
    tune_extractive,
    word_loss,
)

SOURCES = ("default", "docstrings", "real")
ABLATION = ("abs-none", "abs-bag", "abs-convolution", "abs-attention")
"""Encoders of the feed-forward summarizer, each with more than the one before."""
TUNED = {"abs-attention": "abs+", "ras-copy": "ras-copy+"}
"""Systems that extractive features are added to, and what they are then called."""
_SYSTEMS_OF = {"ablation": ABLATION, "recurrent": ("ras-elman", "ras-additive"), "copy": ("ras-copy",)}
SYSTEMS = [system for names in _SYSTEMS_OF.values() for system in names]

_RATES = {"abs-none": 6e-3, "abs-bag": 1.5e-2, "abs-convolution": 4e-3, "abs-attention": 1e-2}
"""By short trials on validation reports: each encoder learns at a rate that suits it, as the ladder compares them."""


def _sizes(embedding: int, hidden: int, dropout: float | None = None) -> tuple[tuple[str, object], ...]:
    sizes = (("embedding_size", embedding), ("hidden_size", hidden))
    return sizes if dropout is None else (*sizes, ("dropout", dropout))


def _on_real_texts(learning_rate: float) -> dict[str, Recipe]:
    options = {"abs": _sizes(64, 128, 0.2), "ras": _sizes(96, 128, 0.2)}
    return {name: Recipe(name, options[name[:3]], steps=1_600, learning_rate=learning_rate) for name in SYSTEMS}


RECIPES = {
    "default": {
        **{name: Recipe(name, _sizes(64, 96), steps=9_000, learning_rate=rate) for name, rate in _RATES.items()},
        **{
            name: Recipe(name, _sizes(64, 96), steps=6_000, learning_rate=4e-3)
            for name in SYSTEMS
            if name not in ABLATION
        },
    },
    "docstrings": _on_real_texts(3e-3),
    "real": _on_real_texts(4e-3),
}
"""The recipes that claims are measured with: on each source those of the ladder see the same pairs equally often, and
so do the recurrent ones. Of reports the recurrent ones see fewer, which is enough for them."""
_REPORTS = {"ablation": 90_000}
"""Synthetic reports that a part is trained on, where they are not as many as a lesson has. With a third of them, and
two thirds of the steps, three seeds did not distinguish the convolution from the bag of words."""
LIVE = {system: replace(RECIPES["default"][system], steps=600) for system in (*ABLATION, "ras-additive")}
"""What the lesson trains while it is read."""


def data_of(source: str, fast: bool = False, part: str | None = None) -> SummaryData:
    """The pairs of a source: reports, docstrings, or real texts from the hub or a staged folder.

    Args:
        source: one of `SOURCES`.
        fast: few pairs.
        part: of the measurement, which may want more reports than a lesson does; None = as the lesson.
    """
    if fast and source in SOURCES:
        tests = {} if source == "docstrings" else {"test_count": 12}
        return texts_of(source, train_count=60, **tests)
    if source == "default" and part in _REPORTS:
        return texts_of(source, train_count=_REPORTS[part])
    return texts_of(source)


def with_words_of(card: Mapping[str, Any], data: SummaryData) -> SummaryData:
    """The same data with the vocabulary of a checkpoint's card."""
    return replace(data, vocabulary=Vocabulary(card["vocabulary"][len(SPECIAL_WORDS) :]))


class SummarizationExperiment(Experiment):
    """The measurements of lesson 7.

    Checkpoints are larger and trained longer, of reports on new ones all the time. The checkpoint of docstrings keeps
    the words that it was trained with, whatever is installed here: give its data that vocabulary with `with_words_of`.
    """

    lesson = "07"
    sources = SOURCES
    checkpoints = {
        "07-abs-attention": Recipe("abs-attention", _sizes(64, 160, 0.1), steps=25_000, learning_rate=4e-3, fresh=True),
        "07-ras-additive": Recipe("ras-additive", _sizes(96, 160, 0.1), steps=12_000, learning_rate=3e-3, fresh=True),
        "07-ras-copy": Recipe("ras-copy", _sizes(96, 160, 0.1), steps=12_000, learning_rate=3e-3, fresh=True),
        "07-docstrings-ras-copy": Recipe("ras-copy", _sizes(96, 160, 0.3), steps=5_000, learning_rate=2e-3),
    }

    def __init__(self) -> None:
        self._tuned: dict[str, ExtractiveWeights] = {}  # of checkpoints in training, whose cards are not there yet

    def recipes(self, source: str) -> dict[str, dict[str, Recipe]]:
        """Part "ladder" has the encoders of ABS; "recurrent" and "copy" the decoders that came after."""
        self.check_source(source)
        return {part: {name: RECIPES[source][name] for name in names} for part, names in _SYSTEMS_OF.items()}

    def settings(self, source: str) -> dict[str, dict]:
        """The recipes, and the number of reports where a part has its own."""
        decisive = super().settings(source)
        if source == "default":
            for part, reports in _REPORTS.items():
                decisive[part]["reports"] = reports
        return decisive

    def measure(self, part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
        """Train the models of a part and evaluate them.

        Returns:
            See `summary_metrics`; of the systems in `TUNED` also with extractive features. The part "ladder" has the
            metrics of `baselines_of` as well.
        """
        data, most, beam = data_of(source, fast, part), *((4, 2) if fast else (None, 5))
        validation, metrics = data.validation[: 10 if fast else 500], {}
        for name, recipe in self.recipes(source)[part].items():
            recipe = recipe.shortened(0.001) if fast else recipe
            model, history = fit(
                recipe,
                data,
                seed,
                progress=not fast,
                validate=lambda model: word_loss(model, data, validation),
                validate_every=max(1, recipe.steps // 10),
            )
            metrics |= named(name, {"seconds": history.seconds, **summary_metrics(model, data, most, beam)})
            if name in TUNED:
                few = {"count": 4, "rounds": 1} if fast else {}
                weights = tune_extractive(model, data, seed, beam_size=beam, **few).weights
                tuned = summary_metrics(ExtractiveSummarizer(model, weights), data, most, beam)
                metrics |= named(TUNED[name], {**tuned, **named("weight", weights._asdict())})
        if part == "ablation":
            pairs = data.test["test"][:most]
            for name, baseline in baselines_of(data).items():
                metrics |= named(name, headline_metrics(data, [baseline(pair) for pair in pairs], pairs))
        return metrics

    def live_trainings(self, count: int | None = None) -> dict[str, tuple[Recipe, SummaryData]]:
        """`LIVE`, on reports that are made once."""
        data = texts_of(train_count=60 if count is None else count, test_count=12)
        return {name: (recipe, data) for name, recipe in LIVE.items()}

    def source_of(self, name: str) -> str:
        """The data that a checkpoint is trained on: "docstrings" or "default"."""
        return "docstrings" if "docstrings" in name else "default"

    def checkpoint_data(self, name: str) -> SummaryData:
        """The pairs of the checkpoint's source."""
        return data_of(self.source_of(name))

    fit = staticmethod(fit)

    def build(self, name: str, card: Mapping[str, Any]) -> Summarizer:
        """The model; of reports, if they still have the words of the card."""
        words = card.get("vocabulary", ())
        if self.source_of(name) == "default":
            check_vocabulary(name, words, Vocabulary(report_words()).words)
        return build(self.checkpoints[name], len(words))

    def card_entries(self, name: str, model: Summarizer, data: SummaryData) -> dict[str, Any]:
        """The vocabulary, and the tuned weights of the extractive features."""
        self._tuned[name] = tune_extractive(model, data).weights
        return {"vocabulary": list(data.vocabulary.words), "extractive": self._tuned[name]._asdict()}

    def checkpoint_metrics(self, name: str, model: Summarizer, most: int | None = None) -> dict[str, float]:
        """See `summary_metrics`; those under "with features/" are with extractive features, weighted as on the card.

        Raises:
            NoDocstringsError: if the card's metrics are of docstrings of other versions than are installed here.
        """
        data, weights = self.checkpoint_data(name), self._tuned.pop(name, None)
        if weights is None:
            card = load_card(name)
            if self.source_of(name) == "docstrings":
                _check_credit(card, data)
                data = with_words_of(card, data)
            weights = ExtractiveWeights(**card["extractive"])
        featured = summary_metrics(ExtractiveSummarizer(model, weights), data, most)
        metrics = summary_metrics(model, data, most) | named("with features", featured)
        return {key: round(value, 4) for key, value in metrics.items()}


def _check_credit(card: Mapping[str, Any], data: SummaryData) -> None:
    if data.credit != card["data"]["credit"]:
        raise NoDocstringsError(
            f"the model was evaluated on docstrings of {card['data']['credit']}; installed here are those of "
            f"{data.credit}. Its metrics are of other texts; train it again: {card['command']}."
        )


EXPERIMENT = SummarizationExperiment()
load_trained = EXPERIMENT.load
