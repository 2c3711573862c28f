"""Lesson 7: the features of a next word in the source, which a search rewards."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from random import Random

import torch

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, in_two_calls

SOURCE = "the big dog sees a cat and the cat sees the red dogs , at Home"
EVERY = f"{SOURCE} dog cats home fox do og"  # next words that are tried


def extractive_features(history: Sequence[str], word: str, source: Sequence[str]) -> tuple[int, int, int, int]:
    """Return which features a next word has: unigram, bigram, trigram and reordering, 1 or 0 each.

    Source: Rush et al. 2015, arXiv 1509.00685, section 5.
    """
    last, count = [*history[-1:]], len(history)
    turned = any(word in source[:place] for place, said in enumerate(source) if [said] == last)
    bigram, trigram = (count >= n and _follows([*history[-n:], word], source) for n in (1, 2))
    return int(word in source), int(bigram), int(trigram), int(turned)


def _follows(words: Sequence[str], source: Sequence[str]) -> bool:
    """Say whether words stand in the source one after the other."""
    return any([*source[start : start + len(words)]] == [*words] for start in range(len(source) - len(words) + 1))


def sample(generator: torch.Generator) -> tuple[list[str], str, list[str]]:
    """Make arguments; each result that can be is equally likely."""
    random = Random(int(torch.randint(2**31, (), generator=generator)))
    wanted = random.choice([(0, 0, 0, 0), (1, 0, 0), (1, 0, 0, 1), (1, 1, 0), (1, 1, 0, 1), (1, 1, 1, 0), (1, 1, 1, 1)])
    while True:
        source = random.choices(("the", "big", "dog", "Dog", "cat"), k=9)
        begin, end = sorted(random.sample(range(9), 2))
        given = source[begin:end], random.choice([source[end], *source, "fox"]), source
        if extractive_features(*given)[: len(wanted)] == wanted:
            return given


def _each(answer: Callable, history: list[str], words: list[str], source: list[str]) -> dict:
    return {f"of {word!r}": answer([*history], word, [*source]) for word in words}


def _tried(says: str, history: str, words: str = EVERY, source: str = SOURCE) -> Case:
    return Case(says, (history.split(), words.split(), source.split()), _each)


@in_two_calls
def _other(history, word, source, place: int, needs: int, wrong: Callable):
    """Make an answer whose feature at a place is wrong(history, word, source), 0 after fewer words than it needs."""
    features = [*extractive_features(history, word, source)]
    features[place] = len(history) >= needs and wrong(history, word, source)
    return features


unigram, bigram, trigram, reordering = (partial(_other, *pair) for pair in enumerate((0, 1, 2, 1)))


def _of_last(n: int, needs: int, find: Callable) -> Callable:
    return _other(n, needs, lambda h, w, s: find([*h[max(len(h) - n, 0) :], w], s))


def _cut(place: int, part: slice) -> Callable:
    return _other(place, 0, lambda h, w, s: extractive_features(h, w, s[part])[place])


def _circular(words: list[str], source: list[str]) -> bool:
    return any(all(source[j - k] == word for k, word in enumerate(words[::-1])) for j in range(len(source)))


def _by_sets(history, word, source):
    last, triples = tuple(history[-2:]), set(zip(source, source[1:], source[2:], strict=False))
    late = max((place for place, said in enumerate(source) if said in last[-1:]), default=0)
    return [word in source, (*last[-1:], word) in pairwise(source), (*last, word) in triples, word in source[:late]]


DIRECTLY = "The next word must stand directly AFTER the headline's last word."
ALONE = "Unigram asks for the next word alone."
ANY = "Try every position of the word: it may come more than once."
ITSELF = "A position is not before itself."
LAST = "Reordering asks for the LAST headline word only."
THREE = "All three must stand in one place; here each two do."
ROUND = "The source does not go round: a position of −1 is the last word."
FEW = "This needs more headline words than there are: it is 0."
TURNED = "Reordering asks for a position BEFORE one of the last word, near or far."
WHOLE = "Compare whole words: do not search in a joined text."
AS_IT_IS = "Compare the words as they are: case, endings and punctuation matter."
ENDS = "All of the source counts, also its first and its last word."
PLACE = "Do the three stand in ONE place of the source?"
WHERE = "At how many positions can you begin to search?"
MINUS_ONE = "What is source[-1]?"
WHICH = "'fox above dog' for 'the dog is below the fox': which word was turned past which?"

EXERCISE = Exercise(
    Task("07.extractive-features", "Find the extractive features of a word", 2, 15),
    extractive_features,
    sample,
    cases=[
        Case("In order: unigram, bigram, trigram, reordering.", (["cat"], "dogs", ["two", "dogs", "see", "a", "cat"])),
        _tried("At the beginning only unigram can be 1; words are compared whole, and as they are.", ""),
        _tried("After one word there is a bigram, at any position, and no trigram.", "sees"),
        _tried("After two words there is a trigram, too.", "the cat"),
        _tried("Only the last two words of the headline matter.", "big sees the red"),
        _tried("All three stand in one place of the source, in this order.", "cat the"),
        _tried("The last words of the source count …", ", at"),
        _tried("… and so do the first.", "the big"),
        _tried("Nothing follows the source's last word; all else is before it.", "at Home"),
        _tried("The last word may be missing in the source.", "the fox"),
        _tried("One word does not follow or precede itself.", "dog dog", "dog", "dog"),
        _tried("The source may be empty.", "the big", "dog", ""),
        _tried("The source may be long.", "so the", "end so", "so " * 200 + "at the end"),
    ],
    mistakes=[
        Mistake(ALONE, unigram(lambda h, w, s: {*h, w} <= {*s})),
        Mistake(ALONE, unigram(lambda h, w, s: bool({*h, w} & {*s}))),
        Mistake("Each feature is 1 or 0, not a count.", unigram(lambda h, w, s: s.count(w))),
        *[Mistake(WHOLE, _of_last(n, n, lambda words, s: " ".join(words) in " ".join(s))) for n in (0, 1, 2)],
        *[
            Mistake(AS_IT_IS, lambda h, w, s, f=change: extractive_features([*map(f, h)], f(w), [*map(f, s)]))
            for change in (str.lower, lambda word: word.rstrip("s"))
        ],
        Mistake(DIRECTLY, bigram(lambda h, w, s: h[-1] in s and w in s), ask=PLACE),
        Mistake(DIRECTLY, bigram(lambda h, w, s: _follows([w, h[-1]], s))),
        Mistake(ANY, bigram(lambda h, w, s: w in s[1:] and s[s.index(w, 1) - 1] == h[-1]), ask=WHERE),
        Mistake(ANY, bigram(lambda h, w, s: h[-1] in s[:-1] and s[s.index(h[-1]) + 1] == w), ask=WHERE),
        *[Mistake(ROUND, _of_last(n, n, _circular), ask=MINUS_ONE) for n in (1, 2)],
        Mistake("The headline's LAST word counts, not its first.", bigram(lambda h, w, s: _follows([h[0], w], s))),
        *[Mistake(FEW, _of_last(n, needs, _follows)) for n, needs in ((1, 0), (2, 0), (2, 1))],
        Mistake("Trigram asks for the last TWO words and the next.", trigram(lambda h, w, s: _follows([h[-1], w], s))),
        Mistake("They must stand one after the other.", trigram(lambda h, w, s: {*h[-2:], w} <= {*s}), ask=PLACE),
        Mistake(THREE, trigram(lambda h, w, s: _follows([h[-1], w], s) and _follows(h[-2:], s)), ask=PLACE),
        Mistake("The last two words are swapped.", trigram(lambda h, w, s: _follows([h[-1], h[-2], w], s))),
        Mistake("Words before the last two do not matter.", trigram(lambda h, w, s: _follows([*h, w], s))),
        Mistake(TURNED, reordering(lambda h, w, s: h[-1] in s and w in s[s.index(h[-1]) + 1 :]), ask=WHICH),
        Mistake(TURNED, reordering(lambda h, w, s: _follows([w, h[-1]], s)), ask=WHICH),
        Mistake(ANY, reordering(lambda h, w, s: h[-1] in s and w in s[: s.index(h[-1])]), ask=WHERE),
        Mistake(ITSELF, reordering(lambda h, w, s: any(said == h[-1] and w in s[: k + 1] for k, said in enumerate(s)))),
        Mistake(LAST, reordering(lambda h, w, s: any(said in h and w in s[:k] for k, said in enumerate(s)))),
        *[Mistake(ENDS, _cut(place, part)) for part in (slice(-1), slice(1, None)) for place in range(4)],
        Mistake("The source may be long.", lambda h, w, s: extractive_features(h, w, s[:100])),
    ],
    right=[_by_sets, lambda *given: torch.tensor(_by_sets(*given)).long()],
)
