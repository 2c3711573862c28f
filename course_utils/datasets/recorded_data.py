"""Recordings to train on together with synthetic speech: spoken digits with a speaker held out, prompts in pieces.

data = digit_data(synthetic, held_out="theo")
data.test["unseen speaker"]         # every digit that this speaker says; none of them is in data.train
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly

from course_utils.datasets.recordings import (
    Reading,
    Recording,
    load_recordings,
    make_recording,
    pieces_of,
    sound_of,
    speakers_of,
)
from course_utils.datasets.sources import REAL_SOURCES
from course_utils.datasets.speech_phonemes import Phoneme
from course_utils.datasets.spoken_data import SpokenData

SPEEDS = (Fraction(9, 10), Fraction(1), Fraction(11, 10))
"""Training recordings are played at these speeds; a slower one sounds like a larger speaker (Ko et al. 2015)."""
NOISE_DB = (15.0, 35.0)
"""How far noise that is added to training recordings lies below the voice, decibels."""
WORDS_OF_A_PIECE = 3
"""Longest synthetic utterances have so many words; prompts are cut into pieces of so many."""


def play_at(recording: Recording, speed: Fraction) -> Recording:
    """Play a recording faster or slower, which raises or lowers the voice as it does on a tape.

    Args:
        recording: any.
        speed: 1 leaves it as it is.

    Raises:
        ValueError: if the speed is not above 0.
    """
    if speed <= 0:
        raise ValueError(f"speed is {speed}; expected a number above 0, 1 for no change.")
    if speed == 1:
        return recording
    sound = resample_poly(sound_of(recording), speed.denominator, speed.numerator)
    phonemes = tuple(Phoneme(p.symbol, p.start_ms / speed, p.end_ms / speed) for p in recording.phonemes)
    times = tuple((word, start / speed, end / speed) for word, start, end in recording.word_times)
    reading = _renamed(recording.utterance, f"at {float(speed):g}")
    return make_recording(sound, reading, recording.said, phonemes, times)


def add_noise(recording: Recording, noise_db: float, seed: int = 0) -> Recording:
    """Add even noise.

    Args:
        recording: any.
        noise_db: how far the noise lies below the recording's own level, decibels.
        seed: decides the noise, together with the recording's key.
    """
    sound = sound_of(recording)
    noise = _random(recording, seed).standard_normal(len(sound), dtype=np.float32)
    level = float(np.sqrt(np.mean(sound**2))) * 10 ** (-noise_db / 20)
    reading = _renamed(recording.utterance, f"noise {noise_db:.1f}")
    return make_recording(sound + level * noise, reading, recording.said, recording.phonemes, recording.word_times)


def training_versions(recordings: Sequence[Recording], seed: int = 0) -> list[Recording]:
    """Each recording as it is, and at the other `SPEEDS` with noise."""
    versions = []
    for speed in SPEEDS:
        for recording in recordings:
            if speed == 1:
                versions.append(recording)
            else:
                played = play_at(recording, speed)
                versions.append(add_noise(played, _random(played, seed).uniform(*NOISE_DB), seed))
    return versions


def digit_data(synthetic: SpokenData, held_out: str, *, recorded: bool = True, seed: int = 0) -> SpokenData:
    """Spoken digits of all speakers but one, together with synthetic speech.

    The recordings that the set itself keeps for tests are in no training.

    Args:
        synthetic: whose training utterances are added, and whose tests stay.
        held_out: a speaker; none of his recordings is in `train`.
        recorded: False leaves all recordings out of `train`: the same tests for synthetic training alone.
        seed: decides the noise.

    Returns:
        Data whose tests have also "unseen speaker" and "known speakers".

    Raises:
        ValueError: if there is no such speaker.
        RealDataError: see `load_recordings`.
    """
    train, kept = load_recordings("fsdd", "train"), load_recordings("fsdd", "test")
    speakers = speakers_of([*train, *kept])
    if held_out not in speakers:
        raise ValueError(f"held_out is {held_out!r}; expected one of {', '.join(speakers)}.")
    known = [one for one in train if recorded and one.utterance.voice != held_out]
    tests = {
        "unseen speaker": [one for one in (*train, *kept) if one.utterance.voice == held_out],
        "known speakers": [one for one in kept if one.utterance.voice != held_out],
    }
    return replace(
        synthetic,
        name="digits" if recorded else synthetic.name,
        train=[*synthetic.train, *training_versions(known, seed)],
        test={**synthetic.test, **tests},
        credit=f"{synthetic.credit}; {REAL_SOURCES['fsdd'].credit} ({REAL_SOURCES['fsdd'].licence})",
    )


def prompt_data(synthetic: SpokenData, *, seed: int = 0) -> SpokenData:
    """Pieces of telephone prompts together with synthetic speech.

    Args:
        synthetic: whose training utterances are added, and whose tests stay.
        seed: decides the noise.

    Returns:
        Data whose tests have also "prompts" (whole) and "pieces" (of at most `WORDS_OF_A_PIECE` words), both of the
        set's own test.

    Raises:
        RealDataError: see `load_recordings`.
    """
    whole = {split: timed_prompts(split) for split in ("train", "test")}
    pieces = {
        split: [piece for one in ones for piece in pieces_of(one, WORDS_OF_A_PIECE)] for split, ones in whole.items()
    }
    source = REAL_SOURCES["asterisk_prompts_en"]
    return replace(
        synthetic,
        name="prompts",
        train=[*synthetic.train, *training_versions(pieces["train"], seed)],
        test={**synthetic.test, "prompts": whole["test"], "pieces": pieces["test"]},
        credit=f"{synthetic.credit}; {source.credit} ({source.licence})",
    )


def timed_prompts(split: str = "test") -> list[Recording]:
    """The telephone prompts whose phonemes and words have times.

    Raises:
        RealDataError: see `load_recordings`.
    """
    return load_recordings("asterisk_prompts_en", split, timed=True)


def _renamed(reading: Reading, what: str) -> Reading:
    return replace(reading, key=f"{reading.key} {what}")


def _random(recording: Recording, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"noise {seed} {recording.utterance.key}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))
