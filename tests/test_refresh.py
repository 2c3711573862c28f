"""Everything derived is fresh; what makes something stale, and what does not; accepting needs a reason."""

import json
import shutil
from pathlib import Path

import pytest

from tools.project import ROOT, Project
from tools.refresh import __main__ as refresh
from tools.refresh.fingerprint import Code, digest, plain, written
from tools.refresh.record import Record

DECODER = "course_utils/models/caption_decoder.py"
CONSTANT = "import torch\n\nFORGET = 1.0\n"


def test_everything_derived_is_fresh():
    stale = Record(Project()).stale
    assert not stale, "\n".join([*(f"{name}: {why}" for name, why in stale.items()), "run: make refresh"])


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Project:
    """A copy of the course, all of it taken as fresh: what tests change is copied, the rest are links."""
    root = tmp_path_factory.mktemp("course")
    for path in ROOT.iterdir():
        if not path.name.startswith(".") and path.name not in ("course_utils", "data", "docs", "build", "runs"):
            (root / path.name).symlink_to(path)
    for folder in ("course_utils", "docs"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "_generated"))
    (root / "data").mkdir()
    for name in ("README.md", "checkpoints", "results"):
        (root / "data" / name).symlink_to(ROOT / "data" / name)
    record = Record(Project(root))
    record.keep(record.artefacts, reason="as it is", date="2000-01-01")
    return Project(root)


@pytest.fixture
def changed(copy):
    """Change a file of the copy, `changed(name, old, new)`; it is restored afterwards."""
    before: dict[Path, bytes] = {}

    def change(name: str, old: str, new: str) -> None:
        path = copy.root / name
        before.setdefault(path, path.read_bytes())
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    yield change
    for path, content in before.items():
        path.write_bytes(content)


def test_a_changed_constant_makes_its_lesson_stale_and_nothing_else(copy, changed):
    changed(DECODER, "import torch\n", CONSTANT)
    record = Record(copy)
    stale, lesson = record.stale, {name for name in record.artefacts if name.partition("/")[2].startswith("04")}
    assert {name.partition("/")[0] for name in lesson} == {"checkpoints", "results", "notebooks", "gallery"}
    summaries = {"results/operations", "results/reproducibility"}  # of all lessons, with rows of this one
    pages = {"README.md#claims", "README.md#gallery", "docs/claims.md", "docs/full_scale.md", "docs/reproducibility.md"}
    assert set(stale) == lesson | summaries | {f"pages/{page}" for page in pages}
    assert stale["results/04-default"] == "changed: course_utils.models.caption_decoder"
    assert stale["gallery/04-1"] == "made from stale notebooks/04_captioning"
    assert "checkpoints/04-soft" in stale["checkpoints/04-hard"], "it begins with that one's weights"


def test_prose_and_type_hints_make_nothing_stale(copy, changed):
    changed(DECODER, '"""', '"""In other words: ')
    changed(DECODER, "import torch\n", "import torch\nfrom pathlib import Path  # for a type hint\n")
    changed(DECODER, "-> DecoderTrace", '-> "Path"')
    changed("course_utils/training.py", "\n\n\n", "\n\n\n# A comment.\n")
    assert Record(copy).stale == {}


def test_another_image_under_a_name_of_the_gallery_is_found(copy):
    folder = copy.root / "docs" / "images" / "gallery"
    before = (folder / "04-1.png").read_bytes()
    shutil.copy(folder / "05-1.png", folder / "04-1.png")
    stale = Record(copy).stale
    (folder / "04-1.png").write_bytes(before)
    assert stale.pop("gallery/04-1") == "not what would be made today"
    assert list(stale) == ["pages/README.md#gallery"]


def test_what_was_accepted_keeps_its_reason(copy, changed, capsys, monkeypatch):
    changed(DECODER, "import torch\n", CONSTANT)
    changed("data/fingerprints.json", "{", "{")  # it is restored
    for reason in ([], ["--reason", " "]):
        with pytest.raises(SystemExit):
            refresh.main(["--accept", "checkpoints", *reason], copy)
        assert "needs a reason" in capsys.readouterr().err
    told = []
    monkeypatch.setattr(
        refresh.runner, "accept", lambda path, reason: told.append((path, reason)) or ["loss: 2 after 1"]
    )
    assert refresh.main(["--accept", "checkpoints", "results/04-default", "--reason", "not used"], copy) == 0
    assert told == [(copy.root / "data/results/04-default.json", "not used")], "results say so, too"
    records = json.loads((copy.root / "data" / "fingerprints.json").read_text(encoding="utf-8"))
    assert records["checkpoints/04-soft"]["reason"] == "not used" and records["checkpoints/04-soft"]["date"] > "2000"
    assert records["checkpoints/05-wide"]["reason"] == "as it is", "only what was stale is accepted"
    said = capsys.readouterr().out
    assert "results/04-default: a few steps give loss: 2 after 1" in said
    assert "results/04-real" in said and "  changed: course_utils.models.caption_decoder" in said
    assert "checkpoints/04-soft " not in said and 'make refresh REMAKE="' in said


def test_what_is_remade_is_recorded_in_order(copy, changed, monkeypatch):
    changed(DECODER, "import torch\n", CONSTANT)
    changed("data/fingerprints.json", "{", "{")
    commands = []

    def run(command, **_):
        commands.append(" ".join(command[2:]))
        return type("Done", (), {"returncode": int(command[3:5] == ["run", "04"])})

    monkeypatch.setattr(refresh.subprocess, "run", run)
    assert refresh.main(["--remake", "checkpoints", "04", "--jobs", "2"], copy) == 1
    first, *others = commands
    assert first == "experiments checkpoint 04 04-soft" or others[0] == "experiments checkpoint 04 04-soft"
    assert not [command for command in commands if "build_notebooks" in command], "nothing goes on after a failure"
    records = json.loads((copy.root / "data" / "fingerprints.json").read_text(encoding="utf-8"))
    assert "reason" not in records["checkpoints/04-soft"] and records["results/04-default"]["reason"] == "as it is"


def test_a_name_that_nothing_has_is_refused(copy, capsys):
    with pytest.raises(SystemExit):
        refresh.main(["--remake", "captions"], copy)
    assert "'captions' names no artefact; expected a lesson (04)" in capsys.readouterr().err


@pytest.fixture
def tiny(tmp_path):
    """A checkout of three modules."""
    sources = {
        "course_utils/__init__.py": "",
        "course_utils/low.py": '"""Low."""\nfrom math import pi\nTWO = 2\n',
        "course_utils/high.py": "def high():\n    from course_utils.low import TWO\n    return TWO\n",
        "experiments/__init__.py": "",
        "experiments/lesson_99.py": """
from course_utils import low
from course_utils.high import high
from course_utils.low import Recipe, Table
STEPS, RECIPE = 5, Recipe(3)
def helper(): return STEPS
class Lesson(Table):
    in_bytes = True
    def measure(self): return helper()
    def train(self): return high(self.in_bytes, RECIPE)
""",
    }
    for name, source in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    return Code(tmp_path)


def test_imports_inside_functions_and_files_beside_count(tiny):
    assert set(tiny.closure(["course_utils.high"])) == {"course_utils", "course_utils.high", "course_utils.low"}
    assert set(tiny.closure(["course_utils.high"], ["course_utils.low"])) == {"course_utils", "course_utils.high"}
    found = [tiny.hash("course_utils.low")]  # a file that a module names counts, too
    (tiny.root / "course_utils" / "low.py").write_text('TWO = "two.css"\n')
    for style in ("a {}", "b {}"):
        (tiny.root / "course_utils" / "two.css").write_text(style)
        found.append(Code(tiny.root).hash("course_utils.low"))
    assert len(set(found)) == 3


def test_of_an_experiment_counts_what_its_functions_need(tiny):
    def code_of(function):
        return written(tiny.part("experiments.lesson_99", [function], lambda name: name == "RECIPE"))

    measuring, training = code_of("measure"), code_of("train")
    assert "STEPS" in measuring and "helper" in measuring and "in_bytes" not in measuring
    assert "in_bytes" in training and "helper" not in training and "value=3" not in training
    assert "course_utils.low" in tiny.imports_of(tiny.part("experiments.lesson_99", ["measure"], lambda name: False))


@pytest.mark.parametrize(
    ("source", "other", "same"),
    [
        ("x = 1", "x: int = 1  # one", True),
        ("def f(a): return a", 'def f(a: "A") -> int:\n    """Say."""\n    return (a)', True),
        ("x = 1", "x = 1.0", False),
        ("from math import sin as f\nf(1)", "from math import cos as f\nf(1)", False),
        ("f(1)", "from math import f\nf(1)", False),
        ("x = [[]]", "x = []", False),
        ("class A:\n    x: int", "class A:\n    x: float\n    'what it is'", True),
        ("class A:\n    x: int", "class A:\n    pass", False),
    ],
)
def test_what_a_hash_sees(source, other, same):
    assert (digest(written(plain(source))) == digest(written(plain(other)))) is same
