"""How fast are the readable models? Ratios measured in one run, on one thread, in CPU time.

    python -m benchmarks            the table, data/results/bench.json and docs/speed.md
    python -m benchmarks --quick    a smaller one in seconds, to see that everything runs
    python -m benchmarks --page     the page again, from what is stored

Contestants take turns on the same batches, and a ratio is taken within a turn, so that other work on the
machine slows both sides. The table gives the median, and the lowest and highest turn.
"""

import argparse
import json
import os
import platform
import time
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

# Before torch is there: its profiler would talk between the lines.
os.environ |= {"KINETO_LOG_LEVEL": "99", "TORCH_CPP_LOG_LEVEL": "ERROR"}

import torch

from benchmarks import page as speed_page
from benchmarks.imports import measure_imports
from benchmarks.lessons import measure_decoding, measure_lesson_growth, measure_steps
from benchmarks.peer import REQUIREMENT, PeerUnavailable, build_peer, load_peer
from benchmarks.translation import QUICK, Sizes, measure_growth, measure_search, measure_training
from experiments.claims import write_json
from tools.project import ROOT

PEER_FOLDER = ROOT / "build" / "bench-peer"


def main(arguments: list[str] | None = None) -> dict | None:
    """Measure, print, and store what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, few turns; writes no file unless told where")
    parser.add_argument("--no-peer", action="store_true", help="leave the d2l package out: nothing is downloaded")
    parser.add_argument("--output", type=Path, help="where to write the results as JSON")
    parser.add_argument("--page", action="store_true", help="measure nothing: write docs/speed.md from what is stored")
    options = parser.parse_args(arguments)
    if options.page:
        return speed_page.write()
    sizes = QUICK if options.quick else Sizes()
    output = options.output or (None if options.quick else speed_page.BENCH)
    started, threads = time.perf_counter(), torch.get_num_threads()
    results = {
        "command": "python -m benchmarks" + " --quick" * options.quick,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, no GPU",
        "peer": REQUIREMENT,
        "versions": {"python": platform.python_version(), "torch": metadata.version("torch")},
        "seconds": 0.0,
        "sizes": asdict(sizes),
    }
    torch.set_num_threads(1)
    torch.manual_seed(0)
    try:
        peer = None if options.no_peer else _peer(sizes, results["versions"])
        print(f"Measuring on one thread; this takes {'seconds' if options.quick else 'up to five minutes'} ...")
        results["ratios"] = measure_training(sizes, peer) + measure_search(sizes)
        results |= {"steps": measure_steps(sizes), "growth": measure_growth(sizes)}
        results |= {"lesson_growth": measure_lesson_growth(sizes), "decoding": measure_decoding(sizes)}
    finally:
        torch.set_num_threads(threads)
    results["imports"] = measure_imports(rounds=1 if options.quick else 3)
    if options.quick:  # targets are for the full sizes
        results["ratios"] = [ratio | {"reached": None} for ratio in results["ratios"]]
    results |= {"peer": REQUIREMENT if peer is not None else None, "seconds": round(time.perf_counter() - started, 1)}
    results = json.loads(json.dumps(results))
    print(speed_page.measured(results))
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
