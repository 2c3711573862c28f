"""Scenes: two to four groups of objects in different places of an image, the default data of the lesson on captions.

A scene is sampled repeatably: what is in it (kinds, numbers, sizes, colours, places) and how that looks (boxes, tilts,
background). Images are drawn by `drawing`, captions are written by `captions` and judged by `reading`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from course_utils.data.scenes.kinds import BLOCKS, block_of
from course_utils.data.scenes.layouts import LAYOUTS, region, spread
from course_utils.data.scenes.sprites import TILTS, sprite_size
from course_utils.data.words_of_things import COLOURS, KINDS, LARGEST_COUNT, SIZES

SPLITS = ("train", "validation", "test", "unseen pairs")
CANVAS = 64
"""Edge of an image in pixels, unless another is asked for."""
SMALLEST_CANVAS = 32
MOST_SCENES = 50_000
"""Most scenes of one call."""
_MOST_IN_VAIN = 5000  # facts sampled in a row without a new scene: the split is nearly used up

LENGTHS = {"small": (0.172, 0.185), "big": (0.255, 0.27, 0.285)}
"""Longest side of an object of each size, as shares of the image's edge."""
BACKGROUNDS = ("plain", "gradient", "stripes", "checks", "dots", "waves")

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are the first column and row outside."""


@dataclass(frozen=True)
class SceneObject:
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


@dataclass(frozen=True)
class Background:
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
    """Write the facts of a scene as one line, in an order that does not depend on that of the groups."""
    facts = sorted(f"{g.kind}:{g.count}:{g.size}:{g.colour or 'own'}:{g.place}" for g in groups)
    return " | ".join(facts)


def split_of(groups: Sequence[Group], pairs: str = "many") -> str:
    """The split that a scene belongs to, whatever seed made it; `pairs` is a key of `BLOCKS`.

    Returns:
        "unseen pairs" if no two of its kinds ever meet in another split; otherwise, by a hash of `scene_key`, "train"
        for about 80 % of scenes, "validation" and "test" for 10 % each.

    Raises:
        ValueError: if some kinds share a block and others do not: no split has such scenes.
    """
    blocks = {block_of(group.kind, pairs) for group in groups}
    if len(blocks) not in (1, len(groups)):
        kinds = [group.kind for group in groups]
        raise ValueError(f"{kinds} mixes seen and unseen pairs; expected all of one block or all of different ones.")
    if (len(blocks) == 1) == (pairs == "many"):
        return "unseen pairs"
    digest = hashlib.blake2b(scene_key(groups).encode(), digest_size=8).digest()
    return SPLITS[max(0, int.from_bytes(digest, "big") % 10 - 7)]


def _choose(random: Random, options: Sequence):
    return options[int(random.random() * len(options))]


def _take(random: Random, options: Sequence, count: int) -> list:
    left = list(options)
    return [left.pop(int(random.random() * len(left))) for _ in range(count)]


_KINDS_OF_BLOCKS = {
    pairs: [[kind for kind in KINDS if block_of(kind, pairs) == block] for block in range(number)]
    for pairs, number in BLOCKS.items()
}


def draw_facts(random: Random, count: int, *, unseen: bool = False, pairs: str = "many") -> tuple[Group, ...]:
    """Sample 2 to 4 groups without objects: what is in a scene, but not how it looks.

    With `unseen`, no two of their kinds meet in training; `pairs` is a key of `BLOCKS`.
    """
    blocks = _KINDS_OF_BLOCKS[pairs]
    if unseen == (pairs == "many"):
        kinds = _take(random, _choose(random, blocks), count)
    else:
        kinds = [_choose(random, block) for block in _take(random, blocks, count)]
    places = _take(random, _choose(random, LAYOUTS[count]), count)

    groups = []
    for kind, place in zip(kinds, places, strict=True):
        number, size = 1 + int(random.random() * LARGEST_COUNT), _choose(random, SIZES)
        colour = _choose(random, tuple(COLOURS)) if KINDS[kind].painted else None
        groups.append(Group(kind, number, size, colour, place))
    return tuple(groups)


def _draw_objects(random: Random, group: Group, layout: tuple[str, ...], canvas: int) -> tuple[SceneObject, ...]:
    objects = []
    for x, y in spread(random, region(group.place, layout), group.count, max(LENGTHS[group.size])):
        longest = round(_choose(random, LENGTHS[group.size]) * canvas)
        tilt, mirrored = _choose(random, TILTS), random.random() < 0.5
        width, height = sprite_size(group.kind, longest, tilt)
        left = min(max(0, round(x * canvas - width / 2)), canvas - width)
        top = min(max(0, round(y * canvas - height / 2)), canvas - height)
        objects.append(SceneObject((left, top, left + width, top + height), tilt, mirrored))
    return tuple(objects)


def draw_scene(random: Random, groups: Sequence[Group], canvas: int = CANVAS) -> Scene:
    """Give groups, as `draw_facts` makes them, objects with boxes, and a background.

    Objects overlap a little: the regions and steps of `layouts` leave more than half of every box free.
    """
    layout = tuple(group.place for group in groups)
    placed = tuple(replace(group, objects=_draw_objects(random, group, layout, canvas)) for group in groups)
    first = [150 + int(random.random() * 96) for _ in range(3)]
    second = [min(250, max(130, level + int(random.random() * 90) - 45)) for level in first]
    background = Background(_choose(random, BACKGROUNDS), (tuple(first), tuple(second)), int(random.random() * 2**32))
    return Scene(placed, background, canvas)


def make_scenes(
    count: int,
    *,
    split: str = "train",
    seed: int = 0,
    groups: tuple[int, int] = (2, 4),
    canvas: int = CANVAS,
    pairs: str = "many",
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
        pairs: "many": each kind meets 42 others in training, and 5 in the test of unseen pairs; "few": it meets 3 in
            training, and 44 in that test, so that nothing but combining what was learned apart can pass it.

    Raises:
        ValueError: if an argument is out of range, or there are not so many different scenes.
    """
    for name, value, right, expected in (
        ("count", count, isinstance(count, int) and 1 <= count <= MOST_SCENES,
         f"a whole number from 1 to {MOST_SCENES}; use another seed for more"),
        ("split", split, split in SPLITS, f"one of {SPLITS}; choose one of them"),
        ("groups", groups, len(groups) == 2 and set(groups) <= set(LAYOUTS) and groups[0] <= groups[1],
         "(fewest, most) within 2 and 4; change them"),
        ("canvas", canvas, isinstance(canvas, int) and canvas >= SMALLEST_CANVAS,
         f"a whole number of pixels from {SMALLEST_CANVAS}; raise it"),
        ("pairs", pairs, pairs in BLOCKS, f"one of {tuple(BLOCKS)}; choose one of them"),
    ):  # fmt: skip
        if not right:
            raise ValueError(f"{name}={value!r}: expected {expected}.")
    stream = split if pairs == "many" else f"{pairs} {split}"
    random = Random(f"scenes {stream} {seed} {groups[0]} {groups[1]}")
    seen: set[str] = set()
    scenes: list[Scene] = []
    in_vain = 0
    while len(scenes) < count:
        number = groups[0] + int(random.random() * (groups[1] - groups[0] + 1))
        facts = draw_facts(random, number, unseen=split == "unseen pairs", pairs=pairs)
        key = scene_key(facts)
        if key not in seen and split_of(facts, pairs) == split:
            seen.add(key)
            scenes.append(draw_scene(Random(f"look {stream} {seed} {len(scenes)}"), facts, canvas))
            in_vain = 0
        elif (in_vain := in_vain + 1) > _MOST_IN_VAIN:
            raise ValueError(
                f"count={count}: {split!r} with groups={groups} and pairs={pairs!r} has hardly more than {len(scenes)} "
                "different scenes; ask for fewer."
            )
    return scenes
