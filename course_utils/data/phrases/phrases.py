"""French–English phrases with gold word alignments: the default data of the lessons on translation.

Numbers, dates, clock times, amounts of money, countries and noun phrases whose adjectives agree and mostly follow
the noun are chained to any length from 2 to 200 French words.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from random import Random

from course_utils.data.phrases.aligned import AlignedPair, compose, word_for_word
from course_utils.data.phrases.grammar import DRAW
from course_utils.data.phrases.numbers import cardinal
from course_utils.data.real_sets import SPLITS
from course_utils.data.words_of_things import pick

MAX_LENGTH = 200
_SHARES = {"thing": 40, "country": 5, "place": 10, "origin": 6, "date": 13, "time": 10, "money": 9, "number": 7}
_SHORTEST = {"country": 1, "number": 1}  # French words of the shortest fragment; 2 for the other kinds
_WIDE = 5  # from this much room on, a piece of any kind fits
_PATIENCE = 300  # samples of one length that bring nothing new before that length counts as used up
_JOINERS = {"": "", ",": ",", "et": "and", "puis": "then", ", puis": ", then", "ou": "or", "avec": "with",
            "sans": "without", "mais pas": "but not", "pour": "for"}  # fmt: skip

Piece = tuple[str, AlignedPair, AlignedPair]
"""Kind of a fragment, the joiner before it, and the fragment."""


def split_of(source: Sequence[str]) -> str:
    """The split of a phrase, whatever made it, by a hash of its French: 80 % train, 10 % validation, 10 % test."""
    digest = hashlib.blake2b(" ".join(source).encode(), digest_size=8).digest()
    return SPLITS[max(0, int.from_bytes(digest) % 10 - 7)]


def _joiners(previous: str | None, following: str) -> list[str]:
    """The French words that may stand between two kinds of fragment; "" is nothing, an empty list forbids the pair.

    They keep every phrase readable in one way only: a number never touches another, and "et" never stands beside a
    bare number, where "vingt et un" would mean two things.
    """
    if previous is None:
        return [""]
    if "number" in (previous, following):
        return [] if following == "origin" else [",", "puis", "ou", "mais pas"]
    if following == "origin":
        return [""] if previous == "thing" else [",", "et", "ou", "mais pas"] if previous == "origin" else []
    if following in ("place", "date", "time"):
        return [",", "et", "puis", "ou", "mais pas"] if following == previous else ["", "", "", ",", ", puis"]
    if following == "money":
        return ["pour", "pour", "pour", ",", "ou"] if previous == "thing" else [",", "et", "puis", "ou", "avec", "sans"]
    return [",", "et", "puis", ", puis", "ou", "avec", "sans", "mais pas"]


@cache
def _next_pieces(previous: str | None, room: int) -> list[tuple[str, AlignedPair]]:
    """`(kind, joiner)` of a next piece that may fit, each as often as it should come up."""
    pieces: list[tuple[str, AlignedPair]] = []
    for kind, share in _SHARES.items():
        joiners = [word_for_word(word, _JOINERS[word]) for word in _joiners(previous, kind)]
        turns = [(kind, joiners[turn % len(joiners)]) for turn in range(20 * share if joiners else 0)]
        pieces += [(kind, joiner) for kind, joiner in turns if len(joiner.source) + _SHORTEST.get(kind, 2) <= room]
    return pieces


@cache
def _number_words() -> frozenset[str]:
    numbers = [cardinal(number, feminine) for number in (*range(100), 80_000, 202_200) for feminine in (False, True)]
    return frozenset(word for number in numbers for word in number.source) - {"et"}


def _draw_piece(random: Random, previous: Piece | None, room: int) -> Piece | None:
    """One more joiner and fragment, or None if the sampled one does not fit into `room` French words."""
    kind, joiner = pick(random, _next_pieces(previous[0] if previous else None, min(room, _WIDE)))
    room -= len(joiner.source)
    fragment = DRAW[kind](random, room)
    if fragment is None or len(fragment.source) > room or len(fragment.source) == room - 1:
        return None  # one word is too few for another joiner and fragment
    if joiner.source == ("et",) and previous[2].source[-1] in _number_words():
        joiner = word_for_word(",", ",")
    return kind, joiner, fragment


def _source(pieces: Sequence[Piece]) -> list[str]:
    return [word for _, joiner, fragment in pieces for word in (*joiner.source, *fragment.source)]


def _draw_phrase(random: Random, length: int, split: str) -> AlignedPair | None:
    """A phrase of the given length and split, or None if none was found.

    Where the split is wrong, only the last piece is sampled again: that changes the hash as well as a new phrase would.
    """
    pieces: list[Piece] = []
    for tries_left in reversed(range(61)):
        while room := length - len(_source(pieces)):
            previous = pieces[-1] if pieces else None
            piece = next(filter(None, (_draw_piece(random, previous, room) for _ in range(200))), None)
            if piece is None:
                return None
            pieces.append(piece)
        if tries_left and split_of(_source(pieces)) == split:
            return compose([pair for _, *pairs in pieces for pair in pairs])
        pieces.pop()
    return None


def make_phrases(
    count: int, *, split: str = "train", seed: int = 0, min_length: int = 2, max_length: int = 60
) -> list[AlignedPair]:
    """Make `count` distinct phrases with gold alignments, in random order.

    A smaller `count` gives the beginning of the same list. Phrases of different splits never share a French side, for
    any seeds and lengths. Lengths, in French words, are uniform from `min_length` to `max_length`, except that a short
    length whose phrases are used up comes up no more.

    Raises:
        ValueError: if an argument is out of range, or if there are too few distinct phrases of such short lengths.
    """
    if split not in SPLITS:
        raise ValueError(f"split={split!r}: expected one of {SPLITS}; choose one of them.")
    if not (isinstance(count, int) and count >= 1 and 2 <= min_length <= max_length <= MAX_LENGTH):
        raise ValueError(
            f"count={count!r}, min_length={min_length!r}, max_length={max_length!r}: expected whole numbers, count "
            f"from 1 and 2 ≤ min_length ≤ max_length ≤ {MAX_LENGTH}."
        )
    random = Random(f"phrases {split} {seed} {min_length} {max_length}")
    misses = dict.fromkeys(range(min_length, max_length + 1), 0)
    phrases: dict[tuple[str, ...], AlignedPair] = {}
    while len(phrases) < count:
        if not misses:
            raise ValueError(
                f"count={count!r}: only {len(phrases)} distinct phrases of {min_length} to {max_length} French words "
                f"were found for split={split!r}; ask for fewer, or raise max_length."
            )
        length = pick(random, list(misses))
        phrase = _draw_phrase(random, length, split)
        misses[length] += 1
        if phrase and phrase.source not in phrases:
            phrases[phrase.source], misses[length] = phrase, 0
        elif misses[length] == _PATIENCE:
            del misses[length]
    return list(phrases.values())
