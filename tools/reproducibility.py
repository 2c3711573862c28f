"""What the same seed gives on another machine, measured on this one: `python -m tools.reproducibility --write`.

Processors differ in how many numbers they add at once, and so in the order of a sum, and so in its last digits. Which
instructions are used can be forbidden: then this machine computes as an older one does. So a few training steps of
every lesson are repeated with other instructions and threads, every checkpoint is evaluated again, and one training
runs to its end: about ten minutes. data/results/reproducibility.json has the differences, docs/reproducibility.md
shows them.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from course_utils.lessons import find_lessons
from experiments.claims import load_results, write_json
from tools.project import ROOT
from tools.reproducibility_page import STORED, differing, reproducibility_page, write

LESSONS = tuple(lesson.number for lesson in find_lessons() if lesson.has_experiment)
TRAINED = "02"
"""The lesson whose main training runs to its end."""


@dataclass(frozen=True)
class Variant:
    """A way to compute.

    Attributes:
        name: in words.
        instructions: environment variables that PyTorch and the libraries below it read.
        threads: that share a sum.
        trains: whether the long training is repeated, too.
    """

    name: str
    instructions: Mapping[str, str]
    threads: int = 1
    trains: bool = False


VARIANTS = (
    Variant("as it is", {}, trains=True),
    Variant("once more", {}),
    Variant("two threads", {}, threads=2),
    Variant("with AVX2", {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}, trains=True),
    Variant("with SSE", {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"}),
)
"""The first is what the others are compared with. AVX2 came in 2013; SSE 4.1 is of 2008, and the last one also makes
matrix products as any processor can."""


def compute(variant: Variant, lessons: tuple[str, ...], trains: bool) -> dict:
    """Run a few steps of lessons in a process of its own, and perhaps the long training.

    Returns:
        `capability`: the instructions that PyTorch uses; `lessons`: what `snapshot_of` gave for each; `training`:
        metrics of the long one, or None.
    """
    threads = str(variant.threads)
    environment = {**os.environ, **variant.instructions, "OMP_NUM_THREADS": threads, "OMP_WAIT_POLICY": "PASSIVE"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "computed.json"
        child = [sys.executable, "-m", "tools.reproducibility", "--child", str(path), "--threads", threads]
        options = ["--lessons", *lessons, *(["--train"] if trains else [])]
        subprocess.run([*child, *options], check=True, cwd=ROOT, env=environment)
        return json.loads(path.read_text(encoding="utf-8"))


def _child(path: Path, lessons: list[str], threads: int, trains: bool) -> None:
    """What the process does."""
    import torch

    from experiments.runner import find_experiment
    from experiments.snapshot import snapshot_of

    torch.set_num_threads(threads)
    computed = {
        "capability": torch.backends.cpu.get_cpu_capability(),
        "lessons": {lesson: snapshot_of(find_experiment(lesson), threads=threads) for lesson in lessons},
        "training": _long_training() if trains else None,
    }
    write_json(path, computed)


def _long_training() -> dict[str, float]:
    """Lesson 2's attention as its claims are measured, seed 0, from the first step to the last."""
    from course_utils.data.phrases.parallel import load_parallel
    from experiments import lesson_02_additive_attention as lesson_02
    from experiments.translation import fit, score, score_alignment

    data = load_parallel("default")
    model, _ = fit(lesson_02.ATTENTION, data, 0, progress=False)
    return {
        "attention/bleu/all": score(model, data, data.examples).bleu,
        "attention/aer": score_alignment(model, data, data.examples).error_rate,
    }


def measure(lessons: tuple[str, ...] = LESSONS, with_cards: bool = True, with_training: bool = True) -> dict:
    """Compare every variant with the first, the first with the stored results, and models with their cards."""
    computed = {}
    for variant in VARIANTS:
        print(f"computing: {variant.name} …", flush=True)
        computed[variant.name] = compute(variant, lessons, with_training and variant.trains)
    first = computed[VARIANTS[0].name]
    variants = [
        {
            "name": variant.name,
            "capability": (other := computed[variant.name])["capability"],
            "threads": variant.threads,
            "lessons": {name: differing(first["lessons"][name], other["lessons"][name]) for name in lessons},
        }
        for variant in VARIANTS[1:]
    ]
    stored = {lesson: result for lesson in lessons if (result := load_results(lesson))}
    return {
        "command": "python -m tools.reproducibility --write",
        "machine": f"{_processor()}, {os.cpu_count()} cores, {first['capability']}",
        "versions": {"python": platform.python_version(), "torch": metadata.version("torch")},
        "variants": variants,
        "stored": {name: differing(result["snapshot"], first["lessons"][name]) for name, result in stored.items()},
        "cards": _cards() if with_cards else [],
        "training": _trainings(computed, stored.get(TRAINED)) if with_training else [],
    }


def _processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _cards() -> list[dict]:
    """Evaluate every stored model again and set its metrics beside those of its card."""
    from course_utils.data.real_errors import RealDataError
    from course_utils.data.reports.docstrings import NoDocstringsError
    from tools import cards

    rows = []
    for name in cards.names():
        print(f"evaluating: {name} …", flush=True)
        try:
            found = cards.differences(name)
        except (RealDataError, NoDocstringsError) as error:
            print(f"left out, {error}")
            continue
        rows += [
            {"checkpoint": name, "metric": key, "card": said, "here": now, "allowed": cards.tolerance(name, key)}
            for key, (said, now) in found.items()
        ]
    return rows


def _trainings(computed: Mapping, stored: Mapping | None) -> list[dict]:
    """The long training's metrics: stored for seed 0, here, and over the stored seeds."""
    done = {name: found["training"] for name, found in computed.items() if found["training"]}
    seeds = stored["measurements"] if stored else []
    return [
        {
            "metric": metric,
            "stored": [seed["metrics"][metric] for seed in seeds],
            "here": {name: metrics[metric] for name, metrics in done.items()},
        }
        for metric in next(iter(done.values()))
    ]


def main(arguments: list[str] | None = None) -> int:
    """Measure and print, or write."""
    parser = argparse.ArgumentParser(prog="python -m tools.reproducibility", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="store the metrics, and write docs/reproducibility.md")
    parser.add_argument("--page", action="store_true", help="measure nothing: write the page from what is stored")
    parser.add_argument("--lessons", nargs="+", default=LESSONS, help="only these, two digits each")
    parser.add_argument("--no-cards", action="store_true", help="leave the checkpoints out")
    parser.add_argument("--no-training", action="store_true", help="leave the long training out")
    for hidden in ("--child", "--threads"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        _child(Path(options.child), options.lessons, int(options.threads), options.train)
    elif options.page:
        write()
    elif options.write and (options.no_cards or options.no_training or tuple(options.lessons) != LESSONS):
        parser.error("--write is for everything together")
    else:
        found = measure(tuple(options.lessons), not options.no_cards, not options.no_training)
        print(reproducibility_page(found))
        if options.write:
            write_json(STORED, found)
            write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
