"""The cards of lessons 4 and later: each checkpoint is as good as its card says, and its recipe is the code's."""

import json

import pytest

from course_utils.checkpoints import load_card
from course_utils.experiments import runner
from course_utils.paths import data_folder

STORED = sorted(path.stem for path in data_folder("checkpoints").glob("*.json") if path.stem >= "04")
NATS, SHARE, PERCENT = 0.02, 0.02, 1.5
"""How far another processor, which rounds differently, may come out: a few words or pairs of a test."""


def experiment_of(name: str):
    """The measurements of a checkpoint's lesson."""
    return runner.find_experiment(name.partition("-")[0])


def tolerance(key: str) -> float:
    """What a figure may differ by, in its own unit."""
    if key == "nats":
        return NATS
    if key == "penalty":
        return 2.0
    return SHARE if key.partition("/")[0] in {"exact", "pointing", "mass", "gate"} else PERCENT


@pytest.mark.parametrize("name", STORED)
def test_a_checkpoint_is_as_good_as_its_card_says(name):
    experiment = experiment_of(name)
    model, card = experiment.load_trained(name)
    again = experiment.checkpoint_metrics(name, model)
    assert again.keys() == card["metrics"].keys()
    for key, value in card["metrics"].items():
        assert again[key] == pytest.approx(value, abs=tolerance(key)), key


@pytest.mark.parametrize("name", STORED)
def test_a_card_tells_the_recipe_that_the_code_has(name):
    experiment = experiment_of(name)
    recipe = json.loads(json.dumps(experiment.LONG_TRAINING[name].configuration()))
    assert load_card(name)["recipe"] == recipe, f"train it again: {load_card(name)['command']}"


def test_every_long_training_of_a_finished_lesson_is_stored():
    lessons = {name.partition("-")[0] for name in STORED}
    named = {name for lesson in lessons for name in runner.find_experiment(lesson).LONG_TRAINING}
    assert named == set(STORED)
