"""Real pictures with captions: stamps with names (to train on), photographs with boxes (to point at), Flickr8k.

data = photograph_data("tuxpaint_stamps")           # same shape as scene_data: fit it like scenes
photographs = load_photographs("coco_tiny_captions", "validation")
photographs[0].boxes(caption=2)                     # {1: ((4, 10, 14, 52), ...)}, by word index

All sets have the columns of the hub's `jxie/flickr8k`: `image`, and `caption` or `caption_0`, `caption_1`, …; one that
also has `objects` (category, and bbox as shares of the picture) comes with gold boxes.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from course_utils.datasets.downloads import DataFormatError
from course_utils.datasets.scene_data import SceneBatch
from course_utils.datasets.scenes import CANVAS, Box
from course_utils.datasets.sources import REAL_SOURCES, SPLITS, RealSource, load_real
from course_utils.datasets.text import Vocabulary, batches_by_length, tokenize_sentence

PEOPLE = {
    "person", "people", "man", "men", "woman", "women", "boy", "boys", "girl", "girls", "child", "children",
    "lady", "ladies", "guy", "guys", "kid", "kids", "player",
}  # fmt: skip
"""Words for persons in captions."""
LARGEST_SHIFT = 6
"""Pixels by which a training picture is moved at most, each way."""


@dataclass(frozen=True, eq=False)
class Photograph:
    """A real picture with what people said about it.

    Attributes:
        picture: `(3, edge, edge)` uint8; pictures that are not square are squeezed, so that nothing is cut off.
        captions: one or more, tokenised, in lower case.
        objects: category → gold boxes in pixels of `picture`, crowds left out; empty where the set has none.
        credit: licence and address of the picture where the set gives them, else the set's credit.
    """

    picture: Tensor
    captions: tuple[tuple[str, ...], ...]
    objects: dict[str, tuple[Box, ...]]
    credit: str

    @property
    def references(self) -> tuple[str, ...]:
        """The captions as text, what BLEU compares with."""
        return tuple(" ".join(words) for words in self.captions)

    def words(self, caption: int = 0) -> tuple[str, ...]:
        """The words of a caption."""
        return self.captions[caption]

    def boxes(self, caption: int = 0) -> dict[int, tuple[Box, ...]]:
        """Gold boxes in pixels for the words of a caption that name a category, by word index.

        "person" is named by any of `PEOPLE`, another category by its last word ("table" for "dining table"), also with
        "s" or "es". The boxes are those of all objects of the category: nobody noted which of them the word means.
        """
        found = {}
        for index, word in enumerate(self.captions[caption]):
            for category, boxes in self.objects.items():
                if word in PEOPLE if category == "person" else word in _forms(category):
                    found[index] = boxes
        return found


def _forms(category: str) -> tuple[str, str, str]:
    last = category.split()[-1]
    return last, f"{last}s", f"{last}es"


def load_photographs(name: str, split: str = "train", edge: int = CANVAS) -> list[Photograph]:
    """Load one split of a set of captioned pictures.

    A set with nothing but `train` and `test` has its validation made of a tenth of `train`, by a hash of the picture.

    Args:
        name: "tuxpaint_stamps", "coco_tiny_captions" or "flickr8k".
        split: "train", "validation" or "test", as far as the set has it.
        edge: of the pictures that are returned, pixels.

    Returns:
        Pictures in the order of the file; those without a caption are left out.

    Raises:
        RealDataError: as `sources.load_real`; `DataFormatError` also if a row has no picture that can be read.
    """
    source = REAL_SOURCES.get(name)
    divided = source is not None and "train" in source.splits and "validation" not in source.splits
    table = load_real(name, "train" if divided and split == "validation" else split)
    columns = sorted(column for column in table.schema.names if column == "caption" or column.startswith("caption_"))
    columns = [column for column in columns if column == "caption" or column.removeprefix("caption_").isdecimal()]
    if not columns:
        raise DataFormatError(
            f"{name} has the columns {table.schema.names}; expected image and caption, or image and caption_0 to "
            "caption_4. It is another data set or another version of it."
        )
    photographs = []
    for number, row in enumerate(table.to_pylist()):
        content = (row["image"] or {}).get("bytes") if isinstance(row["image"], dict) else None
        if divided and split in ("train", "validation") and (_in_validation(content) != (split == "validation")):
            continue
        captions = [tuple(tokenize_sentence(row[column], "en")) for column in columns if (row[column] or "").strip()]
        if captions:
            picture = _decode(content, edge, f"{name}, {split}, row {number}")
            photographs.append(Photograph(picture, tuple(captions), _objects(row, edge), _credit(row, source)))
    return photographs


def _in_validation(content: bytes | None) -> bool:
    return int.from_bytes(hashlib.sha256(content or b"").digest()[:8], "big") % 10 == 0


def _decode(content: bytes | None, edge: int, where: str) -> Tensor:
    try:
        with Image.open(io.BytesIO(content or b"")) as image:
            small = image.convert("RGB").resize((edge, edge), Image.Resampling.LANCZOS)
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise DataFormatError(
            f"{where}: the picture cannot be read ({type(error).__name__}); expected encoded bytes in image['bytes']. "
            "Copy or download the set again."
        ) from error
    return torch.from_numpy(numpy.array(small)).permute(2, 0, 1).contiguous()


def _objects(row: dict, edge: int) -> dict[str, tuple[Box, ...]]:
    """Gold boxes in whole pixels, at least one pixel wide and high."""
    boxes: dict[str, list[Box]] = {}
    for thing in row.get("objects") or ():
        if thing.get("iscrowd"):
            continue
        x, y, width, height = (share * edge for share in thing["bbox"])
        left, top = min(int(x), edge - 1), min(int(y), edge - 1)
        right, bottom = min(edge, max(left + 1, round(x + width))), min(edge, max(top + 1, round(y + height)))
        boxes.setdefault(thing["category"], []).append((left, top, right, bottom))
    return {category: tuple(found) for category, found in boxes.items()}


def _credit(row: dict, source: RealSource | None) -> str:
    if row.get("license") and row.get("flickr_url"):
        return f"{row['license']}, {row['flickr_url']}"
    return source.credit if source is not None else ""


@dataclass
class PhotographData:
    """Captioned pictures in the shape that `experiments.captioning.fit` wants.

    Attributes:
        name: of the set.
        vocabulary: words that the training captions have at least `least` times.
        train, validation, test: pictures of each split.
        options: `{"canvas": edge}`.
        credit: who made the set.
    """

    name: str
    vocabulary: Vocabulary
    train: list[Photograph]
    validation: list[Photograph]
    test: list[Photograph]
    options: dict = field(default_factory=dict)
    credit: str = ""

    def batches(self, batch_size: int, seed: int) -> Callable[[int], Iterator[SceneBatch]]:
        """Make the function that gives `training.train` each epoch's batches: every picture with one of its captions.

        Args:
            batch_size: most pictures in a batch; captions of a batch have similar lengths.
            seed: decides captions, order, and how pictures are moved.
        """

        def epoch_batches(epoch: int) -> Iterator[SceneBatch]:
            random = Random(f"photographs {seed} {epoch}")
            chosen = [p.captions[int(random.random() * len(p.captions))] for p in self.train]
            yield from self._batches(self.train, chosen, batch_size, 1000 * seed + epoch, random)

        return epoch_batches

    fresh_batches = batches
    """Real pictures cannot be drawn anew; every epoch moves them anew."""

    def validation_batches(self, batch_size: int) -> Iterator[SceneBatch]:
        """The validation pictures, each with its first caption; the same in every call."""
        return self._batches(self.validation, [p.captions[0] for p in self.validation], batch_size, 0)

    def _batches(
        self,
        photographs: Sequence[Photograph],
        captions: Sequence[Sequence[str]],
        batch_size: int,
        seed: int,
        random: Random | None = None,
    ) -> Iterator[SceneBatch]:
        pairs = [([number], self.vocabulary.encode(words)) for number, words in enumerate(captions)]
        for batch in batches_by_length(pairs, batch_size, seed=seed):
            pictures = [photographs[number].picture for number in batch.source[:, 0].tolist()]
            if random is not None:
                pictures = [_moved(picture, random) for picture in pictures]
            yield SceneBatch(torch.stack(pictures), batch.target_input, batch.target_output, batch.target_mask)


def _moved(picture: Tensor, random: Random) -> Tensor:
    """The picture moved by a few pixels; its border fills what comes into sight. (A mirrored letter is another one.)"""
    across, down = (int(random.random() * (2 * LARGEST_SHIFT + 1)) - LARGEST_SHIFT for _ in range(2))
    height, width = picture.shape[-2:]
    rows = (torch.arange(height) - down).clamp(0, height - 1)
    columns = (torch.arange(width) - across).clamp(0, width - 1)
    return picture[:, rows][:, :, columns]


def photograph_data(name: str = "tuxpaint_stamps", edge: int = CANVAS, least: int = 1) -> PhotographData:
    """Load a set that one can train on.

    Args:
        name: "tuxpaint_stamps" (staged) or "flickr8k" (staged, or from the hub).
        edge: of the pictures, pixels.
        least: how often a word must occur in training captions to be in the vocabulary; others become "<unk>".

    Raises:
        RealDataError: as `load_photographs`.
    """
    splits = {split: load_photographs(name, split, edge) for split in SPLITS}
    vocabulary = Vocabulary.from_sentences(
        [words for photograph in splits["train"] for words in photograph.captions], minimum_count=least
    )
    return PhotographData(name, vocabulary, **splits, options={"canvas": edge}, credit=REAL_SOURCES[name].credit)
