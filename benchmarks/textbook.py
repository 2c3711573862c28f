"""Every lesson's model as one writes it on first reading the paper: each equation where it stands, inside the loop.

A textbook model takes the layers of one of ours and computes the same loss from them (a test compares losses and
gradients); only the order of work differs. Keys are projected anew for every word, words go through cell and output
one position at a time, and glimpses are cut out picture by picture. The benchmark's yardstick, not for use.
"""

import copy

import torch
from torch import Tensor, nn

from course_utils.data.text import PAD
from course_utils.mechanisms.attention import masked_softmax
from course_utils.mechanisms.recurrent import GRUDecoder
from course_utils.mechanisms.vision import Retina
from course_utils.models.entailment import WordByWordAttention


class _Textbook(nn.Module):
    """Holds a copy of one of our models."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = copy.deepcopy(model)


def _next_word(logits: Tensor, words: Tensor) -> Tensor:
    """Cross-entropy summed over real words, of one position of every example."""
    return nn.functional.cross_entropy(logits, words, ignore_index=PAD, reduction="sum")


def _weights(recurrence: nn.Module) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return tuple(getattr(recurrence, name) for name in names)


class TextbookTranslator(_Textbook):
    """Lesson 2's RNNsearch, and lesson 1's RNNEncoderDecoder."""

    def loss(self, batch) -> Tensor:
        """Mean cross-entropy in nats per real target word."""
        model, attention = self.model, self.model.decoder.attention
        if attention is None:
            c, s = model.start(batch.source, batch.source_mask)
        else:
            encoded = model.encoder(model.embed_source(batch.source), batch.source_mask)
            h, s = model.dropout(encoded.outputs), torch.tanh(model.initial(encoded.backward_first))
        total = 0.0
        for word, following in zip(batch.target_input.unbind(dim=1), batch.target_output.unbind(dim=1), strict=True):
            if attention is not None:
                c, _ = attention(s, attention.prepare(h, batch.source_mask))
            y = model.embed_target(word)
            s = torch.gru_cell(torch.cat([y, c], dim=1), s, *_weights(model.decoder.recurrence))
            total = total + _next_word(model.readout(torch.cat([s, y, c], dim=1)), following)
        return total / batch.target_mask.sum()


class TranslatorWithoutAttention(_Textbook):
    """The limit in lesson 2: the same encoder and readout, and one call of `nn.GRU` that reads the mean annotation."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        decoder = model.decoder
        self.model.decoder = GRUDecoder(decoder.input_size, decoder.hidden_size, decoder.context_size)

    def loss(self, batch) -> Tensor:
        """Mean cross-entropy in nats per real target word."""
        model, mask = self.model, batch.target_mask
        encoded = model.encoder(model.embed_source(batch.source), batch.source_mask)
        mean = model.dropout(encoded.outputs).sum(dim=1) / batch.source_mask.sum(dim=1, keepdim=True)
        state = torch.tanh(model.initial(encoded.backward_first))
        features, _ = model.features(batch.target_input, state, mean)
        return nn.functional.cross_entropy(model.readout(features[mask]), batch.target_output[mask])


class TextbookRetina(Retina):
    """Cuts one square after another out of one picture after another."""

    def look(self, framed: Tensor, location: Tensor) -> Tensor:
        """Look at one location in every framed picture; see `Retina.look`."""
        height, width = (side - 2 * self.margin for side in framed.shape[-2:])
        corners = (self._corner(location, height, width) + self.margin).tolist()
        seen = []
        for image, (x, y) in zip(framed, corners, strict=True):
            patches = []
            for k in range(self.scales):
                half = (self.size << k) // 2
                square = image[:, y - half : y + half, x - half : x + half]
                patches.append(nn.functional.avg_pool2d(square, 1 << k))
            seen.append(torch.stack(patches))
        return torch.stack(seen)


class TextbookGlimpses(_Textbook):
    """Lesson 3's recurrent attention model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.model.retina = TextbookRetina(model.retina.size, model.retina.scales)

    def loss(self, batch) -> Tensor:
        """What RAM minimises; see `RecurrentAttentionModel.loss`."""
        return self.model.loss(batch).mean


class PlacedGlimpses(_Textbook):
    """The limit without attention in lesson 3: as many glimpses at places that are known beforehand.

    Nothing that is seen decides where to look next, so all glimpses of all pictures are read at once, and the core is
    one call of `nn.RNN`.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.core = nn.RNN(model.hidden_size, model.hidden_size, nonlinearity="relu", batch_first=True)

    def loss(self, batch) -> Tensor:
        """Cross-entropy of the digit."""
        model, count, batch_size = self.model, self.model.glimpses, len(batch.images)
        framed = model.retina.prepare(batch.images).repeat_interleave(count, dim=0)
        places = 2 * torch.rand(len(framed), 2) - 1
        seen = model.glimpse(model.retina.look(framed, places), places)
        states, _ = self.core(seen.unflatten(0, (batch_size, count)))
        answers = model.output(states).flatten(0, 1)
        return nn.functional.cross_entropy(answers, batch.labels.repeat_interleave(count, dim=0).flatten())


class TextbookCaptioner(_Textbook):
    """Lesson 4's soft attention."""

    def loss(self, batch) -> Tensor:
        """Mean cross-entropy in nats per real word."""
        model, decoder = self.model, self.model.decoder
        a = model.dropout(model.encoder(batch.images))  # cells
        h, c = torch.tanh(model.initial(a.mean(dim=1))).chunk(2, dim=-1)
        every_cell = torch.ones(a.shape[:2], dtype=torch.bool)
        total = 0.0
        for word, following in zip(batch.target_input.unbind(dim=1), batch.target_output.unbind(dim=1), strict=True):
            z, _ = decoder.attention(h, decoder.attention.prepare(a, every_cell))
            z = torch.sigmoid(decoder.gate(h)) * z
            y = model.embedding(word)
            h, c = torch.lstm_cell(torch.cat([y, z], dim=1), (h, c), *_weights(decoder.recurrence))
            t = model.dropout(y + model.from_state(h) + model.from_context(z))
            total = total + _next_word(model.output(t), following)
        return total / batch.target_mask.sum()


class TextbookWordByWord(WordByWordAttention):
    """Computes W_y Y and W_h h_t where the equations write them, for every hypothesis word."""

    def forward(
        self, premise: Tensor, premise_mask: Tensor, hypothesis: Tensor, hypothesis_mask: Tensor, last: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compare; see `WordByWordAttention.forward`."""
        r, weights = torch.zeros_like(last), []
        for t in range(hypothesis.shape[1]):
            query = self.query(hypothesis[:, t]) + self.query_from_found(r)
            m = torch.tanh(self.keys(premise) + query.unsqueeze(1))
            alpha = masked_softmax(self.score(m).squeeze(-1), premise_mask)
            following = (alpha.unsqueeze(2) * premise).sum(dim=1) + torch.tanh(self.carry(r))
            r = torch.where(hypothesis_mask[:, t : t + 1], following, r)
            weights.append(alpha)
        return torch.tanh(self.from_context(r) + self.from_state(last)), torch.stack(weights, dim=1)


class TextbookEntailment(_Textbook):
    """Lesson 5's word-by-word attention."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.model.comparison.__class__ = TextbookWordByWord

    def loss(self, batch) -> Tensor:
        """Cross-entropy of the label, nats per pair."""
        return self.model.loss(batch).mean


class TextbookSpeller(_Textbook):
    """Lesson 6's location-aware attention: F is a convolution, U a layer behind it."""

    def loss(self, batch) -> Tensor:
        """Mean cross-entropy in nats per phoneme."""
        model, attention = self.model, self.model.attention
        h = batch.features
        for layer in model.listener:
            h = model.dropout(layer(h, batch.feature_mask).outputs)
        s, c = h.new_zeros(len(h), model.recurrence.hidden_size), h.new_zeros(len(h), h.shape[2])
        a = h.new_zeros(h.shape[:2])
        a[:, 0] = 1.0
        total = 0.0
        for word, following in zip(batch.target_input.unbind(dim=1), batch.target_output.unbind(dim=1), strict=True):
            s = model.recurrence(torch.cat([model.embedding(word), c], dim=1), s)
            f = attention.filters(a.unsqueeze(1)).transpose(1, 2)  # (batch, steps, filters)
            hidden = attention.query_projection(s).unsqueeze(1) + attention.key_projection(h)
            e = attention.score(torch.tanh(hidden + attention.location_projection(f))).squeeze(2)
            a = masked_softmax(e, batch.feature_mask)
            c = (a.unsqueeze(2) * h).sum(dim=1)
            t = model.dropout(torch.tanh(model.readout(torch.cat([s, c], dim=1))))
            total = total + _next_word(model.output(t), following)
        return total / batch.target_mask.sum()


class SpellerWithoutAttention(_Textbook):
    """The limit without attention in lesson 6: one call of `nn.GRU`, which reads the mean of what was heard."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        cell = model.recurrence
        self.recurrence = nn.GRU(cell.input_size, cell.hidden_size, batch_first=True)

    def loss(self, batch) -> Tensor:
        """Mean cross-entropy in nats per phoneme."""
        model, mask = self.model, batch.target_mask
        heard = model.listen(batch.features, batch.feature_mask).values
        mean = heard.sum(dim=1, keepdim=True) / batch.feature_mask.sum(dim=1)[:, None, None]
        context = mean.expand(-1, mask.shape[1], -1)
        states, _ = self.recurrence(torch.cat([model.embedding(batch.target_input), context], dim=2))
        logits = model._read_out(torch.cat([states, context], dim=2)[mask])
        return nn.functional.cross_entropy(logits, batch.target_output[mask])


class TextbookSummarizer(_Textbook):
    """Lesson 7's attention-based summarizer, one headline word after another, the source smoothed for each."""

    def loss(self, batch) -> Tensor:
        """Mean cross-entropy in nats per real headline word."""
        model, total = self.model, 0.0
        before = batch.source.new_full((len(batch.source), model.context_words), model.padding_word)
        for word, following in zip(batch.target_input.unbind(dim=1), batch.target_output.unbind(dim=1), strict=True):
            before = torch.cat([before[:, 1:], word.unsqueeze(1)], dim=1)  # the last C words
            reading = model._read(before.unsqueeze(1), model.encoder.prepare(batch.source, batch.source_mask))
            total = total + _next_word(model.output(model.dropout(reading.features[:, 0])), following)
        return total / batch.target_mask.sum()
