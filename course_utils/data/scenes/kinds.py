"""Which kinds meet in training and which only in the test of unseen pairs."""

from course_utils.data.words_of_things import KINDS

BLOCKS = {"many": 8, "few": 12}
"""Number of blocks into which the kinds are dealt out, for each way to choose the pairs that meet in training.

"many": kinds of different blocks meet, so that each has 42 partners, and 5 kinds that it meets only in the test of
unseen pairs. "few": kinds of one block meet, so that each has 3 partners, and 44 kinds that it meets only in that test.
"""

_NUMBER_OF = {name: number for number, name in enumerate(KINDS)}


def block_of(kind: str, pairs: str = "many") -> int:
    """Block of a kind, 0 to `BLOCKS[pairs]` − 1."""
    return _NUMBER_OF[kind] % BLOCKS[pairs]


def pair_is_seen(first: str, second: str, pairs: str = "many") -> bool:
    """Whether two kinds may meet in a scene of the splits "train", "validation" and "test"."""
    return (block_of(first, pairs) == block_of(second, pairs)) == (pairs == "few")
