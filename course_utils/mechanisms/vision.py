"""Attending to a part of an image: a retina, and a window of Gaussian filters.

    patches = retina(images, location)               # crops; the place gets no gradient, so REINFORCE learns it
    patch = window.read(images, parameters)          # two matrix products; the place gets a gradient

Pictures are `(batch, channels, height, width)`. A location is (x, y) in [-1, 1]: (-1, -1) is the upper left corner of
the image (the corner itself, not the middle of its pixel), (1, 1) the lower right one, x points right and y down.
A box is x0, y0, x1, y1 in pixels from the upper left corner, x1 and y1 exclusive.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn


def location_to_pixels(location: Tensor, height: int, width: int) -> Tensor:
    """Turn (x, y) in [-1, 1] into pixels from the upper left corner: -1 becomes 0, and 1 the width or height."""
    return (location + 1) / 2 * location.new_tensor([width, height])


def location_log_probability(location: Tensor, mean: Tensor, std: float | Tensor) -> Tensor:
    """Log-probability density of a location under a round (isotropic) Gaussian.

    `log N(l; μ, σ² I) = − |l − μ|² / (2σ²) − 2 log σ − log 2π`; its gradient with respect to μ is (l − μ) / σ².

    Args:
        location: `(..., 2)`, where the glimpse went, before it was clamped to the image.
        mean: `(..., 2)`, where the policy aimed.
        std: σ, the standard deviation of either coordinate, above zero.

    Returns:
        `(...)`, nats.

    Raises:
        ValueError: if the shapes differ or `std` is not above zero.
    """
    if location.shape != mean.shape:
        raise ValueError(f"location has shape {tuple(location.shape)} and mean {tuple(mean.shape)}; expected the same.")
    std = torch.as_tensor(std, dtype=mean.dtype, device=mean.device)
    if not bool((std > 0).all()):
        raise ValueError(f"std is {std.tolist()}; expected a standard deviation above zero.")
    dimensions = location.shape[-1]
    distance = (location - mean).square().sum(dim=-1)
    return -distance / (2 * std.square()) - dimensions * (std.log() + 0.5 * math.log(2 * math.pi))


class Retina:
    """Square patches around a location: the first sharp and small, each next one twice as wide and half as sharp.

    Patch k (k = 0 … scales − 1) covers a square of `size` · 2^k pixels whose middle is the location, rounded to the
    nearest corner between pixels, and is averaged down to `size` x `size`: fine in the middle, coarse around it, as
    in an eye. Outside the image everything is zero. The location gets no gradient.

    Source: Mnih et al. 2014, arXiv 1406.6247, section 3.1 (the glimpse sensor).

    Args:
        size: height and width of every patch in its own pixels.
        scales: number of patches.

    Raises:
        ValueError: if `size` is odd (it would have no middle between pixels) or a number is below its least.
    """

    def __init__(self, size: int = 8, scales: int = 1) -> None:
        if size < 2 or size % 2 or scales < 1:
            raise ValueError(
                f"size is {size} and scales {scales}; expected an even size from 2 and at least one scale."
            )
        self.size, self.scales = size, scales
        self.margin = (size << (scales - 1)) // 2

    def __call__(self, images: Tensor, location: Tensor) -> Tensor:
        """Read at one location of every image.

        Args:
            images: `(batch, channels, height, width)`.
            location: `(batch, 2)` x, y; what is beyond [-1, 1] is brought back to the border.

        Returns:
            `(batch, scales, channels, size, size)`, sharpest first.

        Raises:
            ValueError: if the shapes do not fit each other.
        """
        return self.glimpse(self.prepare(images), location)

    def prepare(self, images: Tensor) -> Tensor:
        """Put the dark margin around the images, once for all glimpses at them."""
        return nn.functional.pad(images, (self.margin,) * 4)

    def glimpse(self, framed: Tensor, location: Tensor) -> Tensor:
        """Read at one location of images that `prepare` has framed; see `__call__`."""
        check_images(framed, location, 2, "location")
        height, width = (side - 2 * self.margin for side in framed.shape[-2:])
        columns, rows = self._corner(location, height, width).unbind(-1)  # also the square's corner in the frame
        widest, batch = 2 * self.margin, torch.arange(len(framed), device=framed.device)
        area = framed.unfold(2, widest, 1).unfold(3, widest, 1)[batch, :, rows, columns]
        patches = []
        for k in range(self.scales):  # the smaller squares lie in the middle of the widest one
            start, end = self.margin - (self.size << k) // 2, self.margin + (self.size << k) // 2
            square = area[:, :, start:end, start:end]
            patches.append(nn.functional.avg_pool2d(square, 1 << k) if k else square)
        return torch.stack(patches, dim=1)

    def boxes(self, location: Tensor, height: int, width: int) -> Tensor:
        """Return what each patch covers, `(..., scales, 4)` in pixels, for locations `(..., 2)`."""
        corner = self._corner(location, height, width).unsqueeze(-2)  # (..., 1, 2)
        half = (self.size << torch.arange(self.scales, device=location.device)).unsqueeze(-1) // 2
        return torch.cat([corner - half, corner + half], dim=-1)

    @staticmethod
    def _corner(location: Tensor, height: int, width: int) -> Tensor:
        pixels = location_to_pixels(location.detach().clamp(-1, 1), height, width)
        return (pixels + 0.5).floor().long()


class WindowParameters(NamedTuple):
    """Where a Gaussian window lies, and how wide it is; every entry is `(batch,)`.

    Attributes:
        center_x, center_y: g_X and g_Y, the middle of the grid in the paper's pixels, in which the first pixel is
            at 1: subtract 0.5 for pixels from the corner.
        stride: δ, pixels between neighbouring filters.
        variance: σ² of every filter, square pixels.
        intensity: γ, what the patch is multiplied with.
    """

    center_x: Tensor
    center_y: Tensor
    stride: Tensor
    variance: Tensor
    intensity: Tensor


class GaussianWindow:
    """A grid of N x N Gaussian filters that can be moved, widened and sharpened, with a gradient for each of the three.

    g_X = (A + 1)/2 · (g̃_X + 1),  g_Y = (B + 1)/2 · (g̃_Y + 1),  δ = (max(A, B) − 1)/(N − 1) · δ̃
    μ_X^i = g_X + (i − N/2 − 0.5) δ,   F_X[i, a] = exp(−(a − μ_X^i)² / (2σ²)) / Z_X,   i = 1 … N, a = 1 … A
    read(x) = γ F_Y x F_Xᵀ,   write(w) = 1/γ F_Yᵀ w F_X

    A is the width and B the height. Each filter sums to one exactly, because the quotient is computed as a softmax
    over the pixels: a filter far outside the image reads its nearest border pixel, and never divides zero by zero.

    Source: Gregor et al. 2015, arXiv 1502.04623, section 3.2, equations 21 to 29.

    Args:
        size: N, filters in each direction.

    Raises:
        ValueError: if `size` is below 2 (there would be no stride).
    """

    def __init__(self, size: int = 8) -> None:
        if size < 2:
            raise ValueError(f"size is {size}; expected at least 2 filters in each direction.")
        self.size = size

    def parameters(self, raw: Tensor, height: int, width: int) -> WindowParameters:
        """Turn five free parameters into a window; with zeros it covers the image, one filter at either border.

        Args:
            raw: `(batch, 5)`: g̃_X, g̃_Y, log σ², log δ̃, log γ, of any size.
            height, width: of the image, pixels.

        Raises:
            ValueError: if `raw` has another shape.
        """
        if raw.dim() != 2 or raw.shape[1] != 5:
            raise ValueError(f"raw has shape {tuple(raw.shape)}; expected (batch, 5), the parameters of a window.")
        x, y, log_variance, log_stride, log_intensity = raw.unbind(dim=1)
        return WindowParameters(
            center_x=(width + 1) / 2 * (x + 1),
            center_y=(height + 1) / 2 * (y + 1),
            stride=(max(height, width) - 1) / (self.size - 1) * log_stride.exp(),
            variance=log_variance.exp(),
            intensity=log_intensity.exp(),
        )

    def filters(self, parameters: WindowParameters, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Compute the filter banks F_Y `(batch, size, height)` and F_X `(batch, size, width)`; rows sum to one."""
        steps = torch.arange(1, self.size + 1, device=parameters.stride.device) - self.size / 2 - 0.5
        offsets = steps * parameters.stride.unsqueeze(1)  # (batch, size)

        def bank(center: Tensor, length: int) -> Tensor:
            pixels = torch.arange(1, length + 1, device=center.device, dtype=center.dtype)
            distance = pixels - (center.unsqueeze(1) + offsets).unsqueeze(2)  # (batch, size, length)
            return torch.softmax(-distance.square() / (2 * parameters.variance.view(-1, 1, 1)), dim=-1)

        return bank(parameters.center_y, height), bank(parameters.center_x, width)

    def read(self, images: Tensor, parameters: WindowParameters) -> Tensor:
        """Read a patch.

        Args:
            images: `(batch, channels, height, width)`.
            parameters: of `(batch,)` windows.

        Returns:
            `(batch, channels, size, size)`.

        Raises:
            ValueError: if the shapes do not fit each other.
        """
        check_images(images, torch.stack(parameters, dim=-1), 5, "parameters")
        rows, columns = self.filters(parameters, *images.shape[-2:])
        patch = rows.unsqueeze(1) @ images @ columns.transpose(1, 2).unsqueeze(1)
        return parameters.intensity.view(-1, 1, 1, 1) * patch

    def write(self, patch: Tensor, parameters: WindowParameters, height: int, width: int) -> Tensor:
        """Write a patch `(batch, channels, size, size)` onto an empty image `(batch, channels, height, width)`."""
        rows, columns = self.filters(parameters, height, width)
        image = rows.transpose(1, 2).unsqueeze(1) @ patch @ columns.unsqueeze(1)
        return image / parameters.intensity.view(-1, 1, 1, 1)

    def boxes(self, parameters: WindowParameters) -> Tensor:
        """Return what the grid covers, `(..., 4)` in pixels from the corner: half a stride around the outer filters."""
        half = parameters.stride * self.size / 2
        x, y = parameters.center_x - 0.5, parameters.center_y - 0.5
        return torch.stack([x - half, y - half, x + half, y + half], dim=-1)


def check_channels(images: Tensor, channels: int) -> None:
    """Refuse images that are not `(batch, channels, height, width)`.

    Raises:
        ValueError: it names the shape, and how to get the right one.
    """
    if images.dim() != 4 or images.shape[1] != channels:
        raise ValueError(
            f"images has shape {tuple(images.shape)}; expected (batch, {channels}, height, width). Use images[None] "
            "for one image without a batch, images.unsqueeze(1) for grey images without a channel, and "
            "images.mean(dim=1, keepdim=True) to make colours grey."
        )


def check_images(images: Tensor, places: Tensor, size: int, name: str) -> None:
    """Refuse images without channels, or places that do not belong to them.

    Raises:
        ValueError: if `images` is not `(batch, channels, height, width)` or `places` not `(batch, size)`.
    """
    if images.dim() != 4:
        raise ValueError(
            f"images has shape {tuple(images.shape)}; expected (batch, channels, height, width). "
            "Use images.unsqueeze(1) for grey images without a channel."
        )
    if places.shape != (len(images), size):
        raise ValueError(
            f"{name} has shape {tuple(places.shape)}; expected {(len(images), size)}, one row for each image."
        )


def share_of_pixels_seen(boxes: Tensor, height: int, width: int) -> Tensor:
    """Return the share of an image's pixels that lie in at least one of its boxes.

    Args:
        boxes: `(batch, glimpses, 4)` in pixels; a pixel counts when its middle is inside.
        height, width: of the image.

    Returns:
        `(batch,)` from 0 to 1.
    """
    x = torch.arange(width, device=boxes.device) + 0.5
    y = torch.arange(height, device=boxes.device) + 0.5
    columns = (x >= boxes[..., :1]) & (x < boxes[..., 2:3])  # (batch, glimpses, width)
    rows = (y >= boxes[..., 1:2]) & (y < boxes[..., 3:])
    # The union over glimpses: a pixel was seen if any glimpse has both its row and its column.
    seen = (rows.transpose(1, 2).float() @ columns.float()) > 0  # (batch, height, width)
    return seen.float().mean(dim=(1, 2))
