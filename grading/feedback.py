"""One HTML page per student and assignment: points, what is right, a hint for what is not. No hidden test is shown."""

from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment, select_autoescape
from nbgrader.api import Gradebook, MissingEntry

from grading.course import Course, write

PAGE = Path(__file__).with_name("feedback.html")


def write_feedback(course: Course, assignment: dict) -> list[Path]:
    """Write the pages of everyone who has a result, as CLASS/feedback/STUDENT/ASSIGNMENT/LESSON.html."""
    safe = Environment(autoescape=select_autoescape(default=True, default_for_string=True))
    template = safe.from_string(PAGE.read_text(encoding="utf-8"))
    pages = []
    for student in course.submitted(assignment["name"]):
        result = course.result(student, assignment["name"])
        if result is None:
            continue
        exercises: dict[str, list[dict]] = {name: [] for name in assignment["exercises"]}
        for test in result["tests"]:
            exercises[test["exercise"]].append(test)
        standing = Standing.of(course, assignment["name"], student)
        page = template.render(
            result=result,
            exercises=exercises,
            name=standing.full_name or student,
            submitted=standing.submitted,
            late=standing.late_words,
            score=standing.score if standing.submitted else result["score"],
            manual=standing.submitted and abs(standing.score - result["score"]) > 0.01,
        )
        pages.append(course.root / "feedback" / student / assignment["name"] / f"{assignment['lesson']}.html")
        write(pages[-1], page)
    return pages


class Standing:
    """What nbgrader's gradebook says of one submission, an instructor's own changes included."""

    def __init__(self, full_name: str, submitted: datetime | None, late: timedelta, score: float):
        self.full_name, self.submitted, self.late, self.score = full_name, submitted, late, score

    @property
    def late_words(self) -> str:
        minutes = int(self.late.total_seconds() // 60)
        days, hours = minutes // 1440, minutes // 60 % 24
        parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes % 60} min" if not days else ""]
        return " ".join(part for part in parts if part) if self.late else ""

    @classmethod
    def of(cls, course: Course, assignment: str, student: str) -> "Standing":
        """Look one submission up; without one, nothing was handed in."""
        with Gradebook(course.gradebook_address) as gradebook:
            try:
                person = gradebook.find_student(student)
                full_name = " ".join(part for part in (person.first_name, person.last_name) if part)
                submission = gradebook.find_submission(assignment, student)
            except MissingEntry:
                return cls("", None, timedelta(), 0.0)
            late = timedelta(seconds=submission.total_seconds_late)
            return cls(full_name, submission.timestamp, late, submission.score)
