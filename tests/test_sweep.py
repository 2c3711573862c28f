"""Measurements side by side, on cores and on a Dask cluster, killed and gone on with.

The lesson that is measured is a small module, which the workers import; it notes when it is begun and ended.
"""

import importlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from experiments import runner, sweep
from experiments.sweep import Measurement, make_all

pytestmark = pytest.mark.slow

MODULE = """
    import os, time
    from pathlib import Path

    from experiments.claims import Claim
    from experiments.experiment import Experiment

    FOLDER, SLOW = Path(__file__).parent, float(os.environ.get("SLOW", "0"))


    def note(word):
        (FOLDER / f"{word}-{os.getpid()}-{time.time_ns()}.note").touch()


    class SleepyExperiment(Experiment):
        lesson = "98"
        claims = (Claim("98.x", "arXiv:0", "b beats a", "points", "higher", ("a", "a"), ("b", "b"), "1 → 2"),)

        def recipes(self, source):
            return {"a": {}, "b": {}}

        def measure(self, part, source, seed, fast):
            if fast:  # the result's snapshot is that of a fast run
                return {part: 0.0}
            note(f"begun-{part}-{seed}")
            if (FOLDER / f"die-{part}-{seed}").exists():
                (FOLDER / f"die-{part}-{seed}").unlink()
                os.kill(os.getpid(), 9)
            time.sleep(SLOW)
            note(f"ended-{part}-{seed}")
            return {part: seed + (10.0 + seed if part == "b" else 0.0)}


    EXPERIMENT = SleepyExperiment()
"""

SWEEP = """
    import sys
    from pathlib import Path

    from experiments import runner
    import sleepy_lesson

    runner.find_experiment = lambda lesson: sleepy_lesson.EXPERIMENT
    runner.results_path = lambda lesson, source: Path(sys.argv[1]) / "result.json"
    if __name__ == "__main__":
        jobs, cluster = int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None
        runner.run("98", seeds=3, jobs=jobs, cluster=cluster, work_folder=Path(sys.argv[1]) / "runs")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the lesson and the program, in which every process started from here finds them."""
    (tmp_path / "sleepy_lesson.py").write_text(textwrap.dedent(MODULE), encoding="utf-8")
    (tmp_path / "sweep_program.py").write_text(textwrap.dedent(SWEEP), encoding="utf-8")
    root = Path(__file__).resolve().parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(root)]))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("sleepy_lesson", None)


@pytest.fixture
def lesson(folder):
    return importlib.import_module("sleepy_lesson")


def notes(folder: Path, word: str) -> list[str]:
    return sorted(path.name.rsplit("-", 2)[0] for path in folder.glob(f"{word}-*.note"))


EVERY = [f"{part}-{seed}" for part in "ab" for seed in range(3)]


def program(folder: Path, *arguments, slow: float = 0.0) -> subprocess.Popen:
    command = [sys.executable, str(folder / "sweep_program.py"), str(folder), *map(str, arguments)]
    environment = {**os.environ, "SLOW": str(slow)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)


def test_side_by_side_gives_what_one_after_another_gives(folder, lesson, monkeypatch, capfd):
    monkeypatch.setattr(runner, "find_experiment", lambda name: lesson.EXPERIMENT)
    monkeypatch.setattr(runner, "results_path", lambda name, source: folder / "result.json")
    found = []
    for jobs in (1, 2):
        path = runner.run("98", seeds=3, jobs=jobs, work_folder=folder / f"jobs-{jobs}")
        found.append([line for line in path.read_text(encoding="utf-8").splitlines() if '"seconds"' not in line])
    assert found[0] == found[1]
    progress = capfd.readouterr().err
    assert "6/6" in progress and "run/s" in progress.replace("s/run", "run/s"), "progress and pace are shown"


def test_a_killed_sweep_loses_and_repeats_nothing(folder):
    first, end, there = program(folder, 2, slow=1.5), time.monotonic() + 120, []
    while len(there) < 2:
        assert time.monotonic() < end, "no measurement was stored"
        time.sleep(0.05)
        there = list((folder / "runs").rglob("seed-*.json"))
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    there = list((folder / "runs").rglob("seed-*.json"))
    assert 2 <= len(there) < 6 and not (folder / "result.json").exists()
    time.sleep(0.5)
    before = {path: path.read_bytes() for path in there}
    begun = {path.parent.name.split("-")[2] + path.stem.removeprefix("seed") for path in there}
    for note in folder.glob("*.note"):
        note.unlink()
    second = program(folder, 2)
    assert second.wait(timeout=120) == 0, second.stderr.read()
    assert {path: path.read_bytes() for path in there} == before
    again = {name.removeprefix("begun-") for name in notes(folder, "begun")}
    assert again == set(EVERY) - begun, "each that was missing was measured, and no other"
    assert (folder / "result.json").exists() and not list(folder.rglob(".*json*"))


def test_a_killed_worker_is_reported_and_the_rest_kept(folder):
    (folder / "die-b-1").touch()
    first = program(folder, 2)
    assert first.wait(timeout=120) != 0
    message = first.stderr.read()
    assert "RuntimeError: A worker was killed" in message and "Run the same command again" in message
    second = program(folder, 2)
    assert second.wait(timeout=120) == 0
    assert {name.removeprefix("ended-") for name in notes(folder, "ended")} == set(EVERY)


def test_a_measurement_that_came_meanwhile_is_not_repeated(folder, lesson):
    measurement = Measurement(lesson.EXPERIMENT, "a", "default", 0, False, folder / "runs" / "seed-0.json")
    assert measurement.make() > 0
    assert measurement.make() == 0.0 and notes(folder, "begun") == ["begun-a-0"]


def test_no_jobs_and_a_cluster_without_its_package_are_refused(monkeypatch):
    for jobs in (0, -1):
        with pytest.raises(ValueError, match="expected at least 1"):
            make_all([], jobs=jobs)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RuntimeError, match="pip install"):
        sweep._client("tcp://127.0.0.1:1")


def test_a_cluster_goes_on_without_a_worker_that_died(folder):
    distributed = pytest.importorskip("distributed", reason="pip install 'where-to-look[cluster]'")
    (folder / "die-a-1").touch()
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        run = program(folder, 1, cluster.scheduler_address, slow=0.3)
        assert run.wait(timeout=240) == 0, run.stderr.read()
    assert not (folder / "die-a-1").exists(), "a worker was killed in the middle"
    ended = [name.removeprefix("ended-") for name in notes(folder, "ended")]
    assert set(ended) == set(EVERY)
    assert notes(folder, "begun").count("begun-a-1") >= 2, "another worker took it over"
    assert (folder / "result.json").exists()
