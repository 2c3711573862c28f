"""Help for learners alone: the next step first, at most five calls to the end, and a solution that is right."""

import ast
import math
from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from course_utils.exercises import checking, find_exercise, reveal, revealing
from course_utils.exercises.checking import check
from course_utils.exercises.registry import exercises_of, lessons
from course_utils.exercises.revealing import CALLS, help_from, solution_of, steps_written

EXERCISES = {name: exercise for lesson in lessons() for name, exercise in exercises_of(lesson).items()}
by_exercise = pytest.mark.parametrize("name", EXERCISES)


@pytest.fixture(autouse=True)
def nothing_revealed(monkeypatch):
    monkeypatch.setattr(revealing, "_revealed", {})
    monkeypatch.setattr(revealing, "last_answers", {})


def run(source):
    """Define a function as a lesson's cell does."""
    names = {"torch": torch, "nn": nn, "math": math, "Counter": Counter, "pack_padded_sequence": pack_padded_sequence}
    before = set(names)
    exec(source, names)
    (answer,) = (value for name, value in names.items() if name not in before and callable(value))
    return answer


@by_exercise
def test_every_solution_passes_its_check(name):
    answer = run(solution_of(name))
    for seed in (None, 3):
        assert [finding for finding in EXERCISES[name].examine(answer, seed) if finding.hint] == []


@by_exercise
def test_help_begins_with_the_next_step_and_ends_with_the_solution(name):
    exercise, solution = EXERCISES[name], solution_of(name)
    statements = ast.parse(solution).body[0].body[1:]
    assert steps_written(exercise, solution) == len(statements) - 1
    assert steps_written(exercise, "") == steps_written(exercise, "def f(:") == 0
    for written in range(len(statements)):
        pieces = help_from(exercise, written)
        titles, texts = zip(*pieces, strict=True)
        assert len(set(titles)) == len(titles) <= CALLS and texts[-1] == solution
        growing = [text for title, text in pieces if title.startswith("the next") and "uses" not in title]
        assert all(longer.startswith(shorter) for shorter, longer in zip(growing, growing[1:], strict=False))
        assert not growing or growing[0].startswith(ast.unparse(statements[written]))


def test_a_check_remembers_the_answer_and_help_starts_where_it_stops(monkeypatch, capsys):
    monkeypatch.setattr(checking, "last_answers", revealing.last_answers)

    def score(query, keys, v):
        asked = query.unsqueeze(1)
        return asked + keys

    check("02.additive-score", score)
    assert steps_written(find_exercise("02.additive-score"), revealing.last_answers["02.additive-score"]) == 1
    capsys.readouterr()
    reveal("02.additive-score")
    printed = capsys.readouterr().out
    assert "hidden = torch.tanh(asked + keys)" in printed and "unsqueeze" not in printed
    reveal("02.additive-score")
    assert "def additive_score" in capsys.readouterr().out


def test_each_call_shows_more_and_the_last_one_stays(capsys):
    pieces = help_from(find_exercise("02.additive-score"))
    printed = []
    for _ in range(len(pieces) + 1):
        reveal("02.additive-score")
        printed.append(capsys.readouterr().out)
    assert len(set(printed)) == len(pieces) and printed[-1] == printed[-2]
    assert f"(1 of {len(pieces)})" in printed[0] and "shows more" in printed[0]
    assert "def additive_score" in printed[-1] and "shows more" not in printed[-1]
    reveal("02.additive-score", again=True)
    assert capsys.readouterr().out == printed[0]
    reveal("02.context")
    assert "(1 of" in capsys.readouterr().out


def test_nothing_is_revealed_while_grading(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(RuntimeError, match="take the call of reveal out"):
        reveal("02.context")


def test_unknown_exercises_are_named():
    for ask, name, words in [
        (reveal, "02.nothing", "expected one of"),
        (reveal, "98.nothing", "lesson '98' has no exercises"),
        (solution_of, "02.nothing", "no lesson in lessons/ holds it"),
    ]:
        with pytest.raises(KeyError, match=words):
            ask(name)
