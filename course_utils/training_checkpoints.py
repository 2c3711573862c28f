"""Where a long training waits if it is interrupted: weights, optimiser, schedule, random states, place in the data.

A training that is taken up again gives the same model, bit for bit, as one that was never interrupted.
"""

import io
import pickle
import random
from pathlib import Path

import numpy
import torch

from course_utils.files import write_whole

FORMAT = 2


def training_checkpoint_path(name: str) -> Path:
    """Where the training of a checkpoint waits: in `runs/`, which is not committed."""
    return Path("runs") / f"{name}.ckpt"


class TrainingCheckpointError(RuntimeError):
    """A file from which no training can go on."""


def save_training_checkpoint(path: Path, identity: dict, content: dict) -> None:
    """Write a training checkpoint whole or not at all.

    Args:
        path: the file; its folder is made.
        identity: plain values that say which training this is.
        content: tensors, numbers, strings, and lists and dictionaries of them.
    """
    state = numpy.random.get_state()
    rng_state = {
        "python": random.getstate(),
        "numpy": (state[0], state[1].tolist(), *state[2:]),
        "torch": torch.get_rng_state(),
    }
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "identity": identity, "rng_state": rng_state, **content}, buffer)
    write_whole(path, buffer.getvalue())


def load_training_checkpoint(path: Path, identity: dict) -> dict | None:
    """Read a training checkpoint; None if there is no such file. `restore_rng_state` sets the random states.

    Args:
        path: the file.
        identity: of the training that wants to go on.

    Raises:
        TrainingCheckpointError: if the file is damaged, or another training waits in it.
    """
    if not path.is_file():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)  # wherever it was written
        kept = content["identity"] if content["format"] == FORMAT else None
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        first = str(error).partition("\n")[0].partition(". ")[0]  # PyTorch goes on with advice for programmers
        raise TrainingCheckpointError(
            f"{path} is no training checkpoint that can be read here ({type(error).__name__}: {first}); expected a "
            "whole file of this version of the course. To begin anew, move it elsewhere: it may be good where it was "
            "made."
        ) from error
    if kept != identity:
        raise TrainingCheckpointError(
            f"in {path} waits another training ({kept}) than this one ({identity}); finish that one, or move the file "
            "elsewhere to begin anew."
        )
    return content


def restore_rng_state(content: dict) -> None:
    """Set Python's, NumPy's and PyTorch's global generators to where they were."""
    version, numbers, gauss = content["rng_state"]["python"]
    random.setstate((version, tuple(numbers), gauss))
    kind, keys, *rest = content["rng_state"]["numpy"]
    numpy.random.set_state((kind, numpy.array(keys, dtype=numpy.uint32), *rest))
    torch.set_rng_state(content["rng_state"]["torch"])
