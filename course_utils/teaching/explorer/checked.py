"""What an explorer is given, checked: errors say what was wrong, what was expected, and what to do."""

from collections.abc import Iterable, Sequence

import numpy
from numpy.typing import ArrayLike


def as_array(values: ArrayLike, name: str) -> numpy.ndarray:
    """Return floats; a tensor may need a gradient or lie on a device. TypeError if these are no numbers."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        return numpy.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} is {type(values).__name__}; expected an array or a tensor of numbers.") from error


def as_words(words: Sequence[str], name: str) -> list[str]:
    """Return words as text. ValueError if it is one string, or there are none."""
    if isinstance(words, str):
        raise ValueError(f"{name} is the text {words!r}; expected a list of words, such as {name}={words.split()!r}.")
    words = [str(word) for word in words]
    if not words:
        raise ValueError(f"{name} is empty; expected at least one word.")
    return words


def as_weights(
    values: ArrayLike, shape: tuple[int | None, ...], axes: tuple[str, ...], name: str = "attention_weights"
) -> numpy.ndarray:
    """Return attention weights, one row per target; a row may be all NaN: that target was masked.

    Args:
        values: to be checked, every one of them.
        shape: what is expected; None = any size.
        axes: what each axis counts, for the error.
        name: of the argument.

    Raises:
        ValueError: if the shape is not the expected one, or a weight is negative, above 1 or not finite.
    """
    weights = as_array(values, name)
    wanted = "(" + ", ".join(axes) + ")"
    sizes = "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
    fits = weights.ndim == len(shape) and all(map(lambda size, found: size in (None, found), shape, weights.shape))
    if not fits or 0 in weights.shape:
        raise ValueError(f"{name} has shape {weights.shape}; expected {wanted}, here {sizes}.")
    flat = weights.reshape(len(weights), -1)
    missing = numpy.isnan(flat)
    partly = missing.any(axis=1) & ~missing.all(axis=1)
    if partly.any():
        raise ValueError(
            f"{name} has NaN in a part of row {int(partly.argmax())}; expected numbers, or a row of nothing but NaN "
            "for a target without attention. Give masked places the weight 0."
        )
    wrong = ~missing & ~((flat >= -1e-6) & (flat <= 1 + 1e-4))
    if wrong.any():
        row, column = numpy.argwhere(wrong)[0]
        raise ValueError(
            f"{name} has the value {flat[row, column]:.4g} in row {row}, place {column}; expected finite weights "
            "from 0 to 1. Give the weights after the softmax, not the scores before it."
        )
    return weights.clip(0, 1)


def as_image(image: ArrayLike) -> numpy.ndarray:
    """Return an image `(height, width)` or `(1 or 3, height, width)` as `(height, width)` or `(height, width, 3)`.

    Values are from 0 to 1; a little outside is cut off. ValueError for another shape, other or not finite values.
    """
    image = as_array(image, "image")
    if image.ndim == 3 and image.shape[0] in (1, 3):
        image = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    elif image.ndim != 2:
        raise ValueError(
            f"image has shape {image.shape}; expected (height, width) or (channels, height, width) with 1 or 3 "
            "channels. Give one image, not a batch."
        )
    if image.size == 0 or not numpy.isfinite(image).all():
        raise ValueError("image is empty or has values that are not finite; expected numbers from 0 to 1.")
    if image.max() > 1.5:
        raise ValueError(f"image has values up to {image.max():.4g}; expected 0 to 1. Divide by 255.")
    return image.clip(0, 1)


def as_links(gold: Iterable[tuple[int, int]], targets: int, sources: int) -> set[tuple[int, int]]:
    """Return gold links. ValueError if a link is outside, or no pair."""
    links = set()
    for link in gold:
        try:
            target, source = (int(index) for index in link)
        except (TypeError, ValueError):
            raise ValueError(f"gold has {link!r}; expected pairs (target index, source index).") from None
        if not (0 <= target < targets and 0 <= source < sources):
            raise ValueError(
                f"gold has the link ({target}, {source}); expected a target below {targets} and a source below "
                f"{sources}. Indices count from 0, the target first."
            )
        links.add((target, source))
    return links


def as_boxes(boxes: ArrayLike, name: str = "gold") -> numpy.ndarray:
    """Return boxes `(boxes, 4)`: x0, y0, x1, y1 in pixels; those with a negative first number stand for none."""
    boxes = as_array(boxes, name)
    if boxes.size == 0:
        return numpy.zeros((0, 4))
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not numpy.isfinite(boxes).all():
        raise ValueError(f"{name} has shape {boxes.shape}; expected (boxes, 4): x0, y0, x1, y1 in pixels, all finite.")
    return boxes[boxes[:, 0] >= 0]
