"""A batch in pieces of similar length, so that little is spent on padding.

Invariant: how a batch is cut changes memory and speed, never the update.
"""

import math
from collections.abc import Sequence
from itertools import groupby

import torch

from workbench.model.language_model import LanguageModel
from workbench.model.passes import ELSEWHERE, Lengths, tokens_worth

__all__ = ["Lengths", "cheapest_pieces", "pass_cost", "pieces_of", "worth_reading"]

OF_A_PASS = 8
"""A pass by itself costs as much as an eighth of the tokens that keep a device busy."""


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


def pass_cost(model: LanguageModel, layer: int) -> int:
    """What a pass costs beside its texts, in tokens.

    Args:
        model: the base.
        layer: the lowest that works in it.
    """
    return worth_reading(model, layer) or tokens_worth(model.device) // OF_A_PASS


def cheapest_pieces(lengths: Sequence[int], most: int, alone: int) -> list[list[int]]:
    """Texts in the pieces that cost least, with what fills shorter texts up and each pass itself.

    Args:
        lengths: tokens of each text.
        most: texts a piece.
        alone: what a pass costs beside its texts, in tokens.

    Returns:
        The texts' places in `lengths`, those of the shortest first.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    ends, done = [(0, 0)], 0  # after each length: how many texts there are up to it, and the length
    for length, same in groupby(order, key=lengths.__getitem__):
        done += len(list(same))
        ends.append((done, length))
    costs, begun = [0], [0]  # of all texts up to an end, and at which end their last piece begins
    for last, (end, longest) in enumerate(ends[1:], start=1):
        tried = [
            cost + math.ceil((end - start) / most) * alone + (end - start) * longest
            for (start, _), cost in zip(ends[:last], costs, strict=True)
        ]
        costs.append(min(tried))
        begun.append(tried.index(costs[-1]))
    pieces: list[list[int]] = []
    last = len(ends) - 1
    while last:
        start, end = ends[begun[last]][0], ends[last][0]
        parts = [order[first : min(first + most, end)] for first in range(start, end, most)]
        pieces = parts + pieces
        last = begun[last]
    return pieces
