"""The loop of methods that write a value for each fact into some matrices, in closed form.

Facts are written some at a time (`turns`). At each turn: the value that the last layer should have
at the token of each fact (`values`); then, layer by layer, the key that enters the layer's matrix
there (MEMIT, arXiv 2210.07229, where it updates several layers), what is still missing at the last
layer, shared out over the layers that are left (likewise), and the change of the matrix that a
method makes of the two. The loss that is told is that with the values put in.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn

from workbench.methods.events import StageProgress
from workbench.methods.footprint import states_bytes
from workbench.methods.matrices import inputs_of, shaped_like
from workbench.methods.moments import usual_moments
from workbench.methods.prefixes import written_sentences
from workbench.methods.turns import TurnsRun
from workbench.methods.values import ValueSearch
from workbench.methods.written_facts import WrittenFacts
from workbench.model.bypass import capture_input, capture_output
from workbench.model.memory import in_batches
from workbench.model.states import TOKENS_PER_PASS, HiddenStates, run, starting_at
from workbench.work.events import Event, mapped

__all__ = ["WrittenRun"]

VALUES_AT_ONCE = 8  # facts whose values are found side by side


class WrittenRun(TurnsRun):
    """One run; see `TurnsRun` for its arguments and errors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._written: WrittenFacts | None = None
        self._below: HiddenStates | None = None
        self._usual: dict[str, torch.Tensor] = {}
        self._values: list[torch.Tensor] = []
        self._value_losses: list[float] = []
        super().__init__(*args, **kwargs)

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
    def usual(self) -> dict[str, torch.Tensor]:
        """The second moment of each matrix's usual inputs, (inputs, inputs)."""
        return self._usual

    @property
    def _losses(self) -> list[float]:
        return self._value_losses

    def _forget(self) -> None:
        self._values, self._value_losses = [], []

    def _memory_bytes(self) -> int:
        """Masters and what is seen, moments, and a solution in double precision."""
        widths = [inputs_of(owner) for owner in self._owners.values()]
        moments = sum(4 * width**2 for width in widths)
        tokens = sum(text.length for text in self._texts.texts) * (2 + self._how.sentences)
        kept = states_bytes(self.model, tokens) if self.model.states_kept else 0
        return self._tuned.count * 8 + moments + 3 * 8 * max(widths) ** 2 + kept

    def _prepare(self) -> Iterator[Event]:
        """The facts' texts with what enters the first layer, and what usually enters each."""
        self.stop.check()
        sentences = written_sentences(self.model)[: self._how.sentences]
        self._written = WrittenFacts(self.model, self.facts, self._how.token, sentences)
        self._below = yield from self._keeping(self._written.table)
        if self._below is not None:
            self._states = self._below.of(range(len(self.facts)))
        usual = usual_moments(self.model, self._owners, self._how.layers, self._how.text, self.stop)
        self._usual = yield from mapped(
            usual, lambda done: StageProgress("Reading usual texts", *done)
        )

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

    def state(self) -> dict[str, torch.Tensor]:
        """The weights so far, and the values found for the facts at hand."""
        found = super().state()
        if self._values:
            found["values/"] = torch.cat(self._values)
            found["value losses/"] = torch.tensor(self._value_losses, dtype=torch.float64)
        return found

    def load_state(self, kept: dict[str, torch.Tensor]) -> None:
        """The inverse of `state`."""
        super().load_state(kept)
        if "values/" in kept:
            self._values = [kept["values/"]]
            self._value_losses = kept["value losses/"].tolist()
