"""Words to numbers and back: vocabulary, padding, batches of similar length."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.data.normalise import ELIDED, LETTERS, normalise

PAD, UNKNOWN, BEGIN, END = 0, 1, 2, 3
SPECIAL_WORDS = ("<pad>", "<unk>", "<s>", "</s>")


class Vocabulary:
    """A two-way map between words and ids; ids 0 … 3 are padding, unknown, begin and end.

    Args:
        words: the words, most frequent first; ids are given in this order.

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
        """Collect the words of tokenised sentences, most frequent first, ties in alphabetical order.

        Args:
            sentences: sequences of words. Give it the training split only.
            minimum_count: rarer words become the unknown word.
            maximum_size: most words to keep besides the four special ones.

        Raises:
            ValueError: if no word is left.
        """
        counts = Counter(word for sentence in sentences for word in sentence)
        words = sorted((w for w, n in counts.items() if n >= minimum_count), key=lambda word: (-counts[word], word))
        if not words:
            raise ValueError(
                f"no word occurs {minimum_count} times or more in sentences; expected a non-empty corpus. "
                "Check the corpus or lower minimum_count."
            )
        return cls(words[:maximum_size])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.words == other.words

    __hash__ = None

    def encode(self, words: Sequence[str], *, strict: bool = False) -> list[int]:
        """Turn words into ids.

        Args:
            words: a tokenised sentence (a plain string would be read letter by letter, so it is refused).
            strict: refuse unknown words instead of giving them the id of `<unk>`.

        Raises:
            TypeError: if `words` is a string.
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
        """Turn ids into words, special words included.

        Raises:
            IndexError: if an id is negative or not below the size of the vocabulary.
        """
        ids = list(ids)
        outside = [index for index in ids if not 0 <= index < len(self.words)]
        if outside:
            raise IndexError(
                f"ids holds {outside[:5]}; expected 0 to {len(self.words) - 1}. Was another vocabulary used?"
            )
        return [self.words[index] for index in ids]


def pad_sequences(sequences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Stack sequences of ids, padded at the right end.

    Returns:
        ids `(batch, longest)` and mask `(batch, longest)` booleans, True = real token.

    Raises:
        ValueError: if there is no sequence, or one is empty.
    """
    lengths = [len(sequence) for sequence in sequences]
    if not lengths or min(lengths) == 0:
        empty = [index for index, length in enumerate(lengths) if length == 0]
        raise ValueError(
            f"sequences has {len(lengths)} entries, empty at {empty[:5]}; expected at least one and none empty. "
            "Drop empty sentences first."
        )
    longest = max(lengths)
    ids = torch.tensor([[*sequence, *[PAD] * (longest - len(sequence))] for sequence in sequences])
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    return ids, mask


class PairBatch(NamedTuple):
    """A batch of sentence pairs.

    Attributes:
        source: `(batch, source_length)` ids.
        source_mask: the same shape, True = real token.
        target_input: `(batch, target_length)` ids, begin symbol first: what the decoder reads.
        target_output: `(batch, target_length)` ids, end symbol last: what it should say.
        target_mask: `(batch, target_length)`, True = real token, the end symbol included.
    """

    source: Tensor
    source_mask: Tensor
    target_input: Tensor
    target_output: Tensor
    target_mask: Tensor

    def to(self, device: torch.device | str) -> "PairBatch":
        """Move every tensor to a device."""
        return PairBatch(*(tensor.to(device) for tensor in self))


def make_pair_batch(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> PairBatch:
    """Pad encoded (source, target) pairs and add the begin and end symbols to the target.

    Raises:
        ValueError: if there is no pair, or a source is empty (an empty target is fine).
    """
    source, source_mask = pad_sequences([source for source, _ in pairs])
    target, target_mask = pad_sequences([[BEGIN, *target, END] for _, target in pairs])
    # Shifting the mask by one drops one real token from each row: the end from the input, the begin from the output.
    target_mask = target_mask[:, 1:]
    return PairBatch(source, source_mask, target[:, :-1].masked_fill(~target_mask, PAD), target[:, 1:], target_mask)


def batches_by_length(
    pairs: Sequence[tuple[Sequence[int], Sequence[int]]],
    batch_size: int,
    *,
    seed: int,
    maximum_tokens: int | None = None,
    window: int = 4000,
) -> Iterator[PairBatch]:
    """Yield one epoch of shuffled batches whose sentences have similar lengths.

    Shuffled pairs are sorted by length within windows, cut into batches, and the batches shuffled: little
    padding, and still a different grouping in every epoch (give each epoch its own seed).

    Args:
        pairs: encoded (source, target) pairs.
        batch_size: most pairs per batch.
        seed: decides the order.
        maximum_tokens: most source tokens per batch (a single longer sentence still makes a batch), so that
            batches of long sentences cost no more than batches of short ones; None = no limit.
        window: pairs that are sorted together.

    Raises:
        ValueError: if there is no pair or a size is below 1.
    """
    if not pairs or batch_size < 1 or window < 1:
        raise ValueError(
            f"got {len(pairs)} pairs, batch_size {batch_size} and window {window}; expected at least 1 of each."
        )
    shuffler = random.Random(seed)
    order = list(range(len(pairs)))
    shuffler.shuffle(order)
    batches: list[list[int]] = []
    for start in range(0, len(order), window):
        batch: list[int] = []
        tokens = 0
        for index in sorted(order[start : start + window], key=lambda i: (len(pairs[i][0]), len(pairs[i][1]))):
            length = len(pairs[index][0])
            if batch and (len(batch) == batch_size or (maximum_tokens and tokens + length > maximum_tokens)):
                batches.append(batch)
                batch, tokens = [], 0
            batch.append(index)
            tokens += length
        batches.append(batch)
    shuffler.shuffle(batches)
    for batch in batches:
        yield make_pair_batch([pairs[index] for index in batch])


_WORDS = rf"{LETTERS}(?:(?:[-'.&]|(?<=\d)[,:](?=\d)){LETTERS})*|[^\w\s]"
_PATTERNS = {"fr": re.compile(rf'{ELIDED}(?=["«(]?\w)|{_WORDS}'), "en": re.compile(_WORDS)}
_ELISION = re.compile(ELIDED)
_ATTACHED_BEFORE, _ATTACHED_AFTER = frozenset(".,;:!?%°)]}»…/="), frozenset("([{«#$/=")
_CLITICS = frozenset({"d", "em", "ll", "m", "re", "s", "t", "ve"})


def tokenize_sentence(text: str, language: str) -> list[str]:
    """Split a real sentence into lower-case words and marks: the words of `normalise`, see there.

    Compounds and words with an apostrophe inside are one word (chef-d'œuvre, aujourd'hui, rock'n'roll, o'clock), and
    so are 10,000 and 11:27. `join_words` writes the sentence again.

    Args:
        text: any text.
        language: "fr" splits elided words off ("l'", "homme"); any other leaves them ("man's").
    """
    return _PATTERNS["fr" if language == "fr" else "en"].findall(normalise(text).lower())


def join_words(words: Iterable[str]) -> str:
    """Write words as text again: no space before a comma, or after an elided word or an opening bracket.

    Quotation marks open and close by turns. An apostrophe that stands alone belongs to the word before it (the girls'
    game), to a shortened verb after it (they 're), or quotes like any other mark where another one follows.
    """
    words, text, attached, opened = list(words), "", True, set()
    for place, word in enumerate(words):
        before, after = word in _ATTACHED_BEFORE, word in _ATTACHED_AFTER or bool(_ELISION.fullmatch(word))
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
