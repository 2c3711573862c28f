"""Real texts with a summary that their authors wrote: Debian's package descriptions, or news from the hub."""

from course_utils.data.real import REAL_SOURCES, SPLITS, is_staged, load_real

SYNOPSIS_SETS = ("debian_synopsis", "cnn_dailymail", "xsum")
"""Sets of `real.REAL_SOURCES` that `load_synopses` reads; the first two columns are text and summary."""
HUB_SET = "cnn_dailymail"
"""What is fetched where no set is staged."""


def staged_name() -> str:
    """The set that `load_synopses` takes: the first of `SYNOPSIS_SETS` that is staged, else `HUB_SET`.

    Raises:
        RealDataNotFoundError: the staged folder does not exist.
    """
    return next((name for name in SYNOPSIS_SETS if is_staged(name)), HUB_SET)


def load_synopses(name: str | None = None, split: str = "train", count: int | None = None) -> list[tuple[str, str]]:
    """Load `(text, summary)` in the order of the file, each on one line; those with an empty side are left out.

    Args:
        name: of `SYNOPSIS_SETS`, or None for `staged_name()`.
        split: "train", "validation" or "test".
        count: read the first so many rows only; None = all.

    Raises:
        ValueError: for another set or split.
        RealDataError: as `real.load_real`.
    """
    name = name or staged_name()
    if name not in SYNOPSIS_SETS:
        raise ValueError(f"name={name!r}: expected one of {SYNOPSIS_SETS}; choose one of them.")
    if split not in SPLITS:
        raise ValueError(f"split={split!r}: expected one of {SPLITS}; choose one of them.")
    columns = tuple(REAL_SOURCES[name].columns)
    found = load_real(name, split, columns)
    sides = zip(*(found[column][:count] for column in columns), strict=True)
    pairs = [(" ".join((text or "").split()), " ".join((summary or "").split())) for text, summary in sides]
    return [pair for pair in pairs if all(pair)]
