# %% [markdown]
# # 2 · Additive attention: one vector per word, and a choice at every step
#
# Lesson 1 ended with a bottleneck. The whole sentence has to pass through one vector, which is no larger for forty words than for four.
#
# Bahdanau, Cho and Bengio proposed a way out in 2014. **Keep one vector for each source word. Before each word that it writes, the decoder
# averages these vectors, with weights that it computes itself.** The weights are called attention. Nobody tells the model which source word belongs
# to which target word: it learns from pairs of sentences alone.
#
# **The question of this lesson:** does attention find the right words, and does it make long sentences as easy as short ones?
#
# You will write the parts, build the model from them, train it in half a minute, and then find out why it works. The notebook runs in about three minutes.

# %% [markdown]
# ## Predict first
#
# Write your guesses down. Each is answered by its number below.
#
# 1. With one vector, BLEU falls from short to long phrases. What does the curve do with attention?
# 2. French says *les voitures rouges*, English *the red cars*. What does the map of the weights look like at the adjective?
# 3. Out of ten English words, how many put their largest weight on a correct French word?
# 4. We keep all the vectors, but force all weights to be equal. How much of the gain is left?
# 5. While the trained model translates, we put all its annotations into a random order. What changes in the translation?
#
# ## Settings
#
# The only cell that configures anything. `SOURCE = "real"` trains on real sentences (Multi30k) instead of synthetic phrases and takes about half an hour. `SOURCE` may also be
# the path of a file with sentence pairs of your own; docs/own_data.md says what it looks like.

# %% tags=["settings"]
import copy
import time
from itertools import permutations

import ipywidgets
import torch
from IPython.display import display
from torch import nn

from course_utils.checkpoints import CheckpointError, check_vocabulary, load_checkpoint
from course_utils.data.batching import make_pair_batch
from course_utils.data.phrases.parallel import load_parallel, test_phrases
from course_utils.data.text import BEGIN, END
from course_utils.exercises import check, checked
from course_utils.mechanisms.recurrent import GRUEncoder, MaxoutReadout
from course_utils.metrics import bleu, diagonal_alignment, hard_alignment
from course_utils.models.word_model import Reading, WordModel, word_embedding
from course_utils.teaching import diagrams
from course_utils.teaching.claims import plot_claims
from course_utils.teaching.explorer import explore_alignment
from course_utils.teaching.plots import house_style, plot_alignment, plot_by_length, plot_lines, show
from course_utils.training import is_fast_run, seed_everything, train
from experiments.claims import load_results
from experiments.evaluate import teacher_forced_attention
from experiments.lesson_02_additive_attention import ibm_alignments
from experiments.translation import score, score_alignment, score_by_length

SOURCE = "default"  # "default": synthetic phrases with gold alignments; "real": French-English sentences; or the path of your own
SEED = 0
FAST = is_fast_run()  # few training steps, for automatic tests; the closing table says so
if SOURCE == "default":
    SIZES = {"embedding_size": 96, "hidden_size": 96, "attention_size": 32}
    TRAINING = {"steps": 610, "learning_rate": 8e-3, "time_limit_seconds": 180}
    ORDER = {"batch_size": 64, "maximum_tokens": 800, "curriculum": (8, 16, 30)}  # short phrases first
    torch.set_num_threads(1)  # the matrices are so small that a second thread waits more than it works
else:
    SIZES = {"embedding_size": 128, "hidden_size": 256, "attention_size": 256, "dropout": 0.3}
    TRAINING = {"steps": 1500, "learning_rate": 2.5e-3, "time_limit_seconds": 1800}
    ORDER = {"batch_size": 80}
if FAST:
    TRAINING["steps"] = max(2, TRAINING["steps"] // 50)
house_style()

# %% [markdown]
# ## The data, with gold alignments
#
# The phrases are those of lesson 1: numbers, dates, times, amounts, countries and noun phrases, chained to any length. Rules make them on your machine
# in a few seconds. So we know for every English word from which French words it comes. That is its **gold alignment**.

# %%
data = load_parallel(SOURCE)
print(f"{len(data.train):,} training pairs, {len(data.examples)} test pairs in {len(data.test)} groups by length")
flips = {"rouges", "vertes", "bleus", "bleues", "noires", "blancs", "blanches"}
shown = next((e for e in data.test.get((9, 16), []) if flips & set(e.source)), data.examples[0])
print("source:", " ".join(shown.source), "\ntarget:", " ".join(shown.target))
for target, word in enumerate(shown.target):
    print(f"{word:>12} ← {', '.join(shown.source[j] for i, j in sorted(shown.possible) if i == target) or '(no gold alignment)'}")

# %% [markdown]
# ## The mechanism in one diagram
#
# The decoder is about to write word $i$. Its last state is $s_{i-1}$. For each source word $j$ the encoder gives an **annotation** $h_j$. A GRU has read the sentence
# from left to right, another one from right to left, and $h_j$ is the two states at word $j$ side by side. So $h_j$ describes word $j$ in its context.

# %% tags=["gallery"]
show(diagrams.attention_decoder())

# %% [markdown]
# Read it from the bottom up. The blue frame holds what the decoder can read, the **memory**. The last state of the decoder is the **query**. Each annotation has two roles. As a **key** it is compared with the query, and as a **value**
# it is averaged.
#
# $$e_{ij} = v^\top \tanh(W s_{i-1} + U h_j) \qquad \alpha_{ij} = \frac{\exp e_{ij}}{\sum_k \exp e_{ik}} \qquad c_i = \sum_j \alpha_{ij}\, h_j$$
#
# First a *score* for each source word. Then *weights* that sum to one. Then the *context*, a weighted average. The last step is the GRU of lesson 1, which
# now reads a new context at every step: $s_i = \mathrm{GRU}([y_{i-1}; c_i],\, s_{i-1})$.
#
# Each of these steps is differentiable, so the loss can train $v$, $W$, $U$ and the encoder. Picking exactly one word would not be differentiable. That is one reason why attention takes a little of every word.
#
# ### By hand
#
# Three source words have the scores 2, 0 and 1, and annotations of two dimensions. What is the context? After this you write the same steps for whole batches.

# %%
scores = torch.tensor([2.0, 0.0, 1.0])
annotations = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
weights = scores.exp() / scores.exp().sum()
print("weights", [f"{weight:.2f}" for weight in weights], "sum to", f"{weights.sum():.2f}")
print("context", [f"{entry:.2f}" for entry in weights @ annotations])

# %% [markdown]
# ### Exercise additive-score
#
# Two linear layers project query and keys: $q = W s_{i-1}$ and $k_j = U h_j$. Your function gets the projected ones, and its part is what follows. A small network compares the query with each key:
# $e_j = v \cdot \tanh(q + k_j)$. It is called *additive* because the two meet in a sum.
#
# `query` is `(batch, attention_size)`, one query per sentence. `keys` is `(batch, source_length, attention_size)`, and `v` has `attention_size` entries. Return the plain
# scores, `(batch, source_length)`: no softmax yet, no scaling. No loop is needed. Each sentence's query meets its own keys only.
#
# *By hand:* with an attention size of one and $v = 2$, the query $0.5$ and the keys $0$ and $-0.5$ score $2\tanh(0.5) \approx 0.92$ and $2\tanh(0) = 0$.


# %% exercise="additive-score"
def additive_score(query, keys, v):
    """Score each source position: e_j = v · tanh(q + k_j).

    query: (batch, attention_size); keys: (batch, source_length, attention_size); v: (attention_size,).
    Returns (batch, source_length).
    """
    ### BEGIN SOLUTION
    asked = query.unsqueeze(1)  # (batch, 1, attention_size)
    hidden = torch.tanh(asked + keys)  # (batch, source_length, attention_size)
    return hidden @ v
    ### END SOLUTION


# %% check="additive-score" points=2
check("02.additive-score", additive_score);

# %% hidden="additive-score" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(2)
query, keys, v = torch.randn(4, 3, requires_grad=True), torch.randn(4, 4, 3, requires_grad=True), torch.randn(3)
scores = additive_score(query, keys, v)
for b, j in [(0, 0), (1, 3), (3, 1), (2, 0)]:
    by_hand = sum(v[a] * torch.tanh(query[b, a] + keys[b, j, a]) for a in range(3))
    assert torch.allclose(scores[b, j], by_hand, atol=1e-4)
assert additive_score(torch.ones(2, 7), torch.ones(2, 5, 7), torch.ones(7)).shape == (2, 5)
large = additive_score(torch.zeros(1, 7), torch.ones(1, 90, 7), torch.full((7,), 1e4))
assert torch.allclose(large, torch.full((1, 90), 7e4).mul(torch.tensor(1.0).tanh()))
scores[1, 2].backward()
assert query.grad[1].abs().sum() > 0 and query.grad[0].abs().sum() == 0
assert keys.grad[1, 2].abs().sum() > 0 and keys.grad[1, 3].abs().sum() == 0
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise masked-softmax
#
# The weights are the softmax of the scores over the real source positions, $\alpha_j = \exp(e_j) / \sum_{k\ \mathrm{real}} \exp(e_k)$.
# A padded position gets **exactly zero**, whatever its score is.
#
# `scores` and `source_mask` are `(batch, source_length)`, and True is a real token. Each row has at least one. Scores can be very
# large or very small, but are finite, and True may stand anywhere in a row. Let `torch.softmax` take the exponentials. Return the weights, in the same shape.
#
# *By hand:* the scores $[0, 0, 9]$ with the mask [True, True, False] give $[0.5, 0.5, 0]$. The 9 is padding and plays no part.


# %% exercise="masked-softmax"
def masked_softmax(scores, source_mask):
    """Turn scores into attention weights that are exactly zero on padding.

    scores: (batch, source_length); source_mask: (batch, source_length), True = real token.
    Returns (batch, source_length); each row sums to one.
    """
    ### BEGIN SOLUTION
    hidden = scores.masked_fill(~source_mask, float("-inf"))  # exp(-inf) is exactly zero
    return torch.softmax(hidden, dim=-1)
    ### END SOLUTION


# %% check="masked-softmax" points=2
check("02.masked-softmax", masked_softmax);

# %% hidden="masked-softmax" points=2
### BEGIN HIDDEN TESTS
scores = torch.tensor([[0.0, 1.0986123, 50.0], [7.0, 9.0, 1e30], [-1e30, -1e30, 0.0], [800.0, 0.0, 900.0]], requires_grad=True)
real = torch.tensor([[True, True, False], [True, False, False], [True, True, False], [True, False, True]])
before = scores.detach().clone()
weights = masked_softmax(scores * 1, real)
expected = torch.tensor([[0.25, 0.75, 0.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
assert torch.allclose(weights, expected, atol=1e-5) and (weights[~real] == 0).all()
weights[0, 0].backward()
assert torch.allclose(scores.grad[0], torch.tensor([0.1875, -0.1875, 0.0]), atol=1e-5)
masked_softmax(scores.data, real)
assert torch.equal(scores.data, before)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise context
#
# The context of one decoder step is the average of the values, each weighted by its attention weight: $c = \sum_j \alpha_j h_j$.
#
# `attention_weights` is `(batch, source_length)` and `values` is `(batch, source_length, value_size)`. Return `(batch, value_size)`.
# Each sentence averages its own values.
#
# *By hand:* the weights $[0.25, 0.75]$ and the values $[4, 0]$ and $[2, 4]$ give the context $[2.5, 3]$.


# %% exercise="context"
def average_values(attention_weights, values):
    """Average the values of each sentence, weighted by its attention weights.

    attention_weights: (batch, source_length), each row sums to one.
    values: (batch, source_length, value_size).
    Returns (batch, value_size).
    """
    ### BEGIN SOLUTION
    products = attention_weights.unsqueeze(-1) * values  # (batch, source_length, value_size)
    return products.sum(dim=1)
    ### END SOLUTION


# %% check="context" points=1
check("02.context", average_values);

# %% hidden="context" points=1
### BEGIN HIDDEN TESTS
weights = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75], [1.0, 0.0, 0.0]])
values = torch.arange(27.0).reshape(3, 3, 3).requires_grad_()
result = average_values(weights, values * 1)
assert torch.allclose(result, torch.tensor([[1.5, 2.5, 3.5], [14.25, 15.25, 16.25], [18.0, 19.0, 20.0]]))
one = average_values(torch.ones(1, 1).double(), torch.ones(1, 1, 4).double())
assert one.shape == (1, 4) and one.dtype == torch.float64
result[1, 0].backward()
assert torch.allclose(values.grad[1, :, 0], torch.tensor([0.0, 0.25, 0.75])) and values.grad[0].abs().sum() == 0
scores = torch.zeros(2, 2, requires_grad=True)
average_values(scores.softmax(-1), torch.tensor([[[0.0], [4.0]], [[1.0], [2.0]]]))[0, 0].backward()
assert torch.allclose(scores.grad, torch.tensor([[-1.0, 1.0], [0.0, 0.0]]))
average_values(weights, values.data)
assert torch.equal(values.data.flatten(), torch.arange(27.0))
### END HIDDEN TESTS

# %% [markdown]
# ## Assemble: attention
#
# Your three functions make one module. The layers hold $W$, $U$ and $v$. The keys $U h_j$ do not depend on $i$, so `prepare` computes them once per sentence. (Where a function of yours is
# not right yet, the course's takes its place, and the cell says so.)

# %%
score_keys = checked("02.additive-score", additive_score)
to_weights = checked("02.masked-softmax", masked_softmax)
average = checked("02.context", average_values)


class Attention(nn.Module):
    def __init__(self, query_size, value_size, attention_size):
        super().__init__()
        self.query_projection = nn.Linear(query_size, attention_size)  # W
        self.key_projection = nn.Linear(value_size, attention_size, bias=False)  # U
        self.score = nn.Linear(attention_size, 1, bias=False)  # v
        for layer in self.children():  # larger first weights than PyTorch's
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="tanh")

    def prepare(self, values, source_mask):
        return values, self.key_projection(values), source_mask

    def forward(self, state, memory):
        values, keys, source_mask = memory
        scores = score_keys(self.query_projection(state), keys, self.score.weight[0])
        attention_weights = to_weights(scores, source_mask)
        return average(attention_weights, values), attention_weights


# %% [markdown]
# ## Assemble: the whole model
#
# Encoder, attention, GRU and readout, on one page. `read_on` runs along words that are given. While training these are the words of the true translation: whatever the model would have written,
# the next step reads the true previous word. This is called **teacher forcing**. While translating, they are the words that the model has written itself. `WordModel` brings what lesson 1 built: the softmax over
# words and the cross-entropy over real words. `MaxoutReadout` is the paper's output layer; you write its core under *Going further*.
#
# The argument `one_vector` makes the baseline. It replaces the annotations by **one** vector, the last states of both encoders side by side. A softmax over one score is 1, so
# the context is this vector at every step. Everything else stays as it is: parameters, data, order, learning rate, number of steps.

# %%
class Translator(WordModel):
    def __init__(self, source_words, target_words, embedding_size, hidden_size, attention_size, dropout=0.0, one_vector=False):
        super().__init__()
        self.one_vector, self.dropout = one_vector, nn.Dropout(dropout)
        self.source_embedding = word_embedding(source_words, embedding_size)
        self.target_embedding = word_embedding(target_words, embedding_size)
        self.encoder = GRUEncoder(embedding_size, hidden_size, bidirectional=True)
        self.initial = nn.Linear(hidden_size, hidden_size)
        attention = Attention(hidden_size, 2 * hidden_size, attention_size)
        recurrence = nn.GRU(embedding_size + 2 * hidden_size, hidden_size, batch_first=True)
        self.decoder = nn.ModuleDict({"attention": attention, "recurrence": recurrence})
        self.readout = MaxoutReadout(3 * hidden_size + embedding_size, embedding_size, target_words, dropout)

    def start(self, source, source_mask):
        encoded = self.encoder(self.dropout(self.source_embedding(source)), source_mask)
        h = encoded.outputs  # the annotations: (batch, source_length, 2 * hidden_size)
        if self.one_vector:
            h = torch.cat([encoded.forward_last, encoded.backward_first], dim=-1).unsqueeze(1)
            source_mask = source_mask[:, :1]
        s = torch.tanh(self.initial(encoded.backward_first))  # the first state: (batch, hidden_size)
        return self.decoder.attention.prepare(self.dropout(h), source_mask), s

    def read_on(self, words, s, memory):
        features, weights = [], []
        for y in self.dropout(self.target_embedding(words)).unbind(dim=1):  # one word after the other
            c, alpha = self.decoder.attention(s, memory)  # the query is the last state
            _, s = self.decoder.recurrence(torch.cat([y, c], dim=-1).unsqueeze(1), s.unsqueeze(0))
            s = s.squeeze(0)
            features.append(torch.cat([s, y, c], dim=-1))
            weights.append(alpha)
        return Reading(torch.stack(features, dim=1), torch.stack(weights, dim=1)), s

    def scores(self, features):
        return self.readout(features)


# %% [markdown]
# ## Train
#
# `train` is the loop of lesson 1: loss, backward, clip, step. Training starts with a curriculum: three short epochs with phrases of at most 8, 16 and 30 words. Both models get it. Losses are in nats, the unit of the natural logarithm. Each model trains for about 25 seconds.

# %%
def new_translator(**changes):
    seed_everything(SEED)  # the same first weights for every variant
    return Translator(len(data.source_vocabulary), len(data.vocabulary), **SIZES, **changes)


def fit(some_model, name):
    batches = data.batches(seed=SEED, **ORDER)
    history = train(some_model, batches, description=name, **TRAINING)
    print(f"{name}: {history.summary()}")


model, baseline = new_translator(), new_translator(one_vector=True)
print(f"parameters: {sum(p.numel() for p in model.parameters()):,} with attention, {sum(p.numel() for p in baseline.parameters()):,} with one vector")
alone, beside = make_pair_batch(data.encode(data.examples[:1])), make_pair_batch(data.encode(data.examples[:60:20]))
with torch.no_grad():
    short, padded = model.eval()(alone)[0], model.eval()(beside)[0]
print("the first phrase, alone and padded, gets the same probabilities:", torch.allclose(short[0], padded[0, : short.shape[1]], atol=1e-5))
print(f"a model that knows nothing has the loss ln({len(data.vocabulary)}) = {torch.tensor(float(len(data.vocabulary))).log():.2f} nats per word")
fit(model, "attention")

# %%
fit(baseline, "one vector")

# %% [markdown]
# ## BLEU by length
#
# Compare figure 2 of the paper. The grey line is the floor: the BLEU of a right translation of *another* phrase of the same length.

# %% tags=["gallery"]
results = {"attention": score_by_length(model, data), "one vector": score_by_length(baseline, data)}
curves = {name: {bucket: result.bleu for bucket, result in by_length.items()} for name, by_length in results.items()}
floor = {}
for bucket, examples in data.test.items():
    references = [example.reference for example in examples]
    floor[bucket] = bleu(references[1:] + references[:1], references)
long, short = list(data.test)[-1], list(data.test)[0]
title = f"From {short[0]}–{short[1]} to {long[0]}–{long[1]} words: {curves['attention'][short]:.0f} → {curves['attention'][long]:.0f} with attention, {curves['one vector'][short]:.0f} → {curves['one vector'][long]:.0f} with one vector"
show(plot_by_length({**curves, "shuffled references": floor}, title=title, ylabel="BLEU", ylim=(0, 102)))
print("translated without any mistake   " + "".join(f"{low:>4}–{high:<4}" for low, high in data.test))
for name, by_length in results.items():
    print(f"{name:<33}" + "".join(f"{result.exact:>7.2f}  " for result in by_length.values()))

# %% [markdown]
# **Prediction 1.** With attention BLEU falls a little, most of it in the last group. With one vector most of it is gone. The share of phrases *without any mistake* falls faster with both. A long phrase has more words to get wrong, but the error rate per word rises, too: few training phrases
# are longer than 16 words. Models that have trained for longer follow below.

# %% [markdown]
# ### Exercise greedy
#
# A trained decoder gives probabilities for the *next* word. To get a sentence, you choose a word, feed it back, and choose again.
#
# One step is `log_probabilities, state = step(previous_word, state)`. The log probabilities, one per word of the vocabulary,
# say what could come next. Greedy decoding always takes the most probable word, $y_i = \mathrm{argmax}_y \log p(y \mid y_1, \dots, y_{i-1}, x)$.
#
# Word ids are plain integers. Start with the word `begin` and the state `first_state`. Stop as soon as the best word is `end`, and after
# `max_length` calls of `step` in any case. Return the list of ids in the order in which they were written.
# `begin` and `end` are different ids. `end` is not in the list, nor is the `begin` that you started with. Every other id is a word: 0, one that comes again, and even `begin`, should
# it come out best inside the sentence.
#
# *By hand:* if the best words of the first three steps are 3, 2 and `end`, the answer is `[3, 2]`. With `max_length=1` it is `[3]`.


# %% exercise="greedy"
def greedy(step, begin, end, first_state, max_length):
    """Decode one sentence by taking the most probable word at every step.

    step: step(previous_word, state) -> (log probabilities (vocabulary,), next state).
    begin, end: ids of the symbols around a sentence; max_length: most calls of step.
    Returns the list of word ids, without the first begin and without end.
    """
    ### BEGIN SOLUTION
    words, word, state = [], begin, first_state
    for _ in range(max_length):
        log_probabilities, state = step(word, state)
        word = int(log_probabilities.argmax())
        if word == end:
            break
        words.append(word)
    return words
    ### END SOLUTION


# %% check="greedy" points=2
check("02.greedy", greedy);

# %% hidden="greedy" points=2
### BEGIN HIDDEN TESTS
route = {(2, 0): 7, (7, 1): 0, (0, 2): 7, (7, 3): 4, (4, 4): 3}  # (previous word, state): best word
def step_along(previous_word, state):
    scores = torch.zeros(9)
    scores[route[int(previous_word), state]] = 0.2
    scores[8] = -0.2
    return scores.log_softmax(-1), state + 1
assert list(greedy(step_along, 2, 3, 0, 9)) == list(greedy(step_along, 2, 3, 0, 5)) == [7, 0, 7, 4]
assert list(greedy(step_along, 2, 3, 0, 2)) == [7, 0] and list(greedy(step_along, 2, 3, 0, 1)) == [7]
assert list(greedy(step_along, 7, 3, 3, 9)) == [4] and list(greedy(step_along, 4, 3, 4, 9)) == []
calls = []
def step_in_circles(previous_word, state):  # 0, 300, 2 (begin), 0, 300, …
    calls.append(previous_word)
    following = {2: 0, 0: 300, 300: 2}[int(previous_word)]
    return (-abs(torch.arange(301.0) - following)).log_softmax(-1), state
assert list(greedy(step_in_circles, 2, 3, None, 50)) == [0, 300, 2] * 16 + [0, 300] and len(calls) == 50
### END HIDDEN TESTS

# %% [markdown]
# Your `greedy` now decodes your model. The memory is what attention reads: values, keys and the mask. `translate` can reorder it before decoding begins; we shall need that.

# %%
decode_greedily = checked("02.greedy", greedy)


@torch.no_grad()
def translate(some_model, words, values_from=slice(None), keys_from=slice(None)):
    """Translate French words; returns English words and the weights (target_length, source_length). The last two arguments reorder the memory."""
    (values, keys, mask), state = some_model.start(torch.tensor([data.source_vocabulary.encode(words)]), torch.ones(1, len(words), dtype=bool))
    memory, rows = (values[:, values_from], keys[:, keys_from], mask), []

    def step(previous_word, state):
        log_probabilities, state, attention_weights = some_model.step(torch.tensor([previous_word]), state, memory)
        rows.append(attention_weights[0])
        return log_probabilities[0], state

    ids = decode_greedily(step, BEGIN, END, state, 2 * len(words) + 10)
    return data.vocabulary.decode(ids), torch.stack(rows)[: len(ids)]


for example in data.examples[::150]:
    english, _ = translate(model, example.source)
    print(" ".join(example.source), "→", " ".join(english), "" if tuple(english) == example.target else f"   (gold: {' '.join(example.target)})")

# %% [markdown]
# ## What it attends to
#
# Each row is an English word, each column a French one. Dark means a large weight. The orange frames are the gold alignment. The model is fed the true translation here (teacher forcing), so that every row has its frame.

# %%
def show_attention(some_model, name):
    weights = teacher_forced_attention(some_model, data, [shown])[0]
    right = len(hard_alignment(weights) & shown.possible)
    title = f"{name}: {right} of {len(shown.target)} words attend most to a right word" if shown.possible else f"{name}: no gold alignment here"
    show(plot_alignment(weights, shown.source, shown.target, shown.possible, title=title))


show_attention(model, "After half a minute")

# %% [markdown]
# **Prediction 2.** At adjectives behind their noun the gold frames cross the diagonal. The weights begin to do so. After half a minute the crossing is not sharp yet: see which rows miss their frame. (The same map after longer training follows below.)
#
# Where a dark field lies **beside** its frame, the translation can still be right. An annotation comes out of two recurrent networks, so $h_j$ also carries the words near $j$. So the largest
# weight need not lie on the word that is being translated.
#
# One map proves nothing. We need all test phrases, and one number.

# %% [markdown]
# ### Exercise alignment-error-rate
#
# Each row of weights proposes a link, from its target word to the source word with the largest weight. The *alignment error rate* of Och and Ney (2003) compares the proposed links $A$ with two gold sets. The sure links $S$ must be there: one word
# translates one word, as *red* and *rouges*. The possible links $P$ may be there: several words translate several together, as *ninety* and each word of *quatre-vingt-dix*.
#
# $$\mathrm{AER} = 1 - \frac{|A \cap S| + |A \cap P|}{|A| + |S|}$$
#
# All three arguments are sets of `(target, source)` pairs; a word may have several links. Every sure link is possible too, even
# where `possible` does not list it. Each set may be empty, but `proposed` and `sure` are never both empty. Return one number from 0 (perfect)
# to 1, not rounded.
#
# *By hand:* propose (0, 0), (1, 1) and (2, 3). Sure are (0, 0) and (1, 2); (1, 1) is possible. One proposed link is sure, two are possible, so
# the rate is $1 - (1 + 2)/(3 + 2) = 0.4$.


# %% exercise="alignment-error-rate"
def alignment_error_rate(proposed, sure, possible):
    """Compare proposed links with the gold ones, as Och and Ney (2003) do.

    proposed, sure, possible: sets of (target index, source index); sure links count as possible.
    Returns the alignment error rate, 0 (perfect) to 1.
    """
    ### BEGIN SOLUTION
    possible = possible | sure
    agreement = len(proposed & sure) + len(proposed & possible)
    return 1 - agreement / (len(proposed) + len(sure))
    ### END SOLUTION


# %% check="alignment-error-rate" points=2
check("02.alignment-error-rate", alignment_error_rate);

# %% hidden="alignment-error-rate" points=2
### BEGIN HIDDEN TESTS
found = {(0, 0), (1, 0), (2, 3), (3, 2), (4, 4)}
certain, allowed = {(0, 0), (2, 3), (5, 5)}, {(1, 0), (6, 6), (6, 5), (0, 1)}
for links, rate in [
    ((found, certain, allowed), 0.375),
    (({(0, 1)}, {(0, 1), (1, 0)}, {(0, 1), (1, 0), (1, 1)}), 1 / 3),
    (({(0, 1)}, {(1, 1)}, {(1, 1), (1, 0)}), 1),
    (({(3, 0)}, {(3, 0)}, {(3, 0), (1, 2)}), 0),
    (({(3, 0), (1, 1)}, {(3, 0)}, set()), 1 / 3),
    ((set(), {(1, 1)}, set()), 1),
    (({(1, 1)}, set(), set()), 1),
    (({(0, 0), (0, 1), (2, 2), (3, 3)}, set(), {(0, 0)}), 0.75),
]:
    assert abs(alignment_error_rate(*links) - rate) < 1e-5
assert len(found) == 5 and len(certain) == 3 and len(allowed) == 4
### END HIDDEN TESTS

# %% [markdown]
# ## Evaluated against gold
#
# Two baselines. The **diagonal** links each English word to the French word at the same relative place: no model at all. **IBM model 1** (1993) estimates from pairs of sentences how often each
# French word is translated by each English one, and ignores where words stand. Here it learns from the 3,000 first pairs of at most 16 words.
#
# Your function takes one set of links for all phrases together, if no two phrases share a number. So the target words of phrase $n$ are numbered from $1000\,n$ on.

# %%
error_rate = checked("02.alignment-error-rate", alignment_error_rate)


def numbered(links_of_each):
    return {(1000 * n + i, j) for n, links in enumerate(links_of_each) for i, j in links}


if data.name == "default":
    sure, possible = numbered(e.sure for e in data.examples), numbered(e.possible for e in data.examples)
    links = {
        "diagonal": [diagonal_alignment(len(e.target), len(e.source)) for e in data.examples],
        "IBM model 1": ibm_alignments(data, 300 if FAST else 3000, 16),
        "attention": [hard_alignment(weights) for weights in teacher_forced_attention(model, data, data.examples)],
    }
    rates = {name: error_rate(numbered(found), sure, possible) for name, found in links.items()}
    hits = len(numbered(links["attention"]) & possible) / len(numbered(links["attention"]))
    print("alignment error rate:", ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items()))
    print(f"attention: the largest weight lies on a right word for {10 * hits:.1f} words in ten")

# %% [markdown]
# **Prediction 3** is answered in the last line. Attention does better than word order alone, and better than this IBM model, which saw a tenth of the pairs.
#
# ## Why 1: a translation loss rewards the right word
#
# Nobody shows the model an alignment. Where does it come from? Follow the gradient through one softmax, by hand.
#
# Three source words have equal weights, $\alpha_j = 1/3$. Let $g_j = \partial L / \partial \alpha_j$ be the change of the loss when the weight of word $j$ grows. Suppose word 1 is the one to be translated. More weight on it lowers the loss, and the others do nothing: $g = (-3, 0, 0)$. The softmax gives
#
# $$\frac{\partial L}{\partial e_j} = \alpha_j \Bigl(g_j - \sum_k \alpha_k g_k\Bigr), \qquad \text{here} \quad \tfrac13(-3 + 1),\; \tfrac13(0 + 1),\; \tfrac13(0 + 1) = \bigl(-\tfrac23, \tfrac13, \tfrac13\bigr).$$
#
# Gradient descent goes against the gradient: the score of word 1 rises, the others fall. **A score rises if its word lowers the loss more than the weighted average of all words does.** If the annotation of *rouges* helps most to
# predict *red*, its weight grows. No alignment has to be given. The same with autograd and your functions:

# %% tags=["exact"]
scores = torch.zeros(1, 3, requires_grad=True)
values = torch.tensor([[[-3.0], [0.0], [0.0]]])  # L is the context itself, so that g = (-3, 0, 0)
loss = average(to_weights(scores, torch.ones(1, 3, dtype=bool)), values).sum()
loss.backward()
print("gradient of the scores:", [f"{entry:+.2f}" for entry in scores.grad[0]])

# %% [markdown]
# ## Why 2: the gradient reaches every word
#
# In lesson 1 the gradient had to go through all steps of the encoder. Here is the same measurement for both models, **before any training**: take the log-probability of
# a target word in the middle, and its gradient with respect to the embedding of each of forty source words.

# %%
def source_gradients(some_model, example):
    """Norm of the gradient of the middle target word's log-probability, by each source embedding: (source_length,)."""
    double, kept = copy.deepcopy(some_model).double(), []  # in single precision the smallest ones would be zero
    double.source_embedding.register_forward_hook(lambda layer, ids, embedded: kept.append(embedded.detach().requires_grad_()) or kept[0])
    batch, middle = make_pair_batch(data.encode([example])), len(example.target) // 2
    log_probabilities, _ = double(batch)
    log_probabilities[0, middle, batch.target_output[0, middle]].backward()
    return kept[0].grad[0].norm(dim=-1)


forty = test_phrases(40, 40, 5 if FAST else 20) if data.name == "default" else [max(data.examples, key=lambda e: len(e.source))]
untrained = {"attention": new_translator(), "one vector": new_translator(one_vector=True)}
reach = {name: torch.stack([source_gradients(some, e) for e in forty]).mean(dim=0) for name, some in untrained.items()}
weakest = {name: float(norms.min()) for name, norms in reach.items()}
title = f"At the weakest word the gradient is {weakest['attention']:.0e} with attention, {weakest['one vector']:.0e} with one vector"
lines = {name: (list(range(1, len(norms) + 1)), norms.tolist()) for name, norms in reach.items()}
show(plot_lines(lines, title=title, xlabel="place of the source word", ylabel="norm of the gradient", log_y=True))

# %% [markdown]
# With one vector the gradient shrinks by about the same factor at every step of the two GRUs. It is strong at both ends, where one of the encoders stops, and almost zero in the middle. With attention it is about the same everywhere, because there is a path from each
# annotation to each target word through one average, however long the phrase is. (Before training the weights $\alpha$ differ little, so the line is flat.) So the model can learn from every word.
#
# ## Why 3: the choice matters, not the many vectors
#
# Perhaps it is enough to keep all annotations. Test it: set $v = 0$. All scores are then zero and all weights equal, and $c_i$ is the plain mean of the annotations. We do this twice: to the
# trained model, and to a new model that trains with equal weights from the start.

# %%
switched_off, no_choice = copy.deepcopy(model), new_translator()
for some_model in (switched_off, no_choice):
    v = some_model.decoder.attention.score.weight
    nn.init.zeros_(v)
    v.requires_grad_(False)
fit(no_choice, "equal weights")
ablation = {
    "attention": curves["attention"],
    "equal weights, trained": {bucket: result.bleu for bucket, result in score_by_length(no_choice, data).items()},
    "equal weights, only tested": {bucket: result.bleu for bucket, result in score_by_length(switched_off, data).items()},
    "one vector": curves["one vector"],
}
title = f"Equal weights reach {ablation['equal weights, trained'][long]:.0f} BLEU on the longest phrases, one vector {curves['one vector'][long]:.0f}, attention {curves['attention'][long]:.0f}"
show(plot_by_length(ablation, title=title, ylabel="BLEU", ylim=(0, 102)))

# %% [markdown]
# **Prediction 4.** Almost nothing is left. The mean of the annotations is one vector again, the same at every step. This model has the same short gradient paths as attention, so the paths alone do not explain the gain. It also needs weights that change from step to step. (The paper starts its
# training with $v = 0$, from such equal weights, and then learns $v$.) Switched off only when tested, the trained model is worse still: its decoder has never read a mean.
#
# ## The same class, trained for longer and on more phrases
#
# The course ships weights for this architecture: one set with attention, one with one vector, by the same recipe. The network is somewhat larger, trains ten times as long with dropout, on 100,000 phrases of which a larger share is long. **Your** class loads them, because its
# layers have the names of the package's model.

# %%
def build(card):
    recipe, options = card["recipe"], card["recipe"]["options"]
    check_vocabulary("02-additive-attention", card["source_words"] + card["target_words"], data.source_vocabulary.words[4:] + data.vocabulary.words[4:])
    sizes = (recipe["embedding_size"], recipe["hidden_size"], options["attention_size"])
    return Translator(len(data.source_vocabulary), len(data.vocabulary), *sizes, one_vector=options.get("one_vector", False))


trained, cards = {"attention": model, "one vector": baseline}, {}
files = {"attention": "02-additive-attention", "one vector": "02-one-vector"} if data.name == "default" else {}
try:
    for name, file in files.items():
        trained[name], cards[name] = load_checkpoint(file, build)
        print(f"{name}: {cards[name]['recipe']['steps']:,} steps, {cards[name]['seconds'] / 60:.0f} minutes, {cards[name]['command']}")
except CheckpointError as error:
    print("going on with the models of this lesson:", error)
if not files:
    print("The stored weights know the words of the synthetic phrases only: going on with the models of this lesson.")

# %% [markdown]
# Both saw phrases of at most sixty words. The two groups on the right are longer than that.

# %%
beyond = {bucket: test_phrases(*bucket, 5 if FAST else 40) for bucket in ((61, 80), (81, 100))} if data.name == "default" else {}
tests = {**data.test, **beyond}
long_curves = {name: {bucket: score(some, data, examples[:60]).bleu for bucket, examples in tests.items()} for name, some in trained.items()}
title = f"At {long[0]}–{long[1]} words: {long_curves['attention'][long]:.0f} BLEU with attention, {long_curves['one vector'][long]:.0f} with one vector, both trained for longer"
axes = plot_by_length(long_curves, title=title, ylabel="BLEU", ylim=(0, 102))
axes.axvspan(len(data.test) - 0.5, len(tests) - 0.5, color="0.93", zorder=0)
axes.text(len(data.test) - 0.4, 50, "longer than\nin training", fontsize=9, color="0.3")
show(axes)

# %% tags=["gallery"]
show_attention(trained["attention"], "Trained for longer")
if data.name == "default":
    alignment = score_alignment(trained["attention"], data, data.examples)
    print(f"alignment error rate on all test phrases: {alignment.error_rate:.3f}; {rates['attention']:.3f} after half a minute")
    longest = {name: score(some, data, data.test[long]).exact for name, some in trained.items()}
    print(f"{long[0]}–{long[1]} words, translated without any mistake: " + ", ".join(f"{name} {exact:.2f}" for name, exact in longest.items()))

# %% [markdown]
# **The question of this lesson.** Among the lengths of training, long phrases are now as easy as short ones for attention, and nearly all of its links are right. With one vector, more training on more phrases moves the fall to longer phrases and does not remove it.
# Beyond the lengths of training attention falls, too.
#
# ## Why 4: keys decide where, values decide what
#
# Two interventions in the memory of the longer-trained model, in 42 phrases with two colours. First, put all annotations, **keys and values together**, into a random order. Second, swap **only the values** of the two colours and leave
# their keys in place.

# %%
COLOURS = {"rouges": "red", "vertes": "green", "bleues": "blue", "noires": "black", "blanches": "white", "jaunes": "yellow", "grises": "grey"}
generator, moved, swapped, same_map, pairs = torch.Generator().manual_seed(SEED), 0, 0, 0, list(permutations(COLOURS, 2))
for a, b in pairs if data.name == "default" else ():
    french = ["les", "lettres", a, ",", "puis", "les", "voitures", b]
    before, map_before = translate(trained["attention"], french)
    order = torch.randperm(8, generator=generator)
    moved += translate(trained["attention"], french, values_from=order, keys_from=order)[0] == before
    after, map_after = translate(trained["attention"], french, values_from=[0, 1, 7, 3, 4, 5, 6, 2])
    same_map += map_after.argmax(dim=1).equal(map_before.argmax(dim=1))
    swapped += after == ["the", COLOURS[b], "letters", ",", "then", "the", COLOURS[a], "cars"]
    if (a, b) == ("rouges", "vertes"):
        print(f"{' '.join(french)}\n   before:          {' '.join(before)}\n   values swapped:  {' '.join(after)}")
if data.name == "default":
    print(f"random order: same translation for {moved} of {len(pairs)} phrases; values swapped: colours swapped for {swapped}, every largest weight where it was for {same_map}")

# %% [markdown]
# **Prediction 5.** Nothing changes, and it cannot: a weighted sum has no order, and each key is found wherever it is. (So the first count only tests the code.) What the model knows about word order stands in the annotations, since the encoders have read the phrase in order. When only the values change places, the model
# attends to the same positions and reads the other colour there. So what it writes depends on the values that it attends to.
#
# ## Claims, tested
#
# Each row is one claim, with a scale of its own. The point is the difference between the two systems over five seeds (three on real sentences), the bar its 95 % interval. A claim **holds** if the whole interval lies on the claim's side of zero, and its p-value, corrected for testing
# several claims (Holm's method), is below 0.05. For error rates the claim's side is the lower one. "Three times as long" is a pair of 2,000 steps, with this lesson's sizes and data. It is **contradicted** if the same is true of the other side, and **inconclusive** otherwise. **Void** means that both systems are no better than a guess, or both nearly perfect, so that the comparison shows nothing.

# %%
stored = [results for source in ("default", "real") if (results := load_results("02", source))]
entries = [{**entry, "source": results["source"]} for results in stored for entry in results["claims"]]
show(plot_claims(entries))

# %% [markdown]
# The paper's values (RNNencdec is its one-vector model, RNNsearch the one with attention, 50 the longest sentences in training) are of news text and much larger models; ours are of short regular phrases. Compare directions, not sizes. On all sentences the paper's best model was
# still behind the phrase-based system Moses (26.75 against 33.30).
#
# ## Your own phrase
#
# Change the text and run the cell again, or type into the box where the notebook is live. Unknown words are named.

# %%
def explain(text):
    """Translate a French text with the longer-trained model and show its attention."""
    words = list(data.tokenize(text))
    if not 1 <= len(words) <= 60:
        return print(f"This has {len(words)} words. Type 1 to 60 of them, for example: trois petites maisons vertes")
    if unknown := data.source_vocabulary.unknown_words(words):
        print(f"unknown to the model: {', '.join(unknown)}")
    english, weights = translate(trained["attention"], words)
    print(text, "→", " ".join(english))
    if english:
        title = f"{len(words)} words read, {len(english)} written"
        try:
            display(explore_alignment(weights, words, english, title=title, source_name="French", target_name="English"))
        except ValueError:
            print("too long to show word by word")


explain("les trois petites maisons vertes en France le lundi deux mars à quinze heures")

answer, box = ipywidgets.Output(), ipywidgets.Text(description="French:", placeholder="deux voitures rouges", continuous_update=False)


def translate_what_was_typed(change):
    answer.clear_output()
    with answer:
        explain(change["new"])


box.observe(translate_what_was_typed, names="value")
display(ipywidgets.VBox([box, answer]))

# %% [markdown]
# Try to break it: a noun without its article, numbers in digits, words in another order, the same word five times.
#
# ## How this differs from the paper
#
# The paper translates from English to French. Its one-vector model reads in one direction. Its readout gets $s_{i-1}$ in the appendix and $s_i$ in equation 4; ours gets $s_i$. It starts with $v = 0$ and tiny $W$ and $U$, trains for days with Adadelta and without a curriculum, and shows maps of its own
# translations. The words *query*, *key* and *value* came later.
#
# ## What came next
#
# - The decoder does not know what it has attended to before. On long inputs it repeats or skips. → *Lesson 6: location-aware attention.*
# - It attends to **words**. The same three lines attend to parts of an image. → *Lessons 3 and 4.*
# - It always averages. Attending to exactly one place needs another gradient. → *Hard attention, lessons 3 and 4.*
# - Every step waits for the one before. In 2017 the Transformer removed the recurrence and kept the scores, the softmax and the average.
#
# <details><summary><b>Question:</b> the query is $s_{i-1}$ and not $s_i$. What does the model therefore not know yet when it computes the weights?</summary>
#
# The word that it has just written: $s_{i-1}$ was computed before $y_{i-1}$ was fed back. Luong and others (2015) attend with $s_i$ instead.
# </details>
#
# <details><summary><b>Question:</b> a colleague shows one map in which the weights fall on the right words, and concludes that the model understands French. What would you ask for?</summary>
#
# Gold alignments for many sentences, the error rate of the diagonal beside them, and an intervention: does the translation change when the attended value changes?
# </details>

# %% [markdown]
# # Going further
#
# Each part stands alone, and you can skip all of them.
#
# ## The readout, and beam search

# %% [markdown]
# ### Exercise maxout
#
# Optional. The readout turns the new state into scores of the target words. The paper uses one *maxout* layer for it. A linear layer computes twice as many
# entries as needed, $\tilde t$, and the larger of each two neighbours stays: $t_k = \max(\tilde t_{2k}, \tilde t_{2k+1})$, with $k$ counted from 0.
#
# `features` has the shape `(…, 2 · size)`, with any number of dimensions before the last, or none. Return `(…, size)`.
#
# *By hand:* $[1, 3, 2, -5]$ has the pairs $(1, 3)$ and $(2, -5)$, so the result is $[3, 2]$.


# %% exercise="maxout"
def maxout(features):
    """Keep the larger of each two neighbours in the last dimension.

    features: (..., 2 * size). Returns (..., size).
    """
    ### BEGIN SOLUTION
    pairs = features.unflatten(-1, (-1, 2))  # (..., size, 2)
    return pairs.amax(dim=-1)
    ### END SOLUTION


# %% check="maxout" points=1
check("02.maxout", maxout);

# %% hidden="maxout" points=1
### BEGIN HIDDEN TESTS
assert maxout(torch.tensor([-4.0, -9.0, 8.0, 6.0, 0.0, 1.0, 3.0, 2.0])).tolist() == [-4.0, 8.0, 1.0, 3.0]
assert torch.equal(maxout(torch.tensor([[-1e30, -2e30], [1e9, 2e9]])), torch.tensor([[-1e30], [2e9]]))
numbers = torch.tensor([[[2.0, -1.0, 0.5, 0.25]], [[-3.0, -2.0, -7.0, -8.0]]], requires_grad=True)
assert maxout(torch.ones(1, 2)).shape == (1, 1)
result = maxout(numbers * 1)
assert result.tolist() == [[[2.0, 0.5]], [[-2.0, -7.0]]]
result.sum().backward()
assert numbers.grad.tolist() == [[[1.0, 0.0, 1.0, 0.0]], [[0.0, 1.0, 1.0, 0.0]]]
maxout(numbers.data)
assert numbers.data.flatten().tolist() == [2.0, -1.0, 0.5, 0.25, -3.0, -2.0, -7.0, -8.0]
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise beam-step
#
# Optional. Beam search keeps several unfinished sentences, the *beams*. Each beam $b$ has a score so far, $S_b$, the sum of the log probabilities of
# its words. The model offers every word $w$ to every beam, and the new sentence scores $S_b + \log p_b(w)$. Of all these, whichever beam they
# come from, keep the `k` best.
#
# `beam_scores` is `(beam,)` and `log_probabilities` is `(beam, vocabulary)`. Return three tensors of shape `(k,)`, best first: `parents`, the beams
# that were continued; `words`, the words that continue them; and `scores`, the new sums. The first two hold integers. `k` may be
# smaller or larger than the number of beams. An impossible beam or word has minus infinity, and comes last where `k` is so large. There are no ties.
#
# *By hand:* beams with $-1$ and $-2$ are offered two words each, at $[-0.1, -2.4]$ and $[-0.5, -0.9]$. The four sums are $-1.1$, $-3.4$, $-2.5$ and
# $-2.9$. For `k = 2` the parents are $[0, 1]$, the words $[0, 0]$ and the scores $[-1.1, -2.5]$.


# %% exercise="beam-step"
def beam_step(beam_scores, log_probabilities, k):
    """Choose the k best continuations of all beams together.

    beam_scores: (beam,), summed log probabilities so far; log_probabilities: (beam, vocabulary).
    Returns parents, words and scores, each (k,), best first.
    """
    ### BEGIN SOLUTION
    totals = beam_scores.unsqueeze(1) + log_probabilities  # (beam, vocabulary)
    scores, index = totals.flatten().topk(k)
    vocabulary = log_probabilities.shape[1]
    return index // vocabulary, index % vocabulary, scores
    ### END SOLUTION


# %% check="beam-step" points=3
check("02.beam-step", beam_step);

# %% hidden="beam-step" points=3
### BEGIN HIDDEN TESTS
beams = torch.tensor([-3.0, -1.0, float("-inf"), -2.0])
table = torch.tensor([[-0.25, -3.0, -2.0], [-4.0, -2.5, -0.5], [-0.125, -0.125, -0.125], [-2.25, -0.75, -6.0]])
unchanged = table.clone()
parents, words, scores = beam_step(beams, table, 5)
assert parents.tolist() == [1, 3, 0, 1, 3] and words.tolist() == [2, 1, 0, 1, 0]
assert scores.tolist() == [-1.5, -2.75, -3.25, -3.5, -4.25]
parents, words, scores = beam_step(torch.tensor([-5.0, -0.5]), torch.tensor([[-0.5, -4.0], [-1.0, -1.5]]), 2)
assert parents.tolist() == [1, 1] and words.tolist() == [0, 1] and scores.tolist() == [-1.5, -2.0]
parents, words, scores = beam_step(torch.tensor([-500.0, -500.5]), -torch.arange(600.0).view(2, 300).flip(1), 9)
assert parents.tolist() == [0] * 9 and words.tolist() == list(range(299, 290, -1)) and scores.tolist() == list(range(-500, -509, -1))
assert torch.equal(table, unchanged)
### END HIDDEN TESTS

# %% [markdown]
# Greedy search against a beam of five, by the package's batched search, on the model of this lesson:

# %%
sample = [example for bucket in data.test.values() for example in bucket[: 5 if FAST else 25]]
for beam_size in (1, 5):
    started = time.process_time()
    result = score(model, data, sample, beam_size=beam_size)
    print(f"beam of {beam_size}: BLEU {result.bleu:.1f}, without a mistake {result.exact:.2f}, {time.process_time() - started:.1f} s")

# %% [markdown]
# The beam repairs some mistakes of the greedy search, at several times its cost. The claims above say by how much over all seeds.
#
# ## Dot product or network?
#
# Lesson 0 scored by a dot product, $e_j = q \cdot k_j$. It needs no $v$ and no tanh, and is one matrix product for all positions. The paper's network can learn other comparisons. If the entries of $q$ and $k$ have variance one, their dot product has the standard deviation $\sqrt d$, and for
# large $d$ the softmax saturates. The Transformer therefore divides by $\sqrt d$. Here $d$ is 32 and the states start small, so none of the three saturates at the start; the learning rate was tuned for the additive one. Stored results of
# all three, five seeds each, with the steps, data and sizes of this lesson:

# %%
stored_default = load_results("02", "default")
for label, key in (("additive", "attention"), ("dot product", "dot"), ("scaled dot product", "scaled-dot")) if stored_default else ():
    of_seed = [measurement["metrics"] for measurement in stored_default["measurements"]]
    if all(f"{key}/bleu/all" in one for one in of_seed):
        each = [sum(one[f"{key}/{name}"] for one in of_seed) / len(of_seed) for name in ("bleu/all", "exact/9-16", "aer")]
        print(f"{label:<20} BLEU {each[0]:5.1f}   without a mistake at 9–16 words {each[1]:.2f}   alignment error rate {each[2]:.2f}")

# %% [markdown]
# ## What attention costs
#
# Each written word is compared with every source word. With one vector it is not. Time of one training step with 16 phrases, source and target of the same length:

# %%
def step_milliseconds(some_model, length):
    batch, times = make_pair_batch([([5] * length, [5] * length)] * 16), []
    for _ in range(2 if FAST else 4):
        started = time.process_time()
        some_model.zero_grad()
        some_model.loss(batch).mean.backward()
        times.append(1000 * (time.process_time() - started))
    return min(times)


lengths = (20, 40, 80, 160)
costs = {name: (lengths, [step_milliseconds(copy.deepcopy(some), length) for length in lengths]) for name, some in (("attention", model), ("one vector", baseline))}
growth = {name: times[-1] / times[0] for name, (_, times) in costs.items()}
title = f"Eight times the words: {growth['attention']:.0f} times the time with attention, {growth['one vector']:.0f} times with one vector"
show(plot_lines(costs, title=title, xlabel="source words = target words", ylabel="processor time of a step, ms", log_x=True, log_y=True))

# %% [markdown]
# A part of the work grows with the **square** of the length. For sentences this part is small beside the GRUs. For books it is what the next decade of papers tried to avoid.
#
# ## What still goes wrong
#
# Phrases of 81 to 100 words, longer than any in training, as the longer-trained model translates them:

# %%
wrong = 0
for example in tests.get((81, 100), [])[:15]:
    english, _ = translate(trained["attention"], example.source)
    place = next((n for n, pair in enumerate(zip(english, example.target, strict=False)) if len(set(pair)) == 2), min(len(english), len(example.target)))
    if tuple(english) != example.target:
        wrong += 1
        if wrong <= 3:
            print(f"from word {place + 1} of {len(example.target)}\n   model: {' '.join(english[max(0, place - 3) : place + 8])}\n   gold:  {' '.join(example.target[max(0, place - 3) : place + 8])}")
print(f"{wrong} of {len(tests.get((81, 100), [])[:15])} phrases have a mistake")

# %% [markdown]
# Compare the two lines from the first difference on: is a word changed, left out, or added? The decoder has only its state to remember how far it has come. Lesson 6 gives it the previous weights, too.
#
# ## Real sentences
#
# `SOURCE = "real"` runs everything above on Multi30k, captions of photographs in French and English. These are the stored results of such runs:

# %%
real_results = load_results("02", "real")
for label, key in (("one vector", "fixed"), ("attention", "attention"), ("attention, beam of 5", "attention-beam")) if real_results else ():
    values = [measurement["metrics"][f"{key}/bleu/all"] for measurement in real_results["measurements"]]
    print(f"{label:<22} BLEU {sum(values) / len(values):.1f}   (each seed: {', '.join(f'{value:.1f}' for value in values)})")

# %% tags=["closing-table"]
print(f"lesson 2, {'FAST: too few steps to judge' if FAST else 'full size'}, source {data.name}, seed {SEED}")
print(f"{'BLEU':<28}{'shortest':>10}{'longest':>10}")
for name, curve in ablation.items():
    print(f"{name:<28}{curve[short]:>10.1f}{curve[long]:>10.1f}")
if data.name == "default":
    print("alignment error rate:", ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items()), f"trained for longer {alignment.error_rate:.2f}")
for entry in entries:
    print(f"{entry['id']:<22}{entry['source']:>8}  {entry['verdict']:<13} difference {entry['difference']['mean']:+.2f}")

# %% [markdown]
# ## Further reading
#
# - Bahdanau, Cho and Bengio, [*Neural Machine Translation by Jointly Learning to Align and Translate*](https://arxiv.org/abs/1409.0473), 2014: sections 3 and 5, and the appendix for the exact equations.
# - Och and Ney, [*A Systematic Comparison of Various Statistical Alignment Models*](https://aclanthology.org/J03-1002/), 2003: where sure and possible links come from.
# - Luong, Pham and Manning, [*Effective Approaches to Attention-based Neural Machine Translation*](https://arxiv.org/abs/1508.04025), 2015: other scores, and a local window.
# - Jain and Wallace, [*Attention is not Explanation*](https://arxiv.org/abs/1902.10186), and Wiegreffe and Pinter, [*Attention is not not Explanation*](https://arxiv.org/abs/1908.04626), 2019: what a map proves.
