"""What all lessons evaluate with: a mean that does not depend on batches, and maps without padding."""

from typing import NamedTuple

import pytest
import torch

from course_utils.data.batching import Batch
from experiments.evaluate import mean_loss, padded_off

VALUES = torch.tensor([1.0, 2.0, 3.0, 6.0])


class Loss(NamedTuple):
    """A loss that counts no tokens."""

    mean: torch.Tensor


class TokenLoss(NamedTuple):
    """A loss that counts them."""

    mean: torch.Tensor
    tokens: int


class Model(torch.nn.Linear):
    """Its loss is the mean of the batch's values, and another one while it trains."""

    def __init__(self):
        super().__init__(1, 1)

    def loss(self, batch):
        return Loss(batch.value.mean() + 100.0 * self.training)


@pytest.mark.parametrize("training", [True, False])
def test_every_example_counts_once_and_the_mode_is_left_as_it_was(training):
    model = Model().train(training)
    for sizes in ([4], [3, 1], [1, 2, 1]):
        batches = [Batch(value=values) for values in VALUES.split(sizes)]
        assert mean_loss(model, batches) == pytest.approx(3.0)
    assert model.training is training
    with pytest.raises(ValueError, match="batches is empty"):
        mean_loss(model, [])


def test_every_token_counts_once():
    batches = [Batch(value=VALUES[:1]), Batch(value=VALUES[1:])]
    loss = {1: TokenLoss(torch.tensor(2.0), 6), 3: TokenLoss(torch.tensor(5.0), 3)}
    assert mean_loss(Model(), batches, lambda batch: loss[len(batch)]) == pytest.approx(3.0)


def test_maps_lose_their_padding():
    weights = torch.arange(24.0).reshape(2, 3, 4)
    first, second = padded_off(weights, torch.tensor([1, 3]), [2, 4])
    assert torch.equal(first, weights[0, :1, :2]) and torch.equal(second, weights[1])
    with pytest.raises(ValueError, match="shorter|longer"):
        padded_off(weights, [1], [2])
