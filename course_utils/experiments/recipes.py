"""What the trainings of all lessons share: recipes, and how a long one is watched and written down on a card."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Self

import torch

from course_utils.training import History


class PlainRecipe:
    """A base of frozen dataclasses with `steps` and `options`, a tuple of (name, value) pairs."""

    def shortened(self, share: float) -> Self:
        """The same with a share of the steps, at least one."""
        return replace(self, steps=max(1, round(self.steps * share)))

    def configuration(self) -> dict:
        """The recipe as plain values, for cards and results."""
        return {**asdict(self), "options": dict(self.options)}


def watched(measure: Callable[..., float], unit: str) -> Callable[..., float]:
    """Make a validation that prints what it measures.

    Args:
        measure: takes the model.
        unit: what the figure is in, e.g. "nats per word".
    """

    def validate(model: torch.nn.Module) -> float:
        value = measure(model)
        print(f"\nvalidation {value:.4f} {unit}", flush=True)
        return value

    return validate


def training_card(name: str, recipe: PlainRecipe, history: History, data: dict, metrics: dict, **more) -> dict:
    """Write down how a checkpoint was made; seed 0, which all checkpoints are trained with.

    Args:
        name: of the checkpoint, beginning with its lesson's two digits.
        recipe, history: how it was trained, and what happened.
        data: source and credit.
        metrics: its figures, measured with the rounded weights.
        more: further entries, e.g. `vocabulary`.
    """
    return {
        "command": f"python -m course_utils.experiments checkpoint {name[:2]} {name}",
        "seed": 0,
        "recipe": recipe.configuration(),
        "data": data,
        "seconds": round(history.seconds),
        "validations": [(step, round(value, 4)) for step, value in history.validations],
        "threads": torch.get_num_threads(),
        "metrics": metrics,
        **more,
    }
