"""Read a sequence out of a decoder, one word at a time: greedy and beam search, whole batches at once.

Both work on any model with two methods (every model of the course has them):

    memory, state = model.start(source, source_mask)
    log_probabilities, state, attention_weights = model.step(previous_words, state, memory)

`memory` and `state` are tensors, or tuples of them, whose first dimension is the batch; `attention_weights`
is None for a model without attention. A sentence that has ended leaves the batch, so a batch costs what
its sentences need, and each sentence gets the words it would get alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Hypothesis(NamedTuple):
    """One decoded sequence.

    Attributes:
        tokens: word ids, without the end symbol.
        log_probability: nats, of the tokens and the end symbol (when it was reached).
        attention_weights: `(target_length, source_length)`, one row per word and one for the end symbol when it was
            reached, one column per source word of its own, no padding; None for a model without attention.
        ended: False if the length limit cut the sequence off.
    """

    tokens: list[int]
    log_probability: float
    attention_weights: Tensor | None
    ended: bool


def select_rows(tree, rows: Tensor):
    """Pick (and repeat) batch rows of a tensor, of a tuple of tensors, or of None, at any depth."""
    if tree is None:
        return None
    if isinstance(tree, Tensor):
        return tree.index_select(0, rows)
    parts = [select_rows(part, rows) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


def _limits(source: Tensor, source_mask: Tensor, max_length: int | Sequence[int]) -> list[int]:
    """Check the arguments of a search, and give the length limit of each sentence."""
    if source_mask.dim() != 2 or source.shape[:2] != source_mask.shape:
        raise ValueError(
            f"source has shape {tuple(source.shape)} and source_mask {tuple(source_mask.shape)}; expected both to "
            "begin with (batch, source_length). Add a batch dimension of 1 for a single sentence."
        )
    limits = [max_length] * source.shape[0] if isinstance(max_length, int) else list(max_length)
    if len(limits) != source.shape[0] or min(limits, default=1) < 1:
        raise ValueError(
            f"max_length is {max_length}; expected at least 1, or such a number for each of the {source.shape[0]} rows."
        )
    return limits


def _check_numbers(best: Tensor, step: int) -> None:
    """Refuse NaN among log-probabilities: it counts as the largest number, so it is among the best."""
    if bool(best.isnan().any()):
        raise FloatingPointError(
            f"step {step}: the model's log-probabilities are not numbers (NaN); expected numbers. Its weights or its "
            "input hold NaN: train it anew with a lower learning_rate, or load it again."
        )


def _own_columns(found: list[Hypothesis], source_mask: Tensor) -> list[Hypothesis]:
    """Cut padding off attention over source words, so that each map is as wide as its own source."""
    lengths, width = source_mask.sum(dim=1).tolist(), source_mask.shape[1]
    for row, (one, length) in enumerate(zip(found, lengths, strict=True)):
        if one.attention_weights is not None and one.attention_weights.shape[1] == width:
            found[row] = one._replace(attention_weights=one.attention_weights[:, :length])
    return found


@torch.no_grad()
def greedy_search(
    model, source: Tensor, source_mask: Tensor, *, begin: int, end: int, max_length: int | Sequence[int]
) -> list[Hypothesis]:
    """Take the most probable word at every step.

    Args:
        model: see the top of this module; put it in `eval()` mode first if it has dropout.
        source: `(batch, source_length)` word ids, or `(batch, source_length, size)` vectors, right-padded.
        source_mask: `(batch, source_length)` booleans, True = real token.
        begin: id that precedes the first word.
        end: id that ends a sequence.
        max_length: most words per sequence, the end symbol included; one number, or one per row.

    Returns:
        One hypothesis per row of `source`, in the same order.

    Raises:
        ValueError: if the shapes disagree or `max_length` is below 1.
        FloatingPointError: if the model's log-probabilities are NaN.
    """
    limits = _limits(source, source_mask, max_length)
    memory, state = model.start(source, source_mask)
    batch = source.shape[0]
    tokens: list[list[int]] = [[] for _ in range(batch)]
    weights: list[list[Tensor]] = [[] for _ in range(batch)]
    scores, ended = [0.0] * batch, [False] * batch
    running = torch.arange(batch, device=source.device)  # which sentence each row still belongs to
    words = torch.full((batch,), begin, device=source.device)
    for step in range(1, max(limits) + 1):
        log_probabilities, state, attention_weights = model.step(words, state, memory)
        best, words = log_probabilities.max(dim=-1)
        _check_numbers(best, step)
        rows = zip(running.tolist(), best.tolist(), words.tolist(), strict=True)
        for row, (sentence, score, word) in enumerate(rows):
            scores[sentence] += score
            ended[sentence] = word == end
            if word != end:
                tokens[sentence].append(word)
            if attention_weights is not None:
                weights[sentence].append(attention_weights[row])
        within = torch.tensor([step < limits[sentence] for sentence in running.tolist()], device=source.device)
        keep = ((words != end) & within).nonzero().flatten()
        if len(keep) == 0:
            break
        if len(keep) < len(words):
            running, words = running[keep], words[keep]
            state, memory = select_rows(state, keep), select_rows(memory, keep)
    stacked = [torch.stack(rows) if rows else None for rows in weights]
    found = [Hypothesis(*entries) for entries in zip(tokens, scores, stacked, ended, strict=True)]
    return _own_columns(found, source_mask)


@torch.no_grad()
def beam_search(
    model,
    source: Tensor,
    source_mask: Tensor,
    *,
    begin: int,
    end: int,
    max_length: int | Sequence[int],
    beam_size: int = 5,
    length_penalty: float = 1.0,
) -> list[Hypothesis]:
    """Keep the `beam_size` best partial sequences at every step.

    A sentence is done when it has `beam_size` ended hypotheses; the one with the highest
    log-probability / words ** length_penalty is returned (Sutskever et al. 2014 rank by the plain
    log-probability: `length_penalty=0`, which favours short outputs).

    Args:
        model, source, source_mask, begin, end, max_length: as in `greedy_search`.
        beam_size: partial sequences per sentence; 1 gives the greedy result.
        length_penalty: exponent of the number of words that divides the log-probability.

    Returns:
        The best hypothesis per row of `source`, in the same order.

    Raises:
        ValueError: if the shapes disagree, or `max_length` or `beam_size` is below 1.
        FloatingPointError: if the model's log-probabilities are NaN.
    """
    limits = _limits(source, source_mask, max_length)
    if beam_size < 1:
        raise ValueError(f"beam_size is {beam_size}; expected at least 1.")
    memory, state = model.start(source, source_mask)
    batch, device = source.shape[0], source.device
    running = torch.arange(batch, device=device)  # sentences still searched; each owns `beam_size` rows
    repeat = running.repeat_interleave(beam_size)
    memory, state = select_rows(memory, repeat), select_rows(state, repeat)
    words = torch.full((batch * beam_size,), begin, device=device)
    # Only the first row of a sentence counts at the start: the others are copies of it.
    scores = torch.full((batch, beam_size), float("-inf"), device=device)
    scores[:, 0] = 0.0
    history = torch.empty((batch * beam_size, 0), dtype=torch.long, device=device)
    weight_history: Tensor | None = None
    finished: list[list[tuple[float, Hypothesis]]] = [[] for _ in range(batch)]

    for step in range(1, max(limits) + 1):
        log_probabilities, state, attention_weights = model.step(words, state, memory)
        vocabulary = log_probabilities.shape[-1]
        if attention_weights is not None:
            row = attention_weights.unsqueeze(1)  # (rows, 1, source_length)
            weight_history = row if weight_history is None else torch.cat([weight_history, row], dim=1)
        totals = scores[..., None] + log_probabilities.view(len(running), beam_size, vocabulary)
        # Each beam has one end symbol, so of twice beam_size candidates at least beam_size go on.
        best, index = totals.flatten(1).topk(min(2 * beam_size, beam_size * vocabulary), dim=1)
        _check_numbers(best, step)
        parents, candidates = index // vocabulary, index % vocabulary
        ends = candidates == end
        for place, rank_in_beam in (ends[:, :beam_size] & best[:, :beam_size].isfinite()).nonzero().tolist():
            sentence, score = int(running[place]), float(best[place, rank_in_beam])
            row = place * beam_size + int(parents[place, rank_in_beam])
            weights = None if weight_history is None else weight_history[row].clone()
            finished[sentence].append(
                (score / step**length_penalty, Hypothesis(history[row].tolist(), score, weights, True))
            )
        # Among the candidates that go on, the first beam_size in order of score.
        scores = best.masked_fill(ends, float("-inf"))
        scores, order = scores.topk(beam_size, dim=1)
        parents, candidates = parents.gather(1, order), candidates.gather(1, order)
        for place, sentence in enumerate(running.tolist()):
            if step == limits[sentence] and not finished[sentence]:  # cut off: return what there is
                row = place * beam_size + int(parents[place, 0])
                weights = None if weight_history is None else weight_history[row].clone()
                tokens = [*history[row].tolist(), int(candidates[place, 0])]
                finished[sentence].append((0.0, Hypothesis(tokens, float(scores[place, 0]), weights, False)))
        wanted = [len(finished[s]) < beam_size and step < limits[s] for s in running.tolist()]
        alive = torch.tensor(wanted, device=device) & scores[:, 0].isfinite()
        if not bool(alive.any()):
            break
        rows = (torch.arange(len(running), device=device)[:, None] * beam_size + parents)[alive].flatten()
        words, scores = candidates[alive].flatten(), scores[alive]
        state, history = select_rows(state, rows), torch.cat([history[rows], words[:, None]], dim=1)
        weight_history = select_rows(weight_history, rows)
        if not bool(alive.all()):  # the rows of one sentence share their memory: copy it only when one leaves
            memory = select_rows(memory, rows)
            running = running[alive]
    return _own_columns([max(candidates, key=lambda pair: pair[0])[1] for candidates in finished], source_mask)
