"""What the evaluation of all systems shares: a mean loss, search, attention along references, and named metrics."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from course_utils.data.batching import Batch
from course_utils.data.text import BEGIN, END
from course_utils.mechanisms.search import Hypothesis, beam_search, greedy_search


class TextScore(NamedTuple):
    """How well texts were written: corpus BLEU, 0 to 100; share of correct texts, 0 to 1; number of examples."""

    bleu: float
    exact: float
    count: int


@torch.no_grad()
def mean_loss(model: nn.Module, batches: Iterable[Batch], loss: Callable[[Batch], Any] | None = None) -> float:
    """Mean loss over batches, nats per token, or per example where a loss does not count tokens.

    Args:
        model: evaluated in `eval()` mode, and left in the mode that it was in.
        batches: on any device.
        loss: takes a batch and returns what has `mean`, and `tokens` if it counts them; None = the model's own.

    Raises:
        ValueError: if there is no batch.
    """
    device, training, total, count = next(model.parameters()).device, model.training, 0.0, 0
    loss = loss or model.loss
    model.eval()
    for batch in batches:
        value = loss(batch.to(device))
        weight = getattr(value, "tokens", len(batch))
        total, count = total + float(value.mean) * weight, count + weight
    model.train(training)
    if not count:
        raise ValueError("batches is empty; expected at least one batch with an example.")
    return total / count


@torch.no_grad()
def search(
    model: Any, sources: Iterable[tuple[Tensor, Tensor, int | Sequence[int]]], beam_size: int = 1
) -> list[Hypothesis]:
    """Let a model write, greedily (`beam_size` 1) or with a beam.

    Args:
        model: see `mechanisms.search.greedy_search`.
        sources: for each batch `source`, `source_mask` and `max_length`, as `greedy_search` takes them.
        beam_size: partial texts that are continued.
    """
    device, found = next(model.parameters()).device, []
    how, options = (greedy_search, {}) if beam_size == 1 else (beam_search, {"beam_size": beam_size})
    for source, mask, longest in sources:
        found += how(model, source.to(device), mask.to(device), begin=BEGIN, end=END, max_length=longest, **options)
    return found


@torch.no_grad()
def teacher_forced_attention(model: nn.Module, data: Any, examples: Sequence, batch_size: int = 50) -> list[Tensor]:
    """A model's attention weights while it writes the references of examples, without the end symbol's.

    Returns:
        For each example `(target_length, source_length)`.

    Raises:
        ValueError: if the model has no attention.
    """
    device, found = next(model.parameters()).device, []
    for batch in data.ordered_batches(examples, batch_size):
        _, weights = model(batch.to(device))
        if weights is None:
            raise ValueError(f"{type(model).__name__} has no attention weights here; expected a system with attention.")
        mask = batch.feature_mask if "feature_mask" in vars(batch) else batch.source_mask
        found += padded_off(weights, batch.target_mask.sum(dim=1) - 1, mask.sum(dim=1))
    return found


def padded_off(weights: Tensor, rows: Sequence[int] | Tensor, columns: Sequence[int] | Tensor) -> list[Tensor]:
    """Cut the padding off attention maps `(batch, most rows, most columns)`, and bring them to the CPU.

    `rows` and `columns` say how many of each map are real.
    """
    sizes = zip(rows, columns, strict=True)
    return [map_[: int(r), : int(c)].cpu() for map_, (r, c) in zip(weights, sizes, strict=True)]


def by_length(sequences: Sequence[Sequence], batch_size: int) -> list[list[int]]:
    """Indices of sequences in batches of similar length, the shortest first."""
    order = sorted(range(len(sequences)), key=lambda index: len(sequences[index]))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def named(name: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics of one system among those of others: `<name>/<key>`, as the claims refer to them."""
    return {f"{name}/{key}": value for key, value in metrics.items()}


def percentages(shares: Mapping[str, float]) -> dict[str, float]:
    """Shares from 0 to 1, in %."""
    return {key: 100 * share for key, share in shares.items()}
