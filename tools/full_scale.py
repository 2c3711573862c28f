"""The page docs/full_scale.md: how to train on several GPUs or machines, and what to expect there.

Nothing is measured: the page reasons from counted operations (data/results/operations.json) and from what cards of
data centres are sold as. `python -m tools.full_scale` writes it; a test compares.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from course_utils.files import write_whole
from course_utils.paths import data_folder
from tools.project import ROOT

PAGE = ROOT / "docs" / "full_scale.md"
COUNTED_EXAMPLES = 8
PAPER_BATCH, UPDATES = 80, 100_000
"""Sentences in a batch of arXiv 1409.0473, and a round number of steps to tell times for."""


@dataclass(frozen=True)
class Card:
    """What a GPU is assumed to do: round numbers for one of a data centre, not measurements.

    Attributes:
        launch: seconds until the next kernel can start; PyTorch calls them one by one.
        operations: floating-point operations a second that a program reaches in matrix products.
        traffic: bytes a second to and from its memory.
        message: seconds that a sum over all cards takes before its first byte arrives.
        link: bytes a second between cards.
    """

    launch: float = 8e-6
    operations: float = 30e12
    traffic: float = 1.5e12
    message: float = 1e-4
    link: float = 100e9


CARD = Card()


@dataclass(frozen=True)
class Work:
    """A counted training step.

    Attributes:
        kernels: calls of kernels, however many examples there are.
        operations, bytes: for one example.
        parameters: numbers that are learned.
    """

    kernels: int
    operations: float
    bytes: float
    parameters: int

    def launching(self, card: Card = CARD) -> float:
        """Seconds that calling the kernels takes."""
        return self.kernels * card.launch

    def computing(self, examples: float, card: Card = CARD) -> float:
        """Seconds that the work itself takes; every new byte is written once and read once."""
        return max(self.operations * examples / card.operations, 2 * self.bytes * examples / card.traffic)

    def seconds(self, examples: float, cards: int = 1, card: Card = CARD) -> float:
        """A step of one batch that so many cards share; the gradient travels to all and back."""
        alone = max(self.launching(card), self.computing(examples / cards, card))
        if cards == 1:
            return alone
        return alone + card.message + 2 * (cards - 1) / cards * 4 * self.parameters / card.link

    def filling(self, card: Card = CARD) -> float:
        """Examples of a batch whose work takes as long as calling the kernels."""
        return self.launching(card) / self.computing(1, card)


def work_of(step: Mapping, parameters: int, examples: int) -> Work:
    """What was counted on so many examples."""
    return Work(step["kernels"], step["operations"] / examples, step["bytes"] / examples, parameters)


RUN = "-m experiments run 02 --seeds 5"
MANY = "--num_machines 2 --num_processes 16 --main_process_ip HOST --main_process_port 29500"
LAUNCHES = (
    ("one GPU", f"`python {RUN}` (a GPU is found by itself)"),
    ("eight GPUs of a machine", f"`accelerate launch --multi_gpu --num_processes 8 {RUN}`"),
    ("two machines with eight each", f"`accelerate launch --multi_gpu {MANY} --machine_rank 0 {RUN}` on the first"),
    ("", "the same with `--machine_rank 1` on the second"),
    ("lower precision", "`--mixed_precision bf16` after `launch`; `fp16`, which needs scaled gradients, is refused"),
    ("batches that do not fit", "`--gradient_accumulation_steps 4` after `launch`"),
)

_HOW = """# Full scale: several GPUs, several machines

The course runs on a laptop. The same commands run on a machine with GPUs, and on many machines. What is on this page
about speed there is **reasoned, not measured**: no GPU was at hand when it was written. The reasoning is shown.

## One training on several processes

Install the extra first: `pip install -e ".[scale]"`. Then

```console
$ export ACCELERATE_USE_CPU=yes
$ accelerate launch --multi_gpu --num_processes 2 -m experiments run 02 --fast --seeds 1
```

tries it on any laptop, in a minute or two: two processes, few steps, nothing is written into `data/results`. (With
`--cpu`, Accelerate starts one process, however many it is asked for. So it is asked for GPUs, and told that there are
none.) For real:

{launches}

`checkpoint` takes the same launch as `run`. Every process holds the whole model, draws the same batches and takes its
share of each; gradients are summed. So a process group of any size follows the loss curve of one process, and no
learning rate has to be found anew. A process group that is killed goes on where it was when the same command is given
again: the training waits in `runs/`.

**What is tested**, on every test run, with two processes on the CPU (`tests/test_process_group.py`): losses and
gradients are those of one process up to rounding, with accumulated gradients too; bf16 stays near; a process group
killed by the system goes on to the very same losses and weights; a precision that would need scaled gradients is
refused. The command above is run as it is written (`tests/test_full_scale.py`). Not tested: NCCL, and more than one
machine.

## Many trainings side by side

Claims are measured over seeds and parts that have nothing to do with each other. That is the better use of many cards.

```console
$ python -m experiments run 02 --fast --seeds 2 --jobs 2
```

measures two at a time, by joblib, on the cores of one machine; `--jobs 1` is the default. On a cluster, Dask's workers
do it (`pip install -e ".[cluster]"`). They share a disk with the course on it. Start a scheduler, then one worker for
each GPU, each seeing only its own:

```
dask scheduler
CUDA_VISIBLE_DEVICES=0 dask worker tcp://HOST:8786 --nworkers 1 --nthreads 1
CUDA_VISIBLE_DEVICES=1 dask worker tcp://HOST:8786 --nworkers 1 --nthreads 1
python -m experiments run 02 --seeds 5 --cluster tcp://HOST:8786
```

Each measurement is written as soon as it is known, whole or not at all. A worker that dies loses its own, and another
one takes it over; a sweep that is killed repeats nothing that is there (`tests/test_sweep.py` kills both).
`--parts NAME …` measures some parts of a lesson and leaves the result to a later run.
"""


def full_scale_page(counted: Mapping) -> str:
    """Write the page."""
    steps = {
        (row["lesson"], row["system"]): work_of(row["step"], row["parameters"], COUNTED_EXAMPLES)
        for row in counted["steps"]
    }
    paper = work_of(counted["paper"]["step"], counted["paper"]["parameters"], counted["paper"]["examples"])
    fullest = min(work.filling() for work in steps.values())
    parts = [
        _HOW.strip().replace("{launches}", _table(("where", "command"), LAUNCHES)),
        "## What to expect",
        f"Assumed of a card, in round numbers: the next kernel starts after {CARD.launch * 1e6:.0f} µs; "
        f"{CARD.operations / 1e12:.0f} TFLOP/s in matrix products; {CARD.traffic / 1e12:.1f} TB/s to and from its "
        f"memory; {CARD.link / 1e9:.0f} GB/s to other cards, {CARD.message * 1e6:.0f} µs after asking. Put in your "
        "card's numbers: `tools/full_scale.py`, `Card`.",
        "A recurrent decoder calls its kernels word by word, and each waits for the one before. So a step takes at "
        "least kernels times the time to start one, and the card is idle most of it, until the batch is so large that "
        "computing takes as long. Counted with `python -m benchmarks.operations`, on a CPU: views are in the count, "
        "which are no kernels on a GPU, and a recurrent layer is counted as what a CPU makes of it. Take the times as "
        "rough.",
        _table(
            ("lesson", "system", "kernels a step", "MFLOP an example", "a step takes at least",
             "batch that fills a card"),
            map(_line, steps, steps.values()),
        ),
        f"The batches of the lessons ([speed](speed.md) lists them) are smaller than the {fullest:,.0f} examples that "
        "fill a card at the least. So **at the lessons' sizes one GPU is bound by its launches, and eight are not "
        "faster than one**: each has as many kernels to call, and then waits for the others. Measure seeds side by "
        "side instead: eight GPUs, eight seeds.",
        "### At the paper's size",
        _paper(counted["paper"], paper),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))


def _line(name: tuple[str, str], work: Work) -> tuple[str, ...]:
    lesson, system = name
    return (
        lesson,
        f"`{system}`",
        f"{work.kernels:,}",
        f"{work.operations / 1e6:,.1f}",
        f"{1e3 * work.launching():.1f} ms",
        f"{work.filling():,.0f}",
    )


def _paper(counted: Mapping, work: Work) -> str:
    sizes, message = counted["sizes"], 1e3 * (work.seconds(1, cards=8) - work.seconds(1))
    rows = []
    for examples in (PAPER_BATCH, 8 * PAPER_BATCH, 64 * PAPER_BATCH):
        one, eight = work.seconds(examples), work.seconds(examples, cards=8)
        hours = f"{UPDATES * one / 3600:.0f} and {UPDATES * eight / 3600:.0f} hours"
        rows.append((f"{examples:,}", f"{one:.2f} s", f"{eight:.2f} s", f"{one / eight:.1f} times", hours))
    table = _table(("batch", "one card", "eight cards", "faster by", f"{UPDATES:,} steps"), rows)
    return (
        f"RNNsearch with {sizes['hidden_size']:,} hidden units, embeddings of {sizes['embedding_size']} and "
        f"{sizes['vocabulary']:,} words, on sentences of {sizes['words']} words: "
        f"{counted['parameters'] / 1e6:.0f} million numbers, {work.kernels:,} kernels and "
        f"{work.operations / 1e9:.1f} GFLOP for an example. A card is full at {work.filling():,.0f} sentences; the "
        f"paper's batch has {PAPER_BATCH}.\n\n{table}\n\nA gradient is {4 * work.parameters / 1e6:.0f} MB, and travels "
        f"in {message:.0f} ms. Eight cards pay where the batch is large enough to fill each of them. A larger batch "
        "wants fewer steps and a larger learning rate; nobody has tried here which."
    )


def write() -> None:
    """Bring the page up to date with the stored counts."""
    counted = json.loads((data_folder("results") / "operations.json").read_text(encoding="utf-8"))
    write_whole(PAGE, full_scale_page(counted).encode())


if __name__ == "__main__":
    write()
    sys.exit(0)
