"""The references of lesson 4's exercises compute what the course's models and marks compute."""

from types import SimpleNamespace

import pytest
import torch

from course_utils.exercises.lesson_04 import (
    cells_with_coordinates,
    doubly_stochastic,
    hard_loss,
    hard_sample,
    pointing_game,
)
from course_utils.models.captioning import CellEncoder, coverage_penalty
from course_utils.models.glimpses import reinforce_losses
from experiments import captioning


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def test_cells_stand_where_the_encoder_puts_them():
    encoder = CellEncoder(32, 64, widths=(4, 4, 4))
    maps = torch.randn(2, 3, encoder.rows, encoder.columns)
    cells = cells_with_coordinates.cells_with_coordinates(maps)
    torch.testing.assert_close(cells[1, :, 3:], encoder.coordinates.flatten(0, 1))
    x, y = pointing_game.cell_middles(encoder.rows, encoder.columns, 32, 64)
    boxes = encoder.cell_boxes().float()
    torch.testing.assert_close(torch.stack([x, y], dim=1), (boxes[:, :2] + boxes[:, 2:]) / 2)
    in_pixels = (cells[0, :, 3:] + 1) / 2 * torch.tensor([64.0, 32.0])
    torch.testing.assert_close(torch.stack([x, y], dim=1), in_pixels)


def test_the_penalty_is_that_of_the_models():
    weights, mask = torch.randn(3, 4, 5).softmax(dim=2), torch.arange(4) < torch.tensor([[4], [1], [3]])
    torch.testing.assert_close(
        doubly_stochastic.coverage_penalty(weights, mask, 0.3), 0.3 * coverage_penalty(weights, mask).mean()
    )


def test_hard_loss_is_the_policy_loss_of_the_models():
    logs, mask = torch.randn(3, 4, requires_grad=True), torch.arange(4) < torch.tensor([[4], [1], [3]])
    entropies, reward, baseline = torch.rand(3, 4), -torch.rand(3), -0.4
    ours, _ = hard_loss.hard_loss(logs, entropies, mask, reward, baseline, 0.5, 0.0)
    returns = reward.unsqueeze(1).expand(3, 4)
    theirs, _ = reinforce_losses(logs, returns, torch.full((3, 4), baseline), mask=mask)
    torch.testing.assert_close(ours, 0.5 * theirs)
    torch.testing.assert_close(*(torch.autograd.grad(loss, logs)[0] for loss in (ours, 0.5 * theirs)))


def test_the_gradient_along_draws_is_that_of_the_expectation():
    """The mean over many draws of the loss's gradient is minus the gradient of the expected reward."""
    scores = torch.tensor([0.3, -0.5, 0.8], requires_grad=True)
    worth = torch.tensor([-1.0, -3.0, -2.0])
    (exact,) = torch.autograd.grad(scores.softmax(0) @ worth, scores)
    draws = 20_000
    weights = scores.softmax(0).expand(draws, 3)
    rewards, logs = hard_sample.sample_cell(
        weights, worth.view(1, 3, 1).expand(draws, 3, 1), torch.Generator().manual_seed(0)
    )
    every = torch.ones(draws, 1, dtype=torch.bool)
    loss, _ = hard_loss.hard_loss(logs.unsqueeze(1), torch.zeros(draws, 1), every, rewards.squeeze(1), -1.8, 1.0, 0.0)
    (drawn,) = torch.autograd.grad(loss, scores)
    torch.testing.assert_close(drawn, -exact, atol=0.02, rtol=0)
    assert exact.abs().max() > 0.1


def test_the_pointing_game_is_that_of_the_experiments():
    encoder = CellEncoder(32, 64, widths=(4, 4, 4))
    words, sizes = 30, (encoder.rows, encoder.columns, 31, 63)
    maps = torch.rand(words, encoder.cells).softmax(dim=1)
    _, boxes, *_ = pointing_game.sample(torch.Generator().manual_seed(0), words, 3, *sizes)
    boxes[1] = -1
    gold = {word: tuple(map(tuple, row[row[:, 0] >= 0].tolist())) for word, row in enumerate(boxes) if (row >= 0).any()}
    assert 0 < len(gold) < words
    example = SimpleNamespace(image=torch.zeros(3, 32, 64), boxes=lambda caption: gold)
    score = captioning.pointing_game([maps], [example], encoder.cell_boxes())
    hits, chance = pointing_game.pointing_game(maps, boxes, encoder.rows, encoder.columns, 32, 64)
    assert (hits, chance) == pytest.approx((score.hits, score.uniform))
