# %% [markdown]
# # 4 · Captions: a look for every word
#
# In lesson 3 a network chose *where* to look at a picture, and told one thing about it: a digit. Now it shall say a whole sentence: *"from left to right we see two small dogs and a big red kite."*
# The sentence has many words, and each is about another part of the picture. "Dogs" is about the left. "Kite" is about the right. "And" is about nothing in it.
#
# In February 2015, five months after attention had entered translation, a group in Montreal and Toronto put it between a convolutional network and a language model: *Show, Attend and Tell*. For
# the first time one could **see** what a network looked at while it spoke. The paper did it twice: with a weighted average and an exact gradient, as in lesson 2 (**soft**), and with one look drawn by chance and a reward, as in lesson 3 (**hard**).
#
# **The question of this lesson:** does a model that may look anew for every word describe pictures better than one that sees the whole picture in one vector? And does it look at what it names?
#
# On a laptop with two cores this notebook takes at most four minutes from top to bottom.

# %% [markdown]
# ## Predict first
#
# Write your guesses down. You will meet the answers below, in this order.
#
# 1. One vector holds the whole picture. What will a caption made of it get wrong most often: the objects, their number, their size and colour, or which is left of which?
# 2. A model says "the". Where in the picture does it look?
# 3. A penalty asks every part of the picture to be looked at about once. Will the maps of the nouns get better or worse?
# 4. Drawing one look by chance, or averaging over all looks: which makes the better captions? (The paper has an answer. Is it ours?)

# %% [markdown]
# ## Settings
#
# The only cell that configures anything. `SOURCE = "real"` shows photographs with people's captions in the section on real data. `SOURCE` may also be the path of a folder with captioned images of your own, which that section trains on: docs/own_data.md says what they look like.

# %% tags=["settings"]
import math
from collections import Counter

import ipywidgets
import torch
from IPython.display import Markdown, display

from course_utils.checkpoints import CheckpointError
from course_utils.data.scenes.photographs import photographs_to_test
from course_utils.data.scenes.data import beside_each_other, scene_data
from course_utils.data.words_of_things import KINDS
from course_utils.data.scenes.reading import sort_of_problem
from course_utils.data.real_errors import RealDataError
from course_utils.exercises import check, checked
from experiments.captioning import FUNCTION_WORDS, fit, gate_score, teacher_forced_traces, mean_penalty, score, write_captions
from experiments.captioning import pointing_game as score_pointing
from experiments.claims import claims_table, load_results
from experiments.lesson_04_captioning import LIVE, LIVE_SCENES, load_trained
from course_utils.teaching.explorer import explore_word_maps
from course_utils.teaching.maps import plot_word_maps
from course_utils.teaching.images import plot_images
from course_utils.teaching.plots import house_style, show
from course_utils.training import is_fast_run

SOURCE = "default"  # "default": drawn scenes; "real": also photographs (see the section on real data); or the path of your own
SEED = 0
FAST = is_fast_run()  # few training steps, for automatic tests; the closing table says so
TIME_LIMIT_SECONDS = 120  # a safety net for each training
torch.manual_seed(SEED)
house_style()

# %% [markdown]
# ## The data, and their truth
#
# Scenes: two groups of small drawings on a background that is not empty either. We put them there ourselves, so we know **what every word of a caption refers to**: the orange frames are the gold boxes of the nouns.
# Every scene has five captions in different words, all true. The test has *pairs of objects that never met in training*: who has only learned by heart that dogs come with kites fails there.

# %%
from course_utils.data.scenes.own import own_photograph_data

data = scene_data(400 if FAST else LIVE_SCENES, 60 if FAST else 300, groups=(2, 2))
unseen = data.test["unseen pairs"]
print(f"{len(data.train):,} scenes for training, {len(unseen)} with unseen pairs for testing, {len(data.vocabulary)} words")
print("pictures:", data.credit)
own = None if SOURCE in ("default", "real") else own_photograph_data(SOURCE)  # for the section on real data
first = unseen[0]
for text in first.references:
    print("·", text)
chosen = unseen[:6]
show(plot_images([example.image / 255 for example in chosen], title="Scenes, and the objects that their captions name",
                   boxes=[[box for boxes in example.boxes().values() for box in boxes] for example in chosen]))  # fmt: skip

# %% [markdown]
# A caption counts as **exact** if it is true and complete: every group with its number, size, colour and kind, and places that leave no doubt. A small reader checks that from the words alone, so any wording will do. **BLEU-4** (lesson 1)
# compares with the five references. It forgives much: *"two small dogs"* in place of *"three small dogs"* costs it little.
#
# ## The baseline: the picture as one vector
#
# A convolutional network turns the picture into a map of 8 × 8 *cells*, each a vector. A baseline presses them into one. The simplest takes their **mean**. A stronger one has a layer with its own weights for every cell
# (**flattened**), so that it can know what was where. An LSTM then speaks, and sees that one vector at every word. We train the stronger one here; both are in the table of claims. About a minute.

# %%
STEP_SHARE = 0.01 if FAST else 1.0
models, scores = {}, {}


def train_live(name, **options):
    """Train one of the lesson's small models, and let it describe the scenes with unseen pairs."""
    recipe = LIVE[name].shortened(STEP_SHARE)
    models[name], history = fit(recipe, data, SEED, time_limit_seconds=TIME_LIMIT_SECONDS, **options)
    scores[name] = score(models[name], data, unseen)
    print(history.summary())
    print(f"unseen pairs: {100 * scores[name].exact:.0f} % exact, BLEU-4 {scores[name].bleu:.1f}")


train_live("none-flat")


# %%
def describe_scenes(names, examples):
    """Print what models say about the same pictures, and what is wrong with it."""
    for number, example in enumerate(examples):
        print(f"{number + 1}. truth: {example.references[0]}")
        for name in names:
            (caption,) = write_captions(models[name], example.image[None])
            words = data.vocabulary.decode(caption.tokens)
            wrong = example.problems(words)
            print(f"   {name:<10} {' '.join(words[:40])}" + (f"   ✗ {wrong[0]}" if wrong else "   ✓"))


describe_scenes(["none-flat"], unseen[:3])


def mistakes_of(model, examples):
    """How often the first thing wrong in a caption is of each sort, in % of the captions with a mistake."""
    captions = write_captions(model, torch.stack([example.image for example in examples]))
    wrong = [example.problems(data.vocabulary.decode(c.tokens)) for example, c in zip(examples, captions, strict=True)]
    sorts = Counter(sort_of_problem(problems[0]) for problems in wrong if problems)
    return ", ".join(f"{sort} {100 * count / max(1, sorts.total()):.0f} %" for sort, count in sorts.most_common())


print("what is wrong first:", mistakes_of(models["none-flat"], unseen))

# %% [markdown]
# The grammar is there after seconds. What is in the picture is another matter. One vector of fixed size has to carry two kinds of object, two numbers, two sizes, two colours and an arrangement, and nothing in the model knows which of these the next word will need.
# It is lesson 1's bottleneck again.
#
# ## The mechanism: a list of cells
#
# Keep the cells apart, then, and let the speaker choose among them at each word.

# %% [markdown]
# ### Exercise cells-with-coordinates
#
# A convolutional network turns an image into a *feature map*: `channels` numbers for each of `rows` times `columns` cells. Attention needs a
# *list* to choose from, like the words of a sentence in lesson 2. A list does not say which cell was left of which. So we append to the
# numbers of each cell its place in the image, the middle $(x, y)$ of the cell. Without these two numbers "a cat left of a tree" and
# "a tree left of a cat" look much alike.
#
# Both go from $-1$ to $1$ **across the image**, as in lesson 3: $(-1, -1)$ is its upper left corner, $x$ points right and $y$ down. The cells
# tile the image, so with columns $c = 0, 1, \dots$ and rows $r = 0, 1, \dots$
#
# $$x = \frac{2c + 1}{\text{columns}} - 1 \qquad y = \frac{2r + 1}{\text{rows}} - 1 .$$
#
# `feature_map` is `(batch, channels, rows, columns)`. Return `(batch, rows * columns, channels + 2)`: the cells **row by row**, first the
# numbers of the map, then $x$, then $y$. Return the map's dtype, float16 for float16.
#
# *By hand:* a map of one row and two columns with the numbers 5 and 7 becomes $[[5, -0.5, 0], [7, 0.5, 0]]$.


# %% exercise="cells-with-coordinates"
def cells_with_coordinates(feature_map):
    """List the cells of each map row by row, each with its middle (x, y) behind its numbers.

    feature_map: (batch, channels, rows, columns).
    x = (2c + 1)/columns - 1 in column c, y = (2r + 1)/rows - 1 in row r, both counted from 0; y points down.
    Returns (batch, rows * columns, channels + 2), of the map's dtype.
    """
    ### BEGIN SOLUTION
    batch, _, rows, columns = feature_map.shape
    x = (2 * torch.arange(columns) + 1) / columns - 1
    y = (2 * torch.arange(rows) + 1) / rows - 1
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")  # (rows, columns) each
    places = torch.stack([grid_x, grid_y]).to(feature_map).expand(batch, 2, rows, columns)
    return torch.cat([feature_map, places], dim=1).flatten(2).transpose(1, 2)
    ### END SOLUTION


# %% check="cells-with-coordinates" points=2
check("04.cells-with-coordinates", cells_with_coordinates);

# %% hidden="cells-with-coordinates" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(4)
grid = (30 * torch.randn(3, 4, 2, 5, dtype=torch.float64)).requires_grad_()
listed = cells_with_coordinates(grid * 1)
assert listed.shape == (3, 10, 6) and listed.dtype == torch.float64
for b, r, c in [(0, 0, 0), (0, 1, 0), (1, 0, 4), (2, 1, 3)]:
    assert torch.equal(listed[b, 5 * r + c, :4], grid[b, :, r, c])
    place = torch.tensor([(c - 2) * 0.4, r - 0.5], dtype=torch.float64)
    assert torch.allclose(listed[b, 5 * r + c, 4:], place, atol=1e-6)
listed[1, 7, 2].backward()
assert grid.grad[1, 2, 1, 2] == 1 and grid.grad.sum() == 1
one = torch.ones(1, 1, 1, 1)
assert cells_with_coordinates(one).tolist() == [[[1.0, 0.0, 0.0]]] and one.item() == 1
half = cells_with_coordinates(torch.ones(1, 1, 2, 4, dtype=torch.float16))
assert half.dtype == torch.float16 and half[0, 1].tolist() == [1.0, -0.25, -0.5]
tall = cells_with_coordinates(torch.zeros(2, 1, 8, 1, dtype=torch.float32))
assert tall.dtype == torch.float32 and torch.allclose(tall[1, :, 2] * 8, torch.arange(-7.0, 8, 2)) and not tall[..., :2].any()
### END HIDDEN TESTS

# %% [markdown]
# The model's own encoder does nearly that: it *adds* a learned projection of $(x, y)$ to what its last layer sees.
#
# ## Soft attention, with a gate
#
# At each word the decoder compares its state with every cell, exactly as in lesson 2: $e_{ti} = w^\top \tanh(W h_{t-1} + V a_i)$. The softmax of the scores averages the cells. What is new is the gate.

# %% [markdown]
# ### Exercise soft-context
#
# Soft attention is that of lesson 2: each cell $h_i$ has a score $e_i$, a softmax turns the scores into weights, and the context is the
# weighted average. A caption needs one thing more. Some of its words come from the image ("cat"), others from the language alone ("of",
# "the"). So the decoder also emits a *gate* $\beta$ between 0 and 1 at every word, which says how much of the context gets through:
#
# $$a_i = \frac{\exp e_i}{\sum_k \exp e_k} \qquad z = \beta \sum_i a_i h_i$$
#
# The gate scales the context and leaves the attention alone: the weights still sum to one when $\beta = 0$, and the figures show these.
#
# `scores` is `(batch, cells)`, `annotations` (the cells, as the paper calls them) is `(batch, cells, size)`, `gate` is $\beta$, `(batch,)`,
# from 0 to 1 already. Return two tensors: the context $z$, `(batch, size)`, and the weights $a$, `(batch, cells)`, without the gate. Scores
# may be as large as ±1e30.
#
# *By hand:* two cells with equal scores, $h = (4, 0)$ and $(0, 2)$, and $\beta = 0.5$: the weights are $(0.5, 0.5)$ and $z = (1, 0.5)$.


# %% exercise="soft-context"
def soft_context(scores, annotations, gate):
    """Average the annotations by the softmax of their scores, and let the gate through as much of it as it says.

    scores: (batch, cells); annotations: (batch, cells, size); gate: (batch,), from 0 to 1.
    Returns context (batch, size), gated, and attention_weights (batch, cells), not gated: each row sums to one.
    """
    ### BEGIN SOLUTION
    attention_weights = torch.softmax(scores, dim=1)
    average = (attention_weights.unsqueeze(2) * annotations).sum(dim=1)  # (batch, size)
    return gate.unsqueeze(1) * average, attention_weights
    ### END SOLUTION


# %% check="soft-context" points=1
check("04.soft-context", soft_context);

# %% hidden="soft-context" points=1
### BEGIN HIDDEN TESTS
torch.manual_seed(4)
e, h, beta = torch.randn(3, 3), torch.randn(3, 3, 3), torch.tensor([0.0, 0.4, 1.0])
before = e.clone(), h.clone(), beta.clone()
leaves = [tensor.clone().requires_grad_() for tensor in (e, h, beta)]
z, a = soft_context(*[leaf * 1 for leaf in leaves])
assert z.shape == (3, 3) and a.shape == (3, 3) and torch.allclose(a.sum(1), torch.ones(3))
for b in range(3):
    p = [math.exp(score) for score in e[b].tolist()]
    by_hand = [beta[b].item() * sum(p[i] * h[b, i, j].item() for i in range(3)) / sum(p) for j in range(3)]
    assert torch.allclose(z[b], torch.tensor(by_hand), atol=1e-5)
    assert torch.allclose(a[b], torch.tensor(p) / sum(p), atol=1e-5)
z[1].sum().backward(retain_graph=True)
assert torch.autograd.grad(a[2, 0], leaves[0], retain_graph=True)[0][2].abs().sum() > 0
assert all(leaf.grad[1].abs().sum() > 0 and leaf.grad[2].abs().sum() == 0 for leaf in leaves)
for top in (900.0, 1e30):
    high, _ = soft_context(torch.tensor([[top, 0.0]]), torch.tensor([[[3.0], [7.0]]]), torch.tensor([0.5]))
    assert high.tolist() == [[1.5]]
soft_context(e, h, beta)
assert all(torch.equal(now, then) for now, then in zip((e, h, beta), before, strict=True))
### END HIDDEN TESTS

# %% [markdown]
# Train it. Same encoder, same LSTM, same scenes; only the look is new. One to two minutes.

# %%
train_live("soft")
describe_scenes(["none-flat", "soft"], unseen[:3])


# %% [markdown]
# ## Look
#
# Each copy of the picture is one word, in colour where the model looked **before saying it**. Orange: what the word names. Below each, the gate: how much of what was seen it let in. The title counts the nouns whose most attended
# cell lies on what they name.

# %% tags=["gallery"]
def look_at(model, examples, how, caption=0):
    """Draw a map of every word while the model says a reference of each scene, and count the nouns that look right."""
    for example, look in zip(examples, teacher_forced_traces(model, data, examples, caption), strict=True):
        maps = look.attention_weights.unflatten(1, (model.encoder.rows, model.encoder.columns))
        words, gold = [*look.words, "(end)"], example.boxes(caption)
        found = score_pointing([look.attention_weights], [example], model.encoder.cell_boxes(), caption)
        title = f"{how}, {found.hits * found.nouns:.0f} of {found.nouns} nouns look at what they name"
        show(plot_word_maps(example.image / 255, words, maps, gates=look.gates, gold=gold, title=title))


look_at(models["soft"], unseen[:2], "After a minute of soft attention")

# %% [markdown]
# Nobody told it where the objects are. The words did: the only way to say "dogs" at the right moment is to have looked at the dogs.
#
# Look also at the words *before* a noun. To say "three" or "small" one has to look there already. And note what a map does **not** tell: the vector of a cell has seen its neighbours through the convolutions, so a look beside an object can still be a look at it.
#
# ## Asking for a look at everything

# %% [markdown]
# ### Exercise doubly-stochastic
#
# The weights of one word sum to one over the cells. Nothing says what the weights of one *cell* sum to over the words: a model may attend to
# one object all the time and never to another. The paper asks, gently, that the weights of every cell sum to about one. It adds to the loss
#
# $$\lambda \sum_i \Big(1 - \sum_t a_{ti}\Big)^2,$$
#
# and calls the attention *doubly stochastic*: the rows and, nearly, the columns of $a$ sum to one. A caption has fewer words than an image
# has cells, so it can only come near.
#
# `attention_weights` is `(batch, steps, cells)`. Captions differ in length: `target_mask`, `(batch, steps)`, is True at real words, and a
# step of **padding adds nothing**, whatever stands in its weights, NaN too. `strength` is $\lambda$, a float. Return one number: the sum over
# the cells, the mean over the batch.
#
# *By hand:* two words, both with the weights $(0.5, 0.5, 0)$, and $\lambda = 2$: the cells sum to $(1, 1, 0)$, so the penalty is
# $2 \cdot (0 + 0 + 1) = 2$. If the second word is padding, it is $2 \cdot (0.25 + 0.25 + 1) = 3$.


# %% exercise="doubly-stochastic"
def coverage_penalty(attention_weights, target_mask, strength):
    """Punish captions whose weights for a cell sum to more or less than one.

    attention_weights: (batch, steps, cells); target_mask: (batch, steps) booleans, True = real word.
    strength: a float. Returns strength * sum over cells of (1 - sum over real steps of the weights)^2,
    averaged over the batch, shape ().
    """
    ### BEGIN SOLUTION
    real = attention_weights.masked_fill(~target_mask.unsqueeze(2), 0.0)  # padding may hold NaN: do not multiply
    return strength * (1 - real.sum(dim=1)).square().sum(dim=1).mean()
    ### END SOLUTION


# %% check="doubly-stochastic" points=2
check("04.doubly-stochastic", coverage_penalty);

# %% hidden="doubly-stochastic" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(4)
e = torch.randn(3, 5, 7, requires_grad=True)
a = e.softmax(2)
real = torch.arange(5) < torch.tensor([[5], [1], [3]])
punished = coverage_penalty(a, real, 0.4)
by_hand = sum((1 - sum(a[b, t, i].item() for t in range(5) if real[b, t])) ** 2 for b in range(3) for i in range(7))
assert punished.shape == () and abs(punished.item() - 0.4 * by_hand / 3) < 1e-5
punished.backward()
assert (e.grad[~real] == 0).all() and (e.grad[real] != 0).any()
unknown = a.detach().masked_fill(~real.unsqueeze(2), math.nan)
assert torch.allclose(coverage_penalty(unknown, real, 0.4), punished)
kept, whole = torch.tensor([[[0.5, 0.5, 0.0]] * 2]), torch.tensor([[True, True]])
assert abs(float(coverage_penalty(kept, whole, 2.0)) - 2) < 1e-6
assert abs(float(coverage_penalty(kept, torch.tensor([[True, False]]), 2.0)) - 3) < 1e-6
assert kept.tolist() == [[[0.5, 0.5, 0.0]] * 2] and whole.all()
square = torch.randn(3, 3, 3).softmax(2)
first = coverage_penalty(square, torch.tensor([[True, False, False]] * 3), 1.0)
assert torch.allclose(first, (1 - square[:, 0]).square().sum(1).mean())
assert float(coverage_penalty(torch.eye(2)[:1].repeat(1, 5, 1), torch.ones(1, 5) > 0, 1.0)) == 17
assert float(coverage_penalty(torch.full((1, 4, 4), 0.25), torch.ones(1, 4, dtype=torch.bool), 3.0)) == 0
### END HIDDEN TESTS

# %% [markdown]
# What the penalty does to maps and captions is measured below, in *Mark it*.
#
# ## Hard attention: one cell, drawn by chance
#
# The average is a compromise: no eye looks at two places at once. The paper's other model **draws one cell** from the weights, $s_t \sim \alpha_t$, and sees that cell alone.

# %% [markdown]
# ### Exercise hard-sample
#
# Soft attention averages over all cells. *Hard* attention samples **one** cell $s$: cell $i$ with the probability $a_i$. The decoder gets
# the annotation of this cell and nothing else, and no other cell needs to be read.
#
# $$s \sim a \qquad z = h_s \qquad \log p(s) = \log a_s$$
#
# The price: sampling has no gradient. Move $a$ by a little, and the same cell is sampled. So no gradient leads from $z$ to the weights (one
# does lead to $h_s$, and the encoder learns from it). What has a gradient is the *log-probability of the sampled cell*, $\log a_s$. The loss
# of [[hard-loss]] is made of it.
#
# `attention_weights` is `(batch, cells)`, each row sums to one. `annotations` is `(batch, cells, size)`. Take all random numbers from
# `generator`, a `torch.Generator`, so that a run can be repeated, and do not seed it; `torch.multinomial` takes one. Sample for each image
# independently of the others. Return the context $z$, `(batch, size)`, and $\log p(s)$, natural, `(batch,)`.
#
# *By hand:* with the weights $(0, 0.25, 0.75)$ cell 0 is never sampled; three times out of four it is cell 2, with $\log p = \log 0.75
# \approx -0.29$.


# %% exercise="hard-sample"
def sample_cell(attention_weights, annotations, generator):
    """Sample one cell per image; return its annotation and its log-probability.

    attention_weights: (batch, cells), each row sums to one; annotations: (batch, cells, size).
    generator: a torch.Generator, the only source of random numbers.
    Returns context (batch, size), without a gradient for the weights, and log_probability (batch,), with one.
    """
    ### BEGIN SOLUTION
    cell = torch.multinomial(attention_weights, 1, generator=generator).squeeze(1)  # (batch,)
    images = torch.arange(len(cell))
    return annotations[images, cell], attention_weights[images, cell].log()
    ### END SOLUTION


# %% check="hard-sample" points=3
check("04.hard-sample", sample_cell);

# %% hidden="hard-sample" points=3
### BEGIN HIDDEN TESTS
torch.manual_seed(4)
odds = torch.tensor([[0.6, 0.1, 0.3], [0.2, 0.8, 0.0]]).repeat(1000, 1)
names = torch.arange(6000.0).view(2000, 3, 1)
seen, log_p = sample_cell(odds, names, torch.Generator().manual_seed(8))
assert names[0, 2] == 2 and names.sum() == 17997000
drawn = (seen[:, 0] - 3 * torch.arange(2000)).long()
assert seen.shape == (2000, 1) and log_p.shape == (2000,) and drawn.min() >= 0 and drawn.max() <= 2
assert torch.allclose(log_p, odds.gather(1, drawn[:, None])[:, 0].log())
shares = [torch.bincount(drawn[k::2], minlength=3) / 1000 for k in (0, 1)]
both = ((drawn[0:-2:2] == 0) & (drawn[2::2] == 0)).float().mean()  # neighbours with the same weights are independent
assert abs(both - 0.36) < 0.08
assert all((share - row).abs().max() < 0.08 for share, row in zip(shares, odds[:2], strict=True)) and shares[1][2] == 0
twice = torch.Generator().manual_seed(8)
assert torch.equal(sample_cell(odds, names, twice)[0], seen) and not torch.equal(sample_cell(odds, names, twice)[0], seen)
e, h = torch.randn(4, 4, requires_grad=True), torch.randn(4, 4, 4, requires_grad=True)
a = e.softmax(1)
z, log_p = sample_cell(a, h * 1, torch.Generator().manual_seed(1))
cells = (h == z.unsqueeze(1)).all(2)
assert cells.sum(1).tolist() == [1, 1, 1, 1]
by_choice, by_encoder = torch.autograd.grad(z.sum(), (e, h), allow_unused=True, retain_graph=True)
assert (by_choice is None or not by_choice.any()) and torch.equal(by_encoder != 0, cells.unsqueeze(2).expand(4, 4, 4))
(by_log,) = torch.autograd.grad(log_p.sum(), e)
assert torch.allclose(by_log, cells.float() - a.detach(), atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# A drawn cell has no gradient, and so REINFORCE comes back. The reward is the log-probability of the right words: a look was good if the truth became likelier after it.

# %% [markdown]
# ### Exercise hard-loss
#
# Hard attention learns as in lesson 3: a sampled cell that led to a better caption than usual becomes more probable. The reward $R$ is the
# log-probability that the decoder gave to the reference caption after those cells, the same for all steps of a caption. "Usual" is the
# baseline $b$: one number, a moving average of earlier rewards. The entropy $H_t$ of the weights is rewarded, too, so that the model goes on
# exploring:
#
# $$L = -\frac{1}{B} \sum_{\text{captions}} \sum_t \big[\lambda_r\,(R - b)\,\log p(s_t) + \lambda_e\,H_t\big] \qquad b \leftarrow 0.9\,b + 0.1\,\overline{R}$$
#
# Three things go wrong easily. The advantage $R - b$ counts as a **fixed number**: the caption's own loss trains $R$ already. This batch is
# compared with the **old** baseline, the new one is for the next batch. And steps of padding count in neither term, whatever stands there.
#
# `log_probabilities` ($\log p(s_t)$), `entropies` and `target_mask` (True = real word) are `(batch, steps)`; `reward` is `(batch,)`;
# `baseline`, `reward_weight` ($\lambda_r$) and `entropy_weight` ($\lambda_e$) are floats. Return the loss, shape `()`, and the new
# baseline, a float without a gradient; $\overline{R}$ is the mean reward of the batch.
#
# *By hand:* one caption of two words, $\log p = (-1, -2)$, $H = (1, 0.5)$, $R = -3$, $b = -5$, $\lambda_r = 1$ and $\lambda_e = 0.1$: the
# loss is $-[2 \cdot (-3) + 0.1 \cdot 1.5] = 5.85$, and $b$ becomes $-4.8$.


# %% exercise="hard-loss"
def hard_loss(log_probabilities, entropies, target_mask, reward, baseline, reward_weight, entropy_weight):
    """Turn the sampled cells of a batch into a loss, and move the baseline on.

    log_probabilities, entropies: (batch, steps); target_mask: (batch, steps) booleans, True = real word.
    reward: (batch,), held fixed; baseline, reward_weight, entropy_weight: floats.
    Returns the loss, minus the mean over the batch of the sum over real steps of
    reward_weight * (reward - baseline) * log_probability + entropy_weight * entropy, shape (),
    and the new baseline, 0.9 of the old one plus 0.1 of the mean reward, a float.
    """
    ### BEGIN SOLUTION
    advantage = (reward.detach() - baseline).unsqueeze(1)  # (batch, 1)
    gain = reward_weight * advantage * log_probabilities + entropy_weight * entropies
    loss = -gain.masked_fill(~target_mask, 0.0).sum(dim=1).mean()  # padding may hold NaN: do not multiply
    return loss, 0.9 * baseline + 0.1 * reward.mean().item()
    ### END SOLUTION


# %% check="hard-loss" points=3
check("04.hard-loss", hard_loss);

# %% hidden="hard-loss" points=3
### BEGIN HIDDEN TESTS
logs = torch.tensor([[-1.0, -2.0, -0.5], [-0.25, -3.0, -4.0], [-2.0, -1.0, -1.5]], requires_grad=True)
entropy = torch.tensor([[1.0, 0.5, 0.25], [0.5, 2.0, 3.0], [0.75, 1.25, 1.0]], requires_grad=True)
words = torch.tensor([[True, True, False], [True, False, False], [True, True, True]])
gained = torch.tensor([-3.0, -6.0, -4.5], requires_grad=True)
loss, moved = hard_loss(logs * 1, entropy * 1, words, gained * 1, -5.0, 0.5, 0.2)
policy = 0.5 * (2 * -3.0 + -1 * -0.25 + 0.5 * -4.5)
assert loss.shape == () and abs(loss.item() + (policy + 0.2 * (1.5 + 0.5 + 3.0)) / 3) < 1e-5
assert isinstance(moved, float) or not moved.requires_grad
assert abs(float(moved) + 4.95) < 1e-5
loss.backward()
advantage = torch.tensor([[2.0], [-1.0], [0.5]])
assert torch.allclose(logs.grad, -0.5 * advantage * words / 3, atol=1e-6)
assert torch.allclose(entropy.grad, -0.2 * words / 3, atol=1e-6) and (gained.grad is None or not gained.grad.any())
unknown = logs.detach().masked_fill(~words, math.nan), entropy.detach().masked_fill(~words, math.nan)
assert torch.allclose(hard_loss(*unknown, words, gained.detach(), -5.0, 0.5, 0.2)[0], loss)
pair = torch.tensor([[-1.0, -2.0]]), torch.tensor([[1.0, 0.5]]), torch.tensor([[True, True]]), torch.tensor([-3.0])
loss, moved = hard_loss(*pair, -5.0, 1.0, 0.1)
assert abs(float(loss) - 5.85) < 1e-5 and abs(float(moved) + 4.8) < 1e-5
assert abs(float(hard_loss(*pair[:3], torch.tensor([-300.0]), -5.0, 1.0, 0.0)[0]) + 885) < 1e-3
loss, moved = hard_loss(*pair, 0.0, 1.0, 0.0)
assert abs(float(loss) + 9) < 1e-5 and abs(float(moved) + 0.3) < 1e-5 and pair[3].item() == -3
### END HIDDEN TESTS

# %% [markdown]
# From nothing, this takes long: as long as the cells mean nothing, one look is as good as another, and as long as looks are random, the cells learn slowly what they should mean. So start from the soft model of above and go on with hard looks. (The model credits each look with the
# words near it instead of the whole caption, which is less noisy; `discount=1` is the paper's.) The map of a word is now the probability with which each cell is drawn.

# %% tags=["gallery"]
train_live("hard", start_from=models["soft"])
describe_scenes(["soft", "hard"], unseen[:3])
look_at(models["hard"], unseen[:1], "With hard attention")

# %% [markdown]
# ## What hours buy
#
# The soft model was trained for longer, on scenes of two to four groups. The two others went on from it, one with the penalty, one with hard looks; the command is on each card. If a file is missing or damaged, the cell says so and the lesson goes on with the models from above.

# %%
trained, cards = {}, {}
for name in ("04-soft", "04-penalty", "04-hard"):
    try:
        trained[name], cards[name] = load_trained(name)
    except CheckpointError as error:
        print(f"going on without {name}:", error)
for name, card in cards.items():
    print(f"{name:<12} {card['seconds'] / 60:3.0f} minutes on {card['threads']} thread(s): {card['command']}")

# %%
test = scene_data(100, 60 if FAST else 300).test["unseen pairs"]
final = {name: score(model, data, test) for name, model in trained.items()}
for name, result in final.items():
    print(f"{name:<12} unseen pairs, two to four groups: {100 * result.exact:.1f} % exact, BLEU-4 {result.bleu:.1f}")

# %% [markdown]
# ## Mark it
#
# Does a noun look at what it names? The **pointing game**: is the middle of the brightest cell inside a gold box?

# %% [markdown]
# ### Exercise pointing-game
#
# An attention map over an image always looks convincing. Does "cat" attend to the cat? The *pointing game* measures it: take the **highest**
# cell of the word's map, and see whether its middle lies in one of the boxes of what the word names. The share of words that hit is the hit
# rate. It means little alone: a large box is easy to hit. So the **chance level** stands beside it: the share of all cells whose middle lies
# in a box, which is how often a random cell would hit.
#
# $$\text{hit rate} = \frac{1}{N} \sum_w \big[\,m_{\arg\max_i a_{wi}} \text{ in a box of } w\,\big] \qquad
# \text{chance} = \frac{1}{N} \sum_w \frac{\text{cells with their middle in a box of } w}{\text{rows} \cdot \text{columns}}$$
#
# In pixels the middle of cell (row $r$, column $c$) is $\big((c + 0.5) \cdot \text{width} / \text{columns},\ (r + 0.5) \cdot \text{height}
# / \text{rows}\big)$. A box is $x_0, y_0, x_1, y_1$; its first pixel is $x_0$, and $x_1$ is the first one *behind* it: $x_0 \le x < x_1$,
# and so for $y$. Words such as "the" have no box: they are left out of **both** rates, and $N$ counts the others.
#
# `maps` is `(words, rows * columns)`, row by row. `boxes` is `(words, most_boxes, 4)` in pixels, four times $-1$ in an empty place, which
# may stand anywhere. Boxes of a word may overlap. At least one word has a box. Where cells are equally high, the first counts. Return two
# numbers, the hit rate and the chance level; no gradient is needed.
#
# *By hand:* a map of 2 × 2 on an image of 8 × 8 has its middles at 2 and 6. With its peak in cell 1, at $(6, 2)$, it hits the box $(5, 0,
# 8, 7)$. That box holds the middles of cells 1 and 3, so the chance level is 0.5.


# %% exercise="pointing-game"
def pointing_game(maps, boxes, rows, columns, height, width):
    """Count how often the highest cell of a word's map lies in one of its boxes, and how often a random cell would.

    maps: (words, rows * columns), row by row; boxes: (words, most_boxes, 4), x0, y0, x1, y1 in pixels, or -1.
    height, width: of the image in pixels. A middle is inside if x0 <= x < x1 and y0 <= y < y1.
    Returns the hit rate and the chance level, two numbers; words without a box are left out of both.
    """
    ### BEGIN SOLUTION
    cell = torch.arange(rows * columns)
    x = (cell % columns + 0.5) * width / columns
    y = (cell // columns + 0.5) * height / rows
    x0, y0, x1, y1 = boxes.unsqueeze(-1).unbind(dim=2)  # (words, most_boxes, 1) each
    inside = ((x >= x0) & (x < x1) & (y >= y0) & (y < y1)).any(dim=1)  # (words, cells)
    hit = inside.gather(1, maps.argmax(dim=1, keepdim=True)).squeeze(1)
    has_box = (boxes != -1).any(dim=2).any(dim=1)
    return hit[has_box].float().mean().item(), inside[has_box].float().mean().item()
    ### END SOLUTION


# %% check="pointing-game" points=3
check("04.pointing-game", pointing_game);

# %% hidden="pointing-game" points=3
### BEGIN HIDDEN TESTS
none = [-1, -1, -1, -1]
spots = torch.zeros(5, 6)  # 2 rows, 3 columns on 20 x 60 pixels: the middles are at 10, 30, 50 and 5, 15
spots[torch.arange(5), torch.tensor([2, 3, 1, 5, 4])] = 0.7
golden = torch.tensor([
    [[40, 0, 60, 20], none], [none, [0, 0, 11, 15]], [none, none], [[31, 0, 51, 16], [30, 2, 60, 20]], [[0, 0, 20, 20], [31, 0, 60, 9]],
])  # fmt: skip
untouched = spots.clone(), golden.clone()
rate, luck = pointing_game(spots, golden, 2, 3, 20, 60)  # hit, behind the lower edge, no box, hit, between two boxes
assert abs(float(rate) - 2 / 4) < 1e-6 and abs(float(luck) - (2 + 1 + 4 + 3) / 6 / 4) < 1e-6
assert torch.equal(spots, untouched[0]) and torch.equal(golden, untouched[1])
level = pointing_game(torch.full((3, 2), 0.5), torch.tensor([[[0, 0, 2, 4]], [[2, 0, 4, 4]], [[0, 0, 2, 4]]]), 1, 2, 4, 4)
assert abs(float(level[0]) - 2 / 3) < 1e-6 and abs(float(level[1]) - 0.5) < 1e-6
torch.manual_seed(4)
maps, low = torch.rand(300, 35).softmax(1), (torch.rand(300, 2, 2) * torch.tensor([30, 20])).long()
many = torch.cat([low, low + 5 + (torch.rand(300, 2, 2) * 15).long()], 2)
many[::3, 0], many[::4, 1] = -1, -1
hits, cells, kept = 0, 0, 0
for row, gold in zip(maps.tolist(), many.tolist(), strict=True):
    gold = [box for box in gold if box != none]
    points = [((c + 0.5) * 46 / 7, (r + 0.5) * 33 / 5) for r in range(5) for c in range(7)]
    within = [any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in gold) for x, y in points]
    hits, cells, kept = hits + within[row.index(max(row))], cells + sum(within), kept + bool(gold)
rate, luck = pointing_game(maps, many, 5, 7, 33, 46)
assert abs(float(rate) - hits / kept) < 1e-6 and abs(float(luck) - cells / kept / 35) < 1e-5
### END HIDDEN TESTS


# %%
best = trained.get("04-soft", models["soft"])
examples = test if "04-soft" in trained else unseen


def nouns_of(model):
    """The maps of the nouns of all test scenes, `(nouns, cells)`, and their gold boxes, `(nouns, 3, 4)`, -1 where there are fewer."""
    maps, boxes = [], []
    for example, look in zip(examples, teacher_forced_traces(model, data, examples), strict=True):
        for word, gold in example.boxes().items():
            maps.append(look.attention_weights[word])
            boxes.append([*gold, *[(-1, -1, -1, -1)] * (3 - len(gold))])
    return torch.stack(maps), torch.tensor(boxes)


def mark(model, shift=0):
    """Play the pointing game with boxes that are moved to the lower right; your own version counts, once it passes its check."""
    maps, boxes = nouns_of(model)
    count, encoder = checked("04.pointing-game", pointing_game), model.encoder
    return count(maps, torch.where(boxes < 0, boxes, boxes + shift), encoder.rows, encoder.columns, encoder.height, encoder.width)


hits, chance = mark(best)
print(f"soft attention: {100 * hits:.1f} % of the nouns look into a gold box; a random cell does in {100 * chance:.1f} %")

# %% [markdown]
# ### Look at what the mark calls wrong
#
# A mark is made by people, too. Where do the peaks lie that hit no box, seen from the middle of the nearest one?

# %%
maps, boxes = nouns_of(best)
cells = best.encoder.cell_boxes()
peaks = ((cells[:, :2] + cells[:, 2:]) / 2)[maps.argmax(dim=1)].unsqueeze(1)  # (nouns, 1, 2) pixels
offsets = peaks - (boxes[..., :2] + boxes[..., 2:]) / 2
distances = offsets.norm(dim=2).masked_fill(boxes[..., 0] < 0, math.inf)
nearest = offsets[torch.arange(len(offsets)), distances.argmin(dim=1)]
missed = ~((peaks >= boxes[..., :2]) & (peaks < boxes[..., 2:])).all(dim=2).any(dim=1)
right, below = nearest[missed].mean(dim=0).tolist()
print(f"{int(missed.sum())} of {len(missed)} nouns miss; on average by {right:+.1f} pixels to the right and {below:+.1f} downwards")
upper_left = (nearest[missed] < 0).all(dim=1).float().mean()
print(f"{100 * upper_left:.0f} % of the misses lie to the upper left of the object; without a bias a quarter would")

# %% [markdown]
# So the misses have a direction. A model that was wrong about objects would miss on all sides; this is somebody's ruler lying askew. Ours. The layer that halves the map has filters of three patches, a stride of two, and one patch of padding: the filter of cell $i$ is centred on
# patch $2i$. A cell is drawn as a square of two patches, and sees best what lies **half a patch to the upper left** of the square's middle. Move the boxes by as much to the lower right, and count again.

# %%
half_a_patch = best.encoder.side // 4  # pixels
hits_of_view, _ = mark(best, half_a_patch)
print(f"{100 * hits_of_view:.1f} % of the nouns look into a gold box, where the filters are centred ({100 * hits:.1f} % by the squares that are drawn)")

# %% [markdown]
# Figures of attention over pictures are drawn by stretching a small grid over a large picture, in the paper as here. Nothing in such a figure says that the grid lies right. The claims below are counted by the squares, which is the stricter count.
#
# ### What the gate does

# %%
looks = teacher_forced_traces(best, data, examples)
gates = gate_score(looks, examples)
print(f"the gate lets {100 * gates.nouns:.0f} % in at nouns, and {100 * gates.function:.0f} % at words such as {', '.join(FUNCTION_WORDS[:4])}")

# %% [markdown]
# ### What the penalty changes
#
# The penalty wants every cell looked at once. A caption of fifteen words cannot do that with sixty-four cells, so it spreads each look. Coverage rises. What happens to the pointing?

# %%
for name in ("04-soft", "04-penalty"):
    if name in trained:
        rows = teacher_forced_traces(trained[name], data, examples)
        pointing, _ = mark(trained[name])
        print(f"{name:<12} penalty term {mean_penalty(rows):6.2f}   pointing {100 * pointing:5.1f} %   exact {100 * final[name].exact:5.1f} %")

# %% [markdown]
# A penalty that asks for even looks gets them, also where an uneven look was right. Of the maps in the paper that look so calm and complete, some of the calm is the penalty's.
#
# ### Maps with more groups
#
# Point at a word, or press Tab and then the arrow keys. Where would you look to say it? Guess, then switch the truth on.

# %%
def explore(example, words, weights, title, **marks):
    """Let the reader go through a caption word by word and see where the model looked."""
    maps = weights.unflatten(1, (best.encoder.rows, best.encoder.columns))
    display(explore_word_maps(example.image / 255, [*words, "(end)"][: len(maps)], maps, title=title, **marks))


busy = max(examples[:20], key=lambda example: len(example.scene.groups))
(look,) = teacher_forced_traces(best, data, [busy])
explore(busy, look.words, look.attention_weights, "Where does each word look?", gold=busy.boxes(), gates=look.gates)

# %% [markdown]
# ### What goes wrong
#
# The first three scenes that the best model gets wrong, with the first mistake of each.

# %% tags=["gallery"]
captions = [data.vocabulary.decode(found.tokens) for found in write_captions(best, torch.stack([e.image for e in examples]))]
wrong = [(example, words, example.problems(words)[0]) for example, words in zip(examples, captions, strict=True) if example.problems(words)]
print("what is wrong first:", mistakes_of(best, examples))
for number, (example, words, problem) in enumerate(wrong[:3], start=1):
    print(f"{number}. said:  {' '.join(words)}\n   truth: {example.references[0]}\n   {problem}")
if wrong:
    ((sort, _),) = Counter(sort_of_problem(problem) for *_, problem in wrong).most_common(1)
    said = [f"{number}. said: “{' '.join(words[:30]).replace(' ,', ',')}”; wrong: {problem}" for number, (_, words, problem) in enumerate(wrong[:3], start=1)]
    title = f"{len(wrong)} of {len(examples)} scenes are described wrongly; most often wrong: the {sort}"
    show(plot_images([example.image / 255 for example, *_ in wrong[:3]], title=title, captions=said, columns=3, inches=2.6))

# %% [markdown]
# A look at the right place is not yet a right word.
#
# ## Real data
#
# Photographs with captions and boxes (COCO), if `WHERE_TO_LOOK_DATA` names a folder that has them; else those of Flickr8k, which have captions alone. The model has only ever seen drawings. It knows few of the words, but it must look somewhere at each; how often is that in the box of what people named?

# %%
if SOURCE == "real":
    try:
        photographs = photographs_to_test()
        if any(p.objects for p in photographs):
            looks = teacher_forced_traces(best, data, photographs)
            result = score_pointing([look.attention_weights for look in looks], photographs, best.encoder.cell_boxes())
            print(f"{result.nouns} named words: {100 * result.hits:.1f} % in a box; an even map: {100 * result.uniform:.1f} %")
        else:
            print("These photographs have no gold boxes, so where the model attends is not evaluated.")
        show(plot_images([p.image / 255 for p in photographs[:6]], title="Photographs, and what their captions name",
                           boxes=[[box for boxes in p.boxes().values() for box in boxes] for p in photographs[:6]]))  # fmt: skip
        print("\n".join(sorted({p.credit for p in photographs[:6]})))
    except RealDataError as error:
        print("no photographs:", error)
elif own:
    own_model, history = fit(LIVE["soft"].shortened(STEP_SHARE), own, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
    print(f"{own.name}: {len(own.train)} images for training, {len(own.examples)} for testing. {history.summary()}")
    for example in own.examples[:3]:
        (caption,) = write_captions(own_model, example.image[None])
        print("truth:", example.references[0], "\n says:", " ".join(own.vocabulary.decode(caption.tokens)))
    (look,) = teacher_forced_traces(own_model, own, own.examples[:1])
    maps = look.attention_weights.unflatten(1, (own_model.encoder.rows, own_model.encoder.columns))
    print("Gold boxes are missing: the attention weights are shown, not evaluated.")
    show(plot_word_maps(own.examples[0].image / 255, [*look.words, "(end)"], maps, gates=look.gates, title="An image of your own, and the attention weights of each word"))
else:
    print('This run used drawn scenes. Set SOURCE = "real" in the settings cell for photographs.')

# %% [markdown]
# A model for photographs starts from a network that was trained to name a million of them; the paper's did. Ours learned to see from captions alone, in minutes, and only what it needed.
#
# ## Your own scene


# %%
def try_it(left="dog", right="kite", number=2, seed=1):
    """Draw a scene of two kinds side by side and show how the best model describes it."""
    example = beside_each_other(left, right, number, seed)
    (caption,) = write_captions(best, example.image[None])
    words = data.vocabulary.decode(caption.tokens)
    mistakes = example.problems(words)
    print("the model says:", " ".join(words), "✗" if mistakes else "✓")
    explore(example, words, caption.attention_weights, mistakes[0] if mistakes else "True and complete")


try_it("dog", "kite", 2)

# %% [markdown]
# Where the notebook is live, here are controls. (In a printed page they do nothing.)

# %%
controls = [ipywidgets.Dropdown(description="left", options=sorted(KINDS), value="owl"), ipywidgets.Dropdown(description="right", options=sorted(KINDS), value="car"),
            ipywidgets.IntSlider(description="number", min=1, max=3, value=3, continuous_update=False), ipywidgets.IntSlider(description="seed", min=0, max=99, value=2, continuous_update=False)]  # fmt: skip
output = ipywidgets.Output()


def redraw(_):
    """Draw and describe again, into the area under the controls."""
    output.clear_output(wait=True)
    with output:
        if controls[0].value == controls[1].value:
            print("Two groups of one kind are one group: choose two kinds.")
        else:
            try_it(*(control.value for control in controls))


for control in controls:
    control.observe(redraw, names="value")
ipywidgets.VBox([*controls, output])

# %% [markdown]
# ## The claims, tested
#
# The paper's claims with their figures, and ours: the mean over the seeds, and the 95 % interval of the paired difference. A claim *holds* if the whole interval lies on its side and the p-value, corrected for the number of claims (Holm), is below 0.05. It is *contradicted* if the same is true of the other side, *void* if both systems are at a floor or ceiling, else *inconclusive*. The seeds were fixed beforehand, and the
# vectors were given as much training time as the models that look.

# %%
stored = [load_results("04", source) for source in ("default", "real")]
entries = [entry for results in stored if results for entry in results["claims"]]
display(Markdown(claims_table(entries) if entries else "No results are stored yet."))

# %% [markdown]
# ## Limits, and what came next
#
# - The cells are a grid; objects are not. Later models attend to boxes that a detector proposes (2017), then to patches without any convolution (2020).
# - One look per word, and the look comes *before* the word is known. What if the model reads text of which each word asks a question? → *Lesson 5: a look for every word that is read.*
# - Hard attention needs a soft teacher here. In the paper it won narrowly with a network that already knew how to see.
#
# <details><summary><b>Question:</b> why does a caption model without coordinates confuse left and right?</summary>
#
# A convolution does the same everywhere. The vector of a cell with a dog in it is the same on the left and on the right, and the weighted average forgets where it came from. Only the numbers $(x, y)$ in the cell, or the padding at the border, tell.
# </details>
#
# <details><summary><b>Question:</b> a map points at the dog when the model says "dogs". Does that prove that it said so <i>because</i> of the dog?</summary>
#
# No. It proves that the dog's cell had the largest weight. The word may come from elsewhere: from the first state, which has seen the mean of all cells, or from a neighbour's cell. To know, take the cell away and see whether the word changes.
# </details>

# %% tags=["closing-table"]
print(f"lesson 4, {'FAST: too few steps to judge' if FAST else 'full size'}, scenes of two groups, unseen pairs, seed {SEED}")
print(f"{'':<26}{'exact, a minute':>16}{'BLEU-4':>8}")
for name, label in {"none-flat": "flattened vector", "soft": "soft attention", "hard": "hard, after soft"}.items():
    print(f"{label:<26}{100 * scores[name].exact:>14.0f} %{scores[name].bleu:>8.1f}")
print(f"pointing game: {100 * hits:.0f} % by the squares, {100 * hits_of_view:.0f} % by the middles of the views, a random cell {100 * chance:.0f} %")
for entry in entries:
    verdict = entry["verdict"]
    print(f"{entry['id']:<28}{entry['source']:>8}  {verdict:<14} difference {entry['difference']['mean']:+.2f}")

# %% [markdown]
# ## Further reading
#
# - Xu, Ba, Kiros, Cho, Courville, Salakhutdinov, Zemel and Bengio, [*Show, Attend and Tell*](https://arxiv.org/abs/1502.03044), 2015: section 4 for hard and soft; the appendix for more maps.
# - Vinyals, Toshev, Bengio and Erhan, [*Show and Tell*](https://arxiv.org/abs/1411.4555), 2015: the same without looking.
# - Zhang, Lin, Brandt, Shen and Sclaroff, [*Top-down Neural Attention by Excitation Backprop*](https://arxiv.org/abs/1608.00507), 2016: the pointing game.
# - Liu, Mao, Sha and Yuille, [*Attention Correctness in Neural Image Captioning*](https://arxiv.org/abs/1605.09553), 2017: maps marked against boxes, on photographs.
