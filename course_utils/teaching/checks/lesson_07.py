"""The exercises of lesson 7, summarization; they stand in the modules named after what they are about."""

from course_utils.teaching.checks import (
    attentive_window,
    copy_mixture,
    extractive_counts,
    next_word,
    perplexity,
    rouge_two,
    support_share,
)

EXERCISES = [
    *perplexity.EXERCISES,
    *next_word.EXERCISES,
    *attentive_window.EXERCISES,
    *rouge_two.EXERCISES,
    *extractive_counts.EXERCISES,
    *copy_mixture.EXERCISES,
    *support_share.EXERCISES,
]
