"""One recording in many versions: played faster or slower, with noise, and with another vocal tract.

more = training_versions(recordings) + [bend(one, seed=1) for one in recordings]

Five people are few. Each version is something like one more of them, and costs nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from course_utils.data.speech.features import MELS
from course_utils.data.speech.phonemes import Phoneme
from course_utils.data.speech.recordings import Reading, Recording, make_recording, sound_of

SPEEDS = (Fraction(9, 10), Fraction(1), Fraction(11, 10))
"""Training recordings are played at these speeds; a slower one sounds like a larger speaker (Ko et al. 2015)."""
NOISE_DB = (15.0, 35.0)
"""How far noise that is added to training recordings lies below the voice, decibels."""
_TRACT = 0.85, 1.18  # shortest and longest, as a share of the speaker's own
_PACE = 0.75, 1.3
_FEWEST_FRAMES = 8
_HIDDEN_BANDS, _HIDDEN_SHARE = 8, 0.2  # most bands in a gap, and most of the recording's time


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
    from scipy.signal import resample_poly

    sound = resample_poly(sound_of(recording), speed.denominator, speed.numerator)
    phonemes = tuple(Phoneme(p.symbol, p.start_ms / speed, p.end_ms / speed) for p in recording.phonemes)
    times = tuple((word, start / speed, end / speed) for word, start, end in recording.word_times)
    reading = _renamed(recording.utterance, f"at {float(speed):g}")
    return make_recording(sound, reading, recording.said, phonemes, times)


def add_noise(recording: Recording, noise_db: float, seed: int = 0) -> Recording:
    """Add white noise.

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


def training_versions(
    recordings: Sequence[Recording], seed: int = 0, speeds: Sequence[Fraction] = SPEEDS
) -> list[Recording]:
    """Each recording as it is, and at the other speeds with noise."""
    versions = []
    for speed in speeds:
        for recording in recordings:
            if speed == 1:
                versions.append(recording)
            else:
                played = play_at(recording, speed)
                versions.append(add_noise(played, _random(played, seed).uniform(*NOISE_DB), seed))
    return versions


def bend(recording: Recording, seed: int = 0) -> Recording:
    """Change the features of a recording as another speaker, another pace and another microphone would.

    Bands are moved up or down (vocal tract length perturbation: Jaitly and Hinton 2013), frames are left out or
    doubled, two gaps of bands and one of time are hidden (Park et al. 2019), and every band gets its own level.
    Samples and phonemes stay; their times no longer hold, and are left out.

    Args:
        recording: with features that are normalized.
        seed: decides the changes, together with the recording's key.
    """
    random = _random(recording, seed)
    features = np.asarray(recording.features, dtype=np.float32)
    places = np.clip(np.arange(MELS) * random.uniform(*_TRACT), 0, MELS - 1)
    below = np.floor(places).astype(int)
    above, share = np.minimum(below + 1, MELS - 1), (places - below).astype(np.float32)
    features = features[:, below] * (1 - share) + features[:, above] * share
    length = max(_FEWEST_FRAMES, int(len(features) * random.uniform(*_PACE)))
    features = features[np.linspace(0, len(features) - 1, length).round().astype(int)]
    for _ in range(2):
        width = int(random.integers(0, _HIDDEN_BANDS + 1))
        first = int(random.integers(0, MELS - width))
        features[:, first : first + width] = 0
    width = int(random.integers(0, max(1, int(length * _HIDDEN_SHARE))))
    first = int(random.integers(0, length - width + 1))
    features[first : first + width] = 0
    features += random.normal(0, 0.15, (1, MELS)) + random.normal(0, 0.1, features.shape)
    reading = _renamed(recording.utterance, f"bent {seed}")
    return replace(recording, utterance=reading, features=features.astype(np.float16), phonemes=(), word_times=())


def _renamed(reading: Reading, what: str) -> Reading:
    return replace(reading, key=f"{reading.key} {what}")


def _random(recording: Recording, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"noise {seed} {recording.utterance.key}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))
