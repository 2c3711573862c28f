"""Lesson 2's readable decoder at the size of Multi30k: against a textbook loop, a peer, and no attention at all.

Also how its training step grows with length, batch and vocabulary, and what searching a whole batch gains.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.textbook import TextbookTranslator, TranslatorWithoutAttention
from benchmarks.timing import compare, growth_rows, take_turns, training_step
from course_utils.data.batching import Batch, make_pair_batch
from course_utils.data.text import BEGIN, END
from course_utils.mechanisms.search import beam_search, greedy_search
from course_utils.models.translation import RNNsearch


@dataclass(frozen=True)
class Sizes:
    """What is measured; the defaults are Multi30k-like."""

    embedding: int = 128
    hidden: int = 256
    batch: int = 128
    vocabulary: int = 6000
    rounds: int = 9
    search_batch: int = 64
    search_rounds: int = 2
    growth_batch: int = 32
    growth_rounds: int = 2
    growth_lengths: tuple[int, ...] = (10, 20, 40, 80, 160)
    growth_batches: tuple[int, ...] = (8, 16, 32, 64, 128)
    growth_vocabularies: tuple[int, ...] = (1500, 3000, 6000, 12000, 24000)
    lesson_rounds: int = 5
    lesson_growth_batch: int = 8


QUICK = Sizes(
    48, 96, 24, 500, rounds=3, search_batch=4, search_rounds=1,
    growth_batch=8, growth_lengths=(5, 10), growth_batches=(4, 8), growth_vocabularies=(250, 500),
    lesson_rounds=1, lesson_growth_batch=2,
)  # fmt: skip


def _model(sizes: Sizes, vocabulary: int | None = None) -> RNNsearch:
    words = vocabulary or sizes.vocabulary
    return RNNsearch(words, words, sizes.embedding, sizes.hidden)


class ForcedLengths:
    """A model whose sentences end when told: an untrained model would end all at once or never."""

    def __init__(self, model: nn.Module, lengths: Tensor) -> None:
        self.model, self.lengths = model, lengths

    def start(self, source: Tensor, source_mask: Tensor):
        memory, state = self.model.start(source, source_mask)
        return memory, (state, self.lengths)

    def step(self, previous_words: Tensor, state, memory):
        inner, left = state
        log_probabilities, inner, weights = self.model.step(previous_words, inner, memory)
        is_end = torch.arange(log_probabilities.shape[1]) == END
        forbidden = is_end != (left == 0).unsqueeze(1)
        return log_probabilities.masked_fill(forbidden, float("-inf")), (inner, left - 1), weights


def search_to_length(
    model: nn.Module, source: Tensor, source_mask: Tensor, target_mask: Tensor, beam_size: int = 1
) -> None:
    """Decode as many words as the references have.

    Raises:
        RuntimeError: if a sentence did not end at its length; the timing would mean nothing.
    """
    forced = ForcedLengths(model, target_mask.sum(dim=1) - 1)
    options = {"begin": BEGIN, "end": END, "max_length": target_mask.shape[1] + 1}
    if beam_size > 1:
        found = beam_search(forced, source, source_mask, beam_size=beam_size, **options)
    else:
        found = greedy_search(forced, source, source_mask, **options)
    if not all(hypothesis.ended for hypothesis in found):
        raise RuntimeError("a sentence did not end at its length; the timing would mean nothing")


def batch_of_lengths(lengths: list[tuple[float, float]], vocabulary: int, rng: random.Random) -> Batch:
    """Random words: a pair for each two lengths, of source and target."""
    words = range(4, vocabulary)
    return make_pair_batch([tuple(rng.choices(words, k=round(length)) for length in pair) for pair in lengths])


def random_batch(count: int, vocabulary: int, seed: int) -> Batch:
    """Random words; lengths about those of Multi30k, N(13, 4) within 4 … 40, target near source."""
    rng = random.Random(seed)
    sources = [rng.gauss(13, 4) for _ in range(count)]
    pairs = [(source, source + rng.gauss(0, 2)) for source in sources]
    return batch_of_lengths([tuple(min(40, max(4, length)) for length in pair) for pair in pairs], vocabulary, rng)


def measure_training(sizes: Sizes, peer: nn.Module | None) -> list[dict]:
    """Ours against the textbook loop, the peer, and no attention at all."""
    ours = _model(sizes)
    models = {"ours": ours, "textbook": TextbookTranslator(ours), "one nn.GRU call": TranslatorWithoutAttention(ours)}
    if peer is not None:
        peer.loss(random_batch(2, sizes.vocabulary, seed=0))  # gives its lazy layers their sizes
        models["d2l"] = peer
    turns = [(random_batch(sizes.batch, sizes.vocabulary, seed),) for seed in range(sizes.rounds)]
    seconds = take_turns({name: training_step(model) for name, model in models.items()}, turns)
    ratios = [compare("training step: textbook loop / ours", seconds, "textbook", "ours", at_least=2.0)]
    if peer is not None:
        ratios.append(compare("training step: d2l / ours", seconds, "d2l", "ours", at_least=1.35))
    ratios.append(compare("training step: ours / no-attention limit", seconds, "ours", "one nn.GRU call", at_most=1.75))
    return ratios


def measure_search(sizes: Sizes) -> list[dict]:
    """A whole batch against one sentence at a time."""
    model = _model(sizes).eval()
    ratios = []
    for name, beam_size, target in (("greedy search", 1, 8.0), ("beam search, 5 wide", 5, 2.5)):

        def together(batch, beam_size=beam_size):
            search_to_length(model, batch.source, batch.source_mask, batch.target_mask, beam_size)

        def one_at_a_time(batch, together=together):
            for row, length in enumerate(batch.source_mask.sum(dim=1).tolist()):
                alone = batch[row : row + 1]
                together(alone.replace(source=alone.source[:, :length], source_mask=alone.source_mask[:, :length]))

        turns = [(random_batch(sizes.search_batch, sizes.vocabulary, 100 + r),) for r in range(sizes.search_rounds)]
        seconds = take_turns({"one at a time": one_at_a_time, "batch": together}, turns)
        ratios.append(compare(f"{name}: one at a time / batch", seconds, "one at a time", "batch", at_least=target))
    return ratios


def measure_growth(sizes: Sizes) -> list[dict]:
    """Training step of ours when one thing grows: the length of source and target, the batch, the vocabulary."""

    def one_step(length=sizes.growth_lengths[1], batch=sizes.growth_batch, vocabulary=sizes.vocabulary) -> Callable:
        step, lengths = training_step(_model(sizes, vocabulary)), [(length, length)] * batch
        pairs = batch_of_lengths(lengths, vocabulary, random.Random(0))
        return lambda: step(pairs)

    grown = {"length": sizes.growth_lengths, "batch": sizes.growth_batches, "vocabulary": sizes.growth_vocabularies}
    rows = []
    for what, values in grown.items():
        rows += growth_rows(what, {value: one_step(**{what: value}) for value in values}, sizes.growth_rounds)
    return rows
