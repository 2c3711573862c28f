"""The training loop: schedule, clipping, early stopping, and every way to end early."""

import math
from typing import NamedTuple

import pytest
import torch
from tiny_models import SYSTEM_NAMES, random_pairs, tiny_model
from torch import nn

from course_utils.data.batching import batches_by_length, make_pair_batch
from course_utils.data.text import BEGIN, END
from course_utils.mechanisms.search import greedy_search
from course_utils.training import History, seed_everything, train

PAIRS = random_pairs([3, 5, 2, 7, 4, 1, 6, 3] * 4)


class Loss(NamedTuple):
    mean: torch.Tensor


class Slope(nn.Module):
    """One weight; the loss is a slope times it, so the gradient is the slope and the weight tells what was applied."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.path = []

    def loss(self, batch):
        self.path.append(self.weight.item())
        return Loss((batch * self.weight).sum())


def constant(value):
    return lambda epoch: [torch.tensor([value], dtype=torch.float64)]


def run(system="rnn-search", seed=0, **options):
    seed_everything(seed)
    model = tiny_model(system, seed=seed, dropout=0.2)
    options = {"steps": 12, "progress": False} | options
    history = train(model, lambda epoch: batches_by_length(PAIRS, 8, seed=100 * seed + epoch), **options)
    return model, history


@pytest.mark.parametrize("system", SYSTEM_NAMES)
def test_a_tiny_batch_can_be_learnt_by_heart(system):
    seed_everything(0)
    model = tiny_model(system, embedding_size=12, hidden_size=16)
    pairs = PAIRS[:3]
    batch = make_pair_batch(pairs)
    history = train(model, lambda epoch: [batch], steps=120, learning_rate=3e-2, progress=False)
    assert history.losses[-1] < 0.05 < 1 < history.losses[0]
    found = greedy_search(model, batch.source, batch.source_mask, begin=BEGIN, end=END, max_length=12)
    assert [hypothesis.tokens for hypothesis in found] == [target for _, target in pairs]


def test_learning_rate_rises_then_falls_to_zero():
    model = Slope()
    train(model, constant(1.0), steps=10, learning_rate=0.1, warmup=0.2, progress=False)
    # With a constant gradient each step of Adam is as long as the learning rate.
    applied = [a - b for a, b in zip(model.path, [*model.path[1:], model.weight.item()], strict=True)]
    assert applied == pytest.approx([0.05, 0.1, 0.1, *(0.1 * left / 8 for left in range(7, 0, -1))], rel=1e-5)


def test_gradient_is_clipped_and_its_norm_before_clipping_is_recorded():
    model = Slope()
    history = train(model, constant(1000.0), steps=3, clip_norm=0.5, progress=False)
    assert history.gradient_norms == [1000.0] * 3 and model.weight.grad.item() == pytest.approx(0.5)
    train(model, constant(0.25), steps=1, clip_norm=0.5, progress=False)
    assert model.weight.grad.item() == 0.25


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_before_it_reaches_the_weights(bad):
    model = Slope()
    values = iter([1.0, 1.0, bad, 1.0])
    with pytest.raises(
        FloatingPointError,
        match=r"step 2: loss (nan|-inf), gradient norm (nan|inf); expected finite.*Lower learning_rate",
    ):
        train(model, lambda epoch: (torch.tensor([value]) for value in values), steps=4, progress=False)
    assert model.path[-1] == model.weight.item() != 0 and not model.training


def test_an_empty_epoch_is_refused():
    with pytest.raises(ValueError, match="epoch 0 has no batch; expected at least one. Is the data set empty"):
        train(Slope(), lambda epoch: [], steps=3, progress=False)
    with pytest.raises(ValueError, match="epoch 1 has no batch"):
        train(Slope(), lambda epoch: [torch.ones(1)] * (1 - epoch), steps=3, progress=False)
    with pytest.raises(ValueError, match="steps is 0; expected at least 1"):
        train(Slope(), constant(1.0), steps=0, progress=False)


def test_epochs_follow_each_other():
    seen = []

    def epoch(number):
        seen.append(number)
        return [torch.ones(1)] * 3

    assert len(train(Slope(), epoch, steps=7, progress=False).losses) == 7 and seen == [0, 1, 2]


def test_the_time_limit_stops_and_says_so(capsys):
    history = train(Slope(), constant(1.0), steps=50, time_limit_seconds=0, description="probe", progress=False)
    assert history.stopped == "time" and len(history.losses) == 1
    assert "probe: stopped after 1 of 50 steps at the limit of 0 s" in capsys.readouterr().out
    assert "ended by: time" in history.summary()


def test_an_interrupt_keeps_the_weights(capsys):
    def interrupted(epoch):
        yield torch.ones(1)
        yield torch.ones(1)
        raise KeyboardInterrupt

    model = Slope()
    history = train(model, interrupted, steps=50, progress=False)
    assert history.stopped == "interrupted" and len(history.losses) == 2
    assert model.weight.item() < model.path[-1] < 0 and not model.training
    assert "interrupted after 2 of 50 steps; the weights so far are kept" in capsys.readouterr().out


def test_early_stopping_restores_the_best_weights():
    values, weights = iter([3.0, 1.0, 2.0, 1.5, 0.0]), []

    def validate(model):
        assert not model.training
        weights.append(model.weight.item())
        return next(values)

    model = Slope()
    options = {"validate": validate, "validate_every": 2, "patience": 2, "progress": False}
    history = train(model, constant(1.0), steps=40, **options)
    assert history.validations == [(2, 3.0), (4, 1.0), (6, 2.0), (8, 1.5)]
    assert history.stopped == "patience" and len(history.losses) == 8
    assert model.weight.item() == weights[1] != weights[3] and not model.training


def test_the_last_step_is_validated_and_training_mode_comes_back():
    modes = []

    class Watched(Slope):
        def loss(self, batch):
            modes.append(self.training)
            return super().loss(batch)

    history = train(Watched(), constant(1.0), steps=5, validate=lambda model: 1.0, validate_every=2, progress=False)
    assert [step for step, _ in history.validations] == [2, 4, 5] and all(modes) and history.stopped == "steps"


def test_label_smoothing_reaches_the_loss():
    assert run(label_smoothing=0.2)[1].losses[0] != run()[1].losses[0]


def test_an_empty_history_can_be_summarised():
    assert History().summary().startswith("0 steps in 0 s")
