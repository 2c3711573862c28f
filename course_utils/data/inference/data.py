"""Entailment pairs in the shape that models train on: synthetic ones and SNLI's in the same class.

data = load_inference("default")                       # synthetic pairs with gold alignments
data = load_inference("real")                          # SNLI, from the hub or a staged folder
for batch in data.batches(64, seed=0)(epoch=0): ...
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.data.batching import pad_sequences
from course_utils.data.inference.difficulty import EASY, Difficulty
from course_utils.data.inference.logic import LABELS
from course_utils.data.inference.pairs import InferencePair, make_pairs
from course_utils.data.inference.snli import load_snli, staged_name
from course_utils.data.inference.wording import words_of
from course_utils.data.normalise import normalise
from course_utils.data.real import REAL_SOURCES, SPLITS
from course_utils.data.text import Vocabulary, tokenize_sentence
from course_utils.data.words_of_things import COLOURS

Encoded = tuple[list[int], list[int], int]
"""Ids of the premise, ids of the hypothesis, index of the label in `LABELS`."""


class InferenceBatch(NamedTuple):
    """A batch of premises, hypotheses and labels.

    Attributes:
        premise: `(batch, premise_length)` ids.
        premise_mask: the same shape, True = real token.
        hypothesis: `(batch, hypothesis_length)` ids.
        hypothesis_mask: the same shape, True = real token.
        label: `(batch,)` indices into `LABELS`.
    """

    premise: Tensor
    premise_mask: Tensor
    hypothesis: Tensor
    hypothesis_mask: Tensor
    label: Tensor

    def to(self, device: torch.device | str) -> "InferenceBatch":
        """Move every tensor to a device."""
        return InferenceBatch(*(tensor.to(device) for tensor in self))


def make_inference_batch(pairs: Sequence[Encoded]) -> InferenceBatch:
    """Pad encoded pairs.

    Raises:
        ValueError: if there is no pair, or a premise or hypothesis is empty.
    """
    premise, premise_mask = pad_sequences([pair[0] for pair in pairs])
    hypothesis, hypothesis_mask = pad_sequences([pair[1] for pair in pairs])
    return InferenceBatch(premise, premise_mask, hypothesis, hypothesis_mask, torch.tensor([pair[2] for pair in pairs]))


def inference_batches(
    pairs: Sequence[Encoded], batch_size: int, *, seed: int, window: int = 4000
) -> Iterator[InferenceBatch]:
    """Yield one epoch of shuffled batches whose premises have similar lengths, as `text.batches_by_length` does.

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
    for start in range(0, len(order), window):
        near = sorted(order[start : start + window], key=lambda i: (len(pairs[i][0]), len(pairs[i][1])))
        batches += [near[first : first + batch_size] for first in range(0, len(near), batch_size)]
    shuffler.shuffle(batches)
    for batch in batches:
        yield make_inference_batch([pairs[index] for index in batch])


def renamed(batch: InferenceBatch, groups: Sequence[Sequence[int]], generator: torch.Generator) -> InferenceBatch:
    """Let the words of each group change places, in premise and hypothesis alike and anew for every pair.

    Args:
        batch: pairs of ids.
        groups: ids that can change places with each other.
        generator: decides who becomes whom.
    """
    size = 1 + max(int(batch.premise.max()), int(batch.hypothesis.max()), *(max(group) for group in groups))
    become = torch.arange(size).expand(len(batch.label), size).clone()  # (batch, id) → the id it gets
    for group in groups:
        ids = torch.tensor(group)
        become[:, ids] = ids[torch.rand(len(become), len(ids), generator=generator).argsort(dim=1)]
    return batch._replace(premise=become.gather(1, batch.premise), hypothesis=become.gather(1, batch.hypothesis))


@dataclass
class InferenceData:
    """What the entailment experiments need.

    Attributes:
        name: "default" or the real source's name.
        vocabulary: of premises and hypotheses together.
        train: pairs to learn from.
        validation: pairs never trained on.
        test: pairs by test: "test", "unseen pairs" and "more clauses", or "test" alone for real data.
        tokenize: turns a text someone typed into words.
        credit: where the pairs come from.
        difficulty: of the synthetic pairs; None for real ones.
    """

    name: str
    vocabulary: Vocabulary
    train: list[InferencePair]
    validation: list[InferencePair]
    test: dict[str, list[InferencePair]]
    tokenize: Callable[[str], list[str]]
    credit: str
    difficulty: Difficulty | None = None

    @property
    def examples(self) -> list[InferencePair]:
        """All test pairs."""
        return [pair for pairs in self.test.values() for pair in pairs]

    def encode(self, pairs: Sequence[InferencePair]) -> list[Encoded]:
        """Turn pairs into ids."""
        encode = self.vocabulary.encode
        return [(encode(pair.premise), encode(pair.hypothesis), LABELS.index(pair.label)) for pair in pairs]

    @property
    def interchangeable(self) -> list[list[int]]:
        """Groups of ids whose words can change places in a synthetic pair without a change of its label.

        Children and colours: nothing follows from being called Anna or from being red rather than blue. Kinds of
        things are not among them, because a dog is an animal and a car is not.
        """
        if self.difficulty is None:
            return []
        colours = [word for word in COLOURS if word in self.vocabulary]
        return [self.vocabulary.encode(list(self.difficulty.names)), self.vocabulary.encode(colours)]

    def batches(self, batch_size: int, seed: int, rename: bool = False) -> Callable[[int], Iterator[InferenceBatch]]:
        """Make the function that gives `training.train` the batches of each epoch: all training pairs, shuffled.

        Args:
            batch_size: most pairs in a batch.
            seed: decides the order of every epoch, and the names.
            rename: augment the data: give the children and colours of every pair other names in every epoch (see
                `interchangeable`). A model trained so sees many times more pairs than `train` holds, and is told that
                names and colours do not matter: say so beside its results. `fresh_batches` needs no augmentation.

        Raises:
            ValueError: if real pairs are to be renamed.
        """
        if rename and not self.interchangeable:
            raise ValueError(
                f"{self.name} has no words that can change places; expected synthetic pairs with rename=True."
            )
        pairs = self.encode(self.train)

        def epoch_batches(epoch: int) -> Iterator[InferenceBatch]:
            seen = inference_batches(pairs, batch_size, seed=1000 * seed + epoch)
            if not rename:
                return seen
            generator = torch.Generator().manual_seed(1000 * seed + epoch)
            return (renamed(batch, self.interchangeable, generator) for batch in seen)

        return epoch_batches

    def fresh_batches(self, batch_size: int, seed: int, count: int = 4000) -> Callable[[int], Iterator[InferenceBatch]]:
        """Like `batches`, but every epoch has new training pairs, sampled as it begins and not kept.

        Args:
            batch_size, seed: see `batches`.
            count: pairs of an epoch.

        Raises:
            ValueError: for real data, which cannot be sampled anew.
        """
        if self.difficulty is None:
            raise ValueError(f"{self.name} has no fresh pairs; expected synthetic pairs. Use batches().")

        def epoch_batches(epoch: int) -> Iterator[InferenceBatch]:
            drawn = make_pairs(count, seed=1_000_000 * (seed + 1) + epoch, difficulty=self.difficulty)
            return inference_batches(self.encode(drawn), batch_size, seed=1000 * seed + epoch)

        return epoch_batches

    def ordered_batches(self, pairs: Sequence[InferencePair], batch_size: int = 256) -> Iterator[InferenceBatch]:
        """Batches of pairs in their own order, for scoring."""
        encoded = self.encode(pairs)
        for start in range(0, len(encoded), batch_size):
            yield make_inference_batch(encoded[start : start + batch_size])


def load_inference(source: str = "default", **options) -> InferenceData:
    """Load pairs by the name that a lesson's settings cell uses.

    Args:
        source: "default" or "real".
        options: passed to `made_inference_data` or `snli_data`.

    Raises:
        ValueError: for another name.
    """
    if source not in ("default", "real"):
        raise ValueError(f"source is {source!r}; expected 'default' (synthetic pairs) or 'real' (SNLI).")
    return made_inference_data(**options) if source == "default" else snli_data(**options)


def made_inference_data(
    difficulty: Difficulty = EASY,
    train_count: int = 20_000,
    test_count: int = 1000,
    more_clauses: tuple[int, int] | None = None,
    seed: int = 0,
) -> InferenceData:
    """Make synthetic pairs about pictures that children paint.

    Args:
        difficulty: what they are made of.
        train_count: training pairs.
        test_count: pairs of each test, and for validation.
        more_clauses: clauses of the test "more clauses"; None = two more than any training premise has.
        seed: of all pairs.
    """
    more = more_clauses or (difficulty.clauses[1] + 2,) * 2
    longer = replace(difficulty, clauses=more, words=(difficulty.words[0], 20 * more[1]))

    def pairs(split: str, of: Difficulty = difficulty) -> list[InferencePair]:
        return make_pairs(test_count, split=split, seed=seed, difficulty=of)

    return InferenceData(
        name="default",
        vocabulary=Vocabulary(words_of(difficulty.kinds)),
        train=make_pairs(train_count, seed=seed, difficulty=difficulty),
        validation=pairs("validation"),
        test={"test": pairs("test"), "unseen pairs": pairs("unseen pairs"), "more clauses": pairs("test", longer)},
        tokenize=lambda text: normalise(text).lower().replace(",", " , ").replace(".", " ").split(),
        credit="made by the course from its own word lists",
        difficulty=difficulty,
    )


def snli_data(name: str | None = None, train_count: int | None = None, minimum_count: int = 2) -> InferenceData:
    """Load SNLI, lower-cased and split into words.

    Args:
        name: see `snli.load_snli`; "snli_dev" is a small sample, to be said beside its figures.
        train_count: use only the first so many training pairs; None = all.
        minimum_count: rarer words of the training split are unknown.

    Raises:
        RealDataError: see `real.load_real`.
    """
    name = name or staged_name()
    source = REAL_SOURCES.get(name)
    train, validation, test = ([_real_pair(*row) for row in load_snli(name, split)] for split in SPLITS)
    train = train[:train_count]
    sentences = (words for pair in train for words in (pair.premise, pair.hypothesis))
    return InferenceData(
        name=name,
        vocabulary=Vocabulary.from_sentences(sentences, minimum_count),
        train=train,
        validation=validation,
        test={"test": test},
        tokenize=lambda text: tokenize_sentence(text, "en"),
        credit=f"{source.credit}, {source.licence}",
    )


def _real_pair(premise: str, hypothesis: str, label: str) -> InferencePair:
    words, others = (tuple(tokenize_sentence(text, "en")) for text in (premise, hypothesis))
    none = (frozenset(),) * len(others)
    return InferencePair(words, others, label, (), (), (), (), none, none)
