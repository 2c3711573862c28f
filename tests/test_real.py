"""Real data: from a staged folder, from a hub and from public files, whole and damaged. Nothing needs the internet."""

from __future__ import annotations

import errno
import fnmatch
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pyarrow
import pytest
from misbehaving_server import MisbehavingHub
from pyarrow import parquet

from course_utils.data.canvases.digits import load_digit_images
from course_utils.data.phrases.parallel import hashed_split, load_translation_pairs
from course_utils.data.real import load_real, staged_folder
from course_utils.data.real_errors import (
    DataFormatError,
    DownloadError,
    HubUnreachableError,
    RealDataNotFoundError,
    explained,
)
from course_utils.data.real_sets import COLUMNS, REAL_SOURCES, SPLITS
from tools import data_card

ROOT = Path(__file__).resolve().parent.parent
STAGED = Path(os.environ.get("WHERE_TO_LOOK_DATA") or ROOT.parent / "shared" / "datasets")
PAIRS = [(f"phrase numéro {number}", f"sentence number {number}") for number in range(400)]


def translation_table(pairs=PAIRS) -> pyarrow.Table:
    return pyarrow.table(
        {"id": [str(number) for number in range(len(pairs))], "translation": [{"en": e, "fr": f} for f, e in pairs]}
    )


def snli_table(**columns) -> pyarrow.Table:
    rows = {"premise": ["a man", "a dog"], "hypothesis": ["a person", "a cat"], "label": [0, 2]}
    return pyarrow.table(rows | columns)


def as_parquet(table: pyarrow.Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="none", use_dictionary=False)
    return sink.getvalue()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """No staged folder, and a cache of the test's own."""
    monkeypatch.delenv("WHERE_TO_LOOK_DATA", raising=False)
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path / "cache"))


# ---- a hub on this machine


class Loader:
    """Loads sets in another process from the hub `server`; its caches are the folder `home`."""

    def __init__(self, home: Path, server: MisbehavingHub):
        self.home, self.server = home, server
        environment = os.environ | {
            "HF_ENDPOINT": server.endpoint, "HF_HOME": str(home / "hf"), "WHERE_TO_LOOK_CACHE": str(home / "cache"),
            "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "HF_HUB_DISABLE_TELEMETRY": "1",
        }  # fmt: skip
        for name in ("WHERE_TO_LOOK_DATA", "HF_TOKEN", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_HUB_OFFLINE"):
            environment.pop(name, None)
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "real_data_child.py")],
            cwd=ROOT, env=environment | {"PYTHONPATH": str(ROOT)},
            stdin=-1, stdout=-1, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def ask(self, name: str, split: str = "train", **source) -> dict:
        self._process.stdin.write(json.dumps({"name": name, "split": split, "source": source}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def forget(self) -> None:
        for folder in ("hf", "cache"):
            shutil.rmtree(self.home / folder, ignore_errors=True)

    def end(self) -> None:
        self._process.stdin.close()
        self._process.wait(20)


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with MisbehavingHub() as server:
        loader = Loader(tmp_path_factory.mktemp("home"), server)
        yield loader
        loader.end()


@pytest.fixture
def loader(started):
    started.forget()
    started.server.behave()
    started.server.files = {
        "stanfordnlp/snli/README.md": b"# SNLI",
        "stanfordnlp/snli/plain_text/train-00000-of-00001.parquet": as_parquet(snli_table()),
        "stanfordnlp/snli/plain_text/test-00000-of-00001.parquet": as_parquet(snli_table(premise=["one", "two"])),
    }
    for name, texts in {"test-00000-of-00002": "ab", "test-00001-of-00002": "cd", "train-00000-of-00001": "ef"}.items():
        table = pyarrow.table({"document": [texts[0]], "summary": [texts[1]]})
        started.server.files[f"EdinburghNLP/xsum/data/{name}.parquet"] = as_parquet(table)
    return started


def test_one_split_is_fetched_once_at_the_pinned_revision(loader):
    expected = snli_table(premise=["one", "two"]).to_pylist()
    assert loader.ask("snli", "test") == {"rows": expected}
    fetched = [request for request in loader.server.requests if request.startswith("GET") and ".parquet" in request]
    assert len(fetched) == 1 and REAL_SOURCES["snli"].hub.revision in fetched[0]
    requests = len(loader.server.requests)
    assert loader.ask("snli", "test") == {"rows": expected}
    assert len(loader.server.requests) == requests, "what is cached needs no network"


def test_a_cached_set_without_a_pinned_revision_survives_an_outage(loader):
    rows = [{"document": "a", "summary": "b"}, {"document": "c", "summary": "d"}]
    assert loader.ask("xsum", "test") == {"rows": rows}
    loader.server.status = 503
    assert loader.ask("xsum", "test") == {"rows": rows}
    assert loader.ask("xsum", "train")["error"] == "HubUnreachableError"


@pytest.mark.parametrize("where", ["status", "content_status"])
@pytest.mark.parametrize(
    ("status", "error", "advice"),
    [
        (401, "DownloadError", "HF_TOKEN"),
        (403, "DownloadError", "terms have to be accepted.*HF_TOKEN"),
        (404, "DownloadError", "may have been removed"),
        (407, "HubUnreachableError", "proxy.*HTTPS_PROXY"),
        (429, "DownloadError", "Wait some minutes"),
        (500, "HubUnreachableError", "outage.*later"),
    ],
)
def test_a_hub_that_refuses(loader, where, status, error, advice):
    setattr(loader.server, where, status)
    answer = loader.ask("snli", "test")
    assert answer["error"] == error, answer
    for pattern in (advice, "WHERE_TO_LOOK_DATA to a folder that holds snli/", "SOURCE = 'default'"):
        assert re.search(pattern, answer["message"]), answer


def test_a_log_in_page_or_a_cut_line_in_between_is_recognised_and_the_next_attempt_loads(loader):
    for fault, told in (("login_page", "log-in page"), ("cut", "could not reach")):
        setattr(loader.server, fault, True)
        answer = loader.ask("snli", "test")
        assert answer["error"] == "HubUnreachableError" and told in answer["message"]
        setattr(loader.server, fault, False)
    assert len(loader.ask("snli", "test")["rows"]) == 2


def test_no_network(loader):
    gone = loader.ask("multi30k_en_fr", "test", address="http://127.0.0.1:9/public/")
    assert gone["error"] == "HubUnreachableError"
    assert "needs the network once" in gone["message"] and "SOURCE = 'default'" in gone["message"]


def test_a_hub_set_that_was_rearranged_or_is_another_one(loader):
    answer = loader.ask("snli", "test", hub=["stanfordnlp/snli", "other/{split}-*.parquet"])
    assert answer["error"] == "DataFormatError" and "rearranged" in answer["message"]
    other = as_parquet(snli_table(label=["0", "2"]))
    loader.server.files["stanfordnlp/snli/plain_text/train-00000-of-00001.parquet"] = other
    loader.forget()
    answer = loader.ask("snli", "train")
    assert answer["error"] == "DataFormatError"
    assert "train-00000-of-00001.parquet, column 'label': it holds string; expected integer" in answer["message"]


def test_a_split_in_a_folder_of_numbered_files(loader):
    for text, path in {"a": "clean/test/0000", "b": "clean/test/0001", "c": "other/test/0000"}.items():
        table = pyarrow.table({"audio": [{"bytes": b"no sound", "path": "a.wav"}], "text": [text]})
        loader.server.files[f"openslr/librispeech_asr/{path}.parquet"] = as_parquet(table)
    assert [row["text"] for row in loader.ask("librispeech", "test")["rows"]] == ["a", "b"]


def test_a_split_that_the_hub_does_not_have(loader):
    message = "librispeech has no split 'train'; it has validation, test."
    assert loader.ask("librispeech", "train") == {"error": "RealDataNotFoundError", "message": message}
    assert loader.server.requests == []


def test_a_full_disk(loader):
    (loader.home / "hf").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(loader.home / "hf")]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of a given size can be mounted only by an administrator on Linux")
    try:
        large = snli_table(premise=["a" * 40_000, "b"])
        loader.server.files["stanfordnlp/snli/plain_text/test-00000-of-00001.parquet"] = as_parquet(large)
        answer = loader.ask("snli", "test")
    finally:
        subprocess.run(["umount", str(loader.home / "hf")], check=True)
    assert answer["error"] == "DownloadError" and "the disk is full" in answer["message"], answer
    assert "HF_HOME" in answer["message"]


def test_offline_mode_of_the_hub_library_holds_for_every_place(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ("snli", "multi30k_en_fr"):
        with pytest.raises(HubUnreachableError, match="HF_HUB_OFFLINE.*WHERE_TO_LOOK_DATA"):
            load_real(name, "test")


# ---- public files with a pinned sha256


def publish(server: MisbehavingHub, **sides: list[str]) -> dict:
    """Let the hub serve a file of lines per language; returns where the set is then, and its checksums."""
    sides = dict(zip(("fr", "en"), map(list, zip(*PAIRS, strict=True)), strict=True)) | sides
    files = {f"test.{side}.gz": gzip.compress("\n".join([*lines, ""]).encode()) for side, lines in sides.items()}
    server.files = {f"public/{name}": content for name, content in files.items()}
    hashes = {name.removesuffix(".gz"): (name, hashlib.sha256(content).hexdigest()) for name, content in files.items()}
    return {"address": f"{server.endpoint}/public/", "sha256": hashes}


def test_multi30k_comes_from_its_public_files_once(loader):
    place = publish(loader.server)
    expected = [{"translation": {"en": english, "fr": french}} for french, english in PAIRS]
    assert loader.ask("multi30k_en_fr", "test", **place) == {"rows": expected}
    requests = len(loader.server.requests)
    assert loader.ask("multi30k_en_fr", "test", **place) == {"rows": expected}
    assert len(loader.server.requests) == requests == 2
    missing = loader.ask("multi30k_en_fr", "dev", **place)
    assert missing["message"] == "multi30k_en_fr has no split 'dev'; it has test."


@pytest.mark.parametrize(
    ("fault", "error", "advice"),
    [
        ({"corrupt": True}, "DownloadError", "arrived damaged.*nothing was stored"),
        ({"cut": True}, "DownloadError", "arrived damaged"),
        ({"status": 404}, "DownloadError", "may have been removed"),
        ({"status": 407}, "HubUnreachableError", "HTTPS_PROXY"),
        ({"status": 503}, "HubUnreachableError", "outage"),
        ({"login_page": True}, "DownloadError", "arrived damaged"),
    ],
)
def test_public_files_that_do_not_arrive(loader, fault, error, advice):
    place = publish(loader.server)
    for name, value in fault.items():
        setattr(loader.server, name, value)
    answer = loader.ask("multi30k_en_fr", "test", **place)
    assert answer["error"] == error and re.search(advice, answer["message"]), answer
    assert not [path for path in (loader.home / "cache").rglob("*") if path.is_file()]


def test_lines_that_do_not_belong_together(loader):
    answer = loader.ask("multi30k_en_fr", "test", **publish(loader.server, en=["one line"]))
    assert answer["error"] == "DataFormatError" and "has 1" in answer["message"] and "has 400" in answer["message"]


@pytest.mark.skipif(not (STAGED / "multi30k_raw").is_dir(), reason="no staged multi30k_raw: set WHERE_TO_LOOK_DATA")
@pytest.mark.parametrize("split", SPLITS)
def test_the_pinned_files_of_multi30k_hold_the_rows_of_the_staged_set(loader, monkeypatch, split):
    raw = STAGED / "multi30k_raw" / "data"
    names = [REAL_SOURCES["multi30k_en_fr"].sha256[f"{split}.{side}"][0] for side in ("en", "fr")]
    loader.server.files = {f"public/{name}": next(raw.rglob(name)).read_bytes() for name in names}
    answer = loader.ask("multi30k_en_fr", split, address=loader.server.endpoint + "/public/")
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    assert answer["rows"] == load_real("multi30k_en_fr", split, ["translation"]).to_list()


# ---- what an error of a library means


@pytest.mark.parametrize(
    ("error", "kind", "advice"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), DownloadError, "disk is full.*HF_HOME"),
        (PermissionError(errno.EACCES, "Permission denied"), DownloadError, "cannot be stored.*may write"),
        (urllib.error.URLError(OSError("Tunnel connection failed: 407 Proxy")), HubUnreachableError, "HTTPS_PROXY"),
        (urllib.error.URLError(ConnectionRefusedError("refused")), HubUnreachableError, "could not reach"),
        (TimeoutError("timed out"), HubUnreachableError, "could not reach"),
        (RuntimeError("Error downloading x:\nTried y, got:\nHTTP Error 403: Forbidden"), DownloadError, "403"),
        (RuntimeError("Error downloading x:\nTried y, got:\nFile not found or corrupted."), DownloadError, "damaged"),
        (EOFError("Compressed file ended before the end"), DataFormatError, "cannot be read.*again"),
        (ZeroDivisionError("not ours to explain"), ZeroDivisionError, "^not ours to explain$"),
    ],
)
def test_each_failure_says_what_to_do(error, kind, advice):
    with pytest.raises(kind, match=f"(?s){advice}"), explained("snli", "the hub"):
        raise error


# ---- a staged folder


def stage(folder: Path, monkeypatch, content, file="train-00000-of-00001.parquet", name="multi30k_en_fr") -> Path:
    path = folder / "staged" / name / "data" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else as_parquet(content))
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(folder / "staged"))
    return path


def test_rows_come_in_the_order_of_the_files(tmp_path, monkeypatch):
    for number, half in enumerate((PAIRS[:150], PAIRS[150:])):
        stage(tmp_path, monkeypatch, translation_table(half), f"train-0000{number}-of-00002.parquet")
    rows = load_real("multi30k_en_fr", columns=["translation"])
    assert rows.column_names == ["translation"]
    assert rows["translation"][:] == [{"en": english, "fr": french} for french, english in PAIRS]


def test_images_and_sounds_stay_encoded(tmp_path, monkeypatch):
    import datasets

    features = datasets.Features({"audio": datasets.Audio(), "text": datasets.Value("string")}).arrow_schema
    audio = {"bytes": b"no sound", "path": "a.wav"}
    table = pyarrow.table({"audio": [audio], "text": ["a"]}).cast(features).replace_schema_metadata(features.metadata)
    stage(tmp_path, monkeypatch, table, "test-00000-of-00001.parquet", "librivox_sample")
    assert load_real("librivox_sample", "test")[0] == {"audio": audio, "text": "a"}


@pytest.mark.parametrize(
    "names",
    [
        ("train-00000-of-00002", "train-00000-of-00003"),
        ("train-00001-of-00002", "train-00002-of-00002"),
        ("train-00000-of-00002", "train-00001-of-00003"),
        ("train", "train-00000-of-00001"),
        ("train-00000-of-00001-0123456789abcdef", "train-00000-of-00001-fedcba9876543210"),
    ],
)
def test_parts_of_two_versions_are_refused_by_name(tmp_path, monkeypatch, names):
    for name in names:
        stage(tmp_path, monkeypatch, translation_table(), f"{name}.parquet")
    with pytest.raises(DataFormatError, match="more than one version of 'train'") as caught:
        load_real("multi30k_en_fr")
    assert all(name in str(caught.value) for name in names)


def test_a_part_that_is_missing_or_has_other_columns(tmp_path, monkeypatch):
    stage(tmp_path, monkeypatch, translation_table(), "train-00000-of-00002.parquet")
    with pytest.raises(RealDataNotFoundError, match="lacks a part of 'train'.*of 2 files"):
        load_real("multi30k_en_fr")
    stage(tmp_path, monkeypatch, translation_table().drop_columns(["id"]), "train-00001-of-00002.parquet")
    with pytest.raises(DataFormatError, match=r"train-00001-of-00002.parquet lacks .* \['id'\].*parts beside it"):
        load_real("multi30k_en_fr")
    assert load_real("multi30k_en_fr", columns=["translation"]).num_rows == 2 * len(PAIRS)
    more = translation_table().append_column("source", pyarrow.array(["x"] * len(PAIRS)))
    stage(tmp_path, monkeypatch, more, "train-00001-of-00002.parquet")
    assert load_real("multi30k_en_fr").column_names == ["id", "translation"]


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [("premise", [1, 2], "int64"), ("premise", [b"a", b"b"], "binary"), ("label", ["a", "b"], "string")],
)
def test_a_column_of_another_type_is_named_with_its_file(tmp_path, monkeypatch, column, values, found):
    stage(tmp_path, monkeypatch, snli_table(), "train-00000-of-00002.parquet", "snli")
    path = stage(tmp_path, monkeypatch, snli_table(**{column: values}), "train-00001-of-00002.parquet", "snli")
    with pytest.raises(DataFormatError, match=re.escape(f"{path}, column {column!r}: it holds {found}; expected")):
        load_real("snli")


def test_a_translation_of_other_types_or_without_a_language_is_refused(tmp_path, monkeypatch):
    expected = "column 'translation'.*expected text per language"
    for row, message in (
        ({"en": 1, "fr": 2}, expected),
        ("text", expected),
        ({"en": "yes", "de": "ja"}, "no fr; it has"),
    ):
        stage(tmp_path, monkeypatch, pyarrow.table({"translation": [row]}))
        with pytest.raises(DataFormatError, match=message):
            load_translation_pairs()


def test_a_flipped_byte_in_a_text_is_found_with_file_column_and_row(tmp_path, monkeypatch):
    halves = as_parquet(translation_table(PAIRS[:150])), as_parquet(translation_table(PAIRS[150:]))
    stage(tmp_path, monkeypatch, halves[0], "train-00000-of-00002.parquet")
    assert halves[1].count(b"sentence number 151") == 1
    damaged = halves[1].replace(b"sentence number 151", b"sentence \xffumber 151")
    path = stage(tmp_path, monkeypatch, damaged, "train-00001-of-00002.parquet")
    with pytest.raises(DataFormatError, match="not UTF-8.*again") as caught:
        load_real("multi30k_en_fr")
    assert f"{path}, column 'translation', row 1:" in str(caught.value)


WHOLE = as_parquet(translation_table())


@pytest.mark.parametrize(
    "content",
    [b"", b"not parquet at all", WHOLE[: len(WHOLE) // 2], WHOLE[:4] + b"\xff" * 40 + WHOLE[44:]],
    ids=["empty", "not parquet", "half", "pages"],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch, content):
    path = stage(tmp_path, monkeypatch, content)
    with pytest.raises(DataFormatError, match=f"{re.escape(str(path))}.*cannot be read .*again"):
        load_real("multi30k_en_fr")
    assert path.read_bytes() == content, "a file of the user's was touched"


def test_tables_without_rows_or_columns_are_refused_with_the_columns_found(tmp_path, monkeypatch):
    path = stage(tmp_path, monkeypatch, translation_table().slice(0, 0))
    with pytest.raises(DataFormatError, match="no rows"):
        load_real("multi30k_en_fr")
    with pytest.raises(DataFormatError, match=r"lacks the columns \['image'\].*\['id', 'translation'\]"):
        load_real("multi30k_en_fr", columns=["image"])
    path.write_bytes(as_parquet(pyarrow.table({"id": ["1"], "text": ["x"]})))
    with pytest.raises(DataFormatError, match=r"\['translation'\].*\['id', 'text'\]"):
        load_real("multi30k_en_fr")


def test_a_file_that_was_replaced_is_read_anew(tmp_path, monkeypatch):
    stage(tmp_path, monkeypatch, translation_table([("oui", "yes")]))
    assert load_translation_pairs() == [("oui", "yes")]
    path = stage(tmp_path, monkeypatch, translation_table([("non", "no")]))
    os.utime(path, (1, 1))
    assert load_translation_pairs() == [("non", "no")]


def test_the_staged_folder_is_read_in_one_way(tmp_path, monkeypatch):
    assert staged_folder() is None
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", " ")
    assert staged_folder() is None
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "sets").mkdir()
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", "~/sets ")
    assert staged_folder() == tmp_path / "sets"
    for value in (str(tmp_path / "nowhere"), "~nobody-of-this-name/sets"):
        monkeypatch.setenv("WHERE_TO_LOOK_DATA", value)
        with pytest.raises(RealDataNotFoundError, match="WHERE_TO_LOOK_DATA is .*not a folder"):
            load_translation_pairs()


def test_what_is_not_there_is_said(tmp_path, monkeypatch):
    with pytest.raises(RealDataNotFoundError, match="'wmt14'.*multi30k_en_fr"):
        load_real("wmt14")
    with pytest.raises(RealDataNotFoundError, match="fsdd is not on the hub.*WHERE_TO_LOOK_DATA.*holds fsdd/"):
        load_real("fsdd")
    stage(tmp_path, monkeypatch, translation_table(), "validation-00000-of-00001.parquet").rename(tmp_path / "away")
    with pytest.raises(RealDataNotFoundError, match="no parquet file; expected"):
        load_real("multi30k_en_fr")
    stage(tmp_path, monkeypatch, translation_table(), "validation-00000-of-00001.parquet")
    with pytest.raises(RealDataNotFoundError, match="no split 'train'; it has validation"):
        load_translation_pairs()


# ---- sentence pairs


def test_pairs_with_an_empty_side_are_left_out(tmp_path, monkeypatch):
    stage(tmp_path, monkeypatch, translation_table([("oui", "yes"), (" ", "no"), ("non", None)]))
    assert load_translation_pairs() == [("oui", "yes")]


def test_the_hashed_splits_share_no_sentence_and_lose_none(tmp_path, monkeypatch):
    repeated = PAIRS + [(french.upper().replace(" ", "  "), "again") for french, _ in PAIRS[:50]]
    stage(tmp_path, monkeypatch, translation_table(repeated), name="opus_books_en_fr")
    splits = {name: load_translation_pairs("opus_books_en_fr", name) for name in SPLITS}
    assert sorted(pair for pairs in splits.values() for pair in pairs) == sorted(repeated)
    keys = [{" ".join(french.lower().split()) for french, _ in pairs} for pairs in splits.values()]
    assert not (keys[0] & keys[1] or keys[0] & keys[2] or keys[1] & keys[2])
    assert all(0.01 < len(splits[name]) / len(repeated) < 0.1 for name in ("validation", "test"))
    with pytest.raises(RealDataNotFoundError, match="no split 'dev'; it has train, validation, test"):
        load_translation_pairs("opus_books_en_fr", "dev")


def test_the_hashed_split_never_moves():
    expected = {"Où regarder ?": "train", "Bonjour.": "train", "La porte est ouverte.": "validation", "vingt": "test"}
    assert {sentence: hashed_split(sentence) for sentence in expected} == expected
    assert hashed_split("Ou\u0300  REGARDER ?") == hashed_split("Où regarder ?")


@pytest.mark.skipif(not (STAGED / "multi30k_en_fr").is_dir(), reason="no staged multi30k_en_fr: set WHERE_TO_LOOK_DATA")
def test_multi30k_is_whole(monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    for split, rows, french in (
        ("train", 29_000, "Deux jeunes hommes blancs sont dehors près de buissons."),
        ("validation", 1_014, "Un groupe d'hommes chargent du coton dans un camion"),
        ("test", 1_000, "Un homme avec un chapeau orange regardant quelque chose."),
    ):
        pairs = load_translation_pairs(split=split)
        assert len(pairs) == rows and pairs[0][0] == french


# ---- the table


def test_every_row_says_where_from_under_which_licence_and_by_whom():
    for name, source in REAL_SOURCES.items():
        assert source.name == name and source.lessons and source.columns and source.rows and source.size
        assert source.licence and source.credit and set(source.splits) <= set(SPLITS)
        assert set(source.columns) <= {column for columns in COLUMNS.values() for column in columns}
        assert sum(map(bool, (source.hub, source.address, source.torchvision))) <= 1
        assert all(len(digest) == 64 for _, digest in source.sha256.values())


def test_sets_without_a_pinned_revision_say_so():
    """Their commits are not known; whoever has a network pins them, and takes them out here."""
    revisions = {name: source.hub.revision for name, source in REAL_SOURCES.items() if source.hub}
    assert {name for name, revision in revisions.items() if revision is None} == {"svhn", "flickr8k", "xsum"}
    assert all(re.fullmatch("[0-9a-f]{40}", revision) for revision in revisions.values() if revision)
    rows = {row.split("`")[1]: row for row in data_card.table().splitlines()[2:]}
    assert {name for name, row in rows.items() if "**not pinned**" in row} == {"svhn", "flickr8k", "xsum"}


@pytest.mark.parametrize("name", [source.name for source in REAL_SOURCES.values() if source.hub or source.address])
def test_published_files_are_still_there(request, name):
    if not request.config.getoption("--network"):
        pytest.skip("reaches the network: pytest --network tests/test_real.py")
    from huggingface_hub import list_repo_files

    source = REAL_SOURCES[name]
    if hub := source.hub:
        files = list_repo_files(hub.id, repo_type="dataset", revision=hub.revision)
        assert [split for split in source.splits if not fnmatch.filter(files, hub.files.format(split=split))] == []
    for file, _ in source.sha256.values():
        with urllib.request.urlopen(urllib.request.Request(source.address + file, method="HEAD")) as answer:
            assert answer.status == 200


def test_the_data_card_is_made_from_the_table():
    text = data_card.card_path(ROOT).read_text(encoding="utf-8")
    assert data_card.updated(text) == text, "run python -m tools.data_card"


@pytest.mark.parametrize("name", REAL_SOURCES)
def test_the_call_in_the_data_card_loads_the_staged_set(name, monkeypatch):
    if not (STAGED / name).is_dir():
        pytest.skip(f"no staged {name}: set WHERE_TO_LOOK_DATA")
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    call = re.search(rf"^\| `{name}` \|[^|]*\| `([^`]*)` \|", data_card.table(), re.MULTILINE)[1]
    assert eval(call, {"load_real": load_real, "load_digit_images": load_digit_images}) is not None


def test_importing_the_module_imports_no_library():
    libraries = {"pyarrow", "datasets", "huggingface_hub", "torchvision"}
    code = f"import sys, course_utils.data.real; sys.exit(bool({libraries} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
