"""Entailment pairs in the shape that models train on: synthetic ones and SNLI's in the same class.

data = synthetic_inference_data()                      # with gold alignments
data = snli_data()                                     # from the hub or a staged folder
for batch in data.batches(64, seed=0)(epoch=0): ...
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from course_utils.data.batching import Batch, LessonData, pad_sequences
from course_utils.data.inference.difficulty import EASY, Difficulty
from course_utils.data.inference.logic import LABELS
from course_utils.data.inference.pairs import InferencePair, make_pairs
from course_utils.data.inference.wording import words_of
from course_utils.data.real import is_staged, load_real, real_source
from course_utils.data.real_sets import SPLITS
from course_utils.data.text import Vocabulary, tokenize_sentence
from course_utils.data.words_of_things import COLOURS


@dataclass
class InferenceData(LessonData):
    """Pairs, of `difficulty` if they are synthetic; the vocabulary is that of premises and hypotheses together."""

    difficulty: Difficulty | None = None

    def encode(self, pairs: Sequence[InferencePair]) -> list[tuple[list[int], list[int], int]]:
        """Turn pairs into ids of the premise, ids of the hypothesis and the index of the label in `LABELS`."""
        encode = self.vocabulary.encode
        return [(encode(pair.premise), encode(pair.hypothesis), LABELS.index(pair.label)) for pair in pairs]

    def collate(self, rows: Sequence[tuple[list[int], list[int], int]]) -> Batch:
        """Pad encoded pairs: `premise` and `hypothesis` `(batch, length)` ids, `premise_mask` and `hypothesis_mask`,
        True = real token, and `label` `(batch,)` indices into `LABELS`.
        """
        tensors = {}
        for side, name in enumerate(("premise", "hypothesis")):
            tensors[name], tensors[f"{name}_mask"] = pad_sequences([row[side] for row in rows])
        return Batch(**tensors, label=torch.tensor([label for *_, label in rows]))

    def batches(
        self, batch_size: int, seed: int, rename: bool = False, **order: Any
    ) -> Callable[[int], Iterator[Batch]]:
        """As in `LessonData`; with `rename` the children and colours of each pair are `renamed` in every epoch.

        A model trained so sees many times more pairs than `train` holds, and is told that names and colours do not
        matter: say so beside its results. A `ValueError` for real pairs.
        """
        epoch_batches = super().batches(batch_size, seed, **order)
        if not rename:
            return epoch_batches
        if self.difficulty is None:
            raise ValueError(f"{self.name} has no words that can change places; expected synthetic pairs.")

        def renamed_batches(epoch: int) -> Iterator[Batch]:
            generator = torch.Generator().manual_seed(1000 * seed + epoch)
            return (self.renamed(batch, generator) for batch in epoch_batches(epoch))

        return renamed_batches

    def renamed(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Let children, and colours, change places in a batch of synthetic pairs, anew for every pair.

        That changes no label, because nothing follows from being called Anna or from being red rather than blue.
        """
        become = torch.arange(len(self.vocabulary)).repeat(len(batch), 1)  # (batch, id) → the id it gets
        for words in (self.difficulty.names, tuple(COLOURS)):
            ids = torch.tensor(self.vocabulary.encode(words))
            become[:, ids] = ids[torch.rand(len(become), len(ids), generator=generator).argsort(dim=1)]
        return batch.replace(premise=become.gather(1, batch.premise), hypothesis=become.gather(1, batch.hypothesis))


def synthetic_inference_data(
    difficulty: Difficulty = EASY, train_count: int = 20_000, test_count: int = 1000, seed: int = 0
) -> InferenceData:
    """Make synthetic pairs about pictures that children paint, `test_count` for validation and for each test.

    The premises of the test "more clauses" have two clauses more than any training premise has.
    """
    longer = difficulty.with_clauses(difficulty.clauses[1] + 2)
    pairs = partial(make_pairs, difficulty=difficulty)
    held_out = partial(pairs, test_count, seed=seed)
    tests = {"test": held_out("test"), "unseen pairs": held_out("unseen pairs")}
    tests["more clauses"] = held_out("test", difficulty=longer)
    credit, vocabulary = "made by the course from its own word lists", Vocabulary(words_of(difficulty.kinds))
    parts = pairs(train_count, seed=seed), held_out("validation"), tests
    return InferenceData("default", vocabulary, *parts, credit, draw=pairs, difficulty=difficulty)


def snli_data() -> InferenceData:
    """Load SNLI, or "snli_dev" where the staged folder has only that: a small sample, to be said beside its results.

    Words that the training split has only once are unknown. A `RealDataError` as of `real.load_real`.
    """
    name = "snli_dev" if is_staged("snli_dev") and not is_staged("snli") else "snli"
    source = real_source(name)
    train, validation, test = (load_snli(name, split) for split in SPLITS)
    sentences = (words for pair in train for words in (pair.premise, pair.hypothesis))
    vocabulary = Vocabulary.from_sentences(sentences, minimum_count=2)
    credit = f"{source.credit}, {source.licence}"
    return InferenceData(name, vocabulary, train, validation, {"test": test}, credit)


def load_snli(name: str, split: str) -> list[InferencePair]:
    """Load the pairs of "snli" or "snli_dev" that have a majority label and two sides that are not empty.

    "snli_dev" is the development pairs alone, divided 80 : 10 : 10 by a hash of the premise, so that pairs of one
    premise (SNLI has about three) stay on one side.
    """
    whole = real_source(name).splits == SPLITS
    columns = ("premise", "hypothesis", "label")
    rows = load_real(name, split if whole else "validation", columns)
    return [
        real_pair(premise, hypothesis, LABELS[label])
        for premise, hypothesis, label in zip(*(rows[column][:] for column in columns), strict=True)
        if label in range(len(LABELS)) and (premise or "").strip() and (hypothesis or "").strip()
        if whole or _hashed_split(premise) == split
    ]


def _hashed_split(premise: str) -> str:
    digest = hashlib.sha256(" ".join(premise.casefold().split()).encode()).digest()
    return SPLITS[max(0, int.from_bytes(digest[:8]) % 10 - 7)]


def real_pair(premise: str, hypothesis: str, label: str) -> InferencePair:
    """Split two texts into lower-case words; nobody knows their facts, and nothing is aligned."""
    words, others = (tuple(tokenize_sentence(text, "en")) for text in (premise, hypothesis))
    unknown = (frozenset(),) * len(others)
    return InferencePair(words, others, label, (), (), (), (), unknown, unknown)
