"""Tiny translation models in float64, and batches for them: what several test files start from."""

import random

import torch

from course_utils.data.batching import Batch, make_pair_batch
from course_utils.models.translation import SYSTEMS, TranslationModel, build_translation_model

SYSTEM_NAMES = list(SYSTEMS)
VOCABULARY_SIZE = 13

torch.set_num_threads(1)  # tensors this small gain nothing from a second thread, and lose much when it has to wait


def tiny_model(system: str, seed: int = 0, sharpness: float = 1.0, **sizes) -> TranslationModel:
    """Make a small model in float64 and `eval()` mode; `sharpness` multiplies its weights."""
    torch.manual_seed(seed)
    sizes = {
        "source_vocabulary_size": VOCABULARY_SIZE,
        "target_vocabulary_size": VOCABULARY_SIZE,
        "embedding_size": 6,
        "hidden_size": 5,
    } | sizes
    model = build_translation_model(system, **sizes).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(sharpness)
    return model


def random_pairs(source_lengths: list[int], seed: int = 0) -> list[tuple[list[int], list[int]]]:
    """Draw encoded pairs whose targets differ from their sources in length by up to two words."""
    draw = random.Random(seed)

    def sentence(length: int) -> list[int]:
        return [draw.randrange(4, VOCABULARY_SIZE) for _ in range(length)]

    return [(sentence(length), sentence(max(1, length + draw.randint(-2, 2)))) for length in source_lengths]


def random_batch(source_lengths: list[int], seed: int = 0) -> Batch:
    return make_pair_batch(random_pairs(source_lengths, seed))


def widen(batch: Batch, source_columns: int, target_columns: int, filler: int) -> Batch:
    """Add padded columns that hold `filler`, an ordinary word, so that a leak cannot hide behind zeros."""

    def pad(tensor, columns, value):
        return torch.cat([tensor, tensor.new_full((len(tensor), columns), value)], dim=1)

    return Batch(
        source=pad(batch.source.masked_fill(~batch.source_mask, filler), source_columns, filler),
        source_mask=pad(batch.source_mask, source_columns, False),
        target_input=pad(batch.target_input.masked_fill(~batch.target_mask, filler), target_columns, filler),
        target_output=pad(batch.target_output.masked_fill(~batch.target_mask, filler), target_columns, filler),
        target_mask=pad(batch.target_mask, target_columns, False),
    )
