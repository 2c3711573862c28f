"""The speech synthesizer espeak-ng: one phrase in, samples and the time of each phoneme out.

speech = speak("a small dog", voice="en-us+m3")
speech.events[:2]      # (Event(ipa="ɐ", start_ms=0.0), Event(ipa="s", start_ms=…))

The shared library and its data come with the package espeakng-loader and are driven through ctypes. espeak-ng is free
software under the GPL, version 3 or later; this course does not contain it.

The synthesizer keeps its state in global variables: one utterance at a time, which a lock sees to, and it is loaded
anew for each, because flutter and phase would otherwise run on from one utterance to the next.
"""

import ctypes
import os
import tempfile
import threading
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import numpy as np

SLOWEST, FASTEST = 80, 450
"""Bounds of the speaking rate, words per minute."""

_SYNCHRONOUS, _UTF8 = 2, 1
_OPTIONS = 1 | 2 | 0x8000  # phoneme events, named in IPA; report failures instead of ending the process
_RATE, _PITCH, _RANGE = 1, 3, 4  # numbers of the parameters
_END, _PHONEME = 5, 7  # numbers of the events
_FILES = {"en-gb": "gmw/en"}  # a language that the library finds by its file alone
_LONGEST_PATH = 140  # bytes; the library cuts its data path at about 160
_lock = threading.Lock()


class EspeakError(RuntimeError):
    """The synthesizer refused a text or a voice."""


class EspeakMissingError(EspeakError):
    """The synthesizer is not installed, or its library cannot be loaded on this machine."""


class Event(NamedTuple):
    """The beginning of a phoneme: its IPA symbols without stress ("" = a pause) and its time in ms."""

    ipa: str
    start_ms: float


class Speech(NamedTuple):
    """One synthesized utterance.

    Attributes:
        samples: `(samples,)` int16.
        rate: samples per second.
        events: beginnings of phonemes and pauses, in order.
        end_ms: where the last of them ends.
    """

    samples: np.ndarray
    rate: int
    events: tuple[Event, ...]
    end_ms: float


class _Identity(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("text", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identity),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def speak(
    text: str, *, voice: str = "en-us", words_per_minute: int = 175, pitch: int = 50, pitch_range: int = 50
) -> Speech:
    """Read a text aloud.

    Args:
        text: what to say.
        voice: language, and optionally "+" and a variant, such as "en-us+f4".
        words_per_minute: within `SLOWEST` and `FASTEST`.
        pitch: 0 to 100, 50 is the voice's own.
        pitch_range: 0 (monotone) to 100.

    Raises:
        ValueError: if the text is empty or a number is out of range.
        EspeakError: if there is no such voice or nothing was said.
        EspeakMissingError: if the library cannot be loaded.
    """
    if not text.strip() or "\0" in text:
        raise ValueError(f"text is {text!r}; expected at least one word, without null characters.")
    bounds = {
        "words_per_minute": (words_per_minute, SLOWEST, FASTEST),
        "pitch": (pitch, 0, 100),
        "pitch_range": (pitch_range, 0, 100),
    }
    for name, (value, low, high) in bounds.items():
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}; expected {low} to {high}.")
    with _lock:
        return _speak(text, voice, {_RATE: words_per_minute, _PITCH: pitch, _RANGE: pitch_range})


def espeak_version() -> str:
    """Version of the package that brings the synthesizer, "none" if it is not installed."""
    try:
        return version("espeakng-loader")
    except PackageNotFoundError:
        return "none"


def espeak_problem() -> str | None:
    """Say why the synthesizer cannot be used here; None if it can."""
    try:
        speak("yes")
    except EspeakError as error:
        return str(error)
    return None


def _speak(text: str, voice: str, parameters: dict[int, int]) -> Speech:
    chunks: list[np.ndarray] = []
    events: list[tuple[int, str, float]] = []

    def receive(samples, count, reported) -> int:
        if samples and count > 0:
            chunks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        index = 0
        while reported[index].type:
            event = reported[index]
            if event.type in (_END, _PHONEME):
                name = (
                    ctypes.string_at(ctypes.addressof(event.id), 8).split(b"\0")[0] if event.type == _PHONEME else b""
                )
                events.append((event.type, name.decode(errors="ignore").lstrip("ˈˌ").strip(), event.sample))
            index += 1
        return 0

    callback = _Callback(receive)  # kept by this name as long as the library may call it
    library, rate = _load()
    try:
        library.espeak_SetSynthCallback(callback)
        language, plus, variant = voice.partition("+")
        if library.espeak_SetVoiceByName((_FILES.get(language, language) + plus + variant).encode()) != 0:
            raise EspeakError(f"voice is {voice!r}, which espeak-ng does not have; expected one such as 'en-us+m3'.")
        for number, value in parameters.items():
            library.espeak_SetParameter(number, value, 0)
        content = text.encode()
        status = library.espeak_Synth(content, len(content) + 1, 0, 1, 0, _UTF8, None, None)
        library.espeak_Synchronize()
    finally:
        _unload(library)
    phonemes = tuple(Event(name, 1000 * sample / rate) for kind, name, sample in events if kind == _PHONEME)
    if status != 0 or not chunks or not any(event.ipa for event in phonemes):
        raise EspeakError(f"espeak-ng said nothing for {text!r} (status {status}); expected words that can be spoken.")
    samples = np.concatenate(chunks)
    end = max(sample for _, _, sample in events)
    return Speech(samples, rate, phonemes, 1000 * min(end, len(samples)) / rate)


def _load() -> tuple[ctypes.CDLL, int]:
    """The library, ready to speak, and its sampling rate."""
    try:
        import espeakng_loader
    except ImportError as error:
        raise EspeakMissingError(
            f"the package espeakng-loader cannot be imported ({error}); install it: pip install espeakng-loader"
        ) from error
    try:
        path, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
        library = ctypes.CDLL(path)
        # Pointers do not fit into the int that ctypes supposes.
        library.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        library.espeak_SetSynthCallback.argtypes = [_Callback]
        library.espeak_SetSynthCallback.restype = None
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(_short_path(data)), _OPTIONS)
    except (OSError, RuntimeError, AttributeError) as error:
        raise EspeakMissingError(
            f"the library of espeakng-loader {espeak_version()} cannot be loaded here ({error}); this system or "
            "processor may have no build of it."
        ) from error
    if rate <= 0:
        _close(library)
        raise EspeakMissingError(
            f"espeak-ng does not find its data in {data}; expected a folder with a plain path of at most "
            f"{_LONGEST_PATH} bytes. Install espeakng-loader again, or in an environment with a shorter path."
        )
    return library, rate


@cache
def _short_path(data: str) -> str:
    """The folder of the data, by a link if its path is longer than the library can hold."""
    if len(os.fsencode(data)) <= _LONGEST_PATH:
        return data
    link = Path(tempfile.mkdtemp(prefix="espeak-")) / "espeak-ng-data"
    link.symlink_to(data, target_is_directory=True)
    return str(link)


def _unload(library: ctypes.CDLL) -> None:
    library.espeak_Terminate()
    _close(library)


def _close(library: ctypes.CDLL) -> None:
    import _ctypes

    close = getattr(_ctypes, "dlclose", None) or getattr(_ctypes, "FreeLibrary", None)
    if close is not None:
        close(library._handle)
