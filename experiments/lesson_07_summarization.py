"""Lesson 7: what each way of reading the source gains, whether anybody beats the lead, and what features of it add."""

from dataclasses import replace
from functools import partial

from course_utils.checkpoints import check_vocabulary, load_card, load_checkpoint, round_to_bytes, save_checkpoint
from course_utils.data.reports.data import SummaryData
from course_utils.data.reports.docstrings import NoDocstringsError
from course_utils.data.reports.wording import report_words
from course_utils.data.text import SPECIAL_WORDS, Vocabulary
from course_utils.models.extractive import ExtractiveSummarizer, ExtractiveWeights
from course_utils.models.summarizer import Summarizer
from experiments.claims import Claim
from experiments.recipes import long_run, training_card
from experiments.summarization import (
    Recipe,
    baselines_of,
    build,
    figures_of_headlines,
    fit,
    named_figures,
    texts_of,
    tune_extractive,
    word_loss,
)

SOURCES = ("default", "docstrings", "real")
LADDER = ("abs-none", "abs-bag", "abs-convolution", "abs-attention")
"""Ways of reading the source, from the bottom up."""
TUNED = {"abs-attention": "abs+", "ras-copy": "ras-copy+"}
"""Systems that extractive features are added to, and what they are then called."""
_PARTS = {"ladder": LADDER, "recurrent": ("ras-elman", "ras-additive"), "copy": ("ras-copy",)}

_SMALL = {"abs": (("embedding_size", 64), ("hidden_size", 96)), "ras": (("embedding_size", 64), ("hidden_size", 96))}
_REAL = {
    "abs": (("embedding_size", 64), ("hidden_size", 128), ("dropout", 0.2)),
    "ras": (("embedding_size", 96), ("hidden_size", 128), ("dropout", 0.2)),
}


_RATES = {"abs-none": 6e-3, "abs-bag": 1.5e-2, "abs-convolution": 4e-3, "abs-attention": 1e-2}
"""By short trials on validation reports: each reader learns at a rate that suits it, as the ladder compares readers."""


def _recipe(system: str, options: dict, **settings) -> Recipe:
    return Recipe(system, options[system[:3]], **settings)


SYSTEMS = [system for part in _PARTS.values() for system in part]
RECIPES = {
    "default": {
        **{system: _recipe(system, _SMALL, steps=9_000, learning_rate=rate) for system, rate in _RATES.items()},
        **{
            system: _recipe(system, _SMALL, steps=6_000, learning_rate=4e-3)
            for system in SYSTEMS
            if system not in LADDER
        },
    },
    "docstrings": {system: _recipe(system, _REAL, steps=1_600, learning_rate=3e-3) for system in SYSTEMS},
    "real": {system: _recipe(system, _REAL, steps=1_600, learning_rate=4e-3) for system in SYSTEMS},
}
"""The recipes that claims are measured with: on each source those of the ladder see the same pairs equally often, and
so do the recurrent ones. Of reports the recurrent ones see fewer, which is enough for them."""
_REPORTS = {"ladder": 90_000}
"""Made reports that a part is trained on, where they are not as many as a lesson has. With a third of them, and two
thirds of the steps, three seeds did not tell the convolution from the bag of words."""
LIVE = {system: replace(RECIPES["default"][system], steps=600) for system in (*LADDER, "ras-additive")}
"""What the lesson trains while it is read."""

_ABS, _RAS, _COPY = "arXiv:1509.00685", "Chopra et al. 2016", "arXiv:1704.04368"
_PERPLEXITY = "perplexity per word of unseen headlines"


def _rung(name: str, claim: str, below: str, above: str, figures: str) -> Claim:
    keys = (below, f"{below}/perplexity"), (above, f"{above}/perplexity")
    return Claim(f"07.{name}", _ABS, claim, _PERPLEXITY, "lower", *keys, figures, sources=SOURCES)


def _rouge(
    name: str, paper: str, claim: str, below: str, above: str, figures: str, rouge: str = "1", sources: tuple = SOURCES
) -> Claim:
    keys = (below, f"{below}/rouge-{rouge}"), (above, f"{above}/rouge-{rouge}")
    return Claim(f"07.{name}", paper, claim, f"ROUGE-{rouge} F1 in %", "higher", *keys, figures, sources=sources)


def _support(name: str, claim: str, paper: str, baseline: tuple, ours: tuple) -> Claim:
    metric = "attention on the source words that support a headline word, %"
    return Claim(f"07.{name}", paper, claim, metric, "higher", baseline, ours, "pictures only", sources=("default",))


_DUC = "DUC-2004 recall, 75 characters: about 22.4 and 26.55"
CLAIMS = [
    _rung(
        "bag-beats-none",
        "Knowing which words the source has lowers the perplexity",
        "abs-none",
        "abs-bag",
        "about 146 and 43.6",
    ),
    _rung(
        "convolution-beats-bag",
        "Knowing which words stand together lowers the perplexity further",
        "abs-bag",
        "abs-convolution",
        "about 43.6 and 35.9",
    ),
    _rung(
        "attention-beats-convolution",
        "Looking anew for each word lowers the perplexity most",
        "abs-convolution",
        "abs-attention",
        "about 35.9 and 27.1",
    ),
    _rouge(
        "abs-beats-lead",
        _ABS,
        "The attention-based summarizer beats the source's first words, as many as are best on validation",
        "lead, tuned",
        "abs-attention",
        _DUC,
    ),
    _rouge(
        "abs-beats-sentence",
        _ABS,
        "The attention-based summarizer beats an extractive one: the sentence whose words are most telling (tf · idf)",
        "telling sentence",
        "abs-attention",
        "no such comparison",
    ),
    _rouge(
        "features-help",
        _ABS,
        "Rewards for words, pairs and triples of the source help (ABS+)",
        "abs-attention",
        "abs+",
        "DUC-2004 recall: 26.55 and 28.18",
    ),
    _rouge(
        "recurrent-beats-feed-forward",
        _RAS,
        "A recurrent decoder with additive attention beats the feed-forward one",
        "abs-attention",
        "ras-additive",
        "Gigaword F1: RAS-Elman 33.78, ABS+ about 30",
    ),
    _rouge(
        "elman-beats-feed-forward",
        _RAS,
        "The paper's own decoder, an Elman network with dot products, beats the feed-forward one",
        "abs-attention",
        "ras-elman",
        "Gigaword F1: RAS-Elman 33.78, ABS+ about 30",
    ),
    _rouge(
        "copying-helps",
        _COPY,
        "A recurrent decoder that may copy beats one that may not",
        "ras-additive",
        "ras-copy",
        "CNN/DailyMail F1: about 31 and 36",
    ),
    _rouge(
        "copying-beats-lead",
        _COPY,
        "Copying and rewards for source words beat the source's first words",
        "lead, tuned",
        "ras-copy+",
        "CNN/DailyMail F1: it does not, about 36 against 40",
    ),
    _rouge(
        "copying-beats-lead-l",
        _COPY,
        "Copying and rewards beat the source's first words in the order of the words, too",
        "lead, tuned",
        "ras-copy+",
        "CNN/DailyMail F1: it does not, about 33 against 37",
        rouge="L",
    ),
    _rouge(
        "copying-beats-sentence",
        _COPY,
        "Copying and rewards beat an extractive summarizer: the sentence whose words are most telling (tf · idf)",
        "telling sentence",
        "ras-copy+",
        "no such comparison",
    ),
    _support(
        "looks-at-support",
        "Headline words look at the source words that they rest on more than an even look would",
        _ABS,
        ("even", "abs-attention/support/chance"),
        ("abs-attention", "abs-attention/support"),
    ),
    _support(
        "recurrent-looks-better",
        "The recurrent decoder's looks lie more on supporting words than the feed-forward one's",
        _RAS,
        ("abs-attention", "abs-attention/support"),
        ("ras-additive", "ras-additive/support"),
    ),
]


def recipes(source: str) -> dict[str, dict[str, Recipe]]:
    """The recipes of every part of the measurement.

    Raises:
        ValueError: if the source is not in `SOURCES`.
    """
    if source not in SOURCES:
        raise ValueError(f"source is {source!r}; expected one of {', '.join(SOURCES)}.")
    return {part: {name: RECIPES[source][name] for name in names} for part, names in _PARTS.items()}


def settings(source: str, fast: bool) -> dict:
    """Everything that decides the figures, part by part."""
    decisive = {part: {n: r.configuration() for n, r in named.items()} for part, named in recipes(source).items()}
    if source == "default":
        for part, reports in _REPORTS.items():
            decisive[part]["reports"] = reports
    return decisive


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


def measure_part(part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
    """Train the models of a part and name their figures.

    Returns:
        See `named_figures`; of the systems in `TUNED` also with extractive features. The part "ladder" has the figures
        of `baselines_of` as well.

    Raises:
        NoDocstringsError, RealDataError: if the source cannot be had.
    """
    data, most, beam = data_of(source, fast, part), *((4, 2) if fast else (None, 5))
    figures = {}
    for name, recipe in recipes(source)[part].items():
        recipe = recipe.shortened(0.001) if fast else recipe
        validation = data.validation[: 10 if fast else 500]
        model, history = fit(
            recipe,
            data,
            seed,
            progress=not fast,
            validate=lambda model, pairs=validation: word_loss(model, data, pairs),
            validate_every=max(1, recipe.steps // 10),
        )
        figures[f"{name}/seconds"] = history.seconds
        figures |= named_figures(name, model, data, most, beam)
        if name in TUNED:
            tuning = tune_extractive(model, data, seed, beam_size=beam, **({"count": 4, "rounds": 1} if fast else {}))
            tuned = ExtractiveSummarizer(model, tuning.weights)
            figures |= named_figures(TUNED[name], tuned, data, most, beam)
            figures |= {f"{TUNED[name]}/weight/{key}": value for key, value in tuning.weights._asdict().items()}
    if part == "ladder":
        pairs = data.test["test"][:most]
        for name, baseline in baselines_of(data).items():
            figures |= figures_of_headlines(name, data, [baseline(pair) for pair in pairs], pairs)
    return figures


PARTS = {part: partial(measure_part, part) for part in _PARTS}

_LARGE = {
    "abs": (("embedding_size", 64), ("hidden_size", 160), ("dropout", 0.1)),
    "ras": (("embedding_size", 96), ("hidden_size", 160), ("dropout", 0.1)),
}
_TEXTS = (("embedding_size", 96), ("hidden_size", 160), ("dropout", 0.3))
LONG_TRAINING = {
    "07-abs-attention": _recipe("abs-attention", _LARGE, steps=25_000, learning_rate=4e-3, fresh=True),
    "07-ras-additive": _recipe("ras-additive", _LARGE, steps=12_000, learning_rate=3e-3, fresh=True),
    "07-ras-copy": _recipe("ras-copy", _LARGE, steps=12_000, learning_rate=3e-3, fresh=True),
    "07-docstrings-ras-copy": Recipe("ras-copy", _TEXTS, steps=5_000, learning_rate=2e-3),
}
"""The checkpoints: larger and trained longer, with seed 0; of reports on new ones all the time."""


def source_of(name: str) -> str:
    """The data that a checkpoint is trained on: "docstrings" or "default"."""
    return "docstrings" if "docstrings" in name else "default"


def train_checkpoint(name: str) -> None:
    """Train one of `LONG_TRAINING` and store it with its card, which has the tuned weights of the features."""
    recipe, data = LONG_TRAINING[name], data_of(source_of(name))
    model, history = fit(
        recipe,
        data,
        **long_run(name, recipe, lambda model: word_loss(model, data, data.validation), "nats per word"),
    )
    round_to_bytes(model)
    tuning = tune_extractive(model, data)
    more = {"vocabulary": list(data.vocabulary.words), "extractive": tuning.weights._asdict()}
    made_from = {"source": source_of(name), "credit": data.credit}
    metrics = checkpoint_metrics(name, model, weights=tuning.weights)
    save_checkpoint(name, model, training_card(name, recipe, history, made_from, metrics, **more), in_bytes=True)


CHECKPOINTS = dict.fromkeys(LONG_TRAINING, train_checkpoint)


def checkpoint_metrics(
    name: str, model: Summarizer, most: int | None = None, weights: ExtractiveWeights | None = None
) -> dict[str, float]:
    """The figures on a checkpoint's card, without its name in front; see `named_figures`.

    Args:
        name: a key of `LONG_TRAINING`.
        model: its model.
        most: pairs of each test; None = all.
        weights: of the extractive features; None = those on the card.

    Returns:
        The figures of the model, and after "with features/" those of the model with extractive features.

    Raises:
        NoDocstringsError: if the card's figures are of docstrings of other versions than are installed here.
    """
    data = data_of(source_of(name))
    if weights is None:
        card = load_card(name)
        if source_of(name) == "docstrings":
            data = _docstrings_of(card, data)
        weights = ExtractiveWeights(**card["extractive"])
    figures = named_figures("model", model, data, most=most)
    featured = named_figures("with features", ExtractiveSummarizer(model, weights), data, most=most)
    return {key.removeprefix("model/"): round(value, 4) for key, value in (figures | featured).items()}


def _docstrings_of(card: dict, data: SummaryData) -> SummaryData:
    if data.credit != card["data"]["credit"]:
        raise NoDocstringsError(
            f"the model was measured on docstrings of {card['data']['credit']}; installed here are those of "
            f"{data.credit}. Its figures are of other texts; train it again: {card['command']}."
        )
    return with_words_of(card, data)


def load_trained(name: str) -> tuple[Summarizer, dict]:
    """Load a checkpoint and its card.

    A model of docstrings keeps the words that it was trained with, whatever is installed here: give its data that
    vocabulary with `with_words_of`.

    Raises:
        CheckpointError: see `load_checkpoint`; also if a model's words are not those that reports have now.
    """

    def build_from(card: dict) -> Summarizer:
        words = card.get("vocabulary", ())
        if source_of(name) == "default":
            check_vocabulary(name, words, Vocabulary(report_words()).words)
        return build(LONG_TRAINING[name], len(words))

    return load_checkpoint(name, build_from)


def with_words_of(card: dict, data: SummaryData) -> SummaryData:
    """The same data with the vocabulary of a checkpoint's card."""
    return replace(data, vocabulary=Vocabulary(card["vocabulary"][len(SPECIAL_WORDS) :]))
