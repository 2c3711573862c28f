"""The exercises of lesson 3 on the Gaussian window; `lesson_03.py` lists them."""

import torch
from torch import Tensor

from course_utils.mechanisms.vision import GaussianWindow, WindowParameters
from course_utils.teaching.checks.slips import expect_gradients, expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, expect, expect_close, expect_tensor


def filter_bank(center: Tensor, stride: Tensor, variance: Tensor, size: int, length: int) -> Tensor:
    """Compute one bank of the course's Gaussian window."""
    parameters = WindowParameters(center, center, stride, variance, torch.ones_like(center))
    return GaussianWindow(size).filters(parameters, 1, length)[1]


def window_read(images: Tensor, rows: Tensor, columns: Tensor, intensity: Tensor) -> Tensor:
    """Read a patch by one matrix product on either side of the picture."""
    patch = rows.unsqueeze(1) @ images @ columns.transpose(1, 2).unsqueeze(1)
    return intensity.view(-1, 1, 1, 1) * patch


filtering = Exercise("03.filter-bank", "Spread a row of Gaussian filters", 3, 20, filter_bank)
reading = Exercise("03.window-read", "Read a patch with two filter banks", 2, 10, window_read)
EXERCISES = [filtering, reading]

BANK, PATCH = "(batch, size, length)", "(batch, channels, size, size)"


def exponents(center: Tensor, stride: Tensor, variance: Tensor, length: int) -> Tensor:
    """Compute −(a − μ_i)² / (2σ²) of three filters, before anything is normalised: `(batch, 3, length)`."""
    middles = center[:, None] + stride[:, None] * torch.tensor([-1.0, 0.0, 1.0])
    distance = torch.arange(1.0, length + 1) - middles[..., None]
    return -(distance**2) / (2 * variance[:, None, None])


def wrong_softmaxes(scores: Tensor) -> list[tuple[str, Tensor]]:
    """Pair the slips of a bank's normalisation with their results."""
    return [
        (
            "You normalised over the filters, dimension 1: each sums to one over the pixels, dimension 2.",
            scores.softmax(1),
        ),
        ("You normalised over the batch: the sum runs over the pixels, the last dimension.", scores.softmax(0)),
        (
            "You normalised the whole bank at once: every filter, every row, sums to one.",
            scores.flatten(1).softmax(1).view_as(scores),
        ),
        (
            "You normalised everything at once: every filter, every row, sums to one.",
            scores.flatten().softmax(0).view_as(scores),
        ),
        ("The exponent is negative: a filter is largest at its middle.", (-scores).softmax(2)),
    ]


@filtering.behaviour("places the filters around the centre, a stride apart")
def _(answer):
    center, stride, variance = torch.tensor([4.0, 6.5]), torch.tensor([2.0, 0.75]), torch.full((2,), 0.3)
    size, length = 3, 9
    result = answer(center.clone(), stride.clone(), variance.clone(), size, length)

    def bank(center, stride=stride):
        return filter_bank(center, stride, variance, size, length)

    def shifted(by):  # by filters of a stride each
        return bank(center + by * stride)

    unused = "The stride is not used: filter i stands at centre + (i − N/2 − 0.5) · stride."
    half = "The grid is half a stride off its centre: i − N/2 − 0.5 with i = 1 … N is −1, 0, 1 for three filters."
    whole = "The grid is a whole stride off its centre: i runs from 1 to N in i − N/2 − 0.5."
    pixel = "The pixels are numbered a = 1 … length here, so centre 1 is the middle of the first pixel."
    recognise(
        result,
        (unused, bank(center, torch.ones(2))),
        (unused, bank(center, 0 * stride)),
        ("Multiply by the stride; you divided by it.", bank(center, 1 / stride)),
        (half, shifted(0.5)),
        (half, shifted(-0.5)),
        (whole, shifted(1)),
        (whole, shifted(-1)),
        ("The grid begins at the centre: the centre is its middle. Subtract N/2 + 0.5 from i.", shifted(2)),
        (pixel, bank(center + 1)),
        (pixel, bank(center - 1)),
        (pixel, bank(center + 0.5)),
        (pixel, bank(center - 0.5)),
        ("The centre is not used.", bank(0 * center)),
        ("The filters stand in the wrong order: the first one is the leftmost.", bank(center).flip(1)),
        ("Filters come before pixels: the shape is (batch, size, length).", bank(center).transpose(1, 2)),
        *wrong_softmaxes(exponents(center, stride, variance, length)),
    )
    result = expect_tensor(result, (2, size, length), BANK)
    peaks = "The second filter of three stands at the centre, and its neighbours one stride before and after it."
    expect(result[0].argmax(dim=-1).tolist() == [1, 3, 5], peaks)


@filtering.behaviour("gives each filter the right width, and a sum of one")
def _(answer):
    center, stride, size, length = torch.tensor([3.2, 4.0, 4.9]), torch.tensor([1.1, 1.5, 0.6]), 3, 8
    variance = torch.tensor([0.5, 2.0, 3.0])
    result = answer(center.clone(), stride.clone(), variance.clone(), size, length)
    scores, wide = exponents(center, stride, variance, length), variance[:, None, None]
    bell, distance = scores.exp(), (-scores * 2 * wide).sqrt()
    right = bell / bell.sum(dim=2, keepdim=True)

    def of(variance, center=center, stride=stride):
        return filter_bank(center, stride, variance, size, length)

    first = "All windows of the batch have the first one's"

    squared = "variance is σ² already: divide by 2 · variance, without another square or root."
    recognise(
        result,
        ("The sum of each filter is not one yet: divide it by its sum over the pixels.", bell),
        (
            "The factor 1/√(2πσ²) makes the area one, but not the sum over pixels: divide by the sum instead.",
            bell / (2 * torch.pi * wide).sqrt(),
        ),
        *wrong_softmaxes(scores),
        ("You divided by the largest entry: divide by the sum.", bell / bell.amax(dim=2, keepdim=True)),
        (
            "You divided by the length of each row as a vector: divide by its sum.",
            bell / bell.norm(dim=2, keepdim=True),
        ),
        (squared, of(variance**2)),
        (squared, of(variance.sqrt())),
        ("The factor ½ is missing: divide the squared distance by 2σ².", of(variance / 2)),
        ("Divide by 2σ² in brackets: / 2 * σ² multiplies.", of(1 / variance)),
        ("The variance is not used.", of(torch.ones(3))),
        (f"{first} variance.", of(variance[:1].expand(3))),
        (f"{first} centre.", of(variance, center=center[:1].expand(3))),
        (f"{first} stride.", of(variance, stride=stride[:1].expand(3))),
        ("Square the distance: exp(−|d| / …) is no Gaussian.", torch.softmax(-distance / (2 * wide), dim=2)),
        (
            "You returned the exponents: take exp and divide by the sum, which is a softmax.",
            scores,
        ),
        ("You returned logarithms: this is a log_softmax, and you need the softmax.", right.log()),
    )
    hint = "Expected exp(−(a − μ_i)² / (2σ²)), divided by its sum over the pixels a = 1 … length."
    expect_close(result, right, hint, BANK)


@filtering.behaviour("works for every size, even and odd, and for one window alone")
def _(answer):
    for batch, size, length in [(1, 2, 5), (2, 4, 4), (3, 5, 12), (4, 4, 4), (1, 6, 3)]:
        center = 1 + torch.rand(batch) * (length - 1)
        stride, variance = torch.rand(batch) + 0.3, torch.rand(batch) + 0.4
        result = answer(center.clone(), stride.clone(), variance.clone(), size, length)

        def bank(center, stride=stride, variance=variance, size=size, length=length):
            return filter_bank(center, stride, variance, size, length)

        where = f"for a batch of {batch}, {size} filters and {length} pixels"
        half = f"Wrong {where}: the grid is half a stride off."
        recognise(
            result,
            (f"{half} N/2 is no whole number for every N, so do not use //.", bank(center + stride / 2)),
            (f"{half} Filter i stands at (i − N/2 − 0.5) · stride.", bank(center - stride / 2)),
            *[(f"Wrong {where}: all windows have the centre of the first.", bank(center[:1].expand(batch)))]
            * (batch > 1),
        )
        hint = f"Wrong {where}: does each window use its own centre, stride and variance?"
        expect_close(result, bank(center), hint, BANK)


@filtering.behaviour("stays finite, and sums to one, far outside the picture")
def _(answer):
    center, stride = torch.tensor([-400.0, 3.0, 900.0]), torch.tensor([1.0, 60.0, 2.0])
    variance, size, length = torch.tensor([1.0, 0.25, 0.01]), 4, 7
    result = answer(center.clone(), stride.clone(), variance.clone(), size, length)
    result = expect_tensor(result, (3, size, length), BANK)
    cure = "Take the quotient as torch.softmax of −(a − μ)²/(2σ²) over the pixels: it shifts the exponents first."
    expect(not bool(result.isnan().any()), f"Far from the picture all exponentials are 0, and 0/0 is NaN. {cure}")
    empty = bool((result.sum(dim=2) < 0.5).any())
    expect(not empty, f"Far from the picture your filter sums to 0: a small number in the quotient hides 0/0. {cure}")
    right = filter_bank(center, stride, variance, size, length)
    expect_close(result, right, "A filter far outside reads its nearest border pixel: one there, zero elsewhere.", BANK)
    places = [torch.tensor([-60.0, 40.0]), torch.ones(2), torch.full((2,), 0.5)]
    names = ("center", "stride", "variance")
    expect_gradients(
        lambda *inputs: answer(*inputs, 2, 5),
        lambda *inputs: filter_bank(*inputs, 2, 5),
        **dict(zip(names, places, strict=True)),
    )


@filtering.behaviour("lets a gradient reach centre, stride and variance")
def _(answer):
    expect_gradients(
        lambda *inputs: answer(*inputs, 3, 6),
        lambda *inputs: filter_bank(*inputs, 3, 6),
        center=torch.tensor([3.0, 4.4]),
        stride=torch.tensor([0.8, 1.3]),
        variance=torch.tensor([0.7, 1.4]),
    )


@filtering.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, torch.tensor([2.0, 3.0]), torch.tensor([1.0, 0.5]), torch.tensor([0.5, 2.0]), 3, 5)


def make_banks(batch: int, size: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Draw two banks of filters, each of which sums to one."""
    return torch.randn(batch, size, height).softmax(dim=-1), torch.randn(batch, size, width).softmax(dim=-1)


@reading.behaviour("multiplies the picture by F_Y from the left and by F_X from the right")
def _(answer):
    images, (rows, columns) = torch.rand(1, 1, 5, 5), make_banks(1, 3, 5, 5)  # square: a swap fits the shapes
    intensity = torch.tensor([2.0])
    result = answer(images.clone(), rows.clone(), columns.clone(), intensity.clone())
    right = window_read(images, rows, columns, intensity)
    swapped = "The banks are swapped: F_Y weighs the rows of the picture, from the left, and F_X the columns."
    turned = window_read(images.transpose(-1, -2), rows, columns, intensity)
    recognise(
        result,
        (swapped, window_read(images, columns, rows, intensity)),
        ("The patch is transposed: its rows come from F_Y, its columns from F_X.", right.transpose(-1, -2)),
        ("The picture is transposed on the way: rows come before columns.", turned),
        ("γ is missing: multiply the patch by the intensity.", right / 2),
        ("Multiply by γ; you divided by it.", right / 4),
        ("γ counts once: multiply the patch, not each bank.", right * 2),
        ("γ is a factor: multiply the patch by it, do not add it.", right / 2 + 2),
        ("γ is a factor as it is: no exponential, the model took it already.", right / 2 * intensity.exp()),
        ("You averaged or summed the patch: return all of its entries.", right.sum()),
        ("The axis of the channels is gone: keep it, for one channel too. Nothing is summed over it.", right[:, 0]),
        ("Channels come before rows and columns: (batch, channels, size, size).", right.movedim(1, -1)),
    )
    expect_close(result, right, "Expected γ · F_Y x F_Xᵀ, two matrix products.", PATCH)


@reading.behaviour("reads pictures that are not square, in several colours")
def _(answer):
    images, (rows, columns), intensity = torch.rand(1, 3, 4, 7), make_banks(1, 5, 4, 7), torch.tensor([0.5])
    result = answer(images.clone(), rows.clone(), columns.clone(), intensity.clone())
    right = window_read(images, rows, columns, intensity)
    colours = "Keep the colours apart: give the banks a channel axis, (batch, 1, size, height), and nothing is summed."
    recognise(
        result,
        (colours, right.sum(dim=1)),
        (colours, right.sum(dim=1, keepdim=True)),
        (colours, right.mean(dim=1)),
        (colours, right.mean(dim=1, keepdim=True)),
        ("Keep the colours apart: you took the first one only.", right[:, :1]),
        ("Keep the colours apart: you took the first one only.", right[:, 0]),
        ("Channels come before rows and columns: the shape is (batch, channels, size, size).", right.movedim(1, -1)),
    )
    hint = "Wrong for a picture that is wider than high: F_Y goes with the height, F_X with the width."
    expect_close(result, right, hint, PATCH)


@reading.behaviour("gives each picture its own window")
def _(answer):
    images, (rows, columns) = torch.rand(3, 3, 3, 3), make_banks(3, 3, 3, 3)  # equal sizes: every broadcast works
    intensity = torch.tensor([0.5, 1.0, 2.0])
    result = answer(images.clone(), rows.clone(), columns.clone(), intensity.clone())
    plain = window_read(images, rows, columns, torch.ones(3))
    axis = "The banks met the channels, not the pictures: give them a channel axis, rows.unsqueeze(1)."
    gamma = "γ met the wrong axis: make it (batch, 1, 1, 1), so that each picture has its own."
    each = intensity.view(-1, 1, 1, 1)
    recognise(
        result,
        (axis, each * (rows @ images @ columns.transpose(1, 2))),
        (axis, each * (rows.unsqueeze(1) @ images @ columns.transpose(1, 2))),
        (axis, each * (rows @ images @ columns.transpose(1, 2).unsqueeze(1))),
        (axis, intensity * (rows @ images @ columns.transpose(1, 2))),
        (gamma, plain * intensity),
        (gamma, plain * intensity.view(-1, 1)),
        (gamma, plain * intensity.view(-1, 1, 1)),
        ("All pictures were read with the first one's intensity.", plain * intensity[0]),
        ("All pictures were read with the same intensity, the mean.", plain * intensity.mean()),
        ("All pictures were read through the first one's window.", each * (rows[0] @ images @ columns[0].T)),
        (
            "You read the first picture every time.",
            window_read(images[:1].repeat(3, 1, 1, 1), rows, columns, intensity),
        ),
    )
    expect_close(result, each * plain, "Each picture has its own two banks and its own γ.", PATCH)


@reading.behaviour("works for one picture, one filter more or less")
def _(answer):
    for batch, channels, height, width, size in [(1, 1, 4, 4, 1), (1, 2, 3, 8, 6), (4, 1, 6, 2, 3)]:
        images, banks = torch.rand(batch, channels, height, width), make_banks(batch, size, height, width)
        intensity = torch.rand(batch) + 0.5
        hint = f"Wrong for {batch} picture(s) of {channels} x {height} x {width} and {size} filters."
        result = answer(images.clone(), *[bank.clone() for bank in banks], intensity.clone())
        expect_close(result, window_read(images, *banks, intensity), hint, PATCH)


@reading.behaviour("lets a gradient reach all four inputs")
def _(answer):
    rows, columns = make_banks(2, 2, 3, 4)
    inputs = {"images": torch.rand(2, 2, 3, 4), "rows": rows, "columns": columns, "intensity": torch.rand(2)}
    expect_gradients(answer, window_read, **inputs)


@reading.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, torch.rand(2, 1, 3, 3), *make_banks(2, 3, 3, 3), torch.tensor([2.0, 3.0]))


@filtering.own_data
def _(generator):
    center, stride, variance = torch.rand(3, 3, generator=generator)
    return 4 + 8 * center, 0.5 + 2 * stride, 0.3 + 2 * variance, 4, 16


@reading.own_data
def _(generator):
    rows, columns = torch.softmax(torch.randn(2, 3, 4, 10, generator=generator), dim=-1)
    images = torch.rand(3, 1, 10, 10, generator=generator)
    return images, rows, columns, torch.rand(3, generator=generator)
