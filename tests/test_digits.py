"""Digits and their canvases: disjoint splits, gold boxes, clutter, seeds, speed, real sources."""

import gzip
import hashlib
import os
import time
from pathlib import Path

import numpy
import pyarrow
import pytest
import torch
from misbehaving_server import MisbehavingHub
from pyarrow import parquet

from course_utils.data.batching import Batch
from course_utils.data.canvases.canvases import CanvasSettings, draw_canvases
from course_utils.data.canvases.digits import load_digit_images
from course_utils.data.canvases.layouts import load_layouts
from course_utils.data.canvases.parts import INK, MILD, NO_DIGIT, Augmentation, augment, ink_boxes
from course_utils.data.real_errors import DataFormatError, DownloadError, HubUnreachableError, RealDataNotFoundError

torch.set_num_threads(1)  # the speed that is promised is that of one thread

STAGED = os.environ.get("WHERE_TO_LOOK_DATA")
SPLITS = ("train", "validation", "test")
ROWS = CanvasSettings(40, 100, fewest_digits=1, most_digits=3)


def needs(folder):
    there = bool(STAGED) and (Path(STAGED) / folder).is_dir()
    return pytest.mark.skipif(not there, reason=f"WHERE_TO_LOOK_DATA names no folder that holds {folder}/")


@pytest.fixture(scope="module")
def digits():
    return load_digit_images("default")


def draw(split, settings, count=200, seed=0, layouts=None):
    return draw_canvases(split, settings, count, torch.Generator().manual_seed(seed), layouts)


def squares(count=30, level=1.0):
    """Stand-ins for digits: a square of ink, of another size in every image, in the middle of 28 x 28."""
    images = torch.zeros(count, 28, 28)
    for k in range(count):
        half = 4 + k % 6
        images[k, 14 - half : 14 + half, 14 - half : 14 + half] = level
    return Batch(images=images, labels=torch.arange(count) % 10)


def digits_and_rest(batch):
    """For every canvas its digits, `(label, box, pixels)`, and the canvas with their boxes emptied."""
    for image, labels, boxes in zip(batch.images[:, 0], batch.labels.tolist(), batch.boxes.tolist(), strict=True):
        rest, digits = image.clone(), []
        for label, (x0, y0, x1, y1) in zip(labels, boxes, strict=True):
            assert (label == NO_DIGIT) == ([x0, y0, x1, y1] == [NO_DIGIT] * 4)
            if label != NO_DIGIT:
                assert 0 <= x0 < x1 <= image.shape[1] and 0 <= y0 < y1 <= image.shape[0]
                digits.append((label, (x0, y0, x1, y1), image[y0:y1, x0:x1]))
                rest[y0:y1, x0:x1] = 0
        yield digits, rest


def touches(ink, margin=1):
    """Whether ink reaches all four sides, or comes as near as the margin."""
    return all(edge.any() for edge in (ink[:margin], ink[-margin:], ink[:, :margin], ink[:, -margin:]))


def check_splits(images):
    splits = [getattr(images, name) for name in SPLITS]
    hashes = [image.numpy().tobytes() for split in splits for image in split.images]
    assert len(set(hashes)) == len(hashes)  # no image twice, so none in two splits
    for split in splits:
        assert split.images.shape == (len(split.labels), 28, 28)
        assert split.images.min() >= 0 and split.images.max() <= 1
        assert split.labels.min() >= 0 and split.labels.max() <= 9
    return [len(split) for split in splits]


def test_no_image_is_in_two_splits(digits):
    sizes = check_splits(digits)
    assert all(getattr(digits, name).labels.unique().tolist() == list(range(10)) for name in SPLITS)
    assert sum(sizes) == 1797 and sizes == [1261, 186, 350]


def test_enlarged_digits_keep_their_labels_and_their_size(digits):
    boxes = ink_boxes(digits.train.images)
    heights = boxes[:, 3] - boxes[:, 1]
    assert 19 <= heights.float().mean() <= 24 and int(heights.min()) >= 14
    means = torch.stack([digits.train.images[digits.train.labels == k].mean(dim=0) for k in range(10)]).flatten(1)
    nearest = torch.cdist(digits.test.images.flatten(1), means).argmin(dim=1)
    assert (nearest == digits.test.labels).float().mean() > 0.8  # nearest mean image: labels fit images


@pytest.mark.parametrize(
    "settings",
    [CanvasSettings(60, 60), CanvasSettings(100, 100, augmentation=MILD), ROWS, CanvasSettings(28, 28, moved=False)],
    ids=["60", "100 augmented", "rows", "middle"],
)
def test_boxes_hold_all_the_ink_and_nothing_else(digits, settings):
    for found, rest in digits_and_rest(draw(digits.train, settings)):
        assert all(touches(pixels > INK) for *_, pixels in found)  # no box is too large
        assert found and rest.max() <= INK


def test_a_canvas_shows_the_digit_that_its_label_names():
    split = squares()
    batch = draw(split, CanvasSettings(60, 60))
    sides = batch.boxes[:, 0, 2] - batch.boxes[:, 0, 0]
    assert all(side in {2 * (4 + k % 6) for k in range(30) if k % 10 == label} for side, label in
               zip(sides.tolist(), batch.labels[:, 0].tolist(), strict=True))  # fmt: skip
    assert len(batch.labels.unique()) == 10


def test_digits_land_everywhere_and_rows_go_from_left_to_right_and_have_every_length(digits):
    boxes = draw(digits.train, CanvasSettings(60, 60), count=2000).boxes[:, 0]
    assert boxes[:, :2].amin(dim=0).tolist() == [0, 0] and boxes[:, 2:].amax(dim=0).tolist() == [60, 60]
    batch = draw(digits.train, ROWS, count=600)
    lengths = (batch.labels != NO_DIGIT).sum(dim=1)
    assert min(lengths.bincount(minlength=4)[1:].tolist()) > 150 and lengths.max() == 3 and lengths.min() == 1
    second = lengths >= 2
    gaps = batch.boxes[second, 1, 0] - batch.boxes[second, 0, 2]
    assert gaps.min() == 0 and gaps.max() == ROWS.largest_gap
    assert (batch.labels[:, 0] != NO_DIGIT).all()
    pairs = draw(digits.train, CanvasSettings(60, 60, 2, 2))
    assert (pairs.labels != NO_DIGIT).all()


def test_same_seed_same_canvases_and_batches_of_one_generator_differ(digits):
    settings = CanvasSettings(60, 60, fragments=4, augmentation=MILD, binary=True)
    first, again, other = (draw(digits.train, settings, 20, seed) for seed in (1, 1, 2))
    assert all(torch.equal(tensor, vars(again)[name]) for name, tensor in vars(first).items())
    assert not torch.equal(first.images, other.images)
    torch.manual_seed(99)  # the global generator plays no part
    assert torch.equal(draw(digits.train, settings, 20, 1).images, first.images)
    generator = torch.Generator().manual_seed(3)
    first, second = (draw_canvases(digits.train, ROWS, 8, generator) for _ in range(2))
    assert first.images.shape == (8, 1, 40, 100) and first.labels.shape == (8, 3) and first.boxes.shape == (8, 3, 4)
    assert first.labels.dtype == first.boxes.dtype == torch.long and not torch.equal(first.images, second.images)


def test_clutter_is_cut_from_other_images_of_the_same_split():
    split = squares()
    levels = torch.linspace(0.3, 0.9, len(split.images))  # the brightness says which image a pixel comes from
    split = split.replace(images=split.images * levels.view(-1, 1, 1))
    batch = draw(split, CanvasSettings(100, 100, fragments=8), count=100)
    allowed = torch.cat([torch.zeros(1), levels])
    strangers = (batch.images.flatten().unsqueeze(1) - allowed).abs().amin(dim=1) > 1e-6
    assert not strangers.any()
    differs = 0
    for [(_, _, pixels)], rest in digits_and_rest(batch):
        differs += bool(((rest > INK) & ((rest - pixels.flatten().mode().values).abs() > 1e-6)).any())
    assert differs >= 98


def test_a_fragment_is_never_cut_from_the_digit_itself_and_where_two_things_overlap_the_brighter_shows():
    two = Batch(images=torch.tensor([0.4, 0.8]).view(2, 1, 1).expand(2, 28, 28), labels=torch.tensor([0, 1]))
    for [(label, *_)], rest in digits_and_rest(draw(two, CanvasSettings(100, 100, fragments=1), count=300)):
        assert not (rest[rest > INK] - (0.4, 0.8)[label]).abs().lt(1e-6).any()
    batch = draw(two, CanvasSettings(28, 28, fragments=3), count=100)
    bright = batch.images[batch.labels[:, 0] == 1]
    assert torch.allclose(bright, torch.tensor(0.8))
    assert torch.isclose(batch.images[batch.labels[:, 0] == 0], torch.tensor(0.8)).any()


def test_unmoved_digits_stay_in_the_middle_and_are_augmented_or_binary_when_the_settings_say_so(digits):
    batch = draw(digits.train, CanvasSettings(28, 30, moved=False), count=20)
    assert all(any(torch.equal(image[0, :, 1:29], digit) for digit in digits.train.images) for image in batch.images)
    few = digits.train[:5]
    images = draw(few, CanvasSettings(28, 28, moved=False, augmentation=MILD), count=20).images[:, 0]
    assert torch.cdist(images.flatten(1), few.images.flatten(1)).min() > 0.5  # none is as it was
    grey = Batch(images=torch.full((2, 28, 28), 0.3), labels=torch.tensor([0, 1]))
    images = draw(grey, CanvasSettings(28, 28, binary=True), count=100).images
    assert images.unique().tolist() == [0, 1] and images.mean().item() == pytest.approx(0.3, abs=0.01)


def test_augmentation_is_mild_and_can_be_off(digits):
    images, generator = digits.train.images[:50], torch.Generator().manual_seed(0)
    still = augment(images, Augmentation(rotation=0, scale=0, shear=0, shift=0), generator)
    assert torch.allclose(still, images, atol=1e-5)
    changed = augment(images, MILD, generator)
    assert (changed - images).abs().amax(dim=(1, 2)).min() > 0.05  # every image is changed …
    overlap = (changed * images).sum(dim=(1, 2)) / images.square().sum(dim=(1, 2))
    assert overlap.min() > 0.6  # … but not beyond recognition


def test_augmentation_goes_the_way_that_it_says():
    bar = torch.zeros(1, 28, 28)
    bar[0, 4:24, 13:15] = 1

    def extent(**amount):
        none = dict(rotation=0, scale=0, shear=0, shift=0)
        boxes = ink_boxes(augment(bar.expand(300, -1, -1), Augmentation(**none | amount), torch.Generator()))
        return boxes.amin(dim=0).tolist(), boxes.amax(dim=0).tolist()

    low, high = extent(shift=3)
    assert (low[0], high[0], low[1], high[1]) == (10, 16, 1, 7)  # up to three pixels to every side
    low, high = extent(scale=0.2)
    assert low[1] == 2 and high[1] in (5, 6)  # 20 pixels high become 16 to 24
    low, high = extent(shear=0.3)
    assert low[1] == 4 and high[3] == 24 and low[0] <= 10 and high[2] >= 18  # slanted, as high as before
    low, high = extent(rotation=30)
    assert low[0] <= 9 and high[2] >= 19 and low[1] == 4


def test_ten_thousand_cluttered_canvases_take_less_than_ten_seconds(digits):
    settings = CanvasSettings(60, 60, fragments=4, augmentation=MILD)
    started = time.process_time()  # of this process: a busy machine must not fail the test
    batch = draw(digits.train, settings, count=10_000)
    assert batch.images.shape == (10_000, 1, 60, 60) and time.process_time() - started < 10


LAYOUTS = torch.tensor([[[100, 50, 120, 90], [125, 52, 150, 92]], [[10, 5, 22, 30], [-1, -1, -1, -1]]]).float()


def test_digits_are_stretched_to_the_boxes_of_a_layout(digits):
    batch = draw(digits.train, CanvasSettings(54, 80, 1, 2), count=300, layouts=LAYOUTS)
    numbers = (batch.labels != NO_DIGIT).sum(dim=1)
    assert set(numbers.tolist()) == {1, 2}
    for found, rest in digits_and_rest(batch):
        assert rest.max() == 0 and all(touches(pixels > INK, margin=2) for *_, pixels in found)
    shape = (batch.boxes[..., 2] - batch.boxes[..., 0]).float() / (batch.boxes[..., 3] - batch.boxes[..., 1])
    assert shape[numbers == 1, 0].median().item() == pytest.approx(12 / 25, abs=0.1)  # 12 x 25 in the layout
    beside = torch.tensor([[[-1, 3, 14, 30], [16, 4, 30, 31]]]).float()  # a real box may begin beside its photograph
    batch = draw(digits.train, CanvasSettings(54, 80, 1, 2), count=20, layouts=beside)
    assert (batch.labels != NO_DIGIT).all() and (batch.boxes[:, 0, 0] < batch.boxes[:, 1, 0]).all()


BAD_SETTINGS = {
    "too narrow": (CanvasSettings(40, 60, 1, 3), r"height 40 and width 60 is too small for 3 digit.*at least 28 by 92"),
    "too low": (CanvasSettings(20, 60), r"height 20 .*use at least 28 by 28"),
    "no digits": (CanvasSettings(60, 60, 0, 1), r"fewest_digits is 0 and most_digits 1; expected 1 <= fewest"),
    "more than most": (CanvasSettings(60, 60, 2, 1), r"fewest_digits is 2 and most_digits 1"),
    "huge fragment": (CanvasSettings(60, 60, fragments=1, fragment_size=21), r"fragment_size 21; expected .* 1 to 20"),
    "a row in the middle": (CanvasSettings(28, 60, 1, 2, moved=False), r"moved is False with most_digits 2"),
}


@pytest.mark.parametrize("settings, message", BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_settings_that_cannot_be_drawn(settings, message):
    with pytest.raises(ValueError, match=message):
        draw(squares(), settings)


def test_arguments_that_are_refused(digits):
    with pytest.raises(ValueError, match=r"source is 'mnist'; expected 'default'.*or 'real'"):
        load_digit_images("mnist")
    with pytest.raises(ValueError, match=r"split is 'dev'; expected one of train"):
        load_layouts("dev")
    with pytest.raises(ValueError, match=r"the split has 1 images; expected 1 and 2 or more"):
        draw(digits.train[:1], CanvasSettings())
    with pytest.raises(ValueError, match=r"layouts has shape \(2, 2, 4\); expected .*most_digits = 1"):
        draw(digits.train, CanvasSettings(60, 60), layouts=LAYOUTS)


def stage_idx(folder, train=5010, test=20, packed=True):
    """A tiny MNIST of the right layout: random images."""
    raw = folder / "mnist" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    random = numpy.random.default_rng(0)
    for name, count in (("train", train), ("t10k", test)):
        images = random.integers(0, 256, (count, 28, 28), dtype=numpy.uint8)
        header = (0x803).to_bytes(4) + b"".join(size.to_bytes(4) for size in images.shape)
        labels = (0x801).to_bytes(4) + count.to_bytes(4) + bytes((k + k // 10) % 10 for k in range(count))
        for kind, content in (("images-idx3", header + images.tobytes()), ("labels-idx1", labels)):
            path = raw / f"{name}-{kind}-ubyte{'.gz' * packed}"
            path.write_bytes(gzip.compress(content, 1) if packed else content)
    return raw


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_is_read_from_a_staged_folder(tmp_path, monkeypatch, packed):
    raw = stage_idx(tmp_path, packed=packed)
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(tmp_path))
    images = load_digit_images("real")
    assert check_splits(images) == [10, 5000, 20] and images.name == "mnist"
    first = (gzip.decompress if packed else bytes)(next(raw.glob("t10k-images*")).read_bytes())[16 : 16 + 784]
    assert (images.test.images[0] * 255).round().flatten().tolist() == list(first)
    assert images.train.labels.tolist() == list(range(10))
    assert images.validation.labels[:3].tolist() == [1, 2, 3]  # of the images from number 10 on


def test_mnist_that_is_missing_or_damaged_is_said_aloud(tmp_path, monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(tmp_path))
    raw = stage_idx(tmp_path)
    labels, images = raw / "train-labels-idx1-ubyte.gz", raw / "train-images-idx3-ubyte.gz"
    whole = labels.read_bytes()
    for damage in (whole[: len(whole) // 2], whole[:60] + b"\xff" + whole[61:], b"no gzip"):
        labels.write_bytes(damage)
        with pytest.raises(DataFormatError, match=r"train-labels-idx1-ubyte.gz from .*cannot be read.*Copy"):
            load_digit_images("real")
    other_type = b"\0\0\x0b\x01\0\0\0\x04" + b"\1" * 4  # of the right shape, not of bytes
    for content in (other_type, b"\0\0\x08\x01", b"no idx", b""):
        labels.write_bytes(gzip.compress(content))
        with pytest.raises(DataFormatError, match=r"MNIST's train part is damaged .*in the idx format. Copy"):
            load_digit_images("real")
    labels.write_bytes((raw / "t10k-labels-idx1-ubyte.gz").read_bytes())
    with pytest.raises(DataFormatError, match=r"expected as many labels"):
        load_digit_images("real")
    images.unlink()
    with pytest.raises(RealDataNotFoundError, match=r"holds neither train-images-idx3-ubyte nor .*\.gz"):
        load_digit_images("real")


def test_mnist_is_downloaded_by_torchvision_where_it_is_not_staged(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.delenv("WHERE_TO_LOOK_DATA", raising=False)
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubUnreachableError, match="not reach the public address of MNIST.*without HF_HUB_OFFLINE"):
        load_digit_images("real")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # a server on this machine is no network
    content = {path.name: path.read_bytes() for path in stage_idx(tmp_path).iterdir()}
    digests = [(name, hashlib.md5(content[name]).hexdigest()) for name, _ in MNIST.resources]
    monkeypatch.setattr(MNIST, "resources", digests)
    with MisbehavingHub(files={f"public/{name}": packed for name, packed in content.items()}) as server:
        monkeypatch.setattr(MNIST, "mirrors", [f"{server.endpoint}/public/"])
        server.status = 403
        with pytest.raises(DownloadError, match="403.*a folder that holds mnist/, or keep SOURCE = 'default'"):
            load_digit_images("real")
        server.status, server.corrupt = None, True
        with pytest.raises(DownloadError, match="arrived damaged"):
            load_digit_images("real")
        server.corrupt = False
        assert check_splits(load_digit_images("real")) == [10, 5000, 20]
        requests = len(server.requests)
        assert check_splits(load_digit_images("real")) == [10, 5000, 20]
        assert len(server.requests) == requests
    monkeypatch.setenv("WHERE_TO_LOOK_CACHE", str(tmp_path / "another"))
    with pytest.raises(HubUnreachableError, match="could not reach.*needs the network once"):
        load_digit_images("real")


@needs("mnist")
def test_real_mnist():
    images = load_digit_images("real")
    assert check_splits(images) == [55_000, 5_000, 10_000]
    started = time.process_time()
    batch = draw(images.test, CanvasSettings(60, 60, fragments=4), count=2000)
    assert batch.images.shape == (2000, 1, 60, 60) and time.process_time() - started < 2


@pytest.mark.parametrize("name", ["svhn_layouts", "svhn"])
def test_layouts_are_sorted_from_left_to_right_and_long_numbers_left_out(tmp_path, monkeypatch, name):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(tmp_path))
    (tmp_path / name / "data").mkdir(parents=True)
    rows = [
        {"bbox": [[30, 1, 5, 9], [10, 2, 6, 8]], "label": [2, 1]},
        {"bbox": [[0, 0, 4, 4]] * 3, "label": [1, 1, 1]},
        {"bbox": [[7, 3, 2, 5]], "label": [4]},
    ]
    for part in ("train", "test"):
        path = tmp_path / name / "data" / f"{part}-00000-of-00001.parquet"
        photographs = {"image": [{"bytes": b"", "path": None}] * len(rows)} if name == "svhn" else {}
        parquet.write_table(pyarrow.table({**photographs, "digits": rows}), path)
    none = [-1.0] * 4
    assert load_layouts("test", longest=2).tolist() == [[[10, 2, 16, 10], [30, 1, 35, 10]], [[7, 3, 9, 8], none]]
    assert len(load_layouts("train", 2)) + len(load_layouts("validation", 2)) == 2


@needs("svhn_layouts")
def test_real_house_numbers(digits):
    layouts = {name: load_layouts(name) for name in SPLITS}
    assert [len(rows) for rows in layouts.values()] == [28762, 3196, 12920]
    rows = layouts["train"]
    assert (rows[:, 0] != NO_DIGIT).any(dim=1).all() and (rows[:, 0, 2:] > rows[:, 0, :2]).all()
    batch = draw(digits.train, ROWS, count=300, layouts=rows)
    assert all(rest.max() == 0 for _, rest in digits_and_rest(batch))
