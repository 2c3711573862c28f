"""Every system that a lesson trains live, with the lesson's own recipe and batches of its own data.

The lesson's `fit` makes model and batches; what it would train with is caught at the door of the training loop. So
nothing of a recipe is written down here a second time.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple
from unittest import mock

import torch
from torch import Tensor, nn

from benchmarks import textbook
from benchmarks.operations import live_trainings
from benchmarks.timing import compare, growth_rows, peak_bytes, take_turns, training_step
from benchmarks.translation import Sizes, search_to_length
from course_utils.data.batching import Batch
from course_utils.training import History
from experiments import recipes

TEXTBOOKS: dict[str, type] = {
    "rnn-encoder-decoder": textbook.TextbookTranslator,
    "rnn-search": textbook.TextbookTranslator,
    "ram": textbook.TextbookGlimpses,
    "soft": textbook.TextbookCaptioner,
    "word-by-word": textbook.TextbookEntailment,
    "location": textbook.TextbookSpeller,
    "abs-attention": textbook.TextbookSummarizer,
}
"""System → the same as a textbook loop."""
LIMITS: dict[str, str | type] = {
    "rnn-search": textbook.TranslatorWithoutAttention,
    "ram": textbook.PlacedGlimpses,
    "soft": "none-mean",
    "word-by-word": "conditional",
    "location": textbook.SpellerWithoutAttention,
    "abs-attention": "abs-bag",
}
"""System → what is left of it without attention: another system of its lesson, or a class around it."""
LARGE = 400
"""Training examples, so that batches are as large as a lesson's."""
SOURCES = {"source": "source_mask", "premise": "premise_mask", "features": "feature_mask"}
"""What a batch may call its source → and its mask."""


class Live(NamedTuple):
    """A system as its lesson trains it: model, a batch, and how to make another system on the same data."""

    lesson: str
    system: str
    model: nn.Module
    batch: tuple
    variant: Callable[[str], nn.Module]


@dataclass(frozen=True)
class Step:
    """One training step of a system.

    Attributes:
        lesson, system: whose.
        examples: in the batch.
        unit: what is counted per second: words, frames, pictures.
        units: of it in the batch.
        seconds: median, of processor time.
        peak_megabytes: most memory of new tensors at one time.
        textbook, limit: how many times as long the textbook loop takes, and how many times as long as without
            attention ours takes: (median, lowest, highest); None where there is none.
        limit_name: what stands for "without attention".
    """

    lesson: str
    system: str
    examples: int
    unit: str
    units: int
    seconds: float
    peak_megabytes: float
    textbook: tuple[float, float, float] | None = None
    limit: tuple[float, float, float] | None = None
    limit_name: str | None = None

    @property
    def units_per_second(self) -> float:
        """Speed of training."""
        return self.units / self.seconds


def live(count: int | None = LARGE) -> Iterator[Live]:
    """Every system that a lesson trains live, untrained, with the largest of its first few batches.

    Args:
        count: of training examples; None = as few as each lesson says.
    """
    for lesson, system, fit, recipe, data in live_trainings(count):

        def variant(name: str, fit=fit, recipe=recipe, data=data) -> nn.Module:
            return caught(fit, replace(recipe, system=name), data)[0]

        yield Live(lesson, system, *caught(fit, recipe, data), variant)


def caught(fit: Callable, recipe, data) -> tuple[nn.Module, tuple]:
    """Make what a recipe would train, without training: the model, in training mode, and a batch."""
    found: list = []

    def take(model: nn.Module, batches: Callable, **options: object) -> History:
        found[:] = [model.train(), max(_first(batches(0), 4), key=units_of)]
        return History()

    with mock.patch.object(recipes, "train", take):
        fit(recipe, data, 0, progress=False)
    return found[0], found[1]


def _first(stream, count: int) -> list:
    return [batch for _, batch in zip(range(count), stream, strict=False)]


def units_of(batch: tuple) -> int:
    """What a batch holds of `unit_of`."""
    if hasattr(batch, "images"):
        return len(batch)
    if hasattr(batch, "premise"):
        return int(batch.premise_mask.sum() + batch.hypothesis_mask.sum())
    return int((batch.feature_mask if hasattr(batch, "features") else batch.target_mask).sum())


def unit_of(batch: tuple) -> str:
    """In what the speed of a training is told."""
    if hasattr(batch, "images"):
        return "canvases" if hasattr(batch, "boxes") else "images"
    if hasattr(batch, "features"):
        return "steps of 40 ms"
    return "words" if hasattr(batch, "premise") else "target words"


def measure_steps(sizes: Sizes) -> list[Step]:
    """Time a training step of every live system, beside its textbook loop and its limit where there is one."""
    steps = []
    for lesson, system, model, batch, variant in live(LARGE if sizes.lesson_rounds > 1 else None):
        contestants = {"ours": model}
        if system in TEXTBOOKS:
            contestants["textbook"] = TEXTBOOKS[system](model)
        if system in LIMITS:
            limit = LIMITS[system]
            contestants["limit"] = variant(limit) if isinstance(limit, str) else limit(model)
        work = {name: training_step(contestant.train()) for name, contestant in contestants.items()}
        seconds = take_turns(work, [(batch,)] * sizes.lesson_rounds)
        ratios = {
            "textbook": compare("", seconds, "textbook", "ours") if "textbook" in seconds else None,
            "limit": compare("", seconds, "ours", "limit") if "limit" in seconds else None,
        }
        spreads = {name: ratio and (ratio.median, ratio.low, ratio.high) for name, ratio in ratios.items()}
        name = LIMITS.get(system)
        steps.append(
            Step(
                lesson=lesson,
                system=system,
                examples=len(batch),
                unit=unit_of(batch),
                units=units_of(batch),
                seconds=statistics.median(seconds["ours"]),
                peak_megabytes=peak_bytes(lambda: work["ours"](batch)) / 1e6,  # noqa: B023
                limit_name=name.__name__ if isinstance(name, type) else name,
                **spreads,
            )
        )
    return steps


def stretched(batch: tuple, examples: int, times: int) -> tuple:
    """A batch of one example, the longest, as often as asked, with its source that many times after itself.

    Args:
        batch: of pairs, premises or utterances.
        examples: in the new batch.
        times: 1 = as long as it is.
    """
    source, mask = _source_of(batch)
    row = int(getattr(batch, mask).sum(dim=1).argmax())
    real = int(getattr(batch, mask)[row].sum())
    fields = {}
    for name, tensor in vars(batch).items():
        chosen = tensor[row : row + 1]
        if name in (source, mask):
            chosen = torch.cat([chosen[:, :real]] * times, dim=1)
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
            rows += [
                {"lesson": lesson, "system": system, **row}
                for row in growth_rows(what, contestants, sizes.growth_rounds)
            ]
    return rows


def measure_decoding(sizes: Sizes) -> list[dict]:
    """Words per second that each lesson's main system writes, a batch at a time: greedily, and with a beam of five."""
    rows = []
    for lesson, system, model, batch, _ in live(LARGE if sizes.lesson_rounds > 1 else None):
        if system not in ("rnn-search", "soft", "location", "abs-attention"):
            continue
        model.eval()
        source, mask = _searchable(batch)
        for name, beam_size in (("greedy", 1), ("beam of 5", 5)):

            def write(beam_size=beam_size, model=model, source=source, mask=mask, batch=batch):
                search_to_length(model, source, mask, batch.target_mask, beam_size)

            seconds = statistics.median(take_turns({name: write}, [()] * sizes.search_rounds)[name])
            words = int(batch.target_mask.sum())
            rows.append(
                {"lesson": lesson, "system": system, "search": name, "examples": len(source), "words": words,
                 "seconds": seconds, "words_per_second": words / seconds}
            )  # fmt: skip
    return rows


def _searchable(batch: tuple) -> tuple[Tensor, Tensor]:
    """Source and mask of a batch as `mechanisms.search` takes them."""
    if hasattr(batch, "images"):
        pixels = batch.images.flatten(1)
        return pixels, torch.ones_like(pixels, dtype=torch.bool)
    source, mask = _source_of(batch)
    return getattr(batch, source), getattr(batch, mask)


def _source_of(batch: Batch) -> tuple[str, str]:
    return next((source, mask) for source, mask in SOURCES.items() if hasattr(batch, source))
