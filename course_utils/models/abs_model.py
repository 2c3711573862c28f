"""Attention-based summarization (ABS): a feed-forward language model of headlines with an encoder of the source."""

import torch
from torch import Tensor, nn

from course_utils.models.abs_encoders import AttentionEncoder, BagOfWordsEncoder, ConvolutionalEncoder, NoEncoder
from course_utils.models.summarizer import Summarizer
from course_utils.models.word_model import Reading, check_choice, check_sizes, word_embedding

ENCODERS = {
    "none": NoEncoder,
    "bag": BagOfWordsEncoder,
    "convolution": ConvolutionalEncoder,
    "attention": AttentionEncoder,
}


class FeedForwardSummarizer(Summarizer):
    """The next headline word from the last C ones and from what an encoder read of the source.

    ỹ_c = [E y_{i-C+1}; …; E y_i],  h = tanh(U ỹ_c),  p(y_{i+1} | y_c, x) = softmax(V h + W enc(x, y_c))

    Nothing is carried from word to word, so a headline is scored at all positions at once, without a loop. The first
    words have fewer than C words before them: a padding word, with a vector of its own, stands in their place.

    Source: Rush et al. 2015, arXiv 1509.00685, sections 3.1 and 3.2.

    Args:
        vocabulary_size: number of word ids.
        encoder: a name in `ENCODERS`.
        embedding_size: D, of the vectors E y (and of G y).
        hidden_size: H, of h and of the encoder's vectors.
        context_words: C.
        dropout: see `Summarizer`.
        padding_word: id that stands for a missing word.
        encoder_options: `layers` and `reach` for "convolution", `window` for "attention".

    Raises:
        ValueError: if there is no such encoder, a size is below 1, or `padding_word` is not in the vocabulary.
    """

    def __init__(
        self,
        vocabulary_size: int,
        encoder: str = "attention",
        embedding_size: int = 64,
        hidden_size: int = 128,
        context_words: int = 5,
        dropout: float = 0.0,
        padding_word: int = 0,
        **encoder_options,
    ) -> None:
        check_choice(encoder, ENCODERS, "encoder")
        check_sizes(embedding_size=embedding_size, hidden_size=hidden_size, context_words=context_words)
        if encoder == "attention":
            encoder_options = {"context_words": context_words, "embedding_size": embedding_size} | encoder_options
        reader = ENCODERS[encoder](vocabulary_size, hidden_size, dropout, **encoder_options)
        super().__init__(vocabulary_size, hidden_size + reader.output_size, dropout)  # output is [V, W] side by side
        if not 0 <= padding_word < vocabulary_size:
            raise ValueError(f"padding_word is {padding_word}; expected an id from 0 to {vocabulary_size - 1}.")
        self.encoder = reader
        self.context_words, self.padding_word = context_words, padding_word
        self.target_embedding = word_embedding(vocabulary_size, embedding_size)  # E
        self.hidden = nn.Linear(context_words * embedding_size, hidden_size)  # U

    def start(self, source: Tensor, source_mask: Tensor) -> tuple[object, Tensor]:
        """Read the source: the encoder's memory, and the words before the begin symbol, `(batch, C)` padding words."""
        memory = self.encoder.prepare(source, source_mask)
        return memory, source.new_full((len(source), self.context_words), self.padding_word)

    def read_on(self, words: Tensor, state: Tensor, memory) -> tuple[Reading, Tensor]:
        """Read known words; the new state is the last C words, `(batch, C)`."""
        words = torch.cat([state[:, 1:], words], dim=1)
        state = words[:, -self.context_words :]
        words = words.unfold(1, self.context_words, 1)  # (batch, target_length, C)
        hidden = torch.tanh(self.hidden(self.embed(self.target_embedding, words, "target").flatten(2)))
        encoded, weights = self.encoder(words, memory)
        return Reading(hidden if encoded is None else torch.cat([hidden, encoded], dim=-1), weights), state
