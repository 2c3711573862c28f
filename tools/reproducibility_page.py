"""The page docs/reproducibility.md, from data/results/reproducibility.json; nothing is measured here."""

import json
import math
import statistics
from collections.abc import Iterable, Mapping

from course_utils.files import write_whole
from course_utils.paths import data_folder
from experiments.snapshot import LOSSES_AGREE, METRICS_AGREE
from tools.project import ROOT

PAGE = ROOT / "docs" / "reproducibility.md"
STORED = data_folder("results") / "reproducibility.json"

TOP = """# What another machine gives

`python -m tools.reproducibility --write` measures what is on this page and makes it; a test fails when it is not that
of the stored metrics.

**The same machine, the same versions, the same seed: the same numbers, to the last digit.** Tests run every system and
every experiment twice and compare. Every random state has a seed, and a lesson trains for a number of steps, never for
a time. A run that was killed goes on to the very model that it would have made (`tests/test_training_checkpoints.py`).

**Another machine: the same up to rounding, and what rounding grows into.** A processor adds as many numbers at once as
its instructions allow, and threads share a sum; so the order differs, and with it the last digit. That is a millionth
at the first step. It stays small where a loss is smooth. It does not where a model *samples*, or takes the greatest of
several numbers: then another place or another word is taken now and then, and the training goes its own way.

**Another version of PyTorch, or of a library that data are made with: other numbers.** A stored result names its
versions. Phrases change with num2words and Babel, speech with espeak-ng, docstrings with whatever is installed.
"""


def differing(before: Mapping, now: Mapping) -> dict:
    """Say how far two snapshots of one lesson lie apart (see `snapshot.snapshot_of`).

    Returns:
        `loss`: the largest difference of a training loss, as a share; `metric`: the largest difference of a metric, in
        its unit, or in per cent of it where it is above a hundred; `worst`: which metric that is, "" if none differs.
    """
    losses = [
        abs(a - b) / max(abs(a), 1e-2)
        for first, second in zip(before["losses"], now["losses"], strict=True)
        for a, b in zip(first, second, strict=True)
    ]
    metrics = {
        key: abs(value - now["metrics"][key]) / max(1.0, abs(value) / 100)
        for key, value in before["metrics"].items()
        if not (math.isnan(value) or math.isnan(now["metrics"][key]))
    }
    worst = max(metrics, key=metrics.get, default="")
    largest = metrics.get(worst, 0.0)
    return {"loss": max(losses, default=0.0), "metric": largest, "worst": worst if largest else ""}


def reproducibility_page(found: Mapping) -> str:
    """Write the page."""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    variants = found["variants"]
    parts = [
        TOP.strip(),
        f"Measured on: {found['machine']}; {versions}.",
        "## A few steps of every lesson",
        "Instructions can be forbidden: then this machine computes as an older one. Each lesson's experiments take a "
        "few steps, as the tests let them; the table has the largest difference of a training loss from what the "
        "machine gives otherwise. In brackets: the largest difference of any metric after these steps, in its unit, or "
        "in per cent of it where it is above a hundred. After so few steps a model is undecided, and metrics differ "
        "most.",
        _table(
            ["lesson", *(variant["name"] for variant in variants)],
            ([lesson, *(_cell(v["lessons"][lesson]) for v in variants)] for lesson in variants[0]["lessons"]),
        ),
        f"A stored result has what such steps gave where it was measured. A test repeats them and allows losses "
        f"{100 * LOSSES_AGREE:.0f} % and metrics {METRICS_AGREE:.0f} units, or per cent. Here:",
        _table(
            ("lesson", "largest difference of a loss", "of a metric", "which"),
            ((name, _share(d["loss"]), f"{d['metric']:.2g}", d["worst"] or "–") for name, d in found["stored"].items()),
        ),
    ]
    if found["training"]:
        names = list(found["training"][0]["here"])
        heads = ["metric", "stored, seed 0", *(f"here, {name}" for name in names), "stored seeds"]
        parts += [
            "## A training from its first step to its last",
            "Lesson 2's attention, seed 0, as its claims are measured. What rounding grows into is about what another "
            "seed does; so a claim is judged over seeds, by an interval, and not by one run.",
            _table(heads, map(_training, found["training"])),
        ]
    if found["cards"]:
        parts += [
            "## Trained models",
            "A stored model is the same file everywhere. Evaluating it samples nothing but glimpses, so it comes out "
            "nearly the same. For each checkpoint: how many of its card's metrics were measured again, how many "
            "differ, and the one that lies furthest from the card, relative to what the test of cards allows.",
            _cards(found["cards"]),
        ]
    return "\n\n".join(parts) + "\n"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))


def _share(value: float) -> str:
    if value == 0:
        return "0"
    return f"{100 * value:.2g} %" if value >= 1e-5 else "below 0.001 %"


def _cell(difference: Mapping) -> str:
    if not difference["loss"] and not difference["metric"]:
        return "the same"
    return f"{_share(difference['loss'])} ({difference['metric']:.2g})"


def _training(row: Mapping) -> list[str]:
    here, seeds = list(row["here"].values()), row["stored"]
    places = 1 if abs(here[0]) >= 10 else 3
    first, *values = [f"{value:.{places}f}" for value in (seeds[0] if seeds else math.nan, *here)]
    return [row["metric"], first, *values, f"{min(seeds):.{places}f} to {max(seeds):.{places}f}" if seeds else "–"]


def _cards(rows: Iterable[Mapping]) -> str:
    found: dict[str, list[tuple[float, Mapping]]] = {}
    for row in rows:
        found.setdefault(row["checkpoint"], []).append((abs(row["here"] - row["card"]) / row["allowed"], row))

    def line(name: str) -> tuple[str, ...]:
        share, row = max(found[name], key=lambda pair: pair[0])
        said = f"{row['metric']}: {row['card']:g} on the card, {row['here']:g} here, {row['allowed']:g} allowed"
        changed = sum(other > 0 for other, _ in found[name])
        return name, str(len(found[name])), str(changed), said if share else "–"

    middle = statistics.median(share for pairs in found.values() for share, _ in pairs)
    table = _table(("checkpoint", "metrics", "differ", "furthest"), map(line, found))
    return f"{table}\n\nThe median difference of a metric is {100 * middle:.0f} % of what is allowed."


def write() -> None:
    """Bring the page up to date with the stored metrics."""
    found = json.loads(STORED.read_text(encoding="utf-8"))
    write_whole(PAGE, reproducibility_page(found).encode())
