"""Links of Markdown that is read in the repository and on the site: each has to lead somewhere in both."""

import os
import re
from pathlib import Path, PurePosixPath

_LINK = re.compile(r"(?<!\\)(\]\()([^()\s]+)((?:\s+\"[^\"]*\")?\))")
_CODE = re.compile(r"(^ *(`{3,}|~{3,}).*?^ *\2[`~]*\s*$|`[^`\n]*`)", flags=re.MULTILINE | re.DOTALL)


class DeadLinkError(ValueError):
    """A link of a page leads nowhere."""


def site_links(text: str, source: Path, page: str, pages: dict[Path, str], root: Path, repository: str) -> str:
    """Point the links of a page at the site's pages, and at the repository where the site has no page.

    Args:
        text: Markdown.
        source: the file it stands in.
        page: name of the page it becomes, without ending, such as "notebooks/02_additive_attention".
        pages: for each file or folder of the repository that has a page, the page's file, such as "data.md".
        root: of the repository.
        repository: its address.

    Raises:
        DeadLinkError: if a link leads to no file of the repository.
    """

    def replace(match: re.Match) -> str:
        before, target, after = match.groups()
        if re.match(r"[a-z]+:|#|/", target):
            return match[0]
        path, _, anchor = target.partition("#")
        file = Path(os.path.normpath(source.parent / path))
        if not file.is_relative_to(root) or not file.exists():
            raise DeadLinkError(f"{source.relative_to(root)} links to {target!r}, and there is no such file.")
        if file in pages:
            address = os.path.relpath(pages[file], PurePosixPath(page).parent)
        else:
            kind = "tree" if file.is_dir() else "blob"
            address = f"{repository}/{kind}/main/{file.relative_to(root).as_posix()}"
        return f"{before}{address}{'#' + anchor if anchor else ''}{after}"

    pieces = _CODE.split(text)
    # Of the three pieces that each bit of code makes, only the first is prose.
    pieces[::3] = [_LINK.sub(replace, piece) for piece in pieces[::3]]
    return "".join(piece or "" for number, piece in enumerate(pieces) if number % 3 != 2)
