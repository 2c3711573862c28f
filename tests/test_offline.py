"""Staging and setting up without a network. Two small wheels are made on the spot, so nothing is downloaded.

The whole course, some gigabytes: python -m tools.offline stage FOLDER, then python3 FOLDER/install.py TARGET.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import offline

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
NO_NETWORK = ["unshare", "--user", "--map-root-user", "--net"]


def can_cut_the_network() -> bool:
    return bool(shutil.which("unshare")) and not subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode


needs_unshare = pytest.mark.skipif(not can_cut_the_network(), reason="unshare cannot cut the network off here")


def make_wheel(folder: Path, name: str, needs: str = "") -> Path:
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + (f"Requires-Dist: {needs}\n" if needs else "")
    files = {
        f"{name}.py": f"NAME = {name!r}\n",
        f"{name}-1.0.dist-info/METADATA": metadata,
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        code = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={code},{len(text.encode())}\n"
    files[f"{name}-1.0.dist-info/RECORD"] = record + f"{name}-1.0.dist-info/RECORD,,\n"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name_inside, text in files.items():
            archive.writestr(name_inside, text)
    return path


@pytest.fixture
def staged(tmp_path):
    index = tmp_path / "index"
    index.mkdir()
    make_wheel(index, "smallthing", needs="smallother>=1")
    make_wheel(index, "smallother")
    folder = tmp_path / "stick"
    options = ["--pip=--no-index", f"--pip=--find-links={index}"]
    assert offline.main(["stage", str(folder), "--only", "smallthing", *options]) == 0
    shutil.rmtree(index)
    return folder


def test_staging_brings_what_a_package_needs(staged):
    names = {"smallthing-1.0-py3-none-any.whl", "smallother-1.0-py3-none-any.whl"}
    assert {path.name for path in (staged / "wheels").iterdir()} == names
    files = json.loads((staged / "manifest.json").read_text())["files"]
    assert set(files) == {"install.py", *(f"wheels/{name}" for name in names)}


@needs_unshare
def test_a_machine_without_network_is_set_up(staged, tmp_path):
    target = tmp_path / "room"
    (staged / "data" / "tiny").mkdir(parents=True)
    (staged / "data" / "tiny" / "part.txt").write_text("gold")
    manifest = json.loads((staged / "manifest.json").read_text())
    manifest["files"]["data/tiny/part.txt"] = offline.digest(staged / "data" / "tiny" / "part.txt")
    (staged / "manifest.json").write_text(json.dumps(manifest))
    probe = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
    cut = subprocess.run([*NO_NETWORK, sys.executable, "-c", probe], capture_output=True, text=True)
    assert "Network is unreachable" in cut.stderr, "the network is not cut off, so this test would show nothing"
    command = [*NO_NETWORK, sys.executable, str(staged / "install.py"), str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    python = target / ".venv" / "bin" / "python"
    asked = subprocess.check_output([python, "-c", "import smallthing, smallother; print(smallthing.NAME)"], text=True)
    assert asked == "smallthing\n"
    assert (target / "real-data" / "tiny" / "part.txt").read_text() == "gold"
    told = subprocess.check_output(["sh", "-c", f". {target}/.venv/bin/activate; echo $WHERE_TO_LOOK_DATA"], text=True)
    assert told.strip() == str(target / "real-data")


def test_a_damaged_or_missing_file_is_named(staged, tmp_path, capsys):
    wheel = staged / "wheels" / "smallother-1.0-py3-none-any.whl"
    good = wheel.read_bytes()
    for change in (lambda: wheel.write_bytes(good[:-1] + b"?"), wheel.unlink):
        change()
        assert offline.main(["install", str(staged), str(tmp_path / "room")]) == 1
        assert "wheels/smallother-1.0" in capsys.readouterr().err
    assert not (tmp_path / "room").exists()


def test_an_unfinished_staging_and_another_python_are_refused(staged, tmp_path, capsys):
    whole = (staged / "manifest.json").read_text()
    manifest = json.loads(whole)
    manifest["for"]["python"] = "2.7"
    (staged / "manifest.json").write_text(json.dumps(manifest))
    assert offline.main(["install", str(staged), str(tmp_path / "room")]) == 1
    assert "Python 2.7" in capsys.readouterr().err
    (staged / "manifest.json").write_text(whole)
    assert offline.main(["stage", str(staged), "--only", "nowhere-to-be-found", "--pip=--no-index"]) == 1
    assert "pip could not get every wheel" in capsys.readouterr().err
    assert offline.main(["install", str(staged), str(tmp_path / "room")]) == 1
    assert "was not finished" in capsys.readouterr().err


def test_a_folder_with_other_files_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert offline.main(["stage", str(tmp_path), "--only", "smallthing"]) == 1
    assert "holds other files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_install_uses_only_the_standard_library():
    text = (ROOT / "tools" / "offline.py").read_text(encoding="utf-8")
    modules = {line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert modules <= set(sys.stdlib_module_names)
