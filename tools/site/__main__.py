"""Build the site: `make site`."""

import argparse
import sys
import time
from pathlib import Path

from tools.project import ROOT, Project
from tools.site.build import Site
from tools.site.links import DeadLinkError


def main(arguments: list[str] | None = None) -> int:
    """Build, and say where the first page is."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "site", help="folder; default: build/site")
    parser.add_argument("--fresh", action="store_true", help="read every page again")
    options = parser.parse_args(arguments)
    begin = time.perf_counter()
    site = Site(Project(), options.to)
    try:
        status = site.make(fresh=options.fresh)
    except DeadLinkError as error:
        print(error, file=sys.stderr)
        return 1
    if status == 0:
        print(f"The site is built, after {time.perf_counter() - begin:.0f} s: open {site.html / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
