"""Scenes: two to four groups of objects in different places of a picture, the default data of the lesson on captions.

A scene is drawn at random but repeatably: what is in it (kinds, numbers, sizes, colours, places) and how that looks
(boxes, tilts, background). Pictures are drawn by :mod:`course_utils.datasets.scene_pictures`, captions are written by
:mod:`course_utils.datasets.scene_captions` and judged by :mod:`course_utils.datasets.scene_reading`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from course_utils.datasets.scene_kinds import BLOCKS, COLOURS, KINDS, block_of
from course_utils.datasets.scene_layouts import LARGEST_COUNT, LAYOUTS, region, spread
from course_utils.datasets.scene_sprites import TILTS, sprite_size
from course_utils.datasets.scene_words import SIZES

SPLITS = ("train", "validation", "test", "unseen pairs")
CANVAS = 64
"""Edge of a picture in pixels, unless another is asked for."""
SMALLEST_CANVAS = 32
MOST_SCENES = 50_000
"""Most scenes of one call; even the smallest split has twice as many, so that drawing them does not take forever."""

LENGTHS = {"small": (0.172, 0.185), "big": (0.255, 0.27, 0.285)}
"""Longest side of an object of each size, as shares of the picture's edge."""

BACKGROUNDS = ("plain", "gradient", "stripes", "checks", "dots", "waves")

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are the first column and row outside."""


@dataclass(frozen=True)
class SceneObject:
    """One object as it is drawn.

    Attributes:
        box: the pixels it may touch.
        tilt: degrees, counter-clockwise.
        mirrored: whether left and right are exchanged.
    """

    box: Box
    tilt: int
    mirrored: bool


@dataclass(frozen=True)
class Group:
    """Like objects that stand together.

    Attributes:
        kind: a key of `KINDS`; no two groups of a scene have the same.
        count: 1 to 3.
        size: "small" or "big".
        colour: a key of `COLOURS` for a painted kind, None for the others.
        place: one of the nine places of `scene_layouts.PLACES`.
        objects: how each is drawn, from back to front; empty where only the facts are needed.
    """

    kind: str
    count: int
    size: str
    colour: str | None
    place: str
    objects: tuple[SceneObject, ...] = ()

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The box of each object."""
        return tuple(thing.box for thing in self.objects)


@dataclass(frozen=True)
class Background:
    """What lies behind the objects.

    Attributes:
        pattern: one of `BACKGROUNDS`.
        colours: two colours, red, green and blue from 0 to 255.
        seed: decides the pattern's phase, the clutter of faint shapes, and the noise.
    """

    pattern: str
    colours: tuple[tuple[int, int, int], tuple[int, int, int]]
    seed: int


@dataclass(frozen=True)
class Scene:
    """Groups of objects on a background.

    Attributes:
        groups: two to four, of different kinds and in different places.
        background: see `Background`.
        canvas: edge of the square picture in pixels.
    """

    groups: tuple[Group, ...]
    background: Background
    canvas: int = CANVAS

    @property
    def key(self) -> str:
        """What is in the scene, as one line; equal for scenes that have the same true captions."""
        return scene_key(self.groups)

    @property
    def places(self) -> tuple[str, ...]:
        """The place of each group."""
        return tuple(group.place for group in self.groups)


def scene_key(groups: Sequence[Group]) -> str:
    """Write the facts of a scene as one line, in an order that does not depend on that of the groups."""
    facts = sorted(f"{g.kind}:{g.count}:{g.size}:{g.colour or 'own'}:{g.place}" for g in groups)
    return " | ".join(facts)


def split_of(groups: Sequence[Group]) -> str:
    """The split that a scene belongs to, whatever seed made it.

    Returns:
        "unseen pairs" if all kinds are of one block, so that no two of them ever met in another split; otherwise, by
        a hash of `scene_key`, "train" for about 80 % of scenes, "validation" and "test" for 10 % each.

    Raises:
        ValueError: if some kinds share a block and others do not: no split has such scenes.
    """
    blocks = {block_of(group.kind) for group in groups}
    if len(blocks) == 1:
        return "unseen pairs"
    if len(blocks) < len(groups):
        kinds = [group.kind for group in groups]
        raise ValueError(f"{kinds} mixes seen and unseen pairs; expected all of one block or all of different ones.")
    digest = hashlib.blake2b(scene_key(groups).encode(), digest_size=8).digest()
    return SPLITS[max(0, int.from_bytes(digest, "big") % 10 - 7)]


def _choose(random: Random, options: Sequence):
    return options[int(random.random() * len(options))]


def _take(random: Random, options: Sequence, count: int) -> list:
    left = list(options)
    return [left.pop(int(random.random() * len(left))) for _ in range(count)]


_BLOCKS = tuple(tuple(kind for kind in KINDS if block_of(kind) == block) for block in range(BLOCKS))


def draw_facts(random: Random, count: int, *, unseen: bool = False) -> tuple[Group, ...]:
    """Draw groups without objects: what is in a scene, but not how it looks.

    Args:
        random: source of chance.
        count: number of groups, 2 to 4.
        unseen: take all kinds from one block, so that no two of them meet in training.
    """
    if unseen:
        kinds = _take(random, _choose(random, _BLOCKS), count)
    else:
        kinds = [_choose(random, block) for block in _take(random, _BLOCKS, count)]
    places = _take(random, _choose(random, LAYOUTS[count]), count)
    return tuple(
        Group(
            kind,
            1 + int(random.random() * LARGEST_COUNT),
            _choose(random, SIZES),
            _choose(random, tuple(COLOURS)) if KINDS[kind].painted else None,
            place,
        )
        for kind, place in zip(kinds, places, strict=True)
    )


def _draw_objects(random: Random, group: Group, layout: tuple[str, ...], canvas: int) -> tuple[SceneObject, ...]:
    length = max(LENGTHS[group.size])
    objects = []
    for x, y in spread(random, region(group.place, layout), group.count, length):
        longest = round(_choose(random, LENGTHS[group.size]) * canvas)
        tilt, mirrored = _choose(random, TILTS), random.random() < 0.5
        width, height = sprite_size(group.kind, longest, tilt)
        left = min(max(0, round(x * canvas - width / 2)), canvas - width)
        top = min(max(0, round(y * canvas - height / 2)), canvas - height)
        objects.append(SceneObject((left, top, left + width, top + height), tilt, mirrored))
    return tuple(objects)


def draw_scene(random: Random, groups: Sequence[Group], canvas: int = CANVAS) -> Scene:
    """Give groups objects with boxes, and a background.

    Objects overlap a little: the regions and steps of `scene_layouts` leave more than half of every box free.

    Args:
        random: source of chance.
        groups: as `draw_facts` makes them.
        canvas: edge of the picture in pixels.
    """
    layout = tuple(group.place for group in groups)
    placed = tuple(replace(group, objects=_draw_objects(random, group, layout, canvas)) for group in groups)
    first = [150 + int(random.random() * 96) for _ in range(3)]
    second = [min(250, max(130, level + int(random.random() * 90) - 45)) for level in first]
    background = Background(_choose(random, BACKGROUNDS), (tuple(first), tuple(second)), int(random.random() * 2**32))
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
        canvas: edge of the pictures in pixels, from 32.

    Raises:
        ValueError: if an argument is out of range.
    """
    _check_arguments(count, split, groups, canvas)
    random = Random(f"scenes {split} {seed} {groups[0]} {groups[1]}")
    seen: set[str] = set()
    scenes: list[Scene] = []
    while len(scenes) < count:
        number = groups[0] + int(random.random() * (groups[1] - groups[0] + 1))
        facts = draw_facts(random, number, unseen=split == "unseen pairs")
        key = scene_key(facts)
        if key in seen or split_of(facts) != split:
            continue
        seen.add(key)
        scenes.append(draw_scene(Random(f"look {split} {seed} {len(scenes)}"), facts, canvas))
    return scenes


def _check_arguments(count: int, split: str, groups: tuple[int, int], canvas: int) -> None:
    if not isinstance(count, int) or not 1 <= count <= MOST_SCENES:
        raise ValueError(
            f"count={count!r}: expected a whole number from 1 to {MOST_SCENES}; use another seed for more."
        )
    if split not in SPLITS:
        raise ValueError(f"split={split!r}: expected one of {SPLITS}; choose one of them.")
    if len(groups) != 2 or not all(number in LAYOUTS for number in groups) or groups[0] > groups[1]:
        raise ValueError(f"groups={groups!r}: expected (fewest, most) within 2 and 4; change them.")
    if not isinstance(canvas, int) or canvas < SMALLEST_CANVAS:
        raise ValueError(f"canvas={canvas!r}: expected a whole number of pixels from {SMALLEST_CANVAS}; raise it.")
