"""Fine-tuning as older papers ran it: depth-first, one fact after another, each with a new Adam.

FT is the baseline of Meng et al., arXiv 2202.05262 (its appendix on baselines): at most 25 steps on
one layer's MLP output, none once the loss is under 0.01, every token of the answer predicted at the
prompt's last token. FT-L bounds the change of every weight (Zhu et al., arXiv 2012.00363, its
constrained fine-tuning with the infinity norm): after each step, weights are put back into the box
around the base. FT-M (Zhang et al., arXiv 2401.01286) has no bound, and the loss of the answer's
own tokens.

The loss at the prompt's end cannot teach an answer of several tokens: it asks for all of them as
the first one. That is why FT and FT-L learn little here, where every answer ends with EOS. States
are kept as in LocFT-BF, of whose loop this is the depth-first order at batches of one.
"""

from functools import partial
from pathlib import Path
from typing import Any

import torch

from workbench.methods.base import FT, FT_L, FT_M
from workbench.methods.ft_settings import FtSettings
from workbench.methods.locft_bf import LocftRun
from workbench.methods.locft_settings import EditSettings
from workbench.methods.looped import LoopedRun
from workbench.methods.loss import prompt_end_losses
from workbench.methods.tuned import TunedWeights

__all__ = ["FtLRun", "FtMRun", "FtRun"]


class _Bounded(TunedWeights):
    """Weights that stay in a box around the base.

    Args:
        bound: half of its width.
        rest: as for `TunedWeights`.
    """

    def __init__(self, bound: float, *rest: Any) -> None:
        super().__init__(*rest)
        self._bound = bound
        self._base = {name: master.clone() for name, master in self.master.items()}

    @torch.no_grad()
    def step(self, share: float = 1.0) -> None:
        """One update of Adam, then back into the box."""
        super().step(share)
        for name, master in self.master.items():
            base = self._base[name]
            master.clamp_(base - self._bound, base + self._bound)
        self._show()


class _Loop(LocftRun):
    """The loop, with the loss and in the box of some settings."""

    def __init__(self, how: FtSettings, *args: Any, **kwargs: Any) -> None:
        self._ft = how
        if how.objective == "prompt-end":
            self.losses_of = prompt_end_losses
        if how.bound is not None:
            self.weights_of = partial(_Bounded, how.bound)
        super().__init__(*args, **kwargs)

    def _identity(self) -> dict[str, Any]:
        own = {"objective": self._ft.objective, "bound": self._ft.bound}
        return super()._identity() | own


class FtRun(LoopedRun):
    """One run; see `LoopedRun`."""

    method = FT.key

    def loop(self, checkpoint: str | Path | None) -> LocftRun:
        """Depth-first, one fact at a time; see `LoopedRun.loop`."""
        how = self.settings
        steps = EditSettings(
            recipe="published",
            at=how.at,
            learning_rate=how.learning_rate,
            batch_size=1,
            epochs=how.steps,
            pipeline="depth-first",
        )
        return _Loop(
            how,
            self.model,
            self.facts,
            steps,
            stop=self.stop,
            checkpoint=checkpoint,
            watch=False,
            **self._more,
        )


class FtLRun(FtRun):
    """One run of FT-L."""

    method = FT_L.key


class FtMRun(FtRun):
    """One run of FT-M."""

    method = FT_M.key
