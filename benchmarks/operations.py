"""What a training step costs, counted and not timed: `python -m benchmarks.operations [--write]`.

Counted are calls of PyTorch's kernels, multiplications in matrix products and convolutions, and bytes of new tensors,
for one step of every system that a lesson trains live, on eight examples. The counts do not depend on the machine or
on what else it does, so a test can compare them with data/results/operations.json and fail when one grows by a tenth.
The same is counted for lesson 2's RNNsearch at its paper's sizes; docs/full_scale.md reasons from both.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from course_utils.lessons import find_lessons
from course_utils.paths import data_folder
from experiments.claims import write_json
from experiments.runner import find_experiment
from tools import full_scale

STORED = data_folder("results") / "operations.json"
EXAMPLES = 8
ALLOWED = 1.1
"""How many times the stored count a count may be."""
PAPER = {"embedding_size": 620, "hidden_size": 1000, "attention_size": 1000, "vocabulary": 30_000, "words": 50}
"""RNNsearch as in Bahdanau et al. 2015, arXiv 1409.0473, appendices A and B; the longest sentences it trained on."""


@dataclass(frozen=True)
class Cost:
    """Counts of one training step.

    Attributes:
        kernels: calls of PyTorch's kernels, views included.
        operations: floating-point operations in matrix products and convolutions, forward and backward.
        bytes: of all tensors that were newly made.
    """

    kernels: int
    operations: int
    bytes: int

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.kernels - other.kernels, self.operations - other.operations, self.bytes - other.bytes)

    def grown(self, stored: "Cost") -> list[str]:
        """Name the counts that are more than `ALLOWED` times the stored ones."""
        pairs = ((name, value, vars(stored)[name]) for name, value in vars(self).items())
        return [f"{name}: {value:,} after {before:,}" for name, value, before in pairs if value > ALLOWED * before]


class _Counter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.kernels = self.bytes = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        answer = function(*arguments, **(keywords or {}))
        self.kernels += 1
        known, made = _storages(arguments), _storages(answer)
        self.bytes += sum(size for place, size in made.items() if place not in known)
        return answer


def _storages(values: object) -> dict[int, int]:
    """Address and bytes of the storage of every tensor in a structure."""
    storages = [leaf.untyped_storage() for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)]
    return {storage.data_ptr(): storage.nbytes() for storage in storages}


def cost_of(work: Callable[[], object]) -> Cost:
    """Count what a piece of work does."""
    with FlopCounterMode(display=False) as flops, _Counter() as counter:
        work()
    return Cost(counter.kernels, flops.get_total_flops(), counter.bytes)


def size_of(model: torch.nn.Module) -> int:
    """How many parameters a model learns."""
    return sum(parameter.numel() for parameter in model.parameters())


def costs() -> Iterator[tuple[str, str, Cost, int]]:
    """Count every system that a lesson trains live: lesson, system, cost of a step, parameters that it learns.

    A step costs what a training of two steps costs more than one of a single step.
    """
    for lesson, name, fit, recipe, data in live_trainings():
        models = []

        def train(steps: int, fit=fit, recipe=recipe, data=data, models=models) -> None:
            models.append(fit(replace(recipe, batch_size=EXAMPLES, steps=steps), data, 0, progress=False)[0])

        one, two = (cost_of(lambda steps=steps, train=train: train(steps)) for steps in (1, 2))
        yield lesson, name, two - one, size_of(models[0])


def cost_at_paper_size(examples: int = 2) -> tuple[Cost, int]:
    """Count a training step of RNNsearch as large as in its paper; nothing is trained.

    Args:
        examples: sentence pairs; operations and bytes are in proportion to them.

    Returns:
        The cost with the optimiser's part left out, and how many parameters the model has.
    """
    from course_utils.data.batching import make_pair_batch
    from course_utils.models.translation import RNNsearch

    sizes = {name: PAPER[name] for name in ("embedding_size", "hidden_size", "attention_size")}
    model, rng = RNNsearch(PAPER["vocabulary"], PAPER["vocabulary"], **sizes), random.Random(0)
    sentences = [[rng.randrange(4, PAPER["vocabulary"]) for _ in range(PAPER["words"])] for _ in range(2 * examples)]
    batch = make_pair_batch(list(zip(sentences[::2], sentences[1::2], strict=True)))
    return cost_of(lambda: model.loss(batch).mean.backward()), size_of(model)


def live_trainings(count: int | None = None) -> Iterator[tuple[str, str, Callable, object, object]]:
    """Everything that lessons train live: lesson, system, `fit(recipe, data, seed, …)`, recipe, data.

    Args:
        count: of training examples; None = as few as each lesson says.

    Raises:
        NotImplementedError: if the experiment of a lesson does not say what the lesson trains.
    """
    for lesson in find_lessons():
        if lesson.has_experiment:
            experiment = find_experiment(lesson.number)
            for name, (recipe, data) in experiment.live_trainings(count).items():
                yield lesson.number, name, experiment.fit, recipe, data


def stored() -> dict[tuple[str, str], Cost]:
    """Read the counts of data/results/operations.json."""
    steps = json.loads(STORED.read_text(encoding="utf-8"))["steps"]
    return {(row["lesson"], row["system"]): Cost(**row["step"]) for row in steps}


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="store the counts in data/results/operations.json")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"one training step on {EXAMPLES} examples\n{'':<26}{'kernels':>9}{'operations':>13}{'megabytes':>11}")
    rows = []
    for lesson, name, cost, size in costs():
        print(f"{lesson} {name:<23}{cost.kernels:>9,}{cost.operations / 1e6:>11,.0f} M{cost.bytes / 1e6:>11,.1f}")
        rows.append({"lesson": lesson, "system": name, "step": vars(cost), "parameters": size})
    if options.write:
        cost, size = cost_at_paper_size(examples=2)
        paper = {"sizes": PAPER, "examples": 2, "step": vars(cost), "parameters": size}
        content = {"command": "python -m benchmarks.operations --write", "torch": torch.__version__, "steps": rows}
        write_json(STORED, {**content, "paper": paper})
        full_scale.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
