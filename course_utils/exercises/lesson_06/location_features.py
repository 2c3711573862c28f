"""Lesson 6: convolve the previous attention weights."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from course_utils.exercises.writing import Case, Exercise, Mistake, Task, changing, differentiable, dtypes, sizes

PREVIOUS = torch.tensor([[0.0, 0.7, 0.3, 0.0], [0.5, 0.1, 0.2, 0.2]])
FILTERS = torch.tensor([[1.0, 0.0, -1.0], [0.5, 3.0, 2.0]])


def location_features(previous_weights: Tensor, filters: Tensor) -> Tensor:
    """Convolve the previous attention weights with each filter: f_jk = Σ_d F_k[d] α_{j + d - width // 2}.

    Takes weights `(batch, frames)`, zero outside the utterance, and filters `(filters, width)`, the width odd; a
    filter's left number meets the left neighbour. Returns `(batch, frames, filters)`. Source: Chorowski et al. 2015,
    arXiv 1506.07503, section 2.1, f_i = F * α_{i-1}.
    """
    half = filters.shape[1] // 2
    return functional.conv1d(previous_weights.unsqueeze(1), filters.unsqueeze(1), padding=half).transpose(1, 2)


def sample(generator: torch.Generator, batch=3, frames=8, filters=4, width=5) -> tuple[Tensor, Tensor]:
    """Make weights, zero on padding, and filters; the last row has one frame with all the weight."""
    scores = 2 * torch.randn(batch, frames, generator=generator)
    real = torch.arange(frames) < torch.linspace(frames, 1, batch).round().unsqueeze(1)
    return scores.masked_fill(~real, -torch.inf).softmax(1), torch.randn(filters, width, generator=generator)


def _padded(left: Callable, right: Callable, **options: int) -> Callable:
    """Make an answer with left(width) and right(width) zeros at the ends."""
    padded = lambda a, w: functional.pad(a.unsqueeze(1), (left(w), right(w)))  # noqa: E731
    return lambda a, F: functional.conv1d(padded(a, F.shape[1]), F.unsqueeze(1), **options).mT


def _of(weights: Callable = lambda a: a, filters: Callable = lambda F: F) -> Callable:
    return lambda a, F: location_features(weights(a), filters(F))


_then = changing(location_features)
MIDDLE = "The middle number, filters[:, width // 2], belongs to the frame itself: put width // 2 zeros at either end."
SHIFTED = f"All is one frame off. {MIDDLE}"
PLAIN = "A convolution adds up the products, and nothing follows: no tanh, ReLU, sigmoid, softmax."
AS_THEY_ARE = "Use the filters as they are: they need not sum to one."
BY_ITSELF = "Each utterance is convolved by itself, along the frames: conv1d takes (batch, 1, frames)."
CUT = "Weights, filters and features are used as they are: nothing is cut or rounded."
TURN = "The filters stand before the frames: conv1d returns (batch, filters, frames), so transpose(1, 2)."
RESHAPED = "Transpose the last two axes of what conv1d returns: reshape or view does not swap them."
WHICH = "Change one weight of utterance 0. Which results change?"
FLIPPED = "The filters are flipped: their left number meets the left neighbour, as conv1d does it."
WHERE = "Where must the number stand that meets the left neighbour?"
MEETS = "Which number of the filter meets frame 0 at frame 0?"
LARGEST = "Convolve all the weights, not only the largest."
LOST = "What is lost of attention that was split in two?"
TYPED = "The width is typed in: pad by filters.shape[1] // 2."

EXERCISE = Exercise(
    Task("06.location-features", "Convolve the previous attention weights", 1, 10, "(batch, frames, filters)"),
    location_features,
    sample,
    cases=[
        Case("Each filter is applied around each frame, its left number to the left neighbour.", (PREVIOUS, FILTERS)),
        Case("The filter (1, 0, 0) moves the weights one frame to the right.", (PREVIOUS, torch.eye(3)[:1])),
        Case("Batch, frames and filters may be equal.", dict(batch=3, frames=3, filters=3, width=3)),
        Case("A filter may be wider than the utterance.", dict(batch=2, frames=3, filters=4, width=9)),
        Case("A filter may be one frame wide.", dict(batch=1, frames=6, filters=1, width=1)),
        Case("Filters may be large or small.", lambda: (PREVIOUS.clone(), FILTERS * torch.tensor([[1e6], [1e-3]]))),
    ],
    demands=[
        sizes(frames=80, filters=12, width=31),
        dtypes(torch.float64),
        differentiable("previous_weights", "filters", normalised=("previous_weights",)),
    ],
    mistakes=[
        Mistake(TURN, _then(lambda f: f.mT)),
        Mistake(RESHAPED, _then(lambda f: f.mT.reshape(f.shape)), ask=WHICH),
        Mistake(f"There are fewer frames than before. {MIDDLE}", _padded(lambda w: 0, lambda w: 0), ask=MEETS),
        Mistake(f"There are more frames than before. {MIDDLE}", _padded(lambda w: w - 1, lambda w: w - 1)),
        *[Mistake(TYPED, _padded(lambda w, n=n: n, lambda w, n=n: n)) for n in (1, 2)],
        Mistake(f"The filters reach back only. {MIDDLE}", _padded(lambda w: w - 1, lambda w: 0)),
        Mistake(f"The filters reach ahead only. {MIDDLE}", _padded(lambda w: 0, lambda w: w - 1)),
        *[Mistake(SHIFTED, _padded(lambda w, k=k: w // 2 + k, lambda w, k=k: w // 2 - k)) for k in (1, -1)],
        Mistake(FLIPPED, _of(filters=lambda F: F.flip(1)), ask=WHERE),
        *[Mistake(PLAIN, _then(apply)) for apply in (torch.tanh, torch.relu, torch.sigmoid, torch.abs)],
        *[Mistake(PLAIN, _then(lambda f, dim=dim: f.softmax(dim))) for dim in (1, 2)],
        Mistake("Every filter is used: you took the first for all.", _then(lambda f: f[..., :1].expand_as(f))),
        Mistake("Every filter has a number of its own: keep their axis, also of one.", _then(lambda f: f.sum(2))),
        Mistake("Each utterance has features of its own: the batch is gone.", _then(lambda f: f[0])),
        Mistake("All utterances have the features of the first.", _then(lambda f: f[:1].expand_as(f))),
        Mistake(BY_ITSELF, lambda a, F: location_features(a.T, F).transpose(0, 1)),
        Mistake(BY_ITSELF, lambda a, F: location_features(a.reshape(1, -1), F).reshape(*a.shape, -1)),
        *[Mistake(AS_THEY_ARE, _of(filters=f)) for f in (lambda F: F.softmax(1), lambda F: F / F.sum(1, True))],
        Mistake("Convolve the weights, not their sums up to each frame (no cumsum).", _of(lambda a: a.cumsum(1))),
        Mistake(LARGEST, _of(lambda a: functional.one_hot(a.argmax(1), a.shape[1]).to(a)), ask=LOST),
        Mistake("The weights sum to one already: no second softmax.", _of(lambda a: a.softmax(1))),
        Mistake("Take neighbouring frames: no dilation.", _padded(lambda w: w - 1, lambda w: w - 1, dilation=2)),
        Mistake(CUT, _then(lambda f: f.clamp(-10, 10))),
        Mistake(CUT, _of(filters=lambda F: F.clamp(-1, 1))),
        Mistake("float64 became float32: keep the type that came in.", _of(Tensor.float, Tensor.float)),
    ],
    right=[
        lambda a, F: functional.pad(a, (F.shape[1] // 2,) * 2).unfold(1, F.shape[1], 1) @ F.T,
        lambda a, F: functional.conv1d(a[:, None], F[:, None], padding="same").mT,
    ],
)
