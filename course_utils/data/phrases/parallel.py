"""Source and target sentences side by side: one shape for synthetic phrases and for real sentences.

data = load_parallel("default")     # phrases with gold alignments, no download
data = load_parallel("real")        # French-English sentences from the hub or a staged folder
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from course_utils.data.batching import Batch, batches_by_length
from course_utils.data.normalise import normalise
from course_utils.data.phrases.phrases import make_phrases
from course_utils.data.phrases.sentences import load_translation_pairs
from course_utils.data.phrases.tokens import detokenize, tokenize_french
from course_utils.data.text import Vocabulary, join_words, tokenize_sentence

PHRASE_BUCKETS = ((2, 8), (9, 16), (17, 24), (25, 32), (33, 39), (40, 60))
SENTENCE_BUCKETS = ((2, 8), (9, 12), (13, 16), (17, 20), (21, 10_000))
SHORT_LENGTH = 16
"""Training phrases come in two kinds: most are at most this long, the others up to the longest bucket."""
CURRICULUM_PAIRS = 3500
"""Sentences in each of the first epochs of a curriculum."""


@dataclass(frozen=True)
class Example:
    """A sentence pair to be tested on.

    Attributes:
        source: French words.
        target: English words.
        reference: the English as text, what BLEU compares with.
        sure, possible: gold (target index, source index) links; empty where nobody aligned the pair.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    reference: str
    sure: frozenset[tuple[int, int]] = frozenset()
    possible: frozenset[tuple[int, int]] = frozenset()


@dataclass
class ParallelData:
    """What the translation experiments need of a corpus.

    Attributes:
        name: "default" or "real".
        source_vocabulary, target_vocabulary: of the training split.
        train: encoded (source, target) pairs.
        validation: encoded pairs, never trained on.
        test: examples of each bucket of source lengths, `{(shortest, longest): [Example, …]}`.
        tokenize: turns a text someone typed into source words.
        detokenize: turns target words into text.
        credit: where the sentences come from.
    """

    name: str
    source_vocabulary: Vocabulary
    target_vocabulary: Vocabulary
    train: list[tuple[list[int], list[int]]]
    validation: list[tuple[list[int], list[int]]]
    test: dict[tuple[int, int], list[Example]]
    tokenize: Callable[[str], list[str]]
    detokenize: Callable[[Sequence[str]], str]
    credit: str

    @property
    def examples(self) -> list[Example]:
        """All test examples, shortest bucket first."""
        return [example for bucket in self.test.values() for example in bucket]

    def encode(self, source: Sequence[str], target: Sequence[str]) -> tuple[list[int], list[int]]:
        """Turn a pair of tokenised sentences into ids."""
        return _encoded([(source, target)], self.source_vocabulary, self.target_vocabulary)[0]

    def batches(
        self, batch_size: int, maximum_tokens: int | None, seed: int, curriculum: Sequence[int] = ()
    ) -> Callable[[int], Iterator[Batch]]:
        """Make the function that gives `training.train` the batches of each epoch.

        Args:
            batch_size, maximum_tokens: see `batches_by_length`.
            seed: decides the order of every epoch.
            curriculum: the first epochs are short and have only sentences up to these many source words, so
                that attention meets short sentences, where there is little to confuse, first.
        """

        def epoch_batches(epoch: int) -> Iterator[Batch]:
            pairs = self.train
            if epoch < len(curriculum):
                pairs = [pair for pair in pairs if len(pair[0]) <= curriculum[epoch]][:CURRICULUM_PAIRS]
            return batches_by_length(pairs, batch_size, seed=1000 * seed + epoch, maximum_tokens=maximum_tokens)

        return epoch_batches


def _encoded(
    pairs: Iterable[tuple[Sequence[str], Sequence[str]]], source: Vocabulary, target: Vocabulary
) -> list[tuple[list[int], list[int]]]:
    return [(source.encode(words), target.encode(others)) for words, others in pairs]


def load_parallel(source: str = "default", **options) -> ParallelData:
    """Load a corpus by the name that a lesson's settings cell uses.

    Args:
        source: "default" or "real".
        options: passed to `phrase_data` or `sentence_data`.

    Raises:
        ValueError: for another name.
    """
    if source not in ("default", "real"):
        raise ValueError(f"source is {source!r}; expected 'default' (synthetic phrases) or 'real' (real sentences).")
    return phrase_data(**options) if source == "default" else sentence_data(**options)


def phrase_data(train_count: int = 30_000, test_count: int = 100, short_share: float = 0.85) -> ParallelData:
    """Make French-English phrases with gold alignments; the same ones in every call.

    Args:
        train_count: training phrases; a corpus has more short sentences than long ones, and so has this one.
        test_count: test phrases per bucket of source lengths.
        short_share: share of training phrases with at most `SHORT_LENGTH` source words.

    Raises:
        ValueError: if a count is below 1.
    """
    if train_count < 1:
        raise ValueError(f"train_count is {train_count}; expected at least 1 phrase to train on.")
    longest = PHRASE_BUCKETS[-1][1]

    def mixed(count: int, split: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        short = round(count * short_share)
        phrases = make_phrases(short, split=split, max_length=SHORT_LENGTH) if short else []
        if count > short:
            phrases += make_phrases(count - short, split=split, min_length=SHORT_LENGTH + 1, max_length=longest)
        random.Random(0).shuffle(phrases)
        return [(phrase.source, phrase.target) for phrase in phrases]

    train = mixed(train_count, "train")
    # In alphabetical order, so that a checkpoint trained on more phrases has the same ids.
    vocabularies = [Vocabulary(sorted(set().union(*side))) for side in zip(*train, strict=True)]
    return ParallelData(
        "default",
        *vocabularies,
        train=_encoded(train, *vocabularies),
        validation=_encoded(mixed(max(20, train_count // 60), "validation"), *vocabularies),
        test={bucket: test_phrases(*bucket, test_count) for bucket in PHRASE_BUCKETS},
        tokenize=tokenize_french,
        detokenize=detokenize,
        credit="made by the course: num2words, Unicode CLDR through Babel, and the course's own word lists",
    )


def test_phrases(shortest: int, longest: int, count: int) -> list[Example]:
    """Make test phrases of given source lengths, also of lengths nobody was trained on."""
    phrases = make_phrases(count, split="test", min_length=shortest, max_length=longest)
    return [Example(p.source, p.target, p.target_text, p.sure, p.possible) for p in phrases]


test_phrases.__test__ = False  # not a test, whatever pytest makes of its name


def sentence_data(
    name: str = "multi30k_en_fr", train_count: int | None = None, minimum_count: int = 2, longest: int = 60
) -> ParallelData:
    """Load real French-English sentences, lower-cased and split into words.

    Args:
        name: an entry of `real.REAL_SOURCES`.
        train_count: use only the first so many training pairs; None = all.
        minimum_count: words rarer than this in the training split are unknown.
        longest: drop training pairs with more words than this on either side.

    Raises:
        RealDataError: see `sentences.load_translation_pairs`.
    """

    def load(split: str) -> list[tuple[list[str], list[str], str]]:
        pairs = load_translation_pairs(name, split, "fr", "en")
        return [(tokenize_sentence(fr, "fr"), tokenize_sentence(en, "en"), en) for fr, en in pairs]

    train = [(fr, en) for fr, en, _ in load("train")[:train_count] if 0 < len(fr) <= longest and 0 < len(en) <= longest]
    vocabularies = [Vocabulary.from_sentences((pair[side] for pair in train), minimum_count) for side in (0, 1)]
    test = [Example(tuple(fr), tuple(en), normalise(text).lower()) for fr, en, text in load("test") if fr]
    return ParallelData(
        name,
        *vocabularies,
        train=_encoded(train, *vocabularies),
        validation=_encoded((pair[:2] for pair in load("validation")), *vocabularies),
        test={bucket: [e for e in test if bucket[0] <= len(e.source) <= bucket[1]] for bucket in SENTENCE_BUCKETS},
        tokenize=lambda text: tokenize_sentence(text, "fr"),
        detokenize=join_words,
        credit=name,
    )
