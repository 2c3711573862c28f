"""The references of lesson 7's exercises compute what the course's models and marks compute."""

import math

import pytest
import torch

from course_utils.data.batching import make_pair_batch
from course_utils.data.reports.reports import make_reports
from course_utils.exercises.lesson_07 import (
    attentive_window,
    copy_mixture,
    extractive_features,
    next_word,
    perplexity,
    rouge_2,
    support_share,
)
from course_utils.metrics import rouge
from course_utils.models import extractive
from course_utils.models.summarization import build_summarizer
from experiments.summary_scores import score_support

WORDS = 11


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture
def batch():
    return make_pair_batch([([4, 5, 6, 7, 8, 5], [9, 10, 4]), ([6, 6, 9], [5]), ([10], [4, 4, 7, 8])])


def widened(model):
    """Give small first weights the size of trained ones."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
    return model.eval()


def test_next_word_and_look_are_those_of_the_model(batch):
    model = widened(build_summarizer("abs-attention", WORDS, embedding_size=3, hidden_size=4, context_words=2))
    found, weights = model(batch)
    memory, _ = model.start(batch.source, batch.source_mask)
    before = torch.cat([torch.zeros(3, 1, dtype=torch.long), batch.target_input], dim=1)
    encoder = model.encoder
    matrices = model.output.weight.split([4, 4], dim=1)
    for place in range(batch.target_input.shape[1]):
        words = before[:, place : place + 2]
        query = encoder.match(encoder.context_embedding(words).flatten(1)) / 4**0.5
        vectors = encoder.source_embedding(batch.source)
        read, looks = attentive_window.attentive_window(query, vectors, batch.source_mask, encoder.window)
        torch.testing.assert_close(looks, weights[:, place])
        hidden = (model.target_embedding.weight, model.hidden.weight, model.hidden.bias)
        one = next_word.next_word(words, read, *hidden, *matrices) + model.output.bias  # which the exercise leaves out
        torch.testing.assert_close(one.log_softmax(dim=1), found[:, place])
    assert memory.mask.equal(batch.source_mask)


def test_perplexity_is_that_of_the_loss(batch):
    model = widened(build_summarizer("abs-bag", WORDS, embedding_size=3, hidden_size=4))
    with torch.no_grad():
        found = perplexity.perplexity(model(batch)[0], batch.target_output, batch.target_mask)
        assert found == pytest.approx(math.exp(model.loss(batch).mean.item()), rel=1e-5)


def test_copying_is_that_of_the_model(batch):
    model = widened(build_summarizer("ras-copy", WORDS, embedding_size=3, hidden_size=4))
    memory, state = model.start(batch.source, batch.source_mask)
    reading = model.read(batch.target_input, state, memory)
    mixed = model.log_probabilities(reading, memory).exp()
    written = model.output(reading.features).softmax(dim=2)
    for place in range(mixed.shape[1]):
        gate = reading.gate[:, place, 0].sigmoid()
        one = copy_mixture.copy_mixture(written[:, place], reading.attention_weights[:, place], batch.source, gate)
        torch.testing.assert_close(one, mixed[:, place])


def test_features_are_those_of_the_search():
    source = [7, 4, 5, 6, 7, 5, 4]
    for history in ([], [4], [7], [6, 7], [4, 5], [5, 7], [9, 9], [7, 4, 5]):
        last = torch.tensor([[-1, -1, *history][-2:]])
        table = extractive.extractive_features(last, torch.tensor([source]), WORDS)[0]
        for word in range(4, WORDS):
            found = extractive_features.extractive_features(history, word, source)
            assert found == tuple(table[word].int().tolist()), (history, word)


def test_rouge_2_is_that_of_the_library():
    texts = [("a b a b c", "b a b a c"), ("two red dogs", "two red cats turn"), ("a", "a b"), ("x x x x", "x x")]
    for hypothesis, reference in texts:
        mine = rouge_2.rouge_2(hypothesis.split(), reference.split())
        assert 100 * mine == pytest.approx(rouge([hypothesis], [reference]).two)


def test_the_share_on_support_is_that_of_the_marks():
    for report in make_reports(3, split="test"):
        weights = (2 * torch.randn(len(report.headline), len(report.source))).softmax(1)
        marks = score_support([weights], [report])
        assert support_share.support_share(weights, report.support) == pytest.approx((marks.mass, marks.mass_chance))
