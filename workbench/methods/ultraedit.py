"""UltraEdit: one step for some facts at a time, from hidden states and gradients alone.

Gu et al., "UltraEdit: Training-, Subject-, and Memory-Free Lifelong Editing in Language Models",
arXiv 2505.14679 (its method section). At every token where an answer is predicted, h is what enters
a matrix and g the loss's gradient at what leaves it. Both are normalized by the mean and the
deviation of all seen so far, over all turns; with H as rows and V the rows -eta |h'|^2 g', the
matrix is changed by the V' for which H V' comes nearest to V: (H^T H + I)^-1 H^T V, here as H^T (H
H^T + I)^-1 V, which is the same.

The paper's code counts all matrices of one shape together; here each matrix has its own mean and
deviation. It writes gate, up or output matrices, by model; here the MLP's output.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from workbench.methods.base import ULTRAEDIT
from workbench.methods.events import StageProgress
from workbench.methods.footprint import activation_bytes, states_bytes
from workbench.methods.matrices import shaped_like
from workbench.methods.pieces import pieces_of
from workbench.methods.turns import TurnsRun
from workbench.model.states import kept_logits
from workbench.work.events import Event

__all__ = ["RunningScale", "UltraEditRun", "shift"]

MOST_TEXTS = 32  # at once
LEAST = 1e-7


class RunningScale:
    """Mean and deviation of all rows that were ever seen (Chan's update of both).

    Args:
        sums: (3, width) count, mean, and sum of squared distances from it; None for nothing yet.
    """

    def __init__(self, sums: torch.Tensor | None = None) -> None:
        self.sums = sums

    def see(self, rows: torch.Tensor) -> None:
        """Counts some more rows, (rows, width)."""
        count, mean = float(len(rows)), rows.mean(dim=0)
        squares = (rows - mean).square().sum(dim=0)
        if self.sums is None:
            self.sums = torch.stack([torch.full_like(mean, count), mean, squares])
            return
        before, old, kept = self.sums.to(rows)
        away, total = mean - old, before + count
        self.sums = torch.stack(
            [total, old + away * count / total, kept + squares + away**2 * before * count / total]
        )

    def scaled(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows by what was seen: mean 0 and deviation 1 over all of that."""
        assert self.sums is not None
        count, mean, squares = self.sums.to(rows)
        found: torch.Tensor = (rows - mean) / ((squares / (count - 1).clamp(min=1)).sqrt() + LEAST)
        return found


def shift(
    states: torch.Tensor, gradients: torch.Tensor, scale: RunningScale, step: float, damping: float
) -> torch.Tensor:
    """What a matrix is changed by, (outputs, inputs).

    Args:
        states: (tokens, inputs) what enters it.
        gradients: (tokens, outputs) the loss's gradient at what leaves it.
        scale: of both side by side, these rows counted.
        step: eta.
        damping: what stands before the identity.
    """
    width = states.shape[1]
    both = scale.scaled(torch.cat([states, gradients], dim=1))
    wanted = -step * both[:, :width].square().sum(dim=1, keepdim=True) * both[:, width:]
    whole = states @ states.T
    whole = whole + damping * torch.eye(len(whole), dtype=whole.dtype, device=whole.device)
    found: torch.Tensor = (states.T @ torch.linalg.solve(whole, wanted)).T
    return found


class UltraEditRun(TurnsRun):
    """One run; see `TurnsRun` for its arguments and errors."""

    method = ULTRAEDIT.key

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._scales: dict[str, RunningScale] = {}
        self._told: list[float] = []
        super().__init__(*args, **kwargs)

    @property
    def _losses(self) -> list[float]:
        return self._told

    def _forget(self) -> None:
        self._told = []

    def _memory_bytes(self) -> int:
        """Masters and what is seen, kept states, and what a backward pass holds on to."""
        longest = max(text.length for text in self._texts.texts)
        targets = max(len(text.target) for text in self._texts.texts)
        tokens = sum(text.length for text in self._texts.texts)
        held = activation_bytes(self.model, self._first, MOST_TEXTS * longest, MOST_TEXTS * targets)
        kept = states_bytes(self.model, tokens) if self.model.states_kept else 0
        return self._tuned.count * 8 + held + kept

    def _prepare(self) -> Iterator[Event]:
        """What enters the first layer, for every fact."""
        self.stop.check()
        self._states = yield from self._keeping(self._texts)

    def _write(self) -> Iterator[Event]:
        """Sees the facts at hand by the weights so far, then changes each matrix once."""
        rows = self._rows
        total = sum(len(self._texts.texts[row].target) for row in rows)
        states: dict[str, list[torch.Tensor]] = {name: [] for name in self._owners}
        gradients: dict[str, list[torch.Tensor]] = {name: [] for name in self._owners}
        self._told, done = [], 0
        for piece in pieces_of(self._texts, rows, MOST_TEXTS, self.model.device):
            self.stop.check()
            with self.applied():
                self._look(piece, total, states, gradients)
            done += len(piece)
            yield StageProgress("Taking gradients", done, len(rows))
        for name, owner in self._owners.items():
            keys = self._exact(torch.cat(states[name]))
            slopes = self._exact(torch.cat(gradients[name]))
            scale = self._scales.setdefault(name, RunningScale())
            scale.see(torch.cat([keys, slopes], dim=1))
            change = shift(keys, slopes, scale, self._how.step, self._how.damping)
            self._tuned.add(name, shaped_like(change, owner))
        self.progress.updates += 1

    def _look(
        self,
        rows: Sequence[int],
        total: int,
        states: dict[str, list[torch.Tensor]],
        gradients: dict[str, list[torch.Tensor]],
    ) -> None:
        """Adds what enters each matrix where answers are predicted, and the gradient there."""
        batch, probes = self._texts.batch(rows), dict[str, torch.Tensor]()
        with _probing(self._owners, probes, states, batch.is_target):
            logits = kept_logits(self.model, batch, rows, self._states)
            losses = functional.cross_entropy(logits, batch.targets, reduction="none")
            (losses.sum() / total).backward()  # type: ignore[no-untyped-call]
        for name, probe in probes.items():
            assert probe.grad is not None
            gradients[name].append(probe.grad[batch.is_target].float())
        sizes = batch.sum_by_text(torch.ones_like(losses))
        self._told += (batch.sum_by_text(losses.detach()) / sizes).tolist()

    def state(self) -> dict[str, torch.Tensor]:
        """The weights so far, and what features were seen."""
        scales = self._scales.items()
        seen = {f"seen/{name}": s.sums for name, s in scales if s.sums is not None}
        return super().state() | seen

    def load_state(self, kept: dict[str, torch.Tensor]) -> None:
        """The inverse of `state`."""
        super().load_state(kept)
        for name in self._owners:
            if f"seen/{name}" in kept:
                self._scales[name] = RunningScale(kept[f"seen/{name}"])


@contextmanager
def _probing(
    owners: dict[str, nn.Module],
    probes: dict[str, torch.Tensor],
    states: dict[str, list[torch.Tensor]],
    places: torch.Tensor,
) -> Iterator[None]:
    """A block in which nothing is added to what leaves some modules, so that it has a gradient."""

    def hook(name: str) -> Any:
        def add(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> Any:
            states[name].append(inputs[0].detach()[places].float())
            probes[name] = torch.zeros_like(output, requires_grad=True)
            return output + probes[name]

        return add

    handles = [owner.register_forward_hook(hook(name)) for name, owner in owners.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
