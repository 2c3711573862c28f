"""Scenes drawn as pixels: background, faint clutter that has no name, noise, and the objects from back to front.

Patterns, clutter and noise are drawn once, in some variants, and then combined, turned and mirrored for each image.
"""

from collections.abc import Sequence
from functools import cache
from random import Random

import numpy as np
import torch
from torch import Tensor

from course_utils.data.scenes.scenes import Scene
from course_utils.data.scenes.sprites import sprite
from course_utils.data.words_of_things import pick

_VARIANTS = {"pattern": 24, "clutter": 96, "noise": 16}


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
        mix = {
            "plain": np.zeros((canvas, canvas)),
            "gradient": np.clip(0.5 + along / 2, 0, 1),
            "stripes": odd[0] < 0,
            "checks": (odd[0] < 0) ^ (odd[1] < 0),
            "dots": np.hypot(*odd) < 0.3,
            "waves": 0.5 + 0.5 * np.sin(2 * np.pi * (along * pieces + phase + 0.2 * np.sin(9 * across))),
        }[pattern]
        mixes.append(mix.astype(np.float32))
    return np.stack(mixes)


@cache
def _clutter(canvas: int) -> np.ndarray:
    """Faint bars, rings and discs, `(variants, 4, canvas, canvas)`: the light that they add, red, green and blue, and
    the share of the background's that they let through."""
    random = Random(f"clutter {canvas}")
    layers = np.zeros((_VARIANTS["clutter"], 4, canvas, canvas), np.float32)
    layers[:, 3] = 1
    for light, passing in ((layer[:3], layer[3]) for layer in layers):
        for _ in range(int(random.random() * 6)):
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
            light += (colour - light) * veil
            passing *= 1 - veil
    return layers


@cache
def _noise(canvas: int) -> np.ndarray:
    """Noise around 0, `(variants, canvas, canvas)`, from Python's generator, which no new version changes."""
    data = Random(f"noise {canvas}").randbytes(3 * _VARIANTS["noise"] * canvas * canvas)
    levels = np.frombuffer(data, np.uint8).reshape(3, -1, canvas, canvas).astype(np.float32)
    return (levels.sum(0) - 382.5) / 18


def _turned(random: Random, layers: np.ndarray) -> np.ndarray:
    """One of the layers `(variants, …, canvas, canvas)` in one of its eight symmetries."""
    layer, symmetry = pick(random, layers), int(random.random() * 8)
    layer = layer[..., :: -1 if symmetry & 1 else 1, :: -1 if symmetry & 2 else 1]
    return layer.swapaxes(-1, -2) if symmetry & 4 else layer


def draw_image(scene: Scene) -> np.ndarray:
    """Draw one scene: `(3, canvas, canvas)` uint8; red, green and blue; rows; columns."""
    random = Random(scene.background.seed)
    first, second = (np.array(colour, np.float32)[:, None, None] for colour in scene.background.colours)
    image = (second - first) * _turned(random, _patterns(scene.background.pattern, scene.canvas))
    image += first
    *light, passing = _turned(random, _clutter(scene.canvas))
    image *= passing
    image += light
    image += _turned(random, _noise(scene.canvas))
    for group in scene.groups:
        for thing in group.objects:
            left, top, right, bottom = thing.box
            tile = sprite(group.kind, group.colour, max(right - left, bottom - top), thing.tilt, thing.mirrored)
            part = image[:, top:bottom, left:right]
            part *= tile.passing
            part += tile.light
    image += 0.5
    return np.clip(image, 0, 255, out=image).astype(np.uint8)


def draw_images(scenes: Sequence[Scene]) -> Tensor:
    """Draw one or more scenes of one canvas size: `(count, 3, height, width)` uint8."""
    return torch.from_numpy(np.stack([draw_image(scene) for scene in scenes]))
