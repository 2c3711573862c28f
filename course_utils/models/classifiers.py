"""What every model that classifies the digits on a canvas shares, and the baseline that reads the whole image at once.

A `DigitClassifier` trains with `loss(batch)` on batches of canvases (`images`, and `labels` from left to right) and
answers one or several digits, each with its own output.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from course_utils.mechanisms.vision import check_channels


class GlimpseTrace(NamedTuple):
    """What a model read and answered; entries that a model does not have are None.

    Attributes:
        answers: `(batch, glimpses, digits, classes)`, logits after every glimpse (once without glimpses).
        patches: `(batch, glimpses, scales, channels, size, size)`, what was read.
        boxes: `(batch, glimpses, scales, 4)`, where it was read, pixels from the upper left corner.
        locations: `(batch, glimpses, 2)`, (x, y) as sampled from the policy, before they are clamped to [-1, 1].
        log_probabilities: `(batch, glimpses)`, nats, of those locations under the policy.
        baselines: `(batch, glimpses)`, the reward expected before each glimpse.
        features: `(batch, glimpses, hidden_size)`, the encoding of each glimpse by itself.
    """

    answers: Tensor
    patches: Tensor | None = None
    boxes: Tensor | None = None
    locations: Tensor | None = None
    log_probabilities: Tensor | None = None
    baselines: Tensor | None = None
    features: Tensor | None = None

    @property
    def logits(self) -> Tensor:
        """The answer after the last glimpse, `(batch, digits, classes)`."""
        return self.answers[:, -1]


class GlimpseLoss(NamedTuple):
    """A loss over a batch of canvases.

    Attributes:
        mean: scalar to minimise.
        classification: scalar, cross-entropy of the answers that count, nats per digit.
        accuracy: scalar, share of canvases with every digit right after the last glimpse.
        policy: scalar, its gradient is the REINFORCE estimate; the value itself means nothing. None without a policy.
        baseline: scalar, squared error of the baselines. None without a policy.
    """

    mean: Tensor
    classification: Tensor
    accuracy: Tensor
    policy: Tensor | None = None
    baseline: Tensor | None = None


def digit_targets(labels: Tensor, digits: int, classes: int) -> Tensor:
    """Return the classes to predict, `(batch, digits)`; a missing digit is the last of `classes`, which must be 11.

    Raises:
        ValueError: if there are more digits than `digits`, or missing ones without a class of their own.
    """
    if labels.dim() != 2 or labels.shape[1] != digits:
        raise ValueError(f"labels has shape {tuple(labels.shape)}; expected (batch, {digits}), the model's digits.")
    missing = labels < 0
    if classes < 11 and bool(missing.any()):
        raise ValueError(f"labels has missing digits, but classes is {classes}; build the model with classes=11.")
    return labels.masked_fill(missing, classes - 1)


class DigitClassifier(nn.Module):
    """What the three models share: targets, cross-entropy, prediction.

    Args:
        digits: digits on a canvas, all classified in every answer.
        classes: 10, or 11 where a row may have fewer digits than `digits`.
        answer_early: while training, the answer after every glimpse counts, and not only the last one. The model
            then learns sooner, because the loss depends on each glimpse at once, and can answer after any number.
    """

    def __init__(self, digits: int = 1, classes: int = 10, answer_early: bool = True) -> None:
        super().__init__()
        self.digits, self.classes, self.answer_early = digits, classes, answer_early

    def trace(self, images: Tensor) -> GlimpseTrace:
        """Classify images `(batch, channels, height, width)`."""
        raise NotImplementedError

    def loss(self, batch) -> GlimpseLoss:
        """Cross-entropy of the digits, nats per digit."""
        classification, accuracy, _ = self._score(self.trace(batch.images), batch.labels)
        return GlimpseLoss(classification, classification.detach(), accuracy)

    def probabilities(self, images: Tensor, samples: int = 1) -> Tensor:
        """Return `(batch, glimpses, digits, classes)`; nothing is sampled here, so `samples` changes nothing."""
        return torch.softmax(self.trace(images).answers, dim=-1)

    def _score(self, trace: GlimpseTrace, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return cross-entropy and accuracy (scalars) and the probability of the right digits, `(batch, answers)`."""
        targets = digit_targets(labels, self.digits, self.classes)
        accuracy = (trace.logits.argmax(dim=-1) == targets).all(dim=1).to(trace.logits).mean()
        answers = trace.answers if self.answer_early else trace.answers[:, -1:]
        true = self._true_log_probabilities(answers, labels)
        return -true.mean(), accuracy, true.detach().exp().mean(dim=-1)

    def _true_log_probabilities(self, answers: Tensor, labels: Tensor) -> Tensor:
        """Return `(batch, answers, digits)`, nats, for logits `(batch, answers, digits, classes)`."""
        wanted = digit_targets(labels, self.digits, self.classes).unsqueeze(1).expand(-1, answers.shape[1], -1)
        return torch.log_softmax(answers, dim=-1).gather(-1, wanted.unsqueeze(-1)).squeeze(-1)

    def _answer(self, states: Tensor) -> Tensor:
        return self.output(states).unflatten(-1, (self.digits, self.classes))


class ConvClassifier(DigitClassifier):
    """The baseline: convolutions over the whole image, one hidden layer, an answer.

    Source: Mnih et al. 2014, arXiv 1406.6247, table 2 ("convolutional, 2 layers"): one layer of 10 x 10 filters
    with stride 5 and a hidden layer of 256. Any other stack can be asked for.

    Args:
        height, width, channels: of the image.
        layers: `(filters, kernel, stride)` of each convolution.
        hidden_size: of the layer between the last map and the answer.
        digits, classes: see `DigitClassifier`.
    """

    def __init__(
        self,
        height: int,
        width: int,
        channels: int = 1,
        layers: Sequence[tuple[int, int, int]] = ((32, 10, 5),),
        hidden_size: int = 256,
        digits: int = 1,
        classes: int = 10,
    ) -> None:
        super().__init__(digits, classes)
        self.channels = channels
        modules: list[nn.Module] = []
        for filters, kernel, stride in layers:
            modules += [nn.Conv2d(channels, filters, kernel, stride), nn.ReLU()]
            height, width, channels = (height - kernel) // stride + 1, (width - kernel) // stride + 1, filters
            if min(height, width) < 1:
                raise ValueError(f"layers is {layers}; nothing of the image is left after {kernel} x {kernel}.")
        self.convolutions = nn.Sequential(*modules)
        self.hidden = nn.Linear(channels * height * width, hidden_size)
        self.output = nn.Linear(hidden_size, digits * classes)

    def trace(self, images: Tensor) -> GlimpseTrace:
        """Answer from the whole image `(batch, channels, height, width)`."""
        check_channels(images, self.channels)
        state = torch.relu(self.hidden(self.convolutions(images).flatten(1)))
        return GlimpseTrace(self._answer(state).unsqueeze(1))


def error_by_glimpses(model: DigitClassifier, batches: Iterable, samples: int = 1) -> list[float]:
    """Return the share of canvases, 0 to 1, with any digit wrong after the first, second, … last glimpse.

    A model without glimpses gives a list of one. `samples` independent runs are averaged for each canvas.

    Raises:
        ValueError: if there is no batch.
    """

    def wrong(batch) -> Tensor:
        answers = model.probabilities(batch.images, samples).argmax(dim=-1)  # (batch, glimpses, digits)
        targets = digit_targets(batch.labels, model.digits, model.classes).unsqueeze(1)
        return (answers != targets).any(dim=-1)

    return share_wrong(model, batches, wrong).tolist()


@torch.no_grad()
def share_wrong(model: nn.Module, batches: Iterable, wrong: Callable[[Any], Tensor]) -> Tensor:
    """Average what `wrong` says of the rows of all batches, `(batch, …)` booleans, with the model in `eval()` mode."""
    training = model.training
    model.eval()
    rows = [wrong(batch) for batch in batches]
    model.train(training)
    if not rows:
        raise ValueError("batches is empty; expected at least one batch.")
    return torch.cat(rows).sum(dim=0) / sum(map(len, rows))


def error_rate(model: DigitClassifier, batches: Iterable, samples: int = 1) -> float:
    """Return the share of canvases, 0 to 1, with any digit wrong after the last glimpse; see `error_by_glimpses`."""
    return error_by_glimpses(model, batches, samples)[-1]


@torch.no_grad()
def multiply_adds(model: nn.Module, images: Tensor) -> int:
    """Count the multiplications of matrix products and convolutions in one run over one image.

    Averaging in the retina, exponentials of the window and everything else that is elementwise are not counted.

    Args:
        model: has `trace(images)`.
        images: `(1 or more, channels, height, width)`; only the first one is used.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model.trace(images[:1])
    return counter.get_total_flops() // 2  # the counter takes a product and its sum for two
