"""Words of a phrase: cutting a line of French or English into tokens, and gluing the tokens together again.

The conventions are few and the same everywhere in the course:

- lower case, composed Unicode letters (NFC), straight apostrophes and plain hyphens;
- a hyphenated compound is cut before its hyphen, which stays with the second part: ``ninety``, ``-seven``;
- a French elided word keeps its apostrophe: ``l'``, ``homme``; an English word keeps it inside: ``o'clock``;
- every punctuation mark is a token.
"""

import re
import unicodedata
from collections.abc import Iterable

_APOSTROPHES = dict.fromkeys(map(ord, "\u2019\u2018\u02bc\u00b4\u2032\uff07`"), "'")
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u00ad\u2212"), "-")
_PLAIN = _APOSTROPHES | _HYPHENS

_FRENCH = re.compile(r"-?\w+'?|[^\w\s]")
_ENGLISH = re.compile(r"-?\w+(?:'\w+)*|[^\w\s]")
_GLUED_TO_PREVIOUS = frozenset(",.;:!?")


def _plain(text: str, argument: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{argument} is {text!r}: expected one line of text (str); pass the phrase itself.")
    # NFC comes last: lower-casing can take a composed capital apart.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).translate(_PLAIN).lower())


def tokenize_french(text: str) -> list[str]:
    """Cut a line of French into tokens.

    Capitals, curly apostrophes, non-breaking hyphens and decomposed accents are accepted, so that a learner can
    type or paste a phrase. "1er" is read as "premier"; other digits stay as they are.

    Args:
        text: a phrase, such as ``"L’homme, à quatre-vingt-dix ans"``.

    Returns:
        The tokens, in order; an empty list for empty text.

    Raises:
        ValueError: if ``text`` is not a string.
    """
    tokens = _FRENCH.findall(_plain(text, "text"))
    return ["premier" if token == "1er" else token for token in tokens]


def tokenize_english(text: str) -> list[str]:
    """Cut a line of English into tokens; see :func:`tokenize_french`.

    Raises:
        ValueError: if ``text`` is not a string.
    """
    return _ENGLISH.findall(_plain(text, "text"))


def detokenize(tokens: Iterable[str]) -> str:
    """Glue tokens of either language together: the inverse of both tokenizers on plainly spaced text.

    Args:
        tokens: the tokens of one phrase.

    Returns:
        One line of text. ``detokenize(tokenize_french(text)) == text`` for every generated French phrase, and
        likewise for English.
    """
    pieces: list[str] = []
    glue = True
    for token in tokens:
        attached = token in _GLUED_TO_PREVIOUS or (token[:1] == "-" and len(token) > 1)
        if not (glue or attached):
            pieces.append(" ")
        pieces.append(token)
        glue = token[-1:] == "'" and len(token) > 1
    return "".join(pieces)
