"""Utterances: a few words, a voice, a speed, a pitch, some noise, and when each phoneme sounds.

utterances = draw_utterances(3, split="test")     # what will be said, and how; costs nothing
spoken = speak_utterance(utterances[0])           # phonemes with their times, and features
sound = waveform(utterances[0])                   # the same sound, to listen to

Everything follows from split, seed and position, so that a smaller count is the beginning of a larger one and an
utterance can be spoken again at any time.

The words are some 3,400 English ones, and made-up ones to train on. Their sources: Python's table of characters
("PEACH", "ANGRY FACE"; such names never change, and every Python has those of Unicode 14), English names in Babel's
CLDR, and scikit-learn's list of small words (licences: Unicode, BSD-3-Clause). A recognizer that has heard a word often
recites it; so words, not only utterances, are held out. Words that begin alike ("ball", "balloon") stay together, or
half of a held-out word would have been heard in training.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from math import gcd
from random import Random

import numpy as np

from course_utils.data.speech.espeak import Event, speak
from course_utils.data.speech.features import SAMPLE_RATE, utterance_features
from course_utils.data.speech.phonemes import Phoneme, phonemes_of_events

TRAINING_VOICES = (
    "en-us", "en-us+m5", "en-us+m7", "en-us+f4", "en-us+linda", "en-us+edward",
    "en-gb", "en-gb+m3", "en-gb+f1", "en-gb+steph", "en-gb-x-rp+m6", "en-gb-x-rp+f4",
    "en-029+m1", "en-029+linda", "en-gb-scotland+m4", "en-gb-x-gbclan+m2",
)  # fmt: skip
"""Accents of the United States, Britain, the Caribbean, Scotland and Lancashire, with variants of man and woman."""
UNSEEN_VOICES = ("en-us+m4", "en-gb+belinda", "en-gb-x-rp+zac", "en-us+klatt4")
"""Held out. The last is made by another method of synthesis and sounds unlike any of the others."""
SPLITS = {"train": "train", "validation": "validation", "test": "test"}
SPLITS |= {"unseen phrases": "train", "unseen voices": "test"}
"""Splits of utterances → the split of their words; see `draw_utterances`."""

_MADE_UP_SHARE = 0.4  # of the words in training
_LEVEL = 0.08  # root mean square of every voice before noise, of a full scale of 1
_WORD_COUNTS = (1, 2, 2, 2, 3, 3)
SHORTEST, LONGEST = 3, 10  # letters of a word
FAMILY_LETTERS = 4  # words that share so many first letters belong to one split
# Symbols and pictures, without places that were still empty in Unicode 14.
_CHARACTERS = (
    (0x2010, 0x2064), (0x2100, 0x218B), (0x2190, 0x2426), (0x2440, 0x244A), (0x2460, 0x2B73), (0x2B76, 0x2B95),
    (0x2B97, 0x2BFF), (0x1F000, 0x1F02B), (0x1F030, 0x1F093), (0x1F0A0, 0x1F0AE), (0x1F100, 0x1F1AD),
    (0x1F1E6, 0x1F202), (0x1F210, 0x1F23B), (0x1F300, 0x1F6D7), (0x1F6DD, 0x1F6EC), (0x1F6F0, 0x1F6FC),
    (0x1F700, 0x1F773), (0x1F780, 0x1F7D8), (0x1F7E0, 0x1F7EB), (0x1F900, 0x1FA53), (0x1FA60, 0x1FA6D),
    (0x1FA70, 0x1FA74), (0x1FA78, 0x1FA7C), (0x1FA80, 0x1FA86), (0x1FA90, 0x1FAAC), (0x1FAB0, 0x1FABA),
    (0x1FAC0, 0x1FAC5), (0x1FAD0, 0x1FAD9), (0x1FAE0, 0x1FAE7), (0x1FAF0, 0x1FAF6),
)  # fmt: skip
_WORD = re.compile(rf"(?<![\w'’.-])[a-z]{{{SHORTEST},{LONGEST}}}(?![\w'’.-])")
_VOWEL = re.compile("[aeiouy]+")
_UNSPEAKABLE = re.compile(  # read letter by letter or as a number: a vowel or a consonant lacks, Roman, abbreviations
    "[aeiouy]*|[^aeiouy]*|.*[^aeiouy]{4}.*|[ivxlcdm]*|atm|cjk|dna|ufo|usb|gps|cia"
)


@dataclass(frozen=True)
class Utterance:
    """What is said, and how; of a recording only words, voice (the speaker) and key are known."""

    words: tuple[str, ...]  # lower case
    voice: str
    words_per_minute: int = 175
    pitch: int = 50  # 0 to 100, 50 is the voice's own
    noise_db: float = 30.0  # how far the noise lies below the voice, decibels
    hiss: float = 0.5  # 0 = deep noise, 1 = all frequencies alike
    lead_ms: int = 40  # silence (but for the noise) before the voice
    key: str = ""  # decides the noise

    @property
    def text(self) -> str:
        """What the synthesizer reads."""
        return " ".join(self.words)


@dataclass(frozen=True, eq=False)
class SpokenUtterance:
    """An utterance that was spoken, by the synthesizer or by somebody who was recorded."""

    utterance: Utterance
    features: np.ndarray  # (frames, MELS) float16, one frame every 10 ms, normalized
    phonemes: tuple[Phoneme, ...]  # with their times in ms from the first frame on; () where nobody knows them
    said: tuple[str, ...] = ()  # the phonemes without times, of a recording
    samples: np.ndarray | None = None  # (samples,) int16 at `SAMPLE_RATE`, of a recording
    word_times: tuple[tuple[str, float, float], ...] = ()  # word, begin, end in ms; () where nobody knows them

    @property
    def symbols(self) -> tuple[str, ...]:
        """The phonemes without their times: what the recognizer should write."""
        return self.said or tuple(phoneme.symbol for phoneme in self.phonemes)


@cache
def word_list() -> tuple[str, ...]:
    """All real words, in alphabetical order: lower case, `SHORTEST` to `LONGEST` letters, each with a vowel."""
    from babel import Locale
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    names = [unicodedata.name(chr(code), "") for low, high in _CHARACTERS for code in range(low, high + 1)]
    english = Locale("en")
    for table in (english.territories, english.languages, english.scripts, english.currencies):
        names += [str(name) for name in table.values()]
    found = {word for name in (*names, *ENGLISH_STOP_WORDS) for word in _WORD.findall(name.lower())}
    return tuple(sorted(word for word in found if not _UNSPEAKABLE.fullmatch(word)))


def split_of_word(word: str) -> str:
    """The split of a word, real or made up: train, validation, test 80 : 8 : 12 by a hash of its first letters."""
    digest = hashlib.sha256(f"word {word.lower()[:FAMILY_LETTERS]}".encode()).digest()
    percent = int.from_bytes(digest[:8]) % 100
    return "train" if percent < 80 else "validation" if percent < 88 else "test"


@cache
def words_of_split(split: str) -> tuple[str, ...]:
    """Real words of "train", "validation" or "test", in alphabetical order."""
    return tuple(word for word in word_list() if split_of_word(word) == split)


def made_up_word(random: Random) -> str:
    """Join the beginning of one training word to the end of another: "llama" and "kitchen" make "llatchen".

    There are millions of them; none is a real word of the list, and none begins like a held-out word.
    """
    words = words_of_split("train")
    while True:
        first, second = (words[int(random.random() * len(words))] for _ in range(2))
        word = first[: _VOWEL.search(first).end()] + second[_VOWEL.search(second).end() :]
        if (
            SHORTEST <= len(word) <= LONGEST
            and split_of_word(word) == "train"
            and word not in word_list()
            and not _UNSPEAKABLE.fullmatch(word)
        ):
            return word


def draw_utterances(count: int, *, split: str = "train", seed: int = 0) -> list[Utterance]:
    """Draw what is to be said, so many of them.

    "train" has training words (real and made up) and training voices. "unseen phrases" has real training words, in
    combinations that training never has. "validation" and "test" have held-out words in training voices; "unseen
    voices" has the words of "test" in `UNSEEN_VOICES`.

    Raises:
        ValueError: if the split is none of `SPLITS`.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(SPLITS)}.")
    return [_draw(split, seed, index) for index in range(count)]


def phrase_is_held_out(words: tuple[str, ...]) -> bool:
    """Tell whether a combination of words belongs to "unseen phrases"; in whatever order, about one in ten does."""
    digest = hashlib.sha256(f"phrase {' '.join(sorted(words))}".encode()).digest()
    return len(words) > 1 and int.from_bytes(digest[:8]) % 10 == 0


def _draw(split: str, seed: int, index: int) -> Utterance:
    random = Random(f"spoken {split} {seed} {index}")

    def one_of(choices: tuple) -> object:
        return choices[int(random.random() * len(choices))]

    known = words_of_split(SPLITS[split])
    while True:
        made_up = [split == "train" and random.random() < _MADE_UP_SHARE for _ in range(one_of(_WORD_COUNTS))]
        words = tuple(made_up_word(random) if new else one_of(known) for new in made_up)
        if SPLITS[split] != "train" or phrase_is_held_out(words) == (split == "unseen phrases"):
            break
    return Utterance(
        words=words,
        voice=one_of(UNSEEN_VOICES if split == "unseen voices" else TRAINING_VOICES),
        words_per_minute=140 + int(random.random() * 81),
        pitch=30 + int(random.random() * 41),
        noise_db=round(12 + random.random() * 23, 1),
        hiss=round(random.random(), 2),
        lead_ms=int(random.random() * 120),
        key=f"{split} {seed} {index}",
    )


def speak_utterance(utterance: Utterance) -> SpokenUtterance:
    """Synthesize an utterance (see `espeak.speak`), add its noise, and compute features and gold boundaries."""
    sound, events = _sound(utterance)
    lead = utterance.lead_ms
    phonemes = (Phoneme(p.symbol, p.start_ms + lead, p.end_ms + lead) for p in phonemes_of_events(events))
    return SpokenUtterance(utterance, utterance_features(sound), tuple(phonemes))


def waveform(utterance: Utterance) -> np.ndarray:
    """Speak an utterance again: the sound of its features, `(samples,)` float32 within -1 and 1, at `SAMPLE_RATE`."""
    return _sound(utterance)[0]


def _sound(utterance: Utterance) -> tuple[np.ndarray, tuple[Event, ...]]:
    how = {"words_per_minute": utterance.words_per_minute, "pitch": utterance.pitch}
    samples, rate, events = speak(utterance.text, voice=utterance.voice, **how)
    voice = np.pad(to_sample_rate(samples, rate), (SAMPLE_RATE * utterance.lead_ms // 1000, 0))
    return np.clip(voice + _noise(utterance, len(voice)), -1, 1).astype(np.float32), events


def to_sample_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    """Bring `(samples,)` of any scale to `SAMPLE_RATE`, to the level that all voices here have, and to float32."""
    from scipy.signal import resample_poly

    common = gcd(rate, SAMPLE_RATE)
    voice = resample_poly(np.asarray(samples, np.float32), SAMPLE_RATE // common, rate // common)
    level = float(np.sqrt(np.mean(voice**2)))
    return (voice * (_LEVEL / level if level > 0 else 1.0)).astype(np.float32)


def _noise(utterance: Utterance, samples: int) -> np.ndarray:
    from scipy.signal import lfilter

    seed = int.from_bytes(hashlib.sha256(f"noise {utterance.key} {utterance.text}".encode()).digest()[:8])
    white = np.random.default_rng(seed).standard_normal(samples, dtype=np.float32)
    deep = lfilter([1.0], [1.0, -0.95], white).astype(np.float32)
    mixed = utterance.hiss * white + (1 - utterance.hiss) * deep / np.float32(3.2)
    return mixed * np.float32(_LEVEL * 10 ** (-utterance.noise_db / 20) / np.sqrt(np.mean(mixed**2)))
