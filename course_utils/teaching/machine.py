"""Is this machine ready for the lessons? Lesson 0 asks; each answer says what to do if it is not.

for finding in check_machine():
    print(finding)
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

MEMORY_GIGABYTES = 2
"""What the kernel of a lesson may take."""
DISK_GIGABYTES = 2
"""What the lessons may store in their cache: images, speech and texts that they generated."""


@dataclass(frozen=True)
class Finding:
    """What was checked, whether it is well, and what was found or is to be done."""

    what: str
    good: bool
    words: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.good else 'LOOK'}  {self.what:<22} {self.words}"


def check_machine() -> list[Finding]:
    """Try everything that the lessons need."""
    found = []
    for what, check in _CHECKS.items():
        try:
            found.append(Finding(what, *check()))
        except Exception as error:  # whatever is broken here is what the learner wants to hear about
            found.append(Finding(what, False, f"{type(error).__name__}: {error}"))
    return found


def _arithmetic() -> tuple[bool, str]:
    import numpy
    import torch

    left, right = numpy.arange(12.0).reshape(3, 4), numpy.arange(20.0).reshape(4, 5)
    agree = numpy.allclose(left @ right, (torch.from_numpy(left) @ torch.from_numpy(right)).numpy())
    weight = torch.tensor(3.0, requires_grad=True)
    (weight * weight).backward()
    if agree and weight.grad == 6:
        return True, "torch and numpy agree, gradients are right"
    return False, "torch computes wrongly: install it again (pip install --force-reinstall torch)"


def _memory() -> tuple[bool, str]:
    available = _available_gigabytes()
    if available is None:
        return True, f"not known here; a lesson takes up to {MEMORY_GIGABYTES} GB"
    words = f"{available:.1f} GB free; a lesson takes up to {MEMORY_GIGABYTES} GB"
    return available >= MEMORY_GIGABYTES, words + ("" if available >= MEMORY_GIGABYTES else ": close other programs")


def _available_gigabytes() -> float | None:
    """What a new program could take, within the limit of a container; None where the system does not say."""
    known = []
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines() if ":" in line)
        known.append(int(lines["MemAvailable"].split()[0]) / 1e6)
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        if limit != "max":
            known.append((int(limit) - used) / 1e9)
    except (OSError, KeyError, ValueError):
        pass  # another system, or no container
    return min(known, default=None)


def _disk() -> tuple[bool, str]:
    from course_utils.data.cache import cache_folder

    free = shutil.disk_usage(cache_folder()).free / 1e9
    words = f"{free:.1f} GB free; the lessons store up to {DISK_GIGABYTES} GB"
    return free >= DISK_GIGABYTES, words + ("" if free >= DISK_GIGABYTES else ": make room, or they make it each time")


def _figures() -> tuple[bool, str]:
    from matplotlib.figure import Figure

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figure.png"
        figure = Figure()
        figure.subplots().plot([0, 1])
        figure.savefig(path)
        drawn = path.stat().st_size > 1000
    return drawn, "drawn" if drawn else "an empty image came out: install matplotlib again"


def _checkpoints() -> tuple[bool, str]:
    import hashlib
    import json

    from course_utils.paths import data_folder

    cards = sorted(data_folder("checkpoints").glob("*.json"))
    damaged = []
    for card in cards:
        weights = card.with_suffix(".safetensors")
        expected = json.loads(card.read_text(encoding="utf-8")).get("sha256")
        if not weights.exists() or hashlib.sha256(weights.read_bytes()).hexdigest() != expected:
            damaged.append(card.stem)
    if damaged:
        return False, f"damaged or missing: {', '.join(damaged)}; the lessons go on without, or get the course again"
    return bool(cards), f"{len(cards)} trained models, all whole" if cards else "none came along: get the course again"


def _voices() -> tuple[bool, str]:
    from course_utils.data.speech.espeak import espeak_problem

    problem = espeak_problem()
    if problem:
        return False, f"lesson 6 will take its small prepared set of speech: {problem}"
    return True, "the synthesizer of lesson 6 speaks"


def _real_data() -> tuple[bool, str]:
    from course_utils.data.real import staged_folder
    from course_utils.data.real_errors import RealDataNotFoundError

    try:
        folder = staged_folder()
    except RealDataNotFoundError as error:
        return False, str(error)
    if folder is None:
        return True, "not set up; the lessons make their own data (WHERE_TO_LOOK_DATA is empty)"
    sets = sum(path.is_dir() for path in folder.iterdir())
    return True, f"{sets} data sets in the folder of WHERE_TO_LOOK_DATA"


_CHECKS = {
    "arithmetic": _arithmetic,
    "memory": _memory,
    "disk": _disk,
    "figures": _figures,
    "trained models": _checkpoints,
    "voices": _voices,
    "real data": _real_data,
}
