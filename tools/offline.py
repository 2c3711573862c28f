"""The course in a room without internet: `stage` fills a folder where there is a network, `install` uses it elsewhere.

    python -m tools.offline stage FOLDER [--data DATA]     wheels, the course and, if you like, real data sets
    python3 FOLDER/install.py [TARGET]                     on each machine: checks every file, sets the course up

FOLDER fits on a stick. Its wheels are for the system and the Python that staged them. `install` needs Python and
nothing else: this file is FOLDER/install.py, and it uses only the standard library.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MANIFEST = "manifest.json"
PROJECT = "where-to-look"
LEFT_OUT = (
    ".git", ".venv", "runs", "build", "dist", "__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", "class"
)  # fmt: skip


class OfflineError(Exception):
    """Staging or setting up cannot go on; the message says what to do."""


def digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()


def described(python: str) -> dict:
    """The Python and system that wheels are for."""
    ask = "import sys, platform, json; print(json.dumps([sys.version_info[:2], sys.platform, platform.machine()]))"
    version, system, machine = json.loads(subprocess.check_output([python, "-c", ask], text=True))
    return {"python": ".".join(map(str, version)), "system": system, "machine": machine}


def stage(root: Path, folder: Path, data: Path | None, only: list[str], options: list[str]) -> dict:
    """Fill a folder: wheels/, course/, data/, install.py and a manifest with the digest of every file.

    Args:
        root: the checkout.
        folder: it must be new or empty, or hold an earlier, unfinished attempt of this command.
        data: a folder of data sets as in WHERE_TO_LOOK_DATA; None: none.
        only: packages instead of the whole course, for a trial.
        options: further ones for pip, such as --index-url.

    Raises:
        OfflineError: the folder holds something else, or pip failed.
    """
    unfinished = folder / ".staging"
    if folder.exists() and any(folder.iterdir()) and not unfinished.exists() and not (folder / MANIFEST).exists():
        raise OfflineError(f"{folder} holds other files. Name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)  # what follows is complete only when the manifest is back
    unfinished.touch()
    wheels = folder / "wheels"
    wanted = only or [f"{root}[dev]", "hatchling", "editables"]
    tested = root / "constraints.txt"
    constraints = ["--constraint", str(tested)] if not only and tested.is_file() else []
    command = [sys.executable, "-m", "pip", "wheel", "--no-color", "--progress-bar", "off", "--wheel-dir", str(wheels)]
    if subprocess.call([*command, *constraints, *options, *wanted]):
        raise OfflineError("pip could not get every wheel; its messages stand above. What it got stays: try again.")
    skip = shutil.ignore_patterns(*LEFT_OUT)
    for name, source in (("course", None if only else root), ("data", data)):
        shutil.rmtree(folder / name, ignore_errors=True)
        if source is not None:
            if not source.is_dir():
                raise OfflineError(f"{source} is not a folder.")
            shutil.copytree(source, folder / name, ignore=skip)
    shutil.copy(Path(__file__), folder / "install.py")
    unfinished.unlink()
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    manifest = {
        "for": described(sys.executable),
        "requirements": only or [f"{PROJECT}[dev]"],
        "files": {path.relative_to(folder).as_posix(): digest(path) for path in files},
        "bytes": sum(path.stat().st_size for path in files),
    }
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)
    os.replace(file.name, folder / MANIFEST)
    return manifest


def verify(folder: Path) -> dict:
    """Compare every file with the manifest.

    Raises:
        OfflineError: the staging was not finished, or a file is missing or damaged; names the first few.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OfflineError(
            f"{folder} has no readable {MANIFEST}: the staging was not finished. Stage it again."
        ) from error
    files = ((name, folder / name, expected) for name, expected in manifest["files"].items())
    if bad := [name for name, path, expected in files if not path.is_file() or digest(path) != expected]:
        raise OfflineError(f"{len(bad)} file(s) are missing or damaged, so copy {folder} again: {', '.join(bad[:5])}")
    return manifest


def install(folder: Path, target: Path) -> Path:
    """Set the course up from a staged folder, without a network.

    Args:
        folder: what `stage` filled.
        target: where the course goes; its .venv holds Python's packages.

    Returns:
        The Python of the new environment.

    Raises:
        OfflineError: the folder is damaged, was made for another Python, or pip failed.
    """
    manifest = verify(folder)
    here, made = described(sys.executable), manifest["for"]
    if here != made:
        raise OfflineError(
            f"These wheels are for Python {made['python']} on {made['system']} ({made['machine']}); this is Python "
            f"{here['python']} on {here['system']} ({here['machine']}). Start with that Python, or stage again on a "
            "machine like this."
        )
    target.mkdir(parents=True, exist_ok=True)
    if (folder / "course").is_dir():
        shutil.copytree(folder / "course", target, dirs_exist_ok=True)
    environment = target / ".venv"
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(environment)]):
        raise OfflineError("The virtual environment could not be made. On Debian or Ubuntu: install python3-venv.")
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wheels = str((folder / "wheels").resolve())
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-color", "--no-index", "--find-links", wheels]
    complete = (target / "pyproject.toml").is_file()
    steps = [["hatchling", "editables"], ["--no-build-isolation", "--editable", f"{target}[dev]"]]
    for step in steps if complete else [manifest["requirements"]]:
        if subprocess.call([*pip, *step]):
            raise OfflineError("pip could not install from the wheels; its messages stand above.")
    if (folder / "data").is_dir():
        shutil.copytree(folder / "data", target / "real-data", dirs_exist_ok=True)
        _tell_kernels(environment, target / "real-data")
    if complete:
        for name in (".ready-lab", ".ready"):
            (environment / name).write_text("Set up from a staged folder.\n", encoding="utf-8")
    return python


def _tell_kernels(environment: Path, data: Path) -> None:
    """Let every notebook kernel of the environment, and shells that activate it, know where the data are."""
    for path in environment.glob("share/jupyter/kernels/*/kernel.json"):
        kernel = json.loads(path.read_text(encoding="utf-8"))
        kernel.setdefault("env", {})["WHERE_TO_LOOK_DATA"] = str(data.resolve())
        path.write_text(json.dumps(kernel, indent=1), encoding="utf-8")
    activate = environment / "bin" / "activate"
    if activate.is_file():
        with activate.open("a", encoding="utf-8") as file:
            file.write(f'\nexport WHERE_TO_LOOK_DATA="{data.resolve()}"\n')


def main(arguments: list[str] | None = None) -> int:
    """Stage or install; as FOLDER/install.py, install."""
    here = Path(__file__).resolve()
    given = sys.argv[1:] if arguments is None else arguments
    if (here.parent / MANIFEST).is_file() and given[:1] not in (["stage"], ["install"]):
        given = ["install", str(here.parent), *given]
    parser = argparse.ArgumentParser(prog="python -m tools.offline", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("stage", help="fill a folder, where there is a network")
    command.add_argument("folder", type=Path)
    staged = os.environ.get("WHERE_TO_LOOK_DATA")
    command.add_argument("--data", type=Path, default=staged, help="data sets to take along")
    command.add_argument("--only", nargs="+", default=[], help="these packages instead of the course, for a trial")
    command.add_argument("--pip", action="append", default=[], metavar="OPTION", help="for pip: --pip=--no-index")
    command = commands.add_parser("install", help="set the course up from such a folder, without a network")
    command.add_argument("folder", type=Path)
    command.add_argument("target", type=Path, nargs="?", default=Path("where-to-look"))
    options = parser.parse_args(given)
    try:
        if options.command == "stage":
            data = Path(options.data) if options.data and not options.only else None
            manifest = stage(here.parent.parent, options.folder, data, options.only, options.pip)
            print(f"{len(manifest['files'])} files, {manifest['bytes'] / 1e6:.0f} MB in {options.folder}.")
            print(f"On a machine without internet: python3 {options.folder.name}/install.py")
        else:
            python = install(options.folder, options.target)
            print(f"Ready without a network. Start with: cd {options.target} && {python.absolute()} -m tools.lab")
    except OfflineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
