"""The cache: its folder, files that are whole or not read, processes that wait for each other, and life without it."""

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from course_utils.data import cache
from course_utils.data.cache import cache_folder, cached

WORDS = {"what": "words", "largest_bytes": 1000}


def unpacked(content):
    return bytes(content).decode()


def words(name, make, unpack=unpacked, **changes):
    return cached(cache_folder() / name, make, pack=str.encode, unpack=unpack, **WORDS | changes)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_folder_is_what_is_named_then_the_systems_then_homes(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", " ~/mine ")
    assert cache_folder() == tmp_path / "home/mine"
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", " ")
    assert cache_folder() == tmp_path / "xdg/where-to-look"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / "home/.cache/where-to-look"
    assert cache_folder().is_dir()


def no_such_user(monkeypatch, place):
    return "~nouser/x"


def no_home(monkeypatch, place):
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pytest.importorskip("pwd"), "getpwuid", {}.__getitem__)
    return ""


def of_another_user(monkeypatch, place):
    """As root, who may do everything, one has to pretend."""
    place.mkdir(mode=0o700)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    return str(place)


def in_a_home_of_another_user(monkeypatch, place):
    mkdir = Path.mkdir

    def refuse(path, *arguments, **options):
        if place in path.parents:
            raise PermissionError(13, "Permission denied")
        mkdir(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    return str(place / ".cache")


def a_file(monkeypatch, place):
    place.write_text("in the way")
    return str(place)


@pytest.mark.parametrize("trouble", [no_such_user, no_home, of_another_user, in_a_home_of_another_user, a_file])
def test_a_folder_that_cannot_be_used_is_replaced_with_one_warning_that_names_both(trouble, tmp_path, monkeypatch):
    cache._temporary_folder.cache_clear()
    with monkeypatch.context() as patch:
        wanted = trouble(patch, tmp_path / "theirs")
        patch.setenv("WHERE_TO_LOOK_CACHE", wanted)
        with pytest.warns(UserWarning) as found:
            folder = cache_folder()
        assert folder.is_dir() and len(found) == 1
        said = str(found[0].message)
        assert (
            (wanted or "~/.cache/where-to-look") in said and str(folder) in said and "set WHERE_TO_LOOK_CACHE" in said
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert cache_folder() == folder, "the same folder, without another warning"
            assert words("words-1", lambda: "made") == "made"
            assert words("words-1", lambda: pytest.fail("made again")) == "made"
    cache._temporary_folder.cache_clear()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_replaced(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir(mode=0o500)
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path / "closed"))
    with pytest.warns(UserWarning, match="you may not read and write there"):
        assert cache_folder() != tmp_path / "closed"


def test_the_temporary_folder_is_gone_after_the_run(tmp_path):
    code = "from course_utils.data.cache import cache_folder as f; p = f(); (p / 'x').write_text('x'); print(p)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "WHERE_TO_LOOK_CACHE": "~nouser/x"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "~nouser/x cannot be used" in done.stderr and not Path(done.stdout.strip()).exists()


def test_what_was_made_is_kept(folder):
    assert words("words-1", lambda: "made") == "made"
    assert [path.name for path in folder.iterdir()] == ["words-1"], "neither lock nor temporary file stays"
    assert words("words-1", lambda: pytest.fail("made again")) == "made"
    assert words("words-2", lambda: "") == "" == words("words-2", lambda: pytest.fail("made again"))


def flipped(content: bytes, place: int) -> bytes:
    content = bytearray(content)
    content[place] ^= 1
    return bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda stored: stored[:-3],
        lambda stored: stored[3:],
        lambda stored: b"",
        lambda stored: b"short",
        lambda stored: flipped(stored, 0),
        lambda stored: flipped(stored, -1),
    ],
)
def test_a_damaged_file_is_removed_with_a_warning_and_made_anew(folder, damage):
    words("words-1", lambda: "made")
    whole = (folder / "words-1").read_bytes()
    (folder / "words-1").write_bytes(damage(whole))
    with pytest.warns(UserWarning, match="words-1 was damaged .*the words are made anew"):
        assert words("words-1", lambda: "made") == "made"
    assert (folder / "words-1").read_bytes() == whole


def test_a_whole_file_that_holds_something_else_is_made_anew(folder):
    words("words-1", lambda: "12")
    with pytest.warns(UserWarning, match="damaged .invalid literal for int"):
        assert words("words-1", lambda: "made", unpack=lambda content: int(bytes(content), 2)) == "made"


def test_what_making_raises_is_not_hidden_and_nothing_is_kept(folder):
    def fail():
        raise RuntimeError("no synthesizer")

    with pytest.raises(RuntimeError, match="no synthesizer"):
        words("words-1", fail)
    assert list(folder.iterdir()) == [] and words("words-1", lambda: "made") == "made"


def test_a_full_disk_costs_only_time(folder, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "write_whole", full)
    with pytest.warns(UserWarning, match="could not be kept in .*No space left.*Free some space"):
        assert words("words-1", lambda: "made") == "made"
    assert list(folder.iterdir()) == []


MAKE = """
import sys, time
from pathlib import Path
from course_utils.data.cache import cache_folder, cached
def make():
    with open(sys.argv[1], "a") as file:
        file.write("made ")
    time.sleep(float(sys.argv[2]))
    return "made"
print(cached(cache_folder() / "words-1", make, pack=str.encode, unpack=lambda content: bytes(content).decode(),
             what="words", largest_bytes=1000))
"""


def start(*arguments):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", MAKE, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_of_three_processes_one_makes_it_and_the_others_wait(folder, tmp_path):
    processes = [start(tmp_path / "log", 2) for _ in range(3)]
    assert [process.communicate(timeout=120)[0] for process in processes] == ["made\n"] * 3
    assert (tmp_path / "log").read_text() == "made "
    assert [path.name for path in folder.iterdir()] == ["words-1"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system that can kill at once")
def test_the_lock_of_a_killed_process_holds_nobody_up(folder, tmp_path):
    killed = start(tmp_path / "log", 600)
    while not (tmp_path / "log").exists():
        assert killed.poll() is None, killed.communicate()[1]
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    assert [path.name for path in folder.iterdir()] == [".words-1.lock"]
    started = time.monotonic()
    assert words("words-1", lambda: "made") == "made" and time.monotonic() - started < 5
    assert [path.name for path in folder.iterdir()] == ["words-1"]


def test_where_nothing_can_be_locked_it_goes_on(folder, monkeypatch):
    from huggingface_hub import utils

    def refuse(*arguments, **options):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(utils, "WeakFileLock", refuse)
    assert words("words-1", lambda: "made") == "made" and (folder / "words-1").is_file()


def test_files_of_a_sort_that_grew_too_large_are_tidied_up(folder):
    for number in range(4):
        words(f"words-{number}", lambda: "x" * 100)
        os.utime(folder / f"words-{number}", (time.time() - 100 + number,) * 2)
    words("others-0", lambda: "y" * 500)
    (folder / ".words-9.abc").write_text("left by a killed run")
    os.utime(folder / ".words-9.abc", (1, 1))
    (folder / ".words-8.def").write_text("perhaps being written")
    words("words-0", lambda: pytest.fail("made again"))  # used just now
    words("words-4", lambda: "x" * 100, largest_bytes=260)
    assert {path.name for path in folder.iterdir()} == {"words-0", "words-4", "others-0", ".words-8.def"}
