"""Words of a phrase: cutting a line of French or English into tokens, and gluing the tokens together again.

- Text is normalised (`course_utils.data.normalise`) and in lower case.
- A hyphenated compound is cut before its hyphen, which stays with the second part: ``ninety``, ``-seven``.
- A French elided word keeps its apostrophe: ``l'``, ``homme``; an English word keeps it inside: ``o'clock``.
- Every punctuation mark is a token.
"""

import re
from collections.abc import Iterable

from course_utils.data.normalise import LETTERS, normalise

_FRENCH = re.compile(rf"-?{LETTERS}'?|[^\w\s]")
_ENGLISH = re.compile(rf"-?{LETTERS}(?:'{LETTERS})*|[^\w\s]")


def tokenize_french(text: str) -> list[str]:
    """Cut a line of French into tokens, in whatever spelling it was typed; "1er" is read as "premier".

    Raises:
        ValueError: if ``text`` is not a string.
    """
    return ["premier" if token == "1er" else token for token in _FRENCH.findall(normalise(text).lower())]


def tokenize_english(text: str) -> list[str]:
    """Cut a line of English into tokens; see :func:`tokenize_french`."""
    return _ENGLISH.findall(normalise(text).lower())


def detokenize(tokens: Iterable[str]) -> str:
    """Glue tokens of either language together: the inverse of both tokenizers for every generated phrase."""
    text, glue = "", True
    for token in tokens:
        glue = glue or token in ",.;:!?" or (token[0] == "-" and len(token) > 1)
        text += token if glue else f" {token}"
        glue = len(token) > 1 and token[-1] == "'"
    return text
