"""The page about several GPUs: its commands run as written, its reasoning adds up, it is that of the stored counts."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.page import BENCH
from tools import full_scale
from tools.full_scale import Card, Work

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
COUNTED = json.loads((ROOT / "data" / "results" / "operations.json").read_text(encoding="utf-8"))
TEXT = full_scale.PAGE.read_text(encoding="utf-8")
COMMANDS = [
    " && ".join(re.findall(r"^\$ (.+)$", block, flags=re.MULTILINE))
    for block in re.findall(r"^```console\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
]
ROUND = Card(launch=1e-3, operations=1e6, traffic=1e9, message=1e-2, link=1e6)


def test_the_page_is_that_of_the_stored_counts():
    assert full_scale.full_scale_page(COUNTED) == TEXT, "run: python -m tools.full_scale"


def test_the_lessons_batches_do_not_fill_a_card():
    bench = json.loads(BENCH.read_text(encoding="utf-8"))
    fullest = min(
        full_scale.work_of(row["step"], row["parameters"], full_scale.COUNTED_EXAMPLES).filling()
        for row in COUNTED["steps"]
    )
    assert max(step["examples"] for step in bench["steps"]) < fullest


@pytest.mark.timeout(900)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs_as_written(command, tmp_path):
    pytest.importorskip("accelerate", reason="pip install 'where-to-look[scale]'")
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": paths, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (result,) = tmp_path.glob("runs/*/result.json")
    seeds = int(re.search(r"--seeds (\d)", command)[1])
    assert json.loads(result.read_text(encoding="utf-8"))["seeds"] == list(range(seeds))
    assert done.stdout.count("written: ") == (2 if "--num_processes 2" in command else 1)


def test_a_step_takes_what_is_slower():
    work = Work(kernels=10, operations=1e3, bytes=1e3, parameters=1000)
    assert work.launching(ROUND) == pytest.approx(0.01) and work.filling(ROUND) == pytest.approx(10)
    assert work.seconds(5, card=ROUND) == pytest.approx(0.01), "idle: it waits for its kernels"
    assert work.seconds(100, card=ROUND) == pytest.approx(0.1)
    heavy = Work(kernels=10, operations=1.0, bytes=1e7, parameters=1000)
    assert heavy.seconds(1, card=ROUND) == pytest.approx(2e7 / 1e9), "bound by its memory"


def test_several_cards_share_a_batch_and_pay_for_the_message():
    work = Work(kernels=10, operations=1e3, bytes=1e3, parameters=1000)
    message = 0.01 + 2 * 3 / 4 * 4000 / 1e6
    assert work.seconds(4, cards=4, card=ROUND) == pytest.approx(0.01 + message), "not faster than one"
    assert work.seconds(400, cards=4, card=ROUND) == pytest.approx(0.1 + message)
