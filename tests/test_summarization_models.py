"""The eight summarizers: equations in plain loops, padding, steps, learning, copying; features and their tuning."""

import itertools
import math
import random

import pytest
import torch

from course_utils.data.batching import Batch, make_pair_batch
from course_utils.data.text import BEGIN, END, UNKNOWN
from course_utils.mechanisms.search import beam_search, greedy_search
from course_utils.models.abs_encoders import AttentionEncoder, BagOfWordsEncoder, ConvolutionalEncoder
from course_utils.models.abs_model import FeedForwardSummarizer
from course_utils.models.extractive import (
    ExtractiveSummarizer,
    ExtractiveWeights,
    extractive_features,
    matchable,
    tune_weights,
)
from course_utils.models.recurrent_summarizer import RecurrentSummarizer
from course_utils.models.summarization import SYSTEMS, build_summarizer, fill_unknown_words
from course_utils.training import train

torch.set_num_threads(1)

VOCABULARY_SIZE = 17
LENGTHS = [(7, 4), (1, 2), (12, 6), (4, 0)]
WITHOUT_ATTENTION = {"abs-none", "abs-bag", "abs-convolution"}
everywhere = pytest.mark.parametrize("system", SYSTEMS)
recurrent = pytest.mark.parametrize("system", [name for name in SYSTEMS if name.startswith("ras")])


def random_words(length, draw, lowest=4):
    return [draw.randrange(lowest, VOCABULARY_SIZE) for _ in range(length)]


def random_batch(lengths=LENGTHS, seed=0):
    draw = random.Random(seed)
    return make_pair_batch([(random_words(source, draw), random_words(target, draw)) for source, target in lengths])


def tiny_model(system, sharpness=2.0, **sizes):
    """A small model in float64 and eval() mode whose weights are large enough to see a mistake."""
    torch.manual_seed(0)
    model = build_summarizer(system, VOCABULARY_SIZE, **{"embedding_size": 5, "hidden_size": 6, **sizes})
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("position"):
                parameter.normal_()  # zero in a new model
            parameter.mul_(sharpness)
    return model.double().eval()


def spoil_padding(batch, filler=9):
    """Two more padded columns on both sides, and an ordinary word instead of every padding word."""

    def widen(tensor, value):
        return torch.cat([tensor, tensor.new_full((len(tensor), 2), value)], dim=1)

    return Batch(
        source=widen(batch.source.masked_fill(~batch.source_mask, filler), filler),
        source_mask=widen(batch.source_mask, False),
        target_input=widen(batch.target_input.masked_fill(~batch.target_mask, filler), filler),
        target_output=widen(batch.target_output.masked_fill(~batch.target_mask, filler), filler),
        target_mask=widen(batch.target_mask, False),
    )


# The equations, in plain loops


def affine(layer, vector):
    return layer.weight @ vector if layer.bias is None else layer.weight @ vector + layer.bias


def softmax(scores):
    powers = [math.exp(score) for score in scores]
    return [power / sum(powers) for power in powers]


def bag_of_words(encoder, source, words):
    total = sum(encoder.source_embedding.weight[word] for word in source)
    return total / len(source), None


def convolve(layer, vectors):
    """Every place of a text from its surroundings, which are zero beyond the ends."""
    reach = layer.kernel_size[0] // 2
    results = []
    for i in range(len(vectors)):
        value = layer.bias
        for k in range(-reach, reach + 1):
            if 0 <= i + k < len(vectors):
                value = value + layer.weight[:, :, k + reach] @ vectors[i + k]
        results.append(value)
    return results


def convolutional(encoder, source, words):
    vectors = [encoder.source_embedding.weight[word] for word in source]
    for layer in encoder.convolutions:
        convolved = convolve(layer, vectors)
        pairs = [convolved[i : i + 2] for i in range(0, len(convolved), 2)]
        vectors = [torch.tanh(torch.stack(pair).max(dim=0).values) for pair in pairs]
    return torch.stack(vectors).max(dim=0).values, None


def attention_based(encoder, source, words):
    x = [encoder.source_embedding.weight[word] for word in source]
    context = encoder.match.weight @ torch.cat([encoder.context_embedding.weight[word] for word in words])
    p = softmax([float(vector @ context) / math.sqrt(len(context)) for vector in x])
    q = encoder.window
    smoothed = [sum(x[max(0, j - q) : j + q + 1]) / (2 * q + 1) for j in range(len(x))]
    return sum(weight * vector for weight, vector in zip(p, smoothed, strict=True)), p


ENCODERS = {
    "abs-bag": (BagOfWordsEncoder, bag_of_words, {}),
    "abs-convolution": (ConvolutionalEncoder, convolutional, {"layers": 2, "reach": 1}),
    "abs-attention": (AttentionEncoder, attention_based, {"context_words": 3, "embedding_size": 4, "window": 1}),
}


@torch.no_grad()
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_follows_its_equation(name):
    kind, reference, options = ENCODERS[name]
    torch.manual_seed(0)
    encoder = kind(VOCABULARY_SIZE, 6, **options).double()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.mul_(3)
    batch = random_batch()
    words = torch.randint(0, VOCABULARY_SIZE, (len(batch.source), 4, 3))
    encoded, weights = encoder(words, encoder.prepare(batch.source, batch.source_mask))
    assert encoded.shape == (len(batch.source), 4, 6)
    for row, column in itertools.product(range(len(batch.source)), range(4)):
        source = batch.source[row, batch.source_mask[row]]
        expected, expected_weights = reference(encoder, source, words[row, column])
        assert torch.allclose(encoded[row, column], expected)
        if expected_weights is None:
            assert weights is None
        else:
            assert torch.allclose(weights[row, column, : len(source)], torch.tensor(expected_weights).double())
            assert not weights[row, column, len(source) :].any()


def feed_forward_2015(model, source, target):
    """p(y_{i+1} | y_c, x) one word at a time; the padding word stands before the begin symbol."""
    history, rows, all_weights = [0] * (model.context_words - 1) + target.tolist(), [], []
    reference = {kind: function for kind, function, _ in ENCODERS.values()}.get(type(model.encoder))
    for i in range(len(target)):
        words = history[i : i + model.context_words]
        hidden = torch.tanh(affine(model.hidden, torch.cat([model.target_embedding.weight[word] for word in words])))
        features = hidden
        if reference is not None:
            encoded, weights = reference(model.encoder, source, words)
            features = torch.cat([hidden, encoded])
            all_weights.append(weights)
        rows.append(torch.log_softmax(affine(model.output, features), dim=0))
    return torch.stack(rows), torch.tensor(all_weights).double() if all_weights and all_weights[0] is not None else None


def chopra_2016(model, source, target):
    """The recurrent successor word by word, and its copying if it has any."""
    x = [model.source_embedding.weight[word] for word in source]
    last = model.position_embedding.num_embeddings - 1
    a = [vector + model.position_embedding.weight[min(j, last)] for j, vector in enumerate(x)]
    z = convolve(model.convolution, a)
    first = affine(model.initial, sum(z) / len(z))
    elman = type(model.cell).__name__ == "ElmanCell"
    h, m = (torch.sigmoid(first) if elman else torch.tanh(first)), torch.zeros_like(first)
    rows, all_weights = [], []
    for word in target:
        y = model.target_embedding.weight[word]
        if hasattr(model.attention, "score"):
            layer = model.attention
            scores = [
                float(layer.score.weight @ torch.tanh(affine(layer.query_projection, h) + layer.key_projection(z_j)))
                for z_j in z
            ]
        else:
            scores = [float(z_j @ h) for z_j in z]
        alpha = softmax(scores)
        c = sum(weight * vector for weight, vector in zip(alpha, x, strict=True))
        total = affine(model.cell.word, y) + model.cell.recurrent.weight @ h + model.cell.context.weight @ c
        if elman:
            h = torch.sigmoid(total)
        else:
            enter, forget, out, candidate = total.view(4, -1)
            m = torch.sigmoid(forget) * m + torch.sigmoid(enter) * torch.tanh(candidate)
            h = torch.sigmoid(out) * torch.tanh(m)
        probabilities = torch.softmax(affine(model.output, torch.cat([h, c])), dim=0)
        if hasattr(model, "gate"):
            g = torch.sigmoid(affine(model.gate, torch.cat([h, c, y])))
            probabilities = g * probabilities
            for j, copied in enumerate(source):
                probabilities[copied] += ((1 - g) * alpha[j])[0]
        rows.append(probabilities.log())
        all_weights.append(alpha)
    return torch.stack(rows), torch.tensor(all_weights).double()


@torch.no_grad()
@everywhere
def test_a_system_follows_its_paper_word_by_word(system):
    sizes = {"positions": 5} if system.startswith("ras") else {"context_words": 3}
    model, batch = tiny_model(system, **sizes), random_batch()
    paper = chopra_2016 if system.startswith("ras") else feed_forward_2015
    log_probabilities, weights = model(batch)
    for row in range(len(batch.source)):
        source_mask, target_mask = batch.source_mask[row], batch.target_mask[row]
        expected, expected_weights = paper(model, batch.source[row, source_mask], batch.target_input[row, target_mask])
        assert torch.allclose(log_probabilities[row, target_mask], expected)
        if system in WITHOUT_ATTENTION:
            assert weights is None and expected_weights is None
        else:
            assert torch.allclose(weights[row, target_mask][:, source_mask], expected_weights)


# Padding, steps, gradients, learning


@torch.no_grad()
@everywhere
def test_padding_never_changes_an_answer(system):
    model, batch = tiny_model(system), random_batch()
    log_probabilities, weights = model(batch)
    spoiled, spoiled_weights = model(spoil_padding(batch))
    assert torch.allclose(model.loss(batch).mean, model.loss(spoil_padding(batch)).mean)
    for row in range(len(batch.source)):
        source, target = int(batch.source_mask[row].sum()), int(batch.target_mask[row].sum())
        lengths = {name: source if name.startswith("source") else target for name in vars(batch)}
        alone = Batch(**{name: getattr(batch, name)[row : row + 1, :length] for name, length in lengths.items()})
        alone_log_probabilities, alone_weights = model(alone)
        assert torch.allclose(alone_log_probabilities[0], log_probabilities[row, :target])
        assert torch.allclose(alone_log_probabilities[0], spoiled[row, :target])
        if weights is not None:
            assert torch.allclose(alone_weights[0], weights[row, :target, :source])
            assert torch.allclose(alone_weights[0], spoiled_weights[row, :target, :source])


@torch.no_grad()
@everywhere
def test_steps_of_decoding_are_those_of_training(system):
    model, batch = tiny_model(system), random_batch()
    log_probabilities, weights = model(batch)
    memory, state = model.start(batch.source, batch.source_mask)
    for t in range(batch.target_input.shape[1]):
        step_log_probabilities, state, row_weights = model.step(batch.target_input[:, t], state, memory)
        assert torch.allclose(step_log_probabilities, log_probabilities[:, t])
        assert (row_weights is None) == (weights is None)
        if row_weights is not None:
            assert torch.allclose(row_weights, weights[:, t])


@torch.no_grad()
@everywhere
def test_shapes_distributions_and_loss(system):
    model, batch = tiny_model(system), random_batch()
    log_probabilities, weights = model(batch)
    assert log_probabilities.shape == (*batch.target_input.shape, VOCABULARY_SIZE)
    assert torch.allclose(log_probabilities.exp().sum(dim=-1), torch.ones(batch.target_input.shape).double())
    assert (weights is None) == (system in WITHOUT_ATTENTION)
    if weights is not None:
        assert weights.shape == (*batch.target_input.shape, batch.source.shape[1])
        assert torch.allclose(weights.sum(dim=-1), torch.ones(batch.target_input.shape).double())
        assert not weights[~batch.source_mask.unsqueeze(1).expand_as(weights)].any()
    real, words = log_probabilities[batch.target_mask], batch.target_output[batch.target_mask]
    for smoothing in (0.0, 0.2):
        loss = model.loss(batch, smoothing)
        expected = torch.nn.functional.cross_entropy(real, words, label_smoothing=smoothing)
        assert torch.allclose(loss.mean, expected) and loss.tokens == len(words)


@everywhere
def test_a_loss_over_more_rows_than_are_scored_at_once(system):
    model, batch = tiny_model(system), random_batch([(5, 19)] * 15)
    real = model(batch)[0][batch.target_mask]
    assert len(real) == 300
    assert torch.allclose(model.loss(batch).mean, -real.gather(1, batch.target_output.flatten()[:, None]).mean())


@everywhere
def test_gradients_reach_every_parameter(system):
    model, batch = tiny_model(system), random_batch()
    model.loss(batch).mean.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name


@everywhere
def test_a_handful_of_pairs_is_learnt_by_heart(system):
    draw = random.Random(1)
    pairs = [(random_words(8, draw), [first, *random_words(2, draw)]) for first in range(4, 10)]
    batch = make_pair_batch(pairs)
    torch.manual_seed(0)
    model = build_summarizer(system, VOCABULARY_SIZE, embedding_size=16, hidden_size=32)
    train(model, lambda epoch: [batch], steps=70, learning_rate=0.02, progress=False)
    mean = model.loss(batch).mean.item()
    if system == "abs-none":  # knows each headline once its first word is known, and cannot know that
        unknowable = math.log(len(pairs)) / batch.target_mask.shape[1]
        assert unknowable < mean < unknowable + 0.05
        return
    assert mean < 0.2
    options = {"begin": BEGIN, "end": END, "max_length": 6}
    greedy = greedy_search(model, batch.source, batch.source_mask, **options)
    beam = beam_search(model, batch.source, batch.source_mask, beam_size=3, **options)
    for found, widely_found, (source, headline) in zip(greedy, beam, pairs, strict=True):
        assert found.tokens == widely_found.tokens == headline
        if system not in WITHOUT_ATTENTION:
            assert found.attention_weights.shape == (len(headline) + 1, len(source))


def test_dropout_works_while_training_only():
    batch = random_batch()
    for system in SYSTEMS:
        model = tiny_model(system, dropout=0.5)
        assert torch.equal(model(batch)[0], model(batch)[0])
        model.train()
        assert not torch.equal(model(batch)[0], model(batch)[0])


def test_the_language_model_sees_no_more_than_its_last_words():
    model = tiny_model("abs-bag", context_words=3)
    batch = random_batch([(6, 8)])
    changed = batch.replace(target_input=batch.target_input.clone())
    changed.target_input[0, 2] = (changed.target_input[0, 2] - 3) % 13 + 4
    same = (model(batch)[0] == model(changed)[0]).all(dim=-1)[0].tolist()
    assert same == [True, True, False, False, False, True, True, True, True]


def test_a_new_model_knows_no_positions():
    torch.manual_seed(0)
    model = build_summarizer("ras-additive", VOCABULARY_SIZE, embedding_size=5, hidden_size=6, reach=0)
    source = torch.tensor([[4, 5, 6], [6, 5, 4]])
    memory, _ = model.start(source, torch.ones_like(source, dtype=torch.bool))
    assert torch.allclose(memory.attention.keys[0], memory.attention.keys[1].flip(0))


# Copying


@torch.no_grad()
def test_copying_gives_source_and_unknown_words_the_probability_of_their_places():
    model = tiny_model("ras-copy")
    batch = make_pair_batch([([5, UNKNOWN, 7, 5], [5, 8]), ([UNKNOWN, 9], [9])])
    model.gate.weight.zero_()
    model.gate.bias.fill_(-60.0)  # copies, always
    log_probabilities, weights = model(batch)
    probabilities = log_probabilities.exp()
    first = weights[0, :, [0, 1, 2]] + torch.stack([weights[0, :, 3], *[torch.zeros(3).double()] * 2], dim=1)
    assert torch.allclose(probabilities[0][:, [5, UNKNOWN, 7]], first)
    assert torch.allclose(probabilities[1][:, [UNKNOWN, 9]], weights[1, :, :2])
    assert float(probabilities[0, :, 8].max()) < 1e-20
    assert log_probabilities.isfinite().all()
    model.gate.bias.fill_(60.0)  # never copies
    generated = RecurrentSummarizer.log_probabilities(model, model.read(batch.target_input, *model.start(
        batch.source, batch.source_mask)[::-1]), None)  # fmt: skip
    assert torch.allclose(model(batch)[0], generated)


def test_gradients_are_finite_where_nothing_can_be_copied():
    model = tiny_model("ras-copy").float()
    with torch.no_grad():
        model.gate.bias.fill_(-200.0)
    batch = make_pair_batch([([5, 6], [9, 10])])  # no word of the headline is in the source
    model.loss(batch).mean.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_unknown_words_are_filled_from_where_the_model_attends():
    weights = torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]])
    words, source = ["<unk>", "sits"], ["the", "quokka", "sat"]
    assert fill_unknown_words(words, weights, source, [True, False, True]) == ["quokka", "sits"]
    assert fill_unknown_words(words, weights, source, [False, False, True]) == ["the", "sits"]
    assert fill_unknown_words(words, weights, source, [True] * 3) == ["the", "sits"]
    assert fill_unknown_words(["sits", "<unk>"], weights, source, [True] * 3) == ["sits", "sat"]
    for wrong in ((words, weights, source, [True]), (words, weights[:1], source, [True] * 3)):
        with pytest.raises(ValueError, match="a row for every word"):
            fill_unknown_words(*wrong)


# Extractive features


def brute_force(before, last, word, source):
    """The paper's four features of one word, by trying all places."""
    if word < 4:
        return [False] * 4
    places = range(len(source))
    return [
        any(source[j] == word for j in places),
        any(source[j] == word and j > 0 and source[j - 1] == last >= 4 for j in places),
        any(source[j - 2 : j + 1] == [before, last, word] and min(before, last) >= 4 for j in places if j > 1),
        any(source[k] == last >= 4 and source[j] == word for k in places for j in range(k)),
    ]  # fmt: skip


def test_features_agree_with_trying_all_places():
    draw = random.Random(0)
    sources = [[draw.randrange(0, 9) for _ in range(length)] for length in (1, 2, 9, 25, 40)]
    history = torch.tensor([[draw.randrange(-1, 9), draw.randrange(0, 9)] for _ in sources])
    batch = make_pair_batch([(source, []) for source in sources])
    spoiled = batch.source.masked_fill(~batch.source_mask, 6)
    seen = torch.zeros(4, dtype=torch.bool)
    for turn in range(20):
        history = torch.roll(history, 1, 0) if turn % 2 else torch.tensor([[draw.randrange(4, 9), draw.randrange(4, 9)]
                                                                          for _ in sources])  # fmt: skip
        features = extractive_features(history, matchable(spoiled, batch.source_mask), 9)
        assert features.shape == (5, 9, 4)
        for row, source in enumerate(sources):
            expected = [brute_force(*history[row].tolist(), word, source) for word in range(9)]
            assert features[row].tolist() == expected
        seen |= features.flatten(0, 1).any(dim=0)
    assert seen.all()


@torch.no_grad()
@everywhere
def test_rewards_are_added_at_every_step(system):
    model, batch, alpha = tiny_model(system), random_batch(), ExtractiveWeights(0.5, -1.0, 2.0, 3.0)
    plain, _ = model(batch)
    tuned = ExtractiveSummarizer(model, alpha)
    memory, state = tuned.start(batch.source, batch.source_mask)
    for t in range(batch.target_input.shape[1]):
        scores, state, row_weights = tuned.step(batch.target_input[:, t], state, memory)
        assert (row_weights is None) == (system in WITHOUT_ATTENTION)
        for row in range(len(batch.source)):
            source = batch.source[row, batch.source_mask[row]].tolist()
            before, last = [-1, *batch.target_input[row].tolist()][t : t + 2]
            rewards = [
                sum(a * f for a, f in zip(alpha, brute_force(before, last, word, source), strict=True))
                for word in range(VOCABULARY_SIZE)
            ]
            assert torch.allclose(scores[row], plain[row, t] + torch.tensor(rewards).double())


@torch.no_grad()
@everywhere
def test_searches_work_with_rewards(system):
    model, batch = tiny_model(system, sharpness=0.5), random_batch()
    options = {"begin": BEGIN, "end": END, "max_length": 7}
    for search in (greedy_search, lambda *a, **o: beam_search(*a, beam_size=3, **o)):
        plain = search(model, batch.source, batch.source_mask, **options)
        zero = search(ExtractiveSummarizer(model, ExtractiveWeights()), batch.source, batch.source_mask, **options)
        assert [found.tokens for found in plain] == [found.tokens for found in zero]
        assert [found.log_probability for found in plain] == [found.log_probability for found in zero]
        keen = ExtractiveSummarizer(model, ExtractiveWeights(unigram=50.0))
        for row, found in enumerate(search(keen, batch.source, batch.source_mask, **options)):
            source = batch.source[row, batch.source_mask[row]].tolist()
            if len(source) > 3:  # room for every beam
                assert found.tokens and set(found.tokens) <= set(source)


def test_tuning_finds_the_top_of_a_hill_and_says_what_it_tried():
    def hill(weights):
        return -((weights.unigram - 4) ** 2) - (weights.bigram + 1.5) ** 2 - (weights.trigram - weights.unigram) ** 2

    tuning = tune_weights(hill, seed=0, rounds=8)
    assert tuning.score == hill(tuning.weights) == max(score for _, score in tuning.tried)
    assert tuning.score > -0.05 and tuning.weights.reordering == 0.0
    assert tuning.untuned == hill(ExtractiveWeights()) == tuning.tried[0][1]
    assert len({weights for weights, _ in tuning.tried}) == len(tuning.tried)
    assert tune_weights(hill, seed=0, rounds=8) == tuning
    assert tune_weights(hill, seed=1, rounds=8).tried != tuning.tried


def test_tuning_keeps_the_model_where_nothing_helps_and_stays_within_its_limits():
    assert tune_weights(lambda weights: -sum(map(abs, weights)), seed=0).weights == ExtractiveWeights()
    assert tune_weights(sum, seed=0, largest=5.0).weights == ExtractiveWeights(5.0, 5.0, 5.0, 5.0)


# What is refused


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: build_summarizer("abs", 9), "expected one of abs-none"),
        (lambda: build_summarizer("abs-bag", 9, encoder="none"), "encoder, which the system 'abs-bag' decides"),
        (lambda: FeedForwardSummarizer(9, "lstm"), "expected one of none, bag"),
        (lambda: FeedForwardSummarizer(9, context_words=0), "context_words is 0"),
        (lambda: FeedForwardSummarizer(9, padding_word=9), "padding_word is 9"),
        (lambda: FeedForwardSummarizer(0), "vocabulary_size is 0"),
        (lambda: FeedForwardSummarizer(9, window=-1), "window is -1"),
        (lambda: build_summarizer("abs-convolution", 9, layers=0), "layers is 0"),
        (lambda: build_summarizer("abs-convolution", 9, reach=-1), "reach is -1"),
        (lambda: RecurrentSummarizer(9, cell="gru"), "expected one of elman, lstm"),
        (lambda: RecurrentSummarizer(9, attention="hard"), "expected one of dot, additive"),
        (lambda: RecurrentSummarizer(9, positions=0), "positions is 0"),
        (lambda: ExtractiveSummarizer(torch.nn.Module(), (1.0, 2.0)), "expected 4 finite numbers"),
        (lambda: ExtractiveSummarizer(torch.nn.Module(), ExtractiveWeights(math.nan)), "expected 4 finite numbers"),
        (lambda: tune_weights(sum, seed=0, rounds=0), "rounds is 0"),
        (lambda: tune_weights(sum, seed=0, first_step=20.0), "first_step <= largest"),
    ],
)
def test_refused_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_measure_that_is_no_number_is_refused():
    with pytest.raises(FloatingPointError, match="expected a finite number"):
        tune_weights(lambda weights: math.nan, seed=0)


@everywhere
def test_refused_sources(system):
    model = tiny_model(system)
    source = torch.full((2, 3), 5)
    mask = torch.tensor([[True, True, True], [True, False, False]])
    with pytest.raises(TypeError, match="torch.bool with True = real token"):
        model.start(source, mask.float())
    with pytest.raises(ValueError, match="without a real token"):
        model.start(source, mask & torch.tensor([[True], [False]]))
    with pytest.raises(ValueError, match="after padding"):
        model.start(source, mask.flip(1))
    with pytest.raises(ValueError, match="Add a batch dimension"):
        model.start(source[0], mask[0])
    memory, state = model.start(source, mask)
    with pytest.raises(IndexError, match="target holds the ids"):
        model.step(torch.tensor([VOCABULARY_SIZE, 5]), state, memory)
    if system != "abs-none":
        with pytest.raises(IndexError, match="source holds the ids"):
            model.start(source + VOCABULARY_SIZE, mask)
