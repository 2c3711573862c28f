"""The references of the exercises compute what the course's models, baselines and metrics compute."""

import math
from types import SimpleNamespace

import pytest
import torch

from course_utils.data.batching import Batch, make_pair_batch
from course_utils.data.canvases.canvases import CanvasSettings, draw_canvases
from course_utils.data.canvases.parts import NO_DIGIT
from course_utils.data.inference.pairs import make_pairs
from course_utils.data.reports.reports import make_reports
from course_utils.data.speech.data import STEP_MS, gold_overlap
from course_utils.data.speech.phonemes import Phoneme
from course_utils.exercises import find_exercise
from course_utils.exercises.lesson_04 import pointing_game as cells
from course_utils.exercises.lesson_06.window import medians
from course_utils.mechanisms.location import LocationAwareAttention, smooth_weights, window_mask
from course_utils.mechanisms.vision import GaussianWindow
from course_utils.metrics import hard_alignment, rouge
from course_utils.models import captioning, extractive, image_cells
from course_utils.models.entailment import LastStateAttention, Reader, WordByWordAttention
from course_utils.models.glimpses import reinforce_losses
from course_utils.models.reading import END, NOTHING, DeepRecurrentAttentionModel, reading_targets
from course_utils.models.summarization import build_summarizer
from experiments import captioning as captioning_experiments
from experiments.summary_scores import score_support

close = torch.testing.assert_close
SIZE, WORDS = 4, 11
CAPTION_MASK = torch.arange(4) < torch.tensor([[4], [1], [3]])
PREMISE_MASK = torch.arange(5) < torch.tensor([[3], [5], [1]])
HYPOTHESIS_MASK = torch.arange(4) < torch.tensor([[4], [2], [3]])


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def answer(exercise_id, *arguments):
    """What the reference of an exercise returns."""
    return find_exercise(exercise_id).reference(*arguments)


def test_reinforce_is_the_policy_loss_of_the_models():
    logs, reward, baselines = torch.randn(4, 3, requires_grad=True), torch.rand(4), torch.rand(4, 3)
    ours = answer("03.reinforce", logs, reward, baselines)
    theirs, _ = reinforce_losses(logs, reward.unsqueeze(1).expand(4, 3), baselines)
    close(ours, theirs)
    close(*(torch.autograd.grad(loss, logs)[0] for loss in (ours, theirs)))


@pytest.mark.parametrize(("height", "width"), [(6, 6), (5, 9)])
def test_two_filter_banks_and_a_read_are_the_window(height, width):
    window, images = GaussianWindow(4), torch.rand(3, 2, height, width)
    parameters = window.parameters(0.3 * torch.randn(3, 5), height, width)
    rows, columns = (
        answer("03.filter-bank", center, parameters.stride, parameters.variance, 4, length)
        for center, length in ((parameters.center_y, height), (parameters.center_x, width))
    )
    close(answer("03.window-read", images, rows, columns, parameters.intensity), window.read(images, parameters))


def test_targets_of_shuffled_digits_are_those_of_the_model():
    assert (END, NOTHING, NO_DIGIT) == (10, -1, -1), "as the exercises' texts say"
    split = Batch(images=torch.rand(20, 28, 28), labels=torch.randint(10, (20,)))
    settings = CanvasSettings(height=40, width=100, fewest_digits=1, most_digits=3)
    batch = draw_canvases(split, settings, 16, torch.Generator().manual_seed(0))
    shuffle = torch.rand(16, 3).argsort(dim=1)
    labels, boxes = batch.labels.gather(1, shuffle), batch.boxes.gather(1, shuffle.unsqueeze(-1).expand(-1, -1, 4))
    assert not torch.equal(labels, batch.labels)
    assert torch.equal(answer("03.reading-targets", labels, boxes), reading_targets(batch.labels, 3))


def test_stopping_is_how_the_model_reads():
    model = DeepRecurrentAttentionModel(12, 12, most_digits=5, glimpses_per_digit=1, size=4, scales=1, hidden_size=8)
    images = torch.rand(64, 1, 12, 12)
    with torch.no_grad():
        model.what.weight *= 20  # different images get different answers
        model.output.weight *= 10
        answers = model.trace(images, sample=False).logits.argmax(dim=-1)
    assert (answers == END).any() and (answers != END).any(dim=1).any()
    expected, read = answer("03.stop-at-end", answers), model.read(images, sample=False)
    assert torch.equal(read, expected[:, : read.shape[1]])
    assert (expected[:, read.shape[1] :] == NOTHING).all()


def test_cells_stand_where_the_encoder_puts_them():
    encoder = image_cells.CellEncoder(32, 64, widths=(4, 4, 4))
    found = answer("04.cells-with-coordinates", torch.randn(2, 3, encoder.rows, encoder.columns))
    close(found[1, :, 3:], encoder.coordinates.flatten(0, 1))
    middles = torch.stack(cells.cell_middles(encoder.rows, encoder.columns, 32, 64), dim=1)
    boxes = encoder.cell_boxes().float()
    close(middles, (boxes[:, :2] + boxes[:, 2:]) / 2)
    close(middles, (found[0, :, 3:] + 1) / 2 * torch.tensor([64.0, 32.0]))


def test_the_penalty_is_that_of_the_models():
    weights = torch.randn(3, 4, 5).softmax(dim=2)
    theirs = captioning.coverage_penalty(weights, CAPTION_MASK).mean()
    close(answer("04.doubly-stochastic", weights, CAPTION_MASK, 0.3), 0.3 * theirs)


def test_hard_loss_is_the_policy_loss_of_the_models():
    logs, reward = torch.randn(3, 4, requires_grad=True), -torch.rand(3)
    ours, _ = answer("04.hard-loss", logs, torch.rand(3, 4), CAPTION_MASK, reward, -0.4, 0.5, 0.0)
    returns = reward.unsqueeze(1).expand(3, 4)
    theirs, _ = reinforce_losses(logs, returns, torch.full((3, 4), -0.4), mask=CAPTION_MASK)
    close(ours, 0.5 * theirs)
    close(*(torch.autograd.grad(loss, logs)[0] for loss in (ours, 0.5 * theirs)))


def test_the_gradient_of_sampled_cells_is_that_of_the_expectation():
    """The mean over many samples of the loss's gradient is minus the gradient of the expected reward."""
    scores, worth = torch.tensor([0.3, -0.5, 0.8], requires_grad=True), torch.tensor([-1.0, -3.0, -2.0])
    (exact,) = torch.autograd.grad(scores.softmax(0) @ worth, scores)
    many, generator = 20_000, torch.Generator().manual_seed(0)
    annotations = worth.view(1, 3, 1).expand(many, 3, 1)
    rewards, logs = answer("04.hard-sample", scores.softmax(0).expand(many, 3), annotations, generator)
    every = torch.ones(many, 1, dtype=torch.bool)
    given = logs.unsqueeze(1), torch.zeros(many, 1), every, rewards.squeeze(1), -1.8, 1.0, 0.0
    (sampled,) = torch.autograd.grad(answer("04.hard-loss", *given)[0], scores)
    close(sampled, -exact, atol=0.02, rtol=0)
    assert exact.abs().max() > 0.1


def test_the_pointing_game_is_that_of_the_experiments():
    encoder = image_cells.CellEncoder(32, 64, widths=(4, 4, 4))
    words, sizes = 30, (encoder.rows, encoder.columns)
    maps = torch.rand(words, encoder.cells).softmax(dim=1)
    _, boxes, *_ = cells.sample(torch.Generator().manual_seed(0), words, 3, *sizes, 31, 63)
    boxes[1] = -1
    gold = {word: tuple(map(tuple, row[row[:, 0] >= 0].tolist())) for word, row in enumerate(boxes) if (row >= 0).any()}
    assert 0 < len(gold) < words
    example = SimpleNamespace(image=torch.zeros(3, 32, 64), boxes=lambda caption: gold)
    score = captioning_experiments.pointing_game([maps], [example], encoder.cell_boxes())
    assert answer("04.pointing-game", maps, boxes, *sizes, 32, 64) == pytest.approx((score.hits, score.uniform))


def test_conditional_encoding_is_that_of_the_readers():
    first, second = Reader(3, SIZE), Reader(3, SIZE)
    premise, hypothesis = torch.randn(3, 5, 3), torch.randn(3, 4, 3)
    _, _, cell = first(premise, PREMISE_MASK)
    theirs, _, _ = second(hypothesis, HYPOTHESIS_MASK, cell)
    ours = answer("05.conditional-encoding", premise, PREMISE_MASK, hypothesis, first.lstm, second.lstm)
    close(ours[HYPOTHESIS_MASK], theirs[HYPOTHESIS_MASK])


@pytest.fixture
def sentences():
    """The outputs of premise and hypothesis, and the hypothesis's last ones."""
    premise, hypothesis = (torch.randn(*mask.shape, SIZE) for mask in (PREMISE_MASK, HYPOTHESIS_MASK))
    return premise, hypothesis, hypothesis[torch.arange(3), HYPOTHESIS_MASK.sum(1) - 1]


def test_attention_from_the_last_state_is_that_of_the_model(sentences):
    model, (premise, hypothesis, last) = LastStateAttention(SIZE), sentences
    matrices = model.keys.weight, model.query.weight, model.score.weight[0]
    context, weights = answer("05.last-state-attention", premise, PREMISE_MASK, last, *matrices)
    star, theirs = model(premise, PREMISE_MASK, hypothesis, HYPOTHESIS_MASK, last)
    close(weights, theirs.squeeze(1))
    close(torch.tanh(model.from_context(context) + model.from_state(last)), star)


def test_steps_carried_through_are_the_model(sentences):
    model, (premise, hypothesis, last) = WordByWordAttention(SIZE), sentences
    star, theirs = model(premise, PREMISE_MASK, hypothesis, HYPOTHESIS_MASK, last)
    matrices = model.query.weight, model.query_from_found.weight, model.carry.weight, model.score.weight[0]
    seen = []

    def step(*given):
        fresh, weights = answer("05.word-by-word-step", premise, model.keys(premise), PREMISE_MASK, *given, *matrices)
        seen.append(weights)
        return fresh, weights

    joints = model.from_context.weight, model.from_state.weight
    close(answer("05.carry-through", step, hypothesis, HYPOTHESIS_MASK, *joints), star)
    close(torch.stack(seen, dim=1), theirs)


def test_the_pointing_score_counts_hard_links_to_gold_words():
    pairs = make_pairs(40, seed=3)
    maps = [torch.rand(len(pair.hypothesis), len(pair.premise)).softmax(dim=1) for pair in pairs]
    golds = [{(i, j) for i, positions in enumerate(pair.alignment) for j in positions} for pair in pairs]
    hits = sum(len(hard_alignment(weights) & gold) for weights, gold in zip(maps, golds, strict=True))
    words = sum(bool(positions) for pair in pairs for positions in pair.alignment)
    chances = sum(len(gold) / len(pair.premise) for gold, pair in zip(golds, pairs, strict=True))
    assert 0 < words < sum(len(pair.hypothesis) for pair in pairs)
    alignments = [pair.alignment for pair in pairs]
    assert answer("05.pointing-score", maps, alignments) == pytest.approx((hits / words, chances / words))
    for weights, gold in zip(maps, golds, strict=True):
        for link in gold:
            weights[link] += 1
    hit_rate, chance = answer("05.pointing-score", maps, alignments)
    assert hit_rate == 1 and 0 < chance < 0.5


def test_the_courses_hypotheses_give_nothing_away_and_those_with_a_cue_do():
    splits = make_pairs(450, seed=5), make_pairs(300, split="test", seed=5)

    def audit(cue):
        parts = [([(*p.hypothesis, *cue(p)) for p in pairs], [p.label for p in pairs]) for pairs in splits]
        return answer("05.hypothesis-only", *parts[0], *parts[1])

    accuracy, majority = audit(lambda pair: ())
    assert accuracy == pytest.approx(1 / 3, abs=0.1) and majority == pytest.approx(1 / 3, abs=0.02)
    assert audit(lambda pair: [f"{pair.label}{n}" for n in range(20)])[0] == 1


@pytest.mark.parametrize("window", [None, 0, 1, 3])
def test_features_score_and_window_are_those_of_the_attention(window):
    attention = LocationAwareAttention(3, 4, 5, filters=2, width=5, window=window)
    outputs, query = torch.randn(3, 7, 4), torch.randn(3, 3)
    mask = torch.arange(7) < torch.tensor([[7], [3], [5]])
    previous = torch.softmax(2 * torch.randn(3, 7).masked_fill(~mask, float("-inf")), dim=1)
    _, weights = attention(query, attention.prepare(outputs, mask), previous)
    features = answer("06.location-features", previous, attention.filters.weight[:, 0])
    W, V, U = (getattr(attention, f"{of}_projection").weight for of in ("query", "key", "location"))
    b, w = attention.query_projection.bias, attention.score.weight[0]
    if window is None:
        close(answer("06.location-score", query, outputs, features, mask, W, V, U, b, w), weights)
        without = answer("06.location-score", query, outputs, 0 * features, mask, W, V, U, b, w)
        assert not torch.allclose(without, weights, atol=1e-3)
    else:
        scores = torch.tanh((query @ W.T).unsqueeze(1) + outputs @ V.T + features @ U.T + b) @ w
        close(answer("06.window", scores, previous, mask, window), weights)
        assert torch.equal(weights > 0, mask & window_mask(previous, window))


def test_the_medians_of_the_mistakes_are_those_of_the_window():
    previous = torch.softmax(2 * torch.randn(40, 9), dim=1)
    assert torch.equal((torch.arange(9) - medians(previous)).abs() <= 2, window_mask(previous, 2))


def test_smoothing_shares_out_sigmoids():
    scores, mask = torch.randn(2, 4), torch.tensor([[True] * 4, [True, True, False, False]])
    gates = scores.sigmoid() * mask
    close(smooth_weights(scores, mask), gates / gates.sum(dim=1, keepdim=True))


def test_attention_inside_the_phonemes_has_no_error():
    phonemes = [Phoneme("K", 30, 170), Phoneme("AE", 170, 300), Phoneme("T", 340, 470)]
    inside = gold_overlap(phonemes, steps=12)
    weights = (inside == 1) * torch.rand(3, 12)
    weights = weights / weights.sum(dim=1, keepdim=True)
    assert (weights * inside).sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    spans = torch.tensor([[phoneme.start_ms, phoneme.end_ms] for phoneme in phonemes])
    assert answer("06.listening-in-time", weights, spans, STEP_MS) == (0, 0)
    error, backward = answer("06.listening-in-time", weights.flip(0), spans, STEP_MS)
    assert error > 100 and backward == 1


@pytest.fixture
def batch():
    return make_pair_batch([([4, 5, 6, 7, 8, 5], [9, 10, 4]), ([6, 6, 9], [5]), ([10], [4, 4, 7, 8])])


def summarizer(name, **options):
    """Build a model, and give its first weights the size of trained ones."""
    model = build_summarizer(name, WORDS, embedding_size=3, hidden_size=4, **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
    return model.eval()


def test_next_word_and_attention_are_those_of_the_model(batch):
    model = summarizer("abs-attention", context_words=2)
    found, weights = model(batch)
    assert model.start(batch.source, batch.source_mask)[0].mask.equal(batch.source_mask)
    before = torch.cat([torch.zeros(3, 1, dtype=torch.long), batch.target_input], dim=1)
    encoder, matrices = model.encoder, model.output.weight.split([4, 4], dim=1)
    vectors = encoder.source_embedding(batch.source)
    for place in range(batch.target_input.shape[1]):
        words = before[:, place : place + 2]
        query = encoder.match(encoder.context_embedding(words).flatten(1)) / 4**0.5
        read, attention = answer("07.attentive-window", query, vectors, batch.source_mask, encoder.window)
        close(attention, weights[:, place])
        hidden = (model.target_embedding.weight, model.hidden.weight, model.hidden.bias)
        one = answer("07.next-word", words, read, *hidden, *matrices) + model.output.bias  # not in the exercise
        close(one.log_softmax(dim=1), found[:, place])


def test_perplexity_is_that_of_the_loss(batch):
    model = summarizer("abs-bag")
    with torch.no_grad():
        found = answer("07.perplexity", model(batch)[0], batch.target_output, batch.target_mask)
        assert found == pytest.approx(math.exp(model.loss(batch).mean.item()), rel=1e-5)


def test_copying_is_that_of_the_model(batch):
    model = summarizer("ras-copy")
    memory, state = model.start(batch.source, batch.source_mask)
    reading = model.read(batch.target_input, state, memory)
    mixed, written = model.log_probabilities(reading, memory).exp(), model.output(reading.features).softmax(dim=2)
    for place in range(mixed.shape[1]):
        weights, gate = reading.attention_weights[:, place], reading.gate[:, place, 0].sigmoid()
        close(answer("07.copy-mixture", written[:, place], weights, batch.source, gate), mixed[:, place])


def test_features_are_those_of_the_search():
    source = [7, 4, 5, 6, 7, 5, 4]
    for history in ([], [4], [7], [6, 7], [4, 5], [5, 7], [9, 9], [7, 4, 5]):
        last = torch.tensor([[-1, -1, *history][-2:]])
        table = extractive.extractive_features(last, torch.tensor([source]), WORDS)[0].int().tolist()
        for word in range(4, WORDS):
            assert answer("07.extractive-features", history, word, source) == tuple(table[word]), (history, word)


def test_rouge_2_is_that_of_the_library():
    texts = [("a b a b c", "b a b a c"), ("two red dogs", "two red cats turn"), ("a", "a b"), ("x x x x", "x x")]
    for hypothesis, reference in texts:
        mine = answer("07.rouge-2", hypothesis.split(), reference.split())
        assert 100 * mine == pytest.approx(rouge([hypothesis], [reference]).two)


def test_the_share_on_support_is_that_of_the_metrics():
    for report in make_reports(3, split="test"):
        weights = (2 * torch.randn(len(report.headline), len(report.source))).softmax(1)
        scores = score_support([weights], [report])
        assert answer("07.support-share", weights, report.support) == pytest.approx((scores.mass, scores.mass_chance))
