# %% [markdown]
# # 6 · Speech: attention that must move forward
#
# In lesson 2 every word of a translation could look at every word of the source. It needed that freedom: adjectives and nouns change places. Who writes down what is said has no use for it. Sounds come one after the other and are written one after the
# other; the look has only to move **forward**, a little at every step.
#
# And yet this is harder. A sentence has ten words; ten seconds of speech have a thousand frames, and many of them sound alike. Every *s* is like every other *s*, and a pause is a pause. An attention that finds its place by **content** alone
# has to tell apart what is alike.
#
# In June 2015 a group in Wrocław, Bremen and Montreal showed where that ends. Their recognizer did well on utterances as long as those of its training. On longer ones it fell apart: it left out pieces, or wrote a piece twice. The remedy is one small convolution:
# let the attention know **where it has just been**.
#
# **The question of this lesson:** what does an attention lose that knows only what it hears, and what does it gain by knowing where it listened last? And does it listen to a phoneme while that phoneme sounds?
#
# On a laptop with two cores this notebook takes at most four minutes from top to bottom.

# %% [markdown]
# ## Predict first
#
# Write your guesses down. You will meet the answers below, in this order.
#
# 1. A second of speech is played twice in a row. What does a listener do at the second time who goes by content alone?
# 2. By how many milliseconds do the looks miss the boundary between two phonemes? The listener takes steps of 40 ms.
# 3. A model knows sixteen speakers. How many phonemes does it get wrong for a speaker whom it has never heard: about as many, twice as many, most?
# 4. Trained on utterances of one or two seconds, it hears eight seconds. What goes wrong first: does it stop too early, leave something out, or write something twice?

# %% [markdown]
# ## Settings
#
# The only cell that configures anything. `SOURCE = "real"` lets the trained model hear people in the section on real data. `SOURCE` may also be the path of a folder with recordings of your own, which that section trains on: docs/own_data.md says what they look like.

# %% tags=["settings"]
import math
import random

import matplotlib.pyplot as plt
import numpy
import torch
from IPython.display import Audio, Markdown, display

from course_utils.checkpoints import CheckpointError
from course_utils.data.speech.espeak import EspeakError, espeak_problem
from course_utils.data.speech.features import FRAME_MS, SAMPLE_RATE, STEP_MS
from course_utils.data.speech.utterances import TRAINING_SPEAKERS, UNSEEN_SPEAKERS, Utterance, speak_utterance, waveform
from course_utils.data.speech.data import count_steps, gold_overlap, join_utterances
from course_utils.exercises import check, checked
from experiments.claims import claims_table, load_results
from experiments.lesson_06_speech import LIVE, load_trained
from experiments.speech import END_WITHIN, WINDOW, error_by_speaker, fit, joined, teacher_forced_attention, score_attention, recognize, utterances_of
from course_utils.mechanisms.location import LocationAwareAttention
from course_utils.teaching.explorer import explore_speech
from course_utils.teaching.plots import describe, house_style, plot_lines, show
from course_utils.teaching.sounds import plot_listening, plot_paths, plot_spectrogram, plot_time_alignment, plot_speakers
from course_utils.training import is_fast_run

SOURCE = "default"  # "default": speech by a synthesizer; "real": also recorded people; or the path of your own
SEED = 0
FAST = is_fast_run()  # few training steps, for automatic tests; the closing table says so
TIME_LIMIT_SECONDS = 120  # a safety net for each training
torch.set_num_threads(1)  # the matrices are so small that a second thread waits more than it works
torch.manual_seed(SEED)
house_style()

# %% [markdown]
# ## The data, and their truth
#
# A synthesizer reads a few words at a time, with sixteen speakers, at many speeds and pitches, and noise is mixed in. Some of the words are made up ("llatchen"), so that they cannot be learned by heart. While it speaks, the synthesizer reports **when each phoneme begins**. So we know what no
# listener of a recording knows for certain: what sounds when.
#
# The speaker is *espeak-ng*. It is free software under the GPL, version 3 or later, and is installed beside this course, not part of it; what it says is yours. The first time this takes up to a minute. After that the utterances come from your disk.

# %%
from course_utils.data.speech.own import own_recording_data

problem = espeak_problem()
if problem:
    print("NOTHING CAN BE SPOKEN HERE:", problem)
    print("The lesson goes on with a small prepared set of features. Its figures are much worse, and there is nothing to listen to.")
data = utterances_of(*((40, 10) if FAST else ()))
own = None if SOURCE in ("default", "real") else own_recording_data(SOURCE)  # for the section on real data
tests = data.test
speakers = {one.utterance.speaker for one in data.train}
symbols = {symbol for one in data.train for symbol in one.symbols}
minutes = sum(len(one.features) for one in data.train) * FRAME_MS / 60_000
print(f"{len(data.train):,} utterances for training, {minutes:.0f} minutes of {len(speakers)} speakers; {len(symbols)} phonemes")
for name, spoken in tests.items():
    print(f"{name:<16}{len(spoken)} utterances, for example: {', '.join(one.utterance.text for one in spoken[:3])}")
print(data.credit)

# %% [markdown]
# "test" has **words that the training never had**, "unseen phrases" has new combinations of known words, "unseen speakers" has both new words and new speakers. Words are held out by their first letters, so that nobody hears half of a test word in training.
#
# Look at one, and listen. Dark is loud; each row is a band of frequencies, equally wide to the ear. The orange lines are the synthesizer's own boundaries.

# %%
def sound(*spoken):
    """The sound of utterances in a row, `(samples,)`; None where nothing can be spoken."""
    if problem:
        return None
    per_frame = SAMPLE_RATE * FRAME_MS // 1000
    parts = [waveform(one.utterance) for one in spoken]
    return numpy.concatenate([numpy.pad(part, (0, -len(part) % per_frame)) for part in parts])  # whole frames


def play(samples):
    """Show a player, if there is a sound."""
    display("no sound here, see above" if samples is None else Audio(samples, rate=SAMPLE_RATE))


one = tests["test"][3]
said = f"“{one.utterance.text}”: {len(one.phonemes)} phonemes in {len(one.features) * FRAME_MS / 1000:.1f} seconds"
show(plot_spectrogram(one.features, one.phonemes, title=said))
play(sound(one))

# %% [markdown]
# A *P* begins with a closed mouth: first a pale gap, then a short burst. An *S* is noise high up. Vowels are dark bands, one above the other, that bend towards their neighbours; where one sound ends and the next begins is a convention. Mind the look-alikes: the same sounds come more than once.
#
# What would a **perfect** listener look like? It would look at each phoneme just while it sounds. Choose a phoneme (point at it, or press Tab and then the arrow keys), and press *play what it listened to*.

# %%
def gold_attention(one):
    """The looks of a listener who knows when everything sounds: `(phonemes, steps)`."""
    overlap = gold_overlap(one.phonemes, count_steps(one))
    return overlap / overlap.sum(dim=1, keepdim=True)


explore_speech(gold_attention(one), one.symbols, one.features, phonemes=one.phonemes, samples=sound(one), title="What a perfect look would hear")

# %% [markdown]
# Alone, most of them are hard to name. People hear a phoneme by what stands around it, and so will the model.
#
# ### How to count mistakes
#
# What a model writes and what was said have different lengths, so they cannot be compared place by place.

# %% [markdown]
# ### Exercise phoneme-error-rate
#
# Said was *K AE T S*, written was *K AA S S IH*. The model changed *AE* to *AA*, changed *T* to *S*, and inserted an *IH*: three edits. The **edit distance** is the smallest number of substitutions, deletions and
# insertions that turn what was said into what was written. The *phoneme error rate* sums it over all utterances, and divides **once**:
#
# $$\text{PER} = \frac{\sum_u \text{distance}(\text{hypothesis}_u,\ \text{reference}_u)}{\sum_u |\text{reference}_u|}$$
#
# To find the distance, fill a table. $D_{ij}$ is the distance of the first $i$ phonemes written and the first $j$ said. Against nothing, everything is an edit: $D_{i0} = i$ and $D_{0j} = j$. Otherwise the last phonemes are matched, or one of them stands alone:
#
# $$D_{ij} = \min\big(D_{i-1,\,j} + 1,\quad D_{i,\,j-1} + 1,\quad D_{i-1,\,j-1} + [\text{written}_i \ne \text{said}_j]\big)$$
#
# `hypotheses` (written) and `references` (said) are lists of utterances in the same order, and an utterance is a list or tuple of phonemes, which are strings such as "AE". Compare phonemes as they are: *AE* and *AA* are **one** phoneme each, so letters do not count, and case, stress digits and
# punctuation matter (*AA0* is not *AA1*). A hypothesis may be empty, and so may a reference, but not all references. Return one number. It may exceed 1, since there may be more edits than phonemes said. Keep the table: without it the time doubles with every phoneme.
#
# *By hand:* said *B IY* and *T UW*, written *B IY* and *UW*: one deletion, four phonemes said, so the rate is $1/4$.


# %% exercise="phoneme-error-rate"
def phoneme_error_rate(hypotheses, references):
    """Compute the phoneme error rate: the edits of all utterances, divided by all phonemes said.

    hypotheses, references: lists of utterances in the same order, each a list or tuple of phonemes (strings).
    Returns the rate, 0 = all right; above 1 if there are more edits than phonemes said.
    """
    ### BEGIN SOLUTION
    wrong = 0
    for written, said in zip(hypotheses, references, strict=True):
        row = list(range(len(said) + 1))  # distances of nothing written
        for i, phoneme in enumerate(written, start=1):
            above, row = row, [i]
            for j, true in enumerate(said, start=1):
                row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (phoneme != true)))
        wrong += row[-1]
    return wrong / sum(len(said) for said in references)
    ### END SOLUTION


# %% check="phoneme-error-rate" points=3
check("06.phoneme-error-rate", phoneme_error_rate);

# %% hidden="phoneme-error-rate" points=3
### BEGIN HIDDEN TESTS
spoken_words = [["S", "P", "IY", "CH"], ["L", "UH", "K"], ["HH", "IH", "R"], ["N", "AW"]]
heard = [["S", "B", "IY"], ["L", "UH", "K", "S"], [], ["N", "AW"]]  # 2 edits, 1, 3, 0
copies = [list(words) for words in heard], [list(words) for words in spoken_words]
assert abs(float(phoneme_error_rate(heard, spoken_words)) - 6 / 12) < 1e-6
assert (heard, spoken_words) == copies
assert abs(float(phoneme_error_rate([tuple("abcd")], [tuple("bcd")])) - 1 / 3) < 1e-6  # all moved by one place
assert abs(float(phoneme_error_rate([["SH", "IY"]], [["S", "HH", "IY"]])) - 2 / 3) < 1e-6  # not letters
assert abs(float(phoneme_error_rate([["AH0", "t", "S"]], [["AH1", "T", "S"]])) - 2 / 3) < 1e-6  # as they are
assert abs(float(phoneme_error_rate([["N"] * 7, ["T"]], [["N"], []])) - 7) < 1e-6


def tried_all(a, b):
    """The edits of the best of all ways."""
    if not a or not b:
        return len(a) + len(b)
    rest = tried_all(a[1:], b[1:])
    return rest if a[0] == b[0] else 1 + min(rest, tried_all(a[1:], b), tried_all(a, b[1:]))


dice = random.Random(6)
drawn = [[dice.choices(("AA", "AE", "A"), k=dice.randint(0, 5)) for _ in range(40)] for _ in range(2)]
edits = sum(tried_all(a, b) for a, b in zip(*drawn, strict=True))
assert abs(float(phoneme_error_rate(*drawn)) - edits / sum(map(len, drawn[1]))) < 1e-6
lengthy = [str(k) for k in range(80)]
assert abs(float(phoneme_error_rate([lengthy, [], ["K"]], [lengthy, lengthy, ["T"]])) - 81 / 161) < 1e-6
### END HIDDEN TESTS

# %% [markdown]
# Before any model is praised, measure somebody who does not listen at all: for each test utterance, he writes down the training utterance that lasted most nearly as long.

# %%
rate = checked("06.phoneme-error-rate", phoneme_error_rate)
references = [one.symbols for one in tests["test"]]
lengths = numpy.array([len(one.features) for one in data.train])
guesses = [data.train[int(abs(lengths - len(one.features)).argmin())].symbols for one in tests["test"]]
print(f"writing nothing:                     {100 * rate([[] for _ in references], references):.0f} % of the phonemes wrong")
print(f"something else of the same duration: {100 * rate(guesses, references):.0f} %")

# %% [markdown]
# ## The baseline: looking by content
#
# The **listener**: bidirectional GRUs over the spectrogram (one layer here, two in the longer training below). Frames come every 10 ms, which is more than is needed, so four of them side by side make one *step* of 40 ms: the sequence is a quarter as long, for the listener and for every look.
#
# The **speller**: a GRU writes one phoneme after the other, until it writes the end symbol. At each of them it looks, as in lesson 2:
#
# $$e_{ij} = w^\top \tanh(W s_{i-1} + V h_j + b) \qquad \alpha_i = \text{softmax}(e_i)$$
#
# $s$ is the speller's state, $h_j$ what was heard at step $j$. Nothing in the formula knows *where* $j$ is. Less than a minute.

# %%
STEP_SHARE = 0.002 if FAST else 1.0
models, errors = {}, {}


def write(model, spoken, **decoding):
    """What a model writes: the phonemes of each utterance."""
    return [data.vocabulary.decode(found.tokens) for found in recognize(model, data, spoken, **decoding)]


def errors_of(model, spoken, **decoding):
    """Phoneme error rate, %."""
    return 100 * rate(write(model, spoken, **decoding), [one.symbols for one in spoken])


def train_live(system):
    """Train one of the lesson's small models and test it."""
    models[system], history = fit(LIVE[system].shortened(STEP_SHARE), data, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
    errors[system] = {test: errors_of(models[system], spoken) for test, spoken in tests.items()}
    print(history.summary())
    print(", ".join(f"{test}: {value:.1f} % wrong" for test, value in errors[system].items()))


train_live("content")

# %% [markdown]
# A minute of training, and it spells words that it never heard. What shall be wrong with looking by content?
#
# ### Twice in a row
#
# Play utterances twice, each as one. The listener has two seconds before it in place of one, and everything in it is there twice. The picture shows the one of forty at which this model jumps back most often.

# %%
JUMP = 5  # steps: a look that goes back by more than 200 ms is a jump
twice = joined(tests["test"][: 10 if FAST else 40], 2, repeat=True)


def jumps_back(found):
    """How often the largest weight jumped back, in one hypothesis."""
    return int((found.attention_weights.argmax(dim=1).diff() < -JUMP).sum())


def listen_twice(name, worst=None):
    """Let a model write freely what is said twice; draw when it listened to one of them. Returns which."""
    found = recognize(models[name], data, twice)
    number = worst if worst is not None else max(range(len(found)), key=lambda k: jumps_back(found[k]))
    one, spoken = found[number], twice[number]
    rows = [*data.vocabulary.decode(one.tokens), "(end)"][: len(one.attention_weights)]
    weights = one.attention_weights[:, : count_steps(spoken)].cpu()
    title = f"By {name}: {len(one.tokens)} phonemes written, {len(spoken.symbols)} said; {jumps_back(one)} jumps back"
    show(plot_time_alignment(weights, rows, count_steps(spoken), title=title))
    once, again = errors_of(models[name], tests["test"][: len(twice)]), errors_of(models[name], twice)
    short = sum(len(one.tokens) < 3 / 4 * len(spoken.symbols) for one, spoken in zip(found, twice, strict=True))
    print(f"once: {once:.1f} % wrong; twice as one: {again:.1f} %; {short} of {len(twice)} leave out a quarter or more")
    return number


worst_twice = listen_twice("content")

# %% [markdown]
# Where a row is pale, the look is torn between places that sound alike. Where the dark squares turn back to the left, the same stretch is heard, and written, again. Why should it not be? Compare what the listener makes of a step of the first copy with the same place of the second, and with all other places.

# %%
def heard_alike(model, one):
    """Cosines between what is heard in two copies in a row, `(steps, steps)`: the same place of both is on the diagonal."""
    batch = next(data.ordered_batches([join_utterances([one, one])])).to(next(model.parameters()).device)
    with torch.no_grad():
        heard = model.listen(batch.features, batch.feature_mask).values[0].cpu()
    heard = torch.nn.functional.normalize(heard - heard.mean(dim=0), dim=1)
    half = len(heard) // 2
    return heard[:half] @ heard[half : 2 * half].T


alike = heard_alike(models["content"], one)
elsewhere = alike[~torch.eye(len(alike), dtype=torch.bool)]
print(f"cosine of the same place in both copies: {alike.diagonal().median():.2f}; of different places: {elsewhere.median():.2f} (medians)")

# %% [markdown]
# To the listener the two copies are nearly one and the same. In principle the speller could count along ("I have written eleven, so I am in the second copy"); nothing in training of one second at a time teaches it to.
#
# ## The mechanism: knowing where one was
#
# The weights of the last look, $\alpha_{i-1}$, say where it was. Let them take part in the next one.

# %% [markdown]
# ### Exercise location-features
#
# A frame cannot know by itself whether the attention of the previous step was near. So convolve the previous weights **around** each frame with a few filters $F_1 \dots F_K$ that are learned:
#
# $$f_{jk} = \sum_{d=0}^{D-1} F_k[d]\ \alpha_{j + d - m}, \qquad m = \lfloor D / 2 \rfloor$$
#
# A filter has $D$ numbers, and $D$ is odd. Its middle number meets the frame itself, and the numbers to the left of the middle meet the frames to the left. Outside the utterance all weights are zero. A filter may be wider than the utterance. (This is what torch calls a convolution; the filters are not flipped.)
#
# `previous_weights` is $\alpha_{i-1}$, `(batch, frames)`, and each row sums to one; padding has the weight zero there already, so no mask is needed. `filters` is `(filters, width)`. Return all $f_{jk}$, `(batch, frames, filters)`: one number for each frame and filter.
#
# *By hand:* all previous attention was on frame 1 of 4, so $\alpha = (0, 1, 0, 0)$. The filter $(1, 0, -1)$ gives $f = (-1, 0, 1, 0)$: positive one frame after the attention, negative one frame before it.


# %% exercise="location-features"
def location_features(previous_weights, filters):
    """Convolve the previous attention weights with each filter.

    previous_weights: (batch, frames), each row sums to one; zero on padding.
    filters: (filters, width), the width odd.
    Returns the features, (batch, frames, filters).
    """
    ### BEGIN SOLUTION
    half = filters.shape[1] // 2
    around = torch.nn.functional.pad(previous_weights, (half, half)).unfold(1, filters.shape[1], 1)
    return around @ filters.T  # (batch, frames, width) times (width, filters)
    ### END SOLUTION


# %% check="location-features" points=1
check("06.location-features", location_features);

# %% hidden="location-features" points=1
### BEGIN HIDDEN TESTS
torch.manual_seed(6)
for rows, frames, kinds, width in [(3, 8, 2, 3), (2, 5, 4, 7), (1, 4, 1, 1), (3, 3, 3, 3)]:
    last, bank = torch.rand(rows, frames), torch.randn(kinds, width)
    kept = last.clone(), bank.clone()
    found = location_features(last, bank)
    assert found.shape == (rows, frames, kinds) and torch.equal(last, kept[0]) and torch.equal(bank, kept[1])
    for b in range(rows):
        for j in range(frames):
            for k in range(kinds):
                places = [(d, j + d - width // 2) for d in range(width)]
                total = sum(bank[k, d].item() * last[b, t].item() for d, t in places if 0 <= t < frames)
                assert abs(found[b, j, k].item() - total) < 1e-5
sided = location_features(torch.tensor([[0.0, 1.0, 0.0, 0.0]]), torch.tensor([[1.0, 0.0, -1.0]]))
assert torch.allclose(sided, torch.tensor([[[-1.0], [0.0], [1.0], [0.0]]]), atol=1e-6)
leaves = [torch.rand(2, 5).requires_grad_(), torch.randn(3, 3).requires_grad_()]
location_features(*[leaf * 1 for leaf in leaves]).square().sum().backward()
assert all(leaf.grad.abs().sum() > 0 for leaf in leaves)
assert location_features(torch.rand(1, 4).double(), torch.rand(2, 3).double()).dtype == torch.float64
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise location-score
#
# Now the features of [[location-features]] join the score, as a third term beside the state and the encoder outputs:
#
# $$e_j = w^\top \tanh(W s + V h_j + U f_j + b) \qquad \alpha = \text{softmax}(e)$$
#
# All terms are added **before** the tanh. A term that is added after it, the same for all frames, drops out of the softmax. A term that is added after it to a single frame cannot say "this sound, *but only if* it is near": for that the terms have to meet inside.
#
# `state` is $s$, `(batch, state_size)`. `encoder_outputs` are the $h_j$, `(batch, frames, value_size)`. `features` are the $f_j$, `(batch, frames, filters)`. `frame_mask` is `(batch, frames)`, True at real frames; on padding outputs and features are finite, too, and the weights exactly zero, even if real scores are near $-10^{30}$. `W` is `(attention_size, state_size)`, `V`
# `(attention_size, value_size)`, `U` `(attention_size, filters)`, and `b` and `w` are `(attention_size,)`. Return the weights $\alpha$, `(batch, frames)`; the real ones of each row sum to one.
#
# *By hand:* all sizes 1, all matrices and $w$ are 1, $b = 0$ and $s = 0$. Three frames with $h = (1, 1, 5)$, the third of them padding, and $f = (0, 1, 0)$. The scores of the two real frames are $\tanh 1$ and $\tanh 2$, so $\alpha \approx (0.45, 0.55, 0)$. Both frames sound the same; the location decides.


# %% exercise="location-score"
def location_score(state, encoder_outputs, features, frame_mask, W, V, U, b, w):
    """Compute attention weights from the content of each frame and from the previous attention.

    state: (batch, state_size); encoder_outputs: (batch, frames, value_size); features: (batch, frames, filters).
    frame_mask: (batch, frames), True = real frame.
    W: (attention_size, state_size); V: (attention_size, value_size); U: (attention_size, filters); b, w: (attention_size,).
    Returns attention_weights, (batch, frames), exactly zero on padding.
    """
    ### BEGIN SOLUTION
    asked = (state @ W.T).unsqueeze(1)  # (batch, 1, attention_size)
    hidden = torch.tanh(asked + encoder_outputs @ V.T + features @ U.T + b)  # (batch, frames, attention_size)
    scores = (hidden @ w).masked_fill(~frame_mask, float("-inf"))
    return torch.softmax(scores, dim=1)
    ### END SOLUTION


# %% check="location-score" points=2
check("06.location-score", location_score);

# %% hidden="location-score" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(6)
for n, frames, size in [(3, 4, (2, 3, 2, 5)), (4, 4, (4, 4, 4, 4)), (1, 2, (1, 2, 3, 4))]:
    s, h, f = torch.randn(n, size[0]), torch.randn(n, frames, size[1]), torch.randn(n, frames, size[2])
    A, B, C = (torch.randn(size[3], k) for k in size[:3])
    bias, v = torch.randn(2, size[3])
    real = torch.arange(frames) < torch.tensor([[1 + (3 * row + 1) % frames] for row in range(n)])
    given = (s, h, f, real, A, B, C, bias, v)
    before = [tensor.clone() for tensor in given]
    alpha = location_score(*given)
    assert alpha.shape == (n, frames) and (alpha[~real] == 0).all()
    for row in range(n):
        powers = []
        for j in range(int(real[row].sum())):
            inside = [A[i].dot(s[row]) + B[i].dot(h[row, j]) + C[i].dot(f[row, j]) + bias[i] for i in range(size[3])]
            powers.append(math.exp(sum(v[i].item() * math.tanh(inside[i].item()) for i in range(size[3]))))
        assert torch.allclose(alpha[row, : len(powers)], torch.tensor(powers) / sum(powers), atol=1e-5)
    assert all(torch.equal(now, then) for now, then in zip(given, before, strict=True))
    for sign in (1e30, -1e30):
        vast = location_score(*given[:-1], v * sign)
        assert (vast[~real] == 0).all() and torch.allclose(vast.sum(1), torch.ones(n))
    other = [tensor.masked_fill(~real[..., None], 9.0) for tensor in (h, f)]  # under the padding
    assert torch.allclose(location_score(s, *other, *given[3:]), alpha)
    leaves = [tensor.double().requires_grad_() for tensor in given if tensor.dtype != torch.bool]
    first = location_score(*[leaf * 1 for leaf in leaves[:3]], real, *[leaf * 1 for leaf in leaves[3:]])[:, 0].sum()
    first.backward()
    assert all(leaf.grad.abs().sum() > 0 for leaf in leaves) and first.dtype == torch.float64
### END HIDDEN TESTS

# %% [markdown]
# ### Put together: a deaf listener who walks
#
# Make everything sound alike ($h_j = 0$), so that content says nothing. One filter, $(1, 0, 0)$: "my left neighbour had the last look". Where does the look go, step by step?

# %% tags=["exact"]
features_of = checked("06.location-features", location_features)
weigh = checked("06.location-score", location_score)
W, V, U, b, w = torch.zeros(1, 1), torch.zeros(1, 1), torch.tensor([[8.0]]), torch.zeros(1), torch.tensor([8.0])
look = torch.eye(8)[:1]  # the last look was on frame 0
for step in range(1, 5):
    features = features_of(look, torch.tensor([[1.0, 0.0, 0.0]]))
    look = weigh(torch.zeros(1, 1), torch.zeros(1, 8, 1), features, torch.ones(1, 8, dtype=torch.bool), W, V, U, b, w)
    print(f"step {step}:", " ".join(f"{weight:.2f}" for weight in look[0].tolist()))

# %% [markdown]
# It walks, one frame at a time, without hearing anything. A trained model has eight such filters, nine steps wide, and content beside them: content says *what*, location says *from here on*.
#
# The package's `LocationAwareAttention` computes the same. It multiplies $F$ and $U$ with each other first, which is a single small matrix, and $V h_j$ once per utterance.

# %% tags=["exact"]
torch.manual_seed(SEED)
attention = LocationAwareAttention(query_size=3, value_size=4, attention_size=5, filters=2, width=5)
heard, query, real = torch.randn(2, 6, 4), torch.randn(2, 3), torch.arange(6) < torch.tensor([[6], [4]])
with torch.no_grad():
    last = torch.softmax(torch.randn(2, 6).masked_fill(~real, float("-inf")), dim=1)
    _, package_weights = attention(query, attention.prepare(heard, real), last)
    W, b, V = attention.query_projection.weight, attention.query_projection.bias, attention.key_projection.weight
    U, w, filters = attention.location_projection.weight, attention.score.weight[0], attention.filters.weight[:, 0]
    our_weights = weigh(query, heard, features_of(last, filters), real, W, V, U, b, w)
print("same weights:", torch.allclose(package_weights, our_weights, atol=1e-6))

# %% [markdown]
# Now train the same listener and speller with this attention. Nothing else is different. Less than a minute.

# %%
train_live("location")

# %%
listen_twice("location", worst_twice);  # the same utterance

# %% [markdown]
# On single utterances the two are near each other. Twice in a row they are not: compare with the figures above. It is no cure yet. The looks still go astray, only far less often.
#
# ## Look
#
# Give the model the true phonemes to write, so that each row has a truth: where did it listen while it wrote them?

# %%
def look_at(model, one, name):
    """Draw an utterance, and below it when the model listened while it wrote the true phonemes."""
    (weights,) = teacher_forced_attention(model, data, [one])
    if one.phonemes:
        marks = score_attention([weights], [one])
        name += f": {100 * marks.near:.0f} % of the looks within a step of the phoneme, {100 * marks.mass:.0f} % of the attention inside"
    else:
        print("The times of the phonemes are missing: the attention weights are shown, not evaluated.")
    show(plot_listening(one.features, weights, one.symbols, title=name, phonemes=one.phonemes))


look_at(models["location"], one, "After a minute")

# %% [markdown]
# Nobody told it when a phoneme sounds; the orange frames were never in training. It found them because they help to write.
#
# ## Smoothing: a look at more than one frame
#
# A softmax is greedy: it likes to give nearly everything to one frame. But a phoneme lasts several. The paper's second change lets the weights spread.

# %% [markdown]
# ### Exercise smoothing
#
# The exponential in a softmax grows without limit, so the frame with the highest score leaves little to the others. Put a **sigmoid** in its place, which does not exceed one:
#
# $$\alpha_j = \frac{\sigma(e_j)}{\sum_k \sigma(e_k)} \qquad \sigma(x) = \frac{1}{1 + e^{-x}}$$
#
# Now all frames with a high score get about the same weight, and the attention is on several of them. The sum runs over the real frames of one utterance.
#
# `scores` is `(batch, frames)`, any finite numbers, also on padding. `mask` is `(batch, frames)`, True at real frames; padding gets exactly zero, and each row of weights sums to one. Two things can go wrong. A score of zero is **not** hidden, since $\sigma(0) = 0.5$. And where all
# scores of a row are very low, say below −200, every sigmoid is zero in float32 and so is their sum, but the weights still differ and sum to one. There $\log \sigma$ (`torch.nn.functional.logsigmoid`) is an ordinary number; what does a softmax do with logarithms?
#
# *By hand:* the scores $(0, 4)$ give $\sigma = (0.5,\ 0.98)$, so $\alpha \approx (0.34,\ 0.66)$. A softmax would give $(0.02,\ 0.98)$.


# %% exercise="smoothing"
def smooth_weights(scores, mask):
    """Normalise scores with a sigmoid in place of the exponential.

    scores: (batch, frames), any real numbers; mask: (batch, frames), True = real frame.
    Returns weights (batch, frames), exactly zero on padding; each row sums to one.
    """
    ### BEGIN SOLUTION
    logarithms = torch.nn.functional.logsigmoid(scores).masked_fill(~mask, float("-inf"))
    return torch.softmax(logarithms, dim=1)  # exp of a logarithm is the sigmoid itself
    ### END SOLUTION


# %% check="smoothing" points=2
check("06.smoothing", smooth_weights);

# %% hidden="smoothing" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(6)
e, real = 3 * torch.randn(4, 5), torch.arange(5) < torch.tensor([[3], [5], [1], [4]])
before = e.clone(), real.clone()
spread = smooth_weights(e, real)
assert spread.shape == (4, 5) and (spread[~real] == 0).all()
assert torch.equal(e, before[0]) and torch.equal(real, before[1])
for row in range(4):
    gates = [1 / (1 + math.exp(-e[row, j].item())) for j in range(int(real[row].sum()))]
    assert torch.allclose(spread[row, : len(gates)], torch.tensor(gates) / sum(gates), atol=1e-5)
both = torch.ones(1, 2, dtype=torch.bool)
low = smooth_weights(torch.tensor([[-300.0, -301.0]]), both)  # far down a sigmoid is an exponential
assert low.shape == (1, 2) and torch.allclose(low, torch.tensor([[math.e / (1 + math.e), 1 / (1 + math.e)]]), atol=1e-5)
for hidden in (-1e30, 1e30):
    assert torch.allclose(smooth_weights(e.masked_fill(~real, hidden), real), spread)
assert (smooth_weights(torch.where(real, -1e30, 0.0), real)[~real] == 0).all()
assert smooth_weights(e.double(), real).dtype == torch.float64
assert torch.allclose(smooth_weights(torch.tensor([[900.0, 90.0]]), both), torch.tensor([[0.5, 0.5]]))
leaf = e.clone().requires_grad_()
smooth_weights(leaf * 1, real)[:, 0].sum().backward()
assert leaf.grad.isfinite().all() and (leaf.grad[~real] == 0).all() and leaf.grad[1].abs().min() > 0
### END HIDDEN TESTS

# %%
spread_out = checked("06.smoothing", smooth_weights)
rising = torch.tensor([[-2.0, 1.0, 4.0, 5.0, 3.0, -1.0]])
everywhere = torch.ones(1, 6, dtype=torch.bool)
for name, weights in (("scores", rising), ("softmax", rising.softmax(dim=1)), ("sigmoids", spread_out(rising, everywhere))):
    print(f"{name:<10}", " ".join(f"{value:6.2f}" for value in weights[0].tolist()))

# %% [markdown]
# ## What an hour buys
#
# The three systems with two layers, trained for longer and on more utterances. In every second batch **two utterances were joined to one**: who has only heard single ones takes every pause for the end. If a file is missing or damaged, the cell says so, and the lesson goes on with
# the models from above.

# %%
trained, cards = {}, {}
for name in LIVE:
    try:
        trained[name], cards[name] = load_trained(f"06-{name}")
    except CheckpointError as error:
        print(f"going on without the checkpoint of {name}:", error)
        if name in models:
            trained[name] = models[name]
for name, card in cards.items():
    print(f"{name:<10}{card['recipe']['utterances']:,} utterances, {card['seconds'] / 60:.0f} minutes on {card['threads']} thread(s): {card['command']}")
final = {name: {test: errors_of(model, spoken) for test, spoken in tests.items()} for name, model in trained.items()}
best = trained["location"]
beam = errors_of(best, tests["test"], beam_size=5)
print(f"\n{'phonemes wrong, %':<18}" + "".join(f"{test:>18}" for test in tests))
for name, values in final.items():
    print(f"{name:<18}" + "".join(f"{value:>18.1f}" for value in values.values()))
print(f"{'location, beam of 5':<18}{beam:>17.1f}")

# %% [markdown]
# Beam search (lesson 2) keeps five beginnings alive in place of one. Here it changes little: the sound leaves less to choose than a translation does.
#
# ## Mark it
#
# We know when each phoneme sounds, to the millisecond. So a look can be marked by the clock.

# %% [markdown]
# ### Exercise listening-in-time
#
# A row of weights is a distribution over frames. Its **expected time** is the mean of the frames' middles under these weights:
#
# $$t_p = \sum_j \alpha_{pj}\ (j + \tfrac12)\ \Delta$$
#
# $\Delta$ is how long a frame lasts, and frame $j$, counted from 0, goes from $j \Delta$ to $(j + 1) \Delta$. Phoneme $p$ sounds from $b_p$ to $e_p$. Within this span the error is 0. Outside, it is the distance to the nearer end. Return the **mean over all phonemes**, those
# without an error included:
#
# $$\text{error} = \frac1P \sum_p \max(b_p - t_p,\ t_p - e_p,\ 0)$$
#
# The second number is about the direction: of the $P - 1$ moves from one phoneme to the next, which share goes **back**, to an earlier expected time? An equal time is no move back; a step of less than a frame is one. A single phoneme has no move, and the share is 0.
#
# `attention_weights` is `(phonemes, frames)`, each row sums to one. `spans` is `(phonemes, 2)`, begin and end of each phoneme in ms. `frame_ms` is $\Delta$, in ms, and need not be whole. No mask is needed: there is one utterance, and no padding. No gradient is needed either. Return two numbers, the error in ms and the share.
#
# *By hand:* frames of 10 ms. The weights $(0.5, 0.5, 0)$, $(0, 0, 1)$ and $(0, 1, 0)$ expect the times 10, 25 and 15 ms. With the spans 12 to 20, 20 to 30 and 30 to 40 the errors are 2, 0 and 15 ms: the mean is 17/3. One of the two moves goes back.


# %% exercise="listening-in-time"
def listening_in_time(attention_weights, spans, frame_ms):
    """Measure how far expected times lie from the phonemes, and how often they go back.

    attention_weights: (phonemes, frames), each row sums to one; spans: (phonemes, 2), begin and end in ms.
    frame_ms: how long a frame lasts.
    Returns the mean distance of the expected time from the phoneme's span in ms, and the share of moves back, 0 to 1.
    """
    ### BEGIN SOLUTION
    middles = (torch.arange(attention_weights.shape[1]) + 0.5) * frame_ms
    times = (attention_weights * middles).sum(dim=1)
    begins, ends = spans.unbind(dim=1)
    distances = torch.maximum(begins - times, times - ends).clamp(min=0)
    back = times[1:] < times[:-1]
    return distances.mean().item(), back.float().mean().item() if len(back) else 0.0
    ### END SOLUTION


# %% check="listening-in-time" points=3
check("06.listening-in-time", listening_in_time);

# %% hidden="listening-in-time" points=3
### BEGIN HIDDEN TESTS
rows = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
when = torch.tensor([[12.0, 20.0], [20.0, 30.0], [30.0, 40.0]])
kept = rows.clone(), when.clone()
error, back = listening_in_time(rows, when, 10.0)
assert abs(float(error) - 17 / 3) < 1e-4 and abs(float(back) - 1 / 2) < 1e-6
assert torch.equal(rows, kept[0]) and torch.equal(when, kept[1])
error, back = listening_in_time(rows[:1], when[:1] + 5000, 10)
assert abs(float(error) - 5002) < 1e-1 and float(back) == 0
error, back = listening_in_time(rows[[1, 1, 0, 0]], torch.tensor([[0.0, 5.0], [24.0, 26.0], [0.0, 9.0], [10.0, 11.0]]), 10.0)
assert abs(float(error) - (20 + 0 + 1 + 0) / 4) < 1e-4 and abs(float(back) - 1 / 3) < 1e-6  # twice it stands still
dice = random.Random(6)
for phonemes, frames, length in [(7, 20, 12.5), (2, 3, 40.0)]:
    counts = [[dice.randint(0, 9) + (j == p) for j in range(frames)] for p in range(phonemes)]
    edges = sorted(dice.uniform(0, frames * length) for _ in range(phonemes + 1))
    times = [sum(n * (j + 0.5) * length for j, n in enumerate(row)) / sum(row) for row in counts]
    gaps = [max(edges[p] - t, t - edges[p + 1], 0) for p, t in enumerate(times)]
    moves = [times[p + 1] < times[p] for p in range(phonemes - 1)]
    shares = torch.tensor([[n / sum(row) for n in row] for row in counts])
    error, back = listening_in_time(shares, torch.tensor([edges[:-1], edges[1:]]).T, length)
    assert abs(float(error) - sum(gaps) / phonemes) < 1e-2 and abs(float(back) - sum(moves) / len(moves)) < 1e-6
### END HIDDEN TESTS

# %%
time_it = checked("06.listening-in-time", listening_in_time)


def spans_of(one):
    """Begin and end of each phoneme, `(phonemes, 2)` ms."""
    return torch.tensor([[phoneme.start_ms, phoneme.end_ms] for phoneme in one.phonemes])


def equal_parts(one):
    """The looks of somebody who cuts an utterance into equal parts, one for each phoneme: `(phonemes, steps)`."""
    phonemes, steps = len(one.phonemes), count_steps(one)
    parts = torch.repeat_interleave(torch.eye(phonemes), steps, dim=1).unflatten(1, (steps, phonemes)).sum(dim=2)
    return parts / parts.sum(dim=1, keepdim=True)


spoken = tests["test"]
looks = {"equal parts": [equal_parts(one) for one in spoken], **{name: teacher_forced_attention(model, data, spoken) for name, model in trained.items()}}
looks["truth"] = [gold_attention(one) for one in spoken]
print(f"{'':<14}{'inside':>8}{'within a step':>15}{'boundary':>10}{'outside the span':>18}{'moves back':>12}")
marks = {name: score_attention(rows, spoken) for name, rows in looks.items()}
for name, mark in marks.items():
    timed = torch.tensor([time_it(row, spans_of(one), STEP_MS) for row, one in zip(looks[name], spoken, strict=True)])
    outside, back = timed.mean(dim=0).tolist()
    print(f"{name:<14}{100 * mark.mass:>6.0f} %{100 * mark.near:>13.1f} %{mark.boundary_ms:>7.0f} ms{outside:>15.1f} ms{100 * back:>10.1f} %")

# %% [markdown]
# Read a row from left to right. *Inside* is the share of the attention that lies in the true phoneme. *Within a step*: the largest weight is in it or right beside it. *Boundary*: how far the boundary between two phonemes lies from the middle between their expected times. The last two are yours.
#
# Compare with both ends of the table. Somebody who cuts the utterance into equal parts is right surprisingly often, since phonemes come at a steady pace: a figure without him beside it says little. And somebody who *knows the truth* does not reach 100 % inside: his steps of 40 ms overlap two phonemes.
#
# Look, and listen: choose a phoneme and play what the model listened to when it wrote it.

# %%
(weights,) = teacher_forced_attention(best, data, [one])
title = f"“{one.utterance.text}”: when did it listen?"
explore_speech(weights, one.symbols, one.features, phonemes=one.phonemes, samples=sound(one), title=title)

# %% tags=["gallery"]
look_at(best, one, "Trained for longer" if "location" in cards else "After a minute")

# %% [markdown]
# ### A mean hides speakers
#
# Each test has a figure. What is behind it? The errors of each speaker:

# %%
by_speaker = {}
for test in ("test", "unseen speakers"):
    by_speaker |= {speaker: 100 * value for speaker, (value, _) in error_by_speaker(best, data, tests[test]).items()}
strangers = {speaker: by_speaker[speaker] for speaker in UNSEEN_SPEAKERS if speaker in by_speaker}
worst = max(strangers, key=strangers.get)
mean = sum(strangers.values()) / len(strangers)
others = [value for speaker, value in by_speaker.items() if speaker != worst]
title = f"{worst}: {strangers[worst]:.0f} % wrong, behind a mean of {mean:.0f} % for unseen speakers"
show(plot_speakers(by_speaker, title=title, unseen=UNSEEN_SPEAKERS, mean=mean))

# %% [markdown]
# One of the speakers that training did not have is lost; the others are not. Listen to it, and to the same words by a speaker from training, as fast, as high, and in the same noise.

# %%
from dataclasses import replace

lost = next(one for one in tests["unseen speakers"] if one.utterance.speaker == worst)
if not problem:
    known = speak_utterance(replace(lost.utterance, speaker=TRAINING_SPEAKERS[6]))
    figure, panels = plt.subplots(2, 1, figsize=(10, 4.6), layout="constrained")
    for other, axes in zip((known, lost), panels, strict=True):
        speaker, (written,) = other.utterance.speaker, write(best, [other])
        wrong = 100 * rate([written], [other.symbols])
        plot_spectrogram(other.features, other.phonemes, title=f"{speaker}: {wrong:.0f} % wrong", axes=axes)
        print(f"{speaker:<16} written: {' '.join(written)}")
        play(sound(other))
    alternative = f"“{lost.utterance.text}” by {TRAINING_SPEAKERS[6]} (above) and by {worst} (below), where the bands lie higher and farther apart."
    show(describe(axes, alternative))

# %% [markdown]
# In the lower picture everything lies higher, as in a very small mouth. No speaker of the training is like that, and nothing in the training told the model that a vowel is still the same vowel when all of its bands move up together. Four speakers are few for a sentence such as "it recognizes unseen speakers".
# It recognizes those that are like the ones it knows.
#
# ## Long speech
#
# Now the test that the paper is about. Join two, four, eight utterances to one. In the longer training there were never more than two; in the minute of training there was always one. Let every model write as it does, until it writes the end symbol.

# %%
COPIES = (1, 2, 4, 8)
long = {copies: joined(tests["test"][: 5 if FAST else 16], copies, repeat=False) for copies in COPIES}
listeners = {**trained, **{f"{name}, a minute": model for name, model in models.items()}}


def tell_about(name, found, curve):
    """Print a model's errors over length, and what it did with the longest speech."""
    shares = [len(one.tokens) / len(whole.symbols) for one, whole in zip(found, long[COPIES[-1]], strict=True)]
    too_short, too_long = sum(share < 3 / 4 for share in shares), sum(share > 5 / 4 for share in shares)
    jumps = sum(map(jumps_back, found)) / len(found)
    print(f"{name:<20}" + "".join(f"{value:7.1f} %" for value in curve.values()) + f"{too_short:21}{too_long:10}{jumps:12.1f}")


def errors_over_length(**decoding):
    """Let all models write long speech: error rates in percent, by name and number of utterances."""
    count = len(long[COPIES[-1]])
    print(f"{'phonemes wrong':<20}" + "".join(f"{'×' + str(copies):>9}" for copies in COPIES) + f"   {count} of ×{COPIES[-1]}: too short  too long  jumps back")
    curves = {}
    for name, model in listeners.items():
        found = {copies: recognize(model, data, spoken, **decoding) for copies, spoken in long.items()}
        written = {copies: [data.vocabulary.decode(one.tokens) for one in ones] for copies, ones in found.items()}
        curves[name] = {copies: 100 * rate(written[copies], [one.symbols for one in long[copies]]) for copies in COPIES}
        tell_about(name, found[COPIES[-1]], curves[name])
    return curves


# %%
plain = errors_over_length()  # about half a minute

# %% [markdown]
# *Too short* are those of eight utterances in a row of which less than three quarters were written, *too long* those with more than five quarters; *jumps back* are counted for each. So there are two ways to fail. A model can leave out: it takes a pause for the end, as every longer pause was in its training, or jumps
# ahead to a place that sounds like the next. Or the look falls back to a place that sounds the same, and what follows is written again, and again. Both happen to both systems, if not equally often. Knowing the place does not by itself save an attention that may look everywhere.
#
# The paper's remedy needs no new training. While it decodes, the look may not leave a **window** around the last one. We add one more restriction: the end symbol is held back until the look is near the end.

# %% [markdown]
# ### Exercise window
#
# Where was the attention at the previous step? The largest weight is one answer, the mean frame another. The paper takes the **median**, the first frame at which the weights, summed from the left, reach one half. A few small weights far away do not move it.
#
# $$m = \min\{\, j : \alpha_0 + \dots + \alpha_j \ge \tfrac12 \,\}$$
#
# Where the sum is exactly one half at a frame, that frame is the median. Only the frames from $m - n$ to $m + n$ may get weight, these two included; $n$ is the `window`. At the ends of the utterance the window is cut off. The weights of the frames that are left are the softmax of their scores; all others get **exactly zero**, whatever their scores.
#
# `scores` is `(batch, frames)`, any finite numbers, also on padding. `previous_weights` is `(batch, frames)`, and each row sums to one, with zeros on padding. `frame_mask` is `(batch, frames)`, True at real frames: padding gets zero within the window, too. `window` is a whole number, 0 or more. Each row has its own
# median. Return the weights, `(batch, frames)`; each row sums to one.
#
# *By hand:* the last weights were $(0.2, 0.2, 0.2, 0.4)$. Their sums are 0.2, 0.4, 0.6, 1: the median is frame 2. With a window of 1 and the scores $(9, 1, 1, 1)$ the new weights are $(0, \tfrac13, \tfrac13, \tfrac13)$, however high the score of frame 0.


# %% exercise="window"
def windowed_weights(scores, previous_weights, frame_mask, window):
    """Normalise the scores within a window around the median of the previous weights.

    scores, previous_weights: (batch, frames); frame_mask: (batch, frames), True = real frame.
    window: frames to either side of the median that may get weight.
    Returns weights (batch, frames), exactly zero outside the window and on padding.
    """
    ### BEGIN SOLUTION
    below_half = previous_weights.cumsum(dim=1) < 0.5 - 1e-6
    median = below_half.sum(dim=1, keepdim=True)  # (batch, 1)
    near = (torch.arange(scores.shape[1]) - median).abs() <= window
    return torch.softmax(scores.masked_fill(~(near & frame_mask), float("-inf")), dim=1)
    ### END SOLUTION


# %% check="window" points=2
check("06.window", windowed_weights);

# %% hidden="window" points=3
### BEGIN HIDDEN TESTS
dice = random.Random(6)
for rows, frames, window in [(4, 9, 2), (3, 6, 0), (2, 5, 30)]:
    real = torch.arange(frames) < torch.tensor([[frames - 2 * (b % 2)] for b in range(rows)])
    tens = [[0] * frames for _ in range(rows)]
    for b in range(rows):
        for _ in range(11):  # an odd number: no sum is exactly one half
            tens[b][dice.randrange(int(real[b].sum()))] += 1
    last, e = torch.tensor(tens) / 11, 4 * torch.randn(rows, frames)
    kept = last.clone(), e.clone(), real.clone()
    alpha = windowed_weights(e, last, real, window)
    assert torch.allclose(windowed_weights(e.masked_fill(~real, 1e30), last, real, window), alpha)
    assert alpha.shape == (rows, frames) and all(map(torch.equal, (last, e, real), kept))
    for b in range(rows):
        median = next(j for j in range(frames) if sum(tens[b][: j + 1]) >= 5.5)
        powers = [math.exp(e[b, j]) * (abs(j - median) <= window) * bool(real[b, j]) for j in range(frames)]
        assert torch.allclose(alpha[b], torch.tensor(powers) / sum(powers), atol=1e-5)
        assert torch.equal(alpha[b] == 0, torch.tensor(powers) == 0)
every = torch.ones(1, 4, dtype=torch.bool)
by_hand = windowed_weights(torch.tensor([[9.0, 1, 1, 1]]), torch.tensor([[0.2, 0.2, 0.2, 0.4]]), every, 1)
assert torch.allclose(by_hand, torch.tensor([[0.0, 1, 1, 1]]) / 3)
assert torch.equal(windowed_weights(torch.zeros(1, 4), torch.ones(1, 4) / 4, every, 0), torch.eye(4)[[1]])  # exactly one half
leaf = torch.zeros(2, 5, dtype=torch.float64).requires_grad_()
cut_off = windowed_weights(leaf * 1, torch.eye(5).double()[[0, 4]], torch.ones(2, 5, dtype=torch.bool), 2)
assert torch.allclose(cut_off, torch.tensor([[1.0, 1, 1, 0, 0], [0, 0, 1, 1, 1]]).double() / 3)
assert torch.equal(torch.autograd.grad(cut_off[:, 2].sum(), leaf)[0] != 0, cut_off > 0)
second = torch.tensor([[0.0, 1, 0, 0]])
assert torch.equal(windowed_weights(1e30 * (1 - 2 * second), second, every, 0), second)
### END HIDDEN TESTS

# %% [markdown]
# Decode the same long speech again, with both restrictions. (The models use the package's window; yours is the same once its check passes.)

# %%
print(f"window: {WINDOW} steps of {STEP_MS} ms to either side; no end more than {END_WITHIN} steps before the end")
held = errors_over_length(window=WINDOW, end_within=END_WITHIN)  # about half a minute

# %% tags=["gallery"]
figure, panels = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True, layout="constrained")
for axes, how, all_of in zip(panels, ("free", "in the window"), (plain, held), strict=True):
    curves = {name: (COPIES, list(all_of[name].values())) for name in trained}
    title = f"{how}: content {all_of['content'][8]:.0f}, location {all_of['location'][8]:.0f} % wrong at ×8"
    plot_lines(curves, title=title, xlabel="utterances joined to one", ylabel="phoneme error rate, %", log_x=True, log_y=True, axes=axes)
    axes.set_xticks(COPIES, COPIES)
    axes.set_yticks((3, 5, 10, 20, 50, 100), (3, 5, 10, 20, 50, 100))
    axes.minorticks_off()
title = f"Eight utterances as one: {held['content'][8]:.0f} % wrong by content, {held['location'][8]:.0f} % with location"
figure.suptitle(title, fontweight="bold")
parts = [f"{how}: " + "; ".join(f"{name} {', '.join(f'{value:.1f}' for value in all_of[name].values())}" for name in trained) for how, all_of in (("Free", plain), ("In the window", held))]
show(describe(axes, f"{title}. Phoneme error rate in % for {', '.join(map(str, COPIES))} utterances joined to one. " + ". ".join(parts) + "."))

# %% [markdown]
# Content alone is lost in a window, too: a window is half a second to either side, and look-alikes are also found nearby. With location the errors hardly grow. The rows of the minute's training say it more loudly, and so do the claims below, which were measured without joined pairs in training.
#
# The checkpoints' cards have the same over more utterances, and for an utterance that is joined to itself:

# %%
for name, card in cards.items():
    figures = card["metrics"]
    for key, what in (("plain", "different ones, free"), ("different", "different ones, window"), ("repeats", "the same one, window")):
        print(f"{name:<10}{what:<24}" + "".join(f"{'×' + str(copies):>4}: {figures[f'{key}/{copies}']:5.1f} %" for copies in COPIES))

# %% [markdown]
# ### The paths
#
# One utterance joined to itself: nothing but look-alikes. Follow each model's look through it. The broad line is the truth. A line that turns to the left has fallen back; one that runs flat to the right has left something out; one that goes on below the end of the broad line writes more than was said.


# %% tags=["gallery"]
def path_of(model, whole, **decoding):
    """Seconds at which a model looked, one for each phoneme that it wrote."""
    (found,) = recognize(model, data, [whole], **decoding)
    return (found.attention_weights.argmax(dim=1).cpu().numpy() + 0.5) * STEP_MS / 1000


figure, panels = plt.subplots(2, len(COPIES), figsize=(12, 6.4), layout="constrained")
described, lengths, seconds = [], [], len(one.features) * FRAME_MS / 1000
for row, (how, decoding) in zip(panels, (("free", {}), ("in the window", {"window": WINDOW, "end_within": END_WITHIN})), strict=True):
    for copies, axes in zip(COPIES, row, strict=True):
        whole = join_utterances([one] * copies)
        paths = {name: path_of(model, whole, **decoding) for name, model in trained.items()}
        plot_paths(paths, whole.phonemes, title=f"×{copies}, {how}", joins=[seconds * k for k in range(1, copies)], axes=axes)
        axes.set(xlabel="seconds" if decoding else "", ylabel="phonemes written" if copies == 1 else "")
        if copies != 2 or decoding:
            axes.get_legend().remove()
        described.append(figure.get_label())
    lengths.append(len(paths["location"]))
title = f"×{copies}, {len(whole.symbols)} phonemes: with location {lengths[0]} looks when free, {lengths[1]} in the window"
figure.suptitle(title, fontweight="bold")
show(describe(axes, f"{title}. " + " ".join(described)))

# %% [markdown]
# ## Real data
#
# People: ten digits by six speakers, with one speaker held out, and a woman's prompts from a telephone system, whose phonemes have times. `SOURCE = "real"` lets the trained model hear them, if `WHERE_TO_LOOK_DATA` names a folder that has the recordings. If not, it hears people who read books aloud: LibriSpeech, from the hub (370 MB). It has heard nothing but the synthesizer.

# %%
from course_utils.data.real_errors import RealDataError
from course_utils.data.speech.phonemes import DIGITS
from course_utils.data.speech.recorded_data import digit_data, digits_and_prompts_are_staged, timed_prompts
from course_utils.data.speech.recordings import load_recordings, pieces_of, sound_of
from experiments.recorded_speech import SPEAKERS, digits_right

recordings, listener = [], best
try:
    if SOURCE == "real" and digits_and_prompts_are_staged():
        digits, prompts = digit_data(data, SPEAKERS[SEED % len(SPEAKERS)]), timed_prompts("test")
        recordings = [piece for prompt in prompts for piece in pieces_of(prompt)]
        print(f"digits told right: {100 * digits_right(best, digits, digits.test['unseen speaker']):.0f} %; by blind guessing {100 / len(DIGITS):.0f} %")
        print(f"prompts, phonemes wrong: whole {errors_of(best, prompts):.0f} %, in pieces of three words {errors_of(best, recordings):.0f} %")
    elif SOURCE == "real":
        recordings = load_recordings("librispeech", "test", 100)
        print(f"the first {len(recordings)} readings of LibriSpeech, phonemes wrong: {errors_of(best, recordings):.0f} %")
    elif own:
        listener, history = fit(LIVE["location"].shortened(STEP_SHARE), own, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
        recordings = own.examples
        print(f"{own.name}: {len(own.train)} recordings for training, {len(recordings)} for testing. {history.summary()}")
        print(f"phonemes wrong, trained on them: {errors_of(listener, recordings):.0f} %; trained on synthetic speech: {errors_of(best, recordings):.0f} %")
    else:
        print('This run used synthetic speech. Set SOURCE = "real" in the settings cell to let people speak.')
except RealDataError as error:
    print("no recordings:", error)
for recording in recordings[:1]:
    look_at(listener, recording, f"“{recording.utterance.text}”, a recorded voice")
    play(sound_of(recording))

# %% [markdown]
# ### Why so little is recognized
#
# A poor figure by itself teaches nothing. So every suspect was tested alone, in the last real run: one thing is changed, the rest stays. (The models of that run were trained as briefly as those of the claims.)

# %%
real_results = load_results("06", "real")
REASONS = {
    "prompts: whole → in pieces of three words": ("synthetic/per/prompts", "synthetic/per/pieces"),
    "pieces: no word known from training → all words known": ("synthetic/per/pieces of other words", "synthetic/per/pieces of known words"),
    "pieces: as recorded → with noise as in training": ("synthetic/per/pieces", "synthetic/per/pieces with noise"),
    "pieces: the recorded voice → the same words by the synthesizer": ("synthetic/per/pieces", "synthetic/per/pieces by synthesizer"),
    "pieces: trained on synthetic speech → also on other prompts": ("synthetic/per/pieces", "prompts/per/pieces"),
    "digits wrong, new speaker: synthetic → also recorded training": ("synthetic/digits/unseen speaker", "digits/digits/unseen speaker"),
}
if real_results is None:
    print("No real run is stored yet.")
else:
    for reason, keys in REASONS.items():
        values = [[measurement["metrics"].get(key, math.nan) for measurement in real_results["measurements"]] for key in keys]
        before, after = (100 - sum(v) / len(v) if "digits" in key else sum(v) / len(v) for v, key in zip(values, keys, strict=True))
        print(f"{reason:<64}{before:6.1f} % → {after:5.1f} % wrong, {after - before:+6.1f}")
    inside, even = (sum(one["metrics"][f"synthetic/{key}"] for one in real_results["measurements"]) / len(real_results["measurements"]) for key in ("mass", "mass/uniform"))
    print(f"attention inside the true phoneme of the recorded voice: {inside:.0f} %; of an even look {even:.0f} %")
    print(real_results["command"])

# %% [markdown]
# A suspect that is innocent leaves the errors about where they were. Go down the last column: how long the pieces are, whether their words were in training, and how noisy they are change little beside what **the voice** changes. Let the synthesizer say the very same words, and nearly all of them are recognized. A model that has only ever heard one machine has learned that machine.
# What helps is not cleaner sound but other speakers: recordings in training.
#
# The last line is the strangest. Where does the model look while it is made to write the right phonemes of the recorded voice? Mostly where they are. It knows when to listen, and not what it hears.
#
# ### The three systems, on a recorded voice
#
# Does the paper's comparison come out on a human voice as on the synthesizer's? For the last real run all three systems were trained once more, with other prompts of this voice. The true times of its phonemes come from a forced alignment, by a program that knew the text: good, not gold.

# %%
systems = {"prompts-content": "content", "prompts": "location", "prompts-smooth": "smooth"}
rows = {
    "phonemes wrong, %": "per/pieces",
    f"wrong in {COPIES[-1]} repeats, %": f"repeats/{COPIES[-1]}",
    f"wrong in {COPIES[-1]} different pieces, %": f"different/{COPIES[-1]}",
    "attention inside the phoneme, %": "mass",
    "   of an even look, %": "mass/uniform",
    "looks: ms from the true boundary": "boundary",
    "   cuts into equal parts, ms": "boundary/uniform",
}
if real_results:
    print(f"{'':<34}" + "".join(f"{system:>10}" for system in systems.values()))
    for label, key in rows.items():
        means = [sum(values := [one["metrics"][f"{part}/{key}"] for one in real_results["measurements"]]) / len(values) for part in systems]
        print(f"{label:<34}" + "".join(f"{mean:>10.1f}" for mean in means))

# %% [markdown]
# On single pieces the three are hard to tell apart. Joined pieces tell: see who breaks first, and that whoever holds better is still far from good, with so little of this voice to learn from. The claims at the end say which differences are safe.
#
# ### Five speakers are few
#
# Ten digits by somebody whom the model never heard, after five others: that is the hardest test here. Two things were tried to help. *Measure the speaker.* So far each recording's own mean is taken away. A recording of one word is short, and its mean has much of the word in it; so take the mean, and the deviation, of all that a speaker
# says, whatever it says. *Make more speakers.* Play the recordings faster and slower, move their bands as a longer throat would, hide parts of them, and let the synthesizer's voices say the digits, too. The training was longer, too. So this is several changes at once, and the last row does not tell which of them helps.

# %%
ways = {"synthetic": "synthetic speech only", "digits": "and recorded digits", "speakers": "and speakers normalized, and more of them"}
for part, way in ways.items() if real_results else ():
    new, known = ([one["metrics"][f"{part}/digits/{who}"] for one in real_results["measurements"]] for who in ("unseen speaker", "known speakers"))
    each = ", ".join(f"{SPEAKERS[one['seed']]} {value:.0f}" for one, value in zip(real_results["measurements"], new, strict=True))
    print(f"{way:<40} right: new speaker {sum(new) / len(new):.0f} % ({each}); known speakers {sum(known) / len(known):.0f} %")

# %% [markdown]
# Compare the two figures of the last row. Who was in training is understood; who was not, less, and how much less depends on who it is. No trick with five speakers makes up for the others that are missing.
#
# ## Your own words
#
# Type English words; the synthesizer speaks them, and the best model writes what it hears.


# %%
from course_utils.data.speech.phonemes import words_of_text


def try_it(text, voice="en-us"):
    """Speak a text, let the best model write it, and show when it listened."""
    words = words_of_text(text)
    if not words:
        return print("Type at least one English word, for example: hello world")
    try:
        spoken = speak_utterance(Utterance(words, voice))
    except (EspeakError, ValueError) as error:
        return print("this cannot be spoken:", error)
    (found,) = recognize(best, data, [spoken], window=WINDOW, end_within=END_WITHIN)
    written = data.vocabulary.decode(found.tokens)
    print("said:   ", " ".join(spoken.symbols), "\nwritten:", " ".join(written))
    title = f"“{spoken.utterance.text}”: {100 * rate([written], [spoken.symbols]):.0f} % wrong"
    rows = [*written, "(end)"][: len(found.attention_weights)]
    truth = {"phonemes": spoken.phonemes} if tuple(written) == spoken.symbols else {}
    try:
        display(explore_speech(found.attention_weights.cpu(), rows, spoken.features, samples=sound(spoken), title=title, **truth))
    except ValueError as error:
        print("too long to show:", error)


try_it("where do you look")

# %% [markdown]
# Where the notebook is live, here is a box. (In a printed page it does nothing.) Try words of other languages, one word three times, a whole sentence, and the speaker that was lost.

# %%
import ipywidgets

box = ipywidgets.Text(description="words", value="recognize speech", layout={"width": "90%"})
choice = ipywidgets.Dropdown(description="voice", options=[*TRAINING_SPEAKERS, *UNSEEN_SPEAKERS])
button, output = ipywidgets.Button(description="Speak"), ipywidgets.Output()


def speak_again(_):
    """Speak what was typed, into the area under the button."""
    output.clear_output(wait=True)
    with output:
        try_it(box.value, choice.value)


button.on_click(speak_again)
ipywidgets.VBox([box, choice, button, output])

# %% [markdown]
# ## The claims, tested
#
# The paper's claims with their figures, and ours: the mean over the seeds, and the 95 % interval of the paired difference. A claim *holds* if the whole interval lies on its side and the p-value, corrected for the number of claims (Holm), is below 0.05. It is *contradicted* if the same is true of the other side, *void* if both systems are at a floor or ceiling, else *inconclusive*. The seeds were fixed beforehand. These models were trained without joined pairs, as the paper's were.

# %%
stored = [load_results("06", source) for source in ("default", "real")]
entries = [entry for results in stored if results for entry in results["claims"]]
display(Markdown(claims_table(entries) if entries else "No results are stored yet."))

# %% [markdown]
# ## Limits, and what came next
#
# - The filters *can* say "go on", but nothing forces them to. Later attention moves forward by construction (monotonic attention, 2017), and can begin to write before the speaker has ended.
# - Others build the order into the loss in place of the look: CTC (2006) and transducers (2012) add up all ways to lay phonemes over frames, so nothing is looked up at all. Most recognizers in use combine the two.
# - A synthesizer is one speaker in many disguises. Recognizers that work for people were trained on thousands of hours of people.
# - A summary has no order to follow: it leaves most of the text out, and copies names. → *Lesson 7: summaries.*
#
# <details><summary><b>Question:</b> why is the end symbol a problem of its own, apart from the look?</summary>
#
# It is written once per utterance, after a silence. In training every longer silence was the end, so "silence" is all that the model needs to know of it. Where the look is would tell it better; but nothing in the readout says how much of the utterance is left.
# </details>
#
# <details><summary><b>Question:</b> a window keeps the look near. Why does it not repair an attention by content alone?</summary>
#
# A window is wider than a phoneme, and look-alikes are also found nearby. It keeps jumps short, but does not say in which direction to go; who goes back by half a second again and again never arrives.
# </details>

# %% tags=["closing-table"]
print(f"lesson 6, {'FAST: too few steps to judge' if FAST else 'full size'}, {data.name} speech{', PREPARED SET: no synthesizer here' if problem else ''}, seed {SEED}")
print(f"{'phonemes wrong, %':<20}{'a minute':>10}{'longer':>10}{'unseen speakers':>17}{'×8, free':>10}{'×8, window':>12}{'within a step':>15}")
for name in trained:
    minute = f"{errors[name]['test']:.1f}" if name in errors else "–"
    longer, strange = (f"{final[name][test]:.1f}" if name in cards else "–" for test in ("test", "unseen speakers"))
    print(f"{name:<20}{minute:>10}{longer:>10}{strange:>17}{plain[name][8]:>10.1f}{held[name][8]:>12.1f}{100 * marks[name].near:>13.1f} %")
print(f"the speaker that is recognized worst: {worst}, {by_speaker[worst]:.0f} % wrong; all others at most {max(others):.0f} %")
for entry in entries:
    verdict = entry["verdict"]
    print(f"{entry['id']:<30}{entry['source']:>8}  {verdict:<14} difference {entry['difference']['mean']:+.2f}")

# %% [markdown]
# ## Further reading
#
# - Chorowski, Bahdanau, Serdyuk, Cho and Bengio, [*Attention-Based Models for Speech Recognition*](https://arxiv.org/abs/1506.07503), 2015: section 2 has the location features, smoothing and the window; its figures 3 and 4 the long utterances.
# - Chan, Jaitly, Le and Vinyals, [*Listen, Attend and Spell*](https://arxiv.org/abs/1508.01211), 2015: letters in place of phonemes, and a listener that halves its steps layer by layer.
# - Graves, [*Sequence Transduction with Recurrent Neural Networks*](https://arxiv.org/abs/1211.3711), 2012: the transducer, with the order built in.
# - Raffel, Luong, Liu, Weiss and Eck, [*Online and Linear-Time Attention by Enforcing Monotonic Alignments*](https://arxiv.org/abs/1704.00784), 2017: a look that can only go forward.
