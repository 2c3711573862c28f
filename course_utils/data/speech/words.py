"""The words that the synthesizer reads: some 3,400 English ones from installed packages, and made-up ones to train on.

Their sources are Python's own table of characters ("PEACH", "ANGRY FACE": such names never change, and only characters
of Unicode 14 are read, so every Python gives the same words), English names of countries, languages, scripts and
currencies in Babel's CLDR, and scikit-learn's list of small words. Unicode and CLDR are under the Unicode licence,
scikit-learn and Babel under BSD-3-Clause.

A recognizer that has heard a word often recites it; so words, not only utterances, are held out. Words that begin alike
("ball", "balloon") stay together, or half of a held-out word would have been heard in training.
"""

import hashlib
import re
import unicodedata
from functools import cache
from random import Random

WORD_SPLITS = ("train", "validation", "test")
SHORTEST, LONGEST = 3, 10
"""Letters of a word."""
FAMILY_LETTERS = 4
"""Words that share so many first letters belong to one split."""

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
_VOWEL, _CONSONANTS = re.compile("[aeiouy]+"), re.compile("[^aeiouy]{4}")
_ROMAN = re.compile("[ivxlcdm]+")
_SPELLED = frozenset(("atm", "cjk", "dna", "ufo", "usb", "gps", "cia"))  # read letter by letter


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
    return tuple(sorted(word for word in found if is_speakable(word)))


def is_speakable(word: str) -> bool:
    """Tell words from abbreviations and Roman numerals, which are read letter by letter or as numbers."""
    return bool(_VOWEL.search(word)) and not (
        _CONSONANTS.search(word) or _ROMAN.fullmatch(word) or word in _SPELLED or not re.search("[^aeiouy]", word)
    )


def split_of_word(word: str) -> str:
    """The split of a word, real or made up: 80 : 8 : 12 by a hash of its first letters."""
    family = word.lower()[:FAMILY_LETTERS]
    percent = int.from_bytes(hashlib.sha256(f"word {family}".encode()).digest()[:8]) % 100
    return "train" if percent < 80 else "validation" if percent < 88 else "test"


@cache
def words_of_split(split: str) -> tuple[str, ...]:
    """Real words of one split, in alphabetical order.

    Raises:
        ValueError: if there is no such split.
    """
    if split not in WORD_SPLITS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(WORD_SPLITS)}.")
    return tuple(word for word in word_list() if split_of_word(word) == split)


def made_up_word(random: Random) -> str:
    """Join the beginning of one training word to the end of another: "llama" and "kitchen" make "llatchen".

    There are millions of them, so they cannot be learned by heart; none is a real word of the list, and none begins
    like a held-out word.
    """
    words = words_of_split("train")
    while True:
        first, second = (words[int(random.random() * len(words))] for _ in range(2))
        head, tail = _VOWEL.search(first).end(), _VOWEL.search(second).end()
        word = first[:head] + second[tail:]
        if (
            SHORTEST <= len(word) <= LONGEST
            and split_of_word(word) == "train"
            and word not in _known_words()
            and is_speakable(word)
        ):
            return word


@cache
def _known_words() -> frozenset[str]:
    return frozenset(word_list())
