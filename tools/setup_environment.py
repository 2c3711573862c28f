"""Create or refresh .venv; the Makefile calls it when pyproject.toml or constraints.txt is newer than the last set-up.

Runs with any Python 3 and nothing but the standard library. It installs through uv, which takes a fraction of
pip's time, and falls back to pip where uv cannot be had. constraints.txt, the set that was last tested, is applied
where it was made for this Python and system; elsewhere the ranges in pyproject.toml decide alone.
"""

import os
import subprocess
import sys
import time

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
SCRIPTS = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(SCRIPTS, "python")
UV = os.path.join(SCRIPTS, "uv")
STAMP = os.path.join(VENV, ".ready")


def succeeds(*command):
    """Run a command in the checkout; True if it ended well."""
    try:
        return subprocess.call(command, cwd=ROOT) == 0
    except OSError:
        return False


def version_of_this():
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def check_python():
    if sys.version_info < OLDEST:
        sys.exit(
            f"This course needs Python {OLDEST[0]}.{OLDEST[1]} or newer; {sys.executable} is {version_of_this()}. "
            "Name a newer one: make PYTHON=/path/to/python3.12 …"
        )


def create_venv():
    if os.path.exists(PYTHON):
        return
    print(f"Creating .venv with Python {version_of_this()} …", flush=True)
    if not succeeds(sys.executable, "-m", "venv", VENV):
        sys.exit("The virtual environment could not be made. On Debian or Ubuntu: apt install python3-venv, try again.")


def constraint_options():
    """["-c", "constraints.txt"] if its first line names this Python and system, else nothing."""
    ask = "import sys; print(f'{sys.version_info[0]}.{sys.version_info[1]}')"
    minor = subprocess.check_output([PYTHON, "-c", ask], text=True).strip()
    made_for = f"# Tested with Python {minor} on {sys.platform}"
    try:
        with open(os.path.join(ROOT, "constraints.txt"), encoding="utf-8") as file:
            return ["-c", "constraints.txt"] if file.readline().startswith(made_for) else []
    except OSError:
        return []


def install():
    wanted = ["--editable", ".[dev]"]
    tested = constraint_options()
    attempts = [tested, []] if tested else [[]]
    have_uv = os.path.exists(UV) or succeeds(PYTHON, "-m", "pip", "install", "--quiet", "uv")
    installers = [[PYTHON, "-m", "pip", "install", "--quiet"]]
    if have_uv:
        installers.insert(0, [UV, "pip", "install", "--quiet", "--python", PYTHON])
    for installer in installers:
        for options in attempts:
            name = "uv" if installer[0] == UV else "pip"
            print(f"Installing with {name}, {'the tested versions' if options else 'the ranges alone'} …", flush=True)
            if succeeds(*installer, *options, *wanted):
                return
    sys.exit("Nothing could be installed; the messages above say why. Without a network this step cannot work.")


def main():
    begin = time.time()
    check_python()
    create_venv()
    install()
    with open(STAMP, "w", encoding="utf-8") as file:
        file.write("The Makefile compares this file's date with pyproject.toml and constraints.txt.\n")
    print(f"Environment ready after {time.time() - begin:.0f} s.", flush=True)


if __name__ == "__main__":
    main()
