"""The encoders of attention-based summarization: they turn a source and the last C headline words into one vector.

    memory = encoder.prepare(source, source_mask)      # once per source
    encoded, attention_weights = encoder(words, memory)    # for every position of a headline at once

| encoder                | enc(x, y_c)                                             | depends on y_c |
| `NoEncoder`            | nothing                                                 |                |
| `BagOfWordsEncoder`    | mean of the word vectors                                | no             |
| `ConvolutionalEncoder` | maximum over time of a stack of convolutions            | no             |
| `AttentionEncoder`     | smoothed word vectors, weighted by their fit to y_c     | yes            |

Source: Rush, Chopra and Weston 2015, arXiv 1509.00685, section 3.2. Sizes there: H = 400, D = 200, C = 5, three
convolutional layers, Q = 2.
"""

import torch
from torch import Tensor, nn

from course_utils.mechanisms.attention import AttentionMemory, masked_softmax
from course_utils.models.summarizer import check_source
from course_utils.models.word_model import check_sizes, checked_lookup, word_embedding


class NoEncoder(nn.Module):
    """Reads nothing, whatever its sizes: what is left is a language model of headlines."""

    output_size = 0

    def __init__(self, vocabulary_size: int, hidden_size: int, dropout: float = 0.0) -> None:
        super().__init__()

    def prepare(self, source: Tensor, source_mask: Tensor) -> None:
        """Forget the source."""
        check_source(source, source_mask)

    def forward(self, words: Tensor, memory: None) -> tuple[None, None]:
        """Give no vector and no weights."""
        return None, None


class _WordEncoder(nn.Module):
    """What the three encoders share: F, a vector for each source word; unless overridden, one vector for each source.

    Args:
        vocabulary_size: number of source ids.
        hidden_size: H, of the vectors.
        dropout: probability of dropping an entry of a word vector while training.
    """

    def __init__(self, vocabulary_size: int, hidden_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        check_sizes(hidden_size=hidden_size)
        self.source_embedding = word_embedding(vocabulary_size, hidden_size)  # F
        self.dropout = nn.Dropout(dropout)
        self.output_size = hidden_size

    def look_up(self, source: Tensor, source_mask: Tensor) -> Tensor:
        """x̃ = [F x_1, …, F x_M]: `(batch, source_length, hidden_size)`, zero on padding."""
        check_source(source, source_mask)
        vectors = self.dropout(checked_lookup(self.source_embedding, source, "source"))
        return vectors.masked_fill(~source_mask.unsqueeze(-1), 0.0)

    def forward(self, words: Tensor, memory: Tensor) -> tuple[Tensor, Tensor | None]:
        """Give every headline position `(batch, target_length, C)` the source's vector `(batch, hidden_size)`."""
        return memory.unsqueeze(1).expand(-1, words.shape[1], -1), None


class BagOfWordsEncoder(_WordEncoder):
    """The mean word vector, enc_1(x) = Σ_i F x_i / M: which words are there, not where.

    Source: arXiv 1509.00685, section 3.2, "Bag-of-Words Encoder".
    """

    def prepare(self, source: Tensor, source_mask: Tensor) -> Tensor:
        """Average the vectors of the real words: `(batch, hidden_size)`."""
        return self.look_up(source, source_mask).sum(dim=1) / source_mask.sum(dim=1, keepdim=True)


class ConvolutionalEncoder(_WordEncoder):
    """Layers of convolution, maximum of neighbouring pairs and tanh; at last the maximum over time.

    x̄^l_i = Q^l [x̃^{l-1}_{i-Q}; …; x̃^{l-1}_{i+Q}],  x̃^l_i = tanh(max(x̄^l_{2i-1}, x̄^l_{2i})),
    enc_2(x)_k = max_i x̃^L_{i,k}

    Each layer halves the length. Beyond its ends a text is zero for a convolution; a maximum ignores what lies there,
    and the last word of an odd length is a pair by itself.

    Source: arXiv 1509.00685, section 3.2, "Convolutional Encoder".

    Args:
        vocabulary_size, hidden_size, dropout: as in `BagOfWordsEncoder`.
        layers: L, at least 1.
        reach: Q, words to each side that a convolution covers, at least 0.
    """

    def __init__(
        self, vocabulary_size: int, hidden_size: int, dropout: float = 0.0, *, layers: int = 3, reach: int = 2
    ) -> None:
        super().__init__(vocabulary_size, hidden_size, dropout)
        check_sizes(layers=layers)
        check_reach(reach)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(hidden_size, hidden_size, 2 * reach + 1, padding=reach) for _ in range(layers)
        )
        for convolution in self.convolutions:  # with smaller first weights each layer shrinks what it is given
            nn.init.kaiming_uniform_(convolution.weight, nonlinearity="tanh")

    def prepare(self, source: Tensor, source_mask: Tensor) -> Tensor:
        """Run the layers: `(batch, hidden_size)`."""
        vectors, mask = self.look_up(source, source_mask).transpose(1, 2), source_mask.unsqueeze(1)
        for convolution in self.convolutions:
            convolved = convolution(vectors.masked_fill(~mask, 0.0)).masked_fill(~mask, float("-inf"))
            odd = convolved.shape[2] % 2
            convolved = nn.functional.pad(convolved, (0, odd), value=float("-inf"))
            vectors = torch.tanh(convolved.unflatten(2, (-1, 2)).amax(dim=3))  # (batch, hidden_size, half)
            mask = mask[:, :, ::2]  # a pair is real when its first word is
        return vectors.masked_fill(~mask, float("-inf")).amax(dim=2)


class AttentionEncoder(_WordEncoder):
    """Attends to the source words that fit the last headline words, and reads their neighbourhoods.

    ỹ'_c = [G y_{i-C+1}; …; G y_i],  p = softmax over real j of (F x_j · P ỹ'_c / √H),
    x̄_j = Σ_{q=j-Q}^{j+Q} F x_q / (2Q + 1),  enc_3(x, y_c) = Σ_j p_j x̄_j

    Scores come from single words, values are smoothed: where a word fits, what stands around it is read. Beyond its
    ends a text is zero. The paper divides by Q, which is the same up to a constant that the output layer learns. The
    weights that are returned are p, before smoothing.

    The paper does not divide by √H; two years later every dot product was. F gives the scores and the values at once:
    while the values are learned, undivided scores run away, the weights harden on whatever word came first, and this
    encoder ends behind the mere mean of the words.

    Source: arXiv 1509.00685, section 3.2, "Attention-Based Encoder".

    Args:
        vocabulary_size, hidden_size, dropout: as in `BagOfWordsEncoder`.
        context_words: C, headline words that the scores depend on.
        embedding_size: D, of the vectors G y, which are not those of the language model.
        window: Q, words to each side that a value is averaged over; 0 = the word alone.
    """

    def __init__(
        self,
        vocabulary_size: int,
        hidden_size: int,
        dropout: float = 0.0,
        *,
        context_words: int = 5,
        embedding_size: int = 64,
        window: int = 2,
    ) -> None:
        super().__init__(vocabulary_size, hidden_size, dropout)
        check_sizes(context_words=context_words, embedding_size=embedding_size)
        check_reach(window, "window")
        self.window = window
        self.context_embedding = word_embedding(vocabulary_size, embedding_size)  # G
        self.match = nn.Linear(context_words * embedding_size, hidden_size, bias=False)  # P
        nn.init.kaiming_uniform_(self.match.weight, nonlinearity="tanh")  # as in AdditiveAttention

    def prepare(self, source: Tensor, source_mask: Tensor) -> AttentionMemory:
        """Look up the source words, and smooth them: keys x̃ and values x̄, `(batch, source_length, hidden_size)`."""
        keys = self.look_up(source, source_mask)
        width = 2 * self.window + 1
        smoothed = nn.functional.avg_pool1d(keys.transpose(1, 2), width, stride=1, padding=self.window)
        return AttentionMemory(smoothed.transpose(1, 2), keys, source_mask)

    def forward(self, words: Tensor, memory: AttentionMemory) -> tuple[Tensor, Tensor]:
        """Attend to the source once for each headline position.

        Args:
            words: `(batch, target_length, context_words)` ids, the last C words before each predicted one.
            memory: from `prepare`.

        Returns:
            Vectors `(batch, target_length, hidden_size)`, and attention weights `(batch, target_length,
            source_length)`, exactly zero on padding; each row sums to one.
        """
        context = self.dropout(checked_lookup(self.context_embedding, words, "target")).flatten(2)
        query = self.match(context) / self.output_size**0.5
        scores = torch.bmm(query, memory.keys.transpose(1, 2))
        weights = masked_softmax(scores, memory.mask.unsqueeze(1))
        return torch.bmm(weights, memory.values), weights


def check_reach(reach: int, name: str = "reach") -> None:
    """Raise a ValueError for a negative number of neighbours."""
    if reach < 0:
        raise ValueError(f"{name} is {reach}; expected 0 (the word alone) or more words to each side.")
