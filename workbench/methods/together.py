"""A step's texts: the facts and what must stay, in pieces that both share.

Both are asked of the same weights, so that a piece of like texts goes through the model once,
whatever they are for. Invariant: how a step is cut changes memory and speed, never the update.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from workbench.methods.keep import KeepSet
from workbench.methods.pieces import cheapest_pieces
from workbench.model.hidden_states import HiddenStates
from workbench.model.language_model import LanguageModel
from workbench.model.states import both_logits, kept_logits
from workbench.model.tokens import TokenTable

__all__ = ["Piece", "logits_of", "shared_pieces"]


@dataclass(frozen=True, slots=True)
class Piece:
    """What goes through the model at once.

    Args:
        texts: of facts.
        kept: of what must stay.
    """

    texts: list[int]
    kept: list[int]


def shared_pieces(
    table: TokenTable,
    texts: Sequence[int],
    keep: KeepSet | None,
    kept: Sequence[int],
    most: int,
    alone: int,
) -> list[Piece]:
    """Texts of facts and of what must stay, by length (see `cheapest_pieces`).

    Args:
        table: of the facts.
        texts: which of them.
        keep: what must stay.
        kept: which of it.
        most: texts a piece.
        alone: what a pass costs beside its texts, in tokens.
    """
    lengths = [table.length(text) for text in texts]
    lengths += keep.lengths(kept) if keep is not None and kept else []
    return [
        Piece(
            [texts[place] for place in places if place < len(texts)],
            [kept[place - len(texts)] for place in places if place >= len(texts)],
        )
        for places in cheapest_pieces(lengths, most, alone)
    ]


def logits_of(
    model: LanguageModel,
    table: TokenTable,
    states: HiddenStates | None,
    keep: KeepSet | None,
    piece: Piece,
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the model says where the targets of a piece are: of the facts, and of what must stay.

    Args:
        model: with the weights so far.
        table: of the facts.
        states: of the facts' texts.
        keep: what must stay.
        piece: of `shared_pieces`.
    """
    none = torch.empty(0, device=model.device)
    if keep is None or not piece.kept:
        return kept_logits(model, table.batch(piece.texts), piece.texts, states), none
    if not piece.texts:
        return none, keep.logits(piece.kept)
    asked = table.batch(piece.texts), piece.texts, states
    return both_logits(model, asked, keep.asked(piece.kept))
