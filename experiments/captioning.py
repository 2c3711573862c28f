"""What the experiments of lesson 4 share: training a captioning model, and evaluating its captions and attention."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.data.batching import Batch, make_target_batch
from course_utils.data.scenes.data import SceneData, SceneExample, scene_data
from course_utils.mechanisms.search import Hypothesis
from course_utils.models.captioning import Captioner, SoftCaptioner, build_captioner, coverage_penalty
from course_utils.training import History
from experiments.evaluate import TextScore, mean_loss, named, padded_off, search
from experiments.recipes import PlainRecipe, train_recipe

MOST_WORDS = 70
"""Longest caption that a search may write; the longest true ones of four groups are shorter."""
FUNCTION_WORDS = ("the", "of", "to", "and", "there", "which", ",", ":")
"""Words that name nothing in the image: neither objects nor numbers, sizes, colours, places or directions."""
SPLIT_LABELS = {"test": "seen", "unseen pairs": "unseen"}
"""How metrics name the two tests: by whether the pairs of kinds met in training."""

_HARD_OPTIONS = ("policy_weight", "entropy_weight", "discount", "expected_share")
_SECOND_STAGE = 100  # added to the seed of the scenes that follow soft attention


@dataclass(frozen=True)
class Recipe(PlainRecipe):
    """A recipe for a captioner.

    Attributes:
        groups: fewest and most groups in a scene, 2 to 4.
        soft_steps, soft_learning_rate: with soft attention before the `steps` of a hard model that is not given a soft
            one.
        fresh: sample new scenes all the time; False = use the data's own training scenes again and again, in which no
            time goes into drawing. Real images are always used again.
    """

    groups: tuple[int, int] = (2, 2)
    soft_steps: int = 0
    soft_learning_rate: float = 3e-3
    fresh: bool = True

    def shortened(self, share: float) -> "Recipe":
        """The same with a share of the steps of each stage, at least one."""
        soft_steps = max(1, round(self.soft_steps * share)) if self.soft_steps else 0
        return replace(super().shortened(share), soft_steps=soft_steps)

    def soft_stage(self) -> "Recipe":
        """The recipe of the soft model that a hard one starts from."""
        options = tuple((name, value) for name, value in self.options if name not in _HARD_OPTIONS)
        changes = {"steps": self.soft_steps, "learning_rate": self.soft_learning_rate, "soft_steps": 0}
        return replace(self, system="soft", options=options, **changes)

    def configuration(self) -> dict:
        """The recipe as plain values, for cards and results."""
        return {**super().configuration(), "groups": list(self.groups)}


@lru_cache(maxsize=4)
def scenes_of(groups: tuple[int, int] = (2, 2), train_count: int = 100, test_count: int = 500) -> SceneData:
    """Load the scenes that models of these groups are tested on; few for training, if those are sampled as needed."""
    return scene_data(train_count, test_count, groups=groups)


def build_model(recipe: Recipe, vocabulary_size: int, canvas: int = 64) -> Captioner:
    """Make the recipe's model for square images of `canvas` pixels, untrained."""
    options = {name: tuple(v) if isinstance(v, list) else v for name, v in recipe.options}
    return build_captioner(recipe.system, vocabulary_size, height=canvas, width=canvas, **options)


def fit(
    recipe: Recipe,
    data: SceneData,
    seed: int = 0,
    *,
    start_from: SoftCaptioner | None = None,
    progress: bool = True,
    time_limit_seconds: float | None = None,
    **options,
) -> tuple[Captioner, History]:
    """Train a recipe on scenes of its groups, or on real images.

    Args:
        recipe: what to train and how.
        data: made with the recipe's groups.
        seed: initial weights, scenes, order, and sampled cells.
        start_from: a trained soft model whose weights a hard or soft one takes over; None = train one first if the
            recipe has `soft_steps`, or start from new weights.
        progress, time_limit_seconds: see `training.train`; for each stage.
        options: further arguments of `training.train`, for the last stage.

    Returns:
        The model, and what happened: losses and seconds of both stages if there are two.

    Raises:
        ValueError: if the data has other groups than the recipe, a vector is to start from a model with attention,
            or a soft recipe has a soft stage before it.
    """
    if data.groups not in (None, tuple(recipe.groups)):
        raise ValueError(
            f"data has groups {data.groups} and the recipe {recipe.groups}; expected the same. "
            "Use scenes_of(recipe.groups)."
        )
    if recipe.system not in ("soft", "hard") and start_from is not None:
        raise ValueError(f"system is {recipe.system!r}; only a model with attention can start from a soft one.")
    if recipe.system != "hard" and recipe.soft_steps:
        raise ValueError(f"system is {recipe.system!r} with soft_steps; only a hard model has a soft stage first.")
    first = History()
    limits = {"progress": progress, "time_limit_seconds": time_limit_seconds}
    if recipe.soft_steps and start_from is None:
        start_from, first = fit(recipe.soft_stage(), data, seed, **limits)

    def build() -> Captioner:
        model = build_model(recipe, len(data.vocabulary), data.train[0].image.shape[-1])
        return model if start_from is None else model.start_from(start_from)

    batches = (data.fresh_batches if recipe.fresh and data.draw else data.batches)(
        recipe.batch_size, seed + (_SECOND_STAGE if start_from is not None else 0)
    )
    model, history = train_recipe(recipe, seed, build, lambda model: batches, **limits, **options)
    history.losses = first.losses + history.losses
    history.gradient_norms = first.gradient_norms + history.gradient_norms
    history.validations = [(step + len(first.losses), value) for step, value in history.validations]
    history.seconds += first.seconds
    return model, history


def token_loss(model: Captioner, data: SceneData, batch_size: int = 50) -> float:
    """Mean cross-entropy of the first validation captions, nats per word, with cells chosen as when writing."""

    def loss(batch: Batch) -> SimpleNamespace:
        logits, words = model(batch)[0][batch.target_mask], batch.target_output[batch.target_mask]
        return SimpleNamespace(mean=torch.nn.functional.cross_entropy(logits, words), tokens=len(words))

    return mean_loss(model, data.ordered_batches(data.validation, batch_size), loss)


def write_captions(model: Captioner, images: Tensor, beam_size: int = 1, batch_size: int = 50) -> list[Hypothesis]:
    """Describe images `(count, 3, height, width)` uint8, with any system.

    Returns:
        One hypothesis per image; its attention weights are `(words and end symbol, cells)`, or None.
    """
    sources = (part.flatten(1) for part in images.split(batch_size))
    batches = ((source, torch.ones_like(source, dtype=torch.bool), MOST_WORDS) for source in sources)
    return search(model, batches, beam_size)


def caption_bleu(captions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU-4 by sacrebleu, 0 to 100, against several references per image.

    Raises:
        ValueError: if the lists are empty or of different lengths, or not all images have as many references.
    """
    if not captions or len(captions) != len(references) or len({len(texts) for texts in references}) != 1:
        raise ValueError(
            f"got {len(captions)} captions and {len(references)} reference sets of the sizes "
            f"{sorted({len(texts) for texts in references})}; expected one set for each caption, all of one size."
        )
    import sacrebleu

    return sacrebleu.corpus_bleu(list(captions), [list(texts) for texts in zip(*references, strict=True)]).score


def score(model: Captioner, data: SceneData, examples: Sequence[SceneExample], beam_size: int = 1) -> TextScore:
    """Describe the images of examples; `exact` counts captions that are true and complete."""
    found = write_captions(model, torch.stack([example.image for example in examples]), beam_size)
    captions = [data.vocabulary.decode(hypothesis.tokens) for hypothesis in found]
    exact = sum(not example.problems(words) for example, words in zip(examples, captions, strict=True))
    bleu = caption_bleu([" ".join(words) for words in captions], [example.references for example in examples])
    return TextScore(bleu, exact / len(examples), len(examples))


class CaptionAttention(NamedTuple):
    """What a model attends to along a reference caption.

    Attributes:
        words: the caption.
        attention_weights: `(words + 1, cells)`; the last row is the end symbol's.
        gates: `(words + 1,)`, β, 0 to 1.
    """

    words: tuple[str, ...]
    attention_weights: Tensor
    gates: Tensor


@torch.no_grad()
def teacher_forced_traces(
    model: Captioner, data: SceneData, examples: Sequence[SceneExample], caption: int = 0, batch_size: int = 50
) -> list[CaptionAttention]:
    """Let a model say a reference of each example (teacher forcing), so that its attention can be evaluated.

    Examples are scenes or photographs; words that the model does not know are the unknown word to it.

    Raises:
        ValueError: if the model has no attention.
    """
    device, found = next(model.parameters()).device, []
    for start in range(0, len(examples), batch_size):
        chosen = examples[start : start + batch_size]
        words = [example.words(caption) for example in chosen]
        captions = make_target_batch([data.vocabulary.encode(text) for text in words])
        batch = Batch(images=torch.stack([example.image for example in chosen]), **vars(captions))
        _, trace = model(batch.to(device))
        if trace.attention_weights is None:
            raise ValueError(f"{type(model).__name__} has no attention weights; expected a soft or hard model.")
        lengths = [len(text) + 1 for text in words]
        maps = padded_off(trace.attention_weights, lengths, [trace.attention_weights.shape[-1]] * len(words))
        gates = [row[:length] for row, length in zip(trace.gates.cpu(), lengths, strict=True)]
        found += map(CaptionAttention, words, maps, gates)
    return found


class PointingScore(NamedTuple):
    """Whether the map of a noun peaks on the objects that the noun names.

    Attributes:
        hits: share of nouns whose most attended cell has its middle inside a gold box, 0 to 1.
        mass: mean share of attention on the cells with their middles inside, 0 to 1.
        uniform: the same, hits as well as mass, for a map that is the same everywhere: the share of such cells.
        chance: share of the image's area that the gold boxes cover: a hit of a point sampled uniformly.
        nouns: how many were evaluated.
    """

    hits: float
    mass: float
    uniform: float
    chance: float
    nouns: int


def pointing_game(
    maps: Sequence[Tensor], examples: Sequence[SceneExample], cell_boxes: Tensor, caption: int = 0
) -> PointingScore:
    """Evaluate maps against the gold boxes of nouns.

    Source: Zhang et al. 2016, arXiv 1608.00507 (the pointing game).

    Args:
        maps: for each example `(words or more, cells)`, a row per word of the reference.
        examples: with the gold boxes.
        cell_boxes: `(cells, 4)` in pixels.
        caption: which reference.

    Raises:
        ValueError: if no noun has a gold box, or a map has another number of cells.
    """
    middles = (cell_boxes[:, :2] + cell_boxes[:, 2:]).float() / 2
    totals, nouns = torch.zeros(4), 0
    for weights, example in zip(maps, examples, strict=True):
        if weights.shape[1] != len(middles):
            raise ValueError(f"a map has {weights.shape[1]} cells; expected {len(middles)}, as cell_boxes has.")
        covered = torch.zeros(example.image.shape[-2:])
        for word, boxes in example.boxes(caption).items():
            gold = torch.tensor(boxes).unsqueeze(1)  # (boxes, 1, 4)
            inside = ((middles >= gold[..., :2]) & (middles < gold[..., 2:])).all(dim=-1).any(dim=0)  # (cells,)
            covered.zero_()
            for left, top, right, bottom in boxes:
                covered[top:bottom, left:right] = 1
            row = weights[word]
            hit = inside[row.argmax()].float()
            totals += torch.stack([hit, (row * inside).sum(), inside.float().mean(), covered.mean()])
            nouns += 1
    if not nouns:
        raise ValueError("examples have no noun with gold boxes; expected at least one.")
    return PointingScore(*(totals / nouns).tolist(), nouns)


def mean_penalty(attended: Sequence[CaptionAttention]) -> float:
    """Average Σ_i (1 − Σ_t α_ti)² over captions: 0 if the weights of every cell sum to 1 over the caption."""
    maps = [caption.attention_weights for caption in attended]
    totals = [coverage_penalty(weights[None], torch.ones(1, len(weights), dtype=torch.bool)) for weights in maps]
    return float(torch.cat(totals).mean())


class GateScore(NamedTuple):
    """How much of the image the gate lets through, 0 to 1, on average over nouns and over function words."""

    nouns: float
    function: float


def gate_score(attended: Sequence[CaptionAttention], examples: Sequence[SceneExample], caption: int = 0) -> GateScore:
    """Average the gate at nouns and at `FUNCTION_WORDS`.

    Raises:
        ValueError: if the captions have no word of a sort.
    """
    nouns, function = [], []
    for said, example in zip(attended, examples, strict=True):
        boxes = example.boxes(caption)
        for index, word in enumerate(said.words):
            if index in boxes:
                nouns.append(float(said.gates[index]))
            elif word in FUNCTION_WORDS:
                function.append(float(said.gates[index]))
    if not nouns or not function:
        raise ValueError(f"got {len(nouns)} nouns and {len(function)} function words; expected some of each.")
    return GateScore(sum(nouns) / len(nouns), sum(function) / len(function))


def named_metrics(name: str, model: Captioner, data: SceneData, most: int | None = None) -> dict[str, float]:
    """Evaluate a model on `most` examples of each test (None = all); see `evaluate.named` for `name`.

    Returns:
        `nats` on validation; `bleu/…` and `exact/…` for "seen" and "unseen" pairs of kinds; `exact/gap`, seen minus
        unseen. With attention, on unseen pairs along the first reference, `pointing`, `pointing/chance`,
        `pointing/uniform`, `mass`, `penalty`, `gate/nouns` and `gate/function`.
    """
    metrics = {"nats": token_loss(model, data)}
    for split, label in SPLIT_LABELS.items():
        result = score(model, data, data.test[split][:most])
        metrics |= {f"bleu/{label}": result.bleu, f"exact/{label}": result.exact}
    metrics["exact/gap"] = metrics["exact/seen"] - metrics["exact/unseen"]
    if isinstance(model, SoftCaptioner):
        examples = data.test["unseen pairs"][:most]
        attended = teacher_forced_traces(model, data, examples)
        maps = [caption.attention_weights for caption in attended]
        pointing = pointing_game(maps, examples, model.encoder.cell_boxes())
        gates = gate_score(attended, examples)
        metrics |= {"pointing": pointing.hits, "pointing/chance": pointing.chance, "pointing/uniform": pointing.uniform}
        metrics |= {"mass": pointing.mass, "penalty": mean_penalty(attended)}
        metrics |= {"gate/nouns": gates.nouns, "gate/function": gates.function}
    return named(name, metrics)
