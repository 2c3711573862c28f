"""The benchmark runs, prints its table, and compares like with like."""

import json
import math

import pytest
import torch

from course_utils.models.translation import RNNsearch
from tools.bench import QUICK, WithoutAttention, main, random_batch
from tools.bench_peer import PeerUnavailable, load_peer
from tools.textbook_rnnsearch import TextbookRNNsearch


def textbook_weights(model: RNNsearch) -> dict[str, torch.Tensor]:
    """The same weights under the textbook's names."""
    attention, recurrence = model.decoder.attention, model.decoder.recurrence
    parts = {
        "source_embedding": model.source_embedding,
        "target_embedding": model.target_embedding,
        "initial": model.initial,
        "W": attention.query_projection,
        "U": attention.key_projection,
        "v": attention.score,
        "maxout": model.readout.hidden,
        "output": model.readout.output,
    }
    weights = {
        f"{part}.{name}": tensor for part, module in parts.items() for name, tensor in module.state_dict().items()
    }
    weights |= {f"cell.{name.removesuffix('_l0')}": tensor for name, tensor in recurrence.state_dict().items()}
    weights |= {f"encoder.{name}": tensor for name, tensor in model.encoder.forward_reader.state_dict().items()}
    backward = model.encoder.backward_reader.state_dict()
    return weights | {f"encoder.{name}_reverse": tensor for name, tensor in backward.items()}


def test_the_textbook_loop_computes_what_ours_computes():
    torch.manual_seed(0)
    ours, textbook = RNNsearch(50, 50, 6, 8).double(), TextbookRNNsearch(50, 6, 8).double()
    textbook.load_state_dict(textbook_weights(ours))
    batch = random_batch(5, 50, seed=0)
    mine, other = ours.loss(batch).mean, textbook.loss(batch)
    assert mine.item() == pytest.approx(other.item(), rel=1e-12)
    mine.backward()
    other.backward()
    assert torch.allclose(ours.source_embedding.weight.grad, textbook.source_embedding.weight.grad, atol=1e-12)


def test_the_limit_has_the_same_encoder_and_readout():
    ours, limit = RNNsearch(50, 50, 6, 8), WithoutAttention(50, 6, 8)
    shapes, limit_shapes = ({name: p.shape for name, p in m.named_parameters()} for m in (ours, limit))
    assert {name: shape for name, shape in shapes.items() if ".attention." not in name} == limit_shapes


def test_lengths_are_those_of_multi30k():
    lengths = random_batch(2000, 50, seed=0).source_mask.sum(dim=1).double()
    assert 12.5 < lengths.mean() < 13.5 and 3.5 < lengths.std() < 4.5
    assert lengths.min() >= 4 and lengths.max() <= 40


def test_quick_benchmark(tmp_path, capsys):
    threads = torch.get_num_threads()
    results = main(["--quick", "--no-peer", "--output", str(tmp_path / "bench.json")])
    printed = capsys.readouterr().out
    assert len(results["ratios"]) == 4 and torch.get_num_threads() == threads
    for ratio in results["ratios"]:
        assert ratio["name"] in printed
        assert math.isfinite(ratio["median"]) and 0 < ratio["low"] <= ratio["median"] <= ratio["high"]
    assert results["ratios"][0]["median"] > 1.2  # the textbook loop is slower even at this size
    assert [(row["grows"], row["value"]) for row in results["growth"]] == [
        *(("length", value) for value in QUICK.growth_lengths),
        *(("batch", value) for value in QUICK.growth_batches),
        *(("vocabulary", value) for value in QUICK.growth_vocabularies),
    ]
    assert all(row["low"] <= row["seconds"] <= row["high"] for row in results["growth"])
    assert json.loads((tmp_path / "bench.json").read_text())["versions"]["torch"]


def test_a_missing_peer_is_said_and_not_fatal(tmp_path, monkeypatch, capsys):
    import tools.bench

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(PeerUnavailable, match="could not be installed"):
        load_peer(tmp_path / "peer")

    def unavailable(folder):
        raise PeerUnavailable("d2l could not be installed (no network)")

    monkeypatch.setattr(tools.bench, "load_peer", unavailable)
    monkeypatch.setattr(tools.bench, "measure_training", lambda sizes, peer: [])
    monkeypatch.setattr(tools.bench, "measure_search", lambda sizes: [])
    monkeypatch.setattr(tools.bench, "measure_growth", lambda sizes: [])
    assert main(["--quick"])["peer"] is None
    assert "Without the peer d2l: d2l could not be installed (no network). Is the package" in capsys.readouterr().out
