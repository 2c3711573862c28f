"""Many measurements side by side: on the cores of this machine, or on the workers of a Dask cluster.

A measurement is stored as soon as it is known, whole or not at all. So a killed sweep loses only what was under
way, and the next one repeats nothing that is there.
"""

import json
import os
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from course_utils.process_group import current_process_group
from experiments.claims import write_json
from experiments.experiment import Experiment


@dataclass(frozen=True)
class Measurement:
    """One seed of one part of a lesson: enough for another process to measure it.

    Attributes:
        experiment: the lesson's; another process imports its class by name.
        part: a key of its `recipes`.
        source, seed, fast: see `Experiment.measure`.
        path: where the metrics are stored, on a disk that all workers share.
    """

    experiment: Experiment
    part: str
    source: str
    seed: int
    fast: bool
    path: Path

    def is_there(self) -> bool:
        """Say whether the metrics are known."""
        return self.path.exists()

    def load(self) -> dict:
        """Read the stored `{"seed", "seconds", "metrics"}`."""
        return json.loads(self.path.read_text(encoding="utf-8"))

    def make(self, threads: int | None = None) -> float:
        """Measure and store the metrics, unless another worker did meanwhile; returns the seconds it took.

        Args:
            threads: of PyTorch; None = as they are.
        """
        if self.is_there():
            return 0.0
        if threads:
            import torch

            torch.set_num_threads(threads)
        started = time.perf_counter()
        metrics = self.experiment.measure(self.part, self.source, self.seed, self.fast)
        seconds = time.perf_counter() - started
        group = current_process_group()
        if group is None or group.is_main:
            write_json(self.path, {"seed": self.seed, "seconds": seconds, "metrics": metrics})
        if group:
            group.wait()
        return seconds


def make_all(measurements: Sequence[Measurement], jobs: int = 1, cluster: str | None = None) -> None:
    """Make every measurement that is not there yet.

    Args:
        measurements: in the order in which they are begun.
        jobs: how many at a time on this machine, which share its cores; 1 = one after another in this process.
        cluster: address of a Dask scheduler ("tcp://host:8786") whose workers do them instead. A worker that dies
            loses nothing but time: the scheduler gives its measurement to another one.

    Raises:
        ValueError: if `jobs` is below 1.
        RuntimeError: if a worker process was killed, most often for memory; what was finished is stored.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; expected at least 1.")
    waiting = [measurement for measurement in measurements if not measurement.is_there()]
    for measurement in measurements:
        label = f"seed {measurement.seed}, {measurement.part}"
        if measurement not in waiting:
            print(f"{label}: taken from {measurement.path}")
        elif jobs == 1 and cluster is None:
            print(f"{label}: measured in {measurement.make():.0f} s", flush=True)
    if waiting and (jobs > 1 or cluster):
        _make_side_by_side(waiting, jobs, cluster)


def _make_side_by_side(waiting: Sequence[Measurement], jobs: int, cluster: str | None) -> None:
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError
    from tqdm.auto import tqdm

    threads = None if cluster else max(1, (os.cpu_count() or 1) // jobs)
    with _client(cluster), parallel_config(backend="dask" if cluster else "loky"):
        workers = Parallel(-1 if cluster else jobs, batch_size=1, pre_dispatch="all", return_as="generator_unordered")
        try:
            made = workers(delayed(Measurement.make)(measurement, threads) for measurement in waiting)
            for _ in tqdm(made, total=len(waiting), desc="measurements", unit="run"):
                pass
        except TerminatedWorkerError as error:
            done = sum(measurement.is_there() for measurement in waiting)
            raise RuntimeError(
                f"A worker was killed, most often because memory ran out. {done} of {len(waiting)} measurements are "
                f"stored. Run the same command again, with fewer than {jobs} jobs if it was memory."
            ) from error


def _client(cluster: str | None):
    """Connect to a Dask scheduler; a context that closes the connection."""
    if cluster is None:
        return nullcontext()
    try:
        from distributed import Client
    except ImportError as error:
        raise RuntimeError("A cluster needs the package distributed: pip install 'where-to-look[cluster]'.") from error
    return Client(cluster)
