"""Utterances for lesson 6: a few words, a voice, a speed, a pitch, some noise, and when each phoneme sounds.

utterances = draw_utterances(3, split="test")     # what will be said, and how; costs nothing
spoken = speak_utterance(utterances[0])           # phonemes with their times, and features
sound = waveform(utterances[0])                   # the same sound, to listen to

Everything follows from split, seed and position, so that a smaller count is the beginning of a larger one and an
utterance can be spoken again at any time.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from math import gcd
from random import Random

import numpy as np

from course_utils.data.speech.espeak import speak
from course_utils.data.speech.features import SAMPLE_RATE, log_mel, normalize
from course_utils.data.speech.phonemes import Phoneme, phonemes_of_events
from course_utils.data.speech.words import made_up_word, words_of_split

TRAINING_VOICES = (
    "en-us", "en-us+m5", "en-us+m7", "en-us+f4", "en-us+linda", "en-us+edward",
    "en-gb", "en-gb+m3", "en-gb+f1", "en-gb+steph", "en-gb-x-rp+m6", "en-gb-x-rp+f4",
    "en-029+m1", "en-029+linda", "en-gb-scotland+m4", "en-gb-x-gbclan+m2",
)  # fmt: skip
"""Accents of the United States, Britain, the Caribbean, Scotland and Lancashire, with variants of man and woman."""
UNSEEN_VOICES = ("en-us+m4", "en-gb+belinda", "en-gb-x-rp+zac", "en-us+klatt4")
"""Held out. The last is made by another method of synthesis and sounds unlike any of the others."""
SPLITS = ("train", "validation", "test", "unseen phrases", "unseen voices")
"""Words are those of training in "train" and "unseen phrases" and held out elsewhere; see `draw_utterances`."""
MADE_UP_SHARE = 0.4
"""Share of made-up words in training utterances."""

_LEVEL = 0.08  # root mean square of every voice before noise, of a full scale of 1
_QUIETEST_NOISE_DB, _LOUDEST_NOISE_DB = 35.0, 12.0  # below the voice
_LONGEST_LEAD_MS = 120
_WORD_COUNTS = (1, 2, 2, 2, 3, 3)


@dataclass(frozen=True)
class Utterance:
    """What is said, and how.

    Attributes:
        words: lower case.
        voice: one of `TRAINING_VOICES` or `UNSEEN_VOICES`.
        words_per_minute: the voice's nominal speed.
        pitch: 0 to 100, 50 is the voice's own.
        noise_db: how far the noise lies below the voice, in decibels.
        hiss: 0 = deep noise, 1 = all frequencies alike.
        lead_ms: silence (but for the noise) before the voice.
        key: decides the noise.
    """

    words: tuple[str, ...]
    voice: str
    words_per_minute: int = 175
    pitch: int = 50
    noise_db: float = 30.0
    hiss: float = 0.5
    lead_ms: int = 40
    key: str = ""

    @property
    def text(self) -> str:
        """What the synthesizer reads."""
        return " ".join(self.words)


@dataclass(frozen=True, eq=False)
class SpokenUtterance:
    """An utterance with what the synthesizer made of it.

    Attributes:
        utterance: what was said, and how.
        features: `(frames, MELS)` float16, one frame every 10 ms, normalized.
        phonemes: what sounds when, in ms from the beginning of the first frame.
    """

    utterance: Utterance
    features: np.ndarray
    phonemes: tuple[Phoneme, ...]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The phonemes without their times: what the recognizer should write."""
        return tuple(phoneme.symbol for phoneme in self.phonemes)


def draw_utterances(
    count: int, *, split: str = "train", seed: int = 0, made_up_share: float = MADE_UP_SHARE
) -> list[Utterance]:
    """Draw what is to be said.

    "train" has training words (real and made up) and training voices. "unseen phrases" has real training words, in
    combinations that training never has. "validation" and "test" have held-out words in training voices; "unseen
    voices" has the words of "test" in `UNSEEN_VOICES`.

    Args:
        count: how many.
        split: one of `SPLITS`.
        seed: any whole number.
        made_up_share: share of made-up words in "train", 0 to 1.

    Raises:
        ValueError: if an argument is out of range.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(SPLITS)}.")
    if count < 0 or not 0 <= made_up_share <= 1:
        raise ValueError(f"count is {count} and made_up_share {made_up_share}; expected count >= 0 and a share of 1.")
    return [_draw(split, seed, index, made_up_share) for index in range(count)]


def phrase_is_held_out(words: tuple[str, ...]) -> bool:
    """Tell whether a combination of words belongs to "unseen phrases"; in whatever order, about one in ten does."""
    digest = hashlib.sha256(f"phrase {' '.join(sorted(words))}".encode()).digest()
    return len(words) > 1 and int.from_bytes(digest[:8]) % 10 == 0


def _draw(split: str, seed: int, index: int, made_up_share: float) -> Utterance:
    random = Random(f"spoken {split} {seed} {index}")
    known = words_of_split({"unseen phrases": "train", "unseen voices": "test"}.get(split, split))
    while True:
        size = _WORD_COUNTS[int(random.random() * len(_WORD_COUNTS))]
        made_up = [split == "train" and random.random() < made_up_share for _ in range(size)]
        words = tuple(made_up_word(random) if new else known[int(random.random() * len(known))] for new in made_up)
        if split in ("validation", "test", "unseen voices") or phrase_is_held_out(words) == (split == "unseen phrases"):
            break
    voices = UNSEEN_VOICES if split == "unseen voices" else TRAINING_VOICES
    return Utterance(
        words=words,
        voice=voices[int(random.random() * len(voices))],
        words_per_minute=140 + int(random.random() * 81),
        pitch=30 + int(random.random() * 41),
        noise_db=round(_LOUDEST_NOISE_DB + random.random() * (_QUIETEST_NOISE_DB - _LOUDEST_NOISE_DB), 1),
        hiss=round(random.random(), 2),
        lead_ms=int(random.random() * _LONGEST_LEAD_MS),
        key=f"{split} {seed} {index}",
    )


def speak_utterance(utterance: Utterance) -> SpokenUtterance:
    """Synthesize an utterance, add its noise, and compute features and gold boundaries.

    Raises:
        EspeakError: see `espeak.speak`.
    """
    samples, phonemes = _sound(utterance)
    return SpokenUtterance(utterance, normalize(log_mel(samples)).astype(np.float16), phonemes)


def waveform(utterance: Utterance) -> np.ndarray:
    """Speak an utterance again, to listen to it: the very sound that its features were computed from.

    Returns:
        `(samples,)` float32 within -1 and 1, at `SAMPLE_RATE`; sample 0 is time 0 of the phonemes.

    Raises:
        EspeakError: see `espeak.speak`.
    """
    return _sound(utterance)[0]


def cut_sound(samples: np.ndarray, start_ms: float, end_ms: float) -> np.ndarray:
    """Cut a piece out of a sound at `SAMPLE_RATE`, such as the time under one phoneme."""
    start, end = (max(0, round(time * SAMPLE_RATE / 1000)) for time in (start_ms, end_ms))
    return samples[start:end]


def _sound(utterance: Utterance) -> tuple[np.ndarray, tuple[Phoneme, ...]]:
    speech = speak(
        utterance.text,
        voice=utterance.voice,
        words_per_minute=utterance.words_per_minute,
        pitch=utterance.pitch,
    )
    lead = utterance.lead_ms
    voice = np.concatenate(
        [np.zeros(SAMPLE_RATE * lead // 1000, np.float32), to_sample_rate(speech.samples, speech.rate)]
    )
    sound = np.clip(voice + _noise(utterance, len(voice)), -1, 1).astype(np.float32)
    timed = phonemes_of_events(speech.events, speech.end_ms)
    return sound, tuple(Phoneme(p.symbol, p.start_ms + lead, p.end_ms + lead) for p in timed)


def to_sample_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    """Bring a sound to `SAMPLE_RATE` and to the level that all voices here have.

    Args:
        samples: `(samples,)` of any scale.
        rate: samples per second.

    Returns:
        `(samples,)` float32.

    Raises:
        ValueError: if there is no sample, or it is not one channel.
    """
    if np.ndim(samples) != 1 or len(samples) == 0:
        raise ValueError(f"samples has the shape {np.shape(samples)}; expected one channel with at least one sample.")
    from scipy.signal import resample_poly

    common = gcd(rate, SAMPLE_RATE)
    up, down = SAMPLE_RATE // common, rate // common
    voice = resample_poly(np.asarray(samples, np.float32), up, down, window=_low_pass(max(up, down)))
    level = float(np.sqrt(np.mean(voice**2)))
    return (voice * (_LEVEL / level if level > 0 else 1.0)).astype(np.float32)


@cache
def _low_pass(factor: int) -> np.ndarray:
    from scipy.signal import firwin

    return (
        firwin(20 * factor + 1, 1.0 / factor, window=("kaiser", 5.0)).astype(np.float32) if factor > 1 else np.ones(1)
    )


def _noise(utterance: Utterance, samples: int) -> np.ndarray:
    from scipy.signal import lfilter

    seed = int.from_bytes(hashlib.sha256(f"noise {utterance.key} {utterance.text}".encode()).digest()[:8])
    white = np.random.default_rng(seed).standard_normal(samples, dtype=np.float32)
    deep = lfilter([1.0], [1.0, -0.95], white).astype(np.float32)
    mixed = utterance.hiss * white + (1 - utterance.hiss) * deep / np.float32(3.2)
    return mixed * np.float32(_LEVEL * 10 ** (-utterance.noise_db / 20) / np.sqrt(np.mean(mixed**2)))
