"""MNIST's digits through torchvision, and where digits stand on SVHN's photographs of house numbers."""

import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy
import torch
from torch import Tensor

from course_utils.data.cache import cache_folder
from course_utils.data.canvases.canvases import DigitSplit
from course_utils.data.real import (
    SPLITS,
    DataFormatError,
    RealDataError,
    RealDataNotFoundError,
    is_staged,
    load_real,
    staged_folder,
)
from course_utils.data.real_errors import explained, refuse_offline

VALIDATION = 5000
"""The last ones of MNIST's training images are its validation split."""
_SHAPE = (28, 28)
_PLACE = "the public address of MNIST"


def mnist_splits() -> dict[str, DigitSplit]:
    """Load MNIST: from the staged folder (its four idx files, packed or not), else downloaded by torchvision.

    Raises:
        RealDataNotFoundError: the staged folder lacks a file.
        DataFormatError: a file is not what it should be.
        RealDataError: the download failed; see `real.load_real`.
    """
    from huggingface_hub.utils import WeakFileLock
    from torchvision.datasets import MNIST

    with ExitStack() as stack:
        if is_staged("mnist"):
            root, where = Path(stack.enter_context(TemporaryDirectory())), str(staged_folder() / "mnist")
            _unpack(staged_folder() / "mnist" / "MNIST" / "raw", root / "MNIST" / "raw", MNIST)
        else:
            root = cache_folder() / "torchvision"
            root.mkdir(parents=True, exist_ok=True)
            stack.enter_context(WeakFileLock(root / ".mnist.lock"))  # two kernels download it once
            where = str(root / "MNIST")
        with explained("mnist", _PLACE):
            parts = {name: _part(MNIST, root, name, where) for name in ("train", "test")}
    images, labels = parts["train"]
    return {
        "train": DigitSplit(images[:-VALIDATION], labels[:-VALIDATION]),
        "validation": DigitSplit(images[-VALIDATION:], labels[-VALIDATION:]),
        "test": DigitSplit(*parts["test"]),
    }


def _unpack(staged: Path, raw: Path, mnist: type) -> None:
    """Put the four idx files where torchvision expects them, each unpacked."""
    from torchvision.datasets.utils import extract_archive

    raw.mkdir(parents=True)
    for packed, _ in mnist.resources:
        name = packed.removesuffix(".gz")
        if (staged / name).is_file():
            shutil.copyfile(staged / name, raw / name)
        elif (staged / packed).is_file():
            try:
                extract_archive(staged / packed, raw)
            except Exception as error:  # gzip, zlib and the disk have one each
                raise DataFormatError(
                    f"{staged / packed} cannot be unpacked ({type(error).__name__}: {error}). Copy it again."
                ) from error
        else:
            raise RealDataNotFoundError(
                f"{staged} holds neither {name} nor {packed}. Copy the four files of MNIST there, or keep SOURCE = "
                "'default'."
            )


def _part(mnist: type, root: Path, name: str, where: str) -> tuple[Tensor, Tensor]:
    """Images `(count, 28, 28)` from 0 to 1 and labels `(count,)` of MNIST's training or test part."""
    try:
        try:
            part = mnist(root, train=name == "train")
        except RuntimeError as error:
            if "Dataset not found" not in str(error):
                raise
            refuse_offline("mnist", _PLACE)
            part = mnist(root, train=name == "train", download=True)
        images, labels = part.data, part.targets
    except (AssertionError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, RealDataError) or "Error downloading" in str(error):
            raise
        raise DataFormatError(
            f"{where}: MNIST's {name} part is not in the idx format. Copy or download it again."
        ) from error
    if len(images) != len(labels) or images.shape[1:] != _SHAPE or int(labels.max()) > 9:
        raise DataFormatError(
            f"{where}: MNIST's {name} part has images {tuple(images.shape)} and {len(labels)} labels up to "
            f"{int(labels.max())}; expected as many labels from 0 to 9 as images of 28 x 28. Copy or download it again."
        )
    return images.float() / 255, labels


def load_layouts(split: str = "train", longest: int = 3) -> Tensor:
    """Load where the digits of real house numbers are: the boxes of SVHN, to lay digits of another set out with.

    The boxes alone (`svhn_layouts`) are taken where they are staged, else those of the photographs (`svhn`). Digits
    are put in reading order, left to right. Photographs with more than `longest` digits are left out. The last tenth
    of SVHN's training photographs is the validation split.

    Args:
        split: "train", "validation" or "test".
        longest: most digits in a number.

    Returns:
        `(count, longest, 4)` floats: x0, y0, x1, y1 of every digit in the photograph's pixels; -1 where a number
        has fewer digits.

    Raises:
        ValueError: if there is no such split.
        RealDataError: see `real.load_real`.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(SPLITS)}.")
    name = "svhn_layouts" if is_staged("svhn_layouts") else "svhn"
    table = load_real(name, "test" if split == "test" else "train", columns=["digits"]).with_format("arrow")[:]
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
