"""Looking into a fixed-length vector: which words can be read back out of it, and how far does a gradient reach?"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.data.batching import make_pair_batch, pad_sequences
from course_utils.models.translation import TranslationModel
from experiments.evaluate import by_length

Bucket = tuple[int, int]


@torch.no_grad()
def summary_vectors(model: TranslationModel, sources: Sequence[Sequence[int]], batch_size: int = 256) -> Tensor:
    """Encode sentences with a model without attention, and return all that the decoder gets of them.

    Returns:
        `(sentences, size)`: the summary c of `RNNEncoderDecoder`; all layers' hidden and cell states of
        `SequenceToSequence`.

    Raises:
        ValueError: if the model's memory is no fixed vector.
    """
    device, vectors = next(model.parameters()).device, {}
    for chosen in by_length(sources, batch_size):
        source, mask = pad_sequences([sources[index] for index in chosen])
        memory, state = model.start(source.to(device), mask.to(device))
        if memory is None:
            memory = torch.cat([part.flatten(1) for part in state], dim=1)
        if not isinstance(memory, Tensor):
            raise ValueError(f"{type(model).__name__} keeps one vector per word; expected a model without attention.")
        vectors |= zip(chosen, memory.cpu(), strict=True)
    return torch.stack([vectors[index] for index in range(len(sources))])


@dataclass(frozen=True)
class WordProbe:
    """Which source words a linear probe reads out of summary vectors that it was not fitted on.

    Attributes:
        right: `(sentences, positions)`, 1 where the probe names the word, 0 where not, NaN beyond the sentence.
        guess: the same for the guess that always names the position's most frequent word.
        lengths: `(sentences,)` source lengths.
        from_end: positions are counted from the last word (position 0) backwards.
    """

    right: Tensor
    guess: Tensor
    lengths: Tensor
    from_end: bool

    def by_position(self) -> tuple[list[float], list[float]]:
        """Share of right words at each position: the probe's and the guess's."""
        return self.right.nanmean(dim=0).tolist(), self.guess.nanmean(dim=0).tolist()

    def by_length(self, buckets: Sequence[Bucket]) -> dict[Bucket, list[float]]:
        """The probe's share of right words at each position, for each bucket of lengths; NaN where no word is."""
        inside = {(low, high): (self.lengths >= low) & (self.lengths <= high) for low, high in buckets}
        return {bucket: self.right[chosen].nanmean(dim=0).tolist() for bucket, chosen in inside.items()}


def probe_words(
    model: TranslationModel,
    train: Sequence[Sequence[int]],
    test: Sequence[Sequence[int]],
    positions: int = 16,
    *,
    from_end: bool = False,
    ridge: float = 1.0,
) -> WordProbe:
    """Fit one linear map per position from the summary vector to the word there, and try it on other sentences.

    Each map is ridge regression to one-hot words, solved exactly, so nothing here is random. Vectors are
    standardised with the mean and standard deviation of the training ones.

    Args:
        model: a model without attention.
        train: encoded source sentences that the maps are fitted on.
        test: others, to read.
        positions: how many positions, from the start of a sentence or from its end.
        from_end: count from the end.
        ridge: weight of the penalty, in units of one training sentence.

    Raises:
        ValueError: if no sentence of a side is long enough for some position.
    """
    vectors = summary_vectors(model, [*train, *test]).double()
    mean, deviation = vectors[: len(train)].mean(dim=0), vectors[: len(train)].std(dim=0) + 1e-6
    features = nn.functional.pad((vectors - mean) / deviation, (0, 1), value=1.0)  # a constant for the bias
    seen, unseen = features[: len(train)], features[len(train) :]
    vocabulary = 1 + max(max(sentence) for sentence in [*train, *test])
    right = torch.full((len(test), positions), torch.nan)
    guess = right.clone()
    for position in range(positions):
        rows, words = _words_at(train, position, from_end)
        test_rows, test_words = _words_at(test, position, from_end)
        if not len(rows) or not len(test_rows):
            raise ValueError(f"positions is {positions}, but no sentence has a word at position {position}; lower it.")
        inputs = seen[rows]
        gram = inputs.T @ inputs + ridge * torch.eye(inputs.shape[1], dtype=inputs.dtype)
        sums = torch.zeros(vocabulary, inputs.shape[1], dtype=inputs.dtype).index_add(0, words, inputs)
        scores = unseen[test_rows] @ torch.linalg.solve(gram, sums.T)  # (test sentences, vocabulary)
        right[test_rows, position] = (scores.argmax(dim=1) == test_words).float()
        guess[test_rows, position] = (test_words == words.bincount().argmax()).float()
    return WordProbe(right, guess, torch.tensor([len(sentence) for sentence in test]), from_end)


def _words_at(sentences: Sequence[Sequence[int]], position: int, from_end: bool) -> tuple[Tensor, Tensor]:
    """Rows of the sentences that are long enough, and their word at a position."""
    place = -1 - position if from_end else position
    found = [(row, sentence[place]) for row, sentence in enumerate(sentences) if position < len(sentence)]
    return torch.tensor([row for row, _ in found]), torch.tensor([word for _, word in found])


class GradientReach(NamedTuple):
    """How much the log-probability of a target word changes with each source embedding.

    Attributes:
        distances: how many words the encoder read after this one: 0 is the word it read last.
        norms: mean norm of the gradient by the embedding at that distance, nats per unit of embedding.
    """

    distances: list[int]
    norms: list[float]

    def decay(self) -> float:
        """Factor by which the norm shrinks per word, on average from the nearest to the farthest."""
        steps = max(1, self.distances[-1] - self.distances[0])
        return (self.norms[-1] / self.norms[0]) ** (1 / steps)


def gradient_reach(
    model: TranslationModel, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], *, target: str = "first"
) -> GradientReach:
    """Measure how far the gradient of one target word reaches back into the source.

    Distances are in reading order, so a model that reverses its source is measured from the word it read last,
    which is the first of the sentence. The measurement runs on a copy in double precision: gradients
    that single precision would flush to zero are still numbers there.

    Args:
        model: any of the three systems; not changed.
        pairs: encoded sentences; distances up to the shortest source are measured.
        target: "first" or "last" word of the translation.

    Raises:
        ValueError: if `target` is neither, or there is no pair.
    """
    if target not in ("first", "last") or not pairs:
        raise ValueError(f"target is {target!r} with {len(pairs)} pairs; expected 'first' or 'last' and some pairs.")
    double = copy.deepcopy(model).cpu().double().eval()  # not every accelerator has double precision
    batch = make_pair_batch(pairs)
    embeddings: list[Tensor] = []

    def store(module: nn.Module, arguments: tuple, embedded: Tensor) -> Tensor:
        embeddings.append(embedded.detach().requires_grad_())
        return embeddings[-1]

    double.source_embedding.register_forward_hook(store)
    logits, _ = double(batch)
    lengths = batch.source_mask.sum(dim=1)
    rows = torch.arange(len(lengths))
    # The end symbol comes last in target_output; the last word stands before it.
    place = torch.zeros_like(lengths) if target == "first" else (batch.target_mask.sum(dim=1) - 2).clamp(min=0)
    chosen = logits.log_softmax(dim=-1)[rows, place, batch.target_output[rows, place]]
    (gradient,) = torch.autograd.grad(chosen.sum(), embeddings[0])  # sentences do not touch each other
    norms = gradient.norm(dim=-1)  # (batch, source_length), in reading order
    distances = list(range(int(lengths.min())))
    return GradientReach(distances, [norms[rows, lengths - 1 - distance].mean().item() for distance in distances])


def words_that_fit(exact: Mapping[Bucket, float], level: float = 0.5) -> float:
    """Say at which length the share of exact sentences falls below a level, between the buckets' middles.

    Args:
        exact: share of exact sentences of each bucket of lengths, shortest first.
        level: the share, 0 … 1.

    Returns:
        The length, by linear interpolation; 0 if even the shortest bucket is below the level, infinity if
        none is.

    Raises:
        ValueError: if there is no bucket.
    """
    if not exact:
        raise ValueError("exact holds no bucket; expected at least one.")
    middles, shares = [(low + high) / 2 for low, high in exact], list(exact.values())
    if shares[0] < level:
        return 0.0
    for (before, after), (a, b) in zip(pairwise(shares), pairwise(middles), strict=True):
        if after < level:
            return a + (before - level) / (before - after) * (b - a)
    return float("inf")
