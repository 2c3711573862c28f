"""Lesson 5: guess labels from the hypothesis alone."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import partial
from random import Random

import numpy
import torch

from course_utils.data.inference.logic import LABELS
from course_utils.exercises.writing import Case, Exercise, Mistake, Task, sizes


def hypothesis_only(
    train_hypotheses: Sequence, train_labels: Sequence[str], test_hypotheses: Sequence, test_labels: Sequence[str]
) -> tuple[float, float]:
    """Guess labels without the premise: the words of the hypothesis vote, each with its shares of the labels.

    Returns the accuracy on the test labels, and the share of them that are the most frequent label of the training.
    Gururangan et al. 2018, arXiv 1803.02324, show how much such a guess gets right on SNLI.
    """
    return _audit(train_hypotheses, train_labels, test_hypotheses, test_labels)


def _counted(hypotheses, labels, words=set) -> dict[str, Counter]:
    counts = {}
    for hypothesis, label in zip(hypotheses, labels, strict=True):
        for word in words(hypothesis):
            counts.setdefault(word, Counter())[label] += 1
    return counts


def _shares(counts, labels) -> dict[str, dict[str, float]]:
    return {word: {k: n / count.total() for k, n in count.items()} for word, count in counts.items()}


def _shares_of_labels(counts, labels):
    """Mistaken: how often the label has the word."""
    return {word: {k: n / labels.count(k) for k, n in count.items()} for word, count in counts.items()}


def _usual(labels: Sequence[str]) -> str:
    return Counter(labels).most_common(1)[0][0]


def _audit(X, y, tX, ty, words=dict.fromkeys, asked=None, learn=_shares, join=math.fsum, rest=_usual, data=None):
    """The two accuracies; a mistake replaces a part of it."""
    table, hits = learn(_counted(*(data or (X, y)), words), y), 0
    for hypothesis, label in zip(tX, ty, strict=True):
        known = [table[word] for word in (asked or words)(hypothesis) if word in table]
        votes = {k: join([each.get(k, 0) for each in known]) for k in LABELS} if known else {}
        hits += (max(votes, key=votes.get) if votes else rest(y)) == label
    return hits / len(ty), list(ty).count(_usual(y)) / len(ty)


VOCABULARY = ["a", "b", "A", "b.", "as", "no", "nobody", "red", "reds", "dog", "dogs", "Dogs", "dog.", "cat", "catch"]


def _sample(generator: torch.Generator, train=80, test=60, words=5, unknown=0.2, repeats=3) -> tuple:
    """Draw hypotheses whose words hint at their labels; kept are tests of which no rounding decides the guess."""
    random = Random(int(torch.randint(2**31, (), generator=generator)))

    def draw(count: int, odds: tuple[float, ...], unknown: float) -> list[tuple[tuple[str, ...], str]]:
        drawn = []
        for label in random.choices(range(3), odds, k=count):
            weights = [math.exp(1.2 * (i % 3 == label) - i / 8) for i in range(len(VOCABULARY))]
            chosen = random.choices(VOCABULARY, weights, k=random.randint(max(words // 2, 1), words))
            chosen = [f"new{random.randint(1, 9)}" if random.random() < unknown else word for word in chosen]
            drawn.append(((*chosen, *chosen[:1] * random.randint(0, repeats)), LABELS[label]))
        return drawn

    known = draw(train, (0.2, 0.5, 0.3), 0)
    known.append((("a",), _usual([label for _, label in known])))  # no two labels are the most frequent
    X, y = map(list, zip(*known, strict=True))
    tables = [learn(_counted(X, y), y) for learn in (_shares, _shares_of_labels)]
    pairs = [pair for pair in draw(2 * test + 8, (0.4, 0.25, 0.35), unknown) if all(_clear(pair[0], t) for t in tables)]
    return X, y, *map(list, zip(*pairs[:test], strict=True))


def _clear(words: Sequence[str], table: dict) -> bool:
    """Say whether one label has clearly the most votes, or none has any."""
    second, first = sorted(math.fsum(table[w].get(k, 0) for w in set(words) if w in table) for k in LABELS)[1:]
    return first == 0 or first - second > 1e-3


def _among_known(X, y, tX, ty):
    """Mistaken: hypotheses without a known word are left out."""
    kept = [(x, k) for x, k in zip(tX, ty, strict=True) if {w for words in X for w in words}.intersection(x)]
    return _audit(X, y, *zip(*kept, strict=True))[0], _audit(X, y, tX, ty)[1]


def _by_lists(X, y, tX, ty):
    most, right = max(set(y), key=y.count), 0
    for words, label in zip(tX, ty, strict=True):
        votes = dict.fromkeys(LABELS, 0)
        for word in set(words):
            held = [k for x, k in zip(X, y, strict=True) if word in x]
            for k in held:
                votes[k] += 1 / len(held)
        right += (sorted(votes, key=votes.get)[-1] if any(votes.values()) else most) == label
    return torch.tensor([right / len(ty), ty.count(most) / len(ty)])


def _by_numpy(X, y, tX, ty):
    table = {w: numpy.array([count[k] for k in LABELS]) / count.total() for w, count in _counted(X, y).items()}
    most, guesses = LABELS.index(_usual(y)), []
    for words in tX:
        known = [table[word] for word in {*words} & table.keys()]
        guesses.append(numpy.mean(known, axis=0).argmax() if known else most)
    labels = numpy.array([LABELS.index(label) for label in ty])
    return [(numpy.array(guesses) == labels).mean(), (labels == most).mean()]


E, N, C = LABELS
SEEN = ["nobody sleeps", "anna sleeps", "nobody runs", "tall anna", "tall man", "nobody eats"]
SEEN = [tuple(words.split()) for words in SEEN]
SAID = [C, E, C, N, N, C]
NEW = [("nobody", "sleeps", "here"), ("tall", "anna"), ("anna", "sleeps"), ("anna", "man"), ("tall", "nobody", "runs")]
NEW += [("man", "eats", "nobody"), ("runs", "tall", "man"), ("sleeps", "man")]
BY_HAND = (SEEN, SAID, NEW, [C, N, N, E, C, C, N, N])
COUNTS = dict(a=(1800, 1200), b=(420, 580), c=(300, 200), d=(105, 145))  # contradictions and neutral pairs with a word
MANY = [(word,) for word, counts in COUNTS.items() for _ in range(sum(counts))]
MOSTLY = [label for counts in COUNTS.values() for label, n in zip((C, N), counts, strict=True) for _ in range(n)]
SPELLED = [("Nobody", "runs."), ("nobody", "runs"), ("nobody", "run"), ("runs.",), ("somebody",), ("body", "runs.")]

LOUD = "Frequent words shout: divide the counts of each word by their sum, so that each has one vote to share."
HOW_LOUD = "*A* stands in most hypotheses: how loud should it be?"
ONE = "All words of the hypothesis vote; you asked one of them."
TWICE = "A word counts once in a hypothesis, however often it stands there: take set(words)."
NOTHING = "Where no word is known guess the most frequent label of the training; you "
NONE_KNOWN = "What does somebody guess who knows none of the words?"
AS_IT_STANDS = "A word counts as it stands: leave case, plural and punctuation alone."
SPELLINGS = [str.lower, lambda word: word.rstrip("s"), lambda word: word.strip(".,!?")]
PARTS = [  # hint, the part of `_audit` that is replaced, what to ask
    (LOUD, dict(learn=lambda counts, y: counts), HOW_LOUD),
    ("Divide by the hypotheses that hold the word, not by those with the label.", dict(learn=_shares_of_labels)),
    ("Words vote for all labels, by share.", dict(learn=lambda c, y: {w: {max(c[w], key=c[w].get): 1} for w in c})),
    (ONE, dict(join=max)),
    (ONE, dict(join=lambda votes: votes[0])),
    ("The votes are added; you multiplied them, so that one zero silences all others.", dict(join=math.prod)),
    (TWICE, dict(words=list)),
    (TWICE, dict(words=list, asked=dict.fromkeys)),
    (TWICE, dict(asked=list)),
    (f"{NOTHING}counted these hypotheses as wrong.", dict(rest=lambda y: None), NONE_KNOWN),
    *[(f"{NOTHING}guessed another label.", dict(rest=lambda y, k=k: k)) for k in LABELS],
    *[(AS_IT_STANDS, dict(words=lambda x, f=f: {f(word) for word in x})) for f in SPELLINGS],
    ("All words vote, in long hypotheses, too.", dict(words=lambda x: set(x[:10]))),
]
ONLY = "What would somebody guess who has only the training labels?"
MAJORITIES = [  # (train labels, test labels) -> the second accuracy
    ("Take the training's most frequent label, not the test's.", lambda y, ty: ty.count(_usual(ty)) / len(ty), ONLY),
    ("Take the most frequent label, not the last in the alphabet.", lambda y, ty: ty.count(max(y)) / len(ty)),
    ("This is the share in the training: score the label on the test.", lambda y, ty: y.count(_usual(y)) / len(y)),
]
LEAK = "The shares come from the training alone: the labels of the test are there to evaluate the guesses."
OPENED = "Could you have said this before the test was opened?"
UNKNOWN = "A word that the training never had has no vote: leave it out."
SILENCED = "Let the known words of a hypothesis vote; you gave up at an unknown one."
RESULTS = [  # (the four arguments) -> the two accuracies
    (LEAK, lambda X, y, tX, ty: _audit(X, y, tX, ty, data=(tX, ty)), OPENED),
    (LEAK, lambda X, y, tX, ty: _audit(X, y, tX, ty, data=(X + tX, y + ty))),
    ("This is the accuracy on the training.", lambda *x: (_audit(*x[:2], *x[:2])[0], _audit(*x)[1]), OPENED),
    ("The results are swapped: the accuracy of the words comes first.", lambda *x: _audit(*x)[::-1]),
    ("This is the most frequent label alone: let the words vote.", lambda *x: (_audit(*x)[1],) * 2),
    ("The second result is the accuracy of the words again.", lambda *x: (_audit(*x)[0],) * 2),
    ("Divide by the number of test hypotheses.", lambda *x: tuple(len(x[3]) * rate for rate in _audit(*x))),
    ("The accuracies are from 0 to 1, not in percent.", lambda *x: tuple(100 * rate for rate in _audit(*x))),
    (UNKNOWN, lambda X, y, tX, ty: [_counted(X, y)[word] for words in tX for word in words], NONE_KNOWN),
    (f"{NOTHING}left these hypotheses out.", _among_known, NONE_KNOWN),
    (SILENCED, lambda X, y, tX, ty: _audit(X, y, [x if {*x} <= _counted(X, y).keys() else () for x in tX], ty)),
]
UNSEEN = [("zebras", "graze"), (), ("here", "tall"), ("quince",)]
EXERCISE = Exercise(
    Task("05.hypothesis-only", "Guess without reading the premise", 2, 15, "two numbers"),
    hypothesis_only,
    _sample,
    cases=[
        Case("The known words vote: 6 of 8 guesses are right. The usual training label has 3 of 8.", BY_HAND),
        Case("Both the shares and the most frequent label come from the training.", dict(unknown=0, repeats=0)),
        Case("A word counts once in a hypothesis, in the training and in the vote.", dict(unknown=0, repeats=6)),
        Case("Where no word is known, guess the training's usual label.", (SEEN, SAID, UNSEEN, [C, C, N, E])),
        Case("Case, plural and punctuation matter.", (SPELLED, [E, C, N, N, C, N], SPELLED[:4], [E, C, N, N])),
        Case("Unknown and repeated words together.", dict(unknown=0.5)),
        Case("Counts may be large.", (MANY, MOSTLY, [("a", "b"), ("c", "d"), ("a",), ("b",)], [C, C, C, N])),
        Case("Hypotheses may be long.", dict(words=30, train=30, test=150)),
    ],
    demands=[sizes(train=1, test=1, words=1), sizes(train=400)],
    mistakes=[
        *[Mistake(hint, partial(_audit, **parts), *ask) for hint, parts, *ask in PARTS],
        *[Mistake(hint, lambda *x, f=f: (_audit(*x)[0], f(x[1], x[3])), *ask) for hint, f, *ask in MAJORITIES],
        *[Mistake(hint, by, *ask) for hint, by, *ask in RESULTS],
    ],
    right=[_by_lists, _by_numpy],
)
