"""Lesson 5: what each ablation step gains, what a second fact and more clauses do, and what words attend to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from course_utils.checkpoints import check_vocabulary
from course_utils.data.inference.data import InferenceData, snli_data
from course_utils.data.inference.difficulty import EASY, WIDE, Difficulty
from course_utils.data.inference.wording import words_of
from course_utils.data.text import Vocabulary
from course_utils.models.entailment import SYSTEMS, EntailmentModel
from experiments.entailment import Recipe, accuracy_by, build, entailment_metrics, fit, judge, pairs_of
from experiments.entailment_baselines import BASELINES, baseline_accuracies
from experiments.evaluate import named
from experiments.experiment import Experiment

WORLD = EASY
"""The pairs that claims, live models and checkpoints are trained and tested on."""

ABLATION = {system: Recipe(system, steps=5_000, learning_rate=3e-3, rename=True) for system in SYSTEMS}
"""The recipes that claims are measured with: all systems have the same sizes and see the same pairs equally often."""
LIVE = {
    "independent": replace(ABLATION["independent"], steps=1_500),
    "conditional": replace(ABLATION["conditional"], steps=1_500),
    "attention": replace(ABLATION["attention"], steps=2_000),
    "word-by-word": replace(ABLATION["word-by-word"], steps=1_100, learning_rate=4e-3, batch_size=128),
}
"""What the lesson trains while it is read, each in less than a minute."""
SAMPLE = {
    system: replace(recipe, options=(("dropout", 0.3),), steps=600, rename=False) for system, recipe in ABLATION.items()
}
"""For a few thousand pairs of SNLI, which more steps would only learn by heart."""
WIDE_TESTS = 2_000
"""Pairs of each test of the wider world, whose phenomena share them."""
FEWEST = 100
"""Pairs that an accuracy needs to stand on a card."""

_SYSTEMS_OF = {"ablation": tuple(SYSTEMS)[:4], "two-way": tuple(SYSTEMS)[4:]}


def data_of(source: str, fast: bool = False) -> InferenceData:
    """The pairs of a source: synthetic ones, or SNLI from the hub or a staged folder."""
    return pairs_of(WORLD, *((200, 60) if fast else ())) if source == "default" else snli_data()


def world_of(name: str) -> Difficulty:
    """The world that a checkpoint is trained and tested on: `WIDE` for "05-wide", `WORLD` for the others."""
    return WIDE if name == "05-wide" else WORLD


class EntailmentExperiment(Experiment):
    """The measurements of lesson 5.

    "05-wide" meets every phenomenon, and begins with the weights of "05-word-by-word": from fresh ones its attention
    stays diffuse, and it learns its training pairs by heart.
    """

    lesson = "05"
    unit = "nats per pair"
    checkpoints = {
        **{
            f"05-{system}": Recipe(system, steps=10_000, learning_rate=3e-3, rename=True)
            for system in ("conditional", "attention", "word-by-word")
        },
        "05-wide": Recipe("word-by-word", steps=30_000, learning_rate=2e-3, rename=True),
    }

    def recipes(self, source: str) -> dict[str, dict[str, Recipe]]:
        """Part "ladder" adds one mechanism at a time; "two-way" has attention in both directions."""
        self.check_source(source)
        chosen = ABLATION if source == "default" else SAMPLE
        return {part: {name: chosen[name] for name in names} for part, names in _SYSTEMS_OF.items()}

    def gates(self, source: str) -> dict[str, float]:
        """Accuracy in % from the hypothesis alone, where `measure` has none: more clauses, and two facts."""
        if source != "default":
            return {}
        data = data_of(source)
        test = {**data.test, "2 facts": [pair for pair in data.test["test"] if pair.facts == 2]}
        found = baseline_accuracies("hypothesis only", replace(data, test=test))
        return {f"hypothesis only/{name}": 100 * found[name] for name in ("more clauses", "2 facts")}

    def live_trainings(self, count: int | None = None) -> dict[str, tuple[Recipe, InferenceData]]:
        """`LIVE`, on pairs that are made once."""
        pairs = pairs_of(WORLD, 40 if count is None else count, 10)
        return {name: (replace(recipe, fresh=False), pairs) for name, recipe in LIVE.items()}

    def settings(self, source: str) -> dict[str, dict]:
        """The recipes, and the world that pairs are from."""
        world = repr(WORLD) if source == "default" else "SNLI"
        return {part: {**decisive, "world": world} for part, decisive in super().settings(source).items()}

    def measure(self, part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
        """Train the models of a part and evaluate them.

        Returns:
            See `entailment_metrics`. The part "ladder" also has the baselines' `accuracy/test`, and what word-by-word
            attention gains over conditional encoding: `gain/fewest` and `gain/most`, at the fewest and the most
            clauses, or of SNLI `gain/shorter` and `gain/longer`, for premises shorter and longer than the median.
        """
        data, metrics = data_of(source, fast), {}
        for name, recipe in self.recipes(source)[part].items():
            model, history = fit(recipe.shortened(0.001) if fast else recipe, data, seed, progress=not fast)
            metrics |= named(name, {"seconds": history.seconds, **entailment_metrics(model, data)})
        if part == "ablation":
            metrics |= {f"{name}/accuracy/test": 100 * baseline_accuracies(name, data)["test"] for name in BASELINES}
            metrics |= _gains(metrics, data)
        return metrics

    def checkpoint_data(self, name: str) -> InferenceData:
        """Many pairs, most of them for the wider world."""
        return pairs_of(world_of(name), 150_000 if name == "05-wide" else 40_000)

    def start_of(self, name: str) -> str | None:
        """The wider world's model goes on from the small one's."""
        return "05-word-by-word" if name == "05-wide" else None

    fit = staticmethod(fit)

    def build(self, name: str, card: Mapping[str, Any]) -> EntailmentModel:
        """The model, if pairs still have the words of the card."""
        words = card.get("vocabulary", ())
        check_vocabulary(name, words, Vocabulary(words_of(world_of(name).kinds)).words)
        return build(self.checkpoints[name], len(words))

    def card_entries(self, name: str, model: EntailmentModel, data: InferenceData) -> dict[str, Any]:
        """The vocabulary, the world, and the number of training pairs."""
        made_from = {"world": repr(world_of(name)), "pairs": len(data.train)}
        return {"data": made_from, "vocabulary": list(data.vocabulary.words)}

    def checkpoint_metrics(self, name: str, model: EntailmentModel, most: int | None = None) -> dict[str, float]:
        """See `entailment_metrics`.

        Of "05-wide" also `phenomenon/<name>`, the accuracy in % on the test pairs that turn on it if these are at least
        `FEWEST`, and `baseline/<name>`, the accuracy of each of `BASELINES`.
        """
        wide = name == "05-wide"
        data = pairs_of(WIDE, test_count=WIDE_TESTS) if wide else pairs_of(WORLD)
        metrics = entailment_metrics(model, data, most)
        if wide:
            pairs = data.test["test"][:most]
            groups = accuracy_by(judge(model, data, pairs), pairs, lambda pair: pair.phenomena)
            metrics |= {f"phenomenon/{one}": 100 * share for one, (share, count) in groups.items() if count >= FEWEST}
            metrics |= {f"baseline/{way}": 100 * baseline_accuracies(way, data)["test"] for way in BASELINES}
        return {key: round(value, 4) for key, value in metrics.items()}


def _gains(metrics: Mapping[str, float], data: InferenceData) -> dict[str, float]:
    """What word-by-word attention gains over conditional encoding in the easiest and the hardest groups, points."""
    groups = {"shorter": "shorter premises", "longer": "longer premises"}
    if data.difficulty is not None:
        fewest, most = data.difficulty.clauses
        groups = {"fewest": f"{fewest} clauses", "most": f"{most} clauses"}
    return {
        f"gain/{label}": metrics[f"word-by-word/accuracy/{group}"] - metrics[f"conditional/accuracy/{group}"]
        for label, group in groups.items()
    }


EXPERIMENT = EntailmentExperiment()
load_trained = EXPERIMENT.load
