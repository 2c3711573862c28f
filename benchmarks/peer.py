"""The `d2l` package of "Dive into Deep Learning" as a peer of the benchmark.

Its pins are old, so it is installed without its dependencies into a folder of its own, and what it imports
but does not need here is replaced by empty modules. The package ships the encoder, the additive attention and the
encoder-decoder; the attention decoder stands only in the book's text, so it is put together here from those parts.
"""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from course_utils.data.batching import Batch
from course_utils.data.text import PAD

REQUIREMENT = "d2l>=1.0.3,<2"


class PeerUnavailable(Exception):
    """Says why there is no peer to compare with."""


class _EmptyModule(ModuleType):
    """Stands for a module that is imported but not used; any attribute is another empty module."""

    def __getattr__(self, name: str) -> ModuleType:
        if name.startswith("__"):
            raise AttributeError(name)
        return _EmptyModule(name)


def load_peer(folder: Path, timeout: float = 120) -> ModuleType:
    """Import `d2l.torch` from `folder`, installing it there first if need be.

    Raises:
        PeerUnavailable: if it cannot be installed or imported.
    """
    if not (folder / "d2l").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), REQUIREMENT]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=timeout)
        except (subprocess.SubprocessError, OSError) as error:
            detail = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            raise PeerUnavailable(f"{REQUIREMENT} could not be installed ({detail[-1] if detail else error})") from None
    empty: list[str] = []
    sys.path.insert(0, str(folder))
    try:
        while len(empty) < 20:
            try:
                return importlib.import_module("d2l.torch")
            except ModuleNotFoundError as error:
                if error.name is None or error.name.startswith("d2l"):
                    raise
                sys.modules[error.name] = _EmptyModule(error.name)
                empty.append(error.name)
        raise PeerUnavailable(f"{REQUIREMENT} misses too much: {', '.join(empty)}")
    except PeerUnavailable:
        raise
    except Exception as error:  # whatever a package of another time does when it meets today's libraries
        raise PeerUnavailable(f"{REQUIREMENT} does not import: {error}") from None
    finally:
        sys.path.remove(str(folder))
        for name in empty:
            del sys.modules[name]


def build_peer(peer: ModuleType, vocabulary_size: int, embedding_size: int, hidden_size: int) -> nn.Module:
    """Join the peer's encoder to an attention decoder made of its parts; the result has `loss(batch)`."""

    class AttentionDecoder(peer.AttentionDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(vocabulary_size, embedding_size)
            self.attention = peer.AdditiveAttention(hidden_size, dropout=0.0)
            self.rnn = peer.GRU(embedding_size + hidden_size, hidden_size, num_layers=1)
            self.dense = nn.Linear(hidden_size, vocabulary_size)

        def init_state(self, encoded: tuple[Tensor, Tensor], source_lengths: Tensor):
            outputs, last = encoded
            return outputs.transpose(0, 1), last, source_lengths

        def forward(self, target_input: Tensor, state):
            annotations, hidden, source_lengths = state
            outputs = []
            for word in self.embedding(target_input).unbind(dim=1):
                context = self.attention(hidden[-1].unsqueeze(1), annotations, annotations, source_lengths)
                output, hidden = self.rnn(torch.cat([context.transpose(0, 1), word.unsqueeze(0)], dim=-1), hidden)
                outputs.append(output)
            return self.dense(torch.cat(outputs)).transpose(0, 1), [annotations, hidden, source_lengths]

    class Peer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            encoder = peer.Seq2SeqEncoder(vocabulary_size, embedding_size, hidden_size, num_layers=1)
            self.system = peer.EncoderDecoder(encoder, AttentionDecoder())

        def loss(self, batch: Batch) -> Tensor:
            logits = self.system(batch.source, batch.target_input, batch.source_mask.sum(dim=1))
            each = self.system.loss(logits, batch.target_output, averaged=False)
            real = (batch.target_output != PAD).flatten()
            return (each * real).sum() / real.sum()

    return Peer()
