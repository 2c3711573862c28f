"""The English of scenes: numbers, sizes, places and relations, a or an, is or are, and noun phrases put together."""

from course_utils.datasets.scene_kinds import COLOURS, plural

NUMBERS = {1: "one", 2: "two", 3: "three"}
SIZES = ("small", "big")

PLACE_PHRASES = {
    "top left": ("in", "the", "top", "left", "corner"),
    "top": ("at", "the", "top"),
    "top right": ("in", "the", "top", "right", "corner"),
    "left": ("on", "the", "left"),
    "middle": ("in", "the", "middle"),
    "right": ("on", "the", "right"),
    "bottom left": ("in", "the", "bottom", "left", "corner"),
    "bottom": ("at", "the", "bottom"),
    "bottom right": ("in", "the", "bottom", "right", "corner"),
}
"""The nine places of a picture and how they are said."""

RELATION_PHRASES = {
    "left": (("to", "the", "left", "of"),),
    "right": (("to", "the", "right", "of"),),
    "above": (("above",),),
    "below": (("below",), ("under",)),
    "above left": (("above", "and", "to", "the", "left", "of"),),
    "above right": (("above", "and", "to", "the", "right", "of"),),
    "below left": (("below", "and", "to", "the", "left", "of"),),
    "below right": (("below", "and", "to", "the", "right", "of"),),
}
"""The eight directions in which one group can lie from another, and their wordings."""

OPPOSITE = {
    "left": "right", "right": "left", "above": "below", "below": "above", "above left": "below right",
    "above right": "below left", "below left": "above right", "below right": "above left",
}  # fmt: skip

SWEEPS = {
    ("from", "left", "to", "right"): "left", ("from", "right", "to", "left"): "right",
    ("from", "top", "to", "bottom"): "above", ("from", "bottom", "to", "top"): "below",
}  # fmt: skip
"""How a row is announced → the direction in which each group lies from the next."""

LEADS = ((), ("there", "is"), ("there", "are"), ("we", "see"), ("the", "picture", "shows"))
"""What a list of groups may begin with; the verb after "there" agrees with the group that follows it."""


def article(word: str) -> str:
    """The indefinite article before a word: "an" before a written vowel, which holds for all words of scenes."""
    return "an" if word[0] in "aeiou" else "a"


def verb(count: int) -> str:
    """ "is" for one thing, "are" for more."""
    return "is" if count == 1 else "are"


def noun(kind: str, count: int) -> str:
    """The noun that names so many objects of a kind or class: ("mouse", 2) → "mice"."""
    return kind if count == 1 else plural(kind)


def noun_phrase(
    kind: str, count: int, size: str | None = None, colour: str | None = None, *, definite: bool = False
) -> tuple[str, ...]:
    """Number, size, colour and noun in English order: "two small red cars", "an elephant", "the dogs".

    Args:
        kind: a kind or class, singular.
        count: 1 to 3.
        size, colour: said if given.
        definite: "the" in place of the number.

    Raises:
        ValueError: if the count, size or colour has no word.
        KeyError: if the noun is neither a kind nor a class.
    """
    if count not in NUMBERS:
        raise ValueError(f"count={count!r}: expected 1 to {max(NUMBERS)}; scenes have no words for other numbers.")
    if size is not None and size not in SIZES:
        raise ValueError(f"size={size!r}: expected one of {SIZES} or None; choose one of them.")
    if colour is not None and colour not in COLOURS:
        raise ValueError(f"colour={colour!r}: expected one of {tuple(COLOURS)} or None; choose one of them.")
    rest = tuple(word for word in (size, colour, noun(kind, count)) if word is not None)
    if definite:
        return ("the", *rest)
    return (article(rest[0]) if count == 1 else NUMBERS[count], *rest)
