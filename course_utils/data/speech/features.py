"""Sound to numbers: framing, mel filters, log-mel features, frames stacked four by four.

A frame stands for 10 ms: frame `i` for the time from `10 i` to `10 (i + 1)` ms, seen through a window of 25 ms around
its middle. Four frames side by side make one step of 40 ms, the speed at which the listener works.
"""

from functools import cache

import numpy as np

SAMPLE_RATE = 8000
"""Samples per second of everything in lesson 6: a telephone's."""
FRAME_MS = 10
WINDOW_MS = 25
MELS = 40
STACK = 4
STEP_MS = FRAME_MS * STACK

_FFT = 256
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 3800.0
_FLOOR = 1e-6  # of a power; samples are within -1 and 1
_SCALE = 2.5  # a log-mel band deviates about this much from its mean


def mel_of_hertz(frequency: np.ndarray | float) -> np.ndarray | float:
    """The mel scale, on which equal steps sound equally far apart (O'Shaughnessy 1987)."""
    return 2595.0 * np.log10(1.0 + np.asarray(frequency) / 700.0)


def hertz_of_mel(mel: np.ndarray | float) -> np.ndarray | float:
    """The inverse of `mel_of_hertz`."""
    return 700.0 * (10.0 ** (np.asarray(mel) / 2595.0) - 1.0)


@cache
def mel_filters(
    mels: int = MELS,
    fft: int = _FFT,
    rate: int = SAMPLE_RATE,
    lowest_hz: float = _LOWEST_HZ,
    highest_hz: float = _HIGHEST_HZ,
) -> np.ndarray:
    """Overlapping triangles, equally wide in mel: how much each band takes of each frequency.

    Returns:
        `(mels, fft // 2 + 1)`; a triangle peaks at 1 on its own centre and is 0 from the centres of its neighbours on.

    Raises:
        ValueError: if the frequencies are not within 0 and half the rate, or a band would hold no frequency.
    """
    if not 0 <= lowest_hz < highest_hz <= rate / 2:
        raise ValueError(
            f"lowest_hz is {lowest_hz} and highest_hz {highest_hz}; expected 0 <= lowest < highest <= {rate / 2:g}."
        )
    corners = np.asarray(hertz_of_mel(np.linspace(mel_of_hertz(lowest_hz), mel_of_hertz(highest_hz), mels + 2)))
    frequencies = np.arange(fft // 2 + 1) * rate / fft
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising = (frequencies - left) / (centre - left)
    falling = (right - frequencies) / (right - centre)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    # A band narrower than the spacing of the spectrum may fall between two of its lines: it takes the nearest.
    for band in np.flatnonzero(filters.sum(1) == 0):
        filters[band, np.abs(frequencies - corners[band + 1]).argmin()] = 1.0
    return filters


def frame_count(samples: int) -> int:
    """Frames of a sound with so many samples at `SAMPLE_RATE`."""
    hop = SAMPLE_RATE * FRAME_MS // 1000
    return -(-samples // hop)


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Logarithm of the power in each mel band.

    Args:
        samples: `(samples,)` within -1 and 1, at `SAMPLE_RATE`.

    Returns:
        `(frames, MELS)` float32, natural logarithms.

    Raises:
        ValueError: if there is no sample, or more than one channel.
    """
    samples = np.asarray(samples, dtype=np.float32)
    if samples.ndim != 1 or not len(samples):
        raise ValueError(f"samples has the shape {samples.shape}; expected one channel with at least one sample.")
    hop, window = SAMPLE_RATE * FRAME_MS // 1000, SAMPLE_RATE * WINDOW_MS // 1000
    frames = frame_count(len(samples))
    before = (window - hop) // 2
    padded = np.pad(samples, (before, frames * hop - len(samples) + window - hop - before))
    framed = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]  # (frames, window)
    spectrum = np.fft.rfft(framed * np.hanning(window + 2)[1:-1].astype(np.float32), _FFT)
    power = (spectrum.real**2 + spectrum.imag**2) / window
    return np.log(power @ mel_filters().T + _FLOOR).astype(np.float32)


def normalize(features: np.ndarray) -> np.ndarray:
    """Take each band's mean over the utterance away, so that loudness and the colour of a microphone matter little.

    Args:
        features: `(frames, MELS)`.
    """
    return ((features - features.mean(0, keepdims=True)) / _SCALE).astype(np.float32)


def stack_frames(features: np.ndarray, stack: int = STACK) -> np.ndarray:
    """Put neighbouring frames side by side.

    Args:
        features: `(frames, MELS)`.
        stack: frames of a step.

    Returns:
        `(steps, stack * MELS)`; the last frame is repeated where the last step lacks some.

    Raises:
        ValueError: if there is no frame or `stack` is below 1.
    """
    if stack < 1 or len(features) == 0:
        raise ValueError(f"features has {len(features)} frames and stack is {stack}; expected at least 1 of each.")
    missing = -len(features) % stack
    padded = np.concatenate([features, np.repeat(features[-1:], missing, axis=0)])
    return padded.reshape(len(padded) // stack, -1)
