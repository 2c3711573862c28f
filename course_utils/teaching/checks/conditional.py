"""The exercise of lesson 5 on a reader that starts where another one ended; `lesson_05.py` lists it."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from course_utils.teaching.checks.precision import expect_double_precision
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor


def conditional_encoding(
    premise: Tensor, premise_mask: Tensor, hypothesis: Tensor, premise_lstm: nn.LSTM, hypothesis_lstm: nn.LSTM
) -> Tensor:
    """Read the premise, then the hypothesis with a second LSTM that starts from the cell state the first one ended in.

    Source: Rocktäschel et al. 2016, arXiv 1509.06664, section 2.2.

    Args:
        premise: `(batch, premise_length, input_size)`, embedded.
        premise_mask: `(batch, premise_length)` booleans, True = real word; padding stands at the right end.
        hypothesis: `(batch, hypothesis_length, input_size)`, embedded.
        premise_lstm, hypothesis_lstm: of one layer, `batch_first=True`, with the same hidden size.

    Returns:
        `(batch, hypothesis_length, hidden_size)`, the outputs of `hypothesis_lstm`.
    """
    lengths = premise_mask.sum(dim=1).cpu()
    packed = pack_padded_sequence(premise, lengths, batch_first=True, enforce_sorted=False)
    _, (_, cell) = premise_lstm(packed)  # (1, batch, hidden_size)
    outputs, _ = hypothesis_lstm(hypothesis, (torch.zeros_like(cell), cell))
    return outputs


conditioning = Exercise(
    "05.conditional-encoding", "Start one reader where the other ended", 2, 12, conditional_encoding
)
EXERCISES = [conditioning]

OUTPUTS = "(batch, hypothesis_length, hidden_size)"
SWAPPED = "The two LSTMs are swapped: premise_lstm reads the premise."
NOT_READ = "The premise is not used: start the hypothesis reader from the premise's last cell state."


def reader(input_size: int, hidden_size: int) -> nn.LSTM:
    """Make an LSTM whose weights are large enough for its states to differ visibly."""
    lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.mul_(2)
    return lstm


def states(lstm: nn.LSTM, sentence: Tensor) -> tuple[Tensor, Tensor]:
    """Return output and cell state after every position: two of `(batch, length, hidden_size)`."""
    each, state = [], None
    for word in sentence.split(1, dim=1):
        _, state = lstm(word, state)
        each.append(state)
    outputs, cells = zip(*each, strict=True)
    return torch.cat(outputs).transpose(0, 1), torch.cat(cells).transpose(0, 1)


def read_from(lstm: nn.LSTM, sentence: Tensor, output: Tensor | None, cell: Tensor | None) -> Tensor:
    """Read a sentence from a start state, each part `(batch, hidden_size)` or None for zero."""
    zero = sentence.new_zeros(len(sentence), lstm.hidden_size)
    start = [(zero if part is None else part).unsqueeze(0).contiguous() for part in (output, cell)]
    return lstm(sentence, tuple(start))[0]


def outputs_of(answer: Callable, inputs: tuple, hidden_size: int) -> Tensor:
    """Let the answer read, and insist on the outputs at all hypothesis positions."""
    premise, mask, hypothesis, *lstms = inputs
    result = answer(premise.clone(), mask.clone(), hypothesis.clone(), *deepcopy(lstms))
    batch, length = hypothesis.shape[:2]
    pair = isinstance(result, tuple | list)
    expect(not pair, "Return the outputs alone: an LSTM returns (outputs, state), take the first of the two.")
    if isinstance(result, Tensor):
        size = tuple(result.shape)
        all_of_them = "Return the outputs at all positions of the hypothesis, (batch, hypothesis_length, hidden_size)"
        one = size in {(batch, hidden_size), (1, batch, hidden_size), (batch, 1, hidden_size)}
        expect(size == (batch, length, hidden_size) or not one, f"{all_of_them}; yours is one state only.")
        turned = length != batch and size == (length, batch, hidden_size)
        expect(not turned, f"{all_of_them}; your batch and positions are swapped.")
        long = premise.shape[1] != length and size[:2] == (batch, premise.shape[1])
        expect(not long, f"{all_of_them}; you returned those of the premise.")
        both = size[:2] == (batch, premise.shape[1] + length)
        expect(not both, f"{all_of_them}; you returned those of both sentences.")
    return expect_tensor(result, (batch, length, hidden_size), OUTPUTS)


Slips = list[tuple[str, Tensor]]
"""Hints, each with the outputs that its slip gives."""


@cache
def wrong_starts() -> tuple[tuple, Tensor, Slips]:
    """Return inputs without padding, the right outputs and those of slips in the start state; computed once."""
    premise, hypothesis = torch.randn(3, 5, 4), torch.randn(3, 4, 4)
    first, second = reader(4, 4), reader(4, 4)
    mask = torch.ones(3, 5, dtype=torch.bool)
    with torch.no_grad():
        outputs, cells = states(first, premise)
        h, c = outputs[:, -1], cells[:, -1]
        right = read_from(second, hypothesis, None, c)
        both = (
            "Hand on the cell state alone: the output state starts from zero, the premise's last output stays behind."
        )
        wrong_state = "You handed on the last output h of the premise reader; the cell state c is wanted."
        place = "The start state of an LSTM is (h, c), in this order: (zeros, c)."
        one = "You read both with one LSTM: premise_lstm for the premise, hypothesis_lstm for the hypothesis."
        joined = torch.cat([premise, hypothesis], dim=1)
        slips = [
            (NOT_READ, read_from(second, hypothesis, None, None)),
            (both, read_from(second, hypothesis, h, c)),
            (wrong_state, read_from(second, hypothesis, None, h)),
            (wrong_state, read_from(second, hypothesis, h, h)),
            (wrong_state, read_from(second, hypothesis, h, None)),
            (place, read_from(second, hypothesis, c, None)),
            (place, read_from(second, hypothesis, c, h)),
            (both, read_from(second, hypothesis, c, c)),
            ("Hand the cell state on as it is: no tanh.", read_from(second, hypothesis, None, c.tanh())),
            ("Hand the cell state on as it is, not divided or averaged.", read_from(second, hypothesis, None, c / 5)),
            (
                "The state after the last word is wanted; you took the mean over all words.",
                read_from(second, hypothesis, None, cells.mean(1)),
            ),
            (
                "The state after the last word is wanted; you took the sum over all words.",
                read_from(second, hypothesis, None, cells.sum(1)),
            ),
            (
                "The state after the last word is wanted; you took the largest number of all words.",
                read_from(second, hypothesis, None, cells.amax(1)),
            ),
            (
                "You took the state after the first word of the premise.",
                read_from(second, hypothesis, None, cells[:, 0]),
            ),
            ("You took the state one word too early.", read_from(second, hypothesis, None, cells[:, -2])),
            (
                "The premise is read from left to right; you turned it round.",
                read_from(second, hypothesis, None, states(first, premise.flip(1))[1][:, -1]),
            ),
            (SWAPPED, read_from(first, hypothesis, None, states(second, premise)[1][:, -1])),
            (one, read_from(first, hypothesis, None, c)),
            (one, read_from(second, hypothesis, None, states(second, premise)[1][:, -1])),
            (one, first(joined)[0][:, 5:]),
            (one, second(joined)[0][:, 5:]),
            ("All pairs start from the state of the first.", read_from(second, hypothesis, None, c[:1].expand(3, 4))),
            ("You returned hypothesis outputs turned round: keep their order.", right.flip(1)),
            ("The hypothesis is read from left to right.", read_from(second, hypothesis.flip(1), None, c)),
            ("The hypothesis is read from left to right.", read_from(second, hypothesis.flip(1), None, c).flip(1)),
            ("The outputs are those of the LSTM: add no state to them.", right + c.unsqueeze(1)),
            (
                "The state is where the reader starts; you added it to outputs that do not know it.",
                read_from(second, hypothesis, None, None) + c.unsqueeze(1),
            ),
        ]
    return (premise, mask, hypothesis, first, second), right, slips


@conditioning.behaviour("starts from the premise's cell state, with an output state of zero")
def _(answer):
    inputs, right, slips = wrong_starts()
    result = outputs_of(answer, inputs, 4)
    recognise(result, *slips)
    expect_close(result, right, "Expected hypothesis_lstm(hypothesis, (zeros, c)), c from premise_lstm.", OUTPUTS)


@conditioning.behaviour("reads the premise first, then the hypothesis")
def _(answer):
    premise, hypothesis = torch.randn(2, 4, 3), torch.randn(2, 4, 3)  # equally long: no shape tells them apart
    first, second, mask = reader(3, 3), reader(3, 3), torch.ones(2, 4, dtype=torch.bool)
    with torch.no_grad():
        result = outputs_of(answer, (premise, mask, hypothesis, first, second), 3)
        turned = "The sentences are swapped: the premise is read first, and the outputs are those of the hypothesis."
        recognise(
            result,
            (turned, read_from(first, premise, None, states(second, hypothesis)[1][:, -1])),
            (turned, read_from(second, premise, None, states(first, hypothesis)[1][:, -1])),
            ("These are the outputs at the premise: return those at the hypothesis.", first(premise)[0]),
        )
        right = conditional_encoding(premise, mask, hypothesis, first, second)
    expect_close(result, right, "Read the premise first, and return the outputs at the hypothesis.", OUTPUTS)


@cache
def wrong_ends() -> tuple[tuple, Tensor, Slips]:
    """Return inputs with padding, the right outputs and those of slips in where a premise ends; computed once."""
    premise, hypothesis = torch.randn(4, 6, 3), torch.randn(4, 3, 3)
    lengths = torch.tensor([3, 6, 5, 2])
    mask = torch.arange(6) < lengths[:, None]
    first, second, rows = reader(3, 5), reader(3, 5), torch.arange(4)
    with torch.no_grad():
        outputs, cells = states(first, premise)
        real = mask.unsqueeze(2)

        def started(cell):
            return read_from(second, hypothesis, None, cell)

        right = started(cells[rows, lengths - 1])
        padded = "The premise reader went on over padding: take the state after the last real word of each row."
        early = "You took the state one word before the last real one: of n words the last has the index n − 1."
        late = "You took the state one position behind the last real word: of n words the last has the index n − 1."
        silent = (
            "Zeros are words, too, to an LSTM: it moves on over them. Pack the premise, or pick the state by length."
        )
        order = "The states stand in another order than the rows: undo the sorting before the hypothesis is read."
        by_length = lengths.argsort(descending=True)
        slips = [
            (padded, started(cells[:, -1])),
            (padded, read_from(second, hypothesis, outputs[:, -1], cells[:, -1])),
            (silent, started(states(first, premise * real)[1][:, -1])),
            (early, started(cells[rows, lengths - 2])),
            (late, started(cells[rows, lengths.clamp(max=5)])),
            ("The mask is upside down: True marks a real word.", started(cells[rows, (6 - lengths - 1) % 6])),
            ("The mask is upside down: True marks a real word.", started(cells[rows, 6 - lengths])),
            ("All premises were cut at the length of the first one.", started(cells[:, 2])),
            ("All premises were cut at the length of the shortest one.", started(cells[:, 1])),
            (order, started(cells[rows, lengths - 1][by_length])),
            (order, started(cells[rows, lengths - 1][by_length][by_length])),
            (order, started(cells[rows, lengths - 1][by_length.argsort()])),
            ("You took the last real output h; the cell state c is wanted.", started(outputs[rows, lengths - 1])),
            (
                "Hand on the cell state alone: the output state starts from zero.",
                read_from(second, hypothesis, outputs[rows, lengths - 1], cells[rows, lengths - 1]),
            ),
            (
                "You took the mean of the states over the real words: take the one after the last.",
                started((cells * real).sum(1) / lengths[:, None]),
            ),
            ("You added the states up: take the one after the last real word.", started((cells * real).sum(1))),
            (
                "The state after padding, multiplied by the mask, is no state of a real word.",
                started(cells[:, -1] * mask[:, -1:]),
            ),
        ]
    return (premise, mask, hypothesis, first, second), right, slips


@conditioning.behaviour("takes the state after the last real word, not after padding")
def _(answer):
    inputs, right, slips = wrong_ends()
    result = outputs_of(answer, inputs, 5)
    recognise(result, *slips)
    hint = "Padding must not change anything: each row starts from the cell state after its own last real word."
    expect_close(result, right, hint, OUTPUTS)


@conditioning.behaviour("gives each pair its own start state")
def _(answer):
    premise, hypothesis = torch.randn(4, 4, 4), torch.randn(4, 4, 4)  # batch, lengths and sizes are equal
    mask = torch.arange(4) < torch.tensor([[2], [4], [3], [1]])
    first, second = reader(4, 4), reader(4, 4)
    with torch.no_grad():
        result = outputs_of(answer, (premise, mask, hypothesis, first, second), 4)
        right = conditional_encoding(premise, mask, hypothesis, first, second)
        cells, lengths = states(first, premise)[1], mask.sum(1)
        own = cells[torch.arange(4), lengths - 1]
        across = "The LSTMs were built with batch_first=True: hand them (batch, length, size), and do not transpose."
        recognise(
            result,
            (across, second(hypothesis.transpose(0, 1), (torch.zeros(1, 4, 4), own.unsqueeze(0)))[0].transpose(0, 1)),
            (across, second(hypothesis.transpose(0, 1), (torch.zeros(1, 4, 4), own.unsqueeze(0)))[0]),
            (across, read_from(second, hypothesis, None, states(first, premise.transpose(0, 1))[1][:, -1])),
            ("Batch and positions of your result are swapped.", right.transpose(0, 1)),
            ("All pairs start from the state of the first.", read_from(second, hypothesis, None, own[:1].expand(4, 4))),
            (
                "All pairs start from the mean state of the batch.",
                read_from(second, hypothesis, None, own.mean(0, keepdim=True).expand(4, 4)),
            ),
            (
                "You picked by length from the batch instead of from the words: cells[row, length − 1].",
                read_from(second, hypothesis, None, cells[lengths - 1, torch.arange(4)]),
            ),
        )
    expect_close(result, right, "Each pair has its own premise, its own length and its own start state.", OUTPUTS)


@conditioning.behaviour("works for other sizes, also for one pair and for one word")
def _(answer):
    for batch, premise_length, length, size, hidden in [
        (1, 7, 2, 3, 6),
        (5, 1, 1, 2, 1),
        (2, 3, 8, 6, 3),
        (1, 1, 1, 1, 2),
    ]:
        mask = torch.arange(premise_length) < torch.randint(1, premise_length + 1, (batch, 1))
        inputs = torch.randn(batch, premise_length, size), mask, torch.randn(batch, length, size)
        lstms = reader(size, hidden), reader(size, hidden)
        with torch.no_grad():
            result = outputs_of(answer, (*inputs, *lstms), hidden)
            hint = f"Wrong for {batch} pair(s), premises up to {premise_length} and a hypothesis of {length} word(s)."
            expect_close(result, conditional_encoding(*inputs, *lstms), hint, OUTPUTS)


@conditioning.behaviour("keeps the precision of its inputs")
def _(answer):
    lstms = reader(2, 3).double(), reader(2, 3).double()
    premise, hypothesis = torch.randn(2, 4, 2).double(), torch.randn(2, 3, 2).double()
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    expect_double_precision(lambda: answer(premise, mask, hypothesis, *lstms))


@conditioning.behaviour("lets a gradient reach the real words of both sentences")
def _(answer):
    mask = torch.tensor([[True, True, False, False], [True, True, True, False]])
    lstms = reader(3, 4), reader(3, 4)
    expect_gradients(
        lambda premise, hypothesis: answer(premise, mask.clone(), hypothesis, *lstms),
        lambda premise, hypothesis: conditional_encoding(premise, mask, hypothesis, *lstms),
        premise=torch.randn(2, 4, 3),
        hypothesis=torch.randn(2, 3, 3),
    )


@conditioning.behaviour("leaves its inputs as they were")
def _(answer):
    lstms = reader(3, 4), reader(3, 4)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    expect_untouched(lambda *given: answer(*given, *lstms), torch.randn(2, 3, 3), mask, torch.randn(2, 2, 3))


@conditioning.own_data
def _(generator):
    lstms = reader(3, 4), reader(3, 4)
    for lstm in lstms:
        for parameter in lstm.parameters():
            nn.init.uniform_(parameter, -1, 1, generator=generator)
    mask = torch.arange(6) < torch.randint(1, 7, (4, 1), generator=generator)
    premise, hypothesis = torch.randn(4, 11, 3, generator=generator).split([6, 5], dim=1)
    return premise.contiguous(), mask, hypothesis.contiguous(), *lstms
