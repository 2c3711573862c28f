"""What to say where an answer raised an error: the error itself, the line, the shapes, and the likeliest slip."""

import ast
import linecache
import textwrap
import traceback
from collections.abc import Callable

from torch import Tensor

from course_utils.exercises.show import shapes

STUB = "This exercise is not written yet."
LONGEST = 500  # characters of a message


def is_stub(error: Exception) -> bool:
    """Say whether the error is the stub's own: torch raises NotImplementedError, too."""
    return isinstance(error, NotImplementedError) and words(error) in ("", STUB)


def words(error: Exception) -> str:
    """An error's own message; one that a learner's class makes may be endless, or break."""
    try:
        return str(error)[:LONGEST]
    except Exception:
        return ""


def describe(error: Exception, answer: Callable, arguments: dict[str, object]) -> str:
    """Say what was raised, in which line of the learner's cell, and which shapes the arguments had."""
    frames = traceback.extract_tb(error.__traceback__)
    file = getattr(getattr(answer, "__code__", None), "co_filename", None)
    line = next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)
    place = f" (line {line} of your cell)" if line else ""
    if isinstance(error, MemoryError) or "allocate memory" in words(error):
        return f"Your code asked for more memory than it can have{place}. Which size is larger than you meant?"
    told = [f"Your code raised {type(error).__name__}: {words(error).rstrip('.')}{place}."]
    sizes = shapes(arguments)
    if sizes:
        told.append(f"Shapes: {sizes}.")
    if "modified by an inplace operation" in words(error):
        told.append("Compute new values: no +=, no x[...] = on what a gradient goes through.")
    if file and line:
        told.append(_turned_product(linecache.getline(file, line), arguments))
    return " ".join(filter(None, told))


def _turned_product(source: str, values: dict[str, object]) -> str:
    """Explain `W @ x` where rows of x are the vectors: it has to be `x @ W.T`."""
    try:
        tree = ast.parse(textwrap.dedent(source).strip().rstrip(":"))
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)):
            continue
        left, right = (values.get(side.id) if isinstance(side, ast.Name) else None for side in (node.left, node.right))
        if not (isinstance(left, Tensor) and isinstance(right, Tensor) and left.dim() == 2 <= right.dim()):
            continue
        if left.shape[1] != right.shape[-2] and left.shape[1] == right.shape[-1]:
            name, rows = ast.unparse(node.left), ast.unparse(node.right)
            return (
                f"`{name} @ {rows}` multiplies {tuple(left.shape)} by {tuple(right.shape)}. The vectors are the rows "
                f"of {rows}: write `{rows} @ {name}.T`."
            )
    return ""
