"""The cards of all checkpoints: what each says, what its model does today, and how far the two may lie apart."""

import json

from torch import nn

from course_utils.checkpoints import load_card
from course_utils.paths import data_folder
from experiments.experiment import Experiment
from experiments.runner import find_experiment

NATS, PERCENT = 0.02, 1.5
"""How far another processor, which rounds differently, may come out: nats per word, and everything else, which is in
per cent; `Experiment.tolerances` holds what is in another unit."""


def names() -> list[str]:
    """The stored checkpoints."""
    return sorted(path.stem for path in data_folder("checkpoints").glob("*.json"))


def experiment_of(name: str) -> Experiment:
    """The experiment of a checkpoint's lesson."""
    return find_experiment(name.partition("-")[0])


def recipe_of(name: str) -> dict:
    """The recipe that the code has for a checkpoint, as plain values."""
    return json.loads(json.dumps(experiment_of(name).checkpoints[name].configuration()))


def metrics_of(name: str) -> tuple[nn.Module, dict[str, float]]:
    """Load a checkpoint's model and measure its card's metrics anew.

    Raises:
        RealDataError, NoDocstringsError: if they are of real data that cannot be had.
    """
    experiment = experiment_of(name)
    model, _ = experiment.load(name)
    return model, experiment.checkpoint_metrics(name, model)


def tolerance(name: str, key: str) -> float:
    """What a metric of a card may differ by, in its own unit."""
    kind = key.partition("/")[0]
    return experiment_of(name).tolerances.get(kind, NATS if kind == "nats" else PERCENT)


def differences(name: str) -> dict[str, tuple[float, float]]:
    """What the card says and what is measured now, for each metric; also those that only one of them has, as NaN."""
    card, (_, now) = load_card(name)["metrics"], metrics_of(name)
    nothing = float("nan")
    return {key: (card.get(key, nothing), now.get(key, nothing)) for key in [*card, *(now.keys() - card.keys())]}
