"""Utterances in the shape that speech recognizers train on, gold boundaries in steps, and joined utterances.

data = spoken_data()                                    # from the cache, or synthesized in under a minute
for batch in data.batches(32, seed=0)(epoch=0): ...     # features and phonemes
longer = join_utterances(data.test["test"][:4])         # four utterances in a row, with their boundaries
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_utils.data.batching import batches_by_length, make_pair_batch
from course_utils.data.speech.cached import spoken_utterances
from course_utils.data.speech.features import FRAME_MS, STEP_MS, stack_frames
from course_utils.data.speech.phonemes import PHONEMES, Phoneme
from course_utils.data.speech.utterances import SpokenUtterance
from course_utils.data.text import Vocabulary

CREDIT = "spoken by espeak-ng (GPL-3.0-or-later) through espeakng-loader; words from Unicode, CLDR and scikit-learn"


class SpeechBatch(NamedTuple):
    """A batch of utterances.

    Attributes:
        features: `(batch, steps, STACK * MELS)` float32; a step is 40 ms.
        feature_mask: `(batch, steps)`, True = real step.
        target_input: `(batch, target_length)` ids, begin symbol first: what the decoder reads.
        target_output: `(batch, target_length)` ids, end symbol last: what it should write.
        target_mask: `(batch, target_length)`, True = real token, the end symbol included.
    """

    features: Tensor
    feature_mask: Tensor
    target_input: Tensor
    target_output: Tensor
    target_mask: Tensor

    def to(self, device: torch.device | str) -> "SpeechBatch":
        """Move every tensor to a device."""
        return SpeechBatch(*(tensor.to(device) for tensor in self))


@dataclass
class SpokenData:
    """What the speech experiments need.

    Attributes:
        name: "default".
        vocabulary: the 39 phonemes; ids do not depend on the number of utterances.
        train, validation: utterances to learn from and to stop by.
        test: utterances by split: "test" (unseen words), "unseen phrases", "unseen voices".
        credit: the line to print wherever speech is used.
    """

    name: str
    vocabulary: Vocabulary
    train: list[SpokenUtterance]
    validation: list[SpokenUtterance]
    test: dict[str, list[SpokenUtterance]]
    credit: str = CREDIT

    def batches(
        self, batch_size: int, seed: int, maximum_steps: int | None = None, join: int = 1
    ) -> Callable[[int], Iterator[SpeechBatch]]:
        """Make the function that gives `training.train` the batches of each epoch.

        Args:
            batch_size: most utterances in a batch; those of a batch have similar lengths.
            seed: decides the order of every epoch.
            maximum_steps: most steps in a batch, padding left out; None = no limit.
            join: see `speech_batches`.
        """

        def epoch_batches(epoch: int) -> Iterator[SpeechBatch]:
            settings = {"seed": 1000 * seed + epoch, "maximum_steps": maximum_steps, "join": join}
            return speech_batches(self.train, self.vocabulary, batch_size, **settings)

        return epoch_batches

    def validation_batches(self, batch_size: int) -> Iterator[SpeechBatch]:
        """The validation utterances; the same in every call."""
        return speech_batches(self.validation, self.vocabulary, batch_size, seed=0)


def spoken_data(
    train_count: int = 4000, test_count: int = 200, *, seed: int = 0, cached: bool = True, processes: int = 2
) -> SpokenData:
    """Make utterances with features and gold boundaries; the same ones in every call.

    Args:
        train_count: training utterances.
        test_count: utterances for validation and for each of the three tests.
        seed: any whole number.
        cached: keep them, see `data.cache`.
        processes: see `spoken_utterances`.

    Raises:
        ValueError: if an argument is out of range.
    """

    def make(split: str, count: int) -> list[SpokenUtterance]:
        return spoken_utterances(count, split=split, seed=seed, cached=cached, processes=processes)

    return SpokenData(
        name="default",
        vocabulary=Vocabulary(PHONEMES),
        train=make("train", train_count),
        validation=make("validation", test_count),
        test={split: make(split, test_count) for split in ("test", "unseen phrases", "unseen voices")},
    )


def make_speech_batch(spoken: Sequence[SpokenUtterance], vocabulary: Vocabulary) -> SpeechBatch:
    """Stack frames, pad, and add begin and end symbols.

    Raises:
        ValueError: if there is no utterance.
        KeyError: if a phoneme is not in the vocabulary.
    """
    if not spoken:
        raise ValueError("spoken is empty; expected at least one utterance.")
    steps = [torch.from_numpy(stack_frames(one.features.astype(np.float32))) for one in spoken]
    lengths = torch.tensor([len(one) for one in steps])
    targets = make_pair_batch([([0], vocabulary.encode(one.symbols, strict=True)) for one in spoken])
    return SpeechBatch(
        torch.nn.utils.rnn.pad_sequence(steps, batch_first=True),
        torch.arange(int(lengths.max())) < lengths[:, None],
        targets.target_input,
        targets.target_output,
        targets.target_mask,
    )


def speech_batches(
    spoken: Sequence[SpokenUtterance],
    vocabulary: Vocabulary,
    batch_size: int,
    *,
    seed: int,
    maximum_steps: int | None = None,
    join: int = 1,
) -> Iterator[SpeechBatch]:
    """Yield one epoch of shuffled batches of similar lengths; see `text.batches_by_length`.

    Args:
        spoken: utterances.
        vocabulary: of their phonemes.
        batch_size: most utterances in a batch.
        seed: decides the order.
        maximum_steps: most steps in a batch, padding left out; None = no limit.
        join: in every second batch utterances are joined, so many to one (see `join_utterances`), so that silence is
            not always the end. 1 = never.

    Raises:
        ValueError: if `join` is below 1.
    """
    if join < 1:
        raise ValueError(f"join is {join}; expected 1 (utterances as they are) or more.")
    # The number of the utterance stands where a translation has its source, as often as the utterance has steps.
    numbered = [([number] * count_steps(one), range(len(one.symbols))) for number, one in enumerate(spoken)]
    batches = batches_by_length(numbered, batch_size, seed=seed, maximum_tokens=maximum_steps)
    for count, batch in enumerate(batches):
        chosen = [spoken[number] for number in batch.source[:, 0].tolist()]
        if count % 2 and join > 1:
            chosen = [join_utterances(chosen[start : start + join]) for start in range(0, len(chosen), join)]
        yield make_speech_batch(chosen, vocabulary)


def count_steps(spoken: SpokenUtterance) -> int:
    """Steps of 40 ms that the listener makes of an utterance."""
    return -(-len(spoken.features) * FRAME_MS // STEP_MS)


def gold_overlap(phonemes: Sequence[Phoneme], steps: int) -> Tensor:
    """How much of each step lies inside each phoneme: attention weights times this, summed, is mass on gold.

    Args:
        phonemes: with their times.
        steps: of the utterance.

    Returns:
        `(phonemes, steps)` shares between 0 and 1.
    """
    starts = torch.tensor([[p.start_ms] for p in phonemes]).reshape(-1, 1)
    ends = torch.tensor([[p.end_ms] for p in phonemes]).reshape(-1, 1)
    left = torch.arange(steps) * float(STEP_MS)
    return (torch.minimum(ends, left + STEP_MS) - torch.maximum(starts, left)).clamp(min=0) / STEP_MS


def join_utterances(spoken: Sequence[SpokenUtterance]) -> SpokenUtterance:
    """Put utterances in a row, boundaries shifted: the test of long speech (Chorowski et al. 2015).

    Give the same utterance several times for a repeat. Each keeps its own voice and noise; its facts are the first's
    with all words, so a joined utterance cannot be spoken again: join the waveforms to listen.

    Raises:
        ValueError: if there is no utterance, or one has no times.
    """
    if not spoken:
        raise ValueError("spoken is empty; expected at least one utterance.")
    if untimed := [one for one in spoken if len(one.phonemes) != len(one.symbols)]:
        raise ValueError(f"{untimed[0].utterance.key!r} has no times of its phonemes; expected utterances that have.")
    phonemes, frames = [], 0
    for one in spoken:
        shift = frames * FRAME_MS
        phonemes += [Phoneme(p.symbol, p.start_ms + shift, p.end_ms + shift) for p in one.phonemes]
        frames += len(one.features)
    first = spoken[0].utterance
    words = tuple(word for one in spoken for word in one.utterance.words)
    utterance = type(first)(**{**vars(first), "words": words, "key": f"{len(spoken)} joined: {first.key}"})
    return SpokenUtterance(utterance, np.concatenate([one.features for one in spoken]), tuple(phonemes))
