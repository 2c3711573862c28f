"""One way to write a text, since a vocabulary knows only one: what every tokenizer and box of the course reads."""

import re
import unicodedata

ELIDED = r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)'"
"""French words that lose their vowel before the next word, as a pattern for lower case."""

LETTERS = r"[\w\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
"""A run of letters and digits, as a pattern; accents without a composed letter belong to the letter before them."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb]"
)
"""Control and format characters: byte order mark, soft hyphen, zero-width and direction marks, variation selectors."""

_ALIKE = str.maketrans(
    dict.fromkeys("‘’‚‛ʹʻʼʽˊ´`′‵＇ꞌ", "'")
    | dict.fromkeys("“”„‟″＂", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2043\u2212\ufe63\uff0d", "-")
)

_SPACING = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"&(?:amp;)+", "&"),
        (r'(?<!\w)([cdjlmnst]|qu)"(?=\w)', r"\1'"),  # l"herbe
        (r"(?<=\w)' (?=s\b)", "'"),  # women' s
        (r"(?<=\w)-(?=[\s,.;:!?)]|$)", " -"),  # a dash: racing- the one
        (r" \.(?=[^\W\d])", ". "),  # the base .a
        (r" (?=[.,;:!?%°)\]}»…])(?!\.\d)", ""),
        (r"([,;:!?)\]}»…])(?=[^\W\d_])", r"\1 "),
        (r"(?<=[(\[{«#$]) ", ""),
        (r"(?<=\w)(?=[(\[{«])", " "),
        (rf"(?<![\w'-])({ELIDED}) (?=\w)", r"\1"),  # l' homme
    )
]


def normalise(text: str) -> str:
    """Write a text in the one spelling that tokenizers expect; capitals stay, and so do the ligatures œ, æ and ﬁ.

    Letters are composed (Unicode NFC). Apostrophes, accents used as such and primes become "'", double quotation marks
    '"', hyphens, minus signs and en dashes "-"; em dashes and « » stay. Invisible characters go, joiners of other
    scripts among them. White space of any kind becomes one blank, line breaks included; there is none before , . ; : !
    ? % ), none after ( # and an elided "l'", and one on their other side. Normalising again changes nothing.

    Raises:
        ValueError: if `text` is not a string.
    """
    if not isinstance(text, str):
        raise ValueError(f"text is {text!r}: expected a text (str); pass the sentence or phrase itself.")
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).translate(_ALIKE)
    text = " ".join(text.split())
    for pattern, replacement in _SPACING:
        text = pattern.sub(replacement, text)
    return text
