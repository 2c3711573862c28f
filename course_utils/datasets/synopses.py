"""Real texts with a summary that their authors wrote: Debian's package descriptions, or news from the hub."""

from course_utils.datasets.sources import REAL_SOURCES, SPLITS, load_real, staged_folder

SYNOPSIS_SETS = ("debian_synopsis", "cnn_dailymail", "xsum")
"""Sets of `sources.REAL_SOURCES` that `load_synopses` reads; the first two columns are text and summary."""
HUB_SET = "cnn_dailymail"
"""What is fetched where no set is staged."""


def staged_name() -> str:
    """The set that `load_synopses` takes: the first of `SYNOPSIS_SETS` that is staged, else `HUB_SET`.

    Raises:
        RealDataNotFoundError: the staged folder does not exist.
    """
    folder = staged_folder()
    staged = [name for name in SYNOPSIS_SETS if folder is not None and (folder / name).is_dir()]
    return staged[0] if staged else HUB_SET


def load_synopses(name: str | None = None, split: str = "train", count: int | None = None) -> list[tuple[str, str]]:
    """Load texts with their summaries; those with an empty side are left out.

    Args:
        name: of `SYNOPSIS_SETS`, or None for `staged_name()`.
        split: "train", "validation" or "test".
        count: look at the first so many rows only; None = all.

    Returns:
        `(text, summary)` in the order of the file, each on one line.

    Raises:
        ValueError: for another set or split.
        RealDataError: as `sources.load_real`.
    """
    name = name or staged_name()
    if name not in SYNOPSIS_SETS:
        raise ValueError(f"name={name!r}: expected one of {SYNOPSIS_SETS}; choose one of them.")
    if split not in SPLITS:
        raise ValueError(f"split={split!r}: expected one of {SPLITS}; choose one of them.")
    columns = REAL_SOURCES[name].columns
    table = load_real(name, split, columns=columns).slice(0, count)
    sides = zip(*(table[column].to_pylist() for column in columns), strict=True)
    pairs = [(" ".join((text or "").split()), " ".join((summary or "").split())) for text, summary in sides]
    return [pair for pair in pairs if all(pair)]
