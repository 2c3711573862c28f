"""The exercise of lesson 5 on labels that hypotheses give away by themselves; `lesson_05.py` lists it."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import torch

from course_utils.datasets.inference_logic import LABELS
from course_utils.teaching.checks.pointing import expect_rate
from course_utils.teaching.checks.slips import expect_untouched
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
    count: int, odds: Sequence[float], *, strength: float = 1.5, repeated: bool = False, unknown: float = 0.0
) -> tuple[list[tuple[str, ...]], list[str]]:
    """Draw hypotheses whose words hint at their label; `odds` are those of the labels."""
    labels = torch.multinomial(torch.tensor(odds), count, replacement=True).tolist()
    common = torch.linspace(2.5, 0.0, len(WORDS))  # the first words are frequent, whatever the label
    hypotheses = []
    for label in labels:
        hint = torch.tensor([strength * (index % 3 == label) * (1 + index % 2) for index in range(len(WORDS))])
        size = int(torch.randint(2, 6, ()))
        chosen = torch.multinomial((common + hint).softmax(0), size, replacement=repeated).tolist()
        words = [UNKNOWN[c % 4] if bool(torch.rand(()) < unknown) else WORDS[c] for c in chosen]
        if repeated:
            words += [words[-1]] * int(torch.randint(0, 4, ()))
        hypotheses.append(tuple(words))
    return hypotheses, [LABELS[label] for label in labels]


def decided(train: tuple, test: tuple) -> tuple:
    """Keep the hypotheses whose two best labels are clearly apart, so that no rounding decides."""
    shares, kept = label_shares(*train), []
    for words, label in zip(*test, strict=True):
        second, first = sorted(summed_votes(words, shares).values())[1:]
        if first == 0 or first - second > 1e-3:
            kept.append((words, label))
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


@auditing.behaviour("guesses by the votes of the words, learned from the training")
def _(answer):
    train = draw(160, (0.3, 0.45, 0.25))
    test = decided(train, draw(331, (0.45, 0.25, 0.3)))
    rate, majority = audited(answer, train, test)
    counts, usual = counts_of(train), usual_label(train[1])
    shares = as_shares(counts)
    sizes = Counter(train[1])
    right, right_majority = hypothesis_only(*train, *test)
    both = tuple(first + second for first, second in zip(train, test, strict=True))
    turned = math.isclose(rate, right_majority, abs_tol=1e-5) and math.isclose(majority, right, abs_tol=1e-5)
    expect(not turned, "The results are swapped: the accuracy of the words comes first.")
    top = {
        word: {label: share[label] * (share[label] == max(share.values())) for label in LABELS}
        for word, share in shares.items()
    }
    hard = {
        word: {label: float(max(share, key=share.get) == label) for label in LABELS} for word, share in shares.items()
    }
    within = {word: {label: count[label] / sizes[label] for label in LABELS} for word, count in counts.items()}
    leak = "The shares come from the training alone: the labels of the test are there to mark the guesses."
    whole = "Each word votes for every label, by its share; in yours only its most frequent label gets something."
    one = "All words of the hypothesis vote; you asked one of them."
    product = "The votes are added; you multiplied them, so that one zero silences all others."

    def by(table, join=math.fsum, data=test, fallback=usual):
        return accuracy(data, lambda words: joined(words, table, join), fallback)

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
        (product, by(shares, lambda votes: sum(math.log(max(vote, 1e-9)) for vote in votes) + 1e6)),
        (
            "The label with the most votes wins; you took the one with the least.",
            accuracy(test, lambda words: {k: 1 / (v + 1e-9) for k, v in joined(words, shares).items()}, usual),
        ),
        (leak, by(as_shares(counts_of(test)))),
        (leak, by(as_shares(counts_of(both)))),
        (
            "This is the accuracy on the training: what a table knows by heart says nothing about new hypotheses.",
            by(shares, data=train),
        ),
        ("This is the most frequent label alone: let the words vote.", right_majority),
        ("This is the share of wrong guesses: return the share of right ones.", 1 - right),
        ("This is the number of right guesses: divide by the number of hypotheses.", right * len(test[0])),
        ("The accuracy is from 0 to 1, not in percent.", 100 * right),
        (
            "This is a guess by the last word of the hypothesis: all words vote.",
            accuracy(test, lambda words: shares.get(words[-1]), usual),
        ),
        (
            "This is a guess by the first word of the hypothesis: all words vote.",
            accuracy(test, lambda words: shares.get(words[0]), usual),
        ),
    ]
    expect_rate(
        rate, right, "Wrong accuracy. Add up the label shares of the words; the label with the most wins.", *slips
    )


@auditing.behaviour("lets a word count once in a hypothesis, however often it stands there")
def _(answer):
    train = draw(140, (0.3, 0.4, 0.3), repeated=True)
    test = decided(train, draw(401, (0.4, 0.3, 0.3), repeated=True))
    rate, _ = audited(answer, train, test)
    usual, once, often = usual_label(train[1]), as_shares(counts_of(train)), as_shares(counts_of(train, distinct=False))
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
    train = draw(150, (0.2, 0.5, 0.3))
    test = decided(train, draw(307, (0.34, 0.36, 0.3), unknown=0.6))
    rate, _ = audited(answer, train, test)
    shares, usual = as_shares(counts_of(train)), usual_label(train[1])
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
    train, test = draw(130, (0.2, 0.25, 0.55)), draw(109, (0.25, 0.45, 0.3))
    _, majority = audited(answer, train, test)
    right = hypothesis_only(*train, *test)[1]
    peeked = (
        "The most frequent label is that of the training; you took that of the test, which nobody knows beforehand."
    )
    slips = [
        (peeked, test[1].count(usual_label(test[1])) / len(test[1])),
        (
            "This is the share in the training: score the label on the test.",
            train[1].count(usual_label(train[1])) / 130,
        ),
        ("A third is right only if all labels are equally frequent: score the most frequent one.", 1 / 3),
        (
            "This is the least frequent label: take the most frequent one.",
            test[1].count(min(LABELS, key=train[1].count)) / 109,
        ),
        (
            "This is the most frequent label of both together: the training alone knows it.",
            test[1].count(usual_label(train[1] + test[1])) / 109,
        ),
        ("The label of the first training hypothesis is not the most frequent one.", test[1].count(train[1][0]) / 109),
        (
            "This is the alphabetically last or first label: take the most frequent one.",
            test[1].count(max(LABELS)) / 109,
        ),
        (
            "This is the alphabetically last or first label: take the most frequent one.",
            test[1].count(min(LABELS)) / 109,
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
    for size, tests in [(1, 1), (3, 40), (300, 2), (40, 150)]:
        train = draw(size, (0.3, 0.5, 0.2))
        usual_count = Counter(train[1]).most_common(2)
        if len(usual_count) == 2 and usual_count[0][1] == usual_count[1][1]:
            train[0].append((WORDS[0],))
            train[1].append(usual_count[0][0])
        test = decided(train, draw(tests, (0.4, 0.3, 0.3), unknown=0.2))
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
