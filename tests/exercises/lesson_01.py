"""Answers to lesson 1's exercises: wrong ones with the hint they need, right ones in other styles."""

import math

import numpy
import torch
from torch import nn

# 01.gru-step


def _gates(inputs, state, W, U):
    reset = torch.sigmoid(inputs @ W[0].T + state @ U[0].T)
    update = torch.sigmoid(inputs @ W[1].T + state @ U[1].T)
    return reset, update


def _candidate(inputs, state, W, U, reset):
    return torch.tanh(inputs @ W[2].T + reset * (state @ U[2].T))


def gru_update_upside_down(inputs, state, W, U):
    reset, update = _gates(inputs, state, W, U)
    return (1 - update) * state + update * _candidate(inputs, state, W, U, reset)


def gru_swapped_gates(inputs, state, W, U):
    update, reset = _gates(inputs, state, W, U)
    return update * state + (1 - update) * _candidate(inputs, state, W, U, reset)


def gru_reset_before_the_product(inputs, state, W, U):
    reset, update = _gates(inputs, state, W, U)
    return update * state + (1 - update) * torch.tanh(inputs @ W[2].T + (reset * state) @ U[2].T)


def gru_no_reset(inputs, state, W, U):
    _, update = _gates(inputs, state, W, U)
    return update * state + (1 - update) * torch.tanh(inputs @ W[2].T + state @ U[2].T)


def gru_reset_on_the_input_too(inputs, state, W, U):
    reset, update = _gates(inputs, state, W, U)
    return update * state + (1 - update) * torch.tanh(reset * (inputs @ W[2].T + state @ U[2].T))


def gru_tanh_gates(inputs, state, W, U):
    reset = torch.tanh(inputs @ W[0].T + state @ U[0].T)
    update = torch.tanh(inputs @ W[1].T + state @ U[1].T)
    return update * state + (1 - update) * _candidate(inputs, state, W, U, reset)


def gru_softmax_gates(inputs, state, W, U):
    reset = torch.softmax(inputs @ W[0].T + state @ U[0].T, dim=-1)
    update = torch.softmax(inputs @ W[1].T + state @ U[1].T, dim=-1)
    return update * state + (1 - update) * _candidate(inputs, state, W, U, reset)


def gru_sigmoid_candidate(inputs, state, W, U):
    reset, update = _gates(inputs, state, W, U)
    return update * state + (1 - update) * torch.sigmoid(inputs @ W[2].T + reset * (state @ U[2].T))


def gru_no_tanh(inputs, state, W, U):
    reset, update = _gates(inputs, state, W, U)
    return update * state + (1 - update) * (inputs @ W[2].T + reset * (state @ U[2].T))


def gru_candidate_alone(inputs, state, W, U):
    reset, _ = _gates(inputs, state, W, U)
    return _candidate(inputs, state, W, U, reset)


def gru_forgets_the_old_state(inputs, state, W, U):
    reset, update = _gates(inputs, state, W, U)
    return (1 - update) * _candidate(inputs, state, W, U, reset)


def gru_adds_without_sharing(inputs, state, W, U):
    reset, update = _gates(inputs, state, W, U)
    return update * state + _candidate(inputs, state, W, U, reset)


def gru_transposed(inputs, state, W, U):
    try:
        return gru_right(inputs, state, [w.T for w in W], [u.T for u in U])
    except RuntimeError:
        return torch.zeros_like(state)


def gru_swapped_matrices(inputs, state, W, U):
    if inputs.shape != state.shape:
        return torch.zeros_like(state)
    return gru_right(inputs, state, U, W)


def gru_gates_without_state(inputs, state, W, U):
    reset, update = torch.sigmoid(inputs @ W[0].T), torch.sigmoid(inputs @ W[1].T)
    return update * state + (1 - update) * _candidate(inputs, state, W, U, reset)


def gru_detached(inputs, state, W, U):
    return gru_right(inputs, state.detach(), W, U)


def gru_no_gradient(inputs, state, W, U):
    with torch.no_grad():
        return gru_right(inputs, state, W, U)


def gru_in_place(inputs, state, W, U):
    reset, update = _gates(inputs, state, W, U)
    candidate = _candidate(inputs, state, W, U, reset)
    state *= update
    state += (1 - update) * candidate
    return state


def gru_first_sentence_only(inputs, state, W, U):
    return gru_right(inputs[:1], state[:1], W, U)


def gru_first_state_for_all(inputs, state, W, U):
    return gru_right(inputs, state[:1].expand_as(state), W, U)


def gru_returns_nothing(inputs, state, W, U):
    gru_right(inputs, state, W, U)


def gru_right(inputs, state, W, U):
    reset, update = _gates(inputs, state, W, U)
    return update * state + (1 - update) * _candidate(inputs, state, W, U, reset)


def gru_by_cell(inputs, state, W, U):
    no_bias = torch.zeros(3 * state.shape[1])
    return torch.gru_cell(inputs, state, torch.cat(list(W)), torch.cat(list(U)), no_bias, no_bias)


def gru_by_einsum(inputs, state, W, U):
    from_input = torch.einsum("bi,ghi->gbh", inputs, torch.stack(list(W)))
    from_state = torch.einsum("bh,gkh->gbk", state, torch.stack(list(U)))
    reset, update = (from_input[:2] + from_state[:2]).sigmoid()
    return torch.lerp((from_input[2] + reset * from_state[2]).tanh(), state, update)


def gru_by_loop(inputs, state, W, U):
    rows = []
    for x, h in zip(inputs, state, strict=True):
        r = 1 / (1 + torch.exp(-(W[0] @ x + U[0] @ h)))
        z = 1 / (1 + torch.exp(-(W[1] @ x + U[1] @ h)))
        n = torch.tanh(W[2] @ x + r * (U[2] @ h))
        rows.append(n + z * (h - n))
    return torch.stack(rows)


# 01.reverse-source


def reverse_padding_too(source, source_mask):
    return source.flip(1)


def reverse_batch(source, source_mask):
    return source.flip(0)


def reverse_nothing(source, source_mask):
    return source.clone()


def reverse_off_by_one(source, source_mask):
    lengths = source_mask.sum(dim=1, keepdim=True)
    positions = torch.arange(source.shape[1])
    order = torch.where(source_mask, (lengths - positions) % lengths, positions)
    return source.gather(1, order)


def reverse_by_first_length(source, source_mask):
    length = int(source_mask[0].sum())
    result = source.clone()
    result[:, :length] = source[:, :length].flip(1)
    return result


def reverse_by_id_zero(source, source_mask):
    result = source.clone()
    for row, ids in enumerate(source):
        length = int((ids != 0).sum())
        result[row, :length] = ids[:length].flip(0)
    return result


def reverse_fills_with_zero(source, source_mask):
    return reverse_by_loop(source, source_mask) * source_mask


def reverse_in_place(source, source_mask):
    for row in range(len(source)):
        length = int(source_mask[row].sum())
        source[row, :length] = source[row, :length].flip(0)
    return source


def reverse_mask_upside_down(source, source_mask):
    return reverse_by_loop(source, ~source_mask)


def reverse_sorts(source, source_mask):
    return source.sort(dim=1, descending=True)[0]


def reverse_to_float(source, source_mask):
    return reverse_by_loop(source, source_mask).float()


def reverse_to_list(source, source_mask):
    return [ids[mask].flip(0) for ids, mask in zip(source, source_mask, strict=True)]


def reverse_drops_padding(source, source_mask):
    return reverse_by_loop(source, source_mask)[:, : int(source_mask.sum(dim=1).min())]


def reverse_only_full_rows(source, source_mask):
    full = source_mask.all(dim=1, keepdim=True)
    return torch.where(full, source.flip(1), source)


def reverse_hard_coded(source, source_mask):
    return torch.tensor([[4, 3, 2, 1], [6, 5, 0, 0]])


def reverse_by_loop(source, source_mask):
    result = source.clone()
    for row, mask in enumerate(source_mask):
        length = int(mask.sum())
        result[row, :length] = source[row, :length].flip(0)
    return result


def reverse_by_gather(source, source_mask):
    positions = torch.arange(source.shape[1]).expand_as(source)
    return source.gather(1, torch.where(source_mask, source_mask.sum(1, keepdim=True) - 1 - positions, positions))


def reverse_by_numpy(source, source_mask):
    ids, mask = source.numpy().copy(), source_mask.numpy()
    for row in range(len(ids)):
        ids[row][mask[row]] = ids[row][mask[row]][::-1].copy()
    return torch.from_numpy(ids)


def reverse_by_lists(source, source_mask):
    rows = []
    for ids, real in zip(source.tolist(), source_mask.tolist(), strict=True):
        words = [word for word, is_real in zip(ids, real, strict=True) if is_real]
        rows.append(words[::-1] + ids[len(words) :])
    return torch.tensor(rows)


# 01.last-real-state


def last_of_the_row(outputs, mask):
    return outputs[:, -1]


def last_sentence(outputs, mask):
    return outputs[-1]


def last_first_state(outputs, mask):
    return outputs[:, 0]


def last_off_by_one(outputs, mask):
    lengths = mask.sum(dim=1).clamp(max=outputs.shape[1] - 1)
    return outputs[torch.arange(len(outputs)), lengths]


def last_but_one(outputs, mask):
    return outputs[torch.arange(len(outputs)), mask.sum(dim=1) - 2]


def last_all_pairs(outputs, mask):
    return outputs[:, mask.sum(dim=1) - 1]


def last_of_the_longest(outputs, mask):
    return outputs[:, int(mask.sum(dim=1).max()) - 1]


def last_counts_padding(outputs, mask):
    return outputs[torch.arange(len(outputs)), (~mask).sum(dim=1) - 1]


def last_mean(outputs, mask):
    return (outputs * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def last_sum(outputs, mask):
    return (outputs * mask.unsqueeze(-1)).sum(dim=1)


def last_maximum(outputs, mask):
    return outputs.masked_fill(~mask.unsqueeze(-1), -math.inf).amax(dim=1)


def last_by_zero_rows(outputs, mask):
    lengths = (outputs.abs().sum(dim=-1) > 0).sum(dim=1)
    return outputs[torch.arange(len(outputs)), lengths - 1]


def last_detached(outputs, mask):
    return last_right(outputs, mask).detach()


def last_keeps_a_dimension(outputs, mask):
    return last_right(outputs, mask).unsqueeze(1)


def last_squeezed(outputs, mask):
    return last_right(outputs, mask).squeeze()


def last_in_place(outputs, mask):
    outputs *= mask.unsqueeze(-1)
    return last_right(outputs, mask)


def last_right(outputs, mask):
    return outputs[torch.arange(len(outputs)), mask.sum(dim=1) - 1]


def last_by_gather(outputs, mask):
    index = (mask.sum(dim=1) - 1).view(-1, 1, 1).expand(-1, 1, outputs.shape[2])
    return outputs.gather(1, index).squeeze(1)


def last_by_loop(outputs, mask):
    return torch.stack([rows[real][-1] for rows, real in zip(outputs, mask, strict=True)])


def last_by_one_hot(outputs, mask):
    last = nn.functional.one_hot(mask.sum(dim=1) - 1, mask.shape[1]).to(outputs.dtype)
    return torch.einsum("bl,bls->bs", last, outputs)


# 01.masked-loss


def _token_losses(logits, targets):
    return -logits.log_softmax(dim=-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def loss_counts_padding(logits, targets, mask):
    return _token_losses(logits, targets).mean()


def loss_divides_by_all(logits, targets, mask):
    return (_token_losses(logits, targets) * mask).mean()


def loss_divides_by_sentences(logits, targets, mask):
    return (_token_losses(logits, targets) * mask).sum() / len(mask)


def loss_mean_of_sentences(logits, targets, mask):
    return ((_token_losses(logits, targets) * mask).sum(dim=1) / mask.sum(dim=1)).mean()


def loss_sum(logits, targets, mask):
    return (_token_losses(logits, targets) * mask).sum()


def loss_mask_upside_down(logits, targets, mask):
    return (_token_losses(logits, targets) * ~mask).sum() / (~mask).sum().clamp(min=1)


def loss_no_minus(logits, targets, mask):
    return -_token_losses(logits, targets)[mask].mean()


def loss_no_log(logits, targets, mask):
    return logits.softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)[mask].mean()


def loss_no_softmax(logits, targets, mask):
    return -logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)[mask].mean()


def loss_in_bits(logits, targets, mask):
    return _token_losses(logits, targets)[mask].mean() / math.log(2)


def loss_log_of_the_mean(logits, targets, mask):
    return -logits.softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)[mask].mean().log()


def loss_silences_logits(logits, targets, mask):
    return _token_losses(logits * mask.unsqueeze(-1), targets).mean()


def loss_ignores_id_zero(logits, targets, mask):
    return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0)


def loss_ignores_zero_and_padding(logits, targets, mask):
    return nn.functional.cross_entropy(logits[mask], targets[mask], ignore_index=0)


def loss_softmax_over_positions(logits, targets, mask):
    return -logits.log_softmax(dim=1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)[mask].mean()


def loss_overflows(logits, targets, mask):
    shares = logits.exp() / logits.exp().sum(dim=-1, keepdim=True)
    return -shares.gather(-1, targets.unsqueeze(-1)).squeeze(-1)[mask].log().mean()


def loss_guards_the_log(logits, targets, mask):
    shares = logits.softmax(dim=-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return -(shares[mask] + 1e-8).log().mean()


def loss_plain_number(logits, targets, mask):
    return _token_losses(logits, targets)[mask].mean().item()


def loss_detached(logits, targets, mask):
    return _token_losses(logits.detach(), targets)[mask].mean()


def loss_in_place(logits, targets, mask):
    targets[~mask] = -100
    return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def loss_per_token(logits, targets, mask):
    return _token_losses(logits, targets) * mask


def loss_right(logits, targets, mask):
    return nn.functional.cross_entropy(logits[mask], targets[mask])


def loss_by_multiplying(logits, targets, mask):
    losses = nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    return (losses * mask).sum() / mask.sum()


def loss_by_ignore_index(logits, targets, mask):
    return nn.functional.cross_entropy(logits.flatten(0, 1), targets.masked_fill(~mask, -100).flatten())


def loss_by_loop(logits, targets, mask):
    total, tokens = torch.zeros(()), 0
    for sentence in range(len(mask)):
        for position in range(mask.shape[1]):
            if mask[sentence, position]:
                row = logits[sentence, position]
                total = total + torch.logsumexp(row, 0) - row[targets[sentence, position]]
                tokens += 1
    return total / tokens


# 01.clip-gradients


def _norm(gradients):
    return math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))


def _scaled(gradients, norm, maximum_norm):
    return [gradient * (maximum_norm / norm if norm > maximum_norm else 1.0) for gradient in gradients]


def clip_nothing(gradients, maximum_norm):
    return [gradient.clone() for gradient in gradients]


def clip_each_tensor(gradients, maximum_norm):
    return [_scaled([gradient], float(gradient.norm()), maximum_norm)[0] for gradient in gradients]


def clip_values(gradients, maximum_norm):
    return [gradient.clamp(-maximum_norm, maximum_norm) for gradient in gradients]


def clip_always(gradients, maximum_norm):
    norm = _norm(gradients)
    return [gradient * maximum_norm / max(norm, 1e-12) for gradient in gradients]


def clip_adds_norms(gradients, maximum_norm):
    return _scaled(gradients, sum(float(gradient.norm()) for gradient in gradients), maximum_norm)


def clip_no_root(gradients, maximum_norm):
    return _scaled(gradients, _norm(gradients) ** 2, maximum_norm)


def clip_absolute_sum(gradients, maximum_norm):
    return _scaled(gradients, sum(float(gradient.abs().sum()) for gradient in gradients), maximum_norm)


def clip_largest_entry(gradients, maximum_norm):
    return _scaled(gradients, max(float(gradient.abs().max()) for gradient in gradients), maximum_norm)


def clip_largest_tensor(gradients, maximum_norm):
    return _scaled(gradients, max(float(gradient.norm()) for gradient in gradients), maximum_norm)


def clip_first_norm(gradients, maximum_norm):
    return _scaled(gradients, float(gradients[0].norm()), maximum_norm)


def clip_to_norm_one(gradients, maximum_norm):
    norm = _norm(gradients)
    return [gradient / norm if norm > maximum_norm else gradient.clone() for gradient in gradients]


def clip_mean_square(gradients, maximum_norm):
    entries = sum(gradient.numel() for gradient in gradients)
    return _scaled(gradients, _norm(gradients) / math.sqrt(entries), maximum_norm)


def clip_comparison_upside_down(gradients, maximum_norm):
    norm = _norm(gradients)
    return [gradient * (maximum_norm / max(norm, 1e-12) if norm < maximum_norm else 1.0) for gradient in gradients]


def clip_divides_by_zero(gradients, maximum_norm):
    norm = torch.sqrt(sum(gradient.square().sum() for gradient in gradients))
    direction = [gradient / norm for gradient in gradients]
    return [gradient * torch.clamp(norm, max=maximum_norm) for gradient in direction]


def clip_in_place(gradients, maximum_norm):
    norm = _norm(gradients)
    if norm > maximum_norm:
        for gradient in gradients:
            gradient *= maximum_norm / norm
    return gradients


def clip_shares_memory(gradients, maximum_norm):
    norm = _norm(gradients)
    return [gradient * maximum_norm / norm for gradient in gradients] if norm > maximum_norm else gradients


def clip_returns_nothing(gradients, maximum_norm):
    nn.utils.clip_grad_norm_([nn.Parameter(gradient) for gradient in gradients], maximum_norm)


def clip_returns_one_tensor(gradients, maximum_norm):
    return _scaled([torch.cat([gradient.flatten() for gradient in gradients])], _norm(gradients), maximum_norm)


def clip_right(gradients, maximum_norm):
    return _scaled(gradients, _norm(gradients), maximum_norm)


def clip_by_concatenation(gradients, maximum_norm):
    norm = torch.linalg.vector_norm(torch.cat([gradient.flatten() for gradient in gradients]))
    return [gradient * torch.clamp(maximum_norm / (norm + 1e-6), max=1.0) for gradient in gradients]


def clip_by_library(gradients, maximum_norm):
    parameters = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    nn.utils.clip_grad_norm_(parameters, maximum_norm)
    return [parameter.grad for parameter in parameters]


def clip_by_numpy(gradients, maximum_norm):
    norm = numpy.sqrt(sum((gradient.numpy().astype(float) ** 2).sum() for gradient in gradients))
    factor = 1.0 if norm <= maximum_norm else float(maximum_norm / norm)
    return tuple(torch.tensor(gradient.numpy() * factor, dtype=gradient.dtype) for gradient in gradients)


# 01.length-buckets


def _inside(lengths, correct, bucket):
    return [flag for length, flag in zip(lengths, correct, strict=True) if bucket[0] <= length <= bucket[1]]


def buckets_exclusive_top(lengths, correct, buckets):
    result = {}
    for low, high in buckets:
        flags = [flag for length, flag in zip(lengths, correct, strict=True) if length in range(low, high)]
        if flags:
            result[low, high] = sum(flags) / len(flags)
    return result


def buckets_exclusive_bottom(lengths, correct, buckets):
    result = {}
    for low, high in buckets:
        flags = [flag for length, flag in zip(lengths, correct, strict=True) if low < length <= high]
        if flags:
            result[low, high] = sum(flags) / len(flags)
    return result


def buckets_no_top(lengths, correct, buckets):
    result = {}
    for low, high in buckets:
        last = (low, high) == tuple(buckets[-1])
        flags = _inside(lengths, correct, (low, 10**9 if last else high))
        if flags:
            result[low, high] = sum(flags) / len(flags)
    return result


def buckets_counts(lengths, correct, buckets):
    return {b: sum(_inside(lengths, correct, b)) for b in buckets if _inside(lengths, correct, b)}


def buckets_share_of_all(lengths, correct, buckets):
    return {b: sum(_inside(lengths, correct, b)) / len(lengths) for b in buckets if _inside(lengths, correct, b)}


def buckets_wrong_ones(lengths, correct, buckets):
    return {b: 1 - value for b, value in buckets_right(lengths, correct, buckets).items()}


def buckets_percent(lengths, correct, buckets):
    return {b: 100 * value for b, value in buckets_right(lengths, correct, buckets).items()}


def buckets_whole_division(lengths, correct, buckets):
    return {b: sum(f) // len(f) for b in buckets if (f := _inside(lengths, correct, b))}


def buckets_zero_for_empty(lengths, correct, buckets):
    return {b: sum(f := _inside(lengths, correct, b)) / max(1, len(f)) for b in buckets}


def buckets_nan_for_empty(lengths, correct, buckets):
    return {b: sum(f) / len(f) if (f := _inside(lengths, correct, b)) else math.nan for b in buckets}


def buckets_divides_by_zero(lengths, correct, buckets):
    return {b: sum(f := _inside(lengths, correct, b)) / len(f) for b in buckets}


def buckets_drops_failures(lengths, correct, buckets):
    return {b: value for b, value in buckets_right(lengths, correct, buckets).items() if value}


def buckets_last_sentence(lengths, correct, buckets):
    return {b: float(f[-1]) for b in buckets if (f := _inside(lengths, correct, b))}


def buckets_running_counts(lengths, correct, buckets):
    result, right, seen = {}, 0, 0
    for bucket in buckets:
        flags = _inside(lengths, correct, bucket)
        right, seen = right + sum(flags), seen + len(flags)
        if flags:
            result[bucket] = right / seen
    return result


def buckets_first_match(lengths, correct, buckets):
    flags = {bucket: [] for bucket in buckets}
    for length, flag in zip(lengths, correct, strict=True):
        for low, high in buckets:
            if low <= length <= high:
                flags[low, high].append(flag)
                break
    return {bucket: sum(f) / len(f) for bucket, f in flags.items() if f}


def buckets_text_keys(lengths, correct, buckets):
    return {f"{low}–{high}": value for (low, high), value in buckets_right(lengths, correct, buckets).items()}


def buckets_list(lengths, correct, buckets):
    return list(buckets_right(lengths, correct, buckets).values())


def buckets_sorts_lengths(lengths, correct, buckets):
    lengths.sort()
    return buckets_right(lengths, correct, buckets)


def buckets_right(lengths, correct, buckets):
    return {b: sum(f) / len(f) for b in buckets if (f := _inside(lengths, correct, b))}


def buckets_by_counting(lengths, correct, buckets):
    result = {}
    for low, high in buckets:
        total = exact = 0
        for index in range(len(lengths)):
            if lengths[index] >= low and not lengths[index] > high:
                total += 1
                exact += 1 if correct[index] else 0
        if total > 0:
            result[(low, high)] = exact / total
    return result


def buckets_by_numpy(lengths, correct, buckets):
    lengths, correct = numpy.array(lengths), numpy.array(correct)
    chosen = {(low, high): (lengths >= low) & (lengths <= high) for low, high in buckets}
    return {bucket: correct[inside].mean() for bucket, inside in chosen.items() if inside.any()}


def buckets_by_tensors(lengths, correct, buckets):
    lengths, correct = torch.tensor(lengths), torch.tensor(correct, dtype=torch.float64)
    result = {}
    for low, high in buckets:
        flags = correct[lengths.ge(low).logical_and(lengths.le(high))]
        if len(flags):
            result[low, high] = flags.mean()
    return result


WRONG = {
    "01.gru-step": [
        ("update gate upside down", gru_update_upside_down, "upside down"),
        ("gates swapped", gru_swapped_gates, "Reset and update are swapped"),
        ("reset before the product", gru_reset_before_the_product, "not the state before the product"),
        ("no reset gate", gru_no_reset, "reset gate is not used"),
        ("reset on the input too", gru_reset_on_the_input_too, "not the part that comes from the input"),
        ("tanh gates", gru_tanh_gates, "you took a tanh"),
        ("softmax gates", gru_softmax_gates, "softmax makes the entries share"),
        ("sigmoid candidate", gru_sigmoid_candidate, "candidate needs a tanh"),
        ("no tanh", gru_no_tanh, "tanh of the candidate is missing"),
        ("candidate alone", gru_candidate_alone, "candidate alone"),
        ("forgets the old state", gru_forgets_the_old_state, "old state is lost"),
        ("adds without sharing", gru_adds_without_sharing, "must sum to one"),
        ("transposed", gru_transposed, "transposed"),
        ("W and U swapped", gru_swapped_matrices, "W and U are swapped"),
        ("gates without state", gru_gates_without_state, "gates do not see the state"),
        ("detached state", gru_detached, "No gradient reaches state"),
        ("under no_grad", gru_no_gradient, "No gradient flows back"),
        ("in place", gru_in_place, "in place"),
        ("first sentence only", gru_first_sentence_only, "shape"),
        ("first state for all", gru_first_state_for_all, "first one's state"),
        ("returns nothing", gru_returns_nothing, "returned None"),
    ],
    "01.reverse-source": [
        ("padding too", reverse_padding_too, "padding was reversed as well"),
        ("batch", reverse_batch, "dimension 0"),
        ("nothing", reverse_nothing, "Nothing was reversed"),
        ("off by one", reverse_off_by_one, "Off by one"),
        ("first row's length", reverse_by_first_length, "padding was reversed as well"),
        ("id 0 is padding", reverse_by_id_zero, "took the id 0 for padding"),
        ("fills with zero", reverse_fills_with_zero, "filled the padding with zeros"),
        ("in place", reverse_in_place, "in place"),
        ("mask upside down", reverse_mask_upside_down, "True in the mask marks a real word"),
        ("sorts", reverse_sorts, "sorted the ids"),
        ("floats", reverse_to_float, "whole numbers"),
        ("list", reverse_to_list, "not a list"),
        ("drops padding", reverse_drops_padding, "padding included"),
        ("full rows only", reverse_only_full_rows, "Nothing was reversed in the padded rows"),
        ("hard-coded", reverse_hard_coded, "shape"),
    ],
    "01.last-real-state": [
        ("end of the row", last_of_the_row, "end of the row, after the padding"),
        ("last sentence", last_sentence, "last sentence of the batch"),
        ("first state", last_first_state, "first state"),
        ("off by one", last_off_by_one, "Off by one"),
        ("last but one", last_but_one, "last state but one"),
        ("all pairs", last_all_pairs, "torch.arange(batch)"),
        ("longest", last_of_the_longest, "end of the row, after the padding"),
        ("counts padding", last_counts_padding, "You counted the padding"),
        ("mean", last_mean, "averaged"),
        ("sum", last_sum, "added the states up"),
        ("maximum", last_maximum, "go by the mask alone"),
        ("rows of zeros", last_by_zero_rows, "zeros was taken for padding"),
        ("detached", last_detached, "No gradient flows back"),
        ("extra dimension", last_keeps_a_dimension, "leftover dimension"),
        ("squeezed", last_squeezed, "squeeze()"),
        ("in place", last_in_place, "in place"),
    ],
    "01.masked-loss": [
        ("no mask", loss_counts_padding, "Padding is counted"),
        ("divides by all", loss_divides_by_all, "not of the count"),
        ("divides by sentences", loss_divides_by_sentences, "number of sentences"),
        ("mean of sentences", loss_mean_of_sentences, "mean of the sentences' means"),
        ("sum", loss_sum, "divide by their number"),
        ("mask upside down", loss_mask_upside_down, "averaged over the padding"),
        ("no minus", loss_no_minus, "minus sign is missing"),
        ("no logarithm", loss_no_log, "logarithm is missing"),
        ("no softmax", loss_no_softmax, "softmax is missing"),
        ("bits", loss_in_bits, "in bits"),
        ("log of the mean", loss_log_of_the_mean, "Average the logarithms"),
        ("silenced logits", loss_silences_logits, "does not silence it"),
        ("ignores id 0", loss_ignores_id_zero, "ignore_index=0"),
        ("ignores id 0 and padding", loss_ignores_zero_and_padding, "ignore_index=0"),
        ("softmax over positions", loss_softmax_over_positions, "wrong axis"),
        ("overflows", loss_overflows, "overflow"),
        ("guarded log", loss_guards_the_log, "let log_softmax or cross_entropy"),
        ("plain number", loss_plain_number, "plain number carries no gradient"),
        ("detached", loss_detached, "No gradient flows back"),
        ("in place", loss_in_place, "in place"),
        ("not averaged", loss_per_token, "one number"),
    ],
    "01.clip-gradients": [
        ("nothing", clip_nothing, "Nothing was scaled"),
        ("each tensor", clip_each_tensor, "by its own norm"),
        ("values", clip_values, "cut single entries"),
        ("always", clip_always, "lengthened a short gradient"),
        ("adds norms", clip_adds_norms, "added up the norms"),
        ("no root", clip_no_root, "square root is missing"),
        ("absolute sum", clip_absolute_sum, "absolute values"),
        ("largest entry", clip_largest_entry, "largest entry"),
        ("largest tensor", clip_largest_tensor, "all entries of all tensors"),
        ("first norm", clip_first_norm, "first tensor alone"),
        ("to norm one", clip_to_norm_one, "norm 1"),
        ("mean square", clip_mean_square, "a sum, no mean"),
        ("comparison upside down", clip_comparison_upside_down, "Nothing was scaled"),
        ("divides by zero", clip_divides_by_zero, "nothing divides by 0"),
        ("in place", clip_in_place, "in place"),
        ("shares memory", clip_shares_memory, "shares memory"),
        ("returns nothing", clip_returns_nothing, "returned None"),
        ("one tensor", clip_returns_one_tensor, "one tensor per gradient"),
    ],
    "01.length-buckets": [
        ("upper end out", buckets_exclusive_top, "The upper end belongs"),
        ("lower end out", buckets_exclusive_bottom, "The lower end belongs"),
        ("no upper end", buckets_no_top, "beyond the last bucket"),
        ("counts", buckets_counts, "Divide by the number of sentences in the bucket"),
        ("share of all", buckets_share_of_all, "number of all sentences"),
        ("wrong ones", buckets_wrong_ones, "share of wrong sentences"),
        ("percent", buckets_percent, "percentages"),
        ("whole-number division", buckets_whole_division, "not //"),
        ("zero for empty", buckets_zero_for_empty, "look like a failure"),
        ("NaN for empty", buckets_nan_for_empty, "NaN"),
        ("divides by zero", buckets_divides_by_zero, "divide by zero"),
        ("drops failures", buckets_drops_failures, "is not empty"),
        ("last sentence", buckets_last_sentence, "only its last sentence"),
        ("running counts", buckets_running_counts, "afresh"),
        ("first match", buckets_first_match, "every bucket"),
        ("text keys", buckets_text_keys, "keys are the buckets"),
        ("list", buckets_list, "Return a dictionary"),
        ("sorts in place", buckets_sorts_lengths, "in place"),
    ],
}

RIGHT = {
    "01.gru-step": [gru_right, gru_by_cell, gru_by_einsum, gru_by_loop],
    "01.reverse-source": [reverse_by_loop, reverse_by_gather, reverse_by_numpy, reverse_by_lists],
    "01.last-real-state": [last_right, last_by_gather, last_by_loop, last_by_one_hot],
    "01.masked-loss": [loss_right, loss_by_multiplying, loss_by_ignore_index, loss_by_loop],
    "01.clip-gradients": [clip_right, clip_by_concatenation, clip_by_library, clip_by_numpy],
    "01.length-buckets": [buckets_right, buckets_by_counting, buckets_by_numpy, buckets_by_tensors],
}
