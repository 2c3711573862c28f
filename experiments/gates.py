"""What can be had without a system, from the data alone: floors and ceilings that a comparison has to pass."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from course_utils.metrics import bleu

if TYPE_CHECKING:
    from torch import Tensor

    from course_utils.data.phrases.parallel import ParallelData


def shuffled(items: Sequence) -> list:
    """Each item's next one, of the last the first: an answer to another question."""
    return [*items[1:], *items[:1]]


def unigram_nats(training: Sequence[Sequence[Hashable]], validation: Sequence[Sequence[Hashable]], size: int) -> float:
    """Cross-entropy of validation texts and their end symbols by the frequencies of training texts, plus one each.

    Args:
        training, validation: texts as words or ids, without end symbols.
        size: of the vocabulary.

    Returns:
        Nats per word.
    """
    counts = Counter(word for text in training for word in (*text, None))
    total = counts.total() + size
    words = [word for text in validation for word in (*text, None)]
    return -sum(math.log((counts[word] + 1) / total) for word in words) / len(words)


def majority_error(labels: Sequence[Hashable]) -> float:
    """Error of always answering with the most frequent label, in %."""
    return 100 * (1 - Counter(labels).most_common(1)[0][1] / len(labels))


def parallel_gates(data: "ParallelData") -> dict[str, float]:
    """Floors and ceilings of translation.

    Returns:
        `shuffled/bleu/<bucket>` and `…/all`, of the references of other sentences of the same length; `unigram/nats`;
        if the pairs have gold alignments, `uniform/aer`: alignment error rate of one link a target word, each source
        word as often as any other.
    """
    groups = {f"{low}-{high}": [one.reference for one in examples] for (low, high), examples in data.test.items()}
    others = {name: shuffled(references) for name, references in groups.items()}
    gates = {f"shuffled/bleu/{name}": bleu(others[name], groups[name]) for name in groups}
    gates["shuffled/bleu/all"] = bleu(*(sum(side.values(), []) for side in (others, groups)))
    targets = ([target for _, target in pairs] for pairs in (data.train, data.validation))
    gates["unigram/nats"] = unigram_nats(*targets, len(data.target_vocabulary))
    if all(one.sure for one in data.examples):
        found = proposed = sure = 0.0
        for one in data.examples:
            found += (len(one.sure) + len({*one.sure, *one.possible})) / len(one.source)
            proposed, sure = proposed + len(one.target), sure + len(one.sure)
        gates["uniform/aer"] = 1 - found / (proposed + sure)
    return gates


def independent_pixels_nats(training: "Tensor", tests: "Tensor") -> float:
    """Nats per binary image if each pixel is 1 as often as in training images, independently of the others."""
    ones = (training.flatten(1).sum(dim=0) + 1) / (len(training) + 2)
    tests = tests.flatten(1)
    return float(-(tests * ones.log() + (1 - tests) * (1 - ones).log()).sum(dim=1).mean())
