"""What the evaluation of every lesson shares: a mean loss, a search, and attention maps without their padding."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.data.batching import Batch
from course_utils.data.text import BEGIN, END
from course_utils.mechanisms.search import Hypothesis, beam_search, greedy_search


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
    model: Any, source: Tensor, source_mask: Tensor, max_length: int | Sequence[int], beam_size: int = 1
) -> list[Hypothesis]:
    """Let a model write, greedily or with a beam.

    Args:
        model, source, source_mask, max_length: see `mechanisms.search.greedy_search`.
        beam_size: 1 is greedy.
    """
    limits = {"begin": BEGIN, "end": END, "max_length": max_length}
    if beam_size == 1:
        return greedy_search(model, source, source_mask, **limits)
    return beam_search(model, source, source_mask, **limits, beam_size=beam_size)


def padded_off(weights: Tensor, rows: Sequence[int] | Tensor, columns: Sequence[int] | Tensor) -> list[Tensor]:
    """Cut the padding off attention maps, and bring them to the CPU.

    Args:
        weights: `(batch, most rows, most columns)`.
        rows, columns: how many of each map are real, `(batch,)`.
    """
    sizes = zip(rows, columns, strict=True)
    return [map_[: int(r), : int(c)].cpu() for map_, (r, c) in zip(weights, sizes, strict=True)]


def named(name: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics of one system among those of others: `<name>/<key>`, as the claims refer to them."""
    return {f"{name}/{key}": value for key, value in metrics.items()}
