"""The exercise of lesson 6 on counting wrong phonemes; `lesson_06.py` lists it."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest
from random import Random

import torch

from course_utils.teaching.checks.figures import expect_figure, number_of
from course_utils.teaching.checks.slips import expect_untouched
from course_utils.teaching.exercises import Exercise, Mistake

Phonemes = Sequence[str]


def edits(hypothesis: Phonemes, reference: Phonemes, substitution: int = 1, swap: bool = False) -> int:
    """Return the smallest number of edits that turn a reference into a hypothesis.

    Args:
        hypothesis, reference: phonemes.
        substitution: what it costs; insertions and deletions cost 1.
        swap: let two neighbours change places for 1.
    """
    before, row = [], list(range(len(reference) + 1))
    for i, said in enumerate(hypothesis, 1):
        earlier, before = before, row
        row = [i]
        for j, true in enumerate(reference, 1):
            best = min(before[j] + 1, row[-1] + 1, before[j - 1] + (0 if said == true else substitution))
            crossed = swap and i > 1 and j > 1 and said == reference[j - 2] and hypothesis[i - 2] == true
            row.append(min(best, earlier[j - 2] + 1) if crossed else best)
    return row[-1]


def phoneme_error_rate(hypotheses: Sequence[Phonemes], references: Sequence[Phonemes]) -> float:
    """Share of wrong phonemes over all utterances: (substitutions + deletions + insertions) / reference phonemes.

    Source: the measure of Chorowski et al. 2015, arXiv 1506.07503, section 5; the distance is Levenshtein's.

    Args:
        hypotheses: what was written, phonemes of each utterance; may be empty.
        references: what was said, in the same order; at least one phoneme in all.

    Returns:
        From 0; above 1 if more is wrong than was said.
    """
    wrong = sum(edits(written, said) for written, said in zip(hypotheses, references, strict=True))
    return wrong / sum(map(len, references))


counting = Exercise("06.phoneme-error-rate", "Count wrong phonemes", 2, 15, phoneme_error_rate)
EXERCISES = [counting]


def rated(answer: Callable, *pairs: tuple[str, str]) -> float:
    """Let the answer rate (hypothesis, reference) pairs, written with spaces, and insist on a number."""
    hypotheses, references = ([words.split() for words in side] for side in zip(*pairs, strict=True))
    return number_of(answer(hypotheses, references), "The error rate")


def insertions_and_deletions(hypothesis: str, reference: str) -> int:
    """Count the edits if nothing may be substituted."""
    return edits(hypothesis.split(), reference.split(), substitution=2)


def by_place(hypothesis: str, reference: str) -> int:
    """Count the places at which the two differ, the rest of the longer one included."""
    return sum(h != r for h, r in zip_longest(hypothesis.split(), reference.split()))


@counting.behaviour("counts a wrong, a missing and a surplus phoneme as one error each")
def _(answer):
    said = "K AE T S IY"
    slips = [("This is the share that is right: return the share of errors.", figure) for figure in (1.0, 5.0, 100.0)]
    expect_figure(rated(answer, (said, said)), 0.0, "A hypothesis that equals its reference has no error.", *slips)
    divide = "Divide by the number of reference phonemes,"
    others = [
        *[(f"{divide} not by that of both sides.", 1 / length) for length in (9, 10, 11)],
        *[("Phonemes are the items of the lists, some of two letters: do not count letters.", n / 7) for n in (1, 2)],
        ("This is the number of errors, or of utterances with one: divide by the number of reference phonemes.", 1.0),
        ("The rate is a share, not in percent.", 20.0),
        ("This is the share that is right: return the share of errors.", 0.8),
    ]
    wrong = rated(answer, ("K AA T S IY", said))
    twice = "A wrong phoneme is one error, a substitution: not a deletion and an insertion."
    missed = ("A wrong phoneme counts: substitutions are missing from your sum.", 0.0)
    expect_figure(wrong, 1 / 5, "One of five phonemes is wrong.", (twice, 2 / 5), missed, *others)
    lacking = rated(answer, ("K AE S IY", said))
    by_said = (f"{divide} not by that of the hypothesis.", 1 / 4)
    after = ("After a missing phoneme the rest is not wrong: it only stands one place earlier.", 3 / 5)
    missed = ("A missing phoneme counts: deletions are missing from your sum.", 0.0)
    expect_figure(lacking, 1 / 5, "One of five phonemes is missing.", by_said, after, missed, *others)
    surplus = rated(answer, ("K AE AE T S IY", said))
    by_said = (f"{divide} not by that of the hypothesis or the longer one.", 1 / 6)
    after = ("After a surplus phoneme the rest is not wrong: it only stands one place later.", 4 / 5)
    missed = ("A surplus phoneme counts, also if it repeats another one: insertions are missing from your sum.", 0.0)
    letters = ("Phonemes are the items of the lists, some of two letters: do not count letters.", 2 / 5)
    hint = "Five phonemes were said, and one more was written."
    expect_figure(surplus, 1 / 5, hint, by_said, after, missed, letters, *others)


@counting.behaviour("takes the fewest edits that explain a hypothesis")
def _(answer):
    # What each pair shows: a shift; two swapped neighbours; a rest that fits; the beginning and the end lost.
    for written, said in [
        ("B AE T S IY K", "AE T S IY K IY"),
        ("N UH Z D", "N Z UH D"),
        ("IH T", "S T AA P IH T"),
        ("AH N D", "HH AE N D Z"),
        ("M AH M AH", "AH M AH M"),
        ("L IY F", "F IY L"),
    ]:
        hypothesis, reference = written.split(), said.split()
        length = len(reference)
        shared = Counter(hypothesis) & Counter(reference)
        cut = sum(h != r for h, r in zip(hypothesis, reference, strict=False))
        in_turn = "You compared place by place, or took the first way that fits: fill a table of edit distances."
        order = "Order counts, and so does how often: you compared which phonemes there are."
        slips = [
            (in_turn, by_place(written, said) / length),
            (in_turn, cut / length),
            (order, (max(len(hypothesis), length) - shared.total()) / length),
            (order, (length - shared.total()) / length),
            (order, len(set(hypothesis) ^ set(reference)) / length),
            (order, len(set(reference) - set(hypothesis)) / length),
            ("A wrong phoneme is one error, a substitution: not a deletion and an insertion.",
             insertions_and_deletions(written, said) / length),
            ("Two swapped neighbours are two errors: only substitution, insertion and deletion are allowed.",
             edits(hypothesis, reference, swap=True) / length),
            ("The lengths differ by so many, but more than lengths counts.", abs(len(hypothesis) - length) / length),
            ("Divide by the number of reference phonemes, not by that of the hypothesis.",
             edits(hypothesis, reference) / len(hypothesis)),
        ]  # fmt: skip
        hint = f"Reference '{said}', hypothesis '{written}': take the smallest of the three ways at each cell."
        expect_figure(rated(answer, (written, said)), edits(hypothesis, reference) / length, hint, *slips)


@counting.behaviour("compares phonemes, not letters")
def _(answer):
    written, said = "DH AE CH AA", "DH AH CH IY Z"
    letters = edits(written.replace(" ", ""), said.replace(" ", ""))
    spaced = edits(written, said)
    wrong = "Phonemes are the items of the lists, some of two letters: do not join them into a string."
    expect_figure(
        rated(answer, (written, said)),
        3 / 5,
        f"Reference '{said}', hypothesis '{written}'.",
        (wrong, letters / 9),
        (wrong, letters / 5),
        (wrong, spaced / len(said)),
        (wrong, spaced / 5),
    )
    alike = rated(answer, ("S HH IY T SH", "SH HH IY T S HH"))
    hint = "'S' and 'SH' are two phonemes: joined into a string they cannot be told apart."
    expect_figure(alike, 3 / 6, hint)
    stressed = rated(answer, ("AH EH", "AA AE"))
    hint = "Two phonemes are equal or they are not: 'AA' and 'AE' share a letter, and count as wrong all the same."
    expect_figure(stressed, 1.0, hint)


@counting.behaviour("divides all errors by all reference phonemes")
def _(answer):
    pairs = [
        ("Y EH S P L IY Z", "Y EH"),  # 5 of 2
        ("T UW", "S T UW"),  # 1 of 3, and an S was written just before
        ("HH AH L OW W ER L D S", "HH AH L OW W ER L D"),  # 1 of 8
        ("S P IY CH", "S P IY CH"),  # 0 of 4
        ("G UH D M AO N IH", "G UH D M AO R N IH NG"),  # 2 of 9
        ("AH", "AA"),  # 1 of 1
    ]
    wrong = [edits(written.split(), said.split()) for written, said in pairs]
    said = [len(reference.split()) for _, reference in pairs]
    written = [len(hypothesis.split()) for hypothesis, _ in pairs]
    rates = [errors / length for errors, length in zip(wrong, said, strict=True)]
    total, right = sum(wrong), sum(wrong) / sum(said)
    mean = "Long utterances weigh more: add up errors and lengths first, and divide once. You averaged rates."
    joined = edits(" ".join(h for h, _ in pairs).split(), " ".join(r for _, r in pairs).split())
    longer = sum(max(pair) for pair in zip(said, written, strict=True))
    middle = sorted(rates)[3]
    clipped = sum(min(errors, length) for errors, length in zip(wrong, said, strict=True))
    expect_figure(
        rated(answer, *pairs),
        right,
        "The rate is all errors divided by all reference phonemes.",
        (mean, sum(rates) / 6),
        (mean, sum(min(rate, 1) for rate in rates) / 6),
        (mean, middle),
        ("You added up the rates: divide all errors by all reference phonemes.", sum(rates)),
        ("Divide by the number of reference phonemes, not by that of the hypotheses.", total / sum(written)),
        ("Divide by the number of reference phonemes, not by the longer of each two.", total / longer),
        ("Divide by the number of reference phonemes, not by that of both sides.", total / (sum(said) + sum(written))),
        ("Divide by the number of reference phonemes, not by that of the utterances.", total / 6),
        ("This is the number of errors: divide by the number of reference phonemes.", total),
        ("This is the share of utterances with an error: count phonemes.", 5 / 6),
        ("The rate is a share, not in percent.", 100 * right),
        ("This is the share that is right: return the share of errors.", 1 - right),
        ("Utterances are compared one by one: joined, errors of two may cancel out.", joined / sum(said)),
        ("An utterance may have more errors than phonemes: do not cut it off.", clipped / sum(said)),
        ("All utterances count: you stopped after the first.", rates[0]),
        ("All utterances count: this is the last one.", rates[-1]),
        ("Utterances that are right count in the denominator, too.", total / (sum(said) - said[3])),
    )


@counting.behaviour("counts what was written out of nothing, and what was not written at all")
def _(answer):
    nothing = rated(answer, ("", "K AE T"))
    hint = "Nothing was written, so all three phonemes are missing."
    expect_figure(nothing, 1.0, hint, ("An empty hypothesis is no reason to skip: all of it is missing.", 0.0))
    over = rated(answer, ("AH AH AH AH AH", "B IY"))
    hint = "More can be wrong than was said: two wrong ones and three surplus ones, of two."
    expect_figure(over, 5 / 2, hint, ("The rate may exceed one: do not cut it off.", 1.0))
    silent = rated(answer, ("HH", ""), ("K AE T", "K AE T"))
    hint = "Where nothing was said, what was written counts as inserted; the denominator has the others' phonemes."
    expect_figure(silent, 1 / 3, hint, ("An utterance without a phoneme is not skipped: insertions count.", 0.0))
    none = rated(answer, ("", ""), ("B", "B IY"))
    expect_figure(none, 1 / 2, "Nothing said and nothing written is no error.")


class _Counted(str):
    """A phoneme that counts comparisons, so that an answer without a table is stopped before it takes hours."""

    left = 0

    def __eq__(self, other: object) -> bool:
        _Counted.left -= 1
        if _Counted.left < 0:
            raise Mistake(
                "The same phonemes are compared again and again, so the time doubles with every further phoneme: "
                "keep the distances of beginnings in a table."
            )
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


@counting.behaviour("is quick enough for long utterances, and right for any length")
def _(answer):
    inventory = ["AA", "AE", "B", "CH", "D", "EH", "IY", "K", "S", "T", "Z"]
    for lengths in [(13, 14), (1, 12), (12, 1), (9, 9)]:
        drawn = [[inventory[k] for k in torch.randint(len(inventory), (length,)).tolist()] for length in lengths]
        _Counted.left = 40 * lengths[0] * lengths[1] + 400
        hypothesis, reference = ([_Counted(symbol) for symbol in symbols] for symbols in drawn)
        result = number_of(answer([hypothesis], [reference]), "The error rate")
        hint = f"Wrong for a hypothesis of {lengths[0]} and a reference of {lengths[1]} phonemes."
        expect_figure(result, phoneme_error_rate([drawn[0]], [drawn[1]]), hint)


@counting.behaviour("leaves its inputs as they were")
def _(answer):
    hypotheses, references = [["K", "AE"], []], [["K", "AE", "T"], ["B"]]
    expect_untouched(answer, hypotheses, references)


@counting.own_data
def _(generator):
    random = Random(int(torch.randint(2**31, (), generator=generator)))
    phonemes = ("AA", "AE", "D", "S", "SH", "T")
    # Seven phonemes at most: an answer without a table comes to its end, too.
    references = [random.choices(phonemes, k=random.randint(2, 7)) for _ in range(6)]
    hypotheses = [
        [random.choice((said, said, *phonemes)) for said in reference if random.random() < 0.8]
        for reference in references
    ]
    return hypotheses, references
