"""Lesson 1: what a fixed-length vector can hold, and what reversing the source gains."""

from dataclasses import replace

from course_utils.data.phrases.parallel import ParallelData, load_parallel, phrase_data
from course_utils.data.text import UNKNOWN
from experiments.experiment import Experiment
from experiments.gates import parallel_gates
from experiments.translation import Recipe, fit, named_metrics, score

SMALL_STATES = (32, 64)
FIXED = Recipe("rnn-encoder-decoder", steps=800, learning_rate=7e-3, curriculum=(8, 16, 30))
STACKED = Recipe("sequence-to-sequence", steps=600, curriculum=(8, 16, 30))
REAL_FIXED = Recipe(
    "rnn-encoder-decoder", embedding_size=128, hidden_size=256, dropout=0.3, steps=1500, learning_rate=2.5e-3,
    label_smoothing=0.1, batch_size=80, maximum_tokens=None,
)  # fmt: skip
REAL_SMALL_STATES = (64,)
REAL_STACKED = replace(REAL_FIXED, system="sequence-to-sequence", hidden_size=128)
"""The recipes that claims are measured with, on phrases and on real sentences."""


class BottleneckExperiment(Experiment):
    """The fixed vector, its size, and the order of the source."""

    lesson = "01"

    def recipes(self, source: str) -> dict[str, dict[str, Recipe]]:
        """One part for the fixed vector, one for smaller ones, one for both orders of the source."""
        self.check_source(source)
        fixed, stacked, small = (
            (FIXED, STACKED, SMALL_STATES) if source == "default" else (REAL_FIXED, REAL_STACKED, REAL_SMALL_STATES)
        )
        orders = {"stacked-forward": False, "stacked-reversed": True}
        orders = {name: replace(stacked, options=(("reverse_source", order),)) for name, order in orders.items()}
        sizes = {f"fixed-{size}": replace(fixed, hidden_size=size) for size in small}
        return {"fixed": {"fixed": fixed}, "sizes": sizes, "reversing": orders}

    def measure(self, part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
        """Train the models of a part and evaluate them.

        Returns:
            See `named_metrics`; of the fixed vector on real sentences also `bleu/known` and `bleu/unknown`, of
            sentences without and with a source word that is not in the vocabulary.
        """
        data, metrics = load_parallel(source), {}
        share = 0.02 if source == "default" else 0.01
        for name, recipe in self.recipes(source)[part].items():
            model, history = fit(recipe.shortened(share) if fast else recipe, data, seed, progress=not fast)
            metrics |= {f"{name}/seconds": history.seconds, **named_metrics(name, model, data)}
        if source == "real" and part == "fixed":
            known = [UNKNOWN not in data.source_vocabulary.encode(example.source) for example in data.examples]
            for label, wanted in (("known", True), ("unknown", False)):
                chosen = [example for example, is_known in zip(data.examples, known, strict=True) if is_known is wanted]
                metrics[f"fixed/bleu/{label}"] = score(model, data, chosen).bleu
        return metrics

    def gates(self, source: str) -> dict[str, float]:
        """See `parallel_gates`."""
        return parallel_gates(load_parallel(source))

    def live_trainings(self, count: int | None = None) -> dict[str, tuple[Recipe, ParallelData]]:
        """Both fixed vectors, on phrases of one batch size and order."""
        data = phrase_data(200 if count is None else count, 2)
        recipes = {recipe.system: recipe for recipe in (FIXED, STACKED)}
        return {name: (replace(recipe, maximum_tokens=None, curriculum=()), data) for name, recipe in recipes.items()}

    fit = staticmethod(fit)


EXPERIMENT = BottleneckExperiment()
