"""What a few steps of a lesson's experiment give: stored with its results, so that a changed program is noticed.

Settings say what was asked for, not what the code made of it. A fast run of every part depends on data, initial
weights, models, losses, training and evaluation alike; a test repeats it: code that was only rewritten gives the same.
"""

import math

import torch

from course_utils.training import watched_trainings
from experiments.experiment import Experiment

LOSSES_AGREE = 1e-2
"""Largest difference of losses, as a share: other machines round otherwise, and a model that samples may then sample
another place."""
METRICS_AGREE = 3.0
"""Largest difference of metrics, in their units or in percent of them, whichever is more: after a few steps a model is
undecided, and a difference in rounding can turn single answers."""
SOURCES = ("default", "real")
"""Sources whose results have a snapshot. The docstrings of installed libraries are other ones on every machine."""


def snapshot_of(experiment: Experiment, source: str = "default", threads: int = 1) -> dict:
    """Run every part of an experiment for a few steps, with seed 0.

    `threads` share a sum out in another order if there are more of them: what is stored is measured with one.

    Returns:
        `losses`: of each training one after another, nats; `metrics`: metrics by key, without times.

    Raises:
        RealDataError: if the source is "real" and its data cannot be had.
    """
    metrics: dict[str, float] = {}
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with watched_trainings() as histories:
            for part in experiment.recipes(source):
                metrics |= experiment.measure(part, source, seed=0, fast=True)
    finally:
        torch.set_num_threads(before)
    return {
        "losses": [[float(f"{loss:.6g}") for loss in history.losses] for history in histories],
        "metrics": {name: round(value, 4) for name, value in metrics.items() if "seconds" not in name},
    }


def differences(stored: dict, now: dict) -> list[str]:
    """Name what differs between two snapshots; empty if they are the same but for rounding."""
    found = []
    if len(stored["losses"]) != len(now["losses"]):
        found.append(f"{len(now['losses'])} trainings after {len(stored['losses'])}")
    for number, (before, after) in enumerate(zip(stored["losses"], now["losses"], strict=False)):
        pairs = zip(before, after, strict=False)
        if len(before) != len(after) or any(abs(a - b) > LOSSES_AGREE * max(abs(a), 1e-2) for a, b in pairs):
            found.append(f"losses of training {number}: {after} after {before}")
    for name in stored["metrics"].keys() | now["metrics"].keys():
        before, after = (side["metrics"].get(name) for side in (stored, now))
        if not _near(before, after):
            found.append(f"{name}: {after} after {before}")
    return sorted(found)


def _near(before: float | None, after: float | None) -> bool:
    if before is None or after is None or math.isnan(before) or math.isnan(after):
        return before is not None and after is not None and math.isnan(before) and math.isnan(after)
    return abs(before - after) <= METRICS_AGREE * max(1, abs(before) / 100)
