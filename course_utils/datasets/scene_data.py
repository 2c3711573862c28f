"""Scenes, pictures and captions in the shape that captioning models train on.

data = scene_data()                                    # pictures from the cache, or drawn in some seconds
for batch in data.batches(64, seed=0)(epoch=0): ...    # pictures and one caption for each
data.test["unseen pairs"][0].captions[0].boxes(...)    # gold boxes of the words that name objects
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.datasets.scene_cache import scenes_and_pictures
from course_utils.datasets.scene_captions import Caption, caption_words, make_captions
from course_utils.datasets.scene_kinds import COLOURS, KINDS
from course_utils.datasets.scene_pictures import draw_pictures
from course_utils.datasets.scene_reading import caption_problems
from course_utils.datasets.scene_sprites import CREDIT
from course_utils.datasets.scenes import CANVAS, Box, Group, Scene, draw_scene
from course_utils.datasets.text import Vocabulary, batches_by_length


class SceneBatch(NamedTuple):
    """A batch of pictures with one caption each.

    Attributes:
        pictures: `(batch, 3, height, width)` uint8.
        target_input: `(batch, target_length)` ids, begin symbol first: what the decoder reads.
        target_output: `(batch, target_length)` ids, end symbol last: what it should say.
        target_mask: `(batch, target_length)`, True = real token, the end symbol included.
    """

    pictures: Tensor
    target_input: Tensor
    target_output: Tensor
    target_mask: Tensor

    def to(self, device: torch.device | str) -> "SceneBatch":
        """Move every tensor to a device."""
        return SceneBatch(*(tensor.to(device) for tensor in self))


@dataclass(frozen=True, eq=False)
class SceneExample:
    """A picture to be tested on.

    Attributes:
        scene: what it shows.
        picture: `(3, height, width)` uint8.
        captions: reference set of five.
    """

    scene: Scene
    picture: Tensor
    captions: tuple[Caption, ...]

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
    """Draw big objects of one kind on the left and a small one of another kind on the right.

    Args:
        left, right: two keys of `KINDS`; what can be painted has the first colour.
        count: how many on the left, 1 to 3.
        seed: decides places and background.

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
    return SceneExample(scene, torch.as_tensor(draw_pictures([scene])[0]), tuple(make_captions(scene)))


@dataclass
class SceneSplit:
    """Scenes to learn from.

    Attributes:
        scenes: what the pictures show.
        pictures: `(count, 3, height, width)` uint8.
        captions: encoded captions of each scene, without begin and end symbols.
    """

    scenes: list[Scene]
    pictures: Tensor
    captions: list[list[list[int]]]


@dataclass
class SceneData:
    """What the captioning experiments need.

    Attributes:
        name: "default".
        vocabulary: all words of captions, in alphabetical order, so the ids do not depend on the number of scenes.
        train, validation: see `SceneSplit`.
        test: examples by split: "test" (pairs of kinds that met in training) and "unseen pairs" (that never did).
        options: how the scenes were made, for `fresh_batches`.
        credit: the line to print wherever pictures are shown.
    """

    name: str
    vocabulary: Vocabulary
    train: SceneSplit
    validation: SceneSplit
    test: dict[str, list[SceneExample]]
    options: dict = field(default_factory=dict)
    credit: str = CREDIT

    @property
    def examples(self) -> list[SceneExample]:
        """All test examples, seen pairs first."""
        return [example for examples in self.test.values() for example in examples]

    def batches(self, batch_size: int, seed: int) -> Callable[[int], Iterator[SceneBatch]]:
        """Make the function that gives `training.train` the batches of each epoch: each scene with one caption.

        Args:
            batch_size: most pictures in a batch; captions of a batch have similar lengths.
            seed: decides captions and order of every epoch.
        """

        def epoch_batches(epoch: int) -> Iterator[SceneBatch]:
            random = Random(f"epoch {seed} {epoch}")
            chosen = [captions[int(random.random() * len(captions))] for captions in self.train.captions]
            yield from _batches(self.train.pictures, chosen, batch_size, 1000 * seed + epoch)

        return epoch_batches

    def fresh_batches(self, batch_size: int, seed: int, count: int = 2000) -> Callable[[int], Iterator[SceneBatch]]:
        """Like `batches`, but every epoch has new training scenes, drawn as it begins and not kept.

        Args:
            batch_size, seed: see `batches`.
            count: scenes of an epoch.
        """

        def epoch_batches(epoch: int) -> Iterator[SceneBatch]:
            scenes, pictures = scenes_and_pictures(
                count, split="train", seed=1_000_000 * (seed + 1) + epoch, cached=False, **self.options
            )
            captions = [self.vocabulary.encode(make_captions(scene, 1)[0].words, strict=True) for scene in scenes]
            yield from _batches(pictures, captions, batch_size, 1000 * seed + epoch)

        return epoch_batches

    def validation_batches(self, batch_size: int) -> Iterator[SceneBatch]:
        """The validation pictures, each with its first caption; the same in every call."""
        first = [captions[0] for captions in self.validation.captions]
        return _batches(self.validation.pictures, first, batch_size, 0)


def _batches(pictures: Tensor, captions: list[list[int]], batch_size: int, seed: int) -> Iterator[SceneBatch]:
    """Shuffled batches; the number of the picture stands where a translation has its source.

    They are not sorted by length, as sentences are. Long captions belong to scenes of many groups, and an encoder with
    batch normalisation would see in the statistics of such a batch how many there are: something that a single
    picture, later, does not tell it.
    """
    pairs = [([number], caption) for number, caption in enumerate(captions)]
    for batch in batches_by_length(pairs, batch_size, seed=seed, window=batch_size):
        yield SceneBatch(pictures[batch.source[:, 0]], batch.target_input, batch.target_output, batch.target_mask)


def scene_data(
    train_count: int = 10_000,
    test_count: int = 500,
    *,
    seed: int = 0,
    groups: tuple[int, int] = (2, 4),
    canvas: int = CANVAS,
    cached: bool = True,
) -> SceneData:
    """Make scenes with pictures, captions and gold boxes; the same ones in every call.

    Args:
        train_count: training scenes.
        test_count: scenes for validation and for each of the two tests.
        seed: any whole number.
        groups: fewest and most groups in a scene, within 2 and 4.
        canvas: edge of the pictures in pixels, from 32.
        cached: keep the pictures in `scene_cache.cache_folder()`.

    Raises:
        ValueError: if an argument is out of range.
    """
    vocabulary = Vocabulary(caption_words())
    options = {"groups": groups, "canvas": canvas}

    def learn(split: str, count: int) -> SceneSplit:
        scenes, pictures = scenes_and_pictures(count, split=split, seed=seed, cached=cached, **options)
        encoded = [[vocabulary.encode(c.words, strict=True) for c in make_captions(scene)] for scene in scenes]
        return SceneSplit(scenes, pictures, encoded)

    def examine(split: str) -> list[SceneExample]:
        scenes, pictures = scenes_and_pictures(test_count, split=split, seed=seed, cached=cached, **options)
        return [
            SceneExample(scene, picture, tuple(make_captions(scene)))
            for scene, picture in zip(scenes, pictures, strict=True)
        ]

    return SceneData(
        name="default",
        vocabulary=vocabulary,
        train=learn("train", train_count),
        validation=learn("validation", test_count),
        test={split: examine(split) for split in ("test", "unseen pairs")},
        options=options,
    )
