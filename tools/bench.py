"""How fast is the readable decoder? Ratios measured in one run, on one thread, in CPU time.

    python -m tools.bench            the table, and data/results/bench.json
    python -m tools.bench --quick    a smaller one in seconds, to see that everything runs

Contestants take turns on the same batches, and a ratio is taken within a turn, so that other work on the
machine slows both sides. The table gives the median and, in brackets, the lowest and highest turn.
"""

import argparse
import json
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor, nn

from course_utils.datasets.text import BEGIN, END, PairBatch, make_pair_batch
from course_utils.mechanisms.recurrent import GRUDecoder
from course_utils.mechanisms.search import beam_search, greedy_search
from course_utils.models.translation import RNNsearch
from tools.bench_peer import REQUIREMENT, PeerUnavailable, build_peer, load_peer
from tools.project import ROOT
from tools.textbook_rnnsearch import TextbookRNNsearch


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


QUICK = Sizes(
    48, 96, 24, 500, rounds=3, search_batch=4, search_rounds=1,
    growth_batch=8, growth_lengths=(5, 10), growth_batches=(4, 8), growth_vocabularies=(250, 500),
)  # fmt: skip


@dataclass(frozen=True)
class Ratio:
    """One line of the table: `slower` seconds over `faster` seconds, turn by turn."""

    name: str
    over: str
    under: str
    over_seconds: float
    under_seconds: float
    median: float
    low: float
    high: float
    at_least: bool
    target: float

    @property
    def reached(self) -> bool:
        return self.median >= self.target if self.at_least else self.median <= self.target


class WithoutAttention(RNNsearch):
    """The same encoder, readout and loss; one `nn.GRU` call with a fixed context in place of the loop."""

    def __init__(self, vocabulary: int, embedding: int, hidden: int) -> None:
        super().__init__(vocabulary, vocabulary, embedding, hidden)
        self.decoder = GRUDecoder(embedding, hidden, 2 * hidden)

    def start(self, source: Tensor, source_mask: Tensor) -> tuple[Tensor, Tensor]:
        encoded = self.encoder(self.embed_source(source), source_mask)
        average = encoded.outputs.sum(dim=1) / source_mask.sum(dim=1, keepdim=True)
        return average, torch.tanh(self.initial(encoded.backward_first))


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


def random_batch(count: int, vocabulary: int, seed: int) -> PairBatch:
    """Random words; lengths about those of Multi30k, N(13, 4) within 4 … 40, target near source."""
    draw = random.Random(seed)

    def sentence(length: float) -> list[int]:
        return [draw.randrange(4, vocabulary) for _ in range(min(40, max(4, round(length))))]

    lengths = [draw.gauss(13, 4) for _ in range(count)]
    return make_pair_batch([(sentence(length), sentence(length + draw.gauss(0, 2))) for length in lengths])


def training_step(model: nn.Module) -> Callable[[PairBatch], None]:
    """Forward, backward, clipping and Adam: the same for every contestant."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def step(batch: PairBatch) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(batch)
        (loss if isinstance(loss, Tensor) else loss.mean).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def take_turns(contestants: dict[str, Callable], turns: list[tuple]) -> dict[str, list[float]]:
    """CPU seconds of every contestant in every turn, after one turn that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number, arguments in enumerate([turns[0], *turns]):
        for name, contestant in contestants.items():
            before = time.process_time()
            contestant(*arguments)
            if number > 0:
                seconds[name].append(time.process_time() - before)
    return seconds


def compare(
    name: str, seconds: dict[str, list[float]], over: str, under: str, *, at_least: float = 0.0, at_most: float = 0.0
) -> Ratio:
    """Divide turn by turn."""
    turns = [a / b for a, b in zip(seconds[over], seconds[under], strict=True)]
    return Ratio(
        name, over, under, statistics.median(seconds[over]), statistics.median(seconds[under]),
        statistics.median(turns), min(turns), max(turns), at_least > 0, at_least or at_most,
    )  # fmt: skip


def measure_training(sizes: Sizes, peer: nn.Module | None) -> list[Ratio]:
    """Ours against the textbook loop, the peer, and no attention at all."""
    models = {
        "ours": RNNsearch(sizes.vocabulary, sizes.vocabulary, sizes.embedding, sizes.hidden),
        "textbook": TextbookRNNsearch(sizes.vocabulary, sizes.embedding, sizes.hidden),
        "one nn.GRU call": WithoutAttention(sizes.vocabulary, sizes.embedding, sizes.hidden),
    }
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


def measure_search(sizes: Sizes) -> list[Ratio]:
    """A whole batch against one sentence at a time."""
    model = RNNsearch(sizes.vocabulary, sizes.vocabulary, sizes.embedding, sizes.hidden).eval()
    ratios = []
    for name, search, options, target in (
        ("greedy search", greedy_search, {}, 8.0),
        ("beam search, 5 wide", beam_search, {"beam_size": 5}, 2.5),
    ):

        def together(batch, search=search, options=options):
            forced = ForcedLengths(model, batch.target_mask.sum(dim=1) - 1)
            found = search(forced, batch.source, batch.source_mask, begin=BEGIN, end=END, max_length=60, **options)
            if not all(hypothesis.ended for hypothesis in found):
                raise RuntimeError("a sentence did not end at its length; the timing would mean nothing")

        def one_at_a_time(batch, together=together):
            for row in range(len(batch.source)):
                length = int(batch.source_mask[row].sum())
                alone = PairBatch(*(tensor[row : row + 1] for tensor in batch))
                together(alone._replace(source=alone.source[:, :length], source_mask=alone.source_mask[:, :length]))

        turns = [(random_batch(sizes.search_batch, sizes.vocabulary, 100 + r),) for r in range(sizes.search_rounds)]
        seconds = take_turns({"one at a time": one_at_a_time, "batch": together}, turns)
        ratios.append(compare(f"{name}: one at a time / batch", seconds, "one at a time", "batch", at_least=target))
    return ratios


def measure_growth(sizes: Sizes) -> list[dict]:
    """Training step of ours when one thing grows: the length of source and target, the batch, the vocabulary."""
    length, batch_size, vocabulary = sizes.growth_lengths[1], sizes.growth_batch, sizes.vocabulary
    grown = {
        "length": {value: (value, batch_size, vocabulary) for value in sizes.growth_lengths},
        "batch": {value: (length, value, vocabulary) for value in sizes.growth_batches},
        "vocabulary": {value: (length, batch_size, value) for value in sizes.growth_vocabularies},
    }
    rows = []
    for what, settings in grown.items():
        contestants = {str(value): _one_step(sizes, *setting) for value, setting in settings.items()}
        seconds = take_turns(contestants, [()] * sizes.growth_rounds)
        shortest = statistics.median(next(iter(seconds.values())))
        for value in settings:
            turns = seconds[str(value)]
            median = statistics.median(turns)
            rows.append(
                {"grows": what, "value": value, "seconds": median, "relative": median / shortest, "low": min(turns),
                 "high": max(turns)}
            )  # fmt: skip
    return rows


def _one_step(sizes: Sizes, length: int, batch_size: int, vocabulary: int) -> Callable[[], None]:
    """A training step on a batch whose sources and targets all have one length."""
    step = training_step(RNNsearch(vocabulary, vocabulary, sizes.embedding, sizes.hidden))
    draw = random.Random(0)
    words = [[draw.randrange(4, vocabulary) for _ in range(length)] for _ in range(2 * batch_size)]
    batch = make_pair_batch(list(zip(words[::2], words[1::2], strict=True)))
    return lambda: step(batch)


def table(ratios: list[Ratio], growth: list[dict], sizes: Sizes, judge: bool) -> Iterator[str]:
    yield (
        f"One thread, CPU time; embedding {sizes.embedding}, hidden {sizes.hidden}, vocabulary {sizes.vocabulary:,}; "
        f"batch {sizes.batch} for training, {sizes.search_batch} for search."
    )
    yield f"{'what':44}{'CPU seconds':>20}{'ratio':>8}  {'lowest-highest':16}{'target':>8}  verdict"
    for ratio in ratios:
        times = f"{ratio.over_seconds:.3f} / {ratio.under_seconds:.3f}"
        spread = f"({ratio.low:.2f}-{ratio.high:.2f})"
        target = f"{'≥' if ratio.at_least else '≤'} {ratio.target:.2f}"
        verdict = ("reached" if ratio.reached else "MISSED") if judge else "not judged at this size"
        yield f"{ratio.name:44}{times:>20}{ratio.median:>8.2f}  {spread:16}{target:>8}  {verdict}"
    yield ""
    shared = f"batch {sizes.growth_batch}, {sizes.growth_lengths[1]} words, vocabulary {sizes.vocabulary:,}"
    yield f"Growth of our training step, one thing at a time ({shared}):"
    yield f"{'what grows':12}{'to':>8}{'CPU seconds':>14}{'times the first':>18}"
    for row in growth:
        yield f"{row['grows']:12}{row['value']:>8}{row['seconds']:>14.3f}{row['relative']:>18.2f}"


def main(arguments: list[str] | None = None) -> dict:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, few turns; writes no file unless told where")
    parser.add_argument("--no-peer", action="store_true", help="leave the d2l package out: nothing is downloaded")
    parser.add_argument("--output", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args(arguments)
    sizes = QUICK if options.quick else Sizes()
    output = options.output or (None if options.quick else ROOT / "data" / "results" / "bench.json")
    started, threads = time.perf_counter(), torch.get_num_threads()
    versions = {"python": platform.python_version(), "torch": metadata.version("torch")}
    torch.set_num_threads(1)
    torch.manual_seed(0)
    try:
        peer = None
        if options.no_peer:
            print("Without the peer d2l, as asked.")
        else:
            try:
                folder = ROOT / "build" / "bench-peer"
                peer = build_peer(load_peer(folder), sizes.vocabulary, sizes.embedding, sizes.hidden)
                versions["d2l"] = next(metadata.distributions(name="d2l", path=[str(folder)])).version
            except PeerUnavailable as reason:
                print(f"Without the peer d2l: {reason}. Is the package registry reachable?")
        print(f"Measuring on one thread; this takes {'seconds' if options.quick else 'up to four minutes'} ...")
        ratios = measure_training(sizes, peer) + measure_search(sizes)
        growth = measure_growth(sizes)
    finally:
        torch.set_num_threads(threads)
    print("\n".join(table(ratios, growth, sizes, judge=not options.quick)))
    results = {
        "command": "python -m tools.bench" + " --quick" * options.quick,
        "peer": REQUIREMENT if peer is not None else None,
        "versions": versions,
        "seconds": round(time.perf_counter() - started, 1),
        "sizes": asdict(sizes),
        "ratios": [asdict(ratio) | {"reached": ratio.reached} for ratio in ratios],
        "growth": growth,
    }
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        print(f"Written to {output.relative_to(ROOT) if output.is_relative_to(ROOT) else output}.")
    return results


if __name__ == "__main__":
    main()
