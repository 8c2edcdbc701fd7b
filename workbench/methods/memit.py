"""MEMIT: values written into early matrices, in closed form.

Meng et al., "Mass-Editing Memory in a Transformer", arXiv 2210.07229. With the keys K of some facts
as columns, what each is still missing as columns of R, and C the second moment of usual keys,
a matrix is changed by R K^T (lambda C + K K^T)^-1 (the paper's batch update for a single linear
associative memory): the least change of what usual inputs give that brings the facts as near to
their values as lambda allows.

The values are found with the project's targets, EOS included; what is usual is read from texts that
the model writes or a person gives, not from Wikipedia.
"""

from typing import Any

import torch

from workbench.methods.base import MEMIT
from workbench.methods.written_run import WrittenRun

__all__ = ["MemitRun"]

LEAST = 1e-4
"""Share of the mean moment that every direction has at least: texts may miss some of them."""


class MemitRun(WrittenRun):
    """One run of MEMIT; see `WrittenRun`."""

    method = MEMIT.key
    settings: Any

    def change(self, name: str, keys: torch.Tensor, missing: torch.Tensor) -> torch.Tensor:
        """R K^T (lambda C + K K^T)^-1; see `WrittenRun.change`."""
        usual = self.usual[name].to(keys)
        floor = LEAST * usual.diagonal().mean()
        usual = usual + floor * torch.eye(len(usual), dtype=keys.dtype, device=keys.device)
        whole = self.settings.usual_weight * usual + keys @ keys.T
        found: torch.Tensor = missing @ torch.linalg.solve(whole, keys).T
        return found
