"""Training by several processes under `accelerate launch`: the loss curve of one, and a kill that costs nothing.

Needs the extra "scale". Two processes on the CPU: Accelerate's `--cpu` starts one, whatever `--num_processes` says, so
they are started as for two GPUs and told by `ACCELERATE_USE_CPU` that there are none.
"""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
import torch
from tiny_models import random_pairs, tiny_model

from course_utils.data.batching import make_pair_batch
from course_utils.process_group import ProcessGroup

pytest.importorskip("accelerate", reason="pip install 'where-to-look[scale]'")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).resolve().parents[1]

PROGRAM = """
    import json, sys, time
    from pathlib import Path

    import torch
    from tiny_models import random_pairs, tiny_model

    from course_utils.process_group import current_process_group
    from course_utils.data.batching import batches_by_length
    from course_utils.training import pick_device, seed_everything, train

    torch.set_num_threads(1)
    folder, slow = Path(sys.argv[1]), float(sys.argv[2])
    pairs = random_pairs([3, 5, 2, 7, 4, 1, 6, 3, 9] * 5)


    def batches(epoch):
        for batch in batches_by_length(pairs, 9, seed=epoch):
            time.sleep(slow)
            yield batch


    seed_everything(3)
    model = tiny_model("rnn-search", seed=0).to(pick_device())
    options = {"steps": 40, "progress": False, "resume": folder / "run.ckpt", "resume_seconds": -1.0}
    history = train(model, batches, label_smoothing=0.1, **options)
    group = current_process_group()
    if group is None or group.is_main:
        content = {name: tensor.double().sum().item() for name, tensor in model.state_dict().items()}
        content |= {"losses": history.losses, "norms": history.gradient_norms, "size": group.size if group else 0}
        (folder / "history.json").write_text(json.dumps(content))
"""


def environment() -> dict:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "yes"}


def launched(folder: Path, processes: int, *options: str, slow: float = 0.0) -> subprocess.Popen:
    program = folder / "program.py"
    program.write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    kind = "--multi_gpu" if processes > 1 else "--cpu"
    how = [kind, "--num_processes", str(processes), "--num_machines", "1", "--dynamo_backend", "no"]
    precision = [] if "--mixed_precision" in options else ["--mixed_precision", "no"]
    launch = [sys.executable, "-m", "accelerate.commands.launch", *how, *precision, *options]
    command = [*launch, "--main_process_port", "0", str(program), str(folder), str(slow)]
    log = (folder / "log.txt").open("w")
    return subprocess.Popen(command, env=environment(), stdout=log, stderr=log, cwd=folder, start_new_session=True)


def history(folder: Path, processes: int, *options: str) -> dict:
    folder.mkdir(exist_ok=True)
    run = launched(folder, processes, *options)
    assert run.wait(timeout=300) == 0, (folder / "log.txt").read_text()
    found = json.loads((folder / "history.json").read_text())
    assert found["size"] == processes, "not as many processes as asked for formed a process group"
    return found


def kill_family(run: subprocess.Popen) -> None:
    """Kill a launcher and the processes that it started, which are in sessions of their own."""
    family = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
    assert len(family) >= 3, "a launcher and two workers"
    for member in family:
        member.kill()
    psutil.wait_procs(family, timeout=30)


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict:
    """What one process does without a launch."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "program.py").write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    subprocess.run([sys.executable, folder / "program.py", folder, "0"], env=environment(), check=True, timeout=300)
    return json.loads((folder / "history.json").read_text())


@pytest.mark.parametrize("options", [(), ("--gradient_accumulation_steps", "3")], ids=["", "accumulated"])
def test_two_processes_follow_the_curve_of_one(alone, tmp_path, options):
    both = history(tmp_path, 2, *options)
    assert both["losses"] == pytest.approx(alone["losses"], rel=2e-4)
    assert both["norms"] == pytest.approx(alone["norms"], rel=2e-3)
    assert len(both["losses"]) == 40 and both["losses"][-1] < both["losses"][0]


def test_lower_precision_stays_near(alone, tmp_path):
    rough = history(tmp_path, 2, "--mixed_precision", "bf16")
    assert rough["losses"] != alone["losses"]
    assert rough["losses"] == pytest.approx(alone["losses"], rel=0.05)


def test_a_killed_process_group_goes_on_where_it_was(tmp_path):
    whole = history(tmp_path / "whole", 2)
    folder = tmp_path / "killed"
    folder.mkdir()
    run = launched(folder, 2, slow=0.15)
    end = time.monotonic() + 200
    while not (folder / "run.ckpt").exists():
        assert run.poll() is None and time.monotonic() < end, (folder / "log.txt").read_text()
        time.sleep(0.05)
    time.sleep(1.0)
    kill_family(run)
    assert (folder / "run.ckpt").exists() and not (folder / "history.json").exists()
    again = history(folder, 2)
    assert "going on after" in (folder / "log.txt").read_text()
    assert again == whole
    assert not (folder / "run.ckpt").exists()


def test_a_precision_that_needs_scaled_gradients_is_refused(tmp_path):
    run = launched(tmp_path, 1, "--mixed_precision", "fp16")
    assert run.wait(timeout=300) != 0
    assert "expected one of no, bf16" in (tmp_path / "log.txt").read_text()


def test_processes_that_do_not_work_together_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RuntimeError, match="2 processes were started, and 1 of them work together.*USE_CPU=yes"):
        ProcessGroup()


def test_shares_and_parts_make_the_whole_batch(monkeypatch):
    batch = make_pair_batch(random_pairs([3, 5, 2, 7, 4]))
    model = tiny_model("rnn-search", seed=0)
    model.loss(batch).mean.backward()
    wanted = [parameter.grad.clone() for parameter in model.parameters()]
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "9")  # more parts than examples
    model.zero_grad()
    value = ProcessGroup().backward(model, batch)
    assert value.item() == pytest.approx(model.loss(batch).mean.item(), rel=1e-5)
    for parameter, gradient in zip(model.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)
