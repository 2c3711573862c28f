"""What a lesson's text says of an exercise is taken from the exercise: number, title, difficulty, minutes, demands.

In a lesson's source the line `### Exercise additive-score` is all of it, and `[[additive-score]]` reads "exercise 2".
"""

import re

from nbformat import NotebookNode

HEADING = re.compile(r"^### Exercise ([a-z0-9-]+)$", flags=re.MULTILINE)
MENTION = re.compile(r"\[\[([a-z0-9-]+)\]\]")
ALWAYS = "leaves its arguments as they are"


def expand_exercises(lesson: str, cells: list[NotebookNode]) -> None:
    """Write headings, mentions and demands into the text of a lesson's cells.

    Raises:
        KeyError: if a text names an exercise that the course has not, or the lesson holds no cell for.
    """
    names = [c.metadata.nbgrader.grade_id for c in cells if c.metadata.get("nbgrader", {}).get("solution")]
    numbers = {name: number for number, name in enumerate(names, start=1)}
    for cell in cells:
        if cell.cell_type != "markdown":
            continue
        named = HEADING.search(cell.source)
        if named:
            cell.source = HEADING.sub(_heading(lesson, named[1], numbers), cell.source) + _demands(lesson, named[1])
        cell.source = MENTION.sub(lambda match: f"exercise {numbers[match[1]]}", cell.source)


def _heading(lesson: str, name: str, numbers: dict[str, int]) -> str:
    from course_utils.exercises import find_exercise  # loads torch, which most builds in tests do without

    exercise = find_exercise(f"{lesson}.{name}")
    level = dots(exercise.difficulty)
    return f"### Exercise {numbers[name]} · {exercise.title}\n\n{level} about {exercise.minutes} minutes"


def dots(difficulty: int) -> str:
    """A difficulty of 1 to 3 as three dots."""
    return "●" * difficulty + "○" * (3 - difficulty)


def _demands(lesson: str, name: str) -> str:
    from course_utils.exercises import find_exercise

    demands = [demand.statement for demand in find_exercise(f"{lesson}.{name}").demands]
    return f"\n\n*Also checked:* {'; '.join(dict.fromkeys([*demands, ALWAYS]))}."
