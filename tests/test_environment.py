"""The files that set a machine up agree with each other and do what the README says."""

import json
import os
import platform
import re
import runpy
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
CONDA_NAMES = {"matplotlib-base": "matplotlib", "pytorch-cpu": "torch", "seaborn-base": "seaborn"}
COMMANDS = ["lab", "test", "lessons", "notebooks", "site", "bench"]
OURSELVES = "where-to-look"  # an extra that names others of this package


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(texts: list[str]) -> dict[str, Requirement]:
    parsed = [Requirement(text) for text in texts]
    return {canonicalize_name(item.name): item for item in parsed if item.name != OURSELVES}


@pytest.fixture(scope="module")
def constraints() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return requirements([line for line in lines if line and not line.startswith("#")])


def test_environment_yml_has_the_ranges_of_pyproject_and_a_python_that_it_accepts(project):
    extras = project["optional-dependencies"]
    wanted = requirements(project["dependencies"] + extras["lab"])
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    pip_only = [text for item in listed if isinstance(item, dict) for text in item["pip"]]
    texts = [item for item in listed if isinstance(item, str) and not re.match(r"(python|pip)\b", item)] + pip_only
    given = {CONDA_NAMES.get(name, name): item for name, item in requirements(texts).items()}
    assert {name: item.specifier for name, item in given.items()} == {
        name: item.specifier for name, item in wanted.items()
    }, "bring environment.yml in line with pyproject.toml"
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


def test_constraints_are_registry_versions_within_the_ranges(project, constraints):
    assert "://" not in (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert all("+" not in str(item.specifier) and item.url is None for item in constraints.values())
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    for name, wanted in requirements(project["dependencies"] + extras).items():
        assert name in constraints, f"{name} is missing: run `make constraints`"
        [pin] = constraints[name].specifier
        assert pin.operator == "==", constraints[name]
        assert wanted.specifier.contains(pin.version), f"{pin} is outside {wanted}: run `make constraints`"


def test_dev_is_all_extras(project):
    extras = project["optional-dependencies"]
    named = {name for texts in extras.values() for text in texts for name in Requirement(text).extras}
    assert named == set(extras) - {"dev"}


def make_in_copy(folder: Path, *arguments: str, newer: str | None = None, missing: str | None = None) -> str:
    """What `make` would do in a set-up checkout, optionally after one file was touched or removed."""
    shutil.copy(ROOT / "Makefile", folder)
    (folder / ".venv").mkdir()
    for name, age in (("pyproject.toml", 20), ("constraints.txt", 20), (".venv/.ready", 10), (".venv/.ready-lab", 10)):
        if name == missing:
            continue
        (folder / name).touch()
        moment = time.time() - (0 if name == newer else age)
        os.utime(folder / name, (moment, moment))
    return make(folder, "--dry-run", *arguments)


def make(folder: Path, *arguments: str) -> str:
    """Run make as if nobody had started this test by make."""
    given = ("MAKE", "MFLAGS", "OPTIONS", "TESTS", "LESSONS")
    outside = {key: value for key, value in os.environ.items() if not key.startswith(given)}
    answer = subprocess.run(["make", *arguments], cwd=folder, env=outside, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.parametrize(
    ("command", "change", "part"),
    [
        *((command, {}, None) for command in COMMANDS),
        ("test", {"newer": "pyproject.toml"}, "all"),
        ("test", {"newer": "constraints.txt"}, "all"),
        ("lab", {"missing": ".venv/.ready-lab"}, "lab"),
        ("lab", {"missing": ".venv/.ready"}, None),  # the lab starts where only what lessons need is there
    ],
)
def test_make_sets_up_what_has_changed_and_nothing_else(command, change, part, tmp_path):
    plan = make_in_copy(tmp_path, command, **change).splitlines()
    assert [line.split()[-1] for line in plan if "setup_environment" in line] == ([part] if part else [])
    assert {"lab": "-m tools.lab ", "test": "pytest"}.get(command, "") in plan[-1] and "setup_environment" not in plan[
        -1
    ]


def test_make_without_a_command_explains_itself():
    answer = make(ROOT, "--silent")
    assert all(re.search(rf"^{command} ", answer, re.MULTILINE) for command in COMMANDS)


def set_up_functions() -> dict:
    return runpy.run_path(str(ROOT / "tools" / "setup_environment.py"))


def test_an_old_python_is_refused_with_a_clear_word():
    setup = set_up_functions()
    setup["check_python"].__globals__["OLDEST"] = (99, 0)
    with pytest.raises(SystemExit, match=r"needs Python 99\.0 or newer.*make PYTHON="):
        setup["check_python"]()


@pytest.mark.parametrize(("made_for", "used"), [("{} on {}", True), ("2.7 on {1}", False), ("{} on amiga", False)])
def test_constraints_are_used_only_where_they_were_made(made_for, used, tmp_path):
    setup = set_up_functions()["constraint_options"]
    setup.__globals__.update(ROOT=str(tmp_path), PYTHON=sys.executable)
    here = made_for.format(f"{sys.version_info[0]}.{sys.version_info[1]}", sys.platform)
    (tmp_path / "constraints.txt").write_text(f"# Tested with Python {here}; written by a test.\n")
    assert bool(setup()) == used


def test_set_up_falls_back_to_ranges_and_to_pip(tmp_path):
    install = set_up_functions()["install"]
    tried = []

    def succeeds(*command):
        """uv can be had but fails; pip fails with the tested versions only."""
        if "uv" in command:
            return True
        tried.append(("uv" if str(command[0]).endswith("uv") else "pip", "constraints.txt" in command))
        return tried[-1] == ("pip", False)

    install.__globals__.update(succeeds=succeeds, constraint_options=lambda: ["-c", "constraints.txt"], UV="/none/uv")
    install(".")
    assert tried == [("uv", True), ("uv", False), ("pip", True), ("pip", False)]


def test_torch_for_cpus_is_never_replaced_by_torch_for_gpus():
    """Where PyTorch's list of such packages cannot be reached, set-up stops: pip would bring the large ones."""
    install, tried = set_up_functions()["install"], []
    succeeds = lambda *command: tried.append(command) or "uv" in command  # noqa: E731  (uv can be had)
    install.__globals__.update(succeeds=succeeds, constraint_options=list, UV="/none/uv")
    with pytest.raises(SystemExit, match="TORCH=cpu needs uv"):
        install(".", torch="cpu")
    assert tried[1][0] == "/none/uv" and "--torch-backend=cpu" in tried[1] and len(tried) == 2


@pytest.mark.parametrize("part", ["lab", "all"])
def test_set_up_leaves_word_of_what_is_there(part, tmp_path, monkeypatch):
    functions = set_up_functions()
    asked = []
    functions["main"].__globals__.update(create_venv=lambda: None, install=lambda *given: asked.append(given))
    functions["main"].__globals__.update(VENV=str(tmp_path))
    monkeypatch.setenv("TORCH", "cpu")
    functions["main"](part)
    assert asked == [(".[lab,recordings]" if part == "lab" else ".[dev]", "cpu")]
    assert {path.name for path in tmp_path.iterdir()} == {".ready-lab"} | ({".ready"} if part == "all" else set())


@pytest.mark.parametrize("name", [".ci/run", "postBuild"])
def test_scripts_are_executable_and_parse(name):
    assert os.access(ROOT / name, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / name], check=True)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Asks the server of `make lab` for paths; the user has settings of their own, which the course's go before."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "jupyter_server_config.json").write_text(json.dumps({"ServerApp": {"root_dir": str(folder)}}))
    command = [sys.executable, "-m", "tools.lab", "--no-browser", "--port=18923", "--ServerApp.port_retries=50"]
    environment = dict(os.environ, JUPYTER_CONFIG_DIR=str(folder))
    address = r"(http://(?:127\.0\.0\.1|localhost):\d+)/lab/tree/00_start_here\.ipynb\?(token=\w+)"
    log = folder / "log"
    with log.open("w+") as file:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT)
        try:
            found, deadline = None, time.monotonic() + 90
            while found is None and server.poll() is None and time.monotonic() < deadline:
                time.sleep(0.3)
                found = re.search(address, log.read_text())
            assert found, log.read_text()

            def ask(path: str) -> bytes:
                with urllib.request.urlopen(f"{found[1]}/{path}?{found[2]}", timeout=30) as answer:
                    return answer.read()

            yield ask
        finally:
            server.terminate()
            server.wait(30)


def test_the_lab_lists_the_lessons_without_solutions(lab):
    listed = [item["name"] for item in json.loads(lab("api/contents"))["content"]]
    assert sorted(listed) == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_a_notebook_says_what_its_kernel_will_say(lab):
    """Else the lab writes it there when it opens the notebook, which then counts as modified."""
    metadata = json.loads(lab("api/contents/00_start_here.ipynb"))["content"]["metadata"]
    [kernel] = {item["name"]: item for item in json.loads(lab("api/kernelspecs"))["kernelspecs"].values()}.values()
    assert metadata["language_info"]["version"] == platform.python_version()
    assert metadata["kernelspec"]["display_name"] == kernel["spec"]["display_name"]


def test_the_lab_neither_asks_nor_offers_what_learners_do_not_need(lab):
    page = json.loads(re.search(rb'id="jupyter-config-data"[^>]*>(.*?)</script>', lab("lab"), re.DOTALL)[1])
    asking = {"@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension"}
    assert asking <= set(page["disabledExtensions"])
    with pytest.raises(urllib.error.HTTPError):
        lab("formgrader")


def test_data_folders_are_those_of_the_checkout():
    from course_utils.paths import data_folder, result_path

    assert data_folder("checkpoints") == ROOT / "data" / "checkpoints"
    assert data_folder("lessons") == ROOT / "lessons"
    assert result_path("x.json") == ROOT / "data" / "results" / "x.json"
    with pytest.raises(ValueError, match="'raw'; expected 'checkpoints', 'results' or 'lessons'"):
        data_folder("raw")


def test_missing_data_folders_are_named(monkeypatch, tmp_path):
    from course_utils import paths

    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "course_utils")
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path))):
        paths.data_folder("results")
