"""Cases that many exercises share, each switched on by one word; what it demands is told in the exercise's text."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.exercises.compare import ABSENT
from course_utils.exercises.engine import Case, Demand, Exercise

LARGE = 1e30  # finite in float32
NO_GRADIENT = (
    "The model learns through this function: nothing on the way may be .detach(), .data, .item(), .tolist(), numpy, "
    "torch.no_grad, nn.Parameter(...) or torch.tensor(...)."
)


def sizes(says: str = "", **wanted: float) -> Demand:
    """The exercise's sample in other sizes: `sizes(batch=1)`."""
    words = " and ".join(f"{name.replace('_', ' ')} = {value}" for name, value in wanted.items())
    return Demand(
        "any sizes, small and large", lambda _: [Case(says or f"Other sizes work, too: {words}.", wanted, seed=1)]
    )


def padding(**masked_by: str) -> Demand:
    """Padding holds NaN and infinity, and nothing changes: `padding(scores="source_mask")`."""

    def cases(exercise: Exercise) -> list[Case]:
        def inputs(fills: tuple[float, ...]) -> tuple:
            arguments = dict(zip(exercise.parameters, clean(), strict=True))
            for name, mask in masked_by.items():
                arguments[name] = _fill(arguments[name], arguments[mask], fills)
            return tuple(arguments.values())

        def clean() -> tuple:
            return exercise.sample(torch.Generator().manual_seed(2))

        says = "Padding may hold anything: {} there changes nothing."
        kinds = [("NaN", (torch.nan,)), ("infinity", (torch.inf, -torch.inf))]
        return [Case(says.format(name), partial(inputs, fills), clean=clean) for name, fills in kinds]

    return Demand("padding may hold anything, NaN and infinity too", cases)


def extremes(**masked_by: str) -> Demand:
    """Scores of ±1e30, the largest of them under the padding: `extremes(scores="source_mask")`."""

    def cases(exercise: Exercise) -> list[Case]:
        def inputs(real: float, hidden: float) -> tuple:
            arguments = dict(zip(exercise.parameters, exercise.sample(torch.Generator().manual_seed(3)), strict=True))
            for name, mask in masked_by.items():
                ranks = arguments[name].argsort(dim=-1).argsort(dim=-1) / arguments[name].shape[-1]
                ranks[-1] = ranks.max()  # a row with padding holds the smallest score of all
                arguments[name] = _fill(real * (1 + ranks), arguments[mask], (hidden,))
            return tuple(arguments.values())

        both = [(-LARGE, LARGE), (-LARGE, 0.0), (LARGE, LARGE)]
        says = "Scores may be large: here real ones are near {:g}, and padding holds {:g}."
        large = [Case(says.format(real, hidden), partial(inputs, real, hidden)) for real, hidden in both]
        gradients = partial(_gradients, exercise, tuple(masked_by), ())
        moderate = Case("A gradient is right where padding holds 1e+30, too.", partial(inputs, 1.0, LARGE), gradients)
        return [*large, replace(moderate, tolerance=1e-4, note=NO_GRADIENT)]

    return Demand(f"{_listed(masked_by)} may be as large as ±1e30", cases)


def differentiable(*names: str, normalised: tuple[str, ...] = (), **chosen: int) -> Demand:
    """The gradient with respect to these arguments is the reference's.

    Args:
        names: of tensors, of lists of tensors, or of modules, whose parameters count.
        normalised: those that are weights; their gradient is taken with respect to scores before a softmax.
        chosen: sizes for the exercise's sample.
    """

    says = f"A gradient reaches {', '.join(names)}."
    return Demand(
        f"stays differentiable in {_listed(names)}",
        lambda exercise: [
            Case(says, chosen, partial(_gradients, exercise, names, normalised), 1e-4, note=NO_GRADIENT, seed=4)
        ],
    )


def dtypes(*wanted: torch.dtype, **chosen: float) -> Demand:
    """Arguments of these types give a result of the same type: `dtypes(torch.float64)`."""

    def cases(exercise: Exercise) -> list[Case]:
        def inputs(dtype: torch.dtype) -> tuple:
            arguments = exercise.sample(torch.Generator().manual_seed(5), **chosen)
            return tuple(_cast(argument, dtype) for argument in arguments)

        note = "Make new tensors like those you were given: torch.zeros_like(x) or x.new_zeros(...)."
        return [
            Case(
                f"In {str(dtype).removeprefix('torch.')} the result is as exact as the arguments are.",
                partial(inputs, dtype),
                observe=_with_dtype,
                tolerance={torch.float64: 1e-10}.get(dtype, 1e-2),
                note=note,
            )
            for dtype in wanted
        ]

    words = " and ".join(str(dtype).removeprefix("torch.") for dtype in wanted)
    return Demand(f"works in {words}, too", cases)


def wide_ids(*names: str) -> Demand:
    """Ids above 32,767 stay what they are: `wide_ids("ids")`."""

    def inputs(exercise: Exercise) -> tuple:
        arguments = dict(zip(exercise.parameters, exercise.sample(torch.Generator().manual_seed(6)), strict=True))
        return tuple(value + 70_000 if name in names else value for name, value in arguments.items())

    says = "Ids may be large: here they are above 70,000."
    return Demand("ids may be large", lambda exercise: [Case(says, partial(inputs, exercise))])


def _gradients(
    exercise: Exercise, names: tuple[str, ...], normalised: tuple[str, ...], answer: Callable, *arguments: object
) -> dict:
    """Observe an answer by its result and the gradients of a sum over it."""
    given: list[object] = []
    leaves: dict[str, Tensor] = {}
    for name, argument in zip(exercise.parameters, arguments, strict=True):
        if name in names:
            argument = _leaf(argument, name, name in normalised, leaves)
        given.append(argument)
    result = answer(*given)
    observed = {"returned": result}
    tensors = [tensor for tensor in _tensors(result) if tensor.requires_grad]
    total = sum((_weighted(tensor) for tensor in tensors), torch.zeros(()))
    found: Sequence[Tensor | None] = [None] * len(leaves)
    if tensors:
        found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    for name, gradient in zip(leaves, found, strict=True):
        observed[f"gradient of {name}"] = ABSENT if gradient is None else gradient
    return observed


def _listed(names) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _fill(tensor: Tensor, mask: Tensor, fills: tuple[float, ...]) -> Tensor:
    """Write numbers where the mask, over the first dimensions, is False."""
    hidden = ~mask.reshape(*mask.shape, *[1] * (tensor.dim() - mask.dim())).expand_as(tensor)
    values = torch.tensor([value for _, value in zip(range(int(hidden.sum())), cycle(fills), strict=False)])
    return tensor.clone().masked_scatter(hidden, values.to(tensor.dtype))


def _leaf(argument: Any, name: str, normalised: bool, leaves: dict[str, Tensor]) -> Any:
    """What to hand on in place of an argument, so that its gradient can be taken; adds the leaves by name."""
    if isinstance(argument, nn.Module):
        leaves |= {f"{name}.{inner}": parameter for inner, parameter in argument.named_parameters()}
        return argument
    if isinstance(argument, list | tuple):
        return type(argument)(
            _leaf(item, f"{name}[{place}]", normalised, leaves) for place, item in enumerate(argument)
        )
    leaf = argument.detach().clone()
    leaf = (leaf.clamp(min=1e-6).log() if normalised else leaf).requires_grad_()
    leaves[name] = leaf
    return leaf.softmax(dim=-1) if normalised else leaf * 1  # a leaf itself could not be changed in place


def _tensors(result: Any) -> list[Tensor]:
    """The floating-point tensors in a result."""
    if type(result) in (Tensor, nn.Parameter):
        return [result] if result.is_floating_point() else []
    return [tensor for item in result for tensor in _tensors(item)] if isinstance(result, list | tuple) else []


def _weighted(tensor: Tensor) -> Tensor:
    """A sum in which every entry has a weight of its own."""
    return (tensor * torch.arange(1.0, tensor.numel() + 1).reshape(tensor.shape)).sum()


def _cast(argument: object, dtype: torch.dtype) -> object:
    """Convert what holds fractions; doubles get a last part that single precision cannot hold."""
    if isinstance(argument, nn.Module):
        return argument.to(dtype)
    if isinstance(argument, list | tuple):
        return type(argument)(_cast(item, dtype) for item in argument)
    if not isinstance(argument, Tensor) or not argument.is_floating_point():
        return argument
    if dtype != torch.float64:
        return argument.to(dtype)
    exact = argument.double() * (1 + 2**-26)
    sums = argument.sum(dim=-1) if argument.dim() else argument
    weights = bool((argument >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4)
    return exact / exact.sum(dim=-1, keepdim=True) if weights and argument.dim() else exact


def _with_dtype(answer: Callable, *arguments: object) -> dict:
    result = answer(*arguments)
    parts = result if isinstance(result, list | tuple) else [result]
    types = [str(part.dtype) if part.is_floating_point() else "whole numbers" for part in parts if type(part) is Tensor]
    return {"dtype": ", ".join(types), "returned": result}
