"""Exercises whose checks answer with one true message; `engine.py` shows how an exercise is written.

from course_utils.exercises import check, checked, reveal
"""

from course_utils.exercises.checking import check, checked, use_variant
from course_utils.exercises.registry import find_exercise
from course_utils.exercises.revealing import reveal

__all__ = ["check", "checked", "find_exercise", "reveal", "use_variant"]
