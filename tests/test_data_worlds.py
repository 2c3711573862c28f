"""Every synthetic world of the data package is imported alone, without another world and without heavy libraries."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import course_utils.data

FOLDER = Path(course_utils.data.__file__).parent
WORLDS = ("phrases", "canvases", "scenes", "inference", "speech", "reports")
HEAVY = ("datasets", "torchvision", "soundfile", "espeakng_loader")
"""Libraries that are imported inside the functions that need them."""


@cache
def loaded_with(world: str) -> frozenset[str]:
    """Names of all modules that a fresh process holds after importing every module of a world."""
    modules = sorted(file.stem for file in (FOLDER / world).glob("*.py") if file.stem != "__init__")
    lines = [f"import course_utils.data.{world}.{module}" for module in modules]
    code = "\n".join([*lines, "import sys", "print(*sys.modules)"])
    return frozenset(subprocess.check_output([sys.executable, "-c", code], text=True, cwd=FOLDER.parents[1]).split())


def test_the_worlds_are_the_folders():
    assert {folder.parent.name for folder in FOLDER.glob("*/__init__.py")} == set(WORLDS)


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_is_imported_alone(world):
    loaded = loaded_with(world)
    assert f"course_utils.data.{world}" in loaded
    assert not {name for other in WORLDS if other != world for name in loaded if f".data.{other}" in name}


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_is_imported_without_heavy_libraries(world):
    assert not loaded_with(world) & set(HEAVY)
