"""Real data: from a pre-staged folder, and from a hub that behaves and misbehaves. Nothing here needs the internet."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pyarrow
import pytest
from misbehaving_server import COMMIT, MisbehavingHub
from pyarrow import parquet

from course_utils.datasets import downloads, sources
from course_utils.datasets.downloads import (
    DataFormatError,
    DownloadError,
    HubUnreachableError,
    RealDataNotFoundError,
)
from course_utils.datasets.sources import REAL_SOURCES, load_real, load_translation_pairs, staged_folder

ROOT = Path(__file__).resolve().parent.parent
BLOCK = 32 * 2**10
BOOKS = "en-fr/train-00000-of-00001.parquet"
PAIRS = [(f"phrase numéro {number} {os.urandom(8).hex()}", f"sentence number {number}") for number in range(4000)]


def translation_table(pairs=PAIRS) -> pyarrow.Table:
    return pyarrow.table(
        {"id": list(map(str, range(len(pairs)))), "translation": [{"en": e, "fr": f} for f, e in pairs]}
    )


def as_parquet(table: pyarrow.Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="none", use_dictionary=False)
    return sink.getvalue()


CONTENT = as_parquet(translation_table())


@pytest.fixture(autouse=True)
def quiet_surroundings(monkeypatch, tmp_path):
    """An empty cache, no staged folder, no token, no proxy, small blocks and no patience."""
    for name in ("HF_HUB_CACHE", "HF_ENDPOINT", "HF_TOKEN", "WHERE_TO_LOOK_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setattr(downloads, "BLOCK_BYTES", BLOCK)
    monkeypatch.setattr(downloads, "RETRIES", 0)


@pytest.fixture
def serve(monkeypatch):
    """Start hubs that end with the test; each becomes the endpoint."""
    running = []

    def start(**faults) -> MisbehavingHub:
        hub = MisbehavingHub(**{"files": {BOOKS: CONTENT}, **faults})
        running.append(hub.__enter__())
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        return hub

    yield start
    for hub in running:
        hub.__exit__()


def blobs(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.glob("hf/hub/datasets--*/blobs/*"))


def assert_loads(name="opus_books_en_fr"):
    table = load_real(name)
    assert table.num_rows == len(PAIRS)
    assert table["translation"][17].as_py() == {"en": PAIRS[17][1], "fr": PAIRS[17][0]}


def run_loader(**environment) -> subprocess.Popen:
    """Load the books in another process, as a second kernel would."""
    code = (
        "from course_utils.datasets import downloads, sources\n"
        f"downloads.BLOCK_BYTES = {BLOCK}\n"
        "table = sources.load_real('opus_books_en_fr')\n"
        "print(table.num_rows, table['translation'][17]['fr'])"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **environment}, stdout=-1, stderr=-1, text=True
    )


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


# ---- a hub that behaves


def test_a_download_arrives_whole_and_once(serve, tmp_path):
    hub = serve()
    assert_loads()
    assert hub.ranges[0] == f"0-{BLOCK - 1}"
    assert len(hub.ranges) == -(-len(CONTENT) // BLOCK)
    assert [len(name) for name in blobs(tmp_path)] == [64], "the blob is named by its sha256, nothing else is left"


def test_the_hub_library_finds_the_file_in_its_own_cache(serve, tmp_path):
    serve()
    assert_loads()
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(
        "Helsinki-NLP/opus_books", BOOKS, repo_type="dataset", cache_dir=tmp_path / "hf" / "hub"
    )
    assert Path(found).read_bytes() == CONTENT
    assert COMMIT in found


def test_a_cached_set_needs_no_network(serve, monkeypatch):
    hub = serve()
    assert_loads()
    requests = len(hub.other_requests)
    assert_loads()
    assert len(hub.other_requests) == requests, "the second load asked the hub although everything was cached"
    monkeypatch.setenv("HF_ENDPOINT", closed_port())
    assert_loads()


def test_a_progress_bar_is_shown(serve, capfd):
    serve()
    load_real("opus_books_en_fr")
    assert "100%" in capfd.readouterr().err


def test_the_token_stays_with_the_hub(serve, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub = serve()
    assert_loads()
    assert not [headers for headers in hub.content_requests if "authorization" in headers]


def test_importing_the_module_imports_no_library():
    code = "import sys, course_utils.datasets.sources; print({'pyarrow', 'huggingface_hub'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_several_shards_are_joined_in_order(serve):
    halves = [translation_table(PAIRS[:2000]), translation_table(PAIRS[2000:])]
    serve(files={f"en-fr/train-0000{i}-of-00002.parquet": as_parquet(half) for i, half in enumerate(halves)})
    assert_loads()


def test_a_file_outside_lfs_is_checked_by_its_git_id(tmp_path):
    file = tmp_path / "hello"
    file.write_bytes(b"hello\n")
    assert downloads._has_checksum(file, "ce013625030ba8dba906f756967f9e9ca394464a")  # git hash-object
    file.write_bytes(b"hallo\n")
    assert not downloads._has_checksum(file, "ce013625030ba8dba906f756967f9e9ca394464a")


# ---- hubs, lines and disks that do not


def test_a_truncated_file_gets_no_name_and_the_next_attempt_resumes(serve, tmp_path):
    half = len(CONTENT) // 2
    hub = serve(bytes_before_cut=half)
    with pytest.raises(HubUnreachableError, match="no complete answer.*WHERE_TO_LOOK_DATA"):
        load_real("opus_books_en_fr")
    assert all(name.endswith(".incomplete") for name in blobs(tmp_path))
    kept = half // BLOCK * BLOCK
    hub.bytes_before_cut = None
    hub.content_requests.clear()
    assert_loads()
    assert hub.ranges[0] == f"{kept}-{min(kept + BLOCK, len(CONTENT)) - 1}", "the second attempt began again at zero"
    assert [len(name) for name in blobs(tmp_path)] == [64]


def test_a_killed_kernel_leaves_something_to_resume(serve, tmp_path):
    hub = serve(seconds_per_answer=0.1)
    loader = run_loader()
    deadline = time.monotonic() + 20
    while len(hub.content_requests) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    loader.send_signal(signal.SIGKILL)
    loader.communicate()
    assert [name.endswith(".incomplete") for name in blobs(tmp_path)] == [True]
    hub.content_requests.clear()
    hub.seconds_per_answer = 0
    assert_loads()
    assert int(hub.ranges[0].split("-")[0]) > 0


def test_a_line_that_drops_once_is_survived_in_the_same_call(serve, monkeypatch):
    monkeypatch.setattr(downloads, "RETRIES", 2)
    hub = serve(bytes_before_cut=len(CONTENT) // 2, cut_once=True)
    assert_loads()
    assert len(hub.ranges) == len(set(hub.ranges)) + 1, "exactly the block that was cut is asked for twice"


def test_a_wrong_checksum_is_refused_and_removed(serve, tmp_path):
    hub = serve(corrupt=True)
    with pytest.raises(DownloadError, match="wrong checksum.*removed"):
        load_real("opus_books_en_fr")
    assert blobs(tmp_path) == []
    hub.corrupt = False
    assert_loads()


def test_a_damaged_leftover_is_fetched_again_from_the_start(serve, tmp_path):
    hub = serve(bytes_before_cut=len(CONTENT) // 2)
    with pytest.raises(HubUnreachableError):
        load_real("opus_books_en_fr")
    (leftover,) = tmp_path.glob("hf/hub/*/blobs/*.incomplete")
    leftover.write_bytes(b"\0" * leftover.stat().st_size)
    hub.bytes_before_cut = None
    assert_loads()


def test_a_leftover_that_is_too_long_is_dropped(serve, tmp_path):
    serve()
    checksum = downloads.list_hub_files("Helsinki-NLP/opus_books")[0].checksum
    leftover = tmp_path / "hf/hub/datasets--Helsinki-NLP--opus_books/blobs" / f"{checksum}.incomplete"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(CONTENT + b"more")
    assert_loads()


def test_a_cached_file_that_rotted_is_replaced(serve, tmp_path):
    serve()
    assert_loads()
    (blob,) = tmp_path.glob("hf/hub/*/blobs/*")
    blob.write_bytes(b"\0" * len(CONTENT))
    with pytest.warns(UserWarning, match="damaged"):
        assert_loads()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_hub_is_asked_again(serve, monkeypatch, status):
    monkeypatch.setattr(downloads, "RETRIES", 2)
    hub = serve(statuses=[status])
    assert_loads()
    assert hub.ranges[0] == hub.ranges[1]


def test_a_busy_list_is_asked_for_again(serve, monkeypatch):
    monkeypatch.setattr(downloads, "RETRIES", 2)
    serve(listing_statuses=[503])
    assert_loads()


def test_a_hub_that_stays_busy_is_an_error_and_names_no_file(serve, tmp_path):
    serve(statuses=[500] * 3)
    with pytest.raises(DownloadError, match="500"):
        load_real("opus_books_en_fr")
    assert all(name.endswith(".incomplete") for name in blobs(tmp_path))


def test_a_server_without_ranges_still_gives_the_file(serve):
    hub = serve(ignore_range=True)
    assert_loads()
    assert len(hub.ranges) == 1


def test_a_download_resumes_where_the_server_knows_no_ranges(serve):
    hub = serve(bytes_before_cut=len(CONTENT) // 2)
    with pytest.raises(HubUnreachableError):
        load_real("opus_books_en_fr")
    hub.bytes_before_cut, hub.ignore_range = None, True
    hub.content_requests.clear()
    assert_loads()
    assert len(hub.ranges) == 1


def test_a_file_shorter_than_listed_is_an_error_and_not_an_endless_loop(serve, tmp_path):
    serve(lacks_bytes=100)
    with pytest.raises(DownloadError, match="sent 0 bytes"):
        load_real("opus_books_en_fr")
    assert all(name.endswith(".incomplete") for name in blobs(tmp_path))


def test_no_network(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", closed_port())
    monkeypatch.setattr(downloads, "RETRIES", 5)  # refused at first contact: no waiting
    began = time.monotonic()
    with pytest.raises(HubUnreachableError) as caught:
        load_real("opus_books_en_fr")
    assert time.monotonic() - began < 5
    for word in ("could not reach the hub", "WHERE_TO_LOOK_DATA", "opus_books_en_fr/", "SOURCE = 'default'"):
        assert word in str(caught.value)
    assert blobs(tmp_path) == []


def test_a_login_page_in_between_is_recognized(serve):
    serve(login_page=True)
    with pytest.raises(HubUnreachableError, match="log-in page"):
        load_real("opus_books_en_fr")


def test_a_data_set_that_the_hub_does_not_have(serve):
    serve(hub_id="somebody/else")
    with pytest.raises(DownloadError, match="refused"):
        load_real("opus_books_en_fr")


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A file system with room for 64 KiB as the cache."""
    disk = tmp_path / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of a given size can be mounted only by an administrator on Linux")
    monkeypatch.setenv("HF_HOME", str(disk))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_without_room_is_noticed_before_the_download(serve, small_disk):
    hub = serve()
    with pytest.raises(DownloadError, match="disk is full.*HF_HOME"):
        load_real("opus_books_en_fr")
    assert hub.ranges == []
    assert not [path for path in small_disk.rglob("*") if path.is_file() and path.stat().st_size]


def test_a_disk_that_fills_up_during_the_download(serve, small_disk, monkeypatch):
    hub = serve()
    usage = shutil.disk_usage("/")._replace(free=2**40)  # somebody else takes the room after the check
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DownloadError, match="disk is full.*No partial file"):
        load_real("opus_books_en_fr")
    assert hub.ranges, "the download never began"
    assert not [path for path in small_disk.rglob("*") if path.is_file() and path.stat().st_size]


def test_a_full_disk_by_imitation(serve, monkeypatch, tmp_path):
    serve()
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DownloadError, match="disk is full"):
        load_real("opus_books_en_fr")
    assert blobs(tmp_path) == []


def test_a_cache_that_cannot_be_written(serve, monkeypatch, tmp_path):
    serve()
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match="cannot store.*HF_HOME"):
        load_real("opus_books_en_fr")


def test_two_kernels_at_once_share_one_download(serve, tmp_path):
    hub = serve(seconds_per_answer=0.05)
    loaders = [run_loader(), run_loader()]
    for loader in loaders:
        out, err = loader.communicate(timeout=40)
        assert out.strip() == f"{len(PAIRS)} {PAIRS[17][0]}", err
    assert len(hub.ranges) == -(-len(CONTENT) // BLOCK), "the file was fetched more than once"
    assert [len(name) for name in blobs(tmp_path)] == [64]


# ---- content that is not what the lesson expects


def stage(folder: Path, table_or_bytes, split="train", name="multi30k_en_fr", monkeypatch=None) -> Path:
    path = folder / "staged" / name / "data" / f"{split}-00000-of-00001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = table_or_bytes if isinstance(table_or_bytes, bytes) else as_parquet(table_or_bytes)
    path.write_bytes(content)
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(folder / "staged"))
    return path


def test_missing_columns_are_named_with_those_found(tmp_path, monkeypatch):
    stage(tmp_path, pyarrow.table({"id": ["1"], "text": ["x"]}), monkeypatch=monkeypatch)
    with pytest.raises(DataFormatError, match=r"\['translation'\].*\['id', 'text'\]"):
        load_real("multi30k_en_fr")


def test_missing_columns_from_the_hub(serve):
    serve(files={BOOKS: as_parquet(pyarrow.table({"id": ["1"]}))})
    with pytest.raises(DataFormatError, match=r"\['translation'\].*\['id'\]"):
        load_real("opus_books_en_fr")


def test_a_column_that_was_asked_for_and_is_missing(tmp_path, monkeypatch):
    stage(tmp_path, translation_table(), monkeypatch=monkeypatch)
    with pytest.raises(DataFormatError, match="'image'"):
        load_real("multi30k_en_fr", columns=["image"])


def test_only_the_columns_asked_for_are_read(tmp_path, monkeypatch):
    stage(tmp_path, translation_table(), monkeypatch=monkeypatch)
    assert load_real("multi30k_en_fr", columns=["translation"]).column_names == ["translation"]


def test_a_missing_language_is_named(tmp_path, monkeypatch):
    stage(tmp_path, translation_table(), monkeypatch=monkeypatch)
    with pytest.raises(DataFormatError, match="no de; it has en, fr"):
        load_translation_pairs(source_language="de")


def test_a_table_without_rows(tmp_path, monkeypatch):
    stage(tmp_path, translation_table().slice(0, 0), monkeypatch=monkeypatch)
    with pytest.raises(DataFormatError, match="no rows"):
        load_real("multi30k_en_fr")


@pytest.mark.parametrize("content", [b"", b"not parquet at all", CONTENT[: len(CONTENT) // 2]])
def test_a_corrupted_staged_file(tmp_path, monkeypatch, content):
    path = stage(tmp_path, content, monkeypatch=monkeypatch)
    with pytest.raises(DataFormatError, match="cannot be read as parquet.*again"):
        load_real("multi30k_en_fr")
    assert path.read_bytes() == content, "a file of the user's was touched"


def test_parts_with_different_columns(tmp_path, monkeypatch):
    path = stage(tmp_path, translation_table(), monkeypatch=monkeypatch)
    path.rename(path.with_name("train-00000-of-00002.parquet"))
    with pytest.raises(RealDataNotFoundError, match="lacks a part"):
        load_real("multi30k_en_fr")
    path.with_name("train-00001-of-00002.parquet").write_bytes(as_parquet(translation_table().drop(["id"])))
    with pytest.raises(DataFormatError, match="same columns"):
        load_real("multi30k_en_fr")


def test_a_staged_folder_that_does_not_exist(monkeypatch, tmp_path):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(RealDataNotFoundError, match="WHERE_TO_LOOK_DATA is .*nowhere"):
        load_translation_pairs()


def test_no_staged_folder_is_no_error(monkeypatch):
    assert staged_folder() is None
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", " ")
    assert staged_folder() is None


def test_an_empty_staged_set(monkeypatch, tmp_path):
    (tmp_path / "multi30k_en_fr").mkdir()
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(tmp_path))
    with pytest.raises(RealDataNotFoundError, match="no parquet file; expected"):
        load_real("multi30k_en_fr")


def test_a_split_that_is_not_there(serve, tmp_path, monkeypatch):
    serve()
    with pytest.raises(RealDataNotFoundError, match="no split 'dev'; it has train"):
        load_real("opus_books_en_fr", "dev")
    with pytest.raises(RealDataNotFoundError, match="no split 'dev'; it has train, validation, test"):
        load_translation_pairs("opus_books_en_fr", "dev")
    stage(tmp_path, translation_table(), split="validation", monkeypatch=monkeypatch)
    with pytest.raises(RealDataNotFoundError, match="no split 'train'; it has validation"):
        load_translation_pairs()


def test_a_set_that_is_not_registered():
    with pytest.raises(RealDataNotFoundError, match="'wmt14'.*multi30k_en_fr"):
        load_real("wmt14")


def test_a_set_that_a_script_produces_does_not_load(serve):
    serve(files={})
    with pytest.raises(DataFormatError, match="no parquet under en-fr/"):
        load_real("opus_books_en_fr")


def test_a_set_that_the_hub_lacks_names_the_folder():
    with pytest.raises(RealDataNotFoundError, match="not on the hub.*WHERE_TO_LOOK_DATA"):
        load_real("multi30k_en_fr")


# ---- sentence pairs


def test_the_staged_set_comes_before_the_hub(serve, tmp_path, monkeypatch):
    hub = serve()
    stage(tmp_path, translation_table([("oui", "yes")]), name="opus_books_en_fr", monkeypatch=monkeypatch)
    assert load_real("opus_books_en_fr").num_rows == 1
    assert hub.other_requests == []


def test_without_multi30k_the_hub_stands_in_and_says_so(serve):
    serve()
    with pytest.warns(UserWarning, match="multi30k_en_fr is not on the hub.*using opus_books_en_fr"):
        pairs = load_translation_pairs()
    assert 0.88 < len(pairs) / len(PAIRS) < 0.92
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_translation_pairs("opus_books_en_fr") == pairs


def test_the_hashed_splits_share_no_sentence_and_lose_none(serve):
    repeated = PAIRS + [(french.upper().replace(" ", "  "), "again") for french, _ in PAIRS[:500]]
    serve(files={BOOKS: as_parquet(translation_table(repeated))})
    splits = {name: load_translation_pairs("opus_books_en_fr", name) for name in sources.SPLITS}
    assert sorted(pair for pairs in splits.values() for pair in pairs) == sorted(repeated)
    keys = [{" ".join(french.lower().split()) for french, _ in pairs} for pairs in splits.values()]
    assert not (keys[0] & keys[1] or keys[0] & keys[2] or keys[1] & keys[2])
    assert all(0.03 < len(splits[name]) / len(repeated) < 0.07 for name in ("validation", "test"))


def test_the_hashed_split_never_moves():
    expected = {"Où regarder ?": "train", "Bonjour.": "train", "La porte est ouverte.": "validation", "vingt": "test"}
    assert {sentence: sources._hashed_split(sentence) for sentence in expected} == expected
    assert sources._hashed_split("Ou\u0300  REGARDER ?") == sources._hashed_split("Où regarder ?")


def test_languages_in_either_direction_and_empty_sides(tmp_path, monkeypatch):
    stage(tmp_path, translation_table([("oui", "yes"), (" ", "no"), ("non", None)]), monkeypatch=monkeypatch)
    assert load_translation_pairs() == [("oui", "yes")]
    assert load_translation_pairs(source_language="en", target_language="fr") == [("yes", "oui")]


def test_every_source_states_its_licence_and_credit():
    for name, source in REAL_SOURCES.items():
        assert source.name == name and source.columns and source.licence and source.credit


# ---- the real thing, where it is at hand

STAGED = Path(os.environ.get("WHERE_TO_LOOK_DATA") or ROOT.parent / "shared" / "datasets")


@pytest.mark.skipif(
    not (STAGED / "multi30k_en_fr").is_dir(), reason="no pre-staged multi30k_en_fr: set WHERE_TO_LOOK_DATA to test it"
)
@pytest.mark.parametrize(
    ("split", "rows", "french"),
    [
        ("train", 29_000, "Deux jeunes hommes blancs sont dehors près de buissons."),
        ("validation", 1_014, "Un groupe d'hommes chargent du coton dans un camion"),
        ("test", 1_000, "Un homme avec un chapeau orange regardant quelque chose."),
    ],
)
def test_multi30k_is_whole(monkeypatch, split, rows, french):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    pairs = load_translation_pairs(split=split)
    assert len(pairs) == rows
    assert pairs[0][0] == french
