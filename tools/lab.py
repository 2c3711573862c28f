"""Open JupyterLab on the first notebook: `make lab`."""

import os
import sys
import webbrowser
from pathlib import Path

from tools.project import ROOT

FIRST = "notebooks/00_start_here.ipynb"


def has_browser() -> bool:
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def command(extra: list[str]) -> list[str]:
    options = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{FIRST}", "--ServerApp.log_level=WARN"]
    if not has_browser():
        options.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container
        options.append("--allow-root")
    return [sys.executable, "-m", "jupyterlab", *options, *extra]


if __name__ == "__main__":
    print("Starting JupyterLab; stop it with Ctrl-C.", flush=True)
    if not has_browser():
        print("There is no browser here: copy the address below into one.", flush=True)
    os.chdir(ROOT)
    # As in an activated environment: nbgrader, whose pages open in the lab, starts other programs by name.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    os.execv(sys.executable, command(sys.argv[1:]))
