"""Measure the claims of a lesson over seeds; a killed run goes on where it was.

The runner knows no lesson: it finds the module `lesson_NN_….py` of this folder and asks it for

    CLAIMS                                       the comparisons
    settings(source, fast) -> dict               everything that decides the figures
    measure(source, seed, fast) -> dict          the figures of one seed, by key
    CHECKPOINTS                                  name -> function that trains and saves it (may be empty)

A lesson whose figures come from trainings that have nothing to do with each other has, in place of `measure`,

    PARTS                                        name -> function like `measure`, for a part of the figures

and its settings have an entry for each part. Parts are measured and kept one by one, so that several processes can
share the work and a change of one part's settings leaves the others' figures alone.
"""

import hashlib
import importlib
import json
import pkgutil
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import torch

import experiments
from course_utils.process_group import current_process_group
from experiments.behaviour import KEPT_SOURCES, behaviour_of, has_parts
from experiments.claims import results_path, write_json
from experiments.sweep import Measurement, make_all

FORMAT = 1


def find_experiment(lesson: str) -> ModuleType:
    """Import the experiments of a lesson.

    Args:
        lesson: its two digits, e.g. "02".

    Raises:
        ValueError: if the lesson has none; names those that have.
    """
    names = [name for _, name, _ in pkgutil.iter_modules(experiments.__path__) if name.startswith("lesson_")]
    for name in names:
        if name.split("_")[1] == lesson:
            return importlib.import_module(f"{experiments.__name__}.{name}")
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

    Each seed's figures are written as soon as they are known, under the settings they were made with; a second run
    takes them from there.

    Args:
        lesson: its two digits.
        seeds: how many; they are 0 … seeds − 1.
        source: "default" or "real"; lesson 6 has "librispeech" and lesson 7 "docstrings", too.
        fast: few steps, for a test of the machinery; the result goes to `work_folder`, never to `data/results`.
        parts: measure only these parts, and leave the result to a later run without this argument.
        jobs, cluster: how many measurements side by side, or on which Dask cluster; see `sweep.make_all`.
        work_folder: where finished seeds wait.

    Returns:
        The file that was written; None with `parts`.

    Raises:
        ValueError: if the lesson has no experiments, no claim for the source or no such part, or `seeds` is below 1.
    """
    if seeds < 1:
        raise ValueError(f"seeds is {seeds}; expected at least 1.")
    experiment = find_experiment(lesson)
    claims = [claim for claim in experiment.CLAIMS if source in claim.sources]
    if not claims:
        raise ValueError(f"lesson {lesson} has no claim for source {source!r}.")
    settings = experiment.settings(source, fast)
    decisive = _decisive(experiment, settings)
    unknown = set(parts) - set(decisive)
    if unknown:
        raise ValueError(f"unknown parts {sorted(unknown)}; expected some of {', '.join(decisive)}.")

    def kept(part: str, seed: int) -> Path:
        digest = _digest({"format": FORMAT, "fast": fast, **decisive[part]})
        return work_folder / "-".join(filter(None, (lesson, source, part, digest))) / f"seed-{seed}.json"

    parted = [
        Measurement(experiment, part, source, seed, fast, kept(part, seed))
        for seed in range(seeds)
        for part in parts or decisive
    ]
    make_all(parted, jobs, cluster)
    if parts:
        return None
    measurements = [{"seed": seed, "seconds": 0.0, "figures": {}} for seed in range(seeds)]
    for measurement in parted:
        measured, whole = measurement.load(), measurements[measurement.seed]
        whole["seconds"] += measured["seconds"]
        whole["figures"] |= measured["figures"]
    command = f"python -m experiments run {lesson} --seeds {seeds} --source {source}"
    shared = {"source": source, "seeds": list(range(seeds)), "command": command + (" --fast" if fast else "")}
    settings = {"format": FORMAT, "fast": fast, **settings}
    result = {
        "lesson": lesson,
        **shared,
        "seconds": round(sum(m["seconds"] for m in measurements), 1),
        "settings": settings,
        "versions": versions(),
        "claims": [
            {**claim.entry([m["figures"] for m in measurements]), **shared}
            for claim in claims  # all but those whose data were not there, such as photographs with boxes
            if {claim.baseline[1], claim.ours[1]} <= measurements[0]["figures"].keys()
        ],
        "measurements": [{"seed": m["seed"], "figures": m["figures"]} for m in measurements],
    }
    if source in KEPT_SOURCES and not fast:
        result["behaviour"] = behaviour_of(experiment, source)
    path = (
        work_folder / f"{lesson}-{source}-{_digest(settings)}" / "result.json" if fast else results_path(lesson, source)
    )
    group = current_process_group()
    if group is None or group.is_main:
        write_json(path, result)
    return path


def vouch(lesson: str, source: str = "default") -> Path:
    """Keep how today's code behaves with a lesson's stored result, which was measured before.

    Whoever calls this says: what changed in the code does not matter to the figures.

    Args:
        lesson: its two digits.
        source: of the result.

    Returns:
        The result's file.

    Raises:
        ValueError: if the lesson has no experiments or no stored result.
        RealDataError: if the source is "real" and its data cannot be had.
    """
    experiment, path = find_experiment(lesson), results_path(lesson, source)
    if not path.exists():
        raise ValueError(f"{path} is not there; expected a result to vouch for. Measure one: run {lesson} --seeds 5.")
    behaviour = behaviour_of(experiment, source)
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | {"behaviour": behaviour})
    return path


def _decisive(experiment: ModuleType, settings: dict) -> dict[str, dict]:
    """Return the settings that decide each part; "" is the only part of an undivided lesson."""
    if not has_parts(experiment):
        return {"": settings}
    return {name: settings[name] for name in experiment.PARTS if name in settings}


def _digest(settings: dict) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]


def make_checkpoints(lesson: str, names: Sequence[str] = ()) -> None:
    """Train the checkpoints of a lesson again.

    Args:
        lesson: its two digits.
        names: which of them; all if empty.
    """
    experiment = find_experiment(lesson)
    unknown = set(names) - set(experiment.CHECKPOINTS)
    if unknown:
        raise ValueError(
            f"unknown checkpoints {sorted(unknown)}; expected some of {', '.join(experiment.CHECKPOINTS)}."
        )
    torch.set_flush_denormal(True)
    for name in names or experiment.CHECKPOINTS:
        experiment.CHECKPOINTS[name](name)
