"""Canvases larger than their digits, so that a drawing window has something to choose; pixels of exactly 0 or 1.

settings = ScatteredSettings()      # one or two digits of 14 x 14 pixels anywhere on 44 x 44
batch = draw_canvases(images.train, settings, 64, generator)        # of `canvases`

A pixel is 1 where the shrunk digit is brighter than a fixed threshold. (Pixels sampled from grey ones are noise at
every edge, which costs a model of the canvas nats that it cannot win back.)
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from course_utils.data.canvases.parts import NO_DIGIT, Augmentation, CanvasBatch, DigitSplit, augment, ink_boxes, paste


@dataclass(frozen=True)
class ScatteredSettings:
    """What a canvas with one or two digits anywhere looks like.

    Attributes:
        height, width: pixels.
        fewest_digits, most_digits: 1 or 2; any number between them, all equally likely.
        digit_size: height and width that a digit's whole image is shrunk to, by area average, pixels.
        threshold: brightness between 0 and 1; above it a pixel is 1, else 0. At 0.5 and 14 pixels some thin digits of
            MNIST would vanish, at 0.4 none does.
        augmentation: how digits are changed before they are shrunk; None = not at all.
    """

    height: int = 44
    width: int = 44
    fewest_digits: int = 1
    most_digits: int = 2
    digit_size: int = 14
    threshold: float = 0.4
    augmentation: Augmentation | None = None

    def check(self, image_size: int) -> None:
        """Refuse settings that cannot be drawn with images of `image_size` pixels.

        Raises:
            ValueError: if the digits do not fit beside each other or a value makes no sense.
        """
        if not 1 <= self.fewest_digits <= self.most_digits <= 2:
            raise ValueError(
                f"fewest_digits is {self.fewest_digits} and most_digits {self.most_digits}; "
                "expected 1 <= fewest_digits <= most_digits <= 2. Use CanvasSettings for longer rows."
            )
        if not 1 <= self.digit_size <= image_size:
            raise ValueError(
                f"digit_size is {self.digit_size}; expected 1 to {image_size} pixels: digits are shrunk, not enlarged."
            )
        if not 0 <= self.threshold < 1:
            raise ValueError(f"threshold is {self.threshold}; expected a brightness from 0 up to, but not, 1.")
        most_that_fit = max(0, self.height // self.digit_size) * max(0, self.width // self.digit_size)
        if most_that_fit < self.most_digits:
            raise ValueError(
                f"a canvas of height {self.height} and width {self.width} has no room for {self.most_digits} digit(s) "
                f"of {self.digit_size} by {self.digit_size} pixels. Enlarge it or lower digit_size or most_digits."
            )


def draw_scattered(split: DigitSplit, settings: ScatteredSettings, count: int, generator: Generator) -> CanvasBatch:
    """Draw canvases; called by `canvases.draw_canvases`, which checks its arguments.

    All places that keep the digits' squares of `digit_size` pixels on the canvas and apart are equally likely.

    Args:
        split, count, generator: see `canvases.draw_canvases`.
        settings: what a canvas looks like.

    Returns:
        Images of exactly 0 and 1; labels and boxes in reading order: from left to right where two digits share a
        row of pixels, else from top to bottom. A box is the smallest that holds all ones of its digit.

    Raises:
        ValueError: if a digit has no pixel above the threshold.
    """
    most, size = settings.most_digits, settings.digit_size
    chosen = torch.randint(len(split.images), (count, most), generator=generator)
    numbers = torch.randint(settings.fewest_digits, most + 1, (count, 1), generator=generator)
    present = torch.arange(most) < numbers  # (count, most)
    digits = split.images[chosen].flatten(0, 1)
    if settings.augmentation is not None:
        digits = augment(digits, settings.augmentation, generator)
    shrunk = torch.nn.functional.interpolate(digits.unsqueeze(1), size=(size, size), mode="area").squeeze(1)
    digits = (shrunk > settings.threshold).float()  # (count * most, size, size)
    if not digits.flatten(1).any(dim=1).all():
        raise ValueError(
            f"a digit has no pixel brighter than the threshold {settings.threshold} after it was shrunk to {size} by "
            f"{size} pixels. Lower threshold or raise digit_size."
        )
    corners = _place_apart(present, settings, generator)
    boxes = ink_boxes(digits).view(count, most, 4) + corners.repeat(1, 1, 2)
    digits = digits.view(count, most, size, size) * present[..., None, None]
    canvas = torch.zeros(count, settings.height * settings.width)
    for k in range(most):
        paste(canvas, digits[:, k], corners[:, k], settings.width)
    labels = split.labels[chosen].masked_fill(~present, NO_DIGIT)
    boxes = boxes.masked_fill(~present.unsqueeze(-1), NO_DIGIT)
    if most == 2:
        swapped = (present[:, 1] & _reads_before(boxes[:, 1], boxes[:, 0])).unsqueeze(1)
        labels = torch.where(swapped, labels.flip(1), labels)
        boxes = torch.where(swapped.unsqueeze(2), boxes.flip(1), boxes)
    return CanvasBatch(canvas.view(count, 1, settings.height, settings.width), labels, boxes)


def _place_apart(present: Tensor, settings: ScatteredSettings, generator: Generator) -> Tensor:
    """Choose the upper left corner (x, y) of every digit's square, `(count, most, 2)`; where there are two, all pairs
    of corners whose squares share no pixel are equally likely."""
    count, most = present.shape
    rows, columns = settings.height - settings.digit_size + 1, settings.width - settings.digit_size + 1
    chance = torch.rand(count, most, generator=generator, dtype=torch.float64)
    near_rows, near_columns = _are_near(rows, settings.digit_size), _are_near(columns, settings.digit_size)
    if most == 1:
        places = _pick(chance, torch.ones(count, rows * columns, dtype=torch.long))
    else:
        taken = near_rows.sum(dim=1).unsqueeze(1) * near_columns.sum(dim=1)  # (rows, columns), by a digit there
        rooms = (rows * columns - taken).flatten()  # how many places it leaves to a second one
        first = _pick(chance[:, :1], torch.where(present[:, 1:], rooms, 1))
        row, column = first[:, 0] // columns, first[:, 0] % columns
        blocked = near_rows[row].unsqueeze(2) & near_columns[column].unsqueeze(1)  # (count, rows, columns)
        places = torch.cat([first, _pick(chance[:, 1:], (~blocked).long().flatten(1))], dim=1)
    return torch.stack([places % columns, places // columns], dim=-1)


def _are_near(length: int, size: int) -> Tensor:
    """Whether two stretches of `size` pixels that begin at two of `length` pixels overlap: `(length, length)`."""
    starts = torch.arange(length)
    return (starts.unsqueeze(1) - starts).abs() < size


def _pick(chance: Tensor, weights: Tensor) -> Tensor:
    """Choose one index in each row, in proportion to whole-number weights `(count, choices)`.

    `torch.multinomial` would do the same, but what it gives for a seed depends on how torch was built.

    Args:
        chance: `(count, 1)` doubles from 0 up to 1.
        weights: `(count, choices)` integers.
    """
    ends = weights.cumsum(dim=1)
    return torch.searchsorted(ends, (chance * ends[:, -1:]).long(), right=True)


def _reads_before(boxes: Tensor, others: Tensor) -> Tensor:
    """Whether each box comes before the other in reading order, `(count,)`; the boxes share no pixel."""
    share_rows = (boxes[:, 1] < others[:, 3]) & (others[:, 1] < boxes[:, 3])
    return torch.where(share_rows, boxes[:, 0] < others[:, 0], boxes[:, 1] < others[:, 1])
