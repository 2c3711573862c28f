"""One kind of batch for every lesson: tensors with names, padded, of examples of similar length.

batch = make_pair_batch([([5, 6, 7], [8, 9]), ([4], [6])])
batch.source, batch.source_mask                        # (2, 3) each
for batch in data.batches(64, seed=0)(epoch=0): ...    # any lesson's data, a new order in every epoch
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from course_utils.data.text import BEGIN, END, PAD, Vocabulary


class Batch:
    """Tensors whose rows belong together, each with a name: `batch.source`, `batch.images`.

    Which names there are, and the shapes, say the functions that make batches. Masks are True where a token is real.

    Args:
        tensors: by name, all with the same number of rows.

    Raises:
        ValueError: if the numbers of rows differ.
    """

    def __init__(self, **tensors: Tensor) -> None:
        if len({len(tensor) for tensor in tensors.values()}) > 1:
            raise ValueError(f"the tensors have {[len(t) for t in tensors.values()]} rows; expected one number.")
        self.__dict__.update(tensors)

    def __getattr__(self, name: str) -> Tensor:
        raise AttributeError(f"this batch has no {name!r}; it has {', '.join(self.__dict__)}.")

    __iter__ = None  # else Python would take it for a sequence of its rows

    def __len__(self) -> int:
        return len(next(iter(self.__dict__.values())))

    def __getitem__(self, rows: Any) -> "Batch":
        """The batch with some of its rows: a slice, a mask, or a tensor of indices."""
        return Batch(**{name: tensor[rows] for name, tensor in self.__dict__.items()})

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in self.__dict__.items())
        return f"Batch({shapes})"

    def replace(self, **tensors: Tensor) -> "Batch":
        """The batch with other tensors under some names, or more of them."""
        return Batch(**{**self.__dict__, **tensors})

    def to(self, device: torch.device | str) -> "Batch":
        """The batch on a device."""
        return Batch(**{name: tensor.to(device) for name, tensor in self.__dict__.items()})


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


def make_target_batch(targets: Sequence[Sequence[int]]) -> Batch:
    """Pad what a decoder should say, and add begin and end symbols.

    Returns:
        `target_input` `(batch, target_length)` ids, begin symbol first: what the decoder reads; `target_output`, the
        same shape, end symbol last: what it should say; `target_mask`, True = real token, the end symbol included.

    Raises:
        ValueError: if there is no target (an empty one is fine).
    """
    target, mask = pad_sequences([[BEGIN, *target, END] for target in targets])
    # Shifting the mask by one drops one real token from each row: the end from the input, the begin from the output.
    mask = mask[:, 1:]
    return Batch(target_input=target[:, :-1].masked_fill(~mask, PAD), target_output=target[:, 1:], target_mask=mask)


def make_pair_batch(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Batch:
    """Pad encoded (source, target) pairs.

    Returns:
        `source` `(batch, source_length)` ids and `source_mask`, True = real token, with the tensors of
        `make_target_batch`.

    Raises:
        ValueError: if there is no pair, or a source is empty (an empty target is fine).
    """
    source, source_mask = pad_sequences([source for source, _ in pairs])
    targets = make_target_batch([target for _, target in pairs])
    return Batch(source=source, source_mask=source_mask, **vars(targets))


class ByLength(Sampler[list[int]]):
    """Indices of one epoch's batches, shuffled, each of examples with similar lengths.

    Shuffled examples are sorted by length within windows, cut into batches, and the batches shuffled: little padding,
    and still a different grouping in every epoch (give each epoch its own seed).

    Args:
        lengths: of each example, `(source, target)`; sources are sorted first.
        batch_size: most examples per batch.
        seed: decides the order.
        maximum_tokens: most source tokens per batch (a single longer example still makes a batch), so that batches of
            long ones cost no more than batches of short ones; None = no limit.
        window: examples that are sorted together; `batch_size` = none are sorted across batches.

    Raises:
        ValueError: if there is no example or a size is below 1.
    """

    def __init__(
        self,
        lengths: Sequence[tuple[int, int]],
        batch_size: int,
        *,
        seed: int,
        maximum_tokens: int | None = None,
        window: int = 4000,
    ) -> None:
        if not lengths or batch_size < 1 or window < 1:
            raise ValueError(
                f"got {len(lengths)} examples, batch_size {batch_size} and window {window}; expected 1 or more of each."
            )
        shuffler = random.Random(seed)
        order = list(range(len(lengths)))
        shuffler.shuffle(order)
        self.batches: list[list[int]] = []
        for start in range(0, len(order), window):
            batch: list[int] = []
            tokens = 0
            for index in sorted(order[start : start + window], key=lengths.__getitem__):
                length = lengths[index][0]
                if batch and (len(batch) == batch_size or (maximum_tokens and tokens + length > maximum_tokens)):
                    self.batches.append(batch)
                    batch, tokens = [], 0
                batch.append(index)
                tokens += length
            self.batches.append(batch)
        shuffler.shuffle(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


def batches_by_length(
    rows: Sequence[tuple], batch_size: int, *, collate: Callable[[list], Batch] = make_pair_batch, **order: Any
) -> Iterator[Batch]:
    """Yield one epoch of batches of similar length.

    Args:
        rows: encoded examples; the first two parts of each have a length, such as (source, target).
        batch_size: most rows per batch.
        collate: makes a batch of rows.
        order: `seed`, `maximum_tokens` and `window` of `ByLength`.

    Raises:
        ValueError: see `ByLength`.
    """
    sampler = ByLength([(len(row[0]), len(row[1])) for row in rows], batch_size, **order)
    # Its own generator: else the loader would take a number from the one that initialises models.
    return iter(DataLoader(rows, batch_sampler=sampler, collate_fn=collate, generator=torch.Generator()))


@dataclass
class LessonData:
    """What the experiments of a lesson need: three splits, the vocabulary, batches.

    A world's own class says what its examples are, and how they are encoded.

    Attributes:
        name: "default" or the name of a real set.
        vocabulary: of what the decoder says; ids do not depend on the number of examples.
        train: examples to learn from.
        validation: examples never trained on.
        test: examples of each test, by its name.
        credit: the line to print wherever the data are shown.
        draw: so many new training examples for a seed, `draw(count, seed=seed)`; None where there are none.
    """

    name: str
    vocabulary: Vocabulary
    train: Sequence[Any]
    validation: Sequence[Any]
    test: dict[Any, Sequence[Any]]
    credit: str
    draw: Callable[..., Sequence[Any]] | None = None

    @property
    def examples(self) -> list[Any]:
        """All test examples."""
        return [example for examples in self.test.values() for example in examples]

    def encode(self, examples: Sequence[Any]) -> list[tuple]:
        """Turn examples into rows of ids, see `batches_by_length`."""
        raise NotImplementedError(f"{type(self).__name__} must say how its examples are encoded.")

    def collate(self, rows: Sequence[tuple]) -> Batch:
        """Make a batch of encoded examples."""
        return make_pair_batch(rows)

    def batches(self, batch_size: int, seed: int, **order: Any) -> Callable[[int], Iterator[Batch]]:
        """Make the function that gives `training.train` the batches of each epoch: all training examples, shuffled.

        Args:
            batch_size: most examples in a batch.
            seed: decides the order of every epoch.
            order: `maximum_tokens` and `window` of `ByLength`.
        """
        rows = self.encode(self.train)
        return lambda epoch: batches_by_length(
            rows, batch_size, collate=self.collate, seed=1000 * seed + epoch, **order
        )

    def fresh_batches(
        self, batch_size: int, seed: int, count: int = 2000, **order: Any
    ) -> Callable[[int], Iterator[Batch]]:
        """Like `batches`, but every epoch has `count` new training examples, drawn as it begins and not kept.

        Raises:
            ValueError: for real data, which cannot be drawn anew.
        """
        if self.draw is None:
            raise ValueError(f"{self.name} has no fresh examples; expected synthetic data. Use batches().")
        draw = self.draw

        def epoch_batches(epoch: int) -> Iterator[Batch]:
            rows = self.encode(draw(count, seed=1_000_000 * (seed + 1) + epoch))
            return batches_by_length(rows, batch_size, collate=self.collate, seed=1000 * seed + epoch, **order)

        return epoch_batches

    def ordered_batches(self, examples: Sequence[Any], batch_size: int = 256) -> Iterator[Batch]:
        """Batches of examples in their own order, for evaluation."""
        rows = self.encode(examples)
        for start in range(0, len(rows), batch_size):
            yield self.collate(rows[start : start + batch_size])
