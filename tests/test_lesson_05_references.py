"""The references of lesson 5's exercises compute what the course's models, baselines and marks compute."""

import pytest
import torch

from course_utils.data.inference.pairs import make_pairs
from course_utils.exercises.lesson_05.attention import last_state_attention, word_by_word_step
from course_utils.exercises.lesson_05.carry_through import carry_through
from course_utils.exercises.lesson_05.conditional_encoding import conditional_encoding
from course_utils.exercises.lesson_05.hypothesis_only import hypothesis_only
from course_utils.exercises.lesson_05.pointing_score import pointing_score
from course_utils.metrics import hard_alignment
from course_utils.models.entailment import LastStateAttention, Reader, WordByWordAttention

SIZE = 4
PREMISE_MASK = torch.arange(5) < torch.tensor([[3], [5], [1]])
HYPOTHESIS_MASK = torch.arange(4) < torch.tensor([[4], [2], [3]])


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def outputs(mask):
    return torch.randn(*mask.shape, SIZE)


def test_conditional_encoding_is_that_of_the_readers():
    first, second = Reader(3, SIZE), Reader(3, SIZE)
    premise, hypothesis = torch.randn(3, 5, 3), torch.randn(3, 4, 3)
    _, _, cell = first(premise, PREMISE_MASK)
    theirs, _, _ = second(hypothesis, HYPOTHESIS_MASK, cell)
    ours = conditional_encoding(premise, PREMISE_MASK, hypothesis, first.lstm, second.lstm)
    torch.testing.assert_close(ours[HYPOTHESIS_MASK], theirs[HYPOTHESIS_MASK])


def test_attention_from_the_last_state_is_that_of_the_model():
    model, premise, last = LastStateAttention(SIZE), outputs(PREMISE_MASK), torch.randn(3, SIZE)
    weights_of = model.keys.weight, model.query.weight, model.score.weight[0]
    context, weights = last_state_attention(premise, PREMISE_MASK, last, *weights_of)
    star, theirs = model(premise, PREMISE_MASK, outputs(HYPOTHESIS_MASK), HYPOTHESIS_MASK, last)
    torch.testing.assert_close(weights, theirs.squeeze(1))
    torch.testing.assert_close(torch.tanh(model.from_context(context) + model.from_state(last)), star)


def test_steps_carried_through_are_the_model():
    model, premise, hypothesis = WordByWordAttention(SIZE), outputs(PREMISE_MASK), outputs(HYPOTHESIS_MASK)
    last = hypothesis[torch.arange(3), HYPOTHESIS_MASK.sum(1) - 1]
    star, theirs = model(premise, PREMISE_MASK, hypothesis, HYPOTHESIS_MASK, last)
    parameters = [layer.weight for layer in (model.query, model.query_from_found, model.carry)]
    seen = []

    def step(hypothesis_output, found):
        fresh, weights = word_by_word_step(
            premise, model.keys(premise), PREMISE_MASK, hypothesis_output, found, *parameters, model.score.weight[0]
        )
        seen.append(weights)
        return fresh, weights

    joints = model.from_context.weight, model.from_state.weight
    torch.testing.assert_close(carry_through(step, hypothesis, HYPOTHESIS_MASK, *joints), star)
    torch.testing.assert_close(torch.stack(seen, dim=1), theirs)


def test_the_pointing_score_counts_hard_links_to_gold_words():
    pairs = make_pairs(40, seed=3)
    maps = [torch.rand(len(pair.hypothesis), len(pair.premise)).softmax(dim=1) for pair in pairs]
    hits = words = 0
    chances = 0.0
    for pair, weights in zip(pairs, maps, strict=True):
        gold = {(i, j) for i, positions in enumerate(pair.alignment) for j in positions}
        hits += len(hard_alignment(weights) & gold)
        words += sum(map(bool, pair.alignment))
        chances += len(gold) / len(pair.premise)
    assert 0 < words < sum(len(pair.hypothesis) for pair in pairs)
    score = pointing_score(maps, [pair.alignment for pair in pairs])
    assert score == pytest.approx((hits / words, chances / words))


def test_gold_weights_point_at_gold():
    pairs = make_pairs(40, seed=4)
    maps = [0.01 * torch.rand(len(pair.hypothesis), len(pair.premise)) for pair in pairs]
    for pair, weights in zip(pairs, maps, strict=True):
        for i, positions in enumerate(pair.alignment):
            weights[i, list(positions)] += 1
    hit_rate, chance = pointing_score(maps, [pair.alignment for pair in pairs])
    assert hit_rate == 1
    assert 0 < chance < 0.5


def test_the_courses_hypotheses_give_nothing_away_and_marked_ones_do():
    train, test = make_pairs(450, seed=5), make_pairs(300, split="test", seed=5)

    def audit(cue):
        parts = [
            ([(*pair.hypothesis, *cue(pair)) for pair in pairs], [pair.label for pair in pairs])
            for pairs in (train, test)
        ]
        return hypothesis_only(*parts[0], *parts[1])

    accuracy, majority = audit(lambda pair: ())
    assert accuracy == pytest.approx(1 / 3, abs=0.1)
    assert majority == pytest.approx(1 / 3, abs=0.02)
    marked, _ = audit(lambda pair: [f"{pair.label}{n}" for n in range(20)])
    assert marked == 1
