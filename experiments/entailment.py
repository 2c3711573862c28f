"""What the experiments of lesson 5 share: how models are trained, and how labels and attention are evaluated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.data.inference.data import InferenceData, synthetic_inference_data
from course_utils.data.inference.difficulty import Difficulty
from course_utils.data.inference.logic import LABELS
from course_utils.data.inference.pairs import InferencePair
from course_utils.models.entailment import EntailmentModel
from course_utils.training import History
from experiments.evaluate import padded_off, percentages
from experiments.recipes import PlainRecipe, train_recipe


@dataclass(frozen=True)
class Recipe(PlainRecipe):
    """A recipe for `EntailmentModel`.

    Attributes:
        fresh: sample new pairs all the time; False = the data's own training pairs again and again.
        rename: let children and colours change places anew whenever a pair is seen (not with `fresh`).
    """

    batch_size: int = 64
    fresh: bool = False
    rename: bool = False


@lru_cache(maxsize=4)
def pairs_of(difficulty: Difficulty, train_count: int = 20_000, test_count: int = 1000) -> InferenceData:
    """Make the pairs of a difficulty, once for all models that need them."""
    return synthetic_inference_data(difficulty, train_count, test_count)


def build(recipe: Recipe, vocabulary_size: int) -> EntailmentModel:
    """Make the recipe's model for a vocabulary, untrained."""
    return EntailmentModel(recipe.system, vocabulary_size, **dict(recipe.options))


def fit(
    recipe: Recipe, data: InferenceData, seed: int = 0, *, start: EntailmentModel | None = None, **options
) -> tuple[EntailmentModel, History]:
    """Train a recipe on pairs; see `Experiment.fit`.

    `start` is a model of the same shape whose weights to begin with; None = fresh ones.
    """
    size = recipe.batch_size
    batches = data.fresh_batches(size, seed) if recipe.fresh else data.batches(size, seed, recipe.rename)

    def begin() -> EntailmentModel:
        model = build(recipe, len(data.vocabulary))
        if start is not None:
            model.load_state_dict(start.state_dict())
        return model

    return train_recipe(recipe, seed, begin, lambda model: batches, **options)


@torch.no_grad()
def guess(model: EntailmentModel, data: InferenceData, pairs: Sequence[InferencePair]) -> list[str]:
    """The label that a model gives to each pair."""
    device = next(model.parameters()).device
    guesses = [model(batch.to(device)).argmax(dim=1) for batch in data.ordered_batches(pairs)]
    return [LABELS[index] for index in torch.cat(guesses).tolist()]


def judge(model: EntailmentModel, data: InferenceData, pairs: Sequence[InferencePair]) -> Tensor:
    """Whether each pair is classified correctly, `(pairs,)` booleans."""
    return torch.tensor([g == pair.label for g, pair in zip(guess(model, data, pairs), pairs, strict=True)])


def accuracy_by(
    right: Tensor, pairs: Sequence[InferencePair], group: Callable[[InferencePair], Sequence]
) -> dict[object, tuple[float, int]]:
    """Accuracy within groups that may overlap: group → accuracy, 0 to 1, and number of pairs, in sorted order.

    Args:
        right: `(pairs,)`, what `judge` returned.
        pairs: in the same order.
        group: the groups a pair belongs to, e.g. `lambda pair: (pair.clauses,)` or `lambda pair: pair.phenomena`.
    """
    groups: dict[object, list[bool]] = {}
    for correct, pair in zip(right.tolist(), pairs, strict=True):
        for name in group(pair):
            groups.setdefault(name, []).append(correct)
    return {name: (sum(found) / len(found), len(found)) for name, found in sorted(groups.items())}


@torch.no_grad()
def attention_of(model: EntailmentModel, data: InferenceData, pairs: Sequence[InferencePair]) -> list[Tensor]:
    """A model's attention weights for each pair: `(hypothesis words or 1, premise words)`, without padding.

    Raises:
        ValueError: if the model has no attention.
    """
    device, found = next(model.parameters()).device, []
    for batch in data.ordered_batches(pairs):
        weights = model.trace(batch.to(device)).attention_weights
        if weights is None:
            raise ValueError(f"{model.system} has no attention weights; expected a system with attention.")
        rows = batch.hypothesis_mask.sum(dim=1) if weights.shape[1] > 1 else [1] * len(batch)
        found += padded_off(weights, rows, batch.premise_mask.sum(dim=1))
    return found


class AlignmentScore(NamedTuple):
    """Whether hypothesis words attend to the premise words, and to the clauses, that they are aligned with.

    Attributes:
        words: share of aligned hypothesis words whose most attended premise word is a gold one, 0 to 1.
        words_chance: the same for a premise word sampled uniformly.
        words_match: the same for the first premise word that is spelled alike; no such word is a miss.
        clauses: share whose most attended word lies in a gold clause.
        clauses_chance: the same for a premise word sampled uniformly.
        count: number of aligned hypothesis words.
    """

    words: float
    words_chance: float
    words_match: float
    clauses: float
    clauses_chance: float
    count: int


def score_alignment(attention_weights: Sequence[Tensor], pairs: Sequence[InferencePair]) -> AlignmentScore:
    """Evaluate attention `(hypothesis words, premise words)` of synthetic pairs against the gold alignment.

    Words aligned with no premise word are left out.

    Raises:
        ValueError: if a map has not one row per hypothesis word, or no word is aligned.
    """
    totals, count = torch.zeros(5, dtype=torch.float64), 0
    for weights, pair in zip(attention_weights, pairs, strict=True):
        if len(weights) != len(pair.hypothesis):
            raise ValueError(f"a map has {len(weights)} rows for {len(pair.hypothesis)} hypothesis words.")
        for word, (gold, clauses) in enumerate(zip(pair.alignment, pair.clause_alignment, strict=True)):
            if not gold:
                continue
            peak = int(weights[word].argmax())
            inside = {i for clause in clauses for i in range(*pair.clause_spans[clause])}
            spelled = pair.hypothesis[word]
            match = pair.premise.index(spelled) if spelled in pair.premise else None
            length = len(pair.premise)
            scores = (peak in gold, len(gold) / length, match in gold, peak in inside, len(inside) / length)
            totals += torch.tensor(scores, dtype=torch.float64)
            count += 1
    if not count:
        raise ValueError("pairs have no aligned word; expected synthetic pairs with at least one.")
    return AlignmentScore(*(totals / count).tolist(), count)


def entailment_metrics(model: EntailmentModel, data: InferenceData, most: int | None = None) -> dict[str, float]:
    """Evaluate a model on `most` pairs of each test (None = all).

    Returns:
        `accuracy/<test>` in %. On the test called "test" also, of SNLI, `accuracy/shorter premises` and
        `accuracy/longer premises`, than the median; of synthetic pairs, `accuracy/<n> clauses` and
        `accuracy/<n> facts`, and with word-by-word attention `alignment` and `clauses`, in %, see `AlignmentScore`.
    """
    correct = {test: judge(model, data, pairs[:most]) for test, pairs in data.test.items()}
    shares = {f"accuracy/{test}": right.float().mean().item() for test, right in correct.items()}
    pairs = data.test["test"][:most]
    middle = median(len(pair.premise) for pair in pairs)

    def groups_of(pair: InferencePair) -> Sequence[str]:
        if data.difficulty is None:
            return ("longer premises" if len(pair.premise) > middle else "shorter premises",)
        return f"{pair.clauses} clauses", f"{pair.facts} facts"

    groups = accuracy_by(correct["test"], pairs, groups_of)
    shares |= {f"accuracy/{name}": share for name, (share, _) in groups.items()}
    if data.difficulty is not None and model.system.endswith("word-by-word"):
        score = score_alignment(attention_of(model, data, pairs), pairs)
        shares |= {"alignment": score.words, "alignment/chance": score.words_chance}
        shares |= {"alignment/match": score.words_match}
        shares |= {"clauses": score.clauses, "clauses/chance": score.clauses_chance}
    return percentages(shares)
