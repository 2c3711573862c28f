"""What the same seed gives on another machine, measured on this one: `python -m tools.reproducibility --write`.

Processors differ in how many numbers they add at once, and so in the order of a sum, and so in its last digits. Which
instructions are used can be forbidden: then this machine computes as an older one does. So a few training steps of
every lesson are repeated with other instructions and threads, every checkpoint is evaluated anew, and one training
runs to its end. data/results/reproducibility.json keeps the differences, docs/reproducibility.md shows them.

    python -m tools.reproducibility            measure and print (about ten minutes)
    python -m tools.reproducibility --write    also keep the figures and write the page
    python -m tools.reproducibility --page     write the page from what is kept
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
from experiments.claims import write_json
from tools.project import ROOT
from tools.reproducibility_page import KEPT, differing, reproducibility_page, write

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

    @property
    def environment(self) -> dict[str, str]:
        """All variables of a process that computes this way."""
        shared = {"OMP_NUM_THREADS": str(self.threads), "OMP_WAIT_POLICY": "PASSIVE"}
        return {**os.environ, **self.instructions, **shared}


VARIANTS = (
    Variant("as it is", {}, trains=True),
    Variant("once more", {}),
    Variant("two threads", {}, threads=2),
    Variant("with AVX2", {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}, trains=True),
    Variant(
        "with SSE",
        {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"},
    ),
)
"""The first is what the others are compared with. AVX2 came in 2013; SSE 4.1 is of 2008, and the last one also makes
matrix products as any processor can."""


def compute(variant: Variant, lessons: tuple[str, ...], trains: bool) -> dict:
    """Run a few steps of lessons in a process of its own, and perhaps the long training.

    Returns:
        `capability`: the instructions that PyTorch uses; `lessons`: what `snapshot_of` gave for each; `training`:
        figures of the long one, or None.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "computed.json"
        child = [sys.executable, "-m", "tools.reproducibility", "--child", str(path), "--threads", str(variant.threads)]
        options = ["--lessons", *lessons, *(["--train"] if trains else [])]
        subprocess.run([*child, *options], check=True, cwd=ROOT, env=variant.environment)
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
            "capability": computed[variant.name]["capability"],
            "threads": variant.threads,
            "lessons": {
                lesson: differing(first["lessons"][lesson], computed[variant.name]["lessons"][lesson])
                for lesson in lessons
            },
        }
        for variant in VARIANTS[1:]
    ]
    stored = {lesson: _result(lesson) for lesson in lessons}
    return {
        "command": "python -m tools.reproducibility --write",
        "machine": f"{_processor()}, {os.cpu_count()} cores, {first['capability']}",
        "versions": {"python": platform.python_version(), "torch": metadata.version("torch")},
        "variants": variants,
        "stored": {
            lesson: differing(result["snapshot"], first["lessons"][lesson])
            for lesson, result in stored.items()
            if result
        },
        "cards": _cards() if with_cards else [],
        "training": _trainings(computed, stored.get(TRAINED)) if with_training else [],
    }


def _result(lesson: str) -> dict | None:
    from experiments.claims import load_results

    return load_results(lesson)


def _processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _cards() -> list[dict]:
    """Evaluate every stored model anew and set its metrics beside those of its card."""
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
            {"checkpoint": name, "figure": key, "card": said, "here": now, "allowed": cards.tolerance(name, key)}
            for key, (said, now) in found.items()
        ]
    return rows


def _trainings(computed: Mapping, stored: Mapping | None) -> list[dict]:
    """The long training's figures: stored for seed 0, here, and over the stored seeds."""
    done = {name: found["training"] for name, found in computed.items() if found["training"]}
    rows = []
    for figure in next(iter(done.values())):
        seeds = [seed["metrics"][figure] for seed in stored["measurements"]] if stored else []
        here = {name: figures[figure] for name, figures in done.items()}
        rows.append({"figure": figure, "stored": seeds, "here": here})
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m tools.reproducibility", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="keep the figures, and write docs/reproducibility.md")
    parser.add_argument("--page", action="store_true", help="measure nothing: write the page from what is kept")
    parser.add_argument("--lessons", nargs="+", default=LESSONS, help="only these, two digits each")
    parser.add_argument("--no-cards", action="store_true", help="leave the checkpoints out")
    parser.add_argument("--no-training", action="store_true", help="leave the long training out")
    for hidden in ("--child", "--threads"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        _child(Path(options.child), options.lessons, int(options.threads), options.train)
        return 0
    if options.page:
        write()
        return 0
    partial = options.no_cards or options.no_training or tuple(options.lessons) != LESSONS
    if options.write and partial:
        parser.error("--write is for everything together")
    found = measure(tuple(options.lessons), not options.no_cards, not options.no_training)
    print(reproducibility_page(found))
    if options.write:
        write_json(KEPT, found)
        write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
