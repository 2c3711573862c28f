"""What is stale, why, and what remaking it costs: `make refresh`; remakes nothing unless told to."""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from graphlib import TopologicalSorter

from experiments import runner
from tools.project import Project
from tools.refresh.record import Record

HELP = "by lesson (04), by kind (checkpoints, results, notebooks, images, gallery, pages), by name, or all"


def listed(record: Record) -> Iterable[str]:
    """What is stale, with reason and cost."""
    yield from (f"{name:<36}{_time(record.seconds(name)):>8}  {why}" for name, why in record.stale.items())
    total = _time(sum(record.seconds(name) or 0 for name in record.stale))
    yield f"{len(record.stale)} of {len(record.artefacts)} artefacts are stale; remaking them takes about {total}."
    if record.stale:
        yield 'Remake: make refresh REMAKE="04 pages"    Accept: make refresh ACCEPT="04" REASON="why they may stay"'


def _time(seconds: float | None) -> str:
    unit = next((unit for unit in ((3600, "h"), (60, "min")) if (seconds or 0) >= unit[0]), (1, "s"))
    return "?" if seconds is None else f"{seconds / unit[0]:.{int(unit[1] == 'h')}f} {unit[1]}"


def remake(record: Record, names: list[str], jobs: int, project: Project) -> None:
    """Run the commands that make artefacts, each after those that it needs, and record them; stop after a failure."""
    artefacts = [record.artefacts[name] for name in names]
    order: TopologicalSorter = TopologicalSorter()
    for artefact in artefacts:
        needed = {other.command for other in artefacts if other.name in artefact.upstream} - {artefact.command}
        order.add(artefact.command, *needed)

    def make(command: str) -> tuple[int, float]:
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", *command.split()], cwd=project.root, check=False)
        return done.returncode, time.perf_counter() - started

    order.prepare()
    while order.is_active():
        commands, record = order.get_ready(), Record(project)  # what the next ones are made from, before they begin
        with ThreadPoolExecutor(jobs) as pool:
            made = list(pool.map(make, commands))
        for command, (failure, taken) in zip(commands, made, strict=True):
            print(f"{'FAILED' if failure else 'made'} in {_time(taken)}: python -m {command}", flush=True)
            if not failure:
                record.keep([artefact.name for artefact in artefacts if artefact.command == command], round(taken))
                order.done(command)
        if any(failure for failure, _ in made):
            return


def _store_reasons(project: Project, names: list[str], reason: str) -> None:
    """Write the reason into the results that are accepted, and print what a few steps give that they did not."""
    for name in names:
        if re.match(r"results/\d\d-", name):
            found = runner.accept(project.root / "data" / f"{name}.json", reason)
            print(f"{name}: a few steps give {'what they gave' if not found else '; '.join(found)}", flush=True)


def main(arguments: list[str] | None = None, project: Project | None = None) -> int:
    """List, remake or accept; returns 1 if something stays stale that was not to."""
    parser = argparse.ArgumentParser(prog="python -m tools.refresh", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--remake", nargs="+", default=[], metavar="NAME", help=f"remake the stale ones of these: {HELP}"
    )
    parser.add_argument(
        "--accept", nargs="+", default=[], metavar="NAME", help="take the stale ones of these as they are"
    )
    parser.add_argument("--reason", default="", help="why they may stay: it is stored")
    parser.add_argument("--jobs", type=int, default=1, help="how many commands side by side")
    options, project = parser.parse_args(arguments), project or Project()
    if options.accept and not options.reason.strip():
        parser.error('accepting without remaking needs a reason, which is stored: REASON="why they may stay".')
    try:
        record = Record(project)
        names = record.select([*options.remake, *options.accept])
    except ValueError as error:
        parser.error(str(error))
    if options.accept:
        _store_reasons(project, names, options.reason.strip())
        record = Record(project)
        record.keep(names, reason=options.reason.strip(), date=date.today().isoformat())
    elif options.remake:
        remake(record, names, options.jobs, project)
    record = Record(project) if names else record
    print("\n".join(listed(record)))
    return int(bool(set(names) & record.stale.keys()))


if __name__ == "__main__":
    sys.exit(main())
