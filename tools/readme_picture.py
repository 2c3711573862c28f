"""Draw the picture of the README from lesson 2's checkpoint: `python -m tools.readme_picture`."""

from course_utils.datasets.parallel import phrase_data
from course_utils.experiments.lesson_02_additive_attention import load_trained
from course_utils.experiments.translation import translate
from course_utils.teaching.plots import house_style, plot_alignment
from tools.project import ROOT

PHRASE_LENGTHS = (9, 16)


def main() -> None:
    house_style()
    data = phrase_data()
    model, _ = load_trained("02-additive-attention", data)
    # The first test phrase of a readable length in which an adjective changes sides: crossing sure links.
    example = next(e for e in data.test[PHRASE_LENGTHS] if _crossings(e.sure) >= 2 and len(e.source) >= 11)
    hypothesis = translate(model, data, [example.source])[0]
    words = data.target_vocabulary.decode(hypothesis.tokens)
    gold = example.possible if tuple(words) == example.target else ()
    weights = hypothesis.attention_weights[: len(words)]
    axes = plot_alignment(
        weights, example.source, words, gold, title="Where the model looked, and where it should have"
    )
    path = ROOT / "docs" / "images" / "alignment.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    axes.figure.savefig(path, dpi=110, bbox_inches="tight", metadata={"Software": None})
    print(path.relative_to(ROOT))


def _crossings(links) -> int:
    ordered = [source for _, source in sorted(links)]
    return sum(later < earlier for earlier, later in zip(ordered, ordered[1:], strict=False))


if __name__ == "__main__":
    main()
