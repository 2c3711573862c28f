"""Lesson 2: what additive attention gains over the fixed vector, and whether it looks where it should."""

from dataclasses import replace

import torch

from course_utils.checkpoints import CheckpointError, load_card, load_checkpoint, round_to_half, save_checkpoint
from course_utils.data.phrases.parallel import ParallelData, load_parallel, phrase_data
from course_utils.models.translation import TranslationModel
from experiments import lesson_01_bottleneck as lesson_01
from experiments.claims import Claim
from experiments.translation import (
    Recipe,
    build_model,
    fit,
    named_figures,
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
REAL_ATTENTION = replace(lesson_01.REAL_FIXED, system="rnn-search")

CLAIMS = [
    Claim(
        "02.beats-fixed",
        "arXiv:1409.0473",
        "Attention translates better than a fixed vector",
        "BLEU, all test sentences",
        "higher",
        ("fixed vector", "fixed/bleu/all"),
        ("attention", "attention/bleu/all"),
        "RNNencdec-50 17.82, RNNsearch-50 26.75",
    ),
    Claim(
        "02.flat-with-length",
        "arXiv:1409.0473",
        "With attention, quality stays flat as sentences grow",
        "BLEU of the longest bucket over the shortest",
        "higher",
        ("fixed vector", "fixed/bleu/ratio"),
        ("attention", "attention/bleu/ratio"),
        "curves only (their figure 2)",
    ),
    Claim(
        "02.aligns",
        "arXiv:1409.0473",
        "The weights align source and target words",
        "alignment error rate",
        "lower",
        ("diagonal guess", "diagonal/aer"),
        ("attention", "attention/aer"),
        "pictures only (their figure 3)",
        ("default",),
    ),
    Claim(
        "02.beam",
        "arXiv:1409.0473",
        "Beam search finds better translations than greedy search",
        "BLEU, all test sentences",
        "higher",
        ("greedy", "attention/bleu/all"),
        ("beam of 5", "attention-beam/bleu/all"),
        "only beam search reported",
    ),
]


def settings(source: str, fast: bool) -> dict:
    """Everything that decides the figures; part of the name under which finished seeds are kept."""
    recipes = [lesson_01.FIXED, ATTENTION] if source == "default" else [lesson_01.REAL_FIXED, REAL_ATTENTION]
    return {"recipes": [recipe.configuration() for recipe in recipes]}


def measure(source: str, seed: int, fast: bool) -> dict[str, float]:
    """Train and score the fixed vector and attention with one seed."""
    data = load_parallel(source)
    fixed, attention = (lesson_01.FIXED, ATTENTION) if source == "default" else (lesson_01.REAL_FIXED, REAL_ATTENTION)
    figures: dict[str, float] = {}
    for name, recipe in (("fixed", fixed), ("attention", attention)):
        model, history = fit(recipe.shortened(0.02) if fast else recipe, data, seed, progress=not fast)
        figures |= {f"{name}/seconds": history.seconds, **named_figures(name, model, data)}
    figures["attention-beam/bleu/all"] = score(model, data, data.examples, beam_size=5).bleu
    if source == "default":
        alignment = score_alignment(model, data, data.examples)
        figures |= {
            "attention/aer": alignment.error_rate,
            "diagonal/aer": alignment.diagonal_error_rate,
            "attention/mass": alignment.mass_on_gold,
        }
    return figures


LONG_TRAINING = {
    "02-additive-attention": replace(
        ATTENTION, hidden_size=128, options=(("attention_size", 64),), dropout=0.2, steps=6000, learning_rate=3e-3
    ),
    "02-fixed-vector": replace(lesson_01.FIXED, hidden_size=256, steps=4000, learning_rate=2e-3, maximum_tokens=800),
}
LONG_TRAINING_DATA = {"train_count": 100_000, "test_count": 100, "short_share": 0.7}


def train_checkpoint(name: str) -> None:
    """Train one of `LONG_TRAINING` with seed 0 and store it with its card."""
    recipe, data = LONG_TRAINING[name], phrase_data(**LONG_TRAINING_DATA)
    watched = [example for bucket in data.test.values() for example in bucket[:20]]

    def watch(model: TranslationModel) -> float:
        loss = token_loss(model, data.validation[:500])
        aligned = f", AER {score_alignment(model, data, watched).error_rate:.3f}" if "search" in recipe.system else ""
        print(f"\nvalidation {loss:.4f} nats per word{aligned}", flush=True)
        return loss

    model, history = fit(recipe, data, seed=0, validate=watch, validate_every=500)
    round_to_half(model)
    save_checkpoint(
        name,
        model,
        {
            "command": f"python -m experiments checkpoint 02 {name}",
            "seed": 0,
            "recipe": recipe.configuration(),
            "data": {"source": "default", **LONG_TRAINING_DATA},
            "seconds": round(history.seconds),
            "validations": [(step, round(value, 4)) for step, value in history.validations],
            "threads": torch.get_num_threads(),
            "metrics": checkpoint_metrics(model, data),
            "source_words": list(data.source_vocabulary.words[4:]),
            "target_words": list(data.target_vocabulary.words[4:]),
        },
    )


CHECKPOINTS = dict.fromkeys(LONG_TRAINING, train_checkpoint)


def checkpoint_metrics(model: TranslationModel, data: ParallelData) -> dict[str, float]:
    """The figures on a checkpoint's card."""
    metrics = {}
    for (low, high), result in score_by_length(model, data).items():
        metrics |= {f"bleu/{low}-{high}": result.bleu, f"exact/{low}-{high}": result.exact}
    if getattr(model.decoder, "attention", None) is not None:
        alignment = score_alignment(model, data, data.examples)
        metrics |= {"aer": alignment.error_rate, "mass_on_gold": alignment.mass_on_gold}
    return {key: round(value, 4) for key, value in metrics.items()}


def load_trained(name: str, data: ParallelData) -> tuple[TranslationModel, dict]:
    """Load a checkpoint for a corpus whose vocabulary is the checkpoint's.

    Raises:
        CheckpointError: see `load_checkpoint`; also if the vocabularies differ.
    """
    card = load_card(name)
    if (card["source_words"], card["target_words"]) != (
        list(data.source_vocabulary.words[4:]),
        list(data.target_vocabulary.words[4:]),
    ):
        raise CheckpointError(
            f"{name} was trained on other words than this corpus has (phrases change with the versions of Babel and "
            f"num2words, or SOURCE is not 'default'); train it again with: {card['command']}"
        )
    return load_checkpoint(name, lambda card: build_model(recipe_of(card), data))


def recipe_of(card: dict) -> Recipe:
    """The recipe that a card records."""
    recorded = card["recipe"]
    options, curriculum = tuple(recorded["options"].items()), tuple(recorded["curriculum"])
    return Recipe(**{**recorded, "options": options, "curriculum": curriculum})
