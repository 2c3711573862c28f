"""How the benchmark measures: contestants take turns on one thread, and a ratio is taken within a turn."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn


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


def take_turns(contestants: Mapping[object, Callable], turns: list[tuple]) -> dict[object, list[float]]:
    """CPU seconds of every contestant in every turn, after one turn that does not count."""
    seconds: dict[object, list[float]] = {name: [] for name in contestants}
    for number, arguments in enumerate([turns[0], *turns]):
        for name, contestant in contestants.items():
            before = time.process_time()
            contestant(*arguments)
            if number > 0:
                seconds[name].append(time.process_time() - before)
    return seconds


def compare(
    name: str, seconds: Mapping, over: str, under: str, *, at_least: float = 0.0, at_most: float = 0.0
) -> dict[str, object]:
    """Divide turn by turn: median, lowest and highest ratio; `at_least` or `at_most` sets a target."""
    turns = [a / b for a, b in zip(seconds[over], seconds[under], strict=True)]
    median, target = statistics.median(turns), at_least or at_most or None
    reached = None if target is None else median >= target if at_least else median <= target
    times = {"over_seconds": statistics.median(seconds[over]), "under_seconds": statistics.median(seconds[under])}
    ratio = {"median": median, "low": min(turns), "high": max(turns)}
    return {"name": name, "over": over, "under": under, **times, **ratio, "at_least": at_least > 0, "target": target,
            "reached": reached}  # fmt: skip


def growth_rows(what: str, contestants: Mapping[int, Callable[[], None]], rounds: int) -> list[dict]:
    """Time one thing at several sizes; `relative` is to the first."""
    seconds = take_turns(contestants, [()] * rounds)
    medians = {value: statistics.median(turns) for value, turns in seconds.items()}
    first = next(iter(medians.values()))
    return [
        {"grows": what, "value": value, "seconds": medians[value], "relative": medians[value] / first,
         "low": min(turns), "high": max(turns)}
        for value, turns in seconds.items()
    ]  # fmt: skip


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
