"""The exercises of lesson 2 on decoding and on alignments; `lesson_02.py` lists them."""

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils import metrics
from course_utils.teaching.checks.slips import expect_untouched, recognise
from course_utils.teaching.exercises import Exercise, Mistake, expect, expect_close, expect_tensor


def greedy(step: Callable, begin: int, end: int, first_state: object, max_length: int) -> list[int]:
    """Take the most probable word until the end symbol or the limit."""
    words, word, state = [], begin, first_state
    for _ in range(max_length):
        log_probabilities, state = step(word, state)
        word = int(log_probabilities.argmax())
        if word == end:
            break
        words.append(word)
    return words


def beam_step(beam_scores: Tensor, log_probabilities: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Choose the k best continuations of all beams together."""
    totals = beam_scores.unsqueeze(1) + log_probabilities  # (beam, vocabulary)
    scores, index = totals.flatten().topk(k)
    vocabulary = log_probabilities.shape[1]
    return index // vocabulary, index % vocabulary, scores


def alignment_error_rate(proposed: set, sure: set, possible: set) -> float:
    """Mark one sentence with the function that marks the course's models."""
    return metrics.alignment_error_rate([(proposed, sure, possible)])


writing = Exercise("02.greedy", "Write the best word, again and again", 2, 12, greedy)
choosing = Exercise("02.beam-step", "Choose the best continuations of all beams", 3, 15, beam_step)
marking = Exercise("02.alignment-error-rate", "Mark links against the gold ones", 2, 8, alignment_error_rate)
EXERCISES = [writing, choosing, marking]

BEGIN, END = 1, 5


def scripted(choose: Callable[[int, int, int], int]) -> tuple[Callable, list[tuple[int, int]]]:
    """Make a `step` whose best word is choose(call, previous_word, state), and the list of its calls.

    The best word is barely better than the others, so that drawing words at random is noticed.
    """
    calls: list[tuple[int, int]] = []

    def step(previous_word, state):
        expect(len(calls) < 40, "Your loop does not stop: end it at the end symbol and after max_length calls of step.")
        calls.append((int(previous_word), int(state)))
        preference = torch.zeros(7)
        preference[choose(len(calls) - 1, *calls[-1])] = 0.5
        preference[6] = -0.5  # the worst word
        return preference.log_softmax(dim=-1), state + 1

    return step, calls


def written(answer: Callable, step: Callable, first_state: int = 0, max_length: int = 12) -> list[int]:
    """Run a greedy decoder and insist on a list of ids."""
    words = answer(step, BEGIN, END, first_state, max_length)
    expect(words is not None, "Your function returned None. Does every path end in a return statement?")
    expect(isinstance(words, list), f"Return a list of word ids; yours is a {type(words).__name__}.")
    return [int(word) for word in words]


@writing.behaviour("takes the most probable word of each step")
def _(answer):
    script = [3, 0, 4, 3, 2, END]
    step, _ = scripted(lambda call, word, state: script[min(call, 5)])
    words = written(answer, step)
    recognise(
        words,
        ("The end symbol is not a word: leave it out of the list, and stop there.", script),
        ("begin is not a word of the sentence: leave it out of the list.", [BEGIN, *script[:5]]),
        ("begin and end are not words of the sentence: leave them out of the list.", [BEGIN, *script]),
        ("You stopped at the word 0, but the end symbol is the id `end`.", [3]),
        ("You lost the word with the id 0: it is a word like any other.", [3, 4, 3, 2]),
        ("You lost the first word: it follows the first call of step.", script[1:5]),
        ("You dropped a word that came a second time.", [3, 0, 4, 2]),
    )
    expect(END not in words, "You went on after the end symbol: stop there, and leave it out of the list.")
    hint = "Take the argmax of each step's log probabilities: the largest, not the smallest, and nothing at random."
    expect(words == script[:5], f"{hint} Expected {script[:5]}, got {words}.")


@writing.behaviour("gives each word back to the model")
def _(answer):
    following = {BEGIN: 2, 2: 4, 4: 3, 3: END}
    step, calls = scripted(lambda call, word, state: following.get(word, 0))
    words = written(answer, step)
    expect(bool(calls) and calls[0][0] == BEGIN, "The first call of step gets begin as the previous word.")
    hint = "Call step with the word that you have just chosen; its first call alone gets begin."
    expect(words == [2, 4, 3], f"{hint} Expected [2, 4, 3], got {words}.")


@writing.behaviour("gives each state back to the model")
def _(answer):
    script = [4, 4, 2, END]
    step, calls = scripted(lambda call, word, state: script[min(max(state - 7, 0), 3)])
    words = written(answer, step, first_state=7)
    expect(bool(calls) and calls[0][1] == 7, "The first call of step gets first_state.")
    hint = "step returns a new state: give it to the next call, or the model forgets what it has written."
    expect(words == [4, 4, 2], f"{hint} Expected [4, 4, 2], got {words}.")


@writing.behaviour("stops at the end symbol")
def _(answer):
    script = [2, END, 3, 4, END]
    step, calls = scripted(lambda call, word, state: script[min(call, 4)])
    words = written(answer, step)
    expect(words != [2, END], "Leave the end symbol out of the list: expected [2].")
    expect(words == [2], f"Stop at the first end symbol: expected [2], got {words}.")
    expect(len(calls) == 2, f"You called step {len(calls)} times; leave the loop at the end symbol, after 2 calls.")
    step, _ = scripted(lambda call, word, state: END)
    expect(written(answer, step) == [], "If the end symbol comes first, the sentence is empty: return [].")


@writing.behaviour("calls the model at most max_length times")
def _(answer):
    for limit in (1, 4):
        step, calls = scripted(lambda call, word, state: 2 + call % 3)
        words, expected = written(answer, step, max_length=limit), [2 + call % 3 for call in range(limit)]
        hint = f"With max_length {limit} and no end symbol in sight, return the first {limit} word(s)"
        expect(words == expected, f"{hint}, {expected}; got {words}.")
        expect(len(calls) == limit, f"You called step {len(calls)} times with max_length {limit}: {limit} is enough.")


def expect_choice(answer: Callable, beam_scores: Tensor, log_probabilities: Tensor, k: int, hint: str, *slips) -> None:
    """Insist on the right parents, words and scores.

    Args:
        answer: the learner's function.
        beam_scores: `(beam,)`.
        log_probabilities: `(beam, vocabulary)`.
        k: how many continuations to choose.
        hint: for a wrong choice that is no known slip.
        slips: (hint, the whole `(beam, vocabulary)` table that this slip ranks by).
    """
    result = answer(beam_scores.clone(), log_probabilities.clone(), k)
    whole = isinstance(result, tuple | list) and len(result) == 3
    expect(whole, "Return three tensors: parents, words and scores, in this order.")
    for name, tensor in zip(("parents", "words", "scores"), result, strict=True):
        expect_tensor(tensor, (k,), f"(k,), the {name}")
    parents, words, scores = result
    recognise(scores, *[(slip, table.flatten().topk(k).values) for slip, table in slips])
    integers = not (parents.is_floating_point() or words.is_floating_point())
    expect(integers, "parents and words must be integers: divide by //, and return the scores last.")

    right_parents, right_words, right_scores = beam_step(beam_scores, log_probabilities, k)
    chosen = list(zip(parents.tolist(), words.tolist(), strict=True))
    right = list(zip(right_parents.tolist(), right_words.tolist(), strict=True))
    if chosen != right and chosen == [(word, parent) for parent, word in right]:
        raise Mistake(
            "Parents and words are mixed up. In the flattened table index // vocabulary is the beam and "
            "index % vocabulary the word; return the parents first."
        )
    expect(chosen == right or sorted(chosen) != sorted(right), "The right choices, but the best must come first.")
    expect(chosen == right, f"{hint} Expected (parent, word) {right}, got {chosen}.")
    hint = "The score of a choice is the beam's score plus the word's log probability: no mean, no exp, no scaling."
    expect_close(scores, right_scores, hint, "(k,)")


@choosing.behaviour("adds the word's log probability to the beam's score")
def _(answer):
    beam_scores = torch.tensor([-1.0, -4.0])
    log_probabilities = torch.tensor([[0.3, 0.5, 0.2], [0.01, 0.98, 0.01]]).log()
    totals = beam_scores[:, None] + log_probabilities
    expect_choice(
        answer,
        beam_scores,
        log_probabilities,
        2,
        "A sure word of a bad beam loses against a fair word of a good one: rank the sums, largest first.",
        ("You forgot the score that each beam has so far: add it before you choose.", log_probabilities),
        ("Length normalisation comes at the end of the search: here the scores are plain sums.", totals / 2),
        ("Add the beam's score; a product of logarithms means nothing.", beam_scores[:, None] * log_probabilities),
        ("Add the logarithms: you added plain probabilities.", beam_scores[:, None] + log_probabilities.exp()),
        ("Return the sums of logarithms: you returned probabilities.", totals.exp()),
    )


@choosing.behaviour("chooses among the continuations of all beams together")
def _(answer):
    beam_scores = torch.tensor([-9.0, -0.5, -8.0])  # as many beams as words: a wrong axis goes unnoticed
    log_probabilities = torch.tensor([[0.2, 0.3, 0.5], [0.4, 0.35, 0.25], [0.1, 0.8, 0.1]]).log()
    axis = "The beams' scores were added along the words: they need the first axis, beam_scores.unsqueeze(1)."
    hint = "All three best continuations belong to beam 1: take the best of the whole table, not of each beam."
    expect_choice(answer, beam_scores, log_probabilities, 3, hint, (axis, beam_scores + log_probabilities))


@choosing.behaviour("says which beam and which word, best first")
def _(answer):
    beam_scores, log_probabilities = torch.tensor([-1.2, -0.7, -1.0]), torch.randn(3, 7).log_softmax(-1)
    for k in (10, 3, 1):  # more than there are words, as many as beams, fewer
        hint = f"Wrong for 3 beams, 7 words and k = {k}: in the flattened table, index // 7 is the beam."
        expect_choice(answer, beam_scores, log_probabilities, k, hint)


@choosing.behaviour("starts from one beam: the others have the score minus infinity")
def _(answer):
    beam_scores = torch.tensor([0.0, float("-inf"), float("-inf")])
    log_probabilities = torch.tensor([0.1, 0.4, 0.2, 0.3]).log().repeat(3, 1)
    hint = "A beam with the score minus infinity was chosen: at the first step only one beam counts."
    expect_choice(answer, beam_scores, log_probabilities, 3, hint)


@choosing.behaviour("leaves its inputs as they were")
def _(answer):
    expect_untouched(answer, torch.tensor([-1.0, -2.0]), torch.randn(2, 5).log_softmax(-1), 2)


DIAGONAL = {(0, 0), (1, 1), (2, 2)}


def expect_rate(answer: Callable, links: tuple[set, set, set], hint: str, *slips: tuple[str, float]) -> None:
    """Insist on the error rate of one sentence's (proposed, sure, possible) links; slips are (hint, rate)."""
    rate = answer(*map(set, links))
    expect(rate is not None, "Your function returned None. Does every path end in a return statement?")
    expect(not isinstance(rate, set | list | tuple | str), f"Return one number; yours is a {type(rate).__name__}.")
    rate, expected = float(rate), alignment_error_rate(*links)
    for slip, wrong in slips:
        expect(abs(rate - wrong) > 1e-6, slip)
    expect(abs(rate - expected) < 1e-6, f"{hint} Expected {expected:.4f}, got {rate:.4f}.")


@marking.behaviour("is 0 for the gold links and 1 for none of them")
def _(answer):
    expect_rate(
        answer,
        (DIAGONAL, DIAGONAL, DIAGONAL),
        "All links are right, so there is no error.",
        ("It is an error rate, so 0 is perfect: subtract the agreement from one.", 1.0),
        ("Divide by |A| + |S|; in the union of A and S the shared links count once only.", -1.0),
        ("Each sure link that was found counts twice, in |A ∩ S| and in |A ∩ P|: add both.", 0.5),
    )
    percent = ("Return a share from 0 to 1, not per cent.", 100.0)
    expect_rate(answer, ({(0, 2), (1, 0)}, DIAGONAL, DIAGONAL), "No proposed link is right.", percent)


@marking.behaviour("counts sure and possible links as Och and Ney do")
def _(answer):
    proposed, sure = {(0, 0), (1, 1), (2, 1), (4, 0)}, {(0, 0), (1, 1), (2, 2)}
    possible = sure | {(2, 1), (3, 3)}  # |A| = 4, |S| = 3, |P| = 5, |A ∩ S| = 2, |A ∩ P| = 3
    mean = "Add the counts up before you divide; you averaged precision and recall."
    twice = "Each sure link that was found counts twice, in |A ∩ S| and in |A ∩ P|: add both."
    expect_rate(
        answer,
        (proposed, sure, possible),
        "AER = 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|).",
        ("It is an error rate, so 0 is perfect: subtract the agreement from one.", 5 / 7),
        ("Divide by |A| + |S|; with |A| + |P| every possible link would be asked for.", 1 - 5 / 9),
        ("Divide by |A| + |S|; you divided by |S| + |P|.", 1 - 5 / 8),
        ("This is 1 − precision: sure links that were missed must count as well.", 1 - 3 / 4),
        ("This is 1 − precision on the sure links; a possible link is no error either.", 1 - 2 / 4),
        ("This is 1 − recall: wrong links that were proposed must count as well.", 1 - 2 / 3),
        ("This is 1 − recall on the possible links; nobody has to find those.", 1 - 3 / 5),
        ("You used the sure links twice: the second term is |A ∩ P|.", 1 - 4 / 7),
        ("You used the possible links twice: the first term is |A ∩ S|.", 1 - 6 / 7),
        (mean, 1 - (3 / 4 + 2 / 3) / 2),
        (mean, 1 - 2 / (4 / 3 + 3 / 2)),
        (twice, 1 - 3 / 7),
        (twice, 1 - 2 / 7),
    )


@marking.behaviour("asks for the sure links alone")
def _(answer):
    extra = {(0, 1), (1, 0), (3, 0)}
    links = (DIAGONAL, DIAGONAL, DIAGONAL | extra)
    expect_rate(answer, links, "A possible link that was not proposed is no error.")
    links = (set(), DIAGONAL, DIAGONAL)
    expect_rate(answer, links, "With nothing proposed all sure links are missing, and the error rate is 1.")


@marking.behaviour("takes a sure link for a possible one, listed or not")
def _(answer):
    links = ({(0, 0), (1, 1), (2, 0)}, DIAGONAL, {(2, 0), (2, 1)})
    unlisted = (
        "The sure links are possible too, even where `possible` leaves them out: unite the two sets.",
        1 - 3 / 6,
    )
    expect_rate(answer, links, "P contains S.", unlisted)


@marking.behaviour("leaves its sets as they were")
def _(answer):
    expect_untouched(answer, {(0, 0), (1, 1)}, DIAGONAL, {(2, 1)})


@writing.own_data
def _(generator):
    table = torch.randn(9, 9, generator=generator)

    def step(word: int, state: Tensor) -> tuple[Tensor, Tensor]:
        state = torch.tanh(state + table[word])
        return torch.log_softmax(table.T @ state, dim=0), state

    return step, 0, 1, torch.zeros(9), 8


@choosing.own_data
def _(generator):
    log_probabilities = torch.log_softmax(2 * torch.randn(3, 7, generator=generator), dim=1)
    return -3 * torch.rand(3, generator=generator), log_probabilities, 3


@marking.own_data
def _(generator):
    links = [divmod(number, 5) for number in torch.randperm(25, generator=generator).tolist()]
    first, proposed, sure, more = (torch.rand(4, generator=generator) * torch.tensor([4, 9, 6, 5])).long().tolist()
    return set(links[first : first + 4 + proposed]), set(links[: 3 + sure]), set(links[: 4 + sure + more])
