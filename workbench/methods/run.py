"""What runs of all methods share, so that a method's own file holds what is its own.

The facts' tokens, the weights swapped in, the strict verdict on every fact, and the patch with its
record. Invariant: between two events the model is its untouched base. Knows nothing about files of
facts, pages or processes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from workbench.errors import PatchError
from workbench.facts.fact import Fact
from workbench.measure.strict import strict_matches
from workbench.methods.events import Started
from workbench.methods.record import patch_metadata
from workbench.model.context import Context
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.model.states import HiddenStates
from workbench.model.tokens import TokenTable, tokenize_facts
from workbench.work.events import Event
from workbench.work.settings import SettingsRecord
from workbench.work.stop import Stop

__all__ = ["Run"]


class Run(ABC):
    """One run of a method.

    Args:
        model: the base; it is the same before, between any two events, and after.
        facts: what the model should say from now on.
        settings: of the method, as they were asked for.
        stop: the wish to end the run before its next step.
        checkpoint: what an earlier part of this run saved.

    Raises:
        FactsError: no facts, or one is too long for the model.
        PatchError: there is a checkpoint, but runs of this method cannot go on.
    """

    method: str = ""
    """The key of the method in the table."""

    can_resume: bool = False
    """Whether a run that was stopped can go on from its checkpoint."""

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        settings: SettingsRecord,
        *,
        stop: Stop | None = None,
        checkpoint: str | Path | None = None,
    ) -> None:
        if checkpoint is not None and not self.can_resume:
            raise PatchError("A run of this method cannot go on where it ended. Start it anew.")
        self.model = model
        self.facts = tuple(facts)
        self.stop = stop or Stop()
        tokenized = tokenize_facts(model.tokenizer, self.facts, model.longest)
        self._texts = TokenTable(tokenized, model.device)
        self._settings = settings
        self._states: HiddenStates | None = None

    @property
    def settings(self) -> SettingsRecord:
        """As they were resolved for this model and these facts."""
        return self._settings

    @abstractmethod
    def plan(self) -> Started:
        """What the run will do, without doing any of it."""

    @abstractmethod
    def events(self) -> Iterator[Event]:
        """Runs, and says what happens; the last event is `Finished` or `Stopped`."""

    @property
    @abstractmethod
    def weights(self) -> dict[str, torch.Tensor]:
        """The new values so far by full parameter name, of the model's dtype and device."""

    @property
    def context(self) -> Context | None:
        """What the edit puts before prompts; None for nothing."""
        return None

    def applied(self) -> AbstractContextManager[None]:
        """The model with the weights so far; not while `events` is working on a batch."""
        return self.model.with_weights(self.weights, self.context)

    def learned(self) -> list[bool]:
        """Which facts the weights so far get right, by the strict protocol."""
        with self.applied():
            return strict_matches(self.model, self._texts, self._states)

    @torch.no_grad()
    def weight_change(self) -> float:
        """Norm of (weights so far - base), over all of them, relative to the base's norm."""
        change = base = 0.0
        for name, new in self.weights.items():
            old = self.model.tensor(name)
            change += float((new - old).float().norm()) ** 2
            base += float(old.float().norm()) ** 2
        return (change / base) ** 0.5 if base else 0.0

    def learned_in(self) -> list[int] | None:
        """For each fact the last epoch in which it was wrong; None where nobody counts."""
        return None

    def unwatch(self) -> None:  # noqa: B027
        """Leaves out what a run looks at for people alone; most look at nothing."""

    def save_checkpoint(self, path: str | Path) -> None:
        """Saves the run as it is between two events, so that it can go on later.

        Raises:
            PatchError: the file cannot be written, or runs of this method cannot go on.
        """
        raise PatchError("A run of this method cannot be kept half done.")

    @property
    def kept_texts(self) -> int:
        """How many texts of the facts are brought to the tuned layer before the first step."""
        return len(self._texts)

    @property
    def kept_prompts(self) -> int:
        """How many prompts that must stay are asked of the base before the first step."""
        return 0

    def rehearsal(self) -> "Run | None":
        """A run of a few steps on a few of the facts, to tell how long one takes.

        None where that cannot be told in advance.
        """
        return None

    def patch(self, metrics: dict[str, Any] | None = None) -> Patch:
        """The weights so far as a patch.

        Args:
            metrics: numbers for its record, named by protocol.
        """
        tensors = {name: w.detach().to("cpu", copy=True) for name, w in self.weights.items()}
        record = patch_metadata(
            self.model,
            self.facts,
            method=self.method,
            at=self.plan().at,
            settings=self.settings,
            tensors=tuple(tensors),
            metrics=metrics or {},
        )
        if self.context is not None:
            record["context"] = self.context.as_dict()
        return Patch(tensors, record)
