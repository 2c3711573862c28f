"""What the experiments of lesson 6 share: how a model is trained, and how phonemes and attention are evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from course_utils.data.speech.data import SpokenData, gold_overlap, join_utterances, spoken_data
from course_utils.data.speech.features import STEP_MS
from course_utils.data.speech.utterances import SpokenUtterance
from course_utils.data.text import END
from course_utils.mechanisms.search import Hypothesis
from course_utils.models.speech import SpeechModel
from course_utils.training import History
from experiments.evaluate import mean_loss, percentages, search, teacher_forced_attention
from experiments.recipes import PlainRecipe, train_recipe

WINDOW = 12
"""Steps to either side of the step attended to before, while long speech is decoded: half a second."""
END_WITHIN = 8
"""The end symbol is held back until the attention is this near to the end of long speech, steps."""
COPIES = (1, 2, 4, 8)
"""How many utterances are joined in the tests of long speech."""
AT_ONCE = 50
"""Utterances in a batch where nothing is trained."""


@dataclass(frozen=True)
class Recipe(PlainRecipe):
    """A recipe for `SpeechModel`.

    Attributes:
        utterances: how many training utterances.
        label_smoothing: see `training.train`.
        join: how many utterances are joined to one in every second batch, see `SpokenData.batches`.
    """

    learning_rate: float = 2e-3
    utterances: int = 4000
    label_smoothing: float = 0.1
    join: int = 1


@lru_cache(maxsize=2)
def utterances_of(train_count: int = 4000, test_count: int = 200) -> SpokenData:
    """Speak the utterances, or take them from the cache, once for all models that need them."""
    return spoken_data(train_count, test_count)


def build(recipe: Recipe, vocabulary_size: int) -> SpeechModel:
    """Make the recipe's model for a vocabulary, untrained."""
    return SpeechModel(recipe.system, vocabulary_size, end_symbol=END, **dict(recipe.options))


def fit(recipe: Recipe, data: SpokenData, seed: int = 0, **options) -> tuple[SpeechModel, History]:
    """Train a recipe on utterances; see `Experiment.fit`."""
    batches = data.batches(recipe.batch_size, seed, join=recipe.join)
    options = {"label_smoothing": recipe.label_smoothing, **options}
    return train_recipe(recipe, seed, lambda: build(recipe, len(data.vocabulary)), lambda model: batches, **options)


def token_loss(model: SpeechModel, data: SpokenData) -> float:
    """Mean cross-entropy of the validation utterances, nats per phoneme."""
    return mean_loss(model, data.ordered_batches(data.validation, AT_ONCE))


def recognize(
    model: SpeechModel,
    data: SpokenData,
    spoken: Sequence[SpokenUtterance],
    beam_size: int = 1,
    *,
    window: int | None = None,
    end_within: int | None = None,
) -> list[Hypothesis]:
    """Write what was said, at most one phoneme per step of 40 ms.

    Args:
        model: any system; left as it was.
        data: whose vocabulary the model has.
        spoken: utterances.
        beam_size: 1 is greedy.
        window: steps to either side of the most attended one before; None = everywhere.
        end_within: steps from the end within which an utterance may end; None = anywhere.
    """
    before = model.attention.window, model.end_within
    model.attention.window, model.end_within = window, end_within
    batches = data.ordered_batches(spoken, AT_ONCE)
    try:
        sources = ((b.features, b.feature_mask, (b.feature_mask.sum(dim=1) + 1).tolist()) for b in batches)
        return search(model, sources, beam_size)
    finally:
        model.attention.window, model.end_within = before


def phoneme_error_rate(written: Sequence[Sequence[str]], spoken: Sequence[Sequence[str]]) -> float:
    """Edits (insertions, deletions, substitutions) that turn what was written into what was said, per phoneme said.

    Edits and phonemes are summed over all utterances before they are divided. Above 1 if more is wrong than was said.

    Raises:
        ValueError: if the lists have different lengths or nothing was said.
    """
    said = sum(map(len, spoken))
    if len(written) != len(spoken) or not said:
        raise ValueError(
            f"got {len(written)} written and {len(spoken)} spoken utterances with {said} phonemes; expected as many "
            "of both, and something to be said."
        )
    return sum(Levenshtein.distance(list(a), list(b)) for a, b in zip(written, spoken, strict=True)) / said


def error_rate(
    model: SpeechModel, data: SpokenData, spoken: Sequence[SpokenUtterance], beam_size: int = 1, **decoding
) -> float:
    """Phoneme error rate of a model, 0 upwards; `decoding` goes to `recognize`."""
    found = recognize(model, data, spoken, beam_size, **decoding)
    written = [data.vocabulary.decode(hypothesis.tokens) for hypothesis in found]
    return phoneme_error_rate(written, [one.symbols for one in spoken])


def error_by_speaker(
    model: SpeechModel, data: SpokenData, spoken: Sequence[SpokenUtterance]
) -> dict[str, tuple[float, int]]:
    """Phoneme error rate and number of utterances for each speaker."""
    speakers = sorted({one.utterance.speaker for one in spoken})
    groups = {speaker: [one for one in spoken if one.utterance.speaker == speaker] for speaker in speakers}
    return {speaker: (error_rate(model, data, group), len(group)) for speaker, group in groups.items()}


def joined(spoken: Sequence[SpokenUtterance], copies: int, *, repeat: bool) -> list[SpokenUtterance]:
    """Join utterances: each to itself, or to those that follow it (the last ones to the first)."""
    count = len(spoken)
    chosen = [[spoken[(i + (0 if repeat else k)) % count] for k in range(copies)] for i in range(count)]
    return [join_utterances(group) for group in chosen]


class AttentionScore(NamedTuple):
    """Whether the attention of each phoneme lies where it sounds.

    Attributes:
        mass: mean share of the attention inside the phoneme, 0 to 1.
        mass_uniform: the same for uniform attention.
        peak: share of phonemes whose most attended step overlaps with it, 0 to 1.
        near: share whose most attended step does so, or is the one before or after.
        boundary_ms: mean distance, in ms, of a boundary between two phonemes from the middle between the mean times of
            their attention.
        boundary_ms_uniform: the same if every phoneme took the same share of the utterance.
        forward: share of phonemes whose most attended step does not lie before that of the previous one.
        phonemes: how many were evaluated.
    """

    mass: float
    mass_uniform: float
    peak: float
    near: float
    boundary_ms: float
    boundary_ms_uniform: float
    forward: float
    phonemes: int


def score_attention(attention_weights: Sequence[Tensor], spoken: Sequence[SpokenUtterance]) -> AttentionScore:
    """Evaluate attention `(phonemes, steps)` for each utterance against the gold times of its phonemes.

    Raises:
        ValueError: if a map has another number of rows than the utterance has phonemes.
    """
    sums, phonemes, boundaries = torch.zeros(7, dtype=torch.float64), 0, 0
    for weights, one in zip(attention_weights, spoken, strict=True):
        if len(weights) != len(one.phonemes):
            raise ValueError(f"a map has {len(weights)} rows for {len(one.phonemes)} phonemes; expected one for each.")
        steps = weights.shape[1]
        overlap, peaks = gold_overlap(one.phonemes, steps), weights.argmax(dim=1)
        touched = overlap > 0
        widened = touched.clone()
        widened[:, 1:] |= touched[:, :-1]
        widened[:, :-1] |= touched[:, 1:]
        rows = torch.arange(len(weights))
        times = weights.double() @ ((torch.arange(steps, dtype=torch.float64) + 0.5) * STEP_MS)
        gold = torch.tensor([phoneme.start_ms for phoneme in one.phonemes[1:]], dtype=torch.float64)
        uniform = torch.arange(1, len(weights), dtype=torch.float64) * steps * STEP_MS / len(weights)
        of_phonemes = (weights * overlap, overlap / steps, touched[rows, peaks], widened[rows, peaks])
        of_boundaries = ((times[1:] + times[:-1]) / 2 - gold).abs(), (uniform - gold).abs(), peaks[1:] >= peaks[:-1]
        sums += torch.stack([values.sum().double() for values in (*of_phonemes, *of_boundaries)])
        phonemes, boundaries = phonemes + len(weights), boundaries + len(gold)
    counts = torch.tensor([phonemes] * 4 + [boundaries] * 3, dtype=torch.float64)
    return AttentionScore(*(sums / counts).tolist(), phonemes)


def speech_metrics(model: SpeechModel, data: SpokenData, most: int | None = None) -> dict[str, float]:
    """Evaluate a model on `most` utterances of each test (None = all).

    Returns:
        `per/<test>` in %; of the test called "test" also `long_speech_metrics` and `attention_metrics`.
    """
    spoken = data.test["test"][:most]
    errors, long = error_metrics(model, data, most), long_speech_metrics(model, data, spoken)
    return errors | long | attention_metrics(model, data, spoken)


def error_metrics(model: SpeechModel, data: SpokenData, most: int | None = None) -> dict[str, float]:
    """Phoneme error rates: `per/<test>` in %, of the first so many utterances of every test that has any."""
    tests = {test: spoken[:most] for test, spoken in data.test.items() if spoken}
    return percentages({f"per/{test}": error_rate(model, data, spoken) for test, spoken in tests.items()})


def long_speech_metrics(model: SpeechModel, data: SpokenData, spoken: Sequence[SpokenUtterance]) -> dict[str, float]:
    """Join the first fifty utterances, each to itself or to others, and evaluate what is written of them.

    Returns:
        In %, for each n of `COPIES`: `plain/<n>` (different utterances, greedy, as it comes), `repeats/<n>` and
        `different/<n>` (window and end symbol held back).
    """
    errors, held = {}, {"window": WINDOW, "end_within": END_WITHIN}
    for copies in COPIES:
        repeats, different = (joined(spoken[:50], copies, repeat=repeat) for repeat in (True, False))
        errors[f"plain/{copies}"] = error_rate(model, data, different)
        errors[f"repeats/{copies}"] = error_rate(model, data, repeats, **held)
        errors[f"different/{copies}"] = error_rate(model, data, different, **held)
    return percentages(errors)


def attention_metrics(model: SpeechModel, data: SpokenData, spoken: Sequence[SpokenUtterance]) -> dict[str, float]:
    """Evaluate a model's attention while it writes the true phonemes; see `AttentionScore`.

    Returns:
        In %: `mass`, `mass/uniform`, `peak`, `near`, `forward`. In ms: `boundary` and `boundary/uniform`.
    """
    score = score_attention(teacher_forced_attention(model, data, spoken), spoken)
    shares = {"mass": score.mass, "mass/uniform": score.mass_uniform, "peak": score.peak, "near": score.near}
    metrics = percentages({**shares, "forward": score.forward})
    return metrics | {"boundary": score.boundary_ms, "boundary/uniform": score.boundary_ms_uniform}
