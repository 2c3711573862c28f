"""What the experiments on recorded speech share: classified digits, and what a high error rate comes from."""

from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz.distance import Levenshtein

from course_utils.data.speech.data import SpokenData
from course_utils.data.speech.phonemes import DIGITS
from course_utils.data.speech.recorded_data import timed_prompts
from course_utils.data.speech.recordings import add_noise, pieces_of
from course_utils.data.speech.utterances import SpokenUtterance, Utterance, speak_utterance, words_of_split
from course_utils.models.speech import SpeechModel
from experiments.evaluate import percentages
from experiments.speech import attention_metrics, error_metrics, phoneme_error_rate, recognize

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
"""Speakers of the digits; seed n holds out the n-th."""
NOISE_DB = 20.0
"""Noise added to prompts, decibels below the voice: within what synthetic speech has."""


def digit_of(written: Sequence[str]) -> str | None:
    """The digit whose phonemes are nearest to those written; None if two are equally near, or nothing was."""
    if not written:
        return None
    distances = {name: Levenshtein.distance(list(written), list(symbols)) for name, symbols in DIGITS.items()}
    nearest = min(distances.values())
    names = [name for name, distance in distances.items() if distance == nearest]
    return names[0] if len(names) == 1 else None


def digits_right(model: SpeechModel, data: SpokenData, recordings: Sequence[SpokenUtterance]) -> float:
    """Share of recordings whose digit `digit_of` finds, 0 to 1.

    Raises:
        ValueError: if there is no recording, or one is not of a single digit.
    """
    said = [one.utterance.words for one in recordings]
    if not said or any(len(words) != 1 or words[0] not in DIGITS for words in said):
        raise ValueError(f"recordings holds {said[:3]}; expected at least one, each of one digit.")
    found = recognize(model, data, recordings)
    written = [digit_of(data.vocabulary.decode(one.tokens)) for one in found]
    return sum(one == words[0] for one, words in zip(written, said, strict=True)) / len(said)


def digit_metrics(model: SpeechModel, data: SpokenData, most: int | None = None) -> dict[str, float]:
    """Evaluate a model on `most` recordings of each test (None = all) of what `digit_data` returned.

    Returns:
        In %: `digits/<test>` for the digits, `digits/<n>` for each digit of the unseen speaker, and `per/<test>` for
        every test.
    """
    unseen = data.test["unseen speaker"]
    tests = {"unseen speaker": unseen, "known speakers": data.test["known speakers"]}
    tests |= {digit: [one for one in unseen if one.utterance.words == (digit,)] for digit in DIGITS}
    right = {f"digits/{name}": digits_right(model, data, spoken[:most]) for name, spoken in tests.items()}
    return error_metrics(model, data, most) | percentages(right)


def said_by_synthesizer(recording: SpokenUtterance, voice: str = "en-us") -> SpokenUtterance:
    """The words of a recording in a synthetic voice: the same length and words, another speaker.

    Raises:
        EspeakError: see `espeak.speak`.
    """
    reading = recording.utterance
    return speak_utterance(Utterance(reading.words, voice, key=f"prompt {reading.key}"))


def prompt_metrics(model: SpeechModel, data: SpokenData, most: int | None = None) -> dict[str, float]:
    """Evaluate a model on the telephone prompts, and ask why it does as it does.

    Every question changes one thing: the length (prompts cut into pieces of three words, of the same sound), the noise
    (added to the pieces), the words (pieces whose words are all in synthetic training, and pieces with none of
    them), and the voice (the same words by the synthesizer). `data` has the model's vocabulary; `most` prompts of the
    set's test are used (None = all).

    Returns:
        In %: `per/prompts`, `per/pieces`, `per/pieces with noise`, `per/pieces of known words`,
        `per/pieces of other words`, `per/prompts by synthesizer`, `per/pieces by synthesizer`. Also `conventions`, how
        far the synthesizer's phonemes are from those of the prompts' labels for the same words: an error rate that no
        model which learned the synthesizer's could avoid. Of the pieces also `speech.attention_metrics`, against times
        that a forced alignment found.
    """
    prompts, pieces = timed_prompts("test")[:most], prompt_pieces(most)
    training_words = frozenset(words_of_split("train"))
    spoken = {
        "prompts": prompts,
        "pieces": pieces,
        "pieces with noise": [add_noise(piece, NOISE_DB) for piece in pieces],
        "pieces of known words": [p for p in pieces if training_words.issuperset(p.utterance.words)],
        "pieces of other words": [p for p in pieces if training_words.isdisjoint(p.utterance.words)],
        "prompts by synthesizer": [said_by_synthesizer(prompt) for prompt in prompts],
        "pieces by synthesizer": [said_by_synthesizer(piece) for piece in pieces],
    }
    metrics = error_metrics(model, replace(data, test=spoken))
    conventions = phoneme_error_rate([one.symbols for one in spoken["pieces by synthesizer"]], [p.said for p in pieces])
    return metrics | {"conventions": 100 * conventions} | attention_metrics(model, data, pieces)


def prompt_pieces(most: int | None = None) -> list[SpokenUtterance]:
    """The first so many prompts of the set's test, cut into pieces as long as the utterances of training."""
    return [piece for prompt in timed_prompts("test")[:most] for piece in pieces_of(prompt)]
