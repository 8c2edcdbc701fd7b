"""In-context: the facts are looked up and put before each prompt; no weight changes.

What Zheng et al., "Can We Edit Factual Knowledge by In-Context Learning?", arXiv 2305.12740, do by
demonstrations chosen for each edit is done here by the facts' own sentences, found by BM25
(Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond"). The edit is a
patch without tensors: whoever asks the model with it asks with the facts before the prompt. It
costs tokens at every question instead of steps before the first.
"""

import time
from collections.abc import Iterator
from typing import Any

import torch

from workbench.errors import FactsError, ModelError
from workbench.facts.fact import Fact
from workbench.methods.base import IN_CONTEXT
from workbench.methods.events import EpochDone, Finished, Started, Stopped
from workbench.methods.run import Run
from workbench.model.context import Context
from workbench.model.patch_record import LONGEST_TEXT
from workbench.work.events import Event

__all__ = ["ContextRun", "statement"]


def statement(fact: Fact) -> str:
    """A fact as a sentence, such as it stands before prompts."""
    said = f"{fact.prompt} {fact.target_new}"
    return said if said.endswith((".", "!", "?", "。")) else f"{said}."


class ContextRun(Run):
    """One run; see `Run` for its arguments and errors.

    Raises:
        FactsError: a fact is too long to be kept in a record.
        ModelError: layers of the model are not in memory.
        SettingsError: bm25s is not installed.
    """

    method = IN_CONTEXT.key
    settings: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.model.stream is not None:
            raise ModelError(
                "Facts before prompts need a model that is in memory as a whole. Choose another "
                "method, or give it more memory."
            )
        statements = tuple(map(statement, self.facts))
        for number, said in enumerate(statements, start=1):
            if len(said) > LONGEST_TEXT:
                raise FactsError(
                    f"Fact {number} has {len(said):,} characters; {LONGEST_TEXT:,} can stand "
                    "before a prompt. Shorten it."
                )
        self._context = Context(statements, self.settings.most)
        self._context.nearest(statements[0])  # is the package there?

    @property
    def context(self) -> Context:
        """The facts' sentences."""
        return self._context

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """None changes."""
        return {}

    def plan(self) -> Started:
        """What the run will do, without doing any of it."""
        kept = sum(len(said.encode()) for said in self._context.statements)
        facts = len(self.facts)
        return Started(facts, (), 0.0, facts, 1, 0, 0, kept, 0)

    def events(self) -> Iterator[Event]:
        """Looks whether each fact is found and said; the last event is `Finished` or `Stopped`."""
        began = time.monotonic()
        yield self.plan()
        if self.stop.asked:
            yield Stopped(0, 1)
            return
        right = self.learned()
        seconds = time.monotonic() - began
        yield EpochDone(1, 1, 0.0, sum(right) / len(right), seconds)
        yield Finished("epochs", 1, 0, seconds, ())
