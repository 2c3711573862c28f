"""Real images with captions: the loader on small files of the hub's schema, and on the staged sets where they are."""

import io
import os
from pathlib import Path
from types import SimpleNamespace

import numpy
import pyarrow
import pytest
import torch
from PIL import Image
from pyarrow import parquet

from course_utils.data.real_errors import DataFormatError, RealDataNotFoundError
from course_utils.data.scenes.photographs import LARGEST_SHIFT, PhotographData, load_photographs, photograph_data
from experiments import lesson_04_captioning as lesson_04
from experiments.captioning import Recipe, fit, pointing_game, write_captions

STAGED = Path(os.environ.get("WHERE_TO_LOOK_DATA", Path(__file__).resolve().parents[2] / "shared" / "datasets"))


def staged(name):
    why = f"no staged {name}; set WHERE_TO_LOOK_DATA to a folder that has it"
    return pytest.mark.skipif(not (STAGED / name).is_dir(), reason=why)


@pytest.fixture
def real(monkeypatch):
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(STAGED))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of staged sets."""
    monkeypatch.setenv("WHERE_TO_LOOK_DATA", str(tmp_path))
    return tmp_path


def encoded(colour, size=(30, 20), form="PNG"):
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, form)
    return {"bytes": content.getvalue(), "path": None}


def stage(folder, name, **splits):
    """Write a set of parquet files, one per split, each from a list of rows."""
    data = folder / name / "data"
    data.mkdir(parents=True)
    for split, rows in splits.items():
        parquet.write_table(pyarrow.Table.from_pylist(rows), data / f"{split}-00000-of-00001.parquet")


def flickr_row(number, words):
    captions = {f"caption_{k}": f"{words} number {k} ." for k in range(5)}
    return {"image": encoded((number, 2 * number, 255 - number)), **captions}


@pytest.fixture
def flickr(folder):
    """Files with the columns of jxie/flickr8k: an image and five captions."""
    rows = [flickr_row(n, words) for n, words in enumerate(("A brown dog", "Two Cats", "A man's hat", "The dog"))]
    stage(folder, "flickr8k", train=rows, validation=[flickr_row(50, "A zebra")], test=[flickr_row(60, "A dog")])
    return folder


def test_flickr8k_is_read_and_trains_like_scenes(flickr):
    photographs = load_photographs("flickr8k", "train", edge=16)
    assert len(photographs) == 4
    first = photographs[1]
    assert first.image.shape == (3, 16, 16) and first.image.dtype == torch.uint8
    assert first.image[:, 3, 5].tolist() == [1, 2, 254]
    assert [first.words(k) for k in range(5)] == [("two", "cats", "number", str(k), ".") for k in range(5)]
    assert first.references[2] == "two cats number 2 ." and first.boxes(0) == {} and "Flickr8k" in first.credit
    data = photograph_data("flickr8k", edge=16)
    assert "dog" in data.vocabulary and "zebra" not in data.vocabulary  # words of training captions alone
    assert "cats" not in photograph_data("flickr8k", edge=16, least=6).vocabulary
    assert "cats" in photograph_data("flickr8k", edge=16, least=5).vocabulary
    batches = list(data.batches(3, seed=1)(0))
    assert sorted(len(batch.images) for batch in batches) == [1, 3]
    rows = [row for batch in batches for row in zip(batch.target_output, batch.target_mask, strict=True)]
    said = {" ".join(data.vocabulary.decode(ids[mask].tolist()[:-1])) for ids, mask in rows}
    assert said <= {text for p in data.train for text in p.references} and len(said) == 4
    with pytest.raises(ValueError, match="no fresh examples"):
        data.fresh_batches(3, seed=1)
    (held_out,) = data.ordered_batches(data.validation, 5)
    assert data.vocabulary.decode(held_out.target_output[0].tolist())[1:3] == ["<unk>", "number"]
    options = (("widths", (4, 4, 4)), ("embedding_size", 8), ("hidden_size", 8), ("patch", 2))
    model, history = fit(Recipe("soft", options=options, steps=2, batch_size=2), data, progress=False)
    assert len(history.losses) == 2
    assert len(write_captions(model, torch.stack([p.image for p in data.examples]))) == 1


def test_what_is_staged_is_trained_on_first_and_validation_taken_from_train_where_there_is_none(flickr):
    assert photograph_data(edge=16).name == "flickr8k"
    rows = [{"image": encoded((n, 0, 0)), "caption": f"picture {n}"} for n in range(100)]
    stage(flickr, "tuxpaint_stamps", train=rows, test=rows[:1])
    data = photograph_data(edge=16)
    assert data.name == "tuxpaint_stamps"
    train, validation = ({photograph.references for photograph in split} for split in (data.train, data.validation))
    assert not train & validation and len(train | validation) == 100 and 3 <= len(validation) <= 20


def test_without_photographs_that_have_boxes_the_real_measurement_goes_on(flickr):
    assert set(lesson_04.EXPERIMENT.measure("looks", "real", 0, fast=True)) == {
        f"{name}/{metric}" for name in ("soft", "hard") for metric in ("nats", "seconds")
    }


def test_empty_captions_are_left_out(folder):
    row = {"image": encoded("red"), "caption": "A red square.", "caption_fr": "Un carré rouge."}
    stage(folder, "tuxpaint_stamps", train=[row, {**row, "caption": "  "}, {**row, "caption": None}], test=[row])
    (photograph,) = load_photographs("tuxpaint_stamps", "test", edge=8)
    assert photograph.references == ("a red square .",)  # the French column is no second caption
    both = [load_photographs("tuxpaint_stamps", split, edge=8) for split in ("train", "validation")]
    assert sum(map(len, both)) == 1


def boxed_row(objects):
    captions = {f"caption_{k}": text for k, text in enumerate(("Two women and a kite.", "Tables in a row"))}
    credit = {"license": "Attribution License", "flickr_url": "http://example.org/1.jpg"}
    return {"image": encoded("blue", (40, 20)), **captions, **credit, "objects": objects}


def thing(category, *box, crowd=False):
    return {"category": category, "bbox": list(box), "iscrowd": crowd}


def test_boxes_come_in_pixels_of_the_squeezed_image(folder):
    objects = [
        thing("person", 0.25, 0.5, 0.25, 0.25), thing("person", 0.0, 0.0, 1.0, 1.0, crowd=True),
        thing("person", 0.75, 0.0, 0.5, 0.001), thing("kite", 0.999, 0.999, 0.001, 0.001),
        thing("dining table", 0.0, 0.0, 1.0, 0.5),
    ]  # fmt: skip
    stage(folder, "coco_tiny_captions", train=[boxed_row(objects)], validation=[boxed_row(objects)])
    (photograph,) = load_photographs("coco_tiny_captions", "validation", edge=32)
    persons = ((8, 16, 16, 24), (24, 0, 32, 1))  # the crowd is none, and a box has a pixel at least
    assert photograph.boxes(0) == {1: persons, 4: ((31, 31, 32, 32),)}
    assert photograph.boxes(1) == {0: ((0, 0, 32, 16),)}
    assert photograph.credit == "Attribution License, http://example.org/1.jpg"
    cells = torch.tensor([[x, y, x + 8, y + 8] for y in range(0, 32, 8) for x in range(0, 32, 8)])
    maps = torch.zeros(1, 7, 16)
    maps[0, 1, 2 * 4 + 1] = 1.0  # on the first person
    maps[0, 4, 0] = 1.0  # not on the kite
    score = pointing_game(maps, [photograph], cells)
    assert score.hits == 0.5 and score.nouns == 2


def test_files_that_are_something_else_are_refused(folder):
    with pytest.raises(RealDataNotFoundError, match=r"no real data set is called 'flickr'"):
        load_photographs("flickr")
    stage(folder, "flickr8k", train=[{"image": {"bytes": b"no image", "path": None}, "caption_0": "A dog"}])
    with pytest.raises(DataFormatError, match=r"flickr8k, train, row 0: the image cannot be read.*again"):
        load_photographs("flickr8k")
    with pytest.raises(RealDataNotFoundError, match=r"no split 'test'"):
        load_photographs("flickr8k", "test")
    stage(folder, "coco_tiny_captions", train=[{"image": encoded("red"), "caption_0": "A", "wrong": 1}])
    with pytest.raises(DataFormatError, match=r"lacks the columns \['objects'\]"):
        load_photographs("coco_tiny_captions")


def test_a_moved_image_has_the_same_size_and_its_own_pixels():
    image = torch.arange(3 * 20 * 20).reshape(3, 20, 20).to(torch.uint8)

    def moved(value):
        return PhotographData.varied(None, image[None], SimpleNamespace(random=lambda: value))[0]

    right = moved(0.999)
    assert torch.equal(right[:, LARGEST_SHIFT:, LARGEST_SHIFT:], image[:, :-LARGEST_SHIFT, :-LARGEST_SHIFT])
    assert torch.equal(moved(0.5), image)
    assert (right[0, :, 0] == right[0, :, LARGEST_SHIFT]).all()


@staged("tuxpaint_stamps")
@staged("coco_tiny_captions")
def test_the_real_measurement_gives_every_claim_its_metrics(real):
    metrics, experiment = {}, lesson_04.EXPERIMENT
    for part in experiment.recipes("real"):
        metrics |= experiment.measure(part, "real", 0, fast=True)
    claims = [claim for claim in experiment.claims if "real" in claim.sources]
    assert len(claims) == 4
    for claim in claims:
        assert {claim.baseline[1], claim.ours[1]} <= set(metrics)
    assert 0 < metrics["soft/pointing/uniform"] < 0.6 and 0 <= metrics["soft/pointing"] <= 1


@staged("tuxpaint_stamps")
def test_the_stamps_are_as_their_card_says(real):
    data = photograph_data("tuxpaint_stamps", edge=32)
    learned = data.train + data.validation
    assert len(learned) == 706 and len(data.examples) == 78
    hashes = [numpy.asarray(p.image).tobytes() for p in learned]
    assert len(set(hashes)) > 690
    assert any("pelican" in text for p in learned for text in p.references)


@staged("coco_tiny_captions")
def test_the_photographs_have_boxes_for_their_words(real):
    photographs = load_photographs("coco_tiny_captions", "validation")
    assert len(photographs) == 50 and all(len(p.captions) == 5 for p in photographs)
    named = [boxes for p in photographs for k in range(5) for boxes in p.boxes(k).values()]
    assert len(named) > 150
    assert all(0 <= x0 < x1 <= 64 and 0 <= y0 < y1 <= 64 for boxes in named for x0, y0, x1, y1 in boxes)
    assert all("license" in p.credit.lower() or "restrictions" in p.credit for p in photographs)
