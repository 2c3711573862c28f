"""What a training step costs, counted: a step that has become dearer by more than a tenth is seen here."""

import json

import pytest
import torch
from torch import nn

from benchmarks import operations
from benchmarks.operations import Cost, cost_of


def test_no_training_step_has_become_dearer():
    made_with = json.loads(operations.STORED.read_text(encoding="utf-8"))["torch"]
    if made_with.split("+")[0] != torch.__version__.split("+")[0]:
        pytest.skip(f"the counts were stored with torch {made_with}, this is {torch.__version__}")
    stored = operations.stored()
    now = {(lesson, system): cost for lesson, system, cost, _ in operations.costs()}
    assert now.keys() == stored.keys(), "count again: python -m benchmarks.operations --write"
    dearer = {name: grown for name, cost in now.items() if (grown := cost.grown(stored[name]))}
    assert not dearer, "mend it, or if it is worth its price: python -m benchmarks.operations --write"


def test_what_is_counted():
    left, right = torch.ones(10, 20), torch.ones(20, 30)
    assert cost_of(lambda: left @ right) == Cost(kernels=1, operations=2 * 10 * 20 * 30, bytes=4 * 10 * 30)
    assert cost_of(lambda: left.add_(1)) == Cost(1, 0, 0), "in place: nothing new"
    assert cost_of(lambda: left[:5]).bytes == 0, "a view: nothing new"
    layer = nn.Linear(20, 30)
    forward = cost_of(lambda: layer(left))
    both = cost_of(lambda: layer(left).sum().backward())
    assert both.operations == 2 * forward.operations, "the input needs no gradient"


def test_a_loop_in_place_of_a_product_is_seen():
    """Keys projected once per sentence against once per target word: more operations, more kernels."""
    keys, weight = torch.ones(8, 12, 16), torch.ones(16, 16)
    once = cost_of(lambda: [keys @ weight])
    per_word = cost_of(lambda: [keys @ weight for _ in range(5)])
    assert len(per_word.grown(once)) == 3
    assert once.grown(per_word) == [] and once.grown(once) == []
    assert "operations: 110 after 99" in Cost(1, 110, 1).grown(Cost(1, 99, 1))[0]
