"""The claims as text: two short tables for the README, all of them on a page, and the same in the terminal.

The README has a line for each lesson (its verdicts, and in words what does not hold) and then one for each of `MAIN`.
Those were picked by what a paper's own abstract promises and by whether attention was evaluated against gold
alignments, never by how a claim came out; and nothing that failed can be left out, because the first table names it.
"""

import json
import pkgutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import experiments
from course_utils.files import write_whole
from course_utils.paths import data_folder
from course_utils.regions import with_region
from experiments.claims import VERDICTS, claims_table, means_of
from experiments.costs import costs_page

BEGIN, END = (
    "<!-- claims: begin (written by `python -m experiments report --write`) -->",
    "<!-- claims: end -->",
)
ROOT = Path(__file__).resolve().parents[1]
README, PAGE = ROOT / "README.md", ROOT / "docs" / "claims.md"

_MAIN = """
    01.falls-with-length 01.reversing-bleu 02.beats-fixed 02.flat-with-length 02.aligns 03.beats-conv
    03.one-after-another 03.draws-better 03.looks-at-the-digit 04.soft-beats-flat 04.hard-beats-flat
    04.points-above-chance 05.attention-beats-conditional 05.words-beat-last 05.aligns-words 06.location-beats-content
    06.location-holds 06.looks-at-phonemes 07.attention-beats-convolution 07.abs-beats-lead 07.features-help
    07.looks-at-support
"""
MAIN = tuple(_MAIN.split())
"""What each paper's abstract promises, and whether attention agrees with gold alignments: the claims in the README."""

_README_TOP = """A claim **holds** if the whole 95 % interval of the difference, paired by seed, lies on its side. It is
**contradicted** if it lies on the other. Both need p < 0.05 after Holm's correction. A comparison is **void** if both
systems are at a measured floor or ceiling. The rest is **inconclusive**."""

_PAGE_TOP = """# Every claim, and what we measured

`python -m experiments report --write` makes this page from `data/results/`; a test fails when it is stale.

**How to read it.** A claim **holds** if the whole 95 % interval of the difference (second system minus first, paired by
seed) lies on its side, and is **contradicted** if it lies on the other; both also need p < 0.05 in a paired t-test,
corrected by Holm's method over all claims of the same table. A comparison is **void** if both systems are at a *gate*:
at a floor or a ceiling that is measured without them, within the margin that stands beside it; then the difference is
no effect. Everything else is **inconclusive**. *Equal* says what both systems had alike, or what differs.

Synthetic data have gold alignments; real ones are described in [data/README.md](../data/README.md). Seeds are 0, 1, 2
and so on, as many as were fixed beforehand. The direction is what is tested: sizes of a difference depend on the data.
The command above each table measures it again; how near it comes on another machine is on the page about
[reproducibility](reproducibility.md). `python -m experiments judge all` derives the verdicts from the stored
measurements."""


def results() -> list[dict]:
    """Read every results file, in order of lesson and source."""
    paths = sorted(data_folder("results").glob("[0-9][0-9]-*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def claims_report() -> str:
    """Write the claims of every results file as one Markdown table."""
    return claims_table([{**entry, "source": result["source"]} for result in results() for entry in result["claims"]])


def claims_page() -> str:
    """Write all claims as a page: a table for each lesson and source, with what made it; at the end what it costs."""
    parts = [_PAGE_TOP]
    for result in results():
        varied = sorted({entry["varies"] for entry in result["claims"]})
        parts += [
            f"## Lesson {_name(result['lesson'])}, {_source(result['source'])}",
            f"{counts(result['claims'])}. `{result['command']}`, with torch {result['versions']['torch']} and Python "
            f"{result['versions']['python']}. A seed, of {len(result['seeds'])}, changes: {', or: '.join(varied)}.",
            *(f"Accepted on {entry['date']} without measuring again: {entry['reason']}"
              for entry in result.get("accepted", ())),
            claims_table(result["claims"]),
        ]  # fmt: skip
    return "\n\n".join([*parts, costs_page()]) + "\n"


def _name(lesson: str) -> str:
    """The number of a lesson and what its experiments are called, e.g. "2 additive attention"."""
    modules = (name for _, name, _ in pkgutil.iter_modules(experiments.__path__))
    titles = [name.split("_", 2)[2].replace("_", " ") for name in modules if name.startswith(f"lesson_{lesson}_")]
    return " ".join([str(int(lesson)), *titles])


def _source(name: str) -> str:
    return {"default": "synthetic data", "real": "real data"}.get(name, name)


def counts(entries: Sequence[Mapping]) -> str:
    """Say how many claims have each verdict, e.g. "3 of 4 hold, 1 void"."""
    found = Counter(entry["verdict"] for entry in entries)
    others = [f", {found[name]} {name}" for name in VERDICTS[1:] if found[name]]
    return f"{found['holds']} of {len(entries)} hold" + "".join(others)


def readme_tables() -> str:
    """Write the README's two tables: a line for each lesson, a line for each of `MAIN`."""
    return "\n".join([_README_TOP, "", *_by_lesson(results()), "", *_main_table(results())])


def _by_lesson(found: Sequence[Mapping]) -> Iterator[str]:
    yield "| lesson | synthetic data | what does not hold | real data |"
    yield "|---|---|---|---|"
    for lesson in sorted({result["lesson"] for result in found}):
        made, elsewhere = (
            [e for r in found if r["lesson"] == lesson and (r["source"] == "default") is is_made for e in r["claims"]]
            for is_made in (True, False)
        )
        failed = [f"{name}: {entry['claim']}" for name in VERDICTS[1:] for entry in made if entry["verdict"] == name]
        cells = [counts(made), "; ".join(failed) or "–", counts(elsewhere) if elsewhere else "–"]
        yield f"| {_name(lesson)} | {' | '.join(cells)} |"


def _main_table(found: Sequence[Mapping]) -> Iterator[str]:
    yield "| claim | in the paper | here, synthetic data | verdict | real data |"
    yield "|---|---|---|---|---|"
    by_place = {(r["source"], e["id"]): e for r in found for e in r["claims"]}
    for name in MAIN:
        entry, real = (by_place.get((source, name)) for source in ("default", "real"))
        if entry is None:
            continue
        means, difference = means_of(entry)
        both = f"{entry['baseline']['name']} {means[0]} → {entry['ours']['name']} {means[1]}"
        elsewhere = f"{means_of(real)[1]}, {real['verdict']}" if real else "–"
        yield (
            f"| {int(name[:2])}: {entry['claim']} ({entry['paper']}) | {entry['paper_results']} "
            f"| {entry['metric']}: {both} ({difference}) | **{entry['verdict']}** | {elsewhere} |"
        )


def with_claims(text: str) -> str:
    """Replace what stands between the two marks of a Markdown text by today's tables.

    Raises:
        ValueError: if the marks are missing.
    """
    return with_region(text, BEGIN, END, readme_tables())


def write() -> None:
    """Bring README.md and docs/claims.md up to date."""
    write_whole(README, with_claims(README.read_text(encoding="utf-8")).encode())
    write_whole(PAGE, claims_page().encode())
