"""How long it takes to import the package, in a fresh Python each time."""

import os
import statistics
import subprocess
import sys

HEAVY = {
    "torch", "torchvision", "numpy", "scipy", "sklearn", "pandas", "matplotlib", "seaborn", "PIL", "pyarrow", "IPython",
    "ipywidgets", "huggingface_hub", "datasets", "transformers", "accelerate", "distributed", "joblib", "sacrebleu",
    "rouge_score", "babel", "num2words", "soundfile",
}  # fmt: skip
"""Packages that take long to import."""
MEASURED = (
    "course_utils",
    "course_utils.teaching.bootstrap",
    "course_utils.mechanisms.attention",
    "course_utils.models.translation",
    "experiments.runner",
    "course_utils.teaching.plots",
)


def loaded_by(*modules: str) -> set[str]:
    """Which heavy packages a fresh Python has loaded after importing these modules."""
    lines = "; ".join(f"import {name}" for name in modules)
    code = f"import sys; {lines}; print(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return HEAVY & set(answer.stdout.split())


def measure_imports(rounds: int = 3) -> list[dict]:
    """Seconds of processor time that importing a module adds to the start of Python: median over fresh interpreters."""
    start, rows = _seconds("pass", rounds), []
    for name in MEASURED:
        seconds = max(0.0, _seconds(f"import {name}", rounds) - start)
        rows.append({"module": name, "loads": sorted(loaded_by(name)), "seconds": seconds})
    return rows


def _seconds(code: str, rounds: int) -> float:
    """Processor time of a fresh Python that runs one line; the first one only fills the disk's cache."""
    times = []
    for _ in range(rounds + 1):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        after = os.times()
        times.append(after.children_user - before.children_user + after.children_system - before.children_system)
    return statistics.median(times[1:])
