"""The exercise of lesson 7 on features of the source that a search rewards; `lesson_07.py` lists it."""

from collections.abc import Callable, Sequence
from random import Random

import torch
from torch import Tensor

from course_utils.teaching.checks.slips import expect_untouched
from course_utils.teaching.exercises import Exercise, expect

NAMES = ("unigram", "bigram", "trigram", "reordering")


def extractive_features(history: Sequence[str], word: str, source: Sequence[str]) -> tuple[int, int, int, int]:
    """Tell which features a next word would have.

    Source: Rush et al. 2015, arXiv 1509.00685, section 5.

    Args:
        history: the headline so far, the last word last; may be empty.
        word: the next one.
        source: words of the source.

    Returns:
        unigram, bigram, trigram and reordering, 1 or 0 each.
    """
    places = [j for j, said in enumerate(source) if said == word]
    last, before = ([None, None, *history][-1], [None, None, *history][-2])
    follows = [j for j in places if j >= 1 and last is not None and source[j - 1] == last]
    third = [j for j in follows if j >= 2 and before is not None and source[j - 2] == before]
    turned = any(source[k] == last for j in places for k in range(j + 1, len(source)))
    return int(bool(places)), int(bool(follows)), int(bool(third)), int(turned)


rewarding = Exercise("07.extractive-features", "Find a word's features in the source", 2, 15, extractive_features)
EXERCISES = [rewarding]

SOURCE = "the big dog sees a cat and the cat sees the red dog at home"


def found(answer: Callable, history: str, word: str, source: str = SOURCE) -> tuple[int, ...]:
    """Let the answer look for features, and insist on four ones and zeros."""
    result = answer(history.split(), word, source.split())
    expect(result is not None, "Your function returned None. Does every path end in a return statement?")
    if isinstance(result, Tensor):
        result = result.tolist()
    four = isinstance(result, tuple | list) and len(result) == 4
    expect(four, "Return four features in this order: unigram, bigram, trigram, reordering.")
    numbers = [value.item() if isinstance(value, Tensor) else value for value in result]
    hint = f"Each feature is 1 or 0, also where the word stands in several places; yours are {tuple(numbers)}."
    expect(all(value in (0, 1) for value in numbers), hint)
    return tuple(int(value) for value in numbers)


def expect_features(answer: Callable, history: str, word: str, hints: dict[str, str], source: str = SOURCE) -> None:
    """Insist on the right features; `hints` says for a feature what is probably wrong."""
    ours, right = found(answer, history, word, source), extractive_features(history.split(), word, source.split())
    for name, mine, true in zip(NAMES, ours, right, strict=True):
        where = f"Source '{source}', headline so far '{history}', next word '{word}'"
        default = f"{name} is {true} here."
        expect(mine == true, f"{where}: your {name} is {mine}. {hints.get(name, default)}")


@rewarding.behaviour("unigram: the next word stands in the source")
def _(answer):
    only = "It looks at the next word alone: is it a word of the source?"
    expect_features(answer, "", "home", {"unigram": only})
    expect_features(answer, "the big", "fox", {"unigram": f"{only} The words before are no part of it."})
    whole = "Compare whole words: 'do' is no word of this source, although 'dog' begins with it."
    expect_features(answer, "a", "do", {"unigram": whole, "reordering": whole})
    expect_features(answer, "fox", "cat", {"unigram": f"{only} The words before are no part of it."})


@rewarding.behaviour("bigram: it follows the last word in the source, too")
def _(answer):
    direct = "The next word must stand directly after the last one, somewhere in the source."
    every = f"{direct} Try every place of the word, not only the first."
    expect_features(answer, "big", "dog", {"bigram": direct})
    expect_features(answer, "the", "red", {"bigram": every})
    expect_features(answer, "the", "cat", {"bigram": every})
    expect_features(answer, "big", "sees", {"bigram": f"{direct} Both being somewhere is not enough."})
    turned = f"{direct} Here it stands directly before it: that is reordering."
    expect_features(answer, "dog", "big", {"bigram": turned})
    expect_features(answer, "home", "the", {"bigram": f"{direct} The source does not go round: it ends with 'home'."})
    last = "The LAST word of the headline counts, not its first or any other."
    expect_features(answer, "big cat", "dog", {"bigram": last})
    expect_features(answer, "cat the", "red", {"bigram": last, "trigram": "All three must follow each other."})


@rewarding.behaviour("trigram: all three follow each other in the source")
def _(answer):
    order = "The last two words and the next one must stand one after the other, in this order."
    expect_features(answer, "the big", "dog", {"trigram": order})
    expect_features(answer, "cat sees", "the", {"trigram": f"{order} Try every place of the word, not only the first."})
    expect_features(answer, "big the", "dog", {"trigram": f"{order} Here the first two are swapped."})
    expect_features(answer, "the the", "cat", {"trigram": f"{order} Here only the last two do."})
    apart = f"{order} Here each two do, but in different places of the source."
    expect_features(answer, "a cat", "sees", {"trigram": apart})
    expect_features(answer, "dog", "sees", {"trigram": "There are only two words yet: no triple."})
    expect_features(answer, "a red dog", "at", {"trigram": f"{order} Words before the last two do not matter."})


@rewarding.behaviour("reordering: it stands somewhere before the last word in the source")
def _(answer):
    turned = "It is 1 if the next word stands in the source at an EARLIER place than the last word."
    expect_features(answer, "home", "at", {"reordering": turned})
    expect_features(answer, "home", "big", {"reordering": f"{turned} They need not be neighbours."})
    expect_features(answer, "big", "home", {"reordering": f"{turned} 'home' stands after 'big', never before it."})
    places = f"{turned} Any two places will do: 'cat' once stands before 'dog', and 'dog' once before 'cat'."
    expect_features(answer, "cat", "dog", {"reordering": places})
    expect_features(answer, "dog", "cat", {"reordering": places})
    expect_features(answer, "big", "big", {"reordering": f"{turned} A place is not before itself."})
    expect_features(answer, "the", "the", {"reordering": f"{turned} 'the' comes three times, so it can."})
    expect_features(answer, "fox", "big", {"reordering": f"{turned} The last word is not in the source at all."})
    expect_features(answer, "home big", "dog", {"reordering": f"{turned} Only the LAST word of the headline counts."})


@rewarding.behaviour("bears an empty headline, an empty source and words at the ends")
def _(answer):
    start = "At the beginning of a headline there is no last word: only unigram can be 1."
    expect_features(answer, "", "dog", {name: start for name in NAMES[1:]})
    expect_features(answer, "", "the", {name: start for name in NAMES[1:]})
    expect_features(answer, "the", "dog", {}, source="")
    round_trip = "A place below 0 counts from the end in Python: the first word of the source follows nothing."
    expect_features(answer, "home", "dog", {"bigram": round_trip, "trigram": round_trip}, source="dog at home")
    expect_features(answer, "at home", "dog", {"bigram": round_trip, "trigram": round_trip}, source="dog at home")
    expect_features(answer, "home at", "dog", {"trigram": round_trip}, source="at dog home")
    expect_features(answer, "dog", "dog", {"bigram": "One 'dog' does not follow itself."}, source="dog")


@rewarding.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, ["the", "big"], "dog", SOURCE.split())


@rewarding.own_data
def _(generator):
    random = Random(int(torch.randint(2**31, (), generator=generator)))
    # Every result that can be is equally likely: draw one, then texts until they have it.
    wanted = random.choice(
        [(0, 0, 0, 0), (1, 0, 0, 0), (1, 0, 0, 1), (1, 1, 0, 0), (1, 1, 0, 1), (1, 1, 1, 0), (1, 1, 1, 1)]
    )
    while True:
        source = random.choices(("the", "big", "dog", "sees", "cat"), k=9)
        begin, end = sorted(random.sample(range(9), 2))
        given = source[begin:end], random.choice([source[end], *source, "fox"]), source
        if extractive_features(*given) == wanted:
            return given
