"""Training at its edges, for every system (one example, length one, none, NaN, a stop), and troubles met elsewhere.

Each edge either simply works or ends in a message that says what was wrong; the weights stay finite in both cases.
"""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import pytest
import torch
from test_glimpse_models import MODELS as GLIMPSING
from tiny_models import tiny_model
from torch import nn

from course_utils.data.batching import Batch, make_pair_batch
from course_utils.data.inference.pairs import read_pair
from course_utils.data.reports.docstrings import clean_docstring
from course_utils.data.text import BEGIN, END
from course_utils.lessons import find_lessons
from course_utils.mechanisms.search import beam_search, greedy_search
from course_utils.models import captioning, entailment, speech, summarization, translation
from course_utils.models.glimpses import RecurrentAttentionModel
from course_utils.teaching.explorer import explore_alignment
from course_utils.training import seed_everything, train
from course_utils.training_checkpoints import load_training_checkpoint, restore_rng_state, save_training_checkpoint
from experiments.runner import find_experiment
from tools.project import ROOT

torch.set_num_threads(1)

SPECIAL = 4
"""Symbols that every vocabulary begins with: padding, unknown word, begin, end."""


class System(NamedTuple):
    """A system that can be made for any vocabulary, and batches for it.

    Attributes:
        build: takes the number of vocabulary entries; returns a small model.
        make_batch: takes examples, source length, target length and vocabulary entries; returns a batch.
        writes: takes a batch; returns what `greedy_search` needs to write, None if the system writes no words.
    """

    build: Callable[[int], nn.Module]
    make_batch: Callable[[int, int, int, int], tuple]
    writes: Callable[[tuple], tuple] | None = None


def _pairs(count, source, target, words):
    draw = torch.Generator().manual_seed(3)

    def row(length):
        return torch.randint(SPECIAL, words, (length,), generator=draw).tolist()

    return make_pair_batch([(row(source), row(target)) for _ in range(count)])


def _scenes(count, source, target, words):
    images = torch.randint(256, (count, 3, 16, 16), dtype=torch.uint8)
    return _pairs(count, 1, target, words).replace(images=images)


def _inference(count, source, target, words):
    masks = [torch.ones(count, length, dtype=torch.bool) for length in (source, target)]
    ids = [torch.randint(SPECIAL, words, mask.shape) for mask in masks]
    names = ("premise", "premise_mask", "hypothesis", "hypothesis_mask", "label")
    return Batch(**dict(zip(names, (ids[0], masks[0], ids[1], masks[1], torch.arange(count) % 3), strict=True)))


def _speech(count, source, target, words):
    pairs = _pairs(count, 1, target, words)
    features, mask = torch.randn(count, source, 6), torch.ones(count, source, dtype=torch.bool)
    return pairs.replace(features=features, feature_mask=mask)


def _canvases(count, source, target, words):
    labels = torch.randint(max(1, min(10, words - SPECIAL)), (count, 1))
    return Batch(images=torch.rand(count, 1, 12, 12), labels=labels, boxes=torch.zeros(count, 1, 4, dtype=torch.long))


def _systems() -> Iterator[tuple[str, System]]:
    small = {"embedding_size": 6, "hidden_size": 8}
    scenes = {"height": 16, "width": 16, "widths": (6, 8, 8), **small}

    def translator(name, words):
        sizes = {"source_vocabulary_size": words, "target_vocabulary_size": words, **small}
        return translation.build_translation_model(name, **sizes)

    def words_of(batch):
        return batch.source, batch.source_mask

    def cells_of(batch):
        cells = batch.images.flatten(1)
        return cells, torch.ones_like(cells, dtype=torch.bool)

    def frames_of(batch):
        return batch.features, batch.feature_mask

    def listener(name, words):
        return speech.SpeechModel(name, words, feature_size=6, attention_size=5, **small)

    for family, names, build, make_batch, writes in (
        ("translation", translation.SYSTEMS, translator, _pairs, words_of),
        ("glimpses", GLIMPSING, lambda name, words: GLIMPSING[name](), _canvases, None),
        ("captions", captioning.SYSTEMS, partial(captioning.build_captioner, **scenes), _scenes, cells_of),
        ("entailment", entailment.SYSTEMS, partial(entailment.EntailmentModel, **small), _inference, None),
        ("speech", speech.SYSTEMS, listener, _speech, frames_of),
        (
            "summaries",
            summarization.SYSTEMS,
            partial(summarization.build_summarizer, **small),
            _pairs,
            words_of,
        ),
    ):
        for name in names:
            yield f"{family} {name}", System(partial(build, name), make_batch, writes)


SYSTEMS = dict(_systems())
everywhere = pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
writing = {name: system for name, system in SYSTEMS.items() if system.writes}


def made(system: System, count=3, source=5, target=4, words=9) -> tuple[nn.Module, tuple]:
    seed_everything(0)
    return system.build(words), system.make_batch(count, source, target, words)


def weights_of(model: nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def learns(model: nn.Module, batch: tuple) -> None:
    """Three steps: finite losses, finite weights, and not those of before."""
    before = weights_of(model)
    history = train(model, lambda epoch: [batch], steps=3, learning_rate=1e-2, progress=False)
    after = weights_of(model)
    assert len(history.losses) == 3 and all(abs(loss) < 1e6 for loss in history.losses)
    assert after.isfinite().all() and not torch.equal(before, after)


@everywhere
@pytest.mark.parametrize(
    "sizes",
    [{"count": 1}, {"source": 1, "target": 1}, {"count": 1, "source": 1, "target": 1}, {"words": SPECIAL + 1}],
    ids=["one example", "length one", "one example of length one", "one word"],
)
def test_the_smallest_data_can_be_trained_on(system, sizes):
    learns(*made(system, **sizes))


@everywhere
def test_longer_than_any_seen(system):
    model, short = made(system, source=3, target=2)
    learns(model, short)
    with torch.no_grad():
        assert model.loss(system.make_batch(2, 60, 50, 9)).mean.isfinite()


@pytest.mark.parametrize("system", writing.values(), ids=writing.keys())
def test_an_untrained_model_stops_writing_at_the_limit(system):
    model, batch = made(system, source=1, target=1)
    model.eval()
    with torch.no_grad():
        found = greedy_search(model, *system.writes(batch), begin=BEGIN, end=END, max_length=30)
    assert len(found) == 3 and all(len(one.tokens) <= 30 for one in found)


@everywhere
def test_no_example_is_refused(system):
    model, batch = made(system)
    empty = batch[:0]
    before = weights_of(model)
    with pytest.raises(ValueError, match=r"step 0: the batch holds no example; expected at least one"):
        train(model, lambda epoch: [empty], steps=2, progress=False)
    assert torch.equal(before, weights_of(model)) and not model.training


@everywhere
def test_a_weight_that_is_not_a_number_is_found_at_once(system):
    model, batch = made(system)
    with torch.no_grad():
        for weight in model.parameters():
            weight.view(-1)[0] = float("nan")
    before = weights_of(model)
    with pytest.raises((FloatingPointError, ValueError), match="finite|nan"):
        train(model, lambda epoch: [batch], steps=2, progress=False)
    assert torch.equal(before.nan_to_num(7.0), weights_of(model).nan_to_num(7.0))


@everywhere
def test_far_too_large_steps_leave_finite_weights(system):
    model, batch = made(system)
    try:
        train(model, lambda epoch: [batch], steps=6, learning_rate=1e4, warmup=0.0, progress=False)
    except FloatingPointError as error:
        assert "Lower learning_rate (now 10000.0)" in str(error)
    assert weights_of(model).isfinite().all() and not model.training


@everywhere
def test_a_stopped_kernel_keeps_the_steps_so_far(system, capsys):
    model, batch = made(system)

    def stopped(epoch):
        yield batch
        raise KeyboardInterrupt

    history = train(model, stopped, steps=9, progress=False)
    assert history.stopped == "interrupted" and len(history.losses) == 1
    assert weights_of(model).isfinite().all() and not model.training
    assert "interrupted after 1 of 9 steps" in capsys.readouterr().out


# ------------------------------------------------------------------------- data sets of one example, and of none


LESSONS = [lesson.number for lesson in find_lessons() if lesson.has_experiment]


@pytest.mark.parametrize("lesson", LESSONS)
def test_one_example_is_a_data_set(lesson):
    experiment = find_experiment(lesson)
    for name, (recipe, data) in experiment.live_trainings(1).items():
        if lesson == "03":  # fragments of clutter come from another digit
            with pytest.raises(ValueError, match="the split has 1 images; expected 1 and 2 or more"):
                experiment.fit(replace(recipe, steps=2), data, 0, progress=False)
            continue
        model, history = experiment.fit(replace(recipe, steps=3), data, 0, progress=False)
        assert len(history.losses) == 3 and weights_of(model).isfinite().all(), name


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_data_set_without_an_example_is_refused(lesson):
    def trained():
        experiment = find_experiment(lesson)
        for recipe, data in experiment.live_trainings(0).values():
            experiment.fit(replace(recipe, steps=3), data, 0, progress=False)

    with pytest.raises(ValueError, match="expected"):
        trained()


# ------------------------------------------------------------- troubles that users of similar courses had
# Others of their kind stand with what they are about: caches in test_cache, images in test_images, sounds in
# test_recordings, shards, columns, the hub and its settings in test_real, spellings in test_text.

SEARCHES = (greedy_search, partial(beam_search, beam_size=3))


@pytest.mark.parametrize("search", SEARCHES, ids=["greedy", "beam"])
def test_attention_of_a_translated_batch_is_as_wide_as_each_source(search):
    batch = make_pair_batch([([5] * length, [6]) for length in (7, 2, 4)])
    found = search(tiny_model("rnn-search"), batch.source, batch.source_mask, begin=BEGIN, end=END, max_length=5)
    assert [one.attention_weights.shape[1] for one in found] == [7, 2, 4]
    for one, length in zip(found, (7, 2, 4), strict=True):
        rows = [f"row {number}" for number in range(len(one.attention_weights))]
        explore_alignment(one.attention_weights.float(), ["word"] * length, rows, title="a plot of it")


@pytest.mark.parametrize("search", SEARCHES, ids=["greedy", "beam"])
def test_nothing_is_written_with_weights_that_are_not_numbers(search):
    model, batch = tiny_model("rnn-search"), make_pair_batch([([5, 6], [7])])
    with torch.no_grad():
        next(model.readout.parameters()).fill_(torch.nan)
    with pytest.raises(FloatingPointError, match=r"step 1: .* \(NaN\); expected numbers. .*load it again"):
        search(model, batch.source, batch.source_mask, begin=BEGIN, end=END, max_length=5)


@pytest.mark.parametrize("shape", [(2, 3, 60, 60), (60, 60), (1, 60, 60)], ids=["colours", "no batch", "no channel"])
def test_images_of_another_shape_are_refused_with_the_way_to_the_right_one(shape):
    for model in (RecurrentAttentionModel(), *(build() for build in GLIMPSING.values() if build is not None)):
        if hasattr(model, "trace"):
            with pytest.raises(ValueError, match=r"images has shape .*; expected \(batch, 1, "):
                model.trace(torch.zeros(shape))
    with pytest.raises(ValueError, match=r"images\[None\] for one image .*unsqueeze\(1\) for grey .*keepdim=True"):
        RecurrentAttentionModel().trace(torch.zeros(shape))


@pytest.mark.parametrize(
    ("premise", "hypothesis", "message"),
    [
        (
            "anna paints dogs",
            "anna paints dogs and anna paints dogs",
            "'anna paints dogs and anna .*expected one clause",
        ),
        ("some child paints dogs", "anna paints dogs", "names no child; expected at least one name, such as anna"),
        (
            "anna does not paint two red dogs",
            "anna paints dogs",
            "'anna does not paint two red dogs': .*one aspect only",
        ),
        ("anna paints wugs!", "anna paints dogs", r"the words \['wugs'\] are unknown. Write like"),
    ],
)
def test_what_was_typed_is_answered_in_words(premise, hypothesis, message):
    with pytest.raises(ValueError, match=message) as refused:
        read_pair(premise, hypothesis)
    assert "Paints(" not in str(refused.value)


def test_marks_around_clauses_are_no_words():
    for premise in ("Anna paints tractors!", "“anna paints tractors.”", "anna paints tractors; ben paints dogs"):
        assert read_pair(premise, "Anna paints tractors?").label == "entailment"


@pytest.mark.parametrize("lesson", ["02", "05", "06", "07"])
def test_an_attention_that_is_too_large_to_show_does_not_end_a_box_in_a_traceback(lesson):
    """The functions behind the boxes show it inside a `try` that prints what the explorer says."""
    tree = ast.parse(next((ROOT / "lessons").glob(f"{lesson}_*.py")).read_text(encoding="utf-8"))
    caught = {id(call) for one in ast.walk(tree) if isinstance(one, ast.Try) for call in ast.walk(one)}
    names = ("explain", "try_it", "sum_up")
    [function] = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name in names]
    shown = [one for one in ast.walk(function) if "explore_" in getattr(getattr(one, "func", None), "id", "")]
    assert shown and all(id(call) in caught for call in shown)


def test_line_ends_of_another_system_are_line_ends():
    text = "Read the stations of a service.\n\nThe table has a row for each station, with its name and its place.\n" * 2
    assert clean_docstring(text.replace("\n", "\r\n")) == clean_docstring(text) != "no description"


def test_a_training_goes_on_on_another_device(tmp_path, monkeypatch):
    """There is no second device here: what a GPU wrote asks for its place when it is loaded."""
    path, places, load = tmp_path / "training.ckpt", [], torch.load
    save_training_checkpoint(path, {}, {"model": {"w": torch.ones(3)}})
    monkeypatch.setattr(torch, "load", lambda *given, **how: places.append(how["map_location"]) or load(*given, **how))
    restore_rng_state(load_training_checkpoint(path, {}))
    assert places == ["cpu"]


def test_no_test_reaches_the_network_unless_asked_to():
    code = "from huggingface_hub import constants; assert constants.HF_HUB_OFFLINE"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
