"""The probes of lesson 1, against models whose answers are known."""

import math
import random

import pytest
import torch
from torch import nn

from course_utils.data.batching import make_pair_batch
from course_utils.models.translation import build_translation_model
from experiments.probes import gradient_reach, probe_words, summary_vectors, words_that_fit

DRAW = random.Random(0)
SENTENCES = [[DRAW.randrange(4, 11) for _ in range(2 + index % 5)] for index in range(60)]


class RemembersOneEnd(nn.Module):
    """A stand-in whose summary is the one-hot first or last word, and nothing else."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place
        self.weight = nn.Parameter(torch.zeros(1))

    def start(self, source, mask):
        rows = torch.arange(len(source))
        places = mask.sum(dim=1) - 1 if self.place else torch.zeros(len(source), dtype=torch.long)
        return nn.functional.one_hot(source[rows, places], 11).float(), None


def tiny(system: str, **options):
    torch.manual_seed(0)
    return build_translation_model(
        system, source_vocabulary_size=11, target_vocabulary_size=9, embedding_size=5, hidden_size=6, **options
    ).eval()


@pytest.mark.parametrize(("place", "from_end"), [(0, False), (1, True)])
def test_probe_reads_what_the_vector_holds_and_nothing_else(place, from_end):
    probe = probe_words(RemembersOneEnd(place), SENTENCES[:40], SENTENCES[40:], positions=2, from_end=from_end)
    read, guessed = probe.by_position()
    assert read[0] == 1.0 and read[1] < 0.7 and guessed[0] < 0.7


def test_probe_is_blank_beyond_the_sentence():
    probe = probe_words(tiny("rnn-encoder-decoder"), SENTENCES[:40], SENTENCES[40:], positions=4)
    lengths = torch.tensor([len(sentence) for sentence in SENTENCES[40:]])
    assert torch.equal(probe.right.isnan(), torch.arange(4) >= lengths[:, None])
    assert math.isnan(probe.by_length([(2, 3)])[2, 3][3])


def test_probe_refuses_positions_that_no_sentence_has():
    with pytest.raises(ValueError, match="lower it"):
        probe_words(RemembersOneEnd(0), SENTENCES[:40], SENTENCES[40:], positions=9)


@pytest.mark.parametrize(("system", "size"), [("rnn-encoder-decoder", 6), ("sequence-to-sequence", 2 * 2 * 6)])
def test_summary_is_all_that_the_decoder_gets_whatever_the_batch(system, size):
    model = tiny(system)
    together = summary_vectors(model, SENTENCES, batch_size=7)
    alone = torch.cat([summary_vectors(model, [sentence]) for sentence in SENTENCES])
    assert together.shape == (60, size)
    torch.testing.assert_close(together, alone)


def test_summary_refuses_attention():
    with pytest.raises(ValueError, match="without attention"):
        summary_vectors(tiny("rnn-search"), SENTENCES[:3])


@pytest.mark.parametrize("target", ["first", "last"])
@pytest.mark.parametrize(
    ("system", "options"),
    [
        ("rnn-encoder-decoder", {}),
        ("sequence-to-sequence", {"reverse_source": False}),
        ("sequence-to-sequence", {"reverse_source": True}),
        ("rnn-search", {}),
    ],
)
def test_gradient_reach_agrees_with_finite_differences(system, options, target):
    model = tiny(system, **options).double()
    source, translation = [4, 5, 6, 7], [4, 5, 8]
    found = gradient_reach(model, [(source, translation)], target=target)
    assert found.distances == [0, 1, 2, 3]
    batch = make_pair_batch([(source, translation)])
    place = 0 if target == "first" else 2

    @torch.no_grad()
    def log_probability() -> float:
        return model(batch)[0].log_softmax(-1)[0, place, translation[place]].item()

    reading = source[::-1] if options.get("reverse_source") else source
    for distance, norm in zip(found.distances, found.norms, strict=True):
        row, squares = model.source_embedding.weight.data[reading[-1 - distance]], 0.0
        for entry in range(5):  # each word occurs once, so changing its row changes one position
            row[entry] += 1e-5
            above = log_probability()
            row[entry] -= 2e-5
            squares += ((above - log_probability()) / 2e-5) ** 2
            row[entry] += 1e-5
        assert norm == pytest.approx(math.sqrt(squares), rel=1e-4)


def test_gradient_reach_averages_over_sentences_without_padding():
    model = tiny("rnn-encoder-decoder")
    pairs = [([4, 5, 6, 7, 8], [4, 5]), ([9, 4, 5], [6, 7, 8])]
    both = gradient_reach(model, pairs, target="last")
    alone = [gradient_reach(model, [pair], target="last").norms for pair in pairs]
    assert both.distances == [0, 1, 2]
    assert both.norms == pytest.approx([(a + b) / 2 for a, b in zip(alone[0][:3], alone[1], strict=True)])
    assert next(model.parameters()).dtype == torch.float32


def test_gradient_reach_names_a_wrong_target():
    with pytest.raises(ValueError, match="'first' or 'last'"):
        gradient_reach(tiny("rnn-encoder-decoder"), [([4], [4])], target="middle")


def test_words_that_fit():
    exact = {(2, 3): 1.0, (4, 5): 0.75, (6, 7): 0.25, (8, 9): 0.0}
    assert words_that_fit(exact) == pytest.approx(5.5)
    assert words_that_fit(exact, level=0.8) == pytest.approx(4.1)
    assert words_that_fit({(2, 3): 0.4}) == 0 and words_that_fit({(2, 3): 0.5}) == math.inf
    with pytest.raises(ValueError, match="at least one"):
        words_that_fit({})
