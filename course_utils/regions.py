"""Pages with a part that a command writes: what stands between two marks is replaced, the rest is the author's."""


def with_region(text: str, begin: str, end: str, content: str, page: str = "README.md") -> str:
    """Replace what stands between two marks of a Markdown text.

    Args:
        text: of the page.
        begin, end: the marks, each a line of the text.
        content: what stands between them from now on.
        page: what the text is called, for the error.

    Raises:
        ValueError: if a mark is missing or there twice.
    """
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{page} has no place to write; expected one line {begin!r} and one line {end!r}.")
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n\n{content}\n\n{end}{rest.partition(end)[2]}"
