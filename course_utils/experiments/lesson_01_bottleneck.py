"""Lesson 1: what a fixed-length vector can hold, and what reversing the source gains."""

from dataclasses import replace

from course_utils.datasets.parallel import load_parallel
from course_utils.datasets.text import UNKNOWN
from course_utils.experiments.claims import Claim
from course_utils.experiments.translation import Recipe, fit, named_figures, score

SMALL_STATES = (32, 64)
FIXED = Recipe("rnn-encoder-decoder", hidden_size=128, steps=800, learning_rate=7e-3, curriculum=(8, 16, 30))
STACKED = Recipe("sequence-to-sequence", hidden_size=128, steps=600, curriculum=(8, 16, 30))
REAL_FIXED = Recipe(
    "rnn-encoder-decoder",
    embedding_size=128,
    hidden_size=256,
    dropout=0.3,
    steps=1500,
    learning_rate=2.5e-3,
    label_smoothing=0.1,
    batch_size=80,
    maximum_tokens=None,
)

CLAIMS = [
    Claim(
        "01.falls-with-length",
        "arXiv:1409.1259",
        "Quality of a fixed-length vector falls with sentence length",
        "BLEU",
        "lower",
        ("shortest bucket", "fixed/bleu/shortest"),
        ("longest bucket", "fixed/bleu/longest"),
        "curves only (their figure 4)",
    ),
    Claim(
        "01.state-size",
        "arXiv:1406.1078",
        "A larger vector holds more",
        "BLEU, 9–16 source words",
        "higher",
        ("32 numbers", "fixed-32/bleu/9-16"),
        ("128 numbers", "fixed/bleu/9-16"),
        "not in the paper; our capacity curve",
        ("default",),
    ),
    Claim(
        "01.reversing-perplexity",
        "arXiv:1409.3215",
        "Reversing the source lowers perplexity",
        "nats per target word, validation",
        "lower",
        ("in order", "stacked-forward/nats"),
        ("reversed", "stacked-reversed/nats"),
        "perplexity 5.8 → 4.7",
        ("default",),
    ),
    Claim(
        "01.reversing-bleu",
        "arXiv:1409.3215",
        "Reversing the source raises BLEU",
        "BLEU, 2–60 source words",
        "higher",
        ("in order", "stacked-forward/bleu/all"),
        ("reversed", "stacked-reversed/bleu/all"),
        "BLEU 25.9 → 30.6",
        ("default",),
    ),
    Claim(
        "01.unknown-words",
        "arXiv:1409.1259",
        "Quality falls with unknown words",
        "BLEU, sentences with against without an unknown source word",
        "lower",
        ("no unknown word", "fixed/bleu/known"),
        ("some", "fixed/bleu/unknown"),
        "curves only (their figure 4)",
        ("real",),
    ),
]

CHECKPOINTS: dict = {}


def settings(source: str, fast: bool) -> dict:
    """Everything that decides the figures; part of the name under which finished seeds are kept."""
    recipes = [FIXED, STACKED] if source == "default" else [REAL_FIXED]
    return {"recipes": [recipe.configuration() for recipe in recipes], "small_states": SMALL_STATES}


def measure(source: str, seed: int, fast: bool) -> dict[str, float]:
    """Train and score every system of the lesson with one seed."""
    return measure_default(seed, fast) if source == "default" else measure_real(seed, fast)


def measure_default(seed: int, fast: bool) -> dict[str, float]:
    """State sizes and reading order, on phrases."""
    data = load_parallel("default")
    recipes = {"fixed": FIXED}
    recipes |= {f"fixed-{size}": replace(FIXED, hidden_size=size) for size in SMALL_STATES}
    recipes |= {
        "stacked-forward": replace(STACKED, options=(("reverse_source", False),)),
        "stacked-reversed": replace(STACKED, options=(("reverse_source", True),)),
    }
    figures: dict[str, float] = {}
    for name, recipe in recipes.items():
        model, history = fit(recipe.shortened(0.02) if fast else recipe, data, seed, progress=not fast)
        figures |= {f"{name}/seconds": history.seconds, **named_figures(name, model, data)}
    return figures


def measure_real(seed: int, fast: bool) -> dict[str, float]:
    """The fixed vector on real sentences, with and without unknown words."""
    data = load_parallel("real")
    model, history = fit(REAL_FIXED.shortened(0.01) if fast else REAL_FIXED, data, seed, progress=not fast)
    figures = {"fixed/seconds": history.seconds, **named_figures("fixed", model, data)}
    known = [UNKNOWN not in data.source_vocabulary.encode(example.source) for example in data.examples]
    for label, wanted in (("known", True), ("unknown", False)):
        chosen = [example for example, is_known in zip(data.examples, known, strict=True) if is_known is wanted]
        figures[f"fixed/bleu/{label}"] = score(model, data, chosen).bleu
    return figures
