"""The exercises of lesson 5, entailment; they stand in the modules named after what they are about."""

from course_utils.teaching.checks import (
    carrying,
    conditional,
    hypothesis_audit,
    last_state,
    word_by_word,
    word_pointing,
)

EXERCISES = [
    *conditional.EXERCISES,
    *last_state.EXERCISES,
    *word_by_word.EXERCISES,
    *carrying.EXERCISES,
    *word_pointing.EXERCISES,
    *hypothesis_audit.EXERCISES,
]
