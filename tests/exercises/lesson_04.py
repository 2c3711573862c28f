"""Answers to the exercises of lesson 4.

WRONG: (name, answer, a piece of the hint that it must get); RIGHT: answers in other styles.
"""

import math

import numpy
import torch
from torch import nn

WRONG, RIGHT = {}, {}


# 04.cells-with-coordinates


def centres(n):
    return (torch.arange(n) + 0.5) / n * 2 - 1


def with_places(feature_map, x, y):
    batch, _, rows, columns = feature_map.shape
    places = torch.stack([x[None].expand(rows, columns), y[:, None].expand(rows, columns)])
    return torch.cat([feature_map, places.expand(batch, 2, rows, columns)], 1)


def listed(feature_map):
    _, _, rows, columns = feature_map.shape
    return with_places(feature_map, centres(columns), centres(rows)).flatten(2).transpose(1, 2)


def with_axes(axis):
    """Make an answer whose coordinates along an axis of n cells are axis(n)."""
    return lambda m: with_places(m, axis(m.shape[3]), axis(m.shape[2])).flatten(2).transpose(1, 2)


def split(feature_map):
    cells = listed(feature_map)
    return cells[..., :-2], cells[..., -2:]


def swapped(feature_map):
    numbers, places = split(feature_map)
    return torch.cat([numbers, places.flip(2)], 2)


def turned_y(feature_map):
    numbers, places = split(feature_map)
    return torch.cat([numbers, places * torch.tensor([1.0, -1.0])], 2)


def places_first(feature_map):
    numbers, places = split(feature_map)
    return torch.cat([places, numbers], 2)


def by_column(feature_map):
    _, _, rows, columns = feature_map.shape
    return with_places(feature_map, centres(columns), centres(rows)).transpose(2, 3).flatten(2).transpose(1, 2)


def places_by_column(feature_map):
    _, places = split(feature_map)
    _, _, rows, columns = feature_map.shape
    turned = places.unflatten(1, (rows, columns)).transpose(1, 2).flatten(1, 2)
    return torch.cat([split(feature_map)[0], turned], 2)


def numbers_by_column(feature_map):
    numbers = feature_map.transpose(2, 3).flatten(2).transpose(1, 2)
    return torch.cat([numbers, split(feature_map)[1]], 2)


def reshaped(feature_map):
    batch, channels, rows, columns = feature_map.shape
    whole = with_places(feature_map, centres(columns), centres(rows))
    return whole.reshape(batch, rows * columns, channels + 2)


def reshaped_numbers(feature_map):
    batch, channels, rows, columns = feature_map.shape
    return torch.cat([feature_map.reshape(batch, rows * columns, channels), split(feature_map)[1]], 2)


def per_axis_swapped(feature_map):
    _, _, rows, columns = feature_map.shape
    x, y = (2 * torch.arange(columns) + 1) / rows - 1, (2 * torch.arange(rows) + 1) / columns - 1
    return with_places(feature_map, x, y).flatten(2).transpose(1, 2)


def scaled_by_columns(feature_map):
    _, _, rows, columns = feature_map.shape
    x, y = (2 * torch.arange(columns) + 1) / columns - 1, (2 * torch.arange(rows) + 1) / columns - 1
    return with_places(feature_map, x, y).flatten(2).transpose(1, 2)


def first_picture_for_all(feature_map):
    return listed(feature_map)[:1].repeat(len(feature_map), 1, 1)


def cells_in_place(feature_map):
    result = listed(feature_map)
    feature_map *= 0
    return result


def square_only(feature_map):
    batch, channels, rows, columns = feature_map.shape
    if (rows, columns) in {(3, 4), (2, 3)}:
        return listed(feature_map)
    return torch.cat([split(feature_map)[0], torch.zeros(batch, rows * columns, 2)], 2)


WRONG["04.cells-with-coordinates"] = [
    ("column by column", by_column, "column by column"),
    ("numbers column by column", numbers_by_column, "column by column"),
    ("places column by column", places_by_column, "one order for both"),
    ("x and y swapped", swapped, "x and y are swapped"),
    ("y up", turned_y, "y points down"),
    ("linspace", with_axes(lambda n: torch.linspace(-1, 1, n)), "linspace(-1, 1, n)"),
    ("upper left corner", with_axes(lambda n: torch.arange(n) * 2 / n - 1), "upper left one"),
    ("lower right corner", with_axes(lambda n: (torch.arange(n) + 1) * 2 / n - 1), "lower right one"),
    ("from 0 to 1", with_axes(lambda n: (torch.arange(n) + 0.5) / n), "from 0 to 1"),
    ("corners from 0 to 1", with_axes(lambda n: torch.arange(n) / n), "corner by corner"),
    ("edges from 0 to 1", with_axes(lambda n: torch.linspace(0, 1, n)), "edge to edge"),
    ("not doubled", with_axes(lambda n: centres(n) / 2), "-0.5 to 0.5"),
    ("one not subtracted", with_axes(lambda n: centres(n) + 1), "from 0 to 2"),
    ("numbers of rows and columns", with_axes(lambda n: torch.arange(float(n))), "count cells"),
    ("middles in cells", with_axes(lambda n: torch.arange(n) + 0.5), "count cells"),
    ("lengths swapped", per_axis_swapped, "Divide x by the number of columns"),
    ("one length for both", scaled_by_columns, "Divide x by the number of columns"),
    ("places first", places_first, "not before them"),
    ("reshaped", reshaped, "Reshaping mixes"),
    ("numbers reshaped", reshaped_numbers, "Reshaping mixes"),
    ("not transposed", lambda m: listed(m).transpose(1, 2), "transpose(1, 2)"),
    ("not flattened", lambda m: with_places(m, centres(m.shape[3]), centres(m.shape[2])), "still two axes"),
    ("two axes", lambda m: listed(m).unflatten(1, m.shape[2:]), "flatten them into one"),
    ("no coordinates", lambda m: split(m)[0], "coordinates are missing"),
    ("coordinates alone", lambda m: split(m)[1], "coordinates alone"),
    ("x alone", lambda m: listed(m)[..., :-1], "One coordinate is missing"),
    ("no batch", lambda m: listed(m)[0], "batch is gone"),
    ("batch flattened", lambda m: listed(m).flatten(0, 1), "batch was flattened"),
    ("first picture for all", first_picture_for_all, "cells of the first one"),
    ("single cells at -1", with_axes(lambda n: centres(n) - int(n == 1)), "single row or column"),
    ("sizes typed in", square_only, "do sizes come from the map"),
    ("precision lost", lambda m: listed(m).float(), "torch.float64"),
    ("detached", lambda m: listed(m.detach()), "No gradient"),
    ("in place", cells_in_place, "in place"),
    ("two tensors", split, "yours is a tuple"),
    ("no return", lambda m: None, "returned None"),
]


def cells_by_loops(feature_map):
    batch, _, rows, columns = feature_map.shape
    pictures = []
    for b in range(batch):
        cells = []
        for r in range(rows):
            for c in range(columns):
                place = feature_map.new_tensor([(2 * c + 1) / columns - 1, (2 * r + 1) / rows - 1])
                cells.append(torch.cat([feature_map[b, :, r, c], place]))
        pictures.append(torch.stack(cells))
    return torch.stack(pictures)


def cells_by_grid(feature_map):
    theta = torch.eye(2, 3, dtype=feature_map.dtype).expand(len(feature_map), 2, 3)
    grid = nn.functional.affine_grid(theta, feature_map.shape, align_corners=False)  # (batch, rows, columns, 2)
    return torch.cat([feature_map.permute(0, 2, 3, 1), grid], dim=-1).flatten(1, 2)


def cells_by_index(feature_map):
    batch, channels, rows, columns = feature_map.shape
    k = torch.arange(rows * columns)
    x = (k % columns).add(0.5).mul(2 / columns).sub(1)
    y = (k // columns).add(0.5).mul(2 / rows).sub(1)
    places = torch.stack([x, y], dim=1).to(feature_map.dtype).repeat(batch, 1, 1)
    return torch.cat((feature_map.view(batch, channels, -1).permute(0, 2, 1), places), dim=2)


def cells_by_linspace(feature_map):
    batch, channels, rows, columns = feature_map.shape
    result = feature_map.new_zeros(batch, rows, columns, channels + 2)
    result[..., :channels] = feature_map.movedim(1, -1)
    result[..., channels] = torch.linspace(-1 + 1 / columns, 1 - 1 / columns, columns)
    result[..., channels + 1] = torch.linspace(-1 + 1 / rows, 1 - 1 / rows, rows)[:, None]
    return result.reshape(batch, rows * columns, -1)


def cells_by_meshgrid(feature_map):
    rows, columns = feature_map.shape[-2:]
    x = torch.from_numpy((numpy.arange(columns) * 2 + 1) / columns - 1)
    y = torch.from_numpy((numpy.arange(rows) * 2 + 1) / rows - 1)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"))
    both = [torch.cat([picture, grid.type_as(picture)]).flatten(1).T for picture in feature_map]
    return torch.stack(both)


RIGHT["04.cells-with-coordinates"] = [
    cells_by_loops,
    cells_by_grid,
    cells_by_index,
    cells_by_linspace,
    cells_by_meshgrid,
]


# 04.soft-context


def average(weights, annotations):
    return (weights.unsqueeze(2) * annotations).sum(1)


def softly(scores, annotations, gate):
    weights = torch.softmax(scores, 1)
    return gate[:, None] * average(weights, annotations), weights


def weighing(weights_of):
    """Make an answer whose weights are weights_of(scores, gate)."""

    def by(scores, annotations, gate):
        weights = weights_of(scores, gate)
        return gate[:, None] * average(weights, annotations), weights

    return by


def gating(gated):
    """Make an answer whose context is gated(gate as (batch, 1), average)."""

    def by(scores, annotations, gate):
        weights = torch.softmax(scores, 1)
        return gated(gate[:, None], average(weights, annotations)), weights

    return by


def context_of(context):
    """Make an answer whose context is context(weights, annotations, gate as (batch, 1))."""

    def by(scores, annotations, gate):
        weights = torch.softmax(scores, 1)
        return context(weights, annotations, gate[:, None]), weights

    return by


def gated_weights(scores, annotations, gate):
    weights = torch.softmax(scores, 1) * gate[:, None]
    return average(weights, annotations), weights


def gate_by_division(scores, annotations, gate):
    weights = torch.softmax(scores, 1) * gate[:, None]
    return average(weights, annotations), weights / weights.sum(1, keepdim=True)


def soft_in_place(scores, annotations, gate):
    weights = torch.softmax(scores, 1)
    annotations *= weights[..., None]
    return gate[:, None] * annotations.sum(1), weights


def exponentials(scores, annotations, gate):
    weights = scores.exp() / scores.exp().sum(1, keepdim=True)
    return gate[:, None] * average(weights, annotations), weights


WRONG["04.soft-context"] = [
    ("softmax over the batch", weighing(lambda s, g: s.softmax(0)), "runs over the batch"),
    ("softmax over everything", weighing(lambda s, g: s.flatten().softmax(0).view_as(s)), "everything at once"),
    ("no softmax", weighing(lambda s, g: s), "softmax is missing"),
    ("sigmoid", weighing(lambda s, g: s.sigmoid()), "sigmoid of each score"),
    ("exp", weighing(lambda s, g: s.exp()), "Divide the exponentials"),
    ("divided scores", weighing(lambda s, g: s / s.sum(1, keepdim=True)), "do not divide by their sum"),
    ("log_softmax", weighing(lambda s, g: s.log_softmax(1)), "not log_softmax"),
    ("upside down", weighing(lambda s, g: (-s).softmax(1)), "other way round"),
    ("softmax twice", weighing(lambda s, g: s.softmax(1).softmax(1)), "there twice"),
    ("hard", weighing(lambda s, g: nn.functional.one_hot(s.argmax(1), s.shape[1]).float()), "hard attention"),
    ("uniform", weighing(lambda s, g: torch.ones_like(s) / s.shape[1]), "same weight"),
    ("gated scores", weighing(lambda s, g: (s * g[:, None]).softmax(1)), "must not change the scores"),
    ("gated weights", gated_weights, "gate belongs to the context"),
    ("gated, divided", gate_by_division, "do not divide by the gate"),
    ("no gate", gating(lambda g, z: z), "gate is missing"),
    ("gate through a sigmoid", gating(lambda g, z: g.sigmoid() * z), "no sigmoid"),
    ("gate added", gating(lambda g, z: g + z), "you added it"),
    ("gate divided", gating(lambda g, z: z / g), "you divided by it"),
    ("gate turned", gating(lambda g, z: (1 - g) * z), "1 − β holds back"),
    ("gate twice", gating(lambda g, z: g * g * z), "counts once"),
    ("tanh", gating(lambda g, z: (g * z).tanh()), "no tanh"),
    ("first gate", gating(lambda g, z: g[0] * z), "the gate of the first"),
    ("mean gate", gating(lambda g, z: g.mean() * z), "same gate"),
    (
        "gate on the wrong axis",
        lambda s, h, g: (
            g * average(s.softmax(1), h) if s.shape[0] == h.shape[2] else softly(s, h, g)[0],
            s.softmax(1),
        ),
        "gate met the wrong axis",
    ),
    ("gate without axis", lambda s, h, g: (g * average(s.softmax(1), h), s.softmax(1)), "raised RuntimeError"),
    ("mean over the cells", context_of(lambda a, h, g: g * (a[..., None] * h).mean(1)), "no mean"),
    ("plain mean", context_of(lambda a, h, g: g * h.mean(1)), "plain mean"),
    ("plain sum", context_of(lambda a, h, g: g * h.sum(1)), "plain sum"),
    ("best cell", context_of(lambda a, h, g: g * h[torch.arange(len(h)), a.argmax(1)]), "annotation of the best cell"),
    ("summed over the size", context_of(lambda a, h, g: g * (a[..., None] * h).sum(2)), "numbers of each annotation"),
    ("summed over the batch", context_of(lambda a, h, g: (a[..., None] * h).sum(0)), "added up the batch"),
    ("cells apart", context_of(lambda a, h, g: g[..., None] * a[..., None] * h), "still apart"),
    ("axis left over", context_of(lambda a, h, g: g[..., None] * (a[:, None] @ h)), "size 1 left over"),
    (
        "wrong weight axis",
        context_of(lambda a, h, g: g * (a[:, None] * h).sum(1) if a.shape[1] == h.shape[2] else g * average(a, h)),
        "weights met the wrong axis",
    ),
    ("first picture", context_of(lambda a, h, g: g * (a @ h[0])), "first picture every time"),
    ("scores averaged", lambda s, h, g: (g[:, None] * average(s, h), s.softmax(1)), "You averaged with the scores"),
    ("swapped", lambda *inputs: softly(*inputs)[::-1], "swapped"),
    ("context alone", lambda *inputs: softly(*inputs)[0], "Return two tensors"),
    ("overflow", exponentials, "exp overflows"),
    ("weights detached", lambda s, h, g: (softly(s.detach(), h, g)[0], s.softmax(1)), "No gradient reaches scores"),
    (
        "returned weights detached",
        lambda s, h, g: (softly(s, h, g)[0], s.softmax(1).detach()),
        "No gradient flows back",
    ),
    ("in place", soft_in_place, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda s, h, g: (torch.zeros(len(h), h.shape[2]), s.softmax(1)), "Expected β"),
]


def soft_by_matrices(scores, annotations, gate):
    weights = nn.functional.softmax(scores, dim=-1)
    return torch.bmm(weights.unsqueeze(1), annotations).squeeze(1) * gate.unsqueeze(-1), weights


def soft_by_loops(scores, annotations, gate):
    contexts, rows = [], []
    for e, h, beta in zip(scores, annotations, gate, strict=True):
        a = (e - e.max()).exp()
        a = a / a.sum()
        z = 0
        for i in range(len(a)):
            z = z + a[i] * h[i]
        contexts.append(beta * z)
        rows.append(a)
    return torch.stack(contexts), torch.stack(rows)


def soft_by_einsum(scores, annotations, gate):
    weights = scores.log_softmax(1).exp()
    return torch.einsum("b,bc,bcs->bs", gate, weights, annotations), weights


def soft_by_transposing(scores, annotations, gate):
    weights = torch.exp(scores - scores.logsumexp(1, keepdim=True))
    return [torch.matmul(annotations.mT, weights[..., None])[..., 0] * gate.view(-1, 1), weights]


RIGHT["04.soft-context"] = [softly, soft_by_matrices, soft_by_loops, soft_by_einsum, soft_by_transposing]


# 04.doubly-stochastic


def covered(weights, mask):
    return (weights * mask[..., None]).sum(1)


def penalty(weights, mask, strength):
    return strength * ((1 - covered(weights, mask)) ** 2).sum(1).mean()


def of_gaps(reduce):
    """Make an answer that reduces the gaps (batch, cells) in another way."""
    return lambda weights, mask, strength: reduce(1 - covered(weights, mask), strength)


def of_looks(looks):
    """Make an answer that adds the looks up in another way."""
    return lambda weights, mask, strength: strength * ((1 - looks(weights, mask)) ** 2).sum(1).mean()


def penalty_in_place(weights, mask, strength):
    weights *= mask[..., None]
    return strength * ((1 - weights.sum(1)) ** 2).sum(1).mean()


def mask_on_the_cells(weights, mask, strength):
    if weights.shape[1] != weights.shape[2]:
        return penalty(weights, mask, strength)
    return strength * ((1 - (weights * mask[:, None]).sum(1)) ** 2).sum(1).mean()


def mask_without_axis(weights, mask, strength):
    if len({*weights.shape}) > 1:
        return penalty(weights, mask, strength)
    return strength * ((1 - (weights * mask).sum(1)) ** 2).sum(1).mean()


WRONG["04.doubly-stochastic"] = [
    ("over the cells", of_looks(lambda a, m: (a * m[..., None]).sum(2)), "added the weights over the cells"),
    ("over the batch", of_looks(lambda a, m: (a * m[..., None]).sum(0)), "added the weights over the batch"),
    ("no square", of_gaps(lambda d, s: s * d.sum(1).mean()), "square is missing"),
    ("absolute", of_gaps(lambda d, s: s * d.abs().sum(1).mean()), "absolute value"),
    ("squared sum", of_gaps(lambda d, s: s * (d.sum(1) ** 2).mean()), "before you add them up"),
    ("root", of_gaps(lambda d, s: s * d.norm(dim=1).mean()), "without a root"),
    ("no strength", of_gaps(lambda d, s: (d**2).sum(1).mean()), "strength λ is missing"),
    ("strength inside", of_gaps(lambda d, s: ((s * d) ** 2).sum(1).mean()), "outside the square"),
    ("strength divided", of_gaps(lambda d, s: (d**2).sum(1).mean() / s), "you divided by it"),
    ("mean over the cells", of_gaps(lambda d, s: s * (d**2).mean()), "mean over them"),
    ("sum over the batch", of_gaps(lambda d, s: s * (d**2).sum()), "summed over them"),
    ("sum and mean swapped", of_gaps(lambda d, s: s * (d**2).mean(1).sum()), "yours are swapped"),
    ("not averaged", of_gaps(lambda d, s: s * (d**2).sum(1)), "Return one number"),
    ("not reduced", of_gaps(lambda d, s: s * d**2), "Return one number"),
    ("cells kept", of_gaps(lambda d, s: s * (d**2).mean(0)), "sum over the cells"),
    ("batch first", of_gaps(lambda d, s: s * (d.mean(0) ** 2).sum()), "counts by itself"),
    ("minus", of_gaps(lambda d, s: -s * (d**2).sum(1).mean()), "above zero"),
    ("too much allowed", of_gaps(lambda d, s: s * (d.relu() ** 2).sum(1).mean()), "do not cut"),
    ("largest gap", of_gaps(lambda d, s: s * (d**2).amax(1).mean()), "largest gap"),
    ("square of the looks", lambda a, m, s: s * (covered(a, m) ** 2).sum(1).mean(), "Compare with one"),
    ("square of each look", lambda a, m, s: s * (((1 - a) * m[..., None]) ** 2).sum((1, 2)).mean(), "steps first"),
    ("mean over the steps", of_looks(lambda a, m: covered(a, m) / m.shape[1]), "mean over them"),
    ("mean over real steps", of_looks(lambda a, m: covered(a, m) / m.sum(1, keepdim=True)), "mean over them"),
    (
        "steps per cell",
        lambda a, m, s: s * ((m.sum(1, keepdim=True) / a.shape[2] - covered(a, m)) ** 2).sum(1).mean(),
        "compare with 1",
    ),
    ("no mask", of_looks(lambda a, m: a.sum(1)), "Padding was counted"),
    ("mask upside down", of_looks(lambda a, m: covered(a, ~m)), "upside down"),
    ("mask too late", lambda a, m, s: s * (((1 - a) * m[..., None]).sum(1) ** 2).sum(1).mean(), "mask comes too late"),
    ("first mask", of_looks(lambda a, m: covered(a, m[:1])), "mask of the first"),
    ("full captions only", lambda a, m, s: penalty(a[m.all(1)], m[m.all(1)], s), "mask steps, not pictures"),
    ("per token", lambda a, m, s: s * ((1 - covered(a, m)) ** 2).sum() / m.sum(), "not of tokens"),
    ("stretched", of_looks(lambda a, m: covered(a, m) / m.float().mean(1, keepdim=True)), "stretch short captions"),
    ("minus infinity", of_looks(lambda a, m: a.masked_fill(~m[..., None], -math.inf).sum(1)), "Minus infinity"),
    ("mask on the cells", mask_on_the_cells, "mask met the cells"),
    ("mask without axis", mask_without_axis, "mask met the cells"),
    ("a number", lambda *inputs: penalty(*inputs).item(), "not a Python number"),
    ("detached", lambda *inputs: penalty(*inputs).detach(), "No gradient flows back"),
    ("in place", penalty_in_place, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda a, m, s: torch.tensor(0.7), "Expected λ"),
]


def penalty_by_einsum(weights, mask, strength):
    gaps = 1 - torch.einsum("btc,bt->bc", weights, mask.to(weights.dtype))
    return strength * torch.einsum("bc,bc->", gaps, gaps) / len(weights)


def penalty_by_loops(weights, mask, strength):
    total = 0.0
    for a, real in zip(weights, mask, strict=True):
        for looks in a[real].sum(0):
            total = total + strength * (1 - looks) ** 2
    return total / len(weights)


def penalty_by_where(weights, mask, strength):
    looks = torch.where(mask.unsqueeze(-1), weights, torch.zeros_like(weights)).sum(dim=-2)
    return torch.mean(strength * torch.sum(torch.pow(looks - 1, 2), dim=-1))


def penalty_by_mse(weights, mask, strength):
    looks = weights.masked_fill(~mask[..., None], 0.0).sum(1)
    return strength * weights.shape[2] * nn.functional.mse_loss(looks, torch.ones_like(looks))


RIGHT["04.doubly-stochastic"] = [penalty, penalty_by_einsum, penalty_by_loops, penalty_by_where, penalty_by_mse]


# 04.hard-sample


def pick(annotations, cell):
    return annotations[torch.arange(len(cell)), cell]


def choose(weights, generator):
    return torch.multinomial(weights, 1, generator=generator)[:, 0]


def harden(weights, annotations, generator):
    cell = choose(weights, generator)
    return pick(annotations, cell), pick(weights, cell).log()


def chosen_by(choice):
    """Make an answer that chooses in another way."""

    def by(weights, annotations, generator):
        cell = choice(weights, generator)
        return pick(annotations, cell), pick(weights, cell).log()

    return by


def told(log_probability):
    """Make an answer that reports log_probability(weights, cell)."""

    def by(weights, annotations, generator):
        cell = choose(weights, generator)
        return pick(annotations, cell), log_probability(weights, cell)

    return by


def context_by(context):
    """Make an answer whose context is context(weights, annotations, cell)."""

    def by(weights, annotations, generator):
        cell = choose(weights, generator)
        return context(weights, annotations, cell), pick(weights, cell).log()

    return by


def one_draw(weights, generator):
    u = torch.rand(1, generator=generator)
    return (weights.cumsum(1) < u).sum(1).clamp(max=weights.shape[1] - 1)


def with_own_generator(weights, generator):
    return choose(weights, torch.Generator().manual_seed(0))


def reseeded(weights, generator):
    return choose(weights, generator.manual_seed(0))


def unseeded(weights, generator):
    return torch.multinomial(weights, 1)[:, 0]


def drawn_twice(weights, annotations, generator):
    return pick(annotations, choose(weights, generator)), pick(weights, choose(weights, generator)).log()


def by_weights_as_scores(weights, generator):
    return choose(weights.softmax(1), generator)


def uniformly(weights, generator):
    return torch.randint(weights.shape[1], (len(weights),), generator=generator)


def straight_through(weights, annotations, cell):
    hard = nn.functional.one_hot(cell, weights.shape[1]).float()
    hard = hard + weights - weights.detach()
    return (hard[..., None] * annotations).sum(1)


def hard_in_place(weights, annotations, generator):
    cell = choose(weights, generator)
    result = pick(annotations, cell).clone(), pick(weights, cell).log()
    annotations.zero_()
    return result


WRONG["04.hard-sample"] = [
    ("argmax", chosen_by(lambda a, g: a.argmax(1)), "most probable cell"),
    ("uniform", chosen_by(uniformly), "equally often"),
    ("one draw for all", chosen_by(one_draw), "same draw"),
    (
        "first picture's weights",
        chosen_by(lambda a, g: torch.multinomial(a[0], len(a), replacement=True, generator=g)),
        "weights of the first",
    ),
    ("first picture's cell", chosen_by(lambda a, g: choose(a[:1], g).expand(len(a))), "same draw"),
    ("softmax again", chosen_by(by_weights_as_scores), "no second softmax"),
    ("logits", chosen_by(lambda a, g: choose(torch.distributions.Categorical(logits=a).probs, g)), "no second softmax"),
    ("squared weights", chosen_by(lambda a, g: choose(a**2, g)), "squared weights"),
    ("improbable cells", chosen_by(lambda a, g: choose(1 - a + 1e-9, g)), "not probable"),
    ("no generator", chosen_by(unseeded), "generator is not used"),
    ("Categorical", chosen_by(lambda a, g: torch.distributions.Categorical(a).sample()), "generator is not used"),
    ("own generator", chosen_by(with_own_generator), "same cells"),
    ("seeded again", chosen_by(reseeded), "same cells"),
    ("soft", context_by(lambda a, h, c: average(a, h)), "soft attention"),
    ("weighed", context_by(lambda a, h, c: pick(a, c)[:, None] * pick(h, c)), "multiplied by its weight"),
    ("of the first picture", context_by(lambda a, h, c: h[0, c]), "another picture"),
    ("all pictures", context_by(lambda a, h, c: h[:, c]), "pair them"),
    ("number", context_by(lambda a, h, c: c), "number of the cell"),
    ("next cell", context_by(lambda a, h, c: pick(h, (c + 1) % h.shape[1])), "another cell's weight"),
    ("axis left over", context_by(lambda a, h, c: pick(h, c)[:, None]), "size 1 left over"),
    ("straight through", context_by(straight_through), "gradient leads from the context"),
    ("context detached", context_by(lambda a, h, c: pick(h, c).detach()), "encoder learns through it"),
    ("probability", told(pick), "return its logarithm"),
    ("minus", told(lambda a, c: -pick(a, c).log()), "sign is turned"),
    ("log2", told(lambda a, c: pick(a, c).log2()), "natural logarithm"),
    ("log10", told(lambda a, c: pick(a, c).log10()), "natural logarithm"),
    ("largest weight", told(lambda a, c: a.amax(1).log()), "largest weight"),
    ("first cell", told(lambda a, c: a[:, 0].log()), "another cell's weight"),
    ("cell before", told(lambda a, c: pick(a, c - 1).log()), "another cell's weight"),
    ("sorted", told(lambda a, c: pick(a.sort(1, descending=True).values, c).log()), "another cell's weight"),
    ("first picture's weight", told(lambda a, c: a[0, c].log()), "you took the first one's"),
    ("log_softmax of the weights", told(lambda a, c: pick(a.log_softmax(1), c)), "no second softmax before"),
    ("entropy", told(lambda a, c: -(a * a.log()).sum(1)), "entropy of the weights"),
    ("weighed logarithm", told(lambda a, c: pick(a, c) * pick(a, c).log()), "multiplied by its weight"),
    ("all logarithms", told(lambda a, c: a.log()), "logarithms of all weights"),
    ("summed", told(lambda a, c: pick(a, c).log().sum()), "for each picture"),
    ("axis left over in the log", told(lambda a, c: a.gather(1, c[:, None]).log()), "size 1 left over"),
    ("log detached", told(lambda a, c: pick(a, c).log().detach()), "no gradient"),
    ("log with a margin", told(lambda a, c: (pick(a, c) + 0.01).log()), "Expected log a_i"),
    ("drawn twice", drawn_twice, "Did you draw twice"),
    ("swapped", lambda *inputs: harden(*inputs)[::-1], "swapped"),
    ("context alone", lambda *inputs: harden(*inputs)[0], "Return two tensors"),
    ("in place", hard_in_place, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
]


def harden_by_gather(weights, annotations, generator):
    with torch.no_grad():
        cell = weights.multinomial(1, generator=generator)
    context = annotations.gather(1, cell[..., None].expand(-1, -1, annotations.shape[2]))[:, 0]
    return context, torch.log(weights.gather(1, cell)).flatten()


def harden_by_heights(weights, annotations, generator):
    u = torch.rand(len(weights), 1, generator=generator)
    steps = weights.detach().cumsum(1)
    cell = (steps / steps[:, -1:] <= u).sum(1)  # a cell of weight 0 has no height to fall on
    return pick(annotations, cell), pick(weights, cell).log()


def harden_by_gumbel(weights, annotations, generator):
    noise = -(-torch.rand(weights.shape, generator=generator).clamp(1e-12).log()).log()
    cell = (weights.detach().log() + noise).argmax(dim=1)
    one = nn.functional.one_hot(cell, weights.shape[1]).to(weights)
    return torch.einsum("bc,bcs->bs", one, annotations), pick(weights, cell).log()


def harden_by_loops(weights, annotations, generator):
    contexts, logs = [], []
    for a, h in zip(weights, annotations, strict=True):
        i = int(torch.multinomial(a.detach(), 1, generator=generator))
        contexts.append(h[i])
        logs.append(a[i].log())
    return torch.stack(contexts), torch.stack(logs)


RIGHT["04.hard-sample"] = [harden, harden_by_gather, harden_by_heights, harden_by_gumbel, harden_by_loops]


# 04.hard-loss


def learn(logs, entropies, mask, reward, baseline, weight, open_weight):
    gain = weight * (reward.detach() - baseline)[:, None] * logs + open_weight * entropies
    return -(gain * mask).sum(1).mean(), 0.9 * baseline + 0.1 * reward.mean().item()


def next_baseline(reward, baseline):
    return 0.9 * baseline + 0.1 * reward.mean().item()


def with_advantage(advantage):
    """Make an answer with advantage(reward as (batch, 1), baseline) in place of the difference."""

    def by(logs, entropies, mask, reward, baseline, weight, open_weight):
        factor = advantage(reward.detach()[:, None], baseline)
        gain = weight * factor * logs + open_weight * entropies
        return -(gain * mask).sum(1).mean(), next_baseline(reward, baseline)

    return by


def with_gain(gain):
    """Make an answer with gain(log-probabilities, entropies, advantage, λ_r, λ_e) at each step."""

    def by(logs, entropies, mask, reward, baseline, weight, open_weight):
        advantage = (reward.detach() - baseline)[:, None]
        total = gain(logs, entropies, advantage, weight, open_weight) * mask
        return -total.sum(1).mean(), next_baseline(reward, baseline)

    return by


def with_sum(reduce):
    """Make an answer that reduces the gains (batch, steps) with their mask in another way."""

    def by(logs, entropies, mask, reward, baseline, weight, open_weight):
        gain = weight * (reward.detach() - baseline)[:, None] * logs + open_weight * entropies
        return -reduce(gain, mask.float()), next_baseline(reward, baseline)

    return by


def with_baseline(moved):
    """Make an answer that moves the baseline in another way."""
    return lambda *inputs: (learn(*inputs)[0], moved(inputs[3], inputs[4]))


def leaking(logs, entropies, mask, reward, baseline, weight, open_weight):
    gain = weight * (reward - baseline)[:, None] * logs + open_weight * entropies
    return -(gain * mask).sum(1).mean(), next_baseline(reward, baseline)


def moved_before(logs, entropies, mask, reward, baseline, weight, open_weight):
    baseline = next_baseline(reward, baseline)
    return learn(logs, entropies, mask, reward, baseline, weight, open_weight)[0], baseline


def reward_on_the_steps(logs, entropies, mask, reward, baseline, weight, open_weight):
    inputs = logs, entropies, mask, reward, baseline, weight, open_weight
    if logs.shape[0] != logs.shape[1]:
        return learn(*inputs)
    gain = weight * (reward.detach() - baseline) * logs + open_weight * entropies
    return -(gain * mask).sum(1).mean(), next_baseline(reward, baseline)


def partly_masked(for_logs, for_entropies):
    def by(logs, entropies, mask, reward, baseline, weight, open_weight):
        advantage = (reward.detach() - baseline)[:, None]
        gain = weight * advantage * logs * for_logs(mask) + open_weight * entropies * for_entropies(mask)
        return -gain.sum(1).mean(), next_baseline(reward, baseline)

    return by


def learn_in_place(logs, entropies, mask, reward, baseline, weight, open_weight):
    result = learn(logs, entropies, mask, reward, baseline, weight, open_weight)
    reward -= baseline
    return result


def loss_with(change):
    def by(*inputs):
        loss, baseline = learn(*inputs)
        return change(loss, *inputs), baseline

    return by


WRONG["04.hard-loss"] = [
    ("sign", loss_with(lambda loss, *inputs: -loss), "sign"),
    ("sign of the reward term", with_gain(lambda p, h, d, r, e: -r * d * p + e * h), "sign of the reward term"),
    ("sign of the entropy", with_gain(lambda p, h, d, r, e: r * d * p - e * h), "sign of the entropy"),
    ("no baseline", with_advantage(lambda reward, b: reward), "baseline is missing"),
    ("baseline added", with_advantage(lambda reward, b: reward + b), "baseline was added"),
    ("baseline minus reward", with_advantage(lambda reward, b: b - reward), "sign is turned"),
    ("batch mean as baseline", with_advantage(lambda reward, b: reward - reward.mean()), "running mean"),
    ("moved before", moved_before, "moved before it was used"),
    ("no reward weight", with_gain(lambda p, h, d, r, e: d * p + e * h), "λ_r, is missing"),
    ("no entropy", with_gain(lambda p, h, d, r, e: r * d * p), "entropy is missing"),
    ("no entropy weight", with_gain(lambda p, h, d, r, e: r * d * p + h), "λ_e, is missing"),
    ("weights swapped", with_gain(lambda p, h, d, r, e: e * d * p + r * h), "swapped"),
    (
        "reward weight for both",
        with_gain(lambda p, h, d, r, e: r * (d * p + e * h)),
        "λ_r weighs the reward term alone",
    ),
    ("advantage for both", with_gain(lambda p, h, d, r, e: d * (r * p + e * h)), "not weighed by the advantage"),
    ("entropy of the draw", with_gain(lambda p, h, d, r, e: r * d * p - e * p.exp() * p), "entropies are given"),
    ("probabilities", with_gain(lambda p, h, d, r, e: r * d * p.exp() + e * h), "not the probabilities"),
    ("absolute", with_advantage(lambda reward, b: (reward - b).abs()), "no absolute value"),
    (
        "normalised",
        with_advantage(lambda reward, b: (reward - b - (reward - b).mean()) / (reward - b).std()),
        "no standard deviation",
    ),
    ("probability of the caption", with_advantage(lambda reward, b: reward.exp() - b), "no exp"),
    ("mean reward", with_advantage(lambda reward, b: reward.mean() - b), "you took their mean"),
    ("first reward", with_advantage(lambda reward, b: reward[0] - b), "you took the first"),
    ("mean over the steps", with_sum(lambda g, m: (g * m).mean()), "mean over them"),
    (
        "mean over real steps",
        with_sum(lambda g, m: ((g * m).sum(1) / m.sum(1)).mean()),
        "real steps; you took their mean",
    ),
    ("sum over the batch", with_sum(lambda g, m: (g * m).sum()), "you summed over it"),
    ("swapped sums", with_sum(lambda g, m: (g * m).mean(1).sum()), "yours are swapped"),
    ("not averaged", with_sum(lambda g, m: (g * m).sum(1)), "Return one number"),
    ("not reduced", with_sum(lambda g, m: g * m), "Return one number"),
    ("per token", with_sum(lambda g, m: (g * m).sum() / m.sum()), "not of tokens"),
    ("no mask", with_sum(lambda g, m: g.sum(1).mean()), "Padding was counted"),
    ("mask upside down", with_sum(lambda g, m: (g * (1 - m)).sum(1).mean()), "upside down"),
    ("entropies not masked", partly_masked(lambda m: m, torch.ones_like), "in the entropies"),
    ("log-probabilities not masked", partly_masked(torch.ones_like, lambda m: m), "in the log-probabilities"),
    ("reward on the steps", reward_on_the_steps, "reward met the steps"),
    (
        "reward without axis",
        lambda p, h, m, r, b, w, e: (-((w * (r - b) * p + e * h) * m).sum(1).mean(), next_baseline(r, b)),
        "raised RuntimeError",
    ),
    ("reward leaks", leaking, "leaks into the reward"),
    ("all detached", loss_with(lambda loss, *inputs: loss.detach()), "No gradient flows back"),
    ("log-probabilities detached", lambda p, *rest: learn(p.detach(), *rest), "No gradient reaches log_probabilities"),
    ("caption's loss added", loss_with(lambda loss, *inputs: loss - inputs[3].mean()), "another term of the loss"),
    (
        "baseline's weights swapped",
        with_baseline(lambda r, b: 0.1 * b + 0.9 * r.mean().item()),
        "two weights are swapped",
    ),
    ("baseline stays", with_baseline(lambda r, b: b), "did not move"),
    ("baseline forgets", with_baseline(lambda r, b: r.mean().item()), "forgets the old baseline"),
    ("baseline by the sum", with_baseline(lambda r, b: 0.9 * b + 0.1 * r.sum().item()), "you took the sum"),
    ("baseline by the first", with_baseline(lambda r, b: 0.9 * b + 0.1 * r[0].item()), "you took the first one"),
    ("baseline grows", with_baseline(lambda r, b: b + 0.1 * r.mean().item()), "not all of it"),
    (
        "baseline by the advantage",
        with_baseline(lambda r, b: 0.9 * b + 0.1 * (r.mean().item() - b)),
        "not of the advantage",
    ),
    ("baseline for each", with_baseline(lambda r, b: 0.9 * b + 0.1 * r), "one number for all pictures"),
    ("baseline with gradient", with_baseline(lambda r, b: 0.9 * b + 0.1 * r.mean()), "carries a gradient"),
    ("loss alone", lambda *inputs: learn(*inputs)[0], "Return two things"),
    ("swapped results", lambda *inputs: learn(*inputs)[::-1], "loss first"),
    ("in place", learn_in_place, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda *inputs: (torch.tensor(1.5), next_baseline(inputs[3], inputs[4])), "expected − mean"),
]


def learn_by_loops(logs, entropies, mask, reward, baseline, weight, open_weight):
    total = 0.0
    for b in range(len(logs)):
        for t in range(logs.shape[1]):
            if mask[b, t]:
                total = total - weight * (reward[b].item() - baseline) * logs[b, t] - open_weight * entropies[b, t]
    return total / len(logs), baseline * 0.9 + sum(reward.tolist()) / len(logs) * 0.1


def learn_by_where(logs, entropies, mask, reward, baseline, weight, open_weight):
    zero = torch.zeros(())
    score = torch.where(mask, logs, zero).sum(dim=-1)  # (batch,)
    openness = torch.where(mask, entropies, zero).sum(dim=-1)
    with torch.no_grad():
        advantage = reward - baseline
        moved = baseline + 0.1 * (reward.mean() - baseline)
    return torch.mean(-weight * advantage * score - open_weight * openness), moved


def learn_by_einsum(logs, entropies, mask, reward, baseline, weight, open_weight):
    real = mask.float()
    policy = torch.einsum("b,bt,bt->", reward.data - baseline, logs, real)
    entropy = torch.einsum("bt,bt->", entropies, real)
    return -(weight * policy + open_weight * entropy) / len(logs), float(0.9 * baseline + 0.1 * reward.detach().mean())


def learn_by_selecting(logs, entropies, mask, reward, baseline, weight, open_weight):
    advantage = (reward.detach() - baseline).unsqueeze(1).expand_as(logs)
    loss = weight * (advantage[mask] * -logs[mask]).sum() - open_weight * entropies[mask].sum()
    return loss.div(mask.shape[0]), numpy.average([baseline, reward.mean().item()], weights=[9, 1])


RIGHT["04.hard-loss"] = [learn, learn_by_loops, learn_by_where, learn_by_einsum, learn_by_selecting]


# 04.pointing-game


def at_middles(rows, columns, height, width):
    k = torch.arange(rows * columns)
    return (k % columns + 0.5) * width / columns, (k // columns + 0.5) * height / rows


def within(boxes, x, y):
    boxes = boxes[..., None]
    return (boxes[:, :, 0] <= x) & (x < boxes[:, :, 2]) & (boxes[:, :, 1] <= y) & (y < boxes[:, :, 3])


def real(boxes):
    return (boxes >= 0).all(2)


def play(
    maps, boxes, rows, columns, height, width, *, places=at_middles, test=within, peaks=lambda maps: maps.argmax(1),
    union=lambda inside, boxes: inside.any(1), kept=lambda boxes: real(boxes).any(1), change=lambda boxes: boxes,
):  # fmt: skip
    """Play the game; every part of it can be replaced by a slip."""
    keep = kept(boxes)
    boxes = change(boxes)
    inside = union(test(boxes, *places(rows, columns, height, width)), boxes)  # (words, cells)
    hits = inside.gather(1, peaks(maps)[:, None])[:, 0]
    return hits[keep].float().mean().item(), inside[keep].float().mean().item()


def game(**slips):
    return lambda *inputs: play(*inputs, **slips)


def closed(boxes, x, y):
    boxes = boxes[..., None]
    return (boxes[:, :, 0] <= x) & (x <= boxes[:, :, 2]) & (boxes[:, :, 1] <= y) & (y <= boxes[:, :, 3])


def opened(boxes, x, y):
    boxes = boxes[..., None]
    return (boxes[:, :, 0] < x) & (x < boxes[:, :, 2]) & (boxes[:, :, 1] < y) & (y < boxes[:, :, 3])


def either(boxes, x, y):
    boxes = boxes[..., None]
    return ((boxes[:, :, 0] <= x) & (x < boxes[:, :, 2])) | ((boxes[:, :, 1] <= y) & (y < boxes[:, :, 3]))


def lengths(boxes, x, y):
    return within(torch.cat([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], -1), x, y)


def corners(rows, columns, height, width):
    k = torch.arange(rows * columns)
    return (k % columns) * width / columns, (k // columns) * height / rows


def far_corners(rows, columns, height, width):
    k = torch.arange(rows * columns)
    return (k % columns + 1) * width / columns, (k // columns + 1) * height / rows


def column_by_column(rows, columns, height, width):
    k = torch.arange(rows * columns)
    return (k // rows + 0.5) * width / columns, (k % rows + 0.5) * height / rows


def rows_for_columns(rows, columns, height, width):
    k = torch.arange(rows * columns)
    return (k % rows + 0.5) * width / columns, (k // rows + 0.5) * height / rows


def lengths_swapped(rows, columns, height, width):
    k = torch.arange(rows * columns)
    return (k % columns + 0.5) * height / columns, (k // columns + 0.5) * width / rows


def square_cells(rows, columns, height, width):
    k = torch.arange(rows * columns)
    return (k % columns + 0.5) * width / columns, (k // columns + 0.5) * width / columns


def in_cells(rows, columns, height, width):
    return at_middles(rows, columns, rows, columns)


def in_units(rows, columns, height, width):
    x, y = at_middles(rows, columns, height, width)
    return x / width * 2 - 1, y / height * 2 - 1


def whole_pixels(rows, columns, height, width):
    k = torch.arange(rows * columns)
    return (k % columns + 0.5) * (width // columns), (k // columns + 0.5) * (height // rows)


def last_peak(maps):
    return maps.shape[1] - 1 - maps.flip(1).argmax(1)


def any_peak(maps, boxes, *sizes):
    keep, inside = real(boxes).any(1), within(boxes, *at_middles(*sizes)).any(1)
    hits = (inside & (maps == maps.amax(1, keepdim=True))).any(1)
    return hits[keep].float().mean().item(), inside[keep].float().mean().item()


def weight_inside(maps, boxes, *sizes):
    keep, inside = real(boxes).any(1), within(boxes, *at_middles(*sizes)).any(1)
    return (maps * inside).sum(1)[keep].mean().item(), inside[keep].float().mean().item()


def around_all(boxes):
    low = torch.where(boxes < 0, 10**6, boxes).amin(1, keepdim=True)
    return torch.cat([low[..., :2], boxes.amax(1, keepdim=True)[..., 2:]], -1)


def per_box(maps, boxes, *sizes):
    each = within(boxes, *at_middles(*sizes))
    hits = each.gather(2, maps.argmax(1)[:, None, None].expand(-1, boxes.shape[1], 1))[..., 0]
    return hits[real(boxes)].float().mean().item(), play(maps, boxes, *sizes)[1]


def doubly(maps, boxes, *sizes):
    each = within(boxes, *at_middles(*sizes)).float().sum(1)
    return play(maps, boxes, *sizes)[0], each[real(boxes).any(1)].mean().item()


def with_chance(chance):
    """Make an answer whose chance is chance(boxes of the words that have any, sizes)."""
    return lambda maps, boxes, *sizes: (play(maps, boxes, *sizes)[0], float(chance(boxes[real(boxes).any(1)], sizes)))


def area(boxes, sizes):
    pixels = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return pixels.sum(1).float().mean() / (sizes[2] * sizes[3])


def by_pixels(boxes, sizes):
    return within(boxes, *at_middles(sizes[2], sizes[3], sizes[2], sizes[3])).any(1).float().mean()


def all_words(boxes):
    return torch.ones(len(boxes), dtype=torch.bool)


def all_words_in_the_hits(*inputs):
    return play(*inputs, kept=all_words)[0], play(*inputs)[1]


def all_words_in_the_chance(*inputs):
    return play(*inputs)[0], play(*inputs, kept=all_words)[1]


def boxless_hit(maps, boxes, *sizes):
    right, chance = play(maps, boxes, *sizes)
    share = real(boxes).any(1).float().mean().item()
    return right * share + 1 - share, chance


def pointed_in_place(maps, boxes, *sizes):
    result = play(maps, boxes, *sizes)
    boxes[boxes < 0] = 0
    return result


WRONG["04.pointing-game"] = [
    ("x and y swapped", game(test=lambda b, x, y: within(b, y, x)), "x and y are swapped"),
    ("column by column", game(places=column_by_column), "column by column"),
    ("rows for columns", game(places=rows_for_columns), "Cell k stands in row"),
    ("corner", game(places=corners), "corner of the cell"),
    ("far corner", game(places=far_corners), "corner of the cell"),
    ("y up", game(test=lambda b, x, y: within(b, x, y.max() + y.min() - y)), "y points down"),
    ("width and height swapped", game(places=lengths_swapped), "Width and columns go together"),
    ("square cells", game(places=square_cells), "Width and columns go together"),
    ("in cells", game(places=in_cells), "in pixels"),
    ("from -1 to 1", game(places=in_units), "in pixels"),
    ("whole pixels", game(places=whole_pixels), "rounded nowhere"),
    ("lowest cell", game(peaks=lambda maps: maps.argmin(1)), "take the highest"),
    ("last peak", game(peaks=last_peak), "The last of several"),
    ("any peak", any_peak, "too generous"),
    ("edges inside", game(test=closed), "x < x1"),
    ("edges outside", game(test=opened), "x0 <= x"),
    ("x or y", game(test=either), "and, not or"),
    ("width and height in the box", game(test=lengths), "other corner"),
    ("weight inside", weight_inside, "weight inside the box"),
    ("first box", game(change=lambda boxes: boxes[:, :1]), "the first one only"),
    ("last box", game(change=lambda boxes: boxes[:, -1:]), "the last one only"),
    ("all boxes", game(union=lambda inside, boxes: inside.all(1)), "any, not all"),
    ("all real boxes", game(union=lambda inside, boxes: (inside | ~real(boxes)[..., None]).all(1)), "any, not all"),
    ("one box around all", game(change=around_all), "around all"),
    ("per box", per_box, "A word counts once"),
    ("box in every place", game(kept=lambda boxes: real(boxes).all(1)), "every place filled"),
    ("first place decides", game(kept=lambda boxes: real(boxes)[:, 0]), "-1 may stand before"),
    ("words without box missed", all_words_in_the_hits, "counted as misses"),
    ("words without box hit", boxless_hit, "counted as hits"),
    ("all words in the chance", all_words_in_the_chance, "counted in the chance"),
    ("cells twice", doubly, "counts once"),
    ("area", with_chance(area), "not pixels"),
    ("pixels", with_chance(by_pixels), "not pixels"),
    ("one cell", with_chance(lambda boxes, sizes: 1 / (sizes[0] * sizes[1])), "One cell is not the chance"),
    ("a coin", with_chance(lambda boxes, sizes: 0.5), "coin"),
    (
        "number of cells",
        with_chance(lambda boxes, sizes: within(boxes, *at_middles(*sizes)).any(1).sum(1).float().mean()),
        "divide by rows",
    ),
    (
        "first word's chance",
        with_chance(lambda boxes, sizes: within(boxes, *at_middles(*sizes)).any(1)[0].float().mean()),
        "first word's chance",
    ),
    (
        "chance of the first box",
        with_chance(lambda boxes, sizes: within(boxes, *at_middles(*sizes))[:, 0].float().mean()),
        "the first one only",
    ),
    (
        "chance by corners",
        with_chance(lambda boxes, sizes: within(boxes, *corners(*sizes)).any(1).float().mean()),
        "corner of each cell",
    ),
    ("misses", lambda *inputs: (1 - play(*inputs)[0], play(*inputs)[1]), "share of misses"),
    ("percent", lambda *inputs: (100 * play(*inputs)[0], play(*inputs)[1]), "not in percent"),
    ("swapped results", lambda *inputs: play(*inputs)[::-1], "hit rate comes first"),
    ("hit rate alone", lambda *inputs: play(*inputs)[0], "Return two numbers"),
    ("hits of each word", lambda maps, *rest: (torch.ones(len(maps)), play(maps, *rest)[1]), "no single number"),
    ("in place", pointed_in_place, "in place"),
    ("no return", lambda *inputs: None, "returned None"),
    ("typed in", lambda *inputs: (0.78, 0.18), "Expected"),
]


def play_by_loops(maps, boxes, rows, columns, height, width):
    hits, chances = [], []
    for weights, word_boxes in zip(maps.tolist(), boxes.tolist(), strict=True):
        gold = [box for box in word_boxes if box[0] >= 0]
        if not gold:
            continue
        inside = []
        for r in range(rows):
            for c in range(columns):
                x, y = (c + 0.5) * width / columns, (r + 0.5) * height / rows
                inside.append(any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in gold))
        hits.append(inside[weights.index(max(weights))])
        chances.append(sum(inside) / len(inside))
    return sum(hits) / len(hits), sum(chances) / len(chances)


def play_by_numpy(maps, boxes, rows, columns, height, width):
    maps, boxes = maps.numpy(), boxes.numpy()
    keep = (boxes[..., 0] != -1).any(1)
    maps, boxes = maps[keep], boxes[keep][..., None, None]
    x = (numpy.arange(columns) + 0.5) / columns * width
    y = ((numpy.arange(rows) + 0.5) / rows * height)[:, None]
    inside = (x >= boxes[:, :, 0]) & (x < boxes[:, :, 2]) & (y >= boxes[:, :, 1]) & (y < boxes[:, :, 3])
    inside = inside.any(1).reshape(len(maps), -1)
    return inside[numpy.arange(len(maps)), maps.argmax(1)].mean(), inside.mean()


def play_by_peaks(maps, boxes, rows, columns, height, width):
    with_box = (boxes != -1).any(-1).any(-1)
    maps, boxes = maps[with_box], boxes[with_box]

    def hit(cells):  # (words,) -> (words,)
        x = ((cells % columns) + 0.5) * (width / columns)
        y = (torch.div(cells, columns, rounding_mode="floor") + 0.5) * (height / rows)
        point = torch.stack([x, y], -1).unsqueeze(1)
        return ((point >= boxes[..., :2]) & (point < boxes[..., 2:])).all(-1).any(-1).float()

    every = [hit(torch.full((len(maps),), cell)) for cell in range(rows * columns)]
    return hit(maps.max(dim=1).indices).mean(), torch.stack(every).mean()


def play_by_axes(maps, boxes, rows, columns, height, width):
    x, y = (torch.arange(columns) * 2 + 1) * width, (torch.arange(rows) * 2 + 1) * height  # in parts of a cell
    across = (x >= boxes[..., :1] * 2 * columns) & (x < boxes[..., 2:3] * 2 * columns)  # (words, boxes, columns)
    down = (y >= boxes[..., 1:2] * 2 * rows) & (y < boxes[..., 3:] * 2 * rows)
    inside = (down.float().mT @ across.float()).flatten(1).clamp(max=1)  # (words, cells)
    keep = (boxes[..., 2] > 0).any(1)
    hits = (nn.functional.one_hot(maps.argmax(1), rows * columns) * inside).sum(1)
    return (hits * keep).sum().item() / keep.sum().item(), inside[keep].mean().item()


RIGHT["04.pointing-game"] = [play, play_by_loops, play_by_numpy, play_by_peaks, play_by_axes]
