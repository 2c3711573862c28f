"""What the first page shows that is made anew: the explorer, the ways to begin, how many claims hold."""

from collections import Counter

from course_utils.teaching.explorer import Explorer, explore_alignment
from experiments.claims import VERDICTS
from experiments.report import results
from tools.generated_cells import launch_addresses
from tools.project import Project
from tools.readme_figure import translated_example

FIRST = "00_start_here"


def landing_explorer() -> Explorer:
    """Translate the README's phrase and say in the title how many of its words looked at a right place.

    Raises:
        course_utils.checkpoints.CheckpointError: if the checkpoint is missing or does not fit.
    """
    example = translated_example()
    links = {(row, int(weights.argmax())) for row, weights in enumerate(example.weights)}
    right = len(links & set(example.gold))
    title = f"{right} of {len(example.target)} English words looked at a French word that they come from"
    return explore_alignment(
        example.weights, example.source, example.target, example.gold,
        title=title, source_name="French", target_name="English",
    )  # fmt: skip


def ways_to_begin(project: Project) -> str:
    """HTML around Markdown: three ways to begin, from the repository's address."""
    colab, binder = launch_addresses(project, FIRST)
    return f"""<div class="ways">
<div>

**On your machine**

```console
$ make lab
```

in a fresh clone, with Python 3.11 or newer. After that no internet is needed.

</div>
<div>

**In Colab**

[Open lesson 0 in Colab]({colab}). Nothing to install; you need a Google account.

</div>
<div>

**In Binder**

[Open lesson 0 in Binder]({binder}). Nothing to install, no account; it starts in a few minutes.

</div>
</div>
"""


def claims_in_a_sentence() -> str:
    """Markdown: how many claims were measured, and how many have each verdict."""
    found = Counter(entry["verdict"] for result in results() for entry in result["claims"])
    hold, *others = (f"{found[name]} {name}" for name in VERDICTS)
    return f"Of {found.total()} comparisons, {hold.replace('holds', 'hold')}; {', '.join(others)}."
