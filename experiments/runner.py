"""Measure the claims of a lesson over seeds, and train its checkpoints; a killed run goes on where it was.

The runner knows no lesson: it finds the file `lesson_NN_….py` of this folder and uses its `EXPERIMENT`, an
`experiments.experiment.Experiment`. Parts of an experiment are measured and cached one by one, so that several
processes can share the work and a change of one part's settings leaves the others' metrics alone.
"""

import hashlib
import importlib
import json
import pkgutil
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import experiments
from course_utils.process_group import current_process_group
from experiments import snapshot
from experiments.claims import results_path, write_json
from experiments.experiment import Experiment
from experiments.sweep import Measurement, make_all

FORMAT = 1


def find_experiment(lesson: str) -> Experiment:
    """Import the experiment of a lesson.

    Args:
        lesson: its two digits, e.g. "02".

    Raises:
        ValueError: if the lesson has none; names those that have.
    """
    names = [name for _, name, _ in pkgutil.iter_modules(experiments.__path__) if name.startswith("lesson_")]
    for name in names:
        if name.split("_")[1] == lesson:
            return importlib.import_module(f"{experiments.__name__}.{name}").EXPERIMENT
    known = ", ".join(sorted(name.split("_")[1] for name in names))
    raise ValueError(f"lesson is {lesson!r}; expected one of {known}.")


def versions() -> dict[str, str]:
    """Name the versions that a result depends on."""
    packages = ("torch", "numpy", "sacrebleu", "num2words", "babel")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def run(
    lesson: str,
    *,
    seeds: int = 5,
    source: str = "default",
    fast: bool = False,
    parts: Sequence[str] = (),
    jobs: int = 1,
    cluster: str | None = None,
    work_folder: Path = Path("runs"),
) -> Path | None:
    """Measure a lesson's claims and write `data/results/<lesson>-<source>.json`.

    Each seed's metrics are written as soon as they are known, under the settings they were made with; a second run
    takes them from there.

    Args:
        lesson: its two digits.
        seeds: how many; they are 0 … seeds − 1.
        source: one of the experiment's `sources`.
        fast: few steps, for a test of the machinery; the result goes to `work_folder`, never to `data/results`.
        parts: measure only these parts, and leave the result to a later run without this argument.
        jobs, cluster: how many measurements side by side, or on which Dask cluster; see `sweep.make_all`.
        work_folder: where finished seeds wait.

    Returns:
        The file that was written; None with `parts`.

    Raises:
        ValueError: if the lesson has no experiment, no claim for the source or no such part, or `seeds` is below 1.
    """
    if seeds < 1:
        raise ValueError(f"seeds is {seeds}; expected at least 1.")
    experiment = find_experiment(lesson)
    experiment.check_source(source)
    claims = [claim for claim in experiment.claims if source in claim.sources]
    if not claims:
        raise ValueError(f"lesson {lesson} has no claim for source {source!r}; expected one in claims/{lesson}.yaml.")
    settings = experiment.settings(source)
    if unknown := sorted(set(parts) - set(settings)):
        raise ValueError(f"unknown parts {unknown}; expected some of {', '.join(settings)}.")

    def cached(part: str, seed: int) -> Path:
        digest = _digest({"format": FORMAT, "fast": fast, **settings[part]})
        return work_folder / f"{lesson}-{source}-{part}-{digest}" / f"seed-{seed}.json"

    parted = [
        Measurement(experiment, part, source, seed, fast, cached(part, seed))
        for seed in range(seeds)
        for part in parts or settings
    ]
    make_all(parted, jobs, cluster)
    if parts:
        return None
    measurements = [{"seed": seed, "metrics": {}} for seed in range(seeds)]
    seconds = 0.0
    for measurement in parted:
        measured = measurement.load()
        seconds += measured["seconds"]
        measurements[measurement.seed]["metrics"] |= measured["metrics"]
    metrics = [measurement["metrics"] for measurement in measurements]
    command = f"python -m experiments run {lesson} --seeds {seeds} --source {source}"
    shared = {"source": source, "seeds": list(range(seeds)), "command": command + (" --fast" if fast else "")}
    settings = {"format": FORMAT, "fast": fast, **settings}
    result = {
        "lesson": lesson,
        **shared,
        "seconds": round(seconds, 1),
        "settings": settings,
        "versions": versions(),
        "claims": [
            {**claim.entry(metrics), **shared}
            for claim in claims  # all but those whose data were not there, such as photographs with boxes
            if {claim.baseline[1], claim.ours[1]} <= metrics[0].keys()
        ],
        "measurements": measurements,
    }
    if source in snapshot.SOURCES and not fast:
        result["snapshot"] = snapshot.snapshot_of(experiment, source)
    path = (
        work_folder / f"{lesson}-{source}-{_digest(settings)}" / "result.json" if fast else results_path(lesson, source)
    )
    group = current_process_group()
    if group is None or group.is_main:
        write_json(path, result)
    return path


def accept(lesson: str, reason: str, source: str = "default") -> Path:
    """Store what a few steps give today with a lesson's result, which was measured before, and why that is right.

    Whoever calls this says: what changed in the code does not matter to the metrics.

    Args:
        lesson: its two digits.
        reason: why it does not matter; stored with the date in the result's list "accepted".
        source: of the result.

    Returns:
        The result's file.

    Raises:
        ValueError: if the lesson has no experiment or no stored result with a snapshot, or no reason is given.
        RealDataError: if the source is "real" and its data cannot be had.
    """
    if not reason.strip():
        raise ValueError("reason is empty; expected why the change cannot matter to the stored metrics.")
    if source not in snapshot.SOURCES:
        raise ValueError(f"source is {source!r}, whose results have no snapshot; expected one of {snapshot.SOURCES}.")
    experiment, path = find_experiment(lesson), results_path(lesson, source)
    if not path.exists():
        raise ValueError(f"{path} is not there; expected a result to accept. Measure one: run {lesson} --seeds 5.")
    result = json.loads(path.read_text(encoding="utf-8"))
    result["snapshot"] = snapshot.snapshot_of(experiment, source)
    result.setdefault("accepted", []).append({"date": date.today().isoformat(), "reason": reason.strip()})
    write_json(path, result)
    return path


def _digest(settings: dict) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]


def make_checkpoints(lesson: str, names: Sequence[str] = ()) -> None:
    """Train the checkpoints of a lesson again.

    Args:
        lesson: its two digits.
        names: which of them; all if empty.

    Raises:
        ValueError: if the lesson has no experiment or no checkpoint of such a name.
    """
    experiment = find_experiment(lesson)
    if unknown := sorted(set(names) - set(experiment.checkpoints)):
        raise ValueError(f"unknown checkpoints {unknown}; expected some of {', '.join(experiment.checkpoints)}.")
    for name in names or experiment.checkpoints:
        experiment.train(name)
