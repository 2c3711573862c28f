# %% [markdown]
# # 1 · The bottleneck: a sentence in one vector
#
# In 2014 two groups showed that a neural network can translate. One network reads the whole French sentence and remembers it as **one
# vector of fixed size**. Another network, which never sees the sentence, writes the English from that vector alone.
#
# It worked, and it was beautiful. Then Cho and colleagues measured how well it works for sentences of different lengths.
#
# **The question of this lesson:** can one vector hold a sentence? How long a sentence, in how many numbers, and what happens to the rest?
#
# On a laptop with two cores this notebook takes at most four minutes from top to bottom.

# %% [markdown]
# ## Predict first
#
# Write your guesses down. You will meet the answers below, in this order.
#
# 1. A dictionary that translates word by word, in the French order: does it get worse as phrases grow longer?
# 2. A network squeezes a phrase into one vector. Does it get worse as phrases grow longer: slowly, evenly, or all at once?
# 3. Twice as many numbers in the vector: twice as many words that fit?
# 4. Which word can be read back out of the vector more easily, the first one of the phrase or the last?
# 5. Read the same phrases **backwards**, and nothing else changes. Does that help, harm, or make no difference?

# %% [markdown]
# ## Settings
#
# The only cell that configures anything. `SOURCE = "real"` trains on real sentences instead of made phrases (up to ten minutes for each of five models; see the section on real
# data). `SOURCE` may also be the path of a file or folder with sentence pairs of your own: docs/own_data.md says what they look like.

# %% tags=["settings"]
from collections import Counter, defaultdict
from dataclasses import replace
from math import exp, isfinite, log
import matplotlib.pyplot as plt
import torch
from IPython.display import Markdown, display
from torch import nn
from course_utils.checkpoints import CheckpointError
from course_utils.data.phrases.parallel import PHRASE_BUCKETS, load_parallel, test_phrases
from course_utils.data.phrases.phrases import make_phrases
from course_utils.exercises import check, checked
from experiments.claims import claims_table, load_results
from experiments.lesson_01_bottleneck import FIXED, REAL_FIXED, REAL_SMALL_STATES, REAL_STACKED, STACKED
from experiments.lesson_02_additive_attention import load_trained
from experiments.probes import gradient_reach, probe_words, words_that_fit
from experiments.translation import build_model, fit, token_loss, translate
from course_utils.metrics import bleu, mean_interval
from course_utils.teaching.plots import describe, house_style, plot_by_length, plot_heatmap, plot_lines, show
from course_utils.training import is_fast_run, seed_everything

SOURCE = "default"  # "default": phrases made here, with gold alignments; "real": French-English sentences; or the path of your own
SEED = 0
FAST = is_fast_run()  # few training steps, for automatic tests; the closing table says so
SHARE = 0.02 if FAST else 1.0  # of the training steps
GRU_RECIPE = FIXED if SOURCE == "default" else REAL_FIXED
LSTM_RECIPE = STACKED if SOURCE == "default" else REAL_STACKED
TIME_LIMIT_SECONDS = 120 if SOURCE == "default" else 1200  # a safety net for each training
if SOURCE == "default":
    torch.set_num_threads(1)  # the matrices are so small that a second thread waits more than it works
house_style()

# %% [markdown]
# ## The data, and their truth
#
# French phrases and their English: numbers, dates, clock times, amounts of money, countries, and things with adjectives, chained to any
# length. They are made on your machine by rules (about ten seconds). Two things follow. There is exactly one right answer, so a translation is simply right or wrong. And we
# know which English word comes from which French one.

# %%
data = load_parallel(SOURCE)
print(f"{len(data.train):,} training pairs, {len(data.examples)} test pairs, none in both")
print(f"{len(data.source_vocabulary)} French and {len(data.target_vocabulary)} English vocabulary entries")
for (low, high), examples in data.test.items():
    print(f"\n{low}–{high} French words ({len(examples)} test pairs), for example")
    print("   ", " ".join(examples[0].source), "\n  →", examples[0].reference)

# %% [markdown]
# A few words are cut in two, so that a number like *quatre-vingt-dix* is three tokens. "Words" below always means tokens.
#
# The **gold alignment** says where each English word comes from. Here it is for one short phrase, as words. Lesson 2 will hold it against what a model does; in this lesson we
# use it twice: for a baseline that needs no network, and to understand why reading backwards could matter.

# %%
def crosses(example):
    """Say whether two links of an example cross: the words stand in another order."""
    sources = [source for _, source in sorted(example.sure)]
    return sources != sorted(sources)


shown = next((e for e in data.test.get((2, 8), []) if len(e.source) > 5 and crosses(e)), data.examples[0])
print(" ".join(shown.source), " → ", " ".join(shown.target))
for target, source in sorted(shown.possible):
    sure = "" if (target, source) in shown.sure else "   (together with others)"
    print(f"{shown.target[target]:>12} ← {shown.source[source]}{sure}")

# %% [markdown]
# ## How to measure: by length
#
# One number for a whole test set would hide what this lesson is about. So every result here is a curve over **buckets of source lengths**.
# Two measures go with it. *Exact*: the share of translations that are right in every word. *BLEU*: 0 to 100, how many short runs of words agree; it forgives a slip.
#
# ### Exercise length-buckets
#
# For each bucket, find the sentences whose length lies in it and return the share of them that are correct. A bucket `(low, high)` includes both ends. Sentences can
# come in any order, and a sentence counts in every bucket that its length lies in. A bucket without sentences is **left out** of the result: it says nothing, and a 0 would look like a failure.
# So without any sentence, or without any bucket, the result is empty. Do not round the shares.
#
# *By hand:* lengths 3, 8, 9 and 30, of which the first and the third are correct, with the buckets (2, 8), (9, 16) and (17, 24), give
# `{(2, 8): 0.5, (9, 16): 1.0}`.


# %% exercise="length-buckets"
def exact_by_length(lengths, correct, buckets):
    """Share of correct sentences in each bucket of lengths.

    lengths: list of source lengths; correct: list of booleans, one per sentence.
    buckets: list of (low, high), both ends included.
    Returns a dictionary {(low, high): share between 0 and 1}, without the empty buckets.
    """
    ### BEGIN SOLUTION
    shares = {}
    for low, high in buckets:
        inside = [flag for length, flag in zip(lengths, correct, strict=True) if low <= length <= high]
        if inside:
            shares[low, high] = sum(inside) / len(inside)
    return shares
    ### END SOLUTION


# %% check="length-buckets" points=1
check("01.length-buckets", exact_by_length);

# %% hidden="length-buckets" points=1
### BEGIN HIDDEN TESTS
found = exact_by_length([40, 4, 16, 9, 17, 4, 1, 70], [True, True, False, True, True, False, True, True], [(4, 8), (9, 16), (17, 39), (41, 60)])
assert found == {(4, 8): 0.5, (9, 16): 0.5, (17, 39): 1.0}
assert exact_by_length([5, 6, 7, 4], [False, False, True, False], [(4, 7), (6, 6), (7, 8)]) == {(4, 7): 0.25, (6, 6): 0.0, (7, 8): 1.0}
assert exact_by_length([], [], [(2, 8)]) == {} == exact_by_length([3], [True], [])
### END HIDDEN TESTS

# %% [markdown]
# Two helpers use it from here on: one translates a list of test sentences, one turns translations into the two curves.


# %%
shares_by_length = checked("01.length-buckets", exact_by_length)


def read_and_write(some_model, examples):
    """Translate the sources of some examples and return the texts."""
    hypotheses = translate(some_model, data, [example.source for example in examples])
    return [data.detokenize(data.target_vocabulary.decode(h.tokens)) for h in hypotheses]


def curves_by_length(texts, examples, buckets=tuple(data.test)):
    """Exact share and BLEU of translations, for each bucket of source lengths."""
    lengths = [len(example.source) for example in examples]
    exact = shares_by_length(lengths, [t == e.reference for t, e in zip(texts, examples, strict=True)], list(buckets))
    in_bucket = {b: [i for i, length in enumerate(lengths) if b[0] <= length <= b[1]] for b in exact}
    score = {b: bleu([texts[i] for i in rows], [examples[i].reference for i in rows]) for b, rows in in_bucket.items()}
    return exact, score


# %% [markdown]
# ## A baseline without a network
#
# Before we praise a network, something simple: a dictionary. Count, in a few thousand training phrases, which English word each French word is linked to, and take the most frequent
# one. Translate word by word, in the French order. (Real sentences have no gold links; there the baseline copies the French.)
#
# > **Predict 1.** What will its curve look like over the length?

# %%
links = defaultdict(Counter)
for phrase in make_phrases(3000, split="train") if data.name == "default" else []:
    for target, source in phrase.sure:
        links[phrase.source[source]][phrase.target[target]] += 1
dictionary = {french: counts.most_common(1)[0][0] for french, counts in links.items()}
if not dictionary:
    print("These pairs have no gold alignment: the baseline copies the words that it finds.")
    dictionary = {word: word for word in data.source_vocabulary.words}

word_by_word = [data.detokenize([dictionary[w] for w in e.source if w in dictionary]) for e in data.examples]
dictionary_exact, dictionary_bleu = curves_by_length(word_by_word, data.examples)
for (low, high), value in dictionary_bleu.items():
    print(f"{low:>3}–{high} words: BLEU {value:5.1f}, exact {dictionary_exact[low, high]:.2f}")

# %% [markdown]
# It makes the same mistakes everywhere: the adjective stands behind its noun, sixteen o'clock stays sixteen. So the chance that a *whole* phrase is right falls with its length, as for everybody who makes mistakes at a steady rate. But
# BLEU, which counts short runs, stays nearly level. Why should it fall? The word at place forty is as easy to look up as the one at place four. Keep this curve in mind: a translator that can look at the words has no reason to fall.

# %% [markdown]
# ## The mechanism: read, squeeze, write
#
# Cho's **RNN encoder–decoder** does not look words up. With source words $x_1 \dots x_T$ and target words $y_1, y_2, \dots$ it computes
#
# $$h_j = \mathrm{GRU}(x_j, h_{j-1}) \qquad c = \tanh(V h_T) \qquad s_0 = \tanh(V' c) \qquad s_i = \mathrm{GRU}([y_{i-1}; c],\, s_{i-1})$$
#
# and the next word from $(s_i, y_{i-1}, c)$. Read it once more: of the whole French phrase, the decoder gets **$c$**, and nothing else. $c$ has the same size for three words and
# for sixty.
#
# Now build it. First the recurrent step.
#
# ### Exercise gru-step
#
# A gated recurrent unit (this paper invented it) makes a new state from an input $x$ and the old state $h$. The *reset* gate $r$ says how much of the old state the candidate $n$ may
# see; the *update* gate $z$ says how much of the old state stays:
#
# $$r = \sigma(W_r x + U_r h) \qquad z = \sigma(W_z x + U_z h) \qquad n = \tanh(W_n x + r \odot (U_n h)) \qquad h' = z \odot h + (1 - z) \odot n$$
#
# Two conventions are in use. We follow `nn.GRU`: the reset gate multiplies the **product** $U_n h$ (the paper multiplies $h$ before the product), and where $z$ is 1 the **old** state stays.
#
# `inputs` is `(batch, input_size)`, `state` is `(batch, hidden_size)`. `W` and `U` hold three matrices each, in the order reset, update, candidate, of shape `(hidden_size, input_size)` and
# `(hidden_size, hidden_size)`: so $W_r x$ is `inputs @ W_r.T`. There are no biases. What goes into
# a gate or the candidate may be large, ±200, where `exp` overflows: take `torch.sigmoid` and `torch.tanh`.
#
# *By hand:* with all matrices zero both gates are ½ and the candidate is 0, so a state of 0.8 becomes 0.4.


# %% exercise="gru-step"
def gru_step(inputs, state, W, U):
    """Take one step of a GRU without biases.

    inputs: (batch, input_size); state: (batch, hidden_size).
    W, U: three matrices each, in the order reset, update, candidate.
    Returns the new state, (batch, hidden_size).
    """
    ### BEGIN SOLUTION
    W_r, W_z, W_n = W
    U_r, U_z, U_n = U
    reset = torch.sigmoid(inputs @ W_r.T + state @ U_r.T)
    update = torch.sigmoid(inputs @ W_z.T + state @ U_z.T)
    candidate = torch.tanh(inputs @ W_n.T + reset * (state @ U_n.T))
    return update * state + (1 - update) * candidate
    ### END SOLUTION


# %% check="gru-step" points=2
check("01.gru-step", gru_step);

# %% hidden="gru-step" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(1)
cell = nn.GRUCell(6, 6, bias=False)
inputs, state = torch.randn(5, 6), torch.randn(5, 6)
W_parts, U_parts = (3 * cell.weight_ih).detach().chunk(3), (3 * cell.weight_hh).detach().chunk(3)
with torch.no_grad():
    cell.weight_ih.mul_(3), cell.weight_hh.mul_(3)
    assert torch.allclose(gru_step(inputs, state, W_parts, U_parts), cell(inputs, state), atol=1e-5)
state.requires_grad_()
assert torch.autograd.grad(gru_step(inputs, state, W_parts, U_parts).sum(), state)[0].abs().sum() > 0
zeros = [torch.zeros(1, 1)] * 3
assert torch.allclose(gru_step(torch.ones(1, 1), torch.tensor([[0.8]]), zeros, zeros), torch.tensor([[0.4]]))
large = [torch.full((1, 1), 200.0)] * 3
assert gru_step(torch.ones(1, 1), torch.tensor([[0.8]]), large, zeros).tolist() == [[torch.tensor(0.8).item()]]  # z is 1
### END HIDDEN TESTS

# %% [markdown]
# With it we read a phrase of three words, one after the other, and watch the four numbers of the state. The vectors and the matrices are random: nothing is trained yet. PyTorch's own GRU, with the same matrices, must end in the same state.

# %%
step = checked("01.gru-step", gru_step)
torch.manual_seed(SEED)
EMBEDDING, HIDDEN = 3, 4  # tiny, to be printed

reader = nn.GRU(EMBEDDING, HIDDEN, bias=False, batch_first=True)
W, U = reader.weight_ih_l0.chunk(3), reader.weight_hh_l0.chunk(3)
embedded = torch.randn(1, 3, EMBEDDING)  # (batch, source_length, embedding_size)

state = torch.zeros(1, HIDDEN)
for place, word in enumerate(["deux", "voitures", "rouges"]):
    state = step(embedded[:, place], state, W, U)  # (batch, hidden_size)
    print(f"{word:>10}", [round(number, 2) for number in state[0].tolist()])

_, expected = reader(embedded)
assert torch.allclose(state, expected[0], atol=1e-6)

# %% [markdown]
# The last row is all that is left of three words. The first word's traces have been mixed with the second's, and both with the third's.
#
# ### Exercise last-real-state
#
# Phrases in a batch have different lengths. The short ones are padded at the right end, and the GRU reads on through the padding. What we need of each phrase is its state after its last **real** word.
#
# `outputs` is `(batch, length, size)`: the state after each word. `mask` is `(batch, length)`, True = real word; each row has at least one, and the padding is at the right end.
# Also the longest sentence, or the only one, may have padding. A real state may be zero. Return `(batch, size)`.
#
# *By hand:* for lengths 3 and 1 the answer is `outputs[0, 2]` and `outputs[1, 0]`, stacked.


# %% exercise="last-real-state"
def last_real_state(outputs, mask):
    """Pick each sentence's state after its last real word.

    outputs: (batch, length, size); mask: (batch, length), True = real word.
    Returns (batch, size).
    """
    ### BEGIN SOLUTION
    lengths = mask.sum(dim=1)
    return outputs[torch.arange(len(outputs)), lengths - 1]
    ### END SOLUTION


# %% check="last-real-state" points=1
check("01.last-real-state", last_real_state);

# %% hidden="last-real-state" points=1
### BEGIN HIDDEN TESTS
outputs = torch.arange(40.0).reshape(4, 5, 2) * torch.tensor([1.0, -1.0])
mask = torch.arange(5) < torch.tensor([[2], [5], [1], [4]])
assert last_real_state(outputs, mask).tolist() == [[2.0, -3.0], [18.0, -19.0], [20.0, -21.0], [36.0, -37.0]]
outputs[0, 2:] = -1e4
assert last_real_state(outputs, mask)[0].tolist() == [2.0, -3.0]
assert last_real_state(outputs[:1], mask[:1]).tolist() == [[2.0, -3.0]]  # one sentence alone, with padding
### END HIDDEN TESTS

# %% [markdown]
# How bad would it be to take the end of the row instead? The next cell pads our phrase of three words with more and more padding and compares both states with the right one.

# %%
last_state = checked("01.last-real-state", last_real_state)
torch.manual_seed(SEED)
padding = torch.randn(EMBEDDING)  # the padding symbol has an embedding like any other
for padded in (0, 1, 3, 10):
    row = torch.cat([embedded, padding.expand(1, padded, EMBEDDING)], dim=1)  # (1, 3 + padded, embedding_size)
    real = torch.arange(3 + padded)[None, :] < 3
    outputs, _ = reader(row)
    right = (last_state(outputs, real) - state).norm().item()
    naive = (outputs[:, -1] - state).norm().item()
    print(f"{padded:>2} × padding: last real state is off by {right:.2f}, end of the row by {naive:.2f}")

# %% [markdown]
# With the naive choice, the *other* phrases of a batch would decide what the network knows of this one. That mistake does not crash; it only makes results quietly worse.
#
# Now the whole machine, still tiny and untrained: encoder, summary, decoder, readout. Follow the shapes.

# %%
SOURCE_LENGTH, TARGET_LENGTH, VOCABULARY = 3, 4, 10  # "deux voitures rouges" → "two red cars" and the end symbol
torch.manual_seed(SEED)
to_summary, to_first_state = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
writer = nn.GRU(EMBEDDING + HIDDEN, HIDDEN, batch_first=True)
readout = nn.Linear(HIDDEN + EMBEDDING + HIDDEN, VOCABULARY)

encoder_outputs, _ = reader(embedded)  # (batch, source_length, hidden_size)
summary = torch.tanh(to_summary(encoder_outputs[:, -1]))  # (batch, hidden_size): the bottleneck
first_state = torch.tanh(to_first_state(summary))
previous_words = torch.randn(1, TARGET_LENGTH, EMBEDDING)  # <s> two red cars
contexts = summary.unsqueeze(1).expand(-1, TARGET_LENGTH, -1)  # the same vector at every step
states, _ = writer(torch.cat([previous_words, contexts], dim=-1), first_state.unsqueeze(0))
logits = readout(torch.cat([states, previous_words, contexts], dim=-1))  # (batch, target_length, vocabulary)
for name, tensor in {"encoder outputs": encoder_outputs, "summary": summary, "states": states, "logits": logits}.items():
    print(f"{name:<16} {tuple(tensor.shape)}")
assert summary.shape == (1, HIDDEN) and logits.shape == (1, TARGET_LENGTH, VOCABULARY)

# %% [markdown]
# The encoder outputs have a row per source word; the summary has none. Everything to the right of it is the same for a phrase of sixty words.
#
# The package's `RNNEncoderDecoder` is this code, with a deeper readout (one maxout layer, as in the paper). What is missing is a loss.
#
# ### Exercise masked-loss
#
# The model gives a score (a *logit*) to each word of the vocabulary. The softmax of the scores is a probability, and the loss of one position is $-\ln p(\text{right word})$, in **nats**. Average it over
# all real positions of the batch **together**: a sentence with more words counts more.
#
# `logits` is `(batch, length, vocabulary)`, `targets` is `(batch, length)` with the ids of the right words, `mask` is `(batch, length)`, True = real; True may stand anywhere in a row. Return a tensor with one number. Only the mask says
# what is padding: an id of 0 may well be a word. Padding may hold any logits, NaN too: select the real positions first, since NaN times 0 is NaN.
# Logits can be large, so let a function of torch do softmax and logarithm together.
#
# *By hand:* if all logits are equal, each position costs $\ln(\text{vocabulary})$, whatever the targets are.


# %% exercise="masked-loss"
def masked_loss(logits, targets, mask):
    """Mean cross-entropy of the real target words, in nats.

    logits: (batch, length, vocabulary); targets: (batch, length), ids.
    mask: (batch, length), True = real word.
    Returns a tensor with one number.
    """
    ### BEGIN SOLUTION
    return nn.functional.cross_entropy(logits[mask], targets[mask])
    ### END SOLUTION


# %% check="masked-loss" points=2
check("01.masked-loss", masked_loss);

# %% hidden="masked-loss" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(3)
scores, answers = torch.randn(3, 5, 7), torch.randint(0, 7, (3, 5))
real = torch.arange(5) < torch.tensor([[5], [2], [1]])
by_hand = [-torch.log(scores[b, i].exp()[answers[b, i]] / scores[b, i].exp().sum()) for b in range(3) for i in range(5) if real[b, i]]
mean_by_hand = torch.stack(by_hand).mean().item()
assert abs(float(masked_loss(scores, answers, real)) - mean_by_hand) < 1e-5
assert abs(float(masked_loss(scores.flip(1), answers.flip(1), real.flip(1))) - mean_by_hand) < 1e-5  # True may stand anywhere
masked_loss(scores.requires_grad_(), answers, real).backward()  # the model learns through it
assert scores.grad[real].abs().sum() > 0
scores = scores.detach().masked_fill(~real[..., None], float("nan"))
answers[~real] = answers[0, 0]
assert abs(float(masked_loss(scores, answers, real)) - mean_by_hand) < 1e-5
zero_ids = torch.zeros(1, 2, dtype=torch.long)
assert abs(float(masked_loss(torch.tensor([[[-200.0, 100.0], [0.0, 0.0]]]), zero_ids, zero_ids == 0)) - 150.3466) < 1e-3
### END HIDDEN TESTS

# %% [markdown]
# What does a model cost that knows nothing? Ours has not seen a phrase yet. Compare its loss with an even guess among the vocabulary.

# %%
loss_of = checked("01.masked-loss", masked_loss)
some_words = torch.tensor([[4, 2, 7, 1]])
knows_nothing = loss_of(logits, some_words, torch.ones(1, TARGET_LENGTH, dtype=torch.bool)).item()
print(f"untrained: {knows_nothing:.2f} nats per word; an even guess among {VOCABULARY} words: {log(VOCABULARY):.2f}")
print(f"for our {len(data.target_vocabulary)} English entries an even guess costs {log(len(data.target_vocabulary)):.2f} nats")

# %% [markdown]
# ## Train it
#
# Now at a useful size, on all training phrases (up to a minute). The first passes take short phrases only and then longer ones; that order speeds up learning for every model of lessons 1 and 2 alike. The number of steps is fixed, so that a slower
# machine gets the same model.

# %%
model, history = fit(GRU_RECIPE.shortened(SHARE), data, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
print(history.summary())
parameters = sum(parameter.numel() for parameter in model.parameters())
print(f"{parameters:,} parameters; the summary vector has {GRU_RECIPE.hidden_size} numbers")
print(f"on unseen phrases: {token_loss(model, data.validation):.2f} nats per word")

# %%
window = max(1, len(history.losses) // 60)
starts = range(0, len(history.losses) - window + 1, window)
smooth = [sum(history.losses[start : start + window]) / window for start in starts]
title = f"From {smooth[0]:.1f} to {smooth[-1]:.1f} nats per word in {len(history.losses)} steps"
curve = {"fixed vector": ([start + window for start in starts], smooth)}
show(plot_lines(curve, title=title, xlabel="training steps", ylabel="training loss, nats per English word"))

# %% [markdown]
# The loss falls, the curve looks healthy. (Where it rises for a while, longer phrases come in.) A training curve says nothing about lengths.
#
# > **Predict 2.** Draw the BLEU curve over the six buckets, beside the dictionary's. Where do they cross, if they do?

# %% tags=["gallery"]
texts = read_and_write(model, data.examples)
model_exact, model_bleu = curves_by_length(texts, data.examples)
bleu_curves = {"dictionary": dictionary_bleu, "fixed vector": model_bleu}
shortest, longest = min(model_bleu), max(model_bleu)
title = "One vector: BLEU {:.0f} for {}–{} words, ".format(model_bleu[shortest], *shortest)
title += "{:.0f} for {}–{}".format(model_bleu[longest], *longest)
show(plot_by_length(bleu_curves, title=title, ylabel="BLEU", ylim=(0, 102)))
for (low, high), share in model_exact.items():
    print(f"{low:>3}–{high} words: exact {share:.2f}, the dictionary {dictionary_exact[low, high]:.2f}")

# %% [markdown]
# This is the finding of Cho et al. (their figure 4), on our phrases. For short phrases the two are comparable, and fail differently: the network has learned word order and hours, which no dictionary has, and mixes up the words themselves. Then it falls, and the
# stupid dictionary, which can look at its words, hardly does.
#
# BLEU hides *how* it fails. So look at what it writes.

# %%
wrong = [(e, text) for e, text in zip(data.examples, texts, strict=True) if text != e.reference]
for low, high in list(data.test)[:4]:
    example, text = next(((e, t) for e, t in wrong if low <= len(e.source) <= high), (None, None))
    if example is not None:
        said, true = text.split(), example.reference.split()
        agree = next((i for i, (a, b) in enumerate(zip(said, true, strict=False)) if a != b), min(len(said), len(true)))
        print(f"{len(example.source)} French words: {data.detokenize(example.source)}")
        print(f"   true: {example.reference}\n   said: {text}\n   right up to word {agree} of {len(true)}\n")

# %% [markdown]
# Look at the long ones: mostly well-formed English. Numbers where numbers stood, some country where there was a country, often about the right length. The decoder is a good **language model**; what it lacks is
# *which* number and *which* country. It remembers the kind and loses the details, and where its memory ends it invents. That is how such models fail to this day: fluently.

# %% [markdown]
# ## How many words fit into how many numbers?
#
# If the vector is the bottleneck, a smaller one should hold less. To find out how much, we give it its best chance: phrases of at most twelve words, nothing longer. The same network three times, with
# 32, 64 and 128 numbers, the same steps (about twenty seconds each).
#
# > **Predict 3.** Twice the numbers: twice the words?

# %%
SHORT = 12
short_data = replace(data, train=[pair for pair in data.train if len(pair[0]) <= SHORT])
capacity_recipe = replace(GRU_RECIPE, steps=700, learning_rate=6e-3, maximum_tokens=500, curriculum=())
models = {}
for size in (32, 64):
    recipe = replace(capacity_recipe, hidden_size=size).shortened(SHARE)
    models[size], small_history = fit(recipe, short_data, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
    print(f"{size} numbers: {small_history.summary()}")

# %%
recipe = replace(capacity_recipe, hidden_size=128).shortened(SHARE)
models[128], small_history = fit(recipe, short_data, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
print(f"128 numbers: {small_history.summary()}")

# %% [markdown]
# Exact translations, in steps of two words:

# %%
FINE = [(low, low + 1) for low in range(2, 26, 2)]
short = [e for e in data.examples if len(e.source) <= FINE[-1][1]]
if data.name == "default":
    short = test_phrases(FINE[0][0], FINE[-1][1], 100 if FAST else 720)
trained_on = [bucket for bucket in FINE if bucket[0] <= SHORT]
exact_curves = {
    f"{size} numbers": curves_by_length(read_and_write(some_model, short), short, trained_on)[0]
    for size, some_model in models.items()
}
at_half = {name: words_that_fit(curve) for name, curve in exact_curves.items()}
title = "Half of the phrases are right up to " + ", ".join(f"{words:.1f}" for words in at_half.values()) + " words"
show(plot_by_length(exact_curves, title=title, ylabel="exact translations, share", ylim=(0, 1.02)))

# %% [markdown]
# Each curve has a cliff rather than a slope, and a larger vector moves it to the right. Where a curve crosses one half we read off its **capacity**, in words.
#
# But perhaps the vectors are large enough and the training is too short? The course ships a vector of twice the size that was trained for longer, on phrases of any length (lesson 2 uses it too). If its
# file is missing, the next cell says so and the lesson goes on.

# %%
trained = model
try:
    trained, card = load_trained("02-fixed-vector", data)
    name = f"{card['recipe']['hidden_size']} numbers, trained long"
    exact_curves[name] = curves_by_length(read_and_write(trained, short), short, FINE)[0]
    print(f"{name}: {card['seconds'] / 60:.0f} minutes, {card['command']}")
    bleu_curves[name] = curves_by_length(read_and_write(trained, data.examples), data.examples)[1]
    low_end, high_end = bleu_curves[name][shortest], bleu_curves[name][longest]
    title = f"Larger and trained longer: BLEU {low_end:.0f} for short phrases, {high_end:.0f} for long ones"
    show(plot_by_length(bleu_curves, title=title, ylabel="BLEU", ylim=(0, 102)))
except CheckpointError as error:
    print("going on with the models of this lesson:", error)

# %% [markdown]
# Size and training lift the whole curve. While a phrase fits, the network now leaves the dictionary behind; and then it still falls below it. Here are the capacities, all of them:

# %%
capacity = {name: min(words_that_fit(curve), FINE[-1][1]) for name, curve in exact_curves.items()}
points = [(int(name.split()[0]), words) for name, words in capacity.items()]
title = "The smallest vector holds nothing yet"
if capacity["32 numbers"]:
    title = f"Four times the numbers hold {capacity['128 numbers'] / capacity['32 numbers']:.1f} times the words"
curves = {"trained here, short phrases": tuple(zip(*points[:3], strict=True))}
if len(points) > 3:
    curves["trained long, all phrases"] = tuple(zip(*points[3:], strict=True))
axes = plot_lines(curves, title=title, xlabel="numbers in the vector", ylabel="capacity, source words", log_x=True)
axes.set_xticks([size for size, _ in points], [str(size) for size, _ in points])
axes.minorticks_off()
axes.set_ylim(bottom=0)
show(axes)
for name, words in capacity.items():
    per_word = f", {int(name.split()[0]) / words:.0f} numbers per word" if words else ""
    print(f"{name:<26} {words:4.1f} words{per_word}")

# %% [markdown]
# A few words, in tens or hundreds of numbers, and twice the numbers hold much less than twice the words. In principle a single number with enough digits could hold a phrase: what the vector *could* hold is not the limit. What gradient
# descent can *teach* an encoder to pack, and a decoder to unpack, is. More size and more training both help, and neither changes the shape: there is always a length at which it breaks.
#
# <details><summary><b>Question:</b> one vocabulary entry out of a few hundred carries about eight bits. Why does 32 bits × size of the vector not tell you how many words fit?</summary>
#
# Because the numbers are not used digit by digit. A recurrent network adds, squashes and mixes; two phrases whose vectors differ in the sixth decimal are the same phrase to the decoder. What counts is how many phrases
# can be kept *far enough apart*, by an encoder that has to use the same few matrices for every word at every place.
# </details>

# %% [markdown]
# ### The same over several seeds
#
# One seed can be lucky. The stored results repeat the three sizes with several seeds; the bands are 95 % intervals of the mean.

# %% tags=["gallery"]
stored = load_results("01", "default")
if stored is None:
    print("Not measured yet: make it with `python -m experiments run 01`.")
else:
    figures = [measurement["metrics"] for measurement in stored["measurements"]]
    keys = {"32 numbers": "fixed-32", "64 numbers": "fixed-64", "128 numbers": "fixed"}
    intervals = {
        name: {b: mean_interval([f[f"{key}/bleu/{b[0]}-{b[1]}"] for f in figures]) for b in PHRASE_BUCKETS}
        for name, key in keys.items()
    }
    means = {name: {b: interval.mean for b, interval in curve.items()} for name, curve in intervals.items()}
    bands = {name: {b: (i.low, i.high) for b, i in curve.items()} for name, curve in intervals.items()}
    small, middle, large = means.values()
    ordered = sum(small[b] < middle[b] < large[b] for b in PHRASE_BUCKETS)
    title = f"The larger vector translates better at {ordered} of {len(PHRASE_BUCKETS)} lengths, over {len(figures)} seeds"
    bands = bands if len(figures) > 1 else None
    show(plot_by_length(means, title=title, ylabel="BLEU", ylim=(0, 102), intervals=bands))

# %% [markdown]
# ## What is in the vector?
#
# We can ask the vector itself. A **linear probe** takes $c$ and tries to name source word number $j$: one linear map per position, fitted by least squares on training phrases (no
# network, no luck: it is solved exactly), tried on phrases that neither the model nor the probe has seen. Beside it the guess that needs no vector: the most frequent word at that position.
#
# > **Predict 4.** The encoder reads from left to right. Which word is clearest in its last state, the first it read or the last? Predict it twice: before training, with random matrices, and after.

# %%
fitted_on = [source for source, _ in data.train[: 1000 if FAST else 8000]]
tried_on = [data.source_vocabulary.encode(e.source) for e in data.examples] + [source for source, _ in data.validation]
POSITIONS = min(12, *(max(map(len, sources)) for sources in (fitted_on, tried_on)))
seed_everything(SEED)
probed = {"before training": build_model(GRU_RECIPE, data).eval(), "after a minute": model}
if trained is not model:
    probed["larger, trained long"] = trained
probes = {
    end: {
        name: probe_words(some_model, fitted_on, tried_on, POSITIONS, from_end=end == "last")
        for name, some_model in probed.items()
    }
    for end in ("first", "last")
}

# %%
places = list(range(1, POSITIONS + 1))
panels = plt.subplots(1, 2, figsize=(11, 4), sharey=True)[1]
descriptions = []
for axes, (end, found) in zip(panels, probes.items(), strict=True):
    shares = {name: probe.by_position()[0] for name, probe in found.items()}
    title = f"The {end} word: {shares['before training'][0]:.0%} before training, {shares['after a minute'][0]:.0%} after"
    shares["most frequent word"] = found["before training"].by_position()[1]
    curves = {name: (places, values) for name, values in shares.items()}
    xlabel = f"position of the word, counted from the {end}"
    plot_lines(curves, title=title, xlabel=xlabel, ylabel="words named right, share", axes=axes)
    descriptions.append(axes.figure.get_label())
panels[0].set_ylim(0, 1)
show(describe(panels[0], " ".join(descriptions)))

# %% [markdown]
# An untrained network is a short memory: it holds the words that it read last, and the beginning of the phrase is gone. Training turns this round. What a trained vector keeps is not what is freshest but what the **decoder** needs, and it must begin
# with the first word. There is a price: with the same numbers, the last words have to become fainter. Every curve falls towards the middle of the phrase, down to where the most frequent word is nearly as good.
#
# Does the same word become harder to read when the phrase grows longer around it? Rows are lengths here, and the model is the one that was trained longest.

# %%
name, probe = list(probes["first"].items())[-1]
table = probe.by_length(list(data.test))
rows = [f"{low}–{high}" for low, high in table]
ends = [list(table.values())[row][0] for row in (0, -1)]
title = f"The first word, {name}: {ends[0]:.0%} in the shortest phrases, {ends[1]:.0%} in the longest"
show(
    plot_heatmap(
        list(table.values()), title=title, xlabel="position of the word, from the first", ylabel="source words",
        colour_label="words named right, share", xticks=[str(place) for place in places], yticks=rows, limits=None,
    )
)  # fmt: skip

# %% [markdown]
# Each column is the same position; going down, more words compete for the same numbers. A white cell is a word that is, for a linear reader, gone.
#
# > A probe that fails does not prove that the word is lost: the decoder is not linear and may read what a linear map cannot. A probe that succeeds proves that it is there. So read the dark cells.

# %% [markdown]
# ## The other road: deep LSTMs, read backwards
#
# In the same year Sutskever, Vinyals and Le took another road to the same bottleneck. A stack of LSTMs reads the phrase; its final hidden and cell states **are** the first states of a second
# stack, which writes. Nothing is read twice. And they found a trick that they could not fully explain: feed the source **in reverse**, last word first.
#
# Look at distances. Between reading a source word and writing its translation, a signal has to survive a number of steps. We know the gold links, so we can count them.

# %%
if data.name == "default":
    middle = [(e, target, source) for e in data.test[17, 24] for target, source in e.sure]
    in_order = [len(e.source) - 1 - source + target + 1 for e, target, source in middle]
    backwards = [source + target + 1 for _, target, source in middle]
    for name, steps in (("in order", in_order), ("backwards", backwards)):
        near = sum(count <= 5 for count in steps) / len(steps)
        print(f"{name:<10} {sum(steps) / len(steps):5.1f} steps on average, at least {min(steps):2d}; {near:.0%} of the links within 5 steps")

# %% [markdown]
# The average does not change: what comes nearer at one end goes away at the other. But in order *every* link is far, while backwards the first words are next to each other. The network can get a foothold there, and work its way along.
#
# ### Exercise reverse-source
#
# Reverse the real words of each row of ids, `(batch, length)`. The padding stays at the right end, with whatever ids it holds, in their order. `source_mask` is `(batch, length)`, True = real word; it alone says what is padding, because any id may be a word. Return new ids of the same shape.
#
# *By hand:* `[5, 6, 7, 0]` with three real words becomes `[7, 6, 5, 0]`.


# %% exercise="reverse-source"
def reverse_source(source, source_mask):
    """Reverse the real words of each right-padded row.

    source: (batch, length), ids; source_mask: (batch, length), True = real word.
    Returns ids of the same shape; the padding keeps its place and its ids.
    """
    ### BEGIN SOLUTION
    positions = torch.arange(source.shape[1])
    from_the_end = source_mask.sum(dim=1, keepdim=True) - 1 - positions
    return source.gather(1, torch.where(source_mask, from_the_end, positions))
    ### END SOLUTION


# %% check="reverse-source" points=2
check("01.reverse-source", reverse_source);

# %% hidden="reverse-source" points=2
### BEGIN HIDDEN TESTS
ids = torch.tensor([[90_000, 0, 3, 8, 7], [1, 2, 3, 4, 5], [6, 7, 7, 2, 7]])
real = torch.arange(5) < torch.tensor([[3], [5], [1]])
assert reverse_source(ids, real).tolist() == [[3, 0, 90_000, 8, 7], [5, 4, 3, 2, 1], [6, 7, 7, 2, 7]]
assert reverse_source(ids[:1], real[:1]).tolist() == [[3, 0, 90_000, 8, 7]] and ids.tolist()[0] == [90_000, 0, 3, 8, 7]
assert torch.equal(reverse_source(reverse_source(ids, real), real), ids) and not reverse_source(ids, real).is_floating_point()
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise clip-gradients
#
# Deep recurrent networks now and then produce a huge gradient, and one huge step undoes an hour of learning. Sutskever et al. (and our training loop) scale it down. Take **all** gradients together as one long vector with the norm $g = \sqrt{\sum \text{entry}^2}$.
# If $g$ is above `maximum_norm`, multiply every tensor by `maximum_norm / g`; otherwise leave them alone. So the direction never changes.
#
# `gradients` is a list of tensors of any shapes, and all of them may be zero. Return a list of **new** tensors of the same shapes and types, also where no value changes: below the limit, at it, and for zeros.
#
# *By hand:* the gradients `[3.]` and `[[0., 4.]]` have the norm 5. With a limit of 1 they become `[0.6]` and `[[0., 0.8]]`; with a limit of 10 they stay.


# %% exercise="clip-gradients"
def clip_gradients(gradients, maximum_norm):
    """Scale a list of gradients so that their common norm is at most maximum_norm.

    gradients: list of tensors of any shapes; maximum_norm: a positive number.
    Returns a list of new tensors of the same shapes.
    """
    ### BEGIN SOLUTION
    norm = torch.sqrt(sum(gradient.square().sum() for gradient in gradients))
    factor = maximum_norm / norm if norm > maximum_norm else 1.0
    return [gradient * factor for gradient in gradients]
    ### END SOLUTION


# %% check="clip-gradients" points=2
check("01.clip-gradients", clip_gradients);

# %% hidden="clip-gradients" points=2
### BEGIN HIDDEN TESTS
long = [torch.full((2, 2), 6.0), torch.tensor([0.0, -5.0]), torch.zeros(3)]  # norm 13
first, second, third = clip_gradients(long, 6.5)
assert torch.allclose(first, torch.full((2, 2), 3.0)) and torch.allclose(second, torch.tensor([0.0, -2.5])) and third.abs().sum() == 0
assert all(torch.equal(a, b) for a, b in zip(clip_gradients(long, 13.5), long, strict=True))
assert long[0][0, 0] == 6.0 and clip_gradients([torch.zeros(2)], 1.0)[0].tolist() == [0.0, 0.0]
(small,) = clip_gradients([torch.tensor([[0.3, -0.4]])], 0.1)
assert torch.allclose(small, torch.tensor([[0.06, -0.08]]), atol=1e-5)
kept = clip_gradients(long, 100.0)
kept[0].zero_(), clip_gradients(long, 13.0)[0].zero_()
assert long[0][0, 0] == 6.0
### END HIDDEN TESTS

# %% [markdown]
# How often did it matter? The loop kept the norm of every step of the training above, before clipping at 1.

# %%
shorten = checked("01.clip-gradients", clip_gradients)
norms = history.gradient_norms
print(f"{sum(norm > 1 for norm in norms)} of {len(norms)} steps were clipped; the longest gradient had norm {max(norms):.1f}")
print("that one, as a single tensor:", [round(g.item(), 2) for g in shorten([torch.tensor([max(norms)])], 1.0)])

# %% [markdown]
# Now train such a pair of stacks twice, two LSTM layers each, with the same seed, the same phrases and the same number of steps (up to a minute each). The only difference is the direction of reading. The *perplexity* that is printed is
# $e^{\text{loss}}$: among how many words the model is still wavering.
#
# > **Predict 5.** Which one wins, and at which lengths?

# %%
def train_stack(reverse):
    """Train two stacks of LSTMs that read in order, or backwards."""
    recipe = replace(LSTM_RECIPE, options=(("reverse_source", reverse),)).shortened(SHARE)
    stack, stack_history = fit(recipe, data, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
    nats = token_loss(stack, data.validation)
    print(f"{stack_history.summary()}; unseen phrases: {nats:.2f} nats per word, perplexity {exp(nats):.2f}")
    return stack


stacks = {"in order": train_stack(reverse=False)}

# %%
stacks["backwards"] = train_stack(reverse=True)

# %%
stack_bleu = {
    f"LSTMs, {name}": curves_by_length(read_and_write(stack, data.examples), data.examples)[1]
    for name, stack in stacks.items()
}
gains = [stack_bleu["LSTMs, backwards"][b] - stack_bleu["LSTMs, in order"][b] for b in model_bleu]
title = f"Reading backwards: between {min(gains):+.1f} and {max(gains):+.1f} BLEU, by length"
show(plot_by_length({**stack_bleu, "GRU, one vector": model_bleu}, title=title, ylabel="BLEU", ylim=(0, 102)))

# %% [markdown]
# That the stacks lie below Cho's model says little: they have more to learn in the same few steps, and they read their vector only once. Compare the two of them.
#
# One seed, one figure: do not conclude yet. The closing table has the interval over several seeds, and it decides. Whatever reversing gains, it does not remove the bottleneck: the curves fall all the same.

# %% [markdown]
# ## The moment vanishing gradients show
#
# Why is the foothold so important? Learning means: a mistake at a target word must change how a source word was read. That message is a gradient, and it has to travel back through every step in between.
# We can measure it: the norm of $\partial \log p(y_1) / \partial x_j$, how much the log-probability of the first target word would change with the embedding of source word $j$. The figure calls it
# the word's *influence*.
#
# > **Predict.** In a network that has not been trained, by what factor does it shrink per word: 1, 0.9, 0.5?

# %% tags=["gallery"]
far = data.encode(list(data.test.values())[-2:][0][:40])
reach = {}
for name, recipe, after in (("GRU", GRU_RECIPE, model), ("LSTMs", LSTM_RECIPE, stacks["in order"])):
    seed_everything(SEED)
    before = build_model(replace(recipe, options=(("reverse_source", False),) if name == "LSTMs" else ()), data)
    reach[f"{name}, before training"] = gradient_reach(before, far, target="first")
    reach[f"{name}, after training"] = gradient_reach(after, far, target="first")

factor = reach["GRU, before training"].decay()
title = f"Untrained, a word's influence shrinks to {factor:.0%} with each word read after it"
curves = {name: (found.distances, found.norms) for name, found in reach.items()}
labels = {"xlabel": "words that the encoder reads after this word", "ylabel": "influence on the first English word\n(gradient, nats per unit of embedding)"}
show(plot_lines(curves, title=title, **labels, log_y=True))
for name, found in reach.items():
    print(f"{name:<24} × {found.decay():.2f} per word; nearest {found.norms[0]:.1e}, {found.distances[-1]} words away {found.norms[-1]:.1e}")

# %% [markdown]
# The vertical axis is logarithmic: a straight line down is an exponential decay. **This is the moment**: before training, the far end of a phrase is out of reach, many powers of ten fainter than the near end. A step of gradient descent that
# listens to the whole hears only the near end.
#
# Training has to begin with whatever it can reach, and open the gates from there. That they *can* be opened, so that the line becomes nearly flat, is what gates were invented for. (It may even rise: the first English word comes from
# the first French ones, and they stand at the far end.) And it is why short phrases first, or a short distance through reversal, can help so
# much: they make the first step possible. (We measure in double precision; in single precision the faintest of these numbers would be rounded to zero.)
#
# <details><summary><b>Question:</b> after training the gradient reaches the far end. Why is the model still bad at long phrases?</summary>
#
# A gradient that arrives says that the vector <i>depends</i> on that word. It does not say that there is room for it: sixty words still share the same numbers. Vanishing gradients make the bottleneck hard to learn; the bottleneck itself is the size.
# </details>

# %% [markdown]
# ## The claims, tested
#
# The papers' claims with their figures, and ours: the mean over several seeds, and the 95 % interval of the paired difference. A claim *holds* if the whole interval lies on its side and the p-value, corrected for the number of claims (Holm), is below 0.05. It is *contradicted* if the same is true of the other side, *void* if both systems are at a floor or ceiling, else *inconclusive*. The seeds were fixed beforehand.

# %%
results = {source: load_results("01", source) for source in ("default", "real")}
entries = [entry for found in results.values() if found for entry in found["claims"]]
for source, found in results.items():
    if found is None:
        print(f"Not measured yet: `python -m experiments run 01 --source {source}`.")
if entries:
    display(Markdown(claims_table(entries)))

# %% [markdown]
# Read it with care. The *direction* is what we test. Their sentences were news text with tens of thousands of different words, their networks a thousand times larger; the size of a difference does not carry over.
#
# ## Real sentences
#
# `SOURCE = "real"` in the settings cell runs all of the above on French–English sentences: Multi30k, from the folder that `WHERE_TO_LOOK_DATA` names, or from its public repository. It trains for minutes per model, so here are the figures of the last such run that was stored.

# %%
if results["real"] is None:
    print("No real run is stored yet.")
else:
    measured = [measurement["metrics"] for measurement in results["real"]["measurements"]]
    large, (small,) = REAL_FIXED.hidden_size, REAL_SMALL_STATES
    rows = {
        f"{large} numbers, all sentences": "fixed/bleu/all",
        f"{large} numbers, the shortest sentences": "fixed/bleu/shortest",
        f"{large} numbers, the longest sentences": "fixed/bleu/longest",
        f"{small} numbers, all sentences": f"fixed-{small}/bleu/all",
        "deep LSTM, read in order": "stacked-forward/bleu/all",
        "deep LSTM, read in reverse": "stacked-reversed/bleu/all",
    }
    for label, key in rows.items():
        values = [figures[key] for figures in measured]
        print(f"{label:<36} BLEU {sum(values) / len(values):.1f}   (each seed: {', '.join(f'{v:.1f}' for v in values)})")
    print(results["real"]["command"])

# %% [markdown]
# ## Your own phrase
#
# Change the text and run the cell again. The model knows the words of its phrases only; others are named and read as *unknown*. Start short, then let the phrase grow.


# %%
def translate_phrase(text):
    """Translate a French phrase with the model that was trained longest."""
    words = data.tokenize(text)
    if not words:
        return print("Type a French phrase, for example: trois petites maisons vertes")
    unknown = data.source_vocabulary.unknown_words(words)
    if unknown:
        print(f"unknown to the model: {', '.join(unknown)}")
    hypothesis = translate(trained, data, [words], beam_size=5)[0]
    print(f"{len(words):>2} words: {text} → {data.detokenize(data.target_vocabulary.decode(hypothesis.tokens))}")


translate_phrase("trois petites maisons vertes")
translate_phrase("trois petites maisons vertes en France")
translate_phrase("trois petites maisons vertes en France le lundi deux mars à quinze heures")
translate_phrase("trois petites maisons vertes en France le lundi deux mars à quinze heures pour vingt livres avec le Japon")

# %% [markdown]
# ## Limits, and what came next
#
# - Our phrases are a puzzle of known pieces. Real sentences have more words and less regularity, but also more that can be guessed. The bottleneck is the same.
# - A few minutes of training favour whatever learns fast. Larger vectors and longer training move the cliff; the claims above are about the shape, not about where it stands.
# - "Capacity" here is what *this* network learned to use in *this* time, not a law about vectors.
#
# The dictionary at the start of this lesson could do one thing that the network cannot: **look at a word when it needs it**. The network can do everything that the dictionary cannot. Lesson 2 puts the two together.
#
# <details><summary><b>Question:</b> what would you have to keep from the encoder, so that the decoder could look?</summary>
#
# Its outputs: one vector per source word, which it computes anyway and which this lesson threw away. Then the decoder needs a way to choose among them.
# </details>

# %% tags=["closing-table"]
print(f"lesson 1, {'FAST: too few steps to judge' if FAST else 'full size'}, source {data.name}, seed {SEED}")
print(f"{'':<28}{'BLEU, shortest':>16}{'longest':>10}{'kept':>8}")
for name, curve in {**bleu_curves, **stack_bleu}.items():
    print(f"{name:<28}{curve[shortest]:>16.1f}{curve[longest]:>10.1f}{curve[longest] / max(curve[shortest], 1e-9):>8.2f}")
print("words that fit: " + ", ".join(f"{words:.1f} in {name}" for name, words in capacity.items() if isfinite(words)))
for entry in entries:
    interval = entry["difference"]["ci95"] or (float("nan"), float("nan"))
    verdict = entry["verdict"]
    print(
        f"{entry['claim']} ({entry['paper']}; theirs: {entry['paper_results']}): {entry['source']}, {entry['metric']} "
        f"{entry['difference']['mean']:+.2f} [{interval[0]:+.2f}, {interval[1]:+.2f}]: {verdict}"
    )
if not entries:
    print("The claims have not been measured over several seeds yet.")

# %% [markdown]
# ## Further reading
#
# - Cho et al., [*Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation*](https://arxiv.org/abs/1406.1078), 2014: section 2 has the model, the appendix every equation.
# - Sutskever, Vinyals and Le, [*Sequence to Sequence Learning with Neural Networks*](https://arxiv.org/abs/1409.3215), 2014: section 3.3 on reversing is half a page long and worth it.
# - Cho et al., [*On the Properties of Neural Machine Translation: Encoder–Decoder Approaches*](https://arxiv.org/abs/1409.1259), 2014: figure 4 is the curve of this lesson.
# - Hochreiter and Schmidhuber, [*Long Short-Term Memory*](https://doi.org/10.1162/neco.1997.9.8.1735), 1997, and Pascanu, Mikolov and Bengio, [*On the difficulty of training recurrent neural networks*](https://arxiv.org/abs/1211.5063), 2013: why gradients vanish, and why clipping helps.
