"""Draw the figure of the README from lesson 2's checkpoint: `python -m tools.readme_figure`."""

from typing import NamedTuple

from torch import Tensor

from course_utils.data.phrases.parallel import phrase_data
from course_utils.teaching.plots import house_style, plot_alignment
from experiments.lesson_02_additive_attention import load_trained
from experiments.translation import translate
from tools.project import ROOT

PHRASE_LENGTHS = (9, 16)
TITLE = "Where the model looked, and where it should have"


class Translation(NamedTuple):
    """A translated phrase: weights `(target_length, source_length)`, words, and gold links if it is right."""

    weights: Tensor
    source: tuple[str, ...]
    target: list[str]
    gold: tuple[tuple[int, int], ...]


def translated_example() -> Translation:
    """Translate the first test phrase of a readable length in which an adjective changes sides: crossing sure links."""
    data = phrase_data()
    model, _ = load_trained("02-additive-attention", data)
    example = next(e for e in data.test[PHRASE_LENGTHS] if _crossings(e.sure) >= 2 and len(e.source) >= 11)
    hypothesis = translate(model, data, [example.source])[0]
    words = data.target_vocabulary.decode(hypothesis.tokens)
    gold = tuple(example.possible) if tuple(words) == example.target else ()
    return Translation(hypothesis.attention_weights[: len(words)], example.source, words, gold)


def main() -> None:
    house_style()
    example = translated_example()
    axes = plot_alignment(example.weights, example.source, example.target, example.gold, title=TITLE)
    path = ROOT / "docs" / "images" / "alignment.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    axes.figure.savefig(path, dpi=110, bbox_inches="tight", metadata={"Software": None})
    print(path.relative_to(ROOT))


def _crossings(links) -> int:
    ordered = [source for _, source in sorted(links)]
    return sum(later < earlier for earlier, later in zip(ordered, ordered[1:], strict=False))


if __name__ == "__main__":
    main()
