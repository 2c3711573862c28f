"""The 39 phonemes of American English as CMUdict writes them, and what the synthesizer says in them.

pronounce("Hello, world.")      # ("HH", "AH", "L", "OW", "W", "ER", "L", "D")

The synthesizer names what it says in IPA, and accents differ: "lot" has ɒ in Britain and ɑː in America. Both are AA
here, so that synthetic and recorded speech share an inventory.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from course_utils.data.normalise import normalise
from course_utils.data.speech.espeak import Event, speak

# What the synthesizer calls them, the symbol for display first; pairs are vowels that glide into another one or into r.
_NAMES = {
    "AA": "ɑ ɑː ɒ ɑ̃ aː aa a:", "AE": "æ a ɛə", "AH": "ʌ ɐ ə", "AO": "ɔ ɔː o", "AW": "aʊ æʊ ʌʉ", "AY": "aɪ", "B": "b",
    "CH": "tʃ", "D": "d", "DH": "ð", "EH": "ɛ eə", "ER": "ɝ ɚ ɜ ɜː əɪ əɹ ʌɹ", "EY": "eɪ e eː", "F": "f", "G": "ɡ",
    "HH": "h ç", "IH": "ɪ ᵻ", "IY": "i iː", "JH": "dʒ", "K": "k x", "L": "l ɬ", "M": "m", "N": "n n̩", "NG": "ŋ",
    "OW": "oʊ oː əʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ r", "S": "s", "SH": "ʃ", "T": "t t̪ ɾ ʔ", "TH": "θ", "UH": "ʊ",
    "UW": "u ʉ ʉː uː", "V": "v", "W": "w ʍ", "Y": "j", "Z": "z", "ZH": "ʒ",
    "AA AH": "ɑə", "AA R": "ɑːɹ", "AH L": "əl", "AO AH": "ɔə oə", "AO R": "ɔːɹ", "AY AH": "aɪə", "AY ER": "aɪɚ",
    "EH R": "ɛɹ", "IH R": "ɪɹ", "IY AH": "iə", "UH AH": "ʊə", "UH R": "ʊɹ", "UW R": "ʉɹ",
}  # fmt: skip
IPA = {symbols: names.split()[0] for symbols, names in _NAMES.items() if " " not in symbols}
"""IPA symbol of each phoneme, for display."""
PHONEMES = tuple(IPA)
DIGITS = {
    "zero": ("Z", "IH", "R", "OW"), "one": ("W", "AH", "N"), "two": ("T", "UW"), "three": ("TH", "R", "IY"),
    "four": ("F", "AO", "R"), "five": ("F", "AY", "V"), "six": ("S", "IH", "K", "S"),
    "seven": ("S", "EH", "V", "AH", "N"), "eight": ("EY", "T"), "nine": ("N", "AY", "N"),
}  # fmt: skip
"""The ten digits, written down here so that no metric about them depends on what is installed."""

_PHONEMES_OF = {name: tuple(symbols.split()) for symbols, names in _NAMES.items() for name in names.split()}
_PHONEMES_OF |= {"": (), "ʲ": ()}  # a pause, and what colours the phoneme before it
_SHORTEST = 5.0  # ms; a phoneme reported with less has been drawn into the one before it


class Phoneme(NamedTuple):
    """One of `PHONEMES`, and when it sounds, in ms from the beginning of the utterance."""

    symbol: str
    start_ms: float
    end_ms: float


def phonemes_of_events(events: Sequence[Event]) -> tuple[Phoneme, ...]:
    """Turn what `espeak.speak` reports into phonemes with beginning and end.

    A phoneme lasts until the next event. The two phonemes of one event (əl, aɪə, …) share its time equally, and so do a
    vowel and an r that is reported with no time of its own: inside such pairs the boundary is a convention. A
    `ValueError` if a symbol is unknown, or the times go backwards.
    """
    if unknown := {event.ipa for event in events} - set(_PHONEMES_OF):
        raise ValueError(f"{unknown} map to no phoneme; expected some of {' '.join(_PHONEMES_OF)}.")
    starts = [event.start_ms for event in events]
    if starts != sorted(starts):
        raise ValueError(f"events go back in time: {starts}; expected them in order.")
    groups: list[tuple[tuple[str, ...], float, float]] = []
    for event, start, end in zip(events, starts, starts[1:], strict=False):
        symbols = _PHONEMES_OF[event.ipa]
        touches = event.ipa and groups and groups[-1][2] == start
        if touches and (not symbols or end - start < _SHORTEST):
            before, start, _ = groups.pop()
            symbols = before + symbols
        if symbols:
            groups.append((symbols, start, end))
    phonemes = []
    for symbols, start, end in groups:
        edges = [*(start + k * ((end - start) / len(symbols)) for k in range(len(symbols))), end]
        phonemes += map(Phoneme, symbols, edges[:-1], edges[1:])
    return tuple(phonemes)


def words_of_text(text: str) -> tuple[str, ...]:
    """The words of a text, in lower case, without punctuation; apostrophes inside a word stay."""
    return tuple(re.findall(r"[^\W_]+(?:'[^\W_]+)*", normalise(text).lower()))


def pronounce(text: str) -> tuple[str, ...]:
    """Phonemes of an English text: of a digit those of `DIGITS`, else what the synthesizer says; errors as `speak`."""
    words = " ".join(words_of_text(text))
    return DIGITS.get(words) or tuple(phoneme.symbol for phoneme in phonemes_of_events(speak(words).events))
