"""Real images with captions: stamps with names (to train on), photographs with boxes (to point at), Flickr8k.

data = photograph_data("tuxpaint_stamps")           # same shape as scene_data: fit it like scenes
photographs = load_photographs("coco_tiny_captions", "validation")
photographs[0].boxes(caption=2)                     # {1: ((4, 10, 14, 52), ...)}, by word index

All sets have the columns of the hub's `jxie/flickr8k`: `image`, and `caption` or `caption_0`, `caption_1`, …; one that
also has `objects` (category, and bbox as shares of the image) comes with gold boxes.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from course_utils.data.images import read_image
from course_utils.data.real import REAL_SOURCES, SPLITS, DataFormatError, load_real
from course_utils.data.scenes.data import SceneData, SceneSplit
from course_utils.data.scenes.scenes import CANVAS, Box
from course_utils.data.text import Vocabulary, tokenize_sentence

PEOPLE = {
    "person", "people", "man", "men", "woman", "women", "boy", "boys", "girl", "girls", "child", "children",
    "lady", "ladies", "guy", "guys", "kid", "kids", "player",
}  # fmt: skip
"""Words for persons in captions."""
LARGEST_SHIFT = 6
"""Pixels by which a training image is moved at most, each way."""


@dataclass(frozen=True, eq=False)
class Photograph:
    """A real image with what people said about it."""

    picture: Tensor  # (3, edge, edge) uint8; what is not square is squeezed, so that nothing is cut off
    captions: tuple[tuple[str, ...], ...]  # one or more, tokenised, in lower case
    objects: dict[str, tuple[Box, ...]]  # category → gold boxes in pixels, crowds left out; empty where there are none
    credit: str  # licence and address of the image where the set gives them, else the set's credit

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
                last = category.split()[-1]
                if word in (PEOPLE if category == "person" else (last, f"{last}s", f"{last}es")):
                    found[index] = boxes
        return found


def load_photographs(name: str, split: str = "train", edge: int = CANVAS) -> list[Photograph]:
    """Load one split of a set of captioned images.

    A set with nothing but `train` and `test` has its validation made of a tenth of `train`, by a hash of the image.

    Args:
        name: "tuxpaint_stamps", "coco_tiny_captions" or "flickr8k".
        split: "train", "validation" or "test", as far as the set has it.
        edge: of the images that are returned, pixels.

    Returns:
        Images in the order of the file; those without a caption are left out.

    Raises:
        RealDataError: as `real.load_real`; `DataFormatError` also if a row has no image that can be read.
    """
    source = REAL_SOURCES.get(name)
    divided = source is not None and "train" in source.splits and "validation" not in source.splits
    rows = load_real(name, "train" if divided and split == "validation" else split)
    columns = sorted(column for column in rows.column_names if re.fullmatch(r"caption(_\d+)?", column))
    if not columns:
        raise DataFormatError(
            f"{name} has the columns {rows.column_names}; expected image and caption, or image and caption_0 to "
            "caption_4. It is another data set or another version of it."
        )
    photographs = []
    for number, row in enumerate(rows):
        content = (row["image"] or {}).get("bytes") if isinstance(row["image"], dict) else None
        if divided and split in ("train", "validation") and (_in_validation(content) != (split == "validation")):
            continue
        captions = [tuple(tokenize_sentence(row[column], "en")) for column in columns if (row[column] or "").strip()]
        if captions:
            image = read_image(content, edge, f"{name}, {split}, row {number}")
            credit = source.credit if source is not None else ""
            if row.get("license") and row.get("flickr_url"):
                credit = f"{row['license']}, {row['flickr_url']}"
            photographs.append(Photograph(image, tuple(captions), _objects(row, edge), credit))
    return photographs


def _in_validation(content: bytes | None) -> bool:
    return int.from_bytes(hashlib.sha256(content or b"").digest()[:8], "big") % 10 == 0


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


class PhotographData(SceneData):
    """Captioned images to train on, in the shape of scenes; every epoch moves them anew."""

    stream, sorted_together = "photographs", 4000

    def varied(self, images: Tensor, random: Random) -> Tensor:
        """The images moved, each its own way."""
        return torch.stack([_moved(image, random) for image in images])

    def fresh_batches(self, batch_size: int, seed: int, count: int | None = None) -> Callable:
        """The same as `batches`: real images cannot be drawn anew."""
        return self.batches(batch_size, seed)


def _moved(image: Tensor, random: Random) -> Tensor:
    """The image moved by a few pixels; its border fills what comes into sight. (A mirrored letter is another one.)"""
    across, down = (int(random.random() * (2 * LARGEST_SHIFT + 1)) - LARGEST_SHIFT for _ in range(2))
    height, width = image.shape[-2:]
    rows = (torch.arange(height) - down).clamp(0, height - 1)
    columns = (torch.arange(width) - across).clamp(0, width - 1)
    return image[:, rows][:, :, columns]


def photograph_data(name: str = "tuxpaint_stamps", edge: int = CANVAS, least: int = 1) -> PhotographData:
    """Load a set that one can train on, "tuxpaint_stamps" (staged) or "flickr8k" (staged, or from the hub).

    Args:
        name, edge: see `load_photographs`.
        least: how often a word must occur in training captions to be in the vocabulary; others become "<unk>".

    Raises:
        RealDataError: as `load_photographs`.
    """
    splits = {split: load_photographs(name, split, edge) for split in SPLITS}
    vocabulary = Vocabulary.from_sentences([c for p in splits["train"] for c in p.captions], minimum_count=least)

    def learn(some: list[Photograph]) -> SceneSplit:
        encoded = [[vocabulary.encode(words) for words in photograph.captions] for photograph in some]
        images = [photograph.picture for photograph in some]
        return SceneSplit(some, torch.stack(images) if images else torch.empty(0, 3, edge, edge), encoded)

    train, validation = learn(splits["train"]), learn(splits["validation"])
    test, credit = {"test": splits["test"]}, REAL_SOURCES[name].credit
    return PhotographData(name, vocabulary, train, validation, test, {"canvas": edge}, credit)
