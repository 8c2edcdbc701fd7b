"""Steps that spare usual inputs: what a tuned matrix makes of everyday texts hardly changes.

A step D of a matrix changes what it gives for an input k by D k. With C the second moment of usual
inputs and c its mean eigenvalue, the step D (I + s C / c)^-1 is taken instead: short in directions
that usual inputs often take, whole in those that they never do. It is the step that trades D's
length for what it does to usual inputs, with the weight s: the soft form of AlphaEdit's projection
into the null space (Fang et al., arXiv 2410.02355), with the covariance of MEMIT (Meng et al.,
arXiv 2210.07229, equation 14). Shortened steps learn little, so all are taken longer.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from workbench.methods.keep import KeepSet
from workbench.model.experts import split_part
from workbench.model.language_model import LanguageModel

__all__ = ["LONGER", "Sparing", "sparing_bytes", "sparing_steps"]

LONGER = 3.0
"""Times a step's length: shortened so, it learns no more slowly (measured on SmolLM2)."""


@dataclass(frozen=True, slots=True)
class Sparing:
    """What makes a step of one matrix spare usual inputs.

    Args:
        matrix: (inputs, inputs), symmetric.
        inputs_first: whether the tuned matrix is (inputs, outputs) rather than (outputs, inputs).
    """

    matrix: torch.Tensor
    inputs_first: bool = False

    def __call__(self, step: torch.Tensor) -> torch.Tensor:
        """The step that is taken in place of one that was wished for."""
        return self.matrix @ step if self.inputs_first else step @ self.matrix


def _owner(model: LanguageModel, name: str) -> nn.Module | None:
    """The module that multiplies by a tensor; None where that is not a matrix of its own."""
    if split_part(name)[1] is not None:
        return None
    owner = model.network.get_submodule(name.rpartition(".")[0])
    plain = isinstance(owner, nn.Linear | Conv1D) and name.endswith(".weight")
    return owner if plain else None


def _width(owner: nn.Module) -> int:
    weight: Any = owner.weight
    return int(weight.shape[0] if isinstance(owner, Conv1D) else weight.shape[1])


def sparing_bytes(model: LanguageModel, names: Iterable[str]) -> int:
    """Bytes that the matrices of `sparing_steps` take.

    Args:
        model: the base.
        names: of the tuned tensors.
    """
    owners = [owner for name in names if (owner := _owner(model, name)) is not None]
    return sum(4 * _width(owner) ** 2 for owner in owners)


@torch.no_grad()
def sparing_steps(
    model: LanguageModel, names: Iterable[str], usual: KeepSet, strength: float
) -> dict[str, Sparing]:
    """What makes the steps of tuned matrices spare the inputs that kept prompts give them.

    Experts, biases and norms have none: their steps are taken as they are.

    Args:
        model: the base.
        names: of the tuned tensors.
        usual: prompts, prepared.
        strength: the weight s; a direction as usual as the mean is stepped in by 1 / (1 + s),
            before all are lengthened.
    """
    owners = {name: owner for name in names if (owner := _owner(model, name)) is not None}
    moments: dict[str, torch.Tensor] = {}
    for rows in usual.batches():
        with _adding(owners, usual.lengths(rows), moments):
            usual.logits(rows)
    return {
        name: Sparing(_inverse(moment, strength), isinstance(owners[name], Conv1D))
        for name, moment in moments.items()
    }


@contextmanager
def _adding(
    owners: dict[str, nn.Module], lengths: list[int], moments: dict[str, torch.Tensor]
) -> Iterator[None]:
    """While texts pass, adds the outer products of what enters each module to its moment."""
    longest = max(lengths)
    real = torch.arange(longest) < torch.tensor(lengths)[:, None]

    def hook(name: str) -> Any:
        def add(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            width = inputs[0].shape[-1]
            flat = inputs[0].reshape(-1, width)
            if len(flat) == real.numel():  # else only some of the places are asked for
                flat = flat[real.flatten().to(flat.device)]
            flat = flat.to(torch.float32)
            moment = flat.T @ flat
            moments[name] = moments[name].add_(moment) if name in moments else moment

        return add

    handles = [o.register_forward_pre_hook(hook(name)) for name, o in owners.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _inverse(moment: torch.Tensor, strength: float) -> torch.Tensor:
    """(I + strength · moment / its mean eigenvalue)^-1, lengthened."""
    mean = moment.diagonal().mean().clamp(min=torch.finfo(torch.float32).tiny)
    whole = torch.eye(len(moment), device=moment.device) + moment * (strength / mean)
    return LONGER * torch.cholesky_inverse(torch.linalg.cholesky(whole))
