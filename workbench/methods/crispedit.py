"""CrispEdit: breadth-first fine-tuning that keeps out of directions in which usual texts are steep.

Ikram et al., "CrispEdit: Low-Curvature Projections for Scalable Non-Destructive LLM Editing", arXiv
2602.15823, as its published code runs it. By K-FAC (Martens and Grosse, arXiv 1503.05671), the
curvature of the loss on usual texts in a matrix W is A x G: A is the second moment of what enters
W, G that of the gradient at what leaves it. In the eigenvectors U of A and V of G, the direction
v_i u_j^T has the curvature g_i a_j; the steepest that together hold a share of the whole are left
out of every gradient, V (V^T grad U * free) U^T, before Adam sees it.

Here the place is the preset's, or what is asked for, where the paper tunes five layers' matrices;
usual texts are those that the model writes itself, or a file, where it takes Wikipedia; the
curvature is that of the base throughout, as is the code's default. The loop is LocFT-BF's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from workbench.errors import LocationError
from workbench.methods.base import CRISPEDIT
from workbench.methods.crispedit_settings import CrispEditSettings
from workbench.methods.events import StageProgress
from workbench.methods.locft_bf import LocftRun
from workbench.methods.looped import BreadthFirstRun
from workbench.methods.matrices import owner_of, shaped_like
from workbench.methods.moments import Side, usual_moments
from workbench.methods.tuned import TunedWeights
from workbench.work.events import Event, mapped
from workbench.work.stop import Cancelled

__all__ = ["CrispEditRun", "FlatDirections", "flat_directions"]


@dataclass(frozen=True, slots=True)
class FlatDirections:
    """Where the loss on usual texts is nearly flat in a matrix.

    Args:
        inputs: (inputs, inputs) eigenvectors of A, one a column.
        outputs: (outputs, outputs) eigenvectors of G.
        free: (outputs, inputs) whether the direction of a pair of them may be gone.
    """

    inputs: torch.Tensor
    outputs: torch.Tensor
    free: torch.Tensor

    def projected(self, gradient: torch.Tensor) -> torch.Tensor:
        """A gradient, (outputs, inputs), without its part in steep directions."""
        inside = self.outputs.T @ gradient @ self.inputs
        found: torch.Tensor = self.outputs @ (inside * self.free) @ self.inputs.T
        return found


def flat_directions(a: torch.Tensor, g: torch.Tensor, energy: float) -> FlatDirections:
    """The directions that are left when the steepest are taken away.

    Args:
        a: (inputs, inputs) second moment of what enters.
        g: (outputs, outputs) second moment of the gradients at what leaves.
        energy: the share of all curvature that those taken away hold at least.
    """
    along_inputs, inputs = torch.linalg.eigh(a)
    along_outputs, outputs = torch.linalg.eigh(g)
    # What is below zero is rounding.
    curvature = torch.outer(along_outputs.clamp(min=0), along_inputs.clamp(min=0))
    steepest, order = curvature.flatten().sort(descending=True)
    held = steepest.double().cumsum(0)
    taken = int(torch.searchsorted(held, energy * held[-1])) + 1
    free = torch.ones(curvature.numel(), dtype=torch.bool, device=curvature.device)
    free[order[:taken]] = False
    return FlatDirections(inputs, outputs, free.reshape(curvature.shape))


class _Projected(TunedWeights):
    """Weights whose gradients are projected before Adam sees them."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        owners = {name: owner_of(self._model, name) for name in self.master}
        self.owners = {name: owner for name, owner in owners.items() if owner is not None}
        if len(self.owners) < len(self.master):
            odd = next(name for name in self.master if name not in self.owners)
            raise LocationError(
                f"'{odd}' is no plain matrix, and has no curvature by K-FAC. Choose a place such "
                "as 3.mlp.down_proj."
            )
        self.flat: dict[str, FlatDirections] = {}

    @property
    def memory_bytes(self) -> int:
        """Bytes on top of the model, with both factors' eigenvectors and what is free."""
        shapes = [master.shape for master in self.master.values()]
        return super().memory_bytes + sum(4 * (m * m + n * n) + m * n for m, n in shapes)

    @torch.no_grad()
    def step(self, share: float = 1.0) -> None:
        """One update of Adam from the projected gradients."""
        for name, owner in self.owners.items():
            master = self.master[name]
            if master.grad is not None:
                projected = self.flat[name].projected(shaped_like(master.grad, owner))
                master.grad = shaped_like(projected, owner).contiguous()
        super().step(share)


class _Loop(LocftRun):
    """The loop, which looks at the curvature first."""

    weights_of = _Projected
    _tuned: _Projected

    def __init__(self, how: CrispEditSettings, *args: Any, **kwargs: Any) -> None:
        self._crisp = how
        super().__init__(*args, **kwargs)

    def _identity(self) -> dict[str, Any]:
        return super()._identity() | {"energy": self._crisp.energy, "text": self._crisp.text}

    def _keep_states(self) -> Iterator[Event]:
        try:
            inputs = yield from self._moments("inputs")
            gradients = yield from self._moments("gradients")
        except Cancelled:
            return
        self._tuned.flat = {
            name: flat_directions(inputs[name], gradients[name], self._crisp.energy)
            for name in self._tuned.owners
        }
        yield from super()._keep_states()

    def _moments(self, of: Side) -> Any:
        layers = [where.layer for where in self._locations for _ in self.model.weights_at((where,))]
        texts, stop = self._crisp.text, self.stop
        self.stop.check()
        work = usual_moments(self.model, self._tuned.owners, layers, texts, stop, of=of)
        return mapped(work, lambda done: StageProgress(f"Reading usual texts for {of}", *done))


class CrispEditRun(BreadthFirstRun):
    """One run; see `BreadthFirstRun`."""

    method = CRISPEDIT.key
    inner = _Loop
