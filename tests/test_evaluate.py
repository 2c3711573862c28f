"""What all lessons share: a mean that does not depend on batches, maps without padding, recipes and seeds."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from course_utils.checkpoints import CheckpointError, load_card
from course_utils.data.batching import Batch
from course_utils.lessons import find_lessons
from experiments.evaluate import mean_loss, padded_off
from experiments.runner import find_experiment

LESSONS = [lesson.number for lesson in find_lessons() if lesson.has_experiment]
VALUES = torch.tensor([1.0, 2.0, 3.0, 6.0])


class Model(torch.nn.Linear):
    """Its loss is the mean of the batch's values, counts no tokens, and is another one while it trains."""

    def __init__(self):
        super().__init__(1, 1)

    def loss(self, batch):
        return SimpleNamespace(mean=batch.value.mean() + 100.0 * self.training)


@pytest.mark.parametrize("training", [True, False])
def test_every_example_counts_once_and_the_mode_is_left_as_it_was(training):
    model = Model().train(training)
    for sizes in ([4], [3, 1], [1, 2, 1]):
        batches = [Batch(value=values) for values in VALUES.split(sizes)]
        assert mean_loss(model, batches) == pytest.approx(3.0)
    assert model.training is training
    with pytest.raises(ValueError, match="batches is empty"):
        mean_loss(model, [])


def test_every_token_counts_once():
    batches = [Batch(value=VALUES[:1]), Batch(value=VALUES[1:])]
    loss = {1: SimpleNamespace(mean=2.0, tokens=6), 3: SimpleNamespace(mean=5.0, tokens=3)}
    assert mean_loss(Model(), batches, lambda batch: loss[len(batch)]) == pytest.approx(3.0)


def test_maps_lose_their_padding():
    weights = torch.arange(24.0).reshape(2, 3, 4)
    first, second = padded_off(weights, torch.tensor([1, 3]), [2, 4])
    assert torch.equal(first, weights[0, :1, :2]) and torch.equal(second, weights[1])
    with pytest.raises(ValueError, match="shorter|longer"):
        padded_off(weights, [1], [2])


@pytest.mark.parametrize("lesson", LESSONS)
def test_recipes_are_stored_as_plain_values_and_other_sources_are_refused(lesson):
    experiment = find_experiment(lesson)
    for source in experiment.sources:
        recipes, stored = experiment.recipes(source), json.loads(json.dumps(experiment.settings(source)))
        assert stored.keys() == recipes.keys()
        for part, name, recipe in ((part, name, r) for part, named in recipes.items() for name, r in named.items()):
            assert stored[part][name]["options"].keys() == dict(recipe.options).keys()
            assert recipe.shortened(0.5).steps == round(recipe.steps / 2) and recipe.shortened(1e-9).steps == 1
    with pytest.raises(ValueError, match=f"expected one of {', '.join(experiment.sources)}"):
        experiment.recipes("elsewhere")


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_seed_decides_how_a_recipe_is_fitted(lesson):
    experiment = find_experiment(lesson)
    recipe, data = list(experiment.live_trainings(40).values())[-1]
    brief = replace(recipe, steps=2, batch_size=8)
    first, again, other = (experiment.fit(brief, data, seed, progress=False)[1].losses for seed in (3, 3, 4))
    assert first == again != other


@pytest.mark.parametrize("name", ["02-fixed-vector", "04-soft", "05-attention", "06-location", "07-ras-copy"])
def test_a_checkpoint_of_other_words_is_refused(name):
    other = {**load_card(name), "vocabulary": ["x"], "source_words": ["x"]}
    with pytest.raises(CheckpointError, match=f"checkpoint {name[:2]} {name}"):
        find_experiment(name[:2]).build(name, other)
