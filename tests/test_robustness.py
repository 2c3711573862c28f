"""Training at its edges, for every system of the course: one example, length one, one word, no example, NaN, a stop.

Each edge either simply works or ends in a message that says what was wrong; the weights stay finite in both cases.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from test_glimpse_models import MODELS as GLIMPSING
from torch import nn

from course_utils.data.batching import Batch, make_pair_batch
from course_utils.data.text import BEGIN, END
from course_utils.lessons import find_lessons
from course_utils.mechanisms.search import greedy_search
from course_utils.models import captioning, entailment, speech, summarization, translation
from course_utils.training import seed_everything, train
from experiments.runner import find_experiment

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
    images, classes = torch.rand(count, 1, 12, 12), max(1, min(10, words - SPECIAL))
    return Batch(
        images=images,
        labels=torch.randint(classes, (count, 1)),
        boxes=torch.zeros(count, 1, 4, dtype=torch.long),
    )


def _systems() -> Iterator[tuple[str, System]]:
    small = {"embedding_size": 6, "hidden_size": 8}
    for name in translation.SYSTEMS:
        yield (
            f"translation {name}",
            System(
                lambda words, name=name: translation.build_translation_model(
                    name, source_vocabulary_size=words, target_vocabulary_size=words, **small
                ),
                _pairs,
                lambda batch: (batch.source, batch.source_mask),
            ),
        )
    for name, build in GLIMPSING.items():
        yield f"glimpses {name}", System(lambda words, build=build: build(), _canvases)
    for name in captioning.SYSTEMS:
        sizes = {"height": 16, "width": 16, "widths": (6, 8, 8), **small}
        yield (
            f"captions {name}",
            System(
                lambda words, name=name, sizes=sizes: captioning.build_captioner(name, words, **sizes),
                _scenes,
                lambda batch: (batch.images.flatten(1), torch.ones_like(batch.images.flatten(1), dtype=torch.bool)),
            ),
        )
    for name in entailment.SYSTEMS:
        yield (
            f"entailment {name}",
            System(lambda words, name=name: entailment.EntailmentModel(name, words, **small), _inference),
        )
    for name in speech.SYSTEMS:
        yield (
            f"speech {name}",
            System(
                lambda words, name=name: speech.SpeechModel(name, words, feature_size=6, attention_size=5, **small),
                _speech,
                lambda batch: (batch.features, batch.feature_mask),
            ),
        )
    for name in summarization.SYSTEMS:
        yield (
            f"summaries {name}",
            System(
                lambda words, name=name: summarization.build_summarizer(name, words, **small),
                _pairs,
                lambda batch: (batch.source, batch.source_mask),
            ),
        )


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
