"""Lesson 4: what looking at parts of a picture gains over a vector, where models look, and what the penalty does."""

from dataclasses import replace
from functools import partial

from course_utils.checkpoints import check_vocabulary, load_checkpoint, round_to_bytes, save_checkpoint
from course_utils.data.real import is_staged
from course_utils.data.scenes.captions import caption_words
from course_utils.data.scenes.photographs import PhotographData, load_photographs, photograph_data
from course_utils.data.text import Vocabulary
from course_utils.models.captioning import Captioner, SoftCaptioner
from experiments.captioning import (
    Recipe,
    build_model,
    fit,
    look_along,
    named_figures,
    pointing_game,
    scenes_of,
    token_loss,
)
from experiments.claims import Claim
from experiments.recipes import long_run, training_card

PAIRS = (2, 2)
"""Groups of the scenes that claims and live models are trained and tested on."""
ALL = (2, 4)
"""Groups of the scenes of the checkpoints."""

LIVE_SCENES = 10_000
"""Training scenes of live models and of claims, drawn once and kept: no time of a training goes into drawing."""

_SIZES = (("widths", (48, 96, 96, 128)), ("embedding_size", 256))
MEAN = Recipe("none-mean", PAIRS, _SIZES, steps=1_300, learning_rate=6e-3, fresh=False)
FLAT = replace(MEAN, system="none-flat")
SOFT = Recipe("soft", PAIRS, _SIZES, steps=1_000, learning_rate=1.6e-2, fresh=False)
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

_PAPER = "arXiv:1502.03044"
_FLICKR = "Flickr8k: Google NIC, another system, none for BLEU-4 (27 for BLEU-3)"


def _claim(
    name: str, claim: str, metric: str, direction: str, baseline: tuple, ours: tuple, figures: str, *sources: str
) -> Claim:
    sources = sources or ("default",)
    return Claim(f"04.{name}", _PAPER, claim, metric, direction, baseline, ours, figures, sources=sources)


_BLEU = "BLEU-4, pictures of pairs that never met in training"
_EXACT = "share of true and complete captions, pairs that never met in training"
_POINTING = "share of nouns whose map peaks inside the gold box, pairs that never met in training"
_NATS = "nats per word of captions, pictures not trained on"

CLAIMS = [
    _claim(
        "soft-beats-mean",
        "Soft attention beats the mean of the cells",
        _BLEU,
        "higher",
        ("mean vector", "none-mean/bleu/unseen"),
        ("soft", "soft/bleu/unseen"),
        f"{_FLICKR}, soft 19.5",
    ),
    _claim(
        "soft-beats-flat",
        "Soft attention beats a vector that knows what was where",
        _BLEU,
        "higher",
        ("flattened vector", "none-flat/bleu/unseen"),
        ("soft", "soft/bleu/unseen"),
        "no such comparison",
    ),
    _claim(
        "soft-fewer-nats",
        "Soft attention foresees the words of captions better than a vector that knows what was where",
        _NATS,
        "lower",
        ("flattened vector", "none-flat/nats"),
        ("soft", "soft/nats"),
        "not measured",
        "default",
        "real",
    ),
    _claim(
        "hard-fewer-nats",
        "Hard attention foresees the words of captions better than a vector that knows what was where",
        _NATS,
        "lower",
        ("flattened vector", "none-flat/nats"),
        ("hard", "hard/nats"),
        "not measured",
        "default",
        "real",
    ),
    _claim(
        "soft-more-exact",
        "Soft attention describes more pictures without a mistake than a vector that knows what was where",
        _EXACT,
        "higher",
        ("flattened vector", "none-flat/exact/unseen"),
        ("soft", "soft/exact/unseen"),
        "not measured",
    ),
    _claim(
        "hard-beats-flat",
        "Hard attention beats a vector that knows what was where",
        _BLEU,
        "higher",
        ("flattened vector", "none-flat/bleu/unseen"),
        ("hard", "hard/bleu/unseen"),
        f"{_FLICKR}, hard 21.3",
    ),
    _claim(
        "hard-more-exact",
        "Hard attention describes more pictures without a mistake than a vector that knows what was where",
        _EXACT,
        "higher",
        ("flattened vector", "none-flat/exact/unseen"),
        ("hard", "hard/exact/unseen"),
        "not measured",
    ),
    _claim(
        "hard-beats-soft",
        "Hard attention beats soft attention",
        _BLEU,
        "higher",
        ("soft", "soft/bleu/unseen"),
        ("hard", "hard/bleu/unseen"),
        "Flickr8k: soft 19.5, hard 21.3; COCO: 24.3 and 25.0",
    ),
    _claim(
        "points-above-chance",
        "At the word for an object, soft attention looks at the object more often than a point drawn evenly",
        _POINTING,
        "higher",
        ("share of the area", "soft/pointing/chance"),
        ("soft", "soft/pointing"),
        "pictures only",
    ),
    _claim(
        "points-above-uniform",
        "At the word for an object, soft attention looks at the object more often than a map that is even",
        _POINTING,
        "higher",
        ("even map", "soft/pointing/uniform"),
        ("soft", "soft/pointing"),
        "pictures only",
    ),
    _claim(
        "points-on-photographs",
        "At words for things in photographs, soft attention looks into their boxes more often than a map that is even",
        "share of named words whose map peaks inside a gold box, photographs; trained on stamps",
        "higher",
        ("even map", "soft/pointing/uniform"),
        ("soft", "soft/pointing"),
        "pictures only",
        "real",
    ),
    _claim(
        "hard-points-on-photographs",
        "At words for things in photographs, hard attention looks into their boxes more often than a map that is even",
        "share of named words whose map peaks inside a gold box, photographs; trained on stamps",
        "higher",
        ("even map", "hard/pointing/uniform"),
        ("hard", "hard/pointing"),
        "pictures only",
        "real",
    ),
    _claim(
        "hard-points",
        "At the word for an object, hard attention looks at the object more often than a map that is even",
        _POINTING,
        "higher",
        ("even map", "hard/pointing/uniform"),
        ("hard", "hard/pointing"),
        "pictures only",
    ),
    _claim(
        "penalty-covers",
        "The doubly stochastic penalty spreads the looks of a caption over the picture",
        "Σ_i (1 − Σ_t α_ti)² of a caption",
        "lower",
        ("λ = 0", "soft/penalty"),
        ("λ = 1", "penalty/penalty"),
        "stated, not measured",
    ),
    _claim(
        "penalty-raises-bleu",
        "The doubly stochastic penalty raises BLEU",
        _BLEU,
        "higher",
        ("λ = 0", "soft/bleu/unseen"),
        ("λ = 1", "penalty/bleu/unseen"),
        "stated, not measured",
    ),
    _claim(
        "gate-opens-at-objects",
        "The gate lets more of the picture through at words for objects than at function words",
        "mean gate, 0 to 1",
        "higher",
        ("function words", "soft/gate/function"),
        ("nouns", "soft/gate/nouns"),
        "stated, not measured",
    ),
]


def recipes(source: str) -> dict[str, dict[str, Recipe]]:
    """The recipes of every part of the measurement.

    Raises:
        ValueError: if the source is neither "default" nor "real".
    """
    if source == "real":  # a few hundred stamps with short names
        vectors = {"none-flat": replace(FLAT, steps=600), "none-mean": replace(MEAN, steps=600)}
        return {"vectors": vectors, "looks": {"soft": replace(SOFT, steps=600), "hard": replace(HARD, soft_steps=600)}}
    if source != "default":
        raise ValueError(f"source is {source!r}; expected 'default' or 'real'.")
    return {
        "vectors": {"none-mean": MEAN, "none-flat": FLAT},
        "looks": {"soft": SOFT, "hard": HARD},
        "penalty": {"penalty": PENALTY},
    }


def settings(source: str, fast: bool) -> dict:
    """Everything that decides the figures, part by part."""
    return {part: {n: r.configuration() for n, r in named.items()} for part, named in recipes(source).items()}


def measure_part(part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
    """Train the models of a part and name their figures.

    Raises:
        RealDataError: with source "real", if neither stamps nor Flickr8k can be had.
    """
    figures, soft = {}, None
    photographs = photograph_data() if source == "real" else None
    for name, recipe in recipes(source)[part].items():
        recipe = recipe.shortened(0.002) if fast else recipe
        data = photographs or scenes_of(recipe.groups, *((40, 20) if fast else (LIVE_SCENES,)))
        start_from = soft if recipe.soft_steps else None  # what its own first stage would train once more
        model, history = fit(recipe, data, seed, start_from=start_from, progress=not fast)
        soft = model if name == "soft" else soft
        figures[f"{name}/seconds"] = history.seconds + (figures["soft/seconds"] if start_from else 0)
        if source == "real":
            figures |= photograph_figures(name, model, data)
        else:
            figures |= named_figures(name, model, data, most=20 if fast else None)
    return figures


def photograph_figures(name: str, model: Captioner, data: PhotographData) -> dict[str, float]:
    """Score a model that was trained on real images.

    Returns:
        `<name>/nats` on validation images. With attention, and if photographs with boxes are staged, `<name>/pointing`
        and `<name>/pointing/uniform` along all of their captions; words it does not know are unknown to it.
    """
    figures = {f"{name}/nats": token_loss(model, data)}
    if not isinstance(model, SoftCaptioner) or not is_staged("coco_tiny_captions"):
        return figures
    photographs = load_photographs("coco_tiny_captions", "validation")
    hits, uniform, nouns = 0.0, 0.0, 0
    for caption in range(5):
        looks = look_along(model, data, photographs, caption)
        maps = [look.attention_weights for look in looks]
        marks = pointing_game(maps, photographs, model.encoder.cell_boxes(), caption)
        hits, uniform = hits + marks.hits * marks.nouns, uniform + marks.uniform * marks.nouns
        nouns += marks.nouns
    return figures | {f"{name}/pointing": hits / nouns, f"{name}/pointing/uniform": uniform / nouns}


PARTS = {part: partial(measure_part, part) for part in ("vectors", "looks", "penalty")}

_LARGE = (("widths", (64, 128, 128, 128)), ("embedding_size", 256), ("hidden_size", 256))
_LOOKING = (*_LARGE, ("attention_size", 96))
LONG_TRAINING = {
    "04-soft": Recipe("soft", ALL, _LOOKING, steps=12_000, learning_rate=8e-3),
    "04-penalty": Recipe("soft", ALL, (*_LOOKING, ("penalty_weight", 1.0)), steps=1_200, learning_rate=2e-3),
    "04-hard": Recipe("hard", ALL, _LOOKING, steps=2_500, learning_rate=1e-3),
}
"""The checkpoints: trained longer, on scenes of two to four groups, with seed 0."""
STARTS = dict.fromkeys(("04-penalty", "04-hard"), "04-soft")
"""Checkpoints that start from another one, which has to be trained before."""


def train_checkpoint(name: str) -> None:
    """Train one of `LONG_TRAINING` and store it with its card.

    Raises:
        CheckpointError: if it starts from a checkpoint that is not there.
    """
    recipe = LONG_TRAINING[name]
    data = scenes_of(recipe.groups)
    start_from = load_trained(STARTS[name])[0] if name in STARTS else None
    model, history = fit(
        recipe,
        data,
        start_from=start_from,
        **long_run(name, recipe, lambda model: token_loss(model, data), "nats per word"),
    )
    round_to_bytes(model)
    made_from = {"source": "default", "credit": data.credit}
    more = {"vocabulary": list(data.vocabulary.words), "starts_from": STARTS.get(name)}
    card = training_card(name, recipe, history, made_from, checkpoint_metrics(name, model), **more)
    save_checkpoint(name, model, card, in_bytes=True)


CHECKPOINTS = dict.fromkeys(LONG_TRAINING, train_checkpoint)


def checkpoint_metrics(name: str, model: Captioner, most: int | None = None) -> dict[str, float]:
    """The figures on a checkpoint's card, without its name in front; see `named_figures`.

    Args:
        name: a key of `LONG_TRAINING`.
        model: its model.
        most: examples of each test; None = all.

    Returns:
        Also `pointing/view` and `pointing/view/uniform`, where a cell counts as lying where its filters are centred.
    """
    data = scenes_of(LONG_TRAINING[name].groups)
    figures = named_figures("model", model, data, most=most)
    examples = data.test["unseen pairs"][:most]
    maps = [look.attention_weights for look in look_along(model, data, examples)]
    marks = pointing_game(maps, examples, model.encoder.view_boxes())
    figures |= {"model/pointing/view": marks.hits, "model/pointing/view/uniform": marks.uniform}
    return {key.removeprefix("model/"): round(value, 4) for key, value in figures.items()}


def load_trained(name: str) -> tuple[Captioner, dict]:
    """Load a checkpoint and its card.

    Raises:
        CheckpointError: see `load_checkpoint`; also if its words are not those that captions have now.
    """

    def build(card: dict) -> Captioner:
        check_vocabulary(name, card.get("vocabulary", ()), Vocabulary(caption_words()).words)
        return build_model(LONG_TRAINING[name], len(card["vocabulary"]))

    return load_checkpoint(name, build)
