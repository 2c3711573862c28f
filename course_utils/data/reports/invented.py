"""Invented names and numbers: pronounceable, as many as are wanted, and none of a split ever occurs in another."""

from functools import cache
from random import Random

from course_utils.data.reports.events import pick
from course_utils.data.reports.reports import split_of

_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "gr", "kr", "st", "tr")
_VOWELS = ("a", "e", "i", "o", "u")
PARTS = {
    "person": (_ONSETS, _VOWELS, ("", "l", "n", "r", "s"), _ONSETS, ("a", "an", "el", "i", "ik", "o", "us")),
    "place": (_ONSETS, _VOWELS, _ONSETS, _VOWELS, ("burg", "by", "dal", "holm", "mar", "ton", "wick")),
    "number": (tuple(str(number) for number in range(11, 10_000)),),
}
"""Kind → the parts that a word of it is put together from; no person is called like a place."""
WELL_KNOWN = 40
"""So many words of each kind are well known in the training split; the others come up once or a few times."""


def invent(random: Random, kind: str, split: str) -> str:
    """Sample a name or a number.

    Args:
        random: state of the generator.
        kind: "person", "place" or "number", which is in digits.
        split: "train", where half of the words are well known; "validation" or "test"; or "known names", where all
            are well known in training.
    """
    if split == "known names" or (split == "train" and random.random() < 0.5):
        return pick(random, well_known(kind))
    while split_of([word := _spell(random, kind)]) != split:
        pass
    return word


@cache
def well_known(kind: str) -> tuple[str, ...]:
    """The well-known words of a kind; they belong to the training split."""
    random, found = Random(f"well known {kind}"), {}
    while len(found) < WELL_KNOWN:
        if split_of([word := _spell(random, kind)]) == "train":
            found[word] = None
    return tuple(found)


def _spell(random: Random, kind: str) -> str:
    return "".join(pick(random, part) for part in PARTS[kind])
