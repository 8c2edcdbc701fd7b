"""A batch in pieces of similar length, so that little is spent on padding.

Invariant: how a batch is cut changes memory and speed, never the update.
"""

from collections.abc import Sequence
from typing import Protocol

import torch

__all__ = ["Lengths", "pieces_of"]

# Measured for the CPU; a GPU reads all weights anew in each pass, which few tokens do not repay.
TOKENS_WORTH_A_PASS = {"cpu": 256}
ELSEWHERE = 4096


class Lengths(Protocol):
    """Texts of which no more is known than how long each is, such as a `TokenTable`."""

    def length(self, row: int, /) -> int:
        """How many tokens a text has."""


def pieces_of(
    table: Lengths, texts: Sequence[int], most: int, device: torch.device
) -> list[list[int]]:
    """Texts in pieces that have as many as memory allows, and tokens enough to keep a device busy.

    Args:
        table: all texts.
        texts: which of them.
        most: texts a piece.
        device: where they are worked on.
    """
    enough = TOKENS_WORTH_A_PASS.get(device.type, ELSEWHERE)
    pieces: list[list[int]] = [[]]
    tokens = 0
    for text in sorted(texts, key=table.length):
        if tokens >= enough or len(pieces[-1]) == most:
            pieces.append([])
            tokens = 0
        pieces[-1].append(text)
        tokens += table.length(text)
    return pieces
