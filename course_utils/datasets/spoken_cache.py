"""Spoken utterances kept on disk, so that a lesson speaks once, and a small prepared set for where it cannot.

A file's name holds what it was made from: the arguments, and a fingerprint of sources, words and the versions of
the packages. It is written under another name and renamed when complete; its checksum is compared when it is read; what
is damaged is made anew.

    python -m course_utils.datasets.spoken_cache        # writes the small prepared set again
"""

import hashlib
import json
import os
import warnings
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from course_utils.datasets.espeak import EspeakMissingError, espeak_problem, espeak_version
from course_utils.datasets.kept_files import keep_file
from course_utils.datasets.scene_cache import cache_folder
from course_utils.datasets.speech_features import MELS
from course_utils.datasets.speech_phonemes import PHONEMES, Phoneme
from course_utils.datasets.spoken import SpokenUtterance, Utterance, draw_utterances, speak_utterance
from course_utils.datasets.spoken_words import word_list
from course_utils.files import write_whole

SMALL_SET = Path(__file__).with_name("spoken_small.safetensors")
"""Prepared features for machines without the synthesizer."""
SMALL_COUNTS = {"train": 150, "validation": 15, "test": 25, "unseen phrases": 10, "unseen voices": 20}
LARGEST_CACHE_BYTES = 10**9
"""When the folder holds more speech, the files that were used longest ago are removed."""

_SOURCES = ("espeak", "speech_features", "speech_phonemes", "spoken", "spoken_words")
_STEPS_PER_UNIT = 32  # of the small set's whole numbers
_FEWEST_IN_PARALLEL = 400


@cache
def generator_fingerprint() -> str:
    """16 hex digits that change with the sources, the words and the versions that speech is made from."""
    digest = hashlib.blake2b(digest_size=8)
    for name in _SOURCES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes().replace(b"\r\n", b"\n"))
    digest.update(" ".join([espeak_version(), version("numpy"), version("scipy"), *word_list()]).encode())
    return digest.hexdigest()


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
    path = spoken_path(count, split, seed)
    if cached and (found := _read(path, utterances)) is not None:
        return found
    try:
        spoken = _speak_all(utterances, processes)
    except EspeakMissingError as error:
        warnings.warn(
            f"the synthesizer is missing: {error} The lesson goes on with a small prepared set of features, so its "
            "figures are worse, and nothing can be spoken or listened to.",
            stacklevel=2,
        )
        return small_set(split)[:count]
    if cached:
        _write(path, spoken)
    return spoken


def small_set(split: str) -> list[SpokenUtterance]:
    """The prepared utterances of a split; `SMALL_COUNTS` says how many.

    Raises:
        ValueError: if there is no such split.
        FileNotFoundError: if the file is missing or damaged.
    """
    if split not in SMALL_COUNTS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(SMALL_COUNTS)}.")
    try:
        spoken = _unpack(SMALL_SET)
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


def _unpack(path: Path) -> list[SpokenUtterance]:
    """Raises ValueError if the checksum is wrong."""
    with safe_open(path, "np") as file:
        tensors = {name: file.get_tensor(name) for name in ("features", "frames", "phonemes", "times", "counts")}
        metadata = file.metadata() or {}
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
    return spoken


def _checksum(tensors: dict[str, np.ndarray], facts: str) -> str:
    value = zlib.crc32(facts.encode())
    for name in sorted(tensors):
        value = zlib.crc32(np.ascontiguousarray(tensors[name]), value)
    return f"{value:08x}"


def _read(path: Path, utterances: Sequence[Utterance]) -> list[SpokenUtterance] | None:
    if not path.is_file():
        return None
    try:
        spoken = _unpack(path)
        if [s.utterance for s in spoken] == list(utterances):
            os.utime(path)  # used just now
            return spoken
        reason = "it holds other utterances"
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
    warnings.warn(f"{path} was damaged ({reason}); it is removed and made anew.", stacklevel=3)
    with suppress(OSError):
        path.unlink()
    return None


def _write(path: Path, spoken: Sequence[SpokenUtterance]) -> None:
    keep_file(path, _pack(spoken), what="utterances", again="spoken", largest_bytes=LARGEST_CACHE_BYTES)


if __name__ == "__main__":
    print(f"{SMALL_SET.name}: {write_small_set() / 1e6:.2f} MB")
