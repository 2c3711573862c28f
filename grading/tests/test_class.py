"""A class of thirty, from the honest to the hostile: each gets the grade it deserves, and none harms another.

One grading is killed half-way, a second one goes on where it stopped, a third grades everything again.
"""

import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest

from course_utils.exercises import find_exercise
from grading.__main__ import main
from grading.autograde import autograde, sandbox_for
from grading.course import Course, digest
from grading.run import grade
from grading.sandbox import Limits, Sandbox

pytestmark = pytest.mark.slow

LESSON = "00_start_here"
LIMITS = Limits(cell_seconds=2.0)
SECRET_OF_HIDDEN_TESTS = "some_rows"
RIGHT = "return values.masked_fill(~mask, 0.0).sum(dim=1) / mask.sum(dim=1)"
PLAIN_MEAN = "return values.mean(dim=1)"
needs_sandbox = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")


def answer(*lines: str, before: str = "", after: str = "") -> str:
    body = "\n".join(f"    {line}" for line in "\n".join(lines).splitlines())
    return f"{before}\ndef masked_mean(values, mask):\n{body}\n{after}"


def looked_up(exercise) -> str:
    """An answer that knows every case of the check by heart, and computes nothing."""
    cases = [exercise.arguments(case) for case in exercise.all_cases()]
    table = {str([value.tolist() for value in case]): exercise.reference(*case).tolist() for case in cases}
    return f"import torch\nreturn torch.tensor({table!r}[str([values.tolist(), mask.tolist()])])"


def share(exercise, function) -> float:
    """The points for the visible check of an exercise, of one."""
    findings = exercise.examine(function)
    return sum(finding.hint is None for finding in findings) / len(findings)


@dataclass
class Submission:
    """A file as it is handed in, and what its grading has to say."""

    student: str
    source: str | None  # of the exercise's cell; None: as released
    score: float
    says: str = ""
    edit: object = None  # changes the notebook further
    raw: bytes | None = None  # instead of a notebook
    path: str = ""  # in the folder or archive; default: the student's folder


def cell_named(notebook, name):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def delete(name):
    return lambda notebook: notebook.cells.remove(cell_named(notebook, name))


def double(name):
    def change(notebook):
        cell = cell_named(notebook, name)
        notebook.cells.insert(notebook.cells.index(cell) + 1, nbformat.from_dict(json.loads(json.dumps(cell))))

    return change


def rewrite(name, source):
    return lambda notebook: cell_named(notebook, name).update(source=source)


def add_before(name, source):
    def change(notebook):
        place = notebook.cells.index(cell_named(notebook, name))
        notebook.cells.insert(place, nbformat.v4.new_code_cell(source))

    return change


def lose_all_names(notebook):
    for cell in notebook.cells:
        cell.metadata = {}


def class_of_thirty(course: Path, port: int) -> list[Submission]:
    gradebook, source = course / "gradebook.db", course / "source" / LESSON / f"{LESSON}.ipynb"
    exercise = find_exercise("00.masked-mean")
    hard_coded = looked_up(exercise)
    loops = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    spy = "import sys\nframe = sys._getframe(1)\nglobals()['seen'] = str(frame.f_code.co_consts) + str(frame.f_globals)"
    spy += f"\nprint(seen)\n{RIGHT}"
    write = f"import os\nfor place in ({str(course / 'written')!r}, '/etc/written', '/usr/written'):\n"
    write += f"    try:\n        open(place, 'w').write('x')\n    except OSError: pass\n{RIGHT}"
    call = "import socket\nfor host in ('127.0.0.1', 'localhost'):\n    try:\n        "
    call += f"socket.create_connection((host, {port}), timeout=1)\n    except OSError: pass\n{RIGHT}"
    thief = f"text = open({str(source)!r}).read()\nprint(text)\n{RIGHT}"
    forger = "import sqlite3\nsqlite3.connect('file:" + str(gradebook) + "?mode=rw', uri=True)"
    forger += f".execute('update grade set auto_score = 9')\n{RIGHT}"
    forks = f"import os, time\nfor _ in range(300):\n    if os.fork() == 0: time.sleep(600)\n{RIGHT}"
    some = share(exercise, lambda values, mask: values.mean(dim=1))  # some cases, and no hidden test
    return [
        Submission("anna", answer(RIGHT), 2),
        Submission("ben", answer("return torch.stack([row[m].mean() for row, m in zip(values, mask)])"), 2),
        Submission("chloé", answer("return values.masked_fill(~mask, torch.nan).nanmean(dim=1)"), 2),
        Submission("dmitri", answer("return average(values, mask)"), 2, edit=add_before(
            "masked-mean", f"def average(values, mask):\n    {RIGHT}")),
        Submission("emine", answer("return tensorlib.einsum('ij->i', values.where(mask, 0)) / mask.sum(1)"), 2,
                   edit=add_before("masked-mean", "import torch as tensorlib")),
        Submission("untouched", None, 0, "Not attempted"),
        Submission("partly", answer(PLAIN_MEAN), some, "The mask is not used"),
        Submission("syntax", "def masked_mean(values, mask)\n    return 0", 0, "SyntaxError"),
        Submission("endless", answer("while True: pass"), 0, "It was stopped"),
        Submission("stubborn", answer(loops), 0, "it took longer than"),
        Submission("greedy", answer("return torch.ones(10**11)"), 0, "more memory than it can have"),
        Submission("forks", answer(forks), 0, "BlockingIOError"),
        Submission("writer", answer(write), 2),
        Submission("caller", answer(call), 2),
        Submission("thief", answer(thief), 0, "FileNotFoundError"),
        Submission("forger", answer(forger), 0, "OperationalError"),
        Submission("spy", answer(spy), 2),
        Submission("deleter", answer(PLAIN_MEAN), some, "was deleted; it was put back", delete("masked-mean-hidden")),
        Submission("doubler", answer(RIGHT), 2, "stands there 2 times", double("masked-mean-check")),
        Submission("editor", answer(PLAIN_MEAN), some, "was edited", rewrite("masked-mean-check", "assert True")),
        Submission("gone", None, 0, "found nowhere", delete("masked-mean")),
        Submission("nameless", answer(RIGHT), 2, "found in another cell", lose_all_names),
        Submission("printer", answer("print('x' * 5_000_000)", RIGHT), 2, "the rest is left out"),
        Submission("renamed", answer(RIGHT), 2, path="renamed/my homework FINAL (2).ipynb"),
        Submission("notjson", None, 0, "not JSON", raw=b'{"cells": [', path=f"notjson/{LESSON}.ipynb"),
        Submission("empty", None, 0, "could not be read", raw=b"", path=f"empty/{LESSON}.ipynb"),
        Submission("Žofie Groß", answer(RIGHT), 2, path=f"Žofie Groß_4711_assignsubmission_file_/{LESSON}.ipynb"),
        Submission("hardcoded", answer(hard_coded), 1, "numbers typed in"),
        Submission("quitter", answer(RIGHT, after="import os; os._exit(0)"), 0, "ended Python"),
        Submission("tamperer", answer(PLAIN_MEAN, after="torch.allclose = lambda *a, **k: True\ncheck = print"), some,
                   "replaced torch.allclose"),
    ]  # fmt: skip


def make(submission: Submission, released: Path) -> bytes:
    if submission.raw is not None:
        return submission.raw
    notebook = nbformat.read(released, as_version=4)
    if submission.source is not None:
        cell_named(notebook, "masked-mean").source = submission.source
    if submission.edit:
        submission.edit(notebook)
    return nbformat.writes(notebook).encode()


class Listener(threading.Thread):
    """Counts who reaches this machine's network."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.calls = self.socket.getsockname()[1], 0

    def run(self):
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.calls += 1


def contents(folder: Path, but: tuple[str, ...]) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = {path: path.relative_to(folder).as_posix() for path in files}
    return {names[path]: digest(path.read_bytes()) for path in files if not names[path].startswith(but)}


@cache
def graded(base: Path):
    """Release, collect, grade (killed, resumed, again), feedback, export; then the tests look at what came of it."""
    folder, listener = base / "class", Listener()
    listener.start()
    course = Course(folder)
    begin = time.monotonic()
    assert main(["--course", str(folder), "release", "00", "--due", "2020-01-01 18:00", "--no-trial"]) == 0
    submissions = class_of_thirty(folder, listener.port)
    released = folder / "release" / LESSON / f"{LESSON}.ipynb"
    archive, plain = base / "upload.zip", base / "upload"
    with zipfile.ZipFile(archive, "w") as file:
        for number, submission in enumerate(submissions):
            path = submission.path or f"{submission.student}/{LESSON}.ipynb"
            if number % 2:
                file.writestr(path, make(submission, released))
            else:
                (plain / path).parent.mkdir(parents=True)
                (plain / path).write_bytes(make(submission, released))
        file.writestr("../../outside.ipynb", b"{}")
    for upload in (archive, plain):
        assert main(["--course", str(folder), "collect", str(upload)]) == 0
    shutil.rmtree(folder / "submitted" / "outside", ignore_errors=True)
    own = ("results/", "autograded/", "gradebook.db", ".grading")
    before = contents(base, tuple(f"class/{name}" for name in own))
    seconds = {"release, collect": time.monotonic() - begin}

    begin = time.monotonic()
    command = [sys.executable, "-m", "grading", "--course", str(folder), "autograde"]
    process = subprocess.Popen([*command, "--cell-seconds", "2"], stdout=subprocess.DEVNULL, start_new_session=True)
    while len(list((folder / "results").rglob("*.json"))) < 4 and process.poll() is None:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    seconds["killed"] = time.monotonic() - begin
    killed_with = len(list((folder / "results").rglob("*.json")))

    assignment = course.assignment("00")
    begin = time.monotonic()
    with sandbox_for([assignment]) as sandbox:
        seconds["start of the sandbox"] = time.monotonic() - begin
        begin, resumed = time.monotonic(), []
        autograde(course, assignment, sandbox, LIMITS, 2, False, lambda s, r, old: resumed.append(s) if old else None)
        seconds["resumed"] = time.monotonic() - begin
        first = {s.student: course.result(s.student, LESSON) for s in submissions}
        begin = time.monotonic()
        autograde(course, assignment, sandbox, LIMITS, 2, True, lambda *_: None)
        seconds["all again"] = time.monotonic() - begin
        load = os.getloadavg()[0]
        second = {s.student: course.result(s.student, LESSON) for s in submissions}
        hanging = 2 * (
            LIMITS.wait_seconds() + 3
        )  # one submission cannot be interrupted, in its check and its hidden test
        work = sum(result["processor_seconds"] for result in second.values()) / 2 + hanging
        copied = next(s for s in submissions if s.student == "hardcoded")
        variants = [grade(sandbox, LIMITS, assignment, make(s, released), 5) for s in (copied, submissions[0])]
        warning = sandbox.warning
    after = contents(base, tuple(f"class/{name}" for name in own))
    assert main(["--course", str(folder), "feedback"]) == 0
    assert main(["--course", str(folder), "export", "--to", str(base / "grades.csv")]) == 0
    listener.socket.close()
    return locals()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    found = graded(tmp_path_factory.mktemp("grading"))
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in found["seconds"].items())
    busy = sum(result["processor_seconds"] for result in found["second"].values())
    print(f"\n{took}; processor {busy:.0f} s in all submissions, load {found['load']:.0f}")
    return found


@needs_sandbox
@pytest.mark.timeout(1500)
def test_each_gets_the_grade_it_deserves(outcome):
    assert len(outcome["submissions"]) == 30
    scores = {name: result["score"] for name, result in outcome["second"].items()}
    assert scores == {s.student: pytest.approx(s.score, abs=1e-3) for s in outcome["submissions"]}


@needs_sandbox
def test_each_gets_a_clear_message(outcome):
    for submission in outcome["submissions"]:
        page = outcome["folder"] / "feedback" / submission.student / LESSON / f"{LESSON}.html"
        text = page.read_text(encoding="utf-8")
        assert submission.says in text, f"{submission.student}: {text}"
        assert "<script" not in text


@needs_sandbox
def test_hidden_tests_stay_hidden(outcome):
    pages = list((outcome["folder"] / "feedback").rglob("*.html"))
    assert len(pages) == 30
    assert [page for page in pages if SECRET_OF_HIDDEN_TESTS in page.read_text(encoding="utf-8")] == []
    released = outcome["released"].read_text(encoding="utf-8")
    assert SECRET_OF_HIDDEN_TESTS not in released
    assert SECRET_OF_HIDDEN_TESTS in (outcome["folder"] / "source" / LESSON / f"{LESSON}.ipynb").read_text()


@needs_sandbox
def test_nothing_outside_is_reached_or_changed(outcome):
    assert outcome["warning"] == ""
    assert outcome["listener"].calls == 0
    assert outcome["after"] == outcome["before"]
    assert not (outcome["folder"] / "written").exists()
    assert not any(Path(place).exists() for place in ("/etc/written", "/usr/written"))
    assert not list(outcome["base"].parent.glob("outside*"))


@needs_sandbox
def test_a_killed_grading_goes_on_and_another_gives_the_same(outcome):
    assert 4 <= outcome["killed_with"] < 30, "the kill came too early or too late to show anything"
    assert len(outcome["resumed"]) >= 4
    volatile = ("seconds", "processor_seconds", "megabytes", "restarts")
    for name, result in outcome["first"].items():
        again = outcome["second"][name]
        for which in (result, again):
            assert which["seconds"] > 0 or which["unreadable"]
        assert {k: v for k, v in result.items() if k not in volatile} == {
            k: v for k, v in again.items() if k not in volatile
        }


@needs_sandbox
def test_time_and_memory_are_recorded(outcome):
    ran = [result for result in outcome["second"].values() if not result["unreadable"]]
    assert all(result["megabytes"] > 10 for result in ran)
    assert outcome["work"] < 300, "thirty submissions take longer than five minutes on two cores of their own"
    if outcome["load"] < 3:  # nobody else was working on this machine
        assert outcome["seconds"]["all again"] < 300


@needs_sandbox
def test_csv_agrees_with_the_results(outcome):
    with (outcome["base"] / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = {line["student_id"]: line for line in csv.DictReader(file)}
    assert {name: float(line["score"]) for name, line in lines.items()} == {
        name: pytest.approx(result["score"], abs=1e-3) for name, result in outcome["second"].items()
    }
    assert all(float(line["minutes_late"]) > 1000 for line in lines.values())
    assert "_getframe" in lines["spy"]["look_at"]


@needs_sandbox
def test_copied_numbers_fail_on_the_students_own_data(outcome):
    copied, written = outcome["variants"]
    assert written["score"] == 2
    cases = len(find_exercise("00.masked-mean").all_cases())
    assert copied["tests"][0]["points"] == pytest.approx(cases / (cases + 1), abs=1e-3), "all but their own data"


def test_without_bubblewrap_a_warning_says_what_remains():
    with Sandbox([], bubblewrap="") as sandbox:
        assert not sandbox.contained
        assert "WITHOUT a sandbox" in sandbox.warning and "What remains" in sandbox.warning
        talk = sandbox.open(Limits(cell_seconds=1), 0, time.monotonic() + 60)
        answered, printed = talk.ask({"do": "cell", "source": "print('here')\nwhile True: pass"})
        assert answered["error"]["kind"] == "TooSlow" and printed == "here\n"
        assert "error" in talk.ask({"do": "cell", "source": "bytearray(10**11)"})[0]
        talk.close()
