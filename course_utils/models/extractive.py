"""Extractive tuning (ABS+): while searching, reward headlines that use the source's words, pairs and triples of words.

score(y | x) = Σ_i [α_0 log p(y_{i+1} | …) + α_1 unigram + α_2 bigram + α_3 trigram + α_4 reordering]

Each feature is 1 or 0 for the next word. α is tuned for what is measured in the end, ROUGE, which is no sum over words
and has no gradient; `tune_weights` therefore only tries and compares.

Source: Rush et al. 2015, arXiv 1509.00685, section 5.
"""

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

import torch
from torch import Tensor, nn

FEATURES = ("unigram", "bigram", "trigram", "reordering")
SPECIAL_IDS = (0, 1, 2, 3)
"""Padding, unknown, begin and end: never counted as a match. Two unknown words are hardly ever the same word."""


class ExtractiveWeights(NamedTuple):
    """α_1 … α_4, per match, in nats beside a log-probability with α_0 = 1 (only their proportion matters to a search).

    Attributes:
        unigram: for a word of the source.
        bigram: for a word that follows in the source as it does here.
        trigram: the same of three words.
        reordering: for a word of the source that stands somewhere before the last word's place there.
    """

    unigram: float = 0.0
    bigram: float = 0.0
    trigram: float = 0.0
    reordering: float = 0.0


class ExtractiveState(NamedTuple):
    """The model's own state, and `(batch, 2)` ids of the last two words, the later one second; -1 = there was none."""

    inner: object
    last: Tensor


class ExtractiveMemory(NamedTuple):
    """The model's own memory, and the source from `matchable`."""

    inner: object
    source: Tensor


class ExtractiveSummarizer(nn.Module):
    """Any model that `mechanisms.search` can read from, with the features' rewards added to its log-probabilities.

    What `step` returns are scores, not log-probabilities of a distribution: a hypothesis' `log_probability` is then its
    score. The end symbol matches nothing, so rewards make headlines longer, unless the search divides by the length.

    Args:
        model: a trained model with `start` and `step`.
        weights: α_1 … α_4; all zero leaves the model as it is.
        special_ids: that never match.

    Raises:
        ValueError: if a weight is not finite.
    """

    def __init__(self, model: nn.Module, weights: ExtractiveWeights, special_ids: Sequence[int] = SPECIAL_IDS) -> None:
        super().__init__()
        if len(weights) != len(FEATURES) or not all(math.isfinite(weight) for weight in weights):
            raise ValueError(
                f"weights is {tuple(weights)}; expected {len(FEATURES)} finite numbers ({', '.join(FEATURES)})."
            )
        self.model, self.weights, self.special_ids = model, weights, tuple(special_ids)

    def start(self, source: Tensor, source_mask: Tensor) -> tuple[ExtractiveMemory, ExtractiveState]:
        """Read the source; see `mechanisms.search`."""
        memory, state = self.model.start(source, source_mask)
        last = source.new_full((len(source), 2), -1)
        return ExtractiveMemory(memory, matchable(source, source_mask, self.special_ids)), ExtractiveState(state, last)

    def step(
        self, previous_words: Tensor, state: ExtractiveState, memory: ExtractiveMemory
    ) -> tuple[Tensor, ExtractiveState, Tensor | None]:
        """Score the next word: scores `(batch, vocabulary_size)`, the new state, attention weights or None."""
        log_probabilities, inner, attention_weights = self.model.step(previous_words, state.inner, memory.inner)
        last = torch.cat([state.last[:, 1:], previous_words.unsqueeze(1)], dim=1)
        alpha = log_probabilities.new_tensor(self.weights)
        features = extractive_features(last, memory.source, log_probabilities.shape[1])
        return log_probabilities + features.to(alpha.dtype) @ alpha, ExtractiveState(inner, last), attention_weights


def matchable(source: Tensor, source_mask: Tensor, special_ids: Sequence[int] = SPECIAL_IDS) -> Tensor:
    """Write -1 over padding and special words of `(batch, source_length)` ids; `source_mask` True = real token."""
    special = torch.isin(source, source.new_tensor(special_ids))
    return source.masked_fill(~source_mask | special, -1)


def extractive_features(last: Tensor, source: Tensor, vocabulary_size: int) -> Tensor:
    """Compute for every word that could come next which features it would have.

    With y the next word and x the source: unigram: y = x_j for some j; bigram: moreover the last word is x_{j-1};
    trigram: and the one before it x_{j-2}; reordering: y = x_j and the last word is x_k for some j < k.

    Source: arXiv 1509.00685, section 5. The last feature is written there as ∃ k > j with y_i = x_k, y_{i+1} = x_j.

    Args:
        last: `(batch, 2)` ids of the last two words, the later one second; negative = none.
        source: `(batch, source_length)` from `matchable`.
        vocabulary_size: number of words.

    Returns:
        `(batch, vocabulary_size, 4)` booleans, in the order of `FEATURES`.
    """
    real = source >= 0
    is_last = real & (source == last[:, 1:])  # (batch, source_length)
    is_before = real & (source == last[:, :1])
    follows = _shift(is_last, 1)
    comes_after = is_last.flip(1).cumsum(dim=1).flip(1) - is_last.long() > 0  # the last word stands at a later place
    places = torch.stack([real, real & follows, real & follows & _shift(is_before, 2), real & comes_after], dim=-1)
    found = torch.zeros(len(source), vocabulary_size, len(FEATURES), dtype=torch.uint8, device=source.device)
    ids = source.clamp(min=0).unsqueeze(-1).expand_as(places)
    return found.scatter_reduce(1, ids, places.to(torch.uint8), "amax").bool()


def _shift(found: Tensor, places: int) -> Tensor:
    """Move booleans `(batch, source_length)` to the right."""
    return nn.functional.pad(found, (places, 0))[:, : found.shape[1]]


class Tuning(NamedTuple):
    """What `tune_weights` found.

    Attributes:
        weights: the best weights.
        score: what `evaluate` said of them.
        untuned: what it said of the model without features.
        tried: every `(weights, score)` in the order of the trials.
    """

    weights: ExtractiveWeights
    score: float
    untuned: float
    tried: list[tuple[ExtractiveWeights, float]]


def tune_weights(
    evaluate: Callable[[ExtractiveWeights], float],
    *,
    seed: int,
    rounds: int = 3,
    first_step: float = 2.0,
    largest: float = 10.0,
) -> Tuning:
    """Search the weights one at a time: try a step up and a step down, keep what is better, halve the step.

    From zero, the model as it is, so on the tuning pairs the result is never worse than that; only other pairs can say
    whether it is better. In each round the four weights come in a new random order; a weight goes on in a
    direction as long as that helps. No weights are tried twice. It stands in for the minimum error rate training (MERT)
    of the paper, which needs lists of hypotheses and finds the best step along a line exactly.

    Args:
        evaluate: what to maximise, such as mean ROUGE of beam search on validation pairs. It is called about
            3 · 4 · `rounds` times: give it a hundred pairs or so.
        seed: of the orders.
        rounds: times that all weights are visited.
        first_step: of the first round, nats.
        largest: no weight leaves -largest … largest.

    Raises:
        ValueError: if `rounds` is below 1, or `first_step` or `largest` is not above zero.
        FloatingPointError: if `evaluate` returns a number that is not finite.
    """
    if rounds < 1 or not 0 < first_step <= largest:
        raise ValueError(
            f"rounds is {rounds}, first_step {first_step}, largest {largest}; expected at least one round and "
            "0 < first_step <= largest."
        )
    scores: dict[ExtractiveWeights, float] = {}

    def score(weights: ExtractiveWeights) -> float:
        if weights not in scores:
            value = float(evaluate(weights))
            if not math.isfinite(value):
                raise FloatingPointError(f"evaluate gave {value} for {weights}; expected a finite number.")
            scores[weights] = value
        return scores[weights]

    rng, best = Random(seed), ExtractiveWeights()
    untuned = score(best)
    for number in range(rounds):
        step = first_step / 2**number
        for name in rng.sample(FEATURES, len(FEATURES)):
            for direction in (step, -step):
                moved = False
                while abs(getattr(best, name) + direction) <= largest:
                    candidate = best._replace(**{name: getattr(best, name) + direction})
                    if score(candidate) <= score(best):
                        break
                    best, moved = candidate, True
                if moved:
                    break
    return Tuning(best, scores[best], untuned, list(scores.items()))
