"""RNNsearch as one writes it on first reading the paper: every equation where it stands, inside the loop.

The same parameters, equations and loss as `course_utils.models.translation.RNNsearch` (a test copies the
weights over and compares the losses); only the order of work differs. The benchmark's yardstick, not for use.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.data.batching import Batch
from course_utils.data.text import PAD


class TextbookRNNsearch(nn.Module):
    """Bahdanau, Cho and Bengio 2015, arXiv 1409.0473, section 3 and appendix A, without second thoughts.

    Args:
        vocabulary_size: number of ids, the same for source and target.
        embedding_size: size of a word embedding, and of the maxout layer.
        hidden_size: size of one recurrent state, and of the layer that compares state and annotation.
    """

    def __init__(self, vocabulary_size: int, embedding_size: int, hidden_size: int) -> None:
        super().__init__()
        annotation_size = 2 * hidden_size
        self.source_embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.target_embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.encoder = nn.GRU(embedding_size, hidden_size, batch_first=True, bidirectional=True)
        self.initial = nn.Linear(hidden_size, hidden_size)
        self.W = nn.Linear(hidden_size, hidden_size)
        self.U = nn.Linear(annotation_size, hidden_size, bias=False)
        self.v = nn.Linear(hidden_size, 1, bias=False)
        self.cell = nn.GRUCell(embedding_size + annotation_size, hidden_size)
        self.maxout = nn.Linear(hidden_size + embedding_size + annotation_size, 2 * embedding_size)
        self.output = nn.Linear(embedding_size, vocabulary_size)

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy in nats per real target word."""
        packed = pack_padded_sequence(
            self.source_embedding(batch.source), batch.source_mask.sum(dim=1), batch_first=True, enforce_sorted=False
        )
        annotations, last = self.encoder(packed)
        h, _ = pad_packed_sequence(annotations, batch_first=True)
        s = torch.tanh(self.initial(last[1]))
        total = 0.0
        for i in range(batch.target_input.shape[1]):
            e = self.v(torch.tanh(self.W(s).unsqueeze(1) + self.U(h))).squeeze(2)
            a = torch.softmax(e.masked_fill(~batch.source_mask, float("-inf")), dim=1)
            c = (a.unsqueeze(2) * h).sum(dim=1)
            y = self.target_embedding(batch.target_input[:, i])
            s = self.cell(torch.cat([y, c], dim=1), s)
            t = self.maxout(torch.cat([s, y, c], dim=1)).unflatten(1, (-1, 2)).max(dim=2).values
            logits = self.output(t)
            total = total + nn.functional.cross_entropy(
                logits, batch.target_output[:, i], ignore_index=PAD, reduction="sum"
            )
        return total / batch.target_mask.sum()
