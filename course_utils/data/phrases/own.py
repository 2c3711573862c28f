"""Sentence pairs of one's own, in the shape of the French and English ones."""

from functools import partial

from course_utils.data.own import load_own, own_vocabulary
from course_utils.data.phrases.parallel import ParallelData, sentence_corpus, sentence_pair


def own_sentence_data(path: str) -> ParallelData:
    """Load pairs of any two languages from a file or a folder; the buckets of the test that hold none are left out.

    Raises:
        OwnDataError: see `own.load_own`.
    """
    splits = load_own(path, "pairs", sentence_pair)
    return sentence_corpus(str(path), splits, partial(own_vocabulary, path), "your own")
