"""Handwritten digits, split by picture: scikit-learn's (the default, no download) or MNIST (real).

images = load_digit_images("default")       # train, validation and test pictures, 28 x 28
batch = draw_canvases(images.train, CanvasSettings(60, 60, fragments=4), 64, generator)

Both sources come in one shape, 28 x 28 pixels with the digit about 20 pixels high in the middle, so that whatever is
laid out with them (see `canvases`) works with either.
"""

import hashlib
import zlib
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor

from course_utils.data.canvases.canvases import CanvasBatch, CanvasSettings, DigitSplit, canvas_batches, draw_canvases
from course_utils.data.canvases.real_digits import load_layouts, mnist_splits
from course_utils.data.real import REAL_SOURCES, SPLITS

__all__ = [
    "CanvasBatch",
    "CanvasSettings",
    "DigitImages",
    "DigitSplit",
    "canvas_batches",
    "draw_canvases",
    "image_hashes",
    "load_digit_images",
    "load_layouts",
]

IMAGE_SIZE = 28
"""Height and width of a digit's picture, pixels: MNIST's."""
_ENLARGED_SIZE = 26  # 10 x 10 with a dark margin of one; the digit itself is then 20.8 pixels high
_STEEPNESS = 1.8  # enlarging smears a stroke's edge over three pixels; this brings it back to about two


@dataclass(frozen=True)
class DigitImages:
    """Handwritten digits of one source; no picture is in two splits.

    Attributes:
        name: "default" or "mnist".
        train, validation, test: the splits.
        credit: who wrote and collected them.
    """

    name: str
    train: DigitSplit
    validation: DigitSplit
    test: DigitSplit
    credit: str

    def split(self, name: str) -> DigitSplit:
        """Return a split by its name.

        Raises:
            ValueError: if there is no such split.
        """
        if name not in SPLITS:
            raise ValueError(f"split is {name!r}; expected one of {', '.join(SPLITS)}.")
        return getattr(self, name)


def load_digit_images(source: str = "default") -> DigitImages:
    """Load digits by the name that a lesson's settings cell uses.

    Args:
        source: "default" (scikit-learn's 1,797 digits) or "real" (MNIST's 70,000).

    Raises:
        ValueError: for another name.
        RealDataError: see `mnist_images`.
    """
    if source not in ("default", "real"):
        raise ValueError(f"source is {source!r}; expected 'default' (scikit-learn's digits) or 'real' (MNIST).")
    return scikit_learn_images() if source == "default" else mnist_images()


def image_hashes(split: DigitSplit) -> list[str]:
    """Return the sha256 of every picture's pixels, to show that no picture is in two splits."""
    pixels = (split.images * 255).round().to(torch.uint8).numpy()
    return [hashlib.sha256(picture.tobytes()).hexdigest() for picture in pixels]


def scikit_learn_images() -> DigitImages:
    """Enlarge scikit-learn's 8 x 8 digits to 28 x 28; about 70 % train, 10 % validation, 20 % test.

    A hash of the original picture decides its split, the same on every machine. The people who wrote the digits are
    not named in the set, so a writer's digits may be on both sides; the pictures are not.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    small = torch.tensor(data.images / 16, dtype=torch.float32)  # stored as 0 to 16
    percent = torch.tensor([zlib.crc32(picture.astype(numpy.uint8).tobytes()) % 100 for picture in data.images])
    images, labels = enlarge(small), torch.tensor(data.target, dtype=torch.long)
    chosen = {"train": percent < 70, "validation": (percent >= 70) & (percent < 80), "test": percent >= 80}
    return DigitImages(
        name="default",
        **{name: DigitSplit(images[mask], labels[mask]) for name, mask in chosen.items()},
        credit="UCI optical recognition of handwritten digits (Alpaydin, Kaynak 1998), through scikit-learn",
    )


def enlarge(small: Tensor) -> Tensor:
    """Enlarge small pictures smoothly (bicubic) and put them in the middle of 28 x 28.

    Args:
        small: `(count, height, width)` floats from 0 to 1.

    Returns:
        `(count, 28, 28)` floats from 0 to 1.
    """
    framed = torch.nn.functional.pad(small.unsqueeze(1), (1, 1, 1, 1))  # else strokes at the edge end in a hard cut
    size = (_ENLARGED_SIZE, _ENLARGED_SIZE)
    large = torch.nn.functional.interpolate(framed, size=size, mode="bicubic", align_corners=False)
    steeper = ((large - 0.5) * _STEEPNESS + 0.5).clamp(0, 1)
    margin = (IMAGE_SIZE - _ENLARGED_SIZE) // 2
    return torch.nn.functional.pad(steeper, (margin,) * 4).squeeze(1)


def mnist_images() -> DigitImages:
    """Load MNIST; the last 5,000 training images are the validation split.

    Raises:
        RealDataError: see `real_digits.mnist_splits`.
    """
    return DigitImages(name="mnist", **mnist_splits(), credit=REAL_SOURCES["mnist"].credit)
