"""Create or refresh .venv; the Makefile calls it when pyproject.toml or constraints.txt is newer than the last set-up.

    python3 tools/setup_environment.py lab     what lessons need, and JupyterLab: `make lab`
    python3 tools/setup_environment.py all     the rest, too: tests, pages, grading: every other command

Both fill the same .venv, so the second adds to the first. Runs with any Python 3 and nothing but the standard library.
It installs through uv, which takes a fraction of pip's time, and falls back to pip where uv cannot be had.
constraints.txt, the set that was last tested, is applied where it was made for this Python and system; elsewhere the
ranges in pyproject.toml decide alone. TORCH=cpu takes torch and torchvision without the libraries of a GPU.
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
# What is installed, and the files that say so: the Makefile compares their dates.
PARTS = {"lab": (".[lab,recordings]", [".ready-lab"]), "all": (".[dev]", [".ready-lab", ".ready"])}


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


def installers(have_uv, torch):
    """The commands to try, best first. Only uv knows where torch is offered for another kind of machine."""
    by_uv = [UV, "pip", "install", "--quiet", "--python", PYTHON]
    by_pip = [PYTHON, "-m", "pip", "install", "--quiet"]
    if torch:
        return [[*by_uv, f"--torch-backend={torch}"]] if have_uv else []
    return [by_uv, by_pip] if have_uv else [by_pip]


def install(wanted, torch=""):
    tested = constraint_options()
    attempts = [tested, []] if tested else [[]]
    have_uv = os.path.exists(UV) or succeeds(PYTHON, "-m", "pip", "install", "--quiet", "uv")
    for installer in installers(have_uv, torch):
        for options in attempts:
            name = "uv" if installer[0] == UV else "pip"
            print(f"Installing with {name}, {'the tested versions' if options else 'the ranges alone'} …", flush=True)
            if succeeds(*installer, *options, "--editable", wanted):
                return
    hint = (
        f" TORCH={torch} needs uv and PyTorch's own list of packages; without it torch comes as usual." if torch else ""
    )
    sys.exit(f"Nothing could be installed; the messages above say why. Without a network this cannot work.{hint}")


def main(part="all"):
    begin = time.time()
    wanted, stamps = PARTS[part]
    check_python()
    create_venv()
    install(wanted, os.environ.get("TORCH", ""))
    for name in stamps:
        with open(os.path.join(VENV, name), "w", encoding="utf-8") as file:
            file.write("The Makefile compares this file's date with pyproject.toml and constraints.txt.\n")
    print(f"Environment ready after {time.time() - begin:.0f} s.", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
