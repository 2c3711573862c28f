"""The claims as text: a short table for the README, all of them on a page, and the same in the terminal.

The README has a line for each lesson (how many claims hold, and in words what is not confirmed) and then one for each
of `MAIN`. Those were picked by what a paper's own abstract promises and by whether attention was evaluated against gold
alignments, never by how a claim came out; and nothing that failed can be left out, because the first table names it.
"""

import json
import pkgutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import experiments
from course_utils.files import write_whole
from course_utils.paths import data_folder
from course_utils.regions import with_region
from experiments.claims import claims_table, verdict

BEGIN, END = (
    "<!-- claims: begin (written by `python -m experiments report --write`) -->",
    "<!-- claims: end -->",
)
ROOT = Path(__file__).resolve().parents[1]
README, PAGE = ROOT / "README.md", ROOT / "docs" / "claims.md"

MAIN = (
    "01.falls-with-length",
    "01.reversing-bleu",
    "02.beats-fixed",
    "02.flat-with-length",
    "02.aligns",
    "03.beats-conv",
    "03.one-after-another",
    "03.draws-better",
    "03.looks-at-the-digit",
    "04.soft-beats-flat",
    "04.hard-beats-flat",
    "04.points-above-chance",
    "05.attention-beats-conditional",
    "05.words-beat-last",
    "05.aligns-words",
    "06.location-beats-content",
    "06.location-holds",
    "06.looks-at-phonemes",
    "07.attention-beats-convolution",
    "07.abs-beats-lead",
    "07.features-help",
    "07.looks-at-support",
)
"""What each paper's abstract promises, and whether attention agrees with gold alignments: the claims in the README."""

_PAGE_TOP = """# Every claim, and what we measured

`python -m experiments report --write` makes this page from `data/results/`; a test fails when it is stale.

**How to read it.** A claim *holds* only if the whole 95 % interval of the difference, paired by seed, lies on its side;
otherwise it is *not confirmed*, and stays. Seeds are 0, 1, 2 and so on, as many as were fixed beforehand. One seed
gives no interval, and so no verdict. The difference is the second system minus the first. Synthetic data have gold
alignments; real ones are described in [data/README.md](../data/README.md). The direction is what is tested: sizes of a
difference depend on the data, and ours are smaller than the papers'.

**How to repeat it.** The command above each table measures it anew, from the same seeds. How near it comes to these
numbers on another machine is on the page about [reproducibility](reproducibility.md)."""


def results() -> list[dict]:
    """Read every results file, in order of lesson and source."""
    paths = sorted(data_folder("results").glob("[0-9][0-9]-*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def claims_report() -> str:
    """Write the claims of every results file as one Markdown table."""
    return claims_table([entry for result in results() for entry in result["claims"]])


def claims_page() -> str:
    """Write all claims as a page: a table for each lesson and source, with what made it."""
    parts = [_PAGE_TOP]
    for result in results():
        parts += [
            f"## Lesson {_name(result['lesson'])}, {_source(result['source'])}",
            f"`{result['command']}`: {result['seconds'] / 60:.0f} minutes of computing, with torch "
            f"{result['versions']['torch']} and Python {result['versions']['python']}.",
            *(
                f"Accepted on {entry['date']} without measuring again: {entry['reason']}"
                for entry in result.get("accepted", ())
            ),
            claims_table(result["claims"], with_source=False),
        ]
    return "\n\n".join(parts) + "\n"


def _name(lesson: str) -> str:
    """The number of a lesson and what its experiments are called, e.g. "2 additive attention"."""
    modules = (name for _, name, _ in pkgutil.iter_modules(experiments.__path__))
    titles = [name.split("_", 2)[2].replace("_", " ") for name in modules if name.startswith(f"lesson_{lesson}_")]
    return " ".join([str(int(lesson)), *titles])


def _source(name: str) -> str:
    return {"default": "synthetic data", "real": "real data"}.get(name, name)


def readme_tables() -> str:
    """Write the README's two tables: a line for each lesson, a line for each of `MAIN`."""
    return f"{_by_lesson(results())}\n\n{_main_table(results())}"


def _by_lesson(found: Sequence[Mapping]) -> str:
    rows = ["| lesson | hold | not confirmed | on real data |", "|---|---|---|---|"]
    for lesson in sorted({result["lesson"] for result in found}):
        made, elsewhere = (
            [e for r in found if r["lesson"] == lesson and (r["source"] == "default") is is_made for e in r["claims"]]
            for is_made in (True, False)
        )
        held = sum(entry["holds"] is True for entry in made)
        failed = [entry["claim"] for entry in made if entry["holds"] is False]
        single = sum(entry["holds"] is None for entry in made)
        cells = [f"{held} of {len(made)}"]
        if single:
            cells[0] += f" ({single} with one seed, so without a verdict)"
        cells += ["; ".join(failed) or "–", _in_words(elsewhere)]
        rows.append(f"| {_name(lesson)} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _in_words(entries: Sequence[Mapping]) -> str:
    """Say how claims came out on real data, where most have one seed."""
    if not entries:
        return "–"
    parts = []
    judged, single = ([e for e in entries if (e["holds"] is None) is alone] for alone in (False, True))
    if judged:
        parts.append(f"{sum(e['holds'] for e in judged)} of {len(judged)} hold")
    if single:
        parts.append(f"{sum(map(points_its_way, single))} of {len(single)} point the claim's way, one seed")
    return "; ".join(parts)


def points_its_way(entry: Mapping) -> bool:
    """Say whether the mean difference of an entry lies on the claim's side, however surely."""
    mean = entry["difference"]["mean"]
    return mean > 0 if entry["direction"] == "higher" else mean < 0


def _main_table(found: Sequence[Mapping]) -> str:
    rows = ["| claim | in the paper | here, synthetic data | verdict | real data |", "|---|---|---|---|---|"]
    by_place = {(r["source"], e["id"]): e for r in found for e in r["claims"]}
    for name in MAIN:
        entry, real = (by_place.get((source, name)) for source in ("default", "real"))
        if entry is None:
            continue
        means = [sum(side["values"]) / len(side["values"]) for side in (entry["baseline"], entry["ours"])]
        places = 1 if max(map(abs, means)) >= 10 else 3
        both = " → ".join(
            f"{side['name']} {mean:.{places}f}"
            for side, mean in zip((entry["baseline"], entry["ours"]), means, strict=True)
        )
        rows.append(
            f"| {int(name[:2])}: {entry['claim']} ({entry['paper']}) | {entry['paper_results']} "
            f"| {entry['metric']}: {both} ({_difference(entry, places)}) | **{verdict(entry)}** "
            f"| {_difference(real, places) if real else '–'} |"
        )
    return "\n".join(rows)


def _difference(entry: Mapping, places: int) -> str:
    interval = entry["difference"]["ci95"]
    text = f"{entry['difference']['mean']:+.{places}f}"
    return text + (f" [{interval[0]:+.{places}f}, {interval[1]:+.{places}f}]" if interval else ", one seed")


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
