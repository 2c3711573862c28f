"""Words over words: which source words a target word attends to."""

from collections.abc import Iterable, Sequence

import numpy
from numpy.typing import ArrayLike

from course_utils.teaching.explorer.checked import as_links, as_weights, as_words
from course_utils.teaching.explorer.page import Explorer, Target, assemble, chip, choices, escape, live, number, quoted

_NAMED_FROM = 0.05
"""Weights from here on are named in words, the three largest of them."""


def _names(words: Sequence[str]) -> list[str]:
    """Return each word in quotation marks, with its place where it occurs more than once."""
    return [quoted(w) + f" (word {place})" * (words.count(w) > 1) for place, w in enumerate(words, start=1)]


def largest(weights: numpy.ndarray, most: int = 3) -> list[int]:
    """Return the places of the largest weights that are worth naming, largest first; always at least one."""
    order = numpy.argsort(-weights, kind="stable")[:most]
    return [int(place) for rank, place in enumerate(order) if rank == 0 or weights[place] >= _NAMED_FROM]


def explore_alignment(
    attention_weights: ArrayLike,
    source_words: Sequence[str],
    target_words: Sequence[str],
    gold: Iterable[tuple[int, int]] = (),
    *,
    title: str,
    source_name: str = "source",
    target_name: str = "target",
) -> Explorer:
    """Let the reader choose a target word and see the source words light up in proportion.

    Args:
        attention_weights: `(target_length, source_length)`, 0 to 1; a row of NaN = a masked target without weights.
        source_words: one per column.
        target_words: one per row (the end symbol too if its row is there).
        gold: (target index, source index) links; shown when the reader switches them on.
        title: the finding.
        source_name: what the source words are, such as "French" or "premise".
        target_name: what the target words are.

    Raises:
        ValueError: if the words do not fit the weights, a weight is no share, or the HTML is too large.
    """
    sources, targets = as_words(source_words, "source_words"), as_words(target_words, "target_words")
    weights = as_weights(
        attention_weights, (len(targets), len(sources)),
        ("one row per target word", "one column per source word"),
    )  # fmt: skip
    links = as_links(gold, len(targets), len(sources))
    names, target_names = _names(sources), _names(targets)
    chosen = []
    for row, word in enumerate(targets):
        truth = sorted(source for target, source in links if target == row)
        properties = {f"g{source}": "1" for source in truth}
        if numpy.isnan(weights[row]).any():
            chosen.append(Target.without_weights(word, target_names[row], properties))
            continue
        places = largest(weights[row])
        looks = ", ".join(f"{names[place]} {weights[row, place]:.2f}" for place in places)
        said = ""
        if truth:
            share = weights[row, truth].sum()
            said = f"Truth: {', '.join(names[place] for place in truth)}; {share:.2f} of the attention lies there."
        elif links:
            said = "Truth: it comes from no source word."
        lit = {f"s{place}": number(value) for place, value in enumerate(weights[row]) if value >= 0.005}
        image = " ".join(chip(f"{sources[place]} {weights[row, place]:.2f}", weights[row, place]) for place in places)
        chosen.append(Target(word, f"{target_names[row]} looks at {looks}.", said, lit | properties, image))
    chips = "".join(
        f'<span class="s" style="--w:var(--s{place},0);--g:var(--g{place},0)"><b>{escape(word) or "&nbsp;"}</b></span>'
        for place, word in enumerate(sources)
    )
    written = f'<p class="row-name below">{escape(target_name)}: what was written, word by word</p>'
    stage = live(
        f'<p class="row-name">{escape(source_name)}: what was read</p><div class="sources">{chips}</div>'
        + choices(chosen, f"{target_name} words", written),
        "rows",
    )
    return assemble(
        "words", title=title, stage=stage, targets=chosen,
        columns=(f"{target_name} word", f"looks at {source_name} words"),
        hint="Point at a word below, or press Tab and then the arrow keys: the words it looked at light up.",
        scale='attention weight <i class="ramp"></i> 0 to 1', gold_name="show the gold alignment" if links else "",
    )  # fmt: skip
