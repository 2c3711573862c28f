"""Made data kept on disk: written whole, never in the way of a lesson, and tidied up when there is too much of it.

A kept file is called `<sort>-<what it was made from>`; files of one sort share a limit.
"""

import time
import warnings
from contextlib import suppress
from pathlib import Path

from course_utils.files import write_whole

_ABANDONED_SECONDS = 3600  # a temporary file as old as this was left by a killed run


def keep_file(path: Path, content: bytes, *, what: str, again: str, largest_bytes: int) -> None:
    """Write a file for the next run; where that is not possible, warn and go on.

    Args:
        path: where; the part of its name before the first "-" is its sort.
        content: all of the file.
        what: the plural of what it holds, for the warning, e.g. "pictures".
        again: what happens to them next time if they cannot be kept, e.g. "drawn".
        largest_bytes: when the files of this sort are larger together, those used longest ago are removed.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        warnings.warn(
            f"the {what} could not be kept in {path.parent} ({error}); they will be {again} again next time. Free some "
            "space, or set WHERE_TO_LOOK_CACHE to a folder that you may write to.",
            stacklevel=4,
        )
    else:
        with suppress(OSError):  # another process tidies up at the same time
            _tidy(path, largest_bytes)


def _tidy(keep: Path, largest_bytes: int) -> None:
    """Remove what killed runs left, and the files used longest ago if those of a sort have grown too large."""
    now, total = time.time(), 0
    sort = keep.name.split("-")[0]
    found = [(path, path.stat()) for path in keep.parent.glob(f"*{sort}-*") if path.is_file()]
    for path, status in sorted(found, key=lambda entry: -entry[1].st_mtime):
        total += status.st_size
        unfinished = path.name.startswith(".")
        old = now - status.st_mtime > _ABANDONED_SECONDS if unfinished else total > largest_bytes
        if old and path != keep:
            path.unlink(missing_ok=True)
