"""Real data: one function that finds a set in a staged folder, on the hub or at its public address.

rows = load_real("snli", "test")                 # a datasets.Dataset
rows["premise"][:3]

The folder that `WHERE_TO_LOOK_DATA` names is searched first (a room without internet), then the place that
`REAL_SOURCES` names. Fetching, resuming, caching and working offline are the libraries' part (`datasets`,
`huggingface_hub`, `torch.hub`; torchvision for MNIST, see `canvases.digits`). Checked here: that the parts of a split
belong together, that columns hold what they should, that text is text, and that there are rows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.data.cache import cache_folder
from course_utils.data.real_errors import STAGED_FOLDER_VARIABLE, DataFormatError, RealDataNotFoundError, explained
from course_utils.data.real_sets import ARROW_TYPES, COLUMNS, PAIR, REAL_SOURCES, TEXT, RealSource

if TYPE_CHECKING:
    import datasets

_SHARD = re.compile(r"(?P<split>[\w.]+?)(?:-(?P<number>\d{5})-of-(?P<count>\d{5})(?:-[0-9a-f]{16})?)?\.parquet")


def staged_folder() -> Path | None:
    """The folder of staged data that `WHERE_TO_LOOK_DATA` names (`~` is understood), or None where it is not set.

    Raises:
        RealDataNotFoundError: it is set, but not to a folder.
    """
    value = os.environ.get(STAGED_FOLDER_VARIABLE, "").strip()
    folder = Path(os.path.expanduser(value))
    if value and not folder.is_dir():
        raise RealDataNotFoundError(
            f"{STAGED_FOLDER_VARIABLE} is {value!r}, which is not a folder. Set it to the folder that holds one "
            f"folder per data set (such as multi30k_en_fr/), or unset it to use the network."
        )
    return folder if value else None


def is_staged(name: str) -> bool:
    """Whether the staged folder holds a folder of this name.

    Raises:
        RealDataNotFoundError: the staged folder does not exist.
    """
    folder = staged_folder()
    return folder is not None and (folder / name).is_dir()


def load_real(name: str, split: str = "train", columns: Iterable[str] | None = None) -> datasets.Dataset:
    """Load one split of a set of real data: from the staged folder if it is there, else from where it is published.

    Args:
        name: Key of `REAL_SOURCES`.
        split: Name of the split, as in the file names.
        columns: Columns to give back, which then must be there; None gives all of them.

    Returns:
        Rows in the order of the files, at least one. Images and sounds stay encoded: `{"bytes": …, "path": …}`.

    Raises:
        RealDataNotFoundError: no such set, folder or split, or a part of the split is missing.
        HubUnreachableError: it is neither staged nor cached, and the network or the hub does not answer.
        DownloadError: the download was refused, arrived damaged, or could not be stored.
        DataFormatError: a file is damaged, lacks columns, holds something else in them, or has no rows.
    """
    source, wanted = real_source(name), None if columns is None else list(columns)
    if is_staged(name):
        paths, where = _staged_files(source, split), str(staged_folder() / name)
    elif source.hub:
        paths, where = _hub_files(source, split), f"the hub ({source.hub.id})"
    elif source.address:
        return _aligned_lines(source, split)
    else:
        place = f"torchvision.datasets.{source.torchvision}" if source.torchvision else "no public place"
        raise RealDataNotFoundError(
            f"{name} is not on the hub ({place} has it). Set {STAGED_FOLDER_VARIABLE} to a folder that holds {name}/, "
            f"or keep SOURCE = 'default'."
        )
    _check_shards(paths, split)
    paths, found = _with_rows(paths, source, wanted)
    try:
        with explained(name, where):
            dataset = _read("parquet", paths, columns=wanted or found)
            for column in _texts(dataset.column_names):
                dataset.data[column].validate(full=True)
    except DataFormatError:
        _name_damage(paths, name)
        raise
    return dataset


def real_source(name: str) -> RealSource:
    """The row of the table.

    Raises:
        RealDataNotFoundError: no set has this name.
    """
    if name not in REAL_SOURCES:
        raise RealDataNotFoundError(f"no real data set is called {name!r}; there are {', '.join(REAL_SOURCES)}.")
    return REAL_SOURCES[name]


def no_such_split(name: str, split: str, available: Iterable[str]) -> RealDataNotFoundError:
    """Make the error for a split that a set does not have."""
    return RealDataNotFoundError(f"{name} has no split {split!r}; it has {', '.join(available)}.")


def _staged_files(source: RealSource, split: str) -> list[Path]:
    folder = staged_folder() / source.name / "data"
    parts = [match for path in sorted(folder.glob("*.parquet")) if (match := _SHARD.fullmatch(path.name))]
    if not parts:
        raise RealDataNotFoundError(
            f"{folder} holds no parquet file; expected {folder}/{split}-00000-of-00001.parquet. Copy the set again."
        )
    if not (paths := [folder / part.string for part in parts if part["split"] == split]):
        raise no_such_split(source.name, split, sorted({part["split"] for part in parts}))
    return paths


def _hub_files(source: RealSource, split: str) -> list[Path]:
    """Fetch the files of one split into the hub library's cache; what it holds already needs no network."""
    from huggingface_hub import snapshot_download

    if split not in source.splits:
        raise no_such_split(source.name, split, source.splits)
    hub, pattern = source.hub, source.hub.files.format(split=split)
    with explained(source.name, f"the hub ({hub.id})"):
        folder = snapshot_download(hub.id, repo_type="dataset", revision=hub.revision, allow_patterns=[pattern])
    if not (paths := sorted(Path(folder).glob(pattern))):
        raise DataFormatError(
            f"{hub.id} (revision {hub.revision or 'of today'}) holds no {pattern}: it has been rearranged. Pin another "
            f"revision in REAL_SOURCES, or set {STAGED_FOLDER_VARIABLE} to a folder that holds {source.name}/."
        )
    return paths


def _aligned_lines(source: RealSource, split: str) -> datasets.Dataset:
    """Fetch text files whose lines belong together, one file per language, and make the column `translation`.

    Blanks around a line are left out, as in the staged set.
    """
    import datasets
    from huggingface_hub import constants, errors
    from torch.hub import download_url_to_file

    if f"{split}.en" not in source.sha256:
        raise no_such_split(source.name, split, [key.removesuffix(".en") for key in source.sha256 if ".en" in key])
    sides = {}
    with explained(source.name, source.address):
        for language in ("en", "fr"):
            file, digest = source.sha256[f"{split}.{language}"]
            path = cache_folder() / "downloads" / digest[:16] / file  # named by its content: never stale
            if not path.is_file() and constants.HF_HUB_OFFLINE:
                raise errors.OfflineModeIsEnabled("HF_HUB_OFFLINE is set")
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                download_url_to_file(source.address + file, str(path), hash_prefix=digest)
            sides[language] = [line.strip() for line in _read("text", [path])["text"]]
    if len(set(map(len, sides.values()))) != 1:
        lengths = ", ".join(f"{source.sha256[f'{split}.{side}'][0]} has {len(lines)}" for side, lines in sides.items())
        raise DataFormatError(f"the lines of {source.name} do not belong together: {lengths}. Remove both files.")
    rows = [dict(zip(sides, pair, strict=True)) for pair in zip(*sides.values(), strict=True)]
    return datasets.Dataset.from_dict({"translation": rows})


def _read(kind: str, paths: Sequence[Path], **options: list[str]) -> datasets.Dataset:
    """Let the library read files through a cache that can be written; images and sounds stay encoded."""
    import datasets

    cache = str(cache_folder() / "datasets")
    dataset = datasets.load_dataset(kind, data_files=list(map(str, paths)), split="train", cache_dir=cache, **options)
    for column, feature in dataset.features.items():
        if getattr(feature, "decode", False) and hasattr(feature, "decode_example"):
            dataset = dataset.cast_column(column, type(feature)(decode=False))
    return dataset


def _check_shards(paths: Sequence[Path], split: str) -> None:
    """Refuse files of two versions of a split, or a split with a part missing."""
    parts = [(match["number"], match["count"]) for path in paths if (match := _SHARD.fullmatch(path.name))]
    if not any(count for _, count in parts):
        return
    names = ", ".join(path.name for path in paths)
    count = max(int(count or 1) for _, count in parts)
    expected = {(f"{number:05}", f"{count:05}") for number in range(count)}
    if not expected.issuperset(parts) or len(set(parts)) < len(paths):
        raise DataFormatError(
            f"{paths[0].parent} holds parts of more than one version of {split!r}: {names}. Remove those that do not "
            "belong together, or copy the set again into an empty folder."
        )
    if expected.difference(parts):
        raise RealDataNotFoundError(
            f"{paths[0].parent} lacks a part of {split!r}: it holds {names} of {count} files. Copy the missing files."
        )


def _with_rows(paths: Sequence[Path], source: RealSource, columns: list[str] | None) -> tuple[list[Path], list[str]]:
    """Compare the columns of each file with what the table says; return the files that have rows, and the columns."""
    from pyarrow import parquet

    required, kept = list(dict.fromkeys([*source.columns, *(columns or ())])), []
    for path in paths:
        with explained(str(path), source.name):
            found = parquet.read_metadata(path)
        types = {field.name: str(field.type) for field in found.schema.to_arrow_schema()}
        if missing := [column for column in required if column not in types]:
            raise DataFormatError(
                f"{path} lacks the columns {missing} that {source.name} needs; it has {list(types)}. It is another "
                "data set or another version of it, perhaps than the parts beside it."
            )
        for kind, pattern in ARROW_TYPES.items():
            for column in types.keys() & COLUMNS[kind]:
                if not re.fullmatch(pattern, types[column]):
                    raise DataFormatError(
                        f"{path}, column {column!r}: it holds {types[column]}; expected {kind}. It is another data set "
                        "or another version of it."
                    )
        required = list(types) if columns is None and path == paths[0] else required
        if found.num_rows:  # the library cannot read a file without
            kept.append(path)
    if not kept:
        names = ", ".join(map(str, paths))
        raise DataFormatError(f"{source.name} has no rows in {names}. Copy or download it again.")
    return kept, required


def _texts(columns: Iterable[str]) -> list[str]:
    """Those of the columns that hold text; of others nobody can say what a flipped byte is."""
    return [column for column in columns if column in (*COLUMNS[TEXT], *COLUMNS[PAIR])]


def _name_damage(paths: Sequence[Path], name: str) -> None:
    """Look for the file, or the row of it, that could not be read, since the libraries' errors name neither.

    Raises:
        DataFormatError: it is found.
    """
    from pyarrow import parquet

    for path in paths:
        with explained(str(path), name):
            table = parquet.read_table(path)
        for column in _texts(table.column_names):
            for row, value in enumerate(table[column]):
                try:
                    value.as_py()
                except UnicodeDecodeError as error:
                    raise DataFormatError(
                        f"{path}, column {column!r}, row {row}: the text is not UTF-8, so the file is damaged. Copy or "
                        "download it again."
                    ) from error
