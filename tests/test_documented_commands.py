"""Every command that a page, the README or a lesson names exists, with every option that it is shown with."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from experiments import runner

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(
        ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "data/README.md", "Makefile", "constraints.txt")
    ),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "lessons").glob("*.py")),
]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
OURS = ("course_utils", "tools", "experiments", "grading", "benchmarks")


def found(pattern: str) -> list[tuple[str, ...]]:
    """What a pattern finds in all pages, once each."""
    hits = {match.groups() for text in TEXTS.values() for match in re.finditer(pattern, text, flags=re.MULTILINE)}
    return sorted(hits)


MODULES = [(module, words) for module, words in found(rf"-m ((?:{'|'.join(OURS)})(?:\.\w+)*)((?: [^\s`|&;)\"]+)*)")]


@cache
def explained(module: str, *command: str) -> str:
    """What a module's command says of itself."""
    done = subprocess.run(
        [sys.executable, "-m", module, *command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("module", "words"), MODULES, ids=[f"{module}{words}" for module, words in MODULES])
def test_a_python_command_exists_with_its_options(module, words):
    assert importlib.util.find_spec(module), f"there is no module {module}"
    words = words.split()
    source = Path(importlib.util.find_spec(module).origin)
    main = source.with_name("__main__.py") if source.name == "__init__.py" else source
    assert "__main__" in main.read_text(encoding="utf-8") or main.name == "__main__.py", f"{module} is no command"
    if "ArgumentParser" not in main.read_text(encoding="utf-8"):
        assert not [word for word in words if word.startswith("--")]
        return
    text = explained(module)
    commands = re.search(r"\{([\w,]+)\}\s+\.\.\.", text)
    chosen = [word for word in words if commands and word in commands[1].split(",")][:1]
    assert not commands or chosen or not words, f"{module} knows {commands[1]}, not {words}"
    everything = text + (explained(module, *chosen) if chosen else "")
    for word in words:
        if word.startswith("--"):
            assert re.search(rf"{re.escape(word.partition('=')[0])}\b", everything), f"{module} has no {word}"


EXPERIMENTS = [words.split() for module, words in MODULES if module == "experiments" and words]


@pytest.mark.parametrize("words", EXPERIMENTS, ids=" ".join)
def test_lessons_and_checkpoints_that_are_named_exist(words):
    lesson = next((word for word in words[1:2] if re.fullmatch(r"\d\d", word)), None)
    if lesson is None:
        return
    experiment = runner.find_experiment(lesson)
    if words[0] == "checkpoint":
        assert set(words[2:]) <= set(experiment.checkpoints)


def test_make_has_every_target_that_is_named():
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = {name for (name,) in found(r"(?:^\$ |`|\bby )make (?:[A-Z]+=\S+ )*([a-z]+)(?=[ `\n])")}
    assert len(named) > 5 and named <= known, named - known


def test_make_has_every_variable_that_is_named():
    known = {"TORCH", *re.findall(r"^(?:export )?([A-Z]+) \?=", TEXTS["Makefile"], flags=re.MULTILINE)}  # of set-up
    named = {name for (command,) in found(r"\bmake ([^`\n]*)") for name in re.findall(r"\b([A-Z]+)=", command)}
    assert {"LESSONS", "REMAKE", "REASON"} <= named <= known, named - known


def test_extras_that_are_named_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {name for (names,) in found(r"(?:where-to-look|\.)\[([\w,]+)\]") for name in names.split(",")}
    assert named and named <= set(project["optional-dependencies"])


def test_files_that_are_run_are_programs():
    for (name,) in found(r"(?:^\$ |`)python3? ((?:tests|tools)/\S+\.py)"):
        assert "__main__" in (ROOT / name).read_text(encoding="utf-8"), f"python {name} does nothing"


def test_links_between_pages_lead_somewhere():
    for name, text in TEXTS.items():
        if not name.endswith(".md"):
            continue
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name} leads to {target}"
