"""AlphaEdit: MEMIT's values, written only where usual inputs hardly reach.

Fang et al., "AlphaEdit: Null-Space Constrained Knowledge Editing for Language Models", arXiv
2410.02355. P projects onto the directions in which the second moment of usual keys is next to
nothing (the paper's null-space projection). With the keys K of the facts at hand, what they are
missing R, and the keys Kp of the facts written before, a matrix is changed by R K^T P (Kp Kp^T P +
K K^T P + ridge I)^-1 (its solution for edits in sequence). Facts are written some at a time, and
those before stay.

Two numbers are relative here, so that they mean the same for every model: which moments are next to
nothing, to the mean of all directions; the ridge, to the mean squared length of usual keys.
"""

from typing import Any

import torch

from workbench.methods.base import ALPHAEDIT
from workbench.methods.written_run import WrittenRun

__all__ = ["AlphaEditRun", "free_directions"]


def free_directions(usual: torch.Tensor, below: float) -> torch.Tensor:
    """The projection onto directions that usual inputs hardly take, (inputs, inputs).

    Args:
        usual: the second moment of usual inputs.
        below: directions with less than this share of the mean moment are free.
    """
    moments, directions = torch.linalg.eigh(usual)
    free = directions[:, moments < below * moments.mean()]
    projection: torch.Tensor = free @ free.T
    return projection


class AlphaEditRun(WrittenRun):
    """One run of AlphaEdit; see `WrittenRun`."""

    method = ALPHAEDIT.key
    settings: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._free: dict[str, torch.Tensor] = {}
        self._before: dict[str, torch.Tensor] = {}
        super().__init__(*args, **kwargs)

    def change(self, name: str, keys: torch.Tensor, missing: torch.Tensor) -> torch.Tensor:
        """R K^T P (Kp Kp^T P + K K^T P + ridge I)^-1; see `WrittenRun.change`."""
        usual = self.usual[name].to(keys)
        if name not in self._free:
            self._free[name] = free_directions(usual, self.settings.free_below).to(keys)
        free = self._free[name]
        whole = keys @ keys.T
        if name in self._before:
            whole = whole + self._before[name].to(keys)
        ridge = self.settings.ridge * usual.trace()
        whole = free @ whole + ridge * torch.eye(len(whole), dtype=keys.dtype, device=keys.device)
        found: torch.Tensor = torch.linalg.solve(whole, free @ keys @ missing.T).T
        return found

    def wrote(self, name: str, keys: torch.Tensor) -> None:
        """The keys of these facts stay from now on; see `WrittenRun.wrote`."""
        moment = keys @ keys.T
        before = self._before.get(name)
        self._before[name] = moment if before is None else before.to(keys) + moment

    def state(self) -> dict[str, torch.Tensor]:
        """The weights so far, and the keys of the facts before; see `WrittenRun.state`."""
        found = super().state()
        return found | {f"before/{name}": moment for name, moment in self._before.items()}

    def load_state(self, kept: dict[str, torch.Tensor]) -> None:
        """The inverse of `state`."""
        super().load_state(kept)
        start = "before/"
        self._before = {
            name.removeprefix(start): moment
            for name, moment in kept.items()
            if name.startswith(start)
        }
