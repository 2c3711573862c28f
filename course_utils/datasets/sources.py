"""Real data: one registry, and one function that finds a set in a pre-staged folder or fetches it from the hub.

A lesson with `SOURCE = "real"` calls `load_real` or a loader built on it. The folder that the environment variable
`WHERE_TO_LOOK_DATA` names is looked at first (a room without internet), then the hub library's cache, then the hub.
A set is a folder of parquet shards called `<split>-00000-of-00001.parquet`: under `<name>/data/` in a pre-staged
folder, under `<configuration>/` on the hub. Sets that are produced by a script do not load.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.datasets.downloads import (
    DataFormatError,
    HubUnreachableError,
    RealDataNotFoundError,
    cached_files,
    download,
    list_hub_files,
    remove_if_damaged,
)

if TYPE_CHECKING:
    import pyarrow

STAGED_FOLDER_VARIABLE = "WHERE_TO_LOOK_DATA"
SPLITS = ("train", "validation", "test")
FALLBACK_TRANSLATION = {"multi30k_en_fr": "opus_books_en_fr"}  # what the hub has in place of a set it lacks

SHARD_NAME = re.compile(
    r"(?:(?P<folder>.+)/)?(?P<split>[\w.]+?)(?:-\d{5}-of-(?P<shards>\d{5})(?:-[0-9a-f]{16})?)?\.parquet"
)
SPLIT_FOLDER = re.compile(r"(?P<folder>.+)/(?P<split>[\w.]+)/\d{4}\.parquet")  # how older sets of the hub name shards


@dataclass(frozen=True)
class RealSource:
    """Where a set of real data comes from and what it must contain.

    Args:
        name: Folder name in a pre-staged folder, and the key in `REAL_SOURCES`.
        hub_id: Data set on the hub, such as `"Helsinki-NLP/opus_books"`; None if the hub has none.
        hub_config: Folder of the configuration inside the data set; None for `data`.
        columns: Columns that must be there.
        licence: What one may do with it, in a phrase.
        credit: Who made it.
        splits: Splits the set itself has. Of a set with nothing but `train`, loaders of pairs make all three.
    """

    name: str
    hub_id: str | None
    hub_config: str | None
    columns: tuple[str, ...]
    licence: str
    credit: str
    splits: tuple[str, ...] = SPLITS


REAL_SOURCES = {
    source.name: source
    for source in (
        RealSource(
            name="multi30k_en_fr",
            hub_id=None,
            hub_config=None,
            columns=("translation",),
            licence="none stated by its authors; for research and education",
            credit="Multi30k task 1 (Elliott et al. 2016, 2017); English captions from Flickr30k (Young et al. 2014)",
        ),
        RealSource(
            name="opus_books_en_fr",
            hub_id="Helsinki-NLP/opus_books",
            hub_config="en-fr",
            columns=("translation",),
            licence="'other' on its hub page, which gives the terms; the books themselves are free of copyright",
            credit="OPUS Books (Tiedemann 2012), books aligned by Andras Farkas",
            splits=("train",),
        ),
        RealSource(
            name="opus100_en_fr",
            hub_id="Helsinki-NLP/opus-100",
            hub_config="en-fr",
            columns=("translation",),
            licence="that of the corpora it was drawn from; none stated for the whole",
            credit="OPUS-100 (Zhang et al. 2020), drawn from OPUS (Tiedemann 2012)",
        ),
        RealSource(
            name="mnist",
            hub_id="ylecun/mnist",
            hub_config="mnist",
            columns=("image", "label"),
            licence="CC BY-SA 3.0 as most say; its authors state none",
            credit="MNIST (LeCun, Cortes, Burges 1998)",
            splits=("train", "test"),
        ),
        RealSource(
            name="svhn_layouts",
            hub_id=None,
            hub_config=None,
            columns=("digits",),
            licence="non-commercial use",
            credit="where the digits are in SVHN's photographs (Netzer et al. 2011)",
            splits=("train", "test"),
        ),
        RealSource(
            name="tuxpaint_stamps",
            hub_id=None,
            hub_config=None,
            columns=("image", "caption"),
            licence="GPL-2",
            credit="stamps of Tux Paint, with the names its artists gave them",
            splits=("train", "test"),
        ),
        RealSource(
            name="coco_tiny_captions",
            hub_id=None,
            hub_config=None,
            columns=("image", "caption_0", "objects"),
            licence="annotations CC BY 4.0; each photograph has its own licence",
            credit="100 photographs of COCO 2017 (Lin et al. 2014) with captions and boxes",
            splits=("train", "validation"),
        ),
        RealSource(
            name="flickr8k",
            hub_id="jxie/flickr8k",
            hub_config=None,
            columns=("image", "caption_0"),
            licence="none stated by its authors; for research and education",
            credit="Flickr8k (Hodosh, Young, Hockenmaier 2013)",
        ),
        RealSource(
            name="snli",
            hub_id="stanfordnlp/snli",
            hub_config="plain_text",
            columns=("premise", "hypothesis", "label"),
            licence="CC BY-SA 4.0",
            credit="SNLI (Bowman et al. 2015), on captions from Flickr30k (Young et al. 2014)",
        ),
        RealSource(
            name="snli_dev",
            hub_id=None,
            hub_config=None,
            columns=("premise", "hypothesis", "label"),
            licence="CC BY-SA 4.0",
            credit="development pairs of SNLI (Bowman et al. 2015) from e-SNLI (Camburu et al. 2018)",
            splits=("validation",),
        ),
        RealSource(
            name="fsdd",
            hub_id=None,
            hub_config=None,
            columns=("audio", "text", "speaker"),
            licence="CC BY-SA 4.0",
            credit="Free Spoken Digit Dataset (Jackson and others 2016 to 2020), six speakers",
            splits=("train", "test"),
        ),
        RealSource(
            name="asterisk_prompts_en",
            hub_id=None,
            hub_config=None,
            columns=("audio", "text"),
            licence="CC BY-SA 3.0",
            credit="telephone prompts of Asterisk, read by Allison Smith, with times found by a machine",
            splits=("train", "test"),
        ),
        RealSource(
            name="librivox_sample",
            hub_id=None,
            hub_config=None,
            columns=("audio", "text"),
            licence="public domain",
            credit="five sentences of Sense and Sensibility, read for LibriVox",
            splits=("test",),
        ),
        RealSource(  # its splits for training have 6 GB and more; these two have one file each, of 340 MB
            name="librispeech",
            hub_id="openslr/librispeech_asr",
            hub_config="clean",
            columns=("audio", "text"),
            licence="CC BY 4.0",
            credit="LibriSpeech (Panayotov et al. 2015), read for LibriVox",
            splits=("validation", "test"),
        ),
        RealSource(
            name="debian_synopsis",
            hub_id=None,
            hub_config=None,
            columns=("document", "summary"),
            licence="each description that of its package, free by Debian's guidelines, mostly GPL",
            credit="descriptions and synopses of the packages of Debian 12, by their maintainers",
        ),
        RealSource(
            name="cnn_dailymail",
            hub_id="abisee/cnn_dailymail",
            hub_config="3.0.0",
            columns=("article", "highlights"),
            licence="Apache 2.0 on its hub page; the articles belong to CNN and the Daily Mail",
            credit="CNN / Daily Mail (Hermann et al. 2015, See et al. 2017)",
        ),
        RealSource(
            name="xsum",
            hub_id="knkarthick/xsum",
            hub_config=None,
            columns=("document", "summary"),
            licence="none stated by its authors; the articles belong to the BBC",
            credit="XSum (Narayan et al. 2018)",
        ),
    )
}


def staged_folder() -> Path | None:
    """Return the folder of pre-staged data that `WHERE_TO_LOOK_DATA` names, or None where it is not set.

    Raises:
        RealDataNotFoundError: it is set, but not to a folder.
    """
    value = os.environ.get(STAGED_FOLDER_VARIABLE, "").strip()
    if not value:
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise RealDataNotFoundError(
            f"{STAGED_FOLDER_VARIABLE} is {value!r}, which is not a folder. Set it to the folder that holds one "
            f"folder per data set (such as multi30k_en_fr/), or unset it to use the hub."
        )
    return folder


def load_real(name: str, split: str = "train", columns: Iterable[str] | None = None) -> pyarrow.Table:
    """Load one split of a set of real data, from the pre-staged folder if it is there, else from the hub.

    Args:
        name: Key of `REAL_SOURCES`.
        split: Name of the split, as in the file names.
        columns: Columns to read; None reads all of them.

    Returns:
        A table with at least one row and at least the columns that were asked for.

    Raises:
        RealDataNotFoundError: no such set, folder or split.
        HubUnreachableError: it is not staged and not cached, and the hub does not answer.
        DownloadError: the download failed, was not what the hub promised, or did not fit on the disk.
        DataFormatError: a file is not parquet, lacks columns or has no rows.
    """
    source = _source(name)
    paths = _staged_paths(source, split) if _is_staged(source) else _hub_paths(source, split)
    return _read(paths, source, None if columns is None else list(columns))


def load_translation_pairs(
    name: str = "multi30k_en_fr", split: str = "train", source_language: str = "fr", target_language: str = "en"
) -> list[tuple[str, str]]:
    """Load sentence pairs from a set with a `translation` column.

    Where `name` is on no hub and is not staged, the hub's nearest set takes its place and a warning says so. A set
    that has only a `train` split is divided 90 : 5 : 5 by a hash of the source sentence, the same on every machine;
    equal source sentences stay on one side. Pairs with an empty side are left out.

    Args:
        name: Key of `REAL_SOURCES`.
        split: `"train"`, `"validation"` or `"test"`.
        source_language: Language code of the first of each pair.
        target_language: Language code of the second.

    Returns:
        Pairs `(source sentence, target sentence)` in the order of the file.

    Raises:
        RealDataError: as `load_real`; `DataFormatError` also where a language is missing.
    """
    source = _source(name)
    if source.hub_id is None and name in FALLBACK_TRANSLATION and not _is_staged(source):
        source = REAL_SOURCES[FALLBACK_TRANSLATION[name]]
        warnings.warn(
            f"{name} is not on the hub and {STAGED_FOLDER_VARIABLE} names no folder that holds it: using "
            f"{source.name} ({source.credit}) instead. Figures stored for {name} do not apply to it.",
            stacklevel=2,
        )
    divide = source.splits == ("train",)
    if divide and split not in SPLITS:
        raise _no_such_split(source, split, SPLITS)
    table = load_real(source.name, "train" if divide else split, columns=["translation"])
    pairs = _pairs(table, source, source_language, target_language)
    return [pair for pair in pairs if _hashed_split(pair[0]) == split] if divide else pairs


def _source(name: str) -> RealSource:
    if name not in REAL_SOURCES:
        raise RealDataNotFoundError(f"no real data set is called {name!r}; there are {', '.join(REAL_SOURCES)}.")
    return REAL_SOURCES[name]


def _is_staged(source: RealSource) -> bool:
    folder = staged_folder()
    return folder is not None and (folder / source.name).is_dir()


def _staged_paths(source: RealSource, split: str) -> list[Path]:
    folder = staged_folder() / source.name
    shards = _shards_by_split((path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")), "data")
    if not shards:
        raise RealDataNotFoundError(
            f"{folder} holds no parquet file; expected {folder / 'data'}/{split}-00000-of-00001.parquet."
        )
    if split not in shards:
        raise _no_such_split(source, split, shards)
    if not _is_complete(shards[split]):
        raise RealDataNotFoundError(
            f"{folder} lacks a part of {split!r}: it holds {', '.join(shards[split])}. Copy the missing files."
        )
    return [folder / name for name in shards[split]]


def _hub_paths(source: RealSource, split: str) -> list[Path]:
    if source.hub_id is None:
        raise RealDataNotFoundError(
            f"{source.name} is not on the hub. Set {STAGED_FOLDER_VARIABLE} to a folder that holds {source.name}/, "
            f"or keep SOURCE = 'default'."
        )
    folder = source.hub_config or "data"
    cached = cached_files(source.hub_id)
    names = _shards_by_split(cached, folder).get(split, [])
    damaged = [name for name in names if remove_if_damaged(cached[name])]
    if names and _is_complete(names) and not damaged:
        return [cached[name] for name in names]
    try:
        files = {file.path: file for file in list_hub_files(source.hub_id)}
        shards = _shards_by_split(files, folder)
        if not shards:
            raise DataFormatError(
                f"{source.hub_id} holds no parquet under {folder}/; sets that a script produces do not load."
            )
        if split not in shards:
            raise _no_such_split(source, split, shards)
        return [download(files[name]) for name in shards[split]]
    except HubUnreachableError as error:
        raise HubUnreachableError(
            f"{error}. Real data needs the hub once: try again with a network, set {STAGED_FOLDER_VARIABLE} to a "
            f"folder that holds {source.name}/, or keep SOURCE = 'default'."
        ) from error


def _shards_by_split(names: Iterable[str], folder: str) -> dict[str, list[str]]:
    """Group the parquet files directly under `folder` by the split in their name, shards in order."""
    shards: dict[str, list[str]] = {}
    for name in sorted(names):
        match = SPLIT_FOLDER.fullmatch(name) or SHARD_NAME.fullmatch(name)
        if match and match["folder"] == folder:
            shards.setdefault(match["split"], []).append(name)
    return shards


def _is_complete(names: list[str]) -> bool:
    return len(names) == int(SHARD_NAME.fullmatch(names[0])["shards"] or 1)


def _read(paths: list[Path], source: RealSource, columns: list[str] | None) -> pyarrow.Table:
    """Read shards into one table and check that it is what the lesson expects."""
    import pyarrow
    from pyarrow import parquet

    required = list(dict.fromkeys([*source.columns, *(columns or ())]))
    tables = []
    for path in paths:
        try:
            with parquet.ParquetFile(path) as file:
                found = file.schema_arrow.names
                if missing := [column for column in required if column not in found]:
                    raise DataFormatError(
                        f"{path} lacks the columns {missing} that {source.name} needs; it has {found}. It is another "
                        f"data set or another version of it."
                    )
                tables.append(file.read(columns))
        except (pyarrow.ArrowException, OSError) as error:
            raise DataFormatError(
                f"{path} cannot be read as parquet ({str(error).splitlines()[0]}). Copy or download it again."
            ) from error
    try:
        table = pyarrow.concat_tables(tables)
    except pyarrow.ArrowInvalid as error:
        raise DataFormatError(f"the parts of {source.name} do not have the same columns: {paths}.") from error
    if table.num_rows == 0:
        raise DataFormatError(f"{source.name} has no rows in {', '.join(map(str, paths))}. Copy or download it again.")
    return table


def _pairs(
    table: pyarrow.Table, source: RealSource, source_language: str, target_language: str
) -> list[tuple[str, str]]:
    import pyarrow

    column_type = table.schema.field("translation").type
    languages = [field.name for field in column_type] if pyarrow.types.is_struct(column_type) else []
    if missing := [language for language in (source_language, target_language) if language not in languages]:
        raise DataFormatError(
            f"the translation column of {source.name} has no {', '.join(missing)}; it has "
            f"{', '.join(languages) or column_type}."
        )
    translations = table["translation"].combine_chunks()
    sides = zip(
        translations.field(source_language).to_pylist(), translations.field(target_language).to_pylist(), strict=True
    )
    return [(first, second) for first, second in sides if (first or "").strip() and (second or "").strip()]


def _hashed_split(sentence: str) -> str:
    """Put a sentence into train (90 of 100), validation (5) or test (5) by a hash that ignores case and spacing."""
    text = " ".join(unicodedata.normalize("NFC", sentence).casefold().split())
    percent = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % 100
    return "train" if percent < 90 else "validation" if percent < 95 else "test"


def _no_such_split(source: RealSource, split: str, available: Iterable[str]) -> RealDataNotFoundError:
    return RealDataNotFoundError(f"{source.name} has no split {split!r}; it has {', '.join(available)}.")
