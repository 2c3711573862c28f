"""The training loop of every lesson: seeded, clipped, timed, and loud when something goes wrong."""

import itertools
import math
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy
import torch
from torch import nn
from tqdm.auto import tqdm

from course_utils.process_group import current_process_group
from course_utils.training_checkpoints import load_training_checkpoint, restore_rng_state, save_training_checkpoint


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and PyTorch's global generators."""
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)


def is_fast_run() -> bool:
    """Whether `WHERE_TO_LOOK_FAST=1` asks for a quick run with few steps."""
    return os.environ.get("WHERE_TO_LOOK_FAST", "0") not in ("", "0")


def pick_device() -> torch.device:
    """Return the fastest device at hand: CUDA, else Apple's MPS, else the CPU; in a process group its own one."""
    if group := current_process_group():
        return group.device
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
        """One line on what happened."""
        recent = self.losses[-50:]
        mean = sum(recent) / len(recent) if recent else float("nan")
        return f"{len(self.losses)} steps in {self.seconds:.0f} s, last losses {mean:.3f}, ended by: {self.stopped}"


_WATCHING: list[list[History]] = []


@contextmanager
def watched_trainings() -> Iterator[list[History]]:
    """Collect the history of every training that ends within a `with` block, in order."""
    collected: list[History] = []
    _WATCHING.append(collected)
    try:
        yield collected
    finally:
        _WATCHING.pop()


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
    resume: Path | None = None,
    resume_seconds: float = 120.0,
) -> History:
    """Train a model that has `loss(batch)`, for a fixed number of steps.

    Adam with linear warm-up and linear decay to zero; the gradient's norm is clipped. The number of steps, not
    the clock, decides the result, so a seed gives the same model on a slower machine; `time_limit_seconds`
    is a safety net that stops early and says so. Under `accelerate launch` the processes share every batch
    (`process_group.ProcessGroup`); there is no time limit then, and only the main process shows progress and writes.

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
        resume: a file in which the training waits if it is interrupted or killed; called again with the same
            arguments it goes on from there, to the same model that it would have been. Removed at the end.
        resume_seconds: how often that file is written.

    Raises:
        ValueError: if an epoch has no batch, a batch no example, or `steps` is below 1.
        TrainingCheckpointError: see `training_checkpoints.load_training_checkpoint`.
        FloatingPointError: if a loss, gradient or weight is not finite; the weights are then those before that step.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; expected at least 1.")
    device = next(model.parameters()).device
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=device.type in ("cpu", "cuda"))
    rising = max(1, round(warmup * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / rising, (steps - step) / max(1, steps - rising))
    )
    group = current_process_group()
    backward, writes = (group.backward, group.is_main) if group else (_backward, True)
    history, best = History(), _Best()
    place = (0, 0)
    identity = _identity(model, steps, learning_rate, warmup, clip_norm, label_smoothing, description)
    stored = load_training_checkpoint(resume, identity) if resume else None
    if stored:
        model.load_state_dict(stored["model"])
        optimizer.load_state_dict(stored["optimizer"])
        schedule.load_state_dict(stored["schedule"])
        history, best, place = History(**stored["history"]), _Best(**stored["best"]), tuple(stored["place"])
        print(f"{description}: going on after {len(history.losses)} of {steps} steps.")
    model.train()
    seconds_before = history.seconds
    started = written = time.perf_counter()
    progress = progress and writes
    bar = tqdm(total=steps, initial=len(history.losses), desc=description, disable=not progress, mininterval=1.0)

    def store() -> None:
        content = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
        content |= {"history": asdict(history), "best": vars(best), "place": place}
        save_training_checkpoint(resume, identity, content)

    try:
        for reached, batch in _stream(batches, steps - len(history.losses), place, stored):
            batch = batch.to(device)
            if hasattr(batch, "__len__") and len(batch) == 0:
                raise ValueError(
                    f"step {len(history.losses)}: the batch holds no example; expected at least one. Leave empty "
                    "batches out of what `batches` returns."
                )
            optimizer.zero_grad(set_to_none=True)
            try:
                loss = backward(model, batch, label_smoothing)
            except (RuntimeError, IndexError) as error:  # sampling a place or a cell from NaN stops inside the model
                if all(bool(weight.isfinite().all()) for weight in model.parameters()):
                    raise
                raise FloatingPointError(
                    f"step {len(history.losses)}: a weight is not a finite number, and the model stopped at it: {error}"
                ) from error
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
            done, place = len(history.losses), reached
            history.seconds = seconds_before + time.perf_counter() - started
            limit = math.inf if time_limit_seconds is None or group else time_limit_seconds
            out_of_time = history.seconds > limit and done < steps
            if validate and (done % validate_every == 0 or done == steps or out_of_time):
                model.eval()
                value = validate(model)
                model.train()
                history.validations.append((done, value))
                bar.set_postfix(loss=f"{history.losses[-1]:.3f}", validation=f"{value:.3f}")
                if value < best.value:
                    best.value, best.bad = value, 0
                    best.weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
                else:
                    best.bad += 1
                    if patience is not None and best.bad >= patience:
                        history.stopped = "patience"
                        break
            if out_of_time:
                history.stopped = "time"
                reason = f"at the limit of {time_limit_seconds:.0f} s"
                print(f"{description}: stopped after {done} of {steps} steps {reason}.")
                break
            if resume and writes and done < steps and time.perf_counter() - written > resume_seconds:
                store()
                written = time.perf_counter()
    except KeyboardInterrupt:
        history.stopped = "interrupted"
        print(f"{description}: interrupted after {len(history.losses)} of {steps} steps; the weights so far are kept.")
    finally:
        bar.close()
        model.eval()
    if best.weights is not None:
        model.load_state_dict(best.weights)
    history.seconds = seconds_before + time.perf_counter() - started
    if resume and writes and history.stopped != "interrupted":
        resume.unlink(missing_ok=True)
    for watching in _WATCHING:
        watching.append(history)
    return history


def _backward(model: nn.Module, batch: tuple, label_smoothing: float) -> torch.Tensor:
    """Give every parameter its gradient; returns the loss."""
    loss = (model.loss(batch, label_smoothing) if label_smoothing else model.loss(batch)).mean
    loss.backward()
    return loss


@dataclass
class _Best:
    """The best validation so far, its weights, and how many came after it."""

    value: float = math.inf
    weights: dict | None = None
    bad: int = 0


def _identity(model: nn.Module, *settings: object) -> dict:
    """What tells one training from another."""
    shapes = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    return {"settings": list(settings), "shapes": shapes}


def _stream(batches: Callable[[int], Iterable], steps: int, place: tuple[int, int], stored: dict | None) -> Iterable:
    """Chain epochs from a place on (epoch, batches given of it) until `steps` batches have been given.

    Batches before the place are made again and left out; then the random states are set to what they were.
    """
    given, (epoch, skipped) = 0, place
    while given < steps:
        before, stream = given, iter(batches(epoch))
        for _ in itertools.islice(stream, skipped):
            pass
        if stored:
            restore_rng_state(stored)
            stored = None
        for number, batch in enumerate(stream, start=skipped + 1):
            given += 1
            yield (epoch, number), batch
            if given == steps:
                return
        if given == before and not skipped:
            raise ValueError(f"epoch {epoch} has no batch; expected at least one. Is the data set empty?")
        epoch, skipped = epoch + 1, 0
