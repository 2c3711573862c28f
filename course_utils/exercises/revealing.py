"""For a learner alone: the next step of an exercise, one more with every call, and the solution at the end.

    reveal("02.context")     # begins where the answer that was last checked stops; at most five calls to the end

A check says what is wrong with an answer; this is for those who do not know how to go on.
"""

import ast
import copy
import re
import textwrap

from course_utils.exercises.checking import is_graded_run, last_answers
from course_utils.exercises.engine import Exercise
from course_utils.exercises.registry import find_exercise
from course_utils.paths import data_folder

CALLS = 5  # to the whole solution, at most
_revealed: dict[str, tuple[int, int]] = {}  # by exercise: where help began, and how many pieces were shown


def reveal(exercise_id: str, *, again: bool = False) -> None:
    """Print the next piece of help for an exercise; after the solution, the solution again.

    Args:
        exercise_id: "NN.short-name", as in its check.
        again: begin anew with the first step, whatever is written already.

    Raises:
        KeyError: if there is no such exercise.
        RuntimeError: while nbgrader grades, where nothing is revealed.
        FileNotFoundError: if the lessons, which hold the solutions, came with neither package nor checkout.
    """
    exercise = find_exercise(exercise_id)
    if is_graded_run():
        raise RuntimeError("Nothing is revealed while a notebook is graded; take the call of reveal out.")
    written = 0 if again else steps_written(exercise, last_answers.get(exercise_id, ""))
    began, shown = _revealed.get(exercise_id, (written, 0))
    if again or began != written:  # more is written than at the last call
        shown = 0
    pieces = help_from(exercise, written)
    title, text = pieces[min(shown, len(pieces) - 1)]
    _revealed[exercise_id] = written, shown + 1
    print(f"{exercise_id} · {title} ({min(shown + 1, len(pieces))} of {len(pieces)})\n{text}")
    if shown + 1 < len(pieces):
        print(f'\nNot enough? reveal("{exercise_id}") shows more.')


def help_from(exercise: Exercise, written: int = 0) -> list[tuple[str, str]]:
    """The pieces of help after a number of written steps, each with its title: growing, the whole solution last."""
    function = _function(exercise.exercise_id)
    missing = [ast.unparse(statement) for statement in _body(function)][written:]
    pieces = []
    if len(missing) < 2:  # showing the step would be the solution itself
        pieces.append(("what the next step uses", ", ".join(_tools(function)) or "no function at all"))
    count = min(len(missing) - 1, CALLS - 1)
    for piece in range(1, count + 1):
        end = -(-piece * (len(missing) - 1) // count)  # the last statement is the solution's
        title = "the next step" if end == 1 else f"the next {end} steps"
        pieces.append((title, "\n".join(missing[:end])))
    return [*pieces, ("the solution", solution_of(exercise.exercise_id))]


def steps_written(exercise: Exercise, source: str) -> int:
    """Count the first steps of the solution whose right sides stand in an answer, whatever its own names are."""
    try:
        answer = ast.parse(textwrap.dedent(source))
    except SyntaxError:
        return 0
    there = {_pattern(node, exercise) for node in ast.walk(answer) if isinstance(node, ast.expr | ast.stmt)}
    steps = _body(_function(exercise.exercise_id))
    count = 0
    for step in steps[:-1]:  # if even the last one is there, something else is wrong: it is shown
        value = getattr(step, "value", None)
        if _pattern(value if value is not None else step, exercise) not in there:
            break
        count += 1
    return count


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


def _function(exercise_id: str) -> ast.FunctionDef:
    """The solution, parsed."""
    return next(node for node in ast.parse(solution_of(exercise_id)).body if isinstance(node, ast.FunctionDef))


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    """A function's statements without its docstring."""
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _pattern(node: ast.AST, exercise: Exercise) -> str:
    """A piece of code in which every name that is no argument reads the same."""
    node = copy.deepcopy(node)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id not in exercise.parameters:
            inner.id = "_"
    return ast.dump(node)


def _tools(function: ast.FunctionDef) -> list[str]:
    """Names of the functions and methods that are called, in their order."""
    called = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    called.sort(key=lambda node: (node.end_lineno, node.end_col_offset))
    names = [node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "") for node in called]
    names += ["@"] if any(isinstance(node, ast.MatMult) for node in ast.walk(function)) else []
    return list(dict.fromkeys(name for name in names if name))
