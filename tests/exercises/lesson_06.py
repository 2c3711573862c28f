"""Answers to the exercises of lesson 6.

WRONG: (name, answer, a piece of the hint that it must get); RIGHT: answers in other styles.
"""

import difflib
import functools
import math

import numpy
import torch
from torch import nn

WRONG, RIGHT = {}, {}


# 06.location-features


def slide(row, filters, left=None, right=None, **options):
    """Slide over (batch, frames): (batch, filters, frames)."""
    half = filters.shape[1] // 2
    padded = nn.functional.pad(row, (half if left is None else left, half if right is None else right))
    return nn.functional.conv1d(padded[:, None], filters[:, None], **options)


def features(previous, filters):
    return slide(previous, filters).transpose(1, 2)


def after(change):
    """Make an answer that changes the features."""
    return lambda a, F: change(features(a, F))


def of_weights(change):
    """Make an answer that changes the previous weights first."""
    return lambda a, F: features(change(a), F)


def of_filters(change):
    """Make an answer that changes the filters first."""
    return lambda a, F: features(a, change(F))


def padded_by(left, right):
    """Make an answer that pads by left(width) and right(width)."""
    return lambda a, F: slide(a, F, left(F.shape[1]), right(F.shape[1])).transpose(1, 2)


def padded_like(mode):
    """Make an answer that goes on at the ends as a padding mode says."""

    def by(previous, filters):
        half = filters.shape[1] // 2
        if half >= previous.shape[1]:
            return features(previous, filters)
        longer = nn.functional.pad(previous[:, None], (half, half), mode=mode)
        return nn.functional.conv1d(longer, filters[:, None]).transpose(1, 2)

    return by


def largest_product(previous, filters):
    half = filters.shape[1] // 2
    windows = nn.functional.pad(previous, (half, half)).unfold(1, filters.shape[1], 1)
    return (windows[:, :, None] * filters).amax(3)


def over_the_batch(previous, filters):
    return features(previous.T, filters).transpose(0, 1)


def flattened(previous, filters):
    return features(previous.reshape(1, -1), filters).reshape(*previous.shape, len(filters))


def reshaped_features(previous, filters):
    return slide(previous, filters).reshape(*previous.shape, len(filters))


def dilated(previous, filters):
    wide = 2 * (filters.shape[1] // 2)
    return slide(previous, filters, wide, wide, dilation=2).transpose(1, 2)


def two_taps(previous, filters):
    """Forget the last number of each filter."""
    kept = filters.clone()
    kept[:, -1] = 0
    return features(previous, kept)


def in_place_features(previous, filters):
    result = features(previous, filters)
    previous *= 0.5
    return result


def filters_turned_in_place(previous, filters):
    result = features(previous, filters)
    filters[:] = filters.flip(1)
    return result


def fixed_padding(previous, filters):
    return nn.functional.conv1d(previous[:, None], filters[:, None], padding=2).transpose(1, 2)


def own_layer(previous, filters):
    layer = nn.Conv1d(1, len(filters), filters.shape[1], padding=filters.shape[1] // 2)
    return layer(previous[:, None].float()).transpose(1, 2)


def by_numpy(previous, filters):
    rows = [[numpy.correlate(a, F, "same") for F in filters.numpy()] for a in previous.detach().numpy()]
    return torch.tensor(numpy.array(rows)).transpose(1, 2)


def hard(weights):
    return nn.functional.one_hot(weights.argmax(1), weights.shape[1]).to(weights)


def grouped(previous, filters):
    """One filter per utterance."""
    if len(previous) != len(filters):
        return features(previous, filters)
    every = slide(previous, filters)
    own = torch.stack([every[b, b] for b in range(len(previous))])
    return own[..., None].expand(*previous.shape, len(filters))


WRONG["06.location-features"] = [
    ("not transposed", slide, "transpose(1, 2)"),
    ("reshaped", reshaped_features, "reshape or view does not swap"),
    ("flipped", of_filters(lambda F: F.flip(1)), "flipped"),
    ("frames backwards", after(lambda f: f.flip(1)), "run backwards"),
    ("filters backwards", after(lambda f: f.flip(2)), "wrong order"),
    ("no padding", padded_by(lambda w: 0, lambda w: 0), "fewer frames"),
    ("full padding", padded_by(lambda w: w - 1, lambda w: w - 1), "more frames"),
    ("padding by width", padded_by(lambda w: w // 2 + 1, lambda w: w // 2), "too many or too few"),
    ("padding by half a width on one side", padded_by(lambda w: 0, lambda w: w // 2), "fewer frames"),
    ("back only", padded_by(lambda w: w - 1, lambda w: 0), "reach back only"),
    ("ahead only", padded_by(lambda w: 0, lambda w: w - 1), "reach ahead only"),
    (
        "shifted right",
        padded_by(lambda w: w // 2 + (w > 1), lambda w: w // 2 - (w > 1)),
        "one frame off",
    ),
    (
        "shifted left",
        padded_by(lambda w: w // 2 - (w > 1), lambda w: w // 2 + (w > 1)),
        "one frame off",
    ),
    ("circular", padded_like("circular"), "circular"),
    ("replicate", padded_like("replicate"), "replicate"),
    ("reflect", padded_like("reflect"), "reflect"),
    ("mean", lambda a, F: features(a, F) / F.shape[1], "you took the mean"),
    ("largest", largest_product, "largest product"),
    ("tanh", after(torch.tanh), "no tanh"),
    ("relu", after(torch.relu), "no ReLU"),
    ("sigmoid", after(torch.sigmoid), "no sigmoid"),
    ("absolute", after(torch.abs), "no absolute value"),
    ("softmax over frames", after(lambda f: f.softmax(1)), "no softmax"),
    ("softmax over filters", after(lambda f: f.softmax(2)), "no softmax"),
    ("first filter for all", after(lambda f: f[..., :1].expand_as(f)), "first one for all"),
    ("one filter", after(lambda f: f[..., :1]), "every filter has its own"),
    ("filters added up", after(lambda f: f.sum(2)), "every filter has its own"),
    ("frames added up", after(lambda f: f.sum(1)), "frames are gone"),
    ("batch added up", after(lambda f: f.sum(0)), "batch is gone"),
    ("first utterance alone", after(lambda f: f[0]), "batch is gone"),
    ("first utterance for all", after(lambda f: f[:1].expand_as(f)), "features of the first"),
    ("utterances mixed", after(lambda f: f.mean(0).expand_as(f)), "mixed the utterances"),
    ("softmax of the filters", of_filters(lambda F: F.softmax(1)), "no softmax over them"),
    ("filters divided by their sum", of_filters(lambda F: F / F.sum(1, keepdim=True)), "do not divide"),
    ("filters divided by their size", of_filters(lambda F: F / F.norm(dim=1, keepdim=True)), "do not divide"),
    ("sums up to a frame", of_weights(lambda a: a.cumsum(1)), "no cumsum"),
    ("highest weight alone", of_weights(hard), "not only where the largest"),
    ("logarithms", of_weights(torch.log), "not their logarithms"),
    ("softmax of weights", of_weights(lambda a: a.softmax(1)), "no second softmax"),
    ("dilated", dilated, "no dilation"),
    ("middle alone", lambda a, F: a[..., None] * F[:, F.shape[1] // 2], "Only the middle"),
    ("times the weights", lambda a, F: features(a, F) * a[..., None], "do not multiply by the weights"),
    ("plus the weights", lambda a, F: features(a, F) + a[..., None], "do not add the weights"),
    ("last number of a filter lost", two_taps, "Expected the sum"),
    ("over the batch", over_the_batch, "slid the filters over the batch"),
    ("flattened", flattened, "runs into the next"),
    ("one filter per utterance", grouped, "every filter reads every utterance"),
    ("axis left over", after(lambda f: f[:, None]), "left over"),
    ("squeezed", after(torch.squeeze), "batch is gone"),
    ("padding typed in", fixed_padding, "frames"),
    ("new layer", own_layer, "Expected the sum"),
    ("precision lost", lambda a, F: features(a.float(), F.float()), "torch.float64"),
    ("numpy", by_numpy, "Can't call numpy"),
    ("weights detached", of_weights(torch.detach), "No gradient reaches previous_weights"),
    ("filters detached", of_filters(torch.detach), "No gradient reaches filters"),
    ("rebuilt", after(lambda f: torch.tensor(f.tolist(), dtype=f.dtype)), "No gradient flows back"),
    ("in place", in_place_features, "in place"),
    ("filters in place", filters_turned_in_place, "in place"),
    ("list", after(lambda f: f.tolist()), "yours is a list"),
    ("no return", lambda a, F: None, "returned None"),
    ("zeros", after(torch.zeros_like), "Expected the sum"),
]


def features_by_loops(previous, filters):
    batch, frames = previous.shape
    count, width = filters.shape
    rows = []
    for b in range(batch):
        for j in range(frames):
            for k in range(count):
                total = previous.new_zeros(())
                for d in range(width):
                    at = j + d - width // 2
                    if 0 <= at < frames:
                        total = total + filters[k, d] * previous[b, at]
                rows.append(total)
    return torch.stack(rows).view(batch, frames, count)


def features_by_unfold(previous, filters):
    half = (filters.shape[1] - 1) // 2
    return nn.functional.pad(previous, (half, half)).unfold(1, filters.shape[1], 1) @ filters.T


def features_by_same_padding(previous, filters):
    out = nn.functional.conv1d(previous.unsqueeze(1), filters.unsqueeze(1), padding="same")
    return torch.einsum("bkj->bjk", out)


def features_by_matrix(previous, filters):
    frames, width = previous.shape[1], filters.shape[1]
    offset = torch.arange(frames)[:, None] - torch.arange(frames) + width // 2  # (source, target)
    inside = (offset >= 0) & (offset < width)
    bank = filters[:, offset.clamp(0, width - 1)] * inside  # (filters, source, target)
    return torch.einsum("bs,kst->btk", previous, bank)


def features_by_shifts(previous, filters):
    width = filters.shape[1]
    longer = torch.cat([previous.new_zeros(len(previous), width // 2), previous], dim=1)
    longer = torch.cat([longer, previous.new_zeros(len(previous), width // 2)], dim=1)
    return sum(longer[:, d : d + previous.shape[1], None] * filters[:, d] for d in range(width))


def features_by_conv2d(previous, filters):
    bank = filters[:, None, None]  # (filters, 1, 1, width)
    return nn.functional.conv2d(previous[:, None, None], bank, padding=(0, filters.shape[1] // 2))[:, :, 0].mT


def features_one_by_one(previous, filters):
    half = filters.shape[1] // 2
    each = [nn.functional.conv1d(a[None, None], filters[:, None], padding=half)[0].T for a in previous]
    return torch.stack(each)


RIGHT["06.location-features"] = [
    features,
    features_by_loops,
    features_by_unfold,
    features_by_same_padding,
    features_by_matrix,
    features_by_shifts,
    features_by_conv2d,
    features_one_by_one,
]


# 06.location-score


def softmax_of(scores, mask):
    return scores.masked_fill(~mask, -math.inf).softmax(1)


def parts(s, h, f, W, V, U):
    return (s @ W.T)[:, None], h @ V.T, f @ U.T


def score(s, h, f, m, W, V, U, b, w):
    return softmax_of((sum(parts(s, h, f, W, V, U)) + b).tanh() @ w, m)


def equation(scores):
    """Make an answer whose scores are scores(W s as (batch, 1, size), V h, U f, b, w)."""
    return lambda s, h, f, m, W, V, U, b, w: softmax_of(scores(*parts(s, h, f, W, V, U), b, w), m)


def ending(finish):
    """Make an answer that turns scores and mask into weights in another way."""
    return lambda s, h, f, m, W, V, U, b, w: finish((sum(parts(s, h, f, W, V, U)) + b).tanh() @ w, m)


def giving(**changes):
    """Make an answer that changes its inputs, by name."""
    names = ("s", "h", "f", "m", "W", "V", "U", "b", "w")
    return lambda *given: score(*[changes.get(n, lambda x: x)(x) for n, x in zip(names, given, strict=True)])


def square(wrong):
    """Make an answer that is wrong where sizes allow it, and right elsewhere."""

    def by(*given):
        try:
            result = wrong(*given)
        except RuntimeError:
            return score(*given)
        return result if result.shape == given[3].shape else score(*given)

    return by


def swapped_w_v(s, h, f, m, W, V, U, b, w):
    return score(s, h, f, m, V, W, U, b, w)


def swapped_v_u(s, h, f, m, W, V, U, b, w):
    return score(s, h, f, m, W, U, V, b, w)


def swapped_w_u(s, h, f, m, W, V, U, b, w):
    return score(s, h, f, m, U, V, W, b, w)


def swapped_b_w(s, h, f, m, W, V, U, b, w):
    return score(s, h, f, m, W, V, U, w, b)


def bare_features(s, h, f, m, W, V, U, b, w):
    return softmax_of(((s @ W.T)[:, None] + h @ V.T + f + b).tanh() @ w, m)


def all_transposed(s, h, f, m, W, V, U, b, w):
    return score(s, h, f, m, W.T, V.T, U.T, b, w)


def no_state_axis(s, h, f, m, W, V, U, b, w):
    return softmax_of((s @ W.T + h @ V.T + f @ U.T + b).tanh() @ w, m)


def late_state_axis(s, h, f, m, W, V, U, b, w):
    return softmax_of(((s @ W.T)[..., None] + h @ V.T + f @ U.T + b).tanh() @ w, m)


def turned_features(s, h, f, m, W, V, U, b, w):
    return score(s, h, f.transpose(1, 2), m, W, V, U, b, w)


def turned_bias(s, h, f, m, W, V, U, b, w):
    return softmax_of(((s @ W.T)[:, None] + h @ V.T + f @ U.T + b[:, None]).tanh() @ w, m)


def context_instead(s, h, f, m, W, V, U, b, w):
    return (score(s, h, f, m, W, V, U, b, w)[..., None] * h).sum(1)


def weights_and_context(s, h, f, m, W, V, U, b, w):
    weights = score(s, h, f, m, W, V, U, b, w)
    return weights, (weights[..., None] * h).sum(1)


def zeroed_padding(s, h, f, m, W, V, U, b, w):
    each = m[..., None]
    return score(s, h * each, f * each, torch.ones_like(m), W, V, U, b, w)


def score_in_place(s, h, f, m, W, V, U, b, w):
    weights = score(s, h, f, m, W, V, U, b, w)
    h *= m[..., None]
    b += 1
    return weights


def score_by_exp(scores, mask):
    odds = scores.exp() * mask
    return odds / odds.sum(1, keepdim=True)


WRONG["06.location-score"] = [
    ("no features", equation(lambda s, h, f, b, w: (s + h + b).tanh() @ w), "features are missing"),
    ("features outside, summed", equation(lambda s, h, f, b, w: (s + h + b).tanh() @ w + f @ w), "inside the tanh"),
    ("no U", square(bare_features), "U is missing"),
    ("no state", equation(lambda s, h, f, b, w: (h + f + b).tanh() @ w), "W s is missing"),
    ("state outside", equation(lambda s, h, f, b, w: s @ w + (h + f + b).tanh() @ w), "W s is missing, or outside"),
    ("no outputs", equation(lambda s, h, f, b, w: (s + f + b).tanh() @ w), "V h is missing"),
    ("no bias", equation(lambda s, h, f, b, w: (s + h + f).tanh() @ w), "bias b is missing"),
    ("bias outside", equation(lambda s, h, f, b, w: (s + h + f).tanh() @ w + b @ w), "bias b is missing, or outside"),
    ("bias taken away", equation(lambda s, h, f, b, w: (s + h + f - b).tanh() @ w), "took it away"),
    ("no tanh", equation(lambda s, h, f, b, w: (s + h + f + b) @ w), "tanh is missing"),
    ("tanh late", equation(lambda s, h, f, b, w: ((s + h + f + b) @ w).tanh()), "too late"),
    (
        "tanh of each",
        equation(lambda s, h, f, b, w: (s.tanh() + h.tanh() + f.tanh() + b.tanh()) @ w),
        "one tanh of the whole sum",
    ),
    ("tanh of two", equation(lambda s, h, f, b, w: ((s + h + b).tanh() + f.tanh()) @ w), "one tanh of the whole sum"),
    ("sigmoid", equation(lambda s, h, f, b, w: (s + h + f + b).sigmoid() @ w), "not with a sigmoid"),
    ("relu", equation(lambda s, h, f, b, w: (s + h + f + b).relu() @ w), "not with a sigmoid or a ReLU"),
    ("no w", equation(lambda s, h, f, b, w: (s + h + f + b).tanh().sum(2)), "Multiply the hidden layer by w"),
    ("mean of w", equation(lambda s, h, f, b, w: ((s + h + f + b).tanh() * w).mean(2)), "you took the mean"),
    (
        "scaled",
        equation(lambda s, h, f, b, w: (s + h + f + b).tanh() @ w / len(w) ** 0.5),
        "drop the square root",
    ),
    ("upside down", equation(lambda s, h, f, b, w: -(s + h + f + b).tanh() @ w), "other way round"),
    ("product of s and h", equation(lambda s, h, f, b, w: (s * h + f + b).tanh() @ w), "parts are added"),
    ("product of h and f", equation(lambda s, h, f, b, w: (s + h * f + b).tanh() @ w), "parts are added"),
    ("product of all", equation(lambda s, h, f, b, w: (s * h * f + b).tanh() @ w), "parts are added"),
    ("W and V swapped", square(swapped_w_v), "wrong vector"),
    ("V and U swapped", square(swapped_v_u), "wrong vector"),
    ("W and U swapped", square(swapped_w_u), "wrong vector"),
    ("b and w swapped", swapped_b_w, "wrong vector"),
    ("all transposed", square(all_transposed), "is transposed"),
    ("U transposed", square(giving(U=lambda x: x.T)), "is transposed"),
    ("hidden layer kept", equation(lambda s, h, f, b, w: (s + h + f + b).tanh() * w), "raised"),
    (
        "hidden layer returned",
        lambda s, h, f, m, W, V, U, b, w: (sum(parts(s, h, f, W, V, U)) + b).tanh(),
        "hidden layer is still there",
    ),
    ("no softmax", ending(lambda e, m: e), "softmax is missing"),
    ("sigmoid of scores", ending(lambda e, m: e.sigmoid() * m), "sigmoid of each score"),
    (
        "smoothing already",
        ending(lambda e, m: e.sigmoid() * m / (e.sigmoid() * m).sum(1, keepdim=True)),
        "This is smoothing",
    ),
    ("log_softmax", ending(lambda e, m: e.masked_fill(~m, -math.inf).log_softmax(1)), "not log_softmax"),
    ("exp alone", ending(lambda e, m: e.exp() * m), "Divide the exponentials"),
    ("softmax twice", ending(lambda e, m: softmax_of(softmax_of(e, m), m)), "there twice"),
    ("best frame", ending(lambda e, m: hard(e.masked_fill(~m, -math.inf))), "best frame alone"),
    ("softmax over the batch", ending(lambda e, m: e.masked_fill(~m, -1e9).softmax(0)), "over the batch"),
    (
        "softmax over everything",
        ending(lambda e, m: e.masked_fill(~m, -math.inf).flatten().softmax(0).view_as(e)),
        "everything at once",
    ),
    ("no mask", ending(lambda e, m: e.softmax(1)), "mask is not used"),
    ("mask upside down", ending(lambda e, m: e.masked_fill(m, -math.inf).softmax(1)), "upside down"),
    ("mask after", ending(lambda e, m: e.softmax(1) * m), "before the softmax, not the weights after"),
    ("scores times mask", ending(lambda e, m: (e * m).softmax(1)), "score of 0 is not hidden"),
    ("small number", ending(lambda e, m: e.masked_fill(~m, -10).softmax(1)), "little weight"),
    ("large number", ending(lambda e, m: e.masked_fill(~m, -1e2).softmax(1)), "minus infinity"),
    ("mask of the first", ending(lambda e, m: softmax_of(e, m[:1])), "mask of the first"),
    ("mask of all", ending(lambda e, m: softmax_of(e, m.all(0, keepdim=True))), "real in all"),
    ("padding zeroed", zeroed_padding, "zero encoder outputs"),
    ("exp overflows", ending(score_by_exp), "exp overflows"),
    ("no axis for the state", square(no_state_axis), "W s met the wrong axis"),
    ("late axis for the state", square(late_state_axis), "W s met the wrong axis"),
    ("first state", giving(s=lambda x: x[:1].expand_as(x)), "first state"),
    ("mean state", giving(s=lambda x: x.mean(0, keepdim=True).expand_as(x)), "states were mixed"),
    ("first outputs", giving(h=lambda x: x[:1].expand_as(x)), "encoder outputs of the first"),
    ("first features", giving(f=lambda x: x[:1].expand_as(x)), "features of the first"),
    ("features turned", square(turned_features), "features met the wrong axes"),
    ("bias turned", square(turned_bias), "bias met the wrong axis"),
    ("features backwards", giving(f=lambda x: x.flip(1)), "run backwards"),
    ("context", context_instead, "This is a context"),
    ("weights and context", weights_and_context, "Return one tensor"),
    ("axis left over", lambda *given: score(*given)[..., None], "left over"),
    ("batch lost", lambda *given: score(*given)[0], "batch is gone"),
    ("squeezed", lambda *given: score(*given).squeeze(), "batch is gone"),
    ("precision lost", lambda *given: score(*[x if x.dtype == torch.bool else x.float() for x in given]), "float64"),
    ("state detached", giving(s=torch.detach), "No gradient reaches state"),
    ("features detached", giving(f=torch.detach), "No gradient reaches features"),
    ("U detached", giving(U=torch.detach), "No gradient reaches U"),
    ("bias detached", giving(b=torch.detach), "No gradient reaches b"),
    ("all detached", lambda *given: score(*given).detach(), "No gradient flows back"),
    ("in place", score_in_place, "in place"),
    ("no return", lambda *given: None, "returned None"),
    ("even weights", ending(lambda e, m: m / m.sum(1, keepdim=True)), "Expected the softmax"),
]


def score_by_loops(s, h, f, m, W, V, U, b, w):
    rows = []
    for i in range(len(s)):
        scores = []
        for j in range(h.shape[1]):
            if m[i, j]:
                scores.append(w @ torch.tanh(W @ s[i] + V @ h[i, j] + U @ f[i, j] + b))
            else:
                scores.append(w.new_tensor(-math.inf))
        rows.append(torch.stack(scores).softmax(0))
    return torch.stack(rows)


def score_by_joining(s, h, f, m, W, V, U, b, w):
    """One matrix for all three, side by side."""
    joined = torch.cat([s[:, None].expand(-1, h.shape[1], -1), h, f], dim=2)
    hidden = nn.functional.linear(joined, torch.cat([W, V, U], dim=1), b)
    return nn.functional.softmax(torch.where(m, torch.tanh(hidden) @ w, -torch.inf), dim=-1)


def score_by_einsum(s, h, f, m, W, V, U, b, w):
    hidden = torch.einsum("bs,as->ba", s, W)[:, None] + torch.einsum("bjv,av->bja", h, V)
    hidden = hidden + torch.einsum("bjk,ak->bja", f, U) + b.view(1, 1, -1)
    e = torch.einsum("bja,a->bj", hidden.tanh(), w)
    top = e.masked_fill(~m, -math.inf).amax(1, keepdim=True).detach()
    odds = (e - top).masked_fill(~m, -math.inf).exp()
    return odds / odds.sum(1, keepdim=True)


def score_by_bias_first(s, h, f, m, W, V, U, b, w):
    query = nn.functional.linear(s, W, b)
    total = query.unsqueeze(1).repeat(1, h.size(1), 1) + torch.matmul(h, V.t()) + torch.matmul(f, U.t())
    e = (torch.tanh(total) * w).sum(dim=-1)
    return torch.softmax(e + torch.zeros_like(e).masked_fill(~m, -math.inf), 1)


def score_by_least(s, h, f, m, W, V, U, b, w):
    e = torch.tanh((s @ W.T + b)[:, None, :] + h @ V.T + f @ U.T) @ w[:, None]
    e = e.squeeze(-1)
    return torch.softmax(e.masked_fill(m.logical_not(), torch.finfo(e.dtype).min), dim=1)


def score_by_logs(s, h, f, m, W, V, U, b, w):
    e = torch.tanh(h @ V.mT + f @ U.mT + (s @ W.mT + b).unsqueeze(-2)).matmul(w)
    return e.masked_fill(~m, -math.inf).log_softmax(-1).exp()


RIGHT["06.location-score"] = [
    score,
    score_by_loops,
    score_by_joining,
    score_by_einsum,
    score_by_bias_first,
    score_by_least,
    score_by_logs,
]


# 06.smoothing


def share(gates):
    return gates / gates.sum(1, keepdim=True)


def smooth(scores, mask):
    return nn.functional.logsigmoid(scores).masked_fill(~mask, -math.inf).softmax(1)


def gating(gates):
    """Make an answer that shares out gates(scores), padding left out."""
    return lambda e, m: share(gates(e) * m)


def dividing(divisor):
    """Make an answer that divides the real sigmoids by divisor(sigmoids, mask)."""
    return lambda e, m: e.sigmoid() * m / divisor(e.sigmoid() * m, m)


def smooth_in_place(scores, mask):
    scores[~mask] = -math.inf
    return smooth(scores, mask)


def mask_in_place(scores, mask):
    result = smooth(scores, mask)
    mask |= True
    return result


WRONG["06.smoothing"] = [
    ("softmax", lambda e, m: softmax_of(e, m), "This is a softmax"),
    ("not divided", lambda e, m: e.sigmoid() * m, "do not sum to one: divide"),
    ("softmax of sigmoids", lambda e, m: softmax_of(e.sigmoid(), m), "softmax after them"),
    ("softmax of shares", lambda e, m: softmax_of(share(e.sigmoid() * m), m), "softmax after them"),
    ("softmax first", lambda e, m: share(softmax_of(e, m).sigmoid() * m), "no softmax before it"),
    ("sigmoid of softmax", lambda e, m: softmax_of(e, m).sigmoid() * m, "no softmax before it"),
    ("over the batch", dividing(lambda g, m: g.sum(0)), "sum over the batch"),
    ("over everything", dividing(lambda g, m: g.sum()), "sum over everything"),
    ("by the number of frames", dividing(lambda g, m: m.sum(1, keepdim=True)), "not by the number of frames"),
    ("by the mean", dividing(lambda g, m: g.mean(1, keepdim=True)), "not by the mean"),
    ("by the largest", dividing(lambda g, m: g.amax(1, keepdim=True)), "not by the largest"),
    ("by the length", dividing(lambda g, m: g.norm(dim=1, keepdim=True)), "not by their length"),
    ("by the scores", lambda e, m: e.sigmoid() * m / (e * m).sum(1, keepdim=True), "not of the scores"),
    ("by the exponentials", lambda e, m: e.sigmoid() / e.exp().sum(1, keepdim=True), "not of the exponentials"),
    ("exponential above", lambda e, m: e.exp() / e.sigmoid().sum(1, keepdim=True), "above the fraction bar"),
    ("upside down", gating(lambda e: 1 - e.sigmoid()), "other way round"),
    ("softmax of minus", lambda e, m: softmax_of(-e, m), "other way round"),
    ("logarithms", lambda e, m: smooth(e, m).log(), "logarithms of the weights"),
    ("logsigmoid", lambda e, m: nn.functional.logsigmoid(e), "need a softmax"),
    ("logsigmoid divided", gating(nn.functional.logsigmoid), "upside down"),
    ("squares", gating(lambda e: e.sigmoid() ** 2), "not squared"),
    ("sigmoid twice", gating(lambda e: e.sigmoid().sigmoid()), "there twice"),
    ("tanh", gating(torch.tanh), "another function"),
    ("tanh and one", gating(lambda e: 1 + e.tanh()), "another function"),
    ("relu", gating(torch.relu), "another function"),
    ("softplus", gating(nn.functional.softplus), "another function"),
    ("hardsigmoid", gating(nn.functional.hardsigmoid), "another function"),
    ("temperature", lambda e, m: softmax_of(e / 2, m), "temperature"),
    ("even", lambda e, m: m / m.sum(1, keepdim=True), "all weigh the same"),
    ("best frame", lambda e, m: hard(e.masked_fill(~m, -math.inf)), "best frame alone"),
    ("no mask", lambda e, m: share(e.sigmoid()), "mask is not used"),
    ("mask after", lambda e, m: share(e.sigmoid()) * m, "before you divide by the sum"),
    ("scores times mask", lambda e, m: share((e * m).sigmoid()), "sigmoid is a half"),
    ("zeros under the mask", lambda e, m: share(e.masked_fill(~m, 0).sigmoid()) * m, "sigmoid is a half"),
    ("mask upside down", lambda e, m: share(e.sigmoid() * ~m), "upside down"),
    ("mask upside down, after", lambda e, m: share(e.sigmoid()) * ~m, "upside down"),
    ("mask of the first", lambda e, m: share(e.sigmoid() * m[0]), "mask of the first"),
    ("mask of all", lambda e, m: share(e.sigmoid() * m.all(0)), "real in all"),
    ("mask added", lambda e, m: share(e.sigmoid() + m), "you added the mask"),
    ("small number", lambda e, m: share(e.masked_fill(~m, -12).sigmoid()), "exactly zero"),
    ("real frames picked out", lambda e, m: smooth(e, m)[m], "keep the shape"),
    ("plain quotient", gating(torch.sigmoid), "every sigmoid is zero"),
    ("epsilon", dividing(lambda g, m: g.sum(1, keepdim=True) + 1e-8), "denominator is no help"),
    ("clamped sum", dividing(lambda g, m: g.sum(1, keepdim=True).clamp(min=1e-10)), "does not sum to one"),
    ("clamped gates", gating(lambda e: e.sigmoid().clamp(min=1e-10)), "all weigh the same with you"),
    ("clamped scores", lambda e, m: smooth(e.clamp(min=-80), m), "do not round them"),
    ("own sigmoid", gating(lambda e: e.exp() / (1 + e.exp())), "overflows"),
    ("own logarithm", lambda e, m: softmax_of(e - (1 + e.exp()).log(), m), "Very"),
    ("logarithm of a sigmoid", lambda e, m: softmax_of(e.sigmoid().log(), m), "Very low scores"),
    ("greedy", lambda e, m: softmax_of(torch.where(e > 7, e, nn.functional.logsigmoid(e)), m), "nearly everything"),
    ("sum alone", lambda e, m: e.sigmoid().sum(1, keepdim=True), "sum of each row"),
    ("squeezed", lambda e, m: smooth(e, m).squeeze(), "(batch, frames)"),
    ("first utterance", lambda e, m: smooth(e, m)[:1], "(batch, frames)"),
    ("precision lost", lambda e, m: smooth(e.float(), m), "torch.float64"),
    ("detached", lambda e, m: smooth(e, m).detach(), "No gradient flows back"),
    (
        "denominator detached",
        lambda e, m: smooth(e, m) if e.abs().max() > 60 else share_detached(e, m),
        "gradient of scores is wrong",
    ),
    ("in place", smooth_in_place, "in place"),
    ("mask in place", mask_in_place, "in place"),
    ("list", lambda e, m: smooth(e, m).tolist(), "yours is a list"),
    ("no return", lambda e, m: None, "returned None"),
]


def share_detached(scores, mask):
    gates = scores.sigmoid() * mask
    return gates / gates.sum(1, keepdim=True).detach()


def smooth_by_softplus(scores, mask):
    return torch.where(mask, -nn.functional.softplus(-scores), -torch.inf).softmax(dim=-1)


def smooth_by_shift(scores, mask):
    logs = nn.functional.logsigmoid(scores).masked_fill(~mask, -math.inf)
    odds = (logs - logs.amax(1, keepdim=True)).exp()
    return odds / odds.sum(1, keepdim=True)


def smooth_by_loops(scores, mask):
    rows = []
    for row, real in zip(scores, mask, strict=True):
        logs = torch.stack([-torch.logaddexp(torch.zeros_like(x), -x) for x in row[real]])
        weights = torch.zeros_like(row)
        rows.append(weights.masked_scatter(real, (logs - logs.logsumexp(0)).exp()))
    return torch.stack(rows)


def smooth_by_logsumexp(scores, mask):
    logs = nn.functional.logsigmoid(scores) + torch.zeros_like(scores).masked_fill(~mask, -math.inf)
    return torch.exp(logs - torch.logsumexp(logs, 1, keepdim=True))


def smooth_by_log_softmax(scores, mask):
    logs = scores - nn.functional.softplus(scores)  # log σ(x) = x − log(1 + exp(x))
    return logs.masked_fill(mask.logical_not(), -math.inf).log_softmax(1).exp()


def smooth_in_double(scores, mask):
    wide = nn.functional.logsigmoid(scores.double()).masked_fill(~mask, torch.finfo(torch.float64).min)
    return wide.softmax(1).to(scores.dtype)


RIGHT["06.smoothing"] = [
    smooth,
    smooth_by_softplus,
    smooth_by_shift,
    smooth_by_loops,
    smooth_by_logsumexp,
    smooth_by_log_softmax,
    smooth_in_double,
]


# 06.window


def half_frames(previous):
    """Return the first frame at which the sum reaches one half: (batch, 1)."""
    return (previous.cumsum(1) < 0.5 - 1e-6).sum(1, keepdim=True)


def distance(middles, frames):
    return (torch.arange(frames) - middles).abs()


def windowed(scores, previous, mask, window):
    return softmax_of(scores, mask & (distance(half_frames(previous), scores.shape[1]) <= window))


def around(middle):
    """Make an answer whose window stands around middle(previous weights) of the shape (batch, 1)."""
    return lambda e, a, m, n: softmax_of(e, m & (distance(middle(a), e.shape[1]) <= n))


def opened(test):
    """Make an answer that opens test(frame minus median, window)."""
    return lambda e, a, m, n: softmax_of(e, m & test(torch.arange(e.shape[1]) - half_frames(a), n))


def closing(finish):
    """Make an answer that turns scores, window, mask into weights in another way."""
    return lambda e, a, m, n: finish(e, distance(half_frames(a), e.shape[1]) <= n, m)


def mean_frame(previous):
    return (previous * torch.arange(previous.shape[1])).sum(1, keepdim=True)


def goes_round(scores, previous, mask, window):
    frames = scores.shape[1]
    offset = (torch.arange(frames) - half_frames(previous) + window) % frames
    return softmax_of(scores, mask & (offset <= 2 * window))


def pushed_inwards(scores, previous, mask, window):
    frames = scores.shape[1]
    if 2 * window >= frames:
        return windowed(scores, previous, mask, window)
    return softmax_of(
        scores, mask & (distance(half_frames(previous).clamp(window, frames - 1 - window), frames) <= window)
    )


def by_slices(scores, previous, mask, window):
    """Take slices that begin below zero."""
    weights = torch.zeros_like(scores)
    for b, middle in enumerate(half_frames(previous)[:, 0].tolist()):
        near = slice(middle - window, middle + window + 1)
        weights[b, near] = softmax_of(scores[b : b + 1, near], mask[b : b + 1, near])[0]
    return weights


def short_slices(scores, previous, mask, window):
    opened_frames = torch.zeros_like(mask)
    for b, middle in enumerate(half_frames(previous)[:, 0].tolist()):
        opened_frames[b, max(0, middle - window) : middle + window] = True
    return softmax_of(scores, mask & opened_frames)


def cut_out(scores, previous, mask, window):
    offset = half_frames(previous) + torch.arange(-window, window + 1)
    return scores.gather(1, offset.clamp(0, scores.shape[1] - 1)).softmax(1)


def window_in_place(scores, previous, mask, window):
    scores[distance(half_frames(previous), scores.shape[1]) > window] = -math.inf
    return softmax_of(scores, mask)


def window_mask_in_place(scores, previous, mask, window):
    mask &= distance(half_frames(previous), scores.shape[1]) <= window
    return softmax_of(scores, mask)


def previous_in_place(scores, previous, mask, window):
    result = windowed(scores, previous, mask, window)
    previous.copy_(result.detach())
    return result


def redivided(scores, inside, mask):
    weights = softmax_of(scores, mask) * inside
    return weights / weights.sum(1, keepdim=True)


WRONG["06.window"] = [
    ("no window", lambda e, a, m, n: softmax_of(e, m), "window is not used"),
    ("window inside out", opened(lambda d, n: d.abs() > n), "window is upside down"),
    ("mean", around(mean_frame), "around the mean frame"),
    ("mean, rounded", around(lambda a: mean_frame(a).round()), "around the mean frame"),
    ("mean, cut", around(lambda a: mean_frame(a).long()), "around the mean frame"),
    ("peak", around(lambda a: a.argmax(1, keepdim=True)), "around the highest weight"),
    ("median of the values", around(lambda a: a.median(1, keepdim=True).values), "not the value"),
    ("where the median value is", around(lambda a: a.median(1, keepdim=True).indices), "among the values"),
    ("peak of the scores", lambda e, a, m, n: around(lambda _: e.argmax(1, keepdim=True))(e, a, m, n), "new scores"),
    ("at the first frame", around(lambda a: torch.zeros(len(a), 1)), "stands still"),
    ("in the middle", around(lambda a: torch.full((len(a), 1), a.shape[1] // 2)), "middle of the frames"),
    ("in the very middle", around(lambda a: torch.full((len(a), 1), (a.shape[1] - 1) / 2)), "middle of the frames"),
    ("one late", around(lambda a: half_frames(a) + 1), "off by one"),
    ("one early", around(lambda a: half_frames(a) - 1), "off by one"),
    ("frames at or below half", around(lambda a: (a.cumsum(1) <= 0.5).sum(1, keepdim=True)), "exactly"),
    ("above half", around(lambda a: (a.cumsum(1) > 0.5).float().argmax(1, keepdim=True)), "exactly"),
    (
        "summed from the end",
        around(lambda a: a.shape[1] - 1 - half_frames(a.flip(1))),
        "exactly",
    ),
    ("at a quarter", around(lambda a: (a.cumsum(1) < 0.25).sum(1, keepdim=True)), "Expected weights at the median"),
    ("ahead only", opened(lambda d, n: (d >= 0) & (d <= n)), "looks ahead only"),
    ("back only", opened(lambda d, n: (d <= 0) & (d >= -n)), "looks back only"),
    ("all ahead", opened(lambda d, n: d >= 0), "Yours has no end"),
    ("all from a window before", opened(lambda d, n: d >= -n), "Yours has no end"),
    ("all back", opened(lambda d, n: d <= 0), "Yours has no beginning"),
    ("all up to a window after", opened(lambda d, n: d <= n), "Yours has no beginning"),
    ("no absolute value", opened(lambda d, n: d < n + 1), "Yours has no beginning"),
    ("below window", opened(lambda d, n: d.abs() < n), "distance <= window"),
    ("one more", opened(lambda d, n: d.abs() <= n + 1), "too wide"),
    ("doubled", opened(lambda d, n: d.abs() <= 2 * n), "too wide"),
    ("halved", opened(lambda d, n: d.abs() <= n // 2), "half as many"),
    ("halved exactly", opened(lambda d, n: d.abs() <= n / 2), "half as many"),
    ("slice too short", short_slices, "looks back only"),
    ("first of the window lost", opened(lambda d, n: (d > -n) & (d <= n)), "first frame in the window is missing"),
    ("last of the window lost", opened(lambda d, n: (d >= -n) & (d < n)), "last frame in the window is missing"),
    ("goes round", goes_round, "goes round"),
    ("pushed inwards", pushed_inwards, "pushed inwards"),
    ("slices below zero", by_slices, "below zero"),
    ("weights cut afterwards", closing(lambda e, i, m: softmax_of(e, m) * i), "before the softmax, not the weights"),
    ("padding cut afterwards", closing(lambda e, i, m: softmax_of(e, i) * m), "hide padding before"),
    ("scores times window", closing(lambda e, i, m: softmax_of(e * i, m)), "score of 0 is not hidden"),
    ("scores times both", closing(lambda e, i, m: (e * i * m).softmax(1)), "score of 0 is not hidden"),
    ("divided afterwards", closing(redivided), "Very high scores outside"),
    ("even in the window", closing(lambda e, i, m: (i & m) / (i & m).sum(1, keepdim=True)), "weigh the same"),
    ("scores returned", closing(lambda e, i, m: e.masked_fill(~(i & m), -math.inf)), "These are the scores"),
    ("scores in the window", closing(lambda e, i, m: e * i * m), "These are the scores"),
    ("window returned", closing(lambda e, i, m: i & m), "This is the window"),
    ("smoothing", closing(lambda e, i, m: smooth(e, i & m)), "this is smoothing"),
    ("previous weights in the window", lambda e, a, m, n: share(a * (windowed(e, a, m, n) > 0)), "previous weights in"),
    ("times the previous", lambda e, a, m, n: windowed(e * a, a, m, n), "Do not multiply by the previous"),
    ("softmax over the batch", closing(lambda e, i, m: e.masked_fill(~(i & m), -1e9).softmax(0)), "over the batch"),
    (
        "softmax over the batch, minus infinity",
        closing(lambda e, i, m: e.masked_fill(~(i & m), -math.inf).softmax(0)),
        "over the batch",
    ),
    (
        "window of the scores' softmax",
        lambda e, a, m, n: softmax_of(e, m & (distance(half_frames(e.softmax(1)), e.shape[1]) <= n)),
        "scores' softmax",
    ),
    ("window of the first", around(lambda a: half_frames(a)[:1]), "window of the first"),
    ("one median for all", around(lambda a: half_frames(a.mean(0, keepdim=True))), "one median"),
    ("summed over the batch", around(lambda a: (a.cumsum(0) < 0.5).sum(1, keepdim=True)), "Expected weights at"),
    ("no frame mask", closing(lambda e, i, m: softmax_of(e, i)), "use the frame mask as well"),
    ("one of both", closing(lambda e, i, m: softmax_of(e, i | m)), "And (&), not or"),
    ("frame mask upside down", closing(lambda e, i, m: softmax_of(e, i & ~m)), "upside down"),
    ("frame mask of the first", closing(lambda e, i, m: softmax_of(e, i & m[:1])), "mask of the first"),
    ("small number", closing(lambda e, i, m: e.masked_fill(~(i & m), -15).softmax(1)), "weight"),
    ("large number", closing(lambda e, i, m: e.masked_fill(~(i & m), -1e5).softmax(1)), "minus infinity"),
    ("cut out", cut_out, "cut the window out"),
    ("squeezed", lambda *given: windowed(*given).squeeze(), "(batch, frames)"),
    ("first utterance", lambda *given: windowed(*given)[:1], "(batch, frames)"),
    ("window typed in", lambda e, a, m, n: windowed(e, a, m, 1), "half as many"),
    ("precision lost", lambda e, a, m, n: windowed(e.float(), a, m, n), "torch.float64"),
    ("detached", lambda e, a, m, n: windowed(e.detach(), a, m, n), "No gradient"),
    ("in place", window_in_place, "in place"),
    ("mask in place", window_mask_in_place, "in place"),
    ("previous weights in place", previous_in_place, "in place"),
    ("list", lambda *given: windowed(*given).tolist(), "yours is a list"),
    ("no return", lambda *given: None, "returned None"),
]


def window_by_loops(scores, previous, mask, window):
    rows = []
    for e, a, real in zip(scores, previous, mask, strict=True):
        total, middle = 0.0, 0
        while total + a[middle].item() < 0.5 - 1e-6:
            total += a[middle].item()
            middle += 1
        near = [j for j in range(max(0, middle - window), min(len(e), middle + window + 1)) if real[j]]
        rows.append(torch.zeros_like(e).index_put((torch.tensor(near),), e[near].softmax(0)))
    return torch.stack(rows)


def window_by_search(scores, previous, mask, window):
    half = torch.full((len(scores), 1), 0.5 - 1e-6, dtype=previous.dtype)
    middle = torch.searchsorted(previous.cumsum(1), half)
    frames = torch.arange(scores.shape[1]).expand_as(scores)
    inside = (frames >= middle - window) & (frames <= middle + window) & mask
    return torch.where(inside, scores, -torch.inf).softmax(-1)


def window_by_argmax(scores, previous, mask, window):
    middle = (previous.cumsum(1) >= 0.5).float().argmax(1)
    outside = distance(middle.unsqueeze(1), scores.shape[1]) > window
    return torch.softmax(scores.masked_fill(outside, -math.inf).masked_fill(~mask, -math.inf), 1)


def window_by_pooling(scores, previous, mask, window):
    """Spread a one at the median over its neighbours."""
    peak = nn.functional.one_hot(half_frames(previous)[:, 0], scores.shape[1]).float()
    near = nn.functional.max_pool1d(peak[:, None], 2 * window + 1, 1, window)[:, 0] if window else peak
    return softmax_of(scores, (near > 0) & mask)


def window_by_slicing(scores, previous, mask, window):
    hidden = torch.ones_like(mask)
    for b, middle in enumerate(half_frames(previous)[:, 0].tolist()):
        hidden[b, max(0, middle - window) : middle + window + 1] = False
    return scores.masked_fill(hidden | ~mask, -torch.inf).softmax(dim=1)


def window_by_logs(scores, previous, mask, window):
    inside = (mask & (distance(half_frames(previous), scores.shape[1]) <= window)).to(scores.dtype)
    return (scores + inside.log()).log_softmax(1).exp()


RIGHT["06.window"] = [
    windowed,
    window_by_loops,
    window_by_search,
    window_by_argmax,
    window_by_pooling,
    window_by_slicing,
    window_by_logs,
]


# 06.phoneme-error-rate


def edit_distance(hypothesis, reference, substitution=1, insertion=1, deletion=1):
    row = [j * deletion for j in range(len(reference) + 1)]
    for said in hypothesis:
        last, row = row, [row[0] + insertion]
        for j, true in enumerate(reference, 1):
            row.append(
                min(last[j] + insertion, row[-1] + deletion, last[j - 1] + (0 if said == true else substitution))
            )
    return row[-1]


def error_rate(hypotheses, references):
    return sum(map(edit_distance, hypotheses, references)) / sum(map(len, references))


def counting(errors):
    """Make an answer with another count of errors(hypothesis, reference)."""
    return lambda H, R: sum(map(errors, H, R)) / sum(map(len, R))


def reducing(reduce):
    """Make an answer from reduce(errors, lengths of hypotheses, lengths of references)."""
    return lambda H, R: reduce(list(map(edit_distance, H, R)), list(map(len, H)), list(map(len, R)))


def placewise(hypothesis, reference):
    return sum(h != r for h, r in zip(hypothesis, reference, strict=False)) + abs(len(hypothesis) - len(reference))


def placewise_cut(hypothesis, reference):
    return sum(h != r for h, r in zip(hypothesis, reference, strict=False))


def bag(hypothesis, reference):
    left = list(reference)
    for phoneme in hypothesis:
        if phoneme in left:
            left.remove(phoneme)
    return max(len(left), len(hypothesis) - len(reference) + len(left))


def subsequence(hypothesis, reference):
    """Length of the longest common one."""
    return (len(hypothesis) + len(reference) - edit_distance(hypothesis, reference, substitution=2)) // 2


def with_swaps(hypothesis, reference):
    table = {(-1, -1): 0}
    for i in range(-1, len(hypothesis)):
        for j in range(-1, len(reference)):
            ways = [table[i - 1, j] + 1] if i >= 0 else []
            ways += [table[i, j - 1] + 1] if j >= 0 else []
            if i >= 0 and j >= 0:
                ways.append(table[i - 1, j - 1] + (hypothesis[i] != reference[j]))
            if i > 0 and j > 0 and hypothesis[i] == reference[j - 1] and hypothesis[i - 1] == reference[j]:
                ways.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(ways) if ways else 0
    return table[len(hypothesis) - 1, len(reference) - 1]


def without_edges(hypothesis, reference):
    """Begin the table with zeros."""
    row = [0] * (len(reference) + 1)
    for said in hypothesis:
        last, row = row, [0]
        for j, true in enumerate(reference, 1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (said != true)))
    return row[-1]


def diagonal_alone(hypothesis, reference):
    """Take the diagonal before the cheaper ways round it."""
    row = list(range(len(reference) + 1))
    for i, said in enumerate(hypothesis, 1):
        last, row = row, [i]
        for j, true in enumerate(reference, 1):
            row.append(last[j - 1] if said == true else last[j - 1] + 1)
    return row[-1]


def greedy_errors(hypothesis, reference):
    """Step along both, and skip whenever the next one fits."""
    i = j = wrong = 0
    while i < len(hypothesis) and j < len(reference):
        if hypothesis[i] != reference[j]:
            wrong += 1
            if i + 1 < len(hypothesis) and hypothesis[i + 1] == reference[j]:
                i += 1
                continue
            if j + 1 < len(reference) and hypothesis[i] == reference[j + 1]:
                j += 1
                continue
        i, j = i + 1, j + 1
    return wrong + len(hypothesis) - i + len(reference) - j


def by_difflib(hypothesis, reference):
    blocks = difflib.SequenceMatcher(None, reference, hypothesis, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for kind, a, b, c, d in blocks if kind != "equal")


def collapsed(phonemes):
    return [p for k, p in enumerate(phonemes) if not k or p != phonemes[k - 1]]


def naive(hypothesis, reference):
    if not hypothesis or not reference:
        return len(hypothesis) + len(reference)
    if hypothesis[-1] == reference[-1]:
        return naive(hypothesis[:-1], reference[:-1])
    return 1 + min(
        naive(hypothesis[:-1], reference), naive(hypothesis, reference[:-1]), naive(hypothesis[:-1], reference[:-1])
    )


def rates(hypotheses, references):
    return [e / max(1, len(r)) for e, r in zip(map(edit_distance, hypotheses, references), references, strict=True)]


def rate_in_place(hypotheses, references):
    result = error_rate(hypotheses, references)
    while hypotheses:
        hypotheses.pop()
    return result


def popped_phonemes(hypotheses, references):
    result = error_rate(hypotheses, references)
    references[0].pop()
    return result


WRONG["06.phoneme-error-rate"] = [
    ("place by place", counting(placewise), "place by place"),
    ("place by place, cut", counting(placewise_cut), "place by place"),
    ("bag of phonemes", counting(bag), "which phonemes there are"),
    ("sets", counting(lambda h, r: len(set(h) ^ set(r))), "which phonemes there are"),
    ("missing from the set", counting(lambda h, r: len(set(r) - set(h))), "which phonemes there are"),
    ("lengths", counting(lambda h, r: abs(len(h) - len(r))), "substitutions are missing"),
    ("substitution costs two", counting(functools.partial(edit_distance, substitution=2)), "one error, a substitution"),
    ("substitution is free", counting(functools.partial(edit_distance, substitution=0)), "substitutions are missing"),
    ("insertion is free", counting(functools.partial(edit_distance, insertion=0)), "insertions are missing"),
    ("deletion is free", counting(functools.partial(edit_distance, deletion=0)), "deletions are missing"),
    ("longest common subsequence", counting(lambda h, r: len(r) - subsequence(h, r)), "insertions are missing"),
    ("swaps", counting(with_swaps), "Two swapped neighbours"),
    ("table without edges", counting(without_edges), "missing"),
    ("diagonal alone", counting(diagonal_alone), "one place earlier"),
    ("greedy", counting(greedy_errors), "first way that fits"),
    ("difflib", counting(by_difflib), "one error, a substitution"),
    ("repeats collapsed", counting(lambda h, r: edit_distance(collapsed(h), collapsed(r))), "also if it repeats"),
    ("letters", counting(lambda h, r: edit_distance("".join(h), "".join(r))), "do not join them"),
    (
        "letters over letters",
        lambda H, R: (
            sum(edit_distance("".join(h), "".join(r)) for h, r in zip(H, R, strict=True))
            / sum(len("".join(r)) for r in R)
        ),
        "do not join them",
    ),
    ("spaced letters", counting(lambda h, r: edit_distance(" ".join(h), " ".join(r))), "do not join them"),
    (
        "first letters",
        counting(lambda h, r: edit_distance([p[0] for p in h], [p[0] for p in r])),
        "wrong phoneme counts",
    ),
    ("no table", counting(naive), "keep the distances of beginnings in a table"),
    ("mean of rates", lambda H, R: sum(rates(H, R)) / len(R), "You averaged rates"),
    (
        "mean of clipped rates",
        lambda H, R: sum(min(1, rate) for rate in rates(H, R)) / len(R),
        "You averaged rates",
    ),
    ("median of rates", lambda H, R: sorted(rates(H, R))[len(R) // 2], "You averaged rates"),
    ("sum of rates", lambda H, R: sum(rates(H, R)), "added up the rates"),
    ("by the hypotheses", reducing(lambda e, h, r: sum(e) / max(1, sum(h))), "not by that of the hypothes"),
    ("by the longer", reducing(lambda e, h, r: sum(e) / sum(map(max, h, r))), "longer of each two"),
    ("by both", reducing(lambda e, h, r: sum(e) / (sum(h) + sum(r))), "both sides"),
    ("by the utterances", reducing(lambda e, h, r: sum(e) / len(e)), "not by that of the utterances"),
    ("not divided", reducing(lambda e, h, r: sum(e)), "number of errors"),
    ("utterances wrong", reducing(lambda e, h, r: sum(map(bool, e)) / len(e)), "utterances with an error"),
    ("in percent", lambda H, R: 100 * error_rate(H, R), "not in percent"),
    ("accuracy", lambda H, R: 1 - error_rate(H, R), "share that is right"),
    (
        "joined",
        lambda H, R: edit_distance([p for h in H for p in h], [p for r in R for p in r]) / sum(map(len, R)),
        "compared one by one",
    ),
    ("clipped", lambda H, R: min(1, error_rate(H, R)), "may exceed one"),
    ("clipped each", reducing(lambda e, h, r: sum(map(min, e, r)) / sum(r)), "do not cut it off"),
    ("first utterance", lambda H, R: rates(H, R)[0], "stopped after the first"),
    ("last utterance", lambda H, R: rates(H, R)[-1], "last one"),
    (
        "only wrong utterances",
        reducing(lambda e, h, r: sum(e) / max(1, sum(n for n, w in zip(r, e, strict=True) if w))),
        "right count",
    ),
    ("empty hypotheses skipped", counting(lambda h, r: edit_distance(h, r) if h else 0), "no reason to skip"),
    ("empty references skipped", counting(lambda h, r: edit_distance(h, r) if r else 0), "is not skipped"),
    (
        "divides by an empty one",
        lambda H, R: sum(map(edit_distance, H, R)) / sum(len(r) / bool(r) for r in R),
        "raised",
    ),
    ("several numbers", rates, "one number"),
    ("both counts", lambda H, R: (sum(map(edit_distance, H, R)), sum(map(len, R))), "one number"),
    ("errors as a tensor", lambda H, R: torch.tensor([*rates(H, R), 0]), "one number"),
    ("in place", rate_in_place, "in place"),
    ("phonemes popped", popped_phonemes, "in place"),
    ("typed in", lambda H, R: 0.25, "equals its reference"),
    ("no return", lambda H, R: None, "returned None"),
]


def rate_by_table(hypotheses, references):
    errors = total = 0
    for written, said in zip(hypotheses, references, strict=True):
        table = numpy.zeros((len(said) + 1, len(written) + 1), dtype=int)
        table[:, 0], table[0] = numpy.arange(len(said) + 1), numpy.arange(len(written) + 1)
        for i in range(1, len(said) + 1):
            for j in range(1, len(written) + 1):
                change = table[i - 1, j - 1] + (said[i - 1] != written[j - 1])
                table[i, j] = min(change, table[i - 1, j] + 1, table[i, j - 1] + 1)
        errors, total = errors + table[-1, -1], total + len(said)
    return errors / total


def rate_by_memory(hypotheses, references):
    def distance_of(h, r):
        @functools.cache
        def rest(i, j):
            if i == len(h) or j == len(r):
                return len(h) - i + len(r) - j
            return min(rest(i + 1, j) + 1, rest(i, j + 1) + 1, rest(i + 1, j + 1) + (h[i] != r[j]))

        return rest(0, 0)

    pairs = list(zip(hypotheses, references, strict=True))
    return torch.tensor(sum(distance_of(h, r) for h, r in pairs) / sum(len(r) for _, r in pairs))


def rate_by_steps(hypotheses, references):
    """Widen the set of cells that so many edits reach."""

    def distance_of(h, r):
        reached, edits = {(0, 0)}, 0
        while True:
            for i, j in list(reached):
                while i < len(h) and j < len(r) and h[i] == r[j]:
                    i, j = i + 1, j + 1
                    reached.add((i, j))
            if (len(h), len(r)) in reached:
                return edits
            moves = {(i + a, j + b) for i, j in reached for a, b in ((0, 1), (1, 0), (1, 1))}
            reached = {(i, j) for i, j in moves if i <= len(h) and j <= len(r)}
            edits += 1

    return sum(map(distance_of, hypotheses, references)) / sum(len(r) for r in references)


def rate_by_vectors(hypotheses, references):
    """A row at a time; the running minimum stands in for insertions."""
    errors = 0
    for said, written in zip(references, hypotheses, strict=True):
        places = numpy.arange(len(written) + 1)
        row = places.copy()
        for phoneme in said:
            differs = numpy.array([phoneme != other for other in written], dtype=int)
            best = numpy.concatenate([[row[0] + 1], numpy.minimum(row[:-1] + differs, row[1:] + 1)])
            row = numpy.minimum.accumulate(best - places) + places
        errors += row[-1]
    return float(errors / sum(len(said) for said in references))


def rate_by_numbers(hypotheses, references):
    """Number the phonemes first."""
    known = {p: k for k, p in enumerate(sorted({p for side in (hypotheses, references) for u in side for p in u}))}
    pairs = [([known[p] for p in h], [known[p] for p in r]) for h, r in zip(hypotheses, references, strict=True)]
    return sum(edit_distance(r, h) for h, r in pairs) / sum(len(r) for _, r in pairs)


def rate_by_shortest_way(hypotheses, references):
    errors = 0
    for h, r in zip(hypotheses, references, strict=True):
        cost = {(0, 0): 0}
        for i in range(len(h) + 1):
            for j in range(len(r) + 1):
                here = cost[i, j]
                for a, b, price in ((1, 0, 1), (0, 1, 1), (1, 1, None)):
                    if i + a <= len(h) and j + b <= len(r):
                        price = int(h[i] != r[j]) if price is None else price
                        cost[i + a, j + b] = min(cost.get((i + a, j + b), 10**9), here + price)
        errors += cost[len(h), len(r)]
    return errors / sum(map(len, references))


RIGHT["06.phoneme-error-rate"] = [
    error_rate,
    rate_by_table,
    rate_by_memory,
    rate_by_steps,
    rate_by_vectors,
    rate_by_numbers,
    rate_by_shortest_way,
]


# 06.listening-in-time


def middles(weights, frame_ms):
    return (torch.arange(weights.shape[1]) + 0.5) * frame_ms


def times_of(weights, frame_ms):
    return (weights * middles(weights, frame_ms)).sum(1)


def outside(times, spans):
    return torch.maximum(spans[:, 0] - times, times - spans[:, 1]).clamp(min=0)


def went_back(times):
    return (times[1:] < times[:-1]).float().mean().item() if len(times) > 1 else 0.0


def listened(weights, spans, frame_ms):
    times = times_of(weights, frame_ms)
    return outside(times, spans).mean().item(), went_back(times)


def timed(times):
    """Make an answer with other times(weights, frame_ms)."""
    return lambda a, spans, ms: (outside(times(a, ms), spans).mean().item(), went_back(times(a, ms)))


def erring(error):
    """Make an answer with another error(times, begins, ends)."""
    return lambda a, spans, ms: (float(error(times_of(a, ms), *spans.unbind(1))), went_back(times_of(a, ms)))


def averaging(reduce):
    """Make an answer that reduces the distances in another way."""
    return lambda a, spans, ms: (float(reduce(outside(times_of(a, ms), spans))), went_back(times_of(a, ms)))


def going(back):
    """Make an answer with another share of moves back(times)."""
    return lambda a, spans, ms: (listened(a, spans, ms)[0], float(back(times_of(a, ms))))


def several(back):
    """As `going`, for utterances of two phonemes or more."""
    return going(lambda t: back(t) if len(t) > 1 else 0.0)


def ends_of(times, begins, ends):
    return (times - begins).abs(), (times - ends).abs()


def mean_of_distances(weights, spans, frame_ms):
    places = middles(weights, frame_ms)
    each = torch.maximum(spans[:, :1] - places, places - spans[:, 1:]).clamp(min=0)
    return (weights * each).sum(1).mean().item(), listened(weights, spans, frame_ms)[1]


def mass(weights, spans, frame_ms):
    places = middles(weights, frame_ms)
    inside = (places >= spans[:, :1]) & (places < spans[:, 1:])
    return (weights * inside).sum(1).mean().item(), listened(weights, spans, frame_ms)[1]


def mass_outside(weights, spans, frame_ms):
    inside, back = mass(weights, spans, frame_ms)
    return 1 - inside, back


def all_pairs(times):
    pairs = [(i, j) for j in range(len(times)) for i in range(j)]
    return sum(float(times[j] < times[i]) for i, j in pairs) / len(pairs)


def any_span(times, begins, ends):
    return torch.maximum(begins - times[:, None], times[:, None] - ends).clamp(min=0).amin(1).mean()


def every_span(times, begins, ends):
    return torch.maximum(begins - times[:, None], times[:, None] - ends).clamp(min=0).mean()


def before_its_neighbour(weights, spans, frame_ms):
    times = times_of(weights, frame_ms)
    back = (spans[1:, 1] < times[:-1]).float().mean().item() if len(times) > 1 else 0.0
    return outside(times, spans).mean().item(), back


def listened_in_place(weights, spans, frame_ms):
    spans -= times_of(weights, frame_ms)[:, None]
    error = torch.maximum(spans[:, 0], -spans[:, 1]).clamp(min=0).mean().item()
    return error, went_back(times_of(weights, frame_ms))


def weights_in_place(weights, spans, frame_ms):
    back = went_back(times_of(weights, frame_ms))
    weights *= middles(weights, frame_ms)
    return outside(weights.sum(1), spans).mean().item(), back


def divided_moves(weights, spans, frame_ms):
    times = times_of(weights, frame_ms).tolist()
    moves = list(zip(times, times[1:], strict=False))
    return listened(weights, spans, frame_ms)[0], sum(b < a for a, b in moves) / len(moves)


def peak_for_moves(weights, spans, frame_ms):
    return listened(weights, spans, frame_ms)[0], went_back(weights.argmax(1))


WRONG["06.listening-in-time"] = [
    ("beginning of a frame", timed(lambda a, ms: times_of(a, ms) - ms / 2), "its beginning"),
    ("end of a frame", timed(lambda a, ms: times_of(a, ms) + ms / 2), "its end"),
    ("frames for ms", timed(lambda a, ms: times_of(a, 1)), "Spans are in ms"),
    ("frame numbers for ms", timed(lambda a, ms: times_of(a, 1) - 0.5), "Spans are in ms"),
    ("10 ms typed in", timed(lambda a, ms: times_of(a, 10)), "you counted 10 ms"),
    ("40 ms typed in", timed(lambda a, ms: times_of(a, 40)), "Wrong where a phoneme"),
    ("seconds", averaging(lambda d: d.mean() / 1000), "not s"),
    ("in frames", lambda a, s, ms: (listened(a, s, ms)[0] / ms, listened(a, s, ms)[1]), "not frames"),
    ("to the middle", erring(lambda t, b, e: (t - (b + e) / 2).abs().mean()), "to the middle"),
    ("to the beginning", erring(lambda t, b, e: (t - b).abs().mean()), "to the beginning"),
    ("to the end", erring(lambda t, b, e: (t - e).abs().mean()), "to the end"),
    ("to the nearer end, inside too", erring(lambda t, b, e: torch.minimum(*ends_of(t, b, e)).mean()), "from inside"),
    ("to the farther end", erring(lambda t, b, e: torch.maximum(*ends_of(t, b, e)).mean()), "farther end"),
    ("to both ends", erring(lambda t, b, e: sum(ends_of(t, b, e)).mean()), "both"),
    (
        "outside to the middle",
        erring(lambda t, b, e: torch.where((t < b) | (t > e), (t - (b + e) / 2).abs(), 0.0).mean()),
        "to the middle",
    ),
    ("not clamped", erring(lambda t, b, e: torch.maximum(b - t, t - e).mean()), "clamp(min=0)"),
    (
        "signed",
        erring(lambda t, b, e: ((t - e).clamp(min=0) - (b - t).clamp(min=0)).mean()),
        "do not cancel out",
    ),
    (
        "signed, then absolute",
        erring(lambda t, b, e: ((t - e).clamp(min=0) - (b - t).clamp(min=0)).mean().abs()),
        "do not cancel out",
    ),
    ("late only", erring(lambda t, b, e: (t - e).clamp(min=0).mean()), "too late"),
    ("early only", erring(lambda t, b, e: (b - t).clamp(min=0).mean()), "too early"),
    ("sum", averaging(torch.sum), "their sum"),
    ("largest", averaging(torch.max), "the largest"),
    ("median", averaging(torch.median), "the median"),
    ("those outside", averaging(lambda d: d.sum() / (d > 0).sum().clamp(min=1)), "outside only"),
    ("squared", averaging(lambda d: (d**2).mean()), "you squared"),
    ("root of squares", averaging(lambda d: (d**2).mean().sqrt()), "root of the mean square"),
    ("share missed", averaging(lambda d: (d > 0).float().mean()), "share of phonemes missed"),
    ("share hit", averaging(lambda d: (d == 0).float().mean()), "share of phonemes hit"),
    ("first phoneme", averaging(lambda d: d[0]), "this is the first"),
    ("last phoneme", averaging(lambda d: d[-1]), "this is the last"),
    (
        "by the phoneme's length",
        erring(lambda t, b, e: (outside(t, torch.stack([b, e], 1)) / (e - b)).mean()),
        "length of",
    ),
    ("begin and length", erring(lambda t, b, e: outside(t, torch.stack([b, b + e], 1)).mean()), "begin and length"),
    ("any span", erring(any_span), "nearest one of all"),
    ("every span", erring(every_span), "every time with every span"),
    ("highest frame", timed(lambda a, ms: (a.argmax(1) + 0.5) * ms), "highest frame alone"),
    ("median frame", timed(lambda a, ms: ((a.cumsum(1) < 0.5).sum(1) + 0.5) * ms), "median of the weights"),
    ("mean of the distances", mean_of_distances, "distances of the frames"),
    ("weight inside", mass, "measure"),
    ("weight outside", mass_outside, "measure"),
    ("divided by the frames", timed(lambda a, ms: times_of(a, ms) / a.shape[1]), "no division"),
    ("rounded", timed(lambda a, ms: ((times_of(a, 1) - 0.5).round() + 0.5) * ms), "do not round"),
    ("cut", timed(lambda a, ms: (times_of(a, 1).floor() + 0.5) * ms), "do not round"),
    ("plain mean", timed(lambda a, ms: times_of(torch.ones_like(a) / a.shape[1], ms)), "weights are not used"),
    ("softmax again", timed(lambda a, ms: times_of(a.softmax(1), ms)), "no second softmax"),
    ("squared weights", timed(lambda a, ms: times_of(share(a**2), ms)), "not by their squares"),
    (
        "summed over the phonemes",
        timed(lambda a, ms: (a * middles(a, ms)).sum(0)[: len(a)]),
        "Expected the mean distance",
    ),
    ("by n", several(lambda t: (t[1:] < t[:-1]).sum() / len(t)), "n − 1 moves"),
    ("by n - 2", several(lambda t: (t[1:] < t[:-1]).sum() / max(1, len(t) - 2)), "n − 1 moves"),
    ("standing still", several(lambda t: (t[1:] <= t[:-1]).float().mean()), "Standing still"),
    ("standing still, by n", several(lambda t: (t[1:] <= t[:-1]).sum() / len(t)), "Standing still"),
    ("ahead", several(lambda t: (t[1:] > t[:-1]).float().mean()), "moves ahead"),
    ("not back", several(lambda t: (t[1:] >= t[:-1]).float().mean()), "moves ahead"),
    ("number", going(lambda t: (t[1:] < t[:-1]).sum()), "number of moves back"),
    ("percent", several(lambda t: 100 * (t[1:] < t[:-1]).float().mean()), "not in percent"),
    ("latest so far", several(lambda t: (t[1:] < t.cummax(0).values[:-1]).float().mean()), "latest time so far"),
    ("than the first", several(lambda t: (t[1:] < t[0]).float().mean()), "not with the first"),
    ("all pairs", several(all_pairs), "neighbours only"),
    ("how far", several(lambda t: (t[:-1] - t[1:]).clamp(min=0).mean()), "how far"),
    ("whether", several(lambda t: (t[1:] < t[:-1]).any()), "how often"),
    ("never", going(lambda t: 0.0), "how often"),
    ("moves", several(lambda t: (t[1:] != t[:-1]).float().mean()), "change anything"),
    ("times with spans", before_its_neighbour, "not the times with the spans"),
    ("jumps ahead", several(lambda t: (t[1:] - t[:-1] > 40).float().mean()), "Jumps ahead"),
    ("peaks for the moves", peak_for_moves, "highest frame does not show it"),
    ("a whole frame back", several(lambda t: (t[1:] <= t[:-1] - 40).float().mean()), "smaller step back"),
    ("mean of nothing", going(lambda t: (t[1:] < t[:-1]).float().mean()), "nan"),
    ("division by nothing", divided_moves, "One phoneme has no move"),
    ("swapped", lambda *given: listened(*given)[::-1], "swapped"),
    ("error alone", lambda *given: listened(*given)[0], "Return two numbers"),
    ("a number for each phoneme", lambda a, s, ms: (outside(times_of(a, ms), s), 0.0), "one number"),
    ("spans in place", listened_in_place, "in place"),
    ("weights in place", weights_in_place, "in place"),
    ("no return", lambda *given: None, "returned None"),
    ("typed in", lambda *given: (31.0, 0.0), "how often"),
]


def listened_by_loops(weights, spans, frame_ms):
    total, before, back = 0.0, None, 0
    for row, (begin, end) in zip(weights.tolist(), spans.tolist(), strict=True):
        time = sum(a * (j + 0.5) for j, a in enumerate(row)) * frame_ms
        if time < begin:
            total += begin - time
        elif time > end:
            total += time - end
        if before is not None and time < before:
            back += 1
        before = time
    return total / len(weights), back / max(1, len(weights) - 1)


def listened_by_numpy(weights, spans, frame_ms):
    a, gold = weights.double().numpy(), spans.double().numpy()
    times = a @ (frame_ms / 2 + frame_ms * numpy.arange(a.shape[1]))
    nearest = numpy.clip(times, gold[:, 0], gold[:, 1])
    steps = numpy.diff(times)
    return numpy.abs(times - nearest).mean(), (steps < 0).mean() if steps.size else 0.0


def listened_by_clamping(weights, spans, frame_ms):
    times = torch.einsum("pf,f->p", weights, torch.arange(weights.shape[1]) * float(frame_ms)) + frame_ms / 2
    error = (times - times.clamp(spans[:, 0], spans[:, 1])).abs().mean()
    moves = times.diff()
    return error, (moves < 0).sum() / max(1, len(moves))


def listened_by_relu(weights, spans, frame_ms):
    begin, end = spans.T
    frames = torch.linspace(0.5, weights.shape[1] - 0.5, weights.shape[1])
    t = weights.matmul(frames) * frame_ms
    error = torch.relu(begin - t) + torch.relu(t - end)
    back = torch.where(t[1:] < t[:-1], 1.0, 0.0)
    return torch.stack([error.mean(), back.mean() if back.numel() else torch.tensor(0.0)])


def listened_by_cases(weights, spans, frame_ms):
    t = (weights * ((2 * torch.arange(weights.shape[1]) + 1) * frame_ms / 2)).sum(dim=-1)
    early, late = t < spans[:, 0], t > spans[:, 1]
    gap = torch.zeros_like(t)
    gap[early] = (spans[:, 0] - t)[early]
    gap[late] = (t - spans[:, 1])[late]
    pairs = list(zip(t[:-1], t[1:], strict=True))
    return [float(gap.sum() / len(t)), sum(int(b < a) for a, b in pairs) / len(pairs) if pairs else 0]


RIGHT["06.listening-in-time"] = [
    listened,
    listened_by_loops,
    listened_by_numpy,
    listened_by_clamping,
    listened_by_relu,
    listened_by_cases,
]
