"""Pages that are made from something else: the glossary, the run times, the tables of contents."""

from course_utils.teaching.glossary import TERMS
from course_utils.teaching.run_times import COMMAND, RunTimes, in_words


def glossary() -> str:
    """Markdown for Sphinx's glossary, so that every word has an address and the search knows it."""
    lines = ["```{glossary}"]
    for term in sorted(TERMS, key=lambda term: term.names[0].lower()):
        also = f" Also called: {term.also}." if term.also else ""
        meaning = term.meaning[0].upper() + term.meaning[1:] if term.meaning[0] != "`" else term.meaning
        where = f" *From lesson {term.lesson} on.*" if term.lesson else ""
        lines += [*term.names, f"  {meaning}.{also}{where}", ""]
    return "\n".join([*lines, "```"])


def run_times(times: RunTimes | None) -> str:
    """Markdown: the measured times, or that nobody has measured them yet."""
    if times is None:
        return (
            "**Not measured yet.** The times appear here once somebody has run the command below and built the site "
            f"again.\n\n```console\n$ {COMMAND}\n```"
        )
    rows = ["| lesson | from top to bottom | slowest cell | memory |", "|---|---|---|---|"]
    for lesson in times.lessons:
        slowest = f"{in_words(lesson.slowest_seconds)}: `{lesson.slowest_line.replace('|', '/').replace('`', '')}`"
        rows.append(
            f"| [{lesson.title}](notebooks/{lesson.name}.ipynb) | {in_words(lesson.seconds)} | {slowest} "
            f"| {lesson.memory} |"
        )
    rows.append(f"| all of them | {in_words(times.seconds)} | | |")
    measured = (
        f"Measured on a machine with {times.machine}, Python {times.python} and torch {times.torch}. One training step "
        f"of lesson 0 took {1000 * times.step_seconds:.0f} ms there. Lesson 0 prints the same step for your machine "
        "and scales these times by it."
    )
    return "\n".join([*rows, "", measured, "", "```console", f"$ {COMMAND}", "```"])


def contents(groups: dict[str, list[str]]) -> str:
    """Markdown: one hidden table of contents for each group of pages.

    Args:
        groups: pages without ending, by the group's name.
    """
    tables = [["```{toctree}", ":hidden:", f":caption: {name}", "", *pages, "```"] for name, pages in groups.items()]
    return "\n\n".join("\n".join(table) for table in tables)
