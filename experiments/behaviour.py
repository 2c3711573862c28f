"""What a lesson's experiments do in a few steps: kept with their results, so that a changed program is noticed.

Settings say what was asked for, not what the code made of it. So a result also keeps the losses and figures of a fast
run of every part, which depend on data, initial weights, models, losses, training and marks alike. A test repeats the
fast run: code that was only rewritten gives the same numbers, code that does something else does not.
"""

import math
from collections.abc import Sequence
from types import ModuleType

import torch

from course_utils.training import watched_trainings

LOSSES_AGREE = 1e-2
"""Largest difference of losses, as a share: other machines round otherwise, and a model that draws may then draw
another place."""
FIGURES_AGREE = 3.0
"""Largest difference of figures, in their units or in percent of them, whichever is more: after a few steps a model is
undecided, and a difference in rounding can turn single answers."""


KEPT_SOURCES = ("default", "real")
"""Sources whose results keep a behaviour. The docstrings of installed libraries are other ones on every machine."""


def behaviour_of(experiment: ModuleType, source: str = "default", threads: int = 1) -> dict:
    """Run every part of an experiment for a few steps, with seed 0.

    Args:
        experiment: a lesson's module, see `runner`.
        source: of the data.
        threads: more of them share a sum out in another order, so what is kept is measured with one.

    Returns:
        `losses`: of each training one after another, nats; `figures`: by key, without times.

    Raises:
        RealDataError: if the source is "real" and its data cannot be had.
    """
    asked = experiment.settings(source, True)
    parts = [experiment.PARTS[name] for name in experiment.PARTS if name in asked] if has_parts(experiment) else []
    figures: dict[str, float] = {}
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with watched_trainings() as histories:
            for measure in parts or [experiment.measure]:
                figures |= measure(source, 0, True)
    finally:
        torch.set_num_threads(before)
    return {
        "losses": [[float(f"{loss:.6g}") for loss in history.losses] for history in histories],
        "figures": {name: round(value, 4) for name, value in figures.items() if "seconds" not in name},
    }


def has_parts(experiment: ModuleType) -> bool:
    """Say whether an experiment is measured in parts."""
    return hasattr(experiment, "PARTS")


def differences(kept: dict, now: dict) -> list[str]:
    """Name what differs between two behaviours; empty if they are the same but for rounding."""
    found = []
    if len(kept["losses"]) != len(now["losses"]):
        found.append(f"{len(now['losses'])} trainings after {len(kept['losses'])}")
    for number, (before, after) in enumerate(zip(kept["losses"], now["losses"], strict=False)):
        if not _alike(before, after):
            found.append(f"losses of training {number}: {after} after {before}")
    for name in kept["figures"].keys() | now["figures"].keys():
        before, after = (side["figures"].get(name) for side in (kept, now))
        if not _near(before, after):
            found.append(f"{name}: {after} after {before}")
    return sorted(found)


def _alike(before: Sequence[float], after: Sequence[float]) -> bool:
    return len(before) == len(after) and all(
        abs(a - b) <= LOSSES_AGREE * max(abs(a), 1e-2) for a, b in zip(before, after, strict=True)
    )


def _near(before: float | None, after: float | None) -> bool:
    if before is None or after is None or math.isnan(before) or math.isnan(after):
        return before is not None and after is not None and math.isnan(before) and math.isnan(after)
    return abs(before - after) <= FIGURES_AGREE * max(1, abs(before) / 100)
