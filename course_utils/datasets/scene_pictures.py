"""Scenes drawn as pixels: background, faint clutter that has no name, noise, and the objects from back to front.

Patterns, clutter and noise are drawn once, in some variants, and then combined, turned and mirrored for each picture.
"""

from collections.abc import Sequence
from functools import cache
from random import Random

import numpy as np
import torch
from torch import Tensor

from course_utils.datasets.scene_sprites import sprite
from course_utils.datasets.scenes import Background, Scene

_VARIANTS = {"pattern": 24, "clutter": 96, "noise": 16}
_CLUTTER_AT_MOST = 5  # shapes in one picture


def _turned_axes(canvas: int, angle: float, x0: float = 0.0, y0: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Distances along and across a direction from a point, for every pixel, as shares of the edge."""
    line = (np.arange(canvas) + 0.5) / canvas
    x, y = line[None, :] - x0, line[:, None] - y0
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


@cache
def _patterns(pattern: str, canvas: int) -> np.ndarray:
    """How much of the second colour each pixel has, 0 to 1, `(variants, canvas, canvas)`."""
    random = Random(f"pattern {pattern} {canvas}")
    mixes = []
    for _ in range(_VARIANTS["pattern"]):
        along, across = _turned_axes(canvas, random.random() * np.pi)
        phase, pieces = random.random(), 2 + int(random.random() * 5)
        odd = (along * pieces + phase) % 1 - 0.5, (across * pieces + phase) % 1 - 0.5
        if pattern == "plain":
            mix = np.zeros((canvas, canvas))
        elif pattern == "gradient":
            mix = np.clip(0.5 + along / 2, 0, 1)
        elif pattern == "stripes":
            mix = odd[0] < 0
        elif pattern == "checks":
            mix = (odd[0] < 0) ^ (odd[1] < 0)
        elif pattern == "dots":
            mix = np.hypot(*odd) < 0.3
        else:
            mix = 0.5 + 0.5 * np.sin(2 * np.pi * (along * pieces + phase + 0.2 * np.sin(9 * across)))
        mixes.append(mix.astype(np.float32))
    return np.stack(mixes)


@cache
def _clutter(canvas: int) -> tuple[np.ndarray, np.ndarray]:
    """Faint bars, rings and discs: the light that they add and the share of the background's that they let through.

    Returns:
        `(variants, 3, canvas, canvas)` and `(variants, canvas, canvas)`.
    """
    random = Random(f"clutter {canvas}")
    light = np.zeros((_VARIANTS["clutter"], 3, canvas, canvas), np.float32)
    passing = np.ones((_VARIANTS["clutter"], canvas, canvas), np.float32)
    for number in range(_VARIANTS["clutter"]):
        for _ in range(int(random.random() * (_CLUTTER_AT_MOST + 1))):
            left, top, edge = random.random(), random.random(), 0.06 + 0.1 * random.random()
            shape, opacity = random.random(), np.float32(0.15 + 0.25 * random.random())
            colour = np.array([[[60 + 180 * random.random()]] for _ in range(3)], np.float32)
            along, across = _turned_axes(canvas, random.random() * np.pi, left, top)
            if shape < 0.4:
                inside = (np.abs(along) < 2 * edge) & (np.abs(across) < edge / 3)
            else:
                distance = np.hypot(along, across)
                inside = np.abs(distance - edge) < edge / 4 if shape < 0.7 else distance < edge
            veil = opacity * inside
            light[number] += (colour - light[number]) * veil
            passing[number] *= 1 - veil
    return light, passing


@cache
def _noise(canvas: int) -> np.ndarray:
    """Noise around 0, `(variants, canvas, canvas)`, from Python's generator, which no new version changes."""
    count = _VARIANTS["noise"]
    data = Random(f"noise {canvas}").randbytes(3 * count * canvas * canvas)
    levels = np.frombuffer(data, np.uint8).reshape(3, count, canvas, canvas).astype(np.float32)
    return (levels.sum(0) - 382.5) / 18


def _turn(layer: np.ndarray, symmetry: int) -> np.ndarray:
    """One of the eight symmetries of a layer `(…, canvas, canvas)`."""
    if symmetry & 1:
        layer = layer[..., ::-1, :]
    if symmetry & 2:
        layer = layer[..., ::-1]
    return layer.swapaxes(-1, -2) if symmetry & 4 else layer


def _draw_background(background: Background, canvas: int) -> np.ndarray:
    random = Random(background.seed)

    def choose(variants: str) -> int:
        return int(random.random() * _VARIANTS[variants])

    first, second = (np.array(colour, np.float32)[:, None, None] for colour in background.colours)
    mix = _turn(_patterns(background.pattern, canvas)[choose("pattern")], int(random.random() * 8))
    picture = (second - first) * mix
    picture += first
    number, symmetry = choose("clutter"), int(random.random() * 8)
    light, passing = (_turn(layers[number], symmetry) for layers in _clutter(canvas))
    picture *= passing
    picture += light
    picture += _turn(_noise(canvas)[choose("noise")], int(random.random() * 8))
    return picture


def draw_picture(scene: Scene) -> np.ndarray:
    """Draw one scene.

    Returns:
        `(3, canvas, canvas)` uint8: red, green and blue; rows; columns.
    """
    picture = _draw_background(scene.background, scene.canvas)
    for group in scene.groups:
        for thing in group.objects:
            left, top, right, bottom = thing.box
            tile = sprite(group.kind, group.colour, max(right - left, bottom - top), thing.tilt, thing.mirrored)
            part = picture[:, top:bottom, left:right]
            part *= tile.passing
            part += tile.light
    picture += 0.5
    return np.clip(picture, 0, 255, out=picture).astype(np.uint8)


def draw_pictures(scenes: Sequence[Scene]) -> Tensor:
    """Draw scenes of one canvas size.

    Returns:
        `(count, 3, height, width)` uint8.

    Raises:
        ValueError: if there is no scene, or their canvases differ.
    """
    sizes = {scene.canvas for scene in scenes}
    if len(sizes) != 1:
        raise ValueError(f"got {len(scenes)} scenes with canvases {sorted(sizes)}; expected at least one, all alike.")
    canvas = sizes.pop()
    pictures = np.empty((len(scenes), 3, canvas, canvas), np.uint8)
    for picture, scene in zip(pictures, scenes, strict=True):
        picture[:] = draw_picture(scene)
    return torch.from_numpy(pictures)
