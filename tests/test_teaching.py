"""What lesson 0 shows: the glossary, the map, the times, the state of the machine."""

import json

import pytest

from course_utils.lessons import find_lessons
from course_utils.teaching import course_map, glossary, machine, run_times


def test_every_word_is_explained_once():
    names = [name for term in glossary.TERMS for name in term.names]
    assert len(names) == len(set(names)) and all(term.meaning for term in glossary.TERMS)
    lessons = {int(lesson.number) for lesson in find_lessons()}
    without = lessons - {term.lesson for term in glossary.TERMS}
    assert not without, "the glossary has no word of these lessons; write a Term for each word that they introduce"
    assert {term.lesson for term in glossary.TERMS} <= lessons


def test_the_table_has_the_words_of_the_lessons_that_are_asked_for():
    first, all_of_them = glossary.glossary_table([0]), glossary.glossary_table()
    assert "**query**" in first and "**pointing game**" not in first and "**pointing game**" in all_of_them
    assert all(row.count(" | ") == 2 for row in all_of_them.splitlines()[2:])


def test_words_are_found_by_any_of_their_names_and_an_unknown_one_names_its_neighbours(capsys):
    for name in ("pointing game", "Beam", "annotations", " AER "):
        glossary.explain(name)
        assert capsys.readouterr().out
    assert glossary.find_term("glimpse").lesson == 3, "it is also another name for the context"
    with pytest.raises(KeyError, match="pointing game"):
        glossary.explain("pointing gam")


def test_the_map_says_every_lesson_and_every_way():
    words = course_map.plot_course_map().figure.get_label()
    stops = course_map.place_stops(find_lessons())
    assert [f"{stop.number:02}" for stop in stops] == [lesson.number for lesson in find_lessons()][1:]
    assert all(stop.idea and f"{stop.number} {stop.name}: {stop.idea}" in words for stop in stops)
    assert all(f"from {way.start} to {way.end}" in words for way in course_map.WAYS)
    missing = {stop.number for stop in stops[1:]} - {way.end for way in course_map.WAYS}
    assert not missing, "say in course_map.WAYS which lesson leads to these, and with which idea"


def test_words_on_the_map_stay_inside_their_boxes_and_can_be_read_on_a_telephone():
    axes = course_map.plot_course_map()
    axes.figure.canvas.draw()
    boxes = [patch.get_window_extent() for patch in axes.patches]
    for extent in (text.get_window_extent() for text in axes.texts if "·" in text.get_text()):
        assert any(box.x0 < extent.x0 and extent.x1 < box.x1 and box.y0 < extent.y0 < box.y1 for box in boxes)
    smallest = min(text.get_fontsize() for text in axes.texts if text.get_text())
    shown = 340  # CSS pixels that a page has for it on a screen of 390
    assert smallest / 72 * shown / axes.figure.get_figwidth() > 11


TIMES = {
    "command": run_times.COMMAND, "machine": "2 cores, x86_64, no GPU", "python": "3.13.1", "torch": "2.15.0",
    "training_step_seconds": 0.02,
    "lessons": [{"name": "01_x", "title": "1 · X", "seconds": 100.0, "memory": "1.0 GB",
                 "slowest": {"seconds": 50.0, "source": "fit()"}}],
}  # fmt: skip


def test_times_are_scaled_by_the_training_step(tmp_path):
    path = tmp_path / "run_times.json"
    assert run_times.load_run_times(path) is None, "nobody measured"
    path.write_text(json.dumps(TIMES))
    times = run_times.load_run_times(path)
    assert times.seconds == 100 and times.scaled(0.03) == {"01_x": pytest.approx(150)}
    assert [run_times.in_words(seconds) for seconds in (20.4, 59.6, 150)] == ["20 s", "1 min", "2 min"]


@pytest.mark.parametrize("damage", ["{", "{}", json.dumps({**TIMES, "lessons": []}),
                                    json.dumps({**TIMES, "training_step_seconds": 0})])  # fmt: skip
def test_damaged_times_say_how_to_make_them_again(damage, tmp_path):
    path = tmp_path / "run_times.json"
    path.write_text(damage)
    with pytest.raises(ValueError, match=run_times.COMMAND):
        run_times.load_run_times(path)


def test_times_of_other_lessons_stay_if_they_are_of_the_same_machine(tmp_path, monkeypatch):
    from tools import run_lessons
    from tools.execution import Run

    def record(*times):
        tables = {"00_a": "one training step          27 ms"}
        run_lessons.record(
            [
                run_lessons.Report(name, Run(seconds=time), name, (5.0, 3, "fit()"), "0.9 GB", tables.get(name, ""))
                for name, time in times
            ],
            ["00_a", "01_b"],
        )

    monkeypatch.setattr(run_lessons, "data_folder", lambda kind: tmp_path)
    written = []
    monkeypatch.setattr(run_lessons.speed_page, "write", lambda: written.append("page"))
    with pytest.raises(ValueError, match="no time of 01_b.*run all"):
        record(("00_a", 10.0))
    assert not (tmp_path / "run_times.json").exists() and not written
    record(("01_b", 20.0), ("00_a", 12.34))
    record(("01_b", 30.0))
    times = run_times.load_run_times(tmp_path / "run_times.json")
    assert [(lesson.name, lesson.seconds) for lesson in times.lessons] == [("00_a", 12.3), ("01_b", 30.0)]
    assert times.step_seconds == 0.027 and len(written) == 2
    monkeypatch.setattr(run_lessons.metadata, "version", lambda name: "another")
    with pytest.raises(ValueError, match="no time of 00_a with these versions"):
        record(("01_b", 30.0))


def test_this_machine_is_checked_and_what_is_broken_is_said(monkeypatch, tmp_path):
    def broken():
        raise OSError("no such thing")

    found = {finding.what: finding for finding in machine.check_machine()}
    assert found["arithmetic"].good and found["figures"].good
    assert str(found["arithmetic"]).startswith("ok ")
    monkeypatch.setitem(machine._CHECKS, "figures", broken)
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(tmp_path / "gone"))
    found = {finding.what: finding for finding in machine.check_machine()}
    assert not found["figures"].good and "OSError: no such thing" in str(found["figures"])
    assert not found["real data"].good and "not a folder" in found["real data"].words
    assert str(found["real data"]).startswith("LOOK")


def test_damaged_checkpoints_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr("course_utils.paths.data_folder", lambda kind: tmp_path)
    assert machine._checkpoints()[0] is False
    (tmp_path / "02-x.json").write_text('{"sha256": "00"}')
    (tmp_path / "02-x.safetensors").write_bytes(b"damaged")
    assert machine._checkpoints()[0] is False and "02-x" in machine._checkpoints()[1]
