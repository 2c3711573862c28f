"""French–English phrases with gold word alignments: the default data of the lessons on translation.

Numbers, dates, clock times, amounts of money, countries and noun phrases whose adjectives agree and mostly follow
the noun are chained to any length from 2 to 200 French tokens. The French is the source, the English the target.
What a link means is written down in :mod:`course_utils.data.phrases.units`; how text is cut into tokens in
:mod:`course_utils.data.phrases.tokens`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from course_utils.data.phrases.grammar import DRAW
from course_utils.data.phrases.numbers import below_hundred, cardinal
from course_utils.data.phrases.tokens import detokenize
from course_utils.data.phrases.units import LONGEST_SOURCE, Unit, compose, word_for_word

SPLITS = ("train", "validation", "test")
MAX_LENGTH = LONGEST_SOURCE

_SHARE_OF_KINDS = {
    "thing": 40, "country": 5, "place": 10, "origin": 6, "date": 13, "time": 10, "money": 9, "number": 7,
}  # fmt: skip
_ADVERBIALS = frozenset({"place", "date", "time", "origin"})
_PATIENCE = 300  # draws of one length that bring nothing new before that length counts as used up


@dataclass(frozen=True)
class Phrase:
    """One phrase in both languages with its gold alignment.

    Attributes:
        source: French tokens.
        target: English tokens.
        sure: links ``(target index, source index)``, counted from 0, where one English word translates one French
            word by itself; at most one for each target token.
        possible: all links, the sure ones included; at least one for each token of either side.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    sure: frozenset[tuple[int, int]]
    possible: frozenset[tuple[int, int]]

    @property
    def source_text(self) -> str:
        """The French as one line of text."""
        return detokenize(self.source)

    @property
    def target_text(self) -> str:
        """The English as one line of text."""
        return detokenize(self.target)


def split_of(source: Sequence[str]) -> str:
    """The split which a phrase belongs to, whatever seed, length or version made it.

    By a hash of the French tokens: "train" for about 80 % of phrases, "validation" and "test" for 10 % each.
    """
    digest = hashlib.blake2b(" ".join(source).encode(), digest_size=8).digest()
    return SPLITS[max(0, int.from_bytes(digest, "big") % 10 - 7)]


def joiners(previous: str, following: str) -> tuple[str, ...]:
    """The French words that may stand between two kinds of fragment; "" is nothing, an empty tuple forbids the pair.

    They keep every phrase readable in one way only: a number never touches another, and "et" never stands beside a
    bare number, where "vingt et un" would mean two things.
    """
    if following == "number" or previous == "number":
        return () if following == "origin" else (",", "puis", "ou", "mais pas")
    if following == "origin":
        return ("",) if previous == "thing" else (",", "et", "ou", "mais pas") if previous == "origin" else ()
    if following in _ADVERBIALS:
        return (",", "et", "puis", "ou", "mais pas") if following == previous else ("", "", "", ",", ", puis")
    if following == "money":
        return ("pour",) * 3 + (",", "ou") if previous == "thing" else (",", "et", "puis", "ou", "avec", "sans")
    return (",", "et", "puis", ", puis", "ou", "avec", "sans", "mais pas")


_JOINER_ENGLISH = {
    "": "", ",": ",", "et": "and", "puis": "then", ", puis": ", then", "ou": "or", "avec": "with", "sans": "without",
    "mais pas": "but not", "pour": "for",
}  # fmt: skip
_SHORTEST = {"country": 1, "number": 1}  # French tokens of the shortest fragment; 2 for the other kinds
_WIDE = 5  # from this much room on, a piece of any kind fits


@cache
def _next_pieces(previous: str | None, room: int) -> tuple[tuple[str, Unit | None], ...]:
    """``(kind, joiner)`` of a next piece that may fit, each as often as it should come up."""
    pieces: list[tuple[str, Unit | None]] = []
    for kind, share in _SHARE_OF_KINDS.items():
        words = ("",) if previous is None else joiners(previous, kind)
        units = [word_for_word(word, _JOINER_ENGLISH[word]) if word else None for word in words]
        for turn in range(share * 20 if units else 0):
            joiner = units[turn % len(units)]
            if (len(joiner.source) if joiner else 0) + _SHORTEST.get(kind, 2) <= room:
                pieces.append((kind, joiner))
    return tuple(pieces)


@cache
def _number_words() -> frozenset[str]:
    words = {word for number in range(100) for word in below_hundred(number).source}
    return frozenset(words | {"une", "-une"} | set(cardinal(202_200).source) | {"cents", "-vingt"}) - {"et"}


_Piece = tuple[str, tuple[Unit, ...], tuple[int, ...] | None, tuple[str, ...]]  # kind, units, English order, tokens


def _draw_piece(random: Random, previous: _Piece | None, room: int) -> _Piece | None:
    """One more joiner and fragment, or None if the one drawn does not fit into ``room`` French tokens."""
    choices = _next_pieces(previous[0] if previous else None, min(room, _WIDE))
    kind, joiner = choices[int(random.random() * len(choices))]
    room -= len(joiner.source) if joiner else 0
    units, order = DRAW[kind](random, room) or ((), None)
    tokens = tuple([word for unit in units for word in unit.source])
    if not tokens or len(tokens) > room or len(tokens) == room - 1:  # one token is too few for joiner and fragment
        return None
    if joiner:
        if joiner.source == ("et",) and previous[3][-1] in _number_words():
            joiner = word_for_word(",", ",")
        units, tokens = (joiner, *units), joiner.source + tokens
        if order is not None:
            order = (0, *[place + 1 for place in order])
    return kind, units, order, tokens


def _fill(random: Random, pieces: list[_Piece], room: int) -> bool:
    """Append pieces until ``room`` French tokens are used up exactly; False if nothing was found that fits."""
    while room:
        previous = pieces[-1] if pieces else None
        piece = next(filter(None, (_draw_piece(random, previous, room) for _ in range(200))), None)
        if piece is None:
            return False
        pieces.append(piece)
        room -= len(piece[3])
    return True


def _assemble(pieces: Sequence[_Piece]) -> Phrase:
    units: list[Unit] = []
    english: list[int] = []
    for _, more, order, _ in pieces:
        start = len(units)
        units.extend(more)
        english.extend(range(start, len(units)) if order is None else [start + place for place in order])
    source, target, sure, possible = compose(units, english)
    return Phrase(source, target, frozenset(sure), frozenset(possible))


def _draw_source(random: Random, length: int, split: str) -> tuple[tuple[str, ...], list[_Piece]] | None:
    """Pieces of a phrase of the given length and split.

    Where the split is wrong, only the last piece is drawn again: that changes the hash as well as a new phrase would.
    """
    pieces: list[_Piece] = []
    if not _fill(random, pieces, length):
        return None
    for _ in range(60):
        source = tuple([word for piece in pieces for word in piece[3]])
        if split_of(source) == split:
            return source, pieces
        room = len(pieces.pop()[3])
        if not _fill(random, pieces, room):
            return None
    return None


def make_phrases(
    count: int, *, split: str = "train", seed: int = 0, min_length: int = 2, max_length: int = 60
) -> list[Phrase]:
    """Make ``count`` distinct phrases with gold alignments, in random order.

    The same arguments give the same phrases, and a smaller ``count`` gives the beginning of the same list. Phrases of
    different splits never share a French side, for any seeds and lengths.

    Args:
        count: how many phrases.
        split: "train", "validation" or "test".
        seed: any whole number.
        min_length: fewest French tokens, from 2.
        max_length: most French tokens, up to 200. Lengths are uniform between the two, except that a short length
            whose phrases are used up comes up no more.

    Raises:
        ValueError: if an argument is out of range, or if there are too few distinct phrases of such short lengths.
    """
    for name, value, fits, expected in (
        ("count", count, isinstance(count, int) and count >= 1, "a whole number from 1"),
        ("split", split, split in SPLITS, f"one of {SPLITS}"),
        ("min_length", min_length, isinstance(min_length, int) and min_length >= 2, "a whole number from 2"),
        ("max_length", max_length, isinstance(max_length, int) and max_length <= MAX_LENGTH, f"up to {MAX_LENGTH}"),
    ):
        if not fits:
            raise ValueError(f"{name}={value!r}: expected {expected}; change it.")
    if min_length > max_length:
        raise ValueError(f"min_length={min_length!r} is above max_length={max_length!r}: swap or change them.")
    random = Random(f"phrases {split} {seed} {min_length} {max_length}")
    lengths = list(range(min_length, max_length + 1))
    misses = dict.fromkeys(lengths, 0)
    seen: set[tuple[str, ...]] = set()
    phrases: list[Phrase] = []
    while len(phrases) < count:
        if not lengths:
            raise ValueError(
                f"count={count!r}: only {len(phrases)} distinct phrases of {min_length} to {max_length} French tokens "
                f"were found for split={split!r}; ask for fewer, or raise max_length."
            )
        length = lengths[int(random.random() * len(lengths))]
        drawn = _draw_source(random, length, split)
        if drawn is None or drawn[0] in seen:
            misses[length] += 1
            if misses[length] >= _PATIENCE:
                lengths.remove(length)
            continue
        misses[length] = 0
        seen.add(drawn[0])
        phrases.append(_assemble(drawn[1]))
    return phrases
