"""Entailment pairs of one's own, in the shape of SNLI's."""

from course_utils.data.inference.data import InferenceData, real_pair
from course_utils.data.own import load_own, own_vocabulary


def own_inference_data(path: str) -> InferenceData:
    """Load premises, hypotheses and labels from a file or a folder; they have no gold alignment.

    An `OwnDataError` as of `own.load_own`.
    """
    splits = load_own(path, "inferences", real_pair)
    vocabulary = own_vocabulary(path, (words for one in splits["train"] for words in (one.premise, one.hypothesis)))
    train, validation, test = splits.values()
    return InferenceData(str(path), vocabulary, train, validation, {"test": test}, "your own")
