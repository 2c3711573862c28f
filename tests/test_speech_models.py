"""The listener and the speller: padding, gradients, decoding equals teacher forcing, the end held back."""

import pytest
import torch

from course_utils.data.batching import Batch
from course_utils.data.text import BEGIN, END
from course_utils.mechanisms.search import beam_search, greedy_search
from course_utils.models.speech import SYSTEMS, SpeechModel
from course_utils.training import seed_everything, train

torch.set_num_threads(1)


def make_batch(lengths=((7, 3), (4, 5), (9, 2)), words=12, seed=0):
    """Noise for features, random phonemes; padding at the right end."""
    generator = torch.Generator().manual_seed(seed)
    steps, target = max(s for s, _ in lengths), max(t for _, t in lengths)
    feature_mask = torch.arange(steps) < torch.tensor([s for s, _ in lengths]).unsqueeze(1)
    target_mask = torch.arange(target) < torch.tensor([t for _, t in lengths]).unsqueeze(1)
    features = torch.randn(len(lengths), steps, 6, generator=generator) * feature_mask.unsqueeze(2)
    output = torch.randint(4, words, (len(lengths), target), generator=generator)
    output[torch.arange(len(lengths)), target_mask.sum(dim=1) - 1] = END
    output = output * target_mask
    before = torch.cat([torch.full((len(lengths), 1), BEGIN), output[:, :-1]], dim=1) * target_mask
    heard = {"features": features, "feature_mask": feature_mask}
    return Batch(**heard, target_input=before, target_output=output, target_mask=target_mask)


def make_model(system, **sizes):
    seed_everything(0)
    options = {"feature_size": 6, "hidden_size": 8, "embedding_size": 5, "attention_size": 7, "width": 3, **sizes}
    return SpeechModel(system, 12, **options).eval()


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_utterance_alone_and_in_a_batch_is_spelled_alike(system):
    lengths = ((7, 3), (4, 5), (9, 2))
    model, batch = make_model(system), make_batch(lengths)
    logits, weights = model(batch)
    assert logits.shape == (3, 5, 12) and weights.shape == (3, 5, 9)
    assert torch.allclose(weights.sum(dim=2), torch.ones(3, 5))
    assert not weights[~batch.feature_mask.unsqueeze(1).expand_as(weights)].any()
    for row, (steps, target) in enumerate(lengths):
        cut = {name: t[:, : target if name.startswith("target") else steps] for name, t in vars(batch).items()}
        alone = Batch(**cut)[row : row + 1]
        alone_logits, alone_weights = model(alone)
        assert torch.allclose(alone_logits[0], logits[row, :target], atol=1e-5)
        assert torch.allclose(alone_weights[0], weights[row, :target, :steps], atol=1e-5)


@pytest.mark.parametrize("system", SYSTEMS)
def test_steps_of_decoding_are_those_of_training(system):
    model, batch = make_model(system), make_batch()
    logits, weights = model(batch)
    memory, state = model.start(batch.features, batch.feature_mask)
    for t in range(5):
        log_probabilities, state, look = model.step(batch.target_input[:, t], state, memory)
        assert torch.allclose(log_probabilities, torch.log_softmax(logits[:, t], dim=1), atol=1e-5)
        assert torch.allclose(look, weights[:, t], atol=1e-6)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_weight_gets_a_gradient_and_training_lowers_the_loss(system):
    model, batch = make_model(system), make_batch()
    model.loss(batch).mean.backward()
    assert [n for n, w in model.named_parameters() if w.grad is None or not w.grad.any()] == []
    before = model.loss(batch).mean.item()
    train(model, lambda epoch: [batch], steps=40, learning_rate=2e-2, progress=False)
    assert model.loss(batch).mean.item() < 0.5 * before


def test_only_real_phonemes_count():
    model, batch = make_model("location"), make_batch()
    loss = model.loss(batch)
    logits, _ = model(batch)
    terms = [
        -torch.log_softmax(logits[b, t], dim=0)[batch.target_output[b, t]]
        for b, length in enumerate((3, 5, 2)) for t in range(length)
    ]  # fmt: skip
    assert loss.tokens == 10 and loss.mean.item() == pytest.approx(torch.stack(terms).mean().item(), rel=1e-5)


@pytest.mark.parametrize("system", SYSTEMS)
def test_search_works_on_features(system):
    model, batch = make_model(system), make_batch()
    arguments = (model, batch.features, batch.feature_mask)
    greedy = greedy_search(*arguments, begin=BEGIN, end=END, max_length=6)
    beam = beam_search(*arguments, begin=BEGIN, end=END, max_length=6, beam_size=3)
    for row, (one, best) in enumerate(zip(greedy, beam, strict=True)):
        assert best.log_probability >= one.log_probability - 1e-5
        assert one.attention_weights.shape[1] >= int(batch.feature_mask[row].sum())
        alone = greedy_search(
            model, batch.features[row : row + 1], batch.feature_mask[row : row + 1], begin=BEGIN, end=END, max_length=6
        )
        assert alone[0].tokens == one.tokens


def test_the_end_is_held_back_until_the_look_is_near_the_end():
    model, batch = make_model("location"), make_batch()
    memory, state = model.start(batch.features, batch.feature_mask)
    words = batch.target_input[:, 0]
    free, _, looks = model.step(words, state, memory)
    model.end_within = 2
    held, _, _ = model.step(words, state, memory)
    far = memory.mask.sum(dim=1) - 1 - looks.argmax(dim=1) > 2
    assert far.any()
    assert held[far, END].isneginf().all() and torch.allclose(held[~far], free[~far])
    assert torch.allclose(held.exp().sum(dim=1), torch.ones(3))


def test_a_window_can_be_set_for_decoding():
    model, batch = make_model("content"), make_batch()
    model.attention.window = 1
    memory, state = model.start(batch.features, batch.feature_mask)
    _, _, looks = model.step(batch.target_input[:, 0], state, memory)
    assert not looks[:, 2:].any()  # the first look is at most one step from the first position


def test_an_unknown_system_is_refused():
    with pytest.raises(ValueError, match="system is 'dot'; expected one of content"):
        SpeechModel("dot", 12)
