# %% [markdown]
# # 3 · Glimpses: see a little, choose where
#
# Lessons 1 and 2 looked at words. Words come in a row, and there are few of them. A picture is different: it has thousands of pixels, most of
# which say nothing. Your own eye does not read them all either. It is sharp in a spot as wide as your thumb at arm's length, blurred around it, and
# it jumps three times a second.
#
# In 2014 a group at DeepMind built a network that sees like this. It gets **a few small glimpses, and decides itself where each one goes**. A year
# later two systems grew out of it: one that *reads* a number digit by digit, and one that *draws*.
#
# **The question of this lesson:** how can a network learn *where to look*, when nobody tells it where, and when "a bit further to the left" has no gradient?
#
# On a laptop with two cores this notebook takes at most four minutes from top to bottom.

# %% [markdown]
# ## Predict first
#
# Write your guesses down. You will meet the answers below, in this order.
#
# 1. A canvas of 60 × 60 pixels holds one digit and some rubbish. How much of it must a network see sharply to name the digit: a tenth, a third, nearly all?
# 2. A network sees all of the canvas at once, another one eight small pieces of it. Both do about as many multiplications. Which one makes fewer mistakes?
# 3. One network is told after the fact "that was good" or "that was bad". Another one gets an exact gradient for where to look. Which one looks at the digit sooner?
# 4. A network draws a digit in ten steps, through a window that it moves. What does it draw first?

# %% [markdown]
# ## Settings
#
# The only cell that configures anything. `SOURCE = "real"` takes MNIST's digits instead of the ones that come with scikit-learn (see the section on real data).

# %% tags=["settings"]
import math

import ipywidgets
import torch
from IPython.display import Markdown, display

from course_utils.checkpoints import CheckpointError
from course_utils.data.canvases.canvases import CanvasSettings, draw_canvases
from course_utils.data.canvases.digits import load_digit_images
from course_utils.exercises import check, checked
from experiments.claims import claims_table, load_results
from experiments.glimpses import bound_in_nats, draw_tests, fit, is_inside, score_glimpses
from experiments.lesson_03_glimpses import (
    CLUTTERED, EASY, LIVE, LONGER_ROWS, ROWS, STILL, for_source, gradient_variances, load_trained,
)  # fmt: skip
from course_utils.mechanisms.vision import Retina
from course_utils.models.glimpses import error_by_glimpses, error_rate, multiply_adds
from course_utils.models.reading import END, reading_error
from course_utils.teaching.explorer import explore_glimpses
from course_utils.teaching.images import plot_drawing, plot_glimpses, plot_images
from course_utils.teaching.plots import house_style, plot_lines, show
from course_utils.training import is_fast_run

SOURCE = "default"  # "default": scikit-learn's digits; "real": MNIST
SEED = 0
FAST = is_fast_run()  # few training steps, for automatic tests; the closing table says so
TIME_LIMIT_SECONDS = 90  # a safety net for each training
torch.set_num_threads(1)  # the matrices are so small that a second thread waits more than it works
torch.manual_seed(SEED)
house_style()

# %% [markdown]
# ## The data, and their truth
#
# Real handwritten digits, enlarged, put somewhere on a dark canvas. Later canvases are strewn with pieces of other digits, or hold a whole number. We lay the canvases out ourselves, so we
# know the **gold box** of every digit: the orange frames. No model ever sees a box. They are for marking only.

# %%
digits = load_digit_images(SOURCE)
print(f"{len(digits.train.images):,} digits for training, {len(digits.test.images):,} for testing ({digits.credit})")
images, captions, boxes = [], [], []
for name, canvas in (("one digit", EASY), ("cluttered", CLUTTERED), ("a number", LONGER_ROWS)):
    batch = draw_tests(digits.test, canvas, 2)[0]
    images += list(batch.images)
    boxes += batch.boxes.tolist()
    captions += [f"{name}: " + "".join(str(d) for d in row if d >= 0) for row in batch.labels.tolist()]
show(plot_images(images, title="The canvases, and where their digits are", captions=captions, boxes=boxes))

# %% [markdown]
# ## The baseline: see everything at once
#
# A small convolutional net, the one that the paper compares with: one layer of filters over the whole canvas, one hidden layer, an answer. The clean canvases first (about fifteen seconds).

# %%
share = 0.02 if FAST else 1.0
test_easy = draw_tests(digits.test, EASY, 250 if FAST else 1000)
models, errors = {}, {}


def train_live(name):
    """Train one of the lesson's small models and test it."""
    recipe = for_source(LIVE[name], SOURCE).shortened(share)
    models[name], history = fit(recipe, digits.train, SEED, time_limit_seconds=TIME_LIMIT_SECONDS)
    print(history.summary())
    return models[name]


conv = train_live("conv")
errors["conv"] = error_by_glimpses(conv, test_easy)
print(f"{100 * errors['conv'][-1]:.1f} % of the test canvases are named wrongly; guessing would be wrong for 90 %")
print(f"{multiply_adds(conv, test_easy[0].images):,} multiplications for one canvas")

# %% [markdown]
# It spends most of its work on the dark. And if the canvas grew to twice the width, so would the work, fourfold.
#
# ## The mechanism: a retina
#
# The *retina* returns a few square patches around one place. The first is small and sharp. Each next one is twice as wide, averaged down to the same number of pixels: a blurred view of the
# surroundings, just good enough to decide where to look next. With three patches of 12 × 12 the model gets 432 numbers per glimpse, however large the picture is.

# %% [markdown]
# ### Exercise retina
#
# An eye is sharp in the middle and blurred around it. The *retina* of the paper imitates that: it cuts several squares around one location,
# the first small, each next one twice as wide, and shrinks all of them to the same few pixels. So a glimpse costs the same however large
# the image is.
#
# A location is $(x, y)$ with both between $-1$ and $1$: $(-1, -1)$ is the upper left corner of the image, the corner itself and not the
# middle of its pixel; $x$ points right and $y$ **down**. In pixels from that corner it is
#
# $$\text{column} = \frac{x + 1}{2}\,\text{width} \qquad \text{row} = \frac{y + 1}{2}\,\text{height},$$
#
# each rounded to the nearest whole number. That is a corner between pixels, and it is the middle of every square. Patch $k = 0, 1, \dots$
# covers $\text{size} \cdot 2^k$ pixels each way. It is averaged down to `size` x `size`: every entry is the mean of $2^k \times 2^k$
# pixels. What lies outside the image is 0, and counts in the mean. The widest square may be larger than the image.
#
# `image` is one image, `(channels, height, width)`, of any numbers; `x` and `y` are floats; `size` is even. Return `(scales, channels, size,
# size)`, sharpest first, and leave `image` as it is. `torch.nn.functional` has `pad` and `avg_pool2d`.
#
# *By hand:* in an image 8 wide and 4 high, $(0.5, -1)$ is column 6, row 0. With `size` 2 the first patch holds columns 5 and 6 of the rows
# $-1$ and $0$. Row $-1$ is outside, so the patch's upper row is 0.


# %% exercise="retina"
def retina_patches(image, x, y, size, scales):
    """Cut patches of doubling width around a location and average all of them down to size x size.

    image: (channels, height, width); x, y: floats from -1 to 1, (-1, -1) = upper left corner, y points down.
    size: even, pixels of a patch each way; scales: how many patches. Patch k covers size * 2**k pixels each way
    around column (x + 1)/2 * width, row (y + 1)/2 * height, both rounded to the nearest whole number; outside is 0.
    Returns (scales, channels, size, size), sharpest first.
    """
    ### BEGIN SOLUTION
    _, height, width = image.shape
    column, row = round((x + 1) / 2 * width), round((y + 1) / 2 * height)
    margin = size * 2 ** (scales - 1) // 2  # half of the widest square can stick out
    framed = torch.nn.functional.pad(image, (margin,) * 4)
    patches = []
    for k in range(scales):
        half = size * 2**k // 2
        top, left = row + margin - half, column + margin - half
        square = framed[:, top : top + 2 * half, left : left + 2 * half]
        patches.append(torch.nn.functional.avg_pool2d(square, 2**k))
    return torch.stack(patches)
    ### END SOLUTION


# %% check="retina" points=3
check("03.retina", retina_patches);

# %% hidden="retina" points=3
### BEGIN HIDDEN TESTS
torch.manual_seed(3)
image = 3 * torch.randn(2, 10, 16)
before = image.clone()
seen = retina_patches(image, 0.25, 0.2, 2, 3)  # column 10, row 6
assert seen.shape == (3, 2, 2, 2)
assert torch.allclose(seen[0], image[:, 5:7, 9:11])
assert torch.allclose(seen[1], image[:, 4:8, 8:12].reshape(2, 2, 2, 2, 2).mean((2, 4)), atol=1e-5)
assert torch.allclose(seen[2], image[:, 2:10, 6:14].reshape(2, 2, 4, 2, 4).mean((2, 4)), atol=1e-5)
assert torch.allclose(retina_patches(image, -0.28, -0.36, 4, 1)[0], image[:, 1:5, 4:8])  # 5.76 and 3.2
edge = retina_patches(image, -1.0, 1.0, 4, 2)  # column 0, row 10: three quarters are outside
assert torch.allclose(edge[0, :, :2, 2:], image[:, 8:, :2], atol=1e-6)
assert torch.allclose(edge[1, :, :2, 2:], image[:, 6:, :4].reshape(2, 2, 2, 2, 2).mean((2, 4)), atol=1e-6)
assert (edge[:, :, 2:] == 0).all() and (edge[:, :, :, :2] == 0).all()
cut = retina_patches(torch.ones(1, 5, 5), 0.6, 0.0, 2, 3)[2, 0]  # columns 0 to 7, of which 0 to 4 are in the picture
assert torch.allclose(cut.sum(), torch.tensor(25 / 16)) and torch.allclose(cut[:, 1] * 4, cut[:, 0])
assert torch.equal(image, before)
### END HIDDEN TESTS

# %% [markdown]
# Your retina (the course's own, as long as yours does not pass) at three places that nobody chose:

# %%
canvas = draw_tests(digits.test, CLUTTERED, 8)[0]
places = [(-0.5, -0.5), (0.0, 0.0), (0.6, 0.3)]
see = checked("03.retina", retina_patches)
patches = torch.stack([see(canvas.images[0], x, y, 12, 3) for x, y in places])
covered = Retina(size=12, scales=3).boxes(torch.tensor(places), 60, 60)
show(plot_glimpses(canvas.images[0], covered, patches, gold=canvas.boxes[0].tolist(), title="Three glimpses, and what the retina reports"))

# %% [markdown]
# ## The policy: a place drawn by chance
#
# The recurrent network has a state $h_{t-1}$ from what it has seen so far. From it, a linear layer says where to look: the **mean** of a Gaussian, and the place itself is *drawn* around it,
#
# $$\mu_t = \tanh(W_m h_{t-1}), \qquad l_t \sim \mathcal N(\mu_t,\ \sigma^2 I).$$
#
# Then the retina cuts at $l_t$, a small network mixes *what* was seen with *where* it was, and the core takes a step. Why chance? Because the crop has no useful gradient: moved by
# a hundredth of a pixel it is the same crop, and moved by a whole one it jumps. So the network **tries** places, and what turned out well is made more likely. For that it
# needs the probability of what it did.

# %% [markdown]
# ### Exercise location-log-probability
#
# The policy does not choose a location, it samples one: the network computes a mean $\mu$, and the location $l$ comes from an isotropic Gaussian
# around it, with the standard deviation $\sigma$ in either direction. To learn from the sample, the network needs its probability. For
# both coordinates together,
#
# $$\log \pi(l) = -\frac{|l - \mu|^2}{2\sigma^2} - 2 \log\sigma - \log 2\pi,$$
#
# with natural logarithms. It is the logarithm of a *density*, in nats, so it may be above zero. Its gradient with respect to $\mu$ is $(l -
# \mu)/\sigma^2$: to make the location more probable, the mean moves towards it.
#
# `location` and `mean` are `(batch, 2)`, `spread` is $\sigma$, one float above zero. Return `(batch,)`. Write the logarithm out: far from
# the mean the density itself is too small for a float.
#
# *By hand:* for $\sigma = 1$ and $l - \mu = (1, 1)$ it is $-1 - 0 - \log 2\pi \approx -2.84$.


# %% exercise="location-log-probability"
def log_density(location, mean, std):
    """Log density of each location under an isotropic Gaussian in two dimensions, in nats.

    -|l - mean|^2 / (2 spread^2) - 2 log(spread) - log(2 pi), with natural logarithms.
    location, mean: (batch, 2); spread: a float above zero, the standard deviation of either coordinate.
    Returns (batch,); stays a number for locations far from the mean.
    """
    ### BEGIN SOLUTION
    distance = (location - mean).square().sum(dim=-1)  # squared, (batch,)
    return -distance / (2 * std**2) - 2 * math.log(std) - math.log(2 * math.pi)
    ### END SOLUTION


# %% check="location-log-probability" points=1
check("03.location-log-probability", log_density);

# %% hidden="location-log-probability" points=1
### BEGIN HIDDEN TESTS
aimed = torch.tensor([[0.5, -0.5], [0.0, 0.25], [-1.0, 1.0]], requires_grad=True)
went = torch.tensor([[0.5, -0.5], [0.3, -0.15], [1.0, -1.0]])
density = log_density(went, aimed * 1, 0.1)
assert density.shape == (3,)
top = -2 * math.log(0.1) - math.log(2 * math.pi)
assert torch.allclose(density, torch.tensor([top, top - 12.5, top - 400]), atol=1e-4)
density.sum().backward()
assert torch.allclose(aimed.grad, (went - aimed.detach()) / 0.01, atol=1e-3)
alone = log_density(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 0.0]]), 2.0)
assert alone.shape == (1,) and abs(float(alone) + 0.625 + math.log(8 * math.pi)) < 1e-5
far = log_density(torch.tensor([[2.0, 2.0]]), torch.tensor([[-2.0, -2.0]]), 0.01)  # a squared distance of 32
assert abs(float(far) + 160_000 + 2 * math.log(0.01) + math.log(2 * math.pi)) < 1
### END HIDDEN TESTS

# %% [markdown]
# ## Learning from reward: REINFORCE
#
# After its glimpses, the model gets a reward: the probability that it gave to the right digit, between 0 and 1. How does the expected reward change with the policy's parameters $\theta$? Nobody can differentiate
# the reward by the place. But one can differentiate the **probability** of the place (Williams, 1992):
#
# $$\nabla_\theta\, \mathbb E[R] = \mathbb E\Big[\sum_t \nabla_\theta \log \pi_\theta(l_t)\; (R - b_t)\Big]$$
#
# Read it as: *make what you did more likely, in proportion to how much better than expected it turned out*. The expectation $b_t$, the **baseline**, is itself a guess by a linear layer. It changes
# nothing on average, because $\mathbb E[\nabla \log \pi] = 0$. It only takes noise out. How much, we measure below.

# %% [markdown]
# ### Exercise reinforce
#
# A crop has no gradient with respect to its place: move the location by a hundredth of a pixel and nothing changes. REINFORCE does without.
# It samples a location, waits for the reward $R$, and makes that location more probable if the reward was better than expected, and less
# probable if it was worse:
#
# $$L = -\frac{1}{B} \sum_{b} \sum_{t} \log \pi(l_{b,t})\,(R_b - b_{b,t})$$
#
# The difference in brackets is the *advantage*. The baseline $b_{b,t}$ is a guess of the reward, made before the glimpse. It does not
# change the expected gradient, but lowers its variance. The advantage counts as a **fixed number**: the
# gradient flows through $\log \pi$ only. Otherwise the model could lower the loss by guessing worse. (The baseline learns from a loss of
# its own.)
#
# `log_probabilities` and `baselines` are `(batch, glimpses)`. `reward` is `(batch,)`, any number, the same for every glimpse at an image.
# Return one number, a tensor of shape `()`, to be minimised: the sum over the glimpses, the mean over the batch. No gradient may reach `reward` and
# `baselines`.
#
# *By hand:* one image, two glimpses with $\log\pi = (-1, 2)$, the reward 1 and the baselines $(0.5, 0.75)$ give $-(-1 \cdot 0.5 + 2 \cdot
# 0.25) = 0$.


# %% exercise="reinforce"
def policy_loss(log_probabilities, reward, baselines):
    """Turn rewards into a loss for the policy: minus the log probabilities, weighed by reward minus baseline.

    log_probabilities, baselines: (batch, glimpses); reward: (batch,), one for all glimpses at an image.
    The weights are held fixed: no gradient reaches reward or baselines.
    Returns one number, shape (): summed over the glimpses, averaged over the batch; smaller is better.
    """
    ### BEGIN SOLUTION
    advantages = (reward.unsqueeze(1) - baselines).detach()  # (batch, glimpses)
    return -(log_probabilities * advantages).sum(dim=1).mean()
    ### END SOLUTION


# %% check="reinforce" points=3
check("03.reinforce", policy_loss);

# %% hidden="reinforce" points=3
### BEGIN HIDDEN TESTS
logs = torch.tensor([[-1.0, 0.5], [2.0, -0.5], [0.25, 1.0], [-2.0, -1.0]], requires_grad=True)
won = torch.tensor([1.0, 0.0, -2.0, 0.5], requires_grad=True)
guess = torch.tensor([[0.5, 0.25], [0.5, 0.0], [-1.0, -2.5], [0.5, 1.0]], requires_grad=True)
loss = policy_loss(logs * 1, won * 1, guess * 1)
weight = torch.tensor([[0.5, 0.75], [-0.5, 0.0], [-1.0, 0.5], [0.0, -0.5]])
assert loss.shape == () and abs(loss.item() - 0.09375) < 1e-5
loss.backward()
assert torch.allclose(logs.grad, -weight / 4, atol=1e-6)
assert (won.grad is None or not won.grad.any()) and (guess.grad is None or not guess.grad.any())
one = policy_loss(torch.tensor([[3.0, -1.0, 2.0]]), torch.tensor([1.0]), torch.tensor([[0.0, 0.5, 2.0]]))
assert one.shape == () and abs(float(one) + 0.5) < 1e-6
ones, wins, zeros = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([1.0, 3.0]), torch.zeros(2, 2)
assert abs(float(policy_loss(ones, wins, zeros)) + 2) < 1e-6
assert abs(float(policy_loss(60 * ones, 100 * wins, zeros)) + 12000) < 1
assert ones.sum() == 2 and wins.tolist() == [1.0, 3.0] and not zeros.any()
### END HIDDEN TESTS

# %% [markdown]
# ## Train it
#
# RAM, the *recurrent attention model*: four glimpses at the clean canvas, about a minute. Watch for two things: whether it beats guessing, and whether it learns to look at the digit at all.

# %%
ram = train_live("ram")
errors["ram"] = error_by_glimpses(ram, test_easy)
looks = score_glimpses(ram, test_easy)
for number, (error, hit, seen) in enumerate(zip(errors["ram"], looks.hits, looks.pixels_seen, strict=True), start=1):
    print(f"after glimpse {number}: {100 * error:4.1f} % wrong; {100 * hit:4.1f} % of these glimpses lie on the digit; {100 * seen:4.1f} % of the pixels seen sharply so far")
print(f"a glimpse in the middle of the canvas lies on the digit for {100 * looks.centre:.1f} %, a random one for {100 * looks.chance:.1f} %")
print(f"{multiply_adds(ram, test_easy[0].images):,} multiplications for one canvas")

# %% [markdown]
# Two things were added to the paper's recipe, because you do not have a day. The answer after *every* glimpse counts, and each glimpse is also asked by itself what it saw. So a glimpse
# that lands on the digit is rewarded at once, and not only through an answer several steps later. Judged by its answers alone, the same network learns the same thing from several times as many canvases; near the end of the lesson is a row about that.
#
# ## Look

# %% tags=["gallery"]
def look_at(model, batch, index, title):
    """Show where a model looked on one canvas, what it saw, and what it would have answered after each glimpse."""
    with torch.no_grad():
        trace = model.trace(batch.images[index : index + 1])
    answers = trace.answers[0, :, 0].argmax(dim=-1).tolist()
    truth = int(batch.labels[index, 0])
    said = [f"says {answer}" + ("" if answer == truth else ", wrong") for answer in answers]
    middles = (trace.boxes[0, :, 0, :2] + trace.boxes[0, :, 0, 2:]) / 2  # (glimpses, 2), of the sharpest patches
    hits = int(is_inside(middles, batch.boxes[index, 0]).sum())
    show(plot_glimpses(batch.images[index], trace.boxes[0], trace.patches[0], gold=batch.boxes[index].tolist(),
                       captions=said, title=title.format(truth=truth, answer=answers[-1], hits=hits, looks=len(answers))))  # fmt: skip


for index in (0, 1):
    look_at(ram, test_easy[0], index, "After a minute, {hits} of {looks} glimpses hit the digit, a {truth} named {answer}")

# %% [markdown]
# The first glimpse always goes near the middle: nothing has been seen yet, so there is nothing to choose by. The coarse patches then tell where the ink is.
#
# ## What the baseline is worth
#
# The gradient of the policy is an average over chance. Run the same model on the same canvases again and again, and look how much the estimates scatter, with the baseline and without.

# %%
without, with_baseline = gradient_variances(ram, test_easy[0], 5 if FAST else 40)
print(f"variance of the policy's gradient without baseline: {without:.3g}")
print(f"                                     with baseline: {with_baseline:.3g}, {100 * with_baseline / without:.0f} % of it")

# %% [markdown]
# The average is the same; only the scatter is smaller. To halve the scatter without a baseline, you would need four times the canvases.

# %% [markdown]
# ## A window with a gradient
#
# Must it be chance? DRAW (2015) found a way around it. Instead of *cutting* a patch, lay a grid of $N \times N$ soft filters over the picture, each a small Gaussian bell, and let every one report the weighted average of the
# pixels under it. Move the grid by a hundredth of a pixel, and every report changes by a little. So "further to the left" **has** a gradient, and plain back-propagation can learn where to look. It is the soft attention of lesson 2,
# over places instead of words, with weights that come from five numbers.

# %% [markdown]
# ### Exercise filter-bank
#
# DRAW uses soft attention over pixels. It lays a row of $N$ Gaussian bells over the columns of the image, and another row over its rows.
# Each bell, a *filter*, averages the pixels around its middle. Move, spread or blur the filters a little, and what is read changes a
# little. So there **is** a gradient, and no reward is needed.
#
# One bank of filters has a centre $g$, a stride $\delta$ between neighbours and a variance $\sigma^2$, the same for all its filters. With
# pixels $a = 1 \dots A$ and filters $i = 1 \dots N$,
#
# $$\mu_i = g + \left(i - \tfrac{N}{2} - 0.5\right) \delta \qquad
# F[i, a] = \frac{\exp\left(-(a - \mu_i)^2 / (2\sigma^2)\right)}{\sum_{a'} \exp\left(-(a' - \mu_i)^2 / (2\sigma^2)\right)}.$$
#
# Every filter, that is every row of $F$, sums to one, **however far outside the image it is**. There all exponentials are zero in a
# float, and the quotient is $0/0$. Where have you met a quotient of exponentials that never fails? Filters may also be very narrow, or very wide.
#
# `center`, `stride` and `variance` are `(batch,)`, `size` is $N$, at least 2, and `length` is $A$, the image's width (or height). Pixels
# count from 1, as in the paper. Return `(batch, size, length)`.
#
# *By hand:* two filters, centre 2, stride 2: $i - N/2 - 0.5$ is $\mp 0.5$, so they stand at pixels 1 and 3. With three pixels and a small
# variance $F$ is nearly $[[1, 0, 0], [0, 0, 1]]$.


# %% exercise="filter-bank"
def filter_bank(center, stride, variance, size, length):
    """Compute one bank of Gaussian filters over pixels 1 to length for each window.

    center, stride, variance: (batch,), in pixels, pixels and square pixels.
    Filter i = 1 ... size has its middle m at center + (i - size/2 - 0.5) * stride. At pixel a = 1 ... length
    it is exp(-(a - m)^2 / (2 variance)), divided by the sum of this over all pixels.
    Returns (batch, size, length); each row sums to one, even far outside the image.
    """
    ### BEGIN SOLUTION
    steps = torch.arange(1, size + 1) - size / 2 - 0.5
    middles = center.unsqueeze(1) + steps * stride.unsqueeze(1)  # (batch, size)
    distance = torch.arange(1, length + 1) - middles.unsqueeze(2)  # (batch, size, length)
    return torch.softmax(-distance.square() / (2 * variance.view(-1, 1, 1)), dim=2)
    ### END SOLUTION


# %% check="filter-bank" points=3
check("03.filter-bank", filter_bank);

# %% hidden="filter-bank" points=3
### BEGIN HIDDEN TESTS
g, d, v = (torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in ([2.5, 6.0, 3.2], [1.5, 0.5, 2.0], [0.5, 4.0, 1.3]))
bank = filter_bank(g * 1, d * 1, v * 1, 4, 7)
assert bank.shape == (3, 4, 7) and torch.allclose(bank.sum(2), torch.ones(3, 4, dtype=torch.float64))
for b, i in [(0, 0), (0, 3), (1, 2), (2, 1)]:
    middle = g[b].item() + (i + 1 - 2.5) * d[b].item()
    bell = [math.exp(-((a - middle) ** 2) / (2 * v[b].item())) for a in range(1, 8)]
    assert max(abs(bank[b, i, a].item() - bell[a] / sum(bell)) for a in range(7)) < 1e-9
bank[1, 0, 2].backward()
assert all(leaf.grad[1].abs() > 1e-6 and leaf.grad[0] == 0 for leaf in (g, d, v))
far = filter_bank(torch.tensor([500.0, 800.0]), torch.tensor([1.0, 0.01]), torch.tensor([0.1, 500.0]), 3, 5)
assert torch.allclose(far[0], torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0]).expand(3, 5))
slope = [math.exp(-((a - 800) ** 2 - 795**2) / 1000) for a in range(1, 6)]
assert torch.allclose(far[1, 1], torch.tensor(slope) / sum(slope), atol=1e-3)
two, narrow = torch.tensor([2.0]), torch.tensor([1e-3])
pair = filter_bank(two, two, narrow, 2, 3)
assert pair.shape == (1, 2, 3) and torch.allclose(pair, torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])) and two.item() == 2.0
odd = filter_bank(torch.tensor([3.0]), torch.tensor([1.0]), narrow, 5, 5)
assert torch.allclose(odd, torch.eye(5).unsqueeze(0))
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise window-read
#
# Two banks from [[filter-bank]] make a window. $F_Y$ says which rows of the image each row of the patch averages, and $F_X$ does so for the
# columns. Together that is one matrix product on either side of the image $x$, and the intensity $\gamma$ makes the patch brighter or darker:
#
# $$\text{read}(x) = \gamma \, F_Y \, x \, F_X^\top$$
#
# `images` is `(batch, channels, height, width)`, `rows` is $F_Y$, `(batch, size, height)`, `columns` is $F_X$, `(batch, size, width)`, and
# `intensity` is $\gamma$, `(batch,)`. Every image has its own window, and every channel of it is read through the same one. Pixels are read
# as they are, however large. Return `(batch, channels, size, size)`.
#
# *By hand:* with $F_Y = [[1, 0]]$ and $F_X = [[0, 0.5, 0.5]]$, one filter each, the image $[[1, 2, 4], [8, 8, 8]]$ reads as $\gamma \cdot
# 3$: the first row, the mean of its last two pixels.


# %% exercise="window-read"
def window_read(images, rows, columns, intensity):
    """Read a patch through two filter banks: intensity * F_Y x F_X^T, for every channel alike.

    images: (batch, channels, height, width); rows: F_Y (batch, size, height); columns: F_X (batch, size, width).
    intensity: (batch,). Returns (batch, channels, size, size); leaves its inputs as they are.
    """
    ### BEGIN SOLUTION
    patch = rows.unsqueeze(1) @ images @ columns.transpose(1, 2).unsqueeze(1)  # (batch, channels, size, size)
    return intensity.view(-1, 1, 1, 1) * patch
    ### END SOLUTION


# %% check="window-read" points=2
check("03.window-read", window_read);

# %% hidden="window-read" points=2
### BEGIN HIDDEN TESTS
torch.manual_seed(3)
f_y, f_x = torch.randn(3, 3, 4).softmax(2), torch.randn(3, 3, 6).softmax(2)
given = [tensor.requires_grad_() for tensor in (400 * torch.randn(3, 3, 4, 6), f_y, f_x, torch.tensor([0.5, 1.0, 2.0]))]
patch = window_read(*[tensor * 1 for tensor in given])
assert patch.shape == (3, 3, 3, 3)
image, f_y, f_x, gamma = (tensor.detach() for tensor in given)
for b, c, i, j in [(0, 0, 0, 1), (1, 2, 2, 0), (2, 0, 1, 1), (2, 1, 0, 2)]:
    by_hand = sum(gamma[b] * f_y[b, i, h] * image[b, c, h, w] * f_x[b, j, w] for h in range(4) for w in range(6))
    assert abs(patch[b, c, i, j].item() - by_hand.item()) < 1e-2
patch[1, 2, 0, 1].backward()
assert all(tensor.grad[1].abs().sum() > 0 and tensor.grad[[0, 2]].abs().sum() == 0 for tensor in given)
small, top = torch.tensor([[[[1.0, 2.0, 4.0], [8.0, 8.0, 8.0]]]]), torch.tensor([[[1.0, 0.0]]])
assert window_read(small, top, torch.tensor([[[0.0, 0.5, 0.5]]]), torch.tensor([2.0])).tolist() == [[[[6.0]]]]
assert small[0, 0, 0].tolist() == [1.0, 2.0, 4.0]
### END HIDDEN TESTS

# %% [markdown]
# The same digit through three windows, with your two functions (or the course's, as long as yours do not pass):

# %%
bank, read = checked("03.filter-bank", filter_bank), checked("03.window-read", window_read)
left, top, right, bottom = canvas.boxes[0, 0].tolist()
middle_x, middle_y = (left + right + 1) / 2, (top + bottom + 1) / 2  # the first pixel is at 1
windows = {"whole canvas": (30.5, 30.5, 59 / 11, 4.0), "on the digit": (middle_x, middle_y, 2.2, 1.0), "narrower": (middle_x, middle_y, 1.0, 0.4)}
views = []
for x, y, stride, variance in (map(torch.tensor, ([float(v)] for v in numbers)) for numbers in windows.values()):
    views.append(read(canvas.images[:1], bank(y, stride, variance, 12, 60), bank(x, stride, variance, 12, 60), torch.ones(1))[0])
show(plot_images([canvas.images[0], *views], captions=["the canvas", *windows], columns=4, boxes=[[canvas.boxes[0, 0].tolist()], [], [], []],
                   title="One digit through three windows of 12 × 12 filters"))  # fmt: skip

# %% [markdown]
# As a classifier: an LSTM reads through such a window and moves it, four times. Same canvases, about half a minute.

# %%
by_window = train_live("window")
errors["window"] = error_by_glimpses(by_window, test_easy)
print("wrong after each read:", ", ".join(f"{100 * error:.1f} %" for error in errors["window"]))
print(f"{multiply_adds(by_window, test_easy[0].images):,} multiplications for one canvas")
look_at(by_window, test_easy[0], 0, "Through the window: a {truth}, named {answer}")

# %% [markdown]
# The window starts as wide as the canvas and closes in. Left free, as in the paper, it now and then slips off the canvas; there it sees nothing, and from nothing comes no gradient that could
# call it back. Ours is kept on the canvas by a $\tanh$. One reading costs more than one glimpse, though: its filters touch **every** pixel, so the price grows with the picture again. RAM's does not.
#
# ## What an hour buys
#
# A minute on clean canvases is a demonstration. These models were trained for longer, on canvases with clutter; the command is on each card. If a file is missing or damaged, the cell says so and the lesson goes on with
# the models from above.

# %%
trained, cards = dict(models), {}
also_mnist = ("ram", "window")
for name in (*also_mnist, "conv", "dram", "draw", "draw-plain"):
    try:
        trained[name], cards[name] = load_trained(f"03-{name}-mnist" if SOURCE == "real" and name in also_mnist else f"03-{name}")
    except CheckpointError as error:
        print(f"going on without the checkpoint of {name}:", error)
for name, card in cards.items():
    print(f"{name:<10} {card['seconds'] / 60:3.0f} minutes on {card['threads']} thread(s): {card['command']}")

# %% tags=["gallery"]
test_cluttered = draw_tests(digits.test, CLUTTERED, 250 if FAST else 1000)
labels = {"ram": "RAM, glimpses at drawn places", "window": "window with a gradient", "conv": "convolutions, whole canvas"}
curves, final = {}, {}
for name, label in labels.items():
    rates = [100 * rate for rate in error_by_glimpses(trained[name], test_cluttered)]
    final[name] = rates[-1]
    rates = rates * len(curves[labels["ram"]][1]) if name == "conv" else rates
    curves[label] = (list(range(1, len(rates) + 1)), rates)
title = f"Clutter: {final['ram']:.1f} % wrong with glimpses, {final['window']:.1f} % by window, {final['conv']:.1f} % by convolutions"
show(plot_lines(curves, title=title, xlabel="glimpses", ylabel="canvases named wrongly, %", log_y=True))

# %% [markdown]
# ## Mark it
#
# Does RAM look at the digit? The test is the *pointing game*: does the middle of the glimpse fall into the gold box? Beside it stand a random place, and the middle of the canvas.

# %%
looks = score_glimpses(trained["ram"], test_cluttered)
count = range(1, len(looks.hits) + 1)
marks = {
    "RAM": (list(count), [100 * hit for hit in looks.hits]),
    "always the middle": (list(count), [100 * looks.centre] * len(count)),
    "anywhere": (list(count), [100 * looks.chance] * len(count)),
}
title = f"The last glimpse is on the digit in {100 * looks.hits[-1]:.0f} %; seen sharply: {100 * looks.pixels_seen[-1]:.0f} % of the pixels"
show(plot_lines(marks, title=title, xlabel="glimpse", ylabel="glimpses inside the gold box, %"))
for index in (0, 1):
    look_at(trained["ram"], test_cluttered[0], index, "Trained longer, amid clutter: {hits} of {looks} glimpses hit the digit, a {truth} named {answer}")

# %% [markdown]
# Go with it from glimpse to glimpse: move the slider, and switch the truth on. (A page that runs no scripts shows a table.)

# %%
with torch.no_grad():
    trace = trained["ram"].trace(test_cluttered[0].images[2:3])
said = [f"says {answer}" for answer in trace.answers[0, :, 0].argmax(dim=-1).tolist()]
title = f"A {int(test_cluttered[0].labels[2, 0])}, looked at {len(said)} times; in the end the model {said[-1]}"
explore_glimpses(test_cluttered[0].images[2], trace.boxes[0], trace.patches[0], gold=test_cluttered[0].boxes[2].tolist(), captions=said, title=title)

# %% [markdown]
# ### Several tries, honestly
#
# RAM draws its places, so it can try again and average. That helps, and it costs: eight runs are eight times the glimpses. An error without its number of runs says little.

# %%
for samples in (1, 2, 8):
    rate = error_rate(trained["ram"], test_cluttered, samples)
    print(f"{samples} run(s) averaged: {100 * rate:.1f} % wrong")

# %% [markdown]
# ### What goes wrong

# %%
with torch.no_grad():
    probabilities = trained["ram"].probabilities(test_cluttered[0].images)[:, -1, 0]
wrong = (probabilities.argmax(dim=-1) != test_cluttered[0].labels[:, 0]).nonzero().flatten().tolist()
print(f"{len(wrong)} of {len(probabilities)} canvases are named wrongly, among them:")
torch.manual_seed(SEED)
for index in wrong[:2]:
    look_at(trained["ram"], test_cluttered[0], index, "Usually named wrongly: a {truth}, this time named {answer}")

# %% [markdown]
# Look at where the glimpses went before you blame the policy. Some failures never found the digit. Others stare at it, and a piece of clutter has turned a 3 into an 8.
#
# ## Reading a number: DRAM
#
# With several digits, *where to look next* becomes *what to read next*. DRAM has two recurrent layers. The lower one takes the glimpses and says the digits. The upper one decides where to look, and starts from a **context network** that sees
# the whole canvas once, small and blurred. After a few glimpses it names a digit, then the next, from left to right, and in the end it says *end*. Nobody tells it where the digits are. The targets alone carry the order.

# %% [markdown]
# ### Exercise reading-targets
#
# To read a number is to say its digits one after another, and then to say that there are no more. So the model has an eleventh class,
# `END`, and learns from sequences: the digits from left to right, then `END` once, then nothing that counts.
#
# A data set lists the digits of an image in any order, each with its box. Empty places, which may stand **anywhere** in the list, have the
# label $-1$ and a box of four $-1$. Sort the digits by `x0`, the left side of their boxes. No two digits of an image share it, and it may be 0. A
# digit may come twice. Then write `END` = 10 behind the last one, and fill up with `NOTHING` = $-1$.
#
# `labels` is `(batch, most_digits)`, `boxes` is `(batch, most_digits, 4)` with `x0, y0, x1, y1` in pixels. Images may be any width, millions
# of pixels too. Return integers, `(batch, most_digits + 1)`, so that a full row has room for its `END`. An image without digits is just `END`.
# No gradient is needed.
#
# *By hand:* the labels $[3, -1, 8]$ with `x0` $[30, -1, 2]$ become $[8, 3, 10, -1]$.


# %% exercise="reading-targets"
def targets_in_reading_order(labels, boxes):
    """Write the digits of each image from left to right, then END (10) once, then NOTHING (-1).

    labels: (batch, most_digits) integers, 0 to 9, or -1 for an empty place, which may stand anywhere.
    boxes: (batch, most_digits, 4) integers x0, y0, x1, y1 in pixels, -1 for an empty place; order by x0.
    Returns (batch, most_digits + 1) integers; leaves its inputs as they are.
    """
    ### BEGIN SOLUTION
    empty = labels == -1
    left = boxes[..., 0].double().masked_fill(empty, float("inf"))  # empty places come last
    in_order = labels.gather(1, left.argsort(dim=1))
    targets = torch.nn.functional.pad(in_order, (0, 1), value=-1)
    count = (~empty).sum(dim=1, keepdim=True)  # END stands where the digits stop
    return targets.scatter(1, count, 10)
    ### END SOLUTION


# %% check="reading-targets" points=2
check("03.reading-targets", targets_in_reading_order);

# %% hidden="reading-targets" points=2
### BEGIN HIDDEN TESTS
def boxed(*places):
    return torch.tensor([[[x, 40 - x % 7, x + 5 + 13 * x % 400, 60] if x >= 0 else [-1] * 4 for x in row] for row in places])

listed = torch.tensor([[4, -1, 0, 9, 7], [-1, -1, 0, -1, 0], [-1, -1, -1, -1, -1], [1, 2, 3, 4, 5]])
spots = boxed([310, -1, 12, 150, 0], [-1, -1, 2_000_001, -1, 3], [-1] * 5, [44, 33, 90001, 11, 90000])
untouched = listed.clone(), spots.clone()
written = targets_in_reading_order(listed, spots)
assert not written.is_floating_point()
assert written.tolist() == [
    [7, 0, 9, 4, 10, -1], [0, 0, 10, -1, -1, -1], [10, -1, -1, -1, -1, -1], [4, 2, 1, 5, 3, 10],
]  # fmt: skip
assert torch.equal(listed, untouched[0]) and torch.equal(spots, untouched[1])
assert targets_in_reading_order(torch.tensor([[6]]), boxed([5])).tolist() == [[6, 10]]
assert targets_in_reading_order(torch.tensor([[8, 8, 1]]), boxed([20, 100, 3])).tolist() == [[1, 8, 8, 10]]
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise stop-at-end
#
# When the model reads by itself, nobody tells it how many digits there are. It answers again and again, and what counts is everything
# before its **first** `END`. What it says after that is noise, even if it is a digit, and even if it says `END` any number of times again. A row
# in which it never says `END` counts as it stands.
#
# `answers` is `(batch, steps)`, integers from 0 to 10. Return integers of the same shape: the digits before the first `END` (10) of each row,
# and `NOTHING` ($-1$) from there on. There is a way without a loop: how many `END`s have come so far? No gradient is needed.
#
# *By hand:* $[4, 0, 10, 7]$ becomes $[4, 0, -1, -1]$, $[10, 3, 10, 1]$ becomes $[-1, -1, -1, -1]$, and $[2, 5, 1, 9]$ stays.


# %% exercise="stop-at-end"
def stop_at_end(answers):
    """Keep what each row says before its first END (10), and blank out the rest with NOTHING (-1).

    answers: (batch, steps) integers, 0 to 10; a row without END is kept whole.
    Returns (batch, steps); leaves its input as it is.
    """
    ### BEGIN SOLUTION
    ended = (answers == 10).cumsum(dim=1) > 0  # True from the first END on
    return answers.masked_fill(ended, -1)
    ### END SOLUTION


# %% check="stop-at-end" points=2
check("03.stop-at-end", stop_at_end);

# %% hidden="stop-at-end" points=2
### BEGIN HIDDEN TESTS
said = torch.tensor([[1, 0, 9, 0, 3], [10, 10, 0, 9, 1], [0, 10, 4, 10, 10], [9, 9, 9, 9, 10], [10, 5, 10, 5, 10]])
as_said = said.clone()
kept = stop_at_end(said)
assert kept.tolist() == [[1, 0, 9, 0, 3], [-1] * 5, [0, -1, -1, -1, -1], [9, 9, 9, 9, -1], [-1] * 5]
assert torch.equal(said, as_said) and not kept.is_floating_point()
assert stop_at_end(torch.tensor([[3, 10, 2, 2]])).tolist() == [[3, -1, -1, -1]]
assert stop_at_end(torch.tensor([[10] * 300, [5, 10] * 150])).tolist() == [[-1] * 300, [5] + [-1] * 299]
assert stop_at_end(torch.tensor([[7]])).tolist() == [[7]] and stop_at_end(torch.tensor([[10], [0]])).tolist() == [[-1], [0]]
### END HIDDEN TESTS

# %%
test_rows = draw_tests(digits.test, ROWS, 250 if FAST else 1000)
if "dram" in trained:
    reader = trained["dram"]
    print(f"{100 * reading_error(reader, test_rows):.1f} % of the rows are not read exactly")
    torch.manual_seed(SEED)
    with torch.no_grad():
        trace = reader.trace(test_rows[0].images[:4])
    for index in range(2):
        row = test_rows[0].labels[index]
        truth = "".join(str(d) for d in row.tolist() if d >= 0)
        said = trace.logits[index].argmax(dim=-1).tolist()
        length = said.index(END) + 1 if END in said else len(said)
        words = ["end" if answer == END else str(answer) for answer in said[:length]]
        captions = ["" if g < reader.glimpses_per_digit - 1 else f"says {word}" for word in words for g in range(reader.glimpses_per_digit)]
        show(plot_glimpses(test_rows[0].images[index], trace.boxes[index, :length].flatten(0, 1), trace.patches[index, :length].flatten(0, 1),
                           gold=test_rows[0].boxes[index].tolist(), captions=captions, title=f"Reading {truth}: {', '.join(words)}"))  # fmt: skip

# %% [markdown]
# ## Drawing: DRAW
#
# Run the window backwards and it becomes a brush: a small patch, written through the same filters onto a canvas. DRAW is a pair of networks. One reads a picture and what is still wrong on the canvas, and passes a short code on. The
# other turns each code into a stroke. Trained to redraw digits with codes that carry as little as possible, it can afterwards draw digits that nobody wrote, from random codes.
#
# The measure is a bound on $-\log p(\text{picture})$ in **nats**: the price of the codes, plus that of the pixels that still come out wrong. Lower is better.

# %%
drawer = train_live("draw")
trained.setdefault("draw", drawer)
test_still = draw_tests(digits.test, STILL, 250 if FAST else 1000)
print(f"after this training: {bound_in_nats(drawer, test_still):.1f} nats per digit")
for name, label in (("draw", "with windows"), ("draw-plain", "without")):
    if name in cards:
        print(f"trained longer, {label}: {bound_in_nats(trained[name], test_still):.1f} nats")

# %% tags=["gallery"]
redrawn = trained["draw"].reconstruct(test_still[0].images[:4])
off = (redrawn.canvases - test_still[0].images[:4].unsqueeze(1)).abs().mean(dim=(0, 2, 3, 4))  # (steps,)
title = f"Redrawing four digits: a pixel is off by {off[0]:.0%} on average after one step, by {off[-1]:.0%} after {len(off)}"
show(plot_drawing(redrawn.canvases, boxes=redrawn.write_boxes, targets=test_still[0].images[:4], title=title))
made_up = trained["draw"].generate(4, torch.Generator().manual_seed(SEED))
show(plot_drawing(made_up.canvases, boxes=made_up.write_boxes, title="Digits that nobody wrote, drawn from random codes"))

# %%
if "draw-plain" in cards:
    plain = trained["draw-plain"].generate(4, torch.Generator().manual_seed(SEED))
    show(plot_drawing(plain.canvases, title="Without windows: everything at once, and again, and again"))

# %% [markdown]
# With windows, strokes appear in places. Without, the whole digit comes out of a fog and sharpens. Which of the two gets the better bound? The pictures here are small and fill their frame, so
# there is little to gain from looking at a part. And a window has to be taught where to go, before it can draw: here is how the two stored models learned, step by step.

# %%
if {"draw", "draw-plain"} <= set(cards):
    learned = {label: tuple(zip(*cards[name]["validations"], strict=True)) for name, label in (("draw", "with windows"), ("draw-plain", "without"))}
    first, last = (learned["with windows"][1][at] - learned["without"][1][at] for at in (0, -1))
    title = f"With windows the bound begins {first:.0f} nats behind, and ends {abs(last):.1f} {'behind' if last > 0 else 'ahead'}"
    show(plot_lines(learned, title=title, xlabel="training steps", ylabel="bound on −log p, validation, nats per digit"))

# %% [markdown]
# These are one training each. Whoever trains briefly measures who learns quickly; so the paper's claim, which has its own row below, was given as many steps as these models. Look there, and at the seeds one by one in the next output: how much do those with windows differ
# among each other, and those without? One training that goes astray can cost more than the others gain.
#
# ## Real data
#
# `SOURCE = "real"` draws the canvases with MNIST's digits, from the folder that `WHERE_TO_LOOK_DATA` names; rows of digits then stand as on photographs of house numbers. RAM and the window were
# also trained for longer on MNIST, and are loaded then; the other checkpoints know the default digits only. Here are the stored figures of the last real run, with its command, and what the longer training brought.

# %%
real_results = load_results("03", "real")
if real_results is None:
    print("No real run is stored yet.")
else:
    for measurement in real_results["measurements"]:
        figures = measurement["metrics"]
        parts = [f"{label} {figures[key]:.1f}" for label, key in (("conv", "conv/error"), ("RAM", "ram/error"), ("window", "window/error")) if key in figures]
        print(f"seed {measurement['seed']}, errors on cluttered canvases in %: " + ", ".join(parts))
        print(f"        drawing, bound in nats: with windows {figures['draw/nats']:.1f}, without {figures['draw-plain/nats']:.1f}")
    print(real_results["command"])
for name in also_mnist:
    try:
        _, card = load_trained(f"03-{name}-mnist")
        print(f"{name} after {card['recipe']['steps']:,} steps on MNIST: {100 * card['metrics']['error']:.2f} % wrong ({card['command']})")
    except CheckpointError as error:
        print(f"no {name} for MNIST:", error)

# %% [markdown]
# ## Your own canvas
#
# Choose a digit and how much clutter it gets. The model was trained with four fragments. How many does it stand?


# %%
def try_it(digit=3, fragments=4, seed=1):
    """Draw a canvas with one digit and show where the model looks on it."""
    chosen = digits.test.labels == digit
    split = digits.test.replace(images=digits.test.images[chosen], labels=digits.test.labels[chosen])
    settings = CanvasSettings(60, 60, fragments=fragments)
    torch.manual_seed(seed)
    look_at(trained["ram"], draw_canvases(split, settings, 1, torch.Generator().manual_seed(seed)), 0, f"A {{truth}} among {fragments} fragments, named {{answer}}")


try_it(digit=3, fragments=12)

# %% [markdown]
# Where the notebook is live, here are sliders. (In a printed page they do nothing.)

# %%
controls = [ipywidgets.IntSlider(description=name, min=low, max=high, value=value, continuous_update=False)
            for name, low, high, value in (("digit", 0, 9, 7), ("fragments", 0, 40, 8), ("seed", 0, 99, 2))]  # fmt: skip
output = ipywidgets.Output()


def redraw(_):
    """Draw and look again, into the area under the sliders."""
    output.clear_output(wait=True)
    with output:
        try_it(*(control.value for control in controls))


for control in controls:
    control.observe(redraw, names="value")
ipywidgets.VBox([*controls, output])

# %% [markdown]
# ## The claims, tested
#
# The papers' claims with their figures, and ours: the mean over the seeds, and the 95 % interval of the paired difference. A claim *holds* if the whole interval lies on its side and the p-value, corrected for the number of claims (Holm), is below 0.05. It is *contradicted* if the same is true of the other side, *void* if both systems are at a floor or ceiling, else *inconclusive*. The seeds were
# fixed beforehand. All classifiers saw equally many canvases.

# %%
stored = [load_results("03", source) for source in ("default", "real")]
entries = [entry for results in stored if results for entry in results["claims"]]
display(Markdown(claims_table(entries) if entries else "No results are stored yet."))

# %% [markdown]
# The row about the window compares it with RAM as published, whose only teacher is the answer. What is it worth to ask each glimpse by itself, too?

# %%
if stored[0]:
    figures = [measurement["metrics"] for measurement in stored[0]["measurements"]]
    for key, label in (("ram-plain", "RAM, answers only"), ("ram", "RAM, each glimpse asked too"), ("window", "window, answers only")):
        values = [figure[f"{key}/error"] for figure in figures]
        print(f"{label:<30} {sum(values) / len(values):5.1f} % wrong   (each seed: {', '.join(f'{v:.1f}' for v in values)})")

# %% [markdown]
# Read it with care. "Comparable multiplications" favours glimpses the more, the larger the picture. A deeper convolutional net with more work per canvas would beat all three; the claim is about what can be done
# with *little* looking, and our nets are as small as the paper's.
#
# ## Limits, and what came next
#
# - Reward is a poor teacher: one number for a whole walk. A reward for each step is a better one. An exact gradient needs neither. → *Lesson 4 has both in one system, and calls them hard and soft attention.*
# - The window has to touch every pixel. Glimpses do not, and that is why they come back wherever pictures are huge: microscope slides, satellite images.
# - A window is a rectangle. What if what matters has another shape? → *Lesson 4: weights for each cell of a map.*
#
# <details><summary><b>Question:</b> why does subtracting a baseline not change what is learned, as long as it does not depend on the place that was drawn?</summary>
#
# Because the probabilities of all places sum to one, whatever the parameters. So the expected gradient of the log-probability is zero, and any constant times zero is zero.
# </details>
#
# <details><summary><b>Question:</b> the window has an exact gradient. Why would anyone still draw places by chance?</summary>
#
# Its cost grows with the picture, and it must see everything in order to look at a part. A crop costs the same on a picture of any size. And a gradient points only to what is near: a bell that does not reach the digit feels nothing of it.
# </details>

# %% tags=["closing-table"]
print(f"lesson 3, {'FAST: too few steps to judge' if FAST else 'full size'}, digits: {digits.name}, seed {SEED}")
print(f"{'':<30}{'clean, a minute':>16}{'cluttered, longer':>20}")
for name, label in labels.items():
    print(f"{label:<30}{100 * errors[name][-1]:>14.1f} %{final[name]:>18.1f} %")
print(f"last glimpse on the digit: {100 * looks.hits[-1]:.0f} %, pixels seen sharply: {100 * looks.pixels_seen[-1]:.0f} %")
for entry in entries:
    verdict = entry["verdict"]
    print(f"{entry['id']:<24}{entry['source']:>8}  {verdict:<14} difference {entry['difference']['mean']:+.2f}")

# %% [markdown]
# ## Further reading
#
# - Mnih, Heess, Graves and Kavukcuoglu, [*Recurrent Models of Visual Attention*](https://arxiv.org/abs/1406.6247), 2014: sections 3 and 4; table 2 for the cluttered canvases.
# - Ba, Mnih and Kavukcuoglu, [*Multiple Object Recognition with Visual Attention*](https://arxiv.org/abs/1412.7755), 2015.
# - Gregor, Danihelka, Graves, Rezende and Wierstra, [*DRAW: A Recurrent Neural Network For Image Generation*](https://arxiv.org/abs/1502.04623), 2015: section 3.2 has the filters.
# - Williams, [*Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning*](https://doi.org/10.1007/BF00992696), 1992: where REINFORCE comes from.
# - Larochelle and Hinton, [*Learning to combine foveal glimpses with a third-order Boltzmann machine*](https://papers.nips.cc/paper/2010/hash/677e09724f0e2df9b6c000b75b5da10d-Abstract.html), 2010: the retina before RAM.
