"""The set-up behind the first code cell of every notebook.

On a machine set up by `make lab` there is nothing to do. In Colab the cell has just installed this package
alone, without its requirements; `prepare` then adds the few small ones that are missing. The large ones —
torch, numpy and whatever is compiled against them — are never installed or changed: Colab's own fit its
hardware and each other, and replacing one of them breaks the running kernel.
"""

import importlib
import importlib.util
import platform
import subprocess
import sys
from importlib import metadata

from packaging.requirements import Requirement

DISTRIBUTION = "where-to-look"
LARGE = frozenset(
    ("matplotlib", "numpy", "pandas", "pyarrow", "scikit-image", "scikit-learn", "scipy")
    + ("torch", "torchaudio", "torchvision")
)


def prepare() -> None:
    """Install the missing small requirements, then print one line with the versions in use.

    Calling it again costs milliseconds. It reads the requirements from the installed package, so that they are
    written in one place only.

    Raises:
        RuntimeError: a large requirement is missing, or pip failed; the message says what to do.
    """
    try:
        direct = _requirements(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        print("Where to Look runs from a plain folder: its requirements were not checked.")
        return
    installed = _install_missing(direct)
    outdated = [f"{item.name} {_version(item.name)} (tested: {item.specifier})" for item in direct if _is_outside(item)]
    words = [f"Where to Look {_version(DISTRIBUTION)}", f"Python {platform.python_version()}"]
    words += [f"{name} {_version(name)}" for name in ("torch", "numpy")]
    line = ", ".join(words) + "."
    if installed:
        line += f" Installed: {', '.join(installed)}."
    if outdated:
        line += f" Left as they are, though outside the tested range: {', '.join(outdated)}."
    print(line)


def _install_missing(requirements: list[Requirement]) -> list[str]:
    """Install what is missing, level by level: pip gets no say in dependencies, so it cannot touch a large one."""
    installed: list[str] = []
    level = requirements
    while level:
        missing = [item for item in level if _version(item.name) is None]
        large = sorted({item.name for item in missing if _normal(item.name) in LARGE})
        if large:
            raise RuntimeError(
                f"This lesson needs {', '.join(large)}, and this machine has none. They are large and must fit the "
                "machine, so the notebook does not install them. In Colab choose Runtime → Disconnect and delete "
                f"runtime, then start again. Elsewhere run  pip install {' '.join(large)}"
            )
        if missing:
            _pip_install(missing)
        names = sorted({item.name for item in missing})
        installed += names
        level = [needed for name in names for needed in _requirements(name)]
    return installed


def _pip_install(requirements: list[Requirement]) -> None:
    wanted = sorted({f"{item.name}{item.specifier}" for item in requirements})
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-color", "--no-deps", *wanted]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError(
            f"These small packages could not be installed: {', '.join(wanted)}.\n{answer.stderr[-600:].strip()}\n"
            "Check that this machine reaches the internet and run this cell again. Without internet, ask whoever "
            f"looks after the machine to run  pip install {' '.join(wanted)}"
        )
    importlib.invalidate_caches()


def _requirements(distribution: str) -> list[Requirement]:
    """What a distribution needs here, extras left out."""
    parsed = [Requirement(text) for text in metadata.requires(distribution) or []]
    return [item for item in parsed if item.marker is None or item.marker.evaluate({"extra": ""})]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _is_outside(requirement: Requirement) -> bool:
    version = _version(requirement.name)
    return version is not None and not requirement.specifier.contains(version, prereleases=True)


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
