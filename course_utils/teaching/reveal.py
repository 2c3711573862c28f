"""For a learner alone: help with an exercise, a little more with every call, and the solution at the end.

    reveal("02.context")     # first what a right answer shows, then what it is made of, then its lines one by one

A check says what is wrong with an answer; this is for those who do not know how to begin.
"""

import ast
import re
import textwrap

from course_utils.paths import data_folder
from course_utils.teaching.exercises import Exercise, find_exercise, is_graded_run

_revealed: dict[str, int] = {}  # how many steps of an exercise were shown in this session


def reveal(exercise_id: str, *, again: bool = False) -> None:
    """Print the next piece of help for an exercise; after the solution, the solution again.

    Args:
        exercise_id: "NN.short-name", as in its check.
        again: begin anew with the first piece.

    Raises:
        KeyError: if there is no such exercise.
        RuntimeError: while nbgrader grades, where nothing is revealed.
        FileNotFoundError: if the lessons, which hold the solutions, came with neither package nor checkout.
    """
    exercise = find_exercise(exercise_id)
    if is_graded_run():
        raise RuntimeError("Nothing is revealed while a notebook is graded; take the call of reveal out.")
    steps = help_steps(exercise)
    shown = 0 if again else min(_revealed.get(exercise_id, 0), len(steps) - 1)
    _revealed[exercise_id] = shown + 1
    title, text = steps[shown]
    print(f"{exercise_id} · {title} ({shown + 1} of {len(steps)})\n{text}")
    if shown + 1 < len(steps):
        print(f'\nNot enough? reveal("{exercise_id}") shows more.')


def help_steps(exercise: Exercise) -> list[tuple[str, str]]:
    """All pieces of help, each with its title, from the least to the whole solution."""
    function = ast.parse(solution_of(exercise.exercise_id)).body[0]
    lines = [ast.unparse(statement) for statement in _body(function)]
    steps = [("what a right answer shows", "\n".join(f"- {name}" for name, _ in exercise.behaviours))]
    tools = _tools(function)
    if tools:
        steps.append(("what the solution uses", ", ".join(tools)))
    if len(lines) > 1:
        steps.append(("its steps, without their right sides", "\n".join(_outline(_body(function)))))
    steps += [
        (f"its first {count} steps" if count > 1 else "its first step", "\n".join(lines[:count]))
        for count in range(1, len(lines))
    ]
    return [*steps, ("the solution", solution_of(exercise.exercise_id))]


def solution_of(exercise_id: str) -> str:
    """The solution's source as the lesson has it, with its comments.

    Raises:
        KeyError: if no lesson has this exercise.
        FileNotFoundError: see `reveal`.
    """
    lesson, name = exercise_id.split(".", 1)
    for path in sorted(data_folder("lessons").glob(f"{lesson}_*.py")):
        cells = re.split(r"^# %%", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for cell in cells:
            head, _, source = cell.partition("\n")
            if f'exercise="{name}"' in head:
                marks = r"^ *### (BEGIN|END) SOLUTION\n"
                return textwrap.dedent(re.sub(marks, "", source, flags=re.MULTILINE)).strip()
    raise KeyError(f"exercise_id is {exercise_id!r}; no lesson in {data_folder('lessons').name}/ holds it.")


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    """A function's statements without its docstring."""
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _tools(function: ast.FunctionDef) -> list[str]:
    """Names of the functions and methods that are called, in their order."""
    called = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    called.sort(key=lambda node: (node.end_lineno, node.end_col_offset))
    names = [node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "") for node in called]
    operators = [("@", ast.MatMult)]
    names += [sign for sign, kind in operators if any(isinstance(node, kind) for node in ast.walk(function))]
    return list(dict.fromkeys(name for name in names if name))


def _outline(statements: list[ast.stmt], indent: str = "") -> list[str]:
    """The statements with "…" for what is assigned or returned."""
    lines = []
    for statement in statements:
        if isinstance(statement, ast.Assign):
            lines.append(f"{indent}{' = '.join(ast.unparse(target).strip('()') for target in statement.targets)} = …")
        elif isinstance(statement, ast.Return):
            lines.append(f"{indent}return …")
        elif hasattr(statement, "body"):
            lines.append(indent + ast.unparse(statement).partition("\n")[0])
            lines += _outline(statement.body, indent + "    ")
        else:
            lines.append(f"{indent}…")
    return lines
