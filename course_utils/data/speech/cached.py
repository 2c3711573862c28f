"""Spoken utterances kept on disk, so that a lesson speaks once, and a small prepared set for where it cannot.

A file's name holds what it was made from: the arguments, and a fingerprint of sources, words and the versions of
the packages; `data.cache` does the rest.

    python -m course_utils.data.speech.cached        # writes the small prepared set again
"""

import json
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from course_utils.data.cache import cache_folder, fingerprint
from course_utils.data.cache import cached as cached_file
from course_utils.data.speech.espeak import EspeakMissingError, espeak_problem, espeak_version
from course_utils.data.speech.features import MELS
from course_utils.data.speech.phonemes import PHONEMES, Phoneme
from course_utils.data.speech.utterances import SpokenUtterance, Utterance, draw_utterances, speak_utterance
from course_utils.data.speech.words import word_list
from course_utils.files import write_whole

SMALL_SET = Path(__file__).with_name("small.safetensors")
"""Prepared features for machines without the synthesizer."""
SMALL_COUNTS = {"train": 150, "validation": 15, "test": 25, "unseen phrases": 10, "unseen voices": 20}
LARGEST_CACHE_BYTES = 10**9
"""When the folder holds more speech, the files that were used longest ago are removed."""

_SOURCES = ("espeak", "features", "phonemes", "utterances", "words")
_STEPS_PER_UNIT = 32  # of the small set's whole numbers
_FEWEST_IN_PARALLEL = 400


@cache
def generator_fingerprint() -> str:
    """16 hex digits that change with the sources, the words and the versions that speech is made from."""
    sources = [Path(__file__).with_name(f"{name}.py") for name in _SOURCES]
    return fingerprint(*sources, espeak_version(), version("numpy"), version("scipy"), *word_list())


def spoken_path(count: int, split: str, seed: int) -> Path:
    """Where these utterances are kept."""
    return cache_folder() / f"spoken-{split.replace(' ', '-')}-{count}-seed{seed}-{generator_fingerprint()}.safetensors"


def spoken_utterances(
    count: int, *, split: str = "train", seed: int = 0, cached: bool = True, processes: int = 2
) -> list[SpokenUtterance]:
    """Draw and speak utterances, or take them from disk if they were spoken before.

    Where the synthesizer is missing, a warning says so and the small prepared set is returned, at most `count` of it.

    Args:
        count, split, seed: see `draw_utterances`.
        cached: read and write the folder `cache_folder()`.
        processes: for many utterances; the synthesizer itself can do only one at a time.

    Raises:
        ValueError: if an argument is out of range.
        EspeakError: if the synthesizer refuses an utterance.
    """
    utterances = draw_utterances(count, split=split, seed=seed)
    try:
        if not cached:
            return _speak_all(utterances, processes)
        return cached_file(
            spoken_path(count, split, seed),
            lambda: _speak_all(utterances, processes),
            pack=_pack,
            unpack=lambda content: _unpack(bytes(content), utterances),
            what="utterances",
            largest_bytes=LARGEST_CACHE_BYTES,
        )
    except EspeakMissingError as error:
        warnings.warn(
            f"the synthesizer is missing: {error} The lesson goes on with a small prepared set of features, so its "
            "metrics are worse, and nothing can be spoken or listened to.",
            stacklevel=2,
        )
        return small_set(split)[:count]


def small_set(split: str) -> list[SpokenUtterance]:
    """The prepared utterances of a split; `SMALL_COUNTS` says how many.

    Raises:
        ValueError: if there is no such split.
        FileNotFoundError: if the file is missing or damaged.
    """
    if split not in SMALL_COUNTS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(SMALL_COUNTS)}.")
    try:
        spoken = _unpack(SMALL_SET.read_bytes())
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise FileNotFoundError(f"{SMALL_SET} cannot be read ({error}); install the course again.") from error
    start = sum(SMALL_COUNTS[name] for name in list(SMALL_COUNTS)[: list(SMALL_COUNTS).index(split)])
    return spoken[start : start + SMALL_COUNTS[split]]


def write_small_set(path: Path = SMALL_SET) -> int:
    """Synthesize the small prepared set and write it; returns its size in bytes."""
    spoken = [speak_utterance(u) for name, n in SMALL_COUNTS.items() for u in draw_utterances(n, split=name, seed=0)]
    content = _pack(spoken, whole_numbers=True)
    write_whole(path, content)
    return len(content)


def _speak_all(utterances: Sequence[Utterance], processes: int) -> list[SpokenUtterance]:
    if problem := espeak_problem():
        raise EspeakMissingError(problem)
    if processes < 2 or len(utterances) < _FEWEST_IN_PARALLEL:
        return [speak_utterance(utterance) for utterance in utterances]
    from joblib import Parallel, delayed

    return Parallel(n_jobs=processes, batch_size=50)(delayed(speak_utterance)(utterance) for utterance in utterances)


def _pack(spoken: Sequence[SpokenUtterance], whole_numbers: bool = False) -> bytes:
    features = np.concatenate([np.zeros((0, MELS), np.float16), *(s.features for s in spoken)])
    if whole_numbers:
        features = np.clip(np.round(features.astype(np.float32) * _STEPS_PER_UNIT), -127, 127).astype(np.int8)
    phonemes = [phoneme for s in spoken for phoneme in s.phonemes]
    times = [(p.start_ms, p.end_ms) for p in phonemes]
    tensors = {
        "features": features,
        "frames": np.array([len(s.features) for s in spoken], np.int32),
        "phonemes": np.array([PHONEMES.index(p.symbol) for p in phonemes], np.uint8),
        "times": np.array(times, np.float64).reshape(-1, 2).astype(np.float32),
        "counts": np.array([len(s.phonemes) for s in spoken], np.int32),
    }
    facts = json.dumps([asdict(s.utterance) for s in spoken])
    return save(tensors, {"utterances": facts, "crc32": _checksum(tensors, facts)})


def _unpack(content: bytes, expected: Sequence[Utterance] | None = None) -> list[SpokenUtterance]:
    """Raises ValueError if the checksum is wrong, or these are other utterances than expected."""
    tensors = load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header.get("__metadata__", {})
    facts = metadata.get("utterances", "")
    if metadata.get("crc32") != _checksum(tensors, facts):
        raise ValueError("its checksum is wrong")
    features = tensors["features"]
    if features.dtype == np.int8:
        features = (features.astype(np.float32) / _STEPS_PER_UNIT).astype(np.float16)
    spoken, frame, phoneme = [], 0, 0
    for fact, frames, count in zip(json.loads(facts), tensors["frames"], tensors["counts"], strict=True):
        span = slice(phoneme, phoneme + count)
        timed = zip(tensors["phonemes"][span], tensors["times"][span].tolist(), strict=True)
        utterance = Utterance(**fact | {"words": tuple(fact["words"])})
        gold = tuple(Phoneme(PHONEMES[symbol], start, end) for symbol, (start, end) in timed)
        spoken.append(SpokenUtterance(utterance, features[frame : frame + frames], gold))
        frame, phoneme = frame + frames, phoneme + count
    if expected is not None and [s.utterance for s in spoken] != list(expected):
        raise ValueError("it holds other utterances")
    return spoken


def _checksum(tensors: dict[str, np.ndarray], facts: str) -> str:
    value = zlib.crc32(facts.encode())
    for name in sorted(tensors):
        value = zlib.crc32(np.ascontiguousarray(tensors[name]), value)
    return f"{value:08x}"


if __name__ == "__main__":
    print(f"{SMALL_SET.name}: {write_small_set() / 1e6:.2f} MB")
