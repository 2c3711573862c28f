"""Answers to the exercises of lesson 5.

WRONG: (name, answer, a piece of the hint that it must get); RIGHT: answers in other styles.
"""

import math
from collections import Counter, defaultdict
from fractions import Fraction

import numpy
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

WRONG, RIGHT = {}, {}


# 05.conditional-encoding


def packed(sentence, mask):
    return pack_padded_sequence(sentence, mask.sum(1), batch_first=True, enforce_sorted=False)


def zeros_and(cell):
    return torch.zeros_like(cell), cell


def read(premise, mask, hypothesis, first, second):
    _, (_, cell) = first(packed(premise, mask))
    return second(hypothesis, zeros_and(cell))[0]


def starting(start):
    """Make an answer whose start state is start(h, c), from the packed premise."""

    def by(premise, mask, hypothesis, first, second):
        _, (h, c) = first(packed(premise, mask))
        return second(hypothesis, start(h, c))[0]

    return by


def every_state(lstm, sentence):
    """Output and cell state at every position: (batch, length, hidden) each."""
    batch, length, _ = sentence.shape
    h = c = sentence.new_zeros(1, batch, lstm.hidden_size)
    outputs, cells = [], []
    for t in range(length):
        _, (h, c) = lstm(sentence[:, t : t + 1], (h, c))
        outputs.append(h[0])
        cells.append(c[0])
    return torch.stack(outputs, 1), torch.stack(cells, 1)


def from_cells(pick):
    """Make an answer whose start cell is pick(cells, outputs, mask)."""

    def by(premise, mask, hypothesis, first, second):
        outputs, cells = every_state(first, premise)
        return second(hypothesis, zeros_and(pick(cells, outputs, mask)[None].contiguous()))[0]

    return by


def at(index):
    """Pick the state at index(lengths, longest) of each row."""
    return lambda cells, outputs, mask: cells[torch.arange(len(cells)), index(mask.sum(1), mask.shape[1])]


def on_lengths(change):
    """Make an answer that packs by change(lengths, longest)."""

    def by(premise, mask, hypothesis, first, second):
        lengths = change(mask.sum(1), mask.shape[1]).clamp(1, mask.shape[1])
        _, (_, cell) = first(pack_padded_sequence(premise, lengths, batch_first=True, enforce_sorted=False))
        return second(hypothesis, zeros_and(cell))[0]

    return by


def no_packing(premise, mask, hypothesis, first, second):
    _, (_, cell) = first(premise)
    return second(hypothesis, zeros_and(cell))[0]


def no_packing_whole_state(premise, mask, hypothesis, first, second):
    _, state = first(premise)
    return second(hypothesis, state)[0]


def zeroed_padding(premise, mask, hypothesis, first, second):
    return no_packing(premise * mask[..., None], mask, hypothesis, first, second)


def sorted_and_left_so(premise, mask, hypothesis, first, second):
    order = mask.sum(1).argsort(descending=True)
    _, (_, cell) = first(pack_padded_sequence(premise[order], mask.sum(1)[order], batch_first=True))
    return second(hypothesis, zeros_and(cell))[0]


def sorted_twice(premise, mask, hypothesis, first, second):
    order = mask.sum(1).argsort(descending=True)
    _, (_, cell) = first(pack_padded_sequence(premise[order], mask.sum(1)[order], batch_first=True))
    return second(hypothesis, zeros_and(cell[:, order]))[0]


def one_lstm(premise, mask, hypothesis, first, second):
    _, (_, cell) = first(packed(premise, mask))
    return first(hypothesis, zeros_and(cell))[0]


def other_lstm(premise, mask, hypothesis, first, second):
    return one_lstm(premise, mask, hypothesis, second, first)


def one_text(premise, mask, hypothesis, first, second):
    return first(torch.cat([premise, hypothesis], 1))[0][:, premise.shape[1] :]


def one_text_whole(premise, mask, hypothesis, first, second):
    return first(torch.cat([premise, hypothesis], 1))[0]


def hypothesis_first(premise, mask, hypothesis, first, second):
    _, (_, cell) = first(hypothesis)
    return second(premise, zeros_and(cell))[0]


def premise_outputs_back(premise, mask, hypothesis, first, second):
    return pad_packed_sequence(first(packed(premise, mask))[0], batch_first=True, total_length=premise.shape[1])[0]


def both_states(premise, mask, hypothesis, first, second):
    _, (_, cell) = first(packed(premise, mask))
    return second(hypothesis, zeros_and(cell))


def last_output_only(*inputs):
    return read(*inputs)[:, -1]


def last_hidden_only(premise, mask, hypothesis, first, second):
    return both_states(premise, mask, hypothesis, first, second)[1][0]


def time_first(premise, mask, hypothesis, first, second):
    _, (_, cell) = first(packed(premise, mask))
    return second(hypothesis.transpose(0, 1), zeros_and(cell))[0]


def time_first_and_back(*inputs):
    return time_first(*inputs).transpose(0, 1)


def added_afterwards(premise, mask, hypothesis, first, second):
    _, (_, cell) = first(packed(premise, mask))
    return second(hypothesis)[0] + cell[0][:, None]


def reading_in_place(premise, mask, hypothesis, first, second):
    premise[~mask] = 0
    return read(premise, mask, hypothesis, first, second)


def only_single(premise, mask, hypothesis, first, second):
    length = int(mask.sum(1)[0])
    _, (_, cell) = first(premise[:, :length])
    return second(hypothesis, zeros_and(cell))[0]


def single_zeros(premise, mask, hypothesis, first, second):
    _, (_, cell) = first(packed(premise, mask))
    return second(hypothesis, (torch.zeros(cell.shape), cell))[0]


def no_gradient(premise, mask, hypothesis, first, second):
    with torch.no_grad():
        return read(premise, mask, hypothesis, first, second)


def backwards(premise, mask, hypothesis, first, second):
    return read(premise.flip(1), mask.flip(1), hypothesis, first, second)


def hypothesis_backwards(premise, mask, hypothesis, first, second):
    return read(premise, mask, hypothesis.flip(1), first, second)


def masked_state(premise, mask, hypothesis, first, second):
    _, (_, cell) = first(premise)
    return second(hypothesis, zeros_and(cell * mask[:, -1].unsqueeze(-1)))[0]


WRONG["05.conditional-encoding"] = [
    ("premise not used", starting(lambda h, c: None), "premise is not used"),
    ("whole state", starting(lambda h, c: (h, c)), "cell state alone"),
    ("h for c", starting(lambda h, c: (torch.zeros_like(h), h)), "cell state c is wanted"),
    ("h twice", starting(lambda h, c: (h, h)), "cell state c is wanted"),
    ("h as output state", starting(lambda h, c: (h, torch.zeros_like(h))), "cell state c is wanted"),
    ("c as output state", starting(lambda h, c: (c, torch.zeros_like(c))), "(h, c), in this order"),
    ("c and h", starting(lambda h, c: (c, h)), "(h, c), in this order"),
    ("c twice", starting(lambda h, c: (c, c)), "cell state alone"),
    ("tanh of c", starting(lambda h, c: zeros_and(c.tanh())), "no tanh"),
    ("first pair's state", starting(lambda h, c: zeros_and(c[:, :1].expand_as(c).contiguous())), "state of the first"),
    ("mean over the batch", starting(lambda h, c: zeros_and(c.mean(1, True).expand_as(c).contiguous())), "mean state"),
    ("not packed", no_packing, "went on over padding"),
    ("not packed, whole state", no_packing_whole_state, "went on over padding"),
    ("padding zeroed", zeroed_padding, "Zeros are words"),
    ("state times mask", masked_state, "multiplied by the mask"),
    ("one too early", on_lengths(lambda n, longest: n - 1), "one word before"),
    ("one too late", on_lengths(lambda n, longest: n + 1), "one position behind"),
    ("last column", from_cells(lambda c, h, mask: c[:, -1]), "went on over padding"),
    ("index n", from_cells(at(lambda n, longest: n.clamp(max=longest - 1))), "one position behind"),
    ("index n − 2", from_cells(at(lambda n, longest: n - 2)), "too early"),
    ("mask upside down", from_cells(at(lambda n, longest: (longest - n - 1) % longest)), "upside down"),
    ("first word", from_cells(lambda c, h, mask: c[:, 0]), "first word"),
    ("mean of the cells", from_cells(lambda c, h, mask: (c * mask[..., None]).sum(1) / mask.sum(1, True)), "the mean"),
    ("plain mean of the cells", from_cells(lambda c, h, mask: c.mean(1)), "the mean"),
    ("sum of the cells", from_cells(lambda c, h, mask: (c * mask[..., None]).sum(1)), "the sum"),
    ("largest of the cells", from_cells(lambda c, h, mask: c.amax(1)), "largest"),
    ("last real output", from_cells(lambda c, h, mask: at(lambda n, longest: n - 1)(h, h, mask)), "cell state c"),
    ("first pair's length", only_single, "length of the first"),
    ("shortest length", on_lengths(lambda n, longest: n.min().expand_as(n)), "shortest"),
    (
        "picked from the batch",
        from_cells(
            lambda c, h, m: (
                c[m.sum(1) - 1, torch.arange(len(m))]
                if c.shape[0] == c.shape[1]
                else at(lambda n, longest: n - 1)(c, h, m)
            )
        ),
        "from the batch",
    ),
    ("sorted, not restored", sorted_and_left_so, "another order"),
    ("sorted twice", sorted_twice, "another order"),
    ("one LSTM", one_lstm, "with one LSTM"),
    ("the other LSTM alone", lambda p, m, h, a, b: one_lstm(p, m, h, b, b), "with one LSTM"),
    ("LSTMs swapped", lambda p, m, h, a, b: read(p, m, h, b, a), "two LSTMs are swapped"),
    ("one text", one_text, "with one LSTM"),
    ("one text, all outputs", one_text_whole, "those of both sentences"),
    ("hypothesis first", hypothesis_first, "sentences are swapped"),
    ("premise's outputs", premise_outputs_back, "those of the premise"),
    ("outputs and state", both_states, "outputs alone"),
    ("last output only", last_output_only, "one state only"),
    ("last state only", last_hidden_only, "one state only"),
    ("time first", time_first_and_back, "batch_first"),
    ("transposed result", lambda *inputs: read(*inputs).transpose(0, 1), "swapped"),
    ("state added to the outputs", added_afterwards, "added it to outputs"),
    ("premise backwards", backwards, "left to right"),
    ("hypothesis backwards", hypothesis_backwards, "left to right"),
    ("zeros of single precision", single_zeros, "torch.float64"),
    ("precision lost", lambda *inputs: read(*inputs).float(), "torch.float64"),
    ("premise detached", starting(lambda h, c: zeros_and(c.detach())), "No gradient reaches premise"),
    ("no gradient", no_gradient, "No gradient flows back"),
    ("in place", reading_in_place, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda p, m, h, a, b: torch.zeros(*h.shape[:2], b.hidden_size), "Expected hypothesis_lstm"),
]


def read_one_by_one(premise, mask, hypothesis, first, second):
    results = []
    for words, real, asked in zip(premise, mask, hypothesis, strict=True):
        _, (_, cell) = first(words[real].unsqueeze(0))
        outputs, _ = second(asked.unsqueeze(0), (torch.zeros_like(cell), cell))
        results.append(outputs[0])
    return torch.stack(results)


def read_by_standing_still(premise, mask, hypothesis, first, second):
    state = tuple(premise.new_zeros(1, len(premise), first.hidden_size) for _ in range(2))
    for t in range(premise.shape[1]):
        _, moved = first(premise[:, t, None], state)
        state = tuple(torch.where(mask[None, :, t, None], new, old) for new, old in zip(moved, state, strict=True))
    return second(hypothesis, (state[1] * 0, state[1]))[0]


def read_by_sorting(premise, mask, hypothesis, first, second):
    lengths, order = torch.sort(mask.sum(1), descending=True)
    _, (_, cell) = first(pack_padded_sequence(premise[order], lengths.tolist(), batch_first=True))
    cell = cell[:, order.argsort()]
    return second(hypothesis, (cell.new_zeros(cell.shape), cell))[0]


def read_by_all_cells(premise, mask, hypothesis, first, second):
    _, cells = every_state(first, premise)
    index = mask.long().sum(1).sub(1).view(-1, 1, 1).expand(-1, 1, cells.shape[2])
    cell = cells.gather(1, index).transpose(0, 1).contiguous()
    return second(hypothesis, zeros_and(cell))[0]


def read_by_pack_sequence(premise, mask, hypothesis, first, second):
    rows = [sentence[: int(n)] for sentence, n in zip(premise, mask.sum(1), strict=True)]
    _, (_, cell) = first(pack_sequence(rows, enforce_sorted=False))
    outputs, _ = second(hypothesis, (torch.zeros_like(cell), cell))
    return outputs


def read_by_equations(premise, mask, hypothesis, first, second):
    def walk(lstm, sentence, cell, real):
        h, outputs = torch.zeros_like(cell), []
        for t in range(sentence.shape[1]):
            gates = sentence[:, t] @ lstm.weight_ih_l0.T + lstm.bias_ih_l0 + h @ lstm.weight_hh_l0.T + lstm.bias_hh_l0
            i, f, g, o = gates.chunk(4, dim=1)
            fresh = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            keep = real[:, t, None]
            cell = torch.where(keep, fresh, cell)
            h = torch.where(keep, o.sigmoid() * fresh.tanh(), h)
            outputs.append(h)
        return torch.stack(outputs, 1), cell

    _, cell = walk(first, premise, premise.new_zeros(len(premise), first.hidden_size), mask)
    return walk(second, hypothesis, cell, torch.ones(hypothesis.shape[:2], dtype=torch.bool))[0]


RIGHT["05.conditional-encoding"] = [
    read,
    read_one_by_one,
    read_by_standing_still,
    read_by_sorting,
    read_by_all_cells,
    read_by_pack_sequence,
    read_by_equations,
]


# 05.last-state-attention


def hide(scores, mask):
    return torch.where(mask, scores, float("-inf"))


def compare(Y, last, W_y, W_h):
    return torch.tanh(Y @ W_y.T + (last @ W_h.T)[:, None])


def mean_of(weights, Y):
    return (weights[..., None] * Y).sum(1)


def look(Y, mask, last, W_y, W_h, w):
    weights = hide(compare(Y, last, W_y, W_h) @ w, mask).softmax(1)
    return mean_of(weights, Y), weights


def look_scoring(score):
    """Make an answer whose scores are score(Y, last, W_y, W_h, w)."""

    def by(Y, mask, last, W_y, W_h, w):
        weights = hide(score(Y, last, W_y, W_h, w), mask).softmax(1)
        return mean_of(weights, Y), weights

    return by


def look_weighing(weigh):
    """Make an answer whose weights are weigh(scores, mask)."""

    def by(Y, mask, last, W_y, W_h, w):
        weights = weigh(compare(Y, last, W_y, W_h) @ w, mask)
        return mean_of(weights, Y), weights

    return by


def look_finding(find):
    """Make an answer whose context is find(weights, Y, last, W_y, mask)."""

    def by(Y, mask, last, W_y, W_h, w):
        weights = look(Y, mask, last, W_y, W_h, w)[1]
        return find(weights, Y, last, W_y, mask), weights

    return by


def as_keys(Y, W_y):
    return Y @ W_y.T


def as_query(last, W_h):
    return (last @ W_h.T)[:, None]


def look_in_place(Y, mask, last, W_y, W_h, w):
    weights = look(Y, mask, last, W_y, W_h, w)[1]
    Y *= weights[..., None]
    return Y.sum(1), weights


def unmasked_context(Y, mask, last, W_y, W_h, w):
    scores = compare(Y, last, W_y, W_h) @ w
    return mean_of(scores.softmax(1), Y), hide(scores, mask).softmax(1)


def equal_sizes(Y):
    return Y.shape[0] == Y.shape[1]


def broadcast_query(Y, last, W_y, W_h, w):
    query = last @ W_h.T
    return torch.tanh(Y @ W_y.T + (query if equal_sizes(Y) else query[:, None])) @ w


def over_the_batch(scores, mask):
    return hide(scores, mask).softmax(0)


def exponentials(scores, mask):
    e = scores.exp() * mask
    return e / e.sum(1, keepdim=True)


WRONG["05.last-state-attention"] = [
    ("no tanh", look_scoring(lambda Y, h, U, V, w: (as_keys(Y, U) + as_query(h, V)) @ w), "tanh is missing"),
    (
        "late tanh",
        look_scoring(lambda Y, h, U, V, w: ((as_keys(Y, U) + as_query(h, V)) @ w).tanh()),
        "tanh comes too late",
    ),
    (
        "two tanh",
        look_scoring(lambda Y, h, U, V, w: (as_keys(Y, U).tanh() + as_query(h, V).tanh()) @ w),
        "outside the one tanh",
    ),
    (
        "sigmoid in M",
        look_scoring(lambda Y, h, U, V, w: (as_keys(Y, U) + as_query(h, V)).sigmoid() @ w),
        "not with a sigmoid",
    ),
    (
        "ReLU",
        look_scoring(lambda Y, h, U, V, w: (as_keys(Y, U) + as_query(h, V)).relu() @ w),
        "not with a sigmoid or a ReLU",
    ),
    ("matrices swapped", look_scoring(lambda Y, h, U, V, w: compare(Y, h, V, U) @ w), "matrices are swapped"),
    ("W_y twice", look_scoring(lambda Y, h, U, V, w: compare(Y, h, U, U) @ w), "used twice"),
    ("W_y transposed", look_scoring(lambda Y, h, U, V, w: compare(Y, h, U.T, V) @ w), "transposed"),
    ("W_h transposed", look_scoring(lambda Y, h, U, V, w: compare(Y, h, U, V.T) @ w), "transposed"),
    ("both transposed", look_scoring(lambda Y, h, U, V, w: compare(Y, h, U.T, V.T) @ w), "transposed"),
    ("w left out", look_scoring(lambda Y, h, U, V, w: compare(Y, h, U, V).sum(2)), "Multiply by w"),
    ("mean over M", look_scoring(lambda Y, h, U, V, w: (compare(Y, h, U, V) * w).mean(2)), "took the mean"),
    ("scaled", look_scoring(lambda Y, h, U, V, w: compare(Y, h, U, V) @ w / len(w) ** 0.5), "not scaled"),
    ("no hypothesis", look_scoring(lambda Y, h, U, V, w: as_keys(Y, U).tanh() @ w), "changes no weight"),
    ("product", look_scoring(lambda Y, h, U, V, w: (as_keys(Y, U) * as_query(h, V)).tanh() @ w), "not multiplied"),
    ("difference", look_scoring(lambda Y, h, U, V, w: (as_keys(Y, U) - as_query(h, V)).tanh() @ w), "not subtracted"),
    ("dot product", look_scoring(lambda Y, h, U, V, w: (as_keys(Y, U) * as_query(h, V)).sum(2)), "dot-product"),
    ("plain dot product", look_scoring(lambda Y, h, U, V, w: (Y * h[:, None]).sum(2)), "dot-product"),
    ("no W_h", look_scoring(lambda Y, h, U, V, w: (as_keys(Y, U) + h[:, None]).tanh() @ w), "matrix is missing"),
    ("no W_y", look_scoring(lambda Y, h, U, V, w: (Y + as_query(h, V)).tanh() @ w), "matrix is missing"),
    ("query on the wrong axis", look_scoring(broadcast_query), "wrong axis"),
    ("query without axis", lambda Y, m, h, U, V, w: (h, torch.tanh(Y @ U.T + h @ V.T) @ w), "raised RuntimeError"),
    ("first pair's query", look_scoring(lambda Y, h, U, V, w: compare(Y, h[:1], U, V) @ w), "first hypothesis"),
    (
        "first pair's premise",
        look_scoring(lambda Y, h, U, V, w: (as_keys(Y, U)[:1] + as_query(h, V)).tanh() @ w),
        "first premise",
    ),
    ("no mask", look_weighing(lambda e, mask: e.softmax(1)), "mask is not used"),
    ("mask upside down", look_weighing(lambda e, mask: hide(e, ~mask).softmax(1)), "upside down"),
    ("masked afterwards", look_weighing(lambda e, mask: e.softmax(1) * mask), "before the softmax"),
    ("masked with zero", look_weighing(lambda e, mask: (e * mask).softmax(1)), "score of 0"),
    ("masked with −10", look_weighing(lambda e, mask: e.masked_fill(~mask, -10.0).softmax(1)), "a little weight"),
    ("first pair's mask", look_weighing(lambda e, mask: hide(e, mask[:1]).softmax(1)), "mask of the first"),
    ("mask of all", look_weighing(lambda e, mask: hide(e, mask.all(0, keepdim=True)).softmax(1)), "its own mask"),
    (
        "mask transposed",
        look_weighing(lambda e, m: hide(e, m.T if equal_sizes(e) else m).softmax(1)),
        "mask is transposed",
    ),
    ("softmax over the batch", look_weighing(over_the_batch), "runs over the batch"),
    (
        "softmax over everything",
        look_weighing(lambda e, m: hide(e, m).flatten().softmax(0).view_as(e)),
        "everything at once",
    ),
    ("no softmax", look_weighing(lambda e, mask: e * mask), "softmax is missing"),
    ("sigmoid", look_weighing(lambda e, mask: e.sigmoid() * mask), "sigmoid of each score"),
    ("exp", look_weighing(lambda e, mask: e.exp() * mask), "Divide the exponentials"),
    ("log_softmax", look_weighing(lambda e, mask: hide(e, mask).log_softmax(1)), "not log_softmax"),
    ("other way round", look_weighing(lambda e, mask: hide(-e, mask).softmax(1)), "other way round"),
    ("softmax twice", look_weighing(lambda e, mask: hide(hide(e, mask).softmax(1), mask).softmax(1)), "there twice"),
    (
        "hard",
        look_weighing(lambda e, m: nn.functional.one_hot(hide(e, m).argmax(1), e.shape[1]).to(e)),
        "Only the best word",
    ),
    ("overflow", look_weighing(exponentials), "exp overflows"),
    ("keys averaged", look_finding(lambda a, Y, h, U, m: mean_of(a, as_keys(Y, U))), "not W_y Y"),
    ("divided again", look_finding(lambda a, Y, h, U, m: mean_of(a, Y) / Y.shape[1]), "no mean"),
    ("plain mean", look_finding(lambda a, Y, h, U, m: Y.mean(1)), "plain mean"),
    ("mean of the real words", look_finding(lambda a, Y, h, U, m: mean_of(m / m.sum(1, True), Y)), "plain mean"),
    ("plain sum", look_finding(lambda a, Y, h, U, m: Y.sum(1)), "plain sum"),
    ("best word", look_finding(lambda a, Y, h, U, m: Y[torch.arange(len(Y)), a.argmax(1)]), "output of the best word"),
    ("last state added", look_finding(lambda a, Y, h, U, m: mean_of(a, Y) + h), "do not add the last state"),
    ("tanh of the context", look_finding(lambda a, Y, h, U, m: mean_of(a, Y).tanh()), "no tanh"),
    ("last state returned", look_finding(lambda a, Y, h, U, m: h), "This is the last state"),
    ("unmasked context", unmasked_context, "still holds padding"),
    ("summed over the size", look_finding(lambda a, Y, h, U, m: (a[..., None] * Y).sum(2)), "numbers of each"),
    ("summed over the batch", look_finding(lambda a, Y, h, U, m: (a[..., None] * Y).sum(0)), "added up the batch"),
    ("words apart", look_finding(lambda a, Y, h, U, m: a[..., None] * Y), "still apart"),
    ("axis left over", look_finding(lambda a, Y, h, U, m: a[:, None] @ Y), "size 1"),
    (
        "weights on the wrong axis",
        look_finding(
            lambda a, Y, h, U, m: (a[:, None] * Y).sum(1) if len(Y) == Y.shape[1] == Y.shape[2] else mean_of(a, Y)
        ),
        "weights met the wrong axis",
    ),
    ("first premise averaged", look_finding(lambda a, Y, h, U, m: a @ Y[0]), "first premise every time"),
    ("swapped", lambda *inputs: look(*inputs)[::-1], "swapped"),
    ("context alone", lambda *inputs: look(*inputs)[0], "Return two tensors"),
    ("precision lost", lambda *inputs: tuple(x.float() for x in look(*inputs)), "torch.float64"),
    ("weights detached", lambda *inputs: (look(*inputs)[0], look(*inputs)[1].detach()), "No gradient flows back"),
    (
        "scores detached",
        look_scoring(lambda Y, *rest: compare(Y, *rest[:-1]).detach() @ rest[-1]),
        "a part of the way to it is detached",
    ),
    ("in place", look_in_place, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda Y, m, *rest: (Y[:, 0] * 0, m / m.sum(1, True)), "same weight"),
]


def look_by_loops(Y, mask, last, W_y, W_h, w):
    contexts, rows = [], []
    for b in range(len(Y)):
        scores = []
        for j in range(Y.shape[1]):
            scores.append(w @ torch.tanh(W_y @ Y[b, j] + W_h @ last[b]))
        scores = torch.stack(scores)
        weights = torch.zeros_like(scores).masked_scatter(mask[b], scores[mask[b]].softmax(0))
        rows.append(weights)
        contexts.append(weights @ Y[b])
    return torch.stack(contexts), torch.stack(rows)


def look_by_einsum(Y, mask, last, W_y, W_h, w):
    M = torch.einsum("ij,bpj->bpi", W_y, Y).add(torch.einsum("ij,bj->bi", W_h, last).unsqueeze(1)).tanh()
    weights = torch.einsum("i,bpi->bp", w, M).masked_fill(mask.logical_not(), -torch.inf).softmax(-1)
    return torch.einsum("bp,bpi->bi", weights, Y), weights


def look_by_columns(Y, mask, last, W_y, W_h, w):
    columns = Y.transpose(1, 2)  # (batch, size, premise_length), as in the paper
    repeated = (W_h @ last.unsqueeze(2)).expand_as(columns)
    scores = w.view(1, 1, -1) @ torch.tanh(W_y @ columns + repeated)  # (batch, 1, premise_length)
    weights = nn.functional.softmax(scores + mask.unsqueeze(1).to(scores).log(), dim=2)
    return (columns @ weights.transpose(1, 2)).squeeze(2), weights.squeeze(1)


def look_by_renormalising(Y, mask, last, W_y, W_h, w):
    scores = nn.functional.linear(compare(Y, last, W_y, W_h), w[None]).squeeze(-1)
    highest = scores.masked_fill(~mask, -1e30).amax(1, keepdim=True)
    exponents = (scores - highest).clamp(max=0).exp() * mask
    weights = exponents / exponents.sum(1, keepdim=True)
    return torch.bmm(weights.unsqueeze(1), Y)[:, 0], weights


def look_by_list(Y, mask, last, W_y, W_h, w):
    query = nn.functional.linear(last, W_h)
    scores = [torch.tanh(nn.functional.linear(word, W_y) + query).mv(w) for word in Y.unbind(1)]
    scores = torch.stack(scores, dim=-1)
    weights = torch.softmax(scores.masked_fill(mask == 0, torch.finfo(scores.dtype).min), dim=-1)
    return [sum(weights[:, j, None] * Y[:, j] for j in range(Y.shape[1])), weights]


RIGHT["05.last-state-attention"] = [
    look,
    look_by_loops,
    look_by_einsum,
    look_by_columns,
    look_by_renormalising,
    look_by_list,
]


# 05.word-by-word-step


def step(Y, K, mask, h, r, W_h, W_r, W_t, w):
    query = (h @ W_h.T + r @ W_r.T)[:, None]
    weights = hide((K + query).tanh() @ w, mask).softmax(1)
    return mean_of(weights, Y) + (r @ W_t.T).tanh(), weights


def step_asking(M):
    """Make an answer with M(K, a, b, x) for M_t; a = W_h h and b = W_r r, (batch, 1, size); x: all nine inputs."""

    def by(*inputs):
        Y, K, mask, h, r, W_h, W_r, W_t, w = inputs
        weights = hide(M(K, (h @ W_h.T)[:, None], (r @ W_r.T)[:, None], inputs) @ w, mask).softmax(1)
        return mean_of(weights, Y) + (r @ W_t.T).tanh(), weights

    return by


def step_weighing(weigh):
    """Make an answer whose weights are weigh(scores, mask)."""

    def by(Y, K, mask, h, r, W_h, W_r, W_t, w):
        weights = weigh((K + (h @ W_h.T + r @ W_r.T)[:, None]).tanh() @ w, mask)
        return mean_of(weights, Y) + (r @ W_t.T).tanh(), weights

    return by


def step_updating(update):
    """Make an answer whose r_t is update(z, r, W_t, inputs, weights), z = Σ α y."""

    def by(*inputs):
        weights = step(*inputs)[1]
        return update(mean_of(weights, inputs[0]), inputs[4], inputs[7], inputs, weights), weights

    return by


def step_in_place(Y, K, mask, h, r, W_h, W_r, W_t, w):
    weights = step(Y, K, mask, h, r, W_h, W_r, W_t, w)[1]
    fresh = mean_of(weights, Y)
    r.copy_(fresh + (r @ W_t.T).tanh())
    return r, weights


def step_masked_late(Y, K, mask, h, r, W_h, W_r, W_t, w):
    scores = (K + (h @ W_h.T + r @ W_r.T)[:, None]).tanh() @ w
    return mean_of(scores.softmax(1), Y) + (r @ W_t.T).tanh(), hide(scores, mask).softmax(1)


def all_equal(Y):
    return Y.shape[0] == Y.shape[1] == Y.shape[2]


WRONG["05.word-by-word-step"] = [
    ("r not asked", step_asking(lambda K, a, b, x: (K + a).tanh()), "What was found changes no weight"),
    ("h not asked", step_asking(lambda K, a, b, x: (K + b).tanh()), "The hypothesis word changes no weight"),
    ("neither asked", step_asking(lambda K, a, b, x: K.tanh()), "The whole query changes no weight"),
    ("r outside the tanh", step_asking(lambda K, a, b, x: (K + a).tanh() + b.tanh()), "outside the one tanh"),
    ("r with a tanh of its own", step_asking(lambda K, a, b, x: (K + a + b.tanh()).tanh()), "One tanh"),
    ("query with a tanh of its own", step_asking(lambda K, a, b, x: (K + (a + b).tanh()).tanh()), "One tanh"),
    ("no tanh", step_asking(lambda K, a, b, x: K + a + b), "tanh is missing"),
    ("sigmoid", step_asking(lambda K, a, b, x: (K + a + b).sigmoid()), "not with a sigmoid"),
    ("ReLU", step_asking(lambda K, a, b, x: (K + a + b).relu()), "not with a sigmoid or a ReLU"),
    ("outputs for keys", step_asking(lambda K, a, b, x: (x[0] + a + b).tanh()), "keys are W_y Y already"),
    (
        "W_h and W_r swapped",
        step_asking(lambda K, a, b, x: (K + (x[3] @ x[6].T + x[4] @ x[5].T)[:, None]).tanh()),
        "swapped",
    ),
    (
        "W_t in the query",
        step_asking(lambda K, a, b, x: (K + a + (x[4] @ x[7].T)[:, None]).tanh()),
        "W_t is for the update",
    ),
    (
        "carried in the query",
        step_asking(lambda K, a, b, x: (K + a + (x[4] @ x[7].T).tanh()[:, None]).tanh()),
        "W_t is for",
    ),
    (
        "W_h twice",
        step_asking(lambda K, a, b, x: (K + a + (x[4] @ x[5].T)[:, None]).tanh()),
        "W_h is for the hypothesis",
    ),
    ("W_h transposed", step_asking(lambda K, a, b, x: (K + (x[3] @ x[5])[:, None] + b).tanh()), "W_h is transposed"),
    ("W_r transposed", step_asking(lambda K, a, b, x: (K + a + (x[4] @ x[6])[:, None]).tanh()), "W_r is transposed"),
    (
        "both transposed",
        step_asking(lambda K, a, b, x: (K + (x[3] @ x[5] + x[4] @ x[6])[:, None]).tanh()),
        "is transposed",
    ),
    ("no W_r", step_asking(lambda K, a, b, x: (K + a + x[4][:, None]).tanh()), "A matrix is missing: W_r"),
    ("no W_h", step_asking(lambda K, a, b, x: (K + x[3][:, None] + b).tanh()), "A matrix is missing: W_h"),
    ("query multiplied", step_asking(lambda K, a, b, x: (K * (a + b)).tanh()), "not multiplied"),
    ("word times memory", step_asking(lambda K, a, b, x: (K + a * b).tanh()), "not multiplied"),
    ("r subtracted", step_asking(lambda K, a, b, x: (K + a - b).tanh()), "not subtracted"),
    ("w left out", step_asking(lambda K, a, b, x: (K + a + b).tanh() / x[8]), "Multiply by w"),
    ("scaled", step_asking(lambda K, a, b, x: (K + a + b).tanh() / len(x[8]) ** 0.5), "not scaled"),
    (
        "query on the wrong axis",
        step_asking(lambda K, a, b, x: (K + (a + b)[:, 0]).tanh() if all_equal(K) else (K + a + b).tanh()),
        "wrong axis",
    ),
    (
        "memory on the wrong axis",
        step_asking(lambda K, a, b, x: (K + a + b[:, 0]).tanh() if all_equal(K) else (K + a + b).tanh()),
        "wrong axis",
    ),
    (
        "query without axis",
        lambda Y, K, m, h, r, U, V, T, w: (r, (K + h @ U.T + r @ V.T).tanh() @ w),
        "raised RuntimeError",
    ),
    ("first pair's r asked", step_asking(lambda K, a, b, x: (K + a + b[:1]).tanh()), "what the first one found"),
    ("first pair's h asked", step_asking(lambda K, a, b, x: (K + a[:1] + b).tanh()), "word of the first one"),
    ("no mask", step_weighing(lambda e, mask: e.softmax(1)), "mask is not used"),
    ("mask upside down", step_weighing(lambda e, mask: hide(e, ~mask).softmax(1)), "upside down"),
    ("masked afterwards", step_weighing(lambda e, mask: e.softmax(1) * mask), "before the softmax"),
    ("masked with zero", step_weighing(lambda e, mask: (e * mask).softmax(1)), "score of 0"),
    ("masked with −10", step_weighing(lambda e, mask: e.masked_fill(~mask, -10.0).softmax(1)), "a little weight"),
    ("first pair's mask", step_weighing(lambda e, mask: hide(e, mask[:1]).softmax(1)), "mask of the first"),
    ("softmax over the batch", step_weighing(over_the_batch), "runs over the batch"),
    ("no softmax", step_weighing(lambda e, mask: e * mask), "softmax is missing"),
    ("sigmoid of the scores", step_weighing(lambda e, mask: e.sigmoid() * mask), "sigmoid of each score"),
    ("log_softmax", step_weighing(lambda e, mask: hide(e, mask).log_softmax(1)), "not log_softmax"),
    ("other way round", step_weighing(lambda e, mask: hide(-e, mask).softmax(1)), "other way round"),
    ("overflow", step_weighing(exponentials), "exp overflow"),
    ("nothing remembered", step_updating(lambda z, r, T, x, a: z), "is forgotten"),
    ("nothing new", step_updating(lambda z, r, T, x, a: (r @ T.T).tanh()), "this word found is missing"),
    ("no tanh in the update", step_updating(lambda z, r, T, x, a: z + r @ T.T), "tanh is missing"),
    ("no W_t", step_updating(lambda z, r, T, x, a: z + r.tanh()), "W_t is missing"),
    ("plain sum of both", step_updating(lambda z, r, T, x, a: z + r), "W_t and its tanh are missing"),
    ("tanh around both", step_updating(lambda z, r, T, x, a: (z + r @ T.T).tanh()), "added outside"),
    ("tanh twice", step_updating(lambda z, r, T, x, a: (z + (r @ T.T).tanh()).tanh()), "added outside"),
    ("W_t transposed", step_updating(lambda z, r, T, x, a: z + (r @ T).tanh()), "W_t is transposed"),
    ("W_r in the update", step_updating(lambda z, r, T, x, a: z + (r @ x[6].T).tanh()), "W_r is for the query"),
    ("h carried on", step_updating(lambda z, r, T, x, a: z + (x[3] @ T.T).tanh()), "you took the hypothesis word"),
    ("new r carried on", step_updating(lambda z, r, T, x, a: z + (z @ T.T).tanh()), "you took what this word found"),
    ("both multiplied", step_updating(lambda z, r, T, x, a: z * (r @ T.T).tanh()), "not multiplied"),
    ("mean of both", step_updating(lambda z, r, T, x, a: (z + (r @ T.T).tanh()) / 2), "took their mean"),
    ("sigmoid in the update", step_updating(lambda z, r, T, x, a: z + (r @ T.T).sigmoid()), "sigmoid or a ReLU"),
    ("keys averaged", step_updating(lambda z, r, T, x, a: mean_of(a, x[1]) + (r @ T.T).tanh()), "not their keys"),
    ("plain mean", step_updating(lambda z, r, T, x, a: x[0].mean(1) + (r @ T.T).tanh()), "plain mean"),
    (
        "best word",
        step_updating(lambda z, r, T, x, a: x[0][torch.arange(len(r)), a.argmax(1)] + (r @ T.T).tanh()),
        "best word",
    ),
    ("h added", step_updating(lambda z, r, T, x, a: z + (r @ T.T).tanh() + x[3]), "h_t does not enter"),
    ("r unchanged", step_updating(lambda z, r, T, x, a: r), "Nothing moved"),
    (
        "first pair's r carried",
        step_updating(lambda z, r, T, x, a: z + (r[:1] @ T.T).tanh()),
        "carry on what the first one",
    ),
    (
        "weights on the wrong axis",
        step_updating(lambda z, r, T, x, a: ((a[:, None] * x[0]).sum(1) if all_equal(x[0]) else z) + (r @ T.T).tanh()),
        "weights met the wrong axis",
    ),
    (
        "words apart",
        step_updating(lambda z, r, T, x, a: a[..., None] * x[0] + (r @ T.T).tanh()[:, None]),
        "still apart",
    ),
    ("axis left over", step_updating(lambda z, r, T, x, a: (z + (r @ T.T).tanh())[:, None]), "size 1"),
    ("masked late", step_masked_late, "still holds padding"),
    ("swapped", lambda *inputs: step(*inputs)[::-1], "swapped"),
    ("r alone", lambda *inputs: step(*inputs)[0], "Return two tensors"),
    ("precision lost", lambda *inputs: tuple(x.float() for x in step(*inputs)), "torch.float64"),
    (
        "r detached in the update",
        step_updating(lambda z, r, T, x, a: z + (r.detach() @ T.T).tanh()),
        "gradient of found",
    ),
    ("r detached everywhere", lambda *x: step(*x[:4], x[4].detach(), *x[5:]), "No gradient reaches found"),
    ("weights detached", lambda *inputs: (step(*inputs)[0], step(*inputs)[1].detach()), "No gradient flows back"),
    ("in place", step_in_place, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda Y, K, m, *rest: (Y[:, 0] * 0, m / m.sum(1, True)), "same weight"),
]


def step_by_loops(Y, K, mask, h, r, W_h, W_r, W_t, w):
    found, maps = [], []
    for b in range(len(Y)):
        real = [j for j in range(len(Y[b])) if mask[b, j]]
        scores = torch.stack([torch.tanh(K[b, j] + W_h @ h[b] + W_r @ r[b]).dot(w) for j in real])
        alpha = torch.zeros_like(K[b, :, 0])
        alpha[real] = scores.softmax(0)
        maps.append(alpha)
        found.append(alpha @ Y[b] + torch.tanh(W_t @ r[b]))
    return torch.stack(found), torch.stack(maps)


def step_by_joined_matrices(Y, K, mask, h, r, W_h, W_r, W_t, w):
    query = torch.cat([h, r], 1) @ torch.cat([W_h, W_r], 1).T
    scores = torch.einsum("bps,s->bp", torch.tanh(K + query.unsqueeze(1)), w)
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), -1)
    return torch.baddbmm(torch.tanh(r @ W_t.T).unsqueeze(1), weights.unsqueeze(1), Y).squeeze(1), weights


def step_by_columns(Y, K, mask, h, r, W_h, W_r, W_t, w):
    ones = torch.ones(1, Y.shape[1], dtype=Y.dtype)  # e_L of the paper
    M = torch.tanh(K.mT + (W_h @ h.unsqueeze(2) + W_r @ r.unsqueeze(2)) @ ones)
    alpha = (w @ M).masked_fill(mask.logical_not(), float("-inf")).softmax(1).unsqueeze(1)
    return (Y.mT @ alpha.mT + torch.tanh(W_t @ r.unsqueeze(2))).squeeze(2), alpha.squeeze(1)


def step_by_linear(Y, K, mask, h, r, W_h, W_r, W_t, w):
    linear = nn.functional.linear
    scores = linear(torch.tanh(K + linear(h, W_h).unsqueeze(1) + linear(r, W_r).unsqueeze(1)), w.unsqueeze(0)).squeeze(
        2
    )
    scores = scores - scores.amax(1, keepdim=True).detach()
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.log_softmax(1).exp()
    return (weights.unsqueeze(2) * Y).sum(1) + linear(r, W_t).tanh(), weights


RIGHT["05.word-by-word-step"] = [step, step_by_loops, step_by_joined_matrices, step_by_columns, step_by_linear]


# 05.carry-through


def last_real(outputs, mask):
    return outputs[torch.arange(len(outputs)), mask.sum(1) - 1]


def join(r, h, W_p, W_x):
    return torch.tanh(r @ W_p.T + h @ W_x.T)


def walk(step, outputs, mask, keep=None, start=None, words=None):
    """r after all words; keep(t, new, old, mask) decides what stays, words(N) which words are read."""
    keep = keep or (lambda t, new, old, mask: torch.where(mask[:, t, None], new, old))
    r = torch.zeros_like(outputs[:, 0]) if start is None else start
    for t in words(outputs.shape[1]) if words else range(outputs.shape[1]):
        r = keep(t, step(outputs[:, t], r)[0], r, mask)
    return r


def carry(step, outputs, mask, W_p, W_x):
    return join(walk(step, outputs, mask), last_real(outputs, mask), W_p, W_x)


def carry_keeping(keep):
    return lambda step, H, mask, P, X: join(walk(step, H, mask, keep), last_real(H, mask), P, X)


def carry_reading(words):
    return lambda step, H, mask, P, X: join(walk(step, H, mask, words=words), last_real(H, mask), P, X)


def carry_starting(start):
    return lambda step, H, mask, P, X: join(walk(step, H, mask, start=start(H)), last_real(H, mask), P, X)


def carry_joining(joint):
    """Make an answer whose h* is joint(r_N, h_N, W_p, W_x)."""
    return lambda step, H, mask, P, X: joint(walk(step, H, mask), last_real(H, mask), P, X)


def carry_from(last):
    """Make an answer whose h_N is last(outputs, mask)."""
    return lambda step, H, mask, P, X: join(walk(step, H, mask), last(H, mask), P, X)


def carry_with(finish):
    """Make an answer whose r_N is finish(step, outputs, mask)."""
    return lambda step, H, mask, P, X: join(finish(step, H, mask), last_real(H, mask), P, X)


def each_alone(step, H, mask):
    return torch.stack([step(h, torch.zeros_like(h))[0] for h in H.unbind(1)], 1)


def all_found(step, H, mask):
    r, each = torch.zeros_like(H[:, 0]), []
    for t in range(H.shape[1]):
        r = torch.where(mask[:, t, None], step(H[:, t], r)[0], r)
        each.append(r)
    return torch.stack(each, 1)


def real_sum(values, mask):
    return (values * mask[..., None]).sum(1)


def added_up(step, H, mask):
    return walk(step, H, mask, lambda t, new, old, mask: old + new * mask[:, t, None])


def swapped_arguments(step, H, mask):
    return walk(lambda h, r: step(r, h), H, mask)


def zeroed_words(step, H, mask):
    return walk(step, H * mask[..., None], mask, lambda t, new, old, mask: new)


def stop_at(length):
    def finish(step, H, mask):
        return walk(step, H, mask, lambda t, new, old, mask: new, words=lambda N: range(int(length(mask))))

    return finish


def carried_map(step, H, mask):
    r = torch.zeros_like(H[:, 0])
    for h in H.unbind(1):
        _, r = step(h, r)
    return r


def detached_steps(step, H, mask):
    return walk(lambda h, r: step(h, r.detach()), H, mask)


def carry_in_place(step, H, mask, P, X):
    H[~mask] = 0
    return carry(step, H, mask, P, X)


def square_only(H):
    return H.shape[0] == H.shape[1] == H.shape[2]


def single_start(step, H, mask, P, X):
    return join(walk(step, H, mask, start=torch.zeros(len(H), H.shape[2])), last_real(H, mask), P, X)


def every_star(step, H, mask, P, X):
    return torch.tanh(all_found(step, H, mask) @ P.T + H @ X.T)


def break_at_padding(step, H, mask):
    r = torch.zeros_like(H[:, 0])
    for t in range(H.shape[1]):
        if not mask[:, t].all():
            break
        r, _ = step(H[:, t], r)
    return r


def go_while_any(step, H, mask):
    r = torch.zeros_like(H[:, 0])
    for t in range(H.shape[1]):
        if mask[:, t].any():
            r, _ = step(H[:, t], r)
    return r


WRONG["05.carry-through"] = [
    ("no mask", carry_keeping(lambda t, new, old, mask: new), "Padded steps changed r"),
    (
        "no mask, last column",
        lambda s, H, m, P, X: join(go_while_any(s, H, m), H[:, -1], P, X),
        "Padded steps changed r",
    ),
    ("mask of any row", carry_with(go_while_any), "Padded steps changed r"),
    (
        "mask upside down",
        carry_keeping(lambda t, new, old, mask: torch.where(mask[:, t, None], old, new)),
        "No step was taken",
    ),
    ("r cleared", carry_keeping(lambda t, new, old, mask: new * mask[:, t, None]), "Padded steps cleared r"),
    ("r added up", carry_with(added_up), "replace r"),
    (
        "old and new added",
        carry_keeping(lambda t, new, old, mask: old + torch.where(mask[:, t, None], new, 0)),
        "replace r",
    ),
    ("words zeroed", carry_with(zeroed_words), "Zeros are words"),
    ("shortest row", carry_with(stop_at(lambda mask: mask.sum(1).min())), "shortest hypothesis"),
    ("broken off at padding", carry_with(break_at_padding), "shortest hypothesis"),
    ("first row's length", carry_with(stop_at(lambda mask: mask.sum(1)[0])), "first hypothesis ends"),
    ("first row's mask", carry_keeping(lambda t, new, old, mask: torch.where(mask[0, t], new, old)), "first"),
    (
        "mask along the size",
        carry_keeping(
            lambda t, new, old, mask: (
                torch.where(mask[:, t], new, old)
                if len(new) == new.shape[1] == mask.shape[1]
                else torch.where(mask[:, t, None], new, old)
            )
        ),
        "mask met the wrong axis",
    ),
    (
        "row for column",
        carry_keeping(
            lambda t, new, old, mask: torch.where(
                mask[t, :, None] if mask.shape[0] == mask.shape[1] else mask[:, t, None], new, old
            )
        ),
        "mask[t] is a row",
    ),
    (
        "one word of padding",
        carry_keeping(lambda t, new, old, mask: torch.where(mask[:, max(t - 1, 0), None], new, old)),
        "one word of padding",
    ),
    (
        "one word early",
        carry_keeping(lambda t, new, old, mask: torch.where((t < mask.sum(1) - 1)[:, None], new, old)),
        "last word is missing",
    ),
    ("last word not read", carry_reading(lambda N: range(N - 1)), "last word is missing"),
    ("first word not read", carry_reading(lambda N: range(1, N)), "first word is missing"),
    ("right to left", carry_reading(lambda N: reversed(range(N))), "right to left"),
    ("first step alone", carry_reading(lambda N: [0]), "Only the first step"),
    ("last word twice", carry_reading(lambda N: [*range(N), N - 1]), "twice"),
    (
        "r always zero",
        carry_with(lambda s, H, m: each_alone(s, H, m)[torch.arange(len(H)), m.sum(1) - 1]),
        "hand it on",
    ),
    ("sum of lone steps", carry_with(lambda s, H, m: real_sum(each_alone(s, H, m), m)), "hand it on"),
    ("sum of all r", carry_with(lambda s, H, m: real_sum(all_found(s, H, m), m)), "the last step found"),
    (
        "mean of all r",
        carry_with(lambda s, H, m: real_sum(all_found(s, H, m), m) / m.sum(1, True)),
        "the last step found",
    ),
    ("largest r", carry_with(lambda s, H, m: all_found(s, H, m).amax(1)), "the last step found"),
    ("arguments swapped", carry_with(swapped_arguments), "arguments of step are swapped"),
    ("start with ones", carry_starting(lambda H: torch.ones_like(H[:, 0])), "with ones"),
    ("start with the first word", carry_starting(lambda H: H[:, 0]), "with the first word"),
    ("start with the last word", carry_starting(lambda H: H[:, -1]), "with the last word"),
    ("weights carried", carry_with(carried_map), "step got a found of"),
    (
        "words without batch",
        carry_with(lambda s, H, m: walk(lambda h, r: s(h[0], r), H, m)),
        "step got a hypothesis output of",
    ),
    (
        "first axis walked",
        carry_with(lambda s, H, m: walk(s, H.transpose(0, 1) if square_only(H) else H, m)),
        "is pair t",
    ),
    ("no tanh", carry_joining(lambda r, h, P, X: r @ P.T + h @ X.T), "tanh is missing"),
    ("two tanh", carry_joining(lambda r, h, P, X: (r @ P.T).tanh() + (h @ X.T).tanh()), "One tanh"),
    ("sigmoid", carry_joining(lambda r, h, P, X: (r @ P.T + h @ X.T).sigmoid()), "not with a sigmoid"),
    ("matrices swapped", carry_joining(lambda r, h, P, X: join(r, h, X, P)), "matrices are swapped"),
    ("W_p transposed", carry_joining(lambda r, h, P, X: join(r, h, P.T, X)), "W_p is transposed"),
    ("W_x transposed", carry_joining(lambda r, h, P, X: join(r, h, P, X.T)), "W_x is transposed"),
    ("both transposed", carry_joining(lambda r, h, P, X: join(r, h, P.T, X.T)), "is transposed"),
    ("no last word", carry_joining(lambda r, h, P, X: (r @ P.T).tanh()), "add W_x h_N"),
    ("nothing found", carry_joining(lambda r, h, P, X: (h @ X.T).tanh()), "No step was taken"),
    ("no matrices", carry_joining(lambda r, h, P, X: (r + h).tanh()), "matrices are missing"),
    ("multiplied", carry_joining(lambda r, h, P, X: (r @ P.T * (h @ X.T)).tanh()), "not multiplied"),
    ("subtracted", carry_joining(lambda r, h, P, X: (r @ P.T - h @ X.T).tanh()), "you subtracted"),
    ("r alone", carry_joining(lambda r, h, P, X: r), "This is r_N"),
    ("last column", carry_from(lambda H, mask: H[:, -1]), "you took the last column"),
    ("index n − 2", carry_from(lambda H, m: H[torch.arange(len(H)), m.sum(1) - 2]), "one word too early"),
    (
        "index n",
        carry_from(lambda H, m: H[torch.arange(len(H)), m.sum(1).clamp(max=m.shape[1] - 1)]),
        "one position too late",
    ),
    ("first output", carry_from(lambda H, mask: H[:, 0]), "you took the first"),
    ("mean output", carry_from(lambda H, mask: real_sum(H, mask) / mask.sum(1, True)), "you took the mean"),
    ("sum of the outputs", carry_from(real_sum), "you took the sum"),
    ("last column masked", carry_from(lambda H, mask: H[:, -1] * mask[:, -1:]), "pick it by length"),
    ("first row's last word", carry_from(lambda H, mask: H[:, mask.sum(1)[0] - 1]), "first pair's length"),
    (
        "picked from the batch",
        carry_from(lambda H, m: H[m.sum(1) - 1, torch.arange(len(H))] if square_only(H) else last_real(H, m)),
        "from the batch",
    ),
    ("h* of each word", every_star, "one for each word"),
    ("h* and r", lambda s, H, m, P, X: (carry(s, H, m, P, X), walk(s, H, m)), "h* alone"),
    ("start of single precision", single_start, "torch.float64"),
    ("precision lost", lambda *inputs: carry(*inputs).float(), "torch.float64"),
    ("steps detached", carry_with(detached_steps), "gradient of hypothesis_outputs is wrong"),
    ("no gradient", lambda *inputs: carry(*inputs).detach(), "No gradient flows back"),
    ("in place", carry_in_place, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda s, H, *rest: H[:, 0] * 0, "h* = tanh(W_p r_N + W_x h_N)"),
]


def carry_by_multiplying(step, outputs, mask, W_p, W_x):
    found, last = outputs.new_zeros(len(outputs), outputs.shape[2]), outputs[:, 0]
    for output, real in zip(outputs.unbind(1), mask.unbind(1), strict=True):
        real = real.unsqueeze(1).to(outputs)
        found = real * step(output, found)[0] + (1 - real) * found
        last = real * output + (1 - real) * last
    return nn.functional.linear(found, W_p).add(nn.functional.linear(last, W_x)).tanh()


def carry_and_pick(step, outputs, mask, W_p, W_x):
    found, every = torch.zeros_like(outputs[:, 0]), []
    for t in range(outputs.shape[1]):
        found, _ = step(outputs[:, t], found)
        every.append(found)
    ends = (mask.sum(1) - 1)[:, None, None].expand(-1, 1, outputs.shape[2])
    r = torch.stack(every, 1).gather(1, ends).squeeze(1)
    h = outputs.gather(1, ends).squeeze(1)
    return torch.tanh(torch.cat([r, h], 1) @ torch.cat([W_p, W_x], 1).T)


def carry_by_rows(step, outputs, mask, W_p, W_x):
    found = [torch.zeros_like(row[0]) for row in outputs]
    for t in range(outputs.shape[1]):
        fresh, _ = step(outputs[:, t], torch.stack(found))
        found = [fresh[b] if mask[b, t] else found[b] for b in range(len(found))]
    last = [row[real][-1] for row, real in zip(outputs, mask, strict=True)]
    return torch.stack([torch.tanh(W_p @ r + W_x @ h) for r, h in zip(found, last, strict=True)])


def carry_recursively(step, outputs, mask, W_p, W_x):
    def before(t):
        if t == 0:
            return outputs[:, 0] * 0
        old = before(t - 1)
        return old.where(~mask[:, t - 1].unsqueeze(-1), step(outputs[:, t - 1], old)[0])

    one_hot = nn.functional.one_hot(mask.sum(1) - 1, mask.shape[1]).bool()
    return (before(mask.shape[1]) @ W_p.T + outputs[one_hot] @ W_x.T).tanh()


RIGHT["05.carry-through"] = [carry, carry_by_multiplying, carry_and_pick, carry_by_rows, carry_recursively]


# 05.pointing-score


def point(
    maps, golds, *, peak=lambda row: int(row.argmax()), hit=lambda p, gold, row, word: p in gold,
    luck=lambda gold, row, weights: len(gold) / len(row), keep=bool,
):  # fmt: skip
    """Mark all maps; every part of it can be replaced by a slip."""
    hits, chances = [], []
    for weights, gold_words in zip(maps, golds, strict=True):
        for word, (row, gold) in enumerate(zip(weights, gold_words, strict=True)):
            if keep(gold):
                hits.append(float(hit(peak(row), gold, row, word)))
                chances.append(float(luck(gold, row, weights)))
    return sum(hits) / len(hits), sum(chances) / len(chances)


def pointer(**slips):
    return lambda maps, golds: point(maps, golds, **slips)


def on_columns(maps, golds):
    return point([m.T if m.shape[0] == m.shape[1] else m for m in maps], golds)


def last_largest(row):
    return len(row) - 1 - int(row.flip(0).argmax())


def tops(gold, row):
    return set(row.topk(len(gold)).indices.tolist())


def rates_by_pair(maps, golds):
    return [point([m], [g]) for m, g in zip(maps, golds, strict=True) if any(g)]


def mean_by_pair(maps, golds):
    hits, chances = zip(*rates_by_pair(maps, golds), strict=True)
    return sum(hits) / len(hits), sum(chances) / len(chances)


def mean_by_every_pair(maps, golds):
    hits, chances = zip(*rates_by_pair(maps, golds), strict=True)
    return sum(hits) / len(maps), sum(chances) / len(maps)


def each_pair_divided(maps, golds):
    hits = chances = 0
    for m, g in zip(maps, golds, strict=True):
        found = [(int(row.argmax()) in gold, len(gold) / len(row)) for row, gold in zip(m, g, strict=True) if gold]
        hits += sum(hit for hit, _ in found) / len(found)
        chances += sum(chance for _, chance in found) / len(found)
    return hits / len(maps), chances / len(maps)


def only_pair(which):
    return lambda maps, golds: rates_by_pair(maps, golds)[which]


def misses_for_none(maps, golds):
    return point(maps, golds, keep=lambda gold: True)[0], point(maps, golds)[1]


def hits_for_none(maps, golds):
    return point(maps, golds, keep=lambda gold: True, hit=lambda p, gold, *_: not gold or p in gold)[0], point(
        maps, golds
    )[1]


def chance_for_all(maps, golds):
    return point(maps, golds)[0], point(maps, golds, keep=lambda gold: True)[1]


def whole_pairs(maps, golds):
    kept = [(m, g) for m, g in zip(maps, golds, strict=True) if all(g)] or list(zip(maps, golds, strict=True))
    return point(*zip(*kept, strict=True))


def broken_off(maps, golds):
    hits = []
    for m, g in zip(maps, golds, strict=True):
        for row, gold in zip(m, g, strict=True):
            if not gold:
                break
            hits.append(int(row.argmax()) in gold)
    return sum(hits) / max(len(hits), 1), point(maps, golds)[1]


def by_links(maps, golds):
    links = sum(len(gold) for g in golds for gold in g)
    words = sum(bool(gold) for g in golds for gold in g)
    hits, chance = point(maps, golds)
    return hits * words / links, chance


def with_luck(luck):
    """Make an answer whose chance is luck(maps, golds)."""
    return lambda maps, golds: (point(maps, golds)[0], float(luck(maps, golds)))


def summed_up(maps, golds):
    words = sum(bool(gold) for g in golds for gold in g)
    hits, chance = point(maps, golds)
    return hits * words, chance


def first_gold(maps, golds):
    return point([m[: len(golds[0])] for m in maps], [golds[0][: len(m)] for m in maps])


def any_largest(p, gold, row, word):
    return any(row[g] == row.max() for g in gold)


def point_in_place(maps, golds):
    result = point(maps, golds)
    for m in maps:
        m.fill_(0)
    return result


def emptied_sets(maps, golds):
    result = point(maps, golds)
    for g in golds:
        for i, gold in enumerate(g):
            if isinstance(gold, set):
                gold.clear()
            g[i] = gold
    return result


def mean_length(maps, golds):
    sizes = [len(gold) for g in golds for gold in g if gold]
    return sum(sizes) / len(sizes) / (sum(m.shape[1] for m in maps) / len(maps))


WRONG["05.pointing-score"] = [
    ("columns for rows", on_columns, "rows of a map are hypothesis words"),
    ("smallest", pointer(peak=lambda row: int(row.argmin())), "smallest weight"),
    ("counted from 1", pointer(hit=lambda p, gold, *_: p + 1 in gold), "count from 0"),
    ("gold counted from 1", pointer(hit=lambda p, gold, *_: p - 1 in gold), "count from 0"),
    ("neighbours", pointer(hit=lambda p, gold, *_: any(abs(p - g) <= 1 for g in gold)), "next to the gold"),
    ("own place", pointer(hit=lambda p, gold, row, word: word in gold), "own place"),
    ("weight on gold", pointer(hit=lambda p, gold, row, word: row[list(gold)].sum()), "weight on the gold words"),
    ("more than half", pointer(hit=lambda p, gold, row, word: row[list(gold)].sum() > 0.5), "above one half"),
    ("more than even", pointer(hit=lambda p, gold, row, word: row[list(gold)].max() > 1 / len(row)), "even share"),
    ("misses", lambda *inputs: (1 - point(*inputs)[0], point(*inputs)[1]), "share of misses"),
    ("percent", lambda *inputs: (100 * point(*inputs)[0], point(*inputs)[1]), "not in percent"),
    ("number of hits", summed_up, "number of hits"),
    ("first pair's gold", first_gold, "gold words of the first"),
    ("first gold word", pointer(hit=lambda p, gold, *_: p == min(gold)), "one of them only"),
    ("last gold word", pointer(hit=lambda p, gold, *_: p == max(gold)), "one of them only"),
    ("a gold word", pointer(hit=lambda p, gold, *_: p == list(gold)[0]), "one of them only"),
    ("all gold words", pointer(hit=lambda p, gold, *_: {p} == set(gold)), "One gold word is enough"),
    (
        "all largest are gold",
        pointer(hit=lambda p, gold, row, word: tops(gold, row) == gold),
        "One gold word is enough",
    ),
    ("as many largest", pointer(hit=lambda p, gold, row, word: bool(tops(gold, row) & gold)), "as many as there are"),
    (
        "share of the largest",
        pointer(hit=lambda p, gold, row, word: len(tops(gold, row) & gold) / len(gold)),
        "as many as there are",
    ),
    ("between gold words", pointer(hit=lambda p, gold, *_: min(gold) <= p <= max(gold)), "stay apart"),
    ("divided by the links", by_links, "not of links"),
    ("divided by the gold words", pointer(hit=lambda p, gold, *_: (p in gold) / len(gold)), "not of links"),
    ("as often as gold words", pointer(hit=lambda p, gold, *_: (p in gold) * len(gold)), "counts once"),
    ("no gold missed", misses_for_none, "counted as misses"),
    ("no gold hit", hits_for_none, "counted as hits"),
    ("no gold in both", pointer(keep=lambda gold: True), "counted as misses"),
    ("no gold in the chance", chance_for_all, "counted in the chance"),
    ("whole pairs left out", whole_pairs, "left out whole"),
    ("broken off", broken_off, "not break"),
    ("mean of the pairs", mean_by_pair, "mean of those"),
    ("mean of all pairs", mean_by_every_pair, "pair of misses"),
    ("divided pair by pair", each_pair_divided, "divided by zero"),
    ("last pair", only_pair(-1), "Only the last pair"),
    ("first pair", only_pair(0), "Only the first pair"),
    ("last of the largest", pointer(peak=last_largest), "The last of several"),
    ("any of the largest", pointer(hit=any_largest), "too generous"),
    ("one word's chance", pointer(luck=lambda gold, row, weights: 1 / len(row)), "not the chance"),
    ("number of gold words", pointer(luck=lambda gold, row, weights: len(gold)), "divide by the length of the premise"),
    ("hypothesis length", pointer(luck=lambda gold, row, weights: len(gold) / len(weights)), "not of the hypothesis"),
    ("a coin", with_luck(lambda *_: 0.5), "coin"),
    ("not gold", with_luck(lambda *inputs: 1 - point(*inputs)[1]), "not gold"),
    ("chance in percent", with_luck(lambda *inputs: 100 * point(*inputs)[1]), "not in percent"),
    ("weight for chance", pointer(luck=lambda gold, row, weights: row[list(gold)].sum()), "chance knows nothing"),
    ("mean length", with_luck(mean_length), "its own premise"),
    (
        "all cells",
        with_luck(lambda maps, golds: sum(len(s) for g in golds for s in g) / sum(m.numel() for m in maps)),
        "its own premise",
    ),
    (
        "gold of the pair",
        with_luck(
            lambda maps, golds: (
                sum(len(set().union(*g)) / m.shape[1] for m, g in zip(maps, golds, strict=True)) / len(maps)
            )
        ),
        "whole pair",
    ),
    ("hits for chance", with_luck(lambda *inputs: point(*inputs)[0]), "hit rate again"),
    ("swapped results", lambda *inputs: point(*inputs)[::-1], "hit rate comes first"),
    ("hit rate alone", lambda *inputs: point(*inputs)[0], "Return two numbers"),
    ("hits of each word", lambda maps, golds: (torch.ones(7), point(maps, golds)[1]), "no single number"),
    ("in place", point_in_place, "in place"),
    ("sets emptied", emptied_sets, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda *inputs: (0.71, 0.14), "Expected"),
]


def point_plainly(maps, alignments):
    hits = chance = words = 0
    for weights, alignment in zip(maps, alignments, strict=True):
        premise_length = weights.shape[1]
        for i in range(len(alignment)):
            if len(alignment[i]) == 0:
                continue
            row = weights[i].tolist()
            hits += row.index(max(row)) in alignment[i]
            chance += len(alignment[i]) / premise_length
            words += 1
    return hits / words, chance / words


def point_by_masks(maps, alignments):
    hits, chances = [], []
    for weights, alignment in zip(maps, alignments, strict=True):
        gold = torch.zeros(weights.shape, dtype=torch.bool)
        for i, positions in enumerate(alignment):
            gold[i, list(positions)] = True
        aligned = gold.any(1)
        hits.append(gold.gather(1, weights.argmax(1, keepdim=True))[aligned, 0])
        chances.append(gold[aligned].float().mean(1))
    return torch.cat(hits).float().mean(), torch.cat(chances).mean()


def point_by_numpy(maps, alignments):
    peaks = numpy.concatenate([m.numpy().argmax(1) for m in maps])
    lengths = numpy.concatenate([[m.shape[1]] * m.shape[0] for m in maps])
    golds = [gold for alignment in alignments for gold in alignment]
    keep = numpy.array([len(gold) > 0 for gold in golds])
    hits = numpy.array([peak in gold for peak, gold in zip(peaks, golds, strict=True)])
    chances = numpy.array([len(gold) for gold in golds]) / lengths
    return hits[keep].mean(), numpy.float32(chances[keep].mean())


def point_by_counting(maps, alignments):
    marks = [
        (int(torch.max(row, dim=0).indices) in gold, Fraction(len(gold), row.numel()))
        for weights, alignment in zip(maps, alignments, strict=True)
        for row, gold in zip(weights.unbind(0), alignment, strict=True)
        if gold
    ]
    count = Counter(hit for hit, _ in marks)
    return count[True] / count.total(), float(sum(chance for _, chance in marks) / len(marks))


RIGHT["05.pointing-score"] = [point, point_plainly, point_by_masks, point_by_numpy, point_by_counting]


# 05.hypothesis-only


LABELS = ("entailment", "neutral", "contradiction")


def counted(hypotheses, labels, distinct=set):
    counts = defaultdict(Counter)
    for words, label in zip(hypotheses, labels, strict=True):
        for word in distinct(words):
            counts[word][label] += 1
    return counts


def shared_out(counts):
    return {word: {label: n / sum(count.values()) for label, n in count.items()} for word, count in counts.items()}


def most_frequent(labels):
    return Counter(labels).most_common(1)[0][0]


def vote(words, table, distinct=lambda words: list(dict.fromkeys(words)), join=sum):
    known = [table[word] for word in distinct(words) if word in table]
    return {label: join([votes.get(label, 0) for votes in known]) for label in LABELS} if known else {}


def winner(votes, otherwise):
    return max(votes, key=votes.get) if votes else otherwise


def score(guess, hypotheses, labels):
    return sum(guess(words) == label for words, label in zip(hypotheses, labels, strict=True)) / len(labels)


def audit_with(table=None, voted=vote, otherwise=None, learn=shared_out):
    """Make an answer; table(train X, train y, test X, test y), voted(words, table), otherwise(train y, test y)."""

    def by(train_X, train_y, test_X, test_y):
        votes = table(train_X, train_y, test_X, test_y) if table else learn(counted(train_X, train_y))
        usual = most_frequent(train_y)
        rest = otherwise(train_y, test_y) if otherwise else usual
        return score(lambda words: winner(voted(words, votes), rest), test_X, test_y), test_y.count(usual) / len(test_y)

    return by


audit = audit_with()


def given_label(train_X, train_y, *_):
    sizes = Counter(train_y)
    return {word: {k: n / sizes[k] for k, n in count.items()} for word, count in counted(train_X, train_y).items()}


def winner_takes_all(counts):
    return {word: {max(LABELS, key=lambda k, count=count: count[k]): 1.0} for word, count in counts.items()}


def best_share(counts):
    return {
        word: {k: v for k, v in shares.items() if v == max(shares.values())}
        for word, shares in shared_out(counts).items()
    }


def repeated(words):
    return list(words)


def with_majority(majority):
    """Make an answer whose second figure is majority(train y, test y)."""
    return lambda X, y, tX, ty: (audit(X, y, tX, ty)[0], majority(y, ty))


def strict_lookup(words, table):
    return {label: sum(table[word].get(label, 0) for word in set(words)) for label in LABELS}


def known_only(X, y, tX, ty):
    votes = shared_out(counted(X, y))
    kept = [(words, label) for words, label in zip(tX, ty, strict=True) if any(word in votes for word in words)]
    return score(lambda words: winner(vote(words, votes), None), *zip(*kept, strict=True)), audit(X, y, tX, ty)[1]


def all_known_only(X, y, tX, ty):
    votes = shared_out(counted(X, y))
    kept = [(words, label) for words, label in zip(tX, ty, strict=True) if all(word in votes for word in words)]
    kept = kept or list(zip(tX, ty, strict=True))
    return score(lambda words: winner(vote(words, votes), None), *zip(*kept, strict=True)), audit(X, y, tX, ty)[1]


def by_max_of(key):
    """Let one word decide: the one that key(words, table) picks among the known ones."""

    def voted(words, table):
        known = [word for word in words if word in table]
        return table[key(known, table)] if known else {}

    return voted


def rarest_label(train_y, test_y):
    return min(LABELS, key=train_y.count)


def scored_on_training(X, y, tX, ty):
    return audit(X, y, X, y)[0], audit(X, y, tX, ty)[1]


def audit_in_place(X, y, tX, ty):
    result = audit(X, y, tX, ty)
    y.sort()
    return result


def growing_training(X, y, tX, ty):
    result = audit(X, y, tX, ty)
    X.extend(tX)
    return result


WRONG["05.hypothesis-only"] = [
    ("counts", audit_with(learn=lambda counts: counts), "Frequent words shout"),
    ("shares of the labels' hypotheses", audit_with(given_label), "not by those that have the label"),
    ("winner takes all", audit_with(learn=winner_takes_all), "Each word votes for every label"),
    ("best share alone", audit_with(learn=best_share), "Each word votes for every label"),
    ("surest word", audit_with(voted=lambda words, table: vote(words, table, join=max)), "you asked one of them"),
    ("first word", audit_with(voted=by_max_of(lambda known, table: known[0])), "you asked one of them"),
    ("last word", audit_with(voted=by_max_of(lambda known, table: known[-1])), "you asked one of them"),
    (
        "first word, known or not",
        audit_with(voted=lambda words, table: table.get(words[0], {})),
        "you asked one of them",
    ),
    ("product", audit_with(voted=lambda words, table: vote(words, table, join=math.prod)), "you multiplied"),
    (
        "fewest votes",
        audit_with(voted=lambda words, table: {k: -v for k, v in vote(words, table).items()}),
        "with the least",
    ),
    ("learned from the test", audit_with(lambda X, y, tX, ty: shared_out(counted(tX, ty))), "from the training alone"),
    (
        "learned from both",
        audit_with(lambda X, y, tX, ty: shared_out(counted(X + tX, y + ty))),
        "from the training alone",
    ),
    ("scored on the training", scored_on_training, "accuracy on the training"),
    ("no words", lambda *inputs: (audit(*inputs)[1], audit(*inputs)[1]), "let the words vote"),
    ("wrong guesses", lambda *inputs: (1 - audit(*inputs)[0], audit(*inputs)[1]), "share of wrong guesses"),
    (
        "number of right guesses",
        lambda X, y, tX, ty: (audit(X, y, tX, ty)[0] * len(ty), audit(X, y, tX, ty)[1]),
        "number of right guesses",
    ),
    ("percent", lambda *inputs: (100 * audit(*inputs)[0], audit(*inputs)[1]), "not in percent"),
    ("swapped", lambda *inputs: audit(*inputs)[::-1], "swapped"),
    (
        "repeated in the training",
        audit_with(lambda X, y, *_: shared_out(counted(X, y, repeated))),
        "for each hypothesis that holds it",
    ),
    ("repeated in the test", audit_with(voted=lambda words, table: vote(words, table, repeated)), "a word votes once"),
    (
        "repeated in both",
        audit_with(
            lambda X, y, *_: shared_out(counted(X, y, repeated)), lambda words, table: vote(words, table, repeated)
        ),
        "take set(words)",
    ),
    ("unknown words looked up", audit_with(voted=strict_lookup), "KeyError"),
    ("nothing known, no guess", audit_with(otherwise=lambda *_: None), "counted these hypotheses as wrong"),
    ("nothing known, first label", audit_with(otherwise=lambda *_: LABELS[0]), "one other label"),
    ("nothing known, last label", audit_with(otherwise=lambda *_: LABELS[2]), "one other label"),
    ("nothing known, left out", known_only, "left these hypotheses out"),
    ("something unknown, left out", all_known_only, "leave none out"),
    (
        "something unknown, no vote",
        audit_with(voted=lambda words, table: vote(words, table) if all(w in table for w in words) else {}),
        "no reason to fall back",
    ),
    ("nothing known, rarest label", audit_with(otherwise=rarest_label), "one other label"),
    (
        "first of an empty list",
        audit_with(
            voted=lambda words, table: vote(
                words, {k: v for k, v in table.items() if k == [w for w in words if w in table][0]}
            )
        ),
        "all unknown",
    ),
    (
        "mean over no words",
        audit_with(
            voted=lambda words, table: {
                k: sum(table[w].get(k, 0) for w in set(words) if w in table) / len([w for w in words if w in table])
                for k in LABELS
            }
        ),
        "all unknown",
    ),
    ("majority of the test", with_majority(lambda y, ty: ty.count(most_frequent(ty)) / len(ty)), "that of the test"),
    (
        "majority's share in the training",
        with_majority(lambda y, ty: y.count(most_frequent(y)) / len(y)),
        "share in the training",
    ),
    ("a third", with_majority(lambda y, ty: 1 / 3), "equally frequent"),
    ("least frequent", with_majority(lambda y, ty: ty.count(rarest_label(y, ty)) / len(ty)), "least frequent"),
    ("majority of both", with_majority(lambda y, ty: ty.count(most_frequent(y + ty)) / len(ty)), "of both together"),
    ("first training label", with_majority(lambda y, ty: ty.count(y[0]) / len(ty)), "that of the first hypothesis"),
    ("last in the alphabet", with_majority(lambda y, ty: ty.count(max(y)) / len(ty)), "that of the training"),
    ("number of the majority", with_majority(lambda y, ty: ty.count(most_frequent(y))), "number of right guesses"),
    ("divided by the training", with_majority(lambda y, ty: ty.count(most_frequent(y)) / len(y)), "its own size"),
    ("majority in percent", with_majority(lambda y, ty: 100 * ty.count(most_frequent(y)) / len(ty)), "not in percent"),
    (
        "not the majority",
        with_majority(lambda y, ty: 1 - ty.count(most_frequent(y)) / len(ty)),
        "share of wrong guesses",
    ),
    ("accuracy twice", lambda *inputs: (audit(*inputs)[0],) * 2, "of the words again"),
    ("accuracy alone", lambda *inputs: audit(*inputs)[0], "Return two numbers"),
    ("majority's name", lambda X, y, tX, ty: (audit(X, y, tX, ty)[0], most_frequent(y)), "no single number"),
    ("labels sorted", audit_in_place, "in place"),
    ("training grown", growing_training, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda *inputs: (0.67, 0.34), "Expected"),
]


def audit_by_lists(train_hypotheses, train_labels, test_hypotheses, test_labels):
    usual = max(set(train_labels), key=train_labels.count)
    right = 0
    for words, label in zip(test_hypotheses, test_labels, strict=True):
        votes = dict.fromkeys(LABELS, 0)
        for word in set(words):
            held = [y for x, y in zip(train_hypotheses, train_labels, strict=True) if word in x]
            for y in held:
                votes[y] += 1 / len(held)
        guess = usual if sum(votes.values()) == 0 else sorted(votes, key=votes.get)[-1]
        if guess == label:
            right += 1
    return right / len(test_labels), sum(label == usual for label in test_labels) / len(test_labels)


def audit_by_matrices(train_hypotheses, train_labels, test_hypotheses, test_labels):
    vocabulary = {word: i for i, word in enumerate(sorted({word for words in train_hypotheses for word in words}))}

    def bags(hypotheses):
        bag = torch.zeros(len(hypotheses), len(vocabulary))
        for row, words in zip(bag, hypotheses, strict=True):
            for word in words:
                if word in vocabulary:
                    row[vocabulary[word]] = 1
        return bag

    train, test = (torch.tensor([LABELS.index(y) for y in labels]) for labels in (train_labels, test_labels))
    counts = bags(train_hypotheses).T @ nn.functional.one_hot(train, 3).float()  # (words, labels)
    votes = bags(test_hypotheses) @ (counts / counts.sum(1, keepdim=True))
    usual = train.bincount(minlength=3).argmax()
    guesses = torch.where(votes.sum(1) > 0, votes.argmax(1), usual)
    return (guesses == test).float().mean(), (test == usual).float().mean()


def audit_by_numpy(train_hypotheses, train_labels, test_hypotheses, test_labels):
    counts = {}
    for words, label in zip(train_hypotheses, train_labels, strict=True):
        for word in frozenset(words):
            counts.setdefault(word, numpy.zeros(3))[LABELS.index(label)] += 1
    usual = numpy.bincount([LABELS.index(label) for label in train_labels], minlength=3).argmax()
    guesses = []
    for words in test_hypotheses:
        votes = sum((counts[w] / counts[w].sum() for w in set(words) if w in counts), numpy.zeros(3))
        guesses.append(votes.argmax() if votes.any() else usual)
    truth = numpy.array([LABELS.index(label) for label in test_labels])
    return numpy.mean(guesses == truth), numpy.mean(truth == usual)


def audit_by_fractions(train_hypotheses, train_labels, test_hypotheses, test_labels):
    pairs = Counter((word, y) for x, y in zip(train_hypotheses, train_labels, strict=True) for word in set(x))
    totals = Counter(word for x in train_hypotheses for word in set(x))
    usual, _ = Counter(train_labels).most_common()[0]
    right = 0
    for words, label in zip(test_hypotheses, test_labels, strict=True):
        known = set(words) & totals.keys()
        shares = {y: sum(Fraction(pairs[w, y], totals[w]) for w in known) for y in set(train_labels)}
        right += (max(shares, key=lambda y: shares[y]) if known else usual) == label
    return right / len(test_labels), Counter(test_labels)[usual] / len(test_labels)


def audit_by_means(train_hypotheses, train_labels, test_hypotheses, test_labels):
    table = shared_out(counted(train_hypotheses, train_labels))
    usual = most_frequent(train_labels)

    def guess(words):
        known = {word for word in words if word in table}
        return max(LABELS, key=lambda y: sum(table[w].get(y, 0.0) for w in known) / len(known)) if known else usual

    guesses = list(map(guess, test_hypotheses))
    hits = [a == b for a, b in zip(guesses, test_labels, strict=True)]
    return sum(hits) / len(hits), sum(usual == y for y in test_labels) / len(hits)


RIGHT["05.hypothesis-only"] = [
    audit,
    audit_by_lists,
    audit_by_matrices,
    audit_by_numpy,
    audit_by_fractions,
    audit_by_means,
]
