# %% [markdown]
# # 7 · Summarization: attention without recurrence, and back
#
# > *we see two big turtles at the top and two small houses at the bottom. another turtle arrives, and then one house disappears. one house comes back.*
# > → **big turtles increase from two to three**
#
# What happened to the house takes more words. It does not matter: in the end it is as it was. A headline says what is left when everything that cancels out is taken away.
#
# In September 2015 a group at Facebook taught a network to write headlines. Nothing in it is recurrent: a feed-forward network chooses each word by the last few ones, and by what a *look* at the text brings home. That was two years before
# the Transformer. In 2016 two of the authors and a colleague put the recurrence back.
#
# **The question of this lesson:** how much of a headline can be written without reading, and what does each way of reading add: a heap of words, words in their neighbourhood, a look for every word? And is recurrence needed at all?
#
# On a laptop with two cores this notebook takes at most four minutes from top to bottom.

# %% [markdown]
# ## Predict first
#
# Write your guesses down. You will meet the answers below, in this order.
#
# 1. Take the first words of a text for its headline. How much of the true headline will be in them: in our reports, in the documentation of a library, in descriptions of packages?
# 2. A model has learned from thousands of headlines, and reads *nothing* of the text. Among how many words does it hesitate at each step?
# 3. Which step gains most: from nothing to a heap of words, from there to neighbourhoods, or to a look for every word?
# 4. The word "increase" of a headline looks at the text. Does it look *at* "arrives", or beside it?
# 5. A model may write words of its own, and may copy words of the text. It could write all of them. Will it copy?

# %% [markdown]
# ## Settings
#
# The only cell that configures anything. `SOURCE` chooses what the lesson works on. `"default"` are reports made here, whose truth is known. `"docstrings"` are real and need no download: the documentation of the libraries that you
# installed with this course. `"real"` are texts that people summed up (see the section on real data). With the last two, each training takes some minutes. `SOURCE` may also be the path of a file or folder with texts and summaries of your own: docs/own_data.md says what they look like.

# %% tags=["settings"]
import inspect
import math
import random
import textwrap
from collections import Counter
from dataclasses import replace

import ipywidgets
import torch
from IPython.display import Markdown, display

from course_utils.checkpoints import CheckpointError
from course_utils.data.batching import make_pair_batch
from course_utils.data.reports.docstrings import RULES, NoDocstringsError, clean_docstring, load_docstrings
from course_utils.data.reports.headlines import judge_headline
from course_utils.data.text import join_words
from course_utils.exercises import check, checked
from experiments import summarization as lab
from experiments.claims import claims_table, load_results
from experiments.lesson_07_summarization import ABLATION, LIVE, RECIPES, data_of, load_trained, with_words_of
from course_utils.metrics import rouge_each
from course_utils.models.extractive import FEATURES, ExtractiveSummarizer, ExtractiveWeights
from course_utils.teaching.explorer import explore_alignment
from course_utils.teaching.plots import describe, house_style, plot_alignment, plot_lines, show
from course_utils.training import is_fast_run

SOURCE, SEED = "default", 0  # "default": made reports; "docstrings": installed libraries' own; "real": people's texts; or the path of your own
FAST = is_fast_run()  # few training steps, for automatic tests; the closing table says so
torch.set_num_threads(1)  # the matrices are so small that a second thread waits more than it works
house_style()

# %% [markdown]
# ## The data, and their truth
#
# A report tells of groups of things in three to eight sentences. Things move, change and come and go; some of it is taken back. Witnesses disagree, and change their minds. Children like and hope for things, which is beside the point. The headline
# states **the one thing that matters**: what differs between beginning and end, or else what most say, or else how things stand.
#
# Since the reports are made from facts, two things are known that no newspaper tells: whether a headline is *true*, and for each of its words which words of the report **support** it.

# %%
data = data_of(SOURCE, FAST)
tests, KNOWN = data.test["test"], data.name == "default"  # KNOWN: the truth is known, as it is of made reports only
print(f"{len(data.train):,} pairs for training, {len(tests)} for the test, {len(data.vocabulary):,} words")
lengths = [sum(len(getattr(pair, side)) for pair in tests) / len(tests) for side in ("source", "headline")]
print(f"a text has {lengths[0]:.0f} words, its headline {lengths[1]:.1f}")
for pair in tests[:5]:
    print(textwrap.fill(join_words(pair.source), 110), "\n     →", pair.reference)

# %% [markdown]
# No headline of a tested report occurs in training. So a headline cannot be recognised; it has to be put together.
#
# One report will stay with us. Orange frames say what each word of its headline rests on. A word such as "from" rests on nothing.


# %%
def supports_of(pair):
    """The links from headline words to the source words that support them; none where nobody knows."""
    return [(word, place) for word, places in enumerate(pair.support) for place in sorted(places)]


def draw_attention(weights, pair, title):
    """Draw where each word of the true headline looks, with its support framed."""
    axes = plot_alignment(weights, pair.source, pair.headline, supports_of(pair), title=title)
    axes.set(xlabel="words of the text", ylabel="words of the headline")
    if axes.get_legend():
        axes.get_legend().get_texts()[0].set_text("supporting words")
    return axes


if KNOWN:
    shown = next((pair for pair in tests if len(pair.source) <= 42 and len(pair.story.steps) >= 3), tests[0])
    truth = draw_attention(torch.zeros(len(shown.headline), len(shown.source)), shown, "The truth: what each headline word rests on")
    links = [f"{shown.headline[word]} rests on {shown.source[place]} (word {place + 1})" for word, place in supports_of(shown)]
    show(describe(truth, f"What each headline word rests on: {'; '.join(links)}."))
else:
    shown = min(tests, key=lambda pair: abs(len(pair.source) - 30))
    print("Nobody marked in these texts what rests on what.")

# %% [markdown]
# ## What can be had without a model
#
# Newspapers say the main thing first. Who copies the beginning of an article has a headline that is hard to beat; many papers on headlines do not beat it by much. So before any model is praised: how good is the **lead**? How good the sentence whose
# words are frequent here and rare elsewhere (the **telling** one)? And how far could *any* sentence come, if somebody chose it who knew the true headline (the **oracle**)?
#
# "Good" needs a measure. Summaries are compared with a reference by **ROUGE**: how much do the two have in common, in words (ROUGE-1), in pairs of neighbours (ROUGE-2), in the longest sequence of words that both have in the same order (ROUGE-L)?

# %% [markdown]
# ### Exercise rouge-2
#
# "The dog is above the fox" and "the fox is above the dog" have the same words. Their bigrams, the pairs of neighbouring words, differ. Count
# the pairs of the hypothesis (the model's headline) and of the reference. A pair that occurs in both is **shared**, as often as *both* have it:
# the smaller of its two counts. With $S$ shared pairs, $H$ pairs in the hypothesis and $R$ in the reference,
#
# $$P = \frac{S}{H} \qquad Q = \frac{S}{R} \qquad F_1 = \frac{2\,P\,Q}{P + Q} = \frac{2\,S}{H + R}$$
#
# Precision $P$ falls with every pair that is not in the reference, recall $Q$ with every pair that is missing. The paper reports recall of
# headlines cut at a fixed length. If the length is free, recall alone rewards long headlines.
#
# `hypothesis` and `reference` are lists or tuples of words. Words are compared as they are: case, plural and punctuation matter. Return $F_1$, a
# number from 0 to 1. It is 0 if no pair is shared, also if a headline has fewer than two words or none.
#
# *By hand:* "red dog sees red dog" has the pairs red dog (twice), dog sees, sees red; "a red dog" has a red, red dog. One is shared:
# $F_1 = 2 \cdot 1 / (4 + 2) = 1/3$.


# %% exercise="rouge-2"
def rouge_2(hypothesis, reference):
    """F1 of the pairs of neighbouring words that two headlines share.

    hypothesis, reference: sequences of words; may be empty.
    Returns a number from 0 to 1; 0 if no pair is shared.
    """
    ### BEGIN SOLUTION
    ours, theirs = (Counter(zip(words, words[1:], strict=False)) for words in (hypothesis, reference))
    shared = (ours & theirs).total()  # & keeps the smaller of two counts
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0
    ### END SOLUTION


# %% check="rouge-2" points=2
check("07.rouge-2", rouge_2);

# %% hidden="rouge-2" points=2
### BEGIN HIDDEN TESTS
for ours, theirs, expected in [
    ("two red cats turn green at home", "two red dogs turn green at the top", 6 / 13),  # two red, turn green, green at
    ("two red dogs turn green at the top", "two red cats turn green at home", 6 / 13),
    ("no no no", "no no", 2 / 3),
    ("a b a b", "b a b a b a", 6 / 8),
    ("to be or not to be", "not to be", 4 / 7),
    ("ab c d", "a bc d", 0),
    ("The dogs run , home", "the dogs run home", 2 / 7),  # dogs run
    ("the dog runs home", "the dogs runs home", 2 / 6),
    ("one " * 30 + "two", "one " * 20 + "two", 40 / 50),
    ("one", "one", 0),
    ("", "one two", 0),
    ("one two", "", 0),
]:
    ours, theirs = ours.split(), tuple(theirs.split())
    assert abs(float(rouge_2(ours, theirs)) - expected) < 1e-6 and ours == list(ours)
    assert abs(float(rouge_2(theirs, ours)) - expected) < 1e-6
dice = random.Random(7)
for _ in range(60):
    ours, theirs = ([dice.choice("abc") for _ in range(dice.randint(0, 9))] for _ in range(2))
    left = [theirs[i : i + 2] for i in range(len(theirs) - 1)]
    total, hits = len(left) + max(0, len(ours) - 1), 0
    for i in range(len(ours) - 1):
        if ours[i : i + 2] in left:
            left.remove(ours[i : i + 2])
            hits += 1
    assert abs(float(rouge_2(ours, theirs)) - (2 * hits / total if hits else 0)) < 1e-6
### END HIDDEN TESTS

# %% [markdown]
# From here on the library `rouge-score` counts. It should agree with you, except that the library ignores case and punctuation. Beside ROUGE the table says how many words were *copied* from the text, and, of reports, how many headlines state something **true**, and how many
# are true and *complete*. (The baselines take some seconds: the best length of a lead is tried out on validation texts.)

# %%
board = {}


def put_on_board(name, headlines, texts=data, pairs=tests, onto=board):
    """Mark headlines by ROUGE, by what they copied and, of reports, by the facts; keep the figures and print them."""
    row = onto[name] = lab.headline_metrics(texts, headlines, pairs)
    kept = ("rouge-1", "rouge-2", "rouge-L", "copied", "true", "complete")
    print(f"{name:<26}" + "   ".join(f"{key} {row[key]:5.1f}" for key in kept if key in row))


baselines = lab.baselines_of(data)
for name, write in baselines.items():
    put_on_board(name, [write(pair) for pair in tests])
put_on_board("the headlines themselves", [pair.headline for pair in tests])
mark = checked("07.rouge-2", rouge_2)
mean = sum(mark(pair.lead, pair.headline) for pair in tests) / len(tests)
print(f"ROUGE-2 of the lead: {100 * mean:.1f} by this lesson's function, {board['lead']['rouge-2']:.1f} by the library")

# %% [markdown]
# Look at the last rows. The oracle is the ceiling for everybody who copies a whole sentence. And the headlines themselves are not all copied: some of their words stand nowhere in the text. To write them takes a model.
#
# ## The bottom of the ladder: a model that reads nothing
#
# A headline is written word by word, so a model of headlines says how likely each next word is. First, how is such a model judged?

# %% [markdown]
# ### Exercise perplexity
#
# Give the model the reference's words so far. Which probability does it assign to the next one? A model that always assigns $1/7$ is as
# uncertain as one that chooses among 7 equally likely words. **Perplexity** is this number, for words that are not all equally hard:
#
# $$\text{perplexity} = \exp\Big(-\frac{1}{N} \sum_{\text{real words}} \log p(\text{reference word})\Big)$$
#
# The mean is over all $N$ real words of the batch together. Headlines differ in length; padding does not count.
#
# `log_probabilities` is `(batch, target_length, vocabulary)`, natural logarithms. `target`, `(batch, target_length)`, holds the ids of the
# reference's words; `target_mask`, of the same shape, is True at real words. A real word may have the id 0, and padding any id.
# Return one number.
#
# *By hand:* reference words of probability $1/2$, $1/8$ and $1/4$: the mean of the logarithms is $-\log 4$, so the perplexity is 4.


# %% exercise="perplexity"
def perplexity(log_probabilities, target, target_mask):
    """Return the number of equally likely words among which a model would be as uncertain.

    log_probabilities: (batch, target_length, vocabulary), nats; those of padding are anything.
    target: (batch, target_length), ids; target_mask: the same shape, True = real word.
    Returns one number, at least 1.
    """
    ### BEGIN SOLUTION
    of_target = log_probabilities.gather(2, target.unsqueeze(2)).squeeze(2)  # (batch, target_length)
    return math.exp(-of_target[target_mask].mean().item())
    ### END SOLUTION


# %% check="perplexity" points=1
check("07.perplexity", perplexity);

# %% hidden="perplexity" points=1
### BEGIN HIDDEN TESTS
table = torch.tensor([[[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]], [[0.25, 0.5, 0.25], [0.9, 0.05, 0.05]]]).log()
true_ids, real = torch.tensor([[0, 2], [2, 0]]), torch.tensor([[True, True], [True, False]])
assert abs(float(perplexity(table, true_ids, real)) - 4) < 1e-4  # 1/2, 1/8, 1/4
assert abs(float(perplexity(table[:, :1], true_ids[:, :1], real[:, :1])) - math.sqrt(8)) < 1e-4  # 1/2, 1/4
for anything in (-math.inf, math.inf, math.nan):
    table[1, 1] = anything
    assert abs(float(perplexity(table, true_ids, real)) - 4) < 1e-4
rare = torch.tensor([[[0.0, -120.0]] * 4])  # one word of probability exp(-120) in four
assert abs(float(perplexity(rare, torch.tensor([[0, 0, 1, 0]]), torch.ones(1, 4) > 0)) / math.exp(30) - 1) < 1e-3
torch.manual_seed(7)
table = torch.randn(5, 6, 9).mul(3).log_softmax(2)
true_ids, real = torch.randint(9, (5, 6)), torch.arange(6) < torch.tensor([[2], [6], [1], [4], [3]])
true_ids[0] = 0  # an id like any other
as_given = table.clone(), true_ids.clone(), real.clone()
total, words = 0.0, 0
for b in range(5):
    for i in range(6):
        if real[b, i]:
            total, words = total - table[b, i, true_ids[b, i]].item(), words + 1
assert abs(float(perplexity(table, true_ids, real)) / math.exp(total / words) - 1) < 1e-4
assert all(torch.equal(now, then) for now, then in zip((table, true_ids, real), as_given, strict=True))
### END HIDDEN TESTS

# %% [markdown]
# Now the writer. It knows nothing but the last $C$ words of the headline.

# %% [markdown]
# ### Exercise next-word
#
# A recurrent decoder keeps everything it has written in its state. This one has no state. It takes the last $C$ words (here 5), concatenates
# their embeddings, and computes:
#
# $$\tilde y = [E\,y_{i-C+1};\ \dots;\ E\,y_i] \qquad h = \tanh(U \tilde y + b) \qquad p(y_{i+1}) = \text{softmax}(V h + W\,\text{enc})$$
#
# $\text{enc}$ is a vector that an *encoder* makes of the text; the rest of this lesson is about it. It enters at the very end: the language
# model and the encoder score the words independently, and their scores are added.
#
# So all words of a known headline can be scored in parallel. A recurrent network cannot do that: each step needs the state of the one before.
#
# `words` is `(batch, C)`, the ids of the last words, the latest last. `encoded` is `(batch, read_size)`. `E` has a row per word,
# `(vocabulary, embedding_size)`; `U` is `(hidden_size, C * embedding_size)`, `b` `(hidden_size,)`, `V` `(vocabulary, hidden_size)`, `W`
# `(vocabulary, read_size)`. Return log-probabilities, `(batch, vocabulary)`. They are finite and exact for scores in the hundreds, too.
#
# *By hand:* one word before, all sizes 1, a vocabulary of two: $E = (0, 1)$, $U = 1$, $b = 0$, $V = (0, 1)$, $W = (0, 0)$. After word 1 the scores
# are $(0, \tanh 1)$, so word 1 has the probability $1 / (1 + e^{-0.76}) \approx 0.68$. After word 0 both have one half.


# %% exercise="next-word"
def next_word(words, encoded, E, U, b, V, W):
    """Score the next headline word by the last C words and the encoder's vector.

    words: (batch, C), ids, the latest last; encoded: (batch, read_size).
    E: (vocabulary, embedding_size); U: (hidden_size, C * embedding_size); b: (hidden_size,).
    V: (vocabulary, hidden_size); W: (vocabulary, read_size).
    Returns log-probabilities (batch, vocabulary).
    """
    ### BEGIN SOLUTION
    context = E[words].flatten(start_dim=1)  # (batch, C * embedding_size)
    hidden = torch.tanh(context @ U.T + b)
    return torch.log_softmax(hidden @ V.T + encoded @ W.T, dim=1)
    ### END SOLUTION


# %% check="next-word" points=2
check("07.next-word", next_word);

# %% hidden="next-word" points=2
### BEGIN HIDDEN TESTS
one = torch.ones(1, 1)
two = torch.tensor([[0.0], [1.0]])
for word, expected in [(1, 1 / (1 + math.exp(-math.tanh(1)))), (0, 0.5)]:
    sure = next_word(torch.tensor([[word]]), one, two, one, one[0] * 0, two, two * 0)
    assert abs(sure[0, 1].exp().item() - expected) < 1e-5
torch.manual_seed(7)
ids, brought = torch.tensor([[2, 0, 1], [1, 1, 3], [0, 3, 2], [3, 2, 2]]), torch.randn(4, 2)
weights = E_, U_, b_, V_, W_ = torch.randn(4, 2), torch.randn(5, 6), torch.randn(5), torch.randn(4, 5), torch.randn(4, 2)
as_given = [tensor.clone() for tensor in (ids, brought, *weights)]
answer = next_word(ids, brought, *weights)
assert answer.shape == (4, 4)
for row in range(4):
    joined = [E_[i, k].item() for i in ids[row].tolist() for k in range(2)]
    h = [math.tanh(sum(U_[n, m].item() * joined[m] for m in range(6)) + b_[n].item()) for n in range(5)]
    points = [sum(V_[v, n].item() * h[n] for n in range(5)) + (W_[v] @ brought[row]).item() for v in range(4)]
    log_sum = math.log(sum(math.exp(point) for point in points))
    assert all(abs(answer[row, v].item() - (points[v] - log_sum)) < 1e-4 for v in range(4))
assert all(torch.equal(now, then) for now, then in zip((ids, brought, *weights), as_given, strict=True))
steep = next_word(ids, brought, *weights[:3], V_ * 300, W_)
assert steep.isfinite().all() and steep.min() < -300 and torch.allclose(steep.exp().sum(1), torch.ones(4), atol=1e-3)
assert next_word(ids, brought.double(), *[tensor.double() for tensor in weights]).dtype == torch.float64
leaves = [tensor.clone().requires_grad_() for tensor in (brought, *weights)]
next_word(ids, *[leaf * 1 for leaf in leaves])[:, 0].sum().backward()
assert all(leaf.grad.abs().sum() > 0 for leaf in leaves)
### END HIDDEN TESTS

# %% [markdown]
# Train it with nothing to read, on the headlines alone. It takes a few seconds. The weights of the best validation are kept.

# %%
STEP_SHARE = 0.005 if FAST else 1.0
TIME_LIMIT_SECONDS = 120 if SOURCE == "default" else 900  # a safety net for each training
small = LIVE if KNOWN else {name: RECIPES.get(SOURCE, RECIPES["real"])[name].shortened(0.25) for name in LIVE}
models, curves, surprise = {}, {}, {}


def train_live(name, recipe=None):
    """Train one of the lesson's small models; say among how many words it hesitates, and let it write."""
    recipe = (recipe or small[name]).shortened(STEP_SHARE)
    models[name], history = lab.fit(
        recipe, data, SEED, time_limit_seconds=TIME_LIMIT_SECONDS, validate_every=max(1, recipe.steps // 10),
        validate=lambda model: lab.word_loss(model, data, data.validation[:200]),
    )  # fmt: skip
    curves[name] = tuple(zip(*((step, math.exp(nats)) for step, nats in history.validations), strict=True))
    surprise[name] = math.exp(lab.word_loss(models[name], data, tests))
    print(f"{history.summary()}; perplexity of the test {surprise[name]:.2f}")
    put_on_board(name, [headline.words for headline in lab.write_headlines(models[name], data, tests)])


train_live("abs-none")
batch = make_pair_batch(data.encode(tests[:50])).to(next(models["abs-none"].parameters()).device)
with torch.no_grad():
    unsure = checked("07.perplexity", perplexity)(models["abs-none"](batch)[0], batch.target_output, batch.target_mask)
print(f"on the first {len(batch.source)} texts: {unsure:.2f}; for every text it writes:")
print("   ", join_words(lab.write_headlines(models["abs-none"], data, tests[:1])[0].words))

# %% [markdown]
# It writes a headline about nothing. That is worth knowing: how *fluent* a headline is tells nothing about whether anybody has read the text. And its ROUGE is not zero, for headlines resemble each other.
#
# ## The ladder: three ways to read
#
# All three give words vectors of their own, $F x_j$, and differ in how they make one vector of them.
#
# - **A bag of words**: the mean $\frac{1}{M} \sum_j F x_j$. It tells which words are there, not where.
# - **Convolution**: layers that see five neighbours at a time; of each number the largest is kept. It tells that two words stood together, and forgets where.
# - **Attention**: a mean again, but a weighted one, and the weights depend on the *last words of the headline*. The other two read once, before the first word. This one reads anew for each.

# %%
train_live("abs-bag")

# %%
train_live("abs-convolution")  # takes the longest of the three: up to half a minute

# %% [markdown]
# ### Exercise attentive-window
#
# The last headline words make a query, $q = P\,[G\,y_{i-C+1};\ \dots;\ G\,y_i]$. Its **dot product** with each word of the text is that word's
# score, and a softmax makes weights of the scores. Lesson 2 needed a small network for this comparison; here it is one multiplication.
#
# The values are not the words that were compared. A word alone says little: a model that attends to "moves" has to know *what* moves and *where
# to*. So each word is replaced by the mean of its neighbourhood, $Q$ words to each side. Attend to a word, average around it:
#
# $$p_j = \frac{e^{q \cdot x_j}}{\sum_k e^{q \cdot x_k}} \qquad \bar x_j = \frac{1}{2Q + 1} \sum_{k = j - Q}^{j + Q} x_k \qquad \text{enc} = \sum_j p_j\, \bar x_j$$
#
# Beyond its ends a text is zero, and so is its padding: near the ends, too, the sum is divided by $2Q + 1$. (The paper divides by $Q$. The
# constant makes no difference: the next layer learns it.)
#
# `query` is `(batch, hidden_size)`, `word_vectors` is `(batch, source_length, hidden_size)`. `source_mask`, `(batch, source_length)`, is True at real
# words; padding is at the right end, and its vectors are **not** zero. `window` is $Q$; it may be 0, or wider than the text. Return
# $\text{enc}$, `(batch, hidden_size)`, and the weights $p$, `(batch, source_length)`: they sum to one and are exactly zero on padding. Only the
# values are smoothed, not the weights.
#
# *By hand:* of size 1, $q = 0$ and the words $(3, 6, 9)$, with $Q = 1$: each weight is $1/3$, the means are $(3, 6, 5)$, and $\text{enc}$ is $14/3$.
# If the third is padding, the weights are $(1/2, 1/2, 0)$, the means of the real words $(3, 3)$, and $\text{enc}$ is 3.


# %% exercise="attentive-window"
def attentive_window(query, word_vectors, source_mask, window):
    """Attend to single words, and average their neighbourhoods by the attention weights.

    query: (batch, hidden_size); word_vectors: (batch, source_length, hidden_size), those of padding are anything.
    source_mask: (batch, source_length), True = real word; window: words to each side.
    Returns encoded (batch, hidden_size) and attention_weights (batch, source_length), exactly zero on padding.
    """
    ### BEGIN SOLUTION
    real = word_vectors.masked_fill(~source_mask.unsqueeze(2), 0.0)
    scores = (real @ query.unsqueeze(2)).squeeze(2)  # (batch, source_length)
    attention_weights = torch.softmax(scores.masked_fill(~source_mask, float("-inf")), dim=1)
    padded = torch.nn.functional.pad(real, (0, 0, window, window))  # zeros before the first word and after the last
    around = padded.unfold(1, 2 * window + 1, 1).mean(dim=-1)  # (batch, source_length, hidden_size)
    return (attention_weights.unsqueeze(2) * around).sum(dim=1), attention_weights
    ### END SOLUTION


# %% check="attentive-window" points=3
check("07.attentive-window", attentive_window);

# %% hidden="attentive-window" points=3
### BEGIN HIDDEN TESTS
line = torch.tensor([[[3.0], [6.0], [9.0]]])
for real, expected, shares in [([1, 1, 1], 14 / 3, [1 / 3] * 3), ([1, 1, 0], 3.0, [0.5, 0.5, 0.0])]:
    words = line.masked_fill(torch.tensor([real]).unsqueeze(2) == 0, math.nan)  # padding may hold anything
    read_now, p = attentive_window(torch.zeros(1, 1), words, torch.tensor([real]).bool(), 1)
    assert abs(read_now.item() - expected) < 1e-5 and torch.allclose(p, torch.tensor([shares]))
for factor, shares in [(-1e30, [0.5, 0.5, 0.0, 0.0]), (1e30, [0.0, 0.0, 1.0, 0.0])]:
    steep = torch.tensor([[[1.0], [1.0], [2.0], [-5.0 if factor < 0 else 5.0]]])
    assert attentive_window(torch.full((1, 1), factor), steep, torch.tensor([[True, True, True, False]]), 1)[1].tolist() == [shares]
torch.manual_seed(7)
q, x = torch.randn(4, 3), torch.randn(4, 6, 3) + 1
real = torch.arange(6) < torch.tensor([[6], [3], [1], [5]])
for window in (0, 1, 2, 7):
    read_now, p = attentive_window(q, x, real, window)
    assert read_now.shape == (4, 3) and p.shape == (4, 6) and (p[~real] == 0).all()
    for b in range(4):
        n = int(real[b].sum())
        powers = [math.exp(sum(q[b, k].item() * x[b, j, k].item() for k in range(3))) for j in range(n)]
        by_hand = [0.0, 0.0, 0.0]
        for j in range(n):
            assert abs(p[b, j].item() - powers[j] / sum(powers)) < 1e-5
            for near in range(max(0, j - window), min(n, j + window + 1)):
                for k in range(3):
                    by_hand[k] += powers[j] / sum(powers) * x[b, near, k].item() / (2 * window + 1)
        assert torch.allclose(read_now[b], torch.tensor(by_hand), atol=1e-4)
leaf, query_leaf = x.clone().requires_grad_(), q.clone().requires_grad_()
attentive_window(query_leaf * 1, leaf * 1, real, 1)[0].sum().backward()
assert torch.equal((leaf.grad != 0).any(2), real) and (query_leaf.grad[[0, 1, 3]] != 0).any(1).all()
### END HIDDEN TESTS

# %% [markdown]
# One thing is not as the paper has it. There $F x_j$ gives the scores *and* the values. While the values are still learned, the scores run away, and the look hardens on whatever came first. So the course's model divides the query by $\sqrt{H}$, the root of
# its size. Two years later the Transformer did the same.

# %%
train_live("abs-attention")

# %% tags=["gallery"]
readers = {"nothing": "abs-none", "a bag of words": "abs-bag", "convolution": "abs-convolution", "attention": "abs-attention"}
lowest = min(readers, key=lambda reader: surprise[readers[reader]])
title = f"Perplexity after a short training: {surprise['abs-none']:.2f} unread, {surprise[readers[lowest]]:.2f} with {lowest}"
drawn = {reader: curves[name] for reader, name in readers.items()}
show(plot_lines(drawn, title=title, xlabel="training steps", ylabel="perplexity, validation"))
print("perplexity of the test: " + ", ".join(f"{reader} {surprise[name]:.2f}" for reader, name in readers.items()))

# %% [markdown]
# The curve is that of a short training, in which whoever is quick looks good. Is the order that of the paper, none, bag, convolution, attention? The claims below are measured with longer trainings, all alike, that end where validation is best, on three kinds of
# text.
#
# ## Look
#
# Only one of the four can be watched while it reads. Choose a word of the headline. (The model is shown the true headline, so that each word has a truth to compare with.)

# %%
def explore(model, pair, title):
    """Let the reader explore where a model looks along the true headline."""
    (weights,) = lab.teacher_forced_attention(model, data, [pair])
    names = {"source_name": "text", "target_name": "headline"}
    display(explore_alignment(weights, pair.source, pair.headline, supports_of(pair), title=title, **names))


explore(models["abs-attention"], shown, "After a short training: where each headline word looks")

# %% [markdown]
# ## What longer training buys
#
# The same system, larger, trained for longer on reports that are new all the time. If a file is missing or damaged, the cell says so, and the lesson goes on with the model from above.


# %%
trained, cards = {}, {}


def load_longer(name):
    """Load what was trained for longer, or go on with the small model, and say which."""
    try:
        if not KNOWN:
            raise CheckpointError("the stored models were trained on reports")
        trained[name], cards[name] = load_trained(f"07-{name}")
    except CheckpointError as error:
        trained[name] = models[name]
        print(f"going on with the short training of {name}:", error)
        return
    print(f"{name}: {cards[name]['seconds'] / 60:.0f} minutes on {cards[name]['threads']} thread(s), by {cards[name]['command']}")
    surprise[f"{name}, longer"] = math.exp(lab.word_loss(trained[name], data, tests))
    print(f"perplexity of the test {surprise[f'{name}, longer']:.2f}, after the short training {surprise[name]:.2f}")
    put_on_board(f"{name}, longer", [headline.words for headline in lab.write_headlines(trained[name], data, tests)])


def label(name):
    """The name of what `trained` holds, with "longer" only where it was trained for longer."""
    return f"{name}, longer" if name in cards else name


load_longer("abs-attention")

# %% [markdown]
# ## Mark it
#
# A headline word looks at the text. Is what it looks at what it *rests* on?

# %% [markdown]
# ### Exercise support-share
#
# Lessons 4 and 5 asked whether the largest weight hits. Here several source words may support a headline word ("another" and "arrives" support
# "three"), so ask instead: which **share** of the attention is on supporting words? For headline word $i$ with the supporting positions $S_i$,
#
# $$\text{mass} = \frac{1}{N} \sum_{i:\, S_i \neq \emptyset} \ \sum_{j \in S_i} p_{ij} \qquad \text{chance} = \frac{1}{N} \sum_{i:\, S_i \neq \emptyset} \frac{|S_i|}{M}$$
#
# Chance level is the mass of uniform attention over all $M$ words of the text. The $N$ headline words that have support count, each the same;
# "from" and "to" have none and count in **neither**.
#
# `attention_weights` is `(headline_length, source_length)`, each row sums to one. `support` is a list or tuple with a set of positions, from 0, for
# each headline word; at least one is not empty. Return two numbers, mass and chance.
#
# *By hand:* two headline words over four: $p_1 = (0.1, 0.6, 0.2, 0.1)$ with $S_1 = \{1, 2\}$, and a second word with $S_2 = \emptyset$. The mass is 0.8, the chance
# $2/4$.


# %% exercise="support-share"
def support_share(attention_weights, support):
    """Return how much attention is on supporting words, and how much uniform attention would be.

    attention_weights: (headline_length, source_length), each row sums to one.
    support: for each headline word the set of source positions that support it; an empty set is not counted.
    Returns mass and chance, two numbers from 0 to 1.
    """
    ### BEGIN SOLUTION
    masses, chances = [], []
    for row, places in zip(attention_weights, support, strict=True):
        if places:
            masses.append(row[list(places)].sum().item())
            chances.append(len(places) / len(row))
    return sum(masses) / len(masses), sum(chances) / len(chances)
    ### END SOLUTION


# %% check="support-share" points=2
check("07.support-share", support_share);

# %% hidden="support-share" points=2
### BEGIN HIDDEN TESTS
rows = torch.tensor([[0.1, 0.6, 0.2, 0.1], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.5, 0.5]])
rests = [{1, 2}, set(), {0, 1, 3}, frozenset({3})]
as_given = rows.clone(), [set(places) for places in rests]
mass, luck = support_share(rows, rests)
assert abs(float(mass) - (0.8 + 0.75 + 0.5) / 3) < 1e-5 and abs(float(luck) - (2 + 3 + 1) / 3 / 4) < 1e-5
assert torch.equal(rows, as_given[0]) and rests == as_given[1]
mass, luck = support_share(rows[:2], (frozenset(), frozenset({0})))
assert abs(float(mass) - 0.7) < 1e-5 and abs(float(luck) - 0.25) < 1e-5
mass, luck = support_share(rows, [set(range(4))] * 4)
assert abs(float(mass) - 1) < 1e-5 and abs(float(luck) - 1) < 1e-5
dice = random.Random(7)
for words, length in [(1, 1), (5, 3), (8, 30), (50, 300)]:
    rows = torch.rand(words, length)
    rows = rows / rows.sum(1, keepdim=True)
    rests = [set(dice.sample(range(length), dice.randint(0, min(4, length)))) for _ in range(words)]
    rests[0] = {0, length - 1}
    inside, share, count = 0.0, 0.0, 0
    for i in range(words):
        count += bool(rests[i])
        for j in range(length):
            inside, share = inside + (rows[i, j].item() if j in rests[i] else 0), share + (j in rests[i]) / length
    mass, luck = support_share(rows, rests)
    assert abs(float(mass) - inside / count) < 1e-4 and abs(float(luck) - share / count) < 1e-5
### END HIDDEN TESTS

# %% [markdown]
# "At" is one mark; it asks for the very word. But what this model *reads* is the neighbourhood of a word, $Q = 2$ words to each side. To look beside a word is to read it all the same. So there is a second mark: the attention that lies **near** a supporting word, no
# farther than the window reaches.


# %% tags=["gallery"]
def score_attention(name, model):
    """Mark where a model looks along the true headlines of the test, and print the shares."""
    marks = lab.score_support(lab.teacher_forced_attention(model, data, tests), tests)
    at, near = (f"{100 * a:4.1f} % (even look {100 * b:4.1f} %)" for a, b in (marks[:2], marks[2:4]))
    print(f"{name:<22} at supporting words {at}, near them {near}, largest weight {100 * marks.peak:4.1f} %")
    return marks


attention_scores = {}
if KNOWN:
    (weights,) = lab.teacher_forced_attention(trained["abs-attention"], data, [shown])
    mass, luck = checked("07.support-share", support_share)(weights, shown.support)
    near = lab.score_support([weights], [shown]).near
    title = f"ABS: {100 * mass:.0f} % of the attention at supporting words (an even look {100 * luck:.0f} %), {100 * near:.0f} % near"
    show(draw_attention(weights, shown, title))
    attention_scores[label("abs-attention")] = score_attention(label("abs-attention"), trained["abs-attention"])
else:
    print("Of these texts nobody knows which words support a headline word: there is nothing to mark the looks against.")

# %% [markdown]
# How far from a supporting word does the largest weight lie?

# %%
def print_distances(model):
    """Print how far the largest weight of a headline word lies from the nearest word that supports it."""
    distances = Counter()
    for weights, pair in zip(lab.teacher_forced_attention(model, data, tests), tests, strict=True):
        for row, places in zip(weights, pair.support, strict=True):
            if places:
                distances[min((int(row.argmax()) - place for place in places), key=abs)] += 1
    for distance in range(-4, 5):
        share = distances[distance] / distances.total()
        name = f"{distance:+d} words from a supporting one" if distance else "at a supporting word"
        print(f"{name:<32}{100 * share:5.1f} %  {'█' * round(60 * share)}")
    farther = sum(number for distance, number in distances.items() if abs(distance) > 4) / distances.total()
    print(f"{'farther away':<32}{100 * farther:5.1f} %  {'█' * round(60 * farther)}")


if KNOWN:
    print_distances(trained["abs-attention"])

# %% [markdown]
# From $-2$ to $+2$ the supporting word is read along with what is looked at. The model was never told to look *at* anything: it learns to look so that the right thing is *read*. A mark that asks only for the word itself does it no justice, and a picture of its weights
# alone can puzzle. (Lesson 5 had the same: what is weighed there are states, that know their neighbourhood.)
#
# The last row is not excused by that: its looks read nothing that the word rests on. The words may come out right all the same, from another look or from the headline so far. A good headline is no proof of a good look.
#
# ## Search, and rewards for the source's words
#
# Greedy search takes the likeliest word at each step; a beam keeps several beginnings (lesson 2). Does that write better headlines?

# %%
feed_forward = trained["abs-attention"]
for beam_size in (1, 2, 5, 10):
    found = lab.write_headlines(feed_forward, data, tests, beam_size)
    put_on_board(f"ABS, beam of {beam_size}", [headline.words for headline in found])

# %% [markdown]
# ### Exercise extractive-features
#
# A model of this kind may be too free: it writes a word that fits the headline and does not occur in the text. **ABS+** corrects this. In the
# search, the score of each next word gets a bonus for what it has in common with the source, four features that are 1 or 0:
#
# $$\text{score} = \log p(y_{i+1} \mid \dots) + \alpha_1\,\text{unigram} + \alpha_2\,\text{bigram} + \alpha_3\,\text{trigram} + \alpha_4\,\text{reordering}$$
#
# | feature | is 1 if in the source |
# |---|---|
# | unigram | the next word occurs |
# | bigram | it occurs directly after the headline's last word |
# | trigram | the last *two* headline words and it occur one after the other |
# | reordering | it occurs anywhere **before** a position of the last word: headlines often change the order |
#
# A word may occur more than once, and any of its positions will do. Words are compared whole and as they are: case, plural and punctuation matter.
# At the beginning there is no last word, and after one word there are no last two: a feature that needs them is 0.
#
# `history` is the headline so far, a list of words, the latest last; it may be empty. `word` is the next one. `source` is the list of the source's
# words; it may be empty, too. Return the four features in this order, 1 or 0 each (True or False will do).
#
# *By hand:* source "two dogs see a cat", so far "cat": the word "dogs" has $(1, 0, 0, 1)$. So far "two": "dogs" has $(1, 1, 0, 0)$.


# %% exercise="extractive-features"
def extractive_features(history, word, source):
    """Return which features a next word has.

    history: words of the headline so far, the latest last, may be empty; word: the next one; source: its words.
    Returns unigram, bigram, trigram, reordering, 1 or 0 each.
    """
    ### BEGIN SOLUTION
    def follows(*words):
        count = len(words)
        return int(any(tuple(source[start : start + count]) == words for start in range(len(source))))

    bigram = follows(history[-1], word) if history else 0
    trigram = follows(*history[-2:], word) if len(history) >= 2 else 0
    places = [place for place, said in enumerate(source) if history and said == history[-1]]
    reordering = int(bool(places) and word in source[: places[-1]])
    return follows(word), bigram, trigram, reordering
    ### END SOLUTION


# %% check="extractive-features" points=2
check("07.extractive-features", extractive_features);

# %% hidden="extractive-features" points=2
### BEGIN HIDDEN TESTS
said = "two dogs see a cat and a cat sees two red dogs"
for so_far, next_one, expected in [
    ("cat", "dogs", (1, 0, 0, 1)),
    ("two", "dogs", (1, 1, 0, 1)),  # the second "two" stands after the first "dogs"
    ("", "two", (1, 0, 0, 0)),
    ("fox", "red", (1, 0, 0, 0)),
    ("two red", "dogs", (1, 1, 1, 1)),
    ("two red", "dog", (0, 0, 0, 0)),
    ("fox sees two", "red", (1, 1, 1, 0)),
    ("", "Two", (0, 0, 0, 0)),
    ("sees two", "dogs", (1, 1, 0, 1)),
]:
    assert tuple(map(int, extractive_features(so_far.split(), next_one, said.split()))) == expected
assert tuple(map(int, extractive_features(["at", "the"], "end", ["so"] * 200 + ["at", "the", "end"]))) == (1, 1, 1, 0)
dice = random.Random(7)
for _ in range(150):
    text, so_far = ([dice.choice("abcd") for _ in range(dice.randint(0, n))] for n in (8, 4))
    word = dice.choice("abcde")
    as_given, expected = (list(text), list(so_far)), [0, 0, 0, 0]
    for j in range(len(text)):
        if text[j] == word:
            expected[0] = 1
            expected[1] |= bool(so_far) and j >= 1 and text[j - 1] == so_far[-1]
            expected[2] |= len(so_far) > 1 and j >= 2 and text[j - 2 : j] == so_far[-2:]
            expected[3] |= bool(so_far) and so_far[-1] in text[j + 1 :]
    assert list(map(int, extractive_features(so_far, word, text))) == list(map(int, expected))
    assert (text, so_far) == as_given
### END HIDDEN TESTS

# %%
features_of = checked("07.extractive-features", extractive_features)
print(f"{'':<12}" + "".join(f"{name:>12}" for name in FEATURES))
for place, word in enumerate(shown.headline):
    found = features_of(list(shown.headline[:place]), word, list(shown.source))
    print(f"{word:<12}" + "".join(f"{int(value):>12}" for value in found))

# %% [markdown]
# How large should a reward be? ROUGE has no gradient, so the weights are *tried*: one at a time, a step up, a step down, on validation texts. (The paper uses a method of its own for that, minimum error rate training.) First each feature alone, then all together:

# %%
few = data.validation[:100]
rewards = (-2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
tried = {}
for name in FEATURES:
    rewarded = [ExtractiveSummarizer(feed_forward, ExtractiveWeights(**{name: reward})) for reward in rewards]
    tried[name] = rewards, [lab.rouge_with(model, data, few, 3).one for model in rewarded]
plain = tried["unigram"][1][rewards.index(0.0)]
gain, reward, best = max((value - plain, reward, name) for name, pairs in tried.items() for reward, value in zip(*pairs, strict=True))
title = f"The best single reward: {reward:+.0f} for the {best}, {gain:+.1f} points of ROUGE-1" if gain > 0 else "No single reward helps here"
show(plot_lines(tried, title=title, xlabel="reward for the feature, nats", ylabel="ROUGE-1 F1, %, validation"))

# %%
tuning = lab.tune_extractive(feed_forward, data, SEED, count=50 if FAST else 100)
print(f"{len(tuning.tried)} trials on validation: ROUGE-1 {tuning.untuned:.1f} without rewards, {tuning.score:.1f} with", tuning.weights)
plus = ExtractiveSummarizer(feed_forward, tuning.weights)
put_on_board("ABS+", [headline.words for headline in lab.write_headlines(plus, data, tests, 5)])
print(f"against a beam of 5 without rewards: {board['ABS+']['rouge-1'] - board['ABS, beam of 5']['rouge-1']:+.1f} points of ROUGE-1")

# %% [markdown]
# Tuned on the validation texts, the rewards cannot make *those* worse. Whether they help on others, the last line says; and over several seeds, on three kinds of text, the claims below. Ask where a reward for copying should help: where the model writes words that the text does not have, and
# should not.
#
# ## And back to recurrence
#
# The feed-forward writer forgets what it wrote six words ago. It also has no idea how far it has got. In 2016 Chopra, Auli and Rush put a **recurrent decoder** in its place and kept the rest, with small changes:
#
# - each word of the text gets a vector for its *position* too, and is compared in its surroundings: a convolution over five words makes the keys;
# - what is averaged are the words themselves. So here a look *at* a word and a look *beside* it are no longer the same;
# - the query is the decoder's state. The paper scores by dot products, from an Elman network (the plainest recurrence there is) or an LSTM.
#
# The course has the Elman network with dot products, and an LSTM with lesson 2's additive score. The second is trained here. The first stands beside it in the claims, after longer trainings.

# %%
train_live("ras-additive")  # up to half a minute

# %% [markdown]
# ### Exercise copy-mixture
#
# The extractive features rewarded copying from outside, after the training. The next step is to let the model *learn* when to copy. It has
# attention weights over the words of the text already. Why not say the word that it attends to? A **gate** $g$, computed from the state, decides
# between writing a word of the vocabulary and copying one:
#
# $$p(y = v) = g \cdot p_{\text{write}}(v) + (1 - g) \sum_{j:\, x_j = v} p_j$$
#
# A word that stands in several places has the weights of all of them together. A word can be written *and* copied, and the two probabilities add
# up. This is neither ABS nor RAS. It is a **pointer-generator**: pointer networks came in 2015, the mixture in 2016 and 2017.
#
# `generated` is `(batch, vocabulary)`, probabilities. `attention_weights` is `(batch, source_length)`, zero on padding; `source`, of the same shape,
# holds the ids of the text's words. Padding has the id 0 and the weight 0; go by the weight, for here a real word may have the id 0, too. `gate` is
# `(batch,)`, the probability of **writing**, from 0 to 1. Return the mixture, `(batch, vocabulary)`.
#
# *By hand:* a vocabulary of three, $p_{\text{write}} = (0.5, 0.5, 0)$; the text's words are $2, 1, 2$ with the weights $0.4, 0.2, 0.4$; $g = 0.5$. Copying gives
# $(0, 0.2, 0.8)$, so the mixture is $(0.25, 0.35, 0.4)$.


# %% exercise="copy-mixture"
def copy_mixture(generated, attention_weights, source, gate):
    """Mix the probabilities of writing a word and of copying it.

    generated: (batch, vocabulary), each row sums to one.
    attention_weights: (batch, source_length), each row sums to one, zero on padding; source: the same shape, ids.
    gate: (batch,), the probability of writing rather than copying.
    Returns (batch, vocabulary), each row sums to one.
    """
    ### BEGIN SOLUTION
    copied = torch.zeros_like(generated).scatter_add(1, source, attention_weights)
    gate = gate.unsqueeze(1)  # (batch, 1)
    return gate * generated + (1 - gate) * copied
    ### END SOLUTION


# %% check="copy-mixture" points=2
check("07.copy-mixture", copy_mixture);

# %% hidden="copy-mixture" points=2
### BEGIN HIDDEN TESTS
written, looks_at = torch.tensor([[0.5, 0.5, 0.0]]), torch.tensor([[0.4, 0.2, 0.4]])
both = copy_mixture(written, looks_at, torch.tensor([[2, 1, 2]]), torch.tensor([0.5]))
assert torch.allclose(both, torch.tensor([[0.25, 0.35, 0.4]]))
both = copy_mixture(written, torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([[2, 2, 0]]), torch.tensor([0.2]))
assert torch.allclose(both, torch.tensor([[0.1, 0.1, 0.8]]))
both = copy_mixture(written.repeat(2, 1), looks_at.repeat(2, 1), torch.tensor([[2, 1, 2], [0, 0, 1]]), torch.tensor([0.0, 1.0]))
assert torch.allclose(both, torch.tensor([[0.0, 0.2, 0.8], [0.5, 0.5, 0.0]]))
torch.manual_seed(7)
written, looks_at, write_probability = torch.rand(4, 5), torch.rand(4, 6), torch.rand(4)
written, looks_at = written / written.sum(1, keepdim=True), looks_at / looks_at.sum(1, keepdim=True)
ids = torch.tensor([[1, 1, 1, 1, 1, 1], [4, 3, 2, 1, 0, 4], [0, 0, 2, 2, 3, 3], [2, 4, 2, 4, 2, 1]])
as_given = [tensor.clone() for tensor in (written, looks_at, ids, write_probability)]
both = copy_mixture(written, looks_at, ids, write_probability)
for b in range(4):
    g = write_probability[b].item()
    for v in range(5):
        from_text = sum(looks_at[b, j].item() for j in range(6) if ids[b, j].item() == v)
        assert abs(both[b, v].item() - (g * written[b, v].item() + (1 - g) * from_text)) < 1e-5
assert torch.allclose(both.sum(1), torch.ones(4))
assert all(torch.equal(now, then) for now, then in zip((written, looks_at, ids, write_probability), as_given, strict=True))
leaves = [tensor.clone().requires_grad_() for tensor in (written, looks_at, write_probability)]
copy_mixture(leaves[0] * 1, leaves[1] * 1, ids, leaves[2] * 1)[:, 1].sum().backward()
assert all(leaf.grad.abs().sum() > 0 for leaf in leaves)
### END HIDDEN TESTS

# %%
train_live("ras-copy", small.get("ras-copy", replace(small["ras-additive"], system="ras-copy")))  # up to half a minute
print(f"perplexity of the same training without copying: {surprise['ras-additive']:.2f}")

# %% [markdown]
# The same steps on the same reports, and one gate more. To copy a word the model has to look *at* it; so looking is taught directly, and not only through what is read. See what that does to the looks, after the short training and after a longer one:

# %%
for name in ("ras-additive", "ras-copy"):
    load_longer(name)
if KNOWN:
    for name in ("abs-attention", "ras-additive", "ras-copy"):
        attention_scores[name] = score_attention(name, models[name])
        if name in cards:
            attention_scores[label(name)] = score_attention(label(name), trained[name])

# %% tags=["gallery"]
copier = trained["ras-copy"]
(weights,) = lab.teacher_forced_attention(copier, data, [shown])
title = "Where a writer that may copy looks"
if KNOWN:
    own = lab.score_support([weights], [shown])
    title += f": {100 * own.mass:.0f} % at supporting words (an even look {100 * own.mass_chance:.0f} %)"
show(draw_attention(weights, shown, title))

# %% [markdown]
# And where does each word come from? The gate says how much is copied.

# %%
def write_or_copy(model, pair, data):
    """Print for each true headline word how much of its probability is written and how much copied."""
    batch = make_pair_batch(data.encode([pair])).to(next(model.parameters()).device)
    with torch.no_grad():
        memory, state = model.start(batch.source, batch.source_mask)
        reading = model.read(batch.target_input, state, memory)
        generated, gate = torch.softmax(model.output(reading.features), dim=-1)[0], torch.sigmoid(reading.gate)[0, :, 0]
    mix = checked("07.copy-mixture", copy_mixture)
    p = mix(generated, reading.attention_weights[0], batch.source.expand(len(gate), -1), gate)
    for place, word in enumerate([*pair.headline, "(end)"]):
        true = batch.target_output[0, place]
        ours = float(gate[place] * generated[place, true])
        print(f"{word:<14} p = {p[place, true]:.2f}: written {ours:.2f}, copied {p[place, true] - ours:.2f}   (gate {gate[place]:.2f})")


write_or_copy(copier, shown, data)

# %% [markdown]
# ## One text, every writer

# %%
everyone = models | {label(name): model for name, model in trained.items()} | {"ABS+": plus}


def by_everyone(pair):
    """Print what every baseline and every model makes of one text; of reports also what is wrong with it."""
    print(textwrap.fill(join_words(pair.source), 110), "\n")
    lines = {"the headline": pair.headline} | {name: write(pair) for name, write in baselines.items()}
    lines |= {name: lab.write_headlines(model, data, [pair], 5)[0].words for name, model in everyone.items()}
    for name, words in lines.items():
        problems = judge_headline(pair, words).problems if KNOWN else ()
        verdict = "not made like a headline" if problems and "not understood" in problems[0] else next(iter(problems), "true")
        print(f"{name:<22} {textwrap.shorten(join_words(words), 52, placeholder=' …'):<52} {verdict if KNOWN else ''}")


by_everyone(shown)

# %% [markdown]
# ### Right words, wrong news
#
# ROUGE counts words, and a headline can have nearly all of them and be false. Of made reports we know better. Which headlines with a high mark state something that is not so?

# %%
headlines = [headline.words for headline in lab.write_headlines(copier, data, tests, 5)]
if KNOWN:
    marked = rouge_each([data.detokenize(words) for words in headlines], [pair.reference for pair in tests])
    judged = [judge_headline(pair, words) for pair, words in zip(tests, headlines, strict=True)]
    good = [item for item in zip(marked, judged, headlines, tests, strict=True) if item[0].one >= 80]
    false = [item for item in good if not item[1].true]
    print(f"{len(good)} of {len(tests)} headlines have a ROUGE-1 of 80 or more; {len(false)} of these are not true, for instance:")
    for score, judgement, words, pair in false[:4]:
        print(f"· {' '.join(words)}   (ROUGE-1 {score.one:.0f})\n    right: {pair.reference}\n    {judgement.problems[0]}")
    kinds = Counter(pair.story.news for pair in tests)
    right = Counter(pair.story.news for pair, judgement in zip(tests, judged, strict=True) if judgement.complete)
    print("true and complete: " + ", ".join(f"{kind} {right[kind]} of {number}" for kind, number in sorted(kinds.items())))

# %% [markdown]
# And reports that are longer than any in training: who suffers least?

# %%
if "longer reports" in data.test:
    longer_reports = data.test["longer reports"]
    for name, model in (models | {label(name): model for name, model in trained.items()}).items():
        usual, hard = (math.exp(lab.word_loss(model, data, pairs)) for pairs in (tests, longer_reports))
        print(f"{name:<24} perplexity {usual:6.2f}, of longer reports {hard:6.2f}: {100 * (hard / usual - 1):+.0f} %")

# %% [markdown]
# ## Docstrings: a real set, and no download
#
# Whatever machine this runs on, a library of short texts with summaries is there already: the course's own dependencies. Python's style guide (PEP 257) asks every docstring for a **summary line**, a blank line, and a description. So: description → summary line.
#
# They are read from the installed files as syntax trees; nothing is imported or run, nothing of it is part of this course. The first time this takes about half a minute; then it is kept on your disk, under a name that holds the versions of all libraries.

# %%
docs = None
try:
    harvest = load_docstrings()
    print(harvest.table)
    by_library = Counter(pair.library for pair in harvest.pairs).most_common()
    print(textwrap.fill("left, by library: " + ", ".join(f"{library} {number}" for library, number in by_library), 110))
    docs = data_of("docstrings")
except NoDocstringsError as error:
    print("going on without docstrings:", error)

# %% [markdown]
# Most of the work is what is thrown away, and each rule has its reason.
#
# - Parameters, examples and formulas are no prose: a model of words cannot sum them up. Where nothing else follows, there is no source.
# - If the description *contains* the summary line, a model would learn to find it, not to write one.
# - Libraries repeat themselves: a function and its twin that ignores missing values, a class and its factory, fifty distributions with one text. If twins stood on two sides of a split, the test would ask for what was learned by heart. So near-duplicates are put
#   into groups first, and a **group** is never on two sides.
#
# What is left is no ideal. A summary line may say what the description takes for granted; then nobody could write it from the description alone. And of these texts no truth is known but the line itself.

# %%
if docs:
    try:
        scribe, card = load_trained("07-docstrings-ras-copy")
        docs, rewards = with_words_of(card, docs), ExtractiveWeights(**card["extractive"])
        print(f"{card['seconds'] / 60:.0f} minutes on {card['threads']} thread(s), by {card['command']}")
    except CheckpointError as error:
        print("going on without the checkpoint, with a training that is far too short to judge (half a minute):", error)
        brief = RECIPES["docstrings"]["ras-copy"].shortened(0.04 * STEP_SHARE)
        scribe, _ = lab.fit(brief, docs, SEED, time_limit_seconds=60)
        rewards = ExtractiveWeights()
    if FAST:
        docs = replace(docs, validation=docs.validation[:40], test={"test": docs.test["test"][:40]})
    scribe_plus, lines = ExtractiveSummarizer(scribe, rewards), docs.test["test"]
    print(f"{len(docs.train):,} pairs for training, {len(lines)} for the test; {len(docs.vocabulary):,} words, the rest are unknown")

# %%
if docs:
    doc_board, doc_baselines = {}, lab.baselines_of(docs)  # ten seconds: leads of every length are tried
    for name, write in doc_baselines.items():
        put_on_board(name, [write(pair) for pair in lines], docs, lines, doc_board)
    writers = {"RAS with copying, greedy": (scribe, 1), "… and a beam of 5": (scribe, 5), "… and rewards": (scribe_plus, 5)}
    for name, (model, beam_size) in writers.items():
        written = [headline.words for headline in lab.write_headlines(model, docs, lines, beam_size)]
        put_on_board(name, written, docs, lines, doc_board)
    put_on_board("the lines themselves", [pair.headline for pair in lines], docs, lines, doc_board)
    for name in ("lead, tuned", "… and rewards", "the lines themselves"):
        new, invented = (doc_board[name].get(key, 0.0) for key in ("new", "invented"))
        print(f"{name:<26}new words {new:4.1f} %; words neither of the text nor of the line {invented:4.1f} %")

# %% [markdown]
# Compare the lines of the authors with those of the model: how much is copied, how much is new? And compare the oracle here with that of the reports: even who knows the line seldom finds a sentence that is much like it. An author who has written a summary line does not say it again in the
# description.
#
# A few of them, as the machine sees them. (Quoted from the libraries that are named.)

# %%
if docs:
    origin = {tuple(word for sentence in pair.sentences for word in sentence): pair.where for pair in harvest.pairs}
    for pair in [pair for pair in lines if 20 <= len(pair.source) <= 32][:4]:
        print(textwrap.fill(f"{origin[pair.source]}: “{join_words(pair.source)}”", 110))
        print(f"    line    {pair.reference}")
        for name, write in {"lead": doc_baselines["lead, tuned"], "oracle": doc_baselines["oracle sentence"]}.items():
            print(f"    {name:<8}{join_words(write(pair))}")
        print(f"    model   {join_words(lab.write_headlines(scribe_plus, docs, [pair], 5)[0].words)}\n")

# %% [markdown]
# ### Names that do not exist
#
# A documentation line that names the wrong function is worse than none. Words such as `max_iter` are rare, so many of them are *unknown*: the model cannot write them, only copy. When it does write a name, is it one of the description?


# %%
def is_name_of_code(word):
    """Say whether a word is written as only code is: with a dot or an underscore inside."""
    inside = word.strip("._")
    return any(mark in inside for mark in "._") and not inside[0].isdigit() and inside not in ("e.g", "i.e")


if docs:
    both = list(zip(written, lines, strict=True))
    names = [(word, words, pair) for words, pair in both for word in words if is_name_of_code(word)]
    unfounded = [(word, words, pair) for word, words, pair in names if word not in pair.source]
    right = sum(word in pair.headline for word, _, pair in unfounded)
    print(f"{len(names)} names of code in {len(lines)} lines, {len(names) - len(unfounded)} of them from the description;")
    print(f"of the other {len(unfounded)} the author's line has {right}, and {len(unfounded) - right} are invented")
    for word, words, pair in [item for item in unfounded if item[0] not in item[2].headline][:3]:
        print(f"· {word}: {join_words(words)}\n    right: {pair.reference}   ({origin[pair.source]})")

# %% [markdown]
# The whole ladder on docstrings, as it was measured. (One row for each system; means over the seeds.)


# %%
def print_stored(source):
    """Print the stored figures of all systems on a source, means over the seeds."""
    results = load_results("07", source)
    if results is None:
        print(f"No run on {source} is stored yet.")
        return
    seeds = [measurement["metrics"] for measurement in results["measurements"]]
    means = {key: sum(one[key] for one in seeds) / len(seeds) for key in seeds[0]}
    names = dict.fromkeys(key.partition("/")[0] for key in means if key.endswith("/rouge-1"))
    columns = ("perplexity", "rouge-1", "rouge-2", "rouge-L", "copied", "invented", "true", "support")
    print(f"{len(seeds)} seed(s): {results['command']}\n{'':<18}" + "".join(f"{column:>11}" for column in columns))
    for name in names:
        cells = (format(means[f"{name}/{column}"], ".1f") if f"{name}/{column}" in means else "–" for column in columns)
        print(f"{name:<18}" + "".join(f"{cell:>11}" for cell in cells))
    marks = ("rouge-1", "rouge-L")
    leads = {mark: max(means[f"{name}/{mark}"] for name in names if name.startswith("lead")) for mark in marks}
    models = [name for name in names if "sentence" not in name and all(means[f"{name}/{mark}"] > leads[mark] for mark in marks)]
    print("above every lead in ROUGE-1 and ROUGE-L:", ", ".join(models) or "nobody")
    rungs = sorted(ABLATION, key=lambda name: -means[f"{name}/perplexity"])
    print("perplexity falls:", " > ".join(f"{name} {means[f'{name}/perplexity']:.3g}" for name in rungs))


print_stored("docstrings")

# %% [markdown]
# Compare the last line with the paper's ladder: none, bag, convolution, attention. Where a rung is missing, think of what it had to be learned from: there are as many made reports as one likes, and the paper had millions of headlines; here there are the pairs that were counted above. A rung that is not found
# in a small sample is not refuted by it. (The claims at the end say of each step, on each kind of text, whether it was found.)
#
# The line before names those who are worth asking at all. Whoever stands below the lead writes lines that the reader could have had for nothing.
#
# ## Real data
#
# `SOURCE = "real"` puts texts that people summed up in the place of the reports. A folder that `WHERE_TO_LOOK_DATA` names is looked into first: for Debian's package descriptions with their synopses, for CNN/DailyMail or for XSum. Without one they come from the hub. All
# have the same two columns, text and summary, and are read by the same loader. Nobody marked in them what rests on what.

# %%
if not KNOWN:
    print(data.name, "·", data.credit)
print_stored("real")

# %% [markdown]
# Read the lead's row first. How strong it is differs from set to set. A model that beats it here may lose there; a claim about summaries that does not name the lead of its own data says little.
#
# ## Your own docstring
#
# Paste one, whole or only its description. It is cleaned by the rules above. If it has a summary line, the model does not see it.


# %%
def sum_up(text):
    """Make a summary line of a docstring, or of a description alone, and show where the model looked."""
    pair = clean_docstring(inspect.cleandoc(text))
    try:
        if isinstance(pair, str):
            print(f"not a pair of line and description ({pair}: {RULES[pair]}), so all of it is read:")
            source, line = lab.summary_of(text, docs).source, ()
        else:
            source, line = pair.description, pair.summary
        (found,) = lab.write_headlines(scribe_plus, docs, [lab.Summary(source=source, headline=line)], 5)
    except ValueError as error:
        return print("not understood:", error)
    print("the lead: ", join_words(source[: len(found.words)]))
    print("your line:", join_words(line) or "(none)")
    print("unknown to the model:", ", ".join(docs.vocabulary.unknown_words(source)) or "no word")
    if found.words:
        title, looks = f"The model: {join_words(found.words)}", found.attention_weights[: len(found.words)]
        try:
            display(explore_alignment(looks, source, found.words, title=title, source_name="description", target_name="line"))
        except ValueError as error:
            print("too long to show:", error)


example = """Read the stations of a weather service from a table.

The table has a row for each station, with its name, longitude and latitude. Rows without a name are skipped.
If skip_header is true, the first row is not read. The result is a list of stations, sorted by name.
"""
if docs:
    sum_up(example)

# %% [markdown]
# Where the notebook is live, here is a box. (In a printed page it does nothing.)

# %%
box = ipywidgets.Textarea(value=example, layout={"width": "95%", "height": "9em"})
button, output = ipywidgets.Button(description="Sum up"), ipywidgets.Output()


def sum_up_again(_):
    """Read the box and sum it up, into the area under the button."""
    output.clear_output(wait=True)
    with output:
        sum_up(box.value) if docs else print("there are no docstrings here, and so no model of them")


button.on_click(sum_up_again)
ipywidgets.VBox([box, button, output])

# %% [markdown]
# ## The claims, tested
#
# The papers' claims with their figures, and ours: the mean over the seeds, and the 95 % interval of the paired difference. A claim *holds* if the whole interval lies on its side and the p-value, corrected for the number of claims (Holm), is below 0.05. It is *contradicted* if the same is true of the other side, *void* if both systems are at a floor or ceiling, else *inconclusive*. On each kind of text the four of the ladder saw the same pairs equally often, and the best
# validation decided which weights were kept; so it was with the recurrent ones, which saw fewer reports. A model is compared with the *best* lead, whose length was tuned on validation texts.

# %%
stored = [load_results("07", source) for source in ("default", "docstrings", "real")]
entries = [entry for results in stored if results for entry in results["claims"]]
print_stored("default")
display(Markdown(claims_table(entries) if entries else "No results are stored yet."))

# %% [markdown]
# ## Limits, and what came next
#
# - A headline of ten words from eighty is not a page from a book. With long texts, models say things twice; *coverage* (2017) makes them remember where they have looked. It is the cousin of lesson 4's doubly stochastic penalty.
# - ROUGE counts words. For made reports we could ask whether a headline is true. For the news this is still being worked on, and it is the question that matters.
# - ABS looks from the last five words only. Let the query be made by attention too, over *all* words so far, and let the words of the text look at each other before anybody looks at them; take several looks at once. That is the **Transformer** (2017): attention without
#   recurrence, all the way. It is where this course ends, and where an optional eighth lesson would begin.
# - And back: recurrence was not the mistake. It gives an order for nothing and writes with a state of fixed size. What it does not give is work that can be done for all words at once, as [[next-word]] can.
#
# <details><summary><b>Question:</b> the feed-forward decoder has no state. How does it know when a headline is complete?</summary>
#
# From its last C words, and from what it looks at: after "from two to three" headlines end. It does not know what it said before these. So it is good where the end shows in the last words, and can go in circles where it does not.
# </details>
#
# <details><summary><b>Question:</b> why does ABS average the neighbourhood, when RAS compares it?</summary>
#
# Somewhere the surroundings have to come in, or "two" of "two turtles" and "two" of "two houses" are one and the same. ABS lets them into the value: look at a word, read around it. RAS lets them into the key: look where the surroundings fit, read the word. The second can
# copy.
# </details>
#
# <details><summary><b>Question:</b> the rewards are tuned for ROUGE, on ROUGE. Is that cheating?</summary>
#
# Not on texts that the tuning did not see. But it teaches to the test: what ROUGE does not see, such as whether the news is true, may get worse unnoticed. The lesson's tables have columns for both.
# </details>

# %% tags=["closing-table"]
print(f"lesson 7, {'FAST: too few steps to judge' if FAST else 'full size'}, {data.name} texts, seed {SEED}")
print(f"{'':<28}{'perplexity':>11}{'ROUGE-1':>9}{'ROUGE-2':>9}{'copied':>9}{'true':>8}")
for name, row in board.items():
    cells = [surprise.get(name), row["rouge-1"], row["rouge-2"], row.get("copied"), row.get("true")]
    texts = ["–" if value is None else f"{value:.1f}" for value in cells]
    print(f"{name:<28}{texts[0]:>11}{texts[1]:>9}{texts[2]:>9}{texts[3]:>9}{texts[4]:>8}")
for name, marks in attention_scores.items():
    at, even, near, even_near = (100 * share for share in (marks.mass, marks.mass_chance, marks.near, marks.near_chance))
    print(f"{name}: {at:.0f} % of the attention at supporting words ({even:.0f} % if even), {near:.0f} % near ({even_near:.0f} %)")
for entry in entries:
    verdict = entry["verdict"]
    print(f"{entry['id']:<34}{entry['source']:>11}  {verdict:<14} difference {entry['difference']['mean']:+.2f}")

# %% [markdown]
# ## Further reading
#
# - Rush, Chopra and Weston, [*A Neural Attention Model for Abstractive Sentence Summarization*](https://arxiv.org/abs/1509.00685), 2015: section 3 has the encoders, section 5 the extractive features.
# - Chopra, Auli and Rush, [*Abstractive Sentence Summarization with Attentive Recurrent Neural Networks*](https://aclanthology.org/N16-1012/), 2016: the recurrent decoder.
# - See, Liu and Manning, [*Get To The Point: Summarization with Pointer-Generator Networks*](https://arxiv.org/abs/1704.04368), 2017: copying, and coverage. Vinyals, Fortunato and Jaitly, [*Pointer Networks*](https://arxiv.org/abs/1506.03134), 2015: the idea.
# - Lin, [*ROUGE: A Package for Automatic Evaluation of Summaries*](https://aclanthology.org/W04-1013/), 2004.
# - Vaswani and others, [*Attention Is All You Need*](https://arxiv.org/abs/1706.03762), 2017: what came next.
