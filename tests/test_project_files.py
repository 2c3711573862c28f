"""The files around the code: workflows, hooks, templates, versions. What reads them elsewhere reads them here."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tools import changed_exercises, slow_tests
from tools.generated_cells import launch_addresses
from tools.project import ROOT, Project

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "custom.github-workflows-require-timeout": WORKFLOWS,
    "vendor.github-issue-config": [ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.github-issue-forms": [
        path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"
    ],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}


def run(*command: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


SCHEMA_CHECKS = [["check_jsonschema", "--builtin-schema", schema, *files] for schema, files in SCHEMAS.items()]


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], *SCHEMA_CHECKS],
    ids=lambda command: " ".join(map(str, command[:3])),
)
def test_code_types_and_files_that_others_read_are_right(command):
    pytest.importorskip(command[0], reason='the extra "lint" is missing: pip install -e ".[lint]"')
    assert command[0] != "check_jsonschema" or len(command) > 3, "there is no such file"
    answer = run(sys.executable, "-m", *command)
    assert answer.returncode == 0, answer.stdout


PACKAGE = {
    "course_utils",
    *(f"course_utils.{floor}" for floor in ("data", "exercises", "mechanisms", "models", "teaching")),
}
BELOW = {
    "course_utils.mechanisms": set(),
    "course_utils.models": {"course_utils.mechanisms"},
    "course_utils.data": {"course_utils"},
    "course_utils": {"course_utils.data"},
    "course_utils.teaching": {"course_utils", "course_utils.data"},
    "course_utils.exercises": PACKAGE - {"course_utils.teaching"},
    "experiments": PACKAGE - {"course_utils.teaching", "course_utils.exercises"},
    "lessons": PACKAGE | {"experiments"},
    "grading": PACKAGE | {"experiments", "tools"},
}
"""Floor of the house → the floors that its modules may import from, beside their own."""


def imported(path: Path) -> set[str]:
    """The modules that a module names in its imports, also those inside functions."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return names | {f"{node.module}.{alias.name}" for node in froms for alias in node.names}


def floor_of(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[:2]) if ".".join(parts[:2]) in PACKAGE else parts[0]


@pytest.mark.parametrize("floor", BELOW)
def test_imports_point_down(floor):
    folder, allowed = ROOT / floor.replace(".", "/"), {floor, *BELOW[floor]}
    paths = folder.glob("*.py") if floor == "course_utils" else folder.rglob("*.py")
    floors = PACKAGE | {"experiments", "grading", "benchmarks", "tools", "lessons", "tests"}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imported(path)
        if floor_of(name) in floors - allowed
    ]
    assert wrong == [], f"{floor} may import from {', '.join(sorted(allowed))}"


def steps(workflow: str) -> list[tuple[str, dict]]:
    """Each step of a workflow, with its job's name."""
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / workflow).read_text(encoding="utf-8"))["jobs"]
    return [(name, step) for name, job in jobs.items() for step in job["steps"]]


def test_linux_is_tested_with_every_python_that_the_package_names():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["linux"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert any(job == "linux" and step.get("run", "").endswith(" test") for job, step in steps("tests.yml"))


def test_workflows_name_targets_and_files_that_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    text = "\n".join(step.get("run", "") for path in WORKFLOWS for _, step in steps(path.name))
    made = [words.split()[-1] for words in re.findall(r"^make (.*)$", text, flags=re.MULTILINE)]
    assert made and set(made) <= targets | {".venv/.ready-lab"}
    for module in re.findall(r"-m (tools\.\w+)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    named = {step["with"]["environment-file"] for _, step in steps("tests.yml") if "environment-file" in str(step)}
    assert named == {"environment.yml"}


def test_the_container_sets_itself_up():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert re.fullmatch(r"python:3\.1\d-\w+", container["image"])
    assert container["updateContentCommand"].startswith("make ")


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A git repository with one badly laid out module, this checkout's hooks and its tools."""
    for name in (".pre-commit-config.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (tmp_path / ".gitignore").write_text(".venv\n")
    (tmp_path / "untidy.py").write_text('"""A module."""\nimport os, sys\nprint( os.sep,sys.path )\n')
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_hooks_tidy_up_what_is_committed(checkout):
    pytest.importorskip("pre_commit", reason='the extra "lint" is missing: pip install -e ".[lint]"')
    for hook in ("ruff-check", "ruff-format"):
        answer = run(sys.executable, "-m", "pre_commit", "run", hook, "--files", "untidy.py", folder=checkout)
        assert answer.returncode == 1 and "files were modified by this hook" in answer.stdout, answer.stdout
    tidy = '"""A module."""\n\nimport os\nimport sys\n\nprint(os.sep, sys.path)\n'
    assert (checkout / "untidy.py").read_text() == tidy
    again = run(sys.executable, "-m", "pre_commit", "run", "ruff-format", "--files", "untidy.py", folder=checkout)
    assert again.returncode == 0, again.stdout


def test_hooks_compare_a_lesson_with_its_notebooks():
    """What the hook calls tells a drifted notebook: tests/test_notebooks.py. Here: that it is called."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    [hook] = [hook for hook in hooks if hook["id"] == "notebooks"]
    assert hook["entry"].endswith("tools.build_notebooks --check")
    for name in ("lessons/02_x.py", "notebooks/02_x.ipynb", "notebooks/instructor/02_x.ipynb", "pyproject.toml"):
        assert re.search(hook["files"], name)


def test_package_citation_and_changelog_have_one_version_and_one_licence():
    version = Project().tag.removeprefix("v")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1] == f"{version} – {citation['date-released']}" and citation["version"] == version
    licence = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license"]
    assert set(citation["license"]) == set(licence.split(" AND "))


def test_the_changelog_names_exercises_that_there_are():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n## 0.1.0")[0]
    unreleased, _, released = text.partition("## Unreleased")[2].partition("\n## ")
    named = set(re.findall(r"`(\d\d\.[a-z0-9-]+)`", released.partition("\n## ")[0]))
    removed = {name for line in unreleased.splitlines() if "removed" in line for name in re.findall(r"`(.+?)`", line)}
    names = [path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks" / "instructor").glob("*.ipynb")]
    there = changed_exercises.exercises(names, lambda name: (ROOT / name).read_text(encoding="utf-8"))
    assert named and named - removed <= set(there)


def test_the_readme_opens_the_version_that_it_describes():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(address in text for address in launch_addresses(Project(), "00_start_here"))


def notebook(**cells: tuple[str, int | None]) -> str:
    """An instructor's notebook: grade ids with "_" for "-", each cell's source and points."""
    made = [
        {"source": source, "metadata": {"nbgrader": {"grade_id": name.replace("_", "-"), "points": points}}}
        for name, (source, points) in cells.items()
    ]
    return json.dumps({"cells": [{"source": "text", "metadata": {}}, *made]})


def test_changed_exercises_are_listed(tmp_path, capsys):
    path = tmp_path / "notebooks" / "instructor" / "02_x.ipynb"
    module = tmp_path / "course_utils" / "exercises" / "lesson_02" / "score.py"
    for folder in (path.parent, module.parent):
        folder.mkdir(parents=True)
    same = {"mean": ("def mean", None), "mean_check": ("check", 1)}
    score = {"score": ("def score", None), "score_check": ("check", 1), "score_hidden": ("old test", 2)}
    path.write_text(notebook(**same, **score, gone=("x", None)))
    module.write_text('Exercise("02.score", 1)')
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "before"], ["tag", "v1"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    assert changed_exercises.main(["v1"], tmp_path) == 0
    assert capsys.readouterr().out == "No exercise changed since v1.\n"

    changed = score | {"score_check": ("check", 3), "score_hidden": ("new test", 2)}
    path.write_text(notebook(**same, **changed, born=("x", None)))
    module.write_text('Exercise("02.score", 2)')
    assert changed_exercises.main(["v1"], tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [
        "- added: `02.born`",
        "- removed: `02.gone`",
        "- changed: `02.score` (visible test, hidden tests, check)",
    ]


def test_the_slowest_tests_are_listed_with_their_reasons(tmp_path, capsys):
    report, page = tmp_path / "tests.xml", tmp_path / "CONTRIBUTING.md"
    page.write_text(f"Before\n{slow_tests.BEGIN}\n{slow_tests.END}\n")
    cases = [
        ("tests.test_site", "test_b", 9.6),
        ("notebooks.02_x.ipynb", "Cell 3", 30.2),
        ("tests.test_x", "test_a", 1),
    ]
    lines = [f'<testcase classname="{module}" name="{name}" time="{time}"/>' for module, name, time in cases]
    report.write_text(f"<testsuites><testsuite>{''.join(lines)}</testsuite></testsuites>")
    assert slow_tests.main([str(report), "--write"], page) == 0
    rows = [line.split(" | ") for line in page.read_text().splitlines() if " s | " in line]
    assert [(cells[0][2:], cells[1].strip("`")) for cells in rows] == [
        ("30 s", "notebooks.02_x.ipynb.Cell 3"),
        ("10 s", "tests.test_site.test_b"),
        ("1 s", "tests.test_x.test_a"),
    ]
    for text, message in (('<testcase classname="other" name="x" time="3"/>', "no reason for it"), ("<", "no report")):
        report.write_text(text)
        with pytest.raises(SystemExit):
            slow_tests.main([str(report)], page)
        assert message in capsys.readouterr().err
