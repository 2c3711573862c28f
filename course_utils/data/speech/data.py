"""Utterances in the shape that speech recognizers train on, gold boundaries in steps, and joined utterances.

data = spoken_data()                                    # from the cache, or synthesized in under a minute
for batch in data.batches(32, seed=0)(epoch=0): ...     # features and phonemes
longer = join_utterances(data.test["test"][:4])         # four utterances in a row, with their boundaries
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.data.batching import Batch, LessonData, batches_by_length, make_target_batch
from course_utils.data.speech.cached import spoken_utterances
from course_utils.data.speech.features import FRAME_MS, STEP_MS, stack_frames
from course_utils.data.speech.phonemes import PHONEMES, Phoneme
from course_utils.data.speech.utterances import SPLITS, SpokenUtterance
from course_utils.data.text import Vocabulary

CREDIT = "spoken by espeak-ng (GPL-3.0-or-later) through espeakng-loader; words from Unicode, CLDR and scikit-learn"


class SpokenData(LessonData):
    """Utterances, tests by split (see `sample_utterances`), and a vocabulary of the 39 phonemes."""

    def encode(self, examples: Sequence[SpokenUtterance]) -> list[tuple]:
        """Rows of: numbers of the steps, ids of the phonemes, features."""
        encode = self.vocabulary.encode
        return [(range(count_steps(one)), encode(one.symbols, strict=True), one.features) for one in examples]

    def collate(self, rows: Sequence[tuple]) -> Batch:
        """Stack frames and pad.

        Returns:
            `features` `(batch, steps, STACK * MELS)` float32, a step is 40 ms; `feature_mask` `(batch, steps)`, True =
            real step; and the tensors of `make_target_batch`.
        """
        steps = [torch.from_numpy(stack_frames(features.astype(np.float32))) for _, _, features in rows]
        features = torch.nn.utils.rnn.pad_sequence(steps, batch_first=True)
        mask = torch.arange(features.shape[1]) < torch.tensor([len(one) for one in steps])[:, None]
        return Batch(features=features, feature_mask=mask, **vars(make_target_batch([ids for _, ids, _ in rows])))

    def batches(self, batch_size: int, seed: int, *, join: int = 1, **order: Any) -> Callable[[int], Iterator[Batch]]:
        """As in `LessonData`; in every second batch `join` utterances are one: silence is not always the end."""
        rows = self.encode(self.train)

        def epoch_batches(epoch: int) -> Iterator[Batch]:
            chosen = batches_by_length(rows, batch_size, collate=list, seed=1000 * seed + epoch, **order)
            for number, batch in enumerate(chosen):
                yield self.collate(_join_rows(batch, join) if number % 2 else batch)

        return epoch_batches


def _join_rows(rows: list[tuple], join: int) -> list[tuple]:
    groups = [zip(*rows[start : start + join], strict=True) for start in range(0, len(rows), join)]
    return [(steps, sum(ids, []), np.concatenate(features)) for steps, ids, features in groups]


def spoken_data(train_count: int = 4000, test_count: int = 200, *, seed: int = 0) -> SpokenData:
    """Make utterances with gold boundaries, `test_count` for validation and for each of the three tests."""
    counts = dict.fromkeys(SPLITS, test_count) | {"train": train_count}
    spoken = {split: spoken_utterances(count, split=split, seed=seed) for split, count in counts.items()}
    return SpokenData("default", Vocabulary(PHONEMES), spoken.pop("train"), spoken.pop("validation"), spoken, CREDIT)


def count_steps(spoken: SpokenUtterance) -> int:
    """Steps of 40 ms that the listener makes of an utterance."""
    return -(-len(spoken.features) * FRAME_MS // STEP_MS)


def gold_overlap(phonemes: Sequence[Phoneme], steps: int) -> Tensor:
    """Share of each step inside each phoneme, `(phonemes, steps)`: times attention weights, summed, mass on gold."""
    starts, ends = (torch.tensor([phoneme[edge] for phoneme in phonemes])[:, None] for edge in (1, 2))
    left = torch.arange(steps) * float(STEP_MS)
    return (torch.minimum(ends, left + STEP_MS) - torch.maximum(starts, left)).clamp(min=0) / STEP_MS


def join_utterances(spoken: Sequence[SpokenUtterance]) -> SpokenUtterance:
    """Put utterances, or one several times, in a row, boundaries shifted: the test of long speech (Chorowski 2015).

    Each keeps its own speaker and noise, so a joined utterance cannot be spoken again: join the waveforms to listen.
    A `ValueError` if an utterance has no times.
    """
    if untimed := [one for one in spoken if len(one.phonemes) != len(one.symbols)]:
        raise ValueError(f"{untimed[0].utterance.key!r} has no times of its phonemes; expected utterances that have.")
    phonemes, frames = [], 0
    for one in spoken:
        shift = frames * FRAME_MS
        phonemes += [Phoneme(p.symbol, p.start_ms + shift, p.end_ms + shift) for p in one.phonemes]
        frames += len(one.features)
    words = tuple(word for one in spoken for word in one.utterance.words)
    utterance = replace(spoken[0].utterance, words=words, key=f"{len(spoken)} joined: {spoken[0].utterance.key}")
    return SpokenUtterance(utterance, np.concatenate([one.features for one in spoken]), tuple(phonemes))
