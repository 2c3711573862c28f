"""Lesson 4: what attention to parts of an image gains over a vector, what it attends to, and what the penalty does."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from course_utils.checkpoints import check_vocabulary
from course_utils.data.real import is_staged
from course_utils.data.scenes.captions import caption_words
from course_utils.data.scenes.data import SceneData
from course_utils.data.scenes.photographs import PhotographData, load_photographs, photograph_data
from course_utils.data.text import Vocabulary
from course_utils.models.captioning import Captioner, SoftCaptioner
from course_utils.training import History
from experiments import captioning
from experiments.captioning import (
    Recipe,
    build_model,
    named_metrics,
    pointing_game,
    scenes_of,
    teacher_forced_traces,
    token_loss,
)
from experiments.experiment import Experiment
from experiments.gates import shuffled, unigram_nats

PAIRS = (2, 2)
"""Groups of the scenes that claims and live models are trained and tested on."""
ALL = (2, 4)
"""Groups of the scenes of the checkpoints."""

LIVE_SCENES = 10_000
"""Training scenes of live models and of claims, drawn once: no time of a training goes into drawing."""

_SIZES = (("widths", (48, 96, 96, 128)), ("embedding_size", 256))
MEAN = Recipe("none-mean", _SIZES, groups=PAIRS, steps=1_300, learning_rate=6e-3, fresh=False)
FLAT = replace(MEAN, system="none-flat")
SOFT = Recipe("soft", _SIZES, groups=PAIRS, steps=1_000, learning_rate=1.6e-2, fresh=False)
PENALTY = replace(SOFT, options=(*_SIZES, ("penalty_weight", 1.0)))
HARD = replace(SOFT, system="hard", steps=500, learning_rate=2e-3, soft_steps=1_000, soft_learning_rate=1.6e-2)
"""The recipes that claims are measured with. The vectors take more steps in the same time; hard attention goes on
from a soft model that was trained as long as the other."""

LIVE = {
    "none-flat": replace(FLAT, steps=900),
    "soft": replace(SOFT, steps=700),
    "hard": replace(HARD, steps=300, soft_steps=0),
}
"""What the lesson trains while it is read; "hard" starts from the live soft model (`fit(..., start_from=soft)`)."""

_LARGE = (("widths", (64, 128, 128, 128)), ("embedding_size", 256), ("hidden_size", 256), ("attention_size", 96))


def photograph_metrics(name: str, model: Captioner, data: PhotographData) -> dict[str, float]:
    """Evaluate a model that was trained on real images.

    Returns:
        `<name>/nats` on validation images. With attention, and if photographs with boxes are staged, `<name>/pointing`
        and `<name>/pointing/uniform` along all of their captions; words it does not know are unknown to it.
    """
    metrics = {f"{name}/nats": token_loss(model, data)}
    if not isinstance(model, SoftCaptioner) or not is_staged("coco_tiny_captions"):
        return metrics
    photographs = load_photographs("coco_tiny_captions", "validation")
    hits, uniform, nouns = 0.0, 0.0, 0
    for caption in range(5):
        maps = [attended.attention_weights for attended in teacher_forced_traces(model, data, photographs, caption)]
        found = pointing_game(maps, photographs, model.encoder.cell_boxes(), caption)
        hits, uniform = hits + found.hits * found.nouns, uniform + found.uniform * found.nouns
        nouns += found.nouns
    return metrics | {f"{name}/pointing": hits / nouns, f"{name}/pointing/uniform": uniform / nouns}


class CaptioningExperiment(Experiment):
    """Captions of scenes, or of real images, from a vector and with soft and hard attention.

    The checkpoints are trained longer, on scenes of two to four groups; two of them start from the soft one.
    """

    lesson = "04"
    tolerances = dict.fromkeys(("exact", "pointing", "mass", "gate"), 0.02) | {"penalty": 2.0}
    checkpoints = {
        "04-soft": Recipe("soft", _LARGE, groups=ALL, steps=12_000, learning_rate=8e-3),
        "04-penalty": Recipe("soft", (*_LARGE, ("penalty_weight", 1.0)), groups=ALL, steps=1_200, learning_rate=2e-3),
        "04-hard": Recipe("hard", _LARGE, groups=ALL, steps=2_500, learning_rate=1e-3),
    }

    def recipes(self, source: str) -> dict[str, dict[str, Recipe]]:
        """Vectors, models with attention ("looks"), and on scenes the penalty."""
        self.check_source(source)
        if source == "real":  # a few hundred stamps with short names
            vectors = {"none-flat": replace(FLAT, steps=600), "none-mean": replace(MEAN, steps=600)}
            attentive = {"soft": replace(SOFT, steps=600), "hard": replace(HARD, soft_steps=600)}
            return {"vectors": vectors, "looks": attentive}
        return {
            "vectors": {"none-mean": MEAN, "none-flat": FLAT},
            "looks": {"soft": SOFT, "hard": HARD},
            "penalty": {"penalty": PENALTY},
        }

    def measure(self, part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
        """See `named_metrics`, and `photograph_metrics` for real images."""
        metrics, soft = {}, None
        photographs = photograph_data() if source == "real" else None
        for name, recipe in self.recipes(source)[part].items():
            recipe = recipe.shortened(0.002) if fast else recipe
            data = photographs or scenes_of(recipe.groups, *((40, 20) if fast else (LIVE_SCENES,)))
            start = soft if recipe.soft_steps else None  # what its own first stage would train once more
            model, history = self.fit(recipe, data, seed, start=start, progress=not fast)
            soft = model if name == "soft" else soft
            metrics[f"{name}/seconds"] = history.seconds + (metrics["soft/seconds"] if start else 0)
            if photographs:
                metrics |= photograph_metrics(name, model, data)
            else:
                metrics |= named_metrics(name, model, data, most=20 if fast else None)
        return metrics

    def gates(self, source: str) -> dict[str, float]:
        """Captions of other images against those of pairs that never met in training, and words by their frequency."""
        data = photograph_data() if source == "real" else scenes_of(PAIRS)
        texts = [[data.vocabulary.encode(one.words()) for one in split] for split in (data.train, data.validation)]
        metrics = {"unigram/nats": unigram_nats(*texts, len(data.vocabulary))}
        if source == "real":
            return metrics
        tests, others = data.test["unseen pairs"], shuffled(data.test["unseen pairs"])
        exact = sum(not one.problems(other.words()) for one, other in zip(tests, others, strict=True))
        others = [other.references[0] for other in others]
        bleu = captioning.caption_bleu(others, [one.references for one in tests])
        return metrics | {"shuffled/exact": exact / len(tests), "shuffled/bleu": bleu}

    def live_trainings(self, count: int | None = None) -> dict[str, tuple[Recipe, SceneData]]:
        """`LIVE`; here hard attention has no soft model to start from."""
        scenes = scenes_of(PAIRS, 40 if count is None else count, 2)
        return {name: (recipe, scenes) for name, recipe in LIVE.items()}

    def checkpoint_data(self, name: str) -> SceneData:
        """Scenes to be tested on; those to train on are drawn as needed."""
        return scenes_of(self.checkpoints[name].groups)

    def start_of(self, name: str) -> str | None:
        """The soft model, for those that go on from it."""
        return None if name == "04-soft" else "04-soft"

    def fit(
        self, recipe: Recipe, data: SceneData, seed: int = 0, start: SoftCaptioner | None = None, **options: Any
    ) -> tuple[Captioner, History]:
        """Train on scenes or real images, from the weights of `start` if it is given; see `captioning.fit`."""
        return captioning.fit(recipe, data, seed, start_from=start, **options)

    def build(self, name: str, card: Mapping[str, Any]) -> Captioner:
        """Make the model for the words of its card, which must be those that captions have now."""
        check_vocabulary(name, card.get("vocabulary", ()), Vocabulary(caption_words()).words)
        return build_model(self.checkpoints[name], len(card["vocabulary"]))

    def watch(self, model: Captioner, data: SceneData) -> float:
        """Nats per word of validation captions."""
        return token_loss(model, data)

    def card_entries(self, name: str, model: Captioner, data: SceneData) -> dict[str, Any]:
        """The vocabulary, and where it started."""
        return {"vocabulary": list(data.vocabulary.words), "starts_from": self.start_of(name)}

    def checkpoint_metrics(self, name: str, model: Captioner, most: int | None = None) -> dict[str, float]:
        """See `named_metrics`, without a name in front.

        Returns:
            Also `pointing/view` and `pointing/view/uniform`, where a cell counts as lying where its filters are
            centred.
        """
        data = self.checkpoint_data(name)
        metrics = named_metrics("model", model, data, most=most)
        examples = data.test["unseen pairs"][:most]
        maps = [attended.attention_weights for attended in teacher_forced_traces(model, data, examples)]
        views = pointing_game(maps, examples, model.encoder.view_boxes())
        metrics |= {"model/pointing/view": views.hits, "model/pointing/view/uniform": views.uniform}
        return {key.removeprefix("model/"): round(value, 4) for key, value in metrics.items()}


EXPERIMENT = CaptioningExperiment()
load_trained = EXPERIMENT.load
