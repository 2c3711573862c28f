"""Lesson 1: reverse the words of each source sentence, and leave its padding where it is."""

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, sizes, wide_ids
from course_utils.mechanisms.recurrent import reverse_real_tokens

FULL = torch.tensor([[4, 5, 6, 7], [8, 9, 4, 4], [6, 6, 9, 5]])
IDS = torch.tensor([[11, 12, 13, 14, 15], [21, 22, 23, 0, 0], [31, 0, 0, 0, 0]])
ODD = torch.tensor([[5, 0, 7, 9, 3], [0, 6, 9, 8, 7], [3, 0, 0, 8, 0]])
ODD_MASK = torch.tensor([[True, True, True, False, False], [True, True, False, False, False], [True] * 5])


def reverse_source(source: Tensor, source_mask: Tensor) -> Tensor:
    """Reverse the real words of each right-padded row (Sutskever et al. 2014, section 3.3)."""
    return reverse_real_tokens(source, source_mask)


def sample(generator: torch.Generator, batch=4, length=7) -> tuple[Tensor, Tensor]:
    """Make ids, of padding too, and a mask; the first row is full, the last one has one real word."""
    lengths = torch.linspace(length, 1, batch).round()
    source = torch.randint(0, 90, (batch, length), generator=generator)
    return source, torch.arange(length) < lengths.unsqueeze(1)


def _by_rows(row_of):
    """Make an answer of row_of(ids, number of real words) for each row."""
    return lambda source, mask: torch.stack([row_of(ids, int(n)) for ids, n in zip(source, mask.sum(1), strict=True)])


def _first(ids: Tensor, count: int) -> Tensor:
    return torch.cat([ids[:count].flip(0), ids[count:]])


def _by_numpy(source, source_mask):
    ids, mask = source.numpy().copy(), source_mask.numpy()
    for row, real in zip(ids, mask, strict=True):
        row[real] = row[real][::-1].copy()
    return torch.from_numpy(ids)


OFF = "Off by one: the last of n real words stands at position n − 1."
SORTED = "You sorted the ids; the words must keep their order, read from the end."
LENGTHS = "Each row has its own number of real words, source_mask.sum(dim=1); you took one number for all rows."
IN_FRONT = "The padding was reversed as well and stands in front: reverse only the real words."
OTHERS = "The padding was reversed as well: its ids must keep their order, too."
PADDING_ALONE = "You reversed the padding: True marks a real word."
NARROW = "A narrow type cuts the ids of large vocabularies: leave their type alone."
NARROW_TYPES = torch.uint8, torch.int8, torch.int16
ZERO = "You took the id 0 for padding. The mask alone says what is padding."
SAYS = "What says that a position is real: the id or the mask?"
PADDING = "Where does the padding stand after your flip?"

EXERCISE = Exercise(
    Task("01.reverse-source", "Reverse the words, not the padding", 2, 8, "(batch, length)"),
    reverse_source,
    sample,
    cases=[
        Case("A row without padding is read from its last word to its first.", (FULL, torch.ones_like(FULL).bool())),
        Case("The real words are reversed, and the padding stays at the right end.", (IDS, IDS > 0)),
        Case("The mask alone says what is padding: any id may be a word, and any may be padding.", (ODD, ODD_MASK)),
        Case("A batch may hold one padded sentence alone.", (ODD[:1], ODD_MASK[:1])),
        Case("Every row may have padding.", (ODD[:2], ODD_MASK[:2])),
    ],
    demands=[sizes(batch=1, length=1), sizes(batch=40, length=60), wide_ids("source")],
    mistakes=[
        Mistake(IN_FRONT, lambda s, m: s.flip(1), PADDING),
        Mistake(OTHERS, _by_rows(lambda ids, n: torch.cat([ids[:n].flip(0), ids[n:].flip(0)])), PADDING),
        Mistake("Nothing was reversed: the first word must come last.", lambda s, m: s.clone()),
        Mistake("You reversed the batch, dimension 0; reverse the words, dimension 1.", lambda s, m: s.flip(0)),
        Mistake("You reversed batch and words; leave the rows in their order.", lambda s, m: s.flip(0, 1)),
        *[
            Mistake(OFF, _by_rows(lambda ids, n, k=k: torch.cat([_first(ids, n)[:n].roll(k), ids[n:]])))
            for k in (1, -1)
        ],
        *[Mistake(OFF, _by_rows(lambda ids, n, k=k: _first(ids, n + k))) for k in (-1, 1)],
        Mistake(LENGTHS, lambda s, m: torch.stack([_first(ids, int(m[0].sum())) for ids in s]), PADDING),
        Mistake(LENGTHS, lambda s, m: torch.stack([_first(ids, int(m.sum(1).max())) for ids in s])),
        Mistake(ZERO, _by_rows(lambda ids, n: _first(ids, int((ids != 0).sum()))), SAYS),
        Mistake("You filled the padding with zeros: leave it as it was.", lambda s, m: reverse_source(s, m) * m),
        Mistake("The mask is upside down: True marks a real word.", _by_rows(lambda ids, n: _first(ids, len(ids) - n))),
        Mistake(PADDING_ALONE, _by_rows(lambda ids, n: torch.cat([ids[:n], ids[n:].flip(0)]))),
        Mistake("Padded rows are not reversed.", _by_rows(lambda ids, n: ids.flip(0) if n == len(ids) else ids)),
        *[Mistake(SORTED, lambda s, m, down=down: s.sort(1, descending=down).values) for down in (True, False)],
        Mistake(
            "Return one tensor, not a list.", lambda s, m: [reverse_source(s, m)[b, :n] for b, n in enumerate(m.sum(1))]
        ),
        Mistake("Return all positions, padding too.", lambda s, m: reverse_source(s, m)[:, : int(m.sum(1).min())]),
        *[Mistake(NARROW, lambda s, m, kind=kind: reverse_source(s, m).to(kind).long()) for kind in NARROW_TYPES],
        Mistake("Ids are whole numbers; yours became floating point.", lambda s, m: reverse_source(s, m).float()),
    ],
    right=[
        _by_numpy,
        lambda s, m: s.gather(1, torch.where(m, -(n := torch.arange(s.shape[1])), n).argsort(dim=1)),
        _by_rows(_first),
        lambda s, m: s.masked_scatter(m, torch.cat([ids[real].flip(0) for ids, real in zip(s, m, strict=True)])),
        _by_rows(lambda ids, n: torch.tensor(ids.tolist()[:n][::-1] + ids.tolist()[n:])),
    ],
)
