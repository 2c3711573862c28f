"""What the experiments of lesson 5 share: how a rung of the ladder is trained, and how labels and looks are marked."""

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
from experiments.recipes import PlainRecipe, train_recipe


@dataclass(frozen=True)
class Recipe(PlainRecipe):
    """Everything that decides a trained model besides the seed.

    Attributes:
        system: a name in `models.entailment.SYSTEMS`.
        options: further arguments of `EntailmentModel`, e.g. `(("hidden_size", 96),)`.
        steps, learning_rate: see `training.train`.
        batch_size: pairs in a batch.
        fresh: draw new pairs all the time; False = the data's own training pairs again and again.
        rename: let children and colours change places anew whenever a pair is seen (not with `fresh`).
    """

    system: str
    options: tuple[tuple[str, object], ...] = ()
    steps: int = 2000
    learning_rate: float = 3e-3
    batch_size: int = 64
    fresh: bool = False
    rename: bool = False


@lru_cache(maxsize=4)
def pairs_of(difficulty: Difficulty, train_count: int = 20_000, test_count: int = 1000) -> InferenceData:
    """Make the pairs of a difficulty, once for all models that need them."""
    return synthetic_inference_data(difficulty, train_count, test_count)


def fit(
    recipe: Recipe, data: InferenceData, seed: int = 0, *, start: EntailmentModel | None = None, **options
) -> tuple[EntailmentModel, History]:
    """Train a recipe on pairs.

    Args:
        recipe: what to train and how.
        data: made pairs or SNLI.
        seed: initial weights, pairs and their order.
        start: a model of the same shape whose weights to begin with; None = fresh ones.
        options: further arguments of `training.train`.
    """
    if recipe.fresh:
        batches = data.fresh_batches(recipe.batch_size, seed)
    else:
        batches = data.batches(recipe.batch_size, seed, recipe.rename)

    def build() -> EntailmentModel:
        model = EntailmentModel(recipe.system, len(data.vocabulary), **dict(recipe.options))
        if start is not None:
            model.load_state_dict(start.state_dict())
        return model

    return train_recipe(recipe, seed, build, lambda model: batches, **options)


@torch.no_grad()
def guess(model: EntailmentModel, data: InferenceData, pairs: Sequence[InferencePair]) -> list[str]:
    """The label that a model gives to each pair."""
    device = next(model.parameters()).device
    guesses = [model(batch.to(device)).argmax(dim=1) for batch in data.ordered_batches(pairs)]
    return [LABELS[index] for index in torch.cat(guesses).tolist()]


def judge(model: EntailmentModel, data: InferenceData, pairs: Sequence[InferencePair]) -> Tensor:
    """Whether each pair's label is guessed right, `(pairs,)` booleans."""
    return torch.tensor([g == pair.label for g, pair in zip(guess(model, data, pairs), pairs, strict=True)])


@torch.no_grad()
def mean_loss(model: EntailmentModel, data: InferenceData, pairs: Sequence[InferencePair]) -> float:
    """Mean cross-entropy of the labels, nats per pair."""
    device = next(model.parameters()).device
    total = sum(float(model.loss(b.to(device)).mean) * len(b.label) for b in data.ordered_batches(pairs))
    return total / len(pairs)


def accuracy_by(
    right: Tensor, pairs: Sequence[InferencePair], group: Callable[[InferencePair], Sequence]
) -> dict[object, tuple[float, int]]:
    """Share of right labels within groups that may overlap.

    Args:
        right: `(pairs,)`, what `judge` returned.
        pairs: in the same order.
        group: the groups a pair belongs to, e.g. `lambda pair: (pair.clauses,)` or `lambda pair: pair.phenomena`.

    Returns:
        Group → accuracy and number of pairs, groups in sorted order.
    """
    counts: dict[object, list[int]] = {}
    for guess, pair in zip(right.tolist(), pairs, strict=True):
        for name in group(pair):
            hits = counts.setdefault(name, [0, 0])
            hits[0] += guess
            hits[1] += 1
    return {name: (hits / number, number) for name, (hits, number) in sorted(counts.items())}


@torch.no_grad()
def looks_of(model: EntailmentModel, data: InferenceData, pairs: Sequence[InferencePair]) -> list[Tensor]:
    """Where a model looked at each pair: `(hypothesis words or 1, premise words)`, without padding.

    Raises:
        ValueError: if the model has no attention.
    """
    device, looks = next(model.parameters()).device, []
    for batch in data.ordered_batches(pairs):
        weights = model.trace(batch.to(device)).attention_weights
        if weights is None:
            raise ValueError(f"{model.system} has no attention, so there are no looks to mark.")
        rows = batch.hypothesis_mask.sum(dim=1).tolist() if weights.shape[1] > 1 else [1] * len(weights)
        columns = batch.premise_mask.sum(dim=1).tolist()
        looks += [w[:r, :c].cpu() for w, r, c in zip(weights, rows, columns, strict=True)]
    return looks


class AlignmentScore(NamedTuple):
    """Whether hypothesis words look at the premise words, and at the clauses, that they rest on.

    Attributes:
        words: share of aligned hypothesis words whose most attended premise word is a gold one, 0 to 1.
        words_chance: the same for a premise word drawn evenly.
        words_match: the same for the first premise word that is spelled alike; no such word is a miss.
        clauses: share whose most attended word lies in a gold clause.
        clauses_chance: the same for a premise word drawn evenly.
        count: number of aligned hypothesis words.
    """

    words: float
    words_chance: float
    words_match: float
    clauses: float
    clauses_chance: float
    count: int


def mark_alignment(looks: Sequence[Tensor], pairs: Sequence[InferencePair]) -> AlignmentScore:
    """Mark word-by-word looks against the gold alignment; words that rest on no premise word are left out.

    Args:
        looks: `(hypothesis words, premise words)` for each pair.
        pairs: made ones, with gold.

    Raises:
        ValueError: if a map has not one row per hypothesis word, or no word is aligned.
    """
    totals, count = torch.zeros(5, dtype=torch.float64), 0
    for weights, pair in zip(looks, pairs, strict=True):
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
            marks = (peak in gold, len(gold) / length, match in gold, peak in inside, len(inside) / length)
            totals += torch.tensor(marks, dtype=torch.float64)
            count += 1
    if not count:
        raise ValueError("pairs have no aligned word; expected made pairs with at least one.")
    return AlignmentScore(*(totals / count).tolist(), count)


def named_figures(name: str, model: EntailmentModel, data: InferenceData, most: int | None = None) -> dict[str, float]:
    """Score a model and name its figures `<name>/…`, as the claims refer to them.

    Args:
        name: what the figures begin with.
        model: trained.
        data: whose tests are used.
        most: pairs of each test; None = all.

    Returns:
        `accuracy/<test>` in %. On the test called "test" also, of SNLI, `accuracy/shorter premises` and
        `accuracy/longer premises`, than the median; of made pairs, `accuracy/<n> clauses` and `accuracy/<n> facts`, and
        with word-by-word attention `alignment` and `clauses`, in %, see `AlignmentScore`.
    """
    judged = {test: judge(model, data, pairs[:most]) for test, pairs in data.test.items()}
    figures = {f"{name}/accuracy/{test}": 100 * right.float().mean().item() for test, right in judged.items()}
    pairs, right = data.test["test"][:most], judged["test"]
    if data.difficulty is None:
        middle = median(len(pair.premise) for pair in pairs)
        by_length = accuracy_by(right, pairs, lambda pair: ("longer" if len(pair.premise) > middle else "shorter",))
        return figures | {f"{name}/accuracy/{n} premises": 100 * share for n, (share, _) in by_length.items()}
    by_clauses = accuracy_by(right, pairs, lambda pair: (pair.clauses,))
    by_facts = accuracy_by(right, pairs, lambda pair: (pair.facts,))
    figures |= {f"{name}/accuracy/{n} clauses": 100 * share for n, (share, _) in by_clauses.items()}
    figures |= {f"{name}/accuracy/{n} facts": 100 * share for n, (share, _) in by_facts.items()}
    if model.system.endswith("word-by-word"):
        marks = mark_alignment(looks_of(model, data, pairs), pairs)
        figures |= {
            f"{name}/alignment": 100 * marks.words,
            f"{name}/alignment/chance": 100 * marks.words_chance,
            f"{name}/alignment/match": 100 * marks.words_match,
            f"{name}/clauses": 100 * marks.clauses,
            f"{name}/clauses/chance": 100 * marks.clauses_chance,
        }
    return figures
