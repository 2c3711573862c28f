"""The experiments of lesson 5: training repeats, labels and attention are evaluated, claims find their metrics."""

from dataclasses import replace
from statistics import median

import pytest
import torch

from course_utils.data.inference.difficulty import EASY, PHENOMENA, WIDE
from course_utils.data.inference.pairs import read_pair
from experiments import lesson_05_entailment as lesson_05
from experiments.entailment import (
    Recipe,
    accuracy_by,
    attention_of,
    entailment_metrics,
    fit,
    judge,
    pairs_of,
    score_alignment,
)
from experiments.evaluate import mean_loss

EXPERIMENT = lesson_05.EXPERIMENT
SMALL = (("embedding_size", 8), ("hidden_size", 8))


@pytest.fixture(scope="module")
def data():
    return pairs_of(EASY, 60, 30)


def small(system, **changes):
    return Recipe(system, SMALL, **{"steps": 3, "batch_size": 8, **changes})


def test_fresh_pairs_and_a_seed_give_the_same_model_and_another_seed_another(data, monkeypatch):
    monkeypatch.setattr(type(data).fresh_batches, "__defaults__", (24,))  # few pairs for an epoch
    recipe = small("word-by-word", fresh=True)
    first, second, third = (fit(recipe, data, seed, progress=False)[1].losses for seed in (0, 0, 1))
    assert first == second != third != fit(replace(recipe, fresh=False), data, 1, progress=False)[1].losses


def test_a_training_can_begin_with_the_weights_of_another(data):
    first, _ = fit(small("word-by-word"), data, progress=False)
    after, _ = fit(small("word-by-word", steps=1, learning_rate=1e-9), data, seed=1, start=first, progress=False)
    for name, weights in first.state_dict().items():
        assert torch.allclose(after.state_dict()[name], weights, atol=1e-6), name


def test_the_wider_world_has_every_phenomenon_and_the_small_one_s_words():
    assert lesson_05.world_of("05-wide") is WIDE and lesson_05.world_of("05-word-by-word") is EASY
    assert set(WIDE.phenomena) == set(PHENOMENA) and (WIDE.kinds, WIDE.clauses) == (EASY.kinds, EASY.clauses)


def test_training_lowers_the_loss_on_the_pairs_it_sees(data):
    recipe = small("attention", steps=60, learning_rate=2e-2)
    untrained, _ = fit(small("attention", steps=1), data, progress=False)
    before = mean_loss(untrained, data.ordered_batches(data.train))
    model, history = fit(recipe, data, progress=False)
    assert mean_loss(model, data.ordered_batches(data.train)) < 0.8 * before and len(history.losses) == 60
    assert judge(model, data, data.train).float().mean() > 0.5


def test_accuracy_is_counted_within_groups_that_overlap(data):
    pairs = data.train[:6]
    right = torch.tensor([True, False, True, True, False, True])
    assert accuracy_by(right, pairs, lambda pair: ("all",)) == {"all": (4 / 6, 6)}
    groups = accuracy_by(right, pairs, lambda pair: (pair.facts, 9))
    assert groups[9] == (4 / 6, 6) and sum(number for group, (_, number) in groups.items() if group != 9) == 6


def test_a_map_of_the_gold_words_is_aligned_and_one_of_the_others_is_not():
    pair = read_pair("anna paints two dogs and ben paints a red car", "ben paints a car")
    perfect, wrong = torch.zeros(2, len(pair.hypothesis), len(pair.premise)).unbind()
    for word, gold in enumerate(pair.alignment):
        perfect[word, sorted(gold)] = 1.0
        wrong[word, [i for i in range(len(pair.premise)) if i not in gold]] = 1.0
    score = score_alignment([perfect], [pair])
    aligned = [gold for gold in pair.alignment if gold]
    assert score.words == 1 and score.clauses == 1 and score.count == len(aligned) > 1
    assert score.words_chance == pytest.approx(sum(map(len, aligned)) / len(aligned) / len(pair.premise))
    assert 0 < score.words_match <= 1  # "ben" and "car" stand there; "paints" first stands in anna's clause
    assert score_alignment([wrong], [pair]).words == 0
    with pytest.raises(ValueError, match=r"a map has 1 rows for \d hypothesis words"):
        score_alignment([perfect[:1]], [pair])
    with pytest.raises(ValueError, match="no aligned word"):
        score_alignment([], [])


@pytest.mark.parametrize("system", ["attention", "word-by-word", "two-way-word-by-word"])
def test_attention_has_the_words_of_its_pair_and_sums_to_one(data, system):
    model, _ = fit(small(system, steps=1), data, progress=False)
    pairs = data.test["more clauses"][:7]
    for weights, pair in zip(attention_of(model, data, pairs), pairs, strict=True):
        assert weights.shape == (len(pair.hypothesis) if "word" in system else 1, len(pair.premise))
        assert torch.allclose(weights.sum(dim=1), torch.ones(len(weights)), atol=1e-5)


def test_models_without_attention_are_refused(data):
    model, _ = fit(small("conditional", steps=1), data, progress=False)
    with pytest.raises(ValueError, match="conditional has no attention"):
        attention_of(model, data, data.train)


def test_the_gain_of_word_by_word_attention_is_that_at_both_ends(data):
    model, _ = fit(small("word-by-word", steps=1), data, progress=False)
    for given, ends in (
        (data, {"fewest": f"{EASY.clauses[0]} clauses", "most": f"{EASY.clauses[1]} clauses"}),
        (replace(data, difficulty=None), {"shorter": "shorter premises", "longer": "longer premises"}),
    ):
        scores = {f"word-by-word/{key}": value for key, value in entailment_metrics(model, given).items()}
        scores |= {key.replace("word-by-word", "conditional"): 9.0 for key in scores}
        gains = lesson_05._gains(scores, given)
        assert gains == {f"gain/{end}": scores[f"word-by-word/accuracy/{name}"] - 9 for end, name in ends.items()}
    lengths = [len(pair.premise) for pair in data.test["test"]]
    longer = sum(length > median(lengths) for length in lengths)
    shares = [scores[f"word-by-word/accuracy/{name}"] for name in ("longer premises", "shorter premises", "test")]
    assert shares[2] * len(lengths) == pytest.approx(shares[0] * longer + shares[1] * (len(lengths) - longer))


def test_settings_name_the_world():
    for source, world in (("default", repr(EASY)), ("real", "SNLI")):
        assert {part["world"] for part in EXPERIMENT.settings(source).values()} == {world}


def test_a_model_s_metrics_are_percentages(data):
    model, _ = fit(small("word-by-word", steps=1), data, progress=False)
    metrics = entailment_metrics(model, data, most=9)
    assert all(0 <= value <= 100 for value in metrics.values())
    assert metrics["clauses/chance"] >= metrics["alignment/chance"] > 0


def test_a_checkpoint_goes_on_from_another_and_its_card_says_what_it_was_made_from(data, monkeypatch, tmp_path):
    monkeypatch.setattr("course_utils.checkpoints.data_folder", lambda name: tmp_path)
    monkeypatch.setattr("experiments.recipes.training_checkpoint_path", lambda name: tmp_path / name)
    monkeypatch.setattr(lesson_05, "pairs_of", lambda *_, **__: data)
    monkeypatch.setattr(lesson_05, "FEWEST", 1)
    for name in ("05-word-by-word", "05-wide"):
        monkeypatch.setitem(EXPERIMENT.checkpoints, name, small("word-by-word", steps=1, learning_rate=1e-9))
        EXPERIMENT.train(name)
    first, wide = (EXPERIMENT.load(name) for name in ("05-word-by-word", "05-wide"))
    for one, other in zip(first[0].parameters(), wide[0].parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-3)
    assert wide[1]["data"] == {"source": "default", "credit": data.credit, "world": repr(WIDE), "pairs": 60}
    assert wide[1]["metrics"] == pytest.approx(EXPERIMENT.checkpoint_metrics("05-wide", wide[0]), abs=1e-3)
    assert "baseline/bag of words" in wide[1]["metrics"].keys() - first[1]["metrics"].keys()
    assert any(key.startswith("phenomenon/") for key in wide[1]["metrics"])
