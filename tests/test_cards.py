"""The cards of all lessons: each checkpoint is as good as its card says, and its recipe is the code's."""

import math

import pytest

from course_utils.checkpoints import load_card
from course_utils.data.real_errors import RealDataError
from course_utils.data.reports.docstrings import NoDocstringsError
from course_utils.lessons import find_lessons
from course_utils.paths import data_folder
from experiments.lesson_02_additive_attention import CHECKPOINT_DATA
from experiments.runner import find_experiment
from tools import cards

STORED = cards.names()


@pytest.mark.parametrize("name", STORED)
def test_a_checkpoint_is_as_good_as_its_card_says(name):
    try:
        found = cards.differences(name)
    except (RealDataError, NoDocstringsError) as error:
        pytest.skip(f"made from real data, which cannot be had here: {error}")
    too_far = {
        key: f"{now} now, {said} on the card, {cards.tolerance(name, key)} allowed"
        for key, (said, now) in found.items()
        if not abs(now - said) <= cards.tolerance(name, key)
    }
    assert found and not too_far


@pytest.mark.parametrize("name", STORED)
def test_a_card_tells_the_recipe_that_the_code_has(name):
    card = load_card(name)
    assert card["recipe"] == cards.recipe_of(name), f"train it again: {card['command']}"
    if name.startswith("02-"):
        assert CHECKPOINT_DATA.items() <= card["data"].items()
    assert card["command"].split()[-2:] == [name[:2], name] and card["seed"] == 0


def test_every_long_training_of_a_finished_lesson_is_stored():
    """A lesson is finished when its claims are measured; before that it may have some of its checkpoints, or none."""
    finished = {path.name[:2] for path in data_folder("results").glob("[0-9]*-default.json")}
    for lesson in [lesson.number for lesson in find_lessons() if lesson.has_experiment]:
        named, stored = set(find_experiment(lesson).checkpoints), {name for name in STORED if name[:2] == lesson}
        assert stored == named if lesson in finished else stored <= named
    assert {name[:2] for name in STORED} <= {lesson.number for lesson in find_lessons()}


def test_a_figure_that_only_one_side_has_is_seen(monkeypatch):
    monkeypatch.setattr(cards, "load_card", lambda name: {"metrics": {"nats": 1.0, "gone": 2.0}})
    monkeypatch.setattr(cards, "metrics_of", lambda name: (None, {"nats": 1.5, "new": 3.0}))
    found = cards.differences("02-any")
    assert found["nats"] == (1.0, 1.5) and math.isnan(found["gone"][1]) and math.isnan(found["new"][0])


@pytest.mark.parametrize(
    ("name", "key", "allowed"),
    [
        ("02-any", "bleu/2-8", 1.5),
        ("02-any", "aer", 0.021),
        ("03-draw", "nats", 0.5),
        ("03-ram", "hits/centre", 0.015),
        ("04-soft", "nats", 0.02),
        ("04-soft", "penalty", 2.0),
        ("04-soft", "mass", 0.02),
        ("05-attention", "accuracy/test", 1.5),
        ("06-location", "mass", 1.5),
    ],
)
def test_what_a_figure_may_differ_by_is_in_its_own_unit(name, key, allowed):
    assert cards.tolerance(name, key) == allowed


def test_every_checkpoint_is_in_the_list_of_the_data_card():
    listed = (data_folder("results").parent / "README.md").read_text(encoding="utf-8")
    assert [name for name in STORED if f"`{name}`" not in listed] == []
