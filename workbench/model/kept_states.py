"""Hidden states from what a store has kept: only what is missing is computed, from where it is.

Texts may be at different layers, because they are new, or because an earlier way was broken off.
Those that are behind catch up first; then all go on together.
"""

import time
from collections.abc import Generator, Sequence

from workbench.model.hidden_states import HiddenStates
from workbench.model.language_model import LanguageModel
from workbench.model.passes import Advanced
from workbench.model.states import advancing
from workbench.model.states_store import StatesStore
from workbench.model.tokens import TokenTable

__all__ = ["keeping"]

EVERY = 60.0  # seconds between two states of a way that are kept


class _Keeper:
    """Keeps what is on its way, now and then, and when the way is broken off."""

    def __init__(self, store: StatesStore, model: LanguageModel, texts: TokenTable, to: int):
        self._store, self._model, self._texts, self._to = store, model, texts, to
        self._kept = time.monotonic()

    def keep(
        self, layer: int, states: HiddenStates, rows: Sequence[int], *, at_once: bool = False
    ) -> None:
        """See `StatesKeeper`."""
        if not at_once and time.monotonic() - self._kept < EVERY:
            return
        there = HiddenStates(layer, states.flat, states.starts)
        self._store.add(self._model, self._texts, there, rows, on_way=layer < self._to)
        self._kept = time.monotonic()


def keeping(
    model: LanguageModel,
    texts: TokenTable,
    to: int,
    store: StatesStore,
    *,
    memory_limit: int | None = None,
    rows: Sequence[int] | None = None,
) -> Generator[Advanced, None, HiddenStates]:
    """What enters a layer, read where it is kept, computed where it is not, and kept.

    Broken off, it keeps how far each text has come; a process that is killed has kept that up to a
    minute before.

    Args:
        model: the base, with no weights swapped in.
        texts: the texts.
        to: the layer.
        store: what keeps them.
        memory_limit: see `advance`.
        rows: see `advancing`.

    Yields:
        How far the texts are that have some way to go.

    Raises:
        MemoryShortage: not even one text fits.
    """
    wanted = list(range(len(texts)) if rows is None else rows)
    keeper = _Keeper(store, model, texts, to)
    levels = dict.fromkeys(wanted, 0)
    for layer in store.layers(model):
        if layer <= to:
            levels |= dict.fromkeys(store.known(model, layer, texts, wanted), layer)
    states: HiddenStates | None = None
    going: list[int] = []
    for level in sorted({*levels.values(), to}):
        if going and level:
            states = yield from advancing(
                model, texts, states, level, memory_limit=memory_limit, rows=going, keeper=keeper
            )
        here = [row for row in wanted if levels[row] == level]
        if here and level:
            joined = store.read(model, level, texts, here, also=going, memory_limit=memory_limit)
            if joined is None:  # it went away, or is damaged
                states = yield from advancing(
                    model, texts, None, to, memory_limit=memory_limit, rows=wanted, keeper=keeper
                )
                break
            if states is not None:
                joined.take(states, going)
            states = joined
        going += here
    assert states is not None
    if store.add(model, texts, states, wanted):
        store.forget_way(model, to)
    return states
