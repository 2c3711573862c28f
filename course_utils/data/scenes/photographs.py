"""Real images with captions: stamps with names (to train on), photographs with boxes (to point at), Flickr8k.

All sets have the columns of the hub's `jxie/flickr8k`: `image`, and `caption` or `caption_0`, `caption_1`, …; one that
also has `objects` (category, and bbox as shares of the image) comes with gold boxes.
"""

import hashlib
import re
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from course_utils.data.images import read_image
from course_utils.data.real import is_staged, load_real, real_source
from course_utils.data.real_sets import SPLITS
from course_utils.data.scenes.captions import Caption
from course_utils.data.scenes.data import CaptionedImage, SceneData
from course_utils.data.scenes.scenes import CANVAS, Box
from course_utils.data.text import Vocabulary, tokenize_sentence

PEOPLE = {
    "person", "people", "man", "men", "woman", "women", "boy", "boys", "girl", "girls", "child", "children",
    "lady", "ladies", "guy", "guys", "kid", "kids", "player",
}  # fmt: skip
LARGEST_SHIFT = 6  # pixels by which a training image is moved at most, each way
TRAINABLE = ("tuxpaint_stamps", "flickr8k", "flickr8k_1000")  # sets large enough to train on


@dataclass(frozen=True, eq=False)
class Photograph(CaptionedImage):
    """A real image with what people said about it; what is not square is squeezed, so that nothing is cut off."""

    objects: dict[str, tuple[Box, ...]]  # category → gold boxes in pixels, crowds left out; empty where there are none
    credit: str  # licence and address of the image where the set gives them, else the set's credit

    def boxes(self, caption: int = 0) -> dict[int, tuple[Box, ...]]:
        """Gold boxes in pixels for the words of a caption that name a category, by word index.

        "person" is named by any of `PEOPLE`, another category by its last word ("table" for "dining table"), also with
        "s" or "es". The boxes are those of all objects of the category: nobody noted which of them the word means.
        """
        named = {}
        for category, boxes in self.objects.items():
            last = category.split()[-1]
            named |= dict.fromkeys(PEOPLE if category == "person" else (last, f"{last}s", f"{last}es"), boxes)
        return {index: named[word] for index, word in enumerate(self.words(caption)) if word in named}


def load_photographs(name: str, split: str = "train", edge: int = CANVAS) -> list[Photograph]:
    """Load one split of a set of captioned images.

    A set with nothing but `train` and `test` has its validation made of a tenth of `train`, by a hash of the image.

    Args:
        name: one of `TRAINABLE`, or "coco_tiny_captions".
        split: "train", "validation" or "test", as far as the set has it.
        edge: of the images that are returned, pixels.

    Returns:
        Images in the order of the file; those without a caption are left out.

    Raises:
        RealDataError: as `real.load_real`; `DataFormatError` also if a row has no image that can be read.
    """
    source = real_source(name)
    divided = split != "test" and "validation" not in source.splits
    rows = load_real(name, "train" if divided else split)
    columns = sorted(column for column in rows.column_names if re.fullmatch(r"caption(_\d+)?", column))
    photographs = []
    for number, row in enumerate(rows):
        content = (row["image"] or {}).get("bytes") or b""
        tenth = int.from_bytes(hashlib.sha256(content).digest()[:8], "big") % 10 == 0
        if divided and tenth != (split == "validation"):
            continue
        texts = [row[column] for column in columns if (row[column] or "").strip()]
        if captions := [Caption(tuple(tokenize_sentence(text, "en"))) for text in texts]:
            image = read_image(content, edge, f"{name}, {split}, row {number}")
            own = row.get("license") and row.get("flickr_url")
            credit = f"{row['license']}, {row['flickr_url']}" if own else source.credit
            photographs.append(Photograph(image, tuple(captions), _objects(row, edge), credit))
    return photographs


def _objects(row: dict, edge: int) -> dict[str, tuple[Box, ...]]:
    """Gold boxes in whole pixels, at least one pixel wide and high."""
    boxes: dict[str, tuple[Box, ...]] = {}
    for thing in row.get("objects") or ():
        if not thing.get("iscrowd"):
            x, y, width, height = (share * edge for share in thing["bbox"])
            left, top = min(int(x), edge - 1), min(int(y), edge - 1)
            right, bottom = min(edge, max(left + 1, round(x + width))), min(edge, max(top + 1, round(y + height)))
            boxes[thing["category"]] = (*boxes.get(thing["category"], ()), (left, top, right, bottom))
    return boxes


class PhotographData(SceneData):
    """Captioned images to train on, in the shape of scenes; every epoch moves them anew."""

    stream, sorted_together = "photographs", 4000

    def varied(self, images: Tensor, random: Random) -> Tensor:
        """The images moved by a few pixels, each its own way; borders fill what comes into sight. None is mirrored: a
        mirrored letter is another one."""
        height, width = (torch.arange(size) for size in images.shape[-2:])
        moved = []
        for image in images:
            across, down = (int(random.random() * (2 * LARGEST_SHIFT + 1)) - LARGEST_SHIFT for _ in range(2))
            rows, columns = (height - down).clamp(0, len(height) - 1), (width - across).clamp(0, len(width) - 1)
            moved.append(image[:, rows][:, :, columns])
        return torch.stack(moved)


def photograph_data(name: str | None = None, edge: int = CANVAS, least: int = 1) -> PhotographData:
    """Load a set that one can train on.

    Args:
        name: one of `TRAINABLE`; None = the first that is staged, else Flickr8k from the hub.
        edge: see `load_photographs`, also for errors.
        least: how often a word must occur in training captions to be in the vocabulary; others become "<unk>".
    """
    name = name or next(filter(is_staged, TRAINABLE), "flickr8k")
    train, validation, test = (load_photographs(name, split, edge) for split in SPLITS)
    words = [caption.words for photograph in train for caption in photograph.captions]
    vocabulary = Vocabulary.from_sentences(words, minimum_count=least)
    return PhotographData(name, vocabulary, train, validation, {"test": test}, real_source(name).credit)


def photographs_to_test() -> list[Photograph]:
    """Photographs to test a model of scenes on: COCO's with boxes if they are staged, else those of Flickr8k."""
    name = next(filter(is_staged, ("coco_tiny_captions", "flickr8k", "flickr8k_1000")), "flickr8k")
    return load_photographs(name, "validation" if name == "coco_tiny_captions" else "test")
