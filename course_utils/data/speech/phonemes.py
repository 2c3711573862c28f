"""The 39 phonemes of American English as CMUdict writes them, and how the synthesizer's map to them.

The synthesizer names what it says in IPA, and accents differ: "lot" has ɒ in Britain and ɑː in America. Both are AA
here, so that synthetic and recorded speech share an inventory.
"""

from collections.abc import Sequence
from typing import NamedTuple

from course_utils.data.speech.espeak import Event

IPA = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "B": "b", "CH": "tʃ", "D": "d", "DH": "ð",
    "EH": "ɛ", "ER": "ɝ", "EY": "eɪ", "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ", "IY": "i", "JH": "dʒ", "K": "k",
    "L": "l", "M": "m", "N": "n", "NG": "ŋ", "OW": "oʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ",
    "T": "t", "TH": "θ", "UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
"""IPA symbol of each phoneme, for display."""
PHONEMES = tuple(IPA)
STOPS = frozenset(("P", "T", "K", "B", "D", "G", "CH", "JH"))
"""Phonemes that begin with a closed mouth, so with silence or nearly so."""

_SAME = {ipa: phoneme for phoneme, ipa in IPA.items()}
_VARIANTS = {
    # vowels
    "ɑː": "AA", "ɒ": "AA", "ɑ̃": "AA", "a": "AE", "aː": "AA", "aa": "AA", "a:": "AA", "ɛə": "AE", "ɐ": "AH", "ə": "AH",
    "ɔː": "AO", "o": "AO", "æʊ": "AW", "ʌʉ": "AW", "eə": "EH", "ɚ": "ER", "ɜ": "ER", "ɜː": "ER", "əɪ": "ER", "əɹ": "ER",
    "ʌɹ": "ER", "e": "EY", "eː": "EY", "ᵻ": "IH", "iː": "IY", "oː": "OW", "əʊ": "OW", "ʉ": "UW", "ʉː": "UW", "uː": "UW",
    # vowels that glide into another one or into r
    "ɑːɹ": "AA R", "ɑə": "AA AH", "aɪə": "AY AH", "aɪɚ": "AY ER", "ɔːɹ": "AO R", "ɔə": "AO AH", "oə": "AO AH",
    "ɛɹ": "EH R", "iə": "IY AH", "ɪɹ": "IH R", "ʊə": "UH AH", "ʊɹ": "UH R", "ʉɹ": "UW R", "əl": "AH L",
    # consonants
    "r": "R", "n̩": "N", "t̪": "T", "ɾ": "T", "ʔ": "T", "x": "K", "ɬ": "L", "ʍ": "W", "ç": "HH",
}  # fmt: skip
_MERGED = frozenset({"ʲ"})  # colours the phoneme before it
_SHORTEST = 5.0  # ms; a phoneme reported with less has been drawn into the one before it


class Phoneme(NamedTuple):
    """A phoneme and when it sounds: one of `PHONEMES`, begin and end in ms from the beginning of the utterance."""

    symbol: str
    start_ms: float
    end_ms: float


def phonemes_of_ipa(ipa: str) -> tuple[str, ...]:
    """Map what the synthesizer reports to the inventory.

    Args:
        ipa: symbols of one event; "" = a pause.

    Returns:
        No, one or two phonemes.

    Raises:
        ValueError: if the symbols are unknown.
    """
    if ipa == "" or ipa in _MERGED:
        return ()
    found = _SAME.get(ipa) or _VARIANTS.get(ipa)
    if found is None:
        raise ValueError(
            f"ipa is {ipa!r}, which maps to no phoneme; expected one of {' '.join({**_SAME, **_VARIANTS})}."
        )
    return tuple(found.split())


def phonemes_of_events(events: Sequence[Event], end_ms: float) -> tuple[Phoneme, ...]:
    """Turn reported beginnings into phonemes with beginning and end.

    A phoneme lasts until the next event. The two phonemes of one event (əl, aɪə, …) share its time equally, and so do a
    vowel and an r that is reported with no time of its own: inside such pairs the boundary is a convention.

    Args:
        events: in order of time.
        end_ms: where the last one ends.

    Raises:
        ValueError: if a symbol is unknown, or the times go backwards.
    """
    starts = [event.start_ms for event in events] + [end_ms]
    if any(later < earlier for earlier, later in zip(starts, starts[1:], strict=False)):
        raise ValueError(f"events go back in time: {starts}; expected them in order.")
    groups: list[tuple[list[str], float, float]] = []
    for event, start, end in zip(events, starts, starts[1:], strict=False):
        symbols = phonemes_of_ipa(event.ipa)
        touches = bool(groups) and groups[-1][2] == start
        if event.ipa == "":
            continue
        if touches and (not symbols or end - start < _SHORTEST):
            before, begin, _ = groups.pop()
            groups.append(([*before, *symbols], begin, end))
        elif symbols:
            groups.append((list(symbols), start, end))
    phonemes = []
    for symbols, start, end in groups:
        share = (end - start) / len(symbols)
        edges = [*(start + k * share for k in range(len(symbols))), end]
        phonemes += [Phoneme(*timed) for timed in zip(symbols, edges[:-1], edges[1:], strict=True)]
    return tuple(phonemes)
