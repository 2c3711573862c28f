"""How fast are the readable models? Ratios measured in one run, on one thread, in CPU time.

    python -m benchmarks            the table, data/results/bench.json and docs/speed.md
    python -m benchmarks --quick    a smaller one in seconds, to see that everything runs
    python -m benchmarks --page     the page again, from what is stored

Contestants take turns on the same batches, and a ratio is taken within a turn, so that other work on the
machine slows both sides. The table gives the median and, in brackets, the lowest and highest turn.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

# Before torch is there: its profiler would talk between the lines.
os.environ |= {"KINETO_LOG_LEVEL": "99", "TORCH_CPP_LOG_LEVEL": "ERROR"}

import torch

from benchmarks import page as speed_page
from benchmarks.imports import measure_imports
from benchmarks.lessons import Step, measure_decoding, measure_lesson_growth, measure_steps
from benchmarks.peer import REQUIREMENT, PeerUnavailable, build_peer, load_peer
from benchmarks.timing import Ratio
from benchmarks.translation import QUICK, Sizes, measure_growth, measure_search, measure_training
from experiments.claims import write_json
from tools.project import ROOT

PEER_FOLDER = ROOT / "build" / "bench-peer"


def table(ratios: list[Ratio], steps: list[Step], growth: list[dict], sizes: Sizes, judge: bool) -> Iterator[str]:
    """The main part of the results as lines of text."""
    yield (
        f"One thread, CPU time; embedding {sizes.embedding}, hidden {sizes.hidden}, vocabulary {sizes.vocabulary:,}; "
        f"batch {sizes.batch} for training, {sizes.search_batch} for search."
    )
    yield f"{'what':44}{'CPU seconds':>20}{'ratio':>8}  {'lowest-highest':16}{'target':>8}  verdict"
    for ratio in ratios:
        times = f"{ratio.over_seconds:.3f} / {ratio.under_seconds:.3f}"
        spread = f"({ratio.low:.2f}-{ratio.high:.2f})"
        target = f"{'≥' if ratio.at_least else '≤'} {ratio.target:.2f}"
        verdict = ("reached" if ratio.reached else "MISSED") if judge else "not judged at this size"
        yield f"{ratio.name:44}{times:>20}{ratio.median:>8.2f}  {spread:16}{target:>8}  {verdict}"
    yield ""
    yield f"{'one training step':28}{'batch':>7}{'CPU s':>8}{'a second':>26}{'memory':>9}{'textbook':>10}{'limit':>7}"
    for step in steps:
        ratio = [f"{item[0]:.2f}" if item else "–" for item in (step.textbook, step.limit)]
        speed = f"{step.units_per_second:,.0f} {step.unit}"
        yield (
            f"{step.lesson + ' ' + step.system:28}{step.examples:>7}{step.seconds:>8.3f}{speed:>26}"
            f"{step.peak_megabytes:>6.0f} MB{ratio[0]:>10}{ratio[1]:>7}"
        )
    yield ""
    shared = f"batch {sizes.growth_batch}, {sizes.growth_lengths[1]} words, vocabulary {sizes.vocabulary:,}"
    yield f"Growth of our training step, one thing at a time ({shared}):"
    yield f"{'what grows':12}{'to':>8}{'CPU seconds':>14}{'times the first':>18}"
    for row in growth:
        yield f"{row['grows']:12}{row['value']:>8}{row['seconds']:>14.3f}{row['relative']:>18.2f}"


def main(arguments: list[str] | None = None) -> dict | None:
    """Measure, print, and keep what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, few turns; writes no file unless told where")
    parser.add_argument("--no-peer", action="store_true", help="leave the d2l package out: nothing is downloaded")
    parser.add_argument("--output", type=Path, help="where to write the figures as JSON")
    parser.add_argument("--page", action="store_true", help="measure nothing: write docs/speed.md from what is stored")
    options = parser.parse_args(arguments)
    if options.page:
        speed_page.write()
        return None
    sizes = QUICK if options.quick else Sizes()
    output = options.output or (None if options.quick else speed_page.BENCH)
    started, threads = time.perf_counter(), torch.get_num_threads()
    versions = {"python": platform.python_version(), "torch": metadata.version("torch")}
    torch.set_num_threads(1)
    torch.manual_seed(0)
    try:
        peer = None if options.no_peer else _peer(sizes, versions)
        print(f"Measuring on one thread; this takes {'seconds' if options.quick else 'up to five minutes'} ...")
        ratios = measure_training(sizes, peer) + measure_search(sizes)
        growth = measure_growth(sizes)
        steps = measure_steps(sizes)
        lesson_growth, decoding = measure_lesson_growth(sizes), measure_decoding(sizes)
    finally:
        torch.set_num_threads(threads)
    imports = measure_imports(rounds=1 if options.quick else 3)
    print("\n".join(table(ratios, steps, growth, sizes, judge=not options.quick)))
    results = {
        "command": "python -m benchmarks" + " --quick" * options.quick,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, no GPU",
        "peer": REQUIREMENT if peer is not None else None,
        "versions": versions,
        "seconds": round(time.perf_counter() - started, 1),
        "sizes": asdict(sizes),
        "ratios": [asdict(ratio) | {"reached": ratio.reached} for ratio in ratios],
        "steps": [asdict(step) | {"units_per_second": step.units_per_second} for step in steps],
        "growth": growth,
        "lesson_growth": lesson_growth,
        "decoding": decoding,
        "imports": imports,
    }
    results = json.loads(json.dumps(results))
    if output is not None:
        write_json(output, results)
        print(f"Written to {output.relative_to(ROOT) if output.is_relative_to(ROOT) else output}.")
        if output == speed_page.BENCH:
            speed_page.write()
    return results


def _peer(sizes: Sizes, versions: dict[str, str]) -> torch.nn.Module | None:
    """Get the peer and note its version; say so if it cannot be had."""
    try:
        peer = build_peer(load_peer(PEER_FOLDER), sizes.vocabulary, sizes.embedding, sizes.hidden)
    except PeerUnavailable as reason:
        print(f"Without the peer d2l: {reason}. Is the package registry reachable?")
        return None
    versions["d2l"] = next(metadata.distributions(name="d2l", path=[str(PEER_FOLDER)])).version
    return peer


if __name__ == "__main__":
    main()
