"""Every lesson's model as one writes it on first reading the paper: each equation where it stands, inside the loop.

A textbook model takes the layers of one of ours and computes the same loss from them (a test compares losses and
gradients); only the order of work differs. Keys are projected anew for every word, words go through cell and output
one position at a time, and glimpses are cut out image by image. The benchmark's yardstick, not for use.
"""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_utils.data.text import PAD
from course_utils.mechanisms.attention import masked_softmax
from course_utils.mechanisms.recurrent import GRUDecoder
from course_utils.mechanisms.vision import Retina
from course_utils.models.entailment import WordByWordAttention


class Textbook(nn.Module):
    """Holds a copy of one of our models."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = copy.deepcopy(model)

    def begin(self, batch) -> Callable[[Tensor], Tensor]:
        """Encode; return what makes logits of the next word from the previous one, `(batch,)` to `(batch, words)`."""
        raise NotImplementedError

    def loss(self, batch) -> Tensor:
        """Mean cross-entropy in nats per real target word."""
        total, logits_after = 0.0, self.begin(batch)
        for word, following in zip(batch.target_input.unbind(dim=1), batch.target_output.unbind(dim=1), strict=True):
            logits = logits_after(word)
            total = total + nn.functional.cross_entropy(logits, following, ignore_index=PAD, reduction="sum")
        return total / batch.target_mask.sum()


def _weights(recurrence: nn.Module) -> list[Tensor]:
    return [getattr(recurrence, f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


class TextbookTranslator(Textbook):
    """Lesson 2's RNNsearch, and lesson 1's RNNEncoderDecoder."""

    def begin(self, batch) -> Callable[[Tensor], Tensor]:
        model, attention = self.model, self.model.decoder.attention
        if attention is None:
            c, s = model.start(batch.source, batch.source_mask)
        else:
            encoded = model.encoder(model.embed_source(batch.source), batch.source_mask)
            h, s = model.dropout(encoded.outputs), torch.tanh(model.initial(encoded.backward_first))

        def logits_after(word: Tensor) -> Tensor:
            nonlocal c, s
            if attention is not None:
                c, _ = attention(s, attention.prepare(h, batch.source_mask))
            y = model.embed_target(word)
            s = torch.gru_cell(torch.cat([y, c], dim=1), s, *_weights(model.decoder.recurrence))
            return model.readout(torch.cat([s, y, c], dim=1))

        return logits_after


class TranslatorWithoutAttention(Textbook):
    """The limit in lesson 2: the same encoder and readout, and one call of `nn.GRU` that reads the mean annotation."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        decoder = model.decoder
        embedding = self.model.target_embedding.embedding_dim
        self.model.decoder = GRUDecoder(
            embedding, decoder.recurrence.hidden_size, decoder.recurrence.input_size - embedding
        )

    def loss(self, batch) -> Tensor:
        model, mask = self.model, batch.target_mask
        encoded = model.encoder(model.embed_source(batch.source), batch.source_mask)
        mean = model.dropout(encoded.outputs).sum(dim=1) / batch.source_mask.sum(dim=1, keepdim=True)
        state = torch.tanh(model.initial(encoded.backward_first))
        features = model.read(batch.target_input, state, mean).features
        return nn.functional.cross_entropy(model.readout(features[mask]), batch.target_output[mask])


class TextbookRetina(Retina):
    """Cuts one square after another out of one image after another."""

    def glimpse(self, framed: Tensor, location: Tensor) -> Tensor:
        height, width = (side - 2 * self.margin for side in framed.shape[-2:])
        corners = (self._corner(location, height, width) + self.margin).tolist()
        seen = []
        for image, (x, y) in zip(framed, corners, strict=True):
            halves = [(self.size << k) // 2 for k in range(self.scales)]
            squares = [image[:, y - half : y + half, x - half : x + half] for half in halves]
            seen.append(torch.stack([nn.functional.avg_pool2d(square, 1 << k) for k, square in enumerate(squares)]))
        return torch.stack(seen)


class TextbookGlimpses(Textbook):
    """Lesson 3's recurrent attention model; the loss is what RAM minimises."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.model.retina = TextbookRetina(model.retina.size, model.retina.scales)

    def loss(self, batch) -> Tensor:
        return self.model.loss(batch).mean


class PlacedGlimpses(Textbook):
    """The limit without attention in lesson 3: as many glimpses at places that are known beforehand.

    Nothing that is seen decides where the next glimpse is, so all glimpses of all images are read at once, and the
    core is one call of `nn.RNN`.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.core = nn.RNN(model.hidden_size, model.hidden_size, nonlinearity="relu", batch_first=True)

    def loss(self, batch) -> Tensor:
        model, count, batch_size = self.model, self.model.glimpses, len(batch.images)
        framed = model.retina.prepare(batch.images).repeat_interleave(count, dim=0)
        places = 2 * torch.rand(len(framed), 2) - 1
        seen = model.glimpse(model.retina.glimpse(framed, places), places)
        states, _ = self.core(seen.unflatten(0, (batch_size, count)))
        answers = model.output(states).flatten(0, 1)
        return nn.functional.cross_entropy(answers, batch.labels.repeat_interleave(count, dim=0).flatten())


class TextbookCaptioner(Textbook):
    """Lesson 4's soft attention."""

    def begin(self, batch) -> Callable[[Tensor], Tensor]:
        model, decoder = self.model, self.model.decoder
        a = model.dropout(model.encoder(batch.images))  # cells
        h, c = torch.tanh(model.initial(a.mean(dim=1))).chunk(2, dim=-1)
        every_cell = torch.ones(a.shape[:2], dtype=torch.bool)

        def logits_after(word: Tensor) -> Tensor:
            nonlocal h, c
            z, _ = decoder.attention(h, decoder.attention.prepare(a, every_cell))
            z = torch.sigmoid(decoder.gate(h)) * z
            y = model.embedding(word)
            h, c = torch.lstm_cell(torch.cat([y, z], dim=1), (h, c), *_weights(decoder.recurrence))
            return model.output(model.dropout(y + model.from_state(h) + model.from_context(z)))

        return logits_after


class TextbookWordByWord(WordByWordAttention):
    """Computes W_y Y and W_h h_t where the equations write them, for every hypothesis word."""

    def forward(
        self, premise: Tensor, premise_mask: Tensor, hypothesis: Tensor, hypothesis_mask: Tensor, last: Tensor
    ) -> tuple[Tensor, Tensor]:
        r, weights = torch.zeros_like(last), []
        for t in range(hypothesis.shape[1]):
            query = self.query(hypothesis[:, t]) + self.query_from_found(r)
            m = torch.tanh(self.keys(premise) + query.unsqueeze(1))
            alpha = masked_softmax(self.score(m).squeeze(-1), premise_mask)
            following = (alpha.unsqueeze(2) * premise).sum(dim=1) + torch.tanh(self.carry(r))
            r = torch.where(hypothesis_mask[:, t : t + 1], following, r)
            weights.append(alpha)
        return torch.tanh(self.from_context(r) + self.from_state(last)), torch.stack(weights, dim=1)


class TextbookEntailment(Textbook):
    """Lesson 5's word-by-word attention; the loss is the cross-entropy of the label."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.model.comparison.__class__ = TextbookWordByWord

    def loss(self, batch) -> Tensor:
        return self.model.loss(batch).mean


class TextbookSpeller(Textbook):
    """Lesson 6's location-aware attention: F is a convolution, U a layer behind it."""

    def begin(self, batch) -> Callable[[Tensor], Tensor]:
        model, attention = self.model, self.model.attention
        h = batch.features
        for layer in model.listener:
            h = model.dropout(layer(h, batch.feature_mask).outputs)
        s, c = h.new_zeros(len(h), model.recurrence.hidden_size), h.new_zeros(len(h), h.shape[2])
        a = h.new_zeros(h.shape[:2])
        a[:, 0] = 1.0

        def logits_after(word: Tensor) -> Tensor:
            nonlocal s, c, a
            s = model.recurrence(torch.cat([model.embedding(word), c], dim=1), s)
            f = attention.filters(a.unsqueeze(1)).transpose(1, 2)  # (batch, steps, filters)
            hidden = attention.query_projection(s).unsqueeze(1) + attention.key_projection(h)
            e = attention.score(torch.tanh(hidden + attention.location_projection(f))).squeeze(2)
            a = masked_softmax(e, batch.feature_mask)
            c = (a.unsqueeze(2) * h).sum(dim=1)
            return model.output(model.dropout(torch.tanh(model.readout(torch.cat([s, c], dim=1)))))

        return logits_after


class SpellerWithoutAttention(Textbook):
    """The limit without attention in lesson 6: one call of `nn.GRU`, which reads the mean of what was heard."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        cell = model.recurrence
        self.recurrence = nn.GRU(cell.input_size, cell.hidden_size, batch_first=True)

    def loss(self, batch) -> Tensor:
        model, mask = self.model, batch.target_mask
        heard = model.listen(batch.features, batch.feature_mask).values
        mean = heard.sum(dim=1, keepdim=True) / batch.feature_mask.sum(dim=1)[:, None, None]
        context = mean.expand(-1, mask.shape[1], -1)
        states, _ = self.recurrence(torch.cat([model.embedding(batch.target_input), context], dim=2))
        logits = model.scores(torch.cat([states, context], dim=2)[mask])
        return nn.functional.cross_entropy(logits, batch.target_output[mask])


class TextbookSummarizer(Textbook):
    """Lesson 7's attention-based summarizer, one headline word after another, the source smoothed for each."""

    def begin(self, batch) -> Callable[[Tensor], Tensor]:
        model = self.model
        before = batch.source.new_full((len(batch.source), model.context_words), model.padding_word)

        def logits_after(word: Tensor) -> Tensor:
            nonlocal before
            before = torch.cat([before[:, 1:], word.unsqueeze(1)], dim=1)  # the last C words
            h = torch.tanh(model.hidden(model.dropout(model.target_embedding(before)).flatten(1)))
            encoded, _ = model.encoder(before.unsqueeze(1), model.encoder.prepare(batch.source, batch.source_mask))
            return model.output(model.dropout(torch.cat([h, encoded[:, 0]], dim=1)))

        return logits_after


TEXTBOOKS: dict[str, type[Textbook]] = {
    "rnn-encoder-decoder": TextbookTranslator,
    "rnn-search": TextbookTranslator,
    "ram": TextbookGlimpses,
    "soft": TextbookCaptioner,
    "word-by-word": TextbookEntailment,
    "location": TextbookSpeller,
    "abs-attention": TextbookSummarizer,
}
"""System → the same as a textbook loop."""
LIMITS: dict[str, str | type[Textbook]] = {
    "rnn-search": TranslatorWithoutAttention,
    "ram": PlacedGlimpses,
    "soft": "none-mean",
    "word-by-word": "conditional",
    "location": SpellerWithoutAttention,
    "abs-attention": "abs-bag",
}
"""System → what is left of it without attention: another system of its lesson, or a class around it."""
