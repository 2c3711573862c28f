"""Open JupyterLab on the first notebook: `make lab`. What it shows and hides is set in tools/lab_settings."""

import os
import sys
import webbrowser

from tools.project import ROOT

SETTINGS = ROOT / "tools" / "lab_settings"


def has_browser() -> bool:
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def command(extra: list[str]) -> list[str]:
    options = [] if has_browser() else ["--no-browser"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container
        options.append("--allow-root")
    return [sys.executable, "-m", "jupyterlab", *options, *extra]


def environment() -> dict[str, str]:
    """This process's, with the course's settings before the user's."""
    paths = [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return os.environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}


if __name__ == "__main__":
    print("Starting JupyterLab; stop it with Ctrl-C.", flush=True)
    if not has_browser():
        print("There is no browser here: copy the address below into one.", flush=True)
    os.chdir(ROOT)
    os.execve(sys.executable, command(sys.argv[1:]), environment())
