"""The same seed gives the same numbers, in every system and experiment, as when results were measured; the page says
how near another machine comes."""

import json
import math

import pytest
import torch
from test_robustness import SYSTEMS, weights_of

from course_utils.data.real_errors import RealDataError
from course_utils.lessons import find_lessons
from course_utils.training import seed_everything, train
from experiments import runner
from experiments.claims import results_path
from experiments.snapshot import LOSSES_AGREE, METRICS_AGREE, SOURCES, differences, snapshot_of
from tools.reproducibility import VARIANTS, compute, main
from tools.reproducibility_page import PAGE, STORED, differing, reproducibility_page

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


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("lesson", LESSONS)
def test_an_experiment_does_what_it_did_when_its_result_was_measured(lesson, source):
    path = results_path(lesson, source)
    if source == "real" and not path.exists():
        pytest.skip(f"lesson {lesson} has no result on real data")
    try:
        now = snapshot_of(experiment := runner.find_experiment(lesson), source)
    except RealDataError as error:
        pytest.skip(f"real data cannot be had here: {error}")
    assert len(now["losses"]) > 1 and all(map(math.isfinite, now["metrics"].values()))
    claims = [claim for claim in experiment.claims if source in claim.sources]
    without = {key for claim in claims for key in (claim.baseline[1], claim.ours[1])} - now["metrics"].keys()
    assert claims and not [key for key in without if "known words" not in key]  # so few recordings have none
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    before = stored.get("snapshot") or snapshot_of(runner.find_experiment(lesson), source)
    assert differences(before, now) == [], (
        f"the code of lesson {lesson} does something else than when {path.name} was measured. Measure again (run "
        f"{lesson} --source {source}), or, if the change cannot matter to the metrics: python -m tools.refresh "
        f"--accept results/{path.stem} --reason …"
    )


def snapshot(*losses, **metrics):
    return {"losses": [list(losses)], "metrics": metrics}


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


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (snapshot(2.0, 1.0, bleu=10.0, steps=400.0), (0.0, 0.0, "")),
        (snapshot(2.0, 1.01, bleu=10.0, steps=400.0), (0.01, 0.0, "")),
        (snapshot(2.0, 1.0, bleu=12.5, steps=400.0), (0.0, 2.5, "bleu")),
        (snapshot(2.0, 1.0, bleu=11.0, steps=408.0), (0.0, 2.0, "steps")),  # above a hundred in per cent
        (snapshot(2.0, 1.0, bleu=math.nan, steps=400.0), (0.0, 0.0, "")),
    ],
)
def test_the_largest_differences_are_found(now, found):
    difference = differing(snapshot(2.0, 1.0, bleu=10.0, steps=400.0), now)
    assert (pytest.approx(difference["loss"]), pytest.approx(difference["metric"]), difference["worst"]) == found


FOUND = {
    "machine": "a processor",
    "versions": {"torch": "2.15.0"},
    "variants": [
        {"name": "once more", "threads": 1, "lessons": {"01": {"loss": 0.0, "metric": 0.0, "worst": ""}}},
        {"name": "older", "threads": 1, "lessons": {"01": {"loss": 2e-7, "metric": 0.5, "worst": "bleu"}}},
    ],
    "stored": {"01": {"loss": 0.004, "metric": 0.25, "worst": "bleu"}},
    "training": [{"metric": "bleu", "stored": [92.0, 93.5], "here": {"as it is": 92.5, "older": 91.25}}],
    "cards": [
        {"checkpoint": "02-x", "metric": "aer", "card": 0.06, "here": 0.061, "allowed": 0.02},
        {"checkpoint": "02-x", "metric": "bleu", "card": 99.0, "here": 99.0, "allowed": 1.5},
    ],
}


@pytest.mark.slow
def test_the_page_tells_what_was_found_and_is_that_of_the_stored_metrics():
    page = reproducibility_page(FOUND)
    assert "| 01 | the same | below 0.001 % (0.5) |" in page
    assert "| 01 | 0.4 % | 0.25 | bleu |" in page
    assert "| bleu | 92.0 | 92.5 | 91.2 | 92.0 to 93.5 |" in page
    assert "| 02-x | 2 | 1 | aer: 0.06 on the card, 0.061 here, 0.02 allowed |" in page
    found = json.loads(STORED.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == reproducibility_page(found), "python -m tools.reproducibility --page"
    for difference in found["stored"].values():
        assert difference["loss"] <= LOSSES_AGREE and difference["metric"] <= METRICS_AGREE
    assert all(abs(row["here"] - row["card"]) <= row["allowed"] for row in found["cards"])
    again = next(variant for variant in found["variants"] if variant["name"] == "once more")
    assert all(one["loss"] == one["metric"] == 0 for one in again["lessons"].values()), "the same machine"


@pytest.mark.slow
def test_only_whole_measurements_are_stored(capsys):
    with pytest.raises(SystemExit):
        main(["--write", "--lessons", "01"])
    assert "--write is for everything together" in capsys.readouterr().err


@pytest.mark.slow
def test_what_is_computed_in_a_process_of_its_own_is_what_is_computed_again():
    first, again = (compute(VARIANTS[number], ("07",), trains=False) for number in (0, 1))
    assert first["lessons"] == again["lessons"] and first["training"] is None
    assert VARIANTS[0].instructions == {} and VARIANTS[0].trains
    assert sum(variant.trains for variant in VARIANTS) > 1 and len({v.name for v in VARIANTS}) == len(VARIANTS)
