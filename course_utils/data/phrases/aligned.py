"""French words, their English, and the links between them: of one word, of a fragment, of a whole phrase.

Phrases are composed of smaller pairs and their links with them; nothing is aligned afterwards. After Och & Ney (2003),
https://aclanthology.org/J03-1002, section 4, a link is *sure* where one English word translates one French word by
itself (`house` and `maison`). It is only *possible* where several French words make one English word (`quatre -vingt
-dix` → `ninety`) or words share their meaning out differently (`soixante -quatorze` → `seventy -four`), from an English
helper word to the French word that calls for it (`one` in `one hundred` ← `cent`), and from a silent French word to the
English word it goes with (`et` in `vingt et un`). A target word has at most one sure link, so one link per target word
can reach an alignment error rate of zero.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import accumulate, product
from typing import NamedTuple

from course_utils.data.text import join_words, tokenize_sentence

Links = frozenset[tuple[int, int]]
_LINKS = [[(row, column) for column in range(200)] for row in range(400)]  # thousands of phrases share these tuples


class AlignedPair(NamedTuple):
    """Words of two languages and how they are aligned.

    Attributes:
        source, target: French and English words.
        sure: links `(target index, source index)`, counted from 0; none where nobody aligned the pair.
        possible: all links, the sure ones included.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    sure: Links = frozenset()
    possible: Links = frozenset()

    @property
    def reference(self) -> str:
        """The English as text: what BLEU compares with."""
        return join_words(self.target)


Helper = tuple[Sequence[str], Sequence[tuple[int, int]]]
"""English words that belong to no pair, and the (pair, French word in that pair) places that call for them."""


def tokenize_phrase(text: str, language: str) -> tuple[str, ...]:
    """Words of `tokenize_sentence`, but compounds are cut before each hyphen, and "1er" is read as "premier".

    Raises:
        ValueError: if `text` is not a string.
    """
    words = [part for word in tokenize_sentence(text, language) for part in re.findall("-?[^-]+|-", word)]
    return tuple("premier" if word == "1er" else word for word in words)


@cache
def word_for_word(french: str, english: str) -> AlignedPair:
    """Each French word is translated by the English word at the same place; there must be as many."""
    source, target = tokenize_phrase(french, "fr"), tokenize_phrase(english, "en")
    links = frozenset(zip(range(len(target)), range(len(source)), strict=True))
    return AlignedPair(source, target, links, links)


def jointly(french: str, english: str) -> AlignedPair:
    """The French words make the English words together: all links are possible, none is sure."""
    source, target = tokenize_phrase(french, "fr"), tokenize_phrase(english, "en")
    return AlignedPair(source, target, possible=frozenset(product(range(len(target)), range(len(source)))))


@cache
def with_silent(pair: AlignedPair, *, before: str = "", after: str = "") -> AlignedPair:
    """Add French words that English leaves out, each with a possible link to the nearest English word."""
    first, last = tokenize_phrase(before, "fr"), tokenize_phrase(after, "fr")
    whole = compose([AlignedPair(first, ()), pair, AlignedPair(last, ())])
    silent = [(0, j) for j in range(len(first))]
    silent += [(len(pair.target) - 1, len(whole.source) - j) for j in range(1, len(last) + 1)]
    return whole._replace(possible=whole.possible.union(silent))


@cache
def with_helper(pair: AlignedPair, before: str) -> AlignedPair:
    """Put English words in front that French does not say, each with a possible link to the first French word."""
    return compose([pair], [(tokenize_phrase(before, "en"), [(0, 0)]), 0])


def compose(pairs: Sequence[AlignedPair], english: Sequence[int | Helper] | None = None) -> AlignedPair:
    """Join pairs in French order; `english` has an index of a pair or a `Helper` for each part of the English."""
    starts = list(accumulate((len(pair.source) for pair in pairs), initial=0))
    target: list[str] = []
    sure: list[tuple[int, int]] = []
    possible: list[tuple[int, int]] = []
    for part in range(len(pairs)) if english is None else english:
        row = len(target)
        if isinstance(part, int):
            (_, words, sure_links, links), start = pairs[part], starts[part]
            sure += [_LINKS[row + i][start + j] for i, j in sure_links]
            possible += [_LINKS[row + i][start + j] for i, j in links]
        else:
            words, causes = part
            possible += [_LINKS[row + i][starts[pair] + j] for i in range(len(words)) for pair, j in causes]
        target += words
    source = tuple([word for pair in pairs for word in pair.source])
    return AlignedPair(source, tuple(target), frozenset(sure), frozenset(possible))
