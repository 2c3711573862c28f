"""Images read as they are meant: each kind of file is generated, read, and compared with what it shows."""

import io

import numpy
import pytest
import torch
from PIL import Image

from course_utils.data.images import read_image
from course_utils.data.real_errors import DataFormatError

EXIF_ORIENTATION = 274
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image, form="PNG", **options):
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def quarters():
    """An image that no turn and no mirror leaves as it is: 24 wide, 16 high, each quarter of another colour."""
    image = Image.new("RGB", (24, 16), WHITE)
    for corner, colour in (((0, 0), RED), ((12, 0), GREEN), ((0, 8), BLUE)):
        image.paste(colour, (*corner, corner[0] + 12, corner[1] + 8))
    return image


def pixels(image):
    return torch.from_numpy(numpy.array(image.convert("RGB"))).permute(2, 0, 1)


def test_plain_files_are_read_exactly():
    for form in ("PNG", "BMP", "TIFF", "GIF"):
        found = read_image(encoded(quarters(), form))
        assert found.dtype == torch.uint8 and found.is_contiguous() and torch.equal(found, pixels(quarters())), form
    squeezed = quarters().resize((10, 10), Image.Resampling.LANCZOS)
    assert torch.equal(read_image(encoded(quarters()), edge=10), pixels(squeezed))


# What a camera does that was turned, by the number that it notes: how to get from the upright image to the stored one
STORED = {
    1: [], 2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180],
    4: [Image.Transpose.FLIP_TOP_BOTTOM], 5: [Image.Transpose.ROTATE_270, Image.Transpose.FLIP_LEFT_RIGHT],
    6: [Image.Transpose.ROTATE_90], 7: [Image.Transpose.ROTATE_90, Image.Transpose.FLIP_LEFT_RIGHT],
    8: [Image.Transpose.ROTATE_270],
}  # fmt: skip


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_comes_out_upright(orientation, form):
    stored, exif = quarters(), Image.Exif()
    for turn in STORED[orientation]:
        stored = stored.transpose(turn)
    exif[EXIF_ORIENTATION] = orientation
    found = read_image(encoded(stored, form, exif=exif)).int()
    assert found.shape == (3, 16, 24)
    middles = found[:, [4, 4, 12, 12], [6, 18, 6, 18]].T
    assert (middles - torch.tensor([RED, GREEN, BLUE, WHITE])).abs().max() < 40, "JPEG changes colours a little"


def test_what_is_transparent_becomes_white():
    red = Image.new("RGBA", (8, 8), (255, 0, 0, 255))
    red.paste((0, 0, 0, 0), (0, 0, 4, 8))
    red.paste((0, 0, 255, 128), (4, 4, 8, 8))
    found = read_image(encoded(red))
    assert found[:, 0, 0].tolist() == [255, 255, 255] and found[:, 0, 7].tolist() == [255, 0, 0]
    assert found[:, 7, 7].tolist() == [127, 127, 255], "half of blue on white"
    grey = Image.new("LA", (8, 8), (0, 0))
    grey.paste((100, 255), (4, 0, 8, 8))
    assert read_image(encoded(grey))[:, 0, [0, 7]].T.tolist() == [[255] * 3, [100] * 3]
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([0, 0, 0, 0, 255, 0])
    palette.paste(1, (4, 0, 8, 8))
    assert read_image(encoded(palette, transparency=0))[:, 0, [0, 7]].T.tolist() == [[255] * 3, [0, 255, 0]]
    named = Image.new("RGB", (8, 8), BLUE)
    named.paste(GREEN, (4, 0, 8, 8))
    assert read_image(encoded(named, transparency=BLUE))[:, 0, [0, 7]].T.tolist() == [[255] * 3, [0, 255, 0]]


def test_grey_is_scaled_by_its_depth_and_fractions_are_refused():
    levels = numpy.linspace(0, 2**16 - 1, 64).astype(numpy.uint16)
    for form in ("PNG", "TIFF"):
        found = read_image(encoded(Image.fromarray(numpy.tile(levels, (4, 1))), form))
        assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
        assert found[0, 0].tolist() == [round(level / 257) for level in levels.tolist()]
        dark = Image.fromarray(numpy.full((4, 4), 2570, numpy.uint16))
        assert set(read_image(encoded(dark, form)).flatten().tolist()) == {10}, "a dark image stays dark"
    deep = Image.fromarray(numpy.array([[0, 2**31 - 1]], numpy.int32))
    assert read_image(encoded(deep, "TIFF"))[0].tolist() == [[0, 127]]
    with pytest.raises(DataFormatError, match="its pixels are fractions"):
        read_image(encoded(Image.new("F", (4, 4), 0.5), "TIFF"))


def test_other_colours_become_red_green_and_blue_and_of_a_moving_image_the_first_frame_is_read():
    printed = read_image(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95))
    assert (printed[:, 4, 4].int() - torch.tensor(RED)).abs().max() < 12
    palette = quarters().quantize(4)
    assert torch.equal(read_image(encoded(palette)), pixels(palette)) and palette.mode == "P"
    assert read_image(encoded(Image.new("L", (2, 2), 77))).unique().tolist() == [77]
    assert read_image(encoded(Image.new("1", (2, 2), 1))).unique().tolist() == [255]
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    found = read_image(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert found[:, 0, 0].tolist() == [*RED]


def test_too_many_pixels_and_what_cannot_be_decoded_are_errors_that_name_the_place(monkeypatch):
    content = encoded(quarters())
    for broken in (None, b"", b"no image", content[:60], encoded(quarters(), "JPEG")[:200], b"<svg></svg>"):
        with pytest.raises(DataFormatError, match=r"flickr8k, row 3: the image cannot be read.*Copy or download"):
            read_image(broken, where="flickr8k, row 3")
    for most in (23 * 16, 10):  # of the first, Pillow only warns
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
        with pytest.raises(DataFormatError, match=rf"row 3: the image has more than {most} pixels.*Scale it down"):
            read_image(content, where="flickr8k, row 3")
