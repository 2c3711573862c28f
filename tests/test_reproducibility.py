"""The same seed gives the same numbers, in every system and every experiment, as when the results were measured."""

import json
import math
from datetime import date

import pytest
import torch
from test_robustness import SYSTEMS, weights_of

from course_utils.data.real_errors import RealDataError
from course_utils.lessons import find_lessons
from course_utils.training import seed_everything, train
from experiments import runner
from experiments.claims import results_path
from experiments.snapshot import differences, snapshot_of

LESSONS = tuple(lesson.number for lesson in find_lessons() if lesson.has_experiment)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_a_seed_decides_a_training(system):
    def trained(seed):
        seed_everything(seed)
        model = system.build(9)
        seed_everything(seed)
        batch = system.make_batch(3, 5, 4, 9)
        return train(model, lambda epoch: [batch], steps=4, progress=False).losses, weights_of(model)

    (losses, weights), (again, same), (_, other) = trained(0), trained(0), trained(1)
    assert losses == again and torch.equal(weights, same) and not torch.equal(weights, other)


@pytest.mark.parametrize("lesson", LESSONS)
def test_an_experiment_does_the_same_twice_and_what_it_did_when_its_result_was_measured(lesson):
    now = snapshot_of(runner.find_experiment(lesson))
    assert len(now["losses"]) > 1 and len(now["metrics"]) > 1
    path = results_path(lesson, "default")
    stored = json.loads(path.read_text(encoding="utf-8"))["snapshot"] if path.exists() else None
    assert differences(stored or snapshot_of(runner.find_experiment(lesson)), now) == [], stale(path)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("lesson", LESSONS)
def test_an_experiment_on_real_data_does_what_it_did_when_its_result_was_measured(lesson):
    path = results_path(lesson, "real")
    if not path.exists():
        pytest.skip(f"lesson {lesson} has no result on real data")
    stored = json.loads(path.read_text(encoding="utf-8"))["snapshot"]
    try:
        now = snapshot_of(runner.find_experiment(lesson), "real")
    except RealDataError as error:
        pytest.skip(f"real data cannot be had here: {error}")
    assert differences(stored, now) == [], stale(path)


def stale(path):
    lesson, source = path.stem.split("-")
    return (
        f"the code of lesson {lesson} does something else than when {path.name} was measured. Measure again (run "
        f"{lesson} --source {source}), or, if the change cannot matter to the metrics: accept {lesson} --source "
        f"{source} --reason …"
    )


def snapshot(*losses, **figures):
    return {"losses": [list(losses)], "metrics": figures}


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (snapshot(3.0, 2.0, bleu=10.0), []),
        (snapshot(3.01, 2.0, bleu=11.0), []),  # rounding of another machine
        (snapshot(3.0, 2.03, bleu=10.0), ["losses of training 0"]),
        (snapshot(3.0, bleu=10.0), ["losses of training 0"]),
        (snapshot(3.0, 2.0, bleu=14.0), ["bleu: 14.0 after 10.0"]),
        (snapshot(3.0, 2.0, bleu=math.nan), ["bleu: nan after 10.0"]),
        (snapshot(3.0, 2.0, rouge=10.0), ["bleu: None after 10.0", "rouge: 10.0 after None"]),
        ({"losses": [[3.0, 2.0], [1.0]], "metrics": {"bleu": 10.0}}, ["2 trainings after 1"]),
    ],
)
def test_a_changed_snapshot_is_named(now, found):
    named = differences(snapshot(3.0, 2.0, bleu=10.0), now)
    assert len(named) == len(found) and all(a.startswith(b) for a, b in zip(named, found, strict=True))


@pytest.fixture
def result(monkeypatch, tmp_path):
    """Where lesson 99's result is, which has none yet; a few steps of it give a loss of 2."""
    monkeypatch.setattr(runner, "results_path", lambda lesson, source: tmp_path / "99-default.json")
    monkeypatch.setattr(runner, "find_experiment", lambda lesson: None)
    monkeypatch.setattr(runner.snapshot, "snapshot_of", lambda experiment, source: snapshot(2.0))
    return tmp_path / "99-default.json"


def test_a_result_is_accepted_with_a_reason_that_stays(result):
    result.write_text(json.dumps({"claims": [1], "snapshot": snapshot(3.0)}), encoding="utf-8")
    for reason in ("the sum has another order", "  renamed  "):
        assert runner.accept("99", reason) == result
    stored = json.loads(result.read_text(encoding="utf-8"))
    assert stored["snapshot"] == snapshot(2.0) and stored["claims"] == [1]
    assert [entry["reason"] for entry in stored["accepted"]] == ["the sum has another order", "renamed"]
    assert all(date.fromisoformat(entry["date"]) <= date.today() for entry in stored["accepted"])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("99", "a reason"), "99-default.json is not there; expected a result to accept"),
        (("99", " "), "reason is empty"),
        (("99", "a reason", "docstrings"), "no snapshot; expected one of"),
    ],
)
def test_what_cannot_be_accepted_is_refused(result, arguments, problem):
    with pytest.raises(ValueError, match=problem):
        runner.accept(*arguments)
