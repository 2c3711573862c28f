"""Real data: one function that finds a set in a staged folder, on the hub or at its public address.

rows = load_real("snli", "test")                 # a datasets.Dataset
rows["premise"][:3]

The folder that `WHERE_TO_LOOK_DATA` names is searched first (a room without internet), then the place that
`REAL_SOURCES` names. Fetching, resuming, caching and working offline are the libraries' part (`datasets`,
`huggingface_hub`, `torch.hub`; torchvision for MNIST, see `canvases.real_digits`). Checked here: that the parts of a
split belong together, that columns hold what they should, that text is text, and that there are rows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.data.cache import cache_folder
from course_utils.data.real_errors import (
    STAGED_FOLDER_VARIABLE as STAGED_FOLDER_VARIABLE,
)
from course_utils.data.real_errors import (
    DataFormatError as DataFormatError,
)
from course_utils.data.real_errors import (
    DownloadError as DownloadError,
)
from course_utils.data.real_errors import (
    HubUnreachableError as HubUnreachableError,
)
from course_utils.data.real_errors import (
    RealDataError as RealDataError,
)
from course_utils.data.real_errors import (
    RealDataNotFoundError as RealDataNotFoundError,
)
from course_utils.data.real_errors import (
    explained,
    refuse_offline,
)
from course_utils.data.real_sets import BYTES, INTEGER, PAIR, REAL_SOURCES, TEXT, RealSource
from course_utils.data.real_sets import SPLITS as SPLITS

if TYPE_CHECKING:
    import datasets
    import pyarrow


_SHARD = re.compile(r"(?P<split>[\w.]+?)(?:-(?P<number>\d{5})-of-(?P<count>\d{5})(?:-[0-9a-f]{16})?)?\.parquet")


def staged_folder() -> Path | None:
    """Return the folder of staged data that `WHERE_TO_LOOK_DATA` names, or None where it is not set.

    `~` and blanks around the name are understood.

    Raises:
        RealDataNotFoundError: it is set, but not to a folder.
    """
    value = os.environ.get(STAGED_FOLDER_VARIABLE, "").strip()
    if not value:
        return None
    folder = Path(os.path.expanduser(value))
    if not folder.is_dir():
        raise RealDataNotFoundError(
            f"{STAGED_FOLDER_VARIABLE} is {value!r}, which is not a folder. Set it to the folder that holds one "
            f"folder per data set (such as multi30k_en_fr/), or unset it to use the network."
        )
    return folder


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
    elif source.hub_id:
        where = f"the hub ({source.hub_id})"
        paths = _hub_files(source, split, where)
    elif source.address:
        return _aligned_lines(source, split)
    else:
        place = f"torchvision.datasets.{source.torchvision}" if source.torchvision else "no public place"
        raise RealDataNotFoundError(
            f"{name} is not on the hub ({place} has it). Set {STAGED_FOLDER_VARIABLE} to a folder that holds {name}/, "
            f"or keep SOURCE = 'default'."
        )
    _check_shards(paths, split)
    paths = _with_rows(paths, source, wanted)
    try:
        with explained(name, where):
            dataset = _read("parquet", {split: paths}, split)
            dataset = dataset if wanted is None else dataset.select_columns(wanted)
            for column in dataset.column_names:
                if source.kind(column) in (TEXT, PAIR):  # of other columns nobody can say what a flipped byte is
                    dataset.data[column].validate(full=True)
    except DataFormatError as error:
        raise _damage(paths, source) or error from error
    return dataset


def real_source(name: str) -> RealSource:
    """Return the row of the table.

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
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.parquet")):
        if match := _SHARD.fullmatch(path.name):
            found.setdefault(match["split"], []).append(path)
    if not found:
        raise RealDataNotFoundError(
            f"{folder} holds no parquet file; expected {folder}/{split}-00000-of-00001.parquet. Copy the set again."
        )
    if split not in found:
        raise no_such_split(source.name, split, found)
    return found[split]


def _hub_files(source: RealSource, split: str, where: str) -> list[Path]:
    """Fetch the files of one split into the hub library's cache; what it holds already needs no network."""
    from huggingface_hub import snapshot_download

    if split not in source.splits:
        raise no_such_split(source.name, split, source.splits)
    pattern = source.files.format(split=split)
    with explained(source.name, where):
        folder = snapshot_download(
            source.hub_id, repo_type="dataset", revision=source.revision, allow_patterns=[pattern]
        )
    if not (paths := sorted(Path(folder).glob(pattern))):
        raise DataFormatError(
            f"{source.hub_id} (revision {source.revision}) holds no {pattern}: it has been rearranged. Pin an older "
            f"revision in REAL_SOURCES, or set {STAGED_FOLDER_VARIABLE} to a folder that holds {source.name}/."
        )
    return paths


def _aligned_lines(source: RealSource, split: str) -> datasets.Dataset:
    """Fetch text files whose lines belong together, one file per language, and make the column `translation`.

    Blanks around a line are left out, as in the staged set.
    """
    import datasets
    import pyarrow
    from pyarrow.compute import utf8_trim_whitespace
    from torch.hub import download_url_to_file

    splits = list(dict.fromkeys(key.split(".")[0] for key in source.sha256))
    if split not in splits:
        raise no_such_split(source.name, split, splits)
    paths = {}
    for language in ("en", "fr"):
        file, digest = source.sha256[f"{split}.{language}"]
        paths[language] = cache_folder() / "downloads" / digest[:16] / file  # named by its content: never stale
        if not paths[language].is_file():
            refuse_offline(source.name, source.address)
            with explained(source.name, source.address):
                paths[language].parent.mkdir(parents=True, exist_ok=True)
                download_url_to_file(source.address + file, str(paths[language]), hash_prefix=digest)
    with explained(source.name, source.address):
        sides = {language: _read("text", {language: [path]}, language) for language, path in paths.items()}
    if len({len(side) for side in sides.values()}) != 1:
        lengths = ", ".join(f"{paths[language]} has {len(side)}" for language, side in sides.items())
        raise DataFormatError(f"the lines of {source.name} do not belong together: {lengths}. Remove both files.")
    texts = [utf8_trim_whitespace(side.data["text"].combine_chunks()) for side in sides.values()]
    column = pyarrow.StructArray.from_arrays(texts, names=list(sides))
    return datasets.Dataset(pyarrow.table({"translation": column}))


def _read(kind: str, files: dict[str, list[Path]], split: str) -> datasets.Dataset:
    """Let the library read files, quietly, through a cache that can be written."""
    import datasets

    names = {key: [str(path) for path in paths] for key, paths in files.items()}
    dataset = datasets.load_dataset(kind, data_files=names, split=split, cache_dir=str(cache_folder() / "datasets"))
    for column, feature in dataset.features.items():
        if getattr(feature, "decode", False) and hasattr(feature, "decode_example"):
            dataset = dataset.cast_column(column, type(feature)(decode=False))
    return dataset


def _check_shards(paths: Sequence[Path], split: str) -> None:
    """Refuse files of two versions of a split, or a split with a part missing."""
    names = ", ".join(path.name for path in paths)
    numbered = [match for path in paths if (match := _SHARD.fullmatch(path.name)) and match["count"]]
    if not numbered:
        return
    counts = {int(match["count"]) for match in numbered}
    numbers = sorted(int(match["number"]) for match in numbered)
    if len(numbered) < len(paths) or len(counts) > 1 or len(set(numbers)) < len(numbers) or numbers[-1] >= max(counts):
        raise DataFormatError(
            f"{paths[0].parent} holds parts of more than one version of {split!r}: {names}. Remove those that do not "
            "belong together, or copy the set again into an empty folder."
        )
    if len(numbers) < max(counts):
        raise RealDataNotFoundError(
            f"{paths[0].parent} lacks a part of {split!r}: it holds {names} of {max(counts)} files. Copy the missing "
            "files."
        )


def _with_rows(paths: Sequence[Path], source: RealSource, columns: list[str] | None) -> list[Path]:
    """Compare the columns of each file with what the table says, and give back the files that have rows."""
    import pyarrow
    from pyarrow import parquet

    required = list(dict.fromkeys([*source.columns, *(columns or ())]))
    first, kept = None, []
    for path in paths:
        try:
            found = parquet.read_metadata(path)
            schema = found.schema.to_arrow_schema()
        except (pyarrow.ArrowException, OSError) as error:
            raise _unreadable(path, error) from error
        if missing := [column for column in required if column not in schema.names]:
            raise DataFormatError(
                f"{path} lacks the columns {missing} that {source.name} needs; it has {schema.names}. It is another "
                f"data set or another version of it."
            )
        for column in schema.names:
            kind = source.kind(column)
            if kind and not _holds(schema.field(column).type, kind):
                raise DataFormatError(
                    f"{path}, column {column!r}: it holds {schema.field(column).type}; expected {kind}. It is another "
                    f"data set or another version of it."
                )
        if set(schema.names) != set(first := first or schema.names):
            raise DataFormatError(
                f"the parts of {source.name} do not have the same columns: {paths[0]} has {first}, {path} has "
                f"{schema.names}. Copy the set again into an empty folder."
            )
        kept += [path] if found.num_rows else []
    if not kept:
        names = ", ".join(map(str, paths))
        raise DataFormatError(f"{source.name} has no rows in {names}. Copy or download it again.")
    return kept


def _holds(found: pyarrow.DataType, kind: str) -> bool:
    """Whether a column of this type can hold what the table says."""
    from pyarrow import types

    if kind == TEXT:
        return types.is_string(found) or types.is_large_string(found) or types.is_string_view(found)
    if kind == INTEGER:
        return types.is_integer(found)
    fields = {part.name: part.type for part in found} if types.is_struct(found) else {}
    if kind == BYTES:
        return (
            "bytes" in fields and types.is_binary(fields["bytes"]) or types.is_large_binary(fields.get("bytes", found))
        )
    if kind == PAIR:
        return bool(fields) and all(_holds(one, TEXT) for one in fields.values())
    return types.is_nested(found)


def _damage(paths: Sequence[Path], source: RealSource) -> DataFormatError | None:
    """Look for the file, or the row of it, that could not be read, since the libraries' errors name neither."""
    import pyarrow
    from pyarrow import parquet

    for path in paths:
        try:
            table = parquet.read_table(path)
        except (pyarrow.ArrowException, OSError) as error:
            return _unreadable(path, error)
        for column in table.column_names:
            for row, value in enumerate(table[column] if source.kind(column) in (TEXT, PAIR) else ()):
                try:
                    value.as_py()
                except UnicodeDecodeError:
                    return DataFormatError(
                        f"{path}, column {column!r}, row {row}: the text is not UTF-8, so the file is damaged. Copy or "
                        "download it again."
                    )
    return None


def _unreadable(path: Path, error: Exception) -> DataFormatError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return DataFormatError(f"{path} cannot be read as parquet ({reason}). Copy or download it again.")
