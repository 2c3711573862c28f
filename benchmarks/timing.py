"""How the benchmark measures: contestants take turns on one thread, ratios are taken turn by turn."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Ratio:
    """One comparison: `slower` seconds over `faster` seconds, turn by turn.

    Attributes:
        name: what is compared.
        over, under: the two contestants.
        over_seconds, under_seconds: their medians, seconds of processor time.
        median, low, high: of the turns' ratios.
        at_least: whether the target is a lowest or a highest value.
        target: None = none was set.
    """

    name: str
    over: str
    under: str
    over_seconds: float
    under_seconds: float
    median: float
    low: float
    high: float
    at_least: bool
    target: float | None

    @property
    def reached(self) -> bool | None:
        """Whether the target was reached; None without one."""
        if self.target is None:
            return None
        return self.median >= self.target if self.at_least else self.median <= self.target


def training_step(model: nn.Module) -> Callable[[tuple], None]:
    """Forward, backward, clipping and Adam: the same for every contestant."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def step(batch: tuple) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(batch)
        (loss if isinstance(loss, Tensor) else loss.mean).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def take_turns(contestants: dict[str, Callable], turns: list[tuple]) -> dict[str, list[float]]:
    """CPU seconds of every contestant in every turn, after one turn that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number, arguments in enumerate([turns[0], *turns]):
        for name, contestant in contestants.items():
            before = time.process_time()
            contestant(*arguments)
            if number > 0:
                seconds[name].append(time.process_time() - before)
    return seconds


def compare(
    name: str, seconds: dict[str, list[float]], over: str, under: str, *, at_least: float = 0.0, at_most: float = 0.0
) -> Ratio:
    """Divide turn by turn; `at_least` or `at_most` sets a target."""
    turns = [a / b for a, b in zip(seconds[over], seconds[under], strict=True)]
    return Ratio(
        name, over, under, statistics.median(seconds[over]), statistics.median(seconds[under]),
        statistics.median(turns), min(turns), max(turns), at_least > 0, at_least or at_most or None,
    )  # fmt: skip


def growth_rows(what: str, contestants: dict[float, Callable[[], None]], rounds: int) -> list[dict]:
    """Time one thing at several sizes; `relative` is to the first."""
    seconds = take_turns({str(value): contestant for value, contestant in contestants.items()}, [()] * rounds)
    first = statistics.median(next(iter(seconds.values())))
    rows = []
    for value in contestants:
        turns = seconds[str(value)]
        median = statistics.median(turns)
        rows.append(
            {"grows": what, "value": value, "seconds": median, "relative": median / first, "low": min(turns),
             "high": max(turns)}
        )  # fmt: skip
    return rows


def peak_bytes(work: Callable[[], object]) -> int:
    """Most bytes of new tensors that a piece of work has at the same time, as PyTorch's allocator counts them."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    held = most = 0
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most
