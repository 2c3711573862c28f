"""Baselines without reading: the label from the hypothesis alone, or from a bag of words of both sentences.

A corpus whose hypotheses give their labels away teaches a model to attend to nothing; SNLI's do (Gururangan et al.
2018, arXiv 1803.02324). These two are fitted and printed beside every result of the lesson on entailment.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from course_utils.data.inference.data import InferenceData
from course_utils.data.inference.pairs import InferencePair

Features = Callable[[InferencePair], dict[str, int]]


def hypothesis_features(pair: InferencePair) -> dict[str, int]:
    """Words and neighbouring words of the hypothesis, and its length; nothing of the premise."""
    features = {word: 1 for word in pair.hypothesis} | {f"{a} {b}": 1 for a, b in pairwise(pair.hypothesis)}
    return features | {f"{len(pair.hypothesis)} words": 1}


def bag_of_words_features(pair: InferencePair) -> dict[str, int]:
    """Which words the premise has, which the hypothesis, and which both; no order, no neighbours."""
    premise, hypothesis = set(pair.premise), set(pair.hypothesis)
    features = {f"premise {word}": 1 for word in premise} | {f"hypothesis {word}": 1 for word in hypothesis}
    features |= {f"both {word}": 1 for word in premise & hypothesis}
    return features | {"shared": len(premise & hypothesis), "new": len(hypothesis - premise)}


BASELINES: dict[str, Features] = {"hypothesis only": hypothesis_features, "bag of words": bag_of_words_features}
"""Name → features of its logistic regression."""


def baseline_accuracies(name: str, data: InferenceData, train_count: int | None = None) -> dict[str, float]:
    """Fit one of `BASELINES` on the first `train_count` training pairs (None = all), and evaluate it on every test.

    Returns:
        Test name → accuracy, 0 to 1; the chance level is a third.

    Raises:
        ValueError: for another name.
    """
    if name not in BASELINES:
        raise ValueError(f"name={name!r}: expected one of {tuple(BASELINES)}; choose one of them.")
    features = BASELINES[name]

    def columns(pairs: Sequence[InferencePair]) -> tuple[list[dict[str, int]], list[str]]:
        return [features(pair) for pair in pairs], [pair.label for pair in pairs]

    model = make_pipeline(DictVectorizer(), LogisticRegression(C=0.3, max_iter=300))
    model.fit(*columns(data.train[:train_count]))
    return {test: float(model.score(*columns(pairs))) for test, pairs in data.test.items()}
