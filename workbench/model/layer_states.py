"""What enters each layer, for some texts that are asked about at one layer after another.

States are advanced from the nearest layer below at which they are kept, never from the start
where anything is kept. Invariant: what is kept was computed with the untouched base. Knows
nothing about why a layer is asked for.
"""

from collections.abc import Collection, Generator

from workbench.model.language_model import LanguageModel
from workbench.model.passes import Advanced
from workbench.model.states import HiddenStates, advancing
from workbench.model.tokens import TokenTable

__all__ = ["LayerStates"]


class LayerStates:
    """Hidden states of some texts at a few layers.

    Args:
        model: the base.
        texts: the texts.
    """

    def __init__(self, model: LanguageModel, texts: TokenTable) -> None:
        self._model = model
        self._texts = texts
        self._kept: dict[int, HiddenStates] = {}

    @property
    def texts(self) -> int:
        """How many texts there are."""
        return len(self._texts)

    def reaching(self, layer: int) -> Generator[Advanced, None, HiddenStates | None]:
        """Computes what enters a layer, and keeps it; says how far it is.

        Returns:
            The states; None where the plain forward is used.

        Raises:
            MemoryShortage: not even one text fits.
        """
        if not self._model.states_kept or layer == 0:
            return None
        if layer not in self._kept:
            below = max((kept for kept in self._kept if kept < layer), default=None)
            start = self._kept[below] if below is not None else None
            self._kept[layer] = yield from advancing(self._model, self._texts, start, layer)
        return self._kept[layer]

    def forget_all_but(self, layers: Collection[int]) -> None:
        """Frees the states at every other layer."""
        self._kept = {layer: states for layer, states in self._kept.items() if layer in layers}
