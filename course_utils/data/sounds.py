"""Recorded sound read as it is meant: one channel, any depth and sampling rate, every sample a number.

samples, rate = read_sound(audio["bytes"], audio["path"], "librispeech, test, row 3")
"""

import io
import math
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np

from course_utils.data.real_errors import DataFormatError, RealDataNotFoundError

HIGHEST_RATE = 768_000  # samples per second; a file that claims more is damaged, and would fill the memory
_BLOCK = 1 << 16  # frames read at a time: a damaged header may claim more of them than the memory holds
_CANCELLED = 0.1  # of the power that the average of unrelated channels keeps


def read_sound(
    content: bytes | None, file: str | Path | None = None, where: str = "the sound"
) -> tuple[np.ndarray, int]:
    """Decode a recording.

    Several channels are averaged. Where they cancel each other, as two in opposite phase do, a warning says so, and the
    loudest channel is taken by itself. Samples of every depth are scaled to their full scale; fractions beyond it, to
    their peak.

    Args:
        content: the encoded file, in any format that soundfile reads; None reads `file`.
        file: its path, or its name if there is `content`.
        where: place of the sound, such as set, split and row, for errors and warnings.

    Returns:
        `(samples,)` float32 within -1 and 1, at least one; and samples per second.

    Raises:
        DataFormatError: if the sound cannot be decoded, is empty, has a sample that is not finite, or too high a rate.
        RealDataNotFoundError: if the package soundfile cannot be used.
    """
    soundfile = load_soundfile()
    place = f"{where} ({file})" if file else where
    try:
        if content is None:
            content = Path(file).read_bytes() if file else b""
        if not content:
            raise ValueError("it has no bytes")
        with soundfile.SoundFile(io.BytesIO(content)) as sound:
            rate, blocks = sound.samplerate, []
            while len(block := sound.read(_BLOCK, dtype="float32", always_2d=True)):
                blocks.append(block)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        reason = getattr(error, "error_string", error)  # soundfile's own text also names a place in the memory
        raise DataFormatError(
            f"{place}: the sound cannot be read ({reason}); expected an encoded sound such as WAV, FLAC or MP3. Copy, "
            "download or record it again."
        ) from error
    if not blocks:
        raise DataFormatError(f"{place}: the sound is empty; expected at least one sample. Leave it out.")
    if rate > HIGHEST_RATE:
        raise DataFormatError(
            f"{place}: the sound claims {rate} samples per second; expected at most {HIGHEST_RATE}. The file is "
            "damaged: copy or download it again."
        )
    channels = np.concatenate(blocks)  # (samples, channels)
    if len(wrong := np.argwhere(~np.isfinite(channels))):
        sample, channel = wrong[0]
        kind = "not a number" if math.isnan(channels[sample, channel]) else "infinite"
        raise DataFormatError(
            f"{place}: the sample at {sample / rate:.3f} s (number {sample}, channel {channel + 1}) is {kind}, one of "
            f"{len(wrong)} that are not finite; expected numbers. Repair the recording or leave it out."
        )
    return _one_channel(channels / max(1.0, float(np.abs(channels).max())), place), rate


def load_soundfile() -> ModuleType:
    """Import the package that decodes sound; a `RealDataNotFoundError` if it cannot be used here."""
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: its own library is missing
        raise RealDataNotFoundError(
            f"recordings are read by the package soundfile, which cannot be used ({error}): pip install soundfile, or "
            "keep SOURCE = 'default'."
        ) from error
    return soundfile


def _one_channel(channels: np.ndarray, place: str) -> np.ndarray:
    """Average `(samples, channels)` to `(samples,)`, unless the channels cancel each other."""
    if channels.shape[1] == 1:
        return channels[:, 0]
    average = channels.mean(axis=1)
    powers = channels.var(axis=0, dtype=np.float64)  # about the mean: a constant offset is no sound
    if average.var(dtype=np.float64) >= _CANCELLED * powers.mean() / len(powers):
        return average
    loudest = int(powers.argmax())
    warnings.warn(
        f"{place}: the {len(powers)} channels cancel each other (opposite phase), so their average is next to silence; "
        f"channel {loudest + 1} is taken by itself.",
        stacklevel=3,
    )
    return channels[:, loudest].copy()
