"""Canvases larger than their digits, so that a drawing window has something to choose; pixels of exactly 0 or 1.

settings = ScatteredSettings()      # one or two digits of 14 x 14 pixels anywhere on 44 x 44
batch = draw_canvases(digits.train, settings, 64, generator)        # of `canvases`

A pixel is 1 where the shrunk digit is brighter than a fixed threshold. (Pixels sampled from grey ones are noise at
every edge, which costs a model of the canvas nats that it cannot win back.)
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from course_utils.data.canvases.parts import Augmentation


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
        fewest, most, size = self.fewest_digits, self.most_digits, self.digit_size
        if not 1 <= fewest <= most <= 2:
            counts = f"fewest_digits is {fewest} and most_digits {most}; expected 1 <= fewest <= most <= 2"
            raise ValueError(f"{counts}. Use CanvasSettings for longer rows.")
        if not 1 <= size <= image_size:
            raise ValueError(f"digit_size is {size}; expected 1 to {image_size} pixels: digits are only shrunk.")
        if not 0 <= self.threshold < 1:
            raise ValueError(f"threshold is {self.threshold}; expected a brightness from 0 up to, but not, 1.")
        if max(0, self.height // size) * max(0, self.width // size) < most:
            raise ValueError(
                f"a canvas of height {self.height} and width {self.width} has no room for {most} digit(s) of {size} by "
                f"{size} pixels. Enlarge it or lower digit_size or most_digits."
            )


def shrink(digits: Tensor, settings: ScatteredSettings) -> Tensor:
    """Shrink images `(count, size, size)` to `digit_size` pixels of exactly 0 and 1.

    Raises:
        ValueError: if a digit has no pixel above the threshold.
    """
    size = settings.digit_size
    shrunk = torch.nn.functional.interpolate(digits.unsqueeze(1), size=(size, size), mode="area").squeeze(1)
    digits = (shrunk > settings.threshold).float()
    if not digits.flatten(1).any(dim=1).all():
        raise ValueError(
            f"a digit of {size} by {size} pixels has none brighter than the threshold {settings.threshold}. Lower "
            "threshold or raise digit_size."
        )
    return digits


def place_apart(present: Tensor, settings: ScatteredSettings, generator: Generator) -> Tensor:
    """Choose the upper left corner (x, y) of every digit's square, `(count, most, 2)`; where two digits are `present`
    `(count, most)`, all pairs of corners whose squares share no pixel are equally likely."""
    size = settings.digit_size
    rows, columns = settings.height - size + 1, settings.width - size + 1
    near_rows, near_columns = _are_near(rows, size), _are_near(columns, size)
    taken = near_rows.sum(dim=1).unsqueeze(1) * near_columns.sum(dim=1)  # (rows, columns), by a digit there
    rooms = (rows * columns - taken).flatten()  # how many places it leaves to a second one
    uniform = torch.rand(*present.shape, generator=generator, dtype=torch.float64)
    first = _pick(uniform[:, :1], torch.where(present[:, 1:].any(dim=1, keepdim=True), rooms, 1))
    row, column = first[:, 0] // columns, first[:, 0] % columns
    blocked = near_rows[row].unsqueeze(2) & near_columns[column].unsqueeze(1)  # (count, rows, columns)
    second = _pick(uniform[:, 1:], (~blocked).long().flatten(1))
    places = torch.cat([first, second], dim=1)
    return torch.stack([places % columns, places // columns], dim=-1)


def _are_near(length: int, size: int) -> Tensor:
    """Whether two stretches of `size` pixels that begin at two of `length` pixels overlap: `(length, length)`."""
    starts = torch.arange(length)
    return (starts.unsqueeze(1) - starts).abs() < size


def _pick(uniform: Tensor, weights: Tensor) -> Tensor:
    """Choose one index in each row, in proportion to whole-number weights `(count, choices)`.

    `torch.multinomial` would do the same, but what it gives for a seed depends on how torch was built.
    """
    ends = weights.cumsum(dim=1)
    return torch.searchsorted(ends, (uniform * ends[:, -1:]).long(), right=True)


def in_reading_order(labels: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Sort labels `(count, most)` and boxes `(count, most, 4)`: from left to right where two digits share a row of
    pixels, else from top to bottom."""
    if labels.shape[1] == 1:
        return labels, boxes
    (x0, y0, _, y1), (u0, v0, u1, v1) = (boxes[:, k].unbind(dim=1) for k in (0, 1))
    share_rows = (y0 < v1) & (v0 < y1)
    swapped = (u1 > u0) & torch.where(share_rows, u0 < x0, v0 < y0)  # a digit that is not there has no width
    order = torch.stack([swapped, ~swapped], dim=1).long()  # (count, 2)
    return labels.gather(1, order), boxes.gather(1, order.unsqueeze(2).expand_as(boxes))
