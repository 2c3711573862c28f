"""A paper's claim as data, two lists of metrics, and the verdict: the entries of `data/results/*.json`.

`claims/NN.yaml` holds the claims of lesson NN, a list of

    - id: 02.beats-fixed            # the lesson and a short name
      paper: arXiv:1409.0473
      claim: Attention translates better than a fixed vector
      metric: BLEU, all test sentences      # with its unit
      direction: higher             # or lower: where `ours` should lie
      baseline: {name: fixed vector, key: fixed/bleu/all}   # key: of the metrics that `Experiment.measure` returns
      ours: {name: attention, key: attention/bleu/all}
      paper_figures: RNNencdec-50 17.82, RNNsearch-50 26.75
      sources: [default, real]      # of the data that it can be measured on

Every field is required, and there are no others.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from course_utils.files import write_whole
from course_utils.metrics import paired_interval
from course_utils.paths import result_path

FOLDER = Path(__file__).with_name("claims")
_FIELDS = ("id", "paper", "claim", "metric", "direction", "baseline", "ours", "paper_results", "sources")


@dataclass(frozen=True)
class Claim:
    """A comparison that a paper's claim comes down to.

    Attributes:
        claim_id: "NN.short-name", NN being the lesson.
        paper: e.g. "arXiv:1409.0473".
        claim: the claim in a sentence.
        metric: what is measured, with its unit.
        direction: "higher" or "lower": where `ours` should lie.
        baseline, ours: (name of the system, key of its metric in a measurement).
        paper_figures: the paper's own numbers, in words.
        sources: the data sources on which it can be measured.
    """

    claim_id: str
    paper: str
    claim: str
    metric: str
    direction: str
    baseline: tuple[str, str]
    ours: tuple[str, str]
    paper_results: str
    sources: tuple[str, ...] = ("default", "real")

    def entry(self, measurements: Sequence[Mapping[str, float]]) -> dict:
        """Judge the claim on one measurement per seed.

        The claim holds only if the whole 95 % interval of the paired difference lies on its side.

        Args:
            measurements: metrics by key, one mapping per seed.
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
            "paper_results": self.paper_results,
        }


def load_claims(lesson: str, folder: Path = FOLDER) -> tuple[Claim, ...]:
    """Read the claims of a lesson, in the order of the file.

    Args:
        lesson: its two digits.
        folder: where `NN.yaml` is.

    Raises:
        ValueError: if the file is missing or is no list, or an entry is not as the schema says; names file and claim.
    """
    path = folder / f"{lesson}.yaml"
    if not path.exists():
        raise ValueError(f"{path} is not there; expected the claims of lesson {lesson}, as experiments/claims.py says.")
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{path} holds {type(entries).__name__}; expected a list of claims.")
    claims = tuple(_claim(entry, lesson, f"{path}, claim {place}") for place, entry in enumerate(entries, 1))
    ids = [claim.claim_id for claim in claims]
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{path} has {', '.join(repeated)} more than once; expected every id once.")
    return claims


def _claim(entry: object, lesson: str, place: str) -> Claim:
    entry = entry if isinstance(entry, Mapping) else {}
    place += f" ({entry['id']})" if "id" in entry else ""

    def expect(right: bool, problem: str) -> None:
        if not right:
            raise ValueError(f"{place}: {problem}.")

    missing, unknown = [name for name in _FIELDS if name not in entry], [name for name in entry if name not in _FIELDS]
    expect(not missing, f"the fields {', '.join(missing)} are missing; expected {', '.join(_FIELDS)}")
    expect(not unknown, f"the fields {', '.join(map(str, unknown))} are unknown; expected {', '.join(_FIELDS)}")
    sides = {name: entry.pop(name) for name in ("baseline", "ours")}
    for name, side in sides.items():
        good = isinstance(side, Mapping) and side.keys() == {"name", "key"} and all(map(_is_text, side.values()))
        expect(good, f"{name} is {side!r}; expected the texts name and key")
    sources = entry.pop("sources")
    expect(isinstance(sources, list) and sources and all(map(_is_text, sources)), f"sources is {sources!r}; expected a "
           "list of names")  # fmt: skip
    for name, value in entry.items():
        expect(_is_text(value), f"{name} is {value!r}; expected a text (put it in quotes)")
    expect(entry["id"].startswith(f"{lesson}."), f"the id does not begin with the lesson; expected {lesson}.short-name")
    expect(entry["direction"] in ("higher", "lower"), f"direction is {entry['direction']!r}; expected higher or lower")
    pairs = {name: (side["name"], side["key"]) for name, side in sides.items()}
    return Claim(entry.pop("id"), **entry, **pairs, sources=tuple(sources))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


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
            f"| {entry['claim']} ({entry['paper']}) | {entry['paper_results']} "
            f"| {entry['metric']}{where}, {seeds}: {baseline['name']} {means[0]:.{places}f}, "
            f"{ours['name']} {means[1]:.{places}f} | {difference} | **{verdict(entry)}** |"
        )
    return "\n".join(rows)
