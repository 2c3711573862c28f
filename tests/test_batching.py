"""Batches of every lesson: tensors by name, padding, order by length, and the data that make them."""

import random
from collections import Counter
from dataclasses import dataclass

import pytest
import torch

from course_utils.data.batching import Batch, ByLength, LessonData, batches_by_length, make_pair_batch, pad_sequences
from course_utils.data.text import BEGIN, END, PAD, Vocabulary


def test_the_tensors_of_a_batch_have_names():
    batch = Batch(source=torch.arange(6).reshape(3, 2), label=torch.tensor([1, 0, 1]))
    assert len(batch) == 3 and batch.label.tolist() == [1, 0, 1]
    assert repr(batch) == "Batch(source (3, 2), label (3,))"
    with pytest.raises(AttributeError, match="this batch has no 'image'; it has source, label"):
        batch.image  # noqa: B018
    with pytest.raises(ValueError, match=r"have \[3, 2\] rows; expected one number"):
        Batch(source=torch.zeros(3, 2), label=torch.zeros(2))
    for rows in (slice(1, 3), torch.tensor([False, True, True]), torch.tensor([1, 2])):
        assert batch[rows].source.tolist() == [[2, 3], [4, 5]] and batch[rows].label.tolist() == [0, 1]


def test_replacing_a_tensor_makes_another_batch():
    batch = Batch(source=torch.zeros(2, 3))
    other = batch.replace(source=torch.ones(2, 1), label=torch.tensor([4, 5]))
    assert other.source.tolist() == [[1.0], [1.0]] and other.label.tolist() == [4, 5]
    assert list(vars(batch)) == ["source"] and not batch.source.any()
    with pytest.raises(ValueError, match="rows; expected one number"):
        batch.replace(label=torch.zeros(3))


def test_moving_a_batch_keeps_its_names():
    batch = make_pair_batch(PAIRS[:2]).to("meta")
    assert {tensor.device.type for tensor in vars(batch).values()} == {"meta"}
    assert list(vars(batch)) == ["source", "source_mask", "target_input", "target_output", "target_mask"]


def test_padding_is_at_the_right_end():
    ids, mask = pad_sequences([[7, 8, 9], [5]])
    assert ids.tolist() == [[7, 8, 9], [5, PAD, PAD]]
    assert mask.tolist() == [[True, True, True], [True, False, False]] and mask.dtype == torch.bool


@pytest.mark.parametrize("sequences, message", [([], r"has 0 entries"), ([[1], []], r"has 2 entries, empty at \[1\]")])
@pytest.mark.parametrize("pad", [pad_sequences, lambda sources: make_pair_batch([(source, [5]) for source in sources])])
def test_padding_refuses_empty_sources(pad, sequences, message):
    with pytest.raises(ValueError, match=message + r".*expected at least one and none empty. Drop empty sentences"):
        pad(sequences)


def test_decoder_reads_begin_and_says_end():
    batch = make_pair_batch([([5, 6], [7, 8, 9]), ([4], [6])])
    assert batch.source.tolist() == [[5, 6], [4, PAD]]
    assert batch.source_mask.tolist() == [[True, True], [True, False]]
    assert batch.target_input.tolist() == [[BEGIN, 7, 8, 9], [BEGIN, 6, PAD, PAD]]
    assert batch.target_output.tolist() == [[7, 8, 9, END], [6, END, PAD, PAD]]
    assert batch.target_mask.tolist() == [[True] * 4, [True, True, False, False]]
    batch = make_pair_batch([([4], [])])
    assert (batch.target_input.tolist(), batch.target_output.tolist()) == ([[BEGIN]], [[END]])


PAIRS = [([4 + i % 7] * (1 + i % 13), [5] * (1 + i % 11)) for i in range(200)]


def rows(batch: Batch):
    return [
        (tuple(source[mask].tolist()), int(target_mask.sum()) - 1)
        for source, mask, target_mask in zip(batch.source, batch.source_mask, batch.target_mask, strict=True)
    ]


@pytest.mark.parametrize("batch_size, window", [(1, 1), (16, 1), (16, 50), (16, 4000), (500, 150)])
def test_an_epoch_gives_every_pair_once(batch_size, window):
    batches = list(batches_by_length(PAIRS, batch_size, seed=0, window=window))
    assert all(1 <= len(batch.source) <= batch_size for batch in batches)
    seen = Counter(row for batch in batches for row in rows(batch))
    assert seen == Counter((tuple(source), len(target)) for source, target in PAIRS)


def test_batches_follow_their_seed_and_sorting_saves_padding():
    def sources(seed, window=4000):
        return [batch.source.tolist() for batch in batches_by_length(PAIRS, 16, seed=seed, window=window)]

    def padding(window):
        return sum(row.count(PAD) for batch in sources(0, window) for row in batch)

    assert sources(3) == sources(3) != sources(4) and padding(4000) < padding(16) / 4


def test_a_batch_holds_at_most_so_many_source_words():
    batches = list(batches_by_length([*PAIRS, ([4] * 90, [5])], 16, seed=0, maximum_tokens=60))
    words = [int(batch.source_mask.sum()) for batch in batches]
    assert [count for count in words if count > 60] == [90]  # the sentence that is longer all by itself
    assert sum(len(batch.source) for batch in batches) == len(PAIRS) + 1


@pytest.mark.parametrize("pairs, batch_size, window", [([], 4, 1), (PAIRS, 0, 1), (PAIRS, 4, 0)])
def test_impossible_batches_are_refused(pairs, batch_size, window):
    message = f"got {len(pairs)} examples, batch_size {batch_size} and window {window}; expected"
    with pytest.raises(ValueError, match=message):
        next(batches_by_length(pairs, batch_size, seed=0, window=window))


def test_the_order_has_as_many_batches_as_it_says():
    order = ByLength([(3, 1), (9, 1), (3, 2), (8, 4), (1, 1)], 2, seed=0)
    batches = list(order)
    assert len(order) == len(batches) == 3
    assert sorted(index for batch in batches for index in batch) == [0, 1, 2, 3, 4]
    assert sorted(batches, key=len)[1:] in ([[4, 0], [2, 3]], [[2, 3], [4, 0]])  # sources first, then targets


@dataclass
class LetterData(LessonData):
    """Words and their first letters: the smallest data of a lesson."""

    def encode(self, examples):
        return [(self.vocabulary.encode(word), self.vocabulary.encode(word[:1])) for word in examples]


def letter_data(**options) -> LetterData:
    def draw(count: int, seed: int):
        generator = random.Random(seed)
        return [tuple(generator.choices("abc", k=generator.randint(1, 9))) for _ in range(count)]

    splits = {"train": draw(60, 0), "validation": draw(10, 1), "test": {"short": draw(4, 2), "long": draw(5, 3)}}
    return LetterData(name="letters", vocabulary=Vocabulary("abc"), credit="", **{"draw": draw, **splits, **options})


def sources(batches) -> list[list[int]]:
    return [
        source[mask].tolist() for batch in batches for source, mask in zip(batch.source, batch.source_mask, strict=True)
    ]


def test_an_epoch_has_every_training_example_in_a_new_order():
    data = letter_data()
    batches = data.batches(8, seed=0)
    first, again, second = (sources(batches(epoch)) for epoch in (0, 0, 1))
    assert first == again != second and sorted(first) == sorted(second)
    assert sorted(first) == sorted(row[0] for row in data.encode(data.train))
    assert first != sources(data.batches(8, seed=1)(0))
    assert all(int(b.source_mask.sum()) <= 12 for b in data.batches(8, seed=0, maximum_tokens=12)(0))


def test_fresh_examples_are_drawn_anew_in_every_epoch():
    batches = letter_data().fresh_batches(8, seed=0, count=20)
    first, again, second = (sources(batches(epoch)) for epoch in (0, 0, 1))
    assert first == again and sorted(first) != sorted(second) and len(first) == len(second) == 20
    assert sorted(first) != sorted(sources(letter_data().fresh_batches(8, seed=1, count=20)(0)))
    with pytest.raises(ValueError, match="letters has no fresh examples; expected synthetic data. Use batches"):
        letter_data(draw=None).fresh_batches(8, seed=0)


def test_examples_stay_in_order_for_evaluation():
    data = letter_data()
    assert data.examples == [*data.test["short"], *data.test["long"]]
    batches = list(data.ordered_batches(data.examples, 4))
    assert [len(batch) for batch in batches] == [4, 4, 1]
    assert sources(batches) == [row[0] for row in data.encode(data.examples)]


def test_loading_leaves_the_random_state_of_models_alone():
    data = letter_data()
    before = random.getstate(), torch.get_rng_state()
    for batches in (data.batches(8, seed=0), data.fresh_batches(8, seed=0, count=20)):
        assert list(batches(0))
    assert list(data.ordered_batches(data.validation))
    assert random.getstate() == before[0] and torch.equal(torch.get_rng_state(), before[1])


def test_a_lesson_must_say_how_its_examples_are_encoded():
    data = LessonData("bare", Vocabulary("a"), [("a",)], [], {}, "")
    with pytest.raises(NotImplementedError, match="LessonData must say how its examples are encoded"):
        data.batches(4, seed=0)
