"""The loop of methods that write facts in closed form, some at a time, without an optimizer.

The next facts are written into the weights that those before leave. An "epoch" of the events is one
such turn; it counts as learned what is right after it. What lies below the first layer is computed
once. Invariant: between two events the model is its untouched base.
"""

import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from workbench.facts.fact import Fact, facts_digest
from workbench.measure.strict import strict_matches
from workbench.methods.checkpoint import Progress, read_checkpoint, write_checkpoint
from workbench.methods.events import (
    BatchDone,
    EpochDone,
    Finished,
    Started,
    Stopped,
)
from workbench.methods.matrices import output_at, owner_of
from workbench.methods.run import Run
from workbench.methods.states_told import told_of
from workbench.methods.tuned import TunedWeights
from workbench.model.language_model import LanguageModel
from workbench.model.states import HiddenStates, advancing
from workbench.model.tokens import TokenTable
from workbench.work.events import Event, Work, ending_early, mapped
from workbench.work.stop import Cancelled, Stop

__all__ = ["TurnsRun"]


class TurnsRun(Run):
    """One run: facts compiled into a patch, some at a time.

    Args:
        model: the base; it is the same before, between any two events, and after.
        facts: what the model should say from now on.
        settings: of the method, with ``layers`` and ``facts_at_once``.
        stop: the wish to end the run before its next step, with `Stopped`.
        checkpoint: a file that `save_checkpoint` wrote; the run goes on from there, and on a CPU
            ends with the same bits as if it had never stopped.

    Raises:
        FactsError: no facts, or one is too long for the model.
        LocationError: a layer is not in this model, or has no matrix that can be written.
        PatchError: the checkpoint cannot be read or belongs to another run.
    """

    can_resume = True

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        settings: Any,
        *,
        stop: Stop | None = None,
        checkpoint: str | Path | None = None,
    ) -> None:
        super().__init__(model, facts, settings, stop=stop, checkpoint=checkpoint)
        self._how = settings.resolved(model.preset, len(self.facts))
        places = [output_at(model, layer) for layer in self._how.layers]
        self._at = tuple(map(str, places))
        self._tuned = TunedWeights(model, tuple(places), learning_rate=0.0)
        found = ((name, owner_of(model, name)) for name in self._tuned.master)
        self._owners = {name: owner for name, owner in found if owner is not None}
        self.progress = Progress()
        if checkpoint is not None:
            self.progress = read_checkpoint(Path(checkpoint), self, self._identity())

    @abstractmethod
    def _prepare(self) -> Iterator[Event]:
        """What is done once, before anything is written.

        Raises:
            Cancelled: somebody wants it to end.
        """

    @abstractmethod
    def _write(self) -> Iterator[Event]:
        """Writes the facts at hand, and gives their loss to `_losses`.

        Raises:
            Cancelled: somebody wants it to end; nothing was written.
        """

    @abstractmethod
    def _memory_bytes(self) -> int:
        """Bytes on top of the model."""

    @property
    def _losses(self) -> list[float]:
        """The loss of each fact at hand."""
        return []

    def _forget(self) -> None:
        """Leaves the facts at hand behind."""

    @property
    def settings(self) -> Any:
        """As they were resolved for this model and these facts."""
        return self._how

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """The new values so far by full parameter name, of the model's dtype and device."""
        return self._tuned.seen

    @property
    def _first(self) -> int:
        """The lowest layer that is written."""
        return int(self._how.layers[0])

    @property
    def _last(self) -> int:
        """The highest layer that is written."""
        return int(self._how.layers[-1])

    @property
    def _at_once(self) -> int:
        return self._how.facts_at_once or len(self.facts)

    def plan(self) -> Started:
        """What the run will do, without doing any of it."""
        times = -(-len(self.facts) // self._at_once)
        return Started(
            facts=len(self.facts),
            at=self._at,
            learning_rate=0.0,
            batch_size=self._at_once,
            epochs=times,
            steps=times,
            weights=self._tuned.count,
            memory_bytes=self._memory_bytes(),
            kept_from=self._first if self.model.states_kept else 0,
            fallback=self.model.fallback,
            resumed_epoch=self.progress.epoch,
        )

    def events(self) -> Iterator[Event]:
        """Runs, and says what happens; the last event is `Finished` or `Stopped`.

        Raises:
            MemoryShortage: not even one text fits.
            SettingsError: the text of usual inputs cannot be read.
        """
        plan, progress = self.plan(), self.progress
        began = time.monotonic() - progress.seconds
        yield plan
        try:
            yield from self._prepare()
            while progress.epoch < plan.epochs:
                yield from self._write()
                progress.seconds = time.monotonic() - began
                yield from self._end(plan.epochs)
        except Cancelled:
            progress.seconds = time.monotonic() - began
            yield Stopped(progress.epoch, plan.epochs)
            return
        yield Finished(
            "epochs", progress.epoch, progress.updates, progress.seconds, tuple(progress.losses)
        )

    def _keeping(self, table: TokenTable) -> Work[HiddenStates | None]:
        """What enters the first layer, for every text of a table; None where nothing is kept.

        Raises:
            Cancelled: somebody wants it to end.
        """
        if not (self.model.states_kept and self._first):
            return None
        steps = advancing(self.model, table, None, self._first)
        work = mapped(steps, lambda way: told_of(way, len(table)))
        found = yield from ending_early(work, self.stop)
        self.stop.check()
        return found

    @property
    def _rows(self) -> list[int]:
        """The facts that are written at the turn at hand."""
        start = self.progress.epoch * self._at_once
        return list(range(start, min(start + self._at_once, len(self.facts))))

    def _end(self, times: int) -> Iterator[Event]:
        """Counts what the facts at hand came to, and goes on to the next."""
        progress, rows = self.progress, self._rows
        table = TokenTable([self._texts.texts[row] for row in rows], self.model.device)
        states = self._states.of(rows) if self._states is not None else None
        with self.applied():
            right = strict_matches(self.model, table, states)
        loss = sum(self._losses) / len(rows)
        progress.losses.append(loss)
        progress.epoch, progress.cursor = progress.epoch + 1, 0
        self._forget()
        yield BatchDone(progress.epoch, progress.updates, loss, skipped=False)
        yield EpochDone(progress.epoch, times, loss, sum(right) / len(rows), progress.seconds)

    def _exact(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor in double precision, where that is possible."""
        return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()

    def save_checkpoint(self, path: str | Path) -> None:
        """Saves the run as it is between two events, so that it can go on later.

        Raises:
            PatchError: the file cannot be written.
        """
        write_checkpoint(Path(path), self, self.progress, self._identity())

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint keeps as tensors: the weights so far."""
        return self._tuned.state()

    def load_state(self, kept: dict[str, torch.Tensor]) -> None:
        """The inverse of `state`."""
        self._tuned.load_state(kept)

    def _identity(self) -> dict[str, Any]:
        """What must be the same for a checkpoint to go on."""
        edition = self.model.edition
        earlier = {"earlier edit": edition} if edition else {}
        return earlier | {
            "method": self.method,
            "settings": self._how.as_dict(),
            "facts": facts_digest(self.facts),
            "base": {name: self.model.base_hash(name) for name in self._tuned.master},
            "dtype": str(self.model.dtype),
        }
