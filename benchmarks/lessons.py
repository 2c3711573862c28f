"""Every system that a lesson trains live, with the lesson's own recipe and batches of its own data.

The lesson's `fit` makes model and batches; what it would train with is intercepted at the call of the training loop.
So nothing of a recipe is written down here a second time.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import NamedTuple
from unittest import mock

import torch
from torch import Tensor, nn

from benchmarks.operations import live_trainings
from benchmarks.textbook import LIMITS, TEXTBOOKS
from benchmarks.timing import compare, growth_rows, peak_bytes, take_turns, training_step
from benchmarks.translation import Sizes, search_to_length
from course_utils.data.batching import Batch
from course_utils.training import History
from experiments import recipes

LARGE = 400
"""Training examples, so that batches are as large as a lesson's."""
SOURCES = {"source": "source_mask", "premise": "premise_mask", "features": "feature_mask"}
"""What a batch may call its source → and its mask."""


class Live(NamedTuple):
    """A system as its lesson trains it: model, a batch, and how to make another system on the same data."""

    lesson: str
    system: str
    model: nn.Module
    batch: Batch
    variant: Callable[[str], nn.Module]


def live(count: int | None = LARGE) -> Iterator[Live]:
    """Every system that a lesson trains live, untrained, with the largest of its first few batches.

    Args:
        count: of training examples; None = as few as each lesson says.
    """
    for lesson, system, fit, recipe, data in live_trainings(count):

        def variant(name: str, fit=fit, recipe=recipe, data=data) -> nn.Module:
            return intercepted(fit, replace(recipe, system=name), data)[0]

        yield Live(lesson, system, *intercepted(fit, recipe, data), variant)


def intercepted(fit: Callable, recipe, data) -> tuple[nn.Module, Batch]:
    """Make what a recipe would train, without training: the model, in training mode, and a batch."""
    found: list = []

    def take(model: nn.Module, batches: Callable, **options: object) -> History:
        found[:] = [model.train(), max(islice(batches(0), 4), key=lambda batch: amount(batch)[0])]
        return History()

    with mock.patch.object(recipes, "train", take):
        fit(recipe, data, 0, progress=False)
    return found[0], found[1]


def amount(batch: Batch) -> tuple[int, str]:
    """What a batch holds, in the unit in which the speed of its training is given."""
    if hasattr(batch, "images"):
        return len(batch), "canvases" if hasattr(batch, "boxes") else "images"
    if hasattr(batch, "premise"):
        return int(batch.premise_mask.sum() + batch.hypothesis_mask.sum()), "words"
    if hasattr(batch, "features"):
        return int(batch.feature_mask.sum()), "steps of 40 ms"
    return int(batch.target_mask.sum()), "target words"


def measure_steps(sizes: Sizes) -> list[dict]:
    """Time a training step of every live system, beside its textbook loop and its limit where there is one.

    `seconds` is the median of processor time; `textbook` (÷ ours) and `limit` (ours ÷ without attention) are median,
    lowest and highest ratio, None where there is no such contestant.
    """
    steps = []
    for lesson, system, model, batch, variant in live(LARGE if sizes.lesson_rounds > 1 else None):
        contestants, limit = {"ours": model}, LIMITS.get(system)
        if system in TEXTBOOKS:
            contestants["textbook"] = TEXTBOOKS[system](model)
        if limit is not None:
            contestants["limit"] = variant(limit) if isinstance(limit, str) else limit(model)
        work = {name: training_step(contestant.train()) for name, contestant in contestants.items()}
        seconds = take_turns(work, [(batch,)] * sizes.lesson_rounds)
        row: dict[str, object] = {"lesson": lesson, "system": system, "examples": len(batch)}
        row["units"], row["unit"] = units, _ = amount(batch)
        row["seconds"] = median = statistics.median(seconds["ours"])
        row["units_per_second"] = units / median
        row["peak_megabytes"] = peak_bytes(lambda: work["ours"](batch)) / 1e6  # noqa: B023
        for name, pair in (("textbook", ("textbook", "ours")), ("limit", ("ours", "limit"))):
            ratio = compare("", seconds, *pair) if name in seconds else None
            row[name] = ratio and [ratio[key] for key in ("median", "low", "high")]
        row["limit_name"] = limit.__name__ if isinstance(limit, type) else limit
        steps.append(row)
    return steps


def stretched(batch: Batch, examples: int, times: int) -> Batch:
    """A batch of one example, the longest, as often as asked, with its source that many times after itself.

    Args:
        batch: of pairs, premises or utterances.
        examples: in the new batch.
        times: 1 = as long as it is.
    """
    names = _source_of(batch)
    mask = getattr(batch, names[1])
    row = int(mask.sum(dim=1).argmax())
    fields = {}
    for name, tensor in vars(batch).items():
        chosen = tensor[row : row + 1]
        if name in names:
            chosen = torch.cat([chosen[:, : int(mask[row].sum())]] * times, dim=1)
        fields[name] = chosen.expand(examples, *chosen.shape[1:]).contiguous()
    return Batch(**fields)


def measure_lesson_growth(sizes: Sizes) -> list[dict]:
    """Training steps with sources two and four times as long, and with batches so much larger."""
    rows = []
    for lesson, system, model, batch, _ in live(None):
        if system not in ("rnn-search", "word-by-word", "location", "abs-attention"):
            continue
        step, count = training_step(model), sizes.lesson_growth_batch
        grown = {
            "source": {times: stretched(batch, count, times) for times in (1, 2, 4)},
            "batch": {times: stretched(batch, count * times, 1) for times in (1, 2, 4)},
        }
        for what, batches in grown.items():
            contestants = {times: (lambda grown=grown, step=step: step(grown)) for times, grown in batches.items()}
            found = growth_rows(what, contestants, sizes.growth_rounds)
            rows += [{"lesson": lesson, "system": system, **row} for row in found]
    return rows


def measure_decoding(sizes: Sizes) -> list[dict]:
    """Words per second that each lesson's main system generates, a batch at a time: greedily, with a beam of five."""
    rows = []
    for lesson, system, model, batch, _ in live(LARGE if sizes.lesson_rounds > 1 else None):
        if system not in ("rnn-search", "soft", "location", "abs-attention"):
            continue
        model.eval()
        source, mask = _searchable(batch)
        words = int(batch.target_mask.sum())
        for name, beam_size in (("greedy", 1), ("beam of 5", 5)):
            turns = [(model, source, mask, batch.target_mask, beam_size)] * sizes.search_rounds
            seconds = statistics.median(take_turns({name: search_to_length}, turns)[name])
            row = {"lesson": lesson, "system": system, "search": name, "examples": len(source), "words": words}
            rows.append({**row, "seconds": seconds, "words_per_second": words / seconds})
    return rows


def _searchable(batch: Batch) -> tuple[Tensor, Tensor]:
    """Source and mask of a batch as `mechanisms.search` takes them."""
    if hasattr(batch, "images"):
        pixels = batch.images.flatten(1)
        return pixels, torch.ones_like(pixels, dtype=torch.bool)
    source, mask = _source_of(batch)
    return getattr(batch, source), getattr(batch, mask)


def _source_of(batch: Batch) -> tuple[str, str]:
    return next((source, mask) for source, mask in SOURCES.items() if hasattr(batch, source))
