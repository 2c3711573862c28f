"""Words to numbers and back: the vocabulary, and words of a real sentence."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from course_utils.data.normalise import ELIDED, LETTERS, normalise

PAD, UNKNOWN, BEGIN, END = 0, 1, 2, 3
SPECIAL_WORDS = ("<pad>", "<unk>", "<s>", "</s>")


class Vocabulary:
    """A two-way map between words and ids, which are given in order; ids 0 … 3 are padding, unknown, begin and end.

    Raises:
        ValueError: if a word occurs twice or is one of the special words.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = (*SPECIAL_WORDS, *words)
        self._ids = {word: index for index, word in enumerate(self.words)}
        if len(self._ids) != len(self.words):
            twice = [word for word, count in Counter(self.words).items() if count > 1]
            raise ValueError(f"words holds {twice[:5]} twice or uses a special word; expected distinct words.")

    @classmethod
    def from_sentences(
        cls, sentences: Iterable[Sequence[str]], minimum_count: int = 1, maximum_size: int | None = None
    ) -> "Vocabulary":
        """Collect the words of tokenised training sentences, most frequent first, ties in alphabetical order.

        Words rarer than `minimum_count`, and those beyond `maximum_size`, become the unknown word. If no word is left,
        that is a ValueError.
        """
        counts = Counter(word for sentence in sentences for word in sentence)
        words = sorted((w for w, n in counts.items() if n >= minimum_count), key=lambda word: (-counts[word], word))
        if not words:
            few = f"no word occurs {minimum_count} times or more in sentences; expected a non-empty corpus"
            raise ValueError(f"{few}. Check the corpus or lower minimum_count.")
        return cls(words[:maximum_size])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.words == other.words

    def encode(self, words: Sequence[str], *, strict: bool = False) -> list[int]:
        """Turn words into ids; unknown words have the id of `<unk>`.

        Raises:
            TypeError: if `words` is a string, which would be read letter by letter.
            KeyError: if `strict` and a word is unknown; names the words.
        """
        if isinstance(words, str):
            raise TypeError(f"words is the string {words!r}; expected a sequence of words. Tokenise it first.")
        if strict and (unknown := self.unknown_words(words)):
            raise KeyError(f"unknown words {unknown}; expected words of the training vocabulary ({len(self)} entries).")
        return [self._ids.get(word, UNKNOWN) for word in words]

    def unknown_words(self, words: Sequence[str]) -> list[str]:
        """List the words that `encode` would replace by `<unk>`."""
        return [word for word in words if word not in self._ids]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Turn ids into words, special words included. An IndexError says that there is no such id."""
        ids = list(ids)
        if outside := [index for index in ids if not 0 <= index < len(self)]:
            raise IndexError(f"ids holds {outside[:5]}; expected 0 to {len(self) - 1}. Was another vocabulary used?")
        return [self.words[index] for index in ids]


_WORDS = rf"{LETTERS}(?:(?:[-'.&]|(?<=\d)[,:](?=\d)){LETTERS})*|[^\w\s]"
_PATTERNS = {"fr": re.compile(rf'{ELIDED}(?=["«(]?\w|$)|{_WORDS}'), "en": re.compile(_WORDS)}
_ELISION = re.compile(ELIDED)
_ATTACHED_BEFORE, _ATTACHED_AFTER = frozenset(".,;:!?%°)]}»…/="), frozenset("([{«#$/=")
_CLITICS = frozenset({"d", "em", "ll", "m", "re", "s", "t", "ve"})


def tokenize_sentence(text: str, language: str) -> list[str]:
    """Split a real sentence into lower-case words and marks: the words of `normalise`, see there.

    Compounds and words with an apostrophe inside are one word (chef-d'œuvre, aujourd'hui, rock'n'roll, o'clock), and
    so are 10,000 and 11:27. `join_words` writes the sentence again. The language "fr" splits elided words off ("l'",
    "homme"); any other leaves them ("man's").
    """
    return _PATTERNS["fr" if language == "fr" else "en"].findall(normalise(text).lower())


def join_words(words: Iterable[str]) -> str:
    """Write words as text again: no space before a comma, or after an elided word or an opening bracket.

    Quotation marks open and close by turns. An apostrophe that stands alone belongs to the word before it (the girls'
    game), to a shortened verb after it (they 're), or quotes like any other mark where another one follows.
    """
    words, text, attached, opened = list(words), "", True, set()
    for place, word in enumerate(words):
        before = word in _ATTACHED_BEFORE or (word.startswith("-") and word != "-")
        after = word in _ATTACHED_AFTER or bool(_ELISION.fullmatch(word))
        if word in ('"', "'"):
            rest = words[place + 1 :]
            if word == "'" and word not in opened and _CLITICS.intersection(rest[:1]):
                before, after = False, True
            else:
                owned = word == "'" and text.endswith("s") and rest.count(word) % 2 == 0
                before = word in opened or word not in rest or owned
                after = not before
                (opened.discard if before else opened.add)(word)
        text += word if before or attached else f" {word}"
        attached = after
    return text
