"""Checkpoints: whole or not at all, loud when damaged, and small. What they are worth: test_cards.py."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from torch import nn

from course_utils import checkpoints
from course_utils.checkpoints import (
    CheckpointError,
    load_card,
    load_checkpoint,
    round_to_bytes,
    round_to_half,
    save_checkpoint,
)
from course_utils.data.phrases.parallel import phrase_data
from course_utils.paths import data_folder
from experiments import lesson_02_additive_attention as lesson_02
from experiments.translation import Recipe


def build(card):
    return nn.Linear(card["size"], 2)


def saved(folder):
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    round_to_half(model)
    save_checkpoint("tiny", model, {"size": 3, "command": "make it"}, folder)
    return model


def test_what_is_saved_is_what_is_loaded(tmp_path):
    model = saved(tmp_path)
    loaded, card = load_checkpoint("tiny", build, tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), loaded.parameters(), strict=True))
    assert card["size"] == 3 and not loaded.training
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.json", "tiny.safetensors"]


def test_matrices_in_bytes_are_loaded_as_they_were_rounded(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.Conv1d(4, 8, 5), nn.BatchNorm1d(3))
    with torch.no_grad():
        model[0].weight[1] = 0.0  # a row without a scale
        model[0].weight[2] *= 1e-5
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    round_to_bytes(model)
    for key, tensor in model.state_dict().items():
        rows = (
            before[key].float().flatten(1)
            if tensor.dim() > 1
            else before[key].float()[:, None]
            if tensor.dim()
            else None
        )
        if rows is not None:
            allowed = rows.abs().amax(dim=1, keepdim=True) / 127 + 1e-4
            assert ((tensor.float().reshape(rows.shape) - rows).abs() <= allowed).all(), key
    path = save_checkpoint("bytes", model, {}, tmp_path, in_bytes=True)
    save_checkpoint("half", model, {}, tmp_path)
    build_same = lambda card: nn.Sequential(nn.Linear(64, 32), nn.Conv1d(4, 8, 5), nn.BatchNorm1d(3))  # noqa: E731
    loaded, _ = load_checkpoint("bytes", build_same, tmp_path)
    assert all(
        torch.equal(a, b) for a, b in zip(model.state_dict().values(), loaded.state_dict().values(), strict=True)
    )
    assert path.stat().st_size < (tmp_path / "half.safetensors").stat().st_size


@pytest.mark.parametrize(
    "damage", ["truncate", "flip", "remove weights", "remove card", "card is no JSON", "other model"]
)
def test_a_damaged_checkpoint_is_said_aloud(tmp_path, damage):
    saved(tmp_path)
    weights, card = tmp_path / "tiny.safetensors", tmp_path / "tiny.json"
    content = weights.read_bytes()
    if damage == "truncate":
        weights.write_bytes(content[:-5])
    elif damage == "flip":
        weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "remove weights":
        weights.unlink()
    elif damage == "remove card":
        card.unlink()
    elif damage == "card is no JSON":
        card.write_text("{")
    else:
        card.write_text(json.dumps({**json.loads(card.read_text()), "size": 4}))
    with pytest.raises(CheckpointError, match="make it|restore|does not fit"):
        load_checkpoint("tiny", build, tmp_path)


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    saved(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("No space left on device")))
    with pytest.raises(OSError, match="No space"):
        save_checkpoint("tiny", nn.Linear(3, 2), {"size": 3}, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_all_checkpoints_together_stay_small():
    total = sum(path.stat().st_size for path in data_folder("checkpoints").iterdir())
    assert total <= 25e6, f"{total / 1e6:.1f} MB in data/checkpoints; at most 25"


@pytest.fixture(scope="module")
def data():
    return phrase_data(train_count=15_000)


def test_a_checkpoint_of_other_words_is_refused(tmp_path, data, monkeypatch):
    if not (data_folder("checkpoints") / "02-additive-attention.json").exists():
        pytest.skip("the checkpoint 02-additive-attention is not stored")
    for path in data_folder("checkpoints").glob("02-additive-attention.*"):
        shutil.copy(path, tmp_path)
    card = json.loads((tmp_path / "02-additive-attention.json").read_text())
    card["source_words"][0] = "another"
    (tmp_path / "02-additive-attention.json").write_text(json.dumps(card))
    monkeypatch.setattr(checkpoints, "data_folder", lambda name: tmp_path)
    with pytest.raises(CheckpointError, match="other words"):
        lesson_02.load_trained("02-additive-attention", data)


def test_a_checkpoint_is_trained_evaluated_and_stored_with_its_card(tmp_path, data, monkeypatch):
    class Tiny(type(lesson_02.EXPERIMENT)):
        checkpoints = {"02-tiny": Recipe("rnn-search", 8, 8, steps=2, batch_size=8, options=(("attention_size", 4),))}

        def checkpoint_data(self, name):
            return data

    monkeypatch.setattr(checkpoints, "data_folder", lambda name: tmp_path)
    monkeypatch.setattr("experiments.recipes.training_checkpoint_path", lambda name: tmp_path / "waiting")
    monkeypatch.setattr(lesson_02, "_test_phrases", lambda: replace(data, test={(2, 8): data.test[2, 8][:4]}))
    experiment = Tiny()
    experiment.train("02-tiny")
    model, card = experiment.load("02-tiny")
    assert card["metrics"] == experiment.checkpoint_metrics("02-tiny", model)
    assert card["metrics"].keys() == {"bleu/2-8", "exact/2-8", "aer", "mass_on_gold"}
    assert card["data"].items() >= {"source": "default", **lesson_02.CHECKPOINT_DATA}.items()
    assert card["recipe"] == experiment.checkpoints["02-tiny"].configuration() | {"curriculum": []}
    assert card["command"] == "python -m experiments checkpoint 02 02-tiny" and [s for s, _ in card["validations"]] == [
        2
    ]
    assert not (tmp_path / "waiting").exists()


@pytest.mark.parametrize("name", lesson_02.EXPERIMENT.checkpoints)
def test_a_card_tells_the_phrases_that_the_code_has(name):
    if not (data_folder("checkpoints") / f"{name}.json").exists():
        pytest.skip(f"the checkpoint {name} is not stored")
    assert load_card(name)["data"].items() >= {"source": "default", **lesson_02.CHECKPOINT_DATA}.items()
