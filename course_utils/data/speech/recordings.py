"""Recorded speech in the shape of the synthetic one: spoken digits, telephone prompts, and LibriSpeech's columns.

digits = load_recordings("fsdd", "test")
prompts = load_recordings("asterisk_prompts_en", "test")     # with the times of phonemes and words
digits[0].symbols, digits[0].utterance.voice                 # (("Z", "IH", "R", "OW"), "george")

All sets have the columns of the hub's `openslr/librispeech_asr`: `audio` (a file's bytes, kept undecoded) and `text`.
A column `phones` holds the times of phonemes where somebody knows them. Sound is brought to the sampling rate and the
level of synthetic speech, so features and frames are the same; phonemes are those of the same inventory.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from course_utils.data.real import DataFormatError, load_real
from course_utils.data.sounds import load_soundfile, read_sound
from course_utils.data.speech.features import log_mel, normalize
from course_utils.data.speech.phonemes import PHONEMES, Phoneme
from course_utils.data.speech.pronunciation import PronunciationError, pronounce, words_of_text
from course_utils.data.speech.utterances import SpokenUtterance, cut_sound, to_sample_rate

RECORDED_SETS = ("fsdd", "asterisk_prompts_en", "librivox_sample", "librispeech")
"""Sets of `real.REAL_SOURCES` that `load_recordings` reads."""
ROUGH_TIMES = ("fsdd",)
"""Sets whose `phones` are too rough to be a gold alignment, and are left out: clips of digits, cut hard."""

_SILENCE = "SIL"
_FULL_SCALE = 32767


@dataclass(frozen=True)
class Reading:
    """Who said what in a recording.

    Attributes:
        words: lower case.
        voice: the speaker's name or number.
        key: the recording's own name.
    """

    words: tuple[str, ...]
    voice: str
    key: str = ""

    @property
    def text(self) -> str:
        """The words in a row."""
        return " ".join(self.words)


@dataclass(frozen=True, eq=False)
class Recording(SpokenUtterance):
    """A recorded utterance; batches, metrics and decoding take it like a synthetic one.

    Attributes:
        utterance: a `Reading`.
        features: `(frames, MELS)` float16, one frame every 10 ms, normalized.
        phonemes: what sounds when, in ms; () where nobody knows the times.
        samples: `(samples,)` int16 at `SAMPLE_RATE`, to listen to.
        said: the phonemes without their times.
        word_times: `(word, begin, end)` in ms; () where nobody knows them.
    """

    samples: np.ndarray
    said: tuple[str, ...]
    word_times: tuple[tuple[str, float, float], ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the recognizer should write."""
        return self.said


def make_recording(
    samples: np.ndarray,
    reading: Reading,
    said: tuple[str, ...],
    phonemes: tuple[Phoneme, ...] = (),
    word_times: tuple[tuple[str, float, float], ...] = (),
) -> Recording:
    """Compute the features of a sound.

    Args:
        samples: `(samples,)` within -1 and 1, at `SAMPLE_RATE`.
        reading, said, phonemes, word_times: see `Recording`.

    Raises:
        ValueError: if there is no sample.
    """
    samples = np.clip(samples, -1, 1).astype(np.float32)
    features = normalize(log_mel(samples)).astype(np.float16)
    kept = np.round(samples * _FULL_SCALE).astype(np.int16)
    return Recording(reading, features, phonemes, kept, said, word_times)


def sound_of(recording: Recording) -> np.ndarray:
    """`(samples,)` float32 within -1 and 1, at `SAMPLE_RATE`: like `utterances.waveform`."""
    return recording.samples.astype(np.float32) / _FULL_SCALE


def load_recordings(
    name: str, split: str = "train", count: int | None = None, *, timed: bool = False
) -> list[Recording]:
    """Load one split of a set of recorded speech.

    Phonemes are those of the column `phones` where the set has trustworthy times; elsewhere they are looked up by
    `pronunciation.pronounce` and have no times.

    Args:
        name: one of `RECORDED_SETS`.
        split: as far as the set has it, see `real.REAL_SOURCES`.
        count: the first so many rows; None = all.
        timed: leave out recordings whose phonemes and words have no times.

    Returns:
        Recordings in the order of the file. Those with a text that cannot be pronounced are left out, and a warning
        says how many.

    Raises:
        ValueError: for another set.
        RealDataError: as `real.load_real`; `DataFormatError` also if a row's sound cannot be read, and
            `RealDataNotFoundError` if the package that reads sound is missing.
    """
    if name not in RECORDED_SETS:
        raise ValueError(f"name={name!r}: expected one of {RECORDED_SETS}; choose one of them.")
    load_soundfile()  # before anything is fetched
    rows = load_real(name, split)
    rows = rows if count is None else rows.take(min(count, len(rows)))
    recordings, left_out = [], []
    for number, row in enumerate(rows):
        where = f"{name}, {split}, row {number}"
        text = row.get("text") or ""
        phonemes, words = ((), ()) if name in ROUGH_TIMES else (_timed(row, where), _timed_words(row))
        if timed and not (phonemes and words):
            continue
        try:
            said = tuple(phoneme.symbol for phoneme in phonemes) or pronounce(text)
        except PronunciationError as error:
            left_out.append(str(error))
            continue
        reading = Reading(words_of_text(text), _speaker(row, name), _key(row))
        recordings.append(make_recording(_sound(row["audio"], where), reading, said, phonemes, words))
    if not recordings:
        reason = (
            f"no text can be pronounced ({left_out[0]})" if left_out else "no recording has the times of its phonemes"
        )
        raise DataFormatError(f"{name}, {split}: {reason}; expected at least one that can be used. Is it another set?")
    if left_out:
        warnings.warn(f"{name}, {split}: {len(left_out)} recordings left out; the first: {left_out[0]}", stacklevel=2)
    return recordings


def cut_words(recording: Recording, first: int, last: int) -> Recording:
    """Cut some of the words out of a recording whose times are known.

    Args:
        recording: with `word_times`.
        first, last: numbers of the first word and of the one after the last.

    Raises:
        ValueError: if there are no times, no such words, or no phoneme in them.
    """
    words = recording.word_times[first:last]
    if not words or first < 0 or last > len(recording.word_times):
        raise ValueError(
            f"first is {first} and last {last}; expected 0 <= first < last <= {len(recording.word_times)}, the words "
            "whose times are known."
        )
    start, end = words[0][1], words[-1][2]
    inside = [p for p in recording.phonemes if start <= (p.start_ms + p.end_ms) / 2 < end]
    if not inside:
        raise ValueError(f"the words {[word for word, _, _ in words]} hold no phoneme; expected times that fit.")
    shifted = tuple(Phoneme(p.symbol, max(0.0, p.start_ms - start), min(p.end_ms, end) - start) for p in inside)
    reading = Reading(
        tuple(word for word, _, _ in words), recording.utterance.voice, f"{recording.utterance.key} {first}:{last}"
    )
    times = tuple((word, a - start, b - start) for word, a, b in words)
    sound = cut_sound(sound_of(recording), start, end)
    return make_recording(sound, reading, tuple(p.symbol for p in shifted), shifted, times)


def pieces_of(recording: Recording, words: int = 3) -> list[Recording]:
    """Cut a recording into pieces of so many words (the last may have fewer), as long as synthetic utterances.

    Raises:
        ValueError: if the times of its words are not known.
    """
    if not recording.word_times:
        raise ValueError(f"{recording.utterance.key!r} has no word_times; expected a recording whose times are known.")
    count = len(recording.word_times)
    return [cut_words(recording, first, min(first + words, count)) for first in range(0, count, words)]


def _timed(row: dict, where: str) -> tuple[Phoneme, ...]:
    """The phonemes of a row with their times, silence left out."""
    found = [phone for phone in row.get("phones") or () if phone["phone"] != _SILENCE]
    if unknown := {phone["phone"] for phone in found} - set(PHONEMES):
        raise DataFormatError(
            f"{where}: phones holds {sorted(unknown)}; expected those of CMUdict without stress: {' '.join(PHONEMES)}."
        )
    return tuple(Phoneme(phone["phone"], *_ms(phone)) for phone in found)


def _ms(span: dict) -> tuple[float, float]:
    return round(1000 * span["start"], 1), round(1000 * span["end"], 1)


def _timed_words(row: dict) -> tuple[tuple[str, float, float], ...]:
    return tuple((word["word"], *_ms(word)) for word in row.get("words") or ())


def _speaker(row: dict, name: str) -> str:
    return str(next((row[key] for key in ("speaker", "speaker_id") if row.get(key) is not None), name))


def _key(row: dict) -> str:
    return str(row.get("id") or row["audio"].get("path") or "") if isinstance(row["audio"], dict) else ""


def _sound(audio: object, where: str) -> np.ndarray:
    encoded = audio if isinstance(audio, dict) else {}
    return to_sample_rate(*read_sound(encoded.get("bytes"), encoded.get("path"), where))


def speakers_of(recordings: Iterable[Recording]) -> tuple[str, ...]:
    """The speakers in alphabetical order."""
    return tuple(sorted({one.utterance.voice for one in recordings}))
