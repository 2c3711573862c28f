"""The page about speed, docs/speed.md, from data/results/bench.json and run_times.json: `python -m benchmarks --page`.

Nothing is measured here. A test compares the page with what is stored.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from course_utils.files import write_whole
from course_utils.teaching.run_times import RunTimes, load_run_times
from tools.project import ROOT

PAGE = ROOT / "docs" / "speed.md"
BENCH = ROOT / "data" / "results" / "bench.json"

LESSON_SECONDS, CELL_SECONDS, COURSE_SECONDS = 240, 60, 1500
"""Budgets on two cores without a GPU."""
VERDICTS = {True: "reached", False: "**missed**", None: "not judged at this size"}

TOP = """# Speed

`make bench` measures what is on this page, in less than five minutes, and writes it; `make lessons OPTIONS=--record`
measures the lessons. A test fails when the page does not show the stored results.

Seconds differ between machines, and on a machine with other work from minute to minute. So contestants take turns on
the same batches, on one thread, and processor time is measured; a ratio is taken within a turn. It is given as the
median, with the lowest and highest turn. What does not depend on the machine at all is the *counted* cost of every
training step (`python -m benchmarks.operations`): a test fails when one grows by a tenth.
"""


def speed_page(bench: Mapping, times: RunTimes | None) -> str:
    """Write the page."""
    parts = [TOP, measured(bench), *_lessons(times)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def measured(bench: Mapping) -> str:
    """What one run of the benchmark found."""
    versions = ", ".join(f"{name} {version}" for name, version in bench["versions"].items())
    sizes = bench["sizes"]
    parts = [
        f"Measured in {bench['seconds']:.0f} s on {bench['machine']}, with {versions}.",
        "## Against a textbook loop, a peer, and no attention",
        f"Lesson 2's RNNsearch on random sentences as long as those of Multi30k: embedding {sizes['embedding']}, "
        f"hidden {sizes['hidden']}, vocabulary {sizes['vocabulary']:,}; batches of {sizes['batch']} for training and "
        f"of {sizes['search_batch']} for search.",
        _table(
            " | CPU seconds | ratio | lowest to highest | target | ",
            "{name} | {over_seconds:.3f} / {under_seconds:.3f} | **{median:.2f}** | {low:.2f} to {high:.2f} | "
            "{least} {target:.2f} | {verdict}",
            (row | {"least": "at least" if row["at_least"] else "at most", "verdict": VERDICTS[row["reached"]]}
             for row in bench["ratios"]),
        ),
        "The textbook loop computes the same from the same weights, as one writes it on first reading the paper: "
        "every equation where it stands, word by word. The peer is the attention of the package `d2l`. Without "
        "attention, the decoder is one call of `nn.GRU` with a fixed context: the least that a recurrent decoder "
        "costs. Targets were set beforehand, on another machine; a target that is missed stays on the page.",
        "## Every system that a lesson trains",
        "One training step (forward, backward, clipping, Adam) with the lesson's own recipe, on a batch of its own "
        "data. Memory is the most that new tensors take at one time within a step, weights and optimiser aside.",
        _table(
            "lesson | system | batch | CPU seconds a step | a second | peak memory | textbook ÷ ours | "
            "ours ÷ no attention",
            "{lesson} | `{system}` | {examples} | {seconds:.3f} | {units_per_second:,.0f} {unit} | "
            "{peak_megabytes:.0f} MB | {textbook} | {limit}",
            (row | {name: _ratio(row[name]) for name in ("textbook", "limit")} for row in bench["steps"]),
        ),
        "*No attention* is, in lessons 2 and 6, one call of `nn.GRU` that reads the mean of what was read or heard; in "
        "lesson 3, as many glimpses at places that are known beforehand, all at once; in lesson 4, the mean of the "
        "cells; in lesson 5, conditional encoding; in lesson 7, the mean word vector. Lesson 3's textbook cuts its "
        "glimpses out image by image; the others project the source anew for every word.",
        "## Growth",
        f"Lesson 2's step as one thing grows; the others stay at {sizes['growth_batch']} pairs, "
        f"{sizes['growth_lengths'][1]} words and {sizes['vocabulary']:,} words in the vocabulary.",
        _table(
            "what grows | to | CPU seconds | times the first",
            "{grows} | {value:,} | {seconds:.3f} | {relative:.2f}",
            bench["growth"],
        ),
        "The others, when their source or their batch is two and four times as large "
        f"(batch {sizes['lesson_growth_batch']} to begin with):",
        _table(
            "lesson | system | what grows | × 2 takes | × 4 takes",
            "{0[lesson]} | `{0[system]}` | {0[grows]} | {1[relative]:.2f} times | {2[relative]:.2f} times",
            zip(*[iter(bench["lesson_growth"])] * 3, strict=True),  # one, two and four times as large
        ),
        "## Decoding",
        "Untrained models generate as many words as the references have, a batch at a time.",
        _table(
            "lesson | system | search | batch | words a second",
            "{lesson} | `{system}` | {search} | {examples} | {words_per_second:,.0f}",
            bench["decoding"],
        ),
        "## Import",
        "Processor time that importing a module adds to the start of Python. A test holds that the first two load "
        "nothing heavy, neither torch nor numpy.",
        _table(
            "module | loads | seconds",
            "`{module}` | {loaded} | {seconds:.2f}",
            (row | {"loaded": ", ".join(row["loads"]) or "nothing heavy"} for row in bench["imports"]),
        ),
    ]  # fmt: skip
    return "\n\n".join(parts)


def _table(heads: str, form: str, rows: Iterable[Mapping | Sequence]) -> str:
    rule = " | ".join("---" for _ in heads.split(" | "))
    cells = [form.format(**row) if isinstance(row, Mapping) else form.format(*row) for row in rows]
    return "\n".join(f"| {line} |" for line in [heads, rule, *cells])


def _ratio(found: Sequence[float] | None) -> str:
    return "–" if found is None else "**{:.2f}** ({:.2f} to {:.2f})".format(*found)


def _lessons(times: RunTimes | None) -> Iterator[str]:
    yield "## The lessons"
    if times is None:
        yield "Not recorded yet: `make lessons OPTIONS=--record`."
        return
    yield (
        f"From top to bottom on {times.machine}, with torch {times.torch}. A lesson may take {LESSON_SECONDS // 60} "
        f"minutes, a cell {CELL_SECONDS} s, the whole course {COURSE_SECONDS // 60} minutes; it takes "
        f"{times.seconds / 60:.0f}."
    )
    form = "{title} | {seconds:.0f} | {slowest_seconds:.0f} s | `{slowest_line}` | {memory}"
    yield _table("lesson | seconds | slowest cell | it is | memory", form, map(vars, times.lessons))
    yield (
        "The slowest cell of a lesson is the one that trains its main model, or evaluates it. Training live is what "
        "the lesson is about, so this is time that a learner is told of before it begins, with progress shown. A "
        "lesson over its budget fails a test."
    )


def over_budget(times: RunTimes) -> list[str]:
    """Name lessons, cells and the course if they took longer than they may."""
    found = [f"{item.name} took {item.seconds:.0f} s" for item in times.lessons if item.seconds > LESSON_SECONDS]
    found += [
        f"{item.name}: a cell took {item.slowest_seconds:.0f} s ({item.slowest_line})"
        for item in times.lessons
        if item.slowest_seconds > CELL_SECONDS
    ]
    return found + ([f"the course took {times.seconds:.0f} s"] if times.seconds > COURSE_SECONDS else [])


def write() -> None:
    """Bring docs/speed.md up to date with the stored results."""
    bench = json.loads(BENCH.read_text(encoding="utf-8"))
    write_whole(PAGE, speed_page(bench, load_run_times()).encode())
