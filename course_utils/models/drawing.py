"""DRAW: a network that draws an image step by step, through a window that it moves over the canvas.

A pair of recurrent networks: the encoder reads the image and what is still wrong on the canvas, the decoder adds a
stroke. With `attention` both work through Gaussian windows (`mechanisms.vision.GaussianWindow`); without, both read and
write the whole image at every step. Everything is differentiable, so plain back-propagation trains it.
"""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from course_utils.mechanisms.vision import GaussianWindow


class DrawingLoss(NamedTuple):
    """The bound on −log p(image), averaged over a batch; nats per image.

    Attributes:
        mean: scalar, reconstruction + divergence: an upper bound of −log p, so lower is better.
        reconstruction: scalar, −log p(x | z), the Bernoulli cross-entropy of all pixels.
        divergence: scalar, Σ_t KL(q(z_t | x) ‖ N(0, I)).
    """

    mean: Tensor
    reconstruction: Tensor
    divergence: Tensor


class DrawingTrace(NamedTuple):
    """A drawing as it came to be.

    Attributes:
        canvases: `(batch, steps, channels, height, width)`, probabilities of ink after each step.
        write_boxes: `(batch, steps, 4)` in pixels, the window that was written to; None without attention.
        read_boxes: the same of the window that was read; None without attention and for generated images.
        divergences: `(batch, steps)`, nats, KL of each step's posterior; None for generated images.
    """

    canvases: Tensor
    write_boxes: Tensor | None
    read_boxes: Tensor | None
    divergences: Tensor | None


class DRAW(nn.Module):
    """Deep recurrent attentive writer, with attention or without.

    x̂_t = x − σ(c_{t-1})                               what is still wrong
    r_t = read(x, x̂_t, h_dec_{t-1})
    h_enc_t = LSTM(h_enc_{t-1}, [r_t, h_dec_{t-1}])
    z_t ~ N(μ(h_enc_t), σ(h_enc_t)²)                    from N(0, I) when an image is generated
    h_dec_t = LSTM(h_dec_{t-1}, z_t)
    c_t = c_{t-1} + write(h_dec_t)
    loss = −log Bernoulli(x; σ(c_T)) + ½ Σ_t Σ (μ_t² + σ_t² − log σ_t² − 1)

    The bound holds for images of zeros and ones. For grey pixels the same loss can be lowered, but it bounds nothing:
    use `CanvasSettings(binary=True)`.

    Source: Gregor et al. 2015, arXiv 1502.04623, section 2 (equations 3 to 12) and sections 3.1 to 3.3.

    Args:
        height, width, channels: of the image.
        steps: T.
        attention: read and write through windows; False = whole images.
        read_size, write_size: N of the two windows.
        hidden_size: of encoder and decoder.
        latent_size: of each z_t.
    """

    def __init__(
        self,
        height: int = 28,
        width: int = 28,
        channels: int = 1,
        steps: int = 10,
        attention: bool = True,
        read_size: int = 5,
        write_size: int = 5,
        hidden_size: int = 128,
        latent_size: int = 16,
    ) -> None:
        super().__init__()
        self.steps, self.attention, self.hidden_size, self.latent_size = steps, attention, hidden_size, latent_size
        self.shape = (channels, height, width)
        if attention:
            self.read_window, self.write_window = GaussianWindow(read_size), GaussianWindow(write_size)
            self.read_aim, self.write_aim = nn.Linear(hidden_size, 5), nn.Linear(hidden_size, 5)
            for aim, window in ((self.read_aim, self.read_window), (self.write_aim, self.write_window)):
                stride = (max(height, width) - 1) / (window.size - 1)
                variance = (stride / 2) ** 2  # zeros are a window as wide as the image; this σ leaves no gaps in it
                # A filter sums to one, so a wide one writes faintly: 2πσ² times fainter.
                log_intensity = -math.log(2 * math.pi * variance) if aim is self.write_aim else 0.0
                nn.init.normal_(aim.weight, std=0.01)
                with torch.no_grad():
                    aim.bias.copy_(torch.tensor([0.0, 0.0, math.log(variance), 0.0, log_intensity]))
            read_entries, write_entries = 2 * channels * read_size**2, channels * write_size**2
        else:
            read_entries, write_entries = 2 * channels * height * width, channels * height * width
        self.encoder = nn.LSTMCell(read_entries + hidden_size, hidden_size)
        self.posterior = nn.Linear(hidden_size, 2 * latent_size)
        self.decoder = nn.LSTMCell(latent_size, hidden_size)
        self.stroke = nn.Linear(hidden_size, write_entries)
        self.first_canvas = nn.Parameter(torch.full((1, *self.shape), -2.0))  # c_0, log-odds: mostly dark
        self.first_encoder_state = nn.Parameter(torch.zeros(1, hidden_size))
        self.first_decoder_state = nn.Parameter(torch.zeros(1, hidden_size))

    def loss(self, batch, generator: Generator | None = None) -> DrawingLoss:
        """Compute the bound with one sample of z, for `batch.images` `(batch, channels, height, width)` from 0 to 1."""
        log_odds, trace = self._run(batch.images, len(batch.images), generator, every_step=False)
        reconstruction = nn.functional.binary_cross_entropy_with_logits(log_odds, batch.images, reduction="sum")
        reconstruction, divergence = reconstruction / len(log_odds), trace.divergences.sum(dim=1).mean()
        return DrawingLoss(reconstruction + divergence, reconstruction.detach(), divergence.detach())

    @torch.no_grad()
    def reconstruct(self, images: Tensor, generator: Generator | None = None) -> DrawingTrace:
        """Draw given images `(batch, channels, height, width)` anew while reading them."""
        return self._run(images, len(images), generator, every_step=True)[1]

    @torch.no_grad()
    def generate(self, count: int, generator: Generator | None = None) -> DrawingTrace:
        """Generate images: every z_t comes from N(0, I)."""
        return self._run(None, count, generator, every_step=True)[1]

    def _run(
        self, images: Tensor | None, count: int, generator: Generator | None, every_step: bool
    ) -> tuple[Tensor, DrawingTrace]:
        """Draw `count` images; return the last canvas in log-odds and, with `every_step`, all of them."""
        if images is not None and images.shape[1:] != self.shape:
            raise ValueError(
                f"images has shape {tuple(images.shape)}; expected (batch, {', '.join(map(str, self.shape))}), "
                "the size that the model was built for."
            )
        canvas = self.first_canvas.expand(count, -1, -1, -1)
        encoder_state = self.first_encoder_state.expand(count, -1)
        decoder_state = self.first_decoder_state.expand(count, -1)
        encoder_cell = decoder_cell = torch.zeros_like(decoder_state)
        canvases, write_boxes, read_boxes, divergences = [], [], [], []
        for _ in range(self.steps):
            noise = torch.randn(
                count, self.latent_size, dtype=canvas.dtype, generator=generator, device=generator and generator.device
            ).to(canvas.device)
            if images is None:
                latent = noise
            else:
                glimpse, box = self._read(images, images - torch.sigmoid(canvas), decoder_state)
                seen = torch.cat([glimpse, decoder_state], dim=1)
                encoder_state, encoder_cell = self.encoder(seen, (encoder_state, encoder_cell))
                mean, log_variance = self.posterior(encoder_state).chunk(2, dim=1)
                latent = mean + (log_variance / 2).exp() * noise
                divergences.append(gaussian_divergence(mean, log_variance))
                read_boxes.append(box)
            decoder_state, decoder_cell = self.decoder(latent, (decoder_state, decoder_cell))
            addition, box = self._write(decoder_state)
            canvas = canvas + addition
            write_boxes.append(box)
            if every_step:
                canvases.append(torch.sigmoid(canvas))
        return canvas, DrawingTrace(
            torch.stack(canvases, dim=1) if every_step else canvas,
            torch.stack(write_boxes, dim=1) if self.attention else None,
            torch.stack(read_boxes, dim=1) if self.attention and read_boxes else None,
            torch.stack(divergences, dim=1) if divergences else None,
        )

    def _read(self, images: Tensor, wrong: Tensor, state: Tensor) -> tuple[Tensor, Tensor | None]:
        both = torch.cat([images, wrong], dim=1)  # (batch, 2 * channels, height, width)
        if not self.attention:
            return both.flatten(1), None
        window = self.read_window.parameters(self.read_aim(state), *self.shape[1:])
        return self.read_window.read(both, window).flatten(1), self.read_window.boxes(window).detach()

    def _write(self, state: Tensor) -> tuple[Tensor, Tensor | None]:
        stroke = self.stroke(state)
        if not self.attention:
            return stroke.view(-1, *self.shape), None
        window = self.write_window.parameters(self.write_aim(state), *self.shape[1:])
        patch = stroke.view(len(state), self.shape[0], self.write_window.size, self.write_window.size)
        return self.write_window.write(patch, window, *self.shape[1:]), self.write_window.boxes(window).detach()


def gaussian_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) summed over the last dimension, nats; `log_variance` is log σ².

    Source: Gregor et al. 2015, arXiv 1502.04623, equation 11.
    """
    return (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=-1) / 2
