"""Handwritten digits, split by picture: scikit-learn's (the default, no download) or MNIST (real).

images = load_digit_images("default")       # train, validation and test pictures, 28 x 28
batch = draw_canvases(images.train, CanvasSettings(60, 60, fragments=4), 64, generator)

Both sources come in one shape, 28 x 28 pixels with the digit about 20 pixels high in the middle, so that whatever is
laid out with them (see `canvases`) works with either.
"""

import gzip
import hashlib
import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from torch import Tensor

from course_utils.datasets.canvases import CanvasBatch, CanvasSettings, DigitSplit, canvas_batches, draw_canvases
from course_utils.datasets.downloads import DataFormatError, RealDataNotFoundError
from course_utils.datasets.sources import REAL_SOURCES, SPLITS, STAGED_FOLDER_VARIABLE, load_real, staged_folder

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
_MNIST_VALIDATION = 5000  # the last ones of the training files
_MNIST_FILES = {"train": "train", "test": "t10k"}


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
    """Load MNIST from the pre-staged folder (its four idx files, packed or not), else from the hub's parquet.

    The last 5,000 training pictures are the validation split.

    Raises:
        RealDataNotFoundError: it is neither staged nor among the sets that the hub is asked for.
        DataFormatError: a file is not what it should be.
        RealDataError: the hub failed; see `sources.load_real`.
    """
    images, labels = _mnist_part("train")
    return DigitImages(
        name="mnist",
        train=DigitSplit(images[:-_MNIST_VALIDATION], labels[:-_MNIST_VALIDATION]),
        validation=DigitSplit(images[-_MNIST_VALIDATION:], labels[-_MNIST_VALIDATION:]),
        test=DigitSplit(*_mnist_part("test")),
        credit="MNIST (LeCun, Cortes, Burges 1998)",
    )


def _mnist_part(part: str) -> tuple[Tensor, Tensor]:
    folder = staged_folder()
    raw = None if folder is None else folder / "mnist" / "MNIST" / "raw"
    if raw is not None and raw.is_dir():
        images = _read_idx(raw, f"{_MNIST_FILES[part]}-images-idx3-ubyte", 3)
        labels = _read_idx(raw, f"{_MNIST_FILES[part]}-labels-idx1-ubyte", 1)
    elif "mnist" in REAL_SOURCES:
        images, labels = _read_parquet_digits(part)
    else:
        raise RealDataNotFoundError(
            f"MNIST is not staged: expected the four idx files in <folder>/mnist/MNIST/raw/, where "
            f"{STAGED_FOLDER_VARIABLE} names <folder>. Set it, or keep SOURCE = 'default'."
        )
    if len(images) != len(labels) or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or labels.max(initial=0) > 9:
        raise DataFormatError(
            f"MNIST's {part} part has pictures {images.shape} and labels {labels.shape} up to {labels.max(initial=0)};"
            " expected as many labels from 0 to 9 as pictures of 28 x 28. Copy or download it again."
        )
    return torch.from_numpy(images.astype(numpy.float32)) / 255, torch.from_numpy(labels.astype(numpy.int64))


def _read_idx(folder: Path, name: str, dimensions: int) -> numpy.ndarray:
    """Read a file of unsigned bytes in the idx format, packed with gzip or not."""
    path = next((folder / (name + end) for end in ("", ".gz") if (folder / (name + end)).is_file()), None)
    if path is None:
        raise RealDataNotFoundError(f"{folder} holds neither {name} nor {name}.gz. Copy the four files of MNIST there.")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        magic, *shape = struct.unpack(f">{1 + dimensions}I", content[: 4 + 4 * dimensions])
        if magic != 0x800 + dimensions:  # 8 = unsigned bytes, then the number of dimensions
            raise ValueError(f"it begins with {magic:#x} in place of {0x800 + dimensions:#x}")
        return numpy.frombuffer(content, dtype=numpy.uint8, offset=4 + 4 * dimensions).reshape(shape)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise DataFormatError(f"{path} is not the idx file it should be ({error}). Copy it again.") from error


def _read_parquet_digits(part: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Read the hub's form of MNIST: an `image` column of PNG files and a `label` column."""
    from PIL import Image

    table = load_real("mnist", part, columns=["image", "label"])
    try:
        pictures = [Image.open(io.BytesIO(entry["bytes"])) for entry in table["image"].to_pylist()]
        return numpy.stack([numpy.asarray(picture.convert("L")) for picture in pictures]), table["label"].to_numpy()
    except (OSError, TypeError, KeyError, ValueError) as error:
        raise DataFormatError(f"MNIST's image column does not hold pictures of one size ({error}).") from error


def load_layouts(split: str = "train", longest: int = 3) -> Tensor:
    """Load where the digits of real house numbers are: the boxes of SVHN, to lay digits of another set out with.

    Digits are put in reading order, left to right. Photographs with more than `longest` digits are left out. The
    last tenth of SVHN's training photographs is the validation split.

    Args:
        split: "train", "validation" or "test".
        longest: most digits in a number.

    Returns:
        `(count, longest, 4)` floats: x0, y0, x1, y1 of every digit in the photograph's pixels; -1 where a number
        has fewer digits.

    Raises:
        ValueError: if there is no such split.
        RealDataError: see `sources.load_real`.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(SPLITS)}.")
    if "svhn_layouts" not in REAL_SOURCES:
        raise RealDataNotFoundError("svhn_layouts is not among the sets of real data that sources.py lists.")
    table = load_real("svhn_layouts", "test" if split == "test" else "train", columns=["digits"])
    digits = table["digits"].combine_chunks().field("bbox")
    numbers = digits.value_lengths().to_numpy()  # digits of every photograph
    flat = digits.flatten().flatten().to_numpy().reshape(-1, 4).astype(numpy.float32)  # x, y, width, height
    rows = numpy.repeat(numpy.arange(len(numbers)), numbers)
    order = numpy.lexsort((flat[:, 0], rows))  # by photograph, then from left to right
    columns = numpy.arange(len(flat)) - numpy.repeat(numbers.cumsum() - numbers, numbers)
    fits = columns < longest
    layouts = numpy.full((len(numbers), longest, 4), -1, dtype=numpy.float32)
    corners = numpy.concatenate([flat[:, :2], flat[:, :2] + flat[:, 2:]], axis=1)[order]
    layouts[rows[fits], columns[fits]] = corners[fits]
    layouts = layouts[(numbers >= 1) & (numbers <= longest)]
    kept = len(layouts) * 9 // 10
    return torch.from_numpy({"train": layouts[:kept], "validation": layouts[kept:], "test": layouts}[split])
