"""The experiments of lesson 7: training repeats, headlines and attention are evaluated, claims find their metrics."""

import math
from dataclasses import replace

import pytest
import torch

from course_utils.data.reports import docstrings as docstrings_module
from course_utils.data.reports.reports import Summary
from course_utils.data.text import END, Vocabulary
from course_utils.metrics import rouge_each
from course_utils.models.extractive import ExtractiveSummarizer, ExtractiveWeights
from experiments import lesson_07_summarization as lesson_07
from experiments.summarization import (
    Recipe,
    baselines_of,
    fit,
    headline_metrics,
    perplexity,
    rouge_of,
    rouge_with,
    summary_metrics,
    summary_of,
    teacher_forced_attention,
    texts_of,
    tune_extractive,
    word_loss,
    write_headlines,
)
from experiments.summary_baselines import best_lead_length, oracle_sentence
from experiments.summary_scores import NEAR, judge_all, origins_of, score_support

EXPERIMENT = lesson_07.EXPERIMENT
SMALL = (("embedding_size", 8), ("hidden_size", 8))


@pytest.fixture(scope="module")
def data():
    return texts_of("default", train_count=60, test_count=12)


def small(system, **changes):
    return Recipe(system, SMALL, **{"steps": 3, "batch_size": 8, **changes})


def pair(source, headline, support=(), spans=()):
    return Summary(
        source=tuple(source.split()), headline=tuple(headline.split()), reference=headline,
        support=tuple(map(frozenset, support)), sentence_spans=spans,
    )  # fmt: skip


def test_fresh_pairs_and_a_seed_give_the_same_model_and_another_seed_another(data, monkeypatch):
    monkeypatch.setattr(type(data).fresh_batches, "__defaults__", (24,))  # few reports for an epoch
    recipe = small("abs-attention", fresh=True)
    first, second, third = (fit(recipe, data, seed, progress=False)[1].losses for seed in (0, 0, 1))
    assert first == second != third != fit(replace(recipe, fresh=False), data, 1, progress=False)[1].losses


def test_training_lowers_the_perplexity_and_the_best_validation_is_kept(data):
    untrained, _ = fit(small("abs-bag", steps=1, learning_rate=1e-9), data, progress=False)
    assert perplexity(untrained, data, data.train) == pytest.approx(len(data.vocabulary), rel=0.2)
    seen = []

    def validate(model):
        seen.append(word_loss(model, data, data.validation))
        return seen[-1] if len(seen) != 2 else -1.0  # the second is called the best

    recipe = small("abs-bag", steps=40, learning_rate=3e-2)
    model, history = fit(recipe, data, progress=False, validate=validate, validate_every=10)
    assert word_loss(model, data, data.validation) == pytest.approx(seen[1]) and len(history.validations) == 4
    model, history = fit(recipe, data, progress=False, validate=lambda model: 1.0, validate_every=10, patience=2)
    assert history.stopped == "patience" and len(history.losses) == 30
    assert perplexity(model, data, data.train) < 0.5 * perplexity(untrained, data, data.train)


def test_perplexity_counts_words_and_ends_but_no_padding(data):
    model, _ = fit(small("abs-attention"), data, progress=False)
    short, long = sorted(data.train, key=lambda p: len(p.headline))[:: len(data.train) - 1]
    assert len(short.headline) < len(long.headline)
    both = word_loss(model, data, [short, long])
    alone = [word_loss(model, data, [one]) * (len(one.headline) + 1) for one in (short, long)]
    assert both == pytest.approx(sum(alone) / (len(short.headline) + len(long.headline) + 2), rel=1e-5)
    assert word_loss(model, data, [short, long], batch_size=1) == pytest.approx(both, rel=1e-5)
    assert perplexity(model, data, [short]) == pytest.approx(math.exp(alone[0] / (len(short.headline) + 1)))


@pytest.mark.parametrize("system, beam", [("abs-none", 1), ("abs-attention", 3), ("ras-copy", 2)])
def test_headlines_are_written_in_order_with_attention_for_each_word(data, system, beam):
    model, _ = fit(small(system), data, progress=False)
    pairs = data.examples[:5]
    written = write_headlines(model, data, pairs, beam, batch_size=2)
    again = [write_headlines(model, data, [one], beam)[0] for one in pairs]
    assert [one.words for one in written] == [one.words for one in again]
    for one, source in zip(written, pairs, strict=True):
        if system == "abs-none":
            assert one.attention_weights is None
        else:
            rows, columns = one.attention_weights.shape
            assert columns == len(source.source) and rows - len(one.words) in (0, 1)
            assert torch.allclose(one.attention_weights.sum(dim=1), torch.ones(rows), atol=1e-4)


def test_unknown_words_come_from_the_source(data):
    class Unsure(torch.nn.Module):
        """Writes "unknown word" and ends, attending to the third source word."""

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def start(self, source, source_mask):
            return source, torch.zeros(len(source), dtype=torch.long)

        def step(self, previous, state, memory):
            scores = torch.full((len(previous), 9), -50.0)
            scores[:, 1] = torch.where(state == 0, 0.0, -60.0)
            scores[:, END] = torch.where(state == 0, -60.0, 0.0)
            weights = torch.zeros(memory.shape)
            weights[:, 2] = 1.0
            return scores, state + 1, weights

    few = replace(data, vocabulary=Vocabulary(["a", "b", "c", "d", "e"]))
    (written,) = write_headlines(Unsure(), few, [pair("a b unheard c", "a")])
    assert written.words == ("unheard",)


def test_a_typed_text_becomes_a_source(data):
    assert summary_of("The dog sees a cat.", data) == Summary(
        source=("the", "dog", "sees", "a", "cat", "."), headline=()
    )
    assert len(summary_of("word " * 200, data).source) == 80
    with pytest.raises(ValueError, match="Type something"):
        summary_of("  ", data)


def test_rouge_is_of_the_texts(data):
    pairs = data.examples
    assert rouge_of(data, [p.headline for p in pairs], pairs) == pytest.approx((100, 100, 100))
    assert rouge_of(data, [()] * len(pairs), pairs) == (0, 0, 0)


def test_no_sentence_beats_the_oracle_and_no_lead_the_tuned_one(data):
    baselines = baselines_of(data)
    assert list(baselines) == ["lead", "lead, cut", "lead, tuned", "telling sentence", "oracle sentence"]
    pairs = data.examples
    scores = {name: rouge_of(data, [b(p) for p in pairs], pairs).one for name, b in baselines.items()}
    assert scores["oracle sentence"] >= max(scores["lead"], scores["telling sentence"]) > 0
    best = best_lead_length(data.validation, data.detokenize)
    chosen = [rouge_of(data, [p.lead[:n] for p in data.validation], data.validation).one for n in range(1, 26)]
    assert chosen[best - 1] == max(chosen)
    one = pair("a b . c d e .", "d c", spans=((0, 3), (3, 7)))
    assert oracle_sentence(" ".join)(one) == ("c", "d", "e")
    assert rouge_each(["c d e"], [one.reference])[0].one == pytest.approx(80)


def test_words_are_copied_new_or_invented():
    pairs = [pair("a b c d", "a x"), pair("a b", "b")]
    found = origins_of([("b", "c", "x", "y"), ("b",)], pairs)
    assert found == pytest.approx((3 / 5, 2 / 5, 1 / 5, 1 / 3))
    assert origins_of([("a",), ()], pairs).runs == 0
    for wrong in ([()], [(), ()]):
        with pytest.raises(ValueError, match="expected one each, with some words"):
            origins_of(wrong, pairs)


def test_true_headlines_are_judged_by_the_facts(data):
    reports = data.examples
    assert judge_all([r.headline for r in reports], reports) == (1, 1, 1)
    others = [r.headline for r in reports[1:]] + [reports[0].headline]
    assert judge_all(others, reports).complete < 0.5 and judge_all([("x",)] * len(reports), reports) == (0, 0, 0)


def test_attention_on_the_support_is_perfect_and_uniform_attention_is_the_baseline(data):
    pairs = data.examples
    perfect, uniform, beside = [], [], []
    for p in pairs:
        shape = len(p.headline), len(p.source)
        gold = torch.zeros(shape)
        for row, found in zip(gold, p.support, strict=True):
            row[sorted(found) or [0]] = 1 / max(1, len(found))
        perfect.append(gold)
        uniform.append(torch.full(shape, 1 / shape[1]))
        beside.append((gold == 0) / (gold == 0).sum(dim=1, keepdim=True))
    score, plain, wrong = (score_support(maps, pairs) for maps in (perfect, uniform, beside))
    assert score.mass == pytest.approx(1) and score.near == pytest.approx(1) and score.peak == 1
    assert plain.mass == pytest.approx(plain.mass_chance) and plain.near == pytest.approx(plain.near_chance)
    assert wrong.mass == pytest.approx(0, abs=1e-6) and wrong.near > 0.01
    assert score.near_chance > score.mass_chance > 0
    assert score.words == sum(bool(found) for p in pairs for found in p.support)
    row = torch.zeros(1, 9)
    row[0, 4 + NEAR] = 1
    one = score_support([row], [pair("a b c d e f g h i", "e", [{4}])])
    assert (one.mass, one.near) == (0, 1) and one.near_chance == pytest.approx((2 * NEAR + 1) / 9)
    with pytest.raises(ValueError, match="expected .* headline words"):
        score_support(perfect[:1], pairs[1:2])
    with pytest.raises(ValueError, match="no headline word with support"):
        score_support([torch.ones(1, 1)], [pair("a", "a")])


@pytest.mark.parametrize("system", ["abs-attention", "ras-additive"])
def test_attention_along_true_headlines(data, system):
    model, _ = fit(small(system, steps=1), data, progress=False)
    pairs = data.examples[:7]
    for weights, p in zip(teacher_forced_attention(model, data, pairs, batch_size=3), pairs, strict=True):
        assert weights.shape == (len(p.headline), len(p.source))
        assert torch.allclose(weights.sum(dim=1), torch.ones(len(weights)), atol=1e-5)
    without, _ = fit(small("abs-bag", steps=1), data, progress=False)
    with pytest.raises(ValueError, match="FeedForwardSummarizer has no attention"):
        teacher_forced_attention(without, data, pairs)


def test_tuned_features_are_never_worse_on_the_pairs_they_are_tuned_on(data):
    model, _ = fit(small("abs-attention"), data, progress=False)
    tuning = tune_extractive(model, data, count=3, beam_size=1, rounds=1)
    pairs = data.validation[:3]
    assert tuning.untuned == pytest.approx(rouge_with(model, data, pairs, 1).one)
    tuned = rouge_with(ExtractiveSummarizer(model, tuning.weights), data, pairs, 1).one
    assert tuned == pytest.approx(tuning.score) and tuning.score >= tuning.untuned
    words = [word for h in write_headlines(ExtractiveSummarizer(model, ExtractiveWeights(unigram=30)), data, pairs)
             for word in h.words]  # fmt: skip
    assert words and set(words) <= {word for p in pairs for word in p.source}


def test_a_model_is_evaluated_on_every_test(data):
    model, _ = fit(small("ras-additive", steps=1), data, progress=False)
    metrics = summary_metrics(model, data, most=3, beam_size=2)
    assert metrics["perplexity"] > 1 and "perplexity/longer reports" in metrics
    assert metrics["support/chance"] < metrics["support/near/chance"] < 100
    assert headline_metrics(data, [()] * 2, data.examples[:2])["rouge-1"] == 0


def test_docstrings_give_every_claim_its_metrics(monkeypatch, tmp_path):
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path))
    monkeypatch.setattr(docstrings_module, "FEWEST_PAIRS", 1)
    found = texts_of("docstrings", train_count=60, libraries=("joblib", "seaborn"))
    found = replace(found, validation=found.validation[:12], test={"test": found.test["test"][:12]})
    monkeypatch.setattr(lesson_07, "data_of", lambda *_: found)
    monkeypatch.setitem(lesson_07.RECIPES, "docstrings", {s: small(s, steps=1) for s in lesson_07.SYSTEMS})
    metrics = {}
    for part in EXPERIMENT.recipes("docstrings"):
        metrics |= EXPERIMENT.measure(part, "docstrings", 0, fast=True)
    claims = [claim for claim in EXPERIMENT.claims if "docstrings" in claim.sources]
    assert claims and {key for claim in claims for key in (claim.baseline[1], claim.ours[1])} <= metrics.keys()
    assert "abs-attention/support" not in metrics and "abs-attention/true" not in metrics


def test_encoders_are_compared_at_equal_epochs():
    for source in EXPERIMENT.sources:
        ablation = EXPERIMENT.recipes(source)["ablation"].values()
        assert len({(recipe.steps, recipe.batch_size, recipe.fresh) for recipe in ablation}) == 1


def test_a_checkpoint_of_docstrings_brings_its_own_words(data, monkeypatch, tmp_path):
    monkeypatch.setattr("course_utils.checkpoints.data_folder", lambda name: tmp_path)
    monkeypatch.setattr("experiments.recipes.training_checkpoint_path", lambda name: tmp_path / name)
    monkeypatch.setattr(lesson_07, "data_of", lambda *_: data)
    tuning = tune_extractive(fit(small("ras-copy", steps=1), data, progress=False)[0], data, count=1, rounds=1)
    monkeypatch.setattr(lesson_07, "tune_extractive", lambda model, data: tuning)
    for name in ("07-docstrings-ras-copy", "07-ras-copy"):
        monkeypatch.setitem(EXPERIMENT.checkpoints, name, small("ras-copy", steps=1))
        EXPERIMENT.train(name)
        model, card = EXPERIMENT.load(name)
        assert lesson_07.with_words_of(card, data).vocabulary == data.vocabulary
        assert card["metrics"] == pytest.approx(EXPERIMENT.checkpoint_metrics(name, model), abs=0.01)
        assert card["metrics"]["perplexity"] == pytest.approx(perplexity(model, data, data.test["test"]), rel=1e-3)
        assert "with features/rouge-1" in card["metrics"] and set(card["extractive"]) == set(tuning.weights._fields)
