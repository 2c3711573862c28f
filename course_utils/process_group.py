"""Several processes that train one model: what `accelerate launch` adds to the training loop.

Each process holds the whole model and draws the same batches, takes its share of each, and adds its gradients to those
of the others. So a process group of any size follows the loss curve of one process, up to rounding (and, where a model
samples, up to other random numbers).
"""

import os
from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor, nn

from course_utils.data.batching import Batch

PRECISIONS = ("no", "bf16")


@cache
def current_process_group() -> "ProcessGroup | None":
    """Return the process group if `accelerate launch` started this process, else None.

    Raises:
        ValueError, RuntimeError: see `ProcessGroup`.
    """
    return ProcessGroup() if "ACCELERATE_MIXED_PRECISION" in os.environ else None


class ProcessGroup:
    """The processes of one launch. Precision and accumulation are those that `accelerate launch` was given.

    Attributes:
        device: of this process.
        is_main: whether this one writes files and shows progress.
        size: number of processes.

    Raises:
        ValueError: if the precision is not one of `PRECISIONS`.
        RuntimeError: if several processes were started that do not work together, each of which would train alone.
    """

    def __init__(self) -> None:
        from accelerate import Accelerator

        precision = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
        if precision not in PRECISIONS:
            raise ValueError(f"mixed precision is {precision!r}; expected one of {', '.join(PRECISIONS)}.")
        self._accelerator = Accelerator()
        self.device, self.is_main = self._accelerator.device, self._accelerator.is_main_process
        self.size = self._accelerator.num_processes
        started = int(os.environ.get("WORLD_SIZE", "1"))
        if started != self.size:
            raise RuntimeError(
                f"{started} processes were started, and {self.size} of them work together; expected all. On a machine "
                "without a GPU, write ACCELERATE_USE_CPU=yes before accelerate launch."
            )
        self._accumulation = self._accelerator.gradient_accumulation_steps

    def wait(self) -> None:
        """Wait until every process has come here."""
        self._accelerator.wait_for_everyone()

    def backward(self, model: nn.Module, batch: Batch, label_smoothing: float = 0.0) -> Tensor:
        """Give every parameter the gradient of the whole batch's loss; returns that loss, a scalar.

        Args:
            model: has `loss(batch)`, whose `mean` is over real target tokens, or over examples.
            batch: the whole batch, the same in every process.
            label_smoothing: passed to `model.loss` when above zero.
        """
        value, whole = torch.zeros((), device=self.device), _weight(batch)
        for part in self._parts(batch):
            with self._accelerator.autocast():
                loss = (model.loss(part, label_smoothing) if label_smoothing else model.loss(part)).mean
            loss = loss.float() * (_weight(part) / whole)
            loss.backward()
            value += loss.detach()
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        self._sum([value, *(parameter.grad for parameter in parameters)])
        buffers = [buffer for buffer in model.buffers() if buffer.is_floating_point()]
        self._sum(buffers)
        for buffer in buffers:
            buffer /= self.size
        return value

    def _parts(self, batch: Batch) -> Iterator[Batch]:
        """Cut this process's share of a batch into as many parts as gradients are accumulated over."""
        count = len(batch)
        mine = range(self._accelerator.process_index, count, self.size)
        for first in range(min(self._accumulation, len(mine))):
            yield batch[torch.tensor(mine[first :: self._accumulation])]

    def _sum(self, tensors: list[Tensor]) -> None:
        """Replace tensors by their sums over the processes, in one message."""
        if self.size == 1 or not tensors:
            return
        flat = self._accelerator.reduce(torch.cat([tensor.flatten() for tensor in tensors]), reduction="sum")
        for tensor, piece in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(piece.view_as(tensor))


def _weight(batch: Batch) -> int:
    """What a mean over this batch divides by: real target tokens where there are any, else examples."""
    return int(batch.target_mask.sum()) if hasattr(batch, "target_mask") else len(batch)
