"""What an experiment is: recipes, how they are measured, the claims, and the checkpoints of a lesson.

A lesson's file `lesson_NN_….py` has one subclass, and `EXPERIMENT`, its only instance. The runner, the cards, the
benchmarks and the pages know experiments by this class alone:

    experiment = find_experiment("05")
    experiment.measure("ladder", "default", seed=0, fast=True)     # metrics of one seed, by key
    model, card = experiment.load("05-attention")
    experiment.checkpoint_metrics("05-attention", model)
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import nn

from course_utils.checkpoints import load_checkpoint, round_weights, save_checkpoint
from course_utils.training import History
from experiments.claims import Claim, load_claims
from experiments.evaluate import mean_loss
from experiments.recipes import PlainRecipe, long_run, training_card


class Experiment(ABC):
    """The measurements of one lesson.

    Attributes:
        lesson: its two digits.
        sources: names of the data that it can be measured on, "default" first.
        checkpoints: the recipe of each checkpoint, all trained with seed 0; a checkpoint's name begins with the lesson.
        unit: of what `watch` returns, e.g. "nats per word".
        tolerances: how far a card's metric may lie from today's on another processor, in its own unit, by the part of
            its name before "/"; see `tools.cards` for those that are not here.
    """

    lesson: ClassVar[str]
    sources: ClassVar[tuple[str, ...]] = ("default", "real")
    checkpoints: ClassVar[Mapping[str, PlainRecipe]] = {}
    unit: ClassVar[str] = "nats per word"
    tolerances: ClassVar[Mapping[str, float]] = {}

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """The comparisons, as `claims/NN.yaml` has them."""
        return load_claims(self.lesson)

    # ------------------------------------------------------------------ what is measured

    @abstractmethod
    def recipes(self, source: str) -> dict[str, dict[str, PlainRecipe]]:
        """The recipes of every part of the measurement, by the name of the system.

        Parts have nothing to do with each other: they are measured and kept one by one.

        Raises:
            ValueError: if the source is none of `sources`.
        """

    @abstractmethod
    def measure(self, part: str, source: str, seed: int, fast: bool) -> dict[str, float]:
        """Train the models of a part and evaluate them.

        Args:
            part: a key of `recipes(source)`.
            source: of the data.
            seed: what it changes is written in the claims.
            fast: few steps and examples, to test the machinery.

        Returns:
            Metrics by key, e.g. "attention/bleu/all"; the keys that end in "/seconds" are times.

        Raises:
            RealDataError, NoDocstringsError: if the data of the source cannot be had.
        """

    def gates(self, source: str) -> dict[str, float]:
        """What can be had of the metrics without the systems, measured from the data alone; the claims name the keys.

        Raises:
            RealDataError: if the data cannot be had.
        """
        return {}

    def live_trainings(self, count: int | None = None) -> dict[str, tuple[PlainRecipe, Any]]:
        """What the lesson trains while it is read, on few examples: recipe and data for `fit`, by name of the system.

        Benchmarks count and time these trainings, tests take a few steps of each. Recipes have no stages.

        Args:
            count: of training examples; None = a few dozen.

        Raises:
            ValueError: if the data are none without so many examples.
            NotImplementedError: if the lesson has not said.
        """
        raise NotImplementedError(
            f"the experiment of lesson {self.lesson} has no live_trainings(count); expected recipe and data of each "
            f"system that the lesson trains. Write it in experiments/lesson_{self.lesson}_….py, as lesson 5 does."
        )

    def settings(self, source: str) -> dict[str, dict]:
        """Everything that decides the metrics, part by part; more than the recipes where a lesson says so."""
        return {
            part: {name: recipe.configuration() for name, recipe in named.items()}
            for part, named in self.recipes(source).items()
        }

    def check_source(self, source: str) -> None:
        """Refuse a source that this lesson does not have.

        Raises:
            ValueError: naming those that it has.
        """
        if source not in self.sources:
            raise ValueError(f"source is {source!r}; expected one of {', '.join(self.sources)}.")

    # ------------------------------------------------------------------ checkpoints

    def checkpoint_data(self, name: str) -> Any:
        """What a checkpoint is trained and evaluated on."""
        raise NotImplementedError(f"lesson {self.lesson} has no checkpoints.")

    def fit(self, recipe: PlainRecipe, data: Any, seed: int = 0, **options: Any) -> tuple[nn.Module, History]:
        """Train a recipe on data; `options` are further arguments of `training.train`."""
        raise NotImplementedError(f"lesson {self.lesson} has no checkpoints.")

    def build(self, name: str, card: Mapping[str, Any]) -> nn.Module:
        """Make the untrained model of a checkpoint from its card.

        Raises:
            CheckpointError: if the words that it was trained with are not today's.
        """
        raise NotImplementedError(f"lesson {self.lesson} has no checkpoints.")

    def watch(self, model: nn.Module, data: Any) -> float:
        """What to lower on validation data, in `unit`, which decides the weights that are stored: the mean loss."""
        return mean_loss(model, data.ordered_batches(data.validation, 50))

    def checkpoint_metrics(self, name: str, model: nn.Module, most: int | None = None) -> dict[str, float]:
        """The metrics on a checkpoint's card.

        Args:
            name: key of `checkpoints`.
            model: its model.
            most: examples of each test; None = all.
        """
        raise NotImplementedError(f"lesson {self.lesson} has no checkpoints.")

    def start_of(self, name: str) -> str | None:
        """The checkpoint whose weights another one begins with; None = fresh ones."""
        return None

    def card_entries(self, name: str, model: nn.Module, data: Any) -> dict[str, Any]:
        """Further entries of a checkpoint's card, such as the vocabulary."""
        return {}

    def source_of(self, name: str) -> str:
        """The source of a checkpoint's data."""
        return "default"

    def train(self, name: str) -> None:
        """Train one of `checkpoints` with seed 0, evaluate it with rounded weights, and store it with its card.

        Raises:
            CheckpointError: if it starts from a checkpoint that is not there.
            RealDataError: if its data cannot be had.
        """
        torch.set_flush_denormal(True)
        recipe, data = self.checkpoints[name], self.checkpoint_data(name)
        start = self.start_of(name)
        options: dict[str, Any] = {"start": self.load(start)[0]} if start else {}
        watched: Callable[[nn.Module], float] = lambda model: self.watch(model, data)  # noqa: E731
        model, history = self.fit(recipe, data, **options, **long_run(name, recipe, watched, self.unit))
        round_weights(model)
        entries = self.card_entries(name, model, data)
        made_from = {"source": self.source_of(name), "credit": data.credit, **entries.pop("data", {})}
        card = training_card(name, recipe, history, made_from, {}, **entries)
        card["metrics"] = self.checkpoint_metrics(name, model)
        save_checkpoint(name, model, card)

    def load(self, name: str) -> tuple[nn.Module, dict]:
        """Load a checkpoint's model, in `eval()` mode, and its card.

        Raises:
            CheckpointError: if a file is missing or damaged, or its words are not today's.
        """
        return load_checkpoint(name, lambda card: self.build(name, card))
