"""Spoken utterances cached on disk, so that a lesson speaks once, and a small prepared set for where it cannot.

python -m course_utils.data.speech.cached        # writes the small prepared set again
"""

import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from course_utils.data.cache import cache_folder, cached, fingerprint
from course_utils.data.speech.espeak import espeak_problem
from course_utils.data.speech.features import MELS
from course_utils.data.speech.phonemes import PHONEMES, Phoneme
from course_utils.data.speech.utterances import (
    SpokenUtterance,
    Utterance,
    sample_utterances,
    speak_utterance,
    word_list,
)
from course_utils.files import write_whole

SMALL_SET = Path(__file__).with_name("small.safetensors")  # prepared features as whole numbers, utterances as JSON
SMALL_COUNTS = {"train": 150, "validation": 15, "test": 25, "unseen phrases": 10, "unseen speakers": 20}
_STEPS_PER_UNIT = 32  # of the small set's whole numbers


def spoken_path(count: int, split: str, seed: int) -> Path:
    """Where utterances are cached; the name changes with the sources, words and versions that they are made from."""
    sources = [Path(__file__).with_name(f"{name}.py") for name in ("espeak", "features", "phonemes", "utterances")]
    digits = fingerprint(*sources, *map(version, ("espeakng-loader", "numpy", "scipy")), *word_list())
    return cache_folder() / f"spoken-{split.replace(' ', '-')}-{count}-seed{seed}-{digits}.safetensors"


def spoken_utterances(count: int, *, split: str = "train", seed: int = 0) -> list[SpokenUtterance]:
    """Sample and speak utterances, or take them from disk if they were spoken before; errors as `sample_utterances`.

    Where the synthesizer is missing, a warning says so and the small prepared set is returned, at most `count` of it.
    """
    utterances = sample_utterances(count, split=split, seed=seed)
    if problem := espeak_problem():
        warnings.warn(
            f"the synthesizer is missing: {problem} The lesson goes on with a small prepared set of features, so its "
            "metrics are worse, and nothing can be spoken or listened to.",
            stacklevel=2,
        )
        return small_set(split)[:count]
    return cached(
        spoken_path(count, split, seed),
        lambda: _speak_all(utterances),
        pack=_pack,
        unpack=lambda content: _unpack(bytes(content), utterances),
        what="utterances",
        largest_bytes=10**9,
    )


def small_set(split: str) -> list[SpokenUtterance]:
    """The prepared utterances of a split; a `FileNotFoundError` if their file is missing or damaged."""
    try:
        content = SMALL_SET.read_bytes()
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        facts = json.loads(header["__metadata__"]["utterances"])
        spoken = _unpack(content, [Utterance(**fact | {"words": tuple(fact["words"])}) for fact in facts])
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise FileNotFoundError(f"{SMALL_SET} cannot be read ({error}); install the course again.") from error
    return _cut(spoken, list(SMALL_COUNTS.values()))[list(SMALL_COUNTS).index(split)]


def write_small_set(path: Path = SMALL_SET) -> None:
    """Synthesize the small prepared set and write it."""
    spoken = [speak_utterance(u) for name, n in SMALL_COUNTS.items() for u in sample_utterances(n, split=name)]
    tensors = load(_pack(spoken))
    steps = np.round(tensors["features"].astype(np.float32) * _STEPS_PER_UNIT)
    tensors["features"] = np.clip(steps, -127, 127).astype(np.int8)
    write_whole(path, save(tensors, {"utterances": json.dumps([asdict(one.utterance) for one in spoken])}))


def _speak_all(utterances: Sequence[Utterance]) -> list[SpokenUtterance]:
    from joblib import Parallel, delayed

    processes = 2 if len(utterances) >= 400 else 1  # to start another one takes as long as to speak so many
    return Parallel(n_jobs=processes, batch_size=50)(delayed(speak_utterance)(utterance) for utterance in utterances)


def _pack(spoken: Sequence[SpokenUtterance]) -> bytes:
    """The tensors of utterances, one after the other; what was said follows from the utterances."""
    phonemes = [phoneme for one in spoken for phoneme in one.phonemes]
    return save({
        "features": np.concatenate([np.zeros((0, MELS), np.float16), *(one.features for one in spoken)]),
        "frames": np.array([len(one.features) for one in spoken], np.int32),
        "phonemes": np.array([PHONEMES.index(p.symbol) for p in phonemes], np.uint8),
        "times": np.array([(p.start_ms, p.end_ms) for p in phonemes], np.float32).reshape(-1, 2),
        "counts": np.array([len(one.phonemes) for one in spoken], np.int32),
    })  # fmt: skip


def _unpack(content: bytes, utterances: Sequence[Utterance]) -> list[SpokenUtterance]:
    """Raises ValueError if these are other utterances."""
    tensors = load(content)
    features = tensors["features"]
    if features.dtype == np.int8:
        features = (features.astype(np.float32) / _STEPS_PER_UNIT).astype(np.float16)
    timed = zip(tensors["phonemes"], tensors["times"].tolist(), strict=True)
    phonemes = tuple(Phoneme(PHONEMES[symbol], *times) for symbol, times in timed)
    parts = zip(utterances, _cut(features, tensors["frames"]), _cut(phonemes, tensors["counts"]), strict=True)
    return [SpokenUtterance(*part) for part in parts]


def _cut(whole: Sequence, lengths: Sequence[int]) -> list[Sequence]:
    return [whole[end - length : end] for length, end in zip(lengths, np.cumsum(lengths), strict=True)]


if __name__ == "__main__":
    write_small_set()
