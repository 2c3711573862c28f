"""One's own data: tables, folders of images, folders of recordings, read, checked and divided; see docs/own_data.md.

splits = load_own("my/pairs.csv", "pairs", make=lambda source, target: (source.split(), target.split()))
splits["train"][0]                  # (["deux", "chats"], ["two", "cats"])

A file is a table. A folder holds tables, or text files whose lines belong together, or a table `metadata` beside the
images or recordings that it names: the library's `imagefolder` and `audiofolder`. A row that cannot be used is left out
and listed by number; it never stops the others. The library's readers of CSV and JSON would stop there, and of the two
folders, too. So it reads lines and parquet, and Python's `csv` and `json` take the lines apart.
"""

import csv
import glob
import hashlib
import json
import re
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from course_utils.data.normalise import normalise
from course_utils.data.real_errors import RealDataError, explained
from course_utils.data.real_sets import SPLITS
from course_utils.data.text import Vocabulary

FEWEST_ROWS = 5  # fewer cannot be divided
ENOUGH_ROWS = 1000  # with fewer a warning says that little can be learned
MOST_WORDS = 20_000  # in a vocabulary; the rarest are left out
MOST_LISTED = 10  # reasons, rows for each of them, names
TABLES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
SPLIT_NAMES = {split: split for split in SPLITS} | dict.fromkeys(("valid", "val", "dev"), "validation")
"""Words in the name of a file or its folder, and the split that it then holds."""


class OwnDataError(ValueError):
    """One's own data cannot be used; the message says what was found, what was expected and what to do."""


@dataclass(frozen=True)
class Column:
    """What a column must hold."""

    names: tuple[str, ...]  # that it may have
    longest: int | None = None  # most words of a text
    values: tuple[str, ...] = ()  # the only ones allowed; a whole number is the place of one
    file: bool = False  # it names a file, seen from the folder of the table


_FILE = Column(("file_name", "path"), file=True)
COLUMNS: dict[str, dict[str, Column]] = {
    "pairs": {"source": Column(("source", "fr", "french"), 60), "target": Column(("target", "en", "english"), 60)},
    "images": {"file": _FILE, "caption": Column(("caption", "text"), 60)},
    "inferences": {
        "premise": Column(("premise", "sentence1"), 100),
        "hypothesis": Column(("hypothesis", "sentence2"), 60),
        "label": Column(("label", "gold_label"), values=("entailment", "neutral", "contradiction")),
    },
    "recordings": {"file": _FILE, "transcript": Column(("transcript", "transcription", "text", "sentence"), 40)},
    "summaries": {
        "text": Column(("text", "document", "article")),
        "summary": Column(("summary", "headline", "highlights", "title"), 25),
    },
}
"""The columns of each kind of data; the first one decides the split of a row."""


def load_own(
    source: str | Path, kind: str, make: Callable[..., Any], names: Sequence[str] = ("default", "real")
) -> dict[str, list]:
    """Read, check and divide one's own data; warn of what is left out, and of too little to learn from.

    Args:
        source: what `SOURCE` says: the path of a file or a folder.
        kind: key of `COLUMNS`.
        make: makes an example, from a text or the path of a file for each column by its name. It refuses a row by a
            `ValueError` or a `RealDataError`, whose text is the reason.
        names: what else `SOURCE` may be, for the error.

    Returns:
        Examples of "train", "validation" and "test", at least one each. A split that no file or folder is named after
        is a tenth of train, by a hash of the first column: the same rows on every machine, also when others are added.

    Raises:
        OwnDataError: if there is no such path, no table, no such column, or too little that can be used.
        DataFormatError: if a file is damaged.
    """
    path, columns = _existing(source, names), COLUMNS[kind]
    rows: dict[str, list[tuple[str, Any]]] = {split: [] for split in SPLITS}
    problems: dict[str, list[str]] = defaultdict(list)
    for split, files in _tables(path, columns):
        for number, row in _rows(files, columns):
            try:
                values = {name: _checked(row, name, column, files[0].parent) for name, column in columns.items()}
                rows[split].append((str(row[next(iter(columns))]), make(**values)))
            except (ValueError, OSError, RealDataError) as problem:
                where = "" if path.is_file() else f" of {files[0].relative_to(path).as_posix()}"
                problems[str(problem).rstrip(".")].append(f"{number}{where}")
    keys = [key for found in rows.values() for key, _ in found]
    report = _report(problems, len(keys))
    if len(set(keys)) < FEWEST_ROWS or not rows["train"]:
        raise OwnDataError(
            f"{source}: {len(keys)} rows can be used, {len(set(keys))} without repetitions; expected at least "
            f"{FEWEST_ROWS}, also for training, and {ENOUGH_ROWS} to learn something. Add rows. {report}".rstrip()
        )
    few = f"{len(keys)} rows show that everything runs, but little can be learned from fewer than {ENOUGH_ROWS}."
    for problem in filter(None, (report, few if len(keys) < ENOUGH_ROWS else "")):
        warnings.warn(f"{source}: {problem}", stacklevel=3)
    return _divided(rows)


def own_vocabulary(source: str | Path, sentences: Iterable[Sequence[str]]) -> Vocabulary:
    """Collect the words of training sentences, and warn if there are more than `MOST_WORDS`.

    Of `ENOUGH_ROWS` sentences or more, words that occur once are unknown, so that `<unk>` is met in training.
    """
    sentences = list(sentences)
    if (count := len(set().union(*sentences))) > MOST_WORDS:
        many = f"{count} different words are too many for a small model; the {MOST_WORDS} most frequent are kept"
        warnings.warn(f"{source}: {many}, the others become <unk>. Texts about one subject have fewer.", stacklevel=3)
    return Vocabulary.from_sentences(sentences, 2 if len(sentences) >= ENOUGH_ROWS else 1, MOST_WORDS)


def _existing(source: str | Path, names: Sequence[str]) -> Path:
    name = str(source).strip()
    path = Path(name).expanduser()
    if name and path.exists():
        return path
    beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    guess = next(iter(get_close_matches(name, names, 1) or get_close_matches(path.name, beside, 1)), None)
    raise OwnDataError(
        f"SOURCE is {name!r}; expected {', '.join(map(repr, names))}, or the path of a file or folder of your own. "
        f"There is none at {path.absolute()}." + (f" Did you mean {guess!r}?" if guess else "")
    )


def _tables(path: Path, columns: Mapping[str, Column]) -> list[tuple[str, list[Path]]]:
    """The split and the files of each table: one, or a text file for each column."""
    inside = [path]
    if path.is_dir():
        found = sorted([*path.glob("*"), *path.glob("*/*")])
        inside = [file for file in found if file.is_file() and "/." not in f"/{file.relative_to(path).as_posix()}"]
    media = any(column.file for column in columns.values())
    tables, sides = [], defaultdict(dict)
    for file in inside:
        words = re.split("[^a-z]+", file.relative_to(path).as_posix().lower())
        split = next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), "train")
        if file.suffix.lower() in TABLES and (not media or file.stem.lower() == "metadata"):
            tables.append((split, [file]))
        elif name := next((name for name, column in columns.items() if _side(file) in column.names), None):
            sides[split][name] = file
    texts = [(split, list(files.values())) for split, files in sides.items()]
    if not tables and (not texts or any(len(files) < len(columns) for _, files in texts)):
        named = [column.names[0] for column in columns.values()]
        lines = " and ".join(f"{name}.txt" for name in named)
        form = "metadata.csv or metadata.jsonl beside the files" if media else f"{', '.join(TABLES)}, or {lines}"
        raise OwnDataError(
            f"{path} holds {_some(file.name for file in inside)}; expected a table with the columns "
            f"{', '.join(named)}: {form}. See docs/own_data.md."
        )
    return tables or texts


def _side(file: Path) -> str:
    """What a text file holds: "fr" for train.fr, fr.txt and train.fr.txt."""
    return file.name.lower().removesuffix(".txt").split(".")[-1]


def _rows(files: Sequence[Path], columns: Mapping[str, Column]) -> list[tuple[int, dict[str, Any]]]:
    """Numbers (of lines, where there are lines) and values of rows; under None what is wrong with the whole row."""
    rows = _read(files[0]) if len(files) == 1 else _side_by_side(files)
    there = {str(key).strip().lower(): key for _, row in rows for key in row if key}
    keys: dict[str | None, str | None] = {None: None}
    for name, column in columns.items():
        keys[name] = next((there[one] for one in column.names if one in there), None)
        if there and keys[name] is None:
            raise OwnDataError(
                f"{files[0]} has the columns {_some(map(str, there.values()))}; expected one named "
                f"{' or '.join(column.names)}. The first line of a CSV or TSV file names the columns."
            )
    return [(number, {name: row.get(key) for name, key in keys.items()}) for number, row in rows]


def _side_by_side(files: Sequence[Path]) -> list[tuple[int, dict[str, Any]]]:
    sides = [_lines(file) for file in files]
    if len(set(map(len, sides))) > 1:
        lengths = ", ".join(f"{file.name} has {len(side)}" for file, side in zip(files, sides, strict=True))
        raise OwnDataError(
            f"{files[0].parent}: the text files have different numbers of lines ({lengths}), so nobody knows which of "
            "them belong together. Leave an empty line where there is nothing."
        )
    names = [_side(file) for file in files]
    return [(number, dict(zip(names, row, strict=True))) for number, row in enumerate(zip(*sides, strict=True), 1)]


def _read(file: Path) -> list[tuple[int, dict[str, Any]]]:
    if file.suffix.lower() == ".parquet":
        return list(enumerate(_load("parquet", file), 1))
    lines = _lines(file)
    if file.suffix.lower() in (".json", ".jsonl"):
        return [(number, _json_object(line)) for number, line in enumerate(lines, 1) if line.strip()]
    delimiter = max("\t,;", key=lines[0].count) if lines else ","
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    reader = csv.DictReader(lines, delimiter=delimiter, quoting=quoting)
    surplus = f"it has more fields than the first line; put a text that holds {delimiter!r} in quotation marks"
    try:
        return [(reader.line_num, row | ({None: surplus} if None in row else {})) for row in reader]
    except csv.Error as error:
        raise OwnDataError(f"{file}, line {reader.line_num}: {error}. Is a quotation mark never closed?") from error


def _json_object(line: str) -> dict[str, Any]:
    with suppress(ValueError):
        if isinstance(found := json.loads(line), dict):
            return found
    return {None: "it is not a JSON object on one line"}


def _lines(file: Path) -> list[str]:
    options = {"encoding": "utf-8-sig", "encoding_errors": "replace", "keep_linebreaks": True}
    return [row["text"] for row in _load("text", file, **options)] if file.stat().st_size else []


def _load(kind: str, file: Path, **options: Any) -> list[dict[str, Any]]:
    """The rows of a file, of which no copy stays on the disk."""
    import datasets

    with explained(file.name, str(file.parent)), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        places = {"data_files": glob.escape(str(file)), "cache_dir": folder, "keep_in_memory": True}
        return datasets.load_dataset(kind, split="train", **places, **options).to_list()


def _checked(row: Mapping[str, Any], name: str, column: Column, folder: Path) -> str | Path:
    """The normalised text of a row, or the path of a file; a ValueError says what is wrong with it."""
    value, said = row[name] or "", column.names[0]
    if column.values and isinstance(row[name], int):
        value = str(dict(enumerate(column.values)).get(row[name], row[name]))
    if row[None]:
        raise ValueError(row[None])
    if not isinstance(value, str):
        raise ValueError(f"{said} is not text but {value!r:.40}")
    if "\ufffd" in value or "\0" in value:
        raise ValueError(f"{said} is not text in UTF-8")
    text = normalise(value)
    if not text:
        raise ValueError(f"{said} is empty")
    if column.file and not (folder / value.strip()).is_file():
        raise ValueError(f"there is no file {value.strip()!r}")
    if column.values and text.lower() not in column.values:
        raise ValueError(f"{said} is {text!r:.40}; expected {', '.join(column.values)}")
    if column.longest and len(text.split()) > column.longest:
        raise ValueError(f"{said} has more than {column.longest} words")
    return folder / value.strip() if column.file else text.lower() if column.values else text


def _report(problems: Mapping[str, Sequence[str]], count: int) -> str:
    """What is left out, and why; "" if nothing is."""
    if not problems:
        return ""
    bad = sum(map(len, problems.values()))
    reasons = [f"{reason} (row {_some(numbers)})" for reason, numbers in problems.items()]
    return f"{bad} of {bad + count} rows are left out: {_some(reasons, '; ')}. Repair them, or go on without."


def _some(words: Iterable[str], mark: str = ", ") -> str:
    words = list(words)
    more = [f"and {len(words) - MOST_LISTED} more"] if len(words) > MOST_LISTED else []
    return mark.join([*words[:MOST_LISTED], *more]) or "nothing"


def _divided(rows: Mapping[str, list[tuple[str, Any]]]) -> dict[str, list]:
    missing = {number: split for number, split in enumerate(SPLITS) if not rows[split]}
    places = {key: missing.get(_hash(key) % 10, "train") for key, _ in rows["train"]}
    for split in missing.values():
        if split not in places.values():  # a tenth of few rows may be none
            places[min((key for key, place in places.items() if place == "train"), key=_hash)] = split
    splits = {split: [example for _, example in rows[split]] for split in SPLITS} | {"train": []}
    for key, example in rows["train"]:
        splits[places[key]].append(example)
    return splits


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.sha256(" ".join(key.casefold().split()).encode()).digest()[:8])
