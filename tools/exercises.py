"""How every exercise stands up to its mistakes: `python -m tools.exercises`.

Each mistake is tried as an answer and has to be rejected with its own hint; each right answer in another style has to
be accepted. `--write` tries nothing; it writes the table to docs/exercises.md, to the notes for instructors what they
take from the exercises (minutes and common mistakes), and to README.md the table of lessons.
"""

import argparse
import re
import sys
from pathlib import Path

from course_utils.regions import with_region
from tools.exercise_texts import dots
from tools.project import Project

PAGE = Path("docs") / "exercises.md"
NOTES = Path("docs") / "instructor_notes"
HEAD = """# Exercises

Every exercise has one list of mistakes. The tests try each of them as an answer: it has to be rejected with its own
hint. Right answers in other styles have to be accepted. `python -m tools.exercises` tries them again and prints this
table, `--write` writes it to this page.

| exercise | what the learner writes | level | minutes | points | cases | mistakes named | other styles accepted |
|---|---|---|---|---|---|---|---|
"""
BEGIN, END = "<!-- lessons: begin (written by `python -m tools.exercises --write`) -->", "<!-- lessons: end -->"
COMMON = "| exercise | what learners do wrong, as the check tells them | what to ask |\n|---|---|---|\n"


def exercise_ids(project: Project, lesson: str) -> dict[str, float]:
    """A lesson's exercises in their order, with the points of their tests."""
    (source,) = project.lesson_sources([lesson])
    points: dict[str, float] = {}
    roles = r'^# %% (exercise|check|hidden)="([\w-]+)"(?: points=([\d.]+))?'
    for _, name, worth in re.findall(roles, source.read_text(encoding="utf-8"), flags=re.MULTILINE):
        points[f"{lesson}.{name}"] = points.get(f"{lesson}.{name}", 0) + float(worth or 0)
    return points


def lessons_with_exercises(project: Project) -> list[str]:
    """The numbers of the lessons that have any."""
    numbers = [source.stem[:2] for source in project.lesson_sources()]
    return [number for number in numbers if exercise_ids(project, number)]


def named(exercise, mistake) -> bool:
    """Say whether a mistake, as an answer, is rejected with its own hint."""
    return any(mistake.hint in (finding.hint or "") for finding in exercise.examine(mistake.make))


def accepted(exercise, answer) -> bool:
    """Say whether an answer passes every case."""
    return all(finding.hint is None for finding in exercise.examine(answer))


def rows(project: Project, lessons: list[str], tried: bool) -> list[str]:
    """A line of the table for each exercise.

    Args:
        project: where the lessons are.
        lessons: their numbers.
        tried: True = try every mistake and style; False = take it that all of them do what tests hold them to.
    """
    from course_utils.exercises import find_exercise

    lines = []
    for exercise_id, points in (item for lesson in lessons for item in exercise_ids(project, lesson).items()):
        exercise = find_exercise(exercise_id)
        mistakes, styles = exercise.mistakes, exercise.right
        told = sum(not tried or named(exercise, mistake) for mistake in mistakes)
        passed = sum(not tried or accepted(exercise, style) for style in styles)
        about = f"{exercise.title} | {dots(exercise.difficulty)} | {exercise.minutes} | {points:g}"
        counts = f"{len(exercise.all_cases())} | {told} of {len(mistakes)} | {passed} of {len(styles)}"
        lines.append(f"| {exercise_id} | {about} | {counts} |")
    return lines


def common_mistakes(project: Project, lesson: str) -> str:
    """The mistakes of a lesson's exercises that an instructor may ask about."""
    from course_utils.exercises import find_exercise

    lines = []
    for exercise_id in exercise_ids(project, lesson):
        mistakes = find_exercise(exercise_id).mistakes
        asked = dict.fromkeys((mistake.hint, mistake.ask) for mistake in mistakes if mistake.ask)
        lines += [f"| {exercise_id} | {_cell(hint)} | {_cell(ask)} |" for hint, ask in asked]
    return COMMON + "\n".join(lines)


def minutes_table(project: Project, lesson: str) -> str:
    """Minutes for each section of a lesson."""
    from tools.study_time import section_minutes

    sections = section_minutes(project, lesson)
    lines = [f"| {title} | {minutes} |" for title, minutes in sections.items()]
    lines.append(f"| all | {sum(sections.values())} |")
    return "\n".join(["| section of the lesson | minutes |", "|---|---|", *lines])


def notes_of(project: Project, lesson: str) -> str:
    """The notes for instructors with what they take from the exercises written anew."""
    text = (project.root / NOTES / f"{lesson}.md").read_text(encoding="utf-8")
    parts = {"Minutes": minutes_table(project, lesson)}
    if exercise_ids(project, lesson):
        parts["Common mistakes"] = common_mistakes(project, lesson)
    for title, table in parts.items():
        new = f"## {title}\n\n{table}\n\n".replace("\\", r"\\")
        text = re.sub(rf"^## {title}\n.*?(?=^## |\Z)", new, text, flags=re.MULTILINE | re.DOTALL)
    return text.rstrip() + "\n"


def lessons_table(project: Project) -> str:
    """A line for each lesson: its name, its exercises, and how long reading and solving take."""
    from course_utils.exercises import find_exercise
    from tools.study_time import in_hours, study_minutes

    minutes, lines = study_minutes(project), ["| | lesson | exercises | takes about |", "|---|---|---|---|"]
    for lesson in project.listed_lessons:
        name = lesson.title.rpartition(" · ")[2].partition(":")[0]
        titles = [find_exercise(exercise_id).title for exercise_id in exercise_ids(project, lesson.number)]
        written = "; ".join(title[0].lower() + title[1:] for title in titles) or "–"
        link = f"[{name}](notebooks/{lesson.stem}.ipynb)"
        lines.append(f"| {int(lesson.number)} | {link} | {written} | {in_hours(minutes[lesson.number])} |")
    return "\n".join(lines)


def made(project: Project) -> dict[Path, str]:
    """Every file that is derived from exercises, with its text."""
    files = {project.root / PAGE: HEAD + "\n".join(rows(project, lessons_with_exercises(project), tried=False)) + "\n"}
    for path in sorted((project.root / NOTES).glob("[0-9]*.md")):
        files[path] = notes_of(project, path.stem)
    readme = project.root / "README.md"
    return files | {readme: with_region(readme.read_text(encoding="utf-8"), BEGIN, END, lessons_table(project))}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ") or "—"


def main(arguments: list[str] | None = None, project: Project | None = None) -> int:
    """Print the table, and write what is derived from exercises if asked."""
    parser = argparse.ArgumentParser(prog="python -m tools.exercises", description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", help='which lessons ("02"); default: all')
    parser.add_argument("--write", action="store_true", help=f"keep it in {PAGE} and {NOTES}/")
    options = parser.parse_args(arguments)
    project = project or Project()
    if options.write and options.lessons:
        parser.error("--write is for all lessons")
    if options.write:  # the tests try everything that is written
        for path, text in made(project).items():
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(project.root))
        return 0
    text = "\n".join(rows(project, options.lessons or lessons_with_exercises(project), tried=True))
    print(HEAD.split("\n\n")[-1] + text)
    return int(any(found != wanted for found, wanted in re.findall(r"(\d+) of (\d+)", text)))


if __name__ == "__main__":
    sys.exit(main())
