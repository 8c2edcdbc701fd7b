"""Counting the tokens of facts, as the worker does it while nothing waits.

Invariant: what was counted is kept piece by piece, so that a job that comes in between loses
none of it. Only the worker's process has a model to count with.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.facts import Fact
from workbench.facts.length import too_long
from workbench.store.store import Store
from workbench.work.stop import Stop

if TYPE_CHECKING:
    from workbench.model.language_model import LanguageModel

__all__ = ["LengthKeeper"]

AT_ONCE = 1000  # facts between two looks at what waits


class LengthKeeper:
    """Measures the facts of sessions, and remembers where nothing is left to measure."""

    def __init__(self) -> None:
        self._settled: dict[str, str] = {}

    def measure(self, store: Store, model: "LanguageModel", stop: Stop) -> None:
        """Counts the tokens of every fact that was not measured with this model yet.

        Args:
            store: the session.
            model: the model that its next run edits.
            stop: the wish to give way, because something waits.
        """
        while not stop.asked:
            state = f"{model.name} {store.version('facts')}"
            if self._settled.get(store.id) == state:
                return
            facts = store.lengths.unmeasured(model.name, AT_ONCE)
            if not facts:
                self._settled[store.id] = state
                return
            _measure(store, model, facts)


def _measure(store: Store, model: "LanguageModel", facts: list[tuple[int, Fact]]) -> None:
    tokenizer = model.tokenizer

    def count(texts: list[str]) -> list[int]:
        return [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]

    longest = getattr(model.network.config.get_text_config(), "max_position_embeddings", None)
    limit = None
    if isinstance(longest, int) and longest > 0:
        limit = longest - tokenizer.num_special_tokens_to_add()
    found = too_long([fact for _, fact in facts], count, limit, range(len(facts)))
    by_place = {problem.row: problem for problem in found}
    store.lengths.keep(
        model.name,
        [
            (row, fact, [replace(by_place[place], row=0)] if place in by_place else [])
            for place, (row, fact) in enumerate(facts)
        ],
    )
