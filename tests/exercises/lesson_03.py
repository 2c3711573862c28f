"""Answers to the exercises of lesson 3.

WRONG: (name, answer, a piece of the hint that it must get); RIGHT: answers in other styles.
"""

import functools
import math

import numpy
import torch
from torch import nn

from course_utils.mechanisms.vision import Retina, location_log_probability

WRONG, RIGHT = {}, {}


# 03.retina


def corner(image, x, y):
    height, width = image.shape[-2:]
    return math.floor((x + 1) / 2 * width + 0.5), math.floor((y + 1) / 2 * height + 0.5)


def shrink(square, k):
    return nn.functional.avg_pool2d(square, 2**k)


def look(image, x, y, size, scales, corner=corner, mode="constant", shrink=shrink, width=lambda size, k: size * 2**k):
    column, row = corner(image, x, y)
    margin = 200 if mode == "constant" else size * 2 ** (scales - 1) // 2
    framed = nn.functional.pad(image, (margin,) * 4, mode=mode)
    patches = []
    for k in range(scales):
        half = width(size, k) // 2
        rows = slice(row + margin - half, row + margin + half)
        patches.append(shrink(framed[:, rows, column + margin - half : column + margin + half], k))
    return torch.stack(patches)


def looking(**changes):
    return functools.partial(look, **changes)


def at(column, row):
    return looking(corner=lambda image, x, y: (column(x, image.shape[2]), row(y, image.shape[1])))


def nearest(unit, length):
    return round((unit + 1) / 2 * length)


def shifted_by(right, down):
    return at(lambda x, width: nearest(x, width) + right, lambda y, height: nearest(y, height) + down)


def from_the_corner(image, x, y, size, scales):
    return look(image, x, y, size, scales, corner=lambda *a: tuple(c + size // 2 for c in corner(*a)))


def unresized(image, x, y, size, scales):
    return look(image, x, y, size, scales, shrink=lambda square, k: square)


def list_of_patches(image, x, y, size, scales):
    return list(look(image, x, y, size, scales))


def interpolated(**how):
    def shrink(square, k):
        return nn.functional.interpolate(square[None], scale_factor=0.5**k, **how)[0]

    return looking(shrink=shrink)


def without_padding(image, x, y, size, scales):
    column, row = corner(image, x, y)
    patches = []
    for k in range(scales):
        half = size * 2**k // 2
        patches.append(shrink(image[:, row - half : row + half, column - half : column + half], k))
    return torch.stack(patches)


def rolled(image, x, y, size, scales):
    column, row = corner(image, x, y)
    patches = []
    for k in range(scales):
        half = size * 2**k // 2
        rows = torch.arange(row - half, row + half) % image.shape[1]
        columns = torch.arange(column - half, column + half) % image.shape[2]
        patches.append(shrink(image[:, rows][:, :, columns], k))
    return torch.stack(patches)


def border_repeated(image, x, y, size, scales):
    column, row = corner(image, x, y)
    patches = []
    for k in range(scales):
        half = size * 2**k // 2
        rows = torch.arange(row - half, row + half).clamp(0, image.shape[1] - 1)
        columns = torch.arange(column - half, column + half).clamp(0, image.shape[2] - 1)
        patches.append(shrink(image[:, rows][:, :, columns], k))
    return torch.stack(patches)


def kept_inside(image, x, y, size, scales):
    column, row = corner(image, x, y)
    patches = []
    for k in range(scales):
        half = size * 2**k // 2
        top = max(0, min(row - half, image.shape[1] - 2 * half))
        left = max(0, min(column - half, image.shape[2] - 2 * half))
        patches.append(shrink(image[:, top : top + 2 * half, left : left + 2 * half], k))
    return torch.stack(patches)


def mean_of_real_pixels(image, x, y, size, scales):
    inside = look(torch.ones_like(image), x, y, size, scales)
    return (look(image, x, y, size, scales) / inside).nan_to_num()


def growing_to_the_right(image, x, y, size, scales):
    column, row = corner(image, x, y)
    framed = nn.functional.pad(image, (200,) * 4)
    top, left = row + 200 - size // 2, column + 200 - size // 2
    return torch.stack(
        [shrink(framed[:, top : top + size * 2**k, left : left + size * 2**k], k) for k in range(scales)]
    )


def blurred_patch_of_the_middle(image, x, y, size, scales):
    return look(image, x, y, size, 1).repeat(scales, 1, 1, 1)


def darkens_the_picture(image, x, y, size, scales):
    result = look(image, x, y, size, scales)
    image[:, 0] = 0
    return result


def adaptive(pool):
    def by(image, x, y, size, scales):
        return look(image, x, y, size, scales, shrink=lambda square, k: pool(square, size))

    return by


def linear_widths(image, x, y, size, scales):
    def width(size, k):
        return size * (k + 1)

    return look(image, x, y, size, scales, width=width, shrink=lambda s, k: nn.functional.adaptive_avg_pool2d(s, size))


def same_widths(image, x, y, size, scales):
    return look(image, x, y, size, scales, width=lambda size, k: size, shrink=lambda square, k: square)


def begins_twice_as_wide(image, x, y, size, scales):
    return look(
        image,
        x,
        y,
        size,
        scales,
        width=lambda size, k: size * 2 ** (k + 1),
        shrink=lambda square, k: nn.functional.avg_pool2d(square, 2 ** (k + 1)),
    )


WRONG["03.retina"] = [
    ("x and y swapped", lambda image, x, y, size, scales: look(image, y, x, size, scales), "x and y are swapped"),
    ("y up", lambda image, x, y, size, scales: look(image, x, -y, size, scales), "y points down"),
    (
        "height and width swapped",
        looking(corner=lambda i, x, y: (nearest(x, i.shape[1]), nearest(y, i.shape[2]))),
        "Height and width are swapped",
    ),
    ("corner, not middle", from_the_corner, "not its upper left corner"),
    ("one to the left", shifted_by(-1, 0), "A pixel too far to the left"),
    ("one too low", shifted_by(0, 1), "a pixel away"),
    ("one off in both", shifted_by(-1, -1), "a pixel away"),
    (
        "width minus one",
        at(lambda x, w: round((x + 1) / 2 * (w - 1)), lambda y, h: round((y + 1) / 2 * (h - 1))),
        "scale by width - 1",
    ),
    (
        "not halved",
        at(lambda x, w: round((x + 1) * w), lambda y, h: round((y + 1) * h)),
        "halve x + 1",
    ),
    ("one forgotten", at(lambda x, w: round(x / 2 * w), lambda y, h: round(y / 2 * h)), "add one to x and y"),
    ("from 0 to 1", at(lambda x, w: round(x * w), lambda y, h: round(y * h)), "add one to x and y"),
    ("truncated", at(lambda x, w: int((x + 1) / 2 * w), lambda y, h: int((y + 1) / 2 * h)), "always round down"),
    (
        "rounded up",
        at(lambda x, w: math.ceil((x + 1) / 2 * w), lambda y, h: math.ceil((y + 1) / 2 * h)),
        "always round up",
    ),
    ("transposed", lambda *inputs: look(*inputs).transpose(-1, -2), "transposed"),
    ("upside down", lambda *inputs: look(*inputs).flip(-2), "on its head"),
    ("not resized", unresized, "average it down"),
    ("maximum", looking(shrink=lambda s, k: nn.functional.max_pool2d(s, 2**k)), "brightest pixel"),
    ("adaptive maximum", adaptive(nn.functional.adaptive_max_pool2d), "brightest pixel"),
    ("sum", looking(shrink=lambda s, k: shrink(s, k) * 4**k), "added the pixels"),
    ("every other pixel", looking(shrink=lambda s, k: s[:, :: 2**k, :: 2**k]), "kept one pixel"),
    ("nearest", interpolated(mode="nearest"), "kept one pixel"),
    ("bilinear", interpolated(mode="bilinear"), "four middle pixels"),
    ("widths grow linearly", linear_widths, "grow by one size"),
    ("widths stay", same_widths, "covers the same square"),
    ("begins twice as wide", begins_twice_as_wide, "covers twice that"),
    ("the middle again", blurred_patch_of_the_middle, "covers the same square"),
    ("grows to the right", growing_to_the_right, "share their upper left corner"),
    ("widest first", lambda *inputs: look(*inputs).flip(0), "sharp patch comes first"),
    ("no padding", without_padding, "margin of zeros"),
    ("wraps around", rolled, "wraps around"),
    ("repeats the border", border_repeated, "border's pixels"),
    ("mirrors", looking(mode="reflect"), "mirror the picture"),
    ("moved inside", kept_inside, "moved the square back"),
    ("mean of real pixels", mean_of_real_pixels, "Zeros of the margin count"),
    ("channels first", lambda *inputs: look(*inputs).transpose(0, 1), "Scales come before channels"),
    ("grey", lambda *inputs: look(*inputs).mean(1, keepdim=True), "Keep the colours apart"),
    ("first colour", lambda *inputs: look(*inputs)[:, :1], "Keep the colours apart"),
    ("a list", list_of_patches, "yours is a list"),
    ("no return", lambda *inputs: None, "returned None"),
    ("in place", darkens_the_picture, "in place"),
    ("nothing seen", lambda image, x, y, size, scales: torch.zeros(scales, len(image), size, size), "Wrong pixels"),
]


def look_by_loops(image, x, y, size, scales):
    channels, height, width = image.shape
    column, row = corner(image, x, y)
    patches = torch.zeros(scales, channels, size, size)
    for k in range(scales):
        step = 2**k
        for i in range(size * step):
            for j in range(size * step):
                r, c = row - size * step // 2 + i, column - size * step // 2 + j
                if 0 <= r < height and 0 <= c < width:
                    patches[k, :, i // step, j // step] += image[:, r, c] / step**2
    return patches


def look_by_slices(image, x, y, size, scales):
    _, height, width = image.shape
    column, row = corner(image, x, y)
    patches = []
    for k in range(scales):
        side = size << k
        square = image.new_zeros(len(image), side, side)
        top, left = row - side // 2, column - side // 2
        t, b, u, v = max(top, 0), min(top + side, height), max(left, 0), min(left + side, width)
        square[:, t - top : b - top, u - left : v - left] = image[:, t:b, u:v]
        patches.append(square.reshape(-1, size, 1 << k, size, 1 << k).mean(dim=(2, 4)))
    return torch.stack(patches)


def look_by_grid_sample(image, x, y, size, scales):
    _, height, width = image.shape
    column, row = corner(image, x, y)
    patches = []
    for k in range(scales):
        steps = torch.arange(size * 2**k) - size * 2**k / 2 + 0.5  # middles of the pixels
        grid_x, grid_y = (column + steps) / width * 2 - 1, (row + steps) / height * 2 - 1
        grid = torch.stack(torch.meshgrid(grid_x, grid_y, indexing="xy"), dim=-1)
        square = nn.functional.grid_sample(image[None], grid[None], mode="nearest", align_corners=False)
        patches.append(shrink(square[0], k))
    return torch.stack(patches)


def look_by_numpy(image, x, y, size, scales):
    margin = size * 2 ** (scales - 1)
    framed = numpy.pad(image.numpy(), ((0, 0), (margin, margin), (margin, margin)))
    column, row = corner(image, x, y)
    patches = []
    for k in range(scales):
        side = size * 2**k
        top, left = row + margin - side // 2, column + margin - side // 2
        square = framed[:, top : top + side, left : left + side]
        patches.append(square.reshape(len(image), size, 2**k, size, 2**k).mean((2, 4)))
    return torch.from_numpy(numpy.stack(patches))


def look_by_mask(image, x, y, size, scales):
    _, height, width = image.shape
    column, row = corner(image, x, y)

    def averaging(middle, length, k):  # (size, length): which pixels each entry averages
        first = middle - size * 2**k // 2 + torch.arange(size)[:, None] * 2**k
        pixels = torch.arange(length)
        return ((pixels >= first) & (pixels < first + 2**k)).float() / 2**k

    return torch.stack([averaging(row, height, k) @ image @ averaging(column, width, k).T for k in range(scales)])


RIGHT["03.retina"] = [
    look,
    look_by_loops,
    look_by_slices,
    look_by_grid_sample,
    look_by_numpy,
    look_by_mask,
    adaptive(nn.functional.adaptive_avg_pool2d),
    interpolated(mode="area"),
    lambda image, x, y, size, scales: Retina(size, scales)(image[None], torch.tensor([[x, y]]))[0],
]
for answer in RIGHT["03.retina"]:
    answer.__name__ = getattr(answer, "__name__", "look_by_interpolation")  # a partial function has no name


# 03.location-log-probability


def density(location, mean, spread):
    distance = ((location - mean) ** 2).sum(-1)
    return -distance / (2 * spread**2) - 2 * math.log(spread) - math.log(2 * math.pi)


def normal(location, mean, spread):
    return torch.distributions.Normal(mean, spread).log_prob(location)


def squares(location, mean):
    return ((location - mean) ** 2).sum(-1)


CONSTANT = math.log(2 * math.pi)


def log_of_density(location, mean, spread):
    return (torch.exp(-squares(location, mean) / (2 * spread**2)) / (2 * math.pi * spread**2)).log()


def density_in_place(location, mean, spread):
    location -= mean
    return density(location, torch.zeros_like(mean), spread)


WRONG["03.location-log-probability"] = [
    ("no normaliser", lambda x, m, s: -squares(x, m) / (2 * s**2), "normaliser is missing"),
    ("no 2π", lambda x, m, s: density(x, m, s) + CONSTANT, "2π is missing"),
    ("no σ", lambda x, m, s: density(x, m, s) + 2 * math.log(s), "term with σ is missing"),
    ("one coordinate's normaliser", lambda x, m, s: density(x, m, s) + math.log(s) + CONSTANT / 2, "for each of them"),
    ("log σ once", lambda x, m, s: density(x, m, s) + math.log(s), "for each of them"),
    ("half log 2π", lambda x, m, s: density(x, m, s) + CONSTANT / 2, "for each of them"),
    ("normaliser twice", lambda x, m, s: density(x, m, s) - 2 * math.log(s) - CONSTANT, "there twice"),
    ("plus 2 log σ", lambda x, m, s: density(x, m, s) + 4 * math.log(s), "normaliser is subtracted"),
    ("plus log 2π", lambda x, m, s: density(x, m, s) + 2 * CONSTANT, "normaliser is subtracted"),
    ("no half", lambda x, m, s: density(x, m, s) - squares(x, m) / (2 * s**2), "factor ½"),
    ("no brackets", lambda x, m, s: -squares(x, m) / 2 * s**2 - 2 * math.log(s) - CONSTANT, "in brackets"),
    ("σ for σ²", lambda x, m, s: normal(x, m, s**0.5).sum(-1), "standard deviation"),
    ("σ² for σ", lambda x, m, s: normal(x, m, s**2).sum(-1), "standard deviation"),
    ("σ in the exponent", lambda x, m, s: -squares(x, m) / (2 * s) - 2 * math.log(s) - CONSTANT, "standard deviation"),
    ("log of σ² twice", lambda x, m, s: density(x, m, s) - 2 * math.log(s), "2 log σ already"),
    (
        "distance, not squared",
        lambda x, m, s: -(x - m).norm(dim=-1) / (2 * s**2) - 2 * math.log(s) - CONSTANT,
        "distance is squared",
    ),
    ("plus the distance", lambda x, m, s: density(x, m, s) + squares(x, m) / s**2, "less probable"),
    ("loss", lambda x, m, s: -density(x, m, s), "sign of the whole"),
    ("probability", lambda x, m, s: density(x, m, s).exp(), "density itself"),
    ("log2", lambda x, m, s: density(x, m, s) / math.log(2), "natural logarithm"),
    ("log10", lambda x, m, s: density(x, m, s) / math.log(10), "natural logarithm"),
    ("mean over the coordinates", lambda x, m, s: normal(x, m, s).mean(-1), "took their mean"),
    ("not summed", normal, "still apart"),
    ("one number", lambda x, m, s: normal(x, m, s).sum(), "one number for each picture"),
    ("summed over the batch", lambda x, m, s: normal(x, m, s).sum(0), "added up the batch"),
    ("dimension kept", lambda x, m, s: normal(x, m, s).sum(-1, keepdim=True), "size 1 left over"),
    ("log of exp", log_of_density, "−inf"),
    ("mean detached", lambda x, m, s: density(x, m.detach(), s), "No gradient flows back"),
    ("squeezed", lambda x, m, s: density(x, m, s).squeeze(), "(batch,)"),
    ("first mean for all", lambda x, m, s: density(x, m[:1], s), "sums the squares"),
    ("squared sum", lambda x, m, s: density((x - m).sum(-1, keepdim=True), 0, s), "sums the squares"),
    ("in place", density_in_place, "in place"),
    ("typed in", lambda x, m, s: torch.tensor([0.0, -1.0, -2.0]), "sums the squares"),
    ("no return", lambda *inputs: None, "returned None"),
]  # fmt: skip


def density_by_covariance(location, mean, spread):
    return torch.distributions.MultivariateNormal(mean, spread**2 * torch.eye(2)).log_prob(location)


def density_by_loops(location, mean, spread):
    result = []
    for x, m in zip(location, mean, strict=True):
        terms = [-((x[i] - m[i]) ** 2) / (2 * spread**2) - math.log(spread * math.sqrt(2 * math.pi)) for i in range(2)]
        result.append(terms[0] + terms[1])
    return torch.stack(result)


def density_by_standard_scores(location, mean, spread):
    z = (location - mean) / spread
    return -0.5 * torch.einsum("bi,bi->b", z, z) - numpy.log(2 * numpy.pi * spread**2)


def density_by_loss(location, mean, spread):
    variance = torch.full_like(mean, spread**2)
    return -nn.functional.gaussian_nll_loss(mean, location, variance, full=True, reduction="none").sum(dim=1)


RIGHT["03.location-log-probability"] = [
    density,
    density_by_covariance,
    density_by_loops,
    density_by_standard_scores,
    density_by_loss,
    location_log_probability,
    lambda x, m, s: normal(x, m, s).sum(dim=1),
    lambda x, m, s: torch.distributions.Independent(torch.distributions.Normal(m, s), 1).log_prob(x),
]


# 03.reinforce


def reinforce(log_p, reward, baselines):
    return -(log_p * (reward[:, None] - baselines).detach()).sum(1).mean()


def weighed(weights):
    return lambda log_p, reward, baselines: -(log_p * weights(reward[:, None], baselines).detach()).sum(1).mean()


def advantages(reward, baselines):
    return (reward[:, None] - baselines).detach()


def normalised(reward, baselines):
    advantage = reward - baselines
    return (advantage - advantage.mean()) / advantage.std() if advantage.numel() > 1 else advantage


def leaking(log_p, reward, baselines):
    return -(log_p * (reward[:, None] - baselines)).sum(1).mean()


def leaking_into_the_baseline(log_p, reward, baselines):
    return -(log_p * (reward.detach()[:, None] - baselines)).sum(1).mean()


def leaking_into_the_reward(log_p, reward, baselines):
    return -(log_p * (reward[:, None] - baselines.detach())).sum(1).mean()


def with_baseline_error(log_p, reward, baselines):
    error = (baselines - reward[:, None]) ** 2
    return reinforce(log_p, reward, baselines) + error.mean()


def unrolled(log_p, reward, baselines):
    baselines -= reward[:, None]
    return (log_p * baselines.detach()).sum(1).mean()


def first_reward(log_p, reward, baselines):
    return reinforce(log_p, reward[:1].expand(len(reward)), baselines)


WRONG["03.reinforce"] = [
    ("sign", lambda *inputs: -reinforce(*inputs), "sign is turned"),
    ("no baseline", weighed(lambda r, b: r.expand_as(b)), "baseline is missing"),
    ("baseline added", weighed(lambda r, b: r + b), "baseline was added"),
    ("baseline minus reward", weighed(lambda r, b: b - r), "sign is turned"),
    ("mean over the glimpses", lambda p, r, b: -(p * advantages(r, b)).mean(), "mean over them as well"),
    ("sum over the batch", lambda p, r, b: -(p * advantages(r, b)).sum(), "Take the mean over the batch"),
    ("mean and sum swapped", lambda p, r, b: -(p * advantages(r, b)).mean(1).sum(), "swapped"),
    ("not averaged", lambda p, r, b: -(p * advantages(r, b)).sum(1), "Return one number"),
    ("not reduced", lambda p, r, b: -(p * advantages(r, b)), "Return one number"),
    ("kept the glimpses", lambda p, r, b: -(p * advantages(r, b)).mean(0), "kept the glimpses"),
    ("probabilities", lambda p, r, b: -(p.exp() * advantages(r, b)).sum(1).mean(), "not the probabilities"),
    ("summed before", lambda p, r, b: -(p.sum(1) * advantages(r, b).mean(1)).mean(), "before you sum"),
    ("both summed", lambda p, r, b: -(p.sum(1) * advantages(r, b).sum(1)).mean(), "before you sum"),
    ("last glimpse", lambda p, r, b: -(p * advantages(r, b))[:, -1].mean(), "last one only"),
    ("absolute", weighed(lambda r, b: (r - b).abs()), "keeps its sign"),
    ("good news only", weighed(lambda r, b: (r - b).relu()), "keeps its sign"),
    ("squared", weighed(lambda r, b: (r - b) ** 2), "Do not square"),
    ("normalised", weighed(normalised), "no standard deviation"),
    ("centred", weighed(lambda r, b: (r - b) - (r - b).mean()), "no mean"),
    ("baseline's error added", with_baseline_error, "another loss"),
    ("no second axis", lambda p, r, b: -(p * (r - b).detach()).sum(1).mean(), "second axis"),
    ("first reward", first_reward, "you took the first"),
    ("mean reward", weighed(lambda r, b: r.mean() - b), "Every picture has its own reward"),
    ("mean baseline", weighed(lambda r, b: r - b.mean(1, keepdim=True)), "you took their mean"),
    ("leaks", leaking, "leaks into baselines"),
    ("leaks into the baseline", leaking_into_the_baseline, "leaks into baselines"),
    ("leaks into the reward", leaking_into_the_reward, "leaks into reward"),
    ("all detached", lambda *inputs: reinforce(*inputs).detach(), "No gradient flows back"),
    ("log-probabilities detached", lambda p, r, b: reinforce(p.detach(), r, b), "No gradient flows back"),
    ("a number", lambda *inputs: reinforce(*inputs).item(), "Return a torch tensor"),
    ("right or wrong only", weighed(lambda r, b: (r > 0.5).float() - b), "Wrong for 1 picture"),
    ("in place", unrolled, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda *inputs: torch.tensor(0.4), "Expected"),
]


def reinforce_by_loops(log_p, reward, baselines):
    total = 0.0
    for b in range(len(reward)):
        for t in range(log_p.shape[1]):
            total = total - log_p[b, t] * (reward[b] - baselines[b, t]).item()
    return total / len(reward)


def reinforce_by_einsum(log_p, reward, baselines):
    with torch.no_grad():
        advantage = reward.unsqueeze(1).expand_as(baselines) - baselines
    return torch.einsum("bt,bt->", log_p, advantage) / -len(log_p)


def reinforce_by_data(log_p, reward, baselines):
    products = (baselines.data - reward.data.view(-1, 1)).mul(log_p)
    return torch.mean(torch.sum(products, dim=-1), dim=0)


def reinforce_by_pictures(log_p, reward, baselines):
    return -torch.stack(
        [torch.dot(p, (r - b).detach()) for p, r, b in zip(log_p, reward, baselines, strict=True)]
    ).mean()


RIGHT["03.reinforce"] = [
    reinforce,
    reinforce_by_loops,
    reinforce_by_einsum,
    reinforce_by_data,
    reinforce_by_pictures,
    lambda p, r, b: -(p * (r.detach()[:, None] - b.detach())).mean() * p.shape[1],
    lambda p, r, b: ((b - r.unsqueeze(-1)).detach() * p).sum() / p.shape[0],
]


# 03.reading-targets

END, NOTHING = 10, -1


def write_targets(labels, boxes, key=lambda label, box: box[0], end=END, fill=NOTHING):
    rows = []
    for picture_labels, picture_boxes in zip(labels.tolist(), boxes.tolist(), strict=True):
        digits = [
            (key(label, box), label) for label, box in zip(picture_labels, picture_boxes, strict=True) if label >= 0
        ]
        row = [label for _, label in sorted(digits, key=lambda pair: pair[0])] + [end]
        rows.append(row + [fill] * (labels.shape[1] + 1 - len(row)))
    return torch.tensor(rows)  # fmt: skip


def writing(**changes):
    return functools.partial(write_targets, **changes)


def finish(in_order, end_at):
    targets = nn.functional.pad(in_order, (0, 1), value=NOTHING)
    return targets.scatter(1, end_at, END)


def count(labels):
    return (labels >= 0).sum(1, keepdim=True)


def sorted_with_padding(labels, boxes):
    return finish(labels.gather(1, boxes[..., 0].argsort(dim=1)), count(labels))


def sorted_with_padding_end_last(labels, boxes):
    in_order = labels.gather(1, boxes[..., 0].argsort(dim=1))
    return nn.functional.pad(in_order, (0, 1), value=END)


def places(boxes, number=math.inf):
    left = boxes[..., 0].double()
    return left.masked_fill(left < 0, number)


def sorted_by_a_number(number):
    return lambda labels, boxes: finish(labels.gather(1, places(boxes, number).argsort(dim=1)), count(labels))


def inverse_order(labels, boxes):
    order = places(boxes).argsort(dim=1)
    return finish(torch.full_like(labels, NOTHING).scatter(1, order, labels), count(labels))


def order_of_the_first(labels, boxes):
    return finish(labels[:, places(boxes)[0].argsort()], count(labels))


def unsorted(labels, boxes):
    return finish(labels, count(labels))


def without_end(labels, boxes):
    return write_targets(labels, boxes, end=NOTHING)


def end_in_the_last_place(labels, boxes):
    targets = write_targets(labels, boxes)
    targets[targets == END] = NOTHING
    targets[:, -1] = END
    return targets


def no_zeros(labels, boxes):
    in_order = labels.gather(1, places(boxes).argsort(dim=1))
    return finish(in_order, (in_order > 0).sum(1, keepdim=True))


def end_over_the_last(labels, boxes):
    return finish(labels.gather(1, places(boxes).argsort(dim=1)), (count(labels) - 1).clamp(min=0))


def too_narrow(labels, boxes):
    return write_targets(labels, boxes)[:, :-1]


def end_first(labels, boxes):
    targets = write_targets(labels, boxes)
    return torch.cat([torch.full_like(targets[:, :1], END), targets[:, :-1]], dim=1)


def by_places(labels, boxes):
    return finish(places(boxes).argsort(dim=1), count(labels))


def as_lists(labels, boxes):
    return write_targets(labels, boxes).tolist()


def as_floats(labels, boxes):
    return write_targets(labels, boxes).float()


def labels_spoiled(labels, boxes):
    targets = write_targets(labels, boxes)
    labels[:] = targets[:, :-1]
    return targets


def boxes_spoiled(labels, boxes):
    targets = write_targets(labels, boxes)
    boxes[..., 0] += 1
    return targets


def end_if_there_is_room(labels, boxes):
    targets = write_targets(labels, boxes)
    targets[(labels >= 0).all(1), -1] = NOTHING
    return targets


def skipping_empty_pictures(labels, boxes):
    targets = write_targets(labels, boxes)
    targets[(labels < 0).all(1)] = NOTHING
    return targets


def counting_from_the_front(labels, boxes):
    """Takes the first n places for the digits, n being how many there are."""
    n = count(labels)
    left = boxes[..., 0].double().masked_fill(torch.arange(labels.shape[1]) >= n, math.inf)
    return finish(labels.gather(1, left.argsort(dim=1)), n)


WRONG["03.reading-targets"] = [
    ("by y", writing(key=lambda label, box: box[1]), "sorted by y"),
    ("from right to left", writing(key=lambda label, box: -box[0]), "right to left"),
    ("by x1", writing(key=lambda label, box: box[2]), "right side of the boxes"),
    ("by value", writing(key=lambda label, box: label), "sorted by value"),
    ("inverse order", inverse_order, "where argsort says"),
    ("unsorted", unsorted, "order they were given"),
    ("places", by_places, "places, not digits"),
    ("no END", without_end, "END is missing"),
    ("no room", too_narrow, "no room for END"),
    ("END is 0", writing(end=0), "END is 10"),
    ("END for the last digit", end_over_the_last, "not in its place"),
    ("END first", end_first, "not before the first"),
    ("END in each place", writing(fill=END), "in each empty place"),
    ("0 for NOTHING", writing(fill=0), "which is -1"),
    ("END always last", end_in_the_last_place, "always stands in the last place"),
    ("END only where no place is left", end_if_there_is_room, "END is missing"),
    ("padding first", sorted_with_padding, "came first"),
    ("padding first, END last", sorted_with_padding_end_last, "came first"),
    ("100 for infinity", sorted_by_a_number(100), "use infinity"),
    ("9999 for infinity", sorted_by_a_number(9999), "use infinity"),
    ("first picture's order", order_of_the_first, "that of the first"),
    ("no zeros", no_zeros, "0 is a digit"),
    ("padding behind only", counting_from_the_front, "empty places stand before"),
    ("nothing for an empty picture", skipping_empty_pictures, "END at once"),
    ("lists", as_lists, "yours is a list"),
    ("floats", as_floats, "Return integers"),
    ("labels spoiled", labels_spoiled, "in place"),
    ("boxes spoiled", boxes_spoiled, "in place"),
    ("typed in", lambda labels, boxes: torch.tensor([[6, 5, 2, 8, 10]]), "(batch, most_digits + 1)"),
    ("no return", lambda *inputs: None, "returned None"),
]


def targets_by_tensors(labels, boxes):
    return finish(labels.gather(1, places(boxes).argsort(dim=1, stable=True)), count(labels))


def targets_by_rows(labels, boxes):
    targets = torch.full((labels.shape[0], labels.shape[1] + 1), NOTHING)
    for i in range(len(labels)):
        real = labels[i] != NOTHING
        order = boxes[i, real, 0].argsort()
        n = int(real.sum())
        targets[i, :n] = labels[i, real][order]
        targets[i, n] = END
    return targets


def targets_by_numpy(labels, boxes):
    labels, left = labels.numpy(), boxes[..., 0].numpy().astype(float)
    left[labels < 0] = numpy.inf
    in_order = numpy.take_along_axis(labels, left.argsort(axis=1), axis=1)
    targets = numpy.concatenate([in_order, numpy.full((len(labels), 1), NOTHING)], axis=1)
    targets[numpy.arange(len(labels)), (labels >= 0).sum(1)] = END
    return torch.from_numpy(targets)


def targets_by_an_extra_digit(labels, boxes):
    """Takes END for one more digit, right of all others."""
    limit = int(boxes.max()) + 1
    left = torch.where(labels < 0, limit + 1, boxes[..., 0])
    left = nn.functional.pad(left, (0, 1), value=limit)
    return nn.functional.pad(labels, (0, 1), value=END).gather(1, left.argsort(dim=1))


def targets_by_double_sort(labels, boxes):
    by_x = boxes[..., 0].argsort(dim=1)
    labels = labels.gather(1, by_x)
    labels = labels.gather(1, (labels == NOTHING).int().argsort(dim=1, stable=True))
    wide = torch.cat([labels, labels.new_full((len(labels), 1), NOTHING)], dim=1)
    first = (wide == NOTHING).int().argmax(dim=1)
    return torch.where(torch.arange(wide.shape[1]) == first[:, None], END, wide)


RIGHT["03.reading-targets"] = [
    write_targets,
    targets_by_tensors,
    targets_by_rows,
    targets_by_numpy,
    targets_by_an_extra_digit,
    targets_by_double_sort,
]


# 03.stop-at-end


def stop(answers):
    return answers.masked_fill((answers == END).cumsum(1) > 0, NOTHING)


def stopped(find, keep_end=False, fill=NOTHING):
    """Cuts each row where `find` says, a list's place or None."""

    def cut(answers):
        rows = []
        for row in answers.tolist():
            place = find(row)
            place = len(row) if place is None else place + keep_end
            rows.append(row[:place] + [fill] * (len(row) - place))
        return torch.tensor(rows)

    return cut


def first_end(row):
    return row.index(END) if END in row else None


def last_end(row):
    return len(row) - 1 - row[::-1].index(END) if END in row else None


def first_of_the_batch(answers):
    where = first_end(answers[0].tolist())
    result = answers.clone()
    if where is not None:
        result[:, where:] = NOTHING
    return result


def earliest_of_the_batch(answers):
    where = (answers == END).any(0).nonzero()
    result = answers.clone()
    if len(where):
        result[:, where[0, 0] :] = NOTHING
    return result


def by_argmax(answers):
    first = (answers == END).int().argmax(1, keepdim=True)
    return answers.masked_fill(torch.arange(answers.shape[1]) >= first, NOTHING)


def by_argmax_with_a_test_for_zero(answers):
    first = (answers == END).int().argmax(1, keepdim=True)
    return answers.masked_fill((torch.arange(answers.shape[1]) >= first) & (first > 0), NOTHING)


def as_rows(answers):
    return [row[: first_end(row)] for row in answers.tolist()]


def from_the_end(answers):
    return answers.masked_fill((answers == END).cumsum(1) == 0, NOTHING).masked_fill(answers == END, NOTHING)


def stop_in_place(answers):
    answers[(answers == END).cumsum(1) > 0] = NOTHING
    return answers


def shortened(answers):
    result = stop(answers)
    return result[:, : int((result >= 0).sum(1).max())]


WRONG["03.stop-at-end"] = [
    ("END only", lambda a: a.masked_fill(a == END, NOTHING), "Only END itself"),
    ("END kept", stopped(first_end, keep_end=True), "END is no digit"),
    ("END kept by tensors", lambda a: a.masked_fill((a == END).cumsum(1) > (a == END).int(), NOTHING), "no digit"),
    ("nothing done", lambda a: a.clone(), "Nothing was cut"),
    ("the rest kept", from_the_end, "what follows END"),
    ("one too many", stopped(lambda row: max(first_end(row) - 1, 0) if END in row else None), "one digit too many"),
    ("0 for NOTHING", stopped(first_end, fill=0), "which is -1"),
    ("END for NOTHING", stopped(first_end, fill=END), "not with END"),
    ("earliest of the batch", earliest_of_the_batch, "at the earliest"),
    ("first row's", first_of_the_batch, "first row's"),
    ("last END", stopped(last_end), "stopped at the last END"),
    ("odd ENDs", lambda a: a.masked_fill((a == END).cumsum(1) == 1, NOTHING), "switches reading on again"),
    ("alternating", lambda a: a.masked_fill((a == END).cumsum(1) % 2 == 1, NOTHING), "switches reading on again"),
    ("after the second", lambda a: a.masked_fill((a == END).cumsum(1) > 1, NOTHING), "Expected"),
    ("argmax", by_argmax, "argmax over no True"),
    ("argmax, first place spared", by_argmax_with_a_test_for_zero, "you left it as it was"),
    ("rows without END cut", stopped(lambda row: first_end(row + [END]) - (END not in row)), "lost its last digit"),
    ("9 stops", lambda a: a.masked_fill((a >= 9).cumsum(1) > 0, NOTHING), "9 is a digit"),
    ("0 stops", lambda a: a.masked_fill((a % 10 == 0).cumsum(1) > 0, NOTHING), "0 is a digit"),
    ("over the batch", lambda a: a.masked_fill((a == END).cumsum(0) > 0, NOTHING), "Expected"),
    ("lists", as_rows, "same shape as the answers"),
    ("shortened", shortened, "same shape as the answers"),
    ("in place", stop_in_place, "in place"),
    ("floats", lambda a: stop(a).float(), "Return integers"),
    ("no return", lambda a: None, "returned None"),
    ("typed in", lambda a: torch.tensor([[4, 0, 6, -1, -1], [3, 1, -1, -1, -1]]), "same shape as the answers"),
]  # fmt: skip


def stop_by_loops(answers):
    result = torch.full_like(answers, NOTHING)
    for i, row in enumerate(answers):
        for j, answer in enumerate(row):
            if answer == END:
                break
            result[i, j] = answer
    return result


def stop_by_cumprod(answers):
    open_so_far = (answers != END).long().cumprod(dim=1)
    return answers * open_so_far - (1 - open_so_far)


def stop_by_numpy(answers):
    array = answers.numpy().copy()
    array[numpy.logical_or.accumulate(array == END, axis=1)] = NOTHING
    return torch.from_numpy(array)


def stop_by_columns(answers):
    ended, columns = torch.zeros(len(answers), dtype=torch.bool), []
    for column in answers.unbind(1):
        ended = ended | (column == END)
        columns.append(torch.where(ended, NOTHING, column))
    return torch.stack(columns, dim=1)


def stop_by_first_place(answers):
    is_end = answers == END
    first = torch.where(is_end.any(1), is_end.int().argmax(1), answers.shape[1])
    return torch.where(torch.arange(answers.shape[1]) < first[:, None], answers, NOTHING)


RIGHT["03.stop-at-end"] = [
    stop,
    stop_by_loops,
    stop_by_cumprod,
    stop_by_numpy,
    stop_by_columns,
    stop_by_first_place,
    stopped(first_end),
    lambda a: torch.where((a == END).int().cummax(1).values.bool(), NOTHING, a),
]


# 03.filter-bank


def logits(center, stride, variance, size, length, steps=None, pixels=None):
    steps = torch.arange(1, size + 1) - size / 2 - 0.5 if steps is None else steps(size)
    pixels = torch.arange(1, length + 1) if pixels is None else pixels(length)
    middles = center[:, None] + steps * stride[:, None]
    return -((pixels - middles[..., None]) ** 2) / (2 * variance[:, None, None])


def spread_filters(*inputs, **changes):
    return logits(*inputs, **changes).softmax(-1)


def filters_with(**changes):
    return functools.partial(spread_filters, **changes)


def quotient(dim=-1, epsilon=0.0):
    def bank(*inputs):
        bell = logits(*inputs).exp()
        return bell / (bell.sum(dim=dim, keepdim=True) + epsilon)

    return bank


def with_nan_filled(*inputs):
    return quotient()(*inputs).nan_to_num()


def by_the_constant(center, stride, variance, size, length):
    bell = logits(center, stride, variance, size, length).exp()
    return bell / (2 * math.pi * variance[:, None, None]).sqrt()


def detached(which):
    def bank(*inputs):
        inputs = [value.detach() if i == which else value for i, value in enumerate(inputs)]
        return spread_filters(*inputs)

    return bank


def one_variance(center, stride, variance, size, length):
    return spread_filters(center, stride, variance[:1].expand(len(variance)), size, length)


def one_stride(center, stride, variance, size, length):
    return spread_filters(center, stride[:1].expand(len(stride)), variance, size, length)


def one_center(center, stride, variance, size, length):
    return spread_filters(center[:1].expand(len(center)), stride, variance, size, length)


def items(center, stride, variance, size, length):
    rows = []
    for c, d, v in zip(center.tolist(), stride.tolist(), variance.tolist(), strict=True):
        rows.append(spread_filters(torch.tensor([c]), torch.tensor([d]), torch.tensor([v]), size, length)[0])
    return torch.stack(rows)


def changing_the_center(center, stride, variance, size, length):
    center -= (size + 1) / 2 * stride
    return spread_filters(center, stride, variance, size, length, steps=lambda n: torch.arange(1, n + 1))


def with_inputs(change):
    def bank(center, stride, variance, size, length):
        return spread_filters(*change(center, stride, variance), size, length)

    return bank


def clamped(center, stride, variance, size, length):
    return spread_filters(center.clamp(1, length), stride, variance, size, length)


def absolute_distance(center, stride, variance, size, length):
    unit = torch.full_like(variance, 0.5)
    distance = (-logits(center, stride, unit, size, length) + 1e-12).sqrt()
    return (-distance / (2 * variance[:, None, None])).softmax(-1)


WRONG["03.filter-bank"] = [
    ("i − N/2", filters_with(steps=lambda n: torch.arange(1, n + 1) - n / 2), "half a stride"),
    ("i − N/2 + 0.5", filters_with(steps=lambda n: torch.arange(1, n + 1) - n / 2 + 0.5), "whole stride"),
    ("i from 0", filters_with(steps=lambda n: torch.arange(n) - n / 2 - 0.5), "whole stride"),
    ("i from 0, no half", filters_with(steps=lambda n: torch.arange(n) - n / 2), "half a stride"),
    ("N // 2", filters_with(steps=lambda n: torch.arange(1, n + 1) - n // 2 - 0.5), "half a stride"),
    ("not centred", filters_with(steps=lambda n: torch.arange(1.0, n + 1)), "begins at the centre"),
    ("pixels from 0", filters_with(pixels=torch.arange), "pixels are numbered"),
    ("middles of pixels", filters_with(pixels=lambda n: torch.arange(n) + 0.5), "pixels are numbered"),
    ("no stride", with_inputs(lambda c, d, v: (c, torch.ones_like(d), v)), "stride is not used"),
    ("divided by the stride", with_inputs(lambda c, d, v: (c, 1 / d, v)), "you divided by it"),
    ("no centre", with_inputs(lambda c, d, v: (0 * c, d, v)), "centre is not used"),
    ("σ for σ²", with_inputs(lambda c, d, v: (c, d, v.sqrt())), "another square or root"),
    ("σ⁴ for σ²", with_inputs(lambda c, d, v: (c, d, v**2)), "another square or root"),
    ("no ½", with_inputs(lambda c, d, v: (c, d, v / 2)), "factor ½"),
    ("no brackets", with_inputs(lambda c, d, v: (c, d, 1 / v)), "in brackets"),
    ("no variance", with_inputs(lambda c, d, v: (c, d, torch.ones_like(v))), "variance is not used"),
    ("one variance", one_variance, "first one's variance"),
    ("one stride", one_stride, "first one's stride"),
    ("one centre", one_center, "first one's centre"),
    ("absolute distance", absolute_distance, "Square the distance"),
    ("not normalised", lambda *inputs: logits(*inputs).exp(), "not one yet"),
    ("by the constant", by_the_constant, "makes the area one"),
    ("over the filters", lambda *inputs: logits(*inputs).softmax(1), "over the filters"),
    ("over the batch", lambda *inputs: logits(*inputs).softmax(0), "over the batch"),
    ("over the bank", lambda *inputs: logits(*inputs).flatten(1).softmax(1).view(logits(*inputs).shape), "whole bank"),
    ("over everything", lambda *inputs: logits(*inputs).flatten().softmax(0).view(logits(*inputs).shape), "at once"),
    ("by the largest", lambda *i: logits(*i).exp() / logits(*i).exp().amax(-1, keepdim=True), "largest entry"),
    ("by the norm", lambda *inputs: nn.functional.normalize(logits(*inputs).exp(), dim=-1), "as a vector"),
    ("exponents", logits, "returned the exponents"),
    ("logarithms", lambda *inputs: logits(*inputs).log_softmax(-1), "returned logarithms"),
    ("positive exponent", lambda *inputs: (-logits(*inputs)).softmax(-1), "exponent is negative"),
    ("0/0", quotient(), "0/0 is NaN"),
    ("a small number", quotient(epsilon=1e-8), "hides 0/0"),
    ("NaN filled", with_nan_filled, "hides 0/0"),
    ("centre clamped", clamped, "nearest border pixel"),
    ("centre detached", detached(0), "No gradient reaches center"),
    ("stride detached", detached(1), "No gradient reaches stride"),
    ("variance detached", detached(2), "No gradient reaches variance"),
    ("items", items, "No gradient flows back"),
    ("in place", changing_the_center, "in place"),
    ("mirrored", lambda *inputs: spread_filters(*inputs).flip(1), "wrong order"),
    ("pixels first", lambda *inputs: spread_filters(*inputs).transpose(1, 2), "Filters come before pixels"),
    ("squeezed", lambda *inputs: spread_filters(*inputs).squeeze(0), "(batch, size, length)"),
    ("no return", lambda *inputs: None, "returned None"),
]  # fmt: skip


def filters_by_loops(center, stride, variance, size, length):
    windows = []
    for c, d, v in zip(center, stride, variance, strict=True):
        rows = []
        for i in range(1, size + 1):
            middle = c + (i - size / 2 - 0.5) * d
            exponents = torch.stack([-((a - middle) ** 2) / (2 * v) for a in range(1, length + 1)])
            rows.append(torch.softmax(exponents, dim=0))
        windows.append(torch.stack(rows))
    return torch.stack(windows)


def filters_shifted_by_hand(*inputs):
    exponents = logits(*inputs)
    bell = torch.exp(exponents - exponents.amax(-1, keepdim=True))
    return bell / bell.sum(-1, keepdim=True)


def filters_by_linspace(center, stride, variance, size, length):
    steps = torch.linspace(-(size - 1) / 2, (size - 1) / 2, size)
    middles = torch.outer(stride, steps) + center.unsqueeze(-1)
    distance = torch.linspace(1, length, length).view(1, 1, -1) - middles.unsqueeze(-1)
    return nn.functional.softmax(-0.5 * distance.pow(2) / variance.view(-1, 1, 1), dim=2)


def filters_by_distribution(center, stride, variance, size, length):
    middles = center.unsqueeze(1) + stride.unsqueeze(1) * (torch.arange(size) - (size - 1) / 2)
    bells = torch.distributions.Normal(middles.unsqueeze(2), variance.sqrt().view(-1, 1, 1))
    return bells.log_prob(torch.arange(1.0, length + 1)).softmax(dim=-1)


def filters_by_log_sum(*inputs):
    exponents = logits(*inputs)
    return torch.exp(exponents - torch.logsumexp(exponents, dim=-1, keepdim=True))


RIGHT["03.filter-bank"] = [
    spread_filters,
    filters_by_loops,
    filters_shifted_by_hand,
    filters_by_linspace,
    filters_by_distribution,
    filters_by_log_sum,
]


# 03.window-read


def read(images, rows, columns, intensity):
    return torch.einsum("b,bih,bchw,bjw->bcij", intensity, rows, images, columns)


def read_changing_the_picture(images, rows, columns, intensity):
    images *= intensity.view(-1, 1, 1, 1)
    return rows[:, None] @ images @ columns[:, None].mT


def read_with_gamma_in_each_bank(images, rows, columns, intensity):
    gamma = intensity.view(-1, 1, 1)
    return (rows * gamma)[:, None] @ images @ (columns * gamma)[:, None].mT


def read_with_gamma(view):
    return lambda x, f_y, f_x, g: view(g) * (f_y[:, None] @ x @ f_x[:, None].mT)


def read_detached(which):
    return lambda *inputs: read(*[value.detach() if i == which else value for i, value in enumerate(inputs)])


def read_by_numpy_once(*inputs):
    return torch.from_numpy(numpy.einsum("bchw,bih,bjw,b->bcij", *[i.detach().numpy() for i in inputs]))


def read_summing_the_channels(images, rows, columns, intensity):
    return torch.einsum("b,bih,bchw,bjw->bij", intensity, rows, images, columns)


WRONG["03.window-read"] = [
    ("banks swapped", lambda x, f_y, f_x, g: read(x, f_x, f_y, g), "banks are swapped"),
    ("patch transposed", lambda *inputs: read(*inputs).mT, "patch is transposed"),
    ("picture transposed", lambda x, f_y, f_x, g: read(x.mT, f_y, f_x, g), "picture is transposed"),
    ("no γ", lambda x, f_y, f_x, g: read(x, f_y, f_x, torch.ones_like(g)), "γ is missing"),
    ("divided by γ", lambda x, f_y, f_x, g: read(x, f_y, f_x, 1 / g), "you divided by it"),
    ("γ twice", read_with_gamma_in_each_bank, "γ counts once"),
    ("γ added", lambda x, f_y, f_x, g: read(x, f_y, f_x, g / g) + g.view(-1, 1, 1, 1), "do not add it"),
    ("γ exponential", lambda x, f_y, f_x, g: read(x, f_y, f_x, g.exp()), "no exponential"),
    ("γ not viewed", read_with_gamma(lambda g: g), "γ met the wrong axis"),
    ("γ by rows", read_with_gamma(lambda g: g[:, None]), "γ met the wrong axis"),
    ("γ by channels", read_with_gamma(lambda g: g[:, None, None]), "γ met the wrong axis"),
    ("first γ", read_with_gamma(lambda g: g[0]), "first one's intensity"),
    ("mean γ", read_with_gamma(lambda g: g.mean()), "the mean"),
    ("banks over the channels", lambda x, f_y, f_x, g: g.view(-1, 1, 1, 1) * (f_y @ x @ f_x.mT), "met the channels"),
    ("first window", lambda x, f_y, f_x, g: g.view(-1, 1, 1, 1) * (f_y[0] @ x @ f_x[0].T), "first one's window"),
    ("first picture", lambda x, f_y, f_x, g: read(x[:1].repeat(len(x), 1, 1, 1), f_y, f_x, g), "first picture"),
    ("channels summed", read_summing_the_channels, "axis of the channels is gone"),
    ("channels averaged", lambda *inputs: read(*inputs).mean(1, keepdim=True), "Keep the colours apart"),
    ("first channel", lambda *inputs: read(*inputs)[:, :1], "first one only"),
    ("channels last", lambda *inputs: read(*inputs).movedim(1, -1), "Channels come before"),
    ("rows only", lambda x, f_y, f_x, g: f_y[:, None] @ x * g.view(-1, 1, 1, 1), "(batch, channels, size, size)"),
    ("one number", lambda *inputs: read(*inputs).sum(), "all of its entries"),
    ("squeezed", lambda *inputs: read(*inputs).squeeze(), "(batch, channels, size, size)"),
    ("images detached", read_detached(0), "No gradient reaches images"),
    ("rows detached", read_detached(1), "No gradient reaches rows"),
    ("columns detached", read_detached(2), "No gradient reaches columns"),
    ("γ detached", read_detached(3), "No gradient reaches intensity"),
    ("all detached", lambda *inputs: read(*inputs).detach(), "No gradient flows back"),
    ("numpy", read_by_numpy_once, "No gradient flows back"),
    ("in place", read_changing_the_picture, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda *inputs: torch.ones(1, 1, 3, 3), "two matrix products"),
]


def read_by_loops(images, rows, columns, intensity):
    patches = []
    for x, f_y, f_x, gamma in zip(images, rows, columns, intensity, strict=True):
        patches.append(torch.stack([gamma * torch.mm(torch.mm(f_y, channel), f_x.t()) for channel in x]))
    return torch.stack(patches)


def read_by_sums(images, rows, columns, intensity):
    weights = rows[:, :, None, :, None] * columns[:, None, :, None, :]  # (batch, size, size, height, width)
    patch = (weights[:, None] * images[:, :, None, None]).sum(dim=(-1, -2))
    return patch * intensity[:, None, None, None]


def read_by_bmm(images, rows, columns, intensity):
    batch, channels, height, width = images.shape
    size = rows.shape[1]
    y = rows.repeat_interleave(channels, dim=0)
    x = columns.repeat_interleave(channels, dim=0)
    patch = torch.bmm(torch.bmm(y, images.reshape(-1, height, width)), x.transpose(1, 2))
    return patch.view(batch, channels, size, size) * intensity.reshape(batch, 1, 1, 1)


def read_scaling_one_bank(images, rows, columns, intensity):
    return torch.matmul((intensity[:, None, None] * rows).unsqueeze(1), torch.matmul(images, columns.mT.unsqueeze(1)))


RIGHT["03.window-read"] = [
    read,
    read_by_loops,
    read_by_sums,
    read_by_bmm,
    read_scaling_one_bank,
    read_with_gamma(lambda g: g[:, None, None, None]),
]
