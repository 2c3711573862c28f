"""What every summarizer shares, feed-forward or recurrent."""

import torch
from torch import Tensor, nn

from course_utils.mechanisms.recurrent import right_padded_lengths
from course_utils.models.word_model import WordModel, check_sizes


class Summarizer(WordModel):
    """Source words in, headline words out, over one vocabulary.

    Args:
        vocabulary_size: number of word ids, the same for sources and headlines.
        feature_size: of what the output layer reads.
        dropout: probability of dropping an entry of an embedding or of the features while training.

    Raises:
        ValueError: if a size is below 1.
    """

    def __init__(self, vocabulary_size: int, feature_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        check_sizes(vocabulary_size=vocabulary_size, feature_size=feature_size)
        self.vocabulary_size = vocabulary_size
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(feature_size, vocabulary_size)

    def scores(self, features: Tensor) -> Tensor:
        """Map features `(…, feature_size)` to logits `(…, vocabulary_size)`."""
        return self.output(self.dropout(features))


def check_source(source: Tensor, source_mask: Tensor) -> None:
    """Refuse a mask that does not fit its source.

    Args:
        source: `(batch, source_length)` ids.
        source_mask: the same shape, booleans, True = real token.

    Raises:
        TypeError: if the mask is not boolean.
        ValueError: if the shapes differ, a row is empty, or a real token follows padding.
    """
    if source_mask.dtype != torch.bool:
        raise TypeError(f"source_mask has dtype {source_mask.dtype}; expected torch.bool with True = real token.")
    if source.dim() != 2 or source.shape != source_mask.shape:
        raise ValueError(
            f"source has shape {tuple(source.shape)} and source_mask {tuple(source_mask.shape)}; expected both "
            "(batch, source_length). Add a batch dimension of 1 for a single text."
        )
    right_padded_lengths(source_mask)
