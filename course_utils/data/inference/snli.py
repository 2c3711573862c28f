"""SNLI, the data of the paper on reasoning about entailment: rows of premise, hypothesis and label."""

import hashlib

from course_utils.data.inference.logic import LABELS
from course_utils.data.real import SPLITS, is_staged, load_real, real_source


def staged_name() -> str:
    """The set that `load_snli` takes: "snli_dev" where the staged folder has that and not all of SNLI, else "snli".

    Raises:
        RealDataNotFoundError: the staged folder does not exist.
    """
    return "snli_dev" if is_staged("snli_dev") and not is_staged("snli") else "snli"


def load_snli(name: str | None = None, split: str = "train") -> list[tuple[str, str, str]]:
    """Load labelled pairs; those without a majority label and those with an empty side are left out.

    "snli_dev" has the development pairs alone. They are divided 80 : 10 : 10 by a hash of the premise, the same on
    every machine, so that pairs of one premise (SNLI has about three) stay on one side.

    Args:
        name: "snli", "snli_dev", or None for `staged_name()`.
        split: "train", "validation" or "test".

    Returns:
        `(premise, hypothesis, label)` in the order of the file, the label one of `LABELS`.

    Raises:
        ValueError: for another split.
        RealDataError: as `real.load_real`.
    """
    if split not in SPLITS:
        raise ValueError(f"split={split!r}: expected one of {SPLITS}; choose one of them.")
    name = name or staged_name()
    whole = real_source(name).splits == SPLITS
    columns = ("premise", "hypothesis", "label")
    found = load_real(name, split if whole else "validation", columns)
    rows = zip(*(found[column][:] for column in columns), strict=True)
    labelled = [
        (premise, hypothesis, LABELS[label])
        for premise, hypothesis, label in rows
        if label in range(len(LABELS)) and (premise or "").strip() and (hypothesis or "").strip()
    ]
    return labelled if whole else [row for row in labelled if _hashed_split(row[0]) == split]


def _hashed_split(premise: str) -> str:
    digest = hashlib.sha256(" ".join(premise.casefold().split()).encode()).digest()
    return SPLITS[max(0, int.from_bytes(digest[:8], "big") % 10 - 7)]
