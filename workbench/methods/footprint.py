"""The memory that a run works in, besides the weights that it tunes: an estimate."""

from collections.abc import Sequence

from workbench.model.language_model import LanguageModel
from workbench.model.tokens import TokenTable

__all__ = ["activation_bytes", "states_bytes"]


def states_bytes(model: LanguageModel, table: TokenTable, more: int = 0) -> int:
    """Bytes of the hidden states that are kept for every text.

    Args:
        model: the base.
        table: the texts.
        more: tokens of others.
    """
    tokens = sum(text.length for text in table.texts) + more
    return tokens * model.shape.hidden_size * model.dtype.itemsize


def activation_bytes(
    model: LanguageModel, table: TokenTable, pieces: Sequence[Sequence[int]], layer: int
) -> int:
    """Bytes that the largest piece of a batch holds on to for its backward pass.

    34 bytes a token, layer and hidden unit in 16 bits (Korthikanti et al., arXiv 2205.05198,
    without the attention scores, which short texts hardly need), and for its targets the
    logits and their gradient, once in the model's dtype and once in float32.

    Args:
        model: the base.
        table: the texts.
        pieces: the rows of each piece.
        layer: the lowest that is tuned.
    """
    tokens = max(len(piece) * max(map(table.length, piece)) for piece in pieces)
    targets = max(sum(len(table.texts[row].target) for row in piece) for piece in pieces)
    width, shape = model.dtype.itemsize, model.shape
    passed_on = 17 * width * tokens * (model.layer_count - layer) * shape.hidden_size
    return passed_on + targets * shape.vocab_size * 2 * (width + 4)
