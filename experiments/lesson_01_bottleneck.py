"""Lesson 1: what a fixed-length vector can hold, and what reversing the source gains."""

from dataclasses import replace
from functools import partial

from course_utils.data.phrases.parallel import load_parallel
from course_utils.data.text import UNKNOWN
from experiments.claims import Claim
from experiments.translation import Recipe, fit, named_figures, score

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
REAL_SMALL_STATES = (64,)
REAL_STACKED = replace(REAL_FIXED, system="sequence-to-sequence", hidden_size=128)
"""The recipes that claims are measured with, on phrases and on real sentences."""

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
        "01.state-size-sentences",
        "arXiv:1406.1078",
        "A larger vector holds more of a real sentence",
        "BLEU, all test sentences",
        "higher",
        ("64 numbers", "fixed-64/bleu/all"),
        ("256 numbers", "fixed/bleu/all"),
        "not in the paper; our capacity curve",
        ("real",),
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
    ),
    Claim(
        "01.reversing-bleu",
        "arXiv:1409.3215",
        "Reversing the source raises BLEU",
        "BLEU, all test sentences",
        "higher",
        ("in order", "stacked-forward/bleu/all"),
        ("reversed", "stacked-reversed/bleu/all"),
        "BLEU 25.9 → 30.6",
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


def recipes(source: str) -> dict[str, dict[str, Recipe]]:
    """The recipes of every part of the measurement.

    Raises:
        ValueError: if the source is neither "default" nor "real".
    """
    if source not in ("default", "real"):
        raise ValueError(f"source is {source!r}; expected 'default' or 'real'.")
    fixed, stacked, small = (
        (FIXED, STACKED, SMALL_STATES) if source == "default" else (REAL_FIXED, REAL_STACKED, REAL_SMALL_STATES)
    )
    orders = {"stacked-forward": False, "stacked-reversed": True}
    return {
        "fixed": {"fixed": fixed},
        "sizes": {f"fixed-{size}": replace(fixed, hidden_size=size) for size in small},
        "reversing": {name: replace(stacked, options=(("reverse_source", order),)) for name, order in orders.items()},
    }


def settings(source: str, fast: bool) -> dict:
    """Everything that decides the figures, part by part."""
    return {part: {n: r.configuration() for n, r in named.items()} for part, named in recipes(source).items()}


def measure_part(part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
    """Train the models of a part and name their figures.

    Returns:
        See `named_figures`; of the fixed vector on real sentences also `bleu/known` and `bleu/unknown`, of sentences
        without and with a source word that is not in the vocabulary.

    Raises:
        RealDataError: with source "real", if the sentences cannot be had.
    """
    data, figures = load_parallel(source), {}
    share = 0.02 if source == "default" else 0.01
    for name, recipe in recipes(source)[part].items():
        model, history = fit(recipe.shortened(share) if fast else recipe, data, seed, progress=not fast)
        figures |= {f"{name}/seconds": history.seconds, **named_figures(name, model, data)}
    if source == "real" and part == "fixed":
        known = [UNKNOWN not in data.source_vocabulary.encode(example.source) for example in data.examples]
        for label, wanted in (("known", True), ("unknown", False)):
            chosen = [example for example, is_known in zip(data.examples, known, strict=True) if is_known is wanted]
            figures[f"fixed/bleu/{label}"] = score(model, data, chosen).bleu
    return figures


PARTS = {part: partial(measure_part, part) for part in ("fixed", "sizes", "reversing")}
