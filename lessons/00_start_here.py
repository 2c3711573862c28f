# %% [markdown]
# # Start here
#
# **Where to Look — attention in recurrent encoder–decoders.** Seven lessons, and this short one before them.
#
# A translator reads a sentence, looks back at the words it needs, and writes. In 2014 a neural network could do the
# first and the last of these. It had to squeeze everything it read into one vector of fixed size, and long sentences
# did not fit. The answer was small: let the decoder *look back*, and let it learn where. This course builds that answer
# by hand and follows it from sentences to images, logic, speech and summaries.
#
# Two things are different here from most courses.
#
# - **Every attention map is marked against the truth.** The data come with gold alignments: for each word, box or sound we
#   know where the model *should* look. A pretty heatmap is not enough; it gets a grade.
# - **Every paper's claim is tested again.** Baseline and mechanism do the same work over several seeds, and the
#   lesson prints the verdict, whatever it is.
#
# This notebook draws the map, checks your machine, shows how a lesson is built, fixes the words we use, and lets you try one exercise.

# %% [markdown]
# ## What you will be able to do at the end
#
# - **Write** attention from nothing: score, mask, softmax, average; and its relatives that draw one place, move a window, or remember where the last look was.
# - **Build and train** the systems of a dozen papers, small enough for a laptop: for sentences, pictures, captions, logic, speech and summaries.
# - **Search** a sentence: greedily, with a beam, and say what each of them maximises.
# - **Mark** an attention map against the truth, beside chance and a simple guess, and say what it proves and what it does not.
# - **Test** a paper's claim: a baseline on the same work, several seeds, an interval, a verdict that may be "contradicted" or "void".
# - **Find** the usual mistakes: padding that leaks, a mask upside down, a softmax over the wrong axis, a label that the wording gives away.
#
# What you need: Python, and what a gradient is. You have trained some small network before, in PyTorch or in anything else.

# %% [markdown]
# ## Your machine
#
# Nothing here needs a GPU. But lessons train networks while you watch, so it helps to know how fast your machine is.
# This cell holds the only settings of this notebook. Every lesson has one like it, near the top.

# %% tags=["settings"]
import os
import platform
import time

import torch
from torch import nn

from IPython.display import Markdown, display

from course_utils.exercises import check, checked
from course_utils.metrics import alignment_error_rate, attention_mass_on_gold, hard_alignment
from course_utils.teaching.course_map import plot_course_map
from course_utils.teaching.glossary import glossary_table
from course_utils.teaching.machine import check_machine
from course_utils.teaching.plots import house_style, plot_alignment, show
from course_utils.teaching.run_times import in_words, load_run_times

FAST = os.environ.get("WHERE_TO_LOOK_FAST") == "1"  # shorter measurements, for automatic tests
SEED = 0
MEASURE_SECONDS = 0.3 if FAST else 2.0  # how long each timing below may take

torch.manual_seed(SEED)
house_style()
device = "cuda" if torch.cuda.is_available() else "cpu"
print(f"Python {platform.python_version()}, torch {torch.__version__}")
print(f"computing on: {device}, {torch.get_num_threads()} thread(s), {os.cpu_count()} core(s)")

# %% [markdown]
# Is everything there that the lessons need? Each line is something that was tried. *LOOK* stands before what needs your attention, and the line says what to do.

# %% tags=["varies"]
findings = check_machine()
for finding in findings:
    print(finding)
unwell = [finding.what for finding in findings if not finding.good]
print(f"\nlook at: {', '.join(unwell)}" if unwell else "\nThis machine is ready.")

# %% [markdown]
# The basic unit of work is a matrix product. We repeat it for a moment on **one** thread, count processor time, and keep the
# best value: so other programs disturb the measurement as little as possible.


# %% tags=["varies"]
def best_seconds(work):
    """Repeat `work` on one thread and return its shortest processor time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    work()  # the first call also loads and plans, so it does not count
    times = []
    while sum(times) < MEASURE_SECONDS:
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    torch.set_num_threads(threads)
    return min(times)


size = 1024
left, right = torch.randn(size, size), torch.randn(size, size)
seconds = best_seconds(lambda: left @ right)
billions = 2 * size**3 / seconds / 1e9
print(f"one {size} × {size} matrix product: {seconds * 1000:.0f} ms")
print(f"that is {billions:.0f} billion operations per second")

# %% [markdown]
# A recurrent network cannot use all of that. Its step for word 10 has to wait for the step for word 9, so it does many small
# products, one after the other. What counts for us is one **training step**: read a batch of sentences, compare, go
# back through time, update.
#
# > **Predict.** How many such steps does your machine make in one minute: a hundred, a thousand, ten thousand?

# %% tags=["varies"]
BATCH, WORDS, EMBEDDING, HIDDEN = 64, 20, 128, 256  # the sizes that lessons 1 and 2 train with

encoder = nn.GRU(EMBEDDING, HIDDEN, batch_first=True)
optimizer = torch.optim.Adam(encoder.parameters())
sentences = torch.randn(BATCH, WORDS, EMBEDDING)


def training_step():
    """One update of a GRU encoder on a batch of random sentences."""
    encoder_outputs, _ = encoder(sentences)  # (batch, source_length, hidden_size)
    optimizer.zero_grad()
    encoder_outputs.square().mean().backward()
    optimizer.step()


step_seconds = best_seconds(training_step)
steps_per_minute = 60 / step_seconds
print(f"one training step: {step_seconds * 1000:.0f} ms")
print(f"that makes about {steps_per_minute:,.0f} in a minute")

# %% [markdown]
# ## The map, and how long it takes
#
# Lesson 1 shows what goes wrong, lesson 2 has the answer, and every other lesson takes it somewhere else. So begin with 1 and 2. After that the order is
# yours; only 4 needs 3, for its hard attention.

# %%
show(plot_course_map())

# %% [markdown]
# How long is a lesson? There are two answers. Reading, predicting and solving its exercises takes two to three hours. Running it from top to bottom takes minutes: they
# were measured on one machine, and the next cell scales them by how your training step compares with the same step there.

# %% tags=["varies"]
BUDGET_MINUTES = 4  # what a lesson may take at most, on two cores without a GPU

times = load_run_times()
if times is None:
    print(f"Nobody has recorded the times of this version yet. Each lesson is built to take at most {BUDGET_MINUTES} minutes on two cores.")
else:
    here = times.scaled(step_seconds)
    print(f"measured on {times.machine}: {1000 * times.step_seconds:.0f} ms for a training step; here {1000 * step_seconds:.0f} ms")
    for lesson in times.lessons:
        print(f"{in_words(lesson.seconds):>8} there, about {in_words(here[lesson.name]):>7} here   {lesson.title}")
    if sum(here.values()) > 3 * times.seconds:
        print("That is long. The lessons also run in Colab: use the badge at the top.")

# %% [markdown]
# ## How every lesson goes
#
# 1. **The question**, and one sentence on why somebody asked it.
# 2. **Predict.** You write down what you expect *before* you see it. Wrong predictions teach most.
# 3. **Settings**: one cell. Change a number there, run everything again, see what happens.
# 4. **The data and their truth.** By default they are made on your machine, without a download. `SOURCE = "real"` takes real ones.
# 5. **A baseline.** Nothing is called good before something simple was measured.
# 6. **The mechanism, built by you** in small exercises. Each can be checked on the spot.
# 7. **Train** for about a minute; then load a model that was trained for longer, to see what an hour buys.
# 8. **Look** at where the model looks, and **mark** it against the truth.
# 9. **The claim, tested**: the paper's words, our numbers with an interval, the verdict.
# 10. **Your own input**, limits, a closing table, further reading.
#
# You may skip an exercise. Later cells use the package's own version, never your answer, so nothing breaks.

# %% [markdown]
# ## Attention on one page
#
# Here is the whole idea with numbers small enough to check by hand. The source is *les chaussures rouges*. An encoder has
# turned each word into a vector; we make up short ones. The decoder is about to write *red*, and its state, the
# **query**, points in the direction of *rouges*.

# %%
words = ["les", "chaussures", "rouges"]
encoder_outputs = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])  # one row per source word
query = torch.tensor([1.0, 1.0])

scores = encoder_outputs @ query  # how well does each word fit the query?
attention_weights = torch.softmax(scores, dim=0)  # positive, and together one
context = attention_weights @ encoder_outputs  # the average, weighted

for word, score, weight in zip(words, scores, attention_weights, strict=True):
    bar = "█" * round(30 * weight.item())
    print(f"{word:>12}   score {score:.1f}   weight {weight:.2f}   {bar}")
print(f"     context   {[round(value, 2) for value in context.tolist()]}")

# %% [markdown]
# Three lines: **score, softmax, average**. The context is nearly the vector of *rouges*, because nearly all of the weight lies there.
# The rest of the course is about three questions. Who computes the scores? What do they look at? And are the weights *right*?
#
# <details><summary><b>Question:</b> what would the context be if all three scores were equal?</summary>
#
# The plain mean of the three vectors. Each weight would be one third, so the decoder would look everywhere, which is the same as
# looking nowhere in particular.
# </details>

# %% [markdown]
# A whole translation makes one row of weights per target word. Here is such a table, with weights made up by hand for a model that is not
# quite there yet. We also know the truth: *the* comes from *les*, *red* from *rouges*, *shoes* from *chaussures*. French puts the
# adjective last, so the right picture is not a straight diagonal.
#
# > **Predict.** Orange frames will mark where the model should look. In which row will the darkest field lie outside its frame?

# %%
target_words = ["the", "red", "shoes"]
made_up_weights = torch.tensor([[0.85, 0.10, 0.05], [0.10, 0.55, 0.35], [0.05, 0.80, 0.15]])
gold = {(0, 0), (1, 2), (2, 1)}  # (target position, source position)

links = hard_alignment(made_up_weights)
error = alignment_error_rate([(links, gold, gold)])
mass = attention_mass_on_gold(made_up_weights, gold)
wrong = [target_words[target] for target, source in sorted(links - gold)]
title = f"Looks right for {len(links & gold)} words of {len(target_words)}"
show(plot_alignment(made_up_weights, words, target_words, gold, title=title))
print(f"wrong: {', '.join(wrong)}   alignment error rate {error:.2f}   attention inside the frames {mass:.2f}")

# %% [markdown]
# The model reads *red* off the noun: it moved along the diagonal, as if French and English had the same order. A heatmap alone would have
# looked fine. The frames, and the two numbers under them, say what is wrong. Every lesson ends in such a figure.

# %% [markdown]
# ## One name for one thing
#
# Papers use many names. Here each thing has one, in the text and in the code. Shapes are written in this order: batch, position, size.

# %% tags=["exact"]
display(Markdown(glossary_table(lessons=[0])))

# %% [markdown]
# Each lesson adds some of its own. You need not learn them: `from course_utils.teaching.glossary import explain`, then `explain("pointing game")`, in a cell of your own, says
# what a word means, in any lesson. `explain()` shows all.

# %% [markdown]
# ## Try an exercise
#
# Sentences in a batch differ in length. The short ones are filled up with **padding**, and padding must never change a
# result. Forgetting that is the most common mistake in this field, so it is our first exercise.
#
# The next code cell holds a stub: replace its last line. Then run the check under it as often as you like. It tells you which cases are
# right, and explains the first that is not.
#
# Do you not know how to go on? Write `from course_utils.exercises import reveal`, then `reveal("00.masked-mean")`, in a cell of your own: each
# call shows the next step, and the last one the solution. It works for every exercise of the course.
#
# ### Exercise masked-mean
#
# Average each row of `values` over the positions where `mask` is True. These may be anywhere in the row. The padding, all other positions, counts
# neither in the sum nor in the number of entries. It may even hold NaN or infinity, so do not multiply it by 0: NaN times 0 is NaN. A real entry may be 0.
#
# *By hand:* the row `[1., 2., 3., 50.]` with the mask `[True, True, True, False]` has the mean (1 + 2 + 3) / 3 = 2.


# %% exercise="masked-mean"
def masked_mean(values, mask):
    """Average the real entries of each row.

    values: (rows, length), floats; mask: (rows, length), True = real entry.
    Returns (rows,). Each row has at least one real entry.
    """
    ### BEGIN SOLUTION
    real_values = torch.where(mask, values, 0)
    return real_values.sum(dim=1) / mask.sum(dim=1)
    ### END SOLUTION


# %% check="masked-mean" points=1
check("00.masked-mean", masked_mean);

# %% hidden="masked-mean" points=1
### BEGIN HIDDEN TESTS
nan = float("nan")
some_rows = torch.tensor([[2.0, 5.0, nan, nan], [-1.0, 70.0, 80.0, -900.0], [0.0, 2.0, 0.0, 7.0], [nan, 6.0, nan, -1.5]])
real = torch.tensor([[True, True, False, False], [True, False, False, False], [True, True, True, True], [False, True, False, True]])
assert masked_mean(some_rows, real).tolist() == [3.5, -1.0, 2.25, 2.25]
assert masked_mean(some_rows[:1, :1], real[:1, :1]).tolist() == [2.0]
assert masked_mean(torch.arange(2051.0)[None], torch.ones(1, 2051).bool()).tolist() == [1025.0]
### END HIDDEN TESTS

# %% [markdown]
# Now we use it. The sentences below have three words and one word, and the padding holds a large number. If your function passed its
# check, the next cell runs with it; if not, with the course's. So you can always read on.

# %% tags=["exact"]
mean_of_real = checked("00.masked-mean", masked_mean)
values = torch.tensor([[3.0, 5.0, 7.0], [4.0, 999.0, 999.0]])
mask = torch.tensor([[True, True, True], [True, False, False]])
print("plain mean of each row: ", [round(value, 1) for value in values.mean(dim=1).tolist()])
print("mean of the real entries:", mean_of_real(values, mask).tolist())

# %% [markdown]
# The plain mean of the second row is ruined by its padding. In lesson 2 the same mask goes into the softmax of the attention
# weights: a padded position gets a weight of exactly zero.

# %% [markdown]
# ## What we found out about this machine
#
# Every lesson ends in a closing table. This is the one of this notebook.

# %% tags=["closing-table"]
rows = {
    "Python, torch": f"{platform.python_version()}, {torch.__version__}",
    "computing on": f"{device}, {torch.get_num_threads()} thread(s)",
    "one training step": f"{step_seconds * 1000:.0f} ms",
    "steps in a minute": f"{steps_per_minute:,.0f}",
    "the whole course, about": in_words(sum(times.scaled(step_seconds).values())) if times else "not recorded yet",
    "to look at": ", ".join(unwell) or "nothing",
    "each timing took": f"{MEASURE_SECONDS:.1f} s" + (" (the fast setting)" if FAST else ""),
}
for name, value in rows.items():
    print(f"{name:<26} {value}")

# %% [markdown]
# ## Where to go from here
#
# Open lesson 1, *the bottleneck*. It shows what happens to a decoder that cannot look back. Lesson 2 lets it look.
#
# The two papers behind them, if you would like to read first:
#
# - Cho et al., [*Learning Phrase Representations using RNN Encoder–Decoder*](https://arxiv.org/abs/1406.1078), 2014
# - Bahdanau, Cho and Bengio, [*Neural Machine Translation by Jointly Learning to Align and Translate*](https://arxiv.org/abs/1409.0473), 2015
