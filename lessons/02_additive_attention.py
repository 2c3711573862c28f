# %% [markdown]
# # 2 · Additive attention: let the decoder look back
#
# Lesson 1 ended with a vector that was full. However we trained it, a sentence of forty words did not fit into it, because
# it has the same size for four words and for forty.
#
# Bahdanau, Cho and Bengio proposed in 2014 not to make the vector larger, but to stop needing it:
# **keep one vector per source word, and let the decoder choose, before each word it writes, which of them to read.** Nobody tells it
# where to look. It has to find that out from nothing but pairs of sentences.
#
# **The question of this lesson:** does it look where a person would, and does that make long sentences as easy as short ones?
#
# On a laptop with two cores this notebook takes at most four minutes from top to bottom.

# %% [markdown]
# ## Predict first
#
# Write your guesses down. You will meet the answers below, in this order.
#
# 1. In lesson 1, the fixed vector's BLEU fell from short to long phrases. What will the curve do with attention: fall later, fall more slowly, or not fall at all?
# 2. French says *les voitures rouges*, English *the red cars*. What does the picture of the weights look like at the adjective?
# 3. The model is never told which word belongs to which. For how many words in ten will it look at the right one?
# 4. What happens to phrases longer than any that it was trained on?

# %% [markdown]
# ## Settings
#
# The only cell that configures anything. `SOURCE = "real"` trains on real sentences instead of made phrases (minutes more; see the section on
# real data). `SOURCE` may also be the path of a file or folder with sentence pairs of your own: docs/own_data.md says what they look like.

# %% tags=["settings"]
import time

import ipywidgets
import torch
from IPython.display import Markdown, display

from course_utils.checkpoints import CheckpointError
from course_utils.data.phrases.parallel import load_parallel, test_phrases
from course_utils.data.batching import make_pair_batch
from course_utils.exercises import check, checked
from experiments.claims import claims_table, load_results
from experiments.lesson_01_bottleneck import FIXED, REAL_FIXED
from experiments.lesson_02_additive_attention import ATTENTION, REAL_ATTENTION, load_trained
from experiments.translation import (
    fit, reference_attention, score, score_alignment, score_by_length, translate,
)  # fmt: skip
from course_utils.mechanisms.attention import AdditiveAttention
from course_utils.metrics import alignment_error_rate, diagonal_alignment, hard_alignment
from course_utils.teaching.explorer import explore_alignment
from course_utils.teaching.plots import house_style, plot_alignment, plot_by_length, plot_lines, show
from course_utils.training import is_fast_run

SOURCE = "default"  # "default": phrases made here, with gold alignments; "real": French-English sentences; or the path of your own
SEED = 0
FAST = is_fast_run()  # few training steps, for automatic tests; the closing table says so
TIME_LIMIT_SECONDS = 120 if SOURCE == "default" else 1200  # a safety net for each of the two trainings
if SOURCE == "default":
    torch.set_num_threads(1)  # the matrices are so small that a second thread waits more than it works
house_style()

# %% [markdown]
# ## The data, and their truth
#
# The phrases are those of lesson 1: numbers, dates, clock times, amounts, countries, noun phrases, chained to any length. They
# are made on your machine (about ten seconds), by rules, so we know for every English word which French words it comes from.

# %%
data = load_parallel(SOURCE)
print(f"{len(data.train):,} training pairs, {len(data.examples)} test pairs in {len(data.test)} buckets of length")
print(f"{len(data.source_vocabulary)} French and {len(data.target_vocabulary)} English vocabulary entries")
for example in data.examples[:3]:
    print("   ", " ".join(example.source), " → ", " ".join(example.target))

# %% [markdown]
# The orange frames below are the **gold alignment** of one test phrase: where each English word (a row) comes from. Words that are produced together, as
# *ninety* from *quatre-vingt-dix*, have several frames, and looking into any of them is right. Everything else is wrong.

# %%
flips = ("rouges", "vertes", "bleus", "bleues", "noires", "blancs", "blanches")
shown = next((e for e in data.test.get((9, 16), []) if set(flips) & set(e.source)), data.examples[0])
nothing = torch.zeros(len(shown.target), len(shown.source))
show(plot_alignment(nothing, shown.source, shown.target, shown.possible, title="The truth: where each word comes from"))

# %% [markdown]
# Most frames lie near the diagonal, because French and English share most of their word order. That is a warning: a model that
# just walks along the diagonal would look good in a picture. So the diagonal is our first baseline, and everything below is
# compared with it.
#
# The measure is the **alignment error rate** (AER). A *sure* link (one word from one word) should be found; a *possible* link (several words
# jointly) may be. With the links $A$ that a model proposes, the sure ones $S$ and the possible ones $P \supseteq S$,
#
# $$\text{AER} = 1 - \frac{|A \cap S| + |A \cap P|}{|A| + |S|},$$
#
# so zero is perfect and one is all wrong (Och and Ney, 2003).

# %% [markdown]
# ### Exercise alignment-error-rate
#
# Each row of attention weights gives a link, from its target word to the source word with the largest weight. Once the links are found: how good
# are they? The *alignment error rate* of Och and Ney compares the proposed links $A$ with two gold sets: the sure links $S$ that must be
# there, and the possible links $P$ that may be there:
#
# $$\mathrm{AER} = 1 - \frac{|A \cap S| + |A \cap P|}{|A| + |S|}$$
#
# All three arguments are sets of `(target, source)` pairs of one sentence; a word may have several links. Every sure link is possible too, even
# where `possible` does not list it. Each set may be empty, but `proposed` and `sure` are never both empty. Return one number from 0 (perfect)
# to 1, not rounded.
#
# *By hand:* propose (0, 0), (1, 1) and (2, 3). Sure are (0, 0) and (1, 2); (1, 1) is possible. One proposed link is sure, two are possible, so
# the rate is $1 - (1 + 2)/(3 + 2) = 0.4$.


# %% exercise="alignment-error-rate"
def alignment_error_rate_of_one(proposed, sure, possible):
    """Compare one sentence's proposed links with the gold ones, as Och and Ney (2003) do.

    proposed, sure, possible: sets of (target index, source index); sure links count as possible.
    Returns the alignment error rate, 0 (perfect) to 1.
    """
    ### BEGIN SOLUTION
    possible = possible | sure
    agreement = len(proposed & sure) + len(proposed & possible)
    return 1 - agreement / (len(proposed) + len(sure))
    ### END SOLUTION


# %% check="alignment-error-rate" points=2
check("02.alignment-error-rate", alignment_error_rate_of_one);

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
    assert abs(alignment_error_rate_of_one(*links) - rate) < 1e-5
assert len(found) == 5 and len(certain) == 3 and len(allowed) == 4
### END HIDDEN TESTS

# %% [markdown]
# How good is the guess that needs no model at all? Each English word looks at the French word at the same relative place.

# %%
if data.name == "default":
    aer = checked("02.alignment-error-rate", alignment_error_rate_of_one)
    links = [diagonal_alignment(len(e.target), len(e.source)) for e in data.examples]
    one = data.examples[0]
    print(f"first phrase: AER of the diagonal {float(aer(links[0], one.sure, one.possible)):.2f}")
    everything = alignment_error_rate((link, e.sure, e.possible) for link, e in zip(links, data.examples, strict=True))
    print(f"all {len(links)} test phrases: AER of the diagonal {everything:.2f}")
else:
    print("These pairs have no gold alignment: the alignment error rate is left out, here and below.")

# %% [markdown]
# Whoever gets credit for "learning to align" has to do clearly better than that.

# %% [markdown]
# ## The baseline: one fixed vector
#
# Lesson 1's model, on the same phrases. It trains for less than a minute, to have its curve in the same figure as the new one.

# %%
fixed_recipe, attention_recipe = (FIXED, ATTENTION) if SOURCE == "default" else (REAL_FIXED, REAL_ATTENTION)
share = 0.02 if FAST else 1.0
fixed_model, history = fit(fixed_recipe.shortened(share), data, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
print(history.summary())
fixed_scores = score_by_length(fixed_model, data)
for (low, high), result in fixed_scores.items():
    print(f"{low:>3}–{high} words: BLEU {result.bleu:5.1f}, exact {result.exact:.2f}")

# %% [markdown]
# ## The mechanism
#
# The decoder is about to write word $i$. Its state so far is $s_{i-1}$, the **query**. For every source word $j$ there is a vector
# $h_j$, made by a GRU that read the sentence forwards and one that read it backwards, so that it knows both neighbours. Attention is three steps:
#
# $$e_{ij} = v^\top \tanh(W s_{i-1} + U h_j) \qquad a_{ij} = \frac{\exp e_{ij}}{\sum_k \exp e_{ik}} \qquad c_i = \sum_j a_{ij}\, h_j$$
#
# **Score** each source word by a small network with one hidden layer. Turn the scores into **weights** that sum to one. **Average**. It is called *additive*
# because query and key meet in a sum, inside the tanh. You now write the three steps, one function each.

# %% [markdown]
# ### Exercise additive-score
#
# The decoder state $s$ is the query. Each encoder output $h_j$ gets a score $e_j$: how well does it fit the query? A small network with one
# hidden layer computes it, $e_j = v \cdot \tanh(W s + U h_j)$.
#
# Write it for a whole batch. `query` holds one state per sentence, `(batch, query_size)`; `encoder_outputs` is
# `(batch, source_length, value_size)`. `W` is `(attention_size, query_size)`, `U` is `(attention_size, value_size)` and `v` has
# `attention_size` entries. Return the plain scores, `(batch, source_length)`: no softmax yet, no scaling, and no loop is needed. Each
# sentence's query meets the positions of its own sentence only.
#
# *By hand:* with all sizes one, $W = U = 1$ and $v = 2$, the query $0.5$ and the encoder outputs $0$ and $-0.5$ score
# $2\tanh(0.5) \approx 0.92$ and $2\tanh(0) = 0$.


# %% exercise="additive-score"
def additive_score(query, encoder_outputs, W, U, v):
    """Score each source position: e_j = v · tanh(W s + U h_j).

    query: (batch, query_size); encoder_outputs: (batch, source_length, value_size).
    W: (attention_size, query_size); U: (attention_size, value_size); v: (attention_size,).
    Returns (batch, source_length).
    """
    ### BEGIN SOLUTION
    from_query = (query @ W.T).unsqueeze(1)  # (batch, 1, attention_size)
    from_source = encoder_outputs @ U.T  # (batch, source_length, attention_size)
    return torch.tanh(from_query + from_source) @ v
    ### END SOLUTION


# %% check="additive-score" points=2
check("02.additive-score", additive_score);

# %% hidden="additive-score" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(2)
query, outputs = torch.randn(4, 4, requires_grad=True), torch.randn(4, 4, 4, requires_grad=True)
W, U, v = torch.randn(4, 4), torch.randn(4, 4), torch.randn(4)
scores = additive_score(query, outputs, W, U, v)
for b, j in [(0, 0), (1, 3), (3, 1), (2, 0)]:
    by_hand = sum(v[a] * torch.tanh(W[a] @ query[b] + U[a] @ outputs[b, j]) for a in range(4))
    assert torch.allclose(scores[b, j], by_hand, atol=1e-4)
assert additive_score(torch.ones(2, 3), torch.ones(2, 5, 1), torch.ones(7, 3), torch.ones(7, 1), torch.ones(7)).shape == (2, 5)
large = additive_score(torch.zeros(1, 3), torch.ones(1, 90, 1), torch.ones(7, 3), torch.ones(7, 1), torch.full((7,), 1e4))
assert torch.allclose(large, torch.full((1, 90), 7e4).mul(torch.tensor(1.0).tanh()))
scores[1, 2].backward()
assert query.grad[1].abs().sum() > 0 and query.grad[0].abs().sum() == 0
assert outputs.grad[1, 2].abs().sum() > 0 and outputs.grad[1, 3].abs().sum() == 0
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise masked-softmax
#
# The weights are the softmax of the scores over the real source positions, $a_j = \exp(e_j) / \sum_{k\ \mathrm{real}} \exp(e_k)$.
# A padded position gets **exactly zero**, whatever its score is.
#
# `scores` and `source_mask` are `(batch, source_length)`, and True marks a real token. Each row has at least one. Scores can be very
# large or very small, but are finite, and True may stand anywhere in a row; let `torch.softmax` take the exponentials. Return the weights, in the same shape.
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
# The context of one decoder step is the average of the encoder outputs, each weighted by its attention weight: $c = \sum_j a_j h_j$.
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
# ## Put together
#
# Three functions make one look. Here they work on random numbers: two sentences, the second with two words of padding. (If one of your functions is
# not there yet, the course's takes its place.)

# %%
score_words = checked("02.additive-score", additive_score)
to_weights = checked("02.masked-softmax", masked_softmax)
average = checked("02.context", average_values)

generator = torch.Generator().manual_seed(SEED)
encoder_outputs = torch.randn(2, 5, 6, generator=generator)  # (batch, source_length, value_size)
query = torch.randn(2, 4, generator=generator)  # (batch, query_size)
source_mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
W, U, v = (torch.randn(*shape, generator=generator) for shape in ((3, 4), (3, 6), (3,)))

attention_weights = to_weights(score_words(query, encoder_outputs, W, U, v), source_mask)
context = average(attention_weights, encoder_outputs)
assert context.shape == (2, 6)
print(attention_weights)

# %% [markdown]
# The second row ends in two exact zeros. Not small numbers: zeros. Whatever stands in the padding cannot leak into the context.
#
# The package's `AdditiveAttention` does the same, with one change: $U h_j$ does not depend on $i$, so `prepare` computes it **once per
# sentence**, and each step reuses it. With your matrices in it, both must agree to the last digits.

# %% tags=["exact"]
attention = AdditiveAttention(query_size=4, value_size=6, attention_size=3)
with torch.no_grad():
    attention.query_projection.weight.copy_(W)
    attention.query_projection.bias.zero_()
    attention.key_projection.weight.copy_(U)
    attention.score.weight.copy_(v[None, :])
    memory = attention.prepare(encoder_outputs, source_mask)  # once per source sentence
    package_context, package_weights = attention(query, memory)  # once per target word
print("same weights:", torch.allclose(package_weights, attention_weights, atol=1e-6))
print("same context:", torch.allclose(package_context, context, atol=1e-6))

# %% [markdown]
# The decoder is lesson 1's GRU with one change: where it read the fixed summary $c$ at every step, it now reads $c_i$, new at each. Its first state
# comes from the backward GRU, $s_0 = \tanh(W_s \overleftarrow{h}_1)$, which has just finished reading at the first word. In code, the two systems differ in one argument:
# `GRUDecoder(..., attention=None)` against `GRUDecoder(..., attention=AdditiveAttention(...))`.
#
# <details><summary><b>Question:</b> the query is $s_{i-1}$ and not $s_i$. What does the model therefore not know yet when it decides where to look?</summary>
#
# The word it has just written. $s_{i-1}$ was computed before $y_{i-1}$ was fed back, so attention must guess where the translation stands. Later
# systems (Luong et al., 2015) look with $s_i$ instead.
# </details>
#
# <details><summary><b>Question:</b> the GRU multiplies each new context by a matrix $C$. `prepare` already moved $U h_j$ out of the loop. Can $C c_i$ leave it too, although $c_i$ is new at each step?</summary>
#
# Yes. Averaging is linear: $C \sum_j a_{ij} h_j = \sum_j a_{ij}\,(C h_j)$. So the package multiplies every $h_j$ by $C$ once per sentence, and the loop averages the products. Look for it in
# `GRUDecoder.forward`; a test compares it with the loop as the paper writes it.
# </details>

# %% [markdown]
# ### Exercise maxout
#
# Between the decoder and the output vocabulary the paper puts one *maxout* layer. It computes twice as many numbers as it needs, $\tilde t$, and
# keeps the larger of each two neighbours: $t_i = \max(\tilde t_{2i}, \tilde t_{2i+1})$, with $i$ counted from 0.
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
# ## Train
#
# About a minute on a laptop; the number of steps is fixed, so a slower machine takes longer and learns the same. The first pass over the data takes phrases of at most eight words only: there is little
# to confuse in a short phrase, and once the model has understood what *looking* is good for, long ones follow. **Predict:** how large is the loss of a model that knows nothing, in nats per word?

# %%
model, history = fit(attention_recipe.shortened(share), data, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
print(history.summary())
sizes = {name: sum(p.numel() for p in m.parameters()) for name, m in (("fixed", fixed_model), ("attention", model))}
print(f"parameters: {sizes['attention']:,} with attention, {sizes['fixed']:,} with the fixed vector")
print(f"knowing nothing would be ln({len(data.target_vocabulary)}) = {torch.log(torch.tensor(len(data.target_vocabulary))):.2f}")
attention_scores = score_by_length(model, data)

# %% [markdown]
# ## The two curves
#
# This is the figure that made attention famous (figure 2 of the paper), on our phrases: BLEU by source length, fixed vector against attention, trained
# on the same pairs.

# %% tags=["gallery"]
bleu_curves = {
    "fixed vector": {bucket: result.bleu for bucket, result in fixed_scores.items()},
    "attention": {bucket: result.bleu for bucket, result in attention_scores.items()},
}


def longest_over_shortest(curve):
    """BLEU of the longest bucket, as a share of the shortest bucket's."""
    values = list(curve.values())
    return values[-1] / max(values[0], 1e-9)


kept = {name: longest_over_shortest(curve) for name, curve in bleu_curves.items()}
title = f"The longest phrases keep {kept['attention']:.0%} of the BLEU with attention, {kept['fixed vector']:.0%} without"
show(plot_by_length(bleu_curves, title=title, ylabel="BLEU", ylim=(0, 102)))

# %%
print("exact sentences   " + "".join(f"{low:>4}–{high:<4}" for low, high in attention_scores))
for name, results in (("fixed vector", fixed_scores), ("attention", attention_scores)):
    print(f"{name:<17} " + "".join(f"{result.exact:>7.2f}  " for result in results.values()))

# %% [markdown]
# BLEU forgives: it counts runs of right words. *Exact sentences* do not, and there even attention falls with length after a minute of training. With a fixed rate of
# errors per word, the chance that **all** words are right shrinks with every word. Watch that row again when we load the model that trained longer.

# %% [markdown]
# ## From probabilities to a sentence
#
# A trained decoder gives probabilities for the *next* word. To get a sentence, one has to choose, feed the choice back, and choose again. The package did it for the figure above; now you do.

# %% [markdown]
# ### Exercise greedy
#
# A decoder gives one step: `log_probabilities, state = step(previous_word, state)`. The log probabilities, one per word of the vocabulary,
# say what could come next. Greedy decoding always takes the best, $y_i = \mathrm{argmax}_y \log p(y \mid y_1, \dots, y_{i-1}, x)$, and gives it
# back to the model.
#
# Word ids are plain integers. Start with the word `begin` and the state `first_state`. Stop as soon as the best word is `end`, and after
# `max_length` calls of `step` in any case. Make no further call after that. Return the list of ids in the order in which they were written.
# `end` is not in the list, nor is the `begin` that you started with. Every other id is a word: 0, one that comes again, and even `begin`, should
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
# ### Exercise beam-step
#
# Beam search keeps several unfinished sentences, the *beams*. Each beam $b$ has a score so far, $S_b$, the sum of the log probabilities of
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
# ## Greedy or beam?
#
# Both on the test phrases, with the package's batched versions of what you have just written (about twenty seconds).

# %%
sample = [example for bucket in data.test.values() for example in bucket[: 10 if FAST else 50]]
for beam_size in (1, 5):
    started = time.perf_counter()
    result = score(model, data, sample, beam_size=beam_size)
    seconds = time.perf_counter() - started
    print(f"beam of {beam_size}: BLEU {result.bleu:.1f}, exact {result.exact:.2f}, {len(sample) / seconds:.0f} sentences a second")

# %% [markdown]
# A beam costs several times as much, and on phrases with one right answer it has little to find. Real sentences leave more choice; the closing table has the
# difference for both, with an interval.

# %% [markdown]
# ## Look
#
# Each row is an English word, each column a French one; dark means that the model looked there while writing it. The frames are the truth.

# %%
weights = reference_attention(model, data, [shown])[0]
right = len(hard_alignment(weights) & shown.possible)
title = f"After a minute: {right} of {len(shown.target)} words look at a right place"
show(plot_alignment(weights, shown.source, shown.target, shown.possible, title=title))

# %% [markdown]
# Where a dark field lies **beside** its frame, the model was often not wrong about the word. Its encoder is recurrent: the vector at one place also carries its neighbours,
# so *rouges* can be read off the place next to it. The heatmap shows where the decoder *reads*, and that is not always where the word *stands*. It is the first thing
# to remember when somebody shows you attention as an explanation.

# %% [markdown]
# ## Mark it
#
# One picture proves nothing. Here are all test phrases, by length.

# %% tags=["gallery"]
if data.name == "default":
    by_length = {bucket: score_alignment(model, data, examples) for bucket, examples in data.test.items()}
    curves = {
        "attention": {bucket: marks.error_rate for bucket, marks in by_length.items()},
        "diagonal guess": {bucket: marks.diagonal_error_rate for bucket, marks in by_length.items()},
    }
    marks = score_alignment(model, data, data.examples)
    title = f"Attention aligns with an error rate of {marks.error_rate:.2f}, the diagonal with {marks.diagonal_error_rate:.2f}"
    show(plot_by_length(curves, title=title, ylabel="alignment error rate", ylim=(0, 1)))
    print(f"share of the attention that lies on a right word: {marks.mass_on_gold:.2f}")

# %% [markdown]
# ## What an hour buys
#
# A minute of training is a demonstration. The course ships the same system trained for longer with the command on its card, and lesson 1's system with a larger vector and as long a
# training. If a file is missing or damaged, the next cell says so and the lesson goes on with what you have just trained.

# %%
trained, trained_fixed, cards = model, fixed_model, {}
try:
    trained, cards["attention"] = load_trained("02-additive-attention", data)
    trained_fixed, cards["fixed vector"] = load_trained("02-fixed-vector", data)
except CheckpointError as error:
    print("going on with the models of this lesson:", error)
for name, card in cards.items():
    print(f"{name}: {card['seconds'] / 60:.0f} minutes on {card['threads']} thread(s), {card['command']}")

# %% [markdown]
# Both saw phrases of at most sixty words. We ask for more. **Predict** before you run: what do the curves do to the right of sixty?

# %%
beyond = ((61, 80), (81, 100))
tests = {**data.test, **{bucket: test_phrases(*bucket, 5 if FAST else 40) for bucket in beyond}}
long_curves = {}
for name, some_model in (("fixed vector", trained_fixed), ("attention", trained)):
    long_curves[name] = {bucket: score(some_model, data, examples[:60]).bleu for bucket, examples in tests.items()}
inside = list(long_curves["attention"].values())[: len(data.test)]
title = f"Within the lengths it knows, attention varies by {max(inside) - min(inside):.1f} BLEU"
axes = plot_by_length(long_curves, title=title, ylabel="BLEU", ylim=(0, 102))
axes.axvline(len(data.test) - 0.5, color="0.4", linestyle="--")
axes.text(len(data.test) - 0.45, 4, "longer than any\nin training", fontsize=9, color="0.3")
show(axes)

# %% tags=["gallery"]
name_of_trained = "Attention, trained for longer" if cards else "Attention, trained again (no checkpoint)"
if data.name == "default":
    for name, some_model in (("a minute", model), (name_of_trained, trained)):
        trained_marks = score_alignment(some_model, data, data.examples)
        print(f"{name}: AER {trained_marks.error_rate:.3f}, attention on a right word {trained_marks.mass_on_gold:.2f}")
    weights = reference_attention(trained, data, [shown])[0]
    right = len(hard_alignment(weights) & shown.possible)
    title = f"{name_of_trained}: {right} of {len(shown.target)} words look at a right place"
    show(plot_alignment(weights, shown.source, shown.target, shown.possible, title=title))

# %% [markdown]
# The same, word by word. Point at an English word, or press Tab and then the arrow keys; switch the truth on to see where the word comes from.

# %%
if data.name == "default":
    names = {"source_name": "French", "target_name": "English"}
    display(explore_alignment(weights, shown.source, shown.target, shown.possible, title=title, **names))

# %% [markdown]
# ### What goes wrong
#
# The phrases that the longer-trained model still gets wrong, first difference marked. Look for words left out or said twice: a decoder that must remember by itself how far it
# has come loses its place sooner or later. Lesson 6 is about that.

# %%
longest = tests[beyond[-1]][:20]
hypotheses = translate(trained, data, [example.source for example in longest])
shown_failures = 0
for example, hypothesis in zip(longest, hypotheses, strict=True):
    words = data.target_vocabulary.decode(hypothesis.tokens)
    pairs = enumerate(zip(words, example.target, strict=False))
    place = next((index for index, (said, true) in pairs if said != true), min(len(words), len(example.target)))
    if list(example.target) != words and shown_failures < 3:
        shown_failures += 1
        print(f"{len(example.source)} French words, differs from word {place + 1} on:")
        print("   said:", " ".join(words[max(0, place - 3) : place + 9]))
        print("   true:", " ".join(example.target[max(0, place - 3) : place + 9]))
right = sum(data.target_vocabulary.decode(h.tokens) == list(e.target) for h, e in zip(hypotheses, longest, strict=True))
print(f"{right} of {len(longest)} phrases of this length are right")

# %% [markdown]
# ## What looking costs
#
# Each written word compares itself with every source word. The fixed vector does not. Time of one training step with 16 phrases, source and target of the same length:

# %%
def step_milliseconds(some_model, length, repeats=2 if FAST else 4):
    """Shortest processor time of one forward and backward pass."""
    batch = make_pair_batch([([5] * length, [5] * length)] * 16)
    times = []
    for _ in range(repeats):
        started = time.process_time()
        some_model.zero_grad()
        some_model.loss(batch).mean.backward()
        times.append(1000 * (time.process_time() - started))
    return min(times)


lengths = (10, 20, 40, 80)
costs = {
    name: (lengths, [step_milliseconds(some_model.cpu(), length) for length in lengths])
    for name, some_model in (("fixed vector", fixed_model), ("attention", model))
}
growth = {name: times[-1] / times[0] for name, (_, times) in costs.items()}
title = f"Eight times the words: {growth['attention']:.0f}× the time with attention, {growth['fixed vector']:.0f}× without"
show(plot_lines(costs, title=title, xlabel="source words = target words", ylabel="processor time of a step, ms", log_x=True, log_y=True))

# %% [markdown]
# Without attention the work grows with the length; with it, a part grows with the **square** of the length. For sentences this part is cheap. For books, it is what the
# next decade of papers tried to avoid.

# %% [markdown]
# ## Real sentences
#
# `SOURCE = "real"` in the settings cell runs all of the above on French–English sentences: Multi30k, from the folder that `WHERE_TO_LOOK_DATA` names, or from its public repository. It trains for up
# to ten minutes per model, so here are the stored figures of the last such run (Multi30k: captions of photographs), made with the command below the table.

# %%
real_results = load_results("02", "real")
if real_results is None:
    print("No real run is stored yet.")
else:
    figures = [measurement["metrics"] for measurement in real_results["measurements"]]
    for label, key in (("fixed vector", "fixed"), ("attention", "attention"), ("attention, beam of 5", "attention-beam")):
        values = [figure[f"{key}/bleu/all"] for figure in figures]
        print(f"{label:<22} BLEU {sum(values) / len(values):.1f}   (each seed: {', '.join(f'{v:.1f}' for v in values)})")
    print(real_results["command"])

# %% [markdown]
# ## Your own phrase
#
# Change the text and run the cell again. The model knows the words of its phrases only; others are named and read as *unknown*.


# %%
def translate_and_show(text):
    """Translate a French phrase and show where the model looked."""
    words = data.tokenize(text)
    if not words:
        return print("Type a French phrase, for example: trois petites maisons vertes")
    unknown = data.source_vocabulary.unknown_words(words)
    if unknown:
        print(f"unknown to the model: {', '.join(unknown)}")
    hypothesis = translate(trained, data, [words], beam_size=5)[0]
    target = data.target_vocabulary.decode(hypothesis.tokens)
    print(text, "→", data.detokenize(target))
    if target:
        attention = hypothesis.attention_weights[: len(target)]
        title = f"{len(words)} words read, {len(target)} written: where did each look?"
        display(explore_alignment(attention, words, target, title=title, source_name="French", target_name="English"))


translate_and_show("les trois petites maisons vertes en France le lundi deux mars à quinze heures")

# %% [markdown]
# Where the notebook is live, here is a box. (In a printed page it does nothing.)

# %%
box = ipywidgets.Text(description="French:", placeholder="deux voitures rouges", layout={"width": "90%"}, continuous_update=False)
output = ipywidgets.Output()


def redraw(change):
    """Translate what was typed, into the area under the box."""
    output.clear_output()
    with output:
        translate_and_show(change["new"])


box.observe(redraw, names="value")
ipywidgets.VBox([box, output])

# %% [markdown]
# Try to break it: a noun without its article, numbers in digits, a very long chain, two adjectives on one noun, the same word five times.

# %% [markdown]
# ## The claim, tested
#
# The paper's claims with its figures, and ours: the mean over the seeds, and the 95 % interval of the paired difference. A claim *holds* only if the whole interval lies on
# its side. The seeds were fixed beforehand.

# %%
stored = [load_results("02", source) for source in ("default", "real")]
entries = [entry for results in stored if results for entry in results["claims"]]
display(Markdown(claims_table(entries) if entries else "No results are stored yet."))

# %% [markdown]
# Read it with care. The direction is the paper's; the size of a difference is not: our phrases are far more regular than news text, and our models are tiny beside theirs. What
# carries over is the *shape*: one curve falls, the other hardly does.
#
# ## Limits, and what came next
#
# - The decoder does not know what it has already looked at. Long inputs make it repeat or skip. → *Lesson 6: location-aware attention.*
# - It looks at **words**. Can one look at parts of a picture? → *Lessons 3 and 4.*
# - It averages. Could it look at exactly one place? → *Hard attention, lesson 4.*
# - Every step waits for the one before. Attention without recurrence removed that in 2017; the scores, the softmax and the average stayed.
#
# <details><summary><b>Question:</b> suppose all weights were equal, always. Which older system would you have?</summary>
#
# One with a fixed vector again: the mean of the annotations, the same at every step. The <i>choice</i> is what matters, not that there are many vectors.
# </details>
#
# <details><summary><b>Question:</b> a colleague shows one heatmap in which the weights fall on the right words and concludes that the model understands French. What would you ask for?</summary>
#
# A marked set instead of one picture, the error rate of the diagonal beside it, and a test whether translations change when the looked-at word changes.
# </details>

# %% tags=["closing-table"]
print(f"lesson 2, {'FAST: too few steps to judge' if FAST else 'full size'}, source {data.name}, seed {SEED}")
print(f"{'':<22}{'BLEU, shortest':>16}{'longest':>10}{'kept':>8}")
for name, curve in bleu_curves.items():
    values = list(curve.values())
    print(f"{name:<22}{values[0]:>16.1f}{values[-1]:>10.1f}{longest_over_shortest(curve):>8.2f}")
if data.name == "default":
    print(f"AER: diagonal {marks.diagonal_error_rate:.2f}, after a minute {marks.error_rate:.2f}, "
          f"{name_of_trained.lower()} {trained_marks.error_rate:.2f}")  # fmt: skip
for entry in entries:
    verdict = {True: "holds", False: "not confirmed", None: "one seed"}[entry["holds"]]
    print(f"{entry['id']:<22}{entry['source']:>8}  {verdict:<14} difference {entry['difference']['mean']:+.2f}")

# %% [markdown]
# ## Further reading
#
# - Bahdanau, Cho and Bengio, [*Neural Machine Translation by Jointly Learning to Align and Translate*](https://arxiv.org/abs/1409.0473), 2014: sections 3 and 5, and the appendix for the exact equations.
# - Och and Ney, [*A Systematic Comparison of Various Statistical Alignment Models*](https://aclanthology.org/J03-1002/), 2003: where sure and possible links come from.
# - Luong, Pham and Manning, [*Effective Approaches to Attention-based Neural Machine Translation*](https://arxiv.org/abs/1508.04025), 2015: other scores, and a local window.
# - Jain and Wallace, [*Attention is not Explanation*](https://arxiv.org/abs/1902.10186), and Wiegreffe and Pinter, [*Attention is not not Explanation*](https://arxiv.org/abs/1908.04626), 2019: what a heatmap proves.
