"""Lesson 6: what knowing where one looked last gains, on single utterances and on long ones, and how near looks are."""

from dataclasses import replace
from functools import partial

from course_utils.checkpoints import check_vocabulary, load_checkpoint, round_to_bytes, save_checkpoint
from course_utils.data.real_errors import RealDataNotFoundError
from course_utils.data.speech.data import SpokenData
from course_utils.data.speech.phonemes import PHONEMES
from course_utils.data.speech.recorded_data import (
    MANY_VOICES,
    digit_data,
    digits_and_prompts_are_staged,
    many_voices_data,
    prompt_data,
    reading_data,
)
from course_utils.data.text import END, Vocabulary
from course_utils.models.speech import SYSTEMS, SpeechModel
from experiments.claims import Claim
from experiments.recipes import long_run, training_card
from experiments.recorded_speech import (
    SPEAKERS,
    digit_figures,
    error_figures,
    long_prompt_figures,
    prompt_figures,
)
from experiments.speech import (
    COPIES,
    Recipe,
    error_by_voice,
    fit,
    named_figures,
    token_loss,
    utterances_of,
)

RECIPES = {system: Recipe(system, steps=1_500) for system in SYSTEMS}
"""The recipes that claims are measured with."""
LIVE = {system: Recipe(system, options=(("layers", 1),), steps=2_000, batch_size=16) for system in SYSTEMS}
"""What the lesson trains while it is read: one layer and small batches, which teach most in a minute."""
RECORDED = {
    **{part: Recipe("location", steps=1_500) for part in ("synthetic", "digits", "prompts")},
    **{f"prompts-{system}": Recipe(system, steps=1_500) for system in ("content", "smooth")},
    "voices": Recipe("location", steps=3_000, options=(("dropout", 0.2),)),
}
"""The recipes for recorded speech: synthetic training alone, with recorded digits, with pieces of recorded prompts (all
three systems), and with digits in as many voices as can be had, each voice measured by itself."""
READ = {
    "read-synthetic": Recipe("location", steps=1_500),
    **{f"read-{system}": Recipe(system, steps=1_500) for system in SYSTEMS},
}
"""The recipes for LibriSpeech: synthetic training alone, and all three systems with readings, too."""

_PAPER = "arXiv:1506.07503"
_PROMPTS = "phoneme error rate in %, telephone prompts"


def _of_systems(source: str, systems: tuple[str, str, str], test: str, *, name: str, heard: str) -> list[Claim]:
    """What the paper claims of its three systems, on one kind of speech.

    Args:
        source: "default" or "real".
        systems: what the figures of content-based, location-aware and smoothed attention begin with.
        test: the test whose error rate counts.
        name: what the claims' names begin with.
        heard: which speech, named in every claim; "" = the course's own.
    """
    content, location, smooth = systems
    more, times = (f", {heard}", ", times by forced alignment") if heard else ("", "")
    error = f"phoneme error rate in %, {f'pieces of {heard}' if heard else 'unseen words'}"
    held = f"phoneme error rate in %, {COPIES[-1]} {{}}, window and end symbol held back{more}"

    def claim(ending: str, text: str, metric: str, direction: str, baseline: tuple, ours: tuple, figures: str) -> Claim:
        text = f"On {heard}, {text[0].lower()}{text[1:]}" if heard else text
        return Claim(f"06.{name}{ending}", _PAPER, text, metric, direction, baseline, ours, figures, sources=(source,))

    return [
        claim(
            "location-beats-content",
            "Knowing where one looked last lowers the error",
            error,
            "lower",
            ("content", f"{content}/per/{test}"),
            ("location", f"{location}/per/{test}"),
            "TIMIT: 18.7 and 18.0",
        ),
        claim(
            "smooth-beats-location",
            "Smoothing the weights lowers the error",
            error,
            "lower",
            ("softmax", f"{location}/per/{test}"),
            ("sigmoids", f"{smooth}/per/{test}"),
            "TIMIT: 18.0 and 17.6",
        ),
        claim(
            "content-breaks",
            "Content-based attention fails on speech longer than any in training",
            held.format("repeats"),
            "higher",
            ("one utterance", f"{content}/repeats/{COPIES[0]}"),
            (f"{COPIES[-1]} repeats", f"{content}/repeats/{COPIES[-1]}"),
            "curves only (their figure 3)",
        ),
        claim(
            "location-holds",
            "Location-aware attention bears long speech better than content-based attention",
            held.format("repeats"),
            "lower",
            ("content", f"{content}/repeats/{COPIES[-1]}"),
            ("location", f"{location}/repeats/{COPIES[-1]}"),
            "about 20 at ten repeats",
        ),
        claim(
            "location-holds-different",
            "Location-aware attention bears different utterances in a row better than content-based attention",
            held.format("different utterances"),
            "lower",
            ("content", f"{content}/different/{COPIES[-1]}"),
            ("location", f"{location}/different/{COPIES[-1]}"),
            "curves only (their figure 3)",
        ),
        claim(
            "looks-at-phonemes",
            "More attention lies inside the true phoneme with location-aware than with content-based attention",
            f"attention inside the true phoneme, %{more}{times}",
            "higher",
            ("content", f"{content}/mass"),
            ("location", f"{location}/mass"),
            "pictures only",
        ),
        claim(
            "finds-boundaries",
            "The looks tell where phonemes end, better than cutting the utterance into equal parts",
            f"distance from the true boundary, ms{more}{times}",
            "lower",
            ("equal parts", f"{location}/boundary/uniform"),
            ("location", f"{location}/boundary"),
            "pictures only",
        ),
    ]


def _recorded(name: str, claim: str, metric: str, direction: str, baseline: tuple, ours: tuple) -> Claim:
    sides = (baseline, ours, "no such comparison")
    return Claim(f"06.{name}", _PAPER, claim, metric, direction, *sides, sources=("real",))


def _read(name: str, claim: str, test: str, baseline: tuple[str, str], ours: tuple[str, str], figures: str) -> Claim:
    metric = f"phoneme error rate in %, {test} of LibriSpeech"
    (other, part), (way, own) = baseline, ours
    sides = (other, f"{part}/per/{test}"), (way, f"{own}/per/{test}"), figures
    return Claim(f"06.read-{name}", _PAPER, claim, metric, "lower", *sides, sources=("librispeech",))


CLAIMS = [
    *_of_systems("default", ("content", "location", "smooth"), "test", name="", heard=""),
    *_of_systems(
        "real",
        ("prompts-content", "prompts", "prompts-smooth"),
        "pieces",
        name="prompts-",
        heard="telephone prompts",
    ),
    _recorded(
        "recorded-digits-help",
        "Recorded digits in training tell those of a speaker who is not in it, better than synthetic speech alone does",
        "digits right in %, the speaker is in no training; each seed holds out another one",
        "higher",
        ("synthetic only", "synthetic/digits/unseen speaker"),
        ("with recorded digits", "digits/digits/unseen speaker"),
    ),
    _recorded(
        "voices-help",
        "Digits of a new speaker are told better if each voice is normalized by itself and training has many",
        "digits right in %, the speaker is in no training; each seed holds out another one",
        "higher",
        ("five voices", "digits/digits/unseen speaker"),
        ("many voices, normalized", "voices/digits/unseen speaker"),
    ),
    _recorded(
        "prompts-short",
        "Prompts are recognised better in pieces as long as the utterances of training",
        _PROMPTS,
        "lower",
        ("whole", "synthetic/per/prompts"),
        ("pieces", "synthetic/per/pieces"),
    ),
    _recorded(
        "prompts-known-words",
        "Pieces of prompts are recognised better if their words are in training",
        _PROMPTS,
        "lower",
        ("no word in training", "synthetic/per/pieces of other words"),
        ("all words in training", "synthetic/per/pieces of known words"),
    ),
    _recorded(
        "prompts-noise",
        "Pieces of prompts are recognised better with noise like that of training",
        _PROMPTS,
        "lower",
        ("as recorded", "synthetic/per/pieces"),
        ("with noise", "synthetic/per/pieces with noise"),
    ),
    _recorded(
        "prompts-voice",
        "The same words are recognised better in a synthetic voice",
        _PROMPTS,
        "lower",
        ("recorded voice", "synthetic/per/pieces"),
        ("synthetic voice", "synthetic/per/pieces by synthesizer"),
    ),
    _recorded(
        "prompts-adapted",
        "Recorded prompts in training lower the error on other prompts of the same voice",
        _PROMPTS,
        "lower",
        ("synthetic only", "synthetic/per/pieces"),
        ("with recorded prompts", "prompts/per/pieces"),
    ),
    _read(
        "location-beats-content",
        "On readings by people, knowing where one looked last lowers the error",
        "readings",
        ("content", "read-content"),
        ("location", "read-location"),
        "TIMIT: 18.7 and 18.0",
    ),
    _read(
        "smooth-beats-location",
        "On readings by people, smoothing the weights lowers the error",
        "readings",
        ("softmax", "read-location"),
        ("sigmoids", "read-smooth"),
        "TIMIT: 18.0 and 17.6",
    ),
    _read(
        "location-holds",
        "On longer readings than in training, location-aware attention makes fewer errors than attention by content",
        "long readings",
        ("content", "read-content"),
        ("location", "read-location"),
        "curves only (their figure 3)",
    ),
    _read(
        "recorded-helps",
        "Readings in training lower the error on readings of other speakers",
        "readings",
        ("synthetic only", "read-synthetic"),
        ("with readings", "read-location"),
        "no such comparison",
    ),
]


def recipes(source: str) -> dict[str, dict[str, Recipe]]:
    """The recipes of every part of the measurement: a part for each system, or for each way to hear recorded speech.

    Raises:
        ValueError: if the source is none of "default", "real" (digits and prompts) and "librispeech".
    """
    chosen = {"default": RECIPES, "real": RECORDED, "librispeech": READ}
    if source not in chosen:
        raise ValueError(f"source is {source!r}; expected one of {', '.join(chosen)}.")
    return {part: {part: recipe} for part, recipe in chosen[source].items()}


def settings(source: str, fast: bool) -> dict:
    """Everything that decides the figures, part by part."""
    decisive = {part: {n: r.configuration() for n, r in named.items()} for part, named in recipes(source).items()}
    if source == "real":
        decisive["voices"]["versions"] = MANY_VOICES
    return decisive


def measure_part(part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
    """Train the model of a part and name its figures.

    Returns:
        With source "default" see `named_figures`; with "real" see `digit_figures`, `prompt_figures` and, of models that
        were trained on other prompts, `long_prompt_figures`; with "librispeech" see `error_figures`.

    Raises:
        RealDataError: if the recordings cannot be had.
    """
    if source == "real" and not digits_and_prompts_are_staged():
        raise RealDataNotFoundError(
            "the recorded digits and prompts are in no staged folder, and published nowhere in this form. LibriSpeech "
            "is on the hub: measure it in their place, with --source librispeech."
        )
    figures = {}
    for name, recipe in recipes(source)[part].items():
        data = utterances_of(*((40, 10) if fast else (recipe.utterances,)))
        if source != "default":
            data = recorded_data_of(part, data, seed)
        model, history = fit(recipe.shortened(0.001) if fast else recipe, data, seed, progress=not fast)
        figures[f"{name}/seconds"] = history.seconds
        most = 4 if fast else None
        if source == "default":
            figures |= named_figures(name, model, data, most=most)
        elif source == "librispeech":
            figures |= error_figures(name, model, data, most=most)
        elif part.startswith("prompts"):
            figures |= long_prompt_figures(name, model, data, most=most)
        else:
            figures |= digit_figures(name, model, data, most=most)
        if part == "synthetic" or part.startswith("prompts"):
            figures |= prompt_figures(name, model, data, most=most)
    return figures


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
    if part == "voices":
        return many_voices_data(synthetic, held_out, seed=seed)
    data = reading_data(synthetic) if part in READ else digit_data(synthetic, held_out, seed=seed)
    return replace(data, train=synthetic.train) if part in ("synthetic", "read-synthetic") else data


PARTS = {part: partial(measure_part, part) for part in (*RECIPES, *RECORDED, *READ)}

_LARGE = (("hidden_size", 160), ("dropout", 0.1))
LONG_TRAINING = {
    f"06-{system}": Recipe(system, 16_000, _LARGE, steps=9_000, learning_rate=2e-3, join=2) for system in SYSTEMS
}
"""The checkpoints: trained longer, on more utterances, with seed 0. In every second batch two utterances are joined, so
that a pause is not always the end; the tests of long speech join eight."""


def train_checkpoint(name: str) -> None:
    """Train one of `LONG_TRAINING` and store it with its card, which has every voice's error rate."""
    recipe = LONG_TRAINING[name]
    data = utterances_of(recipe.utterances)
    model, history = fit(
        recipe,
        data,
        **long_run(name, recipe, lambda model: token_loss(model, data), "nats per phoneme"),
    )
    round_to_bytes(model)
    voices = {}
    for test in ("test", "unseen voices"):
        voices |= error_by_voice(model, data, data.test[test])
    more = {
        "vocabulary": list(data.vocabulary.words),
        "voices": {voice: [round(100 * rate, 2), count] for voice, (rate, count) in voices.items()},
    }
    made_from = {"source": "default", "credit": data.credit}
    card = training_card(name, recipe, history, made_from, checkpoint_metrics(name, model), **more)
    save_checkpoint(name, model, card, in_bytes=True)


CHECKPOINTS = dict.fromkeys(LONG_TRAINING, train_checkpoint)


def checkpoint_metrics(name: str, model: SpeechModel, most: int | None = None) -> dict[str, float]:
    """The figures on a checkpoint's card, without its name in front; see `named_figures`.

    Args:
        name: a key of `LONG_TRAINING`.
        model: its model.
        most: utterances of each test; None = all.
    """
    figures = named_figures("model", model, utterances_of(100), most=most)
    return {key.removeprefix("model/"): round(value, 4) for key, value in figures.items()}


def load_trained(name: str) -> tuple[SpeechModel, dict]:
    """Load a checkpoint and its card.

    Raises:
        CheckpointError: see `load_checkpoint`; also if its phonemes are not those that speech has now.
    """

    def build(card: dict) -> SpeechModel:
        check_vocabulary(name, card.get("vocabulary", ()), Vocabulary(PHONEMES).words)
        recipe = LONG_TRAINING[name]
        return SpeechModel(recipe.system, len(card["vocabulary"]), end_symbol=END, **dict(recipe.options))

    return load_checkpoint(name, build)
