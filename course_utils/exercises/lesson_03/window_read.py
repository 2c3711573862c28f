"""Lesson 3: read a patch through DRAW's window."""

import torch
from torch import Tensor

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, differentiable, sizes


def window_read(images: Tensor, rows: Tensor, columns: Tensor, intensity: Tensor) -> Tensor:
    """Read a patch by one matrix product on either side of the image: γ F_Y x F_Xᵀ.

    Takes images `(batch, channels, height, width)`, F_Y `(batch, size, height)` and F_X `(batch, size, width)`, whose
    rows sum to one, and γ `(batch,)`. Returns `(batch, channels, size, size)`. Source: Gregor et al. 2015, arXiv
    1502.04623, equation 27.
    """
    return _per_image(intensity) * _plain(images, rows, columns)


def _plain(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    return rows.unsqueeze(1) @ images @ columns.mT.unsqueeze(1)


def _per_image(intensity: Tensor) -> Tensor:
    return intensity.view(-1, 1, 1, 1)


def sample(generator: torch.Generator, batch=2, channels=3, height=4, width=6, size=5, bright=3.0) -> tuple:
    """Make images, two banks of filters and intensities."""
    images = bright * torch.randn(batch, channels, height, width, generator=generator)
    banks = [torch.randn(batch, size, length, generator=generator).softmax(2) for length in (height, width)]
    return images, *banks, 0.5 + torch.rand(batch, generator=generator)


_scaled = changing(lambda images, rows, columns, g: (g, _plain(images, rows, columns)))
_summed = changing(window_read)
SWAPPED = "The banks are swapped: F_Y (rows) multiplies the image from the left, F_X (columns) from the right."
GAMMA = "γ met the wrong axis: make it (batch, 1, 1, 1), so that each image has its own."
CHANNELS = "The banks met the channels, not the images: give them a channel axis, rows.unsqueeze(1)."
COLOURS = "Keep the channels apart: give the banks a channel axis, (batch, 1, size, height), and sum over no channel."
HEIGHT = "Which bank shortens the height?"

EXERCISE = Exercise(
    Task("03.window-read", "Read a patch with two filter banks", 2, 10, "(batch, channels, size, size)"),
    window_read,
    sample,
    cases=[
        # Square: banks that are swapped fit the shapes, and the values tell.
        Case(
            "F_Y multiplies the image from the left, F_X from the right, and γ multiplies the patch.",
            (
                torch.tensor([[[[1.0, 2.0, 4.0], [8.0, 0.0, -6.0], [3.0, 5.0, 7.0]]]]),
                torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]]),
                torch.tensor([[[0.0, 0.25, 0.75], [0.5, 0.5, 0.0]]]),
                torch.tensor([3.0]),
            ),
        ),
        Case("Every channel is read through the same window.", dict(batch=1, channels=3, height=3, width=3, size=2)),
        Case("Each image has its own window and its own γ.", dict(batch=3, channels=3, height=3, width=3, size=3)),
        Case("An image may be wider than high.", {}),
        Case("Pixels may be large: nothing is cut.", dict(bright=1e5), tolerance=1e-3),
    ],
    demands=[
        sizes(batch=1, channels=1, size=1),
        sizes(height=40, width=90, size=12),
        differentiable("images", "rows", "columns", "intensity", normalised=("rows", "columns")),
    ],
    mistakes=[
        Mistake(SWAPPED, lambda x, rows, columns, g: window_read(x, columns, rows, g), ask=HEIGHT),
        Mistake("The patch is transposed: its rows come from F_Y.", _summed(lambda p: p.mT), ask=HEIGHT),
        Mistake("The image is transposed on the way.", lambda x, rows, columns, g: window_read(x.mT, rows, columns, g)),
        Mistake("F_X is not transposed: write F_Y x F_Xᵀ.", lambda x, f_y, f_x, g: f_y[:, None] @ x @ f_x[:, None]),
        Mistake("γ is missing: multiply the patch by the intensity.", _scaled(lambda g, p: p)),
        Mistake("γ counts once: multiply the patch, not each bank.", _scaled(lambda g, p: _per_image(g * g) * p)),
        Mistake("Multiply by γ; you divided by it.", _scaled(lambda g, p: p / _per_image(g))),
        Mistake("γ is a factor: multiply the patch by it, do not add it.", _scaled(lambda g, p: _per_image(g) + p)),
        Mistake("γ is a factor as it is: take no exponential.", _scaled(lambda g, p: _per_image(g.exp()) * p)),
        *[Mistake(GAMMA, _scaled(lambda g, p, n=n: g.view(-1, *[1] * n) * p)) for n in (0, 1, 2)],
        Mistake("All images were read with the first one's intensity.", _scaled(lambda g, p: g[0] * p)),
        Mistake("All images were read with the mean intensity.", _scaled(lambda g, p: g.mean() * p)),
        Mistake(CHANNELS, lambda x, rows, columns, g: _per_image(g) * (rows @ x @ columns.mT)),
        Mistake(CHANNELS, lambda x, rows, columns, g: _per_image(g) * (rows[:, None] @ x @ columns.mT)),
        Mistake(CHANNELS, lambda x, rows, columns, g: _per_image(g) * (rows @ x @ columns.mT[:, None])),
        Mistake(CHANNELS, lambda x, rows, columns, g: g * (rows @ x @ columns.mT)),
        Mistake("All images got the first one's window.", lambda x, r, c, g: _per_image(g) * (r[0] @ x @ c[0].T)),
        Mistake("You read the first image every time.", lambda x, *others: window_read(x[:1].expand_as(x), *others)),
        *[Mistake(COLOURS, _summed(lambda p, by=by: by(p, 1, keepdim=True))) for by in (torch.sum, torch.mean)],
        Mistake("Keep all channels: you took the first one only.", _summed(lambda p: p[:, :1])),
        Mistake("Pixels are cut: take them as they are.", lambda x, *others: window_read(x.clamp(-255, 255), *others)),
    ],
    right=[
        lambda i, r, c, n: torch.stack(
            [torch.stack([g * (f_y @ x @ f_x.T) for x in image]) for image, f_y, f_x, g in zip(i, r, c, n, strict=True)]
        ),
        lambda x, rows, columns, g: torch.einsum("b,bih,bchw,bjw->bcij", g, rows, x, columns),
        lambda x, rows, columns, g: (g[:, None, None] * rows)[:, None] @ (x @ columns.mT[:, None]),
    ],
)
