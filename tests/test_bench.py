"""The benchmark runs and compares like with like; its page shows what is stored; imports stay light."""

import importlib
import json
import math
import pkgutil

import pytest
import torch
from torch import nn

from benchmarks import lessons as bench_lessons
from benchmarks import page as speed_page
from benchmarks.__main__ import main
from benchmarks.imports import MEASURED, loaded_by
from benchmarks.lessons import amount, stretched
from benchmarks.peer import PeerUnavailable, load_peer
from benchmarks.textbook import LIMITS, TEXTBOOKS
from benchmarks.timing import compare, peak_bytes
from benchmarks.translation import QUICK, random_batch
from course_utils.lessons import find_lessons
from course_utils.teaching.run_times import LessonTime, RunTimes, load_run_times


def test_lengths_are_those_of_multi30k():
    lengths = random_batch(2000, 50, seed=0).source_mask.sum(dim=1).double()
    assert 12.5 < lengths.mean() < 13.5 and 3.5 < lengths.std() < 4.5
    assert lengths.min() >= 4 and lengths.max() <= 40


@pytest.fixture(scope="module")
def live() -> dict[str, bench_lessons.Live]:
    return {item.system: item for item in bench_lessons.live(None)}


def test_every_live_system_is_caught_untrained(live):
    assert {*TEXTBOOKS, *LIMITS} <= live.keys()
    for item in live.values():
        assert item.model.training and amount(item.batch)[0] > 1
    assert {item.lesson for item in live.values()} == {one.number for one in find_lessons() if one.has_experiment}


@pytest.mark.parametrize("system", TEXTBOOKS)
def test_a_textbook_model_computes_what_ours_computes(live, system):
    model, batch = live[system].model.double(), live[system].batch
    batch = batch.replace(**{name: part.double() for name, part in vars(batch).items() if part.is_floating_point()})
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    textbook = TEXTBOOKS[system](model)
    losses = []
    for contestant in (model, textbook):
        torch.manual_seed(1)  # of sampled places
        loss = contestant.loss(batch)
        losses.append(loss if isinstance(loss, torch.Tensor) else loss.mean)
        losses[-1].backward()
    model.float()
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-10)
    theirs = dict(textbook.model.named_parameters())
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            assert torch.allclose(parameter.grad, theirs[name].grad.float(), atol=1e-7), name
    model.zero_grad()


@pytest.mark.parametrize("system", [name for name, limit in LIMITS.items() if not isinstance(limit, str)])
def test_a_limit_can_be_trained_and_keeps_all_but_the_attention(live, system):
    model, batch = live[system].model.float(), live[system].batch
    limit = LIMITS[system](model)
    loss = limit.loss(batch)
    loss.backward()
    assert loss.isfinite()
    ours = {name: p.shape for name, p in model.named_parameters() if ".attention." not in name}
    assert ours == {name: p.shape for name, p in limit.model.named_parameters() if ".attention." not in name}


def test_a_source_is_stretched_for_one_example_as_often_as_asked(live):
    batch = live["rnn-search"].batch
    longest = int(batch.source_mask.sum(dim=1).max())
    twice = stretched(batch, 3, 2)
    assert twice.source.shape == twice.source_mask.shape == (3, 2 * longest) and bool(twice.source_mask.all())
    assert torch.equal(twice.source[0, :longest], twice.source[2, longest:])
    assert twice.target_output.shape[0] == 3


def test_peak_memory_is_what_is_held_at_one_time():
    megabyte = 250_000  # floats
    one_after_another = peak_bytes(lambda: [torch.empty(megabyte).sum() for _ in range(4)])
    together = peak_bytes(lambda: [torch.empty(megabyte) for _ in range(4)])
    assert 1e6 <= one_after_another < 1.2e6 and 4e6 <= together < 4.2e6


def test_a_comparison_without_a_target_is_neither_reached_nor_missed():
    seconds = {"a": [2.0, 4.0, 3.0], "b": [1.0, 1.0, 1.0]}
    free, least, most = (compare("", seconds, "a", "b", **target) for target in ({}, {"at_least": 4}, {"at_most": 3}))
    assert [free[key] for key in ("median", "low", "high")] == [3.0, 2.0, 4.0]
    assert [ratio["reached"] for ratio in (free, least, most)] == [None, False, True]


@pytest.mark.slow
def test_quick_benchmark(tmp_path, capsys):
    threads = torch.get_num_threads()
    results = main(["--quick", "--no-peer", "--output", str(tmp_path / "bench.json")])
    printed = capsys.readouterr().out
    assert len(results["ratios"]) == 4 and torch.get_num_threads() == threads
    for ratio in results["ratios"]:
        assert ratio["name"] in printed
        assert math.isfinite(ratio["median"]) and 0 < ratio["low"] <= ratio["median"] <= ratio["high"]
    assert results["ratios"][0]["median"] > 1.2  # the textbook loop is slower even at this size
    assert [(row["grows"], row["value"]) for row in results["growth"]] == [
        *(("length", value) for value in QUICK.growth_lengths),
        *(("batch", value) for value in QUICK.growth_batches),
        *(("vocabulary", value) for value in QUICK.growth_vocabularies),
    ]
    assert all(row["low"] <= row["seconds"] <= row["high"] for row in results["growth"] + results["lesson_growth"])
    steps = {step["system"]: step for step in results["steps"]}
    assert {name for name, step in steps.items() if step["textbook"]} == set(TEXTBOOKS)
    assert {name for name, step in steps.items() if step["limit"]} == set(LIMITS)
    assert all(step["seconds"] > 0 and step["peak_megabytes"] > 1 for step in steps.values())
    assert {row["module"] for row in results["imports"]} == set(MEASURED)
    assert json.loads((tmp_path / "bench.json").read_text())["versions"]["torch"]
    page = speed_page.speed_page(results, None)
    assert "`word-by-word`" in page and "Not recorded yet" in page and "not judged at this size" in printed


def test_a_missing_peer_is_said_and_not_fatal(tmp_path, monkeypatch, capsys):
    from benchmarks import __main__ as bench

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(PeerUnavailable, match="could not be installed"):
        load_peer(tmp_path / "peer")

    def unavailable(folder):
        raise PeerUnavailable("d2l could not be installed (no network)")

    monkeypatch.setattr(bench, "load_peer", unavailable)
    for name in ("training", "search", "growth", "steps", "lesson_growth", "decoding", "imports"):
        monkeypatch.setattr(bench, f"measure_{name}", lambda *arguments, **options: [])
    assert main(["--quick"])["peer"] is None
    assert "Without the peer d2l: d2l could not be installed (no network). Is the package" in capsys.readouterr().out


def test_the_page_shows_what_is_stored():
    bench = json.loads(speed_page.BENCH.read_text(encoding="utf-8"))
    assert speed_page.PAGE.read_text(encoding="utf-8") == speed_page.speed_page(bench, load_run_times()), (
        "docs/speed.md is stale; run: python -m benchmarks --page"
    )


def test_no_lesson_is_over_its_budget():
    times = load_run_times()
    if times is None:
        pytest.skip("no times are recorded: make lessons OPTIONS=--record")
    assert speed_page.over_budget(times) == []


def test_what_is_over_budget_is_named():
    def lesson(name, seconds, slowest):
        return LessonTime(name, name, seconds, slowest, "fit(recipe)", "1.0 GB")

    good = RunTimes("2 cores", "3.11", "2.15", 0.01, (lesson("01", 200, 59), lesson("02", 100, 5)))
    assert speed_page.over_budget(good) == []
    bad = RunTimes("2 cores", "3.11", "2.15", 0.01, (lesson("01", 241, 61), *[lesson("02", 240, 60)] * 6))
    found = speed_page.over_budget(bad)
    assert found == ["01 took 241 s", "01: a cell took 61 s (fit(recipe))", "the course took 1681 s"]
    bench = json.loads(speed_page.BENCH.read_text(encoding="utf-8"))
    assert "it takes 5." in speed_page.speed_page(bench, good)


LEARNING = {"torch", "numpy"}
MAKING = {"scipy", "sklearn", "joblib", "pandas", "pyarrow", "PIL", "babel", "num2words"}
"""What data are made with, and what scikit-learn brings along."""
ALLOWED = {
    "mechanisms": LEARNING,
    "models": LEARNING,
    "data": LEARNING | MAKING,
    "experiments": LEARNING | MAKING | {"sacrebleu", "rouge_score"},
}
"""Floor → what its modules may load when they are imported; more only inside the functions that need it."""


def test_what_a_first_cell_imports_loads_nothing_heavy():
    light = ("", ".paths", ".files", ".teaching", ".teaching.bootstrap")
    assert loaded_by(*(f"course_utils{name}" for name in light)) == set()


@pytest.mark.parametrize("floor", ALLOWED)
def test_a_floor_loads_no_more_than_it_may(floor):
    name = floor if floor == "experiments" else f"course_utils.{floor}"
    found = pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}.")
    modules = [module.name for module in found if not module.name.endswith("__main__")]
    assert len(modules) > 3
    assert loaded_by(*modules) <= ALLOWED[floor]
