"""The speech synthesizer espeak-ng: one phrase in, samples and the time of each phoneme out.

speak("a small dog", voice="en-us+m3").events[:2]      # (Event(ipa="ɐ", start_ms=0.0), Event(ipa="s", start_ms=…))

The shared library (GPL, version 3 or later; not part of this course) comes with the package espeakng-loader. It keeps
its state in global variables: so it says one utterance at a time, and is loaded anew for each, because flutter and
phase would otherwise run on from one utterance to the next.
"""

import _ctypes
import ctypes
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count, takewhile
from pathlib import Path
from typing import NamedTuple

import numpy as np

_OPTIONS = 1 | 2 | 0x8000  # phoneme events, named in IPA; report failures instead of ending the process
_SYNCHRONOUS, _UTF8, _RATE, _PITCH, _END, _PHONEME = 2, 1, 1, 3, 5, 7  # numbers of modes, parameters and events
_FILES = {"en-gb": "gmw/en"}  # a language that the library finds by its file alone
_LONGEST_PATH = 140  # bytes; the library cuts its data path at about 160
_lock = threading.Lock()


class EspeakError(RuntimeError):
    """The synthesizer refused a text or a voice, is not installed, or cannot be loaded on this machine."""


class Event(NamedTuple):
    """The beginning of a phoneme."""

    ipa: str  # symbols without stress; "" = a pause, or the end
    start_ms: float


class Speech(NamedTuple):
    """`(samples,)` int16, samples per second, and what begins when, in order; the end comes last."""

    samples: np.ndarray
    rate: int
    events: tuple[Event, ...]


class _Event(ctypes.Structure):
    _numbers = ("type", "unique_identifier", "text_position", "length", "audio_position", "sample")
    _fields_ = [*((n, ctypes.c_int) for n in _numbers), ("user_data", ctypes.c_void_p), ("name", ctypes.c_char * 8)]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def speak(text: str, *, voice: str = "en-us", words_per_minute: int = 175, pitch: int = 50) -> Speech:
    """Read a text aloud; `voice`: a language, and optionally "+" and a variant, such as "en-us+f4".

    Raises:
        ValueError: if the text is empty, words per minute are not within 80 and 450, or pitch not within 0 and 100.
        EspeakError: if there is no such voice, nothing was said, or the library cannot be loaded.
    """
    if not text.strip() or "\0" in text:
        raise ValueError(f"text is {text!r}; expected at least one word, without null characters.")
    if not (80 <= words_per_minute <= 450 and 0 <= pitch <= 100):
        raise ValueError(f"words_per_minute is {words_per_minute}, pitch {pitch}; expected 80 to 450 and 0 to 100.")
    chunks: list[np.ndarray] = []
    events: list[tuple[int, str, int]] = []

    def receive(samples, length, reported) -> int:
        if samples and length > 0:
            chunks.append(np.ctypeslib.as_array(samples, shape=(length,)).copy())
        for event in takewhile(lambda event: event.type, (reported[index] for index in count())):
            name = event.name.decode(errors="ignore") if event.type == _PHONEME else ""
            events.append((event.type, name.lstrip("ˈˌ").strip(), event.sample))
        return 0

    callback = _Callback(receive)  # must live as long as the library may call it
    with _lock, _loaded() as (library, rate):
        library.espeak_SetSynthCallback(callback)
        language, plus, variant = voice.partition("+")
        if library.espeak_SetVoiceByName((_FILES.get(language, language) + plus + variant).encode()) != 0:
            raise EspeakError(f"voice is {voice!r}, which espeak-ng does not have; expected one such as 'en-us+m3'.")
        library.espeak_SetParameter(_RATE, words_per_minute, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        size = ctypes.c_size_t(len(text.encode()) + 1)
        status = library.espeak_Synth(text.encode(), size, 0, 1, 0, _UTF8, None, None)
        library.espeak_Synchronize()
    timed = [Event(name, 1000 * sample / rate) for kind, name, sample in events if kind == _PHONEME]
    if status != 0 or not chunks or not any(event.ipa for event in timed):
        raise EspeakError(f"espeak-ng said nothing for {text!r} (status {status}); expected words that can be spoken.")
    samples = np.concatenate(chunks)
    end = max(sample for kind, _, sample in events if kind in (_END, _PHONEME))
    return Speech(samples, rate, (*timed, Event("", 1000 * min(end, len(samples)) / rate)))


def espeak_problem() -> str | None:
    """Say why the synthesizer cannot be used here; None if it can."""
    try:
        speak("yes")
    except EspeakError as error:
        return str(error)
    return None


@contextmanager
def _loaded() -> Iterator[tuple[ctypes.CDLL, int]]:
    """Load the library for one utterance; with its sampling rate."""
    try:
        import espeakng_loader

        data = espeakng_loader.get_data_path()
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(_short_path(data)), _OPTIONS)
        if rate <= 0:
            raise OSError(f"it does not find its data in {data}; expected a folder with a shorter and plain path")
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise EspeakError(
            f"espeak-ng cannot be loaded here ({error}). Install it, or install it again: pip install espeakng-loader. "
            "Some systems have no build of it."
        ) from error
    try:
        yield library, rate
    finally:
        library.espeak_Terminate()
        if close := getattr(_ctypes, "dlclose", None) or getattr(_ctypes, "FreeLibrary", None):
            close(library._handle)


@cache
def _short_path(data: str) -> str:
    """The folder of the data, by a link if its path is longer than the library can hold."""
    if len(os.fsencode(data)) <= _LONGEST_PATH:
        return data
    link = Path(tempfile.mkdtemp(prefix="espeak-")) / "espeak-ng-data"
    link.symlink_to(data, target_is_directory=True)
    return str(link)
