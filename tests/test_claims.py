"""The verdict on a claim, the stored results, the tables that show them, and what they cost."""

import html
import json
import math
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from course_utils.lessons import find_lessons
from course_utils.paths import data_folder
from course_utils.teaching.claims import SOURCE_NAMES
from experiments import claims, costs, report, runner
from experiments.__main__ import main
from experiments.claims import Claim, Gate, entries_of, load_claims
from experiments.experiment import Experiment

ROOT = Path(__file__).resolve().parents[1]
RESULTS = sorted(data_folder("results").glob("[0-9][0-9]-*.json"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")) + sorted((ROOT / "notebooks/instructor").glob("*.ipynb"))
HIGHER = Claim("99.x", "arXiv:0", "b beats a", "points", "higher", ("a", "a"), ("b", "b"), "1 → 2")
LOWER = replace(HIGHER, claim_id="99.y", claim="b below a", direction="lower")
LOW, UP = [1.0, 2.0, 3.0, 4.0], [3.0, 4.1, 4.9, 6.0]


def judge(claim, first, second, settings=None, gates=None):
    """The entry of one claim."""
    metrics = [{"a": a, "b": b} for a, b in zip(first, second, strict=True)]
    return entries_of([claim], metrics, "default", settings or {}, gates or {})[0]


def gate(kind, value, margin=0.5, **more):
    return Gate("nothing learned", kind, margin, "for the test", value=value, **more)


@pytest.mark.parametrize(
    ("claim", "first", "second", "verdict"),
    [
        (HIGHER, LOW, UP, "holds"),
        (HIGHER, UP, LOW, "contradicted"),
        (HIGHER, LOW, [1.5, 1.0, 4.5, 4.4], "inconclusive"),  # better on average, but the interval holds zero
        (HIGHER, LOW, LOW, "inconclusive"),
        (HIGHER, [1.0], [5.0], "inconclusive"),  # one seed, no interval
        (LOWER, UP, LOW, "holds"),
        (LOWER, LOW, UP, "contradicted"),
        (replace(HIGHER, gate=(gate("floor", 3.9),)), LOW, UP, "holds"),
        (replace(HIGHER, gate=(gate("floor", 3.5), gate("floor", 4.1))), LOW, UP, "void"),  # one of them is enough
        (replace(HIGHER, gate=(gate("floor", 4.0, "12.5 %"),)), LOW, UP, "void"),  # 4.5, the mean of the greater
        (replace(HIGHER, gate=(gate("floor", 4.0, "10 %"),)), LOW, UP, "holds"),
        (replace(HIGHER, gate=(gate("ceiling", 3.0),)), LOW, UP, "void"),
        (replace(HIGHER, gate=(gate("ceiling", 3.1),)), LOW, UP, "holds"),
        (replace(HIGHER, gate=(gate("ceiling", 5.0, of=("b",)),)), LOW, UP, "void"),  # another metric decides
    ],
)
def test_verdicts(claim, first, second, verdict):
    entry = judge(claim, first, second)
    assert entry["verdict"] == verdict and f"**{verdict}** |" in claims.claims_table([entry])
    assert list(entry) == ["id", "paper", "claim", "metric", "direction", "baseline", "ours", "difference", "verdict",
                           "gate", "equal", "varies", "paper_results"]  # fmt: skip
    json.dumps(entry, allow_nan=False)


def test_p_values_are_corrected_within_a_result_by_holm():
    metrics = [{"a": 0.0, "b": 1 + x / 10, "c": 0.2 + x, "d": x - 1.4} for x in range(5)]
    found = entries_of([replace(HIGHER, claim_id=f"99.{key}", ours=(key, key)) for key in "dcb"], metrics, "", {}, {})
    (d, c, b) = (entry["difference"] for entry in found)
    assert b["p"] < c["p"] < 0.05 < d["p"]
    assert [round(b["p_holm"] / b["p"], 2), round(c["p_holm"] / c["p"], 2), d["p_holm"]] == [3, 2, d["p"]]
    assert c["ci95"][0] > 0 and [entry["verdict"] for entry in found] == ["inconclusive", "inconclusive", "holds"]


def test_a_gate_is_measured_from_the_data_or_beside_the_systems():
    claim = replace(HIGHER, gate=(Gate("chance", "floor", 1, "for the test", key="a"),))
    assert judge(claim, LOW, UP)["gate"] == {"name": "chance", "value": 2.5, "kind": "floor", "margin": 1}
    assert judge(claim, LOW, UP, gates={"a": 2.0})["gate"]["value"] == 2.0
    with pytest.raises(ValueError, match="'chance': 'c' is neither a gate nor a metric; measure the gates again"):
        judge(replace(HIGHER, gate=(Gate("chance", "floor", 1, "for the test", key="c"),)), LOW, UP)


SETTINGS = {"format": 1, "main": {"a": {"steps": 9, "batch_size": 4}, "b": {"steps": 9, "batch_size": 4}}}
MORE = {"main": {"a": {"steps": 1000, "batch_size": 4}, "b": {"steps": 500, "soft_steps": 1000, "batch_size": 8}}}


@pytest.mark.parametrize(
    ("equal", "settings", "said"),
    [
        ("steps", SETTINGS, "steps"),
        ("{steps}; all else, too", SETTINGS, "9 steps each; all else, too"),
        ("{steps}", MORE, "1,000 steps of 4 examples against 1,500 steps of 8 examples"),
        ({"default": "data"}, {}, "data"),
    ],
)
def test_what_is_equal_is_computed_from_the_recipes(equal, settings, said):
    assert judge(replace(HIGHER, equal=equal), LOW, UP, settings)["equal"] == said


def test_what_is_not_equal_is_not_called_so():
    for equal, settings in (("steps", MORE), ("steps", {}), ("seconds", SETTINGS)):
        metrics = [{"a": 1.0, "b": 2.0, "a/seconds": 10.0, "b/seconds": 12.0}] * 2
        with pytest.raises(ValueError, match=f"99.x says that {equal} are equal"):
            entries_of([replace(HIGHER, equal=equal)], metrics, "default", settings, {})


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
  equal: steps
  varies: weights
  gate: {name: chance, key: c, kind: floor, margin: 5 %, why: it is a test}
"""


def test_claims_are_read_as_they_are_written(tmp_path):
    shared = ENTRY.replace("  varies: weights\n", "").replace("{name: chance, key", "[*best, {name: chance, key")
    defaults = (
        "- defaults:\n    varies: weights\n    gates: [&best {name: best, value: 1, kind: ceiling, margin: 0, why: x}]"
    )
    (tmp_path / "99.yaml").write_text(defaults + shared.rstrip() + "]\n", encoding="utf-8")
    gates = (Gate("best", "ceiling", 0, "x", value=1), Gate("chance", "floor", "5 %", "it is a test", key="c"))
    rest = {"equal": "steps", "varies": "weights", "gate": gates, "sources": ("default",)}
    assert load_claims("99", tmp_path) == (replace(HIGHER, ours=("b", "b/all"), **rest),)


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
        ("equal: steps", "equal: {real: steps}", "equal is .* expected a text, or one for each of the sources default"),
        ("key: c, ", "", "gate is .* expected name, kind"),
        ("key: c, ", "key: c, value: 1, ", "gate is .* expected name, kind"),
        ("floor", "wall", "gate is .* expected name, kind"),
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
    with pytest.raises(ValueError, match="98.yaml is not there"):
        load_claims("98", tmp_path)


@pytest.fixture
def counting(tmp_path, monkeypatch):
    """Takes the experiment that stands for lesson 99, whose result is the fixture's value."""
    monkeypatch.setattr(runner, "results_path", lambda lesson, source: tmp_path / "99-default.json")

    def put(experiment):
        monkeypatch.setattr(runner, "find_experiment", lambda lesson: experiment)
        return experiment

    return put


def test_a_fast_run_and_a_full_one_share_neither_caches_nor_results(tmp_path, counting):
    experiment = counting(CountingExperiment())
    paths = [runner.run("99", seeds=2, fast=fast, work_folder=tmp_path / "runs") for fast in (True, False)]
    assert experiment.measured == [0, 1] and len(list((tmp_path / "runs").glob("99-default-main-*"))) == 2
    assert tmp_path / "runs" in paths[0].parents and paths[1] == tmp_path / "99-default.json"


def test_a_killed_run_goes_on_where_it_was_and_is_judged_again(tmp_path, counting):
    first = counting(CountingExperiment(fail_at=2))
    with pytest.raises(KeyboardInterrupt):
        runner.run("99", seeds=4, work_folder=tmp_path / "runs")
    assert not (tmp_path / "99-default.json").exists()
    second = counting(CountingExperiment())
    path = runner.run("99", seeds=4, work_folder=tmp_path / "runs")
    assert (first.measured, second.measured) == ([0, 1], [2, 3])
    content = path.read_bytes()
    assert json.loads(content)["claims"][0]["ours"]["values"] == [1.0, 2.1, 3.2, 4.3]
    assert not list(tmp_path.rglob(".*json*")), "a temporary file was left"
    second.claims = (LOWER,)
    again = runner.judge("99", "default", measure_gates=True)
    assert [entry["verdict"] for entry in again["claims"]] == ["contradicted"] and second.measured == [2, 3]
    second.claims = (HIGHER,)
    assert runner.judge("99", "default") and path.read_bytes() == content
    assert runner.accept(path, "renamed") == [] and runner.accept(path, "renamed again") == []
    accepted = json.loads(path.read_text(encoding="utf-8"))
    assert [entry["reason"] for entry in accepted.pop("accepted")] == ["renamed", "renamed again"]
    assert accepted == json.loads(content)
    second.measure = lambda part, source, seed, fast: {"a": 0.0, "b": 9.0}
    assert runner.accept(path, "it does not matter") == ["b: 9.0 after 1.0"]
    assert runner.accept(path, "the snapshot is today's") == []


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
    ],
)
def test_the_command_says_what_it_expected(words, problem, capsys):
    with pytest.raises(SystemExit):
        main(words)
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_stored_results_follow_from_their_measurements_and_are_of_the_current_settings(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    experiment, source = runner.find_experiment(result["lesson"]), result["source"]
    assert runner.judged(experiment, result) == result["claims"], f"run: python -m experiments judge {result['lesson']}"
    assert [e["id"] for e in result["claims"]] == [c.claim_id for c in experiment.claims if source in c.sources]
    assert all(math.isfinite(value) for entry in result["claims"] for value in entry["ours"]["values"])
    assert result["seeds"] == list(range(len(result["measurements"])))
    stored = {key: value for key, value in result["settings"].items() if key not in ("format", "fast")}
    assert not result["settings"]["fast"] and stored == json.loads(json.dumps(experiment.settings(source))), (
        f"{path.name} was measured with other settings; run: {result['command']}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in RESULTS if "default" in path.stem], ids=lambda path: path.stem)
def test_stored_gates_are_what_the_data_give(path):
    gates = json.loads(path.read_text(encoding="utf-8"))["gates"]
    now = runner.find_experiment(path.stem[:2]).gates("default")
    assert now == pytest.approx(gates["metrics"], rel=0.01), f"run: {gates['command']}"


def test_the_readme_and_the_page_show_the_current_tables():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.with_claims(text) == text, "run: python -m experiments report --write"
    assert report.PAGE.read_text(encoding="utf-8") == report.claims_page(), (
        "docs/claims.md is stale; run: python -m experiments report --write"
    )
    with pytest.raises(ValueError, match="no place to write"):
        report.with_claims("# A page")


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
    elif "plot_claims(" in "".join(cell.source for cell in cells):
        alternative = next(
            text for data in outputs if "comparisons: " in (text := html.unescape(data.get("text/html", "")))
        )
        for source, result in zip(sources, results, strict=True):
            for entry in result["claims"] if result else ():
                row = f"{entry['claim']} ({SOURCE_NAMES.get(source, source)}): {entry['verdict']}"
                assert row in alternative, f"the figure does not say {row!r}; {again}"
    else:
        assert len(today) == 2 or path.stem < "01", f"the notebook shows no table of its claims; {again}"


def test_the_readme_names_every_failure_every_lesson_and_every_paper():
    text = report.readme_tables()
    entries = [entry for result in report.results() if result["source"] == "default" for entry in result["claims"]]
    assert all(f"{entry['verdict']}: {entry['claim']}" in text for entry in entries if entry["verdict"] != "holds")
    experiments = [runner.find_experiment(lesson.number) for lesson in find_lessons() if lesson.has_experiment]
    known = {claim.claim_id: claim.paper for experiment in experiments for claim in experiment.claims}
    assert set(report.MAIN) <= set(known) and list(report.MAIN) == sorted(report.MAIN, key=lambda name: name[:2])
    missing = {name[:2] for name in known} - {name[:2] for name in report.MAIN}
    assert not missing, "name in report.MAIN what the abstracts of these lessons' papers promise"
    companions = {"arXiv:1406.1078", "Chopra et al. 2016", "arXiv:1704.04368"}
    """The capacity curve, and systems that came after the lesson's paper: on the page alone."""
    assert set(known.values()) - {known[name] for name in report.MAIN} == companions


def test_counts_of_a_lesson(monkeypatch):
    entries = [judge(HIGHER, LOW, UP), judge(HIGHER, UP, LOW), judge(LOWER, [1.0], [5.0])]
    stored = [{"lesson": "99", "source": source, "claims": entries} for source in ("default", "real")]
    monkeypatch.setattr(report, "results", lambda: stored)
    row = next(line for line in report.readme_tables().splitlines() if line.startswith("| 99"))
    counts = "1 of 3 hold, 1 contradicted, 1 inconclusive"
    assert row == f"| 99 | {counts} | contradicted: b beats a; inconclusive: b below a | {counts} |"


def test_the_plan_of_costs_stays_within_the_budget(monkeypatch, tmp_path):
    hours, entries = costs.hours_of(), costs.budgets()
    assert sum(entry["hours"] for entry in entries) == 8
    assert all(costs.planned_hours(entry, hours) <= entry["hours"] for entry in entries)
    assert {name for entry in entries for name in entry["lessons"]} == {path.stem[:2] for path in RESULTS}
    monkeypatch.setattr(costs, "BUDGETS", tmp_path / "budgets.yaml")
    costs.BUDGETS.write_text("[{lessons: ['01'], hours: 1, plan: [{of: [01/nothing], keep: 0, how: x}]}]")
    with pytest.raises(ValueError, match="plans 01/nothing; expected some of"):
        costs.budgets()


def test_a_soft_model_that_another_goes_on_from_counts_once():
    recipes = {"soft": {"steps": 1}, "hard": {"steps": 1, "soft_steps": 1}}
    assert costs._trained(recipes, {"soft/seconds": 2.0, "hard/seconds": 5.0}) == 5.0
