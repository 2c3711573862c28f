"""Retina, Gaussian window, policy: conventions at borders, slow references, gradients, errors."""

import math

import pytest
import torch

from course_utils.mechanisms.vision import (
    GaussianWindow,
    Retina,
    WindowParameters,
    location_log_probability,
    location_to_pixels,
    share_of_pixels_seen,
)

torch.set_num_threads(1)  # tensors this small gain nothing from a second thread


def doubles(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def slow_patch(image, x, y, size, scale):
    """One patch of one grey image, pixel by pixel: zero outside, blocks of 2^scale pixels averaged."""
    height, width = len(image), len(image[0])
    column = math.floor((min(1, max(-1, x)) + 1) / 2 * width + 0.5)
    row = math.floor((min(1, max(-1, y)) + 1) / 2 * height + 0.5)
    block = 2**scale
    patch = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(size):
            for a in range(block):
                for b in range(block):
                    r, c = row - size * block // 2 + i * block + a, column - size * block // 2 + j * block + b
                    if 0 <= r < height and 0 <= c < width:
                        patch[i][j] += image[r][c] / block**2
    return patch


CORNERS = [(-1, -1), (1, 1), (-1, 1), (1, -1)]
PLACES = [*CORNERS, (0, 0), (0.31, -0.77), (-0.05, 0.4), (1.7, -9)]


@pytest.mark.parametrize("height, width", [(9, 14), (16, 16), (3, 5)])
@pytest.mark.parametrize("size, scales", [(4, 3), (2, 1), (6, 2)])
def test_retina_agrees_with_a_loop_over_pixels(height, width, size, scales):
    images = doubles(len(PLACES), 2, height, width)
    patches = Retina(size, scales)(images, torch.tensor(PLACES, dtype=torch.float64))
    assert patches.shape == (len(PLACES), scales, 2, size, size)
    for b, (x, y) in enumerate(PLACES):
        for scale in range(scales):
            for channel in range(2):
                expected = slow_patch(images[b, channel].tolist(), x, y, size, scale)
                assert torch.allclose(patches[b, scale, channel], torch.tensor(expected, dtype=torch.float64))


def test_x_points_right_and_y_points_down():
    image = torch.zeros(1, 1, 10, 20)
    image[0, 0, 1, 18] = 1.0  # at the upper right
    retina = Retina(4, 1)
    sums = {corner: float(retina(image, torch.tensor([corner], dtype=torch.float)).sum()) for corner in CORNERS}
    assert sums == {(-1, -1): 0, (1, 1): 0, (-1, 1): 0, (1, -1): 1}


def test_outside_the_image_is_dark():
    patch = Retina(4, 1)(torch.ones(1, 1, 8, 8), torch.tensor([[-1.0, 1.0]]))[0, 0, 0]
    assert patch.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_boxes_are_where_the_patches_come_from():
    images = doubles(3, 1, 30, 40)
    location = torch.tensor([[0.1, -0.2], [0.33, 0.4], [-0.5, 0.0]], dtype=torch.float64)
    retina = Retina(4, 2)
    boxes, patches = retina.boxes(location, 30, 40), retina(images, location)
    assert boxes.shape == (3, 2, 4)
    for b in range(3):
        x0, y0, x1, y1 = boxes[b, 0].tolist()
        assert torch.equal(patches[b, 0, 0], images[b, 0, y0:y1, x0:x1])
        x0, y0, x1, y1 = boxes[b, 1].tolist()
        assert patches[b, 1].mean().item() == pytest.approx(images[b, 0, y0:y1, x0:x1].mean().item())
    assert retina.boxes(location.unsqueeze(1), 30, 40).shape == (3, 1, 2, 4)


def test_the_prepared_image_gives_the_same_glimpses():
    images, location = doubles(3, 2, 7, 9), doubles(3, 2, seed=1).clamp(-1, 1)
    retina = Retina(4, 2)
    assert torch.equal(retina.glimpse(retina.prepare(images), location), retina(images, location))


def test_locations_in_pixels():
    assert location_to_pixels(torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.5]]), 40, 60).tolist() == [
        [0, 0], [60, 40], [30, 30]
    ]  # fmt: skip


@pytest.mark.parametrize("std", [0.1, 1.0, 2.5])
def test_log_probability_is_that_of_two_independent_normals(std):
    location, mean = doubles(5, 3, 2), doubles(5, 3, 2, seed=1)
    expected = torch.distributions.Normal(mean, std).log_prob(location).sum(dim=-1)
    assert torch.allclose(location_log_probability(location, mean, std), expected)


def test_gradient_of_the_log_probability_points_at_the_location():
    location, mean = doubles(4, 2), doubles(4, 2, seed=1).requires_grad_()
    location_log_probability(location, mean, 0.3).sum().backward()
    assert torch.allclose(mean.grad, (location - mean.detach()) / 0.09)


RAW = torch.tensor([[0.0, 0, 0, 0, 0], [0.4, -0.8, 1.2, -0.7, 0.3], [-1.2, 0.1, -0.4, -1.5, -0.2]], dtype=torch.float64)


def test_window_agrees_with_the_equations_of_the_paper():
    size, height, width = 5, 7, 11
    window = GaussianWindow(size)
    images = doubles(3, 2, height, width)
    parameters = window.parameters(RAW, height, width)
    patch = window.read(images, parameters)
    image = window.write(patch, parameters, height, width)
    for b, (x, y, log_variance, log_stride, log_intensity) in enumerate(RAW.tolist()):
        center_x, center_y = (width + 1) / 2 * (x + 1), (height + 1) / 2 * (y + 1)
        stride, variance = (max(width, height) - 1) / (size - 1) * math.exp(log_stride), math.exp(log_variance)

        def bank(center, length, stride=stride, variance=variance):
            rows = []
            for i in range(1, size + 1):
                mean = center + (i - size / 2 - 0.5) * stride
                row = [math.exp(-((a - mean) ** 2) / (2 * variance)) for a in range(1, length + 1)]
                rows.append([value / sum(row) for value in row])
            return torch.tensor(rows, dtype=torch.float64)

        F_X, F_Y, gamma = bank(center_x, width), bank(center_y, height), math.exp(log_intensity)
        for channel in range(2):
            read = gamma * F_Y @ images[b, channel] @ F_X.T
            assert torch.allclose(patch[b, channel], read)
            assert torch.allclose(image[b, channel], F_Y.T @ read @ F_X / gamma)


@pytest.mark.parametrize("size", [2, 3, 8])
def test_filters_sum_to_one_even_far_outside(size):
    raw = torch.tensor([[0.0, 0, 0, 0, 0], [30.0, -30, -8, 1, 0], [0.5, 0.5, -20, -5, 0], [0, 0, 12, 3, 0]])
    window = GaussianWindow(size)
    for bank, length in zip(window.filters(window.parameters(raw, 9, 13), 9, 13), (9, 13), strict=True):
        assert bank.shape == (4, size, length)
        assert bank.isfinite().all()
        assert torch.allclose(bank.sum(dim=-1), torch.ones(4, size), atol=1e-6)


def test_a_new_window_has_its_outer_filters_on_the_border_pixels():
    window = GaussianWindow(4)
    rows, columns = window.filters(window.parameters(torch.tensor([[0.0, 0, -6, 0, 0]]), 10, 10), 10, 10)
    assert rows[0].argmax(dim=-1).tolist() == columns[0].argmax(dim=-1).tolist() == [0, 3, 6, 9]
    assert rows[0].amax(dim=-1).tolist() == pytest.approx([1.0] * 4)


def test_a_sharp_window_with_stride_one_copies_pixels_and_its_box_says_which():
    images = doubles(1, 1, 12, 12)
    window, sharp = GaussianWindow(4), torch.tensor([1e-3], dtype=torch.float64)
    one = torch.ones(1, dtype=torch.float64)
    parameters = WindowParameters(center_x=one * 6.5, center_y=one * 4.5, stride=one, variance=sharp, intensity=one * 2)
    assert window.boxes(parameters).tolist() == [[4, 2, 8, 6]]
    assert torch.allclose(window.read(images, parameters), 2 * images[:, :, 2:6, 4:8])
    image = window.write(images[:, :, 2:6, 4:8], parameters, 12, 12)
    assert torch.allclose(image[:, :, 2:6, 4:8], images[:, :, 2:6, 4:8] / 2)
    assert image.abs().sum() == pytest.approx(image[:, :, 2:6, 4:8].abs().sum().item())


def test_gradients_of_the_window_against_finite_differences():
    window = GaussianWindow(3)
    images, patch = doubles(3, 1, 5, 6).requires_grad_(), doubles(3, 1, 3, 3, seed=1).requires_grad_()
    raw = RAW.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, r: window.read(x, window.parameters(r, 5, 6)), (images, raw))
    assert torch.autograd.gradcheck(lambda w, r: window.write(w, window.parameters(r, 5, 6), 5, 6), (patch, raw))


def test_share_of_pixels_seen():
    boxes = torch.tensor([[[0, 0, 2, 2], [1, 1, 3, 3]], [[-5, -5, 0, 0], [0, 0, 10, 10]], [[9, 9, 12, 12]] * 2])
    assert share_of_pixels_seen(boxes, 10, 10).tolist() == pytest.approx([0.07, 1.0, 0.01])


IMAGES = torch.zeros(2, 1, 8, 8)
ERRORS = {
    "odd retina": (lambda: Retina(5), r"size is 5 and scales 1; expected an even size"),
    "no scale": (lambda: Retina(4, 0), r"scales 0; expected"),
    "no channel": (lambda: Retina(4)(IMAGES[:, 0], torch.zeros(2, 2)), r"expected \(batch, channels.*unsqueeze\(1\)"),
    "one location": (lambda: Retina(4)(IMAGES, torch.zeros(1, 2)), r"location has shape \(1, 2\); expected \(2, 2\)"),
    "one filter": (lambda: GaussianWindow(1), r"size is 1; expected at least 2"),
    "four numbers": (lambda: GaussianWindow(3).parameters(torch.zeros(2, 4), 8, 8), r"\(2, 4\); expected \(batch, 5\)"),
    "one window": (
        lambda: GaussianWindow(3).read(IMAGES, GaussianWindow(3).parameters(torch.zeros(1, 5), 8, 8)),
        r"parameters has shape \(1, 5\); expected \(2, 5\)",
    ),
    "no std": (lambda: location_log_probability(torch.zeros(1, 2), torch.zeros(1, 2), 0.0), r"std is 0.0; exp"),
    "other mean": (lambda: location_log_probability(torch.zeros(3, 2), torch.zeros(1, 2), 1), r"expected the same"),
}


@pytest.mark.parametrize("call, message", ERRORS.values(), ids=ERRORS)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
