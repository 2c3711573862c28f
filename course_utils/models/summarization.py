"""The systems of lesson 7, by name.

| system            | headline words come from          | the source is read by                            |
| `abs-none`        | the last C words, feed-forward    | nothing                                          |
| `abs-bag`         | the same                          | the mean word vector                             |
| `abs-convolution` | the same                          | convolutions, maximum over time                  |
| `abs-attention`   | the same                          | attention from the last C words (ABS)            |
| `ras-elman`       | an Elman network                  | attention by dot product over a convolution      |
| `ras-lstm`        | an LSTM                           | the same                                         |
| `ras-additive`    | an LSTM                           | additive attention over the same convolution     |
| `ras-copy`        | an LSTM, or the source itself     | as `ras-additive`; copying came later      |

Every one trains with `loss(batch)` and writes with `mechanisms.search`. `extractive.ExtractiveSummarizer`, put around
any of them, adds features of the source to the search (ABS+ when it is around `abs-attention`).

Sources: Rush et al. 2015, arXiv 1509.00685 (ABS); Chopra et al. 2016, NAACL (RAS).
"""

from collections.abc import Sequence

from torch import Tensor

from course_utils.models.abs_model import FeedForwardSummarizer
from course_utils.models.recurrent_summarizer import CopyingSummarizer, RecurrentSummarizer
from course_utils.models.summarizer import Summarizer
from course_utils.models.word_model import check_choice

SYSTEMS = {
    "abs-none": (FeedForwardSummarizer, {"encoder": "none"}),
    "abs-bag": (FeedForwardSummarizer, {"encoder": "bag"}),
    "abs-convolution": (FeedForwardSummarizer, {"encoder": "convolution"}),
    "abs-attention": (FeedForwardSummarizer, {"encoder": "attention"}),
    "ras-elman": (RecurrentSummarizer, {"cell": "elman", "attention": "dot"}),
    "ras-lstm": (RecurrentSummarizer, {"cell": "lstm", "attention": "dot"}),
    "ras-additive": (RecurrentSummarizer, {"cell": "lstm", "attention": "additive"}),
    "ras-copy": (CopyingSummarizer, {"cell": "lstm", "attention": "additive"}),
}


def build_summarizer(system: str, vocabulary_size: int, **options) -> Summarizer:
    """Make a system by name, untrained; `options` are those of `FeedForwardSummarizer` or `RecurrentSummarizer`.

    Raises:
        ValueError: if the name is unknown, or an option is what the name decides.
    """
    check_choice(system, SYSTEMS)
    model, decided = SYSTEMS[system]
    if both := sorted(decided.keys() & options.keys()):
        raise ValueError(f"options holds {', '.join(both)}, which the system {system!r} decides; leave it out.")
    return model(vocabulary_size, **decided, **options)


def fill_unknown_words(
    words: Sequence[str],
    attention_weights: Tensor,
    source_words: Sequence[str],
    known: Sequence[bool],
    unknown_word: str = "<unk>",
) -> list[str]:
    """Put the source's own words where a headline says that a word is unknown: the one with the largest weight.

    Of the unknown source words, if there is one; else of all. `<unk>` in a headline means no more than "a word that I
    cannot write", so this guesses; with `ras-copy` the guess is what the model copied.

    Args:
        words: headline words, as `Vocabulary.decode` gives them.
        attention_weights: `(target_length, source_length)` of the hypothesis, a row per word or more.
        source_words: the words of the source, not ids.
        known: for each source word, whether the vocabulary has it.
        unknown_word: how the vocabulary writes the unknown word.

    Raises:
        ValueError: if words, weights and `known` do not fit each other.
    """
    rows, columns = attention_weights.shape
    if len(source_words) != len(known) or columns < len(known) or rows < len(words):
        raise ValueError(
            f"got {len(words)} words, {len(source_words)} source words, {len(known)} entries of known and weights of "
            f"shape {(rows, columns)}; expected (target_length, source_length) with a row for every word, "
            "and an entry of known for every source word."
        )
    candidates = [place for place, there in enumerate(known) if not there] or list(range(len(known)))
    return [
        word if word != unknown_word else source_words[max(candidates, key=lambda place: float(row[place]))]
        for word, row in zip(words, attention_weights[: len(words)], strict=True)
    ]
