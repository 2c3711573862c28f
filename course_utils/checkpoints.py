"""Trained weights with a card beside them: `data/checkpoints/<name>.safetensors` and `<name>.json`.

Matrices are stored in bytes with a scale for each row, everything else in half precision. The card's metrics are
measured with these rounded weights, so they are what a learner gets.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from course_utils.files import write_whole
from course_utils.paths import data_folder

_SCALE = "/scale"  # behind the name of a matrix in bytes: its scale for each row


class CheckpointError(Exception):
    """A checkpoint is missing, damaged, or does not fit the model."""


def round_weights(model: nn.Module) -> None:
    """Round a model's weights and statistics, in place, to what a checkpoint can hold: matrices to 255 values a row."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.half())
            if _is_matrix(tensor):
                steps, scale = _in_steps(tensor)
                tensor.copy_(steps * scale.float())


def _is_matrix(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.dim() > 1


def _in_steps(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Write each row (the first dimension) as whole numbers from -127 to 127 times a scale in half precision."""
    others = tuple(range(1, matrix.dim()))
    scale = (matrix.float().abs().amax(dim=others, keepdim=True) / 127).half().clamp_min(torch.finfo(torch.half).tiny)
    return (matrix.float() / scale.float()).round().clamp(-127, 127), scale


def save_checkpoint(name: str, model: nn.Module, card: Mapping, folder: Path | None = None) -> Path:
    """Store a model and its card; a file of that name is replaced only when both are complete.

    Args:
        name: file name without ending.
        model: its weights are stored as `round_weights` leaves them.
        card: how it was made: command, seed, settings, vocabularies, versions, metrics.
        folder: where; `data/checkpoints` if None.

    Returns:
        The path of the weights.
    """
    from safetensors.torch import save

    folder = folder or data_folder("checkpoints")
    stored: dict[str, torch.Tensor] = {}
    for key, tensor in model.state_dict().items():
        tensor = tensor.detach().cpu()
        if _is_matrix(tensor):
            steps, scale = _in_steps(tensor)
            stored |= {key: steps.to(torch.int8), key + _SCALE: scale}
        else:
            stored[key] = tensor.half()
    content = save({key: tensor.contiguous() for key, tensor in stored.items()})
    card = {**card, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    write_whole(folder / f"{name}.safetensors", content)
    write_whole(folder / f"{name}.json", text.encode())
    return folder / f"{name}.safetensors"


def load_card(name: str, folder: Path | None = None) -> dict:
    """Read a checkpoint's card.

    Raises:
        CheckpointError: if it is missing or not JSON.
    """
    path = (folder or data_folder("checkpoints")) / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"the card {path.name} is missing; make it with the command in data/README.md.") from None
    except ValueError as error:
        raise CheckpointError(f"the card {path.name} is damaged ({error}); restore it from the repository.") from error


def load_checkpoint(
    name: str, build: Callable[[dict], nn.Module], folder: Path | None = None
) -> tuple[nn.Module, dict]:
    """Load a model and its card.

    Args:
        name: file name without ending.
        build: makes the untrained model from the card.
        folder: where; `data/checkpoints` if None.

    Returns:
        The model, in `eval()` mode, and its card.

    Raises:
        CheckpointError: if a file is missing or damaged, or the weights do not fit the model.
    """
    from safetensors.torch import load

    card = load_card(name, folder)
    path = (folder or data_folder("checkpoints")) / f"{name}.safetensors"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(f"{path.name} is missing; make it with: {card.get('command', 'its command')}") from None
    if hashlib.sha256(content).hexdigest() != card.get("sha256"):
        raise CheckpointError(
            f"{path.name} has {len(content)} bytes that are not those of its card ({card.get('bytes')} bytes); "
            f"restore it from the repository, or make it again with: {card.get('command')}"
        )
    model = build(card)
    stored = load(content)
    scales = {key: stored.pop(key + _SCALE).float() for key in list(stored) if key + _SCALE in stored}
    try:
        model.load_state_dict({key: tensor.float() * scales.get(key, 1.0) for key, tensor in stored.items()})
    except RuntimeError as error:
        raise CheckpointError(f"{path.name} does not fit the model of its card: {error}") from error
    return model.eval(), card


def check_vocabulary(name: str, words: Sequence[str], today: Sequence[str]) -> None:
    """Refuse a checkpoint whose ids mean other words than today's.

    Args:
        name: of the checkpoint, beginning with its lesson's two digits.
        words: from its card.
        today: words of the vocabulary as it is made now.

    Raises:
        CheckpointError: if they differ.
    """
    if tuple(words) != tuple(today):
        raise CheckpointError(
            f"{name} was trained with {len(words)} words that are not today's {len(today)}; "
            f"make it again with: python -m experiments checkpoint {name[:2]} {name}"
        )
