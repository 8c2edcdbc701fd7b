"""A batch in pieces of similar length, so that little is spent on padding.

Invariant: how a batch is cut changes memory and speed, never the update.
"""

from collections.abc import Sequence

import torch

from workbench.model.language_model import LanguageModel
from workbench.model.passes import ELSEWHERE, Lengths, tokens_worth

__all__ = ["Lengths", "pieces_of", "worth_reading"]


def worth_reading(model: LanguageModel, layer: int) -> int | None:
    """How many tokens repay that layers are read for them; None where none has to be.

    Args:
        model: the base.
        layer: the lowest that works in a step.
    """
    return ELSEWHERE if model.placement.streams_from(layer) else None


def pieces_of(
    table: Lengths,
    texts: Sequence[int],
    most: int,
    device: torch.device,
    worth: int | None = None,
) -> list[list[int]]:
    """Texts in pieces that have as many as memory allows, and tokens enough to keep a device busy.

    Args:
        table: all texts.
        texts: which of them.
        most: texts a piece.
        device: where they are worked on.
        worth: tokens that repay a pass; None for what is usual on that device.
    """
    enough = worth or tokens_worth(device)
    pieces: list[list[int]] = [[]]
    tokens = 0
    for text in sorted(texts, key=table.length):
        if tokens >= enough or len(pieces[-1]) == most:
            pieces.append([])
            tokens = 0
        pieces[-1].append(text)
        tokens += table.length(text)
    return pieces
