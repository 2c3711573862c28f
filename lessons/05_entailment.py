# %% [markdown]
# # 5 · Entailment: a look for every word that is read
#
# So far attention helped a model to *say* something: a translation, a caption. Here nothing is said. Two sentences are read, and the answer is one of three words.
#
# > *anna paints red dogs and ben paints a car.* — *anna paints animals.* → **entailment**: it follows.
# > … — *ben paints red cars.* → **neutral**: it may be so.
# > … — *anna paints no dogs.* → **contradiction**: it cannot be.
#
# In September 2015 a group in London and at DeepMind asked whether an LSTM could be taught to reason like this, word by word: while it reads the second sentence, each of its words looks up what it rests on in the first. The answer to one
# look changes where the next one goes.
#
# **The question of this lesson:** what does each way of comparing two sentences add: two vectors, one reader that goes on where the other ended, one look, a look from every word? And do the words look at what they rest on?
#
# On a laptop with two cores this notebook takes at most four minutes from top to bottom.

# %% [markdown]
# ## Predict first
#
# Write your guesses down. You will meet the answers below, in this order.
#
# 1. Somebody shows you only the *second* sentence. How often can you name the label? And how often in a data set that people wrote?
# 2. Which step of the ladder gains most: from two vectors to one reader that goes on, from there to one look, or from one look to a look from every word?
# 3. The first sentence gets longer than any in training. Which model suffers least?
# 4. The word "car" in the second sentence looks at the first. Does it look *at* "car", or beside it?

# %% [markdown]
# ## Settings
#
# The only cell that configures anything. `SOURCE = "real"` takes SNLI's sentences (see the section on real data). `SOURCE` may also be the path of a file or folder with pairs of your own, which that section trains on: docs/own_data.md says what they look like.

# %% tags=["settings"]
import math
import random
from collections import Counter

import ipywidgets
import torch
from IPython.display import Markdown, display
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from course_utils.checkpoints import CheckpointError
from course_utils.data.inference.pairs import read_pair
from course_utils.data.inference.data import snli_data
from course_utils.data.inference.logic import LABELS
from course_utils.exercises import check, checked
from experiments.claims import claims_table, load_results
from experiments.entailment import accuracy_by, fit, guess, judge, attention_of, score_alignment, pairs_of
from experiments.entailment_baselines import baseline_accuracies
from experiments.lesson_05_entailment import LIVE, WIDE, WIDE_TESTS, WORLD, load_trained
from course_utils.teaching.explorer import explore_alignment
from course_utils.teaching.plots import house_style, plot_alignment, plot_bars, plot_lines, show
from course_utils.training import is_fast_run

SOURCE = "default"  # "default": made pairs with gold alignments; "real": SNLI; or the path of your own
SEED = 0
FAST = is_fast_run()  # few training steps, for automatic tests; the closing table says so
TIME_LIMIT_SECONDS = 120  # a safety net for each training
torch.set_num_threads(1)  # the matrices are so small that a second thread waits more than it works
torch.manual_seed(SEED)
house_style()

# %% [markdown]
# ## The data, and their truth
#
# Children paint pictures. A premise says in one to four clauses who paints what; a hypothesis states one or two facts. A small **reasoner** knows what every clause means: that red dogs are dogs and dogs are animals; what excludes what;
# what stays open. It computes the label. And since it knows *which clause decided*, we know for each word of the hypothesis which words of the premise it rests on: the **gold alignment**.

# %%
from course_utils.data.inference.own import own_inference_data

data = pairs_of(WORLD, *((300, 90) if FAST else ()))
tests = data.test
own = None if SOURCE in ("default", "real") else own_inference_data(SOURCE)  # for the section on real data
print(f"{len(data.train):,} pairs for training, {len(tests['test']):,} for each test, {len(data.vocabulary)} words")
for pair in tests["test"][:6]:
    print("·", pair.text)
print("labels of the test:", dict(Counter(pair.label for pair in tests["test"])))

# %% [markdown]
# ### Can one cheat?
#
# A data set teaches what it rewards. If the hypotheses alone give their labels away, a model will learn to read them alone. SNLI's do: its hypotheses were written by people who were told the label (Gururangan and others, 2018).
# Ours are drawn **before** the label is. Measure it:

# %% [markdown]
# ### Exercise hypothesis-only
#
# Whether "nobody sleeps" follows depends on what was said before. And yet one can often guess: the people who wrote SNLI's hypotheses
# liked "nobody" and "sleeping" for contradictions, "outside" for entailments, "tall" and "first" for neutral pairs. A model that learns
# this reaches a high accuracy and has read *half* of each pair. So before any model is praised, somebody has to measure what can be
# guessed from the hypothesis **alone**.
#
# The simplest such guesser is a table. From the training it learns, for each word, how the hypotheses that hold it share out among the
# labels:
#
# $$s(\text{label} \mid \text{word}) = \frac{\text{training hypotheses with this word and this label}}{\text{training hypotheses with this word}}$$
#
# To guess, the words of a hypothesis vote: the shares of its words are added up, and the label with the largest sum wins (there are no
# ties). A word counts **once** per hypothesis, in the training and in the vote, however often it stands there. It counts as it stands:
# case, plural and punctuation matter. Words that the training never had do not vote. If no word is known, or there is none, guess the
# most frequent label of the training. The accuracy of this one label alone is the baseline.
#
# `train_hypotheses` and `test_hypotheses` are lists of hypotheses, each a tuple of words; `train_labels` and `test_labels` hold their
# labels, "entailment", "neutral" or "contradiction". Return two numbers: the accuracy of the votes on the test, and that of the most
# frequent training label on the test.
#
# *By hand:* training (nobody sleeps: contradiction), (anna sleeps: entailment), (nobody runs: contradiction). "Nobody sleeps here" gets
# $1 + 0.5$ votes for contradiction and $0 + 0.5$ for entailment; "here" has no vote.


# %% exercise="hypothesis-only"
def hypothesis_only(train_hypotheses, train_labels, test_hypotheses, test_labels):
    """Guess labels without the premise: the words of the hypothesis vote, each with its shares of the labels.

    train_hypotheses, test_hypotheses: lists of tuples of words; train_labels, test_labels: lists of strings.
    Returns the accuracy of the votes and that of the most frequent training label, both on the test.
    """
    ### BEGIN SOLUTION
    counts = {}
    for words, label in zip(train_hypotheses, train_labels, strict=True):
        for word in set(words):
            counts.setdefault(word, Counter())[label] += 1
    usual = Counter(train_labels).most_common(1)[0][0]

    def guess(words):
        votes = Counter()
        for word in set(words) & counts.keys():
            for label, count in counts[word].items():
                votes[label] += count / counts[word].total()
        return votes.most_common(1)[0][0] if votes else usual

    right = sum(guess(words) == label for words, label in zip(test_hypotheses, test_labels, strict=True))
    return right / len(test_labels), test_labels.count(usual) / len(test_labels)
    ### END SOLUTION


# %% check="hypothesis-only" points=3
check("05.hypothesis-only", hypothesis_only);

# %% hidden="hypothesis-only" points=3
### BEGIN HIDDEN TESTS
E, N, C = "entailment", "neutral", "contradiction"
seen = [("nobody", "sleeps"), ("anna", "sleeps"), ("nobody", "runs"), ("a", "tall", "tall", "man"), ("a", "man", "runs"), ("a", "man", "eats")]
said = [C, E, C, N, E, C]
new = [
    ("nobody", "sleeps", "here"),  # contradiction 1.5, entailment 0.5
    ("tall", "zebras"),  # neutral 1
    ("tall", "runs", "runs", "runs"),  # neutral 1, the others 0.5: "runs" votes once
    ("zebras", "graze"),  # nothing known: contradiction, the most frequent
    ("tall", "anna", "sleeps"),  # entailment 1.5, neutral 1
    ("eats", "tall", "nobody"),  # contradiction 2
]
truth = [C, N, E, C, E, E]
copies = list(seen), list(said), list(new), list(truth)
words, usual = hypothesis_only(seen, said, new, truth)
assert abs(float(words) - 4 / 6) < 1e-6 and abs(float(usual) - 2 / 6) < 1e-6
assert copies == (seen, said, new, truth)
for turned, expected in [([C, N, N, C, E, C], 1.0), ([E, E, C, N, N, N], 0.0)]:  # the test's labels only mark
    assert abs(float(hypothesis_only(seen, said, new, turned)[0]) - expected) < 1e-6
loud = [("the", "dog")] * 6 + [("the", "cat")] + [("the", "bird")] * 2
quiet = [("the", "cat"), ("the", "bird"), ("cat", "cat", "bird", "the"), ("the",), ("unicorns",)]
words, usual = hypothesis_only(loud, [N] * 6 + [E, C, C], quiet, [E, C, C, N, N])
assert abs(float(words) - 1.0) < 1e-6 and abs(float(usual) - 2 / 5) < 1e-6  # "the" is frequent, and has one vote to share
spelled, labels = [("dog",), ("dogs",), ("Dog",), ("dog.",)], [E, N, C, N]
assert abs(float(hypothesis_only(spelled, labels, spelled, labels)[0]) - 1.0) < 1e-6  # a word counts as it stands
### END HIDDEN TESTS

# %%
audit = checked("05.hypothesis-only", hypothesis_only)
guessed, majority = audit(*([getattr(pair, field) for pair in pairs] for pairs in (data.train, tests["test"]) for field in ("hypothesis", "label")))
bag = baseline_accuracies("bag of words", data, 2000)["test"]
print(f"guessing from the hypothesis' words: {100 * guessed:.1f} %; always the most frequent label: {100 * majority:.1f} %")
print(f"from the words of both in a bag:     {100 * bag:.1f} %")

# %% [markdown]
# So the hypothesis by itself tells nothing. The bag of both tells something: a pair whose words hardly meet is seldom an entailment. What is above that line has to come from *reading*.
#
# ## The baseline: two vectors
#
# Each sentence goes through an LSTM of its own, and a layer compares the two last states. Under a minute.

# %%
STEP_SHARE = 0.005 if FAST else 1.0
models, scores = {}, {}


def train_live(name):
    """Train one of the lesson's small models and test it."""
    models[name], history = fit(LIVE[name].shortened(STEP_SHARE), data, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
    right = judge(models[name], data, tests["test"])
    scores[name] = accuracy_by(right, tests["test"], lambda pair: ("all", f"{pair.clauses} clauses", f"{pair.facts} facts"))
    print(history.summary())
    print(", ".join(f"{group}: {100 * accuracy:.1f} %" for group, (accuracy, _) in scores[name].items()))


train_live("independent")

# %% [markdown]
# The reader of the premise does not know what will be asked. It must keep everything, in one vector. Lesson 1's bottleneck, for the third time.
#
# ## First step: go on reading
#
# *Conditional encoding* lets the second reader start where the first one ended: with its **cell state**.

# %% [markdown]
# ### Exercise conditional-encoding
#
# "Anna paints dogs" means one thing after "anna paints two red dogs" and another after "anna paints no animals". So the second sentence
# should be read *with the first in mind*. Conditional encoding does this with the smallest of changes: two LSTMs, each with weights of
# its own, and the one that reads the hypothesis starts from the state in which the one that read the premise ended.
#
# An LSTM has two states: the output $h$, which others see, and the **cell** $c$, its memory. Only the cell is handed on; the output
# starts from zero:
#
# $$(h^{\text{hyp}}_0,\ c^{\text{hyp}}_0) = (0,\ c^{\text{prem}}_{\text{last real word}})$$
#
# Premises differ in length, and an LSTM moves on over padding as if it were words. `pack_padded_sequence(..., batch_first=True,
# enforce_sorted=False)` stops each row at its own end; the lengths are the sums of the mask.
#
# `premise` is `(batch, premise_length, input_size)`, embedded already; `premise_mask`, `(batch, premise_length)`, is True at real words,
# and padding stands at the right end. `hypothesis` is `(batch, hypothesis_length, input_size)`. Both LSTMs were made with
# `batch_first=True` and have one layer: called with a sentence (and a start state), they return `outputs, (h, c)`, and `h` and `c` are
# `(1, batch, hidden_size)`. Return the outputs at all positions of the hypothesis, `(batch, hypothesis_length, hidden_size)`. What stands
# in the padding of the hypothesis does not matter here: it comes after the real words.
#
# *By hand:* if a premise has the words $x_1, x_2$ and then padding, the hypothesis reader starts from $c_2$, whatever the padding holds.


# %% exercise="conditional-encoding"
def conditional_encoding(premise, premise_mask, hypothesis, premise_lstm, hypothesis_lstm):
    """Read the premise, then the hypothesis with a second LSTM that starts from the first one's last cell state.

    premise: (batch, premise_length, input_size); premise_mask: (batch, premise_length), True = real word.
    hypothesis: (batch, hypothesis_length, input_size).
    premise_lstm, hypothesis_lstm: nn.LSTM, one layer, batch_first=True.
    Returns the outputs of hypothesis_lstm, (batch, hypothesis_length, hidden_size).
    """
    ### BEGIN SOLUTION
    lengths = premise_mask.sum(dim=1).cpu()
    packed = pack_padded_sequence(premise, lengths, batch_first=True, enforce_sorted=False)
    _, (_, cell) = premise_lstm(packed)  # (1, batch, hidden_size)
    outputs, _ = hypothesis_lstm(hypothesis, (torch.zeros_like(cell), cell))
    return outputs
    ### END SOLUTION


# %% check="conditional-encoding" points=2
check("05.conditional-encoding", conditional_encoding);

# %% hidden="conditional-encoding" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(5)
readers = nn.LSTM(3, 6, batch_first=True), nn.LSTM(3, 6, batch_first=True)
said, asked = torch.randn(5, 7, 3), torch.randn(5, 4, 3)
real = torch.arange(7) < torch.tensor([[4], [7], [1], [6], [3]])
kept = said.clone(), asked.clone(), real.clone()
with torch.no_grad():
    answers = conditional_encoding(said, real, asked, *readers)
    assert answers.shape == (5, 4, 6)
    for b in range(5):
        _, (_, memory) = readers[0](said[b : b + 1, : int(real[b].sum())])
        by_hand, _ = readers[1](asked[b : b + 1], (torch.zeros_like(memory), memory))
        assert torch.allclose(answers[b], by_hand[0], atol=1e-5)
    noisy = said.masked_fill(~real.unsqueeze(2), float("nan"))
    assert torch.allclose(conditional_encoding(noisy, real, asked, *readers), answers, atol=1e-6)
assert all(torch.equal(now, then) for now, then in zip((said, asked, real), kept, strict=True))
assert all(parameter.requires_grad for reader in readers for parameter in reader.parameters())
leaf = said.clone().requires_grad_()
conditional_encoding(leaf * 1, real, asked, *readers).sum().backward()
assert torch.equal((leaf.grad != 0).any(2), real)
wide = [reader.double() for reader in readers]
assert conditional_encoding(said[:1].double(), real[:1], asked[:1, :1].double(), *wide).dtype == torch.float64
### END HIDDEN TESTS

# %%
train_live("conditional")  # half a minute

# %% [markdown]
# Now the hypothesis is read *in the light of* the premise. Each word can ask the state: have I met you before? But what the state forgot stays forgotten.
#
# ## Second step: one look

# %% [markdown]
# ### Exercise last-state-attention
#
# The cell state is a bottleneck, the one of lesson 1: the whole premise in one vector. So let the reader attend to the premise. After
# its last word it knows what the hypothesis claims; with its last output $h_N$ it queries **all** outputs $y_1 \dots y_L$ of the premise
# reader, the columns of $Y$. It is the additive attention of lesson 2, written as the paper writes it:
#
# $$M = \tanh(W_y Y + (W_h h_N) \otimes e_L) \qquad \alpha = \text{softmax}(w^\top M) \qquad r = Y \alpha^\top = \sum_j \alpha_j y_j$$
#
# "$\otimes\, e_L$" says: repeat $W_h h_N$ for each of the $L$ premise words. The softmax runs over the words of **one** premise. Padding gets
# exactly zero, as in lesson 2, and scores may be as large as $\pm 2 \cdot 10^{30}$. The outputs are finite numbers on padding, too.
#
# `premise_outputs` is `(batch, premise_length, size)`, one $y$ in each row. `premise_mask`, `(batch, premise_length)`, is True at real
# words. `last` is $h_N$, `(batch, size)`. `W_y` and `W_h` are `(size, size)`, `w` is `(size,)`; $W y$ of each row is `rows @ W.T`. Return
# two tensors: $r$, `(batch, size)`, and $\alpha$, `(batch, premise_length)`.
#
# *By hand:* of size 1, with $W_y = W_h = w = 1$: if $h_N = 0$ and $y = (1, 1, 5)$, the third of them padding, then $\alpha = (0.5, 0.5,
# 0)$ and $r = 1$.


# %% exercise="last-state-attention"
def last_state_attention(premise_outputs, premise_mask, last, W_y, W_h, w):
    """Attend to the premise once, from the last state of the hypothesis.

    premise_outputs: (batch, premise_length, size); premise_mask: (batch, premise_length), True = real word.
    last: (batch, size); W_y, W_h: (size, size); w: (size,).
    Returns context (batch, size) and attention_weights (batch, premise_length), exactly zero on padding.
    """
    ### BEGIN SOLUTION
    query = (last @ W_h.T).unsqueeze(1)  # (batch, 1, size)
    scores = torch.tanh(premise_outputs @ W_y.T + query) @ w  # (batch, premise_length)
    attention_weights = torch.softmax(scores.masked_fill(~premise_mask, float("-inf")), dim=1)
    context = (attention_weights.unsqueeze(2) * premise_outputs).sum(dim=1)
    return context, attention_weights
    ### END SOLUTION


# %% check="last-state-attention" points=2
check("05.last-state-attention", last_state_attention);

# %% hidden="last-state-attention" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(5)
Y, h = torch.randn(3, 3, 3), torch.randn(3, 3)
A, B, v = torch.randn(3, 3), torch.randn(3, 3), torch.randn(3)
real = torch.tensor([[True, True, True], [True, False, False], [True, True, False]])
before = [tensor.clone() for tensor in (Y, h, A, B, v, real)]
r, alpha = last_state_attention(Y, real, h, A, B, v)
assert r.shape == (3, 3) and alpha.shape == (3, 3) and (alpha[~real] == 0).all()
for b in range(3):
    powers = []
    for j in range(int(real[b].sum())):
        M = [math.tanh(sum((A[i, k] * Y[b, j, k] + B[i, k] * h[b, k]).item() for k in range(3))) for i in range(3)]
        powers.append(math.exp(sum(v[i].item() * M[i] for i in range(3))))
    share = torch.tensor(powers) / sum(powers)
    assert torch.allclose(alpha[b, : len(powers)], share, atol=1e-5)
    assert torch.allclose(r[b], share @ Y[b, : len(powers)], atol=1e-5)
assert all(torch.equal(now, then) for now, then in zip((Y, h, A, B, v, real), before, strict=True))
one = torch.ones(1, 1)
three, two_real = torch.tensor([[[1.0], [1.0], [5.0]]]), torch.tensor([[True, True, False]])
r, alpha = last_state_attention(three, two_real, one * 0, one, one, one[0])
assert torch.allclose(alpha, torch.tensor([[0.5, 0.5, 0.0]])) and torch.allclose(r, one)
leaves = [tensor.clone().requires_grad_() for tensor in (Y, h, A, B, v)]
last_state_attention(leaves[0] * 1, real, *[leaf * 1 for leaf in leaves[1:]])[0].sum().backward()
assert all(leaf.grad.abs().sum() > 0 for leaf in leaves) and torch.equal((leaves[0].grad != 0).any(2), real)
far = torch.tensor([[[-30.0], [-30.0], [30.0]]])  # scores of -1e30, and 1e30 in padding
r, alpha = last_state_attention(far, two_real, one * 0, one, one, one[0] * 1e30)
assert torch.allclose(alpha, torch.tensor([[0.5, 0.5, 0.0]])) and torch.allclose(r, one * -30)
### END HIDDEN TESTS

# %%
train_live("attention")  # less than a minute

# %% [markdown]
# One look, after everything was read. A hypothesis of two facts rests on two clauses, though; one set of weights has to be torn between them.
#
# ## The mechanism: a look from every word
#
# So look from *every* word, and let what was found before take part in the next look.

# %% [markdown]
# ### Exercise word-by-word-step
#
# One step of attention at the end mixes all questions into one. "Two red dogs" asks three things: how many, which colour, what. So let
# **every** word of the hypothesis attend to the premise, one after the other, and let each one know what those before it have found. What
# was found is $r_t$, a vector that is carried along and takes part twice: in the *query* (through $W_r$), and in the *update* (through
# $W_t$).
#
# $$M_t = \tanh(W_y Y + (W_h h_t + W_r r_{t-1}) \otimes e_L) \qquad \alpha_t = \text{softmax}(w^\top M_t) \qquad r_t = Y \alpha_t^\top + \tanh(W_t r_{t-1})$$
#
# $W_y Y$ is the same at every word, so it is computed once, outside, and comes in as `premise_keys`. Mind the difference: the keys are
# **compared**, the outputs $Y$ are **averaged**. As in [[last-state-attention]] scores may be as large as $\pm 2 \cdot 10^{30}$, and both
# tensors hold finite numbers on padding, too.
#
# `premise_outputs` and `premise_keys` are `(batch, premise_length, size)`; `premise_mask`, `(batch, premise_length)`, is True at real
# words. `hypothesis_output` is $h_t$ and `found` is $r_{t-1}$, both `(batch, size)`. The matrices are `(size, size)`, `w` is `(size,)`.
# Return two tensors: $r_t$, `(batch, size)`, and $\alpha_t$, `(batch, premise_length)`, zero on padding. Leave `found` itself as it is.
#
# *By hand:* of size 1 with $W_t = 1$: if $y = (2, 4)$ get the weights $(0.5, 0.5)$, and $r_{t-1} = 0$, then $r_t = 3 + \tanh 0 = 3$. If
# $r_{t-1} = 3$, it is $3 + \tanh 3 \approx 3.995$.


# %% exercise="word-by-word-step"
def word_by_word_step(premise_outputs, premise_keys, premise_mask, hypothesis_output, found, W_h, W_r, W_t, w):
    """Attend to the premise from one hypothesis word, knowing what earlier words have found.

    premise_outputs, premise_keys: (batch, premise_length, size), Y and W_y Y.
    premise_mask: (batch, premise_length), True = real word; hypothesis_output, found: (batch, size).
    W_h, W_r, W_t: (size, size); w: (size,).
    Returns the new found (batch, size) and attention_weights (batch, premise_length), zero on padding.
    """
    ### BEGIN SOLUTION
    query = hypothesis_output @ W_h.T + found @ W_r.T  # (batch, size)
    scores = torch.tanh(premise_keys + query.unsqueeze(1)) @ w  # (batch, premise_length)
    attention_weights = torch.softmax(scores.masked_fill(~premise_mask, float("-inf")), dim=1)
    fresh = (attention_weights.unsqueeze(2) * premise_outputs).sum(dim=1)
    return fresh + torch.tanh(found @ W_t.T), attention_weights
    ### END SOLUTION


# %% check="word-by-word-step" points=3
check("05.word-by-word-step", word_by_word_step);

# %% hidden="word-by-word-step" points=3
### BEGIN HIDDEN TESTS
torch.manual_seed(5)
Y, K, h, r0 = torch.randn(3, 3, 3), torch.randn(3, 3, 3), torch.randn(3, 3), torch.randn(3, 3)
H, R, T, v = torch.randn(3, 3), torch.randn(3, 3), torch.randn(3, 3), torch.randn(3)
real = torch.tensor([[True, True, False], [True, True, True], [True, False, False]])
before = [tensor.clone() for tensor in (Y, K, real, h, r0, H, R, T, v)]
r1, alpha = word_by_word_step(Y, K, real, h, r0, H, R, T, v)
assert r1.shape == (3, 3) and (alpha[~real] == 0).all() and torch.allclose(alpha.sum(1), torch.ones(3))
for b in range(3):
    ask = [sum((H[i, k] * h[b, k] + R[i, k] * r0[b, k]).item() for k in range(3)) for i in range(3)]
    n = int(real[b].sum())
    powers = [math.exp(sum(v[i].item() * math.tanh(K[b, j, i].item() + ask[i]) for i in range(3))) for j in range(n)]
    share = torch.tensor(powers) / sum(powers)
    assert torch.allclose(alpha[b, :n], share, atol=1e-5)
    assert torch.allclose(r1[b], share @ Y[b, :n] + (T @ r0[b]).tanh(), atol=1e-5)
assert all(torch.equal(now, then) for now, then in zip((Y, K, real, h, r0, H, R, T, v), before, strict=True))
one, pair = torch.ones(1, 1), torch.tensor([[[2.0], [4.0]]])
for r, expected in [(0.0, 3.0), (3.0, 3 + math.tanh(3.0))]:
    now, _ = word_by_word_step(pair, pair * 0, torch.tensor([[True, True]]), one, one * r, one, one, one, one[0])
    assert abs(now.item() - expected) < 1e-5
leaves = [tensor.clone().requires_grad_() for tensor in (Y, K, h, r0, H, R, T, v)]
y, k, *others = [leaf * 1 for leaf in leaves]
word_by_word_step(y, k, real, *others)[0].sum().backward()
assert all(leaf.grad.abs().sum() > 0 for leaf in leaves) and (leaves[0].grad[~real] == 0).all()
far, two_real = torch.tensor([[[-30.0], [-30.0], [30.0]]]), torch.tensor([[True, True, False]])  # scores of -1e30, and 1e30 in padding
_, alpha = word_by_word_step(far, far, two_real, one * 0, one * 0, one, one, one, one[0] * 1e30)
assert torch.allclose(alpha, torch.tensor([[0.5, 0.5, 0.0]]))
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise carry-through
#
# Now go through the whole hypothesis. Start with $r_0 = 0$ and take one step per word. The catch: hypotheses of a batch differ in length.
# A mask hid the padding of the *premise* from the softmax, but at the padding of the *hypothesis* no softmax hides it: the step would
# attend, find something and overwrite $r$. So where a hypothesis has ended, its $r$ **stays as it is**: not zero, not the new one, but the
# old one.
#
# $$r_t = \begin{cases} \text{step}(h_t,\ r_{t-1}) & \text{at a real word} \\ r_{t-1} & \text{at padding} \end{cases} \qquad h^* = \tanh(W_p r_N + W_x h_N)$$
#
# $h^*$ is what the label is read from. It joins what was found, $r_N$, and the output $h_N$ at the last **real** word of each hypothesis.
#
# `step(hypothesis_output, found)` is the step of [[word-by-word-step]] for this batch of premises: it takes $h_t$ and $r_{t-1}$ of all pairs at
# once, both `(batch, size)`, and returns $r_t$ and the weights. `hypothesis_outputs` is `(batch, hypothesis_length, size)`;
# `hypothesis_mask`, `(batch, hypothesis_length)`, is True at real words; padding stands at the right end and holds finite numbers, too.
# `W_p` and `W_x` are `(size, size)`. Return $h^*$, `(batch, size)`. No gradient may reach padding.
#
# *By hand:* of size 1, with a step that returns $h_t + r_{t-1}$ and both matrices 1: the hypothesis $(1, 2)$, padding after it, ends with
# $r = 3$ and $h_N = 2$, so $h^* = \tanh 5$.


# %% exercise="carry-through"
def carry_through(step, hypothesis_outputs, hypothesis_mask, W_p, W_x):
    """Take a step at every real hypothesis word, then join what was found with the last state.

    step: (hypothesis_output, found), both (batch, size), -> (new found, attention_weights).
    hypothesis_outputs: (batch, hypothesis_length, size); hypothesis_mask: (batch, hypothesis_length), True = real word.
    W_p, W_x: (size, size).
    Returns tanh(W_p r_N + W_x h_N), (batch, size).
    """
    ### BEGIN SOLUTION
    found = torch.zeros_like(hypothesis_outputs[:, 0])
    for t in range(hypothesis_outputs.shape[1]):
        fresh, _ = step(hypothesis_outputs[:, t], found)
        found = torch.where(hypothesis_mask[:, t].unsqueeze(1), fresh, found)
    pairs = torch.arange(len(found))
    last = hypothesis_outputs[pairs, hypothesis_mask.sum(dim=1) - 1]
    return torch.tanh(found @ W_p.T + last @ W_x.T)
    ### END SOLUTION


# %% check="carry-through" points=3
check("05.carry-through", carry_through);

# %% hidden="carry-through" points=3
### BEGIN HIDDEN TESTS
torch.manual_seed(5)
places = torch.randn(4, 4)
def a_step(output, found):
    return torch.tanh(0.7 * output - 0.4 * found.roll(1, 1)) + places, torch.ones(4, 9) / 9
heard, P, X = torch.randn(4, 4, 4), torch.randn(4, 4), torch.randn(4, 4)
real = torch.arange(4) < torch.tensor([[2], [4], [1], [3]])
before = heard.clone(), real.clone()
star = carry_through(a_step, heard, real, P, X)
for b in range(4):
    r = torch.zeros(4)
    for t in range(int(real[b].sum())):
        r = torch.tanh(0.7 * heard[b, t] - 0.4 * r.roll(1)) + places[b]
    assert torch.allclose(star[b], torch.tanh(P @ r + X @ heard[b, t]), atol=1e-5)
assert torch.equal(heard, before[0]) and torch.equal(real, before[1])
assert carry_through(a_step, heard.double(), real, P.double(), X.double()).dtype == torch.float64
leaf = heard.clone().requires_grad_()
carry_through(a_step, leaf * 1, real, P, X).sum().backward()
assert torch.equal((leaf.grad != 0).any(2), real)
one = torch.ones(1, 1)
def add(output, found):
    return output + found, one
end = carry_through(add, torch.tensor([[[1.0], [2.0], [40.0]]]), torch.tensor([[True, True, False]]), one * 0.1, one * 0.2)
assert abs(end.item() - math.tanh(0.3 + 0.4)) < 1e-6
### END HIDDEN TESTS

# %%
train_live("word-by-word")  # less than a minute

# %% [markdown]
# That is the largest step of the ladder. Two facts are no longer too many: each word fetches its own.
#
# It nearly did not work. With the usual small initial weights the scores of all premise words differ by a hundredth at first, so every look is even, and nothing tells the weights in which direction to move: after a minute this model was no better
# than the one before it. Here the score's matrices start four times as wide (`wide_linear` in `course_utils.models.entailment`). An attention has to be uneven before it can be right.
#
# ## Look


# %% tags=["gallery"]
def look_at(model, pair, title="", data=data):
    """Draw where each word of a hypothesis looked, with what it rests on framed."""
    (weights,), (says,) = attention_of(model, data, [pair]), guess(model, data, [pair])
    gold = [(word, place) for word, places in enumerate(pair.alignment) for place in places]
    words = list(pair.hypothesis) if len(weights) > 1 else ["(all read)"]
    if not title:
        title = f"{pair.label.capitalize()}, judged {'rightly' if says == pair.label else says}"
        if len(weights) > 1 and any(pair.alignment):
            marks = score_alignment([weights], [pair])
            title += f"; {marks.words * marks.count:.0f} of {marks.count} words look at a word they rest on"
    axes = plot_alignment(weights, list(pair.premise), words, gold if len(weights) > 1 else (), title=title)
    axes.set(xlabel="premise", ylabel="hypothesis")
    show(axes)


def one_of_each(pairs):
    """The first pair of three clauses or more for each label."""
    return [next(pair for pair in pairs if pair.label == label and pair.clauses >= 3) for label in LABELS]


for pair in one_of_each(tests["test"])[:2]:
    look_at(models["word-by-word"], pair)

# %% [markdown]
# ## What ten minutes buy
#
# The same systems, trained for longer on twice the pairs. If a file is missing or damaged, the cell says so and the lesson goes on with the models from above.

# %%
trained, cards = {}, {}
for name in ("conditional", "attention", "word-by-word"):
    try:
        trained[name], cards[name] = load_trained(f"05-{name}")
    except CheckpointError as error:
        trained[name] = models[name]
        print(f"going on without the checkpoint of {name}:", error)
for name, card in cards.items():
    print(f"{name:<14} {card['seconds'] / 60:3.0f} minutes on {card['threads']} thread(s): {card['command']}")

# %% tags=["gallery"]
final, curves = {}, {}
more = f"{tests['more clauses'][0].clauses}"
for name, model in trained.items():
    groups = accuracy_by(judge(model, data, tests["test"]), tests["test"], lambda pair: (pair.clauses,))
    longer = 100 * judge(model, data, tests["more clauses"]).float().mean().item()
    final[name] = {test: 100 * judge(model, data, pairs).float().mean().item() for test, pairs in tests.items()}
    curves[name] = ([*groups, int(more)], [*(100 * accuracy for accuracy, _ in groups.values()), longer])
    print(f"{name:<14}" + ", ".join(f"{test}: {value:.1f} %" for test, value in final[name].items()))
gap = curves["word-by-word"][1][-1] - curves["conditional"][1][-1]
title = f"At {more} clauses, looking from every word {'gains' if gap >= 0 else 'loses'} {abs(gap):.0f} points over not looking"
show(plot_lines(curves, title=title, xlabel=f"clauses of the premise ({more}: more than in training)", ylabel="accuracy, %"))

# %% [markdown]
# ## Mark it
#
# Does a hypothesis word look at the premise words that it rests on?

# %% [markdown]
# ### Exercise pointing-score
#
# The attention map of a pair has one row for each hypothesis word and one column for each premise word. In the paper such maps are shown,
# and the reader nods. Here we have the gold alignment: "animals" is aligned with "dogs", "anna" with "anna", "two" with "three". So count:
# does the **largest weight** of a row lie on a gold word? The share of words that hit is the hit rate.
#
# It means little alone, since a word that is aligned with three of four premise words is hit by anyone. So **chance** stands beside it:
# how often a premise word that is sampled uniformly would hit.
#
# $$\text{hit rate} = \frac{1}{N} \sum_i \big[\arg\max_j \alpha_{ij} \in G_i\big] \qquad \text{chance} = \frac{1}{N} \sum_i \frac{|G_i|}{L}$$
#
# $G_i$ is the set of gold positions of hypothesis word $i$, counted from 0, and $L$ the length of its premise. Words such as "paints"
# are aligned with nothing, $G_i$ is empty: they are neither hits nor misses and count in **neither** rate. $N$ counts all other words, of all
# pairs together, so a pair with more of them weighs more.
#
# `maps` is a list with one tensor for each pair, `(hypothesis_length, premise_length)`; the padding is cut off already. `alignments` is a
# list with, for each pair, one set of positions for each hypothesis word. At least one word of all has gold; whole pairs may have none.
# Where weights are equally large, the first counts. Weights are compared as they are, without rounding. Return two numbers, the hit rate
# and the chance.
#
# *By hand:* one pair of two words over four, $\alpha_1 = (0.1, 0.6, 0.2, 0.1)$ with $G_1 = \{1, 2\}$, and a second word without gold: the
# hit rate is 1, the chance 0.5.


# %% exercise="pointing-score"
def pointing_score(maps, alignments):
    """Count how often a hypothesis word's largest weight lies on a premise word it is aligned with, and by chance.

    maps: one (hypothesis_length, premise_length) tensor for each pair.
    alignments: for each pair one set of premise positions, from 0, for each hypothesis word; empty = left out.
    Returns the hit rate and the chance, two numbers, over the words of all pairs together.
    """
    ### BEGIN SOLUTION
    hits, chances = [], []
    for weights, alignment in zip(maps, alignments, strict=True):
        peaks = weights.argmax(dim=1).tolist()
        for peak, gold in zip(peaks, alignment, strict=True):
            if gold:
                hits.append(peak in gold)
                chances.append(len(gold) / weights.shape[1])
    return sum(hits) / len(hits), sum(chances) / len(chances)
    ### END SOLUTION


# %% check="pointing-score" points=2
check("05.pointing-score", pointing_score);

# %% hidden="pointing-score" points=2
### BEGIN HIDDEN TESTS
first = torch.tensor([[0.1, 0.6, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])
second = torch.tensor([[0.2, 0.8], [0.5, 0.5]])
gold = [[{1, 2}, set(), {0}], [{0, 1}, frozenset({1})]]  # hit, left out, miss; hit, miss (the first of two equal ones)
kept = first.clone(), [[set(words) for words in pair] for pair in gold]
rate, luck = pointing_score([first, second], gold)
assert abs(float(rate) - 2 / 4) < 1e-6 and abs(float(luck) - (2 / 4 + 1 / 4 + 2 / 2 + 1 / 2) / 4) < 1e-6
assert torch.equal(first, kept[0]) and gold == kept[1]
rate, luck = pointing_score([second, first], [[set(), set()], [set(), {0}, set()]])  # a pair without gold
assert abs(float(rate) - 1) < 1e-6 and abs(float(luck) - 1 / 4) < 1e-6
dice = random.Random(5)
sizes = [(4, 9), (6, 3), (1, 12), (5, 5)] * 9
maps = [torch.tensor([[dice.random() for _ in range(n)] for _ in range(m)]) for m, n in sizes]
many = [[set(dice.sample(range(m.shape[1]), dice.choice([0, 0, 1, 2, 3]))) for _ in range(m.shape[0])] for m in maps]
hit, share, count = 0, 0, 0
for m, pair in zip(maps, many, strict=True):
    for row, words in zip(m.tolist(), pair, strict=True):
        hit, share, count = hit + (row.index(max(row)) in words), share + len(words) / len(row), count + bool(words)
rate, luck = pointing_score(maps, many)
assert abs(float(rate) - hit / count) < 1e-6 and abs(float(luck) - share / count) < 1e-6
### END HIDDEN TESTS

# %%
best = trained["word-by-word"]
looks = attention_of(best, data, tests["test"])
point = checked("05.pointing-score", pointing_score)
hits, chance = point(looks, [pair.alignment for pair in tests["test"]])
marks = score_alignment(looks, tests["test"])
print(f"at a gold word:   {100 * hits:.1f} %; by chance {100 * chance:.1f} %; by looking for the same spelling {100 * marks.words_match:.1f} %")
print(f"in a gold clause: {100 * marks.clauses:.1f} %; by chance {100 * marks.clauses_chance:.1f} %")
for pair in one_of_each(tests["test"]):
    look_at(best, pair)

# %% [markdown]
# ### Beside the word, not at it
#
# The clause is found far more often than the word. Why? What the attention weighs are not words. They are the *outputs of an LSTM*, and at the end of a clause the output knows the whole clause: who, what, which colour. The best place to ask about a red dog is where
# the red dog has been read to its end. A map over hidden states is not a map over words, however much it looks like one. Test it: how far from the gold word does the largest weight lie?

# %%
distances = Counter()
for look, pair in zip(looks, tests["test"], strict=True):
    for word, gold in enumerate(pair.alignment):
        if gold:
            peak = int(look[word].argmax())
            distances[min((peak - place for place in gold), key=abs)] += 1
total = sum(distances.values())
for distance in range(-2, 5):
    print(f"{distance:+d} words from the gold one: {100 * distances[distance] / total:5.1f} %")

# %% [markdown]
# ### What goes wrong
#
# First the errors of the ordinary test, by what the pairs are about. Then a harder test: the two nouns that decide, such as "fox" in the premise and "mammal" in the hypothesis, **never met in training**. The model knows both words, and has met each with others.

# %% tags=["gallery"]
right = judge(best, data, tests["test"])
by_phenomenon = accuracy_by(right, tests["test"], lambda pair: pair.phenomena)
for name, (accuracy, number) in sorted(by_phenomenon.items(), key=lambda item: item[1][0]):
    print(f"{name:<12} {100 * accuracy:5.1f} % of {number} pairs")
strangers = tests["unseen pairs"]
guesses = guess(best, data, strangers)
counts = Counter((pair.label, said) for pair, said in zip(strangers, guesses, strict=True))
print("\nnouns that never met: rows are the truth, columns what the model says")
print(" " * 14 + "".join(f"{said:>15}" for said in LABELS))
for label in LABELS:
    print(f"{label:<14}" + "".join(f"{counts[label, said]:>15}" for said in LABELS))
found = score_alignment(attention_of(best, data, strangers), strangers).clauses
print(f"words that look into the right clause: {100 * found:.1f} %")
wrong = [pair for pair, said in zip(strangers, guesses, strict=True) if said != pair.label]
for pair in wrong[:3]:
    print("judged wrongly:", pair.text)
if wrong:
    look_at(best, wrong[0])

# %% [markdown]
# Look at the column that the mistakes stand in. The words look at the right clause; it is the *comparison* that fails. With nine kinds and a few classes the training never needs a rule such as "what is true of all mammals is true of foxes": a table of
# which nouns go together is enough, and whatever is not in the table excludes each other. Who only sees the first figure, on the ordinary test, would call this reasoning.
#
# ### A wider world
#
# Kinds and colours are not all there is to reason about. In a wider world things are big or small and can be counted (*at most two* owls), what is painted may be told in the passive, somebody paints *no* foxes, *no child* or *some child* paints them, and children paint *above* and *to the left of* each other. The
# reasoner knows all of this. Trained on such pairs from fresh weights, the model learned them by heart: its looks never formed. So it began with the weights of the model above, which knew already how to look: first the easy world, then the wide one. Predict: which phenomenon is the hardest?

# %%
wide_data = pairs_of(WIDE, 300, 100 if FAST else WIDE_TESTS)  # only its tests are needed here
wide_test = wide_data.test["test"]
try:
    wide, wide_card = load_trained("05-wide")
    print(f"{wide_card['seconds'] / 60:.0f} minutes on {wide_card['threads']} thread(s): {wide_card['command']}")
except CheckpointError as error:
    wide, wide_card = None, None
    print("going on without a model of the wider world:", error)
for pair in wide_test[:4]:
    print("·", pair.text)
if wide is not None:
    wide_right = judge(wide, wide_data, wide_test)
    groups = accuracy_by(wide_right, wide_test, lambda pair: pair.phenomena)
    shares = {name: 100 * accuracy for name, (accuracy, _) in sorted(groups.items(), key=lambda item: item[1][0])}
    without_reading = {way: f"{wide_card['metrics'][f'baseline/{way}']:.1f} %" for way in ("hypothesis only", "bag of words")}
    print(f"all test pairs: {100 * wide_right.float().mean():.1f} %; without reading:", without_reading)
    title, labels = f"Hardest in the wider world: {' and '.join(list(shares)[:2])}", {"xlabel": "accuracy, %", "ylabel": "pairs that turn on"}
    show(plot_bars(shares, title=title, **labels, reference=("chance", 100 / len(LABELS))))

# %% [markdown]
# One pair can turn on several of these at once, so the rows share pairs. Look at a pair that it gets wrong, and at where its words look.

# %%
if wide is not None:
    hardest = next(iter(shares))
    missed = [pair for pair, right in zip(wide_test, wide_right.tolist(), strict=True) if not right and hardest in pair.phenomena]
    (says,) = guess(wide, wide_data, missed[:1])
    look_at(wide, missed[0], f"Turns on {', '.join(missed[0].phenomena)}: {missed[0].label}, the model says {says}", wide_data)

# %% [markdown]
# ## Real data
#
# SNLI: photographs' captions as premises, hypotheses by people. `SOURCE = "real"` reads it from the hub, or its development pairs from a staged folder: a *small sample*, eight thousand pairs for training where the paper had 550,000.

# %%
from dataclasses import replace

if real := snli_data() if SOURCE == "real" else own:
    print(f"{real.name}: {len(real.train):,} pairs for training; {real.credit}")
    print(f"hypothesis only: {100 * baseline_accuracies('hypothesis only', real)['test']:.1f} %")
if own:
    recipe = replace(LIVE["word-by-word"], fresh=False, rename=False).shortened(STEP_SHARE)
    own_model, history = fit(recipe, own, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
    print(history.summary())
    print(f"word by word: {100 * judge(own_model, own, own.examples).float().mean():.1f} % of {len(own.examples)} pairs")
    print("Gold alignments are missing: the attention weights are shown, not evaluated.")
    look_at(own_model, own.examples[0], "A pair of your own, and the attention weights of each word", own)
real_results = load_results("05", "real")
if real_results is None:
    print("No real run is stored yet.")
else:
    for measurement in real_results["measurements"]:
        parts = [f"{key.split('/')[0]} {value:.1f}" for key, value in measurement["metrics"].items() if key.endswith("accuracy/test")]
        print(f"seed {measurement['seed']}, accuracy in %: " + ", ".join(parts))
    print(real_results["command"])

# %% [markdown]
# Compare the readers with the two baselines that do not read at all: what the hypothesis gives away, and a bag of words. Eight thousand pairs are few to learn reading from; what can be counted is learned from fewer. With half a million pairs the
# order of the paper appears. A small sample can hide a true effect; that is no evidence against it.
#
# ## Your own pair
#
# Children's names, kinds and colours from above; clauses joined by *and*, *while* or a comma.


# %%
def try_it(premise, hypothesis):
    """Read a pair, and show the label that follows and where the model looks."""
    try:
        pair = read_pair(premise, hypothesis)
    except ValueError as error:
        print("not understood:", error)
        return
    unknown = data.vocabulary.unknown_words([*pair.premise, *pair.hypothesis])
    if unknown:
        print("this model was not taught the words:", ", ".join(unknown))
    (weights,) = attention_of(best, data, [pair])
    (says,) = guess(best, data, [pair])
    gold = [(word, place) for word, places in enumerate(pair.alignment) for place in places]
    title = f"It follows by logic: {pair.label}. The model says: {says}"
    try:
        display(explore_alignment(weights, pair.premise, pair.hypothesis, gold, title=title, source_name="premise", target_name="hypothesis"))
    except ValueError as error:
        print("too long to show:", error)


sample = tests["test"][1]
try_it(" ".join(sample.premise), " ".join(sample.hypothesis))

# %% [markdown]
# Where the notebook is live, here is a box. (In a printed page it does nothing.)

# %%
boxes = [ipywidgets.Text(description=name, value=" ".join(words), layout={"width": "95%"}) for name, words in (("premise", sample.premise), ("hypothesis", sample.hypothesis))]
button, output = ipywidgets.Button(description="Judge"), ipywidgets.Output()


def judge_again(_):
    """Read the boxes and judge, into the area under the button."""
    output.clear_output(wait=True)
    with output:
        try_it(*(box.value for box in boxes))


button.on_click(judge_again)
ipywidgets.VBox([*boxes, button, output])

# %% [markdown]
# ## The claims, tested
#
# The paper's claims with their figures, and ours: the mean over the seeds, and the 95 % interval of the paired difference. A claim *holds* if the whole interval lies on its side and the p-value, corrected for the number of claims (Holm), is below 0.05. It is *contradicted* if the same is true of the other side, *void* if both systems are at a floor or ceiling, else *inconclusive*. The seeds were fixed beforehand; all rungs have the same sizes and saw the same pairs equally often.

# %%
stored = [load_results("05", source) for source in ("default", "real")]
entries = [entry for results in stored if results for entry in results["claims"]]
display(Markdown(claims_table(entries) if entries else "No results are stored yet."))

# %% [markdown]
# ## Limits, and what came next
#
# - The looks go one way, from hypothesis to premise, and one after the other. Decomposable attention (2016) drops the LSTMs: every word of either sentence looks at all words of the other, at once.
# - Here the truth is a small logic. In people's sentences it is an opinion, and people disagree in one pair of ten.
# - An attention that finds its place by *content* may look anywhere at any time. For some tasks that is too free. → *Lesson 6: speech, where the look must move forward.*
#
# <details><summary><b>Question:</b> why the cell state, and not the output, for the second reader to start from?</summary>
#
# The output is the part of the cell that the last step chose to show. The cell is what the LSTM keeps. The second reader is to know what the first one remembers, also what it did not say last.
# </details>
#
# <details><summary><b>Question:</b> what would r_t be without the second term, tanh(W r)?</summary>
#
# Each word's look alone; r at the end would be the look of the last word, and everything found before would only live on in where that look went.
# </details>

# %% tags=["closing-table"]
print(f"lesson 5, {'FAST: too few steps to judge' if FAST else 'full size'}, {data.name} pairs, seed {SEED}")
print(f"{'':<16}{'a minute':>10}{'longer':>10}{'more clauses':>14}")
for name in LIVE:
    longer = final.get(name, {})
    cells = [f"{longer[test]:.1f} %" if test in longer else "–" for test in ("test", "more clauses")]
    print(f"{name:<16}{100 * scores[name]['all'][0]:>8.1f} %{cells[0]:>10}{cells[1]:>14}")
print(f"words look at a gold word: {100 * hits:.0f} %, chance {100 * chance:.0f} %; in a gold clause: {100 * marks.clauses:.0f} %, chance {100 * marks.clauses_chance:.0f} %")
for entry in entries:
    verdict = entry["verdict"]
    print(f"{entry['id']:<32}{entry['source']:>8}  {verdict:<14} difference {entry['difference']['mean']:+.2f}")

# %% [markdown]
# ## Further reading
#
# - Rocktäschel, Grefenstette, Hermann, Kočiský and Blunsom, [*Reasoning about Entailment with Neural Attention*](https://arxiv.org/abs/1509.06664), 2016: section 2 has the ladder, section 4 the maps.
# - Bowman, Angeli, Potts and Manning, [*A large annotated corpus for learning natural language inference*](https://arxiv.org/abs/1508.05326), 2015: SNLI.
# - Gururangan and others, [*Annotation Artifacts in Natural Language Inference Data*](https://arxiv.org/abs/1803.02324), 2018: what a hypothesis gives away.
# - Parikh, Täckström, Das and Uszkoreit, [*A Decomposable Attention Model for Natural Language Inference*](https://arxiv.org/abs/1606.01933), 2016: the same question without recurrence.
