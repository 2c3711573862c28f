"""Answers to the exercises of lesson 2.

WRONG: (name, answer, a piece of the hint that it must get); RIGHT: answers in other styles.
"""

import heapq
import math
import random

import numpy
import torch
from torch import nn

WRONG, RIGHT = {}, {}


# 02.additive-score


def score(query, outputs, W, U, v):
    return torch.tanh((query @ W.T)[:, None, :] + outputs @ U.T) @ v


def score_detached_encoder(query, outputs, W, U, v):
    return score(query, outputs.detach(), W, U, v)


def score_without_gradient(query, outputs, W, U, v):
    with torch.no_grad():
        return score(query, outputs, W, U, v)


def score_by_numpy(query, outputs, W, U, v):
    query, outputs, W, U, v = (array.detach().numpy() for array in (query, outputs, W, U, v))
    return torch.from_numpy(numpy.tanh((query @ W.T)[:, None] + outputs @ U.T) @ v)


def score_with_items(query, outputs, W, U, v):
    rows = []
    for s, sentence in zip(query, outputs, strict=True):
        rows.append([torch.dot(v, torch.tanh(W @ s + U @ h)).item() for h in sentence])
    return torch.tensor(rows)


def score_by_the_first_sentence(query, outputs, W, U, v):
    return torch.tanh(query[0] @ W.T + outputs @ U.T) @ v


def score_scaling_the_outputs(query, outputs, W, U, v):
    result = score(query, outputs, W, U, v)
    outputs *= 0.5
    return result


def score_without_return(query, outputs, W, U, v):
    score(query, outputs, W, U, v)


WRONG["02.additive-score"] = [
    ("no tanh", lambda s, h, W, U, v: ((s @ W.T)[:, None] + h @ U.T) @ v, "tanh is missing"),
    ("tanh after v", lambda s, h, W, U, v: torch.tanh(((s @ W.T)[:, None] + h @ U.T) @ v), "comes too late"),
    ("two tanhs", lambda s, h, W, U, v: ((s @ W.T).tanh()[:, None] + (h @ U.T).tanh()) @ v, "one tanh to the sum"),
    ("sigmoid", lambda s, h, W, U, v: torch.sigmoid((s @ W.T)[:, None] + h @ U.T) @ v, "not with a sigmoid"),
    ("relu", lambda s, h, W, U, v: torch.relu((s @ W.T)[:, None] + h @ U.T) @ v, "not with a sigmoid or a ReLU"),
    ("W and U swapped", lambda s, h, W, U, v: score(s, h, U, W, v), "W and U are swapped"),
    ("W transposed", lambda s, h, W, U, v: torch.tanh((s @ W)[:, None] + h @ U.T) @ v, "matrix transposed"),
    ("both transposed", lambda s, h, W, U, v: torch.tanh((s @ W)[:, None] + h @ U) @ v, "matrix transposed"),
    ("dot product", lambda s, h, W, U, v: (s[:, None] * h).sum(-1), "dot-product attention"),
    ("projected dot product", lambda s, h, W, U, v: (h @ U.T @ (s @ W.T)[:, :, None])[..., 0], "dot-product attention"),
    ("product for sum", lambda s, h, W, U, v: torch.tanh((s @ W.T)[:, None] * (h @ U.T)) @ v, "multiplied W s by U h"),
    ("no v", lambda s, h, W, U, v: torch.tanh((s @ W.T)[:, None] + h @ U.T).sum(-1), "by v before you add"),
    ("mean for sum", lambda s, h, W, U, v: (torch.tanh((s @ W.T)[:, None] + h @ U.T) * v).mean(-1), "took their mean"),
    ("no query", lambda s, h, W, U, v: torch.tanh(h @ U.T) @ v, "query is missing"),
    ("no source axis", lambda s, h, W, U, v: torch.tanh(s @ W.T + h @ U.T) @ v, "give it a source axis"),
    ("first query for all", score_by_the_first_sentence, "first sentence's query"),
    (
        "first source for all",
        lambda s, h, W, U, v: torch.tanh((s @ W.T)[:, None] + h[0] @ U.T) @ v,
        "first sentence's enc",
    ),
    ("mean query", lambda s, h, W, U, v: torch.tanh(s.mean(0) @ W.T + h @ U.T) @ v, "mixed them over the batch"),
    ("softmax included", lambda *inputs: score(*inputs).softmax(-1), "leave the softmax"),
    ("scaled", lambda s, h, W, U, v: score(s, h, W, U, v) / math.sqrt(len(v)), "not scaled"),
    ("detached", lambda *inputs: score(*inputs).detach(), "No gradient flows back"),
    ("encoder detached", score_detached_encoder, "No gradient reaches encoder_outputs"),
    ("query detached", lambda s, h, W, U, v: score(s.detach(), h, W, U, v), "No gradient reaches query"),
    ("no_grad", score_without_gradient, "No gradient flows back"),
    ("numpy", score_by_numpy, "No gradient flows back"),
    ("items", score_with_items, "No gradient flows back"),
    ("spoils an input", score_scaling_the_outputs, "in place"),
    ("positions first", lambda *inputs: score(*inputs).T, "(batch, source_length)"),
    ("extra dimension", lambda *inputs: score(*inputs)[..., None], "(batch, source_length)"),
    ("no return", score_without_return, "returned None"),
    ("a typed answer", lambda s, h, W, U, v: torch.tensor([[0.76, 0.96]]), "(batch, source_length)"),
]


def score_by_loops(query, outputs, W, U, v):
    rows = []
    for s, sentence in zip(query, outputs, strict=True):
        rows.append(torch.stack([torch.dot(v, torch.tanh(W @ s + U @ h)) for h in sentence]))
    return torch.stack(rows)


def score_by_einsum(query, outputs, W, U, v):
    hidden = torch.einsum("aq,bq->ba", W, query).unsqueeze(1) + torch.einsum("ad,bjd->bja", U, outputs)
    return torch.einsum("a,bja->bj", v, hidden.tanh())


def score_by_linear(query, outputs, W, U, v):
    hidden = nn.functional.linear(query, W).unsqueeze(1) + nn.functional.linear(outputs, U)
    return nn.functional.linear(torch.tanh(hidden), v.unsqueeze(0)).squeeze(-1)


def score_by_concatenation(query, outputs, W, U, v):
    both = torch.cat([query.unsqueeze(1).expand(-1, outputs.shape[1], -1), outputs], dim=-1)
    return (torch.tanh(both @ torch.cat([W, U], dim=1).T) * v).sum(-1)


RIGHT["02.additive-score"] = [score, score_by_loops, score_by_einsum, score_by_linear, score_by_concatenation]


# 02.masked-softmax


def masked_by_number(number):
    return lambda scores, mask: scores.masked_fill(~mask, number).softmax(-1)


def softmax_by_hand(scores, mask):
    positive = scores.exp() * mask
    return positive / positive.sum(-1, keepdim=True)


def softmax_shifted_by_padding(scores, mask):
    positive = (scores - scores.amax(-1, keepdim=True)).exp() * mask
    return positive / positive.sum(-1, keepdim=True)


def softmax_in_place(scores, mask):
    scores[~mask] = -math.inf
    return scores.softmax(-1)


def softmax_from_list(scores, mask):
    return torch.tensor(scores.masked_fill(~mask, -math.inf).tolist()).softmax(-1)


def softmax_of_the_first_mask(scores, mask):
    return scores.masked_fill(~mask[0], -math.inf).softmax(-1)


def linear_share(scores, mask):
    hidden = scores * mask
    return hidden / hidden.sum(-1, keepdim=True)


def softmax_packed(scores, mask):
    return torch.cat([row[real].softmax(0) for row, real in zip(scores, mask, strict=True)])


WRONG["02.masked-softmax"] = [
    ("no mask", lambda scores, mask: scores.softmax(-1), "mask is not used"),
    ("mask upside down", lambda scores, mask: scores.masked_fill(mask, -math.inf).softmax(-1), "upside down"),
    ("-10 for minus infinity", masked_by_number(-10.0), "not minus infinity"),
    ("-100 for minus infinity", masked_by_number(-100.0), "padding beats them"),
    ("-10000 for minus infinity", masked_by_number(-1e4), "padding beats them"),
    ("zero for minus infinity", masked_by_number(0.0), "0 is not hidden"),
    ("tiny positive number", masked_by_number(1e-9), "0 is not hidden"),
    ("mask after the softmax", lambda scores, mask: scores.softmax(-1) * mask, "do not sum to one"),
    ("mask times the scores", lambda scores, mask: (scores * mask).softmax(-1), "0 is not hidden"),
    ("adds the mask", lambda scores, mask: (scores + mask).softmax(-1), "padding beats them"),
    ("a penalty is added", lambda scores, mask: (scores - 1000.0 * ~mask).softmax(-1), "padding beats them"),
    ("over the batch", lambda scores, mask: scores.masked_fill(~mask, -math.inf).softmax(0), "over the batch"),
    ("over everything", lambda s, m: s.masked_fill(~m, -math.inf).flatten().softmax(0).view_as(s), "at once"),
    ("logarithm", lambda scores, mask: scores.masked_fill(~mask, -math.inf).log_softmax(-1), "logarithms"),
    ("exp overflows", softmax_by_hand, "exp overflows"),
    ("shifted by the padding", softmax_shifted_by_padding, "NaN"),
    ("renormalised late", lambda s, m: nn.functional.normalize(s.softmax(-1) * m, p=1, dim=-1), "padding beats them"),
    ("no exponential", linear_share, "plain softmax"),
    ("evenly", lambda scores, mask: mask / mask.sum(-1, keepdim=True), "plain softmax"),
    (
        "hardmax",
        lambda s, m: nn.functional.one_hot(s.masked_fill(~m, -math.inf).argmax(-1), 4).float(),
        "plain softmax",
    ),
    ("first mask for all", softmax_of_the_first_mask, "a little weight"),
    ("in place", softmax_in_place, "in place"),
    ("detached", lambda s, m: s.detach().masked_fill(~m, -math.inf).softmax(-1), "No gradient flows back"),
    ("through a list", softmax_from_list, "No gradient flows back"),
    ("padding cut away", softmax_packed, "(batch, source_length)"),
    ("a typed answer", lambda scores, mask: torch.tensor([[0.5, 0.5, 0.0]]), "(batch, source_length)"),
    ("no return", lambda scores, mask: None, "returned None"),
]


def softmax_by_rows(scores, mask):
    weights = torch.zeros_like(scores)
    for row in range(len(scores)):
        weights[row, mask[row]] = torch.softmax(scores[row, mask[row]], dim=0)
    return weights


def softmax_stable_by_hand(scores, mask):
    hidden = torch.where(mask, scores, -math.inf)
    positive = torch.exp(hidden - hidden.amax(dim=1, keepdim=True))
    return positive / positive.sum(dim=1, keepdim=True)


RIGHT["02.masked-softmax"] = [
    softmax_by_rows,
    softmax_stable_by_hand,
    masked_by_number(-1e9),  # exactly zero in single precision, whatever a network scores
    masked_by_number(torch.finfo(torch.float32).min),
    lambda scores, mask: nn.functional.softmax(torch.where(mask, scores, float("-inf")), dim=1),
    lambda scores, mask: (scores + mask.log()).softmax(-1),
    lambda scores, mask: scores.masked_fill(mask.logical_not(), -math.inf).log_softmax(1).exp(),
    lambda scores, mask: torch.masked.softmax(scores, 1, mask=mask),
]


# 02.context


def average(weights, values):
    return torch.einsum("bj,bjd->bd", weights, values)


def average_changing_values(weights, values):
    values *= weights.unsqueeze(-1)
    return values.sum(dim=1)


def average_without_last(weights, values):
    return average(weights[:, :-1], values[:, :-1])


def average_without_gradient(weights, values):
    return torch.tensor(average(weights, values).tolist())


WRONG["02.context"] = [
    ("mean of products", lambda a, h: (a[..., None] * h).mean(1), "do not divide by the length"),
    ("plain mean", lambda a, h: h.mean(1), "plain mean"),
    ("plain sum", lambda a, h: h.sum(1), "plain sum"),
    ("the best value", lambda a, h: h[torch.arange(len(h)), a.argmax(1)], "largest weight"),
    ("largest product", lambda a, h: (a[..., None] * h).amax(1), "largest product"),
    ("second softmax", lambda a, h: average(a.softmax(1), h), "a second one"),
    ("not added up", lambda a, h: a[..., None] * h, "not added up yet"),
    ("summed over the sizes", lambda a, h: (a[..., None] * h).sum(-1), "over the sizes of a vector"),
    ("summed over the batch", lambda a, h: (a[..., None] * h).sum(0), "over the batch"),
    ("dimension kept", lambda a, h: a[:, None] @ h, "size 1 left over"),
    ("squeezes too much", lambda a, h: (a[:, None] @ h).squeeze(), "squeeze() drops"),
    ("first sentence's values", lambda a, h: a @ h[0], "values of the first"),
    ("first sentence's weights", lambda a, h: (a[0][:, None] * h).sum(1), "weights of the first"),
    ("values mixed", lambda a, h: a @ h.mean(0), "mixed over the batch"),
    ("weights at the vector's entries", lambda a, h: (a[:, None] * h).sum(1), "unsqueeze(-1)"),
    ("no new axis", lambda a, h: (a * h).sum(1), "unsqueeze(-1)"),
    ("matmul over the batch", lambda a, h: a @ h, "(batch, value_size)"),
    ("last position lost", average_without_last, "its own weight"),
    ("in place", average_changing_values, "in place"),
    ("weights detached", lambda a, h: average(a.detach(), h), "No gradient reaches attention_weights"),
    ("values detached", lambda a, h: average(a, h.detach()), "No gradient reaches values"),
    ("through a list", average_without_gradient, "No gradient flows back"),
    ("a typed answer", lambda a, h: torch.tensor([[2.5, 3.5]]), "(batch, value_size)"),
]


def average_by_loops(weights, values):
    sentences = []
    for a, h in zip(weights, values, strict=True):
        total = torch.zeros(h.shape[1])
        for j in range(len(a)):
            total = total + a[j] * h[j]
        sentences.append(total)
    return torch.stack(sentences)


RIGHT["02.context"] = [
    average,
    average_by_loops,
    lambda a, h: torch.bmm(a.unsqueeze(1), h).squeeze(1),
    lambda a, h: (h.transpose(1, 2) @ a.unsqueeze(2))[..., 0],
    lambda a, h: torch.stack([weights @ values for weights, values in zip(a, h, strict=True)]),
    lambda a, h: a[:, :, None].mul(h).sum(1),
]


# 02.maxout


def pairs(features):
    return features.unflatten(-1, (-1, 2))


def maxout_of_the_rows(features):
    return features.reshape(2, -1, features.shape[-1]).amax(0)


def maxout_from_zero(features):
    result = torch.zeros(*features.shape[:-1], features.shape[-1] // 2)
    for i in range(result.shape[-1]):
        for j in (2 * i, 2 * i + 1):
            result[..., i] = torch.maximum(result[..., i].clone(), features[..., j])
    return result


def maxout_in_place(features):
    features[..., ::2] = torch.maximum(features[..., ::2].clone(), features[..., 1::2].clone())
    return features[..., ::2]


def maxout_of_two_dimensions(features):
    return torch.stack([features[:, 2 * i : 2 * i + 2].amax(1) for i in range(features.shape[1] // 2)], dim=1)


WRONG["02.maxout"] = [
    ("halves", lambda x: torch.maximum(*x.chunk(2, dim=-1)), "two halves"),
    ("reshaped into halves", lambda x: x.unflatten(-1, (2, -1)).amax(-2), "two halves"),
    ("minimum", lambda x: pairs(x).amin(-1), "smaller of each pair"),
    ("mean", lambda x: pairs(x).mean(-1), "mean of each pair"),
    ("sum", lambda x: pairs(x).sum(-1), "added each pair up"),
    ("first of each pair", lambda x: x[..., ::2], "one place of each pair"),
    ("second of each pair", lambda x: x[..., 1::2], "one place of each pair"),
    ("one maximum", lambda x: x.amax(-1), "one maximum of the whole"),
    ("one maximum, kept", lambda x: x.amax(-1, keepdim=True), "one maximum of the whole"),
    ("positions", lambda x: pairs(x).argmax(-1), "places of the maxima"),
    ("values with places", lambda x: pairs(x).max(-1), "Return a torch tensor"),
    ("by absolute size", lambda x: pairs(x).abs().amax(-1), "with their signs"),
    ("relu", lambda x: pairs(x).amax(-1).relu(), "no ReLU here"),
    ("starts from zero", maxout_from_zero, "no ReLU here"),
    ("largest half", lambda x: x.topk(x.shape[-1] // 2).values, "wherever they stood"),
    ("overlapping windows", lambda x: torch.maximum(x[..., :-1], x[..., 1:]), "(…, size)"),
    ("pairs of rows", maxout_of_the_rows, "(…, size)"),
    ("two dimensions only", maxout_of_two_dimensions, "shape"),
    ("smooth maximum", lambda x: pairs(x).logsumexp(-1), "entries 2i and 2i + 1"),
    ("detached", lambda x: pairs(x).detach().amax(-1), "No gradient flows back"),
    (
        "straight-through",
        lambda x: pairs(x).sum(-1) + (pairs(x).amax(-1) - pairs(x).sum(-1)).detach(),
        "gradient of feat",
    ),
    ("in place", maxout_in_place, "in place"),
    ("a typed answer", lambda x: torch.tensor([3.0, 2.0]), "(…, size)"),
]


def maxout_by_loop(features):
    size = features.shape[-1] // 2
    return torch.stack([torch.maximum(features[..., 2 * i], features[..., 2 * i + 1]) for i in range(size)], dim=-1)


RIGHT["02.maxout"] = [
    maxout_by_loop,
    lambda x: torch.maximum(x[..., ::2], x[..., 1::2]),
    lambda x: x.reshape(*x.shape[:-1], x.shape[-1] // 2, 2).max(dim=-1).values,
    lambda x: nn.functional.max_pool1d(x.reshape(1, -1, x.shape[-1]), 2).reshape(*x.shape[:-1], -1),
    lambda x: torch.where(x[..., ::2] > x[..., 1::2], x[..., ::2], x[..., 1::2]),
    lambda x: x.unfold(-1, 2, 2).amax(-1),
]


# 02.greedy


def greedy(step, begin, end, state, max_length):
    words, word = [], begin
    while len(words) < max_length:
        log_probabilities, state = step(word, state)
        word = log_probabilities.argmax().item()
        if word == end:
            return words
        words.append(word)
    return words


def greedy_with_end(step, begin, end, state, max_length):
    words, word = [], begin
    for _ in range(max_length):
        log_probabilities, state = step(word, state)
        word = int(log_probabilities.argmax())
        words.append(word)
        if word == end:
            break
    return words


def greedy_with_begin(step, begin, end, state, max_length):
    return [begin, *greedy(step, begin, end, state, max_length)]


def greedy_with_both(step, begin, end, state, max_length):
    return [begin, *greedy_with_end(step, begin, end, state, max_length)]


def greedy_forgetting_the_state(step, begin, end, state, max_length):
    return greedy(lambda word, _: step(word, state), begin, end, state, max_length)


def greedy_from_begin_each_time(step, begin, end, state, max_length):
    return greedy(lambda _, state: step(begin, state), begin, end, state, max_length)


def greedy_one_too_many(step, begin, end, state, max_length):
    return greedy(step, begin, end, state, max_length + 1)


def greedy_one_too_few(step, begin, end, state, max_length):
    return greedy(step, begin, end, state, max_length - 1)


def greedy_without_limit(step, begin, end, state, max_length):
    return greedy(step, begin, end, state, math.inf)


def greedy_never_stopping(step, begin, end, state, max_length):
    words, word = [], begin
    for _ in range(max_length):
        log_probabilities, state = step(word, state)
        word = int(log_probabilities.argmax())
        words.append(word)
    return words


def greedy_skipping_the_end(step, begin, end, state, max_length):
    return [word for word in greedy_never_stopping(step, begin, end, state, max_length) if word != end]


def greedy_cut_afterwards(step, begin, end, state, max_length):
    words = greedy_never_stopping(step, begin, end, state, max_length)
    return words[: words.index(end)] if end in words else words


def greedy_by(choose):
    def answer(step, begin, end, state, max_length):
        words, word = [], begin
        for _ in range(max_length):
            log_probabilities, state = step(word, state)
            word = int(choose(log_probabilities))
            if word == end:
                break
            words.append(word)
        return words

    return answer


def greedy_ending_at_zero(step, begin, end, state, max_length):
    return greedy(step, begin, 0, state, max_length)


def greedy_dropping_zero(step, begin, end, state, max_length):
    return [word for word in greedy(step, begin, end, state, max_length) if word]


def greedy_ending_at_begin(step, begin, end, state, max_length):
    return greedy(step, begin, begin, state, max_length)


def greedy_dropping_the_first(step, begin, end, state, max_length):
    return greedy(step, begin, end, state, max_length)[1:]


def greedy_without_repeats(step, begin, end, state, max_length):
    return list(dict.fromkeys(greedy(step, begin, end, state, max_length)))


def greedy_with_one_step(step, begin, end, state, max_length):
    log_probabilities, state = step(begin, state)
    return log_probabilities.topk(3).indices.tolist()


def greedy_starting_at_end(step, begin, end, state, max_length):
    return greedy(step, end, end, state, max_length)


def greedy_as_tensor(*inputs):
    return torch.tensor(greedy(*inputs))


WRONG["02.greedy"] = [
    ("end included", greedy_with_end, "leave it out of the list"),
    ("begin included", greedy_with_begin, "begin is not a word"),
    ("both included", greedy_with_both, "begin and end are not words"),
    ("state forgotten", greedy_forgetting_the_state, "step returns a new state"),
    ("begin at each step", greedy_from_begin_each_time, "first call alone gets begin"),
    ("end as the first word", greedy_starting_at_end, "first call of step gets begin"),
    ("one too many", greedy_one_too_many, "return the first 1 word"),
    ("one too few", greedy_one_too_few, "return the first 1 word"),
    ("no limit", greedy_without_limit, "does not stop"),
    ("ignores the end", greedy_never_stopping, "Stop at the first end symbol"),
    ("end taken out of the list only", greedy_skipping_the_end, "Stop at the first end symbol"),
    ("cut after all calls", greedy_cut_afterwards, "leave the loop at the end symbol"),
    ("least probable", greedy_by(torch.argmin), "the largest, not the smallest"),
    ("second best", greedy_by(lambda row: row.topk(2).indices[1]), "Take the argmax"),
    ("drawn at random", greedy_by(lambda row: torch.multinomial(row.exp(), 1)), "nothing at random"),
    ("random.choices", greedy_by(lambda row: random.choices(range(len(row)), row.exp().tolist())[0]), "at random"),
    ("the log probability itself", greedy_by(torch.max), "Take the argmax"),
    ("end is 0", greedy_ending_at_zero, "id `end`"),
    ("end is begin", greedy_ending_at_begin, "went on after the end symbol"),
    ("word 0 dropped", greedy_dropping_zero, "word with the id 0"),
    ("first word dropped", greedy_dropping_the_first, "lost the first word"),
    ("no word twice", greedy_without_repeats, "came a second time"),
    ("a single step", greedy_with_one_step, "Take the argmax"),
    ("a tensor", greedy_as_tensor, "Return a list"),
    ("a typed answer", lambda *inputs: [3, 2], "Expected"),
    ("no return", lambda *inputs: None, "returned None"),
]


def greedy_recursive(step, begin, end, state, max_length):
    if max_length == 0:
        return []
    log_probabilities, state = step(begin, state)
    word = int(log_probabilities.argmax())
    return [] if word == end else [word, *greedy_recursive(step, word, end, state, max_length - 1)]


def greedy_by_history(step, begin, end, state, max_length):
    words = [begin]
    while len(words) <= max_length and (len(words) == 1 or words[-1] != end):
        row, state = step(words[-1], state)
        words += [max(range(len(row)), key=row.tolist().__getitem__)]
    return [word for word in words[1:] if word != end]


def greedy_by_generator(step, begin, end, state, max_length):
    def words():
        nonlocal state
        word = torch.tensor(begin)
        for _ in range(max_length):
            row, state = step(word, state)
            word = row.topk(1).indices[0]
            if word == end:
                return
            yield word

    return [int(word) for word in words()]


RIGHT["02.greedy"] = [
    greedy,
    greedy_recursive,
    greedy_by_history,
    greedy_by_generator,
    greedy_by(lambda row: numpy.argmax(row.numpy())),
    greedy_by(lambda row: row.sort(descending=True).indices[0]),
]


# 02.beam-step


def beam_step(beam_scores, log_probabilities, k):
    return beam_step_of(beam_scores[:, None] + log_probabilities, k)


def beam_step_of(table, k):
    scores, index = table.flatten().topk(k)
    return index // table.shape[1], index % table.shape[1], scores


def best_of_each_beam(beam_scores, log_probabilities, k):
    totals, words = (beam_scores[:, None] + log_probabilities).max(dim=1)
    scores, parents = totals.topk(min(k, len(totals)))
    return parents, words[parents], scores


def top_of_each_beam(beam_scores, log_probabilities, k):
    values, words = log_probabilities.topk(1 + (k - 1) // len(beam_scores), dim=1)
    totals = (beam_scores[:, None] + values).flatten()
    scores, index = totals.topk(k)
    return index // words.shape[1], words.flatten()[index], scores


def divides_by_the_beam(beam_scores, log_probabilities, k):
    _, _, scores = beam_step(beam_scores, log_probabilities, k)
    index = (beam_scores[:, None] + log_probabilities).flatten().topk(k).indices
    return index // len(beam_scores), index % len(beam_scores), scores


def fractions(beam_scores, log_probabilities, k):
    scores, index = (beam_scores[:, None] + log_probabilities).flatten().topk(k)
    return index / log_probabilities.shape[1], index % log_probabilities.shape[1], scores


def swapped(beam_scores, log_probabilities, k):
    parents, words, scores = beam_step(beam_scores, log_probabilities, k)
    return words, parents, scores


def scores_first(beam_scores, log_probabilities, k):
    parents, words, scores = beam_step(beam_scores, log_probabilities, k)
    return scores, parents, words


def transposed(beam_scores, log_probabilities, k):
    scores, index = (beam_scores[:, None] + log_probabilities).T.flatten().topk(k)
    return index // log_probabilities.shape[1], index % log_probabilities.shape[1], scores


def in_order_of_the_table(beam_scores, log_probabilities, k):
    table = (beam_scores[:, None] + log_probabilities).flatten()
    index = table.topk(k).indices.sort().values
    return index // log_probabilities.shape[1], index % log_probabilities.shape[1], table[index]


def worst_first(beam_scores, log_probabilities, k):
    return tuple(part.flip(0) for part in beam_step(beam_scores, log_probabilities, k))


def scores_without_the_beam(beam_scores, log_probabilities, k):
    parents, words, _ = beam_step(beam_scores, log_probabilities, k)
    return parents, words, log_probabilities[parents, words]


def parents_of_the_order(beam_scores, log_probabilities, k):
    _, words, scores = beam_step(beam_scores, log_probabilities, k)
    return torch.arange(k), words, scores


def in_place(beam_scores, log_probabilities, k):
    log_probabilities += beam_scores[:, None]
    return beam_step_of(log_probabilities, k)


def as_many_as_beams(beam_scores, log_probabilities, k):
    return beam_step(beam_scores, log_probabilities, len(beam_scores))


def penalised(beam_scores, log_probabilities, k):
    return beam_step_of((beam_scores[:, None] + log_probabilities) / 2, k)


def ignoring_minus_infinity(beam_scores, log_probabilities, k):
    return beam_step(beam_scores.nan_to_num(neginf=0.0), log_probabilities, k)


WRONG["02.beam-step"] = [
    ("old scores forgotten", lambda s, p, k: beam_step_of(p, k), "forgot the score"),
    ("new score without the beam's", scores_without_the_beam, "score of a choice"),
    ("best of each beam", best_of_each_beam, "take the best of the whole table"),
    ("as many of each beam", top_of_each_beam, "take the best of the whole table"),
    ("modulo and division swapped", swapped, "mixed up"),
    ("divided by the beam size", divides_by_the_beam, "index // 7 is the beam"),
    ("division with a fraction", fractions, "must be integers"),
    ("scores first", scores_first, "must be integers"),
    ("table transposed", transposed, "index // 7 is the beam"),
    ("not sorted", in_order_of_the_table, "best must come first"),
    ("worst first", worst_first, "best must come first"),
    (
        "the smallest",
        lambda s, p, k: tuple(-t if t.is_floating_point() else t for t in beam_step(-s, -p, k)),
        "largest first",
    ),
    ("length normalised", penalised, "Length normalisation"),
    ("product", lambda s, p, k: beam_step_of(s[:, None] * p, k), "product of logarithms"),
    ("probabilities added", lambda s, p, k: beam_step_of(s[:, None] + p.exp(), k), "Add the logarithms"),
    ("probabilities returned", lambda s, p, k: beam_step_of((s[:, None] + p).exp(), k), "returned probabilities"),
    ("along the words", lambda s, p, k: beam_step_of(s + p, k), "first axis"),
    ("parents by rank", parents_of_the_order, "Wrong for 3 beams"),
    ("always as many as beams", as_many_as_beams, "(k,)"),
    ("dead beams revived", ignoring_minus_infinity, "minus infinity was chosen"),
    ("in place", in_place, "in place"),
    ("no scores", lambda s, p, k: beam_step(s, p, k)[:2], "Return three tensors"),
    ("indices of the table", lambda s, p, k: (s[:, None] + p).flatten().topk(k), "Return three tensors"),
    (
        "a typed answer",
        lambda s, p, k: (torch.tensor([0, 1]), torch.tensor([1, 0]), torch.tensor([-1.0, -2.0])),
        "(k,)",
    ),
    ("lists", lambda s, p, k: tuple(part.tolist() for part in beam_step(s, p, k)), "Return a torch tensor"),
]


def beam_by_sorting(beam_scores, log_probabilities, k):
    candidates = [
        (float(beam_scores[parent] + log_probabilities[parent, word]), parent, word)
        for parent in range(log_probabilities.shape[0])
        for word in range(log_probabilities.shape[1])
    ]
    scores, parents, words = zip(*sorted(candidates, reverse=True)[:k], strict=True)
    return torch.tensor(parents), torch.tensor(words), torch.tensor(scores)


def beam_by_heap(beam_scores, log_probabilities, k):
    rows = (beam_scores.unsqueeze(1) + log_probabilities).tolist()
    table = {(i, j): score for i, row in enumerate(rows) for j, score in enumerate(row)}
    best = heapq.nlargest(k, table, key=table.get)
    columns = torch.tensor(best).unbind(1)
    return (*columns, torch.tensor([table[pair] for pair in best]))


def beam_by_numpy(beam_scores, log_probabilities, k):
    table = beam_scores.numpy()[:, None] + log_probabilities.numpy()
    index = numpy.argsort(-table, axis=None, kind="stable")[:k]
    parents, words = numpy.unravel_index(index, table.shape)
    return torch.from_numpy(parents), torch.from_numpy(words), torch.from_numpy(table[parents, words])


def beam_by_beams_first(beam_scores, log_probabilities, k):
    width = min(k, log_probabilities.shape[1])  # no beam can give more than k
    values, words = log_probabilities.topk(width, dim=1)
    scores, index = (values + beam_scores.view(-1, 1)).flatten().sort(descending=True)
    index = index[:k]
    return [index.div(width, rounding_mode="floor"), words.flatten()[index], scores[:k]]


RIGHT["02.beam-step"] = [
    beam_step,
    beam_by_sorting,
    beam_by_heap,
    beam_by_numpy,
    beam_by_beams_first,
    lambda s, p, k: (
        *torch.unravel_index((s[:, None] + p).flatten().topk(k).indices, p.shape),
        (s[:, None] + p).flatten().topk(k)[0],
    ),
]


# 02.alignment-error-rate


def rate(proposed, sure, possible):
    possible = possible | sure
    return 1 - (len(proposed & sure) + len(proposed & possible)) / (len(proposed) + len(sure))


def rate_in_place(proposed, sure, possible):
    possible |= sure
    return rate(proposed, sure, possible)


def rate_removing(proposed, sure, possible):
    right = len(proposed & sure) + len(proposed & (possible | sure))
    total = len(proposed) + len(sure)
    while proposed:
        proposed.pop()
    return 1 - right / total


def rate_by_f_measure(proposed, sure, possible):
    precision = len(proposed & (possible | sure)) / max(len(proposed), 1)
    recall = len(proposed & sure) / len(sure)
    return 1 - 2 * precision * recall / max(precision + recall, 1e-9)


def rate_of_sources_only(proposed, sure, possible):
    proposed, sure, possible = ({source for _, source in links} for links in (proposed, sure, possible))
    return rate(proposed, sure, possible)


def rate_rounded(*links):
    return round(rate(*links))


WRONG["02.alignment-error-rate"] = [
    ("no 1 −", lambda a, s, p: 1 - rate(a, s, p), "subtract the agreement"),
    ("per cent", lambda a, s, p: 100 * rate(a, s, p), "not per cent"),
    ("1 − precision", lambda a, s, p: 1 - len(a & (p | s)) / max(len(a), 1), "1 − precision:"),
    ("1 − sure precision", lambda a, s, p: 1 - len(a & s) / max(len(a), 1), "precision on the sure links"),
    ("1 − recall", lambda a, s, p: 1 - len(a & s) / len(s), "1 − recall:"),
    ("1 − possible recall", lambda a, s, p: 1 - len(a & (p | s)) / len(p | s), "recall on the possible"),
    ("mean of both", lambda a, s, p: 1 - (len(a & (p | s)) / max(len(a), 1) + len(a & s) / len(s)) / 2, "averaged"),
    ("F-measure", rate_by_f_measure, "averaged precision and recall"),
    ("sure links twice", lambda a, s, p: rate(a, s, s), "sure links twice"),
    ("possible links twice", lambda a, s, p: 1 - 2 * len(a & (p | s)) / (len(a) + len(s)), "possible links twice"),
    ("divides by |A| + |P|", lambda a, s, p: 1 - (len(a & s) + len(a & (p | s))) / (len(a) + len(p | s)), "asked for"),
    (
        "divides by |S| + |P|",
        lambda a, s, p: 1 - (len(a & s) + len(a & (p | s))) / (len(s) + len(p | s)),
        "by |S| + |P|",
    ),
    ("divides by the union", lambda a, s, p: 1 - (len(a & s) + len(a & (p | s))) / len(a | s), "in the union"),
    ("one count only", lambda a, s, p: 1 - len(a & (p | s)) / (len(a) + len(s)), "counts twice"),
    ("possible without sure", lambda a, s, p: 1 - (len(a & s) + len(a & p)) / (len(a) + len(s)), "unite the two sets"),
    ("sure and possible exchanged", lambda a, s, p: rate(a, p, s), "Expected"),
    ("proposed and sure exchanged", lambda a, s, p: rate(s, a, p), "Expected"),
    ("Jaccard distance", lambda a, s, p: 1 - len(a & s) / len(a | s), "Expected"),
    ("sources only", rate_of_sources_only, "No proposed link is right"),
    ("whole numbers", lambda a, s, p: 1 - (len(a & s) + len(a & (p | s))) // (len(a) + len(s)), "Expected"),
    ("rounded", rate_rounded, "Expected"),
    ("changes possible", rate_in_place, "in place"),
    ("empties proposed", rate_removing, "in place"),
    ("the links themselves", lambda a, s, p: a - s, "Return one number"),
    ("a typed answer", lambda a, s, p: 0.2, "Expected"),
    ("no return", lambda a, s, p: None, "returned None"),
]


def rate_by_counting(proposed, sure, possible):
    right = 0
    for link in proposed:
        if link in sure:
            right += 2
        elif link in possible:
            right += 1
    return 1 - right / (len(proposed) + len(sure))


def rate_by_numpy(proposed, sure, possible):
    everything = sorted(proposed | sure | possible)
    a, s, p = (numpy.array([link in links for link in everything]) for links in (proposed, sure, possible))
    return 1 - ((a & s).sum() + (a & (p | s)).sum()) / (a.sum() + s.sum())


def rate_by_errors(proposed, sure, possible):
    wrong, missing = len(proposed - sure - possible), len(sure - proposed)
    return (wrong + missing) / (len(proposed) + len(sure))


RIGHT["02.alignment-error-rate"] = [
    rate,
    rate_by_counting,
    rate_by_numpy,
    rate_by_errors,
    lambda a, s, p: torch.tensor(1.0) - (len(a.intersection(s)) + len(a.intersection(p.union(s)))) / (len(a) + len(s)),
]
