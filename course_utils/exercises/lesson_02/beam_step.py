"""Lesson 2: one step of beam search."""

from functools import partial

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, in_two_calls, sizes


def beam_step(beam_scores: Tensor, log_probabilities: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Choose the k best continuations of all beams together: their parents, words and scores, each (k,)."""
    return best_of(beam_scores.unsqueeze(1) + log_probabilities, k)


def best_of(table: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Choose the k largest entries of a table (beam, vocabulary): their rows, columns and values."""
    scores, index = table.flatten().topk(k)
    return index // table.shape[1], index % table.shape[1], scores


def sample(generator: torch.Generator, beams=3, vocabulary=7, k=4) -> tuple[Tensor, Tensor, int]:
    """Make scores of beams and the log probabilities of their next words."""
    log_probabilities = (2 * torch.randn(beams, vocabulary, generator=generator)).log_softmax(-1)
    return -3 * torch.rand(beams, generator=generator), log_probabilities, k


def _of(change):
    """Make an answer that chooses from another table: change(beam_scores (beam, 1), log_probabilities)."""
    return lambda scores, table, k: best_of(change(scores.unsqueeze(1), table), k)


@in_two_calls
def _unpacked(scores, table, k, change):
    """Make an answer with other positions: change(flat index, beams, vocabulary) -> parents, words."""
    parents, words, best = beam_step(scores, table, k)
    return *change(parents * table.shape[1] + words, *table.shape), best


def _of_each_beam(scores, table, k, width=None):
    values, words = table.topk(min(width or -(-k // len(table)), table.shape[1]), dim=1)
    best, index = (scores.unsqueeze(1) + values).flatten().topk(min(k, values.numel()))
    return index // words.shape[1], words.flatten()[index], best


def _by_sorting(scores, table, k):
    rows = enumerate((scores.unsqueeze(1) + table).tolist())
    best, parents, words = zip(*sorted((-x, b, w) for b, row in rows for w, x in enumerate(row))[:k], strict=True)
    return torch.tensor(parents), torch.tensor(words), -torch.tensor(best)


def _by_numpy(scores, table, k):
    table = scores.numpy()[:, None] + table.numpy()
    parents, words = divmod((-table).argsort(axis=None, kind="stable")[:k], table.shape[1])
    return tuple(map(torch.from_numpy, (parents, words, table[parents, words])))


def _of_lists(scores, table, k):
    return torch.tensor(scores), torch.tensor(table), k


_then = changing(beam_step)  # that changes the right result: change(parents, words, scores)
MINUS, ROW = -torch.inf, "Entry 7 of a table with 5 columns: which row?"
SUMS = _of_lists([-1.0, -4.0], [[-1.25, -0.75, -1.5], [-4.5, -0.0625, -4.0]], 4)
ONE_BEAM = _of_lists([-9.0, -0.5, -8.0], [[-1.6, -1.2, -0.7], [-0.9, -1.0, -1.4], [-2.3, -0.2, -2.0]], 3)
START = _of_lists([0.0, MINUS, MINUS], 3 * [[-2.3, -0.9, -1.6, -1.2]], 3)
EACH = "Each beam got its share of the k. The beams compete: take the k best of the whole table."
UNPACKED = (
    "Flat index and table do not fit together: with beams as rows, index // vocabulary is the beam, index % vocabulary "
    "the word."
)
ORDER = "The right choices, but the best must come first."
CUT = "Scores are cut: let them be as low as they are."

EXERCISE = Exercise(
    Task("02.beam-step", "Take one step of beam search", 3, 15, "(k,), the parents; (k,), the words; (k,), the scores"),
    beam_step,
    sample,
    cases=[
        Case("A probable word of a bad beam loses against a fair word of a good one: the sums decide.", SUMS),
        Case("All the best may continue one beam.", ONE_BEAM),
        Case("k may be larger than the number of words.", dict(k=10)),
        Case("k may be 1.", dict(k=1)),
        Case("Beams and words may be as many as k.", dict(beams=4, vocabulary=4, k=4)),
        Case("All continuations may be asked for.", dict(beams=5, vocabulary=4, k=20)),
        Case("At the start of a search there is one beam, the others have the score minus infinity.", START),
        Case("A word may be impossible: it comes last.", _of_lists([0.0, -1.0], [[-0.1, MINUS], [-0.5, -0.9]], 4)),
        Case("Scores may be far below zero.", _of_lists([-3000.0, -3001.0], [[-1.5, -40.0], [-0.25, -30.0]], 4)),
        Case("Minus infinity is below any score.", _of_lists([0.0, MINUS, -1e30], [[MINUS], [-1.0], [-1.0]], 1)),
        Case("A vocabulary may be large.", dict(beams=2, vocabulary=40_000, k=200), tolerance=1e-6),
    ],
    demands=[sizes(beams=1), sizes(beams=200, k=300)],
    mistakes=[
        Mistake("Add the beam's score so far to every word's, before you choose.", _of(lambda scores, table: table)),
        Mistake("The beam's score is missing in `scores`.", lambda s, p, k: (*(x := beam_step(s, p, k)[:2]), p[x])),
        Mistake(EACH, _of_each_beam, ask="Could all survivors come from one beam?"),
        Mistake(EACH, partial(_of_each_beam, width=1)),
        Mistake("Words come first in your result; parents should.", _then(lambda b, w, s: (w, b, s)), ask=ROW),
        Mistake("Scores come first in your result; parents should.", _then(lambda b, w, s: (s, b, w))),
        Mistake(UNPACKED, _unpacked(lambda i, B, V: (i // B, i % B)), ask=ROW),
        Mistake(UNPACKED, _unpacked(lambda i, B, V: ((i % V * B + i // V) // V, (i % V * B + i // V) % V))),
        Mistake("Parents are integers: divide with //.", _unpacked(lambda i, B, V: (i / V, i % V))),
        Mistake(ORDER, _then(lambda b, w, s: tuple(part[(b * 10**6 + w).argsort()] for part in (b, w, s)))),
        Mistake(ORDER, _then(lambda *parts: tuple(part.flip(0) for part in parts))),
        Mistake(
            "You kept the worst: the largest sum is the best.",
            lambda s, p, k: (*(x := beam_step(-s, -p, k))[:2], -x[2]),
        ),
        Mistake(
            "Scores are plain sums: the mean over words comes at the end.", _of(lambda scores, p: (scores + p) / 2)
        ),
        Mistake("Add the beam's score; you multiplied by it.", _of(lambda scores, table: scores * table)),
        Mistake("Add the logarithms; you added plain probabilities.", _of(lambda scores, table: scores + table.exp())),
        Mistake("Return the sums of logarithms, not probabilities.", _of(lambda scores, table: (scores + table).exp())),
        Mistake("These are logarithms: no softmax is needed.", _of(lambda scores, table: scores + table.softmax(-1))),
        Mistake("Scores met the words' axis: beam_scores.unsqueeze(1).", lambda s, p, k: best_of(s + p, k)),
        Mistake("`parents` holds ranks; it should hold beams.", _then(lambda b, w, s: (torch.arange(len(b)), w, s))),
        Mistake("Return k continuations, not one for each beam.", lambda s, p, k: beam_step(s, p, len(s))),
        Mistake("A beam of minus infinity was continued.", _of(lambda s, p: s.nan_to_num(neginf=0) + p)),
        Mistake(CUT, _of(lambda scores, table: scores.clamp(min=-100) + table)),
        Mistake(CUT, _of(lambda scores, table: scores + table.clamp(min=-20))),
    ],
    right=[
        _by_sorting,
        _by_numpy,
        lambda s, p, k: (*torch.unravel_index((s[:, None] + p).ravel().topk(k)[1], p.shape), beam_step(s, p, k)[2]),
        lambda scores, table, k: list(_of_each_beam(scores, table, k, width=k)),
    ],
)
