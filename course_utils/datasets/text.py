"""Words to numbers and back: vocabulary, padding, batches of similar length."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

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
            raise ValueError(f"words holds {twice[:5]} more than once or uses a special word; expected distinct words.")

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
            raise IndexError(f"ids holds {outside[:5]}; expected 0 to {len(self.words) - 1}. Was another vocabulary used?")
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
    pairs: Sequence[tuple[Sequence[int], Sequence[int]]], batch_size: int, *, seed: int, window: int = 50
) -> Iterator[PairBatch]:
    """Yield one epoch of shuffled batches whose sentences have similar lengths.

    Shuffled pairs are sorted by length within windows of `window` batches, and the batches shuffled: little
    padding, and still a different grouping in every epoch (give each epoch its own seed).

    Args:
        pairs: encoded (source, target) pairs.
        batch_size: pairs per batch; the last batch of a window may be smaller.
        seed: decides the order.
        window: batches per sorted window; 1 = no sorting.

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
    batches = []
    for start in range(0, len(order), batch_size * window):
        near = sorted(order[start : start + batch_size * window], key=lambda i: (len(pairs[i][0]), len(pairs[i][1])))
        batches += [near[i : i + batch_size] for i in range(0, len(near), batch_size)]
    shuffler.shuffle(batches)
    for batch in batches:
        yield make_pair_batch([pairs[index] for index in batch])
