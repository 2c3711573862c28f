"""Every command of docs/instructors.md that stands after a $ is run as written, in this order, on a clone."""

import csv
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from grading.__main__ import parse_arguments

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "instructors.md"


def console_commands(text: str) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


COMMANDS = console_commands(PAGE.read_text(encoding="utf-8"))


def test_the_page_goes_from_a_clone_to_grades():
    words = " ".join(COMMANDS)
    steps = ["git clone", "make setup", *(f"grading {step}" for step in ("release", "collect", "autograde"))]
    places = [words.index(step) for step in [*steps, "grading feedback", "grading export"]]
    assert places == sorted(places)


@pytest.mark.timeout(1500)
@pytest.mark.skipif(not shutil.which("bwrap") or not shutil.which("git"), reason="needs bubblewrap and git")
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this copy of the course is no git repository")
def test_every_command_works_as_written(tmp_path):
    place, clone = tmp_path, tmp_path / "where-to-look"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "PYTHONPATH"))}
    for command in COMMANDS:
        if command.startswith("git clone"):
            command = command.partition(" && ")[0].replace("ADDRESS", str(ROOT))
        done = subprocess.run(command, shell=True, cwd=place, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        if command.startswith("git clone"):
            place = clone
            borrow_environment(clone)
        elif "autograde" in command:
            assert "WARNING" not in done.stdout and "500 would take" in done.stdout
    with (clone / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        percents = {line["student_id"]: float(line["percent"]) for line in csv.DictReader(file)}
    assert percents == {"Ada Right": 100.0, "Ben Wrong": 0.0, "Cleo Untouched": 0.0}
    pages = sorted(path.relative_to(clone).parts[2] for path in clone.glob("class/feedback/*/*/*.html"))
    assert pages == sorted(percents)
    left = subprocess.check_output(["git", "status", "--porcelain"], cwd=clone, text=True)
    assert left.strip() == "?? .venv", "only the borrowed environment, as a link, is not ignored by git"


def borrow_environment(clone: Path) -> None:
    """`make setup` would download gigabytes: this environment stands in, newer than what it is made from."""
    (clone / ".venv").symlink_to(ROOT / ".venv")
    for name in ("pyproject.toml", "constraints.txt"):
        os.utime(clone / name, (0, 0))
    if not (clone / ".venv" / ".ready").exists():
        pytest.skip("make setup would start a download here: run `make setup` once, then this test")


TABLE = re.findall(r"\| `(release [^`]+|autograde [^`]+)`", PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("line", TABLE)
def test_every_other_option_exists(line):
    assert parse_arguments(line.split()).command == line.split()[0]


def test_links_of_the_page_lead_somewhere():
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / target).exists(), target
