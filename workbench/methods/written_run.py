"""The loop of methods that write a value for each fact into some matrices, in closed form.

Facts are written some at a time. For each time: the value that the last layer should have at the
token of each fact (`values`); then, layer by layer, the key that enters the layer's matrix there
(MEMIT, arXiv 2210.07229, equation 19), what is still missing at the last layer, shared out over the
layers that are left (equation 20), and the change of the matrix that a method makes of the two.
The next facts are written into the weights that these leave. An "epoch" of the events is one such
time; it counts as learned what is right after it, and its loss is that with the values put in.

What lies below the first layer is computed once for every text. Invariant: between two events the
model is its untouched base.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from workbench.facts.fact import Fact, facts_digest
from workbench.measure.strict import strict_matches
from workbench.methods.checkpoint import Progress, read_checkpoint, write_checkpoint
from workbench.methods.events import (
    BatchDone,
    EpochDone,
    Finished,
    StageProgress,
    Started,
    StatesProgress,
    Stopped,
)
from workbench.methods.footprint import states_bytes
from workbench.methods.matrices import inputs_of, output_at, owner_of, shaped_like
from workbench.methods.moments import usual_moments
from workbench.methods.prefixes import written_sentences
from workbench.methods.run import Run
from workbench.methods.tuned import TunedWeights
from workbench.methods.values import ValueSearch
from workbench.methods.written_facts import WrittenFacts
from workbench.methods.written_settings import WrittenSettings
from workbench.model.bypass import capture_input, capture_output
from workbench.model.language_model import LanguageModel
from workbench.model.memory import in_batches
from workbench.model.states import TOKENS_PER_PASS, HiddenStates, advancing, run, starting_at
from workbench.model.tokens import TokenTable
from workbench.work.events import Event, ending_early, mapped
from workbench.work.stop import Cancelled, Stop

__all__ = ["WrittenRun"]

VALUES_AT_ONCE = 8  # facts whose values are found side by side


class WrittenRun(Run):
    """One run: facts compiled into a patch, some at a time.

    Args:
        model: the base; it is the same before, between any two events, and after.
        facts: what the model should say from now on.
        settings: of the method.
        stop: the wish to end the run before its next step, with `Stopped`.
        checkpoint: a file that `save_checkpoint` wrote; the run goes on from there, and on a CPU
            ends with the same bits as if it had never stopped.

    Raises:
        FactsError: no facts, or one is too long for the model.
        LocationError: a layer is not in this model, or has no matrix that can be written.
        PatchError: the checkpoint cannot be read or belongs to another run.
    """

    can_resume = True
    needs_usual = True
    """Whether usual inputs must be known."""

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Fact],
        settings: WrittenSettings,
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
        self._written: WrittenFacts | None = None
        self._below: HiddenStates | None = None
        self._usual: dict[str, torch.Tensor] = {}
        self._values: list[torch.Tensor] = []
        self._value_losses: list[float] = []
        self.progress = Progress()
        if checkpoint is not None:
            self.progress = read_checkpoint(Path(checkpoint), self, self._identity())

    @abstractmethod
    def change(self, name: str, keys: torch.Tensor, missing: torch.Tensor) -> torch.Tensor:
        """What a matrix is changed by, (outputs, inputs).

        Args:
            name: of the matrix's tensor.
            keys: (inputs, facts) what enters it, in double precision.
            missing: (outputs, facts) what it should say in addition.
        """

    def wrote(self, name: str, keys: torch.Tensor) -> None:
        """Notes what is written into a matrix, once all matrices are.

        Args:
            name: of the matrix's tensor.
            keys: (inputs, facts) what enters it now, in double precision.
        """

    @property
    def settings(self) -> WrittenSettings:
        """As they were resolved for this model and these facts."""
        return self._how

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """The new values so far by full parameter name, of the model's dtype and device."""
        return self._tuned.seen

    @property
    def usual(self) -> dict[str, torch.Tensor]:
        """The second moment of each matrix's usual inputs, (inputs, inputs)."""
        return self._usual

    @property
    def _first(self) -> int:
        """The lowest layer that is written."""
        return self._how.layers[0]

    @property
    def _last(self) -> int:
        """The layer for which values are found."""
        return self._how.layers[-1]

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

    def _memory_bytes(self) -> int:
        """Masters and what is seen, moments, and a solution in double precision."""
        widths = [inputs_of(owner) for owner in self._owners.values()]
        moments = sum(4 * width**2 for width in widths) if self.needs_usual else 0
        tokens = sum(text.length for text in self._texts.texts) * (2 + self._how.sentences)
        kept = states_bytes(self.model, tokens) if self.model.states_kept else 0
        return self._tuned.count * 8 + moments + 3 * 8 * max(widths) ** 2 + kept

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

    def _prepare(self) -> Iterator[Event]:
        """The facts' texts with what enters the first layer, and what usually enters each.

        Raises:
            Cancelled: somebody wants it to end.
        """
        self.stop.check()
        sentences = written_sentences(self.model)[: self._how.sentences]
        self._written = WrittenFacts(self.model, self.facts, self._how.token, sentences)
        if self.model.states_kept and self._first:
            total = len(self._written.table)
            steps = advancing(self.model, self._written.table, None, self._first)
            work = mapped(steps, lambda done: StatesProgress(done, total))
            self._below = yield from ending_early(work, self.stop)
            self.stop.check()
            assert self._below is not None
            self._states = self._below.of(range(len(self.facts)))
        if self.needs_usual:
            usual = usual_moments(
                self.model, self._owners, self._how.layers, self._how.text, self.stop
            )
            self._usual = yield from mapped(
                usual, lambda done: StageProgress("Reading usual texts", *done)
            )

    @property
    def _rows(self) -> list[int]:
        """The facts that are written at the time at hand."""
        start = self.progress.epoch * self._at_once
        return list(range(start, min(start + self._at_once, len(self.facts))))

    def _write(self) -> Iterator[Event]:
        """Finds the values of the facts at hand, then writes them, layer by layer."""
        rows, progress = self._rows, self.progress
        while progress.cursor < len(rows):
            yield from self._find(rows[progress.cursor :][:VALUES_AT_ONCE], len(rows))
        values = torch.cat(self._values).to(self.model.device)
        for place, (name, owner) in enumerate(self._owners.items()):
            with self.applied():
                keys, said = self._keys(owner, rows), self._said(rows)
            missing = self._exact(values - said).T / (len(self._owners) - place)
            self._tuned.add(name, shaped_like(self.change(name, keys, missing), owner))
        with self.applied():
            now = {name: self._keys(owner, rows) for name, owner in self._owners.items()}
        for name, keys in now.items():
            self.wrote(name, keys)
        progress.updates += 1

    def _find(self, rows: list[int], total: int) -> Iterator[Event]:
        """The values of a few facts.

        Raises:
            Cancelled: somebody wants it to end; those found before are kept.
        """
        assert self._written is not None
        with self.applied():
            search = ValueSearch(
                self.model, self._written, rows, self._last, self._how, self._below
            )
        while not search.done:
            self.stop.check()
            with self.applied():
                search.step()
            yield StageProgress("Finding what to write for each fact", self.progress.cursor, total)
        self._values.append(search.values.cpu())
        self._value_losses += search.losses.tolist()
        self.progress.cursor += len(rows)

    def _end(self, times: int) -> Iterator[Event]:
        """Counts what the facts at hand came to, and goes on to the next."""
        progress, rows = self.progress, self._rows
        table = TokenTable([self._texts.texts[row] for row in rows], self.model.device)
        states = self._states.of(rows) if self._states is not None else None
        with self.applied():
            right = strict_matches(self.model, table, states)
        loss = sum(self._value_losses) / len(rows)
        progress.losses.append(loss)
        progress.epoch, progress.cursor = progress.epoch + 1, 0
        self._values, self._value_losses = [], []
        yield BatchDone(progress.epoch, progress.updates, loss, skipped=False)
        yield EpochDone(progress.epoch, times, loss, sum(right) / len(rows), progress.seconds)

    def _keys(self, owner: nn.Module, rows: list[int]) -> torch.Tensor:
        """What enters a matrix for some facts: the mean of alone and behind sentences."""
        assert self._written is not None
        blocks = self._written.blocks
        texts = self._written.texts(rows, range(blocks))
        found = self._looked_at(texts, lambda go: capture_input(owner, go))
        alone, *behind = found.view(blocks, len(rows), -1)
        whole = (alone + torch.stack(behind).mean(dim=0)) / 2 if behind else alone
        return self._exact(whole).T

    def _said(self, rows: list[int]) -> torch.Tensor:
        """What leaves the last layer for some facts alone: (facts, width), float32."""
        layer = self.model.layers[self._last]
        return self._looked_at(rows, lambda go: capture_output(layer, go))

    def _looked_at(
        self, texts: Sequence[int], capture: Callable[[Callable[[], Any]], torch.Tensor]
    ) -> torch.Tensor:
        """What is captured of some texts at the tokens at which they are written, in float32."""
        assert self._written is not None
        written, model = self._written, self.model

        @torch.no_grad()
        def look(some: Sequence[int]) -> torch.Tensor:
            batch = written.table.batch(some)
            with starting_at(model, self._below.layer if self._below is not None else 0) as feed:
                if self._below is not None:
                    feed.states = self._below.padded(some, model.device)
                found = capture(lambda: run(model, batch.input_ids))
            return found[torch.arange(len(some)), written.at(some, found.device)].float()

        order = sorted(range(len(texts)), key=lambda n: written.table.length(texts[n]))
        size = max(1, TOKENS_PER_PASS // written.table.length(texts[order[-1]]))
        ordered = [texts[n] for n in order]
        found = torch.cat([part for _, part in in_batches(ordered, size, model.device, look)])
        return found[torch.tensor(order, device=found.device).argsort()]

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
        """The weights so far, and the values found for the facts at hand."""
        found = self._tuned.state()
        if self._values:
            found["values/"] = torch.cat(self._values)
            found["value losses/"] = torch.tensor(self._value_losses, dtype=torch.float64)
        return found

    def load_state(self, kept: dict[str, torch.Tensor]) -> None:
        """The inverse of `state`."""
        self._tuned.load_state(kept)
        if "values/" in kept:
            self._values = [kept["values/"]]
            self._value_losses = kept["value losses/"].tolist()

    def _identity(self) -> dict[str, Any]:
        """What must be the same for a checkpoint to go on."""
        return {
            "method": self.method,
            "settings": self._how.as_dict(),
            "facts": facts_digest(self.facts),
            "base": {name: self.model.base_hash(name) for name in self._tuned.master},
            "dtype": str(self.model.dtype),
        }
