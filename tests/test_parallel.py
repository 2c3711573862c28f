"""Both corpora in one shape: splits apart, words and ids in step, real text split and joined."""

import os
from pathlib import Path

import pytest
import torch

from course_utils.data.phrases.parallel import load_parallel, phrase_data, sentence_data
from course_utils.data.text import join_words, tokenize_sentence
from experiments.translation import (
    Recipe,
    fit,
    score_alignment,
    score_by_length,
    teacher_forced_attention,
    token_loss,
    translate,
)

STAGED = Path(os.environ.get("WHERE_TO_LOOK_DATA", Path(__file__).resolve().parents[2] / "shared" / "datasets"))


@pytest.fixture(scope="module")
def data():
    return phrase_data(train_count=2000, test_count=10)


@pytest.fixture(scope="module")
def model(data):
    torch.set_num_threads(1)
    return fit(Recipe("rnn-search", steps=3, batch_size=8, hidden_size=16), data, seed=0, progress=False)[0]


def test_no_pair_is_in_two_splits(data):
    tests = {tuple(data.source_vocabulary.encode(e.source)) for e in data.examples}
    train, validation = ({tuple(source) for source, _ in pairs} for pairs in (data.train, data.validation))
    assert not train & tests and not train & validation and not validation & tests


def test_test_examples_lie_in_their_bucket(data):
    for (low, high), examples in data.test.items():
        assert examples and all(low <= len(example.source) <= high for example in examples)


def test_every_example_has_gold_links_within_bounds(data):
    for example in data.examples:
        assert {target for target, _ in example.possible} == set(range(len(example.target)))
        assert example.sure <= example.possible
        assert all(source < len(example.source) for _, source in example.possible)
        assert data.detokenize(example.target) == example.reference


def test_the_vocabulary_does_not_depend_on_the_number_of_phrases(data):
    more = phrase_data(train_count=6000, test_count=1)
    assert data.source_vocabulary == more.source_vocabulary and data.target_vocabulary == more.target_vocabulary


def test_the_curriculum_starts_with_short_sentences(data):
    batches = data.batches(16, seed=0, curriculum=(6, 12))
    longest = [max(batch.source.shape[1] for batch in batches(epoch)) for epoch in range(3)]
    assert longest[0] <= 6 < longest[1] <= 12 < longest[2]


def test_epochs_differ_and_seeds_repeat(data):
    def first(seed, epoch):
        return next(iter(data.batches(16, seed, maximum_tokens=200)(epoch))).source.tolist()

    assert first(0, 0) == first(0, 0) and first(0, 0) != first(0, 1) != first(1, 0)


def test_what_a_learner_types_is_normalised(data):
    assert data.tokenize("\ufeffL´e\u0301cole\u00a0, vingt\u2011de\u00adux") == data.tokenize("l'école, vingt-deux")


def test_translations_come_back_in_the_order_of_their_sources(data, model):
    sources = [example.source for example in data.examples[::7]]
    together = translate(model, data, sources, batch_size=4)
    alone = [translate(model, data, [source])[0] for source in sources]
    assert [h.tokens for h in together] == [h.tokens for h in alone]


def test_attention_along_the_reference_has_the_shape_of_the_alignment(data, model):
    examples = data.examples[::9]
    for weights, example in zip(teacher_forced_attention(model, data, examples), examples, strict=True):
        assert weights.shape == (len(example.target), len(example.source))
        assert torch.allclose(weights.sum(dim=1), torch.ones(len(example.target)), atol=1e-5)


def test_scores_are_shares_and_counts(data, model):
    by_length = score_by_length(model, data)
    assert list(by_length) == list(data.test) and all(0 <= s.exact <= 1 and s.count == 10 for s in by_length.values())
    alignment = score_alignment(model, data, data.examples)
    assert 0 <= alignment.error_rate <= 1 and 0 < alignment.diagonal_error_rate < 1 and 0 < alignment.mass_on_gold < 1


def test_loss_of_a_set_does_not_depend_on_how_it_is_batched(data, model):
    assert token_loss(model, data.validation, 7) == pytest.approx(token_loss(model, data.validation, 64), rel=1e-5)


def test_another_source_is_refused():
    with pytest.raises(ValueError, match="'default'.*'real'"):
        load_parallel("imaginary")


def test_fresh_phrases_are_drawn_anew_in_every_epoch_and_never_of_another_split(data):
    def sources(epoch):
        batches = data.fresh_batches(16, 0, count=40)(epoch)
        return {tuple(row[mask].tolist()) for b in batches for row, mask in zip(b.source, b.source_mask, strict=True)}

    first, second = sources(0), sources(1)
    assert first == sources(0) != second and len(first) == 40
    assert not (first | second) & {tuple(source) for source, _ in (*data.validation, *data.encode(data.examples))}


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("L’homme n'a qu'un T-shirt.", "fr", ["l'", "homme", "n'", "a", "qu'", "un", "t-shirt", "."]),
        ("Aujourd'hui, d'accord !", "fr", ["aujourd'hui", ",", "d'", "accord", "!"]),
        ("The man's hat isn't blue.", "en", ["the", "man's", "hat", "isn't", "blue", "."]),
        ("e\u0301te\u0301", "fr", ["\u00e9t\u00e9"]),
        ("Va-t\u2019en, chef\u2011d´œuvre\u00a0!", "fr", ["va-t'en", ",", "chef-d'œuvre", "!"]),
        ("", "en", []),
    ],
)
def test_real_text_is_split_into_words(text, language, words):
    assert tokenize_sentence(text, language) == words


def test_words_are_joined_as_people_write_them():
    assert join_words(["a", "(", "red", ")", "hat", ",", "ok", "?"]) == "a (red) hat, ok?"
    assert join_words(["l'", "homme", "."]) == "l'homme."


@pytest.mark.skipif(not (STAGED / "multi30k_en_fr").is_dir(), reason="no staged multi30k_en_fr: set WHERE_TO_LOOK_DATA")
def test_real_sentences_have_the_same_shape(monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))
    real = sentence_data(train_count=500)
    assert len(real.train) == 500 and len(real.validation) == 1014 and len(real.examples) == 1000
    example = real.examples[0]
    assert example.reference == example.reference.lower() and not example.possible
    assert join_words(example.target) == example.reference
