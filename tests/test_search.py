"""Greedy and beam search: a batch against single sentences, padding and order, exhaustive enumeration."""

import itertools

import pytest
import torch
from tiny_models import SYSTEM_NAMES, random_batch, tiny_model, widen

from course_utils.data.text import BEGIN, END
from course_utils.mechanisms.search import beam_search, greedy_search

LENGTHS = [3, 9, 1, 6, 12, 2, 7, 5]
LIMITS = {"begin": BEGIN, "end": END, "max_length": 14}
SEARCHES = {
    "greedy": lambda model, source, mask: greedy_search(model, source, mask, **LIMITS),
    "beam 1": lambda model, source, mask: beam_search(model, source, mask, beam_size=1, **LIMITS),
    "beam 3": lambda model, source, mask: beam_search(model, source, mask, beam_size=3, **LIMITS),
    "beam 5, plain log-probability": lambda model, source, mask: beam_search(
        model, source, mask, beam_size=5, length_penalty=0.0, **LIMITS
    ),
}
everywhere = pytest.mark.parametrize("system", SYSTEM_NAMES)


# How much larger than at the start the weights and the embeddings are: deep LSTMs forget their source otherwise.
SHARPNESS = {"rnn-encoder-decoder": (4.0, 1.0), "sequence-to-sequence": (12.0, 10.0), "rnn-search": (4.0, 1.0)}


def make_model(system, seed=0, **sizes):
    """A model with decided opinions, whose sentences differ and end at different times."""
    weights, embeddings = SHARPNESS[system]
    model = tiny_model(system, seed=seed, **{"hidden_size": 8} | sizes)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(embeddings if "embedding" in name else 4.0 if "readout.output" in name else weights)
        list(model.readout.parameters())[-1][END] += 3.0
    return model


def assert_same(found, expected):
    assert found.tokens == expected.tokens and found.ended == expected.ended
    assert found.log_probability == pytest.approx(expected.log_probability, rel=1e-9)
    if expected.attention_weights is None:
        assert found.attention_weights is None
    else:
        assert torch.allclose(
            found.attention_weights[:, : expected.attention_weights.shape[1]], expected.attention_weights
        )


@everywhere
def test_the_outputs_of_these_models_are_worth_comparing(system):
    found = []
    for seed in range(3):
        batch = random_batch(LENGTHS, seed)
        found += SEARCHES["greedy"](make_model(system, seed), batch.source, batch.source_mask)
    assert len({tuple(hypothesis.tokens) for hypothesis in found}) >= 6
    assert len({len(hypothesis.tokens) for hypothesis in found}) >= 4
    assert {hypothesis.ended for hypothesis in found} == {True, False}


@everywhere
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("seed", range(3))
def test_a_batch_equals_one_sentence_at_a_time(system, search, seed):
    model, batch = make_model(system, seed), random_batch(LENGTHS, seed)
    together = SEARCHES[search](model, batch.source, batch.source_mask)
    assert len(together) == len(LENGTHS)
    for row, length in enumerate(LENGTHS):
        (alone,) = SEARCHES[search](
            model, batch.source[row : row + 1, :length], batch.source_mask[row : row + 1, :length]
        )
        assert_same(together[row], alone)


@everywhere
@pytest.mark.parametrize("search", SEARCHES)
def test_padding_and_order_change_nothing(system, search):
    model, batch = make_model(system, seed=1), random_batch(LENGTHS)
    plain = SEARCHES[search](model, batch.source, batch.source_mask)
    wide = widen(batch, source_columns=4, target_columns=0, filler=7)
    for found, expected in zip(SEARCHES[search](model, wide.source, wide.source_mask), plain, strict=True):
        assert_same(found, expected)
    order = torch.tensor([5, 2, 7, 0, 1, 6, 3, 4])
    moved = SEARCHES[search](model, batch.source[order], batch.source_mask[order])
    for found, place in zip(moved, order.tolist(), strict=True):
        assert_same(found, plain[place])


@everywhere
@pytest.mark.parametrize("seed", range(3))
def test_a_beam_of_one_is_greedy(system, seed):
    model, batch = make_model(system, seed), random_batch(LENGTHS, seed)
    greedy, beam = (SEARCHES[name](model, batch.source, batch.source_mask) for name in ("greedy", "beam 1"))
    for found, expected in zip(beam, greedy, strict=True):
        assert_same(found, expected)


def score_by_steps(model, source, mask, words):
    """Log-probability of `words` (end symbol included), and the attention weights on the way."""
    memory, state = model.start(source, mask)
    total, previous, weights = 0.0, BEGIN, []
    for word in words:
        log_probabilities, state, row = model.step(torch.tensor([previous]), state, memory)
        total, previous = total + log_probabilities[0, word].item(), word
        weights.append(row)
    return total, None if weights[0] is None else torch.cat(weights)


@everywhere
@pytest.mark.parametrize("search", SEARCHES)
def test_reported_score_and_weights_are_those_of_the_words(system, search):
    model, batch = make_model(system, seed=2), random_batch(LENGTHS)
    for row, found in enumerate(SEARCHES[search](model, batch.source, batch.source_mask)):
        words = found.tokens + [END] * found.ended
        score, weights = score_by_steps(model, batch.source[row : row + 1], batch.source_mask[row : row + 1], words)
        assert END not in found.tokens and (found.ended or len(words) == LIMITS["max_length"])
        assert found.log_probability == pytest.approx(score)
        assert (weights is None) == (found.attention_weights is None)
        if weights is not None:
            real = batch.source_mask[row]
            assert torch.allclose(found.attention_weights, weights[:, real]) and (weights[:, ~real] == 0).all()


@everywhere
@pytest.mark.parametrize("length_penalty", [0.0, 0.7, 1.0])
def test_a_beam_that_is_wide_enough_finds_the_best_of_all_sequences(system, length_penalty):
    vocabulary, longest = 5, 3
    model = make_model(system, seed=3, target_vocabulary_size=vocabulary)
    batch = random_batch([4, 2, 1])
    others = [word for word in range(vocabulary) if word != END]
    found = beam_search(
        model, batch.source, batch.source_mask, begin=BEGIN, end=END, max_length=longest,
        beam_size=vocabulary**longest, length_penalty=length_penalty,
    )  # fmt: skip
    greedy = greedy_search(model, batch.source, batch.source_mask, begin=BEGIN, end=END, max_length=longest)
    for row in range(3):
        source, mask = batch.source[row : row + 1], batch.source_mask[row : row + 1]
        ranked = []
        for length in range(longest):
            for tokens in itertools.product(others, repeat=length):
                with torch.no_grad():
                    score, _ = score_by_steps(model, source, mask, [*tokens, END])
                ranked.append((score / (length + 1) ** length_penalty, score, list(tokens)))
        _, score, tokens = max(ranked)
        assert found[row].tokens == tokens and found[row].log_probability == pytest.approx(score)
        if length_penalty == 0 and greedy[row].ended:
            assert found[row].log_probability >= greedy[row].log_probability - 1e-9


def plain_beam(model, source, mask, beam_size, length_penalty):
    """Beam search for one sentence, with lists, as one would explain it."""
    memory, state = model.start(source, mask)
    beams, finished = [(0.0, [BEGIN], state)], []
    for _ in range(LIMITS["max_length"]):
        candidates = []
        for score, words, state in beams:
            log_probabilities, state, _ = model.step(torch.tensor(words[-1:]), state, memory)
            for word, more in enumerate(log_probabilities[0].tolist()):
                candidates.append((score + more, [*words, word], state))
        candidates.sort(key=lambda candidate: -candidate[0])
        finished += [(score, words[1:]) for score, words, _ in candidates[:beam_size] if words[-1] == END]
        beams = [candidate for candidate in candidates if candidate[1][-1] != END][:beam_size]
        if len(finished) >= beam_size:
            break
    finished = finished or [(beams[0][0], beams[0][1][1:])]
    score, words = max(finished, key=lambda found: found[0] / len(found[1]) ** length_penalty)
    return score, [word for word in words if word != END]


@everywhere
@pytest.mark.parametrize("beam_size, length_penalty", [(2, 1.0), (3, 0.0), (4, 0.6)])
def test_beam_agrees_with_plain_lists(system, beam_size, length_penalty):
    model, batch = make_model(system, seed=1), random_batch(LENGTHS[:5])
    found = beam_search(
        model, batch.source, batch.source_mask, beam_size=beam_size, length_penalty=length_penalty, **LIMITS
    )  # fmt: skip
    for row, hypothesis in enumerate(found):
        with torch.no_grad():
            score, words = plain_beam(
                model, batch.source[row : row + 1], batch.source_mask[row : row + 1], beam_size, length_penalty
            )
        assert hypothesis.tokens == words and hypothesis.log_probability == pytest.approx(score)


class ScriptedModel:
    """Says what it is told to: a table of log-probabilities per previous word, the same for every sentence."""

    def __init__(self, table):
        self.table = torch.as_tensor(table, dtype=torch.float64).log_softmax(dim=-1)

    def start(self, source, source_mask):
        return None, torch.zeros(len(source), 1)

    def step(self, previous_words, state, memory):
        return self.table[previous_words], state + 1, None


def test_length_penalty_decides_between_short_and_long():
    # Word 0 begins, word 1 ends. Short: end at once, log 0.3. Long: 2 2 2 end, log 0.7 + almost nothing per word.
    model = ScriptedModel([[-99, 0.3, 0.5], [0, 0, 0], [-99, 0.0, 0.4]])
    source, mask = torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1, dtype=torch.bool)
    options = {"begin": 0, "end": 1, "max_length": 9, "beam_size": 3}
    short, long = (beam_search(model, source, mask, **options, length_penalty=penalty)[0] for penalty in (0.0, 1.0))
    assert len(short.tokens) == 0 < len(long.tokens)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_vocabulary_of_one_word(beam_size):
    model = ScriptedModel([[0.0]])
    source, mask = torch.zeros(2, 1, dtype=torch.long), torch.ones(2, 1, dtype=torch.bool)
    limits = {"begin": 0, "end": 0, "max_length": 5}
    for found in (
        *greedy_search(model, source, mask, **limits),
        *beam_search(model, source, mask, beam_size=beam_size, **limits),
    ):
        assert found.tokens == [] and found.ended and found.log_probability == 0


@pytest.mark.parametrize("search", SEARCHES)
def test_a_sentence_that_never_ends_is_cut_off_and_says_so(search):
    table = torch.arange(64, dtype=torch.float64).reshape(8, 8).sin()
    table[:, END] = -99
    model, source, mask = ScriptedModel(table), torch.zeros(2, 3, dtype=torch.long), torch.ones(2, 3, dtype=torch.bool)
    for found in SEARCHES[search](model, source, mask):
        assert len(found.tokens) == LIMITS["max_length"] and not found.ended


def test_errors_say_what_was_expected():
    model, batch = tiny_model("rnn-search"), random_batch([2, 3])
    for search in (greedy_search, beam_search):
        with pytest.raises(ValueError, match=r"source has shape \(3,\).*begin with \(batch, source_length\). Add"):
            search(model, batch.source[0], batch.source_mask[0], **LIMITS)
        with pytest.raises(ValueError, match=r"source_mask \(2, 2\); expected both"):
            search(model, batch.source, batch.source_mask[:, :2], **LIMITS)
        with pytest.raises(ValueError, match="max_length is 0; expected at least 1"):
            search(model, batch.source, batch.source_mask, **LIMITS | {"max_length": 0})
        with pytest.raises(ValueError, match="Remove empty sequences"):
            search(model, batch.source[:0], batch.source_mask[:0], **LIMITS)
    with pytest.raises(ValueError, match="beam_size is 0; expected at least 1"):
        beam_search(model, batch.source, batch.source_mask, beam_size=0, **LIMITS)
