"""Measure the claims of a lesson over seeds, and train its checkpoints; a killed run goes on where it was.

The runner knows no lesson: it finds the file `lesson_NN_….py` of this folder and uses its `EXPERIMENT`. Parts of an
experiment are measured and cached one by one, so that several processes can share the work and a change of one part's
settings leaves the others' metrics alone.
"""

import hashlib
import importlib
import itertools
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
from experiments.claims import entries_of, results_path, write_json
from experiments.experiment import Experiment
from experiments.sweep import Measurement, make_all

FORMAT = 1
PACKAGES = ("torch", "numpy", "sacrebleu", "num2words", "babel")
"""Whose versions a result names."""


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
    """Measure a lesson's claims and write `data/results/<lesson>-<source>.json`; returns its path, None with `parts`.

    Each seed's metrics are written as soon as they are known, under the settings they were made with; a second run
    takes them from there.

    Args:
        lesson, source: its two digits, and one of the experiment's `sources`.
        seeds: how many; they are 0 … seeds − 1.
        fast: few steps, for a test of the machinery; the result goes to `work_folder`, never to `data/results`.
        parts: measure only these parts, and leave the result to a later run without this argument.
        jobs, cluster: how many measurements side by side, or on which Dask cluster; see `sweep.make_all`.
        work_folder: where finished seeds wait.

    Raises:
        ValueError: if the lesson has no experiment, no claim for the source or no such part, or `seeds` is below 1.
    """
    if seeds < 1:
        raise ValueError(f"seeds is {seeds}; expected at least 1.")
    experiment = find_experiment(lesson)
    experiment.check_source(source)
    if not any(source in claim.sources for claim in experiment.claims):
        raise ValueError(f"lesson {lesson} has no claim for source {source!r}; expected one in claims/{lesson}.yaml.")
    settings = experiment.settings(source)
    if unknown := sorted(set(parts) - set(settings)):
        raise ValueError(f"unknown parts {unknown}; expected some of {', '.join(settings)}.")

    def cached(part: str, seed: int) -> Path:
        digest = _digest({"format": FORMAT, "fast": fast, **settings[part]})
        return work_folder / f"{lesson}-{source}-{part}-{digest}" / f"seed-{seed}.json"

    pairs = itertools.product(range(seeds), parts or settings)
    parted = [Measurement(experiment, part, source, seed, fast, cached(part, seed)) for seed, part in pairs]
    make_all(parted, jobs, cluster)
    if parts:
        return None
    measurements, measured = [{"seed": seed, "metrics": {}} for seed in range(seeds)], [one.load() for one in parted]
    for one in measured:
        measurements[one["seed"]]["metrics"] |= one["metrics"]
    settings = {"format": FORMAT, "fast": fast, **settings}
    result = {
        "lesson": lesson,
        "source": source,
        "seeds": list(range(seeds)),
        "command": f"python -m experiments run {lesson} --seeds {seeds} --source {source}"
        + (" --fast" if fast else ""),
        "seconds": round(sum(one["seconds"] for one in measured), 1),
        "settings": settings,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "gates": gates_of(experiment, source),
        "claims": [],
        "measurements": measurements,
    }
    result["claims"] = judged(experiment, result)
    if source in snapshot.SOURCES and not fast:
        result["snapshot"] = snapshot.snapshot_of(experiment, source)
    path = (
        work_folder / f"{lesson}-{source}-{_digest(settings)}" / "result.json" if fast else results_path(lesson, source)
    )
    group = current_process_group()
    if group is None or group.is_main:
        write_json(path, result)
    return path


def judged(experiment: Experiment, result: dict) -> list[dict]:
    """The entries of a result's claims, from its measurements, settings and gates: no data, no training.

    Raises:
        ValueError: see `entries_of`.
    """
    source, metrics = result["source"], [measurement["metrics"] for measurement in result["measurements"]]
    claims = [claim for claim in experiment.claims if source in claim.sources and claim.measured(metrics)]
    return entries_of(claims, metrics, source, json.loads(json.dumps(result["settings"])), result["gates"]["metrics"])


def gates_of(experiment: Experiment, source: str) -> dict:
    """What a result stores of gates: the `command` that measures them again, and their `metrics`."""
    command = f"python -m experiments judge {experiment.lesson} --source {source} --gates"
    return {"command": command, "metrics": experiment.gates(source)}


def judge(lesson: str, source: str, measure_gates: bool = False) -> dict:
    """Derive the claims of a stored result from its measurements again, and write it; nothing is trained.

    Args:
        lesson, source: of the result.
        measure_gates: measure them again, from the data; else they are as stored, or measured if they never were.

    Returns:
        The result.

    Raises:
        ValueError: if there is no such result, or see `entries_of`.
        RealDataError: if gates are measured and the data cannot be had.
    """
    experiment, path = find_experiment(lesson), results_path(lesson, source)
    result = _stored(path)
    if measure_gates or "gates" not in result:
        result["gates"] = gates_of(experiment, source)
    result["claims"] = judged(experiment, result)
    write_json(path, result)
    return result


def accept(path: Path, reason: str) -> list[str]:
    """Let a stored result stand after a change of the code; `python -m tools.refresh --accept` calls it.

    The reason and the date go into the result's list "accepted". What a few steps give is measured again, and stored if
    it differs from what the result has.

    Returns:
        What differs from the stored snapshot.

    Raises:
        RealDataError: if the source is "real" and its data cannot be had.
    """
    result, found = _stored(path), []
    if "snapshot" in result:
        now = snapshot.snapshot_of(find_experiment(result["lesson"]), result["source"])
        found = snapshot.differences(result["snapshot"], now)
        result["snapshot"] = now if found else result["snapshot"]
    result.setdefault("accepted", []).append({"date": date.today().isoformat(), "reason": reason})
    write_json(path, result)
    return found


def _stored(path: Path) -> dict:
    if not path.exists():
        raise ValueError(f"{path} is not there; expected a stored result. Measure one: run {path.stem[:2]} --seeds 5.")
    return json.loads(path.read_text(encoding="utf-8"))


def _digest(settings: dict) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]


def make_checkpoints(lesson: str, names: Sequence[str] = ()) -> None:
    """Train some of the checkpoints of a lesson again; all if no names are given.

    Raises:
        ValueError: if the lesson has no experiment or no checkpoint of such a name.
    """
    experiment = find_experiment(lesson)
    if unknown := sorted(set(names) - set(experiment.checkpoints)):
        raise ValueError(f"unknown checkpoints {unknown}; expected some of {', '.join(experiment.checkpoints)}.")
    for name in names or experiment.checkpoints:
        experiment.train(name)
