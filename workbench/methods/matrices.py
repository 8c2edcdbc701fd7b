"""Matrices as modules multiply by them: which module, which way round, and what enters it.

Knows nothing about why a matrix is looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from workbench.errors import LocationError
from workbench.model.experts import split_part
from workbench.model.language_model import LanguageModel
from workbench.model.location import Location
from workbench.model.presets import output_matrix

__all__ = [
    "added_to_outputs",
    "adding_moments",
    "inputs_of",
    "is_inputs_first",
    "output_at",
    "owner_of",
    "shaped_like",
]


def owner_of(model: LanguageModel, name: str) -> nn.Module | None:
    """The module that multiplies by a tensor; None where that is not a matrix of its own.

    Args:
        model: the base.
        name: of the tensor.
    """
    if split_part(name)[1] is not None:
        return None
    owner = model.network.get_submodule(name.rpartition(".")[0])
    plain = isinstance(owner, nn.Linear | Conv1D) and name.endswith(".weight")
    return owner if plain else None


def is_inputs_first(owner: nn.Module) -> bool:
    """Whether a module's matrix is (inputs, outputs) rather than (outputs, inputs)."""
    return isinstance(owner, Conv1D)


def inputs_of(owner: nn.Module) -> int:
    """How many numbers enter a module."""
    weight: Any = owner.weight
    return int(weight.shape[0] if is_inputs_first(owner) else weight.shape[1])


def shaped_like(change: torch.Tensor, owner: nn.Module) -> torch.Tensor:
    """A change, (outputs, inputs), as a module keeps its matrix."""
    return change.T if is_inputs_first(owner) else change


def output_at(model: LanguageModel, layer: int) -> Location:
    """Where a layer keeps the matrix that writes its MLP's output.

    Raises:
        LocationError: there is no such layer, or none of its matrices is one of its own.
    """
    if layer >= model.layer_count:
        raise LocationError(
            f"Layer {layer} is not in this model: its layers are 0 to {model.layer_count - 1}."
        )
    here = [info for info in model.locations() if info.location.layer == layer]
    plain = [info.location.module for info in here if len(info.shape) == 2 and not info.experts]
    where = Location(layer, output_matrix(plain))
    names = list(model.weights_at((where,))) if plain else []
    if len(names) != 1 or owner_of(model, names[0]) is None:
        raise LocationError(
            f"Layer {layer} of this model has no plain matrix that writes its MLP's output; "
            "choose other layers, or another method."
        )
    return where


@contextmanager
def adding_moments(
    owners: Mapping[str, nn.Module], lengths: Sequence[int], moments: dict[str, torch.Tensor]
) -> Iterator[None]:
    """While texts pass, adds the outer products of what enters each module to its moment.

    Args:
        owners: the modules, by a name for each.
        lengths: tokens of each text that passes; what stands behind them counts for nothing.
        moments: (inputs, inputs) sums by name, which grow.
    """
    real = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]

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


@contextmanager
def added_to_outputs(owners: Mapping[str, nn.Module]) -> Iterator[dict[str, torch.Tensor]]:
    """While texts pass, zeros are added to what leaves each module, so that gradients stop there.

    Args:
        owners: the modules, by a name for each.

    Yields:
        The zeros, (texts, tokens, outputs) by name, once the texts have passed.
    """
    added: dict[str, torch.Tensor] = {}

    def hook(name: str) -> Any:
        def add(module: nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
            added[name] = torch.zeros_like(output, requires_grad=True)
            return output + added[name]

        return add

    handles = [o.register_forward_hook(hook(name)) for name, o in owners.items()]
    try:
        yield added
    finally:
        for handle in handles:
            handle.remove()
