"""Recordings to train on together with synthetic speech: digits with a speaker held out, prompts in pieces, readings.

data = digit_data(synthetic, held_out="theo")
data.test["unseen speaker"]         # every digit that this speaker says; none of them is in data.train

Each function adds to synthetic data, whose tests stay, and raises a `RealDataError` as `load_recordings` does.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import filterfalse, product
from random import Random

import numpy as np

from course_utils.data.real import is_staged, real_source
from course_utils.data.speech.data import SpokenData
from course_utils.data.speech.features import SAMPLE_RATE, log_mel
from course_utils.data.speech.phonemes import DIGITS
from course_utils.data.speech.recordings import (
    bend,
    load_recordings,
    make_recording,
    pieces_of,
    sound_of,
    training_versions,
)
from course_utils.data.speech.utterances import TRAINING_SPEAKERS, SpokenUtterance, Utterance, waveform

# Speeds of recorded digits, how often each speaker of the synthesizer says each digit, bent versions of every digit
MANY_SPEAKERS = {"speeds": ("4/5", "9/10", "1", "11/10", "5/4"), "times_per_speaker": 6, "bends": 2}
LONGEST_READING = 10  # seconds


def digits_and_prompts_are_staged() -> bool:
    """Whether the staged folder has both sets, which are published nowhere in this form; if not, take readings."""
    return is_staged("fsdd") and is_staged("asterisk_prompts_en")


def digit_data(synthetic: SpokenData, held_out: str, *, seed: int = 0) -> SpokenData:
    """Spoken digits of all speakers but the one held out (a `ValueError` if there is none), in versions by the seed.

    The tests have also "unseen speaker" and "known speakers": the latter are those that the set keeps for its test.
    """
    known, tests = _hold_out(held_out, load_recordings("fsdd", "train"), load_recordings("fsdd", "test"))
    return _extended(synthetic, "fsdd", "digits", training_versions(known, seed), tests)


def many_speakers_data(synthetic: SpokenData, held_out: str, *, seed: int = 0) -> SpokenData:
    """Spoken digits as in `digit_data`, each speaker measured by itself, and with as many speakers as can be had.

    Recordings are played at many speeds, every speaker of the synthesizer says the digits too, and all of that is bent.
    Features are normalized by `normalize_by_speaker`, in training and tests: the held-out speaker's are measured by all
    he says, though nobody tells which digits that is.
    """
    train, test = load_recordings("fsdd", "train"), load_recordings("fsdd", "test")
    measured = normalize_by_speaker([*train, *test])
    known, tests = _hold_out(held_out, measured[: len(train)], measured[len(train) :])
    played = [training_versions(known, seed, (Fraction(speed),)) for speed in MANY_SPEAKERS["speeds"]]
    digits = [one for group in (*played, synthetic_digits(seed)) for one in normalize_by_speaker(group)]
    bends = MANY_SPEAKERS["bends"]
    bent = [bend(one, bends * seed + again) for again in range(bends) for one in digits]
    train, validation = (normalize_by_speaker(ones) for ones in (synthetic.train, synthetic.validation))
    test = {name: normalize_by_speaker(ones) for name, ones in synthetic.test.items()}
    normalized = replace(synthetic, train=train, validation=validation, test=test)
    return _extended(normalized, "fsdd", "many speakers", [*digits, *bent], tests)


def normalize_by_speaker(spoken: Sequence[SpokenUtterance]) -> list[SpokenUtterance]:
    """Take each band's mean over all that a speaker says away, and divide by its deviation.

    A word is too short to be measured by itself: its mean has much of the word in it. The features of recordings are
    computed anew; those of synthetic phrases have no mean already.
    """
    of_speaker = defaultdict(list)
    for one in spoken:
        of_speaker[one.utterance.speaker].append(one.features if one.samples is None else log_mel(sound_of(one)))
    normalized = {}
    for speaker, features in of_speaker.items():
        together = np.concatenate(features).astype(np.float32)
        mean, deviation = together.mean(0), together.std(0) + 1e-3
        normalized[speaker] = iter([((one - mean) / deviation).astype(np.float16) for one in features])
    return [replace(one, features=next(normalized[one.utterance.speaker])) for one in spoken]


def synthetic_digits(seed: int = 0, times: int = MANY_SPEAKERS["times_per_speaker"]) -> list[SpokenUtterance]:
    """The ten digits so many times by every training speaker of the synthesizer, fast and slow, high and low."""
    random, spoken = Random(f"digits {seed}"), []
    for speaker, word, again in product(TRAINING_SPEAKERS, DIGITS, range(times)):
        how = {"words_per_minute": random.randint(120, 260), "pitch": random.randint(20, 80)}
        around = {"noise_db": random.uniform(15, 40), "hiss": random.random(), "lead_ms": random.randint(0, 80)}
        sound = waveform(Utterance((word,), speaker, **how, **around, key=f"{seed} {again}"))
        spoken.append(make_recording(sound, Utterance((word,), speaker, key=f"{word} {again}"), DIGITS[word]))
    return spoken


def prompt_data(synthetic: SpokenData, *, seed: int = 0) -> SpokenData:
    """Pieces of telephone prompts, in versions that the seed decides; the tests have also "prompts" and "pieces"."""
    pieces = [piece for prompt in timed_prompts("train") for piece in pieces_of(prompt)]
    tests = {"prompts": timed_prompts("test")}
    tests["pieces"] = [piece for prompt in tests["prompts"] for piece in pieces_of(prompt)]
    return _extended(synthetic, "asterisk_prompts_en", "prompts", training_versions(pieces, seed), tests)


def timed_prompts(split: str = "test") -> list[SpokenUtterance]:
    """The telephone prompts whose phonemes and words have times."""
    return load_recordings("asterisk_prompts_en", split, timed=True)


def reading_data(synthetic: SpokenData) -> SpokenData:
    """Readings of LibriSpeech: its split "validation" to train on, its test, with other speakers, to test.

    The tests have also "readings" of at most `LONGEST_READING` seconds, as in training, and "long readings".
    """

    def is_short(one: SpokenUtterance) -> bool:
        return len(one.samples) <= LONGEST_READING * SAMPLE_RATE

    train, test = load_recordings("librispeech", "validation"), load_recordings("librispeech", "test")
    tests = {"readings": [*filter(is_short, test)], "long readings": [*filterfalse(is_short, test)]}
    return _extended(synthetic, "librispeech", "readings", filter(is_short, train), tests)


def speakers_of(spoken: Sequence[SpokenUtterance]) -> tuple[str, ...]:
    """The speakers in alphabetical order."""
    return tuple(sorted({one.utterance.speaker for one in spoken}))


def _hold_out(
    speaker: str, train: Sequence[SpokenUtterance], test: Sequence[SpokenUtterance]
) -> tuple[list[SpokenUtterance], dict[str, list[SpokenUtterance]]]:
    """Return what the others say to train on, and the tests."""
    speakers = speakers_of([*train, *test])
    if speaker not in speakers:
        raise ValueError(f"held_out is {speaker!r}; expected one of {', '.join(speakers)}.")
    known = [one for one in train if one.utterance.speaker != speaker]
    return known, {
        "unseen speaker": [one for one in (*train, *test) if one.utterance.speaker == speaker],
        "known speakers": [one for one in test if one.utterance.speaker != speaker],
    }


def _extended(
    data: SpokenData, source: str, name: str, more: Iterable[SpokenUtterance], tests: dict[str, list[SpokenUtterance]]
) -> SpokenData:
    """The data with more training utterances, more tests, and the credit of a real set."""
    credit = f"{data.credit}; {real_source(source).credit} ({real_source(source).licence})"
    return replace(data, name=name, train=[*data.train, *more], test={**data.test, **tests}, credit=credit)
