"""A claim of a paper, two lists of figures, and the verdict: the entries of `data/results/*.json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils.files import write_whole
from course_utils.metrics import paired_interval
from course_utils.paths import result_path


@dataclass(frozen=True)
class Claim:
    """A comparison that a paper's claim comes down to.

    Attributes:
        claim_id: "NN.short-name", NN being the lesson.
        paper: e.g. "arXiv:1409.0473".
        claim: the claim in a sentence.
        metric: what is measured, with its unit.
        direction: "higher" or "lower": where `ours` should lie.
        baseline, ours: (name of the system, key of its figure in a measurement).
        paper_figures: the paper's own figures, in words.
        sources: the data sources on which it can be measured.
    """

    claim_id: str
    paper: str
    claim: str
    metric: str
    direction: str
    baseline: tuple[str, str]
    ours: tuple[str, str]
    paper_figures: str
    sources: tuple[str, ...] = ("default", "real")

    def entry(self, measurements: Sequence[Mapping[str, float]]) -> dict:
        """Judge the claim on one measurement per seed.

        The claim holds only if the whole 95 % interval of the paired difference lies on its side.

        Args:
            measurements: figures by key, one mapping per seed.
        """
        baseline = [measurement[self.baseline[1]] for measurement in measurements]
        ours = [measurement[self.ours[1]] for measurement in measurements]
        difference = paired_interval(baseline, ours)
        holds = difference.low > 0 if self.direction == "higher" else difference.high < 0
        finite = len(measurements) > 1
        return {
            "id": self.claim_id,
            "paper": self.paper,
            "claim": self.claim,
            "metric": self.metric,
            "direction": self.direction,
            "baseline": {"name": self.baseline[0], "values": baseline},
            "ours": {"name": self.ours[0], "values": ours},
            "difference": {
                "mean": difference.mean,
                "ci95": [difference.low, difference.high] if finite else None,
            },
            "holds": holds if finite else None,
            "paper_figures": self.paper_figures,
        }


def results_path(lesson: str, source: str) -> Path:
    """Say where the results of a lesson on a source are kept."""
    return result_path(f"{lesson}-{source}.json")


def load_results(lesson: str, source: str = "default") -> dict | None:
    """Read the stored results of a lesson, with `claims` and `measurements`; None if not measured yet."""
    path = results_path(lesson, source)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def write_json(path: Path, content: object) -> None:
    """Write a JSON file, whole or not at all."""
    write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def verdict(entry: Mapping) -> str:
    """Say in words whether an entry's claim holds."""
    if entry["holds"] is None:
        return "one seed: no interval"
    return "holds" if entry["holds"] else "not confirmed"


def claims_table(entries: Sequence[Mapping], *, with_source: bool = True) -> str:
    """Write entries as a Markdown table: claim, the paper's figures, ours with the interval, verdict."""
    rows = ["| claim | paper | measured here | difference, 95 % interval | verdict |", "|---|---|---|---|---|"]
    for entry in entries:
        baseline, ours = entry["baseline"], entry["ours"]
        means = [sum(side["values"]) / len(side["values"]) for side in (baseline, ours)]
        places = 1 if max(map(abs, means)) >= 10 else 3
        interval = entry["difference"]["ci95"]
        difference = f"{entry['difference']['mean']:+.{places}f}"
        if interval:
            difference += f" [{interval[0]:+.{places}f}, {interval[1]:+.{places}f}]"
        seeds = f"{len(ours['values'])} seed{'s' if len(ours['values']) > 1 else ''}"
        where = f" · {entry['source']}" if with_source and "source" in entry else ""
        rows.append(
            f"| {entry['claim']} ({entry['paper']}) | {entry['paper_figures']} "
            f"| {entry['metric']}{where}, {seeds}: {baseline['name']} {means[0]:.{places}f}, "
            f"{ours['name']} {means[1]:.{places}f} | {difference} | **{verdict(entry)}** |"
        )
    return "\n".join(rows)
