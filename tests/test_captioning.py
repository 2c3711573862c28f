"""Captioning: gradients, padding, attention over cells, hard attention against enumeration, evaluation."""

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import pytest
import torch

from course_utils import checkpoints
from course_utils.data.batching import make_target_batch
from course_utils.data.scenes.data import scene_data
from course_utils.data.text import BEGIN, END
from course_utils.mechanisms.search import beam_search, greedy_search
from course_utils.models.captioning import (
    SYSTEMS,
    build_captioner,
    coverage_penalty,
    discounted_sums,
    most_probable,
)
from course_utils.models.image_cells import CellEncoder
from course_utils.training import seed_everything, train
from experiments import captioning as experiments
from experiments import lesson_04_captioning as lesson_04
from experiments.captioning import (
    CaptionAttention,
    Recipe,
    build_model,
    caption_bleu,
    fit,
    gate_score,
    mean_penalty,
    pointing_game,
    score,
    teacher_forced_traces,
    token_loss,
    write_captions,
)

torch.set_num_threads(1)  # tensors this small gain nothing from a second thread

WORDS = 12
TINY = dict(height=16, width=16, widths=(6, 8, 8), embedding_size=6, hidden_size=7)  # 2 x 2 cells
ATTENTIVE = ("soft", "hard")
LOOKING = (("widths", (6, 8, 8)), ("embedding_size", 6), ("hidden_size", 7), ("attention_size", 5))


def tiny(system, seed=0, **options):
    """A model with opinions: larger weights than a new one has, and running statistics that are not 0 and 1."""
    seed_everything(seed)
    model = build_captioner(system, WORDS, **TINY, **({"attention_size": 5} if system in ATTENTIVE else {}), **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.4 * torch.randn_like(parameter))
        for norm in model.encoder.norms:
            norm.running_mean.uniform_(-0.2, 0.2)
            norm.running_var.uniform_(0.5, 1.5)
    return model.eval()


def make_batch(lengths=(2, 4, 3), seed=0):
    generator = torch.Generator().manual_seed(seed)
    captions = [torch.randint(4, WORDS, (length,), generator=generator).tolist() for length in lengths]
    images = torch.randint(256, (len(lengths), 3, 16, 16), generator=generator, dtype=torch.uint8)
    return make_target_batch(captions).replace(images=images)


def widened(batch, columns=2):
    """The same batch with more padding behind every caption."""

    captions = ("target_input", "target_output", "target_mask")
    return batch.replace(**{name: torch.nn.functional.pad(getattr(batch, name), (0, columns)) for name in captions})


def row(batch, number):
    length = int(batch.target_mask[number].sum())
    one = batch[number : number + 1]
    return one.replace(**{name: tensor[:, :length] for name, tensor in vars(one).items() if name != "images"})


def gradients(model, value):
    return torch.autograd.grad(value, list(model.parameters()), allow_unused=True)


# Cells


def test_cells_tile_the_image_and_know_their_place():
    seed_everything(0)
    encoder = CellEncoder(16, 24, (6, 8, 8)).eval()
    boxes = encoder.cell_boxes()
    assert (encoder.rows, encoder.columns, encoder.cells) == (2, 3, 6) and boxes.shape == (6, 4)
    covered = torch.zeros(16, 24)
    for left, top, right, bottom in boxes.tolist():
        covered[top:bottom, left:right] += 1
    assert torch.equal(covered, torch.ones(16, 24)) and boxes[1].tolist() == [8, 0, 16, 8]
    cells = encoder(torch.full((1, 3, 16, 24), 99, dtype=torch.uint8))[0]
    assert cells.shape == (6, 8)
    with torch.no_grad():
        encoder.place.weight.zero_()
    blind = encoder(torch.full((1, 3, 16, 24), 99, dtype=torch.uint8))[0]
    assert not torch.allclose(cells, blind)


def test_a_change_of_the_image_changes_the_cell_that_holds_it_and_its_neighbours():
    seed_everything(0)
    encoder = CellEncoder(48, 48, (6, 8, 8)).eval()
    image = torch.zeros(1, 3, 48, 48, dtype=torch.uint8)
    changed = image.clone()
    left, top, right, bottom = encoder.cell_boxes()[25].tolist()  # the fifth row, the second column
    changed[:, :, top:bottom, left:right] = 255
    difference = (encoder(changed) - encoder(image))[0].norm(dim=1).unflatten(0, (6, 6))
    assert difference[4, 1] > 0.05
    far = [(row, column) for row in range(6) for column in range(6) if abs(row - 4) > 2 or abs(column - 1) > 2]
    assert len(far) > 15 and all(difference[place] == 0 for place in far)


def test_what_a_cell_can_see_lies_around_the_middle_of_its_view():
    encoder = CellEncoder(64, 64, widths=(4, 4, 4, 4))
    images = torch.zeros(1, 3, 64, 64, requires_grad=True)
    maps = images
    for layer in encoder.layers:  # without norms and coordinates: which pixels can a cell see at all?
        torch.nn.init.ones_(layer.weight)
        maps = layer(maps)
    maps[0, 0, 4, 3].backward()
    rows, columns = images.grad[0, 0].nonzero().unbind(1)
    seen = [(float(places.min()) + float(places.max()) + 1) / 2 for places in (columns, rows)]
    left, top, right, bottom = encoder.view_boxes()[4 * 8 + 3].tolist()
    assert seen == [(left + right) / 2, (top + bottom) / 2]


def test_flattened_images_are_the_same_and_wrong_ones_are_refused():
    encoder, images = CellEncoder(16, 16, (6, 8, 8)).eval(), make_batch().images
    assert torch.equal(encoder(images), encoder(images.flatten(1)))
    with pytest.raises(TypeError, match="uint8"):
        encoder(images.float())
    with pytest.raises(ValueError, match=r"expected \(batch, 3, 16, 16\)"):
        encoder(images[:, :, :8])
    for arguments in ((16, 20), (16, 16, (4, 4))):
        with pytest.raises(ValueError, match="multiples of twice the patch"):
            CellEncoder(*arguments)


# All systems


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_weight_gets_a_gradient(system):
    model = tiny(system, **({"penalty_weight": 0.5} if system in ATTENTIVE else {}))
    if system == "hard":
        model.expected_share = 0.0
    loss = model.loss(make_batch())
    assert loss.tokens == 12 and loss.mean.isfinite()
    for (name, _), gradient in zip(model.named_parameters(), gradients(model, loss.mean), strict=True):
        assert gradient is not None and gradient.isfinite().all() and gradient.abs().max() > 0, name


@pytest.mark.parametrize("system", SYSTEMS)
def test_more_padding_changes_neither_loss_nor_gradient(system):
    model, batch = tiny(system, **({"penalty_weight": 0.5} if system in ATTENTIVE else {})), make_batch()
    values = []
    for given in (batch, widened(batch)):
        cells = {} if system != "hard" else {"cells": torch.ones(given.target_mask.shape, dtype=torch.long)}
        loss = model.loss(given, **cells)
        values.append((loss, gradients(model, loss.mean)))
    (first, first_gradients), (second, second_gradients) = values
    assert first.tokens == second.tokens
    for one, other in zip(first[:1] + first[2:], second[:1] + second[2:], strict=True):
        assert one is other is None or torch.allclose(one, other, atol=1e-5)
    for one, other in zip(first_gradients, second_gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_image_alone_is_described_as_in_a_batch(system):
    model, batch = tiny(system), make_batch()
    logits, looks = model(batch)
    for number in range(3):
        alone = row(batch, number)
        length = alone.target_mask.shape[1]
        own, own_trace = model(alone)
        assert torch.allclose(own[0], logits[number, :length], atol=1e-5)
        if looks.gates is not None:
            assert torch.allclose(own_trace.attention_weights[0], looks.attention_weights[number, :length], atol=1e-5)


@pytest.mark.parametrize("system", SYSTEMS)
def test_steps_are_those_of_the_loop_and_so_are_their_gradients(system):
    """The loop gives weight and cells their gradients in one product; the steps leave that to autograd."""
    model, batch = tiny(system), make_batch()
    logits, looks = model(batch)
    memory, state = model.start(batch.images)
    single = []
    for number, words in enumerate(batch.target_input.unbind(dim=1)):
        log_probabilities, state, weights = model.step(words, state, memory)
        single.append(log_probabilities)
        if looks.attention_weights is not None:
            assert torch.allclose(weights, looks.attention_weights[:, number], atol=1e-6)
    single, along = torch.stack(single, dim=1), torch.log_softmax(logits, dim=-1)
    assert torch.allclose(single, along, atol=1e-5)
    mixture = torch.randn(along.shape, generator=torch.Generator().manual_seed(1))
    pairs = zip(gradients(model, (single * mixture).sum()), gradients(model, (along * mixture).sum()), strict=True)
    for one, other in pairs:
        assert one is other is None or torch.allclose(one, other, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("system", SYSTEMS)
def test_searches_write_captions_and_return_maps(system):
    model, images = tiny(system), make_batch().images.flatten(1)
    arguments = (model, images, torch.ones_like(images, dtype=torch.bool))
    limits = {"begin": BEGIN, "end": END, "max_length": 6}
    greedy = greedy_search(*arguments, **limits)
    assert [h.tokens for h in beam_search(*arguments, **limits, beam_size=1)] == [h.tokens for h in greedy]
    for hypothesis in (*greedy, *beam_search(*arguments, **limits, beam_size=3)):
        assert len(hypothesis.tokens) <= 6
        if system in ATTENTIVE:
            assert hypothesis.attention_weights.shape == (len(hypothesis.tokens) + hypothesis.ended, 4)
            assert torch.allclose(hypothesis.attention_weights.sum(dim=1), torch.ones(1), atol=1e-5)
        else:
            assert hypothesis.attention_weights is None


@pytest.mark.parametrize("system", SYSTEMS)
def test_training_lowers_the_loss(system):
    seed_everything(0)
    model, batch = build_captioner(system, WORDS, **TINY), make_batch((3, 3, 3, 3))
    before = model.loss(batch).cross_entropy.item()
    train(model, lambda epoch: [batch], steps=50, learning_rate=3e-2, progress=False)
    assert model.loss(batch).cross_entropy.item() < 0.7 * before


def test_only_a_vector_of_all_cells_knows_where_something_was():
    """Exchanging two cells leaves their mean as it is."""
    cells = torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(0))
    exchanged = cells[:, [1, 0, 2, 3]]
    assert torch.allclose(tiny("none-mean").remember(cells), tiny("none-mean").remember(exchanged), atol=1e-6)
    assert not torch.allclose(tiny("none-flat").remember(cells), tiny("none-flat").remember(exchanged), atol=1e-2)


def test_unknown_systems_and_words_are_refused():
    with pytest.raises(ValueError, match="none-mean, none-flat, soft, hard"):
        build_captioner("none", WORDS)
    batch = make_batch()
    with pytest.raises(IndexError, match="target_input"):
        tiny("soft").trace(batch.images, batch.target_input + WORDS)


# Soft attention


@pytest.mark.parametrize("system", ATTENTIVE)
def test_weights_sum_to_one_and_the_gate_scales_the_context(system):
    model, batch = tiny(system), make_batch()
    _, looks = model(batch)
    assert looks.attention_weights.shape == (3, 5, 4) and looks.gates.shape == (3, 5)
    assert torch.allclose(looks.attention_weights.sum(dim=-1), torch.ones(3, 5), atol=1e-5)
    assert (looks.gates > 0).all() and (looks.gates < 1).all() and looks.gates.std() > 1e-3
    cells = model.encoder(batch.images)
    assert torch.allclose(looks.contexts, looks.gates.unsqueeze(-1) * (looks.chosen @ cells), atol=1e-5)


def test_the_penalty_is_the_double_sum_over_real_words():
    generator = torch.Generator().manual_seed(0)
    weights = torch.softmax(torch.randn(3, 5, 4, generator=generator), dim=-1)
    mask = make_batch().target_mask
    for number, value in enumerate(coverage_penalty(weights, mask).tolist()):
        expected = 0.0
        for cell in range(4):
            looked = sum(float(weights[number, step, cell]) for step in range(5) if mask[number, step])
            expected += (1 - looked) ** 2
        assert value == pytest.approx(expected, rel=1e-5)
    even = torch.full((1, 4, 4), 0.25)
    assert float(coverage_penalty(even, torch.ones(1, 4, dtype=torch.bool))) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="target_length"):
        coverage_penalty(weights, mask[:, :4])


@pytest.mark.parametrize("system", ATTENTIVE)
def test_the_penalty_counts_a_caption_at_a_time(system):
    plain, batch = tiny(system), make_batch()
    cells = {"cells": torch.zeros(3, 5, dtype=torch.long)} if system == "hard" else {}
    penalised = tiny(system, penalty_weight=0.7)
    first, second = plain.loss(batch, **cells), penalised.loss(batch, **cells)
    assert (second.mean - first.mean).item() == pytest.approx(0.7 * 3 * float(first.penalty) / 12, rel=1e-4)


# Hard attention


def test_reinforce_is_the_exact_gradient_on_average():
    """All 16 ways to look along two words, weighted by their probability; a third word is padding."""
    model = tiny("hard", policy_weight=1.0, entropy_weight=0.0, discount=1.0).double()
    model.moving_baseline += torch.linspace(-3, 2, len(model.moving_baseline))  # any baseline: the average is the same
    model.baseline_updates += 1
    batch = widened(make_batch((1,)), 1)
    bound, average = 0.0, [torch.zeros_like(parameter) for parameter in model.parameters()]
    for cells in product(range(4), repeat=2):
        cells = torch.tensor([[*cells, 0]])

        def choose(weights, step, cells=cells):
            return torch.nn.functional.one_hot(cells[:, step], 4).to(weights)

        features, looks = model.trace(batch.images, batch.target_input, choose)
        probability = looks.attention_weights[0, :2].gather(1, cells[0, :2, None]).prod()
        bound = bound + probability * model.log_probabilities(features, batch).sum()
        loss = model.loss(batch, cells)
        for total, gradient in zip(average, gradients(model, -2 * loss.mean), strict=True):
            total += probability.detach() * gradient
    for total, gradient in zip(average, gradients(model, bound), strict=True):
        assert torch.allclose(total, gradient, atol=1e-5, rtol=1e-5)
    assert max(float(total.abs().max()) for total in average) > 1e-2


def test_the_mean_of_drawn_attention_comes_near_the_exact_one():
    weights = torch.tensor([[0.5, 0.3, 0.2, 0.0]]).expand(4000, -1)
    model = tiny("hard")
    model.generator = torch.Generator().manual_seed(0)
    drawn = model.sample(weights, 0)
    assert torch.equal(drawn.sum(dim=1), torch.ones(4000)) and set(drawn.unique().tolist()) == {0.0, 1.0}
    assert torch.allclose(drawn.mean(dim=0), weights[0], atol=0.03)


def test_entropy_is_that_of_the_weights_and_lowers_the_loss():
    batch, cells = make_batch(), torch.zeros(3, 5, dtype=torch.long)
    model = tiny("hard", entropy_weight=0.0)
    loss, (_, looks) = model.loss(batch, cells), model.trace(
        batch.images, batch.target_input, lambda weights, step: most_probable(weights * 0, step)
    )  # fmt: skip
    steps = [(number, step) for number, step in product(range(3), range(5)) if batch.target_mask[number, step]]
    expected = sum(
        -sum(w * w.log() for w in looks.attention_weights[number, step]).item() for number, step in steps
    ) / len(steps)
    assert float(loss.entropy) == pytest.approx(expected, rel=1e-4)
    with_entropy = tiny("hard", entropy_weight=0.3).loss(batch, cells)
    assert with_entropy.mean.item() == pytest.approx(loss.mean.item() - 0.3 * expected, rel=1e-4)


def test_rewards_follow_the_attention_they_are_credited_to():
    rewards = torch.tensor([[1.0, 2.0, 4.0]])
    assert discounted_sums(rewards, 0).tolist() == [[1.0, 2.0, 4.0]]
    assert discounted_sums(rewards, 1).tolist() == [[7.0, 6.0, 4.0]]
    assert discounted_sums(rewards, 0.5).tolist() == [[3.0, 4.0, 4.0]]
    with pytest.raises(ValueError, match="discount"):
        discounted_sums(rewards, 2)


def test_the_baseline_is_a_moving_average_of_drawn_rows():
    model, batch, cells = tiny("hard", discount=0.0), make_batch(), torch.zeros(3, 5, dtype=torch.long)
    features, _ = model.trace(batch.images, batch.target_input, lambda weights, step: most_probable(weights * 0, step))
    rewards = torch.zeros(3, 5).masked_scatter(batch.target_mask, model.log_probabilities(features, batch))
    means = rewards.sum(dim=0) / batch.target_mask.sum(dim=0)
    overall = rewards.sum() / batch.target_mask.sum()

    model.loss(batch, cells)
    assert not model.baseline_updates  # a model that is tested learns nothing
    model.train()
    for norm in model.encoder.norms:
        norm.eval()
    model.loss(batch, cells)
    assert torch.allclose(model.moving_baseline[:5], 0.9 * overall + 0.1 * means, atol=1e-5)
    before = model.moving_baseline.clone()
    model.loss(batch, cells)
    assert torch.allclose(model.moving_baseline[:5], 0.9 * before[:5] + 0.1 * means, atol=1e-5)
    model.expected_share = 1.0  # no row draws a cell
    before = model.moving_baseline.clone()
    model.loss(batch)
    assert torch.equal(model.moving_baseline, before)


def test_hard_attention_starts_where_soft_attention_ended():
    soft, batch = tiny("soft", seed=1), make_batch()
    hard = tiny("hard", seed=2, expected_share=1.0).start_from(soft)
    assert torch.allclose(hard.loss(batch).cross_entropy, soft.loss(batch).cross_entropy, atol=1e-6)
    assert hard.loss(batch).policy.item() == 0.0  # nothing was drawn
    _, soft_trace = soft(batch)
    _, hard_trace = hard(batch)
    assert torch.allclose(hard_trace.attention_weights[:, 0], soft_trace.attention_weights[:, 0], atol=1e-6)
    assert set(hard_trace.chosen.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(hard_trace.chosen.argmax(dim=-1), hard_trace.attention_weights.argmax(dim=-1))
    with pytest.raises(RuntimeError, match="size mismatch"):
        hard.start_from(build_captioner("soft", WORDS + 1, **TINY, attention_size=5))


def test_when_testing_cells_can_be_drawn():
    model, batch = tiny("hard"), make_batch()
    model.generator = torch.Generator().manual_seed(0)
    model.samples_when_testing = True
    chosen = torch.stack([model(batch)[1].chosen[:, 0] for _ in range(40)])
    assert len(chosen.argmax(dim=-1)[:, 0].unique()) > 1


# Evaluation


@pytest.fixture(scope="module")
def data():
    return scene_data(8, 6, groups=(2, 2), canvas=32, cached=False)


def maps_at(example, cell_boxes, place):
    """Maps that put 0.75 on the cell that `place(word)` names and the rest on all cells."""
    words = len(example.captions[0].words)
    maps = torch.full((words + 1, len(cell_boxes)), 0.25 / len(cell_boxes))
    for word in range(words):
        maps[word, place(word)] += 0.75
    return maps


def test_the_pointing_game_counts_peaks_inside_gold_boxes(data):
    example = data.test["unseen pairs"][0]
    boxes = build_model(Recipe("soft", options=LOOKING), len(data.vocabulary), 32).encoder.cell_boxes()
    gold = example.boxes(0)

    def inside(word, cell):
        x, y = ((boxes[cell, :2] + boxes[cell, 2:]) / 2).tolist()
        return any(left <= x < right and top <= y < bottom for left, top, right, bottom in gold[word])

    cells = range(len(boxes))
    right = {word: next(cell for cell in cells if inside(word, cell)) for word in gold}
    wrong = {word: next(cell for cell in cells if not inside(word, cell)) for word in gold}
    shares = {word: sum(inside(word, cell) for cell in cells) / len(boxes) for word in gold}
    uniform = sum(shares.values()) / len(gold)

    perfect = pointing_game([maps_at(example, boxes, lambda word: right.get(word, 0))], [example], boxes)
    assert perfect.hits == 1.0 and perfect.nouns == len(gold)
    assert perfect.uniform == pytest.approx(uniform, rel=1e-5)
    assert perfect.mass == pytest.approx(0.75 + 0.25 * uniform, rel=1e-5)
    failed = pointing_game([maps_at(example, boxes, lambda word: wrong.get(word, 0))], [example], boxes)
    assert failed.hits == 0.0 and failed.mass == pytest.approx(0.25 * uniform, rel=1e-5)
    areas = []
    for word in gold:
        pixels = {(x, y) for a, b, c, d in gold[word] for x in range(a, c) for y in range(b, d)}
        areas.append(len(pixels) / 32**2)
    assert perfect.chance == pytest.approx(sum(areas) / len(areas), rel=1e-5)
    with pytest.raises(ValueError, match="cells"):
        pointing_game([torch.ones(30, 3)], [example], boxes)


def test_coverage_and_gates_are_averages_over_words(data):
    example = data.test["unseen pairs"][0]
    words = example.captions[0].words
    named = example.boxes(0)
    gates = torch.tensor([0.9 if i in named else 0.2 if w in experiments.FUNCTION_WORDS else 0.5
                          for i, w in enumerate(words)] + [0.0])  # fmt: skip
    attended = CaptionAttention(words, torch.full((len(words) + 1, 4), 0.25), gates)
    if any(word in experiments.FUNCTION_WORDS for word in words):
        assert gate_score([attended], [example]) == pytest.approx((0.9, 0.2))
    expected = 4 * (1 - (len(words) + 1) / 4) ** 2
    assert mean_penalty([attended]) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="nouns"):
        gate_score([attended._replace(words=("x",))], [example])


def test_true_captions_are_exact_and_have_a_bleu_of_100(data, monkeypatch):
    examples = data.test["test"]
    true = [data.vocabulary.encode(example.captions[1].words) for example in examples]

    def write(model, images, beam_size):
        from course_utils.mechanisms.search import Hypothesis

        return [Hypothesis(tokens, 0.0, None, True) for tokens in true]

    monkeypatch.setattr(experiments, "write_captions", write)
    assert score(None, data, examples) == pytest.approx((100.0, 1.0, 6))
    true[0] = true[1]  # a caption of another picture
    result = score(None, data, examples)
    assert result.exact == pytest.approx(5 / 6) and result.bleu < 100
    with pytest.raises(ValueError, match="one set for each caption"):
        caption_bleu(["a"], [["a"], ["b"]])


# Recipes, metrics, checkpoints


def test_a_hard_recipe_has_a_soft_stage():
    hard = Recipe("hard", options=(("discount", 0.5), ("hidden_size", 7)), steps=10, soft_steps=20)
    soft = hard.soft_stage()
    assert (soft.system, soft.steps, soft.soft_steps, dict(soft.options)) == ("soft", 20, 0, {"hidden_size": 7})
    assert hard.shortened(0.1).soft_steps == 2


def test_a_hard_recipe_trains_a_soft_model_first(data):
    recipe = Recipe("hard", options=(*LOOKING, ("expected_share", 0.5)), steps=2, batch_size=4, soft_steps=3)
    small = replace(data, draw=None)  # drawing new scenes takes longer than the steps
    model, history = fit(recipe, small, progress=False)
    assert type(model) is SYSTEMS["hard"] and len(history.losses) == 5 and int(model.baseline_updates) == 2
    again, _ = fit(recipe, small, progress=False)
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="only a hard model has"):
        fit(replace(recipe, system="soft"), small, progress=False)
    with pytest.raises(ValueError, match="only a model with attention"):
        fit(Recipe("none-flat", steps=2), small, start_from=model, progress=False)
    with pytest.raises(ValueError, match="groups"):
        fit(replace(recipe, groups=(2, 4)), small, progress=False)


def test_attention_follows_the_reference_and_beams_keep_the_order(data):
    seed_everything(0)
    model = build_model(Recipe("soft", options=LOOKING), len(data.vocabulary), 32).eval()
    examples = data.test["test"]
    looks = teacher_forced_traces(model, data, examples, batch_size=4)
    alone = teacher_forced_traces(model, data, examples[5:], batch_size=4)[0]
    assert [look.words for look in looks] == [example.captions[0].words for example in examples]
    assert looks[5].attention_weights.shape == (len(looks[5].words) + 1, 16)
    assert torch.allclose(looks[5].attention_weights, alone.attention_weights, atol=1e-5)
    assert torch.allclose(looks[5].gates, alone.gates, atol=1e-5)
    images = torch.stack([example.image for example in examples])
    together, last = write_captions(model, images, batch_size=4), write_captions(model, images[5:])
    assert len(together) == 6 and together[5].tokens == last[0].tokens
    assert token_loss(model, data, batch_size=2) == pytest.approx(token_loss(model, data), rel=1e-4)
    blind = build_model(Recipe("none-mean", options=LOOKING[:3]), len(data.vocabulary), 32)
    with pytest.raises(ValueError, match="no attention weights"):
        teacher_forced_traces(blind, data, examples)


def test_checkpoints_start_from_another_and_say_so_on_their_cards(data, tmp_path, monkeypatch):
    experiment, started = lesson_04.EXPERIMENT, []
    small = {
        name: replace(recipe, options=LOOKING, groups=(2, 2), steps=1, batch_size=4, fresh=False)
        for name, recipe in experiment.checkpoints.items()
    }

    def fit(recipe, data, seed=0, start_from=None, **options):
        started.append(start_from is not None)
        return experiments.fit(recipe, data, seed, start_from=start_from, **options)

    monkeypatch.setattr(checkpoints, "data_folder", lambda kind: tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(experiment, "checkpoints", small)
    monkeypatch.setattr(lesson_04, "scenes_of", lambda groups: data)
    monkeypatch.setattr(lesson_04, "build_model", lambda recipe, size: build_model(recipe, size, 32))
    monkeypatch.setattr(lesson_04, "captioning", SimpleNamespace(fit=fit))
    monkeypatch.setattr(experiments, "MOST_WORDS", 8)
    for name in small:
        experiment.train(name)
    assert started == [False, True, True]
    model, card = experiment.load("04-hard")
    assert type(model) is SYSTEMS["hard"] and card["starts_from"] == "04-soft"
    assert card["vocabulary"] == list(data.vocabulary.words) and card["data"]["credit"] == data.credit
    assert {"nats", "bleu/unseen", "pointing/view"} <= set(card["metrics"])
    assert card["metrics"] == pytest.approx(experiment.checkpoint_metrics("04-hard", model), abs=1e-3)
