"""The training loop of every lesson: seeded, clipped, timed, and loud when something goes wrong."""

import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy
import torch
from torch import nn
from tqdm.auto import tqdm


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and PyTorch's global generators."""
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)


def pick_device() -> torch.device:
    """Return the fastest device at hand: CUDA, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@dataclass
class History:
    """What a training run did.

    Attributes:
        losses: training loss of every step, in the unit of the model's loss (nats per token here).
        gradient_norms: norm of the whole gradient before clipping, every step.
        validations: `(step, value)` for each validation.
        seconds: wall time of the run.
        stopped: why it ended: "steps", "time", "patience" or "interrupted".
    """

    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    validations: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str = "steps"

    def summary(self) -> str:
        """Say in one line what happened."""
        recent = self.losses[-50:]
        mean = sum(recent) / len(recent) if recent else float("nan")
        return f"{len(self.losses)} steps in {self.seconds:.0f} s, last losses {mean:.3f}, ended by: {self.stopped}"


def train(
    model: nn.Module,
    batches: Callable[[int], Iterable],
    *,
    steps: int,
    learning_rate: float = 2e-3,
    warmup: float = 0.05,
    clip_norm: float = 1.0,
    label_smoothing: float = 0.0,
    time_limit_seconds: float | None = None,
    validate: Callable[[nn.Module], float] | None = None,
    validate_every: int = 500,
    patience: int | None = None,
    progress: bool = True,
    description: str = "training",
) -> History:
    """Train a model that has `loss(batch)`, for a fixed number of steps.

    Adam with linear warm-up and linear decay to zero; the gradient's norm is clipped. The number of steps, not
    the clock, decides the result, so a seed gives the same model on a slower machine; `time_limit_seconds`
    is a safety net that stops early and says so.

    Args:
        model: trained in place and left in `eval()` mode; with `validate`, with the weights of the best validation.
        batches: called with the epoch number 0, 1, …; returns that epoch's batches.
        steps: optimiser steps.
        learning_rate: highest learning rate.
        warmup: share of the steps over which the rate rises.
        clip_norm: largest gradient norm that is applied.
        label_smoothing: passed to `model.loss` when above zero.
        time_limit_seconds: stop after this many seconds of wall time.
        validate: returns a value to minimise; called every `validate_every` steps and at the end.
        patience: stop after this many validations without improvement.
        progress: show a progress bar.
        description: label of the bar.

    Raises:
        ValueError: if an epoch has no batch or `steps` is below 1.
        FloatingPointError: if a loss or gradient is not finite; the weights are then those before that step.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; expected at least 1.")
    device = next(model.parameters()).device
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=device.type in ("cpu", "cuda"))
    rising = max(1, round(warmup * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / rising, (steps - step) / max(1, steps - rising))
    )
    history, started = History(), time.perf_counter()
    best_value, best_weights, bad = math.inf, None, 0
    model.train()
    bar = tqdm(total=steps, desc=description, disable=not progress, mininterval=1.0)
    try:
        for batch in _stream(batches, steps):
            batch = batch.to(device)
            optimizer.zero_grad(set_to_none=True)
            loss = (model.loss(batch, label_smoothing) if label_smoothing else model.loss(batch)).mean
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
            value, norm = loss.item(), norm.item()
            if not (math.isfinite(value) and math.isfinite(norm)):
                raise FloatingPointError(
                    f"step {len(history.losses)}: loss {value}, gradient norm {norm}; expected finite numbers. "
                    f"The weights were not changed by this step. Lower learning_rate (now {learning_rate})."
                )
            optimizer.step()
            schedule.step()
            history.losses.append(value)
            history.gradient_norms.append(norm)
            bar.update()
            done = len(history.losses)
            history.seconds = time.perf_counter() - started
            out_of_time = time_limit_seconds is not None and history.seconds > time_limit_seconds and done < steps
            if validate and (done % validate_every == 0 or done == steps or out_of_time):
                model.eval()
                value = validate(model)
                model.train()
                history.validations.append((done, value))
                bar.set_postfix(loss=f"{history.losses[-1]:.3f}", validation=f"{value:.3f}")
                if value < best_value:
                    best_value, bad = value, 0
                    best_weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
                else:
                    bad += 1
                    if patience is not None and bad >= patience:
                        history.stopped = "patience"
                        break
            if out_of_time:
                history.stopped = "time"
                print(
                    f"{description}: stopped after {done} of {steps} steps at the limit of {time_limit_seconds:.0f} s."
                )
                break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
        print(f"{description}: interrupted after {len(history.losses)} of {steps} steps; the weights so far are kept.")
    finally:
        bar.close()
        model.eval()
    if best_weights is not None:
        model.load_state_dict(best_weights)
    history.seconds = time.perf_counter() - started
    return history


def _stream(batches: Callable[[int], Iterable], steps: int) -> Iterable:
    """Chain epochs until `steps` batches have been given."""
    given, epoch = 0, 0
    while given < steps:
        before = given
        for batch in batches(epoch):
            if given == steps:
                return
            given += 1
            yield batch
        if given == before:
            raise ValueError(f"epoch {epoch} has no batch; expected at least one. Is the data set empty?")
        epoch += 1
