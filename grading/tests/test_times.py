"""How long a class takes: the page says what was measured, and a class of thirty is done in time."""

import json
import shutil
import zipfile

import pytest

from grading.__main__ import main as grading
from grading.times import PAGE, SECONDS, STORED, grade_class, in_class, passage, seconds_each, with_times
from tools.project import Project

FOUND = {
    "machine": "2 cores",
    "lessons": {
        "00": [{"students": 30, "seconds": 45.0}],
        "02": [{"students": 10, "seconds": 25.0}, {"students": 30, "seconds": 44.0}, {"students": 60, "seconds": 75.0}],
    },
}
measured = pytest.mark.skipif(not STORED.exists(), reason="not measured: python -m grading.times --write")


def test_times_are_told():
    assert seconds_each(*FOUND["lessons"]["02"][:2]) == 0.95
    said = passage(FOUND)
    assert "30 submissions of a lesson take 45 s at the most (lesson 0)" in said
    assert "| 60 | 75 | 1.2 s |" in said and "About 15 s are the start" in said and "takes 0.95 to 1.03 s" in said


def test_a_page_without_a_place_is_refused():
    with pytest.raises(ValueError, match="instructors.md has no place to write"):
        with_times("# A page", FOUND)


@measured
def test_the_page_says_what_was_measured():
    text = PAGE.read_text(encoding="utf-8")
    assert with_times(text, json.loads(STORED.read_text(encoding="utf-8"))) == text, (
        "run: python -m grading.times --write"
    )


@measured
def test_thirty_submissions_of_every_lesson_are_graded_in_five_minutes():
    found = json.loads(STORED.read_text(encoding="utf-8"))["lessons"]
    assert sorted(found) == [source.stem[:2] for source in Project().lesson_sources()]
    for lesson, runs in found.items():
        assert in_class(runs) <= SECONDS, f"lesson {lesson}"


@pytest.mark.timeout(900)
@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_a_class_of_any_size_can_be_made_and_timed(tmp_path):
    run = grade_class("00", 5, tmp_path)
    assert run["students"] == 5 and run["seconds"] > 0
    with zipfile.ZipFile(tmp_path / "upload.zip") as archive:
        names = [name.partition("_")[0] for name in archive.namelist()]
    assert names == ["Ada Right", "Ben Wrong", "Cleo Untouched", "Ada Right 2", "Ben Wrong 2"]
    scores = [json.loads(path.read_text())["score"] for path in tmp_path.glob("class/results/*/*.json")]
    assert sorted(scores) == [0, 0, 0, 2, 2]


def test_no_student_is_refused(tmp_path, capsys):
    assert grading(["--course", str(tmp_path), "practice", "00", "--students", "0"]) == 1
    assert "--students is 0; expected at least 1" in capsys.readouterr().err
