"""The cards of all checkpoints: what each says, what its model does today, and how far the two may lie apart."""

import json

from torch import nn

from course_utils.checkpoints import load_card
from course_utils.paths import data_folder
from experiments import lesson_02_additive_attention as lesson_02
from experiments import runner

NATS, DRAWN_NATS, PERCENT, PENALTY = 0.02, 0.5, 1.5, 2.0
SHARES = {"02": 0.021, "03": 0.015}
"""How far another processor, which rounds differently, may come out: a few words, pairs or glimpses of a test. Shares
are given by lesson, because lesson 2's tests have a hundred phrases each; nats of a drawing are about a hundred, of a
word far below one."""


def names() -> list[str]:
    """The stored checkpoints."""
    return sorted(path.stem for path in data_folder("checkpoints").glob("*.json"))


def experiment_of(name: str):
    """The measurements of a checkpoint's lesson."""
    return runner.find_experiment(name.partition("-")[0])


def recipe_of(name: str) -> dict:
    """The recipe that the code has for a checkpoint, as plain values."""
    return json.loads(json.dumps(experiment_of(name).LONG_TRAINING[name].configuration()))


def figures_of(name: str) -> tuple[nn.Module, dict[str, float]]:
    """Load a checkpoint's model and measure its card's figures anew.

    Raises:
        RealDataError, NoDocstringsError: if they are of real data that cannot be had.
    """
    if name in lesson_02.LONG_TRAINING:
        data = lesson_02.phrase_data(**{**lesson_02.LONG_TRAINING_DATA, "train_count": 15_000})
        model, _ = lesson_02.load_trained(name, data)
        return model, lesson_02.checkpoint_metrics(model, data)
    experiment = experiment_of(name)
    model, _ = experiment.load_trained(name)
    return model, experiment.checkpoint_metrics(name, model)


def tolerance(name: str, key: str) -> float:
    """What a figure of a card may differ by, in its own unit."""
    lesson, kind = name[:2], key.partition("/")[0]
    if key == "nats":
        return DRAWN_NATS if lesson == "03" else NATS
    if key == "penalty":
        return PENALTY
    shares = {"exact", "pointing", "mass", "mass_on_gold", "gate", "aer", "error", "hits", "seen"}
    return SHARES.get(lesson, 0.02) if kind in shares and lesson < "05" else PERCENT


def differences(name: str) -> dict[str, tuple[float, float]]:
    """What the card says and what is measured now, for each figure; also those that only one of them has, as NaN."""
    card, (_, now) = load_card(name)["metrics"], figures_of(name)
    nothing = float("nan")
    return {key: (card.get(key, nothing), now.get(key, nothing)) for key in [*card, *(now.keys() - card.keys())]}
