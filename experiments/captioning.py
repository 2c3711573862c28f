"""What the experiments of lesson 4 share: how a captioning model is trained, and how captions and looks are marked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.data.batching import Batch, make_target_batch
from course_utils.data.scenes.data import SceneData, SceneExample, scene_data
from course_utils.data.text import BEGIN, END
from course_utils.mechanisms.search import Hypothesis, beam_search, greedy_search
from course_utils.models.captioning import Captioner, SoftCaptioner, build_captioner, coverage_penalty
from course_utils.training import History
from experiments.recipes import PlainRecipe, train_recipe

MOST_WORDS = 70
"""Longest caption that a search may write; the longest true ones of four groups are shorter."""
FUNCTION_WORDS = ("the", "of", "to", "and", "there", "which", ",", ":")
"""Words that name nothing in the picture: neither objects nor numbers, sizes, colours, places or directions."""
SPLIT_LABELS = {"test": "seen", "unseen pairs": "unseen"}
"""How the figures name the two tests: by whether the pairs of kinds met in training."""

_HARD_OPTIONS = ("policy_weight", "entropy_weight", "discount", "expected_share")
_SECOND_STAGE = 100  # added to the seed of the scenes that follow soft attention


@dataclass(frozen=True)
class Recipe(PlainRecipe):
    """Everything that decides a trained model besides the seed.

    Attributes:
        system: a name in `models.captioning.SYSTEMS`.
        groups: fewest and most groups in a scene, 2 to 4.
        options: further arguments of the system, e.g. `(("penalty_weight", 1.0),)`.
        steps, learning_rate: see `training.train`.
        batch_size: pictures in a batch.
        soft_steps: steps with soft attention before the `steps` of a hard model that is not given a soft one.
        soft_learning_rate: of those.
        fresh: draw new scenes all the time; False = use the data's own training scenes again and again, in which no
            time goes into drawing. Real images are always used again.
    """

    system: str
    groups: tuple[int, int] = (2, 2)
    options: tuple[tuple[str, object], ...] = ()
    steps: int = 700
    learning_rate: float = 3e-3
    batch_size: int = 32
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
    """Load the scenes that models of these groups are tested on; few for training, if those are drawn as needed."""
    return scene_data(train_count, test_count, groups=groups)


def build_model(recipe: Recipe, vocabulary_size: int, canvas: int = 64) -> Captioner:
    """Make the recipe's model for square pictures of `canvas` pixels, untrained."""
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
    """Train a recipe on scenes.

    Args:
        recipe: what to train and how.
        data: made with the recipe's groups.
        seed: initial weights, scenes, order, and drawn cells.
        start_from: a trained soft model whose weights a hard or soft one takes over; None = train one first if the
            recipe has `soft_steps`, or start from new weights.
        progress, time_limit_seconds: see `training.train`; for each stage.
        options: further arguments of `training.train`, for the last stage.

    Returns:
        The model, and what happened: losses and seconds of both stages if there are two.

    Raises:
        ValueError: if the data has other groups than the recipe, a vector is to start from a model that looks, or
            a soft recipe has a soft stage before it.
    """
    if data.groups not in (None, tuple(recipe.groups)):
        raise ValueError(
            f"data has groups {data.groups} and the recipe {recipe.groups}; expected the same. "
            "Use scenes_of(recipe.groups)."
        )
    if recipe.system not in ("soft", "hard") and start_from is not None:
        raise ValueError(f"system is {recipe.system!r}; only a model that looks can start from a soft one.")
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


@torch.no_grad()
def token_loss(model: Captioner, data: SceneData, batch_size: int = 50) -> float:
    """Mean cross-entropy of the first validation captions, nats per word, with cells chosen as when writing."""
    device = next(model.parameters()).device
    total, tokens = 0.0, 0
    for batch in data.ordered_batches(data.validation, batch_size):
        batch = batch.to(device)
        logits, _ = model(batch)
        words = batch.target_output[batch.target_mask]
        total += float(torch.nn.functional.cross_entropy(logits[batch.target_mask], words, reduction="sum"))
        tokens += len(words)
    return total / tokens


def write_captions(model: Captioner, pictures: Tensor, beam_size: int = 1, batch_size: int = 50) -> list[Hypothesis]:
    """Describe pictures.

    Args:
        model: any system.
        pictures: `(count, 3, height, width)` uint8.
        beam_size: 1 is greedy.
        batch_size: pictures at once.

    Returns:
        One hypothesis per picture; its attention weights are `(words and end symbol, cells)`, or None.
    """
    device, found = next(model.parameters()).device, []
    limits = {"begin": BEGIN, "end": END, "max_length": MOST_WORDS}
    for part in pictures.split(batch_size):
        source = part.flatten(1).to(device)
        arguments = (model, source, torch.ones_like(source, dtype=torch.bool))
        found += (
            greedy_search(*arguments, **limits)
            if beam_size == 1
            else beam_search(*arguments, **limits, beam_size=beam_size)
        )
    return found


def caption_bleu(captions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU-4 by sacrebleu, 0 to 100, against several references per picture.

    Args:
        captions: one text per picture.
        references: as many texts for each picture.

    Raises:
        ValueError: if the lists are empty or of different lengths, or not all pictures have as many references.
    """
    if not captions or len(captions) != len(references) or len({len(texts) for texts in references}) != 1:
        raise ValueError(
            f"got {len(captions)} captions and {len(references)} reference sets of the sizes "
            f"{sorted({len(texts) for texts in references})}; expected one set for each caption, all of one size."
        )
    import sacrebleu

    return sacrebleu.corpus_bleu(list(captions), [list(texts) for texts in zip(*references, strict=True)]).score


class CaptionScore(NamedTuple):
    """How well pictures were described.

    Attributes:
        bleu: BLEU-4 against the five references, 0 to 100.
        exact: share of captions that are true and complete, 0 to 1.
        scenes: number of pictures.
    """

    bleu: float
    exact: float
    scenes: int


def score(model: Captioner, data: SceneData, examples: Sequence[SceneExample], beam_size: int = 1) -> CaptionScore:
    """Describe the pictures of examples and mark the captions."""
    found = write_captions(model, torch.stack([example.image for example in examples]), beam_size)
    captions = [data.vocabulary.decode(hypothesis.tokens) for hypothesis in found]
    exact = sum(not example.problems(words) for example, words in zip(examples, captions, strict=True))
    texts = [" ".join(words) for words in captions]
    references = [example.references for example in examples]
    return CaptionScore(caption_bleu(texts, references), exact / len(examples), len(examples))


class CaptionLook(NamedTuple):
    """Where a model looked along a reference caption.

    Attributes:
        words: the caption.
        attention_weights: `(words + 1, cells)`; the last row is the end symbol's.
        gates: `(words + 1,)`, β, 0 to 1.
    """

    words: tuple[str, ...]
    attention_weights: Tensor
    gates: Tensor


@torch.no_grad()
def look_along(
    model: Captioner, data: SceneData, examples: Sequence[SceneExample], caption: int = 0, batch_size: int = 50
) -> list[CaptionLook]:
    """Let a model say a reference of each example (teacher forcing), so that its looks can be marked.

    Examples are scenes or photographs; words that the model does not know are the unknown word to it.

    Raises:
        ValueError: if the model has no attention.
    """
    device, looks = next(model.parameters()).device, []
    for start in range(0, len(examples), batch_size):
        chosen = examples[start : start + batch_size]
        words = [example.words(caption) for example in chosen]
        captions = make_target_batch([data.vocabulary.encode(text) for text in words])
        batch = Batch(images=torch.stack([example.image for example in chosen]), **vars(captions))
        _, seen = model(batch.to(device))
        if seen.attention_weights is None:
            raise ValueError(f"{type(model).__name__} has no attention, so there are no looks to mark.")
        for text, weights, gates in zip(words, seen.attention_weights.cpu(), seen.gates.cpu(), strict=True):
            looks.append(CaptionLook(text, weights[: len(text) + 1], gates[: len(text) + 1]))
    return looks


class PointingScore(NamedTuple):
    """Whether the map of a noun peaks on the objects that the noun names.

    Attributes:
        hits: share of nouns whose most attended cell has its middle inside a gold box, 0 to 1.
        mass: mean share of attention on the cells with their middles inside, 0 to 1.
        uniform: the same, hits as well as mass, for a map that is the same everywhere: the share of such cells.
        chance: share of the picture's area that the gold boxes cover: a hit of a point drawn evenly.
        nouns: how many were marked.
    """

    hits: float
    mass: float
    uniform: float
    chance: float
    nouns: int


def pointing_game(
    maps: Sequence[Tensor], examples: Sequence[SceneExample], cell_boxes: Tensor, caption: int = 0
) -> PointingScore:
    """Mark maps against the gold boxes of nouns.

    Source: Zhang et al. 2016, arXiv 1608.00507 (the pointing game).

    Args:
        maps: for each example `(words or more, cells)`, a row per word of the reference.
        examples: with the gold boxes.
        cell_boxes: `(cells, 4)` in pixels.
        caption: which reference.

    Raises:
        ValueError: if no noun can be marked, or a map has another number of cells.
    """
    middles = (cell_boxes[:, :2] + cell_boxes[:, 2:]).float() / 2
    totals, nouns = torch.zeros(4), 0
    for weights, example in zip(maps, examples, strict=True):
        if weights.shape[1] != len(middles):
            raise ValueError(f"a map has {weights.shape[1]} cells; expected {len(middles)}, as cell_boxes has.")
        height, width = example.image.shape[-2:]
        for word, boxes in example.boxes(caption).items():
            gold = torch.tensor(boxes).unsqueeze(1)  # (boxes, 1, 4)
            inside = ((middles >= gold[..., :2]) & (middles < gold[..., 2:])).all(dim=-1).any(dim=0)  # (cells,)
            covered = torch.zeros(height, width, dtype=torch.bool)
            for left, top, right, bottom in boxes:
                covered[top:bottom, left:right] = True
            row = weights[word]
            hit = inside[row.argmax()].float()
            totals += torch.stack([hit, (row * inside).sum(), inside.float().mean(), covered.float().mean()])
            nouns += 1
    if not nouns:
        raise ValueError("examples have no noun with gold boxes; expected at least one.")
    return PointingScore(*(totals / nouns).tolist(), nouns)


def mean_penalty(looks: Sequence[CaptionLook]) -> float:
    """Average Σ_i (1 − Σ_t α_ti)² over captions: 0 if every cell was looked at as much as one word in all."""
    totals = [
        coverage_penalty(look.attention_weights[None], torch.ones(1, len(look.attention_weights), dtype=torch.bool))
        for look in looks
    ]
    return float(torch.cat(totals).mean())


class GateScore(NamedTuple):
    """How much of the picture the gate lets through, 0 to 1, on average over nouns and over function words."""

    nouns: float
    function: float


def gate_score(looks: Sequence[CaptionLook], examples: Sequence[SceneExample], caption: int = 0) -> GateScore:
    """Average the gate at nouns and at `FUNCTION_WORDS`.

    Raises:
        ValueError: if the captions have no word of a sort.
    """
    nouns, function = [], []
    for look, example in zip(looks, examples, strict=True):
        named = example.boxes(caption)
        for index, word in enumerate(look.words):
            if index in named:
                nouns.append(float(look.gates[index]))
            elif word in FUNCTION_WORDS:
                function.append(float(look.gates[index]))
    if not nouns or not function:
        raise ValueError(f"got {len(nouns)} nouns and {len(function)} function words; expected some of each.")
    return GateScore(sum(nouns) / len(nouns), sum(function) / len(function))


def named_figures(
    name: str, model: Captioner, data: SceneData, beam_size: int = 1, most: int | None = None
) -> dict[str, float]:
    """Score a model and name its figures `<name>/…`, as the claims refer to them.

    Args:
        name: what the figures begin with.
        model: trained.
        data: whose tests are used.
        beam_size: 1 is greedy.
        most: examples of each test; None = all.

    Returns:
        `nats` on validation; `bleu/…` and `exact/…` for "seen" and "unseen" pairs of kinds; `exact/gap`, seen minus
        unseen. With attention, on unseen pairs along the first reference, `pointing`, `pointing/chance`,
        `pointing/uniform`, `mass`, `penalty`, `gate/nouns` and `gate/function`.
    """
    figures = {f"{name}/nats": token_loss(model, data)}
    for split, label in SPLIT_LABELS.items():
        result = score(model, data, data.test[split][:most], beam_size)
        figures |= {f"{name}/bleu/{label}": result.bleu, f"{name}/exact/{label}": result.exact}
    figures[f"{name}/exact/gap"] = figures[f"{name}/exact/seen"] - figures[f"{name}/exact/unseen"]
    if not isinstance(model, SoftCaptioner):
        return figures
    examples = data.test["unseen pairs"][:most]
    looks = look_along(model, data, examples)
    pointing = pointing_game([look.attention_weights for look in looks], examples, model.encoder.cell_boxes())
    gates = gate_score(looks, examples)
    marks = {
        "pointing": pointing.hits,
        "pointing/chance": pointing.chance,
        "pointing/uniform": pointing.uniform,
        "mass": pointing.mass,
        "penalty": mean_penalty(looks),
        "gate/nouns": gates.nouns,
        "gate/function": gates.function,
    }
    return figures | {f"{name}/{key}": value for key, value in marks.items()}
