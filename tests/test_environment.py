"""The files that set a machine up agree with each other and do what the README says."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
CONDA_NAMES = {"matplotlib-base": "matplotlib", "pytorch-cpu": "torch", "seaborn-base": "seaborn"}
COMMANDS = ["lab", "test", "lessons", "notebooks", "site", "bench"]


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(texts: list[str]) -> dict[str, Requirement]:
    parsed = [Requirement(text) for text in texts]
    return {canonicalize_name(item.name): item for item in parsed}


@pytest.fixture(scope="module")
def constraints() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return requirements([line for line in lines if line and not line.startswith("#")])


def test_environment_yml_has_the_ranges_of_pyproject(project):
    extras = project["optional-dependencies"]
    wanted = requirements(project["dependencies"] + extras["lab"])
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    pip_only = [text for item in listed if isinstance(item, dict) for text in item["pip"]]
    texts = [item for item in listed if isinstance(item, str) and not re.match(r"(python|pip)\b", item)] + pip_only
    given = {CONDA_NAMES.get(name, name): item for name, item in requirements(texts).items()}
    assert {name: item.specifier for name, item in given.items()} == {
        name: item.specifier for name, item in wanted.items()
    }, "bring environment.yml in line with pyproject.toml"


def test_environment_yml_names_a_python_that_the_package_accepts(project):
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    [minor] = [item.removeprefix("python=") for item in listed if str(item).startswith("python=")]
    assert Requirement(f"python{project['requires-python']}").specifier.contains(f"{minor}.0")


def test_repo2docker_accepts_the_folder():
    """Binder's own tool reads the folder and writes its recipe; the image itself is not built."""
    learner = ["--user-id", "1000", "--user-name", "learner"]  # the superuser is refused
    command = [sys.executable, "-m", "repo2docker", "--no-build", *learner, str(ROOT)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if answer.returncode and "docker" in answer.stderr.lower() and "connect" in answer.stderr.lower():
        pytest.skip("repo2docker wants a Docker service even for --no-build, and there is none")
    assert answer.returncode == 0, answer.stderr
    assert "Building conda environment for python=3.13" in answer.stderr
    assert 'env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"' in answer.stdout
    assert "RUN ./postBuild" in answer.stdout


def test_constraints_lie_within_the_ranges(project, constraints):
    extras = [text for name, texts in project["optional-dependencies"].items() if name != "dev" for text in texts]
    for name, wanted in requirements(project["dependencies"] + extras).items():
        assert name in constraints, f"{name} is missing: run `make constraints`"
        [pin] = constraints[name].specifier
        assert pin.operator == "==", constraints[name]
        assert wanted.specifier.contains(pin.version), f"{pin} is outside {wanted}: run `make constraints`"


def test_constraints_name_plain_registry_versions(constraints):
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert all("+" not in str(item.specifier) and item.url is None for item in constraints.values())


def make_in_copy(folder: Path, *arguments: str, newer: str | None = None) -> str:
    """What `make` would do in a set-up checkout, optionally after one file was touched."""
    shutil.copy(ROOT / "Makefile", folder)
    (folder / ".venv").mkdir()
    for name, age in (("pyproject.toml", 20), ("constraints.txt", 20), (".venv/.ready", 10)):
        (folder / name).touch()
        moment = time.time() - (0 if name == newer else age)
        os.utime(folder / name, (moment, moment))
    return make(folder, "--dry-run", *arguments)


def make(folder: Path, *arguments: str) -> str:
    """Run make as if nobody had started this test by make."""
    outside = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    answer = subprocess.run(["make", *arguments], cwd=folder, env=outside, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_second_make_sets_nothing_up(command, tmp_path):
    plan = make_in_copy(tmp_path, command)
    assert plan.strip() and "setup_environment" not in plan


@pytest.mark.parametrize("touched", ["pyproject.toml", "constraints.txt"])
def test_make_sets_up_again_after_a_change(touched, tmp_path):
    plan = make_in_copy(tmp_path, "test", newer=touched).splitlines()
    assert "setup_environment" in plan[0] and "pytest" in plan[1]


def test_make_without_a_command_explains_itself():
    answer = make(ROOT, "--silent")
    assert all(re.search(rf"^{command} ", answer, re.MULTILINE) for command in COMMANDS)


def test_an_old_python_is_refused_with_a_clear_word():
    setup = runpy.run_path(str(ROOT / "tools" / "setup_environment.py"))
    setup["check_python"].__globals__["OLDEST"] = (99, 0)
    with pytest.raises(SystemExit, match=r"needs Python 99\.0 or newer.*make PYTHON="):
        setup["check_python"]()


@pytest.mark.parametrize(("made_for", "used"), [("{} on {}", True), ("2.7 on {1}", False), ("{} on amiga", False)])
def test_constraints_are_used_only_where_they_were_made(made_for, used, tmp_path):
    setup = runpy.run_path(str(ROOT / "tools" / "setup_environment.py"))["constraint_options"]
    setup.__globals__.update(ROOT=str(tmp_path), PYTHON=sys.executable)
    here = made_for.format(f"{sys.version_info[0]}.{sys.version_info[1]}", sys.platform)
    (tmp_path / "constraints.txt").write_text(f"# Tested with Python {here}; written by a test.\n")
    assert bool(setup()) == used


def test_set_up_falls_back_to_ranges_and_to_pip(tmp_path):
    install = runpy.run_path(str(ROOT / "tools" / "setup_environment.py"))["install"]
    tried = []

    def succeeds(*command):
        """uv can be had but fails; pip fails with the tested versions only."""
        if "uv" in command:
            return True
        tried.append(("uv" if str(command[0]).endswith("uv") else "pip", "constraints.txt" in command))
        return tried[-1] == ("pip", False)

    install.__globals__.update(succeeds=succeeds, constraint_options=lambda: ["-c", "constraints.txt"], UV="/none/uv")
    install()
    assert tried == [("uv", True), ("uv", False), ("pip", True), ("pip", False)]


@pytest.mark.parametrize("name", [".ci/run", "postBuild"])
def test_scripts_are_executable_and_parse(name):
    assert os.access(ROOT / name, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / name], check=True)


def test_make_lab_serves_the_first_notebook(tmp_path):
    command = [sys.executable, "-m", "tools.lab", "--no-browser", "--port=18923", "--ServerApp.port_retries=50"]
    environment = dict(os.environ, JUPYTER_CONFIG_DIR=str(tmp_path))
    address = r"http://(?:127\.0\.0\.1|localhost):\d+/lab/tree/notebooks/00_start_here\.ipynb\?token=\w+"
    with (tmp_path / "log").open("w+") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            found = None
            deadline = time.monotonic() + 90
            while found is None and server.poll() is None and time.monotonic() < deadline:
                time.sleep(0.3)
                found = re.search(address, Path(log.name).read_text())
            assert found, Path(log.name).read_text()
            with urllib.request.urlopen(found[0].replace("/lab/tree/", "/api/contents/"), timeout=30) as answer:
                assert answer.status == 200
        finally:
            server.terminate()
            server.wait(30)


def test_ruff_finds_nothing():
    answer = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout


def test_citation_and_package_have_one_version(project):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == project["version"]
    assert set(citation["license"]) == set(project["license"].split(" AND "))


def test_importing_the_package_loads_neither_torch_nor_numpy():
    code = "import sys, course_utils.paths, course_utils.teaching; print({'torch', 'numpy'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_data_folders_are_those_of_the_checkout():
    from course_utils.paths import checkpoint_path, data_folder, result_path

    assert data_folder("checkpoints") == ROOT / "data" / "checkpoints"
    assert data_folder("lessons") == ROOT / "lessons"
    assert checkpoint_path("x.safetensors").parent == ROOT / "data" / "checkpoints"
    assert result_path("x.json") == ROOT / "data" / "results" / "x.json"
    with pytest.raises(ValueError, match="'raw'; expected 'checkpoints', 'results' or 'lessons'"):
        data_folder("raw")


def test_missing_data_folders_are_named(monkeypatch, tmp_path):
    from course_utils import paths

    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "course_utils")
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path))):
        paths.data_folder("results")
