"""One table of all claims, for the terminal and the README."""

import json
from pathlib import Path

from course_utils.experiments.claims import claims_table
from course_utils.files import write_whole
from course_utils.paths import data_folder

BEGIN, END = (
    "<!-- claims: begin (written by `python -m course_utils.experiments report --write`) -->",
    "<!-- claims: end -->",
)
README = Path(__file__).resolve().parents[2] / "README.md"


def claims_report() -> str:
    """Write the claims of every results file, in order of lesson and source, as one Markdown table."""
    entries = []
    for path in sorted(data_folder("results").glob("[0-9][0-9]-*.json")):
        entries += json.loads(path.read_text(encoding="utf-8"))["claims"]
    return claims_table(sorted(entries, key=lambda entry: (entry["id"].split(".")[0], entry["source"])))


def with_claims(text: str) -> str:
    """Replace what stands between the two marks of a Markdown text by the current table.

    Raises:
        ValueError: if the marks are missing.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"the text has no marks for the table; expected a line {BEGIN} and a line {END}.")
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n\n{claims_report()}\n\n{END}{rest.split(END, 1)[1]}"


def write_into_readme() -> None:
    """Bring the table in README.md up to date."""
    write_whole(README, with_claims(README.read_text(encoding="utf-8")).encode())
