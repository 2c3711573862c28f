"""Recorded speech in the shape of the synthetic one, in pieces of a few words, and in many versions.

prompts = load_recordings("asterisk_prompts_en", "test")
prompts[0].symbols, prompts[0].phonemes[0], prompts[0].utterance.speaker
more = training_versions(prompts) + [bend(one, seed=1) for one in prompts]     # something like more speakers
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from course_utils.data.real import load_real
from course_utils.data.real_errors import DataFormatError
from course_utils.data.sounds import load_soundfile, read_sound
from course_utils.data.speech.espeak import EspeakError
from course_utils.data.speech.features import MELS, SAMPLE_RATE, utterance_features
from course_utils.data.speech.phonemes import PHONEMES, Phoneme, pronounce, words_of_text
from course_utils.data.speech.utterances import SpokenUtterance, Utterance, hashed, to_sample_rate

WORDS_OF_A_PIECE = 3  # as many as the longest synthetic utterances have
SPEEDS = (Fraction(9, 10), Fraction(1), Fraction(11, 10))
"""Training recordings are played at these speeds; a slower one sounds like a larger speaker (Ko et al. 2015)."""
NOISE_DB = (15.0, 35.0)  # how far noise that is added to training recordings lies below the speech
_TRACT, _PACE = (0.85, 1.18), (0.75, 1.3)  # shortest and longest vocal tract and time, as a share of the speaker's own
_HIDDEN_BANDS, _HIDDEN_SHARE = 8, 0.2  # most bands in a gap, and most of the recording's time
_FULL_SCALE = 32767


def load_recordings(
    name: str, split: str = "train", count: int | None = None, *, timed: bool = False
) -> list[SpokenUtterance]:
    """Load one split of a set of recorded speech, in the order of the file; see `real.REAL_SOURCES`.

    Recordings with a text that cannot be pronounced are left out, and a warning says how many.

    Args:
        name, split: of the set.
        count: the first so many rows; None = all.
        timed: leave out recordings whose phonemes and words have no times.

    A `RealDataError` as `real.load_real`; also if a sound cannot be read, or the package that reads it is missing.
    """
    load_soundfile()  # before anything is fetched
    rows = load_real(name, split)
    recordings, left_out = [], []
    for number, row in enumerate(rows if count is None else rows.take(min(count, len(rows)))):
        if timed and not (row.get("phones") and row.get("words")):
            continue
        # Clips of digits are cut hard: their times are no gold alignment.
        row = {"speaker": name, **row} | ({"phones": (), "words": ()} if name == "fsdd" else {})
        try:
            recordings.append(read_recording(row, f"{name}, {split}, row {number}"))
        except (EspeakError, ValueError) as error:
            left_out.append(str(error))
    if not recordings:
        reason = left_out[0] if left_out else "no recording has the times of its phonemes"
        raise DataFormatError(f"{name}, {split}: {reason}; expected at least one that can be used. Is it another set?")
    if left_out:
        warnings.warn(f"{name}, {split}: {len(left_out)} recordings left out; the first: {left_out[0]}", stacklevel=2)
    return recordings


def read_recording(row: Mapping[str, Any], where: str) -> SpokenUtterance:
    """Decode a sound and bring it to the sampling rate and the level of synthetic speech.

    Args:
        row: `audio` (`bytes`, or the `path` of a file), `text`, `speaker` or `speaker_id`, `id`. If somebody knows the
            times, `phones` (`phone`, `start`, `end` in seconds) and `words` (`word`, …); else phonemes are pronounced.
        where: place of the row, for errors.

    Raises:
        DataFormatError: if the sound cannot be read, or a phoneme is unknown.
        ValueError: if the text has no word.
        EspeakError: if it cannot be pronounced.
    """

    def spans(column: str, name: str) -> list[tuple[str, float, float]]:
        return [(s[name], round(1000 * s["start"], 1), round(1000 * s["end"], 1)) for s in row.get(column) or ()]

    phonemes = tuple(Phoneme(*span) for span in spans("phones", "phone") if span[0] != "SIL")
    if unknown := {phoneme.symbol for phoneme in phonemes} - set(PHONEMES):
        raise DataFormatError(
            f"{where}: phones holds {sorted(unknown)}; expected those of CMUdict without stress: {' '.join(PHONEMES)}."
        )
    text, audio = row["text"] or "", row["audio"] or {}
    said = tuple(phoneme.symbol for phoneme in phonemes) or pronounce(text)
    speaker, key = row.get("speaker_id", row.get("speaker", "")), row.get("id") or audio.get("path") or ""
    sound = to_sample_rate(*read_sound(audio.get("bytes"), audio.get("path"), where))
    utterance = Utterance(words_of_text(text), str(speaker), key=str(key))
    return make_recording(sound, utterance, said, phonemes, tuple(spans("words", "word")))


def make_recording(
    samples: np.ndarray,
    utterance: Utterance,
    said: tuple[str, ...],
    phonemes: tuple[Phoneme, ...] = (),
    word_times: tuple[tuple[str, float, float], ...] = (),
) -> SpokenUtterance:
    """Compute the features of `(samples,)` at `SAMPLE_RATE`, cut off at -1 and 1; a `ValueError` if there are none."""
    samples = np.clip(samples, -1, 1).astype(np.float32)
    stored = np.round(samples * _FULL_SCALE).astype(np.int16)
    return SpokenUtterance(utterance, utterance_features(samples), phonemes, said, stored, word_times)


def sound_of(recording: SpokenUtterance) -> np.ndarray:
    """The sound of a recording, as `utterances.waveform` gives that of an utterance."""
    return recording.samples.astype(np.float32) / _FULL_SCALE


def pieces_of(recording: SpokenUtterance, words: int = WORDS_OF_A_PIECE) -> list[SpokenUtterance]:
    """Cut a recording whose times are known into pieces of so many words (the last may have fewer).

    A `ValueError` if they are not, or a piece holds no phoneme.
    """
    if not recording.word_times:
        raise ValueError(f"{recording.utterance.key!r} has no word_times; expected a recording whose times are known.")
    timed, whole, pieces = recording.word_times, recording.utterance, []
    for first in range(0, len(timed), words):
        piece = timed[first : first + words]
        start, end = piece[0][1], piece[-1][2]
        inside = [p for p in recording.phonemes if start <= (p.start_ms + p.end_ms) / 2 < end]
        if not inside:
            raise ValueError(f"the words {[word for word, _, _ in piece]} hold no phoneme; expected times that fit.")
        phonemes = tuple(Phoneme(p.symbol, max(0.0, p.start_ms - start), min(p.end_ms, end) - start) for p in inside)
        times = tuple((word, begin - start, until - start) for word, begin, until in piece)
        spoken = tuple(word for word, _, _ in piece)
        utterance = replace(whole, words=spoken, key=f"{whole.key} {first}:{first + len(piece)}")
        sound = sound_of(recording)[slice(*(round(time * SAMPLE_RATE / 1000) for time in (start, end)))]
        pieces.append(make_recording(sound, utterance, tuple(p.symbol for p in inside), phonemes, times))
    return pieces


def play_at(recording: SpokenUtterance, speed: Fraction) -> SpokenUtterance:
    """Play a recording faster (above 1) or slower, which raises or lowers the voice as it does on a tape."""
    if speed == 1:
        return recording
    from scipy.signal import resample_poly

    sound = resample_poly(sound_of(recording), speed.denominator, speed.numerator)
    phonemes = tuple(Phoneme(p.symbol, p.start_ms / speed, p.end_ms / speed) for p in recording.phonemes)
    times = tuple((word, start / speed, end / speed) for word, start, end in recording.word_times)
    return make_recording(sound, _renamed(recording, f"at {float(speed):g}"), recording.said, phonemes, times)


def add_noise(recording: SpokenUtterance, noise_db: float, seed: int = 0) -> SpokenUtterance:
    """Add white noise so far below the recording's own level, decibels; seed and the recording's key decide it."""
    sound = sound_of(recording)
    level = float(np.sqrt(np.mean(sound**2))) * 10 ** (-noise_db / 20)
    noisy = sound + level * _random(recording, seed).standard_normal(len(sound), dtype=np.float32)
    one, utterance = recording, _renamed(recording, f"noise {noise_db:.1f}")
    return make_recording(noisy, utterance, one.said, one.phonemes, one.word_times)


def training_versions(
    recordings: Sequence[SpokenUtterance], seed: int = 0, speeds: Sequence[Fraction] = SPEEDS
) -> list[SpokenUtterance]:
    """Each recording as it is, and at the other speeds with noise."""
    return [
        played if speed == 1 else add_noise(played, _random(played, seed).uniform(*NOISE_DB), seed)
        for speed in speeds
        for played in (play_at(recording, speed) for recording in recordings)
    ]


def bend(recording: SpokenUtterance, seed: int = 0) -> SpokenUtterance:
    """Change the features of a recording as another speaker, another pace and another microphone would.

    Bands are moved up or down (vocal tract length perturbation: Jaitly and Hinton 2013), frames are left out or
    doubled, two gaps of bands and one of time are hidden (Park et al. 2019), and every band gets its own level.
    Samples and phonemes stay, times are left out. Seed and key decide the changes.
    """
    random = _random(recording, seed)
    features = np.asarray(recording.features, dtype=np.float32)
    places = np.clip(np.arange(MELS) * random.uniform(*_TRACT), 0, MELS - 1)
    below = np.floor(places).astype(int)
    above, share = np.minimum(below + 1, MELS - 1), (places - below).astype(np.float32)
    features = features[:, below] * (1 - share) + features[:, above] * share
    length = max(8, int(len(features) * random.uniform(*_PACE)))
    features = features[np.linspace(0, len(features) - 1, length).round().astype(int)]
    frames = max(1, int(length * _HIDDEN_SHARE))
    for hidden, most, whole in ((features.T, _HIDDEN_BANDS + 1, MELS),) * 2 + ((features, frames, length + 1),):
        width = int(random.integers(0, most))
        first = int(random.integers(0, whole - width))
        hidden[first : first + width] = 0
    features += random.normal(0, 0.15, (1, MELS)) + random.normal(0, 0.1, features.shape)
    utterance = _renamed(recording, f"bent {seed}")
    return replace(recording, utterance=utterance, features=features.astype(np.float16), phonemes=(), word_times=())


def _renamed(recording: SpokenUtterance, what: str) -> Utterance:
    return replace(recording.utterance, key=f"{recording.utterance.key} {what}")


def _random(recording: SpokenUtterance, seed: int) -> np.random.Generator:
    return np.random.default_rng(hashed(f"noise {seed} {recording.utterance.key}"))
