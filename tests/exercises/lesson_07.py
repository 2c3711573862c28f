"""Answers to the exercises of lesson 7.

WRONG: (name, answer, a piece of the hint that it must get); RIGHT: answers in other styles.
"""

import math
from collections import Counter

import torch
from torch import nn

WRONG, RIGHT = {}, {}


# 07.perplexity


def true_ones(table, target):
    return table.gather(2, target[..., None])[..., 0]


def of_words(finish):
    """Make an answer from the log-probabilities of the true words and the mask."""
    return lambda table, target, mask: finish(true_ones(table, target), mask)


def row_means(true, mask):
    return (true * mask).sum(1) / mask.sum(1)


def by_id(table, target, mask):
    return true_ones(table, target)[target != 0].mean().neg().exp().item()


def surprise_in_place(table, target, mask):
    table *= mask[..., None]
    return math.exp(-(true_ones(table, target).sum() / mask.sum()).item())


WRONG["07.perplexity"] = [
    ("no exp", of_words(lambda t, m: -t[m].mean().item()), "perplexity is exp of it"),
    ("no minus", of_words(lambda t, m: t[m].mean().exp().item()), "MINUS"),
    ("power of two", of_words(lambda t, m: 2 ** -t[m].mean().item()), "power of 2"),
    ("sum", of_words(lambda t, m: t[m].sum().neg().exp().item()), "not the sum"),
    ("padding counted", of_words(lambda t, m: t.mean().neg().exp().item()), "Padding is counted"),
    ("divided by all places", of_words(lambda t, m: (t * m).mean().neg().exp().item()), "not by that of all places"),
    ("mask upside down", of_words(lambda t, m: (t * ~m).sum().div((~m).sum()).neg().exp().item()), "upside down"),
    ("mean of headlines", of_words(lambda t, m: row_means(t, m).mean().neg().exp().item()), "headlines' means"),
    (
        "mean of perplexities",
        of_words(lambda t, m: row_means(t, m).neg().exp().mean().item()),
        "headlines' perplexities",
    ),
    ("mean of words' perplexities", of_words(lambda t, m: t[m].neg().exp().mean().item()), "perplexities of words"),
    ("mean of probabilities", of_words(lambda t, m: 1 / t[m].exp().mean().item()), "not the probabilities"),
    ("most probable word", lambda p, t, m: p.amax(2)[m].mean().neg().exp().item(), "TRUE word"),
    ("whole vocabulary", lambda p, t, m: p[m].mean().neg().exp().item(), "whole vocabulary"),
    ("entropy", lambda p, t, m: (-(p.exp() * p).sum(2))[m].mean().exp().item(), "entropy"),
    ("by id", by_id, "not by the id"),
    ("times the mask", of_words(lambda t, m: math.exp(-(t * m).sum().item() / m.sum().item())), "division by zero"),
    ("a perplexity for each", of_words(lambda t, m: row_means(t, m).neg().exp()), "one number"),
    ("per headline count", of_words(lambda t, m: ((t * m).sum() / len(t)).neg().exp().item()), "headline"),
    ("in place", surprise_in_place, "in place"),
    ("no return", lambda p, t, m: None, "returned None"),
]


def perplexity_by_loops(table, target, mask):
    total, words = 0.0, 0
    for b in range(len(target)):
        for i in range(target.shape[1]):
            if mask[b, i]:
                total, words = total - table[b, i, target[b, i]].item(), words + 1
    return math.exp(total / words)


def perplexity_by_cross_entropy(table, target, mask):
    return nn.functional.cross_entropy(table[mask], target[mask]).exp()


def perplexity_by_nll(table, target, mask):
    return torch.exp(nn.functional.nll_loss(table[mask], target[mask])).item()


def perplexity_by_where(table, target, mask):
    true = torch.take_along_dim(table, target.unsqueeze(-1), dim=-1).squeeze(-1)
    return torch.exp(-torch.where(mask, true, 0.0).sum() / mask.sum())


RIGHT["07.perplexity"] = [perplexity_by_loops, perplexity_by_cross_entropy, perplexity_by_nll, perplexity_by_where]


# 07.next-word


def from_hidden(make):
    """Make an answer whose h is make([E y; …], U, b)."""

    def by(words, encoded, E, U, b, V, W):
        return (make(E[words].flatten(1), U, b) @ V.T + encoded @ W.T).log_softmax(1)

    return by


def of_logits(finish):
    """Make an answer that turns the scores into something else."""

    def by(words, encoded, E, U, b, V, W):
        return finish(torch.tanh(E[words].flatten(1) @ U.T + b) @ V.T + encoded @ W.T)

    return by


def joined_by(join):
    """Make an answer that puts the vectors of the words together in another way."""

    def by(words, encoded, E, U, b, V, W):
        return (torch.tanh(join(E[words]) @ U.T + b) @ V.T + encoded @ W.T).log_softmax(1)

    return by


def where_it_fits(wrong):
    """Make an answer that is wrong where sizes allow it, and right elsewhere."""

    def by(*given):
        try:
            return wrong(*given)
        except RuntimeError:
            return next_word_by_linear(*given)

    return by


def next_word_by_linear(words, encoded, E, U, b, V, W):
    hidden = nn.functional.linear(nn.functional.embedding(words, E).reshape(len(words), -1), U, b).tanh()
    return nn.functional.log_softmax(nn.functional.linear(hidden, V) + nn.functional.linear(encoded, W), dim=-1)


def hidden_of(words, E, U, b):
    return torch.tanh(E[words].flatten(1) @ U.T + b)


def both_by(scores):
    """Make an answer with other scores of h and what was read."""
    return lambda words, e, E, U, b, V, W: scores(hidden_of(words, E, U, b), e, V, W).log_softmax(1)


def changed_weights(words, encoded, E, U, b, V, W):
    result = next_word_by_linear(words, encoded, E, U, b, V, W)
    E *= 0.5
    return result


WRONG["07.next-word"] = [
    ("probabilities", of_logits(lambda z: z.softmax(1)), "take their logarithm"),
    ("scores", of_logits(lambda z: z), "log_softmax makes"),
    ("softmax over the batch", of_logits(lambda z: z.log_softmax(0)), "not over the batch"),
    ("negative", of_logits(lambda z: -z.log_softmax(1)), "sign"),
    ("log of softmax", of_logits(lambda z: z.softmax(1).log()), "log_softmax does not"),
    ("tanh of scores", of_logits(lambda z: z.tanh().log_softmax(1)), "No tanh around the scores"),
    ("words backwards", joined_by(lambda e: e.flip(1).flatten(1)), "the other way"),
    ("numbers first", joined_by(lambda e: e.transpose(1, 2).flatten(1)), "side by side"),
    ("no tanh", from_hidden(lambda x, U, b: x @ U.T + b), "tanh is missing"),
    ("no bias", from_hidden(lambda x, U, b: (x @ U.T).tanh()), "bias b is missing"),
    ("bias outside", from_hidden(lambda x, U, b: (x @ U.T).tanh() + b), "inside the tanh"),
    ("relu", from_hidden(lambda x, U, b: (x @ U.T + b).relu()), "not a ReLU"),
    ("sigmoid", from_hidden(lambda x, U, b: (x @ U.T + b).sigmoid()), "not a sigmoid"),
    ("tanh of vectors", from_hidden(lambda x, U, b: x.tanh() @ U.T + b), "not of the vectors"),
    ("nothing read", lambda w, e, E, U, b, V, W: (hidden_of(w, E, U, b) @ V.T).log_softmax(1), "add W encoded"),
    ("only what was read", lambda w, e, E, U, b, V, W: (e @ W.T).log_softmax(1), "add V h"),
    ("multiplied", both_by(lambda h, e, V, W: (h @ V.T) * (e @ W.T)), "not multiplied"),
    ("V for both", where_it_fits(both_by(lambda h, e, V, W: h @ V.T + e @ V.T)), "used V"),
    ("swapped", where_it_fits(both_by(lambda h, e, V, W: h @ W.T + e @ V.T)), "swapped"),
    ("detached", of_logits(lambda z: z.detach().log_softmax(1)), "gradient"),
    ("in place", changed_weights, "in place"),
    ("no return", lambda *given: None, "returned None"),
]  # fmt: skip


def next_word_by_loops(words, encoded, E, U, b, V, W):
    rows = []
    for ids, read in zip(words, encoded, strict=True):
        context = torch.cat([E[i] for i in ids])
        scores = V @ torch.tanh(U @ context + b) + W @ read
        rows.append(scores - scores.logsumexp(0))
    return torch.stack(rows)


def next_word_by_einsum(words, encoded, E, U, b, V, W):
    parts = U.view(len(U), words.shape[1], E.shape[1])
    hidden = torch.tanh(torch.einsum("bcd,hcd->bh", E[words], parts) + b)
    return torch.log_softmax(torch.cat([hidden, encoded], 1) @ torch.cat([V, W], 1).T, 1)


RIGHT["07.next-word"] = [next_word_by_linear, next_word_by_loops, next_word_by_einsum]


# 07.attentive-window


def zeroed(vectors, mask):
    return vectors.masked_fill(~mask[..., None], 0.0)


def scores_of(query, vectors):
    return (vectors @ query[..., None])[..., 0]


def looks(scores, mask):
    return scores.masked_fill(~mask, -math.inf).softmax(1)


def around(vectors, before, after, divisor, mode="constant"):
    """Sum the vectors from `before` back to `after` ahead of each place."""
    padded = nn.functional.pad(vectors.transpose(1, 2), (before, after), mode=mode)
    return padded.unfold(2, before + after + 1, 1).sum(-1).transpose(1, 2) / divisor


def reading(values):
    """Make an answer with other values: values(word vectors with zeros, window)."""

    def by(query, vectors, mask, window):
        weights = looks(scores_of(query, vectors), mask)
        return (weights[..., None] * values(zeroed(vectors, mask), window)).sum(1), weights

    return by


def looking(weigh):
    """Make an answer with other weights: weigh(query, vectors, mask)."""

    def by(query, vectors, mask, window):
        weights = weigh(query, vectors, mask)
        return (weights[..., None] * even(zeroed(vectors, mask), window)).sum(1), weights

    return by


def even(vectors, window):
    return around(vectors, window, window, 2 * window + 1)


def real_neighbours(vectors, window):
    return even(vectors, window) / even(torch.ones_like(vectors), window)


def repeated(vectors, window):
    return around(vectors, window, window, 2 * window + 1, "replicate")


def leaking(query, vectors, mask, window):
    weights = looks(scores_of(query, vectors), mask)
    return (weights[..., None] * even(vectors, window)).sum(1), weights


def smoothed_keys(query, vectors, mask, window):
    values = even(zeroed(vectors, mask), window)
    weights = looks(scores_of(query, values), mask)
    return (weights[..., None] * values).sum(1), weights


def window_in_place(query, vectors, mask, window):
    vectors *= mask[..., None]
    return reading(even)(query, vectors, mask, window)


def look_right(query, vectors, mask, window):
    return reading(even)(query, vectors, mask, window)


WRONG["07.attentive-window"] = [
    ("words alone", reading(lambda x, Q: x), "words alone"),
    ("sum", reading(lambda x, Q: around(x, Q, Q, 1)), "Divide the sum"),
    ("divided by Q", reading(lambda x, Q: around(x, Q, Q, max(Q, 1))), "you divided by `window`"),
    ("divided by 2 Q", reading(lambda x, Q: around(x, Q, Q, max(2 * Q, 1))), "2 · window."),
    ("real neighbours only", reading(real_neighbours), "Near the ends"),
    ("repeated at the ends", reading(repeated), "do not repeat"),
    ("back only", reading(lambda x, Q: around(x, 2 * Q, 0, 2 * Q + 1)), "reaches back only"),
    ("ahead only", reading(lambda x, Q: around(x, 0, 2 * Q, 2 * Q + 1)), "reaches ahead only"),
    ("too narrow", reading(lambda x, Q: around(x, Q // 2, Q // 2, Q // 2 * 2 + 1)), "too narrow"),
    ("last one lost", reading(lambda x, Q: around(x, Q, Q - (Q > 0), 2 * Q + 1)), "ends before b"),
    ("smoothed twice", reading(lambda x, Q: even(even(x, Q), Q)), "smoothed twice"),
    ("padding leaks", leaking, "Padding leaks"),
    ("keys smoothed, too", smoothed_keys, "before you compared"),
    ("no softmax", looking(lambda q, x, m: scores_of(q, x) * m), "These are the scores"),
    ("softmax over the batch", looking(lambda q, x, m: scores_of(q, x).softmax(0) * m), "not over the batch"),
    ("scaled", looking(lambda q, x, m: looks(scores_of(q, x) / math.sqrt(q.shape[1]), m)), "root of the size"),
    ("negative", looking(lambda q, x, m: looks(-scores_of(q, x), m)), "other way round"),
    ("cosine", looking(lambda q, x, m: looks(nn.functional.cosine_similarity(x, q[:, None], dim=2), m)), "cosine"),
    ("sigmoid", looking(lambda q, x, m: scores_of(q, x).sigmoid() * m), "sigmoid"),
    ("no mask", looking(lambda q, x, m: scores_of(q, x).softmax(1)), "mask is not used"),
    ("zero instead", looking(lambda q, x, m: scores_of(q, zeroed(x, m)).softmax(1)), "not hidden"),
    ("hidden afterwards", looking(lambda q, x, m: scores_of(q, x).softmax(1) * m), "not after it"),
    ("mask upside down", looking(lambda q, x, m: looks(scores_of(q, x), ~m | m.all(1, keepdim=True))), "upside down"),
    ("swapped results", lambda *given: look_right(*given)[::-1], "swapped"),
    ("weights left out", lambda *given: look_right(*given)[0], "Return two tensors"),
    ("detached", lambda *given: (look_right(*given)[0].detach(), look_right(*given)[1]), "gradient"),
    ("in place", window_in_place, "in place"),
    ("no return", lambda *given: None, "returned None"),
]


def look_by_loops(query, vectors, mask, window):
    encoded, rows = [], []
    for q, words, real in zip(query, vectors, mask, strict=True):
        length = int(real.sum())
        p = (words[:length] @ q).softmax(0)
        read = torch.zeros_like(q)
        for j in range(length):
            for k in range(max(0, j - window), min(length, j + window + 1)):
                read = read + p[j] * words[k] / (2 * window + 1)
        encoded.append(read)
        rows.append(torch.cat([p, p.new_zeros(len(words) - length)]))
    return torch.stack(encoded), torch.stack(rows)


def look_with_smoothed_weights(query, vectors, mask, window):
    """To spread the weights is the same as to smooth the words."""
    words = zeroed(vectors, mask)
    p = looks(scores_of(query, words), mask)
    spread = nn.functional.avg_pool1d(p[:, None], 2 * window + 1, 1, window)
    return torch.bmm(spread, words)[:, 0], p


def look_by_cumulated_sums(query, vectors, mask, window):
    words = zeroed(vectors, mask)
    p = looks(scores_of(query, words), mask)
    length = words.shape[1]
    total = torch.cat([torch.zeros_like(words[:, :1]), words.cumsum(1)], dim=1)
    j = torch.arange(length)
    sums = total[:, (j + window + 1).clamp(max=length)] - total[:, (j - window).clamp(min=0)]
    return torch.einsum("bj,bjh->bh", p, sums) / (2 * window + 1), p


RIGHT["07.attentive-window"] = [look_right, look_by_loops, look_with_smoothed_weights, look_by_cumulated_sums]


# 07.rouge-2


def couples(words):
    return list(zip(words, words[1:], strict=False))


def shares(finish, pairs=couples, match=lambda a, b: (Counter(a) & Counter(b)).total()):
    """Make an answer: finish(shared, number of the hypothesis' pairs, of the reference's)."""

    def by(hypothesis, reference):
        ours, theirs = pairs(hypothesis), pairs(reference)
        shared = match(ours, theirs)
        return finish(shared, len(ours), len(theirs)) if shared else 0.0

    return by


def f1(shared, ours, theirs):
    return 2 * shared / (ours + theirs)


def every_pair(words):
    return [(a, b) for i, a in enumerate(words) for b in words[i + 1 :]]


def by_place(ours, theirs):
    return sum(a == b for a, b in zip(ours, theirs, strict=False))


def with_zero_division(hypothesis, reference):
    ours, theirs = couples(hypothesis), couples(reference)
    shared = (Counter(ours) & Counter(theirs)).total()
    precision, recall = shared / len(ours), shared / len(theirs)
    return 2 * precision * recall / (precision + recall)


def sorts_in_place(hypothesis, reference):
    result = rouge_by_counter(hypothesis, reference)
    hypothesis.sort()
    return result


def rouge_by_counter(hypothesis, reference):
    ours, theirs = Counter(couples(hypothesis)), Counter(couples(reference))
    shared = sum((ours & theirs).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / sum(ours.values()), shared / sum(theirs.values())
    return 2 * precision * recall / (precision + recall)


WRONG["07.rouge-2"] = [
    ("precision", shares(lambda s, a, b: s / a), "This is precision"),
    ("recall", shares(lambda s, a, b: s / b), "This is recall"),
    ("plain mean", shares(lambda s, a, b: (s / a + s / b) / 2), "not the plain mean"),
    ("product", shares(lambda s, a, b: s * s / a / b), "not the product"),
    ("without the 2", shares(lambda s, a, b: s / (a + b)), "2 is missing"),
    ("percent", shares(lambda s, a, b: 200 * s / (a + b)), "not percent"),
    ("single words", shares(f1, pairs=list), "ROUGE-1"),
    ("divided by words", shares(lambda s, a, b: 2 * s / (a + b + 2)), "one less than words"),
    ("sets", shares(f1, pairs=lambda w: set(couples(w)), match=lambda a, b: len(a & b)), "sets forget"),
    ("not clipped", shares(f1, match=lambda a, b: sum(pair in b for pair in a)), "the smaller number"),
    ("not clipped, recall", shares(f1, match=lambda a, b: sum(pair in a for pair in b)), "the smaller number"),
    ("shared once", shares(f1, match=lambda a, b: len(set(a) & set(b))), "shared twice"),
    ("without order", shares(f1, pairs=lambda w: [tuple(sorted(p)) for p in couples(w)]), "order within a pair"),
    ("any two words", shares(f1, pairs=every_pair), "NEIGHBOURS"),
    ("place by place", shares(f1, match=by_place), "not place by place"),
    ("share of different pairs", shares(lambda s, a, b: s / (a + b - s)), "all different ones"),
    ("number", shares(lambda s, a, b: float(s)), "make shares"),
    ("letters", shares(f1, pairs=lambda w: couples("".join(w))), "not of letters"),
    ("joined pairs", shares(f1, pairs=lambda w: [a + b for a, b in couples(w)]), "do not join"),
    ("division by zero", with_zero_division, "ZeroDivisionError"),
    ("in place", sorts_in_place, "in place"),
    ("no return", lambda h, r: None, "returned None"),
]  # fmt: skip


def rouge_by_removal(hypothesis, reference):
    left, shared = couples(reference), 0
    for pair in couples(hypothesis):
        if pair in left:
            left.remove(pair)
            shared += 1
    total = max(0, len(hypothesis) - 1) + max(0, len(reference) - 1)
    return 2 * shared / total if total else 0


def rouge_by_dictionaries(hypothesis, reference):
    tables = []
    for words in (hypothesis, reference):
        table = {}
        for i in range(len(words) - 1):
            key = f"{words[i]} {words[i + 1]}"
            table[key] = table.get(key, 0) + 1
        tables.append(table)
    shared = sum(min(count, tables[1].get(key, 0)) for key, count in tables[0].items())
    return torch.tensor(2 * shared / max(1, sum(tables[0].values()) + sum(tables[1].values())))


RIGHT["07.rouge-2"] = [rouge_by_counter, rouge_by_removal, rouge_by_dictionaries]


# 07.extractive-features


def runs_in(words, source):
    """Say whether words stand in the source one after the other."""
    return int(any(list(source[i : i + len(words)]) == words for i in range(len(source) - len(words) + 1)))


def features_by_runs(history, word, source):
    last = history[-1:]
    turned = any(source[j] == word and source[k] in last for k in range(len(source)) for j in range(k))
    return (
        int(word in source),
        runs_in([*last, word], source) if last else 0,
        runs_in([*history[-2:], word], source) if len(history) > 1 else 0,
        int(turned),
    )


def with_feature(place, wrong):
    """Make an answer with another feature at a place."""

    def by(history, word, source):
        features = list(features_by_runs(history, word, source))
        features[place] = int(wrong(history, word, source))
        return tuple(features)

    return by


def first_place_bigram(history, word, source):
    if word not in source or not history:
        return False
    j = source.index(word)
    return j > 0 and source[j - 1] == history[-1]


def circular_bigram(history, word, source):
    return bool(history) and any(source[j] == word and source[j - 1] == history[-1] for j in range(len(source)))


def circular_trigram(history, word, source):
    found = range(len(source))
    return len(history) > 1 and any(
        source[j] == word and source[j - 1] == history[-1] and source[j - 2] == history[-2] for j in found
    )


def first_places_turned(history, word, source):
    if not history or history[-1] not in source or word not in source:
        return False
    return source.index(word) < source.index(history[-1])


def turned_before(last, word, source):
    return any(source[k] == last and word in source[:k] for k in range(len(source)))


def later(history, word, source):
    return bool(history) and any(source[j] == history[-1] and word in source[j + 1 :] for j in range(len(source)))


def not_after(history, word, source):
    return bool(history) and any(source[k] == history[-1] and word in source[: k + 1] for k in range(len(source)))


def counted(history, word, source):
    return (source.count(word), *features_by_runs(history, word, source)[1:])


def without_check_of_the_beginning(history, word, source):
    return features_by_runs([None, *history] if history else [source[0]], word, source)


def features_in_place(history, word, source):
    result = features_by_runs(history, word, source)
    history.append(word)
    return result


WRONG["07.extractive-features"] = [
    ("a substring", with_feature(0, lambda h, w, s: w in " ".join(s)), "whole words"),
    ("history, too", with_feature(0, lambda h, w, s: w in s and set(h) <= set(s)), "alone"),
    ("any word of history", with_feature(0, lambda h, w, s: bool({*h, w} & set(s))), "alone"),
    ("bigram anywhere", with_feature(1, lambda h, w, s: bool(h) and h[-1] in s and w in s), "Both being somewhere"),
    ("bigram backwards", with_feature(1, lambda h, w, s: bool(h) and runs_in([w, h[-1]], s)), "directly"),
    ("bigram, first place only", with_feature(1, first_place_bigram), "not only the first"),
    ("bigram round the end", with_feature(1, circular_bigram), "go round"),
    ("bigram of the first word", with_feature(1, lambda h, w, s: bool(h) and runs_in([h[0], w], s)), "LAST word"),
    ("bigram without history", with_feature(1, lambda h, w, s: runs_in([*h[-1:], w], s)), "no last word"),
    ("trigram anywhere", with_feature(2, lambda h, w, s: len(h) > 1 and {*h[-2:], w} <= set(s)), "one after the other"),
    ("trigram, only two", with_feature(2, lambda h, w, s: bool(h) and runs_in([h[-1], w], s)), "last two"),
    ("trigram, pairwise", with_feature(2, lambda h, w, s: len(h) > 1 and runs_in([h[-1], w], s) and runs_in(h[-2:], s)),
     "each two do"),
    ("trigram, swapped", with_feature(2, lambda h, w, s: len(h) > 1 and runs_in([h[-1], h[-2], w], s)), "trigram"),
    ("trigram of the whole headline", with_feature(2, lambda h, w, s: len(h) > 1 and runs_in([*h, w], s)),
     "before the last two"),
    ("trigram with few words", with_feature(2, lambda h, w, s: runs_in([*h[-2:], w], s)), "no triple"),
    ("trigram round the end", with_feature(2, circular_trigram), "counts from the end"),
    ("reordering ahead", with_feature(3, later), "EARLIER place"),
    ("reordering, neighbours", with_feature(3, lambda h, w, s: bool(h) and runs_in([w, h[-1]], s)),
     "need not be neighbours"),
    ("reordering, first places", with_feature(3, first_places_turned), "Any two places"),
    ("reordering, the same place", with_feature(3, not_after), "not before itself"),
    ("reordering, any word", with_feature(3, lambda h, w, s: any(turned_before(x, w, s) for x in h)),
     "Only the LAST"),
    ("counts", counted, "1 or 0"),
    ("three features", lambda h, w, s: features_by_runs(h, w, s)[:3], "four features"),
    ("in place", features_in_place, "in place"),
    ("no return", lambda h, w, s: None, "returned None"),
]  # fmt: skip


def features_by_places(history, word, source):
    places = {j for j, said in enumerate(source) if said == word}
    last = {j for j, said in enumerate(source) if history and said == history[-1]}
    before = {j for j, said in enumerate(source) if len(history) > 1 and said == history[-2]}
    follows = {j for j in places if j - 1 in last}
    third = {j for j in follows if j - 2 in before}
    turned = bool(places) and bool(last) and min(places) < max(last)
    return [bool(places), bool(follows), bool(third), turned]


def features_by_sets(history, word, source):
    pairs = set(couples(source))
    triples = set(zip(source, source[1:], source[2:], strict=False))
    late = [k for k, said in enumerate(source) if said in history[-1:]]
    return torch.tensor(
        [word in source, (*history[-1:], word) in pairs, (*history[-2:], word) in triples,
         bool(late) and word in source[: late[-1]]]
    ).long()  # fmt: skip


RIGHT["07.extractive-features"] = [features_by_runs, features_by_places, features_by_sets]


# 07.copy-mixture


def copies(generated, weights, source):
    return torch.zeros_like(generated).scatter_add(1, source, weights)


def mixture(mix):
    """Make an answer: mix(g as (batch, 1), generated, copied)."""
    return lambda p, a, source, g: mix(g[:, None], p, copies(p, a, source))


def copying(copy):
    """Make an answer that copies in another way: copy(generated, weights, source)."""
    return lambda p, a, source, g: g[:, None] * p + (1 - g[:, None]) * copy(p, a, source)


def assigned(p, a, source):
    copied = torch.zeros_like(p)
    for j in range(source.shape[1]):
        copied[torch.arange(len(p)), source[:, j]] = a[:, j]
    return copied


def largest(p, a, source):
    return torch.zeros_like(p).scatter_reduce(1, source, a, "amax")


def averaged(p, a, source):
    return torch.zeros_like(p).scatter_reduce(1, source, a, "mean", include_self=False)


def counts(p, a, source):
    return nn.functional.one_hot(source, p.shape[1]).sum(1) / source.shape[1]


def first_ids(p, a, source):
    longer = nn.functional.pad(a, (0, max(0, p.shape[1] - a.shape[1])))
    return longer[:, : p.shape[1]]


def no_id_zero(p, a, source):
    return copies(p, a * (source != 0), source)


def first_text(p, a, source):
    return copies(p, a, source[:1].expand_as(source))


def mixed_in_place(p, a, source, g):
    p *= g[:, None]
    return p.scatter_add(1, source, (1 - g[:, None]) * a)


WRONG["07.copy-mixture"] = [
    ("gate the other way", mixture(lambda g, p, c: (1 - g) * p + g * c), "other way round"),
    ("no gate", mixture(lambda g, p, c: p + c), "gate is not used"),
    ("halves", mixture(lambda g, p, c: (p + c) / 2), "gate is not used"),
    ("copying ungated", mixture(lambda g, p, c: g * p + c), "Copying has the share"),
    ("writing ungated", mixture(lambda g, p, c: p + (1 - g) * c), "Writing has the share"),
    ("one gate for both", mixture(lambda g, p, c: g * (p + c)), "Both have the share g"),
    ("writing only", mixture(lambda g, p, c: g * p), "Only writing"),
    ("copying only", mixture(lambda g, p, c: (1 - g) * c), "Only copying"),
    ("softmax", mixture(lambda g, p, c: (g * p + (1 - g) * c).softmax(1)), "No softmax"),
    ("sigmoid of the gate", mixture(lambda g, p, c: g.sigmoid() * p + (1 - g.sigmoid()) * c), "no sigmoid"),
    ("logarithms", mixture(lambda g, p, c: (g * p + (1 - g) * c).log()), "not their logarithms"),
    ("larger one", mixture(lambda g, p, c: torch.maximum(g * p, (1 - g) * c)), "not the likelier"),
    ("mean gate", mixture(lambda g, p, c: g.mean() * p + (1 - g.mean()) * c), "one for all"),
    ("assigned", copying(assigned), "scatter_add adds"),
    ("largest weight", copying(largest), "not the largest"),
    ("mean weight", copying(averaged), "not their mean"),
    ("counted", copying(counts), "not how often"),
    ("first ids", copying(first_ids), "not to the first ids"),
    ("id 0 left out", copying(no_id_zero), "TOGETHER"),
    ("words of the first text", copying(first_text), "those of the first"),
    ("gate not broadcast", lambda p, a, s, g: g * p + (1 - g) * copies(p, a, s), "RuntimeError"),
    ("weights detached", copying(lambda p, a, s: copies(p, a.detach(), s)), "No gradient reaches attention_weights"),
    ("gate detached", lambda p, a, s, g: copying(copies)(p, a, s, g.detach()), "No gradient reaches gate"),
    ("in place", mixed_in_place, "in place"),
    ("no return", lambda *given: None, "returned None"),
]


def mixture_by_loops(generated, weights, source, gate):
    rows = []
    for p, a, ids, g in zip(generated, weights, source, gate, strict=True):
        row = [g * share for share in p]
        for share, word in zip(a, ids.tolist(), strict=True):
            row[word] = row[word] + (1 - g) * share
        rows.append(torch.stack(row))
    return torch.stack(rows)


def mixture_by_one_hot(generated, weights, source, gate):
    words = nn.functional.one_hot(source, generated.shape[1]).to(generated)
    return torch.lerp(torch.einsum("bj,bjv->bv", weights, words), generated, gate[:, None])


def mixture_by_index_put(generated, weights, source, gate):
    rows = torch.arange(len(source))[:, None].expand_as(source)
    written = generated * gate.unsqueeze(-1)
    return written.index_put((rows, source), weights * (1 - gate).unsqueeze(-1), accumulate=True)


RIGHT["07.copy-mixture"] = [mixture_by_loops, mixture_by_one_hot, mixture_by_index_put]


# 07.support-share


def shared_out(inside, chance=None, keep=bool, finish=lambda total, number: total / number):
    """Make an answer: inside(row, places) for each kept word, and chance(places, source words)."""
    chance = chance or (lambda places, length: len(places) / length)

    def by(weights, support):
        rows = [(row, sorted(places)) for row, places in zip(weights, support, strict=True) if keep(places)]
        mass = finish(sum(float(inside(row, places)) for row, places in rows), len(rows))
        return mass, finish(sum(chance(places, weights.shape[1]) for _, places in rows), len(rows))

    return by


def inner(row, places):
    return row[places].sum()


def share_right(weights, support):
    return shared_out(inner)(weights, support)


def rows_not_kept(weights, support):
    kept = [sorted(places) for places in support if places]
    mass = sum(float(row[places].sum()) for row, places in zip(weights, kept, strict=False)) / len(kept)
    return mass, share_right(weights, support)[1]


def stops_early(weights, support):
    number = next((i for i, places in enumerate(support) if not places), len(support)) or len(support)
    return share_right(weights[:number], support[:number])


def joined_support(weights, support):
    mass, _ = share_right(weights, support)
    return mass, len(frozenset().union(*support)) / weights.shape[1]


def over_places(weights, support):
    mass, chance = share_right(weights, support)
    words = sum(map(bool, support))
    return mass * words / sum(map(len, support)), chance


def share_in_place(weights, support):
    result = share_right(weights, support)
    weights[:] = 0
    return result


def everything(places):
    return True


WRONG["07.support-share"] = [
    ("sum", shared_out(inner, finish=lambda total, number: total), "you added them up"),
    ("largest", shared_out(lambda row, places: row[places].max()), "you took the largest"),
    ("first place", shared_out(lambda row, places: row[places[0]]), "first place"),
    ("mean of a support", shared_out(lambda row, places: row[places].mean()), "you took their mean"),
    ("mean over places", over_places, "all supporting places"),
    ("outside", shared_out(lambda row, places: 1 - row[places].sum()), "OUTSIDE"),
    ("largest weight inside", shared_out(lambda row, places: int(row.argmax()) in places), "not whether"),
    ("percent", lambda w, s: tuple(100 * x for x in share_right(w, s)), "not percent"),
    ("counted from 1", shared_out(lambda row, places: row[[p - 1 for p in places]].sum()), "counted from 0"),
    ("divided by source words", lambda w, s: (share_right(w, s)[0] * len(w) / w.shape[1], share_right(w, s)[1]),
     "not by that of source words"),
    ("a miss", shared_out(inner, keep=everything), "counted it as a miss"),
    ("a hit", shared_out(lambda row, places: row[places].sum() if places else 1.0, keep=everything), "as a hit"),
    ("rows shifted", rows_not_kept, "keep their own rows"),
    ("stopped", stops_early, "stopped at the first"),
    ("chance of one word", shared_out(inner, lambda places, length: 1 / length), "More than one word"),
    ("chance is mass", lambda w, s: (share_right(w, s)[0],) * 2, "does not depend on the weights"),
    ("chance by headline words", lambda w, s: (share_right(w, s)[0], share_right(w, s)[1] * w.shape[1] / len(w)),
     "number of SOURCE words"),
    ("chance as a number", shared_out(inner, lambda places, length: len(places)),
     "divide by the number of source words"),
    ("chance outside", shared_out(inner, lambda places, length: 1 - len(places) / length), "share outside"),
    ("chance joined", joined_support, "you joined them all"),
    ("swapped", lambda w, s: share_right(w, s)[::-1], "swapped"),
    ("one number", lambda w, s: share_right(w, s)[0], "Return two numbers"),
    ("in place", share_in_place, "in place"),
    ("no return", lambda w, s: None, "returned None"),
]  # fmt: skip


def share_by_mask(weights, support):
    inside = torch.zeros_like(weights)
    for row, places in zip(inside, support, strict=True):
        row[list(places)] = 1
    stated = inside.any(dim=1)
    return (weights * inside).sum(1)[stated].mean(), inside[stated].mean()


def share_by_loops(weights, support):
    mass = chance = words = 0
    for i, places in enumerate(support):
        if len(places) == 0:
            continue
        words += 1
        chance += len(places)
        for j in places:
            mass += weights[i, j].item()
    return [mass / words, chance / (words * weights.shape[1])]


RIGHT["07.support-share"] = [share_right, share_by_mask, share_by_loops]
