"""Lesson 6: what location-aware attention gains, on single utterances and on long ones, and how exact attention is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from course_utils.checkpoints import check_vocabulary
from course_utils.data.real_errors import RealDataNotFoundError
from course_utils.data.speech.data import SpokenData
from course_utils.data.speech.phonemes import PHONEMES
from course_utils.data.speech.recorded_data import (
    MANY_SPEAKERS,
    digit_data,
    digits_and_prompts_are_staged,
    many_speakers_data,
    prompt_data,
    reading_data,
    timed_prompts,
)
from course_utils.data.text import Vocabulary
from course_utils.models.speech import SYSTEMS, SpeechModel
from experiments.evaluate import named
from experiments.experiment import Experiment
from experiments.gates import majority_error
from experiments.recorded_speech import SPEAKERS, digit_metrics, prompt_metrics, prompt_pieces
from experiments.speech import (
    Recipe,
    build,
    error_by_speaker,
    error_metrics,
    fit,
    long_speech_metrics,
    speech_metrics,
    utterances_of,
)

RECIPES = {system: Recipe(system, steps=1_500) for system in SYSTEMS}
"""The recipes that claims are measured with."""
LIVE = {system: Recipe(system, options=(("layers", 1),), steps=2_000, batch_size=16) for system in SYSTEMS}
"""What the lesson trains while it is read: one layer and small batches, which teach most in a minute."""
RECORDED = {
    **{part: Recipe("location", steps=1_500) for part in ("synthetic", "digits", "prompts")},
    **{f"prompts-{system}": Recipe(system, steps=1_500) for system in ("content", "smooth")},
    "speakers": Recipe("location", steps=3_000, options=(("dropout", 0.2),)),
}
"""The recipes for recorded speech: synthetic training alone, with recorded digits, with pieces of recorded prompts (all
three systems), and with digits of as many speakers as can be had, each speaker normalized by itself."""
READ = {
    "read-synthetic": Recipe("location", steps=1_500),
    **{f"read-{system}": Recipe(system, steps=1_500) for system in SYSTEMS},
}
"""The recipes for LibriSpeech: synthetic training alone, and all three systems with readings, too."""

_LARGE = (("hidden_size", 160), ("dropout", 0.1))


def recorded_data_of(part: str, synthetic: SpokenData, seed: int = 0) -> SpokenData:
    """What a part of `RECORDED` or `READ` is trained and tested on.

    Args:
        part: its key.
        synthetic: the synthetic speech that all of them are trained on.
        seed: decides which of `SPEAKERS` is held out from the digits, and the noise.

    Raises:
        RealDataError: if the recordings cannot be had.
    """
    if part.startswith("prompts"):
        return prompt_data(synthetic, seed=seed)
    held_out = SPEAKERS[seed % len(SPEAKERS)]
    if part == "speakers":
        return many_speakers_data(synthetic, held_out, seed=seed)
    data = reading_data(synthetic) if part in READ else digit_data(synthetic, held_out, seed=seed)
    return replace(data, train=synthetic.train) if part in ("synthetic", "read-synthetic") else data


class SpeechExperiment(Experiment):
    """The measurements of lesson 6.

    Checkpoints are trained longer, on more utterances. In every second batch two utterances are joined, so that a pause
    is not always the end; the tests of long speech join eight.
    """

    lesson = "06"
    sources = ("default", "real", "librispeech")
    unit = "nats per phoneme"
    checkpoints = {
        f"06-{system}": Recipe(system, _LARGE, utterances=16_000, steps=9_000, learning_rate=2e-3, join=2)
        for system in SYSTEMS
    }

    def recipes(self, source: str) -> dict[str, dict[str, Recipe]]:
        """A part for each system, or for each way to train for recorded speech; "real" is digits and prompts."""
        self.check_source(source)
        chosen = {"default": RECIPES, "real": RECORDED, "librispeech": READ}[source]
        return {part: {part: recipe} for part, recipe in chosen.items()}

    def settings(self, source: str) -> dict[str, dict]:
        """The recipes, and how the many speakers of part "speakers" are made."""
        decisive = super().settings(source)
        if source == "real":
            decisive["speakers"]["versions"] = MANY_SPEAKERS
        return decisive

    def measure(self, part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
        """Train the model of a part and evaluate it.

        Returns:
            With source "default" see `speech_metrics`; with "real" see `digit_metrics`, `prompt_metrics` and, of models
            that were trained on other prompts, `long_speech_metrics`; with "librispeech" see `error_metrics`.
        """
        if source == "real" and not digits_and_prompts_are_staged():
            raise RealDataNotFoundError(
                "the recorded digits and prompts are in no staged folder, and published nowhere in this form. "
                "LibriSpeech is on the hub: measure it in their place, with --source librispeech."
            )
        recipe, most = self.recipes(source)[part][part], 4 if fast else None
        data = utterances_of(*((40, 10) if fast else (recipe.utterances,)))
        if source != "default":
            data = recorded_data_of(part, data, seed)
        model, history = fit(recipe.shortened(0.001) if fast else recipe, data, seed, progress=not fast)
        metrics = {"seconds": history.seconds}
        if source == "default":
            metrics |= speech_metrics(model, data, most)
        elif source == "librispeech":
            metrics |= error_metrics(model, data, most)
        elif part.startswith("prompts"):
            metrics |= long_speech_metrics(model, data, prompt_pieces(most))
        else:
            metrics |= digit_metrics(model, data, most)
        if part == "synthetic" or part.startswith("prompts"):
            metrics |= prompt_metrics(model, data, most)
        return named(part, metrics)

    def gates(self, source: str) -> dict[str, float]:
        """In %: phoneme error rate of writing the most frequent phoneme as often as any was said; digits likewise."""
        data, gates = utterances_of(100), {}
        if source == "real":
            digits = recorded_data_of("digits", data).test["unseen speaker"]
            gates["majority/digits"] = 100 - majority_error([one.utterance.words for one in digits])
            tests = {"pieces": prompt_pieces(), "prompts": timed_prompts("test")}
        else:
            tests = reading_data(data).test if source == "librispeech" else {"test": data.test["test"]}
        said = {name: [symbol for one in spoken for symbol in one.symbols] for name, spoken in tests.items() if spoken}
        return gates | {f"majority/per/{name}": majority_error(symbols) for name, symbols in said.items()}

    def live_trainings(self, count: int | None = None) -> dict[str, tuple[Recipe, SpokenData]]:
        """`LIVE`, on utterances that are spoken once."""
        data = utterances_of(40 if count is None else count, 2)
        return {name: (recipe, data) for name, recipe in LIVE.items()}

    def checkpoint_data(self, name: str) -> SpokenData:
        """As many utterances as the recipe asks for."""
        return utterances_of(self.checkpoints[name].utterances)

    fit = staticmethod(fit)

    def build(self, name: str, card: Mapping[str, Any]) -> SpeechModel:
        """The model, if speech still has the phonemes of the card."""
        symbols = card.get("vocabulary", ())
        check_vocabulary(name, symbols, Vocabulary(PHONEMES).words)
        return build(self.checkpoints[name], len(symbols))

    def card_entries(self, name: str, model: SpeechModel, data: SpokenData) -> dict[str, Any]:
        """The phonemes, and for every speaker its phoneme error rate in % and the number of its utterances."""
        speakers = {}
        for test in ("test", "unseen speakers"):
            speakers |= error_by_speaker(model, data, data.test[test])
        return {
            "vocabulary": list(data.vocabulary.words),
            "speakers": {speaker: [round(100 * rate, 2), count] for speaker, (rate, count) in speakers.items()},
        }

    def checkpoint_metrics(self, name: str, model: SpeechModel, most: int | None = None) -> dict[str, float]:
        """See `speech_metrics`."""
        metrics = speech_metrics(model, utterances_of(100), most)
        return {key: round(value, 4) for key, value in metrics.items()}


EXPERIMENT = SpeechExperiment()
load_trained = EXPERIMENT.load
