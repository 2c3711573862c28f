"""Every synthetic world of the data package is imported alone, without another world and without heavy libraries."""

import subprocess
import sys
from pathlib import Path

import pytest

import course_utils.data

FOLDER = Path(course_utils.data.__file__).parent
WORLDS = ("phrases", "canvases", "scenes", "inference", "speech", "reports")
HEAVY = ("datasets", "torchvision", "soundfile", "espeakng_loader")
"""Libraries that are imported inside the functions that need them."""


def test_the_worlds_are_the_folders():
    assert {folder.parent.name for folder in FOLDER.glob("*/__init__.py")} == set(WORLDS)


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_is_imported_alone_and_without_heavy_libraries(world):
    modules = sorted(file.stem for file in (FOLDER / world).glob("*.py") if file.stem != "__init__")
    lines = [f"import course_utils.data.{world}.{module}" for module in modules]
    code = "\n".join([*lines, "import sys", "print(*sys.modules)"])
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True, cwd=FOLDER.parents[1]).split())
    assert f"course_utils.data.{world}" in loaded and not loaded & set(HEAVY)
    assert not {name for other in WORLDS if other != world for name in loaded if f".data.{other}" in name}
