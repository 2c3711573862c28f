"""An image as a map of annotation vectors with coordinates, for an attention to weigh."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class CellEncoder(nn.Module):
    """A convolutional network that turns an image into a map of annotation vectors, the cells.

    The first layer cuts the image into patches of `patch` x `patch` pixels, so that no layer works on single pixels;
    the second halves the map; the others leave its size. Each cell's coordinates (x, y from −1 to 1) are added to the
    input of the last layer: a 3 x 3 filter alone cannot distinguish left from right. A `LayerNorm` scales every cell.

    Args:
        height, width: of the images, pixels; multiples of twice the patch.
        widths: dimensions of a cell after each layer, three layers or more; the last one is the size of an annotation.
        patch: pixels.

    Attributes:
        cells: number of cells.
        output_size: size of an annotation.

    Raises:
        ValueError: if a size does not fit.
    """

    def __init__(
        self, height: int = 64, width: int = 64, widths: Sequence[int] = (64, 128, 128), patch: int = 4
    ) -> None:
        super().__init__()
        if height % (2 * patch) or width % (2 * patch) or len(widths) < 3:
            raise ValueError(
                f"height is {height}, width {width}, patch {patch} and widths {tuple(widths)}; expected height "
                "and width in multiples of twice the patch, and three widths or more."
            )
        self.height, self.width, self.side = height, width, 2 * patch
        self.rows, self.columns = height // self.side, width // self.side
        self.cells, self.output_size = self.rows * self.columns, widths[-1]
        layers = [nn.Conv2d(3, widths[0], patch, stride=patch, bias=False)]
        for number, (before, after) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
            layers.append(nn.Conv2d(before, after, 3, stride=1 if number else 2, padding=1, bias=False))
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(nn.BatchNorm2d(size) for size in widths)
        self.place = nn.Linear(2, widths[-2], bias=False)
        self.scale = nn.LayerNorm(widths[-1])
        nn.init.constant_(self.scale.weight, 0.4)  # larger cells would saturate a new attention's tanh
        y, x = torch.meshgrid(_middles(self.rows), _middles(self.columns), indexing="ij")
        self.register_buffer("coordinates", torch.stack([x, y], dim=-1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Encode images.

        Args:
            images: `(batch, 3, height, width)` uint8, or the same flattened to `(batch, 3 * height * width)`.

        Returns:
            `(batch, cells, output_size)`, row by row from the upper left cell.

        Raises:
            TypeError: if the images are not uint8.
            ValueError: if their shape is another one.
        """
        if images.dtype != torch.uint8:
            raise TypeError(f"images has dtype {images.dtype}; expected torch.uint8: the model scales it.")
        expected = (3, self.height, self.width)
        if images.dim() == 2 and images.shape[1] == 3 * self.height * self.width:
            images = images.unflatten(1, expected)
        if images.dim() != 4 or images.shape[1:] != expected:
            raise ValueError(f"images has shape {tuple(images.shape)}; expected (batch, {str(expected)[1:]}.")
        maps = (images.to(self.place.weight.dtype) / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        for number, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            if number == len(self.layers) - 1:
                maps = maps + self.place(self.coordinates).permute(2, 0, 1)  # (size, rows, columns)
            after = torch.relu(norm(layer(maps)))
            maps = maps + after if number > 1 and maps.shape == after.shape else after
        return self.scale(maps.flatten(2).transpose(1, 2))

    def cell_boxes(self) -> Tensor:
        """Return the square of pixels that each cell stands for, `(cells, 4)` x0, y0, x1, y1; they tile the image."""
        y, x = torch.meshgrid(torch.arange(self.rows), torch.arange(self.columns), indexing="ij")
        corners = torch.stack([x, y], dim=-1).flatten(0, 1) * self.side
        return torch.cat([corners, corners + self.side], dim=1)

    def view_boxes(self) -> Tensor:
        """Return squares of the same size around the centre of each cell's filters, `(cells, 4)` x0, y0, x1, y1.

        The layer that halves the map has filters of three patches, and one patch of padding on every side. So the
        filter of cell i is centred on patch 2i: half a patch to the upper left of the middle of the cell's square.
        """
        return self.cell_boxes() - self.side // 4


def _middles(count: int) -> Tensor:
    """The middles of `count` cells between −1 and 1."""
    return (torch.arange(count) + 0.5) / count * 2 - 1
