"""Written phonemes or words over a spectrogram, with the sound under the attention to listen to."""

from collections.abc import Sequence

import numpy
from numpy.typing import ArrayLike

from course_utils.data.speech.features import FRAME_MS, SAMPLE_RATE, STEP_MS
from course_utils.data.speech.phonemes import Phoneme
from course_utils.teaching.explorer.checked import as_array, as_weights, as_words
from course_utils.teaching.explorer.media import image_address, map_address, sound_address
from course_utils.teaching.explorer.page import Explorer, Target, assemble, choices, live, number, percent, quoted

_SHOWN_FROM = 0.01
_LEVELS = 24  # of grey: enough for the eye, and half the bytes


def explore_speech(
    attention_weights: ArrayLike,
    written: Sequence[str],
    features: ArrayLike,
    *,
    title: str,
    phonemes: Sequence[Phoneme] = (),
    samples: ArrayLike | None = None,
    rate: int = SAMPLE_RATE,
) -> Explorer:
    """Let the reader choose a written phoneme or word, see when it listened, and hear just that.

    Args:
        attention_weights: `(written, steps)`, 40 ms a step; a row of NaN = masked.
        written: one symbol per row (the end symbol too if its row is there).
        features: `(frames, mels)`, a frame every 10 ms; its last frames may be short of a step.
        title: the finding.
        phonemes: the true ones, row by row; only where they were written too (teacher forcing), else empty.
        samples: `(samples,)` within -1 and 1, the sound from the beginning of the first frame; None = no sound.
        rate: samples per second.

    Raises:
        ValueError: if the arguments do not fit each other, or the HTML is too large.
    """
    written = as_words(written, "written")
    weights = as_weights(attention_weights, (len(written), None), ("one row per symbol", "steps of 40 ms"))
    features = as_array(features, "features")
    steps, per_step = weights.shape[1], STEP_MS // FRAME_MS
    if features.ndim != 2 or not (steps - 1) * per_step < len(features) <= (steps + 1) * per_step:
        raise ValueError(
            f"features has shape {features.shape}; expected (frames, mels) with about {steps * per_step} frames, "
            f"{per_step} for each of the {steps} steps in attention_weights."
        )
    if not numpy.isfinite(features).all():
        raise ValueError("features has values that are not finite; expected log-mel features without NaN.")
    if len(phonemes) > len(written):
        raise ValueError(
            f"got {len(phonemes)} phonemes for {len(written)} rows; expected at most one for each. Leave phonemes "
            "out where the model wrote something else than the truth."
        )
    seconds = steps * STEP_MS / 1000
    peak = max(float(numpy.nanmax(weights)) if not numpy.isnan(weights).all() else 0, 1e-12)
    targets, frames = [], []
    for index, (symbol, row) in enumerate(zip(written, weights, strict=True)):
        if numpy.isnan(row).any():
            targets.append(Target.without_weights(symbol))
            continue
        place = int(row.argmax())
        says = f"{quoted(symbol)} listens most at {(place + 0.5) * STEP_MS / 1000:.2f} s: {row[place]:.2f}"
        truth = ""
        if index < len(phonemes):
            start, end = (float(time) for time in phonemes[index][1:])
            begins = numpy.arange(steps) * STEP_MS
            overlap = (numpy.minimum(begins + STEP_MS, end) - numpy.maximum(begins, start)).clip(0) / STEP_MS
            mass = (row * overlap).sum()
            times = f"{start / 1000:.2f} to {end / 1000:.2f} s"
            truth = f"Truth: it sounds from {times}; {mass:.2f} of the attention lies there."
            left, width = percent(start / 1000 / seconds), percent((end - start) / 1000 / seconds)
            frames.append(f'<b class="box" style="--g:var(--k{index},0);left:{left};width:{width}"></b>')
        elif phonemes:
            truth = "Truth: nothing sounds for it."
        lit = {f"s{step}": number(value / peak) for step, value in enumerate(row) if value >= _SHOWN_FROM * peak}
        strip = map_address(row[None] / peak)
        strip = f'<img src="{strip}" alt="" title="{row[place]:.2f} at most" width="200" height="14">'
        targets.append(Target(symbol, says + ".", truth, lit, strip))
    cells = "".join(f'<i class="s" style="--w:var(--s{step},0)"></i>' for step in range(steps))
    ticks = "".join(
        f'<span style="left:{percent(time / seconds)}">{time:g}</span>'
        for time in numpy.arange(0, seconds, 0.5 if seconds <= 4 else 1)
    )
    data, listen = {"seconds": f"{seconds:g}"}, ""
    if samples is not None:
        sound = as_array(samples, "samples")
        if sound.ndim != 1 or not len(sound) or not numpy.isfinite(sound).all() or numpy.abs(sound).max() > 1.01:
            raise ValueError(
                f"samples has shape {sound.shape}; expected (samples,), one channel of finite values within -1 and 1."
            )
        listen = (
            '<div class="listen"><button type="button" class="part">▶ play what it listened to</button>'
            '<button type="button" class="whole">▶ play all</button>'
            f'<audio controls preload="auto" src="{sound_address(sound, int(rate))}"></audio></div>'
        )
    drawn = _spectrogram(features)
    length = percent(len(features) * FRAME_MS / 1000 / seconds)
    stage = (
        live('<p class="row-name">attention over time</p>')
        + f'<div class="time"><div class="spectrum"><img src="{drawn}" style="width:{length}" '
        f'alt="Spectrogram of the utterance, {len(features) * FRAME_MS / 1000:.1f} seconds.">'
        f'</div><div class="steps">{cells}</div>{"".join(frames)}<u class="cursor"></u></div>'
        + live(f'<div class="ticks" aria-hidden="true">{ticks}<em>seconds</em></div>')
        + listen
        + live(
            '<p class="row-name below">what was written, one after the other</p>' + choices(targets, "what was written")
        )
    )
    return assemble(
        "speech", title=title, stage=stage, targets=targets,
        columns=("written", f"when it listened, 0 to {seconds:.1f} s"),
        hint="Point at a symbol, or press Tab and then the arrow keys: the blue bars show when it listened.",
        scale=f'attention weight <i class="ramp"></i> 0 to {peak:.2f}; dark below: loud, low bands at the bottom',
        gold_name="show when it truly sounds" if frames else "",
        data=data,
        advice="Show a shorter utterance, or leave samples out.",
    )  # fmt: skip


def _spectrogram(features: numpy.ndarray) -> str:
    low, high = numpy.percentile(features, (1, 99.5))
    grey = 1 - ((features.T[::-1] - low) / max(high - low, 1e-9)).clip(0, 1)
    return image_address(numpy.round(grey * (_LEVELS - 1)) / (_LEVELS - 1))
