"""Help for learners alone: a little more with every call, and a solution that is right."""

import math
import re
from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from course_utils.paths import data_folder
from course_utils.teaching import reveal as module
from course_utils.teaching.exercises import find_exercise
from course_utils.teaching.reveal import help_steps, reveal, solution_of

ALL = [
    f"{path.name[:2]}.{name}"
    for path in sorted(data_folder("lessons").glob("*.py"))
    for name in re.findall(r'exercise="([^"]+)"', path.read_text(encoding="utf-8"))
]


@pytest.fixture(autouse=True)
def nothing_revealed(monkeypatch):
    monkeypatch.setattr(module, "_revealed", {})


@pytest.mark.parametrize("exercise_id", ALL)
def test_every_solution_passes_its_check(exercise_id):
    names = {"torch": torch, "nn": nn, "math": math, "Counter": Counter, "pack_padded_sequence": pack_padded_sequence}
    before = set(names)
    exec(solution_of(exercise_id), names)
    (answer,) = (value for name, value in names.items() if name not in before and callable(value))
    assert [finding.hint for finding in find_exercise(exercise_id).examine(answer) if finding.hint] == []


@pytest.mark.parametrize("exercise_id", ALL)
def test_help_grows_until_the_solution(exercise_id):
    exercise, solution = find_exercise(exercise_id), solution_of(exercise_id)
    titles, texts = zip(*help_steps(exercise), strict=True)
    assert len(set(titles)) == len(titles) >= 3 and titles[-1] == "the solution" and texts[-1] == solution
    assert all(name in texts[0] for name, _ in exercise.behaviours)
    assert "SOLUTION" not in solution and solution.startswith("def ")
    growing = [text for title, text in zip(titles, texts, strict=True) if title.startswith("its first")]
    assert all(longer.startswith(shorter) for shorter, longer in zip(growing, growing[1:], strict=False))


def test_each_call_shows_more_and_the_last_one_stays(capsys):
    steps = help_steps(find_exercise("02.masked-softmax"))
    printed = []
    for _ in range(len(steps) + 1):
        reveal("02.masked-softmax")
        printed.append(capsys.readouterr().out)
    assert len(set(printed)) == len(steps) and printed[-1] == printed[-2]
    assert "(1 of 5)" in printed[0] and "shows more" in printed[0] and "softmax over the source" in printed[0]
    assert "return …" in printed[2] and "masked_fill" not in printed[2]
    assert "def masked_softmax" in printed[-1] and "shows more" not in printed[-1]
    reveal("02.masked-softmax", again=True)
    assert capsys.readouterr().out == printed[0]
    reveal("02.context")
    assert "(1 of" in capsys.readouterr().out


def test_nothing_is_revealed_while_grading(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(RuntimeError, match="take the call of reveal out"):
        reveal("02.context")


def test_unknown_exercises_are_named():
    with pytest.raises(KeyError, match="expected one of"):
        reveal("02.nothing")
    with pytest.raises(KeyError, match="no lesson in lessons/ holds it"):
        solution_of("02.nothing")
