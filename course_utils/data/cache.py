"""The only cache of the course: what was made once is kept on disk, and never in the way of a lesson.

path = cache_folder() / "scenes-test-500.rgb"
images = cached(path, draw, pack=to_bytes, unpack=from_bytes, what="images", largest_bytes=10**9)

A file's name holds what it was made from, `<sort>-<arguments and versions>`, so that it is either right or not read. It
is renamed when complete and ends with its checksum; of several processes one makes it and the others wait. What goes
wrong is warned about and costs only time.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy

from course_utils.files import write_whole

CACHE_FOLDER_VARIABLE = "WHERE_TO_LOOK_CACHE"
_CHECKSUM_BYTES = 16
_ABANDONED_SECONDS = 3600  # a temporary file as old as this was left by a killed run
_LONGEST_WAIT_SECONDS = 600  # for another process that makes the same; after it, both do

Value = TypeVar("Value")


def cache_folder() -> Path:
    """Return the folder for what can be made again at any time; it exists and can be read and written.

    It is what `WHERE_TO_LOOK_CACHE` names, else `where-to-look` in `XDG_CACHE_HOME` or in `~/.cache`. Where that cannot
    be used (a folder of another user, no home), it is a temporary folder for this run, and one warning names both.
    """
    named = os.environ.get(CACHE_FOLDER_VARIABLE, "").strip()
    wanted = named or str(Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "where-to-look")
    try:
        folder = Path(wanted).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: no such user, or nobody knows where home is
        return _temporary_folder(wanted, str(error))
    if os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return folder
    return _temporary_folder(wanted, "you may not read and write there")


@cache
def _temporary_folder(wanted: str, reason: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="where-to-look-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    warnings.warn(
        f"the cache folder {wanted} cannot be used ({reason}). The lesson goes on with the temporary folder {folder}, "
        f"which is removed at the end; set {CACHE_FOLDER_VARIABLE} to a folder that you may write to.",
        stacklevel=3,
    )
    return folder


def fingerprint(*made_from: Path | str) -> str:
    """16 hex digits that change with sources (paths; line ends do not count) and with facts such as versions (text)."""
    digest = hashlib.blake2b(digest_size=8)
    for part in made_from:
        digest.update(part.read_bytes().replace(b"\r\n", b"\n") if isinstance(part, Path) else f"{part}\n".encode())
    return digest.hexdigest()


def cached(
    path: Path,
    make: Callable[[], Value],
    *,
    pack: Callable[[Value], bytes | memoryview],
    unpack: Callable[[memoryview], Value],
    what: str,
    largest_bytes: int,
) -> Value:
    """Return what a cached file holds, or make it and keep it.

    Args:
        path: of the file, in `cache_folder()`; the part of its name before the first "-" is its sort.
        make: makes the value, if no whole file holds it. What it raises is not caught.
        pack: turns the value into bytes.
        unpack: turns the bytes, which can be written to, back into the value. A ValueError or KeyError says that they
            hold something else: the file is removed as a damaged one is.
        what: the plural of what is kept, for warnings, e.g. "images".
        largest_bytes: when the files of this sort are larger together, those used longest ago are removed.
    """
    if (found := _read(path, unpack, what)) is not None:
        return found
    with _locked(path):
        if (found := _read(path, unpack, what)) is not None:  # another process made it meanwhile
            return found
        value = make()
        content = pack(value)
        try:
            write_whole(path, b"".join((content, _checksum(content))))
        except OSError as error:
            warnings.warn(
                f"the {what} could not be kept in {path.parent} ({error}); they will be made anew next time. Free some "
                f"space, or set {CACHE_FOLDER_VARIABLE} to a folder that you may write to.",
                stacklevel=3,
            )
        with suppress(OSError):  # another process tidies up at the same time
            _tidy(path, largest_bytes)
    return value


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from making the same file; where that is impossible, go on without."""
    from huggingface_hub.utils import WeakFileLock

    lock = path.with_name(f".{path.name}.lock")
    with ExitStack() as stack:
        with suppress(OSError):  # no right to write, or waited for too long
            stack.enter_context(WeakFileLock(lock, timeout=_LONGEST_WAIT_SECONDS))
            stack.callback(_remove, lock)
        yield


def _remove(path: Path) -> None:
    with suppress(OSError):  # in use or removed elsewhere, or not ours
        path.unlink()


def _checksum(content: bytes | memoryview) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_BYTES).digest()


def _read(path: Path, unpack: Callable[[memoryview], Value], what: str) -> Value | None:
    """The value in a file; None if there is none, or it was damaged and has been removed."""
    try:
        file = numpy.fromfile(path, numpy.uint8)
        content, checksum = file[:-_CHECKSUM_BYTES], file[-_CHECKSUM_BYTES:]
        if _checksum(content.data) != checksum.tobytes():
            raise ValueError("its checksum is wrong")
        value = unpack(content.data)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError) as error:
        warnings.warn(f"{path} was damaged ({error}); it is removed and the {what} are made anew.", stacklevel=4)
        _remove(path)
        return None
    with suppress(OSError):
        os.utime(path)  # used just now
    return value


def _tidy(keep: Path, largest_bytes: int) -> None:
    """Remove what killed runs left, and the files used longest ago if those of a sort have grown too large."""
    now, total = time.time(), 0
    found = [path for path in keep.parent.glob(f"*{keep.name.split('-')[0]}-*") if path.is_file()]
    for path, status in sorted(((path, path.stat()) for path in found), key=lambda entry: -entry[1].st_mtime):
        total += status.st_size
        unfinished = path.name.startswith(".")
        old = now - status.st_mtime > _ABANDONED_SECONDS if unfinished else total > largest_bytes
        if old and path != keep:
            path.unlink(missing_ok=True)
