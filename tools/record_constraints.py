"""Record the versions that today's ranges resolve to: `make constraints`. Run the tests before committing it."""

import subprocess
import sys
from pathlib import Path

from tools.project import ROOT


def main() -> int:
    uv = Path(sys.prefix) / ("Scripts" if sys.platform == "win32" else "bin") / "uv"
    options = ["--all-extras", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-package=where-to-look"]
    command = [uv, "pip", "compile", "--quiet", "--upgrade", *options, "--python", sys.executable, "pyproject.toml"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if answer.returncode:
        print(answer.stderr, file=sys.stderr)
        return 1
    # tools/setup_environment.py reads this line: elsewhere the ranges in pyproject.toml decide.
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    first = f"# Tested with Python {python} on {sys.platform}; written by `make constraints`.\n"
    (ROOT / "constraints.txt").write_text(first + answer.stdout, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
