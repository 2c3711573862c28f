"""The exercises of lesson 6, speech; they stand in the modules named after what they are about."""

from course_utils.teaching.checks import (
    listening_in_time,
    location_features,
    location_score,
    moving_window,
    phoneme_errors,
    smoothing,
)

EXERCISES = [
    *location_features.EXERCISES,
    *location_score.EXERCISES,
    *smoothing.EXERCISES,
    *moving_window.EXERCISES,
    *phoneme_errors.EXERCISES,
    *listening_in_time.EXERCISES,
]
