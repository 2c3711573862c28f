"""Source and target sentences side by side: one shape for synthetic phrases and for real sentences.

data = load_parallel("default")     # phrases with gold alignments, no download
data = load_parallel("real")        # French-English sentences from the hub or a staged folder
"""

import hashlib
import random
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from course_utils.data.batching import Batch, LessonData, batches_by_length
from course_utils.data.own import load_own, own_vocabulary
from course_utils.data.phrases.aligned import AlignedPair, tokenize_phrase
from course_utils.data.phrases.phrases import make_phrases
from course_utils.data.real import load_real, no_such_split, real_source
from course_utils.data.real_errors import DataFormatError
from course_utils.data.real_sets import SPLITS
from course_utils.data.text import Vocabulary, join_words, tokenize_sentence

PHRASE_BUCKETS = ((2, 8), (9, 16), (17, 24), (25, 32), (33, 39), (40, 60))
SENTENCE_BUCKETS = ((2, 8), (9, 12), (13, 16), (17, 20), (21, 10_000))
SHORT_LENGTH = 16  # most training phrases are at most this long, the others up to the longest bucket
LONGEST_SENTENCE = 60  # real sentences with more words on either side are not trained on
LEAST_COUNT = 2  # rarer words of the real training sentences are unknown
CURRICULUM_PAIRS = 3500  # in each of the first epochs of a curriculum

Splits = Mapping[str, Sequence[AlignedPair]]
VocabularyMaker = Callable[[Iterable[Sequence[str]]], Vocabulary]


@dataclass(kw_only=True)
class ParallelData(LessonData):
    """French sentences and their English: encoded pairs for training and validation; `test` has pairs in words for each
    `(shortest, longest)` source length."""

    source_vocabulary: Vocabulary  # of the French; `vocabulary` is of the English
    tokenize: Callable[[str], Sequence[str]]  # turns a text that someone typed into source words
    detokenize = staticmethod(join_words)

    @property
    def target_vocabulary(self) -> Vocabulary:
        """The vocabulary of the English."""
        return self.vocabulary

    def encode(self, examples: Sequence[AlignedPair]) -> list[tuple[list[int], list[int]]]:
        """Turn pairs in words into pairs of ids."""
        return [(self.source_vocabulary.encode(pair.source), self.vocabulary.encode(pair.target)) for pair in examples]

    def batches(
        self, batch_size: int, seed: int, *, curriculum: Sequence[int] = (), **order: Any
    ) -> Callable[[int], Iterator[Batch]]:
        """Like `LessonData.batches`, but the first epochs are short and have only short sentences, in which
        there is little to confuse attention. `curriculum`: most source words in each of them."""
        short = [[pair for pair in self.train if len(pair[0]) <= most][:CURRICULUM_PAIRS] for most in curriculum]
        return lambda epoch: batches_by_length(
            short[epoch] if epoch < len(short) else self.train, batch_size, seed=1000 * seed + epoch, **order
        )


def _parallel_data(name: str, splits: Splits, make_vocabulary: VocabularyMaker, **rest: Any) -> ParallelData:
    source, target = (make_vocabulary(pair[side] for pair in splits["train"]) for side in (0, 1))
    data = ParallelData(name=name, source_vocabulary=source, vocabulary=target, train=[], validation=[], **rest)
    return replace(data, train=data.encode(splits["train"]), validation=data.encode(splits["validation"]))


def load_parallel(source: str = "default") -> ParallelData:
    """Load a corpus by the name in a lesson's settings: "default", "real", or the path of one's own pairs.

    Raises:
        ValueError: for another name, or if there is nothing at that path that can be used, see `own.load_own`.
        RealDataError: see `load_translation_pairs`.
    """
    if source not in ("default", "real"):
        splits = load_own(source, "pairs", _sentence_pair)  # of any two languages
        return _sentence_corpus(str(source), splits, partial(own_vocabulary, source), "your own")
    return phrase_data() if source == "default" else sentence_data()


def phrase_data(train_count: int = 30_000, test_count: int = 100, short_share: float = 0.85) -> ParallelData:
    """Make phrases with gold alignments, the same ones in every call; `test_count` for each bucket of source lengths.

    Like a corpus, the training phrases have more short ones, a share of `short_share`, than long ones.

    Raises:
        ValueError: if a count is below 1.
    """
    if train_count < 1:
        raise ValueError(f"train_count is {train_count}; expected at least 1 phrase to train on.")
    draw, tokenize = partial(_mixed_phrases, short_share), partial(tokenize_phrase, language="fr")
    splits = {"train": draw(train_count), "validation": draw(max(20, train_count // 60), split="validation")}
    test = {bucket: test_phrases(*bucket, test_count) for bucket in PHRASE_BUCKETS}
    credit = "made by the course: num2words, Unicode CLDR through Babel, and the course's own word lists"
    return _parallel_data("default", splits, _sorted_words, test=test, credit=credit, tokenize=tokenize, draw=draw)


def _sorted_words(sentences: Iterable[Sequence[str]]) -> Vocabulary:
    """In alphabetical order, so that a checkpoint trained on more phrases has the same ids."""
    return Vocabulary(sorted(set().union(*sentences)))


def _mixed_phrases(short_share: float, count: int, *, split: str = "train", seed: int = 0) -> list[AlignedPair]:
    short = round(count * short_share)
    phrases: list[AlignedPair] = []
    for some, low, high in ((short, 2, SHORT_LENGTH), (count - short, SHORT_LENGTH + 1, PHRASE_BUCKETS[-1][1])):
        phrases += make_phrases(some, split=split, seed=seed, min_length=low, max_length=high) if some else []
    random.Random(seed).shuffle(phrases)
    return phrases


def test_phrases(shortest: int, longest: int, count: int) -> list[AlignedPair]:
    """Make test phrases of given source lengths, also of lengths nobody was trained on."""
    return make_phrases(count, split="test", min_length=shortest, max_length=longest)


test_phrases.__test__ = False  # not a test, whatever pytest makes of its name


def sentence_data(name: str = "multi30k_en_fr", train_count: int | None = None) -> ParallelData:
    """Load the sentences of an entry of `real.REAL_SOURCES`; `train_count`: only the first so many training pairs."""
    splits = {split: [_sentence_pair(*texts) for texts in load_translation_pairs(name, split)] for split in SPLITS}
    train = splits["train"][:train_count]
    splits["train"] = [pair for pair in train if len(pair.source) <= LONGEST_SENTENCE >= len(pair.target)]
    return _sentence_corpus(name, splits, partial(Vocabulary.from_sentences, minimum_count=LEAST_COUNT), credit=name)


def _sentence_pair(source: str, target: str) -> AlignedPair:
    return AlignedPair(tuple(tokenize_sentence(source, "fr")), tuple(tokenize_sentence(target, "en")))


def _sentence_corpus(name: str, splits: Splits, make_vocabulary: VocabularyMaker, credit: str) -> ParallelData:
    test = {(low, high): [pair for pair in splits["test"] if low <= max(2, len(pair.source)) <= high]
            for low, high in SENTENCE_BUCKETS}  # fmt: skip
    test = {bucket: pairs for bucket, pairs in test.items() if pairs}
    tokenize = partial(tokenize_sentence, language="fr")
    return _parallel_data(name, splits, make_vocabulary, test=test, credit=credit, tokenize=tokenize)


def load_translation_pairs(name: str = "multi30k_en_fr", split: str = "train") -> list[tuple[str, str]]:
    """Load French and English sentences in the order of the file; pairs with an empty side are left out.

    A set that has only a train split is divided 90 : 5 : 5 by a hash of the French, the same on every machine; equal
    sentences stay on one side. Multi30k has "test_2017", "test_2017_coco" and "test_2018", too, where not staged.

    Raises:
        RealDataError: see `real.load_real`; `DataFormatError` also where a language is missing.
    """
    divide = real_source(name).splits == ("train",)
    if divide and split not in SPLITS:
        raise no_such_split(name, split, SPLITS)
    rows = load_real(name, "train" if divide else split, columns=["translation"])["translation"][:]
    if missing := {"fr", "en"}.difference(rows[0]):
        raise DataFormatError(f"the translation column of {name} has no {min(missing)}; it has {', '.join(rows[0])}.")
    pairs = [(row["fr"], row["en"]) for row in rows if (row["fr"] or "").strip() and (row["en"] or "").strip()]
    return [pair for pair in pairs if not divide or hashed_split(pair[0]) == split]


def hashed_split(sentence: str) -> str:
    """Put a sentence into train (90 of 100), validation (5) or test (5) by a hash that ignores case and spacing."""
    text = " ".join(unicodedata.normalize("NFC", sentence).casefold().split())
    percent = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % 100
    return "train" if percent < 90 else "validation" if percent < 95 else "test"
