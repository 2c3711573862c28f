"""Images read as they are meant: upright, on white, in eight bits per colour."""

import io
import struct
import warnings

import numpy
import torch
from PIL import Image, ImageOps
from torch import Tensor

from course_utils.data.real_errors import DataFormatError


def read_image(content: bytes | None, edge: int | None = None, where: str = "the image") -> Tensor:
    """Decode an image in any format that Pillow reads; of several frames the first is taken.

    What a camera noted about its orientation is followed; what is transparent becomes white; grey levels of 16 or 32
    bits are scaled by their depth; CMYK, palettes and grey become red, green and blue. `edge` is the width and height
    to squeeze it to, so that nothing is cut off; None keeps its own.

    Returns:
        `(3, height, width)` uint8.

    Raises:
        DataFormatError: if it cannot be decoded, or has more pixels than Pillow's limit (`PIL.Image.MAX_IMAGE_PIXELS`).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content or b"")) as image:
                pixels = _in_eight_bits(ImageOps.exif_transpose(image))
                if pixels.has_transparency_data:
                    pixels = Image.alpha_composite(Image.new("RGBA", pixels.size, "white"), pixels.convert("RGBA"))
                pixels = pixels.convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        large = f"{where}: the image has more than {Image.MAX_IMAGE_PIXELS:,} pixels"
        many = f"{large}, so many that decoding it could fill the memory. Scale it down, or leave it out."
        raise DataFormatError(many) from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        raise DataFormatError(
            f"{where}: the image cannot be read ({type(error).__name__}: {error}); expected the bytes of an encoded "
            "image such as PNG or JPEG. Copy or download the set again."
        ) from error
    if edge is not None:
        pixels = pixels.resize((edge, edge), Image.Resampling.LANCZOS)
    return torch.from_numpy(numpy.array(pixels)).permute(2, 0, 1).contiguous()


def _in_eight_bits(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("its pixels are fractions, whose white is not known; save it with whole numbers")
    if image.mode.startswith("I"):  # Pillow's conversion would cut off everything above 255
        levels = numpy.asarray(image).astype(numpy.float64)
        deepest = 2**16 - 1 if levels.max() < 2**16 else 2**32 - 1
        return Image.fromarray((levels * (255 / deepest)).round().astype(numpy.uint8))
    return image
