"""LoRA: a change of low rank beside each matrix, trained breadth-first, then merged into a patch.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685 (its section on
low-rank update matrices): what a matrix W gives for x becomes W x + alpha / rank B A x, with B zero
at first. The adapters are peft's; everything else is LocFT-BF's loop: the same targets, batches,
stop rule and kept states.

Invariant: the adapters stand in the network only while gradients are taken.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn

from workbench.errors import LocationError, SettingsError
from workbench.methods.base import LORA
from workbench.methods.locft_bf import LocftRun
from workbench.methods.looped import BreadthFirstRun
from workbench.methods.lora_settings import LoraSettings
from workbench.methods.matrices import is_inputs_first, owner_of
from workbench.methods.tuned import TunedWeights, kept_moments, restore_moments
from workbench.model.language_model import LanguageModel
from workbench.model.location import Location

__all__ = ["LoraRun", "LoraWeights"]

ADAPTER = "default"


class LoraWeights(TunedWeights):
    """Weights whose change has a low rank, and the optimizer of its two factors.

    Args:
        how: rank, alpha and seed.
        model, locations, learning_rate: as for `TunedWeights`.

    Raises:
        LocationError: there is no matrix at the locations.
        SettingsError: peft is not installed.
    """

    def __init__(
        self,
        how: LoraSettings,
        model: LanguageModel,
        locations: tuple[Location, ...],
        learning_rate: float,
    ) -> None:
        self._how = how
        names = model.weights_at(locations)
        owners = {name: owner_of(model, name) for name in names}
        self.owners = {name: owner for name, owner in owners.items() if owner is not None}
        if not self.owners:
            where = ", ".join(map(str, locations))
            raise LocationError(f"There is no plain matrix at {where}. Choose another location.")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(how.seed)
            self.adapters = {n: adapter(owner, how).float() for n, owner in self.owners.items()}
        super().__init__(model, locations, learning_rate)

    @property
    def factors(self) -> dict[str, nn.Parameter]:
        """What is trained, by name."""
        return {
            f"{side} {name}": getattr(one, f"lora_{side}")[ADAPTER].weight
            for name, one in self.adapters.items()
            for side in ("A", "B")
        }

    @property
    def trained(self) -> list[torch.Tensor]:
        """What the optimizer changes: both factors of every change."""
        return list(self.factors.values())

    @property
    def count(self) -> int:
        """How many numbers are trained."""
        return sum(factor.numel() for factor in self.factors.values())

    @property
    def memory_bytes(self) -> int:
        """Bytes on top of the model: the merged weights, and the factors with Adam's moments."""
        merged = sum(8 * master.numel() for master in self.master.values())
        return merged + 16 * self.count

    def _new_optimizer(self) -> torch.optim.Adam:
        return torch.optim.Adam(self.trained, lr=self._learning_rate)

    @contextmanager
    def training(self) -> Iterator[None]:
        """The model with the adapters in place of their matrices' modules."""
        network = self._model.network
        places = [(name, *_parent(network, name)) for name in self.owners]
        try:
            for name, parent, attribute in places:
                setattr(parent, attribute, self.adapters[name])
            yield
        finally:
            for name, parent, attribute in places:
                setattr(parent, attribute, self.owners[name])
            self.optimizer.zero_grad()

    def collect_gradients(self) -> None:
        """The factors' gradients add up by themselves."""

    @torch.no_grad()
    def step(self, share: float = 1.0) -> None:
        """One update of the factors; the model will see them merged.

        Args:
            share: of the learning rate.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate * share
        self.optimizer.step()
        self._merge()

    @torch.no_grad()
    def _merge(self) -> None:
        for name, one in self.adapters.items():
            self.master[name].copy_(self._model.tensor(name)).add_(one.get_delta_weight(ADAPTER))
        self._show()

    def state(self) -> dict[str, torch.Tensor]:
        """The factors and their moments, by name."""
        kept: dict[str, torch.Tensor] = {f"factor:{n}": one for n, one in self.factors.items()}
        return kept | kept_moments(self.optimizer, self.factors)

    @torch.no_grad()
    def load_state(self, kept: dict[str, torch.Tensor]) -> None:
        """The inverse of `state`."""
        for name, factor in self.factors.items():
            factor.copy_(kept[f"factor:{name}"])
        restore_moments(self.optimizer, self.factors, kept)
        self._merge()


def adapter(owner: nn.Module, how: LoraSettings) -> Any:
    """A module that does what another does, and adds a change of low rank, which is nothing yet.

    Args:
        owner: multiplies by a matrix.
        how: rank and alpha.

    Raises:
        SettingsError: peft is not installed.
    """
    try:
        from peft import LoraConfig
        from peft.tuners.lora.layer import Linear
    except ImportError as error:
        raise SettingsError(
            "LoRA needs the package peft, which is not installed. Install it with: pip install "
            "'locft-workbench[lora]'."
        ) from error
    config = LoraConfig(
        r=how.rank, lora_alpha=how.alpha, lora_dropout=0.0, fan_in_fan_out=is_inputs_first(owner)
    )
    return Linear(
        owner,
        ADAPTER,
        config,
        r=how.rank,
        lora_alpha=how.alpha,
        is_target_conv_1d_layer=is_inputs_first(owner),
    )


def _parent(network: nn.Module, name: str) -> tuple[nn.Module, str]:
    """The module that holds the one a tensor belongs to, and what it calls it."""
    path, _, attribute = name.rpartition(".")[0].rpartition(".")
    return network.get_submodule(path), attribute


class _Loop(LocftRun):
    """The loop, with adapters in place of weights."""

    def __init__(self, how: LoraSettings, *args: Any, **kwargs: Any) -> None:
        self._lora = how
        self.weights_of = partial(LoraWeights, how)
        super().__init__(*args, **kwargs)

    def _identity(self) -> dict[str, Any]:
        return super()._identity() | {"rank": self._lora.rank, "alpha": self._lora.alpha}


class LoraRun(BreadthFirstRun):
    """One run; see `BreadthFirstRun`."""

    method = LORA.key
    inner = _Loop
