"""Lesson 5: start one reader where the other ended."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from course_utils.exercises.engine import Case, Exercise, Mistake, Task
from course_utils.exercises.lesson_05.attention import real_words
from course_utils.exercises.writing import differentiable, dtypes, in_two_calls, padding, sizes


def conditional_encoding(
    premise: Tensor, premise_mask: Tensor, hypothesis: Tensor, premise_lstm: nn.LSTM, hypothesis_lstm: nn.LSTM
) -> Tensor:
    """Read the premise, then the hypothesis with a second LSTM that starts from the cell state the first one ended in.

    Takes embedded sentences `(batch, length, input_size)`; the premise's mask `(batch, length)`, True = real word,
    padding at the right end; and LSTMs of one layer, `batch_first=True`, of the same size. Returns the second one's
    outputs, `(batch, hypothesis_length, hidden_size)`. Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.2.
    """
    _, (_, cell) = premise_lstm(_packed(premise, premise_mask.sum(dim=1)))  # (1, batch, hidden_size)
    outputs, _ = hypothesis_lstm(hypothesis, _from_zero(cell))
    return outputs


def _packed(premise: Tensor, lengths: Tensor):
    return pack_padded_sequence(premise, lengths.cpu(), batch_first=True, enforce_sorted=False)


def _from_zero(cell: Tensor) -> tuple[Tensor, Tensor]:
    return torch.zeros_like(cell), cell


def _reader(generator: torch.Generator, inputs: int, hidden: int, scale: float, growth: float) -> nn.LSTM:
    """Make an LSTM whose weights are large enough for its states to differ visibly."""
    with torch.random.fork_rng(devices=[]):
        lstm = nn.LSTM(inputs, hidden, batch_first=True)
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator))
        lstm.weight_ih_l0.div_(scale)
        lstm.bias_ih_l0[: 3 * hidden].add_(growth)  # of the gates of input and memory, and of what is added
    return lstm


def _sample(generator, batch=4, premise=6, hypothesis=3, inputs=2, hidden=5, lengths=(), scale=1.0, growth=0.0):
    """Make arguments: `scale` makes words larger and their weights smaller, `growth` makes the cell state larger."""
    words, asked = (scale * torch.randn(batch, n, inputs, generator=generator) for n in (premise, hypothesis))
    readers = [_reader(generator, inputs, hidden, scale, more) for more in (growth, 0.0)]
    return words, real_words(batch, premise, lengths), asked, *readers


@in_two_calls
def _ending(p, m, x, A, B, pick):
    """Make an answer with the start cell pick(cells at every position, n, row)."""
    cells, state = [], None
    for word in p.split(1, dim=1):
        _, state = A(word, state)
        cells.append(state[1][0])
    return B(x, _from_zero(pick(torch.stack(cells, 1), m.sum(1), torch.arange(len(m)))[None].contiguous()))[0]


def _one_by_one(premise, mask, hypothesis, first, second):
    results = []
    for words, real, asked in zip(premise, mask, hypothesis, strict=True):
        _, (_, cell) = first(words[real].unsqueeze(0))
        results.append(second(asked.unsqueeze(0), _from_zero(cell))[0])
    return torch.cat(results)


def _standing_still(premise, mask, hypothesis, first, second):
    state = tuple(premise.new_zeros(1, len(premise), first.hidden_size) for _ in range(2))
    for t in range(premise.shape[1]):
        _, moved = first(premise[:, t : t + 1], state)
        state = tuple(torch.where(mask[:, t, None], new, old) for new, old in zip(moved, state, strict=True))
    return second(hypothesis, (state[1] * 0, state[1]))[0]


read = conditional_encoding
KEEPS = "Which of the two does the LSTM keep, and which does it show?"
STARTS = [  # (h, c) -> the start state of the second reader
    ("The premise is not used: start from the premise's last cell state.", lambda h, c: None),
    ("Hand on the cell state alone: the output state starts from zero.", lambda h, c: (h, c), KEEPS),
    ("You handed on the output h; the cell state c is wanted.", lambda h, c: _from_zero(h), KEEPS),
    ("The start state of an LSTM is (h, c), in this order: (zeros, c).", lambda h, c: (c, 0 * c)),
    ("Hand the cell state on as it is: no tanh.", lambda h, c: _from_zero(c.tanh())),
    ("Hand the cell state on as it is: cut nothing.", lambda h, c: _from_zero(c.clamp(-1, 1))),
    ("All pairs start from the state of the first.", lambda h, c: _from_zero(c[:, :1].repeat(1, c.shape[1], 1))),
    ("The cell state is cut off from the premise: no detach.", lambda h, c: _from_zero(c.detach())),
]
WHOSE = "Whose premise does hypothesis 0 start from?"
ENDS = [  # (c: cell state after every word, n: lengths, row: 0, 1, …) -> the start cell
    ("Of n words the last has the index n − 1, not n − 2.", lambda c, n, row: c[row, n - 2]),
    ("Of n words the last has the index n − 1, not n.", lambda c, n, row: c[row, n.clamp(max=c.shape[1] - 1)]),
    ("The mask is upside down: True marks a real word.", lambda c, n, row: c[row, c.shape[1] - n - 1]),
    ("All premises were cut at the length of the first one.", lambda c, n, row: c[:, n[0] - 1]),
    ("The state was picked from the batch, not from the words: c[row, n − 1].", lambda c, n, row: c[n - 1, row]),
    ("The state after the last real word is wanted, not a mean.", lambda c, n, row: c.mean(1)),
    ("Undo the sorting of the rows.", lambda c, n, row: c[row, n - 1][n.argsort(descending=True)], WHOSE),
]
ZEROS = "Zeros are words, too, to an LSTM: pack the premise, or pick the state by length."
READS = [  # (premise, mask, hypothesis, premise_lstm, hypothesis_lstm) -> result
    ("The premise reader went on over padding: pack it.", lambda p, m, x, A, B: B(x, _from_zero(A(p)[1][1]))[0]),
    ("Pack the premise, and hand on the cell state alone.", lambda p, m, x, A, B: B(x, A(p)[1])[0], KEEPS),
    (ZEROS, lambda p, m, x, A, B: B(x, _from_zero(A(p * m[..., None])[1][1]))[0], "What does an LSTM do with a zero?"),
    ("The two LSTMs are swapped: premise_lstm reads the premise.", lambda p, m, x, A, B: read(p, m, x, B, A)),
    ("hypothesis_lstm is not used: it reads the hypothesis.", lambda p, m, x, A, B: read(p, m, x, A, A)),
    ("Two LSTMs read, not one.", lambda p, m, x, A, B: A(torch.cat([p, x], 1))[0][:, p.shape[1] :]),
    ("The sentences are swapped: the premise is read first.", lambda p, m, x, A, B: B(p, _from_zero(A(x)[1][1]))[0]),
    ("These are the premise's outputs: return the hypothesis's.", lambda p, m, x, A, B: A(p)[0]),
    ("batch_first=True: do not transpose.", lambda p, m, x, A, B: read(p, m, x.transpose(0, 1), A, B).transpose(0, 1)),
    ("Leave requires_grad alone.", lambda *x: read(*x[:3], *(lstm.requires_grad_(False) for lstm in x[3:]))),
]
ONE_PAIR = dict(batch=1, premise=2, hypothesis=2, inputs=1, hidden=2)
EXERCISE = Exercise(
    Task(
        "05.conditional-encoding",
        "Start one reader where the other ended",
        2,
        12,
        "(batch, hypothesis_length, hidden_size)",
    ),
    conditional_encoding,
    _sample,
    cases=[
        Case("The hypothesis reader starts from h = 0 and the cell state after the premise.", ONE_PAIR),
        Case("Each hypothesis starts from the cell state after the last real word of its own premise.", {}),
        Case("Batch, lengths and sizes may be equal.", dict(batch=4, premise=4, hypothesis=4, inputs=4, hidden=4)),
        Case("A single premise may have padding.", dict(batch=1, lengths=(4,))),
        Case("Embedded words may be large: nothing is cut.", dict(scale=1e4)),
        Case("Cell states may be large: nothing is cut.", dict(premise=40, hypothesis=8, growth=4.0)),
    ],
    demands=[
        padding(premise="premise_mask"),
        sizes(batch=1, premise=1, hypothesis=1, inputs=1, hidden=1),
        sizes(premise=60, hypothesis=50),
        dtypes(torch.float64),
        differentiable("premise", "hypothesis", "premise_lstm", "hypothesis_lstm"),
    ],
    mistakes=[
        *[
            Mistake(h, lambda p, m, x, A, B, f=f: B(x, f(*A(_packed(p, m.sum(1)))[1]))[0], *ask)
            for h, f, *ask in STARTS
        ],
        *[Mistake(hint, _ending(pick), *ask) for hint, pick, *ask in ENDS],
        *[Mistake(hint, by, *ask) for hint, by, *ask in READS],
    ],
    right=[_one_by_one, _standing_still],
)
