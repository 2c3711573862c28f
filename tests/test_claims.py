"""The verdict on a claim, the stored results, and the tables that show them."""

import json
import math
from pathlib import Path

import pytest

from course_utils.experiments import claims, report, runner
from course_utils.experiments.claims import Claim
from course_utils.paths import data_folder

ROOT = Path(__file__).resolve().parents[1]
RESULTS = sorted(data_folder("results").glob("[0-9][0-9]-*.json"))
HIGHER = Claim("99.x", "arXiv:0", "b beats a", "points", "higher", ("a", "a"), ("b", "b"), "1 → 2")
LOWER = Claim("99.y", "arXiv:0", "b below a", "points", "lower", ("a", "a"), ("b", "b"), "2 → 1")


def measurements(first, second):
    return [{"a": a, "b": b} for a, b in zip(first, second, strict=True)]


@pytest.mark.parametrize(
    ("claim", "first", "second", "holds"),
    [
        (HIGHER, [1.0, 2.0, 3.0], [3.0, 4.1, 4.9], True),
        (HIGHER, [3.0, 4.1, 4.9], [1.0, 2.0, 3.0], False),
        (HIGHER, [1.0, 2.0, 3.0], [1.5, 1.0, 4.5], False),  # better on average, but the interval holds zero
        (LOWER, [3.0, 4.1, 4.9], [1.0, 2.0, 3.0], True),
        (LOWER, [1.0, 2.0, 3.0], [3.0, 4.1, 4.9], False),
    ],
)
def test_a_claim_holds_only_if_the_whole_interval_does(claim, first, second, holds):
    entry = claim.entry(measurements(first, second))
    assert entry["holds"] is holds
    low, high = entry["difference"]["ci95"]
    assert low < entry["difference"]["mean"] < high


def test_one_seed_gives_no_verdict():
    entry = HIGHER.entry(measurements([1.0], [5.0]))
    assert entry["holds"] is None and entry["difference"]["ci95"] is None
    assert "no interval" in claims.claims_table([entry])
    json.dumps(entry, allow_nan=False)


def test_a_failed_claim_stays_in_the_table():
    table = claims.claims_table([HIGHER.entry(measurements([3.0, 4.0], [1.0, 2.5]))])
    assert "not confirmed" in table and "b beats a" in table


class CountingExperiment:
    """Stands in for a lesson's module."""

    CLAIMS = [HIGHER]
    CHECKPOINTS = {}

    def __init__(self, fail_at=None):
        self.measured, self.fail_at = [], fail_at

    def settings(self, source, fast):
        return {"size": 1}

    def measure(self, source, seed, fast):
        if seed == self.fail_at:
            raise KeyboardInterrupt
        if not fast:  # the result's behaviour is that of a fast run
            self.measured.append(seed)
        return {"a": float(seed), "b": seed + 1.0 + seed / 10}


def test_a_killed_run_goes_on_where_it_was(tmp_path, monkeypatch):
    first, second = CountingExperiment(fail_at=2), CountingExperiment()
    monkeypatch.setattr(runner, "results_path", lambda lesson, source: tmp_path / f"{lesson}-{source}.json")
    monkeypatch.setattr(runner, "find_experiment", lambda lesson: first)
    with pytest.raises(KeyboardInterrupt):
        runner.run("99", seeds=4, work_folder=tmp_path / "runs")
    assert not (tmp_path / "99-default.json").exists()
    monkeypatch.setattr(runner, "find_experiment", lambda lesson: second)
    path = runner.run("99", seeds=4, work_folder=tmp_path / "runs")
    assert (first.measured, second.measured) == ([0, 1], [2, 3])
    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["claims"][0]["ours"]["values"] == [1.0, 2.1, 3.2, 4.3]
    assert not list(tmp_path.rglob(".*json*")), "a temporary file was left"


def test_a_fast_run_never_touches_the_stored_results(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "find_experiment", lambda lesson: CountingExperiment())
    monkeypatch.setattr(runner, "results_path", lambda lesson, source: pytest.fail("wrote into data/results"))
    assert tmp_path in runner.run("99", seeds=2, fast=True, work_folder=tmp_path).parents


@pytest.mark.parametrize("arguments", [{"lesson": "77"}, {"lesson": "02", "seeds": 0}])
def test_impossible_runs_are_refused(arguments, tmp_path):
    with pytest.raises(ValueError, match="expected"):
        runner.run(**arguments, work_folder=tmp_path)


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_stored_results_follow_from_their_measurements(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    experiment = runner.find_experiment(result["lesson"])
    figures = [measurement["figures"] for measurement in result["measurements"]]
    known = {claim.claim_id: claim for claim in experiment.CLAIMS if result["source"] in claim.sources}
    assert [entry["id"] for entry in result["claims"]] == list(known)
    for entry in result["claims"]:
        again = known[entry["id"]].entry(figures)
        assert {key: entry[key] for key in again} == again
        assert all(math.isfinite(value) for value in entry["ours"]["values"])
    assert result["seeds"] == list(range(len(figures)))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_stored_results_are_of_the_current_settings(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    experiment = runner.find_experiment(result["lesson"])
    current = json.loads(json.dumps(experiment.settings(result["source"], False)))
    assert {key: result["settings"][key] for key in current} == current, (
        f"{path.name} was measured with other settings; run: {result['command']}"
    )


def test_the_readme_shows_the_current_table():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.with_claims(text) == text, "run: python -m course_utils.experiments report --write"


def test_a_text_without_marks_is_refused():
    with pytest.raises(ValueError, match="no marks"):
        report.with_claims("# A page")
