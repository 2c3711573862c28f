"""Utterances: a few words, a speaker, a speed, a pitch, some noise, and when each phoneme sounds.

utterances = sample_utterances(3, split="test")   # what will be said, and how; costs nothing
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
from random import Random

import numpy as np

from course_utils.data.speech.espeak import Event, speak
from course_utils.data.speech.features import SAMPLE_RATE, utterance_features
from course_utils.data.speech.phonemes import Phoneme, phonemes_of_events
from course_utils.data.words_of_things import pick

TRAINING_SPEAKERS = (
    "en-us", "en-us+m5", "en-us+m7", "en-us+f4", "en-us+linda", "en-us+edward",
    "en-gb", "en-gb+m3", "en-gb+f1", "en-gb+steph", "en-gb-x-rp+m6", "en-gb-x-rp+f4",
    "en-029+m1", "en-029+linda", "en-gb-scotland+m4", "en-gb-x-gbclan+m2",
)  # fmt: skip
"""Accents of the United States, Britain, the Caribbean, Scotland and Lancashire, with variants of man and woman."""
UNSEEN_SPEAKERS = (
    "en-us+m4",
    "en-gb+belinda",
    "en-gb-x-rp+zac",
    "en-us+klatt4",
)  # the last by another method of synthesis
SPLITS = {split: split for split in ("train", "validation", "test")}
SPLITS |= {"unseen phrases": "train", "unseen speakers": "test"}  # → the split of their words; see `sample_utterances`
_MADE_UP_SHARE = 0.4  # of the words in training
_LEVEL = 0.08  # root mean square of the speech before noise, of a full scale of 1
_WORD_COUNTS = (1, 2, 2, 2, 3, 3)
SHORTEST, LONGEST = 3, 10  # letters of a word
FAMILY_LETTERS = 4  # words that share so many first letters belong to one split
# Symbols and pictographs, without places that were still empty in Unicode 14.
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
    """What is said, and how; of a recording only words, speaker and key are known."""

    words: tuple[str, ...]  # lower case
    speaker: str  # of the synthesizer, its voice: see `espeak.speak`
    words_per_minute: int = 175
    pitch: int = 50  # 0 to 100, 50 is the speaker's own
    noise_db: float = 30.0  # how far the noise lies below the speech, decibels
    hiss: float = 0.5  # 0 = deep noise, 1 = all frequencies alike
    lead_ms: int = 40  # silence (but for the noise) before the speech
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
    """All real words, in lower case and alphabetical order."""
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
    percent = hashed(f"word {word.lower()[:FAMILY_LETTERS]}") % 100
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
        first, second = (pick(random, words) for _ in range(2))
        word = first[: _VOWEL.search(first).end()] + second[_VOWEL.search(second).end() :]
        fits = SHORTEST <= len(word) <= LONGEST and not _UNSPEAKABLE.fullmatch(word)
        if fits and split_of_word(word) == "train" and word not in word_list():
            return word


def sample_utterances(count: int, *, split: str = "train", seed: int = 0) -> list[Utterance]:
    """Sample what is to be said; a `ValueError` if the split is none of `SPLITS`.

    "train" has training words (real and made up) and training speakers. "unseen phrases" has real training words, in
    combinations that training never has. "validation" and "test" have held-out words of training speakers;
    "unseen speakers" has the words of "test" of `UNSEEN_SPEAKERS`.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(SPLITS)}.")
    return [_sample(split, seed, index) for index in range(count)]


def phrase_is_held_out(words: tuple[str, ...]) -> bool:
    """Tell whether a combination of words belongs to "unseen phrases"; in whatever order, about one in ten does."""
    return len(words) > 1 and hashed(f"phrase {' '.join(sorted(words))}") % 10 == 0


def hashed(text: str) -> int:
    """A whole number below 2⁶⁴ that is the same for a text on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def _sample(split: str, seed: int, index: int) -> Utterance:
    stream = f"{split.replace('speakers', 'voices')} {seed} {index}"  # the seeds of results must not change with names
    random = Random(f"spoken {stream}")
    known = words_of_split(SPLITS[split])
    while True:
        made_up = [split == "train" and random.random() < _MADE_UP_SHARE for _ in range(pick(random, _WORD_COUNTS))]
        words = tuple(made_up_word(random) if new else pick(random, known) for new in made_up)
        if SPLITS[split] != "train" or phrase_is_held_out(words) == (split == "unseen phrases"):
            break
    return Utterance(
        words=words,
        speaker=pick(random, UNSEEN_SPEAKERS if split == "unseen speakers" else TRAINING_SPEAKERS),
        words_per_minute=140 + int(random.random() * 81),
        pitch=30 + int(random.random() * 41),
        noise_db=round(12 + random.random() * 23, 1),
        hiss=round(random.random(), 2),
        lead_ms=int(random.random() * 120),
        key=stream,
    )


def speak_utterance(utterance: Utterance) -> SpokenUtterance:
    """Synthesize an utterance (see `espeak.speak`), add its noise, and compute features and gold boundaries."""
    (sound, events), lead = _sound(utterance), utterance.lead_ms
    phonemes = (Phoneme(p.symbol, p.start_ms + lead, p.end_ms + lead) for p in phonemes_of_events(events))
    return SpokenUtterance(utterance, utterance_features(sound), tuple(phonemes))


def waveform(utterance: Utterance) -> np.ndarray:
    """Speak an utterance again: the sound of its features, `(samples,)` float32 within -1 and 1, at `SAMPLE_RATE`."""
    return _sound(utterance)[0]


def _sound(utterance: Utterance) -> tuple[np.ndarray, tuple[Event, ...]]:
    how = {"words_per_minute": utterance.words_per_minute, "pitch": utterance.pitch}
    samples, rate, events = speak(utterance.text, voice=utterance.speaker, **how)
    speech = np.pad(to_sample_rate(samples, rate), (SAMPLE_RATE * utterance.lead_ms // 1000, 0))
    return np.clip(speech + _noise(utterance, len(speech)), -1, 1).astype(np.float32), events


def to_sample_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    """Bring `(samples,)` of any scale to `SAMPLE_RATE`, to the level that all speech here has, and to float32."""
    from scipy.signal import resample_poly

    speech = resample_poly(np.asarray(samples, np.float32), SAMPLE_RATE, rate)
    level = float(np.sqrt(np.mean(speech**2)))
    return (speech * (_LEVEL / level if level > 0 else 1.0)).astype(np.float32)


def _noise(utterance: Utterance, samples: int) -> np.ndarray:
    from scipy.signal import lfilter

    random = np.random.default_rng(hashed(f"noise {utterance.key} {utterance.text}"))
    white = random.standard_normal(samples, dtype=np.float32)
    deep = lfilter([1.0], [1.0, -0.95], white).astype(np.float32)
    mixed = utterance.hiss * white + (1 - utterance.hiss) * deep / np.float32(3.2)
    return mixed * np.float32(_LEVEL * 10 ** (-utterance.noise_db / 20) / np.sqrt(np.mean(mixed**2)))
