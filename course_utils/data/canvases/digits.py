"""Handwritten digits, split by image: scikit-learn's (the default, no download) or MNIST (real, through torchvision).

digits = load_digit_images("default")       # train, validation and test images, 28 x 28
batch = draw_canvases(digits.train, CanvasSettings(60, 60, fragments=4), 64, generator)

Both come in one shape, 28 x 28 pixels with the digit about 20 pixels high in the middle, to be laid out alike.
"""

import gzip
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy
import torch
from torch.nn.functional import interpolate, pad

from course_utils.data.batching import Batch
from course_utils.data.cache import cache_folder
from course_utils.data.real import is_staged, staged_folder
from course_utils.data.real_errors import DataFormatError, RealDataError, RealDataNotFoundError, explained
from course_utils.data.real_sets import REAL_SOURCES

_ENLARGED_SIZE = 26  # 10 x 10 with a dark margin of one; the digit itself is then 20.8 pixels high
_MNIST_VALIDATION = 5000  # the last ones of its training images
_STEEPNESS = 1.8  # enlarging smears a stroke's edge over three pixels; this brings it back to about two


@dataclass(frozen=True)
class DigitImages:
    """Handwritten digits of one source; no image is in two splits.

    Each split has `images` `(count, 28, 28)` floats, 0 = dark ground, 1 = full ink, and `labels` `(count,)` 0 to 9.
    """

    name: str  # "default" or "mnist"
    train: Batch
    validation: Batch
    test: Batch
    credit: str


def load_digit_images(source: str = "default") -> DigitImages:
    """Load the digits of a lesson's `SOURCE`: "default" (scikit-learn's 1,797) or "real" (MNIST's 70,000).

    Raises:
        ValueError: for another name.
        RealDataError: see `real.load_real`; `DataFormatError` also where a file of MNIST is not what it should be.
    """
    if source not in ("default", "real"):
        raise ValueError(f"source is {source!r}; expected 'default' (scikit-learn's digits) or 'real' (MNIST).")
    if source == "real":
        return DigitImages("mnist", *_mnist_splits(), credit=REAL_SOURCES["mnist"].credit)
    credit = "UCI optical recognition of handwritten digits (Alpaydin, Kaynak 1998), through scikit-learn"
    return DigitImages("default", *_scikit_learn_splits(), credit=credit)


def _scikit_learn_splits() -> list[Batch]:
    """Scikit-learn's 8 x 8 digits at 28 x 28; about 70 % train, 10 % validation, 20 % test, by a hash of the image.

    The people who wrote the digits are not named in the set, so a writer's digits may be in two splits; no image is.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    small = torch.tensor(data.images / 16, dtype=torch.float32)  # stored as 0 to 16
    percent = torch.tensor([zlib.crc32(image.astype(numpy.uint8).tobytes()) % 100 for image in data.images])
    framed = pad(small.unsqueeze(1), (1, 1, 1, 1))  # else strokes at the edge end in a hard cut
    large = interpolate(framed, size=(_ENLARGED_SIZE, _ENLARGED_SIZE), mode="bicubic", align_corners=False)
    images = pad(((large - 0.5) * _STEEPNESS + 0.5).clamp(0, 1), (1, 1, 1, 1)).squeeze(1)
    digits = Batch(images=images, labels=torch.tensor(data.target, dtype=torch.long))
    return [digits[mask] for mask in (percent < 70, (percent >= 70) & (percent < 80), percent >= 80)]


def _mnist_splits() -> list[Batch]:
    """MNIST from the staged folder (its four idx files, packed or not), else downloaded by torchvision."""
    from huggingface_hub.utils import WeakFileLock

    with ExitStack() as stack:
        if staged := is_staged("mnist"):
            root, where = Path(stack.enter_context(TemporaryDirectory())), staged_folder() / "mnist"
            _unpack(where / "MNIST" / "raw", root / "MNIST" / "raw")
        else:
            root = where = cache_folder() / "torchvision"
            root.mkdir(exist_ok=True)
            stack.enter_context(WeakFileLock(root / ".mnist.lock"))  # two kernels download it once
        train, test = (_mnist_part(root, part, not staged, where) for part in ("train", "test"))
    return [train[:-_MNIST_VALIDATION], train[-_MNIST_VALIDATION:], test]


def _unpack(staged: Path, raw: Path) -> None:
    """Put the four idx files where torchvision expects them, each unpacked."""
    from torchvision.datasets import MNIST

    raw.mkdir(parents=True)
    for packed, _ in MNIST.resources:
        name = packed.removesuffix(".gz")
        source = next((path for path in (staged / name, staged / packed) if path.is_file()), None)
        if source is None:
            raise RealDataNotFoundError(
                f"{staged} holds neither {name} nor {packed}. Copy MNIST's files there, or keep SOURCE = 'default'."
            )
        with explained(source.name, str(staged)):
            content = source.read_bytes()
            (raw / name).write_bytes(gzip.decompress(content) if source.name == packed else content)


def _mnist_part(root: Path, name: str, download: bool, where: Path) -> Batch:
    """MNIST's training or test part, from `root` or, if it is not there, downloaded to it."""
    from huggingface_hub.constants import HF_HUB_OFFLINE
    from torchvision.datasets import MNIST

    try:
        with explained("mnist", "the public address of MNIST"):
            part = MNIST(root, train=name == "train", download=download and not HF_HUB_OFFLINE)
        images, labels = part.data, part.targets
        if images.shape != (len(labels), 28, 28) or int(labels.max()) > 9:
            raise ValueError(f"it has images {tuple(images.shape)} and {len(labels)} labels up to {int(labels.max())}")
    except RealDataError:
        raise
    except (AssertionError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DataFormatError(
            f"{where}: MNIST's {name} part is damaged ({error}); expected as many labels from 0 to 9 as images of 28 x "
            "28, in the idx format. Copy or download it again."
        ) from error
    return Batch(images=images.float() / 255, labels=labels)
