"""Images and sounds as data addresses: small, and the same bytes each time."""

import base64
import io
import struct
from typing import Any

import matplotlib
import numpy
from PIL import Image

from course_utils.teaching.plots import ATTENTION_COLOURS

_LARGEST_PNG = 24_000  # bytes; a photograph larger than this is stored as JPEG


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def image_address(image: numpy.ndarray) -> str:
    """Return an image of 0 to 1, `(height, width)` or `(height, width, 3)`, as a data address.

    Drawings stay exact (PNG); photographs, which PNG stores badly, become JPEG.
    """
    drawing = Image.fromarray((image * 255).round().astype(numpy.uint8))
    content = _encoded(drawing, optimize=True)
    if len(content) <= _LARGEST_PNG:
        return _address("image/png", content)
    return _address("image/jpeg", _encoded(drawing, "JPEG", quality=82))


def map_address(weights: numpy.ndarray, scale: int = 1) -> str:
    """Return weights of 0 to 1, `(rows, columns)`, as a tiny image in the colours of `plots.ATTENTION_COLOURS`."""
    levels = 32
    colours = matplotlib.colormaps[ATTENTION_COLOURS](numpy.linspace(0, 0.9, levels))[:, :3]
    indices = (numpy.nan_to_num(weights).clip(0, 1) * (levels - 1)).round().astype(numpy.uint8)
    image = Image.fromarray(indices.repeat(scale, 0).repeat(scale, 1), mode="P")
    image.putpalette((colours * 255).round().astype(numpy.uint8).tobytes())
    return _address("image/png", _encoded(image, optimize=True))


def sound_address(samples: numpy.ndarray, rate: int) -> str:
    """Return a sound within -1 and 1, `(samples,)`, as a WAV of 8-bit mu-law (ITU-T G.711): half the size of PCM.

    Telephones sound like this; every browser plays it.
    """
    samples = samples.clip(-1, 1)
    # G.711 keeps 3 bits of exponent and 4 of mantissa; its bytes are inverted, the sign bit is set where positive.
    magnitude = numpy.minimum(numpy.abs(samples) * 32635 + 132, 32767).astype(int)
    exponent = numpy.floor(numpy.log2(magnitude)).astype(int) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = numpy.where(samples < 0, 0x80, 0)
    content = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(numpy.uint8).tobytes()
    layout = struct.pack("<HHIIHHH", 7, 1, rate, rate, 1, 8, 0)
    fact = struct.pack("<I", len(content))
    padding = b"\0" * (len(content) % 2)
    chunks = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"fact" + struct.pack("<I", 4) + fact
    chunks += b"data" + struct.pack("<I", len(content)) + content + padding
    return _address("audio/wav", b"RIFF" + struct.pack("<I", len(chunks)) + chunks)
