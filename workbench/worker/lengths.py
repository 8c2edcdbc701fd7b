"""Counting the tokens of facts, and looking for special ones, while nothing waits for the worker.

Invariant: what was counted is kept piece by piece, so that a job that comes in between loses
none of it. Only the worker's process has a model to count with.
"""

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.facts import Fact, Problem
from workbench.facts.length import too_long
from workbench.facts.special import special_tokens
from workbench.model.special import special_texts
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
    asked, places = [fact for _, fact in facts], range(len(facts))
    found: dict[int, list[Problem]] = defaultdict(list)
    for problem in (
        *too_long(asked, count, limit, places),
        *special_tokens(asked, special_texts(tokenizer), places),
    ):
        found[problem.row].append(replace(problem, row=0))
    store.lengths.keep(
        model.name, [(row, fact, found[place]) for place, (row, fact) in enumerate(facts)]
    )
