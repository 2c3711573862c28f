"""Checkpoints: whole or not at all, loud when damaged, and small. What they are worth: test_cards.py."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from torch import nn

from course_utils import checkpoints
from course_utils.checkpoints import CheckpointError, load_checkpoint, round_weights, save_checkpoint
from course_utils.data.phrases.parallel import phrase_data
from course_utils.paths import data_folder
from experiments import lesson_02_additive_attention as lesson_02
from experiments.translation import Recipe


def build(card):
    return nn.Sequential(nn.Linear(card["size"], 32), nn.Conv1d(4, 8, 5), nn.BatchNorm1d(3))


def saved(folder):
    torch.manual_seed(0)
    model = build({"size": 64})
    with torch.no_grad():
        model[0].weight[1] = 0.0  # a row without a scale
        model[0].weight[2] *= 1e-5
    round_weights(model)
    save_checkpoint("tiny", model, {"size": 64, "command": "make it"}, folder)
    return model


def test_what_is_saved_is_what_is_loaded(tmp_path):
    model = saved(tmp_path)
    loaded, card = load_checkpoint("tiny", build, tmp_path)
    pairs = zip(model.state_dict().values(), loaded.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert card["size"] == 64 and not loaded.training
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.json", "tiny.safetensors"]
    assert card["bytes"] == (tmp_path / "tiny.safetensors").stat().st_size < 4500, "a byte for each of 2,208 weights"


def test_rounded_weights_are_close_to_what_they_were():
    torch.manual_seed(0)
    model = build({"size": 64})
    before = {key: tensor.clone() for key, tensor in model.state_dict().items() if tensor.dim()}
    round_weights(model)
    for key, was in before.items():
        rows, now = (tensor.reshape(len(was), -1) for tensor in (was, model.state_dict()[key]))
        assert ((now - rows).abs() <= rows.abs().amax(dim=1, keepdim=True) / 127 + 1e-4).all(), key


@pytest.mark.parametrize(
    "damage",
    [
        lambda weights, card: weights.write_bytes(weights.read_bytes()[:-5]),
        lambda weights, card: weights.write_bytes(weights.read_bytes()[:-1] + b"?"),
        lambda weights, card: weights.unlink(),
        lambda weights, card: card.unlink(),
        lambda weights, card: card.write_text("{"),
        lambda weights, card: card.write_text(json.dumps(json.loads(card.read_text()) | {"size": 4})),
    ],
    ids=["truncated", "another byte", "no weights", "no card", "card is no JSON", "another model"],
)
def test_a_damaged_checkpoint_is_said_aloud(tmp_path, damage):
    saved(tmp_path)
    damage(tmp_path / "tiny.safetensors", tmp_path / "tiny.json")
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
    assert total <= 21e6, f"{total / 1e6:.1f} MB in data/checkpoints; at most 21"


@pytest.fixture(scope="module")
def data():
    return phrase_data(train_count=15_000)


def test_a_checkpoint_of_other_words_is_refused(tmp_path, data, monkeypatch):
    for path in data_folder("checkpoints").glob("02-additive-attention.*"):
        shutil.copy(path, tmp_path)
    path = tmp_path / "02-additive-attention.json"
    if not path.exists():
        pytest.skip("the checkpoint 02-additive-attention is not stored")
    card = json.loads(path.read_text())
    card["source_words"][0] = "another"
    path.write_text(json.dumps(card))
    monkeypatch.setattr(checkpoints, "data_folder", lambda name: tmp_path)
    with pytest.raises(CheckpointError, match="other words"):
        lesson_02.load_trained("02-additive-attention", data)


def test_a_checkpoint_is_trained_evaluated_and_stored_with_its_card(tmp_path, data, monkeypatch):
    class Tiny(type(lesson_02.EXPERIMENT)):
        checkpoints = {
            "02-tiny": Recipe("rnn-search", (("attention_size", 4),), 2, batch_size=8, embedding_size=8, hidden_size=8)
        }

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
    assert card["command"] == "python -m experiments checkpoint 02 02-tiny"
    assert [step for step, _ in card["validations"]] == [2] and not (tmp_path / "waiting").exists()
