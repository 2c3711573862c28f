"""Recordings to train on together with synthetic speech: spoken digits with a speaker held out, prompts in pieces.

data = digit_data(synthetic, held_out="theo")
data.test["unseen speaker"]         # every digit that this speaker says; none of them is in data.train
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np

from course_utils.data.real import REAL_SOURCES
from course_utils.data.speech.augmentation import bend, training_versions
from course_utils.data.speech.data import SpokenData
from course_utils.data.speech.features import log_mel
from course_utils.data.speech.pronunciation import DIGITS
from course_utils.data.speech.recordings import (
    Reading,
    Recording,
    load_recordings,
    make_recording,
    pieces_of,
    sound_of,
    speakers_of,
)
from course_utils.data.speech.utterances import TRAINING_VOICES, SpokenUtterance, Utterance, waveform

WORDS_OF_A_PIECE = 3
"""Longest synthetic utterances have so many words; prompts are cut into pieces of so many."""
MANY_SPEEDS = tuple(Fraction(tenths, 20) for tenths in (16, 18, 20, 22, 25))
"""Recorded digits are played at these speeds where voices are many."""
TIMES_PER_VOICE = 6
"""How often each voice of the synthesizer says each digit."""
BENDS = 2
"""Bent versions of every digit, see `augmentation.bend`."""


def digit_data(synthetic: SpokenData, held_out: str, *, recorded: bool = True, seed: int = 0) -> SpokenData:
    """Spoken digits of all speakers but one, together with synthetic speech.

    The recordings that the set itself keeps for tests are in no training.

    Args:
        synthetic: whose training utterances are added, and whose tests stay.
        held_out: a speaker; none of his recordings is in `train`.
        recorded: False leaves all recordings out of `train`: the same tests for synthetic training alone.
        seed: decides the noise.

    Returns:
        Data whose tests have also "unseen speaker" and "known speakers".

    Raises:
        ValueError: if there is no such speaker.
        RealDataError: see `load_recordings`.
    """
    train, kept = load_recordings("fsdd", "train"), load_recordings("fsdd", "test")
    known, tests = _hold_out(held_out, train, kept)
    return replace(
        synthetic,
        name="digits" if recorded else synthetic.name,
        train=[*synthetic.train, *training_versions(known if recorded else (), seed)],
        test={**synthetic.test, **tests},
        credit=_credit(synthetic, "fsdd"),
    )


def many_voices_data(synthetic: SpokenData, held_out: str, *, seed: int = 0) -> SpokenData:
    """Spoken digits as in `digit_data`, each voice measured by itself, and with as many voices as can be had.

    What was recorded is played at `MANY_SPEEDS`, every voice of the synthesizer says the digits too, and all of that is
    bent. Features are normalized by `normalize_by_voice`, in training and tests: the held-out speaker's are measured by
    all he says, though nobody tells which digits that is.

    Args:
        synthetic, held_out: see `digit_data`.
        seed: decides the noise, how the synthesizer speaks, and the bends.

    Raises:
        ValueError: if there is no such speaker.
        EspeakError: see `espeak.speak`.
        RealDataError: see `load_recordings`.
    """
    train, kept = load_recordings("fsdd", "train"), load_recordings("fsdd", "test")
    known, _ = _hold_out(held_out, train, kept)
    measured = normalize_by_voice([*train, *kept])
    _, tests = _hold_out(held_out, measured[: len(train)], measured[len(train) :])
    groups = [*(training_versions(known, seed, (speed,)) for speed in MANY_SPEEDS), synthetic_digits(seed)]
    digits = [one for group in groups for one in normalize_by_voice(group)]
    bent = [bend(one, BENDS * seed + again) for again in range(BENDS) for one in digits]
    return replace(
        synthetic,
        name="many voices",
        train=[*normalize_by_voice(synthetic.train), *digits, *bent],
        validation=normalize_by_voice(synthetic.validation),
        test={**{name: normalize_by_voice(ones) for name, ones in synthetic.test.items()}, **tests},
        credit=_credit(synthetic, "fsdd"),
    )


def many_voices_settings() -> dict[str, object]:
    """What decides the training data of `many_voices_data` besides its arguments, as plain values."""
    return {"speeds": [str(speed) for speed in MANY_SPEEDS], "times_per_voice": TIMES_PER_VOICE, "bends": BENDS}


def normalize_by_voice(spoken: Sequence[SpokenUtterance]) -> list[SpokenUtterance]:
    """Take each band's mean over all that a voice says away, and divide by its deviation.

    A phrase is long enough to be measured by itself. A word is not: its mean has much of the word in it.

    Args:
        spoken: recordings, whose features are computed anew, or synthetic phrases, whose features have no mean already.

    Returns:
        The same ones in the same order, with other features.
    """
    of_voice = defaultdict(list)
    for index, one in enumerate(spoken):
        of_voice[one.utterance.voice].append(index)
    normalized = list(spoken)
    for indices in of_voice.values():
        features = [_unnormalized(spoken[index]) for index in indices]
        together = np.concatenate(features)
        mean, deviation = together.mean(0), together.std(0) + 1e-3
        for index, one in zip(indices, features, strict=True):
            normalized[index] = replace(spoken[index], features=((one - mean) / deviation).astype(np.float16))
    return normalized


def synthetic_digits(seed: int = 0, times: int = TIMES_PER_VOICE) -> list[Recording]:
    """The ten digits by every training voice of the synthesizer, fast and slow, high and low.

    Args:
        seed: decides how they are spoken.
        times: each digit by each voice.

    Raises:
        EspeakError: see `espeak.speak`.
    """
    random, spoken = Random(f"digits {seed}"), []
    for voice in TRAINING_VOICES:
        for word in DIGITS:
            for again in range(times):
                how = {"words_per_minute": random.randint(120, 260), "pitch": random.randint(20, 80)}
                around = {"noise_db": random.uniform(15, 40), "hiss": random.random(), "lead_ms": random.randint(0, 80)}
                sound = waveform(Utterance((word,), voice, **how, **around, key=f"{seed} {again}"))
                spoken.append(make_recording(sound, Reading((word,), voice, f"{word} {again}"), DIGITS[word]))
    return spoken


def prompt_data(synthetic: SpokenData, *, seed: int = 0) -> SpokenData:
    """Pieces of telephone prompts together with synthetic speech.

    Args:
        synthetic: whose training utterances are added, and whose tests stay.
        seed: decides the noise.

    Returns:
        Data whose tests have also "prompts" (whole) and "pieces" (of at most `WORDS_OF_A_PIECE` words), both of the
        set's own test.

    Raises:
        RealDataError: see `load_recordings`.
    """
    whole = {split: timed_prompts(split) for split in ("train", "test")}
    pieces = {
        split: [piece for one in ones for piece in pieces_of(one, WORDS_OF_A_PIECE)] for split, ones in whole.items()
    }
    return replace(
        synthetic,
        name="prompts",
        train=[*synthetic.train, *training_versions(pieces["train"], seed)],
        test={**synthetic.test, "prompts": whole["test"], "pieces": pieces["test"]},
        credit=_credit(synthetic, "asterisk_prompts_en"),
    )


def timed_prompts(split: str = "test") -> list[Recording]:
    """The telephone prompts whose phonemes and words have times.

    Raises:
        RealDataError: see `load_recordings`.
    """
    return load_recordings("asterisk_prompts_en", split, timed=True)


def _hold_out(
    speaker: str, train: Sequence[Recording], kept: Sequence[Recording]
) -> tuple[list[Recording], dict[str, list[Recording]]]:
    """Return what the others say to train on, and the tests."""
    speakers = speakers_of([*train, *kept])
    if speaker not in speakers:
        raise ValueError(f"held_out is {speaker!r}; expected one of {', '.join(speakers)}.")
    known = [one for one in train if one.utterance.voice != speaker]
    return known, {
        "unseen speaker": [one for one in (*train, *kept) if one.utterance.voice == speaker],
        "known speakers": [one for one in kept if one.utterance.voice != speaker],
    }


def _unnormalized(one: SpokenUtterance) -> np.ndarray:
    return log_mel(sound_of(one)) if isinstance(one, Recording) else one.features.astype(np.float32)


def _credit(synthetic: SpokenData, name: str) -> str:
    source = REAL_SOURCES[name]
    return f"{synthetic.credit}; {source.credit} ({source.licence})"
