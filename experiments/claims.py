"""A paper's claim as data, two lists of metrics, and the verdict: the entries of `data/results/*.json`.

`claims/NN.yaml` holds the claims of lesson NN, a list of

    - id: 02.beats-fixed            # the lesson and a short name
      paper: arXiv:1409.0473
      claim: Attention translates better than a fixed vector
      metric: BLEU, all test sentences      # with its unit
      direction: higher             # or lower: where `ours` should lie
      baseline: {name: fixed vector, key: fixed/bleu/all}   # key: of the metrics that `Experiment.measure` returns
      ours: {name: attention, key: attention/bleu/all}
      equal: steps                  # or seconds (both are checked), or what differs, with {steps} and {seconds}
      varies: initial weights and the order of batches      # what a seed changes
      gate: {name: sentences of other sources, key: shuffled/bleu/all, kind: floor, margin: 2, why: …}
      paper_results: RNNencdec-50 17.82, RNNsearch-50 26.75
      sources: [default, real]      # of the data that it can be measured on

Every field is required, and there are no others. `equal` may be a mapping from sources to texts. `gate` may be a list,
or a text: why there is none. The first item may be `defaults:`, a mapping of fields of claims that do not have them
(and `gates`, for anchors).

A gate is what can be had without the system: a floor of the metric (numbers at or below it, or within `margin` above
it, show nothing), or a ceiling (the same from above, so a phoneme error rate has a ceiling of 100 %). It has a `value`,
or the `key` of one of `Experiment.gates` or of the metrics (their mean over seeds); `of`: the keys of the metrics that
must pass it, if not those of the two systems. A margin may be a text, "5 %" of the value.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import mean

import yaml

from course_utils.files import write_whole
from course_utils.metrics import paired_interval
from course_utils.paths import result_path

FOLDER = Path(__file__).with_name("claims")
VERDICTS = ("holds", "contradicted", "inconclusive", "void")
LEVEL = 0.05
"""Of the corrected p-value, below which a claim holds or is contradicted."""
_EQUAL_SECONDS = 0.1
_SIDES = ("baseline", "ours")

Metrics = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Gate:
    """What a comparison has to pass; see the module's text for the fields."""

    name: str
    kind: str
    margin: float | str
    why: str
    key: str = ""
    value: float | None = None
    of: tuple[str, ...] = ()

    def entry(self, metrics: Metrics, gates: Mapping[str, float]) -> dict:
        """The gate of a result's entry: `name`, `value`, `kind` and `margin`.

        Raises:
            ValueError: if neither gates nor metrics have the key.
        """
        value = self.value
        if value is None:
            if self.key not in gates and self.key not in metrics[0]:
                raise ValueError(f"gate {self.name!r}: {self.key!r} is neither a gate nor a metric; measure the gates "
                                 "again (python -m experiments judge NN --gates) or correct the key.")  # fmt: skip
            value = gates[self.key] if self.key in gates else mean(one[self.key] for one in metrics)
        margin = self.margin
        if isinstance(margin, str):
            margin = float(f"{abs(value) * float(margin.rstrip(' %')) / 100:.4g}")
        return {"name": self.name, "value": value, "kind": self.kind, "margin": margin}

    def stops(self, means: Sequence[float], entry: Mapping) -> bool:
        """Whether all of the means are no better than the gate."""
        if self.kind == "floor":
            return max(means) <= entry["value"] + entry["margin"]
        return min(means) >= entry["value"] - entry["margin"]


@dataclass(frozen=True)
class Claim:
    """A comparison that a paper's claim comes down to; the fields are those of the YAML file, `sides` (name, key)."""

    claim_id: str
    paper: str
    claim: str
    metric: str
    direction: str
    baseline: tuple[str, str]
    ours: tuple[str, str]
    paper_results: str
    sources: tuple[str, ...] = ("default", "real")
    equal: str | Mapping[str, str] = "not said"
    varies: str = "not said"
    gate: str | tuple[Gate, ...] = "not said"

    def measured(self, metrics: Metrics) -> bool:
        """Whether metrics have both sides; not where data were not there, such as photographs with boxes."""
        return {self.baseline[1], self.ours[1]} <= metrics[0].keys()


def entries_of(
    claims: Sequence[Claim], metrics: Metrics, source: str, settings: Mapping, gates: Mapping[str, float]
) -> list[dict]:
    """Judge the claims of a results file together.

    The difference is paired by seed, its p-value that of a paired t-test. p-values are corrected by Holm's method over
    all claims. A claim holds, or is contradicted, if the whole 95 % interval lies on its side, or on the other, and the
    corrected p-value is below `LEVEL`; it is void if both systems are at a gate; otherwise it is inconclusive.

    Args:
        claims: of a lesson, all measured.
        metrics: by key, one mapping per seed.
        source: of the data.
        settings: the result's, with the recipes by part and name.
        gates: what `Experiment.gates` measured.

    Raises:
        ValueError: if a gate is not known, or steps or seconds are said to be equal and are not.
    """
    found = []
    for claim in claims:
        values = [[one[side[1]] for one in metrics] for side in (claim.baseline, claim.ours)]
        interval, several = paired_interval(*values), len(metrics) > 1
        gate, stopped = _judged_gate(claim, metrics, gates)
        found.append({
            "id": claim.claim_id,
            **{name: getattr(claim, name) for name in ("paper", "claim", "metric", "direction")},
            **{side: {"name": getattr(claim, side)[0], "values": v} for side, v in zip(_SIDES, values, strict=True)},
            "difference": {"mean": interval.mean, "ci95": [interval.low, interval.high] if several else None,
                           "p": _paired_p(*values) if several else None, "p_holm": None},
            "verdict": "void" if stopped else "inconclusive",
            "gate": gate,
            "equal": _equal(claim, source, settings, metrics),
            "varies": claim.varies,
            "paper_results": claim.paper_results,
        })  # fmt: skip
    least, tested = 0.0, sorted((e["difference"] for e in found if e["difference"]["ci95"]), key=lambda d: d["p"])
    for rank, difference in enumerate(tested):
        least = difference["p_holm"] = max(least, min(1.0, float(f"{(len(tested) - rank) * difference['p']:.4g}")))
    for entry in found:
        difference = entry["difference"]
        if entry["verdict"] != "void" and difference["ci95"] and difference["p_holm"] < LEVEL:
            low, high = difference["ci95"]
            if low > 0 or high < 0:
                entry["verdict"] = "holds" if (low > 0) == (entry["direction"] == "higher") else "contradicted"
    return found


def _paired_p(baseline: Sequence[float], ours: Sequence[float]) -> float:
    from scipy import stats

    differences = {b - a for a, b in zip(baseline, ours, strict=True)}
    if len(differences) == 1:  # no variance to divide by
        return float(differences == {0.0})
    return float(f"{stats.ttest_rel(ours, baseline).pvalue:.4g}")


def _judged_gate(claim: Claim, metrics: Metrics, gates: Mapping[str, float]) -> tuple[dict | None, bool]:
    """The gate that stops a claim, else its first one; and whether it is stopped."""
    found = []
    for gate in () if isinstance(claim.gate, str) else claim.gate:
        means = [mean(one[key] for one in metrics) for key in gate.of or (claim.baseline[1], claim.ours[1])]
        found.append((entry := gate.entry(metrics, gates), gate.stops(means, entry)))
    return max(found, key=lambda pair: pair[1], default=({"none": claim.gate}, False))


def _equal(claim: Claim, source: str, settings: Mapping, metrics: Metrics) -> str:
    """What is equal, with the numbers of steps and seconds of the recipes that both sides were made with."""
    said = claim.equal if isinstance(claim.equal, str) else claim.equal[source]
    named = {name: recipe for part in settings.values() if isinstance(part, dict) for name, recipe in part.items()
             if isinstance(recipe, dict) and "steps" in recipe}  # fmt: skip
    systems = [max((n for n in named if f"{key}/".startswith(f"{n}/")), key=len, default=None)
               for _, key in (claim.baseline, claim.ours)]  # fmt: skip
    work = [(named[n]["steps"] + named[n].get("soft_steps", 0), named[n].get("batch_size")) for n in systems if n]
    times = [mean(one.get(f"{name}/seconds", 0) for one in metrics) for name in systems]
    same = len(work) == 2 and work[0] == work[1]
    steps = (
        f"{work[0][0]:,} steps each"
        if same
        else " against ".join(f"{n:,} steps of {size} examples" for n, size in work)
    )
    if said == "steps" and not same or said == "seconds" and abs(times[1] - times[0]) > _EQUAL_SECONDS * times[0]:
        raise ValueError(f"{claim.claim_id} says that {said} are equal on source {source!r}; the recipes have "
                         f"{steps or 'no steps'}, and took {times[0]:.0f} against {times[1]:.0f} seconds. Say in "
                         "`equal` what differs.")  # fmt: skip
    return said.format(steps=steps, seconds=f"{times[0]:.0f} against {times[1]:.0f} seconds")


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
    items = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(items, list) or not items:
        raise ValueError(f"{path} holds {type(items).__name__}; expected a list of claims.")
    defaults = items.pop(0)["defaults"] if isinstance(items[0], Mapping) and items[0].keys() == {"defaults"} else {}
    defaults = {name: value for name, value in defaults.items() if name != "gates"}
    claims = tuple(_claim(item, defaults, lesson, f"{path}, claim {place}") for place, item in enumerate(items, 1))
    ids = [claim.claim_id for claim in claims]
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{path} has {', '.join(repeated)} more than once; expected every id once.")
    return claims


def _claim(item: object, defaults: Mapping, lesson: str, place: str) -> Claim:
    entry = {**defaults, **item} if isinstance(item, Mapping) else {}
    place += f" ({entry['id']})" if "id" in entry else ""
    names = ["id", *(field.name for field in fields(Claim)[1:])]

    def expect(right: object, problem: str) -> None:
        if not right:
            raise ValueError(f"{place}: {problem}.")

    missing, unknown = [name for name in names if name not in entry], [name for name in entry if name not in names]
    expect(not missing, f"the fields {', '.join(missing)} are missing; expected {', '.join(names)}")
    expect(not unknown, f"the fields {', '.join(map(str, unknown))} are unknown; expected {', '.join(names)}")
    for name in _SIDES:
        side = entry[name]
        good = isinstance(side, Mapping) and side.keys() == {"name", "key"} and all(map(_is_text, side.values()))
        expect(good, f"{name} is {side!r}; expected the texts name and key")
        entry[name] = (side["name"], side["key"])
    sources, equal, gates = entry["sources"], entry["equal"], entry["gate"]
    expect(isinstance(sources, list) and sources and all(map(_is_text, sources)), f"sources is {sources!r}; expected a "
           "list of names")  # fmt: skip
    texts = equal if isinstance(equal, Mapping) else dict.fromkeys(sources, equal)
    expect(texts.keys() == set(sources) and all(map(_is_text, texts.values())), f"equal is {equal!r}; expected a text, "
           f"or one for each of the sources {', '.join(sources)}")  # fmt: skip
    for name in (name for name in names if name not in (*_SIDES, "sources", "equal", "gate")):
        expect(_is_text(entry[name]), f"{name} is {entry[name]!r}; expected a text (put it in quotes)")
    expect(entry["id"].startswith(f"{lesson}."), f"the id does not begin with the lesson; expected {lesson}.short-name")
    expect(entry["direction"] in ("higher", "lower"), f"direction is {entry['direction']!r}; expected higher or lower")
    if not _is_text(gates):
        gates = gates if isinstance(gates, list) else [gates]
        expect(all(map(_is_gate, gates)), f"gate is {gates!r}; expected name, kind (floor or ceiling), margin, why, a "
               "key or a value, and perhaps of; or a text, why there is none")  # fmt: skip
        gates = tuple(Gate(**{**gate, "of": tuple(gate.get("of", ()))}) for gate in gates)
    return Claim(entry.pop("id"), **{**entry, "sources": tuple(sources), "gate": gates})


def _is_gate(gate: object) -> bool:
    return (
        isinstance(gate, Mapping)
        and gate.keys() - {"key", "value", "of"} == {"name", "kind", "margin", "why"}
        and (_is_text(gate.get("key")), isinstance(gate.get("value"), (int, float))).count(True) == 1
        and _is_text(gate["name"]) and _is_text(gate["why"])
        and gate["kind"] in ("floor", "ceiling")
        and (isinstance(gate["margin"], (int, float)) or str(gate["margin"]).endswith("%"))
    )  # fmt: skip


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def results_path(lesson: str, source: str) -> Path:
    """Say where the results of a lesson on a source are kept."""
    return result_path(f"{lesson}-{source}.json")


def load_results(lesson: str, source: str = "default") -> dict | None:
    """Read the stored results of a lesson, None if not measured yet; each of `claims` is given its `source`."""
    path = results_path(lesson, source)
    if not path.exists():
        return None
    result = json.loads(path.read_text(encoding="utf-8"))
    return {**result, "claims": [{**entry, "source": source} for entry in result["claims"]]}


def write_json(path: Path, content: object) -> None:
    """Write a JSON file, whole or not at all."""
    write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def means_of(entry: Mapping) -> tuple[list[str], str]:
    """The means of both sides, and the mean difference with its interval, as text."""
    means = [mean(entry[side]["values"]) for side in _SIDES]
    places = 1 if max(map(abs, means)) >= 10 else 3
    text, interval = f"{entry['difference']['mean']:+.{places}f}", entry["difference"]["ci95"]
    text += f" [{interval[0]:+.{places}f}, {interval[1]:+.{places}f}]" if interval else ""
    return [f"{value:.{places}f}" for value in means], text


def claims_table(entries: Sequence[Mapping], *, with_source: bool = True) -> str:
    """Write entries as a Markdown table: claim, the paper's results, ours, the difference, gate, verdict."""
    rows = ["| claim | paper | measured here | difference, 95 % interval, p (Holm) | equal | gate | verdict |",
            "|---|---|---|---|---|---|---|"]  # fmt: skip
    for entry in entries:
        (means, difference), p, gate = means_of(entry), entry["difference"]["p_holm"], entry["gate"]
        where = f" · {entry['source']}" if with_source and "source" in entry else ""
        rows.append(
            f"| {entry['claim']} ({entry['paper']}) | {entry['paper_results']} "
            f"| {entry['metric']}{where}, {len(entry['ours']['values'])} seeds: "
            f"{entry['baseline']['name']} {means[0]}, {entry['ours']['name']} {means[1]} "
            f"| {difference}, {'one seed' if p is None else 'p < 0.001' if p < 0.001 else f'p = {p:.3f}'} "
            f"| {entry['equal']} | {_in_words(gate)} | **{entry['verdict']}** |"
        )
    return "\n".join(rows)


def _in_words(gate: Mapping) -> str:
    if "none" in gate:
        return f"none: {gate['none']}"
    return f"{gate['kind']}: {gate['name']}, {gate['value']:.3g} ± {gate['margin']:.3g}"
