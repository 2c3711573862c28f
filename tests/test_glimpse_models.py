"""RAM, the window classifier, the conv net, DRAM and DRAW: their gradients, their conventions, what they learn."""

import math

import pytest
import torch

from course_utils.data.batching import Batch
from course_utils.mechanisms.vision import location_log_probability, location_to_pixels
from course_utils.models.classifiers import ConvClassifier, digit_targets, error_rate, multiply_adds
from course_utils.models.drawing import DRAW, gaussian_divergence
from course_utils.models.glimpses import (
    RecurrentAttentionModel,
    WindowClassifier,
    policy_gradients,
    reinforce_losses,
    sample_location,
)
from course_utils.models.reading import END, NOTHING, DeepRecurrentAttentionModel, reading_error, reading_targets
from course_utils.training import seed_everything, train

torch.set_num_threads(1)  # tensors this small gain nothing from a second thread

TINY = dict(glimpses=3, size=4, scales=2, hidden_size=12, glimpse_size=8)


def make_batch(count=8, height=12, width=12, digits=1, classes=10, seed=0):
    """Bars of light, one for each digit, in as many places and shades as there are digits."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (count, digits), generator=generator)
    images = 0.1 * torch.rand(count, 1, height, width, generator=generator)
    for k in range(digits):
        for b, label in enumerate(labels[:, k].tolist()):
            images[b, 0, label % height, k * width // digits : (k + 1) * width // digits] = 1.0
    return Batch(images=images, labels=labels, boxes=torch.zeros(count, digits, 4, dtype=torch.long))


MODELS = {
    "ram": lambda **sizes: RecurrentAttentionModel(**TINY, **sizes),
    "window": lambda **sizes: WindowClassifier(glimpses=3, size=4, hidden_size=12, **sizes),
    "conv": lambda **sizes: ConvClassifier(12, 12, layers=((4, 4, 2),), hidden_size=12, **sizes),
    "dram": lambda: DeepRecurrentAttentionModel(
        12, 12, most_digits=1, glimpses_per_digit=2, size=4, scales=2, hidden_size=12
    ),
    "draw": lambda: DRAW(12, 12, steps=3, read_size=3, write_size=3, hidden_size=12, latent_size=4),
    "draw without attention": lambda: DRAW(12, 12, steps=3, attention=False, hidden_size=12, latent_size=4),
}


@pytest.mark.parametrize("kind", MODELS)
def test_training_lowers_the_loss(kind):
    seed_everything(0)
    model, batch = MODELS[kind](), make_batch()

    def measure():
        torch.manual_seed(1)  # the same noise before and after
        with torch.no_grad():
            loss = model.loss(batch)
        return float(getattr(loss, "classification", loss.mean))

    before = measure()
    train(model, lambda epoch: [batch], steps=60, learning_rate=2e-2, progress=False)
    assert measure() < 0.9 * before


@pytest.mark.parametrize("kind", MODELS)
def test_every_weight_gets_a_gradient(kind):
    seed_everything(0)
    model = MODELS[kind]()
    model.loss(make_batch()).mean.backward()
    without = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert without == []


# REINFORCE


def test_reinforce_gradient_is_that_of_the_expected_reward():
    """One glimpse, a known reward R(l) = l_x + 3 l_y: the expectation's gradient is (1, 3), whatever the deviation."""
    torch.manual_seed(0)
    mean = torch.tensor([0.2, -0.1], dtype=torch.float64, requires_grad=True)
    means = mean.expand(200_000, 2)
    location = sample_location(means, 0.3)
    assert not location.requires_grad
    log_probability = location_log_probability(location, means, 0.3).unsqueeze(1)
    reward = (location @ location.new_tensor([1.0, 3.0])).unsqueeze(1)
    for baselines in (torch.zeros_like(reward), torch.full_like(reward, 0.7)):
        policy, _ = reinforce_losses(log_probability, reward, baselines)
        [gradient] = torch.autograd.grad(-policy, mean, retain_graph=True)
        assert gradient.tolist() == pytest.approx([1, 3], abs=0.05)


def test_rams_policy_gradient_against_the_expectation_by_quadrature():
    """A RAM with one glimpse: P(right | mean) integrated on a grid, differentiated by finite differences."""
    seed_everything(2)
    sizes = dict(size=4, scales=1, hidden_size=8, glimpse_size=6)
    model = RecurrentAttentionModel(glimpses=1, **sizes, std=0.3, alone_weight=0).double()
    with torch.no_grad():  # so that different places give different answers
        model.what.weight.mul_(12)
        model.where.weight.mul_(3)
    images = make_batch(1).images.double()
    axis = torch.linspace(-1.6, 1.6, 161, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    inside = grid.clamp(-1, 1)
    with torch.no_grad():
        framed = model.retina.prepare(images).expand(len(grid), -1, -1, -1)
        state = torch.relu(model.from_glimpse(model.glimpse(model.retina.glimpse(framed, inside), inside)))
        answers = torch.softmax(4 * model.output(state), dim=1)
        model.output.weight.mul_(4), model.output.bias.mul_(4)  # opinions that differ between places
    label = int(answers.std(dim=0).argmax())
    right = answers[:, label]
    assert right.min() < 0.2 and right.max() > 0.4

    def expected_reward(bias):
        density = torch.exp(-(grid - torch.tanh(bias)).square().sum(1) / (2 * 0.3**2))
        return float((density * right).sum() * 0.02**2 / (2 * math.pi * 0.3**2))

    bias = model.policy.bias.detach()
    steps = 0.1 * torch.eye(2, dtype=torch.float64)
    exact = [(expected_reward(bias + step) - expected_reward(bias - step)) / 0.2 for step in steps]
    many = Batch(images=images.expand(40_000, -1, -1, -1), labels=torch.full((40_000, 1), label))
    for use_baseline in (True, False):
        policy = model.loss(many, use_baseline).policy
        estimate = -torch.autograd.grad(policy, model.policy.bias)[0]
        assert max(map(abs, exact)) > 0.005
        assert estimate.tolist() == pytest.approx(exact, abs=0.1 * max(map(abs, exact)))


def test_advantages_and_returns_carry_no_gradient():
    torch.manual_seed(0)
    log_probabilities, returns, baselines = (torch.randn(4, 3, dtype=torch.float64).requires_grad_() for _ in range(3))
    policy, error = reinforce_losses(log_probabilities, returns, baselines)
    policy.backward()
    assert returns.grad is None and baselines.grad is None
    assert torch.allclose(log_probabilities.grad, -(returns - baselines).detach() / 4)
    error.backward()
    assert returns.grad is None
    assert torch.allclose(baselines.grad, 2 * (baselines - returns).detach() / 12)


def test_glimpses_that_were_not_taken_count_for_nothing():
    torch.manual_seed(0)
    log_probabilities, returns, baselines = torch.randn(3, 2, 4)
    mask = torch.tensor([[True, True, False, False], [True, True, True, True]])
    policy, error = reinforce_losses(log_probabilities, returns, baselines, mask=mask)
    terms = [(float(p), float(r), float(b)) for p, r, b, m in
             zip(*(x.flatten() for x in (log_probabilities, returns, baselines, mask)), strict=True) if m]  # fmt: skip
    assert policy.item() == pytest.approx(-sum(p * (r - b) for p, r, b in terms) / 2, rel=1e-5)
    assert error.item() == pytest.approx(sum((r - b) ** 2 for _, r, b in terms) / 6, rel=1e-5)
    bare, _ = reinforce_losses(log_probabilities, returns, baselines, use_baseline=False, mask=mask)
    assert bare.item() == pytest.approx(-sum(p * r for p, r, _ in terms) / 2, rel=1e-5)


def gradients_of(model, term, names):
    parameters = dict(model.named_parameters())
    gradients = torch.autograd.grad(term, [parameters[name] for name in names], allow_unused=True, retain_graph=True)
    return {name for name, value in zip(names, gradients, strict=True) if value is not None and value.any()}


def test_which_term_trains_what():
    seed_everything(0)
    for reaches_core in (False, True):
        model = RecurrentAttentionModel(**TINY, policy_reaches_core=reaches_core)
        names = [name for name, _ in model.named_parameters()]
        loss = model.loss(make_batch())
        policy = gradients_of(model, loss.policy, names)
        assert {"policy.weight", "policy.bias"} <= policy
        assert not {"baseline.weight", "baseline.bias", "output.weight"} & policy
        assert ("from_glimpse.weight" in policy) == reaches_core
        targets = make_batch().labels[:, 0]
        answer = torch.nn.functional.cross_entropy(model.trace(make_batch().images).logits[:, 0], targets)
        trained = gradients_of(model, answer, names)
        assert "what.weight" in trained and not {"policy.weight", "policy.bias", "baseline.weight"} & trained


def test_baseline_error_does_not_reach_the_core():
    seed_everything(0)
    model = RecurrentAttentionModel(**TINY)
    trace = model.trace(make_batch().images)
    names = [name for name, _ in model.named_parameters()]
    assert gradients_of(model, trace.baselines.sum(), names) == {"baseline.weight", "baseline.bias"}


def test_a_good_baseline_lowers_the_variance_of_the_gradient():
    seed_everything(0)
    model, batch = RecurrentAttentionModel(**TINY, alone_weight=0), make_batch(4)
    with torch.no_grad():  # an answer that does not depend on places: the reward is always 0.95
        model.output.weight.zero_()
        model.output.bias.copy_(3 * torch.arange(10.0))
        model.baseline.weight.zero_()
        model.baseline.bias.fill_(0.95)
    batch = batch.replace(labels=torch.full_like(batch.labels, 9))
    without, with_baseline = (policy_gradients(model, batch, 30, use).var(dim=0).sum() for use in (False, True))
    assert with_baseline < 0.01 * without
    assert policy_gradients(model, batch, 2).shape == (2, 12 * 2 + 2)


# RAM and its rivals


@pytest.mark.parametrize("channels, digits, classes", [(1, 1, 10), (3, 2, 11)])
def test_documented_shapes_of_the_classifiers(channels, digits, classes):
    images = torch.rand(5, channels, 12, 12)
    ram = MODELS["ram"](channels=channels, digits=digits, classes=classes)
    trace = ram.trace(images)
    assert trace.answers.shape == (5, 3, digits, classes) and torch.equal(trace.logits, trace.answers[:, 2])
    assert trace.patches.shape == (5, 3, 2, channels, 4, 4) and trace.boxes.shape == (5, 3, 2, 4)
    assert trace.locations.shape == (5, 3, 2)
    assert trace.log_probabilities.shape == trace.baselines.shape == (5, 3)
    assert ram.trace(images, glimpses=7).locations.shape == (5, 7, 2)
    trace = MODELS["window"](channels=channels, digits=digits, classes=classes).trace(images)
    assert trace.logits.shape == (5, digits, classes)
    assert trace.patches.shape == (5, 3, 1, channels, 4, 4) and trace.boxes.shape == (5, 3, 1, 4)
    conv = MODELS["conv"](channels=channels, digits=digits, classes=classes)
    assert conv.trace(images).logits.shape == (5, digits, classes)
    for model in (ram, conv):
        probabilities = model.probabilities(images, samples=2)
        assert torch.allclose(probabilities.sum(dim=-1), torch.ones(5, 3 if model is ram else 1, digits))


def test_rams_trace_tells_what_it_saw_and_where():
    seed_everything(0)
    model, images = RecurrentAttentionModel(**TINY, std=0.8), torch.rand(20, 1, 12, 12)
    trace = model.trace(images)
    assert trace.locations.abs().max() > 1  # some were sampled outside; they are read on the border
    for t in range(3):
        assert torch.equal(trace.patches[:, t], model.retina(images, trace.locations[:, t].clamp(-1, 1)))
        middle = (trace.boxes[:, t, :, :2] + trace.boxes[:, t, :, 2:]).float() / 2
        expected = location_to_pixels(trace.locations[:, t].clamp(-1, 1), 12, 12).unsqueeze(1)
        assert (middle - expected).abs().max() <= 0.5 + 1e-5


def test_without_sampling_ram_takes_the_mean_and_a_generator_repeats_the_chance():
    seed_everything(0)
    model, images = RecurrentAttentionModel(**TINY), torch.rand(6, 1, 12, 12)
    first, again = model.trace(images, sample=False), model.trace(images, sample=False)
    assert torch.equal(first.logits, again.logits)
    assert torch.allclose(first.locations[:, 0], torch.zeros(6, 2))  # h_0 = 0 and no bias yet: the middle
    once, twice = (model.trace(images, generator=torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(once.locations, twice.locations)
    assert not torch.equal(once.locations, model.trace(images).locations)
    std = model.trace(torch.rand(4000, 1, 12, 12)).locations[:, 0].std(dim=0)
    assert std.tolist() == pytest.approx([model.std] * 2, rel=0.05)


def test_monte_carlo_answers_average_independent_runs():
    seed_everything(0)
    model, images = RecurrentAttentionModel(**TINY, std=0.8), torch.rand(4, 1, 12, 12)
    with torch.no_grad():
        runs = [torch.softmax(model.trace(images, generator=g).answers, -1) for g in [torch.Generator().manual_seed(3)]]
        assert torch.equal(model.probabilities(images, 1, generator=torch.Generator().manual_seed(3)), runs[0])
        generator = torch.Generator().manual_seed(3)
        three = torch.stack([torch.softmax(model.trace(images, generator=generator).answers, -1) for _ in range(3)])
        assert not torch.equal(three[0], three[1])
        averaged = model.probabilities(images, 3, generator=torch.Generator().manual_seed(3))
    assert torch.allclose(averaged, three.mean(dim=0))
    with pytest.raises(ValueError, match=r"samples is 0; expected at least 1"):
        model.probabilities(images, 0)


def test_error_rate_counts_canvases_with_any_wrong_digit():
    model = MODELS["conv"](digits=2)
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias.zero_()
        model.output.bias.view(2, 10)[0, 3] = model.output.bias.view(2, 10)[1, 7] = 1.0
    labels = torch.tensor([[3, 7], [3, 6], [2, 7], [3, 7], [0, 0]])
    batch = Batch(images=torch.rand(5, 1, 12, 12), labels=labels)
    model.train()
    assert error_rate(model, [batch, batch]) == pytest.approx(0.6) and model.training
    with pytest.raises(ValueError, match=r"batches is empty"):
        error_rate(model, [])


def test_missing_digits_are_a_class_of_their_own():
    labels = torch.tensor([[3, 4], [5, -1]])
    assert digit_targets(labels, 2, 11).tolist() == [[3, 4], [5, 10]]
    with pytest.raises(ValueError, match=r"missing digits, but classes is 10; build the model with classes=11"):
        digit_targets(labels, 2, 10)
    with pytest.raises(ValueError, match=r"labels has shape \(2, 2\); expected \(batch, 1\)"):
        digit_targets(labels, 1, 10)


def test_gradients_of_the_window_classifier_reach_its_place():
    seed_everything(0)
    model = MODELS["window"]()
    model.loss(make_batch()).mean.backward()
    assert model.aim.weight.grad.abs().sum() > 0 and model.aim.bias.grad.abs().min() > 0
    boxes = model.trace(torch.rand(2, 1, 12, 12)).boxes[:, 0, 0]
    assert torch.allclose(boxes, torch.tensor([-1.33, -1.33, 13.33, 13.33]), atol=0.01)  # all of the image at first


def test_multiply_adds_against_counting_by_hand():
    images = torch.rand(3, 1, 12, 12)
    assert multiply_adds(MODELS["conv"](), images) == 5 * 5 * 4 * 16 + 100 * 12 + 12 * 10
    core = 2 * 16 * 8 + 2 * 8 + 16 * 12 + 2 * 12 * 12 + 12 * 2 + 12  # what, where, mix, core, policy, baseline
    assert multiply_adds(MODELS["ram"](), images) == 3 * (core + 12 * 10)
    look = 12 * 5 + 4 * 12 * 12 + 4 * 12 * 4 + 4 * 12 * (16 + 12)  # aim, rows, columns, LSTM
    assert multiply_adds(MODELS["window"](), images) == 3 * (look + 12 * 10)


def test_convolutions_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match=r"nothing of the image is left after 10 x 10"):
        ConvClassifier(12, 8)


# DRAM


def make_reader(**sizes):
    sizes = dict(most_digits=3, glimpses_per_digit=2, size=4, scales=2, hidden_size=10) | sizes
    return DeepRecurrentAttentionModel(12, 24, **sizes)


def test_reading_targets_end_after_the_last_digit():
    labels = torch.tensor([[3, -1], [1, 2]])
    assert reading_targets(labels, 3).tolist() == [[3, END, NOTHING, NOTHING], [1, 2, END, NOTHING]]
    assert reading_targets(labels, 2).tolist() == [[3, END, NOTHING], [1, 2, END]]
    with pytest.raises(ValueError, match=r"shape \(2, 2\); expected \(batch, up to 1 digits\).*larger most_digits"):
        reading_targets(labels, 1)
    with pytest.raises(ValueError, match=r"a digit after a missing one"):
        reading_targets(torch.tensor([[-1, 3]]), 2)


def test_documented_shapes_of_dram():
    trace = make_reader().trace(torch.rand(5, 1, 12, 24))
    assert trace.logits.shape == (5, 4, 11)
    assert trace.patches.shape == (5, 4, 2, 2, 1, 4, 4) and trace.boxes.shape == (5, 4, 2, 2, 4)
    assert trace.locations.shape == (5, 4, 2, 2) and trace.baselines.shape == trace.log_probabilities.shape == (5, 4, 2)


def always(model, *answers):
    """Make a reader that says these answers one after the other, whatever it sees."""
    said = iter(answers)

    def output(state):
        return torch.nn.functional.one_hot(torch.tensor(next(said)), END + 1).float() * 9

    del model.output
    model.output = output
    return model


def test_dram_stops_when_all_rows_have_ended():
    images = torch.rand(3, 1, 12, 24)
    model = always(make_reader(), [1, 2, END], [END, 3, 4], [5, END, 6], [7, 8, 9])
    assert model.read(images).tolist() == [[1, NOTHING, NOTHING], [2, 3, NOTHING], [NOTHING] * 3]
    assert model.output(None).argmax(dim=1).tolist() == [7, 8, 9]  # the fourth answer was never asked for


def test_dram_gives_up_after_one_answer_more_than_digits():
    model = always(make_reader(), [1], [2], [3], [4], [5])
    assert model.read(torch.rand(1, 1, 12, 24)).tolist() == [[1, 2, 3, 4]]
    assert model.output(None).argmax(dim=1).tolist() == [5]  # not asked a fifth time


def test_reading_error_wants_the_whole_row_and_its_end():
    labels = torch.tensor([[1, 2, -1], [1, 2, -1], [1, -1, -1], [1, 2, 3]])
    batch = Batch(images=torch.rand(4, 1, 12, 24), labels=labels)
    model = always(make_reader(), [1, 1, 1, 1], [2, END, END, 2], [END, 7, 7, 3], [0, 0, 0, 4])
    assert reading_error(model, [batch]) == pytest.approx(0.5)  # one too short, one that does not end


def test_a_glimpse_of_dram_is_credited_with_its_own_and_later_answers(monkeypatch):
    from course_utils.models import reading

    seen = {}

    def spy(log_probabilities, returns, baselines, use_baseline, mask):
        seen.update(returns=returns, mask=mask)
        return reinforce_losses(log_probabilities, returns, baselines, use_baseline, mask)

    monkeypatch.setattr(reading, "reinforce_losses", spy)
    labels = torch.tensor([[1, 2, 3], [4, -1, -1]])
    model = always(make_reader(), [1, 4], [0, END], [3, 7], [END, 7])
    torch.nn.init.zeros_(model.alone.weight), torch.nn.init.zeros_(model.alone.bias)
    loss = model.loss(Batch(images=torch.rand(2, 1, 12, 24), labels=labels))
    sure = float(torch.softmax(logits_of_a_digit := torch.tensor([9.0] + [0.0] * 10), 0)[0])
    unlikely = float(torch.softmax(logits_of_a_digit, 0)[1])  # the reward of a wrong answer
    expected = [[3 * sure + unlikely] * 2 + [2 * sure + unlikely] * 2 + [2 * sure] * 2 + [sure] * 2]
    expected = torch.tensor([*expected, [2 * sure] * 2 + [sure] * 2 + [0.0] * 4])
    expected[0, :6] += 0.1  # what each glimpse alone gives to its digit: nothing is learned yet, so one in ten
    expected[1, :2] += 0.1
    assert torch.allclose(seen["returns"], expected, atol=1e-5)
    assert seen["mask"].tolist() == [[True] * 8, [True] * 4 + [False] * 4]
    assert loss.accuracy == 0.5
    logits = torch.full((11,), 0.0)
    logits[0] = 9.0
    wrong, right = (float(-torch.log_softmax(logits, 0)[k]) for k in (1, 0))
    assert loss.classification.item() == pytest.approx((wrong + 5 * right) / 6, rel=1e-5)


def test_context_decides_where_dram_begins_but_not_what_it_says():
    seed_everything(0)
    model = make_reader()
    trace = model.trace(torch.rand(3, 1, 12, 24))
    context = list(model.context.parameters())
    assert all(
        g is None for g in torch.autograd.grad(trace.logits.sum(), context, allow_unused=True, retain_graph=True)
    )
    first = torch.autograd.grad(trace.log_probabilities[:, 0, 0].sum(), context)
    assert any(gradient.any() for gradient in first)


# DRAW


def slow_bound(model, images, noise):
    """The bound of one batch, step by step from the equations, with the given noise `(steps, batch, latent)`."""
    canvas = model.first_canvas.repeat(len(images), 1, 1, 1)
    h_enc = model.first_encoder_state.repeat(len(images), 1)
    h_dec = model.first_decoder_state.repeat(len(images), 1)
    cell_enc, cell_dec = torch.zeros_like(h_enc), torch.zeros_like(h_dec)
    divergence = 0.0
    for step in noise:
        wrong = images - 1 / (1 + torch.exp(-canvas))
        if model.attention:
            window = model.read_window.parameters(model.read_aim(h_dec), *images.shape[2:])
            parts = [model.read_window.read(part, window).flatten(1) for part in (images, wrong)]
        else:
            parts = [images.flatten(1), wrong.flatten(1)]
        h_enc, cell_enc = model.encoder(torch.cat([*parts, h_dec], dim=1), (h_enc, cell_enc))
        mean, log_variance = model.posterior(h_enc).chunk(2, dim=1)
        std = log_variance.exp().sqrt()
        posterior, prior = torch.distributions.Normal(mean, std), torch.distributions.Normal(0.0, 1.0)
        divergence = divergence + torch.distributions.kl_divergence(posterior, prior).sum(dim=1)
        h_dec, cell_dec = model.decoder(mean + std * step, (h_dec, cell_dec))
        if model.attention:
            window = model.write_window.parameters(model.write_aim(h_dec), *images.shape[2:])
            patch = model.stroke(h_dec).view(len(images), 1, 3, 3)
            canvas = canvas + model.write_window.write(patch, window, *images.shape[2:])
        else:
            canvas = canvas + model.stroke(h_dec).view_as(images)
    ink = 1 / (1 + torch.exp(-canvas))
    log_likelihood = (images * ink.log() + (1 - images) * (1 - ink).log()).sum(dim=(1, 2, 3))
    return (divergence - log_likelihood).mean(), divergence.mean()


@pytest.mark.parametrize("kind", ["draw", "draw without attention"])
def test_the_bound_equals_a_naive_computation(kind):
    seed_everything(0)
    model = MODELS[kind]().double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    images = (make_batch(5).images > 0.5).double()
    generator = torch.Generator().manual_seed(7)
    loss = model.loss(Batch(images=images), generator)
    generator.manual_seed(7)
    noise = torch.stack([torch.randn(5, 4, dtype=torch.float64, generator=generator) for _ in range(3)])
    bound, divergence = slow_bound(model, images, noise)
    assert loss.mean.item() == pytest.approx(bound.item(), rel=1e-9)
    assert loss.divergence.item() == pytest.approx(divergence.item(), rel=1e-9)
    assert loss.reconstruction.item() == pytest.approx((bound - divergence).item(), rel=1e-9)


def test_divergence_is_zero_for_the_prior_and_positive_elsewhere():
    assert gaussian_divergence(torch.zeros(2, 3), torch.zeros(2, 3)).tolist() == [0, 0]
    torch.manual_seed(0)
    assert (gaussian_divergence(torch.randn(9, 3), torch.randn(9, 3)) > 0).all()


def test_the_bound_is_above_the_true_negative_log_likelihood():
    """A model whose decoder ignores z: p(x) is exact, and the bound exceeds it by the divergence alone."""
    seed_everything(0)
    model = MODELS["draw without attention"]()
    with torch.no_grad():
        model.stroke.weight.zero_()
        model.stroke.bias.zero_()
    images = (make_batch(4).images > 0.5).float()
    loss = model.loss(Batch(images=images))
    ink = torch.sigmoid(torch.tensor(-2.0))
    exact = -(images * ink.log() + (1 - images) * (1 - ink).log()).sum(dim=(1, 2, 3)).mean()
    assert loss.reconstruction.item() == pytest.approx(exact.item(), rel=1e-5) and loss.mean > exact


@pytest.mark.parametrize("kind", ["draw", "draw without attention"])
def test_drawings_step_by_step(kind):
    seed_everything(0)
    model, images = MODELS[kind](), make_batch(5).images
    attends = kind == "draw"
    made, again = (model.generate(4, torch.Generator().manual_seed(1)) for _ in range(2))
    assert made.canvases.shape == (4, 3, 1, 12, 12) and torch.equal(made.canvases, again.canvases)
    assert made.read_boxes is None and made.divergences is None
    drawn = model.reconstruct(images, torch.Generator().manual_seed(1))
    assert drawn.canvases.shape == (5, 3, 1, 12, 12) and drawn.divergences.shape == (5, 3)
    assert (made.canvases > 0).all() and (made.canvases < 1).all()
    if attends:
        assert made.write_boxes.shape == (4, 3, 4) and drawn.read_boxes.shape == (5, 3, 4)
    else:
        assert made.write_boxes is None and drawn.read_boxes is None
    loss = model.loss(Batch(images=images), torch.Generator().manual_seed(1))
    ink = drawn.canvases[:, -1]
    expected = torch.nn.functional.binary_cross_entropy(ink, images, reduction="sum") / 5
    assert loss.reconstruction.item() == pytest.approx(expected.item(), rel=1e-4)
    assert loss.divergence.item() == pytest.approx(drawn.divergences.sum(dim=1).mean().item(), rel=1e-4)


def test_draw_refuses_images_of_another_size():
    with pytest.raises(ValueError, match=r"images has shape \(2, 1, 12, 13\); expected \(batch, 1, 12, 12\)"):
        MODELS["draw"]().reconstruct(torch.rand(2, 1, 12, 13))


def test_a_window_that_is_kept_inside_cannot_leave_the_image():
    images = torch.rand(2, 1, 20, 30)
    for keep, inside in ((True, True), (False, False)):
        model = WindowClassifier(glimpses=2, size=4, hidden_size=6, keep_inside=keep)
        with torch.no_grad():
            model.aim.bias.copy_(torch.tensor([3.0, -4.0, 0.0, -3.0, 0.0]))
        box = model.trace(images).boxes[:, :, 0]  # (batch, glimpses, 4)
        middle = (box[..., :2] + box[..., 2:]) / 2
        assert bool(((middle >= -1) & (middle <= torch.tensor([31.0, 21.0]))).all()) is inside
