"""What the trainings of all lessons share: recipes, and how a long one is watched and written down on a card."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Self, TypeVar

import torch
from torch import nn

from course_utils.process_group import current_process_group
from course_utils.training import History, pick_device, seed_everything, train
from course_utils.training_checkpoints import training_checkpoint_path

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class PlainRecipe:
    """Everything that decides a trained model besides data and seed; lessons add what they need.

    Attributes:
        system: a name in the `SYSTEMS` of a lesson's models.
        options: further arguments of the system, e.g. `(("hidden_size", 96),)`.
        steps, learning_rate: see `training.train`.
        batch_size: examples in a batch.
    """

    system: str
    options: tuple[tuple[str, object], ...] = ()
    steps: int = 1000
    learning_rate: float = 3e-3
    batch_size: int = 32

    def shortened(self, share: float) -> Self:
        """The same with a share of the steps, at least one."""
        return replace(self, steps=max(1, round(self.steps * share)))

    def configuration(self) -> dict:
        """The recipe as plain values, for cards and results."""
        return {**asdict(self), "options": dict(self.options)}


def train_recipe(
    recipe: PlainRecipe,
    seed: int,
    build: Callable[[], M],
    batches_of: Callable[[M], Callable[[int], Iterable]],
    **options,
) -> tuple[M, History]:
    """Make a recipe's model from a seed and train it.

    Args:
        recipe: with `system`, `steps` and `learning_rate`.
        seed: of all random states but that of the batches.
        build: makes the model, on the CPU.
        batches_of: takes the model, on its device; returns what `training.train` takes its batches from.
        options: further arguments of `training.train`.
    """
    # Vanishing gradients become denormal numbers, which a CPU adds three to five times more slowly.
    torch.set_flush_denormal(True)
    seed_everything(seed)
    model = build().to(pick_device())
    settings = {"steps": recipe.steps, "learning_rate": recipe.learning_rate, "description": recipe.system}
    if current_process_group():  # long enough to be killed: it waits in a file of its own
        settings["resume"] = training_checkpoint_path(f"{recipe.system}-{seed}-{_digest(recipe)}")
    return model, train(model, batches_of(model), **{**settings, **options})


def _digest(recipe: PlainRecipe) -> str:
    return hashlib.sha256(json.dumps(recipe.configuration(), sort_keys=True, default=str).encode()).hexdigest()[:12]


def long_run(name: str, recipe: PlainRecipe, measure: Callable[..., float], unit: str) -> dict:
    """Return the options of `training.train` for a checkpoint: twenty printed validations, and a place to wait in.

    Args:
        name: of the checkpoint.
        recipe: how it is trained.
        measure: takes the model and returns the value to lower.
        unit: what that is in, e.g. "nats per word".
    """

    def validate(model: torch.nn.Module) -> float:
        value = measure(model)
        print(f"\nvalidation {value:.4f} {unit}", flush=True)
        return value

    return {
        "validate": validate,
        "validate_every": max(1, recipe.steps // 20),
        "resume": training_checkpoint_path(name),
    }


def training_card(name: str, recipe: PlainRecipe, history: History, data: dict, metrics: dict, **more) -> dict:
    """Write down how a checkpoint was made; seed 0, which all checkpoints are trained with.

    Args:
        name: of the checkpoint, beginning with its lesson's two digits.
        recipe, history: how it was trained, and what happened.
        data: source and credit.
        metrics: measured with the rounded weights.
        more: further entries, e.g. `vocabulary`.
    """
    return {
        "command": f"python -m experiments checkpoint {name[:2]} {name}",
        "seed": 0,
        "recipe": recipe.configuration(),
        "data": data,
        "seconds": round(history.seconds),
        "validations": [(step, round(value, 4)) for step, value in history.validations],
        "threads": torch.get_num_threads(),
        "metrics": metrics,
        **more,
    }
