"""The exercises of lesson 4, captioning; they stand in the modules named after what they are about."""

from course_utils.teaching.checks import annotations, coverage, hard_attention, hard_learning, pointing, soft_attention

EXERCISES = [
    *annotations.EXERCISES,
    *soft_attention.EXERCISES,
    *coverage.EXERCISES,
    *hard_attention.EXERCISES,
    *hard_learning.EXERCISES,
    *pointing.EXERCISES,
]
