"""A path of glimpses over an image, step by step, with what was seen at each."""

from collections.abc import Sequence

import numpy
from numpy.typing import ArrayLike

from course_utils.teaching.explorer.checked import as_array, as_boxes, as_image
from course_utils.teaching.explorer.media import image_address
from course_utils.teaching.explorer.page import Explorer, Target, assemble, box_style, choices, live, percent


def explore_glimpses(
    image: ArrayLike,
    boxes: ArrayLike,
    patches: ArrayLike,
    *,
    title: str,
    gold: Sequence[Sequence[float]] = (),
    captions: Sequence[str] = (),
) -> Explorer:
    """Let the reader go with a model from glimpse to glimpse: where it looked, and what it saw there.

    Args:
        image: `(height, width)` or `(channels, height, width)`, 0 to 1.
        boxes: `(glimpses, scales, 4)`, the patches' places in pixels (x0, y0, x1, y1), sharpest first.
        patches: `(glimpses, scales, channels, size, size)`, what was seen.
        title: the finding.
        gold: boxes of what there was to see; shown when the reader switches them on.
        captions: what is said of each glimpse, e.g. the answer after it.

    Raises:
        ValueError: if the arguments do not fit each other, or the HTML is too large.
    """
    pixels = as_image(image)
    boxes, patches, gold = as_array(boxes, "boxes"), as_array(patches, "patches"), as_boxes(gold)
    if boxes.ndim != 3 or boxes.shape[-1] != 4 or 0 in boxes.shape or not numpy.isfinite(boxes).all():
        raise ValueError(f"boxes has shape {boxes.shape}; expected (glimpses, scales, 4), all finite, in pixels.")
    if patches.ndim != 5 or patches.shape[:2] != boxes.shape[:2] or patches.shape[2] not in (1, 3):
        raise ValueError(
            f"patches has shape {patches.shape}; expected (glimpses, scales, channels, size, size), here "
            f"({boxes.shape[0]}, {boxes.shape[1]}, 1 or 3, size, size)."
        )
    if not numpy.isfinite(patches).all():
        raise ValueError("patches has values that are not finite; expected numbers from 0 to 1.")
    glimpses, scales = boxes.shape[:2]
    captions = [str(caption) for caption in captions]
    if captions and len(captions) != glimpses:
        raise ValueError(f"got {len(captions)} captions for {glimpses} glimpses; expected one for each, or none.")
    height, width = pixels.shape[:2]
    middles = (boxes[:, 0, :2] + boxes[:, 0, 2:]) / 2
    targets, frames = [], []
    for step, (x, y) in enumerate(middles):
        caption = captions[step] if captions else ""
        says = f"Glimpse {step + 1} of {glimpses} looks at column {x:.0f}, row {y:.0f} of {width} by {height} pixels"
        truth = ""
        if len(gold):
            hit = any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in gold)
            boxes_of = "a gold box" if len(gold) > 1 else "the gold box"
            truth = f"Truth: the middle of this glimpse lies {'in' if hit else 'outside'} {boxes_of}."
        properties = {f"p{before}": ".45" for before in range(step)} | {f"p{step}": "1", "at": str(step)}
        says += f"; {caption}." if caption else "."
        seen = image_address(_side_by_side(patches[step], 1))
        markup = f'<img src="{seen}" alt="" width="{48 * scales}" height="48">'
        targets.append(Target(f"{step + 1}" + (f" · {caption}" if caption else ""), says, truth, properties, markup))
        for scale in reversed(range(scales)):
            kind = "sharp" if scale == 0 else "widest wide" if scale == scales - 1 else "wide"
            shown = f"--a:var(--{'p' if scale == 0 else 'k'}{step},0)"
            name = f' data-step="{step + 1}"' if scale == 0 else ""
            place = box_style(boxes[step, scale], width, height)
            frames.append(f'<b class="look {kind}"{name} style="{shown};{place}"></b>')
    path = "".join(
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" style="opacity:var(--p{step},0)"/>'
        for step, ((x0, y0), (x1, y1)) in enumerate(zip(middles, middles[1:], strict=False), start=1)
    )
    truths = "".join(f'<b class="box" style="--g:1;{box_style(box, width, height)}"></b>' for box in gold)
    drawn = f'<img src="{image_address(pixels)}" alt="The picture that is looked at.">'
    names = "".join(f"<span>{'sharp' if scale == 0 else f'{1 << scale}× as wide'}</span>" for scale in range(scales))
    sprite = image_address(numpy.concatenate([_side_by_side(patch, 0) for patch in patches], axis=1))
    slider = (
        f'<label class="slide"><span>step</span><input type="range" class="slider" min="1" max="{glimpses}" value="1">'
        "</label>"
        if glimpses > 1
        else ""
    )
    stage = (
        f'<div class="columns"><div class="canvas" style="aspect-ratio:{width}/{height}">{drawn}'
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">{path}</svg>'
        f"{''.join(frames)}{truths}</div>"
        + live(
            f'<p class="row-name">what it saw</p><div class="retina"><div class="window" style="--n:{scales};'
            f'aspect-ratio:1/{scales}"><img src="{sprite}" alt="" style="width:{percent(glimpses)}"></div>'
            f'<div class="scales">{names if scales > 1 else ""}</div></div>',
            "seen",
        )
        + live(
            f'{slider}<p class="row-name">glimpse by glimpse</p>{choices(targets, "glimpses")}',
            "beside",
        )
        + "</div>"
    )
    return assemble(
        "glimpses", title=title, stage=stage, targets=targets, columns=("glimpse", "what it saw"),
        hint="Move the slider, point at a step, or press Tab and then the arrow keys to go with the model.",
        scale='<i class="frame"></i> the sharp patch <i class="frame wide"></i> the coarse ones, all around is unseen'
        if scales > 1
        else '<i class="frame"></i> what was read',
        gold_name="show the gold boxes" if len(gold) else "",
        advice="Show fewer glimpses or a smaller picture.",
    )  # fmt: skip


def _side_by_side(patches: numpy.ndarray, axis: int) -> numpy.ndarray:
    """Join patches `(scales, channels, size, size)` below (axis 0) or beside (1) each other, as pixels of 0 to 1."""
    images = [patch[0] if len(patch) == 1 else patch.transpose(1, 2, 0) for patch in patches.clip(0, 1)]
    return numpy.concatenate(images, axis=axis)
