"""The same seed gives the same numbers, in every system and every experiment, as when the results were measured."""

import json
import math

import pytest
import torch
from test_robustness import SYSTEMS, weights_of

from course_utils.data.real_errors import RealDataError
from course_utils.training import seed_everything, train
from experiments import runner
from experiments.behaviour import behaviour_of, differences
from experiments.claims import results_path

LESSONS = ("01", "02", "03", "04", "05", "06", "07")


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
    now = behaviour_of(runner.find_experiment(lesson))
    assert len(now["losses"]) > 1 and len(now["figures"]) > 1
    path = results_path(lesson, "default")
    kept = json.loads(path.read_text(encoding="utf-8"))["behaviour"] if path.exists() else None
    assert differences(kept or behaviour_of(runner.find_experiment(lesson)), now) == [], stale(path)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("lesson", LESSONS)
def test_an_experiment_on_real_data_does_what_it_did_when_its_result_was_measured(lesson):
    path = results_path(lesson, "real")
    if not path.exists():
        pytest.skip(f"lesson {lesson} has no result on real data")
    kept = json.loads(path.read_text(encoding="utf-8"))["behaviour"]
    try:
        now = behaviour_of(runner.find_experiment(lesson), "real")
    except RealDataError as error:
        pytest.skip(f"real data cannot be had here: {error}")
    assert differences(kept, now) == [], stale(path)


def stale(path):
    lesson, source = path.stem.split("-")
    return (
        f"the code of lesson {lesson} does something else than when {path.name} was measured. Measure again (run "
        f"{lesson} --source {source}), or, if the change cannot matter to the figures: vouch {lesson} --source {source}"
    )


def behaviour(*losses, **figures):
    return {"losses": [list(losses)], "figures": figures}


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (behaviour(3.0, 2.0, bleu=10.0), []),
        (behaviour(3.01, 2.0, bleu=11.0), []),  # rounding of another machine
        (behaviour(3.0, 2.03, bleu=10.0), ["losses of training 0"]),
        (behaviour(3.0, bleu=10.0), ["losses of training 0"]),
        (behaviour(3.0, 2.0, bleu=14.0), ["bleu: 14.0 after 10.0"]),
        (behaviour(3.0, 2.0, bleu=math.nan), ["bleu: nan after 10.0"]),
        (behaviour(3.0, 2.0, rouge=10.0), ["bleu: None after 10.0", "rouge: 10.0 after None"]),
        ({"losses": [[3.0, 2.0], [1.0]], "figures": {"bleu": 10.0}}, ["2 trainings after 1"]),
    ],
)
def test_a_changed_behaviour_is_named(now, found):
    named = differences(behaviour(3.0, 2.0, bleu=10.0), now)
    assert len(named) == len(found) and all(a.startswith(b) for a, b in zip(named, found, strict=True))


def test_a_result_that_is_not_there_cannot_be_vouched_for(monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "results_path", lambda lesson, source: tmp_path / "none.json")
    with pytest.raises(ValueError, match="none.json is not there; expected a result to vouch for"):
        runner.vouch("05")
