"""Sound to numbers: framing, mel filters, log-mel features, frames stacked four by four.

A frame stands for 10 ms: frame `i` for the time from `10 i` to `10 (i + 1)` ms, seen through a window of 25 ms around
its middle. Four frames side by side make one step of 40 ms, the speed at which the listener works.
"""

from functools import cache

import numpy as np

SAMPLE_RATE = 8000  # samples per second of everything in lesson 6: a telephone's
FRAME_MS, WINDOW_MS, MELS, STACK = 10, 25, 40, 4
STEP_MS = FRAME_MS * STACK
_FFT, _RANGE_HZ = 256, (60.0, 3800.0)
_FLOOR, _SCALE = 1e-6, 2.5  # of a power; how much a log-mel band deviates from its mean, about


@cache
def mel_filters() -> np.ndarray:
    """How much each band takes of each frequency, `(MELS, frequencies)`: overlapping triangles, equally wide in mel.

    A triangle peaks at 1 on its own centre and is 0 from the centres of its neighbours on.
    """
    lowest, highest = 2595.0 * np.log10(1.0 + np.array(_RANGE_HZ) / 700.0)  # O'Shaughnessy 1987
    corners = 700.0 * (10.0 ** (np.linspace(lowest, highest, MELS + 2) / 2595.0) - 1.0)  # mel to hertz
    frequencies = np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (frequencies - left) / (centre - left), (right - frequencies) / (right - centre)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    # A band narrower than the spacing of the spectrum may fall between two of its lines: it takes the nearest.
    for band in np.flatnonzero(filters.sum(1) == 0):
        filters[band, np.abs(frequencies - corners[band + 1]).argmin()] = 1.0
    return filters


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Natural logarithm of the power in each mel band, `(frames, MELS)` float32.

    `samples` are `(samples,)` within -1 and 1, at `SAMPLE_RATE`; a `ValueError` if there are none, or two channels.
    """
    samples = np.asarray(samples, dtype=np.float32)
    if samples.ndim != 1 or not len(samples):
        raise ValueError(f"samples has the shape {samples.shape}; expected one channel with at least one sample.")
    hop, window = SAMPLE_RATE * FRAME_MS // 1000, SAMPLE_RATE * WINDOW_MS // 1000
    before, missing = (window - hop) // 2, -len(samples) % hop
    padded = np.pad(samples, (before, missing + window - hop - before))
    framed = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]  # (frames, window)
    spectrum = np.fft.rfft(framed * np.hanning(window + 2)[1:-1].astype(np.float32), _FFT)
    power = (spectrum.real**2 + spectrum.imag**2) / window
    return np.log(power @ mel_filters().T + _FLOOR).astype(np.float32)


def utterance_features(samples: np.ndarray) -> np.ndarray:
    """`log_mel` less each band's mean, so that loudness and the colour of a microphone matter little; float16."""
    features = log_mel(samples)
    return ((features - features.mean(0, keepdims=True)) / _SCALE).astype(np.float16)


def stack_frames(features: np.ndarray) -> np.ndarray:
    """Put four frames side by side, the last one repeated: `(frames, MELS)` to `(steps, STACK * MELS)`."""
    padded = np.concatenate([features, np.repeat(features[-1:], -len(features) % STACK, axis=0)])
    return padded.reshape(len(padded) // STACK, -1)
