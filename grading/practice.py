"""A small class to try the commands with: its upload is made from what was released."""

import io
import zipfile
from pathlib import Path

import nbformat

from grading.course import Course, write
from grading.restore import grade_id


def practice_upload(course: Course, assignment: dict, path: Path, students: int = 3) -> list[str]:
    """Write a zip as a learning platform gives it: the course's own answers, a wrong one, and an untouched notebook.

    Args:
        course: whose release the notebooks are made from.
        assignment: which.
        path: of the zip.
        students: how many; one after another they hand in one of the three.

    Returns:
        The students' names.
    """
    name, lesson = assignment["name"], assignment["lesson"]
    source = nbformat.read(course.root / "source" / name / f"{lesson}.ipynb", as_version=4)
    released = nbformat.read(course.root / "release" / name / f"{lesson}.ipynb", as_version=4)
    own = {grade_id(cell): cell.source for cell in source.cells if grade_id(cell)}
    right, wrong = nbformat.from_dict(released), nbformat.from_dict(released)
    for cell in right.cells:
        if grade_id(cell) in assignment["exercises"]:
            cell.source = own[grade_id(cell)]
    for cell in wrong.cells:
        if grade_id(cell) in assignment["exercises"]:
            cell.source = cell.source.partition("# Your code")[0].rstrip() + "\n    return None"
    kinds = (("Ada Right", right), ("Ben Wrong", wrong), ("Cleo Untouched", released))
    uploads = {}
    for number in range(students):
        called, notebook = kinds[number % 3]
        uploads[called if number < 3 else f"{called} {number // 3 + 1}"] = nbformat.writes(notebook)
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (student, notebook) in enumerate(uploads.items(), start=1001):
            archive.writestr(f"{student}_{number}_assignsubmission_file_/{lesson}.ipynb", notebook)
    write(path, memory.getvalue())
    return list(uploads)
