"""Scenes: two to four groups of objects in different places of an image, the default data of the lesson on captions."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from course_utils.data.scenes.layouts import region, spread
from course_utils.data.scenes.sprites import TILTS, sprite_size
from course_utils.data.words_of_things import KINDS, LAYOUTS, pick, sample_groups, take

SPLITS = ("train", "validation", "test", "unseen pairs")
CANVAS = 64
"""Edge of an image in pixels, unless another is asked for."""
_MOST_IN_VAIN = 5000  # facts sampled in a row without a new scene: the split is nearly used up

BLOCKS = [list(KINDS)[block::8] for block in range(8)]
"""Kinds of different blocks meet in training, each with 42 others; those of one block only in "unseen pairs"."""

LENGTHS = {"small": (0.172, 0.185), "big": (0.255, 0.27, 0.285)}
"""Longest side of an object of each size, as shares of the image's edge."""
BACKGROUNDS = ("plain", "gradient", "stripes", "checks", "dots", "waves")

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are the first column and row outside."""


class SceneObject(NamedTuple):
    """One object as it is drawn."""

    box: Box  # the pixels it may touch
    tilt: int  # degrees, counter-clockwise
    mirrored: bool  # whether left and right are exchanged


@dataclass(frozen=True)
class Group:
    """Like objects that stand together."""

    kind: str  # a key of `KINDS`; no two groups of a scene have the same
    count: int  # 1 to 3
    size: str  # "small" or "big"
    colour: str | None  # a key of `COLOURS` for a painted kind, None for the others
    place: str  # one of the nine places of `layouts.PLACES`
    objects: tuple[SceneObject, ...] = ()  # from back to front; empty where only the facts are needed

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The box of each object."""
        return tuple(thing.box for thing in self.objects)


class Background(NamedTuple):
    """What lies behind the objects."""

    pattern: str  # one of `BACKGROUNDS`
    colours: tuple[tuple[int, int, int], tuple[int, int, int]]  # two colours, red, green and blue from 0 to 255
    seed: int  # decides the pattern's phase, the clutter of faint shapes, and the noise


@dataclass(frozen=True)
class Scene:
    """Groups of objects on a background."""

    groups: tuple[Group, ...]  # two to four, of different kinds and in different places
    background: Background
    canvas: int = CANVAS  # edge of the square image in pixels

    @property
    def key(self) -> str:
        """What is in the scene, as one line; equal for scenes that have the same true captions."""
        return scene_key(self.groups)

    @property
    def places(self) -> tuple[str, ...]:
        """The place of each group."""
        return tuple(group.place for group in self.groups)


def scene_key(groups: Sequence[Group]) -> str:
    """Write the facts of a scene as one line, whatever the order of its groups."""
    return " | ".join(sorted(f"{g.kind}:{g.count}:{g.size}:{g.colour or 'own'}:{g.place}" for g in groups))


def split_of(groups: Sequence[Group]) -> str:
    """The split that a scene belongs to, whatever seed made it.

    It is "unseen pairs" if no two of its kinds ever meet in another split; otherwise, by a hash of `scene_key`, "train"
    for about 80 % of scenes, "validation" and "test" for 10 % each.

    Raises:
        ValueError: if some kinds share a block and others do not: no split has such scenes.
    """
    kinds = {group.kind for group in groups}
    blocks = sum(not kinds.isdisjoint(block) for block in BLOCKS)
    if blocks not in (1, len(groups)):
        raise ValueError(f"{kinds} mixes seen and unseen pairs; expected all of one block or all of different ones.")
    if blocks == 1:
        return "unseen pairs"
    digest = hashlib.blake2b(scene_key(groups).encode(), digest_size=8).digest()
    return SPLITS[max(0, int.from_bytes(digest, "big") % 10 - 7)]


def draw_facts(random: Random, count: int, *, unseen: bool = False) -> tuple[Group, ...]:
    """Sample 2 to 4 groups without objects, the facts of a scene; if `unseen`, none of their kinds meet in training."""
    if unseen:
        kinds = take(random, pick(random, BLOCKS), count)
    else:
        kinds = [pick(random, block) for block in take(random, BLOCKS, count)]
    return tuple(Group(*facts) for facts in sample_groups(random, kinds))


def _draw_objects(random: Random, group: Group, layout: tuple[str, ...], canvas: int) -> tuple[SceneObject, ...]:
    objects = []
    for x, y in spread(random, region(group.place, layout), group.count, max(LENGTHS[group.size])):
        longest = round(pick(random, LENGTHS[group.size]) * canvas)
        tilt, mirrored = pick(random, TILTS), random.random() < 0.5
        width, height = sprite_size(group.kind, longest, tilt)
        left = min(max(0, round(x * canvas - width / 2)), canvas - width)
        top = min(max(0, round(y * canvas - height / 2)), canvas - height)
        objects.append(SceneObject((left, top, left + width, top + height), tilt, mirrored))
    return tuple(objects)


def draw_scene(random: Random, groups: Sequence[Group], canvas: int = CANVAS) -> Scene:
    """Give groups objects with boxes, and a background. Of every box more than half stays free."""
    layout = tuple(group.place for group in groups)
    placed = tuple(replace(group, objects=_draw_objects(random, group, layout, canvas)) for group in groups)
    first = [150 + int(random.random() * 96) for _ in range(3)]
    second = [min(250, max(130, level + int(random.random() * 90) - 45)) for level in first]
    background = Background(pick(random, BACKGROUNDS), (tuple(first), tuple(second)), int(random.random() * 2**32))
    return Scene(placed, background, canvas)


def make_scenes(
    count: int, *, split: str = "train", seed: int = 0, groups: tuple[int, int] = (2, 4), canvas: int = CANVAS
) -> list[Scene]:
    """Make scenes with different facts.

    The same arguments give the same scenes, and a smaller `count` the beginning of the same list. Scenes of different
    splits never share their facts, for any seeds; and no two kinds of a scene of "unseen pairs" meet in another split.

    Args:
        count: how many scenes.
        split: one of `SPLITS`.
        seed: any whole number.
        groups: fewest and most groups in a scene, within 2 and 4; each number comes up equally often.
        canvas: edge of the images in pixels, from 32.

    Raises:
        ValueError: if an argument is out of range, or there are not so many different scenes.
    """
    for name, value, right, expected in (
        ("count", count, count >= 1, "at least 1"),
        ("split", split, split in SPLITS, f"one of {SPLITS}"),
        ("groups", groups, set(groups) <= set(LAYOUTS) and groups[0] <= groups[1], "(fewest, most) within 2 and 4"),
        ("canvas", canvas, canvas >= 32, "32 pixels or more"),
    ):
        if not right:
            raise ValueError(f"{name}={value!r}: expected {expected}.")
    random = Random(f"scenes {split} {seed} {groups[0]} {groups[1]}")
    scenes: dict[str, Scene] = {}
    while len(scenes) < count:
        for _ in range(_MOST_IN_VAIN):
            number = pick(random, range(groups[0], groups[1] + 1))
            facts = draw_facts(random, number, unseen=split == "unseen pairs")
            if (key := scene_key(facts)) not in scenes and split_of(facts) == split:
                break
        else:
            few = f"{split!r} has hardly more than {len(scenes)} different scenes"
            raise ValueError(f"count={count}: {few}; ask for fewer.")
        scenes[key] = draw_scene(Random(f"look {split} {seed} {len(scenes)}"), facts, canvas)
    return list(scenes.values())
