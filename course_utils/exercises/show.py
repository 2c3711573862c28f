"""Values in few characters, for messages: what a case gives, what came back, what was expected."""

import types

import torch
from torch import Tensor, nn

from course_utils.exercises.compare import ABSENT, NOTHING

WHOLE = 24  # entries of a tensor that are printed; of a larger one, its shape and its beginning
WIDTH = 600  # characters of anything else


def show(value: object) -> str:
    """Write a value so that a learner can compute with it, or as much of it as can be read."""
    if isinstance(value, Tensor):
        return _tensor(value)
    if isinstance(value, nn.Module):
        return repr(value).partition("\n")[0]
    if isinstance(value, torch.Generator):
        return "a torch.Generator"
    if isinstance(value, types.FunctionType | types.MethodType):
        return f"the function {value.__name__}"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, tuple | list):
        inside = _shorten(", ".join(show(item) for item in value))
        return f"({inside})" if isinstance(value, tuple) else f"[{inside}]"
    if isinstance(value, dict):
        return _shorten("{" + ", ".join(f"{show(key)}: {show(item)}" for key, item in value.items()) + "}")
    if isinstance(value, set | frozenset):
        return _shorten("{" + ", ".join(sorted(map(show, value))) + "}" if value else "set()")
    if isinstance(value, str) and value in (ABSENT, NOTHING):
        return value
    if isinstance(value, str) and value.startswith("<"):
        return f"an object of the class {value.strip('<>')}"
    return _shorten(repr(value))


def given(names: list[str], arguments: tuple) -> str:
    """Write arguments, one to a line."""
    return "\n".join(f"{name} = {show(value)}" for name, value in zip(names, arguments, strict=True))


def shapes(arguments: dict[str, object]) -> str:
    """Write the shapes of those arguments that have one."""
    return ", ".join(f"{name} {tuple(value.shape)}" for name, value in arguments.items() if isinstance(value, Tensor))


def _tensor(value: Tensor) -> str:
    value = value.detach()
    if value.numel() <= WHOLE:
        return _nested(value.tolist())
    beginning = ", ".join(_entry(item) for item in value.flatten()[:4].tolist())
    return f"tensor of shape {tuple(value.shape)}, beginning {beginning}, …"


def _nested(value: object) -> str:
    return f"[{', '.join(map(_nested, value))}]" if isinstance(value, list) else _entry(value)


def _entry(value: object) -> str:
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    whole = abs(value) < 1e6 and value == int(value)
    return f"{value:.1f}" if whole else f"{value:.4g}"


def _shorten(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
