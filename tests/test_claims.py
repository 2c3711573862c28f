"""The verdict on a claim, the stored results, and the tables that show them."""

import json
import math
from pathlib import Path

import nbformat
import pytest

from course_utils.lessons import find_lessons
from course_utils.paths import data_folder
from experiments import claims, report, runner
from experiments.__main__ import main
from experiments.claims import Claim, load_claims
from experiments.experiment import Experiment

ROOT = Path(__file__).resolve().parents[1]
RESULTS = sorted(data_folder("results").glob("[0-9][0-9]-*.json"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")) + sorted((ROOT / "notebooks/instructor").glob("*.ipynb"))
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


class CountingExperiment(Experiment):
    """Stands in for a lesson's."""

    lesson = "99"
    claims = (HIGHER,)

    def __init__(self, fail_at=None):
        self.measured, self.fail_at = [], fail_at

    def recipes(self, source):
        return {"main": {}}

    def measure(self, part, source, seed, fast):
        if seed == self.fail_at:
            raise KeyboardInterrupt
        if not fast:  # the result's snapshot is that of a fast run
            self.measured.append(seed)
        return {"a": float(seed), "b": seed + 1.0 + seed / 10}


ENTRY = """
- id: 99.x
  paper: arXiv:0
  claim: b beats a
  metric: points
  direction: higher
  baseline: {name: a, key: a}
  ours: {name: b, key: b/all}
  paper_results: 1 → 2
  sources: [default]
"""


def test_claims_are_read_as_they_are_written(tmp_path):
    (tmp_path / "99.yaml").write_text(ENTRY, encoding="utf-8")
    expected = Claim(
        "99.x", "arXiv:0", "b beats a", "points", "higher", ("a", "a"), ("b", "b/all"), "1 → 2", ("default",)
    )
    assert load_claims("99", tmp_path) == (expected,)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("  metric: points\n", "", r"99.yaml, claim 1 \(99.x\): the fields metric are missing; expected id, paper"),
        ("  metric", "  metrics: no\n  metric", r"claim 1 \(99.x\): the fields metrics are unknown"),
        ("key: b/all", "keys: b/all", "ours is {'name': 'b', 'keys': 'b/all'}; expected the texts name and key"),
        ("higher", "upwards", "direction is 'upwards'; expected higher or lower"),
        ("id: 99.x", "id: 98.x", r"98.x\): the id does not begin with the lesson; expected 99.short-name"),
        ("id: 99.x", "id: 99.1", "id is 99.1; expected a text"),
        ("1 → 2", "25.9", "paper_results is 25.9; expected a text"),
        ("[default]", "default", "sources is 'default'; expected a list of names"),
        (ENTRY, ENTRY + ENTRY, "99.x more than once"),
        (ENTRY, "{}", "holds dict; expected a list of claims"),
        (ENTRY, "- b beats a", "claim 1: the fields id, paper"),
    ],
)
def test_a_claim_that_is_not_as_the_schema_says_is_refused(tmp_path, before, after, problem):
    assert before in ENTRY
    (tmp_path / "99.yaml").write_text(ENTRY.replace(before, after), encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        load_claims("99", tmp_path)


def test_a_lesson_without_a_file_of_claims_is_refused(tmp_path):
    with pytest.raises(ValueError, match="99.yaml is not there"):
        load_claims("99", tmp_path)


def test_a_fast_run_and_a_full_one_never_share_what_is_cached(tmp_path, monkeypatch):
    experiment = CountingExperiment()
    monkeypatch.setattr(runner, "results_path", lambda lesson, source: tmp_path / "result.json")
    monkeypatch.setattr(runner, "find_experiment", lambda lesson: experiment)
    for fast in (True, False):
        runner.run("99", seeds=2, fast=fast, work_folder=tmp_path / "runs")
    assert experiment.measured == [0, 1] and len(list((tmp_path / "runs").glob("99-default-main-*"))) == 2


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


@pytest.mark.parametrize(
    "arguments", [{"lesson": "77"}, {"lesson": "02", "seeds": 0}, {"lesson": "02", "source": "docstrings"}]
)
def test_impossible_runs_are_refused(arguments, tmp_path):
    with pytest.raises(ValueError, match="expected"):
        runner.run(**arguments, work_folder=tmp_path)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["run", "77"], "lesson is '77'; expected one of 01"),
        (["run", "02", "--source", "docstrings"], "source is 'docstrings'; expected one of default, real"),
        (["accept", "02"], "required: --reason"),
    ],
)
def test_the_command_says_what_it_expected(words, problem, capsys):
    with pytest.raises(SystemExit):
        main(words)
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_stored_results_follow_from_their_measurements(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    experiment = runner.find_experiment(result["lesson"])
    figures = [measurement["metrics"] for measurement in result["measurements"]]
    known = {claim.claim_id: claim for claim in experiment.claims if result["source"] in claim.sources}
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
    current = json.loads(json.dumps(experiment.settings(result["source"])))
    stored = {key: value for key, value in result["settings"].items() if key not in ("format", "fast")}
    assert not result["settings"]["fast"] and stored == current, (
        f"{path.name} was measured with other settings; run: {result['command']}"
    )


def test_the_readme_and_the_page_show_the_current_tables():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.with_claims(text) == text, "run: python -m experiments report --write"
    assert report.PAGE.read_text(encoding="utf-8") == report.claims_page(), (
        "docs/claims.md is stale; run: python -m experiments report --write"
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_lessons_show_the_current_table(path):
    sources = ("default", "real", "docstrings")
    results = [claims.load_results(path.stem[:2], source) for source in sources]
    today = claims.claims_table([entry for result in results if result for entry in result["claims"]]).splitlines()
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    shown = [line for data in outputs for line in data.get("text/markdown", "").splitlines()]
    again = f"run: make notebooks LESSONS={path.stem[:2]} OPTIONS=--force"
    if any(line.startswith("| claim | paper | measured here |") for line in shown):
        stale = [line for line in shown if line.endswith("** |") and "arXiv" in line and line not in today]
        assert not stale and set(today) <= set(shown), f"the notebook shows an older table; {again}"
    else:
        assert len(today) == 2 or path.stem < "01", f"the notebook shows no table of its claims; {again}"


def test_nothing_that_failed_is_left_out_of_the_readme():
    text = report.readme_tables()
    for entry in (entry for result in report.results() for entry in result["claims"]):
        if entry["source"] == "default" and entry["holds"] is False:
            assert entry["claim"] in text


def test_the_readme_names_claims_of_every_lesson_and_every_paper():
    experiments = [runner.find_experiment(lesson.number) for lesson in find_lessons() if lesson.has_experiment]
    known = {claim.claim_id: claim.paper for experiment in experiments for claim in experiment.claims}
    assert set(report.MAIN) <= set(known) and list(report.MAIN) == sorted(report.MAIN, key=lambda name: name[:2])
    shown = {known[name] for name in report.MAIN}
    companions = {"arXiv:1406.1078", "Chopra et al. 2016", "arXiv:1704.04368"}
    """The capacity curve, and systems that came after the lesson's paper: on the page alone."""
    missing = {name[:2] for name in known} - {name[:2] for name in report.MAIN}
    assert not missing, "name in report.MAIN what the abstracts of these lessons' papers promise"
    assert set(known.values()) - shown == companions


def result(lesson, source, *entries):
    return {"lesson": lesson, "source": source, "claims": [dict(entry, source=source) for entry in entries]}


def test_counts_of_a_lesson(monkeypatch):
    good, bad = HIGHER.entry(measurements([1.0, 2.0], [3.0, 4.1])), HIGHER.entry(measurements([3.0, 4.0], [1.0, 2.5]))
    toward, away = HIGHER.entry(measurements([1.0], [5.0])), LOWER.entry(measurements([1.0], [5.0]))
    assert report.points_its_way(toward) and not report.points_its_way(away)
    stored = [result("99", "default", good, bad, toward), result("99", "real", good, bad, toward, away)]
    monkeypatch.setattr(report, "results", lambda: stored)
    assert report.readme_tables().splitlines()[2] == (
        "| 99 | 1 of 3 (1 with one seed, so without a verdict) | b beats a "
        "| 1 of 2 hold; 1 of 2 point the claim's way, one seed |"
    )


def test_a_text_without_marks_is_refused():
    with pytest.raises(ValueError, match="no place to write"):
        report.with_claims("# A page")
