"""The exercises of each lesson, one module per lesson; see `course_utils.teaching.exercises`."""
