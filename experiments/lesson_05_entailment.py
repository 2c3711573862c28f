"""Lesson 5: what each rung of the ladder gains, what a second fact and more clauses do, and where words look."""

from dataclasses import replace
from functools import partial

from course_utils.checkpoints import check_vocabulary, load_checkpoint, round_to_half, save_checkpoint
from course_utils.data.inference.data import InferenceData, snli_data
from course_utils.data.inference.difficulty import EASY, WIDE, Difficulty
from course_utils.data.inference.wording import words_of
from course_utils.data.text import Vocabulary
from course_utils.models.entailment import SYSTEMS, EntailmentModel
from experiments.claims import Claim
from experiments.entailment import (
    Recipe,
    accuracy_by,
    fit,
    judge,
    mean_loss,
    named_figures,
    pairs_of,
)
from experiments.entailment_baselines import BASELINES, baseline_accuracies
from experiments.recipes import long_run, training_card

WORLD = EASY
"""The pairs that claims, live models and checkpoints are trained and tested on."""

LADDER = {system: Recipe(system, steps=5_000, learning_rate=3e-3, rename=True) for system in SYSTEMS}
"""The recipes that claims are measured with: all rungs have the same sizes and see the same pairs equally often."""
LIVE = {
    "independent": replace(LADDER["independent"], steps=1_500),
    "conditional": replace(LADDER["conditional"], steps=1_500),
    "attention": replace(LADDER["attention"], steps=2_000),
    "word-by-word": replace(LADDER["word-by-word"], steps=1_100, learning_rate=4e-3, batch_size=128),
}
"""What the lesson trains while it is read, each in less than a minute."""
SAMPLE = {
    system: replace(recipe, options=(("dropout", 0.3),), steps=600, rename=False) for system, recipe in LADDER.items()
}
"""For a few thousand pairs of SNLI, which more steps would only be learned by heart."""

_PAPER = "arXiv:1509.06664"
_ACCURACY = "accuracy in %"
_LONGER = "accuracy in %, premises of more clauses than any in training"


def _rung(name: str, claim: str, below: str, above: str, figures: str) -> Claim:
    keys = (below, f"{below}/accuracy/test"), (above, f"{above}/accuracy/test")
    return Claim(f"05.{name}", _PAPER, claim, _ACCURACY, "higher", *keys, figures, sources=("default", "real"))


def _made(name: str, claim: str, metric: str, baseline: tuple, ours: tuple, figures: str) -> Claim:
    return Claim(f"05.{name}", _PAPER, claim, metric, "higher", baseline, ours, figures, sources=("default",))


CLAIMS = [
    _rung(
        "conditional-beats-independent",
        "Reading the hypothesis from where the premise ended beats comparing two vectors",
        "independent",
        "conditional",
        "one-vector LSTM 77.6, conditional 80.9",
    ),
    _rung("attention-beats-conditional", "A look at the premise helps", "conditional", "attention", "80.9 and 82.3"),
    _rung(
        "words-beat-last",
        "A look from every word beats one from the last word",
        "attention",
        "word-by-word",
        "82.3 and 83.5",
    ),
    _rung("two-way-attention", "Attention in both directions helps", "attention", "two-way-attention", "82.3 and 82.4"),
    _rung(
        "two-way-words",
        "Word-by-word attention in both directions helps",
        "word-by-word",
        "two-way-word-by-word",
        "83.5 and 83.2: it does not",
    ),
    _made(
        "two-facts",
        "Where the hypothesis states two facts, a look from every word beats one from the last word",
        "accuracy in %, hypotheses of two facts",
        ("attention", "attention/accuracy/2 facts"),
        ("word-by-word", "word-by-word/accuracy/2 facts"),
        "not measured",
    ),
    _made(
        "gap-grows",
        "What word-by-word attention gains over conditional encoding grows with the number of clauses",
        "gain in accuracy in points",
        ("fewest clauses", "gain/fewest"),
        ("most clauses", "gain/most"),
        "not measured",
    ),
    Claim(
        "05.gap-grows-with-length",
        _PAPER,
        "What word-by-word attention gains over conditional encoding grows with the length of the premise",
        "gain in accuracy in points, premises shorter and longer than the median",
        "higher",
        ("shorter premises", "gain/shorter"),
        ("longer premises", "gain/longer"),
        "not measured",
        sources=("real",),
    ),
    _made(
        "more-clauses",
        "Word-by-word attention bears more clauses than it was trained on better than one look does",
        _LONGER,
        ("attention", "attention/accuracy/more clauses"),
        ("word-by-word", "word-by-word/accuracy/more clauses"),
        "not measured",
    ),
    _made(
        "aligns-words",
        "Hypothesis words look at the premise words that they rest on more often than chance",
        "aligned hypothesis words whose largest weight is on a gold word, %",
        ("chance", "word-by-word/alignment/chance"),
        ("word-by-word", "word-by-word/alignment"),
        "pictures only",
    ),
    _made(
        "aligns-better-than-match",
        "Hypothesis words find their premise words more often than by looking for the same spelling",
        "aligned hypothesis words whose largest weight is on a gold word, %",
        ("same spelling", "word-by-word/alignment/match"),
        ("word-by-word", "word-by-word/alignment"),
        "not measured",
    ),
    _made(
        "aligns-clauses",
        "Hypothesis words look at the clause that they rest on more often than chance",
        "aligned hypothesis words whose largest weight is in a gold clause, %",
        ("chance", "word-by-word/clauses/chance"),
        ("word-by-word", "word-by-word/clauses"),
        "pictures only",
    ),
]

_COMPARED = ("word-by-word", "conditional")  # the first one's gain over the second
_PARTS = {"ladder": list(SYSTEMS)[:4], "two-way": list(SYSTEMS)[4:]}


def recipes(source: str) -> dict[str, dict[str, Recipe]]:
    """The recipes of every part of the measurement.

    Raises:
        ValueError: if the source is neither "default" nor "real".
    """
    if source not in ("default", "real"):
        raise ValueError(f"source is {source!r}; expected 'default' or 'real'.")
    chosen = LADDER if source == "default" else SAMPLE
    return {part: {name: chosen[name] for name in names} for part, names in _PARTS.items()}


def settings(source: str, fast: bool) -> dict:
    """Everything that decides the figures, part by part."""
    parts = {part: {n: r.configuration() for n, r in named.items()} for part, named in recipes(source).items()}
    for part in parts.values():
        part["world"] = repr(WORLD) if source == "default" else "SNLI"
    return parts


def data_of(source: str, fast: bool = False) -> InferenceData:
    """The pairs of a source: made ones, or SNLI from the hub or a staged folder."""
    return pairs_of(WORLD, *((200, 60) if fast else ())) if source == "default" else snli_data()


def measure_part(part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
    """Train the models of a part and name their figures.

    Returns:
        See `named_figures`. The part "ladder" also has the baselines' `accuracy/test`, and what word-by-word attention
        gains over conditional encoding: `gain/fewest` and `gain/most`, at the fewest and the most clauses, or of SNLI
        `gain/shorter` and `gain/longer`, for premises shorter and longer than the median.

    Raises:
        RealDataError: with source "real", if SNLI cannot be had.
    """
    data = data_of(source, fast)
    figures = {}
    for name, recipe in recipes(source)[part].items():
        model, history = fit(recipe.shortened(0.001) if fast else recipe, data, seed, progress=not fast)
        figures[f"{name}/seconds"] = history.seconds
        figures |= named_figures(name, model, data)
    if part == "ladder":
        for name in BASELINES:
            figures[f"{name}/accuracy/test"] = 100 * baseline_accuracies(name, data)["test"]
    if part == "ladder":
        figures |= _gains(figures, data)
    return figures


def _gains(figures: dict[str, float], data: InferenceData) -> dict[str, float]:
    """What word-by-word attention gains over conditional encoding in the easiest and the hardest groups, points."""
    groups = {"shorter": "shorter premises", "longer": "longer premises"}
    if data.difficulty is not None:
        fewest, most = data.difficulty.clauses
        groups = {"fewest": f"{fewest} clauses", "most": f"{most} clauses"}
    ours, baseline = (f"{name}/accuracy" for name in _COMPARED)
    return {
        f"gain/{label}": figures[f"{ours}/{group}"] - figures[f"{baseline}/{group}"] for label, group in groups.items()
    }


PARTS = {part: partial(measure_part, part) for part in _PARTS}

LONG_TRAINING = {
    **{
        f"05-{system}": Recipe(system, steps=10_000, learning_rate=3e-3, rename=True)
        for system in ("conditional", "attention", "word-by-word")
    },
    "05-wide": Recipe("word-by-word", steps=30_000, learning_rate=2e-3, rename=True),
}
"""The checkpoints: trained longer, on more pairs, with seed 0. "05-wide" meets every phenomenon, and begins with the
weights of "05-word-by-word": from fresh ones its looks do not form, and it learns its training pairs by heart."""
LONG_PAIRS = {name: 150_000 if name == "05-wide" else 40_000 for name in LONG_TRAINING}
"""Training pairs of the checkpoints."""
WIDE_TESTS = 2_000
"""Pairs of each test of the wider world, whose phenomena share them."""
FEWEST = 100
"""Pairs that a share of them needs to stand on a card."""


def world_of(name: str) -> Difficulty:
    """The world that a checkpoint is trained and tested on: `WIDE` for "05-wide", `WORLD` for the others."""
    return WIDE if name == "05-wide" else WORLD


def train_checkpoint(name: str) -> None:
    """Train one of `LONG_TRAINING` and store it with its card."""
    recipe, world = LONG_TRAINING[name], world_of(name)
    data = pairs_of(world, LONG_PAIRS[name])
    model, history = fit(
        recipe,
        data,
        start=load_trained("05-word-by-word")[0] if world is WIDE else None,
        **long_run(name, recipe, lambda model: mean_loss(model, data, data.validation), "nats per pair"),
    )
    round_to_half(model)
    made_from = {"source": "default", "credit": data.credit, "world": repr(world), "pairs": LONG_PAIRS[name]}
    metrics, words = checkpoint_metrics(name, model), list(data.vocabulary.words)
    save_checkpoint(name, model, training_card(name, recipe, history, made_from, metrics, vocabulary=words))


CHECKPOINTS = dict.fromkeys(LONG_TRAINING, train_checkpoint)


def checkpoint_metrics(name: str, model: EntailmentModel, most: int | None = None) -> dict[str, float]:
    """The figures on a checkpoint's card, without its name in front; see `named_figures`.

    Of "05-wide" also `phenomenon/<name>`, the accuracy in % on the test pairs that turn on it if these are at least
    `FEWEST`, and as `baseline/<name>` the accuracy of what reads the hypothesis alone, or both as a bag of words.

    Args:
        name: a key of `LONG_TRAINING`.
        model: its model.
        most: pairs of each test; None = all.
    """
    wide = name == "05-wide"
    data = pairs_of(WIDE, test_count=WIDE_TESTS) if wide else pairs_of(WORLD)
    figures = named_figures("model", model, data, most=most)
    if wide:
        pairs = data.test["test"][:most]
        groups = accuracy_by(judge(model, data, pairs), pairs, lambda pair: pair.phenomena)
        figures |= {f"phenomenon/{group}": 100 * share for group, (share, count) in groups.items() if count >= FEWEST}
        figures |= {f"baseline/{way}": 100 * baseline_accuracies(way, data)["test"] for way in BASELINES}
    return {key.removeprefix("model/"): round(value, 4) for key, value in figures.items()}


def load_trained(name: str) -> tuple[EntailmentModel, dict]:
    """Load a checkpoint and its card.

    Raises:
        CheckpointError: see `load_checkpoint`; also if its words are not those that pairs have now.
    """

    def build(card: dict) -> EntailmentModel:
        check_vocabulary(name, card.get("vocabulary", ()), Vocabulary(words_of(world_of(name).kinds)).words)
        recipe = LONG_TRAINING[name]
        return EntailmentModel(recipe.system, len(card["vocabulary"]), **dict(recipe.options))

    return load_checkpoint(name, build)
