"""Texts of one's own with summaries, in the shape of the reports."""

from course_utils.data.own import load_own, own_vocabulary
from course_utils.data.reports.data import SummaryData, summary_of_text
from course_utils.data.text import join_words


def own_summary_data(path: str) -> SummaryData:
    """Load texts and summaries from a file or a folder; nobody knows which words support which.

    Raises:
        OwnDataError: see `own.load_own`.
    """
    names = ("default", "named", "docstrings", "real")
    splits = load_own(path, "summaries", summary_of_text, names)
    vocabulary = own_vocabulary(path, (words for pair in splits["train"] for words in (pair.source, pair.headline)))
    train, validation, test = splits.values()
    return SummaryData(str(path), vocabulary, train, validation, {"test": test}, "your own", detokenize=join_words)
