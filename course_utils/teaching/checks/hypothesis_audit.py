"""The exercise of lesson 5 on labels that hypotheses give away by themselves; `lesson_05.py` lists it."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from random import Random

import torch

from course_utils.data.inference.logic import LABELS
from course_utils.teaching.checks.pointing import expect_rate
from course_utils.teaching.checks.slips import expect_untouched, recognise, same
from course_utils.teaching.checks.word_pointing import two_numbers
from course_utils.teaching.exercises import Exercise, Mistake, expect

Hypotheses = Sequence[Sequence[str]]
Votes = dict[str, float]
"""Label → votes."""


def label_shares(hypotheses: Hypotheses, labels: Sequence[str]) -> dict[str, Votes]:
    """For each word the shares of the labels among the hypotheses that hold it; one hypothesis counts once."""
    counts: dict[str, Counter] = {}
    for words, label in zip(hypotheses, labels, strict=True):
        for word in set(words):
            counts.setdefault(word, Counter())[label] += 1
    return {word: {label: count[label] / count.total() for label in LABELS} for word, count in counts.items()}


def summed_votes(words: Sequence[str], shares: dict[str, Votes]) -> Votes:
    """Add up the shares of a hypothesis's distinct words, those that are known."""
    return {label: math.fsum(shares[word][label] for word in set(words) if word in shares) for label in LABELS}


def hypothesis_only(
    train_hypotheses: Hypotheses, train_labels: Sequence[str], test_hypotheses: Hypotheses, test_labels: Sequence[str]
) -> tuple[float, float]:
    """Guess labels without the premise: the words of the hypothesis vote, each with its shares of the labels.

    What such a guess gets right is no understanding; Gururangan et al. 2018, arXiv 1803.02324, show how much it is
    on SNLI.

    Args:
        train_hypotheses, train_labels: words of each hypothesis and its label, to learn the shares from.
        test_hypotheses, test_labels: the same, to be guessed.

    Returns:
        accuracy: share of the test labels guessed.
        majority: share of the test labels that are the most frequent label of the training.
    """
    shares = label_shares(train_hypotheses, train_labels)
    usual = Counter(train_labels).most_common(1)[0][0]

    def guess(words: Sequence[str]) -> str:
        votes = summed_votes(words, shares)
        return max(votes, key=votes.get) if any(votes.values()) else usual

    right = sum(guess(words) == label for words, label in zip(test_hypotheses, test_labels, strict=True))
    return right / len(test_labels), list(test_labels).count(usual) / len(test_labels)


auditing = Exercise("05.hypothesis-only", "Guess without reading the premise", 2, 15, hypothesis_only)
EXERCISES = [auditing]

WORDS = (
    "nobody", "outside", "dogs", "sleep", "a", "person", "paints", "two", "red", "animals", "alone", "tall", "first",
    "happy", "cat", "every",
)  # fmt: skip
UNKNOWN = ("gargoyle", "zebra", "quince", "oboe")


def audited(answer: Callable, train: tuple, test: tuple) -> tuple[float, float]:
    """Let the answer audit copies of the data, and insist on two numbers."""
    try:
        result = answer(*[list(part) for part in (*train, *test)])
    except KeyError as error:
        hint = f"Your code raised KeyError: {error}. A word that the training never had has no vote: leave it out."
        raise Mistake(hint) from error
    except (ZeroDivisionError, IndexError) as error:
        hint = f"Your code raised {type(error).__name__}: {error}. Is there a hypothesis whose words are all unknown?"
        raise Mistake(hint) from error
    return two_numbers(result, "accuracy", "accuracy of the most frequent label")


def draw(
    count: int,
    odds: Sequence[float],
    *,
    strength: float = 1.5,
    repeated: bool = False,
    unknown: float = 0.0,
    seed: int | None = None,
) -> tuple[list[tuple[str, ...]], list[str]]:
    """Draw hypotheses whose words hint at their label, by `odds` of the labels; the same arguments, the same draw."""
    random = Random(f"{count} {odds}" if seed is None else seed)
    labels, hypotheses = random.choices(range(3), odds, k=count), []
    for label in labels:
        # The first words are frequent, whatever the label; each third word hints at the label, some of them strongly.
        hints = [strength * (index % 3 == label) * (1 + index % 2) for index in range(len(WORDS))]
        weights = [math.exp(hint - index / 6) for index, hint in enumerate(hints)]
        places = sorted(range(len(WORDS)), key=lambda place: random.random() ** (1 / weights[place]))  # noqa: B023
        words = [WORDS[place] for place in places[-random.randint(2, 5) :]]
        words = [random.choice(UNKNOWN) if random.random() < unknown else word for word in words]
        words += [random.choice(words)] * (random.randint(0, 4) if repeated else 0)
        hypotheses.append(tuple(words))
    return hypotheses, [LABELS[label] for label in labels]


def decided(test: tuple, *ways: Callable[[Sequence[str]], Votes], silent: bool = False) -> tuple:
    """Keep the hypotheses whose two best labels are clearly apart in every way to vote, so that no rounding decides.

    Args:
        test: hypotheses and labels.
        ways: votes of the words of a hypothesis, the right ones and those of a slip.
        silent: also keep hypotheses without any vote.
    """

    def clear(votes: Votes) -> bool:
        second, first = sorted(votes.values())[1:] if votes else (0, 0)
        return first - second > 1e-3 * first if first else silent

    kept = [pair for pair in zip(*test, strict=True) if all(clear(way(pair[0])) for way in ways)]
    return tuple(map(list, zip(*kept, strict=True)))


def usual_label(labels: Sequence[str]) -> str:
    """Return the most frequent label."""
    return Counter(labels).most_common(1)[0][0]


def accuracy(test: tuple, votes_of: Callable[[Sequence[str]], Votes | None], otherwise: str | None) -> float:
    """Share of labels guessed by votes_of(words); None or no vote at all = `otherwise`."""
    right = 0
    for words, label in zip(*test, strict=True):
        votes = votes_of(words) or {}
        right += (max(votes, key=votes.get) if any(votes.values()) else otherwise) == label
    return right / len(test[0])


def counts_of(data: tuple, distinct: bool = True) -> dict[str, Counter]:
    """Word → how many hypotheses (or, if not distinct, how often) with each label."""
    counts: dict[str, Counter] = {}
    for words, label in zip(*data, strict=True):
        for word in set(words) if distinct else words:
            counts.setdefault(word, Counter())[label] += 1
    return counts


def as_shares(counts: dict[str, Counter]) -> dict[str, Votes]:
    """Divide the counts of each word by their sum."""
    return {word: {label: count[label] / count.total() for label in LABELS} for word, count in counts.items()}


def joined(words: Sequence[str], table: dict[str, Votes], join: Callable = math.fsum, distinct: bool = True) -> Votes:
    """Join each label's entries over the known words."""
    known = [word for word in (dict.fromkeys(words) if distinct else words) if word in table]
    return {label: join([table[word][label] for word in known]) for label in LABELS} if known else {}


@cache
def wrong_votes() -> tuple[tuple, list[tuple], list[tuple[float, float]], list[tuple[str, list[float]]]]:
    """Return a training, two tests, the right results and the accuracies of slips, one for each test; computed once."""
    train = draw(120, (0.3, 0.45, 0.25), strength=1.0)
    counts, usual = counts_of(train), usual_label(train[1])
    shares = as_shares(counts)
    sizes = Counter(train[1])
    top = {
        word: {label: share[label] * (share[label] == max(share.values())) for label in LABELS}
        for word, share in shares.items()
    }
    hard = {
        word: {label: float(max(share, key=share.get) == label) for label in LABELS} for word, share in shares.items()
    }
    within = {word: {label: count[label] / sizes[label] for label in LABELS} for word, count in counts.items()}
    ways = [partial(joined, table=table) for table in (shares, counts, within, hard, top)]
    ways.append(partial(joined, table=shares, join=math.prod))
    # Two tests: a slip is recognised by both of its rates, so that no other gives the same by accident.
    tests = [decided(draw(150, odds, strength=1.0), *ways) for odds in ((0.45, 0.25, 0.3), (0.3, 0.3, 0.4))]
    rights = [hypothesis_only(*train, *test) for test in tests]
    leak = "The shares come from the training alone: the labels of the test are there to mark the guesses."
    whole = "Each word votes for every label, by its share; in yours only its most frequent label gets something."
    one = "All words of the hypothesis vote; you asked one of them."
    product = "The votes are added; you multiplied them, so that one zero silences all others."

    def by(table, join=math.fsum):
        return [accuracy(test, partial(joined, table=table, join=join), usual) for test in tests]

    def leaking(*seen):
        learned = [
            as_shares(counts_of(tuple(sum((list(data[part]) for data in (*seen, test)), []) for part in (0, 1))))
            for test in tests
        ]
        return [accuracy(test, partial(joined, table=table), usual) for test, table in zip(tests, learned, strict=True)]

    slips = [
        (
            "Frequent words shout: divide the counts of each word by their sum, so that each has one vote to share.",
            by(counts),
        ),
        (
            "Divide by the hypotheses that hold the word, not by those that have the label: the label given the word.",
            by(within),
        ),
        (whole, by(hard)),
        (whole, by(top)),
        (one, by(shares, max)),
        (one, by(shares, lambda votes: votes[0])),
        (one, by(shares, lambda votes: votes[-1])),
        (product, by(shares, math.prod)),
        ("The label with the most votes wins; you took the one with the least.", by(shares, lambda v: 99 - sum(v))),
        (leak, leaking()),
        (leak, leaking(train)),
        (
            "This is the accuracy on the training: what a table knows by heart says nothing about new hypotheses.",
            [accuracy(train, partial(joined, table=shares), usual)] * 2,
        ),
        ("This is the most frequent label alone: let the words vote.", [majority for _, majority in rights]),
        ("This is the share of wrong guesses: return the share of right ones.", [1 - right for right, _ in rights]),
        (
            "This is the number of right guesses: divide by the number of hypotheses.",
            [right * len(test[0]) for (right, _), test in zip(rights, tests, strict=True)],
        ),
        ("The accuracy is from 0 to 1, not in percent.", [100 * right for right, _ in rights]),
    ]
    return train, tests, rights, slips


@auditing.behaviour("guesses by the votes of the words, learned from the training")
def _(answer):
    train, tests, rights, slips = wrong_votes()
    results = [audited(answer, train, test) for test in tests]
    expect(
        not same(results, [right[::-1] for right in rights]),
        "The results are swapped: the accuracy of the words comes first.",
    )
    recognise([rate for rate, _ in results], *slips)
    for (rate, _), (right, _) in zip(results, rights, strict=True):
        expect_rate(rate, right, "Wrong accuracy. Add up the label shares of the words; most votes win.")


@auditing.behaviour("lets a word count once in a hypothesis, however often it stands there")
def _(answer):
    train = draw(60, (0.3, 0.4, 0.3), strength=1.0, repeated=True)
    usual, once, often = usual_label(train[1]), as_shares(counts_of(train)), as_shares(counts_of(train, distinct=False))
    ways = [partial(joined, table=table, distinct=distinct) for table in (once, often) for distinct in (True, False)]
    test = decided(draw(300, (0.4, 0.3, 0.3), strength=1.0, repeated=True), *ways)
    rate, _ = audited(answer, train, test)
    in_training = "In the training a word counts once for each hypothesis that holds it, however often it stands there."
    in_test = "In the test a word votes once, however often it stands there."

    def by(table, distinct):
        return accuracy(test, lambda words: joined(words, table, distinct=distinct), usual)

    slips = [
        ("A word counts once in each hypothesis, in the training and in the test: take set(words).", by(often, False)),
        (in_training, by(often, True)),
        (in_test, by(once, False)),
    ]
    expect_rate(rate, hypothesis_only(*train, *test)[0], "Wrong where words stand in a hypothesis twice.", *slips)


@auditing.behaviour("gives words it has never seen no vote, and falls back on the most frequent label")
def _(answer):
    train = draw(80, (0.2, 0.5, 0.3))
    shares, usual = as_shares(counts_of(train)), usual_label(train[1])
    test = decided(draw(149, (0.4, 0.25, 0.35), unknown=0.6), partial(joined, table=shares), silent=True)
    rate, _ = audited(answer, train, test)
    known = [any(word in shares for word in words) for words in test[0]]

    def by(otherwise, data=test):
        return accuracy(data, lambda words: joined(words, shares), otherwise)

    some = tuple([value for value, keep in zip(part, known, strict=True) if keep] for part in test)
    all_known = tuple(
        [value for value, words in zip(part, test[0], strict=True) if all(word in shares for word in words)]
        for part in test
    )
    rare = min(LABELS, key=train[1].count)
    unusual = next(label for label in LABELS if label not in (usual, rare))
    hint = "Where no word is known guess the most frequent label of the training"
    slips = [
        (f"{hint}; you counted these hypotheses as wrong.", by(None)),
        (f"{hint}; you left these hypotheses out.", by(usual, some)),
        (
            "A hypothesis with one unknown word still has others: let those vote, and leave none out.",
            by(usual, all_known),
        ),
        (f"{hint}; you always guessed one other label, such as the first of the list.", by(rare)),
        (f"{hint}; you always guessed one other label, such as the first of the list.", by(unusual)),
        (
            "One unknown word is no reason to fall back: let the known ones vote.",
            accuracy(test, lambda words: joined(words, shares) if all(word in shares for word in words) else {}, usual),
        ),
    ]
    expect_rate(rate, hypothesis_only(*train, *test)[0], f"Wrong where words are unknown. {hint}.", *slips)


@auditing.behaviour("scores the most frequent training label on the test, for comparison")
def _(answer):
    train, test = draw(130, (0.2, 0.38, 0.42)), draw(109, (0.2, 0.5, 0.3))
    first = train[1].index(LABELS[0])  # neither the most frequent label of the training nor that of the test
    for part in train:
        part.insert(0, part.pop(first))
    _, majority = audited(answer, train, test)
    right = hypothesis_only(*train, *test)[1]
    peeked = "The most frequent label is that of the training; you took that of the test, or of both together."
    slips = [
        (peeked, test[1].count(usual_label(test[1])) / len(test[1])),
        (
            "This is the share in the training: score the label on the test.",
            train[1].count(usual_label(train[1])) / 130,
        ),
        ("A third is right only if all labels are equally frequent: score the most frequent one.", 1 / 3),
        (
            "This is the least frequent label, or that of the first hypothesis: take the most frequent one.",
            test[1].count(min(LABELS, key=train[1].count)) / 109,
        ),
        ("This is the number of right guesses: divide by the number of test hypotheses.", right * 109),
        ("The share of the test is taken of its own size, not of the training's.", right * 109 / 130),
        ("The accuracy is from 0 to 1, not in percent.", 100 * right),
        ("This is the share of wrong guesses.", 1 - right),
        ("This is the accuracy of the words again.", hypothesis_only(*train, *test)[0]),
    ]
    expect_rate(majority, right, "Wrong accuracy of the most frequent label.", *slips)


@auditing.behaviour("tells a set that gives its labels away from one that does not")
def _(answer):
    entailment, neutral, contradiction = LABELS
    given_away = [("anna", "sleeps"), ("nobody", "sleeps"), ("anna", "is", "outside"), ("nobody", "is", "here")]
    labels = [entailment, contradiction, neutral, contradiction]
    test = [("is", "nobody"), ("nobody", "sleeps", "here")], [contradiction, contradiction]
    rate, majority = audited(answer, (given_away, labels), test)
    expect_rate(rate, 1.0, "'nobody' stands in contradictions alone and decides both.")
    expect_rate(majority, 1.0, "Contradiction is the most frequent label of the training, and of this test.")
    same = [("dogs", "run"), ("dogs", "run"), ("dogs", "run"), ("dogs", "run")]
    shared = [entailment, neutral, contradiction, neutral]
    rate, majority = audited(answer, (same, shared), (same, shared))
    expect_rate(rate, 0.5, "One hypothesis with all labels gives nothing away: half of these are neutral.")
    expect_rate(majority, 0.5, "Half of these are neutral, the most frequent label.")


@auditing.behaviour("works for other sizes, also for one hypothesis")
def _(answer):
    for size, tests in [(1, 1), (3, 40), (100, 2), (30, 60)]:
        train = draw(size, (0.3, 0.5, 0.2))
        usual_count = Counter(train[1]).most_common(2)
        if len(usual_count) == 2 and usual_count[0][1] == usual_count[1][1]:
            train[0].append((WORDS[0],))
            train[1].append(usual_count[0][0])
        votes = partial(joined, table=as_shares(counts_of(train)))
        test = decided(draw(tests, (0.4, 0.3, 0.3), unknown=0.2), votes, silent=True)
        rate, majority = audited(answer, train, test)
        right, right_majority = hypothesis_only(*train, *test)
        where = f"for {len(train[0])} training and {len(test[0])} test hypotheses."
        expect_rate(rate, right, f"Wrong accuracy {where}")
        expect_rate(majority, right_majority, f"Wrong accuracy of the most frequent label {where}")


@auditing.behaviour("leaves its inputs as they were")
def _(answer):
    train, test = draw(12, (0.4, 0.4, 0.2)), draw(7, (0.4, 0.3, 0.3))
    listed = [[list(words) for words in part[0]] for part in (train, test)]
    expect_untouched(answer, listed[0], train[1], listed[1], test[1])


@auditing.own_data
def _(generator):
    seeds = torch.randint(2**31, (2,), generator=generator).tolist()
    train = draw(80, (0.2, 0.6, 0.2), repeated=True, seed=seeds[0])
    votes = partial(joined, table=as_shares(counts_of(train)))
    test = draw(60, (0.4, 0.3, 0.3), repeated=True, unknown=0.3, seed=seeds[1])
    return *train, *decided(test, votes, silent=True)
